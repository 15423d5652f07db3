"""How well the cells of a column fit a field, whatever its heading says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from etl.proposing.fields import BOOLEAN_FIELDS, CHOICE_FIELDS, CODE_FIELDS, DATE_FIELDS, NUMBER_FIELDS
from etl.proposing.known import Known
from etl.proposing.profiles import Profile
from etl.proposing.vocabulary import MOST_ANSWERS
from etl.proposing.words import GUESS, meaning_of, meaning_within

FIT: Final = 0.9
"""Share of the cells that must read as what the field holds, for the cells to speak for it."""


def cell_fit(field: str, profile: Profile, known: Known) -> float:
    """How well the cells of a column fit the field, 0 to 1; one half where no cell is filled."""
    if not profile.filled:
        return 0.5
    if field in DATE_FIELDS:
        return _date_fit(profile)
    if field in CHOICE_FIELDS:
        return _choice_fit(field, profile)
    if field in BOOLEAN_FIELDS:
        return 1.0 if profile.booleans >= FIT or is_ticked(profile) else 0.0
    if field in NUMBER_FIELDS:
        return 1.0 if profile.numbers >= FIT else 0.0
    if field in CODE_FIELDS:
        return _code_fit(field, profile, known)
    return _FITS[field](profile)


def is_ticked(profile: Profile) -> bool:
    """Whether the cells hold one mark or nothing, as a column does that is ticked."""
    return profile.distinct == 1 and profile.fill < 1 and len(next(iter(profile.texts))) == 1


def _date_fit(profile: Profile) -> float:
    if profile.dates.share >= FIT:
        return 1.0
    if profile.dates.share >= 0.6:
        return 0.7
    return 0.6 if profile.dates.serial_share >= FIT else 0.0


def _choice_fit(field: str, profile: Profile) -> float:
    share = profile.share_of(field)
    if share >= 0.8:
        return 1.0
    if field in ("measure", "domain"):
        return 0.0
    if share >= 0.4:
        return 0.5
    may_be_own_words = field in ("severity", "status") and profile.is_vocabulary
    return 0.3 if may_be_own_words and profile.numbers < FIT and profile.dates.share < FIT else 0.0


def _code_fit(field: str, profile: Profile, known: Known) -> float:
    if profile.dates.share >= FIT and not (field in ("checklist_version", "item_code") and profile.numbers >= FIT):
        return 0.1
    if field in ("entity_code", "inspecting_entity_code"):
        if profile.share_in(known.entities) >= 0.8:
            return 1.0
        if any(text.startswith("urn:") for text in profile.texts):
            return 0.0  # Names of what a standard holds; whoever is inspected has none.
        if profile.distinct == 1 and profile.rows >= 8:
            return 0.85 if profile.codes >= 0.8 else 0.4  # It may be the one who uses the program.
    if field == "item_code":
        if profile.share_in(known.item_codes) >= 0.8:
            return 1.0
        if profile.rows >= 8 and profile.distinct == 1:
            return 0.2
        if profile.verdicts >= FIT and profile.is_vocabulary and profile.numbers < FIT:
            return 0.1
    if field in ("finding_code", "action_code", "inspection_code") and profile.mean_length > 80:
        return 0.1
    if field == "finding_code" and profile.rows >= 8 and profile.distinct < 0.3 * profile.filled:
        return 0.2
    if field in (
        "checklist_code",
        "checklist_version",
        "region_code",
        "country_code",
        "business_group_code",
        "category_code",
    ):
        return (
            1.0
            if profile.mean_length <= 60 and (profile.distinct <= 60 or profile.distinct < 0.5 * profile.filled)
            else 0.2
        )
    if profile.codes >= 0.8:
        return 1.0
    if profile.codes >= 0.5:
        return 0.7
    return 0.4 if profile.mean_length <= 60 else 0.1


def _period_fit(profile: Profile) -> float:
    if profile.periods >= FIT:
        return 0.6 if profile.dates.share >= FIT else 1.0
    return 0.5 if profile.periods >= 0.5 else 0.2


def _verdict_fit(profile: Profile) -> float:
    if profile.distinct > MOST_ANSWERS or profile.mean_length > 40:
        return 0.0
    if profile.dates.share >= FIT:
        return 0.0
    if profile.share_of("status") >= FIT and not _says_met(profile):
        return 0.4  # Open and resolved are states of findings.
    if profile.verdicts >= FIT and profile.numbers < FIT:
        return 1.0
    if profile.verdicts >= 0.5:
        return 0.8
    if profile.numbers >= FIT:
        return 0.7 if profile.distinct <= 11 else 0.6 if profile.distinct <= 21 else 0.0
    known = sum(
        count
        for text, count in profile.texts.items()
        if meaning_of("verdict", text) or (profile.is_vocabulary and meaning_within("verdict", text))
    )
    if known >= 0.5 * profile.filled:
        return 0.7
    return 0.45 if profile.is_vocabulary and profile.distinct > 1 else 0.0


def _says_met(profile: Profile) -> bool:
    """Whether a text of the column says, without doubt, that something is met."""
    meanings = [meaning for text in profile.texts if (meaning := meaning_of("verdict", text))]
    return any(meaning.value == "met" and meaning.sure != GUESS for meaning in meanings)


def _text_fit(profile: Profile) -> float:
    if profile.numbers >= FIT or profile.dates.share >= FIT or (profile.verdicts >= FIT and profile.is_vocabulary):
        return 0.0
    if profile.rows >= 8 and profile.distinct <= 2:
        return 0.2
    if profile.mean_length >= 14:
        return 1.0
    return 0.8 if profile.mean_length >= 6 else 0.5


def _category_fit(profile: Profile) -> float:
    if profile.numbers >= FIT or profile.dates.share >= FIT or (profile.verdicts >= FIT and profile.is_vocabulary):
        return 0.1
    if profile.mean_length > 80:
        return 0.2
    return 1.0 if profile.rows < 8 or profile.distinct <= 0.7 * profile.filled or profile.fill < 0.7 else 0.6


def _remark_fit(profile: Profile) -> float:
    if profile.numbers >= FIT or profile.dates.share >= FIT:
        return 0.1
    if profile.verdicts >= FIT and profile.is_vocabulary:
        return 0.2
    if profile.rows >= 4 and profile.distinct == 1 and profile.fill >= 0.99:
        return 0.2
    if profile.fill >= 0.99 and profile.rows >= 4:
        return 0.85  # Remarks are seldom made on everything.
    if profile.mean_length >= 25:
        return 1.0
    return 0.95 if profile.mean_length >= 6 or profile.filled < 5 else 0.7


def _name_fit(profile: Profile) -> float:
    if profile.numbers >= FIT or profile.dates.share >= FIT or profile.codes >= 0.7:
        return 0.2
    return 1.0 if 1.5 <= profile.mean_length <= 80 else 0.4


def _evidence_fit(profile: Profile) -> float:
    return 0.1 if profile.dates.share >= FIT else 1.0


def _reference_fit(profile: Profile) -> float:
    return 0.1 if profile.dates.share >= FIT or profile.numbers >= FIT else 1.0


_FITS: Final[dict[str, Callable[[Profile], float]]] = {
    "period": _period_fit,
    "verdict": _verdict_fit,
    "item_text": _text_fit,
    "category": _category_fit,
    "comment": _remark_fit,
    "description": _remark_fit,
    "action_description": _remark_fit,
    "entity_name": _name_fit,
    "owner": _name_fit,
    "has_evidence": _evidence_fit,
    "regulation_ref": _reference_fit,
    "control_ref": _reference_fit,
}
