"""The self-check answers of a home: loaded again into a home of their own, and as one flat file for the others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import duckdb

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = ("group_organisation", "group_checklist", "group_lineage", "group_self_check")
"""Beginnings of the names of the sources that self-checks need; the master data come first."""

FLAT: Final = """
with entity as (
    -- What is known first holds from the beginning.
    select *, case when valid_from = min(valid_from) over (partition by entity_id) then date '0001-01-01'
        else valid_from end as held_from
    from dim_entity where known_to > timestamp '9999-01-01'
),
newest_item as (
    select lineage_code, arg_max(text_en, checklist_version) as text_en
    from dim_item where known_to > timestamp '9999-01-01' group by lineage_code
)
select
    f.fiscal_half as half, r.name_en as region, c.measure, e.entity_code || ' ' || e.name_en as entity,
    c.lineage_code || ' ' || left(n.text_en, 40) as item, c.weight, a.score
from fct_answer a
join dim_item c on c.item_id = a.item_id and c.known_to > timestamp '9999-01-01' and c.is_assessable
join newest_item n on n.lineage_code = c.lineage_code
join fct_inspection f on f.inspection_id = a.inspection_id and f.known_to > timestamp '9999-01-01'
join entity e on e.entity_id = f.entity_id and e.held_from <= f.reference_on and e.valid_to > f.reference_on
join dim_region r on r.region_code = e.region_code
where a.known_to > timestamp '9999-01-01' and f.inspection_type = 'self_check'
"""
"""Every answer as known now, one row each; weight × score over weight, where there is a score, is compliance."""


def load_home(home: Path, target: Path) -> dict[str, Any]:
    """Load the master data and self-checks that a home keeps into a new home: seconds, peak MiB, rows, bytes."""
    originals = list_originals(home)
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "etl", "load", "--json", "--home", str(target), *map(str, originals)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    report = json.loads(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"The self-checks of {home} could not be loaded: {report.get('refusals', [])[:1]}")
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "peak_mib": round(usage.ru_maxrss / 1024),
        "rows": sum(one["rows_read"] for one in report["loads"]),
        "read_bytes": sum(path.stat().st_size for path in originals),
        "bytes": find_build(target).stat().st_size,
    }


def list_originals(home: Path) -> list[Path]:
    """The files that a home keeps of the master data and of self-checks, in the order in which they were loaded."""
    with duckdb.connect(str(find_build(home)), read_only=True) as connection:
        rows = connection.execute("select source_name, archive_path from load order by load_no").fetchall()
    originals = [home / "archive" / path for name, path in rows if name.startswith(SOURCES)]
    if not originals:
        raise SystemExit(f"{home} holds no self-checks: load the exports of a demo group first")
    return originals


def find_build(home: Path) -> Path:
    """The newest build of a home."""
    return home / "warehouse" / (home / "warehouse" / "current").read_text("utf-8").strip()


def write_flat(home: Path, target: Path) -> dict[str, Any]:
    """Write every self-check answer of a home as one flat Parquet file: seconds, rows, answers that count, bytes."""
    began = time.perf_counter()
    with duckdb.connect(str(find_build(home)), read_only=True) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"copy ({FLAT}) to '{target}' (format parquet)")
        seconds = time.perf_counter() - began
        rows, counted = connection.execute(f"select count(*), count(score) from read_parquet('{target}')").fetchone()
    return {"seconds": round(seconds, 1), "rows": rows, "counted": counted, "bytes": target.stat().st_size}


def list_regions(path: Path) -> list[str]:
    """The regions that the flat file names, the largest first."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select region from read_parquet('{path}') group by region order by count(*) desc, region"
        ).fetchall()
    return [region for (region,) in rows]
