"""Invariants of a build: each SQL file beside this one must return no row, or the build is not published."""

from __future__ import annotations

from pathlib import Path

import duckdb

CHECKS = Path(__file__).parent


class CheckFailed(Exception):
    """An invariant does not hold; the text names the check, its sentence and some of the rows."""


def run_checks(connection: duckdb.DuckDBPyConnection) -> None:
    """Run every check against what the load touched (`touched_inspection`). Raises CheckFailed naming all that fail."""
    failed = []
    connection.execute("set variable max_item_no = (select coalesce(max(item_no), 0) from dim_item)")
    for path in sorted(CHECKS.glob("*.sql")):
        sql = path.read_text("utf-8")
        rows = connection.execute(f"select * from ({sql.strip().rstrip(';')}) limit 3").fetchall()
        if rows:
            failed.append(f"{path.stem}: {sql.splitlines()[0].removeprefix('-- ')} It finds {rows}.")
    if failed:
        raise CheckFailed("The new build breaks an invariant and was not published. " + " ".join(failed))
