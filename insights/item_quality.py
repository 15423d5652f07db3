"""Which checklist items tell nothing: items that all meet, or that say nothing about the rest of the checklist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse, special

from insights.intervals import Z_95

MIN_ANSWERS: Final = 30
"""Answers without which an item has no correlation and no flag."""
WEAK_CORRELATION: Final = 0.2
"""An item whose item-rest correlation is certainly below this discriminates little (Ebel & Frisbie 1991)."""
MIN_ENTITIES: Final = 100
"""Entities without which the two-parameter model is not fitted."""
MIN_RARER: Final = 5
"""Answers that must differ from the most frequent one for an item to be correlated, or fitted in the model."""
COARSE_POINTS: Final = 61
FINE_POINTS: Final = 121
"""Points of quadrature, the finer for checklists above 100 items, where the level of an entity is known closely."""
MAX_CYCLES: Final = 60
"""Cycles of three steps after which the fit stops, converged or not."""
TOLERANCE: Final = 1e-5
"""Greatest change of a parameter in a plain step at which the fit has converged."""

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class TwoParameterFit:
    """Two-parameter logistic model: chance of met = 1 / (1 + exp(-(discrimination x level + intercept))).

    `items` has one row per column of the matrix, in its order: `answers`, `met`, `discrimination` (a), `intercept` (d)
    and `difficulty` (-d / a, the level at which half meet it, in standard deviations of the entities), null for items
    that were not fitted. `entities` with an answer, log likelihood, cycles, and whether it converged.
    """

    items: pd.DataFrame
    entities: int
    log_likelihood: float
    cycles: int
    is_converged: bool


@dataclass(frozen=True, slots=True)
class _Data:
    """Answers of the fitted items: met (1) or not (0), where there is none, and the points of quadrature."""

    met: Floats
    gaps: sparse.csr_array
    points: Floats
    log_weights: Floats


def describe_items(frame: pd.DataFrame) -> pd.DataFrame:
    """What each item of a round tells: one row per item, in order.

    Takes one row per `entity` and `item` with the `score` (1, 1/2, 0; null where not applicable or not answered), all
    of one round. Gives `answers` (scores), `difficulty` (1 - mean score), `item_rest_correlation` with the mean of the
    entity's other scores (corrected item-total correlation, Henrysson 1963) and its 95 % interval `low` and `high`
    (Fisher 1915), and the flags

    - `is_met_by_all`, `is_same_for_all` (one score, but not met): the item separates nobody at present;
    - `is_weak`: its correlation is below `WEAK_CORRELATION` for certain (`high` is); `is_reversed`: it is below 0 for
      certain, so that entities that meet it do worse elsewhere.

    Correlation null and flags false with fewer than `MIN_ANSWERS` answers; correlation null as well where fewer than
    `MIN_RARER` answers differ from the most frequent one. A weak item is worth a look at its wording; it may still be
    worth asking.
    """
    score = frame["score"].to_numpy(dtype=np.float64, na_value=np.nan)
    item, names = pd.factorize(frame["item"], sort=True)
    entity, entities = pd.factorize(frame["entity"])
    rows = ~np.isnan(score) & (item >= 0) & (entity >= 0)
    size, score = len(names), score[rows]
    item, entity = item[rows].astype(np.intp), entity[rows].astype(np.intp)

    # Rows of an item follow one another for a while in a frame that was read, and each run of them is one step.
    runs = np.flatnonzero(np.diff(item, prepend=-1))

    def add(values: Floats) -> Floats:
        sums = np.add.reduceat(values, runs)
        return np.asarray(np.bincount(item[runs], weights=sums, minlength=size), dtype=np.float64)

    answers = add(np.ones(len(score)))
    mean = add(score) / np.where(answers > 0, answers, np.nan)
    least, most = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(least, item[runs], np.minimum.reduceat(score, runs))
    np.maximum.at(most, item[runs], np.maximum.reduceat(score, runs))
    # Scores of the rest about their mean, so that sums of squares lose no digits.
    number = np.bincount(entity, minlength=len(entities))[entity] - 1
    others = np.bincount(entity, weights=score, minlength=len(entities))[entity] - score
    has_rest = number > 0
    rest = others / np.maximum(number, 1)
    rest = np.where(has_rest, rest - (rest[has_rest].mean() if has_rest.any() else 0), 0)
    own = np.where(has_rest, score - mean[item], 0)
    paired = add(has_rest.astype(np.float64))
    n = np.where(paired > 0, paired, np.nan)
    both = add(own * rest) - add(own) * add(rest) / n
    spread = (add(own**2) - add(own) ** 2 / n) * (add(rest**2) - add(rest) ** 2 / n)
    correlation = np.clip(both / np.sqrt(np.where(spread > 1e-12, spread, np.nan)), -1, 1)
    is_enough = answers >= MIN_ANSWERS
    # Where nearly all give the same score, the correlation would rest on a few entities.
    rarer = answers - np.maximum.reduce([add((score == value).astype(np.float64)) for value in (1.0, 0.5, 0.0)])
    is_told = is_enough & (paired >= MIN_ANSWERS) & (rarer >= MIN_RARER)
    correlation = np.where(is_told, correlation, np.nan)
    angle = np.arctanh(np.clip(correlation, -1 + 1e-12, 1 - 1e-12))
    reach = Z_95 / np.sqrt(np.maximum(paired - 3, 1))
    low, high = np.tanh(angle - reach), np.tanh(angle + reach)
    is_same = is_enough & (least == most)
    return pd.DataFrame(
        {
            "item": names,
            "answers": answers.astype(np.int64),
            "difficulty": 1 - mean,
            "item_rest_correlation": correlation,
            "low": low,
            "high": high,
            "is_met_by_all": is_same & (most == 1),
            "is_same_for_all": is_same & (most < 1),
            "is_weak": high < WEAK_CORRELATION,
            "is_reversed": high < 0,
        }
    )


def fit_two_parameter(matrix: NDArray[np.float64]) -> TwoParameterFit:
    """Discrimination and intercept of each item by marginal maximum likelihood.

    `matrix` is of shape (entities, items) and holds scores, NaN where there is none. Partly met counts as not met: the
    model knows met and not met only. The level of the entities is taken as standard normal. EM of Bock & Aitkin (1981)
    over equally spaced points of quadrature from -6 to 6, sped up by squared extrapolation (Varadhan & Roland 2008).

    Null with fewer than `MIN_ENTITIES` entities, and for items whose rarer answer occurs fewer than `MIN_RARER` times.
    It takes answers of an entity as independent given its level. Time of one core: 0.02 s for 150 entities x
    120 items, 0.3 s for 1,000 x 500, and several times that on a busy machine; run it on demand.
    """
    scores = np.asarray(matrix, dtype=np.float64)
    is_told = ~np.isnan(scores)
    entities = int(is_told.any(axis=1).sum())
    answers, met = is_told.sum(axis=0), (scores >= 1).sum(axis=0)
    items = pd.DataFrame({"answers": answers, "met": met})
    items[["discrimination", "intercept", "difficulty"]] = np.nan
    fitted = np.flatnonzero(np.minimum(met, answers - met) >= MIN_RARER)
    if entities < MIN_ENTITIES or len(fitted) < 2:
        return TwoParameterFit(items, entities, float("nan"), 0, False)
    rows = is_told[:, fitted].any(axis=1)
    part = scores[np.ix_(rows, fitted)]
    points = np.linspace(-6, 6, FINE_POINTS if len(fitted) > 100 else COARSE_POINTS)
    log_weights = -(points**2) / 2
    data = _Data(
        (part >= 1).astype(np.float64),
        sparse.csr_array(np.isnan(part).astype(np.float64)),
        points,
        log_weights - special.logsumexp(log_weights),
    )
    share = met[fitted] / answers[fitted]
    values = np.stack([np.ones(len(fitted)), np.log(share / (1 - share))])
    values, likelihood, cycles, is_converged = _climb(data, values)
    items.loc[fitted, "discrimination"] = values[0]
    items.loc[fitted, "intercept"] = values[1]
    items.loc[fitted, "difficulty"] = -values[1] / np.where(np.abs(values[0]) > 1e-6, values[0], np.nan)
    return TwoParameterFit(items, entities, likelihood, cycles, is_converged)


def _climb(data: _Data, values: Floats) -> tuple[Floats, float, int, bool]:
    """Parameters of shape (2, items) at the greatest likelihood, the likelihood, cycles, and whether it converged."""
    likelihood = -np.inf
    for cycle in range(1, MAX_CYCLES + 1):
        first, likelihood = _step(data, values)
        if np.abs(first - values).max() < TOLERANCE:
            return first, likelihood, cycle, True
        second, _ = _step(data, first)
        step, bend = first - values, (second - first) - (first - values)
        length = -float(np.sqrt((step**2).sum() / max((bend**2).sum(), 1e-300)))
        leap = values - 2 * min(length, -1.0) * step + min(length, -1.0) ** 2 * bend
        landed, after = _step(data, leap)
        # A leap that lands lower than where it began is not taken.
        values = landed if np.isfinite(after) and after >= likelihood else second
    return values, likelihood, MAX_CYCLES, False


def _step(data: _Data, values: Floats) -> tuple[Floats, float]:
    """One step of EM with one Newton step per item, and the log likelihood of the values that it began with."""
    slope, intercept = values
    eta = np.clip(slope[:, None] * data.points[None, :] + intercept[:, None], -30, 30)
    cost = np.logaddexp(0, eta)
    # Met items enter through their sums only, since the exponent is linear in the level.
    log = (data.met @ slope)[:, None] * data.points + (data.met @ intercept)[:, None]
    log += data.gaps @ cost - cost.sum(axis=0) + data.log_weights
    top = log.max(axis=1, keepdims=True)
    chance = np.exp(log - top)
    whole = chance.sum(axis=1, keepdims=True)
    chance /= whole
    likelihood = float((top + np.log(whole)).sum())
    number = chance.sum(axis=0) - data.gaps.T @ chance
    p = np.exp(eta - cost)
    expected, weight = number * p, number * p * (1 - p)
    pull_slope = data.met.T @ (chance @ data.points) - expected @ data.points
    pull_intercept = data.met.sum(axis=0) - expected.sum(axis=1)
    square, cross, plain = weight @ data.points**2, weight @ data.points, weight.sum(axis=1)
    determinant = np.maximum(square * plain - cross**2, 1e-9)
    steps = np.stack([plain * pull_slope - cross * pull_intercept, square * pull_intercept - cross * pull_slope])
    moved = values + np.clip(steps / determinant, -1, 1)
    return np.clip(moved, [[-6], [-15]], [[6], [15]]), likelihood
