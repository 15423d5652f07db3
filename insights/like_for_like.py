"""Rates across checklist versions, as asked and like for like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]

SUMS: Final = (
    "period", "all_numerator", "all_denominator", "items", "common_numerator_before", "common_denominator_before",
    "common_numerator", "common_denominator", "common_items", "before",
)  # fmt: skip
"""Columns of the sums of periods."""
ABSOLUTE: Final = 1e-9
RELATIVE: Final = 1e-12
"""Sums that differ by less than both together are the same: they were only added up in another order."""


def chain_rates(periods: pd.DataFrame, anchor: Literal["first", "last"] = "last") -> pd.DataFrame:
    """The rate of each period as asked, and like for like: moved only by item lineages that both periods asked.

    One row per period, in order, with the sums of what was asked (`all_numerator`, `all_denominator`) and, over the
    item lineages that this period and the last one before it with answers both asked, the sums of that earlier period
    (`common_numerator_before`, `common_denominator_before`) and of this one (`common_numerator`,
    `common_denominator`). The result has the same index and

    - as_asked: the rate as asked;
    - like_for_like: as asked at the anchor (the first or the last period with answers), and from there, step by step,
      the change on common lineages;
    - bridge: what the revision did at this step: change as asked minus change on common lineages, exactly 0 where
      both periods asked the same;
    - cumulative_bridge: as_asked minus like_for_like, which is what all revisions between here and the anchor did;
    - is_revised: whether the sums of common lineages differ from those as asked;
    - common_share: how much of the weight the common lineages are, on the side where they are less.

    It says nothing (NaN) for a period without answers, which the next step skips, for the step into the first period,
    and for a step without common lineages; like for like is then silent on the side of it that is not the anchor's.
    Common lineages are common to the group: entities that came or went are in the change on common lineages.
    Additive form of chaining by overlap, as in ILO et al. (2004), Consumer Price Index Manual, chapters 8 and 9.
    """
    found = pd.DataFrame(
        {"as_asked": np.nan, "like_for_like": np.nan, "bridge": np.nan, "cumulative_bridge": np.nan},
        index=periods.index,
    ).assign(is_revised=False, common_share=np.nan)
    has_answers = _read(periods, "all_denominator") > 0
    if not has_answers.any():
        return found
    answered = periods[has_answers]
    whole = _read_sums(answered, "all_{}")
    common = _read_sums(answered, "common_{}")[:, 1:]
    earlier = _read_sums(answered, "common_{}_before")[:, 1:]
    as_asked = whole[0] / whole[1]
    is_same = _match(common, whole[:, 1:]) & _match(earlier, whole[:, :-1])
    change = _divide(*common) - _divide(*earlier)
    bridge = np.where(is_same, 0.0, np.diff(as_asked) - change)
    # Summed away from the anchor, so that a step that is not known silences only what lies behind it.
    if anchor == "first":
        cumulative = np.concatenate([[0.0], np.cumsum(bridge)])
    else:
        cumulative = np.concatenate([0.0 - np.cumsum(bridge[::-1])[::-1], [0.0]])
    shares = np.minimum(common[1] / whole[1, 1:], earlier[1] / whole[1, :-1])
    return found.assign(
        as_asked=_place(as_asked, has_answers),
        like_for_like=_place(as_asked - cumulative, has_answers),
        bridge=_place(np.concatenate([[np.nan], bridge]), has_answers),
        cumulative_bridge=_place(cumulative, has_answers),
        is_revised=_place(np.concatenate([[0.0], ~is_same]), has_answers) == 1,
        common_share=_place(np.concatenate([[np.nan], shares]), has_answers),
    )


def sum_common_items(frame: pd.DataFrame, periods: Sequence[str]) -> pd.DataFrame:
    """The sums that `chain_rates` takes, from one row per period and item lineage.

    Columns: period, item_lineage, numerator, denominator and answers (items asked, unanswered ones included). The
    result has one row per period, in the order given, and says as well how many `items` it asked, how many of them
    (`common_items`) the last period before it with answers asked too, and which one that was (`before`).
    """
    up, down, asked = (
        frame.pivot_table(index="period", columns="item_lineage", values=name, aggfunc="sum")
        .reindex(list(periods))
        .fillna(0.0)
        .to_numpy(dtype=float)
        for name in ("numerator", "denominator", "answers")
    )
    is_asked = asked > 0
    rows: list[dict[str, object]] = []
    before: int | None = None
    for now, period in enumerate(periods):
        row: dict[str, object] = {
            "period": period,
            "all_numerator": up[now].sum(),
            "all_denominator": down[now].sum(),
            "items": int(is_asked[now].sum()),
        }
        if before is not None:
            common = is_asked[now] & is_asked[before]
            row |= {
                "common_numerator_before": up[before][common].sum(),
                "common_denominator_before": down[before][common].sum(),
                "common_numerator": up[now][common].sum(),
                "common_denominator": down[now][common].sum(),
                "common_items": int(common.sum()),
                "before": periods[before],
            }
        rows.append(row)
        if down[now].sum() > 0:
            before = now
    return pd.DataFrame(rows, columns=[*SUMS]).set_index("period")


def _read(periods: pd.DataFrame, name: str) -> Array:
    values: Array = periods[name].to_numpy(dtype=float, na_value=np.nan)
    return values


def _read_sums(periods: pd.DataFrame, form: str) -> Array:
    """Numerators and denominators, one below the other."""
    return np.stack([_read(periods, form.format(name)) for name in ("numerator", "denominator")])


def _match(one: Array, other: Array) -> npt.NDArray[np.bool_]:
    """Where both sums are equal, but for the order in which they were taken."""
    is_close = np.abs(one - other) <= ABSOLUTE + RELATIVE * np.abs(other)
    matches: npt.NDArray[np.bool_] = is_close[0] & is_close[1]
    return matches


def _divide(some: Array, whole: Array) -> Array:
    """Rates, NaN where there is nothing to divide by."""
    rates = np.full(some.shape, np.nan)
    np.divide(some, whole, out=rates, where=whole > 0)
    return rates


def _place(values: Array, places: npt.NDArray[np.bool_]) -> Array:
    """The values at their places, NaN elsewhere."""
    placed = np.full(len(places), np.nan)
    placed[places] = values
    return placed
