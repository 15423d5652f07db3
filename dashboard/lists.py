"""Panels of rows: a listing of the query layer, page by page, so that millions of rows never reach the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, cast

import pandas as pd
import streamlit as st

from dashboard import filters
from dashboard.downloads import Column, ColumnKind
from dashboard.navigation import count_clicks
from dashboard.panels import OnPick, Panel, offer_tables, show_rows
from dashboard.view import View
from dashboard.words import join_sentences, plain, say_number
from metrics.catalog import DIMENSIONS
from metrics.rows import LISTINGS, unknown_filters

PAGE_ROWS: Final = 100
LIST_HEIGHT: Final = 520
KINDS: Final[dict[str, ColumnKind]] = {"code": "text", "text": "text"}


def show_listing(
    view: View,
    listing: str,
    names: Sequence[str],
    *,
    key: str,
    title: str = "",
    counted_by: tuple[str, ...] = (),
    load_no: int | None = None,
    search: str = "",
    order: str | None = None,
    descending: bool = False,
    page_parameter: str | None = None,
    on_pick: OnPick | None = None,
    note: str = "",
    empty: str = "",
    labels: Mapping[str, str] | None = None,
    keep: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    height: int = LIST_HEIGHT,
    limit: int = PAGE_ROWS,
    every_type: bool = False,
    period: str | None = None,
    **ids: Any,
) -> None:
    """Columns of a listing in the reader's order: one page of rows with their number, and that page as files.

    With a `page_parameter` the page number is in the address; without, the first `limit` rows are all there is.
    `labels` gives columns names of their own; `keep` may add columns to the page, named in `names` too.
    """
    read = partial(
        view.list_rows, listing, counted_by=counted_by, load_no=load_no, search=search, order=order,
        descending=descending, limit=limit,
        every_type=every_type, period=period, **ids,
    )  # fmt: skip
    page = choose_page(page_parameter) if page_parameter else 1
    rows = read(offset=(page - 1) * limit)
    pages = max(1, -(-rows.total // limit))
    if page > pages:
        page = pages
        rows = read(offset=(page - 1) * limit)
    table = keep(rows.frame) if keep else rows.frame
    columns = name_columns(view, listing, names, labels or {})
    with st.container(border=True, key=key):
        if title:
            st.subheader(plain(title), anchor=False)
        if rows.total == 0:
            st.info(empty or view.say("Nothing matches these filters."))
            return
        table = show_labels(view, listing, table)
        show_rows(view, table, columns, f"{key}-rows", title or key, on_pick, height)
        first = (page - 1) * limit + 1
        shown = view.say(
            "Rows {first} to {last} of {total}.",
            first=say_number(first),
            last=say_number(first + len(table) - 1),
            total=say_number(rows.total),
        )
        ignored = [DIMENSIONS[name] for name in unknown_filters(listing, rows.query.filters) if name in DIMENSIONS]
        hints = [
            view.say("The filter “{name}” does not apply here.", name=view.label_dimension(one.name)) for one in ignored
        ]
        st.caption(join_sentences(view.language, [shown, note, *hints]))
        with st.container(horizontal=True, horizontal_alignment="right", key=f"{key}-foot"):
            if page_parameter and pages > 1:
                st.pagination(pages, key=page_key(page_parameter), default=page)
            said = join_sentences(view.language, [shown, note])
            offer_tables(view, Panel(key, title or key, table, columns, note=said))


def choose_page(parameter: str) -> int:
    """The number of the page shown: from the address, or as the reader turned it."""
    turned = st.session_state.get(page_key(parameter))
    written = str(turned) if turned is not None else filters.keep_own(parameter, "1")
    number = int(written) if written.isascii() and written.isdigit() and int(written) > 0 else 1
    st.session_state[filters.own_state(parameter)] = str(number)
    filters.keep_own(parameter, "1")
    return number


def page_key(parameter: str) -> str:
    """Key of the widget that turns pages; another click on a mark begins at the first page."""
    return f"turned.{parameter}.{count_clicks()}"


def turn_to_first(parameter: str = "page") -> None:
    """Begin at the first page, because what is listed changes; for callbacks."""
    st.session_state.pop(page_key(parameter), None)
    st.session_state.pop(filters.own_state(parameter), None)


def name_columns(view: View, listing: str, names: Sequence[str], labels: Mapping[str, str]) -> tuple[Column, ...]:
    """Typed columns of a listing; those with ids are shown by their labels."""
    known = {column.name: column for column in LISTINGS[listing].columns}
    columns = []
    for name in names:
        if name not in known:
            columns.append(Column(name, labels[name], "text"))
            continue
        column = known[name]
        label = labels.get(name) or (column.label_en if view.language == "en" else column.label_ja)
        kind = cast(ColumnKind, KINDS.get(column.kind, column.kind))
        columns.append(Column(f"{name}_{view.language}" if column.labelled_by else name, label, kind))
    return tuple(columns)


def show_labels(view: View, listing: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with periods as they are said."""
    periods: dict[str, Any] = {
        name: [
            view.say_period(code) if isinstance(code, str) and code.startswith("FY") else code for code in frame[name]
        ]
        for name in ("fiscal_half",)
        if name in frame
    }
    codes = {"half_code": frame["fiscal_half"]} if "fiscal_half" in frame else {}
    return frame.assign(**codes, **periods).reset_index(drop=True)
