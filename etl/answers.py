"""Rows that are answers: their inspections resolved once per distinct telling, the answers resolved by joins.

What is one row per inspection is settled in the build's connection; statements about single answers go to `rows`, which is
that connection, or another engine. They are written in the SQL that DuckDB and Spark both run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

from etl.derive import fold
from etl.reading import MAX_SUGGESTIONS, Reader, make_lookup, suggest
from etl.rows import Rows, hand_over
from etl.schema import FOREVER, Field
from etl.sources import Record, Source
from etl.statements import FUTURE_KNOWN, known_at_sql, run_expression

CONTENT = "verdict, score, answer, written_score, comment, has_evidence"
SAID_COLUMNS = f"inspection_id, item_id, {CONTENT}, known_at, load_id, sheet, row_no"
ROW_KEY = "table_no, row_no, variant"


@dataclass(frozen=True, slots=True)
class Resolution:
    """The resolved answers as SQL over the staged rows, with is_good each, and the row fields that hold bad cells."""

    answers: str
    bad_fields: tuple[Field, ...]
    lenient: frozenset[str]


def resolve(
    connection: duckdb.DuckDBPyConnection, rows: Rows, source: Source, record: Record, reader: Reader
) -> Resolution:
    """Resolve the inspections of the staged rows into the temporary table `inspection_told`; answers stay SQL.

    `inspection_told` has one row per distinct telling of an inspection: its id, moment and load, whether it is fresh,
    and the reason where it cannot be used.
    """
    names = list(record.expressions)
    columns = "".join(f", coalesce(({record.expressions[name]})::string, '') as raw_{name}" for name in names)
    where = f"where ({record.when})" if record.when else ""
    rows.execute("drop view if exists answer_row")
    run_expression(
        rows,
        source,
        record,
        f"create temp view answer_row as select {ROW_KEY}, sheet{columns}, "
        f"coalesce({known_at_sql(source)}, '') as raw_known_at from data_row {where}",
    )
    told = [field for field in record.kind.fields if field.level == "inspection" and field.name in names]
    _resolve_inspections(connection, rows, source, record, told, reader)
    varying = [f"raw_{field.name}" for field in told if not _is_literal(record.expressions[field.name])]
    if source.known_at:
        varying.append("raw_known_at")
    if connection.execute("select count(*) from staged_table").fetchall() != [(1,)]:
        varying.append("table_no")
    same_telling = " and ".join(f"r.{name} = i.{name}" for name in varying) or "true"

    values = {"answer": "nullif(r.raw_verdict, '')"}
    joins, bad_fields, is_good = [], [], ["i.reason_code is null", "item.item_id is not null"]
    for field in record.kind.fields:
        if field.level != "row" or field.name not in names:
            continue
        if field.type == "text":
            values[field.name] = f"nullif(r.raw_{field.name}, '')"
            continue
        table, has_bad = make_lookup(connection, rows, "answer_row", f"raw_{field.name}", field, reader.understand)
        if field.name == "item_code":
            _resolve_items(connection, table)
            joins.append(
                "left join item_told item on item.raw = r.raw_item_code and item.checklist_no = i.checklist_no"
            )
            continue
        alias = f"k_{field.name}"
        joins.append(f"left join {table} {alias} on {alias}.raw = r.raw_{field.name}")
        values[field.name] = f"{alias}.value"
        if has_bad:
            bad_fields.append(field)
            if field.name not in record.lenient:
                is_good.append(f"{alias}.reason_code is null")
    by_verdict = "case k_verdict.value when 'met' then 1.0 when 'partly_met' then 0.5 when 'not_met' then 0.0 end"
    if "score" in values:
        by_verdict = f"case when ({by_verdict}) is not null then coalesce({values['score']}, {by_verdict}) end"
    answers = f"""
        select r.table_no, r.row_no, r.variant, r.sheet, i.telling_no, i.is_fresh, i.inspection_id, item.item_id,
            k_verdict.value as verdict, cast({by_verdict} as double) as score, {values["answer"]} as answer,
            cast({values.get("written_score", "null")} as double) as written_score,
            cast({values.get("comment", "null")} as string) as comment,
            cast({values.get("has_evidence", "null")} as boolean) as has_evidence,
            i.known_at, i.load_id, {" and ".join(is_good)} as is_good
        from answer_row r join inspection_told i on {same_telling} {" ".join(joins)}"""
    return Resolution(answers, tuple(bad_fields), record.lenient)


def _is_literal(expression: str) -> bool:
    return re.fullmatch(r"\s*'[^']*'\s*", expression) is not None


def _resolve_inspections(
    connection: duckdb.DuckDBPyConnection, rows: Rows, source: Source, record: Record, told: list[Field], reader: Reader
) -> None:
    """Make `inspection_told`, and `telling_refusal` with every reason for which a telling cannot be used."""
    raws = "".join(f", raw_{field.name}" for field in told)
    rows.execute(
        f"""create or replace temp table spoken_telling as
        select table_no{raws}, raw_known_at, count(*) as row_count from answer_row group by all"""
    )
    hand_over(connection, rows, "spoken_telling")
    connection.execute(
        "create or replace temp table telling as select row_number() over () as telling_no, * from spoken_telling"
    )
    connection.execute(
        "create or replace temp table telling_refusal (telling_no bigint, field varchar, value varchar, "
        "reason_code varchar, reason varchar, suggestion varchar, is_row_refused boolean)"
    )
    joins, values = [], {}
    for field in told:
        table, has_bad = make_lookup(connection, connection, "telling", f"raw_{field.name}", field, reader.understand)
        joins.append(f"join {table} on {table}.raw = t.raw_{field.name}")
        values[field.name] = f"{table}.value"
        is_refused = field.name not in record.lenient
        if has_bad:
            connection.execute(
                f"""insert into telling_refusal
                select telling_no, '{field.name}', t.raw_{field.name}, k.reason_code, k.reason, k.suggestion, {is_refused}
                from telling t join {table} k on k.raw = t.raw_{field.name} where k.reason_code is not null"""
            )
        if field.is_required:
            connection.execute(
                f"""insert into telling_refusal
                select telling_no, '{field.name}', t.raw_{field.name}, 'empty', ?, null, true
                from telling t join {table} k on k.raw = t.raw_{field.name}
                where k.reason_code is null and k.value is null""",
                [f"The cell is empty, and {field.name} is needed. {field.help}"],
            )
    known, _ = make_lookup(
        connection, connection, "telling", "raw_known_at", Field("known_at", "date", ""), reader.understand
    )
    level = [field for field in record.kind.fields if field.level == "inspection"]
    typed = ", ".join(f"{values.get(field.name, 'null')}::{field.sql_type} as {field.name}" for field in level)
    connection.execute(
        f"""create or replace temp table inspection_typed as
        with typed as (
            select t.telling_no, t.table_no, t.row_count, {", ".join(f"t.raw_{f.name}" for f in told)}, t.raw_known_at,
                {typed}, s.load_id, s.sheet, s.file_no,
                case when s.is_known_at_given then s.default_known_at
                    else coalesce(try_cast(t.raw_known_at as timestamp), {known}.value::timestamp, s.default_known_at) end
                    as known_at
            from telling t join staged_table s using (table_no)
            join {known} on {known}.raw = t.raw_known_at {" ".join(joins)}
        ),
        checklist as (
            select checklist_code, checklist_version,
                dense_rank() over (order by checklist_code, checklist_version) as checklist_no
            from dim_item group by checklist_code, checklist_version
        )
        select t.*, c.checklist_no,
            id_of('inspection', concat_ws(chr(31), t.inspection_type, t.entity_code,
                coalesce(t.inspecting_entity_code, ''), t.period, coalesce(t.inspection_code, ''),
                t.checklist_code, t.checklist_version)) as inspection_id,
            coalesce(least(greatest(t.performed_on, p.first_on), p.last_on), p.last_on) as reference_on,
            coalesce((select any_value(r.reason_code) from telling_refusal r
                where r.telling_no = t.telling_no and r.is_row_refused),
                case when t.known_at::date > ? then 'future_known' end,
                case when p.first_on > ? then 'future_period' end,
                case when (select max(e.valid_to) from dim_entity e where e.entity_code = t.entity_code
                    and e.known_to = timestamp '{FOREVER}') <= p.first_on then 'closed_entity' end,
                case when c.checklist_no is null then 'unknown_checklist' end) as reason_code
        from typed t
        left join checklist c using (checklist_code, checklist_version)
        left join dim_period p on p.period_code = t.period""",
        [reader.today, reader.today],
    )
    connection.execute(
        """insert into telling_refusal
        select telling_no, 'known_at', known_at::date::varchar, 'future_known', ?, null, true
        from inspection_typed where reason_code = 'future_known'""",
        [FUTURE_KNOWN],
    )
    connection.execute(
        """insert into telling_refusal
        select telling_no, 'period', raw_period, 'future_period', 'The period ' || period || ' begins on ' || first_on
            || ', after the day of loading. Correct the period, or load the file then.', null, true
        from inspection_typed join dim_period on period_code = period where reason_code = 'future_period'
        union all
        select t.telling_no, 'entity_code', t.raw_entity_code, 'closed_entity', 'The entity ' || t.entity_code
            || ' is part of the group until ' || (max(e.valid_to) - interval 1 day)::date || ' in the organisation master, and '
            || t.period || ' begins later. Correct the entity or the period, or load a newer master.', null, true
        from inspection_typed t join dim_entity e using (entity_code)
        where t.reason_code = 'closed_entity' and e.known_to > timestamp '9999-01-01'
        group by t.telling_no, t.raw_entity_code, t.entity_code, t.period"""
    )
    connection.execute(
        """insert into telling_refusal
        select telling_no, 'checklist_version', checklist_code || ' ' || checklist_version, 'unknown_checklist',
            'No checklist master with this code and version was loaded.', null, true
        from inspection_typed where reason_code = 'unknown_checklist'"""
    )
    # Fresh inspections were never spoken of before and are told by one file at one moment: nothing can be superseded.
    connection.execute(
        """create or replace temp table inspection_told as
        with once as (
            select inspection_id from inspection_typed where reason_code is null
            group by inspection_id
            having min(file_no) = max(file_no) and min(known_at) = max(known_at)
        )
        select t.*, t.reason_code is null and o.inspection_id is not null and s.inspection_id is null as is_fresh
        from inspection_typed t
        left join once o on o.inspection_id = t.inspection_id
        left join (select distinct inspection_id from stm_inspection) s on s.inspection_id = t.inspection_id"""
    )


def _resolve_items(connection: duckdb.DuckDBPyConnection, lookup: str) -> None:
    """Make `item_told`: for each code as written and each checklist version, the item it names."""
    connection.execute(
        f"""create or replace temp table item_told as
        select distinct k.raw, c.checklist_no, i.item_id
        from {lookup} k
        join dim_item i on i.item_code = k.value
        join (select distinct checklist_code, checklist_version, checklist_no from inspection_told) c
            using (checklist_code, checklist_version)"""
    )


def load_answers(
    connection: duckdb.DuckDBPyConnection, rows: Rows, source: Source, resolution: Resolution, is_fast: bool,
    counts_worst: bool,
) -> None:  # fmt: skip
    """Store the answers of fresh inspections at once and keep the others in `said_now`; bad rows go to `row_refusal`.

    Adds to `touched_inspection`. What `said_now` holds takes effect with `restate`.
    """
    rows.execute("drop view if exists resolved_answer")
    rows.execute("drop table if exists resolved_answer_kept")
    if is_fast:
        rows.execute(f"create temp view resolved_answer as {resolution.answers}")
    else:
        rows.execute(f"create temp table resolved_answer_kept as {resolution.answers}")
        rows.execute("create temp view resolved_answer as select * from resolved_answer_kept")
    inserted = rows.execute(
        f"""insert into fct_answer by name
        select {SAID_COLUMNS.replace("known_at", "known_at as known_from")}, timestamp '{FOREVER}' as known_to
        from resolved_answer where is_good and is_fresh"""
    ).fetchone()
    # Items are marked by the bits of a number, which is several times faster than counting distinct ones.
    rows.execute(
        """create or replace temp table repeated_inspection as
        with fresh as (select distinct inspection_id from inspection_told where is_fresh),
        marked as (
            select a.inspection_id, count(*) as answers, bit_or(i.mark) as marks
            from fct_answer a
            semi join fresh f on f.inspection_id = a.inspection_id
            join (
                select distinct item_id, item_no - item_no % 63 as block, cast(1 as bigint) << (item_no % 63) as mark
                from dim_item
            ) i on i.item_id = a.item_id
            group by a.inspection_id, i.block
        )
        select inspection_id from marked where answers > bit_count(marks) group by inspection_id"""
    )
    (repeated,) = rows.execute("select count(*) from repeated_inspection").fetchone()
    if repeated:
        rows.execute("delete from fct_answer where inspection_id in (select inspection_id from repeated_inspection)")
    # Looking for answers to restate means reading every row again, so look only where there are some.
    some_known = repeated or connection.execute(
        "select exists (select 1 from inspection_told where reason_code is null and not is_fresh)"
    ).fetchone() == (True,)
    rows.execute(
        f"""create or replace temp table said_now as
        select table_no, variant, {SAID_COLUMNS} from resolved_answer
        where {"true" if some_known else "false"} and is_good
            and (not is_fresh or inspection_id in (select inspection_id from repeated_inspection))"""
    )
    (said,) = rows.execute("select count(*) from said_now").fetchone()
    (read,) = rows.execute("select count(*) from answer_row").fetchone()
    (bad_tellings,) = connection.execute("select count(*) from telling_refusal").fetchone() or (0,)
    if bad_tellings or resolution.bad_fields or repeated or inserted[0] + said < read:
        _refuse(connection, rows, resolution)
    if said and not counts_worst:
        _refuse_contradictions(rows)
    _keep_inspections(connection, rows, source)


def _refuse(connection: duckdb.DuckDBPyConnection, rows: Rows, resolution: Resolution) -> None:
    rows.execute(
        """insert into row_refusal
        select r.table_no, r.row_no, r.variant, t.field, t.value, t.reason_code, t.reason, t.suggestion, t.is_row_refused
        from resolved_answer r join telling_refusal t using (telling_no)"""
    )
    for field in resolution.bad_fields:
        rows.execute(
            f"""insert into row_refusal
            select {ROW_KEY}, '{field.name}', raw_{field.name}, k.reason_code, k.reason, k.suggestion, ?
            from answer_row r join lookup_raw_{field.name} k on k.raw = r.raw_{field.name}
            where k.reason_code is not null""",
            [field.name not in resolution.lenient],
        )
    rows.execute(
        """insert into row_refusal
        select r.table_no, r.row_no, r.variant, 'item_code', a.raw_item_code,
            case when k.value is null and k.reason_code is null then 'empty' else 'unknown_item' end,
            case when k.value is null and k.reason_code is null then 'The cell is empty, and the item must be named.'
                else 'The item ''' || a.raw_item_code || ''' is not in version ' || t.checklist_version || ' of the checklist '
                    || t.checklist_code || '.' end,
            null, true
        from resolved_answer r
        join inspection_told t on t.telling_no = r.telling_no
        join answer_row a on a.table_no = r.table_no and a.row_no = r.row_no and a.variant = r.variant
        join lookup_raw_item_code k on k.raw = a.raw_item_code
        where r.item_id is null and t.reason_code is null"""
    )
    _suggest_items(connection, rows)


def _suggest_items(connection: duckdb.DuckDBPyConnection, rows: Rows) -> None:
    """Name the item that was probably meant, for the first codes that are in no checklist."""
    unknown = rows.execute(
        f"""select distinct a.raw_item_code, t.checklist_code, t.checklist_version
        from row_refusal x join answer_row a using (table_no, row_no, variant)
        join resolved_answer r using (table_no, row_no, variant) join inspection_told t on t.telling_no = r.telling_no
        where x.reason_code = 'unknown_item' order by all limit {MAX_SUGGESTIONS}"""
    ).fetchall()
    for raw, code, version in unknown:
        known = connection.execute(
            "select distinct item_code from dim_item where checklist_code = ? and checklist_version = ?",
            [code, version],
        ).fetchall()
        near = suggest(raw, [row[0] for row in known])
        if near:
            connection.execute(
                "update row_refusal set suggestion = ? where reason_code = 'unknown_item' and value = ?", [near, raw]
            )


def _refuse_contradictions(rows: Rows) -> None:
    """Refuse all answers of one file to one item of one inspection that differ at the same moment."""
    same = "inspection_id, item_id, known_at, load_id"
    differ = " or ".join(
        f"min({name}) <> max({name}) or count({name}) not in (0, count(*))" for name in CONTENT.split(", ")
    )
    first = ", ".join(f"max(case when place = {place} then shown end)" for place in range(1, 6))
    # The first five rows only, because each of a million rows would carry all of them.
    rows.execute(
        f"""insert into row_refusal
        with torn as (
            select {same} from said_now group by {same} having count(*) > 1 and ({differ})
        ),
        placed as (
            select {same}, row_no, row_number() over within as place, lag(row_no) over within as row_before
            from said_now join torn using ({same})
            window within as (partition by {same} order by row_no)
        ),
        shown as (
            select {same}, place, case when row_before is distinct from row_no then cast(row_no as string) end as shown
            from placed
        ),
        told as (
            select {same}, concat_ws(', ', {first})
                || case when count(*) > 5 then ' and ' || cast(count(*) - 5 as string) || ' more' else '' end as row_nos
            from shown group by {same}
        )
        select s.table_no, s.row_no, s.variant, 'verdict', s.answer, 'contradiction',
            'The item is answered more than once, and not alike, in rows ' || row_nos || '; leave the right answer.',
            null, true
        from said_now s join told using ({same})"""
    )
    rows.execute(
        """delete from said_now where exists (
            select 1 from row_refusal r where r.reason_code = 'contradiction'
                and r.table_no = said_now.table_no and r.row_no = said_now.row_no and r.variant = said_now.variant)"""
    )


def _keep_inspections(connection: duckdb.DuckDBPyConnection, rows: Rows, source: Source) -> None:
    """Keep what was said about each inspection that has a good answer, and derive fct_inspection from it."""
    keys = (
        "inspection_type", "entity_code", "inspecting_entity_code", "period", "inspection_code",
        "checklist_code", "checklist_version",
    )  # fmt: skip
    rows.execute(
        """create or replace temp table answered_inspection as
        select distinct inspection_id from said_now
        union
        select inspection_id from inspection_told t
        where is_fresh and exists (select 1 from fct_answer a where a.inspection_id = t.inspection_id)"""
    )
    hand_over(connection, rows, "answered_inspection")
    connection.execute(
        """insert into touched_inspection
        select inspection_id, inspection_id not in (select inspection_id from stm_inspection) from answered_inspection"""
    )
    connection.execute(
        f"""insert into stm_inspection by name
        select t.inspection_id, {", ".join(f"any_value(t.{name}) as {name}" for name in keys)},
            max(t.performed_on) as performed_on, max(t.submitted_on) as submitted_on, max(t.reference_on) as reference_on,
            ? as source_name, t.known_at, t.load_id, any_value(t.sheet) as sheet, null as row_no
        from inspection_told t semi join answered_inspection a on a.inspection_id = t.inspection_id
        where t.reason_code is null and not exists (
            select 1 from stm_inspection s
            where s.inspection_id = t.inspection_id and s.load_id = t.load_id and s.known_at = t.known_at)
        group by t.inspection_id, t.known_at, t.load_id""",
        [source.name],
    )
    connection.execute("create or replace temp table touched_key as select inspection_id from answered_inspection")
    fold(connection, "inspection")


def later_loads(connection: duckdb.DuckDBPyConnection, rows: Rows) -> list[int]:
    """Loads that spoke of the inspections in `said_now` after the moments it speaks of: they must be heard again.

    Stored answers hold only what changed; what a later load merely confirmed is found in its archived file.
    """
    rows.execute(
        """create or replace temp table spoken_now as
        select inspection_id, load_id, min(known_at) as known_at from said_now group by inspection_id, load_id"""
    )
    hand_over(connection, rows, "spoken_now")
    found = connection.execute(
        """select distinct s.load_id from stm_inspection s
        join (select inspection_id, min(known_at) as known_at from spoken_now group by inspection_id) n
            on n.inspection_id = s.inspection_id and s.known_at > n.known_at
        where s.load_id not in (select load_id from spoken_now)
        order by all"""
    ).fetchall()
    return [row[0] for row in found]


def begin_restating(rows: Rows) -> None:
    """Gather in `said` everything stored about the inspections in `said_now`, beside what it says itself."""
    rows.execute(
        f"""create or replace temp table said as
        select {SAID_COLUMNS} from said_now
        union all
        select {SAID_COLUMNS.replace("known_at", "known_from")} from fct_answer
        where inspection_id in (select inspection_id from said_now)"""
    )


def hear_again(connection: duckdb.DuckDBPyConnection, here: Rows, rows: Rows, resolution: Resolution) -> None:
    """Add to `said`, of `rows`, what an archived file says about the inspections being restated.

    The file was staged and resolved again `here`.
    """
    if here is not rows:
        hand_over(connection, rows, "said_now")
    here.execute(
        f"""create or replace temp table heard as select {SAID_COLUMNS} from ({resolution.answers}) resolved
        where is_good and inspection_id in (select inspection_id from said_now)
            and exists (select 1 from stm_inspection s
                where s.inspection_id = resolved.inspection_id and s.load_id = resolved.load_id)"""
    )
    rows.execute("insert into said select * from heard")


def restate(rows: Rows) -> None:
    """Write the history of the inspections in `said_now` anew from `said`, in the order of knowledge dates.

    Of two files that say different things at the same moment the worse answer counts, whatever their order.
    """
    rows.execute("delete from fct_answer where inspection_id in (select inspection_id from said_now)")
    rows.execute(
        f"""insert into fct_answer by name
        with once as (
            select * from said
            qualify row_number() over (
                partition by inspection_id, item_id, known_at
                    order by score nulls last, verdict = 'not_applicable', {
            ", ".join(f"{name} nulls last" for name in CONTENT.split(", "))
        }, load_id, row_no
            ) = 1
        ),
        compared as (
            select *, lag(({CONTENT})) over following as content_before
            from once window following as (partition by inspection_id, item_id order by known_at)
        ),
        opened as (select * from compared where ({CONTENT}) is distinct from content_before)
        select {SAID_COLUMNS.replace("known_at", "known_at as known_from")},
            coalesce(lead(known_at) over (partition by inspection_id, item_id order by known_at), timestamp '{FOREVER}')
                as known_to
        from opened"""
    )
