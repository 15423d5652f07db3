"""Delimited text files as different programs of the group write them."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TextForm:
    """Encoding, end of line and whether the file begins with a byte-order mark."""

    encoding: str = "utf-8"
    newline: str = "\n"
    has_mark: bool = False

    @property
    def mark(self) -> bytes:
        """The byte-order mark, if any."""
        return codecs.BOM_UTF8 if self.has_mark else b""

    def line(self, cells: Iterable[str]) -> bytes:
        """One row with its end of line."""
        return (",".join(map(quoted, cells)) + self.newline).encode(self.encoding)


PLAIN = TextForm()
EXCEL_UTF8 = TextForm(newline="\r\n", has_mark=True)
EXCEL_CP932 = TextForm(encoding="cp932", newline="\r\n")


def quoted(text: str) -> str:
    """The cell in quotes where it needs them."""
    if "," in text or '"' in text or "\n" in text or "\r" in text:
        return '"' + text.replace('"', '""') + '"'
    return text


def write_rows(
    path: Path, form: TextForm, heading: Sequence[str], rows: Iterable[Sequence[str]], title: Sequence[str] = ()
) -> int:
    """Write a table, with a title row above it where one is given; returns the number of rows below the heading."""
    return write_lines(path, form, heading, [",".join(map(quoted, row)) for row in rows], title)


def write_lines(
    path: Path, form: TextForm, heading: Sequence[str], lines: Sequence[str], title: Sequence[str] = ()
) -> int:
    """The same for rows that are lines already, without their ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(form.mark)
        if title:
            file.write(form.line(title))
        file.write(form.line(heading))
        if lines:
            file.write((form.newline.join(lines) + form.newline).encode(form.encoding))
    return len(lines)
