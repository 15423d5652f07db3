"""Whether a target is reached in time: the pace that it needs, and where the rate is heading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

Array = npt.NDArray[np.float64]

MIN_ROUNDS: Final = 6
"""With fewer known rounds there is no forecast, only the pace that is needed."""
RECENT: Final = 4
"""Known rounds over which the recent pace is taken."""
BAND: Final = 0.8
"""Chance that a later round lies within the band of its forecast."""
GUARD: Final = 0.001
"""Rates nearer to 0 or 1 count as this far away, as the logit has no value there."""
FITTED: Final = 2
"""Degrees of freedom that the fit takes from the one-step errors."""
EXACT: Final = 1e-9
"""Less than this is rounding in a rate."""

_ALPHAS, _BETAS, _PHIS = (
    cells.ravel()
    for cells in np.meshgrid(
        [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
        [0.0, 0.05, 0.1, 0.2, 0.3, 0.5],
        [0.8, 0.86, 0.92, 0.98],
        indexing="ij",
    )
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How far a target is, and the chance to reach it.

    needed: change per round (in rates 0..1) that reaches the target in the rounds left, 0 once it is reached, null
    without rounds left; recent: mean change per round over the last RECENT known rounds, null with fewer than 2;
    is_reached: whether the last known rate is at the target; forecast: one row per round left, with the columns step
    (1 is the next round), rate (as likely above as below), low and high (80 % band); chance: of reaching the target in
    the last of those rounds, null where there is no forecast; is_enough: whether the rounds carry a forecast.
    """

    needed: float
    recent: float
    is_reached: bool
    forecast: pd.DataFrame
    chance: float
    is_enough: bool


@dataclass(frozen=True, slots=True)
class BackTest:
    """How forecasts of the past turned out.

    coverage: share of the later rounds that lay within the 80 % band, 0..1; error: mean absolute error in rates (0..1);
    forecasts: how many were compared. Coverage and error are null without any.
    """

    coverage: float
    error: float
    forecasts: int


@dataclass(frozen=True, slots=True)
class _Fit:
    """The damped trend after each round: shape (rounds,)."""

    alpha: Array
    beta: Array
    phi: Array
    level: Array
    trend: Array
    scale: Array  # standard deviation of one-step errors, null where there is no forecast
    freedom: Array
    missed: npt.NDArray[np.intp]  # rounds without a figure since the last known one


def find_pace(rates: pd.Series, target: float, rounds_left: int) -> Pace:
    """Will we reach the target? One rate (0..1) per round, oldest first, the last being the round of today.

    A rate that is null, or not within 0..1, is a round that passed without a figure. The forecast is Holt's method
    with a damped trend (Gardner & McKenzie 1985, Management Science 31:1237) on the logit of the rate, starting
    without a trend; its three parameters are those of a grid with the smallest squared one-step errors. The band takes
    the variance of those errors times the multipliers of `find_multipliers`, and Student's t, as that variance is
    estimated from few rounds.

    Silent (empty forecast, null chance, `is_enough` False) with fewer than MIN_ROUNDS known rounds, and where all known
    rates are the same, as nothing then tells how wide the band should be.
    """
    values = _read(rates)
    known = np.flatnonzero(~np.isnan(values))
    rounds = max(int(rounds_left), 0)
    last = values[known[-1]] if len(known) else np.nan
    is_reached = bool(last >= target - EXACT)
    needed = 0.0 if is_reached else (target - last) / rounds if rounds else np.nan
    recent = np.nan
    if len(known) > 1:
        first = known[-RECENT:][0]
        recent = (last - values[first]) / (known[-1] - first)
    fit = _fit(values)
    is_enough = bool(len(values) and fit.scale[-1] > 0)
    if not is_enough:
        return Pace(float(needed), float(recent), is_reached, _make_forecast(np.empty((3, 0))), np.nan, False)
    steps = np.arange(1, rounds + 1)
    middle, spread = _forecast(fit, len(values) - 1, steps)
    margin = special.stdtrit(fit.freedom[-1], (1 + BAND) / 2) * spread
    chance = np.nan
    if rounds and not np.isnan(target):
        away = (middle[-1] - _to_logit(np.array([target]))[0]) / spread[-1]
        chance = 1.0 if target <= 0 else 0.0 if target > 1 else float(special.stdtr(fit.freedom[-1], away))
    forecast = _make_forecast(special.expit(np.stack([middle, middle - margin, middle + margin])))
    return Pace(float(needed), float(recent), is_reached, forecast, chance, True)


def back_test(rates: pd.Series, rounds: int = 4) -> BackTest:
    """How well `find_pace` would have told the next rounds (at most `rounds` ahead) from each earlier round.

    Each forecast knows only the rounds before it. Forecasts of one series overlap, so that their number says less
    than it seems.
    """
    values = _read(rates)
    fit = _fit(values)
    hits, misses = [], []
    for origin in range(len(values)):
        if not fit.scale[origin] > 0:
            continue
        later = values[origin + 1 : origin + 1 + rounds]
        middle, spread = _forecast(fit, origin, np.arange(1, len(later) + 1))
        margin = special.stdtrit(fit.freedom[origin], (1 + BAND) / 2) * spread
        is_known = ~np.isnan(later)
        hits.append((np.abs(_to_logit(later) - middle) <= margin + EXACT)[is_known])
        misses.append(np.abs(later - special.expit(middle))[is_known])
    number = sum(len(hit) for hit in hits)
    if not number:
        return BackTest(np.nan, np.nan, 0)
    return BackTest(float(np.concatenate(hits).mean()), float(np.concatenate(misses).mean()), number)


def find_multipliers(alpha: float, beta: float, phi: float, steps: int) -> Array:
    """Variance of the forecast 1..steps rounds ahead, as a multiple of the variance one round ahead.

    1 + Σ c_j² over j = 1..h−1 with c_j = alpha · (1 + beta · (phi + … + phi^j)): Hyndman, Koehler, Ord & Snyder
    (2008), Forecasting with Exponential Smoothing, chapter 6, where alpha · beta is written as one.
    """
    shocks = alpha * (1 + beta * np.cumsum(phi ** np.arange(1, max(steps, 1))))
    multipliers: Array = 1 + np.concatenate([[0.0], np.cumsum(shocks**2)])
    return multipliers[:steps]


def _read(rates: pd.Series) -> Array:
    values: Array = rates.to_numpy(dtype=float, na_value=np.nan)
    return np.where((values >= 0) & (values <= 1), values, np.nan)


def _to_logit(rates: Array) -> Array:
    logits: Array = special.logit(np.clip(rates, GUARD, 1 - GUARD))
    return logits


def _make_forecast(curves: Array) -> pd.DataFrame:
    steps = np.arange(1, curves.shape[1] + 1)
    return pd.DataFrame({"step": steps, "rate": curves[0], "low": curves[1], "high": curves[2]})


def _fit(values: Array) -> _Fit:
    """Filter every cell of the grid through the rounds once, and pick the best cell after each of them."""
    logits = _to_logit(values)
    size = len(values)
    level, trend, damping = np.zeros(len(_ALPHAS)), np.zeros(len(_ALPHAS)), np.zeros(len(_ALPHAS))
    variance, squares, logs = np.ones(len(_ALPHAS)), np.zeros(len(_ALPHAS)), np.zeros(len(_ALPHAS))
    picked = np.full((6, size), np.nan)
    missed = np.zeros(size, dtype=np.intp)
    known = gap = 0
    power = _PHIS
    for place, logit in enumerate(logits):
        if known:
            level, trend = level + _PHIS * trend, _PHIS * trend
        if np.isnan(logit):
            gap += 1
            # A gap widens the error of the next known round as a longer forecast would.
            damping, power = damping + power, power * _PHIS
            variance = variance + (_ALPHAS * (1 + _BETAS * damping)) ** 2
        else:
            if known:
                error = logit - level
                level, trend = level + _ALPHAS * error, trend + _ALPHAS * _BETAS * error
                squares, logs = squares + error**2 / variance, logs + np.log(variance)
            else:
                level = level + logit
            known, gap, power = known + 1, 0, _PHIS
            damping, variance = np.zeros(len(_ALPHAS)), np.ones(len(_ALPHAS))
        missed[place] = gap
        if known >= MIN_ROUNDS and squares.max() > EXACT**2:
            best = int(np.argmin((known - 1) * np.log(np.maximum(squares, EXACT**2)) + logs))
            freedom = known - 1 - FITTED
            scale = np.sqrt(max(squares[best], EXACT**2) / freedom)
            picked[:, place] = _ALPHAS[best], _BETAS[best], _PHIS[best], level[best], trend[best], scale
    freedom_after = np.maximum(np.cumsum(~np.isnan(values)) - 1.0 - FITTED, 1)
    alpha, beta, phi, levels, trends, scales = picked
    return _Fit(alpha, beta, phi, levels, trends, scales, freedom_after, missed)


def _forecast(fit: _Fit, origin: int, steps: npt.NDArray[np.intp]) -> tuple[Array, Array]:
    """Middle and standard deviation on the logit, for steps after a round."""
    phi, missed = fit.phi[origin], int(fit.missed[origin])
    middle = fit.level[origin] + fit.trend[origin] * np.cumsum(phi**steps)
    ahead = find_multipliers(fit.alpha[origin], fit.beta[origin], phi, missed + len(steps))[missed:]
    return middle, fit.scale[origin] * np.sqrt(ahead)
