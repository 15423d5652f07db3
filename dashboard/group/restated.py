"""What was known when: figures that were restated, what that did to what was reported, and the way of one figure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboard import panels
from dashboard.charts.curves import draw_trace
from dashboard.charts.parts import Chart
from dashboard.charts.waterfall import draw_waterfall
from dashboard.downloads import Column
from dashboard.group.drivers import find_way, say_part
from dashboard.navigation import open_page
from dashboard.panels import Panel, remembered
from dashboard.periods import find_told_on, list_quarters
from dashboard.view import PERIOD, View, end_of_day
from dashboard.words import N_, join_sentences, join_values, say_day, say_number, say_percent, say_points
from insights.restatements import find_restatements, measure_effect, trace_figure

METRIC: Final = "compliance_rate"
PARTS: Final = ("withdrawn", "restated", "came")
PART_LABELS: Final = {
    "withdrawn": N_("Figures withdrawn since"),
    "restated": N_("Figures restated since"),
    "came": N_("Figures that came in since"),
}
KINDS: Final = {"restated": N_("restated"), "came": N_("came in since"), "withdrawn": N_("withdrawn")}
MOST_MOMENTS: Final = 24
Moments = tuple[datetime, datetime]
Names = tuple[str, str]


def find_first_told(view: View, period: str) -> datetime:
    """The end of the month in which the last figures of a period were first expected: a month after its last day."""
    return min(end_of_day(view.build, find_told_on(period)), view.known_at)


def show_restatements(view: View, moments: Moments, names: Names, *, title: str, period: str | None = None) -> None:
    """What changed between two knowledge dates: the effect on reported figures, the rows, and the way of one figure."""
    by = (PERIOD, "entity")
    then, now = (
        read_sums(view.ask((METRIC,), by, known_at=moment, period=period, with_entities=False)) for moment in moments
    )
    with st.grid(2, min_column_width=panels.PANEL_WIDTH):
        show_effect(view, then, now, names)
        traced = period or max(now[PERIOD], default=None)
        if traced:
            show_trace(view, traced, moments[1])
    show_rows(view, then, now, names, title)


def read_sums(frame: pd.DataFrame) -> pd.DataFrame:
    """An answer frame with the names that restatements are found by."""
    return frame.rename(columns={f"{METRIC}_numerator": "numerator", f"{METRIC}_denominator": "denominator"})


@remembered
def show_effect(view: View, then: pd.DataFrame, now: pd.DataFrame, names: Names) -> Panel:
    """What each period was reported as, what it is known as now, and by which way the one became the other."""
    parts = measure_effect(then, now, by=PERIOD)
    whole = measure_effect(then, now).assign(**{PERIOD: ""})
    moved = parts[(parts["change"].abs() > 1e-12) | (parts[[f"{part}_rows" for part in PARTS]].sum(axis=1) > 0)]
    # The sum over all periods says nothing new where only one is looked at.
    table = pd.concat([moved, whole], ignore_index=True) if len(parts) > 1 else whole.assign(**{PERIOD: then[PERIOD]})
    title = view.say("What it did to the reported figure")
    effect = whole.iloc[0]
    labels = dict(zip(PARTS, (view.say(text) for text in PART_LABELS.values()), strict=True))
    ends = effect["rate_then"] + pd.Series([effect[part] for part in PARTS]).cumsum()
    begins = [effect["rate_then"], *ends[:-1]]
    steps = pd.DataFrame(
        {
            "row": list(labels.values()),
            "begin": begins,
            "end": ends,
            "written": [say_part(effect[part]) for part in PARTS],
            "way": [find_way(effect[part]) for part in PARTS],
            "rows": [say_number(effect[f"{part}_rows"]) for part in PARTS],
        }
    )
    both = pd.DataFrame(
        {
            "row": names,
            "begin": [effect["rate_then"], effect["rate_now"]],
            "end": [effect["rate_then"], effect["rate_now"]],
            "written": [say_percent(effect[f"rate_{side}"], 2) for side in ("then", "now")],
            "way": "total",
            "rows": [say_number(effect[f"{side}_rows"]) for side in ("then", "now")],
        }
    )
    drawn = pd.concat([both.head(1), steps[steps["rows"] != "0"], both.tail(1)], ignore_index=True)

    def draw() -> Chart:
        tooltips = {
            "row": view.say("Part of the change"),
            "written": view.label_metric(METRIC),
            "rows": view.say("Figures of an entity and period"),
        }
        spec, data = draw_waterfall(drawn, tooltips)
        said = [f"{row.row} {row.written}" for row in drawn.itertuples()]
        figures = join_values(view.language, said)
        return Chart(spec, data, view.say("Waterfall: {title}. {figures}.", title=title, figures=figures))

    points = {name: table[name] * 100 for name in ("change", *PARTS)}
    table = table.assign(
        **points,
        period_label=[view.say_period(code) if code else view.say("All periods together") for code in table[PERIOD]],
        id=table[PERIOD],
    )
    columns = (
        Column("period_label", view.say("Period"), "text"),
        Column("rate_then", names[0], "rate"),
        Column("rate_now", names[1], "rate"),
        Column("change", view.say("Change"), "fine_points"),
        *(Column(part, labels[part], "fine_points") for part in PARTS),
        Column("restated_rows", view.say("Number restated"), "integer"),
        Column("came_rows", view.say("Number that came in since"), "integer"),
    )
    return Panel(
        key="told-effect",
        title=title,
        table=table,
        columns=columns,
        metrics=(METRIC,),
        chart=draw if pd.notna(effect["change"]) else None,
        on_pick=_open_period,
        note=join_sentences(
            view.language,
            [
                view.say("The parts add up to the change exactly, in percentage points."),
                view.say("Over all periods shown; the table has them one by one.") if len(parts) > 1 else "",
            ],
        ),
    )


@remembered
def show_trace(view: View, period: str, until: datetime) -> Panel:
    """The figure of one period as it was known month after month."""
    months = list_months(view, period, until)
    frames = [view.ask((METRIC,), period=period, known_at=end_of_day(view.build, day)) for day in months]
    sums = pd.DataFrame(
        {
            "known_at": [end_of_day(view.build, day) for day in months],
            "numerator": [frame[f"{METRIC}_numerator"].iloc[0] for frame in frames],
            "denominator": [frame[f"{METRIC}_denominator"].iloc[0] for frame in frames],
            "contributing": [frame[f"{METRIC}_contributing"].iloc[0] for frame in frames],
        }
    )
    traced = trace_figure(sums).assign(day=[pd.Timestamp(day) for day in months], contributing=sums["contributing"])
    known = traced.dropna(subset=["rate"]).reset_index(drop=True)
    title = view.say("{period} as it was known, month after month", period=view.say_period(period))
    drawn = known.assign(
        written=[say_percent(rate, 2) for rate in known["rate"]],
        said_day=[say_day(day) for day in known["day"]],
        said_change=[say_points(change * 100) for change in known["change"]],
        entities=[say_number(count) for count in known["contributing"]],
    )

    def draw() -> Chart:
        tooltips = {
            "said_day": view.say("Known at the end of"),
            "written": view.label_metric(METRIC),
            "said_change": view.say("Change"),
            "entities": view.say("Entities"),
        }
        spec, data = draw_trace(drawn, tooltips)
        said = [f"{row.said_day} {row.written}" for row in drawn[drawn["is_step"]].tail(5).itertuples()]
        figures = join_values(view.language, said)
        return Chart(spec, data, view.say("Line chart: {title}. Newest: {figures}.", title=title, figures=figures))

    columns = (
        Column("day", view.say("Known at the end of"), "date"),
        Column("rate", view.label_metric(METRIC), "rate"),
        Column("change_points", view.say("Change"), "points"),
        Column("numerator", view.say("Numerator"), "number"),
        Column("denominator", view.say("Denominator"), "number"),
        Column("contributing", view.say("Entities"), "integer"),
    )
    return Panel(
        key="told-trace",
        title=title,
        table=known.assign(change_points=known["change"] * 100).iloc[::-1].reset_index(drop=True),
        columns=columns,
        metrics=(METRIC,),
        chart=draw if len(known) > 1 else None,
        note=view.say("A point: the figure was another one than a month before, by new or by restated answers."),
    )


def list_months(view: View, period: str, until: datetime) -> list[date]:
    """Ends of the months from the beginning of a period to a moment, and the moment's own day; the newest of many."""
    year, quarter = divmod(list_quarters(period)[0], 4)
    month = date(year + (quarter == 3), (3 * quarter + 3) % 12 + 1, 1)
    days = []
    while month <= until.date():
        following = (month + timedelta(days=32)).replace(day=1)
        days.append(min(following - timedelta(days=1), until.date()))
        month = following
    return (days or [until.date()])[-MOST_MOMENTS:]


def show_rows(view: View, then: pd.DataFrame, now: pd.DataFrame, names: Names, title: str) -> None:
    """Figures of the same period and entity that were known differently at two moments."""
    found = find_restatements(then, now)
    label = f"entity_{view.language}"
    labels = dict(zip(then["entity"], then[label], strict=True)) | dict(zip(now["entity"], now[label], strict=True))
    both = int((found["kind"] == "came").sum())
    note = view.say(
        "{restated} of {number} figures known then are different now; {came} more came in since.",
        restated=say_number(int((found["kind"] == "restated").sum())),
        number=say_number(len(then)),
        came=say_number(both),
    )
    restated = found[found["kind"] != "came"]
    table = restated.sort_values("change", key=abs, ascending=False, ignore_index=True)
    if table.empty:
        with st.container(border=True, key="restated"):
            st.subheader(title, anchor=False)
            st.caption(note)
        return
    table = table.assign(
        period_label=[view.say_period(code) for code in table[PERIOD]],
        name=table["entity"].map(labels),
        said_kind=[view.say(KINDS[kind]) for kind in table["kind"]],
        change=table["change"] * 100,
        id=table["entity"],
    )
    panels.show_panel(
        view,
        Panel(
            key="restated",
            title=title,
            table=table,
            columns=(
                Column("period_label", view.say("Period"), "text"),
                Column("name", view.label_dimension("entity"), "text"),
                Column("said_kind", view.say("What became of it"), "text"),
                Column("rate_then", names[0], "rate"),
                Column("rate_now", names[1], "rate"),
                Column("change", view.say("Change"), "points"),
                Column("denominator_then", view.say("Denominator, {period}", period=names[0]), "number"),
                Column("denominator_now", view.say("Denominator, {period}", period=names[1]), "number"),
            ),
            metrics=(METRIC,),
            note=note,
            on_pick=_open_entity,
        ),
    )


def _open_entity(picked: Mapping[str, Any]) -> None:
    open_page("entity", entity=(picked["id"],))


def _open_period(picked: Mapping[str, Any]) -> None:
    open_page(None, period=picked["id"] or None)
