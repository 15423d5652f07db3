"""Intervals against published ones, and against what entities drawn at random show."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from insights.intervals import compare_periods, compare_with_rest, find_cluster_interval, find_wilson_interval

ROWS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.integers(0, 3),
        st.one_of(st.none(), st.floats(0, 1)),
        st.sampled_from([0.0, 0.5, 1.0, 30.0, 1e6]),
    ),
    max_size=12,
    unique_by=lambda row: row[:2],
)


def make_entities(
    rng: np.random.Generator, mean: float, spread: float, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Numerators and denominators of entities that truly differ, for many groups: arrays of (group, entity)."""
    weight = mean * (1 - mean) / spread**2 - 1
    truth = rng.beta(mean * weight, (1 - mean) * weight, shape)
    sizes = rng.integers(30, 121, shape)
    return rng.binomial(sizes, truth), sizes


def make_frame(numerators: np.ndarray, denominators: np.ndarray, first_entity: int = 0) -> pd.DataFrame:
    groups, entities = numerators.shape
    return pd.DataFrame(
        {
            "group": np.repeat(np.arange(groups), entities),
            "entity": np.tile(np.arange(entities) + first_entity, groups),
            "numerator": numerators.ravel(),
            "denominator": denominators.ravel(),
        }
    )


def make_rows(rows: list[tuple[str, int, float | None, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["group", "entity", "rate", "denominator"]).astype(
        {"rate": float, "denominator": float}
    )
    return frame.assign(numerator=frame["rate"] * frame["denominator"])


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


def test_rate_is_the_ratio_of_sums_and_the_variance_that_of_cochran() -> None:
    frame = pd.DataFrame({"numerator": [60.0, 90, 70, 92], "denominator": [100.0, 100, 100, 100]})
    found = find_cluster_interval(frame).iloc[0]
    # Entities of one size: the variance of a mean of four rates, (1 / 4) Σ (rate − 0.78)² / 3.
    variance = (0.18**2 + 0.12**2 + 0.08**2 + 0.14**2) / 12
    assert found["rate"] == pytest.approx(0.78)
    assert found["entities"] == 4
    assert found["effective_answers"] == pytest.approx(0.78 * 0.22 / variance)


@pytest.mark.parametrize(("entities", "groups", "least"), [(10, 1000, 0.915), (30, 600, 0.925), (150, 300, 0.92)])
@pytest.mark.parametrize(("mean", "spread"), [(0.9, 0.06), (0.7, 0.1)])
def test_cluster_interval_covers_the_true_rate(
    entities: int, groups: int, least: float, mean: float, spread: float
) -> None:
    rng = np.random.default_rng(entities)
    found = find_cluster_interval(make_frame(*make_entities(rng, mean, spread, (groups, entities))), "group")
    covered = ((found["low"] <= mean) & (mean <= found["high"])).mean()
    assert least <= covered <= 0.98


def test_cluster_interval_is_wider_than_that_of_independent_answers() -> None:
    frame = make_frame(*make_entities(np.random.default_rng(1), 0.9, 0.08, (1, 60)))
    found = find_cluster_interval(frame, "group").iloc[0]
    answers = frame["denominator"].sum()
    alone = find_wilson_interval(pd.Series([found["rate"]]), pd.Series([answers])).iloc[0]
    assert found["high"] - found["low"] > 1.3 * (alone["high"] - alone["low"])
    assert found["effective_answers"] < answers / 1.5


def test_one_large_entity_among_small_ones_widens_the_interval() -> None:
    even = pd.DataFrame({"numerator": [80.0, 90, 85, 95, 88, 83]}).assign(denominator=100.0)
    uneven = even.assign(denominator=[1000.0] + [100.0] * 5, numerator=[800.0, 90, 85, 95, 88, 83])
    widths = [found["high"] - found["low"] for found in (find_cluster_interval(f).iloc[0] for f in (even, uneven))]
    assert widths[1] > 2 * widths[0]


def test_entities_that_are_all_alike_are_no_more_than_their_answers() -> None:
    alike = pd.DataFrame({"numerator": [9.0] * 5, "denominator": [10.0] * 5})
    assert find_cluster_interval(alike).iloc[0]["effective_answers"] == pytest.approx(50)
    assert find_cluster_interval(alike.assign(answers=4)).iloc[0]["effective_answers"] == pytest.approx(20)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_where_all_is_met_each_entity_counts_as_one_answer(rate: float) -> None:
    frame = pd.DataFrame({"numerator": [rate * 50] * 20, "denominator": [50.0] * 20})
    found = find_cluster_interval(frame).iloc[0]
    wilson = find_wilson_interval(pd.Series([rate]), pd.Series([20])).iloc[0]
    assert found["effective_answers"] == pytest.approx(20)
    assert (found["low"], found["high"]) == pytest.approx((wilson["low"], wilson["high"]))


def test_one_entity_alone_has_the_interval_of_its_answers_or_none() -> None:
    frame = pd.DataFrame({"region": ["JP"], "numerator": [81 * 2.0], "denominator": [263 * 2.0]})
    assert find_cluster_interval(frame, "region")[["low", "high"]].isna().all(axis=None)
    found = find_cluster_interval(frame.assign(answers=263), "region").iloc[0]
    assert (round(found["low"], 4), round(found["high"], 4)) == (0.2553, 0.3662)


def test_groups_keep_their_order_and_one_without_answers_says_nothing() -> None:
    frame = pd.DataFrame(
        {
            "region": ["EU", "AS", "EU", None, None],
            "numerator": [1.0, float("nan"), 2, 1, 0],
            "denominator": [2.0, 0, 2, 2, 2],
        },
        index=[5, 5, 6, 7, 8],
    )
    found = find_cluster_interval(frame, ["region"])
    assert found["region"].isna().tolist() == [False, False, True]
    assert found["region"].tolist()[:2] == ["EU", "AS"]
    assert found["entities"].tolist() == [2, 0, 2]
    assert found.loc[1, ["rate", "low", "high", "effective_answers"]].isna().all()


def test_change_of_entities_in_both_periods_is_that_of_pairs() -> None:
    before = pd.DataFrame({"entity": range(4), "numerator": [50.0, 80, 70, 90], "denominator": 100.0})
    after = before.assign(numerator=[60.0, 85, 80, 93])
    found = compare_periods(before, after).iloc[0]
    known = stats.ttest_rel(after["numerator"], before["numerator"])
    assert found["change"] == pytest.approx(0.07)
    assert found["p_value"] == pytest.approx(known.pvalue)
    assert [found["low"], found["high"]] == pytest.approx([end / 100 for end in known.confidence_interval()])
    assert found[["entities_before", "entities_after", "entities_both"]].tolist() == [4, 4, 4]


@pytest.mark.parametrize("entities", [3, 10, 30, 150])
def test_change_that_is_none_is_rarely_significant(entities: int) -> None:
    rng = np.random.default_rng(entities)
    groups = 600
    weight = 0.9 * 0.1 / 0.06**2 - 1
    truth = rng.beta(0.9 * weight, 0.1 * weight, (groups, entities))
    sizes = rng.integers(30, 121, truth.shape)
    before, after = (
        make_frame(rng.binomial(sizes, truth), np.where(rng.random(truth.shape) < 0.2, 0, sizes)) for _ in range(2)
    )
    found = compare_periods(before, after, "group")
    assert (found["p_value"] < 0.05).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / groups)
    if entities >= 30:
        assert ((found["low"] <= 0) & (found["high"] >= 0)).mean() <= 0.985


def test_planted_change_is_found_although_entities_differ_more() -> None:
    rng = np.random.default_rng(4)
    truth = rng.beta(30, 6, 60)
    sizes = rng.integers(60, 121, 60)
    before = make_frame(rng.binomial(sizes, truth)[None], sizes[None])
    after = make_frame(rng.binomial(sizes, np.clip(truth - 0.05, 0, 1))[None], sizes[None])
    found = compare_periods(before, after, "group").iloc[0]
    assert found["p_value"] < 0.001
    assert found["low"] <= -0.05 <= found["high"]


def test_periods_that_share_no_entity_are_compared_as_two_groups() -> None:
    before = pd.DataFrame({"entity": ["a", "b", "c"], "numerator": [5.0, 6, 7], "denominator": 10.0})
    after = pd.DataFrame({"entity": ["d", "e", "f"], "numerator": [7.0, 8, 9], "denominator": 10.0})
    found = compare_periods(before, after).iloc[0]
    known = stats.ttest_ind(after["numerator"], before["numerator"], equal_var=False)
    assert found["p_value"] == pytest.approx(known.pvalue)
    assert found["entities_both"] == 0


def test_change_by_one_entity_or_in_no_entity_says_nothing() -> None:
    one = pd.DataFrame({"entity": ["a"], "numerator": [5.0], "denominator": [10.0]})
    two = pd.DataFrame({"entity": ["a", "b"], "numerator": [5.0, 6], "denominator": [10.0, 10]})
    for before, after in ((one, one), (one, two), (two, two), (two.iloc[:0], two)):
        assert compare_periods(before, after)[["low", "high", "p_value"]].isna().all(axis=None)
    assert compare_periods(two.iloc[:0], two.iloc[:0]).empty


@pytest.mark.parametrize("entities", [2, 5])
def test_region_like_the_rest_is_rarely_significant(entities: int) -> None:
    rng = np.random.default_rng(entities)
    alarms = 0
    for _ in range(60):
        numerators, sizes = make_entities(rng, 0.95, 0.04, (1, entities + 60))
        frame = make_frame(numerators, sizes)
        frame["region"] = np.where(frame["entity"] < entities, "AS", "others")
        alarms += int(compare_with_rest(frame, "region").set_index("region").loc["AS", "p_value"] < 0.05)
    assert alarms <= 60 * (0.05 + 3 * np.sqrt(0.05 * 0.95 / 60))


def test_planted_region_is_found_and_both_sides_mirror() -> None:
    rng = np.random.default_rng(2)
    worse, better = make_entities(rng, 0.8, 0.06, (1, 12)), make_entities(rng, 0.9, 0.06, (1, 80))
    frame = pd.concat(
        [make_frame(*worse).assign(region="AS"), make_frame(*better, first_entity=100).assign(region="JP")]
    )
    found = compare_with_rest(frame, "region").set_index("region")
    assert found.loc["AS", "p_value"] < 0.01
    assert found.loc["AS", "low"] <= -0.1 <= found.loc["AS", "high"]
    assert found.loc["AS", "difference"] == pytest.approx(-found.loc["JP", "difference"])
    assert found.loc["AS", "rest_rate"] == pytest.approx(found.loc["JP", "rate"])
    assert found.loc["AS", ["entities", "rest_entities"]].tolist() == [12, 80]


def test_categories_of_the_same_entities_are_compared_within_entities() -> None:
    rng = np.random.default_rng(8)
    level = rng.uniform(0.5, 0.9, 40)
    frame = pd.concat(
        pd.DataFrame(
            {"category": name, "entity": range(40), "numerator": rng.binomial(40, level + gap), "denominator": 40}
        )
        for name, gap in (("passwords", -0.08), ("doors", 0.0), ("paper", 0.0))
    )
    found = compare_with_rest(frame, "category").set_index("category")
    assert found.loc["passwords", "p_value"] < 1e-4
    apart = compare_with_rest(
        frame.assign(entity=frame["category"] + frame["entity"].astype(str)), "category"
    ).set_index("category")
    assert found.loc["passwords", "p_value"] < apart.loc["passwords", "p_value"]


def test_one_entity_against_the_rest_and_a_group_without_rest_say_nothing() -> None:
    frame = pd.DataFrame({"region": ["a", "b", "b"], "entity": [1, 2, 3], "numerator": [1.0, 2, 3], "denominator": 4})
    assert compare_with_rest(frame, "region")[["low", "high", "p_value"]].isna().all(axis=None)
    assert compare_with_rest(frame.assign(region="a"), "region")[["rest_rate", "low", "p_value"]].isna().all(axis=None)
    assert compare_with_rest(frame.iloc[:0], "region").empty


@settings(max_examples=25, deadline=None)
@given(ROWS, st.booleans())
def test_any_rows_give_intervals_that_hold_the_rate_or_nothing(
    rows: list[tuple[str, int, float | None, float]], is_answered: bool
) -> None:
    frame = make_rows(rows)
    if is_answered:
        frame["answers"] = frame["denominator"]
    before = frame.copy()
    found = find_cluster_interval(frame, "group")
    assert found["group"].tolist() == list(dict.fromkeys(frame["group"]))
    said = found.dropna(subset=["low"])
    assert (said["low"] >= 0).all() and (said["high"] <= 1).all()
    assert (said["low"] <= said["rate"] + 1e-9).all() and (said["rate"] <= said["high"] + 1e-9).all()
    assert found.loc[found["entities"] == 0, ["rate", "low", "high"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(frame, before)


@settings(max_examples=25, deadline=None)
@given(ROWS, ROWS)
def test_any_periods_give_changes_that_are_in_their_interval_or_nothing(
    old: list[tuple[str, int, float | None, float]], new: list[tuple[str, int, float | None, float]]
) -> None:
    found = compare_periods(make_rows(old), make_rows(new), ["group"])
    back = compare_periods(make_rows(new), make_rows(old), ["group"])
    rest = compare_with_rest(make_rows(old), "group")
    for frame, name in ((found, "change"), (rest, "difference")):
        said = frame.dropna(subset=["p_value"])
        assert said["p_value"].between(0, 1).all()
        assert (said["low"] <= said[name] + 1e-9).all() and (said[name] <= said["high"] + 1e-9).all()
        assert (said["low"] >= -1).all() and (said["high"] <= 1).all()
    both = found.merge(back, on="group", suffixes=("", "_back"))
    assert len(both) == len(found) == len(back)
    np.testing.assert_allclose(both["change"], -both["change_back"], atol=1e-12)
    np.testing.assert_allclose(both["p_value"], both["p_value_back"], rtol=1e-6)
