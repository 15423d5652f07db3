"""Traps held on rows inserted straight into the schema, which reach states that no load has produced yet."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from metrics.ask import answer
from metrics.query import Filters, Query, QueryProblem, Scope
from metrics.warehouse import Warehouse, WarehouseMissing, newest_build_name
from tests.metrics.inserted_group import Group

Open = Callable[[], Warehouse]


@pytest.fixture
def group(tmp_path: Path) -> Group:
    """An empty warehouse to add rows to."""
    return Group(tmp_path)


@pytest.fixture
def opened() -> Iterator[list[Warehouse]]:
    """Warehouses that are closed when the test ends."""
    warehouses: list[Warehouse] = []
    yield warehouses
    for warehouse in warehouses:
        warehouse.close()


@pytest.fixture
def open_group(group: Group, opened: list[Warehouse]) -> Open:
    """Write the group as a build and open it."""

    def run() -> Warehouse:
        group.write()
        opened.append(Warehouse.open_newest(group.home))
        return opened[-1]

    return run


def ask(warehouse: Warehouse, *metrics: str, by: tuple[str, ...] = (), **rest: Any) -> pd.DataFrame:
    return answer(warehouse, Query(metrics, by, **rest)).frame


def only(frame: pd.DataFrame) -> dict[str, Any]:
    """The single row of a frame."""
    assert len(frame) == 1
    return {str(key): value for key, value in frame.iloc[0].items()}


def fill(group: Group, entity: str, half: str = "FY2025-H1", **counts: int) -> int:
    """An inspection with so many answers of each verdict; items are made as needed."""
    verdicts = [verdict for verdict, count in counts.items() for _ in range(count)]
    for number in range(len(verdicts)):
        if str(number) not in group.item_ids:
            group.item(str(number))
    return group.inspection(entity, half, {str(number): verdict for number, verdict in enumerate(verdicts)})


# --- figures -------------------------------------------------------------------------------------


def test_ratio_of_sums_is_no_mean_of_rates(group: Group, open_group: Open) -> None:
    group.entity("A")
    group.entity("B")
    fill(group, "A", met=95, not_met=5)
    fill(group, "B", met=87, not_met=2)
    # Two light items bring B to 87.75 of 90.
    group.item("light-1", weight=0.5)
    group.item("light-2", weight=0.5)
    light = group.inspection("B", inspection_type="mutual_check")
    group.answer(light, "light-1", "met")
    group.answer(light, "light-2", "partly_met")
    warehouse = open_group()
    entities = ask(warehouse, "compliance_rate", by=("entity",))
    assert entities["compliance_rate"].tolist() == [0.95, 0.975]
    assert f"{entities['compliance_rate'].mean():.2%}" == "96.25%"
    total = only(ask(warehouse, "compliance_rate"))
    assert (total["compliance_rate_numerator"], total["compliance_rate_denominator"]) == (182.75, 190)
    assert f"{total['compliance_rate']:.2%}" == "96.18%"


def test_an_item_that_moves_to_another_measure_leaves_none_behind(group: Group, open_group: Open) -> None:
    group.entity("A")
    moved = datetime(2025, 12, 1)
    group.item("1", "physical", known_to=moved)
    group.item("1", "human", known_from=moved)
    group.inspection("A", verdicts={"1": "met"})
    warehouse = open_group()
    for by in (("measure",), ("category",)):
        frame = ask(warehouse, "answers", by=by)
        assert frame["answers"].tolist() == [1], by
    before = ask(warehouse, "answers", by=("measure",), known_at=datetime(2025, 11, 1))
    assert before["measure"].tolist() == ["physical"]


def test_several_facts_do_not_multiply_each_other(group: Group, open_group: Open) -> None:
    group.entity("A")
    fill(group, "A", met=3, not_met=1)
    group.plan("A")
    for _ in range(5):
        group.action(group.finding("A", "0"))
    names = ("compliance_rate", "planned_inspections", "findings", "open_actions", "inspections")
    row = only(ask(open_group(), *names, by=("region", "fiscal_half")))
    assert [row[name] for name in names] == [0.75, 1, 5, 5, 1]


def test_a_category_code_used_by_two_measures_is_not_counted_twice(group: Group, open_group: Open) -> None:
    group.entity("A")
    group.item("1", "physical", category_code="X")
    group.item("2", "human", category_code="X")
    group.inspection("A", verdicts={"1": "met", "2": "not_met"})
    row = only(ask(open_group(), "compliance_rate", by=("category",)))
    assert (row["compliance_rate"], row["compliance_rate_contributing"]) == (0.5, 1)


def test_rows_without_a_region_are_kept_and_find_each_other(group: Group, open_group: Open) -> None:
    group.entity("A", None)
    group.entity("B", "JP")
    for code in "AB":
        fill(group, code, met=1)
        group.plan(code)
        group.finding(code)
    frame = ask(open_group(), "compliance_rate", "coverage_rate", "open_findings", by=("region",))
    assert len(frame) == 2
    nowhere = frame[frame["region"].isna()].iloc[0]
    assert (nowhere["compliance_rate"], nowhere["coverage_rate"], nowhere["open_findings"]) == (1, 1, 1)
    assert nowhere["compliance_rate_expected"] == 1
    assert nowhere["region_en"] == nowhere["region_ja"] == ""


# --- who stands behind a figure ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("performed_on", "region"),
    [(date(2019, 1, 1), "JP"), (date(2021, 6, 1), "JP"), (date(2023, 1, 1), "JP"), (date(2026, 1, 1), "EU")],
)
def test_a_day_outside_every_interval_takes_the_nearest_earlier_one(
    group: Group, open_group: Open, performed_on: date, region: str
) -> None:
    group.entity("A", "JP", valid_from=date(2020, 4, 1), valid_to=date(2022, 4, 1))
    group.entity("A", "EU", valid_from=date(2024, 4, 1), valid_to=date(2025, 4, 1))
    group.item("1")
    group.inspection("A", verdicts={"1": "met"}, reference_on=performed_on)
    assert only(ask(open_group(), "compliance_rate", by=("region",)))["region"] == region


def test_expected_is_that_of_the_cell_without_dimensions_a_plan_has_not(group: Group, open_group: Open) -> None:
    group.item("p", "physical")
    group.item("h", "human")
    for code in "ABC":
        group.entity(code)
        group.plan(code)
    group.plan("C", "FY2024-H1", date(2024, 9, 30))
    group.entity("cancelled")
    group.plan("cancelled", is_cancelled=True)
    group.inspection("A", verdicts={"p": "met", "h": "met"})
    group.inspection("B", verdicts={"p": "met"})
    warehouse = open_group()
    frame = ask(warehouse, "compliance_rate", by=("fiscal_half", "measure")).set_index("measure")
    assert frame["compliance_rate_contributing"].to_dict() == {"human": 1, "physical": 2}
    assert frame["compliance_rate_expected"].to_dict() == {"human": 3, "physical": 3}
    held = ask(warehouse, "compliance_rate", by=("fiscal_half",), filters=Filters(measure=("human",)))
    assert held["compliance_rate_expected"].tolist() == [3]


def test_expected_is_the_same_whatever_filter_a_plan_has_not(group: Group, open_group: Open) -> None:
    # Unplanned inspections of another checklist version are expected too: the cell is that without the version.
    group.item("1")
    group.entity("A")
    group.entity("B")
    group.inspection("A", verdicts={"1": "met"})
    group.inspection("B", verdicts={"1": "met"}, checklist_version="2023")
    filters = Filters(checklist_version=("SEC 2020",))
    row = only(ask(open_group(), "compliance_rate", filters=filters))
    assert (row["compliance_rate_contributing"], row["compliance_rate_expected"]) == (1, 2)


# --- plans ---------------------------------------------------------------------------------------


def test_a_plan_met_by_two_inspections_is_performed_once(group: Group, open_group: Open) -> None:
    group.entity("A")
    group.plan("A")
    group.inspection("A", checklist_version="2020")
    group.inspection("A", checklist_version="2023")
    row = only(ask(open_group(), "coverage_rate"))
    assert (row["coverage_rate_numerator"], row["coverage_rate_denominator"]) == (1, 1)


def test_a_later_correction_does_not_make_an_inspection_late(group: Group, open_group: Open) -> None:
    group.entity("A")
    group.plan("A")
    corrected = datetime(2025, 11, 10)
    inspection = group.inspection("A", submitted_on=date(2025, 9, 20), known_to=corrected)
    group.inspection("A", submitted_on=date(2025, 11, 10), known_from=corrected, inspection_id=inspection)
    row = only(ask(open_group(), "on_time_rate", "late_inspections", "coverage_rate"))
    assert (row["on_time_rate"], row["late_inspections"], row["coverage_rate"]) == (1, 0, 1)


def test_an_inspection_withdrawn_performs_no_plan(group: Group, open_group: Open) -> None:
    group.entity("A")
    group.plan("A")
    group.inspection("A", known_to=datetime(2025, 12, 1))
    warehouse = open_group()
    row = only(ask(warehouse, "coverage_rate", "missing_inspections"))
    assert (row["coverage_rate"], row["missing_inspections"]) == (0, 1)
    assert only(ask(warehouse, "coverage_rate", known_at=datetime(2025, 11, 1)))["coverage_rate"] == 1


# --- what a question must not be -----------------------------------------------------------------


def test_a_text_is_no_tuple_of_letters() -> None:
    with pytest.raises(QueryProblem, match="entity_codes"):
        Scope(entity_codes="AB")  # type: ignore[arg-type]
    with pytest.raises(QueryProblem, match=r"filter region is no tuple.*known_at carries a time zone"):
        Query(("answers",), (), Filters(region="JP"), datetime(2025, 1, 1, tzinfo=UTC))  # type: ignore[arg-type]


# --- the newest build ----------------------------------------------------------------------------


def test_a_build_pruned_while_opening_gives_way_to_the_newer_one(
    group: Group, opened: list[Warehouse], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = group.write("build-20260401T000000-000001")
    group.write("build-20260402T000000-000002")
    gone.unlink()
    # The pointer is read once before the newer build was published, and from then on after it.
    names = itertools.chain(["build-20260401T000000-000001"] * 2, itertools.repeat("build-20260402T000000-000002"))
    for module in ("builds", "warehouse"):
        monkeypatch.setattr(f"metrics.{module}.newest_build_name", lambda home=None: next(names))
    opened.append(Warehouse.open_newest(group.home))
    assert opened[0].build_name == "build-20260402T000000-000002"


def test_a_pointer_to_nothing_names_the_build_and_the_way_out(group: Group) -> None:
    group.write().unlink()
    with pytest.raises(WarehouseMissing, match=r"build-20260401T000000-000001, cannot be opened.*etl rebuild"):
        Warehouse.open_newest(group.home)


def test_a_reader_sees_that_a_newer_build_was_published(group: Group, opened: list[Warehouse]) -> None:
    group.write("build-20260401T000000-000001")
    opened.append(Warehouse.open_newest(group.home))
    assert opened[0].build_name == newest_build_name(group.home)
    group.write("build-20260402T000000-000002")
    assert opened[0].build_name != newest_build_name(group.home)
