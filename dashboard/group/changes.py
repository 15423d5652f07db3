"""What changed: two periods, or the same figures as known at two moments, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboard import cards, filters, panels, rates
from dashboard.address import read_day
from dashboard.cards import Card
from dashboard.figures import find_changes, write_value
from dashboard.group import drivers, restated
from dashboard.navigation import open_page
from dashboard.view import PERIOD, View, end_of_day
from dashboard.words import N_, say_day, say_number, translate

METRIC: Final = "compliance_rate"
CARD_METRICS: Final = ("compliance_rate", "strict_compliance_rate", "completion_rate", "coverage_rate")
MODES: Final = {"periods": N_("Two periods"), "knowledge": N_("Two knowledge dates")}
SPLITS: Final = ("region", "measure", "category", "entity")


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the comparison: its name, and how a view asks for it."""

    name: str
    asked: Mapping[str, Any]

    def ask(self, view: View, metrics: tuple[str, ...], by: tuple[str, ...] = ()) -> pd.DataFrame:
        """Figures of this side."""
        return view.ask(metrics, by, **self.asked)


def show(view: View) -> None:
    """The page."""
    panels.show_heading(view, view.say("What changed"), view.say("Which figures moved, and which were restated since?"))
    if not panels.has_rows(view, "answers"):
        panels.show_no_rows(view, "answers")
        return
    sides = choose_sides(view)
    if sides is None:
        st.info(view.say("There is only one period here, so nothing to compare; widen the period in the sidebar."))
        return
    before, after = sides
    show_cards(view, before, after)
    picks: dict[str, Callable[[Mapping[str, Any]], None]] = {
        "region": _open_region,
        "measure": _open_measure,
        "category": _open_category,
        "entity": _open_entity,
    }
    if before.asked.get("period") != after.asked.get("period"):
        with st.grid(2, min_column_width=panels.PANEL_WIDTH):
            drivers.show_drivers(view, before.asked["period"], after.asked["period"])
            drivers.show_contributors(view, before.asked["period"], after.asked["period"])
    with st.grid(2, min_column_width=panels.PANEL_WIDTH):
        for by in SPLITS:
            frames = (side.ask(view, (METRIC,), (by,)) for side in sides)
            changes = find_changes(view, METRIC, (by,), *frames)
            rates.show_movers(
                view,
                METRIC,
                by,
                changes,
                title=view.say(
                    "{metric} by {dimension}: what moved",
                    metric=view.label_metric(METRIC),
                    dimension=view.label_dimension(by).lower() if view.language == "en" else view.label_dimension(by),
                ),
                before=before.name,
                after=after.name,
                on_pick=picks[by],
                key=f"changes-{by}",
            )
    show_told(view, before, after)


def choose_sides(view: View) -> tuple[Side, Side] | None:
    """The two sides as the address or the reader says; None where there are not two."""
    mode = filters.choose_own("compare", list(MODES), "periods")
    with st.container(horizontal=True, vertical_alignment="bottom", key="sides"):
        st.segmented_control(
            view.say("Compare"),
            list(MODES),
            format_func=lambda one: translate(view.language, MODES[one]),
            key=filters.own_state("compare"),
            required=True,
        )
        return choose_periods(view) if mode == "periods" else choose_moments(view)


def choose_periods(view: View) -> tuple[Side, Side] | None:
    """Two periods; the newest and the one before unless chosen."""
    frame = view.ask((METRIC,), (PERIOD,), with_entities=False).dropna(subset=[METRIC])
    periods = sorted(frame[PERIOD])
    if len(periods) < 2:
        return None
    sides = []
    for name, label, default in (("a", view.say("Before"), periods[-2]), ("b", view.say("After"), periods[-1])):
        chosen = filters.choose_own(name, periods, default)
        st.selectbox(label, periods[::-1], format_func=view.say_period, key=filters.own_state(name), width=200)
        sides.append(Side(view.say_period(chosen), {"period": chosen}))
    return sides[0], sides[1]


def choose_moments(view: View) -> tuple[Side, Side]:
    """Two days of knowledge; the day of the last change but one and the newest unless chosen."""
    first, last = view.options.first_known_on, view.known_at.date()
    default_then = max(first, date(last.year - (1 if last.month < 7 else 0), 7 if last.month < 7 else 1, 1))
    sides = []
    for name, label, default in (
        ("then", view.say("As known at the end of"), default_then),
        ("now", view.say("Against"), last),
    ):
        day = choose_day(name, first, last, default)
        st.date_input(label, key=f"day.{name}", min_value=first, max_value=last, format="YYYY-MM-DD", width=200)
        moment: datetime = end_of_day(view.build, day)
        sides.append(Side(view.say("known at {day}", day=say_day(day)), {"known_at": min(moment, view.known_at)}))
    return sides[0], sides[1]


def choose_day(name: str, first: date, last: date, default: date) -> date:
    """A day of the address or of its widget."""
    turned = st.session_state.get(f"day.{name}")
    written = say_day(turned) if turned else filters.keep_own(name, say_day(default))
    day = read_day(written) or default
    day = min(max(day, first), last)
    st.session_state[filters.own_state(name)] = say_day(day)
    filters.keep_own(name, say_day(default))
    if turned != day:
        st.session_state[f"day.{name}"] = day
    return day


def show_cards(view: View, before: Side, after: Side) -> None:
    """The headline figures of both sides."""
    then, now = (side.ask(view, (*CARD_METRICS, "inspections", "answers")).iloc[0] for side in (before, after))
    shown = []
    for metric in CARD_METRICS:
        change = (now[metric] - then[metric]) * 100
        shown.append(
            Card(
                label=view.label_metric(metric),
                value=write_value(metric, now[metric]),
                counted=view.say("before: {value}", value=write_value(metric, then[metric])),
                help=view.describe_metric(metric),
                change=None if pd.isna(change) else round(float(change), 1),
            )
        )
    for metric in ("inspections", "answers"):
        change = now[metric] - then[metric]
        shown.append(
            Card(
                label=view.label_metric(metric),
                value=say_number(now[metric]),
                counted=view.say("before: {value}", value=say_number(then[metric])),
                help=view.describe_metric(metric),
                change=None if pd.isna(change) else f"{change:+,.0f}",
            )
        )
    st.caption(view.say("{after}, change against {before}", after=after.name, before=before.name))
    cards.show_cards(shown)


def show_told(view: View, before: Side, after: Side) -> None:
    """What was told earlier and is known differently now: its effect on each period, the rows, and its way."""
    if "known_at" in before.asked:
        restated.show_restatements(
            view,
            (before.asked["known_at"], after.asked["known_at"]),
            (before.name, after.name),
            title=view.say("Restated between the two dates: entities and periods whose figure changed"),
        )
        return
    period = before.asked["period"]
    # What was told of the earlier period when it ended, against what is known of it now.
    told = min(restated.find_first_told(view, period), view.known_at)
    restated.show_restatements(
        view,
        (told, view.known_at),
        (view.say("known at {day}", day=say_day(told.date())), view.say("known now")),
        title=view.say("Restated since {period} was first reported", period=before.name),
        period=period,
    )


def _open_region(picked: Mapping[str, Any]) -> None:
    open_page("sites", region=(picked["id"],))


def _open_measure(picked: Mapping[str, Any]) -> None:
    open_page("measures", measure=(picked["id"],))


def _open_category(picked: Mapping[str, Any]) -> None:
    open_page("items", category=(picked["id"],))


def _open_entity(picked: Mapping[str, Any]) -> None:
    open_page("entity", entity=(picked["id"],))
