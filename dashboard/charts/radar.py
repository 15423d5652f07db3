"""A radar of a few rates: one entity against its peers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from dashboard.charts.parts import INK, ONE_COLOUR, Spec, field, list_tooltips

RINGS: Final = 4
HIGH: Final = 0.5
"""Where every rate is above it, the middle stands for it, because lines near the rim could not be told apart."""


def draw_radar(
    frame: pd.DataFrame, spokes: Sequence[str], series: Sequence[str], titles: Mapping[str, str]
) -> tuple[Spec, pd.DataFrame]:
    """Closed lines from the columns spoke, series, rate (1 at the rim), written and what the tooltips name."""
    angles = {spoke: math.pi / 2 - 2 * math.pi * number / len(spokes) for number, spoke in enumerate(spokes)}
    known = frame.dropna(subset=["rate"])
    middle = find_middle(known["rate"])
    reach = (known["rate"] - middle) / (1 - middle)
    turns = known["spoke"].map(angles)
    points = known.assign(
        kind="point",
        x=reach * turns.map(math.cos),
        y=reach * turns.map(math.sin),
        step=known["spoke"].map({spoke: number for number, spoke in enumerate(spokes)}),
    )
    closing = points[points["step"] == 0].assign(step=len(spokes), kind="closing")
    rings = pd.DataFrame(
        [
            {"kind": "ring", "ring": f"{ring}", "step": step, "x": ring * math.cos(turn), "y": ring * math.sin(turn)}
            for ring in (number / RINGS for number in range(1, RINGS + 1))
            for step, turn in enumerate([*angles.values(), math.pi / 2])
        ]
    )
    names = pd.DataFrame(
        [
            {"kind": "name", "spoke": spoke, "x": 1.1 * math.cos(turn), "y": 1.12 * math.sin(turn)}
            for spoke, turn in angles.items()
        ]
    )
    scales = pd.DataFrame(
        [
            {
                "kind": "scale",
                "spoke": f"{middle + (1 - middle) * number / RINGS:.0%}",
                "x": 0.02,
                "y": number / RINGS - 0.05,
            }
            for number in range(RINGS)
        ]
    )
    data = pd.concat([points, closing, rings, names, scales], ignore_index=True)
    # One unit is as long across as it is up, however wide the panel is.
    sides = {"domainMin": {"expr": "-1.3 * width / height"}, "domainMax": {"expr": "1.3 * width / height"}}
    place = {
        "x": field("x", "quantitative", scale={**sides, "nice": False, "zero": False}, axis=None),
        "y": field("y", "quantitative", scale={"domain": [-1.3, 1.3], "nice": False}, axis=None),
    }
    color = field(
        "series", scale={"domain": list(series)}, legend={"orient": "bottom", "title": None, "labelLimit": 220}
    )
    spec: Spec = {
        "transform": ONE_COLOUR,
        "encoding": place,
        "layer": [
            {
                "transform": [{"filter": "datum.kind == 'ring'"}],
                "mark": {"type": "line", "strokeWidth": 1, "opacity": 0.25, "color": "gray"},
                "encoding": {"detail": field("ring"), "order": {"field": "step", "type": "quantitative"}},
            },
            {
                "transform": [{"filter": "datum.kind == 'point' || datum.kind == 'closing'"}],
                "mark": {"type": "line", "strokeWidth": 2.2},
                "encoding": {
                    "color": color,
                    "strokeDash": field(
                        "series", scale={"domain": list(series), "range": [[1, 0], [5, 3]]}, legend=None
                    ),
                    "order": {"field": "step", "type": "quantitative"},
                },
            },
            {
                "transform": [{"filter": "datum.kind == 'point'"}],
                "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
                "encoding": {"color": color | {"legend": None}, "tooltip": list_tooltips(titles)},
            },
            {
                "transform": [{"filter": "datum.kind == 'name'"}],
                "mark": {
                    "type": "text",
                    "fontSize": 12,
                    "fontWeight": 600,
                    "align": {"expr": "abs(datum.x) < 0.1 ? 'center' : datum.x > 0 ? 'left' : 'right'"},
                },
                "encoding": {"text": field("spoke"), "color": INK},
            },
            {
                "transform": [{"filter": "datum.kind == 'scale'"}],
                "mark": {"type": "text", "fontSize": 9, "align": "left", "opacity": 0.7},
                "encoding": {"text": field("spoke"), "color": INK},
            },
        ],
        "resolve": {"scale": {"color": "independent"}},
        "height": 330,
    }
    return spec, data


def find_middle(rates: pd.Series) -> float:
    """The rate in the middle of a radar: 0, or HIGH where every rate is above it."""
    return HIGH if len(rates) and rates.min() > HIGH else 0.0
