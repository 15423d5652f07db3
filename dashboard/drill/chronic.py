"""Items that stay not met: how many entities have them for long, how often they repeat, and every case by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from dashboard import rates
from dashboard.charts.parts import Chart
from dashboard.charts.ranks import draw_bars
from dashboard.downloads import Column
from dashboard.drill.item_names import ITEM, ItemView, read_newest_versions
from dashboard.navigation import open_page
from dashboard.panels import Panel, remembered, say_nothing
from dashboard.view import View
from dashboard.words import join_sentences, join_values, say_number, say_percent
from insights.chronic import LEAST_ROUNDS, count_chronic_by_item, find_chronic, find_least_rounds, measure_repeat

MOST_DRAWN: Final = 12
MOST_LISTED: Final = 500
TYPE: Final = "inspection_type"
EXPECTED: Final = 0.05
"""Cases that chance alone is expected to bring at the number of rounds from which it is no explanation."""


def show_chronic(view: ItemView) -> None:
    """Items by how many entities have them for long, and every such case."""
    if read_spells(view).empty:
        silence = view.say("No answer was partly met or not met up to the newest period shown.")
        say_nothing(view, "chronic-items", title_items(view), silence)
        return
    show_chronic_items(view)
    if find_cases(view).empty:
        say_nothing(view, "chronic-cases", title_cases(view), say_no_cases(view))
    else:
        show_cases(view)


def read_spells(view: View) -> pd.DataFrame:
    """Spells counted by item, which is of one measure, with the names that insights read."""
    return read_both(view)[0].rename(columns={"spells": "count"})


def find_cases(view: View) -> pd.DataFrame:
    """Spells that still last with many rounds of not met, those of critical items first."""
    return find_chronic(read_both(view)[1], critical_first=True)


def read_both(view: View) -> list[pd.DataFrame]:
    """Spells counted by item, and those that are listed."""
    return view.read_spells_together({"by": (ITEM, "measure")}, {"least_not_met": LEAST_ROUNDS, "only_current": True})


def count_verdicts(view: View) -> pd.DataFrame:
    """Answers by item, inspection type and verdict, one column each, of everything that spells are found in."""
    frame = view.look_back().ask(("answers",), (ITEM, TYPE, "verdict"), with_entities=False)
    counts = frame.pivot_table(index=[ITEM, TYPE], columns="verdict", values="answers", aggfunc="sum")
    return counts.reindex(columns=["met", "partly_met", "not_met"]).fillna(0.0)


def measure_all_repeats(view: View) -> pd.Series:
    """The repeat rate of all items together, its interval, and what it would be if no answer followed another."""
    counts = count_verdicts(view).groupby(ITEM).sum()
    unmet = counts["partly_met"] + counts["not_met"]
    spells = read_spells(view)
    return measure_repeat(spells.assign(base_rate=spells[ITEM].map(unmet / (unmet + counts["met"])))).iloc[0]


def find_least(view: View) -> tuple[int | None, float]:
    """From how many rounds on chance is no explanation, and the number of entities × items that it is reckoned with.

    Rounds of not met are counted through partly met ones, so that the rate is that of not met among not met and met.
    """
    counts = count_verdicts(view)
    asked = view.look_back().ask(("applicable_answers",), (ITEM, TYPE)).set_index([ITEM, TYPE])
    cells = asked["applicable_answers_contributing"].reindex(counts.index).fillna(0.0)
    told = counts["not_met"] + counts["met"]
    known = (told > 0) & (counts["not_met"] > 0)
    return find_least_rounds(counts["not_met"][known] / told[known], cells[known]), float(cells.sum())


def title_items(view: View) -> str:
    """Title of the panel of items."""
    return view.say("Items that stay not met")


def title_cases(view: View) -> str:
    """Title of the list of cases."""
    return view.say("Cases not met for {rounds} rounds or more", rounds=LEAST_ROUNDS)


def say_no_cases(view: View) -> str:
    """Why there is no case."""
    halves = [half for half in view.options.periods["half"] if not view.halves or half <= view.halves[-1]]
    if len(halves) < LEAST_ROUNDS:
        return view.say(
            "A case is listed from {rounds} rounds on; rounds so far: {number}.",
            rounds=LEAST_ROUNDS,
            number=len(halves),
        )
    return view.say("No item is open anywhere that was not met for {rounds} rounds or more.", rounds=LEAST_ROUNDS)


@remembered
def show_chronic_items(view: ItemView) -> Panel:
    """Items by the number of entities that do not get them met, with how often an unmet answer repeats."""
    items = count_chronic_by_item(read_spells(view))
    facts = read_newest_versions(view).reindex(items[ITEM])
    language = view.language
    items = items.assign(
        id=items[ITEM],
        code=facts["item_code"].to_numpy(),
        text=facts[f"item_text_{language}"].to_numpy(),
        measure=facts[f"measure_{language}"].to_numpy(),
        is_critical=facts["is_critical"].fillna(False).to_numpy(dtype=bool),
    )
    repeats = measure_all_repeats(view)
    chronic = items[items["chronic_entities"] > 0]
    names = [f"{code} {text}" for code, text in zip(chronic["code"], chronic["text"], strict=True)]
    drawn = pd.DataFrame(
        {
            "row": rates.make_distinct(names, chronic[ITEM].tolist()),
            "id": chronic[ITEM],
            "count": chronic["chronic_entities"],
            "written": [say_number(count) for count in chronic["chronic_entities"]],
            "open": [say_number(count) for count in chronic["open_entities"]],
            "longest": [say_number(rounds) for rounds in chronic["longest_rounds"]],
            "repeat": [
                say_with_interval(view, *figures)
                for figures in chronic[["repeat_rate", "low", "high"]].itertuples(index=False)
            ],
        }
    )
    title = title_items(view)
    lasting = view.say("Not met for {rounds} rounds or more", rounds=LEAST_ROUNDS)

    def draw() -> Chart:
        tooltips = {
            "row": view.label_dimension(ITEM),
            "written": lasting,
            "open": view.say("Unmet at the newest answer"),
            "longest": view.say("Longest, in rounds"),
            "repeat": view.say("Repeat rate"),
        }
        spec, data = draw_bars(drawn.head(MOST_DRAWN), tooltips, picks=("id",))
        said = [f"{row.row} {row.written}" for row in drawn.head(5).itertuples()]
        figures = join_values(language, said)
        return Chart(spec, data, view.say("Ranking: {title}. First: {figures}.", title=title, figures=figures), ("id",))

    notes = [
        view.say("Entities by item, worth a look at what stands in the way of a fix."),
        view.say("{shown} of {number} are drawn; the table has all.", shown=MOST_DRAWN, number=say_number(len(chronic)))
        if len(chronic) > MOST_DRAWN
        else "",
        say_repeats(view, repeats),
        view.say("An entity counts once for each kind of inspection.") if view.has_several_types else "",
    ]
    return Panel(
        key="chronic-items",
        title=title,
        table=items,
        columns=(
            Column("chronic_entities", lasting, "integer"),
            Column("open_entities", view.say("Unmet at the newest answer"), "integer"),
            Column("longest_rounds", view.say("Longest, in rounds"), "integer"),
            Column("repeat_rate", view.say("Repeat rate"), "rate"),
            Column("low", view.say("Interval from"), "rate"),
            Column("high", view.say("Interval to"), "rate"),
            Column("code", view.say("Code"), "text"),
            Column("text", view.say("Requirement"), "text"),
            Column("measure", view.label_dimension("measure"), "text"),
            Column("is_critical", view.say("Critical"), "flag"),
        ),
        chart=draw if len(drawn) else None,
        on_pick=_open_item,
        note=join_sentences(language, notes),
        definition=view.say(
            "Unmet is partly met or not met. Entities are counted whose newest answers to the item are unmet in a row "
            "with at least {rounds} of them not met; rounds without an answer are passed over. Repeat rate: unmet "
            "answers that were unmet again at the next answer, of those followed by an unmet or a met one: the "
            "probability of staying of a Markov chain (Anderson and Goodman 1957), with a Wilson interval.",
            rounds=LEAST_ROUNDS,
        ),
    )


def say_repeats(view: View, repeats: pd.Series) -> str:
    """How often an unmet answer repeats, beside what answers on their own would give."""
    if pd.isna(repeats["repeat_rate"]):
        return view.say("No unmet answer was followed by another answer, so that no repeat rate is told.")
    return view.say(
        "An unmet answer is unmet again at the next one in {rate} of cases; answers that do not depend on the one "
        "before would repeat in {expected}.",
        rate=say_with_interval(view, repeats["repeat_rate"], repeats["low"], repeats["high"]),
        expected=say_percent(repeats["expected_rate"]),
    )


def say_with_interval(view: View, rate: float, low: float, high: float) -> str:
    """A rate with its 95 % interval."""
    if pd.isna(rate):
        return say_percent(None)
    return view.say("{rate} ({low} to {high})", rate=say_percent(rate), low=say_percent(low), high=say_percent(high))


@remembered
def show_cases(view: ItemView) -> Panel:
    """Every entity and item that has been not met for long and still is, critical items first."""
    cases = find_cases(view)
    least, cells = find_least(view)
    facts = read_newest_versions(view).reindex(cases[ITEM])
    language = view.language
    is_beyond = cases["not_met_rounds"] >= least if least is not None else pd.Series(False, index=cases.index)
    table = cases.assign(
        name=[view.label_id("entity", code) for code in cases["entity"]],
        code=facts["item_code"].to_numpy(),
        text=facts[f"item_text_{language}"].to_numpy(),
        since_label=[view.say_period(half) for half in cases["since"]],
        type_label=[view.label_id(TYPE, code) for code in cases[TYPE]],
        is_beyond=is_beyond,
    )
    if least is None:
        chance = view.say("Whether chance explains them is not told, because an item was never met in these rounds.")
    else:
        chance = view.say(
            "From {rounds} rounds on chance is no explanation ({number} of them): of {cells} entities × items fewer "
            "than {expected} such cases would be expected.",
            rounds=least,
            number=say_number(int(is_beyond.sum())),
            cells=say_number(cells),
            expected=EXPECTED,
        )
    columns = [
        Column("name", view.label_dimension("entity"), "text"),
        Column("code", view.say("Code"), "text"),
        Column("not_met_rounds", view.say("Rounds not met"), "integer"),
        Column("since_label", view.say("Unmet since"), "text"),
        Column("is_critical", view.say("Critical"), "flag"),
        Column("is_beyond", view.say("Beyond chance"), "flag"),
        Column("is_from_start", view.say("Since its first answer"), "flag"),
        Column("rounds", view.say("Rounds unmet"), "integer"),
        Column("text", view.say("Requirement"), "text"),
        Column("entity", view.say("Entity code"), "text"),
    ]
    if view.has_several_types:
        columns.append(Column("type_label", view.label_dimension(TYPE), "text"))
    return Panel(
        key="chronic-cases",
        title=title_cases(view),
        table=table,
        columns=tuple(columns),
        on_pick=_open_entity,
        height=430,
        most_shown=MOST_LISTED,
        note=join_sentences(
            language,
            [
                view.say(
                    "Cases: {number}, critical items first, then the longest; a click opens the entity.",
                    number=say_number(len(table)),
                ),
                chance,
            ],
        ),
        definition=view.say(
            "A case is an entity whose newest answers to an item are partly met or not met in a row, with at least "
            "{rounds} of them not met. If each answer were drawn on its own at its item's rate of not met, the sum of "
            "entities × rate to the power of the rounds would be the number of such cases; chance is no explanation "
            "where it is below {expected} (union bound, Bonferroni 1936). Entities differ, so this tells that "
            "there is a cause, not which.",
            rounds=LEAST_ROUNDS,
            expected=EXPECTED,
        ),
    )


def _open_item(picked: Mapping[str, Any]) -> None:
    open_page("items", item_lineage=(picked["id"],))


def _open_entity(picked: Mapping[str, Any]) -> None:
    open_page("entity", entity=(picked["entity"],))
