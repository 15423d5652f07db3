"""Plan and coverage: what was to be inspected, what was, how late, and who has not reported."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from dashboard import counts, filters, panels, rates
from dashboard.act.held import count_every_type, hold_types, narrow_to, open_entity, say_types_rule
from dashboard.act.next_visits import show_next_visits
from dashboard.act.stacks import Part, make_stacks
from dashboard.cards import Card, show_cards
from dashboard.lists import show_listing, turn_to_first
from dashboard.panels import Panel, remembered
from dashboard.view import PERIOD, View
from dashboard.words import N_, join_sentences, say_number, say_percent
from metrics.catalog import METRICS

PLANNED: Final = "planned_inspections"
METRICS_SHOWN: Final = (
    PLANNED, "performed_inspections", "coverage_rate", "on_time_rate", "late_inspections", "missing_inspections",
)  # fmt: skip
STATES: Final = {
    "on_time": N_("Handed in on time"),
    "late": N_("Handed in late"),
    "missing": N_("Missing"),
    "not_yet_due": N_("Not yet due"),
}
COLOURS: Final = {"on_time": 1, "late": 6, "missing": 3, "not_yet_due": 7}
COUNTED_BY: Final = {
    "unreported": ("missing_inspections", "late_inspections"),
    "missing": ("missing_inspections",),
    "late": ("late_inspections",),
    "all": ("planned_inspections",),
}
"""The metrics that count the rows of each list."""
COLUMNS: Final = (
    "entity", "inspection_type", "fiscal_half", "state", "days_late", "due_on", "handed_in_on", "inspecting_entity",
)  # fmt: skip


def show(view: View) -> None:
    """The page."""
    status = filters.choose_own("status", tuple(COUNTED_BY), "unreported")
    rule = say_types_rule(view)
    view = count_every_type(view)
    panels.show_heading(
        view,
        view.say("Plan and coverage"),
        view.say("Was everything inspected that was planned, was it on time, and who has not reported?"),
    )
    if not panels.has_rows(view, PLANNED):
        panels.show_no_rows(view, PLANNED)
        return
    show_figures(view, rule)
    with st.grid(2, min_column_width=panels.PANEL_WIDTH):
        show_coverage_by_type(view)
        show_coverage_by_region(view)
        show_states(view)
        counts.show_bars(
            view,
            "missing_inspections",
            "inspection_type",
            title=view.say("Missing inspections by inspection type"),
            on_pick=narrow_to(inspection_type="id"),
            key="missing-by-type",
        )
    show_next_visits(view)
    show_plans(view, status)


def show_figures(view: View, rule: str) -> None:
    """Planned, performed, late and missing over the periods shown, with their way through them."""
    over_time = view.ask(METRICS_SHOWN, (PERIOD,), with_entities=False).set_index(PERIOD).reindex(list(view.periods))
    whole = view.ask(METRICS_SHOWN, with_entities=False).iloc[0]
    caption = [rule, view.say("Over all periods shown; the small charts go from period to period.")]
    if view.has_item_filter():
        caption.append(
            view.say(
                "Coverage counts whole inspections, so the filters by measure, domain and category do not apply to it."
            )
        )
    st.caption(join_sentences(view.language, caption))
    show_cards([build_card(view, metric, whole, over_time) for metric in METRICS_SHOWN])


def build_card(view: View, metric: str, whole: pd.Series, over_time: pd.DataFrame) -> Card:
    """A figure over all periods shown."""
    is_rate = METRICS[metric].is_ratio
    up, down = (say_number(whole[f"{metric}_{part}"]) for part in ("numerator", "denominator"))
    share = view.say(
        "{percent} of those planned", percent=say_percent(whole[metric] / whole[PLANNED] if whole[PLANNED] else None)
    )
    return Card(
        label=view.label_metric(metric),
        value=say_percent(whole[metric]) if is_rate else say_number(whole[metric]),
        counted=f"{up} / {down}" if is_rate else "" if metric == PLANNED else share,
        help=view.describe_metric(metric),
        past=tuple(over_time[metric].astype(float)),
        lower_is_better=METRICS[metric].direction == "lower_is_better",
    )


def show_coverage_by_type(view: View) -> None:
    """Coverage of every inspection type over periods, whatever types are chosen."""
    rates.show_heat(
        hold_types(view),
        "coverage_rate",
        "inspection_type",
        PERIOD,
        with_totals=False,
        on_pick=narrow_to(inspection_type="row_id", period="column_id"),
        key="coverage-by-type",
        note=panels.say_coverage_note(view, every_type=True),
    )


def show_coverage_by_region(view: View) -> None:
    """Coverage of the regions over periods."""
    rates.show_heat(
        view,
        "coverage_rate",
        "region",
        PERIOD,
        on_pick=narrow_to(region="row_id", period="column_id"),
        key="coverage-by-region",
        note=panels.say_coverage_note(view),
    )


def label_states(view: View) -> dict[str, str]:
    """What became of a planned inspection, in order."""
    return {code: view.say(text) for code, text in STATES.items()}


@remembered
def show_states(view: View) -> Panel:
    """Planned inspections by what became of them, by region."""
    frame = view.ask(
        (PLANNED, "on_time_rate", "late_inspections", "missing_inspections"), ("region",), with_entities=False
    )
    parts = pd.DataFrame(
        {
            "on_time": frame["on_time_rate_numerator"],
            "late": frame["late_inspections"],
            "missing": frame["missing_inspections"],
        }
    ).fillna(0)
    parts = parts.assign(not_yet_due=(frame[PLANNED].fillna(0) - parts.sum(axis=1)).clip(lower=0), id=frame["region"])
    labels = label_states(view)
    return make_stacks(
        view,
        key="states-by-region",
        title=view.say("Planned inspections by region: what became of them"),
        frame=parts.melt("id", var_name="part_id", value_name="count"),
        rows=view.label_rows(frame, "region"),
        row_title=view.label_dimension("region"),
        parts=[Part(code, label, COLOURS[code]) for code, label in labels.items()],
        part_title=view.say("State"),
        count_title=view.label_metric(PLANNED),
        metrics=(PLANNED, "on_time_rate", "late_inspections", "missing_inspections"),
        definition=view.say(
            "Not yet due: planned inspections that are neither handed in nor past their due day. "
            "A region's bar is all that was planned there; cancelled inspections are not counted."
        ),
        note=view.say("A click on a bar narrows the page to the region."),
        on_pick=narrow_to(region="id"),
        largest_first=True,
    )


def show_plans(view: View, status: str) -> None:
    """Who has not reported, or reported late; or every planned inspection."""
    frame = view.ask((PLANNED, "late_inspections", "missing_inspections"), with_entities=False).fillna(0).iloc[0]
    numbers = {one: frame[[*metrics]].sum() for one, metrics in COUNTED_BY.items()}
    names = {
        "unreported": view.say("Missing or late"),
        "missing": view.say("Missing"),
        "late": view.say("Handed in late"),
        "all": view.say("All planned inspections, newest first"),
    }
    st.segmented_control(
        view.say("State"),
        list(COUNTED_BY),
        key=filters.own_state("status"),
        format_func=lambda one: view.say("{list} ({number})", list=names[one], number=say_number(numbers[one])),
        required=True,
        on_change=turn_to_first,
    )
    labels = label_states(view)
    show_listing(
        view,
        "plans",
        COLUMNS,
        key="plans-list",
        counted_by=COUNTED_BY[status],
        title=view.say("Who has not reported") if status == "missing" else names[status],
        page_parameter="page",
        on_pick=open_entity,
        labels={"state": view.say("State"), "handed_in_on": view.say("Handed in")},
        keep=lambda rows: rows.assign(state=rows["plan_status"].map(labels)),
        note=join_sentences(
            view.language,
            [
                view.say("Days late of what is missing run on to the knowledge date."),
                view.say("A click on a row opens the entity."),
            ],
        ),
        empty=view.say("Every planned inspection whose day is past was handed in on time, with these filters."),
    )
