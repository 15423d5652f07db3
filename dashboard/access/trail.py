"""What the audit log is told: who saw which page, held to what, with how many rows, and who took away what.

A log that cannot be written closes the dashboard to whoever signs in: nobody sees what nobody would know of.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from dashboard.access.audit import AuditProblem, Event, Record, append_record
from dashboard.access.reader import Reader, Refusal
from metrics.warehouse import find_home

PAGE_STATE: Final = "trail.page"
QUERY_STATE: Final = "trail.query"
SHOWN_STATE: Final = "trail.shown"
UNKNOWN_STATE: Final = "trail.unknown"
LAST_STATE: Final = "trail.last"


class _Log:
    """Why the log could not be written the last time; nothing once it can be again."""

    problem = ""


def find_problem(reader: Reader) -> str:
    """Why nobody may be let in: the log cannot be written. Tried again with each reader who comes."""
    if reader.is_signed_in and _Log.problem:
        note("policy_problem", reader, "", detail=f"The log could not be written: {_Log.problem}")
    return _Log.problem if reader.is_signed_in else ""


def note(
    event: Event,
    reader: Reader,
    came_from: str,
    *,
    page: str = "",
    query: str = "",
    rows: Mapping[str, int] | None = None,
    detail: str = "",
) -> None:
    """Append what a reader did; nothing where sign-in is off, since there is nobody to tell apart."""
    if reader.is_signed_in:
        _append(Record(event, reader.address, reader.grant.role, came_from, page, query, rows or {}, detail))


def note_refusal(refusal: Refusal, came_from: str) -> None:
    """Append that somebody was not let in, and tell the operator what readers are not told."""
    if refusal.reason in ("policy", "logins"):
        sys.stderr.write(f"{refusal.detail}\n")
    event: Event = "policy_problem" if refusal.reason == "policy" else "sign_in_refused"
    _append(
        Record(event, refusal.address, came_from=came_from, detail=f"{refusal.reason}: {refusal.detail}".rstrip(": "))
    )


def begin_view(page: str) -> None:
    """Forget what the run before has shown."""
    st.session_state[PAGE_STATE] = page
    st.session_state[QUERY_STATE] = ()
    st.session_state[SHOWN_STATE] = {}


def hold_to(*words: str) -> None:
    """Note in words what the page that is being run is held to."""
    st.session_state[QUERY_STATE] = (*st.session_state.get(QUERY_STATE, ()), *words)


def note_shown(panel: str, rows: int) -> None:
    """Note what a panel of the page that is being run shows."""
    st.session_state.setdefault(SHOWN_STATE, {})[panel] = rows


def end_view(reader: Reader, came_from: str) -> None:
    """Append what was shown, unless the run before has shown the same."""
    state = st.session_state
    page = state.pop(PAGE_STATE, None)
    if page is None:
        return
    seen = (reader.grant, page, " ".join(state[QUERY_STATE]), state[SHOWN_STATE])
    if state.get(LAST_STATE) != seen:
        note("viewed", reader, came_from, page=seen[1], query=seen[2], rows=seen[3])
        # What could not be noted is noted when it is shown again.
        state[LAST_STATE] = None if _Log.problem else seen


def note_unknown(values: Sequence[str], reader: Reader, came_from: str, page: str) -> None:
    """Append values of an address that are not known to the reader, once for each address."""
    if values and st.session_state.get(UNKNOWN_STATE) != tuple(values):
        note("refused", reader, came_from, page=page, detail=f"not known to the reader: {', '.join(values)}")
    st.session_state[UNKNOWN_STATE] = tuple(values)


def _append(record: Record) -> None:
    try:
        append_record(find_home(), record)
    except AuditProblem as problem:
        _Log.problem = str(problem)
        sys.stderr.write(f"{problem}\n")
    else:
        _Log.problem = ""
