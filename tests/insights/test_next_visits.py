"""Where to inspect next: the score by hand, reasons, order without ties, and the back-test with its base rate."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.next_visits import LEAST_OPTIMISM, LONG_AGO, MIN_VISITED, REASONS, judge_past_ranking, rank_next_visits

USUAL: dict[str, float] = {
    "self_rate": 0.9,
    "expected_optimism": 0.05,
    "interval_width": 0.1,
    "weight": 100,
    "rounds_since_outside": 1,
    "missing_inspections": 0,
    "open_major_findings": 0,
}


def make_frame(**rows: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame([USUAL | row for row in rows.values()], index=list(rows)).astype(float)


def draw_ranking(seed: int, is_foretold: bool, count: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    expected = rng.uniform(0, 0.3, count)
    found = expected if is_foretold else rng.permutation(expected)
    rate = np.clip(0.95 - found + 0.03 * rng.standard_normal(count), 0, 1)
    return pd.DataFrame(
        {"expected_optimism": expected, "weight": 1.0, "rounds_since_outside": 2.0, "outside_rate": rate}
    )


def test_score_is_the_product_of_its_parts() -> None:
    found = rank_next_visits(
        make_frame(
            plain={},
            rosy={"expected_optimism": 0.2, "weight": 200},
            never={"rounds_since_outside": np.nan, "missing_inspections": 2, "open_major_findings": 9},
        )
    )
    assert found.index.tolist() == ["never", "rosy", "plain"] and found["rank"].tolist() == [1, 2, 3]
    mean = 400 / 3
    assert found.loc["plain", "score"] == pytest.approx(0.05 * 100 / mean * 1)
    assert found.loc["rosy", "score"] == pytest.approx(0.2 * 200 / mean * 1)
    assert found.loc["never", "score"] == pytest.approx(0.05 * 100 / mean * (LONG_AGO + 1) * (1 + 0.25 * 2 + 0.25 * 4))
    parts = found[["optimism", "size", "waited", "lift"]].prod(axis=1)
    np.testing.assert_allclose(found["score"], parts)


def test_each_reason() -> None:
    found = rank_next_visits(
        make_frame(
            plain={},
            other={},
            never={"rounds_since_outside": np.nan},
            long={"rounds_since_outside": LONG_AGO},
            rosy={"expected_optimism": 0.2},
            large={"weight": 500},
            missing={"missing_inspections": 1},
            major={"open_major_findings": 1},
            all={
                "rounds_since_outside": np.nan, "expected_optimism": 0.3, "weight": 900, "missing_inspections": 3,
                "open_major_findings": 1,
            },
        )
    )["reasons"]  # fmt: skip
    assert found["plain"] == found["other"] == ()
    single = ["never", "long", "rosy", "large", "missing", "major"]
    assert [found[name] for name in single] == [(reason,) for reason in REASONS]
    assert found["all"] == tuple(reason for reason in REASONS if reason != "long_ago")
    assert found.index[0] == "all"


def test_a_tested_group_decides_who_is_optimistic() -> None:
    frame = make_frame(a={"expected_optimism": 0.3}, b={}, c={})
    frame["is_optimistic_group"] = pd.array([False, True, None], dtype="boolean")
    found = rank_next_visits(frame)["reasons"]
    assert (found["a"], found["b"], found["c"]) == ((), ("optimistic_group",), ())


def test_never_visited_waits_longer_than_the_longest_wait() -> None:
    found = rank_next_visits(make_frame(a={"rounds_since_outside": 11}, b={"rounds_since_outside": np.nan}))
    assert found.loc["b", "waited"] == 12 and found.loc["a", "waited"] == 11


def test_a_visit_in_this_round_leaves_nothing_to_gain() -> None:
    found = rank_next_visits(make_frame(a={"rounds_since_outside": 0, "expected_optimism": 0.5}, b={}))
    assert found.loc["a", "score"] == 0 and found.index.tolist() == ["b", "a"]


def test_equal_scores_are_ordered_by_uncertainty_then_gaps_then_as_given() -> None:
    capped = {"missing_inspections": 4, "open_major_findings": 4}
    frame = make_frame(
        first=capped, second=capped, more={"missing_inspections": 5, "open_major_findings": 4},
        major={"missing_inspections": 4, "open_major_findings": 6}, wide=capped | {"interval_width": 0.2},
    )  # fmt: skip
    assert rank_next_visits(frame).index.tolist() == ["wide", "more", "major", "first", "second"]


def test_without_an_estimate_the_median_of_the_others_counts() -> None:
    found = rank_next_visits(
        make_frame(a={"expected_optimism": 0.1}, b={"expected_optimism": 0.3}, c={"expected_optimism": np.nan})
    )
    assert found.loc["c", "optimism"] == pytest.approx(0.2)
    alone = rank_next_visits(make_frame(a={"expected_optimism": np.nan}, b={"expected_optimism": -0.4}))
    assert alone["optimism"].tolist() == [LEAST_OPTIMISM, LEAST_OPTIMISM]


def test_without_a_weight_there_is_no_rank() -> None:
    found = rank_next_visits(make_frame(a={"weight": np.nan, "expected_optimism": 0.9}, b={}, c={"weight": 0}))
    assert found.index.tolist() == ["b", "c", "a"]
    assert found["rank"].tolist()[:2] == [1, 2] and found["rank"].isna().tolist() == [False, False, True]
    assert np.isnan(found.loc["a", "score"]) and found.loc["c", "score"] == 0
    assert rank_next_visits(make_frame(a={"weight": 0}, b={"weight": 0}))["score"].tolist() == [0, 0]


def test_missing_columns_are_null_and_no_row_gives_no_row() -> None:
    found = rank_next_visits(pd.DataFrame({"weight": [1.0, 3.0]}, index=["a", "b"]))
    assert found.index.tolist() == ["b", "a"] and found["reasons"].tolist() == [
        ("never_visited", "large"),
        ("never_visited",),
    ]
    assert rank_next_visits(make_frame(a={}).iloc[:0]).empty


NUMBERS = st.floats(-0.5, 1) | st.just(float("nan"))
ROWS = st.fixed_dictionaries(
    {
        "expected_optimism": NUMBERS,
        "interval_width": NUMBERS,
        "weight": st.sampled_from([0.0, 1.0, 7.0, float("nan")]),
        "rounds_since_outside": st.sampled_from([0.0, 1.0, 9.0, float("nan")]),
        "missing_inspections": st.sampled_from([0.0, 2.0, float("nan")]),
        "open_major_findings": st.sampled_from([0.0, 3.0, float("nan")]),
        "outside_rate": st.sampled_from([0.0, 0.5, 0.9, 1.0, float("nan")]),
    }
)


@settings(max_examples=40)
@given(st.lists(ROWS, max_size=15))
def test_any_rows_are_ranked_once_each_and_judged_soundly(rows: list[dict[str, float]]) -> None:
    frame = pd.DataFrame(
        rows, columns=[*list(USUAL)[1:], "outside_rate"], index=[f"E{n}" for n in range(len(rows))]
    ).astype(float)
    before = frame.copy()
    found = rank_next_visits(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert sorted(found.index) == sorted(frame.index)
    told = found.dropna(subset=["score"])
    assert told["rank"].tolist() == list(range(1, len(told) + 1))
    assert told["score"].is_monotonic_decreasing or np.allclose(
        told["score"].diff().dropna().clip(lower=0), 0, atol=1e-9
    )
    assert (told["score"] >= 0).all() and all(set(reasons) <= set(REASONS) for reasons in found["reasons"])
    judged = judge_past_ranking(frame)
    assert judged.entities == (frame["outside_rate"].notna() & frame["weight"].notna()).sum()
    if judged.entities >= MIN_VISITED:
        assert 0 <= judged.hits <= min(judged.top, judged.worst)
        assert 0 < judged.base_rate <= 1 and 0 <= judged.hit_share <= 1 and 0 <= judged.p <= 1
    else:
        assert np.isnan(judged.hit_share) and judged.top == 0


@settings(max_examples=30)
@given(st.lists(ROWS, min_size=2, max_size=8), st.integers(0, 7))
def test_one_more_missing_inspection_never_moves_down(rows: list[dict[str, float]], place: int) -> None:
    frame = pd.DataFrame(rows)
    place %= len(frame)
    more = frame.copy()
    more.loc[place, "missing_inspections"] = np.nan_to_num(frame.loc[place, "missing_inspections"]) + 1
    before, after = rank_next_visits(frame).loc[place, "rank"], rank_next_visits(more).loc[place, "rank"]
    assert pd.isna(before) or after <= before


def test_back_test_of_a_ranking_that_was_right() -> None:
    """Twelve visited: the four that were put first are the four worst."""
    frame = make_frame(**{f"E{n}": {"expected_optimism": 0.3 - 0.02 * n} for n in range(12)})
    frame["outside_rate"] = [0.5, 0.6, 0.55, 0.7, *np.linspace(0.8, 0.95, 8)]
    found = judge_past_ranking(frame)
    assert (found.entities, found.top, found.worst, found.hits) == (12, 4, 4, 4)
    assert (found.hit_share, found.base_rate, found.accuracy, found.kappa) == (1, pytest.approx(1 / 3), 1, 1)
    assert found.p == pytest.approx(1 / 495)
    assert found.rank_correlation > 0.9


def test_back_test_counts_by_hand() -> None:
    frame = make_frame(**{f"E{n}": {"expected_optimism": 0.3 - 0.02 * n} for n in range(9)})
    frame["outside_rate"] = [0.5, 0.9, 0.9, 0.6, 0.9, 0.6, 0.95, 0.9, 0.9]
    found = judge_past_ranking(frame)
    assert (found.top, found.worst, found.hits) == (3, 3, 1)
    assert found.accuracy == pytest.approx(5 / 9)
    assert found.kappa == pytest.approx((5 / 9 - 5 / 9) / (1 - 5 / 9))
    assert found.p == pytest.approx(1 - 20 / 84)


def test_all_that_tie_with_the_worst_third_are_worst() -> None:
    frame = make_frame(**{f"E{n}": {} for n in range(9)})
    frame["outside_rate"] = [0.5] * 5 + [0.9] * 4
    found = judge_past_ranking(frame)
    assert (found.worst, found.base_rate) == (5, pytest.approx(5 / 9))
    assert np.isnan(found.rank_correlation)


def test_planted_order_is_found_and_a_random_one_has_the_base_rate() -> None:
    right = [judge_past_ranking(draw_ranking(seed, is_foretold=True)) for seed in range(10)]
    chance = [judge_past_ranking(draw_ranking(seed, is_foretold=False)) for seed in range(100)]
    assert min(one.rank_correlation for one in right) > 0.8 and np.mean([one.hit_share for one in right]) > 0.8
    assert np.mean([one.hit_share for one in chance]) == pytest.approx(1 / 3, abs=0.03)
    assert abs(np.mean([one.kappa for one in chance])) < 0.04
    assert np.mean([one.p <= 0.05 for one in chance]) <= 0.08


def test_few_visited_give_no_judgement_and_names_may_repeat() -> None:
    frame = draw_ranking(1, is_foretold=True)
    few = frame.assign(outside_rate=frame["outside_rate"].where(frame.index < MIN_VISITED - 1))
    found = judge_past_ranking(few)
    assert (
        found.entities == MIN_VISITED - 1
        and np.isnan([found.rank_correlation, found.hit_share, found.p, found.kappa]).all()
    )
    assert judge_past_ranking(frame.set_axis(["same"] * len(frame))) == judge_past_ranking(frame)
    assert judge_past_ranking(frame.drop(columns="outside_rate")).entities == 0
