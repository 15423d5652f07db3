"""Faults from outside, each for real: damaged builds, kill -9, full and read-only disks, a clock set back, two loaders.

Nothing is lost, nothing is half shown, and a sentence says what is wrong and what to do. `python -m bench.faults` kills
hundreds of times.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bench.faults import (
    Nursery,
    kill_loads,
    kill_servers,
    kill_writers,
    list_leftovers,
    open_nursery,
    read_everything,
    spell_export,
)
from dashboard.access import logins
from dashboard.access.audit import AuditProblem, Record, append_record
from dashboard.access.audit_check import verify
from dashboard.inbox import keep_upload, list_uploads, make_batch
from docs.draw_pictures import serve_dashboard
from etl.builds import Home
from etl.commands import Order, check_files
from metrics import builds
from metrics.__main__ import main as ask
from metrics.warehouse import BuildDamaged, Warehouse, WarehouseMissing
from tests.dashboard.small_group import write_group
from tests.dashboard.streamlit_client import come
from tests.etl.conftest import Group
from tests.etl.test_builds import KILLER
from tests.etl.test_builds import run as run_code

ROOT = Path(__file__).parents[1]
BLOCK = 262_144
"""Bytes of a block of a build, each of which DuckDB holds against its checksum when it reads it."""
FIGURES = "select sum(weight_scored), sum(weight_applicable) from cube_measure"


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """Where the commands are born that the tests run as processes."""
    with open_nursery() as opened:
        yield opened


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Group:
    """A group with three builds; only copied, never changed."""
    group = Group(tmp_path_factory.mktemp("loaded") / "group").masters(is_anew=True)
    for number in (1, 2):
        group.load(group.write(f"n{number}.csv", spell_export(number)), known_at=f"2024-0{number}-01 00:00:00")
    return group


@pytest.fixture
def group(loaded: Group, tmp_path: Path) -> Group:
    """A copy of it."""
    shutil.copytree(loaded.folder, tmp_path / "group")
    return Group.existing(tmp_path / "group")


def run(nursery: Nursery, group: Group, command: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit status of a command of the ETL as a process, and what it said."""
    said_to = group.folder / "said"
    said_to.unlink(missing_ok=True)
    home = group.home.path
    code = nursery.run(command, command, "--json", "--home", str(home), *arguments, home=home, said_to=said_to)
    return code, json.loads(said_to.read_text("utf-8").strip().splitlines()[-1])


# --- a damaged newest build ------------------------------------------------------------------------


def flip(path: Path, place: int) -> None:
    """Change one byte, as a failing disk does."""
    content = bytearray(path.read_bytes())
    content[place] ^= 0x41
    # A file of its own, because DuckDB may have the old one open.
    path.unlink()
    path.write_bytes(content)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def damage_figures(path: Path) -> None:
    """Change a byte of a block of figures, which is read only when they are asked for: the build can be opened."""
    whole = path.read_bytes()
    for place in range(3 * 4096 + BLOCK // 2, len(whole), BLOCK):
        flip(path, place)
        if read_figures(path, "select 1") and not read_figures(path, FIGURES):
            return
        path.unlink()
        path.write_bytes(whole)
    pytest.fail("No block of figures is read late.")


def read_figures(path: Path, sql: str) -> bool:
    """Whether readers can open a build and ask it this."""
    try:
        warehouse = Warehouse.open(path)
    except duckdb.Error:
        return False
    try:
        warehouse.cursor().execute(sql).fetchall()
    except duckdb.Error:
        return False
    finally:
        warehouse.close()
    return True


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut off": lambda path: os.truncate(path, path.stat().st_size // 2),
    "emptied": lambda path: os.truncate(path, 0),
    "byte of the header": lambda path: flip(path, 5000),
    "byte of a block": lambda path: flip(path, path.stat().st_size // 2),
    "missing": Path.unlink,
    "a folder": replace_by_folder,
}
LOST_POINTERS: dict[str, Callable[[Path], object]] = {
    "emptied": lambda path: os.truncate(path, 0),
    "garbage": lambda path: path.write_bytes(os.urandom(64)),
    "missing": Path.unlink,
    "a folder": replace_by_folder,
}


@pytest.mark.parametrize("name", DAMAGES)
def test_readers_are_shown_the_build_before_and_the_next_load_makes_all_again(
    nursery: Nursery, group: Group, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    home = group.home.path
    whole = read_everything(home)
    newest = group.home.newest()
    before = group.home.list_builds()[1]
    assert newest
    DAMAGES[name](newest)

    if name != "byte of a block":  # Which the readers may not need.
        warehouse = Warehouse.open_newest(home)
        assert warehouse.build_name == before.stem and [one.name for one in warehouse.passed] == [newest.stem]
        warehouse.close()
        assert ask(["ask", "compliance_rate", "--home", str(home), "--json"]) == 0
        told = capsys.readouterr()
        assert json.loads(told.out)["build"] == before.stem
        assert f"{newest.stem} (" in told.err and "python -m etl rebuild" in told.err
        code, said = run(nursery, group, "status")
        assert (code, said["build"], said["unreadable"][0]["build"]) == (0, before.stem, newest.stem)

    path = group.write("n3.csv", spell_export(3))
    with pytest.raises(ValueError, match="python -m etl rebuild first"):
        check_files(group.home, Order([path]), lambda *_: None)
    code, said = run(nursery, group, "load", "--known-at", "2024-03-01", str(path))
    assert code == 0 and "made again from the archive" in said["said"][0]
    after = read_everything(home)
    assert after[1][:-1] == whole[1] and after[1][-1][1] == "n3.csv"


def test_rebuild_has_what_only_the_damaged_build_had(nursery: Nursery, group: Group) -> None:
    whole = read_everything(group.home.path)
    # What was noted by a load that was killed before it published is none of it.
    path = group.write("never.csv", spell_export(9))
    killed = run_code(KILLER, "etl.builds.Home.point_to", str(group.home.path), str(path))
    assert killed.returncode == -9, killed.stderr
    newest = group.home.newest()
    assert newest
    os.truncate(newest, 1000)
    assert run(nursery, group, "rebuild")[0] == 0
    assert read_everything(group.home.path) == whole


def test_an_older_warehouse_that_was_put_back_is_not_gone_on_from(nursery: Nursery, group: Group) -> None:
    home = group.home
    (home.warehouse / "current").write_text(home.list_builds()[2].name)
    code, said = run(nursery, group, "load", str(group.write("n3.csv", spell_export(3))))
    assert code == 0 and "was published last" in said["said"][0]
    assert [load[1] for load in read_everything(home.path)[1]][2:] == ["n1.csv", "n2.csv", "n3.csv"]


@pytest.mark.parametrize("name", LOST_POINTERS)
def test_a_lost_pointer_loses_nothing(nursery: Nursery, group: Group, name: str) -> None:
    home = group.home
    last = home.list_builds()[0]
    LOST_POINTERS[name](home.warehouse / "current")
    warehouse = Warehouse.open_newest(home.path)
    assert (warehouse.build_name, [one.name for one in warehouse.passed]) == (last.stem, ["current"])
    warehouse.close()
    code, said = run(nursery, group, "load", str(group.write("n3.csv", spell_export(3))))
    if name == "a folder":
        assert code == 2 and "current" in said["error"] and "Move it away" in said["error"]
        (home.warehouse / "current").rmdir()
        code, said = run(nursery, group, "load", str(group.write("n3.csv", spell_export(3))))
    assert code == 0
    assert [load[1] for load in read_everything(home.path)[1]][2:] == ["n1.csv", "n2.csv", "n3.csv"]


def test_a_file_of_the_archive_that_was_changed_is_named(nursery: Nursery, group: Group) -> None:
    (kept,) = group.home.archive.glob("*/*/n1.csv")
    kept.write_text("entity,period,item,answer\n")
    newest = group.home.newest()
    code, said = run(nursery, group, "rebuild")
    assert code == 2 and str(kept) in said["error"] and "backup" in said["error"]
    assert group.home.newest() == newest


def test_without_any_readable_build_the_reason_is_said(nursery: Nursery, group: Group) -> None:
    for path in group.home.list_builds():
        os.truncate(path, 0)
    assert run(nursery, group, "status")[0] == 2
    with pytest.raises(WarehouseMissing, match=r"Nor can the builds before it.*python -m etl rebuild"):
        Warehouse.open_newest(group.home.path)
    assert run(nursery, group, "rebuild")[0] == 0
    Warehouse.open_newest(group.home.path).close()


def test_damage_that_a_query_comes_upon_is_passed_over_from_then_on(group: Group) -> None:
    newest = group.home.newest()
    assert newest
    damage_figures(newest)
    warehouse = Warehouse.open_newest(group.home.path)
    assert warehouse.build_name == newest.stem
    with pytest.raises(BuildDamaged, match=newest.stem):
        warehouse.read_rows(FIGURES)
    warehouse.close()
    warehouse = Warehouse.open_newest(group.home.path)
    assert warehouse.build_name == group.home.list_builds()[1].stem
    warehouse.close()


def test_pages_go_on_with_the_build_before_and_say_so_in_both_languages(tmp_path: Path) -> None:
    write_group(tmp_path)
    folder = tmp_path / "warehouse"
    (first,) = folder.glob("*.duckdb")
    builds_ = [folder / f"build-20260101T000000-00000{number}.duckdb" for number in (1, 2, 3)]
    for path in builds_:
        shutil.copy(first, path)
    point = folder / "current"
    point.write_text(builds_[0].name)
    with serve_dashboard(tmp_path) as address, come(address) as client:
        shown = client.open("overview", {"lang": "en"})
        assert b"cannot be read" not in shown.text
        # Damaged before it is opened.
        flip(builds_[1], 5000)
        point.write_text(builds_[1].name)
        for page in ("overview", "imports", "definitions"):
            shown = client.open(page, {"lang": "en"})
            assert not shown.exceptions
            notice = shown.text.replace(b"\\", b"").decode(errors="replace")
            assert f"The newest build, {builds_[1].stem}, cannot be read" in notice, page
            assert f"Shown is {builds_[0].stem}, known until 20" in notice and "python -m etl rebuild" in notice
        # Damaged where only a figure is: the page is already being drawn when that is found.
        damage_figures(builds_[2])
        point.write_text(builds_[2].name)
        with come(address) as other:
            shown = other.open("overview", {"lang": "ja"})
        notice = shown.text.replace(b"\\", b"").decode(errors="replace")
        assert f"{builds_[2].stem}、{builds_[1].stem}" in notice and "読み取れない" in notice
        assert not shown.exceptions and "Error" not in notice and "記録されています" not in notice
        # A build that is whole again.
        fourth = folder / "build-20260101T000000-000004.duckdb"
        shutil.copy(first, fourth)
        point.write_text(fourth.name)
        shown = client.open("overview", {"lang": "en"})
        assert b"cannot be read" not in shown.text and fourth.stem.encode() in shown.text


# --- kill -9 ---------------------------------------------------------------------------------------


def test_loads_that_are_killed_are_whole_or_not_there(tmp_path: Path) -> None:
    found = kill_loads(tmp_path, 8, seed=20261128)
    assert found.problems == []


def test_a_file_that_a_killed_load_put_into_the_archive_does_not_stay(nursery: Nursery, group: Group) -> None:
    never = group.write("never.csv", spell_export(9))
    assert run_code(KILLER, "etl.load.run_checks", str(group.home.path), str(never)).returncode == -9
    assert list(group.home.archive.glob("*/*/never.csv"))
    assert run(nursery, group, "load", str(group.write("n3.csv", spell_export(3))))[0] == 0
    assert not list(group.home.archive.glob("*/*/never.csv")) and list_leftovers(group.home.path, 5) == []


def test_what_a_server_writes_is_whole_whenever_it_is_killed(tmp_path: Path) -> None:
    found = kill_writers(tmp_path, 12, seed=20261128)
    assert found.problems == []


def test_a_server_starts_after_one_that_was_killed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    write_group(home)
    found = kill_servers(home, 1, seed=1)
    assert found.problems == []


# --- readers while builds are published and pruned --------------------------------------------------


def test_readers_see_one_build_while_others_are_published(nursery: Nursery, group: Group) -> None:
    home, problems, seen = group.home.path, [], set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                warehouse = Warehouse.open_newest(home)
                with warehouse.cursor() as cursor:
                    # Every load adds one row to the log and one inspection; what is read first must fit what is read last.
                    (loads,) = cursor.execute("select count(*) from load").fetchone() or (0,)
                    name = cursor.execute("select build_name from build").fetchall()[0][0]
                    (again,) = cursor.execute("select count(distinct load_id) from load").fetchone() or (0,)
                warehouse.close()
                seen.add((name, loads))
                if loads != again or name != warehouse.build_name or warehouse.passed:
                    problems.append((name, warehouse.build_name, loads, again, warehouse.passed))
            except Exception as error:  # Whatever a reader gets is what this is about.
                problems.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for one in readers:
        one.start()
    try:
        for number in range(3, 9):
            assert nursery.load(home, group.write(f"n{number}.csv", spell_export(number)), f"2024-0{number}-01") == 0
    finally:
        done.set()
        for one in readers:
            one.join()
    assert problems == []
    by_build = dict(sorted(seen))
    assert len(by_build) == len(seen) > 3
    assert list_leftovers(home, 10) == []


# --- disks -----------------------------------------------------------------------------------------


@contextmanager
def mount(*arguments: str) -> Iterator[None]:
    """Mount something for as long as it is needed; leaves the test out where that is not allowed."""
    if os.getuid() != 0:
        pytest.skip("Only root may mount a small disk.")
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"A small disk cannot be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", arguments[-1]], check=True)


def fill_disk(folder: Path, leave: int) -> Path:
    """A file that leaves so many bytes of a disk."""
    state = os.statvfs(folder)
    path = folder / "filling"
    with path.open("wb") as file:
        file.truncate(0)
        os.posix_fallocate(file.fileno(), 0, max(1, state.f_bavail * state.f_frsize - leave))
    return path


def test_a_full_disk_is_named_and_nothing_is_half_there(nursery: Nursery, loaded: Group, tmp_path: Path) -> None:
    group = Group.existing(tmp_path)
    home = group.home.path
    home.mkdir()
    with mount("-t", "tmpfs", "-o", "size=64m,mode=700", "tenken", str(home)):
        shutil.copytree(loaded.home.path, home, dirs_exist_ok=True)
        append_record(home, Record("viewed", "ann@example.com"))
        whole, newest = read_everything(home), group.home.newest()
        assert newest
        size = newest.stat().st_size
        path = group.write("n3.csv", spell_export(3))
        # While the build is copied; while it is worked on; when it is brought to its end or noted.
        for leave in (0, size // 2, size + 20_000):
            filling = fill_disk(home, leave)
            code, said = run(nursery, group, "load", "--known-at", "2024-03-01", str(path))
            assert code == 2, leave
            assert "The disk is full: " in said["error"] and str(home) in said["error"], said
            assert "Make room there, then run the same command again" in said["error"]
            assert group.home.newest() == newest and read_everything(home) == whole
            assert list_leftovers(home, 4) == []
            filling.unlink()
        filling = fill_disk(home, 0)
        code, said = run(nursery, group, "rebuild")
        assert code == 2 and "The disk is full" in said["error"]
        # The last page of the log's file may have room for some.
        with pytest.raises(AuditProblem, match="Make room on its disk"):
            write_records(home, 100)
        with pytest.raises(OSError, match="No space left"):
            keep_upload(make_batch(home), "a.csv", io.BytesIO(bytes(1_000_000)))
        assert [list_uploads(batch) for batch in (home / "inbox").iterdir() if not batch.is_dir()] == []
        filling.unlink()
        append_record(home, Record("viewed", "ann@example.com"))
        assert verify(home).is_intact
        assert run(nursery, group, "load", "--known-at", "2024-03-01", str(path))[0] == 0
        assert [load[1] for load in read_everything(home)[1]][2:] == ["n1.csv", "n2.csv", "n3.csv"]
        assert run(nursery, group, "rebuild")[0] == 0


def write_records(home: Path, number: int) -> None:
    for _ in range(number):
        append_record(home, Record("viewed", "ann@example.com", detail="x" * 1000))


def test_a_full_folder_for_temporary_files_is_named(loaded: Group, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    path = loaded.write("n3.csv", spell_export(3))
    with mount("-t", "tmpfs", "-o", "size=1m", "tenken", str(scratch)):
        done = subprocess.run(
            [sys.executable, "-m", "etl", "check", "--json", "--home", str(loaded.home.path), str(path)],
            cwd=ROOT, env=os.environ | {"TMPDIR": str(scratch)}, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 2, done.stderr
        error = json.loads(done.stdout)["error"]
        assert f"The disk is full: {scratch}" in error and "TMPDIR" in error
        assert list(scratch.iterdir()) == []


def test_a_home_on_a_read_only_disk_is_read_and_says_so(nursery: Nursery, group: Group, tmp_path: Path) -> None:
    home = group.home.path
    path = group.write("n3.csv", spell_export(3))
    whole = read_everything(home)
    with mount("--bind", str(home), str(home)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(home)], check=True)
        assert read_everything(home) == whole
        for command, arguments in (("load", [str(path)]), ("rebuild", [])):
            code, said = run(nursery, group, command, *arguments)
            assert code == 2 and "read-only" in said["error"] and "--home" in said["error"], said
        assert run(nursery, group, "status")[0] == 0
        assert run(nursery, group, "check", str(path))[0] == 0
        with pytest.raises(AuditProblem, match="cannot be written"):
            append_record(home, Record("viewed", "ann@example.com"))
        with pytest.raises(logins.LoginsProblem, match="cannot be written"):
            logins.use(home, "some login")
        with serve_dashboard(home) as address, come(address) as client:
            for page in ("overview", "imports"):
                shown = client.open(page, {"lang": "en"})
                assert not shown.exceptions and b"Something went wrong" not in shown.text, page


# --- the clock -------------------------------------------------------------------------------------


def test_a_clock_set_back_changes_no_earlier_knowledge(nursery: Nursery, group: Group) -> None:
    assert run(nursery, group, "load", str(group.write("n3.csv", spell_export(3))))[0] == 0
    before = read_everything(group.home.path)
    last = max(load[4] for load in before[1])
    path = group.write("n4.csv", spell_export(4))
    done = run_at(last - timedelta(days=40), "load", "--json", "--home", str(group.home.path), str(path))
    assert done.returncode == 0, done.stderr
    (said,) = json.loads(done.stdout)["said"]
    assert "it was set back" in said and "--known-at" in said
    after = read_everything(group.home.path)
    assert after[1][:-1] == before[1]
    assert last < after[1][-1][4] < last + timedelta(seconds=1)
    newest = group.home.newest()
    assert newest and newest == group.home.list_builds()[0]
    # Its name says an earlier time than those before it, and its number a later place.
    assert min(group.home.list_builds()) == newest
    assert run(nursery, group, "rebuild")[0] == 0
    assert read_everything(group.home.path) == after
    assert group.home.newest() == group.home.list_builds()[0] != newest


def run_at(moment: datetime, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the ETL with the clock at a moment, also for DuckDB."""
    faketime = shutil.which("faketime")
    if not faketime:
        pytest.skip("faketime is not installed (apt-get install faketime)")
    command = [faketime, "-f", f"{moment:%Y-%m-%d %H:%M:%S}", sys.executable, "-m", "etl", *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | {"TZ": "UTC"}, capture_output=True, text=True)


def test_logins_and_the_audit_log_bear_a_clock_set_back(tmp_path: Path) -> None:
    logins.use(tmp_path, "login")
    place = tmp_path / logins.FOLDER / "login"
    # The clock was an hour ahead when the login was used.
    ahead = place.stat().st_mtime + 3600
    os.utime(place, (ahead, ahead))
    logins.use(tmp_path, "login")
    assert place.stat().st_mtime < ahead - 3000
    now = datetime.now().astimezone()
    for moment in (now, now - timedelta(days=2), now):
        append_record(tmp_path, Record("viewed", "ann@example.com"), moment=moment)
    found = verify(tmp_path)
    assert found.is_intact and ["set back" in note.text for note in found.notes] == [True]


# --- two at once -----------------------------------------------------------------------------------


@pytest.mark.parametrize("second", ["load", "rebuild"])
def test_of_two_commands_at_once_one_is_turned_away_and_nothing_is_lost(
    nursery: Nursery, group: Group, second: str
) -> None:
    path, other = group.write("n3.csv", spell_export(3)), group.write("n4.csv", spell_export(4))
    commands = [["load", "--known-at", "2024-03-01", str(path)], [second, *([str(other)] if second == "load" else [])]]
    told: list[tuple[int, dict[str, Any]]] = []
    running = [start(group.home, command) for command in commands]
    for one in running:
        out, _ = one.communicate()
        told.append((one.returncode, json.loads(out)))
    for (code, said), command in zip(told, commands, strict=True):
        if code == 2:
            assert "Another load is writing" in said["error"] and "Try again" in said["error"]
            assert run(nursery, group, *command)[0] == 0
        else:
            assert code == 0
    files = [load[1] for load in read_everything(group.home.path)[1]]
    assert sorted(files[2:]) == ["n1.csv", "n2.csv", "n3.csv", *(["n4.csv"] if second == "load" else [])]


def start(home: Home, command: Sequence[str]) -> subprocess.Popen[str]:
    """Start a command of the ETL and do not wait for it."""
    return subprocess.Popen(
        [sys.executable, "-m", "etl", command[0], "--json", "--home", str(home.path), *command[1:]],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def test_a_load_while_another_one_writes_is_turned_away(nursery: Nursery, group: Group) -> None:
    path = group.write("n3.csv", spell_export(3))
    with (group.home.warehouse / ".lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in (["load", str(path)], ["rebuild"]):
            code, said = run(nursery, group, *command)
            assert code == 2 and "Another load is writing" in said["error"]
    assert run(nursery, group, "load", str(path))[0] == 0


@pytest.fixture(autouse=True)
def _nothing_passed_over() -> Iterator[None]:
    """No test knows what another one found damaged."""
    yield
    builds._TROUBLES.clear()
