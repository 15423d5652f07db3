"""docs/performance.md: python -m bench.performance [--run PART ...] runs parts anew and writes the page from results.

Parts write their results to bench/results, which is not kept with the project; the page is. What it says of a part
without results stays.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bench import faults, readers, scale, spark
from bench.beside.describe import describe as describe_beside

ROOT: Final = Path(__file__).parents[1]
RESULTS: Final = Path(__file__).parent / "results"
PAGE: Final = ROOT / "docs" / "performance.md"
PARTS: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "scale": scale.describe,
    "readers": readers.describe,
    "spark": spark.describe,
    "faults": faults.describe,
    "beside": describe_beside,
}
HOME: Final = {"readers", "beside"}
"""Parts that look at a home with a build: readers at the demo group's, beside at that of 10 million answers."""
HEAD: Final = """# Performance

Made by `python -m bench.performance` from what `python -m bench.scale`, `bench.readers`, `bench.spark`, `bench.faults`
and `bench.beside` measured; nothing here is written by hand. Figures of one table are of one run on one machine and
are there to be compared with each other, not with those of other tables. Exports are those of a made-up group.
"""
MEASURED: Final = "Measured on {} by `python -m bench.{}`."
"""The last line of a part, by which it is found again."""


def main() -> None:
    """Run what is asked for, then write the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.performance", description=__doc__)
    parser.add_argument("--run", nargs="+", choices=sorted(PARTS), default=[], help="parts to measure anew")
    options = parser.parse_args()
    for part in options.run:
        run_part(part)
    PAGE.write_text(write_page(), "utf-8")


def run_part(part: str) -> None:
    """Measure a part in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="tenken-performance-") as folder:
        arguments: list[str] = []
        if part in HOME:
            sizes = {"readers": None, "beside": scale.GROUPS[10]}
            arguments = ["--home", str(make_home(Path(folder), sizes[part]))]
        if part == "beside":
            arguments.append("--install")
        subprocess.run([sys.executable, "-m", f"bench.{part}", *arguments], cwd=ROOT, check=True)


def make_home(folder: Path, group: tuple[int, int, int] | None) -> Path:
    """A home with a made-up group's build: the demo group's, or one of so many entities, items and rounds."""
    exports, home = folder / "exports", folder / "home"
    if group is None:
        subprocess.run([sys.executable, "-m", "etl", "demo", "--out", str(exports)], cwd=ROOT, check=True)
    else:
        subprocess.run([sys.executable, "-c", scale.EXPORTS, str(exports), *map(str, group)], cwd=ROOT, check=True)
    load = [sys.executable, "-m", "etl", "load", "--home", str(home), str(exports)]
    subprocess.run(load, cwd=ROOT, check=True, env=os.environ | {"NO_COLOR": "1"})
    return home


def write_page() -> str:
    """The page from the results that there are, else as it was; parts that were never measured are named."""
    before = re.split(r"^(?=## )", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    sections, missing = [HEAD], []
    for part, describe in PARTS.items():
        path = RESULTS / f"{part}.json"
        found = [one for one in before if one.rstrip().endswith(MEASURED.partition("{} ")[2].format(part))]
        if path.exists():
            result = json.loads(path.read_text("utf-8"))
            measured = MEASURED.format(result["measured_at"][:10], part)
            sections.append(f"{describe(result).strip()}\n\n{measured}\n")
        elif found:
            sections.append(found[0].strip() + "\n")
        else:
            missing.append(part)
    if missing:
        sections.append(f"Not measured: {', '.join(missing)}.\n")
    return "\n".join(sections)


if __name__ == "__main__":
    main()
