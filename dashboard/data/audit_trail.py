"""Audit log: who saw, took away and loaded what, what was refused, and whether the log is as it was written."""

from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st

from dashboard import filters
from dashboard.access import entrance, trail
from dashboard.access.audit import EVENTS, AuditProblem, Event
from dashboard.access.audit_check import verify
from dashboard.access.audit_read import Found, Wanted, read_records, show_plainly
from dashboard.access.policy import ROLES
from dashboard.access.reader import THIS_MACHINE
from dashboard.access.settings import is_sign_in_on
from dashboard.address import read_day
from dashboard.data.audit_state import show_state
from dashboard.downloads import Column, write_csv, write_xlsx
from dashboard.lists import LIST_HEIGHT, PAGE_ROWS, choose_page, page_key, turn_to_first
from dashboard.navigation import ENTRIES
from dashboard.panels import ROWS_WITHOUT_SCROLLING, XLSX, configure_column
from dashboard.words import N_, Language, join_sentences, plain, say_day, say_number, translate
from metrics.warehouse import find_home

ALL: Final = "all"
EVENT_LABELS: Final[dict[Event, str]] = {
    "signed_in": N_("Signed in"),
    "signed_out": N_("Signed out"),
    "sign_in_refused": N_("Sign-in refused"),
    "viewed": N_("Viewed"),
    "downloaded": N_("Downloaded"),
    "refused": N_("Refused"),
    "checked": N_("Checked files"),
    "loaded": N_("Loaded files"),
    "changed_role": N_("Changed role"),
    "policy_problem": N_("Problem of access.toml"),
}
FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2999, 12, 31)
MOST_DOWNLOADED: Final = 100_000
LONGEST_SEARCH: Final = 200


def show(language: Language) -> None:
    """The page; without sign-in nobody is known, and nothing is logged."""
    st.title(translate(language, "Audit log"), anchor=False)
    st.caption(translate(language, "Who saw what, when and from where, what did they take away, and what was refused?"))
    if is_sign_in_on():
        show_log(language, find_home())
    else:
        show_no_log(language)


def show_no_log(language: Language) -> None:
    """Say why there is none, and how there would be one."""
    text = translate(
        language,
        "Sign-in is off, so nobody is known and nothing is logged; README.md says under “Sign-in” how an [auth] "
        "section in the secrets file switches it on.",
    )
    st.info(plain(text), icon=":material/no_accounts:")


def show_log(language: Language, home: Path) -> None:
    """The log of a home."""
    st.caption(
        translate(
            language,
            "Each record holds who, when, from where, the page, the filters in words and the numbers of rows shown. It "
            "never holds what the rows say. Moments and days are UTC.",
        )
    )
    try:
        show_state(language, home)
        show_records(language, home, choose_wanted(language))
    except AuditProblem as problem:
        st.error(plain(str(problem)), icon=":material/error:")


def choose_wanted(language: Language) -> Wanted:
    """The filters of this page."""
    event = filters.choose_own("event", (ALL, *EVENTS), ALL)
    opened = filters.choose_own("opened", (ALL, *ENTRIES), ALL)
    who = filters.keep_own("who", "")
    with st.container(horizontal=True, vertical_alignment="bottom", key="audit-filters"):
        st.text_input(
            translate(language, "Who"),
            key=filters.own_state("who"),
            placeholder=translate(language, "Part of an address"),
            max_chars=LONGEST_SEARCH,
            width=180,
            on_change=turn_to_first,
        )
        st.selectbox(
            translate(language, "Event"),
            (ALL, *EVENTS),
            format_func=lambda name: translate(language, "All events") if name == ALL else say_event(language, name),
            key=filters.own_state("event"),
            width=180,
            on_change=turn_to_first,
        )
        st.selectbox(
            translate(language, "Page"),
            (ALL, *ENTRIES),
            format_func=lambda name: translate(language, "All pages") if name == ALL else say_page(language, name),
            key=filters.own_state("opened"),
            width=200,
            on_change=turn_to_first,
        )
        from_day = choose_day(language, "from_day", translate(language, "From day"))
        to_day = choose_day(language, "to_day", translate(language, "To day"))
    return Wanted(who.strip(), "" if event == ALL else event, "" if opened == ALL else opened, from_day, to_day)


def choose_day(language: Language, parameter: str, label: str) -> date | None:
    """A day of the address or of its widget; None where none is chosen."""
    written = filters.keep_own(parameter, "")
    day = read_day(written)
    if written and (day is None or not FIRST_DAY <= day <= LAST_DAY):
        filters.note_unknown(parameter, [written])
        day = None
        st.session_state[filters.own_state(parameter)] = ""
        filters.keep_own(parameter, "")
    key = f"audit.{parameter}"
    st.session_state[key] = day
    st.date_input(
        label,
        value=None,
        min_value=FIRST_DAY,
        max_value=LAST_DAY,
        key=key,
        format="YYYY-MM-DD",
        width=150,
        on_change=partial(_take_day, key, parameter),
    )
    return day


def _take_day(key: str, parameter: str) -> None:
    day = st.session_state[key]
    st.session_state[filters.own_state(parameter)] = say_day(day) if day else ""
    turn_to_first()


def show_records(language: Language, home: Path, wanted: Wanted) -> None:
    """Records, newest first, page by page, and all that match as files."""
    page = choose_page("page")
    found = read_records(home, wanted, offset=(page - 1) * PAGE_ROWS, limit=PAGE_ROWS)
    pages = max(1, -(-found.total // PAGE_ROWS))
    if page > pages:
        page = pages
        found = read_records(home, wanted, offset=(page - 1) * PAGE_ROWS, limit=PAGE_ROWS)
    columns = name_columns(language)
    with st.container(border=True, key="audit-records"):
        st.subheader(translate(language, "Records, newest first"), anchor=False)
        if not found.total:
            st.info(translate(language, "No record matches these filters."))
            return
        config = {column.name: configure_column(column) for column in columns}
        config["moment"] = st.column_config.DatetimeColumn(columns[1].label, format="YYYY-MM-DD HH:mm:ss")
        st.dataframe(
            list_cells(language, found),
            hide_index=True,
            column_config=config,
            height=LIST_HEIGHT if len(found.entries) > ROWS_WITHOUT_SCROLLING else "content",
            alt=translate(language, "Records, newest first"),
            key="audit-rows",
            placeholder="",
        )
        trail.note_shown("audit-records", len(found.entries))
        first = (page - 1) * PAGE_ROWS + 1
        shown = translate(
            language,
            "Rows {first} to {last} of {total}.",
            first=say_number(first),
            last=say_number(first + len(found.entries) - 1),
            total=say_number(found.total),
        )
        note = translate(
            language,
            "Files hold all records that match, the newest {most} at most.",
            most=say_number(MOST_DOWNLOADED),
        )
        st.caption(join_sentences(language, [shown, note]))
        with st.container(horizontal=True, horizontal_alignment="right", key="audit-foot"):
            if pages > 1:
                st.pagination(pages, key=page_key("page"), default=page)
            offer_files(language, home, wanted, min(found.total, MOST_DOWNLOADED))


def offer_files(language: Language, home: Path, wanted: Wanted, rows: int) -> None:
    """All records that match as CSV and as a workbook; each is made when it is asked for."""
    for label, ending, mime, make in (("CSV", "csv", "text/csv", make_csv), ("Excel", "xlsx", XLSX, make_workbook)):
        name = f"tenken-audit.{ending}"
        st.download_button(
            label,
            entrance.hand_over(partial(make, language, home, wanted), name, rows),
            file_name=name,
            mime=mime,
            key=f"audit-{label}",
            on_click="ignore",
            icon=":material/download:",
        )


def make_csv(language: Language, home: Path, wanted: Wanted) -> bytes:
    """The records that match, as CSV."""
    return write_csv(_list_all(language, home, wanted), name_columns(language))


def make_workbook(language: Language, home: Path, wanted: Wanted) -> bytes:
    """The records that match, as a workbook that says which they are."""
    about = [
        (translate(language, "Title"), translate(language, "Audit log")),
        (translate(language, "Who"), wanted.who or translate(language, "All")),
        (translate(language, "Event"), say_event(language, wanted.event) or translate(language, "All events")),
        (translate(language, "Page"), say_page(language, wanted.page) or translate(language, "All pages")),
        (translate(language, "From day"), say_day(wanted.from_day) if wanted.from_day else "–"),
        (translate(language, "To day"), say_day(wanted.to_day) if wanted.to_day else "–"),
        (translate(language, "Head"), verify(home, remember=True).head),
    ]
    title = translate(language, "Audit log")
    frame = _list_all(language, home, wanted)
    return write_xlsx(title, frame, name_columns(language), about, translate(language, "About"))


def _list_all(language: Language, home: Path, wanted: Wanted) -> pd.DataFrame:
    return list_cells(language, read_records(home, wanted, limit=MOST_DOWNLOADED))


def name_columns(language: Language) -> tuple[Column, ...]:
    """The columns of the table and of files."""
    return (
        Column("number", translate(language, "No."), "integer"),
        Column("moment", translate(language, "Moment (UTC)"), "moment"),
        Column("who", translate(language, "Who"), "text"),
        Column("role", translate(language, "Role"), "text"),
        Column("came_from", translate(language, "From where"), "text"),
        Column("event", translate(language, "Event"), "text"),
        Column("page", translate(language, "Page"), "text"),
        Column("query", translate(language, "Filters in words"), "text"),
        Column("rows", translate(language, "Rows shown"), "text"),
        Column("detail", translate(language, "Details"), "text"),
    )


def list_cells(language: Language, found: Found) -> pd.DataFrame:
    """Records as cells; what nobody would see in a text, or would turn it around, is spelt out."""
    warning = translate(language, "This record was changed since it was written.")
    cells = [
        (
            entry.link.number,
            entry.moment,
            show_plainly(entry.record.who),
            say_role(language, entry.record.role),
            say_origin(language, entry.record.came_from),
            say_event(language, entry.record.event),
            say_page(language, entry.record.page),
            show_plainly(entry.record.query),
            show_plainly(", ".join(f"{panel}: {number}" for panel, number in entry.record.rows.items())),
            join_sentences(language, [warning if place in found.changed else "", show_plainly(entry.record.detail)]),
        )
        for place, entry in enumerate(found.entries)
    ]
    return pd.DataFrame(cells, columns=[column.name for column in name_columns(language)])


def say_event(language: Language, name: str) -> str:
    """What an event is called; one that this version does not know by its name."""
    label = {str(event): text for event, text in EVENT_LABELS.items()}.get(name)
    return translate(language, label) if label else show_plainly(name)


def say_page(language: Language, name: str) -> str:
    """What a page is called; one that this version does not know by its name."""
    entry = ENTRIES.get(name)
    return translate(language, entry.title) if entry else show_plainly(name)


def say_origin(language: Language, came_from: str) -> str:
    """Where a reader came from: an address, or the machine that serves."""
    return translate(language, "this machine") if came_from == THIS_MACHINE else show_plainly(came_from)


def say_role(language: Language, name: str) -> str:
    """What a role is called; one that this version does not know by its name."""
    return translate(language, ROLES[name]) if name in ROLES else show_plainly(name)
