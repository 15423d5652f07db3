"""Intervals against published ones."""

from __future__ import annotations

import pandas as pd
import pytest

from insights.intervals import find_wilson_interval


@pytest.mark.parametrize(
    ("some", "number", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_is_that_of_newcombe(some: int, number: int, low: float, high: float) -> None:
    found = find_wilson_interval(pd.Series([some / number]), pd.Series([number])).iloc[0]
    assert (round(found["low"], 4), round(found["high"], 4)) == (low, high)


def test_nothing_counted_has_no_interval() -> None:
    found = find_wilson_interval(pd.Series([0.5, float("nan")]), pd.Series([0, 3]))
    assert found.isna().all().all()


def test_interval_stays_within_a_rate_s_bounds_and_keeps_the_index() -> None:
    found = find_wilson_interval(pd.Series([0.0, 1.0], index=[7, 9]), pd.Series([1, 1], index=[7, 9]))
    assert found.index.tolist() == [7, 9]
    assert (found["low"] >= 0).all() and (found["high"] <= 1).all()
