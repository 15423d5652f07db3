"""Group overview: how well the group complies, where it is weak, what moved, and what is open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard import cards, panels, rates
from dashboard.cards import build_count_card, show_cards
from dashboard.compare.beside_group import show_beside_group
from dashboard.figures import find_changes
from dashboard.group.drivers import show_drivers
from dashboard.group.headlines import OPEN_WORK, show_headlines
from dashboard.group.pace import show_pace
from dashboard.navigation import open_page
from dashboard.view import PERIOD, View


def show(view: View) -> None:
    """The page."""
    panels.show_heading(
        view, view.say("Group overview"), view.say("How well do we comply, where are we weak, and what moved?")
    )
    newest = cards.find_newest_period(view)
    if newest is None:
        panels.show_no_rows(view, "answers")
        return
    cards.show_headline_figures(view, newest)
    show_open_work(view)
    previous = cards.find_period_before(view, newest)
    show_headlines(view, newest, previous)
    show_beside_group(view)
    with st.grid(2, min_column_width=panels.PANEL_WIDTH):
        if previous:
            show_drivers(view, previous, newest)
        show_pace(view, newest)
        rates.show_over_time(view, "compliance_rate", "region", on_pick=_open_region)
        rates.show_heat(view, "compliance_rate", "region", "measure", period=newest, on_pick=_open_measure)
        show_movers(view, newest)
        rates.show_heat(
            view,
            "coverage_rate",
            "inspection_type",
            PERIOD,
            every_type=True,
            with_totals=False,
            on_pick=_open_coverage,
            key="coverage-by-type",
            note=panels.say_coverage_note(view, every_type=True),
        )


def show_open_work(view: View) -> None:
    """What is open and overdue, over all inspections of the period shown."""
    metrics = ("open_findings", "reopened_findings", "open_actions", "overdue_actions", "missing_inspections")
    st.caption(view.say("Open work, of every kind of inspection, in the periods shown"))
    values = view.ask(OPEN_WORK, every_type=True, with_entities=False).iloc[0]
    show_cards([build_count_card(view, metric, values[metric]) for metric in metrics])


def show_movers(view: View, newest: str) -> None:
    """The entities that moved most since the period before."""
    previous = cards.find_period_before(view, newest)
    title = view.say("Largest movers among entities")
    if previous is None:
        panels.show_panel(view, panels.Panel("movers", title, panels.NO_ROWS, ()))
        return
    before, after = (view.ask(("compliance_rate",), ("entity",), period=period) for period in (previous, newest))
    changes = find_changes(view, "compliance_rate", ("entity",), before, after).dropna(subset=["change"])
    rates.show_movers(
        view,
        "compliance_rate",
        "entity",
        changes,
        title=f"{title}, {view.say_period(previous)} → {view.say_period(newest)}",
        before=view.say_period(previous),
        after=view.say_period(newest),
        on_pick=_open_entity,
        key="movers",
        note=view.say("Entities with both periods only."),
    )


def _open_region(picked: Mapping[str, Any]) -> None:
    open_page("sites", region=(picked["id"],))


def _open_measure(picked: Mapping[str, Any]) -> None:
    open_page("measures", region=(picked["row_id"],), measure=(picked["column_id"],))


def _open_entity(picked: Mapping[str, Any]) -> None:
    open_page("entity", entity=(picked["id"],))


def _open_coverage(picked: Mapping[str, Any]) -> None:
    open_page("coverage", inspection_type=(picked["row_id"],), period=picked["column_id"] or None)
