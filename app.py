"""Tenken's dashboard, run by `python -m dashboard`: lets readers in, asks for the filters and runs the chosen page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import answers, filters, navigation, notices, panels
from dashboard.access import entrance, trail
from dashboard.access.reader import Reader
from dashboard.kept import TURNS
from dashboard.navigation import PageEntry
from dashboard.selection import say_selection
from dashboard.view import View, keep_view, read_options
from dashboard.words import Language, plain, translate

COMMANDS = """# a made-up group, to look around
python -m etl demo
python -m etl load data/demo

# your own exports
python -m etl load <file or folder>"""
DASHBOARD = Path(__file__).parent / "dashboard"
SECONDS_BETWEEN_LOOKS = 5


def main() -> None:
    """One run; where it comes upon damage in the build that it reads, the next one reads the build before."""
    try:
        run()
    except answers.BuildDamaged:
        st.rerun()


def run() -> None:
    """Language, page, reader, build, filters, content."""
    TURNS.begin()
    st.set_page_config(page_title="Tenken", page_icon=DASHBOARD / "icon.svg", layout="wide")
    st.logo(DASHBOARD / "icon.svg", size="large")
    st.html(DASHBOARD / "style.css")
    language = filters.choose_language()
    reader = entrance.let_in(language)
    sections, pages = navigation.list_sections(language, reader)
    # Without a reader there is no page to go to, and the address stays for after signing in.
    page = st.navigation(sections, expanded=True, position="sidebar" if reader else "hidden")
    if reader is None:
        return
    if trail.find_problem(reader):
        st.error(
            translate(language, "The audit log cannot be written, so that nothing is shown. Ask whoever runs Tenken.")
        )
        return
    current = next(name for name, one in pages.items() if one == page)
    if current == navigation.PAGES[0].name != navigation.find_first(reader):
        st.switch_page(pages[navigation.find_first(reader)])
    navigation.follow_click(pages, current)
    entrance.show_banner(language)
    entrance.show_reader(language)
    try:
        show_page(page, pages, navigation.ENTRIES[current], reader, language)
    finally:
        # A run that is cut short has shown something too.
        trail.end_view(reader, entrance.find_client())


def show_page(page: Any, pages: Mapping[str, Any], entry: PageEntry, reader: Reader, language: Language) -> None:
    """Show a page to a reader, who may not have it or may see nothing that it could show."""
    if not entry.is_open_to(reader):
        show_closed(entry, reader, language)
        return
    trail.begin_view(entry.name)
    build = answers.find_build(reader)
    if build:
        notices.show_passed(build, language)
    options = read_options(build) if build else None
    if build is None or options is None or not options.periods["half"]:
        if not entry.needs_build:
            show_without_build(page, pages, entry, reader, language)
        elif build and not build.scope.is_whole:
            show_nothing_in_scope(entry, build.name, language)
        else:
            show_missing_build(pages["imports"], entry, reader, language)
        return
    selection = filters.choose_filters(options, language, entry.own, are_shown=entry.needs_build)
    trail.hold_to(say_selection(replace(selection, language="en"), options))
    keep_view(View(build, selection, options))
    navigation.show_breadcrumbs(pages, entry.name, language)
    # A page's own parameters are read while it runs, so what is unknown among them is named afterwards, up here.
    notice = st.container()
    panels.run_page(page)
    trail.hold_to(*filters.list_own())
    with notice:
        show_unknown(reader, entry, language)
    filters.write_selection(selection)
    watch(build.name)


def show_without_build(
    page: Any, pages: Mapping[str, Any], entry: PageEntry, reader: Reader, language: Language
) -> None:
    """Run a page that does not ask any build."""
    filters.adopt_own(entry.own)
    navigation.show_breadcrumbs(pages, entry.name, language)
    notice = st.container()
    panels.run_page(page)
    trail.hold_to(*filters.list_own())
    with notice:
        show_unknown(reader, entry, language)
    filters.write_own(language)
    watch(answers.name_newest_build())


def show_unknown(reader: Reader, entry: PageEntry, language: Language) -> None:
    """Name what the address holds and is not known to this reader, and note it."""
    panels.show_unknown(language, is_named=reader.grant.reach.is_whole)
    trail.note_unknown(filters.read_unknown(), reader, entrance.find_client(), entry.name)


def show_closed(entry: PageEntry, reader: Reader, language: Language) -> None:
    """Say that a page is not one of the reader's."""
    st.title(translate(language, entry.title), anchor=False)
    st.info(translate(language, "This page is not open to you under the role that you act in."), icon=":material/lock:")
    trail.note("refused", reader, entrance.find_client(), page=entry.name, detail="not a page of the role")
    watch(answers.name_newest_build())


def show_nothing_in_scope(entry: PageEntry, build_name: str, language: Language) -> None:
    """Say that there is a build, and nothing in it that the reader may see."""
    st.title(translate(language, entry.title), anchor=False)
    st.info(
        translate(language, "Nothing of what has been loaded lies within what you may see."), icon=":material/lock:"
    )
    watch(build_name)


def show_missing_build(import_page: Any, entry: PageEntry, reader: Reader, language: Language) -> None:
    """Say what to run before there is anything to show."""
    st.title(translate(language, entry.title), anchor=False)
    reason = answers.explain_missing()
    newest = answers.name_newest_build()
    if reason:
        # The reason names folders of the server, which are for those who load.
        is_told = navigation.ENTRIES["imports"].is_open_to(reader)
        st.warning(plain(reason) if is_told else translate(language, "The newest build cannot be opened."))
        watch(newest)
        return
    st.info(translate(language, "There is no data to show yet."))
    if navigation.ENTRIES["imports"].is_open_to(reader):
        st.markdown(
            translate(language, "Drop your own exports on the Import page; this page then shows them by itself.")
        )
        st.page_link(import_page, label=translate(language, "Import files"), icon=":material/move_to_inbox:")
        st.markdown(translate(language, "Or load exports, or those of a made-up group, on the command line:"))
        st.code(COMMANDS, language="bash")
    watch(newest)


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def watch(shown: str | None) -> None:
    """Run the page again once there is a newer build than the one it shows, or the reader may see something else."""
    if answers.name_newest_build() != shown or entrance.is_changed():
        st.rerun()


main()
