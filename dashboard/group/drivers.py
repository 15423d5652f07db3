"""What drove the move of a rate: a waterfall of parts that add up to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from dashboard.charts.parts import Chart
from dashboard.charts.ranks import draw_differences
from dashboard.charts.waterfall import draw_waterfall
from dashboard.downloads import Column
from dashboard.navigation import open_page
from dashboard.panels import Panel, remembered
from dashboard.rates import make_distinct
from dashboard.view import NOT_STATED, View
from dashboard.words import N_, join_sentences, join_values, say_percent, say_points
from insights.drivers import PARTS, decompose_change, sum_parts

METRIC: Final = "compliance_rate"
PART_LABELS: Final = {
    "within": N_("Same items, answered better or worse"),
    "not_applicable": N_("Items that began or ceased to apply"),
    "not_answered": N_("Items left unanswered in one of the periods"),
    "revision": N_("Items new, dropped or rebuilt in the checklist"),
    "mix": N_("Weight of the entities among each other"),
    "entry": N_("Entities that came"),
    "exit": N_("Entities that left or did not report"),
}
UNSEEN: Final = 5e-5
"""A part that is written as 0.00 points is neither good nor bad."""
NO_PART: Final = 1e-12
LETTERS: Final = 34
MOST_CONTRIBUTORS: Final = 10
DEFINITION: Final = N_(
    "Entities in both periods: the change of their rate at their mean weight, split into items that both periods "
    "share and the rest, and the change of their weight (Kitagawa 1955, Das Gupta 1993); entities in one period count "
    "by their distance from those in both (Melitz and Polanec 2015)."
)


@remembered
def show_drivers(view: View, before: str, after: str) -> Panel:
    """The parts of the group's move between two periods as a waterfall; the table has them by region."""
    names = view.say_period(before), view.say_period(after)
    title = view.say("What drove the change, {before} → {after}", before=names[0], after=names[1])
    frame = view.match_rounds(before, after)
    parts = decompose_change(frame)
    start = frame["all_numerator_before"].sum() / (frame["all_denominator_before"].sum() or float("nan"))
    drivers = sum_parts(parts, frame["region"].fillna(NOT_STATED), start)
    labels = {"before": names[0], "after": names[1]} | {part: view.say(text) for part, text in PART_LABELS.items()}
    steps, change = drivers.waterfall["step"], drivers.waterfall["change"]
    is_total = steps.isin(["before", "after"])
    drawn = drivers.waterfall.assign(
        row=steps.map(labels),
        begin=drivers.waterfall["begin"].where(~is_total, drivers.waterfall["end"]),
        written=[
            say_percent(end, 2) if total else say_part(moved)
            for end, moved, total in zip(drivers.waterfall["end"], change, is_total, strict=True)
        ],
        way=["total" if total else find_way(moved) for moved, total in zip(change, is_total, strict=True)],
    )
    # Parts that were not at work are left out of the picture; the table has them.
    drawn = drawn[is_total | (change.abs() > NO_PART)]

    def draw() -> Chart:
        tooltips = {"row": view.say("Part of the change"), "written": view.say("In percentage points")}
        spec, data = draw_waterfall(drawn, tooltips, letters=LETTERS)
        said = [f"{row.row} {row.written}" for row in drawn.itertuples()]
        figures = join_values(view.language, said)
        return Chart(spec, data, view.say("Waterfall: {title}. {figures}.", title=title, figures=figures))

    table = (drivers.labels * 100).rename_axis("id").reset_index().sort_values("change", key=abs, ascending=False)
    regions = view.read_labels("region")
    table = table.assign(name=[regions.get(code, code) or view.say("Not stated") for code in table["id"]])
    total = pd.DataFrame([(drivers.total * 100).to_dict() | {"id": NOT_STATED, "name": view.say("All")}])
    return Panel(
        key="drivers",
        title=title,
        table=pd.concat([table, total], ignore_index=True),
        columns=list_parts(view, Column("name", view.label_dimension("region"), "text")),
        metrics=(METRIC,),
        chart=draw,
        on_pick=_open_region,
        is_empty=is_silent(parts),
        note=join_sentences(
            view.language,
            [
                view.say("The parts add up to the change exactly, in percentage points."),
                view.say("Only the first is the entities' own doing; the others change the figure without it."),
            ],
        ),
        definition=view.say(DEFINITION),
    )


@remembered
def show_contributors(view: View, before: str, after: str) -> Panel:
    """The entities that moved the group's figure most, by their size and their own change; the table has all parts."""
    names = view.say_period(before), view.say_period(after)
    title = view.say("Who moved the group's figure, {before} → {after}", before=names[0], after=names[1])
    frame = view.match_rounds(before, after)
    parts = decompose_change(frame)
    table = (parts * 100).assign(change=parts.sum(axis=1) * 100, id=frame["entity"])
    table = table.sort_values(["change", "id"], key=lambda one: one if one.name == "id" else -one.abs())
    table = table.assign(name=[view.label_id("entity", code) for code in table["id"]]).reset_index(drop=True)
    shown = table[table["change"].abs() > NO_PART].head(MOST_CONTRIBUTORS).sort_values("change")
    drawn = pd.DataFrame(
        {
            "row": make_distinct(shown["name"].tolist(), shown["id"].tolist()),
            "id": shown["id"],
            "change": shown["change"],
            "written": [say_part(change / 100) for change in shown["change"]],
            "is_worse": shown["change"] < 0,
            "is_small": False,
        }
    )

    def draw() -> Chart:
        tooltips = {"row": view.label_dimension("entity"), "written": view.say("Contribution to the change")}
        spec, data = draw_differences(drawn, tooltips, picks=("id",), least_reach=0.0)
        said = [f"{row.row} {row.written}" for row in drawn.itertuples()]
        figures = join_values(view.language, said)
        return Chart(spec, data, view.say("Bar chart: {title}. {figures}.", title=title, figures=figures), ("id",))

    columns = (
        Column("name", view.label_dimension("entity"), "text"),
        Column("id", view.say("Code"), "text"),
    )
    return Panel(
        key="contributors",
        title=title,
        table=table,
        columns=list_parts(view, *columns),
        metrics=(METRIC,),
        chart=draw if len(drawn) else None,
        on_pick=_open_entity,
        is_empty=is_silent(parts),
        note=view.say(
            "By how much each entity moved the figure of all, in percentage points: its own change times its weight, "
            "and what its coming or going did."
        ),
        definition=view.say(DEFINITION),
    )


def is_silent(parts: pd.DataFrame) -> bool:
    """Whether one of the periods has no answers, so that there is no change to speak of."""
    return parts.empty or bool(parts.isna().any(axis=None))


def list_parts(view: View, *columns: Column) -> tuple[Column, ...]:
    """Columns of a table of parts, after those that name its rows."""
    return (
        *columns,
        Column("change", view.say("Contribution to the change"), "fine_points"),
        *(Column(part, view.say(PART_LABELS[part]), "fine_points") for part in PARTS),
    )


def find_way(change: float) -> str:
    """Which colour a part has."""
    return "usual" if abs(change) < UNSEEN else "better" if change > 0 else "worse"


def say_part(change: float) -> str:
    """A part in percentage points, with two decimals because parts are small."""
    written = f"{change * 100:+.2f}"
    return say_points(0.0) if change != change or float(written) == 0 else f"{written.replace('-', '−')} pt"


def _open_region(picked: Mapping[str, Any]) -> None:
    if picked["id"]:
        open_page("sites", region=(picked["id"],))


def _open_entity(picked: Mapping[str, Any]) -> None:
    open_page("entity", entity=(picked["id"],))
