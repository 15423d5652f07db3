"""Columns that come again and again with another number, such as Q1 Score and Q2 Score: one column for several rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from etl.cells import Row
from etl.proposing.look import LOOK_CELLS, Look

LEAST_VALUES: Final = 2
LEAST_COLUMNS: Final = 2
_NUMBER: Final = re.compile(r"(?<![\d.])\d{1,4}(?![\d.])")


@dataclass(frozen=True, slots=True)
class Series:
    """The numbers that change in the headings, and what comes before them in the first heading (Q, FY, nothing)."""

    values: tuple[str, ...]
    prefix: str


def stack(look: Look) -> tuple[Look, Series | None]:
    """The table with the columns of a series one below the other, each heading with {} for the number; or as it is."""
    found = _find(look.heading)
    if not found:
        return look, None
    values, templates = found
    alone = [
        position
        for position in range(len(look.heading))
        if not any(position in places.values() for places in templates.values())
    ]
    heading = [look.heading[position] for position in alone] + list(templates)
    rows: list[Row] = []
    most = max(1, LOOK_CELLS // (len(heading) * len(values)))
    for value in values:
        places = [*alone, *(templates[template][value] for template in templates)]
        for row in look.rows[:most]:
            stacked = [row[place] if place < len(row) else None for place in places]
            # A row says nothing of a number in whose columns nothing stands.
            if any(stacked[len(alone) :]):
                rows.append(stacked)
    if not rows:
        return look, None
    prefix = re.search(r"([A-Za-z]*)\{\}", next(iter(templates)))
    return (
        replace(look, heading=tuple(heading), rows=tuple(rows), merged=frozenset()),
        Series(values, prefix[1].upper() if prefix else ""),
    )


def _find(heading: Sequence[str]) -> tuple[tuple[str, ...], dict[str, dict[str, int]]] | None:
    """Values and, for each heading with {} in the number's place, the position of each value."""
    places: dict[str, dict[str, int]] = {}
    for position, text in enumerate(heading):
        plain = " ".join(text.split())
        match = _NUMBER.search(plain)
        if match and "{" not in plain and "}" not in plain:
            template = f"{plain[: match.start()]}{{}}{plain[match.end() :]}"
            places.setdefault(template, {}).setdefault(match[0], position)
    groups: dict[tuple[str, ...], list[str]] = {}
    for template, by_value in places.items():
        if len(by_value) >= LEAST_VALUES and re.search(r"[^\W\d_]", template.replace("{}", "")):
            groups.setdefault(tuple(sorted(by_value, key=int)), []).append(template)
    fitting = {values: templates for values, templates in groups.items() if len(templates) >= LEAST_COLUMNS}
    if not fitting:
        return None
    values = max(fitting, key=lambda one: len(one) * len(fitting[one]))
    return values, {template: places[template] for template in fitting[values]}
