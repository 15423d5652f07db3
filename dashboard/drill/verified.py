"""What an outside check would probably find at entities that no outsider has visited in the periods shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from dashboard.charts.parts import Chart
from dashboard.charts.ranks import draw_rank
from dashboard.downloads import Column
from dashboard.navigation import open_page
from dashboard.panels import Panel, remembered, say_nothing
from dashboard.rates import make_distinct
from dashboard.view import View
from dashboard.words import join_sentences, join_values, say_number, say_percent
from insights.calibration import MIN_VISITED, VerifiedCheck, check_verified, estimate_verified

KEY: Final = "verified"
SELF_CHECK: Final = "self_check"
SELF_RATE: Final = "paired_self_rate"
OUTSIDE_RATE: Final = "paired_outside_rate"
RATE: Final = "compliance_rate"
PLACE: Final = ("entity", "region", "entity_kind")
MOST_DRAWN: Final = 15


@dataclass(frozen=True, slots=True)
class Verified:
    """Estimates of the entities not visited, how well they would have done, and what is left out.

    `visited` entities are what it is estimated from; `elsewhere` were not visited and are of kinds that none is.
    """

    estimates: pd.DataFrame
    check: VerifiedCheck
    visited: int
    elsewhere: int


def show_verified(view: View) -> None:
    """The estimates, or why there are none; the view is held to outside checks."""
    found = view.remember("verified estimate", lambda: find_verified(view))
    if found.visited < MIN_VISITED:
        silence = view.say(
            "Nothing is estimated from so few: it takes {least} entities with pairs, and there are {number}.",
            least=MIN_VISITED,
            number=say_number(found.visited),
        )
        say_nothing(view, KEY, title_panel(view), silence)
    elif found.estimates.empty:
        said = [
            view.say("Nothing is left to estimate: no entity of a kind that outsiders visit was left out by them."),
            say_elsewhere(view, found),
        ]
        say_nothing(view, KEY, title_panel(view), join_sentences(view.language, said))
    else:
        _show_verified(view)


def title_panel(view: View) -> str:
    """Title of the panel."""
    return view.say("Not visited: what outsiders would probably find")


def say_elsewhere(view: View, found: Verified) -> str:
    """That some entities are of a kind that outsiders did not visit, so that there is nothing to go by."""
    if not found.elsewhere:
        return ""
    return view.say(
        "Entities of kinds that no outsider visited are left out ({number}), because there is nothing to go by.",
        number=say_number(found.elsewhere),
    )


def find_verified(view: View) -> Verified:
    """The estimate for each entity with a self-check and without an outside check in the periods shown."""
    visited = sum_entities(
        view.ask(("pairs", SELF_RATE, OUTSIDE_RATE), PLACE, with_entities=False), (SELF_RATE, OUTSIDE_RATE), "pairs"
    )
    visited = visited.rename(columns={SELF_RATE: "self_rate", OUTSIDE_RATE: "outside_rate", "region": "group"})
    visited = visited[(visited["pairs"] > 0) & visited["self_rate"].notna()]
    checks = view.hold(inspection_type=(SELF_CHECK,)).ask((RATE,), PLACE, with_entities=False)
    checked = sum_entities(checks, (RATE,), f"{RATE}_denominator").dropna(subset=[RATE])
    checked = checked.rename(columns={RATE: "self_rate", "region": "group"})
    missed = checked[~checked["entity"].isin(list_seen(view))]
    is_of_kind = missed["entity_kind"].isin(visited["entity_kind"])
    estimates = estimate_verified(visited, missed[is_of_kind].reset_index(drop=True))
    estimates = estimates.dropna(subset=["estimate"]).sort_values(["estimate", "entity"], ignore_index=True)
    return Verified(estimates, check_verified(visited), len(visited), int((~is_of_kind).sum()))


def list_seen(view: View) -> set[str]:
    """Entities that had an outside check of any type that asks what self-checks ask, whatever type is chosen."""
    outside = tuple(code for code in view.options.choices["inspection_type"] if code != SELF_CHECK)
    every = view.hold(inspection_type=outside)
    by_type = every.ask(("pairs",), ("inspection_type",), with_entities=False)
    paired = tuple(by_type.loc[by_type["pairs"] > 0, "inspection_type"])
    inspected = (
        view.hold(inspection_type=paired).ask(("inspections",), ("entity",), with_entities=False)
        if paired
        else by_type.head(0)
    )
    return set(inspected.loc[inspected["inspections"] > 0, "entity"]) if paired else set()


def sum_entities(frame: pd.DataFrame, metrics: tuple[str, ...], weight: str) -> pd.DataFrame:
    """One row per entity: its rates over all places it had, in the region and kind that most of it is of."""
    columns = {f"{name}_{part}" for name in metrics for part in ("numerator", "denominator")} | {weight}
    sums = frame.groupby("entity")[sorted(columns)].sum()
    rates = {
        name: sums[f"{name}_numerator"] / sums[f"{name}_denominator"].where(sums[f"{name}_denominator"] > 0)
        for name in metrics
    }
    home = frame.sort_values(weight).drop_duplicates("entity", keep="last").set_index("entity")
    places = {name: home[name] for name in PLACE[1:]}
    return sums[[weight]].assign(**rates, **places).reset_index()


@remembered
def _show_verified(view: View) -> Panel:
    found = view.remember("verified estimate", lambda: find_verified(view))
    table = found.estimates
    table = table.assign(
        id=table["entity"],
        name=[view.label_id("entity", code) for code in table["entity"]],
        region=[view.label_id("region", code) for code in table["group"]],
        gap=table["gap"] * 100,
    )
    title = title_panel(view)
    shown = table.head(MOST_DRAWN)
    drawn = pd.DataFrame(
        {
            "row": make_distinct(shown["name"].tolist(), shown["id"].tolist()),
            "id": shown["id"],
            "rate": shown["estimate"],
            "low": shown["low"],
            "high": shown["high"],
            "peer": shown["self_rate"],
            "is_small": False,
            "written": [say_percent(rate) for rate in shown["estimate"]],
            "interval": [
                view.say("{low} to {high}", low=say_percent(row.low), high=say_percent(row.high))
                for row in shown.itertuples()
            ],
            "self_written": [say_percent(rate) for rate in shown["self_rate"]],
            "region": shown["region"],
            "visited": [say_number(count) for count in shown["visited_in_group"]],
        }
    )

    def draw() -> Chart:
        tooltips = {
            "row": view.label_dimension("entity"),
            "region": view.label_dimension("region"),
            "written": view.say("Outside rate, estimated"),
            "interval": view.say("95 % prediction interval"),
            "self_written": view.say("Rate of its self-check"),
            "visited": view.say("Visited in the region"),
        }
        spec, data = draw_rank(drawn, tooltips, picks=("id",))
        # None of them is small, so that each mark keeps its own opacity and the dot is seen on its band.
        del spec["encoding"]["opacity"]
        said = [f"{row.row} {row.written} ({row.interval})" for row in drawn.head(5).itertuples()]
        alt = view.say("Ranking: {title}. First: {figures}.", title=title, figures=join_values(view.language, said))
        return Chart(spec, data, alt, ("id",))

    columns = (
        Column("name", view.label_dimension("entity"), "text"),
        Column("id", view.say("Code"), "text"),
        Column("region", view.label_dimension("region"), "text"),
        Column("self_rate", view.say("Rate of its self-check"), "rate"),
        Column("estimate", view.say("Outside rate, estimated"), "rate"),
        Column("low", view.say("Interval from"), "rate"),
        Column("high", view.say("Interval to"), "rate"),
        Column("gap", view.say("Self-check above the estimate"), "points"),
        Column("visited_in_group", view.say("Visited in the region"), "integer"),
    )
    return Panel(
        key=KEY,
        title=title,
        table=table,
        columns=columns,
        metrics=(SELF_RATE, OUTSIDE_RATE),
        chart=draw,
        on_pick=_open_entity,
        note=join_sentences(
            view.language,
            [
                view.say(
                    "Outside rate to be expected, with its 95 % prediction interval; stroke: the entity's own "
                    "self-check."
                ),
                view.say(
                    "Audits are no random sample: whom outsiders visit is chosen, and the others may be different."
                ),
                say_check(view, found.check),
                say_elsewhere(view, found),
                view.say("{shown} of {number} are drawn; the table has all.", shown=MOST_DRAWN, number=len(table))
                if len(table) > MOST_DRAWN
                else "",
            ],
        ),
        definition=view.say(
            "The gap between self-check and outside check of the visited entities of a region, pooled with that of the "
            "other regions (random effects, DerSimonian and Laird 1986), is taken off the entity's own self-check, on "
            "the scale arcsin of the root (Anscombe 1948). The interval holds the spread between entities and the "
            "error of the gap. It is checked on visited entities, each left out in turn (Stone 1974)."
        ),
    )


def say_check(view: View, check: VerifiedCheck) -> str:
    """How well the estimate would have done where it is known."""
    if pd.isna(check.coverage):
        return view.say("Too few entities were visited to check it.")
    return view.say(
        "Checked on {number} visited entities, each left out in turn: {coverage} lay within the interval; mean error "
        "{error} points, of the bare self-check {own}.",
        number=say_number(check.entities),
        coverage=say_percent(check.coverage, 0),
        error=f"{check.mean_absolute_error * 100:.1f}",
        own=f"{check.mean_absolute_error_of_self_check * 100:.1f}",
    )


def _open_entity(picked: Mapping[str, Any]) -> None:
    open_page("entity", entity=(picked["id"],))
