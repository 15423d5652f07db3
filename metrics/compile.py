"""A query as SQL: one readable statement per fact, values only as parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from metrics.catalog import DIMENSIONS, METRICS, Metric
from metrics.query import Query, period_column

ADDITIVE = (
    "met", "partly_met", "not_met", "not_applicable", "not_answered", "weight_applicable", "weight_scored", "weight_met",
    "written_score", "written_scores",
)  # fmt: skip
# Changes of these that cancel out can leave a crumb in binary, which must not become a denominator.
FRACTIONAL = ("weight_applicable", "weight_scored", "weight_met", "written_score")
STILL_HELD = "sum(c.met + c.partly_met + c.not_met + c.not_applicable + c.not_answered) > 0"
# What the two cubes leave out; a question that needs more goes to the answers themselves.
CUBES = (("cube_measure", {"domain", "measure"}), ("cube_category", {"domain", "measure", "category"}))
KNOWN = "{0}.known_from <= $known_at and {0}.known_to > $known_at"

ANSWER_ROWS = f"""(
        select
            a.inspection_id, a.verdict, a.answer, i.domain, i.measure, i.category_code, i.checklist_code,
            i.checklist_version, i.item_code, i.lineage_code,
            case when a.verdict = 'met' then 1 else 0 end as met,
            case when a.verdict = 'partly_met' then 1 else 0 end as partly_met,
            case when a.verdict = 'not_met' then 1 else 0 end as not_met,
            case when a.verdict = 'not_applicable' then 1 else 0 end as not_applicable,
            case when a.verdict = 'not_answered' then 1 else 0 end as not_answered,
            case when a.score is not null then i.weight else 0 end as weight_applicable,
            coalesce(a.score * i.weight, 0) as weight_scored,
            case when a.verdict = 'met' then i.weight else 0 end as weight_met,
            coalesce(a.written_score, 0) as written_score,
            case when a.written_score is not null then 1 else 0 end as written_scores
        from fct_answer a
        join dim_item i on i.item_id = a.item_id and {KNOWN.format("i")}
        where {KNOWN.format("a")} and i.is_assessable
    )"""

# The first hand-in counts for being on time: a later correction does not make an inspection late. An inspection
# withdrawn since performs no plan.
HANDED_IN = f"""handed_in as (
    select p.plan_id, sum(case when i.known_to > $known_at then 1 else 0 end) as inspections,
        case when sum(case when i.known_to > $known_at then 1 else 0 end) > 0
            then min(coalesce(i.submitted_on, i.performed_on, cast(i.known_from as date))) end as handed_in_on
    from fct_plan p
    left join fct_inspection i
        on i.inspection_type = p.inspection_type and i.entity_id = p.entity_id and i.period_code = p.period_code
        and (p.inspecting_entity_id is null or i.inspecting_entity_id is null
            or i.inspecting_entity_id = p.inspecting_entity_id)
        and i.known_from <= $known_at
    where {KNOWN.format("p")}
    group by p.plan_id
)"""


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
    parameters = _parameters(query) | {"known_at": known_at}
    ctes = [_entity(query)]
    if _uses(query, fact, "inspecting_entity"):
        ctes.append("inspector as (select distinct entity_id, entity_code from entity)")
    if fact == "plans":
        ctes.append(HANDED_IN)
    ctes.append(f"cell as (\n{_cell(query, fact)}\n)")
    groups = ", ".join(query.by)
    ctes.append(
        "figure as (\n    select\n        "
        + ",\n        ".join([*query.by, *(line for metric in metrics for line in _sums(metric))])
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
    used = set(re.findall(r"\$(\w+)", sql))
    return Statement(
        fact, sql, {name: value for name, value in parameters.items() if name in used}, tuple(m.name for m in metrics)
    )


def _sums(metric: Metric) -> list[str]:
    """Columns of a metric over entities: its sums, and how many entities stand behind it."""
    base = metric.denominator or metric.numerator
    return [
        f"cast(sum({metric.numerator}) as double) as {metric.name}_numerator",
        f"cast({f'sum({metric.denominator})' if metric.denominator else 'null'} as double) as {metric.name}_denominator",
        f"cast(sum(case when {base} <> 0 then 1 else 0 end) as bigint) as {metric.name}_contributing",
    ]


def _uses(query: Query, fact: str, name: str) -> bool:
    return fact in DIMENSIONS[name].facts and (name in query.by or name in query.filters.chosen())


def _entity(query: Query) -> str:
    """Entities with their attributes, each day covered once: before the first interval the first one holds."""
    scope = " and entity_code in (select unnest($scope_entities))" if query.scope.entity_codes is not None else ""
    return f"""entity as (
    select
        entity_id, entity_code, region_code, country_code, business_group_code, entity_kind, privacymark_until_on,
        valid_from, valid_to,
        case when row_number() over (partition by entity_id order by valid_from) = 1 then date '0001-01-01'
            else valid_from end as held_from,
        coalesce(lead(valid_from) over (partition by entity_id order by valid_from), date '9999-12-31') as held_to
    from dim_entity
    where known_from <= $known_at and known_to > $known_at{scope}
)"""


def _cell(query: Query, fact: str) -> str:
    """Sums of the fact's additive columns per dimension values and entity."""
    dimensions = [f"{DIMENSIONS[name].column} as {name}" for name in query.by]
    conditions = _conditions(query, fact)
    # By expression, not by name: an alias may share its name with a column.
    groups = ", ".join([*(DIMENSIONS[name].column for name in query.by), "e.entity_id"])
    sums = {
        "answers": [
            f"round(sum(c.{name}), 9) as {name}" if name in FRACTIONAL else f"sum(c.{name}) as {name}"
            for name in ADDITIVE
        ],
        "inspections": ["count(*) as inspections"],
        "plans": [
            "count(*) as planned",
            "sum(case when h.inspections > 0 then 1 else 0 end) as performed",
            "sum(case when h.handed_in_on <= f.due_on then 1 else 0 end) as on_time",
            "sum(case when h.handed_in_on > f.due_on then 1 else 0 end) as late",
            "sum(case when h.inspections = 0 and f.due_on < cast($known_at as date) then 1 else 0 end) as missing",
            "sum(case when h.inspections > 0 or f.due_on < cast($known_at as date) then 1 else 0 end) as settled",
        ],
        "findings": [
            "count(*) as findings",
            "sum(case when f.status = 'open' then 1 else 0 end) as open_findings",
            "sum(case when f.reopened_count > 0 then 1 else 0 end) as reopened_findings",
        ],
        "actions": [
            "sum(case when g.completed_on is null then 1 else 0 end) as open_actions",
            "sum(case when g.completed_on is null and g.due_on < cast($known_at as date) then 1 else 0 end)"
            " as overdue_actions",
        ],
        "entities": [
            "count(*) as entities",
            "sum(case when e.privacymark_until_on < cast($known_at as date) then 1 else 0 end) as lapsed_privacymarks",
        ],
    }[fact]
    return (
        "    select\n        "
        + ",\n        ".join([*dimensions, "e.entity_id", *sums])
        + f"\n    {_source(query, fact)}"
        + (f"\n    where {(chr(10) + '        and ').join(conditions)}" if conditions else "")
        + f"\n    group by {groups}"
        # A cell whose answers were all taken back, or moved to another measure, is no cell.
        + (f"\n    having {STILL_HELD}" if fact == "answers" and _answer_table(query) != ANSWER_ROWS else "")
    )


def _source(query: Query, fact: str) -> str:
    """The from clause of a fact: `f` is the fact, `e` its entity, `c` its item or cube, `x` its inspector."""
    inspector = (
        "\n    left join inspector x on x.entity_id = f.inspecting_entity_id"
        if _uses(query, fact, "inspecting_entity")
        else ""
    )
    item = f"\n    left join dim_item c on c.item_id = f.item_id and {KNOWN.format('c')}"
    if fact == "answers":
        return (
            f"from {_answer_table(query)} c"
            f"\n    join fct_inspection f on f.inspection_id = c.inspection_id and {KNOWN.format('f')}"
            f"{_entity_join('f.reference_on')}{inspector}"
        )
    if fact == "inspections":
        return f"from fct_inspection f{_entity_join('f.reference_on')}{inspector}"
    if fact == "plans":
        return f"from fct_plan f\n    join handed_in h on h.plan_id = f.plan_id{_entity_join('f.due_on')}{inspector}"
    if fact == "findings":
        return f"from fct_finding f{_entity_join('f.raised_on')}{item}"
    if fact == "actions":
        return (
            f"from fct_action g\n    join fct_finding f on f.finding_id = g.finding_id and {KNOWN.format('f')}"
            f"{_entity_join('f.raised_on')}{item}"
        )
    return "from entity e"


def _entity_join(day: str) -> str:
    return f"\n    join entity e on e.entity_id = f.entity_id and e.held_from <= {day} and e.held_to > {day}"


def _answer_table(query: Query) -> str:
    """The smallest cube that has every dimension asked for, or the answers themselves."""
    of_items = {
        name
        for name in {*query.by, *query.filters.chosen(), *(["domain"] if query.scope.domains is not None else [])}
        if DIMENSIONS[name].is_of_item
    }
    for cube, has in CUBES:
        if of_items <= has:
            return cube
    return ANSWER_ROWS


def _conditions(query: Query, fact: str, filtered_as: str | None = None) -> list[str]:
    """Conditions of a fact; it is held to the filters that `filtered_as`, by default the fact itself, has."""
    conditions = []
    if fact == "answers" and _answer_table(query) != ANSWER_ROWS:
        conditions.append("c.event_at <= $known_at")
    if fact in ("inspections", "plans", "findings"):
        conditions.append(KNOWN.format("f"))
    if fact == "plans":
        conditions.append("not f.is_cancelled")
    if fact == "actions":
        conditions.append(KNOWN.format("g"))
    if fact == "entities":
        conditions.append("e.valid_from <= cast($known_at as date) and e.valid_to > cast($known_at as date)")
    conditions += [
        f"cast({DIMENSIONS[name].column} as varchar) in (select unnest(${name}))"
        for name in query.filters.chosen()
        if (filtered_as or fact) in DIMENSIONS[name].facts
    ]
    for end, sign in (("period_from", ">="), ("period_to", "<=")):
        code = getattr(query.filters, end)
        if code and fact != "entities":
            conditions.append(f"{DIMENSIONS[str(period_column(code))].column} {sign} ${end}")
    if query.scope.inspection_types is not None and fact != "entities":
        conditions.append("f.inspection_type in (select unnest($scope_types))")
    if query.scope.domains is not None and fact in DIMENSIONS["domain"].facts:
        conditions.append("c.domain in (select unnest($scope_domains))")
    return conditions


def _expected(query: Query, shared: list[str]) -> str:
    """Entities that were to be inspected or were, in each cell of the dimensions that a plan has."""
    dimensions = "".join(f"{DIMENSIONS[name].column} as {name}, " for name in shared)
    parts = []
    for fact, table, day in (("plans", "fct_plan", "f.due_on"), ("inspections", "fct_inspection", "f.reference_on")):
        inspector = (
            "\n        left join inspector x on x.entity_id = f.inspecting_entity_id"
            if _uses(query, "plans", "inspecting_entity")
            else ""
        )
        join = _entity_join(day).replace("\n    ", "\n        ")
        parts.append(
            f"        select {dimensions}e.entity_id\n        from {table} f{join}{inspector}"
            f"\n        where {(chr(10) + '            and ').join(_conditions(query, fact, 'plans'))}"
        )
    groups = f"\n    group by {', '.join(shared)}" if shared else ""
    names = "".join(f"{name}, " for name in shared)
    union = "\n        union\n".join(parts)
    return f"    select {names}count(*) as expected\n    from (\n{union}\n    ){groups}"


def _parameters(query: Query) -> dict[str, Any]:
    values: dict[str, Any] = {name: list(chosen) for name, chosen in query.filters.chosen().items()}
    if "fiscal_year" in values:
        values["fiscal_year"] = [value.removeprefix("FY") for value in values["fiscal_year"]]
    for end in ("period_from", "period_to"):
        code = getattr(query.filters, end)
        if code:
            values[end] = int(code[2:]) if period_column(code) == "fiscal_year" else code
    scope = query.scope
    return values | {
        "scope_entities": list(scope.entity_codes or ()),
        "scope_types": list(scope.inspection_types or ()),
        "scope_domains": list(scope.domains or ()),
    }
