"""A league table that says how sure it is: raw rates and places, shrunken ones beside them, and their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

Array = npt.NDArray[np.float64]
Drawn = npt.NDArray[np.float32]

MIN_ENTITIES: Final = 3
"""With fewer, how much entities differ cannot be told, and nothing is shrunken."""
LEVEL: Final = 0.95
"""Chance that an interval holds the true rate, or the true place."""
DRAWS: Final = 2000
"""Orders that are drawn to find the intervals of places."""
SEED: Final = 1996
"""The same figures give the same intervals."""
EXACT: Final = 1e-9
"""Rates as near as this to each other, or to 0 or 1, differ by rounding only."""
TIED_DECIMALS: Final = 12
"""Decimals of a rate that tell two places apart."""
GRID: Final = 40
"""Values of the precision that are tried over its whole range, and once more over its likely range."""
LEAST_PRECISION: Final = 0.1
"""True rates that are hardly ever anything but 0 or 1."""
MOST_PRECISION: Final = 1000.0
"""Times a typical count: all but whole shrinkage."""
UNLIKELY: Final = 10.0
"""A precision whose log-likelihood is that far below the greatest counts for nothing."""


def rank_entities(
    rates: pd.Series, counts: pd.Series, *, dispersion: float | pd.Series = 1.0, seed: int = SEED
) -> pd.DataFrame:
    """Raw and shrunken rate and place of each entity, with intervals; place 1 has the greatest rate.

    `rates`: 0..1; `counts`: number of applicable answers behind each rate, taken as trials; `dispersion`: ≥ 1 (less
    counts as 1), divides the counts because answers of one entity are not independent; a Series has one per entity.
    Rows are the same entities in the same order. With half points a rate varies less than a share of as many trials
    would, so intervals are wide enough; with unequal weights it varies more: let the dispersion include
    answers · Σ weight² ÷ (Σ weight)².

    Result, on the index of `rates`: rate, place (raw; equal rates share the best of their places), shrunken (0..1),
    low, high (95 % interval of the true rate), shrunken_place (order of the shrunken rates, equal ones as before),
    place_low, place_high (95 % interval of the true place).

    Beta-binomial empirical Bayes: true rates follow a beta distribution, whose mean at each precision has Kleinman's
    (1973, JASA 68:46) weights and whose precision has the greatest likelihood; shrunken = (precision · mean +
    count · rate) ÷ (precision + count). Where entities differ no more than by chance, all are at the common mean.
    The variance of a true rate about that figure is averaged over the precisions by likelihood with a uniform prior of
    the shrinkage (Christiansen & Morris 1997, JASA 92:618), as a single precision would make intervals of few entities
    too narrow; with the error of the mean it gives a beta distribution, and that the interval. Places: 2,000 draws of
    all true rates at once (Goldstein & Spiegelhalter 1996, JRSS A 159:385).

    An entity with a null rate, or a count that is null or 0, is null and not ranked. With fewer than 3 entities there
    are rate and place, and the rest is null.
    """
    rate = rates.to_numpy(float, na_value=np.nan)
    divisor = dispersion.to_numpy(float, na_value=np.nan) if isinstance(dispersion, pd.Series) else float(dispersion)
    count = counts.to_numpy(float, na_value=np.nan) / np.maximum(divisor, 1)
    is_ranked = (rate >= -EXACT) & (rate <= 1 + EXACT) & (count > 0) & np.isfinite(count)
    rate = np.where(is_ranked, np.clip(rate, 0, 1), np.nan)
    table = {"rate": rate, "place": _find_places(rate)}
    rest = ("shrunken", "low", "high", "shrunken_place", "place_low", "place_high")
    table |= {name: np.full(len(rate), np.nan) for name in rest}
    if is_ranked.sum() >= MIN_ENTITIES:
        shrunken = _shrink(rate[is_ranked], count[is_ranked])
        low, high = _find_interval(shrunken)
        place_low, place_high = _find_place_interval(shrunken, seed)
        found = (shrunken.mean, low, high, _find_places(shrunken.mean), place_low, place_high)
        for name, values in zip(rest, found, strict=True):
            table[name][is_ranked] = values
    return pd.DataFrame(table, index=rates.index)


@dataclass(frozen=True, slots=True)
class Shrunken:
    """Per entity: the shrunken rate, the variance of the true one about it, and what the common mean adds to that."""

    mean: Array
    variance: Array
    common: Array


def _find_places(rate: Array) -> Array:
    places: Array = pd.Series(-rate.round(TIED_DECIMALS)).rank(method="min").to_numpy(float)
    return places


def _shrink(rate: Array, count: Array) -> Shrunken:
    typical = float(np.median(count))
    whole = np.geomspace(LEAST_PRECISION, MOST_PRECISION * max(typical, 1), GRID)
    likelihood = _find_likelihood(rate, count, whole)
    # The second pass looks closely at what the first has left: 1,000 entities tell their precision to a few percent.
    likely = np.flatnonzero(likelihood > likelihood.max() - UNLIKELY)
    first, last = max(likely[0] - 1, 0), min(likely[-1] + 1, GRID - 1)
    precision = np.geomspace(whole[first], whole[last], GRID)
    likelihood = _find_likelihood(rate, count, precision)
    # A uniform prior of the typical shrinkage is this one of the logarithm of the precision, which the grid is even in.
    prior = precision * typical / (precision + typical) ** 2
    chance = np.exp(likelihood - likelihood.max()) * prior
    chance /= chance.sum()

    mean, answers = _find_common_mean(rate, count, precision)
    shrinkage = precision[:, None] / (precision[:, None] + count)
    centre = shrinkage * mean[:, None] + (1 - shrinkage) * rate
    best = int(likelihood.argmax())
    is_chance = np.ptp(rate) < EXACT or (best == GRID - 1 and last == GRID - 1)
    shrunken = np.full(len(rate), mean[-1]) if is_chance else centre[best]
    variance = centre * (1 - centre) / (precision[:, None] + count + 1) + (centre - shrunken) ** 2
    common = shrinkage**2 * (mean * (1 - mean) / answers)[:, None]
    return Shrunken(shrunken, chance @ variance, chance @ common)


def _find_common_mean(rate: Array, count: Array, precision: Array) -> tuple[Array, Array]:
    """Mean of the true rates at each precision, and how many independent answers would tell it as well."""
    weight = count * (precision[:, None] + 1) / (count + precision[:, None])
    answers = weight.sum(axis=1)
    # All met does not mean that nothing can ever be unmet: half an answer at the least is (Jeffreys 1946).
    least = 0.5 / (answers + 1)
    return np.clip(weight @ rate / answers, least, 1 - least), answers


def _find_likelihood(rate: Array, count: Array, precision: Array) -> Array:
    """Log-likelihood of each precision, beta-binomial, less what does not depend on it."""
    mean, _ = _find_common_mean(rate, count, precision)
    met, unmet = (precision * mean)[:, None], (precision * (1 - mean))[:, None]
    likelihood: Array = (
        special.gammaln(met + rate * count)
        + special.gammaln(unmet + (1 - rate) * count)
        - special.gammaln(precision[:, None] + count)
        - special.gammaln(met)
        - special.gammaln(unmet)
        + special.gammaln(precision[:, None])
    ).sum(axis=1)
    return likelihood


def _fit_beta(mean: Array, variance: Array) -> tuple[Array, Array]:
    # No beta distribution has more variance than mean · (1 − mean): as wide as can be is then the answer.
    precision = np.maximum(mean * (1 - mean) / variance - 1, 0.01)
    return mean * precision, (1 - mean) * precision


def _find_interval(shrunken: Shrunken) -> tuple[Array, Array]:
    met, unmet = _fit_beta(shrunken.mean, shrunken.variance + shrunken.common)
    low, high = (special.betaincinv(met, unmet, share) for share in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return np.fmin(low, shrunken.mean), np.fmax(high, shrunken.mean)


def _find_place_interval(shrunken: Shrunken, seed: int) -> tuple[Array, Array]:
    """Both ends of the interval of places; the error of the common mean moves all entities, so it moves no place."""
    met, unmet = _fit_beta(shrunken.mean, shrunken.variance)
    generator = np.random.default_rng(seed)
    draws = _draw_log_gamma(generator, unmet)
    draws -= _draw_log_gamma(generator, met)
    # One draw at a time stays in the cache of a core, and numbers are no longer than they need to be, for the same.
    number = np.arange(1, len(met) + 1, dtype=np.min_scalar_type(len(met)))
    places = np.empty(draws.shape, dtype=number.dtype)
    for place, draw in zip(places, draws, strict=True):
        place[draw.argsort()] = number
    places = np.sort(places.T, axis=1)
    tail = round(DRAWS * (1 - LEVEL) / 2)
    return places[:, tail - 1].astype(float), places[:, DRAWS - tail].astype(float)


def _draw_log_gamma(generator: np.random.Generator, shape: Array) -> Drawn:
    """Logarithms of draws from gamma distributions, one row per draw: the log odds of a beta are the difference of two.

    A small shape has draws that a float cannot tell from 0; G(shape) = G(shape + 1) · U^(1 ÷ shape) keeps them apart.
    """
    is_small = shape < 1
    size = (DRAWS, len(shape))
    draws: Drawn = generator.standard_gamma((shape + is_small).astype(np.float32), size, dtype=np.float32)
    np.log(draws, out=draws)
    waits = generator.standard_exponential((DRAWS, int(is_small.sum())), dtype=np.float32)
    draws[:, is_small] -= np.divide(waits, shape[is_small], dtype=np.float32)
    return draws
