"""Readers of exports that are no table: recognised by their content, and made into tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal
from xml.etree.ElementTree import Element

from etl.documents import cset, json_parts, oscal, stig_checklist, xccdf, xml_parts
from etl.documents.document import Document

__all__ = ["Document", "read_document"]

JSON_READERS: Final[tuple[Callable[[json_parts.Part], Document | None], ...]] = (
    oscal.read_oscal,
    stig_checklist.read_cklb,
    cset.read_cset,
)
JSON_WORDS: Final = (*oscal.WORDS, *stig_checklist.WORDS, *cset.WORDS)
XML_READERS: Final[dict[str, Callable[[Element], Document]]] = {
    **dict.fromkeys(stig_checklist.ROOTS, stig_checklist.read_ckl),
    **dict.fromkeys(xccdf.ROOTS, xccdf.read_xccdf),
}


def read_document(kind_of_file: Literal["json", "xml"], path: Path) -> Document | None:
    """The document in the file, or None when no reader recognises its content. Raises Unreadable."""
    if kind_of_file == "xml":
        root = xml_parts.parse_root(path, XML_READERS)
        return None if root is None else XML_READERS[root.tag](root)
    text = json_parts.read_text(path)
    # A big table in JSON shall not be parsed for nothing.
    if not any(f'"{word}"' in text for word in JSON_WORDS):
        return None
    part = json_parts.parse_root(text)
    if part is None:
        return None
    return next((document for reader in JSON_READERS if (document := reader(part))), None)
