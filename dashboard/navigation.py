"""The pages, how a click leads from one to another, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

import streamlit as st

from dashboard import filters
from dashboard.access.reader import Reader
from dashboard.address import Address, read_address
from dashboard.words import N_, Language, translate

PENDING_STATE: Final = "navigation.pending"
TRAIL_STATE: Final = "navigation.trail"
EXPECTED_STATE: Final = "navigation.expected"
CURRENT_STATE: Final = "navigation.current"
CLICKS_STATE: Final = "navigation.clicks"
LONGEST_TRAIL: Final = 5


@dataclass(frozen=True, slots=True)
class PageEntry:
    """A page: its name in addresses, script, section, title, icon and the parameters that it adds to the address."""

    name: str
    path: str
    section: str
    title: str
    icon: str
    own: tuple[str, ...] = ()
    needs_build: bool = True
    """Whether it shows what is in a build, so that filters apply."""
    role: str = ""
    """The role that it is for; nothing where everybody has it."""
    is_of_group: bool = False
    """Whether it tells of the whole group, so that a reader of a part of it does not have it."""

    def is_open_to(self, reader: Reader) -> bool:
        """Whether the reader has the page, under the grant that they act under."""
        reach = reader.grant.reach
        if self.role and not reader.has_role(self.role):
            return False
        return not (self.needs_build and reach.is_nothing) and (reach.is_whole or not self.is_of_group)


PAGES: Final = (
    PageEntry("overview", "pages/group/overview.py", N_("Group"), N_("Group overview"), "monitoring"),
    PageEntry("changes", "pages/group/changes.py", N_("Group"), N_("What changed"), "compare_arrows",
              ("compare", "a", "b", "then", "now")),
    PageEntry("regions", "pages/compare/regions.py", N_("Compare"), N_("Regions"), "public", ("map",)),
    PageEntry("sites", "pages/compare/sites.py", N_("Compare"), N_("Sites and affiliates"), "leaderboard", ("show",)),
    PageEntry("entity", "pages/compare/entity.py", N_("Compare"), N_("Entity"), "apartment"),
    PageEntry("measures", "pages/drill/measures.py", N_("Drill down"), N_("Measures and categories"), "grid_on",
              ("rate",)),
    PageEntry("items", "pages/drill/items.py", N_("Drill down"), N_("Checklist items"), "checklist", ("page",)),
    PageEntry("answers", "pages/drill/answers.py", N_("Drill down"), N_("Answers"), "table_rows",
              ("verdict", "q", "order", "page")),
    PageEntry("pairs", "pages/drill/pairs.py", N_("Drill down"), N_("Self-check and third-party check"), "balance",
              ("self", "outside", "by", "page")),
    PageEntry("findings", "pages/act/findings.py", N_("Act"), N_("Findings and actions"), "assignment_late",
              ("list", "page")),
    PageEntry("coverage", "pages/act/coverage.py", N_("Act"), N_("Plan and coverage"), "event_available",
              ("status", "page")),
    PageEntry("privacy", "pages/act/privacy.py", N_("Act"), N_("Privacy audits"), "verified_user"),
    PageEntry("pdca", "pages/act/pdca.py", N_("Act"), N_("PDCA"), "cycle", ("stage", "page")),
    PageEntry("imports", "pages/data/imports.py", N_("Data"), N_("Import"), "move_to_inbox", ("batch",), False,
              role="data_steward"),
    PageEntry("loads", "pages/data/loads.py", N_("Data"), N_("Loads"), "upload_file", ("load", "refused", "page"),
              is_of_group=True),
    PageEntry("audit", "pages/data/audit.py", N_("Data"), N_("Audit log"), "policy",
              ("who", "event", "opened", "from_day", "to_day", "page"), False, role="auditor"),
    PageEntry("definitions", "pages/data/definitions.py", N_("Data"), N_("Definitions"), "menu_book", ("page",)),
)  # fmt: skip
ENTRIES: Final = {entry.name: entry for entry in PAGES}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way here: a page and the address it had."""

    page: str
    address: Address


def list_sections(language: Language, reader: Reader | None) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Streamlit's pages by section, for the navigation, and by name; those that the reader does not have are hidden."""
    pages = {
        entry.name: st.Page(
            entry.path,
            title=translate(language, entry.title),
            icon=f":material/{entry.icon}:",
            url_path=None if entry is PAGES[0] else entry.name,
            default=entry is PAGES[0],
            visibility="visible" if reader and entry.is_open_to(reader) else "hidden",
        )
        for entry in PAGES
    }
    sections: dict[str, list[Any]] = {}
    for entry in PAGES:
        sections.setdefault(translate(language, entry.section), []).append(pages[entry.name])
    return sections, pages


def find_first(reader: Reader) -> str:
    """The first page that the reader has."""
    return next((entry.name for entry in PAGES if entry.is_open_to(reader)), PAGES[0].name)


def follow_click(pages: Mapping[str, Any], current: str) -> None:
    """Go where a click asked to, and keep the trail: a page reached in any other way begins a new one."""
    state = st.session_state
    pending = state.pop(PENDING_STATE, None)
    if pending and pending != current:
        filters.keep_widgets()
        st.switch_page(pages[pending])
    address = read_address()
    trail = read_trail()
    for number, step in enumerate(trail):
        if step.page == current and step.address == address:
            state[TRAIL_STATE] = trail[:number]
            break
    else:
        if state.get(EXPECTED_STATE) != current:
            state[TRAIL_STATE] = ()
    state[EXPECTED_STATE] = state[CURRENT_STATE] = current


def read_trail() -> tuple[Step, ...]:
    """The way here."""
    return cast(tuple[Step, ...], st.session_state.get(TRAIL_STATE, ()))


def open_page(
    name: str | None = None,
    *,
    own: Mapping[str, str] | None = None,
    period: str | None = None,
    **ids: Sequence[str],
) -> None:
    """Narrow the filters to ids and go to a page, or stay where none is named; only in a callback."""
    state = st.session_state
    current = state[CURRENT_STATE]
    if name and name != current:
        state[TRAIL_STATE] = (*read_trail(), Step(current, read_address()))[-LONGEST_TRAIL:]
        state[PENDING_STATE] = state[EXPECTED_STATE] = name
    filters.narrow(**{dimension: [one for one in values if one] for dimension, values in ids.items()})
    if period:
        filters.choose_period(period)
    for parameter in ENTRIES[name or current].own:
        if name:
            state.pop(filters.own_state(parameter), None)
    for parameter, value in (own or {}).items():
        state[filters.own_state(parameter)] = value
    # Charts and tables are made anew, so that a mark clicked before can be clicked again.
    state[CLICKS_STATE] = count_clicks() + 1


def opener(name: str | None = None, **given: Any) -> Callable[[], None]:
    """A callback that opens a page."""
    return partial(open_page, name, **given)


def count_clicks() -> int:
    """How many clicks on marks there have been."""
    return cast(int, st.session_state.get(CLICKS_STATE, 0))


def show_breadcrumbs(pages: Mapping[str, Any], current: str, language: Language) -> None:
    """The way here, each step a link that reopens its view, or the section of a page that was opened directly."""
    trail = read_trail()
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="breadcrumbs"):
        if not trail:
            st.caption(translate(language, ENTRIES[current].section), width="content")
            st.caption("›", width="content")
        for step in trail:
            st.page_link(
                pages[step.page], label=translate(language, ENTRIES[step.page].title), query_params=step.address
            )
            st.caption("›", width="content")
        st.caption(translate(language, ENTRIES[current].title), width="content")
