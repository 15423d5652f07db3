"""A build of an earlier schema: readers say what to do, a load makes it again first, a check refuses."""

from __future__ import annotations

import duckdb
import pytest

from etl.commands import Order, check_files
from metrics.warehouse import Warehouse, WarehouseMissing
from tests.etl.conftest import Group

ANSWERS = "entity,period,item,answer\nE-1,FY2024-H1,5.1,○\nE-2,FY2024-H1,5.10,×\n"


def age(group: Group) -> None:
    """Make the newest build one of an earlier version, without a table that it did not have."""
    newest = group.home.newest()
    assert newest
    with duckdb.connect(str(newest)) as connection:
        connection.execute("drop table fct_pair")
        connection.execute("update build set schema_version = 1")


def test_load_on_a_build_of_an_earlier_version_makes_it_again_first(group: Group) -> None:
    group.masters()
    answers = group.write("answers.csv", ANSWERS)
    assert group.load(answers).exit_status == 0
    before = group.history()
    age(group)
    with pytest.raises(WarehouseMissing, match="another version of Tenken: run python -m etl rebuild"):
        Warehouse.open_newest(group.home.path)
    # Even where nothing new is handed in.
    group.load(answers)
    assert group.history() == before
    Warehouse.open_newest(group.home.path).close()


def test_check_on_a_build_of_an_earlier_version_says_what_to_do(group: Group) -> None:
    group.masters()
    age(group)
    with pytest.raises(ValueError, match="run python -m etl rebuild first"):
        check_files(group.home, Order([group.write("answers.csv", ANSWERS)]), lambda *_: None)
