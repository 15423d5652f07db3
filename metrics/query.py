"""A question in the catalog's names: metrics × dimensions × filters × known-at × scope."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime

from metrics.catalog import DIMENSIONS, METRICS

PERIOD_COLUMNS = {
    r"FY\d{4}": "fiscal_year",
    r"FY\d{4}-H[12]": "fiscal_half",
    r"FY\d{4}-Q[1-4]": "fiscal_quarter",
    r"\d{4}-\d{2}": "fiscal_month",
}


OUTSIDE = "outside-scope"
"""In place of the code of an entity that the reader may not see, where a row in the scope names it."""


class QueryProblem(ValueError):
    """A question that cannot be asked; the text names every problem, with the nearest known name."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Ids that figures are held to, by dimension; an empty tuple means everything. Periods by their codes, inclusive."""

    region: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    business_group: tuple[str, ...] = ()
    entity_kind: tuple[str, ...] = ()
    entity: tuple[str, ...] = ()
    inspection_type: tuple[str, ...] = ()
    inspecting_entity: tuple[str, ...] = ()
    fiscal_year: tuple[str, ...] = ()
    fiscal_half: tuple[str, ...] = ()
    fiscal_quarter: tuple[str, ...] = ()
    fiscal_month: tuple[str, ...] = ()
    checklist_version: tuple[str, ...] = ()
    domain: tuple[str, ...] = ()
    measure: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    item: tuple[str, ...] = ()
    item_lineage: tuple[str, ...] = ()
    control: tuple[str, ...] = ()
    verdict: tuple[str, ...] = ()
    self_verdict: tuple[str, ...] = ()
    answer: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    age_band: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    period_from: str | None = None
    period_to: str | None = None

    def chosen(self) -> dict[str, tuple[str, ...]]:
        """The filters in use, by dimension."""
        return {name: getattr(self, name) for name in DIMENSIONS if getattr(self, name)}

    def sentence(self, language: str = "en") -> str:
        """The filters in words; ids stand as they are."""
        parts = []
        for name, values in self.chosen().items():
            label = DIMENSIONS[name].label_ja if language == "ja" else DIMENSIONS[name].label_en
            parts.append(f"{label}: {'、'.join(values)}" if language == "ja" else f"{label}: {', '.join(values)}")
        if self.period_from or self.period_to:
            span = f"{self.period_from or '…'} – {self.period_to or '…'}"
            parts.append(f"期間: {span}" if language == "ja" else f"period: {span}")
        if not parts:
            return "すべて" if language == "ja" else "everything"
        return "、".join(parts) if language == "ja" else "; ".join(parts)


assert {one.name for one in fields(Filters)} == {*DIMENSIONS, "period_from", "period_to"}


@dataclass(frozen=True, slots=True)
class Scope:
    """What the reader may see: entities by code, inspection types and domains; None means all of them."""

    entity_codes: tuple[str, ...] | None = None
    inspection_types: tuple[str, ...] | None = None
    domains: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        # A text in place of a tuple would be taken letter by letter, and could show what it was to hide.
        wrong = [name for name in ("entity_codes", "inspection_types", "domains") if not _are_ids(getattr(self, name))]
        if wrong:
            raise QueryProblem(f"a scope is made of tuples of texts; {', '.join(wrong)} is none")

    @property
    def is_whole(self) -> bool:
        """Whether it leaves nothing out."""
        return self.entity_codes is None and self.inspection_types is None and self.domains is None


@dataclass(frozen=True, slots=True)
class Query:
    """A question. Raises QueryProblem when it is made of names that are not in the catalog or do not go together.

    Without `with_entities` the entities behind the figures are not counted, which is most of the work.
    """

    metrics: tuple[str, ...]
    by: tuple[str, ...] = ()
    filters: Filters = field(default_factory=Filters)
    known_at: datetime | None = None
    scope: Scope = field(default_factory=Scope)
    with_entities: bool = True

    def __post_init__(self) -> None:
        problems = [_unknown("metric", name, METRICS) for name in self.metrics if name not in METRICS]
        problems += [_unknown("dimension", name, DIMENSIONS) for name in self.by if name not in DIMENSIONS]
        if not self.metrics:
            problems.append("no metric is named")
        if not problems:
            problems += [
                f"{METRICS[metric].name} cannot be split by {name}: it is not known there"
                for metric in self.metrics
                for name in self.by
                if METRICS[metric].fact not in DIMENSIONS[name].facts
            ]
        if len(set(self.by)) < len(self.by) or len(set(self.metrics)) < len(self.metrics):
            problems.append("a name is given twice")
        problems += list_filter_problems(self.filters, self.known_at)
        if problems:
            raise QueryProblem("; ".join(problems))


def list_filter_problems(filters: Filters, known_at: datetime | None) -> list[str]:
    """What is wrong with filters and a moment of knowledge, whatever is asked of them."""
    problems = [
        f"'{code}' is no period such as FY2025, FY2025-H1, FY2025-Q3 or 2025-10"
        for code in (filters.period_from, filters.period_to)
        if code is not None and period_column(code) is None
    ]
    problems += [
        f"the filter {name} is no tuple of texts" for name in DIMENSIONS if not _are_ids(getattr(filters, name))
    ]
    if known_at is not None and known_at.tzinfo is not None:
        problems.append("known_at carries a time zone; it is UTC without one")
    return problems


def _are_ids(values: object) -> bool:
    return values is None or (isinstance(values, tuple) and all(isinstance(value, str) for value in values))


def period_column(code: str) -> str | None:
    """The dimension whose ids look like the code."""
    return next((name for pattern, name in PERIOD_COLUMNS.items() if re.fullmatch(pattern, code)), None)


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f"there is no {kind} '{name}'" + (f"; did you mean {near[0]}?" if near else "; see python -m metrics list")
