"""Items that one entity has not met for long, with what they ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard.downloads import Column
from dashboard.drill.chronic import TYPE
from dashboard.drill.item_names import ITEM, read_newest_versions
from dashboard.navigation import open_page
from dashboard.panels import Panel, remembered, say_nothing
from dashboard.view import View
from dashboard.words import join_sentences, say_number
from insights.chronic import LEAST_ROUNDS, find_chronic


def show_chronic(view: View) -> None:
    """The items that stay not met here, or that there is none."""
    if find_cases(view).empty:
        silence = view.say(
            "No item that is open here was not met for {rounds} rounds or more, up to the newest period shown.",
            rounds=LEAST_ROUNDS,
        )
        say_nothing(view, "entity-chronic", title_chronic(view), silence)
    else:
        show_items(view)


def title_chronic(view: View) -> str:
    """Title of the panel."""
    return view.say("What stays not met here")


def find_cases(view: View) -> pd.DataFrame:
    """Spells of the entity that still last with many rounds of not met, those of critical items first."""

    def find() -> pd.DataFrame:
        return find_chronic(view.read_spells(least_not_met=LEAST_ROUNDS, only_current=True), critical_first=True)

    return view.remember("chronic items of the entity", find)


@remembered
def show_items(view: View) -> Panel:
    """Items that have been not met for many rounds and still are, critical ones first."""
    cases = find_cases(view)
    facts = read_newest_versions(view).reindex(cases[ITEM])
    language = view.language
    table = cases.assign(
        code=facts["item_code"].to_numpy(),
        text=facts[f"item_text_{language}"].to_numpy(),
        since_label=[view.say_period(half) for half in cases["since"]],
        type_label=[view.label_id(TYPE, code) for code in cases[TYPE]],
    )
    columns = [
        Column("code", view.say("Code"), "text"),
        Column("not_met_rounds", view.say("Rounds not met"), "integer"),
        Column("is_critical", view.say("Critical"), "flag"),
        Column("text", view.say("Requirement"), "text"),
        Column("since_label", view.say("Unmet since"), "text"),
        Column("is_from_start", view.say("Since its first answer"), "flag"),
    ]
    if view.has_several_types:
        columns.append(Column("type_label", view.label_dimension(TYPE), "text"))
    notes = [
        view.say(
            "Items that stayed not met round after round, {number} here: worth a look at what stands in the way.",
            number=say_number(len(table)),
        ),
        view.say("Critical items first, then the longest; a click opens the item."),
    ]
    return Panel(
        key="entity-chronic",
        title=title_chronic(view),
        table=table,
        columns=tuple(columns),
        on_pick=_open_item,
        note=join_sentences(language, notes),
        definition=view.say(
            "Items whose newest answers of this entity are partly met or not met in a row, with at least {rounds} of "
            "them not met, up to the newest period shown; rounds without an answer are passed over.",
            rounds=LEAST_ROUNDS,
        ),
    )


def _open_item(picked: Mapping[str, Any]) -> None:
    open_page("items", item_lineage=(picked[ITEM],))
