"""Funnel plots: rates against the number of answers behind them, with the limits that chance alone gives."""

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
    pick_points,
)

HEIGHT: Final = 380
STANDINGS: Final = ("usual", "high", "third", "low")
"""Where a point stands, in the order of the theme's colours; there is none in the third."""


def draw_funnel(
    points: pd.DataFrame,
    limits: pd.DataFrame,
    baseline: float,
    titles: Mapping[str, str],
    *,
    count_title: str,
    picks: Sequence[str] = (),
) -> tuple[Spec, pd.DataFrame]:
    """Points from the columns row, rate, count and standing (of STANDINGS); curves from `limits`.

    `limits` has count, and low and high of the inner and the outer limit: low, high, outer_low, outer_high. Names stand
    at the points outside the limits only. Points and curves are rows of one frame.
    """
    low, high = find_rate_domain(pd.concat([points["rate"], pd.Series([baseline])]))
    fewest, most = float(points["count"].min() or 0), float(points["count"].max() or 1)
    # Where all are of about one size, a funnel from nothing on would leave them no room.
    begin = 0.0 if fewest < most / 2 else round(0.8 * fewest)
    limits = limits[limits["count"] >= begin]
    drawn = pd.concat([points.assign(kind="point"), limits.assign(kind="limit")], ignore_index=True)
    x = field(
        "count",
        "quantitative",
        title=count_title,
        scale={"domain": [begin, most * 1.08], "nice": False},
        axis={**PLAIN_AXIS, "title": count_title, "titlePadding": 8, "format": ",.0f", "tickCount": 6},
    )
    y = {
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [low, high], "nice": False},
        "axis": {**PLAIN_AXIS, "format": ".0%", "tickCount": 6},
    }
    color = field("standing", scale={"domain": list(STANDINGS)}, legend=None)
    only_limits = [{"filter": "datum.kind == 'limit'"}]
    layers: list[Spec] = [
        {
            "transform": [*only_limits, {"filter": f"isValid(datum.{name})"}],
            "mark": {
                "type": "line",
                "clip": True,
                "strokeWidth": 1.2,
                "opacity": 0.7,
                **({"strokeDash": [4, 4]} if name.startswith("outer") else {}),
            },
            "encoding": {"x": x, "y": y | {"field": name}, "color": INK},
        }
        for name in ("low", "high", "outer_low", "outer_high")
    ]
    only_points = [{"filter": "datum.kind == 'point'"}]
    layers += [
        {
            "mark": {"type": "rule", "strokeWidth": 1.5, "opacity": 0.8},
            "encoding": {"y": y | {"datum": baseline}, "color": INK},
        },
        {
            "transform": only_points,
            "mark": {"type": "point", "filled": True, "size": 52, "clip": True},
            "encoding": {
                "x": x,
                "y": y | {"field": "rate"},
                "color": color,
                "opacity": {"condition": {"test": "datum.standing == 'usual'", "value": 0.45}, "value": 1},
            },
        },
        {
            "transform": [*only_points, {"filter": "datum.standing != 'usual'"}],
            "mark": {"type": "text", "align": "right", "dx": -8, "fontSize": 11, "limit": 150},
            "encoding": {"x": x, "y": y | {"field": "rate"}, "text": field("row"), "color": color},
        },
        {
            "transform": only_points,
            "mark": {"type": "point", "filled": True, "size": 320, "opacity": 0},
            "encoding": {"x": x, "y": y | {"field": "rate"}, "tooltip": list_tooltips(titles)},
            **({"params": pick_points(*picks)} if picks else {}),
        },
    ]
    spec: Spec = {
        "transform": ONE_COLOUR,
        "layer": layers,
        "resolve": {"scale": {"color": "independent"}},
        "height": HEIGHT,
        "padding": {"left": 0, "right": 8, "top": 8, "bottom": 0},
    }
    return spec, drawn
