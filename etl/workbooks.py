"""Workbooks as rows of text: what calamine reads, and what it leaves out: errors and formulas without a stored value."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

from etl.cells import Row, Unreadable, cell_text

UNPACKED_LIMIT: Final = 1 << 30
"""Bytes that a workbook may unpack to; Excel's own largest are far below."""
PACKING_LIMIT: Final = 500
"""Times that a part of a workbook may be smaller packed than unpacked; real sheets reach about fifty."""
PACKING_FREE: Final = 16 << 20
"""Bytes below which the packing of a part is not looked at: small parts of blanks pack well and harm nobody."""
UNCALCULATED: Final = "="
"""A cell that begins with this holds a formula whose value was never stored."""
WORKBOOK_ERRORS: Final = frozenset(
    {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!", "#CALC!", "#GETTING_DATA"}
)
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_SAVE_AGAIN: Final = "Open it in Excel and save it again as .xlsx without a password."

# Cells as Excel, LibreOffice and the libraries write them; a prefix stands before the names in some.
_CELL = rb'<(?:\w+:)?c\s(?:[^>]*\s)?r="([A-Z]{1,3})([0-9]{1,7})"'
_FORMULA = rb"<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>([^<]*)</(?:\w+:)?f>)"
_WITHOUT_VALUE = re.compile(
    _CELL + rb"[^>]*>\s*" + _FORMULA + rb"\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_ERROR = re.compile(_CELL + rb'[^>]*\st="e"[^>]*>\s*(?:' + _FORMULA + rb")?\s*<(?:\w+:)?v>([^<]*)<")
_ENTITIES: Final = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}


@dataclass(frozen=True, slots=True)
class WorkbookSheet:
    """One sheet: its name, whether it is hidden, its merged ranges (first row and column to last, from 0), its rows."""

    name: str
    is_hidden: bool
    merges: tuple[tuple[int, int, int, int], ...]
    rows: Iterator[Row]


def read_workbook(path: Path) -> Iterator[WorkbookSheet]:
    """The worksheets in their order; rows begin at A1. Raises Unreadable with a sentence for whoever sent it."""
    look_at_package(path)
    try:
        with zipfile.ZipFile(path) as package:
            parts = _sheet_parts(package)
            workbook = CalamineWorkbook.from_path(str(path))
            for about in workbook.sheets_metadata:
                sheet = workbook.get_sheet_by_name(about.name)
                merges = tuple((*first, *last) for first, last in sheet.merged_cell_ranges or ())
                left_out = _left_out_cells(package, parts.get(about.name))
                left = sheet.start[1] if sheet.start else 0
                is_hidden = about.visible != SheetVisibleEnum.Visible
                yield WorkbookSheet(about.name, is_hidden, merges, _rows(sheet.iter_rows(), left, left_out))
    except PasswordError as error:
        raise _protected() from error
    except (CalamineError, zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError) as error:
        raise Unreadable("broken_file", f"The workbook cannot be read to its end ({error}). {_SAVE_AGAIN}") from error


def look_at_package(path: Path) -> None:
    """Hold the zip directory of a workbook to the limits before anything is unpacked. Raises Unreadable."""
    with path.open("rb") as file:
        start = file.read(4096)
    if not start.startswith(b"PK"):
        raise _no_workbook(path, start)
    try:
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Unreadable(
            "broken_file", f"The workbook is cut off or damaged: its end is missing. Send it again. {_SAVE_AGAIN}"
        ) from error
    if not any(part.filename.lower() in ("[content_types].xml", "mimetype") for part in parts):
        raise Unreadable("broken_file", f"This is a zip archive named like a workbook, not a workbook. {_SAVE_AGAIN}")
    unpacked = sum(part.file_size for part in parts)
    is_bomb = any(part.file_size > PACKING_FREE + PACKING_LIMIT * part.compress_size for part in parts)
    if unpacked > UNPACKED_LIMIT or is_bomb:
        raise Unreadable(
            "too_large",
            f"The workbook of {path.stat().st_size:,} bytes would unpack to {unpacked:,}, which no real table does; it "
            "was not opened. Copy the table into a new workbook, or split it.",
        )


def _no_workbook(path: Path, start: bytes) -> Unreadable:
    if start.startswith(_OLE):
        with path.open("rb") as file:
            is_protected = any(_ENCRYPTED in block for block in iter(lambda: file.read(1 << 22), b""))
        if is_protected:
            return _protected()
        return Unreadable(
            "broken_file", f"This is a workbook in the old .xls form, named like a new one. {_SAVE_AGAIN}"
        )
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<html", b"<!doctype", b"<table", b"<?xml")):
        return Unreadable("broken_file", f"This is a web page or XML named like a workbook. {_SAVE_AGAIN}")
    if not start:
        return Unreadable("broken_file", "The file is empty. Export it again.")
    if b"\0" not in start:
        return Unreadable(
            "broken_file", "This is a text file (such as CSV) named like a workbook. Name it .csv and hand it in again."
        )
    return Unreadable("broken_file", f"This is no .xlsx workbook: it may be cut off or of another kind. {_SAVE_AGAIN}")


def _protected() -> Unreadable:
    return Unreadable("password", "The workbook is protected by a password. Save it again without one and hand it in.")


def _rows(rows: Iterator[Sequence[object]], left: int, left_out: dict[int, dict[int, str]]) -> Iterator[Row]:
    for number, cells in enumerate(rows):
        row = [None] * left + [cell_text(cell) for cell in cells]
        for column, text in left_out.get(number, {}).items():
            if column >= len(row):
                row += [None] * (column + 1 - len(row))
            if row[column] is None:
                row[column] = text
        yield row


def _sheet_parts(package: zipfile.ZipFile) -> dict[str, str]:
    """Part of the package that holds each sheet, by the sheet's name; empty where the package has none (.ods)."""
    names = {name.lower(): name for name in package.namelist()}
    book, links = names.get("xl/workbook.xml"), names.get("xl/_rels/workbook.xml.rels")
    if not book or not links:
        return {}
    targets = {}
    for tag in re.findall(rb"<(?:\w+:)?Relationship\s[^>]*>", package.read(links)):
        targets[_attribute(tag, rb"Id")] = _attribute(tag, rb"Target")
    parts = {}
    for tag in re.findall(rb"<(?:\w+:)?sheet\s[^>]*>", package.read(book)):
        target = targets.get(_attribute(tag, rb"\w+:id"), "")
        part = names.get((target.lstrip("/") if target.startswith("/") else f"xl/{target}").lower())
        if part:
            parts[_attribute(tag, rb"name")] = part
    return parts


def _attribute(tag: bytes, name: bytes) -> str:
    match = re.search(rb"\s" + name + rb'\s*=\s*(?:"([^"]*)"|\'([^\']*)\')', tag)
    return _unescape(match[1] if match[1] is not None else match[2]) if match else ""


def _unescape(text: bytes | None) -> str:
    plain = (text or b"").decode("utf-8", "replace")
    plain = re.sub(r"&#(x?)([0-9A-Fa-f]{1,6});", lambda m: _character(int(m[2], 16 if m[1] else 10), m[0]), plain)
    for entity, character in _ENTITIES.items():
        plain = plain.replace(entity, character)
    return plain


def _character(number: int, written: str) -> str:
    return chr(number) if 0 < number < 0x110000 else written


def _left_out_cells(package: zipfile.ZipFile, part: str | None) -> dict[int, dict[int, str]]:
    """Cells that calamine reads as empty, by row and column from 0: errors as shown, uncalculated formulas as written."""
    if part is None:
        return {}
    xml = package.read(part)
    found: dict[int, dict[int, str]] = {}
    for match in _ERROR.finditer(xml) if b't="e"' in xml else ():
        found.setdefault(int(match[2]) - 1, {})[_column(match[1])] = _unescape(match[4])
    for match in _WITHOUT_VALUE.finditer(xml) if re.search(rb"<(?:\w+:)?f[\s>/]", xml) else ():
        found.setdefault(int(match[2]) - 1, {})[_column(match[1])] = UNCALCULATED + _unescape(match[3])
    return found


def _column(letters: bytes) -> int:
    position = 0
    for letter in letters:
        position = position * 26 + letter - 64
    return position - 1
