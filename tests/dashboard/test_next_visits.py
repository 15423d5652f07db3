"""Where to inspect next: the ranking is of what is known, its reasons are true, and it says how it fared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.act import next_visits
from dashboard.act.visit_ranking import (
    NextVisits,
    find_ranking,
    gather,
    open_up,
    read_outside_rates,
)
from dashboard.panels import Panel
from dashboard.periods import find_told_on, step_back
from dashboard.view import View

OpenApp = Callable[..., AppTest]
ViewOf = Callable[..., View]


def rank(view: View) -> NextVisits:
    found = find_ranking(view)
    assert found
    return found


def make_panel(view: View) -> Panel:
    show: Any = next_visits.show_ranking
    panel = show.__wrapped__(view)
    assert isinstance(panel, Panel)
    return panel


def test_it_begins_where_self_checks_are_too_kind(view_of: ViewOf) -> None:
    table = make_panel(view_of()).table
    entities = view_of().list_all_rows("entities").set_index("entity")
    assert set(entities["region"].reindex(table["entity"].head(6))) == {"AS"}
    optimistic = table["why"].str.contains("more optimistic than elsewhere")
    assert set(entities["region"].reindex(table.loc[optimistic, "entity"])) == {"AS"}
    assert optimistic.sum() == (entities["region"] == "AS").sum()


def test_every_entity_of_the_group_has_one_place_and_nobody_else(view_of: ViewOf) -> None:
    view = view_of()
    ranked = rank(view).ranked
    assert sorted(ranked.index) == sorted(view.list_all_rows("entities")["entity"])
    assert ranked["rank"].tolist() == list(range(1, len(ranked) + 1))
    # It was sold on 2024-12-15.
    assert "AF-0053" not in ranked.index
    assert "AF-0053" in rank(view_of(known_on=date(2024, 10, 31))).ranked.index


@pytest.mark.parametrize("code", ["AF-0081", "AF-0004", "ST-0031", "HQ-0008"])
def test_what_the_ranking_rests_on_can_be_recounted(view_of: ViewOf, code: str) -> None:
    view, found = view_of(entity=(code,)), rank(view_of())
    row = found.ranked.loc[code]
    inspections = view.list_all_rows("inspections", every_type=True)
    outside = inspections[(inspections["inspection_type"] != "self_check") & (inspections["inspecting_entity"] != code)]
    last = outside["fiscal_half"].max() if len(outside) else None
    assert row["last"] == last if last else pd.isna(row["last"])
    own = inspections[inspections["inspection_type"] == "self_check"].sort_values("fiscal_half").iloc[-1]
    assert row["weight"] == own["compliance_rate_denominator"]
    findings = view.list_all_rows("findings", every_type=True, status=("open",), severity=("major",))
    assert row["open_major_findings"] == len(findings)
    recent = replace(view, selection=replace(view.selection, from_period=step_back(found.half, 3)))
    missing = recent.list_all_rows("plans", every_type=True, counted_by=("missing_inspections",))
    assert row["missing_inspections"] == len(missing)
    assert row["score"] == pytest.approx(row["optimism"] * row["size"] * row["waited"] * row["lift"])


def test_an_entity_that_audits_itself_was_not_visited(view_of: ViewOf) -> None:
    inspections = view_of().list_all_rows("inspections", inspection_type=("privacy_audit",))
    own = set(inspections.loc[inspections["entity"] == inspections["inspecting_entity"], "entity"])
    assert own
    ranked = rank(view_of()).ranked
    for code in sorted(own & set(ranked.index))[:5]:
        others = view_of(entity=(code,), inspection_type=("mutual_check", "affiliate_check"))
        halves = others.list_all_rows("inspections")["fiscal_half"]
        assert ranked.loc[code, "last"] == halves.max()


def test_visited_entities_are_expected_to_be_as_they_were_found(view_of: ViewOf) -> None:
    """An entity's own pairs draw the expectation from that of its region to its own."""
    view = view_of(inspection_type=("mutual_check", "affiliate_check", "privacy_audit"))
    gaps = view.ask(("optimism_gap",), ("entity",)).set_index("entity")["optimism_gap"].astype(float)
    expected = rank(view_of()).ranked["expected_optimism"].reindex(gaps.index)
    assert gaps.corr(expected) > 0.9
    assert expected.std() < gaps.std()


def test_what_is_shown_does_not_change_the_ranking(view_of: ViewOf) -> None:
    found = rank(view_of())
    assert rank(view_of("ja", "year", region=("EU",), measure=("physical",), from_period="FY2025")) is found
    table = make_panel(view_of(region=("EU",))).table
    europe = view_of(region=("EU",)).list_all_rows("entities")["entity"]
    assert sorted(table["entity"]) == sorted(europe)
    assert table["rank"].tolist() == found.ranked.loc[table["entity"], "rank"].tolist()


def test_back_test_uses_only_what_was_known_then(view_of: ViewOf) -> None:
    group = open_up(view_of())
    found = rank(view_of())
    past = replace(group, selection=replace(group.selection, known_on=find_told_on(found.past_half)))
    earlier, newest = gather(past)
    assert newest == found.past_half == "FY2024-H2"
    assert max(earlier["last"].dropna()) <= found.past_half
    judged = found.past
    assert judged
    rates = read_outside_rates(group, found.past_half).reindex(earlier.index).dropna()
    assert judged.entities == len(rates)
    assert judged.base_rate == pytest.approx(judged.worst / judged.entities)
    note = make_panel(view_of()).note
    assert f"of the {judged.top} entities that it put first after FY2024 H2 among {judged.entities} visited" in note
    assert f"{judged.hits} ({judged.hit_share:.1%})" in note
    assert f"any choice would have had {judged.base_rate:.1%}" in note
    assert "it is no probability" in note
    # The planted region makes it better than chance in the demo group.
    assert judged.hit_share > judged.base_rate
    assert judged.p < 0.05


def test_without_a_past_it_says_that_it_was_not_tested(view_of: ViewOf) -> None:
    view = view_of(known_on=date(2021, 5, 1))
    assert rank(view).past is None
    assert "It could not be tested on the past" in make_panel(view).note


def test_page_shows_it_with_bars_and_reasons(open_app: OpenApp, demo_home: Path) -> None:
    app = open_app(home=demo_home, page="coverage", lang="en")
    assert not app.exception
    assert "Where to inspect next" in [element.value for element in app.subheader]
    assert any("any choice would have had" in element.value for element in app.caption)
    app = open_app(home=demo_home, page="coverage", lang="ja", measure="physical", per="year", type="mutual_check")
    assert not app.exception
    assert "次に点検すべき組織" in [element.value for element in app.subheader]


def test_page_says_why_nothing_is_ranked(open_app: OpenApp, demo_home: Path) -> None:
    app = open_app(home=demo_home, page="coverage", lang="en", entity="AF-0053")
    assert not app.exception
    assert any("No entity of the group on the day" in element.value for element in app.info)
    # Outsiders had begun, and no self-check had come in.
    app = open_app(home=demo_home, page="coverage", lang="en", known="2020-07-20")
    assert not app.exception
    assert any("It takes self-checks and checks by outsiders" in element.value for element in app.info)
