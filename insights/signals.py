"""Which rounds of an entity say that something changed, beyond the noise between its rounds."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MIN_ROUNDS: Final = 6
"""With fewer rounds, how much a rate moves anyway cannot be told, and there is no signal."""
RULES: Final = ("outside", "trend", "shift", "near_limit")
RUN: Final = 7
"""Rounds in a row that make a trend or a shift."""
LIMIT: Final = 3.0
NEAR_LIMIT: Final = 2.0
"""Distances from the centre, in standard deviations."""
RANGE_FACTOR: Final = 1.128
"""Mean distance between two draws from a normal distribution, in standard deviations (d2 of control charts)."""
EXACT: Final = 1e-9
"""Less than this is rounding: in rates, and in their distances in standard errors."""
COLUMNS: Final = ("rate", "centre", "low", "high", "signals", "direction", "is_enough")

# The combinations of rules, by the sum of 1, 2, 4 and 8 for each rule in their order.
_SIGNALS = np.empty(2 ** len(RULES), dtype=object)
for _code in range(len(_SIGNALS)):
    _SIGNALS[_code] = tuple(rule for place, rule in enumerate(RULES) if _code >> place & 1)


def find_signals(rates: pd.Series, counts: pd.Series) -> pd.DataFrame:
    """The p′-chart of one entity: rates (0..1) and counts of answers, one per round, oldest first, on the same index.

    A round without a rate within 0..1 or without answers has no figure; it is skipped and breaks no run. The result
    has the same index and

    - rate: as given, null without a figure; centre: all that was met ÷ all answers, the same in each round;
    - low, high: limits of what its rounds do anyway, within 0..1 (a limit at 0 or 1 cannot be crossed);
    - signals: tuple of the rules (RULES) that this round completes;
    - direction: "higher" or "lower", "" without a signal. It is the way of a trend, unless the round is outside a
      limit, and else the side of the centre on which the round lies;
    - is_enough: whether MIN_ROUNDS rounds have a figure, the same in each round.

    Limits: Laney (2002), Quality Engineering 14:531: centre ± 3 · σ_p · σ_z, where σ_p is the standard error of a
    binomial rate of that count and σ_z the mean moving range of the distances z = (rate − centre) ÷ σ_p, divided by
    1.128. Rules: NHS England, Making Data Count: `outside` a limit; `trend`: 7 rounds in a row each higher, or each
    lower, than the one before; `shift`: 7 in a row on one side of the centre; `near_limit`: 2 of 3 in a row beyond two
    thirds of the way to the limit on the same side. A run marks the round that completes it and those that go on.

    Silent (null limits, no signals) with fewer than MIN_ROUNDS rounds with a figure, and where nothing varies.
    """
    frame = pd.DataFrame({"rate": rates.array, "count": counts.array, "period": np.arange(len(rates)), "series": 0})
    return find_many_signals(frame, "series")[list(COLUMNS)].set_axis(rates.index)


def find_many_signals(frame: pd.DataFrame, by: str | list[str]) -> pd.DataFrame:
    """The p′-charts of many series at once: a long frame with the columns by, period and those of `find_signals`.

    `frame` has one row per series (`by`: one or more columns) and period, with the columns period (what orders the
    rounds), rate and count. The result has its index and order.
    """
    keys = [by] if isinstance(by, str) else list(by)
    found = frame[[*keys, "period"]].copy()
    if frame.empty:
        return found.assign(
            **{name: pd.Series(dtype=float) for name in ("rate", "centre", "low", "high")},
            **{name: pd.Series(dtype=object) for name in ("signals", "direction")},
            is_enough=pd.Series(dtype=bool),
        )
    rate = frame["rate"].to_numpy(dtype=float, na_value=np.nan)
    count = frame["count"].to_numpy(dtype=float, na_value=np.nan)
    is_known = (rate >= 0) & (rate <= 1) & (count > 0) & np.isfinite(count)
    series = frame.groupby(keys, sort=False, dropna=False, observed=True).ngroup().to_numpy()
    place, _ = pd.factorize(frame["period"], sort=True, use_na_sentinel=False)
    # Known rounds first, so that each series is one row of a matrix without gaps between its rounds.
    order = np.lexsort((place, ~is_known, series))
    size = np.bincount(series)
    row, column = series[order], np.arange(len(frame)) - np.repeat(np.cumsum(size) - size, size)
    rates, counts = np.full((2, len(size), size.max()), np.nan)
    rates[row, column] = np.where(is_known, rate, np.nan)[order]
    counts[row, column] = np.where(is_known, count, np.nan)[order]
    centre, margin = _find_limits(rates, counts)
    rules = _apply_rules(rates, centre, margin)
    codes = np.stack(rules, axis=-1) @ (1 << np.arange(len(RULES)))
    with np.errstate(invalid="ignore"):
        is_rising = np.diff(rates, axis=1, prepend=np.nan) > 0
        is_above = rates > centre[:, None]
    # A steady rise from far below the centre is on its way up, though its first rounds lie on the low side.
    is_higher = np.where(rules[1] & ~rules[0], is_rising, is_above)
    direction = np.where(codes == 0, "", np.where(is_higher, "higher", "lower"))
    back = np.empty(len(frame), dtype=np.intp)
    back[order] = np.arange(len(frame))
    row, column = row[back], column[back]
    return found.assign(
        rate=rates[row, column],
        centre=centre[row],
        low=np.clip(centre[:, None] - margin, 0, 1)[row, column],
        high=np.clip(centre[:, None] + margin, 0, 1)[row, column],
        signals=_SIGNALS[codes[row, column]],
        direction=direction[row, column].astype(object),
        is_enough=_is_enough(rates)[row],
    )


def _is_enough(rates: Array) -> Flags:
    enough: Flags = (~np.isnan(rates)).sum(axis=1) >= MIN_ROUNDS
    return enough


def _find_limits(rates: Array, counts: Array) -> tuple[Array, Array]:
    """Centre of each series, and distance of the limits from it in each round."""
    total = np.nansum(counts, axis=1)
    centre = np.full(len(rates), np.nan)
    np.divide(np.nansum(rates * counts, axis=1), total, out=centre, where=total > 0)
    centre = np.clip(centre, 0, 1)
    error = np.sqrt((centre * (1 - centre))[:, None] / counts)
    error[~(error > 0)] = np.nan
    ranges = np.abs(np.diff((rates - centre[:, None]) / error, axis=1))
    number = (~np.isnan(ranges)).sum(axis=1)
    spread = np.nansum(ranges, axis=1) / np.maximum(number, 1) / RANGE_FACTOR
    spread[(spread < EXACT) | ~_is_enough(rates)] = np.nan
    return centre, LIMIT * error * spread[:, None]


def _apply_rules(rates: Array, centre: Array, margin: Array) -> tuple[Flags, Flags, Flags, Flags]:
    """Where each of RULES is completed; nowhere without limits."""
    has_limits = ~np.isnan(margin)
    away = np.where(has_limits, rates - centre[:, None], 0)
    reach = np.where(has_limits, margin, np.inf)
    step = np.nan_to_num(np.diff(np.where(has_limits, rates, np.nan), axis=1, prepend=np.nan))
    outside = trend = shift = near = np.zeros(rates.shape, dtype=bool)
    for sign in (1, -1):
        is_near = sign * away > reach * NEAR_LIMIT / LIMIT + EXACT
        outside = outside | (sign * away > reach + EXACT)
        trend = trend | (_count_runs(sign * step > EXACT) >= RUN - 1)
        shift = shift | (_count_runs(sign * away > EXACT) >= RUN)
        near = near | (is_near & (_delay(is_near, 1) | _delay(is_near, 2)))
    return outside, trend, shift, near


def _count_runs(flags: Flags) -> npt.NDArray[np.intp]:
    """How many flags in a row are set up to each place, along rows."""
    places = np.arange(1, flags.shape[1] + 1)
    runs: npt.NDArray[np.intp] = places - np.maximum.accumulate(np.where(flags, 0, places), axis=1)
    return runs


def _delay(flags: Flags, rounds: int) -> Flags:
    delayed = np.zeros_like(flags)
    delayed[:, rounds:] = flags[:, :-rounds]
    return delayed
