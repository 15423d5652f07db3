"""How many rounds a fix takes: the share of cases that are still unmet, by measure or of one item beside the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from dashboard.charts.curves import draw_survival
from dashboard.charts.parts import Chart
from dashboard.downloads import Column
from dashboard.drill.chronic import read_spells, say_with_interval
from dashboard.drill.item_names import ITEM, ItemView
from dashboard.navigation import open_page
from dashboard.panels import Panel, remembered, say_nothing
from dashboard.view import NOT_STATED, View
from dashboard.words import join_sentences, join_values, say_number, say_percent
from insights.chronic import FixTimes, estimate_time_to_fix, measure_repeat

CERTAIN: Final = 0.05
"""P-value under which a difference is not put down to chance."""
ROUNDS_TOLD: Final = (2, 4)
"""Rounds after which the table says how many are still unmet."""
GROUP: Final = "group"
ALL: Final = "\0all"
THIS, OTHERS = "this", "others"


def show_time_to_fix(view: View) -> None:
    """Time to fix by measure."""
    spells = read_spells(view)
    spells = spells.assign(**{GROUP: spells["measure"].fillna(NOT_STATED)})
    names = {code: label or view.say("Not stated") for code, label in view.read_labels("measure").items()}
    title = view.say("Rounds until an item is met again, by measure")
    names |= {NOT_STATED: view.say("Not stated"), ALL: view.say("All measures")}
    show_curves(view, spells, names, view.label_dimension("measure"), title, "time-to-fix")


def show_item_time_to_fix(view: ItemView, lineage: str) -> None:
    """Time to fix of one item, beside that of all others that the filters leave."""
    spells = read_spells(view.loosen(ITEM))
    spells = spells.assign(**{GROUP: np.where(spells[ITEM] == lineage, THIS, OTHERS)})
    title = view.say("Rounds until the item is met again")
    if not (spells[GROUP] == THIS).any():
        silence = view.say("No answer to the item was partly met or not met up to the newest period shown.")
        say_nothing(view, "item-time-to-fix", title, silence)
        return
    names = {THIS: view.say("This item"), OTHERS: view.say("All other items"), ALL: view.say("All items together")}
    show_curves(view, spells, names, view.label_dimension(ITEM), title, "item-time-to-fix")


def show_curves(view: View, spells: pd.DataFrame, names: Mapping[str, str], group: str, title: str, key: str) -> None:
    """The curves of groups of spells, or why there are none."""
    used = spells[~spells["is_from_start"]]
    if used.empty or (THIS in names and not (used[GROUP] == THIS).any()):
        silence = (
            view.say("No answer was partly met or not met up to the newest period shown.")
            if spells.empty
            else view.say(
                "Every case began with the first answer there is, so that nobody knows how long it had lasted: nothing "
                "is told of the time to a fix."
            )
        )
        say_nothing(view, key, title, silence)
        return
    _show_curves(view, spells, names, group, title, key)


@remembered
def _show_curves(view: View, spells: pd.DataFrame, names: Mapping[str, str], group: str, title: str, key: str) -> Panel:
    times = estimate_time_to_fix(spells, GROUP)
    used = set(times.groups.loc[times.groups["spells"] > 0, GROUP])
    labels = [names.get(code, code) for code in (*names, *sorted(used)) if code in used]
    labels = list(dict.fromkeys(labels))
    curves = times.curves
    is_start = curves["rounds"] == 0
    drawn = pd.DataFrame(
        {
            "series": [names.get(code, code) for code in curves[GROUP]],
            "time": curves["rounds"],
            "share": curves["open_rate"],
            "low": curves["low"].mask(is_start, 1.0),
            "high": curves["high"].mask(is_start, 1.0),
            "written": [
                say_with_interval(view, *figures) if figures[1] == figures[1] else say_percent(figures[0])
                for figures in curves[["open_rate", "low", "high"]].itertuples(index=False)
            ],
            "at_risk": [say_number(count) for count in curves["at_risk"]],
        }
    )
    table = make_table(view, spells, times, names)

    def draw() -> Chart:
        tooltips = {
            "series": group,
            "time": view.say("Rounds"),
            "written": view.say("Still unmet"),
            "at_risk": view.say("Cases followed so far"),
        }
        spec, data = draw_survival(drawn, labels, tooltips, time_title=view.say("Rounds after the first unmet answer"))
        said = [
            view.say("{name}: {rate} still unmet after {rounds} rounds", name=name, rate=say_percent(rate), rounds=2)
            for name, rate in zip(table["name"], table["open_2"], strict=True)
        ]
        figures = join_values(view.language, said)
        return Chart(spec, data, view.say("Line chart: {title}. {figures}.", title=title, figures=figures))

    columns = [
        Column("name", group, "text"),
        Column("median", view.say("Rounds until half are met"), "integer"),
        Column("low", view.say("Interval from, in rounds"), "integer"),
        Column("high", view.say("Interval to, in rounds"), "integer"),
        *(
            Column(f"open_{rounds}", view.say("Still unmet after {rounds} rounds", rounds=rounds), "rate")
            for rounds in ROUNDS_TOLD
        ),
        Column("spells", view.say("Cases followed"), "integer"),
        Column("fixed", view.say("of them met again"), "integer"),
        Column("censored", view.say("of them without an end"), "integer"),
        Column("left_out", view.say("Cases left out"), "integer"),
        Column("repeat_rate", view.say("Repeat rate"), "rate"),
        Column("repeat_low", view.say("Repeat rate from"), "rate"),
        Column("repeat_high", view.say("Repeat rate to"), "rate"),
    ]
    told = table.iloc[0 if THIS in names else -1]
    return Panel(
        key=key,
        title=title,
        table=table,
        columns=tuple(columns),
        chart=draw,
        on_pick=None if THIS in names else _open_measure,
        note=join_sentences(
            view.language,
            [
                view.say("The curve shows how many rounds a fix usually takes; band: 95 % interval."),
                say_repeat(view, table) if THIS in names else "",
                say_cases(view, told),
                say_test(view, times, is_of_item=THIS in names),
            ],
        ),
        definition=view.say(
            "Share of cases that are still partly met or not met so many answers after the first unmet one, by Kaplan "
            "and Meier (1958), with Greenwood's variance and intervals on the log-log scale; groups are compared by "
            "the log-rank test (Mantel 1966). Cases without an end last to this day, or ended as not applicable. Cases "
            "of one entity are taken as independent of each other, so that intervals are rather too narrow."
        ),
    )


def make_table(view: View, spells: pd.DataFrame, times: FixTimes, names: Mapping[str, str]) -> pd.DataFrame:
    """One row per group, and one of all together, with the time to fix and the repeat rate."""
    whole = estimate_time_to_fix(spells)
    groups = pd.concat([times.groups, whole.groups.assign(**{GROUP: ALL})], ignore_index=True)
    curves = pd.concat([times.curves, whole.curves.assign(**{GROUP: ALL})], ignore_index=True)
    repeats = pd.concat([measure_repeat(spells, GROUP), measure_repeat(spells).assign(**{GROUP: ALL})])
    repeats = repeats.rename(columns={"low": "repeat_low", "high": "repeat_high"})
    order = {code: place for place, code in enumerate(names)}
    table = groups.merge(repeats[[GROUP, "repeat_rate", "repeat_low", "repeat_high"]], on=GROUP)
    return (
        table.assign(
            name=[names.get(code, code) for code in table[GROUP]],
            censored=table["spells"] - table["fixed"],
            place=table[GROUP].map(order).fillna(len(order)),
            **{
                f"open_{rounds}": [find_open_rate(curves, one, rounds) for one in table[GROUP]]
                for rounds in ROUNDS_TOLD
            },
        )
        .sort_values("place", kind="stable")
        .reset_index(drop=True)
    )


def find_open_rate(curves: pd.DataFrame, group: str, rounds: int) -> float:
    """The share that is still unmet after so many rounds; none where nobody was followed for so long."""
    curve = curves[curves[GROUP] == group]
    if curve.empty or (curve["rounds"].max() < rounds and curve["open_rate"].iloc[-1] > 0):
        return float("nan")
    return float(curve.loc[curve["rounds"] <= rounds, "open_rate"].iloc[-1])


def say_repeat(view: View, table: pd.DataFrame) -> str:
    """How often an unmet answer to the item repeats, beside the other items."""
    by_group = table.set_index(GROUP)
    rate, low, high = by_group.loc[THIS, ["repeat_rate", "repeat_low", "repeat_high"]]
    if pd.isna(rate):
        return view.say("No unmet answer was followed by another answer, so that no repeat rate is told.")
    own = say_with_interval(view, rate, low, high)
    if OTHERS not in by_group.index or pd.isna(by_group.loc[OTHERS, "repeat_rate"]):
        return view.say("An unmet answer is unmet again at the next one in {rate} of cases.", rate=own)
    return view.say(
        "An unmet answer is unmet again at the next one in {rate} of cases, with all other items in {others}.",
        rate=own,
        others=say_percent(by_group.loc[OTHERS, "repeat_rate"]),
    )


def say_cases(view: View, told: pd.Series) -> str:
    """How many cases are behind the curves, and which do not say how long a fix takes."""
    followed = view.say(
        "Cases followed: {spells}; {censored} of them were not met again as far as was seen and count up to there.",
        spells=say_number(told["spells"]),
        censored=say_number(told["censored"]),
    )
    if not told["left_out"]:
        return followed
    left_out = view.say(
        "{left_out} more are left out, as they began with the first answer there is and nobody knows how long they had "
        "lasted; they may be the longest.",
        left_out=say_number(told["left_out"]),
    )
    return join_sentences(view.language, [followed, left_out])


def say_test(view: View, times: FixTimes, *, is_of_item: bool) -> str:
    """Whether the groups differ by more than chance."""
    if times.p_value != times.p_value:
        return ""
    chance = say_p_value(view, times.p_value)
    if times.p_value < CERTAIN:
        return (
            view.say("The item differs from the others by more than chance would make it ({p}).", p=chance)
            if is_of_item
            else view.say("The measures differ by more than chance would make them ({p}).", p=chance)
        )
    return (
        view.say("That the item differs from the others may be chance ({p}).", p=chance)
        if is_of_item
        else view.say("That the measures differ may be chance ({p}).", p=chance)
    )


def say_p_value(view: View, p_value: float) -> str:
    """The p-value of the log-rank test."""
    return (
        view.say("log-rank test, p below 0.001")
        if p_value < 0.001
        else view.say("log-rank test, p = {p}", p=f"{p_value:.3f}")
    )


def _open_measure(picked: Mapping[str, Any]) -> None:
    if picked[GROUP] not in (ALL, NOT_STATED):
        open_page("items", measure=(picked[GROUP],))
