"""Headlines: what passes a test is told, what is chance is not, and each number says where it comes from."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from insights.headlines import (
    KINDS,
    LEVEL,
    Headline,
    choose_headlines,
    tell_chronic,
    tell_count,
    tell_gaps,
    tell_moves,
    tell_restatements,
)
from insights.intervals import compare_periods, compare_with_rest
from metrics.query import Filters, Query
from metrics.spells import SpellsQuery

METRIC = "compliance_rate"
BEFORE, AFTER = (Query((METRIC,), (), Filters(period_from=half, period_to=half)) for half in ("FY2024-H1", "FY2024-H2"))
REGIONS = ("JP", "AM", "EU", "CN", "AS")


def draw_group(seed: int, shift: dict[str, float] | None = None, level: float = 0.92) -> pd.DataFrame:
    """Sums of 100 entities in five regions around one rate; `shift` moves regions."""
    chance = np.random.default_rng(seed)
    regions = np.repeat(REGIONS, 20)
    rate = level + chance.normal(0, 0.03, 100) + np.array([(shift or {}).get(region, 0.0) for region in regions])
    weights = chance.integers(100, 200, 100).astype(float)
    return pd.DataFrame(
        {
            "region": regions,
            "entity": [f"E{number}" for number in range(100)],
            "numerator": chance.binomial(weights.astype(int), np.clip(rate, 0, 1)).astype(float),
            "denominator": weights,
        }
    )


def tell_all(before: pd.DataFrame, after: pd.DataFrame) -> list[Headline]:
    moves = compare_periods(before, after)
    facts = tell_moves("group_move", moves, METRIC, BEFORE, AFTER)
    facts += tell_moves("region_move", compare_periods(before, after, "region"), METRIC, BEFORE, AFTER, "region")
    return facts + tell_gaps("region_gap", compare_with_rest(after, "region"), METRIC, AFTER, "region")


def test_region_that_lies_low_is_told_and_the_group_is_not() -> None:
    low = {"CN": -0.08}
    found = choose_headlines(tell_all(draw_group(1, low), draw_group(2, low)))
    assert [(one.kind, one.ids) for one in found.told] == [("region_gap", (("region", "CN"),))]
    (headline,) = found.told
    values = headline.values()
    after = draw_group(2, low)
    own = after["region"] == "CN"
    sums = after.groupby(own)[["numerator", "denominator"]].sum()
    assert values["rate"] == pytest.approx(sums.loc[True, "numerator"] / sums.loc[True, "denominator"])
    assert values["rest"] == pytest.approx(sums.loc[False, "numerator"] / sums.loc[False, "denominator"])
    assert headline.low is not None and headline.high is not None
    assert headline.low < values["rate"] - values["rest"] < headline.high < 0
    rate, rest = headline.numbers
    assert [term.query for term in rate.terms] == [
        Query((METRIC,), (), Filters(region=("CN",), period_from="FY2024-H2", period_to="FY2024-H2"))
    ]
    assert [(term.column, term.sign) for term in rest.over] == [
        (f"{METRIC}_denominator", 1),
        (f"{METRIC}_denominator", -1),
    ]


def test_fall_of_the_group_is_told_with_its_change() -> None:
    found = choose_headlines(tell_all(draw_group(1), draw_group(2, level=0.88)))
    first = found.told[0]
    values = first.values()
    assert first.kind == "group_move" and values["change"] == pytest.approx(values["after"] - values["before"])
    assert values["change"] < -0.02 and first.p_value is not None and first.p_value < 0.01


def test_alike_groups_are_told_of_in_no_more_than_one_case_in_twenty() -> None:
    """Nominal: under the null of every comparison a false discovery rate of 5 % is a chance of 5 % of any headline."""
    alarms = sum(
        bool(choose_headlines(tell_all(draw_group(2 * seed), draw_group(2 * seed + 1))).told) for seed in range(150)
    )
    # Two standard errors of 5 % over 150 groups are 3.6 %.
    assert alarms / 150 <= LEVEL + 0.036


def test_what_lies_high_or_moved_too_little_to_be_seen_is_not_told() -> None:
    assert choose_headlines(tell_all(draw_group(1, {"JP": 0.07}), draw_group(2, {"JP": 0.07}))).told == ()
    same = draw_group(3).assign(denominator=1e6)
    tiny = same.assign(numerator=0.9e6), same.assign(numerator=0.9e6 + np.arange(100) % 7)
    assert choose_headlines(tell_moves("group_move", compare_periods(*tiny), METRIC, BEFORE, AFTER)).told == ()


def test_few_of_a_kind_are_told_the_largest_first() -> None:
    shift = {"CN": -0.10, "AS": -0.06, "EU": -0.14}
    found = choose_headlines(tell_all(draw_group(1), draw_group(2, shift)))
    moves = [one for one in found.told if one.kind == "region_move"]
    assert [one.id_of("region") for one in moves] == ["EU", "CN"]
    assert [list(KINDS).index(one.kind) for one in found.told] == sorted(
        list(KINDS).index(one.kind) for one in found.told
    )


def test_counts_of_nothing_are_silent() -> None:
    query = Query(("overdue_actions",))
    assert tell_count("overdue_actions", 0, query, "overdue_actions") == []
    assert tell_count("overdue_actions", float("nan"), query, "overdue_actions") == []
    (fact,) = tell_count("overdue_actions", 3, query, "overdue_actions")
    assert choose_headlines([fact]).told == (fact,)
    spells = pd.DataFrame({"is_critical": pd.Series([False, None, False], dtype=object)})
    assert tell_chronic(spells, SpellsQuery()) == [] == tell_chronic(spells.iloc[:0], SpellsQuery())


def test_rows_without_an_id_are_counted_but_are_no_subject() -> None:
    frame = draw_group(5, {"CN": -0.1})
    unnamed = frame.assign(region=frame["region"].where(frame["region"] != "CN", ""))
    facts = tell_gaps("region_gap", compare_with_rest(unnamed, "region"), METRIC, AFTER, "region")
    assert {one.id_of("region") for one in facts} == {"JP", "AM", "EU", "AS"}


def test_restated_figure_is_told_with_both_moments() -> None:
    then, now = datetime(2025, 10, 31), datetime(2026, 1, 1)
    restated = pd.DataFrame(
        {
            "period": ["FY2024-H1", "FY2024-H2", "FY2024-H2"],
            "entity": ["A", "B", "C"],
            "rate_then": [0.8, 0.9, np.nan],
            "rate_now": [0.7, 0.8999, 0.5],
        }
    )
    (fact,) = tell_restatements(restated, METRIC, Query((METRIC,)), then, now)
    assert fact.ids == (("entity", "A"), ("period", "FY2024-H1"))
    assert [number.terms[0].query.known_at for number in fact.numbers] == [then, now]


@settings(max_examples=40)
@given(
    some.lists(
        some.tuples(some.sampled_from(["JP", "EU", ""]), some.floats(0, 1), some.sampled_from([0.0, 1.0, 50.0])),
        max_size=8,
    )
)
def test_edges_are_silent_and_break_nothing(rows: list[tuple[str, float, float]]) -> None:
    frame = pd.DataFrame(
        {
            "region": pd.Series([row[0] for row in rows], dtype=object),
            "entity": pd.Series([f"E{number}" for number in range(len(rows))], dtype=object),
            "denominator": pd.Series([row[2] for row in rows], dtype=float),
            "numerator": pd.Series([row[1] * row[2] for row in rows], dtype=float),
        }
    )
    found = choose_headlines(tell_all(frame, frame))
    # Nothing moved, so only gaps between regions can be told.
    assert {one.kind for one in found.told} <= {"region_gap"}
    assert found.tested <= 8
