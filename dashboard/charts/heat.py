"""Heat maps: cells of two dimensions, deeper where the figure is weaker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from dashboard.charts.parts import (
    INK,
    ONE_COLOUR,
    PLAIN_AXIS,
    SMALL_OPACITY,
    Spec,
    field,
    find_rate_domain,
    label_axis,
    list_tooltips,
    period_axis,
    pick_points,
    wrap_labels,
)

IS_NARROW: Final = "bandwidth('x') < 52"
"""Whether the columns are too narrow for their labels, as a Vega expression; these then stand aslant."""
ROW_HEIGHT: Final = 40
LOW_ROW_HEIGHT: Final = 30
MANY_ROWS: Final = 9
AXIS_HEIGHT: Final = 36


def draw_heat(
    frame: pd.DataFrame,
    rows: Sequence[str],
    columns: Mapping[str, str],
    titles: Mapping[str, str],
    *,
    picks: Sequence[str] = (),
    are_periods: bool = False,
    lower_is_better: bool = False,
    letters: int = 21,
) -> tuple[Spec, pd.DataFrame]:
    """Cells from the columns row, column, rate, written, is_small and what the tooltip titles name.

    `columns` maps the ids in `column` to their labels, in order. Cells without a rate stay empty.
    """
    frame = frame.assign(row_lines=frame["row"].map(wrap_labels(rows, letters)))
    low, high = find_rate_domain(frame["rate"])
    if are_periods:
        axis = period_axis(list(columns), list(columns.values()))
    else:
        frame = frame.assign(column=frame["column"].map(columns))
        columns = {label: label for label in columns.values()}
        axis = {
            **PLAIN_AXIS,
            "orient": "top",
            "labelAngle": {"expr": f"{IS_NARROW} ? -40 : 0"},
            "labelAlign": {"expr": f"{IS_NARROW} ? 'left' : 'center'"},
            "labelFlush": False,
            "labelOverlap": False,
            "labelLimit": {"expr": f"{IS_NARROW} ? 90 : bandwidth('x') + 2"},
            "labelFontSize": {"expr": "bandwidth('x') < 84 ? 9 : 12"},
            "labelExpr": "split(datum.label, ' ')" if len(columns) > 6 else "datum.label",
        }
    is_low = len(rows) > MANY_ROWS
    spec: Spec = {
        "transform": ONE_COLOUR,
        "encoding": {
            "x": field("column", scale={"domain": list(columns), "paddingInner": 0.04}, axis=axis),
            "y": field("row_lines", **label_axis(rows, letters=letters)),
            "tooltip": list_tooltips(titles),
        },
        "layer": [
            {
                "transform": [{"filter": "isValid(datum.rate)"}],
                "mark": {"type": "rect", "cornerRadius": 3},
                "encoding": {
                    "color": field(
                        "rate",
                        "quantitative",
                        scale={"domain": [low, high], "reverse": not lower_is_better},
                        legend=None,
                    ),
                    "opacity": {"condition": {"test": "datum.is_small", "value": SMALL_OPACITY}, "value": 1},
                },
                **({"params": pick_points(*picks)} if picks else {}),
            },
            {
                "mark": {
                    "type": "text",
                    "fontSize": {"expr": "bandwidth('x') < 18 ? 0 : max(9, min(14, bandwidth('x') / 2.9))"},
                },
                "encoding": {
                    "text": field("written"),
                    "color": INK,
                    "opacity": {"condition": {"test": "datum.is_small", "value": 0.65}, "value": 1},
                },
            },
        ],
        "resolve": {"scale": {"color": "independent"}},
        "height": (LOW_ROW_HEIGHT if is_low else ROW_HEIGHT) * len(rows) + AXIS_HEIGHT,
        "padding": {"left": 0, "right": 0, "top": 0, "bottom": 0},
    }
    return spec, frame
