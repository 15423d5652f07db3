"""Invariants of a build: each SQL file beside this one must return no row, or the build is not published."""

from __future__ import annotations

from pathlib import Path

from etl.rows import Rows

CHECKS = Path(__file__).parent


class CheckFailed(Exception):
    """An invariant does not hold; the text names the check, its sentence and some of the rows."""


def run_checks(rows: Rows) -> None:
    """Run every check against what the load touched (`touched_inspection`). Raises CheckFailed naming all that fail."""
    failed = []
    for path in sorted(CHECKS.glob("*.sql")):
        sql = path.read_text("utf-8")
        found = rows.execute(f"select * from ({sql.strip().rstrip(';')}) limit 3").fetchall()
        if found:
            failed.append(f"{path.stem}: {sql.splitlines()[0].removeprefix('-- ')} It finds {found}.")
    if failed:
        raise CheckFailed("The new build breaks an invariant and was not published. " + " ".join(failed))
