"""Records of the audit log, newest first, as an auditor asks for them; one file of the log in memory at a time."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from dashboard.access.audit import AuditProblem, Entry, find_log, is_sound, read_entry
from dashboard.access.audit_check import find_checked, take_snapshot


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records: a part of the address of who, the event, the page, days (UTC, both included); empty for all."""

    who: str = ""
    event: str = ""
    page: str = ""
    from_day: date | None = None
    to_day: date | None = None


EVERYTHING: Final = Wanted()


@dataclass(frozen=True, slots=True)
class Found:
    """Records, newest first, how many there are in all, and which entries (by place) were changed since."""

    entries: tuple[Entry, ...]
    total: int
    changed: frozenset[int]


def read_records(home: Path, wanted: Wanted = EVERYTHING, *, offset: int = 0, limit: int = 100) -> Found:
    """Some of the home's records, newest first. Lines that are no records are left out; verify() names them.

    Raises AuditProblem where the log cannot be read.
    """
    folder = find_log(home)
    entries: list[Entry] = []
    changed: set[int] = set()
    total = 0
    try:
        for path, state in reversed(take_snapshot(folder)[0]):
            checked = find_checked(path, state)
            if checked and checked.earliest and checked.latest:
                if wanted.from_day and checked.latest.date() < wanted.from_day:
                    continue
                if wanted.to_day and checked.earliest.date() > wanted.to_day:
                    continue
                is_turned_over = total + checked.records <= offset or total >= offset + limit
                if wanted == EVERYTHING and is_turned_over:
                    total += checked.records
                    continue
            with path.open("rb") as file:
                content = file.read(state.st_size)
            for entry, line in _choose(content, wanted):
                if offset <= total < offset + limit:
                    if not is_sound(line):
                        changed.add(len(entries))
                    entries.append(entry)
                total += 1
    except OSError as error:
        raise AuditProblem(f"The audit log in {folder} cannot be read ({error.strerror}).") from error
    return Found(tuple(entries), total, frozenset(changed))


def show_plainly(text: str) -> str:
    """A text of the log on one line, with signs that nobody sees, or that steer a terminal, written as \\u202e."""
    return "".join(letter if _is_seen(letter) else f"\\u{ord(letter):04x}" for letter in text)


def _is_seen(letter: str) -> bool:
    return (letter.isascii() and letter.isprintable()) or unicodedata.category(letter)[0] in "LMNPS"


def _choose(content: bytes, wanted: Wanted) -> Iterator[tuple[Entry, bytes]]:
    """The wanted records of a file, newest first, with their lines."""
    # A record is written in one way only, so most of those not asked for need not be read.
    parts = [
        f'"{name}":{json.dumps(value)}'.encode()
        for name, value in (("event", wanted.event), ("page", wanted.page))
        if value
    ]
    who = wanted.who.casefold()
    for line in reversed(content.split(b"\n")):
        if not line or not all(part in line for part in parts):
            continue
        entry = read_entry(line)
        if entry and _is_wanted(entry, wanted, who):
            yield entry, line


def _is_wanted(entry: Entry, wanted: Wanted, who: str) -> bool:
    record, day = entry.record, entry.moment.date()
    return (
        who in record.who.casefold()
        and wanted.event in ("", record.event)
        and wanted.page in ("", record.page)
        and (wanted.from_day is None or wanted.from_day <= day)
        and (wanted.to_day is None or day <= wanted.to_day)
    )
