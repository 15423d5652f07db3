"""Curves that go in steps: the share that is left after so many rounds, and a figure as it was known day after day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from dashboard.charts.parts import INK, ONE_COLOUR, PLAIN_AXIS, Spec, field, list_tooltips

HEIGHT: Final = 300
LEAST_SPAN: Final = 0.015


def draw_survival(
    frame: pd.DataFrame, series: Sequence[str], titles: Mapping[str, str], *, time_title: str
) -> tuple[Spec, pd.DataFrame]:
    """Shares in steps from the columns series, time (whole rounds), share, low and high; one curve per series."""
    x = field(
        "time",
        "quantitative",
        scale={"domainMin": 0, "nice": False},
        axis={**PLAIN_AXIS, "title": time_title, "titlePadding": 8, "format": "d", "tickMinStep": 1},
    )
    y: dict[str, Any] = {
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [0, 1]},
        "axis": {**PLAIN_AXIS, "format": ".0%", "tickCount": 5},
    }
    color = field(
        "series",
        scale={"domain": list(series)},
        legend={
            "orient": "top",
            "title": None,
            "symbolType": "stroke",
            "symbolOpacity": 1,
            "symbolStrokeWidth": 2,
            "columns": {"expr": "containerSize()[0] < 480 ? 2 : 4"},
            "labelLimit": 220,
        }
        if len(series) > 1
        else None,
    )
    spec: Spec = {
        "encoding": {"x": x, "color": color},
        "layer": [
            {
                "mark": {"type": "area", "interpolate": "step-after", "opacity": 0.12},
                "encoding": {"y": y | {"field": "low"}, "y2": {"field": "high"}},
            },
            {
                "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
                "encoding": {"y": y | {"field": "share"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 260, "opacity": 0},
                "encoding": {"y": y | {"field": "share"}, "tooltip": list_tooltips(titles)},
            },
        ],
        "height": HEIGHT,
        "padding": {"left": 0, "right": 8, "top": 8, "bottom": 0},
    }
    return spec, frame


def draw_trace(frame: pd.DataFrame, titles: Mapping[str, str], *, height: int = HEIGHT) -> tuple[Spec, pd.DataFrame]:
    """A figure at one day after the other, in steps, from the columns day, rate, written and is_step (it changed).

    Restatements are small, so the axis is as narrow as they are, but never narrower than a point and a half.
    """
    low, high = float(frame["rate"].min()), float(frame["rate"].max())
    room = max(LEAST_SPAN - (high - low), 0.2 * (high - low)) / 2
    x = field("day", "temporal", axis={**PLAIN_AXIS, "format": "%Y-%m", "tickCount": 6, "labelOverlap": True})
    y: dict[str, Any] = {
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [round(max(0.0, low - room), 4), round(min(1.0, high + room), 4)], "nice": False},
        "axis": {**PLAIN_AXIS, "format": ".1%", "tickCount": 5},
    }
    only_steps = [{"filter": "datum.is_step"}]
    spec: Spec = {
        "transform": ONE_COLOUR,
        "encoding": {"x": x},
        "layer": [
            {
                "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
                "encoding": {"y": y | {"field": "rate"}, "color": INK},
            },
            {
                "transform": only_steps,
                "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
                "encoding": {"y": y | {"field": "rate"}, "color": INK},
            },
            {
                "transform": only_steps,
                "mark": {"type": "text", "align": "left", "baseline": "bottom", "dx": 4, "dy": -7, "fontSize": 11},
                "encoding": {"y": y | {"field": "rate"}, "text": field("written"), "color": INK},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 300, "opacity": 0},
                "encoding": {"y": y | {"field": "rate"}, "tooltip": list_tooltips(titles)},
            },
        ],
        "height": height,
        "padding": {"left": 0, "right": 8, "top": 8, "bottom": 0},
    }
    return spec, frame
