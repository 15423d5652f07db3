"""What the cells of a column look like: how many, how distinct, how long, and as what they can be read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from etl.cells import Row
from etl.proposing.dates import Dates, read_dates
from etl.proposing.words import meaning_of
from etl.values import normalise_code, parse_boolean, parse_number, parse_period

MOST_DISTINCT: Final = 1_000
"""Distinct texts of a column of which the readings are tried."""
EXAMPLES: Final = 3
EXAMPLE_LENGTH: Final = 120
_FORMULA = re.compile(r"=\S")
_CODE = re.compile(r"(?=.*\d)[^\s,;。、]{1,64}|[A-Z][A-Z0-9_\-]{0,11}")
_NUMBERED_CODE = re.compile(r"[A-Za-z]{0,12}[ .\-_]?\d+(?:[.\-_]\w+)*")


@dataclass(frozen=True, slots=True)
class Profile:
    """The look of one column; shares are of its filled cells (0 where none is), lengths in characters."""

    position: int
    heading: str
    rows: int
    filled: int
    texts: Counter[str]
    mean_length: float
    dates: Dates
    codes: float
    numbers: float
    periods: float
    booleans: float
    verdicts: float
    _shares: dict[str, float] = field(default_factory=dict)

    @property
    def distinct(self) -> int:
        """Number of distinct texts."""
        return len(self.texts)

    @property
    def fill(self) -> float:
        """Share of the rows in which the cell is filled."""
        return self.filled / self.rows if self.rows else 0.0

    @property
    def examples(self) -> list[str]:
        """Up to three texts, the most frequent first."""
        return [text[:EXAMPLE_LENGTH] for text, _ in self.texts.most_common(EXAMPLES)]

    def share_of(self, name: str) -> float:
        """Share of the filled cells whose text the words know for a field with fixed values."""
        if name not in self._shares:
            known = sum(count for text, count in self._few() if meaning_of(name, text))
            self._shares[name] = known / self.filled if self.filled else 0.0
        return self._shares[name]

    def share_in(self, codes: frozenset[str]) -> float:
        """Share of the filled cells that hold one of the codes."""
        known = sum(count for text, count in self.texts.items() if normalise_code(text) in codes)
        return known / self.filled if self.filled else 0.0

    @property
    def is_vocabulary(self) -> bool:
        """Whether the cells hold few short texts again and again, as answers do."""
        few = self.distinct <= max(12, min(40, self.filled // 200)) and (
            self.distinct <= 6 or self.distinct <= 0.5 * self.filled
        )
        return bool(self.filled) and few and self.mean_length <= 30

    def _few(self) -> list[tuple[str, int]]:
        return list(islice(self.texts.items(), MOST_DISTINCT))


def make_profile(position: int, heading: str, rows: Sequence[Row]) -> Profile:
    """The look of the column at that position of the rows."""
    # A formula that was never calculated says nothing of what the column holds.
    texts = Counter(
        cell.strip()
        for row in rows
        if position < len(row) and (cell := row[position]) is not None and cell.strip() and not _FORMULA.match(cell)
    )
    filled = sum(texts.values())
    looked = list(islice(texts.items(), MOST_DISTINCT))
    total = sum(count for _, count in looked)

    def share(fits: object) -> float:
        assert callable(fits)
        return sum(count for text, count in looked if fits(text)) / total if total else 0.0

    is_short = bool(total) and sum(len(text) * count for text, count in looked) / total <= 60
    return Profile(
        position,
        heading,
        len(rows),
        filled,
        texts,
        sum(len(text) * count for text, count in texts.items()) / filled if filled else 0.0,
        read_dates(texts) if is_short else Dates(),
        share(lambda text: len(text) <= 64 and (_CODE.fullmatch(text) or _NUMBERED_CODE.fullmatch(text))),
        share(lambda text: len(text) <= 30 and parse_number(text) is not None) if is_short else 0.0,
        share(lambda text: len(text) <= 30 and parse_period(text) is not None) if is_short else 0.0,
        share(lambda text: len(text) <= 8 and parse_boolean(text) is not None) if is_short else 0.0,
        share(lambda text: (meaning := meaning_of("verdict", text)) and meaning.sure != "guess") if is_short else 0.0,
    )
