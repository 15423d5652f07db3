"""Pairs and their counts read from the build are those of the join of answers that they stand for, in every figure, row and scope."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from etl.builds import Home
from etl.commands import Order, load_files
from etl.demo import write_demo
from metrics import compile as compiling
from metrics import rows
from metrics.ask import answer
from metrics.catalog import DIMENSIONS, METRICS
from metrics.compile import list_parameters
from metrics.facts import FACTS
from metrics.query import Filters, Query, Scope
from metrics.rows import RowsQuery, find_beginning, list_rows
from metrics.warehouse import Warehouse
from tests.metrics.conftest import ANSWER_HEAD, DOMAINS, MEASURES, WIDE_ENTITIES, load, make_group
from tests.metrics.inserted_group import Group as InsertedGroup

# How pairs were found at every question before the build kept them.
JOINED = """old_self_answer as not materialized (
    select
        n.entity_id, n.fiscal_half, i.lineage_code, i.domain, a.inspection_id, a.item_id, a.verdict, a.score, a.answer,
        a.comment
    from fct_inspection n
    join fct_answer a on a.inspection_id = n.inspection_id and a.known_from <= $known_at and a.known_to > $known_at
    join dim_item i on i.item_id = a.item_id and i.known_from <= $known_at and i.known_to > $known_at
    where n.known_from <= $known_at and n.known_to > $known_at and n.inspection_type = 'self_check'
        and a.score is not null and i.is_assessable
        -- Most self-checks have no outside check beside them.
        and exists (
            select 1 from fct_inspection o
            where o.entity_id = n.entity_id and o.fiscal_half = n.fiscal_half
                and o.inspection_type in ('mutual_check', 'affiliate_check', 'privacy_audit')
        )
),
fct_pair as not materialized (
    select
        a.inspection_id, a.item_id, s.inspection_id as self_inspection_id, s.item_id as self_item_id, a.verdict, a.score,
        s.verdict as self_verdict, s.score as self_score, s.domain as self_domain, a.known_from, a.known_to
    from fct_answer a
    join dim_item c on c.item_id = a.item_id and c.known_from <= $known_at and c.known_to > $known_at
    join fct_inspection f
        on f.inspection_id = a.inspection_id and f.known_from <= $known_at and f.known_to > $known_at
    join old_self_answer s
        on s.entity_id = f.entity_id and s.fiscal_half = f.fiscal_half and s.lineage_code = c.lineage_code
    where a.known_from <= $known_at and a.known_to > $known_at and c.is_assessable and a.score is not null
        and f.inspection_type in ('mutual_check', 'affiliate_check', 'privacy_audit')
)"""

OF_PAIRS = tuple(name for name, metric in METRICS.items() if metric.fact == "pairs")
BY = [
    (),
    *((name,) for name, one in DIMENSIONS.items() if "pairs" in one.facts),
    ("region", "fiscal_half"),
]
# One of each table that a pair is joined with, at every moment.
BY_VERDICT = ("region", "verdict", "self_verdict")
BY_TABLE = [BY_VERDICT, ("region", "measure"), ("entity", "inspecting_entity"), ("item_lineage", "category")]
SCOPES = [
    Scope(inspection_types=("self_check", "mutual_check")), Scope(inspection_types=("mutual_check",)),
    Scope(inspection_types=("self_check",)), Scope(domains=(DOMAINS[0],)), Scope(domains=(DOMAINS[1],)),
]  # fmt: skip

ITEM_HEAD = "version,item,measure,weight,domain,category,assessable,control\n"
LINEAGE = """[source]
name = "t_lineage"
format = "csv"
[recognise]
header = ["from item", "to item"]
[columns]
old = "from item"
new = "to item"
[[record]]
kind = "lineage"
[record.fields]
checklist_code = "'SC'"
from_version = "'1'"
from_item_code = "old"
to_version = "'2'"
to_item_code = "new"
change = "'carried_over'"
"""


def write_items(version: str, seed: int, headings: tuple[int, ...] = ()) -> str:
    """Twelve items of a version, of domains, measures and weights by chance."""
    chance = random.Random(seed)
    return ITEM_HEAD + "".join(
        f"{version},{number},{chance.choice(MEASURES)},{chance.choice((0, 0.1, 1, 2.5))},{chance.choice(DOMAINS)},"
        f"K{chance.randint(1, 3)},{'no' if number in headings else 'yes'},A.{number % 3}\n"
        for number in range(1, 13)
    )


def write_answers(seed: int, share: float) -> str:
    """Self-checks in version 1 or 2, mutual and affiliate checks and audits, in two halves; a share of the items only."""
    chance = random.Random(seed)
    lines = []
    for half, day in (("FY2023-H2", "2023-12-10"), ("FY2024-H1", "2024-06-10")):
        for number in range(1, 7):
            told = [("self_check", "", "2" if number % 2 else "1")]
            told += [("mutual_check", "E-1", "1")] if number > 1 else []
            told += [("affiliate_check", "E-2", "1"), ("privacy_audit", "", "2")] if number % 3 == 0 else []
            for kind, inspector, version in told:
                # Handed in again on another day: the inspection changes and not its answers alone.
                performed = day if chance.random() < 0.7 else day[:-2] + "20"
                lines += [
                    f"E-{number},{half},{item},{chance.choice('○○△×－')},{kind},{inspector},{performed},,{version},\n"
                    for item in range(1, 13)
                    if chance.random() < share
                ]
    return ANSWER_HEAD + "".join(lines)


# --- the same figures as the join ----------------------------------------------------------------


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A group with corrections, inspections handed in again, changed masters and several outside checks of one half."""
    group = make_group(tmp_path_factory.mktemp("mixed"))
    group.add_source("t_lineage", LINEAGE)
    load(group, "2020-01-01 00:00:00", entities=WIDE_ENTITIES, one=write_items("1", 1), two=write_items("2", 2))
    load(group, "2024-07-01 00:00:00", answers=write_answers(3, 1.0))
    load(group, "2024-08-01 00:00:00", lineage="from item,to item\n" + "".join(f"{n},{n + 2}\n" for n in range(1, 9)))
    load(group, "2024-09-01 00:00:00", mended=write_answers(4, 0.3))
    load(group, "2024-10-01 00:00:00", one=write_items("1", 5, (4, 5)))
    load(group, "2024-11-01 00:00:00", mended=write_answers(6, 0.2))
    load(group, "2024-08-15 00:00:00", late=write_answers(7, 0.1))
    load(group, "2024-12-01 00:00:00", two=write_items("2", 8, (3,)))
    warehouse = Warehouse.open_newest(group.home.path)
    yield warehouse
    warehouse.close()


MOMENTS = [
    datetime(2024, 6, 30), datetime(2024, 7, 1), datetime(2024, 8, 14), datetime(2024, 8, 15), datetime(2024, 9, 15),
    datetime(2024, 10, 15), datetime(2024, 11, 15), datetime(2024, 12, 1), datetime(2026, 1, 1),
]  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The demo group, with fewer entities, items and rounds."""
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder / "exports", entities=40, items=40, rounds=6)
    load_files(Home(folder / "home"), Order([folder / "exports"]), lambda *_: None)
    warehouse = Warehouse.open_newest(folder / "home")
    yield warehouse
    warehouse.close()


def ask(warehouse: Warehouse, by: tuple[str, ...], known_at: datetime, scope: Scope) -> pd.DataFrame:
    """Every metric of pairs, in an order of their own; their number comes by itself where verdicts tell them apart."""
    frame = answer(warehouse, Query(OF_PAIRS, by, Filters(), known_at, scope)).frame
    if by[-1:] == BY_VERDICT[-1:]:
        number = answer(warehouse, Query(("pairs",), by, Filters(verdict=("met", "not_met")), known_at, scope)).frame
        frame = frame.merge(number, how="left", on=list(by), suffixes=("", "_alone"))
    return frame.sort_values(list(by), ignore_index=True) if by else frame


def hold_to_join(
    warehouse: Warehouse, moments: list[datetime], scopes: list[Scope], monkeypatch: pytest.MonkeyPatch
) -> list[float]:
    """Hold every figure and row of pairs to those of the join; how many pairs there are at each moment."""
    held = [(moment, Scope()) for moment in moments] + [(moments[-1], scope) for scope in scopes]
    asked = [(by, *one) for one in held for by in (BY_TABLE if one[1] == Scope() else BY[:1])]
    asked += [(by, moments[-1], Scope()) for by in BY]
    listed = [RowsQuery("pairs", Filters(), *one, limit=5000) for one in held]
    found = [ask(warehouse, *one) for one in asked]
    pages = [list_rows(warehouse, query) for query in listed]
    with monkeypatch.context() as patched:
        patched.setitem(FACTS, "pairs", replace(FACTS["pairs"], tables=(JOINED,)))
        patched.setattr(compiling, "_is_in_cube_pair", lambda *_: False)
        for one, frame in zip(asked, found, strict=True):
            pd.testing.assert_frame_equal(frame, ask(warehouse, *one), rtol=1e-12, obj=str(one))
        for query, page in zip(listed, pages, strict=True):
            joined = list_rows(warehouse, query)
            assert page.total == joined.total
            pd.testing.assert_frame_equal(page.frame, joined.frame, obj=str(query))
    return [float(ask(warehouse, (), moment, Scope())["pairs"].fillna(0).iloc[0]) for moment in moments]


def test_pairs_kept_are_those_of_the_join(mixed: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = hold_to_join(mixed, MOMENTS, SCOPES, monkeypatch)
    assert counts[0] == 0 and min(counts[1:]) > 50 and len(set(counts)) > 5


def test_pairs_kept_are_those_of_the_join_in_the_demo_group(demo: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = [datetime(2024, 6, 1), datetime(2025, 12, 9), datetime(2025, 12, 11), demo.newest_known_at()]
    scopes = [Scope(domains=(DOMAINS[1],)), Scope(entity_codes=("ST-0001", "AF-0002", "AF-0003"))]
    assert hold_to_join(demo, moments, scopes, monkeypatch)[-1] > 1000


def test_first_rows_are_those_of_all_rows(mixed: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    listed, begun = [], 0
    # Limits that end within an inspection, with its last row, and beyond what is known.
    for listing, limits in (("answers", (1, 12, 30, 5000)), ("pairs", (1, 3, 7))):
        for filters in (
            Filters(), Filters(region=("JP", "US")), Filters(inspection_type=("mutual_check", "affiliate_check")),
            Filters(inspecting_entity=("E-1",), period_from="FY2024-H1"), Filters(measure=MEASURES[:2]),
        ):  # fmt: skip
            for moment in MOMENTS[1:]:
                for number, limit in enumerate(limits):
                    query = RowsQuery(listing, filters, moment, limit=limit, offset=number % 2 * 5)
                    listed.append((query, list_rows(mixed, query)))
                    begun += bool(find_beginning(mixed, query, read_parameters(query)))
    assert begun > len(listed) / 3
    with monkeypatch.context() as patched:
        patched.setattr(rows, "find_beginning", lambda *_: {})
        for query, page in listed:
            whole = list_rows(mixed, query)
            assert page.total == whole.total
            pd.testing.assert_frame_equal(page.frame, whole.frame, obj=str(query))


def read_parameters(query: RowsQuery) -> dict[str, Any]:
    """What `list_rows` hands on."""
    moment = query.known_at
    assert moment
    return list_parameters(query.filters, query.scope, moment) | {"limit": query.limit, "offset": query.offset}


def test_total_of_a_listing_is_the_number_of_its_rows(mixed: Warehouse) -> None:
    for listing in ("answers", "pairs"):
        for filters in (Filters(), Filters(measure=MEASURES[:1], verdict=("met",)), Filters(region=("none",))):
            page = list_rows(mixed, RowsQuery(listing, filters, limit=5000))
            assert page.total == len(page.frame)


def test_who_may_not_see_the_domain_of_either_item_sees_no_pair(tmp_path: Path) -> None:
    group = InsertedGroup(tmp_path)
    group.entity("E-1")
    group.item("old", domain=DOMAINS[0], lineage_code="L")
    group.item("new", domain=DOMAINS[1], lineage_code="L", checklist_version="2023")
    group.inspection("E-1", verdicts={"new": "met"})
    group.inspection("E-1", verdicts={"old": "not_met"}, inspection_type="mutual_check")
    group.write()
    warehouse = Warehouse.open_newest(tmp_path)
    for domains, count in ((None, 1), (DOMAINS, 1), (DOMAINS[:1], 0), (DOMAINS[1:], 0)):
        frame = answer(warehouse, Query(("pairs",), scope=Scope(domains=domains))).frame
        assert frame["pairs"].fillna(0).iloc[0] == count
        assert list_rows(warehouse, RowsQuery("pairs", scope=Scope(domains=domains))).total == count
    warehouse.close()


# --- rates of both sides -------------------------------------------------------------------------


@pytest.fixture
def weighted(tmp_path: Path) -> Iterator[Warehouse]:
    """E-1: weights 3 and 1, self met and partly, outside partly and met; E-2: weight 0; E-3: the same on both sides."""
    group = InsertedGroup(tmp_path)
    group.item("heavy", weight=3.0)
    group.item("light", weight=1.0)
    group.item("none", weight=0.0)
    group.item("tenth", weight=0.1)
    group.item("fifth", weight=0.2)
    for code, mine, theirs in (
        ("E-1", {"heavy": "met", "light": "partly_met"}, {"heavy": "partly_met", "light": "met"}),
        ("E-2", {"none": "met"}, {"none": "not_met"}),
        ("E-3", {"tenth": "met", "fifth": "met", "light": "not_met"}, {"fifth": "met", "tenth": "met", "light": "not_met"}),
    ):  # fmt: skip
        group.entity(code)
        group.inspection(code, verdicts=mine)
        group.inspection(code, verdicts=theirs, inspection_type="affiliate_check")
    group.write()
    warehouse = Warehouse.open_newest(tmp_path)
    yield warehouse
    warehouse.close()


RATES = ("paired_self_rate", "paired_outside_rate", "optimism_gap")


def rates(warehouse: Warehouse, **filters: Any) -> list[float]:
    return list(answer(warehouse, Query(RATES, filters=Filters(**filters))).frame.iloc[0][list(RATES)])


def test_gap_is_weighted_self_score_less_weighted_outside_score(weighted: Warehouse) -> None:
    assert rates(weighted, entity=("E-1",)) == [3.5 / 4, 2.5 / 4, 1 / 4]
    assert rates(weighted, entity=("E-3",))[2] == 0
    whole = answer(weighted, Query(RATES)).frame.iloc[0]
    assert whole["optimism_gap_denominator"] == pytest.approx(5.3) and whole["optimism_gap_contributing"] == 2
    assert whole["optimism_gap"] == pytest.approx(whole["paired_self_rate"] - whole["paired_outside_rate"])
    assert METRICS["optimism_gap"].unit == "share" and METRICS["optimism_gap"].direction == "lower_is_better"


def test_pairs_without_weight_or_without_pairs_say_nothing(weighted: Warehouse) -> None:
    assert all(pd.isna(value) for value in rates(weighted, entity=("E-2",)))
    assert all(pd.isna(value) for value in rates(weighted, entity=("E-9",)))
    by_entity = answer(weighted, Query(RATES, ("entity",))).frame
    assert by_entity["entity"].tolist() == ["E-1", "E-3"]
    # The pair is counted all the same.
    assert answer(weighted, Query(("pairs",), filters=Filters(entity=("E-2",)))).frame["pairs"].tolist() == [1]
