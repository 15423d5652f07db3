"""Self-checks beside outside checks: whose can be believed, what is to be expected elsewhere, and no inspector named."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import panels
from dashboard.downloads import write_csv
from dashboard.drill import calibration, severity, verified
from dashboard.drill.item_names import ITEM, name_items
from dashboard.drill.pairs import choose_outside_types
from dashboard.panels import Panel
from dashboard.view import View
from tests.dashboard.test_pages import list_texts, read_specs

OpenApp = Callable[..., AppTest]
NO_SAMPLE = "Audits are no random sample"
STRICTNESS = "How strict inspectors are"


@pytest.fixture(scope="module")
def outside_of(view_of: Callable[..., View]) -> Callable[..., View]:
    """Make the page's view of a selection, which is held to outside checks."""
    return lambda **chosen: choose_outside_types(view_of(**{"inspection_type": ()} | chosen))


@pytest.fixture
def panel_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Panel]:
    """The panel that a function shows."""

    def make(show: Callable[..., None], *given: Any) -> Panel:
        shown: list[Panel] = []
        monkeypatch.setattr(panels, "show_panel", lambda _, panel: shown.append(panel))
        show(*given)
        assert len(shown) == 1
        return shown[0]

    return make


@pytest.fixture(scope="module")
def frame(outside_of: Callable[..., View]) -> pd.DataFrame:
    return outside_of().ask(("pairs",), ("region", "category", "entity", "self_verdict", "verdict"))


@pytest.mark.parametrize("dimension", ["region", "category", "entity"])
def test_every_row_is_counted_again_from_the_pairs(
    outside_of: Callable[..., View], frame: pd.DataFrame, panel_of: Callable[..., Panel], dimension: str
) -> None:
    table = panel_of(calibration.show_calibration, outside_of(), dimension).table.set_index("id")
    score = {"met": 2, "partly_met": 1, "not_met": 0}
    step = frame["self_verdict"].map(score) - frame["verdict"].map(score)
    counted = pd.DataFrame(
        {
            "pairs": frame["pairs"],
            "higher": frame["pairs"].where(step > 0, 0),
            "lower": frame["pairs"].where(step < 0, 0),
            "equal": frame["pairs"].where(step == 0, 0),
        }
    )
    sums = counted.groupby(frame[dimension]).sum()
    assert set(table.index) == set(sums.index)
    sums = sums.loc[table.index]
    assert table["pairs"].tolist() == sums["pairs"].tolist()
    assert table["exact_agreement"].tolist() == pytest.approx((sums["equal"] / sums["pairs"]).tolist())
    optimism = (sums["higher"] - sums["lower"]) / sums["pairs"]
    assert table["net_optimism"].tolist() == pytest.approx(optimism.tolist())
    assert table["net_optimism"].is_monotonic_decreasing
    if dimension == "entity":
        assert table["low"].isna().all()
    else:
        assert ((table["low"] < table["net_optimism"]) & (table["net_optimism"] < table["high"])).all()


def test_sums_of_the_panel_are_those_of_the_metric(
    outside_of: Callable[..., View], panel_of: Callable[..., Panel]
) -> None:
    view = outside_of()
    table = panel_of(calibration.show_calibration, view, "region").table
    whole = view.ask(("net_optimism", "exact_agreement")).iloc[0]
    pairs = table["pairs"].sum()
    assert pairs == whole["net_optimism_denominator"]
    assert (table["net_optimism"] * table["pairs"]).sum() == pytest.approx(whole["net_optimism_numerator"])
    assert (table["exact_agreement"] * table["pairs"]).sum() == pytest.approx(whole["exact_agreement_numerator"])


def test_the_planted_region_stands_out_and_no_other(
    outside_of: Callable[..., View], panel_of: Callable[..., Panel]
) -> None:
    # The demo plants optimistic self-checks in Asia.
    panel = panel_of(calibration.show_calibration, outside_of(), "region")
    table = panel.table
    assert table.loc[table["is_more_optimistic"], "id"].tolist() == ["AS"]
    assert not table["is_less_optimistic"].any()
    assert "whatever the level of compliance: Asia (q < 0.001)." in panel.note
    said = panel_of(calibration.show_calibration, outside_of(language="ja"), "region").note
    assert "自己評価が他より甘いもの：アジア（q" in said or "自己評価が他より甘いもの：アジア (q" in said


def test_no_category_stands_out_and_one_region_alone_is_not_judged(
    outside_of: Callable[..., View], panel_of: Callable[..., Panel]
) -> None:
    assert "None of them stands out" in panel_of(calibration.show_calibration, outside_of(), "category").note
    assert "Too few entities" in panel_of(calibration.show_calibration, outside_of(region=("EU",)), "region").note


def test_of_many_items_the_first_are_drawn_and_the_table_has_all(
    outside_of: Callable[..., View], panel_of: Callable[..., Panel]
) -> None:
    view = outside_of()
    panel = panel_of(calibration.show_calibration, name_items(view), ITEM)
    assert panel.chart
    chart = panel.chart()
    assert len(chart.data) == calibration.MOST_RANKED
    assert len(panel.table) == len(view.ask(("pairs",), (ITEM,)).query("pairs > 0"))
    assert "15 of" in panel.note and "stands out" not in panel.note


def test_page_shows_agreement_and_says_that_all_were_visited(open_app: OpenApp, demo_home: Path) -> None:
    app = open_app(home=demo_home, page="pairs", lang="en")
    assert not app.exception
    cards = {metric.label: metric for metric in app.metric}
    assert cards["Weighted κ"].value == "0.44"
    assert cards["Gwet AC1"].value == "0.81"
    assert "Cohen" in cards["Weighted κ"].help and "Gwet" in cards["Gwet AC1"].help
    assert "Spread of strictness" in cards
    assert "Net optimism by region" in [element.value for element in app.subheader]
    assert "by" not in app.query_params
    # Of the departments and business groups, which outsiders never visit, nothing is known to go by.
    assert "Nothing is left to estimate" in list_texts(app)
    assert "left out (16)" in list_texts(app)
    assert NO_SAMPLE not in list_texts(app)


@pytest.mark.parametrize(
    ("address", "title"),
    [
        ({"by": "entity", "entity": "AF-0018"}, "Net optimism by entity"),
        ({"by": "item", "type": "affiliate_check", "from_": "FY2025-H1"}, "Net optimism by checklist item"),
    ],
)
def test_page_says_why_it_is_silent(open_app: OpenApp, demo_home: Path, address: dict[str, str], title: str) -> None:
    app = open_app(home=demo_home, page="pairs", lang="en", **address)
    assert not app.exception
    assert title in [element.value for element in app.subheader]
    assert app.query_params["by"] in (address["by"], [address["by"]])
    # All affiliates are visited by one inspector.
    assert "A strict inspector cannot be told from optimistic entities here" in list_texts(app)
    labels = [metric.label for metric in app.metric]
    assert "Inspector was there before" in labels and "Spread of strictness" not in labels
    assert not any(STRICTNESS in said for _, _, said in read_specs(app))
    few = "Nothing is estimated from so few: it takes 5 entities with pairs, and there are 1."
    assert (few in list_texts(app)) == ("entity" in address)
    assert (NO_SAMPLE in list_texts(app)) == ("entity" not in address)


def test_entities_not_visited_are_estimated_and_those_visited_are_not(
    outside_of: Callable[..., View], panel_of: Callable[..., Panel]
) -> None:
    view = outside_of(from_period="FY2025-H1")
    panel = panel_of(verified.show_verified, view)
    table = panel.table.set_index("id")
    visited = set(view.ask(("pairs",), ("entity",)).query("pairs > 0")["entity"])
    assert len(table) > 20 and not visited & set(table.index)
    kinds = view.hold(inspection_type=("self_check",)).ask(("compliance_rate",), ("entity", "entity_kind"))
    assert set(kinds.set_index("entity").loc[table.index, "entity_kind"]) == {"site", "affiliate"}
    rates = kinds.set_index("entity")["compliance_rate"]
    assert table["self_rate"].to_dict() == pytest.approx(rates[table.index].to_dict())
    assert ((table["low"] <= table["estimate"]) & (table["estimate"] <= table["high"])).all()
    # The planted optimism of Asia is taken off there, and little elsewhere.
    gap = table.groupby("group")["gap"].mean()
    assert gap["AS"] > 10 and (gap.drop("AS") < 6).all()
    assert NO_SAMPLE in panel.note
    found = verified.find_verified(view)
    assert f"Checked on {len(visited)} visited entities" in panel.note
    assert f"{found.check.coverage:.0%} lay within" in panel.note
    assert found.check.coverage > 0.9
    assert found.check.mean_absolute_error < found.check.mean_absolute_error_of_self_check


def test_a_type_that_is_not_chosen_still_counts_as_a_visit(outside_of: Callable[..., View]) -> None:
    found = verified.find_verified(outside_of(inspection_type=("affiliate_check",), from_period="FY2025-H1"))
    mutual = outside_of(inspection_type=("mutual_check",), from_period="FY2025-H1").ask(("inspections",), ("entity",))
    assert not set(mutual["entity"]) & set(found.estimates["entity"])


def test_no_inspector_is_named_in_anything_that_is_shown(
    outside_of: Callable[..., View], panel_of: Callable[..., Panel]
) -> None:
    view = outside_of()
    asked = view.ask(("inspections",), ("inspecting_entity",))
    panel = panel_of(severity.show_strictness, view)
    assert panel.chart
    chart = panel.chart()
    with zipfile.ZipFile(io.BytesIO(panels.write_workbook(view, panel))) as book:
        parts = [book.read(name).decode() for name in book.namelist()]
    shown = "\n".join(
        [
            write_csv(panel.table, panel.columns).decode(),
            panel.table.to_csv(),
            chart.data.to_csv(),
            chart.alt,
            panel.note,
            panel.definition,
            *parts,
        ]
    )
    for names in (asked["inspecting_entity"], asked["inspecting_entity_en"], asked["inspecting_entity_ja"]):
        assert not [name for name in names if name and name in shown]
    assert not re.search(r"\b(HQ|ST|AF|BG)-\d{4}\b", shown)
    assert set(panel.table) == {"low", "high", "count"}
    assert panel.on_pick is None and not chart.picks


def test_inspectors_are_compared_where_others_visited_the_same_entities(
    outside_of: Callable[..., View], panel_of: Callable[..., Panel]
) -> None:
    view = outside_of()
    found = severity.find_inspectors(view)
    visits = view.ask(("pairs",), ("inspecting_entity", "entity", "fiscal_half", "inspection_type"))
    by_type = visits.groupby("inspection_type").size()
    # In the demo all affiliates are visited by one inspector.
    assert visits.loc[visits["inspection_type"] == "affiliate_check", "inspecting_entity"].nunique() == 1
    assert found.summary.visits + found.apart == len(visits)
    assert found.apart >= by_type["affiliate_check"]
    assert f"{found.apart} visits are left out" in panel_of(severity.show_strictness, view).note
    panel = panel_of(severity.show_strictness, view)
    assert panel.table["count"].sum() == found.summary.inspectors == 44


def test_visits_are_counted_again_with_those_of_earlier_periods(outside_of: Callable[..., View]) -> None:
    def list_visits(view: View) -> pd.DataFrame:
        rows = view.ask(("inspections",), ("inspecting_entity", "entity", "fiscal_half"))
        return rows[(rows["inspecting_entity"] != "") & (rows["inspecting_entity"] != rows["entity"])]

    whole = list_visits(outside_of()).sort_values("fiscal_half")
    whole = whole.assign(is_again=whole.duplicated(["inspecting_entity", "entity"]))
    for start in (None, "FY2025-H1"):
        found = severity.find_inspectors(outside_of(from_period=start))
        shown = whole[whole["fiscal_half"] >= (start or "")]
        assert found.repeats.inspections == len(shown)
        assert found.again == shown["is_again"].sum() > 0


def test_outside_checks_that_do_not_say_who_inspected_are_not_counted(
    outside_of: Callable[..., View], monkeypatch: pytest.MonkeyPatch
) -> None:
    view = outside_of(region=("EU",))
    ask = View.ask

    def hide(self: View, metrics: Any, by: Any = (), **more: Any) -> pd.DataFrame:
        frame = ask(self, metrics, by, **more)
        return frame.assign(inspecting_entity="") if "inspecting_entity" in by else frame

    monkeypatch.setattr(View, "ask", hide)
    found = severity.find_inspectors(view)
    assert (found.repeats.inspections, found.again, found.summary.visits, found.apart) == (0, 0, 0, 0)
