"""What a person chooses for files that are handed in: source, knowledge date, entity, period."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from etl.values import nearest


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen for one file; None where nothing was."""

    source: str | None = None
    known_at: str | None = None
    entity: str | None = None
    period: str | None = None
    leave_out: bool = False

    @property
    def given(self) -> dict[str, str]:
        """What the file itself does not say."""
        return {name: text for name, text in (("entity", self.entity), ("period", self.period)) if text}

    def over(self, other: Choice) -> Choice:
        """This choice, and the other where this one says nothing."""
        return Choice(
            self.source or other.source, self.known_at or other.known_at, self.entity or other.entity,
            self.period or other.period, self.leave_out or other.leave_out,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choices:
    """Choices for all files, and for single ones by their names, which go before."""

    for_all: Choice = field(default_factory=Choice)
    by_file: Mapping[str, Choice] = field(default_factory=dict)

    def of(self, name: str) -> Choice:
        """The choice for a file."""
        return self.by_file[name].over(self.for_all) if name in self.by_file else self.for_all


def read_moment(text: str) -> str:
    """A day or moment such as 2023-10-20 as the log keeps it. Raises ValueError."""
    try:
        return str(datetime.fromisoformat(text).replace(tzinfo=None))
    except ValueError as error:
        raise ValueError(f"'{text}' is no date such as 2023-10-20") from error


def read_choices(path: Path) -> dict[str, Choice]:
    """Choices by file name from a JSON file. Raises ValueError naming the key that cannot be used."""
    try:
        declared = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name} is no JSON: {error}") from error
    if not isinstance(declared, dict):
        raise ValueError(f"{path.name} must hold one object: file name to choices.")
    return {str(name): _read_choice(path.name, str(name), spec) for name, spec in declared.items()}


def _read_choice(place: str, name: str, spec: Any) -> Choice:
    known = [one.name for one in fields(Choice)]
    if not isinstance(spec, dict):
        raise ValueError(f"{place}: what is chosen for '{name}' must be an object with {', '.join(known)}.")
    for key in spec:
        if key not in known:
            near = nearest(str(key), known)
            raise ValueError(
                f"{place}: '{key}' of '{name}' is not known; {f'did you mean {near}?' if near else ', '.join(known)}"
            )
    texts = {key: str(spec[key]).strip() or None for key in known if key != "leave_out" and spec.get(key) is not None}
    if texts.get("known_at"):
        texts["known_at"] = read_moment(str(texts["known_at"]))
    return Choice(**texts, leave_out=bool(spec.get("leave_out", False)))
