"""What is proposed for a file that no source describes: everything found, how sure it is, and what to ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from etl.proposing.fields import FIELDS
from etl.proposing.outside import Found
from etl.proposing.series import Series
from etl.proposing.vocabulary import Answer


@dataclass(frozen=True, slots=True)
class ProposedColumn:
    """A column of the table: the field that it seems to be, or none, and up to three of its texts."""

    key: str
    heading: str
    field: str | None
    sure: str
    examples: tuple[str, ...]
    texts: tuple[Answer, ...] = ()
    """Every text of a column of few texts, with a guess for the verdict: what it would say if it were the answer."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was found in a file, and the source drafted from it."""

    file: str
    format: str
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    header_row: int
    header_rows: int
    stop_at: str | None
    date_forms: tuple[str, ...]
    kind: str
    columns: tuple[ProposedColumn, ...]
    answers: tuple[Answer, ...]
    captures: tuple[Found, ...]
    constants: dict[str, str]
    brings_items: bool
    brings_entities: bool
    questions: tuple[str, ...]
    maps: dict[str, tuple[Answer, ...]] = field(default_factory=dict)
    fill_down: tuple[str, ...] = ()
    skip_when_empty: tuple[tuple[str, ...], ...] = ()
    series: Series | None = None
    is_one_inspection_a_day: bool = False
    document: str | None = None
    sure_constants: tuple[str, ...] = ()
    toml: str = ""

    def to_json(self) -> dict[str, Any]:
        """The proposal as the command line prints it and `describe` takes it back."""
        return {
            "file": self.file,
            "format": self.format,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "sheet": self.sheet,
            "header_row": self.header_row,
            "header_rows": self.header_rows,
            "stop_at": self.stop_at,
            "date_forms": list(self.date_forms),
            "kind": self.kind,
            "columns": [
                {
                    "key": one.key,
                    "heading": one.heading,
                    "field": one.field,
                    "sure": one.sure,
                    "examples": list(one.examples),
                    "texts": [
                        {"text": text.text, "count": text.count, "verdict": text.value, "sure": text.sure}
                        for text in one.texts
                    ],
                }
                for one in self.columns
            ],
            "answers": [
                {"text": one.text, "count": one.count, "verdict": one.value, "sure": one.sure} for one in self.answers
            ],
            "captures": [
                {
                    "field": one.field,
                    "place": one.place,
                    "pattern": one.pattern,
                    "example": one.example,
                    "sure": one.sure,
                }
                for one in self.captures
            ],
            "constants": dict(self.constants),
            "brings_items": self.brings_items,
            "brings_entities": self.brings_entities,
            "maps": {
                name: [{"text": one.text, "count": one.count, "choice": one.value, "sure": one.sure} for one in answers]
                for name, answers in self.maps.items()
            },
            "fill_down": list(self.fill_down),
            "skip_when_empty": [list(keys) for keys in self.skip_when_empty],
            "document": self.document,
            "sure_constants": list(self.sure_constants),
            "repeats": "refuse",
            "inspection_by_day": self.is_one_inspection_a_day,
            "series": {"values": list(self.series.values), "prefix": self.series.prefix} if self.series else None,
            "fields": {kind: list(names) for kind, names in FIELDS.items()},
            "questions": list(self.questions),
            "toml": self.toml,
        }
