"""Every text of the dashboard is in the catalogue, in both languages, with the same values in it."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from hypothesis import given
from hypothesis import strategies as some

from dashboard.words import (
    LOCALE,
    NONE_WRITTEN,
    plain,
    plain_lines,
    read_catalog,
    say_percent,
    say_period,
    say_points,
    translate,
)

ROOT = Path(__file__).parents[2]
SAID = {"say": (1,), "N_": (1,), "translate": (2,)}
"""Names of the functions that say a text, and which of their arguments it is."""
FILES = [ROOT / "app.py", *(ROOT / "dashboard").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]


def list_messages() -> dict[str, str]:
    """Every text that is said, with a file that says it."""
    found: dict[str, str] = {}
    for path in FILES:
        for _, message, _, _ in extract_from_file("python", str(path), keywords=SAID):
            found[message if isinstance(message, str) else message[0]] = path.name
    return found


def list_fields(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def test_every_text_is_said_in_japanese_with_the_same_values() -> None:
    messages, catalog = list_messages(), read_catalog("ja")
    assert len(messages) > 300
    assert {text: file for text, file in messages.items() if text not in catalog} == {}
    assert [text for text in messages if list_fields(text) != list_fields(catalog[text])] == []


def test_catalogue_has_nothing_that_is_not_said() -> None:
    assert set(read_catalog("ja")) - set(list_messages()) == set()
    assert "#, fuzzy" not in (LOCALE / "ja" / "LC_MESSAGES" / "tenken.po").read_text("utf-8")


def list_calls() -> Iterator[tuple[str, ast.expr]]:
    """The argument that is the text, of every call that says one."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                place = SAID.get(name, (0,))[0]
                if place and len(node.args) >= place:
                    yield f"{path.name}:{node.lineno}", node.args[place - 1]


def test_texts_are_literal_so_that_they_can_be_found() -> None:
    made_up = (ast.JoinedStr, ast.BinOp)
    assert [where for where, text in list_calls() if isinstance(text, made_up)] == []


def test_text_without_a_translation_is_said_in_english() -> None:
    assert translate("ja", "{number} of these", number=3) == "3 of these"


@pytest.mark.parametrize(
    ("code", "english", "japanese"),
    [
        ("FY2025", "FY2025", "2025年度"),
        ("FY2025-H1", "FY2025 H1", "2025年度上期"),
        ("FY2025-Q4", "FY2025 Q4", "2025年度第4四半期"),
    ],
)
def test_periods_are_said_as_each_language_does(code: str, english: str, japanese: str) -> None:
    assert (say_period(code, "en"), say_period(code, "ja")) == (english, japanese)


@pytest.mark.parametrize(
    ("rate", "digits", "said"),
    [
        (0.9996, 1, "99.9%"),
        (0.996, 0, "99%"),
        (1.0, 0, "100%"),
        (0.001, 0, "1%"),
        (0.0, 1, "0.0%"),
        (None, 1, NONE_WRITTEN),
        (float("nan"), 0, NONE_WRITTEN),
        (0.6944, 1, "69.4%"),
        (-0.125, 1, "−12.5%"),
    ],
)
def test_only_a_whole_is_said_as_hundred_percent(rate: float | None, digits: int, said: str) -> None:
    assert say_percent(rate, digits) == said


@pytest.mark.parametrize(("points", "said"), [(1.24, "+1.2 pt"), (-0.5, "−0.5 pt"), (0.04, "±0.0 pt"), (None, "–")])
def test_points_carry_their_sign(points: float | None, said: str) -> None:
    assert say_points(points) == said


@given(some.text(max_size=40))
def test_no_sign_of_a_loaded_text_means_anything_in_markdown(text: str) -> None:
    escaped = plain(text)
    unescaped = "".join(escaped[place] for place in range(len(escaped)) if not is_escape(escaped, place))
    assert unescaped == text
    for sign in "![]()<>*_`#$:|~":
        assert escaped.count(f"\\{sign}") == text.count(sign)


def is_escape(text: str, place: int) -> bool:
    """Whether the backslash here escapes the sign after it."""
    before = len(text[:place]) - len(text[:place].rstrip("\\"))
    return text[place] == "\\" and before % 2 == 0 and place + 1 < len(text)


def test_lines_keep_every_word_and_stay_short() -> None:
    text = "対策区分ごとの遵守率、2020年度上期から2025年度下期まで。" * 4 + " and some words in English at the end"
    lines = plain_lines(text, 40)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(sum(2 if letter > "\u2e80" else 1 for letter in line) <= 42 for line in lines)
