"""Where a table ends: the row below which there are summaries and notes, and a pattern for its first cell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from etl.cells import Row
from etl.proposing.words import GUESS, contains, meaning_of, plain_words, read_words

MOST_NOTES: Final = 30
"""Rows at the end of a file among which notes are looked for."""


def find_end(rows: Sequence[Row]) -> tuple[str | None, int]:
    """Pattern for the first filled cell of the row that ends the table, and the number of data rows before it.

    The rows are those below the heading that are not blank. Without anything below the data the pattern is None.
    """
    fills: Counter[int] = Counter()
    begins = [_first(row) for row in rows]
    for end, row in enumerate(rows):
        filled = sum(cell is not None for cell in row)
        may_end = end and (
            _is_ending(begins[end])
            or begins[end][0] in read_words().marks
            or (filled == 1 and len(begins[end]) > 3 and end >= len(rows) - MOST_NOTES)
        )
        if may_end:
            usual = _usual(fills, end)
            # A mark before the word for a summary says it whatever follows; the summary is shorter than the table.
            is_marked = begins[end][0] in read_words().marks and _is_ending(begins[end]) and 2 * end >= len(rows)
            if is_marked or not any(_is_like(later, usual) for later in rows[end + 1 :]):
                for pattern in _patterns(begins[end]):
                    if re.search(pattern, begins[end]) and not any(re.search(pattern, text) for text in begins[:end]):
                        return pattern, end
        fills.update(position for position, cell in enumerate(row) if cell)
    return None, len(rows)


def _usual(fills: Counter[int], rows: int) -> list[int]:
    """The columns that most of the rows fill; where fewer than two are, those that half of them fill."""
    for share in (0.8, 0.5):
        usual = [position for position, count in sorted(fills.items()) if count >= share * rows]
        if len(usual) >= 2:
            break
    return usual


def _is_like(row: Row, usual: Sequence[int]) -> bool:
    """Whether the row fills the first of the columns that the rows above it fill, and most of the others."""
    if _is_ending(_first(row)) or not usual:
        return False
    cells = [cell for cell in row if cell]
    counted = sum(
        _is_ending(cell) or ((known := meaning_of("verdict", cell)) is not None and known.sure != GUESS)
        for cell in cells
    )
    if counted >= 3 and 2 * counted >= len(cells):
        return False  # The heading of a summary, which counts each answer.
    filled = [position < len(row) and row[position] is not None for position in usual]
    return filled[0] and sum(filled) >= 0.6 * len(filled)


def _first(row: Row) -> str:
    return next((cell.strip() for cell in row if cell), "")


def _is_ending(text: str) -> bool:
    plain = plain_words(text.lstrip(read_words().marks + " 　"))
    bare = re.sub(r"[\d\s].*$", "", plain) or plain
    return plain in read_words().ending or bare in read_words().ending


def escape(text: str) -> str:
    """The text as a pattern that a person can read: blanks stay as they are."""
    return re.escape(text).replace("\\ ", " ")


def _patterns(text: str) -> list[str]:
    """Patterns for the row that ends a table, from the general to what stands there word by word."""
    marks = re.escape(read_words().marks)
    match = re.match(rf"([{marks}]*)\s*([^\d:：]*)", text)
    mark, words = (match[1], match[2].strip()) if match else ("", "")
    patterns = []
    if mark:
        patterns.append("^" + escape(mark[0]))
    if words:
        ending = sorted(read_words().ending, key=len, reverse=True)
        word = next((one for one in ending if contains(plain_words(words), one)), None)
        if word and plain_words(words).startswith(word) and not re.search("[a-z]", word):
            patterns.append(f"^{escape(mark)}\\s*{escape(words[: len(word)])}")
        patterns.append(f"^{escape(mark)}\\s*{escape(words)}")
    patterns.append("^" + escape(text[:80]) + ("$" if len(text) <= 80 else ""))
    return patterns
