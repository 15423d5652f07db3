"""The exports that are recognised: every source that the ETL knows, as it says them itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st

from dashboard.data.import_words import Desk, say_kind
from dashboard.engine import EngineProblem, ask_engine
from dashboard.words import Label, join_values, plain

SECONDS: Final = 60
PROJECT_SOURCES: Final = Path(__file__).resolve().parents[2] / "data" / "sources"


@dataclass(frozen=True, slots=True)
class Source:
    """A source: its name, label, format, kinds of records, what may be given for a file, and whether it is a draft."""

    name: str
    label: Label
    form: str
    yields: tuple[str, ...]
    asks: tuple[str, ...]
    is_draft: bool
    part_of: str | None


def list_sources(desk: Desk) -> tuple[Source, ...]:
    """Every source, read again when one is added or changed. Raises EngineProblem where one of them is at fault."""
    files = [*PROJECT_SOURCES.glob("*.toml"), *(desk.home / "sources").glob("*.toml")]
    stamp = sorted((str(path), path.stat().st_mtime_ns) for path in files)
    return _list_sources(str(desk.home.resolve()), repr(stamp))


@st.cache_resource(max_entries=8, show_spinner=False)
def _list_sources(home: str, stamp: str) -> tuple[Source, ...]:
    answer = ask_engine(["sources", "--json", "--home", home], SECONDS)
    return tuple(
        Source(
            one["name"],
            Label(one["label"]["en"], one["label"]["ja"]),
            one["format"],
            tuple(dict.fromkeys(one["yields"])),
            tuple(one.get("asks") or ()),
            bool(one.get("is_draft")),
            one.get("part_of"),
        )
        for one in answer["sources"]
    )


def show_sources(desk: Desk) -> None:
    """What can be dropped without describing it first."""
    shown = st.expander(desk.say("Exports that are recognised"), on_change="rerun", key="imports.sources")
    if not shown.open:
        return
    with shown:
        try:
            sources = list_sources(desk)
        except EngineProblem as problem:
            st.error(plain(str(problem)) or desk.say("The sources cannot be read."))
            return
        rows = [
            {
                "label": source.label.say(desk.language),
                "form": source.form,
                "yields": join_values(desk.language, [say_kind(desk, kind) for kind in source.yields]),
                "name": source.name,
            }
            for source in sorted(sources, key=lambda one: one.label.say(desk.language).casefold())
            if not source.is_draft
        ]
        config = st.column_config
        st.dataframe(
            pd.DataFrame(rows, columns=["label", "form", "yields", "name"]),
            hide_index=True,
            alt=desk.say("Exports that are recognised"),
            column_config={
                "label": config.TextColumn(desk.say("Export"), width="large"),
                "form": config.TextColumn(desk.say("Format"), width="small"),
                "yields": config.TextColumn(desk.say("What it tells"), width="medium"),
                "name": config.TextColumn(desk.say("Name of the source")),
            },
        )
        st.caption(desk.say("Any other layout can be described here once, from a file of it."))
