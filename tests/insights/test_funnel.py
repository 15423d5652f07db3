"""Funnel: the published limits, false alarms where entities differ anyway, and planted outliers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from insights.funnel import MIN_ENTITIES, find_dispersed_limits, find_limits, find_q_values, judge_funnel
from insights.intervals import find_wilson_interval

Z_975, Z_999 = 1.959963984540054, 3.090232306167813
ENTITIES = st.lists(
    st.tuples(
        st.one_of(st.none(), st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1)),
        st.sampled_from([0.0, 0.5, 1.0, 7.0, 60.0, 20000.0]),
    ),
    max_size=25,
)


def draw_entities(
    rng: np.random.Generator, number: int, mean: float, spread: float, kind: str
) -> tuple[pd.Series, pd.Series]:
    """Rates and counts of entities that truly differ, by a beta or a logit-normal distribution."""
    counts = rng.integers(30, 121, number) if rng.random() < 0.5 else rng.lognormal(4.5, 0.9, number).astype(int) + 8
    if kind == "beta":
        weight = mean * (1 - mean) / spread**2 - 1
        truth = rng.beta(mean * weight, (1 - mean) * weight, number)
    else:
        truth = special.expit(special.logit(mean) + spread / (mean * (1 - mean)) * rng.standard_normal(number))
    return pd.Series(rng.binomial(counts, truth) / counts), pd.Series(counts)


@pytest.mark.parametrize(("count", "z", "low"), [(1, Z_975, 3.204264), (3, Z_999, 10.150815), (1, Z_999, None)])
def test_limits_are_those_of_phe_fingertips(count: int, z: float, low: float | None) -> None:
    found = find_limits(0.80642448, pd.Series([count]), z).iloc[0]
    if low is None:
        assert np.isnan(found["low"])
    else:
        assert 100 * found["low"] == pytest.approx(low, abs=5e-6)


def test_limit_is_the_rate_whose_wilson_interval_just_reaches_the_baseline() -> None:
    counts = pd.Series([50, 400, 9000])
    limits = find_limits(0.9, counts, Z_975)
    assert find_wilson_interval(limits["low"], counts)["high"].tolist() == pytest.approx([0.9] * 3)
    assert find_wilson_interval(limits["high"], counts)["low"].tolist() == pytest.approx([0.9] * 3)


def test_dispersed_limits_hold_nearly_those_of_chance_without_spread_and_are_wider_with_it() -> None:
    counts = pd.Series([1, 100, 1000, 20000, 0, float("nan")])
    chance, none, some = (
        find_limits(0.9, counts, Z_975),
        find_dispersed_limits(0.9, 0, counts, Z_975),
        find_dispersed_limits(0.9, 0.5, counts, Z_975),
    )
    np.testing.assert_allclose(none.iloc[1:4], chance.iloc[1:4], atol=0.01)
    assert (some["low"].iloc[1:4] < none["low"].iloc[1:4]).all()
    # Of many answers only the true rates between entities are left.
    edges = special.expit(special.logit(0.9) + 0.5 * Z_975 * np.array([-1, 1]))
    np.testing.assert_allclose(some.iloc[3], edges, atol=0.004)
    assert some.iloc[[0, 4, 5]].isna().all(axis=None)
    assert find_dispersed_limits(float("nan"), float("nan"), counts, Z_975).isna().all(axis=None)


def test_q_values_are_those_of_benjamini_hochberg() -> None:
    # The fifteen p-values of Benjamini & Hochberg (1995): four are rejected at 0.05.
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.324,
        0.4262,
        0.5719,
        0.6528,
        0.759,
        1,
    ]
    found = find_q_values(pd.Series([*p, float("nan")]))
    assert (found < 0.05).sum() == 4
    assert found.iloc[3] == pytest.approx(0.0095 * 15 / 4)
    assert np.isnan(found.iloc[-1])


@pytest.mark.parametrize(
    ("number", "groups", "mean", "spread", "kind"),
    [
        (12, 80, 0.9, 0.05, "logit"),
        (40, 60, 0.95, 0.04, "beta"),
        (40, 60, 0.95, 0.03, "logit"),
        (150, 30, 0.9, 0.05, "logit"),
    ],
)
def test_group_without_outliers_rarely_has_an_alarm(
    number: int, groups: int, mean: float, spread: float, kind: str
) -> None:
    rng = np.random.default_rng(number + groups)
    alarms = sum(
        int(judge_funnel(*draw_entities(rng, number, mean, spread, kind)).judged[["is_low", "is_high"]].any(axis=None))
        for _ in range(groups)
    )
    assert alarms <= groups * (0.05 + 2 * np.sqrt(0.05 * 0.95 / groups))


def test_spread_between_entities_is_recovered_in_spite_of_outliers() -> None:
    rng = np.random.default_rng(3)
    rates, counts = draw_entities(rng, 300, 0.9, 0.045, "logit")
    rates.iloc[:9] = 0.1
    found = judge_funnel(rates, counts)
    assert found.spread == pytest.approx(0.5, abs=0.1)
    assert found.baseline == pytest.approx(0.9, abs=0.015)
    assert judge_funnel(*draw_entities(rng, 300, 0.9, 0.0005, "beta")).spread < 0.15


def test_planted_outliers_are_found_and_no_others() -> None:
    rng = np.random.default_rng(6)
    rates, counts = draw_entities(rng, 100, 0.9, 0.03, "logit")
    rates.iloc[:3], counts.iloc[:3] = 0.45, 100
    judged = judge_funnel(rates, counts).judged
    assert judged.index[judged["is_low"]].tolist() == [0, 1, 2]
    assert not judged["is_high"].any()
    high = judge_funnel(1 - rates, counts).judged
    assert high.index[high["is_high"]].tolist() == [0, 1, 2]
    np.testing.assert_allclose(high["p_value"], judged["p_value"], rtol=0.05, atol=1e-6)


def test_same_rate_is_more_unusual_over_more_answers() -> None:
    rates, counts = draw_entities(np.random.default_rng(7), 60, 0.9, 0.02, "logit")
    rates.iloc[:2], counts.iloc[0], counts.iloc[1] = 0.6, 10, 300
    judged = judge_funnel(rates, counts).judged
    assert judged["adjusted_z"].iloc[1] < judged["adjusted_z"].iloc[0] < 0
    assert abs(judged["adjusted_z"].iloc[1]) < abs(judged["z"].iloc[1])


def test_tails_are_those_of_the_binomial_distribution_where_entities_do_not_differ() -> None:
    met = pd.Series([45] * 30 + [38, 49, 50, 0.5, 400])
    counts = pd.Series([50] * 33 + [1, 500])
    funnel = judge_funnel(met / counts, counts, 0.9)
    upto = stats.binom.cdf(met, counts, 0.9)
    tail = np.minimum(np.minimum(upto, 1 - stats.binom.cdf(met - 1, counts, 0.9)), 0.5)
    p_value = 2 * stats.t.cdf(stats.norm.ppf(tail), len(met) - 1)
    is_whole = met % 1 == 0
    assert funnel.spread == 0
    assert funnel.judged["p_value"][is_whole].tolist() == pytest.approx(p_value[is_whole].tolist(), rel=1e-9)
    # Half a point of one is more usual than none of one, which has a tail of 0.1.
    assert 2 * stats.t.cdf(stats.norm.ppf(0.1), 34) < funnel.judged["p_value"].iloc[33] < 1


def test_distance_of_all_from_a_given_baseline_is_spread_and_no_alarm() -> None:
    rates, counts = draw_entities(np.random.default_rng(8), 60, 0.85, 0.03, "logit")
    found = judge_funnel(rates, counts, 0.95)
    assert found.baseline == pytest.approx(0.95)
    assert found.spread > judge_funnel(rates, counts).spread
    assert not found.judged[["is_low", "is_high"]].any(axis=None)


def test_too_few_entities_are_not_judged() -> None:
    rates, counts = draw_entities(np.random.default_rng(9), MIN_ENTITIES, 0.9, 0.05, "logit")
    assert judge_funnel(rates, counts).judged["p_value"].notna().all()
    found = judge_funnel(rates.where(rates.index > 0), counts)
    assert np.isnan(found.baseline) and np.isnan(found.spread) and found.entities == MIN_ENTITIES - 1
    assert found.judged[["z", "adjusted_z", "p_value", "q_value"]].isna().all(axis=None)
    assert not found.judged[["is_low", "is_high"]].any(axis=None)


@pytest.mark.parametrize("rate", [0.0, 0.5, 1.0])
def test_entities_that_are_all_alike_are_all_usual(rate: float) -> None:
    found = judge_funnel(pd.Series([rate] * 20), pd.Series([60] * 20))
    assert found.spread == 0
    assert not found.judged[["is_low", "is_high"]].any(axis=None)


@settings(max_examples=30, deadline=None)
@given(ENTITIES, st.sampled_from([None, 0.0, 0.8, 1.0]))
def test_any_entities_are_judged_or_not(entities: list[tuple[float | None, float]], baseline: float | None) -> None:
    frame = pd.DataFrame(entities, columns=["rate", "count"], dtype=float)
    found = judge_funnel(frame["rate"], frame["count"], baseline)
    judged = found.judged
    assert judged.index.equals(frame.index)
    said = judged.dropna(subset=["p_value"])
    assert said["p_value"].between(0, 1).all() and (said["q_value"] >= said["p_value"] - 1e-12).all()
    assert (said["count"] > 0).all()
    assert not (judged["is_low"] & judged["is_high"]).any()
    assert not judged.drop(said.index)[["is_low", "is_high"]].any(axis=None)
