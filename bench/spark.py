"""python -m bench.spark: the same answers loaded by DuckDB and by Spark on this machine; time, memory and sizes."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psutil

from etl.demo import write_demo

ENTITIES, ITEMS, ROUNDS_PER_10_MILLION = 1000, 500, 20
LIMIT_SECONDS = 1800
LOOKED_EVERY = 0.25
ENGINES = {
    "duckdb": ["--engine", "duckdb"],
    "spark": ["--engine", "spark"],
    "spark, answers outside": ["--engine", "spark", "--answers-outside"],
}
"""Options of a load by what the table calls it."""


def main() -> None:
    """Measure both engines and write the result."""
    parser = argparse.ArgumentParser(prog="python -m bench.spark", description=__doc__)
    parser.add_argument("--millions", type=int, nargs="+", default=[1, 10], help="answers, in millions")
    parser.add_argument(
        "--exports", type=Path, help="folder of exports written before, of the last of these sizes; read only"
    )
    parser.add_argument("--out", type=Path, default=Path("bench/results/spark.json"))
    options = parser.parse_args()
    result: dict[str, Any] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "sizes": [],
    }
    with tempfile.TemporaryDirectory(prefix="tenken-bench-spark-") as folder:
        for millions in options.millions:
            is_given = options.exports and millions == options.millions[-1]
            demo = options.exports if is_given else _write(Path(folder) / f"demo-{millions}", millions)
            result["sizes"].append(_measure_size(demo, Path(folder) / f"homes-{millions}", millions))
            shutil.rmtree(Path(folder) / f"homes-{millions}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1), "utf-8")
    print(describe(result))


def _write(demo: Path, millions: int) -> Path:
    rounds = max(2, millions * ROUNDS_PER_10_MILLION // 10)
    write_demo(
        demo, entities=ENTITIES, items=ITEMS, rounds=rounds, seed=20250401, form="parquet", without=(),
        progress=lambda *_: None,
    )  # fmt: skip
    return demo


def _measure_size(demo: Path, homes: Path, millions: int) -> dict[str, Any]:
    size: dict[str, Any] = {"millions": millions, "export_bytes": _bytes(demo), "engines": {}}
    for number, engine in enumerate(ENGINES):
        home = homes / str(number)
        print(f"{millions} million answers by {engine} …", file=sys.stderr)
        size["engines"][engine] = _load(home, demo, engine) | _look_at(home)
    return size


def _load(home: Path, demo: Path, engine: str) -> dict[str, Any]:
    """One load in a process of its own: seconds, and the highest memory of the process with all below it, in bytes."""
    command = [sys.executable, "-m", "etl", "load", "--json", "--home", str(home), *ENGINES[engine], str(demo)]
    site = Path(sys.prefix) / "spark"
    paths = [os.environ.get("PYTHONPATH", ""), str(site) if site.is_dir() else ""]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    began = time.monotonic()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        peak = _Peak(process.pid)
        peak.start()
        out, _ = process.communicate(timeout=LIMIT_SECONDS)
        seconds = time.monotonic() - began
        peak.is_over.set()
        peak.join()
    told = json.loads(out)
    if "error" in told:
        raise SystemExit(told["error"])
    rows = sum(one["rows_loaded"] for one in told["loads"])
    return {"seconds": seconds, "peak_bytes": peak.most, "peak_bytes_by_program": peak.by_program, "rows_loaded": rows}


class _Peak(threading.Thread):
    """Watches the memory of a process and of all that it starts."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.process = psutil.Process(pid)
        self.is_over = threading.Event()
        self.most = 0
        self.by_program: dict[str, int] = {}

    def run(self) -> None:
        """Look until it is over."""
        while not self.is_over.wait(LOOKED_EVERY):
            total = 0
            try:
                for one in [self.process, *self.process.children(recursive=True)]:
                    # What processes share counts once.
                    held, name = one.memory_full_info().pss, one.name()
                    total += held
                    self.by_program[name] = max(self.by_program.get(name, 0), held)
            except psutil.Error:
                continue
            self.most = max(self.most, total)


def _look_at(home: Path) -> dict[str, Any]:
    """Size of the build and of what lies outside it in bytes, and the rows of its facts and cubes."""
    newest = home / "warehouse" / (home / "warehouse" / "current").read_text("utf-8").strip()
    tables = {}
    with duckdb.connect(str(newest), read_only=True) as connection:
        outside = dict(
            connection.execute("select table_name, sum(row_count)::bigint from fact_file group by 1").fetchall()
        )
        for name in (
            "fct_answer",
            "fct_inspection",
            "fct_pair",
            "cube_pair",
            "cube_item",
            "cube_category",
            "cube_measure",
            "cube_inspection",
            "cube_plan",
        ):
            if name in outside:
                tables[name] = outside[name]
                continue
            ((tables[name],),) = connection.execute(f"select count(*) from {name}").fetchall()
    facts = home / "facts"
    return {
        "build_bytes": newest.stat().st_size,
        "outside_bytes": _bytes(facts) if facts.is_dir() else 0,
        "rows": tables,
    }


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _say_mib(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB"


def describe(result: dict[str, Any]) -> str:
    """The section of docs/performance.md."""
    lines = [
        "## DuckDB and Spark on one machine",
        "",
        f"The same Parquet exports loaded into an empty home by each engine, {result['cores']} cores, one run. "
        "Memory is the highest sum over the loader and, with Spark, its Java process.",
        "",
        "| answers | engine | seconds | answers per second | memory | of it Java | build | outside it |",
        "|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    for size in result["sizes"]:
        for engine, found in size["engines"].items():
            java = found["peak_bytes_by_program"].get("java", 0)
            answers, outside = found["rows"]["fct_answer"], found["outside_bytes"]
            lines.append(
                f"| {answers:,} | {engine} | {found['seconds']:,.1f} | {answers / found['seconds']:,.0f} | "
                f"{_say_mib(found['peak_bytes'])} | {_say_mib(java) if java else '–'} | "
                f"{_say_mib(found['build_bytes'])} | "
                f"{_say_mib(outside) if outside else '–'} |"
            )
    duck, spark = (result["sizes"][-1]["engines"][engine] for engine in ("duckdb", "spark"))
    is_alike = all(
        found["rows"] == size["engines"]["duckdb"]["rows"]
        for size in result["sizes"]
        for found in size["engines"].values()
    )
    lines += [
        "",
        f"At the largest size Spark took {spark['seconds'] / duck['seconds']:.1f} times as long as DuckDB and "
        f"{spark['peak_bytes'] / duck['peak_bytes']:.1f} times its memory: on one machine there is no reason for it. "
        f"All builds have {'the same' if is_alike else 'DIFFERENT'} numbers of facts and cube rows; "
        "`tests/etl/test_spark.py` and `tests/etl/test_spark_outside.py` compare every row.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
