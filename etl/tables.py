"""Exports as tables of text: open a file, find the heading row, and hand over the rows below it."""

from __future__ import annotations

import codecs
import csv
import datetime
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet
from python_calamine import CalamineError, CalamineWorkbook

from etl.sources import Capture, Column, Source
from etl.values import nearest, normalise_heading

HEAD_ROWS = 40
HEAD_BYTES = 1 << 18
CELL_LIMIT = 1 << 20
UNPACKED_LIMIT = 1 << 30
SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".parquet": "parquet",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
Row = list[str | None]


class Unreadable(Exception):
    """A file that cannot be taken in as a whole: reason_code, and a sentence that says why and what to do."""

    def __init__(self, reason_code: str, reason: str, suggestion: str | None = None) -> None:
        super().__init__(reason)
        self.reason_code = reason_code
        self.reason = reason
        self.suggestion = suggestion


@dataclass(slots=True)
class Table:
    """One table of an export: where its heading is, the heading texts, what stands above it, and its sheet."""

    sheet: str | None
    heading: list[str]
    heading_row: int
    above: list[Row]
    encoding: str | None = None

    def positions(self, columns: tuple[Column, ...]) -> dict[str, int]:
        """Position of each column by key. Raises Unreadable for a heading that is missing or stands there twice."""
        where: dict[str, list[int]] = {}
        for position, text in enumerate(self.heading):
            where.setdefault(normalise_heading(text), []).append(position)
        found: dict[str, int] = {}
        place = f" in sheet '{self.sheet}'" if self.sheet else ""
        for column in columns:
            hits = sorted(position for heading in column.headings for position in where.get(heading, ()))
            if len(hits) > 1:
                cells = " and ".join(column_letter(position) for position in hits)
                raise Unreadable(
                    "duplicate_column",
                    f"The heading '{self.heading[hits[0]]}' stands in columns {cells} of row {self.heading_row}{place}; "
                    "leave one of them.",
                )
            if hits:
                found[column.key] = hits[0]
            elif not column.is_optional:
                near = nearest(column.names[0], [text for text in self.heading if text])
                wanted = " or ".join(map(repr, column.names))
                seen = ", ".join(repr(text) for text in self.heading if text)
                raise Unreadable(
                    "missing_column",
                    f"The heading {wanted} is missing from row {self.heading_row}{place}. Headings there: {seen[:300]}.",
                    near,
                )
        return found


def column_letter(position: int) -> str:
    """Letters of a column as spreadsheets show them: 0 is A, 26 is AA."""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


class Export:
    """A file handed in. Parsed lazily and at most once."""

    def __init__(self, path: Path, name: str | None = None) -> None:
        self.path = path
        self.name = unicodedata.normalize("NFKC", name or path.name)
        self.format = SUFFIXES.get(Path(self.name).suffix.lower())
        self._head: bytes | None = None
        self._sheets: dict[str | None, list[Row]] | None = None

    @property
    def head(self) -> bytes:
        """The first bytes of the file."""
        if self._head is None:
            with self.path.open("rb") as file:
                self._head = file.read(HEAD_BYTES)
        return self._head

    def head_rows(self, encoding: str, delimiter: str) -> list[Row]:
        """The first rows of a text file, read in that encoding."""
        try:
            text = codecs.getincrementaldecoder(_codec(encoding))("replace").decode(self.head)
        except UnicodeError:
            return []  # UTF-16 without its byte-order mark
        rows: list[Row] = []
        try:
            for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
                rows.append([cell or None for cell in cells])
                if len(rows) == HEAD_ROWS:
                    break
        except csv.Error:
            pass
        return rows

    def sheets(self) -> dict[str | None, list[Row]]:
        """Every sheet of a workbook (or the one table of a JSON or Parquet head) as rows of text. Raises Unreadable."""
        if self._sheets is None:
            self._sheets = dict(_workbook(self.path)) if self.format == "xlsx" else {None: self._other_rows()}
        return self._sheets

    def _other_rows(self) -> list[Row]:
        if self.format == "parquet":
            try:
                return [list(pyarrow.parquet.read_schema(self.path).names)]
            except (OSError, pyarrow.ArrowInvalid) as error:
                raise Unreadable(
                    "broken_file", f"This is no readable Parquet file: {error}. Export it again."
                ) from error
        return json_rows(self.path, is_lines=self.format == "jsonl")

    def forget(self) -> None:
        """Let go of parsed rows once they have been staged."""
        self._sheets = None


def _codec(encoding: str) -> str:
    return "utf-8-sig" if encoding == "utf-8" else encoding


def cell_text(value: Any) -> str | None:
    """A workbook or JSON cell as text: 5.0 is '5', dates are ISO, an empty cell is None."""
    if isinstance(value, str):
        return value if value and not value.isspace() else None
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _workbook(path: Path) -> Iterator[tuple[str, list[Row]]]:
    try:
        with zipfile.ZipFile(path) as package:
            unpacked = sum(entry.file_size for entry in package.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise Unreadable(
            "broken_file",
            "This is no readable .xlsx workbook: it may be cut off, protected by a password or of another kind. "
            "Open it in Excel and save it again as .xlsx without a password.",
        ) from error
    if unpacked > UNPACKED_LIMIT:
        raise Unreadable(
            "too_large", f"The workbook unpacks to {unpacked:,} bytes; the limit is {UNPACKED_LIMIT:,}. Split it."
        )
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        for name in workbook.sheet_names:
            cells = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
            yield name, [[cell_text(cell) for cell in row] for row in cells]
    except CalamineError as error:
        raise Unreadable("broken_file", f"The workbook cannot be read: {error}. Save it again as .xlsx.") from error


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


# --- recognition ---------------------------------------------------------------------------------


def find_tables(export: Export, source: Source) -> list[Table]:
    """The tables of the export that the source describes; empty when it does not fit. Raises Unreadable."""
    if export.format != source.format or not source.fits_name(export.name):
        return []
    words = {normalise_heading(word) for word in source.header}
    if source.format == "csv":
        for encoding in source.encodings:
            rows = export.head_rows(encoding, source.delimiter)
            table = _table_below(rows, source, words, None)
            if table:
                table.encoding = encoding
                return [table]
        return []
    tables = []
    for sheet, rows in _sheets_of(export, source).items():
        if sheet is not None and source.sheet and not re.search(source.sheet, unicodedata.normalize("NFKC", sheet)):
            continue
        table = _table_below(rows, source, words, sheet)
        if table:
            tables.append(table)
    return tables


def _sheets_of(export: Export, source: Source) -> dict[str | None, list[Row]]:
    if source.records_path:
        return {None: json_rows(export.path, source.format == "jsonl", source.records_path)}
    return export.sheets()


def _table_below(rows: list[Row], source: Source, words: set[str], sheet: str | None) -> Table | None:
    candidates = [source.header_row - 1] if source.header_row else range(min(HEAD_ROWS, len(rows)))
    for first in candidates:
        last = first + source.header_rows
        if last > len(rows):
            return None
        heading = _joined(rows[first:last])
        if words <= {normalise_heading(text) for text in heading}:
            if not words and not any(heading):
                continue
            return Table(sheet, heading, last, rows[:first])
    return None


def _joined(rows: list[Row]) -> list[str]:
    if len(rows) == 1:
        return [text or "" for text in rows[0]]
    width = max(map(len, rows))
    return ["".join((row[i] or "") if i < len(row) else "" for row in rows) for i in range(width)]


def recognise(export: Export, sources: dict[str, Source], wanted: str | None = None) -> tuple[Source, list[Table]]:
    """The source that describes the export best, and its tables. Raises Unreadable when none or several do."""
    if export.format is None:
        raise Unreadable(
            "unknown_format",
            f"Tenken reads {', '.join(SUFFIXES)}; this file is none of them, so nothing of it was loaded.",
        )
    fits = []
    for source in [sources[wanted]] if wanted else sources.values():
        tables = find_tables(export, source)
        if tables:
            fits.append((source.priority, _columns_found(source, tables[0]), source, tables))
    if not fits:
        raise _unrecognised(export, sources, wanted)
    best = max(fit[:2] for fit in fits)
    winners = [fit for fit in fits if fit[:2] == best]
    if len(winners) > 1:
        names = " and ".join(sorted(winner[2].name for winner in winners))
        raise Unreadable("ambiguous", f"The sources {names} fit this file equally well; say which with --source NAME.")
    return winners[0][2], winners[0][3]


def _columns_found(source: Source, table: Table) -> int:
    seen = {normalise_heading(text) for text in table.heading}
    return sum(bool(column.headings & seen) for column in source.all_columns)


def _unrecognised(export: Export, sources: dict[str, Source], wanted: str | None) -> Unreadable:
    best: tuple[int, str, list[str]] | None = None
    seen: list[str] = []
    for source in [sources[wanted]] if wanted else sources.values():
        if source.format != export.format:
            continue
        readings = (
            [export.head_rows(encoding, source.delimiter) for encoding in source.encodings]
            if source.format == "csv"
            else list(_sheets_of(export, source).values())
        )
        for rows in readings:
            for row in rows[:HEAD_ROWS]:
                texts = [text for text in row if text]
                if len(texts) > len(seen):
                    seen = texts
                normal = {normalise_heading(text) for text in texts}
                hits = sum(normalise_heading(word) in normal for word in source.header)
                if hits and (best is None or hits > best[0]):
                    missing = [word for word in source.header if normalise_heading(word) not in normal]
                    best = (hits, source.name, missing)
    held = ", ".join(repr(text[:40]) for text in seen[:12])
    said = f"It holds {held}." if seen else "It seems to be empty."
    if best and best[2]:
        near = f" The nearest source is {best[1]}, which needs the heading {', '.join(map(repr, best[2]))} too."
    elif best:
        near = f" The nearest source is {best[1]}, whose file name pattern is {sources[best[1]].file_name!r}."
    else:
        near = ""
    lead = f"The source {wanted} does not describe this file." if wanted else "No source describes this file."
    return Unreadable(
        "unknown_source",
        f"{lead} {said}{near} Describe it in data/sources (docs/sources.md).",
        best[1] if best else None,
    )


# --- captures ------------------------------------------------------------------------------------


def capture(captures: tuple[Capture, ...], export: Export, table: Table, rows: list[Row]) -> dict[str, str | None]:
    """What the source's captures find outside the table: in the file name, the sheet's name and the cells around it."""
    return {one.key: _captured(one, export, table, rows) for one in captures}


def _captured(one: Capture, export: Export, table: Table, rows: list[Row]) -> str | None:
    if one.place == "file_name":
        return _group(one.pattern, export.name)
    if one.place == "sheet":
        return _group(one.pattern, unicodedata.normalize("NFKC", table.sheet or ""))
    if one.place == "cell":
        match = re.fullmatch(r"([A-Z]+)(\d+)", one.pattern.upper())
        if not match:
            return None
        position = 0
        for letter in match[1]:
            position = position * 26 + ord(letter) - 64
        row = int(match[2]) - 1
        return rows[row][position - 1] if row < len(rows) and position <= len(rows[row]) else None
    if one.place == "title":
        texts = (unicodedata.normalize("NFKC", text) for row in table.above for text in row if text)
        return next((found for text in texts if (found := _group(one.pattern, text)) is not None), None)
    wanted = normalise_heading(one.pattern)
    for cells in table.above:
        for position, text in enumerate(cells):
            normal = normalise_heading(text or "")
            if normal.rstrip(":") == wanted:
                return next((right for right in cells[position + 1 :] if right), None)
            if normal.startswith(wanted + ":"):
                return unicodedata.normalize("NFKC", text or "").split(":", 1)[1].strip() or None
    return None


def _group(pattern: str, text: str) -> str | None:
    match = re.search(pattern, text)
    if not match:
        return None
    return match[1] if match.re.groups else match[0]
