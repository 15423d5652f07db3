"""Answers of the query layer, cached per build, scope and query; a new build is noticed at the next run.

What the caches hand out is shared by every reader and never changed: frames are copied by whoever adds to them.
"""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import pandas as pd
import streamlit as st

from dashboard.access.policy import Reach
from dashboard.access.reader import Reader
from dashboard.kept import Kept
from dashboard.words import Language
from metrics.ask import AnswerFrame, answer, value_labels
from metrics.builds import Unreadable, choose_build, find_home, list_build_names
from metrics.query import Query, Scope
from metrics.rows import RowsFrame, RowsQuery
from metrics.rows import list_rows as read_rows
from metrics.scopes import find_entities
from metrics.warehouse import BuildDamaged as BuildDamaged
from metrics.warehouse import Warehouse, WarehouseMissing, open_best

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Build:
    """The build that this run reads, as far as its reader may see it; a run never mixes two.

    `comparison_k` is the number of entities that a figure of others must rest on, None where there is to be none;
    `also_seen` are entities outside the scope that the reader sees under another grant; `passed` are newer builds that
    cannot be read.
    """

    warehouse: Warehouse
    name: str
    known_at: datetime
    first_known_at: datetime
    scope: Scope
    comparison_k: int | None = None
    also_seen: tuple[str, ...] = ()
    passed: tuple[Unreadable, ...] = ()


def find_build(reader: Reader) -> Build | None:
    """The newest build that can be read, or None before there is one."""
    home = find_home()
    try:
        opened, passed = open_best(home, lambda name: _open_build(home, name))
    except WarehouseMissing:
        return None
    scope, *others = (_find_scope(opened.name, grant.reach, opened) for grant in (reader.grant, *reader.grants))
    held = replace(opened, scope=scope, passed=passed)
    # What a reader sees under one grant must not be told apart by the figures that another one compares with.
    limits = {(grant.reach.inspection_types, grant.reach.domains) for grant in reader.grants if grant.compares}
    seen = [other.entity_codes for other in others]
    if not reader.grant.compares or len(limits) > 1 or None in seen:
        return held
    also_seen = {code for codes in seen for code in codes or ()} - {*(scope.entity_codes or ())}
    return replace(held, comparison_k=reader.least_entities, also_seen=tuple(sorted(also_seen)))


def explain_missing() -> str:
    """Why no build can be opened, and what to do; nothing where there is no build."""
    home = find_home()
    if list_build_names(home) == ([], []):
        return ""
    try:
        Warehouse.open_newest(home).close()
    except WarehouseMissing as missing:
        return str(missing)
    return ""


def name_newest_build() -> str | None:
    """Name of the newest build that is not known to be unreadable, without opening it."""
    return choose_build(find_home())[0]


def ask(build: Build, query: Query) -> AnswerFrame:
    """The answer to a query on a build."""
    # The text of the frozen query, which holds its scope, is the key, so that no frame is ever hashed.
    return _find_shelves().answers.find((build.name, repr(query)), lambda: answer(build.warehouse, query))


def list_rows(build: Build, query: RowsQuery) -> RowsFrame:
    """A page of the rows that a query asks for."""
    return _find_shelves().rows.find((build.name, repr(query)), lambda: read_rows(build.warehouse, query))


def read_labels(build: Build, dimension: str) -> dict[str, tuple[str, str]]:
    """Labels (English, Japanese) of a dimension's ids, in the order in which lists show them."""
    return value_labels(build.warehouse, dimension, build.known_at, build.scope)


def read_names(build: Build, dimension: str, language: Language) -> Mapping[str, str]:
    """Labels of a dimension's ids in one language."""
    place = 0 if language == "en" else 1
    labels = read_labels(build, dimension)
    return read_once(
        build, f"{dimension} in {language}", lambda: {code: names[place] for code, names in labels.items()}
    )


def read_once(build: Build, what: str, read: Callable[[], Read]) -> Read:
    """Something of a build that depends on nothing else but the scope, read at its first use."""
    return _find_shelves().read_once.find((build.name, repr(build.scope), what), read)


def remember(build: Build, what: str, make: Callable[[], Read]) -> Read:
    """Something made of answers, such as a panel; `what` says everything that it depends on besides build and scope."""
    return _find_shelves().remembered.find((build.name, repr(build.scope), what), make)


def tell_apart(given: object) -> str:
    """A value as part of what is remembered; frames by their contents, which are read once as long as a frame lives."""
    if not isinstance(given, pd.DataFrame | pd.Series):
        return repr(given)
    told = _TOLD.get(id(given))
    if told is None or told[0]() is not given:
        place = id(given)
        rows = hashlib.sha256(pd.util.hash_pandas_object(given).to_numpy().tobytes()).hexdigest()
        text = f"{list(given) if isinstance(given, pd.DataFrame) else given.name} {rows}"
        _TOLD[place] = told = weakref.ref(given, lambda _: _TOLD.pop(place, None)), text
    return told[1]


_TOLD: Final[dict[int, tuple[weakref.ref[Any], str]]] = {}


@st.cache_resource(max_entries=2, show_spinner=False)
def _open_build(home: Path, build_name: str) -> Build:
    """One open warehouse per build, for nobody yet; the one before stays open for runs that still read it."""
    warehouse = Warehouse.open(home / "warehouse" / f"{build_name}.duckdb")
    known_at = warehouse.newest_known_at()
    first_known_at = warehouse.first_known_at() or known_at
    return Build(warehouse, warehouse.build_name, known_at, first_known_at, Scope(entity_codes=()))


@st.cache_resource(max_entries=500, show_spinner=False)
def _find_scope(build_name: str, reach: Reach, _build: Build) -> Scope:
    """What a reach comes to in a build."""
    codes = find_entities(_build.warehouse, reach.regions, reach.business_groups, reach.entities)
    return Scope(None if reach.is_group else codes, reach.inspection_types, reach.domains)


@dataclass(frozen=True, slots=True)
class _Shelves:
    """What is kept of all builds, each by keys that hold the name of the build and the scope."""

    answers: Kept = field(default_factory=lambda: Kept(3_000))
    rows: Kept = field(default_factory=lambda: Kept(500))
    read_once: Kept = field(default_factory=lambda: Kept(200))
    remembered: Kept = field(default_factory=lambda: Kept(10_000))


@st.cache_resource(show_spinner=False)
def _find_shelves() -> _Shelves:
    """Those of this process."""
    return _Shelves()
