"""Figures that were restated: what changed between two knowledge dates, and what it did to the reported figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]

KEYS: Final = ("period", "entity")
SUMS: Final = ("numerator", "denominator")
TOLERANCE: Final = 1e-9
"""Sums that differ by less are the same: they were only added up in another order."""


def find_restatements(
    then: pd.DataFrame, now: pd.DataFrame, keys: Sequence[str] = KEYS, labels: Sequence[str] = ()
) -> pd.DataFrame:
    """Rows of a figure that differ between two knowledge dates.

    Both frames have one row per `keys` with numerator and denominator; `labels` names columns of text (such as a
    status) that are compared as well. The result has one row per key that differs, in the order of the keys:
    the keys, `kind`, numerator, denominator, the labels and the rate (each with `_then` and `_now`), and `change`
    (rate now minus rate then, NaN where either is missing). Kinds:

    - restated: it was known then, and a sum or a label is another one now;
    - came: it came since;
    - withdrawn: it was known then and is no longer.

    Without a difference there is no row.
    """
    both = _join(then, now, keys, labels)
    is_kept = both["_merge"] == "both"
    is_other = _find_changed(both)
    for name in labels:
        one, other = both[f"{name}_then"], both[f"{name}_now"]
        is_other |= ~((one == other).fillna(False).to_numpy(dtype=bool) | (one.isna() & other.isna()).to_numpy())
    kinds = np.where(is_kept, "restated", np.where(both["_merge"] == "right_only", "came", "withdrawn"))
    rates = {side: _divide(both[f"numerator_{side}"], both[f"denominator_{side}"]) for side in ("then", "now")}
    found = both.assign(kind=kinds, rate_then=rates["then"], rate_now=rates["now"], change=rates["now"] - rates["then"])
    columns = [f"{name}_{side}" for name in (*SUMS, *labels, "rate") for side in ("then", "now")]
    return (
        found.loc[is_other | ~is_kept, [*keys, "kind", *columns, "change"]]
        .sort_values([*keys], kind="stable")
        .reset_index(drop=True)
    )


def measure_effect(
    then: pd.DataFrame, now: pd.DataFrame, keys: Sequence[str] = KEYS, by: str | None = None
) -> pd.DataFrame:
    """What restatements did to a figure that was reported (the ratio of the sums over all rows).

    Frames as in `find_restatements`. One row over everything, or with `by` (one of the keys, such as the period) one
    row per value of it, in order. Columns: `by`, rate_then, rate_now, change, and the parts that add up to the change:

    - withdrawn: rows that are no longer known, taken out of what was known then;
    - restated: the rows that are left, with what is known now in place of what was known then;
    - came: rows that came since, added;

    and how many rows each part comes from (withdrawn_rows, restated_rows, came_rows, of then_rows and now_rows).
    The parts are taken one after the other in this order. Where no row is left in between, or none with a denominator,
    the parts around it share the change evenly. It says nothing (NaN) where either date has no figure.
    """
    both = _join(then, now, keys, ())
    is_kept = (both["_merge"] == "both").to_numpy()
    is_restated = is_kept & _find_changed(both)
    sums = both[[by]].copy() if by else pd.DataFrame(index=both.index)
    for name in SUMS:
        for side in ("then", "now"):
            values = np.nan_to_num(both[f"{name}_{side}"].to_numpy())
            sums[f"{name}_{side}"] = values
            sums[f"kept_{name}_{side}"] = np.where(is_kept, values, 0.0)
    counts = {
        "then_rows": (both["_merge"] != "right_only").to_numpy(),
        "now_rows": (both["_merge"] != "left_only").to_numpy(),
        "withdrawn_rows": (both["_merge"] == "left_only").to_numpy(),
        "restated_rows": is_restated,
        "came_rows": (both["_merge"] == "right_only").to_numpy(),
    }
    sums = sums.assign(**{name: marks.astype(int) for name, marks in counts.items()})
    sums = sums.groupby(by, dropna=False, sort=True).sum().reset_index() if by else sums.sum().to_frame().T
    first, left, mended, last = (
        _divide(sums[f"{start}numerator_{side}"], sums[f"{start}denominator_{side}"])
        for start, side in (("", "then"), ("kept_", "then"), ("kept_", "now"), ("", "now"))
    )
    has_left, has_mended = ~np.isnan(left), ~np.isnan(mended)
    left, mended = (
        np.where(has_left, left, (first + np.where(has_mended, mended, last)) / 2),
        np.where(has_mended, mended, (np.where(has_left, left, first) + last) / 2),
    )
    is_told = ~np.isnan(first) & ~np.isnan(last)
    parts = {"withdrawn": left - first, "restated": mended - left, "came": last - mended}
    found = sums[[by]].copy() if by else pd.DataFrame(index=sums.index)
    found = found.assign(rate_then=first, rate_now=last, change=last - first)
    found = found.assign(**{name: np.where(is_told, part, np.nan) for name, part in parts.items()})
    return found.assign(**{name: sums[name].astype(int) for name in counts})


def trace_figure(moments: pd.DataFrame) -> pd.DataFrame:
    """A figure through what was known: the dates in order, and the steps at which it changed.

    One row per knowledge date (`known_at`) of the same figure, with numerator and denominator, in any order. The
    result has the same rows by date: known_at, numerator, denominator, rate, `is_step` (the first date with a figure,
    and each later one whose numerator or denominator differs from the date before), and at steps rate_before and
    change. Rates are NaN at dates without a figure, and so is a change from or to none.
    """
    ordered = moments[["known_at", *SUMS]].sort_values("known_at", kind="stable").reset_index(drop=True)
    sums = {name: np.nan_to_num(ordered[name].to_numpy(dtype=float, na_value=np.nan)) for name in SUMS}
    rate = _divide(sums["numerator"], sums["denominator"])
    before = np.concatenate([[np.nan], rate])[: len(rate)]
    is_other = np.any([np.abs(np.diff(values, prepend=0.0)) > TOLERANCE for values in sums.values()], axis=0)
    is_step = is_other & ~(np.isnan(rate) & np.isnan(before))
    before = np.where(is_step, before, np.nan)
    return ordered.assign(**sums, rate=rate, is_step=is_step, rate_before=before, change=rate - before)


def _join(then: pd.DataFrame, now: pd.DataFrame, keys: Sequence[str], labels: Sequence[str]) -> pd.DataFrame:
    """Both dates side by side: keys, sums and labels with `_then` and `_now`, and `_merge`."""
    columns = [*keys, *SUMS, *labels]
    both = then[columns].merge(
        now[columns], how="outer", on=[*keys], suffixes=("_then", "_now"), indicator=True, validate="one_to_one"
    )
    sums = {f"{name}_{side}": both[f"{name}_{side}"] for name in SUMS for side in ("then", "now")}
    return both.assign(**{name: values.to_numpy(dtype=float, na_value=np.nan) for name, values in sums.items()})


def _find_changed(both: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Rows of which a sum differs; a missing sum is nothing."""
    is_changed = np.zeros(len(both), dtype=bool)
    for name in SUMS:
        one, other = (np.nan_to_num(both[f"{name}_{side}"].to_numpy()) for side in ("then", "now"))
        is_changed |= np.abs(one - other) > TOLERANCE
    return is_changed


def _divide(numerators: npt.ArrayLike, denominators: npt.ArrayLike) -> Array:
    """Rates, NaN where there is nothing to divide by."""
    some, whole = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    rates = np.full(some.shape, np.nan)
    np.divide(some, whole, out=rates, where=whole > 0)
    return rates
