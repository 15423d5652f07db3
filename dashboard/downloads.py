"""Tables as files that a spreadsheet opens as text and numbers, never as formulas."""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import pandas as pd
import xlsxwriter

ColumnKind = Literal["text", "integer", "number", "rate", "points", "fine_points", "date", "moment", "flag"]

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet may read as the start of a formula, full-width forms included."""
LONGEST_CELL: Final = 32_767
CUT: Final = " […]"
LONGEST_SHEET_NAME: Final = 31
MOST_ROWS: Final = 1_048_576
FIRST_DAY: Final = datetime(1900, 3, 1)
"""From here on, spreadsheets agree on what number a day is; earlier days are written as texts."""
WIDEST: Final = 60
NUMBER_FORMATS: Final[dict[ColumnKind, str]] = {
    "integer": "#,##0",
    "number": "#,##0.0##",
    "rate": "0.0%",
    "points": '+0.0" pt";-0.0" pt";0.0" pt"',
    "fine_points": '+0.00" pt";-0.00" pt";0.00" pt"',
    "date": "yyyy-mm-dd",
    "moment": "yyyy-mm-dd hh:mm",
}
CREATED: Final = datetime(2020, 1, 1)
"""The same for every file, so that the same rows give the same bytes."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its name in the frame, its heading and what its cells are; rates are 0..1."""

    name: str
    label: str
    kind: ColumnKind


def neutralise(cell: object) -> object:
    """A text that could be a formula gets an apostrophe in front; numbers stay numbers."""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell


def write_csv(frame: pd.DataFrame, columns: Sequence[Column]) -> bytes:
    """UTF-8 with a byte order mark, which Excel needs to read Japanese; rates stay 0..1, days are ISO 8601."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([neutralise(column.label) for column in columns])
    cells = [[write_plain(cell, column.kind) for cell in frame[column.name]] for column in columns]
    writer.writerows(zip(*cells, strict=True))
    return file.getvalue().encode("utf-8-sig", errors="replace")


def write_plain(cell: object, kind: ColumnKind) -> object:
    """A cell as a text file holds it; nothing where there is nothing."""
    if not is_given(cell):
        return None
    if kind == "date":
        return read_moment(cell).date().isoformat()
    if kind == "moment":
        return read_moment(cell).isoformat(sep=" ", timespec="seconds")
    if kind == "flag":
        return int(bool(cell))
    return read_number(cell) if kind in NUMBER_FORMATS else neutralise(cell)


def write_xlsx(
    title: str, frame: pd.DataFrame, columns: Sequence[Column], about: Sequence[tuple[str, str]], about_title: str
) -> bytes:
    """A workbook: the table with typed columns, and a sheet of what it is (label, text). Texts are never formulas."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_urls": False, "strings_to_formulas": False})
    book.set_properties({"title": cut(title), "created": CREATED})
    names = [name_sheet(title), name_sheet(about_title)]
    if names[0].casefold() == names[1].casefold():
        names[1] = f"{names[1][: LONGEST_SHEET_NAME - 2]} 2"
    write_table(book, book.add_worksheet(names[0]), frame, columns)
    sheet = book.add_worksheet(names[1])
    bold = book.add_format({"bold": True, "num_format": "@", "valign": "top", "text_wrap": True})
    wrapped = book.add_format({"num_format": "@", "valign": "top", "text_wrap": True})
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 90)
    for number, (label, text) in enumerate(about):
        sheet.write_string(number, 0, cut(label), bold)
        sheet.write_string(number, 1, cut(text), wrapped)
    set_paper(sheet)
    book.close()
    return file.getvalue()


def write_table(book: Any, sheet: Any, frame: pd.DataFrame, columns: Sequence[Column]) -> None:
    """Heading and rows of a table."""
    if len(frame) >= MOST_ROWS:
        raise ValueError(f"A sheet holds {MOST_ROWS - 1:,} rows below its heading, and there are {len(frame):,}.")
    heading = book.add_format({"bold": True, "bg_color": "#EEF1F4", "bottom": 1, "text_wrap": True, "valign": "top"})
    for place, column in enumerate(columns):
        # Texts are formatted as such (@), so that one like =1+1 stays a text when somebody edits its cell.
        form = book.add_format({"num_format": NUMBER_FORMATS.get(column.kind, "@"), "valign": "top"})
        sheet.write_string(0, place, cut(column.label), heading)
        width = measure(column.label) * 0.7
        for number, cell in enumerate(frame[column.name], 1):
            if not is_given(cell):
                continue
            if column.kind in ("date", "moment"):
                moment = read_moment(cell)
                if moment >= FIRST_DAY:
                    sheet.write_datetime(number, place, moment, form)
                else:
                    sheet.write_string(number, place, str(write_plain(cell, column.kind)), form)
                width = max(width, 16)
            elif column.kind in NUMBER_FORMATS:
                figure = read_number(cell)
                if figure is not None:
                    sheet.write_number(number, place, figure, form)
                width = max(width, 9)
            else:
                text = ("✓" if cell else "") if column.kind == "flag" else cut(str(cell))
                sheet.write_string(number, place, text, form)
                width = max(width, measure(text[:200]))
        sheet.set_column(place, place, min(width + 2, WIDEST))
    sheet.freeze_panes(1, 0)
    if columns:
        sheet.autofilter(0, 0, max(len(frame), 1), len(columns) - 1)
    sheet.repeat_rows(0)
    set_paper(sheet)


def set_paper(sheet: Any) -> None:
    """A4 across, as wide as the paper."""
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def name_sheet(title: str) -> str:
    """A title as Excel takes it for a sheet: 31 characters at most, none that it forbids, no apostrophe at an end."""
    name = re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", cut(title)).strip("' ")[:LONGEST_SHEET_NAME].strip("' ") or "Tenken"
    # Excel keeps this name for itself.
    return f"{name}_" if name.casefold() == "history" else name


def cut(text: str) -> str:
    """A text as a cell holds it, without control characters and halves of letters, which no workbook may hold."""
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "\ufffd", text)
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - len(CUT)] + CUT


def measure(text: str) -> int:
    """Width of a text in a cell; full-width letters count double."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def read_moment(cell: Any) -> datetime:
    """A day or a moment; one with a time zone in UTC, because no cell holds a zone."""
    moment = pd.Timestamp(cell)
    plain: datetime = (moment if moment.tzinfo is None else moment.tz_convert("UTC").tz_localize(None)).to_pydatetime(
        warn=False
    )
    return plain


def read_number(cell: Any) -> float | None:
    """A number, whole ones without a fraction; none where it is not finite, which no cell holds."""
    number = float(cell)
    if not math.isfinite(number):
        return None
    return int(cell) if number.is_integer() else number


def is_given(cell: object) -> bool:
    """Whether a cell holds anything."""
    return cell is not None and not (pd.api.types.is_scalar(cell) and bool(pd.isna(cell)))
