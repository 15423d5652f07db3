"""What can be chosen, what the reader chose, and that choice in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from dashboard import words
from dashboard.words import Language, Text, say_half


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter of several ids: its name in the address, its dimension and its label."""

    parameter: str
    dimension: str
    label: Text


CHOICES: Final = (
    Choice("region", "region", words.REGION),
    Choice("group", "business_group", words.BUSINESS_GROUP),
    Choice("kind", "entity_kind", words.ENTITY_KIND),
    Choice("measure", "measure", words.MEASURE),
    Choice("domain", "domain", words.DOMAIN),
)


@dataclass(frozen=True, slots=True)
class Options:
    """What can be chosen: the halves with results in order, and for each dimension its ids with their labels."""

    halves: tuple[str, ...]
    choices: dict[str, dict[str, Text]]
    first_known_on: date
    last_known_on: date


@dataclass(frozen=True, slots=True)
class Selection:
    """The reader's choice as ids; an empty tuple or None means no filter."""

    language: Language
    inspection_type: str
    from_half: str | None
    to_half: str | None
    chosen: tuple[tuple[str, tuple[str, ...]], ...]
    known_on: date | None

    def values(self, dimension: str) -> tuple[str, ...]:
        """Ids chosen for a dimension."""
        return dict(self.chosen).get(dimension, ())

    def span(self, options: Options) -> tuple[str, ...]:
        """The halves shown, in order; the two ends may be chosen in either order."""
        ends = sorted((self.from_half or options.halves[0], self.to_half or options.halves[-1]))
        return tuple(half for half in options.halves if ends[0] <= half <= ends[1])


def say_selection(selection: Selection, options: Options) -> str:
    """The choice as one sentence."""
    language = selection.language
    span = selection.span(options)
    text = words.SPAN if len(span) > 1 else words.ONE_HALF
    filters = [
        words.FILTER_VALUES.say(
            language,
            label=choice.label.say(language),
            values=words.VALUE_JOIN.say(language).join(
                options.choices[choice.dimension][value].say(language) for value in selection.values(choice.dimension)
            ),
        )
        for choice in CHOICES
        if selection.values(choice.dimension)
    ]
    return words.SHOWN.say(
        language,
        inspection_type=options.choices["inspection_type"][selection.inspection_type].say(language),
        span=text.say(language, first=say_half(span[0], language), last=say_half(span[-1], language)),
        filters=words.FILTER_JOIN.say(language).join(filters) or words.EVERYTHING_ELSE.say(language),
    )
