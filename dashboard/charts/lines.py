"""Lines over periods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from dashboard.charts.parts import (
    PLAIN_AXIS,
    Spec,
    field,
    find_rate_domain,
    list_tooltips,
    period_axis,
    pick_points,
)
from dashboard.downloads import measure

LINE_HEIGHT: Final = 300
MOST_LABEL_PIXELS: Final = 170
LABEL_GAP: Final = 20
"""Pixels that two labels at the right edge keep between their middles."""
SHAPES: Final = (
    "circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left",
)  # fmt: skip


def draw_lines(
    frame: pd.DataFrame,
    series: Sequence[str],
    periods: Mapping[str, str],
    titles: Mapping[str, str],
    *,
    picks: Sequence[str] = (),
    target: Mapping[str, float] | None = None,
    height: int = LINE_HEIGHT,
    with_labels: bool = True,
    span: pd.Series | None = None,
) -> tuple[Spec, pd.DataFrame]:
    """Lines from the columns period, series, rate and what the tooltip titles name; gaps stay gaps.

    `series` is every series that can be, so that each keeps its colour; `target` maps periods to a rate to reach;
    `span` holds the rates that the axis is made for, so that several charts share one.
    """
    targets = list((target or {}).values())
    low, high = find_rate_domain(pd.concat([frame["rate"] if span is None else span, pd.Series(targets, dtype=float)]))
    frame = frame.assign(
        label_rate=place_end_labels(frame, low, high, height), target=frame["period"].map(dict(target or {}))
    )
    x = field(
        "period", "ordinal", scale={"domain": list(periods)}, axis=period_axis(list(periods), list(periods.values()))
    )
    y = {
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [low, high], "nice": False},
        "axis": {**PLAIN_AXIS, "format": ".0%", "tickCount": 6 if height > 200 else 3},
    }
    color = field("series", scale={"domain": list(series)}, legend=None)
    shape = field("series", scale={"domain": list(series), "range": list(SHAPES[: len(series)])}, legend=None)
    layers: list[Spec] = []
    if targets:
        layers.append(
            {
                "mark": {
                    "type": "line",
                    "strokeDash": [2, 4],
                    "strokeWidth": 1.5,
                    "opacity": 0.7,
                    "interpolate": "step",
                },
                "encoding": {"y": y | {"field": "target", "aggregate": "max"}},
            }
        )
    layers += [
        {
            "mark": {"type": "line", "strokeWidth": 2, "invalid": "break-paths-show-domains"},
            "encoding": {"y": y | {"field": "rate"}, "color": color},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 46, "opacity": 1},
            "encoding": {"y": y | {"field": "rate"}, "color": color, "shape": shape},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 420, "opacity": 0},
            "encoding": {"y": y | {"field": "rate"}, "color": color, "tooltip": list_tooltips(titles)},
            **({"params": pick_points(*picks)} if picks else {}),
        },
    ]
    if with_labels:
        layers.append(
            {
                "transform": [{"filter": "isValid(datum.label_rate)"}],
                "mark": {
                    "type": "text",
                    "align": "left",
                    "baseline": "middle",
                    "dx": 8,
                    "fontSize": 12.5,
                    "fontWeight": 600,
                    "limit": min(
                        MOST_LABEL_PIXELS,
                        max(60, 8 * max((measure(name) for name in frame["series"].dropna()), default=0)),
                    ),
                },
                "encoding": {
                    "x": {"value": "width"},
                    "y": y | {"field": "label_rate"},
                    "text": field("series"),
                    "color": color,
                },
            }
        )
    spec: Spec = {
        "layer": layers,
        "encoding": {"x": x},
        "height": height,
        "padding": {"left": 0, "right": 8, "top": 8, "bottom": 0},
    }
    return spec, frame


def place_end_labels(frame: pd.DataFrame, low: float, high: float, height: int = LINE_HEIGHT) -> pd.Series:
    """Height of each series' label beside its newest figure, moved apart where two would touch; else null."""
    last = frame.dropna(subset=["rate"]).sort_values("period").groupby("series", sort=False).tail(1).sort_values("rate")
    gap = (high - low) * LABEL_GAP / height
    heights = last["rate"].tolist()
    for position in range(1, len(heights)):
        heights[position] = max(heights[position], heights[position - 1] + gap)
    ceiling = high
    for position in reversed(range(len(heights))):
        heights[position] = min(heights[position], ceiling)
        ceiling = heights[position] - gap
    return pd.Series(heights, index=last.index, dtype=float).reindex(frame.index)
