"""Two lines over periods that part at revisions: a rate as asked and like for like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor
from typing import Final

import pandas as pd

from dashboard.charts.parts import INK, ONE_COLOUR, PLAIN_AXIS, Spec, field, list_tooltips, period_axis, pick_points

HEIGHT: Final = 300
STEP: Final = 0.01
LEAST_STEPS: Final = 3
DASHES: Final = ([1, 0], [6, 4])
"""The second line is dashed, because it lies upon the first where both are the same."""


def draw_chained(
    frame: pd.DataFrame,
    series: Sequence[str],
    periods: Mapping[str, str],
    titles: Mapping[str, str],
    *,
    picks: Sequence[str] = (),
) -> tuple[Spec, pd.DataFrame]:
    """Lines from the columns period, series, rate, is_revised and mark (text at a revision, else empty).

    The axis is as narrow as the rates allow, because what a revision does is small.
    """
    low, high = find_narrow_domain(frame["rate"])
    x = field(
        "period", "ordinal", scale={"domain": list(periods)}, axis=period_axis(list(periods), list(periods.values()))
    )
    y: Spec = {
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [low, high], "nice": False},
        "axis": {**PLAIN_AXIS, "format": ".1~%", "tickCount": 5},
    }
    legend: Spec | None = (
        {"orient": "top", "title": None, "symbolType": "stroke", "symbolSize": 400, "labelLimit": 220}
        if frame["series"].nunique() > 1
        else None
    )
    color = field("series", scale={"domain": list(series)}, legend=legend)
    dash = field("series", scale={"domain": list(series), "range": list(DASHES)}, legend=legend)
    at_revision = [{"filter": f"datum.is_revised && datum.series == {series[0]!r}"}]
    spec: Spec = {
        "transform": ONE_COLOUR,
        "encoding": {"x": x},
        "layer": [
            {
                "transform": at_revision,
                "mark": {"type": "rule", "strokeDash": [2, 4], "strokeWidth": 1.5, "opacity": 0.6},
                "encoding": {"color": INK},
            },
            {
                "transform": at_revision,
                "mark": {"type": "text", "align": "right", "baseline": "top", "dx": -6, "fontWeight": 600},
                "encoding": {"y": {"value": 2}, "text": field("mark"), "color": INK},
            },
            {
                "mark": {"type": "line", "strokeWidth": 2, "invalid": "break-paths-show-domains"},
                "encoding": {"y": y | {"field": "rate"}, "color": color, "strokeDash": dash},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 40, "opacity": 1},
                "encoding": {"y": y | {"field": "rate"}, "color": color | {"legend": None}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 420, "opacity": 0},
                "encoding": {"y": y | {"field": "rate"}, "tooltip": list_tooltips(titles)},
                **({"params": pick_points(*picks)} if picks else {}),
            },
        ],
        "resolve": {"scale": {"color": "independent", "strokeDash": "independent"}},
        "height": HEIGHT,
        "padding": {"left": 0, "right": 8, "top": 8, "bottom": 0},
    }
    return spec, frame


def find_narrow_domain(rates: pd.Series) -> tuple[float, float]:
    """Whole percent around the rates, a few of them at the least."""
    known = rates.dropna()
    if known.empty:
        return 0.0, 1.0
    low, high = floor(float(known.min()) / STEP - 0.2), ceil(float(known.max()) / STEP + 0.2)
    high = max(high, low + LEAST_STEPS)
    return round(low * STEP, 2), round(high * STEP, 2)
