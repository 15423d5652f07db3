"""The Import page and its batches: nothing is lost, nothing is published unasked, whatever is dropped or breaks off."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import re
import signal
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from hypothesis import given
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from dashboard import inbox
from dashboard.data.import_advice import ADVICE
from dashboard.data.import_draft import make_name
from dashboard.data.import_settings import list_periods
from dashboard.data.import_words import REASONS
from dashboard.engine import Command, read_json
from dashboard.inbox import Batch, Gone, clean_name, keep_upload, look_at, make_batch
from dashboard.navigation import ENTRIES
from dashboard.words import Language, translate
from etl.builds import Home
from metrics.warehouse import newest_build_name

ROOT = Path(__file__).parents[2]
APP = ROOT / "app.py"
PAGE = ENTRIES["imports"].path

WALK = """
[source]
name = "office_walk"
label = { en = "Office walk", ja = "職場巡回" }
format = "csv"
[recognise]
header = ["walk item", "walk result"]
[columns]
item = "walk item"
verdict = "walk result"
comment = "walk remark"
[capture]
entity = { file_name = '^walk_([A-Z]+)', given = "entity" }
period = { file_name = '_(FY\\d{4}-H\\d)', given = "period" }
[answers]
met = ["yes"]
not_met = ["no"]
[[record]]
kind = "entity"
[record.fields]
entity_code = "entity"
[[record]]
kind = "item"
[record.fields]
checklist_code = "'WALK'"
checklist_version = "'1'"
item_code = "item"
[[record]]
kind = "answer"
[record.fields]
inspection_type = "'self_check'"
entity_code = "entity"
period = "period"
checklist_code = "'WALK'"
checklist_version = "'1'"
item_code = "item"
verdict = "verdict"
comment = "comment"
"""
GOOD = "walk item,walk result,walk remark\nW1,yes,\nW2,no,door open\n"
MIXED = "walk item,walk result,walk remark\nW1,yes,\nW2,perhaps,\nW3,no,\n"
NAME = "walk_TKY_FY2024-H1.csv"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home without a build, in which one layout is described."""
    sources = tmp_path / "home" / "sources"
    sources.mkdir(parents=True)
    (sources / "office_walk.toml").write_text(WALK, "utf-8")
    return tmp_path / "home"


def drop(batch: Batch, name: str, text: str | bytes = GOOD) -> inbox.Upload:
    return keep_upload(batch, name, io.BytesIO(text if isinstance(text, bytes) else text.encode()))


def check(batch: Batch) -> inbox.Look:
    """The batch once its check has ended."""
    look = look_at(batch)
    while look.state == "checking":
        batch.check.wait()
        look = look_at(batch)
    return look


def publish(batch: Batch) -> inbox.Look:
    """The batch once it is published."""
    look = check(batch)
    assert look.check
    assert inbox.begin_publishing(batch, look.check.asked)
    batch.publish.wait()
    return check(batch)


def list_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


# --- names and bytes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\exports\\自己点検表.xlsx", "自己点検表.xlsx"),
        ("sent/to/us/answers.csv", "answers.csv"),
        ("a\x00b\n.csv", "ab.csv"),
        ("invoice\u202efdp.csv", "invoicefdp.csv"),
        (".hidden.csv", "hidden.csv"),
        ("..", "file"),
        ("", "file"),
        ("/", "file"),
        (".csv", "csv"),
        ("<b>![x](y)</b>.csv", "b>.csv"),
        ("点" * 200 + ".xlsx", "点" * 65 + ".xlsx"),
    ],
)
def test_of_a_name_the_last_part_is_kept(written: str, kept: str) -> None:
    assert clean_name(written) == kept


@given(some.text(max_size=300))
def test_no_name_leads_anywhere_else(written: str) -> None:
    name = clean_name(written)
    assert name and len(name.encode()) <= inbox.LONGEST_NAME
    assert Path(name).name == name and not name.startswith(".")
    assert clean_name(name) == name


@pytest.mark.parametrize(
    "name", ["..", "../home", "", "20250101T000000-abcdef/../..", "none", "20250101T000000-ABCDEF"]
)
def test_only_the_name_of_a_batch_finds_one(home: Path, name: str) -> None:
    make_batch(home)
    assert inbox.find_batch(home, name) is None


def test_dropped_bytes_are_on_disk_for_nobody_else(home: Path) -> None:
    batch = make_batch(home)
    kept = drop(batch, "../up/" + NAME, b"\xff\x00bytes")
    assert kept.path.read_bytes() == b"\xff\x00bytes"
    assert kept.path.name == NAME and kept.path.is_relative_to(batch.files)
    drop(batch, "walk_OSK_FY2024-H1.csv", MIXED)
    inbox.choose(batch, [NAME], entity="TKY")
    check(batch)
    assert list_files(batch.refused("check"))
    for path in [inbox.find_inbox(home), *inbox.find_inbox(home).rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_files_of_one_name_stay_apart_and_the_same_file_is_kept_once(home: Path) -> None:
    batch = make_batch(home)
    first, again, other = drop(batch, NAME), drop(batch, NAME), drop(batch, NAME, MIXED)
    assert first == again
    assert {one.key for one in inbox.list_uploads(batch)} == {first.key, other.key}
    look = check(batch)
    assert look.check and look.check.answer
    assert sorted(load["rows_read"] for load in look.check.answer["loads"]) == [2, 3]


class BreaksOff(io.BytesIO):
    """An upload whose connection ends in the middle."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise OSError(28, "No space left on device")
        return super().read(3)


def test_an_upload_that_breaks_off_leaves_nothing(home: Path) -> None:
    batch = make_batch(home)
    with pytest.raises(OSError, match="No space left"):
        keep_upload(batch, NAME, BreaksOff(b"walk item"))
    assert look_at(batch).state == "empty"
    assert not list(batch.folder.glob("*.part")) and not list(batch.folder.glob(".*.part"))
    # A server that ends in the middle leaves the part, and perhaps a folder without a file.
    (batch.folder / ".0.part").write_bytes(b"walk")
    kept = drop(make_batch(home), NAME)
    (batch.files / kept.key).mkdir()
    assert look_at(batch).state == "empty"
    assert drop(batch, NAME).key == kept.key
    assert check(batch).state == "ready"


# --- checks ----------------------------------------------------------------------------------------


def test_a_check_says_what_a_load_would_do_and_changes_nothing(home: Path) -> None:
    batch = make_batch(home)
    drop(batch, NAME)
    drop(batch, "walk_OSK_FY2024-H1.csv", MIXED)
    drop(batch, "walk.csv")
    drop(batch, "letter.csv", "dear,all\n1,2\n")
    look = check(batch)
    assert look.state == "attention"
    assert look.check and look.check.answer
    loads = {load["file"]: load for load in look.check.answer["loads"]}
    assert (loads[NAME]["rows_loaded"], loads[NAME]["rows_refused"]) == (2, 0)
    assert (loads["walk_OSK_FY2024-H1.csv"]["rows_loaded"], loads["walk_OSK_FY2024-H1.csv"]["rows_refused"]) == (2, 1)
    assert loads["walk.csv"]["needs"] == ["entity", "period"]
    assert loads["letter.csv"]["reason_code"] == "unknown_source"
    assert len(inbox.list_wanted(look.check.answer)) == 2
    assert newest_build_name(home) is None
    assert not (home / "archive").exists() or not list_files(home / "archive")


def test_a_check_is_made_again_when_files_choices_sources_or_the_build_change(home: Path) -> None:
    batch = make_batch(home)
    drop(batch, "walk.csv")

    def ask() -> str:
        look = check(batch)
        assert look.check
        return look.check.asked

    asked = [ask()]
    assert ask() == asked[0]
    inbox.choose(batch, ["walk.csv"], entity="TKY", period="FY2024-H1")
    asked.append(ask())
    assert check(batch).state == "ready"
    drop(batch, "walk_OSK_FY2024-H1.csv")
    asked.append(ask())
    (home / "sources" / "other.toml").write_text(
        WALK.replace("office_walk", "other").replace("walk item", "x"), "utf-8"
    )
    asked.append(ask())
    other = make_batch(home)
    drop(other, "walk_NGO_FY2024-H1.csv")
    assert publish(other).state == "published"
    asked.append(ask())
    assert len(set(asked)) == len(asked)
    # What is taken back leads back.
    inbox.choose(batch, ["walk.csv"], entity=None, period=None)
    assert inbox.read_choices(batch) == {}
    assert check(batch).state == "attention"


def test_a_check_of_other_files_gives_way(home: Path) -> None:
    batch = make_batch(home)
    drop(batch, NAME)
    assert look_at(batch).state == "checking"
    before = batch.check.read_asked()
    drop(batch, "walk_OSK_FY2024-H1.csv")
    assert look_at(batch).state == "checking"
    assert batch.check.read_asked() != before
    look = check(batch)
    assert look.state == "ready"
    assert look.check and look.check.answer and len(look.check.answer["loads"]) == 2


def test_a_check_goes_on_when_the_server_that_began_it_has_ended(home: Path) -> None:
    batch = make_batch(home)
    drop(batch, NAME)
    script = (
        "import sys; from pathlib import Path; from dashboard import inbox; "
        "print(inbox.look_at(inbox.Batch(Path(sys.argv[1]), sys.argv[2])).state)"
    )
    began = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(home), batch.name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert began.stdout.strip() == "checking"
    batch.check.wait()
    # Collected, not begun anew.
    assert look_at(batch).state == "ready"


def test_a_crash_after_the_result_is_written_loses_and_repeats_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make_batch(home)
    drop(batch, NAME)
    look_at(batch)
    batch.check.wait()
    unlink = Path.unlink

    def crash(path: Path, missing_ok: bool = False) -> None:
        if path.name == ".check.asked":
            raise KeyboardInterrupt
        unlink(path, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", crash)
        with pytest.raises(KeyboardInterrupt):
            look_at(batch)
    assert batch.check.result_path.exists()
    assert look_at(batch).state == "ready"
    assert batch.check.read_asked() is None


def test_a_check_that_dies_is_said_and_can_be_made_again(home: Path) -> None:
    batch = make_batch(home)
    drop(batch, NAME)
    look_at(batch)
    os.killpg(int((batch.folder / ".check.pid").read_text()), signal.SIGKILL)
    batch.check.wait()
    look = look_at(batch)
    assert look.state == "failed"
    assert look.check and look.check.answer is None and look.check.error is None and not look.check.is_stopped
    # It does not run again and again by itself.
    assert look_at(batch).state == "failed"
    inbox.check_again(batch)
    assert check(batch).state == "ready"


def test_a_check_can_be_stopped(home: Path) -> None:
    batch = make_batch(home)
    drop(batch, NAME)
    look_at(batch)
    inbox.stop_check(batch)
    look = look_at(batch)
    assert not batch.check.is_running()
    if look.state != "ready":
        assert look.state == "failed" and look.check and look.check.is_stopped


def test_a_source_at_fault_is_said_in_its_own_words(home: Path) -> None:
    (home / "sources" / "broken.toml").write_text("[source]\nname = 'broken'\nformat = 'paper'\n", "utf-8")
    batch = make_batch(home)
    drop(batch, NAME)
    look = check(batch)
    assert look.state == "failed"
    assert look.check and look.check.error and "broken" in look.check.error


def test_a_thousand_files_are_kept_and_looked_at(home: Path) -> None:
    batch = make_batch(home)
    for number in range(1000):
        drop(batch, f"note_{number}.txt", f"{number}")
    assert len(inbox.list_uploads(batch)) == 1000
    look = check(batch)
    assert look.state == "attention"
    assert look.check and look.check.answer and len(look.check.answer["loads"]) == 1000


# --- publishing ------------------------------------------------------------------------------------


def test_publishing_loads_what_can_be_loaded_and_keeps_the_rest(home: Path) -> None:
    batch = make_batch(home)
    good = drop(batch, NAME)
    refused = drop(batch, "letter.csv", "dear,all\n1,2\n")
    look = publish(batch)
    assert newest_build_name(home)
    assert not good.path.exists() and refused.path.exists()
    assert look.state == "attention"
    assert look.publish and look.publish.answer and look.publish.answer["loads"][0]["rows_loaded"] == 2
    sha = hashlib.sha256(GOOD.encode()).hexdigest()
    assert (home / "archive" / sha[:2] / sha / NAME).read_text() == GOOD
    inbox.remove_upload(batch, refused.key)
    assert look_at(batch).state == "published"


def test_a_file_whose_bytes_are_not_in_the_archive_is_not_removed(home: Path) -> None:
    batch = make_batch(home)
    kept = drop(batch, NAME)
    look = check(batch)
    assert look.check and inbox.begin_publishing(batch, look.check.asked)
    batch.publish.wait()
    (archived,) = (home / "archive").rglob(NAME)
    archived.write_text("something else")
    look_at(batch)
    assert kept.path.read_text() == GOOD


def test_nothing_is_published_for_a_check_of_something_else(home: Path) -> None:
    batch = make_batch(home)
    drop(batch, NAME)
    look = check(batch)
    assert look.check
    drop(batch, "walk_OSK_FY2024-H1.csv")
    assert not inbox.begin_publishing(batch, look.check.asked)
    assert not inbox.begin_publishing(batch, "anything")
    assert newest_build_name(home) is None


def test_another_load_that_writes_is_said_and_publishing_goes_on_afterwards(home: Path) -> None:
    batch = make_batch(home)
    drop(batch, NAME)
    look = check(batch)
    assert look.check
    with Home(home).writing():
        assert inbox.begin_publishing(batch, look.check.asked)
        batch.publish.wait()
        look = look_at(batch)
    assert look.state == "failed"
    assert look.publish and look.publish.error and "Another load is writing" in look.publish.error
    assert publish(batch).state == "published"


def test_a_publication_that_dies_has_published_nothing_and_can_be_repeated(home: Path) -> None:
    batch = make_batch(home)
    kept = drop(batch, NAME)
    look = check(batch)
    assert look.check and inbox.begin_publishing(batch, look.check.asked)
    assert not inbox.discard(batch) or not batch.publish.is_running()
    os.killpg(int((batch.folder / ".publish.pid").read_text()), signal.SIGKILL)
    batch.publish.wait()
    look = look_at(batch)
    assert look.state == "failed" and kept.path.exists()
    assert newest_build_name(home) is None
    with Home(home).writing():
        pass
    assert publish(batch).state == "published"


def test_two_batches_do_not_know_of_each_other(home: Path) -> None:
    first, second = make_batch(home), make_batch(home)
    drop(first, NAME)
    drop(second, "walk_OSK_FY2024-H1.csv", MIXED)
    look_at(first), look_at(second)
    assert check(first).state == check(second).state == "ready"
    assert publish(first).state == "published"
    assert check(second).state == "ready"
    look = publish(second)
    assert look.state == "published" and look.publish and look.publish.answer
    assert [load["file"] for load in look.publish.answer["loads"]] == ["walk_OSK_FY2024-H1.csv"]
    assert {one.name for one in inbox.list_batches(home)} == {first.name, second.name}


def zip_files(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        for name, text in files.items():
            package.writestr(name, text)
    return packed.getvalue()


def test_a_zip_goes_when_all_that_was_not_left_out_is_in_the_archive(home: Path) -> None:
    batch = make_batch(home)
    members = {"2024/../" + NAME: GOOD, "__MACOSX/._x": "x", "letter.csv": "dear,all\n1,2\n"}
    kept = drop(batch, "all.zip", zip_files(members))
    look = publish(batch)
    assert kept.path.exists() and look.state == "attention"
    inbox.choose(batch, ["letter.csv"], leave_out=True)
    look = check(batch)
    assert look.state == "attention" and look.check and look.check.answer
    assert [load["is_known"] for load in look.check.answer["loads"]] == [True]
    other = make_batch(home)
    kept = drop(other, "all.zip", zip_files(members | {NAME: MIXED}))
    inbox.choose(other, ["letter.csv"], leave_out=True)
    assert publish(other).state == "published"
    assert not kept.path.exists()


def test_mended_rows_are_loaded_as_their_file_would_be(home: Path) -> None:
    from python_calamine import CalamineWorkbook
    from xlsxwriter import Workbook

    batch = make_batch(home)
    drop(batch, "walk_OSK_FY2024-H1.csv", MIXED)
    look = publish(batch)
    assert look.publish and look.publish.answer
    (load,) = look.publish.answer["loads"]
    path = Path(load["refused_workbook"])
    assert path.is_relative_to(batch.refused("publish").resolve())
    book, mended = CalamineWorkbook.from_path(path), io.BytesIO()
    with Workbook(mended) as out:
        for name in book.sheet_names:
            sheet = out.add_worksheet(name)
            for row, cells in enumerate(book.get_sheet_by_name(name).to_python()):
                for column, cell in enumerate(cells):
                    sheet.write_string(row, column, "no" if cell == "perhaps" else str(cell))
    again = make_batch(home)
    drop(again, path.name, mended.getvalue())
    look = publish(again)
    assert look.state == "published" and look.publish and look.publish.answer
    assert (look.publish.answer["loads"][0]["rows_loaded"], look.publish.answer["loads"][0]["rows_refused"]) == (1, 0)


def test_a_discarded_batch_is_gone_everywhere(home: Path) -> None:
    batch = make_batch(home)
    drop(batch, NAME)
    look_at(batch)
    assert inbox.discard(batch)
    assert not batch.check.is_running()
    assert list_files(inbox.find_inbox(home)) == []
    for act in (look_at, inbox.discard, inbox.check_again, inbox.stop_check):
        with pytest.raises(Gone):
            act(batch)
    with pytest.raises(Gone):
        drop(batch, NAME)
    with pytest.raises(Gone):
        inbox.choose(batch, [NAME], entity="TKY")


def test_a_command_is_not_started_twice(home: Path) -> None:
    command = Command(make_batch(home).folder, "sources")
    arguments = ["sources", "--json", "--home", str(home)]
    with (command.folder / ".sources.lock").open("w") as lock:
        # As one that was started by another server holds it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert command.is_running() and not command.start(arguments, "all")
    assert not command.is_running() and command.collect() is None
    assert command.start(arguments, "all")
    command.wait()
    outcome = command.collect()
    assert outcome and outcome.asked == "all" and outcome.answer
    assert read_json(command.result_path)["answer"] == outcome.answer


# --- the page --------------------------------------------------------------------------------------

OpenImports = Callable[..., AppTest]


@pytest.fixture
def open_imports(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenImports]:
    """Open the Import page of the home."""
    st.cache_data.clear()
    st.cache_resource.clear()
    monkeypatch.setenv("TENKEN_HOME", str(home))

    def run(language: str = "en", **address: str) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=60)
        app.switch_page(PAGE)
        app.query_params["lang"] = language
        for name, value in address.items():
            app.query_params[name] = value
        return app.run()

    yield run
    st.cache_resource.clear()


def upload(app: AppTest, *files: tuple[str, str | bytes]) -> AppTest:
    rows = [(name, text if isinstance(text, bytes) else text.encode(), "text/csv") for name, text in files]
    return app.file_uploader[0].set_value(rows).run()


def find_button(app: AppTest, label: str) -> Any:
    return next(button for button in app.button if button.label.startswith(label))


def list_texts(app: AppTest) -> str:
    kinds = ("text", "caption", "markdown", "info", "error", "warning", "subheader")
    return "\n".join(element.value for kind in kinds for element in app.get(kind))


def wait_for(app: AppTest, command: str, home: Path) -> AppTest:
    """The page once a command of the newest batch has ended."""
    batch = inbox.list_batches(home)[0]
    getattr(batch, command).wait()
    app.run()
    assert [error.value for error in app.exception] == []
    return app


@pytest.mark.parametrize("language", ["en", "ja"])
def test_page_without_a_build_takes_files_and_publishes_the_first(
    open_imports: OpenImports, home: Path, language: Language
) -> None:
    def say(text: str) -> str:
        return translate(language, text)

    app = open_imports(language)
    assert [title.value for title in app.title] == [say("Import")]
    app = upload(app, (NAME, GOOD))
    assert [error.value for error in app.exception] == []
    assert [batch.name for batch in inbox.list_batches(home)] == [app.query_params["batch"]]
    app = wait_for(app, "check", home)
    assert newest_build_name(home) is None
    button = app.button(key="publish")
    files = say("1 file")
    assert button.label == translate(
        language, "Publish: {files}, {rows}, {changed} changed, {refused} refused",
        files=files, rows=translate(language, "{number} rows loaded", number="2"), changed="0", refused="0",
    )  # fmt: skip
    button.click().run()
    app = wait_for(app, "publish", home)
    assert newest_build_name(home)
    assert say("Published") in list_texts(app)
    assert list_files(inbox.list_batches(home)[0].files) == []
    # The other pages show it.
    overview = AppTest.from_file(str(APP), default_timeout=60).run()
    assert not overview.exception and not overview.code


def test_missing_build_shows_the_way_to_the_import_page(open_imports: OpenImports) -> None:
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    assert not app.exception
    assert [link.proto.page for link in app.get("page_link")] == ["imports"]


def test_a_batch_is_found_again_with_all_that_was_settled(open_imports: OpenImports, home: Path) -> None:
    known = make_batch(home)
    drop(known, NAME)
    assert publish(known).state == "published"
    assert inbox.discard(known)
    app = upload(open_imports(), ("walk.csv", GOOD), ("walk_b.csv", GOOD))
    app = wait_for(app, "check", home)
    assert "Entity, Period" in list_texts(app)
    name = inbox.list_batches(home)[0].name
    entity = next(box for box in app.selectbox if box.label.startswith("Entity of 2 files"))
    entity.set_value("TKY")
    period = next(box for box in app.selectbox if box.label.startswith("Period of 2 files"))
    period.set_value("FY2024-H1")
    find_button(app, "Use for these files").click().run()
    app = open_imports(batch=name)
    app = wait_for(app, "check", home)
    batch = inbox.list_batches(home)[0]
    assert inbox.read_choices(batch) == {
        one: {"entity": "TKY", "period": "FY2024-H1"} for one in ("walk.csv", "walk_b.csv")
    }
    assert app.button(key="publish").disabled is False


def test_a_batch_can_be_left_continued_and_discarded(open_imports: OpenImports, home: Path) -> None:
    app = upload(open_imports(), (NAME, GOOD))
    app = wait_for(app, "check", home)
    find_button(app, "All batches").click().run()
    assert "batch" not in app.query_params
    assert "Ready to publish" in list_texts(app)
    find_button(app, "Continue").click().run()
    assert app.button(key="publish").disabled is False
    find_button(app, "Discard the batch").click().run()
    assert inbox.list_batches(home) == []
    assert not app.exception and "batch" not in app.query_params


def test_a_batch_discarded_in_another_tab_leads_back_to_the_list(open_imports: OpenImports, home: Path) -> None:
    app = upload(open_imports(), (NAME, GOOD))
    batch = inbox.list_batches(home)[0]
    assert inbox.discard(batch)
    app.run()
    assert not app.exception
    assert [uploader.label for uploader in app.file_uploader] == [
        "Drop files here: exports as they are, or a zip of them"
    ]


def open_details(app: AppTest, file: str, home: Path) -> AppTest:
    """Open what is behind the first file of the newest batch."""
    app.session_state[f"details-{inbox.list_batches(home)[0].name}-0-{file}"] = True
    return app.run()


def test_refused_rows_stand_beside_their_file_with_a_workbook(open_imports: OpenImports, home: Path) -> None:
    app = upload(open_imports(), ("walk_OSK_FY2024-H1.csv", MIXED))
    app = wait_for(app, "check", home)
    app = open_details(app, "walk_OSK_FY2024-H1.csv", home)
    (table,) = [table.value for table in app.dataframe]
    assert list(table["value"]) == ["perhaps"] and list(table["row"]) == ["3"]
    assert "perhaps" in table["reason"].iloc[0]
    assert [one.proto.label for one in app.get("download_button")] == ["Download the refused rows"]


@pytest.mark.parametrize("language", ["en", "ja"])
def test_what_files_say_is_shown_as_text_only(open_imports: OpenImports, home: Path, language: str) -> None:
    hostile = "![x](http:\uff0f\uff0fexample.org)<img src=x onerror=alert(1)>$x$ :red[y].csv"
    content = (
        "walk item,walk result,walk remark\n=HYPERLINK(1),<script>alert(1)</script>,![x](http://example.org/a.png)\n"
    )
    app = upload(open_imports(language), (hostile, content), ("walk_OSK_FY2024-H1_" + hostile, content))
    app = wait_for(app, "check", home)
    marked = "\n".join(
        element.value for kind in ("markdown", "caption", "subheader", "info", "error") for element in app.get(kind)
    )
    for sign in ("![x]", "<img", "<script", ":red[", "$x$"):
        assert not re.search(r"(?<!\\)" + re.escape(sign), marked)
    for element in app.get("html"):
        assert "example" not in element.value


def test_a_layout_is_described_in_a_form_and_then_recognised(open_imports: OpenImports, home: Path) -> None:
    patrol = (
        "項番,確認内容,判定,コメント\n1.1,入退室の記録がある,○,\n1.2,書庫が施錠されている,×,鍵\n1.3,整頓,そこそこ,\n"
    )
    app = upload(open_imports(), ("巡回_TKY.csv", patrol))
    app = wait_for(app, "check", home)
    app = open_details(app, "巡回_TKY.csv", home)
    find_button(app, "Describe this layout").click().run()
    app = wait_for(app, "propose", home)
    labels = [box.label.replace("\\", "") for box in app.selectbox]
    assert [label for label in labels if "そこそこ" in label and "please confirm" in label]
    chosen = next(box for box in app.selectbox if "そこそこ" in box.label)
    chosen.set_value("partly_met")
    for name in ("Entity", "Period"):
        next(box for box in app.selectbox if box.label.startswith(f"**{name}**")).set_value("by hand")
    for box in app.checkbox:
        box.set_value(True)
    app.text_input[-1].set_value("Patrol!")
    find_button(app, "Use this description").click().run()
    assert "is no name for a source" in app.error[0].value.replace("\\", "")
    app.text_input[-1].set_value("patrol")
    find_button(app, "Use this description").click().run()
    assert [error.value for error in app.exception] == []
    assert (home / "sources" / "patrol.toml").exists()
    batch = inbox.list_batches(home)[0]
    inbox.choose(batch, ["巡回_TKY.csv"], entity="TKY", period="FY2024-H1")
    look = check(batch)
    assert look.check and look.check.answer
    (load,) = look.check.answer["loads"]
    assert (load["source"], load["rows_loaded"], load["rows_refused"]) == ("patrol", 3, 0)
    answers = next(one for one in load["preview"] if one["kind"] == "answer")
    verdicts = [row[answers["columns"].index("verdict")] for row in answers["rows"]]
    assert verdicts == ["met", "not_met", "partly_met"]


def test_a_draft_is_found_again_and_can_be_left(open_imports: OpenImports, home: Path) -> None:
    app = upload(open_imports(), ("letter.csv", "dear,all\n1,○\n2,×\n"))
    app = wait_for(app, "check", home)
    batch = inbox.list_batches(home)[0]
    assert inbox.begin_proposing(batch, look_at(batch).uploads[0].key)
    batch.propose.wait()
    app = open_imports(batch=batch.name)
    assert app.text_input
    app.button(key="end-draft").click().run()
    assert not app.exception
    assert app.button(key="publish").disabled is True


def test_many_files_are_shown_page_by_page_those_that_need_something_first(
    open_imports: OpenImports, home: Path
) -> None:
    files = [(f"walk_TKY_FY20{10 + number}-H1.csv", GOOD.replace("W1", f"A{number}")) for number in range(14)]
    app = upload(open_imports(), *files, ("letter.csv", "dear,all\n1,2\n"))
    app = wait_for(app, "check", home)
    names = [
        element.value.replace("\\", "").strip("*")
        for element in app.markdown
        if ".csv" in element.value.replace("\\", "")
    ]
    assert names[0] == "letter.csv" and len(names) == 10


def test_sources_that_are_recognised_are_listed(open_imports: OpenImports) -> None:
    app = open_imports()
    app.session_state["imports.sources"] = True
    app.run()
    assert not app.exception
    assert "office_walk" in set(app.dataframe[0].value["name"])


def test_periods_to_choose_from_are_those_of_late() -> None:
    from datetime import date

    assert list_periods(date(2026, 3, 31))[:3] == ["FY2025-H2", "FY2025-H1", "FY2025"]
    assert list_periods(date(2026, 4, 1))[0] == "FY2026-H2"


@pytest.mark.parametrize(
    ("file", "name"), [("Patrol 2025-10.csv", "patrol"), ("巡回.csv", "layout"), ("A_b.xlsx", "a_b")]
)
def test_a_layout_is_named_after_its_file(file: str, name: str) -> None:
    assert make_name(file) == name


def test_choices_are_written_as_the_command_line_reads_them(home: Path) -> None:
    batch = make_batch(home)
    drop(batch, "walk.csv")
    inbox.choose(batch, ["walk.csv"], source="office_walk", entity="TKY", period="FY2024-H1", known_at="2024-10-01")
    assert json.loads((batch.folder / "choices.json").read_text())["walk.csv"]["known_at"] == "2024-10-01"
    look = publish(batch)
    assert look.publish and look.publish.answer
    assert look.publish.answer["loads"][0]["known_at"].startswith("2024-10-01")


def test_every_reason_has_a_title_and_says_what_to_do() -> None:
    root = Path(__file__).parents[2] / "etl"
    text = "\n".join(path.read_text("utf-8") for path in root.rglob("*.py"))
    codes = set(re.findall(r'(?:Unreadable\(|Understanding\(None,)\s*"([a-z_]+)"', text))
    assert {"broken_file", "unknown_entity", "future_date", "password"} <= codes
    assert codes - set(REASONS) == set() and codes - set(ADVICE) == set()
