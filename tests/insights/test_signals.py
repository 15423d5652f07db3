"""Signals: the rules of the p′-chart, the false alarms they cost, and when they say nothing."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from insights.signals import MIN_ROUNDS, RULES, find_many_signals, find_signals

COLUMNS = ["rate", "centre", "low", "high", "signals", "direction", "is_enough"]
STEADY = [0.70, 0.74, 0.69, 0.73, 0.71, 0.75, 0.70, 0.72, 0.69, 0.74, 0.71, 0.73]


def chart(rates: list[float], count: float = 100) -> pd.DataFrame:
    series = pd.Series(rates, index=[f"R{number:02}" for number in range(len(rates))], dtype=float)
    return find_signals(series, pd.Series(count, index=series.index, dtype=float))


def list_rounds(found: pd.DataFrame, rule: str) -> list[int]:
    return [place for place, signals in enumerate(found["signals"]) if rule in signals]


def simulate(series: int, rounds: int, seed: int) -> pd.DataFrame:
    """Entities that do not change, but differ between rounds by more than the binomial noise."""
    rng = np.random.default_rng(seed)
    count = rng.integers(60, 140, (series, rounds))
    rate = rng.binomial(count, special.expit(rng.normal(1, 0.3, count.shape))) / count
    return pd.DataFrame(
        {
            "entity": np.repeat(np.arange(series), rounds),
            "period": np.tile(np.arange(rounds), series),
            "rate": rate.ravel(),
            "count": count.ravel(),
        }
    )


def test_limits_are_those_of_laney_2002() -> None:
    rates, counts = [0.5, 0.6, 0.4, 0.55, 0.45, 0.5], [100, 400, 100, 200, 100, 300]
    found = find_signals(pd.Series(rates), pd.Series(counts))
    centre = sum(rate * count for rate, count in zip(rates, counts, strict=True)) / sum(counts)
    errors = [(centre * (1 - centre) / count) ** 0.5 for count in counts]
    z = [(rate - centre) / error for rate, error in zip(rates, errors, strict=True)]
    spread = sum(abs(later - earlier) for earlier, later in itertools.pairwise(z)) / 5 / 1.128
    assert found["centre"].to_list() == pytest.approx([centre] * 6)
    assert found["low"].to_list() == pytest.approx([max(centre - 3 * error * spread, 0) for error in errors])
    assert found["high"].to_list() == pytest.approx([min(centre + 3 * error * spread, 1) for error in errors])


def test_binomial_noise_alone_gives_the_limits_of_a_p_chart() -> None:
    rng = np.random.default_rng(11)
    found = find_signals(pd.Series(rng.binomial(200, 0.7, 4000) / 200), pd.Series(200.0, index=range(4000)))
    assert found["high"].iloc[0] - found["centre"].iloc[0] == pytest.approx(3 * (0.7 * 0.3 / 200) ** 0.5, rel=0.03)


def test_making_data_count_outside() -> None:
    found = chart([*STEADY, 0.45])
    assert list_rounds(found, "outside") == [12]
    assert found["direction"].iloc[12] == "lower" and (found["direction"].iloc[:12] == "").all()


@pytest.mark.parametrize(("steps", "expected"), [(6, []), (7, [13]), (9, [13, 14, 15])])
def test_making_data_count_seven_rising(steps: int, expected: list[int]) -> None:
    wave = [0.66, 0.78, 0.64, 0.76, 0.65, 0.77, 0.645]
    found = chart([*wave, *(0.66 + 0.012 * number for number in range(1, steps))])
    # The rise starts at the last round of the wave, number 6, and so its 7th round is number 12.
    assert list_rounds(found, "trend") == [place - 1 for place in expected]


def test_seven_falling_is_lower_and_equal_rounds_end_a_trend() -> None:
    fall = [0.64, 0.78, 0.65, 0.79, 0.66, 0.80, 0.76, 0.745, 0.735, 0.725, 0.72, 0.715]
    assert list_rounds(chart(fall), "trend") == [11]
    found = chart(fall).iloc[11]
    assert found["signals"] == ("trend",) and found["direction"] == "lower"
    assert list_rounds(chart([*fall[:9], fall[8], *fall[9:]]), "trend") == []


def test_a_steady_rise_is_higher_from_its_seventh_round_though_below_the_centre() -> None:
    wave = [0.015 if number % 2 else 0 for number in range(20)]
    found = chart([*(0.60 + 0.012 * number for number in range(8)), *(0.75 + up for up in wave)])
    assert found["signals"].iloc[6] == ("outside", "trend", "shift", "near_limit")
    assert found["direction"].iloc[6] == "lower"  # outside a limit: that it lies low is what matters
    found = chart([*STEADY, *(0.55 + 0.012 * n for n in range(8)), *STEADY, 0.9, 0.5, 0.9, 0.5, 0.9], count=30)
    assert found["signals"].iloc[18] == ("trend", "shift") and found["direction"].iloc[18] == "higher"


@pytest.mark.parametrize(("length", "expected"), [(6, []), (7, [6]), (8, [6, 7])])
def test_making_data_count_seven_on_one_side(length: int, expected: list[int]) -> None:
    high, low = [0.72, 0.73] * 4, [0.70, 0.75, 0.69, 0.68, 0.66, 0.75, 0.64, 0.60]
    found = chart([*high[:length], *low])
    assert [place for place in list_rounds(found, "shift") if place < length] == expected
    assert (found["direction"].iloc[expected] == "higher").all()


@pytest.mark.parametrize("between", [[], [0.72]])
def test_making_data_count_two_of_three_near_a_limit(between: list[float]) -> None:
    found = chart([*STEADY, 0.82, *between, 0.82] if between else [*STEADY, 0.80, 0.80])
    assert list_rounds(found, "near_limit") == [len(found) - 1]
    assert list_rounds(found, "outside") == [] and found["direction"].iloc[-1] == "higher"


@pytest.mark.parametrize("newest", [[0.82, 0.72, 0.72, 0.82], [0.82, 0.63]])
def test_too_far_apart_or_near_opposite_limits_is_no_signal(newest: list[float]) -> None:
    found = chart([*STEADY, *STEADY, *newest])
    away, reach = (found["rate"] - found["centre"]).abs(), found["high"] - found["centre"]
    assert (away > reach * 2 / 3).sum() == 2 and (away < reach).all()
    assert (found["signals"] == ()).all()


def test_planted_shift_trend_and_outlier_are_found() -> None:
    rng = np.random.default_rng(5)
    logits = rng.normal(1, 0.1, (300, 24))
    logits[:100, 12:] += 1.0
    logits[100:200] -= 2
    logits[100:200, 14:] += np.arange(1, 11) * 0.4
    logits[200:, 20] -= 1.8
    frame = pd.DataFrame(
        {
            "entity": np.repeat(np.arange(300), 24),
            "period": np.tile(np.arange(24), 300),
            "rate": rng.binomial(200, special.expit(logits)).ravel() / 200,
            "count": 200,
        }
    )
    found = find_many_signals(frame, "entity")
    is_shift = found["signals"].map(lambda signals: "shift" in signals) & (found["direction"] == "higher")
    is_trend = found["signals"].map(lambda signals: "trend" in signals) & (found["direction"] == "higher")
    is_outside = found["signals"].map(lambda signals: "outside" in signals) & (found["direction"] == "lower")
    assert is_shift[(found["entity"] < 100) & (found["period"] >= 18)].groupby(found["entity"]).any().mean() > 0.95
    # From −1, as near a rate of 1 rounds are equal and end the trend.
    assert is_trend[found["entity"].between(100, 199)].groupby(found["entity"]).any().mean() > 0.8
    is_raised = (found["direction"] == "higher") & (found["period"] >= 18)
    assert is_raised[found["entity"].between(100, 199)].groupby(found["entity"]).any().mean() > 0.95
    assert is_outside[(found["entity"] >= 200) & (found["period"] == 20)].mean() > 0.9


@pytest.mark.parametrize(
    ("rounds", "most"),
    [
        (12, {"outside": 0.06, "trend": 0.01, "shift": 0.04, "near_limit": 0.04}),
        (24, {"outside": 0.12, "trend": 0.03, "shift": 0.13, "near_limit": 0.08}),
    ],
)
def test_false_alarms_of_entities_that_do_not_change(rounds: int, most: dict[str, float]) -> None:
    found = find_many_signals(simulate(2000, rounds, seed=29), "entity")
    for rule in RULES:
        is_marked = found["signals"].map(lambda signals, rule=rule: rule in signals)
        assert is_marked.groupby(found["entity"]).any().mean() < most[rule], rule
    assert (found.loc[found["period"] == rounds - 1, "direction"] != "").mean() < 0.03


def test_fewer_than_six_rounds_say_nothing() -> None:
    found = chart([0.9, 0.9, 0.9, np.nan, 0.9, 0.1])
    assert not found["is_enough"].any() and found[["low", "high"]].isna().all(axis=None)
    assert (found["signals"] == ()).all() and (found["direction"] == "").all()
    assert chart(STEADY[:MIN_ROUNDS])["is_enough"].all()


@pytest.mark.parametrize("rate", [0.0, 0.7, 1.0])
def test_without_variation_there_are_no_limits(rate: float) -> None:
    found = chart([rate] * 12, count=87)
    assert found[["low", "high"]].isna().all(axis=None) and (found["direction"] == "").all()
    assert found["centre"].iloc[0] == pytest.approx(rate) and found["is_enough"].all()


def test_a_limit_at_one_is_not_crossed() -> None:
    found = chart([0.98, 0.95, 0.99, 0.94, 0.97, 0.93, 0.98, 0.96, 1.0])
    assert (found["high"] == 1).all() and list_rounds(found, "outside") == []


def test_gaps_break_no_run() -> None:
    rates = [*STEADY, 0.80, 0.81, 0.82, 0.83, 0.84, 0.85, 0.86]
    gaps = [*rates[:14], np.nan, *rates[14:17], np.nan, np.nan, *rates[17:]]
    whole, with_gaps = chart(rates), chart(gaps)
    assert list_rounds(whole, "trend") and list_rounds(whole, "outside")
    known = with_gaps.dropna(subset=["rate"])
    pd.testing.assert_frame_equal(known.reset_index(drop=True), whole.reset_index(drop=True))
    silent = with_gaps[with_gaps["rate"].isna()]
    assert (silent["signals"] == ()).all() and silent["low"].isna().all()


def test_many_series_are_as_each_alone_in_any_order() -> None:
    frame = simulate(12, 20, seed=2)
    rng = np.random.default_rng(3)
    frame.loc[rng.random(len(frame)) < 0.2, "rate"] = np.nan
    frame["region"] = np.where(frame["entity"] % 2, "East", None)
    frame = frame[rng.random(len(frame)) < 0.9].sample(frac=1, random_state=4)
    found = find_many_signals(frame, ["region", "entity"])
    assert list(found.columns) == ["region", "entity", "period", *COLUMNS] and found.index.equals(frame.index)
    for entity, rows in frame.groupby("entity"):
        ordered = rows.sort_values("period")
        alone = find_signals(ordered["rate"], ordered["count"])
        pd.testing.assert_frame_equal(found.loc[alone.index, COLUMNS], alone, obj=str(entity))


def test_what_is_not_met_gives_the_same_signals_the_other_way() -> None:
    frame = simulate(500, 24, seed=7)
    found, mirrored = (find_many_signals(rows, "entity") for rows in (frame, frame.assign(rate=1 - frame["rate"])))
    assert (found["direction"] != "").any() and (found["signals"] == mirrored["signals"]).all()
    assert (mirrored["direction"] == found["direction"].map({"higher": "lower", "lower": "higher", "": ""})).all()


def test_ordered_categories_order_the_rounds() -> None:
    names = [f"R{number}" for number in range(12)]
    frame = pd.DataFrame({"entity": "A", "rate": [*STEADY[:5], *(0.8 + 0.01 * n for n in range(7))], "count": 100})
    frame["period"] = pd.Categorical(names, categories=names, ordered=True)
    assert "trend" in find_many_signals(frame.iloc[::-1], "entity")["signals"].iloc[0]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.sampled_from([0.0, 1.0, -0.1, 1.2]), st.floats(0, 1)),
            st.one_of(st.none(), st.sampled_from([0.0, 1.0, np.inf]), st.floats(0.1, 1e7)),
        ),
        max_size=15,
    )
)
def test_edges(rounds: list[tuple[float | None, float | None]]) -> None:
    rates = pd.Series([rate for rate, _ in rounds], dtype="Float64")
    counts = pd.Series([count for _, count in rounds], dtype="Float64")
    found = find_signals(rates, counts)
    assert list(found.columns) == COLUMNS and found.index.equals(rates.index)
    assert found[["rate", "centre", "low", "high"]].stack().dropna().between(0, 1).all()
    limited = found.dropna(subset=["low"])
    assert (limited["low"] <= limited["centre"]).all() and (limited["centre"] <= limited["high"]).all()
    assert ((found["signals"].map(len) > 0) == (found["direction"] != "")).all()
    assert (found.loc[found["low"].isna(), "direction"] == "").all()


@pytest.mark.parametrize("by", ["entity", ["region", "entity"]])
def test_nothing_gives_nothing(by: str | list[str]) -> None:
    columns = {"entity": str, "region": str, "period": str, "rate": float, "count": float}
    empty = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
    found = find_many_signals(empty, by)
    assert found.empty and list(found.columns)[-7:] == COLUMNS


def test_a_thousand_entities_are_quick() -> None:
    frame = simulate(1000, 24, seed=1).assign(period=lambda rows: "FY" + rows["period"].astype(str).str.zfill(2))
    find_many_signals(frame.head(100), "entity")
    start = time.perf_counter()
    find_many_signals(frame, "entity")
    assert time.perf_counter() - start < 0.5  # 50 ms when nothing else runs
