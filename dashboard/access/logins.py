"""What this server knows of a login: when it was last used, and whether it has ended.

Streamlit's cookie is good for thirty days, and a copy of it outlives a logout. So each login has a file of its own in
`<home>/logins`, named by a digest of issuer, subject and nonce: its time of change is when the reader last did
something, and once anything stands in it, it has ended. Server processes that share a home share them.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

State = Literal["new", "open", "idle", "ended"]

FOLDER: Final = "logins"
ENDED: Final = "ended"
SECONDS_BETWEEN_TOUCHES: Final = 20
"""A page that is used changes the file no more often than that."""
DAYS_KEPT: Final = 31
"""Longer than any login may last, so that an ended one is known as long as its cookie is good."""


class LoginsProblem(Exception):
    """Logins cannot be recorded, so that nobody can be let in; the text says where and what to do."""


def name_login(issuer: str, subject: str, nonce: str) -> str:
    """A digest that is the same for every copy of a login's cookie, and another for every login."""
    written = json.dumps([issuer, subject, nonce])
    return hashlib.sha256(written.encode("ascii")).hexdigest()


def look_up(home: Path, login: str, idle_minutes: float) -> State:
    """How a login stands, without using it. Raises LoginsProblem where that cannot be read."""
    place = _place(home, login)
    try:
        found = place.stat()
    except FileNotFoundError:
        return "new"
    except OSError as error:
        raise LoginsProblem(f"{place.parent} cannot be read: {error.strerror}.") from None
    if found.st_size:
        return "ended"
    idle = datetime.now(UTC) - datetime.fromtimestamp(found.st_mtime, UTC)
    return "idle" if idle > timedelta(minutes=idle_minutes) else "open"


def use(home: Path, login: str) -> bool:
    """Record that the reader did something; True at the first time. Raises LoginsProblem where it cannot be written."""
    place = _place(home, login)
    try:
        # A time to come was written before the clock was set back, and would keep the login open until it comes.
        if abs(datetime.now(UTC).timestamp() - place.stat().st_mtime) >= SECONDS_BETWEEN_TOUCHES:
            os.utime(place)
        return False
    except FileNotFoundError:
        _write(place, "")
        _forget_old(place.parent)
        return True
    except OSError as error:
        raise LoginsProblem(f"{place.parent} cannot be written: {error.strerror}.") from None


def end(home: Path, login: str) -> None:
    """End a login: its cookie and every copy are no good any more. Raises LoginsProblem where that fails."""
    _write(_place(home, login), ENDED)


def _place(home: Path, login: str) -> Path:
    return home / FOLDER / login


def _write(place: Path, text: str) -> None:
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What has ended stays ended, whatever another process writes at the same time.
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise LoginsProblem(f"{place.parent} cannot be written: {error.strerror}.") from None


def _forget_old(folder: Path) -> None:
    oldest = datetime.now(UTC).timestamp() - DAYS_KEPT * 24 * 3600
    for place in folder.iterdir():
        with suppress(OSError):
            if place.stat().st_mtime < oldest:
                place.unlink()
