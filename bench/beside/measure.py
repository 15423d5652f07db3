"""What is measured of one program: each start of its server with visits and filter changes, and their medians."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser

from bench.beside.answers import ROOT
from bench.beside.browser import PANDAS, TENKEN, Figures, Program, choose_region, open_context, open_page, read_figures
from bench.beside.processes import Server, find_port, start_server

REPEATED_VISITS: Final = 3
NEW_FILTERS: Final = 3
FILTERS_AGAIN: Final = 2
KINDS: Final = ("first", "repeated", "filter", "filter_again")

Serve = Callable[[], AbstractContextManager[Server]]


@dataclass
class Contender:
    """A program, how its server is started, and what was measured of it so far."""

    name: str
    program: Program
    serve: Serve
    most_starts: int
    samples: dict[str, list[float]] = field(default_factory=dict)
    figures: tuple[Figures, Figures] | None = None

    @property
    def starts(self) -> int:
        """How often it was started."""
        return len(self.samples.get("start_seconds", ()))

    def note(self, name: str, value: float) -> None:
        """Keep one measurement."""
        self.samples.setdefault(name, []).append(round(value, 3))

    def sum_up(self) -> dict[str, Any]:
        """The median of everything measured, how often it was, and the measurements themselves."""
        medians = {name: round(statistics.median(values), 2) for name, values in self.samples.items()}
        return {**medians, "starts": self.starts, "samples": self.samples}


@contextmanager
def serve_tenken(home: Path) -> Iterator[Server]:
    """Tenken's own server with the page of four charts."""
    port = find_port()
    command = [sys.executable, "-m", "bench.beside.tenken_server"]
    options = ["--server.address", "127.0.0.1", "--server.port", str(port)]
    environment = os.environ | {"TENKEN_HOME": str(home)}
    with start_server([*command, *options], f"http://127.0.0.1:{port}", "/healthz", environment, ROOT) as server:
        yield server


@contextmanager
def serve_pandas(answers: Path, *, careful: bool = False) -> Iterator[Server]:
    """Streamlit's own server with the pandas page, in a folder without Tenken's settings."""
    port = find_port()
    page = Path(__file__).parent / "pandas_page.py"
    command = [sys.executable, "-m", "streamlit", "run", str(page), "--server.headless", "true"]
    options = ["--server.address", "127.0.0.1", "--server.port", str(port), "--browser.gatherUsageStats", "false"]
    environment = os.environ | {"ANSWERS": str(answers), "CAREFUL": str(int(careful))}
    address = f"http://127.0.0.1:{port}"
    with start_server([*command, *options], address, "/_stcore/health", environment, answers.parent) as server:
        yield server


def make_tenken(home: Path, starts: int) -> Contender:
    """Tenken on a home."""
    return Contender("tenken", TENKEN, lambda: serve_tenken(home), starts)


def make_pandas(answers: Path, starts: int, *, careful: bool = False) -> Contender:
    """The pandas page on the flat file, as usually or as carefully written."""
    name = "pandas_careful" if careful else "pandas"
    return Contender(name, PANDAS, lambda: serve_pandas(answers, careful=careful), starts)


def measure_start(browser: Browser, contender: Contender, regions: Sequence[str]) -> None:
    """One start of the server: a first visit with cold caches, repeated ones, and changes of the filter."""
    program = contender.program
    with contender.serve() as server:
        contender.note("start_seconds", server.start_seconds)
        contender.note("start_cpu_seconds", server.measure_cpu())
        context = open_context(browser, program, server.address)
        for visit in range(1 + REPEATED_VISITS):
            kind = "repeated" if visit else "first"
            before = server.measure_cpu()
            page, milliseconds, kilobytes = open_page(context, program, server.address)
            contender.note(f"{kind}_ms", milliseconds)
            contender.note(f"{kind}_cpu_seconds", server.measure_cpu() - before)
            contender.note(f"{kind}_kilobytes", kilobytes)
            if visit < REPEATED_VISITS:
                page.close()
        turns = [("filter", region) for region in regions[:NEW_FILTERS]]
        for kind, region in [*turns, *(("filter_again", region) for region in regions[:FILTERS_AGAIN])]:
            before = server.measure_cpu()
            contender.note(f"{kind}_ms", choose_region(page, program, region))
            contender.note(f"{kind}_cpu_seconds", server.measure_cpu() - before)
            program.clear_filter(page)
        contender.note("memory_mib", server.measure_memory())
        contender.note("peak_mib", server.measure_peak())
        context.close()
        if contender.figures is None:
            contender.figures = read_figures(browser, program, server.address, regions[0])


def compare_figures(contenders: Sequence[Contender]) -> dict[str, Any]:
    """Whether all programs sent the rates that the first one sent: how many, and the largest difference."""
    first, *others = [one for one in contenders if one.figures]
    compared, largest, problems = 0, 0.0, []
    for other in others:
        for place, (expected, found) in enumerate(zip(first.figures or (), other.figures or (), strict=True)):
            for chart in sorted(expected.keys() | found.keys()):
                here, there = expected.get(chart, {}), found.get(chart, {})
                if here.keys() != there.keys() or not here:
                    problems.append(
                        f"{other.name}, {chart}{' of one region' if place else ''}: "
                        f"{sorted(here.keys() ^ there.keys())[:4] or 'nothing'} on one side only"
                    )
                shared = here.keys() & there.keys()
                compared += len(shared)
                largest = max([largest, *(abs(here[key] - there[key]) for key in shared)])
    return {"compared": compared, "largest_difference": largest, "problems": problems}
