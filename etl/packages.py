"""Zip archives of exports: looked at before anything is unpacked, and unpacked within limits."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Final

from etl.cells import Unreadable
from etl.workbooks import PACKING_FREE, PACKING_LIMIT

MOST_MEMBERS: Final = 10_000
UNPACKED_LIMIT: Final = 4 << 30
"""Bytes that all members together may unpack to."""
BLOCK: Final = 1 << 20


def unpack(package: Path, folder: Path) -> list[Path]:
    """Members of a zip archive as files in folders of their own, by their bare names; raises Unreadable.

    Folders inside the archive say nothing, and what operating systems add is left out.
    """
    try:
        with zipfile.ZipFile(package) as archive:
            members = [one for one in archive.infolist() if not one.is_dir() and _bare_name(one)]
            _look_at(package, members)
            return [_unpack_one(archive, one, folder / f"{number:05d}") for number, one in enumerate(members)]
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise Unreadable(
            "broken_file", f"The zip archive is cut off or damaged ({error}). Pack the files again and hand it in."
        ) from error


def _look_at(package: Path, members: list[zipfile.ZipInfo]) -> None:
    if not members:
        raise Unreadable("empty_file", "The zip archive holds no file.")
    if len(members) > MOST_MEMBERS:
        raise Unreadable(
            "too_large", f"The zip archive holds {len(members):,} files; the limit is {MOST_MEMBERS:,}. Split it."
        )
    for one in members:
        if one.flag_bits & 1:
            raise Unreadable(
                "password", f"The file '{_bare_name(one)}' in the zip archive has a password. Pack it without one."
            )
    unpacked = sum(one.file_size for one in members)
    bomb = next((one for one in members if one.file_size > PACKING_FREE + PACKING_LIMIT * one.compress_size), None)
    if bomb or unpacked > UNPACKED_LIMIT:
        raise Unreadable(
            "too_large",
            f"The zip archive of {package.stat().st_size:,} bytes would unpack to {unpacked:,}; it was not opened. "
            "Hand the files in one by one.",
        )


def _unpack_one(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> Path:
    folder.mkdir(parents=True)
    target = folder / _bare_name(member)
    written = 0
    with archive.open(member) as packed, target.open("wb") as out:
        while block := packed.read(BLOCK):
            written += len(block)
            # The directory may lie about the size.
            if written > member.file_size:
                raise zipfile.BadZipFile(f"'{target.name}' is longer than the archive says")
            out.write(block)
    return target


def _bare_name(member: zipfile.ZipInfo) -> str:
    """The name without folders, in the encoding it was written in; empty for what operating systems add."""
    name = member.filename
    if not member.flag_bits & 0x800:
        raw = name.encode("cp437", "replace")
        for encoding in ("utf-8", "cp932"):
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    parts = name.replace("\\", "/").split("/")
    bare = "".join(letter for letter in parts[-1] if letter.isprintable())[:200]
    if "__MACOSX" in parts or bare.startswith(".") or bare.lower() in ("thumbs.db", "desktop.ini"):
        return ""
    return bare
