"""Settings of all tests, and the demo group, which is written and loaded once for all of them."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import pytest
from hypothesis import settings

from etl.builds import Home
from etl.commands import Order, load_files
from etl.demo import write_demo

# How long an example takes says more about the machine than about the code; the same examples at every run, so that a
# failure is the change's and no chance's.
settings.register_profile("tenken", deadline=None, derandomize=True)
settings.load_profile("tenken")

LONGEST = (
    "test_browser",
    "test_imports",
    "test_scope_leaks",
    "test_pages",
    "test_faults",
    "test_spark",
    "test_known_tools",
    "test_fuzz",
    "test_import_browser",
    "test_sign_in",
    "test_load",
    "test_rows",
)
"""Files of tests that take longest. A process is given a file at a time, and the last one should not leave it alone.

Those that start a browser lie apart, for each keeps more than one core busy."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files; xdist keeps this order with --no-loadscope-reorder."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


@pytest.fixture(scope="session")
def shared_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo group: `exports`, `home` and `report.json`. Every process of a run reads it, none writes."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared-demo"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            write_demo(folder / "exports")
            report = load_files(Home(folder / "home"), Order([folder / "exports"]), lambda *_: None)
            told = {"exit_status": report.exit_status, "refusals": report.refusals, "loads": report.loads}
            (folder / "report.json").write_text(json.dumps(told, default=str), "utf-8")
            (folder / "done").touch()
    return folder
