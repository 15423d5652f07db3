"""The reviewed words of words.toml: which field a heading names, and what a text of a field means."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from etl.values import LOOK_ALIKES, normalise_answer

SURE, LIKELY, GUESS = "sure", "likely", "guess"
"""How far a draft trusts what it found; everything but `sure` is for a person to confirm."""
ALONE, OFTEN, ENDS, WITHIN, PART = 1.0, 0.7, 0.5, 0.45, 0.25
"""How well a heading names a field: it is the word, or one of several meanings, or ends with it, contains it, or a part."""

_CJK: Final = r"[\u3005-\u30ff\u3400-\u9fff\uff66-\uff9f○△×◎]"
_BRACKETS = re.compile(r"[(\[【「〔<《][^()\[\]【】「」〔〕<>《》]*[)\]】」〕>》]")
_BETWEEN = re.compile(r"[\s_\-./:;,#*&|'\"?!・~、。]+")
_SERIES = re.compile(r"(?:[A-Za-z]{0,2}|第)\{\}(?:回目?|期|四半期|年度)?")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PLURAL = re.compile(r"(?<=[a-rt-z]{3})(?<!u)(?<!i)s(?![a-z])")
_VAGUE: Final = frozenset(
    [
        "name",
        "id",
        "code",
        "type",
        "no",
        "number",
        "ref",
        "reference",
        "date",
        "text",
        "title",
        "label",
        "description",
        "detail",
        "level",
        "time",
        "内容",
        "日付",
        "日時",
        "番号",
        "名称",
        "種別",
    ]
)
"""Words that say little at the end of a heading."""
_DENIED = re.compile(r"(?:not|non|no|never|without)\b|[不未非無]")
_NUMBERED = re.compile(r"^(?:[0-9]{1,2}|[a-z])[.:)、]\s*(?=\D)")
_ENGLISH = re.compile(r"[(\[](?:英語|英文|英|english|en)[)\]]|(?:英語|英文)$|[ _](?:en|eng|english)$", re.IGNORECASE)
_JAPANESE = re.compile(
    r"[(\[](?:日本語|和文|ja|jp|japanese)[)\]]|(?:日本語|和文)$|[ _](?:ja|jp|jpn|japanese)$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class FieldWords:
    """The words of one field in headings, as `plain_words` writes them."""

    alone: frozenset[str]
    often: frozenset[str]
    within: tuple[str, ...]
    never: tuple[str, ...]
    ends: tuple[str, ...]
    """Words of `often` that also say what a heading means that ends with one of them."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a text means for a field with fixed values, and how far that is to be trusted."""

    value: str
    sure: str


@dataclass(frozen=True, slots=True)
class Words:
    """Everything in words.toml, ready to be compared."""

    headings: dict[str, FieldWords]
    texts: dict[str, dict[str, Meaning]]
    inverted: tuple[str, ...]
    ending: frozenset[str]
    marks: str


@cache
def read_words() -> Words:
    """The word lists, read once."""
    declared = tomllib.loads((Path(__file__).parent / "words.toml").read_text("utf-8"))
    headings = {}
    entities = declared["entities"]
    more = {
        field: [f"{noun} {end}" for noun in entities["nouns"] for end in entities[ends]]
        for field, ends in (("entity_code", "codes"), ("entity_name", "names"))
    }
    for name, lists in declared["headings"].items():
        alone = sorted(map(_singular, map(plain_words, [*lists["alone"], *more.get(name, ())])))
        often = sorted(map(_singular, map(plain_words, lists["often"])))
        headings[name] = FieldWords(
            frozenset([*alone, *(word.replace(" ", "") for word in alone)]),
            frozenset([*often, *(word.replace(" ", "") for word in often)]),
            tuple(dict.fromkeys([*map(_singular, map(plain_words, lists["within"])), *alone])),
            tuple(map(plain_words, lists["never"])),
            tuple(word for word in often if word not in _VAGUE and _is_telling(word)),
        )
    texts: dict[str, dict[str, Meaning]] = {}
    for name, lists in declared["texts"].items():
        if name == "verdict_guess":
            continue
        unsure = {answer_key(text) for text in lists["often"]}
        texts[name] = {
            answer_key(text): Meaning(value, LIKELY if answer_key(text) in unsure else SURE)
            for value, meant in lists.items()
            if value != "often"
            for text in meant
        }
    for value, meant in declared["texts"]["verdict_guess"].items():
        for text in meant:
            texts["verdict"].setdefault(answer_key(text), Meaning(value, GUESS))
    return Words(
        headings,
        texts,
        tuple(map(plain_words, declared["inverted"]["words"])),
        frozenset(map(plain_words, declared["ending"]["words"])),
        declared["ending"]["marks"],
    )


@lru_cache(maxsize=1 << 14)
def plain_words(text: str) -> str:
    """A heading as words: NFKC, lower case, one blank between English words and none beside Japanese."""
    nfkc = unicodedata.normalize("NFKC", text).strip()
    plain = _BETWEEN.sub(" ", _CAMEL.sub(" ", nfkc)).strip().casefold()
    plain = re.sub(rf"(?<={_CJK}) | (?={_CJK})", "", plain)
    return plain or nfkc.casefold()


def _singular(plain: str) -> str:
    """English words in their singular, so that one list serves for both."""
    return _PLURAL.sub("", plain)


@lru_cache(maxsize=1 << 14)
def heading_forms(heading: str) -> tuple[str, ...]:
    """The heading as words: as written, without what stands in brackets, and without a number before it."""
    nfkc = _SERIES.sub(" ", unicodedata.normalize("NFKC", heading))
    forms = [plain_words(nfkc), plain_words(_BRACKETS.sub(" ", nfkc))]
    forms += [re.sub(r"^(?:\d{1,2}|[ivx]{1,4}) (?=\D)", "", form) for form in forms]
    return tuple(dict.fromkeys(_singular(form) for form in forms if form))


def contains(plain: str, word: str) -> bool:
    """Whether the words contain the word: whole English words, any part of Japanese ones."""
    if not word or word not in plain:
        return False
    if not word.isascii():
        return True
    at = plain.find(word)
    while at >= 0:
        end = at + len(word)
        if not (at and _is_letter(plain[at - 1])) and not (end < len(plain) and _is_letter(plain[end])):
            return True
        at = plain.find(word, at + 1)
    return False


def _is_letter(character: str) -> bool:
    return character.isascii() and character.isalnum()


@lru_cache(maxsize=1 << 16)
def heading_score(field: str, heading: str) -> float:
    """How well the heading names the field: 1 for a word that means nothing else, down to 0."""
    words = read_words().headings[field]
    forms = heading_forms(heading)
    if any(form in words.alone for form in forms):
        return ALONE
    if any(form in words.often for form in forms):
        return OFTEN
    if not forms or any(contains(forms[0], word) for word in words.never):
        return 0.0
    best = 0.0
    for form in forms:
        for word in words.within:
            if _is_telling(word) and contains(form, word):
                best = max(best, WITHIN + 0.35 * len(word) / len(form))
        if best == 0.0 and any(form.endswith(word if not word.isascii() else f" {word}") for word in words.ends):
            best = ENDS
        if best == 0.0 and field in _BY_DAY and _DAY.search(form):
            best = _A_DAY
        if best == 0.0:
            for word in words.often:
                if _is_telling(word) and contains(form, word):
                    best = max(best, PART + 0.25 * len(word) / len(form))
    return best


_BY_DAY: Final = ("performed_on", "raised_on")
_DAY = re.compile(r"(?: date| on| at|[^\W\d_]日)$|^date ")
_A_DAY: Final = 0.41
"""Score of a heading that ends as the name of a day does: without a better one it is the day of the inspection."""


def _is_telling(word: str) -> bool:
    """Whether the word is long enough to be looked for inside others."""
    return len(word) >= (4 if word.isascii() else 2)


def is_bare_name(heading: str) -> bool:
    """Whether the heading says no more than that a name stands below it."""
    return any(form in ("name", "名称", "名前") for form in heading_forms(heading))


def is_heading_word(text: str) -> float:
    """How well the text is a heading of any field."""
    return max((heading_score(field, text) for field in read_words().headings), default=0.0)


def asks_for_wrong(heading: str) -> bool:
    """Whether the heading asks if something is wrong, so that a yes is the bad answer."""
    forms = heading_forms(heading)
    return any(
        form == word or (len(word) > 4 and contains(form, word)) for form in forms for word in read_words().inverted
    )


def heading_language(heading: str) -> str:
    """Language of which a heading is, by a mark in it or by its letters; tells two columns for one text apart."""
    return language_of(heading, [])


def language_of(heading: str, texts: list[str]) -> str:
    """Language of a column by a mark in its heading, else by its texts: ja or en."""
    nfkc = unicodedata.normalize("NFKC", heading)
    if _ENGLISH.search(nfkc):
        return "en"
    if _JAPANESE.search(nfkc):
        return "ja"
    written = texts or [heading]
    return "ja" if 2 * sum(re.search(_CJK, text) is not None for text in written) >= len(written) else "en"


@lru_cache(maxsize=1 << 16)
def answer_key(text: str) -> str:
    """An answer as it is looked up: as it is compared in a load, and without blanks and signs between English words."""
    normal = normalise_answer(text)
    if normal in LOOK_ALIKES.values():
        return normal
    bare = re.sub(r"[_\-./'’!。、]", "", normal)
    return LOOK_ALIKES.get(bare, bare) or normal


def meaning_of(field: str, text: str) -> Meaning | None:
    """What the text means for the field, if the words know it: as written, or without a number or a remark beside it."""
    known = read_words().texts[field]
    if found := known.get(answer_key(text)):
        return found
    nfkc = unicodedata.normalize("NFKC", text).strip().casefold()
    for less in (_NUMBERED.sub("", nfkc), _BRACKETS.sub("", nfkc), _BRACKETS.sub("", _NUMBERED.sub("", nfkc))):
        if less != nfkc and less.strip() and (found := known.get(answer_key(less))):
            return Meaning(found.value, LIKELY if found.sure == SURE else found.sure)
    return None


def meaning_within(field: str, text: str) -> Meaning | None:
    """A guess at a text that the words do not know: the longest word that it contains."""
    plain, best = plain_words(text), ("", "")
    for word, meaning in _spaced_words(field).items():
        if len(word) > len(best[0]) and contains(plain, word):
            best = (word, meaning)
    if not best[0]:
        return None
    is_denied = best[1] == "met" and _DENIED.match(plain) is not None
    return Meaning("not_met" if is_denied else best[1], GUESS)


@cache
def _spaced_words(field: str) -> dict[str, str]:
    declared = tomllib.loads((Path(__file__).parent / "words.toml").read_text("utf-8"))["texts"][field]
    return {
        plain_words(text): value
        for value, meant in declared.items()
        if value != "often"
        for text in meant
        if len(text) >= (3 if text.isascii() else 2)
    }
