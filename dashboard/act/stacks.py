"""Stacked bars in which every part keeps its colour, with totals at their ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from dashboard.charts.parts import INK, WORD_JOINER, Chart, Spec, field
from dashboard.charts.ranks import draw_bars, leave_room
from dashboard.downloads import Column
from dashboard.panels import OnPick, Panel
from dashboard.rates import make_distinct
from dashboard.view import View
from dashboard.words import join_sentences, join_values, say_number

MOST_STACKS: Final = 12
SERIES_COLOURS: Final = 8
NARROW: Final = 480
"""Pixels below which the legend needs more lines."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of every bar: its id, name, and place among the theme's series colours; the fourth is the bad one."""

    id: str
    label: str
    colour: int


def make_stacks(
    view: View,
    *,
    key: str,
    title: str,
    frame: pd.DataFrame,
    rows: Mapping[str, str],
    row_title: str,
    parts: Sequence[Part],
    part_title: str,
    count_title: str,
    metrics: tuple[str, ...] = (),
    note: str = "",
    definition: str = "",
    on_pick: OnPick | None = None,
    largest_first: bool = False,
) -> Panel:
    """A panel of counts from the columns id, part_id and count: a bar per row, its parts in order; both ids are picks.

    `rows` are ids with labels, in order; a row without a count is drawn empty.
    """
    sums: dict[tuple[str, str], float] = dict.fromkeys(((row, part.id) for row in rows for part in parts), 0.0)
    for row, part_id, count in zip(frame["id"], frame["part_id"], frame["count"], strict=True):
        if (row, part_id) in sums and count == count:
            sums[row, part_id] += count
    totals = {row: sum(sums[row, part.id] for part in parts) for row in rows}
    order = list(rows)
    if largest_first:
        order = sorted((row for row in order if totals[row] > 0), key=lambda row: -totals[row])
    kept = order[:MOST_STACKS] if largest_first else order
    names = dict(zip(order, make_distinct([rows[code] for code in order], order), strict=True))
    drawn = pd.DataFrame(
        [
            {
                "row": names[code],
                "id": code,
                "part": part.label,
                "part_id": part.id,
                "count": sums[code, part.id],
                "written": say_number(sums[code, part.id]),
                "total": say_number(totals[code]),
            }
            for code in kept
            for part in parts
            if sums[code, part.id] > 0
        ],
        columns=["row", "id", "part", "part_id", "count", "written", "total"],
    )

    def draw() -> Chart:
        tooltips = {"row": row_title, "part": part_title, "written": count_title, "total": view.say("All parts")}
        used = [part for part in parts if any(sums[code, part.id] > 0 for code in kept)]
        spec, data = draw_bars(
            drawn, tooltips, picks=("id", "part_id"), parts=[part.label for part in used],
            order=[names[code] for code in kept],
        )  # fmt: skip
        colour_parts(spec, parts, used)
        add_totals(spec, max(totals.values()))
        said = [f"{names[code]} {say_number(totals[code])}" for code in kept[:5]]
        alt = view.say(
            "Stacked bars: {title}. In all: {figures}.", title=title, figures=join_values(view.language, said)
        )
        return Chart(spec, data, alt, ("id", "part_id"))

    many = len(order) > len(kept)
    drawn_note = view.say("{shown} of {number} are drawn; the table has all.", shown=len(kept), number=len(order))
    table = pd.DataFrame(
        [
            {"row": names[code], "id": code, "part_id": "", "total": totals[code]}
            | {part.id: sums[code, part.id] for part in parts}
            for code in order
        ]
    )
    columns = (
        Column("row", row_title, "text"),
        *(Column(part.id, part.label, "integer") for part in parts),
        Column("total", view.say("Total"), "integer"),
    )
    return Panel(
        key=key,
        title=title,
        note=join_sentences(view.language, [note, drawn_note if many else ""]),
        definition=definition,
        metrics=metrics,
        table=table,
        columns=columns,
        chart=draw,
        on_pick=on_pick,
        is_empty=drawn.empty,
    )


def colour_parts(spec: Spec, parts: Sequence[Part], used: Sequence[Part]) -> None:
    """Give each part its colour, whichever of them are drawn."""
    domain = [f"{WORD_JOINER}{number}" for number in range(SERIES_COLOURS)]
    for part in parts:
        domain[part.colour] = part.label
    color = spec["layer"][0]["encoding"]["color"]
    color["scale"] = {"domain": domain}
    color["legend"] = color["legend"] | {
        "values": [part.label for part in used],
        "columns": {"expr": f"containerSize()[0] < {NARROW} ? 2 : {len(used)}"},
    }


def add_totals(spec: Spec, reach: float) -> None:
    """Write the sum of each bar at its end."""
    x = spec["layer"][0]["encoding"]["x"]
    x["scale"] = {"domainMin": 0, "domainMax": leave_room(max(reach, 1.0)), "nice": False}
    spec["layer"].append(
        {
            "mark": {"type": "text", "align": "left", "dx": 6},
            "encoding": {
                "x": {**x, "aggregate": "sum"},
                "text": field("count", "quantitative", aggregate="sum", format=",.0f"),
                "color": INK,
            },
        }
    )
    spec["resolve"] = {"scale": {"color": "independent"}}
