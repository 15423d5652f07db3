"""Pace of the overview: the change that the target needs, where the rate is heading, and when nothing is forecast."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import cards, panels
from dashboard.group.pace import list_between, list_coming, show_outlook
from dashboard.panels import Panel
from dashboard.view import View
from dashboard.words import say_percent, say_points
from insights.pace import find_pace
from tests.dashboard.test_pages import list_texts, read_specs

OpenApp = Callable[..., AppTest]
ViewOf = Callable[..., View]
NEWEST = "FY2025-H2"
NO_FORECAST = "Fewer than 6 periods, or no change at all: no forecast is made."


@pytest.fixture
def outlook_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Panel]:
    """The panel of a view and a target."""

    def make(view: View, target: float) -> Panel:
        shown: list[Panel] = []
        monkeypatch.setattr(panels, "show_panel", lambda _, panel: shown.append(panel))
        newest = cards.find_newest_period(view)
        assert newest
        show_outlook(view, newest, list_coming(newest), target)
        return shown[0]

    return make


def read_rates(view: View) -> pd.Series:
    """The rates of all periods that there are, whatever span is shown."""
    frame = view.loosen("period").ask(("compliance_rate",), ("period",)).set_index("period")
    return frame["compliance_rate"].astype(float).sort_index()


@pytest.mark.parametrize(
    ("newest", "coming"),
    [
        ("FY2025-H2", ("FY2026-H1", "FY2026-H2")),
        ("FY2025-H1", ("FY2025-H2", "FY2026-H1", "FY2026-H2")),
        ("FY2025", ("FY2026",)),
        ("FY2025-Q3", ("FY2025-Q4", "FY2026-Q1", "FY2026-Q2", "FY2026-Q3", "FY2026-Q4")),
    ],
)
def test_periods_to_come_end_with_the_next_fiscal_year(newest: str, coming: tuple[str, ...]) -> None:
    assert list_coming(newest) == coming


def test_periods_without_a_figure_have_their_place() -> None:
    assert list_between("FY2024-Q3", "FY2025-Q2") == ("FY2024-Q3", "FY2024-Q4", "FY2025-Q1", "FY2025-Q2")
    assert list_between("FY2024", "FY2024") == ("FY2024",)


def test_the_pace_needed_is_the_distance_over_the_periods_left(
    view_of: ViewOf, outlook_of: Callable[..., Panel]
) -> None:
    view = view_of()
    past = read_rates(view)
    panel = outlook_of(view, 0.98)
    needed, recent = 100 * (0.98 - past.iloc[-1]) / 2, 100 * (past.iloc[-1] - past.iloc[-4]) / 3
    assert f"Needed: {say_points(needed)} a period until FY2026 H2; lately it was {say_points(recent)}." in panel.note
    pace = find_pace(past, 0.98, 2)
    chance = say_percent(pace.chance, 0)
    assert f"Chance to be at the target in FY2026 H2, if the rate goes on as it did: {chance}." in panel.note
    assert "The target is reached." not in panel.note and panel.title == "Pace against the target of 98%"
    table = panel.table
    assert table["figure"].tolist() == pytest.approx([*past, *pace.forecast["rate"]])
    assert table["period"].tolist() == [*past.index, "FY2026-H1", "FY2026-H2"]
    assert table["kind"].tolist() == ["as it was"] * 12 + ["forecast"] * 2
    assert table["low"].isna().tolist() == [True] * 12 + [False] * 2
    assert ((table["low"] < table["figure"]) & (table["figure"] < table["high"])).tail(2).all()


def test_a_target_that_is_reached_needs_no_pace(view_of: ViewOf, outlook_of: Callable[..., Panel]) -> None:
    panel = outlook_of(view_of(), 0.925)
    assert panel.note.startswith("The target is reached. Chance to be at the target in FY2026 H2")
    assert panel.title == "Pace against the target of 92.5%"
    assert "lay within their 80 % band" in panel.note and NO_FORECAST not in panel.note


def test_the_chart_holds_the_past_the_band_and_the_target(view_of: ViewOf, outlook_of: Callable[..., Panel]) -> None:
    panel = outlook_of(view_of(), 0.98)
    assert panel.chart
    chart = panel.chart()
    joint = chart.data[chart.data["kind"] == ""]
    assert joint["period"].tolist() == [NEWEST]
    assert joint["forecast"].tolist() == joint["low"].tolist() == [read_rates(view_of()).iloc[-1]]
    assert chart.data["forecast"].notna().sum() == 3
    assert "FY2026 H2" in chart.alt and "(" in chart.alt
    rules = [layer for layer in chart.spec["layer"] if layer["mark"].get("type") == "rule"]
    assert [rule["encoding"]["y"]["datum"] for rule in rules] == [0.98]


@pytest.mark.parametrize("end", ["FY2020-H1", "FY2022-H1"])
def test_few_periods_carry_no_forecast(view_of: ViewOf, outlook_of: Callable[..., Panel], end: str) -> None:
    view = view_of(to_period=end)
    panel = outlook_of(view, 0.99)
    assert NO_FORECAST in panel.note and "Chance" not in panel.note and "earlier forecasts" not in panel.note
    number = list_between("FY2020-H1", end).index(end) + 1
    assert len(panel.table) == number and set(panel.table["kind"]) == {"as it was"}
    assert panel.table["low"].isna().all() and panel.chart
    chart = panel.chart()
    assert "(" not in chart.alt and "()" not in panel.note
    assert ("lately it was" in panel.note) == (number > 1) and "Needed: +" in panel.note
    assert "–" not in panel.note


def test_six_periods_carry_a_forecast(view_of: ViewOf, outlook_of: Callable[..., Panel]) -> None:
    panel = outlook_of(view_of(to_period="FY2022-H2"), 0.99)
    assert NO_FORECAST not in panel.note and panel.table["kind"].tolist()[-3:] == ["as it was", "forecast", "forecast"]


def test_periods_before_those_shown_count(view_of: ViewOf, outlook_of: Callable[..., Panel]) -> None:
    whole, one = (outlook_of(view_of(from_period=start), 0.98) for start in (None, NEWEST))
    assert one.note == whole.note and one.table["figure"].tolist() == whole.table["figure"].tolist()


def test_a_period_without_a_figure_is_no_forecast(view_of: ViewOf, outlook_of: Callable[..., Panel]) -> None:
    # Self-checks are made in the second quarter of each half.
    view = view_of(grain="quarter")
    table = outlook_of(view, 0.98).table
    gaps = table[table["figure"].isna()]
    assert len(gaps) > 5 and set(gaps["kind"]) == {"as it was"}
    assert table.loc[table["kind"] == "forecast", "period"].tolist() == [
        f"FY2026-Q{quarter}" for quarter in range(1, 5)
    ]
    assert table.loc[table["kind"] == "forecast", "figure"].notna().all()


def test_years_have_a_pace_of_their_own(view_of: ViewOf, outlook_of: Callable[..., Panel]) -> None:
    view = view_of(grain="year")
    panel = outlook_of(view, 0.98)
    needed = 100 * (0.98 - read_rates(view).iloc[-1])
    assert f"Needed: {say_points(needed)} a period until FY2026;" in panel.note
    assert panel.table["period"].tolist()[-2:] == ["FY2025", "FY2026"]


def test_an_earlier_knowledge_date_forecasts_from_what_was_known(
    view_of: ViewOf, outlook_of: Callable[..., Panel]
) -> None:
    view = view_of(known_on=date(2025, 1, 15))
    newest = cards.find_newest_period(view)
    table = outlook_of(view, 0.98).table
    assert newest and newest < NEWEST
    assert table.loc[table["kind"] == "as it was", "period"].iloc[-1] == newest
    assert table.loc[table["kind"] == "forecast", "period"].tolist() == list(list_coming(newest))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_target_of_the_home_is_set_against_the_pace_and_without_one_there_is_none(
    open_app: OpenApp, demo_home: Path, tmp_path: Path, language: str
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "warehouse").symlink_to(demo_home / "warehouse")
    targets = home / "targets.csv"
    targets.write_text("metric,fiscal_year,rate\ncompliance_rate,FY2026,0.985\n")
    app = open_app(home=home, lang=language)
    assert not app.exception
    wanted = {"en": ("Needed: +1.4 pt a period until FY2026 H2", "98.5%"), "ja": ("2026年度下期までに必要な", "98.5%")}
    titles = [element.value.replace("\\", "") for element in app.subheader]
    assert wanted[language][0] in list_texts(app)
    assert any(wanted[language][1] in title for title in titles)
    assert any("forecast" in data.columns for _, data, _ in read_specs(app))
    targets.write_text("metric,fiscal_year,rate\ncoverage_rate,FY2020,1\n")
    app.run()
    assert not app.exception
    silence = {"en": "There is no target for this rate", "ja": "targets.csv"}
    assert silence[language] in list_texts(app)
    assert not any("forecast" in data.columns for _, data, _ in read_specs(app))


@pytest.mark.parametrize(
    "address",
    [
        {"entity": "AF-0018"},
        {"per": "quarter", "type": "all"},
        {"from_": NEWEST, "to": NEWEST},
        {"known": "2020-12-31"},
    ],
    ids=str,
)
def test_the_overview_stands_with_any_choice(open_app: OpenApp, demo_home: Path, address: dict[str, str]) -> None:
    app = open_app(home=demo_home, lang="en", **address)
    assert [error.value for error in app.exception] == []
    assert any(element.value.startswith("Pace against the target") for element in app.subheader)
    assert "nan" not in list_texts(app)
