"""Which field each column of a table is, and what kind of export that makes: headings and cells weighed together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from etl.proposing.fields import (
    CHOICE_FIELDS,
    FIELDS,
    KINDS,
    SPOKEN_FIELDS,
)
from etl.proposing.fits import FIT, cell_fit
from etl.proposing.known import Known
from etl.proposing.profiles import Profile
from etl.proposing.words import (
    ALONE,
    GUESS,
    LIKELY,
    SURE,
    WITHIN,
    heading_forms,
    heading_language,
    heading_score,
    is_bare_name,
    meaning_of,
)

LEAST: Final = 0.4
"""Score below which a column is left without a field."""
LIKELY_SCORE: Final = 0.6
BY_CELLS: Final = 0.5
"""Score of a column that its cells alone give away."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a column is: its field, how strongly that is believed (0 to 1), and how far it is to be trusted."""

    field: str
    score: float
    sure: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A kind of export, how well the table fits it, and the columns' roles by position."""

    kind: str
    score: float
    roles: dict[int, Role]

    def position_of(self, field: str) -> int | None:
        """Position of the column that has the field."""
        return next((position for position, role in self.roles.items() if role.field == field), None)

    def score_of(self, field: str) -> float:
        """How strongly a column of that field is believed in; 0 without one."""
        return max((role.score for role in self.roles.values() if role.field == field), default=0.0)


# --- one field for each column --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Candidate:
    field: str
    language: str
    position: int
    score: float
    heading: float
    fit: float


def read_roles(profiles: Sequence[Profile], known: Known) -> Reading:
    """The kind of export that the columns fit best, with the field of each column that has one."""
    readings = [_read_as(kind, profiles, known) for kind in KINDS]
    return max(readings, key=lambda reading: reading.score)


def _read_as(kind: str, profiles: Sequence[Profile], known: Known) -> Reading:
    candidates = [one for field in _asked_fields(kind) for one in _candidates(kind, field, profiles, known)]
    candidates.sort(key=lambda one: (-one.score, -one.fit, one.position, one.field))
    roles: dict[int, Role] = {}
    taken: set[tuple[str, str]] = set()
    for one in candidates:
        if one.position in roles or (one.field, one.language) in taken:
            continue
        if one.field == "item_text" and taken & {("item_text", "ja"), ("item_text", "en")} and one.heading < ALONE:
            continue
        roles[one.position] = Role(one.field, one.score, _sureness(kind, one, candidates))
        taken.add((one.field, one.language))
    roles = _settle(kind, roles, profiles)
    return Reading(kind, _kind_score(kind, roles, profiles, known), roles)


def _asked_fields(kind: str) -> list[str]:
    """Fields that the words speak of; those of one language are found as what they say and told apart later."""
    spoken = {name for names in SPOKEN_FIELDS.values() for name in names}
    fields = [field for field in FIELDS[kind] if field not in spoken]
    return list(dict.fromkeys([*fields, *(("item_text", "category") if kind == "item" else ())]))


def _candidates(kind: str, field: str, profiles: Sequence[Profile], known: Known) -> list[_Candidate]:
    found = []
    pairs = _pairs_of_names(profiles) if field in ("entity_code", "entity_name") else {}
    for profile in profiles:
        if not profile.heading or (field == "entity_name" and kind != "entity" and is_bare_name(profile.heading)):
            continue
        named, fit = heading_score(field, profile.heading), cell_fit(field, profile, known)
        score = named * (0.35 + 0.65 * fit) * (_ASIDE if field in _BESIDE.get(kind, ()) else 1.0) if fit > 0 else 0.0
        if score < LEAST and field in ("entity_code", "entity_name"):
            score = max(score, pairs.get((field, profile.position), 0.0))
        if score < BY_CELLS:
            score = max(score, _told_by_cells(kind, field, profile, known))
        if score < LEAST:
            continue
        language = heading_language(profile.heading) if field in SPOKEN_FIELDS else ""
        found.append(_Candidate(field, language, profile.position, score + _bonus(kind, field), named, fit))
    return found


_NAMED: Final = re.compile(r"^(.+?)(?:名|名称| name)$")
_CODED: Final = re.compile(r"^(.+?)(?:コード|番号|cd|no|id| code| number| num| no| id)$")
_NO_ENTITY: Final = (
    "者", "担当", "項目", "分類", "点検", "監査", "指摘", "是正", "計画", "管理策", "規程", "文書", "user", "creator", "auditor", "inspector", "author", "owner", "control",
    "check", "rule", "item", "question", "category", "finding", "action", "template", "service", "file", "requirement", "inspection", "audit", "test", "framework", "standard",
    "risk", "resource", "plan", "assessor", "responsible", "parent", "region", "country", "artifact", "policy", "first", "last", "measure", "process", "organization", "report",
)  # fmt: skip


def _pairs_of_names(profiles: Sequence[Profile]) -> dict[tuple[str, int], float]:
    """Columns that name something by code and by name, such as `Dealer Code` and `Dealer Name`: what is inspected, it may be.

    A name alone counts when it comes again and again, as that of an entity does which answers many items.
    """
    named: dict[str, int] = {}
    coded: dict[str, int] = {}
    for profile in profiles:
        form = (heading_forms(profile.heading) or ("",))[0]
        for pattern, found in ((_NAMED, named), (_CODED, coded)):
            match = pattern.match(form)
            if match and not any(word in match[1] for word in _NO_ENTITY):
                found.setdefault(match[1].strip(), profile.position)
    pairs: dict[tuple[str, int], float] = {}
    for stem, position in named.items():
        if stem in coded:
            pairs |= {("entity_code", coded[stem]): BY_CELLS, ("entity_name", position): BY_CELLS}
    by_position = {profile.position: profile for profile in profiles}
    for position in named.values():
        profile = by_position[position]
        if not pairs and profile.fill >= 0.9 and 1 <= profile.distinct <= 0.5 * profile.filled and profile.rows >= 4:
            pairs[("entity_name", position)] = LEAST
            break
    return pairs


_ASIDE: Final = 0.57
"""Factor for fields that an export of a kind only seldom has: an ambiguous heading is not taken for them."""
_BESIDE: Final = {
    "answer": frozenset(
        {
            "finding_code", "description", "raised_on", "closed_on", "severity", "status",
            "action_code", "reopened_count", "effectiveness", "effectiveness_checked_on", "entity_kind", "region_code", "country_code", "business_group_code",
            "parent_entity_code",
        }
    )
}  # fmt: skip


def _bonus(kind: str, field: str) -> float:
    """Decides between fields that are named alike: those that the kind cannot do without go first."""
    first = {
        "answer": ("verdict", "item_code", "item_text", "entity_code", "comment", "performed_on"),
        "finding": ("finding_code", "description", "severity", "status", "raised_on"),
        "item": ("item_code", "item_text"),
        "entity": ("entity_code", "entity_name"),
        "plan": ("entity_code", "due_on", "period"),
    }[kind]
    return 0.02 if field in first else 0.01 if field in CHOICE_FIELDS else 0.0


def _told_by_cells(kind: str, field: str, profile: Profile, known: Known) -> float:
    """Score of a column whose cells give the field away whatever the heading says; 0 where they do not."""
    if profile.filled < 2:
        return 0.0
    if field == "verdict" and kind == "answer":
        return _answers_by_cells(profile)
    if field == "entity_code" and known.entities and heading_score("inspecting_entity_code", profile.heading) < WITHIN:
        return BY_CELLS if max(profile.share_in(known.entities), profile.share_in(known.names)) >= FIT else 0.0
    if field == "item_code" and known.item_codes and profile.distinct > 2:
        return BY_CELLS if profile.share_in(known.item_codes) >= FIT else 0.0
    return 0.0


def _answers_by_cells(profile: Profile) -> float:
    other = ("has_evidence", "is_critical", "is_assessable", "is_cancelled", "status", "severity")
    if (
        not profile.is_vocabulary
        or profile.numbers >= FIT
        or any(heading_score(one, profile.heading) >= LEAST for one in other)
    ):
        return 0.0
    meanings = [meaning for text in profile.texts if (meaning := meaning_of("verdict", text))]
    values = {meaning.value for meaning in meanings}
    if "met" not in values or not values & {"partly_met", "not_met"}:
        return 0.0
    if profile.verdicts >= FIT:
        return BY_CELLS
    is_other = max(profile.share_of("severity"), profile.share_of("status")) >= 0.5
    return 0.9 * BY_CELLS if len(meanings) >= 3 and profile.share_of("verdict") >= FIT and not is_other else 0.0


def _sureness(kind: str, one: _Candidate, candidates: Sequence[_Candidate]) -> str:
    """Sure is only what heading and cells both say, of one column and of no other field, and what the kind usually has."""
    rivals = any(
        other.heading >= ALONE
        and other.fit >= FIT
        and ((other.position == one.position) != ((other.field, other.language) == (one.field, one.language)))
        for other in candidates
    )
    if one.heading >= ALONE and one.fit >= FIT and not rivals and one.field not in _BESIDE.get(kind, ()):
        return SURE
    return LIKELY if one.score >= LIKELY_SCORE else GUESS


def _settle(kind: str, roles: dict[int, Role], profiles: Sequence[Profile]) -> dict[int, Role]:
    """Give the fields that a kind needs to the columns that come nearest to them."""
    by_field = {role.field: position for position, role in roles.items()}
    roles = dict(roles)

    def move(wanted: str, *others: str) -> None:
        if wanted in by_field:
            return
        for other in others:
            if other in by_field:
                position = by_field.pop(other)
                roles[position] = Role(wanted, min(roles[position].score, 0.5), GUESS)
                by_field[wanted] = position
                return

    if kind == "answer":
        if "verdict" not in by_field and "written_score" in by_field:
            scored = next(one for one in profiles if one.position == by_field["written_score"])
            if 2 <= scored.distinct <= 21:
                move("verdict", "written_score")
        if "comment" not in by_field and "description" in by_field:
            position = by_field.pop("description")
            roles[position] = replace(roles[position], field="comment", sure=LIKELY)
            by_field["comment"] = position
    if kind in ("answer", "plan"):
        move("entity_code", "entity_name")
    if kind == "finding":
        move("entity_code", "entity_name")
        if "raised_on" not in by_field:
            move("raised_on", "performed_on")
    if kind == "item" and "item_text" not in by_field:
        move("item_text", "category")
    return roles


def names_item(profiles: Sequence[Profile], roles: dict[int, Role]) -> bool:
    """Whether a column names the item of a row: a text does, and a code that is not merely the number of the row."""
    fields = {role.field: position for position, role in roles.items() if role.score >= LIKELY_SCORE}
    if "item_text" in fields:
        return True
    code = next((one for one in profiles if one.position == fields.get("item_code")), None)
    return code is not None and (code.distinct < code.filled or roles[code.position].sure == SURE)


def _is_wide(profiles: Sequence[Profile], roles: dict[int, Role]) -> bool:
    """Whether several columns hold answers and none names an item: then each column is an item."""
    if names_item(profiles, roles):
        return False
    verdict = next((one for one in profiles if roles.get(one.position, _NO_ROLE).field == "verdict"), None)
    return verdict is not None and (sum(holds_answers(one, verdict) for one in profiles) >= 3)


_NO_ROLE: Final = Role("", 0.0, GUESS)


def holds_answers(profile: Profile, verdict: Profile) -> bool:
    """Whether the column holds the same answers as the column of answers."""
    if not profile.is_vocabulary:
        return False
    if profile.verdicts >= FIT:
        return True
    shared = sum(count for text, count in profile.texts.items() if text in verdict.texts)
    return shared >= FIT * profile.filled


def _kind_score(kind: str, roles: dict[int, Role], profiles: Sequence[Profile], known: Known) -> float:
    reading = Reading(kind, 0.0, roles)
    has = reading.score_of

    def best(field: str) -> float:
        """How well any column would do for the field, whatever field it was given."""
        scores = (
            heading_score(field, one.heading) * (0.35 + 0.65 * fit)
            for one in profiles
            if one.heading and (fit := cell_fit(field, one, known)) >= 0.7
        )
        return max(scores, default=0.0)

    if kind == "answer":
        if not has("verdict"):
            return 0.0
        item = max(has("item_code"), has("item_text"), 0.8 * _is_wide(profiles, roles))
        about = 0.4 * has("entity_code") + 0.3 * max(has("performed_on"), has("submitted_on")) + 0.2 * has("period")
        return about + (
            2.2 * has("verdict")
            + 1.2 * item
            + 0.5 * min(has("item_code"), has("item_text"))
            + 0.3 * has("performed_on")
        )
    if kind == "finding":
        marks = (
            1.2 * has("finding_code") + 1.0 * has("severity") + 0.7 * has("raised_on") + 0.6 * has("status")
            + 0.5 * has("action_code") + 0.5 * has("due_on") + 0.5 * has("description") + 0.3 * has("closed_on")
            + 0.3 * has("owner") + 0.3 * has("action_description")
        )  # fmt: skip
        is_about = has("finding_code") or (has("description") and (has("severity") or has("due_on") or has("status")))
        return marks if is_about else 0.3 * marks
    verdict = best("verdict")
    if kind == "item":
        parts = sum(
            has(field) for field in ("weight", "measure", "domain", "is_critical", "regulation_ref", "control_ref")
        )
        others = max(best("entity_code"), best("entity_name"), best("due_on"), best("finding_code"))
        return (
            1.3 * has("item_code")
            + 1.2 * has("item_text")
            + 0.3 * has("category")
            + 0.4 * parts
            - 2.0 * verdict
            - 1.5 * others
        )
    if kind == "entity":
        parts = sum(
            has(field)
            for field in (
                "entity_kind",
                "region_code",
                "country_code",
                "business_group_code",
                "parent_entity_code",
                "valid_from",
                "privacymark_number",
            )
        )
        others = max(best("item_code"), best("due_on"), best("finding_code"), best("severity"), best("item_text"))
        if not has("entity_code") or not (has("entity_name") or parts):
            return 0.0
        return 1.2 * has("entity_code") + 1.2 * has("entity_name") + 0.5 * parts - 2.0 * verdict - 1.2 * others
    parts = has("period") + has("inspection_type") + has("inspecting_entity_code") + has("is_cancelled")
    others = max(best("severity"), best("finding_code"), best("item_text"), best("description"))
    return (
        (1.5 * has("due_on") + has("entity_code") + 0.6 * parts - 2.0 * verdict - 1.5 * others)
        if has("due_on")
        else 0.0
    )
