"""Where the heading of a table is: in which row, of how many rows, and the texts that it has over each column."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from etl.cells import Row, Unreadable
from etl.proposing.words import is_heading_word
from etl.tables import HEAD_ROWS
from etl.values import normalise_heading, parse_date, parse_number

MOST_COLUMNS: Final = 400
"""Columns that a drafted source can have; a table that is wider is described by hand."""
LABEL_LENGTH: Final = 60
_DATE_FORMS: Final = ("iso", "d/m/y", "japanese", "d mon y")
Merges = tuple[tuple[int, int, int, int], ...]
"""Merged ranges of a sheet: first row and column, last row and column, counted from 0."""


def find_heading(rows: Sequence[Row], merges: Merges = (), where: str = "") -> tuple[int, int, bool]:
    """First row (from 0) and number of rows of the heading, and whether its words are known. Raises Unreadable."""
    head = rows[:HEAD_ROWS]
    scores = [_heading_score(rows, place) for place in range(len(head))]
    best = max(range(len(head)), key=lambda place: scores[place][0], default=0)
    score, known = scores[best] if scores else (0.0, 0.0)
    if score <= 0 or (known < 0.15 and _looks_like_data(rows, best)):
        raise Unreadable(
            "no_heading",
            f"None of the first {len(head)} rows{where} looks like a heading. Put a row with a name for each column above "
            "the table.",
        )
    for first in (best, best - 1):
        if 0 <= first < len(rows) - 2 and _is_pair(rows, first, merges):
            return first, 2, True
    return best, 1, known >= 0.15


def _heading_score(rows: Sequence[Row], place: int) -> tuple[float, float]:
    """How much the row looks like the heading of what is below, and the share of its cells that are known words."""
    row = rows[place]
    filled = {position: cell.strip() for position, cell in enumerate(row) if cell}
    below = [one for one in rows[place + 1 : place + 61] if any(one)]
    if len(filled) < 2 or not below:
        return 0.0, 0.0
    fills = Counter(position for one in below for position, cell in enumerate(one) if cell)
    usual = [position for position, count in fills.items() if count >= 0.3 * len(below)] or list(fills)
    cover = sum(position in filled for position in usual) / len(usual)
    labels = sum(_is_label(text) for text in filled.values()) / len(filled)
    unique = len(set(filled.values())) / len(filled)
    known = sum(is_heading_word(text) >= 0.45 and _is_label(text) for text in filled.values()) / len(filled)
    used = sum(position in fills for position in filled) / len(filled)
    below_texts = [{one[position] for one in below if position < len(one)} for position in filled]
    own = sum(text not in texts for text, texts in zip(filled.values(), below_texts, strict=True)) / len(filled)
    score = 2 * known + 1.5 * cover + 0.8 * labels + 0.4 * unique + 0.6 * own + 0.5 * used - 0.01 * place
    if cover < 0.4 or labels < 0.5:
        score -= 2
    return score, known


def _is_label(text: str) -> bool:
    """Whether a cell can be a heading: short, and neither a number nor a date."""
    plain = text.strip()
    return (
        len(plain) <= LABEL_LENGTH
        and parse_number(plain) is None
        and not (any(map(str.isdigit, plain)) and parse_date(plain, _DATE_FORMS))
    )


def _looks_like_data(rows: Sequence[Row], place: int) -> bool:
    """Whether the cells of the row are like those below: the same texts, or numbers, dates and codes above such."""
    below = [one for one in rows[place + 1 : place + 61] if any(one)]
    alike = different = 0
    for position, cell in enumerate(rows[place]):
        texts = [one[position] for one in below if position < len(one) and one[position]]
        if not cell or not texts:
            continue
        shape, shapes = _shape(cell), Counter(_shape(text) for text in texts if text)
        if cell in texts or (shape != "text" and shapes[shape] >= 0.6 * len(texts)):
            alike += 1
        elif shape == "text" and shapes["text"] < 0.4 * len(texts):
            different += 1
    return alike > different


def _shape(text: str) -> str:
    plain = text.strip()
    if parse_number(plain) is not None:
        return "number"
    if any(map(str.isdigit, plain)):
        if parse_date(plain, _DATE_FORMS):
            return "date"
        if len(plain) <= 24 and " " not in plain:
            # Codes are alike when letters and digits follow each other alike: A-0001 and B-0002, but not A-0001 and Q1.
            return "code " + re.sub(r"[A-Za-z]+", "a", re.sub(r"\d+", "9", plain))
    return "text"


def _is_pair(rows: Sequence[Row], first: int, merges: Merges) -> bool:
    """Whether two rows make one heading: each names columns that the other leaves blank, or the upper one is merged."""
    upper, lower = rows[first], rows[first + 1]
    below = [one for one in rows[first + 2 : first + 62] if any(one)]
    tops = {position for position, cell in enumerate(upper) if cell}
    downs = {position for position, cell in enumerate(lower) if cell}
    if not below or len(tops) < 2 or len(downs) < 2:
        return False
    if not all(_is_label(cell) for cell in [*upper, *lower] if cell):
        return False
    fills = Counter(position for one in below for position, cell in enumerate(one) if cell)
    if any(lower[position] in {one[position] for one in below if position < len(one)} for position in downs):
        return False
    only_upper = {position for position in tops - downs if fills[position]}
    only_lower = {position for position in downs - tops if fills[position]}
    spanned = {
        position
        for top, left, bottom, right in merges
        if top == bottom == first and right > left and left <= MOST_COLUMNS
        for position in range(left, min(right, MOST_COLUMNS) + 1)
    }
    texts = [normalise_heading(lower[position] or "") for position in downs]
    repeats = len(set(texts)) < len(texts)
    if spanned & downs and (only_upper or repeats):
        return True
    if not only_upper:
        return False
    known = sum(is_heading_word(lower[position] or "") >= 0.45 for position in downs) / len(downs)
    return bool(only_lower) and known >= 0.5
