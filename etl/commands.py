"""What the command line does: load, check, rebuild, status."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from etl.builds import Home
from etl.cells import Unreadable
from etl.choices import Choices
from etl.damage import Damaged, read_loads
from etl.ledger import Key
from etl.load import MEMORY_LIMIT, Loading, Progress
from etl.outside import FactFiles, attach, list_files, read_files, take_out
from etl.packages import unpack
from etl.report import Handed, Report, describe_source, find_files
from etl.schema import create_schema
from etl.sources import Source, load_sources
from etl.spark.session import spark_beside
from etl.spark.tables import SparkTables
from etl.status import find_moment, is_outdated

PACKAGES = (".zip", ".csetw")
"""Endings of archives whose members are files of their own; .csetw is what CSET saves an assessment as."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is handed in and how: files and folders, the choices for them, where refused rows are written to, the engine."""

    paths: list[Path]
    choices: Choices = field(default_factory=Choices)
    refused_to: Path | None = None
    spark_master: str | None = None
    """Where Spark takes the answers, if it does: local[*], spark://…"""
    answers_outside: bool = False
    """Whether Spark leaves the answers outside the build from now on; it goes on leaving them there by itself."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A file to be handed in; a package is one that could not be unpacked."""

    path: Path
    package: str | None = None
    refusal: Unreadable | None = None


def load_files(home: Home, order: Order, progress: Progress) -> Report:
    """Load files, folders and zip archives and publish a new build.

    Raises Busy, FileNotFoundError, SourceProblem, CheckFailed, and ValueError where options do not fit the home. A warehouse
    of an earlier version is made again from the archive first.
    """
    find_files(order.paths)
    sources = load_sources(home.path)
    for choice in (order.choices.for_all, *order.choices.by_file.values()):
        source = sources.get(choice.source or "")
        if source and source.is_draft:
            raise ValueError(
                f"The source {source.name} is a draft: confirm its marked lines and take out 'draft = true' before loading."
            )
    is_outside = keeps_outside(home)
    if is_outdated(home):
        _hold_to_engine(is_outside, order, "The warehouse is of an earlier version and is to be made again.")
        rebuild(home, progress, order.spark_master, is_outside)
    with home.writing():
        said, (name, path) = [], home.name_next()
        try:
            progress("copy", 0, 0)
            home.copy_newest(path)
        except Damaged as damage:
            path.unlink(missing_ok=True)
            _hold_to_engine(is_outside, order, str(damage))
            again = _rebuild(home, progress, order.spark_master, is_outside)
            said = [f"{damage} The warehouse was made again from the archive first.", *again.said]
            name, path = home.name_next()
            home.copy_newest(path)
        try:
            home.take_over()
            report = _load_into(home, name, path, order, progress, is_check=False)
        finally:
            path.unlink(missing_ok=True)
    report.said[:0] = said
    return report


def keeps_outside(home: Home) -> bool:
    """Whether the answers of a home lie outside its builds; where its newest build cannot be read, whether any ever did."""
    newest = home.newest()
    try:
        if newest:
            return bool(read_files(newest))
    except duckdb.Error:
        pass
    return home.facts.is_dir() and any(home.facts.iterdir())


def _hold_to_engine(is_outside: bool, order: Order, why: str) -> None:
    if is_outside and not order.spark_master:
        raise ValueError(
            f"{why} Its answers lie outside the build: run python -m etl rebuild --engine spark --answers-outside first. "
            "Without these two options, rebuild takes the answers into the build."
        )


def check_files(home: Home, order: Order, progress: Progress) -> Report:
    """What a load would do, by the same code in a copy of the newest build that is thrown away; writes nothing."""
    find_files(order.paths)
    with tempfile.TemporaryDirectory(prefix="tenken-check-") as folder:
        path = Path(folder) / "build.duckdb"
        if is_outdated(home):
            raise ValueError("The newest build is of an earlier version; run python -m etl rebuild first.")
        progress("copy", 0, 0)
        while True:
            newest = home.newest()
            try:
                home.copy_newest(path)
                break
            except Damaged as damage:
                # A load may have published another one meanwhile.
                if home.newest() == newest:
                    raise ValueError(f"{damage} Run python -m etl rebuild first.") from damage
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
    with (
        tempfile.TemporaryDirectory(prefix=".building-", dir=None if is_check else home.warehouse) as folder,
        spark_beside(order.spark_master, Path(folder)) as spark,
    ):
        connection = open_build(path, name, Path(folder), home, answers_outside=order.answers_outside)
        try:
            loaded_at, held = find_moment(connection)
            loading = Loading(home, connection, Path(folder), progress, loaded_at)
            loading.has_previews = is_check
            if spark:
                loading.spark = SparkTables(spark, connection, Path(folder), _list_outside(connection, home, name))
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
                    kept = home.originals.keep(file.path, handed.looked.sha256, handed.name, Path(folder))
                    handed.archive_path = str(kept)
                    handed.path = home.archive / handed.archive_path
                new.append(handed)
            if not new:
                connection.close()
                return report
            report.said += held
            _take_in(loading, new)
            _seal(connection, name)
            report.add(connection, new, loading.sources)
            if order.refused_to:
                report.name_workbooks(new, loading.write_refused(new, order.refused_to))
            connection.close()
            if not is_check:
                progress("publish", 0, 0)
                noted = [(Path(handed.archive_path), _facts(handed)) for handed in new]
                report.build = home.publish(name, path, _list_keys(new), noted).stem
        finally:
            connection.close()
            if not is_check:
                home.originals.forget_kept(Path(folder))
    return report


def _list_keys(files: list[Handed]) -> list[Key]:
    """The loads that are new with these files."""
    return [(file.looked.sha256, file.name, file.loaded_at) for file in files if not file.is_again]


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


def open_build(
    path: Path, name: str, scratch: Path, home: Home, *, answers_outside: bool = False
) -> duckdb.DuckDBPyConnection:
    """Open a build for writing, with its schema; memory is bounded and overflow goes to the scratch folder.

    With `answers_outside`, one that holds its answers is made anew without them first.
    """
    config: dict[str, Any] = {
        "memory_limit": MEMORY_LIMIT, "temp_directory": str(scratch), "autoinstall_known_extensions": False,
        # The order of rows means nothing in a table, and keeping it costs memory. DuckDB 2.0.0 also loses sight of 122,880
        # rows or more that are inserted in order after an insert of no row in the same transaction.
        "preserve_insertion_order": False,
    }  # fmt: skip
    is_new = not path.exists()
    if answers_outside:
        if is_new:
            with duckdb.connect(str(path), config=config) as connection:
                create_schema(connection, name)
        if is_new or not read_files(path):
            take_out(path, home.path, name, scratch, config)
        is_new = False
    connection = duckdb.connect(str(path), config=config)
    attach(connection, home.path)
    connection.execute(f"attach '{str(scratch / 'staged.duckdb').replace(chr(39), chr(39) * 2)}' as scratch")
    connection.execute("begin")
    if is_new:
        create_schema(connection, name)
    return connection


def _list_outside(connection: duckdb.DuckDBPyConnection, home: Home, name: str) -> FactFiles:
    return FactFiles(home.path, name, list_files(connection))


def _seal(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    connection.execute("update build set build_name = ?, built_at = now() at time zone 'UTC'", [name])
    connection.execute("commit")
    connection.execute("checkpoint")


def rebuild(home: Home, progress: Progress, spark_master: str | None = None, answers_outside: bool = False) -> Report:
    """Make the warehouse again from the archive: every load in its order, with its own knowledge date.

    Without `answers_outside` the new build holds its answers, wherever they were. Raises Busy, and ValueError where the
    archive does not give it back.
    """
    with home.writing():
        return _rebuild(home, progress, spark_master, answers_outside)


def _rebuild(home: Home, progress: Progress, spark_master: str | None, answers_outside: bool) -> Report:
    report = Report()
    commands: dict[str, list[dict[str, Any]]] = {}
    for one in _list_published(home, report):
        commands.setdefault(one["loaded_at"], []).append(one)
    if not commands:
        if home.newest() or home.ledger.read().builds:
            raise ValueError(
                f"The archive, {home.archive}, has nothing to make a build from. Put it and {home.warehouse} back from a backup."
            )
        return report
    name, path = home.name_next()
    try:
        with (
            tempfile.TemporaryDirectory(prefix=".building-", dir=home.warehouse) as folder,
            spark_beside(spark_master, Path(folder)) as spark,
        ):
            connection = open_build(path, name, Path(folder), home, answers_outside=answers_outside)
            try:
                outside = _list_outside(connection, home, name)
                tables = SparkTables(spark, connection, Path(folder), outside) if spark else None
                done: list[Handed] = []
                for loaded_at, notes in commands.items():
                    loading = Loading(home, connection, Path(folder), progress, datetime.fromisoformat(loaded_at))
                    loading.spark = tables
                    files = [_hand_in_again(home, loading, one) for one in notes]
                    _take_in(loading, files)
                    done += files
                _seal(connection, name)
                report.add(connection, done, loading.sources)
            finally:
                connection.close()
        report.build = home.publish(name, path, _list_keys(done)).stem
    finally:
        path.unlink(missing_ok=True)
    return report


def _list_published(home: Home, report: Report) -> list[dict[str, Any]]:
    """The notes of what was published, in its order; what was noted and never published did not happen."""
    newest, noted, told = home.newest(), home.originals.notes(), home.ledger.read()
    held = read_loads(newest) if newest else None
    if told.is_begun and told.is_whole:
        published = told.list_loads() | {*(held or ())}
    elif held is not None:
        published = {*held}
    else:
        # Nothing tells any more, and what was handed in is not to be lost.
        return noted
    keys = [(one["sha256"], one["name"], one["loaded_at"]) for one in noted]
    missing = published - {*keys}
    if missing:
        names = ", ".join(sorted({name for _, name, _ in missing})[:5])
        report.said.append(
            f"The archive has no note of {len(missing):,} files that were published ({names}): what they told is not in "
            f"the new build. Hand them in again, or put {home.archive} back from a backup and run this again."
        )
    return [one for one, key in zip(noted, keys, strict=True) if key in published]


def _hand_in_again(home: Home, loading: Loading, noted: dict[str, Any]) -> Handed:
    """A file of the archive as it was handed in first. Raises ValueError where the archive has it no more."""
    path, loaded_at = home.archive / noted["archive_path"], noted["loaded_at"]
    remedy = f"Put it back from a backup, with SHA-256 {noted['sha256']}, and run this again; nothing was published."
    if not path.is_file():
        raise ValueError(f"{path} is missing. {remedy}")
    given = noted["known_at"] if noted["known_at_origin"] == "given" else None
    handed = loading.hand_in(path, noted["name"], given, datetime.fromisoformat(loaded_at), 0, noted.get("given"))
    if handed.looked.sha256 != noted["sha256"]:
        raise ValueError(f"{path} has other bytes than were loaded. {remedy}")
    for key in ("load_no", "archive_path", "known_at", "known_at_origin", "wanted_source"):
        setattr(handed, key, noted[key])
    handed.loaded_at = loaded_at
    return handed
