"""Items that stay not met: how long, how often they repeat, and how long a fix takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from insights.intervals import Z_95, find_wilson_interval

Array = npt.NDArray[np.float64]

LEAST_ROUNDS: Final = 4
"""Rounds of not met from which a spell is called chronic, unless chance asks for more (`find_least_rounds`)."""
LABELS: Final = ("measure", "category", "is_critical")
"""Optional columns of spells that describe the item."""
HALF: Final = 0.5 + 1e-12
"""A half, and what rounding makes of one."""


@dataclass(frozen=True, slots=True)
class FixTimes:
    """Kaplan-Meier estimate of the rounds until an unmet item is met.

    `curves` has one row per group and number of rounds at which something happened (and one for 0): group, rounds,
    at_risk, fixed, censored, open_rate (share still unmet after so many rounds), low and high (95 % interval, NaN where
    nothing is fixed yet and where all is). `groups` has one row per group: group, spells (used), fixed, left_out
    (spells whose beginning is not known), median (rounds until half are met), low and high (its 95 % interval, NaN
    where it is not reached). `statistic`, `degrees` and `p_value` are of the log-rank test between the groups; they
    are NaN, 0 and NaN where there are no two groups to compare.
    """

    curves: pd.DataFrame
    groups: pd.DataFrame
    statistic: float
    degrees: int
    p_value: float


def find_chronic(spells: pd.DataFrame, least_rounds: int = LEAST_ROUNDS, critical_first: bool = False) -> pd.DataFrame:
    """Spells that still last and have at least so many rounds of not met, the longest first.

    One row per spell: consecutive answered rounds of an entity and item lineage that are partly met or not met; a
    round without an answer is skipped. Columns: entity, item_lineage, rounds (in the spell), not_met_rounds (of them,
    not met), is_current, and any others, which are kept. With `critical_first`, spells of critical items
    (`is_critical`) come before all others.
    """
    is_chronic = _read_flags(spells, "is_current") & (_read_numbers(spells, "not_met_rounds") >= least_rounds)
    found = spells[is_chronic]
    order = {
        "critical": -_read_flags(found, "is_critical").astype(int) if critical_first else 0,
        "not_met": -_read_numbers(found, "not_met_rounds"),
        "rounds": -_read_numbers(found, "rounds"),
    }
    names = [f"_{name}" for name in order]
    return (
        found.assign(**{f"_{name}": values for name, values in order.items()})
        .sort_values([*names, "entity", "item_lineage"], kind="stable")
        .drop(columns=names)
        .reset_index(drop=True)
    )


def count_chronic_by_item(spells: pd.DataFrame, least_rounds: int = LEAST_ROUNDS) -> pd.DataFrame:
    """Each item lineage that was ever unmet: who has it open, for whom it is chronic, how often it repeats.

    Spells as in `find_chronic` and `measure_repeat`. Columns: item_lineage, the LABELS that spells have,
    chronic_entities, open_entities (unmet at the newest answer), longest_rounds (most rounds of not met in a spell that
    still lasts, 0 where none does), repeat_rate, low, high; most chronic entities first.
    """
    is_current, rounds = _read_flags(spells, "is_current"), _read_numbers(spells, "not_met_rounds")
    labels = [name for name in LABELS if name in spells]
    times = _read_rounds(spells)[1]
    counted = spells[["item_lineage", *labels]].assign(
        chronic_entities=np.where(is_current & (rounds >= least_rounds), times, 0),
        open_entities=np.where(is_current, times, 0),
        longest_rounds=np.where(is_current, rounds, 0),
    )
    sums = {"chronic_entities": "sum", "open_entities": "sum", "longest_rounds": "max"}
    items = counted.groupby("item_lineage", observed=True).agg({**dict.fromkeys(labels, "first"), **sums})
    items = items.astype(dict.fromkeys(sums, int)).reset_index()
    repeats = measure_repeat(spells, "item_lineage").rename(columns={"group": "item_lineage"})
    return (
        items.merge(repeats[["item_lineage", "repeat_rate", "low", "high"]], on="item_lineage")
        .sort_values(
            ["chronic_entities", "longest_rounds", "open_entities", "item_lineage"],
            ascending=[False, False, False, True],
            kind="stable",
        )
        .reset_index(drop=True)
    )


def measure_repeat(spells: pd.DataFrame, by: str | None = None) -> pd.DataFrame:
    """How often an unmet item is unmet again at the next answer, per label `by` or (without it) overall.

    Spells need rounds and is_fixed (the next answer was met); a column `count` says how many equal spells a row stands
    for. Columns: group ("all" without `by`), repeated (answers that were unmet again), fixed, repeat_rate =
    repeated / (repeated + fixed), low, high (Wilson 95 %), and expected_rate: the same if each answer were independent
    of the one before, from an optional column `base_rate` (rate at which the item is unmet at all), else NaN.

    Probability of staying in the unmet state of a two-state Markov chain, by maximum likelihood (Anderson & Goodman
    1957, Ann Math Stat 28:89). An answer that follows as not applicable counts as neither. It takes answers as
    independent given the one before. It says nothing (NaN) where no unmet answer was followed by another answer.
    """
    groups, codes = _read_groups(spells, by)
    rounds, times = _read_rounds(spells)
    repeats = (rounds - 1) * times
    fixes = _read_flags(spells, "is_fixed") * times
    repeated, fixed = (_sum_by(codes, values, len(groups)) for values in (repeats, fixes))
    expected = np.full(len(groups), np.nan)
    if "base_rate" in spells:
        base = _read_numbers(spells, "base_rate")
        weights = np.where(np.isnan(base), 0.0, repeats + fixes)
        product = _sum_by(codes, weights * np.nan_to_num(base), len(groups))
        expected = _divide(product, _sum_by(codes, weights, len(groups)))
    found = pd.DataFrame(
        {
            "group": groups,
            "repeated": repeated.astype(int),
            "fixed": fixed.astype(int),
            "repeat_rate": _divide(repeated, repeated + fixed),
        }
    )
    interval = find_wilson_interval(found["repeat_rate"], found["repeated"] + found["fixed"])
    return found.assign(low=interval["low"], high=interval["high"], expected_rate=expected)


def estimate_time_to_fix(spells: pd.DataFrame, by: str | None = None) -> FixTimes:
    """How many answers after the first unmet one an item is met, with spells that did not end that way censored.

    Spells need rounds, is_fixed and is_from_start, and may have `count` as in `measure_repeat`. A spell of n rounds
    that was fixed took n answers to be met; one that was not fixed was seen to stay unmet n − 1 times and is censored
    there, be it that it still lasts or that the item became not applicable. Spells that began in the first round in
    which the entity answered the item are left out, as nobody knows how long they had lasted; they are counted.

    Kaplan & Meier (1958), JASA 53:457; variance by Greenwood (1926), interval on the log-log scale (Kalbfleisch &
    Prentice 1980), that of the median by inverting it (Brookmeyer & Crowley 1982, Biometrics 38:29); log-rank test by
    Mantel (1966). It takes censoring as unrelated to the time to fix, and spells as independent, so with several items
    of one entity the intervals are too narrow.
    """
    groups, codes = _read_groups(spells, by)
    rounds, times = _read_rounds(spells)
    is_fixed, is_used = _read_flags(spells, "is_fixed"), ~_read_flags(spells, "is_from_start")
    seen = np.where(is_used, rounds - ~is_fixed, 0).astype(np.intp)
    shape = len(groups), int(seen.max(initial=0)) + 1
    # One row per group and one column per number of rounds.
    fixed, censored = (
        _sum_by(codes * shape[1] + seen, marks * times, shape[0] * shape[1]).reshape(shape)
        for marks in (is_used & is_fixed, is_used & ~is_fixed)
    )
    at_risk = (fixed + censored)[:, ::-1].cumsum(axis=1)[:, ::-1]
    open_rate, low, high = _estimate_open_rate(at_risk, fixed)
    curves = pd.DataFrame(
        {
            "group": groups.repeat(shape[1]),
            "rounds": np.tile(np.arange(shape[1]), shape[0]),
            "at_risk": at_risk.ravel().astype(int),
            "fixed": fixed.ravel().astype(int),
            "censored": censored.ravel().astype(int),
            "open_rate": open_rate.ravel(),
            "low": low.ravel(),
            "high": high.ravel(),
        }
    )
    happened = (curves["fixed"] + curves["censored"] > 0) | (curves["rounds"] == 0)
    return FixTimes(
        curves[happened & (curves["at_risk"] > 0)].reset_index(drop=True),
        pd.DataFrame(
            {
                "group": groups,
                "spells": at_risk[:, 0].astype(int),
                "fixed": fixed.sum(axis=1).astype(int),
                "left_out": _sum_by(codes, ~is_used * times, shape[0]).astype(int),
                "median": _find_first_half(open_rate),
                "low": _find_first_half(low),
                "high": _find_first_half(high),
            }
        ),
        *_test_log_rank(at_risk, fixed),
    )


def find_least_rounds(rate: npt.ArrayLike, cells: npt.ArrayLike, level: float = 0.05) -> int | None:
    """From how many unmet rounds in a row on chance is no explanation: fewer than `level` such cells are expected.

    `rate` is the probability that an answer is unmet and `cells` the number of entity × item cells; either one number
    for all, or one per item, which is right where items are of different difficulty. If every answer were drawn on its
    own, cells·rate^rounds of the cells would end in that many unmet rounds; the sum over the items is also a bound on
    the probability of any (union bound, Bonferroni 1936). With a repeat rate in place of the rate it allows for answers
    that follow the one before. For spells at any time, not only at the newest answer, give cells × rounds.

    None where no number is enough: an item that is always unmet, or a rate that is not known.
    """
    rates, numbers = np.broadcast_arrays(np.asarray(rate, dtype=float), np.asarray(cells, dtype=float))
    rates, numbers = rates[numbers > 0], numbers[numbers > 0]
    if np.isnan(rates).any() or np.isnan(np.asarray(cells, dtype=float)).any() or not level > 0:
        return None
    if (rates >= 1).any():
        return None
    least, most = 1, 1
    while (numbers * rates**most).sum() >= level:
        least, most = most + 1, most * 2
    while least < most:
        middle = (least + most) // 2
        if (numbers * rates**middle).sum() < level:
            most = middle
        else:
            least = middle + 1
    return most


def _estimate_open_rate(at_risk: Array, fixed: Array) -> tuple[Array, Array, Array]:
    """Kaplan-Meier estimate with its interval, of arrays with one row per group and one column per round from 0 on."""
    left = at_risk - fixed
    with np.errstate(divide="ignore", invalid="ignore"):
        open_rate = np.where(at_risk > 0, left / at_risk, 1.0).cumprod(axis=1)
        variance = np.where(fixed > 0, fixed / (at_risk * left), 0.0).cumsum(axis=1)
        log_rate = np.log(open_rate)
        reach = np.exp(Z_95 * np.sqrt(variance) / -log_rate)
        low, high = np.exp(log_rate * reach), np.exp(log_rate / reach)
    is_bounded = (open_rate > 0) & (open_rate < 1)
    return open_rate, np.where(is_bounded, low, np.nan), np.where(is_bounded, high, np.nan)


def _find_first_half(rates: Array) -> Array:
    """First column of each row in which the rate is a half or less, NaN where there is none."""
    is_half = rates <= HALF
    return np.where(is_half.any(axis=1), is_half.argmax(axis=1), np.nan)


def _test_log_rank(at_risk: Array, fixed: Array) -> tuple[float, int, float]:
    """Statistic, degrees of freedom and p-value of the log-rank test of arrays as in `_estimate_open_rate`."""
    risk, all_fixed = at_risk.sum(axis=0), fixed.sum(axis=0)
    has_event = (all_fixed > 0) & (risk > 1)
    risk, all_fixed = risk[has_event], all_fixed[has_event]
    shares = at_risk[:, has_event] / risk
    surplus = (fixed[:, has_event] - shares * all_fixed).sum(axis=1)
    spread = all_fixed * (risk - all_fixed) / (risk - 1)
    # Surpluses sum to 0, so of the groups that have something to say one is left out.
    told = np.flatnonzero((spread * shares * (1 - shares)).sum(axis=1) > 0)[:-1]
    if not len(told):
        return np.nan, 0, np.nan
    shares, surplus = shares[told], surplus[told]
    covariance = np.diag((spread * shares).sum(axis=1)) - (spread * shares) @ shares.T
    statistic = float(surplus @ np.linalg.solve(covariance, surplus))
    return statistic, len(told), float(special.chdtrc(len(told), statistic))


def _read_groups(spells: pd.DataFrame, by: str | None) -> tuple[pd.Index, npt.NDArray[np.intp]]:
    """Labels in order, and the place of each spell's label among them; a missing label is a label."""
    if by is None:
        return pd.Index(["all"]), np.zeros(len(spells), dtype=np.intp)
    codes, groups = pd.factorize(spells[by], sort=True, use_na_sentinel=False)
    return pd.Index(groups), codes


def _sum_by(codes: npt.NDArray[np.intp], values: npt.NDArray[np.generic], number: int) -> Array:
    """Sum of the values at each of so many places."""
    return np.bincount(codes, weights=values, minlength=number).astype(float)


def _read_numbers(spells: pd.DataFrame, name: str) -> Array:
    values: Array = spells[name].to_numpy(dtype=float, na_value=np.nan)
    return values


def _read_rounds(spells: pd.DataFrame) -> tuple[Array, Array]:
    """Rounds of each spell, and how many equal spells its row stands for: none where the rounds are missing."""
    rounds = _read_numbers(spells, "rounds")
    counts = _read_numbers(spells, "count") if "count" in spells else np.ones(len(spells))
    is_spell = (rounds >= 1) & (counts > 0)
    return np.where(is_spell, rounds, 1.0), np.where(is_spell, counts, 0.0)


def _read_flags(spells: pd.DataFrame, name: str) -> npt.NDArray[np.bool_]:
    """A column of booleans; missing ones and a missing column are false."""
    if name not in spells:
        return np.zeros(len(spells), dtype=bool)
    flags: npt.NDArray[np.bool_] = spells[name].eq(True).fillna(False).to_numpy(dtype=bool)
    return flags


def _divide(numerators: Array, denominators: Array) -> Array:
    """Rates, NaN where there is nothing to divide by."""
    rates = np.full(numerators.shape, np.nan)
    np.divide(numerators, denominators, out=rates, where=denominators > 0)
    return rates
