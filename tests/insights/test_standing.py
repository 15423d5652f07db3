"""Deviation scores against the published shares, and percentiles that hold for any distribution."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.standing import MIN_PEERS, find_share_above, find_standing

VALUES = st.lists(st.one_of(st.none(), st.sampled_from([0.0, 0.5, 0.9, 1.0]), st.floats(0, 1)), max_size=25)


@pytest.mark.parametrize(("score", "above"), [(40, 84.1), (45, 69.15), (60, 15.9), (70, 2.3)])
def test_share_above_is_that_of_published_tables_of_hensachi(score: int, above: float) -> None:
    share = 100 * find_share_above(pd.Series([score])).iloc[0]
    assert share == pytest.approx(above, abs=0.05)


def test_scores_have_mean_50_and_deviation_10() -> None:
    found = find_standing(pd.Series(np.random.default_rng(1).beta(20, 2, 60)))
    assert found["score"].mean() == pytest.approx(50)
    assert found["score"].std(ddof=0) == pytest.approx(10)


def test_percentile_is_the_share_of_other_peers_below_and_half_of_those_equal() -> None:
    found = find_standing(pd.Series([0.5, 0.6, 0.6, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.99, 1.0]))
    assert found["percentile"].tolist() == [0, 0.2, 0.2, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]


def test_percentile_of_normal_peers_is_near_the_share_of_the_score_and_of_skewed_ones_is_not() -> None:
    rng = np.random.default_rng(3)
    gaps = []
    for values in (rng.normal(0.7, 0.05, 2000), 1 - rng.exponential(0.05, 2000)):
        found = find_standing(pd.Series(values))
        gaps.append((found["percentile"] - (1 - find_share_above(found["score"]))).abs().max())
    assert gaps[0] < 0.03 < 0.1 < gaps[1]


def test_peers_are_those_of_the_same_group() -> None:
    values = pd.Series([*range(12), *range(100, 112), 5, 6], dtype=float, index=[*"abcdefghijklmnopqrstuvwxyz"])
    groups = pd.Series(["site"] * 12 + ["affiliate"] * 12 + ["head_office"] * 2)
    found = find_standing(values, groups)
    np.testing.assert_allclose(found["score"].iloc[:12], found["score"].iloc[12:24])
    assert found["peers"].tolist() == [12] * 24 + [2, 2]
    assert found.iloc[24:][["mean", "deviation", "score", "percentile"]].isna().all(axis=None)
    assert found.index.tolist() == values.index.tolist()


def test_too_few_peers_and_peers_that_are_all_alike_have_no_standing() -> None:
    enough = pd.Series(np.linspace(0.5, 0.9, MIN_PEERS))
    assert find_standing(enough)["score"].notna().all()
    assert find_standing(enough.iloc[1:])[["score", "percentile"]].isna().all(axis=None)
    assert find_standing(pd.Series([0.1 + 0.2] * 10 + [0.3] * 10))[["score", "percentile"]].isna().all(axis=None)


def test_lower_can_be_better() -> None:
    values = pd.Series(np.linspace(0.1, 0.5, 20))
    one, two = find_standing(values), find_standing(values, higher_is_better=False)
    np.testing.assert_allclose(one["score"] + two["score"], 100)
    np.testing.assert_allclose(one["percentile"] + two["percentile"], 1)


@settings(max_examples=40, deadline=None)
@given(VALUES, st.booleans())
def test_any_values_have_a_standing_or_none(values: list[float | None], in_groups: bool) -> None:
    given_values = pd.Series(values, dtype=float)
    groups = pd.Series(["a", None] * len(values), dtype=object).iloc[: len(values)] if in_groups else None
    found = find_standing(given_values, groups)
    assert list(found) == ["peers", "mean", "deviation", "score", "percentile"]
    assert len(found) == len(values)
    said = found.dropna(subset=["score"])
    assert said["percentile"].between(0, 1).all()
    assert (said["peers"] >= MIN_PEERS).all()
    assert given_values[said.index].notna().all()
    # A better value never stands worse.
    order = said.assign(value=given_values[said.index]).sort_values("value")
    assert order["score"].is_monotonic_increasing and order["percentile"].is_monotonic_increasing
