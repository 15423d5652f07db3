"""How long the server takes for each page, against a bare Streamlit page, a first run, and a small group's build."""

from __future__ import annotations

import gc
import logging
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import streamlit as st
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.testing.v1 import AppTest, app_test
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from bench.bare import Part, list_parts
from dashboard.navigation import PAGES, PageEntry

APP: Final = Path(__file__).parents[1] / "app.py"
FIRST_RUNS, REPEATED_RUNS = 3, 7
LONGEST_RUN_SECONDS: Final = 300
SCRIPTS: Final = ScriptCache()


class TimedRunner(LocalScriptRunner):
    """Runs a script as AppTest does, and keeps how long the script took and what it sent."""

    seconds: float = 0.0
    messages: tuple[Any, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # As in a server: scripts are compiled once, not at every run.
        self._script_cache = self._pages_manager._script_cache = SCRIPTS

    def _run_script(self, rerun_data: Any) -> None:
        began = time.perf_counter()
        super()._run_script(rerun_data)
        TimedRunner.seconds += time.perf_counter() - began

    def forward_msgs(self) -> list[Any]:
        messages: list[Any] = super().forward_msgs()
        TimedRunner.messages = tuple(messages)
        return messages


def measure_pages(home: Path, demo_home: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Every page on the build of a home, on a demo group's, and in bare Streamlit; milliseconds and ratios."""
    logging.disable(logging.WARNING)
    app_test.LocalScriptRunner = TimedRunner
    measured = {}
    for page in PAGES:
        say(f"page {page.name}")
        measured[page.name] = measure_page(page, home, demo_home)
    ratios = ("repeated_to_bare", "first_to_bare", "repeated_to_demo", "kilobytes")
    worst = {name: max(page[name] for page in measured.values() if name in page) for name in ratios}
    return {"worst": worst, "pages": measured}


def measure_page(page: PageEntry, home: Path, demo_home: Path) -> dict[str, Any]:
    """One page: its first run with cold caches, its rerun, and both against the bare page."""
    # Imports are warm and caches cold, as in a running server that meets a new build.
    os.environ["TENKEN_HOME"] = str(demo_home)
    _, demo, _ = measure_runs(lambda: open_page(page))
    os.environ["TENKEN_HOME"] = str(home)
    first, repeated, messages = measure_runs(lambda: open_page(page))
    failures = [message.delta.new_element.exception for message in messages if is_exception(message)]
    if failures:
        return {"failed": failures[0].type}
    parts = list_parts(messages)
    bare_first, bare, bare_messages = measure_runs(lambda: open_bare(parts))
    assert not any(is_exception(message) for message in bare_messages)
    return {
        "first_ms": round(first, 1),
        "repeated_ms": round(repeated, 1),
        "demo_ms": round(demo, 1),
        "bare_ms": round(bare, 1),
        "repeated_to_bare": round(repeated / bare, 2),
        "first_to_bare": round(first / bare_first, 2),
        "repeated_to_demo": round(repeated / demo, 2),
        "kilobytes": round(sum(message.ByteSize() for message in messages) / 1000, 1),
        "elements": len(parts),
    }


def measure_runs(open_app: Callable[[], AppTest]) -> tuple[float, float, tuple[Any, ...]]:
    """Medians in milliseconds of first runs with cold caches and of reruns, and what the last first run sent."""
    firsts = []
    for _ in range(FIRST_RUNS):
        app = None
        st.cache_resource.clear()
        st.cache_data.clear()
        # Sessions hold the build that they showed; it is closed with the last of them.
        gc.collect()
        app = open_app()
        firsts.append(time_run(app))
        messages = TimedRunner.messages
    assert app
    repeated = statistics.median(time_run(app) for _ in range(REPEATED_RUNS))
    return statistics.median(firsts), repeated, messages


def time_run(app: AppTest) -> float:
    """Milliseconds that the script of one run takes, without what AppTest does around it."""
    TimedRunner.seconds = 0.0
    app.run()
    return TimedRunner.seconds * 1000


def open_page(page: PageEntry) -> AppTest:
    """A session that is about to open a page directly, in English and with the plain filters."""
    app = AppTest.from_file(str(APP), default_timeout=LONGEST_RUN_SECONDS)
    app.query_params["lang"] = "en"
    return app if page is PAGES[0] else app.switch_page(page.path)


def open_bare(parts: list[Part]) -> AppTest:
    """A session that is about to open a page of constants."""
    return AppTest.from_function(run_bare, kwargs={"parts": parts}, default_timeout=LONGEST_RUN_SECONDS)


def run_bare(parts):  # type: ignore[no-untyped-def]
    """The script of the bare page; it stands alone, because AppTest writes it to a file."""
    import streamlit

    from bench.bare import draw_parts

    streamlit.set_page_config(layout="wide")
    unknown = draw_parts(parts)
    assert not unknown, unknown


def is_exception(message: Any) -> bool:
    """Whether a message shows an exception to the reader."""
    return bool(message.WhichOneof("type") == "delta" and message.delta.new_element.WhichOneof("type") == "exception")
