"""What the command line does: load, check, rebuild, status."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from etl.builds import Home
from etl.cells import Unreadable
from etl.choices import Choices
from etl.load import MEMORY_LIMIT, Loading, Progress
from etl.packages import unpack
from etl.report import Handed, Report, describe_source, find_files
from etl.schema import SCHEMA_VERSION, create_schema
from etl.sources import Source, load_sources

PACKAGES = (".zip", ".csetw")
"""Endings of archives whose members are files of their own; .csetw is what CSET saves an assessment as."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is handed in and how: files and folders, the choices for them, and where refused rows are written to."""

    paths: list[Path]
    choices: Choices = field(default_factory=Choices)
    refused_to: Path | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """A file to be handed in; a package is one that could not be unpacked."""

    path: Path
    package: str | None = None
    refusal: Unreadable | None = None


def load_files(home: Home, order: Order, progress: Progress) -> Report:
    """Load files, folders and zip archives and publish a new build.

    Raises Busy, FileNotFoundError, SourceProblem, CheckFailed. A warehouse of an earlier version is made again from the
    archive first.
    """
    find_files(order.paths)
    sources = load_sources(home.path)
    for choice in (order.choices.for_all, *order.choices.by_file.values()):
        source = sources.get(choice.source or "")
        if source and source.is_draft:
            raise ValueError(
                f"The source {source.name} is a draft: confirm its marked lines and take out 'draft = true' before loading."
            )
    if is_outdated(home):
        rebuild(home, progress)
    with home.writing():
        name, path = home.begin()
        report = _load_into(home, name, path, order, progress, is_check=False)
        if report.build is None:
            path.unlink(missing_ok=True)
    return report


def check_files(home: Home, order: Order, progress: Progress) -> Report:
    """What a load would do, by the same code in a copy of the newest build that is thrown away; writes nothing."""
    find_files(order.paths)
    newest = home.newest()
    with tempfile.TemporaryDirectory(prefix="tenken-check-") as folder:
        path = Path(folder) / "build.duckdb"
        if is_outdated(home):
            raise ValueError("The newest build is of an earlier version; run python -m etl rebuild first.")
        if newest:
            progress("copy", 0, 0)
            shutil.copyfile(newest, path)
        report = _load_into(home, "check", path, order, progress, is_check=True)
    report.build = None
    return report


def _find(order: Order, folder: Path) -> list[_Found]:
    """Every file to be handed in, zip archives unpacked into the folder."""
    found: list[_Found] = []
    for number, path in enumerate(find_files(order.paths)):
        if path.suffix.lower() not in PACKAGES:
            found.append(_Found(path))
            continue
        try:
            found += [_Found(member, path.name) for member in unpack(path, folder / f"package-{number}")]
        except Unreadable as unreadable:
            found.append(_Found(path, refusal=unreadable))
    return found


def _load_into(home: Home, name: str, path: Path, order: Order, progress: Progress, *, is_check: bool) -> Report:
    report = Report()
    with tempfile.TemporaryDirectory(prefix=".building-", dir=None if is_check else home.warehouse) as folder:
        connection = open_build(path, name, Path(folder))
        try:
            loaded_at = datetime.now(UTC).replace(tzinfo=None)
            loading = Loading(home, connection, Path(folder), progress, loaded_at)
            loading.has_previews = is_check
            new: list[Handed] = []
            (number,) = connection.execute("select coalesce(max(load_no), 0) from load").fetchone() or (0,)
            seen = set()
            files = _find(order, Path(folder))
            for position, file in enumerate(files):
                progress("read", position, len(files))
                choice = order.choices.of(file.path.name)
                if choice.leave_out:
                    continue
                handed = loading.hand_in(file.path, file.path.name, choice.known_at, loaded_at, position, choice.given)
                handed.wanted_source, handed.package, handed.refusal = choice.source, file.package, file.refusal
                if handed.load_id in seen or loading.is_known(handed):
                    report.loads.append(_known(connection, handed, loading.sources))
                    continue
                seen.add(handed.load_id)
                if not handed.is_again:
                    number += 1
                    handed.load_no = number
                if is_check:
                    handed.archive_path = str(file.path.resolve())
                else:
                    handed.archive_path = str(home.keep(file.path, handed.looked.sha256, handed.name))
                    handed.path = home.archive / handed.archive_path
                new.append(handed)
            if not new:
                connection.close()
                return report
            _take_in(loading, new)
            _seal(connection, name)
            report.add(connection, new, loading.sources)
            if order.refused_to:
                report.name_workbooks(new, loading.write_refused(new, order.refused_to))
        finally:
            connection.close()
    if not is_check:
        progress("publish", 0, 0)
        for handed in new:
            home.note(Path(handed.archive_path), _facts(handed))
        report.build = home.publish(name, path).stem
    return report


def _take_in(loading: Loading, files: list[Handed]) -> None:
    loading.take_in(files)
    taken = {file.load_id for file in files}
    again = [file for file in loading.pending() if file.load_id not in taken]
    if again:
        loading.take_in(again)
    loading.finish()


def _known(connection: duckdb.DuckDBPyConnection, file: Handed, sources: Mapping[str, Source]) -> dict[str, Any]:
    row = connection.execute(
        "select source_name, rows_read, known_at from load where load_id = ?", [file.load_id]
    ).fetchone() or (None, 0, None)
    counts = dict.fromkeys(("rows_loaded", "rows_changed", "rows_refused", "rows_skipped"), 0)
    return {
        "file": file.name, "package": file.package, "source": row[0], "rows_read": row[1], "rows_unchanged": row[1],
        **counts, "known_at": str(row[2] or file.known_at), "is_refused": False, "is_known": True, "reason_code": None, "reason": None,
        "needs": [], **describe_source(sources, row[0]), "preview": [], "refused_workbook": None,
    }  # fmt: skip


def _facts(file: Handed) -> dict[str, Any]:
    names = ("load_no", "name", "archive_path", "known_at", "known_at_origin", "loaded_at", "wanted_source", "given")
    return {name: getattr(file, name) for name in names} | {
        "sha256": file.looked.sha256,
        "source_name": file.source_name,
    }


def open_build(path: Path, name: str, scratch: Path) -> duckdb.DuckDBPyConnection:
    """Open a build for writing, with its schema; memory is bounded and overflow goes to the scratch folder."""
    is_new = not path.exists()
    connection = duckdb.connect(
        str(path),
        config={"memory_limit": MEMORY_LIMIT, "temp_directory": str(scratch), "autoinstall_known_extensions": False},
    )
    # The order of rows means nothing in a table, and keeping it costs memory. DuckDB 2.0.0 also loses sight of 122,880 rows
    # or more that are inserted in order after an insert of no row in the same transaction.
    connection.execute("set preserve_insertion_order = false")
    connection.execute(f"attach '{str(scratch / 'staged.duckdb').replace(chr(39), chr(39) * 2)}' as scratch")
    connection.execute("begin")
    if is_new:
        create_schema(connection, name)
    return connection


def _seal(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    connection.execute("update build set build_name = ?, built_at = now() at time zone 'UTC'", [name])
    connection.execute("commit")
    connection.execute("checkpoint")


def rebuild(home: Home, progress: Progress) -> Report:
    """Make the warehouse again from the archive: every load in its order, with its own knowledge date."""
    with home.writing():
        newest, noted = home.newest(), home.notes()
        order = {(one["sha256"], one["name"], one["loaded_at"]) for one in noted}
        if newest:
            with duckdb.connect(str(newest), read_only=True) as reader:
                rows = reader.execute("select sha256, file_name, loaded_at from load").fetchall()
            # What was noted but never published did not happen.
            order &= {(row[0], row[1], str(row[2])) for row in rows}
        commands: dict[str, list[dict[str, Any]]] = {}
        for one in noted:
            if (one["sha256"], one["name"], one["loaded_at"]) in order:
                commands.setdefault(one["loaded_at"], []).append(one)
        name, path = home.begin()
        path.unlink(missing_ok=True)
        report = Report()
        if not commands:
            return report
        with tempfile.TemporaryDirectory(prefix=".building-", dir=home.warehouse) as folder:
            connection = open_build(path, name, Path(folder))
            try:
                done: list[Handed] = []
                for loaded_at, notes in commands.items():
                    loading = Loading(home, connection, Path(folder), progress, datetime.fromisoformat(loaded_at))
                    files = []
                    for one in notes:
                        given = one["known_at"] if one["known_at_origin"] == "given" else None
                        handed = loading.hand_in(
                            home.archive / one["archive_path"], one["name"], given, datetime.fromisoformat(loaded_at), 0,
                            one.get("given"),
                        )  # fmt: skip
                        for key in ("load_no", "archive_path", "known_at", "known_at_origin", "wanted_source"):
                            setattr(handed, key, one[key])
                        handed.loaded_at = loaded_at
                        files.append(handed)
                    _take_in(loading, files)
                    done += files
                _seal(connection, name)
                report.add(connection, done, loading.sources)
            finally:
                connection.close()
        report.build = home.publish(name, path).stem
    return report


def is_outdated(home: Home) -> bool:
    """Whether the newest build follows an earlier schema than this one."""
    newest = home.newest()
    if newest is None:
        return False
    try:
        connection = duckdb.connect(str(newest), read_only=True)
    except duckdb.ConnectionException:
        # A reader in this process has it open, which it would not have if it were.
        return False
    with connection:
        row = connection.execute("select schema_version from build").fetchone()
    return row is None or row[0] != SCHEMA_VERSION


def status(home: Home) -> dict[str, Any]:
    """The newest build, its loads, rows and refusals."""
    newest = home.newest()
    if newest is None:
        return {"home": str(home.path), "build": None}
    with duckdb.connect(str(newest), read_only=True) as connection:
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
        refused = connection.execute(
            "select reason_code, count(*) from refusal group by reason_code order by 2 desc, 1"
        ).fetchall()
    assert built and totals
    return {
        "home": str(home.path),
        "build": built[0],
        "built_at": built[1],
        "bytes": newest.stat().st_size,
        "loads": totals[0],
        "rows_read": totals[1],
        "rows_refused": totals[2],
        "newest_known_at": totals[3],
        "refusals": dict(refused),
        "rows": counts,
    }
