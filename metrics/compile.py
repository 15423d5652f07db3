"""A query as SQL: one readable statement per fact, values only as parameters. Aliases are those of metrics/facts.py.

The SQL is what DuckDB and Spark both run and answer alike.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from metrics.catalog import DIMENSIONS, METRICS, Metric
from metrics.facts import ENTITY_COLUMNS, FACTS, INSPECTOR, join_entity, known
from metrics.query import OUTSIDE, Filters, Query, Scope, period_column

ADDITIVE = (
    "met", "partly_met", "not_met", "not_applicable", "not_answered", "weight_applicable", "weight_scored", "weight_met",
    "written_score", "written_scores",
)  # fmt: skip
# Changes of these that cancel out can leave a crumb in binary, which must not become a denominator.
FRACTIONAL = ("weight_applicable", "weight_scored", "weight_met", "written_score")
STILL_HELD = "sum(c.met + c.partly_met + c.not_met + c.not_applicable + c.not_answered) > 0"
IN_SCOPE = "{0} in (select unnest($scope_entities))"
# Entities are marked by the bits of a number, so that a group of answers knows its entities without a row for each.
BITS = 63
BY_VERDICT = ADDITIVE[:5]
SCORED, EVERY = BY_VERDICT[:3], BY_VERDICT
# Verdicts that metrics add up: an answer has one of them, so that bits of all are counted at once.
TOGETHER = {"scored": SCORED, "answered": BY_VERDICT[:4], "answers": EVERY}
NONE = "cast(0 as bigint)"
# How many entities stand behind a metric: by the bits of its cells, or where a cell is of one entity.
MARKED, SUMMED = "sum(bit_count({0}_marks))", "sum(case when {1} <> 0 then 1 else 0 end)"


def _held(*verdicts: str) -> str:
    """Bits of the inspections of a place in which an item has one of the verdicts."""
    marks = " | ".join(f"a.{name}_marks" for name in verdicts)
    return f"({marks}) & p.mask" if len(verdicts) > 1 else f"{marks} & p.mask" if verdicts else NONE


def _tally(verdicts: Sequence[str]) -> dict[str, str]:
    """What can be counted of the answers in a place and part, of those with one of the verdicts."""

    def count(*names: str) -> str:
        return f"bit_count({_held(*(name for name in names if name in verdicts))})"

    return {name: f"sum({count(name)})" for name in BY_VERDICT} | {
        **{name: f"sum({count(*of)})" for name, of in TOGETHER.items()},
        "score": f"""sum(case when a.own_score is null
            then {count("met")} + cast(0.5 as double) * {count("partly_met")}
            else a.own_score * {count(*SCORED)} end)""",
        "written_score": f"sum(coalesce(a.written_score, 0) * {count(*EVERY)})",
        "written_scores": f"sum(case when a.written_score is not null then {count(*EVERY)} else 0 end)",
    }


# Which of it each additive column needs; the others need what has their name.
TALLIES = {"weight_applicable": "scored", "weight_scored": "score", "weight_met": "met"}

PAIRED = {
    (outside, mine): f"{outside}_self_{mine}" for outside in ("met", "partly_met", "not_met")
    for mine in ("met", "partly_met", "not_met")
}  # fmt: skip
"""Columns of cube_pair that count pairs, by the verdicts of outside check and self-check."""
# Answers as written are in no cube: each counts as a block with one inspection.
ANSWERS_AS_WRITTEN = """counted as (
    select
        k.block_no, w.item_id, w.answer, w.verdict, w.score as own_score, w.written_score, w.known_from, w.known_to,
        {marks}
    from fct_answer w
    join brg_inspection_block k on k.inspection_id = w.inspection_id
)""".format(
    marks=",\n        ".join(
        f"case when w.verdict = '{name}' then k.mark else cast(0 as bigint) end as {name}_marks" for name in BY_VERDICT
    )
)


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL of one fact with its parameters, and the metrics that it answers."""

    fact: str
    sql: str
    parameters: dict[str, Any]
    metrics: tuple[str, ...]


def compile_query(query: Query, known_at: datetime) -> list[Statement]:
    """One statement per fact that the metrics of the query need.

    Each gives the dimensions' ids and, for each metric, numerator, denominator, contributing and expected entities.
    """
    facts = dict.fromkeys(METRICS[name].fact for name in query.metrics)
    return [_statement(query, known_at, fact) for fact in facts]


def _statement(query: Query, known_at: datetime, fact: str) -> Statement:
    metrics = [METRICS[name] for name in query.metrics if METRICS[name].fact == fact]
    ctes = list_tables(query.filters, query.scope, fact, with_inspector=_uses_inspector(query, fact))
    is_in_cube_pair = fact == "pairs" and _is_in_cube_pair(query, metrics)
    if is_in_cube_pair:
        ctes += _pair_cells(query, metrics)
    elif fact != "answers":
        cell = _cell(query, fact, metrics)
        # Tables of the fact that no column of the cell needs.
        ctes = [one for one in ctes if one not in FACTS[fact].tables or f" {one.split(' as ', 1)[0]} " in cell]
        ctes.append(f"cell as (\n{cell}\n)")
    elif (cube := _fastest_cube(query)) == "cube_inspection":
        ctes.append(f"cell as (\n{_inspection_cell(query, metrics)}\n)")
    elif cube:
        ctes.append(f"cell as (\n{_cube_cell(query, cube)}\n)")
    else:
        metrics = [_count_together(metric) for metric in metrics]
        ctes += _item_cells(query, metrics)
    # Cubes that hold changes tell an entity's answers only when all of its changes are added up.
    is_marked = {"answers": _fastest_cube(query) in (None, "cube_inspection"), "pairs": is_in_cube_pair}.get(fact, True)
    behind = "" if not query.with_entities else MARKED if is_marked else SUMMED
    ctes.append(
        "figure as (\n    select\n        "
        + ",\n        ".join([*query.by, *(line for metric in metrics for line in _sums(metric, behind))])
        + f"\n    from cell{_group(query.by)}\n)"
    )
    columns = [f"g.{name}" for name in query.by]
    for metric in metrics:
        columns += [f"g.{metric.name}_{part}" for part in ("numerator", "denominator", "contributing")]
    join = ""
    if query.with_entities and fact in ("answers", "inspections", "plans"):
        shared = [name for name in query.by if "plans" in DIMENSIONS[name].facts]
        ctes.append(f"expected as (\n{_expected(query, shared)}\n)")
        same = " and ".join(f"x.{name} is not distinct from g.{name}" for name in shared) or "true"
        join = f"\nleft join expected x on {same}"
        columns += [f"x.expected as {metric.name}_expected" for metric in metrics]
    else:
        columns += [f"cast(null as bigint) as {metric.name}_expected" for metric in metrics]
    order = f"\norder by {', '.join(f'g.{name} nulls last' for name in query.by)}" if query.by else ""
    sql = f"with {(',' + chr(10)).join(ctes)}\nselect\n    {(',' + chr(10) + '    ').join(columns)}\nfrom figure g{join}{order}"
    return Statement(
        fact, sql, keep_used(sql, list_parameters(query.filters, query.scope, known_at)), tuple(m.name for m in metrics)
    )


def keep_used(sql: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters that the statement names: DuckDB takes no others."""
    used = set(re.findall(r"\$(\w+)", sql))
    return {name: value for name, value in parameters.items() if name in used}


def _count_together(metric: Metric) -> Metric:
    """The metric over the answers of each item: what adds up verdicts is a column of its own there."""
    names = {f"({' + '.join(verdicts)})": name for name, verdicts in TOGETHER.items()}
    base = metric.denominator
    return replace(
        metric, numerator=names.get(metric.numerator, metric.numerator), denominator=base and names.get(base, base)
    )


def _sums(metric: Metric, behind: str) -> list[str]:
    """Columns of a metric over cells: its sums, and how many entities stand behind it."""
    return [
        f"cast(sum({metric.numerator}) as double) as {metric.name}_numerator",
        f"cast({f'sum({metric.denominator})' if metric.denominator else 'null'} as double) as {metric.name}_denominator",
        f"cast({behind.format(metric.name, metric.base) or 'null'} as bigint) as {metric.name}_contributing",
    ]


def _uses_inspector(query: Query, fact: str) -> bool:
    name = "inspecting_entity"
    return fact in DIMENSIONS[name].facts and (name in query.by or name in query.filters.chosen())


def list_tables(filters: Filters, scope: Scope, fact: str | None, with_inspector: bool) -> list[str]:
    """The tables (of a `with`) that the source of a fact is made of; entities have each day covered once.

    Each entity has a bit of its own: `mark`, within its `block`.

    Of a scope, entities are those in it, and what lies outside is named nowhere: not as business group, as parent
    or as inspector.
    """
    columns, held, inspectors = "*", "", "entity"
    if scope.entity_codes is not None:
        held = f" and {IN_SCOPE.format('entity_code')}"
        masked = {name: f"{_mask(name)} as {name}" for name in ("business_group_code", "parent_entity_code")}
        columns = ", ".join(masked.get(name, name) for name in ENTITY_COLUMNS)
        inspectors = f"dim_entity where {known('dim_entity')}"
    inspector_code = "entity_code" if scope.entity_codes is None else f"{_mask('entity_code')} as entity_code"
    entity = f"""entity as (
    select *, entity_no - entity_no % {BITS} as block, cast(pow(2, entity_no % {BITS}) as bigint) as mark
    from (
        select
            {columns},
            -- Before its first interval the first one holds.
            case when row_number() over (partition by entity_id order by valid_from) = 1 then date '0001-01-01'
                else valid_from end as held_from,
            coalesce(lead(valid_from) over (partition by entity_id order by valid_from), date '9999-12-31') as held_to,
            dense_rank() over (order by entity_id) - 1 as entity_no
        from dim_entity
        where known_from <= $known_at and known_to > $known_at{held}
    ) d
)"""
    inspector = (
        [f"inspector as (select distinct entity_id, {inspector_code} from {inspectors})"] if with_inspector else []
    )
    return [entity, *inspector, *(FACTS[fact].tables if fact else ())]


def _mask(column: str) -> str:
    """A code where it is that of an entity in the scope, else OUTSIDE; null stays null."""
    return f"case when {column} is null or {IN_SCOPE.format(column)} then {column} else '{OUTSIDE}' end"


def _cell(query: Query, fact: str, metrics: list[Metric]) -> str:
    """Sums of the additive columns that the metrics need per dimension values and block, and who is behind them."""
    conditions = [*FACTS[fact].conditions, *list_conditions(query.filters, query.scope, fact)]
    columns = [
        f"{sql} as {name}" for name, sql in FACTS[fact].columns.items() if any(_names(one, name) for one in metrics)
    ]
    if fact == "pairs":
        return _select_cell(query, fact, FACTS[fact].source, columns, conditions, by_entity=query.with_entities)
    if query.with_entities:
        columns += [_mark(metric.name, FACTS[fact].counts[metric.base]) for metric in metrics]
    named = " ".join([*(DIMENSIONS[name].column for name in query.by), *columns, *conditions])
    return _select_cell(query, fact, FACTS[fact].join(named), columns, conditions)


def _inspection_cell(query: Query, metrics: list[Metric]) -> str:
    """The same of answers from cube_inspection, a row of which is an inspection."""
    columns = [f"sum(f.{name}) as {name}" for name in ADDITIVE if any(_names(metric, name) for metric in metrics)]
    if query.with_entities:
        columns += [_mark(metric.name, re.sub(r"\b([a-z]\w+)", r"f.\1", metric.base) + " <> 0") for metric in metrics]
    conditions = [known("f"), *list_conditions(query.filters, query.scope, "answers")]
    return _select_cell(query, "answers", f"from cube_inspection f{join_entity('f.reference_on')}", columns, conditions)


def _cube_cell(query: Query, cube: str) -> str:
    """The same from a cube that holds changes: only all of those of an entity together say whether it has answers."""
    sums = [
        f"round(sum(c.{name}), 9) as {name}" if name in FRACTIONAL else f"sum(c.{name}) as {name}" for name in ADDITIVE
    ]
    source = f"from {cube} c\n    join fct_inspection f on f.inspection_id = c.inspection_id and {known('f')}"
    conditions = ["c.event_at <= $known_at", *list_conditions(query.filters, query.scope, "answers")]
    source += join_entity("f.reference_on")
    # A cell whose answers were all taken back, or moved to another measure, is no cell.
    return _select_cell(query, "answers", source, sums, conditions, by_entity=query.with_entities, having=STILL_HELD)


def _select_cell(
    query: Query,
    fact: str,
    source: str,
    columns: list[str],
    conditions: list[str],
    *,
    by_entity: bool = False,
    having: str = "",
) -> str:
    """The columns per dimension values, and per block or entity where these are counted."""
    cells = ["e.entity_id"] if by_entity else ["e.block"] if query.with_entities else []
    dimensions = [f"{DIMENSIONS[name].column} as {name}" for name in query.by]
    # By expression, not by name: an alias may share its name with a column.
    groups = [*(DIMENSIONS[name].column for name in query.by), *cells]
    return (
        f"    select\n        {(',' + chr(10) + '        ').join([*dimensions, *cells, *columns])}"
        + f"\n    {source}{INSPECTOR if _uses_inspector(query, fact) else ''}"
        + f"\n    where {(chr(10) + '        and ').join(conditions)}{_group(groups)}"
        # Without groups a sum over no row would be a row.
        + (f"\n    having {having or 'count(*) > 0'}" if having or not groups else "")
    )


def _mark(name: str, condition: str) -> str:
    """Bits of the entities with a row for which the condition holds, as those behind a figure."""
    return f"bit_or(case when {condition} then e.mark else {NONE} end) as {name}_marks"


def _is_in_cube_pair(query: Query, metrics: list[Metric]) -> bool:
    """Whether cube_pair has what is asked of pairs: no single items, and by verdict only how many there are."""
    used = {*query.by, *query.filters.chosen()}
    if used & {"item", "item_lineage", "control"}:
        return False
    return not used & {"verdict", "self_verdict"} or all(metric.name == "pairs" for metric in metrics)


def _pair_cells(query: Query, metrics: list[Metric]) -> list[str]:
    """Tables from cube_pair, a row of which stands for inspection, item and pair alike."""
    by_verdict = [name for name in ("verdict", "self_verdict") if name in {*query.by, *query.filters.chosen()}]
    conditions = list_conditions(query.filters, query.scope, "pairs")
    of_verdicts = [one for one in conditions if re.search(r"\ba\.(self_)?verdict\b", one)]
    held = [known("f"), "not f.is_whole" if _tells_items(query, "pairs") - {*by_verdict} else "f.is_whole"]
    held += [one for one in conditions if one not in of_verdicts]
    rows = {name: f"f.{name}" for name in (*FACTS["pairs"].counts, *(name for name, _ in FACTS["pairs"].sums))}
    rows["pairs"] = f"({' + '.join(f'f.{column}' for column in PAIRED.values())})"
    if by_verdict:
        rows, behind = {column: f"f.{column}" for column in PAIRED.values()}, {name: name for name in PAIRED.values()}
    else:
        rows = {name: sql for name, sql in rows.items() if any(_names(metric, name) for metric in metrics)}
        behind = {metric.name: metric.base for metric in metrics}
    columns = [
        f"{f'round(sum({sql}), 9)' if name in dict(FACTS['pairs'].sums) else f'sum({sql})'} as {name}"
        for name, sql in rows.items()
    ]
    if query.with_entities:
        columns += [_mark(name, f"{rows[base]} <> 0") for name, base in behind.items()]
    others = tuple(name for name in query.by if name not in by_verdict)
    source = f"from cube_pair f{join_entity('f.reference_on')}"
    cell = _select_cell(replace(query, by=others), "pairs", source, columns, held)
    cell = re.sub(r"\b[ac]\.", "f.", cell)
    if not by_verdict:
        return [f"cell as (\n{cell}\n)"]
    # Counted once for every two verdicts, side by side, and then one below the other.
    told = [*others, *(["block"] if query.with_entities else [])]
    marks = {column: f", {column}_marks as pairs_marks" if query.with_entities else "" for column in PAIRED.values()}
    union = "\n        union all\n        ".join(
        f"select {''.join(f'{name}, ' for name in told)}'{outside}' as verdict, '{mine}' as self_verdict, "
        f"{column} as pairs{marks[column]}\n        from counted where {column} > 0"
        for (outside, mine), column in PAIRED.items()
    )
    keys = [*(name for name in query.by if name in by_verdict), *told]
    sums = "sum(pairs) as pairs" + (", bit_or(pairs_marks) as pairs_marks" if query.with_entities else "")
    where = f"\n    where {' and '.join(of_verdicts)}" if of_verdicts else ""
    split = (
        f"cell as (\n    select {''.join(f'{name}, ' for name in keys)}{sums}"
        f"\n    from (\n        {union}\n    ) a{where}{_group(keys)}\n)"
    )
    return [f"counted as (\n{cell}\n)", split]


def _item_cells(query: Query, metrics: list[Metric]) -> list[str]:
    """Tables from the answers of each item: inspections and items are numbered by the values asked for first.

    So answers are counted by two small numbers, 63 inspections at a time, and texts come to the counts afterwards.
    A cell is one combination of dimension values and a block of entities, each of which is one bit of a mark.
    """
    by = {table: [name for name in query.by if DIMENSIONS[name].table in table] for table in ("fex", "c", "a")}
    filters = {table: list_conditions(query.filters, query.scope, "answers", table) for table in ("fex", "c", "a")}

    def select(table: str) -> str:
        return "".join(f"{DIMENSIONS[name].column} as {name}, " for name in by[table])

    def where(*conditions: str) -> str:
        return f"where {(chr(10) + '        and ').join(conditions)}"

    unit = [*by["fex"], *(["block"] if query.with_entities else [])]
    of_unit, of_part = "".join(f"{name}, " for name in unit), "".join(f"{name}, " for name in by["c"])
    block = f", k.entity_no - k.entity_no % {BITS} as block" if query.with_entities else ""
    place_no = f"dense_rank() over (order by {of_unit.removesuffix(', ')})" if unit else "1"
    columns = "".join(f"{DIMENSIONS[name].column}, " for name in by["c"])
    keys = key_columns = ""
    counted = [name for name in (*ADDITIVE, *TOGETHER) if any(_names(metric, name) for metric in metrics)]
    used = {*by["a"], *(name for name in ("verdict", "answer") if getattr(query.filters, name))}
    # A rate of no answers is no row, so that where all is rates of one kind no other answers need be counted.
    bases = {TALLIES.get(metric.base, metric.base) for metric in metrics if metric.is_ratio}
    is_of_rates = len(metrics) == len(query.metrics) and all(metric.is_ratio for metric in metrics)
    (told_by,) = bases if is_of_rates and query.by and not used and len(bases) == 1 else {"answers"}
    sums = dict.fromkeys([told_by, *(TALLIES.get(column, column) for column in counted)])

    def tally(*verdicts: str) -> dict[str, str]:
        tallied = {name: sql for name, sql in _tally(verdicts).items() if name in sums}
        if query.with_entities:
            tallied |= {f"{metric.name}_marks": f"bit_or({_behind(metric, verdicts)})" for metric in metrics}
        return tallied

    tallied = tally(*EVERY)
    cell = [
        f"sum(t.{TALLIES[name]} * q.weight) as {name}" if name in TALLIES else f"sum(t.{name}) as {name}"
        for name in counted
    ]
    for metric in metrics if query.with_entities else ():
        marks = f"t.{metric.name}_marks"
        if metric.base == "weight_applicable":
            marks = f"case when q.weight <> 0 then {marks} else 0 end"
        cell.append(f"bit_or({marks}) as {metric.name}_marks")
    shown = [f"{'p' if name in unit else 'q' if name in by['c'] else 't'}.{name}" for name in query.by]
    shown += ["p.block"] if query.with_entities else []
    source, told, split = "cube_item", "tally", []
    if "answer" in used:
        source = "counted"
        keys = "".join(f", {DIMENSIONS[name].column} as {name}" for name in by["a"])
        key_columns = "".join(f", {DIMENSIONS[name].column}" for name in by["a"])
    elif used:
        # Counted once for every verdict, side by side, and then one below the other.
        told, tallied, parts = "told", {}, []
        for verdict in BY_VERDICT:
            # Sums of nothing are not worth a column.
            own = {name: sql for name, sql in tally(verdict).items() if f"a.{verdict}_marks" in sql}
            columns_of = ", ".join(
                f"{f'{verdict}_{name}' if name in own else NONE} as {name}" for name in tally(verdict)
            )
            parts.append(
                f"select place_no, part_no, '{verdict}' as verdict, {columns_of}"
                f"\n        from tally where {verdict}_answers > 0"
            )
            tallied |= {f"{verdict}_{name}": sql for name, sql in own.items()}
        union = "\n        union all\n        ".join(parts)
        held = f"\n    {where(*filters['a'])}" if filters["a"] else ""
        split = [f"told as (\n    select *\n    from (\n        {union}\n    ) a{held}\n)"]
        filters["a"] = []
    return [
        f"""held as (
    select
        k.block_no, k.mark{"".join(f", {DIMENSIONS[name].column} as {name}" for name in by["fex"])}{block}
    from fct_inspection f
    join brg_inspection_block k on k.inspection_id = f.inspection_id{join_entity("f.reference_on")}{INSPECTOR if _uses_inspector(query, "answers") else ""}
    {where(known("f"), *filters["fex"])}
)""",
        f"""place as (
    select {of_unit}block_no, mask, {place_no} as place_no
    from (select {of_unit}block_no, bit_or(mark) as mask from held group by {of_unit}block_no) h
)""",
        f"""part as (
    select c.item_id, {select("c")}c.weight, dense_rank() over (order by {columns}c.weight) as part_no
    from dim_item c
    {where(known("c"), "c.is_assessable", *filters["c"])}
)""",
        *([ANSWERS_AS_WRITTEN] if source == "counted" else []),
        f"""tally as (
    select
        p.place_no, q.part_no{keys},
        {("," + chr(10) + "        ").join(f"{sql} as {name}" for name, sql in tallied.items())}
    from {source} a
    join place p on p.block_no = a.block_no
    join part q on q.item_id = a.item_id
    {where(known("a"), *filters["a"])}
    group by p.place_no, q.part_no{key_columns}
)""",
        *split,
        f"""cell as (
    select
        {("," + chr(10) + "        ").join([*shown, *cell])}
    from {told} t
    join (select distinct {of_unit}place_no from place) p on p.place_no = t.place_no
    join (select distinct part_no, {of_part}weight from part) q on q.part_no = t.part_no
    where t.{told_by} > 0{_group(shown)}
)""",
    ]


def _group(columns: Sequence[str]) -> str:
    return f"\n    group by {', '.join(columns)}" if columns else ""


def _behind(metric: Metric, verdicts: Sequence[str]) -> str:
    """Bits of the inspections behind a metric: those with an answer, of these verdicts, that its denominator counts."""
    if metric.base == "written_scores":
        return f"case when a.written_score is not null then {_held(*verdicts)} else {NONE} end"
    counted = TOGETHER[TALLIES.get(metric.base, metric.base)]
    return _held(*(name for name in counted if name in verdicts))


def _names(metric: Metric, column: str) -> bool:
    return bool(re.search(rf"\b{column}\b", f"{metric.numerator} {metric.denominator or ''}"))


def _fastest_cube(query: Query) -> str | None:
    """The cube of counts per inspection that is the fastest for the question; None where cube_item is."""
    of_items = _tells_items(query, "answers")
    if not of_items:
        return "cube_inspection"
    tells_entities = bool({"entity", "inspecting_entity"} & {*query.by})
    # Changes are added up by entity where entities are counted, so that blocks, which hold their bits, are faster then.
    if of_items <= {"domain", "measure"} and (tells_entities or not query.with_entities):
        return "cube_measure"
    # Blocks are the faster way to a category, as long as not every entity of them is told apart.
    return "cube_category" if tells_entities and of_items <= {"domain", "measure", "category"} else None


def _tells_items(query: Query, fact: str) -> set[str]:
    """The dimensions by which a question tells the items of a fact apart."""
    used = {*query.by, *query.filters.chosen(), *(["domain"] if query.scope.domains is not None else [])}
    return {name for name in used if DIMENSIONS[name].is_of_item and fact in DIMENSIONS[name].facts}


def list_conditions(
    filters: Filters, scope: Scope, fact: str, tables: str = "", filtered_as: str | None = None
) -> list[str]:
    """Conditions that hold a fact to filters and scope: those on tables of these aliases, where any is given.

    It is held to the filters that `filtered_as`, by default the fact itself, has.
    """
    conditions = [
        (DIMENSIONS[name].table, f"cast({DIMENSIONS[name].column} as string) in (select unnest(${name}))")
        for name in filters.chosen()
        if (filtered_as or fact) in DIMENSIONS[name].facts
    ]
    for end, sign in (("period_from", ">="), ("period_to", "<=")):
        code = getattr(filters, end)
        if code and fact != "entities":
            conditions.append(("f", f"{DIMENSIONS[str(period_column(code))].column} {sign} ${end}"))
    if scope.inspection_types is not None and fact != "entities":
        conditions.append(("f", "f.inspection_type in (select unnest($scope_types))"))
        if fact == "pairs":
            conditions.append(("a", "'self_check' in (select unnest($scope_types))"))
    if scope.domains is not None and fact in DIMENSIONS["domain"].facts:
        conditions.append(("c", "c.domain in (select unnest($scope_domains))"))
        if fact == "pairs":
            conditions.append(("a", "a.self_domain in (select unnest($scope_domains))"))
    return [condition for table, condition in conditions if not tables or table in tables]


def _expected(query: Query, shared: list[str]) -> str:
    """Entities that were to be inspected or were, in each cell of the dimensions that a plan has."""
    dimensions = "".join(f"{DIMENSIONS[name].column} as {name}, " for name in shared)
    groups = ", ".join([*(DIMENSIONS[name].column for name in shared), "e.block"])
    parts = []
    for fact, table, day in (("plans", "cube_plan", "f.due_on"), ("inspections", "fct_inspection", "f.reference_on")):
        inspector = INSPECTOR if _uses_inspector(query, "plans") else ""
        join = (join_entity(day) + inspector).replace("\n    ", "\n            ")
        conditions = [
            *FACTS[fact].conditions,
            *list_conditions(query.filters, query.scope, fact, filtered_as="plans"),
        ]
        parts.append(
            f"            select {dimensions}e.block, bit_or(e.mark) as marks\n            from {table} f{join}"
            f"\n            where {(chr(10) + '                and ').join(conditions)}\n            group by {groups}"
        )
    names = "".join(f"{name}, " for name in shared)
    union = "\n            union all\n".join(parts)
    by = f"\n    group by {', '.join(shared)}" if shared else ""
    return (
        f"    select {names}cast(coalesce(sum(bit_count(marks)), 0) as bigint) as expected\n    from (\n        select {names}block, bit_or(marks) as marks"
        f"\n        from (\n{union}\n        ) p\n        group by {names}block\n    ) b{by}"
    )


def list_parameters(filters: Filters, scope: Scope, known_at: datetime) -> dict[str, Any]:
    """The value of every parameter that a statement may name."""
    values: dict[str, Any] = {name: list(chosen) for name, chosen in filters.chosen().items()}
    if "fiscal_year" in values:
        values["fiscal_year"] = [value.removeprefix("FY") for value in values["fiscal_year"]]
    for end in ("period_from", "period_to"):
        code = getattr(filters, end)
        if code:
            values[end] = int(code[2:]) if period_column(code) == "fiscal_year" else code
    return values | {
        "known_at": known_at,
        "scope_entities": list(scope.entity_codes or ()),
        "scope_types": list(scope.inspection_types or ()),
        "scope_domains": list(scope.domains or ()),
        "sees_all_entities": scope.entity_codes is None,
        "sees_all_domains": scope.domains is None,
    }
