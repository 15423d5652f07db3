"""Which regions and entities say that something changed beyond what their rounds do anyway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from dashboard.charts.control import STATES as CONTROL_STATES
from dashboard.charts.control import draw_control
from dashboard.charts.parts import Chart
from dashboard.charts.ranks import draw_rank
from dashboard.downloads import Column
from dashboard.figures import SMALL_NUMBER
from dashboard.navigation import open_page
from dashboard.panels import Panel, remembered, say_nothing
from dashboard.rates import make_distinct
from dashboard.view import NOT_STATED, PERIOD, View
from dashboard.words import N_, join_sentences, join_values, plain, say_number, say_percent
from insights.signals import MIN_ROUNDS, RUN, find_many_signals

METRIC: Final = "compliance_rate"
FALSE_ALARMS: Final = 0.017
"""Share of entities marked in the newest round that do not change, with 24 rounds (20,000 simulated); 12 give 1.2 %."""
MOST_DRAWN: Final = 15
RULES: Final = {
    "outside": N_("outside the limits"),
    "trend": N_("{rounds} rounds in a row in the same direction"),
    "shift": N_("{rounds} rounds in a row on one side of the centre"),
    "near_limit": N_("2 of 3 rounds close to the same limit"),
}
STATES: Final = {"higher": "better", "lower": "worse"}


def show_region_signals(view: View) -> None:
    """The rounds of each region that stand out, or why there is none."""
    title = view.say("Which regions changed beyond noise?")
    found = find_all(view, "region")
    silence = say_silence(view, count_rounds(found, "region"), found["low"])
    if not silence and not found["is_marked"].any():
        silence = view.say("No round stands out.")
    if silence:
        say_nothing(view, "region-signals", title, silence)
    else:
        show_marked_regions(view, title)


def show_site_signals(view: View, newest: str) -> None:
    """The entities whose newest round stands out, or why there is none."""
    title = view.say("Changed beyond noise, {period}", period=view.say_period(newest))
    found = find_all(view, "entity")
    now = found[found[PERIOD] == newest]
    silence = say_silence(view, count_rounds(found[found["entity"].isin(now["entity"])], "entity"), now["low"])
    if not silence and not now["is_marked"].any():
        silence = join_sentences(view.language, [view.say("No entity stands out."), say_chance(view, now)])
    if silence:
        say_nothing(view, "site-signals", title, silence)
    else:
        show_marked_entities(view, newest, title)


def find_all(view: View, by: str) -> pd.DataFrame:
    """Every region or entity in each period up to the newest one shown, with its rate, limits and signals.

    Also is_marked, and `distance`: from the centre, in distances of a limit from it.
    """

    def find() -> pd.DataFrame:
        frame = view.look_back().ask((METRIC, "applicable_answers"), (PERIOD, by), with_entities=False)
        # What no export names is a different lot in each round.
        frame = frame[frame[by] != NOT_STATED]
        frame = frame.assign(rate=frame[METRIC].astype(float), count=frame["applicable_answers"].astype(float))
        found = find_many_signals(frame, by).assign(count=frame["count"])
        found = found[found["rate"].notna()].reset_index(drop=True)
        reach = pd.concat([found["high"] - found["centre"], found["centre"] - found["low"]], axis=1).max(axis=1)
        return found.assign(
            is_marked=found["direction"] != "", distance=(found["rate"] - found["centre"]).abs() / reach
        )

    return view.remember(f"signals by {by}", find)


def count_rounds(found: pd.DataFrame, by: str) -> int:
    """Rounds of the region or entity that has most."""
    return int(found[by].value_counts().max()) if len(found) else 0


def say_silence(view: View, rounds: int, limits: pd.Series) -> str:
    """Why no round can stand out: one limit of each, and how many rounds have a figure. Nothing where one can."""
    if view.has_several_types:
        return view.say(
            "Choose one inspection type: several do not measure the same thing, so rounds would differ by what was "
            "inspected."
        )
    if rounds < MIN_ROUNDS:
        return view.say(
            "How much a rate moves anyway can be told from {least} rounds on; there is a figure for {number} up to the "
            "newest period shown.",
            least=MIN_ROUNDS,
            number=rounds,
        )
    if limits.isna().all():
        return view.say("The rate was the same in all rounds, so that there is nothing to tell from noise.")
    return ""


@remembered
def show_marked_regions(view: View, title: str) -> Panel:
    """Every marked round, the newest first; the chart is of the region that is furthest out in the newest of them."""
    found = find_all(view, "region")
    place = {code: number for number, code in enumerate(view.read_labels("region"))}
    table = describe(view, found[found["is_marked"]], "region").assign(place=lambda rows: rows["id"].map(place))
    table = table.sort_values(["period", "is_higher", "place"], ascending=[False, True, True], ignore_index=True)
    newest = table[table["period"] == table["period"].iloc[0]]
    drawn_region = newest.sort_values(["is_higher", "distance"], ascending=[True, False]).iloc[0]
    last = newest["period_label"].iloc[0]
    # The note is read as Markdown.
    lower, higher = (
        join_values(view.language, [plain(name) for name in newest.loc[newest["is_higher"] == way, "name"]])
        for way in (False, True)
    )
    rounds = view.look_back().periods
    periods = {code: view.say_period(code) for code in rounds}

    def draw() -> Chart:
        drawn = describe(view, found[found["region"] == drawn_region["id"]], "region").set_index("period")
        drawn = drawn.reindex(list(rounds)).rename_axis("period").reset_index()
        drawn = drawn.assign(state=drawn["state"].fillna("usual"))
        tooltips = {
            "name": view.label_dimension("region"),
            "period_label": view.say("Period"),
            "written": view.label_metric(METRIC),
            "limits": view.say("Limits of chance"),
            "signal": view.say("What stands out"),
        }
        spec, data = draw_control(drawn, periods, tooltips, picks=("id", "period"))
        marked = drawn[drawn["is_marked"].eq(True)]
        figures = join_values(view.language, [f"{row.period_label}, {row.signal}" for row in marked.itertuples()])
        alt = view.say("Control chart: {title}. {figures}.", title=drawn_region["name"], figures=figures)
        return Chart(spec, data, alt, ("id", "period"))

    notes = [
        view.say(
            "A marked round differs from the others by more than they usually differ among themselves; it is worth a "
            "look, and needs at least six rounds."
        ),
        view.say("Lower, {period}: {names}.", period=last, names=lower) if lower else "",
        view.say("Higher, {period}: {names}.", period=last, names=higher) if higher else "",
    ]
    return Panel(
        key="region-signals",
        title=view.say("{title} Drawn: {region}", title=title, region=drawn_region["name"]),
        table=table,
        columns=(
            Column("period_label", view.say("Period"), "text"),
            Column("name", view.label_dimension("region"), "text"),
            *list_columns(view),
        ),
        metrics=(METRIC,),
        chart=draw,
        on_pick=_open_region,
        note=join_sentences(view.language, notes),
        definition=say_method(view),
    )


@remembered
def show_marked_entities(view: View, newest: str, title: str) -> Panel:
    """Entities whose newest round is marked: lower ones first, and the furthest out among them."""
    found = find_all(view, "entity")
    now = found[found[PERIOD] == newest]
    table = describe(view, now[now["is_marked"]], "entity")
    table = table.sort_values(["is_higher", "distance", "id"], ascending=[True, False, True], ignore_index=True)

    def draw() -> Chart:
        shown = table.head(MOST_DRAWN)
        shown = shown.assign(row=make_distinct(shown["name"].tolist(), shown["id"].tolist()), peer=shown["centre"])
        shown = shown.assign(series=shown["state"])
        tooltips = {
            "row": view.label_dimension("entity"),
            "written": view.label_metric(METRIC),
            "limits": view.say("Limits of chance"),
            "signal": view.say("What stands out"),
        }
        spec, data = draw_rank(shown, tooltips, picks=("id",), series=CONTROL_STATES)
        figures = join_values(view.language, [f"{row.row} {row.written} ({row.limits})" for row in shown.itertuples()])
        return Chart(spec, data, view.say("Ranking: {title}. First: {figures}.", title=title, figures=figures), ("id",))

    higher = int(table["is_higher"].sum())
    notes = [
        view.say(
            "A marked round differs from the others by more than they usually differ among themselves; it is worth a "
            "look, and needs at least six rounds."
        ),
        view.say("Marked: {lower} lower, {higher} higher.", lower=len(table) - higher, higher=higher),
        say_chance(view, now),
        view.say("Band: limits of the entity's own rounds; stroke: their centre."),
        view.say("{shown} of {number} are drawn; the table has all.", shown=MOST_DRAWN, number=len(table))
        if len(table) > MOST_DRAWN
        else "",
    ]
    return Panel(
        key="site-signals",
        title=title,
        table=table,
        columns=(
            Column("name", view.label_dimension("entity"), "text"),
            Column("id", view.say("Code"), "text"),
            *list_columns(view),
            Column("count", view.label_metric("applicable_answers"), "integer"),
        ),
        metrics=(METRIC,),
        chart=draw,
        on_pick=_open_entity,
        note=join_sentences(view.language, notes),
        definition=say_method(view),
    )


def describe(view: View, rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """Rounds in words, with the columns that charts draw."""
    limits = zip(rows["low"], rows["high"], strict=True)
    signals = zip(rows["signals"], rows["direction"], strict=True)
    is_higher = rows["direction"] == "higher"
    return rows.assign(
        id=rows[by],
        name=[view.label_id(by, code) for code in rows[by]],
        period_label=[view.say_period(code) for code in rows[PERIOD]],
        written=[say_percent(rate) for rate in rows["rate"]],
        limits=[view.say("{low} to {high}", low=say_percent(low), high=say_percent(high)) for low, high in limits],
        signal=[say_signals(view, rules, way) for rules, way in signals],
        state=[STATES.get(way, "usual") for way in rows["direction"]],
        is_higher=is_higher,
        is_small=rows["count"] < SMALL_NUMBER,
    ).drop(columns=["signals"])


def say_signals(view: View, rules: tuple[str, ...], direction: str) -> str:
    """The rules that a round completes in words, and to which side; nothing where it completes none."""
    if not rules:
        return ""
    side = view.say("higher") if direction == "higher" else view.say("lower")
    said = join_values(view.language, [view.say(RULES[rule], rounds=RUN) for rule in rules])
    return view.say("{side}: {rules}", side=side, rules=said)


def list_columns(view: View) -> tuple[Column, ...]:
    """What a marked round says, and the limits that it is held against."""
    return (
        Column("signal", view.say("What stands out"), "text"),
        Column("rate", view.label_metric(METRIC), "rate"),
        Column("low", view.say("Limit from"), "rate"),
        Column("centre", view.say("Centre"), "rate"),
        Column("high", view.say("Limit to"), "rate"),
    )


def say_chance(view: View, now: pd.DataFrame) -> str:
    """How many entities would be marked though none of them changed."""
    judged = int(now["low"].notna().sum())
    if judged * FALSE_ALARMS < 1:
        return view.say(
            "Chance alone marks about {share} of entities that do not change.", share=say_percent(FALSE_ALARMS)
        )
    return view.say(
        "Of {judged} entities with enough rounds, chance alone marks about {number} ({share}).",
        judged=say_number(judged),
        number=say_number(judged * FALSE_ALARMS),
        share=say_percent(FALSE_ALARMS),
    )


def say_method(view: View) -> str:
    """Limits and rules, and how often they are wrong."""
    return view.say(
        "p′-chart (Laney 2002) of all rounds up to the newest period shown: centre ± 3 × standard error of a rate of "
        "that many answers × how much the rounds move beyond it. Rules of Making Data Count (NHS England): outside a "
        "limit, {run} rounds in a row in one direction or on one side of the centre, 2 of 3 close to a limit. Where a "
        "rate rises all the time, its first rounds are marked as lower and its last as higher. Of 100 entities that do "
        "not change, chance marks 5 somewhere in 12 rounds, 18 in 24 rounds, and 1 or 2 in the newest round. Silent "
        "with fewer than {least} rounds.",
        run=RUN,
        least=MIN_ROUNDS,
    )


def _open_region(picked: Mapping[str, Any]) -> None:
    open_page("sites", region=(picked["id"],), period=picked["period"])


def _open_entity(picked: Mapping[str, Any]) -> None:
    open_page("entity", entity=(picked["id"],))
