"""One checklist item: what it asks, where it comes from, how it is met, who fails it, and what they wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboard import cards, panels, rates
from dashboard.cards import Card
from dashboard.downloads import Column
from dashboard.drill.item_names import ITEM, ItemView, read_versions
from dashboard.drill.time_to_fix import show_item_time_to_fix
from dashboard.drill.verdicts import FAILING, VERDICT_LABELS, say_verdict, show_verdicts, title_verdicts
from dashboard.lists import show_listing
from dashboard.navigation import open_page, opener
from dashboard.panels import Panel, show_panel
from dashboard.view import PERIOD
from dashboard.words import N_, plain, say_number

CHANGES: Final = {
    "carried_over": N_("carried over"),
    "reworded": N_("reworded"),
    "split": N_("split"),
    "merged": N_("merged"),
    "new": N_("new"),
    "dropped": N_("dropped"),
}
CARD_METRICS: Final = ("compliance_rate", "strict_compliance_rate", "not_applicable_rate")
WORST_FIRST: Final = ("not_met", "partly_met", "met", "not_applicable")


def show_item(view: ItemView, lineage: str) -> None:
    """The page of one item, from its text down to the answers."""
    versions = read_versions(view)
    versions = versions[versions[ITEM] == lineage]
    code = versions["item_code"].iloc[0] if len(versions) else lineage
    panels.show_heading(view, view.say("Checklist item {code}", code=code))
    with st.container(horizontal=True, key="item-ways"):
        st.button(
            view.say("All items"),
            icon=":material/arrow_back:",
            on_click=opener("items", item_lineage=()),
            key="to-items",
        )
        st.button(
            view.say("All answers to this item"),
            icon=":material/table_rows:",
            on_click=opener("answers", item_lineage=(lineage,)),
            key="to-answers",
        )
    if len(versions):
        show_requirement(view, versions)
    newest = cards.find_newest_period(view)
    if newest is None:
        panels.show_no_rows(view, "answers")
        show_lineage(view)
        return
    failing = find_failing(ask_verdicts(view))
    show_item_cards(view, newest, failing)
    with st.grid(2, min_column_width=panels.PANEL_WIDTH):
        rates.show_over_time(view, "compliance_rate", "region", on_pick=_open_region, key="item-over-time")
        show_verdicts(
            view,
            title=title_verdicts(view),
            key="item-verdicts",
            on_pick=_open_answers,
            note=view.say("A click on a part lists its answers."),
        )
        show_failing(view, failing)
        show_item_time_to_fix(view, lineage)
    show_lineage(view)
    show_comments(view)


def show_requirement(view: ItemView, versions: pd.DataFrame) -> None:
    """The newest text in both languages, and what the checklist says of it."""
    newest = versions.iloc[0]
    other = "ja" if view.language == "en" else "en"
    facts = [
        (view.say("Checklist"), f"{newest['checklist_code']} {newest['checklist_version']}"),
        (view.say("Code"), newest["item_code"]),
        (view.label_dimension("measure"), newest[f"measure_{view.language}"]),
        (view.label_dimension("category"), newest[f"category_{view.language}"]),
        (view.label_dimension("domain"), newest[f"domain_{view.language}"]),
        (view.say("Weight"), say_number(newest["weight"]) if pd.notna(newest["weight"]) else ""),
        (view.say("Critical"), view.say("yes") if newest["is_critical"] is True else view.say("no")),
        (view.say("Regulation"), newest["regulation_ref"]),
        (view.label_dimension("control"), newest["control_ref"]),
    ]
    with st.container(border=True, key="item-requirement"):
        st.subheader(plain(newest[f"item_text_{view.language}"]), anchor=False)
        if newest[f"item_text_{other}"] != newest[f"item_text_{view.language}"]:
            st.text(newest[f"item_text_{other}"])
        with st.container(horizontal=True, gap="medium", key="item-facts"):
            for label, value in facts:
                if isinstance(value, str) and value:
                    with st.container(gap=None, width="content"):
                        st.caption(label)
                        st.text(value)


def show_item_cards(view: ItemView, newest: str, failing: pd.DataFrame) -> None:
    """The item's rates of the newest period, and how many entities fail it now."""
    previous = cards.find_period_before(view, newest)
    frame = view.ask(CARD_METRICS, (PERIOD,)).set_index(PERIOD).reindex(list(view.periods))
    st.caption(
        view.say(
            "{period}, change against {previous}", period=view.say_period(newest), previous=view.say_period(previous)
        )
        if previous
        else view.say("{period}; no earlier period to compare with", period=view.say_period(newest))
    )
    shown = [cards.build_rate_card(view, frame, metric, newest, previous) for metric in CARD_METRICS]
    # More or fewer items that do not apply are neither good nor bad.
    shown[-1] = replace(shown[-1], change=None)
    long = failing[failing["periods"] > 1]
    shown.append(
        Card(
            view.say("Entities that fail it now"),
            say_number(len(failing)),
            view.say("{number} of them for more than one period", number=say_number(len(long))),
            view.say("Entities whose newest answer is not met or partly met."),
        )
    )
    cards.show_cards(shown)


def ask_verdicts(view: ItemView) -> pd.DataFrame:
    """Verdicts per period and entity, up to the newest period shown and back to the first of all."""
    frame = view.look_back().ask(("answers",), (PERIOD, "entity", "verdict"))
    return frame[frame["answers"] > 0]


def find_failing(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Entities whose newest answer is not met or partly met, with the first period of their unbroken series.

    Of several answers in a period the worst counts; periods without an answer break no series. Longest series first.
    """
    worst = {verdict: place for place, verdict in enumerate(WORST_FIRST)}
    answered = verdicts[verdicts["verdict"].isin(worst)]
    answered = answered.assign(place=answered["verdict"].map(worst)).sort_values("place")
    answered = answered.drop_duplicates([PERIOD, "entity"]).sort_values(PERIOD)
    is_failing = answered["verdict"].isin(FAILING)
    last_good = answered[~is_failing].groupby("entity")[PERIOD].max()
    failed = answered[is_failing]
    failed = failed[failed[PERIOD] > failed["entity"].map(last_good).fillna("")]
    series = failed.groupby("entity").agg(
        since=(PERIOD, "first"),
        newest=(PERIOD, "last"),
        periods=(PERIOD, "size"),
        entity_en=("entity_en", "last"),
        entity_ja=("entity_ja", "last"),
        verdict=("verdict", "last"),
    )
    return series.reset_index().sort_values(["since", "verdict", "entity"], ignore_index=True)


def show_failing(view: ItemView, failing: pd.DataFrame) -> None:
    """Who fails the item, and since when."""
    table = failing.assign(
        name=failing[f"entity_{view.language}"],
        said_verdict=[say_verdict(view, verdict) for verdict in failing["verdict"]],
        since=[view.say_period(code) for code in failing["since"]],
        newest=[view.say_period(code) for code in failing["newest"]],
    )
    columns = (
        Column("name", view.label_dimension("entity"), "text"),
        Column("said_verdict", view.say("Newest answer"), "text"),
        Column("since", view.say("Fails since"), "text"),
        Column("periods", view.say("Periods in a row"), "integer"),
        Column("newest", view.say("Last answered"), "text"),
        Column("entity", view.say("Code"), "text"),
    )
    title = view.say("Who fails it, and since when")
    if table.empty:
        with st.container(border=True, key="item-failing", height="stretch"):
            st.subheader(title, anchor=False)
            st.info(view.say("No entity's newest answer is not met or partly met."), icon=":material/check:")
        return
    show_panel(
        view,
        Panel(
            key="item-failing",
            title=title,
            table=table,
            columns=columns,
            on_pick=_open_entity,
            note=view.say("The longest series first. A click on a row opens the entity."),
            definition=view.say(
                "Entities whose newest answer is not met or partly met. The series goes back, beyond the periods "
                "shown, to the last answer that was met or not applicable; a period without an answer does not break "
                "it. "
                "Of several answers in one period the worst counts."
            ),
        ),
    )


def show_lineage(view: ItemView) -> None:
    """The item through the versions of its checklist, with what became of it."""

    def say_changes(frame: pd.DataFrame) -> pd.DataFrame:
        said = [view.say(CHANGES[change]) if change in CHANGES else change for change in frame["change"]]
        both = {
            end: [
                " ".join(part for part in (str(item).rpartition("|")[2], text) if part) if pd.notna(item) else ""
                for item, text in zip(frame[f"{end}_item"], frame[f"{end}_text_{view.language}"], strict=True)
            ]
            for end in ("from", "to")
        }
        return frame.assign(said=said, earlier=both["from"], later=both["to"])

    show_listing(
        view,
        "lineage",
        ("from_version", "to_version", "said", "earlier", "later"),
        key="item-lineage",
        title=view.say("Through the checklist versions"),
        keep=say_changes,
        on_pick=partial(_open_relative, view),
        note=view.say("A click on a row opens the item it comes from or became."),
        labels={
            "said": view.say("What became of it"),
            "earlier": view.say("Earlier requirement"),
            "later": view.say("Later requirement"),
        },
        empty=view.say("The item stands in one checklist version only."),
    )


def show_comments(view: ItemView) -> None:
    """What was written for the item, comments first."""
    show_listing(
        view,
        "answers",
        ("comment", "verdict", "answer", "entity", "fiscal_half", "inspection_type", "has_evidence"),
        key="item-comments",
        title=view.say("What they wrote"),
        order="comment",
        page_parameter="page",
        on_pick=_open_entity,
        note=view.say(
            "Answers with a comment come first, the same reasons together. A click on a row opens the entity."
        ),
    )


def _open_region(picked: Mapping[str, Any]) -> None:
    if picked["id"]:
        open_page("sites", region=(picked["id"],))


def _open_relative(view: ItemView, picked: Mapping[str, Any]) -> None:
    """Open the item at the other end of a link, or this one in the versions where it goes on."""
    lineages = read_versions(view).set_index("item")[ITEM]
    own = view.selection.values(ITEM)
    ends = [lineages[end] for end in (picked["to_item"], picked["from_item"]) if end in lineages.index]
    others = [end for end in ends if end not in own]
    if others:
        open_page("items", item_lineage=(others[0],))


def _open_answers(picked: Mapping[str, Any]) -> None:
    verdict = picked["part_id"]
    open_page("answers", own={"verdict": verdict} if verdict in VERDICT_LABELS else {}, period=picked["id"] or None)


def _open_entity(picked: Mapping[str, Any]) -> None:
    open_page("entity", entity=(picked["entity"],))
