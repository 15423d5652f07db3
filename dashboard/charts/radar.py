"""A radar of a few rates: one entity against its peers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from dashboard.charts.parts import INK, Spec, field, list_tooltips

REACH = 1.3
RINGS = (0.25, 0.5, 0.75, 1.0)


def draw_radar(
    frame: pd.DataFrame, spokes: Sequence[str], series: Sequence[str], titles: Mapping[str, str]
) -> tuple[Spec, pd.DataFrame]:
    """Closed lines from the columns spoke, series, rate (0 in the middle, 1 at the rim), written and the tooltips'."""
    angles = {spoke: math.pi / 2 - 2 * math.pi * number / len(spokes) for number, spoke in enumerate(spokes)}
    known = frame.dropna(subset=["rate"])
    points = known.assign(
        kind="point",
        x=[rate * math.cos(angles[spoke]) for rate, spoke in zip(known["rate"], known["spoke"], strict=True)],
        y=[rate * math.sin(angles[spoke]) for rate, spoke in zip(known["rate"], known["spoke"], strict=True)],
        step=known["spoke"].map({spoke: number for number, spoke in enumerate(spokes)}),
    )
    closing = points[points["step"] == 0].assign(step=len(spokes), kind="closing")
    rings = pd.DataFrame(
        [
            {
                "kind": "ring",
                "ring": f"{ring}",
                "step": number,
                "x": ring * math.cos(angle),
                "y": ring * math.sin(angle),
            }
            for ring in RINGS
            for number, angle in enumerate([*angles.values(), next(iter(angles.values()))])
        ]
    )
    names = pd.DataFrame(
        [
            {"kind": "name", "spoke": spoke, "x": 1.16 * math.cos(angle), "y": 1.12 * math.sin(angle)}
            for spoke, angle in angles.items()
        ]
    )
    scales = pd.DataFrame([{"kind": "scale", "spoke": f"{ring:.0%}", "x": 0.02, "y": ring - 0.045} for ring in RINGS])
    data = pd.concat([points, closing, rings, names, scales], ignore_index=True)
    axis = {"scale": {"domain": [-REACH - 0.15, REACH + 0.15], "nice": False}, "axis": None, "title": None}
    place = {"x": {"field": "x", "type": "quantitative"} | axis, "y": {"field": "y", "type": "quantitative"} | axis}
    place["y"] = place["y"] | {"scale": {"domain": [-1.25, 1.25], "nice": False}}
    color = field(
        "series", scale={"domain": list(series)}, legend={"orient": "bottom", "title": None, "labelLimit": 220}
    )
    spec: Spec = {
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
                "encoding": {"color": color, "tooltip": list_tooltips(titles)},
            },
            {
                "transform": [{"filter": "datum.kind == 'name'"}],
                "mark": {"type": "text", "fontSize": 12, "fontWeight": 600, "lineBreak": " "},
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
