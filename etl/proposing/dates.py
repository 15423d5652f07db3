"""Which forms the dates of a column have; day or month first is decided by numbers above twelve."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from etl.values import parse_date

MOST_TEXTS: Final = 1_500
"""Distinct texts of a column that are looked at."""
FEW_TEXTS: Final = 40
_SLASHED = ("d/m/y", "m/d/y")
_PLAIN_FORMS = ("iso", "japanese", "d mon y")
_SERIAL_DAYS = (20_000, 80_000)
"""Day numbers of 1954 to 2119: other numbers are no dates that an inspection has."""


@dataclass(frozen=True, slots=True)
class Dates:
    """How the cells of a column read as dates: share of cells, forms by number of cells, and the count per form.

    `day_first` and `month_first` count the cells that only one order fits; `either` those that both fit.
    """

    share: float = 0.0
    forms: tuple[str, ...] = ()
    day_first: int = 0
    month_first: int = 0
    either: int = 0
    serial_share: float = 0.0


def read_dates(texts: Mapping[str, int]) -> Dates:
    """How the texts of a column, with the number of cells of each, read as dates."""
    looked = dict(islice(texts.items(), MOST_TEXTS))
    total = sum(looked.values())
    first = list(islice(looked, FEW_TEXTS))
    if not total or not any(_may_be_date(text) for text in first):
        return Dates()
    counts: dict[str, int] = {}
    day_first = month_first = either = serial = 0
    for text, count in looked.items():
        if not _may_be_date(text):
            continue
        form = next((form for form in _PLAIN_FORMS if parse_date(text, (form,))), None)
        if form:
            counts[form] = counts.get(form, 0) + count
            continue
        fits = [form for form in _SLASHED if parse_date(text, (form,))]
        if fits:
            day_first += count * (fits == ["d/m/y"])
            month_first += count * (fits == ["m/d/y"])
            either += count * (len(fits) == 2)
        elif re.fullmatch(r"\d{5}(?:\.\d+)?", text.strip()):
            serial += count * (_SERIAL_DAYS[0] <= float(text) <= _SERIAL_DAYS[1])
    slashed = day_first + month_first + either
    if slashed:
        counts["m/d/y" if month_first > day_first else "d/m/y"] = slashed
    forms = sorted(counts, key=lambda form: -counts[form])
    return Dates(sum(counts.values()) / total, tuple(forms), day_first, month_first, either, serial / total)


def _may_be_date(text: str) -> bool:
    return 5 <= len(text) <= 40 and any(
        character.isdigit() or character in "一二三四五六七八九元" for character in text
    )


@dataclass(frozen=True, slots=True)
class DateForms:
    """The forms of all dates of a file, in the order in which a load tries them, and what a person must say of them."""

    forms: tuple[str, ...]
    is_undecided: bool = False
    is_mixed: bool = False


def join_forms(columns: Iterable[Dates]) -> DateForms:
    """One list of forms for the columns that hold dates; columns whose order is clear decide for those where it is not."""
    counts: dict[str, float] = {}
    day_first = month_first = either = 0
    for dates in columns:
        if dates.share < 0.5 and dates.serial_share >= 0.5:
            counts["serial"] = counts.get("serial", 0.0) + dates.serial_share
        for place, form in enumerate(dates.forms):
            if form not in _SLASHED:
                counts[form] = counts.get(form, 0.0) + 1 / (1 + place)
        day_first += dates.day_first
        month_first += dates.month_first
        either += dates.either
    forms = sorted(counts, key=lambda form: -counts[form])
    if day_first or month_first or either:
        slashed = "m/d/y" if month_first > day_first else "d/m/y"
        forms.append(slashed)
    # Day numbers come last: a text such as 20260318 is a day written without signs before it is a number of days.
    forms.sort(key=lambda form: form == "serial")
    return DateForms(
        tuple(forms) or ("iso",),
        is_undecided=bool(either) and not (day_first or month_first),
        is_mixed=bool(day_first and month_first),
    )
