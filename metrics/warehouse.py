"""The newest build of the warehouse, opened read-only and hardened."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

DATA = Path(__file__).resolve().parent.parent / "data"
ATTEMPTS = 5
MEMORY_LIMIT = "2GB"
THREADS = min(4, os.cpu_count() or 1)
SCHEMA_VERSION = int((DATA / "schema" / "version.txt").read_text("utf-8"))


class WarehouseMissing(Exception):
    """There is no build to read; the text says where it was looked for and what to do."""


def find_home(home: Path | None = None) -> Path:
    """The home given, else $TENKEN_HOME, else the project's data folder."""
    return home or Path(os.environ.get("TENKEN_HOME") or DATA)


def newest_build_name(home: Path | None = None) -> str | None:
    """Name of the newest build, without opening it; None when there is none."""
    try:
        name = (find_home(home) / "warehouse" / "current").read_text("utf-8").strip()
    except FileNotFoundError:
        return None
    return Path(name).stem or None


@dataclass(frozen=True, slots=True)
class Warehouse:
    """One build, open for reading. Every query takes a cursor of its own."""

    connection: duckdb.DuckDBPyConnection
    build_name: str
    newest: datetime

    @staticmethod
    def open_newest(home: Path | None = None) -> Warehouse:
        """Open the newest build. Raises WarehouseMissing when there is none."""
        folder = find_home(home) / "warehouse"
        for _ in range(ATTEMPTS):
            name = newest_build_name(home)
            if name is None:
                break
            try:
                opened = Warehouse.open(folder / f"{name}.duckdb")
                opened.hold_to_schema()
                return opened
            except duckdb.IOException as error:
                if name == newest_build_name(home):
                    raise WarehouseMissing(
                        f"The newest build in {folder}, {name}, cannot be opened: {str(error).splitlines()[0]} "
                        "Run python -m etl rebuild to make it again from the archive."
                    ) from error
                # The build was pruned between reading the pointer and opening it; the pointer names a newer one by now.
        raise WarehouseMissing(f"There is no build in {folder}: run python -m etl load PATH... to make one.")

    @staticmethod
    def open(path: Path) -> Warehouse:
        """Open one build. Its connection reaches no other file and takes no setting."""
        connection = duckdb.connect(
            str(path),
            read_only=True,
            config={
                "autoload_known_extensions": False,
                "autoinstall_known_extensions": False,
                "enable_external_access": False,
                "memory_limit": MEMORY_LIMIT,
                "threads": THREADS,
                "lock_configuration": True,
            },
        )
        row = connection.execute(
            """select max(moment) from (
                select built_at as moment from build
                union all select max(known_from) from fct_inspection
                union all select max(event_at) from cube_measure
                union all select max(known_from) from fct_plan
                union all select max(known_from) from fct_finding
                union all select max(known_from) from fct_action
            )"""
        ).fetchone()
        assert row
        return Warehouse(connection, path.stem, row[0])

    def hold_to_schema(self) -> None:
        """Raise WarehouseMissing, and close the build, where it does not follow this version's schema."""
        row = self.connection.execute("select schema_version from build").fetchone()
        if row is None or row[0] != SCHEMA_VERSION:
            self.close()
            raise WarehouseMissing(
                f"The newest build, {self.build_name}, was made by another version of Tenken: run python -m etl rebuild "
                "to make it again from the archive."
            )

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor for one query: threads that share one get each other's rows."""
        return self.connection.cursor()

    def newest_known_at(self) -> datetime:
        """The moment from which everything in the build is known, UTC."""
        return self.newest

    def first_known_at(self) -> datetime | None:
        """The earliest moment at which anything was known, UTC; None in a build without inspections."""
        rows: list[Any] = self.cursor().execute("select min(known_from) from fct_inspection").fetchall()
        first: datetime | None = rows[0][0]
        return first

    def close(self) -> None:
        """Close the build; its cursors end with it."""
        self.connection.close()
