"""Periods, charts and figures on their own."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from dashboard import filters
from dashboard.answers import tell_apart
from dashboard.charts.lines import LABEL_GAP, LINE_HEIGHT, place_end_labels
from dashboard.charts.parts import find_rate_domain, wrap_label
from dashboard.charts.radar import draw_radar, find_middle
from dashboard.charts.ranks import draw_bars
from dashboard.periods import (
    GRAINS,
    Grain,
    change_grain,
    find_grain,
    find_told_on,
    is_within,
    list_quarters,
    name_period,
    step_back,
)
from dashboard.rates import make_distinct

PERIODS = some.builds(name_period, some.integers(2000 * 4, 2100 * 4), some.sampled_from(GRAINS))


@given(PERIODS, some.sampled_from(GRAINS))
def test_period_of_another_length_shares_its_end(code: str, grain: Grain) -> None:
    for is_end in (False, True):
        other = change_grain(code, grain, is_end=is_end)
        assert find_grain(other) == grain
        assert is_within(code, other, other)
        assert change_grain(code, find_grain(code), is_end=is_end) == code


@given(PERIODS, some.integers(1, 9))
def test_steps_back_are_of_the_same_length(code: str, steps: int) -> None:
    before = step_back(code, steps)
    assert find_grain(before) == find_grain(code)
    first, last = list_quarters(code)
    assert list_quarters(before)[0] == first - steps * (last - first + 1)


@pytest.mark.parametrize(
    ("code", "first", "last", "expected"),
    [
        ("FY2024-H2", "FY2024", "FY2024", True),
        ("FY2024-Q1", "FY2024-H2", "FY2025", False),
        ("FY2025", "FY2024-H1", "FY2025-Q1", True),
    ],
)
def test_periods_of_different_lengths_are_compared_by_quarters(
    code: str, first: str, last: str, expected: bool
) -> None:
    assert is_within(code, first, last) is expected


def test_labels_at_the_right_edge_do_not_touch() -> None:
    frame = pd.DataFrame({"period": ["a"] * 4, "series": list("wxyz"), "rate": [0.91, 0.91, 0.912, 0.99]})
    heights = sorted(place_end_labels(frame, 0.8, 1.0))
    gap = 0.2 * LABEL_GAP / LINE_HEIGHT
    assert all(high - low >= gap - 1e-9 for low, high in pairwise(heights))
    assert max(heights) <= 1.0


def test_small_differences_are_not_blown_up() -> None:
    low, high = find_rate_domain(pd.Series([0.951, 0.957]))
    assert high - low == pytest.approx(0.2)
    assert find_rate_domain(pd.Series([], dtype=float)) == (0.0, 1.0)


def test_same_names_are_told_apart_by_their_codes() -> None:
    assert make_distinct(["Works", "Office", "Works"], ["A", "B", "C"]) == ["Works (A)", "Office", "Works (C)"]


@given(some.text(min_size=1, max_size=200))
@example("0" * 18 + "\n0⺁")
def test_labels_take_two_lines_at_most(label: str) -> None:
    assert len(wrap_label(label).split("\n")) <= 2


def test_names_that_are_cut_to_the_same_text_keep_rows_of_their_own() -> None:
    name = "Aomine Electronics Manufacturing and Sales Company of Greater {} Japan"
    frame = pd.DataFrame(
        {"row": [name.format(side) for side in ("East", "West")], "count": [3, 4], "written": ["3", "4"]}
    )
    assert len({wrap_label(row, 26) for row in frame["row"]}) == 1
    spec, data = draw_bars(frame, {})
    assert spec["encoding"]["y"]["scale"]["domain"] == data["row_lines"].tolist()
    assert data["row_lines"].nunique() == 2


def test_middle_of_a_radar_is_said_and_rates_keep_their_order() -> None:
    assert find_middle(pd.Series([0.8, 0.95])) == 0.5
    assert find_middle(pd.Series([0.3, 0.95])) == 0.0
    frame = pd.DataFrame({"spoke": list("abcd"), "series": "x", "rate": [0.6, 0.7, 0.8, 1.0], "written": "-"})
    _, data = draw_radar(frame, list("abcd"), ["x"], {"written": "rate"})
    points = data[data["kind"] == "point"]
    reach = (points["x"] ** 2 + points["y"] ** 2) ** 0.5
    assert reach.tolist() == pytest.approx([0.2, 0.4, 0.6, 1.0])


def test_frames_are_told_apart_by_names_order_and_contents() -> None:
    frame = pd.DataFrame({"id": ["a", "b"], "rate": [0.5, 0.7]})
    turned = frame.iloc[::-1].reset_index(drop=True)
    others = [frame.rename(columns={"rate": "share"}), turned, frame.iloc[::-1], frame.assign(rate=[0.7, 0.5])]
    told = [tell_apart(one) for one in (frame, *others)]
    assert len(set(told)) == len(told)
    assert tell_apart(frame.copy()) == told[0]
    assert tell_apart(frame["rate"]) != tell_apart(frame["rate"].rename("share"))


def test_halves_are_stepped_and_told_a_month_after_their_end() -> None:
    assert [step_back("FY2025-H2", step) for step in (3, 2, 1, 0, -1)] == [
        "FY2024-H1", "FY2024-H2", "FY2025-H1", "FY2025-H2", "FY2026-H1",
    ]  # fmt: skip
    assert find_told_on("FY2024-H2") == find_told_on("FY2024") == date(2025, 4, 30)
    assert find_told_on("FY2024-H1") == find_told_on("FY2024-Q2") == date(2024, 10, 30)
    assert find_told_on("FY2024-Q1") == date(2024, 7, 30) and find_told_on("FY2024-Q3") == date(2025, 1, 30)


def test_choices_whose_widgets_streamlit_has_dropped_are_as_they_were_last(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, object] = {"filters.per": "half", "filters.from": "", "filters.region": ["JP"]}
    monkeypatch.setattr(filters.st, "session_state", state)
    filters._restore_lost({"type": ["all"], "region": ["EU"], "to": ["FY2025-H1"], "known": ["2025-06-30"]})
    assert (state["filters.from"], state["filters.to"]) == ("", "FY2025-H1")
    # What is there was chosen after the address had been written.
    assert (state["filters.region"], state["filters.type"], state["filters.kind"]) == (["JP"], [], [])
    assert state["filters.known"] == date(2025, 6, 30)
