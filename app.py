"""Tenken's dashboard: `streamlit run app.py`. Sets up the page, asks for the filters and runs the chosen page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import answers, filters, navigation, panels
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
    """One run: language, page, build, filters, content."""
    st.set_page_config(page_title="Tenken", page_icon=DASHBOARD / "icon.svg", layout="wide")
    st.logo(DASHBOARD / "icon.svg", size="large")
    st.html(DASHBOARD / "style.css")
    language = filters.choose_language()
    sections, pages = navigation.list_sections(language)
    page = st.navigation(sections, expanded=True)
    current = next(name for name, one in pages.items() if one == page)
    navigation.follow_click(pages, current)
    entry = navigation.ENTRIES[current]
    build = answers.find_build()
    options = read_options(build) if build else None
    if build is None or options is None or not options.periods["half"]:
        if entry.needs_build:
            show_missing_build(pages["imports"], current, language)
        else:
            show_without_build(page, pages, current, language)
        return
    selection = filters.choose_filters(options, language, entry.own, are_shown=entry.needs_build)
    keep_view(View(build, selection, options))
    navigation.show_breadcrumbs(pages, current, language)
    # A page's own parameters are read while it runs, so what is unknown among them is named afterwards, up here.
    notice = st.container()
    panels.run_page(page)
    with notice:
        panels.show_unknown(language)
    filters.write_selection(selection)
    watch_builds(build.name)


def show_without_build(page: Any, pages: Mapping[str, Any], current: str, language: Language) -> None:
    """Run a page that does not ask any build."""
    filters.adopt_own(navigation.ENTRIES[current].own)
    navigation.show_breadcrumbs(pages, current, language)
    notice = st.container()
    panels.run_page(page)
    with notice:
        panels.show_unknown(language)
    filters.write_own(language)
    watch_builds(answers.name_newest_build())


def show_missing_build(import_page: Any, current: str, language: Language) -> None:
    """Say what to run before there is anything to show."""
    st.title(translate(language, navigation.ENTRIES[current].title), anchor=False)
    reason = answers.explain_missing()
    if reason:
        st.warning(plain(reason))
        watch_builds(answers.name_newest_build())
        return
    st.info(translate(language, "There is no data to show yet."))
    st.markdown(translate(language, "Drop your own exports on the Import page; this page then shows them by itself."))
    st.page_link(import_page, label=translate(language, "Import files"), icon=":material/move_to_inbox:")
    st.markdown(translate(language, "Or load exports, or those of a made-up group, on the command line:"))
    st.code(COMMANDS, language="bash")
    watch_builds(answers.name_newest_build())


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def watch_builds(shown: str | None) -> None:
    """Run the page again once there is a newer build than the one it shows."""
    if answers.name_newest_build() != shown:
        st.rerun()


main()
