"""What the Import page calls things: kinds of records, their fields, states of batches and files, and counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from dashboard import answers
from dashboard.answers import Build
from dashboard.data.import_advice import ADVICE
from dashboard.inbox import State
from dashboard.words import N_, Language, say_number, translate

Colour = Literal["red", "orange", "blue", "green", "gray"]

KINDS: Final = {
    "answer": N_("Answers"),
    "plan": N_("Plans"),
    "finding": N_("Findings"),
    "action": N_("Corrective actions"),
    "entity": N_("Entities"),
    "region": N_("Regions"),
    "item": N_("Checklist items"),
    "lineage": N_("What became of items"),
    "reference": N_("References"),
}
FIELDS: Final = {
    "action_code": N_("Number of the action"),
    "answer": N_("Answer"),
    "action_description": N_("What is to be done"),
    "business_group_code": N_("Business group"),
    "category": N_("Category"),
    "category_code": N_("Category code"),
    "category_en": N_("Category (English)"),
    "category_ja": N_("Category (Japanese)"),
    "change": N_("Kind of change"),
    "checklist_code": N_("Checklist"),
    "checklist_version": N_("Checklist version"),
    "closed_on": N_("Closed on"),
    "code": N_("Code"),
    "comment": N_("Comment"),
    "completed_on": N_("Completed on"),
    "control_ref": N_("Control"),
    "country_code": N_("Country"),
    "description": N_("Description"),
    "domain": N_("Domain"),
    "due_on": N_("Due on"),
    "effectiveness": N_("Effectiveness"),
    "effectiveness_checked_on": N_("Effectiveness checked on"),
    "entity_code": N_("Entity code"),
    "entity_kind": N_("Kind of entity"),
    "entity_name": N_("Name of the entity"),
    "finding_code": N_("Number of the finding"),
    "from_item_code": N_("Item before"),
    "from_version": N_("Version before"),
    "has_evidence": N_("Evidence"),
    "inspecting_entity_code": N_("Inspecting entity"),
    "inspection_code": N_("Number of the inspection"),
    "inspection_type": N_("Inspection type"),
    "is_assessable": N_("Assessable"),
    "is_cancelled": N_("Cancelled"),
    "is_critical": N_("Critical"),
    "item_code": N_("Item"),
    "item_text": N_("Requirement"),
    "measure": N_("Measure"),
    "name": N_("Name"),
    "name_en": N_("Name (English)"),
    "name_ja": N_("Name (Japanese)"),
    "owner": N_("Owner"),
    "parent_entity_code": N_("Reports to"),
    "performed_on": N_("Performed on"),
    "period": N_("Period"),
    "privacymark_number": N_("PrivacyMark number"),
    "privacymark_until_on": N_("PrivacyMark valid until"),
    "raised_on": N_("Raised on"),
    "region_code": N_("Region"),
    "register": N_("Register"),
    "regulation_ref": N_("Regulation"),
    "reopened_count": N_("Times reopened"),
    "score": N_("Score (0 to 1)"),
    "severity": N_("Severity"),
    "status": N_("Status"),
    "submitted_on": N_("Handed in on"),
    "text_en": N_("Requirement (English)"),
    "text_ja": N_("Requirement (Japanese)"),
    "to_item_code": N_("Item after"),
    "to_version": N_("Version after"),
    "valid_from": N_("Valid from"),
    "valid_to": N_("Valid until"),
    "verdict": N_("Verdict"),
    "weight": N_("Weight"),
    "written_score": N_("Score as written"),
}
VERDICTS: Final = {
    "met": N_("Met"),
    "partly_met": N_("Partly met"),
    "not_met": N_("Not met"),
    "not_applicable": N_("Not applicable"),
    "not_answered": N_("Not answered"),
}
INSPECTION_TYPES: Final = {
    "self_check": N_("Self-check"),
    "mutual_check": N_("Mutual check"),
    "affiliate_check": N_("Affiliate check"),
    "privacy_audit": N_("Privacy audit"),
}
CHOICES: Final[Mapping[str, Mapping[str, str]]] = {
    "inspection_type": INSPECTION_TYPES,
    "severity": {"major": N_("Major"), "minor": N_("Minor"), "observation": N_("Observation")},
    "status": {"open": N_("Still open"), "closed": N_("Closed")},
    "effectiveness": {
        "effective": N_("Effective"),
        "not_effective": N_("Not effective"),
        "not_checked": N_("Not checked"),
    },
    "measure": {
        "organizational": N_("Organizational"),
        "human": N_("Human"),
        "physical": N_("Physical"),
        "technological": N_("Technological"),
    },
    "domain": {
        "confidential_information": N_("Confidential information"),
        "personal_information": N_("Personal information"),
    },
    "entity_kind": {
        "head_office": N_("Head office"),
        "business_group": N_("Business group"),
        "site": N_("Site"),
        "affiliate": N_("Affiliate"),
    },
}
"""Fields with fixed values, and what these are called."""
VALUES: Final[Mapping[str, Mapping[str, str]]] = {"verdict": VERDICTS} | dict(CHOICES)
STATES: Final[Mapping[State, tuple[str, str, Colour]]] = {
    "empty": (N_("No files"), "inbox", "gray"),
    "checking": (N_("Being looked at"), "hourglass_top", "blue"),
    "attention": (N_("Needs something"), "error", "orange"),
    "ready": (N_("Ready to publish"), "check_circle", "green"),
    "publishing": (N_("Being published"), "hourglass_top", "blue"),
    "published": (N_("Published"), "task_alt", "gray"),
    "failed": (N_("Stopped"), "warning", "red"),
}
"""Of each state of a batch: what it is called, its icon and its colour."""
STEPS: Final = {
    "copy": N_("Copying the newest build"),
    "read": N_("Opening the files"),
    "recognise": N_("Recognising the files"),
    "publish": N_("Publishing"),
}
"""What a command is at, where it does not name the source whose rows it reads."""
REASONS: Final = {
    "ambiguous": N_("Several sources fit"),
    "bad_boolean": N_("Neither yes nor no"),
    "bad_date": N_("Not a date"),
    "bad_interval": N_("Ends before it begins"),
    "bad_number": N_("Not a number"),
    "bad_period": N_("Not a period"),
    "broken_file": N_("Damaged file"),
    "closed_entity": N_("Entity closed in the period"),
    "contradiction": N_("Answered twice, differently"),
    "damaged": N_("Changed by a spreadsheet"),
    "duplicate_column": N_("Heading there twice"),
    "empty": N_("Empty cell"),
    "empty_file": N_("Empty file"),
    "formula_error": N_("Error of a formula"),
    "future_date": N_("Date in the future"),
    "future_period": N_("Period in the future"),
    "heading_below": N_("Headings below the rows"),
    "hidden_sheet": N_("Hidden sheet"),
    "missing": N_("Must be filled in"),
    "missing_column": N_("Column missing"),
    "no_heading": N_("No headings"),
    "no_rows": N_("No rows"),
    "one_column": N_("Only one column"),
    "out_of_range": N_("Out of range"),
    "password": N_("Password"),
    "too_large": N_("Too large"),
    "too_many_cells": N_("Row too long"),
    "too_slow": N_("Takes too long"),
    "too_wide": N_("Too many columns"),
    "uncalculated": N_("Formula not calculated"),
    "undecodable": N_("Unreadable characters"),
    "unknown_answer": N_("Unknown answer"),
    "unknown_checklist": N_("Unknown checklist"),
    "unknown_choice": N_("Unknown value"),
    "unknown_document": N_("Unknown kind of document"),
    "unknown_entity": N_("Unknown entity"),
    "unknown_finding": N_("Unknown finding"),
    "unknown_format": N_("Unknown format"),
    "unknown_item": N_("Unknown item"),
    "unknown_reference": N_("Export it refers to missing"),
    "unknown_source": N_("Unknown layout"),
    "overlap": N_("Two things on one day"),
    "future_known": N_("Known from the future"),
    "forbidden_xml": N_("Harmful XML"),
    "broken_document": N_("Not as its format says"),
    "no_results": N_("No results"),
    "needs_given": N_("Something is missing"),
    "unknown_version": N_("Unknown version of the format"),
}
"""In a few words why a row or a file was refused; the sentence that names all of it is the ETL's."""
GIVEN: Final = {"entity": N_("Entity"), "period": N_("Period")}


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the page works: the reader's language, the home with its inbox, and the newest build if there is one."""

    language: Language
    home: Path
    build: Build | None

    def say(self, text: str, /, **values: object) -> str:
        """A text of the dashboard in the reader's language."""
        return translate(self.language, text, **values)

    def name_entities(self) -> Mapping[str, str]:
        """Codes of the entities that are known with their names."""
        return answers.read_names(self.build, "entity", self.language) if self.build else {}


def say_kind(desk: Desk, kind: str) -> str:
    """A kind of record."""
    return desk.say(KINDS[kind]) if kind in KINDS else kind


def say_field(desk: Desk, field: str) -> str:
    """A field of a record."""
    return desk.say(FIELDS[field]) if field in FIELDS else field


def say_value(desk: Desk, field: str, value: object) -> str:
    """A cell as it was understood."""
    known = VALUES.get(field, {})
    text = "" if value is None else str(value)
    return desk.say(known[text]) if text in known else text


def say_reason(desk: Desk, code: object) -> str:
    """In a few words why something was refused; nothing for a code that has none."""
    return desk.say(REASONS[str(code)]) if code in REASONS else ""


def say_advice(desk: Desk, code: object) -> str:
    """What to do about a refusal, for readers whom the ETL's English sentence does not tell; else nothing."""
    return desk.say(ADVICE[str(code)]) if desk.language != "en" and code in ADVICE else ""


def say_files(desk: Desk, number: int) -> str:
    """A number of files."""
    return desk.say("1 file") if number == 1 else desk.say("{number} files", number=say_number(number))


def say_loaded(desk: Desk, number: int) -> str:
    """A number of rows that are loaded."""
    return desk.say("1 row loaded") if number == 1 else desk.say("{number} rows loaded", number=say_number(number))


def say_rows(desk: Desk, counts: Mapping[str, Any]) -> str:
    """What becomes of the rows of a file, or of several added up, without what there is none of."""
    parts = []
    if counts["rows_loaded"]:
        parts.append(desk.say("{number} loaded", number=say_number(counts["rows_loaded"])))
    if counts["rows_changed"]:
        parts.append(desk.say("{number} changed", number=say_number(counts["rows_changed"])))
    if counts["rows_unchanged"]:
        parts.append(desk.say("{number} unchanged", number=say_number(counts["rows_unchanged"])))
    if counts["rows_refused"]:
        parts.append(desk.say("{number} refused", number=say_number(counts["rows_refused"])))
    return " · ".join(parts)


def add_rows(loads: list[dict[str, Any]]) -> dict[str, int]:
    """The rows of several files added up."""
    names = ("rows_read", "rows_loaded", "rows_changed", "rows_unchanged", "rows_refused", "rows_skipped")
    return {name: sum(int(load.get(name) or 0) for load in loads) for name in names}


def say_publication(desk: Desk, loads: list[dict[str, Any]]) -> str:
    """What publishing these files will do, in one sentence."""
    sums = add_rows(loads)
    return desk.say(
        "Publish: {files}, {rows}, {changed} changed, {refused} refused",
        files=say_files(desk, len(loads)),
        rows=say_loaded(desk, sums["rows_loaded"]),
        changed=say_number(sums["rows_changed"]),
        refused=say_number(sums["rows_refused"]),
    )
