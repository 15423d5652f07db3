"""A query as SQL: one readable statement per fact, values only as parameters. Aliases are those of metrics/facts.py.

The SQL is what DuckDB and Spark both run and answer alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
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


def _held(*verdicts: str) -> str:
    """Bits of the inspections of a place in which an item has one of the verdicts."""
    marks = " | ".join(f"a.{name}_marks" for name in verdicts)
    return f"({marks}) & p.mask" if len(verdicts) > 1 else f"{marks} & p.mask"


SCORED, EVERY = BY_VERDICT[:3], BY_VERDICT
# What is counted of the answers in a place and part, and which of it each additive column needs.
TALLIED = {name: f"sum(bit_count({_held(name)}))" for name in BY_VERDICT} | {
    "answers": f"sum(bit_count({_held(*EVERY)}))",
    "scored": f"sum(bit_count({_held(*SCORED)}))",
    "score": f"""sum(case when a.own_score is null
            then bit_count({_held("met")}) + cast(0.5 as double) * bit_count({_held("partly_met")})
            else a.own_score * bit_count({_held(*SCORED)}) end)""",
    "written_score": f"sum(coalesce(a.written_score, 0) * bit_count({_held(*EVERY)}))",
    "written_scores": f"sum(case when a.written_score is not null then bit_count({_held(*EVERY)}) else 0 end)",
}
TALLIES = {"weight_applicable": "scored", "weight_scored": "score", "weight_met": "met"}

_COUNTED = "block_no, item_id, own_score, written_score, known_from, known_to"
ANSWERS_BY_VERDICT = (
    "counted as (\n    "
    + "\n    union all\n    ".join(
        f"select {_COUNTED}, '{verdict}' as verdict, "
        + ", ".join(
            f"{f'{name}_marks' if name == verdict else 'cast(0 as bigint)'} as {name}_marks" for name in BY_VERDICT
        )
        + f"\n    from cube_item\n    where {verdict}_marks <> 0"
        for verdict in BY_VERDICT
    )
    + "\n)"
)
PAIRED = {
    (outside, mine): f"{outside}_self_{mine}" for outside in ("met", "partly_met", "not_met")
    for mine in ("met", "partly_met", "not_met")
}  # fmt: skip
"""Columns of cube_pair that count pairs, by the verdicts of outside check and self-check."""
_CLASSED = "inspection_id, self_domain, domain, measure, category_code, event_at"
PAIRS_BY_VERDICT = (
    "counted as (\n    "
    + "\n    union all\n    ".join(
        f"select {_CLASSED}, '{outside}' as verdict, '{mine}' as self_verdict, {column} as pairs"
        f"\n    from cube_pair\n    where {column} <> 0"
        for (outside, mine), column in PAIRED.items()
    )
    + "\n)"
)
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
    if fact == "pairs" and _is_in_cube_pair(query, metrics):
        ctes += _pair_cells(query, metrics)
    elif fact != "answers":
        cell = _cell(query, fact, metrics)
        ctes = [one for one in ctes if one not in FACTS[fact].tables or f" {one.split(' as ', 1)[0]} " in cell]
        ctes.append(f"cell as (\n{cell}\n)")
    elif cube := _fastest_cube(query):
        ctes.append(f"cell as (\n{_cube_cell(query, cube)}\n)")
    else:
        ctes += _item_cells(query, metrics)
    is_marked = fact == "answers" and _fastest_cube(query) is None
    groups = ", ".join(query.by)
    ctes.append(
        "figure as (\n    select\n        "
        + ",\n        ".join([*query.by, *(line for metric in metrics for line in _sums(metric, is_marked))])
        + "\n    from cell"
        + (f"\n    group by {groups}" if groups else "")
        + "\n)"
    )
    columns = [f"g.{name}" for name in query.by]
    for metric in metrics:
        columns += [f"g.{metric.name}_{part}" for part in ("numerator", "denominator", "contributing")]
    join = ""
    if fact in ("answers", "inspections", "plans"):
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


def _sums(metric: Metric, is_marked: bool) -> list[str]:
    """Columns of a metric over cells: its sums, and how many entities stand behind it."""
    base = metric.denominator or metric.numerator
    behind = f"sum(bit_count({metric.name}_marks))" if is_marked else f"sum(case when {base} <> 0 then 1 else 0 end)"
    return [
        f"cast(sum({metric.numerator}) as double) as {metric.name}_numerator",
        f"cast({f'sum({metric.denominator})' if metric.denominator else 'null'} as double) as {metric.name}_denominator",
        f"cast({behind} as bigint) as {metric.name}_contributing",
    ]


def _uses_inspector(query: Query, fact: str) -> bool:
    name = "inspecting_entity"
    return fact in DIMENSIONS[name].facts and (name in query.by or name in query.filters.chosen())


def list_tables(filters: Filters, scope: Scope, fact: str | None, with_inspector: bool) -> list[str]:
    """The tables (of a `with`) that the source of a fact is made of; entities have each day covered once.

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
    select
        {columns},
        -- Before its first interval the first one holds.
        case when row_number() over (partition by entity_id order by valid_from) = 1 then date '0001-01-01'
            else valid_from end as held_from,
        coalesce(lead(valid_from) over (partition by entity_id order by valid_from), date '9999-12-31') as held_to
    from dim_entity
    where known_from <= $known_at and known_to > $known_at{held}
)"""
    inspector = (
        [f"inspector as (select distinct entity_id, {inspector_code} from {inspectors})"] if with_inspector else []
    )
    return [entity, *inspector, *(FACTS[fact].tables if fact else ())]


def _mask(column: str) -> str:
    """A code where it is that of an entity in the scope, else OUTSIDE; null stays null."""
    return f"case when {column} is null or {IN_SCOPE.format(column)} then {column} else '{OUTSIDE}' end"


def _cell(query: Query, fact: str, metrics: list[Metric]) -> str:
    """Sums of the additive columns that the metrics need per dimension values and entity."""
    dimensions = [f"{DIMENSIONS[name].column} as {name}" for name in query.by]
    # By expression, not by name: an alias may share its name with a column.
    groups = ", ".join([*(DIMENSIONS[name].column for name in query.by), "e.entity_id"])
    conditions = [*FACTS[fact].conditions, *list_conditions(query.filters, query.scope, fact)]
    columns = [
        f"{sql} as {name}" for name, sql in FACTS[fact].columns.items() if any(_names(one, name) for one in metrics)
    ]
    source = FACTS[fact].join(" ".join([*dimensions, *columns, *conditions]))
    return (
        "    select\n        "
        + ",\n        ".join([*dimensions, "e.entity_id", *columns])
        + f"\n    {source}{INSPECTOR if _uses_inspector(query, fact) else ''}"
        + f"\n    where {(chr(10) + '        and ').join(conditions)}\n    group by {groups}"
    )


def _cube_cell(query: Query, cube: str) -> str:
    """The same from a cube, which holds changes."""
    dimensions = [f"{DIMENSIONS[name].column} as {name}" for name in query.by]
    groups = ", ".join([*(DIMENSIONS[name].column for name in query.by), "e.entity_id"])
    sums = [
        f"round(sum(c.{name}), 9) as {name}" if name in FRACTIONAL else f"sum(c.{name}) as {name}" for name in ADDITIVE
    ]
    conditions = ["c.event_at <= $known_at", *list_conditions(query.filters, query.scope, "answers")]
    return (
        "    select\n        "
        + ",\n        ".join([*dimensions, "e.entity_id", *sums])
        + f"\n    from {cube} c\n    join fct_inspection f on f.inspection_id = c.inspection_id and {known('f')}"
        + f"{join_entity('f.reference_on')}{INSPECTOR if _uses_inspector(query, 'answers') else ''}"
        + f"\n    where {(chr(10) + '        and ').join(conditions)}\n    group by {groups}"
        # A cell whose answers were all taken back, or moved to another measure, is no cell.
        + f"\n    having {STILL_HELD}"
    )


def _is_in_cube_pair(query: Query, metrics: list[Metric]) -> bool:
    """Whether cube_pair has what is asked of pairs: no single items, and by verdict only how many there are."""
    used = {*query.by, *query.filters.chosen()}
    if used & {"item", "item_lineage", "control"}:
        return False
    return not used & {"verdict", "self_verdict"} or all(metric.name == "pairs" for metric in metrics)


def _pair_cells(query: Query, metrics: list[Metric]) -> list[str]:
    """Tables from cube_pair, which holds changes and stands for item and pair alike."""
    is_by_verdict = bool({"verdict", "self_verdict"} & {*query.by, *query.filters.chosen()})
    named = {name: re.sub(r"\ba\.", "c.", DIMENSIONS[name].column) for name in query.by}
    counts = {"pairs": "c.pairs" if is_by_verdict else " + ".join(f"c.{column}" for column in PAIRED.values())}
    sums = {name: f"sum({counts.get(name, f'c.{name}')})" for name in FACTS["pairs"].counts}
    sums |= {name: f"round(sum(c.{name}), 9)" for name, _ in FACTS["pairs"].sums}
    columns = [f"{sql} as {name}" for name, sql in sums.items() if any(_names(metric, name) for metric in metrics)]
    conditions = [
        "c.event_at <= $known_at",
        *(re.sub(r"\ba\.", "c.", one) for one in list_conditions(query.filters, query.scope, "pairs")),
    ]
    cell = (
        "cell as (\n    select\n        "
        + ",\n        ".join([*(f"{column} as {name}" for name, column in named.items()), "e.entity_id", *columns])
        + f"\n    from {'counted' if is_by_verdict else 'cube_pair'} c"
        + f"\n    join fct_inspection f on f.inspection_id = c.inspection_id and {known('f')}"
        + f"{join_entity('f.reference_on')}{INSPECTOR if _uses_inspector(query, 'pairs') else ''}"
        + f"\n    where {(chr(10) + '        and ').join(conditions)}\n    group by {', '.join([*named.values(), 'e.entity_id'])}"
        + f"\n    having {sums['pairs']} > 0\n)"
    )
    return [*([PAIRS_BY_VERDICT] if is_by_verdict else []), cell]


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

    of_place, of_part = "".join(f"{name}, " for name in by["fex"]), "".join(f"{name}, " for name in by["c"])
    columns = "".join(f"{DIMENSIONS[name].column}, " for name in by["c"])
    keys = "".join(f", {DIMENSIONS[name].column} as {name}" for name in by["a"])
    key_columns = "".join(f", {DIMENSIONS[name].column}" for name in by["a"])
    counted = [name for name in ADDITIVE if any(_names(metric, name) for metric in metrics)]
    sums = dict.fromkeys(["answers", *(TALLIES.get(column, column) for column in counted)])
    tally = [f"{TALLIED[name]} as {name}" for name in sums]
    tally += [f"bit_or({_behind(metric)}) as {metric.name}_marks" for metric in metrics]
    cell = [
        f"sum(t.{TALLIES[name]} * q.weight) as {name}" if name in TALLIES else f"sum(t.{name}) as {name}"
        for name in counted
    ]
    for metric in metrics:
        marks = f"t.{metric.name}_marks"
        if (metric.denominator or metric.numerator) == "weight_applicable":
            marks = f"case when q.weight <> 0 then {marks} else 0 end"
        cell.append(f"bit_or({marks}) as {metric.name}_marks")
    shown = [f"{'p' if name in by['fex'] else 'q' if name in by['c'] else 't'}.{name}" for name in query.by]
    used = {*by["a"], *(name for name in ("verdict", "answer") if getattr(query.filters, name))}
    source = ANSWERS_AS_WRITTEN if "answer" in used else ANSWERS_BY_VERDICT if "verdict" in used else ""
    return [
        f"""held as (
    select
        k.block_no, k.mark, {select("fex")}k.entity_no - k.entity_no % {BITS} as block
    from fct_inspection f
    join brg_inspection_block k on k.inspection_id = f.inspection_id{join_entity("f.reference_on")}{INSPECTOR if _uses_inspector(query, "answers") else ""}
    {where(known("f"), *filters["fex"])}
)""",
        f"""place as (
    select {of_place}block, block_no, mask, dense_rank() over (order by {of_place}block) as place_no
    from (select {of_place}block, block_no, bit_or(mark) as mask from held group by {of_place}block, block_no) h
)""",
        f"""part as (
    select c.item_id, {select("c")}c.weight, dense_rank() over (order by {columns}c.weight) as part_no
    from dim_item c
    {where(known("c"), "c.is_assessable", *filters["c"])}
)""",
        *([source] if source else []),
        f"""tally as (
    select
        p.place_no, q.part_no{keys},
        {("," + chr(10) + "        ").join(tally)}
    from {"counted" if source else "cube_item"} a
    join place p on p.block_no = a.block_no
    join part q on q.item_id = a.item_id
    {where(known("a"), *filters["a"])}
    group by p.place_no, q.part_no{key_columns}
)""",
        f"""cell as (
    select
        {", ".join([*shown, "p.block"])},
        {("," + chr(10) + "        ").join(cell)}
    from tally t
    join (select distinct place_no, {of_place}block from place) p on p.place_no = t.place_no
    join (select distinct part_no, {of_part}weight from part) q on q.part_no = t.part_no
    where t.answers > 0
    group by {", ".join([*shown, "p.block"])}
)""",
    ]


def _behind(metric: Metric) -> str:
    """Bits of the inspections behind a metric: those with an answer that its denominator counts."""
    base = metric.denominator or metric.numerator
    if base == "weight_applicable":
        return _held(*SCORED)
    if base == "written_scores":
        return f"case when a.written_score is not null then {_held(*EVERY)} else 0 end"
    return _held(*(name for name in BY_VERDICT if re.search(rf"\b{name}\b", base)))


def _names(metric: Metric, column: str) -> bool:
    return bool(re.search(rf"\b{column}\b", f"{metric.numerator} {metric.denominator or ''}"))


def _fastest_cube(query: Query) -> str | None:
    """The cube of counts per inspection that is the fastest for the question; None where cube_item is."""
    of_items = {
        name
        for name in {*query.by, *query.filters.chosen(), *(["domain"] if query.scope.domains is not None else [])}
        if DIMENSIONS[name].is_of_item and "answers" in DIMENSIONS[name].facts
    }
    if not of_items:
        return "cube_inspection"
    if of_items <= {"domain", "measure"}:
        return "cube_measure"
    # Blocks are the faster way to a category, as long as not every entity of them is told apart.
    tells_entities = bool({"entity", "inspecting_entity"} & {*query.by})
    return "cube_category" if tells_entities and of_items <= {"domain", "measure", "category"} else None


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
    parts = []
    for fact, table, day in (("plans", "fct_plan", "f.due_on"), ("inspections", "fct_inspection", "f.reference_on")):
        inspector = INSPECTOR if _uses_inspector(query, "plans") else ""
        join = (join_entity(day) + inspector).replace("\n    ", "\n        ")
        conditions = [
            *FACTS[fact].conditions,
            *list_conditions(query.filters, query.scope, fact, filtered_as="plans"),
        ]
        parts.append(
            f"        select {dimensions}e.entity_id\n        from {table} f{join}"
            f"\n        where {(chr(10) + '            and ').join(conditions)}"
        )
    groups = f"\n    group by {', '.join(shared)}" if shared else ""
    names = "".join(f"{name}, " for name in shared)
    union = "\n        union\n".join(parts)
    return f"    select {names}count(*) as expected\n    from (\n{union}\n    ){groups}"


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
