"""Severity of inspectors: counts by hand, a balanced design by its textbook formulas, planted severities, edges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from insights.severity import (
    BIN_WIDTH,
    MIN_INSPECTORS,
    Severity,
    count_repeats,
    estimate_severity,
    summarise_severity,
)


def make_visits(rows: list[tuple[str, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["inspector", "entity", "period"])


def draw_visits(seed: int, sd: float = 0.03, count: int = 44, visits: int = 5) -> tuple[pd.DataFrame, pd.Series]:
    """Sites that check each other in turn, each time by another one; the planted severity of each inspector."""
    rng = np.random.default_rng(seed)
    severity = pd.Series(sd * rng.standard_normal(count), index=[f"S{n:03d}" for n in range(count)])
    optimism = 0.07 + 0.03 * rng.standard_normal(count)
    entity = np.repeat(np.arange(count), visits)
    inspector = (entity + 1 + np.tile(np.arange(visits), count)) % count
    seen = severity.to_numpy()[inspector] + optimism[entity] + 0.03 * rng.standard_normal(len(entity))
    names = severity.index.to_numpy()
    frame = pd.DataFrame(
        {
            "inspector": names[inspector],
            "entity": names[entity],
            "net_optimism": seen,
            "pairs": rng.integers(60, 180, len(entity)),
        }
    )
    return frame, severity


def test_repeated_and_reciprocal_pairs_are_counted() -> None:
    found = count_repeats(
        make_visits(
            [
                ("A", "B", "H1"), ("A", "B", "H2"), ("A", "B", "H2"), ("B", "A", "H2"), ("A", "C", "H1"),
                ("C", "D", "H1"), ("C", "D", "H3"), ("C", "D", "H4"), ("E", "E", "H1"),
            ]
        )
    )  # fmt: skip
    assert (found.inspections, found.own_inspections, found.inspectors, found.entities) == (7, 1, 3, 4)
    assert (found.pairs, found.repeated_pairs, found.repeat_inspections) == (4, 2, 3)
    assert found.repeat_share == pytest.approx(3 / 7)
    assert (found.reciprocal_pairs, found.reciprocal_inspections) == (1, 3)
    assert found.reciprocal_share == pytest.approx(3 / 7)


def test_no_inspection_has_no_share() -> None:
    for frame in (make_visits([]), make_visits([("A", "A", "H1")]), make_visits([(None, "A", "H1")])):  # type: ignore[list-item]
        found = count_repeats(frame)
        assert (found.inspections, found.pairs, found.reciprocal_pairs) == (0, 0, 0)
        assert np.isnan(found.repeat_share) and np.isnan(found.reciprocal_share)


@given(
    st.lists(st.tuples(st.sampled_from("ABCD"), st.sampled_from("ABCD"), st.sampled_from(["1", "2", "3"])), max_size=25)
)
def test_counts_are_those_of_a_plain_loop(rows: list[tuple[str, str, str]]) -> None:
    found = count_repeats(make_visits(rows))
    visits = {(a, b, period) for a, b, period in rows if a != b}
    pairs = {(a, b) for a, b, _ in visits}
    assert found.inspections == len(visits) and found.pairs == len(pairs)
    assert found.repeat_inspections == len(visits) - len(pairs)
    assert found.reciprocal_pairs == len({frozenset(pair) for pair in pairs if pair[::-1] in pairs})
    assert found.reciprocal_inspections == sum((b, a) in pairs for a, b, _ in visits)


def test_a_balanced_design_has_the_textbook_variances_and_effects() -> None:
    """Every inspector visits every entity once: analysis of variance of two factors, effects drawn towards 0."""
    rng = np.random.default_rng(1)
    inspectors, entities = 8, 12
    seen = rng.normal(0, 0.05, inspectors)[:, None] + rng.normal(0, 0.03, entities) + rng.normal(0, 0.02, (8, 12))
    frame = pd.DataFrame(
        {
            "inspector": np.repeat(np.arange(inspectors), entities),
            "entity": np.tile(np.arange(entities) + 100, inspectors),
            "net_optimism": seen.ravel(),
            "pairs": 50,
        }
    )
    rows, columns = seen.mean(axis=1) - seen.mean(), seen.mean(axis=0) - seen.mean()
    chance = ((seen - seen.mean() - rows[:, None] - columns) ** 2).sum() / 77
    between = entities * (rows**2).sum() / 7
    found = estimate_severity(frame)
    by_inspector = (between - chance) / entities
    assert found.visit_sd**2 == pytest.approx(chance)
    assert found.inspector_sd**2 == pytest.approx(by_inspector)
    assert found.entity_sd**2 == pytest.approx((inspectors * (columns**2).sum() / 11 - chance) / inspectors)
    assert found.p == pytest.approx(stats.f.sf(between / chance, 7, 77))
    drawn = entities * by_inspector / (entities * by_inspector + chance)
    np.testing.assert_allclose(found.effects["severity"], drawn * rows, atol=1e-12)
    assert found.inspector_share == pytest.approx(by_inspector / (by_inspector + found.entity_sd**2 + chance))


def test_planted_severities_are_recovered_and_covered() -> None:
    """40 groups of 44 sites with 5 visits each: correlation above 0.8, intervals that cover, spread without bias."""
    correlations, hits, spreads = [], [], []
    for seed in range(40):
        frame, planted = draw_visits(seed)
        found = estimate_severity(frame)
        effects = found.effects.set_index("inspector")
        truth = planted[effects.index]
        correlations.append(np.corrcoef(effects["severity"], truth)[0, 1])
        hits.append(((effects["low"] <= truth) & (truth <= effects["high"])).mean())
        spreads.append(found.inspector_sd)
    assert np.mean(correlations) > 0.8
    assert 0.92 <= np.mean(hits) <= 0.98
    assert np.mean(spreads) == pytest.approx(0.03, abs=0.003)


def test_without_planted_severity_hardly_anyone_stands_out() -> None:
    """60 groups without a story: the test alarms in about 5 %, and in those only few inspectors stand out."""
    found = [summarise_severity(estimate_severity(draw_visits(seed, sd=0.0)[0])) for seed in range(60)]
    assert np.mean([one.p <= 0.05 for one in found]) <= 0.1
    assert np.mean([one.stricter + one.more_lenient for one in found]) < 0.05


def test_a_strict_and_a_lenient_inspector_stand_out() -> None:
    frame, _ = draw_visits(3, sd=0.0, visits=8)
    frame["net_optimism"] += 0.2 * (frame["inspector"] == "S004") - 0.2 * (frame["inspector"] == "S009")
    found = estimate_severity(frame)
    assert found.effects.set_index("inspector").loc[["S004", "S009"], "severity"].tolist() == pytest.approx(
        [0.2, -0.2], abs=0.05
    )
    summary = summarise_severity(found)
    assert (summary.stricter, summary.more_lenient) == (1, 1)
    assert summary.inspectors == 44 and summary.visits == 44 * 8
    assert sum(number for _, _, number in summary.bins) == 44
    assert all(high - low == pytest.approx(BIN_WIDTH) for low, high, _ in summary.bins)
    assert not any(name in repr(summary) for name in frame["inspector"])


def assert_silent(found: Severity) -> None:
    assert found.effects[["severity", "low", "high"]].isna().all().all()
    assert np.isnan([found.inspector_sd, found.entity_sd, found.visit_sd, found.inspector_share, found.p]).all()
    summary = summarise_severity(found)
    assert (summary.inspectors, summary.visits, summary.stricter, summary.more_lenient) == (0, 0, 0, 0)
    assert summary.bins == ()


def test_inspectors_of_one_entity_each_cannot_be_told_from_them() -> None:
    frame, _ = draw_visits(1, visits=1)
    assert_silent(estimate_severity(frame))
    again = pd.concat([frame, frame, frame])
    assert_silent(estimate_severity(again.assign(net_optimism=np.random.default_rng(1).normal(size=len(again)))))
    shared = frame.assign(entity="S000", inspector=[f"I{n}" for n in range(len(frame))])
    assert_silent(estimate_severity(pd.concat([shared, shared])))


def test_four_inspectors_are_too_few() -> None:
    rng = np.random.default_rng(1)
    few = pd.DataFrame(
        {
            "inspector": np.repeat([f"I{n}" for n in range(MIN_INSPECTORS - 1)], 10),
            "entity": np.tile(range(10), MIN_INSPECTORS - 1),
            "net_optimism": rng.normal(size=10 * (MIN_INSPECTORS - 1)),
            "pairs": 9,
        }
    )
    assert_silent(estimate_severity(few))
    assert_silent(estimate_severity(few.iloc[:0]))


def test_an_inspector_whose_entities_no_one_else_visits_is_left_out() -> None:
    frame, _ = draw_visits(2)
    alone = pd.DataFrame(
        {"inspector": "HQ", "entity": [f"AF{n}" for n in range(30)] * 2, "net_optimism": 0.5, "pairs": 100}
    )
    found = estimate_severity(pd.concat([frame, alone]))
    effects = found.effects.set_index("inspector")
    assert np.isnan(effects.loc["HQ", "severity"]) and effects.loc["HQ", ["visits", "entities"]].tolist() == [60, 30]
    pd.testing.assert_frame_equal(effects.drop("HQ"), estimate_severity(frame).effects.set_index("inspector"))


def test_inspecting_oneself_and_rows_without_pairs_are_no_visits() -> None:
    frame, _ = draw_visits(2)
    own = pd.DataFrame(
        {
            "inspector": ["S001", "S002", "S003"],
            "entity": ["S001", "S005", "S006"],
            "net_optimism": 1.0,
            "pairs": [9, 0, np.nan],
        }
    )
    one, other = estimate_severity(frame), estimate_severity(pd.concat([frame, own]))
    pd.testing.assert_frame_equal(one.effects, other.effects)
    assert one.p == other.p


VISITS = st.lists(
    st.tuples(
        st.integers(0, 7), st.integers(0, 9), st.sampled_from([0.0, 0.1, -1.0, 1.0, float("nan")]), st.integers(0, 3)
    ),
    max_size=60,
)


@settings(max_examples=40)
@given(VISITS)
def test_any_visits_have_sound_effects(rows: list[tuple[int, int, float, int]]) -> None:
    frame = pd.DataFrame(rows, columns=["inspector", "entity", "net_optimism", "pairs"])
    found = estimate_severity(frame.astype({"net_optimism": float, "pairs": float}))
    told = found.effects.dropna(subset=["severity"])
    assert len(told) == 0 or (len(told) >= MIN_INSPECTORS and 0 <= found.p <= 1)
    assert (told["entities"] >= 2).all()
    bounded = told.dropna(subset=["low"])
    assert ((bounded["low"] <= bounded["severity"]) & (bounded["severity"] <= bounded["high"])).all()
    assert len(told) == 0 or 0 <= found.inspector_share <= 1
    summary = summarise_severity(found)
    assert summary.inspectors == sum(number for _, _, number in summary.bins)


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_the_same_optimism_everywhere_has_no_inspector_effect(value: float) -> None:
    frame, _ = draw_visits(1)
    found = estimate_severity(frame.assign(net_optimism=value))
    assert found.effects["severity"].abs().max() < 1e-9
    assert summarise_severity(found).stricter == 0
