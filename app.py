"""Tenken's dashboard: `streamlit run app.py`. Sets up the page, asks for the filters and runs the chosen page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard import answers, filters, words
from dashboard.view import View, keep_view, read_options

COMMANDS = """# a made-up group, to look around
python -m etl demo
python -m etl load data/demo

# your own exports
python -m etl load <file or folder>"""
ICON = Path(__file__).parent / "dashboard" / "icon.svg"


def main() -> None:
    """One run: language, build, filters, page."""
    st.set_page_config(page_title="Tenken", page_icon=ICON, layout="wide")
    st.logo(ICON, size="large")
    language = filters.choose_language()
    overview = st.Page("pages/group/overview.py", title=words.OVERVIEW.say(language), default=True)
    page = st.navigation({words.GROUP.say(language): [overview]})
    build = answers.find_build()
    options = read_options(build) if build else None
    if build is None or options is None or not options.halves:
        show_missing_build(language)
        return
    keep_view(View(build, filters.choose_filters(options, language), options))
    page.run()


def show_missing_build(language: words.Language) -> None:
    """Say what to run before there is anything to show."""
    st.title(words.OVERVIEW.say(language), anchor=False)
    st.info(words.NO_BUILD.say(language))
    st.markdown(words.NO_BUILD_RUN.say(language))
    st.code(COMMANDS, language="bash")


main()
