"""Spark and DuckDB: the same exports give the same tables, reports and figures."""

from __future__ import annotations

import datetime
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl import status
from etl.builds import Home
from etl.commands import Order, load_files, rebuild
from etl.sources import SourceProblem, load_sources
from etl.spark import session
from etl.spark.expressions import SHARED_FUNCTIONS, hold_to_shared
from etl.spark.tables import bind
from metrics.catalog import DIMENSIONS, METRICS
from metrics.compile import compile_query
from metrics.query import Filters, Query, Scope
from metrics.warehouse import Warehouse
from tests.etl.spark_exports import write_rounds

# Where make installs it; it is in no environment, because it is an extra.
sys.path += [str(folder) for folder in Path(sys.prefix).glob("spark") if str(folder) not in sys.path]
pytest.importorskip("pyspark", reason="PySpark is not installed: Spark is LEFT OUT of the tests")
if shutil.which("java") is None:
    pytest.skip("There is no java: Spark is LEFT OUT of the tests", allow_module_level=True)

# Plans for a thousand rows: nothing compiled, one partition.
QUICK = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.driver.memory": "600m",
}
MASTER = "local[2]"


class Clock(datetime.datetime):
    """A clock that both engines read alike."""

    hour = 0

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        """The hour of the load."""
        return cls(2026, 6, 1, cls.hour, tzinfo=tz)


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    running = session.start_spark(MASTER, tmp_path_factory.mktemp("spark"), QUICK)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> list[list[Path]]:
    return write_rounds(tmp_path_factory.mktemp("exports"))


@pytest.fixture(scope="module")
def loaded(spark: Any, rounds: list[list[Path]], tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """The home and the reports of each engine: DuckDB, Spark."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(status, "datetime", Clock)
        return tuple(_load(tmp_path_factory.mktemp("it's 家"), rounds, master) for master in (None, MASTER))  # type: ignore[return-value]


def _load(folder: Path, rounds: list[list[Path]], master: str | None) -> tuple[Home, list[Any]]:
    home, reports = Home(folder), []
    for Clock.hour, paths in enumerate(rounds):
        report = load_files(home, Order(paths, spark_master=master), lambda *_: None)
        reports.append((report.exit_status, report.loads, report.refusals))
    return home, reports


def _compare(left: Home, right: Home) -> dict[str, int]:
    """Rows of each table, after every one was found in both builds as often."""
    counts = {}
    with duckdb.connect() as connection:
        for name, home in (("a", left), ("b", right)):
            path = str(home.newest()).replace("'", "''")
            connection.execute(f"attach '{path}' as {name} (read_only)")
        tables = connection.execute("select table_name from duckdb_tables() where database_name = 'a'").fetchall()
        for (table,) in tables:
            columns = "* exclude (build_name, built_at)" if table == "build" else "*"
            a, b = (f"(select {columns} from {name}.{table})" for name in ("a", "b"))
            differ = connection.execute(
                f"select * from ({a} except all {b}) union all by name select * from ({b} except all {a})"
            ).fetchall()
            assert differ == [], table
            ((counts[table],),) = connection.execute(f"select count(*) from a.{table}").fetchall()
    return counts


def test_every_table_has_the_same_rows(loaded: Any) -> None:
    (duck, _), (spark, _) = loaded
    counts = _compare(duck, spark)
    assert all(
        counts[name] > 50
        for name in (
            "fct_answer",
            "fct_inspection",
            "fct_pair",
            "cube_pair",
            "cube_category",
            "cube_measure",
            "cube_inspection",
            "cube_plan",
            "cube_item",
        )
    )


def test_reports_and_refusals_are_the_same(loaded: Any) -> None:
    (_, duck), (_, spark) = loaded
    assert duck == spark
    reasons = {one["reason_code"] for _, _, refusals in spark for one in refusals}
    assert reasons >= {
        "contradiction", "unknown_item", "empty", "bad_date", "unknown_entity", "unknown_answer", "bad_period",
        "future_period", "unknown_checklist", "future_date", "bad_boolean",
    }  # fmt: skip
    assert all(one["is_known"] for one in spark[-1][1])


def test_archive_of_spark_makes_the_same_warehouse_again(loaded: Any, tmp_path: Path) -> None:
    (duck, _), (spark, _) = loaded
    home = Home(tmp_path / "again")
    shutil.copytree(spark.path, home.path)
    assert rebuild(home, lambda *_: None).build
    _compare(duck, home)


def _questions(warehouse: Warehouse) -> list[Query]:
    """Every metric by every dimension it has: all metrics of a fact at once, by three dimensions, in changing surroundings."""
    entities = tuple(
        row[0] for row in warehouse.cursor().execute("select distinct entity_code from dim_entity").fetchall()
    )
    scopes = [
        Scope(),
        Scope(entities[1:], ("self_check", "mutual_check"), ("confidential_information",)),
        Scope(entities[1:]),
    ]
    chosen = [
        Filters(),
        Filters(fiscal_year=("FY2024", "FY2025"), period_from="FY2024-H2"),
        Filters(measure=("human", "physical", "technological")),
        Filters(period_to="FY2025-H1", entity_kind=("site", "affiliate", "department")),
    ]
    moments = [None, datetime.datetime(2026, 2, 10), datetime.datetime(2025, 10, 31, 12)]
    questions = []
    for fact in dict.fromkeys(metric.fact for metric in METRICS.values()):
        metrics = tuple(metric.name for metric in METRICS.values() if metric.fact == fact)
        names = [name for name, dimension in DIMENSIONS.items() if fact in dimension.facts]
        for by in [(), *(tuple(names[first : first + 3]) for first in range(0, len(names), 3))]:
            # Every place in these cycles is met, because their lengths have no common divisor.
            number = len(questions)
            questions.append(Query(metrics, by, chosen[number % 4], moments[number // 2 % 3], scopes[number % 3]))
        questions.append(Query(metrics, tuple(names[-1:]), scope=scopes[1]))
    return questions


def test_every_metric_by_every_dimension_is_the_same(loaded: Any, spark: Any, tmp_path: Path) -> None:
    (duck, _), (home, _) = loaded
    build = home.newest()
    with duckdb.connect(str(build), read_only=True) as connection:
        tables = [row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()]
        for table in tables:
            if table.startswith(("dim_", "brg_", "fct_", "cube_")):
                path = tmp_path / f"{table}.parquet"
                connection.execute(f"copy {table} to '{path}' (format parquet)")
                spark.read.parquet(str(path)).createOrReplaceTempView(table)
                spark.sql(f"cache table {table}")
    warehouse = Warehouse.open_newest(duck.path)
    questions = _questions(warehouse)

    def answer(query: Query) -> int:
        rows = 0
        for statement in compile_query(query, query.known_at or warehouse.newest_known_at()):
            expected = warehouse.cursor().execute(statement.sql, statement.parameters).fetchall()
            sql, parameters = bind(statement.sql, statement.parameters)
            found = [tuple(row) for row in spark.sql(sql, args=parameters).collect()]
            # In order, and to the last digit.
            assert found == expected, (statement.fact, query.by)
            rows += len(found)
        return rows

    with ThreadPoolExecutor(2) as threads:
        counts = list(threads.map(answer, questions))
    warehouse.close()
    asked = {(name, by) for query in questions for name in query.metrics for by in query.by}
    assert asked == {
        (metric.name, name)
        for metric in METRICS.values()
        for name, dimension in DIMENSIONS.items()
        if metric.fact in dimension.facts
    }
    assert sum(count > 1 for count in counts) > len(counts) * 0.6


TEXTS = ("", " ", " a ", "Ａ", "İ", "ß", "○", "it's", r"a\b", "5.10", "　全角　", "\u00a0x", "a|b", None)
CALLS = {
    "coalesce": "coalesce(x, 'none')", "nullif": "nullif(x, '○')",
    "concat_ws": "concat_ws('-', x, null, 'b')", "replace": "replace(x, 'a', 'it''s')",
}  # fmt: skip


def test_shared_functions_give_the_same_texts(spark: Any) -> None:
    for name in sorted(SHARED_FUNCTIONS):
        call = CALLS.get(name, f"{name}(x)")
        with duckdb.connect() as connection:
            expected = [
                connection.execute(f"select {call} from (select ?::varchar as x)", [text]).fetchall()[0][0]
                for text in TEXTS
            ]
        sql, _ = bind(f"select {call} as y from (select cast($x as string) as x)", {"x": ""})
        found = [spark.sql(sql, args={"x": text}).collect()[0][0] for text in TEXTS]
        assert found == expected, call


@pytest.mark.parametrize(
    ("place", "expression", "told"),
    [
        ("record.fields.verdict", "regexp_replace(answer, 'a', 'b')", "the function regexp_replace"),
        ("record.fields.comment", "list_extract([comment], 1)", "the function list_extract"),
        ("record.fields.comment", "comment[1]", "more than names"),
        ("record.fields.comment", "comment::date", "more than names"),
    ],
)
def test_expression_of_one_engine_ends_with_its_place(place: str, expression: str, told: str) -> None:
    source = load_sources()["group_self_check_history_parquet"]
    record = source.records[0]
    told_otherwise = replace(record, expressions={**record.expressions, place.rsplit(".", 1)[1]: expression})
    source = replace(source, records=(told_otherwise,))
    with pytest.raises(SourceProblem) as problem:
        hold_to_shared(source)
    assert f'group_self_check_history_parquet.toml: {place} = "{expression}"' in str(problem.value)
    assert told in str(problem.value) and "without --engine spark" in str(problem.value)


def test_parquet_sources_of_the_project_run_on_spark() -> None:
    for source in load_sources().values():
        if source.format == "parquet":
            hold_to_shared(source)
