"""Group overview: how well the group complies, where it is weak, and how much of it was inspected."""

from __future__ import annotations

import streamlit as st

from dashboard import cards, panels, words
from dashboard.view import current_view

view = current_view()

panels.show_heading(words.OVERVIEW, view)

newest = cards.find_newest_half(view)
if newest is None:
    panels.show_no_rows(view)
else:
    cards.show_headline_figures(view, newest)

    with st.grid(2, min_column_width=panels.PANEL_WIDTH):
        panels.show_over_time(view, "compliance_rate", by="region")
        panels.show_heat_map(view, "compliance_rate", rows="region", columns="measure", half=newest)
        panels.show_heat_over_time(view, "coverage_rate", by="region")
        panels.show_heat_over_time(view, "coverage_rate", by="inspection_type", every_type=True)
