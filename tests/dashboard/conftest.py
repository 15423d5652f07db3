"""Fixtures of the dashboard's tests: a small group's warehouse, and an app that reads it."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from dashboard.access.reader import EVERYBODY
from dashboard.answers import find_build
from dashboard.navigation import ENTRIES
from dashboard.periods import Grain
from dashboard.selection import CHOICES, Selection
from dashboard.server import load_pages
from dashboard.view import View, read_options
from dashboard.words import Language
from tests.dashboard.small_group import SmallGroup, write_group

APP = Path(__file__).parents[2] / "app.py"
COLD_IMPORT_SECONDS = 30


@pytest.fixture(scope="session", autouse=True)
def _loaded() -> Iterator[None]:
    """Pages are loaded as the server loads them, so that no run collects what is there for good."""
    load_pages()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def group_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the small group's build."""
    return tmp_path_factory.mktemp("small-group")


@pytest.fixture(scope="session")
def small_group(group_home: Path) -> SmallGroup:
    """The rows of the small group, written below its home."""
    return write_group(group_home)


@pytest.fixture(scope="session")
def demo_home(shared_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the demo group, which has everything that a page can show; beside it `exports` and their truth."""
    folder = tmp_path_factory.mktemp("demo-group")
    for name in ("exports", "exports.truth.json"):
        (folder / name).symlink_to(shared_demo / name)
    # Servers write into their home, so each process has one of its own.
    shutil.copytree(shared_demo / "home", folder / "home")
    return folder / "home"


@pytest.fixture(scope="session", autouse=True)
def installed_components() -> Iterator[None]:
    """Look once for components among the installed packages, as a server does, and not again for every AppTest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="module")
def view_of(demo_home: Path) -> Iterator[Callable[..., View]]:
    """Make the view of a selection on the demo group: ids by dimension, self-checks where no types are named."""
    st.cache_resource.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TENKEN_HOME", str(demo_home))
        build = find_build(EVERYBODY)
        assert build
        options = read_options(build)

        def make(
            language: Language = "en",
            grain: Grain = "half",
            known_on: date | None = None,
            from_period: str | None = None,
            to_period: str | None = None,
            **ids: tuple[str, ...],
        ) -> View:
            ids = {"inspection_type": ("self_check",)} | ids
            chosen = tuple((choice.dimension, ids.get(choice.dimension, ())) for choice in CHOICES)
            return View(build, Selection(language, grain, from_period, to_period, chosen, known_on), options)

        yield make
    st.cache_resource.clear()


_last_opened: list[tuple[Path, Path]] = []
"""The file of tests and the home for which the app was opened last."""


@pytest.fixture
def open_app(
    small_group: SmallGroup, group_home: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Callable[..., AppTest]:
    """Open the app at an address, as a browser would: `open_app(lang="ja", region=["JP", "EU"])`.

    As on a server, what one test has read of a home is remembered for the next of the same file.
    """
    monkeypatch.setenv("TENKEN_HOME", str(group_home))

    def run(home: Path = group_home, page: str = "overview", **address: str | list[str]) -> AppTest:
        if _last_opened != [(request.path, home)]:
            st.cache_data.clear()
            st.cache_resource.clear()
            _last_opened[:] = [(request.path, home)]
        monkeypatch.setenv("TENKEN_HOME", str(home))
        app = AppTest.from_file(str(APP), default_timeout=COLD_IMPORT_SECONDS)
        app.switch_page(ENTRIES[page].path)
        for name, value in address.items():
            app.query_params[name.rstrip("_")] = value
        return app.run()

    return run
