"""Answers in Parquet files beside the build: read, held whole, moved, damaged, pruned; Spark itself is in test_spark_outside.py."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl.__main__ import main
from etl.builds import KEEP_BUILDS, Home
from etl.commands import Order, check_files, open_build, rebuild
from etl.outside import KEPT, list_files, read_files
from etl.sources import SourceProblem
from etl.status import status
from metrics import builds
from metrics.warehouse import BuildDamaged, Warehouse
from tests.etl.conftest import ENTITY_ROWS, ITEM_ROWS, Group
from tests.etl.test_load import FIRST, MENDED

MORE_ITEMS = ITEM_ROWS.replace("1,5.10,human,2", "1,5.10,technological,3")
ALL_ANSWERS = "select sum(score), count(*) from fct_answer"


def leave_outside(home: Home) -> Path:
    """Publish the newest build again without its answers, as a load on Spark begins; returns the build."""
    with home.writing():
        name, path = home.name_next()
        home.copy_newest(path)
        with tempfile.TemporaryDirectory(prefix=".building-", dir=home.warehouse) as folder:
            connection = open_build(path, name, Path(folder), home, answers_outside=True)
            connection.execute("update build set build_name = ?", [name])
            connection.execute("commit")
            connection.close()
        return home.publish(name, path, ())


def read_tables(home: Path) -> dict[str, list[Any]]:
    """Every row of every table of the newest build, as a reader gets it; where they lie is left out."""
    warehouse = Warehouse.open_newest(home)
    try:
        assert warehouse.passed == ()
        tables = {*KEPT, *(name for (name,) in warehouse.read_rows("select table_name from duckdb_tables()"))}
        tables -= {"build", "fact_file"}
        return {table: warehouse.read_rows(f"select * from {table} order by all") for table in sorted(tables)}
    finally:
        warehouse.close()


def list_facts(home: Home) -> set[str]:
    """Files of answers that are there."""
    return {str(path.relative_to(home.path)) for path in home.facts.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Group:
    """A group with answers, the newest build of which leaves them outside; only copied, never changed."""
    group = Group(tmp_path_factory.mktemp("outside") / "it's 家, a group").masters(is_anew=True)
    group.load(group.write("a.csv", FIRST), known_at="2024-10-01 00:00:00")
    group.load(group.write("b.csv", MENDED), known_at="2024-11-01 00:00:00")
    leave_outside(group.home)
    return group


@pytest.fixture
def group(loaded: Group, tmp_path: Path) -> Group:
    """A copy of it."""
    shutil.copytree(loaded.folder, tmp_path / "group")
    return Group.existing(tmp_path / "group")


@pytest.fixture
def inside(loaded: Group, tmp_path: Path) -> Group:
    """The same group, whose builds hold the answers."""
    shutil.copytree(loaded.folder, tmp_path / "inside")
    group = Group.existing(tmp_path / "inside")
    rebuild(group.home, lambda *_: None)
    return group


# --- read --------------------------------------------------------------------------------------------


def test_readers_get_every_row_though_the_build_holds_no_answer(group: Group, inside: Group) -> None:
    newest = group.home.newest()
    assert newest
    with duckdb.connect(str(newest), read_only=True) as connection:
        held = {row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()}
        assert not held & {*KEPT}
        bare = connection.execute(
            "select view_name from duckdb_views() where not internal and comment is null union all "
            "select column_name from duckdb_columns() where table_name = 'fct_answer' and comment is null"
        ).fetchall()
        assert bare == []
    # No block of the file has an answer left either.
    assert b"\xe2\x97\x8b" not in newest.read_bytes()
    tables = read_tables(group.home.path)
    assert len(tables["fct_answer"]) == 4 and tables == read_tables(inside.home.path)
    told = status(group.home)
    assert told["rows"]["fct_answer"] == 4 and told["files_outside"] == 1 and told["bytes_outside"] > 100


def test_a_moved_home_is_read_where_it_is(group: Group, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read_tables(group.home.path)
    shutil.move(group.folder, tmp_path / "it's moved, 家")
    moved = Group.existing(tmp_path / "it's moved, 家")
    assert read_tables(moved.home.path) == before
    (tmp_path / "link").symlink_to(moved.home.path)
    assert read_tables(tmp_path / "link") == before
    monkeypatch.chdir(moved.home.path)
    assert read_tables(Path("..") / moved.home.path.name) == before


def test_a_build_is_open_more_than_once(group: Group) -> None:
    first, second = (Warehouse.open_newest(group.home.path) for _ in range(2))
    assert first.read_rows(ALL_ANSWERS) == second.read_rows(ALL_ANSWERS)
    first.close()
    assert second.read_rows(ALL_ANSWERS)[0][1] == 4
    second.close()


def test_duckdb_expects_the_rows_of_the_longest_file(group: Group) -> None:
    """It takes each file for as long as the first, and joins the wrong way round where that one has no rows."""
    newest = group.home.newest()
    assert newest
    empty = group.home.facts / "a-0" / "none.parquet"
    empty.parent.mkdir()
    with duckdb.connect(str(newest)) as connection:
        (file,) = list_files(connection)
        long = str(group.home.path / file.path)
        connection.execute("create temp table none as select * from read_parquet(?) limit 0", [long])
        connection.execute(f"copy none to '{str(empty).replace(chr(39), chr(39) * 2)}' (format parquet)")
        connection.execute(
            "insert into fact_file values ('fct_answer', 'facts/a-0/none.parquet', ?, 0, 'x')", [empty.stat().st_size]
        )
    warehouse = Warehouse.open_newest(group.home.path)
    ((_, plan),) = warehouse.cursor().execute("explain select * from fct_answer").fetchall()
    warehouse.close()
    (expected,) = re.findall(r"~(\d+) row", plan)
    assert int(expected) >= file.row_count


HOSTILE = (
    "copy (select 1) to '{file}' (format parquet, use_tmp_file false)", "copy (select 1) to '{file}' (format parquet)",
    "copy (select 1) to '{folder}/new.parquet' (format parquet)", "select 1; copy (select 1) to '{file}' (use_tmp_file false)",
    "create table outside.main.z as select 1", "create or replace view outside.main.fct_answer as select 1", "detach outside",
    "create temp table z as select 1", "attach ':memory:' as other", "attach '{folder}/new.duckdb' as other",
    "select * from read_parquet('{other}')", "select * from read_parquet('{folder}/*.parquet')",
    "select * from glob('{folder}/*')", "select * from read_text('{other}')", "set allowed_paths = ['{other}']",
    "set enable_external_access = true", "set lock_configuration = false", "reset allowed_paths",
)  # fmt: skip


@pytest.mark.parametrize("sql", HOSTILE)
def test_a_reader_reaches_no_other_file_and_writes_to_none(group: Group, sql: str) -> None:
    (name,) = list_facts(group.home)
    file = group.home.path / name
    other = group.write("other.parquet", file.read_bytes())
    before, whole = sorted(group.folder.rglob("*")), file.read_bytes()
    warehouse = Warehouse.open_newest(group.home.path)
    with pytest.raises(duckdb.Error):
        warehouse.read_rows(sql.format(file=file, folder=file.parent, other=other))
    with pytest.raises(duckdb.Error):
        warehouse.read_frame(sql.format(file=file, folder=file.parent, other=other))
    assert warehouse.read_rows(ALL_ANSWERS)[0][1] == 4
    warehouse.close()
    assert sorted(group.folder.rglob("*")) == before and file.read_bytes() == whole


@pytest.mark.parametrize("sql", [one for one in HOSTILE if one.startswith(("set", "reset", "select *", "attach '{"))])
def test_duckdb_itself_refuses_other_files_and_settings(group: Group, sql: str) -> None:
    (name,) = list_facts(group.home)
    file = group.home.path / name
    other = group.write("other.parquet", file.read_bytes())
    warehouse = Warehouse.open_newest(group.home.path)
    with pytest.raises(duckdb.Error):
        warehouse.cursor().execute(sql.format(file=file, folder=file.parent, other=other)).fetchall()
    assert warehouse.read_rows(ALL_ANSWERS)[0][1] == 4
    warehouse.close()


@pytest.mark.parametrize("name", ["/etc/hostname", "facts/../../a.parquet", "archive/a.parquet", "facts/a/*.parquet"])
def test_a_build_that_names_another_file_is_not_read(group: Group, name: str) -> None:
    newest = group.home.newest()
    assert newest
    with duckdb.connect(str(newest)) as connection:
        connection.execute("update fact_file set path = ?", [name])
    with pytest.raises(duckdb.IOException, match="is no name of a file"):
        Warehouse.open(newest)


# --- damaged -----------------------------------------------------------------------------------------


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def flip(path: Path) -> None:
    """Change a byte of the first column."""
    content = bytearray(path.read_bytes())
    content[60] ^= 0x41
    path.unlink()
    path.write_bytes(content)


def replace_by_another(path: Path) -> None:
    """Put a file with fewer of the same rows in its place."""
    with duckdb.connect() as connection:
        connection.execute(f"create table t as select * from read_parquet('{path}') limit 1")
        path.unlink()
        connection.execute(f"copy t to '{path}' (format parquet)")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "cut off": lambda path: os.truncate(path, path.stat().st_size // 2),
    "emptied": lambda path: os.truncate(path, 0),
    "a folder": replace_by_folder,
    "another one": replace_by_another,
    "folder gone": lambda path: shutil.rmtree(path.parents[1]),
}


def put_back(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the files back from the backup, and let it be long after."""
    shutil.rmtree(group.home.facts, ignore_errors=True)
    shutil.copytree(group.folder / "backup", group.home.facts)
    monkeypatch.setattr(builds.time, "monotonic", lambda: float("inf"))


@pytest.mark.parametrize("name", DAMAGES)
def test_readers_get_the_build_before_until_the_file_is_back(
    group: Group, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest, before = group.home.list_builds()[:2]
    (named,) = list_facts(group.home)
    shutil.copytree(group.home.facts, group.folder / "backup")
    DAMAGES[name](group.home.path / named)
    warehouse = Warehouse.open_newest(group.home.path)
    assert warehouse.build_name == before.stem and warehouse.read_rows(ALL_ANSWERS)[0][1] == 4
    ((passed, reason),) = [(one.name, one.reason) for one in warehouse.passed]
    assert passed == newest.stem and named in reason
    warehouse.close()
    told = status(group.home)
    assert told["build"] == before.stem and told["unreadable"][0]["build"] == newest.stem
    put_back(group, monkeypatch)
    assert len(read_tables(group.home.path)["fct_answer"]) == 4


@pytest.mark.parametrize("name", sorted(DAMAGES.keys() - {"another one"}))
def test_damage_that_a_query_comes_upon_is_passed_over(
    group: Group, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest, before = group.home.list_builds()[:2]
    warehouse = Warehouse.open_newest(group.home.path)
    (named,) = list_facts(group.home)
    shutil.copytree(group.home.facts, group.folder / "backup")
    DAMAGES[name](group.home.path / named)
    with pytest.raises(BuildDamaged, match=newest.stem):
        warehouse.read_rows(ALL_ANSWERS)
    warehouse.close()
    warehouse = Warehouse.open_newest(group.home.path)
    assert warehouse.build_name == before.stem
    warehouse.close()
    put_back(group, monkeypatch)
    assert len(read_tables(group.home.path)["fct_answer"]) == 4


def test_whatever_byte_was_changed_a_reader_gets_rows_or_is_told(group: Group) -> None:
    newest = group.home.newest()
    assert newest
    (named,) = list_facts(group.home)
    path = group.home.path / named
    whole = path.read_bytes()
    told = Counter[str]()
    for place in range(3, len(whole), 29):
        path.unlink()
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x0F]) + whole[place + 1 :])
        try:
            warehouse = Warehouse.open(newest)
        except duckdb.IOException:
            told["not opened"] += 1
            continue
        try:
            warehouse.read_rows("select * from fct_answer")
            told["rows"] += 1
        except BuildDamaged:
            told["damaged"] += 1
        finally:
            warehouse.close()
    assert told["damaged"] > 3 and told["not opened"] > 3


@pytest.mark.parametrize("name", ["flipped", "missing"])
def test_no_load_goes_on_from_damaged_answers(group: Group, inside: Group, name: str) -> None:
    newest = group.home.newest()
    (named,) = list_facts(group.home)
    (flip if name == "flipped" else DAMAGES[name])(group.home.path / named)
    path = group.write("more_items.csv", MORE_ITEMS)
    with pytest.raises(ValueError, match=r"lie outside the build: run python -m etl rebuild --engine spark"):
        group.load(path)
    with pytest.raises(ValueError, match=r"python -m etl rebuild first"):
        check_files(group.home, Order([path]), lambda *_: None)
    assert group.home.newest() == newest
    assert rebuild(group.home, lambda *_: None).build
    assert read_tables(group.home.path) == read_tables(inside.home.path)
    assert group.load(path).exit_status == 0


# --- loaded without Spark ----------------------------------------------------------------------------


def test_without_spark_answers_are_refused_and_all_else_is_loaded(group: Group, inside: Group) -> None:
    before, newest = read_tables(group.home.path), group.home.newest()
    path = group.write("c.csv", FIRST.replace("H1", "H2"))
    for act in (group.load, lambda one: check_files(group.home, Order([one]), lambda *_: None)):
        with pytest.raises(SourceProblem, match=r"c\.csv holds answers.*run the same command with --engine spark"):
            act(path)
    assert group.home.newest() == newest and read_tables(group.home.path) == before
    # Items that weigh otherwise change the cubes of answers that only the view has.
    for one in (group, inside):
        one.load(one.write("more_items.csv", MORE_ITEMS), known_at="2024-12-01 00:00:00")
    after = read_tables(group.home.path)
    assert after["cube_measure"] != before["cube_measure"]
    moved = {"load": 7}  # When a load was taken in is not what it said.
    for table, rows in read_tables(inside.home.path).items():
        assert [row[: moved.get(table)] for row in after[table]] == [row[: moved.get(table)] for row in rows], table


def test_answers_that_wait_for_a_master_are_named(tmp_path: Path) -> None:
    group = Group(tmp_path / "waiting").masters()
    group.load(group.write("a.csv", FIRST + "E-9,FY2024-H1,5.1,○\n"), known_at="2024-10-01 00:00:00")
    leave_outside(group.home)
    newest = group.home.newest()
    path = group.write("entities2.csv", ENTITY_ROWS + "E-9,Nine,JP,site\n")
    with pytest.raises(SourceProblem, match=r"a\.csv holds answers.*--engine spark"):
        group.load(path)
    assert group.home.newest() == newest


def test_a_check_that_answers_fail_is_seen_through_the_view(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = group.write("checks/no_answers.sql", "-- No answer.\nselect inspection_id from fct_answer\n").parent
    monkeypatch.setattr("etl.checks.CHECKS", checks)
    newest = group.home.newest()
    with pytest.raises(Exception, match="no_answers: No answer"):
        group.load(group.write("more_items.csv", MORE_ITEMS))
    assert group.home.newest() == newest


@pytest.mark.parametrize("command", ["load", "rebuild"])
def test_only_spark_leaves_answers_outside(tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(tmp_path)] if command == "load" else []
    assert main([command, "--answers-outside", "--json", "--home", str(tmp_path / "home"), *paths]) == 2
    assert "give --engine spark with --answers-outside" in json.loads(capsys.readouterr().out)["error"]
    assert not (tmp_path / "home").exists()


# --- kept and removed --------------------------------------------------------------------------------


def test_files_that_no_build_names_go_and_all_others_stay(group: Group) -> None:
    named = list_facts(group.home)
    # What a load left that was killed before it published.
    left = group.write("home/facts/build-20990101T000000-000099-0/part.parquet", b"PAR1").parent
    (left / "_SUCCESS").touch()
    with group.home.writing():
        # It takes no room from the next one.
        assert not left.exists()
    group.load(group.write("m0.csv", MORE_ITEMS))
    assert list_facts(group.home) == named and not left.exists()
    rebuild(group.home, lambda *_: None)
    # Builds before that name them are still kept.
    assert list_facts(group.home) == named
    for number in range(KEEP_BUILDS):
        assert len(read_tables(group.home.path)["fct_answer"]) == 4
        group.load(group.write(f"m{number + 1}.csv", MORE_ITEMS.replace(",3", f",{number + 4}")))
    assert list_facts(group.home) == set() and [*group.home.facts.iterdir()] == []


def test_nothing_goes_while_a_build_cannot_be_read(group: Group) -> None:
    left = group.write("home/facts/build-20990101T000000-000099-0/part.parquet", b"PAR1")
    damaged = group.home.list_builds()[1]
    whole = damaged.read_bytes()
    os.truncate(damaged, 100)
    group.load(group.write("m0.csv", MORE_ITEMS))
    assert left.exists()
    damaged.write_bytes(whole)
    group.load(group.write("m1.csv", MORE_ITEMS.replace(",3", ",4")))
    assert not left.exists()


def test_answers_are_for_their_owner_to_read_only(group: Group) -> None:
    newest = group.home.newest()
    assert newest
    (file,) = (group.home.path / one.path for one in read_files(newest))
    group.home.facts.chmod(0o755)
    file.parent.chmod(0o755)
    group.load(group.write("m0.csv", MORE_ITEMS))
    modes = [path.stat().st_mode & 0o777 for path in (group.home.facts, file.parent, file)]
    assert modes == [0o700, 0o700, 0o400]
