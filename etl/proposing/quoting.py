"""Texts of a file as TOML and SQL can hold them, whatever they are."""

from __future__ import annotations

import json
from collections.abc import Iterable


def quote_toml(text: str) -> str:
    """A TOML string: literal where that is possible and easier to read, else with escapes."""
    clean = text.encode("utf-8", "replace").decode()
    if "\\" in clean and "'" not in clean and clean.isprintable():
        return f"'{clean}'"
    # JSON escapes what TOML wants escaped, but for the one control character above the letters.
    return json.dumps(clean, ensure_ascii=False).replace("\x7f", "\\u007f")


def quote_sql(text: str) -> str:
    """An SQL literal of the text; a NUL, which no literal can hold, is left out."""
    return "'" + text.replace("\0", "").replace("'", "''") + "'"


def on_one_line(text: str) -> str:
    """A comment on one line, whatever the text holds."""
    return "".join(character if character.isprintable() else " " for character in text)[:240]


def quote_list(texts: Iterable[str]) -> str:
    """A TOML list of strings."""
    return f"[{', '.join(quote_toml(text) for text in texts)}]"
