"""Whether self-checks can be believed: pairs of a self-check and an outside check of the same item and period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse, stats

VERDICTS: Final = ("met", "partly_met", "not_met")
"""The verdicts that a pair can have, from the best to the worst; scores 1, 1/2 and 0."""
MIN_ENTITIES: Final = 3
"""A group with fewer entities is not compared, and neither is one that has fewer to be compared with."""
NOMINAL_FDR: Final = 0.05
"""Share of false alarms among the groups that are called more or less optimistic."""
TOLERANCE: Final = 0.1
"""Log odds within which groups count as equal: about 10 %, because the odds are only roughly free of the level."""
MIN_VISITED: Final = 5
"""With fewer visited entities nothing is estimated for the others."""
PRIOR_ENTITIES: Final = 3
"""How many entities the pooled spread counts for when a group's own spread is estimated."""
MOST_MARKED: Final = 20_000_000
"""Keys up to which those that occur are found by marking them, a byte each, and not by sorting."""
_TURNS: Final = 30

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class VerifiedCheck:
    """How well the verified estimate would have done on entities that were visited, each left out in turn.

    `coverage` is the share whose outside rate lay in the 95 % interval; the errors are mean absolute errors of the
    estimate and of the plain self-check, as rates; `mean_width` is that of the intervals. All null below `MIN_VISITED`.
    """

    entities: int
    coverage: float
    mean_absolute_error: float
    mean_absolute_error_of_self_check: float
    mean_width: float


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Rows that are pairs: place of the group, entity and verdicts, and how many pairs each row stands for."""

    keys: pd.DataFrame
    group: Places
    entity: Places
    own: Places
    outside: Places
    pairs: Floats
    rows: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Odds:
    """Log odds of each group, its weight and the connected part of groups that it can be compared with.

    The covariance of the log odds is 1 / weight on the diagonal, and `mix` @ `shared` @ `mix`.T: what the groups share
    through the strata that they are in; shapes (groups, strata - 1) and (strata - 1, strata - 1).
    """

    level: Floats
    weight: Floats
    part: Places
    mix: Floats
    shared: Floats
    freedom: int


@dataclass(frozen=True, slots=True)
class _Sums:
    """Count, mean and sum of squares about the mean of the gaps of each group; shape (1 or places, groups)."""

    count: Floats
    mean: Floats
    square: Floats


def summarise_pairs(frame: pd.DataFrame, by: str | Sequence[str] = ()) -> pd.DataFrame:
    """One row per group of `by` (all in one without it), in the order of the groups.

    Takes one row per group, `entity`, `self_verdict` and `verdict` with the count `pairs`; rows with other verdicts
    than `VERDICTS` are no pairs. Gives the columns of `by` and

    - `pairs`, `self_higher`, `self_lower`, `equal`, `entities`; `exact_agreement` = equal / pairs;
    - `net_optimism` = (self_higher - self_lower) / pairs, -1..1, with `low` and `high`: its 95 % interval with the
      entities as clusters (ratio estimator, t with k - 1 degrees; Cochran 1977, section 6.3), null for one entity;
    - `p_sign`: exact two-sided sign test over the pairs that differ (Dixon & Mood 1946), null where none differs. It
      takes pairs as independent, which pairs of one entity are not: read it together with the interval;
    - `weighted_kappa`: Cohen (1968), with linear weights over the three ordered verdicts: a step of one verdict counts
      half of a step of two. Null where both sides gave one and the same verdict throughout;
    - `gwet_ac1`: Gwet (2008), with three categories, which stays near the agreement when nearly all is met.
    """
    taken = _take_pairs(frame, by)
    groups = len(taken.keys)
    places = (taken.group * 3 + taken.own) * 3 + taken.outside
    table = _sum(places, taken.pairs, groups * 9).reshape(groups, 3, 3)
    pairs = table.sum(axis=(1, 2))
    higher = table[:, 0, 1] + table[:, 0, 2] + table[:, 1, 2]
    lower = table[:, 1, 0] + table[:, 2, 0] + table[:, 2, 1]
    equal = pairs - higher - lower
    step = np.abs(np.subtract.outer(np.arange(3), np.arange(3))) / 2
    expected = table.sum(axis=2)[:, :, None] * table.sum(axis=1)[:, None, :]
    apart = _divide((expected * step).sum(axis=(1, 2)), pairs)
    used = (table.sum(axis=2) + table.sum(axis=1)) / _or_null(2 * pairs)[:, None]
    chance = (used * (1 - used)).sum(axis=1) / 2
    agreement = _divide(equal, pairs)
    optimism = _divide(higher - lower, pairs)
    discordant = higher + lower
    p_sign = np.minimum(1, 2 * stats.binom.cdf(np.minimum(higher, lower), discordant, 0.5))
    entities, low, high = _find_cluster_interval(taken, optimism)
    figures = {
        "pairs": pairs.astype(np.int64),
        "self_higher": higher.astype(np.int64),
        "self_lower": lower.astype(np.int64),
        "equal": equal.astype(np.int64),
        "entities": entities,
        "net_optimism": optimism,
        "low": low,
        "high": high,
        "exact_agreement": agreement,
        "p_sign": np.where(discordant > 0, p_sign, np.nan),
        "weighted_kappa": 1 - _divide((table * step).sum(axis=(1, 2)), apart),
        "gwet_ac1": _divide(agreement - chance, 1 - chance),
    }
    return pd.concat([taken.keys, pd.DataFrame(figures)], axis=1)


def compare_groups(frame: pd.DataFrame, by: str | Sequence[str], within: str | None = None) -> pd.DataFrame:
    """Groups whose self-checks are more or less optimistic than the others', whatever their level of compliance.

    Takes the rows of `summarise_pairs`. The measure is the odds, among pairs that differ, that the self-check is the
    better one: the odds ratio of McNemar's test, which in a Rasch model does not depend on how hard the items are or
    how compliant the entity is (Rasch 1960; Andersen 1973). A logistic regression with extra variation between
    entities (Williams 1982, model III), one row per entity, gives each group's log odds; a group is set against the
    other groups, of which those found to differ are left out one after the other, the surest first. The test asks for
    a difference of more than `TOLERANCE`, with t quantiles; Benjamini & Hochberg (1995) over the groups at
    `NOMINAL_FDR`.

    `within` names a column whose levels are only compared with themselves, such as the inspection type: without it, a
    strict outsider who visits one group more than others makes that group look optimistic. Where entities occur in
    several groups (groups of items) the test is on the safe side.

    One row per group: the columns of `by`, `entities` and `discordant` pairs behind it, `self_higher_share`, `effect`
    (log odds ratio against the others) with its 95 % interval `low` and `high`, `p`, `q`, `is_more_optimistic` and
    `is_less_optimistic`. Null and false for a group with fewer than `MIN_ENTITIES` entities that have differing pairs,
    or with fewer than that to be compared with.
    """
    taken = _take_pairs(frame, by)
    groups = len(taken.keys)
    strata = pd.factorize(frame[within].to_numpy()[taken.rows])[0] if within else np.zeros(len(taken.group), np.intp)
    strata = np.asarray(strata, dtype=np.intp)
    is_higher, is_lower = taken.own < taken.outside, taken.own > taken.outside
    differs = (is_higher | is_lower) & (strata >= 0) & (taken.pairs > 0)
    group, stratum, entity = taken.group[differs], strata[differs], taken.entity[differs]
    size, depth = int(entity.max(initial=0)) + 1, int(stratum.max(initial=0)) + 1
    cells, cell = _compact((group * size + entity) * depth + stratum)
    count = _sum(cell, taken.pairs[differs], len(cells))
    better = _sum(cell, (taken.pairs * is_higher)[differs], len(cells))
    group, stratum = cells // (size * depth), cells % depth
    entities = np.bincount(_compact(cells // depth)[0] // size, minlength=groups)
    discordant = _sum(group, count, groups)
    odds = _fit_odds(group, stratum, better, count, groups)
    effect, reach, p, is_called = _set_against_others(odds, entities)
    q = _adjust(p)
    is_called = is_called & (q <= NOMINAL_FDR)
    figures = {
        "entities": entities,
        "discordant": discordant.astype(np.int64),
        "self_higher_share": _divide(_sum(group, better, groups), discordant),
        "effect": effect,
        "low": effect - reach,
        "high": effect + reach,
        "p": p,
        "q": q,
        "is_more_optimistic": is_called & (effect > 0),
        "is_less_optimistic": is_called & (effect < 0),
    }
    return pd.concat([taken.keys, pd.DataFrame(figures)], axis=1)


def estimate_verified(visited: pd.DataFrame, unvisited: pd.DataFrame) -> pd.DataFrame:
    """What an outside check would probably find at entities that only checked themselves.

    `visited` has one row per entity: `group`, `self_rate` and `outside_rate` (0..1, over the same pairs) and the count
    `pairs`; `unvisited` has `entity`, `group` and `self_rate`. The result has the rows and index of `unvisited` with
    its three columns and `estimate`, its 95 % prediction interval `low` and `high`, `gap` (self_rate - estimate) and
    `visited_in_group`.

    Rates are taken to arcsin(sqrt(rate)), on which the spread is about the same at every level (Anscombe 1948) and a
    rate near 1 stays below 1. There the gap of a group is pooled with that of the others (random effects, DerSimonian
    & Laird 1986), and the interval holds the spread between the entities of the group (itself pooled, as Smyth 2004),
    the error of the group's gap, and t quantiles. `check_verified` says how often the interval was right.

    Null with fewer than `MIN_VISITED` visited entities, and where a self rate is missing. It takes the visited
    entities for a random sample of their group, which audits seldom are: the page must say so.
    """
    angle, group, names = _take_visited(visited)
    places = pd.Index(names).get_indexer(pd.Index(unvisited["group"].to_numpy()))
    own = np.arcsin(np.sqrt(np.clip(unvisited["self_rate"].astype(float).to_numpy(), 0, 1)))
    counts = np.bincount(group, minlength=len(names))
    here = np.where(places >= 0, counts[places] if len(names) else 0, 0)
    estimate = low = high = np.full(len(unvisited), np.nan)
    if len(angle) >= MIN_VISITED:
        gap, reach = _predict_gap(_sum_by_group(angle, group, len(names)), places, _find_floor(visited))
        estimate, low, high = (_to_rate(own - shift) for shift in (gap, gap + reach, gap - reach))
    return pd.DataFrame(
        {
            "entity": unvisited["entity"],
            "group": unvisited["group"],
            "self_rate": unvisited["self_rate"].astype(float),
            "estimate": estimate,
            "low": low,
            "high": high,
            "gap": unvisited["self_rate"].astype(float).to_numpy() - estimate,
            "visited_in_group": here,
        },
        index=unvisited.index,
    )


def check_verified(visited: pd.DataFrame) -> VerifiedCheck:
    """Leave-one-out check of `estimate_verified` over the visited entities (Stone 1974)."""
    angle, group, names = _take_visited(visited)
    if len(angle) < MIN_VISITED + 1:
        return VerifiedCheck(len(angle), *[float("nan")] * 4)
    rows = _find_usable(visited)
    own, outside = (visited[name].astype(float).to_numpy()[rows] for name in ("self_rate", "outside_rate"))
    whole = _sum_by_group(angle, group, len(names))
    count, mean, square = whole.count[0], whole.mean[0], whole.square[0]
    each = np.arange(len(angle))
    counts, means, squares = (np.tile(part, (len(angle), 1)) for part in (count, mean, square))
    # Welford's update backwards: the group of the entity without it.
    left = count[group] - 1
    away = angle - mean[group]
    counts[each, group] = left
    means[each, group] = np.where(left > 0, mean[group] - away / np.maximum(left, 1), 0)
    squares[each, group] = np.where(left > 0, square[group] - away**2 * count[group] / np.maximum(left, 1), 0)
    without = _Sums(counts, means, np.maximum(squares, 0))
    gap, reach = _predict_gap(without, group, _find_floor(visited))
    own_angle = np.arcsin(np.sqrt(own))
    estimate, low, high = (_to_rate(own_angle - shift) for shift in (gap, gap + reach, gap - reach))
    # An outside rate of exactly 1 is reached by an interval that ends at 1 but for rounding.
    is_covered = (low - 1e-9 <= outside) & (outside <= high + 1e-9)
    return VerifiedCheck(
        len(angle),
        float(is_covered.mean()),
        float(np.abs(estimate - outside).mean()),
        float(np.abs(own - outside).mean()),
        float((high - low).mean()),
    )


def _take_pairs(frame: pd.DataFrame, by: str | Sequence[str]) -> _Pairs:
    columns = [by] if isinstance(by, str) else list(by)
    own, outside = (_code(frame[name], VERDICTS) for name in ("self_verdict", "verdict"))
    pairs = np.nan_to_num(frame["pairs"].astype(float).to_numpy())
    rows = (own >= 0) & (outside >= 0)
    entity = _number(frame["entity"])[0]
    group = np.zeros(len(frame), dtype=np.intp)
    for column in columns:
        places, names = _number(frame[column])
        # Sorted values have rising places, so that the groups come in the order of their values.
        group = _compact(group * names + places)[1]
    first = np.zeros(int(group.max(initial=-1)) + 1, dtype=np.intp)
    first[group[::-1]] = np.arange(len(group))[::-1]
    keys = frame[columns].iloc[first].reset_index(drop=True)
    return _Pairs(
        keys,
        np.asarray(group[rows], dtype=np.intp),
        np.asarray(entity[rows], dtype=np.intp),
        own[rows],
        outside[rows],
        pairs[rows],
        rows,
    )


def _number(column: pd.Series) -> tuple[Places, int]:
    """Place of each value among the sorted values, null as the last, and how many there are."""
    places, values = pd.factorize(column, sort=True, use_na_sentinel=True)
    return np.where(places < 0, len(values), places).astype(np.intp), len(values) + 1


def _code(column: pd.Series, words: Sequence[str]) -> Places:
    """Place of each value among the words, -1 for others."""
    places, values = pd.factorize(column)
    found = pd.Index(list(words), dtype=object).get_indexer(pd.Index(values, dtype=object))
    return np.asarray(np.append(found, -1)[places], dtype=np.intp)


def _compact(key: Places) -> tuple[Places, Places]:
    """The keys that occur, sorted, and the place of each row's key among them."""
    size = int(key.max(initial=-1)) + 1
    if size > MOST_MARKED:
        kept, places = np.unique(key, return_inverse=True)
        return kept, places.astype(np.intp)
    # Many times faster than sorting.
    is_there = np.zeros(size, dtype=np.bool_)
    is_there[key] = True
    return np.flatnonzero(is_there), (np.cumsum(is_there) - 1)[key]


def _sum(places: Places, values: Floats, size: int) -> Floats:
    """Sum of the values of each place."""
    return np.asarray(np.bincount(places, weights=values, minlength=size), dtype=np.float64)


def _or_null(values: Floats) -> Floats:
    return np.where(values > 0, values, np.nan)


def _divide(some: Floats, number: Floats) -> Floats:
    """Quotient, null where nothing is counted."""
    return np.asarray(some / _or_null(number), dtype=float)


def _find_cluster_interval(taken: _Pairs, optimism: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Entities with pairs in each group, and the 95 % interval of its net optimism with them as clusters."""
    groups = len(optimism)
    size = int(taken.entity.max(initial=0)) + 1
    cells, cell = _compact(taken.group * size + taken.entity)
    owner = cells // size
    sign = np.sign(taken.outside - taken.own)
    count = _sum(cell, taken.pairs, len(cells))
    surplus = _sum(cell, taken.pairs * sign, len(cells))
    entities = np.bincount(owner[count > 0], minlength=groups)
    rest = surplus - np.nan_to_num(optimism)[owner] * count
    spread = _sum(owner, rest**2, groups)
    pairs = _sum(owner, count, groups)
    degrees = np.where(entities > 1, entities - 1, 1)
    error = np.sqrt(spread * entities / degrees) / _or_null(pairs)
    reach = np.where(entities > 1, stats.t.ppf(0.975, degrees) * error, np.nan)
    return entities, np.clip(optimism - reach, -1, 1), np.clip(optimism + reach, -1, 1)


def _fit_odds(group: Places, stratum: Places, better: Floats, count: Floats, groups: int) -> _Odds:
    """Fit of the log odds by group and stratum; rows are entities with their counts of pairs that differ."""
    strata = int(stratum.max(initial=0))
    whole = _sum(group, count, groups)
    # Half a pair on either side of each group keeps a group without a pair on one side finite (Haldane 1956).
    share = count / np.maximum(whole, 1)[group]
    better, count = better + share / 2, count + share
    whole = _sum(group, count, groups)
    odds = _sum(group, better, groups) / np.where(whole > 0, whole, 1)
    odds = np.where(whole > 0, odds, 0.5)
    level, shift = np.log(odds / (1 - odds)), np.zeros(strata + 1)
    freedom = max(len(count) - int((whole > 0).sum()) - strata, 1)
    extra = 0.0
    for _ in range(_TURNS):
        eta = np.clip(level[group] + shift[stratum], -12, 12)
        chance = 1 / (1 + np.exp(-eta))
        information = count * chance * (1 - chance)
        response = eta + (better - count * chance) / information
        weight = 1 / (1 / information + extra)
        total = _sum(group, weight, groups)
        inverse = np.where(total > 0, 1 / np.where(total > 0, total, 1), 0)
        mean = _sum(group, weight * response, groups) * inverse
        cross = _sum(group * (strata + 1) + stratum, weight, groups * (strata + 1))
        cross = cross.reshape(groups, strata + 1)[:, 1:]
        held = cross.T * inverse
        within = np.diag(_sum(stratum, weight, strata + 1)[1:]) - held @ cross
        solved = np.asarray(np.linalg.pinv(within) if strata else within, dtype=np.float64)
        right = _sum(stratum, weight * response, strata + 1)[1:] - cross.T @ mean
        shift = np.concatenate([[0.0], solved @ right])
        before, level = level, mean - held.T @ shift[1:]
        residual = response - level[group] - shift[stratum]
        # Paule & Mandel (1982): the extra variance with which the weighted squares are as many as they should be.
        surplus = float((weight * residual**2).sum()) - freedom
        slope = float((weight**2 * residual**2).sum())
        old, extra = extra, max(0.0, extra + surplus / slope) if slope > 0 else 0.0
        if np.abs(level - before).max(initial=0) < 1e-7 and abs(extra - old) < 1e-7:
            break
    # Groups of different parts share no stratum, not even indirectly.
    edges = (np.ones(len(group)), (group, groups + stratum))
    graph = sparse.coo_matrix(edges, shape=(groups + strata + 1, groups + strata + 1))
    part = np.asarray(sparse.csgraph.connected_components(graph, directed=False)[1][:groups], dtype=np.intp)
    return _Odds(level, total, part, held.T, solved, freedom)


def _set_against_others(odds: _Odds, entities: NDArray[np.int64]) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
    """Difference of each group from the others, reach of its 95 % interval, p, and whether it is called."""
    groups = len(odds.level)
    is_called = np.zeros(groups, dtype=np.bool_)
    quantile = float(stats.t.ppf(0.975, odds.freedom))
    summed = np.column_stack([entities, odds.weight, odds.weight * odds.level, odds.weight[:, None] * odds.mix])

    def contrast(called: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
        def add_others(is_in: NDArray[np.bool_]) -> Floats:
            taken = np.where(is_in[:, None], summed, 0)
            whole = np.zeros((odds.part.max(initial=0) + 1, summed.shape[1]))
            np.add.at(whole, odds.part, taken)
            return np.asarray(whole[odds.part] - taken, dtype=float)

        others = add_others(~called)
        # Where too few are left that are not called, all others are the measure.
        others = np.where(others[:, :1] >= MIN_ENTITIES, others, add_others(np.ones(groups, dtype=np.bool_)))
        is_silent = (entities < MIN_ENTITIES) | (others[:, 0] < MIN_ENTITIES)
        mass = np.where(is_silent, 1, others[:, 1])
        effect = np.where(is_silent, np.nan, odds.level - others[:, 2] / mass)
        apart = odds.mix - others[:, 3:] / mass[:, None]
        own = 1 / np.where(is_silent, 1, odds.weight)
        error = np.sqrt(own + 1 / mass + ((apart @ odds.shared) * apart).sum(axis=1))
        p = sum(stats.t.sf((np.abs(effect) + side * TOLERANCE) / error, odds.freedom) for side in (-1, 1))
        return effect, np.where(is_silent, np.nan, quantile * error), np.minimum(1, np.asarray(p, dtype=float))

    effect, reach, p = contrast(is_called)
    while groups:
        frozen = np.where(is_called, 0.0, p)
        chosen = np.where(is_called | (_adjust(frozen) > NOMINAL_FDR) | np.isnan(p), np.inf, p)
        if not np.isfinite(chosen).any():
            break
        is_called = is_called | (np.arange(groups) == int(np.argmin(chosen)))
        effect, reach, p = contrast(is_called)
    return effect, reach, p, is_called


def _adjust(p: Floats) -> Floats:
    """Benjamini & Hochberg (1995): q of each p, null where p is."""
    is_told = ~np.isnan(p)
    q = np.full(len(p), np.nan)
    if is_told.any():
        q[is_told] = stats.false_discovery_control(p[is_told])
    return q


def _find_usable(visited: pd.DataFrame) -> NDArray[np.bool_]:
    told = visited[["self_rate", "outside_rate"]].astype(float).notna().all(axis=1)
    return np.asarray(told & (visited["pairs"].astype(float) > 0), dtype=np.bool_)


def _take_visited(visited: pd.DataFrame) -> tuple[Floats, Places, NDArray[Any]]:
    """Gap of each usable visited entity on the angular scale, its group's place, and the groups."""
    rows = _find_usable(visited)
    own, outside = (
        np.arcsin(np.sqrt(np.clip(visited[name].astype(float).to_numpy()[rows], 0, 1)))
        for name in ("self_rate", "outside_rate")
    )
    group, names = pd.factorize(visited["group"].to_numpy()[rows], use_na_sentinel=False)
    return own - outside, np.asarray(group, dtype=np.intp), np.asarray(names)


def _find_floor(visited: pd.DataFrame) -> float:
    """Least variance of a gap: a rate over n pairs is not known more finely than half a pair."""
    return float((1 / (2 * visited["pairs"].astype(float)[_find_usable(visited)].median())) ** 2)


def _sum_by_group(angle: Floats, group: Places, groups: int) -> _Sums:
    count = _sum(group, np.ones(len(group)), groups)
    mean = _sum(group, angle, groups) / np.maximum(count, 1)
    square = _sum(group, (angle - mean[group]) ** 2, groups)
    return _Sums(count[None, :], mean[None, :], square[None, :])


def _predict_gap(sums: _Sums, places: Places, floor: float) -> tuple[Floats, Floats]:
    """Gap to expect at one more entity of the group at each place (-1: a new group), and the reach of its interval.

    The sums have one row, or one for each place where each has its own visited entities.
    """
    count, mean, square = sums.count, sums.mean, sums.square
    number = count.sum(axis=1)
    freedom = number - (count > 0).sum(axis=1)
    middle = (count * mean).sum(axis=1) / number
    about = (square + count * (mean - middle[:, None]) ** 2).sum(axis=1)
    # With hardly two entities in any group, groups and entities cannot be told apart: all are one group.
    is_one = freedom < MIN_ENTITIES
    freedom = np.where(is_one, number - 1, freedom)
    spread = np.maximum(np.where(is_one, about, square.sum(axis=1)) / freedom, floor)
    weight = count / spread[:, None]
    total = weight.sum(axis=1)
    centre = (weight * mean).sum(axis=1) / total
    surplus = (weight * (mean - centre[:, None]) ** 2).sum(axis=1) - (np.maximum((count > 0).sum(axis=1), 1) - 1)
    scale = total - (weight**2).sum(axis=1) / total
    between = np.where(is_one | (scale <= 1e-9), 0, np.maximum(surplus, 0) / np.where(scale > 1e-9, scale, 1))
    precision = np.where(count > 0, 1 / (between[:, None] + spread[:, None] / np.maximum(count, 1)), 0)
    overall = (precision * mean).sum(axis=1) / precision.sum(axis=1)
    rows = np.arange(len(places)) if len(count) > 1 else np.zeros(len(places), dtype=np.intp)
    is_known = places >= 0
    there = np.where(is_known, places, 0)
    here = np.where(is_known, count[rows, there], 0)
    own_mean, own_square = mean[rows, there], square[rows, there]
    pooled, groups_apart = spread[rows], between[rows]
    trust = groups_apart * here / np.where(here > 0, groups_apart * here + pooled, 1)
    gap = overall[rows] + trust * (own_mean - overall[rows])
    own = (PRIOR_ENTITIES * pooled + own_square) / (PRIOR_ENTITIES + np.maximum(here - 1, 0))
    own = np.where((here > 0) & ~is_one[rows], np.maximum(own, floor), pooled)
    variance = own + groups_apart * (1 - trust) + (1 - trust) ** 2 / precision.sum(axis=1)[rows]
    degrees = np.where(is_one[rows], freedom[rows], np.minimum(freedom[rows], PRIOR_ENTITIES + np.maximum(here - 1, 0)))
    return gap, stats.t.ppf(0.975, degrees) * np.sqrt(variance)


def _to_rate(angle: Floats) -> Floats:
    return np.sin(np.clip(angle, 0, np.pi / 2)) ** 2
