"""Chart of days to come: how many fall into each month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from dashboard.charts.parts import INK, ONE_COLOUR, PLAIN_AXIS, PLAIN_BAR, Spec, field, list_tooltips

HEIGHT: Final = 260


def draw_months(
    frame: pd.DataFrame, months: Sequence[str], labels: Sequence[str], titles: Mapping[str, str]
) -> tuple[Spec, pd.DataFrame]:
    """Upright bars from the columns month, count and written; `months` are all that are shown, in order."""
    named = "{" + ", ".join(f"'{month}': {label}" for month, label in zip(months, labels, strict=True)) + "}"
    reach = max(1.0, float(frame["count"].max() or 1)) * 1.2
    y = {
        "field": "count",
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [0, reach], "nice": False},
        "axis": {**PLAIN_AXIS, "format": ",.0f", "tickCount": 4, "tickMinStep": 1},
    }
    spec: Spec = {
        "transform": ONE_COLOUR,
        "encoding": {
            "x": field(
                "month",
                "ordinal",
                scale={"domain": list(months), "paddingInner": 0.25},
                axis={**PLAIN_AXIS, "labelAngle": 0, "labelExpr": f"({named})[datum.value]", "labelOverlap": False},
            )
        },
        "layer": [
            {
                "mark": {"type": "bar", "cornerRadiusEnd": 3},
                "encoding": {
                    "y": y,
                    "color": PLAIN_BAR,
                    "tooltip": list_tooltips(titles),
                },
            },
            {
                "transform": [{"filter": "datum.count > 0"}],
                "mark": {"type": "text", "dy": -8},
                "encoding": {"y": y, "text": field("written"), "color": INK},
            },
        ],
        "resolve": {"scale": {"color": "independent"}},
        "height": HEIGHT,
    }
    return spec, frame
