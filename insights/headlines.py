"""What should be known of a period: facts that pass a test, each with the questions that give its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, cast

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from metrics.query import Query
from metrics.spells import SpellsQuery

LEVEL: Final = 0.05
"""Share of the tested facts told that may be chance (Benjamini & Hochberg 1995)."""
LEAST_MOVE: Final = 0.001
"""A rate that moved by less than a tenth of a point did not move, as figures are written."""
KINDS: Final[dict[str, int]] = {
    "group_move": 1,
    "region_gap": 2,
    "optimistic_region": 2,
    "region_move": 2,
    "measure_move": 2,
    "measure_gap": 1,
    "chronic_critical": 1,
    "restated": 1,
    "lapsed_privacymarks": 1,
    "overdue_actions": 1,
    "missing_inspections": 1,
}
"""Kinds of headlines in the order in which they are told, and how many of each at the most."""


@dataclass(frozen=True, slots=True)
class Term:
    """The sum of a column of the answer to a question, added or taken away."""

    query: Query | SpellsQuery
    column: str
    sign: int = 1


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a sentence: the sum of its terms, divided by the sum of `over` where there is any."""

    name: str
    value: float
    terms: tuple[Term, ...]
    over: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Headline:
    """A fact: its kind, the ids it is about by dimension, its numbers, and how sure it is.

    `low` and `high` are the 95 % interval of the number that the kind is about; they and `p_value` are None for a plain
    count. `size` orders facts of one kind, the largest first.
    """

    kind: str
    ids: tuple[tuple[str, str], ...]
    numbers: tuple[Number, ...]
    size: float
    p_value: float | None = None
    low: float | None = None
    high: float | None = None

    def values(self) -> dict[str, float]:
        """Its numbers by name."""
        return {number.name: number.value for number in self.numbers}

    def id_of(self, dimension: str) -> str:
        """The id that it is about."""
        return dict(self.ids)[dimension]


@dataclass(frozen=True, slots=True)
class Headlines:
    """What is told, and how many comparisons were made to find it."""

    told: tuple[Headline, ...]
    tested: int


def choose_headlines(candidates: Iterable[Headline], level: float = LEVEL) -> Headlines:
    """The facts that pass: tested ones at a false discovery rate over all comparisons made, counts as they are.

    Benjamini & Hochberg (1995), J R Stat Soc B 57:289: of the tested facts that are told, no more than `level` are
    expected to be chance. Silent where none passes. Comparisons without a p-value were not possible and not made.
    """
    facts = list(candidates)
    tested = [one for one in facts if one.p_value is not None and not np.isnan(one.p_value)]
    passed = [one for one in facts if one.p_value is None]
    if tested:
        adjusted = false_discovery_control([cast(float, one.p_value) for one in tested])
        passed += [one for one, chance in zip(tested, adjusted, strict=True) if chance <= level]
    told = []
    for kind, most in KINDS.items():
        of_kind = sorted((one for one in passed if one.kind == kind), key=lambda one: (-one.size, one.ids))
        told += of_kind[:most]
    return Headlines(tuple(told), len(tested))


def tell_moves(
    kind: str, moves: pd.DataFrame, metric: str, before: Query, after: Query, dimension: str | None = None
) -> list[Headline]:
    """Changes of a rate between two periods, from what `intervals.compare_periods` gives for each id of a dimension."""
    facts = []
    for row in _list_named(moves, "p_value", dimension):
        old, new = (_hold(query, dimension, row) for query in (before, after))
        numbers = (
            Number("before", row["rate_before"], (Term(old, metric),)),
            Number("after", row["rate_after"], (Term(new, metric),)),
            Number("change", row["change"], (Term(new, metric), Term(old, metric, -1))),
        )
        # A move that is too small to be seen is tested like the others, but never told.
        p_value = row["p_value"] if abs(row["change"]) >= LEAST_MOVE else 1.0
        facts.append(_tell(kind, dimension, row, numbers, abs(row["change"]), p_value))
    return facts


def tell_gaps(kind: str, gaps: pd.DataFrame, metric: str, query: Query, dimension: str) -> list[Headline]:
    """Ids whose rate lies below that of all others, from what `intervals.compare_with_rest` gives."""
    facts = []
    up, down = f"{metric}_numerator", f"{metric}_denominator"
    for row in _list_named(gaps, "p_value", dimension):
        own = _hold(query, dimension, row)
        rest = tuple((Term(query, column), Term(own, column, -1)) for column in (up, down))
        numbers = (
            Number("rate", row["rate"], (Term(own, metric),)),
            Number("rest", row["rest_rate"], rest[0], rest[1]),
        )
        # What lies above the others is tested like the rest, so that the level holds, but needs nobody's attention.
        p_value = row["p_value"] if row["difference"] <= -LEAST_MOVE else 1.0
        facts.append(_tell(kind, dimension, row, numbers, -row["difference"], p_value))
    return facts


def tell_optimism(groups: pd.DataFrame, query: Query, dimension: str) -> list[Headline]:
    """Ids whose self-checks are kinder than those of all others, from what `calibration.compare_groups` gives.

    `query` asks for the metrics net_optimism and pairs.
    """
    facts = []
    up, down = "net_optimism_numerator", "net_optimism_denominator"
    for row in _list_named(groups, "p", dimension):
        own = _hold(query, dimension, row)
        rest = tuple((Term(query, column), Term(own, column, -1)) for column in (up, down))
        numbers = (
            Number("optimism", row["net_optimism"], (Term(own, "net_optimism"),)),
            Number("rest", row["rest_net_optimism"], rest[0], rest[1]),
            Number("pairs", row["pairs"], (Term(own, "pairs"),)),
        )
        p_value = row["p"] if row["effect"] > 0 and row["net_optimism"] > row["rest_net_optimism"] else 1.0
        facts.append(Headline("optimistic_region", ((dimension, row[dimension]),), numbers, row["effect"], p_value))
    return facts


def tell_count(kind: str, value: float, query: Query | SpellsQuery, column: str) -> list[Headline]:
    """A count of what is open, late or lapsed; nothing where it is nothing."""
    if not value or np.isnan(value):
        return []
    return [Headline(kind, (), (Number("count", value, (Term(query, column),)),), value)]


def tell_chronic(spells: pd.DataFrame, query: SpellsQuery) -> list[Headline]:
    """Critical items that entities have not met for so many rounds as the question asks; spells as it lists them."""
    critical = spells[spells["is_critical"].fillna(False).astype(bool)]
    if critical.empty:
        return []
    count = Number("count", float(len(critical)), (Term(query, "is_critical"),))
    return [Headline("chronic_critical", (), (count,), float(len(critical)))]


def tell_restatements(
    restated: pd.DataFrame, metric: str, query: Query, then: datetime, now: datetime
) -> list[Headline]:
    """Figures of an entity and period that were restated, from what `restatements.find_restatements` gives.

    Columns period, entity, rate_then, rate_now; `query` is not held to a period.
    """
    known = restated.dropna(subset=["rate_then", "rate_now"])
    facts = []
    for row in known.to_dict("records"):
        filters = replace(query.filters, entity=(row["entity"],), period_from=row["period"], period_to=row["period"])
        told, today = (replace(query, filters=filters, known_at=moment) for moment in (then, now))
        numbers = (
            Number("then", row["rate_then"], (Term(told, metric),)),
            Number("now", row["rate_now"], (Term(today, metric),)),
        )
        ids = (("entity", row["entity"]), ("period", row["period"]))
        facts.append(Headline("restated", ids, numbers, abs(row["rate_now"] - row["rate_then"])))
    return [one for one in facts if one.size >= LEAST_MOVE]


def _list_named(frame: pd.DataFrame, tested: str, dimension: str | None) -> list[dict[Any, Any]]:
    """Rows with a p-value; those without an id are no subject of a sentence."""
    kept = frame.dropna(subset=[tested])
    named = kept[kept[dimension] != ""] if dimension else kept
    return cast(list[dict[Any, Any]], named.to_dict("records"))


def _tell(
    kind: str,
    dimension: str | None,
    row: dict[Any, Any],
    numbers: Sequence[Number],
    size: float,
    p_value: float,
) -> Headline:
    ids = ((dimension, row[dimension]),) if dimension else ()
    return Headline(kind, ids, tuple(numbers), size, p_value, row["low"], row["high"])


def _hold(query: Query, dimension: str | None, row: dict[Any, Any]) -> Query:
    """The question held to the row's id."""
    if dimension is None:
        return query
    held = cast(dict[str, Any], {dimension: (row[dimension],)})
    return replace(query, filters=replace(query.filters, **held))
