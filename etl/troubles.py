"""What went wrong outside of Tenken, as a sentence: what, where, and what to do."""

from __future__ import annotations

import errno
import re
import tempfile
from pathlib import Path
from typing import Final

import duckdb

FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FULL_WORDS: Final = re.compile(
    r"No space left on device|Disk quota exceeded|File too large|failed to offload data block"
)
IN_QUOTES: Final = re.compile(r"\"(/[^\"]+)\"|'(/[^']+)'")
UNCHANGED: Final = "Nothing was published, and what was published before is still shown."


def explain(error: OSError | duckdb.Error, home: Path) -> str:
    """The sentence for an error of the operating system or the database, in a command on a home."""
    return _explain_system(error, home) if isinstance(error, OSError) else _explain_database(error, home)


def _explain_system(error: OSError, home: Path) -> str:
    where = error.filename2 or error.filename or home
    if error.errno in FULL:
        return _say_full(Path(str(where)), home)
    if error.errno == errno.EROFS:
        return (
            f"The disk that holds {where} is read-only, so that nothing can be loaded. {UNCHANGED} Make it writable, or "
            "name another home with --home."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{where} is closed to this user. {UNCHANGED} Run the command as the owner of {home}."
    return f"{error.strerror or error}: {where}. {UNCHANGED}"


def _explain_database(error: duckdb.Error, home: Path) -> str:
    said = str(error)
    if FULL_WORDS.search(said):
        found = IN_QUOTES.search(said)
        return _say_full(Path(found[1] or found[2]) if found else home, home)
    if isinstance(error, duckdb.OutOfMemoryException):
        return f"The database has no memory left: {said.splitlines()[0]} {UNCHANGED}"
    return f"The database refused: {said}. {UNCHANGED}"


def _say_full(where: Path, home: Path) -> str:
    is_scratch = not where.is_relative_to(home) and where.is_relative_to(tempfile.gettempdir())
    remedy = "Make room there, or name a folder elsewhere in TMPDIR" if is_scratch else "Make room there"
    return f"The disk is full: {where} cannot be written to its end. {UNCHANGED} {remedy}, then run the same command again."
