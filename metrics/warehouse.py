"""The newest build that can be read, opened read-only and hardened."""

from __future__ import annotations

import os
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast

import duckdb
import pandas as pd

from metrics.builds import DATA as DATA
from metrics.builds import (
    Unreadable,
    choose_build,
    is_damage,
    pass_over,
    say_briefly,
)
from metrics.builds import find_home as find_home
from metrics.builds import newest_build_name as newest_build_name
from metrics.outside import attach_outside, close_off, find_trouble

ATTEMPTS = 5
MEMORY_LIMIT = "2GB"
THREADS = min(4, len(os.sched_getaffinity(0)))
"""No more than the cores that this process may use: two threads on one core take a quarter more of it for the same."""
MOST_READ_ONCE = 100
SCHEMA_VERSION = int((DATA / "schema" / "version.txt").read_text("utf-8"))
OPENING = threading.Lock()
COPY_WARNING = "Arrow output on a DB-API result makes an extra copy"
Opened = TypeVar("Opened")
Read = TypeVar("Read")

# The copy of a small answer costs less than the second plan that DuckDB recommends in its place.
warnings.filterwarnings("ignore", COPY_WARNING)


class WarehouseMissing(Exception):
    """There is no build to read; the text says where it was looked for and what to do."""


class BuildDamaged(Exception):
    """A query came upon bytes that are not those that were written; asked again, the build before answers."""


@dataclass(frozen=True, slots=True)
class Warehouse:
    """One build, open for reading. Every query takes a cursor of its own. `passed` are newer builds that cannot be read."""

    path: Path
    connection: duckdb.DuckDBPyConnection
    newest: datetime
    passed: tuple[Unreadable, ...] = ()
    _read: OrderedDict[object, object] = field(default_factory=OrderedDict, repr=False, compare=False)
    _reading: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @staticmethod
    def open_newest(home: Path | None = None) -> Warehouse:
        """Open the newest build that can be read. Raises WarehouseMissing when there is none."""
        folder = find_home(home) / "warehouse"
        opened, passed = open_best(home, lambda name: Warehouse.open(folder / f"{name}.duckdb"))
        return replace(opened, passed=passed)

    @staticmethod
    def open(path: Path) -> Warehouse:
        """Open one build. Its connection reaches no other file than the build and those it names, and takes no setting.

        Raises duckdb.Error, and WarehouseMissing where the build does not follow this version's schema.
        """
        connection = duckdb.connect(
            str(path),
            read_only=True,
            config={
                "autoload_known_extensions": False,
                "autoinstall_known_extensions": False,
                "memory_limit": MEMORY_LIMIT,
                "threads": THREADS,
            },
        )
        try:
            hold_to_size(connection, path)
            hold_to_schema(connection, path.stem)
            # All connections of this process to a build share what the first of them was given.
            with OPENING:
                (locked,) = connection.execute("select current_setting('lock_configuration')").fetchall()
                if locked != (True,):
                    close_off(connection, attach_outside(connection, _home_of(path)))
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
        except BaseException:
            connection.close()
            raise
        assert row
        return Warehouse(path, connection, row[0])

    @property
    def build_name(self) -> str:
        """Name of the build; also its file's name without the suffix."""
        return self.path.stem

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor for one query: threads that share one get each other's rows."""
        return self.connection.cursor()

    def read_frame(self, sql: str, parameters: object = None) -> pd.DataFrame:
        """The rows of a query as a frame. Raises BuildDamaged, after which this process passes the build over."""
        with self._noticing():
            cursor = self.cursor()
            # A relation would plan the statement twice, of which a small query is most.
            cursor.execute(_read_only(cursor, sql), parameters)
            table = cursor.to_arrow_table()
            assert table is not None
            frame: pd.DataFrame = table.to_pandas()
            return frame

    def read_long_frame(self, sql: str, parameters: object = None) -> pd.DataFrame:
        """The same for rows without number, of which no second copy is made on the way."""
        with self._noticing():
            cursor = self.cursor()
            frame: pd.DataFrame = cursor.sql(_read_only(cursor, sql), params=parameters).to_arrow_table().to_pandas()
            return frame

    def read_rows(self, sql: str, parameters: object = None) -> list[Any]:
        """The rows of a query as tuples. Raises BuildDamaged, after which this process passes the build over."""
        with self._noticing():
            cursor = self.cursor()
            return cursor.execute(_read_only(cursor, sql), parameters).fetchall()

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        """A block is held against its checksum when it is read, which may be long after the build was opened."""
        try:
            yield
        except duckdb.Error as error:
            trouble = error if is_damage(error) else find_trouble(self.cursor(), _home_of(self.path), error)
            if trouble is None:
                raise
            # Files beside the build may be put back without any change of the build.
            pass_over(self.path, trouble, is_for_good=is_damage(error))
            raise BuildDamaged(f"{self.build_name} cannot be read: {say_briefly(trouble)}") from error

    def read_once(self, key: Hashable, read: Callable[[], Read]) -> Read:
        """What is read of the build for a key, which says everything that it depends on; who gets it changes nothing.

        The MOST_READ_ONCE that were asked for last are kept.
        """
        with self._reading:
            if key in self._read:
                self._read.move_to_end(key)
                return cast(Read, self._read[key])
        found = read()
        with self._reading:
            self._read[key] = found
            while len(self._read) > MOST_READ_ONCE:
                self._read.popitem(last=False)
        return found

    def newest_known_at(self) -> datetime:
        """The moment from which everything in the build is known, UTC."""
        return self.newest

    def first_known_at(self) -> datetime | None:
        """The earliest moment at which anything was known, UTC; None in a build without inspections."""
        first: datetime | None = self.read_rows("select min(known_from) from fct_inspection")[0][0]
        return first

    def close(self) -> None:
        """Close the build; its cursors end with it."""
        self.connection.close()


def _read_only(cursor: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """The one statement of a text. Raises duckdb.PermissionException where it does more than read.

    A build is opened read-only, but DuckDB would copy over a file that it is allowed to read.
    """
    statements = cursor.extract_statements(sql)
    if [one.type for one in statements] != [duckdb.StatementType.SELECT]:
        raise duckdb.PermissionException("A build is only read, with one statement at a time.")
    return statements[0]


def _home_of(build: Path) -> Path:
    return build.absolute().parent.parent


def open_best(home: Path | None, open_one: Callable[[str], Opened]) -> tuple[Opened, tuple[Unreadable, ...]]:
    """What `open_one` makes of the newest build that it can open, by its name, and the newer ones that it could not.

    Raises WarehouseMissing where none can be opened.
    """
    newest, attempts = newest_build_name(home), 0
    while True:
        name, passed = choose_build(home)
        if name is None:
            raise WarehouseMissing(_explain_missing(find_home(home) / "warehouse", passed))
        try:
            return open_one(name), passed
        except duckdb.Error as error:
            if not isinstance(error, duckdb.IOException) and not is_damage(error):
                raise
            now = newest_build_name(home)
            if now != newest and attempts < ATTEMPTS:
                # It was pruned between reading the pointer and opening it; the pointer names a newer one by now.
                newest, attempts = now, attempts + 1
            else:
                path = find_home(home) / "warehouse" / f"{name}.duckdb"
                pass_over(path, error, is_for_good=is_damage(error))
        except BuildDamaged:
            continue


def read_best(home: Path | None, read: Callable[[Warehouse], Read]) -> Read:
    """What is read of the newest build that can be read to the end. Raises WarehouseMissing where there is none."""
    while True:
        warehouse = Warehouse.open_newest(home)
        try:
            return read(warehouse)
        except BuildDamaged:
            continue
        finally:
            warehouse.close()


def hold_to_size(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Raise duckdb.IOException where a build was cut off, which DuckDB notices only when it wants what is missing."""
    # Blocks that are free at the end need not be there.
    (row,) = connection.execute(
        "select block_size * used_blocks from pragma_database_size() where database_name = current_database()"
    ).fetchall()
    if path.stat().st_size < row[0]:
        raise duckdb.IOException("Could not read to the end: the file was cut off.")


def hold_to_schema(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Raise WarehouseMissing where a build does not follow this version's schema."""
    row = connection.execute("select schema_version from build").fetchone()
    if row is None or row[0] != SCHEMA_VERSION:
        raise WarehouseMissing(
            f"The newest build, {name}, was made by another version of Tenken: run python -m etl rebuild "
            "to make it again from the archive."
        )


def _explain_missing(folder: Path, passed: Sequence[Unreadable]) -> str:
    if not passed:
        return f"There is no build in {folder}: run python -m etl load PATH... to make one."
    newest, *before = passed
    also = f" Nor can the builds before it ({', '.join(one.name for one in before)})." if before else ""
    return (
        f"The newest build in {folder}, {newest.name}, cannot be opened: {newest.reason}{also} "
        "Run python -m etl rebuild to make it again from the archive."
    )
