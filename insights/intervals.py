"""Intervals of rates, and of their differences, that know that answers of one entity are not independent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

Array = npt.NDArray[np.float64]

Z_95: Final = 1.959963984540054
"""Standard normal deviate of a two-sided 95 % interval."""
LEVEL: Final = 0.95
"""Chance that an interval holds the true figure."""
FLAT: Final = 1e-9
"""A rate as near as this to 0 or 1 is 0 or 1, but for rounding."""
NOTHING: Final = 1e-24
"""A variance under this is rounding: the entities do not differ at all, so nothing tells how much they could."""


def find_wilson_interval(rates: pd.Series, counts: pd.Series, z: float = Z_95) -> pd.DataFrame:
    """Wilson score interval of each rate (0..1) over a count of answers: columns low and high, null without a count.

    Wilson (1927), as method 3 of Newcombe (1998), Stat Med 17:857. A rate with half points has less variance than a
    proportion, so the interval is wide enough. It takes answers as independent: over several entities it is too narrow.
    """
    rate = rates.astype(float).to_numpy()
    count = counts.astype(float).where(counts > 0).to_numpy()
    low, high = _reach_wilson(rate, z**2 / count)
    return pd.DataFrame({"low": low, "high": high}, index=rates.index)


def find_cluster_interval(frame: pd.DataFrame, by: str | Sequence[str] = (), level: float = LEVEL) -> pd.DataFrame:
    """Rate of each group of entities as a ratio of sums, with an interval that takes entities as clusters.

    `frame`: one row per group and entity with the columns of `by`, numerator, denominator (sums of weights) and,
    where they are known, answers. Rows without a denominator count for nothing. Result: one row per group with the
    columns of `by`, rate, low, high, entities (those with a denominator) and effective_answers: as many independent
    answers would tell as much.

    The variance between entities of a ratio of sums (Cochran 1977, §6.17: each entity left out in turn, which is the
    linearised variance where all entities are of one size, and not too small where they are not) gives the effective
    number of answers n* = rate (1 − rate) ÷ variance, and that a Wilson interval with Student's t (Korn & Graubard
    1998) over the effective number of entities (Σ denominator)² ÷ Σ denominator² less one.

    n* is never more than the answers (or the denominator, where there are no answers). Where every entity has 0 or
    every entity has 1, the variance is 0 and says nothing: n* is then the effective number of entities, as if each
    were one answer, which is the widest there is. One entity alone has no variance between entities: its interval is
    the Wilson interval of its answers, and null where there is no column of answers.
    """
    keys = [by] if isinstance(by, str) else list(by)
    rows = frame.reset_index(drop=True)
    kept = _keep_counted(rows)
    group, labels = _number_groups(rows, kept, keys)
    numerator, denominator = (kept[name].to_numpy(float) for name in ("numerator", "denominator"))

    def add(values: Array) -> Array:
        return np.bincount(group, values, len(labels)).astype(float)

    entities = add(np.ones(len(group)))
    whole = add(denominator)
    answers = add(kept["answers"].fillna(0).to_numpy(float)) if "answers" in kept else np.full(len(labels), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = add(numerator) / whole
        residual = (numerator - rate[group] * denominator) / (whole[group] - denominator)
        variance = (entities - 1) / entities * add(residual**2)
        clusters = whole**2 / add(denominator**2)
        most = np.where(answers > 0, answers, np.where(entities > 1, whole, np.nan))
        effective = np.fmin(rate * (1 - rate) / np.maximum(variance, NOTHING), most)
        is_flat = (rate < FLAT) | (rate > 1 - FLAT)
        effective = np.where(entities < 2, most, np.where(is_flat, np.fmin(clusters, most), effective))
        # Where no variance is estimated, there is no error of the estimate that Student's t would be for.
        is_normal = is_flat | (entities < 2)
        deviate = np.where(is_normal, special.ndtri((1 + level) / 2), _find_deviate(level, clusters - 1))
        low, high = _reach_wilson(rate, deviate**2 / effective)
    return labels.assign(rate=rate, low=low, high=high, entities=entities.astype(int), effective_answers=effective)


def compare_periods(
    before: pd.DataFrame, after: pd.DataFrame, by: str | Sequence[str] = (), level: float = LEVEL
) -> pd.DataFrame:
    """How much the rate of each group moved between two periods, with an interval and a p-value; entities as clusters.

    `before`, `after`: one row per group and entity with the columns of `by`, entity, numerator, denominator. Result:
    one row per group with the columns of `by`, rate_before, rate_after, change, low, high (of the change), p_value
    (two-sided, of no change), entities_before, entities_after, entities_both.

    Paired linearisation (Cochran 1977, §6.17; Kish 1965, §12.4): what an entity adds to the error of one rate less
    what it adds to that of the other is one figure per entity, so an entity that is in both periods is compared with
    itself; one that is in a single period counts too. Student's t with Satterthwaite's degrees of freedom over the
    effective number of entities. Null with fewer than two entities in a period, or where no entity differs from
    another.
    """
    keys = [by] if isinstance(by, str) else list(by)
    both = pd.concat([before.assign(is_after=False), after.assign(is_after=True)], ignore_index=True)
    table = _spread(both, keys, both["is_after"].to_numpy(bool))
    old, new = _weigh(table.numerator[0], table.denominator[0]), _weigh(table.numerator[1], table.denominator[1])
    change, low, high, p_value = _compare(new, old, level, pooled=False)
    return table.labels.assign(
        rate_before=old.rate,
        rate_after=new.rate,
        change=change,
        low=low,
        high=high,
        p_value=p_value,
        entities_before=old.entities,
        entities_after=new.entities,
        entities_both=((table.denominator > 0).all(axis=0)).sum(axis=1),
    )


def compare_with_rest(frame: pd.DataFrame, by: str | Sequence[str], level: float = LEVEL) -> pd.DataFrame:
    """How far the rate of each group is from that of all the others together, with an interval and a p-value.

    `frame`: one row per group and entity with the columns of `by`, entity, numerator, denominator. Result: one row per
    group with the columns of `by`, rate, rest_rate, difference (rate − rest_rate), low, high (of the difference),
    p_value (two-sided, of no difference), entities, rest_entities.

    As `compare_periods`: an entity that is in a group and in the rest (say of categories of items) is compared with
    itself. Where the groups share no entity (say regions), the spread within a group counts as no less than that of
    all entities: three entities that happen to be alike do not prove that the group is. Null with fewer than two
    entities on a side: for one entity among others, see `insights.funnel`.
    """
    keys = [by] if isinstance(by, str) else list(by)
    table = _spread(frame, keys, np.zeros(len(frame), dtype=bool))
    numerator, denominator = table.numerator[0], table.denominator[0]
    rest = denominator.sum(axis=0) - denominator
    # What is left of an entity that is in one group only is rounding, not a denominator.
    rest = np.where(rest > 1e-9 * denominator, rest, 0)
    others = np.where(rest > 0, numerator.sum(axis=0) - numerator, 0)
    group, remainder = _weigh(numerator, denominator), _weigh(others, rest)
    change, low, high, p_value = _compare(group, remainder, level, pooled=True)
    return table.labels.assign(
        rate=group.rate,
        rest_rate=remainder.rate,
        difference=change,
        low=low,
        high=high,
        p_value=p_value,
        entities=group.entities,
        rest_entities=remainder.entities,
    )


@dataclass(frozen=True, slots=True)
class Spread:
    """Sums as arrays of (side, group, entity), 0 where an entity has no row, and the keys of the groups."""

    labels: pd.DataFrame
    numerator: Array
    denominator: Array


@dataclass(frozen=True, slots=True)
class Side:
    """One of two rates per group, and what each entity adds to it: arrays of (group,) or (group, entity)."""

    rate: Array
    entities: Array
    clusters: Array
    denominator: Array
    residual: Array
    error: Array


def _reach_wilson(rate: Array, looseness: Array) -> tuple[Array, Array]:
    """Both ends of the Wilson interval; looseness is deviate² ÷ count."""
    with np.errstate(invalid="ignore", over="ignore"):
        centre = rate + looseness / 2
        reach = np.sqrt(looseness) * np.sqrt(np.clip(rate * (1 - rate), 0, None) + looseness / 4)
        low, high = (centre - reach) / (1 + looseness), (centre + reach) / (1 + looseness)
    # Rounding must not move an end past the rate that it is about.
    return np.clip(np.minimum(low, rate), 0, 1), np.clip(np.maximum(high, rate), 0, 1)


def _find_deviate(level: float, freedom: Array) -> Array:
    """Student's t of a two-sided interval; null without freedom, and no wider than what fills 0..1 anyway."""
    is_free = freedom > 1e-9
    deviate = special.stdtrit(np.where(is_free, np.maximum(freedom, 0.1), 1.0), (1 + level) / 2)
    return np.where(is_free, np.minimum(deviate, 1e6), np.nan)


def _keep_counted(frame: pd.DataFrame) -> pd.DataFrame:
    kept = frame.assign(numerator=frame["numerator"].astype(float), denominator=frame["denominator"].astype(float))
    return kept[(kept["denominator"] > 0) & kept["numerator"].notna()]


def _number_groups(
    frame: pd.DataFrame, kept: pd.DataFrame, keys: list[str]
) -> tuple[npt.NDArray[np.intp], pd.DataFrame]:
    """The number of each kept row's group, and the keys of all groups in order of appearance, empty ones included."""
    if not keys:
        return np.zeros(len(kept), dtype=np.intp), pd.DataFrame(index=pd.RangeIndex(min(len(frame), 1)))
    numbers = frame.groupby(keys, sort=False, dropna=False, observed=True).ngroup()
    labels = frame.loc[~numbers.duplicated(), keys].reset_index(drop=True)
    return numbers.loc[kept.index].to_numpy(np.intp), labels


def _spread(frame: pd.DataFrame, keys: list[str], is_second: npt.NDArray[np.bool_]) -> Spread:
    rows = frame.assign(is_second=is_second).reset_index(drop=True)
    kept = _keep_counted(rows)
    group, labels = _number_groups(rows, kept, keys)
    entity, names = pd.factorize(kept["entity"], use_na_sentinel=False)
    shape = (2, len(labels), len(names))
    place = np.ravel_multi_index((kept["is_second"].to_numpy(np.intp), group, entity), shape) if len(kept) else group
    numerator, denominator = (
        np.bincount(place, kept[name].to_numpy(float), int(np.prod(shape))).astype(float).reshape(shape)
        for name in ("numerator", "denominator")
    )
    return Spread(labels, numerator, denominator)


def _weigh(numerator: Array, denominator: Array) -> Side:
    entities = (denominator > 0).sum(axis=1).astype(float)
    whole = denominator.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = numerator.sum(axis=1) / whole
        residual = np.where(denominator > 0, numerator - rate[:, None] * denominator, 0)
        scale = np.sqrt((entities - 1) / entities)
        error = scale[:, None] * residual / (whole[:, None] - denominator)
        clusters = whole**2 / (denominator**2).sum(axis=1)
    return Side(rate, entities.astype(int), clusters, denominator, residual, error)


def _compare(one: Side, two: Side, level: float, *, pooled: bool) -> tuple[Array, Array, Array, Array]:
    """Rate of one less rate of two: the difference, both ends of its interval, and its p-value."""
    in_one, in_two = one.denominator > 0, two.denominator > 0
    in_both = in_one & in_two
    with np.errstate(divide="ignore", invalid="ignore"):
        square = (one.error - two.error) ** 2
        variance = square.sum(axis=1)
        lost = np.zeros(len(variance))
        share_one, share_two = (side.denominator / side.denominator.sum(axis=1, keepdims=True) for side in (one, two))
        for members, share, clusters in (
            (in_both, (share_one + share_two) / 2, np.fmin(one.clusters, two.clusters)),
            (in_one & ~in_both, share_one, one.clusters),
            (in_two & ~in_both, share_two, two.clusters),
        ):
            part = np.where(members, share, 0)
            free = part.sum(axis=1) ** 2 / (part**2).sum(axis=1) * (1 - 1 / clusters)
            lost += np.where(free > 0, np.where(members, square, 0).sum(axis=1) ** 2 / free, 0)
        freedom = variance**2 / lost
        if pooled:
            entities = one.entities + two.entities
            squares = (one.residual**2 + two.residual**2).sum(axis=1)
            sizes = (one.denominator**2 + two.denominator**2).sum(axis=1)
            least = squares / sizes * entities / (entities - 2) / one.clusters
            is_raised = ~in_both.any(axis=1) & (least > (one.error**2).sum(axis=1))
            variance = np.where(is_raised, least + (two.error**2).sum(axis=1), variance)
            freedom = np.where(is_raised, one.clusters + two.clusters - 2, freedom)
        is_known = variance > NOTHING
        error = np.sqrt(np.where(is_known, variance, np.nan))
        change = one.rate - two.rate
        reach = _find_deviate(level, freedom) * error
        p_value = 2 * special.stdtr(np.maximum(freedom, 0.1), -np.abs(change) / error)
    return change, np.clip(change - reach, -1, 1), np.clip(change + reach, -1, 1), p_value
