"""Commands of the ETL as processes of their own: what they are asked, do and say are files, so that they outlive us.

A command holds a lock for as long as it lives, which the operating system frees however it ends; whoever opens the
folder later, after a restart too, sees by the lock whether it still runs and by the files what became of it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700
PRIVATE_MASK: Final = 0o077
SECONDS_TO_END: Final = 10
"""How long a command that was asked to stop may take to tidy up, before it is ended."""

_STARTED: Final[dict[int, subprocess.Popen[bytes]]] = {}
_STARTED_LOCK: Final = threading.Lock()


class EngineProblem(Exception):
    """A command refused, with a sentence that says why and what to do; empty where it ended without a word."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a command is: what it does, and how many of how many steps of that are done."""

    what: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command that has ended said: its answer, or the sentence of its refusal; neither where it broke off.

    `asked` is what it was asked, as `start` noted it; one that was stopped on purpose says nothing.
    """

    asked: str
    ended_at: str
    answer: Mapping[str, Any] | None = None
    error: str | None = None
    is_stopped: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the ETL in a folder, by a name that begins the names of all its files there."""

    folder: Path
    name: str

    @property
    def progress_path(self) -> Path:
        """The file to which it writes how far it is."""
        return self.folder / f"{self.name}.progress.json"

    @property
    def result_path(self) -> Path:
        """What it said, once it has ended."""
        return self.folder / f"{self.name}.json"

    def start(self, arguments: Sequence[str], asked: str) -> bool:
        """Run `python -m etl …` by itself; False where it runs already. Raises FileNotFoundError without a folder."""
        descriptor = os.open(self._path("lock"), os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            for left in (self._path("pid"), self.progress_path, self.result_path):
                left.unlink(missing_ok=True)
            write_whole(self._path("asked"), json.dumps({"asked": asked, "started_at": say_now()}))
            # What it leaves lying about when it is ended goes with the next start, or with the folder.
            work = self._path("work")
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(PRIVATE_FOLDER)
            with open_private(self._path("out")) as out, open_private(self._path("err")) as err:
                # The lock is handed on, so that it is held for as long as the command lives, and no longer.
                child = subprocess.Popen(
                    [sys.executable, "-m", "etl", *arguments],
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    env=os.environ | {"TMPDIR": str(work), "PYTHONUNBUFFERED": "1"},
                    pass_fds=(descriptor,),
                    start_new_session=True,
                    umask=PRIVATE_MASK,
                )
            write_whole(self._path("pid"), str(child.pid))
            with _STARTED_LOCK:
                _STARTED[child.pid] = child
            return True
        finally:
            os.close(descriptor)

    def is_running(self) -> bool:
        """Whether it lives, whoever started it."""
        _bury_ended()
        try:
            descriptor = os.open(self._path("lock"), os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def wait(self) -> None:
        """Until it has ended."""
        with contextlib.suppress(FileNotFoundError), self._path("lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)

    def read_asked(self) -> str | None:
        """What the command that runs, or has ended and was not collected yet, was asked."""
        noted = read_json(self._path("asked"))
        return str(noted["asked"]) if isinstance(noted, dict) and "asked" in noted else None

    def read_progress(self) -> Progress | None:
        """How far it is; None before it says so."""
        said = read_json(self.progress_path)
        if not isinstance(said, dict):
            return None
        return Progress(str(said.get("what") or ""), int(said.get("done") or 0), int(said.get("total") or 0))

    def collect(self) -> Outcome | None:
        """What it said, kept as its result as soon as it has ended; None while it runs or where it never ran."""
        if self.is_running():
            return None
        asked = self.read_asked()
        if asked is not None:
            said = read_json(self._path("out"))
            kept: dict[str, Any] = {"asked": asked, "ended_at": say_now()}
            if isinstance(said, dict):
                kept |= {"error": str(said["error"])} if "error" in said else {"answer": said}
            self._keep(kept)
        return self.read_result()

    def read_result(self) -> Outcome | None:
        """What was collected last."""
        kept = read_json(self.result_path)
        return Outcome(**kept) if isinstance(kept, dict) else None

    def stop(self, *, seconds: float = SECONDS_TO_END) -> None:
        """End it with all it started: it is asked to, and made to when it does not; its result says so."""
        asked = self.read_asked()
        if self.is_running():
            self._signal(signal.SIGINT)
            watch = threading.Thread(target=self.wait, daemon=True)
            watch.start()
            watch.join(seconds)
            if watch.is_alive():
                self._signal(signal.SIGKILL)
                watch.join(seconds)
        if asked is not None:
            self._keep({"asked": asked, "ended_at": say_now(), "is_stopped": True})

    def _keep(self, result: Mapping[str, Any]) -> None:
        # The result stands before the note goes, so that a crash between the two repeats this and loses nothing.
        write_whole(self.result_path, json.dumps(result, ensure_ascii=False))
        for name in ("asked", "pid", "out"):
            self._path(name).unlink(missing_ok=True)
        self.progress_path.unlink(missing_ok=True)

    def _signal(self, which: signal.Signals) -> None:
        # Its session is its process group, whose number stays taken for as long as anything of it holds the lock.
        try:
            number = int(self._path("pid").read_text("ascii"))
        except (FileNotFoundError, ValueError):
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(number, which)

    def _path(self, ending: str) -> Path:
        return self.folder / f".{self.name}.{ending}"


def ask_engine(arguments: Sequence[str], seconds: float) -> dict[str, Any]:
    """The answer of a command that is soon done. Raises EngineProblem with its sentence, or without any."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "etl", *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
            umask=PRIVATE_MASK,
        )
        said = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as problem:
        raise EngineProblem("") from problem
    if not isinstance(said, dict) or "error" in said:
        raise EngineProblem(str(said["error"]) if isinstance(said, dict) else "")
    return said


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """One at a time in a folder, among threads and servers. Raises FileNotFoundError where the folder is gone."""
    descriptor = os.open(folder / ".mutex", os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_whole(path: Path, text: str) -> None:
    """A file as a whole or not at all, for nobody but us. Raises OSError."""
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        with open_private(part) as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read_json(path: Path) -> Any:
    """What a JSON file holds; None where there is none, or none that can be read."""
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def open_private(path: Path) -> Any:
    """A new file to write bytes to, for nobody but us."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE), "wb")


def say_now() -> str:
    """This moment, UTC, to the second."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="seconds")


def _bury_ended() -> None:
    """Take note of children that have ended, so that the system can forget them."""
    with _STARTED_LOCK:
        for number in [number for number, child in _STARTED.items() if child.poll() is not None]:
            del _STARTED[number]
