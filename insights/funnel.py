"""Which entities are unusual for the number of answers behind them, as entities differ anyway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

Array = npt.NDArray[np.float64]

MIN_ENTITIES: Final = 10
"""With fewer, how much entities differ anyway cannot be told, and none is judged."""
LEVEL: Final = 0.05
"""Share of false alarms among the entities that are marked (Benjamini-Hochberg)."""
WINSORISED: Final = 0.1
"""Share of the entities at each end that count no more than the next one does when the spread is measured."""
WINSORISED_VARIANCE: Final = 0.678674
"""Variance of a standard normal variable winsorised by that share; without it the spread would come out too small."""
EXACT: Final = 1e-9
"""Less than this is rounding in a number of answers."""
MOST_SPREAD: Final = 8.0
"""Greatest standard deviation between entities, in logits, that is looked for."""

# Points and weights of a normal distribution: few to measure the spread, close ones for the tails that decide.
_FEW_POINTS, _few = np.polynomial.hermite_e.hermegauss(24)
_FEW_WEIGHTS = _few / _few.sum()
_CLOSE_POINTS = np.linspace(-6, 6, 81)
_CLOSE_WEIGHTS = np.exp(-(_CLOSE_POINTS**2) / 2) / np.exp(-(_CLOSE_POINTS**2) / 2).sum()
_PARTS = (np.arange(10) + 0.5) / 10


@dataclass(frozen=True, slots=True)
class Funnel:
    """What entities are judged against, and the verdicts.

    baseline: rate of the typical entity (or as given), 0..1; spread: standard deviation of the true rates between
    entities, in logits, 0 where they differ no more than by chance; entities: those that are judged; judged: one row
    per entity as asked, see `judge_funnel`. Baseline and spread are null where nobody is judged.
    """

    baseline: float
    spread: float
    entities: int
    judged: pd.DataFrame


def find_limits(baseline: float, counts: pd.Series, z: float) -> pd.DataFrame:
    """Limits of chance alone around a baseline (0..1) for each count of answers: columns low and high.

    The limit is the rate whose Wilson interval just reaches the baseline (Wilson 1927; as Public Health England's
    Fingertips draws funnels, after Spiegelhalter 2005, Stat Med 24:1185). Null where no rate of 0..1 is that far away.
    """
    count = counts.astype(float).where(counts > 0).to_numpy()
    reach = z * np.sqrt(baseline * (1 - baseline) / count)
    low, high = baseline - reach, baseline + reach
    return pd.DataFrame(
        {"low": np.where(low >= 0, low, np.nan), "high": np.where(high <= 1, high, np.nan)}, index=counts.index
    )


def judge_funnel(rates: pd.Series, counts: pd.Series, baseline: float | None = None) -> Funnel:
    """Which entities are unusual: one rate (0..1) and one count of answers per entity, on the same index.

    Columns of `judged`: rate, count, z (distance from the baseline in standard errors of chance alone), adjusted_z
    (the same where entities differ anyway, as a normal deviate), p_value (two-sided, of an entity like the others),
    q_value (Benjamini & Hochberg 1995, over the entities), is_low and is_high (q_value under 0.05).

    Spiegelhalter (2005), Stat Med 24:1185, with additive over-dispersion: entities truly differ, normally on the logit,
    around the baseline, and answers are binomial around each. The spread is such that the winsorised deviates of all
    entities have the variance that they should. The tails are those of the mixture itself, and Student's t stands
    for the normal distribution as the spread is measured from the entities: near 0.95 a z score of rates would give
    false alarms in most groups.

    Without a baseline, that is the typical entity of the group. Around a baseline that is given, such as a target, the
    distance of the whole group from it counts as spread. Silent (null, nobody marked) with fewer than MIN_ENTITIES
    entities with an answer, or around a baseline of 0 or 1. With weights, take (Σ weight)² ÷ Σ weight² as count.
    """
    rate, count = rates.astype(float), counts.astype(float)
    judged = pd.DataFrame({"rate": rate, "count": count}, index=rates.index)
    is_counted = ((count > 0) & rate.between(0, 1)).to_numpy()
    judged = judged.assign(z=np.nan, adjusted_z=np.nan, p_value=np.nan, q_value=np.nan, is_low=False, is_high=False)
    entities = int(is_counted.sum())
    if entities < MIN_ENTITIES or (baseline is not None and not 0 < baseline < 1):
        return Funnel(np.nan, np.nan, entities, judged)
    number = count.to_numpy()[is_counted]
    met = rate.to_numpy()[is_counted] * number
    # Many entities have the same answers, such as all of them met, and each kind of them is worked out once.
    (met_once, number_once), kind = np.unique([met, number], axis=1, return_inverse=True)
    centre, spread = _measure_spread(met_once, number_once, kind, baseline)
    typical = float(special.expit(centre))
    below, upto = _find_chances(met_once, number_once, centre, spread, _CLOSE_POINTS, _CLOSE_WEIGHTS)[:, kind]
    is_lower = upto < 1 - below
    tail = np.clip(np.where(is_lower, upto, 1 - below), 1e-300, 0.5)
    deviate = special.ndtri(tail)
    p_value = 2 * special.stdtr(entities - 1, deviate)
    q_value = find_q_values(pd.Series(p_value)).to_numpy()
    judged.loc[is_counted, "z"] = (met / number - typical) / np.sqrt(typical * (1 - typical) / number)
    judged.loc[is_counted, "adjusted_z"] = np.where(is_lower, deviate, -deviate)
    judged.loc[is_counted, "p_value"] = p_value
    judged.loc[is_counted, "q_value"] = q_value
    judged.loc[is_counted, "is_low"] = (q_value < LEVEL) & is_lower
    judged.loc[is_counted, "is_high"] = (q_value < LEVEL) & ~is_lower
    return Funnel(typical, spread, entities, judged)


def find_dispersed_limits(baseline: float, spread: float, counts: pd.Series, z: float) -> pd.DataFrame:
    """Limits around a baseline where entities differ anyway by `spread` (logits): columns low and high per count.

    They hold all but the tails beyond ±z of entities like the others, as `judge_funnel` sees them. Null where not even
    a rate of 0 (low) or 1 (high) is that unusual, or without a baseline within 0..1.
    """
    count = counts.astype(float).where(counts > 0).to_numpy()
    if not (0 < baseline < 1 and spread >= 0):
        return pd.DataFrame({"low": np.nan, "high": np.nan}, index=counts.index)
    low = _find_low_limit(special.logit(baseline), spread, count, z)
    high = 1 - _find_low_limit(-special.logit(baseline), spread, count, z)
    return pd.DataFrame({"low": low, "high": high}, index=counts.index)


def find_q_values(p_values: pd.Series) -> pd.Series:
    """Smallest share of false alarms at which each p-value counts (Benjamini & Hochberg 1995); null stays null."""
    known = p_values.dropna().sort_values(ascending=False)
    ranks = np.arange(len(known), 0, -1)
    return (known * len(known) / ranks).cummin().reindex(p_values.index)


def _find_chance(met: Array, number: Array, centre: float, spread: float, points: Array, weights: Array) -> Array:
    """Chance of at most `met` of `number` answers at an entity like the others."""
    missed = special.expit(-(centre + spread * points))[None, :]
    rest, some = np.clip(number - met, 0, None)[:, None], np.clip(met + 1, 0, None)[:, None]
    # The binomial distribution as a beta integral, which half points need; all of it, and none of it, need none.
    inner = special.betainc(np.maximum(rest, EXACT), np.maximum(some, EXACT), missed)
    return np.where(rest < EXACT, 1, np.where(some < EXACT, 0, inner)) @ weights


def _find_chances(met: Array, number: Array, centre: float, spread: float, points: Array, weights: Array) -> Array:
    """Chances of fewer than `met` of `number` answers, and of at most as many, at an entity like the others."""
    odds, missed = centre + spread * points, np.clip(number - met, 0, None)
    ways = special.gammaln(number + 1) - special.gammaln(met + 1) - special.gammaln(missed + 1)
    # A beta integral and the next one differ by one term, half points or not (DLMF 8.17(iv)); it takes less time.
    exactly = np.outer(met, special.log_expit(odds)) + np.outer(missed, special.log_expit(-odds)) + ways[:, None]
    below = _find_chance(met - 1, number, centre, spread, points, weights)
    return np.stack([below, np.minimum(below + np.exp(exactly) @ weights, 1)])


def _measure_spread(
    met: Array, number: Array, kind: npt.NDArray[np.intp], baseline: float | None
) -> tuple[float, float]:
    """Centre and standard deviation, in logits, of the true rates of entities, each with the answers of its kind."""
    wanted = WINSORISED_VARIANCE * (len(kind) - 1) / len(kind)

    def measure(spread: float, centre: float) -> tuple[float, float]:
        """How far the winsorised variance of the deviates is above the one wanted, at the centre that fits."""
        for _ in range(3):
            below, upto = _find_chances(met, number, centre, spread, _FEW_POINTS, _FEW_WEIGHTS)
            # Each entity stands for all the deviates between fewer and at most what it has, as counts are not
            # continuous (Czado, Gneiting & Held 2009).
            share = below[:, None] + (upto - below)[:, None] * _PARTS
            deviates = special.ndtri(np.clip(share, 1e-12, 1 - 1e-12))[kind]
            low, high = np.quantile(deviates, [WINSORISED, 1 - WINSORISED])
            deviates = np.clip(deviates, low, high)
            mean = float(deviates.mean())
            if baseline is not None:
                return float((deviates**2).mean()) - wanted, centre
            if abs(mean) < 0.02:
                break
            chance = special.expit(centre)
            step = mean * np.sqrt(spread**2 + np.median(1 / (number[kind] * chance * (1 - chance))))
            centre = float(np.clip(centre + step, -12, 12))
        return float(deviates.var()) - wanted, centre

    typical = np.median(((met + 0.5) / (number + 1))[kind]) if baseline is None else baseline
    low, high, centre = 0.0, 0.5, float(special.logit(typical))
    over_low, centre = measure(low, centre)
    if over_low <= 0:
        return centre, 0.0
    over_high, centre = measure(high, centre)
    while over_high > 0 and high < MOST_SPREAD:
        low, over_low, high = high, over_high, high * 2
        over_high, centre = measure(high, centre)
    if over_high > 0:
        return centre, high
    spread = high
    for _ in range(8):
        # False position on the variance, halving the end that stays (Dowell & Jarratt 1971).
        spread = float(np.sqrt((low**2 * over_high - high**2 * over_low) / (over_high - over_low)))
        over, centre = measure(spread, centre)
        if abs(over) < 0.01:
            break
        if over > 0:
            low, over_low, over_high = spread, over, over_high / 2
        else:
            high, over_high, over_low = spread, over, over_low / 2
    return centre, spread


def _find_low_limit(centre: float, spread: float, count: Array, z: float) -> Array:
    """The rate at which the chance of at most that many is the normal tail below −z."""
    number = np.where(np.isnan(count), 1, count)
    tail = special.ndtr(-z)

    def find_chance(rate: Array) -> Array:
        return _find_chance(rate * number, number, centre, spread, _CLOSE_POINTS, _CLOSE_WEIGHTS)

    low, high = np.zeros(len(number)), np.ones(len(number))
    has_limit = (find_chance(low) <= tail) & ~np.isnan(count)
    for _ in range(16):
        middle = (low + high) / 2
        is_under = find_chance(middle) <= tail
        low, high = np.where(is_under, middle, low), np.where(is_under, high, middle)
    return np.where(has_limit, low, np.nan)
