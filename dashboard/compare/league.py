"""League: places as they are and as they may be by chance, and where each entity stands among its peers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from dashboard.charts.parts import Chart
from dashboard.charts.ranks import draw_places
from dashboard.downloads import Column
from dashboard.navigation import open_page
from dashboard.panels import Panel, remembered
from dashboard.rates import make_distinct
from dashboard.view import View
from dashboard.words import join_sentences, join_values, say_number, say_percent
from insights.ranking import MIN_ENTITIES, rank_entities
from insights.standing import MIN_PEERS, find_standing

METRIC: Final = "compliance_rate"
MOST_DRAWN: Final = 15


@remembered
def show_league(view: View, newest: str, frame: pd.DataFrame) -> Panel:
    """Raw and shrunken places with the span in which each may lie; `frame` has entity, entity_kind and the rate."""
    counted = frame[frame["applicable_answers"].fillna(0) > 0].reset_index(drop=True)
    ranked = rank_entities(counted[METRIC], counted["applicable_answers"])
    standing = find_standing(counted[METRIC], counted["entity_kind"])
    names = [view.label_id("entity", code) for code in counted["entity"]]
    table = ranked.assign(
        id=counted["entity"],
        name=names,
        kind=[view.label_id("entity_kind", kind) for kind in counted["entity_kind"]],
        score=standing["score"],
        percentile=standing["percentile"],
        count=counted["applicable_answers"],
    ).sort_values(["shrunken_place", "place", "id"], ascending=[False, False, True], ignore_index=True)
    is_ranked = table["shrunken_place"].nunique() > 1
    shown = table[table["shrunken_place"].notna()].head(MOST_DRAWN)
    drawn = pd.DataFrame(
        {
            "row": make_distinct(shown["name"].tolist(), shown["id"].tolist()),
            "id": shown["id"],
            "place": shown["shrunken_place"],
            "raw_place": shown["place"],
            "low": shown["place_low"],
            "high": shown["place_high"],
            "written": [say_number(place) for place in shown["shrunken_place"]],
            "raw_written": [say_number(place) for place in shown["place"]],
            "span": [
                view.say("{low} to {high}", low=say_number(low), high=say_number(high))
                for low, high in zip(shown["place_low"], shown["place_high"], strict=True)
            ],
            "rate": [say_percent(rate) for rate in shown["rate"]],
            "shrunken": [say_percent(rate) for rate in shown["shrunken"]],
        }
    )
    title = view.say("How sure is the order? {period}", period=view.say_period(newest))

    def draw() -> Chart:
        tooltips = {
            "row": view.label_dimension("entity"),
            "rate": view.label_metric(METRIC),
            "raw_written": view.say("Place by the rate as it is"),
            "shrunken": view.say("Rate allowing for chance"),
            "written": view.say("Place allowing for chance"),
            "span": view.say("95 % span of the place"),
        }
        spec, data = draw_places(drawn, tooltips, number=len(table), picks=("id",))
        said = [f"{row.row} {row.written} ({row.span})" for row in drawn.head(5).itertuples()]
        figures = join_values(view.language, said)
        return Chart(spec, data, view.say("Ranking: {title}. First: {figures}.", title=title, figures=figures), ("id",))

    columns = (
        Column("name", view.label_dimension("entity"), "text"),
        Column("id", view.say("Code"), "text"),
        Column("kind", view.label_dimension("entity_kind"), "text"),
        Column("rate", view.label_metric(METRIC), "rate"),
        Column("place", view.say("Place by the rate as it is"), "integer"),
        Column("shrunken", view.say("Rate allowing for chance"), "rate"),
        Column("low", view.say("Interval from"), "rate"),
        Column("high", view.say("Interval to"), "rate"),
        Column("shrunken_place", view.say("Place allowing for chance"), "integer"),
        Column("place_low", view.say("Place at best"), "integer"),
        Column("place_high", view.say("Place at worst"), "integer"),
        Column("score", view.say("Deviation score (偏差値)"), "number"),
        Column("percentile", view.say("Share of peers below"), "rate"),
        Column("count", view.label_metric("applicable_answers"), "integer"),
    )
    notes = (
        [
            view.say(
                "Dot: place of {total} when rates are drawn towards the others as far as chance asks for; band: where "
                "it may lie (95 %); stroke: place by the rate as it is.",
                total=say_number(len(table)),
            ),
            view.say("{shown} of {number} are drawn; the table has all.", shown=MOST_DRAWN, number=len(table))
            if len(table) > MOST_DRAWN
            else "",
        ]
        if is_ranked
        else [view.say("Fewer than {number} entities, or all alike: no order is told.", number=MIN_ENTITIES)]
    )
    return Panel(
        key="league",
        title=title,
        table=table,
        columns=columns,
        metrics=(METRIC,),
        chart=draw if is_ranked else None,
        on_pick=_open_entity,
        note=join_sentences(view.language, notes),
        definition=view.say(
            "Beta-binomial empirical Bayes: true rates come from one distribution, fitted to all entities, so that a "
            "rate over few answers moves towards the others. Spans of places come from draws of all rates at once "
            "(Goldstein and Spiegelhalter 1996). 偏差値: 50 is the mean of the entities of the same kind, 10 a "
            "standard deviation; the share of peers below assumes no normal distribution. Both need {number} peers.",
            number=MIN_PEERS,
        ),
    )


def _open_entity(picked: Mapping[str, Any]) -> None:
    open_page("entity", entity=(picked["id"],))
