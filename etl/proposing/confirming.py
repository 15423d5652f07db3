"""A proposal as it comes back from a person or a program: held to what a source may say, before anything is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from etl.proposing.fields import CAPTURED_FIELDS, CHOICE_FIELDS, FIELDS, KINDS, PLACES, choices_of
from etl.proposing.words import GUESS
from etl.sources import DATE_FORMS, FORMATS, VERDICTS, SourceProblem
from etl.values import normalise_answer, normalise_heading

ITEM_NAMES: Final = ("item_code", "item_text", "text_ja", "text_en")
"""Fields that say which item is answered."""
_KEY: Final = re.compile(r"column_\d{1,5}|[a-z][a-z_]{2,40}(?:_\d{1,3})?")
_KEYS: Final = {"entity_code": "entity", "inspecting_entity_code": "inspecting_entity"}
"""Keys where that of the field would be taken for a column of the organisation inside a query."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a person has looked at: its key and heading, its field or none, and some of its texts."""

    key: str
    heading: str
    field: str | None
    sure: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Capture:
    """Something found outside the table, under its key."""

    key: str
    field: str
    place: str
    pattern: str
    example: str
    sure: str


class Confirmed:
    """What a proposal says. Raises SourceProblem with a sentence for everything that no source may say.

    `problems` gathers what is found wrong later; `keys` gives the key in the source of each key of the proposal.
    """

    def __init__(self, proposal: Mapping[str, Any]) -> None:
        self.problems: list[str] = []
        self.proposal = proposal if isinstance(proposal, Mapping) else {}
        self.file = self.text("file")
        self.kind = self._one_of("kind", KINDS, "answer")
        self.format = self._one_of("format", FORMATS, "csv")
        self.values, self.prefix = self._series()
        self.columns = self._columns()
        self.captures = self._captures()
        self.constants = {
            str(key): "".join(character for character in str(value) if character.isprintable()).strip()
            for key, value in self._table("constants").items()
            if str(value).strip()
        }
        self.date_forms = [form for form in self.strings("date_forms") if self.is_one(form, DATE_FORMS, "date_forms")]
        if {"d/m/y", "m/d/y"} <= set(self.date_forms):
            self.problems.append("date_forms: d/m/y and m/d/y cannot both be read; keep one.")
        self.answers = self._meanings("answers", self.proposal.get("answers"), "verdict", VERDICTS)
        maps = self._table("maps")
        self.maps = {
            str(name): self._meanings(f"maps.{name}", texts, "choice", choices_of(str(name)))
            for name, texts in maps.items()
            if self.is_one(str(name), tuple(CHOICE_FIELDS), "maps")
        }
        if self.problems:
            raise SourceProblem("\n".join(self.problems))

    def text(self, key: str) -> str:
        """A text of the proposal; empty where there is none."""
        value = self.proposal.get(key)
        return value if isinstance(value, str) else ""

    def _table(self, key: str) -> Mapping[str, Any]:
        value = self.proposal.get(key) or {}
        if not isinstance(value, Mapping):
            self.problems.append(f"{key} must be an object.")
            return {}
        return value

    def _objects(self, key: str, value: Any) -> list[Mapping[str, Any]]:
        value = value or []
        if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
            self.problems.append(f"{key} must be a list of objects.")
            return []
        return value

    def strings(self, key: str) -> list[str]:
        """A list of texts of the proposal."""
        value = self.proposal.get(key) or []
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.problems.append(f"{key} must be a list of texts.")
            return []
        return value

    def is_one(self, value: Any, allowed: tuple[str, ...], place: str) -> bool:
        """Whether the value is one of those allowed; it is a problem where it is not."""
        if value in allowed:
            return True
        self.problems.append(f"{place}: {str(value)[:60]!r} is not known; it is one of {', '.join(allowed)}.")
        return False

    def _one_of(self, key: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.proposal.get(key)
        return value if self.is_one(value, allowed, key) and isinstance(value, str) else default

    def _series(self) -> tuple[list[str], str]:
        """Numbers of the headings that come again with another number, and what stands before them."""
        series = self._table("series")
        values = series.get("values") or []
        if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
            self.problems.append("series.values must be a list of texts.")
            return [], ""
        return values, str(series.get("prefix") or "")

    def comes_again(self, column: Column) -> bool:
        """Whether the column stands for several, one for each number of the series."""
        return bool(self.values) and "{}" in column.heading

    def _columns(self) -> list[Column]:
        columns, used = [], set()
        self.keys: dict[str, str] = {}
        headings: dict[str, str] = {}
        for number, one in enumerate(self._objects("columns", self.proposal.get("columns")), start=1):
            name = one.get("field") or None
            heading = str(one.get("heading") or "")
            if name is not None and not self.is_one(name, FIELDS[self.kind], f"column '{heading[:40]}'"):
                continue
            given = str(one.get("key") or "")
            wanted = _KEYS.get(given, given)
            key = wanted if _KEY.fullmatch(wanted) and _is_safe(given) and wanted not in used else f"column_{number}"
            while key in used:
                key += "_2"
            used.add(key)
            if name is not None:
                normal = normalise_heading(heading)
                if not normal:
                    self.problems.append(f"Column {number} has no heading, so it cannot be {name}.")
                    continue
                if normal in headings:
                    self.problems.append(
                        f"The heading '{heading[:60]}' stands over two columns, so none of them can be read; rename one."
                    )
                    continue
                headings[normal] = key
                self.keys[given] = key
            examples = one.get("examples")
            columns.append(
                Column(
                    key,
                    " ".join(heading.split()),
                    name,
                    str(one.get("sure") or GUESS),
                    tuple(str(text) for text in examples) if isinstance(examples, list | tuple) else (),
                )
            )
        return columns

    def _captures(self) -> list[Capture]:
        captures, taken = [], {column.key for column in self.columns if column.field}
        for one in self._objects("captures", self.proposal.get("captures")):
            name, place = one.get("field"), one.get("place")
            if not self.is_one(name, CAPTURED_FIELDS, "captures") or not self.is_one(place, PLACES, "captures"):
                continue
            key, pattern = _KEYS.get(str(name), str(name)), str(one.get("pattern") or "")
            if place == "given" and name not in ("entity_code", "period"):
                self.problems.append(f"captures: only the entity and the period can be given, not {name}.")
                continue
            if place != "given" and not pattern:
                self.problems.append(f"captures: {name} needs the pattern or the label to look for.")
                continue
            if key in taken:
                key += "_of_file"
            if key in taken:
                self.problems.append(f"captures: {name} is there twice; keep one.")
                continue
            taken.add(key)
            captures.append(
                Capture(
                    key, str(name), str(place), pattern, str(one.get("example") or ""), str(one.get("sure") or GUESS)
                )
            )
        return captures

    def _meanings(self, place: str, value: Any, word: str, allowed: tuple[str, ...]) -> list[tuple[str, str, str]]:
        """Text, meaning and sureness of each text; what a load takes for the same text is there once."""
        found: dict[str, tuple[str, str, str]] = {}
        for one in self._objects(place, value):
            text, meaning = str(one.get("text") or "").strip(), one.get(word)
            if not self.is_one(meaning, allowed, f"{place}: '{text[:40]}'"):
                continue
            before = found.setdefault(normalise_answer(text), (text, str(meaning), str(one.get("sure") or GUESS)))
            if before[1] != meaning:
                self.problems.append(f"{place}: '{text[:60]}' is both {before[1]} and {meaning}; choose one.")
        return list(found.values())

    def of(self, name: str) -> list[Column]:
        """The columns of a field."""
        return [column for column in self.columns if column.field == name]

    @property
    def wide(self) -> list[Column]:
        """The columns that hold one item each: where several hold answers, or where no column names the item."""
        found = self.of("verdict")
        is_named = any(self.of(name) for name in ITEM_NAMES) or self.values
        return found if self.kind == "answer" and (len(found) > 1 or not is_named) else []


def _is_safe(key: str) -> bool:
    """Whether a key can stand in SQL as it is: the name of a field, or that of a column without one."""
    bare = re.sub(r"_\d{1,3}$", "", key)
    return key.startswith("column_") or any(bare in names for names in FIELDS.values())
