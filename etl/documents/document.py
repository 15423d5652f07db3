"""What a reader hands over: the kind of document it recognised, and its tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from etl.cells import Row


@dataclass(frozen=True, slots=True)
class Document:
    """A document that is no table: its kind, and its tables by name, each with its heading as the first row."""

    name: str
    tables: dict[str, list[Row]]


def make_table(heading: tuple[str, ...], rows: Iterable[Mapping[str, str | None]]) -> list[Row]:
    """Rows given by heading, below that heading; a blank or missing cell is None."""
    table: list[Row] = [list(heading)]
    for row in rows:
        cells = [row.get(name) for name in heading]
        table.append([text if text and not text.isspace() else None for text in cells])
    return table


def join_texts(texts: Iterable[str | None], between: str = ", ") -> str | None:
    """The texts that are there, each once and in their order, as one."""
    return between.join(dict.fromkeys(text for text in texts if text)) or None
