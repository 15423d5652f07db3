"""XML of which nothing is trusted: no entities, nothing from outside, and no further than its root unless that is known."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from etl.cells import Unreadable

CHUNK_BYTES: Final = 1 << 16
DEEPEST: Final = 200
"""Elements within one another; the deepest export that is read has about twenty."""


class _UnknownRoot(Exception):
    """The document is of none of the kinds that are read."""


class _Builder(TreeBuilder):
    """Builds the tree, but stops at a root that is not known and at a depth that no export has."""

    def __init__(self, roots: Container[str]) -> None:
        super().__init__()
        self._roots = roots
        self._depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        if self._depth == 0 and tag not in self._roots:
            raise _UnknownRoot
        self._depth += 1
        if self._depth > DEEPEST:
            raise Unreadable(
                "broken_file", "The XML is nested deeper than any export is. It is damaged: export it again."
            )
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def parse_root(path: Path, roots: Container[str]) -> Element | None:
    """The root element, when it is one of those named (`{namespace}name`), else None. Raises Unreadable."""
    parser = DefusedXMLParser(target=_Builder(roots), forbid_entities=True, forbid_external=True)
    try:
        with path.open("rb") as file:
            while block := file.read(CHUNK_BYTES):
                parser.feed(block)
        root: Element = parser.close()
    except _UnknownRoot:
        return None
    except DefusedXmlException as error:
        raise Unreadable(
            "forbidden_xml",
            "The XML declares entities or refers to other files, which no checklist or result needs and which can harm "
            "the reader, so nothing of it was loaded. Export it again from the program that made it.",
        ) from error
    except ParseError as error:
        line, column = error.position
        raise Unreadable(
            "broken_file",
            f"The XML breaks off or is damaged in line {line:,}, at character {column + 1:,}. Export it again.",
        ) from error
    except (ValueError, LookupError) as error:
        raise Unreadable(
            "undecodable", "The XML names an encoding that cannot be read. Save it as UTF-8, or export it again."
        ) from error
    return root


def text_of(element: Element | None) -> str | None:
    """All text within the element, without the blanks around it; None when there is none."""
    return "".join(element.itertext()).strip() or None if element is not None else None
