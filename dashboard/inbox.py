"""Batches of uploaded files on disk: what was dropped, what is settled about it, what was found and published.

Everything that is shown of a batch is read from its folder, so that any tab, server or restart sees the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import unicodedata
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal
from zipfile import BadZipFile, ZipFile, ZipInfo

from dashboard.engine import PRIVATE_FOLDER, Command, Outcome, hold, open_private, read_json, write_whole
from metrics.warehouse import newest_build_name

State = Literal["empty", "checking", "attention", "ready", "publishing", "published", "failed"]
Choices = dict[str, dict[str, Any]]

BATCH_NAME: Final = re.compile(r"\d{8}T\d{6}-[0-9a-f]{6}")
LONGEST_NAME: Final = 200
"""Bytes of a file's name; a file system takes 255, and the workbook of refused rows has a longer one."""
KEY_LETTERS: Final = 20
BLOCK: Final = 1 << 20
NAMELESS: Final = "file"
LARGEST_PACKAGE: Final = 4 << 30
"""Bytes that a zip may unpack to; a larger one was not loaded."""
PACKAGES: Final = (".zip", ".csetw")
"""Endings of files whose members are loaded as files of their own."""
IS_UTF8: Final = 0x800
"""Flag of a file in a zip whose name is UTF-8."""


class Gone(Exception):
    """The batch was discarded meanwhile, perhaps in another tab."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a batch: its folder, by which it is told from others of its name, and its size in bytes."""

    key: str
    name: str
    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be seen of a batch at one moment; `check` is None unless it speaks of the files as they are."""

    state: State
    uploads: tuple[Upload, ...]
    choices: Choices = field(default_factory=dict)
    check: Outcome | None = None
    publish: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """A folder of the inbox."""

    home: Path
    name: str

    @property
    def folder(self) -> Path:
        """Where all of it is."""
        return find_inbox(self.home) / self.name

    @property
    def files(self) -> Path:
        """Where the uploaded files are, each in a folder of its own."""
        return self.folder / "files"

    @property
    def check(self) -> Command:
        """The command that says what a load would do."""
        return Command(self.folder, "check")

    @property
    def publish(self) -> Command:
        """The command that loads."""
        return Command(self.folder, "publish")

    @property
    def propose(self) -> Command:
        """The command that drafts a source from one of its files."""
        return Command(self.folder, "propose")

    @property
    def made_at(self) -> datetime:
        """When its first file was dropped, UTC."""
        return datetime.strptime(self.name[:15], "%Y%m%dT%H%M%S")

    def refused(self, command: str) -> Path:
        """Where a command puts the workbooks of refused rows."""
        return self.folder / "refused" / command


def find_inbox(home: Path) -> Path:
    """The folder of all batches."""
    return home / "inbox"


def make_batch(home: Path) -> Batch:
    """A new batch without files."""
    inbox = find_inbox(home)
    inbox.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
    while True:
        batch = Batch(home, f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}")
        with contextlib.suppress(FileExistsError):
            batch.folder.mkdir(PRIVATE_FOLDER)
            batch.files.mkdir(PRIVATE_FOLDER)
            return batch


def list_batches(home: Path) -> list[Batch]:
    """Every batch, newest first; whatever else lies in the inbox is none of ours."""
    try:
        names = [entry.name for entry in os.scandir(find_inbox(home)) if BATCH_NAME.fullmatch(entry.name)]
    except FileNotFoundError:
        return []
    return [Batch(home, name) for name in sorted(names, reverse=True)]


def find_batch(home: Path, name: str) -> Batch | None:
    """The batch of a name that anybody may have written; None where there is none."""
    if not BATCH_NAME.fullmatch(name):
        return None
    batch = Batch(home, name)
    return batch if batch.folder.is_dir() else None


def keep_upload(batch: Batch, name: str, content: BinaryIO) -> Upload:
    """A dropped file, byte for byte on disk when this returns; one that is there already is not kept twice.

    Raises Gone, and OSError where the disk takes no more.
    """
    safe = clean_name(name)
    part = batch.folder / f".{uuid.uuid4().hex}.part"
    digest = hashlib.sha256()
    try:
        with _unless_gone(), open_private(part) as file:
            while block := content.read(BLOCK):
                digest.update(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        # The same file by the same name has the same place; another file of that name has its own.
        key = hashlib.sha256(f"{digest.hexdigest()} {safe}".encode()).hexdigest()[:KEY_LETTERS]
        path = batch.files / key / safe
        with _holding(batch):
            path.parent.mkdir(PRIVATE_FOLDER, exist_ok=True)
            part.rename(path)
            return Upload(key, safe, path, path.stat().st_size)
    finally:
        part.unlink(missing_ok=True)


def clean_name(name: str) -> str:
    """The last part of a name that anybody may have written, as a file's name that is one everywhere.

    The rest of it stays as it was, because sources read what it says.
    """
    base = re.split(r"[/\\]", name)[-1]
    # Control and format characters, halves of letters and the unassigned say nothing and can deceive the eye.
    base = "".join(letter for letter in base if unicodedata.category(letter)[0] != "C").strip().lstrip(".").strip()
    stem, dot, ending = base.rpartition(".")
    if dot and len(ending.encode()) < LONGEST_NAME // 4:
        return f"{_cut(stem, LONGEST_NAME - len(ending.encode()) - 1) or NAMELESS}.{ending}"
    return _cut(base, LONGEST_NAME) or NAMELESS


def list_uploads(batch: Batch) -> tuple[Upload, ...]:
    """The files of a batch by their names."""
    uploads = []
    try:
        with os.scandir(batch.files) as folders:
            for folder in folders:
                with os.scandir(folder.path) as found:
                    uploads += [
                        Upload(folder.name, one.name, Path(one.path), one.stat().st_size)
                        for one in found
                        if one.is_file(follow_symlinks=False)
                    ]
    except FileNotFoundError:
        pass
    return tuple(sorted(uploads, key=lambda one: (one.name, one.key)))


def remove_upload(batch: Batch, key: str) -> None:
    """Take a file out of the batch. Raises Gone."""
    with _holding(batch):
        for one in list_uploads(batch):
            if one.key == key:
                one.path.unlink(missing_ok=True)
                one.path.parent.rmdir()


def read_choices(batch: Batch) -> Choices:
    """What the steward settled, by the name of the file."""
    kept = read_json(batch.folder / "choices.json")
    return kept if isinstance(kept, dict) else {}


def choose(batch: Batch, names: Sequence[str], **settled: Any) -> None:
    """Settle something about files: source, entity, period, leave_out; nothing given takes it back. Raises Gone."""
    with _holding(batch):
        choices = read_choices(batch)
        for name in names:
            merged = choices.get(name, {}) | settled
            choices[name] = {what: value for what, value in merged.items() if value}
        kept = {name: settled for name, settled in choices.items() if settled}
        write_whole(batch.folder / "choices.json", json.dumps(kept, ensure_ascii=False, indent=1))


def look_at(batch: Batch) -> Look:
    """How a batch stands; what has ended since is collected, and a check that is due is begun. Raises Gone."""
    with _holding(batch):
        uploads, choices = list_uploads(batch), read_choices(batch)
        if batch.publish.is_running():
            return Look("publishing", uploads, choices, batch.check.read_result())
        is_new = batch.publish.read_asked() is not None
        publish = batch.publish.collect()
        if is_new and publish and publish.answer:
            _remove_archived(batch, uploads, choices)
            uploads = list_uploads(batch)
        shutil.rmtree(batch.folder / "publishing", ignore_errors=True)
        if not uploads:
            return Look("published" if publish and publish.answer else "empty", uploads, choices, None, publish)
        asked = _describe(batch, uploads, choices)
        if batch.check.is_running() and batch.check.read_asked() == asked:
            return Look("checking", uploads, choices, None, publish)
        check = batch.check.collect()
        if check is None or check.asked != asked:
            batch.check.stop()
            _begin_check(batch, asked)
            return Look("checking", uploads, choices, None, publish)
        if check.answer is None:
            return Look("failed", uploads, choices, check, publish)
        # What became of a publication of other files, or of files that were published since, is past.
        if publish and not publish.answer and publish.asked == asked:
            return Look("failed", uploads, choices, check, publish)
        needs = any(one["is_refused"] for one in check.answer["loads"]) or not list_wanted(check.answer)
        return Look("attention" if needs else "ready", uploads, choices, check, publish)


def check_again(batch: Batch) -> None:
    """Forget what the last check said, so that the next look begins another. Raises Gone."""
    with _holding(batch):
        if not batch.check.is_running():
            batch.check.result_path.unlink(missing_ok=True)


def stop_check(batch: Batch) -> None:
    """End a check that runs; no look begins it again by itself. Raises Gone."""
    with _holding(batch):
        if batch.check.is_running():
            batch.check.stop()


def begin_publishing(batch: Batch, asked: str) -> bool:
    """Load what the check with these words found good; False where files or choices are no longer those. Raises Gone.

    Files that the check refused as a whole stay in the batch.
    """
    with _holding(batch):
        uploads, choices = list_uploads(batch), read_choices(batch)
        check = batch.check.read_result()
        if batch.check.is_running() or not check or not check.answer or check.asked != asked:
            return False
        if _describe(batch, uploads, choices) != asked:
            return False
        wanted = list_wanted(check.answer)
        names = {load["package"] or load["file"] for load in wanted}
        held = {load["file"] for load in check.answer["loads"] if load["is_refused"] and load["package"]}
        handed = batch.folder / "publishing"
        shutil.rmtree(handed, ignore_errors=True)
        handed.mkdir(PRIVATE_FOLDER)
        for one in uploads:
            if one.name in names:
                target = handed / one.key / one.name
                target.parent.mkdir(PRIVATE_FOLDER)
                # The same file by another path: nothing is copied, and what is loaded is what was checked.
                target.hardlink_to(one.path)
        settled = choices | {name: choices.get(name, {}) | {"leave_out": True} for name in held}
        chosen = batch.folder / "publish.choices.json"
        write_whole(chosen, json.dumps(settled, ensure_ascii=False, indent=1))
        return batch.publish.start(_spell(batch, "load", batch.publish, chosen, handed), asked)


def begin_proposing(batch: Batch, key: str, member: str | None = None) -> bool:
    """Draft a source from an upload, or from a file in an uploaded zip; False where there is none. Raises Gone."""
    with _holding(batch):
        upload = next((one for one in list_uploads(batch) if one.key == key), None)
        path = _take_member(batch, upload.path, member) if upload and member else upload.path if upload else None
        if path is None:
            return False
        home = str(batch.home.resolve())
        return batch.propose.start(["propose", str(path.resolve()), "--json", "--home", home], member or path.name)


def end_proposing(batch: Batch) -> None:
    """Forget the draft. Raises Gone."""
    with _holding(batch):
        batch.propose.stop()
        batch.propose.result_path.unlink(missing_ok=True)
        shutil.rmtree(batch.folder / "member", ignore_errors=True)


def discard(batch: Batch) -> bool:
    """Take a batch away with all its files; False while it is being published. Raises Gone."""
    with _holding(batch):
        if batch.publish.is_running():
            return False
        batch.check.stop()
        batch.propose.stop()
        # Out of sight at once, even where its removal is cut short.
        hidden = batch.folder.with_name(f".discarded-{batch.name}")
        batch.folder.rename(hidden)
    for left in find_inbox(batch.home).glob(".discarded-*"):
        shutil.rmtree(left, ignore_errors=True)
    return True


def list_wanted(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The files of a check that a load would change something by: neither refused as a whole nor known already."""
    return [load for load in answer["loads"] if not (load["is_refused"] or load["is_known"])]


def hash_file(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _begin_check(batch: Batch, asked: str) -> None:
    chosen = batch.folder / "choices.json"
    if not chosen.exists():
        write_whole(chosen, "{}")
    batch.check.start(_spell(batch, "check", batch.check, chosen, batch.files), asked)


def _spell(batch: Batch, action: str, command: Command, choices: Path, files: Path) -> list[str]:
    """A check or a load as the command line takes it."""
    refused = batch.refused(command.name)
    shutil.rmtree(refused, ignore_errors=True)
    for folder in (refused.parent, refused):
        folder.mkdir(PRIVATE_FOLDER, exist_ok=True)
    return [
        action, "--json", "--home", str(batch.home.resolve()), "--progress", str(command.progress_path.resolve()),
        "--choices", str(choices.resolve()), "--refused-to", str(refused.resolve()), str(files.resolve()),
    ]  # fmt: skip


def _describe(batch: Batch, uploads: Sequence[Upload], choices: Choices) -> str:
    """All that a check depends on, in a few letters: files, choices, the sources described here, the newest build."""
    sources = sorted(
        (path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in (batch.home / "sources").glob("*.toml")
    )
    files = [(one.key, one.name, one.size) for one in uploads]
    said = json.dumps([files, choices, sources, newest_build_name(batch.home)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _remove_archived(batch: Batch, uploads: Sequence[Upload], choices: Choices) -> None:
    """Remove every file that the archive has byte for byte; of a zip, all that was not left out must be there."""
    left_out = {name for name, settled in choices.items() if settled.get("leave_out")}
    for one in uploads:
        if _is_archived(batch.home, one.path) or _are_members_archived(batch.home, one.path, left_out):
            one.path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                one.path.parent.rmdir()


def _take_member(batch: Batch, package: Path, member: str) -> Path | None:
    """A file of a zip as a file of its own, no larger than what a zip may unpack to."""
    folder = batch.folder / "member"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(PRIVATE_FOLDER)
    path = folder / clean_name(member)
    try:
        with ZipFile(package) as archive:
            found = next((one for one in archive.infolist() if read_member_name(one) == member), None)
            if found is None or found.file_size > LARGEST_PACKAGE:
                return None
            with archive.open(found) as packed, open_private(path) as file:
                shutil.copyfileobj(packed, file, BLOCK)
    except (BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError):
        return None
    return path


def read_member_name(member: ZipInfo) -> str | None:
    """The bare name of a file in a zip, in the encoding it was written in; None for what operating systems add."""
    name = member.filename
    if not member.flag_bits & IS_UTF8:
        raw = name.encode("cp437", "replace")
        for encoding in ("utf-8", "cp932"):
            with contextlib.suppress(UnicodeDecodeError):
                name = raw.decode(encoding)
                break
    parts = re.split(r"[/\\]", name)
    is_added = "__MACOSX" in parts or parts[-1].startswith(".") or parts[-1].lower() in ("thumbs.db", "desktop.ini")
    return None if is_added else parts[-1]


def _is_archived(home: Path, path: Path) -> bool:
    return _has_bytes(home, hash_file(path))


def _has_bytes(home: Path, sha256: str) -> bool:
    """Whether the archive has bytes with this sum, read there again rather than believed."""
    folder = home / "archive" / sha256[:2] / sha256
    kept = [path for path in folder.glob("[!.]*") if not path.name.endswith(".load.json")]
    return any(hash_file(path) == sha256 for path in kept)


def _are_members_archived(home: Path, path: Path, left_out: set[str]) -> bool:
    """Whether the archive has every file of a zip but those left out and what operating systems add."""
    if path.suffix.lower() not in PACKAGES:
        return False
    try:
        with ZipFile(path) as package:
            members = [one for one in package.infolist() if not one.is_dir()]
            if sum(one.file_size for one in members) > LARGEST_PACKAGE:
                return False
            for member in members:
                name = read_member_name(member)
                if name is None or name in left_out:
                    continue
                with package.open(member) as file:
                    digest = hashlib.sha256()
                    while block := file.read(BLOCK):
                        digest.update(block)
                if not _has_bytes(home, digest.hexdigest()):
                    return False
            return bool(members)
    except (BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError):
        return False


def _cut(text: str, most: int) -> str:
    """A text of no more bytes than that, without halves of letters."""
    return text.encode()[:most].decode(errors="ignore").strip()


@contextlib.contextmanager
def _unless_gone() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as missing:
        raise Gone from missing


@contextlib.contextmanager
def _holding(batch: Batch) -> Iterator[None]:
    """Hold the batch, or raise Gone where there is none."""
    with contextlib.ExitStack() as stack:
        with _unless_gone():
            stack.enter_context(hold(batch.folder))
        yield
