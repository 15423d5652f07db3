"""A source drafted from a file: what each column and each answer is, with guesses to be confirmed; nobody types SQL."""

from __future__ import annotations

import copy
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import streamlit as st

from dashboard.access.entrance import only_for
from dashboard.data.import_words import CHOICES, GIVEN, INSPECTION_TYPES, KINDS, VERDICTS, Desk, say_field, say_kind
from dashboard.engine import EngineProblem, ask_engine, write_whole
from dashboard.inbox import Batch, Gone, Look, begin_proposing, choose, end_proposing
from dashboard.words import N_, plain, say_number

SECONDS: Final = 60
GUESS: Final = "guess"
SURE: Final = "sure"
NARROWEST: Final = 300
MOST_EXAMPLES: Final = 3
LONGEST_EXAMPLE: Final = 30
PERIOD_FIELDS: Final = {
    "answer": {"period", "performed_on", "submitted_on"},
    "finding": {"period", "raised_on", "performed_on"},
    "plan": {"period", "due_on"},
}
"""Columns of which any says the period of a row, by what the row is."""
OUTSIDE: Final = {"entity": "entity_code", "period": "period"}
"""What a person may give for a file, and the field that it is."""
BY_HAND: Final = "by hand"
BY_COLUMNS: Final = "by columns"
PLACES: Final = {
    "file_name": N_("from the file's name"),
    "sheet": N_("from the sheet's name"),
    "label": N_("from a cell beside “{label}”"),
    "title": N_("from a line above the table"),
}


def offer_draft(desk: Desk, batch: Batch, look: Look, load: Mapping[str, Any], key: str) -> None:
    """A button that drafts a source from a file."""
    package = load["package"]
    upload = next((one for one in look.uploads if one.name == (package or load["file"])), None)
    if upload:
        st.button(
            desk.say("Describe this layout"),
            key=f"describe-{key}",
            icon=":material/edit_note:",
            help=desk.say("For a file that no source describes: say what its columns and answers are."),
            on_click=partial(_begin, batch, upload.key, str(load["file"]) if package else None),
        )


def is_drafting(batch: Batch) -> bool:
    """Whether a source is being drafted from a file of the batch."""
    return batch.propose.read_asked() is not None or batch.propose.read_result() is not None


def show(desk: Desk, batch: Batch) -> None:
    """The draft as a form, once it is made."""
    outcome = batch.propose.collect()
    with st.container(border=True, key="import-draft"):
        if outcome is None:
            st.subheader(desk.say("The layout is being looked at"), anchor=False)
            watch(batch)
        elif outcome.answer is None:
            st.subheader(desk.say("This file cannot be described"), anchor=False)
            st.error(plain(outcome.error or desk.say("Looking at it broke off. Try again, or try a shorter file.")))
        else:
            _show_form(desk, batch, outcome.asked, dict(outcome.answer))
        st.button(desk.say("Back without describing it"), key="end-draft", on_click=partial(_end, batch))


@st.fragment(run_every=timedelta(seconds=1))
def watch(batch: Batch) -> None:
    """Wait for the draft."""
    if not batch.propose.is_running():
        st.rerun()
    st.progress(0.0)


def _show_form(desk: Desk, batch: Batch, file: str, proposal: dict[str, Any]) -> None:
    st.subheader(desk.say("Describe the layout of {file}", file=plain(file)), anchor=False)
    st.text(
        desk.say(
            "Say once what the columns and answers are; files of this layout are then recognised by themselves. "
            "Guesses are marked: please look at them."
        )
    )
    if proposal["questions"]:
        with st.expander(desk.say("Questions that the file leaves open ({number})", number=len(proposal["questions"]))):
            for question in proposal["questions"]:
                st.text(f"・{question}")
    kinds = [kind for kind in proposal["fields"] if kind in KINDS]
    key = f"draft-{batch.name}"
    kind = st.selectbox(
        desk.say("What a row of this file is"),
        kinds,
        index=kinds.index(proposal["kind"]),
        format_func=lambda one: say_kind(desk, one),
        key=f"{key}-kind",
        width=NARROWEST,
    )
    edited = copy.deepcopy(proposal) | {"kind": kind or proposal["kind"]}
    with st.form(key, border=False):
        _ask_columns(desk, edited, key)
        _ask_answers(desk, edited, key)
        _ask_outside(desk, edited, key)
        name = st.text_input(
            desk.say("Name of this layout"),
            value=make_name(file),
            key=f"{key}-name",
            width=NARROWEST,
            max_chars=60,
            help=desk.say("Small Latin letters, digits and _, beginning with a letter."),
        )
        if st.form_submit_button(desk.say("Use this description"), type="primary", key=f"{key}-use"):
            problem = _describe(desk, batch, file, edited, name)
            if problem is None:
                st.rerun()
            st.error(plain(problem).replace("\n", "  \n"), icon=":material/error:")


def _ask_columns(desk: Desk, edited: dict[str, Any], key: str) -> None:
    """What each column is: one selector for each."""
    _head(desk.say("What the columns are"))
    fields = list(edited["fields"][edited["kind"]])
    grid = st.grid(3, min_column_width=NARROWEST)
    for number, column in enumerate(edited["columns"]):
        if not column["heading"]:
            continue
        found = column["field"] if column["field"] in fields else None
        options = ["", *fields]
        with grid, st.container(gap=None):
            chosen = st.selectbox(
                f"**{plain(str(column['heading']))}**{_mark(desk, column['sure'] if found else SURE)}",
                options,
                index=options.index(found or ""),
                format_func=_say_or(desk.say("Not used"), lambda one: say_field(desk, one)),
                key=f"{key}-{edited['kind']}-column-{number}",
            )
            examples = [str(one)[:LONGEST_EXAMPLE] for one in column["examples"][:MOST_EXAMPLES]]
            st.caption(plain(" · ".join(examples)) or desk.say("No cell of it is filled."))
        column["field"] = chosen or None
        column["sure"] = SURE


def _ask_answers(desk: Desk, edited: dict[str, Any], key: str) -> None:
    """What each answer means, and each text of the columns with fixed values."""
    lists: list[tuple[str, str, str, Mapping[str, str], list[dict[str, Any]]]] = []
    if edited["answers"] and edited["kind"] == "answer":
        lists.append((desk.say("What the answers mean"), "answers", "verdict", VERDICTS, edited["answers"]))
    used = {column["field"] for column in edited["columns"]}
    for name, texts in edited["maps"].items():
        if name in CHOICES and name in used and texts:
            title = desk.say("What the texts of “{field}” mean", field=say_field(desk, name))
            lists.append((title, f"map-{name}", "choice", CHOICES[name], texts))
    for title, place, word, meanings, texts in lists:
        _head(title)
        grid = st.grid(4, min_column_width=NARROWEST // 2)
        for number, one in enumerate(texts):
            with grid:
                label = plain(str(one["text"])) if one["text"] else desk.say("(empty cell)")
                one[word] = st.selectbox(
                    f"**{label}** ({say_number(one['count'])}){_mark(desk, one['sure'])}",
                    list(meanings),
                    index=list(meanings).index(one[word]) if one[word] in meanings else 0,
                    format_func=partial(_say_meaning, desk, meanings),
                    key=f"{key}-{place}-{number}",
                )
                one["sure"] = SURE


def _ask_outside(desk: Desk, edited: dict[str, Any], key: str) -> None:
    """Where entity and period come from, and what the file does not say at all."""
    _head(desk.say("What stands outside the table"))
    kept = [one for one in edited["captures"] if one["field"] not in OUTSIDE.values()]
    grid = st.grid(3, min_column_width=NARROWEST)
    used = {column["field"] for column in edited["columns"]}
    if edited["kind"] in ("answer", "finding", "plan"):
        for name, field in OUTSIDE.items():
            found = {
                str(place): one
                for place, one in enumerate(edited["captures"])
                if one["field"] == field and one["place"] in PLACES
            }
            saying = PERIOD_FIELDS[edited["kind"]] if name == "period" else {field}
            options = [*found, BY_COLUMNS, BY_HAND]
            first = BY_COLUMNS if saying & used else next(iter(found), BY_HAND)
            sure = [one["sure"] for one in edited["captures"] if one["field"] == field]
            with grid:
                chosen = st.selectbox(
                    f"**{plain(desk.say(GIVEN[name]))}**{_mark(desk, sure[0] if sure else SURE)}",
                    options,
                    index=options.index(first),
                    format_func=_say_place(desk, found),
                    key=f"{key}-outside-{name}",
                )
            if chosen in found:
                kept.append(found[chosen] | {"sure": SURE})
            elif chosen == BY_HAND:
                kept.append({"field": field, "place": "given", "pattern": name, "example": None, "sure": SURE})
    edited["captures"] = kept
    constants = edited["constants"]
    for field in ("checklist_code", "checklist_version"):
        if field in constants:
            with grid:
                constants[field] = st.text_input(
                    f"**{plain(say_field(desk, field))}**{_mark(desk, _is_sure(edited, field))}",
                    str(constants[field]),
                    key=f"{key}-{field}",
                )
    if "inspection_type" in constants:
        types = list(INSPECTION_TYPES)
        with grid:
            constants["inspection_type"] = st.selectbox(
                f"**{plain(say_field(desk, 'inspection_type'))}**{_mark(desk, _is_sure(edited, 'inspection_type'))}",
                types,
                index=types.index(constants["inspection_type"]) if constants["inspection_type"] in types else 0,
                format_func=lambda one: desk.say(INSPECTION_TYPES[one]),
                key=f"{key}-inspection_type",
            )
    if edited["kind"] == "answer":
        edited["brings_items"] = st.checkbox(
            desk.say("The checklist items come from this file too"), bool(edited["brings_items"]), key=f"{key}-items"
        )
    if edited["kind"] != "entity":
        edited["brings_entities"] = st.checkbox(
            desk.say("Add entities of this file that are not known yet"),
            bool(edited["brings_entities"]),
            key=f"{key}-entities",
        )


def _is_sure(edited: Mapping[str, Any], constant: str) -> str:
    return SURE if constant in edited["sure_constants"] else GUESS


def _mark(desk: Desk, sure: str) -> str:
    """A mark beside what was guessed."""
    said = desk.say("please confirm")
    return f" :orange[:material/help: {plain(said)}]" if sure != SURE else ""


def _head(title: str) -> None:
    st.markdown(f"**{plain(title)}**")


def _say_meaning(desk: Desk, meanings: Mapping[str, str], value: str) -> str:
    return desk.say(meanings[value])


def _say_or(nothing: str, say: Callable[[str], str]) -> Callable[[str], str]:
    return lambda one: say(one) if one else nothing


def _say_place(desk: Desk, found: Mapping[str, Mapping[str, Any]]) -> Callable[[str], str]:
    def say(chosen: str) -> str:
        if chosen == BY_HAND:
            return desk.say("given by hand for each file")
        if chosen == BY_COLUMNS:
            return desk.say("from the columns of the table")
        one = found[chosen]
        place = PLACES[one["place"]]
        said = desk.say(place, label=one["pattern"])
        return f"{said}: {one['example']}" if one["example"] else said

    return say


def make_name(file: str) -> str:
    """A name for a source, made of the Latin letters of the file's name."""
    stem = unicodedata.normalize("NFKC", Path(file).stem).lower()
    words = [word for word in re.split(r"[^a-z]+", stem) if word]
    return "_".join(words)[:50].strip("_") or "layout"


def _describe(desk: Desk, batch: Batch, file: str, edited: Mapping[str, Any], name: str) -> str | None:
    """Make a source of the confirmed draft and use it for the file; the sentences that say why not, or nothing."""
    try:
        path = batch.folder / "proposal.json"
        write_whole(path, json.dumps(edited, ensure_ascii=False))
        arguments = ["describe", str(path.resolve()), "--name", name, "--home", str(batch.home.resolve()), "--json"]
        ask_engine(arguments, SECONDS)
        end_proposing(batch)
        choose(batch, [file], source=name)
    except EngineProblem as problem:
        return str(problem) or desk.say("The description could not be kept. Try again.")
    except (Gone, FileNotFoundError):
        return desk.say("This batch was discarded meanwhile; drop the files again.")
    return None


@only_for("data_steward")
def _begin(batch: Batch, upload: str, member: str | None) -> None:
    try:
        begin_proposing(batch, upload, member)
    except Gone:
        return


@only_for("data_steward")
def _end(batch: Batch) -> None:
    try:
        end_proposing(batch)
    except Gone:
        return
