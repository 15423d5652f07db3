"""Findings and actions: what is open, overdue, old, slow and coming back."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pandas as pd
import streamlit as st

from dashboard import counts, filters, panels, rates
from dashboard.act.held import count_every_type, narrow_to, open_entity, say_types_rule
from dashboard.act.stacks import Part, make_stacks
from dashboard.cards import Card, build_count_card, show_cards
from dashboard.lists import show_listing, turn_to_first
from dashboard.panels import Panel, remembered
from dashboard.view import NOT_STATED, PERIOD, View
from dashboard.words import N_, Label, begin_small, join_sentences, say_number
from metrics.catalog import AGE_BANDS, SEVERITIES

LISTS: Final = {
    "overdue": N_("Overdue actions"),
    "due_soon": N_("Actions due soon"),
    "open": N_("Open findings, oldest first"),
    "reopened": N_("Reopened findings"),
    "repeat": N_("Repeat findings"),
    "all": N_("All findings, newest first"),
}
COUNTED_BY: Final = {
    "overdue": "overdue_actions",
    "due_soon": "due_soon_actions",
    "open": "open_findings",
    "reopened": "reopened_findings",
    "repeat": "repeat_findings",
    "all": "findings",
}
"""The metric that counts the rows of each list."""
OF_FINDINGS: Final = ("findings", "open_findings", "reopened_findings", "mean_days_to_close")
OF_ACTIONS: Final = ("actions", "open_actions", "overdue_actions", "due_soon_actions")
ACTIONS_BY: Final = ("region", "business_group", "measure", "owner")
SEVERITY_COLOURS: Final = {"major": 3, "minor": 6, "observation": 7}
FINDING_COLUMNS: Final = (
    "entity", "severity", "status", "description", "raised_on", "age_days", "item_text", "measure", "inspection_type",
    "fiscal_half", "reopened_count", "is_repeat", "open_actions", "overdue_actions", "closed_on", "finding_code",
)  # fmt: skip
ACTION_COLUMNS: Final = (
    "entity", "severity", "days_overdue", "due_on", "owner", "description", "measure", "inspection_type", "raised_on",
    "finding_code", "action_code",
)  # fmt: skip


def show(view: View) -> None:
    """The page."""
    chosen = filters.choose_own("list", tuple(LISTS), "overdue")
    rule = say_types_rule(view)
    view = count_every_type(view)
    panels.show_heading(
        view,
        view.say("Findings and actions"),
        view.say("What is open, what is overdue, and what comes back? A click on a bar narrows the page to it."),
    )
    stand = view.say("The figures are as things stand, of the findings raised in the periods shown.")
    st.caption(join_sentences(view.language, [rule, stand]))
    if not ask_findings(view)["findings"].sum() > 0:
        panels.show_no_rows(view, "findings")
        return
    show_figures(view)
    with st.grid(2, min_column_width=panels.PANEL_WIDTH):
        show_age(view)
        show_raised(view)
        for dimension in ACTIONS_BY:
            show_open_actions(view, dimension)
        show_days_to_close(view)
        show_repeats(view)
    show_rows(view, chosen)


def ask_findings(view: View) -> pd.DataFrame:
    """The page's counts of findings, in parts that add up to all of them."""
    return view.ask(OF_FINDINGS, ("age_band", "severity"), with_entities=False)


def ask_actions(view: View) -> pd.DataFrame:
    """The page's counts of actions, likewise: one question for every panel of them, because each reads all actions."""
    return view.ask(OF_ACTIONS, ACTIONS_BY, with_entities=False)


def add_up(view: View) -> pd.Series:
    """Every count of the page over all that the filters leave; missing where there is nothing to count."""
    # Asked as the panel asks it, because finding out what repeats costs more than everything else.
    repeats = view.ask(("repeat_findings",), ("category",))
    frames = (ask_findings(view), ask_actions(view), repeats)
    return pd.concat([frame.sum(numeric_only=True, min_count=1) for frame in frames])


def show_figures(view: View) -> None:
    """What is open and overdue, as it stands now, of the findings raised in the periods shown."""
    sums = add_up(view)
    of_findings = view.say("of {number} findings", number=say_number(sums["findings"]))
    of_actions = view.say("of {number} actions", number=say_number(sums["actions"]))
    found = ask_findings(view)
    number = found["open_findings"][found["severity"] == "major"].sum()
    major = build_count_card(view, "open_findings", number, view.say("of the open findings"))
    due_soon = build_count_card(view, "due_soon_actions", sums["due_soon_actions"], of_actions)
    number_closed = sums["mean_days_to_close_denominator"]
    closed = view.say("{number} findings closed", number=say_number(number_closed))
    show_cards(
        [
            build_count_card(view, "open_findings", sums["open_findings"], of_findings),
            replace(major, label=view.say("Open major findings")),
            build_count_card(view, "reopened_findings", sums["reopened_findings"], of_findings),
            build_count_card(view, "repeat_findings", sums["repeat_findings"], of_findings),
        ]
    )
    show_cards(
        [
            build_count_card(view, "open_actions", sums["open_actions"], of_actions),
            build_count_card(view, "overdue_actions", sums["overdue_actions"], of_actions),
            replace(due_soon, label=view.say("Actions due within 30 days")),
            Card(
                view.label_metric("mean_days_to_close"),
                say_number(sums["mean_days_to_close_numerator"] / number_closed if number_closed else None),
                closed,
                view.describe_metric("mean_days_to_close"),
            ),
        ]
    )


def list_severities(view: View, frame: pd.DataFrame) -> list[Part]:
    """The severities in order, and those that are not stated where there are any."""
    parts = [Part(code, Label(en, ja).say(view.language), SEVERITY_COLOURS[code]) for code, en, ja in SEVERITIES]
    if (frame["severity"] == NOT_STATED).any():
        parts.append(Part(NOT_STATED, view.say("Not stated"), 0))
    return parts


@remembered
def show_age(view: View) -> Panel:
    """Open findings by their age, stacked by severity."""
    frame = ask_findings(view)
    frame = frame[frame["open_findings"] > 0]
    return make_stacks(
        view,
        key="open-by-age",
        title=view.say("Open findings by age and severity"),
        frame=frame.assign(id=frame["age_band"], part_id=frame["severity"], count=frame["open_findings"]),
        rows={code: Label(en, ja).say(view.language) for code, en, ja in AGE_BANDS},
        row_title=view.label_dimension("age_band"),
        parts=list_severities(view, frame),
        part_title=view.label_dimension("severity"),
        count_title=view.label_metric("open_findings"),
        metrics=("open_findings",),
        note=view.say("Days since each was raised, at the knowledge date."),
    )


@remembered
def show_raised(view: View) -> Panel:
    """Findings raised over periods, stacked by severity."""
    frame = view.ask(("findings",), (PERIOD, "severity"), with_entities=False)
    return make_stacks(
        view,
        key="raised-over-time",
        title=view.say("Findings raised, by severity"),
        frame=frame.assign(id=frame[PERIOD], part_id=frame["severity"], count=frame["findings"]),
        rows={code: view.say_period(code) for code in view.periods},
        row_title=view.label_dimension(PERIOD),
        parts=list_severities(view, frame),
        part_title=view.label_dimension("severity"),
        count_title=view.label_metric("findings"),
        metrics=("findings",),
        note=view.say("By the period of the inspection that raised them."),
        on_pick=narrow_to(period="id"),
    )


@remembered
def show_open_actions(view: View, dimension: str) -> Panel:
    """Open corrective actions by a dimension: overdue and not overdue."""
    frame = ask_actions(view)
    # Rows of no id come last, as in every answer.
    frame = frame.sort_values(dimension, key=lambda ids: ids.where(ids != NOT_STATED), kind="stable")
    labels = view.label_rows(frame, dimension)
    overdue = frame.assign(id=frame[dimension], part_id="overdue", count=frame["overdue_actions"].fillna(0))
    others = frame.assign(
        id=frame[dimension],
        part_id="not_overdue",
        count=frame["open_actions"].fillna(0) - frame["overdue_actions"].fillna(0),
    )
    label = view.label_dimension(dimension)
    return make_stacks(
        view,
        key=f"open-actions-{dimension}",
        title=view.say("Open corrective actions by {dimension}", dimension=begin_small(label, view.language)),
        frame=pd.concat([overdue, others]),
        rows=labels,
        row_title=label,
        parts=[Part("overdue", view.say("Overdue"), 3), Part("not_overdue", view.say("Open, not overdue"), 1)],
        part_title=view.label_dimension("status"),
        count_title=view.label_metric("open_actions"),
        metrics=("open_actions", "overdue_actions"),
        note=view.say("The owner as written in the export.") if dimension == "owner" else "",
        on_pick=None if dimension == "owner" else narrow_to(**{dimension: "id"}),
        largest_first=True,
    )


def show_days_to_close(view: View) -> None:
    """Mean days to close by region over periods."""
    rates.show_heat(
        view,
        "mean_days_to_close",
        "region",
        PERIOD,
        key="days-to-close",
        note=view.say(
            "In days, by the period in which the finding was raised. Deeper colour: slower. An empty cell has no "
            "closed finding; of a new period only the quick ones are closed yet."
        ),
        on_pick=narrow_to(region="row_id", period="column_id"),
    )


def show_repeats(view: View) -> None:
    """Where findings come back."""
    counts.show_bars(
        view,
        "repeat_findings",
        "category",
        title=view.say("Repeat findings by category"),
        on_pick=narrow_to(category="id"),
        key="repeats-by-category",
    )


def show_rows(view: View, chosen: str) -> None:
    """The actions or findings of the list that is chosen, page by page."""
    numbers = add_up(view)[[*COUNTED_BY.values()]].fillna(0).astype(int)
    labels = {
        one: view.say("{list} ({number})", list=view.say(text), number=say_number(numbers[COUNTED_BY[one]]))
        for one, text in LISTS.items()
    }
    st.segmented_control(
        view.say("List"),
        list(LISTS),
        key=filters.own_state("list"),
        format_func=lambda one: labels[one],
        required=True,
        on_change=turn_to_first,
    )
    is_actions = chosen in ("overdue", "due_soon")
    order = {"open": "age_days", "reopened": "reopened_count"}.get(chosen)
    show_listing(
        view,
        "actions" if is_actions else "findings",
        ACTION_COLUMNS if is_actions else FINDING_COLUMNS,
        key="findings-list",
        counted_by=(COUNTED_BY[chosen],),
        order=order,
        descending=order is not None,
        title=view.say(LISTS[chosen]),
        page_parameter="page",
        on_pick=open_entity,
        note=view.say("A click on a row opens the entity."),
        empty=view.say("There is none, with these filters."),
    )
