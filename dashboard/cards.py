"""Metric cards: the newest half, its change against the half before, and the way there."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pandas as pd
import streamlit as st

from dashboard import words
from dashboard.view import View
from dashboard.words import say_half, say_number, say_percent

HEADLINE_METRICS = ("compliance_rate", "strict_compliance_rate", "completion_rate", "coverage_rate")
CARD_WIDTH = 150


@dataclass(frozen=True, slots=True)
class Card:
    """What one card shows; the change is in points of a hundred, or in entities."""

    label: str
    value: str
    change: float | None
    change_format: str
    past: list[float]
    counted: str
    help: str


def find_newest_half(view: View) -> str | None:
    """The newest half shown that has a compliance rate."""
    frame = view.ask(("compliance_rate",), ("fiscal_half",)).dropna(subset=["compliance_rate"])
    return max(frame["fiscal_half"], default=None)


def show_headline_figures(view: View, newest: str) -> None:
    """The row of cards, with the halves compared above it."""
    frame = view.ask(HEADLINE_METRICS, ("fiscal_half",)).set_index("fiscal_half").reindex(view.halves)
    before = frame.loc[: view.halves[view.halves.index(newest)], "compliance_rate"].iloc[:-1].dropna()
    previous = None if before.empty else before.index[-1]
    text = words.NEWEST_HALF if previous else words.FIRST_HALF
    compared = text.say(
        view.language,
        half=say_half(newest, view.language),
        previous=say_half(previous, view.language) if previous else "",
    )
    has_item_filter = bool(view.selection.values("measure") or view.selection.values("domain"))
    st.caption(f"{compared}  \n{words.WHOLE_INSPECTIONS.say(view.language)}" if has_item_filter else compared)
    cards = [build_rate_card(view, frame, metric, newest, previous) for metric in HEADLINE_METRICS]
    cards.append(build_entities_card(view, frame, newest, previous))
    grid = st.grid(len(cards), min_column_width=CARD_WIDTH, gap="small")
    for card in cards:
        with grid, st.container(border=True, height="stretch", gap=None):
            show_card(card)


def build_rate_card(view: View, frame: pd.DataFrame, metric: str, newest: str, previous: str | None) -> Card:
    """A rate of the newest half, its change in percentage points."""
    now = frame.loc[newest]
    change = None if previous is None else now[metric] - frame.loc[previous, metric]
    counted = words.RATIO.say(
        view.language,
        numerator=say_number(now[f"{metric}_numerator"]),
        denominator=say_number(now[f"{metric}_denominator"]),
    )
    return Card(
        label=view.label_metric(metric),
        value=say_percent(now[metric]),
        change=None if change is None or pd.isna(change) else round(float(change) * 100, 1),
        change_format=words.POINTS.say(view.language),
        past=frame[metric].astype(float).tolist(),
        counted=counted,
        help=f"{view.describe_metric(metric)}  \n{words.RATIO_OF_SUMS.say(view.language)}",
    )


def build_entities_card(view: View, frame: pd.DataFrame, newest: str, previous: str | None) -> Card:
    """How many entities stand behind the figures, of those expected."""
    contributing, expected = "compliance_rate_contributing", "compliance_rate_expected"
    now = frame.loc[newest]
    change = None if previous is None else now[contributing] - frame.loc[previous, contributing]
    return Card(
        label=words.CONTRIBUTING.say(view.language),
        value=words.OF_EXPECTED.say(
            view.language, contributing=say_number(now[contributing]), expected=say_number(now[expected])
        ),
        change=None if change is None or pd.isna(change) else float(change),
        change_format="%+d",
        past=frame[contributing].astype(float).tolist(),
        counted=say_percent(now[contributing] / now[expected] if now[expected] else None),
        help=words.CONTRIBUTING_HELP.say(view.language),
    )


def show_card(card: Card) -> None:
    """Draw one card; figures without neighbours, as of a yearly audit, are bars, because a line would not show them."""
    known = [value == value for value in card.past]
    has_line = any(now and then for now, then in pairwise(known))
    st.metric(
        card.label,
        card.value,
        card.change,
        format=card.change_format,
        chart_data=card.past,
        chart_type="line" if has_line else "bar",
        help=card.help,
    )
    st.caption(card.counted)
