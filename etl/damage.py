"""Builds that cannot be gone on from."""

from __future__ import annotations

from pathlib import Path

import duckdb

from etl.ledger import Key


class Damaged(Exception):
    """The newest build is not the one that was published last, whole; the text says which and why."""


def find_damage(path: Path) -> str | None:
    """What is wrong with a build, every block of which is read; None where nothing is."""
    try:
        with duckdb.connect(str(path), read_only=True, config={"enable_external_access": False}) as connection:
            for (table,) in connection.execute("select table_name from duckdb_tables()").fetchall():
                connection.execute(f'select bit_xor(hash(t)) from "{table}" t').fetchall()
    except duckdb.Error as error:
        return str(error).splitlines()[0]
    return None


def read_loads(build: Path) -> list[Key] | None:
    """The loads that a build holds; None where it cannot be read."""
    try:
        with duckdb.connect(str(build), read_only=True) as connection:
            return connection.execute("select sha256, file_name, loaded_at::varchar from load").fetchall()
    except duckdb.Error:
        return None
