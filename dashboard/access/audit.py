"""The audit log: who did what, when and from where, in JSON lines that are only ever appended.

Every line holds the hash of the record before it and its own, so that a record that is changed, removed, inserted or
moved shows (see audit_check.py). Beside the lines, the file `head` names the last record, so that a removed tail shows.
A line that was cut off half-written stays: the next record says how many such bytes stand before it, and their hash.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, get_args

Event = Literal[
    "signed_in", "signed_out", "sign_in_refused", "viewed", "downloaded", "refused", "checked", "loaded",
    "changed_role", "policy_problem",
]  # fmt: skip
EVENTS: Final[tuple[Event, ...]] = get_args(Event)

MOST_BYTES: Final = 10_000_000
"""A file this large is closed, and the next record begins another."""
PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600
FILE_NAME: Final = re.compile(r"audit-(\d{6,})\.jsonl")
NO_HASH: Final = "0" * 64
"""What the first record of a log follows."""
LINK: Final = re.compile(r"([1-9]\d{0,14}):([0-9a-f]{64})")
HALF_LETTERS: Final = re.compile("[\ud800-\udfff]")
HEAD: Final = "head"
HEAD_BYTES: Final = 96
BLOCK: Final = 65_536
MOST_PANELS: Final = 100
LONGEST: Final = {"event": 40, "who": 320, "role": 100, "came_from": 100, "page": 100, "query": 4000, "detail": 1000}
"""Characters of each text; the rest is cut off, with a mark that says how long the text was."""
LONGEST_PANEL: Final = 100


class AuditProblem(Exception):
    """The log cannot be written or read; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Record:
    """What happened: texts as they are, `rows` the number of rows shown by panel; never what the rows hold."""

    event: Event
    who: str = ""
    role: str = ""
    came_from: str = ""
    page: str = ""
    query: str = ""
    rows: Mapping[str, int] = field(default_factory=dict)
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """The place of a record in the chain; written NUMBER:HASH."""

    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


BEGINNING: Final = Link(0, NO_HASH)


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as the log holds it; the moment is UTC without a zone."""

    link: Link
    previous: str
    moment: datetime
    record: Record
    torn_bytes: int
    torn_hash: str


@dataclass(frozen=True, slots=True)
class _Tail:
    """The end of the log: its newest file, the last sound record, and what is half-written after it."""

    name: str
    inode: int
    size: int
    link: Link
    torn: bytes
    ends_line: bool


_LAST: Final[dict[str, _Tail]] = {}
"""The end of each log as this process wrote it last; read and changed only while the log's lock is held."""


def append_record(home: Path, record: Record, *, moment: datetime | None = None, most_bytes: int = MOST_BYTES) -> None:
    """Write one record at the end of the home's log. Raises AuditProblem where it cannot be written.

    The moment is the clock's, UTC, even where the clock was set back: the numbers give the order.
    """
    folder = find_log(home)
    try:
        folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(PRIVATE_FOLDER)
        with hold_log(folder, os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX):
            _append(folder, record, moment, most_bytes)
    except OSError as error:
        raise AuditProblem(
            f"The audit log in {folder} cannot be written ({error.strerror}). Make room on its disk and let the "
            "server's user write there."
        ) from error


def find_log(home: Path) -> Path:
    """The folder of a home's log."""
    return home / "audit"


def list_files(folder: Path) -> list[Path]:
    """The files of a log, oldest first. Raises OSError."""
    found = [path for path in folder.iterdir() if FILE_NAME.fullmatch(path.name)] if folder.exists() else []
    return sorted(found, key=number_file)


def number_file(path: Path) -> int:
    """The number in the name of a file of the log."""
    return int(path.stem.removeprefix("audit-"))


@contextlib.contextmanager
def hold_log(folder: Path, flags: int, how: int) -> Iterator[None]:
    """Keep other threads and servers from appending meanwhile. Raises OSError."""
    descriptor = os.open(folder / "lock", flags | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)


def read_head(folder: Path) -> Link | None:
    """The last record as the file `head` names it; None where it is missing or says nothing of the kind."""
    try:
        return read_link((folder / HEAD).read_bytes().decode("ascii", "replace").strip())
    except FileNotFoundError:
        return None


def read_link(text: str) -> Link | None:
    """A link written NUMBER:HASH; None for anything else."""
    found = LINK.fullmatch(text)
    return Link(int(found[1]), found[2]) if found else None


def read_entry(line: bytes) -> Entry | None:
    """A line of the log without its end; None where it is no record. Whether its hash is right is another question."""
    try:
        fields = json.loads(line.decode("ascii"))
        texts = {name: fields[name] for name in LONGEST}
        rows = fields["rows"]
        link = read_link(f"{fields['number']}:{fields['hash']}")
        moment = datetime.fromisoformat(fields["moment"]).astimezone(UTC).replace(tzinfo=None)
        previous, torn_bytes, torn_hash = fields["previous"], fields["torn_bytes"], fields["torn_hash"]
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    numbers = [torn_bytes, *rows.values()] if isinstance(rows, dict) else [None]
    is_record = all(isinstance(text, str) for text in (*texts.values(), previous, torn_hash))
    if link is None or not is_record or not all(type(number) is int for number in numbers):
        return None
    return Entry(link, previous, moment, Record(**texts, rows=rows), torn_bytes, torn_hash)


def is_sound(line: bytes) -> bool:
    """Whether a line, without its end, is written exactly as its own hash says."""
    try:
        fields = json.loads(line.decode("ascii"))
        return line == spell(fields) and fields.pop("hash") == hash_bytes(spell(fields))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False


def spell(fields: Mapping[str, Any]) -> bytes:
    """Canonical JSON: ASCII, so that no letter of a text ends a line or steers a terminal; names sorted; no spaces."""
    return json.dumps(fields, ensure_ascii=True, allow_nan=False, sort_keys=True, separators=(",", ":")).encode("ascii")


def hash_bytes(written: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(written).hexdigest()


def _append(folder: Path, record: Record, moment: datetime | None, most_bytes: int) -> None:
    """Write a record after the last one; only while the lock is held."""
    files = list_files(folder)
    known = _LAST.get(str(folder.absolute()))
    tail = known if known and _is_same(known, files) else _find_tail(files)
    link = tail.link
    if tail is not known:
        # What is named by `head` or was written by this process and is not in the files was taken away. The chain goes
        # on from it, so that its absence shows for ever and is not covered by the next record.
        for other in (read_head(folder), known.link if known else None):
            link = other if other and other.number >= link.number else link
    if not tail.name:
        name = "audit-000001.jsonl"
    elif tail.size >= most_bytes and not tail.torn:
        name = f"audit-{number_file(Path(tail.name)) + 1:06}.jsonl"
    else:
        name = tail.name
    torn = tail.torn if tail.ends_line else tail.torn + b"\n" if tail.torn else b""
    line, written = _spell_record(record, link, moment or datetime.now(UTC), torn)
    is_begun = name == tail.name
    if is_begun and not tail.ends_line:
        line = b"\n" + line
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | (0 if is_begun else os.O_EXCL)
    descriptor = os.open(folder / name, flags, PRIVATE_FILE)
    try:
        rest = line
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        state = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    _LAST[str(folder.absolute())] = _Tail(name, state.st_ino, state.st_size, written, b"", True)
    _write_head(folder, written)


def _is_same(known: _Tail, files: Sequence[Path]) -> bool:
    """Whether the log still ends as this process left it."""
    if not files or files[-1].name != known.name:
        return False
    state = files[-1].stat()
    return (state.st_ino, state.st_size) == (known.inode, known.size)


def _find_tail(files: Sequence[Path]) -> _Tail:
    """The last sound record, sought from the end, and what the newest file holds after it."""
    if not files:
        return _Tail("", 0, 0, BEGINNING, b"", True)
    newest = files[-1]
    state = newest.stat()
    link, torn, ends_line = _read_end(newest)
    for older in reversed(files[:-1]):
        if link is not None:
            break
        link = _read_end(older)[0]
    return _Tail(newest.name, state.st_ino, state.st_size, link or BEGINNING, torn, ends_line)


def _read_end(path: Path) -> tuple[Link | None, bytes, bool]:
    """The last sound record of a file, the bytes after it, and whether the file ends with the end of a line."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        length = BLOCK
        while True:
            start = max(0, size - length)
            file.seek(start)
            block = file.read(size - start)
            lines = block.split(b"\n")
            # The first piece may be half a line, unless the block begins where the file does.
            for place in range(len(lines) - 1, -1 if start == 0 else 0, -1):
                line = lines[place]
                entry = read_entry(line) if line and is_sound(line) else None
                if entry:
                    torn = b"\n".join(lines[place + 1 :])
                    return entry.link, torn, not block or block.endswith(b"\n")
            if start == 0:
                return None, block, not block or block.endswith(b"\n")
            length *= 4


def _spell_record(record: Record, after: Link, moment: datetime, torn: bytes) -> tuple[bytes, Link]:
    """The line of a record with its end, and its place in the chain."""
    texts = {name: _bound(getattr(record, name), most) for name, most in LONGEST.items()}
    rows = {_bound(name, LONGEST_PANEL): int(number) for name, number in list(record.rows.items())[:MOST_PANELS]}
    fields: dict[str, Any] = {
        **texts,
        "rows": rows,
        "number": after.number + 1,
        "moment": f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z",
        "previous": after.hash,
        "torn_bytes": len(torn),
        "torn_hash": hash_bytes(torn) if torn else "",
    }
    own = hash_bytes(spell(fields))
    return spell({**fields, "hash": own}) + b"\n", Link(after.number + 1, own)


def _bound(text: str, most: int) -> str:
    """A text of a bounded length; halves of letters, which no file of text may hold, are replaced."""
    mark = "" if len(text) <= most else f" […] ({len(text):,} characters)"
    return HALF_LETTERS.sub("\ufffd", text[:most]) + mark


def _write_head(folder: Path, link: Link) -> None:
    """Name the last record in the file `head`.

    In place, in one write of always the same length: that needs no room on a full disk and is never seen half-done.
    """
    descriptor = os.open(folder / HEAD, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE)
    try:
        os.write(descriptor, f"{link}".ljust(HEAD_BYTES - 1).encode("ascii") + b"\n")
    finally:
        os.close(descriptor)
