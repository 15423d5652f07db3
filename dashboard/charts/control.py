"""A figure over rounds with limits: control charts of what was, and bands of what may come."""

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
    find_rate_domain,
    list_tooltips,
    period_axis,
    pick_points,
)

HEIGHT: Final = 260
STATES: Final = ("usual", "better", "third", "worse")
"""What a round says, in the order of the theme's colours; there is none in the third."""


def draw_control(
    frame: pd.DataFrame,
    periods: Mapping[str, str],
    titles: Mapping[str, str],
    *,
    picks: Sequence[str] = (),
    height: int = HEIGHT,
) -> tuple[Spec, pd.DataFrame]:
    """A line from the columns period, rate and state (of STATES), with centre, low and high behind it.

    Rounds without a figure are gaps.
    """
    axis_low, axis_high = find_rate_domain(pd.concat([frame["rate"], frame["low"], frame["high"]]))
    x, y = make_axes(periods, axis_low, axis_high)
    color = field("state", scale={"domain": list(STATES)}, legend=None)
    spec: Spec = {
        "transform": ONE_COLOUR,
        "encoding": {"x": x},
        "layer": [
            {
                "mark": {"type": "area", "opacity": 0.12, "clip": True},
                "encoding": {"y": y | {"field": "low"}, "y2": {"field": "high"}, "color": INK},
            },
            {
                "mark": {"type": "line", "strokeDash": [4, 4], "strokeWidth": 1.2},
                "encoding": {"y": y | {"field": "centre"}, "color": INK},
            },
            {
                "mark": {"type": "line", "strokeWidth": 2, "invalid": "break-paths-show-domains"},
                "encoding": {"y": y | {"field": "rate"}, "color": INK},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
                "encoding": {"y": y | {"field": "rate"}, "color": color},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 420, "opacity": 0},
                "encoding": {"y": y | {"field": "rate"}, "tooltip": list_tooltips(titles)},
                **({"params": pick_points(*picks)} if picks else {}),
            },
        ],
        "resolve": {"scale": {"color": "independent"}},
        "height": height,
        "padding": {"left": 0, "right": 8, "top": 8, "bottom": 0},
    }
    return spec, frame


def draw_outlook(
    frame: pd.DataFrame, periods: Mapping[str, str], titles: Mapping[str, str], target: float
) -> tuple[Spec, pd.DataFrame]:
    """What was and what may come: the columns period, rate, forecast, low and high, and the target as a dotted line."""
    frame = frame.assign(shown=frame["rate"].fillna(frame["forecast"]))
    columns = [frame[name] for name in ("rate", "forecast", "low", "high")]
    low, high = find_rate_domain(pd.concat([*columns, pd.Series([target])]))
    x, y = make_axes(periods, low, high)
    spec: Spec = {
        "transform": ONE_COLOUR,
        "encoding": {"x": x},
        "layer": [
            {
                "mark": {"type": "area", "opacity": 0.15, "clip": True},
                "encoding": {"y": y | {"field": "low"}, "y2": {"field": "high"}, "color": INK},
            },
            {
                "mark": {"type": "rule", "strokeDash": [2, 4], "strokeWidth": 1.5, "opacity": 0.7},
                "encoding": {"x": {"value": 0}, "x2": {"value": "width"}, "y": y | {"datum": target}, "color": INK},
            },
            {
                "mark": {"type": "line", "strokeDash": [5, 4], "strokeWidth": 2, "opacity": 0.8},
                "encoding": {"y": y | {"field": "forecast"}, "color": INK},
            },
            {
                "mark": {"type": "line", "strokeWidth": 2, "point": {"filled": True, "size": 46}},
                "encoding": {"y": y | {"field": "rate"}, "color": INK},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 420, "opacity": 0},
                "encoding": {"y": y | {"field": "shown"}, "tooltip": list_tooltips(titles)},
            },
        ],
        "resolve": {"scale": {"color": "independent"}},
        "height": HEIGHT,
        "padding": {"left": 0, "right": 8, "top": 8, "bottom": 0},
    }
    return spec, frame


def make_axes(periods: Mapping[str, str], low: float, high: float) -> tuple[Spec, Spec]:
    """The axis of time with every period, and that of rates."""
    x = field(
        "period", "ordinal", scale={"domain": list(periods)}, axis=period_axis(list(periods), list(periods.values()))
    )
    y = {
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [low, high], "nice": False},
        "axis": {**PLAIN_AXIS, "format": ".0%", "tickCount": 5},
    }
    return x, y
