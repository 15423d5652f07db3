"""Shrunken league table: planted orders found, intervals that cover as they say, and what must hold for any rates."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from insights.ranking import rank_entities

Array = npt.NDArray[np.float64]

COLUMNS = ["rate", "place", "shrunken", "low", "high", "shrunken_place", "place_low", "place_high"]
ENTITIES = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.25, 0.5, 2 / 3, 0.9, 1.0, math.nan]),
        st.sampled_from([0.0, 0.5, 1.0, 7.0, 40.0, 5000.0, math.nan]),
    ),
    max_size=12,
)


def rank(rates: object, counts: object, **options: float) -> pd.DataFrame:
    return rank_entities(pd.Series(rates, dtype=float), pd.Series(counts, dtype=float), **options)


def draw_group(seed: int, true: Array, least: int, most: int) -> pd.DataFrame:
    """The league table of entities with these true rates and with between least and most answers each."""
    generator = np.random.default_rng(seed)
    counts = generator.integers(least, most, len(true))
    return rank(generator.binomial(counts, true) / counts, counts).assign(true=true, true_place=find_places(true))


def find_places(true: Array) -> Array:
    return pd.Series(-true).rank().to_numpy(float)


def share_covered(group: pd.DataFrame, name: str, low: str, high: str) -> float:
    return float(group[name].between(group[low], group[high]).mean())


def correlate(one: pd.Series, two: pd.Series) -> float:
    """Rank correlation (Spearman)."""
    return float(np.corrcoef(one.rank(), two.rank())[0, 1])


def test_planted_order_is_recovered() -> None:
    group = draw_group(1, np.linspace(0.3, 0.95, 60), 1500, 3000)
    assert correlate(group["shrunken_place"], group["true_place"]) > 0.99
    assert (group["place_high"] - group["place_low"]).mean() < 10


def test_shrunken_order_is_nearer_to_the_planted_one_than_the_raw_order_where_counts_differ() -> None:
    closer = []
    for seed in range(20):
        true = np.random.default_rng(100 + seed).beta(40, 10, 80)
        generator = np.random.default_rng(seed)
        counts = generator.choice([8, 800], 80)
        group = rank(generator.binomial(counts, true) / counts, counts).assign(true=find_places(true))
        closer.append(correlate(group["shrunken_place"], group["true"]) - correlate(group["place"], group["true"]))
        assert ((group["shrunken"] - true) ** 2).mean() < ((group["rate"] - true) ** 2).mean()
    assert np.mean(closer) > 0.02


@pytest.mark.parametrize(("met", "unmet"), [(16, 4), (80, 20), (1.6, 0.4)])
@pytest.mark.parametrize(("least", "most"), [(10, 40), (100, 400)])
def test_intervals_cover_the_true_rates_and_places_of_many_entities(
    met: float, unmet: float, least: int, most: int
) -> None:
    groups = [
        draw_group(seed, np.random.default_rng(50 + seed).beta(met, unmet, 100), least, most) for seed in range(15)
    ]
    every = pd.concat(groups)
    assert 0.90 <= share_covered(every, "true", "low", "high") <= 0.985
    assert share_covered(every, "true_place", "place_low", "place_high") >= 0.93


@pytest.mark.parametrize("size", [3, 6, 12])
def test_intervals_hold_with_few_entities_too(size: int) -> None:
    groups = [
        draw_group(seed, np.random.default_rng(900 + seed).beta(16, 4, size), 20, 200) for seed in range(720 // size)
    ]
    every = pd.concat(groups)
    # The shrinkage itself is a guess then: nominal is not reached, and that is the figure that may be said.
    assert share_covered(every, "true", "low", "high") >= 0.88
    assert share_covered(every, "true_place", "place_low", "place_high") >= 0.95


@pytest.mark.parametrize("size", [3, 10, 100])
def test_equal_entities_could_be_at_nearly_any_place(size: int) -> None:
    group = rank([0.8] * size, [50] * size)
    assert (group["place"] == 1).all()
    assert (group["shrunken_place"] == 1).all()
    assert group["shrunken"].to_numpy() == pytest.approx(0.8, abs=1e-9)
    assert (group["place_high"] - group["place_low"] >= 0.93 * (size - 1)).all()


def test_entities_that_differ_by_chance_alone_are_all_at_the_common_mean() -> None:
    """Rates 77 .. 83 % of 100 answers each: χ² = 1.9 on 6 degrees of freedom."""
    rates = [0.77, 0.78, 0.79, 0.80, 0.81, 0.82, 0.83]
    group = rank(rates, [100] * 7)
    assert group["shrunken"].to_numpy() == pytest.approx(0.8, abs=1e-9)
    assert list(group["place"]) == [7, 6, 5, 4, 3, 2, 1]
    assert (group["shrunken_place"] == 1).all()
    assert (group["place_low"] == 1).all()
    assert (group["place_high"] == 7).all()
    # Wider than the interval of the pooled rate of 700 answers (.770 to .828), narrower than one alone (.71 to .87).
    assert group["low"].between(0.715, 0.770).all()
    assert group["high"].between(0.828, 0.865).all()


def test_counts_that_say_everything_leave_the_rates_alone() -> None:
    rates = np.linspace(0.1, 0.9, 9)
    group = rank(rates, [1e7] * 9)
    assert group["shrunken"].to_numpy() == pytest.approx(rates, abs=1e-5)
    assert (group["place_low"] == group["place"]).all()
    assert (group["place_high"] == group["place"]).all()


def test_shrunken_rate_is_the_posterior_mean_of_the_most_likely_beta_distribution() -> None:
    """The precision of the greatest likelihood, found here by brute force, for equal counts of 30."""
    met = np.array([12, 15, 18, 21, 22, 24, 25, 27, 28, 30], dtype=float)
    mean = met.sum() / 300
    precisions = np.exp(np.linspace(-3, 8, 20001))[:, None]
    likelihood = special.betaln(precisions * mean + met, precisions * (1 - mean) + 30 - met) - special.betaln(
        precisions * mean, precisions * (1 - mean)
    )
    precision = precisions[likelihood.sum(axis=1).argmax(), 0]
    group = rank(met / 30, [30] * 10)
    assert group["shrunken"].to_numpy() == pytest.approx((precision * mean + met) / (precision + 30), abs=0.005)


def test_few_answers_are_shrunken_more_than_many() -> None:
    group = rank([0.5, 1.0, 1.0, 0.55, 0.9, 0.7], [400, 5, 400, 400, 400, 400])
    assert group["place"].iloc[1] == group["place"].iloc[2] == 1
    assert group["shrunken"].iloc[1] < group["shrunken"].iloc[2]
    assert group["shrunken_place"].iloc[1] > group["shrunken_place"].iloc[2] == 1
    assert group["place_high"].iloc[1] > group["place_high"].iloc[2]


def test_equal_rates_share_the_best_place_in_spite_of_rounding() -> None:
    assert list(rank([0.1 + 0.2, 0.3, 0.9, 0.1], [10] * 4)["place"]) == [2, 2, 1, 4]


def test_dispersion_divides_the_counts() -> None:
    rates, counts = [0.5, 0.6, 0.8, 0.9, 0.95], [200.0, 100, 300, 50, 80]
    expected = rank(rates, [count / 4 for count in counts])
    pd.testing.assert_frame_equal(rank(rates, counts, dispersion=4), expected)
    by_entity = rank_entities(pd.Series(rates), pd.Series(counts), dispersion=pd.Series([4.0] * 5))
    pd.testing.assert_frame_equal(by_entity, expected)
    plain = rank(rates, counts)
    assert (expected["high"] - expected["low"] > plain["high"] - plain["low"]).all()
    pd.testing.assert_frame_equal(rank(rates, counts, dispersion=0.2), plain)


def test_same_input_gives_the_same_figures_and_another_seed_nearly_the_same() -> None:
    rates, counts = np.linspace(0.5, 0.9, 40), np.full(40, 60)
    one = rank(rates, counts)
    pd.testing.assert_frame_equal(one, rank(rates, counts))
    other = rank(rates, counts, seed=7)
    pd.testing.assert_frame_equal(one.drop(columns=["place_low", "place_high"]), other[COLUMNS[:6]])
    assert (one - other)[["place_low", "place_high"]].abs().max(axis=None) <= 3


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("size", [3, 30])
def test_all_met_and_none_met_are_near_the_end_and_not_certain(value: float, size: int) -> None:
    group = rank([value] * size, np.linspace(5, 50, size))
    assert group["shrunken"].nunique() == 1
    assert group["shrunken"].to_numpy() == pytest.approx(value, abs=0.01)
    assert group["shrunken"].between(0, 1, inclusive="neither").all()
    assert (group["high"] - group["low"] > 0).all()
    # More answers leave less room to be far from the others, so not quite every place.
    assert (group["place_high"] - group["place_low"] >= 0.7 * (size - 1)).all()


def test_rates_of_0_and_1_only_stay_apart() -> None:
    group = rank([0.0, 0.0, 0.0, 1.0, 1.0, 1.0], [30] * 6)
    assert list(group["place_low"]) == [4, 4, 4, 1, 1, 1]
    assert list(group["place_high"]) == [6, 6, 6, 3, 3, 3]


def test_fewer_than_three_entities_have_places_only() -> None:
    group = rank([0.5, 0.7, math.nan, 0.9], [10, 10, 10, 0])
    assert list(group["place"].iloc[:2]) == [2, 1]
    assert group["place"].iloc[2:].isna().all()
    assert group[COLUMNS[2:]].isna().all(axis=None)
    assert rank([0.4], [10])["place"].item() == 1


def test_nullable_and_object_columns_are_read_as_well() -> None:
    expected = rank([0.5, 0.7, math.nan, 0.9], [10, 20, 30, 40])
    for floats, whole in (("Float64", "Int64"), (object, object)):
        rates = pd.Series([0.5, 0.7, None, 0.9], dtype=floats)
        pd.testing.assert_frame_equal(rank_entities(rates, pd.Series([10, 20, 30, 40], dtype=whole)), expected)


@given(ENTITIES, st.sampled_from([1.0, 3.0]))
@settings(max_examples=40, deadline=None)
def test_any_entities(entities: list[tuple[float, float]], dispersion: float) -> None:
    index = pd.Index([f"e{number}" for number in range(len(entities))], dtype=object)
    rates = pd.Series([rate for rate, _ in entities], index=index, dtype=float)
    counts = pd.Series([count for _, count in entities], index=index, dtype=float)
    group = rank_entities(rates, counts, dispersion=dispersion)
    assert list(group.columns) == COLUMNS
    assert group.index.equals(index)
    is_ranked = rates.notna() & (counts > 0)
    assert group[~is_ranked].isna().all(axis=None)
    ranked = group[is_ranked]
    pd.testing.assert_series_equal(ranked["rate"], rates[is_ranked], check_names=False)
    pd.testing.assert_series_equal(
        ranked["place"], rates[is_ranked].rank(ascending=False, method="min"), check_names=False
    )
    if len(ranked) < 3:
        assert ranked[COLUMNS[2:]].isna().all(axis=None)
        return
    assert ranked.notna().all(axis=None)
    assert (ranked[["low", "high", "shrunken"]] >= 0).all(axis=None)
    assert (ranked["low"] <= ranked["shrunken"]).all()
    assert (ranked["shrunken"] <= ranked["high"]).all()
    assert (ranked["high"] <= 1).all()
    assert (ranked["place_low"] >= 1).all()
    assert (ranked["place_low"] <= ranked["place_high"]).all()
    assert (ranked["place_high"] <= len(ranked)).all()
    # Who is not ranked changes nothing for the others.
    alone = rank_entities(rates[is_ranked], counts[is_ranked], dispersion=dispersion)
    pd.testing.assert_frame_equal(ranked, alone)
    # Shrunken rates lie between the rate of the entity and the common mean, of which half an answer on either side
    # makes a rate as long as there are next to no answers.
    if rates[is_ranked].nunique() > 1:
        number = counts[is_ranked] / dispersion
        mean = ((rates[is_ranked] * number).sum() + 0.5) / (number.sum() + 1)
        least, most = min(rates[is_ranked].min(), mean), max(rates[is_ranked].max(), mean)
        assert ranked["shrunken"].between(least - 1e-9, most + 1e-9).all()
