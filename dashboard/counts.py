"""Panels of counts: bars by one dimension, or stacked by a second one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from dashboard.charts.parts import Chart
from dashboard.charts.ranks import draw_bars
from dashboard.figures import list_columns, make_table
from dashboard.panels import OnPick, Panel, remembered
from dashboard.rates import make_distinct
from dashboard.view import PERIOD, View
from dashboard.words import begin_small, join_sentences, join_values, say_number

MOST_BARS: Final = 12


@remembered
def show_bars(
    view: View,
    metric: str,
    by: str,
    *,
    parts: str | None = None,
    title: str = "",
    note: str = "",
    on_pick: OnPick | None = None,
    key: str = "",
    most: int = MOST_BARS,
    every_type: bool = False,
    in_order: bool = False,
    period: str | None = None,
    **ids: Any,
) -> Panel:
    """A count by a dimension, largest first or in the dimension's own order, stacked by `parts` where given."""
    dimensions = (by, parts) if parts else (by,)
    frame = view.ask((metric,), dimensions, every_type=every_type, period=period, **ids)
    frame = frame[frame[metric] > 0]
    labels = view.label_rows(frame, by)
    sums = frame.groupby(by, observed=True)[metric].sum()
    if in_order or by == PERIOD:
        kept = [code for code in labels if code in sums.index]
    else:
        kept = sums.sort_values(ascending=False, kind="stable").index.tolist()
    shown = frame[frame[by].isin(kept[:most])]
    place = {code: number for number, code in enumerate(kept)}
    shown = shown.sort_values(by, key=lambda codes: codes.map(place))
    names = dict(zip(kept, make_distinct([labels[code] for code in kept], kept), strict=True))
    part_labels = view.label_rows(frame, parts) if parts else {}
    drawn = pd.DataFrame(
        {
            "row": [names[code] for code in shown[by]],
            "id": shown[by],
            "count": shown[metric],
            "written": [say_number(count) for count in shown[metric]],
        }
    )
    if parts:
        drawn = drawn.assign(part=[part_labels[code] for code in shown[parts]], part_id=shown[parts])
    said_title = title or title_counts(view, metric, by, parts)

    def draw() -> Chart:
        tooltips = {"row": view.label_dimension(by)} | ({"part": view.label_dimension(parts)} if parts else {})
        picks = ("id", "part_id") if parts else ("id",)
        used = [label for code, label in part_labels.items() if parts and code in set(shown[parts])]
        spec, data = draw_bars(
            drawn,
            tooltips | {"written": view.label_metric(metric)},
            picks=picks,
            parts=used,
            order=[names[code] for code in kept[:most]],
        )
        said = [f"{names[code]} {say_number(sums[code])}" for code in kept[:5]]
        alt = view.say("Bar chart: {title}. {figures}.", title=said_title, figures=join_values(view.language, said))
        return Chart(spec, data, alt, picks)

    many = view.say("{shown} of {number} are drawn; the table has all.", shown=most, number=len(kept))
    table = make_table(view, frame, dimensions, (metric,)).assign(id=lambda rows: rows[by])
    if parts:
        table = table.assign(part_id=table[parts])
    if by == PERIOD:
        table = table.assign(period=[view.say_period(code) for code in table[PERIOD]])
    return Panel(
        key=key or f"{metric}-{'-'.join(dimensions)}",
        title=said_title,
        note=join_sentences(view.language, [note, many if len(kept) > most else ""]),
        metrics=(metric,),
        table=table,
        columns=list_columns(view, dimensions, (metric,)),
        chart=draw,
        on_pick=on_pick,
    )


def title_counts(view: View, metric: str, by: str, parts: str | None) -> str:
    """Title of a count by one or two dimensions."""
    names: Sequence[str] = [begin_small(view.label_dimension(name), view.language) for name in (by, parts) if name]
    if parts:
        return view.say(
            "{metric} by {first} and {second}", metric=view.label_metric(metric), first=names[0], second=names[1]
        )
    return view.say("{metric} by {dimension}", metric=view.label_metric(metric), dimension=names[0])
