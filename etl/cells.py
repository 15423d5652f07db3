"""Cells as text, and what is raised for a file that cannot be taken in as a whole."""

from __future__ import annotations

import datetime
import json
from typing import Any

Row = list[str | None]
"""One row of a table: its cells as written, an empty cell as None."""


class Unreadable(Exception):
    """A file that cannot be taken in as a whole: reason_code, and a sentence that says why and what to do."""

    def __init__(self, reason_code: str, reason: str, suggestion: str | None = None) -> None:
        super().__init__(reason)
        self.reason_code = reason_code
        self.reason = reason
        self.suggestion = suggestion


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
