"""Loads: what was taken in, what was refused and why, so that the sender can mend it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboard import filters
from dashboard.cards import Card, show_cards
from dashboard.lists import show_listing, turn_to_first
from dashboard.navigation import open_page
from dashboard.view import View
from dashboard.words import say_number

LOAD_COLUMNS: Final = (
    "load_no", "file_name", "source_name", "known_at", "loaded_at", "rows_read", "rows_loaded", "rows_unchanged",
    "rows_refused", "rows_skipped",
)  # fmt: skip
REFUSAL_COLUMNS: Final = (
    "file_name", "sheet", "row_no", "column_name", "value", "reason", "suggestion", "is_row_refused", "row_text",
)  # fmt: skip
MOST_REFUSALS: Final = 1000


def show(view: View) -> None:
    """The page; filters do not apply to files."""
    st.title(view.say("Loads"), anchor=False)
    st.caption(view.say("What was taken in, what was refused, and what should the sender mend?"))
    st.caption(
        view.say("Files of the whole warehouse, as known at the chosen moment; the other filters do not apply here.")
    )
    loads = view.list_all_rows("loads", order="load_no", descending=True)
    if loads.empty:
        st.info(view.say("No file was known at this moment; clear the knowledge date in the sidebar."))
        return
    show_totals(view, loads)
    chosen = choose_load(view, loads)
    show_listing(
        view, "refusals", REFUSAL_COLUMNS, key="refusals", title=view.say("Refused rows and cells"),
        limit=MOST_REFUSALS, page_parameter="refused", load_no=None if chosen == "all" else int(chosen), height=360,
        empty=view.say("Nothing was refused."),
    )  # fmt: skip
    show_listing(
        view, "loads", LOAD_COLUMNS, key="loads", title=view.say("Files taken in, newest first"), order="load_no",
        descending=True, page_parameter="page", on_pick=_choose_load,
        note=view.say("Rows read = loaded + unchanged + refused + skipped. A row shows what was refused of its file."),
    )  # fmt: skip


def show_totals(view: View, loads: pd.DataFrame) -> None:
    """Files and rows, each row accounted for."""
    sums = {name: float(loads[name].fillna(0).sum()) for name in LOAD_COLUMNS if name.startswith("rows_")}
    labels = {
        "rows_read": (view.say("Rows read"), view.say("Rows found in the files.")),
        "rows_loaded": (view.say("Rows loaded"), view.say("Rows that brought something new.")),
        "rows_unchanged": (view.say("Rows unchanged"), view.say("Rows that said what was known already.")),
        "rows_refused": (view.say("Rows refused"), view.say("Rows not loaded, each with its reason below.")),
        "rows_skipped": (
            view.say("Rows skipped"),
            view.say("Rows that hold no record, such as headings and empty lines."),
        ),
    }
    shown = [Card(label=view.say("Files"), value=say_number(len(loads)), counted="", help=view.say("Files taken in."))]
    shown += [
        Card(label=label, value=say_number(sums[name]), counted="", help=text) for name, (label, text) in labels.items()
    ]
    show_cards(shown)


def choose_load(view: View, loads: pd.DataFrame) -> str:
    """The file whose refusals are shown: its number, or all."""
    numbers = [str(number) for number in loads["load_no"]]
    chosen = filters.choose_own("load", ["all", *numbers], "all")
    names = dict(zip(numbers, loads["file_name"], strict=True))
    refused = {str(number) for number in loads.loc[loads["refusals"] > 0, "load_no"]}
    listed = ["all", *(number for number in numbers if number in refused or number == chosen)]
    if len(listed) > 1:
        st.selectbox(
            view.say("File"),
            listed,
            format_func=lambda number: view.say("All files") if number == "all" else f"{number}: {names[number]}",
            key=filters.own_state("load"),
            width=520,
            on_change=partial(turn_to_first, "refused"),
        )
    return chosen


def _choose_load(picked: Mapping[str, Any]) -> None:
    turn_to_first("refused")
    open_page(None, own={"load": str(picked["load_no"])})
