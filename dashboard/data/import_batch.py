"""One batch: how far it is looked at, what a load would do, what is missing, and its publication."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final

import streamlit as st

from dashboard.access.entrance import note_act, only_for
from dashboard.cards import Card, show_cards
from dashboard.data.import_files import show_files, show_refused_files
from dashboard.data.import_settings import show_settings_for_all
from dashboard.data.import_words import STEPS, Desk, add_rows, say_files, say_loaded, say_publication
from dashboard.engine import Command, Progress
from dashboard.inbox import Batch, Gone, Look, begin_publishing, check_again, list_wanted, stop_check
from dashboard.words import join_sentences, plain, say_number

TOO_LATE_STATE: Final = "imports.too_late"


def show(desk: Desk, batch: Batch, look: Look) -> None:
    """What is to be seen and done at this stage of the batch."""
    if st.session_state.pop(TOO_LATE_STATE, None):
        st.warning(desk.say("Something changed meanwhile, so nothing was published. Look at the new result."))
    if look.publish and look.publish.answer and look.state != "publishing":
        show_published(desk, batch, look)
    if look.state == "empty":
        st.info(desk.say("There is no file in this batch. Drop some."))
    elif look.state == "checking":
        show_checking(desk, batch, look)
    elif look.state == "publishing":
        show_publishing(desk, batch)
    elif look.state == "failed":
        show_failed(desk, batch, look)
    if look.check and look.check.answer and look.state in ("attention", "ready", "failed"):
        show_result(desk, batch, look)


def show_checking(desk: Desk, batch: Batch, look: Look) -> None:
    """How far the check is, and what it looks at."""
    with st.container(border=True, key="import-checking"):
        st.subheader(desk.say("The files are being looked at"), anchor=False)
        st.text(
            desk.say("{files}. Nothing is loaded by this. You can leave this page and come back.",
                     files=say_files(desk, len(look.uploads)))
        )  # fmt: skip
        watch(desk, batch.check)
        st.button(desk.say("Stop"), on_click=partial(_stop_check, batch), key="stop-check")


def show_publishing(desk: Desk, batch: Batch) -> None:
    """How far the load is."""
    with st.container(border=True, key="import-publishing"):
        st.subheader(desk.say("The files are being published"), anchor=False)
        st.text(desk.say("This goes on by itself. You can close this page and come back."))
        watch(desk, batch.publish)


@st.fragment(run_every=timedelta(seconds=1))
def watch(desk: Desk, command: Command) -> None:
    """Progress, until the command has ended; then the page is shown again."""
    if not command.is_running():
        st.rerun()
    progress = command.read_progress()
    share = min(1.0, progress.done / progress.total) if progress and progress.total else 0.0
    st.progress(share, plain(say_progress(desk, progress)))


def say_progress(desk: Desk, progress: Progress | None) -> str:
    """What a command does at this moment."""
    if progress is None:
        return desk.say("Starting")
    what = desk.say(STEPS[progress.what]) if progress.what in STEPS else desk.say("Reading the files")
    if progress.total:
        return desk.say(
            "{what}: {done} of {total}", what=what, done=say_number(progress.done), total=say_number(progress.total)
        )
    return desk.say("{what}: {done} rows", what=what, done=say_number(progress.done)) if progress.done else what


def show_failed(desk: Desk, batch: Batch, look: Look) -> None:
    """Why nothing came of the check or the load, and how to go on."""
    failed = look.check if look.check and not look.check.answer else look.publish
    is_load = failed is look.publish
    with st.container(border=True, key="import-failed"):
        if failed and failed.error:
            st.error(plain(failed.error), icon=":material/error:")
        elif failed and failed.is_stopped:
            st.info(desk.say("You stopped this. The files are still here."))
        else:
            sentence = (
                desk.say("The load broke off, and nothing was published. The files are still here.")
                if is_load
                else desk.say("Looking at the files broke off. They are still here.")
            )
            st.error(
                join_sentences(
                    desk.language, [sentence, desk.say("Try again; if it breaks off again, try fewer files.")]
                )
            )
        if not is_load:
            st.button(desk.say("Look at the files again"), on_click=partial(_check_again, batch), key="check-again")


def show_result(desk: Desk, batch: Batch, look: Look) -> None:
    """What a load would do, what to settle first, the files one by one, and the way to publish."""
    assert look.check and look.check.answer
    show_said(look.check.answer)
    loads: list[dict[str, Any]] = list(look.check.answer["loads"])
    show_counts(desk, loads)
    show_publish(desk, batch, look, loads)
    show_settings_for_all(desk, batch, look, loads)
    show_files(desk, batch, look)


def show_counts(desk: Desk, loads: list[dict[str, Any]]) -> None:
    """Files and rows of the batch as a load would count them."""
    sums = add_rows(loads)
    cards = [
        Card(desk.say("Files"), say_number(len(loads)), "", desk.say("Files of the batch, those in zips one by one.")),
        Card(desk.say("Rows loaded"), say_number(sums["rows_loaded"]), "",
             desk.say("Rows that bring something new, changed ones among them.")),
        Card(desk.say("Of these changed"), say_number(sums["rows_changed"]), "",
             desk.say("Rows that replace what is known by something else.")),
        Card(desk.say("Rows unchanged"), say_number(sums["rows_unchanged"]), "",
             desk.say("Rows that say what is known already.")),
        Card(desk.say("Rows refused"), say_number(sums["rows_refused"]), "",
             desk.say("Rows that cannot be loaded, each with its reason beside the file.")),
    ]  # fmt: skip
    show_cards(cards)


def show_publish(desk: Desk, batch: Batch, look: Look, loads: list[dict[str, Any]]) -> None:
    """The one button that changes what the other pages show."""
    assert look.check and look.check.answer
    wanted = list_wanted(look.check.answer)
    held = [load for load in loads if load["is_refused"]]
    with st.container(border=True, key="import-publish"):
        sentences = []
        if not wanted:
            sentences.append(
                desk.say("There is nothing to publish yet: no file can be loaded as it is.")
                if held
                else desk.say("There is nothing to publish: everything in these files is known already.")
            )
        if wanted and held:
            sentences.append(desk.say("{files} cannot be loaded yet and stay here.", files=say_files(desk, len(held))))
        if any(load["rows_refused"] for load in wanted):
            sentences.append(desk.say("Refused rows are kept with their file and can be mended before or afterwards."))
        if wanted and not sentences:
            sentences.append(desk.say("Everything in these files can be loaded."))
        st.text(join_sentences(desk.language, sentences))
        st.button(
            say_publication(desk, wanted) if wanted else desk.say("Publish"),
            type="primary",
            icon=":material/publish:",
            disabled=not wanted,
            key="publish",
            on_click=partial(_publish, batch, look.check.asked),
        )


def show_said(answer: Mapping[str, Any]) -> None:
    """What the command says beside its figures, such as that the clock was set back; in English, as its errors are."""
    for sentence in answer.get("said", ()):
        st.warning(plain(sentence), icon=":material/info:")


def show_published(desk: Desk, batch: Batch, look: Look) -> None:
    """What the last publication of the batch brought, and where to see it."""
    assert look.publish and look.publish.answer
    answer = look.publish.answer
    loads: list[dict[str, Any]] = list(answer["loads"])
    sums = add_rows(loads)
    with st.container(border=True, key="import-published"):
        title = desk.say("Published")
        st.subheader(f":green[:material/task_alt:] {plain(title)}", anchor=False)
        st.text(
            desk.say(
                "{files}: {rows}, {changed} of them changed, {unchanged} unchanged, {refused} refused.",
                files=say_files(desk, len(loads)),
                rows=say_loaded(desk, sums["rows_loaded"]),
                changed=say_number(sums["rows_changed"]),
                unchanged=say_number(sums["rows_unchanged"]),
                refused=say_number(sums["rows_refused"]),
            )
        )
        if look.uploads:
            st.text(desk.say("{files} are still here.", files=say_files(desk, len(look.uploads))))
        else:
            st.text(desk.say("The files are in the archive, byte for byte."))
        if answer.get("build"):
            st.caption(desk.say("Build: {build}", build=answer["build"]))
        show_said(answer)
        if desk.build:
            with st.container(horizontal=True):
                st.page_link("pages/group/overview.py", label=desk.say("Group overview"), icon=":material/monitoring:")
                st.page_link("pages/data/loads.py", label=desk.say("Loads"), icon=":material/upload_file:")
        show_refused_files(desk, batch, look)


@only_for("data_steward")
def _publish(batch: Batch, asked: str) -> None:
    try:
        if not begin_publishing(batch, asked):
            st.session_state[TOO_LATE_STATE] = True
            return
        note_act("loaded", f"batch {batch.name}")
    except Gone:
        st.session_state[TOO_LATE_STATE] = True


@only_for("data_steward")
def _stop_check(batch: Batch) -> None:
    try:
        stop_check(batch)
    except Gone:
        return


@only_for("data_steward")
def _check_again(batch: Batch) -> None:
    try:
        check_again(batch)
    except Gone:
        return
