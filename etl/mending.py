"""Refused rows as a workbook in the layout of their file, with the reasons beside the cells, to be mended and loaded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

import duckdb
import xlsxwriter

from etl.cells import Row, Unreadable
from etl.mended import FILE, GIVEN, MARK, SOURCE, TITLE, Mark
from etl.report import Handed
from etl.sources import Source
from etl.staging import rows_below
from etl.tables import Export, Table, recognise
from etl.values import normalise_heading

REASON: Final = "⚠ "
"""Begins the heading of a column of reasons; no source names such a column."""
MOST_ROWS: Final = 50_000
LONGEST_CELL: Final = 32_767
LONGEST_NAME: Final = 31
"""Letters that a cell and the name of a sheet may have in a workbook."""
_HELP: Final = (
    "Mend the coloured cells, then hand this workbook in as it is. Columns that begin with ⚠ say what is wrong; they are not read.",
    "色の付いたセルを直し、このブックをそのまま提出してください。⚠ で始まる列は理由で、読み込まれません。",
)
_WIDEST: Final = 60
_ROWS: Final = "rows"
"""Name of the sheet for a file without sheets."""


def write_refused(
    connection: duckdb.DuckDBPyConnection, file: Handed, sources: Mapping[str, Source], folder: Path, taken: set[Path]
) -> Path | None:
    """Write the rows of a file that were refused, or of which a cell was left out; None where there are none to write."""
    told = connection.execute(
        "select sheet, row_no, column_name, reason, suggestion from refusal "
        "where load_id = ? and row_no is not null order by sheet, row_no limit ?",
        [file.load_id, MOST_ROWS],
    ).fetchall()
    if not told or not file.source_name or sources[file.source_name].format == "parquet":
        return None
    export = Export(file.path, file.name, file.given)
    try:
        found = recognise(export, dict(sources), file.source_name)
        tables = _gather(export, found, told)
    except Unreadable:
        return None
    finally:
        export.forget()
    folder.mkdir(parents=True, exist_ok=True)
    # Two files of one name have a workbook each.
    paths = (folder / f"{file.name}{(number and f' ({number + 1})') or ''}.xlsx" for number in count())
    path = next(one for one in paths if one not in taken)
    taken.add(path)
    write_mending(path, Mark(export.name, file.source_name, export.given), tables)
    return path


def _gather(export: Export, found: list[tuple[Source, list[Table]]], told: list[tuple[Any, ...]]) -> list[FaultyTable]:
    gathered: dict[str | None, FaultyTable] = {}
    for source, tables in found:
        for table in tables:
            mine = [one for one in told if one[0] == table.sheet]
            if not mine or table.sheet in gathered:
                continue
            where = {normalise_heading(text): position for position, text in enumerate(table.heading) if text}
            faults = [
                Fault(row_no, where.get(normalise_heading(column or "")), f"{reason}{f' → {near}' if near else ''}")
                for _, row_no, column, reason, near in mine
            ]
            wanted = {fault.row_no for fault in faults}
            fills = [
                min(where[heading] for heading in column.headings if heading in where)
                for column in source.columns
                if column.key in source.fill_down and column.headings & set(where)
            ]
            rows, above = [], dict[int, str | None]()
            for row_no, row in rows_below(source, export, table):
                for position in fills:
                    above[position] = (row[position] if position < len(row) else None) or above.get(position)
                # A text that no cell of a workbook holds is mended in the file itself.
                if row_no in wanted and all(len(text or "") <= LONGEST_CELL for text in row):
                    filled = row + [None] * (max(fills, default=-1) + 1 - len(row))
                    for position in fills:
                        filled[position] = above[position]
                    rows.append((row_no, filled))
            gathered[table.sheet] = FaultyTable(
                table.sheet or _ROWS, table.above, list(table.heading_rows), rows, faults
            )
    return list(gathered.values())


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a row: the position of the cell, None for the row as a whole, and the sentence."""

    row_no: int
    position: int | None
    sentence: str


@dataclass(frozen=True, slots=True)
class FaultyTable:
    """The refused rows of one table with what stands above them, so that it is recognised again."""

    sheet: str
    above: list[Row]
    heading: list[Row]
    rows: list[tuple[int, Row]]
    faults: list[Fault]


def write_mending(path: Path, mark: Mark, tables: Iterable[FaultyTable]) -> None:
    """Write the workbook; every cell is written as text, so that nothing in it can run."""
    with xlsxwriter.Workbook(str(path), {"in_memory": False, "constant_memory": False}) as book:
        styles = {
            "heading": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
            "reason_heading": book.add_format({"bold": True, "bottom": 1, "font_color": "#8a3b12", "valign": "top"}),
            "fault": book.add_format({"bg_color": "#fde7d3", "num_format": "@"}),
            "reason": book.add_format({"font_color": "#8a3b12", "text_wrap": True, "valign": "top"}),
            "plain": book.add_format({"num_format": "@"}),
        }
        # Names of sheets are alike whatever their case, and one is taken.
        taken = {MARK.casefold()}
        for table in tables:
            name = _name_sheet(table.sheet, taken)
            taken.add(name.casefold())
            _write_table(book.add_worksheet(name), table, styles)
        sheet = book.add_worksheet(MARK)
        facts = [(TITLE, ""), (FILE, mark.file_name), (SOURCE, mark.source_name)]
        facts += [(GIVEN + name, text) for name, text in mark.given.items()]
        for row, (name, text) in enumerate([*facts, ("", ""), *((line, "") for line in _HELP)]):
            sheet.write_string(row, 0, name, styles["heading"] if row == 0 else None)
            if text:
                sheet.write_string(row, 1, text, styles["plain"])
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 60)


def _name_sheet(wanted: str, taken: set[str]) -> str:
    """The name of the table's own sheet, so that it is recognised, as far as a workbook takes it."""
    plain = re.sub(r"[\[\]:*?/\\]", "_", wanted).strip("'")[:LONGEST_NAME] or _ROWS
    names = (f"{plain[: LONGEST_NAME - 4]} {number}" if number else plain for number in count())
    return next(name for name in names if name.casefold() not in taken)


def _write_table(sheet: Any, table: FaultyTable, styles: Mapping[str, Any]) -> None:
    faulty: dict[int, dict[int | None, list[str]]] = {}
    for fault in table.faults:
        faulty.setdefault(fault.row_no, {}).setdefault(fault.position, []).append(fault.sentence)
    width = max((len(row) for row in [*table.heading, *(row for _, row in table.rows)]), default=0)
    for faults in faulty.values():
        # What is wrong beyond the last cell is told of the row as a whole.
        for position in [one for one in faults if one is not None and one >= width]:
            faults.setdefault(None, []).extend(faults.pop(position))
    positions = {position for faults in faulty.values() for position in faults}
    columns: list[tuple[int | None, bool]] = []
    for position in range(width):
        columns += [(position, False), *([(position, True)] if position in positions else [])]
    columns += [(None, True)] if None in positions else []
    for number, row in enumerate(table.above):
        for place, text in enumerate(row):
            if text:
                sheet.write_string(number, place, text)
    top = len(table.above)
    for line, row in enumerate(table.heading):
        for column, (at, is_reason) in enumerate(columns):
            text = _cell(row, at)
            if not is_reason:
                sheet.write_string(top + line, column, text, styles["heading"])
            elif line == len(table.heading) - 1:
                sheet.write_string(top + line, column, REASON + (text or MARK), styles["reason_heading"])
    top += len(table.heading)
    sheet.freeze_panes(top, 0)
    for line, (row_no, row) in enumerate(table.rows):
        faults = faulty.get(row_no, {})
        for column, (at, is_reason) in enumerate(columns):
            if is_reason:
                if at in faults:
                    sheet.write_string(top + line, column, " ".join(dict.fromkeys(faults[at])), styles["reason"])
            elif at in faults:
                sheet.write_string(top + line, column, _cell(row, at), styles["fault"])
            elif text := _cell(row, at):
                sheet.write_string(top + line, column, text, styles["plain"])
    for column, (at, is_reason) in enumerate(columns):
        longest = max((len(_cell(row, at)) + 2 for _, row in table.rows[:200]), default=0)
        sheet.set_column(column, column, _WIDEST if is_reason else min(_WIDEST, max(10, longest)))


def _cell(row: Row, position: int | None) -> str:
    return (row[position] or "") if position is not None and position < len(row) else ""
