"""Checklist items: the weakest, where they are weak, and all of them with their way through the periods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboard import cards, panels, rates
from dashboard.cards import Card
from dashboard.downloads import Column
from dashboard.drill.chronic import show_chronic
from dashboard.drill.item import show_item
from dashboard.drill.item_names import ITEM, ItemView, name_items, read_newest_versions
from dashboard.drill.like_for_like import show_like_for_like
from dashboard.drill.quality import show_quality
from dashboard.drill.time_to_fix import show_time_to_fix
from dashboard.figures import find_changes, list_heads
from dashboard.navigation import open_page
from dashboard.panels import Panel, offer_tables, show_rows
from dashboard.view import PERIOD, View
from dashboard.words import join_sentences, plain, say_number, say_percent
from metrics.targets import read_targets

MOST_IN_HEAT: Final = 15
LETTERS: Final = 28
TABLE_HEIGHT: Final = 560
RATE: Final = "compliance_rate"


def show(view: View) -> None:
    """The page: one item where one is chosen, else all that the filters leave."""
    chosen = view.selection.values(ITEM)
    if len(chosen) == 1:
        show_item(name_items(view), chosen[0])
        return
    panels.show_heading(
        view,
        view.say("Checklist items"),
        view.say("Which requirements are met least, and where? A click on an item opens it."),
    )
    newest = cards.find_newest_period(view)
    if newest is None:
        panels.show_no_rows(view, "answers")
        return
    named = name_items(view)
    previous = cards.find_period_before(view, newest)
    show_item_cards(named, newest, previous)
    with st.grid(2, min_column_width=panels.PANEL_WIDTH):
        rates.show_rank(
            named,
            RATE,
            ITEM,
            period=newest,
            title=view.say("Weakest items, {period}", period=view.say_period(newest)),
            key="weakest-items",
            on_pick=_open_item,
            most=MOST_IN_HEAT,
        )
        rates.show_heat(
            named,
            RATE,
            ITEM,
            "region",
            period=newest,
            most=MOST_IN_HEAT,
            letters=LETTERS,
            with_totals=False,
            key="items-by-region",
            on_pick=_open_item_of_region,
            note=view.say("The weakest items over all regions. Deeper colour: weaker. An empty cell has no answers."),
        )
        show_chronic(named)
        show_time_to_fix(named)
        show_like_for_like(named)
    show_quality(named)
    show_all_items(named, newest, previous)


def show_item_cards(view: ItemView, newest: str, previous: str | None) -> None:
    """How many items there are, how many are below the target, and how many moved."""
    now = view.ask((RATE,), (ITEM,), period=newest).dropna(subset=[RATE])
    compared = view.say("In {period}", period=view.say_period(newest))
    if previous:
        compared = view.say(
            "{period}, change against {previous}", period=view.say_period(newest), previous=view.say_period(previous)
        )
    st.caption(compared)
    over_time = view.ask((RATE,), (PERIOD,)).set_index(PERIOD).reindex(list(view.periods))
    shown = [
        cards.build_rate_card(view, over_time, RATE, newest, previous),
        Card(
            view.say("Items with a rate"),
            say_number(len(now)),
            view.say(
                "{number} answers",
                number=say_number(view.ask(("answers",), period=newest, with_entities=False)["answers"].iloc[0]),
            ),
            view.say("Checklist items with at least one answer that counts; versions of one item count once."),
        ),
    ]
    target = read_targets(RATE, [newest])[newest]
    if target is not None:
        below = int((now[RATE] < target).sum())
        shown.append(
            Card(
                view.say("Items below the target"),
                say_number(below),
                view.say("target {rate}", rate=say_percent(target, 0)),
                view.say("Items whose compliance rate is below the target of the fiscal year."),
            )
        )
        critical = read_newest_versions(view)["is_critical"].reindex(now[ITEM]).fillna(False).to_numpy(dtype=bool)
        shown.append(
            Card(
                view.say("Critical below target"),
                say_number(int(((now[RATE] < target).to_numpy() & critical).sum())),
                view.say("of {number} critical items", number=say_number(int(critical.sum()))),
                view.say("Items that the checklist marks as critical."),
            )
        )
    if previous:
        changes = find_item_changes(view, newest, previous).dropna()
        shown.append(
            Card(
                view.say("Items that fell"),
                say_number(int((changes < 0).sum())),
                view.say("{number} rose", number=say_number(int((changes > 0).sum()))),
                view.say("Items whose compliance rate is lower than in the period before, of those asked in both."),
            )
        )
    cards.show_cards(shown)


def find_item_changes(view: ItemView, newest: str, previous: str | None) -> pd.Series:
    """Change of each item since the period before, in percentage points."""
    if previous is None:
        return pd.Series(dtype=float)
    before, after = (view.ask((RATE,), (ITEM,), period=period, with_entities=False) for period in (previous, newest))
    return find_changes(view, RATE, (ITEM,), before, after).set_index(ITEM)["change"]


def read_all_items(view: ItemView, newest: str, previous: str | None) -> tuple[pd.DataFrame, list[str]]:
    """Every item with a rate, the weakest first, and the periods that its columns of rates are of."""
    frame = view.ask((RATE, "applicable_answers"), (ITEM,), period=newest).dropna(subset=[RATE])
    facts = read_newest_versions(view).reindex(frame[ITEM])
    # A trend of the one period shown would say nothing, so that it is of every period, whatever the span.
    whole = view.loosen("period")
    paths = whole.ask((RATE, "answers"), (PERIOD, ITEM), with_entities=False).dropna(subset=[RATE])
    paths = paths[paths[PERIOD] <= newest].pivot(index=ITEM, columns=PERIOD, values=RATE).reindex(frame[ITEM])
    language = view.language
    items = pd.DataFrame(
        {
            "id": frame[ITEM].to_numpy(),
            "checklist": facts["checklist_code"].to_numpy(),
            "code": facts["item_code"].to_numpy(),
            "text": facts[f"item_text_{language}"].to_numpy(),
            "measure": facts[f"measure_{language}"].to_numpy(),
            "category": facts[f"category_{language}"].to_numpy(),
            "is_critical": facts["is_critical"].fillna(False).to_numpy(dtype=bool),
            "rate": frame[RATE].to_numpy(),
            "change": find_item_changes(view, newest, previous).reindex(frame[ITEM]).to_numpy(),
            "answers": frame["applicable_answers"].to_numpy(),
            "entities": list_heads(view, frame, RATE),
            "trend": [[rate for rate in path if rate == rate] for path in paths.to_numpy()],
            **{period: paths[period].to_numpy() for period in paths.columns},
        }
    )
    return items.sort_values(["rate", "id"], ignore_index=True), list(paths.columns)


def show_all_items(view: ItemView, newest: str, previous: str | None) -> None:
    """Every item, the weakest first, with its way through all periods."""
    table, periods = view.remember(f"all items {newest}", lambda: read_all_items(view, newest, previous))
    columns = (
        Column("rate", view.label_metric(RATE), "rate"),
        Column("change", view.say("Change"), "points"),
        Column("trend", view.say("Trend"), "text"),
        Column("code", view.say("Code"), "text"),
        Column("text", view.say("Requirement"), "text"),
        Column("measure", view.label_dimension("measure"), "text"),
        Column("category", view.label_dimension("category"), "text"),
        Column("is_critical", view.say("Critical"), "flag"),
        Column("answers", view.label_metric("applicable_answers"), "integer"),
        Column("entities", view.say("Entities"), "text"),
        Column("checklist", view.say("Checklist"), "text"),
    )
    filed = (
        *(column for column in columns if column.name != "trend"),
        *(Column(period, view.say_period(period), "rate") for period in periods),
    )
    first, last = (view.say_period(period) for period in (periods[0], periods[-1]))
    title = view.say("All items, {period}", period=view.say_period(newest))
    trend = view.say("Trend: {first} to {last}; periods without answers are left out.", first=first, last=last)
    with st.container(border=True, key="all-items"):
        st.subheader(plain(title), anchor=False)
        low = min(0.5, float(table[periods].min().min()))
        extra = {
            "trend": st.column_config.LineChartColumn(view.say("Trend"), y_min=low, y_max=1.0, width="small"),
            "text": st.column_config.TextColumn(view.say("Requirement"), width="large"),
        }
        show_rows(view, table, columns, "all-items-rows", title, _open_item, TABLE_HEIGHT, extra)
        with st.container(horizontal=True, vertical_alignment="center", key="all-items-foot"):
            st.caption(
                join_sentences(view.language, [view.say("{number} items.", number=say_number(len(table))), trend])
            )
            offer_tables(view, Panel("all-items", title, table, filed, (RATE,), note=trend))


def _open_item(picked: Mapping[str, Any]) -> None:
    open_page("items", item_lineage=(picked["id"],))


def _open_item_of_region(picked: Mapping[str, Any]) -> None:
    if picked["row_id"]:
        open_page("items", item_lineage=(picked["row_id"],), region=(picked["column_id"],))
