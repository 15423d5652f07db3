"""Which rounds of an entity say that something changed beyond what its rounds do anyway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from dashboard.charts.control import draw_control
from dashboard.charts.parts import Chart
from dashboard.compare.signals import STATES, list_columns, say_signals, say_silence
from dashboard.downloads import Column
from dashboard.navigation import open_page
from dashboard.panels import Panel, remembered, say_nothing
from dashboard.view import PERIOD, View
from dashboard.words import join_sentences, join_values, say_number, say_percent
from insights.signals import MIN_ROUNDS, RUN, find_signals

METRIC: Final = "compliance_rate"


def show_signals(view: View) -> None:
    """The chart of the entity's rounds with its limits, or why there is none."""
    found = find_rounds(view)
    silence = say_silence(view, int(found["rate"].notna().sum()), found["low"])
    if silence:
        say_nothing(view, "entity-signals", title_signals(view), silence)
    else:
        show_rounds(view)


def title_signals(view: View) -> str:
    """Title of the panel."""
    return view.say("Did something change that is not noise?")


def find_rounds(view: View) -> pd.DataFrame:
    """Every period up to the newest one shown, with its rate, limits and signals."""

    def find() -> pd.DataFrame:
        back = view.look_back()
        frame = back.ask((METRIC, "applicable_answers"), (PERIOD,)).set_index(PERIOD).reindex(list(back.periods))
        return find_signals(frame[METRIC].astype(float), frame["applicable_answers"].astype(float))

    return view.remember("rounds of the entity with signals", find)


@remembered
def show_rounds(view: View) -> Panel:
    """The rate of each round within what its rounds do anyway, those that stand out in colour."""
    found = find_rounds(view)
    periods = {code: view.say_period(code) for code in found.index}
    signals = [say_signals(view, rules, way) for rules, way in zip(found["signals"], found["direction"], strict=True)]
    drawn = pd.DataFrame(
        {
            "period": found.index,
            "period_label": list(periods.values()),
            "rate": found["rate"].to_numpy(),
            "centre": found["centre"].to_numpy(),
            "low": found["low"].to_numpy(),
            "high": found["high"].to_numpy(),
            "state": [STATES.get(way, "usual") for way in found["direction"]],
            "written": [say_percent(rate) for rate in found["rate"]],
            "limits": [
                view.say("{low} to {high}", low=say_percent(low), high=say_percent(high))
                for low, high in zip(found["low"], found["high"], strict=True)
            ],
            "signal": signals,
        }
    )
    title = title_signals(view)
    told = [f"{row.period_label}, {row.signal}" for row in drawn[drawn["signal"] != ""].itertuples()]

    def draw() -> Chart:
        tooltips = {
            "period_label": view.say("Period"),
            "written": view.label_metric(METRIC),
            "limits": view.say("Limits of chance"),
            "signal": view.say("What stands out"),
        }
        spec, data = draw_control(drawn, periods, tooltips, picks=("period",))
        figures = join_values(view.language, told or [view.say("no round stands out")])
        return Chart(
            spec, data, view.say("Control chart: {title}. {figures}.", title=title, figures=figures), ("period",)
        )

    notes = [
        view.say(
            "A marked round differs from the others by more than they usually differ among themselves; it is worth a "
            "look, and needs at least six rounds."
        ),
        say_newest(view, told),
        view.say("A click opens the answers of a round."),
    ]
    return Panel(
        key="entity-signals",
        title=title,
        table=drawn.iloc[::-1].reset_index(drop=True),
        columns=(
            Column("period_label", view.say("Period"), "text"),
            *list_columns(view),
        ),
        metrics=(METRIC,),
        chart=draw,
        on_pick=_open_answers,
        note=join_sentences(view.language, notes),
        definition=view.say(
            "p′-chart (Laney 2002) of all rounds up to the newest period shown: centre ± 3 × standard error of a rate "
            "of that many answers × how much the rounds of this entity move beyond it. Rules of Making Data Count (NHS "
            "England): outside a limit, {run} rounds in a row in one direction or on one side of the centre, 2 of 3 "
            "close to a limit. Silent with fewer than {least} rounds ({number} here).",
            run=RUN,
            least=MIN_ROUNDS,
            number=say_number(int(found["rate"].notna().sum())),
        ),
    )


def say_newest(view: View, told: list[str]) -> str:
    """How many rounds are marked, and the newest of them."""
    if not told:
        return view.say("No round stands out.")
    return view.say("Marked: {number}. The newest: {round}.", number=len(told), round=told[-1])


def _open_answers(picked: Mapping[str, Any]) -> None:
    open_page("answers", period=picked["period"])
