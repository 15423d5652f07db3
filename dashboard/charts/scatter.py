"""Scatter plots: two figures of each row against each other, with names at those that stand out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from dashboard.charts.parts import INK, ONE_COLOUR, PLAIN_AXIS, Spec, field, list_tooltips, pick_points

HEIGHT: Final = 330
STANDINGS: Final = ("usual", "second", "third", "low")
"""Where a point stands, in the order of the theme's colours; there is none in the second and the third."""


def draw_scatter(
    points: pd.DataFrame,
    titles: Mapping[str, str],
    *,
    x_title: str,
    y_title: str,
    threshold: float,
    picks: Sequence[str] = (),
) -> tuple[Spec, pd.DataFrame]:
    """Points from the columns x (a rate), y (a correlation), standing (of STANDINGS) and label (text, mostly empty).

    `threshold` is a value of y below which little is told, drawn as a dashed line.
    """
    most = max(0.05, float(points["x"].max()))
    low, high = min(0.0, float(points["y"].min())) - 0.05, max(threshold, float(points["y"].max())) + 0.05
    x: Spec = {
        "type": "quantitative",
        "field": "x",
        "scale": {"domain": [0, round(most * 1.08, 4)], "nice": False},
        "axis": {**PLAIN_AXIS, "title": x_title, "titlePadding": 8, "format": ".0%", "tickCount": 6},
    }
    y: Spec = {
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [round(low, 4), round(high, 4)], "nice": False},
        "axis": {**PLAIN_AXIS, "title": y_title, "titlePadding": 8, "format": ".1f", "tickCount": 5},
    }
    color = field("standing", scale={"domain": list(STANDINGS)}, legend=None)
    spec: Spec = {
        "transform": ONE_COLOUR,
        "layer": [
            {
                "mark": {"type": "rule", "strokeDash": [4, 4], "strokeWidth": 1.2, "opacity": 0.7},
                "encoding": {"y": y | {"datum": threshold}, "color": INK},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 64},
                "encoding": {
                    "x": x,
                    "y": y | {"field": "y"},
                    "color": color,
                    "opacity": {"condition": {"test": "datum.standing == 'usual'", "value": 0.5}, "value": 1},
                },
            },
            {
                "transform": [{"filter": "datum.label != ''"}],
                "mark": {"type": "text", "align": "left", "dx": 8, "fontSize": 11},
                "encoding": {"x": x, "y": y | {"field": "y"}, "text": field("label"), "color": INK},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 320, "opacity": 0},
                "encoding": {"x": x, "y": y | {"field": "y"}, "tooltip": list_tooltips(titles)},
                **({"params": pick_points(*picks)} if picks else {}),
            },
        ],
        "resolve": {"scale": {"color": "independent"}},
        "height": HEIGHT,
        "padding": {"left": 0, "right": 8, "top": 8, "bottom": 0},
    }
    return spec, points
