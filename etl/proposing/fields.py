"""The fields that a drafted source can fill, by kind of export, and the records that they go to."""

from __future__ import annotations

from typing import Final

from etl.schema import Field, record_kinds

KINDS: Final = ("answer", "finding", "item", "entity", "plan")
ITEM_PARTS: Final = {
    "item_text": "text_ja",
    "text_ja": "text_ja",
    "text_en": "text_en",
    "category": "category_ja",
    "category_ja": "category_ja",
    "category_en": "category_en",
    "category_code": "category_code",
    "measure": "measure",
    "domain": "domain",
    "weight": "weight",
    "is_critical": "is_critical",
    "is_assessable": "is_assessable",
    "regulation_ref": "regulation_ref",
    "control_ref": "control_ref",
}
"""Fields of the record `item`; item_text and category go to the language that they are written in."""
ENTITY_PARTS: Final = {
    "entity_name": "name_ja",
    "name_ja": "name_ja",
    "name_en": "name_en",
    "entity_kind": "entity_kind",
    "region_code": "region_code",
    "country_code": "country_code",
    "business_group_code": "business_group_code",
    "parent_entity_code": "parent_entity_code",
}
FINDING_PARTS: Final = {
    "finding_code": "finding_code",
    "severity": "severity",
    "description": "description",
    "raised_on": "raised_on",
    "closed_on": "closed_on",
    "status": "status",
    "reopened_count": "reopened_count",
}
ACTION_PARTS: Final = {
    "action_code": "action_code",
    "owner": "owner",
    "action_description": "description",
    "due_on": "due_on",
    "completed_on": "completed_on",
    "effectiveness": "effectiveness",
    "effectiveness_checked_on": "effectiveness_checked_on",
}
_ABOUT: Final = ("entity_code", "period", "inspection_type", "checklist_code", "checklist_version", "item_code")
FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "answer": (
        *_ABOUT, "inspecting_entity_code", "inspection_code", "performed_on", "submitted_on", "verdict", "written_score",
        "comment", "has_evidence", *ITEM_PARTS, *ENTITY_PARTS, *FINDING_PARTS, *ACTION_PARTS,
    ),
    "finding": (*_ABOUT, *FINDING_PARTS, *ACTION_PARTS, "entity_name", "name_ja", "name_en"),
    "item": ("checklist_code", "checklist_version", "item_code", *ITEM_PARTS),
    "entity": ("entity_code", *ENTITY_PARTS, "privacymark_number", "privacymark_until_on", "valid_from", "valid_to"),
    "plan": ("inspection_type", "entity_code", "inspecting_entity_code", "period", "due_on", "is_cancelled", "entity_name"),
}  # fmt: skip
"""What a column of an export of each kind can be."""
DATE_FIELDS: Final = frozenset(
    {
        "performed_on", "submitted_on", "raised_on", "closed_on", "due_on", "completed_on", "effectiveness_checked_on",
        "valid_from", "valid_to", "privacymark_until_on",
    }
)  # fmt: skip
CHOICE_FIELDS: Final = frozenset(
    {"inspection_type", "severity", "status", "effectiveness", "measure", "domain", "entity_kind"}
)
BOOLEAN_FIELDS: Final = frozenset({"is_critical", "is_assessable", "is_cancelled"})
NUMBER_FIELDS: Final = frozenset({"weight", "written_score", "reopened_count"})
CODE_FIELDS: Final = frozenset(
    {
        "entity_code", "inspecting_entity_code", "item_code", "finding_code", "action_code", "inspection_code",
        "category_code", "checklist_code", "checklist_version", "region_code", "country_code", "business_group_code",
        "parent_entity_code", "privacymark_number",
    }
)  # fmt: skip
SPOKEN_FIELDS: Final = {
    "item_text": ("text_ja", "text_en"),
    "category": ("category_ja", "category_en"),
    "entity_name": ("name_ja", "name_en"),
}
"""Fields that can stand in two columns, one for each language."""
CAPTURED_FIELDS: Final = (
    "entity_code", "period", "performed_on", "submitted_on", "checklist_version", "checklist_code", "inspecting_entity_code",
    "entity_name", "known_at",
)  # fmt: skip
PLACES: Final = ("file_name", "sheet", "label", "title", "given")


def schema_field(record: str, name: str) -> Field:
    """The field as records.toml declares it."""
    return record_kinds()[record].field(name)


def choices_of(name: str) -> tuple[str, ...]:
    """The values of a field with fixed values."""
    return next(
        one.choices for kind in record_kinds().values() for one in kind.fields if one.name == name and one.choices
    )
