"""The reader's entities beside the rest of the group, of which only sums over many entities are told.

Rows of single entities outside the scope are read here and never leave this module and `metrics.releases`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pandas as pd

from metrics.compile import keep_used, list_conditions, list_parameters
from metrics.query import Filters, QueryProblem, Scope, list_filter_problems
from metrics.releases import ALL_MEASURES, DAY_END, FEW, Release, Sums, explain_silence, list_releases
from metrics.warehouse import Warehouse

LEAST_ENTITIES: Final = 3
"""The smallest k: a sum of two tells each of them what the other has."""
OWN, SEEN, REST = "own", "seen", "rest"
NOTHING: Final = Sums(0.0, 0.0, 0)
THIRD_COLUMNS: Final = ("weakest_rate", "middle_rate", "strongest_rate")
COLUMNS: Final = (
    "inspection_type", "fiscal_half", "measure", "released_at", "own_rate", "own_entities", "rest_rate",
    "rest_entities", "group_rate", "group_entities", *THIRD_COLUMNS, "thirds_at", "withheld",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ComparisonQuery:
    """A scope beside all entities outside it, of which sums are told over `least_entities` (k) at the least.

    It takes no filters: the difference of two filtered figures could be one entity. `also_seen` are entities that the
    same reader may see in other ways, such as under another grant; they count for the group, and not for the rest.
    """

    scope: Scope
    least_entities: int
    also_seen: tuple[str, ...] = ()
    known_at: datetime | None = None

    def __post_init__(self) -> None:
        problems = list_filter_problems(Filters(), self.known_at)
        if self.scope.entity_codes is None:
            problems.append("the scope is the whole group: there is nothing to compare it with")
        if self.least_entities < LEAST_ENTITIES:
            problems.append(f"figures over fewer than {LEAST_ENTITIES} entities tell of single ones")
        if problems:
            raise QueryProblem("; ".join(problems))


def compare_with_group(warehouse: Warehouse, query: ComparisonQuery) -> pd.DataFrame:
    """Rates (0..1) of the scope, of the rest and of the group, with the number of entities behind each.

    One row per inspection type, half, and measure or ALL_MEASURES. Everything is as known at `released_at`, and the
    rates of the weakest, middle and strongest third of the rest (by their rate over all measures) at `thirds_at`.
    `withheld` says why there are no figures of rest and group: FEW, DOMINANT or COMPLEMENTARY of metrics.releases;
    where nothing is released yet, the scope's own are as known at the moment asked for.
    """
    known_at = query.known_at or warehouse.newest_known_at()
    changes = _read_changes(warehouse, query, known_at)
    # A day that is not over may still bring more.
    is_over = changes["changed_at"].dt.floor("D") + DAY_END <= known_at
    changes = changes[is_over | (changes["side"] != REST)]
    rows: list[dict[str, Any]] = []
    for (inspection_type, half), cell in changes.groupby(["inspection_type", "fiscal_half"], sort=True):
        place = {"inspection_type": inspection_type, "fiscal_half": half}
        rows += [place | row for row in _compare_cell(cell, query.least_entities)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    rates = [name for name in COLUMNS if name.endswith("_rate")]
    counts = {name: "Int64" for name in COLUMNS if name.endswith("_entities")}
    moments = dict.fromkeys(("released_at", "thirds_at"), "datetime64[us]")
    return frame.astype(dict.fromkeys(rates, "float64") | counts | moments)


def _compare_cell(cell: pd.DataFrame, least: int) -> list[dict[str, Any]]:
    """The rows of an inspection type and half."""
    sides = {side: cell[cell["side"] == side] for side in (OWN, SEEN, REST)}
    release = next(reversed(list_releases(sides[REST], least)), None)
    own, seen = (_sum_by_measure(sides[side], release) for side in (OWN, SEEN))
    withheld = release.withheld if release else explain_silence(sides[REST], least)
    told: Mapping[str, Sums] = release.sums if release else {}
    measures = sorted({*own, *told, *withheld} - {ALL_MEASURES})
    return [_write_row(name, own, seen, told, withheld, release) for name in (ALL_MEASURES, *measures)]


def _write_row(
    name: str,
    own: Mapping[str, Sums],
    seen: Mapping[str, Sums],
    told: Mapping[str, Sums],
    withheld: Mapping[str, str],
    release: Release | None,
) -> dict[str, Any]:
    row: dict[str, Any] = {"measure": name, "released_at": release.released_at if release else None}
    row |= _write_sums("own", own.get(name, NOTHING))
    if name not in told:
        # Where nobody else was asked a measure, there are fewer than k.
        return row | {"withheld": withheld.get(name, withheld.get(ALL_MEASURES, FEW))}
    rest = told[name]
    parts = (own.get(name, NOTHING), seen.get(name, NOTHING), rest)
    whole = Sums(sum(one.scored for one in parts), sum(one.weight for one in parts), sum(one.entities for one in parts))
    row |= _write_sums("rest", rest) | _write_sums("group", whole)
    if release and name in release.thirds:
        thirds = (one.scored / one.weight for one in release.thirds[name])
        row |= dict(zip(THIRD_COLUMNS, thirds, strict=True)) | {"thirds_at": release.thirds_at}
    return row


def _write_sums(name: str, sums: Sums) -> dict[str, Any]:
    return {f"{name}_rate": sums.scored / sums.weight if sums.weight else None, f"{name}_entities": sums.entities}


def _sum_by_measure(changes: pd.DataFrame, release: Release | None) -> dict[str, Sums]:
    """Sums of entities that the reader may see, at a release or, without one, as known now."""
    if release:
        changes = changes[changes["changed_at"] <= release.released_at]
    by_measure = changes.groupby(["measure", "entity"])[["scored", "weight"]].sum().round(9)
    both = [(ALL_MEASURES, by_measure.groupby("entity").sum())]
    both += [(str(name), part) for name, part in by_measure.groupby("measure")]
    return {
        name: Sums(float(part["scored"].sum()), float(part["weight"].sum()), int((part["weight"] != 0).sum()))
        for name, part in both
    }


def _read_changes(warehouse: Warehouse, query: ComparisonQuery, known_at: datetime) -> pd.DataFrame:
    """By how much, and when, the sums of each entity changed, in each inspection type, half and measure.

    An inspection counts in the half that it was known to be of; a cube's row counts from the moment at which both
    were known, until the inspection is known otherwise.
    """
    scope = query.scope
    conditions = ["c.event_at <= $known_at", "f.fiscal_half is not null", *list_conditions(Filters(), scope, "answers")]
    sql = f"""with place as (
    select distinct entity_id, case
        when entity_code in (select unnest($scope_entities)) then '{OWN}'
        when entity_code in (select unnest($also_seen)) then '{SEEN}'
        else '{REST}' end as side
    from dim_entity
),
held as (
    select p.side, p.entity_id, f.inspection_type, f.fiscal_half, coalesce(c.measure, '') as measure,
        greatest(c.event_at, f.known_from) as held_from, f.known_to as held_to, c.weight_scored, c.weight_applicable
    from cube_measure c
    join fct_inspection f
        on f.inspection_id = c.inspection_id and f.known_from <= $known_at and f.known_to > c.event_at
    join place p on p.entity_id = f.entity_id
    where {" and ".join(conditions)}
),
change as (
    select side, entity_id, inspection_type, fiscal_half, measure, held_from as changed_at, weight_scored,
        weight_applicable
    from held
    union all
    select side, entity_id, inspection_type, fiscal_half, measure, held_to, -weight_scored, -weight_applicable
    from held
    where held_to <= $known_at
)
select side, entity_id as entity, inspection_type, fiscal_half, measure, changed_at,
    sum(weight_scored) as scored, sum(weight_applicable) as weight
from change
group by side, entity_id, inspection_type, fiscal_half, measure, changed_at
order by changed_at, entity_id, measure"""
    parameters = list_parameters(Filters(), scope, known_at) | {"also_seen": list(query.also_seen)}
    return warehouse.read_frame(sql, keep_used(sql, parameters))
