"""What the answers of a column, and the texts of other fields with fixed values, probably mean."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from etl.proposing.fields import choices_of
from etl.proposing.words import GUESS, LIKELY, Meaning, answer_key, asks_for_wrong, meaning_of, meaning_within
from etl.values import normalise_answer, parse_number

MOST_ANSWERS: Final = 40
"""Distinct texts beyond which a column holds no answers that could be mapped one by one."""
_FLIPPED: Final = {"met": "not_met", "not_met": "met"}
_NEGATIVE = re.compile(r"^(?:not|no|non|un|in)\b|^(?:不|未|非|無)|ない$|せず$")
_FALLBACK: Final = {
    "inspection_type": "affiliate_check", "severity": "minor", "status": "open", "effectiveness": "not_checked",
    "entity_kind": "affiliate", "measure": "organizational", "domain": "confidential_information",
}  # fmt: skip
_SCORED: Final = {4.0: "met", 2.0: "partly_met", 0.0: "not_met", -1.0: "not_answered"}
"""The scores of the national self-check for small companies: done, in part, not done, do not know."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One text of a column, in how many cells it stands, what it means, and how far that is to be trusted."""

    text: str
    count: int
    value: str
    sure: str


def read_answers(texts: Counter[str], empty: int, heading: str) -> list[Answer]:
    """The answers of a column with a guess for each verdict, the most frequent first; `empty` cells count as text ''."""
    gathered = _gather(texts)
    numbers = {text: parse_number(text) for text in gathered}
    if gathered and all(number is not None for number in numbers.values()):
        answers = _scores(gathered, {text: float(number or 0) for text, number in numbers.items()})
    else:
        answers = _words(gathered, heading)
    answers += [Answer(text, 0, value, LIKELY) for text, value in _named_in(heading, gathered)]
    if empty:
        answers.append(Answer("", empty, "not_answered", LIKELY))
    return answers


def _gather(texts: Iterable[str] | Counter[str]) -> dict[str, int]:
    """Number of cells by text; texts that a load takes for the same count as the first of them."""
    found: dict[str, tuple[str, int]] = {}
    for text, count in Counter(texts).most_common():
        shown, before = found.get(normalise_answer(text), (text, 0))
        found[normalise_answer(text)] = (shown, before + count)
    return dict(found.values())


def _words(texts: dict[str, int], heading: str) -> list[Answer]:
    is_inverted = asks_for_wrong(heading)
    meanings = {text: meaning_of("verdict", text) for text in texts}
    understood = sum(texts[text] for text, meaning in meanings.items() if meaning and meaning.sure != GUESS)
    is_usual = understood >= 0.8 * sum(texts.values())
    answers = []
    for text, count in texts.items():
        meaning = meanings[text] or meaning_within("verdict", text) or _unknown(text)
        sure = meaning.sure if is_usual or meaning.sure == GUESS else LIKELY
        value = meaning.value
        if is_inverted and value in _FLIPPED:
            value, sure = _FLIPPED[value], GUESS
        answers.append(Answer(text, count, value, sure))
    return answers


def _unknown(text: str) -> Meaning:
    """A text of which no word is known: what denies is taken for not met, and nothing else is taken for an answer."""
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    return Meaning("not_met" if _NEGATIVE.search(plain) else "not_answered", GUESS)


def _scores(texts: dict[str, int], numbers: dict[str, float]) -> list[Answer]:
    values = set(numbers.values())
    is_national = values <= set(_SCORED) and -1.0 in values and len(values) > 1
    highest = max(values)
    answers = []
    for text, count in sorted(texts.items(), key=lambda one: -numbers[one[0]]):
        number = numbers[text]
        if is_national:
            answers.append(Answer(text, count, _SCORED[number], LIKELY))
        elif number < 0:
            answers.append(Answer(text, count, "not_answered", GUESS))
        else:
            share = number / highest if highest > 0 else 0.0
            value = "met" if share >= 0.8 else "partly_met" if share >= 0.4 else "not_met"
            answers.append(Answer(text, count, value, GUESS))
    return answers


def _named_in(heading: str, seen: dict[str, int]) -> list[tuple[str, str]]:
    """Answers that the heading names in brackets, such as (○△×－), and that no cell holds."""
    keys = {answer_key(text) for text in seen}
    found: dict[str, tuple[str, str]] = {}
    for inner in re.findall(r"[(（\[]([^()（）\[\]]{2,40})[)）\]]", heading):
        parts = re.split(r"[/／,、・|\s]+", inner)
        if len(parts) == 1 and len(inner) <= 6:
            parts = list(inner)
        if "N" in parts and "A" in parts and "/" in inner:
            parts = [part for part in parts if part not in ("N", "A")] + ["N/A"]
        meanings = {part: meaning_of("verdict", part) for part in parts if part}
        if len(meanings) < 2 or not all(meanings.values()):
            continue
        for part, meaning in meanings.items():
            if meaning and answer_key(part) not in keys:
                found[answer_key(part)] = (part, meaning.value)
    return list(found.values())


def read_choices(field: str, texts: Counter[str]) -> list[Answer]:
    """The texts of a field with fixed values, with a guess for each; those that are such a value are left out."""
    answers = []
    for text, count in _gather(texts).items():
        if text in choices_of(field):
            continue
        meaning = meaning_of(field, text) or meaning_within(field, text) or Meaning(_FALLBACK[field], GUESS)
        answers.append(Answer(text, count, meaning.value, meaning.sure))
    return answers[:MOST_ANSWERS]
