"""How strict outsiders are: who visits whom again, and how much of net optimism is due to the inspector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse, stats

MIN_INSPECTORS: Final = 5
"""Fewer inspectors with visits to two entities or more say nothing about inspectors."""
MIN_FREEDOM: Final = 5
"""Visits beyond those that the effects use up, below which chance cannot be measured."""
BIN_WIDTH: Final = 0.02
"""Width of a bin of the distribution, in net optimism."""

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class RepeatCounts:
    """How often the same inspector comes again, and how often two entities inspect each other.

    `inspections` by an outsider, `own_inspections` (inspector and entity are the same; in no other count), `pairs` of
    an inspector and an entity. `repeated_pairs` met more than once, and `repeat_inspections` (with their share) were
    made by an inspector who had been there before. `reciprocal_pairs` of entities inspect each other, which takes up
    `reciprocal_inspections` (with their share). Shares are null without an inspection.
    """

    inspections: int
    own_inspections: int
    inspectors: int
    entities: int
    pairs: int
    repeated_pairs: int
    repeat_inspections: int
    repeat_share: float
    reciprocal_pairs: int
    reciprocal_inspections: int
    reciprocal_share: float


@dataclass(frozen=True, slots=True)
class Severity:
    """Inspector effects and what net optimism varies with.

    `effects` has one row per inspector: `inspector`, `visits`, `entities`, `severity` (net optimism that the inspector
    adds: above 0 is stricter than its peers) with its 95 % interval `low` and `high`; null where it says nothing.
    `inspector_sd`, `entity_sd` and `visit_sd` are in net optimism, the last for a visit with the mean number of pairs;
    `inspector_share` is the share of the variance of a visit that is due to the inspector. `p` tests whether there is
    any inspector effect at all. `visits` are those that were compared. All null where it says nothing.
    """

    effects: pd.DataFrame
    visits: int
    inspector_sd: float
    entity_sd: float
    visit_sd: float
    inspector_share: float
    p: float


@dataclass(frozen=True, slots=True)
class SeveritySummary:
    """What may be shown of `Severity` without naming anyone.

    `inspectors` that were compared and their `visits`, `sd` of the effects and their `share` of the variance, `p`, the
    number that stand out as `stricter` or `more_lenient` (their interval leaves 0 out; none where p is above 5 %), and
    `bins`: (from, to, inspectors) of the shrunken effects.
    """

    inspectors: int
    visits: int
    sd: float
    share: float
    p: float
    stricter: int
    more_lenient: int
    bins: tuple[tuple[float, float, int], ...]


def count_repeats(frame: pd.DataFrame) -> RepeatCounts:
    """Repeated and reciprocal pairs among outside inspections: one row each with `inspector`, `entity` and `period`.

    Auditors report fewer violations where they have been before (Short, Toffel & Hugill 2016, Strategic Management
    Journal 37:1878), so the counts come before any estimate. Several rows of the same inspector, entity and period are
    one visit; rows with a null are left out.
    """
    rows = frame[["inspector", "entity", "period"]].dropna().drop_duplicates()
    is_own = (rows["inspector"].astype(object) == rows["entity"].astype(object)).to_numpy()
    outside = rows[~is_own]
    pairs = outside.groupby(["inspector", "entity"], observed=True, sort=False).size().rename("visits").reset_index()
    back = pd.MultiIndex.from_arrays([pairs["entity"].astype(object), pairs["inspector"].astype(object)])
    there = pd.MultiIndex.from_arrays([pairs["inspector"].astype(object), pairs["entity"].astype(object)])
    is_mutual = there.isin(back) if len(pairs) else np.zeros(0, dtype=np.bool_)
    inspections = len(outside)
    mutual = int(pairs.loc[is_mutual, "visits"].sum())
    again = inspections - len(pairs)
    return RepeatCounts(
        inspections=inspections,
        own_inspections=int(is_own.sum()),
        inspectors=int(outside["inspector"].nunique()),
        entities=int(outside["entity"].nunique()),
        pairs=len(pairs),
        repeated_pairs=int((pairs["visits"] > 1).sum()),
        repeat_inspections=again,
        repeat_share=again / inspections if inspections else float("nan"),
        reciprocal_pairs=int(is_mutual.sum()) // 2,
        reciprocal_inspections=mutual,
        reciprocal_share=mutual / inspections if inspections else float("nan"),
    )


def estimate_severity(frame: pd.DataFrame) -> Severity:
    """How much each inspector adds to the net optimism of the entities that it visits.

    Takes one row per visit: `inspector`, `entity`, `net_optimism` (self-check minus outside check, -1..1; a mean score
    difference does as well) and the number of `pairs` behind it, by which visits are weighted. The model is additive:
    mean + inspector + entity + chance. Variances by Henderson's method III (Henderson 1953), effects by best linear
    unbiased prediction (Robinson 1991), so that inspectors with few visits are drawn towards 0; the interval uses the
    prediction error variance. `p` is the F test of the inspectors with the entities held fixed.

    An inspector is compared with those that it is linked to by entities that both visited, directly or through others:
    where all entities of an inspector are visited by no one else, its strictness cannot be told from their optimism,
    and it is left out. Null as a whole with fewer than `MIN_INSPECTORS` inspectors of two entities or more, or fewer
    than `MIN_FREEDOM` visits beyond what the effects use up; null for an inspector of one entity. Where inspectors vary
    no more than chance does, each effect is 0 without an interval. An inspection of oneself is no visit.
    """
    told = frame[["inspector", "entity", "net_optimism", "pairs"]].dropna()
    is_visit = (told["inspector"].astype(object) != told["entity"].astype(object)) & (told["pairs"].astype(float) > 0)
    told = told[is_visit.to_numpy(dtype=np.bool_)]
    inspectors, names = pd.factorize(told["inspector"], sort=True)
    entities, _ = pd.factorize(told["entity"], sort=True)
    place, entity = np.asarray(inspectors, dtype=np.intp), np.asarray(entities, dtype=np.intp)
    pairs = pd.DataFrame({"inspector": place, "entity": entity}).drop_duplicates()
    reach = np.bincount(pairs["inspector"], minlength=len(names))
    effects = pd.DataFrame(
        {
            "inspector": names,
            "visits": np.bincount(place, minlength=len(names)),
            "entities": reach,
            "severity": np.nan,
            "low": np.nan,
            "high": np.nan,
        }
    )
    part = _find_parts(place, entity, len(names))
    is_linked = np.bincount(part, minlength=len(names))[part] > 1 if len(names) else np.zeros(0, dtype=np.bool_)
    rows = is_linked[place]
    if (is_linked & (reach > 1)).sum() < MIN_INSPECTORS:
        return Severity(effects, 0, *[float("nan")] * 5)
    outcome = told["net_optimism"].astype(float).to_numpy()[rows]
    weight = told["pairs"].astype(float).to_numpy()[rows]
    weight = weight / weight.mean()
    kept = np.flatnonzero(is_linked)
    place, entity = (np.unique(one[rows], return_inverse=True)[1].astype(np.intp) for one in (place, entity))
    part = np.unique(part[kept], return_inverse=True)[1].astype(np.intp)
    fitted = _fit(place, entity, part, outcome, weight)
    if fitted is None:
        return Severity(effects, 0, *[float("nan")] * 5)
    severity, error, variances, freedom, p = fitted
    by_inspector, by_entity, by_chance = variances
    is_told = reach[kept] > 1
    reach_of_interval = float(stats.t.ppf(0.975, freedom)) * error
    effects.loc[kept, "severity"] = np.where(is_told, severity, np.nan)
    effects.loc[kept, "low"] = np.where(is_told, severity - reach_of_interval, np.nan)
    effects.loc[kept, "high"] = np.where(is_told, severity + reach_of_interval, np.nan)
    whole = by_inspector + by_entity + by_chance
    return Severity(
        effects,
        len(outcome),
        float(np.sqrt(by_inspector)),
        float(np.sqrt(by_entity)),
        float(np.sqrt(by_chance)),
        by_inspector / whole if whole > 0 else float("nan"),
        p,
    )


def summarise_severity(severity: Severity) -> SeveritySummary:
    """Figures about all inspectors together, without a name: a page shows these and not the single effects."""
    told = severity.effects.dropna(subset=["severity"])
    is_found = severity.p <= 0.05
    values = told["severity"].to_numpy()
    places = np.round(values / BIN_WIDTH).astype(np.int64)
    bins = tuple(
        (float((place - 0.5) * BIN_WIDTH), float((place + 0.5) * BIN_WIDTH), int((places == place).sum()))
        for place in (range(int(places.min()), int(places.max()) + 1) if len(places) else ())
    )
    return SeveritySummary(
        inspectors=len(told),
        visits=severity.visits,
        sd=severity.inspector_sd,
        share=severity.inspector_share,
        p=severity.p,
        stricter=int((told["low"] > 0).sum()) if is_found else 0,
        more_lenient=int((told["high"] < 0).sum()) if is_found else 0,
        bins=bins,
    )


def _find_parts(place: Places, entity: Places, inspectors: int) -> Places:
    """Number of the connected part of each inspector: those of one part are linked by entities that they visited."""
    nodes = inspectors + int(entity.max(initial=-1)) + 1
    edges = sparse.coo_matrix((np.ones(len(place)), (place, inspectors + entity)), shape=(nodes, nodes))
    return np.asarray(sparse.csgraph.connected_components(edges, directed=False)[1][:inspectors], dtype=np.intp)


def _fit(
    place: Places, entity: Places, part: Places, outcome: Floats, weight: Floats
) -> tuple[Floats, Floats, tuple[float, float, float], int, float] | None:
    """Effects of the inspectors, their standard errors, variances (inspector, entity, chance), freedom and p."""
    inspectors, entities, parts = len(part), int(entity.max()) + 1, int(part.max()) + 1
    freedom = len(outcome) - inspectors - entities + parts
    if freedom < MIN_FREEDOM:
        return None
    # An inspector visits few of the entities.
    cells = sparse.csr_array((weight, (place, entity)), shape=(inspectors, entities))
    of_inspector, of_entity = cells.sum(axis=1), cells.sum(axis=0)
    sum_inspector = np.bincount(place, weights=weight * outcome)
    sum_entity = np.bincount(entity, weights=weight * outcome)
    square = float((weight * outcome**2).sum())
    rest_of_entities = square - float((sum_entity**2 / of_entity).sum())
    rest_of_inspectors = square - float((sum_inspector**2 / of_inspector).sum())
    # Inspectors after entities: the entities are swept out, and each part has one direction that is not determined.
    swept = np.diag(of_inspector) - ((cells / of_entity) @ cells.T).toarray()
    pull = sum_inspector - cells @ (sum_entity / of_entity)
    same_part = (part[:, None] == part[None, :]).astype(float)
    explained = float(pull @ np.linalg.solve(swept + same_part, pull))
    rest = max(rest_of_entities - explained, 0.0)
    by_chance = max(rest / freedom, 1e-12)
    between = inspectors - parts
    by_inspector = max(0.0, (explained - between * by_chance) / float(np.trace(swept)))
    scale = float(weight.sum() - (cells**2 / of_inspector[:, None]).sum())
    by_entity = rest_of_inspectors - rest - (entities - parts) * by_chance
    by_entity = max(0.0, by_entity / scale) if scale > 0 else 0.0
    p = float(stats.f.sf(explained / between / by_chance, between, freedom))
    if by_inspector == 0:
        return np.zeros(inspectors), np.full(inspectors, np.nan), (0.0, by_entity, by_chance), freedom, p
    # Mixed-model equations with the entities absorbed; after the inspectors comes the mean of each part.
    absorbed = by_entity / (by_entity * of_entity + by_chance)
    held = np.diag(of_inspector) - ((cells * absorbed) @ cells.T).toarray()
    right = sum_inspector - cells @ (absorbed * sum_entity)
    member = (part[:, None] == np.arange(parts)[None, :]).astype(float)
    corner = held @ member
    ridge = np.diag(np.full(inspectors, by_chance / by_inspector))
    left = np.block([[held + ridge, corner], [corner.T, member.T @ corner]])
    inverse = np.linalg.inv(left)
    effect = inverse @ np.concatenate([right, member.T @ right])
    error = np.sqrt(np.maximum(by_chance * np.diag(inverse)[:inspectors], 0))
    return effect[:inspectors], error, (by_inspector, by_entity, by_chance), freedom, p
