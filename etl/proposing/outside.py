"""What stands outside the table: in the name of the file, in the names of its sheets, in labels and titles above."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from etl.cells import Row
from etl.proposing.known import Known
from etl.proposing.look import Look
from etl.proposing.words import ALONE, GUESS, LIKELY, OFTEN, SURE, WITHIN, heading_score, is_heading_word
from etl.values import normalise_code, normalise_heading, parse_date, parse_period

_NUMBERS_OF_ERA: Final = r"(?:元|\d{1,2})"
_PART_OF_YEAR: Final = r"(?:[上下]半?期|[前後]期|第?[1-4]四半期)"
PERIOD_PATTERNS: Final = (
    rf"((?:令和|平成|R|H){_NUMBERS_OF_ERA}年度{_PART_OF_YEAR}?)",
    rf"(\d{{4}}年度{_PART_OF_YEAR}?)",
    r"((?:FY|CY)\d{4}(?:[-_]?(?:[HQ][1-4]|[1-4][HQ]))?)(?![0-9A-Za-z])",
    rf"((?:(?:令和|平成){_NUMBERS_OF_ERA}|\d{{4}})年\d{{1,2}}月)(?!\d{{1,2}}日)",
    r"(?<![\d-])(20\d{2}-(?:0[1-9]|1[0-2]))(?![\d-])",
    r"(?<!\d)(20\d{2}(?:0[1-9]|1[0-2]))(?!\d)",
)
"""How periods are written in names of files and in titles; what is found must also be one that a load reads."""
DATE_PATTERNS: Final = (
    r"(?<!\d)(20\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?!\d)",
    r"(?<!\d)(20\d{2}-\d{1,2}-\d{1,2})(?!\d)",
    r"((?:(?:令和|平成)(?:元|\d{1,2})|\d{4})年\d{1,2}月\d{1,2}日)",
)
VERSION_PATTERNS: Final = (
    r"第\s*(\d+(?:\.\d+)*)\s*版",
    r"(?i)(?<![A-Za-z])(?:version|ver\.?|rev(?:ision|\.)?|版数?)\s*[:.]?\s*(\d+(?:\.\d+)*)",
    r"(20\d{2})年版",
)
CODE_PATTERN: Final = r"(?<![A-Za-z0-9])([A-Z]{1,6}[-]?\d{1,8})(?![A-Za-z0-9])"
_LABELLED: Final = (
    "entity_code", "period", "performed_on", "submitted_on", "checklist_version", "inspecting_entity_code", "known_at", "entity_name",
)  # fmt: skip
_NO_CODES: Final = re.compile(r"(?:FY|CY|H|Q|R|V|VER|NO|ISO|JIS|P)-?\d*", re.IGNORECASE)
_DATE_FORMS: Final = ("iso", "japanese", "d mon y", "d/m/y", "m/d/y")


@dataclass(frozen=True, slots=True)
class Found:
    """A field found outside the table: where, by which pattern or label, and the text that stands there."""

    field: str
    place: str
    pattern: str
    example: str | None
    sure: str


def find_outside(name: str, look: Look, sheets: Sequence[str], known: Known) -> list[Found]:
    """Everything that the file says outside its table, at most one of each field; `name` is the file's name after NFKC."""
    found: dict[str, Found] = {}
    for one in [
        *_labels(look.above, known),
        *_in_name(name, known),
        *_in_sheets(sheets, known),
        *_titles(look.above, known),
    ]:
        before = found.get(one.field)
        if before is None or (before.sure == GUESS and one.sure != GUESS):
            found[one.field] = one
    return list(found.values())


# --- labels and titles above the table ------------------------------------------------------------


def _labels(above: Sequence[Row], known: Known) -> list[Found]:
    best: dict[str, tuple[float, Found]] = {}
    seen: set[str] = set()
    for row in above:
        for label, value in _pairs(row):
            plain = normalise_heading(label)
            if plain in seen:
                continue  # A load takes the first cell with this text.
            seen.add(plain)
            for field in _LABELLED:
                score = heading_score(field, label)
                if score < WITHIN or not (fit := _value_fit(field, value, known)):
                    continue
                sure = SURE if score >= ALONE and fit >= 1 else LIKELY if score >= OFTEN else GUESS
                found = Found(field, "label", label, value, sure)
                if field not in best or score * fit > best[field][0]:
                    best[field] = (score * fit, found)
    return [found for _, found in best.values()]


def _pairs(row: Row) -> list[tuple[str, str]]:
    """Labels of a row with the text right of each, or after the colon in its cell."""
    cells = [(position, unicodedata.normalize("NFKC", cell).strip()) for position, cell in enumerate(row) if cell]
    pairs = []
    for place, (_, text) in enumerate(cells):
        label, colon, inside = text.partition(":")
        if colon and inside.strip():
            pairs.append((label.strip(), inside.strip()))
        elif place + 1 < len(cells) and len(text) <= 40:
            pairs.append((label.strip(), cells[place + 1][1]))
    return [(label, value) for label, value in pairs if label]


def _value_fit(field: str, value: str, known: Known) -> float:
    """How well a text beside a label fits the field; 0 where it cannot be that."""
    if field in ("performed_on", "submitted_on", "known_at"):
        return 1.0 if parse_date(value, _DATE_FORMS) else 0.0
    if field == "period":
        return 1.0 if parse_period(value) else 0.0
    if is_heading_word(value) >= ALONE or len(value) > 60:
        return 0.0
    if field in ("entity_code", "inspecting_entity_code"):
        if normalise_code(value) in known.entities:
            return 1.0
        return 1.0 if re.search(r"\d", value) and " " not in value and len(value) <= 30 else 0.5
    if field == "checklist_version":
        return 1.0 if re.search(r"\d", value) and len(value) <= 20 else 0.0
    return 0.8


def _titles(above: Sequence[Row], known: Known) -> list[Found]:
    found = []
    texts = [unicodedata.normalize("NFKC", cell) for row in above for cell in row if cell]
    for pattern in PERIOD_PATTERNS[:-1]:
        match = next((match for text in texts if (match := re.search(pattern, text))), None)
        if match and parse_period(match[1]):
            found.append(Found("period", "title", pattern, match[1], LIKELY))
            break
    for pattern in VERSION_PATTERNS:
        match = next((match for text in texts if (match := re.search(pattern, text))), None)
        if match:
            found.append(Found("checklist_version", "title", pattern, match[1], LIKELY))
            break
    for text in texts:
        for match in re.finditer(CODE_PATTERN, text):
            if match[1] in known.entities:
                pattern = _shape_of(match[1])
                first = next((hit[1] for one in texts if (hit := re.search(pattern, one))), None)
                if first == match[1]:
                    found.append(Found("entity_code", "title", pattern, match[1], LIKELY))
    return found


# --- names of files and sheets --------------------------------------------------------------------


def _in_name(name: str, known: Known) -> list[Found]:
    stem = Path(name).stem
    found = []
    period = _period_in_name(name, stem)
    if period:
        found.append(period)
    entity = _entity_in_name(name, stem, known, period.example if period else None)
    if entity:
        found.append(entity)
    for pattern in DATE_PATTERNS:
        match = re.search(pattern, name)
        if match and parse_date(match[1], ("iso", "japanese")):
            found.append(Found("known_at", "file_name", pattern, match[1], LIKELY))
            break
    return found


def _period_in_name(name: str, stem: str) -> Found | None:
    for place, segment in enumerate(stem.split("_")):
        if parse_period(segment) and not parse_date(segment, ("iso", "japanese")):
            pattern = _segment_pattern(place)
            if _finds(pattern, name, segment):
                return Found("period", "file_name", pattern, segment, LIKELY)
    for pattern in PERIOD_PATTERNS:
        if (match := re.search(pattern, name)) and parse_period(match[1]):
            return Found("period", "file_name", pattern, match[1], LIKELY)
    return None


def _entity_in_name(name: str, stem: str, known: Known, period: str | None) -> Found | None:
    segments = stem.split("_")
    for place, segment in enumerate(segments):
        if normalise_code(segment) in known.entities and _finds(_segment_pattern(place), name, segment):
            return Found("entity_code", "file_name", _segment_pattern(place), segment, LIKELY)
    for match in re.finditer(CODE_PATTERN, stem):
        is_known = match[1] in known.entities
        if not is_known and (_NO_CODES.fullmatch(match[1]) or match[1] == period or parse_period(match[1])):
            continue
        pattern = _segment_pattern(segments.index(match[1])) if match[1] in segments else _shape_of(match[1])
        if _finds(pattern, name, match[1]):
            return Found("entity_code", "file_name", pattern, match[1], LIKELY if is_known else GUESS)
    # An abbreviation in capitals beside a period is most often the company that sends the file.
    for place, segment in enumerate(segments):
        if (
            period
            and segment != period
            and re.fullmatch(r"[A-Z][A-Z0-9-]{1,11}", segment)
            and not _NO_CODES.fullmatch(segment)
        ):
            return Found("entity_code", "file_name", _segment_pattern(place), segment, GUESS)
    return None


def _segment_pattern(place: int) -> str:
    """Pattern for a part of a file name between underscores, by its place."""
    before = "" if place == 0 else "[^_]*_" if place == 1 else f"(?:[^_]*_){{{place}}}"
    return rf"^{before}([^_]+?)(?:_|\.[A-Za-z0-9]+$)"


def _shape_of(code: str) -> str:
    """Pattern for codes of this shape: as many letters and digits."""
    shape = re.sub(r"[A-Z]+", lambda match: f"[A-Z]{{{len(match[0])}}}", re.escape(code))
    shape = re.sub(r"(?<![{\d])\d+(?![\d}])", lambda match: rf"\d{{{len(match[0])}}}", shape)
    return f"(?<![A-Za-z0-9])({shape})(?![A-Za-z0-9])"


def _finds(pattern: str, text: str, wanted: str) -> bool:
    match = re.search(pattern, text)
    return match is not None and match[1] == wanted


def _in_sheets(sheets: Sequence[str], known: Known) -> list[Found]:
    """What the names of several sheets of one layout tell apart: entities, periods, or versions of a checklist."""
    if len(sheets) < 2:
        return []
    names = [unicodedata.normalize("NFKC", sheet) for sheet in sheets]
    if all(normalise_code(name) in known.entities for name in names):
        return [Found("entity_code", "sheet", "^(.+)$", names[0], LIKELY)]
    for pattern in PERIOD_PATTERNS:
        matches = [re.search(pattern, name) for name in names]
        if all(match and parse_period(match[1]) for match in matches) and matches[0]:
            return [Found("period", "sheet", pattern, matches[0][1], LIKELY)]
    matches = [re.fullmatch(r"(.*?)[ _-]?(20\d{2})(?:年版)?", name) for name in names]
    if all(matches) and matches[0]:
        found = [Found("checklist_version", "sheet", r"(20\d{2})(?:年版)?$", matches[0][2], LIKELY)]
        if all(match and match[1] for match in matches):
            found.append(Found("checklist_code", "sheet", r"^(.*?)[ _-]?20\d{2}(?:年版)?$", matches[0][1], LIKELY))
        return found
    if (
        all(re.fullmatch(CODE_PATTERN, name) for name in names)
        and len({re.sub(r"\d", "0", name) for name in names}) == 1
    ):
        return [Found("entity_code", "sheet", "^(.+)$", names[0], GUESS)]
    return []
