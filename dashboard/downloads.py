"""Tables as CSV files that a spreadsheet opens as text and numbers, never as formulas."""

from __future__ import annotations

import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet may read as the start of a formula, full-width forms included."""


def neutralise(cell: object) -> object:
    """A text that could be a formula gets an apostrophe in front; numbers stay numbers."""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell


def write_csv(frame: pd.DataFrame) -> bytes:
    """UTF-8 with a byte order mark, which Excel needs to read Japanese."""
    safe = frame.apply(lambda column: column if pd.api.types.is_numeric_dtype(column) else column.map(neutralise))
    safe.columns = [str(neutralise(name)) for name in frame.columns]
    text: str = safe.to_csv(index=False, lineterminator="\r\n")
    return text.encode("utf-8-sig")
