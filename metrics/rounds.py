"""Answers of rounds side by side: the same item of the same entity in two rounds, and what all such questions share.

What is the same item is said by its lineage, and answers of one inspection type stand beside those of the same type.
Aliases of tables are those of metrics/facts.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Protocol

import pandas as pd

from metrics.catalog import VERDICTS
from metrics.compile import keep_used, list_conditions, list_parameters, list_tables
from metrics.facts import INSPECTOR, join_entity, known
from metrics.query import Filters, QueryProblem, Scope, list_filter_problems, period_column
from metrics.warehouse import Warehouse

VERDICT_NO: Final = {name: number for number, (name, _, _) in enumerate(VERDICTS)}
"""Verdicts as numbers in the order of the catalog: 0 met, 1 partly met, 2 not met, 3 not applicable, 4 not answered."""


class Asked(Protocol):
    """What every question about rounds says."""

    @property
    def filters(self) -> Filters: ...
    @property
    def known_at(self) -> datetime | None: ...
    @property
    def scope(self) -> Scope: ...


@dataclass(frozen=True, slots=True)
class RoundQuery:
    """The answers of one half, one row each, beside what the same entity answered in an earlier half."""

    half: str
    earlier: str
    filters: Filters = field(default_factory=Filters)
    known_at: datetime | None = None
    scope: Scope = field(default_factory=Scope)

    def __post_init__(self) -> None:
        problems = list_problems(self.filters, self.known_at)
        problems += [f"'{code}' is no half" for code in (self.half, self.earlier) if period_column(code) != HALF]
        refuse(problems)


HALF: Final = "fiscal_half"
ANSWER_FILTERS: Final = ("verdict", "self_verdict", "answer")


def list_problems(filters: Filters, known_at: datetime | None) -> list[str]:
    # Held to one verdict, a round would say that nothing else was asked.
    held = [name for name in ANSWER_FILTERS if getattr(filters, name)]
    return [*list_filter_problems(filters, known_at), *(f"rounds are not held to {name}" for name in held)]


def refuse(problems: list[str]) -> None:
    if problems:
        raise QueryProblem("; ".join(problems))


def read_round(warehouse: Warehouse, query: RoundQuery) -> pd.DataFrame:
    """One row per answer of the half, in the order of entities and items.

    Columns: entity and item_lineage (categories), item_no, verdict (VERDICT_NO), score, weight, has_evidence,
    earlier_verdict (of the same item in the earlier half, the worst of several; null where there is none),
    is_same_comment and is_same_evidence (null where neither side says anything, false where only one does).
    """
    numbers = " ".join(f"when a.verdict = '{name}' then {number}" for name, number in VERDICT_NO.items())
    sql = f"""with {write_tables(query.filters, query.scope)},
held as (
    select f.inspection_id, f.inspection_type, e.entity_id, f.fiscal_half
    {from_inspections(query.filters)}
    {hold(query, "fex", "f.fiscal_half in ($half, $earlier)", with_periods=False)}
),
told as (
    select h.entity_id, h.inspection_type, h.inspection_id, h.fiscal_half, p.lineage_no, p.item_no, p.weight,
        cast(case {numbers} end as tinyint) as verdict, a.score, a.has_evidence, a.comment
    from fct_answer a
    join held h on h.inspection_id = a.inspection_id
    join part p on p.item_id = a.item_id
    where {known("a")} and a.known_from >= $first_known
),
before as (
    select entity_id, inspection_type, lineage_no, max(verdict) as verdict, max(comment) as comment,
        max(case when has_evidence then 1 when not has_evidence then 0 end) as has_evidence
    from told
    where fiscal_half = $earlier
    group by entity_id, inspection_type, lineage_no
)
select
    t.entity_id, t.lineage_no, t.item_no, t.verdict, t.score, t.weight, t.has_evidence, b.verdict as earlier_verdict,
    case when b.verdict is not null and coalesce(t.comment, b.comment) is not null
        then t.comment is not distinct from b.comment end as is_same_comment,
    case when b.verdict is not null and (t.has_evidence is not null or b.has_evidence is not null)
        then case when t.has_evidence then 1 when not t.has_evidence then 0 end is not distinct from b.has_evidence
        end as is_same_evidence
from told t
left join before b on b.entity_id = t.entity_id and b.inspection_type = t.inspection_type and b.lineage_no = t.lineage_no
where t.fiscal_half = $half
order by t.entity_id, t.inspection_id, t.item_no"""
    first_known = _find_first_known(warehouse, "f.fiscal_half", query.half, query.earlier)
    halves = {"half": query.half, "earlier": query.earlier}
    frame = read(warehouse, query, sql, halves | {"first_known": first_known}, is_long=True)
    tables = f"with {write_tables(query.filters, query.scope)}\n"
    entities = read(warehouse, query, f"{tables}select distinct entity_id, entity_code from entity order by 2", {})
    parts = read(warehouse, query, f"{tables}select distinct lineage_no, lineage_code from part order by 1", {})
    entity_place = pd.Index(entities["entity_id"]).get_indexer(pd.Index(frame["entity_id"]))
    named = {
        "entity": pd.Categorical.from_codes(entity_place, entities["entity_code"]),
        "item_lineage": pd.Categorical.from_codes(frame["lineage_no"].to_numpy() - 1, parts["lineage_code"]),
    }
    types = {"earlier_verdict": "Int8"} | dict.fromkeys(
        ("has_evidence", "is_same_comment", "is_same_evidence"), "boolean"
    )
    return pd.DataFrame(named).assign(
        **{name: frame[name].astype(types.get(name, frame[name].dtype)) for name in frame if name not in NUMBERED}
    )


NUMBERED: Final = ("entity_id", "lineage_no")


def _find_first_known(warehouse: Warehouse, column: str, *periods: str | int) -> datetime:
    """The moment before which no answer of these periods was known.

    Rounds are mostly loaded one after the other, so that this spares reading the answers of all rounds before.
    """
    sql = f"select coalesce(min(f.known_from), timestamp '9999-12-31') from fct_inspection f where {column} in ($one, $other)"
    ((first,),) = warehouse.read_rows(sql, dict(zip(("one", "other"), periods, strict=True)))
    found: datetime = first
    return found


def write_tables(filters: Filters, scope: Scope) -> str:
    """Entities, and the items that the filters leave with a number for each lineage."""
    conditions = [known("c"), "c.is_assessable", *list_conditions(filters, scope, "answers", "c")]
    part = f"""part as (
    select c.item_id, c.item_no, c.weight, c.lineage_code, c.measure, c.category_code, c.is_critical,
        c.checklist_version, dense_rank() over (order by c.lineage_code) as lineage_no
    from dim_item c
    where {" and ".join(conditions)}
)"""
    return ",\n".join([*list_tables(filters, scope, "answers", with_inspector=bool(filters.inspecting_entity)), part])


def from_inspections(filters: Filters) -> str:
    return f"from fct_inspection f{join_entity('f.reference_on')}{INSPECTOR if filters.inspecting_entity else ''}"


def hold(
    query: Asked,
    tables: str,
    more: str,
    *,
    with_periods: bool = True,
    without_beginning: bool = False,
) -> str:
    """Conditions of the filters on inspections; the periods of the filters where they hold."""
    names = {f"fiscal_{part}": () for part in ("year", "half", "quarter", "month")}
    ends: dict[str, Any] = {"period_from": None} | ({} if with_periods else {"period_to": None} | names)
    filters = replace(query.filters, **ends) if not with_periods or without_beginning else query.filters
    conditions = [known("f"), more, *list_conditions(filters, query.scope, "answers", tables)]
    return f"where {' and '.join(conditions)}"


def read(warehouse: Warehouse, query: Asked, sql: str, more: dict[str, Any], *, is_long: bool = False) -> pd.DataFrame:
    known_at = query.known_at or warehouse.newest_known_at()
    parameters = list_parameters(query.filters, query.scope, known_at) | more
    read_rows = warehouse.read_long_frame if is_long else warehouse.read_frame
    return read_rows(sql, keep_used(sql, parameters))
