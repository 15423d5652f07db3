"""What the dashboard says: texts by gettext's convention; numbers, days and periods as each language writes them.

Texts stand in English where they are used: `say("…")`, `N_("…")` or `translate(language, "…")`; their Japanese is in
`locale/ja/LC_MESSAGES/tenken.po`. Labels of metrics and dimensions are the catalog's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Final, Literal

from babel.messages.pofile import read_po

Language = Literal["en", "ja"]
LANGUAGES: Final[dict[Language, str]] = {"en": "English", "ja": "日本語"}
LOCALE = Path(__file__).parent / "locale"
NONE_WRITTEN = "–"


@dataclass(frozen=True, slots=True)
class Label:
    """A name from an export or the catalog, in both languages."""

    en: str
    ja: str

    def say(self, language: Language) -> str:
        """The name in a language; it may hold braces, so it is never formatted."""
        return self.en if language == "en" else self.ja


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for marking a text that is said later
    """Mark a text for translation; it is said elsewhere."""
    return text


def translate(language: Language, text: str, /, **values: object) -> str:
    """A text in a language, its `{names}` filled in. A text without a translation is said in English."""
    said = text if language == "en" else read_catalog(language).get(text, text)
    return said.format(**values) if values else said


@cache
def read_catalog(language: Language) -> dict[str, str]:
    """English texts with their translations into a language."""
    with (LOCALE / language / "LC_MESSAGES" / "tenken.po").open("rb") as file:
        entries = read_po(file, locale=language)
        return {str(entry.id): str(entry.string) for entry in entries if entry.id and entry.string}


def say_period(code: str, language: Language) -> str:
    """FY2025, FY2025-H1, FY2025-Q3, as FY2025 H1 or 2025年度上期."""
    if language == "en":
        return code.replace("-", " ")
    year, _, part = code.partition("-")
    parts = {
        "": "",
        "H1": "上期",
        "H2": "下期",
        "Q1": "第1四半期",
        "Q2": "第2四半期",
        "Q3": "第3四半期",
        "Q4": "第4四半期",
    }
    return f"{year.removeprefix('FY')}年度{parts.get(part, part)}"


def say_moment(moment: datetime) -> str:
    """A moment to the minute, the same in both languages."""
    return f"{moment:%Y-%m-%d %H:%M}"


def say_day(day: date) -> str:
    """A day, the same in both languages."""
    return f"{day:%Y-%m-%d}"


def join_sentences(language: Language, sentences: Iterable[str]) -> str:
    """Sentences one after another: with a space between them in English, without one in Japanese."""
    return (" " if language == "en" else "").join(sentence for sentence in sentences if sentence)


def join_values(language: Language, values: Sequence[str]) -> str:
    """Names in a row."""
    return (", " if language == "en" else "、").join(values)


def begin_small(label: str, language: Language) -> str:
    """A label within a sentence: English ones begin small."""
    return label[:1].lower() + label[1:] if language == "en" else label


def say_percent(rate: float | None, digits: int = 1) -> str:
    """A rate as a percentage; a dash where there is none. Only a whole is 100 %, and only nothing is 0 %."""
    if rate is None or rate != rate:
        return NONE_WRITTEN
    step = 10.0 ** -(digits + 2)
    size = abs(rate)
    shown = size if size in (0.0, 1.0) else min(max(size, step), 1.0 - step) if size < 1 else size
    return f"{'−' if rate < 0 else ''}{shown:.{digits}%}"


def say_number(number: float | None) -> str:
    """A sum with thousands separated and at most one decimal; a dash where there is none."""
    if number is None or number != number:
        return NONE_WRITTEN
    return f"{number:,.1f}".removesuffix(".0")


def say_points(points: float | None) -> str:
    """A difference of rates in percentage points, always with its sign; a dash where there is none."""
    if points is None or points != points:
        return NONE_WRITTEN
    written = f"{points:+.1f}"
    return ("±0.0" if float(written) == 0 else written.replace("-", "−")) + " pt"


def plain(text: str) -> str:
    """A loaded text for a place that reads Markdown, with every sign that could mean something there escaped."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def plain_lines(text: str, letters: int) -> list[str]:
    """A text in lines of about so many letters, full-width ones counting double; Japanese breaks anywhere."""
    lines, width = [""], 0
    for word in re.findall(r"[^\s\u2e80-\uffef]+\s*|[\u2e80-\uffef][、。・，．）」』】！？]*|\s+", text):
        size = sum(2 if letter > "\u2e80" else 1 for letter in word)
        if width + size > letters and lines[-1].strip():
            lines.append("")
            width = 0
        lines[-1] += word
        width += size
    return [line.rstrip() for line in lines]
