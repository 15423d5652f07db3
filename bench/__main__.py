"""python -m bench [--millions N] [--only pages|insights --home FOLDER]: measure, write JSON, all of this run."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from python_calamine import CalamineWorkbook

from bench.insights import measure_insights
from bench.pages import measure_pages
from etl.demo import write_demo
from metrics.ask import answer
from metrics.catalog import DIMENSIONS, METRICS
from metrics.query import Query
from metrics.warehouse import Warehouse

ENTITIES, ITEMS, ROUNDS_PER_10_MILLION = 1000, 500, 20
REPEATS = 5


def main() -> None:
    """Measure everything and write the result."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--millions", type=int, default=10, help="answers in the big files, in millions")
    parser.add_argument("--skip-memory", action="store_true", help="leave out the file three times as big")
    parser.add_argument("--out", type=Path, default=Path("bench/results/latest.json"))
    parser.add_argument("--only", choices=["pages", "insights"], help="measure these alone, on the build of --home")
    parser.add_argument("--home", type=Path, help="a TENKEN_HOME with a build, which is only read")
    options = parser.parse_args()
    if bool(options.only) != bool(options.home):
        parser.error("--only and --home FOLDER go together")
    result: dict[str, Any] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "duckdb": duckdb.__version__},
    }
    with tempfile.TemporaryDirectory(prefix="tenken-bench-") as folder:
        root = Path(folder)
        if options.only == "insights":
            result["insights"] = measure_insights(options.home.resolve(), say)
            write_result(result, options.out)
            return
        if options.only:
            result["pages"] = measure_pages(options.home.resolve(), make_demo(root / "demo"), say)
            write_result(result, options.out)
            return
        rounds = ROUNDS_PER_10_MILLION * options.millions // 10
        for form in ("csv", "parquet"):
            say(f"{options.millions} million answers as {form}")
            result[form] = measure_file(root / form, form, rounds)
        say("every metric by region and half")
        result["queries"] = measure_queries(root / "csv" / "home")
        say("one more inspection on top")
        result["increment"] = measure_increment(root)
        shutil.rmtree(root / "csv")
        say("every page on the big build, in bare Streamlit and on the demo group")
        load_the_rest(root / "parquet")
        result["pages"] = measure_pages(root / "parquet" / "home", make_demo(root / "demo"), say)
        say("every insight on the big build")
        result["insights"] = measure_insights(root / "parquet" / "home", say)
        say("200 workbooks of 300 items")
        result["workbooks"] = measure_workbooks(root / "workbooks")
        if not options.skip_memory:
            say(f"{3 * options.millions} million answers as parquet")
            big = measure_file(root / "big", "parquet", 3 * rounds, with_baseline=False)
            result["memory"] = {
                "peak_mib": result["parquet"]["load_peak_mib"],
                "peak_mib_at_three_times_the_rows": big["load_peak_mib"],
                "ratio": round(big["load_peak_mib"] / result["parquet"]["load_peak_mib"], 2),
                "answers": big["answers"],
            }
    write_result(result, options.out)


def write_result(result: dict[str, Any], out: Path) -> None:
    """Write what was measured, and print it."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result, indent=1))


def say(what: str) -> None:
    """Tell what is being measured."""
    print(f"measuring: {what}", file=sys.stderr, flush=True)


def run_load(home: Path, *paths: Path) -> tuple[float, float, dict[str, Any]]:
    """Load in a process of its own: seconds, peak memory in MiB, and its report."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "etl", "load", "--json", "--home", str(home), *map(str, paths)], stdout=subprocess.PIPE
    )
    assert process.stdout
    report = json.loads(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, report["refusals"][:1]
    return time.perf_counter() - began, usage.ru_maxrss / 1024, report


def measure_file(folder: Path, form: str, rounds: int, with_baseline: bool = True) -> dict[str, Any]:
    """A load of one big file against DuckDB's own `create table as` from the same file."""
    began = time.perf_counter()
    truth = write_demo(folder / "demo", entities=ENTITIES, items=ITEMS, rounds=rounds, form=form)  # type: ignore[arg-type]
    written = time.perf_counter() - began
    path = folder / "demo" / "self_check" / f"self_check_history.{form}"
    read = (
        f"read_csv('{path}', all_varchar = true, header = true, delim = ',', quote = '\"', escape = '\"')"
        if form == "csv"
        else f"read_parquet('{path}')"
    )
    facts: dict[str, Any] = {
        "demo_answers_per_second": round(sum(truth["answers"].values()) / written),
        "bytes": path.stat().st_size,
    }
    run_load(folder / "home", folder / "demo" / "master")
    baselines: list[float] = []
    if with_baseline:
        baselines.append(create_table(folder / "baseline.duckdb", read))
    seconds, peak, report = run_load(folder / "home", path)
    if with_baseline:
        # Before and after, because a shared machine drifts; the mean of both is the fair measure.
        baselines.append(create_table(folder / "baseline.duckdb", read))
        facts["create_table_as_seconds"] = round(statistics.mean(baselines), 2)
        facts["load_over_create_table_as"] = round(seconds / statistics.mean(baselines), 2)
    rows = report["loads"][0]["rows_read"]
    facts |= {"answers": rows, "load_seconds": round(seconds, 2), "load_peak_mib": round(peak)}
    facts["answers_per_second"] = round(rows / seconds)
    return facts


def make_demo(folder: Path) -> Path:
    """A home with the demo group's build."""
    write_demo(folder / "exports")
    run_load(folder / "home", folder / "exports")
    return folder / "home"


def load_the_rest(folder: Path) -> None:
    """Everything else that the big group exports, so that every page has something to show."""
    loaded = ("master", "self_check")
    run_load(folder / "home", *(path for path in sorted((folder / "demo").iterdir()) if path.name not in loaded))


def create_table(target: Path, read: str) -> float:
    """Seconds of DuckDB's own `create table as` into a new file."""
    began = time.perf_counter()
    with duckdb.connect(str(target)) as connection:
        connection.execute(f"create table t as select * from {read}")
    seconds = time.perf_counter() - began
    target.unlink()
    return seconds


def measure_queries(home: Path) -> dict[str, Any]:
    """Milliseconds of every metric by region and half (or by region, where there is no period), and of a plain scan."""
    warehouse = Warehouse.open_newest(home)
    try:
        scan = median_ms(lambda: warehouse.cursor().execute("select sum(score) from fct_answer").fetchall())
        times = {}
        for metric in METRICS.values():
            by = tuple(name for name in ("region", "fiscal_half") if metric.fact in DIMENSIONS[name].facts)
            query = Query((metric.name,), by)
            times[metric.name] = median_ms(lambda asked=query: answer(warehouse, asked))
    finally:
        warehouse.close()
    return {
        "scan_of_all_scores_ms": scan,
        "slowest_ms": max(times.values()),
        "slowest_over_scan": round(max(times.values()) / scan, 2),
        "ms": times,
    }


def median_ms(act: Callable[[], object]) -> float:
    """Median of several runs after a first one, in milliseconds."""
    act()
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(times), 1)


def measure_increment(root: Path) -> dict[str, Any]:
    """The same small file loaded on top of the big build and on top of one with masters alone."""
    small = root / "small.csv"
    with (root / "csv" / "demo" / "self_check" / "self_check_history.csv").open(encoding="utf-8") as file:
        head = [next(file) for _ in range(ITEMS + 1)]
    # The same inspection decades later, so that it is new to both.
    small.write_text(head[0] + "".join(re.sub("FY[0-9]{4}", "FY2050", line) for line in head[1:]), "utf-8")
    target = root / "self_check_history_small.csv"
    small.rename(target)
    run_load(root / "few", root / "csv" / "demo" / "master")
    few, _, _ = run_load(root / "few", target)
    many, _, _ = run_load(root / "csv" / "home", target)
    return {"on_masters_seconds": round(few, 2), "on_big_build_seconds": round(many, 2), "ratio": round(many / few, 2)}


def measure_workbooks(folder: Path) -> dict[str, Any]:
    """200 workbooks of 300 items loaded, against python-calamine merely reading their cells."""
    write_demo(folder / "demo", entities=102, items=300, rounds=2)
    paths = sorted((folder / "demo" / "self_check").rglob("*.xlsx"))[:200]
    run_load(folder / "home", folder / "demo" / "master")
    began = time.perf_counter()
    for path in paths:
        workbook = CalamineWorkbook.from_path(str(path))
        for name in workbook.sheet_names:
            workbook.get_sheet_by_name(name).to_python()
    reading = time.perf_counter() - began
    seconds, peak, report = run_load(folder / "home", *paths)
    return {
        "workbooks": len(paths),
        "answers": sum(one["rows_read"] for one in report["loads"]),
        "calamine_seconds": round(reading, 2),
        "load_seconds": round(seconds, 2),
        "load_over_calamine": round(seconds / reading, 2),
        "load_peak_mib": round(peak),
    }


if __name__ == "__main__":
    main()
