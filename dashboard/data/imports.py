"""Import: drop exports, look at how they are understood, mend, and publish; nothing changes before that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard import filters
from dashboard.access.entrance import note_act, only_for
from dashboard.answers import Build
from dashboard.data import import_batch, import_draft
from dashboard.data.import_sources import show_sources
from dashboard.data.import_words import STATES, Desk, say_files
from dashboard.inbox import (
    Batch,
    Gone,
    Look,
    State,
    discard,
    find_batch,
    keep_upload,
    list_batches,
    look_at,
    make_batch,
)
from dashboard.words import Language, join_sentences, plain, say_moment
from metrics.warehouse import find_home

DROPS_STATE: Final = "imports.drops"
PROBLEM_STATE: Final = "imports.problem"
NO_BATCH: Final = "none"
MOST_PUBLISHED: Final = 5
STEP_OF: Final[dict[State, int]] = {"empty": 1, "checking": 2, "attention": 2, "failed": 2, "ready": 3, "publishing": 3}


def show(language: Language, build: Build | None) -> None:
    """The page; filters do not apply to files that are not loaded yet."""
    desk = Desk(language, find_home(), build)
    st.title(desk.say("Import"), anchor=False)
    st.caption(
        desk.say("Drop exports, look at how they are understood, and publish them. Nothing changes before you publish.")
    )
    problem = st.session_state.pop(PROBLEM_STATE, "")
    if problem:
        st.error(plain(problem), icon=":material/error:")
    name = filters.choose_own("batch", [NO_BATCH, *(one.name for one in list_batches(desk.home))], NO_BATCH)
    batch = find_batch(desk.home, name)
    try:
        if batch:
            show_batch(desk, batch)
        else:
            show_inbox(desk)
    except Gone:
        # Discarded in another tab.
        leave_batch()
        st.rerun()


def show_inbox(desk: Desk) -> None:
    """The place to drop files, and the batches that are not done."""
    show_steps(desk, 1)
    with st.container(key="import-drop"):
        show_drop(desk, None, desk.say("Drop files here: exports as they are, or a zip of them"))
    looks: list[tuple[Batch, Look]] = []
    for batch in list_batches(desk.home):
        try:
            looks.append((batch, look_at(batch)))
        except Gone:
            continue
    show_batches(desk, desk.say("Open batches"), [one for one in looks if one[1].state != "published"])
    published = [one for one in looks if one[1].state == "published"]
    show_batches(desk, desk.say("Published lately"), published[:MOST_PUBLISHED])
    if any(look.state in ("checking", "publishing") for _, look in looks):
        watch_batches([(batch, look.state) for batch, look in looks])
    show_sources(desk)


def show_batch(desk: Desk, batch: Batch) -> None:
    """One batch from its files to its publication."""
    look = look_at(batch)
    show_steps(desk, STEP_OF.get(look.state, 4))
    with st.container(horizontal=True, vertical_alignment="center", key="batch-head"):
        st.button(desk.say("All batches"), icon=":material/arrow_back:", type="tertiary", on_click=leave_batch)
        st.caption(plain(say_batch(desk, batch, look)), width="content")
        offer_discard(desk, batch, look)
    if import_draft.is_drafting(batch):
        import_draft.show(desk, batch)
        return
    import_batch.show(desk, batch, look)
    if look.state != "publishing":
        label = desk.say("Add files to this batch") if look.state != "published" else desk.say("Drop more files")
        show_drop(desk, batch if look.state != "published" else None, label)


def show_steps(desk: Desk, current: int) -> None:
    """Where the steward is on the way from dropping to publishing."""
    names = (desk.say("Drop"), desk.say("Look and mend"), desk.say("Publish"))
    with st.container(horizontal=True, gap="medium", key="import-steps"):
        for number, name in enumerate(names, 1):
            if number < current:
                st.markdown(f":green[:material/check_circle:] {number} {plain(name)}", width="content")
            elif number == current:
                st.markdown(f":primary[:material/radio_button_checked:] **{number} {plain(name)}**", width="content")
            else:
                st.markdown(f":gray[:material/radio_button_unchecked: {number} {plain(name)}]", width="content")


def show_drop(desk: Desk, batch: Batch | None, label: str) -> None:
    """Where files are dropped; they are on disk before the page is shown again."""
    # A new widget after each drop is an empty one.
    key = f"imports.drop.{st.session_state.get(DROPS_STATE, 0)}"
    st.file_uploader(
        label,
        accept_multiple_files=True,
        key=key,
        on_change=partial(keep_dropped, desk, batch, key),
        help=desk.say("CSV, Excel, JSON, XML and Parquet. What a file is, is seen by its content and name."),
    )


@only_for("data_steward")
def keep_dropped(desk: Desk, batch: Batch | None, key: str) -> None:
    """Keep every dropped file in the batch, or in a new one, and open it."""
    dropped: Sequence[Any] = st.session_state.get(key) or []
    if not dropped:
        return
    st.session_state[DROPS_STATE] = int(st.session_state.get(DROPS_STATE, 0)) + 1
    try:
        into = batch or make_batch(desk.home)
        for one in dropped:
            keep_upload(into, one.name, one)
            forget_upload(one)
    except OSError as error:
        st.session_state[PROBLEM_STATE] = desk.say(
            "The files could not be kept ({reason}). Make room on the disk of the server, then drop them again.",
            reason=error.strerror or "",
        )
    except Gone:
        st.session_state[PROBLEM_STATE] = desk.say("This batch was discarded meanwhile; drop the files again.")
    else:
        note_act("checked", f"batch {into.name}: {', '.join(one.name for one in dropped)}")
        open_batch(into)


def forget_upload(upload: Any) -> None:
    """Free the memory that holds an uploaded file; the session would keep it until its end."""
    context = get_script_run_ctx()
    forget = getattr(context.uploaded_file_mgr, "remove_file", None) if context else None
    if forget and context:
        forget(session_id=context.session_id, file_id=upload.file_id)


def show_batches(desk: Desk, title: str, looks: Sequence[tuple[Batch, Look]]) -> None:
    """Batches with when, how many files and how they stand."""
    if not looks:
        return
    st.subheader(title, anchor=False)
    for batch, look in looks:
        label, icon, colour = STATES[look.state]
        with (
            st.container(border=True, key=f"batch-{batch.name}"),
            st.container(horizontal=True, vertical_alignment="center"),
        ):
            st.badge(desk.say(label), icon=f":material/{icon}:", color=colour)
            st.text(say_batch(desk, batch, look), width="stretch")
            st.button(
                desk.say("Show") if look.state == "published" else desk.say("Continue"),
                key=f"open-{batch.name}",
                on_click=partial(open_batch, batch),
            )
            offer_discard(desk, batch, look)


def say_batch(desk: Desk, batch: Batch, look: Look) -> str:
    """When a batch was begun and what is in it."""
    parts = [desk.say("Begun {moment} UTC", moment=say_moment(batch.made_at))]
    if look.uploads:
        names = [one.name for one in look.uploads[:1]]
        parts.append(f"{names[0]} …" if len(look.uploads) > 1 else names[0])
        parts.append(say_files(desk, len(look.uploads)))
    elif look.publish and look.publish.answer:
        parts.append(str(look.publish.answer.get("build") or ""))
        parts.append(say_files(desk, len(look.publish.answer["loads"])))
    return " · ".join(part for part in parts if part)


def offer_discard(desk: Desk, batch: Batch, look: Look) -> None:
    """Take a batch away, after a second look at what that means."""
    if look.state == "publishing":
        return
    is_done = look.state == "published"
    with st.popover(desk.say("Remove") if is_done else desk.say("Discard"), type="tertiary", key=f"ask-{batch.name}"):
        sentences = (
            [desk.say("What was published stays. Only this note of it goes.")]
            if is_done
            else [
                desk.say("The uploaded files of this batch go; what was published stays."),
                desk.say("This cannot be undone."),
            ]
        )
        st.text(join_sentences(desk.language, sentences))
        st.button(
            desk.say("Remove the note") if is_done else desk.say("Discard the batch"),
            key=f"discard-{batch.name}",
            type="primary",
            on_click=partial(discard_batch, desk, batch),
        )


@only_for("data_steward")
def discard_batch(desk: Desk, batch: Batch) -> None:
    """Take a batch away and go back to the others."""
    try:
        if not discard(batch):
            st.session_state[PROBLEM_STATE] = desk.say("This batch is being published; it can be discarded afterwards.")
            return
    except Gone:
        pass
    leave_batch()


def open_batch(batch: Batch) -> None:
    """Show a batch; for callbacks."""
    st.session_state[filters.own_state("batch")] = batch.name


def leave_batch() -> None:
    """Show all batches; for callbacks."""
    st.session_state[filters.own_state("batch")] = NO_BATCH


@st.fragment(run_every=timedelta(seconds=2))
def watch_batches(shown: Sequence[tuple[Batch, State]]) -> None:
    """Show the list again once a batch stands differently."""
    for batch, state in shown:
        try:
            is_same = look_at(batch).state == state
        except Gone:
            is_same = False
        if not is_same:
            st.rerun()
