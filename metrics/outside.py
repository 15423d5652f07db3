"""Tables of a build whose rows lie outside its file, in Parquet files of the home; see docs/adr/0023."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import duckdb

DATABASE: Final = "outside"
"""The database in memory that the views of a build read; only there the files have the paths of this home."""
NAMED: Final = re.compile(r"facts/[\w-]+/[\w.-]+\.parquet")
DAMAGED: Final = (
    "Failed to read file",
    "No magic bytes found",
    "too small to be a Parquet file",
    "No files found that match the pattern",
    "Cannot open file",
)
"""What DuckDB says where a Parquet file is not as it was written."""


def attach_outside(connection: duckdb.DuckDBPyConnection, home: Path) -> list[Path]:
    """Let an open build read its tables that lie in files of the home; returns these files, absolute.

    Raises duckdb.IOException where one is missing, or is not as long as it was.
    """
    listed = connection.execute("select table_name, path, byte_count from fact_file order by all").fetchall()
    tables: dict[str, list[Path]] = {}
    for table, name, byte_count in listed:
        path = (home / name).absolute()
        if not NAMED.fullmatch(name) or ".." in path.parts:
            raise duckdb.IOException(f"{name} is no name of a file with rows of {table}.")
        if not path.is_file():
            raise duckdb.IOException(f"{name}, which has rows of {table}, is missing.")
        if path.stat().st_size != byte_count:
            raise duckdb.IOException(f"{name}, which has rows of {table}, is not as long as it was written.")
        tables.setdefault(table, []).append(path)
    if tables:
        connection.execute(f"attach ':memory:' as {DATABASE} (read_write)")
    for table, paths in tables.items():
        connection.execute(
            f'create view {DATABASE}.main."{table}" as select * from read_parquet([{_list_paths(paths)}])'
        )
    return [path for paths in tables.values() for path in paths]


def close_off(connection: duckdb.DuckDBPyConnection, paths: Iterable[Path]) -> None:
    """Let a connection read these files and reach nothing else, for good."""
    connection.execute(f"set allowed_paths = [{_list_paths(paths)}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def is_damage_outside(error: BaseException) -> bool:
    """Whether an error of a query says that a file outside the build cannot be read."""
    return isinstance(error, duckdb.Error) and any(mark in str(error) for mark in DAMAGED)


def _list_paths(paths: Iterable[Path]) -> str:
    quoted = (str(path).replace("'", "''") for path in paths)
    return ", ".join(f"'{path}'" for path in quoted)
