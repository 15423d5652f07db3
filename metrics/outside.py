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
COMPLAINTS: Final = (duckdb.IOException, duckdb.InvalidInputException, duckdb.NotSupportedError)
"""Kinds of errors of which DuckDB makes those about Parquet files; of others it makes none but duckdb.Error itself."""


def list_outside(connection: duckdb.DuckDBPyConnection, home: Path) -> dict[str, list[Path]]:
    """The files, absolute, of each table of an open build that lies in files of the home.

    Raises duckdb.IOException where one is missing, or is not as long as it was.
    """
    # DuckDB takes each file for as long as the first: one without rows there, and it would join the wrong way round.
    listed = connection.execute(
        "select table_name, path, byte_count from fact_file order by table_name, row_count desc, path"
    ).fetchall()
    tables: dict[str, list[Path]] = {}
    for table, name, byte_count in listed:
        path = (home / name).resolve()
        if not NAMED.fullmatch(name):
            raise duckdb.IOException(f"{name} is no name of a file with rows of {table}.")
        if not path.is_file():
            raise duckdb.IOException(f"{name}, which has rows of {table}, is missing.")
        if path.stat().st_size != byte_count:
            raise duckdb.IOException(f"{name}, which has rows of {table}, is not as long as it was written.")
        tables.setdefault(table, []).append(path)
    return tables


def attach_outside(connection: duckdb.DuckDBPyConnection, home: Path) -> list[Path]:
    """Let an open build read its tables that lie in files of the home; returns these files. Raises duckdb.IOException."""
    tables = list_outside(connection, home)
    if tables:
        connection.execute(f"attach ':memory:' as {DATABASE} (read_write)")
    for table, paths in tables.items():
        try:
            connection.execute(
                f'create view {DATABASE}.main."{table}" as select * from read_parquet([{_list_paths(paths)}])'
            )
        except duckdb.Error as error:
            raise duckdb.IOException(f"A file with rows of {table} cannot be read: {error}") from error
    return [path for paths in tables.values() for path in paths]


def close_off(connection: duckdb.DuckDBPyConnection, paths: Iterable[Path]) -> None:
    """Let a connection read these files and reach nothing else, for good."""
    connection.execute(f"set allowed_paths = [{_list_paths(paths)}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def find_trouble(connection: duckdb.DuckDBPyConnection, home: Path, error: duckdb.Error) -> duckdb.Error | None:
    """Why a query failed, where that is a file outside the build; None where it is not."""
    try:
        has_files = bool(list_outside(connection, home))
    except duckdb.Error as trouble:
        # A file is missing, or the query made DuckDB give up the whole build.
        return trouble
    # The sentences are too many to tell them by, and queries that are right give rise to no such error otherwise.
    return error if has_files and (type(error) is duckdb.Error or isinstance(error, COMPLAINTS)) else None


def _list_paths(paths: Iterable[Path]) -> str:
    quoted = (str(path).replace("'", "''") for path in paths)
    return ", ".join(f"'{path}'" for path in quoted)
