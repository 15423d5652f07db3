"""Chronic items: published survival figures, planted items found and no others, and what must hold for any spells."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.chronic import (
    FixTimes,
    count_chronic_by_item,
    estimate_time_to_fix,
    find_chronic,
    find_least_rounds,
    measure_repeat,
)

MET, PARTLY, NOT, INAPPLICABLE, UNANSWERED = range(5)
# Days that flies lived: time → number, of 163 flies (lifelines, lifelines/datasets/waltons_dataset.csv, MIT).
WALTONS = {
    ("control", True): {
        7: 1, 17: 1, 32: 1, 33: 1, 38: 2, 41: 7, 45: 9, 48: 8, 51: 3, 53: 7, 54: 2, 56: 18, 58: 4, 60: 15, 61: 9, 63: 9,
        66: 3, 68: 9, 69: 12, 75: 1,
    },
    ("control", False): {7: 1, 45: 1, 60: 1, 61: 2, 68: 1, 69: 1},
    ("miR-137", True): {6: 1, 9: 3, 13: 3, 15: 2, 19: 3, 22: 4, 26: 5, 29: 5, 33: 2, 36: 2, 43: 1, 47: 1, 62: 2},
}  # fmt: skip
# Weeks of remission of 42 children (Freireich et al. 1963, Blood 21:699, as Gehan 1965 and Cox 1972 have them).
LEUKEMIA = {
    ("6-MP", True): {6: 3, 7: 1, 10: 1, 13: 1, 16: 1, 22: 1, 23: 1},
    ("6-MP", False): {6: 1, 9: 1, 10: 1, 11: 1, 17: 1, 19: 1, 20: 1, 25: 1, 32: 2, 34: 1, 35: 1},
    ("placebo", True): {1: 2, 2: 2, 3: 1, 4: 2, 5: 2, 8: 4, 11: 2, 12: 2, 15: 1, 17: 1, 22: 1, 23: 1},
}
# Months that 17 patients lived (lifelines, lifelines/datasets/g3.csv, MIT; R's package coin has them as glioma).
GLIOMA = {
    ("RIT", True): {53: 1, 25: 1},
    ("RIT", False): {28: 1, 69: 1, 58: 1, 54: 1, 51: 1, 61: 1, 57: 2, 50: 1},
    ("control", True): {34: 1, 32: 1, 9: 1, 19: 1},
    ("control", False): {50: 1, 48: 1},
}
Deaths = dict[tuple[str, bool], dict[int, int]]
SPELLS = st.lists(
    st.tuples(st.sampled_from("ABC"), st.integers(1, 6), st.booleans(), st.booleans(), st.integers(1, 3)), max_size=12
)


def make_deaths(deaths: Deaths) -> pd.DataFrame:
    """Spells that last as long as these lives: a censored spell of n rounds was seen to last n − 1 more answers."""
    rows = [
        (group, time + (not is_dead), is_dead, number)
        for (group, is_dead), times in deaths.items()
        for time, number in times.items()
    ]
    return pd.DataFrame(rows, columns=["group", "rounds", "is_fixed", "count"]).assign(is_from_start=False)


def make_spells(rows: list[tuple[str, int, bool, bool, int]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["label", "rounds", "is_fixed", "is_from_start", "count"])
    return frame.astype({"label": "str", "rounds": int, "is_fixed": bool, "is_from_start": bool, "count": int})


def read_spells(verdicts: np.ndarray) -> pd.DataFrame:
    """Spells of an array of verdicts of shape (entities, items, rounds), read one answer after the other."""
    rows = []
    for (entity, item), _ in np.ndenumerate(verdicts[..., 0]):
        spell: list[int] | None = None
        answered = [(number, verdict) for number, verdict in enumerate(verdicts[entity, item]) if verdict != UNANSWERED]
        for place, (number, verdict) in enumerate(answered):
            if verdict in (PARTLY, NOT):
                spell = spell or [0, 0, place == 0, number, number]
                spell[0] += 1
                spell[1] += verdict == NOT
                spell[4] = number
            if spell and (verdict in (MET, INAPPLICABLE) or place == len(answered) - 1):
                rows.append((entity, item, *spell[:2], verdict == MET, verdict in (PARTLY, NOT), *spell[2:]))
                spell = None
    columns = [
        "entity",
        "item_lineage",
        "rounds",
        "not_met_rounds",
        "is_fixed",
        "is_current",
        "is_from_start",
        "since",
        "last",
    ]
    return pd.DataFrame(rows, columns=columns)


def find_current(is_not_met: np.ndarray) -> pd.DataFrame:
    """Spells that still last, of an array of shape (entities, items, rounds) of whether an answer is not met."""
    length = np.where(is_not_met.all(axis=2), is_not_met.shape[2], (~is_not_met[..., ::-1]).argmax(axis=2))
    entity, item = np.nonzero(length)
    return pd.DataFrame({"entity": entity, "item_lineage": item, "rounds": length[entity, item]}).assign(
        not_met_rounds=lambda frame: frame["rounds"], is_current=True
    )


def get_curve(found: FixTimes, group: str) -> pd.DataFrame:
    return found.curves[found.curves["group"] == group].set_index("rounds")


def test_spells_are_read_as_the_words_say() -> None:
    spells = read_spells(np.array([[[NOT, UNANSWERED, PARTLY, MET, NOT, INAPPLICABLE, NOT, NOT, UNANSWERED]]]))
    assert spells[["rounds", "not_met_rounds"]].to_numpy().tolist() == [[2, 1], [1, 1], [2, 2]]
    assert spells["is_fixed"].tolist() == [True, False, False]
    assert spells["is_current"].tolist() == [False, False, True]
    assert spells["is_from_start"].tolist() == [True, False, False]


def test_kaplan_meier_of_waltons_is_that_of_lifelines() -> None:
    spells = make_deaths(WALTONS)
    assert spells["count"].sum() == 163
    # Table of events in lifelines' documentation ("Quickstart").
    curve = get_curve(estimate_time_to_fix(spells), "all")
    assert curve["at_risk"].tolist()[:5] == [163, 163, 162, 160, 157]
    assert curve["fixed"].tolist()[:5] == [0, 1, 1, 3, 3]
    assert curve["censored"].tolist()[:5] == [0, 0, 1, 0, 0]
    found = estimate_time_to_fix(spells, "group")
    assert found.groups["spells"].tolist() == [129, 34]
    # Difference at day 10 on the log-log scale in lifelines' documentation ("Examples"): 4.77, p = 0.03, 5.11 bits;
    # it takes the variance between two events on the straight line from one to the other.
    centres, variances = [], []
    for group in ("control", "miR-137"):
        curve = get_curve(found, group).dropna()
        log_rate = np.log(curve["open_rate"])
        error = (np.log(-np.log(curve["low"])) - np.log(-np.log(curve["high"]))) / 2 / 1.959963984540054
        rate = log_rate.loc[:10].iloc[-1]
        centres.append(math.log(-rate))
        variances.append(np.interp(10, curve.index, (error * log_rate) ** 2) / rate**2)
    statistic = (centres[0] - centres[1]) ** 2 / sum(variances)
    assert round(statistic, 2) == 4.77
    assert round(-math.log2(math.erfc(math.sqrt(statistic / 2))), 2) == 5.11


def test_medians_and_log_rank_of_waltons() -> None:
    # Not printed in lifelines' documentation; statsmodels finds the same on these numbers.
    spells = make_deaths(WALTONS)
    assert estimate_time_to_fix(spells).groups["median"].tolist() == [56]
    found = estimate_time_to_fix(spells, "group")
    assert found.groups["median"].tolist() == [58, 26]
    assert (round(found.statistic, 2), found.degrees) == (122.25, 1)
    assert round(-math.log2(found.p_value), 2) == 91.99


def test_kaplan_meier_of_freireich_s_leukemia_data_is_the_textbook_s() -> None:
    found = estimate_time_to_fix(make_deaths(LEUKEMIA), "group")
    curve = get_curve(found, "6-MP")
    rates = curve.loc[curve["fixed"] > 0, "open_rate"].round(3).to_dict()
    assert rates == {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    # Medians as R's survfit prints them.
    assert found.groups["median"].tolist() == [23, 8]
    # Stata's sts list (Rodríguez, Princeton), whose interval is on the log-log scale.
    placebo = get_curve(found, "placebo").loc[[1, 2], ["open_rate", "low", "high"]].round(4)
    assert placebo.to_numpy().tolist() == [[0.9048, 0.6700, 0.9753], [0.8095, 0.5689, 0.9239]]


def test_log_rank_of_freireich_s_leukemia_data_is_the_textbook_s() -> None:
    found = estimate_time_to_fix(make_deaths(LEUKEMIA), "group")
    assert (round(found.statistic, 2), found.degrees) == (16.79, 1)
    assert found.p_value == pytest.approx(4.17e-5, abs=5e-8)


def test_intervals_of_glioma_are_those_of_r() -> None:
    # R's survfit with conf.type = "log-log", in lifelines' tests.
    found = estimate_time_to_fix(make_deaths(GLIOMA), "group")
    curve = get_curve(found, "control").loc[[9, 19, 32, 34]]
    assert curve["open_rate"].round(3).tolist() == [0.833, 0.667, 0.5, 0.333]
    assert curve["low"].tolist() == pytest.approx([0.2731, 0.1946, 0.1109, 0.0461], rel=1e-3)
    assert curve["high"].tolist() == pytest.approx([0.975, 0.904, 0.804, 0.676], rel=1e-3)
    assert found.p_value == pytest.approx(0.0138, abs=1e-4)


@pytest.mark.parametrize(
    ("times", "groups", "events", "statistic", "p_value"),
    [
        ([10, 20, 30, 10, 20, 50], "aaabbb", [1, 1, 1, 1, 1, 1], 0.254237, 0.614107),
        ([10, 20, 30, 10, 20, 50], "aaabbb", [1, 0, 1, 1, 0, 1], 0.384615, 0.535143),
        ([5, 3, 9, 8, 7, 4, 4, 3, 2, 5, 6, 7], "aaaabbbbbccc", [1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0], 1.0800, 0.5827),
    ],
    ids=["R without censoring", "R with censoring", "three groups in lifelines' documentation"],
)
def test_log_rank_is_the_published_one(
    times: list[int], groups: str, events: list[int], statistic: float, p_value: float
) -> None:
    deaths: Deaths = {}
    for time, group, event in zip(times, groups, events, strict=True):
        cell = deaths.setdefault((group, bool(event)), {})
        cell[time] = cell.get(time, 0) + 1
    found = estimate_time_to_fix(make_deaths(deaths), "group")
    assert found.degrees == len(set(groups)) - 1
    assert found.statistic == pytest.approx(statistic, abs=1e-4 if len(times) > 6 else 1e-6)
    assert found.p_value == pytest.approx(p_value, abs=1e-4 if len(times) > 6 else 1e-6)


def test_planted_time_to_fix_is_recovered_with_its_interval() -> None:
    # Each answer after an unmet one is met with probability 0.3; observation ends after 1 to 8 more answers.
    found, covered = [], []
    for seed in range(40):
        draw = np.random.default_rng(seed)
        fix, end = draw.geometric(0.3, 400), draw.integers(0, 8, 400)
        spells = pd.DataFrame({"rounds": np.where(fix <= end, fix, end + 1), "is_fixed": fix <= end})
        curve = get_curve(estimate_time_to_fix(spells.assign(is_from_start=False)), "all")
        found.append(curve.loc[[1, 3, 5], "open_rate"].to_numpy())
        covered.append(curve.loc[3, "low"] <= 0.7**3 <= curve.loc[3, "high"])
    assert np.mean(found, axis=0) == pytest.approx([0.7, 0.7**3, 0.7**5], abs=0.01)
    assert sum(covered) >= 35


def test_planted_repeat_rate_is_recovered() -> None:
    draw = np.random.default_rng(7)
    verdicts = np.zeros((100, 20, 12), dtype=int)
    for number in range(1, 12):
        chance = np.where(verdicts[..., number - 1] == NOT, 0.65, 0.10)
        verdicts[..., number] = np.where(draw.random((100, 20)) < chance, NOT, MET)
    found = measure_repeat(read_spells(verdicts)).iloc[0]
    assert found["low"] < 0.65 < found["high"] and found["high"] - found["low"] < 0.06


@pytest.mark.parametrize("seed", range(3))
def test_planted_chronic_items_are_found_and_no_others(seed: int) -> None:
    draw = np.random.default_rng(seed)
    rate, shape = 0.15, (60, 40, 12)
    verdicts = np.where(draw.random(shape) < rate, draw.choice([NOT, NOT, PARTLY], shape), MET)
    planted = [(int(cell) // 40, int(cell) % 40) for cell in draw.choice(2400, 25, replace=False)]
    for entity, item in planted:
        verdicts[entity, item] = NOT
    verdicts[draw.random(shape) < 0.05] = UNANSWERED
    least = find_least_rounds(rate, 2400)
    assert least == 6
    spells = read_spells(verdicts)
    found = find_chronic(spells, least)
    assert set(zip(found["entity"], found["item_lineage"], strict=True)) == set(planted)
    items = count_chronic_by_item(spells, least).set_index("item_lineage")["chronic_entities"]
    assert items[items > 0].to_dict() == found["item_lineage"].value_counts().to_dict()


def test_chance_alone_rarely_reaches_the_least_rounds() -> None:
    # 10,000 cells of which each answer is not met by chance; in 200 groups, at most 5 % may show a chronic item.
    least = find_least_rounds(0.15, 10_000, 0.05)
    alarms = 0
    for seed in range(200):
        is_not_met = np.random.default_rng(seed).random((100, 100, least)) < 0.15
        alarms += not find_chronic(find_current(is_not_met), least).empty
    assert alarms <= 10


@pytest.mark.parametrize(
    ("rate", "cells", "level", "rounds"),
    [
        (0.1, 1000, 0.05, 5),
        (0.1, 1000, 1.0, 4),
        (0.5, 1, 0.5, 2),
        (0.5, 1, 0.51, 1),
        (0.5, 64, 1.0, 7),
        (0.15, 500_000, 0.05, 9),
        (0.999, 10, 0.05, 5296),
        (0.0, 10, 0.05, 1),
        (0.3, 0, 0.05, 1),
        ([0.05, 0.6], [999, 1], 0.05, 6),
        (1.0, 10, 0.05, None),
        ([0.1, 1.0], [10, 0], 0.05, 3),
        (np.nan, 10, 0.05, None),
        (0.1, np.nan, 0.05, None),
        (0.1, 10, 0.0, None),
        ([], [], 0.05, 1),
    ],
)
def test_least_rounds(rate: float | list[float], cells: float | list[float], level: float, rounds: int | None) -> None:
    assert find_least_rounds(rate, cells, level) == rounds


@settings(max_examples=50)
@given(st.floats(0.001, 0.99), st.integers(1, 10**6), st.floats(0.001, 2))
def test_least_rounds_are_enough_and_one_less_is_not(rate: float, cells: int, level: float) -> None:
    rounds = find_least_rounds(rate, cells, level)
    assert rounds is not None and cells * rate**rounds < level
    assert rounds == 1 or cells * rate ** (rounds - 1) >= level


def test_chronic_spells_are_listed_the_longest_first() -> None:
    spells = pd.DataFrame(
        {
            "entity": ["A", "B", "C", "D", "E", "F"],
            "item_lineage": list("zyxwvu"),
            "rounds": [4, 9, 6, 12, 5, 6],
            "not_met_rounds": [4, 9, 5, 3, 5, 5],
            "is_current": [True, False, True, True, True, True],
            "is_critical": [True, True, False, True, None, False],
            "measure": "human",
        }
    )
    assert find_chronic(spells)["entity"].tolist() == ["C", "F", "E", "A"]
    assert find_chronic(spells, critical_first=True)["entity"].tolist() == ["A", "C", "F", "E"]
    assert find_chronic(spells, 5)["entity"].tolist() == ["C", "F", "E"]
    assert list(find_chronic(spells)) == list(spells)
    assert find_chronic(spells.drop(columns="is_critical"), critical_first=True)["entity"].tolist() == list("CFEA")


def test_items_are_counted_with_their_labels() -> None:
    spells = pd.DataFrame(
        {
            "entity": ["A", "B", "C", "A"],
            "item_lineage": ["x", "x", "x", "y"],
            "rounds": [5, 4, 3, 2],
            "not_met_rounds": [5, 4, 3, 2],
            "is_fixed": [False, False, True, True],
            "is_current": [True, True, False, False],
            "category": ["access", "access", "access", "backup"],
        }
    )
    found = count_chronic_by_item(spells).set_index("item_lineage")
    assert found.index.tolist() == ["x", "y"]
    counts = ["chronic_entities", "open_entities", "longest_rounds"]
    assert found[counts].to_numpy().tolist() == [[2, 2, 5], [0, 0, 0]]
    assert found["category"].tolist() == ["access", "backup"]
    assert found["repeat_rate"].tolist() == pytest.approx([9 / 10, 1 / 2])


def test_expected_rate_is_the_base_rate_where_answers_were_repeated() -> None:
    spells = make_spells([("A", 3, True, False, 1), ("A", 1, False, False, 1), ("A", 1, True, False, 1)])
    found = measure_repeat(spells.assign(base_rate=[0.1, 0.9, 0.5])).iloc[0]
    assert found["repeat_rate"] == 2 / 4 and found["expected_rate"] == pytest.approx((3 * 0.1 + 0.5) / 4)
    assert np.isnan(measure_repeat(spells)["expected_rate"].iloc[0])
    assert np.isnan(measure_repeat(spells.assign(base_rate=np.nan))["expected_rate"].iloc[0])


def test_spells_of_which_the_beginning_is_not_known_are_left_out_and_counted() -> None:
    known = [("A", 2, True, False, 1), ("A", 4, False, False, 1)]
    one = estimate_time_to_fix(make_spells(known), "label")
    other = estimate_time_to_fix(make_spells([*known, ("A", 6, True, True, 3), ("B", 6, True, True, 1)]), "label")
    pd.testing.assert_frame_equal(one.curves, other.curves)
    assert other.groups["left_out"].tolist() == [3, 1] and other.groups["spells"].tolist() == [2, 0]
    assert np.isnan(other.statistic) and other.degrees == 0


@settings(max_examples=40)
@given(SPELLS)
def test_curves_and_repeat_rates_tell_the_same_story(rows: list[tuple[str, int, bool, bool, int]]) -> None:
    spells = make_spells(rows)
    found = estimate_time_to_fix(spells, "label")
    used = spells[~spells["is_from_start"]]
    again = measure_repeat(used, "label").set_index("group")
    for group in found.groups["group"]:
        curve = get_curve(found, group)
        if curve.empty:
            continue
        counts = curve[["fixed", "censored"]].sum(axis=1)
        assert curve["at_risk"].tolist() == counts[::-1].cumsum()[::-1].tolist()
        assert curve["open_rate"].is_monotonic_decreasing and curve["open_rate"].between(0, 1).all()
        bounded = curve.dropna()
        assert (bounded["low"] <= bounded["open_rate"]).all() and (bounded["open_rate"] <= bounded["high"]).all()
        # Every answer after an unmet one is a round at risk of both.
        exposure = (curve.index.to_numpy() * counts).sum()
        assert exposure == again.loc[group, ["repeated", "fixed"]].sum()
        assert curve["fixed"].sum() == again.loc[group, "fixed"]
    assert found.groups[["spells", "left_out"]].to_numpy().sum() == spells["count"].sum()
    assert np.isnan(found.p_value) or 0 <= found.p_value <= 1


@settings(max_examples=20)
@given(SPELLS)
def test_a_row_that_stands_for_several_spells_counts_as_so_many(rows: list[tuple[str, int, bool, bool, int]]) -> None:
    spells = make_spells(rows)
    spread = spells.loc[spells.index.repeat(spells["count"])].drop(columns="count")
    for by in (None, "label"):
        pd.testing.assert_frame_equal(measure_repeat(spells, by), measure_repeat(spread, by))
        one, other = estimate_time_to_fix(spells, by), estimate_time_to_fix(spread, by)
        pd.testing.assert_frame_equal(one.curves, other.curves)
        pd.testing.assert_frame_equal(one.groups, other.groups)
        assert one.statistic == pytest.approx(other.statistic, nan_ok=True)


@settings(max_examples=20)
@given(SPELLS)
def test_log_rank_does_not_depend_on_names(rows: list[tuple[str, int, bool, bool, int]]) -> None:
    one = estimate_time_to_fix(make_spells(rows), "label")
    names = {"A": "z", "B": "a", "C": "m"}
    other = estimate_time_to_fix(make_spells([(names[row[0]], *row[1:]) for row in rows]), "label")
    assert one.degrees == other.degrees
    assert one.statistic == pytest.approx(other.statistic, nan_ok=True)


def test_empty_frames_say_nothing() -> None:
    spells = read_spells(np.array([[[NOT, MET]]])).iloc[:0]
    assert find_chronic(spells).empty
    assert count_chronic_by_item(spells).empty
    overall = measure_repeat(spells).iloc[0]
    assert overall[["repeated", "fixed"]].tolist() == [0, 0] and np.isnan(overall["repeat_rate"])
    assert measure_repeat(spells, "item_lineage").empty
    for by in (None, "item_lineage"):
        found = estimate_time_to_fix(spells, by)
        assert found.curves.empty and np.isnan(found.statistic) and np.isnan(found.p_value)


@pytest.mark.parametrize("verdict", [MET, INAPPLICABLE, UNANSWERED])
def test_without_an_unmet_answer_there_is_no_spell(verdict: int) -> None:
    assert read_spells(np.full((2, 3, 4), verdict)).empty


def test_none_met_is_chronic_everywhere_and_its_time_to_fix_is_not_known() -> None:
    spells = read_spells(np.full((2, 3, 5), NOT))
    assert len(find_chronic(spells)) == 6
    assert measure_repeat(spells)["repeat_rate"].tolist() == [1.0]
    assert estimate_time_to_fix(spells).groups[["spells", "left_out"]].to_numpy().tolist() == [[0, 6]]


def test_one_round_tells_neither_repeat_nor_time() -> None:
    spells = read_spells(np.full((2, 3, 1), NOT)).assign(is_from_start=False)
    assert find_chronic(spells).empty and len(find_chronic(spells, 1)) == 6
    assert measure_repeat(spells)["repeat_rate"].isna().all()
    found = estimate_time_to_fix(spells)
    assert found.groups[["spells", "fixed"]].to_numpy().tolist() == [[6, 0]] and found.groups["median"].isna().all()
    assert found.curves[["at_risk", "open_rate"]].to_numpy().tolist() == [[6, 1]]


def test_missing_values_are_no_spells() -> None:
    spells = pd.DataFrame(
        {
            "label": ["A", None, "A"],
            "rounds": [2, 3, None],
            "is_fixed": [True, None, True],
            "is_from_start": [None, False, None],
        }
    )
    spells = spells.astype({"rounds": "Int64", "is_fixed": "boolean", "is_from_start": "boolean"})
    assert measure_repeat(spells)[["repeated", "fixed"]].to_numpy().tolist() == [[3, 1]]
    found = estimate_time_to_fix(spells, "label")
    assert found.groups["spells"].tolist() == [1, 1] and found.groups["group"].isna().tolist() == [False, True]
