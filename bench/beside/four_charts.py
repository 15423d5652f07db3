"""The four charts as a page of Tenken, made of the panels that its own pages are made of."""

from __future__ import annotations

import streamlit as st

from dashboard import panels, rates
from dashboard.drill.item_names import name_items
from dashboard.view import View, current_view

METRIC = "compliance_rate"


def show(view: View) -> None:
    """The page."""
    panels.show_heading(view, "Four charts")
    with st.grid(2, min_column_width=panels.PANEL_WIDTH):
        rates.show_over_time(view, METRIC, "region")
        rates.show_rank(view, METRIC, "measure", title="Compliance by measure")
        rates.show_rank(view, METRIC, "entity", title="The 20 weakest entities")
        rates.show_rank(name_items(view), METRIC, "item_lineage", title="The 20 weakest items")


show(current_view())
