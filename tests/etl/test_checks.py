"""Every invariant can fail: each is broken once in a good build and must be the one that says so."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from etl.builds import Home
from etl.checks import CHECKS, CheckFailed, run_checks
from etl.derive import run_model
from tests.etl.conftest import Group
from tests.etl.test_load import FIRST, MENDED

BREAKS = {
    "answers_known_once": "update fct_answer set known_to = timestamp '9999-12-31'",
    "answers_of_fresh_inspections_once": "insert into fct_answer select * from fct_answer",
    "answers_have_parents": "update fct_answer set item_id = 1",
    "answers_scored_as_judged": "update fct_answer set score = 2 where verdict = 'met'",
    "cubes_add_up": "update cube_category set met = met + 1",
    "entities_valid_once": "insert into dim_entity by name select * replace (date '2024-04-01' as valid_from) from dim_entity",
    "ids_name_one_thing": "update dim_entity set entity_id = 1",
    "inspections_known_once": "update fct_inspection set known_to = known_from",
    "inspections_have_parents": "update fct_inspection set entity_id = 1",
    "items_add_up": "update cube_item set met_marks = met_marks & (met_marks - 1)",
    "loads_lose_no_row": "update load set rows_loaded = rows_loaded + 1",
    "pair_counts_add_up": "insert into cube_pair by name select *, inspection_id as self_inspection_id, true as is_whole, "
    "0 as met_self_met, 0 as met_self_partly_met, 1 as met_self_not_met, 0 as partly_met_self_met, "
    "0 as partly_met_self_partly_met, 0 as partly_met_self_not_met, 0 as not_met_self_met, 0 as not_met_self_partly_met, "
    "0 as not_met_self_not_met, 1 as self_higher, 0 as self_lower, 0 as equal_scores, 0 as widest_gaps, "
    "1 as weight_paired, 1 as weight_self_scored, 1 as weight_outside_scored from (select inspection_id, inspection_type, "
    "entity_id, inspecting_entity_id, fiscal_year, fiscal_half, fiscal_quarter, fiscal_month, reference_on, "
    "checklist_code, checklist_version, known_from, known_to from fct_inspection limit 1)",
    "plans_add_up": "insert into cube_plan by name select 1 as plan_id, inspection_type, entity_id, fiscal_year, "
    "reference_on as due_on, 1 as inspections, known_from, known_to from fct_inspection",
    "pairs_add_up": "insert into fct_pair by name select inspection_id, item_id, inspection_id as self_inspection_id, "
    "item_id as self_item_id, 1 as entity_id, 'FY2024-H1' as fiscal_half, verdict, 1 as score, verdict as self_verdict, "
    "1 as self_score, known_from, known_to from fct_answer",
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build in which answers were corrected once."""
    group = Group(tmp_path_factory.mktemp("finished")).masters()
    group.load(group.write("a.csv", FIRST), known_at="2024-10-01 00:00:00")
    group.load(group.write("b.csv", MENDED), known_at="2024-11-01 00:00:00")
    newest = group.home.newest()
    assert newest
    return newest


@pytest.fixture
def build(finished: Path, tmp_path: Path) -> duckdb.DuckDBPyConnection:
    copy = tmp_path / "copy.duckdb"
    shutil.copyfile(finished, copy)
    connection = duckdb.connect(str(copy))
    connection.execute(
        "create temp table touched_inspection as select distinct inspection_id, false as is_new from fct_answer"
    )
    return connection


def test_a_good_build_passes(build: duckdb.DuckDBPyConnection) -> None:
    run_checks(build)
    build.close()


def test_every_check_is_broken_here() -> None:
    assert {path.stem for path in Path(CHECKS).glob("*.sql")} == set(BREAKS)


@pytest.mark.parametrize("name", BREAKS)
def test_check_can_fail(build: duckdb.DuckDBPyConnection, name: str) -> None:
    if name == "answers_of_fresh_inspections_once":
        build.execute("update touched_inspection set is_new = true")
    build.execute(BREAKS[name])
    with pytest.raises(CheckFailed, match=name):
        run_checks(build)
    build.close()


def test_a_second_inspection_of_an_entity_is_counted_beside_the_first(build: duckdb.DuckDBPyConnection) -> None:
    build.execute(
        "insert into fct_inspection by name select * replace (7 as inspection_id) from fct_inspection limit 1"
    )
    build.execute(
        "insert into fct_answer by name select * replace (7 as inspection_id) from fct_answer "
        "where known_to = timestamp '9999-12-31'"
    )
    build.execute("delete from touched_inspection")
    build.execute("insert into touched_inspection values (7, true)")
    run_model(build, "cube_item")
    assert build.execute("select lane_no, entity_no, mark from brg_inspection_block order by lane_no").fetchall() == [
        (1, 0, 1),
        (2, 0, 1),
    ]
    assert build.execute("select count(distinct block_no) from brg_inspection_block").fetchone() == (2,)
    assert build.execute(
        "select count(*) from cube_item where block_no = (select max(block_no) from cube_item)"
    ).fetchone() == (3,)
    build.close()


@pytest.mark.parametrize("cube", ["cube_category", "cube_measure", "cube_inspection"])
@pytest.mark.parametrize("column", ["met", "weight_applicable"])
def test_each_cube_of_answers_is_held_to_them(build: duckdb.DuckDBPyConnection, cube: str, column: str) -> None:
    build.execute(f"update {cube} set {column} = {column} + 1")
    with pytest.raises(CheckFailed, match="cubes_add_up"):
        run_checks(build)
    build.close()


@pytest.fixture(scope="module")
def demo(shared_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The demo group's build, which has plans and pairs, as if all of it had just been loaded."""
    newest = Home(shared_demo / "home").newest()
    assert newest
    copy = tmp_path_factory.mktemp("demo") / "copy.duckdb"
    shutil.copyfile(newest, copy)
    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            "create temp table touched_inspection as select distinct inspection_id, false as is_new from fct_inspection"
        )
        yield connection


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("pair_counts_add_up", "update cube_pair set widest_gaps = widest_gaps + 1 where is_whole"),
        ("pair_counts_add_up", "update cube_pair set weight_self_scored = weight_self_scored + 1 where not is_whole"),
        ("pair_counts_add_up", "delete from cube_pair where is_whole"),
        ("plans_add_up", "update cube_plan set inspections = inspections + 1"),
        ("plans_add_up", "update cube_plan set due_on = due_on + 1"),
        ("plans_add_up", "update cube_plan set handed_in_on = handed_in_on + 1"),
        ("plans_add_up", "delete from cube_plan where inspections = 0"),
        ("plans_add_up", "insert into cube_plan select * from cube_plan"),
    ],
)
def test_cubes_of_pairs_and_plans_are_held_to_them(demo: duckdb.DuckDBPyConnection, check: str, change: str) -> None:
    demo.execute("begin")
    demo.execute(change)
    with pytest.raises(CheckFailed, match=check):
        run_checks(demo)
    demo.execute("rollback")
