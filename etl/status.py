"""How the warehouse stands: its newest build, whether its schema is of today, and when the next load is taken in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from etl.builds import Home, is_before
from etl.outside import find_missing, list_files
from etl.schema import SCHEMA_VERSION


def is_outdated(home: Home) -> bool:
    """Whether the newest build follows an earlier schema than this one; not where it cannot be read."""
    newest = home.newest()
    if newest is None:
        return False
    try:
        with duckdb.connect(str(newest), read_only=True) as connection:
            row = connection.execute("select schema_version from build").fetchone()
    except duckdb.Error:
        # A reader in this process has it open, which it would not have if it were; or it is damaged.
        return False
    return row is None or row[0] != SCHEMA_VERSION


def find_moment(connection: duckdb.DuckDBPyConnection) -> tuple[datetime, list[str]]:
    """When a load is taken in, UTC, which is after every load before it; and what is said where the clock differs."""
    now = datetime.now(UTC).replace(tzinfo=None)
    last: datetime | None
    (last,) = connection.execute(
        "select greatest(max(loaded_at), max(known_at) filter (where known_at_origin <> 'given')) from load"
    ).fetchone() or (None,)
    if last is None or now > last:
        return now, []
    said = (
        f"The clock says {now:%Y-%m-%d %H:%M} UTC, and a load was taken in at {last:%Y-%m-%d %H:%M} UTC: it was set back. "
        "These files count as taken in just after that load, so that nobody's earlier knowledge changes. Set the clock "
        "right; with --known-at you say yourself from when files are known."
    )
    return last + timedelta(microseconds=1), [said]


def status(home: Home) -> dict[str, Any]:
    """The newest build that can be read, its loads, rows and refusals; `unreadable` are newer ones, with the reasons."""
    newest = home.newest()
    unreadable: list[dict[str, str]] = []
    for build in [newest, *(one for one in home.list_builds() if newest and is_before(one, newest))] if newest else []:
        try:
            return {"home": str(home.path), **_describe_build(build), "unreadable": unreadable}
        except duckdb.Error as error:
            unreadable.append({"build": build.stem, "reason": str(error).splitlines()[0]})
    return {"home": str(home.path), "build": None, "unreadable": unreadable}


def _describe_build(build: Path) -> dict[str, Any]:
    with duckdb.connect(str(build), read_only=True) as connection:
        tables = [
            row[0]
            for row in connection.execute("select table_name from duckdb_tables() order by table_name").fetchall()
        ]
        counts = {}
        for table in tables:
            row = connection.execute(f"select count(*) from {table}").fetchone()
            assert row
            counts[table] = row[0]
        built = connection.execute("select build_name, built_at::varchar from build").fetchone()
        totals = connection.execute(
            "select count(*), coalesce(sum(rows_read), 0)::bigint, coalesce(sum(rows_refused), 0)::bigint, "
            "max(known_at)::varchar from load"
        ).fetchone()
        outside = list_files(connection)
        refused = connection.execute(
            "select reason_code, count(*) from refusal group by reason_code order by 2 desc, 1"
        ).fetchall()
    assert built and totals
    missing = find_missing(build.parent.parent, outside)
    if missing:
        raise duckdb.IOException(missing)
    for file in outside:
        counts[file.table_name] = counts.get(file.table_name, 0) + file.row_count
    return {
        "build": built[0],
        "built_at": built[1],
        "bytes": build.stat().st_size,
        "files_outside": len(outside),
        "bytes_outside": sum(file.byte_count for file in outside),
        "loads": totals[0],
        "rows_read": totals[1],
        "rows_refused": totals[2],
        "newest_known_at": totals[3],
        "refusals": dict(refused),
        "rows": dict(sorted(counts.items())),
    }
