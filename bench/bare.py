"""A bare Streamlit page: as many elements of the same kinds as a page of the dashboard, drawn from constants."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import streamlit as st

PARTS_VARIABLE: Final = "TENKEN_BARE_PARTS"
CHART_ROWS: Final = 60
PICK: Final = "pick"
TEXT: Final = "A sentence of about the length that a note below a chart has on a page."
CHART: Final = {
    "mark": {"type": "line", "point": True},
    "encoding": {
        "x": {"field": "period", "type": "ordinal"},
        "y": {"field": "rate", "type": "quantitative", "scale": {"domain": [0, 1]}},
        "color": {"field": "region", "type": "nominal"},
        "tooltip": [{"field": name} for name in ("region", "period", "rate", "answers")],
    },
}
PICKED_CHART: Final = CHART | {"params": [{"name": PICK, "select": {"type": "point", "fields": ["region"]}}]}
CHART_DATA: Final = pd.DataFrame(
    [
        {"region": f"R{number % 5}", "period": f"FY20{number // 5:02}", "rate": number / CHART_ROWS, "answers": number}
        for number in range(CHART_ROWS)
    ]
)


@dataclass(frozen=True, slots=True)
class Part:
    """An element or block: its kind, how many options, rows or tabs it has, and columns where it is a table."""

    kind: str
    size: int = 0
    columns: int = 0
    is_picked: bool = False


def list_parts(messages: Iterable[Any]) -> list[Part]:
    """What one run of a page sent to the browser, part by part; blocks that a part below makes are not named again."""
    parts = []
    for message in messages:
        if message.WhichOneof("type") != "delta":
            continue
        delta = message.delta
        if delta.WhichOneof("type") == "add_block":
            kind = str(delta.add_block.WhichOneof("type"))
            parts.append(Part(f"block {kind}"))
            continue
        kind = str(delta.new_element.WhichOneof("type"))
        element = getattr(delta.new_element, kind)
        size = columns = 0
        if kind in ("selectbox", "multiselect", "button_group"):
            size = len(element.options)
        elif kind == "dataframe":
            rows = pa.ipc.open_stream(element.arrow_data.data).read_all()
            size, columns = rows.num_rows, rows.num_columns
        parts.append(Part(kind, size, columns, bool(getattr(element, "selection_mode", ()))))
    return parts


@cache
def read_pages() -> dict[str, list[Part]]:
    """The pages to draw, by name, from the JSON file that a variable of the environment names."""
    written = json.loads(Path(os.environ[PARTS_VARIABLE]).read_text("utf-8"))
    return {name: [Part(**part) for part in parts] for name, parts in written.items()}


def draw_parts(parts: Iterable[Part]) -> list[str]:
    """Draw constants in place of the parts; hands back the kinds that it does not know."""
    unknown = []
    tabs = columns = 0
    for place, part in enumerate(parts):
        key = f"part {place}"
        if part.kind == "block tab":
            tabs += 1
        elif part.kind == "block column":
            columns += 1
        elif part.kind == "dataframe":
            draw_table(part, key)
        elif part.kind == "vega_lite_chart":
            draw_chart(part, key)
        elif part.kind in WIDGETS:
            WIDGETS[part.kind](part, key)
        elif part.kind in DRAWN:
            DRAWN[part.kind]()
        elif part.kind not in WITH_THEIR_PARTS:
            unknown.append(part.kind)
    containers = sum(part.kind == "block tab_container" for part in parts)
    for place in range(containers):
        share = tabs // containers + (place < tabs % containers)
        st.tabs([f"Tab {one}" for one in range(share)], key=f"tabs {place}", on_change="rerun")
    if columns:
        st.columns(columns)
    return unknown


def draw_chart(part: Part, key: str) -> None:
    """A line chart of 60 rows."""
    if part.is_picked:
        st.vega_lite_chart(CHART_DATA, PICKED_CHART, key=key, alt=TEXT, on_select="rerun", selection_mode=PICK)
    else:
        st.vega_lite_chart(CHART_DATA, CHART, key=key, alt=TEXT)


def draw_table(part: Part, key: str) -> None:
    """A table of the same rows and columns, numbers and texts by turns."""
    names = [f"column {number}" for number in range(part.columns)]
    frame = make_table(part.size, part.columns)
    config: dict[str, Any] = {name: st.column_config.Column(f"Label {name}") for name in names}
    if part.is_picked:
        st.dataframe(
            frame, hide_index=True, column_config=config, key=key, on_select="rerun", selection_mode="single-row"
        )
    else:
        st.dataframe(frame, hide_index=True, column_config=config, key=key)


TABLES: Final[dict[tuple[int, int], pd.DataFrame]] = {}


def make_table(rows: int, columns: int) -> pd.DataFrame:
    """Numbers and texts by turns; made once for each size."""
    if (rows, columns) not in TABLES:
        TABLES[rows, columns] = pd.DataFrame(
            {
                f"column {number}": [f"text {row}" if number % 2 else row / 7 for row in range(rows)]
                for number in range(columns)
            }
        )
    return TABLES[rows, columns]


def list_options(part: Part) -> list[str]:
    """As many options as a part has."""
    return [f"option {number}" for number in range(max(part.size, 1))]


WITH_THEIR_PARTS: Final = ("block tab_container",)
WIDGETS: Final[dict[str, Callable[[Part, str], object]]] = {
    "multiselect": lambda part, key: st.multiselect("Label", list_options(part), key=key, help=TEXT),
    "selectbox": lambda part, key: st.selectbox("Label", list_options(part), key=key),
    "button_group": lambda part, key: st.segmented_control("Label", list_options(part), key=key),
    "date_input": lambda part, key: st.date_input("Label", value=None, key=key),
    "button": lambda part, key: st.button("Label", key=key),
    "download_button": lambda part, key: st.download_button("CSV", lambda: b"", key=key, on_click="ignore"),
    "checkbox": lambda part, key: st.checkbox("Label", key=key),
    "radio": lambda part, key: st.radio("Label", list_options(part), key=key),
    "slider": lambda part, key: st.slider("Label", key=key),
    "text_input": lambda part, key: st.text_input("Label", key=key),
    "number_input": lambda part, key: st.number_input("Label", key=key),
    "file_uploader": lambda part, key: st.file_uploader("Label", key=key),
    "pagination": lambda part, key: st.pagination(20, key=key),
}
DRAWN: Final[dict[str, Callable[[], object]]] = {
    "metric": lambda: st.metric("Label", "95.6%", "0.4 pt", help=TEXT, border=True, chart_data=[0.9, 0.91, 0.93]),
    "markdown": lambda: st.caption(TEXT),
    "heading": lambda: st.subheader("A question?", anchor=False),
    "text": lambda: st.text(TEXT),
    "html": lambda: st.html("<style>p { margin: 0 }</style>"),
    "alert": lambda: st.info(TEXT),
    "code": lambda: st.code(TEXT),
    "page_link": lambda: st.page_link("https://example.com", label="Label"),
    "progress": lambda: st.progress(0.5),
    "empty": lambda: st.empty(),
    "block flex_container": lambda: st.container(border=True),
    "block expandable": lambda: st.expander("More"),
    "block popover": lambda: st.popover("More"),
    "block grid_container": partial(st.grid, 2, min_column_width=400),
}
