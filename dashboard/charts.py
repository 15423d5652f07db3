"""Altair charts: they draw what a frame holds; colours come from the theme, so light and dark need no rerun."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from dashboard.words import Language

LINE_HEIGHT = 300
LABEL_GAP = 20
"""Pixels that two labels at the right edge keep between their middles."""
ROW_HEIGHT = 40
AXIS_HEIGHT = 36
LABEL_LETTERS = 21
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left")
HALF_LABEL = {
    "en": "slice(datum.value, 7) == 'H1' || datum.index == 0 "
    "? [slice(datum.value, 7), slice(datum.value, 0, 6)] : slice(datum.value, 7)",
    "ja": "slice(datum.value, 7) == 'H1' || datum.index == 0 "
    "? [slice(datum.value, 7) == 'H1' ? '上期' : '下期', slice(datum.value, 2, 6) + '年度'] : '下期'",
}


def draw_over_time(
    frame: pd.DataFrame, series: Sequence[str], halves: Sequence[str], titles: Mapping[str, str], language: Language
) -> alt.LayerChart:
    """Lines over half-years from the columns half, half_label, series, rate, counted and entities; gaps stay gaps."""
    low, high = find_rate_domain(frame["rate"])
    x = alt.X(
        "half:O",
        title=None,
        scale=alt.Scale(domain=list(halves)),
        axis=alt.Axis(
            labelExpr=HALF_LABEL[language],
            labelAngle=0,
            labelOverlap="parity",
            ticks=False,
            labelPadding=8,
            domain=False,
            grid=False,
        ),
    )
    y = alt.Y(
        "rate:Q",
        title=None,
        scale=alt.Scale(domain=[low, high], nice=False),
        axis=alt.Axis(format=".0%", tickCount=6, ticks=False, domain=False, labelPadding=8),
    )
    color = alt.Color("series:N", scale=alt.Scale(domain=list(series)), legend=None)
    shape = alt.Shape("series:N", scale=alt.Scale(domain=list(series), range=list(SHAPES[: len(series)])), legend=None)
    tooltip = [
        alt.Tooltip("series:N", title=titles["series"]),
        alt.Tooltip("half_label:N", title=titles["half"]),
        alt.Tooltip("rate:Q", title=titles["rate"], format=".1%"),
        alt.Tooltip("counted:N", title=titles["counted"]),
        alt.Tooltip("entities:N", title=titles["entities"]),
    ]
    base = alt.Chart(frame).encode(x=x, y=y, color=color)
    lines = base.mark_line(strokeWidth=2, invalid="break-paths-show-domains")
    points = base.mark_point(filled=True, size=46, opacity=1).encode(shape=shape)
    targets = base.mark_point(filled=True, size=420, opacity=0).encode(tooltip=tooltip)
    ends = (
        alt.Chart(place_end_labels(frame, low, high))
        .mark_text(align="left", baseline="middle", dx=8, fontSize=12.5, fontWeight=600, limit=120)
        .encode(x=alt.value("width"), y=alt.Y("rate:Q"), text="series:N", color=color)
    )
    return alt.LayerChart(
        layer=[lines, points, targets, ends],
        height=LINE_HEIGHT,
        padding={"left": 0, "right": 8, "top": 8, "bottom": 0},
    )


def draw_heat_map(
    frame: pd.DataFrame,
    rows: Sequence[str],
    columns: Sequence[str],
    titles: Mapping[str, str],
    half_language: Language | None = None,
) -> alt.LayerChart:
    """Cells from the columns row, column, rate, written, counted and entities, deeper where the rate is lower.

    With a half_language the columns are half-years, labelled in that language below the cells.
    """
    low, high = find_rate_domain(frame["rate"])
    plain: dict[str, Any] = {"labelAngle": 0, "labelFlush": False, "ticks": False, "domain": False, "labelPadding": 8}
    if half_language is None:
        axis = alt.Axis(
            **plain,
            orient="top",
            labelOverlap=False,
            labelLimit=alt.ExprRef("bandwidth('x') + 2"),
            labelFontSize=alt.ExprRef("bandwidth('x') < 84 ? 9 : 12"),
        )
    else:
        axis = alt.Axis(**plain, orient="bottom", labelOverlap="parity", labelExpr=HALF_LABEL[half_language])
    y = alt.Y(
        "row_lines:N",
        title=None,
        scale=alt.Scale(domain=[wrap_label(row) for row in rows], paddingInner=0.06),
        axis=alt.Axis(
            labelExpr="split(datum.value, '\\n')", ticks=False, domain=False, labelPadding=10, labelLimit=150
        ),
    )
    tooltip = [
        alt.Tooltip("row:N", title=titles["row"]),
        alt.Tooltip("column_label:N", title=titles["column"]),
        alt.Tooltip("rate:Q", title=titles["rate"], format=".1%"),
        alt.Tooltip("counted:N", title=titles["counted"]),
        alt.Tooltip("entities:N", title=titles["entities"]),
    ]
    x = alt.X("column:N", title=None, scale=alt.Scale(domain=list(columns), paddingInner=0.04), axis=axis)
    base = alt.Chart(frame.assign(row_lines=frame["row"].map(wrap_label))).encode(x=x, y=y, tooltip=tooltip)
    cells = (
        base.transform_filter("isValid(datum.rate)")
        .mark_rect(cornerRadius=3)
        .encode(color=alt.Color("rate:Q", scale=alt.Scale(domain=[low, high], reverse=True), legend=None))
    )
    size = alt.ExprRef("bandwidth('x') < 18 ? 0 : max(9, min(14, bandwidth('x') / 2.9))")
    # A mark's own colour does not follow the theme; the first colour of the series does, and is that of text.
    figures = (
        base.transform_calculate(ink="'ink'")
        .mark_text(fontSize=size)
        .encode(text="written:N", color=alt.Color("ink:N", legend=None))
    )
    return alt.LayerChart(
        layer=[cells, figures],
        resolve=alt.Resolve(scale=alt.ScaleResolveMap(color="independent")),
        height=ROW_HEIGHT * len(rows) + AXIS_HEIGHT,
        padding={"left": 0, "right": 0, "top": 0, "bottom": 0},
    )


def wrap_label(label: str) -> str:
    """A long label on two lines."""
    return "\n".join(textwrap.wrap(label, LABEL_LETTERS, max_lines=2, placeholder="…"))


def find_rate_domain(rates: pd.Series) -> tuple[float, float]:
    """Steps of five percent around the rates, at least twenty percent wide, so that small differences stay small."""
    known = rates.dropna()
    if known.empty:
        return 0.0, 1.0
    low = max(0.0, (known.min() - 0.01) // 0.05 * 0.05)
    high = min(1.0, -(-(known.max() + 0.01) // 0.05) * 0.05)
    return round(max(0.0, min(low, high - 0.2)), 2), round(high, 2)


def place_end_labels(frame: pd.DataFrame, low: float, high: float) -> pd.DataFrame:
    """One label per series at the height of its newest figure, moved apart where two would touch."""
    last = frame.dropna(subset=["rate"]).sort_values("half").groupby("series", sort=False).tail(1)
    last = last.sort_values("rate")[["series", "rate"]].reset_index(drop=True)
    gap = (high - low) * LABEL_GAP / LINE_HEIGHT
    heights = last["rate"].tolist()
    for position in range(1, len(heights)):
        heights[position] = max(heights[position], heights[position - 1] + gap)
    ceiling = high
    for position in reversed(range(len(heights))):
        heights[position] = min(heights[position], ceiling)
        ceiling = heights[position] - gap
    return last.assign(rate=heights)
