"""Workbooks, JSON and XML parsed in a child process with a memory and a time limit, so that no file harms a load.

`python -m etl.parsing` is that child: it reads one request per line and writes each table it finds as an Arrow file.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import resource
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, Protocol

import pyarrow as pa

from etl.cells import Row, Unreadable, cell_text

MEMORY_LIMIT: Final = 2 << 30
"""Bytes of address space of the child."""
SECONDS_LIMIT: Final = 120
"""Seconds that one file may take; a sheet of a million rows takes about twenty."""
MOST_COLUMNS: Final = 16_384
"""Columns that a table may have; no spreadsheet has more."""
BATCH_ROWS: Final = 4_096
PROJECT: Final = Path(__file__).resolve().parent.parent


class Sheet(Protocol):
    """Rows of one table of a file, from its first row."""

    is_hidden: bool
    merges: tuple[tuple[int, int, int, int], ...]
    width: int

    def head(self, count: int) -> list[Row]:
        """The first rows."""

    def rows(self, start: int = 0) -> Iterator[tuple[int, Row]]:
        """Rows from a position on (0 is the first), each with its number from 1."""


@dataclass(slots=True)
class HeldSheet:
    """A sheet whose few rows are held in memory."""

    held: list[Row]
    is_hidden: bool = False
    merges: tuple[tuple[int, int, int, int], ...] = ()
    width: int = 0

    def head(self, count: int) -> list[Row]:
        """The first rows."""
        return self.held[:count]

    def rows(self, start: int = 0) -> Iterator[tuple[int, Row]]:
        """Rows from a position on, each with its number from 1."""
        return ((number + 1, self.held[number]) for number in range(start, len(self.held)))


@dataclass(slots=True)
class StoredSheet:
    """A sheet that the child has written to a file, read from there batch by batch."""

    path: Path
    is_hidden: bool
    merges: tuple[tuple[int, int, int, int], ...]
    width: int
    _head: list[Row] = field(default_factory=list)

    def head(self, count: int) -> list[Row]:
        """The first rows."""
        if len(self._head) < count:
            self._head = [row for _, row in islice(self.rows(), count)]
        return self._head[:count]

    def rows(self, start: int = 0) -> Iterator[tuple[int, Row]]:
        """Rows from a position on, each with its number from 1."""
        with pa.memory_map(str(self.path)) as file, pa.ipc.open_file(file) as reader:
            number = 0
            for position in range(reader.num_record_batches):
                batch = reader.get_batch(position)
                if number + batch.num_rows > start:
                    for place, row in enumerate(batch.column(0).to_pylist(), start=number):
                        if place >= start:
                            yield place + 1, row
                number += batch.num_rows


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file holds: its sheets by name, and the kind of document that a reader recognised, if any."""

    sheets: dict[str | None, Sheet]
    document: str | None
    folder: Path

    def forget(self) -> None:
        """Remove the tables that the child has written."""
        shutil.rmtree(self.folder, ignore_errors=True)


class _Child:
    """The process that parses; started at first use, and again after a file has killed it."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.folder: Path | None = None

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The child's answer. Raises Unreadable where it did not live to give one."""
        process = self._started()
        assert process.stdin and process.stdout
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], SECONDS_LIMIT)
            line = process.stdout.readline() if ready else None
        except BrokenPipeError:
            line = ""
        if not line:
            self._end()
            if line is None:
                raise Unreadable(
                    "too_slow",
                    f"The file could not be read within {SECONDS_LIMIT} seconds. It may be damaged; export it again, or "
                    "split it.",
                )
            raise Unreadable(
                "too_large",
                f"The file could not be read within {MEMORY_LIMIT >> 30} GB of memory. A cell far outside the table, or a "
                "damaged file, can be the cause: delete the empty rows and columns beyond the table, or split it.",
            )
        answer: dict[str, Any] = json.loads(line)
        return answer

    def make_folder(self) -> Path:
        """A folder for the tables of one file."""
        if self.folder is None or not self.folder.exists():
            self.folder = Path(tempfile.mkdtemp(prefix="tenken-parsed-"))
            atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        return Path(tempfile.mkdtemp(dir=self.folder))

    def _started(self) -> subprocess.Popen[str]:
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "etl.parsing"], cwd=PROJECT, text=True, encoding="utf-8",
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            atexit.register(self._end)
        return self.process

    def _end(self) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()


_child = _Child()


def parse(path: Path, file_format: str, records_path: str | None = None) -> Parsed:
    """The tables of a workbook, JSON or XML file, or the heading of a Parquet one. Raises Unreadable."""
    folder = _child.make_folder()
    request = {"path": str(path.resolve()), "format": file_format, "records": records_path, "out": str(folder)}
    try:
        answer = _child.ask(request)
        if "error" in answer:
            raise Unreadable(*answer["error"])
    except Unreadable:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    sheets: dict[str | None, Sheet] = {
        one["name"]: StoredSheet(
            folder / one["file"], one["is_hidden"], tuple(tuple(merge) for merge in one["merges"]), one["width"]
        )
        for one in answer["sheets"]
    }
    return Parsed(sheets, answer["document"], folder)


# --- in the child ---------------------------------------------------------------------------------


def main() -> None:
    """Answer requests until the parent goes away."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = _parse_here(Path(request["path"]), request["format"], request["records"], Path(request["out"]))
        except Unreadable as unreadable:
            answer = {"error": [unreadable.reason_code, unreadable.reason, unreadable.suggestion]}
        except (MemoryError, RecursionError):
            # What was half built is not to be trusted: the parent starts a new child.
            return
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _parse_here(path: Path, file_format: str, records_path: str | None, folder: Path) -> dict[str, Any]:
    sheets: list[dict[str, Any]] = []

    def keep(name: str | None, rows: Iterator[Row], is_hidden: bool, merges: tuple[Any, ...]) -> None:
        target = folder / f"{len(sheets)}.arrow"
        width = _write(target, rows, name)
        sheets.append({"name": name, "file": target.name, "is_hidden": is_hidden, "merges": merges, "width": width})

    document = None
    if file_format == "xlsx":
        from etl.workbooks import read_workbook

        for sheet in read_workbook(path):
            keep(sheet.name, sheet.rows, sheet.is_hidden, sheet.merges)
    elif file_format == "parquet":
        keep(None, iter([_parquet_heading(path)]), False, ())
    else:
        document = _read_document(path, file_format, records_path, keep)
    return {"sheets": sheets, "document": document}


def _write(target: Path, rows: Iterator[Row], sheet: str | None) -> int:
    """Write rows as one column of lists of texts; returns the width of the widest row."""
    schema = pa.schema([("cells", pa.list_(pa.string()))])
    width = 0
    with pa.OSFile(str(target), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        while batch := list(islice(rows, BATCH_ROWS)):
            # A sheet is as wide as its most distant cell; blanks to the right of a row say nothing.
            for row in batch:
                while row and row[-1] is None:
                    row.pop()
            width = max(width, *(len(row) for row in batch))
            if width > MOST_COLUMNS:
                where = f" of sheet '{sheet}'" if sheet else ""
                raise Unreadable(
                    "too_wide", f"A row{where} has {width:,} columns; the limit is {MOST_COLUMNS:,}. Split the table."
                )
            clean = [[text.encode("utf-8", "replace").decode() if text else text for text in row] for row in batch]
            writer.write_batch(pa.record_batch([pa.array(clean, schema.field(0).type)], schema=schema))
    return width


def _parquet_heading(path: Path) -> Row:
    import pyarrow.parquet

    try:
        return list(pyarrow.parquet.read_schema(path).names)
    except (OSError, pa.ArrowException) as error:
        raise Unreadable("broken_file", "This is no readable Parquet file. Export it again.") from error


def _read_document(path: Path, file_format: str, records_path: str | None, keep: Callable[..., None]) -> str | None:
    from etl.documents import read_document

    if file_format in ("json", "xml") and not records_path:
        document = read_document("xml" if file_format == "xml" else "json", path)
        if document:
            for name, rows in document.tables.items():
                keep(name, iter(rows), False, ())
            return document.name
        if file_format == "xml":
            raise Unreadable(
                "unknown_document",
                "This XML is none of the documents that Tenken reads (STIG checklist, XCCDF results). Export a table instead.",
            )
    keep(None, iter(json_rows(path, file_format == "jsonl", records_path)), False, ())
    return None


def json_rows(path: Path, is_lines: bool, records_path: str | None = None) -> list[Row]:
    """Objects as rows below a heading of their keys, in order of appearance; numbers keep their digits."""
    options: dict[str, Any] = {"parse_float": str, "parse_int": str}
    try:
        text = path.read_text("utf-8-sig")
        found = (
            [json.loads(line, **options) for line in text.splitlines() if line.strip()]
            if is_lines
            else json.loads(text, **options)
        )
    except (ValueError, RecursionError) as error:
        raise Unreadable("broken_file", f"This is no readable JSON: {error}. Export it again.") from error
    for step in (records_path or "").split(".") if records_path else ():
        found = found.get(step) if isinstance(found, dict) else None
    if isinstance(found, dict):
        found = next((value for value in found.values() if isinstance(value, list)), [found])
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise Unreadable("broken_file", "The JSON holds no list of objects; Tenken reads one object per row.")
    heading = list(dict.fromkeys(key for row in found for key in row))
    return [list(heading), *([cell_text(row.get(key)) for key in heading] for row in found)]


if __name__ == "__main__":
    main()
