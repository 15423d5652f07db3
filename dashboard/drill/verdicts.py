"""Verdicts: their order, and bars of answers by verdict in which each verdict keeps its colour."""

from __future__ import annotations

from typing import Final

import pandas as pd

from dashboard.charts.parts import Chart, Spec
from dashboard.charts.ranks import draw_bars
from dashboard.figures import list_columns, make_table
from dashboard.panels import OnPick, Panel, remembered
from dashboard.view import PERIOD, View
from dashboard.words import Label, begin_small, join_values, say_number, say_percent
from metrics.catalog import VERDICTS

VERDICT_LABELS: Final = {code: Label(en, ja) for code, en, ja in VERDICTS}
FAILING: Final = ("not_met", "partly_met")
COLOUR_PLACES: Final = ("not_answered", "met", "", "not_met", "", "", "partly_met", "not_applicable")
"""The verdict for each of the theme's series colours; elsewhere too the second is good and the fourth is bad."""
NARROW: Final = 480
"""Pixels below which the verdicts need two lines above the bars."""
ONE_BAR_HEIGHT: Final = 120


def say_verdict(view: View, verdict: str) -> str:
    """A verdict in the reader's language."""
    return VERDICT_LABELS[verdict].say(view.language)


@remembered
def show_verdicts(
    view: View, *, title: str, key: str, over_time: bool = True, note: str = "", on_pick: OnPick | None = None
) -> Panel:
    """Answers by verdict, stacked in the order of the verdicts: a bar per period, or one bar of all."""
    by = (PERIOD, "verdict") if over_time else ("verdict",)
    frame = view.ask(("answers",), by)
    frame = frame[frame["answers"] > 0]
    rows = frame[PERIOD] if over_time else pd.Series("", index=frame.index)
    labels = {"": view.say("Answers")} | {code: view.say_period(code) for code in view.periods}
    sums = frame.groupby(rows)["answers"].transform("sum")
    drawn = pd.DataFrame(
        {
            "row": rows.map(labels),
            "id": rows,
            "count": frame["answers"],
            "part": [say_verdict(view, verdict) for verdict in frame["verdict"]],
            "part_id": frame["verdict"],
            "written": [say_number(count) for count in frame["answers"]],
            "share": [say_percent(share) for share in frame["answers"] / sums],
        }
    )
    used = [label for code, label in list_labels(view).items() if code in set(frame["verdict"])]
    kept = set(rows)

    def draw() -> Chart:
        tooltips = {"row": view.label_dimension(PERIOD)} if over_time else {}
        tooltips |= {
            "part": view.label_dimension("verdict"),
            "written": view.label_metric("answers"),
            "share": view.say("Share of the answers"),
        }
        order = [labels[code] for code in ("", *view.periods) if code in kept]
        spec, data = draw_bars(drawn, tooltips, picks=("id", "part_id"), parts=used, order=order)
        colour_verdicts(view, spec, used)
        if not over_time:
            spec["height"] = ONE_BAR_HEIGHT
        newest = drawn[drawn["id"] == max(kept)]
        said = [f"{row.part} {row.written}" for row in newest.itertuples()]
        alt = view.say(
            "Stacked bars: {title}. {row}: {figures}.",
            title=title,
            row=labels[max(kept)],
            figures=join_values(view.language, said),
        )
        return Chart(spec, data, alt, ("id", "part_id"))

    place = {code: number for number, code in enumerate(VERDICT_LABELS)}
    table = make_table(view, frame, by, ("answers",))
    table = table.assign(place=table["verdict"].map(place), part_id=table["verdict"])
    table = table.assign(id=table[PERIOD] if over_time else "")
    table = table.sort_values(["id", "place"], ascending=[False, True])
    if over_time:
        table = table.assign(period=[view.say_period(code) for code in table[PERIOD]])
    return Panel(
        key=key,
        title=title,
        note=note,
        metrics=("answers",),
        table=table,
        columns=list_columns(view, by, ("answers",)),
        chart=draw,
        on_pick=on_pick,
    )


def list_labels(view: View) -> dict[str, str]:
    """Every verdict with its label, in order."""
    return {code: label.say(view.language) for code, label in VERDICT_LABELS.items()}


def colour_verdicts(view: View, spec: Spec, used: list[str]) -> None:
    """Give each part of stacked bars the colour of its verdict, whichever verdicts there are."""
    labels = list_labels(view)
    domain = [labels[code] if code else " " * (number + 1) for number, code in enumerate(COLOUR_PLACES)]
    color = spec["layer"][0]["encoding"]["color"]
    color["scale"] = {"domain": domain}
    color["legend"] = color["legend"] | {
        "values": used,
        "columns": {"expr": f"containerSize()[0] < {NARROW} ? 3 : {len(VERDICT_LABELS)}"},
    }


def title_verdicts(view: View) -> str:
    """Title of answers by verdict over periods."""
    return view.say("Answers by {dimension}", dimension=begin_small(view.label_dimension("verdict"), view.language))
