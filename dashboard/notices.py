"""What stands above every page when not all is as it should be."""

from __future__ import annotations

import streamlit as st

from dashboard.answers import Build
from dashboard.words import Language, join_sentences, join_values, plain, say_moment, translate
from metrics.builds import POINTER


def show_passed(build: Build, language: Language) -> None:
    """Say that a newer build cannot be read: which, what is shown in its place and how old that is, what to do."""
    if not build.passed:
        return
    names = [one.name for one in build.passed if one.name != POINTER]
    if not names:
        what = translate(language, "The file that names the newest build cannot be read.")
    elif len(names) == 1:
        what = translate(
            language,
            "The newest build, {name}, cannot be read, so that what was loaded last is missing here.",
            name=names[0],
        )
    else:
        what = translate(
            language,
            "The newest builds cannot be read, so that what was loaded last is missing here: {names}.",
            names=join_values(language, names),
        )
    shown = translate(
        language,
        "Shown is {name}, known until {known_at} UTC.",
        name=build.name,
        known_at=say_moment(build.known_at),
    )
    remedy = translate(language, "Whoever runs Tenken makes the newest build again from the archive:")
    with st.container(key="passed-over"):
        st.warning(
            f"{plain(join_sentences(language, (what, shown, remedy)))} `python -m etl rebuild`",
            icon=":material/history:",
        )
