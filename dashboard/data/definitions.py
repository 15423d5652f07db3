"""Definitions: every metric and dimension as the catalog has them, and the regulations behind the measures."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from dashboard.downloads import Column
from dashboard.lists import show_listing
from dashboard.panels import Panel, remembered
from dashboard.view import View
from dashboard.words import N_
from metrics.catalog import DIMENSIONS, METRICS

DIRECTIONS: Final = {
    "higher_is_better": N_("Higher is better"),
    "lower_is_better": N_("Lower is better"),
    "neutral": N_("Neither"),
}
REGULATIONS: Final = {
    "organizational": N_("Regulations on confidential corporate information security management"),
    "human": N_("Regulations on the work of employees"),
    "physical": N_("Physical security guidelines"),
    "technological": N_("Regulations on information security management"),
}


def show(view: View) -> None:
    """The page; it is the same for every filter but the list of items."""
    st.title(view.say("Definitions"), anchor=False)
    st.caption(view.say("What does each figure mean, and which regulation is behind it?"))
    show_metrics(view)
    show_dimensions(view)
    show_regulations(view)
    show_listing(
        view, "items",
        ("checklist_code", "checklist_version", "item_code", "item_text", "measure", "category", "weight",
         "is_critical", "regulation_ref", "control_ref"),
        key="items", title=view.say("Checklist items with their regulations and controls"), page_parameter="page",
    )  # fmt: skip


@remembered
def show_metrics(view: View) -> Panel:
    """Every metric with its definition."""
    rows = [
        {
            "name": metric.name,
            "label": view.label_metric(metric.name),
            "text": view.describe_metric(metric.name),
            "is_ratio": metric.is_ratio,
            "direction": view.say(DIRECTIONS[metric.direction]),
        }
        for metric in METRICS.values()
    ]
    columns = (
        Column("label", view.say("Metric"), "text"),
        Column("text", view.say("How it counts"), "text"),
        Column("is_ratio", view.say("Ratio of sums"), "flag"),
        Column("direction", view.say("Direction"), "text"),
        Column("name", view.say("Name in queries"), "text"),
    )
    return Panel("metrics", view.say("Metrics"), pd.DataFrame(rows), columns, height=420)


@remembered
def show_dimensions(view: View) -> Panel:
    """Every dimension with its definition."""
    rows = [
        {
            "name": one.name,
            "label": view.label_dimension(one.name),
            "text": one.description_ja if view.language == "ja" else one.description_en,
        }
        for one in DIMENSIONS.values()
    ]
    columns = (
        Column("label", view.say("Dimension"), "text"),
        Column("text", view.say("What it splits by"), "text"),
        Column("name", view.say("Name in queries"), "text"),
    )
    return Panel("dimensions", view.say("Dimensions"), pd.DataFrame(rows), columns, height=420)


@remembered
def show_regulations(view: View) -> Panel:
    """The basic regulation of each measure."""
    labels = view.read_labels("measure")
    rows = [{"measure": labels[code], "regulation": view.say(text)} for code, text in REGULATIONS.items()]
    columns = (
        Column("measure", view.label_dimension("measure"), "text"),
        Column("regulation", view.say("Basic regulation"), "text"),
    )
    return Panel("regulations", view.say("Basic regulation of each measure"), pd.DataFrame(rows), columns)
