"""What was handed in for plans, as the build keeps it, is what the join of plans and inspections says at every moment."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pandas as pd
import pytest

from metrics.ask import answer
from metrics.catalog import DIMENSIONS, METRICS
from metrics.facts import FACTS
from metrics.query import Filters, Query, Scope
from metrics.rows import RowsQuery, list_rows
from metrics.warehouse import Warehouse
from tests.metrics.conftest import ANSWER_HEAD, PLAN_HEAD, WIDE_ENTITIES, WIDE_ITEMS, load, make_group

HALVES = ("FY2023-H2", "FY2024-H1")
# What was handed in, as every question found it before the build kept it.
JOINED = """cube_plan as not materialized (
    select p.*, h.inspections, h.handed_in_on
    from fct_plan p
    join (
        select p.plan_id, sum(case when i.known_to > $known_at then 1 else 0 end) as inspections,
            case when sum(case when i.known_to > $known_at then 1 else 0 end) > 0
                then min(coalesce(i.submitted_on, i.performed_on, cast(i.known_from as date))) end as handed_in_on
        from fct_plan p
        left join fct_inspection i
            on i.inspection_type = p.inspection_type and i.entity_id = p.entity_id and i.period_code = p.period_code
            and (p.inspecting_entity_id is null or i.inspecting_entity_id is null
                or i.inspecting_entity_id = p.inspecting_entity_id)
            and i.known_from <= $known_at
        where p.known_from <= $known_at and p.known_to > $known_at
        group by p.plan_id
    ) h on h.plan_id = p.plan_id
    where not p.is_cancelled
)"""
OF_PLANS = tuple(name for name, metric in METRICS.items() if metric.fact == "plans")
BY = [(), *((name,) for name, one in DIMENSIONS.items() if "plans" in one.facts), ("region", "fiscal_half")]
MOMENTS = [
    datetime(2023, 1, 1), datetime(2024, 3, 1), datetime(2024, 7, 1), datetime(2024, 7, 20), datetime(2024, 8, 15),
    datetime(2024, 9, 15), datetime(2024, 10, 15), datetime(2024, 11, 15), datetime(2026, 1, 1),
]  # fmt: skip


def write_plan(seed: int, share: float) -> str:
    """Self-checks and mutual checks of six entities: due days, inspectors and what is taken off again by chance."""
    chance = random.Random(seed)
    return PLAN_HEAD + "".join(
        f"E-{number},{half},{'2024-03' if half == HALVES[0] else '2024-09'}-{chance.choice((10, 25, 28))},{kind},"
        f"{inspector},{chance.choice(('', '', 'yes'))}\n"
        for half in HALVES
        for number in range(1, 7)
        for kind, inspectors in (("self_check", ("",)), ("mutual_check", ("E-1", "E-2", "")))
        for inspector in inspectors
        if chance.random() < share
    )


def write_answers(seed: int, share: float) -> str:
    """Inspections by chance, with and without inspector and day; handed in again they have other days."""
    chance = random.Random(seed)
    lines = []
    for half, month in ((HALVES[0], "2024-03"), (HALVES[1], "2024-09")):
        for number in range(1, 7):
            for kind, inspector in (("self_check", ""), ("mutual_check", "E-1"), ("mutual_check", "E-3")):
                if chance.random() < share:
                    days = [f"{month}-{chance.choice((5, 15, 27)):02}" if chance.random() < 0.6 else "" for _ in "ab"]
                    lines.append(f"E-{number},{half},1,○,{kind},{inspector},{min(days)},{max(days)},1,\n")
    return ANSWER_HEAD + "".join(lines)


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A group whose plans and inspections change from load to load, and come in no order of their moments."""
    group = make_group(tmp_path_factory.mktemp("changed"))
    load(group, "2020-01-01 00:00:00", entities=WIDE_ENTITIES, items=WIDE_ITEMS)
    load(group, "2024-02-01 00:00:00", plan=write_plan(1, 0.7))
    load(group, "2024-06-01 00:00:00", answers=write_answers(2, 0.4))
    load(group, "2024-07-10 00:00:00", answers=write_answers(3, 0.3))
    load(group, "2024-09-01 00:00:00", plan=write_plan(4, 0.4))
    load(group, "2024-10-01 00:00:00", answers=write_answers(5, 0.4))
    load(group, "2024-08-01 00:00:00", plan=write_plan(6, 0.3))
    load(group, "2024-07-15 00:00:00", answers=write_answers(7, 0.3))
    load(group, "2024-11-01 00:00:00", plan=write_plan(8, 0.4), answers=write_answers(9, 0.2))
    warehouse = Warehouse.open_newest(group.home.path)
    yield warehouse
    warehouse.close()


def test_plans_kept_are_those_of_the_join(changed: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [Query(OF_PLANS, by, Filters(), moment, Scope()) for moment in MOMENTS for by in BY]
    asked += [Query(OF_PLANS, by, Filters(), MOMENTS[-1], Scope(entity_codes=("E-2", "E-3"))) for by in BY]
    listed = [RowsQuery("plans", Filters(), moment, Scope(), limit=5000) for moment in MOMENTS]
    found = [answer(changed, query).frame for query in asked]
    pages = [list_rows(changed, query) for query in listed]
    with monkeypatch.context() as patched:
        patched.setitem(FACTS, "plans", replace(FACTS["plans"], tables=(JOINED,)))
        for query, frame in zip(asked, found, strict=True):
            pd.testing.assert_frame_equal(frame, answer(changed, query).frame, obj=str(query))
        for query, page in zip(listed, pages, strict=True):
            whole = list_rows(changed, query)
            assert page.total == whole.total
            pd.testing.assert_frame_equal(page.frame, whole.frame, obj=str(query))
    whole = [answer(changed, Query(OF_PLANS, (), Filters(), moment, Scope())).frame.iloc[0] for moment in MOMENTS]
    for metric in ("planned_inspections", "performed_inspections", "late_inspections", "missing_inspections"):
        assert len({row[metric] for row in whole[1:]}) > 3, metric
