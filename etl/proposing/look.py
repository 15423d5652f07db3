"""The look of a file: its encoding and delimiter, where its table begins and ends, and the rows of that table."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import pyarrow as pa
import pyarrow.parquet

from etl.cells import Row, Unreadable, cell_text
from etl.proposing.endings import escape, find_end
from etl.proposing.headings import MOST_COLUMNS, Merges, find_heading
from etl.proposing.text_files import decode, find_delimiter, find_encoding, split_rows
from etl.proposing.words import is_heading_word
from etl.tables import HEAD_BYTES, HEAD_ROWS, SUFFIXES, Export, join_heading, look_at_text
from etl.values import normalise_heading

LOOK_BYTES: Final = 8 << 20
"""Bytes of a text file that are looked at; the end of a longer one is not known from them."""
TAIL_BYTES: Final = 64 << 10
LOOK_ROWS: Final = 20_000
LOOK_CELLS: Final = 2_000_000
MOST_SHEETS: Final = 30


@dataclass(frozen=True, slots=True)
class Look:
    """One table of a file as it will be read; `header_row` is the first row of the heading, counted from 1.

    `rows` are the rows below the heading that are not blank, up to `stop_at`; `merged` the columns whose cells are
    merged downwards; `is_whole` is false when the file goes on after what was looked at.
    """

    sheet: str | None
    heading: tuple[str, ...]
    header_row: int
    header_rows: int
    above: tuple[Row, ...]
    rows: tuple[Row, ...]
    stop_at: str | None = None
    merged: frozenset[int] = frozenset()
    encoding: str | None = None
    delimiter: str | None = None
    is_whole: bool = True
    doubts: tuple[str, ...] = ()


def look_at(export: Export) -> list[Look]:
    """Every table that the file may hold, of sheets in their order. Raises Unreadable with a sentence."""
    if export.format is None:
        raise Unreadable(
            "unknown_format",
            f"Tenken reads {', '.join(SUFFIXES)}; this file is none of them. Export it as .csv or .xlsx.",
        )
    look_at_text(export)
    if export.is_text:
        return [_look_at_text(export)]
    looks, reasons = [], []
    for name, rows, is_whole, merges in _sheets(export):
        try:
            looks.append(replace(_look_at_rows(rows, name, merges, export.format), is_whole=is_whole))
        except Unreadable as unreadable:
            reasons.append((name, unreadable))
    if not looks:
        raise reasons[0][1] if reasons else Unreadable("empty_file", "The file holds no table. Export it again.")
    return looks


def _sheets(export: Export) -> list[tuple[str | None, list[Row], bool, Merges]]:
    if export.format == "parquet":
        return [(None, _parquet_rows(export), True, ())]
    found = []
    for name, sheet in islice(export.sheets().items(), MOST_SHEETS):
        if sheet.is_hidden:
            continue
        limit = min(LOOK_ROWS, max(100, LOOK_CELLS // max(1, sheet.width)))
        rows = [row for _, row in islice(sheet.rows(0), limit + 1)]
        found.append((name, rows[:limit], len(rows) <= limit, sheet.merges))
    return found


def _parquet_rows(export: Export) -> list[Row]:
    try:
        with pyarrow.parquet.ParquetFile(export.path) as file:
            names = list(file.schema_arrow.names)
            rows: list[Row] = [names]
            for batch in file.iter_batches(batch_size=2_000):
                rows += [[cell_text(cell) for cell in one] for one in zip(*batch.to_pydict().values(), strict=True)]
                if len(rows) >= min(LOOK_ROWS, LOOK_CELLS // max(1, len(names))):
                    break
    except (OSError, pa.ArrowException) as error:
        raise Unreadable("broken_file", "This is no readable Parquet file. Export it again.") from error
    return rows


# --- text files -----------------------------------------------------------------------------------


def _look_at_text(export: Export) -> Look:
    head = export.head
    encoding, doubts = find_encoding(head)
    with export.path.open("rb") as file:
        start = file.read(LOOK_BYTES)
        is_whole = not file.read(1)
    text = decode(start, encoding, is_whole)
    delimiter = find_delimiter(text[:HEAD_BYTES])
    rows = _text_rows(text, delimiter, is_whole)
    is_whole = is_whole and len(rows) < LOOK_ROWS
    look = _look_at_rows(rows, None, (), "csv")
    if not is_whole and encoding != "utf-16":
        look = replace(look, stop_at=_stop_in_tail(export, encoding, delimiter, look))
    return replace(look, encoding=encoding, delimiter=delimiter, is_whole=is_whole, doubts=(*doubts, *look.doubts))


def _text_rows(text: str, delimiter: str, is_whole: bool) -> list[Row]:
    rows: list[Row] = []
    try:
        for cells in split_rows(text, delimiter):
            rows.append([cell if cell and not cell.isspace() else None for cell in cells])
            if (len(rows) > 1 and len(rows) * len(cells) > LOOK_CELLS) or len(rows) >= LOOK_ROWS:
                break
    except csv.Error as error:
        if not rows:
            raise Unreadable(
                "broken_file", f"The first row cannot be read: {error}. A quote may be open, or a cell is too long."
            ) from error
    if not is_whole and len(rows) > 1 and len(rows) < LOOK_ROWS:
        rows.pop()  # The last row is cut off.
    return rows


def _stop_in_tail(export: Export, encoding: str, delimiter: str, look: Look) -> str | None:
    """The end of the table, looked for in the last bytes of a file too long to be looked at whole."""
    with export.path.open("rb") as file:
        file.seek(max(0, export.path.stat().st_size - TAIL_BYTES))
        tail = file.read()
    tail = tail[tail.find(b"\n") + 1 :]
    rows = [row for row in _text_rows(decode(tail, encoding, True), delimiter, True) if any(row)]
    stop_at, _ = find_end([*look.rows[:1_000], *rows])
    return stop_at


def _look_at_rows(rows: list[Row], sheet: str | None, merges: Merges, file_format: str) -> Look:
    where = f" of sheet '{sheet}'" if sheet else ""
    if not any(any(row) for row in rows):
        raise Unreadable(
            "empty_file", f"There is nothing in the {'sheet ' + repr(sheet) if sheet else 'file'}. Export it again."
        )
    filled = [row for row in rows if any(row)]
    if len(filled) == 1 and sum(is_heading_word(cell) >= 0.45 for cell in filled[0] if cell) >= 2:
        raise Unreadable("no_rows", f"There is a heading but no row below it{where}. Export a file with some answers.")
    width = max(len(row) for row in rows[: HEAD_ROWS + 10])
    if width > MOST_COLUMNS:
        raise Unreadable(
            "too_wide",
            f"The table{where} has {width:,} columns; a draft is made for up to {MOST_COLUMNS}. Delete the empty or "
            "unneeded columns, or turn the table so that each answer is a row.",
        )
    if max(sum(cell is not None for cell in row) for row in rows) < 2:
        raise Unreadable(
            "one_column",
            f"Only one column was found{where}. Tenken reads tables with a heading over at least two columns; if the columns "
            "are separated, it must be by a comma, a semicolon, a tab or a vertical bar.",
        )
    if file_format in ("json", "jsonl", "parquet", "xml"):
        first, count, is_certain = 0, 1, True
    else:
        first, count, is_certain = find_heading(rows, merges, where)
    heading = join_heading(list(rows[first : first + count]), first, tuple(merges))
    below = [row for row in rows[first + count :] if any(row)]
    if not below:
        raise Unreadable(
            "no_rows",
            f"There is no row below the heading in row {first + count}{where}. Export a file with some answers.",
        )
    stop_at, end = find_end(below)
    doubts = () if is_certain else (f"Is row {first + 1}{where} the heading? None of its words is known.",)
    last = len(rows)
    merged = frozenset(
        left for top, left, bottom, right in merges if left == right and bottom > top >= first + count and bottom < last
    )
    return Look(
        sheet, tuple(heading), first + 1, count, tuple(rows[:first]), tuple(below[:end]), stop_at, merged, doubts=doubts
    )


def same_columns(look: Look, other: Look) -> bool:
    """Whether two tables have the same headings, so that one source describes both."""
    return [normalise_heading(text) for text in look.heading if text] == [
        normalise_heading(text) for text in other.heading if text
    ]


def sheet_pattern(sheets: Sequence[str], others: Sequence[str] = ()) -> str:
    """A pattern for the names of these sheets and of no others, in which numbers may change from file to file."""
    patterns = list(dict.fromkeys(_name_pattern(sheet) for sheet in sheets))
    if len(patterns) == 1:
        return f"^{patterns[0]}$"
    start = re.match(r"(?:\\d\+)?(?:\\.)?[^\w\\]*", patterns[0])
    begin = start[0] if start else ""
    is_shared = len(begin) > 2 and all(pattern.startswith(begin) for pattern in patterns)
    if is_shared and not any(re.search(f"^{begin}", unicodedata.normalize("NFKC", other)) for other in others):
        return f"^{begin}"
    return f"^(?:{'|'.join(patterns)})$"


def _name_pattern(sheet: str) -> str:
    return re.sub(r"\d+", r"\\d+", escape(unicodedata.normalize("NFKC", sheet)))
