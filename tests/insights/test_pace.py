"""Pace: the change that a target needs, forecasts whose band holds, and when there is none."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from insights.pace import back_test, find_multipliers, find_pace

RISING = [0.50, 0.56, 0.58, 0.65, 0.67, 0.72, 0.74, 0.78]


def read(rates: list[float]) -> pd.Series:
    return pd.Series(rates, dtype=float)


def simulate(
    rng: np.random.Generator, rounds: int, damping: float, steps: tuple[float, float], noise: float, start: float
) -> pd.Series:
    """A level that moves by a damped trend, both by random steps (level, trend), and noise on top, on the logit."""
    level, trend, logits = rng.normal(0.8, 0.6), start * rng.normal(), []
    for _ in range(rounds):
        trend = damping * trend + steps[1] * rng.normal()
        level += trend + steps[0] * rng.normal()
        logits.append(level + noise * rng.normal())
    return pd.Series(special.expit(logits))


WORLDS = {
    "noise": (0.9, (0.0, 0.0), 0.2, 0.0),
    "random walk": (0.9, (0.2, 0.0), 0.0, 0.0),
    "walk, trend and noise": (0.9, (0.1, 0.05), 0.15, 0.1),
    "trend": (0.95, (0.05, 0.03), 0.1, 0.2),
}


def measure_coverage(world: str, rounds: int, seed: int, series: int = 150) -> float:
    rng = np.random.default_rng(seed)
    tests = [back_test(simulate(rng, rounds, *WORLDS[world])) for _ in range(series)]
    forecasts = sum(test.forecasts for test in tests)
    return sum(test.coverage * test.forecasts for test in tests) / forecasts


@pytest.mark.parametrize("rounds", [12, 24])
@pytest.mark.parametrize("world", WORLDS)
def test_the_band_covers_what_it_says_in_roll_forward(world: str, rounds: int) -> None:
    assert 0.7 < measure_coverage(world, rounds, seed=17) < 0.9


@pytest.mark.parametrize(("alpha", "beta", "phi"), [(0.3, 0.2, 0.9), (1.0, 0.5, 0.98), (0.05, 0.0, 0.8)])
def test_variances_are_those_of_hyndman_2008(alpha: float, beta: float, phi: float) -> None:
    """Table of forecast variances of ETS(A,Ad,N) in closed form; its β is alpha times beta here."""
    h, b = np.arange(1, 13), alpha * beta
    closed = (
        1
        + alpha**2 * (h - 1)
        + b * phi * h / (1 - phi) ** 2 * (2 * alpha * (1 - phi) + b * phi)
        - b
        * phi
        * (1 - phi**h)
        / ((1 - phi) ** 2 * (1 - phi**2))
        * (2 * alpha * (1 - phi**2) + b * phi * (1 + 2 * phi - phi**h))
    )
    assert find_multipliers(alpha, beta, phi, 12) == pytest.approx(closed)


def test_the_chance_holds() -> None:
    """Of series whose chance is said to be around one half, or high, about as many reach the target."""
    rng = np.random.default_rng(8)
    chances, reached = [], []
    for _ in range(400):
        rates = simulate(rng, 18, *WORLDS["walk, trend and noise"])
        target = float(np.clip(rates.iloc[13] + rng.normal(0, 0.05), 0.05, 0.99))
        chances.append(find_pace(rates.iloc[:14], target, 4).chance)
        reached.append(rates.iloc[17] >= target)
    found = pd.DataFrame({"chance": chances, "reached": reached})
    assert found["chance"].mean() == pytest.approx(found["reached"].mean(), abs=0.07)
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 1.0)):
        band = found[found["chance"].between(low, high)]
        assert len(band) > 30 and band["reached"].mean() == pytest.approx(band["chance"].mean(), abs=0.13)


def test_a_rise_goes_on_but_slows_down() -> None:
    pace = find_pace(read([*RISING, 0.80, 0.83]), 0.9, 4)
    rates = [0.83, *pace.forecast["rate"]]
    steps = np.diff(special.logit(rates))
    assert (steps[1:] > 0).all() and (np.diff(steps[1:]) < 0).all()
    assert (np.diff(pace.forecast["high"] - pace.forecast["low"]) > -0.01).all()
    assert pace.forecast["step"].to_list() == [1, 2, 3, 4]


def test_needed_and_recent_pace() -> None:
    pace = find_pace(read(RISING), 0.9, 4)
    assert pace.needed == pytest.approx(0.03) and pace.recent == pytest.approx((0.78 - 0.67) / 3)
    assert not pace.is_reached and pace.is_enough and 0 < pace.chance < 1


def test_a_target_that_is_reached_needs_nothing() -> None:
    pace = find_pace(read(RISING), 0.78, 4)
    assert pace.is_reached and pace.needed == 0 and pace.chance > 0.5
    assert find_pace(read(RISING), 0.78, 0).needed == 0


def test_fewer_than_six_rounds_tell_only_the_pace_that_is_needed() -> None:
    pace = find_pace(read([*RISING[:5], np.nan]), 0.9, 2)
    assert pace.needed == pytest.approx((0.9 - 0.67) / 2) and pace.recent == pytest.approx((0.67 - 0.56) / 3)
    assert not pace.is_enough and pace.forecast.empty and np.isnan(pace.chance)
    assert list(pace.forecast.columns) == ["step", "rate", "low", "high"]
    assert find_pace(read(RISING[:6]), 0.9, 2).is_enough


def test_rounds_that_are_all_the_same_tell_no_band() -> None:
    pace = find_pace(read([0.8] * 9), 0.9, 2)
    assert not pace.is_enough and pace.forecast.empty and pace.needed == pytest.approx(0.05) and pace.recent == 0


def test_gaps_pass_as_rounds() -> None:
    rates = [*RISING[:4], np.nan, *RISING[4:], np.nan]
    pace = find_pace(read(rates), 0.9, 3)
    assert pace.recent == pytest.approx((0.78 - 0.67) / 3) and pace.needed == pytest.approx(0.04)
    waited, fresh = find_pace(read([*RISING, np.nan, np.nan]), 0.9, 2), find_pace(read(RISING), 0.9, 4)
    # Two rounds without a figure leave the forecast where it was, two rounds nearer.
    for name in ("rate", "low", "high"):
        assert waited.forecast[name].to_list() == pytest.approx(fresh.forecast[name].to_list()[2:])
    assert waited.chance == pytest.approx(fresh.chance)
    leading = find_pace(read([np.nan, np.nan, *RISING]), 0.9, 4)
    pd.testing.assert_frame_equal(leading.forecast, fresh.forecast)


def test_the_chance_falls_with_the_target() -> None:
    chances = [find_pace(read(RISING), target, 3).chance for target in (0, 0.5, 0.7, 0.8, 0.9, 1, 1.1)]
    assert chances == sorted(chances, reverse=True) and chances[0] == 1 and chances[-1] == 0


def test_without_target_or_rounds_left() -> None:
    pace = find_pace(read(RISING), np.nan, 2)
    assert np.isnan(pace.needed) and np.isnan(pace.chance) and not pace.is_reached and len(pace.forecast) == 2
    for rounds in (0, -1):
        over = find_pace(read(RISING), 0.9, rounds)
        assert np.isnan(over.needed) and np.isnan(over.chance) and over.forecast.empty and over.is_enough


def test_back_test_knows_only_the_past() -> None:
    rates = simulate(np.random.default_rng(4), 10, *WORLDS["walk, trend and noise"])
    tested = back_test(rates, rounds=2)
    errors, hits = [], []
    for origin in range(6, 10):
        forecast = find_pace(rates.iloc[:origin], 0.9, 2).forecast
        for later, row in zip(rates.iloc[origin : origin + 2], forecast.itertuples(), strict=False):
            errors.append(abs(later - row.rate))
            hits.append(row.low <= later <= row.high)
    assert tested.forecasts == len(errors) == 7
    assert tested.error == pytest.approx(np.mean(errors)) and tested.coverage == pytest.approx(np.mean(hits))


def test_back_test_says_nothing_without_later_rounds() -> None:
    for rates in ([], RISING[:6], [0.8] * 12):
        tested = back_test(read(rates))
        assert tested.forecasts == 0 and np.isnan(tested.coverage) and np.isnan(tested.error)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.sampled_from([0.0, 1.0, -0.5, 1.5]), st.floats(0, 1)), max_size=14),
    st.one_of(st.just(np.nan), st.floats(0, 1)),
    st.integers(-1, 8),
)
def test_edges(values: list[float | None], target: float, rounds: int) -> None:
    rates = pd.Series(values, dtype="Float64")
    pace, tested = find_pace(rates, target, rounds), back_test(rates)
    known = [value for value in values if value is not None and 0 <= value <= 1]
    assert len(pace.forecast) == (max(rounds, 0) if pace.is_enough else 0)
    assert not pace.is_enough or len(known) >= 6
    assert np.isnan(pace.chance) or (0 <= pace.chance <= 1 and pace.is_enough)
    assert np.isnan(pace.recent) == (len(known) < 2)
    assert np.isnan(pace.needed) or pace.needed >= 0
    assert not pace.is_reached or pace.needed == 0
    assert (pace.forecast["low"] <= pace.forecast["rate"]).all()
    assert (pace.forecast["rate"] <= pace.forecast["high"]).all()
    assert pace.forecast[["rate", "low", "high"]].stack().between(0, 1).all()
    assert tested.forecasts == 0 or (0 <= tested.coverage <= 1 and 0 <= tested.error <= 1)


def test_one_series_is_quick() -> None:
    rates = simulate(np.random.default_rng(6), 24, *WORLDS["random walk"])
    find_pace(rates, 0.9, 4)
    start = time.perf_counter()
    find_pace(rates, 0.9, 4)
    back_test(rates)
    assert time.perf_counter() - start < 0.1  # 4 ms when nothing else runs
