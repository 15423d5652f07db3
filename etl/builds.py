"""Builds: one immutable DuckDB file each, a pointer to the newest, a lock for writers, and the archive of originals."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from etl.archive import Archive
from etl.copying import copy_file, hash_file, sync_file
from etl.damage import Damaged, find_damage, find_damage_outside, read_loads
from etl.ledger import Key, Ledger
from etl.outside import FACTS, sweep
from etl.schema import DATA

KEEP_BUILDS = 3
# What the home holds says which site is weak: its owner reads it, nobody else.
OWNER_ONLY_MASK = 0o077
OWNER_ONLY_FOLDER = 0o700
OWNER_ONLY_FILE = 0o600
POINTER = "current"
NUMBER = re.compile(r"-(\d+)$")


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

    @property
    def facts(self) -> Path:
        """Where rows are kept that lie outside the builds."""
        return self.path / FACTS

    @property
    def originals(self) -> Archive:
        """The files of the archive and their notes."""
        return Archive(self.archive)

    @property
    def ledger(self) -> Ledger:
        """What was published."""
        return Ledger(self.archive / "published.jsonl")

    def newest(self) -> Path | None:
        """File of the newest build, there or not: the one that the pointer names, or the last one where that is lost."""
        name = self._read_pointer()
        if name:
            return self.warehouse / name
        builds = self.list_builds()
        return builds[0] if builds else None

    def list_builds(self) -> list[Path]:
        """Every build that is there, the last one first, whatever the clock said when it was made."""
        return sorted(self.warehouse.glob("build-*.duckdb"), key=_number, reverse=True)

    def _read_pointer(self) -> str | None:
        """What the pointer names; None where that can be no build."""
        try:
            name = (self.warehouse / POINTER).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None
        return name if name.isprintable() and name.endswith(".duckdb") and Path(name).name == name else None

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the one lock for writers; the operating system frees it however the process ends. Raises Busy.

        At the end everything in warehouse, facts, archive and inbox is readable by its owner only.
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
            self._sweep()
            self._settle()
            self.prune()
            sweep(self.path, self.list_builds())
            try:
                yield
            finally:
                self._sweep()
                sweep(self.path, self.list_builds())
                self.tighten()

    def private_folders(self) -> list[Path]:
        """The folders of the home that hold exports and figures."""
        folders = self.warehouse, self.facts, self.archive, self.path / "inbox"
        return [folder for folder in folders if folder.is_dir()]

    def tighten(self) -> None:
        """Take from everybody but the owner what an older release or a careless copy left readable."""
        for top in self.private_folders():
            for folder, _, files in os.walk(top):
                _close(Path(folder), OWNER_ONLY_FOLDER)
                for name in files:
                    _close(Path(folder, name), OWNER_ONLY_FILE)

    def _sweep(self) -> None:
        """Take away what a load has left that did not come to its end, so that it takes no room from the next one."""
        for left in self.warehouse.glob(".building-*"):
            if left.is_dir():
                self.originals.forget_kept(left)
                shutil.rmtree(left)
            else:
                left.unlink()

    def _settle(self) -> None:
        """Write down whether a load had published that was ended before it could."""
        unsettled = self.ledger.read().unsettled
        if unsettled:
            named, build = self._read_pointer(), self.warehouse / f"{unsettled.build}.duckdb"
            is_published = named == build.name if named else build.exists()
            self.ledger.settle(unsettled.build, is_published=is_published)
            if not is_published:
                build.unlink(missing_ok=True)

    def name_next(self) -> tuple[str, Path]:
        """Name of a new build and the file to write it to, which does not exist yet."""
        told = self.ledger.read()
        named = [self.newest(), *self.list_builds(), *(Path(f"{one.build}.duckdb") for one in told.builds[-1:])]
        number = max((_number(path) for path in named if path), default=0) + 1
        name = f"build-{datetime.now(UTC):%Y%m%dT%H%M%S}-{number:06d}"
        return name, self.warehouse / f".building-{name}.duckdb"

    def copy_newest(self, target: Path) -> None:
        """Copy the newest build, which must be whole and the one that was published last; nothing where none ever was.

        Raises Damaged, OSError.
        """
        newest, told = self.newest(), self.ledger.read()
        if newest is None:
            if told.builds or (not told.is_begun and self.originals.has_notes()):
                raise Damaged(f"There is no build in {self.warehouse}, though files were published.")
            return
        try:
            sha256 = copy_file(newest, target)
        except FileNotFoundError as error:
            raise Damaged(f"The newest build, {newest}, is missing.") from error
        except IsADirectoryError as error:
            raise Damaged(f"A folder is in the place of the newest build, {newest}.") from error
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            raise Damaged(f"The disk does not give back the newest build, {newest}.") from error
        published = [one.build for one in (*told.builds[-1:], told.unsettled) if one]
        known = told.find_sha256(newest.stem)
        reason = find_damage(target, self.path) if known is None else None
        if reason:
            raise Damaged(f"The newest build, {newest}, cannot be read: {reason}")
        if known not in (None, sha256):
            raise Damaged(f"The newest build, {newest}, has other bytes than were published.")
        reason = find_damage_outside(target, self.path) if known else None
        if reason:
            raise Damaged(f"The newest build, {newest}, is not whole: {reason}")
        if published and newest.stem not in published:
            raise Damaged(
                f"The newest build in {self.warehouse} is {newest.stem}, and {published[-1]} was published last."
            )

    def take_over(self) -> None:
        """Mend the pointer to the newest build, and write down what a release published that kept no ledger."""
        newest = self.newest()
        if newest is None:
            return
        if self._read_pointer() is None:
            self.point_to(newest)
        if not self.ledger.read().is_begun:
            self.ledger.announce(newest.stem, hash_file(newest), read_loads(newest) or ())
            self.ledger.settle(newest.stem, is_published=True)

    def publish(
        self, name: str, path: Path, loads: Iterable[Key], noted: Sequence[tuple[Path, dict[str, Any]]] = ()
    ) -> Path:
        """Give a finished build its name and point readers to it, whole or not at all; then drop old builds.

        `loads` are those that it is the first to hold, `noted` what is noted in the archive of files and how they were
        loaded. Raises OSError, after which nothing of it is left.
        """
        final, loads = self.warehouse / f"{name}.duckdb", set(loads)
        self.ledger.announce(name, hash_file(path), loads)
        try:
            for relative, facts in noted:
                self.originals.note(relative, facts)
            sync_file(path)
            path.chmod(OWNER_ONLY_FILE)
            path.rename(final)
            self.point_to(final)
        except BaseException:
            if self._read_pointer() != final.name:
                with contextlib.suppress(OSError):
                    for relative, facts in noted:
                        if (facts["sha256"], facts["name"], facts["loaded_at"]) in loads:
                            self.originals.name_note(relative, facts).unlink(missing_ok=True)
                    final.unlink(missing_ok=True)
                    self.ledger.settle(name, is_published=False)
                raise
        # Readers see it: whatever else cannot be done any more is done by the next load.
        with contextlib.suppress(OSError):
            self.ledger.settle(name, is_published=True)
            self.prune()
        return final

    def point_to(self, build: Path) -> None:
        """Point readers to a build, at once. Raises OSError, and Damaged where a folder is in the pointer's place."""
        if (self.warehouse / POINTER).is_dir():
            raise Damaged(
                f"{self.warehouse / POINTER} is a folder, and should be the file that names the newest build. Move it away, "
                "then run the same command again; nothing was published."
            )
        part = self.warehouse / f".building-{build.stem}.pointer"
        part.write_text(build.name, "utf-8")
        sync_file(part)
        part.replace(self.warehouse / POINTER)
        sync_file(self.warehouse)

    def prune(self) -> None:
        """Remove all but the newest builds, sparing any that a reader holds open."""
        newest = self.newest()
        for path in self.list_builds()[KEEP_BUILDS:]:
            if path != newest and path.is_file() and not _is_read(path):
                path.unlink()


def is_before(build: Path, other: Path) -> bool:
    """Whether a build was made before another; only a number tells, for clocks are set back."""
    return _number(build) < _number(other)


def _number(build: Path) -> int:
    """The number of a build, by which builds are in order; 0 where its name has none."""
    found = NUMBER.search(build.stem)
    return int(found[1]) if found else 0


def _close(path: Path, mode: int) -> None:
    """Set a mode where it is wider, sparing links and what goes away meanwhile or belongs to somebody else."""
    with contextlib.suppress(FileNotFoundError, PermissionError):
        if not path.is_symlink() and path.stat().st_mode & OWNER_ONLY_MASK:
            path.chmod(mode)


def _is_read(path: Path) -> bool:
    """Whether a reader holds the build: DuckDB keeps a shared record lock on every file that it has open."""
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        fcntl.lockf(file, fcntl.LOCK_UN)
    return False
