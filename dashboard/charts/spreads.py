"""Spreads about nothing: figures of either sign with their intervals, and how many lie where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from dashboard.charts.parts import (
    INK,
    ONE_COLOUR,
    PLAIN_AXIS,
    PLAIN_BAR,
    SMALL_OPACITY,
    Spec,
    field,
    label_axis,
    list_tooltips,
    pick_points,
    wrap_labels,
)

BAR_HEIGHT: Final = 30
AXIS_HEIGHT: Final = 34
HISTOGRAM_HEIGHT: Final = 200
LEAST_SPAN: Final = 0.1
WAYS: Final = ("usual", "better", "third", "worse")
"""What a point's colour says, in the order of the theme's colours; there is none in the third."""


def draw_deviations(
    frame: pd.DataFrame, whole: float, titles: Mapping[str, str], *, picks: Sequence[str] = (), letters: int = 30
) -> tuple[Spec, pd.DataFrame]:
    """Dots with intervals about zero from the columns row, rate, low, high, way (of WAYS) and is_small.

    A row without an interval is a dot alone. A dashed line stands at `whole`, the figure of all rows together.
    """
    frame = frame.assign(row_lines=frame["row"].map(wrap_labels(frame["row"], letters)))
    known = pd.concat([frame["rate"], frame["low"], frame["high"], pd.Series([0.0, whole])]).astype(float).dropna()
    room = 0.04 * max(LEAST_SPAN, float(known.max() - known.min()))
    low, high = float(known.min()) - room, max(float(known.max()) + room, float(known.min()) + LEAST_SPAN)
    x: dict[str, Any] = {
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [low, high], "nice": False},
        "axis": {
            **PLAIN_AXIS,
            "labelExpr": "datum.value == 0 ? '0' : format(datum.value * 100, '+~g') + '%'",
            "tickCount": 6,
        },
    }
    color = field("way", scale={"domain": list(WAYS)}, legend=None)
    small: Spec = {"condition": {"test": "datum.is_small", "value": SMALL_OPACITY}, "value": 1}
    y = field("row_lines", **label_axis(frame["row"], 230, letters))
    spec: Spec = {
        "transform": ONE_COLOUR,
        "layer": [
            {"mark": {"type": "rule", "opacity": 0.5}, "encoding": {"x": x | {"datum": 0}, "color": INK}},
            {
                "mark": {"type": "rule", "strokeDash": [4, 4], "opacity": 0.5},
                "encoding": {"x": x | {"datum": whole}, "color": INK},
            },
            {
                "transform": [{"filter": "isValid(datum.low)"}],
                "mark": {"type": "rule", "strokeWidth": 6, "opacity": 0.25, "strokeCap": "round"},
                "encoding": {"x": x | {"field": "low"}, "x2": {"field": "high"}, "y": y, "color": color},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 90},
                "encoding": {"x": x | {"field": "rate"}, "y": y, "color": color, "opacity": small},
            },
            {
                "mark": {"type": "bar", "opacity": 0.001},
                "encoding": {"x": x | {"datum": low}, "x2": {"datum": high}, "y": y, "tooltip": list_tooltips(titles)},
                **({"params": pick_points(*picks)} if picks else {}),
            },
        ],
        "resolve": {"scale": {"color": "independent"}},
        "height": BAR_HEIGHT * len(frame) + AXIS_HEIGHT,
    }
    return spec, frame


def draw_histogram(
    frame: pd.DataFrame, titles: Mapping[str, str], *, value_title: str, count_title: str
) -> tuple[Spec, pd.DataFrame]:
    """Bars from the columns low, high (ends of a bin) and count, side by side without gaps."""
    x: dict[str, Any] = {
        "type": "quantitative",
        "scale": {"nice": False},
        "axis": {
            **PLAIN_AXIS,
            "title": value_title,
            "titlePadding": 8,
            "labelExpr": "datum.value == 0 ? '0' : format(datum.value, '+~g')",
            "tickCount": 8,
        },
    }
    y = field(
        "count",
        "quantitative",
        scale={"domainMin": 0},
        axis={**PLAIN_AXIS, "title": count_title, "titlePadding": 8, "format": "d", "tickCount": 4, "tickMinStep": 1},
    )
    spec: Spec = {
        "transform": ONE_COLOUR,
        "layer": [
            {
                "mark": {"type": "bar", "binSpacing": 2},
                "encoding": {
                    "x": x | {"field": "low", "bin": "binned"},
                    "x2": {"field": "high"},
                    "y": y,
                    "color": PLAIN_BAR,
                    "tooltip": list_tooltips(titles),
                },
            },
            {
                "mark": {"type": "rule", "opacity": 0.6, "strokeDash": [4, 4]},
                "encoding": {"x": x | {"datum": 0}, "color": INK},
            },
        ],
        "resolve": {"scale": {"color": "independent"}},
        "height": HISTOGRAM_HEIGHT,
        "padding": {"left": 0, "right": 8, "top": 8, "bottom": 0},
    }
    return spec, frame
