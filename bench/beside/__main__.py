"""python -m bench.beside --home FOLDER [--superset-venv FOLDER] [--install]: the same four charts by three programs.

FOLDER is a TENKEN_HOME whose self-checks are shown; it is only read. Superset is used from the virtual environment
given, or installed there with --install (in bench/results/superset where none is given); else it is left out.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil

from bench.beside import superset
from bench.beside.answers import list_regions, load_home, write_flat
from bench.beside.browser import describe_superset, open_browser
from bench.beside.describe import describe
from bench.beside.measure import Contender, compare_figures, make_pandas, make_tenken, measure_start
from docs.draw_pictures import CHROMIUM

OUT: Final = Path("bench/results/beside.json")
VENV: Final = Path("bench/results/superset")
PAGES: Final = {"tenken": "four_charts.py", "pandas": "pandas_page.py"}
STARTS: Final = 3
LONGEST_SECONDS: Final = 600
"""After this no server is started again; what was measured until then is the result."""


def main() -> None:
    """Measure, write the result, print its Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True, help="a TENKEN_HOME with a build; it is only read")
    parser.add_argument("--superset-venv", type=Path, help="a virtual environment with Superset")
    parser.add_argument("--install", action="store_true", help="install Superset where it is missing")
    parser.add_argument("--starts", type=int, default=STARTS, help="how often each server is started")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    if not CHROMIUM.exists():
        parser.exit(1, f"{CHROMIUM} is missing. On Debian: sudo apt-get install chromium\n")
    venv, left_out, install_seconds = find_superset(options.superset_venv, options.install)
    result: dict[str, Any] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30),
            "python": platform.python_version(),
        },
        "versions": {name: importlib.metadata.version(name) for name in ("streamlit", "duckdb", "pandas")},
        "left_out": left_out,
    }
    with tempfile.TemporaryDirectory(prefix="tenken-beside-") as folder:
        result |= measure(Path(folder), options.home.resolve(), venv, options.starts)
    if venv:
        result["superset_versions"] = superset.read_versions(venv)
        result["install_seconds"] = install_seconds
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(describe(result))


def find_superset(venv: Path | None, may_install: bool) -> tuple[Path | None, str, float | None]:
    """The environment to use, why there is none, and the seconds that installing took."""
    folder = (venv or VENV).absolute()
    if (folder / "bin" / "superset").exists():
        return folder, "", None
    if not may_install:
        return None, f"Superset was left out, because {folder.name} does not hold it; --install installs it.", None
    say(f"installing Superset in {folder}")
    try:
        return folder, "", round(superset.install(folder), 1)
    except RuntimeError as problem:
        return None, f"Superset was left out, because it could not be installed: {problem}", None


def measure(work: Path, home: Path, venv: Path | None, starts: int) -> dict[str, Any]:
    """Prepare the data of each program, then start one after the other, several times."""
    began = time.perf_counter()
    say("loading the self-checks into a home of their own, and writing them as one file")
    answers = work / "answers.parquet"
    prepared: dict[str, Any] = {"tenken": load_home(home, work / "home"), "pandas": write_flat(work / "home", answers)}
    contenders = [
        make_tenken(work / "home", starts),
        make_pandas(answers, starts),
        make_pandas(answers, starts, careful=True),
    ]
    left_out = ""
    if venv:
        say("setting Superset up")
        try:
            prepared["superset"], found = prepare_superset(venv, work / "superset", answers, starts)
            contenders += found
        except RuntimeError as problem:
            left_out = f"Superset was left out, because it could not be set up: {problem}"
    regions = list_regions(answers)
    with open_browser() as browser:
        for turn in range(starts):
            for contender in contenders:
                is_late = time.perf_counter() - began > LONGEST_SECONDS
                if turn < contender.most_starts and not (turn and is_late):
                    say(f"{contender.name}, start {turn + 1}")
                    measure_start(browser, contender, regions)
    return {
        "prepared": prepared,
        "lines": {name: count_lines(Path(__file__).parent / page) for name, page in PAGES.items()},
        "programs": {one.name: one.sum_up() for one in contenders},
        "figures": compare_figures(contenders),
        "seconds": round(time.perf_counter() - began),
        **({"left_out": left_out} if left_out else {}),
    }


def prepare_superset(venv: Path, folder: Path, answers: Path, starts: int) -> tuple[dict[str, Any], list[Contender]]:
    """Superset's data, users and dashboard; with its cache of answers, and as it comes, without one."""
    facts = superset.prepare(venv, folder, answers)
    with superset.serve(venv, folder) as server:
        path, facts["calls"] = superset.make_dashboard(server.address, folder)
    program = describe_superset(path, superset.USER, superset.read_secrets(folder)["password"])

    def serve(cached: bool) -> Callable[[], Any]:
        return lambda: superset.serve(venv, folder, cached=cached)

    return facts, [
        Contender("superset", program, serve(True), starts),
        Contender("superset_uncached", program, serve(False), 1),
    ]


def count_lines(path: Path) -> int:
    """Lines of a page without empty ones, comments and the text at its beginning."""
    code = path.read_text("utf-8").split('"""', 2)[2]
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in code.splitlines())


def say(what: str) -> None:
    """Tell what is being done."""
    print(f"measuring: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
