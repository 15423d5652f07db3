"""Bytes of files: what they add up to, copied and brought to the disk."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

BLOCK = 1 << 22


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


def hash_file(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy_file(source: Path, target: Path) -> str:
    """Copy a file's bytes; returns their SHA-256 as they were read, so that what was copied is known."""
    digest = hashlib.sha256()
    try:
        with source.open("rb") as reading, target.open("wb") as writing:
            while block := reading.read(BLOCK):
                digest.update(block)
                writing.write(block)
    except OSError as error:
        # Neither reading nor writing says by itself where it failed.
        error.filename = error.filename or str(target)
        raise
    return digest.hexdigest()


def sync_file(path: Path) -> None:
    """Bring a file or folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
