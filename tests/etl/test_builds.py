"""Builds: whole or not at all, whatever happens to the process that makes them; readers are never disturbed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from etl.builds import KEEP_BUILDS, Busy
from etl.commands import rebuild
from tests.etl.conftest import Group
from tests.etl.test_load import FIRST, MENDED

PROJECT = Path(__file__).resolve().parents[2]

# Where the process is killed: the named function kills it when it is about to run.
MOMENTS = (
    "etl.archive.Archive.keep",
    "etl.load.stage",
    "etl.load.run_checks",
    "etl.commands._seal",
    "etl.archive.Archive.note",
    "etl.commands.Home.publish",
    "etl.builds.Path.chmod",
    "etl.builds.Path.replace",
    "etl.builds.Home.prune",
)
KILLER = """
import importlib, os, signal, sys
moment, home, *paths = sys.argv[1:]
parts = moment.split(".")
owner = importlib.import_module(".".join(parts[:2]))
for part in parts[2:-1]:
    owner = getattr(owner, part)
def kill(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, parts[-1], kill)
from etl.__main__ import main
sys.exit(main(["load", "--home", home, "--known-at", "2024-11-01", *paths]))
"""
LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from etl.__main__ import main
sys.exit(main(["load", "--json", "--home", sys.argv[2], sys.argv[3]]))
"""
READER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
print("open", flush=True)
sys.stdin.readline()
print(connection.execute("select count(*) from fct_answer").fetchone()[0], flush=True)
"""


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own."""
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=PROJECT)


@pytest.fixture(scope="module")
def before_and_after(tmp_path_factory: pytest.TempPathFactory) -> tuple[Group, str, str]:
    """A group before the correction is loaded, and its history before and after."""
    folder = tmp_path_factory.mktemp("before")
    group = Group(folder / "group").masters()
    group.load(group.write("a.csv", FIRST), known_at="2024-10-01 00:00:00")
    shutil.copytree(folder / "group", folder / "corrected")
    corrected = Group.existing(folder / "corrected")
    corrected.load(corrected.write("b.csv", MENDED), known_at="2024-11-01 00:00:00")
    return group, group.history(), corrected.history()


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment_the_last_build_is_read_and_the_next_load_works(
    before_and_after: tuple[Group, str, str], tmp_path: Path, moment: str
) -> None:
    prepared, before, after = before_and_after
    shutil.copytree(prepared.folder, tmp_path / "group")
    group = Group.existing(tmp_path / "group")
    path = group.write("b.csv", MENDED)
    killed = run(KILLER, moment, str(group.home.path), str(path))
    assert killed.returncode == -9, killed.stderr
    assert group.history() in (before, after)
    group.load(path, known_at="2024-11-01 00:00:00")
    assert group.history() == after
    assert not list(group.home.warehouse.glob(".building-*"))


def test_what_was_never_published_is_not_rebuilt(group: Group) -> None:
    group.masters()
    path = group.write("a.csv", FIRST)
    assert run(KILLER, "etl.commands.Home.publish", str(group.home.path), str(path)).returncode == -9
    before = group.history()
    rebuild(group.home, lambda *_: None)
    assert group.history() == before


def test_full_disk_is_told_and_leaves_the_last_build(group: Group) -> None:
    group.masters()
    before, newest = group.history(), group.home.newest()
    assert newest
    path = group.write("a.csv", FIRST)
    failed = run(LIMITED, str(newest.stat().st_size // 2), str(group.home.path), str(path))
    assert failed.returncode == 2 and "Traceback" not in failed.stderr, failed.stderr
    assert "published" in json.loads(failed.stdout)["error"]
    assert group.home.newest() == newest and group.history() == before
    assert group.load(path).exit_status == 0


def test_second_load_at_the_same_time_is_turned_away(group: Group) -> None:
    group.masters()
    path = group.write("a.csv", FIRST)
    newest = group.home.newest()
    with group.home.writing():
        with pytest.raises(Busy, match="Another load"):
            group.load(path)
        told = subprocess.run(
            [sys.executable, "-m", "etl", "load", "--home", str(group.home.path), str(path)],
            capture_output=True, text=True, cwd=PROJECT,
        )  # fmt: skip
        assert told.returncode == 2 and "Another load" in told.stderr
    assert group.home.newest() == newest
    assert group.load(path).exit_status == 0


def test_old_builds_go_but_never_one_in_use(group: Group) -> None:
    group.masters()
    group.load(group.write("a.csv", FIRST))
    held = group.home.newest()
    assert held
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(held)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert reader.stdin and reader.stdout
    with reader:
        assert reader.stdout.readline() == "open\n"
        for number in range(KEEP_BUILDS + 1):
            group.load(group.write(f"n{number}.csv", f"entity,period,item,answer\nE-2,FY20{10 + number},5.1,○\n"))
        builds = sorted(group.home.warehouse.glob("build-*.duckdb"))
        assert held in builds and len(builds) == KEEP_BUILDS + 1
        reader.stdin.write("\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "3\n"
    group.load(group.write("last.csv", "entity,period,item,answer\nE-2,FY2030,5.1,○\n"))
    assert not held.exists() and len(list(group.home.warehouse.glob("build-*.duckdb"))) == KEEP_BUILDS


def test_lost_warehouse_comes_back_from_the_archive(group: Group) -> None:
    group.masters()
    group.load(group.write("a.csv", FIRST), known_at="2024-10-01 00:00:00")
    group.load(group.write("b.csv", MENDED), known_at="2024-11-01 00:00:00")
    before = group.history()
    for path in group.home.warehouse.iterdir():
        path.unlink()
    rebuild(group.home, lambda *_: None)
    assert group.history() == before


def test_builds_are_for_their_owner_only(group: Group) -> None:
    group.masters()
    newest = group.home.newest()
    assert newest and newest.stat().st_mode & 0o077 == 0
