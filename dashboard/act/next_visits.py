"""Where the next outside check is worth most: a plain ranking of the entities with its reasons, and its back-test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from dashboard.act.held import open_entity
from dashboard.act.visit_ranking import RECENT, NextVisits, find_ranking
from dashboard.charts.parts import Chart
from dashboard.charts.ranks import draw_bars
from dashboard.downloads import Column
from dashboard.panels import Panel, remembered, say_nothing
from dashboard.rates import make_distinct
from dashboard.view import View
from dashboard.words import NONE_WRITTEN, join_sentences, join_values, say_number, say_percent
from insights.next_visits import LIFT, MIN_VISITED

MOST_DRAWN: Final = 12
TOLD: Final = (
    "reasons", "rounds_since_outside", "missing_inspections", "open_major_findings", "expected_optimism",
)  # fmt: skip
"""What the reasons of a row are said from."""


def show_next_visits(view: View) -> None:
    """The ranking of the entities that the filters by place leave, or why there is none."""
    found = find_ranking(view)
    if found is None or not found.visited or found.ranked["rank"].isna().all():
        silence = view.say(
            "It takes self-checks and checks by outsiders to rank the next visits; not both are known here."
        )
        say_nothing(view, "next-visits", title_ranking(view), silence)
    elif not list_shown(view, found):
        silence = view.say("No entity of the group on the day of the knowledge date is left by these filters.")
        say_nothing(view, "next-visits", title_ranking(view), silence)
    else:
        show_ranking(view)


def title_ranking(view: View) -> str:
    """Title of the panel."""
    return view.say("Where to inspect next")


def list_shown(view: View, found: NextVisits) -> list[str]:
    """The entities of the ranking that the filters by place leave, in its order."""
    left = set(view.list_all_rows("entities")["entity"])
    return [code for code in found.ranked.index if code in left]


@remembered
def show_ranking(view: View) -> Panel:
    """Entities by what a visit is worth, the first ones as bars; the table has all of them with their reasons."""
    found = find_ranking(view)
    assert found
    language = view.language
    ranked = found.ranked.loc[list_shown(view, found)]
    table = ranked.assign(
        entity=ranked.index,
        name=[view.label_id("entity", code) for code in ranked.index],
        points=ranked["score"] * 100,
        why=[say_reasons(view, row) for row in ranked[[*TOLD]].to_dict("records")],
        last_label=[view.say("never") if pd.isna(half) else view.say_period(half) for half in ranked["last"]],
    ).reset_index(drop=True)
    placed = table.dropna(subset=["rank"])
    first = placed.head(MOST_DRAWN)
    drawn = pd.DataFrame(
        {
            "row": make_distinct(first["name"].tolist(), first["entity"].tolist()),
            "entity": first["entity"],
            "count": first["points"],
            "written": [say_number(round(points)) for points in first["points"]],
            "expected": [say_percent(rate) for rate in first["expected_optimism"]],
            "last": first["last_label"],
            "why": first["why"],
        }
    )
    title = title_ranking(view)

    def draw() -> Chart:
        tooltips = {
            "row": view.label_dimension("entity"),
            "written": view.say("Score"),
            "expected": view.say("Expected optimism"),
            "last": view.say("Last outside check"),
            "why": view.say("Reasons"),
        }
        spec, data = draw_bars(drawn, tooltips, picks=("entity",))
        said = [f"{row.row} {row.written}" for row in drawn.head(5).itertuples()]
        figures = join_values(language, said)
        return Chart(
            spec, data, view.say("Ranking: {title}. First: {figures}.", title=title, figures=figures), ("entity",)
        )

    notes = [
        view.say(
            "A plain ranking of where an outside check could correct most: expected optimism, size, time since the "
            "last visit and gaps; it is no probability, so see how past rankings fared."
        ),
        say_past(view, found),
        view.say("{shown} of {number} are drawn; the table has all.", shown=MOST_DRAWN, number=say_number(len(placed)))
        if len(placed) > MOST_DRAWN
        else "",
        view.say("Without a self-check there is no place: {number}.", number=say_number(len(table) - len(placed)))
        if len(placed) < len(table)
        else "",
        view.say("The table has the reasons; a click opens the entity."),
    ]
    return Panel(
        key="next-visits",
        title=title,
        table=table,
        columns=(
            Column("rank", view.say("Place in the group"), "integer"),
            Column("name", view.label_dimension("entity"), "text"),
            Column("why", view.say("Reasons"), "text"),
            Column("points", view.say("Score"), "number"),
            Column("expected_optimism", view.say("Expected optimism"), "rate"),
            Column("last_label", view.say("Last outside check"), "text"),
            Column("size", view.say("Size"), "number"),
            Column("missing_inspections", view.say("Missing inspections"), "integer"),
            Column("open_major_findings", view.say("Major findings open"), "integer"),
            Column("entity", view.say("Code"), "text"),
        ),
        chart=draw if len(drawn) else None,
        on_pick=open_entity,
        note=join_sentences(language, notes),
        definition=define(view, found),
    )


def define(view: View, found: NextVisits) -> str:
    """How the ranking is made, and how well it would have done."""
    sentences = [
        view.say(
            "Score: expected optimism × size × halves since the last outside check × lift, of the whole group as of "
            "{half}, whatever periods, items and inspection types are chosen. Expected optimism: rate of the "
            "self-check minus what an outsider would probably find, from pairs of the region, and once more for each "
            "visit of its own. Size: weight of the newest self-check's answers ÷ their mean. Lift: {lift} for each "
            "inspection missing in the last {recent} halves and each major finding open. The product is a convention, "
            "not an estimate.",
            half=view.say_period(found.half),
            recent=RECENT,
            lift=say_percent(LIFT, 0),
        )
    ]
    past = found.past
    if past and past.entities >= MIN_VISITED:
        sentences.append(
            view.say(
                "Back-test: agreement of “among the first third” with “among the worst third” is {accuracy}, κ "
                "{kappa}, rank correlation {correlation}. Where most entities are good, nearly every forecast is "
                "right: a published one had 79.7% and κ 0.097 (Allen and others 2020).",
                accuracy=say_percent(past.accuracy),
                kappa=write_number(past.kappa),
                correlation=write_number(past.rank_correlation),
            )
        )
    return join_sentences(view.language, sentences)


def write_number(value: float) -> str:
    """A coefficient as it is shown."""
    return NONE_WRITTEN if pd.isna(value) else f"{value:.2f}".replace("-", "−")


def say_past(view: View, found: NextVisits) -> str:
    """How the ranking would have done among the entities that were visited afterwards, beside what any choice has."""
    past = found.past
    if past is None or past.entities < MIN_VISITED:
        return view.say(
            "It could not be tested on the past: too few entities were visited that were known a year before."
        )
    return view.say(
        "Test on the past: of the {top} entities that it put first after {half} among {number} visited since, {hits} "
        "({share}) were in the worst third by what outsiders found; any choice would have had {base}.",
        top=past.top,
        half=view.say_period(found.past_half),
        number=past.entities,
        hits=past.hits,
        share=say_percent(past.hit_share),
        base=say_percent(past.base_rate),
    )


def say_reason(view: View, reason: str, row: Mapping[str, Any]) -> str:
    """One reason in words."""
    if reason == "never_visited":
        return view.say("never visited by outsiders")
    if reason == "long_ago":
        return view.say("last outside check {rounds} halves ago", rounds=say_number(row["rounds_since_outside"]))
    if reason == "optimistic_group":
        return view.say("self-checks of its region are more optimistic than elsewhere")
    if reason == "large":
        return view.say("among the largest")
    if reason == "missing_inspections":
        return view.say("planned inspections missing: {number}", number=say_number(row["missing_inspections"]))
    assert reason == "open_major_findings", reason
    return view.say("major findings open: {number}", number=say_number(row["open_major_findings"]))


def say_reasons(view: View, row: Mapping[str, Any]) -> str:
    """The reasons of a row in words."""
    reasons = [say_reason(view, reason, row) for reason in row["reasons"]]
    if not reasons and pd.notna(row["expected_optimism"]):
        reasons = [
            view.say(
                "last outside check {rounds} halves ago, expected optimism {rate}",
                rounds=say_number(row["rounds_since_outside"]),
                rate=say_percent(row["expected_optimism"]),
            )
        ]
    return join_values(view.language, reasons) or NONE_WRITTEN
