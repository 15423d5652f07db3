"""JSON of which nothing is trusted: every part is looked at before it is used, and a wrong one is named by its place."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etl.cells import Unreadable


@dataclass(frozen=True, slots=True)
class Part:
    """An object of a JSON document, and the place at which it stands. What is missing or null is empty."""

    values: dict[str, Any]
    place: str = ""

    def part(self, key: str) -> Part:
        """The object under the key. Raises Unreadable when something else stands there."""
        value = self.values.get(key)
        if value is None:
            return Part({}, self._place_of(key))
        if not isinstance(value, dict):
            raise _wrong_kind(self._place_of(key), "an object", value)
        return Part(value, self._place_of(key))

    def parts(self, key: str) -> list[Part]:
        """The objects of the list under the key. Raises Unreadable when something else stands there."""
        place, found = self._place_of(key), []
        for number, value in enumerate(self._list(key)):
            if not isinstance(value, dict):
                raise _wrong_kind(f"{place}[{number}]", "an object", value)
            found.append(Part(value, f"{place}[{number}]"))
        return found

    def text(self, key: str) -> str | None:
        """The text, number or truth value under the key, as text. Raises Unreadable for an object or a list."""
        return _as_text(self.values.get(key), self._place_of(key))

    def texts(self, key: str) -> list[str]:
        """The texts of the list under the key; a single text counts as a list of one. Raises Unreadable."""
        value = self.values.get(key)
        if isinstance(value, str):
            return [value]
        place = self._place_of(key)
        texts = (_as_text(one, f"{place}[{number}]") for number, one in enumerate(self._list(key)))
        return [text for text in texts if text is not None]

    def _list(self, key: str) -> list[Any]:
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise _wrong_kind(self._place_of(key), "a list", value)
        return value

    def _place_of(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key


def _as_text(value: Any, place: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    raise _wrong_kind(place, "a text", value)


def _wrong_kind(place: str, wanted: str, value: Any) -> Unreadable:
    seen = "an object" if isinstance(value, dict) else "a list" if isinstance(value, list) else "a single value"
    return Unreadable(
        "broken_document",
        f"'{place}' must be {wanted}, and it is {seen}, so nothing of this file was loaded. Export it again, without "
        "changing it by hand.",
    )


def read_text(path: Path) -> str:
    """The text of a JSON file in any of the encodings JSON allows. Raises Unreadable."""
    raw = path.read_bytes()
    try:
        return raw.decode(json.detect_encoding(raw))
    except UnicodeDecodeError as error:
        raise Unreadable(
            "undecodable",
            f"The JSON holds a byte that is no text (byte {error.start + 1:,}). Export it again, or save it as UTF-8.",
        ) from error


def parse_root(text: str) -> Part | None:
    """The object at the root, numbers as the digits they are written in; None when the root is none. Raises Unreadable."""
    try:
        root = json.loads(
            text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_object_without_repeats
        )
    except json.JSONDecodeError as error:
        raise Unreadable(
            "broken_file",
            f"The JSON breaks off or is damaged in line {error.lineno:,}, at character {error.colno:,}. Export it again.",
        ) from error
    except RecursionError as error:
        raise Unreadable(
            "broken_file", "The JSON is nested deeper than any export is. It is damaged: export it again."
        ) from error
    return Part(root) if isinstance(root, dict) else None


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Of two values under one key all but the last would vanish without a word.
    values = dict(pairs)
    if len(values) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise Unreadable(
            "broken_document",
            f"The key '{twice[:100]}' stands twice in the same object, so one of its values would be lost. Export the "
            "file again.",
        )
    return values
