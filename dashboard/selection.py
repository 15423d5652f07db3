"""What can be chosen, what the reader chose, and that choice in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal

from dashboard.periods import Grain, change_grain, is_within
from dashboard.words import N_, Label, Language, join_values, say_day, say_period, translate
from metrics.catalog import INSPECTION_TYPES


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter of several ids: its name in the address, its dimension, its label, and where its widget stands."""

    parameter: str
    dimension: str
    label: str
    place: Literal["first", "more", "when chosen"] = "first"


CHOICES: Final = (
    Choice("type", "inspection_type", N_("Inspection type")),
    Choice("region", "region", N_("Region")),
    Choice("group", "business_group", N_("Business group")),
    Choice("kind", "entity_kind", N_("Kind of entity")),
    Choice("measure", "measure", N_("Measure")),
    Choice("domain", "domain", N_("Domain"), "more"),
    Choice("country", "country", N_("Country"), "more"),
    Choice("entity", "entity", N_("Entity"), "more"),
    Choice("category", "category", N_("Category"), "more"),
    Choice("item", "item_lineage", N_("Checklist item"), "when chosen"),
)
TYPE_LABELS: Final = {name: Label(english, japanese) for name, english, japanese in INSPECTION_TYPES}
"""Names of all inspection types: a page may be about one of which the reader sees nothing."""
ITEM_DIMENSIONS: Final = ("measure", "domain", "category", "item_lineage")


@dataclass(frozen=True, slots=True)
class Options:
    """What can be chosen: the periods with results in order, and for each dimension its ids with their labels."""

    periods: dict[Grain, tuple[str, ...]]
    choices: dict[str, dict[str, Label]]
    first_known_on: date
    last_known_on: date


@dataclass(frozen=True, slots=True)
class Selection:
    """The reader's choice as ids; an empty tuple or None means no filter."""

    language: Language
    grain: Grain
    from_period: str | None
    to_period: str | None
    chosen: tuple[tuple[str, tuple[str, ...]], ...]
    known_on: date | None

    def values(self, dimension: str) -> tuple[str, ...]:
        """Ids chosen for a dimension."""
        return dict(self.chosen).get(dimension, ())

    def span(self, options: Options, grain: Grain | None = None) -> tuple[str, ...]:
        """The periods shown, in order; the two ends may be chosen in either order."""
        periods = options.periods[grain or self.grain]
        # An end of another length stands for the period of this length that it touches.
        ends = [end for end in (self.from_period, self.to_period) if end]
        if not ends:
            return periods
        first = self.from_period or change_grain(periods[0], self.grain, is_end=False)
        last = self.to_period or change_grain(periods[-1], self.grain, is_end=True)
        first, last = sorted((first, last))
        return tuple(period for period in periods if is_within(period, first, last))

    def without(self, dimension: str) -> Selection:
        """The choice with one filter dropped; `period` drops both ends."""
        if dimension == "period":
            return replace(self, from_period=None, to_period=None)
        if dimension == "known_at":
            return replace(self, known_on=None)
        return replace(self, chosen=tuple((name, () if name == dimension else ids) for name, ids in self.chosen))


def list_filters(selection: Selection) -> list[str]:
    """The dimensions that are filtered, `period` and `known_at` included."""
    named = [name for name, ids in selection.chosen if ids]
    named += ["period"] if selection.from_period or selection.to_period else []
    return named + (["known_at"] if selection.known_on else [])


def name_filter(dimension: str, language: Language) -> str:
    """Label of a filter."""
    labels = {choice.dimension: choice.label for choice in CHOICES}
    labels |= {"period": N_("Period"), "known_at": N_("As known at the end of")}
    return translate(language, labels[dimension])


def say_values(choices: Mapping[str, Label], ids: tuple[str, ...], language: Language, most: int = 5) -> str:
    """Names of ids in a row; of many, the first ones and how many more."""
    names = [choices[one].say(language) if one in choices else one for one in ids]
    if len(names) > most:
        rest = translate(language, "{number} more", number=len(names) - most)
        names = [*names[:most], rest]
    return join_values(language, names)


def say_span(selection: Selection, options: Options) -> str:
    """The periods shown, in words."""
    language = selection.language
    span = selection.span(options)
    if not span:
        return translate(language, "no period with results")
    first, last = say_period(span[0], language), say_period(span[-1], language)
    if len(span) == 1:
        return translate(language, "{first} only", first=first)
    return translate(language, "{first} to {last}", first=first, last=last)


def say_selection(selection: Selection, options: Options) -> str:
    """The choice as one sentence."""
    language = selection.language
    types = selection.values("inspection_type")
    filters = [
        translate(
            language,
            "{label}: {values}",
            label=translate(language, choice.label),
            values=say_values(options.choices[choice.dimension], selection.values(choice.dimension), language),
        )
        for choice in CHOICES
        if selection.values(choice.dimension) and choice.dimension != "inspection_type"
    ]
    if selection.known_on:
        filters.append(translate(language, "as known at the end of {day}", day=say_day(selection.known_on)))
    return translate(
        language,
        "{types}, {span}; {filters}.",
        types=say_values(TYPE_LABELS, types, language)
        if types
        else translate(language, "All inspection types together"),
        span=say_span(selection, options),
        # What ends with a full stop, as "Ltd." or a requirement does, ends the sentence too.
        filters=("; " if language == "en" else "。").join(text.rstrip("。") for text in filters).rstrip(".")
        or translate(language, "no further filter"),
    )
