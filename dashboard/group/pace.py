"""Pace: how the rate moves against its target, and whether it will be there at the end of the next fiscal year."""

from __future__ import annotations

from typing import Final

import pandas as pd

from dashboard.charts.control import draw_outlook
from dashboard.charts.parts import Chart
from dashboard.downloads import Column
from dashboard.panels import Panel, remembered, say_nothing
from dashboard.periods import find_grain, list_quarters, name_period, step_back
from dashboard.view import PERIOD, View
from dashboard.words import join_sentences, say_percent, say_points
from insights.pace import EXACT, MIN_ROUNDS, back_test, find_pace
from metrics.targets import read_targets

METRIC: Final = "compliance_rate"


def show_pace(view: View, newest: str) -> None:
    """The panel, or why there is none: without a target there is nothing to reach."""
    coming = list_coming(newest)
    # Targets are read at every run, because they change without a new build.
    target = read_targets(METRIC, coming[-1:])[coming[-1]]
    if target is None:
        silence = view.say("There is no target for this rate; targets.csv in the home can name one.")
        say_nothing(view, "pace", view.say("Pace against the target"), silence)
        return
    show_outlook(view, newest, coming, target)


@remembered
def show_outlook(view: View, newest: str, coming: tuple[str, ...], target: float) -> Panel:
    """What was, what may come, and the target."""
    # The way of the rate is of every period up to the newest, whatever the span shown.
    frame = view.loosen("period").ask((METRIC,), (PERIOD,))
    rates = frame.set_index(PERIOD)[METRIC].astype(float).sort_index()
    past = list_between(min(rates.index), newest)
    rates = rates.reindex(list(past))
    pace = find_pace(rates, target, len(coming))
    tested = back_test(rates)
    forecast = pace.forecast.assign(period=list(coming)[: len(pace.forecast)])
    figures = [pd.DataFrame({"period": past, "rate": rates.to_numpy(), "kind": view.say("as it was")})]
    if pace.is_enough:
        last = rates.iloc[-1]
        figures += [
            # The band begins where the past ends.
            pd.DataFrame({"period": [newest], "forecast": last, "low": last, "high": last, "kind": ""}),
            forecast.rename(columns={"rate": "forecast"}).assign(kind=view.say("forecast")),
        ]
    drawn = pd.concat(figures, ignore_index=True)
    drawn = drawn.reindex(columns=["period", "rate", "forecast", "low", "high", "kind"])
    drawn = drawn.assign(
        period_label=[view.say_period(code) for code in drawn["period"]],
        written=[
            say_percent(rate if rate == rate else forecast_rate)
            for rate, forecast_rate in zip(drawn["rate"], drawn["forecast"], strict=True)
        ],
        band=[
            view.say("{low} to {high}", low=say_percent(low), high=say_percent(high)) if high > low else ""
            for low, high in zip(drawn["low"], drawn["high"], strict=True)
        ],
    )
    shown = {code: view.say_period(code) for code in (*past, *(coming if pace.is_enough else ()))}
    is_whole = abs(target * 100 - round(target * 100)) < EXACT
    title = view.say("Pace against the target of {target}", target=say_percent(target, 0 if is_whole else 1))

    def draw() -> Chart:
        tooltips = {
            "period_label": view.say("Period"),
            "written": view.label_metric(METRIC),
            "band": view.say("80 % band"),
        }
        spec, data = draw_outlook(drawn, shown, tooltips, target)
        end = drawn.iloc[-1]
        said = f"{end['period_label']} {end['written']}" + (f" ({end['band']})" if end["band"] else "")
        return Chart(spec, data, view.say("Line chart: {title}. Newest: {figures}.", title=title, figures=said))

    end = view.say_period(coming[-1])
    notes = [
        view.say("The target is reached.")
        if pace.is_reached
        else view.say(
            "Needed: {needed} a period until {period}; lately it was {recent}.",
            needed=say_points(pace.needed * 100),
            recent=say_points(pace.recent * 100),
            period=end,
        )
        if pace.recent == pace.recent
        else view.say("Needed: {needed} a period until {period}.", needed=say_points(pace.needed * 100), period=end),
        view.say(
            "Chance to be at the target in {period}, if the rate goes on as it did: {chance}.",
            period=end,
            chance=say_percent(pace.chance, 0),
        )
        if pace.is_enough and pace.chance == pace.chance
        else view.say("Fewer than {number} periods, or no change at all: no forecast is made.", number=MIN_ROUNDS),
        view.say(
            "Of {number} earlier forecasts, {share} lay within their 80 % band.",
            number=tested.forecasts,
            share=say_percent(tested.coverage, 0),
        )
        if tested.forecasts
        else "",
    ]
    table = drawn[drawn["kind"] != ""].assign(figure=drawn["rate"].fillna(drawn["forecast"])).reset_index(drop=True)
    columns = (
        Column("period_label", view.say("Period"), "text"),
        Column("kind", view.say("Kind"), "text"),
        Column("figure", view.label_metric(METRIC), "rate"),
        Column("low", view.say("Interval from"), "rate"),
        Column("high", view.say("Interval to"), "rate"),
    )
    return Panel(
        key="pace",
        title=title,
        table=table,
        columns=columns,
        metrics=(METRIC,),
        chart=draw,
        note=join_sentences(view.language, notes),
        definition=join_sentences(
            view.language,
            [
                view.say(
                    "A damped trend on the logit of the rate (Gardner and McKenzie 1985), whose parameters make the "
                    "smallest one-step errors; the band holds four of five later figures if the rate goes on as it "
                    "did. It knows nothing of what is planned, and a revised checklist is a break that it does not see."
                ),
                view.say(
                    "All periods up to the newest one shown count. Earlier forecasts overlap, so that their number "
                    "says less than it seems."
                ),
            ],
        ),
    )


def list_coming(newest: str) -> tuple[str, ...]:
    """The periods after the newest one, of its length, to the end of the next fiscal year."""
    grain = find_grain(newest)
    last = name_period(list_quarters(f"FY{int(newest[2:6]) + 1}")[1], grain)
    return list_between(newest, last)[1:]


def list_between(first: str, last: str) -> tuple[str, ...]:
    """The periods from one to another of the same length, both included."""
    codes = [last]
    while codes[-1] > first:
        codes.append(step_back(codes[-1]))
    return tuple(reversed(codes))
