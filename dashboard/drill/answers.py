"""Answers: the figure of the view, and every row behind it, to search, to order and to read in full."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboard import filters, panels
from dashboard.cards import Card, show_cards
from dashboard.drill.verdicts import VERDICT_LABELS, list_labels, show_verdicts
from dashboard.figures import say_heads
from dashboard.lists import show_listing, turn_to_first
from dashboard.navigation import open_page, opener
from dashboard.view import View
from dashboard.words import N_, join_values, plain, say_day, say_moment, say_number, say_percent

EVERY_VERDICT: Final = "all"
ORDERS: Final[dict[str, tuple[str, str | None]]] = {
    "newest": (N_("Newest first"), None),
    "entity": (N_("By entity"), "entity"),
    "item": (N_("By checklist item"), "item_code"),
    "score": (N_("Lowest score first"), "score"),
}
"""What each order is called, and the column that it sorts by; None is the listing's own order, newest first."""
COLUMNS: Final = (
    "fiscal_half", "entity", "item_code", "verdict", "item_text", "answer", "comment", "score", "has_evidence",
    "measure", "category", "inspection_type", "inspecting_entity", "performed_on", "file_name", "sheet", "row_no",
)  # fmt: skip
PICKED_STATE: Final = "answers.picked"
MOST_OF_AN_ITEM: Final = 500


def show(view: View) -> None:
    """The page."""
    verdict = filters.choose_own("verdict", (EVERY_VERDICT, *VERDICT_LABELS), EVERY_VERDICT)
    search = filters.keep_own("q", "")
    order = filters.choose_own("order", tuple(ORDERS), "newest")
    panels.show_heading(
        view, view.say("Answers"), view.say("Which rows make the figure? A click on a row shows it in full.")
    )
    if not panels.has_rows(view, "answers"):
        panels.show_no_rows(view, "answers")
        return
    show_figure(view)
    show_verdicts(
        view,
        title=view.say("Answers by verdict"),
        key="answers-by-verdict",
        over_time=False,
        on_pick=_list_verdict,
        note=view.say("A click on a part lists its answers."),
    )
    show_choices(view)
    ids: dict[str, Any] = {"verdict": (verdict,)} if verdict != EVERY_VERDICT else {}
    show_listing(
        view,
        "answers",
        COLUMNS,
        key="answers-list",
        title=view.say("Rows"),
        search=search,
        order=ORDERS[order][1],
        page_parameter="page",
        on_pick=_keep_row,
        note=view.say("The search narrows the list, not the figures above.") if search else "",
        empty=view.say("No answer has this verdict and these words. Clear the search or choose all verdicts."),
        **ids,
    )
    show_picked_row(view)


def show_figure(view: View) -> None:
    """The compliance rate that all these rows make, with its parts."""
    frame = view.ask(("compliance_rate", "answers", "applicable_answers"))
    rate = frame.iloc[0]
    show_cards(
        [
            Card(
                view.label_metric("compliance_rate"),
                say_percent(rate["compliance_rate"]),
                f"{say_number(rate['compliance_rate_numerator'])} / {say_number(rate['compliance_rate_denominator'])}",
                view.describe_metric("compliance_rate"),
            ),
            Card(
                view.label_metric("answers"),
                say_number(rate["answers"]),
                view.say("one row each"),
                view.describe_metric("answers"),
            ),
            Card(
                view.label_metric("applicable_answers"),
                say_number(rate["applicable_answers"]),
                view.say("the others are in no rate"),
                view.describe_metric("applicable_answers"),
            ),
            Card(
                view.say("Entities contributing"),
                say_heads(view, rate["compliance_rate_contributing"], rate["compliance_rate_expected"]),
                "",
                view.say("Entities behind the compliance rate, of those whose inspection was planned or done."),
            ),
        ]
    )


def show_choices(view: View) -> None:
    """Search box, order and verdicts; each begins at the first page again."""
    frame = view.ask(("answers",), ("verdict",), with_entities=False)
    counts = dict(zip(frame["verdict"], frame["answers"], strict=True))
    labels = {EVERY_VERDICT: view.say("All")} | list_labels(view)
    counts[EVERY_VERDICT] = sum(counts.values())
    searching, ordering = st.columns([3, 1])
    searching.text_input(
        view.say("Search"),
        key=filters.own_state("q"),
        placeholder=view.say("Any part of an answer, a comment, an item or an entity"),
        icon=":material/search:",
        on_change=turn_to_first,
    )
    ordering.selectbox(
        view.say("Order"),
        list(ORDERS),
        key=filters.own_state("order"),
        format_func=lambda one: view.say(ORDERS[one][0]),
        on_change=turn_to_first,
    )
    st.segmented_control(
        view.label_dimension("verdict"),
        list(labels),
        key=filters.own_state("verdict"),
        format_func=lambda one: f"{labels[one]} ({say_number(counts.get(one, 0))})",
        required=True,
        on_change=turn_to_first,
    )


def show_picked_row(view: View) -> None:
    """The row that was clicked, in full, while it is among those that the filters leave."""
    row = find_picked_row(view)
    if row is None:
        return
    language = view.language
    with st.container(border=True, key="answer-in-full"):
        st.subheader(view.say("The row in full"), anchor=False)
        with st.container(horizontal=True, key="answer-ways"):
            st.button(
                plain(row[f"entity_{language}"]),
                icon=":material/apartment:",
                on_click=opener("entity", entity=(row["entity"],)),
                key="to-entity",
                help=view.say("Opens the entity."),
            )
            st.button(
                view.say("Checklist item {code}", code=plain(row["item_code"])),
                icon=":material/checklist:",
                on_click=opener("items", item_lineage=(row["item_lineage"],)),
                key="to-item",
                help=view.say("Opens the checklist item."),
            )
            st.button(
                view.say("Close"), icon=":material/close:", on_click=_forget_row, key="close-row", type="tertiary"
            )
        asked, said = st.columns(2, gap="large")
        with asked:
            show_fact(view.say("Requirement"), row[f"item_text_{language}"])
            other = "ja" if language == "en" else "en"
            if row[f"item_text_{other}"] != row[f"item_text_{language}"]:
                st.text(row[f"item_text_{other}"])
            show_fact(
                view.say("Measure, category and weight"),
                join_values(
                    language, [row[f"measure_{language}"], row[f"category_{language}"], say_number(row["weight"])]
                ),
            )
            show_fact(
                view.say("Inspection"),
                join_values(
                    language,
                    [row[f"inspection_type_{language}"], view.say_period(row["fiscal_half"]), row["checklist_version"]],
                ),
            )
            show_fact(view.say("Inspected by"), row[f"inspecting_entity_{language}"])
            show_fact(view.say("Performed"), say_day(row["performed_on"]) if pd.notna(row["performed_on"]) else "")
        with said:
            score = view.say(" (score {score})", score=say_number(row["score"])) if pd.notna(row["score"]) else ""
            show_fact(view.label_dimension("verdict"), f"{row[f'verdict_{language}']}{score}")
            show_fact(view.label_dimension("answer"), row["answer"])
            show_fact(view.say("Comment"), row["comment"])
            if pd.notna(row["has_evidence"]):
                show_fact(view.say("Evidence"), view.say("yes") if row["has_evidence"] else view.say("no"))
            place = [row["file_name"]] if pd.notna(row["file_name"]) else []
            place += [view.say("sheet {sheet}", sheet=row["sheet"])] if pd.notna(row["sheet"]) else []
            place += [view.say("row {row}", row=row["row_no"])] if pd.notna(row["row_no"]) else []
            show_fact(view.say("Where it comes from"), join_values(language, place))
            known = pd.to_datetime(row["known_from"])
            show_fact(view.say("Known since (UTC)"), say_moment(known) if pd.notna(known) else "")


def show_fact(label: str, value: object) -> None:
    """A label and what was loaded for it, as plain text; nothing where nothing was."""
    if isinstance(value, str) and value.strip():
        with st.container(gap=None):
            st.caption(label)
            st.text(value)


def find_picked_row(view: View) -> pd.Series | None:
    """The row that was clicked; None where there is none, or where the filters no longer leave it."""
    picked = st.session_state.get(PICKED_STATE)
    if not picked:
        return None
    inspection, item, entity = picked
    chosen = view.selection.values("entity")
    if chosen and entity not in chosen:
        return None
    found = view.list_rows("answers", item=(item,), entity=(entity,), limit=MOST_OF_AN_ITEM).frame
    found = found[found["inspection_id"] == inspection]
    return None if found.empty else found.iloc[0]


def _keep_row(picked: Mapping[str, Any]) -> None:
    st.session_state[PICKED_STATE] = (picked["inspection_id"], picked["item"], picked["entity"])


def _forget_row() -> None:
    st.session_state.pop(PICKED_STATE, None)
    open_page()


def _list_verdict(picked: Mapping[str, Any]) -> None:
    turn_to_first()
    open_page(own={"verdict": picked["part_id"]})
