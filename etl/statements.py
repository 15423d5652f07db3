"""Rows that speak of regions, entities, items, lineage, plans, findings and actions: understood and kept as statements."""

from __future__ import annotations

import duckdb

from etl.reading import Reader, make_lookup
from etl.rows import Rows, StatementProblem
from etl.schema import Field
from etl.sources import Record, Source, SourceProblem


# What a row must also hold, beyond its fields one by one: (field, reason code, SQL true of bad rows, sentence) by kind.
def _item_missing(version: str, item_code: str) -> str:
    return (
        f"{item_code} <> '' and not exists (select 1 from dim_item i where i.checklist_code = t.checklist_code "
        f"and i.checklist_version = t.{version} and i.item_code = t.{item_code})"
    )


FUTURE_KNOWN = "The day from which this is known lies in the future. Correct that date, or load the file then."
SOME_ROWS = (
    "array_to_string(list_sort(list_distinct(min(row_no, 5))), ', ') "
    "|| case when count(*) > 5 then ' and ' || (count(*) - 5) || ' more' else '' end"
)
"""SQL of the rows of a group in words; the first five only, because each of a million rows would carry all of them."""
NO_ITEM = "The item is in no checklist master that was loaded."
ROW_RULES: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "entity": (
        (
            "valid_to",
            "bad_interval",
            "valid_to <= coalesce(valid_from, date '0001-01-01')",
            "The last day of validity lies before the first.",
        ),
    ),
    "lineage": (
        ("from_item_code", "unknown_item", _item_missing("from_version", "from_item_code"), NO_ITEM),
        ("to_item_code", "unknown_item", _item_missing("to_version", "to_item_code"), NO_ITEM),
    ),
    "finding": (
        ("item_code", "unknown_item", _item_missing("checklist_version", "item_code"), NO_ITEM),
        ("closed_on", "bad_interval", "closed_on < raised_on", "The finding was closed before it was raised."),
    ),
    "action": (
        (
            "finding_code",
            "unknown_finding",
            "not exists (select 1 from stm_finding f where f.finding_code = t.finding_code)",
            "The finding is in no export that was loaded.",
        ),
    ),
}


def known_at_sql(source: Source) -> str:
    """SQL text of the row's own knowledge date, empty where the source has no rule."""
    return f"({source.known_at})::string" if source.known_at else "''"


def evaluate(connection: duckdb.DuckDBPyConnection, source: Source, record: Record, target: str) -> None:
    """Evaluate the record's expressions over `data_row` into a temporary table of texts, `raw_<field>` each."""
    columns = "".join(f", ({expression})::varchar as raw_{name}" for name, expression in record.expressions.items())
    where = f"where ({record.when})" if record.when else ""
    sql = (
        f"create or replace temp table {target} as select table_no, row_no, variant{columns}, "
        f"{known_at_sql(source)} as raw_known_at from data_row {where}"
    )
    run_expression(connection, source, record, sql)


def run_expression(rows: Rows, source: Source, record: Record, sql: str) -> None:
    """Run SQL made of the source's expressions. Raises SourceProblem naming the expression that fails."""
    named = {f"record.fields.{name}": text for name, text in record.expressions.items()}
    named |= {"record.when": record.when or "true", "known_at.expression": source.known_at or "null"}
    for place, text in named.items():
        try:
            rows.execute(f"select ({text})::string from data_row limit 0")
        except (duckdb.Error, StatementProblem) as error:
            raise SourceProblem(f'{source.name}.toml: {place} = "{text}": {error}') from error
    try:
        rows.execute(sql)
    except (duckdb.Error, StatementProblem) as error:
        raise SourceProblem(
            f"{source.name}.toml: an expression of {record.kind.name} fails on a row: {error}"
        ) from error


def load_statements(connection: duckdb.DuckDBPyConnection, source: Source, record: Record, reader: Reader) -> None:
    """Add one record kind of the staged rows to its stm_ table; bad rows go to `row_refusal`.

    Leaves the temporary tables `told` (row keys, key fields, load and moment of each good row) and `touched_key`.
    """
    kind = record.kind
    evaluate(connection, source, record, "evaluated")
    typed, joins, bad_fields = [], [], []
    for field in kind.fields:
        if field.name not in record.expressions:
            empty = f"'{field.default}'" if field.is_key and field.default is not None else "null"
            typed.append(f"{empty}::{field.sql_type} as {field.name}")
            continue
        column = f"raw_{field.name}"
        if field.type == "text":
            typed.append(f"nullif({column}, '') as {field.name}")
            continue
        table, has_bad = make_lookup(connection, connection, "evaluated", column, field, reader.understand)
        joins.append(f"join {table} on {table}.raw = coalesce({column}, '')")
        value = f"{table}.value"
        if field.is_key and field.default is not None:
            value = f"coalesce({value}, '{field.default}')"
        typed.append(f"{value}::{field.sql_type} as {field.name}")
        if has_bad or (field.is_required and field.default is None):
            bad_fields.append(field)
    known_table, _ = make_lookup(
        connection, connection, "evaluated", "raw_known_at", Field("known_at", "date", ""), reader.understand
    )
    connection.execute(
        f"""create or replace temp table typed as
        select table_no, row_no, variant, {", ".join(typed)}, t.load_id, t.sheet,
            case when t.is_known_at_given then t.default_known_at
                else coalesce(try_cast(raw_known_at as timestamp), {known_table}.value::timestamp, t.default_known_at) end
                as known_at
        from evaluated join staged_table t using (table_no)
        join {known_table} on {known_table}.raw = coalesce(raw_known_at, '') {" ".join(joins)}"""
    )
    for field in bad_fields:
        _refuse_field(connection, record, field)
    connection.execute(
        """insert into row_refusal
        select table_no, row_no, variant, 'known_at', known_at::date::varchar, 'future_known', ?, null, true
        from typed where known_at::date > ?""",
        [FUTURE_KNOWN, reader.today],
    )
    for name, code, condition, sentence in ROW_RULES.get(kind.name, ()):
        raw = f"raw_{name}" if name in record.expressions else "null"
        connection.execute(
            f"""insert into row_refusal select t.table_no, t.row_no, t.variant, '{name}', e.{raw}, '{code}', ?, null, true
            from typed t join evaluated e using (table_no, row_no, variant) where {condition}"""
            if raw != "null"
            else f"""insert into row_refusal select table_no, row_no, variant, '{name}', null, '{code}', ?, null, true
            from typed t where {condition}""",
            [sentence],
        )
    _refuse_contradictions(connection, record)
    connection.execute(
        "create or replace temp table told as select * from typed "
        "anti join (select table_no, row_no, variant from row_refusal where is_row_refused) using (table_no, row_no, variant)"
    )
    names = ", ".join(field.name for field in kind.fields)
    keys = ", ".join(field.name for field in kind.keys)
    connection.execute(
        f"""insert into stm_{kind.name} by name select {names}, known_at, load_id, sheet, row_no from told
        qualify row_number() over (partition by {keys}, known_at, load_id order by table_no, row_no, variant) = 1"""
    )
    connection.execute(f"create or replace temp table touched_key as select distinct {keys} from told")


def _refuse_field(connection: duckdb.DuckDBPyConnection, record: Record, field: Field) -> None:
    """Refuse rows whose cell is not understood or empty though needed; a lenient cell is only left out."""
    is_refused = field.name not in record.lenient
    connection.execute(
        f"""insert into row_refusal
        select table_no, row_no, variant, '{field.name}', raw_{field.name}, k.reason_code, k.reason, k.suggestion, {is_refused}
        from evaluated join lookup_raw_{field.name} k on k.raw = coalesce(raw_{field.name}, '')
        where k.reason_code is not null"""
    )
    if field.is_required and field.default is None:
        connection.execute(
            f"""insert into row_refusal
            select table_no, row_no, variant, '{field.name}', raw_{field.name}, 'empty', ?, null, true
            from evaluated join lookup_raw_{field.name} k on k.raw = coalesce(raw_{field.name}, '')
            where k.reason_code is null and k.value is null""",
            [f"The cell is empty, and {field.name} is needed. {field.help}"],
        )


def _refuse_contradictions(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    """Refuse all rows of one file that say different things about the same key at the same moment."""
    keys = ", ".join(field.name for field in record.kind.keys)
    said = ", ".join(field.name for field in record.kind.contents if field.name in record.expressions)
    if not said:
        return
    connection.execute(
        f"""insert into row_refusal
        with good as (
            select * from typed anti join (select table_no, row_no, variant from row_refusal where is_row_refused)
            using (table_no, row_no, variant)
        ),
        torn as (
            select {keys}, known_at, load_id, {SOME_ROWS} as row_nos
            from good group by {keys}, known_at, load_id having count(distinct row({said})) > 1
        )
        select table_no, row_no, variant, '{record.kind.keys[-1].name}', {record.kind.keys[-1].name}::varchar, 'contradiction',
            'Rows ' || row_nos || ' of this file say different things about the same ' || ? || '; leave the right one.', null, true
        from good join torn using ({keys}, known_at, load_id)""",
        [record.kind.name],
    )


def refuse_overlaps(connection: duckdb.DuckDBPyConnection) -> bool:
    """Refuse rows of `told` that give an entity two sets of attributes on one day; true where some were.

    Takes back what they said, so that entities must be derived anew.
    """
    connection.execute(
        """create or replace temp table overlapping as
        select t.table_no, t.row_no, t.variant, t.entity_code, t.valid_from, t.load_id,
            min(case when a.valid_from = t.valid_from then b.valid_from else a.valid_from end) as other_from
        from told t
        join dim_entity a on a.entity_code = t.entity_code
        join dim_entity b on b.entity_code = a.entity_code and b.valid_from > a.valid_from and b.valid_from < a.valid_to
            and b.known_from < a.known_to and a.known_from < b.known_to
        where t.valid_from in (a.valid_from, b.valid_from)
        group by all"""
    )
    connection.execute(
        """insert into row_refusal
        select table_no, row_no, variant, 'valid_from', valid_from::varchar, 'overlap', 'The entity ' || entity_code
            || ' would have two sets of attributes on one day: another row holds from '
            || case when other_from < date '1000-01-01' then 'the beginning' else other_from::varchar end
            || ' on. Let one end before the other begins.', null, true
        from overlapping"""
    )
    if connection.execute("select count(*) from overlapping").fetchone() == (0,):
        return False
    same = "o.entity_code = {0}.entity_code and o.valid_from = {0}.valid_from"
    for table, more in (("stm_entity", " and o.load_id = stm_entity.load_id"), ("told", ""), ("dim_entity", "")):
        connection.execute(
            f"delete from {table} where exists (select 1 from overlapping o where {same.format(table)}{more})"
        )
    connection.execute(
        """create or replace temp table touched_key as
        select entity_code, valid_from from told union select entity_code, valid_from from overlapping"""
    )
    return True
