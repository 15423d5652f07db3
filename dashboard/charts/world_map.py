"""The world by country: shapes coloured by a rate, and points for countries too small to have one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from dashboard.charts.parts import Spec, field, find_rate_domain, list_tooltips, pick_points
from dashboard.world import read_points, read_shaped_codes, read_shapes

MAP_HEIGHT: Final = 420
SHAPES: Final[Spec] = {"name": "shapes", "format": {"type": "topojson", "feature": "countries"}}


def draw_world(
    frame: pd.DataFrame, titles: Mapping[str, str], *, picks: Sequence[str] = ()
) -> tuple[Spec, pd.DataFrame]:
    """A map from the columns numeric_code, rate and what the tooltip titles name; deeper where the rate is lower."""
    frame = frame.merge(read_points(), on="numeric_code", how="left")
    frame = frame.assign(has_shape=frame["numeric_code"].isin(read_shaped_codes()))
    low, high = find_rate_domain(frame["rate"])
    color = field("rate", "quantitative", scale={"domain": [low, high], "reverse": True}, legend=None)
    tooltip = list_tooltips(titles)
    params = {"params": pick_points(*picks)} if picks else {}
    spec: Spec = {
        "datasets": {"shapes": read_shapes()},
        "projection": {"type": "equalEarth"},
        "height": MAP_HEIGHT,
        "layer": [
            {
                "data": SHAPES,
                "mark": {"type": "geoshape", "aria": False, "fill": "#8a94a0", "fillOpacity": 0.18, "stroke": None},
            },
            {
                "transform": [
                    {"filter": "datum.has_shape && isValid(datum.rate)"},
                    {"lookup": "numeric_code", "from": {"data": SHAPES, "key": "id"}, "as": "geo"},
                ],
                "mark": {"type": "geoshape", "stroke": "#8a5a2b", "strokeWidth": 0.6},
                "encoding": {"shape": field("geo", "geojson"), "color": color, "tooltip": tooltip},
            },
            {
                "transform": [{"filter": "isValid(datum.longitude) && isValid(datum.rate)"}],
                "mark": {"type": "circle", "size": 90, "opacity": 1, "stroke": "#8a5a2b", "strokeWidth": 1},
                "encoding": {
                    "longitude": field("longitude", "quantitative"),
                    "latitude": field("latitude", "quantitative"),
                    "color": color,
                    "tooltip": tooltip,
                },
                **params,
            },
        ],
    }
    return spec, frame
