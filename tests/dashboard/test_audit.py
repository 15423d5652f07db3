"""The audit log: whatever is done to its files shows, whatever a text holds stays a text, and nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.access import audit
from dashboard.access.audit import AuditProblem, Record, append_record, hash_bytes, spell
from dashboard.access.audit_check import verify
from dashboard.access.audit_command import main
from dashboard.access.audit_read import Wanted, read_records, show_plainly
from dashboard.access.entrance import READER_STATE
from dashboard.access.reader import EVERYBODY
from dashboard.data import audit_trail

ROOT = Path(__file__).parents[2]
START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
FIRST = "audit-000001.jsonl"

Tamper = Callable[[list[bytes]], list[bytes]]


def write_log(home: Path, records: int = 6, most_bytes: int = audit.MOST_BYTES) -> Path:
    """A log of some records, one a minute."""
    for number in range(records):
        record = Record(
            "viewed", f"reader{number}@example.com", "analyst", "10.0.0.1", "overview", "Region: Europe", {"cards": 4}
        )
        append_record(home, record, moment=START + timedelta(minutes=number), most_bytes=most_bytes)
    return home / "audit"


def forget() -> None:
    """Be a process that has not written yet."""
    audit._LAST.clear()


def name_problems(home: Path, noted: str | None = None) -> list[str]:
    return [problem.say("en") for problem in verify(home, noted).problems]


def change(line: bytes, **values: Any) -> bytes:
    """A record with other values, and with the hash that such a record has."""
    fields = json.loads(line) | values
    fields.pop("hash")
    return spell({**fields, "hash": hash_bytes(spell(fields))})


def test_log_is_intact_and_says_from_when_to_when_and_its_head(tmp_path: Path) -> None:
    write_log(tmp_path)
    found = verify(tmp_path)
    assert (found.is_intact, found.records, found.begins_after, found.notes) == (True, 6, "", ())
    assert found.first == START.replace(tzinfo=None)
    assert found.last == (START + timedelta(minutes=5)).replace(tzinfo=None)
    assert found.head == (tmp_path / "audit" / "head").read_text().strip()
    assert name_problems(tmp_path, found.head) == []


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        pytest.param(lambda lines: [*lines[:2], lines[2].replace(b"reader2", b"readerX"), *lines[3:]], "3: Record 3 was changed", id="a byte"),
        pytest.param(lambda lines: [lines[0].replace(b'"number":1', b'"number": 1'), *lines[1:]], "1: Record 1 was changed", id="a space"),
        pytest.param(lambda lines: [*lines[:2], b"\0" + lines[2][1:], *lines[3:]], "3: The line is no record", id="a byte of its form"),
        pytest.param(lambda lines: [*lines[:2], change(lines[2], who="x"), *lines[3:]], "4: Record 4 does not follow", id="with a new hash"),
        pytest.param(lambda lines: [*lines[:-1], change(lines[-1], who="x")], "head: Record 6 is another", id="the last with a new hash"),
        pytest.param(lambda lines: [*lines[:-1], lines[-1].replace(b"reader5", b"readerX")], "6: Record 6 was changed", id="the last"),
        pytest.param(lambda lines: [*lines[:2], *lines[3:]], "3: Record 3 is missing", id="removed"),
        pytest.param(lambda lines: lines[3:], "1: Records 1 to 3 are missing", id="the first removed"),
        pytest.param(lambda lines: lines[:4], "Records 5 to 6 are missing", id="the last removed"),
        pytest.param(lambda lines: [], "Records 1 to 6 are missing", id="emptied"),
        pytest.param(lambda lines: [*lines[:3], lines[1], *lines[3:]], "4: Record 2 stands after record 3", id="written twice"),
        pytest.param(lambda lines: [*lines[:3], change(lines[3], previous=json.loads(lines[2])["hash"], who="x"), *lines[3:]], "5: Record 4 stands after record 4", id="inserted"),
        pytest.param(lambda lines: [*lines[:3], b"{}", *lines[3:]], "4: The line is no record", id="another line inserted"),
        pytest.param(lambda lines: [*lines[:3], b"", *lines[3:]], "4: The line is no record", id="an empty line inserted"),
        pytest.param(lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], "3: Record 3 is missing", id="swapped"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("goes_on", [False, True], ids=["as it is", "and written on"])
def test_tampering_shows(tmp_path: Path, tamper: Tamper, said: str, goes_on: bool) -> None:
    path = write_log(tmp_path) / FIRST
    path.write_bytes(b"".join(line + b"\n" for line in tamper(path.read_bytes().splitlines())))
    if goes_on:
        # Another server goes on after it, and hides nothing.
        forget()
        append_record(tmp_path, Record("viewed"))
        assert name_problems(tmp_path)
    else:
        assert any(said in problem for problem in name_problems(tmp_path)), name_problems(tmp_path)


def test_each_problem_is_said_once_with_its_place(tmp_path: Path) -> None:
    path = write_log(tmp_path, 7, most_bytes=1500) / FIRST
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], lines[2], lines[1], *lines[3:]]))
    assert name_problems(tmp_path) == [
        f"{FIRST}:2: Record 2 is missing.",
        f"{FIRST}:3: Record 2 stands after record 3: it was moved or inserted.",
    ]
    path.write_bytes(b"".join([*lines[:-1], lines[-1].replace(b"reader3", b"readerX")]))
    assert name_problems(tmp_path) == [f"{FIRST}:4: Record 4 was changed: its text does not match its hash."]


def test_every_byte_counts(tmp_path: Path) -> None:
    path = write_log(tmp_path, 2) / FIRST
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert name_problems(tmp_path), content[place - 10 : place + 10]


def test_removed_tail_shows_in_a_process_that_wrote_it_even_without_a_head(tmp_path: Path) -> None:
    folder = write_log(tmp_path)
    lines = (folder / FIRST).read_bytes().splitlines(keepends=True)
    (folder / FIRST).write_bytes(b"".join(lines[:4]))
    (folder / "head").unlink()
    assert any("head: The file is missing" in problem for problem in name_problems(tmp_path))
    append_record(tmp_path, Record("viewed"))
    assert name_problems(tmp_path) == [f"{FIRST}:5: Records 5 to 6 are missing."]


def test_log_that_was_written_anew_is_told_by_a_head_noted_elsewhere(tmp_path: Path) -> None:
    folder = write_log(tmp_path)
    noted = verify(tmp_path).head
    for path in folder.iterdir():
        path.unlink()
    forget()
    write_log(tmp_path, 9)
    assert name_problems(tmp_path) == []
    assert name_problems(tmp_path, noted) == []
    for path in folder.iterdir():
        path.unlink()
    forget()
    append_record(tmp_path, Record("viewed", "mallory@example.com"), moment=START)
    write_log(tmp_path, 9)
    assert name_problems(tmp_path) == []
    assert name_problems(tmp_path, noted) == ["audit: The log has no record 6 with the hash that was noted."]
    assert name_problems(tmp_path, f"99:{noted.partition(':')[2]}") != []


@pytest.mark.parametrize("removed", [2, 40, 380])
def test_half_written_line_is_told_and_does_not_stop_the_log(tmp_path: Path, removed: int) -> None:
    path = write_log(tmp_path) / FIRST
    content = path.read_bytes()
    head = (tmp_path / "audit" / "head").read_bytes()
    # What a server writes next, cut off.
    torn = content.splitlines()[0][:-removed]
    path.write_bytes(content + torn)
    cut_off = f"{len(torn)} bytes of a record were cut off half-written"
    assert [cut_off in note.say("en") for note in verify(tmp_path).notes] == [True]
    assert name_problems(tmp_path) == []
    forget()
    append_record(tmp_path, Record("signed_in"))
    assert path.read_bytes().startswith(content + torn + b"\n")
    # And once more in the record that would have told of it; the head is only written after a whole record.
    path.write_bytes(path.read_bytes()[:-removed])
    (tmp_path / "audit" / "head").write_bytes(head)
    forget()
    append_record(tmp_path, Record("signed_in"))
    assert json.loads(path.read_bytes().splitlines()[-1])["torn_bytes"] >= len(torn) + 1
    append_record(tmp_path, Record("signed_out"))
    found = verify(tmp_path)
    assert (found.problems, len(found.notes)) == ((), 1)


def test_half_written_line_cannot_be_changed_or_removed_later(tmp_path: Path) -> None:
    path = write_log(tmp_path) / FIRST
    content = path.read_bytes()
    path.write_bytes(content + b'{"came_from":"10.0')
    append_record(tmp_path, Record("signed_in"))
    whole = path.read_bytes()
    assert name_problems(tmp_path) == []
    path.write_bytes(whole.replace(b'"10.0\n', b'"10.1\n'))
    assert name_problems(tmp_path) == [f"{FIRST}:7: The line is no record: it was changed or inserted."]
    path.write_bytes(whole.replace(b'{"came_from":"10.0\n', b""))
    assert name_problems(tmp_path) == [f"{FIRST}:7: The half-written line before record 7 was removed."]


def test_record_without_the_end_of_its_line_is_a_record(tmp_path: Path) -> None:
    path = write_log(tmp_path) / FIRST
    path.write_bytes(path.read_bytes()[:-1])
    assert verify(tmp_path).records == 6
    append_record(tmp_path, Record("signed_in"))
    found = verify(tmp_path)
    assert (found.records, found.problems, found.notes) == (7, (), ())


def test_full_disk_leaves_a_log_that_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_log(tmp_path)
    write = os.write
    calls: list[int] = []

    def write_some(descriptor: int, data: bytes) -> int:
        calls.append(len(data))
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:50])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write_some)
        with pytest.raises(AuditProblem, match=r"audit cannot be written \(No space left on device\)"):
            append_record(tmp_path, Record("signed_in"))
    append_record(tmp_path, Record("signed_in"))
    found = verify(tmp_path)
    assert (found.records, found.problems) == (7, ())
    assert ["50 bytes" in note.say("en") or "51 bytes" in note.say("en") for note in found.notes] == [True]


def test_clock_set_back_is_noted_and_no_tampering(tmp_path: Path) -> None:
    append_record(tmp_path, Record("signed_in"), moment=START)
    append_record(tmp_path, Record("signed_in"), moment=START - timedelta(days=400))
    found = verify(tmp_path)
    assert found.is_intact
    assert [note.say("en") for note in found.notes] == [f"{FIRST}:2: The clock was set back before record 2."]
    entries = read_records(tmp_path, Wanted(to_day=date(2026, 1, 1))).entries
    assert [entry.link.number for entry in entries] == [2]


def test_chain_goes_on_over_files(tmp_path: Path) -> None:
    folder = write_log(tmp_path, 9, most_bytes=900)
    names = sorted(path.name for path in folder.glob("*.jsonl"))
    assert names == [f"audit-{number:06}.jsonl" for number in range(1, len(names) + 1)] and len(names) >= 3
    whole = verify(tmp_path)
    assert (whole.is_intact, whole.records) == (True, 9)
    forget()
    append_record(tmp_path, Record("viewed"), most_bytes=900)
    assert verify(tmp_path).records == 10
    (folder / names[1]).rename(tmp_path / "taken")
    problems = name_problems(tmp_path)
    assert any(f"{names[2]}: A file before this one is missing" in problem for problem in problems)
    assert any("are missing" in problem or "is missing." in problem for problem in problems)
    (tmp_path / "taken").rename(folder / names[1])
    newest = max(folder.glob("*.jsonl"))
    newest.unlink()
    forget()
    assert any("missing" in problem for problem in name_problems(tmp_path))
    append_record(tmp_path, Record("viewed"), most_bytes=900)
    assert any("missing" in problem for problem in name_problems(tmp_path))


def test_oldest_files_may_be_archived(tmp_path: Path) -> None:
    folder = write_log(tmp_path / "home", 9, most_bytes=900)
    archive = tmp_path / "archive" / "audit"
    archive.mkdir(parents=True)
    head = verify(tmp_path / "home").head
    (folder / FIRST).rename(archive / FIRST)
    rest = verify(tmp_path / "home", head)
    assert rest.is_intact
    assert rest.begins_after.startswith("3:")
    assert name_problems(tmp_path / "home", rest.begins_after) == []
    assert name_problems(tmp_path / "archive", rest.begins_after) == []
    assert name_problems(tmp_path / "archive") != []
    assert name_problems(tmp_path / "archive", head) != []
    (archive / FIRST).write_bytes((archive / FIRST).read_bytes().splitlines(keepends=True)[0])
    assert name_problems(tmp_path / "archive", rest.begins_after) != []


def test_what_is_remembered_of_closed_files_is_not_believed_once_they_change(tmp_path: Path) -> None:
    folder = write_log(tmp_path, 12, most_bytes=900)
    assert verify(tmp_path, remember=True) == verify(tmp_path, remember=True) == verify(tmp_path)
    # Files that lie outside the days asked for are passed over, and those counted already are not read again.
    assert read_records(tmp_path, Wanted(from_day=date(2027, 1, 1))).total == 0
    assert read_records(tmp_path, Wanted(to_day=date(2026, 11, 1))).total == 0
    assert read_records(tmp_path, Wanted(from_day=date(2026, 11, 1), to_day=date(2026, 11, 3))).total == 12
    assert read_records(tmp_path, Wanted(who="reader1@"), offset=50).total == 1
    numbers = [entry.link.number for entry in read_records(tmp_path, offset=3, limit=3).entries]
    assert (numbers, read_records(tmp_path, offset=3, limit=3).total) == ([9, 8, 7], 12)
    second = folder / "audit-000002.jsonl"
    second.rename(tmp_path / "taken")
    assert verify(tmp_path, remember=True).problems == verify(tmp_path).problems != ()
    (tmp_path / "taken").rename(second)
    assert verify(tmp_path, remember=True).is_intact
    first = folder / FIRST
    state = first.stat()
    first.write_bytes(first.read_bytes().replace(b"reader0", b"readerX"))
    os.utime(first, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert not verify(tmp_path, remember=True).is_intact


def test_processes_and_threads_append_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from dashboard.access.audit import Record, append_record\n"
        "for number in range(25): append_record(Path(sys.argv[1]), Record('viewed', sys.argv[2]), most_bytes=9000)"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), f"process{number}"], cwd=ROOT)
        for number in range(4)
    ]

    def append_some(name: str) -> None:
        for _ in range(25):
            append_record(tmp_path, Record("viewed", name), most_bytes=9000)

    threads = [threading.Thread(target=append_some, args=(f"thread{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait() for process in started] == [0] * 4
    found = verify(tmp_path)
    assert (found.records, found.problems, found.notes) == (200, (), ())
    assert read_records(tmp_path, Wanted(who="process3")).total == 25


HOSTILE = (
    'a\nb\r\nc\u2028d\u2029e\x00\x1b[31m"},{"number":7}\n{"event":"viewed"}',
    "half \ud800 letter, \udcff another, whole 😀, \u202etxt.exe",
    "=cmd|'/c calc'!A1 **bold** <img src=x onerror=alert(1)> ![x](http://example.com/x.png)",
    "電" * 1_000_000,
)


def test_hostile_texts_stay_texts_of_one_record_and_of_bounded_length(tmp_path: Path) -> None:
    for text in HOSTILE:
        rows = {text: 10**12} | {f"panel{number}": number for number in range(300)}
        append_record(tmp_path, Record("refused", text, text, text, text, text, rows, text))
    path = tmp_path / "audit" / FIRST
    lines = path.read_bytes().split(b"\n")
    assert len(lines) == len(HOSTILE) + 1
    assert all(32 <= byte < 127 for line in lines for byte in line)
    assert max(map(len, lines)) < 100_000
    forget()
    append_record(tmp_path, Record("viewed"))
    assert verify(tmp_path).is_intact
    entries = read_records(tmp_path).entries[:0:-1]
    assert entries[0].record.query == HOSTILE[0]
    assert entries[1].record.query == HOSTILE[1].replace("\ud800", "\ufffd").replace("\udcff", "\ufffd")
    assert entries[3].record.query == "電" * 4000 + " […] (1,000,000 characters)"
    assert len(entries[3].record.rows) == audit.MOST_PANELS
    assert show_plainly(HOSTILE[0]).isprintable()
    assert show_plainly(HOSTILE[1]).endswith("😀, \\u202etxt.exe")


def test_lines_that_are_no_records_are_left_out_of_what_is_read(tmp_path: Path) -> None:
    path = write_log(tmp_path, 2) / FIRST
    first = path.read_bytes().splitlines()[0]
    wrong = (
        b"[]", b"1", b'"x"', b"[" * 5000, b'{"number":NaN}', b"\xff\xfe", change(first, who=None), change(first, rows=[1]),
        change(first, rows={"x": "y"}), change(first, moment="soon"), change(first, number=True), change(first, torn_bytes=1.5),
    )  # fmt: skip
    path.write_bytes(path.read_bytes() + b"\n".join(wrong) + b"\n")
    assert [entry.link.number for entry in read_records(tmp_path).entries] == [2, 1]
    forget()
    append_record(tmp_path, Record("viewed"))
    assert read_records(tmp_path).total == 3


def test_reading_takes_what_is_asked_for_newest_first(tmp_path: Path) -> None:
    write_log(tmp_path, 6, most_bytes=900)
    append_record(tmp_path, Record("downloaded", "Taro@Example.com", page="sites"), moment=START + timedelta(days=2))

    def numbers(wanted: Wanted, offset: int = 0, limit: int = 100) -> tuple[list[int], int]:
        found = read_records(tmp_path, wanted, offset=offset, limit=limit)
        return [entry.link.number for entry in found.entries], found.total

    assert numbers(Wanted()) == ([7, 6, 5, 4, 3, 2, 1], 7)
    assert numbers(Wanted(), 2, 3) == ([5, 4, 3], 7)
    assert numbers(Wanted(), 7) == ([], 7)
    assert numbers(Wanted(who="taro@")) == ([7], 1)
    assert numbers(Wanted(event="viewed"), 4) == ([2, 1], 6)
    assert numbers(Wanted(page="sites")) == ([7], 1)
    assert numbers(Wanted(page='sites"')) == ([], 0)
    assert numbers(Wanted(from_day=date(2026, 11, 3))) == ([7], 1)
    assert numbers(Wanted(to_day=date(2026, 11, 2), who="reader3")) == ([4], 1)


def test_log_is_for_its_owner_only(tmp_path: Path) -> None:
    (tmp_path / "audit").mkdir(0o755)
    before = os.umask(0)
    try:
        folder = write_log(tmp_path, 3)
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == dict.fromkeys(
        (FIRST, "head", "lock"), 0o600
    )


def test_log_that_cannot_be_written_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> int:
        raise PermissionError(30, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(AuditProblem, match="Read-only file system"):
            append_record(tmp_path, Record("viewed"))
    folder = tmp_path / "audit"
    (tmp_path / "elsewhere").touch()
    (folder / FIRST).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AuditProblem):
        append_record(tmp_path, Record("viewed"))
    (folder / FIRST).unlink()
    (folder / "lock").unlink(missing_ok=True)
    folder.rmdir()
    folder.write_text("")
    with pytest.raises(AuditProblem):
        append_record(tmp_path, Record("viewed"))
    assert main(["verify", "--home", str(tmp_path)]) == 2


def test_command_verifies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_log(tmp_path)
    home = ["--home", str(tmp_path)]
    head = (folder / "head").read_text().strip()
    assert main(["verify", *home]) == 0
    said = capsys.readouterr().out
    assert "The audit log is intact: 6 records, from 2026-11-02 09:00 to 2026-11-02 09:05 UTC." in said
    assert head in said
    assert main(["verify", *home, "--head", head]) == 0
    assert main(["verify", *home, "--head", f"3:{'0' * 64}"]) == 1
    assert main(["verify", *home, "--head", "3"]) == 2
    assert main(["verify", "--home", str(tmp_path / "nowhere")]) == 2
    (folder / FIRST).write_bytes((folder / FIRST).read_bytes().replace(b"reader2", b"readerX"))
    capsys.readouterr()
    assert main(["verify", *home, "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["is_intact"] is False
    assert answer["problems"] == [f"{FIRST}:3: Record 3 was changed: its text does not match its hash."]
    with pytest.raises(SystemExit) as stopped:
        main(["verify", "--what"])
    assert stopped.value.code == 2


def test_command_shows_records_without_letting_them_steer_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_log(tmp_path)
    append_record(tmp_path, Record("refused", "mallory@example.com", detail="\x1b[2J\n99  2026-01-01"))
    home = ["--home", str(tmp_path)]
    assert main(["show", *home, "--event", "refused", "--days", "1"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "\\u001b[2J\\u000a99" in said[0]
    assert said[1] == "1 of 1 records, newest first."
    assert main(["show", *home, "--who", "reader1@", "--json"]) == 0
    assert [one["who"] for one in json.loads(capsys.readouterr().out)] == ["reader1@example.com"]
    assert main(["show", "--home", str(tmp_path / "nowhere")]) == 2


def show_page(home: str, is_written: bool) -> None:
    """The page by itself, as AppTest runs it."""
    from pathlib import Path

    from dashboard.data import audit_trail

    if is_written:
        audit_trail.show_log("en", Path(home))
    else:
        audit_trail.show_no_log("en")


def open_page(home: Path, *, is_written: bool = True, **state: Any) -> AppTest:
    app = AppTest.from_function(show_page, default_timeout=30, args=(str(home), is_written))
    for name, value in state.items():
        app.session_state[f"own.{name}"] = value
    app.session_state[READER_STATE] = EVERYBODY
    app.run()
    assert [error.value for error in app.exception] == []
    return app


def test_page_shows_records_and_that_they_are_as_written(tmp_path: Path) -> None:
    app = open_page(tmp_path)
    assert [element.value for element in app.info] == ["Nothing was logged yet.", "No record matches these filters."]
    write_log(tmp_path, 105)
    append_record(tmp_path, Record("refused", "<b>=1+1", "regional_manager", page="sites"), moment=START)
    app = open_page(tmp_path)
    assert "Records: 106, from" in app.success[0].value.replace("\\", "")
    assert (len(app.dataframe[0].value), app.dataframe[0].value["number"].iloc[0]) == (100, 106)
    assert list(open_page(tmp_path, page="2").dataframe[0].value["number"]) == [6, 5, 4, 3, 2, 1]
    row = (
        open_page(tmp_path, event="refused", opened="sites", from_day="2026-11-02", to_day="2026-11-02")
        .dataframe[0]
        .value
    )
    assert list(row[["who", "role", "event", "page"]].iloc[0]) == [
        "<b>=1+1",
        "Regional manager",
        "Refused",
        "Sites and affiliates",
    ]
    assert len(open_page(tmp_path, from_day="soon", to_day="0001-01-01").dataframe) == 1


def test_page_and_command_say_which_record_was_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_log(tmp_path) / FIRST
    path.write_bytes(path.read_bytes().replace(b"reader2", b"readerX"))
    app = open_page(tmp_path)
    assert len(app.success) == 0
    assert "The log is not as it was written" in app.error[0].value.replace("\\", "")
    assert f"{FIRST}:3: Record 3 was changed" in app.text[0].value
    changed = "This record was changed since it was written."
    assert list(app.dataframe[0].value["detail"]) == ["", "", "", changed, "", ""]
    assert main(["show", "--home", str(tmp_path), "--json"]) == 0
    assert [one["is_changed"] for one in json.loads(capsys.readouterr().out)] == [False] * 3 + [True] + [False] * 2


def test_page_says_how_to_switch_sign_in_on_and_shows_nothing_without(tmp_path: Path) -> None:
    write_log(tmp_path)
    app = open_page(tmp_path, is_written=False)
    assert "Sign-in" in app.info[0].value.replace("\\", "")
    assert len(app.dataframe) == 0


def test_files_of_the_page_hold_what_matches_and_no_formula(tmp_path: Path) -> None:
    write_log(tmp_path)
    append_record(tmp_path, Record("refused", "=1+1", detail="\x1b@x"))
    content = audit_trail.make_csv("en", tmp_path, Wanted(event="refused")).decode("utf-8-sig")
    assert [line.split(",")[2] for line in content.splitlines()] == ["Who", "'=1+1"]
    assert audit_trail.make_workbook("ja", tmp_path, Wanted()).startswith(b"PK")
