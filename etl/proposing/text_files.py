"""How a text file is written: its encoding and its delimiter, found from its first bytes."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final

from charset_normalizer import from_bytes

from etl.cells import Unreadable
from etl.proposing.words import is_heading_word
from etl.tables import CELL_LIMIT, codec_of

DELIMITERS: Final = ",;\t|"
_ENCODINGS: Final = {"utf_8": "utf-8", "cp932": "cp932", "gb18030": "gb18030", "latin_1": "latin-1"}


def find_encoding(head: bytes) -> tuple[str, tuple[str, ...]]:
    """The encoding of a text file by its first bytes, and what is doubtful about it. Raises Unreadable for binary data."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", ()
    nulls = head.count(b"\0")
    if nulls:
        if max(head[0::2].count(b"\0"), head[1::2].count(b"\0")) > 0.2 * len(head):
            raise _without_mark()
        raise Unreadable(
            "broken_file",
            f"The file holds {nulls:,} NUL bytes in its first {len(head):,}, as no text does. Export it as CSV again.",
        )
    # A cut in the middle of a character is no error of the encoding.
    try:
        codecs.getincrementaldecoder("utf-8-sig")("strict").decode(head, final=False)
        return "utf-8", ()
    except UnicodeDecodeError:
        pass
    text = head.decode("utf-8", "replace")
    bad, wide = text.count("\ufffd"), sum(ord(character) > 0x7F for character in text)
    if head.startswith(codecs.BOM_UTF8) or bad * 20 < wide:
        return "utf-8", (
            f"{bad} characters of the file are no UTF-8 although the others are: it may have been put together from two "
            "files. Rows with them are refused; save them in one encoding.",
        )
    found = _guess_encoding(head)
    controls = sum(byte < 32 and byte not in (9, 10, 12, 13) for byte in head)
    if found is None or controls > 0.01 * len(head):
        raise Unreadable(
            "broken_file",
            "The file is neither text nor a workbook that Tenken reads. Export it as .csv or .xlsx again.",
        )
    is_certain = found in ("cp932", "gb18030")
    doubt = f"The file is read as {found}: are the letters with signs in it right?"
    return found, () if is_certain else (doubt,)


def _guess_encoding(head: bytes) -> str | None:
    sample = head[: 64 << 10]
    if len(head) > len(sample):
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    # A few marks say little to a statistician: ○ and × between English words are words that are known here.
    known = {name: _known_words(sample, name) for name in ("cp932", "gb18030")}
    if known["cp932"] != known["gb18030"] and max(known.values()) > 0:
        return max(known, key=lambda name: known[name])
    best = from_bytes(sample, cp_isolation=list(_ENCODINGS)).best()
    return _ENCODINGS.get(best.encoding) if best else None


def _known_words(sample: bytes, encoding: str) -> int:
    """Cells that hold a known heading or mark when read in that encoding; -1 when it cannot be read so."""
    try:
        text = codecs.getincrementaldecoder(encoding)("strict").decode(sample, final=False)
    except UnicodeDecodeError:
        return -1
    cells = {cell.strip().strip('"') for cell in re.split(r"[,;\t|\r\n]", text)}
    wide = [cell for cell in cells if 0 < len(cell) <= 20 and any(ord(character) > 0xFF for character in cell)]
    return sum(cell in "○◯〇△×◎－" or is_heading_word(cell) >= 0.7 for cell in wide[:2_000])


def find_delimiter(text: str) -> str:
    """The delimiter under which most rows have one width, and the more cells the better."""
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        try:
            widths = Counter(len(row) for row in islice(split_rows(text, delimiter), 300) if any(row))
        except csv.Error:
            continue
        total = sum(widths.values())
        wide = {width: count for width, count in widths.items() if width > 1}
        if not wide:
            continue
        width = max(wide, key=lambda one: wide[one] * (1 - 1 / one))
        score = wide[width] / total * (1 - 1 / width)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def split_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """The rows of a text as its delimiter parts them."""
    csv.field_size_limit(CELL_LIMIT)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def decode(data: bytes, encoding: str, is_whole: bool) -> str:
    """Bytes as text; what cannot be read stands as a sign for that. Raises Unreadable for UTF-16 without its mark."""
    decoder = codecs.getincrementaldecoder(codec_of(encoding))("replace")
    try:
        return decoder.decode(data, final=is_whole)
    except UnicodeError as error:
        raise _without_mark() from error


def _without_mark() -> Unreadable:
    return Unreadable(
        "undecodable",
        "The text is UTF-16 without the mark that says so. Save the file as CSV UTF-8 and hand it in again.",
    )
