"""What was published: a line for every build, written before readers are pointed to it and settled afterwards.

The archive tells what was handed in, a build what is in it. Where the newest build is damaged or lost, only this tells
which of the noted loads were published, so that a rebuild takes in these, no fewer and no more; and by the fingerprint
of a build it is seen that its bytes are still those that were published.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OWNER_ONLY_FILE = 0o600

Key = tuple[str, str, str]
"""A load as notes and builds both name it: SHA-256 of the file, its name, and when it was taken in."""


@dataclass(frozen=True, slots=True)
class Publication:
    """A build with its file's SHA-256 and the loads that it was the first to hold."""

    build: str
    sha256: str
    loads: frozenset[Key]


@dataclass(slots=True)
class Published:
    """All that was published, oldest first; `unsettled` was written down and perhaps never shown to readers."""

    builds: list[Publication] = field(default_factory=list)
    unsettled: Publication | None = None
    is_begun: bool = False
    """Whether anything was ever written down: earlier releases did not."""
    is_whole: bool = True
    """Whether every line could be read; what was lost with one that cannot is not known."""

    def find_sha256(self, build: str) -> str | None:
        """What the bytes of a build add up to; None where that was never written down."""
        known = [*self.builds, *([self.unsettled] if self.unsettled else [])]
        return next((one.sha256 for one in reversed(known) if one.build == build), None)

    def list_loads(self) -> set[Key]:
        """Every load that was published."""
        return {key for one in self.builds for key in one.loads}


@dataclass(frozen=True, slots=True)
class Ledger:
    """The file in the archive; only whoever holds the lock for writers writes to it."""

    path: Path

    def read(self) -> Published:
        """What it says; nothing where there is none."""
        found = Published()
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return found
        # What follows the last end of a line was cut off half-written, so that nothing came of it.
        for line in content.split(b"\n")[:-1]:
            told = _read_line(line)
            found.is_begun = True
            if isinstance(told, Publication):
                if found.unsettled:
                    found.builds.append(found.unsettled)
                found.unsettled = told
            elif told is None:
                found.is_whole = False
            elif found.unsettled and found.unsettled.build == told[1]:
                if told[0]:
                    found.builds.append(found.unsettled)
                found.unsettled = None
        return found

    def announce(self, build: str, sha256: str, loads: Iterable[Key]) -> None:
        """Write down that a build is about to be published. Raises OSError."""
        self._append({"build": build, "sha256": sha256, "loads": sorted(loads)})

    def settle(self, build: str, *, is_published: bool) -> None:
        """Write down whether readers were pointed to the build that was announced last. Raises OSError."""
        self._append({"published" if is_published else "withdrawn": build})

    def _append(self, told: dict[str, Any]) -> None:
        line = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY_FILE)
        try:
            end = _find_end(descriptor)
            try:
                rest = memoryview(line)
                os.lseek(descriptor, end, os.SEEK_SET)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
                os.ftruncate(descriptor, end + len(line))
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, end)
                raise
        finally:
            os.close(descriptor)


def _find_end(descriptor: int) -> int:
    """Where the last whole line ends."""
    place = os.fstat(descriptor).st_size
    while place:
        begin = max(0, place - 65_536)
        found = os.pread(descriptor, place - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        place = begin
    return 0


def _read_line(line: bytes) -> Publication | tuple[bool, str] | None:
    """A publication, or whether a build was published and which; None where it is neither."""
    try:
        told = json.loads(line)
        if "build" in told:
            return Publication(told["build"], told["sha256"], frozenset((a, b, c) for a, b, c in told["loads"]))
        is_published = "published" in told
        return is_published, told["published" if is_published else "withdrawn"]
    except (ValueError, TypeError, KeyError):
        return None
