"""Item quality: the published LSAT7 parameters, correlations by numpy, planted items found, and the edges."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.item_quality import MIN_ANSWERS, MIN_ENTITIES, MIN_RARER, describe_items, fit_two_parameter

LSAT7_COUNTS = [
    12, 19, 1, 7, 3, 19, 3, 17, 10, 5, 3, 7, 7, 23, 8, 28, 7, 39, 11, 34, 14, 51, 15, 90, 6, 25, 7, 35, 18, 136, 32, 308,
]  # fmt: skip
"""Examinees of the patterns 00000 to 11111 (Bock & Lieberman 1970)."""


def make_long(matrix: np.ndarray) -> pd.DataFrame:
    entities, items = matrix.shape
    return pd.DataFrame(
        {
            "entity": np.repeat([f"E{n:04d}" for n in range(entities)], items),
            "item": np.tile([f"I{n:03d}" for n in range(items)], entities),
            "score": matrix.ravel(),
        }
    )


def draw_scores(seed: int, entities: int = 150, items: int = 60) -> np.ndarray:
    """Scores of items that all say as much of the entity's level, with 5 % left out."""
    rng = np.random.default_rng(seed)
    degree = 0.9 + 0.6 * rng.standard_normal((entities, 1)) + rng.standard_normal((entities, items))
    degree = degree - 0.4 * rng.standard_normal(items)
    scores = np.where(degree > 0, 1.0, np.where(degree > -0.7, 0.5, 0.0))
    return np.where(rng.random(scores.shape) < 0.05, np.nan, scores)


def test_lsat7_has_the_published_parameters() -> None:
    """Bock & Lieberman (1970); values of mirt in slope-intercept form, log likelihood -2658.805."""
    patterns = np.array(list(product([0.0, 1.0], repeat=5)))
    matrix = np.repeat(patterns, LSAT7_COUNTS, axis=0)
    assert matrix.shape == (1000, 5)
    assert matrix.mean(axis=0).tolist() == pytest.approx([0.828, 0.658, 0.772, 0.606, 0.843])
    found = fit_two_parameter(matrix)
    assert found.is_converged and found.entities == 1000
    assert found.log_likelihood == pytest.approx(-2658.805, abs=5e-4)
    assert found.items["discrimination"].tolist() == pytest.approx([0.988, 1.081, 1.706, 0.765, 0.736], abs=2e-3)
    assert found.items["intercept"].tolist() == pytest.approx([1.8561, 0.808, 1.8043, 0.486, 1.8545], abs=1e-3)
    assert found.items["met"].tolist() == [828, 658, 772, 606, 843]


def test_item_rest_correlation_of_lsat7_is_that_of_numpy() -> None:
    matrix = np.repeat(np.array(list(product([0.0, 1.0], repeat=5))), LSAT7_COUNTS, axis=0)
    found = describe_items(make_long(matrix))
    rest = matrix.sum(axis=1)[:, None] - matrix
    expected = [np.corrcoef(matrix[:, item], rest[:, item])[0, 1] for item in range(5)]
    np.testing.assert_allclose(found["item_rest_correlation"], expected, atol=1e-12)
    np.testing.assert_allclose(found["high"], np.tanh(np.arctanh(expected) + 1.959964 / np.sqrt(997)), atol=1e-6)
    assert found["difficulty"].tolist() == pytest.approx([0.172, 0.342, 0.228, 0.394, 0.157])


def test_correlation_leaves_out_what_is_missing() -> None:
    matrix = draw_scores(1)
    found = describe_items(make_long(matrix)).set_index("item")
    rest = (np.nansum(matrix, axis=1)[:, None] - np.nan_to_num(matrix)) / ((~np.isnan(matrix)).sum(axis=1)[:, None] - 1)
    for item in (0, 17, 59):
        told = ~np.isnan(matrix[:, item])
        expected = np.corrcoef(matrix[told, item], rest[told, item])[0, 1]
        assert found.iloc[item]["item_rest_correlation"] == pytest.approx(expected, abs=1e-12)
        assert found.iloc[item]["answers"] == told.sum()


def test_planted_items_are_found_and_hardly_any_other() -> None:
    """Per group one item answered by chance, one reversed, one that all meet, one that nobody meets, 56 ordinary ones."""
    weak, reversed_, others = 0, 0, 0
    for seed in range(20):
        rng = np.random.default_rng(100 + seed)
        matrix = draw_scores(seed, entities=250)
        matrix[:, 0] = rng.choice([1.0, 0.5, 0.0], len(matrix), p=[0.6, 0.2, 0.2])
        level = np.nanmean(matrix[:, 4:], axis=1)
        matrix[:, 1] = np.where(level > np.median(level), rng.choice([0.0, 1.0], len(matrix)), 1.0)
        matrix[:, 2], matrix[:, 3] = 1.0, 0.0
        found = describe_items(make_long(matrix))
        weak += found["is_weak"].iloc[0]
        reversed_ += found["is_reversed"].iloc[1]
        others += found["is_weak"].iloc[4:].sum()
        assert found.index[found["is_met_by_all"]].tolist() == [2] and found.index[
            found["is_same_for_all"]
        ].tolist() == [3]
        assert found["item_rest_correlation"].iloc[2:4].isna().all()
    assert weak >= 15 and reversed_ == 20
    assert others <= 0.01 * 20 * 56


def test_few_answers_have_a_difficulty_but_no_correlation_and_no_flag() -> None:
    matrix = np.ones((MIN_ANSWERS - 1, 4))
    matrix[:3, 0] = 0.0
    found = describe_items(make_long(matrix))
    assert found["difficulty"].tolist() == pytest.approx([3 / 29, 0, 0, 0])
    assert found[["item_rest_correlation", "low", "high"]].isna().all().all()
    assert not found[["is_met_by_all", "is_same_for_all", "is_weak", "is_reversed"]].any().any()


def test_a_correlation_does_not_rest_on_a_few_entities() -> None:
    matrix = draw_scores(2)
    matrix[:, 0] = 1.0
    matrix[: MIN_RARER - 1, 0] = 0.0
    assert np.isnan(describe_items(make_long(matrix))["item_rest_correlation"].iloc[0])
    matrix[MIN_RARER - 1, 0] = 0.5
    assert not np.isnan(describe_items(make_long(matrix))["item_rest_correlation"].iloc[0])


def test_one_item_has_no_rest() -> None:
    found = describe_items(make_long(draw_scores(3)[:, :1]))
    assert found["item_rest_correlation"].isna().all() and not found["is_weak"].any()


@pytest.mark.parametrize("score", [1.0, 0.5, 0.0, float("nan")])
def test_one_score_everywhere(score: float) -> None:
    found = describe_items(make_long(np.full((40, 3), score)))
    assert found["is_met_by_all"].all() == (score == 1) and found["is_same_for_all"].all() == (score < 1)
    assert found["item_rest_correlation"].isna().all() and not found["is_weak"].any()
    assert found["difficulty"].isna().all() == np.isnan(score)


def test_nothing_gives_no_item() -> None:
    found = describe_items(make_long(draw_scores(1)).iloc[:0])
    assert found.empty and "is_weak" in found


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 3), st.sampled_from([0.0, 0.5, 1.0, float("nan")])), max_size=160
    )
)
def test_any_scores_have_sound_figures(rows: list[tuple[int, int, float]]) -> None:
    frame = pd.DataFrame(rows, columns=["entity", "item", "score"]).astype({"score": float})
    found = describe_items(frame)
    assert found["item"].tolist() == sorted({item for _, item, _ in rows})
    assert found["answers"].sum() == frame["score"].notna().sum()
    assert found["difficulty"].dropna().between(0, 1).all()
    told = found.dropna(subset=["item_rest_correlation"])
    assert ((told["low"] <= told["item_rest_correlation"]) & (told["item_rest_correlation"] <= told["high"])).all()
    assert (told["low"] >= -1).all() and (told["high"] <= 1).all()


def test_order_and_kind_of_columns_change_nothing() -> None:
    frame = make_long(draw_scores(4))
    expected = describe_items(frame)
    other = frame.sample(frac=1, random_state=1).astype({"entity": "category", "item": "category", "score": "Float64"})
    found = describe_items(other).assign(item=expected["item"])
    pd.testing.assert_frame_equal(found, expected, check_exact=False, rtol=1e-9)


def draw_answers(seed: int, entities: int, items: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    discrimination = np.exp(0.4 * rng.standard_normal(items))
    intercept = 1.2 + rng.standard_normal(items)
    chance = 1 / (1 + np.exp(-(discrimination * rng.standard_normal((entities, 1)) + intercept)))
    matrix = (rng.random(chance.shape) < chance).astype(float)
    return np.where(rng.random(chance.shape) < 0.1, np.nan, matrix), discrimination, intercept


def test_planted_parameters_are_recovered_with_answers_missing() -> None:
    matrix, discrimination, intercept = draw_answers(1, 1500, 30)
    found = fit_two_parameter(matrix)
    assert found.is_converged
    assert np.abs(found.items["discrimination"] - discrimination).mean() < 0.12
    assert np.abs(found.items["intercept"] - intercept).mean() < 0.1
    np.testing.assert_allclose(found.items["difficulty"], -found.items["intercept"] / found.items["discrimination"])


def test_partly_met_counts_as_not_met() -> None:
    matrix, _, _ = draw_answers(2, 200, 8)
    halves = np.where(matrix == 0, np.random.default_rng(1).choice([0.0, 0.5], matrix.shape), matrix)
    pd.testing.assert_frame_equal(fit_two_parameter(halves).items, fit_two_parameter(matrix).items)


def test_items_that_nearly_all_meet_are_left_out_and_change_nothing() -> None:
    matrix, _, _ = draw_answers(3, 200, 8)
    easy, empty = np.ones((200, 1)), np.full((200, 1), np.nan)
    easy[: MIN_RARER - 1] = 0
    found = fit_two_parameter(np.hstack([matrix, easy, empty]))
    assert found.items.iloc[8:][["discrimination", "intercept", "difficulty"]].isna().all().all()
    pd.testing.assert_frame_equal(found.items.iloc[:8], fit_two_parameter(matrix).items)


def test_fewer_than_100_entities_are_not_fitted() -> None:
    matrix, _, _ = draw_answers(4, MIN_ENTITIES - 1, 8)
    for few in (matrix, np.vstack([matrix, np.full((50, 8), np.nan)]), matrix[:0], np.ones((120, 3)), matrix[:, :0]):
        found = fit_two_parameter(few)
        assert found.items[["discrimination", "intercept", "difficulty"]].isna().all().all()
        assert np.isnan(found.log_likelihood) and not found.is_converged
        assert len(found.items) == few.shape[1]


def test_a_reversed_item_has_negative_discrimination() -> None:
    matrix, _, _ = draw_answers(5, 500, 12)
    matrix[:, 0] = 1 - matrix[:, 1]
    found = fit_two_parameter(matrix).items["discrimination"]
    assert found[0] < 0 < found[1:].min()


def test_a_big_checklist_is_fitted_within_its_bound() -> None:
    """120 items of 300 entities: the finer points of quadrature, converged well before the bound of cycles."""
    matrix, discrimination, _ = draw_answers(6, 300, 120)
    found = fit_two_parameter(matrix)
    assert found.is_converged and found.cycles < 30
    told = found.items["discrimination"].notna()
    assert np.corrcoef(found.items["discrimination"][told], discrimination[told])[0, 1] > 0.8
