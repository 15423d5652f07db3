"""Whether the audit log is as it was written: the verdict, what speaks against it, and the head to note elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import streamlit as st

from dashboard.access.audit_check import Verification, verify
from dashboard.words import Language, join_sentences, plain, say_moment, say_number, translate

MOST_NAMED: Final = 20


def show_state(language: Language, home: Path) -> None:
    """Whether the log is as it was written, and the head to note elsewhere."""
    with st.spinner(translate(language, "The log is being verified.")):
        found = verify(home, remember=True)
    with st.container(border=True, key="audit-state"):
        st.subheader(translate(language, "Is the log as it was written?"), anchor=False)
        show_verdict(language, found)
        if found.begins_after:
            number = int(found.begins_after.partition(":")[0])
            st.caption(
                translate(
                    language,
                    "It begins after record {number}: older files are not here, because somebody archived or removed "
                    "them.",
                    number=say_number(number),
                )
            )
        if found.notes:
            with st.expander(
                translate(language, "Notes that are no problem: {number}", number=say_number(len(found.notes)))
            ):
                st.text("\n".join(note.say(language) for note in found.notes[:MOST_NAMED]))
        if found.head:
            with st.expander(translate(language, "Head of the log, to note elsewhere")):
                st.caption(
                    translate(
                        language,
                        "Whoever may write the log's files may also write them anew. Note the head from time to time "
                        "where that person cannot write; verifying with it later shows whether the log still holds "
                        "what it held.",
                    )
                )
                st.code(f"python -m dashboard audit verify --head {found.head}", language="bash", wrap_lines=True)


def show_verdict(language: Language, found: Verification) -> None:
    """Green or red, how many records there are and since when."""
    if not found.records and found.is_intact:
        st.info(translate(language, "Nothing was logged yet."))
        return
    held = (
        translate(
            language,
            "Records: {records}, from {first} to {last} UTC.",
            records=say_number(found.records),
            first=say_moment(found.first),
            last=say_moment(found.last),
        )
        if found.first and found.last
        else translate(language, "There is no record left.")
    )
    if found.is_intact:
        sentences = [translate(language, "The log is intact: no record was changed, removed or inserted."), held]
        st.success(plain(join_sentences(language, sentences)), icon=":material/verified:")
        return
    sentences = [
        translate(
            language,
            "The log is not as it was written. Problems found: {number}. Keep a copy of its files as they are and find "
            "out who could write them.",
            number=say_number(len(found.problems)),
        ),
        held,
    ]
    st.error(plain(join_sentences(language, sentences)), icon=":material/gpp_bad:")
    st.text("\n".join(problem.say(language) for problem in found.problems[:MOST_NAMED]))
    if len(found.problems) > MOST_NAMED:
        st.caption(
            translate(
                language,
                "The first {shown} are shown; `python -m dashboard audit verify` names more.",
                shown=say_number(MOST_NAMED),
            )
        )
