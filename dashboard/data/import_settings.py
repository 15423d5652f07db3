"""What a steward settles about files: source, entity, period, day from which they are known, and what is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Final

import streamlit as st

from dashboard.access.entrance import only_for
from dashboard.address import read_day
from dashboard.data.import_draft import offer_draft
from dashboard.data.import_sources import Source, list_sources
from dashboard.data.import_words import GIVEN, Desk, say_files
from dashboard.engine import EngineProblem
from dashboard.inbox import Batch, Gone, Look, choose, remove_upload
from dashboard.words import plain, say_period

YEARS_BACK: Final = 3
FIRST_MONTH: Final = 4
"""April, in which the fiscal year of the group begins."""
NARROWEST: Final = 260


def show_settings_for_all(desk: Desk, batch: Batch, look: Look, loads: Sequence[Mapping[str, Any]]) -> None:
    """One form for what several files need."""
    needing = {name: [str(load["file"]) for load in loads if name in load["needs"]] for name in GIVEN}
    needing = {name: files for name, files in needing.items() if len(files) > 1}
    if not needing:
        return
    with st.form(f"for-all-{batch.name}"):
        st.subheader(desk.say("What several files do not say"), anchor=False)
        st.text(desk.say("Given here, it holds for each of them; given under Settings, for one file."))
        chosen = {}
        grid = st.grid(2, min_column_width=NARROWEST)
        for name, files in needing.items():
            label = desk.say("{what} of {files}", what=desk.say(GIVEN[name]), files=say_files(desk, len(files)))
            with grid:
                chosen[name] = _choose_given(desk, name, "", f"for-all-{batch.name}-{name}", label)
        if st.form_submit_button(desk.say("Use for these files"), key=f"use-for-all-{batch.name}"):
            for name, files in needing.items():
                if chosen[name]:
                    _settle(batch, files, **{name: chosen[name]})
            st.rerun()


def show_settings(desk: Desk, batch: Batch, look: Look, load: Mapping[str, Any], upload: str | None, key: str) -> None:
    """The form of one file, describing its layout, and taking it out."""
    name = str(load["file"])
    settled = look.choices.get(name, {})
    if sum(one.name == name for one in look.uploads) > 1:
        st.text(desk.say("Several files have this name; what is settled here holds for all of them."))
    try:
        sources = [one for one in list_sources(desk) if not one.is_draft and not one.part_of]
    except EngineProblem as problem:
        st.error(plain(str(problem)) or desk.say("The sources cannot be read."))
        sources = []
    with st.form(f"settings-{key}", border=False):
        grid = st.grid(2, min_column_width=NARROWEST)
        with grid:
            source = _choose_source(desk, sources, settled, load, key)
        # A file that nothing recognised may belong to a source that asks.
        asks = load["asks"] if load["label"] else list(GIVEN)
        given = {}
        for one in GIVEN:
            if one in asks or one in load["needs"] or settled.get(one):
                with grid:
                    given[one] = _choose_given(
                        desk, one, str(settled.get(one) or ""), f"given-{key}-{one}", desk.say(GIVEN[one])
                    )
        with grid:
            known_at = st.date_input(
                desk.say("Known from (optional)"),
                value=read_day(str(settled.get("known_at") or "")[:10]),
                key=f"known-{key}",
                format="YYYY-MM-DD",
                max_value=datetime.now(UTC).date(),
                help=desk.say(
                    "For older files: the day on which this was known. Empty: as the source says, else today."
                ),
            )
        if st.form_submit_button(desk.say("Use these settings"), key=f"use-{key}"):
            day = known_at.isoformat() if isinstance(known_at, date) else None
            _settle(batch, [name], source=source, known_at=day, **given)
            st.rerun()
    with st.container(horizontal=True):
        if not load["is_known"]:
            offer_draft(desk, batch, look, load, key)
        if load["package"]:
            st.button(
                desk.say("Leave this file out"),
                key=f"leave-{key}",
                icon=":material/remove_circle:",
                on_click=partial(_settle, batch, [name], leave_out=True),
            )
        elif upload:
            st.button(
                desk.say("Remove this file"),
                key=f"remove-{key}",
                icon=":material/delete:",
                on_click=partial(_remove, batch, upload),
            )


def offer_taking_back(desk: Desk, batch: Batch, look: Look) -> None:
    """The files that were left out, to be taken in after all."""
    names = [name for name, settled in look.choices.items() if settled.get("leave_out")]
    if not names or look.state == "published":
        return
    with st.container(border=True, key="left-out"):
        st.text(desk.say("Left out:"))
        for name in names:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.text(name, width="stretch")
                st.button(
                    desk.say("Take in again"),
                    key=f"take-{batch.name}-{name}",
                    on_click=partial(_settle, batch, [name], leave_out=None),
                )


def _choose_source(
    desk: Desk, sources: Sequence[Source], settled: Mapping[str, Any], load: Mapping[str, Any], key: str
) -> str:
    """Name of the source, or nothing where it shall be recognised."""
    labels = {one.name: one.label.say(desk.language) for one in sources}
    chosen = str(settled.get("source") or "")
    names = ["", *sorted(labels, key=lambda name: labels[name].casefold())]
    if chosen not in names:
        names.append(chosen)
    found = st.selectbox(
        desk.say("Source"),
        names,
        index=names.index(chosen),
        format_func=lambda name: labels.get(name, name) if name else desk.say("As recognised by the file itself"),
        key=f"source-{key}",
        help=desk.say("The source says what the columns and answers of a file mean."),
    )
    return found or ""


def _choose_given(desk: Desk, name: str, settled: str, key: str, label: str) -> str:
    """What a person says of a file: one of what is known, or anything typed; the check says whether it can be."""
    labels = dict(desk.name_entities()) if name == "entity" else dict.fromkeys(list_periods(date.today()), "")
    options = list(labels)
    if settled and settled not in labels:
        options.insert(0, settled)
    chosen = st.selectbox(
        label,
        options,
        index=options.index(settled) if settled else None,
        format_func=_say_given(desk, name, labels),
        key=key,
        accept_new_options=True,
        placeholder=desk.say("Choose, or type a code")
        if name == "entity"
        else desk.say("Choose, or type one such as 2025-10"),
    )
    return str(chosen or "").strip()


def _say_given(desk: Desk, name: str, labels: Mapping[str, str]) -> Callable[[str], str]:
    if name == "entity":
        return lambda code: f"{code} {labels[code]}" if labels.get(code) else code
    return lambda code: say_period(code, desk.language) if code in labels else code


def list_periods(today: date) -> list[str]:
    """Halves and years that exports are likely to speak about, newest first."""
    year = today.year if today.month >= FIRST_MONTH else today.year - 1
    periods = []
    for one in range(year, year - YEARS_BACK, -1):
        periods += [f"FY{one}-H2", f"FY{one}-H1", f"FY{one}"]
    return periods


@only_for("data_steward")
def _settle(batch: Batch, names: Sequence[str], **settled: Any) -> None:
    try:
        choose(batch, names, **settled)
    except Gone:
        return


@only_for("data_steward")
def _remove(batch: Batch, upload: str) -> None:
    try:
        remove_upload(batch, upload)
    except Gone:
        return
