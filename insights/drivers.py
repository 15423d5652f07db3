"""What drove the change of a rate between two rounds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from metrics.matching import SETS

Array = npt.NDArray[np.float64]

PARTS: Final = ("within", "not_applicable", "not_answered", "revision", "mix", "entry", "exit")
"""Parts of a change, in the order in which a waterfall shows them."""


@dataclass(frozen=True, slots=True)
class Drivers:
    """Parts of a change, summed.

    `labels` has one row per label (its index) with the columns PARTS and `change`; `total` is the same over all
    entities; `waterfall` has one row per step (`before`, the PARTS, `after`) with the columns step, change (NaN at
    both ends), begin and end, where each part begins where the one before it ends.
    """

    labels: pd.DataFrame
    total: pd.Series
    waterfall: pd.DataFrame


def standardise(before: npt.ArrayLike, after: npt.ArrayLike) -> Array:
    """Effect of each of k factors on the change of their product: the effects add up to that change.

    Both states have shape (k,), or (k, n) for n products side by side; so has the result. Each factor's change is
    multiplied by the other factors, averaged over every order in which the factors could have changed.
    Das Gupta (1993), Standardization and Decomposition of Rates, chapter 2; two factors: Kitagawa (1955).
    """
    old, new = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    number = len(old)
    effects: Array = np.zeros_like(old)
    for factor in range(number):
        others = [other for other in range(number) if other != factor]
        for size in range(number):
            share = 1 / (number * comb(number - 1, size))
            for changed in combinations(others, size):
                kept = [other for other in others if other not in changed]
                effects[factor] += share * np.prod(new[[*changed]], axis=0) * np.prod(old[kept], axis=0)
    effects *= new - old
    return effects


def decompose_change(frame: pd.DataFrame) -> pd.DataFrame:
    """Contribution of each entity to the change of a group's rate (ratio of sums), split into PARTS, in rate units.

    One row per entity, with columns `<set>_numerator_<side>` and `<set>_denominator_<side>` (weights; nothing is 0)
    for each side (before, after) and each of the SETS:

    - all: every answer of the entity in that round;
    - asked: only item lineages that it was asked in both rounds;
    - answered: only those that it answered in both, be it with "not applicable";
    - applicable: only those that were applicable and answered in both.

    The result has the same index and the columns PARTS; the sum over all of its cells is rate after minus rate before.

    - entry, exit: an entity with answers on one side only counts by how far it lies from the rate of those that stay,
      times its share (Melitz & Polanec 2015, RAND J Econ 46:362). Where none stays, the mean of both rates stands in.
    - mix: change of a staying entity's share times how far it lies from the others (Kitagawa 1955, JASA 50:1168).
    - The rest is the entity's own change at its mean share, split at the nested sets: within is its change on the
      answers that are applicable in both rounds; not_applicable, not_answered and revision are what its change gains
      when the lineages are added that changed to or from not applicable, that lack an answer in one round, and that
      were asked in one round only. Where a set is empty on a side, the step into it takes all that is left.

    A lineage that became not applicable is taken for what it was worth before: what it would be worth now is not known.
    A lineage whose weight a revision changed is in both sets, so the effect of its weight is in within.
    It says nothing (NaN in every cell) where one side has no answer at all, for then there is no change.
    """
    numerators: dict[str, Array] = {}
    denominators: dict[str, Array] = {}
    for side in ("before", "after"):
        for kind, found in (("numerator", numerators), ("denominator", denominators)):
            columns = frame[[f"{name}_{kind}_{side}" for name in SETS]]
            found[side] = np.nan_to_num(columns.to_numpy(dtype=float, na_value=np.nan))
    weight_before, weight_after = denominators["before"][:, 0], denominators["after"][:, 0]
    if not (weight_before > 0).any() or not (weight_after > 0).any():
        return pd.DataFrame(np.nan, index=frame.index, columns=[*PARTS])
    rates = {side: _divide(numerators[side], denominators[side]) for side in numerators}
    rate_before, rate_after = rates["before"][:, 0], rates["after"][:, 0]

    stays = (weight_before > 0) & (weight_after > 0)
    enters, leaves = ~stays & (weight_after > 0), ~stays & (weight_before > 0)
    if stays.any():
        stayers_before = numerators["before"][stays, 0].sum() / weight_before[stays].sum()
        stayers_after = numerators["after"][stays, 0].sum() / weight_after[stays].sum()
    else:
        overall = [numerators[side][:, 0].sum() / denominators[side][:, 0].sum() for side in numerators]
        stayers_before = stayers_after = sum(overall) / 2
    entry = np.where(enters, weight_after / weight_after.sum() * (rate_after - stayers_after), 0.0)
    leave = np.where(leaves, weight_before / weight_before.sum() * (stayers_before - rate_before), 0.0)

    share_before = _divide(np.where(stays, weight_before, 0.0), weight_before[stays].sum())
    share_after = _divide(np.where(stays, weight_after, 0.0), weight_after[stays].sum())
    distance = (rate_before + rate_after - stayers_before - stayers_after) / 2
    mix = np.where(stays, (share_after - share_before) * distance, 0.0)

    is_comparable = (denominators["before"] > 0) & (denominators["after"] > 0)
    changes = np.where(is_comparable, rates["after"] - rates["before"], 0.0)
    share = np.where(stays, (share_before + share_after) / 2, 0.0)
    steps = changes.copy()
    steps[:, :-1] -= changes[:, 1:]
    revision, not_answered, not_applicable, within = (steps * share[:, None]).T
    return pd.DataFrame(
        {
            "within": within,
            "not_applicable": not_applicable,
            "not_answered": not_answered,
            "revision": revision,
            "mix": mix,
            "entry": entry,
            "exit": leave,
        },
        index=frame.index,
    )


def sum_parts(parts: pd.DataFrame, by: pd.Series | None = None, start: float = 0.0) -> Drivers:
    """Sums the parts of `decompose_change` over a label of each entity, and in total as a waterfall.

    `by` gives the label (such as the region) of each row of `parts`, by its index; a missing label is a label.
    `start` is the group's rate before; without it the waterfall begins at 0 and shows the changes alone.
    """
    cells = parts[[*PARTS]]
    labels = cells.iloc[:0] if by is None else cells.groupby(by, dropna=False).sum(skipna=False)
    # Without any entity there is no change to speak of, and a sum of nothing would say 0.
    total = cells.sum(skipna=False) if len(cells) else cells.sum() * np.nan
    ends = start + total.to_numpy().cumsum()
    waterfall = pd.DataFrame(
        {
            "step": ["before", *PARTS, "after"],
            "change": [np.nan, *total, np.nan],
            "begin": [start, start, *ends],
            "end": [start, *ends, ends[-1]],
        }
    )
    return Drivers(
        labels=labels.assign(change=labels.sum(axis=1, skipna=False)),
        total=pd.concat([total, pd.Series({"change": total.sum(skipna=False)})]),
        waterfall=waterfall,
    )


def _divide(numerators: Array, denominators: npt.ArrayLike) -> Array:
    """Ratios, 0 where there is nothing to divide by."""
    whole = np.broadcast_to(np.asarray(denominators, dtype=float), numerators.shape)
    ratios = np.zeros_like(numerators)
    np.divide(numerators, whole, out=ratios, where=whole > 0)
    return ratios
