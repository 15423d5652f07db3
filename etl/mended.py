"""Workbooks of mended rows: how they say whose rows they hold, so that they are read as that file would be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from etl.parsing import Sheet

MARK: Final = "Tenken"
"""Name of the sheet that says whose rows the workbook holds."""
TITLE: Final = "Rows to mend / 修正する行"
FILE, SOURCE, GIVEN = "file / ファイル", "source / 様式", "given / 指定: "


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose rows a workbook of mended rows holds, and what a person gave for that file."""

    file_name: str
    source_name: str
    given: dict[str, str]


def read_mark(sheet: Sheet | None) -> Mark | None:
    """What the sheet of the mark says; None where it is no such sheet."""
    if sheet is None:
        return None
    rows = sheet.head(20)
    if not rows or not rows[0] or rows[0][0] != TITLE:
        return None
    facts = {row[0]: row[1] for row in rows if len(row) > 1 and row[0] and row[1]}
    if FILE not in facts or SOURCE not in facts:
        return None
    given = {str(name)[len(GIVEN) :]: str(text) for name, text in facts.items() if str(name).startswith(GIVEN)}
    return Mark(str(facts[FILE]), str(facts[SOURCE]), given)
