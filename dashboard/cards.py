"""Metric cards: the newest period, its change against the period before, and the way there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal

import pandas as pd
import streamlit as st

from dashboard.view import PERIOD, View
from dashboard.words import say_number, say_percent
from metrics.catalog import METRICS

HEADLINE_METRICS: Final = ("compliance_rate", "strict_compliance_rate", "completion_rate", "coverage_rate")
CARD_WIDTH: Final = 150
POINTS: Final = "%+.1f pt"


@dataclass(frozen=True, slots=True)
class Card:
    """What one card shows; the change is in points of a hundred, or a text with its sign."""

    label: str
    value: str
    counted: str
    help: str
    change: float | str | None = None
    past: tuple[float, ...] = ()
    lower_is_better: bool = False


def find_newest_period(view: View, metric: str = "compliance_rate") -> str | None:
    """The newest period shown that has a figure."""
    frame = view.ask((metric,), (PERIOD,), with_entities=False).dropna(subset=[metric])
    return max(frame[PERIOD], default=None)


def find_period_before(view: View, newest: str, metric: str = "compliance_rate") -> str | None:
    """The period with a figure before the newest one, of those shown."""
    frame = view.ask((metric,), (PERIOD,), with_entities=False).dropna(subset=[metric])
    return max((period for period in frame[PERIOD] if period < newest), default=None)


def show_headline_figures(view: View, newest: str) -> None:
    """The row of cards, with the periods compared above it."""
    frame = view.ask(HEADLINE_METRICS, (PERIOD,)).set_index(PERIOD).reindex(list(view.periods))
    previous = find_period_before(view, newest)
    compared = (
        view.say(
            "{period}, change against {previous}", period=view.say_period(newest), previous=view.say_period(previous)
        )
        if previous
        else view.say("{period}; no earlier period to compare with", period=view.say_period(newest))
    )
    coverage = view.say(
        "Coverage counts whole inspections, so the filters by measure, domain and category do not apply to it."
    )
    st.caption(f"{compared}  \n{coverage}" if view.has_item_filter() else compared)
    cards = [build_rate_card(view, frame, metric, newest, previous) for metric in HEADLINE_METRICS]
    show_cards([*cards, build_entities_card(view, frame, newest, previous)])


def build_rate_card(view: View, frame: pd.DataFrame, metric: str, newest: str, previous: str | None) -> Card:
    """A rate of the newest period, its change in percentage points."""
    now = frame.loc[newest]
    change = None if previous is None else now[metric] - frame.loc[previous, metric]
    return Card(
        label=view.label_metric(metric),
        value=say_percent(now[metric]),
        counted=f"{say_number(now[f'{metric}_numerator'])} / {say_number(now[f'{metric}_denominator'])}",
        help=view.describe_metric(metric),
        change=None if change is None or pd.isna(change) else round(float(change) * 100, 1),
        past=tuple(frame[metric].astype(float)),
        lower_is_better=METRICS[metric].direction == "lower_is_better",
    )


def build_entities_card(view: View, frame: pd.DataFrame, newest: str, previous: str | None) -> Card:
    """How many entities stand behind the figures, of those expected."""
    contributing, expected = "compliance_rate_contributing", "compliance_rate_expected"
    now = frame.loc[newest]
    change = None if previous is None else now[contributing] - frame.loc[previous, contributing]
    return Card(
        label=view.say("Entities contributing"),
        value=say_number(now[contributing]),
        counted=view.say(
            "of {expected} ({share})",
            expected=say_number(now[expected]),
            share=say_percent(now[contributing] / now[expected] if now[expected] else None),
        ),
        help=view.say("Entities behind the compliance rate, of those whose inspection was planned or done."),
        change=None if change is None or pd.isna(change) else f"{change:+.0f}",
        past=tuple(frame[contributing].astype(float)),
    )


def build_count_cards(view: View, metrics: tuple[str, ...], **asked: Any) -> list[Card]:
    """Counts as they stand, without a history; asked together, because each question reads all rows of its fact."""
    values = view.ask(metrics, with_entities=False, **asked).iloc[0]
    return [build_count_card(view, metric, values[metric]) for metric in metrics]


def build_count_card(view: View, metric: str, value: float, counted: str = "") -> Card:
    """A count that was asked for."""
    return Card(
        label=view.label_metric(metric),
        value=say_number(0.0 if pd.isna(value) else value),
        counted=counted,
        help=view.describe_metric(metric),
    )


def show_cards(cards: Sequence[Card]) -> None:
    """Cards side by side, fewer in a row where there is less room."""
    grid = st.grid(len(cards), min_column_width=CARD_WIDTH, gap="small")
    for card in cards:
        with grid, st.container(border=True, height="stretch", gap=None):
            show_card(card)


def show_card(card: Card) -> None:
    """Draw one card; figures without neighbours, as of a yearly audit, are bars, because a line would not show them."""
    known = [value == value for value in card.past]
    has_line = any(now and then for now, then in pairwise(known))
    colour: Literal["normal", "inverse"] = "inverse" if card.lower_is_better else "normal"
    st.metric(
        card.label,
        card.value,
        card.change,
        delta_color=colour,
        # It would be that of a value that is a whole number, too.
        format=POINTS if isinstance(card.change, float) else None,
        chart_data=list(card.past) if any(known) else None,
        chart_type="line" if has_line else "bar",
        help=card.help,
    )
    if card.counted:
        st.caption(card.counted)
