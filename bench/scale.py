"""More data: python -m bench.scale [--millions 1 10 30 100] [--items 50 5000]: loads, a rebuild, every page.

Each size is a made-up group with its self-checks as one Parquet file, of which the newest round is kept back and
loaded on top; mutual checks, audits, findings and plans are loaded too, so that every page has something to show.
A group that stays the same has checklists of so many items, to tell what answers alone make slower. Every command runs
as a process of its own. Writes bench/results/scale.json.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb

OUT: Final = Path(__file__).parent / "results" / "scale.json"
GROUPS: Final = {1: (100, 500, 20), 10: (1000, 500, 20), 30: (2000, 500, 30), 100: (4000, 500, 50)}
"""Entities, items and rounds of a group whose self-checks are about so many million answers."""
LENGTHS: Final = (50, 5000)
"""Items of the group of 10 million answers, when its checklist is shorter or longer and nothing else changes."""
EXPORTS: Final = """
import sys
from pathlib import Path
from etl.demo import write_demo
entities, items, rounds = map(int, sys.argv[2:])
write_demo(Path(sys.argv[1]), entities=entities, items=items, rounds=rounds, form="parquet")
"""
NEWEST_ROUND: Final = """
import sys
from pathlib import Path
import duckdb
history, newest = map(Path, sys.argv[1:])
whole = history.with_name("whole.parquet")
history.rename(whole)
connection = duckdb.connect()
connection.execute("set enable_progress_bar = false")
for path, sign in ((history, "<>"), (newest, "=")):
    rows = f"select * from '{whole}' where period {sign} (select max(period) from '{whole}')"
    connection.execute(f"copy ({rows}) to '{path}' (format parquet)")
whole.unlink()
"""
PAGES: Final = """
import json, logging, os, sys
os.environ["TENKEN_HOME"] = sys.argv[1]
logging.disable(logging.WARNING)
from bench.pages import PAGES, TimedRunner, app_test, is_exception, measure_runs, open_page
app_test.LocalScriptRunner = TimedRunner
measured = {}
for page in PAGES:
    first, repeated, messages = measure_runs(lambda: open_page(page))
    assert not any(is_exception(message) for message in messages), page.name
    measured[page.name] = {"first_ms": round(first, 1), "repeated_ms": round(repeated, 1)}
print(json.dumps(measured))
"""


def main() -> None:
    """Measure every size, writing after each what there is so far."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--millions", type=int, nargs="+", choices=sorted(GROUPS), default=sorted(GROUPS))
    parser.add_argument("--items", type=int, nargs="*", choices=LENGTHS, default=LENGTHS)
    parser.add_argument("--folder", type=Path, help="where the homes are made and kept; a temporary one otherwise")
    parser.add_argument("--out", type=Path, default=OUT, help="sizes that it has and that are not measured stay in it")
    options = parser.parse_args()
    kept = json.loads(options.out.read_text("utf-8")) if options.out.exists() else {"sizes": {}, "lengths": {}}
    result: dict[str, Any] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "duckdb": duckdb.__version__},
        "sizes": {size: facts for size, facts in kept["sizes"].items() if int(size) not in options.millions},
        "lengths": {length: facts for length, facts in kept["lengths"].items() if int(length) not in options.items},
    }
    (entities, _, rounds) = GROUPS[10]
    asked = [("sizes", one, lambda root, one=one: measure_size(root, *GROUPS[one])) for one in options.millions]
    asked += [
        ("lengths", one, lambda root, one=one: measure_pages(root, entities, one, rounds)) for one in options.items
    ]
    with tempfile.TemporaryDirectory(prefix="tenken-scale-") as folder:
        for what, one, measure in asked:
            root = (options.folder or Path(folder)) / f"{what}-{one}"
            shutil.rmtree(root, ignore_errors=True)
            result[what][str(one)] = measure(root)
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
            if options.folder is None:
                shutil.rmtree(root)
    print(describe(result))


def measure_size(root: Path, entities: int, items: int, rounds: int) -> dict[str, Any]:
    """One group: seconds, peak MiB of memory and bytes of the build."""
    facts: dict[str, Any] = {"entities": entities, "items": items, "rounds": rounds}
    exports, home = write_exports(root, entities, items, rounds), root / "home"
    history = exports / "self_check" / "self_check_history.parquet"
    newest = history.with_name("self_check_history_newest.parquet")
    subprocess.run([sys.executable, "-c", NEWEST_ROUND, str(history), str(newest)], check=True)
    run(home, "load", exports / "master")
    say("history")
    facts["load"] = run(home, "load", history)
    facts["answers"] = facts["load"].pop("rows")
    facts["build_bytes"] = size_of(home)
    say("one more round")
    facts["round"] = run(home, "load", newest)
    say("the rest")
    others = [one for one in sorted(exports.iterdir()) if one.name not in ("master", "self_check")]
    facts["rest"] = run(home, "load", *others)
    say("the same file again")
    facts["again"] = run(home, "load", newest)
    facts["whole_bytes"] = size_of(home)
    (facts["all_answers"],) = ask(home, "select count(*) from fct_answer")
    say("rebuild")
    facts["rebuild"] = run(home, "rebuild")
    say("pages")
    facts["pages"], facts["pages_peak_mib"] = open_pages(home)
    return facts


def measure_pages(root: Path, entities: int, items: int, rounds: int) -> dict[str, Any]:
    """Only the pages of a group, with how many answers it has."""
    exports, home = write_exports(root, entities, items, rounds), root / "home"
    run(home, "load", exports)
    (answers,) = ask(home, "select count(*) from fct_answer")
    say("pages")
    return {"items": items, "all_answers": answers, "pages": open_pages(home)[0]}


def write_exports(root: Path, entities: int, items: int, rounds: int) -> Path:
    """The exports of a group, from a process of its own: a child's peak memory begins with what its parent holds."""
    say(f"{entities} entities, {items} items, {rounds} rounds: exports")
    group = map(str, (entities, items, rounds))
    subprocess.run([sys.executable, "-c", EXPORTS, str(root / "exports"), *group], check=True)
    return root / "exports"


def run(home: Path, command: str, *paths: Path) -> dict[str, Any]:
    """A command of the ETL by itself."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "etl", command, "--json", "--home", str(home), *map(str, paths)], stdout=subprocess.PIPE
    )
    assert process.stdout
    report = json.loads(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, report["refusals"][:3]
    return {
        "seconds": round(time.perf_counter() - began, 2),
        "peak_mib": round(usage.ru_maxrss / 1024),
        "rows": sum(one["rows_read"] for one in report["loads"]),
    }


def open_pages(home: Path) -> tuple[dict[str, Any], int]:
    """Every page in a process of its own: milliseconds with cold caches and repeated, and the peak memory in MiB."""
    process = subprocess.Popen([sys.executable, "-c", PAGES, str(home)], stdout=subprocess.PIPE)
    assert process.stdout
    pages = json.loads(process.stdout.read())
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return pages, round(usage.ru_maxrss / 1024)


def size_of(home: Path) -> int:
    """Bytes of the newest build."""
    return newest_build(home).stat().st_size


def newest_build(home: Path) -> Path:
    """Its file."""
    return home / "warehouse" / (home / "warehouse" / "current").read_text("utf-8").strip()


def ask(home: Path, sql: str) -> Any:
    """One row of the newest build."""
    with duckdb.connect(str(newest_build(home)), read_only=True) as connection:
        return connection.execute(sql).fetchone()


def say(what: str) -> None:
    """Tell what is being measured."""
    print(f"measuring: {what}", file=sys.stderr, flush=True)


# --- the section of docs/performance.md ------------------------------------------------------------


def describe(result: dict[str, Any]) -> str:
    """The section as Markdown."""
    sizes = [result["sizes"][size] for size in sorted(result["sizes"], key=int)]
    answers = [size["answers"] for size in sizes]
    lines = [
        "## More data",
        "",
        "Self-checks of a made-up group in one Parquet file, loaded into a home with masters; then the newest round, "
        "then everything else that the group exports (checks by others, audits, findings, plans), then all of it again "
        "from the archive. Each command is a process of its own; memory is its peak.",
        "",
        "| | " + " | ".join(f"{count / 1e6:,.1f} million" for count in answers) + " | exponent |",
        "|---|" + "--:|" * (len(sizes) + 1),
    ]

    def row(label: str, values: Sequence[float | None], form: str) -> None:
        cells = " | ".join("" if value is None else form.format(value) for value in values)
        known = [(count, value) for count, value in zip(answers, values, strict=True) if value is not None]
        lines.append(f"| {label} | {cells} | {grow([one for one, _ in known], [one for _, one in known])} |")

    lines.append(
        "| entities × items × rounds | "
        + " | ".join(f"{size['entities']:,} × {size['items']} × {size['rounds']}" for size in sizes)
        + " | |"
    )
    row("load, s", [size["load"]["seconds"] for size in sizes], "{:.1f}")
    row("answers a second", [size["answers"] / size["load"]["seconds"] for size in sizes], "{:,.0f}")
    row("load, MiB", [size["load"].get("peak_mib") for size in sizes], "{:,.0f}")
    row("build, MB", [size["build_bytes"] / 1e6 for size in sizes], "{:,.0f}")
    row("bytes an answer", [size["build_bytes"] / size["answers"] for size in sizes], "{:.1f}")
    row("answers of one more round", [size["round"]["rows"] for size in sizes], "{:,.0f}")
    row("one more round, s", [size["round"]["seconds"] for size in sizes], "{:.1f}")
    row("one more round, MiB", [size["round"].get("peak_mib") for size in sizes], "{:,.0f}")
    row("all answers, of other exports too", [size["all_answers"] for size in sizes], "{:,.0f}")
    row("load of the other exports, s", [size["rest"]["seconds"] for size in sizes], "{:.1f}")
    row("whole build, MB", [size["whole_bytes"] / 1e6 for size in sizes], "{:,.0f}")
    row("the newest round again, s", [size["again"]["seconds"] for size in sizes], "{:.1f}")
    row("rebuild of all, s", [size["rebuild"]["seconds"] for size in sizes], "{:.1f}")
    row("rebuild, MiB", [size["rebuild"].get("peak_mib") for size in sizes], "{:,.0f}")
    row("every page, MiB", [size.get("pages_peak_mib") for size in sizes], "{:,.0f}")
    lines += [
        "",
        "The exponent is the slope of a line through the logarithms: 1 grows with the answers, 0 not at all.",
        "",
        "Milliseconds that the server takes for each page with the plain filters: with cold caches (the first reader "
        "of a new build), and repeated.",
        "",
        *_draw_pages(answers, [size["pages"] for size in sizes]),
    ]
    names = list(sizes[0]["pages"])
    lines += ["", *_sum_up(sizes, answers, names)]
    whole = result["sizes"].get("10")
    if whole and (lengths := result["lengths"]):
        same = sorted([*lengths.values(), whole], key=lambda one: one["items"])
        lines += [
            "",
            f"The group of {whole['entities']:,} entities and {whole['rounds']} rounds again, with checklists of "
            f"{say_list([one['items'] for one in same])} items: what more answers alone cost. Checks by others, "
            "audits, findings and pairs grow with them.",
            "",
            *_draw_pages([one["all_answers"] for one in same], [one["pages"] for one in same]),
            "",
            _compare(same[0], same[-1]),
        ]
    return "\n".join(lines) + "\n"


def _compare(shortest: dict[str, Any], longest: dict[str, Any]) -> str:
    """How many times as long pages take with the longest checklist as with the shortest one."""
    told = []
    for what, words in (("first_ms", "the first look takes"), ("repeated_ms", "a page that was seen before")):
        times = {name: longest["pages"][name][what] / page[what] for name, page in shortest["pages"].items()}
        most, middle = max(times, key=lambda name: times[name]), statistics.median(times.values())
        told.append(f"{words} {middle:.1f} times as long in the median and {times[most]:.1f} at most ({most})")
    return f"For {longest['all_answers'] / shortest['all_answers']:,.0f} times the answers {', '.join(told)}."


def say_list(numbers: Sequence[int]) -> str:
    """Numbers one after the other."""
    return f"{', '.join(f'{one:,}' for one in numbers[:-1])} and {numbers[-1]:,}"


def _draw_pages(answers: Sequence[int], pages: Sequence[dict[str, Any]]) -> list[str]:
    """The table of pages by number of answers."""
    lines = [
        "| page | " + " | ".join(f"first, {count / 1e6:,.0f} M" for count in answers) + " | exponent | "
        + " | ".join(f"repeated, {count / 1e6:,.0f} M" for count in answers) + " | exponent |",
        "|---|" + "--:|" * (2 * len(answers) + 2),
    ]  # fmt: skip
    for name in pages[0]:
        cells = []
        for what in ("first_ms", "repeated_ms"):
            values = [one[name][what] for one in pages]
            cells.append(" | ".join(f"{value:,.0f}" for value in values) + f" | {grow(answers, values)}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _sum_up(sizes: list[dict[str, Any]], answers: list[int], names: list[str]) -> list[str]:
    last = sizes[-1]
    first_slowest = max(names, key=lambda name: last["pages"][name]["first_ms"])
    slowest = max(names, key=lambda name: last["pages"][name]["repeated_ms"])
    told = [
        f"At {answers[-1] / 1e6:,.0f} million answers a page that was seen before takes "
        f"{last['pages'][slowest]['repeated_ms']:,.0f} ms at most ({slowest}); the first look at a new build takes "
        f"{last['pages'][first_slowest]['first_ms'] / 1000:,.1f} s at most ({first_slowest})."
    ]
    if len(sizes) > 1:
        times = last["all_answers"] / sizes[0]["all_answers"]
        slower = max(last["pages"][name]["first_ms"] / sizes[0]["pages"][name]["first_ms"] for name in names)
        told.append(
            f"For {times:,.0f} times the answers, the first look takes {slower:,.1f} times as long at most; the group "
            f"grows from {sizes[0]['entities']:,} to {last['entities']:,} entities as well."
        )
    return [" ".join(told)]


def grow(counts: Sequence[float], values: Sequence[float]) -> str:
    """Slope of the least-squares line through logarithms of values over those of counts."""
    if len(counts) < 2 or min(values) <= 0:
        return ""
    xs, ys = [math.log(one) for one in counts], [math.log(one) for one in values]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / sum((x - mean_x) ** 2 for x in xs)
    return f"{slope:.2f}"


if __name__ == "__main__":
    main()
