"""Periods of the fiscal calendar by their codes: FY2025, FY2025-H1, FY2025-Q3."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal

Grain = Literal["year", "half", "quarter"]
GRAINS: Final[tuple[Grain, ...]] = ("year", "half", "quarter")
DIMENSION_OF: Final[dict[Grain, str]] = {
    "year": "fiscal_year",
    "half": "fiscal_half",
    "quarter": "fiscal_quarter",
}
QUARTERS: Final = 4


def find_grain(code: str) -> Grain:
    """The length of a period."""
    return "half" if "-H" in code else "quarter" if "-Q" in code else "year"


def list_quarters(code: str) -> tuple[int, int]:
    """First and last quarter of a period, counted from year 0, so that periods of any length can be compared."""
    first = int(code[2:6]) * QUARTERS
    grain = find_grain(code)
    if grain == "year":
        return first, first + 3
    number = int(code[-1])
    return (first + 2 * number - 2, first + 2 * number - 1) if grain == "half" else (first + number - 1,) * 2


def name_period(quarter: int, grain: Grain) -> str:
    """Code of the period of a length in which a quarter, counted from year 0, lies."""
    year, number = divmod(quarter, QUARTERS)
    return {"year": f"FY{year}", "half": f"FY{year}-H{number // 2 + 1}", "quarter": f"FY{year}-Q{number + 1}"}[grain]


def change_grain(code: str, grain: Grain, *, is_end: bool) -> str:
    """The period of another length that begins, or ends, where this one does."""
    return name_period(list_quarters(code)[is_end], grain)


def is_within(code: str, first: str, last: str) -> bool:
    """Whether a period touches the span from first to last, each of any length."""
    begin, end = list_quarters(code)
    return begin <= list_quarters(last)[1] and end >= list_quarters(first)[0]


def step_back(code: str, periods: int = 1) -> str:
    """The period of the same length that lies so many before; after it where the number is negative."""
    grain = find_grain(code)
    length = {"year": 4, "half": 2, "quarter": 1}[grain]
    return name_period(list_quarters(code)[0] - periods * length, grain)


def find_told_on(code: str) -> date:
    """The day by which the figures of a period are expected to be in: the end of the month after its last day."""
    year, quarter = divmod(list_quarters(code)[1], QUARTERS)
    # The first quarter ends with June, as fiscal years begin in April.
    month = 3 * quarter + 7
    return date(year + (month > 12), (month - 1) % 12 + 1, 30)
