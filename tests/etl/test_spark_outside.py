"""Spark leaves the answers outside the build: the same rows, reports and figures as DuckDB, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from etl import outside, status
from etl.builds import Home
from etl.commands import Order, load_files, rebuild
from etl.outside import FactFile, read_files
from metrics.compile import compile_query
from metrics.warehouse import Warehouse
from tests.etl.test_answers_outside import list_facts, read_tables
from tests.etl.test_spark import MASTER, QUICK, Clock, _questions
from tests.etl.test_spark import rounds as rounds
from tests.etl.test_spark import spark as spark

PROJECT = Path(__file__).resolve().parents[2]
LOADED = (1, 3, 4)
"""Rounds after the first: new and corrected answers, a CSV that is heard again, and rows of every fault."""
KILLED = """
import json, os, signal, sys
from etl import commands
from etl.spark import session
session.SETTINGS.update(json.loads(sys.argv[1]))
commands.Home.publish = lambda *args: os.kill(os.getpid(), signal.SIGKILL)
from etl.__main__ import main
sys.exit(main(["load", "--engine", "spark", "--answers-outside", "--spark-master", "local[2]", "--home", *sys.argv[2:]]))
"""


@dataclass(frozen=True)
class Loaded:
    """A home with the reports of its loads, and the files that each of its builds names."""

    home: Home
    reports: list[Any] = field(default_factory=list)
    files: list[list[FactFile]] = field(default_factory=list)

    def load(self, paths: list[Path], **options: Any) -> None:
        """Load some files."""
        report = load_files(self.home, Order(paths, **options), lambda *_: None)
        self.reports.append((report.exit_status, report.loads, report.refusals))
        newest = self.home.newest()
        assert newest
        self.files.append(read_files(newest))


@pytest.fixture(scope="module")
def homes(
    spark: Any, rounds: list[list[Path]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Loaded, Loaded, Home]:
    """A home loaded by DuckDB; one that Spark went on with, answers outside; and how both began."""
    begun = Home(tmp_path_factory.mktemp("begun") / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(status, "datetime", Clock)
        Clock.hour = 0
        load_files(begun, Order(rounds[0]), lambda *_: None)
        made = []
        for master in (None, MASTER):
            folder = tmp_path_factory.mktemp("it's 家") / "home"
            shutil.copytree(begun.path, folder)
            one = Loaded(Home(folder))
            for Clock.hour in LOADED:
                # The last of them finds many small files.
                patch.setattr(outside, "MOST_SMALL_FILES", 2 if Clock.hour == LOADED[-1] else 64)
                is_first = Clock.hour == LOADED[0] and master is not None
                one.load(rounds[Clock.hour], spark_master=master, answers_outside=is_first)
            made.append(one)
    return made[0], made[1], begun


def test_every_table_has_the_same_rows(homes: tuple[Loaded, Loaded, Home]) -> None:
    duck, spark, _ = homes
    tables = read_tables(spark.home.path)
    assert len(tables["fct_answer"]) > 500 and tables == read_tables(duck.home.path)


def test_reports_and_refusals_are_the_same(homes: tuple[Loaded, Loaded, Home]) -> None:
    duck, spark, _ = homes
    assert duck.reports == spark.reports
    assert len(spark.reports[-1][2]) > 10


def test_every_metric_by_every_dimension_is_the_same(homes: tuple[Loaded, Loaded, Home]) -> None:
    duck, spark = (Warehouse.open_newest(one.home.path) for one in homes[:2])
    counts = Counter[bool]()
    for query in _questions(duck):
        for statement in compile_query(query, query.known_at or duck.newest_known_at()):
            expected = duck.read_rows(statement.sql, statement.parameters)
            assert spark.read_rows(statement.sql, statement.parameters) == expected, (statement.fact, query.by)
            counts[len(expected) > 1] += 1
    assert counts[True] > counts[False]
    duck.close()
    spark.close()


def test_builds_share_files_and_small_ones_are_written_together(homes: tuple[Loaded, Loaded, Home]) -> None:
    _, spark, _ = homes
    first, second, last = spark.files
    assert {*first} & {*second}
    sums = {file.path: file.sha256 for files in spark.files for file in files}
    assert {file for files in spark.files for file in files if sums[file.path] != file.sha256} == set()
    assert len(second) > 8 and len(last) <= 2
    assert sum(file.row_count for file in last) == len(read_tables(spark.home.path)["fct_answer"])
    kept = {file.path for build in spark.home.list_builds() for file in read_files(build)}
    assert list_facts(spark.home) == kept


def test_a_load_that_is_killed_leaves_no_answers(
    homes: tuple[Loaded, Loaded, Home], rounds: list[list[Path]], tmp_path: Path
) -> None:
    shutil.copytree(homes[2].path, tmp_path / "home")
    home = Home(tmp_path / "home")
    before, newest = read_tables(home.path), home.newest()
    environment = os.environ | {"PYTHONPATH": str(Path(sys.prefix) / "spark")}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, json.dumps(QUICK), str(home.path), str(rounds[1][0])],
        capture_output=True, text=True, cwd=PROJECT, env=environment,
    )  # fmt: skip
    assert killed.returncode == -9, killed.stderr
    assert any(name.endswith(".parquet") for name in list_facts(home))
    assert home.newest() == newest and read_tables(home.path) == before
    load_files(home, Order([rounds[0][1]]), lambda *_: None)
    assert list_facts(home) == set() and not list(home.warehouse.glob(".building-*"))


def test_the_archive_gives_the_answers_back_outside(homes: tuple[Loaded, Loaded, Home], tmp_path: Path) -> None:
    shutil.copytree(homes[2].path, tmp_path / "home")
    home = Home(tmp_path / "home")
    before = read_tables(home.path)
    assert rebuild(home, lambda *_: None, MASTER, answers_outside=True).build
    newest = home.newest()
    assert newest
    counts = [file.row_count for file in read_files(newest)]
    # The file without rows, with which all began, is none of them any more.
    assert all(counts) and sum(counts) == len(before["fct_answer"])
    assert read_tables(home.path) == before
