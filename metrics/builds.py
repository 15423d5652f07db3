"""Which build to show: the newest that the pointer names, or, where that cannot be read, the one before."""

from __future__ import annotations

import logging
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

DATA = Path(__file__).resolve().parent.parent / "data"
POINTER: Final = "current"
NUMBERED: Final = re.compile(r"build-.*-(\d+)")
SECONDS_TO_TRY_AGAIN: Final = 60
"""A build that could not be opened is tried again after that, since it may have been for want of something else."""
DAMAGED: Final = (
    "Corrupt database file",
    "Could not read",
    "not a valid DuckDB database file",
    "database has been invalidated",
    "Failed to deserialize",
)
"""What DuckDB says when the bytes of a build are not those that it wrote."""
LOG: Final = logging.getLogger("tenken.warehouse")
# A command says by itself what it passes over; the log of a server has it.
LOG.addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A build that is passed over; the name is that of the pointer where nothing says which build is the newest."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Trouble:
    """What was found wrong with a file as it was; for good, or until it is tried again (seconds of the monotonic clock)."""

    state: tuple[int, ...]
    reason: str
    until: float | None


_TROUBLES: Final[dict[Path, _Trouble]] = {}
"""Builds that this process could not read, by their files."""


def find_home(home: Path | None = None) -> Path:
    """The home given, else $TENKEN_HOME, else the project's data folder."""
    return home or Path(os.environ.get("TENKEN_HOME") or DATA)


def newest_build_name(home: Path | None = None) -> str | None:
    """Name of the newest build as the pointer has it, without opening it; None where it names none."""
    try:
        name = (find_home(home) / "warehouse" / POINTER).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    # A pointer that was overwritten may hold anything, also what leads elsewhere.
    return Path(name).stem or None if name.isprintable() and Path(name).name == name else None


def list_build_names(home: Path | None = None) -> tuple[list[str], list[Unreadable]]:
    """Builds to show, best first, and the pointer where it is lost: the newest, then those that were published before."""
    folder = find_home(home) / "warehouse"
    newest = newest_build_name(home)
    numbered = [
        (int(found[1]), path.stem) for path in folder.glob("build-*.duckdb") if (found := NUMBERED.fullmatch(path.stem))
    ]
    numbered.sort(reverse=True)
    if newest is None:
        lost = [Unreadable(POINTER, "It does not name a build.")] if numbered else []
        return [name for _, name in numbered], lost
    own = NUMBERED.fullmatch(newest)
    # A higher number than the pointer's was never published.
    return [newest, *(name for number, name in numbered if own and number < int(own[1]))], []


def choose_build(home: Path | None = None) -> tuple[str | None, tuple[Unreadable, ...]]:
    """Name of the build to show, by what this process knows of builds that it could not read; and what is passed over."""
    folder = find_home(home) / "warehouse"
    newest = newest_build_name(home)
    if newest and not _TROUBLES:
        return newest, ()
    names, passed = list_build_names(home)
    for name in names:
        reason = _recall_trouble(folder / f"{name}.duckdb")
        if reason is None:
            return name, tuple(passed)
        passed.append(Unreadable(name, reason))
    return None, tuple(passed)


def is_damage(error: BaseException) -> bool:
    """Whether an error of a query says that the build itself cannot be read."""
    return isinstance(error, duckdb.Error) and any(mark in str(error) for mark in DAMAGED)


def pass_over(path: Path, error: Exception, *, is_for_good: bool = True) -> None:
    """Read a build no more in this process, unless its file changes; the log says so once."""
    reason = say_briefly(error)
    if _recall_trouble(path) is None:
        LOG.error(
            "%s cannot be read and is passed over: %s Run python -m etl rebuild to make it again from the archive.",
            path,
            reason,
        )
    until = None if is_for_good else time.monotonic() + SECONDS_TO_TRY_AGAIN
    _TROUBLES[path] = _Trouble(_state(path), reason, until)


def say_briefly(error: Exception) -> str:
    """The first line of an error, without DuckDB's name for its kind."""
    return str(error).splitlines()[0].removeprefix("IO Error: ").removeprefix("FATAL Error: ")


def _recall_trouble(path: Path) -> str | None:
    trouble = _TROUBLES.get(path)
    if trouble is None:
        return None
    if trouble.state != _state(path) or (trouble.until is not None and time.monotonic() > trouble.until):
        _TROUBLES.pop(path, None)
        return None
    return trouble.reason


def _state(path: Path) -> tuple[int, ...]:
    """What changes when a file is put back."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns
