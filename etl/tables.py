"""Exports as tables of text: open a file, find the heading row, and hand over the rows below it."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from etl.cells import Row, Unreadable
from etl.mended import MARK, read_mark
from etl.parsing import MOST_COLUMNS, Parsed, Sheet, parse
from etl.sources import Capture, Column, Source
from etl.values import nearest, normalise_heading

HEAD_ROWS = 40
HEAD_BYTES = 1 << 18
MOST_ROWS_SEARCHED = 200_000
CELL_LIMIT = 1 << 20
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
    ".xml": "xml",
    ".ckl": "xml",
    ".cklb": "json",
}
SAVED_AS_XLSX = (".xls", ".xlsb", ".ods", ".numbers")
BINARY = {
    b"PK\x03\x04": "a workbook or zip archive",
    b"\xd0\xcf\x11\xe0": "an old workbook",
    b"%PDF": "a PDF",
    b"PAR1": "a Parquet file",
}


@dataclass(slots=True)
class Table:
    """One table of an export: where its heading is, the heading texts, what stands above it, and its sheet."""

    sheet: str | None
    heading: list[str]
    heading_row: int
    above: list[Row]
    encoding: str | None = None
    heading_rows: tuple[Row, ...] = ()

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
    """A file handed in, with what a person gave for it. Parsed lazily and at most once."""

    def __init__(self, path: Path, name: str | None = None, given: Mapping[str, str] | None = None) -> None:
        self.path = path
        self.name = unicodedata.normalize("NFKC", name or path.name)
        self.format = SUFFIXES.get(Path(self.name).suffix.lower())
        self.given = dict(given or {})
        self.mended_source: str | None = None
        self._head: bytes | None = None
        self._parsed: Parsed | None = None
        self._picked: dict[str, Parsed] = {}

    @property
    def is_text(self) -> bool:
        """Whether its rows are read from the file itself, as delimited text."""
        return self.format == "csv"

    @property
    def document(self) -> str | None:
        """Kind of document that a reader recognised, of JSON and XML. Raises Unreadable."""
        return self._parse().document

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
            text = codecs.getincrementaldecoder(codec_of(encoding))("replace").decode(self.head)
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

    def is_clean(self, encoding: str) -> bool:
        """Whether the first bytes of the file are text of that encoding."""
        try:
            codecs.getincrementaldecoder(codec_of(encoding))("strict").decode(self.head)
        except UnicodeError:
            return False
        return True

    def sheets(self, records_path: str | None = None) -> dict[str | None, Sheet]:
        """Every sheet of a workbook, every table of a document, or the one table of JSON or Parquet. Raises Unreadable."""
        if records_path is None:
            return self._parse().sheets
        if records_path not in self._picked:
            self._picked[records_path] = parse(self.path, str(self.format), records_path)
        return self._picked[records_path].sheets

    def take_name_of_origin(self) -> None:
        """Let a workbook of mended rows stand for the file whose rows they are. Raises Unreadable."""
        if self.format != "xlsx" or self.mended_source is not None:
            return
        mark = read_mark(self._parse().sheets.get(MARK))
        if mark is None:
            return
        self.name = unicodedata.normalize("NFKC", mark.file_name)
        self.mended_source = mark.source_name
        self.given = mark.given | self.given

    def _parse(self) -> Parsed:
        if self._parsed is None:
            self._parsed = parse(self.path, str(self.format))
        return self._parsed

    def forget(self) -> None:
        """Let go of parsed rows once they have been staged."""
        for parsed in (self._parsed, *self._picked.values()):
            if parsed:
                parsed.forget()
        self._parsed = None
        self._picked.clear()


def codec_of(encoding: str) -> str:
    """Python's codec for an encoding that a source names: a byte-order mark is no part of the first heading."""
    return "utf-8-sig" if encoding == "utf-8" else encoding


# --- recognition ---------------------------------------------------------------------------------


def find_tables(export: Export, source: Source, *, hidden: bool = False) -> list[Table]:
    """The tables of the export that the source describes; empty when it does not fit. Raises Unreadable.

    Hidden sheets are among them where the source reads them; with `hidden`, only those that it does not read.
    """
    is_mended = export.mended_source is not None and export.mended_source in (source.name, source.part_of)
    if not (export.format == source.format or is_mended) or not source.fits_name(export.name):
        return []
    words = {normalise_heading(word) for word in source.header}
    if export.is_text:
        # Headings in Latin letters are alike in many encodings; the bytes of the rows below tell them apart.
        for encoding in sorted(source.encodings, key=lambda one: not export.is_clean(one)) if not hidden else ():
            table = _table_below(export.head_rows(encoding, source.delimiter), source, words, None)
            if table:
                table.encoding = encoding
                return [table]
        return []
    if source.format in ("json", "xml") and not is_mended and export.document != source.document:
        return []
    tables = []
    for name, sheet in export.sheets(source.records_path if not is_mended else None).items():
        if name == MARK and is_mended:
            continue
        if name is not None and source.sheet and not re.search(source.sheet, unicodedata.normalize("NFKC", name)):
            continue
        if hidden != (sheet.is_hidden and not source.reads_hidden):
            continue
        table = _table_below(sheet.head(HEAD_ROWS + source.header_rows), source, words, name, sheet.merges)
        if table:
            tables.append(table)
    return tables


def _table_below(
    rows: list[Row],
    source: Source,
    words: set[str],
    sheet: str | None,
    merges: tuple[tuple[int, int, int, int], ...] = (),
) -> Table | None:
    candidates = [source.header_row - 1] if source.header_row else range(min(HEAD_ROWS, len(rows)))
    for first in candidates:
        last = first + source.header_rows
        if last > len(rows):
            return None
        head = rows[first:last]
        heading = join_heading(head, first, merges)
        if words <= {normalise_heading(text) for text in heading}:
            if not words and not any(heading):
                continue
            return Table(sheet, heading, last, rows[:first], heading_rows=tuple(head))
    return None


def _spread(rows: list[Row], first: int, merges: tuple[tuple[int, int, int, int], ...]) -> list[Row]:
    """Heading rows in which a merged cell stands over every column that it spans."""
    spread = [list(row) for row in rows]
    for top, left, bottom, right in merges:
        if not first <= top < first + len(rows) or right >= MOST_COLUMNS or bottom > first + len(rows):
            continue
        row = spread[top - first]
        text = row[left] if left < len(row) else None
        if text:
            row += [None] * (right + 1 - len(row))
            row[left : right + 1] = [text] * (right + 1 - left)
    return spread


def join_heading(rows: list[Row], first: int, merges: tuple[tuple[int, int, int, int], ...] = ()) -> list[str]:
    """Texts of a heading of one or several rows, joined from above; `first` is the place of its first row, from 0.

    A merged cell stands over every column that it spans.
    """
    if len(rows) == 1:
        return [text or "" for text in rows[0]]
    spread = _spread(rows, first, merges)
    width = max(map(len, spread))
    return ["".join((row[i] or "") if i < len(row) else "" for row in spread) for i in range(width)]


def recognise(
    export: Export, sources: dict[str, Source], wanted: str | None = None
) -> list[tuple[Source, list[Table]]]:
    """The source that describes the export best with its tables, then the sources of its further sheets with theirs.

    Raises Unreadable when no source or several describe it.
    """
    if export.format is None:
        is_sheet = Path(export.name).suffix.lower() in SAVED_AS_XLSX
        how = " Open it in Excel or LibreOffice and save it as .xlsx." if is_sheet else ""
        raise Unreadable(
            "unknown_format",
            f"Tenken reads {', '.join(SUFFIXES)} and .zip; this file is none of them, so nothing of it was loaded.{how}",
        )
    look_at_text(export)
    export.take_name_of_origin()
    wanted = wanted or export.mended_source
    if wanted is not None and wanted not in sources:
        raise Unreadable("unknown_source", f"The source {wanted} is not known here. Describe it in data/sources.")
    fits = []
    for source in [sources[wanted]] if wanted else sources.values():
        if not wanted and (source.part_of or source.is_draft):
            continue
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
    _, _, source, tables = winners[0]
    parts = [(one, find_tables(export, one)) for one in sources.values() if one.part_of == source.name]
    return [(source, tables), *((one, found) for one, found in parts if found)]


def look_at_text(export: Export) -> None:
    """Hold a delimited text file to what can be a table. Raises Unreadable."""
    if not export.is_text:
        return
    for start, what in BINARY.items():
        if export.head.startswith(start):
            raise Unreadable(
                "broken_file", f"This is {what} named like a text file. Give it its own ending and hand it in again."
            )
    if not export.head:
        raise Unreadable("empty_file", "The file is empty. Export it again.")
    if len(export.head) == HEAD_BYTES and b"\n" not in export.head and b"\r" not in export.head:
        raise Unreadable(
            "too_wide",
            f"The first {HEAD_BYTES >> 10} KB of the file are one single line, which no table begins with. Export it again.",
        )


def _columns_found(source: Source, table: Table) -> int:
    seen = {normalise_heading(text) for text in table.heading}
    return sum(bool(column.headings & seen) for column in source.all_columns)


def _unrecognised(export: Export, sources: dict[str, Source], wanted: str | None) -> Unreadable:
    best: tuple[int, str, list[str]] | None = None
    seen: list[str] = []
    for source in [sources[wanted]] if wanted else sources.values():
        if source.format != export.format or source.part_of or (source.is_draft and not wanted):
            continue
        if source.format in ("json", "xml") and export.document != source.document:
            continue
        hidden = find_tables(export, source, hidden=True)
        if hidden:
            return Unreadable(
                "hidden_sheet",
                f"The sheet '{hidden[0].sheet}' fits the source {source.name}, but it is hidden and so was not read. "
                "Unhide it and hand the workbook in again.",
            )
        readings = (
            [export.head_rows(encoding, source.delimiter) for encoding in source.encodings]
            if export.is_text
            else [sheet.head(HEAD_ROWS) for sheet in export.sheets(source.records_path).values()]
        )
        words = {normalise_heading(word) for word in source.header}
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
        if words and source.fits_name(export.name) and (low := _heading_further_down(export, source, words)):
            return low
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


def _heading_further_down(export: Export, source: Source, words: set[str]) -> Unreadable | None:
    """What to say of a table whose heading stands below its first rows."""
    if source.header_row or source.header_rows > 1:
        return None
    if export.is_text:
        # The head alone is looked through: a heading below a quarter of a megabyte of rows is no heading.
        text = export.head.decode(codec_of(source.encodings[0]), "replace")
        readings: list[tuple[str | None, Iterator[tuple[int, Row]]]] = [
            (None, ((no, list(cells)) for no, cells in enumerate(_split(text, source.delimiter), start=1)))
        ]
    else:
        readings = [(name, sheet.rows(HEAD_ROWS)) for name, sheet in export.sheets(source.records_path).items()]
    for name, rows in readings:
        for row_no, row in islice(rows, MOST_ROWS_SEARCHED):
            if (
                row_no > HEAD_ROWS
                and len(row) >= len(words)
                and words <= {normalise_heading(text or "") for text in row}
            ):
                place = f" of sheet '{name}'" if name else ""
                return Unreadable(
                    "heading_below",
                    f"The headings of {source.name} stand in row {row_no}{place}, below the rows. Put them above the first "
                    f"row, within the first {HEAD_ROWS} rows.",
                )
    return None


def _split(text: str, delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error:
        return


# --- captures ------------------------------------------------------------------------------------


def capture(captures: tuple[Capture, ...], export: Export, table: Table, rows: list[Row]) -> dict[str, str | None]:
    """What the source's captures find outside the table: in the file name, the sheet's name and the cells around it."""
    labels = {normalise_heading(one.pattern) for one in captures if one.place == "label"}
    return {one.key: _captured(one, export, table, rows, labels) for one in captures}


def _captured(one: Capture, export: Export, table: Table, rows: list[Row], labels: set[str]) -> str | None:
    if one.given and export.given.get(one.given):
        return export.given[one.given]
    if one.place == "given":
        return None
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
                right = next((text for text in cells[position + 1 :] if text), None)
                # Another label to the right means that nothing was filled in between.
                return None if right and normalise_heading(right).rstrip(":") in labels else right
            if normal.startswith(wanted + ":"):
                return unicodedata.normalize("NFKC", text or "").split(":", 1)[1].strip() or None
    return None


def missing_given(source: Source, export: Export, tables: list[Table]) -> list[str]:
    """What a person must say of the file, because neither its name nor its cells do: entity, period."""
    asked = [one for one in source.captures if one.given and not one.is_optional]
    if not asked:
        return []
    found = [capture(source.captures, export, table, table.above) for table in tables]
    return list(dict.fromkeys(str(one.given) for one in asked for cells in found if cells[one.key] is None))


def _group(pattern: str, text: str) -> str | None:
    match = re.search(pattern, text)
    if not match:
        return None
    return match[1] if match.re.groups else match[0]
