"""Rates of groups of entities with intervals that know that answers of one entity are not independent."""

from __future__ import annotations

from typing import Final

from dashboard.charts.parts import Chart
from dashboard.charts.ranks import draw_rank
from dashboard.downloads import Column
from dashboard.figures import describe_cells
from dashboard.panels import OnPick, Panel, remembered
from dashboard.rates import make_distinct
from dashboard.view import NOT_STATED, View
from dashboard.words import begin_small, join_sentences, join_values, plain, say_percent
from insights.funnel import find_q_values
from insights.intervals import compare_with_rest, find_cluster_interval

METRIC: Final = "compliance_rate"
LEVEL: Final = 0.05
MOST: Final = 20


@remembered
def show_sure_rank(view: View, by: str, newest: str, on_pick: OnPick) -> Panel:
    """Values of a dimension from the weakest on, each with the interval between entities and against all others."""
    cells = view.ask((METRIC, "applicable_answers"), ("entity", by), period=newest, with_entities=False)
    sums = cells.rename(
        columns={
            f"{METRIC}_numerator": "numerator",
            f"{METRIC}_denominator": "denominator",
            "applicable_answers": "answers",
        }
    )[[by, "entity", "numerator", "denominator", "answers"]]
    intervals = find_cluster_interval(sums, by).set_index(by)
    against = compare_with_rest(sums, by).set_index(by)
    q_values = find_q_values(against["p_value"])
    frame = view.ask((METRIC,), (by,), period=newest).dropna(subset=[METRIC])
    frame = frame.assign(
        low=frame[by].map(intervals["low"]),
        high=frame[by].map(intervals["high"]),
        rest=frame[by].map(against["rest_rate"]),
        difference=frame[by].map(against["difference"]) * 100,
        q_value=frame[by].map(q_values),
    )
    frame = frame.sort_values([METRIC, by]).reset_index(drop=True)
    labels = view.label_rows(frame, by)
    names = [labels[code] for code in frame[by]]
    spans = [
        view.say("{low} to {high}", low=say_percent(low), high=say_percent(high))
        for low, high in zip(frame["low"], frame["high"], strict=True)
    ]
    drawn = describe_cells(frame, METRIC, view).assign(
        row=make_distinct(names, frame[by].tolist()),
        id=frame[by],
        low=frame["low"],
        high=frame["high"],
        interval=spans,
        peer=frame["rest"],
        peer_written=[say_percent(rate) for rate in frame["rest"]],
    )
    title = view.say(
        "How sure is the difference? {metric} by {dimension}, {period}",
        metric=view.label_metric(METRIC),
        dimension=begin_small(view.label_dimension(by), view.language),
        period=view.say_period(newest),
    )
    apart = frame[(frame["q_value"] <= LEVEL) & (frame[by] != NOT_STATED)]
    # The note is read as Markdown, and names may be loaded.
    lower = [plain(labels[code]) for code in apart.loc[apart["difference"] < 0, by]]
    higher = [plain(labels[code]) for code in apart.loc[apart["difference"] > 0, by]]
    compared = int(frame["q_value"].notna().sum())

    def draw() -> Chart:
        tooltips = {
            "row": view.label_dimension(by),
            "written": view.label_metric(METRIC),
            "interval": view.say("95 % interval between entities"),
            "peer_written": view.say("All others together"),
            "entities": view.say("Entities"),
        }
        spec, data = draw_rank(drawn.head(MOST), tooltips, picks=("id",))
        said = [f"{row.row} {row.written} ({row.interval})" for row in drawn.head(5).itertuples()]
        figures = join_values(view.language, said)
        return Chart(spec, data, view.say("Ranking: {title}. First: {figures}.", title=title, figures=figures), ("id",))

    notes = [
        view.say(
            "Band: 95 % interval that takes entities, and not answers, as independent; stroke: all others together."
        ),
        view.say("Below the others beyond chance: {names}.", names=join_values(view.language, lower)) if lower else "",
        view.say("Above the others beyond chance: {names}.", names=join_values(view.language, higher))
        if higher
        else "",
        "" if lower or higher or not compared else view.say("None differs from the others beyond chance."),
        ""
        if compared == len(frame)
        else view.say(
            "{number} of {total} cannot be compared: it takes two entities on either side.",
            number=len(frame) - compared,
            total=len(frame),
        ),
        view.say("{shown} of {number} are drawn; the table has all.", shown=MOST, number=len(frame))
        if len(frame) > MOST
        else "",
    ]
    columns = (
        Column(f"{by}_{view.language}", view.label_dimension(by), "text"),
        Column(METRIC, view.label_metric(METRIC), "rate"),
        Column("low", view.say("Interval from"), "rate"),
        Column("high", view.say("Interval to"), "rate"),
        Column("rest", view.say("All others together"), "rate"),
        Column("difference", view.say("Difference"), "points"),
        Column("q_value", view.say("q (false alarms)"), "rate"),
        Column("entities", view.say("Entities"), "text"),
    )
    return Panel(
        key=f"sureness-{by}",
        title=title,
        table=frame.assign(id=frame[by], entities=drawn["entities"], **{f"{by}_{view.language}": names}),
        columns=columns,
        metrics=(METRIC,),
        chart=draw,
        on_pick=on_pick,
        note=join_sentences(view.language, notes),
        definition=view.say(
            "The variance of a ratio of sums between entities (Cochran 1977) gives the number of independent answers "
            "that would tell as much, and that a Wilson interval (Korn and Graubard 1998). The interval of a single "
            "entity is that of its answers. q: share of false alarms among all that are at least as far apart "
            "(Benjamini and Hochberg 1995)."
        ),
    )
