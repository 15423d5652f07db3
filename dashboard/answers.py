"""Answers of the query layer, cached per build, scope and query; a new build is noticed at the next run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import streamlit as st

from metrics.ask import AnswerFrame, answer, value_labels
from metrics.query import Query, Scope
from metrics.warehouse import Warehouse, WarehouseMissing, find_home, newest_build_name


@dataclass(frozen=True, slots=True)
class Build:
    """The build that this run reads; a run never mixes two."""

    warehouse: Warehouse
    name: str
    known_at: datetime
    first_known_at: datetime


def current_scope() -> Scope:
    """The entities that the reader may see; everything until sign-in exists."""
    return Scope()


def find_build() -> Build | None:
    """The newest build, or None before there is one."""
    home = find_home()
    name = newest_build_name(home)
    if name is None:
        return None
    try:
        return _open_build(home, name)
    except WarehouseMissing:
        return None


def ask(build: Build, query: Query) -> AnswerFrame:
    """The answer to a query on a build."""
    return _ask(build.name, repr(query), build, query)


def read_labels(build: Build, dimension: str) -> dict[str, tuple[str, str]]:
    """Labels (English, Japanese) of a dimension's ids, in the order in which lists show them."""
    return _read_labels(build.name, dimension, build)


@st.cache_resource(max_entries=2, show_spinner=False)
def _open_build(home: Path, build_name: str) -> Build:
    """One open warehouse per build; the one before stays open for runs that still read it."""
    warehouse = Warehouse.open_newest(home)
    known_at = warehouse.newest_known_at()
    return Build(warehouse, warehouse.build_name, known_at, warehouse.first_known_at() or known_at)


@st.cache_data(max_entries=2000, show_spinner=False)
def _ask(build_name: str, asked: str, _build: Build, _query: Query) -> AnswerFrame:
    """The text of the frozen query, which holds its scope, is the key, so that no frame is ever hashed."""
    return answer(_build.warehouse, _query)


@st.cache_data(max_entries=100, show_spinner=False)
def _read_labels(build_name: str, dimension: str, _build: Build) -> dict[str, tuple[str, str]]:
    return value_labels(_build.warehouse, dimension, _build.known_at)
