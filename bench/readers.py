"""python -m bench.readers --home FOLDER: how many readers one process of the dashboard bears, beside bare Streamlit.

Sessions speak Streamlit's own protocol: they open pages, set filters, open tabs and think in between. Server and
generator have a core each. About ten minutes; --short takes two.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from bench.bare import Part, list_parts
from bench.crowd import THINK_SECONDS, Crowd
from bench.served import ROOT, Served, serve_bare, serve_dashboard
from bench.sessions import SHARES, Kind, Session

OUT: Final = ROOT / "bench" / "results" / "readers.json"
SIZES: Final = (10, 25, 50, 100, 200, 300, 500)
SHORT_SIZES: Final = (10, 50, 200)
LONGEST_P95_SECONDS: Final = 1.0
SEARCHES: Final = 3
LONGEST_LOG: Final = 4000
SEED: Final = 20260401
WARM_SESSIONS: Final = 4
MOST_OPEN_PAGES: Final = 50
IDLE_SECONDS: Final = 12.0
SHARES_OF_SEEN: Final[dict[Kind, int]] = {"page": 85, "tab": 15}
"""Without filters, every view is one that somebody has seen before."""
COLLECTING: Final = {"STREAMLIT_RUNNER_POST_SCRIPT_GC": "true"}
SETTLE_SECONDS, MEASURE_SECONDS = 5.0, 14.0
SHORT_SECONDS: Final = (2.0, 6.0)


def main() -> None:
    """Measure, and write what was measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.readers", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="a TENKEN_HOME with a build; it is only read")
    parser.add_argument("--short", action="store_true", help="fewer sizes and shorter spans")
    parser.add_argument("--sizes", type=int, nargs="+", help="numbers of sessions, in place of the usual ones")
    parser.add_argument("--only", choices=("dashboard", "bare"), help="one of the two servers")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    sizes = tuple(options.sizes or (SHORT_SIZES if options.short else SIZES))
    spans = SHORT_SECONDS if options.short else (SETTLE_SECONDS, MEASURE_SECONDS)
    result = measure_readers(options.home.resolve(), sizes, spans, 1 if options.short else SEARCHES, options.only)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(describe(result))


def measure_readers(
    home: Path, sizes: Sequence[int], spans: tuple[float, float], searches: int, only: str | None = None
) -> dict[str, Any]:
    """Both servers under the same crowd."""
    server_core, own_core = _list_cores()
    open_pages = min(MOST_OPEN_PAGES, max(sizes))
    before = os.sched_getaffinity(0)
    result: dict[str, Any] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "are_cores_apart": server_core != own_core,
        "think_seconds": THINK_SECONDS,
        "shares": SHARES,
    }
    os.sched_setaffinity(0, {own_core})
    try:
        with tempfile.TemporaryDirectory(prefix="tenken-readers-") as name:
            folder = Path(name)
            say("dashboard")
            with serve_dashboard(home, folder, server_core) as served:
                pages = asyncio.run(read_pages(served))
                result["open_pages"] = asyncio.run(measure_open_pages(served, open_pages))
                if only != "bare":
                    say("readers of views that were seen before")
                    result["seen"] = asyncio.run(climb(served, sizes, spans, searches, SHARES_OF_SEEN))
                    say("readers who set filters")
                    result["dashboard"] = asyncio.run(climb(served, sizes, spans, searches, warms=10 * spans[0]))
            if only != "bare":
                say("dashboard with Streamlit's own search for garbage after each run")
                with serve_dashboard(home, folder, server_core, COLLECTING) as served:
                    asyncio.run(read_pages(served))
                    result["collecting_each_run"] = asyncio.run(measure_open_pages(served, open_pages))
            if only != "dashboard":
                say("bare Streamlit")
                with serve_bare(pages, folder, server_core) as served:
                    result["bare"] = asyncio.run(climb(served, sizes, spans, searches))
    finally:
        os.sched_setaffinity(0, before)
    return result


async def read_pages(served: Served) -> dict[str, list[Part]]:
    """What every page of the dashboard is made of, so that bare pages can be made of the same."""
    session = Session(served.address, random.Random(0), keeps_messages=True)
    pages = {}
    await session.come()
    for name in session.pages:
        await session.go(name)
        pages[name] = list_parts(map(ForwardMsg.FromString, session.shown.messages))
    await session.leave()
    return pages


async def measure_open_pages(served: Served, number: int) -> dict[str, Any]:
    """What pages cost that are open, and whose readers do nothing."""
    crowd = Crowd(served, SEED)
    await crowd.resize(number)
    idle = await crowd.measure_idle(IDLE_SECONDS)
    await crowd.resize(0)
    return idle


async def climb(
    served: Served, sizes: Sequence[int], spans: tuple[float, float], searches: int,
    shares: Mapping[Kind, int] = SHARES, warms: float = 0.0,
) -> dict[str, Any]:  # fmt: skip
    """More and more sessions, then the largest number whose 95th percentile stays under a second."""
    crowd = Crowd(served, SEED, shares=shares)
    empty = served.read_mib()
    if warms:
        await crowd.warm(WARM_SESSIONS, warms)
    steps = []
    for size in sizes:
        await crowd.resize(size)
        steps.append(await crowd.measure(*spans))
        say(json.dumps(steps[-1]))
    least, most = 0, None
    for step in steps:
        if is_borne(step):
            least = step["sessions"]
        elif most is None:
            most = step["sessions"]
    searched = []
    for _ in range(searches if most is not None and most > least else 0):
        assert most is not None
        size = (least + most) // 2
        await crowd.resize(size)
        searched.append(await crowd.measure(*spans))
        say(json.dumps(searched[-1]))
        least, most = (size, most) if is_borne(searched[-1]) else (least, size)
    await crowd.resize(0)
    largest = max(steps, key=lambda step: step["sessions"])
    return {
        "steps": steps,
        "searched": searched,
        "borne": least,
        "not_borne": most,
        "empty_mib": round(empty, 1),
        "log": served.log.read_text("utf-8")[-LONGEST_LOG:] if any(step["errors"] for step in steps) else "",
        "mib_per_session": round((largest["server_mib"] - empty) / largest["sessions"], 2),
    }


def is_borne(step: dict[str, Any]) -> bool:
    """Whether readers were answered soon enough, and without errors."""
    return step["p95_s"] is not None and step["p95_s"] < LONGEST_P95_SECONDS and not step["errors"]


def describe(result: dict[str, Any]) -> str:
    """The section of docs/performance.md."""
    (low, high), kinds = result["think_seconds"], result["shares"]
    lines = [
        "## Readers",
        "",
        f"Sessions that speak Streamlit's own protocol against one server process on one core: "
        f"{kinds['filter']} % of interactions set a filter, {kinds['page']} % go to another page, "
        f"{kinds['tab']} % open a tab, with {low:g} to {high:g} seconds of thought in between. A time lasts "
        "from sending to the end of the run. Bare Streamlit is as many elements of the same kinds, drawn from "
        "constants and served the same way. Filters are drawn by chance, so that hardly anybody sets one that "
        "somebody has set before; readers without filters only see views that were seen.",
        "",
        "| | sessions | p50 s | p95 s | p99 s | a second | errors | core used | ms of it each | MiB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    names = {"dashboard": "Tenken", "seen": "Tenken, without filters", "bare": "bare Streamlit"}
    lines += [_say_step(name, step) for part, name in names.items() for step in result.get(part, {}).get("steps", ())]
    lines.append("")
    for part, name in names.items():
        if part not in result:
            continue
        one = result[part]
        limit = "no limit was met" if one["not_borne"] is None else f"{one['not_borne']} were too many"
        lines.append(
            f"- {name}: {one['borne']} sessions a process with a 95th percentile under "
            f"{LONGEST_P95_SECONDS:g} s and no error ({limit}); {one['mib_per_session']:g} MiB for each session, "
            "with what is remembered of its views."
        )
    if "collecting_each_run" in result:
        now, before = (result[name]["ms_per_session_and_second"] for name in ("open_pages", "collecting_each_run"))
        lines.append(
            "- An open page whose reader does nothing looks for a new build every five seconds and takes "
            f"{now:g} ms of processor time a second; it would be {before:g} ms with Streamlit's own search for garbage "
            "after each run."
        )
    if "dashboard" in result and "bare" in result and result["bare"]["borne"]:
        shares = [result[part]["borne"] / result["bare"]["borne"] for part in ("dashboard", "seen")]
        told = f"with filters {shares[0]:.2f} times as many as bare Streamlit, without them {shares[1]:.2f} times"
        lines.append(f"- Tenken bears {told}.")
    if not result["are_cores_apart"]:
        lines.append("- Server and generator shared one core, so that both are slower than they would be.")
    return "\n".join(lines) + "\n"


def _say_step(name: str, step: dict[str, Any]) -> str:
    times = " | ".join(_say(step[one]) for one in ("p50_s", "p95_s", "p99_s"))
    return (
        f"| {name} | {step['sessions']} | {times} | {step['per_second']:g} | {step['errors']} "
        f"| {step['server_cpu']:.0%} | {_say(step['server_ms_per_interaction'])} | {step['server_mib']:.0f} |"
    )


def say(what: str) -> None:
    """Tell what is being measured."""
    print(what, file=sys.stderr, flush=True)


def _say(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def _list_cores() -> tuple[int, int]:
    """The core of the server, and that of the generator."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]


if __name__ == "__main__":
    main()
