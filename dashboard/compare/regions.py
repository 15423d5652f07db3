"""Regions: each over time beside the group, its measures, and its countries on a map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboard import cards, filters, panels, rates
from dashboard.answers import read_once
from dashboard.charts.lines import draw_lines
from dashboard.charts.parts import Chart
from dashboard.charts.world_map import draw_world
from dashboard.compare.signals import show_region_signals
from dashboard.compare.sureness import show_sure_rank
from dashboard.figures import describe_cells, list_columns, make_table, title_tooltips
from dashboard.navigation import open_page
from dashboard.panels import Panel
from dashboard.view import PERIOD, View
from dashboard.words import join_values
from metrics.ask import country_numbers

METRIC: Final = "compliance_rate"
SMALL_HEIGHT: Final = 150


def show(view: View) -> None:
    """The page."""
    panels.show_heading(
        view, view.say("Regions"), view.say("Which region is behind, since when, and in which measure?")
    )
    newest = cards.find_newest_period(view)
    if newest is None:
        panels.show_no_rows(view, "answers")
        return
    show_each_region(view)
    with st.grid(2, min_column_width=panels.PANEL_WIDTH):
        rates.show_heat(
            view,
            METRIC,
            "region",
            "measure",
            period=newest,
            on_pick=_open_measure,
            key="region-measure",
            note=view.say("The row All is the group. Deeper colour: weaker.")
            if view.build.scope.is_whole
            else view.say("The row All is all that you may see. Deeper colour: weaker."),
        )
        rates.show_over_time(view, METRIC, "region", on_pick=_open_region, key="regions-over-time")
        show_sure_rank(view, "region", newest, on_pick=_open_region)
        show_region_signals(view)
        rates.show_heat(
            view, METRIC, "business_group", "region", period=newest, on_pick=_open_group, key="group-region"
        )
        show_sure_rank(view, "country", newest, on_pick=_open_country)
    show_map(view, newest)


def show_each_region(view: View) -> None:
    """Small charts on one scale: a region's line and that of the whole group."""
    frame = view.ask((METRIC,), (PERIOD, "region"))
    labels = view.label_rows(frame, "region")
    found = set(frame["region"])
    with st.grid(max(2, min(3, len(labels))), min_column_width=300):
        for code, name in labels.items():
            if code in found:
                show_small(view, code, name)


@panels.remembered
def show_small(view: View, code: str, name: str) -> Panel:
    """One region's small chart."""
    frame = view.ask((METRIC,), (PERIOD, "region"))
    rows = frame[frame["region"] == code]
    # The group is what the other filters leave, whatever region is chosen.
    whole = view.hold(region=()).ask((METRIC,), (PERIOD,))
    both = pd.concat([frame[METRIC], whole[METRIC]])
    is_whole = view.build.scope.is_whole
    group_name = view.say("Group") if is_whole else view.say("Your entities")
    periods = {code: view.say_period(code) for code in view.periods}
    drawn = pd.concat(
        [
            describe_cells(part, METRIC, view).assign(
                period=part[PERIOD], period_label=[periods[one] for one in part[PERIOD]], series=series, id=region
            )
            for part, series, region in ((whole, group_name, ""), (rows, name, code))
        ],
        ignore_index=True,
    )
    grid = pd.MultiIndex.from_product([[group_name, name], list(periods)], names=["series", "period"])
    drawn = drawn.set_index(["series", "period"]).reindex(grid).reset_index()
    title = (
        view.say("{region} and the group", region=name)
        if is_whole
        else view.say("{region} and all that you may see", region=name)
    )

    def draw() -> Chart:
        tooltips = title_tooltips(view, METRIC, series=view.say("Region"), period_label=view.say("Period"))
        spec, data = draw_lines(
            drawn, [group_name, name], periods, tooltips, picks=("id", "period"), height=SMALL_HEIGHT, span=both
        )
        known = drawn[drawn["series"] == name].dropna(subset=["rate"])
        said = [f"{row.period_label} {row.written}" for row in known.tail(2).itertuples()]
        alt = view.say("Line chart: {title}. Newest: {figures}.", title=title, figures=join_values(view.language, said))
        return Chart(spec, data, alt, ("id", "period"))

    table = make_table(view, rows, (PERIOD, "region"), (METRIC,))
    return Panel(
        key=f"region-{code or 'none'}",
        title=title,
        table=table.assign(id=table["region"], period=[view.say_period(one) for one in table[PERIOD]]),
        columns=list_columns(view, (PERIOD, "region"), (METRIC,)),
        metrics=(METRIC,),
        chart=draw,
        on_pick=_open_region,
    )


def show_map(view: View, newest: str) -> None:
    """Countries on a map, for those who want one, with the table beside it."""
    shown = filters.choose_own("map", ("on", "off"), "on")
    is_on = st.toggle(view.say("Show the map"), value=shown == "on", key="map-toggle")
    st.session_state[filters.own_state("map")] = "on" if is_on else "off"
    filters.choose_own("map", ("on", "off"), "on")
    show_countries(view, newest, is_on=is_on)


@panels.remembered
def show_countries(view: View, newest: str, *, is_on: bool) -> Panel:
    """Countries as a table, and on a map where that is wanted."""
    frame = view.ask((METRIC,), ("country",), period=newest)
    codes = read_once(view.build, "numeric codes of countries", lambda: country_numbers(view.build.warehouse))
    title = view.say("{metric} by country, {period}", metric=view.label_metric(METRIC), period=view.say_period(newest))
    label = f"country_{view.language}"
    drawn = describe_cells(frame, METRIC, view).assign(
        name=frame[label], id=frame["country"], numeric_code=frame["country"].map(codes).astype("float")
    )
    drawn = drawn.dropna(subset=["numeric_code"]).astype({"numeric_code": int})

    def draw() -> Chart:
        tooltips = {"name": view.label_dimension("country")} | title_tooltips(view, METRIC)
        spec, data = draw_world(drawn, tooltips, picks=("id",))
        weakest = drawn.nsmallest(3, "rate")
        said = [f"{row.name} {row.written}" for row in weakest.itertuples(index=False)]
        alt = view.say("Map: {title}. Weakest: {figures}.", title=title, figures=join_values(view.language, said))
        return Chart(spec, data, alt, ("id",))

    table = make_table(view, frame, ("country",), (METRIC,))
    return Panel(
        key="world",
        title=title,
        note=view.say(
            "Deeper colour: weaker. Grey: no figure. Shapes of Natural Earth, coarse; they take no position on borders."
        ),
        table=table.assign(id=table["country"]),
        columns=list_columns(view, ("country",), (METRIC,)),
        metrics=(METRIC,),
        chart=draw if is_on and not drawn.empty else None,
        on_pick=_open_country,
    )


def _open_region(picked: Mapping[str, Any]) -> None:
    open_page("sites", region=(picked["id"],))


def _open_measure(picked: Mapping[str, Any]) -> None:
    open_page("measures", region=(picked["row_id"],), measure=(picked["column_id"],))


def _open_group(picked: Mapping[str, Any]) -> None:
    open_page("sites", business_group=(picked["row_id"],), region=(picked["column_id"],))


def _open_country(picked: Mapping[str, Any]) -> None:
    open_page("sites", country=(picked["id"],))
