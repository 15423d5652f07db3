"""Whether the audit log is whole: no record changed, removed, inserted or moved since it was written.

Who may write the log's files may also write a chain of their own from some record on. Only a head that was noted
elsewhere tells (`noted`), so an auditor notes it from time to time.

Whole oldest files may be archived elsewhere: the rest says which record it begins after, NUMBER:HASH, and the archived
files are whole when that is the head that they are verified with.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from dashboard.access.audit import (
    BEGINNING,
    HEAD,
    AuditProblem,
    Entry,
    Link,
    find_log,
    hash_bytes,
    hold_log,
    is_sound,
    list_files,
    number_file,
    read_entry,
    read_head,
    read_link,
)
from dashboard.words import N_, Language, translate

Snapshot = tuple[tuple[Path, os.stat_result], ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found in a file of the log, in which line (0: the file as a whole)."""

    file: str
    line: int
    text: str
    values: tuple[tuple[str, object], ...] = ()

    def say(self, language: Language) -> str:
        """The finding with its place, as a sentence."""
        said = translate(language, self.text, **dict(self.values))
        return f"{self.file}:{self.line}: {said}" if self.line else f"{self.file}: {said}"


@dataclass(frozen=True, slots=True)
class Verification:
    """What was verified. `notes` are no tampering: lines cut off half-written, a clock that was set back."""

    records: int
    first: datetime | None
    last: datetime | None
    begins_after: str
    """The archived record that the oldest file follows, NUMBER:HASH; "" where the log begins with its first record."""
    head: str
    problems: tuple[Finding, ...]
    notes: tuple[Finding, ...]

    @property
    def is_intact(self) -> bool:
        """Whether nothing was changed, removed, inserted or moved."""
        return not self.problems


@dataclass(slots=True)
class FileCheck:
    """One file, as the chain is followed through it; None and 0 where there is no record."""

    name: str
    end: Link | None
    """The record followed last; at first that of the file before."""
    last: datetime | None
    named: int = 0
    """Lines before the next record that are named as a problem already."""
    records: int = 0
    before: Link | None = None
    """What the first record says that it follows."""
    first: datetime | None = None
    earliest: datetime | None = None
    latest: datetime | None = None
    problems: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    unsettled: list[Finding] = field(default_factory=list)
    """Lines after the last record that are none: cut off half-written, or tampered with, as what follows tells."""


_CHECKED: Final[dict[tuple[object, ...], tuple[tuple[object, ...], FileCheck]]] = {}
"""Files that were checked and not written since, with what they were followed from."""


def verify(home: Path, noted: str | None = None, *, remember: bool = False) -> Verification:
    """Verify the home's log as it is at this moment; `noted` is a head noted earlier, NUMBER:HASH.

    With `remember`, closed files that this process verified and nobody wrote since are not read again. Raises
    AuditProblem where the log cannot be read, ValueError where `noted` is no head.
    """
    link = read_link(noted) if noted is not None else None
    if noted is not None and link is None:
        raise ValueError(f"{noted!r} is no head of an audit log: write NUMBER:HASH, with a hash of 64 digits.")
    folder = find_log(home)
    try:
        files, head = take_snapshot(folder)
        checks = list(_follow_files(files, remember))
        problems, notes = _check_ends(folder, checks, head, link)
    except OSError as error:
        raise AuditProblem(f"The audit log in {folder} cannot be read ({error.strerror}).") from error
    written = [check for check in checks if check.records]
    before = written[0].before if written else None
    return Verification(
        records=sum(check.records for check in checks),
        first=written[0].first if written else None,
        last=written[-1].last if written else None,
        begins_after=str(before) if before and before.number else "",
        head=str(written[-1].end) if written else "",
        problems=tuple(problems),
        notes=tuple(notes),
    )


def take_snapshot(folder: Path) -> tuple[Snapshot, Link | None]:
    """The files of the log and its head as they are between two records. Raises OSError."""
    if not (folder / "lock").exists():
        # Nobody writes to archived files.
        return tuple((path, path.stat()) for path in list_files(folder)), read_head(folder)
    with hold_log(folder, os.O_RDONLY, fcntl.LOCK_SH):
        return tuple((path, path.stat()) for path in list_files(folder)), read_head(folder)


def find_checked(path: Path, state: os.stat_result) -> FileCheck | None:
    """What is known of a closed file that was checked and not written since."""
    found = _CHECKED.get(_name_state(path, state))
    return found[1] if found else None


def _name_state(path: Path, state: os.stat_result) -> tuple[object, ...]:
    # The time of the last change of state cannot be set, as that of the last writing can.
    return str(path.absolute()), state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns


def _follow_files(files: Snapshot, remember: bool) -> Iterator[FileCheck]:
    """Follow the chain through all files, oldest first."""
    end: Link | None = None
    last: datetime | None = None
    named = 0
    for place, (path, state) in enumerate(files):
        if place == 0 and number_file(path) == 1:
            end = BEGINNING
        name = _name_state(path, state)
        known = _CHECKED.get(name) if remember else None
        if known and known[0] == (end, named):
            check = known[1]
        else:
            with path.open("rb") as file:
                check = _follow_file(FileCheck(path.name, end, last, named), file.read(state.st_size))
            if place and number_file(path) != number_file(files[place - 1][0]) + 1:
                check.problems.insert(0, Finding(path.name, 0, N_("A file before this one is missing.")))
            if place < len(files) - 1:
                check.problems += check.unsettled
                if remember:
                    _CHECKED[name] = (end, named), check
        end, last, named = check.end, check.last, len(check.unsettled)
        yield check


def _follow_file(check: FileCheck, content: bytes) -> FileCheck:
    """Follow the chain through the lines of a file."""
    settled = place = 0
    for number, line in enumerate(content.split(b"\n"), 1):
        begin, place = place, place + len(line) + 1
        if begin == len(content):
            break
        entry = read_entry(line)
        if entry and is_sound(line):
            _take_record(check, number, entry, content[settled:begin])
            settled = place
        elif entry:
            text = N_("Record {number} was changed: its text does not match its hash.")
            check.unsettled.append(Finding(check.name, number, text, (("number", entry.link.number),)))
        else:
            text = N_("The line is no record: it was changed or inserted.")
            check.unsettled.append(Finding(check.name, number, text))
    return check


def _take_record(check: FileCheck, line: int, entry: Entry, between: bytes) -> None:
    """Follow the chain to a sound record; `between` is what stands between it and the one before."""
    link, moment = entry.link, entry.moment
    number = ("number", link.number)
    between_hash = hash_bytes(between) if between else ""
    if (len(between), between_hash) == (entry.torn_bytes, entry.torn_hash):
        if between:
            check.notes.append(_note_torn(check.name, line, len(between)))
    elif check.unsettled:
        check.problems += check.unsettled
        check.named += len(check.unsettled)
    else:
        text = N_("The half-written line before record {number} was removed.")
        check.problems.append(Finding(check.name, line, text, (number,)))
    check.unsettled.clear()
    end = check.end
    # What is wrong between two records is said once, where lines between them are named already.
    if end and not (check.named and end.number < link.number <= end.number + check.named + 1):
        check.problems += _compare(check.name, line, end, entry)
    if check.last and moment < check.last:
        text = N_("The clock was set back before record {number}.")
        check.notes.append(Finding(check.name, line, text, (number,)))
    check.named = 0
    if not check.records:
        check.before, check.first = Link(link.number - 1, entry.previous), moment
    check.records += 1
    check.last = moment
    check.earliest = min(check.earliest or moment, moment)
    check.latest = max(check.latest or moment, moment)
    # A record that was moved back does not take the chain back.
    check.end = link if end is None or link.number > end.number else end


def _compare(name: str, line: int, end: Link, entry: Entry) -> Iterator[Finding]:
    """What is wrong between a record and the end of the chain before it."""
    number = ("number", entry.link.number)
    if entry.link.number > end.number + 1:
        yield _miss(name, line, end.number + 1, entry.link.number - 1)
    elif entry.link.number <= end.number:
        text = N_("Record {number} stands after record {after}: it was moved or inserted.")
        yield Finding(name, line, text, (number, ("after", end.number)))
    elif entry.previous != end.hash:
        text = N_("Record {number} does not follow from the record before it: one of them was changed or inserted.")
        yield Finding(name, line, text, (number,))


def _miss(name: str, line: int, first: int, last: int) -> Finding:
    if first == last:
        return Finding(name, line, N_("Record {number} is missing."), (("number", first),))
    return Finding(name, line, N_("Records {first} to {last} are missing."), (("first", first), ("last", last)))


def _note_torn(name: str, line: int, size: int) -> Finding:
    text = N_("{size} bytes of a record were cut off half-written: a server was ended, or a disk was full.")
    return Finding(name, line, text, (("size", size),))


def _check_ends(
    folder: Path, checks: Sequence[FileCheck], head: Link | None, noted: Link | None
) -> tuple[list[Finding], list[Finding]]:
    """Problems and notes of all files, and whether the log still has what its heads name."""
    problems = [problem for check in checks for problem in check.problems]
    notes = [note for check in checks for note in check.notes]
    end = next((check.end for check in reversed(checks) if check.end), BEGINNING)
    unsettled = checks[-1].unsettled if checks else []
    known = head or (noted if noted == end else None)
    if known is None and (checks or (folder / HEAD).exists()):
        text = N_("The file is missing or unreadable, so nothing here tells whether the log ends too early.")
        problems.append(Finding(HEAD, 0, text))
    if unsettled and known and known.number <= end.number:
        # No record is missing, so what stands at the end never was one.
        path = folder / checks[-1].name
        notes.append(_note_torn(checks[-1].name, unsettled[0].line, _measure_lines(path, unsettled[0].line)))
        unsettled = []
    problems += unsettled
    if known and known.number > end.number + len(unsettled):
        problems.append(_miss(checks[-1].name if checks else HEAD, 0, end.number + 1, known.number))
    elif known and known.number <= end.number and _find_hash(folder, checks, known.number) != known.hash:
        text = N_("Record {number} is another than the one that was written last.")
        problems.append(Finding(HEAD, 0, text, (("number", known.number),)))
    if noted and _find_hash(folder, checks, noted.number) != noted.hash:
        text = N_("The log has no record {number} with the hash that was noted.")
        problems.append(Finding(find_log(folder).name, 0, text, (("number", noted.number),)))
    return problems, notes


def _measure_lines(path: Path, first: int) -> int:
    """Bytes from a line on, counted from 1, to the end of a file."""
    return len(path.read_bytes().split(b"\n", first - 1)[-1])


def _find_hash(folder: Path, checks: Sequence[FileCheck], number: int) -> str | None:
    """The hash of a record by its number, also of the one that the oldest file follows."""
    for check in checks:
        if check.before and check.before.number == number:
            return check.before.hash
        if check.before and check.end and check.before.number < number <= check.end.number:
            for line in (folder / check.name).read_bytes().split(b"\n"):
                entry = read_entry(line)
                if entry and entry.link.number == number:
                    return entry.link.hash
    return None
