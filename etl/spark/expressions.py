"""The SQL of sources that DuckDB and Spark read alike."""

from __future__ import annotations

import re
from typing import Final

from etl.sources import Source, SourceProblem

SHARED_FUNCTIONS: Final = frozenset({"coalesce", "nullif", "concat_ws", "replace"})
"""Functions that give the same text from the same text on both engines; a test holds them to it.

Not among them: trim (of full-width blanks), lower and upper (İ, ß), concat (of null).
"""
SHARED_WORDS: Final = frozenset(
    {"and", "or", "not", "in", "is", "null", "like", "case", "when", "then", "else", "end", "true", "false"}
)
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_CALL = re.compile(r"([a-zA-Z_]\w*)\s*\(")
_PLAIN = re.compile(r"[\w\s.,()=<>|]*")


def hold_to_shared(source: Source) -> None:
    """Raise SourceProblem, with file, field and expression, where a source says something that Spark may read otherwise."""
    places = {"read.skip_when": source.skip_when, "known_at.expression": source.known_at}
    for record in source.records:
        places |= {"record.when": record.when} | {
            f"record.fields.{name}": text for name, text in record.expressions.items()
        }
    problems = [
        f'{source.name}.toml: {place} = "{text}": {why}, so Spark may read it otherwise than DuckDB. '
        "Load it without --engine spark."
        for place, text in places.items()
        if text and (why := _find_unshared(text))
    ]
    if problems:
        raise SourceProblem("\n".join(problems))


def _find_unshared(text: str) -> str | None:
    """What in an expression is not shared, in words; None where all of it is."""
    plain = _LITERAL.sub("''", text)
    bare = plain.replace("''", "")
    calls = [name.lower() for name in _CALL.findall(plain)]
    foreign = [name for name in calls if name not in SHARED_FUNCTIONS and name not in SHARED_WORDS]
    if foreign:
        return f"the function {foreign[0]} is not one of {', '.join(sorted(SHARED_FUNCTIONS))}"
    if not _PLAIN.fullmatch(bare):
        return "it uses more than names, texts, comparisons and ||"
    return None
