"""Tables whose rows lie outside the build, in Parquet files of the home; builds share the files, which never change.

A build names its files in `fact_file` and has a view in place of the table. The view reads another one, in a database in
memory beside the build, because only that can hold where the home is now.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import astuple, dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow.parquet as pq

from etl.copying import hash_file, sync_file
from etl.schema import create_tables, fill

KEPT: Final = {"fct_answer": ("inspection_id", "item_id")}
"""Tables that are too long for one machine: Spark keeps them between statements, and they may lie outside the build.

Rows of a file are in the order of these columns, so that who looks for one inspection reads one row group of each file.
"""
FACTS: Final = "facts"
"""Folder of the home with a folder for each time that files were written."""
DATABASE: Final = "outside"
FILE_BYTES: Final = 128_000_000
GROUP_ROWS: Final = 122_880
SMALL_BYTES: Final = FILE_BYTES // 4
MOST_SMALL_FILES: Final = 64
"""Of each table; more are written together, so that readers open few files however often something is loaded."""
UNCHANGED: Final = 0o400


@dataclass(frozen=True, slots=True)
class FactFile:
    """A file as `fact_file` has it; the path is below the home."""

    table_name: str
    path: str
    byte_count: int
    row_count: int
    sha256: str


def list_files(connection: duckdb.DuckDBPyConnection) -> list[FactFile]:
    """The files of an open build; none where it holds all of its rows, or follows a schema without such files."""
    try:
        rows = connection.execute(
            "select table_name, path, byte_count, row_count, sha256 from fact_file "
            # DuckDB takes each file for as long as the first.
            "order by table_name, row_count desc, path"
        ).fetchall()
    except duckdb.CatalogException:
        return []
    return [FactFile(*row) for row in rows]


def read_files(build: Path) -> list[FactFile]:
    """The files of a build. Raises duckdb.Error where it cannot be read."""
    with duckdb.connect(str(build), read_only=True) as connection:
        return list_files(connection)


def find_damaged(home: Path, files: Iterable[FactFile]) -> str | None:
    """What is wrong with the first file that is not as it was written, every byte of which is read; None where all are."""
    with ThreadPoolExecutor() as threads:
        return next((found for found in threads.map(lambda file: _find_damage(home, file), files) if found), None)


def find_missing(home: Path, files: Iterable[FactFile]) -> str | None:
    """What is wrong with the first file that is missing or of another length; None where none is."""
    for file in files:
        path = home / file.path
        if not path.is_file() or path.stat().st_size != file.byte_count:
            return f"{path} is {'of another length' if path.is_file() else 'missing'}."
    return None


def _find_damage(home: Path, file: FactFile) -> str | None:
    path = home / file.path
    if not path.is_file():
        return f"{path} is missing."
    try:
        is_whole = path.stat().st_size == file.byte_count and hash_file(path) == file.sha256
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return f"The disk does not give back {path}."
    return None if is_whole else f"{path} has other bytes than were published."


def attach(connection: duckdb.DuckDBPyConnection, home: Path) -> None:
    """Let a build that is open for a load read its tables outside, if it has any; not within a transaction."""
    files = list_files(connection)
    if files:
        connection.execute(f"attach ':memory:' as {DATABASE}")
    for table in dict.fromkeys(file.table_name for file in files):
        paths = [str(home / file.path) for file in files if file.table_name == table]
        _define_view(connection, table, paths)


def _define_view(connection: duckdb.DuckDBPyConnection, table: str, paths: Iterable[str]) -> None:
    listed = ", ".join(f"'{_quote(path)}'" for path in paths)
    connection.execute(f"create view {DATABASE}.main.{table} as select * from read_parquet([{listed}])")


def take_out(build: Path, home: Path, name: str, scratch: Path, config: dict[str, Any]) -> None:
    """Move the rows of KEPT out of a closed build, which is made anew without them.

    Their blocks would stay in the file, read by nobody, if the tables were only dropped.
    """
    whole = scratch / "whole.duckdb"
    build.rename(whole)
    with duckdb.connect(str(build), config=config) as new:
        new.execute(f"attach '{_quote(whole)}' as whole (read_only)")
        create_tables(new)
        new.execute(f"attach ':memory:' as {DATABASE}")
        tables = new.execute("select table_name from duckdb_tables() where database_name = 'whole'").fetchall()
        files = FactFiles(home, name)
        for (table,) in tables:
            if table not in KEPT:
                new.execute(f"insert into {table} by name select * from whole.{table}")
                continue
            part = files.name_part()
            new.execute(
                f"copy (select * from whole.{table} order by {', '.join(KEPT[table])}) to '{_quote(part)}' "
                f"(format parquet, compression zstd, row_group_size {GROUP_ROWS}, file_size_bytes {FILE_BYTES})"
            )
            files.add(table, part)
            _define_view(new, table, map(str, files.by_table[table]))
            _replace_by_view(new, table)
        new.execute("detach whole")
        files.settle(new)
    whole.unlink()


def _replace_by_view(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    said = connection.execute("select comment from duckdb_tables() where table_name = ?", [table]).fetchall()
    columns = connection.execute(
        "select column_name, comment from duckdb_columns() where table_name = ? and database_name <> ?",
        [table, DATABASE],
    ).fetchall()
    connection.execute(f"drop table {table}")
    connection.execute(f"create view {table} as select * from {DATABASE}.main.{table}")
    connection.execute(f"comment on view {table} is '{_quote(said[0][0])}'")
    for column, comment in columns:
        connection.execute(f"comment on column {table}.{column} is '{_quote(comment)}'")


def _quote(text: object) -> str:
    return str(text).replace("'", "''")


class FactFiles:
    """The files of the build that a load makes: those of the build before, those that were added, without those left out."""

    def __init__(self, home: Path, build: str, known: Iterable[FactFile] = ()) -> None:
        self.home = home
        self.build = build
        self.by_table: dict[str, list[Path]] = {}
        """Files of each table that lies outside."""
        self._known: dict[Path, FactFile] = {}
        self._empty: set[Path] = set()
        self._numbers = count()
        for file in known:
            if not file.row_count:
                self._empty.add(home / file.path)
            self._known[home / file.path] = file
            self.by_table.setdefault(file.table_name, []).append(home / file.path)

    def name_part(self) -> Path:
        """A folder that does not exist yet, for files that are about to be written."""
        facts = self.home / FACTS
        # Spark gives what it writes modes of its own, so it is this folder that keeps others out meanwhile.
        facts.mkdir(mode=0o700, exist_ok=True)
        return next(path for number in self._numbers if not (path := facts / f"{self.build}-{number}").exists())

    def add(self, table: str, part: Path) -> int:
        """Take in the files of a folder; returns the number of their rows. One without rows stays while there is no other."""
        counts = {path: pq.read_metadata(path).num_rows for path in sorted(part.glob("*.parquet"))}
        kept = [path for path in self.by_table.get(table, []) if path not in self._empty]
        kept += [path for path, rows in counts.items() if rows]
        if not kept:
            # A view needs a file, if only for its columns.
            kept = [next(iter(counts))]
            self._empty.update(kept)
        self.by_table[table] = kept
        return sum(counts.values())

    def replace(self, table: str, old: Iterable[Path], part: Path) -> None:
        """Put the files of a folder in the place of others of the same table."""
        gone = {*old}
        self.by_table[table] = [path for path in self.by_table[table] if path not in gone]
        self.add(table, part)

    def list_to_merge(self, table: str) -> list[Path]:
        """Files that are much smaller than one should be, where these have become many."""
        small = [path for path in self.by_table[table] if path.stat().st_size < SMALL_BYTES]
        return small if len(small) > MOST_SMALL_FILES else []

    def settle(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Bring what is new to the disk, for its owner to read only, and write all down in the build. Raises OSError."""
        new = [path for files in self.by_table.values() for path in files if path not in self._known]
        for path in new:
            path.chmod(UNCHANGED)
            sync_file(path)
        for folder in {*(path.parent for path in new), self.home / FACTS, self.home}:
            sync_file(folder)
        with ThreadPoolExecutor() as threads:
            sums = dict(zip(new, threads.map(hash_file, new), strict=True))
        rows = []
        for table, files in self.by_table.items():
            for path in files:
                if path in sums:
                    self._known[path] = FactFile(
                        table, str(path.relative_to(self.home)), path.stat().st_size,
                        pq.read_metadata(path).num_rows, sums[path],
                    )  # fmt: skip
                rows.append(astuple(self._known[path]))
        connection.execute("delete from fact_file")
        fill(connection, "fact_file", rows)


def sweep(home: Path, builds: Sequence[Path]) -> None:
    """Remove every file that no build names, also what a load left that was never published.

    Where a build cannot be read, or none is left, nothing goes, because it is not known what they name.
    """
    facts = home / FACTS
    if not facts.is_dir() or not builds:
        return
    try:
        named = {home / file.path for build in builds for file in read_files(build)}
    except duckdb.Error:
        return
    for folder in list(facts.iterdir()):
        for path in folder.iterdir() if folder.is_dir() else ():
            if path not in named:
                path.unlink()
        with suppress(OSError):
            folder.rmdir()
