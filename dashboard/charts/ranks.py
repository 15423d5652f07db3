"""Ranks: rates with their intervals, differences to either side of nothing, and counts as bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from dashboard.charts.parts import (
    INK,
    ONE_COLOUR,
    PLAIN_AXIS,
    PLAIN_BAR,
    SMALL_OPACITY,
    Spec,
    field,
    find_rate_domain,
    label_axis,
    list_tooltips,
    pick_points,
    wrap_labels,
)

BAR_HEIGHT: Final = 30
LEGEND_LINE: Final = 24
LEGEND_MARGIN: Final = 18
WRAPPED_HEIGHT: Final = 36
AXIS_HEIGHT: Final = 34
FIGURE_WIDTH: Final = 52
"""Pixels that the figure at the end of a bar takes."""
SMALL: Final[Spec] = {"condition": {"test": "datum.is_small", "value": SMALL_OPACITY}, "value": 1}


def draw_rank(
    frame: pd.DataFrame,
    titles: Mapping[str, str],
    *,
    picks: Sequence[str] = (),
    series: Sequence[str] = (),
    letters: int = 30,
) -> tuple[Spec, pd.DataFrame]:
    """Dots with intervals from the columns row, rate, low, high, peer, written and is_small, in the frame's order.

    `peer` is a rate to compare with, drawn as a stroke; `series` names what the column `series` holds, by colour.
    """
    frame = frame.assign(row_lines=frame["row"].map(wrap_labels(frame["row"], letters)))
    low, high = find_rate_domain(pd.concat([frame["rate"], frame["low"], frame["high"], frame["peer"]]))
    scale = {"domain": [low, min(1.0, high)], "nice": False}
    x = {"type": "quantitative", "title": None, "scale": scale, "axis": {**PLAIN_AXIS, "format": ".0%", "tickCount": 5}}
    color = field("series", scale={"domain": list(series)}, legend=None) if series else INK
    spec: Spec = {
        "transform": ONE_COLOUR,
        "encoding": {"y": field("row_lines", **label_axis(frame["row"], 230, letters)), "opacity": SMALL},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 6, "strokeCap": "round"},
                # The opacity of all layers would hide that of this mark.
                "encoding": {
                    "x": x | {"field": "low"},
                    "x2": {"field": "high"},
                    "color": color,
                    "opacity": {"value": 0.25},
                },
            },
            {
                "transform": [{"filter": "isValid(datum.peer)"}],
                "mark": {"type": "tick", "thickness": 2, "size": 18, "opacity": 0.55},
                "encoding": {"x": x | {"field": "peer"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 90},
                "encoding": {"x": x | {"field": "rate"}, "color": color},
            },
            {
                "mark": {"type": "bar", "opacity": 0.001},
                "encoding": {
                    "x": x | {"datum": low},
                    "x2": {"datum": high},
                    "opacity": {"value": 0.001},
                    "tooltip": list_tooltips(titles),
                },
                **({"params": pick_points(*picks)} if picks else {}),
            },
        ],
        "height": (WRAPPED_HEIGHT if frame["row_lines"].str.contains("\n").any() else BAR_HEIGHT) * len(frame)
        + AXIS_HEIGHT,
    }
    return spec, frame


def draw_differences(
    frame: pd.DataFrame,
    titles: Mapping[str, str],
    *,
    picks: Sequence[str] = (),
    letters: int = 30,
    is_one_sided: bool = False,
    least_reach: float = 1.0,
) -> tuple[Spec, pd.DataFrame]:
    """Bars to the left and the right from the columns row, change (points), written, is_worse and is_small.

    Figures stand on the other side of zero, where there is room; where nearly all bars go to the right
    (`is_one_sided`), they stand at the ends of the bars. The axis reaches to `least_reach` points at the least.
    """
    frame = frame.assign(
        row_lines=frame["row"].map(wrap_labels(frame["row"], letters)),
        way=["worse" if worse else "better" for worse in frame["is_worse"]],
    )
    reach = max(least_reach, float(frame["change"].abs().max() or 0))
    low = min(0.0, float(frame["change"].min()))
    ends = {"domainMin": low * 1.3, "domainMax": leave_room(reach)} if is_one_sided else {"domain": [-reach, reach]}
    x: Spec = {
        "type": "quantitative",
        "field": "change",
        "title": None,
        "scale": {**ends, "nice": False},
        "axis": {**PLAIN_AXIS, "labelExpr": "datum.value == 0 ? '0' : format(datum.value, '+~g')", "tickCount": 5},
    }
    is_right = "datum.change >= 0" if is_one_sided else "datum.change < 0"
    spec: Spec = {
        "transform": ONE_COLOUR,
        "encoding": {"y": field("row_lines", **label_axis(frame["row"], 230, letters)), "opacity": SMALL},
        "layer": [
            {
                "mark": {"type": "bar", "cornerRadiusEnd": 3, "height": {"band": 0.62}},
                "encoding": {
                    "x": x,
                    "color": field("way", scale={"domain": ["first", "better", "third", "worse"]}, legend=None),
                    "tooltip": list_tooltips(titles),
                },
                **({"params": pick_points(*picks)} if picks else {}),
            },
            {
                "mark": {
                    "type": "text",
                    "align": {"expr": f"{is_right} ? 'left' : 'right'"},
                    "dx": {"expr": f"{is_right} ? 6 : -6"},
                },
                "encoding": {
                    "x": x if is_one_sided else {"datum": 0, "type": "quantitative"},
                    "text": field("written"),
                    "color": INK,
                },
            },
        ],
        "resolve": {"scale": {"color": "independent"}},
        "height": BAR_HEIGHT * len(frame) + AXIS_HEIGHT,
    }
    return spec, frame


def leave_room(longest: float) -> Spec:
    """The end of an axis beyond its longest bar, with the pixels that the figure there takes, however narrow it is."""
    return {"expr": f"{longest!r} * width / max(40, width - {FIGURE_WIDTH})"}


def draw_bars(
    frame: pd.DataFrame,
    titles: Mapping[str, str],
    *,
    picks: Sequence[str] = (),
    parts: Sequence[str] = (),
    letters: int = 26,
    order: Sequence[str] = (),
) -> tuple[Spec, pd.DataFrame]:
    """Bars of counts from the columns row, count, written, and part where bars are stacked of `parts`, in order."""
    rows = list(order) or list(dict.fromkeys(frame["row"]))
    frame = frame.assign(row_lines=frame["row"].map(wrap_labels(rows, letters)))
    reach = float(frame.groupby("row", observed=True)["count"].sum().max() or 1)
    x: Spec = {
        "type": "quantitative",
        "field": "count",
        "title": None,
        "scale": {"domainMin": 0, "domainMax": reach * 1.02 if parts else leave_room(reach), "nice": False},
        "axis": {**PLAIN_AXIS, "format": ",.0f", "tickCount": 5, "tickMinStep": 1},
    }
    mark: Spec = {"type": "bar", "cornerRadiusEnd": 0 if parts else 3, "height": {"band": 0.66}}
    bars: Spec = {"mark": mark, "encoding": {"x": x, "tooltip": list_tooltips(titles)}}
    layers = [bars]
    if parts:
        place = {part: number for number, part in enumerate(parts)}
        frame = frame.assign(part_no=frame["part"].map(place))
        bars["encoding"] |= {
            "color": field(
                "part",
                scale={"domain": list(parts)},
                legend={"orient": "top", "title": None, "symbolType": "square", "columns": 4, "labelLimit": 200},
            ),
            "order": {"field": "part_no", "type": "quantitative"},
        }
    else:
        bars["encoding"]["color"] = PLAIN_BAR
        layers.append(
            {
                "mark": {"type": "text", "align": "left", "dx": 6},
                "encoding": {"x": x, "text": field("written"), "color": INK},
            }
        )
    if picks:
        bars["params"] = pick_points(*picks)
    resolve: dict[str, Any] = {} if parts else {"resolve": {"scale": {"color": "independent"}}}
    spec: Spec = {
        "transform": ONE_COLOUR,
        "encoding": {"y": field("row_lines", **label_axis(rows, 200, letters))},
        "layer": layers,
        # The legend of a narrow chart stands in lines of two, and must not take the room of a single bar.
        "height": BAR_HEIGHT * len(rows)
        + AXIS_HEIGHT
        + (LEGEND_LINE * -(-len(parts) // 2) + LEGEND_MARGIN if parts else 0),
        **resolve,
    }
    return spec, frame


def draw_places(
    frame: pd.DataFrame, titles: Mapping[str, str], *, number: int, picks: Sequence[str] = (), letters: int = 30
) -> tuple[Spec, pd.DataFrame]:
    """Places in a ranking from the columns row, place, low, high and raw_place, with the span in which each may lie.

    `number` is how many are ranked; the raw place is a stroke, the place that allows for chance a dot.
    """
    frame = frame.assign(row_lines=frame["row"].map(wrap_labels(frame["row"], letters)))
    x = {
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [1, max(2, number)], "nice": False},
        "axis": {**PLAIN_AXIS, "format": "d", "tickCount": 6, "tickMinStep": 1},
    }
    spec: Spec = {
        "transform": ONE_COLOUR,
        "encoding": {"y": field("row_lines", **label_axis(frame["row"], 230, letters))},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 6, "opacity": 0.25, "strokeCap": "round"},
                "encoding": {"x": x | {"field": "low"}, "x2": {"field": "high"}, "color": INK},
            },
            {
                "mark": {"type": "tick", "thickness": 2, "size": 18, "opacity": 0.55},
                "encoding": {"x": x | {"field": "raw_place"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
                "encoding": {"x": x | {"field": "place"}, "color": INK},
            },
            {
                "mark": {"type": "bar", "opacity": 0.001},
                "encoding": {"x": x | {"datum": 1}, "x2": {"datum": number}, "tooltip": list_tooltips(titles)},
                **({"params": pick_points(*picks)} if picks else {}),
            },
        ],
        "height": BAR_HEIGHT * len(frame) + AXIS_HEIGHT,
    }
    return spec, frame
