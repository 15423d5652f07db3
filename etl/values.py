"""Text cells to values: headings, answers, codes, dates, periods, numbers and booleans.

Every function is pure and never guesses: a text that does not say one thing clearly gives None.
"""

import math
import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from difflib import SequenceMatcher
from functools import lru_cache
from typing import NamedTuple

# Two-digit years from here to 99 are of the 1900s, the others of the 2000s (as in POSIX).
# The two digits of a period are always of the 2000s.
TWO_DIGIT_YEAR_PIVOT = 69

# Marks that look alike, as they are after NFKC, and the one they stand for when alone in a cell.
LOOK_ALIKES = {
    **dict.fromkeys("○◯〇⭕", "○"),
    **dict.fromkeys("×☓✕✖✗✘❌x", "×"),
    **dict.fromkeys("-‐‒–—―−ー─━", "－"),
    **dict.fromkeys("△▲", "△"),
}

# Share of letters in common (difflib's ratio) from which a word is near enough to be suggested.
NEAR = 0.6

TRUE_WORDS = frozenset({"true", "yes", "y", "1", "1.0", "○", "有", "有り", "あり", "はい"})
FALSE_WORDS = frozenset({"false", "no", "n", "0", "0.0", "×", "無", "無し", "なし", "いいえ"})

# Zero-width characters and emoji variation selectors: they show nothing and str.isspace does not know them.
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\ufe0e\ufe0f\u00ad"))


# --- words ---------------------------------------------------------------------------------------


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _without_blanks(text: str) -> str:
    return "".join(text.translate(_INVISIBLE).split())


@lru_cache(maxsize=1 << 16)
def normalise_heading(text: str) -> str:
    """The heading as it is compared: NFKC, without blanks and line breaks, without regard to case."""
    previous, current = text, _without_blanks(_nfkc(_without_blanks(_nfkc(text)).casefold()))
    # Taking blanks away can bring a combining mark to a new letter, so go on until nothing changes.
    while current != previous:
        previous, current = current, _without_blanks(_nfkc(current.casefold()))
    return current


def normalise_answer(text: str) -> str:
    """The answer as it is compared: as a heading, and a mark alone in its cell as the mark it looks like."""
    normal = normalise_heading(text)
    return LOOK_ALIKES.get(normal, normal)


def normalise_code(text: str) -> str:
    """The code without blanks around it, in NFKC; zeros and case stay."""
    # NFKC makes blanks of some characters (U+00A8), so strip again after it, and NFKC again after stripping.
    return _nfkc(_nfkc(text).translate(_INVISIBLE).strip()).strip()


_normalise_candidate = lru_cache(maxsize=10_000)(normalise_answer)


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that is spelt most like the word, if one is near enough to suggest."""
    wanted = normalise_answer(word)
    if not wanted:
        return None
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted)
    # The most promising first, so that the bound rises early and few need the whole comparison; a fixed order for ties.
    normal = {candidate: _normalise_candidate(candidate) for candidate in set(candidates)}
    bounds = []
    for candidate, text in normal.items():
        matcher.set_seq1(text)
        if matcher.real_quick_ratio() >= NEAR and (bound := matcher.quick_ratio()) >= NEAR:
            bounds.append((-bound, candidate))
    best_ratio, best = NEAR, None
    for bound, candidate in sorted(bounds):
        if -bound < best_ratio:
            break
        matcher.set_seq1(normal[candidate])
        ratio = matcher.ratio()
        if ratio > best_ratio or (ratio == best_ratio and (best is None or candidate < best)):
            best_ratio, best = ratio, candidate
    return best


# --- numbers and booleans ------------------------------------------------------------------------

_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+(\.\d*)?|\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?", re.ASCII)


def parse_number(text: str) -> float | None:
    """A finite decimal number; thousands may be separated by commas, and 85% is 0.85."""
    plain = _nfkc(text).translate(_INVISIBLE).strip().replace("−", "-").casefold()
    is_percentage = plain.endswith("%")
    if is_percentage:
        plain = plain[:-1].rstrip()
    if not _NUMBER.fullmatch(plain):
        return None
    try:
        exact = Decimal(plain.replace(",", ""))
        value = float(exact.scaleb(-2) if is_percentage else exact)
    except (InvalidOperation, OverflowError):
        return None
    return value + 0.0 if math.isfinite(value) else None


def parse_boolean(text: str) -> bool | None:
    """True or false in the words of the exports: yes/no, 1/0, ○/×, 有/無, はい/いいえ and so on."""
    word = normalise_answer(text)
    if word in TRUE_WORDS:
        return True
    return False if word in FALSE_WORDS else None


# --- Japanese eras -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Era:
    """A Japanese era, with its first and last day."""

    names: tuple[str, ...]
    first: date
    last: date


# Meiji dates before 1873 are of the lunisolar calendar; an export of inspections has none.
ERAS = (
    Era(("令和", "令", "r"), date(2019, 5, 1), date.max),
    Era(("平成", "平", "h"), date(1989, 1, 8), date(2019, 4, 30)),
    Era(("昭和", "昭", "s"), date(1926, 12, 25), date(1989, 1, 7)),
    Era(("大正", "大", "t"), date(1912, 7, 30), date(1926, 12, 24)),
    Era(("明治", "明", "m"), date(1873, 1, 1), date(1912, 7, 29)),
)
_ERA_BY_NAME = {name: era for era in ERAS for name in era.names}
_ERA_NAME = "|".join(_ERA_BY_NAME)
# Meiji is named by 1868 although its dates are only read from 1873 on.
_YEAR_ONE = {era: era.first.year for era in ERAS} | {ERAS[-1]: 1868}

_JAPANESE_YEAR = rf"(?:(?P<era>{_ERA_NAME})(?P<era_year>元|\d{{1,2}})|(?P<year>\d{{4}}))"
_KANJI_DIGITS = {digit: value for value, digit in enumerate("〇一二三四五六七八九")}
_KANJI_NUMBER = re.compile(r"[〇一二三四五六七八九十]+(?=[年月日四])")


def _read_kanji_number(match: re.Match[str]) -> str:
    """二十五 as 25 and 二〇二六 as 2026; anything else as it is."""
    kanji = match[0]
    tens, ten, ones = kanji.partition("十")
    if not ten:
        return "".join(str(_KANJI_DIGITS[digit]) for digit in kanji)
    if len(tens) > 1 or len(ones) > 1 or "十" in ones:
        return kanji
    return str((_KANJI_DIGITS[tens] if tens else 1) * 10 + (_KANJI_DIGITS[ones] if ones else 0))


def _year_and_era(match: re.Match[str]) -> tuple[int, Era | None]:
    if match["year"]:
        return int(match["year"]), None
    era = _ERA_BY_NAME[match["era"]]
    era_year = 1 if match["era_year"] == "元" else int(match["era_year"])
    # There is no year 0 in an era; the year before its first never overlaps it.
    return _YEAR_ONE[era] + era_year - 1, era


def _lies_in(era: Era | None, first: date, last: date) -> bool:
    return era is None or (first <= era.last and last >= era.first)


# --- dates ---------------------------------------------------------------------------------------

_TIME_OF_DAY = re.compile(
    r"(?:t|\s+)([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d([.,]\d{1,9})?)?\s*(z|utc|[+-]\d{2}:?\d{2})?$", re.ASCII
)
_WEEKDAY = re.compile(r"\s*\([日月火水木金土](?:曜日?)?\)$")
_ISO = re.compile(r"(?P<y>\d{4})(?P<sep>[-/.])(?P<m>\d{1,2})(?P=sep)(?P<d>\d{1,2})", re.ASCII)
_ISO_COMPACT = re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})", re.ASCII)
_DAY_MONTH_YEAR = re.compile(r"(?P<d>\d{1,2})(?P<sep>[-/.])(?P<m>\d{1,2})(?P=sep)(?P<y>\d{4}|\d{2})", re.ASCII)
_MONTH_DAY_YEAR = re.compile(r"(?P<m>\d{1,2})(?P<sep>[-/.])(?P<d>\d{1,2})(?P=sep)(?P<y>\d{4}|\d{2})", re.ASCII)
_DAY_NAME_YEAR = re.compile(
    r"(?P<d>\d{1,2})(?:st|nd|rd|th)?[\s./-]*(?P<name>[a-z]{3,9})\.?[\s,./-]*(?P<y>\d{4}|\d{2})", re.ASCII
)
_NAME_DAY_YEAR = re.compile(
    r"(?P<name>[a-z]{3,9})\.?[\s./-]*(?P<d>\d{1,2})(?:st|nd|rd|th)?(?:\s*,\s*|[\s./-]+)(?P<y>\d{4}|\d{2})", re.ASCII
)
_JAPANESE_DATE = re.compile(_JAPANESE_YEAR + r"年(?P<m>\d{1,2})月(?P<d>\d{1,2})日", re.ASCII)
_JAPANESE_SHORT = re.compile(
    rf"(?P<era>{_ERA_NAME})(?P<era_year>元|\d{{1,2}})(?P<sep>[-/.])(?P<m>\d{{1,2}})(?P=sep)(?P<d>\d{{1,2}})(?P<year>)",
    re.ASCII,
)
_SERIAL = re.compile(r"(\d{1,7})(?:\.\d*)?", re.ASCII)

_MONTH_NAMES = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
_MONTHS = (
    {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
    | {name[:3]: number for number, name in enumerate(_MONTH_NAMES, 1)}
    | {"sept": 9}
)

_LAST_SERIAL = 2_958_465  # 9999-12-31


def _make_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _read_year(digits: str) -> int:
    year = int(digits)
    if len(digits) > 2:
        return year
    return year + (1900 if year >= TWO_DIGIT_YEAR_PIVOT else 2000)


def _parse_numeric(*patterns: re.Pattern[str]) -> Callable[[str], date | None]:
    def parse(text: str) -> date | None:
        for pattern in patterns:
            if match := pattern.fullmatch(text):
                return _make_date(_read_year(match["y"]), int(match["m"]), int(match["d"]))
        return None

    return parse


def _parse_named_month(text: str) -> date | None:
    match = _DAY_NAME_YEAR.fullmatch(text) or _NAME_DAY_YEAR.fullmatch(text)
    if match is None or match["name"] not in _MONTHS:
        return None
    return _make_date(_read_year(match["y"]), _MONTHS[match["name"]], int(match["d"]))


def _parse_japanese_date(text: str) -> date | None:
    plain = _KANJI_NUMBER.sub(_read_kanji_number, "".join(text.split()))
    match = _JAPANESE_DATE.fullmatch(plain) or _JAPANESE_SHORT.fullmatch(plain)
    if match is None:
        return None
    year, era = _year_and_era(match)
    day = _make_date(year, int(match["m"]), int(match["d"]))
    return day if day and _lies_in(era, day, day) else None


def _parse_serial(text: str) -> date | None:
    match = _SERIAL.fullmatch(text)
    serial = int(match[1]) if match else 0
    # Excel counts a 29 February 1900 that never was, as day 60.
    if not 1 <= serial <= _LAST_SERIAL or serial == 60:
        return None
    return date(1899, 12, 31 if serial < 60 else 30) + timedelta(days=serial)


_DATE_FORMS: dict[str, Callable[[str], date | None]] = {
    "iso": _parse_numeric(_ISO, _ISO_COMPACT),
    "d/m/y": _parse_numeric(_DAY_MONTH_YEAR),
    "m/d/y": _parse_numeric(_MONTH_DAY_YEAR),
    "d mon y": _parse_named_month,
    "japanese": _parse_japanese_date,
    "serial": _parse_serial,
}
DATE_FORMS = tuple(_DATE_FORMS)


def parse_date(text: str, forms: tuple[str, ...]) -> date | None:
    """The day that the text names in the first of the forms that fits it; a time of day after it is dropped.

    The forms are those of DATE_FORMS, and only those given are tried: `03/04/2026` is what the forms say it is.
    """
    unknown = [form for form in forms if form not in _DATE_FORMS]
    if unknown:
        raise ValueError(f"unknown date forms {unknown}; known are {list(DATE_FORMS)}")
    plain = _nfkc(text).translate(_INVISIBLE).strip().casefold()
    plain = _WEEKDAY.sub("", _TIME_OF_DAY.sub("", plain))
    for form in forms:
        if day := _DATE_FORMS[form](plain):
            return day
    return None


# --- periods -------------------------------------------------------------------------------------


class PeriodRow(NamedTuple):
    """A row of dim_period, in the order of its columns."""

    period_code: str
    period_kind: str
    first_on: date
    last_on: date
    fiscal_year: int
    fiscal_half: str | None
    fiscal_quarter: str | None
    fiscal_month: str | None


_PERIOD_CODE = re.compile(r"FY(?P<fy>\d{4})(?:-(?:H(?P<half>[12])|Q(?P<quarter>[1-4])))?|(?P<y>\d{4})-(?P<m>\d{2})")
_PART = r"(?P<part>h[12]|[12]h|q[1-4]|[1-4]q)"
_YEAR_PART = re.compile(rf"(?P<kind>fy|cy)(?P<y>\d{{4}}|\d{{2}})(?:[-_/]?{_PART})?", re.ASCII)
_NUMERIC_MONTH = re.compile(r"(?P<y>\d{4})[-/](?P<m>\d{1,2})|(?P<y6>\d{4})(?P<m6>\d{2})", re.ASCII)
_NAMED_MONTH = re.compile(r"(?P<name>[a-z]{3,9})[.,/-]*(?P<y>\d{4})", re.ASCII)
_JAPANESE_MONTH = re.compile(_JAPANESE_YEAR + r"年(?P<m>\d{1,2})月度?分?", re.ASCII)
_JAPANESE_FISCAL = re.compile(
    _JAPANESE_YEAR + rf"年度(?:(?P<half>[上下前後])半?期|第?(?P<quarter>[1-4])四半期|{_PART})?", re.ASCII
)


def period_bounds(code: str, first_month: int = 4) -> tuple[date, date]:
    """First and last day of a period, by its canonical code."""
    match = _PERIOD_CODE.fullmatch(code)
    if match is None:
        raise ValueError(f"no period code: {code!r}")
    if not 1 <= first_month <= 12:
        raise ValueError(f"no first month of a fiscal year: {first_month}")
    if match["m"]:
        # Here a month past December is an error; below it belongs to the next calendar year.
        first = date(int(match["y"]), int(match["m"]), 1)
        return first, _last_of_month(first.year, first.month)
    year, month, months = int(match["fy"]), first_month, 12
    if match["half"]:
        month, months = first_month + 6 * (int(match["half"]) - 1), 6
    elif match["quarter"]:
        month, months = first_month + 3 * (int(match["quarter"]) - 1), 3
    return date(*_carry(year, month), 1), _last_of_month(*_carry(year, month + months - 1))


def _carry(year: int, month: int) -> tuple[int, int]:
    """Year and month, of a month that may be counted past December."""
    return year + (month - 1) // 12, (month - 1) % 12 + 1


def _last_of_month(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def periods(first_year: int, last_year: int, first_month: int = 4) -> list[PeriodRow]:
    """Rows of dim_period for the fiscal years from the first to the last, each before what it consists of."""
    rows = []
    for year in range(first_year, last_year + 1):
        fiscal_year = _fiscal_code(year, None)
        rows.append(
            PeriodRow(fiscal_year, "fiscal_year", *period_bounds(fiscal_year, first_month), year, None, None, None)
        )
        for half_no in (1, 2):
            half = _fiscal_code(year, f"h{half_no}")
            rows.append(PeriodRow(half, "half", *period_bounds(half, first_month), year, half, None, None))
            for quarter_no in (2 * half_no - 1, 2 * half_no):
                quarter = _fiscal_code(year, f"q{quarter_no}")
                first_on, last_on = period_bounds(quarter, first_month)
                rows.append(PeriodRow(quarter, "quarter", first_on, last_on, year, half, quarter, None))
                for offset in range(3):
                    month = _month_code(*_carry(first_on.year, first_on.month + offset))
                    rows.append(PeriodRow(month, "month", *period_bounds(month), year, half, quarter, month))
    return rows


def parse_period(text: str, first_month: int = 4) -> str | None:
    """The canonical code (FY2025, FY2025-H1, FY2025-Q3, 2025-10) of the period that the text names.

    Fiscal years are named by the calendar year they begin in, in Japanese (2025年度) as in English; FY25 is FY2025.
    A full date names its month. A year alone says neither fiscal nor calendar and is not read; a calendar quarter
    (CY2025-Q3) is read where the fiscal quarters begin in the same months.
    """
    plain = normalise_heading(text)
    code = _read_year_part(plain, first_month) or _read_japanese_period(plain, first_month) or _read_month(plain)
    if code is None and (day := parse_date(text, ("iso", "japanese", "d mon y"))):
        code = _month_code(day.year, day.month)
    if code is None:
        return None
    try:
        period_bounds(code, first_month)
    except (ValueError, OverflowError):
        return None
    return code


def _month_code(year: int, month: int) -> str:
    return f"{year:04d}-{month:02d}"


def _fiscal_code(year: int, part: str | None) -> str:
    """FY2025-H1 from 2025 and any of h1, 1h; FY2025 without a part."""
    if not part:
        return f"FY{year:04d}"
    return f"FY{year:04d}-" + "".join(sorted(part, reverse=True)).upper()


def _read_year_part(plain: str, first_month: int) -> str | None:
    match = _YEAR_PART.fullmatch(plain)
    if match is None:
        return None
    year = int(match["y"]) + (2000 if len(match["y"]) == 2 else 0)
    code = _fiscal_code(year, match["part"])
    return code if match["kind"] == "fy" else _calendar_to_fiscal(code, first_month)


def _calendar_to_fiscal(code: str, first_month: int) -> str | None:
    """The fiscal period with the bounds of this calendar period, where there is one."""
    try:
        bounds = period_bounds(code, first_month=1)
    except (ValueError, OverflowError):
        return None
    year = bounds[0].year
    kind = code[7:8]
    parts = {"Q": ("q1", "q2", "q3", "q4"), "H": ("h1", "h2")}.get(kind, (None,))
    for fiscal_year in (year, year - 1):
        for part in parts:
            fiscal = _fiscal_code(fiscal_year, part)
            if fiscal_year > 0 and period_bounds(fiscal, first_month) == bounds:
                return fiscal
    return None


def _read_japanese_period(plain: str, first_month: int) -> str | None:
    digits = _KANJI_NUMBER.sub(_read_kanji_number, plain)
    if match := _JAPANESE_FISCAL.fullmatch(digits):
        year, era = _year_and_era(match)
        part = match["part"]
        if match["half"]:
            part = "h1" if match["half"] in "上前" else "h2"
        elif match["quarter"]:
            part = "q" + match["quarter"]
        return _within_era(_fiscal_code(year, part), era, first_month)
    if match := _JAPANESE_MONTH.fullmatch(digits):
        year, era = _year_and_era(match)
        return _within_era(_month_code(year, int(match["m"])), era, first_month)
    return None


def _within_era(code: str, era: Era | None, first_month: int) -> str | None:
    """The code, unless its year of an era is one that the era never had.

    The whole fiscal year counts for its parts: 令和元年度上期 is said although April 2019 was still Heisei.
    """
    try:
        first, last = period_bounds(code[:6] if code.startswith("FY") else code, first_month)
    except (ValueError, OverflowError):
        return None
    return code if _lies_in(era, first, last) else None


def _read_month(plain: str) -> str | None:
    if match := _NUMERIC_MONTH.fullmatch(plain):
        return _month_code(int(match["y"] or match["y6"]), int(match["m"] or match["m6"]))
    if (match := _NAMED_MONTH.fullmatch(plain)) and match["name"] in _MONTHS:
        return _month_code(int(match["y"]), _MONTHS[match["name"]])
    return None
