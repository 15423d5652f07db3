"""Measures and categories: over periods and across regions, down to the items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import streamlit as st

from dashboard import cards, filters, panels, rates
from dashboard.drill.matrix import show_category_matrix
from dashboard.navigation import open_page
from dashboard.view import PERIOD, View
from metrics.catalog import METRICS

RATES: Final = ("compliance_rate", "strict_compliance_rate", "not_applicable_rate")


def show(view: View) -> None:
    """The page, of the rate that the reader chose."""
    rate = filters.choose_own("rate", RATES, RATES[0])
    panels.show_heading(
        view,
        view.say("Measures and categories"),
        view.say("Which measures and categories are weak, since when, and where? A click on a figure opens its items."),
    )
    newest = cards.find_newest_period(view, rate)
    if newest is None:
        panels.show_no_rows(view, "answers")
        return
    st.segmented_control(
        view.say("Figure"),
        RATES,
        key=filters.own_state("rate"),
        format_func=view.label_metric,
        required=True,
        label_visibility="collapsed",
    )
    show_measure_cards(view, rate, newest)
    note = view.say("Deeper colour: more items answered as not applicable.") if is_neutral(rate) else ""
    show_category_matrix(view, rate, PERIOD, key="category-over-time", on_pick=_open_items, note=note)
    with st.grid(2, min_column_width=panels.PANEL_WIDTH):
        # The matrix of categories is as tall as two panels.
        with st.container():
            rates.show_over_time(view, rate, "measure", on_pick=_open_measure, key="measure-over-time")
            rates.show_heat(
                view, rate, "measure", "region", period=newest, on_pick=_open_region, key="measure-by-region", note=note
            )
        show_category_matrix(
            view, rate, "region", period=newest, key="category-by-region", on_pick=_open_regional_items, note=note
        )


def show_measure_cards(view: View, rate: str, newest: str) -> None:
    """The rate of each measure, and its change."""
    # More or fewer items that do not apply are neither good nor bad, so that their change has no colour and no place.
    previous = None if is_neutral(rate) else cards.find_period_before(view, newest, rate)
    metric = view.label_metric(rate)
    st.caption(
        view.say(
            "{metric} by measure, {period}, change against {previous}",
            metric=metric,
            period=view.say_period(newest),
            previous=view.say_period(previous),
        )
        if previous
        else view.say("{metric} by measure, {period}", metric=metric, period=view.say_period(newest))
    )
    frame = view.ask((rate,), (PERIOD, "measure"))
    shown = []
    for measure, label in view.read_labels("measure").items():
        own = frame[frame["measure"] == measure].set_index(PERIOD).reindex(list(view.periods))
        if own[rate].notna().any():
            shown.append(replace(cards.build_rate_card(view, own, rate, newest, previous), label=label))
    if shown:
        cards.show_cards(shown)


def is_neutral(rate: str) -> bool:
    """Whether a high rate is neither good nor bad."""
    return METRICS[rate].direction == "neutral"


def _open_items(picked: Mapping[str, Any]) -> None:
    _open_narrowed(picked, {}, picked["column_id"])


def _open_regional_items(picked: Mapping[str, Any]) -> None:
    _open_narrowed(picked, {"region": picked["column_id"]}, None)


def _open_narrowed(picked: Mapping[str, Any], more: Mapping[str, str], period: str | None) -> None:
    ids = {"measure": picked["measure_id"], "category": picked["category_id"], **more}
    # A total leaves the filter as it is: it is that of everything shown.
    narrowed: dict[str, Any] = {name: (code,) for name, code in ids.items() if code}
    open_page("items", period=period or None, **narrowed)


def _open_measure(picked: Mapping[str, Any]) -> None:
    open_page("items", measure=(picked["id"],))


def _open_region(picked: Mapping[str, Any]) -> None:
    ids = {"measure": picked["row_id"], "region": picked["column_id"]}
    narrowed: dict[str, Any] = {name: (code,) for name, code in ids.items() if code}
    open_page("items", **narrowed)
