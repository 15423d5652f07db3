"""Waterfalls: what made a figure move from one value to another, part by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from dashboard.charts.parts import (
    INK,
    ONE_COLOUR,
    PLAIN_AXIS,
    Spec,
    field,
    label_axis,
    list_tooltips,
    pick_points,
    wrap_labels,
)
from dashboard.charts.ranks import AXIS_HEIGHT, WRAPPED_HEIGHT

ROOM: Final = 0.22
"""Share of the axis that is kept free on either side for figures."""
FINE_SPAN: Final = 0.004
"""A span of rates whose ticks need two decimals to differ."""
WAYS: Final = ("total", "better", "third", "worse")
"""Series in the order of the theme's colours; there is none in the third."""


def draw_waterfall(
    frame: pd.DataFrame, titles: Mapping[str, str], *, picks: Sequence[str] = (), letters: int = 30
) -> tuple[Spec, pd.DataFrame]:
    """Bars from the columns row, begin, end (rates), written and way (of WAYS), in the frame's order.

    Totals are drawn as strokes, so that the axis need not begin at nothing.
    """
    frame = frame.assign(row_lines=frame["row"].map(wrap_labels(frame["row"], letters)))
    frame = frame.assign(
        far=frame[["begin", "end"]].max(axis=1),
    )
    low, high = frame[["begin", "end"]].min().min(), frame[["begin", "end"]].max().max()
    room = max(high - low, 0.002) * ROOM
    ends = [round(low - room, 6), round(high + 2 * room, 6)]
    x: Spec = {
        "type": "quantitative",
        "title": None,
        "scale": {"domain": ends, "nice": False},
        "axis": {**PLAIN_AXIS, "format": ".2%" if high - low < FINE_SPAN else ".1%", "tickCount": 4},
    }
    color = field("way", scale={"domain": list(WAYS)}, legend=None)
    spec: Spec = {
        "transform": ONE_COLOUR,
        "encoding": {"y": field("row_lines", **label_axis(frame["row"], 230, letters))},
        "layer": [
            {
                "transform": [{"filter": "datum.way != 'total'"}],
                "mark": {"type": "bar", "cornerRadius": 2, "height": {"band": 0.6}},
                "encoding": {"x": x | {"field": "begin"}, "x2": {"field": "end"}, "color": color},
            },
            {
                "transform": [{"filter": "datum.way == 'total'"}],
                "mark": {"type": "tick", "thickness": 4, "size": 24},
                "encoding": {"x": x | {"field": "end"}, "color": color},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 8},
                "encoding": {"x": x | {"field": "far"}, "text": field("written"), "color": INK},
            },
            {
                "mark": {"type": "bar", "opacity": 0.001},
                "encoding": {
                    "x": x | {"datum": ends[0]},
                    "x2": {"datum": ends[1]},
                    "tooltip": list_tooltips(titles),
                },
                **({"params": pick_points(*picks)} if picks else {}),
            },
        ],
        "resolve": {"scale": {"color": "independent"}},
        "height": WRAPPED_HEIGHT * len(frame) + AXIS_HEIGHT,
    }
    return spec, frame
