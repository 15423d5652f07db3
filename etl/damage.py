"""Builds that cannot be gone on from."""

from __future__ import annotations

from pathlib import Path

import duckdb

from etl.ledger import Key
from etl.outside import find_damaged, list_files, read_files


class Damaged(Exception):
    """The newest build is not the one that was published last, whole; the text says which and why."""


def find_damage(path: Path, home: Path) -> str | None:
    """What is wrong with a build, every block of which is read, or with its files in the home; None where nothing is."""
    try:
        with duckdb.connect(str(path), read_only=True, config={"enable_external_access": False}) as connection:
            for (table,) in connection.execute("select table_name from duckdb_tables()").fetchall():
                connection.execute(f'select bit_xor(hash(t)) from "{table}" t').fetchall()
            files = list_files(connection)
    except duckdb.Error as error:
        return str(error).splitlines()[0]
    return find_damaged(home, files)


def find_damage_outside(path: Path, home: Path) -> str | None:
    """What is wrong with the files that a whole build names in the home; None where nothing is."""
    return find_damaged(home, read_files(path))


def read_loads(build: Path) -> list[Key] | None:
    """The loads that a build holds; None where it cannot be read."""
    try:
        with duckdb.connect(str(build), read_only=True) as connection:
            return connection.execute("select sha256, file_name, loaded_at::varchar from load").fetchall()
    except duckdb.Error:
        return None
