"""Funnel plot: which entities are unusual for the number of answers behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from dashboard.charts.funnel import draw_funnel
from dashboard.charts.parts import Chart
from dashboard.downloads import Column
from dashboard.navigation import open_page
from dashboard.panels import Panel, remembered
from dashboard.rates import make_distinct
from dashboard.view import View
from dashboard.words import join_sentences, join_values, say_number, say_percent
from insights.funnel import MIN_ENTITIES, find_dispersed_limits, find_limits, judge_funnel
from insights.intervals import Z_95

METRIC: Final = "compliance_rate"
CURVE_POINTS: Final = 60


@remembered
def show_funnel(view: View, newest: str, frame: pd.DataFrame) -> Panel:
    """Each entity's rate against its number of answers; `frame` has entity, the rate and applicable_answers."""
    counted = frame[frame["applicable_answers"].fillna(0) > 0].reset_index(drop=True)
    funnel = judge_funnel(counted[METRIC], counted["applicable_answers"])
    judged = funnel.judged
    standing = np.where(judged["is_low"], "low", np.where(judged["is_high"], "high", "usual"))
    labels = {"low": view.say("lower than usual"), "high": view.say("higher than usual"), "usual": ""}
    names = [view.label_id("entity", code) for code in counted["entity"]]
    points = pd.DataFrame(
        {
            "row": make_distinct(names, counted["entity"].tolist()),
            "id": counted["entity"],
            "rate": judged["rate"],
            "count": judged["count"],
            "standing": standing,
            "said": [labels[one] for one in standing],
            "written": [say_percent(rate) for rate in judged["rate"]],
            "counted": [say_number(count) for count in judged["count"]],
        }
    )
    title = view.say("Funnel: unusual for its size, {period}", period=view.say_period(newest))

    def draw() -> Chart:
        counts = pd.Series(np.linspace(1, float(points["count"].max()) * 1.08, CURVE_POINTS))
        chance = find_limits(funnel.baseline, counts, Z_95).add_prefix("outer_")
        dispersed = find_dispersed_limits(funnel.baseline, funnel.spread, counts, Z_95)
        limits = pd.concat([counts.rename("count"), dispersed, chance], axis=1)
        tooltips = {
            "row": view.label_dimension("entity"),
            "written": view.label_metric(METRIC),
            "counted": view.label_metric("applicable_answers"),
            "said": view.say("Among the others"),
        }
        spec, data = draw_funnel(
            points,
            limits,
            funnel.baseline,
            tooltips,
            count_title=view.label_metric("applicable_answers"),
            picks=("id",),
        )
        said = [f"{row.row} {row.written}" for row in points[points["standing"] != "usual"].itertuples()]
        figures = join_values(view.language, said) or view.say("none")
        alt = view.say("Funnel plot: {title}. Unusual: {figures}.", title=title, figures=figures)
        return Chart(spec, data, alt, ("id",))

    is_silent = bool(np.isnan(funnel.baseline))
    table = points.assign(
        name=names,
        z=judged["z"],
        adjusted_z=judged["adjusted_z"],
        q_value=judged["q_value"],
    ).sort_values(["q_value", "rate"], ignore_index=True)
    columns = (
        Column("name", view.label_dimension("entity"), "text"),
        Column("id", view.say("Code"), "text"),
        Column("rate", view.label_metric(METRIC), "rate"),
        Column("count", view.label_metric("applicable_answers"), "integer"),
        Column("said", view.say("Among the others"), "text"),
        Column("z", view.say("z, by chance alone"), "number"),
        Column("adjusted_z", view.say("z, as entities differ anyway"), "number"),
        Column("q_value", view.say("q (false alarms)"), "rate"),
    )
    number = int((standing != "usual").sum())
    notes = (
        [view.say("Fewer than {number} entities: what is usual cannot be told.", number=MIN_ENTITIES)]
        if is_silent
        else [
            view.say("{number} of {total} are beyond what is usual.", number=number, total=len(points)),
            view.say("Solid: the span of 95 % of entities, as entities differ anyway; dashed: of chance alone."),
            view.say("Some of many lie outside by chance; only those that chance does not explain are marked."),
        ]
    )
    return Panel(
        key="funnel",
        title=title,
        table=table,
        columns=columns,
        metrics=(METRIC,),
        chart=None if is_silent else draw,
        on_pick=_open_entity,
        note=join_sentences(view.language, notes),
        definition=view.say(
            "The line in the middle is the typical entity. Limits of chance alone are rates whose Wilson interval just "
            "reaches it; the solid ones also allow for the spread between entities (Spiegelhalter 2005; answers of one "
            "entity are not independent). Unusual means that no more than 5 % of those marked are expected to be false "
            "alarms (Benjamini and Hochberg 1995)."
        ),
    )


def _open_entity(picked: Mapping[str, Any]) -> None:
    open_page("entity", entity=(picked["id"],))
