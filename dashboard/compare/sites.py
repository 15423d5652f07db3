"""Sites and affiliates: ranked with intervals, against peers of the same kind, and several side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboard import cards, filters, panels, rates
from dashboard.compare.funnel import show_funnel
from dashboard.compare.league import show_league
from dashboard.compare.signals import show_site_signals
from dashboard.figures import find_changes
from dashboard.navigation import open_page
from dashboard.view import View

METRIC: Final = "compliance_rate"
MOST_COMPARED: Final = 6


def show(view: View) -> None:
    """The page."""
    panels.show_heading(
        view, view.say("Sites and affiliates"), view.say("Whom should I call today, and how sure is the order?")
    )
    newest = cards.find_newest_period(view)
    if newest is None:
        panels.show_no_rows(view, "answers")
        return
    frame = view.ask((METRIC, "applicable_answers"), ("entity", "entity_kind"), period=newest)
    kinds = dict(zip(frame["entity"], frame["entity_kind"], strict=True))
    show_ranks(view, newest, frame, kinds)
    with st.grid(2, min_column_width=panels.PANEL_WIDTH):
        show_funnel(view, newest, frame)
        show_league(view, newest, frame)
        show_site_signals(view, newest)
        show_movers(view, newest)
    rates.show_heat(
        view,
        METRIC,
        "entity",
        "measure",
        period=newest,
        most=15,
        with_totals=True,
        on_pick=_open_measure,
        key="weakest-by-measure",
        letters=30,
    )
    show_side_by_side(view, frame)


def show_ranks(view: View, newest: str, frame: pd.DataFrame, kinds: Mapping[str, str]) -> None:
    """The weakest and the strongest, each against the rate of all entities of its kind, whatever else is filtered."""
    peers = view.hold(region=(), country=(), business_group=(), entity=(), entity_kind=())
    by_kind = peers.ask((METRIC,), ("entity_kind",), period=newest, with_entities=False).set_index("entity_kind")[
        METRIC
    ]
    rate_of_peers = pd.Series({entity: by_kind.get(kind) for entity, kind in kinds.items()}, dtype=float)
    labels = view.read_labels("entity_kind")
    series = {entity: labels.get(kind, kind) for entity, kind in kinds.items()}
    period = view.say_period(newest)
    with st.grid(2, min_column_width=panels.PANEL_WIDTH):
        for key, title, best_first in (
            ("weakest", view.say("Weakest, {period}", period=period), False),
            ("strongest", view.say("Strongest, {period}", period=period), True),
        ):
            rates.show_rank(
                view,
                METRIC,
                "entity",
                title=title,
                peers=rate_of_peers,
                series=series,
                on_pick=_open_entity,
                key=key,
                frame=frame,
                best_first=best_first,
                most=15,
                note=say_colours(view, series),
            )


def say_colours(view: View, series: Mapping[str, str]) -> str:
    """Which kinds there are among those ranked; the tooltip names each one's."""
    return view.say("Colour and tooltip: kind of entity.") if len(set(series.values())) > 1 else ""


def show_movers(view: View, newest: str) -> None:
    """Who moved most since the period before."""
    previous = cards.find_period_before(view, newest)
    if previous is None:
        panels.show_panel(
            view, panels.Panel("site-movers", view.say("Largest movers among entities"), panels.NO_ROWS, ())
        )
        return
    before, after = (view.ask((METRIC,), ("entity",), period=period) for period in (previous, newest))
    rates.show_movers(
        view,
        METRIC,
        "entity",
        find_changes(view, METRIC, ("entity",), before, after).dropna(subset=["change"]),
        title=view.say(
            "Largest movers, {before} → {after}", before=view.say_period(previous), after=view.say_period(newest)
        ),
        before=view.say_period(previous),
        after=view.say_period(newest),
        on_pick=_open_entity,
        key="site-movers",
        most=14,
        note=view.say("Entities with both periods only."),
    )


def show_side_by_side(view: View, frame: pd.DataFrame) -> None:
    """Several entities over time in one chart; the choice is in the address."""
    names = dict(zip(frame["entity"], frame[f"entity_{view.language}"], strict=True))
    weakest = frame.sort_values(METRIC)["entity"].head(3).tolist()
    written = filters.keep_own("show", ",".join(weakest)).split(",")
    known = [code for code in written if code in names][:MOST_COMPARED]
    filters.note_unknown("show", [code for code in written if code and code not in view.options.choices["entity"]])
    st.session_state.setdefault("compared", known)
    st.session_state["compared"] = [code for code in st.session_state["compared"] if code in names]
    with st.container(border=True, key="side-by-side"):
        chosen = st.multiselect(
            view.say("Compare up to {number} entities", number=MOST_COMPARED),
            list(names),
            format_func=lambda code: f"{names[code]} ({code})",
            key="compared",
            max_selections=MOST_COMPARED,
            select_all=False,
        )
    st.session_state[filters.own_state("show")] = ",".join(chosen)
    filters.keep_own("show", ",".join(weakest))
    if chosen:
        rates.show_over_time(
            view.hold(entity=tuple(chosen)), METRIC, "entity", on_pick=_open_entity, key="compared-over-time"
        )


def _open_entity(picked: Mapping[str, Any]) -> None:
    open_page("entity", entity=(picked["id"],))


def _open_measure(picked: Mapping[str, Any]) -> None:
    open_page("entity", entity=(picked["row_id"],))
