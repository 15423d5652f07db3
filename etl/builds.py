"""Builds: one immutable DuckDB file each, a pointer to the newest, a lock for writers, and the archive of originals."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from etl.schema import DATA

KEEP_BUILDS = 3
# What the home holds says which site is weak: its owner reads it, nobody else.
OWNER_ONLY_MASK = 0o077
OWNER_ONLY_FOLDER = 0o700
OWNER_ONLY_FILE = 0o600
BLOCK = 1 << 22


class Busy(Exception):
    """Another load is under way."""


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that holds inbox, archive and warehouse."""

    path: Path

    @staticmethod
    def find(path: Path | None = None) -> Home:
        """The home given, else $TENKEN_HOME, else the project's data folder."""
        return Home(path or Path(os.environ.get("TENKEN_HOME") or DATA))

    @property
    def archive(self) -> Path:
        """Where original files are kept."""
        return self.path / "archive"

    @property
    def warehouse(self) -> Path:
        """Where builds are kept."""
        return self.path / "warehouse"

    def newest(self) -> Path | None:
        """File of the newest build; None when there is none."""
        try:
            name = (self.warehouse / "current").read_text("utf-8").strip()
        except FileNotFoundError:
            return None
        path = self.warehouse / name
        return path if name and path.exists() else None

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the one lock for writers; the operating system frees it however the process ends. Raises Busy.

        At the end everything in warehouse, archive and inbox is readable by its owner only.
        """
        self.warehouse.mkdir(parents=True, exist_ok=True)
        self.archive.mkdir(parents=True, exist_ok=True)
        for folder in self.private_folders():
            _close(folder, OWNER_ONLY_FOLDER)
        with (self.warehouse / ".lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Busy(
                    f"Another load is writing to {self.warehouse}; nothing was changed. Try again when it has ended."
                ) from error
            for left in self.warehouse.glob(".building-*"):
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            try:
                yield
            finally:
                self.tighten()

    def private_folders(self) -> list[Path]:
        """The folders of the home that hold exports and figures."""
        return [folder for folder in (self.warehouse, self.archive, self.path / "inbox") if folder.is_dir()]

    def tighten(self) -> None:
        """Take from everybody but the owner what an older release or a careless copy left readable."""
        for top in self.private_folders():
            for folder, _, files in os.walk(top):
                _close(Path(folder), OWNER_ONLY_FOLDER)
                for name in files:
                    _close(Path(folder, name), OWNER_ONLY_FILE)

    def begin(self) -> tuple[str, Path]:
        """Name and file of a new build: a copy of the newest one, or a file that does not exist yet."""
        newest = self.newest()
        number = 1
        if newest and (match := re.search(r"-(\d+)\.duckdb$", newest.name)):
            number = int(match[1]) + 1
        name = f"build-{datetime.now(UTC):%Y%m%dT%H%M%S}-{number:06d}"
        path = self.warehouse / f".building-{name}.duckdb"
        if newest:
            _copy(newest, path)
        return name, path

    def publish(self, name: str, path: Path) -> Path:
        """Give a finished build its name and point readers to it, whole or not at all; then drop old builds."""
        _sync(path)
        final = self.warehouse / f"{name}.duckdb"
        path.chmod(OWNER_ONLY_FILE)
        path.rename(final)
        pointer = self.warehouse / f".building-{name}.pointer"
        pointer.write_text(final.name, "utf-8")
        _sync(pointer)
        pointer.replace(self.warehouse / "current")
        _sync(self.warehouse)
        self.prune()
        return final

    def prune(self) -> None:
        """Remove all but the newest builds, sparing any that a reader holds open."""
        newest = self.newest()
        builds = sorted(self.warehouse.glob("build-*.duckdb"), key=lambda path: path.stem.rsplit("-", 1)[-1])
        for path in builds[:-KEEP_BUILDS]:
            if path != newest and not _is_read(path):
                path.unlink()

    def keep(self, path: Path, sha256: str, name: str) -> Path:
        """Keep a file byte for byte in the archive; returns where, relative to the archive."""
        relative = Path(sha256[:2]) / sha256 / name
        target = self.archive / relative
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.parent / f".{name}.part"
            _copy(path, part)
            _sync(part)
            part.rename(target)
        return relative

    def note(self, relative: Path, facts: dict[str, Any]) -> None:
        """Write how an archived file was loaded beside it, so that a rebuild needs nothing but the archive."""
        target = self.archive / relative
        part = target.with_name(f".{target.name}.load.part")
        part.write_text(json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True), "utf-8")
        part.replace(target.with_name(f"{target.name}.load.json"))

    def notes(self) -> list[dict[str, Any]]:
        """Every note of the archive, in the order of loading."""
        found = [json.loads(path.read_text("utf-8")) for path in self.archive.glob("*/*/*.load.json")]
        return sorted(found, key=lambda facts: facts["load_no"])


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What one reading of a file's bytes tells."""

    sha256: str
    newlines: int
    has_nul: bool


def fingerprint(path: Path) -> Fingerprint:
    """SHA-256 of a file, the number of its line feeds and whether it holds a NUL, in one reading."""
    digest, newlines, has_nul = hashlib.sha256(), 0, False
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            newlines += block.count(b"\n")
            has_nul = has_nul or b"\0" in block
    return Fingerprint(digest.hexdigest(), newlines, has_nul)


def _close(path: Path, mode: int) -> None:
    """Set a mode where it is wider, sparing links and what goes away meanwhile or belongs to somebody else."""
    with contextlib.suppress(FileNotFoundError, PermissionError):
        if not path.is_symlink() and path.stat().st_mode & OWNER_ONLY_MASK:
            path.chmod(mode)


def _copy(source: Path, target: Path) -> None:
    """Copy bytes inside the kernel where it can: the cost of copying a build must not be felt."""
    with source.open("rb") as reading, target.open("wb") as writing:
        left = os.fstat(reading.fileno()).st_size
        try:
            while left > 0:
                done = os.copy_file_range(reading.fileno(), writing.fileno(), left)
                if done == 0:
                    break
                left -= done
        except OSError:
            reading.seek(0)
            writing.seek(0)
            writing.truncate()
            shutil.copyfileobj(reading, writing, BLOCK)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_read(path: Path) -> bool:
    """Whether a reader holds the build: DuckDB keeps a shared record lock on every file that it has open."""
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        fcntl.lockf(file, fcntl.LOCK_UN)
    return False
