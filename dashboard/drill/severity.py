"""Outside inspectors, all together and without a name: who comes again, and how much strictness differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd
import streamlit as st

from dashboard.cards import Card, show_cards
from dashboard.charts.parts import Chart
from dashboard.charts.spreads import draw_histogram
from dashboard.downloads import Column
from dashboard.panels import Panel, remembered, say_nothing
from dashboard.view import NOT_STATED, View
from dashboard.words import join_sentences, join_values, say_number, say_percent
from insights.severity import (
    MIN_INSPECTORS,
    RepeatCounts,
    SeveritySummary,
    count_repeats,
    estimate_severity,
    summarise_severity,
)
from metrics.query import OUTSIDE

KEY: Final = "inspector-strictness"
# A year would make one visit of two, and not every inspection has a quarter.
UNTOLD: Final = (NOT_STATED, OUTSIDE)
"""Ids of inspectors of whom nobody can say which is which."""
VISIT: Final = ("inspecting_entity", "entity", "fiscal_half")


@dataclass(frozen=True, slots=True)
class Inspectors:
    """Figures about all inspectors together.

    `again` inspections of the periods shown were made by an inspector who had been there before, in whatever period;
    `apart` visits have nobody to compare the inspector with.
    """

    repeats: RepeatCounts
    again: int
    summary: SeveritySummary
    apart: int


def show_inspectors(view: View) -> None:
    """Cards of visits and strictness, and how strictness is spread; the view is held to outside checks."""
    found = view.remember("inspectors as a whole", lambda: find_inspectors(view))
    st.subheader(view.say("Outside inspectors, all together"), anchor=False)
    if not found.repeats.inspections:
        st.info(view.say("No inspection shown says that another entity made it."))
        say_left_out(view)
        return
    st.caption(view.say("No inspector is named here: what is shown are figures of all of them together."))
    say_left_out(view)
    strictness = build_strictness_cards(view, found.summary) if found.summary.visits else []
    show_cards([*build_visit_cards(view, found), *strictness])
    if not found.summary.visits:
        say_nothing(view, KEY, title_panel(view), say_untold(view))
    elif not found.summary.sd > 0:
        silence = [view.say("Inspectors differ no more than chance would make them differ."), say_apart(view, found)]
        say_nothing(view, KEY, title_panel(view), join_sentences(view.language, silence))
    else:
        show_strictness(view)


def say_left_out(view: View) -> None:
    """Say that inspectors outside the scope are not told apart, and so not counted."""
    if view.build.scope.entity_codes is not None:
        st.caption(view.say("Inspections by entities that you may not see are left out."))


def find_inspectors(view: View) -> Inspectors:
    """Counts of visits and the spread of strictness; who is who is left behind here."""
    names = {"inspecting_entity": "inspector", "fiscal_half": "period"}
    made = view.look_back().ask(("inspections",), VISIT, with_entities=False).rename(columns=names)
    made = made[~made["inspector"].isin(UNTOLD) & (made["period"] != NOT_STATED) & (made["inspections"] > 0)]
    is_earlier = made["period"] < view.halves[0]
    again, before = (count_repeats(rows).repeat_inspections for rows in (made, made[is_earlier]))
    visits = view.ask(("net_optimism", "pairs"), VISIT, with_entities=False).rename(columns=names)
    visits = visits[~visits["inspector"].isin(UNTOLD) & (visits["pairs"] > 0)]
    summary = summarise_severity(estimate_severity(visits))
    others = int((visits["inspector"] != visits["entity"]).sum())
    return Inspectors(count_repeats(made[~is_earlier]), again - before, summary, others - summary.visits)


def title_panel(view: View) -> str:
    """Title of the panel."""
    return view.say("How strict inspectors are, compared with each other")


def build_visit_cards(view: View, found: Inspectors) -> list[Card]:
    """How often an inspector comes again, and how many entities inspect each other."""
    repeats = found.repeats
    inspections = say_number(repeats.inspections)
    return [
        Card(
            view.say("Inspector was there before"),
            say_percent(found.again / repeats.inspections),
            view.say("{number} of {total} inspections", number=say_number(found.again), total=inspections),
            view.say(
                "Inspections by another entity that had inspected the same one before, in the periods shown or "
                "earlier; auditors report fewer violations where they have been before (Short, Toffel and Hugill 2016)."
            ),
        ),
        Card(
            view.say("Pairs that inspect each other"),
            say_number(repeats.reciprocal_pairs),
            view.say(
                "{number} of {total} inspections", number=say_number(repeats.reciprocal_inspections), total=inspections
            ),
            view.say("Pairs of entities of which each inspected the other in the periods shown."),
        ),
    ]


def build_strictness_cards(view: View, summary: SeveritySummary) -> list[Card]:
    """How much strictness differs, how many stand out, and what it explains."""
    return [
        Card(
            view.say("Spread of strictness"),
            f"{summary.sd * 100:.1f} pt",
            view.say("{number} inspectors compared", number=say_number(summary.inspectors)),
            view.say(
                "Standard deviation between inspectors of what each adds to net optimism, beside what the entities "
                "that it visits bring along; in percentage points."
            ),
        ),
        Card(
            view.say("Inspectors that stand out"),
            say_number(summary.stricter + summary.more_lenient),
            view.say(
                "{stricter} stricter, {lenient} more lenient", stricter=summary.stricter, lenient=summary.more_lenient
            ),
            view.say("Inspectors whose 95 % interval leaves out the mean of all; one in twenty may do so by chance."),
        ),
        Card(
            view.say("Share due to the inspector"),
            say_percent(summary.share),
            view.say("{number} visits compared", number=say_number(summary.visits)),
            view.say("Share of the variance of net optimism between visits that is due to who inspected."),
        ),
    ]


def say_untold(view: View) -> str:
    """Why nothing is told of strictness."""
    return view.say(
        "A strict inspector cannot be told from optimistic entities here: it takes at least {number} inspectors of two "
        "entities or more whose entities others visited too.",
        number=MIN_INSPECTORS,
    )


def say_apart(view: View, found: Inspectors) -> str:
    """How many visits could not be compared."""
    if not found.apart:
        return ""
    return view.say(
        "{number} visits are left out: no one else visited their entities, so that inspector and entities cannot be "
        "told apart.",
        number=say_number(found.apart),
    )


@remembered
def show_strictness(view: View) -> Panel:
    """How many inspectors are how strict, beside what the entities bring along."""
    found = view.remember("inspectors as a whole", lambda: find_inspectors(view))
    summary = found.summary
    table = pd.DataFrame(summary.bins, columns=["low", "high", "count"])
    table = table.assign(low=table["low"] * 100, high=table["high"] * 100)
    title = title_panel(view)
    drawn = table.assign(
        span=[view.say("{low} to {high}", low=f"{low:+.0f}", high=f"{high:+.0f} pt").replace("-", "−")
              for low, high in zip(table["low"], table["high"], strict=True)]
    )  # fmt: skip

    def draw() -> Chart:
        tooltips = {"span": view.say("Stricter than its peers by"), "count": view.say("Inspectors")}
        spec, data = draw_histogram(
            drawn,
            tooltips,
            value_title=view.say("Percentage points; right: stricter"),
            count_title=view.say("Inspectors"),
        )
        said = [f"{row.span}: {row.count_}" for row in drawn.rename(columns={"count": "count_"}).itertuples()]
        figures = join_values(view.language, said)
        return Chart(spec, data, view.say("Bar chart: {title}. {figures}.", title=title, figures=figures))

    columns = (
        Column("low", view.say("Stricter than its peers, from"), "points"),
        Column("high", view.say("Stricter than its peers, to"), "points"),
        Column("count", view.say("Inspectors"), "integer"),
    )
    return Panel(
        key=KEY,
        title=title,
        table=table,
        columns=columns,
        metrics=("net_optimism",),
        chart=draw,
        note=join_sentences(
            view.language,
            [
                view.say(
                    "What an inspector adds to net optimism, compared with others who visited the same entities; those "
                    "with few visits are drawn towards 0."
                ),
                view.say("The differences may all be chance.") if not summary.p <= 0.05 else "",
                say_apart(view, found),
            ],
        ),
        definition=view.say(
            "Net optimism of a visit is taken as a mean, what the inspector adds, what the entity brings along, and "
            "chance: variances by Henderson (1953), effects by best linear unbiased prediction (Robinson 1991). "
            "Inspectors are compared only where entities that both visited link them, directly or through others."
        ),
    )
