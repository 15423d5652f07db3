"""The calendar of the demo group: half-yearly rounds of inspections in fiscal years that begin in April."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

LAST_FISCAL_YEAR = 2025
REVISION_YEAR = 2023


@dataclass(frozen=True, slots=True)
class Round:
    """A half of a fiscal year in which every entity checks itself; fiscal years are named by their first year."""

    index: int
    fiscal_year: int
    half: int
    is_revision_told: bool = True

    @property
    def code(self) -> str:
        """Period code such as FY2025-H1."""
        return f"FY{self.fiscal_year}-H{self.half}"

    @property
    def label_ja(self) -> str:
        """Period as Japanese exports write it, such as 2025年度上期."""
        return f"{self.fiscal_year}年度{'上' if self.half == 1 else '下'}期"

    @property
    def first(self) -> date:
        """First day of the half."""
        return date(self.fiscal_year, 4 if self.half == 1 else 10, 1)

    @property
    def last(self) -> date:
        """Last day of the half, which is also the day on which its results are due."""
        return date(self.fiscal_year, 9, 30) if self.half == 1 else date(self.fiscal_year + 1, 3, 31)

    @property
    def version(self) -> str:
        """Version of the security checklist that is asked in this half; without the revision always the newest."""
        return self.told_version if self.is_revision_told else "2023"

    @property
    def told_version(self) -> str:
        """Version that is asked in this half when the story of the revision is told."""
        return "2023" if self.fiscal_year >= REVISION_YEAR else "2020"


def make_rounds(count: int, without: frozenset[str] = frozenset()) -> tuple[Round, ...]:
    """The given number of halves, the last of which is the second half of the last fiscal year."""
    if not 1 <= count <= 100:
        raise ValueError(f"rounds must be between 1 and 100; it is {count}")
    halves = [2 * LAST_FISCAL_YEAR + 1 - back for back in range(count - 1, -1, -1)]
    is_revision_told = "checklist_revision" not in without
    return tuple(Round(index, half // 2, half % 2 + 1, is_revision_told) for index, half in enumerate(halves))


def in_japanese_era(day: date) -> str:
    """The day in the Reiwa or Heisei era, such as 令和7年9月18日."""
    if day >= date(2019, 5, 1):
        era, year = "令和", day.year - 2018
    else:
        era, year = "平成", day.year - 1988
    return f"{era}{'元' if year == 1 else year}年{day.month}月{day.day}日"


def in_english(day: date) -> str:
    """The day as overseas companies write it, such as 18 Mar 2026."""
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{day.day} {months[day.month - 1]} {day.year}"


def with_slashes(day: date) -> str:
    """The day as Japanese spreadsheets write it, such as 2025/9/3."""
    return f"{day.year}/{day.month}/{day.day}"
