"""The records of a described source: for each field the SQL over the columns, and what a person must confirm of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from etl.proposing.confirming import ITEM_NAMES, Confirmed
from etl.proposing.fields import ACTION_PARTS, BOOLEAN_FIELDS, ENTITY_PARTS, ITEM_PARTS, choices_of
from etl.proposing.quoting import quote_sql
from etl.proposing.words import GUESS, language_of
from etl.values import parse_boolean, parse_number

_JOINED: Final = frozenset({"comment", "description", "action_description", "item_text", "text_ja", "text_en"})
"""Fields whose texts stand one after the other where several columns are taken for them."""
_TIMELESS: Final = r"regexp_replace({}, '[T ]\s*\d{{1,2}}:.*$', '')"
_SAID: Final = {
    "verdict": "the answer",
    "item_code": "the code of the item",
    "entity_code": "the entity",
    "period": "the period",
    "raised_on": "the day on which a finding was raised",
    "due_on": "the day on which it is due",
    "finding_code": "the number of the finding",
}
_DRESSED_VERSION: Final = re.compile(r"(?i)(?:第\s*)?\d+(?:\.\d+)*\s*年?版|(?:version|ver\.?|rev\.?|v)\s*\d+(?:\.\d+)*")
_LIKE_A_CODE: Final = re.compile(r"(?=.*\d)[!-~]{1,64}|[A-Z][A-Z0-9_.-]*")
_LEADING_CODE: Final = re.compile(r"^\s*((?:[A-Za-z]{1,6}[-.]?)?\d+(?:[-.]\d+)*|[A-Z]{2,}\.[A-Z0-9.-]+)")


@dataclass(slots=True)
class RecordText:
    """A record as it will be written: SQL by field, and what a person must confirm of a field."""

    kind: str
    when: str | None = None
    fields: dict[str, str] = field(default_factory=dict)
    confirm: dict[str, str] = field(default_factory=dict)
    lenient: list[str] = field(default_factory=list)
    repeats: bool = False

    def put(self, name: str, expression: str | None, confirm: str | None = None) -> None:
        """Set a field, if there is something to set it to."""
        if expression:
            self.fields[name] = expression
            if confirm:
                self.confirm[name] = confirm


class Records:
    """Makes the records of a confirmed proposal."""

    def __init__(self, confirmed: Confirmed) -> None:
        self.confirmed = confirmed
        self.kind = confirmed.kind

    def value(self, name: str) -> str | None:
        """SQL of the field: what a person gives, its columns, what was found outside the table, the constant."""
        columns = (
            ["verdict"]
            if name == "verdict" and self.confirmed.wide
            else [column.key for column in self.confirmed.of(name)]
        )
        outside = [one.key for one in self.confirmed.captures if one.field == name and one.place != "given"]
        given = [one.key for one in self.confirmed.captures if one.field == name and one.place == "given"]
        if len(columns) > 1 and name in _JOINED:
            columns = [f"nullif(concat_ws(' / ', {', '.join(columns)}), '')"]
        parts = [*given, *columns, *outside]
        if not parts and name in ("checklist_code", "checklist_version") and self.confirmed.constants.get(name):
            parts = [name]
        if not parts:
            return None
        return parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})"

    def _entity_code(self, name: str = "entity_code") -> str | None:
        """SQL of an entity: its code, or that of the only entity of this name where names stand in the file."""
        value = self.value(name)
        texts = [text for column in self.confirmed.of(name) for text in column.examples]
        texts += [one.example for one in self.confirmed.captures if one.field == name and one.example]
        if value is None or not texts or all(_LIKE_A_CODE.fullmatch(text) for text in texts):
            return value
        known = f"select min(e.entity_code) from dim_entity e where {value} in (e.name_ja, e.name_en)"
        return f"coalesce(({known} having count(distinct e.entity_code) = 1), {value})"

    def _confirmed(self, name: str) -> str | None:
        """What a person must confirm of the field's columns."""
        guesses = [column for column in self.confirmed.of(name) if column.sure == GUESS]
        return f"is '{guesses[0].heading}' the {name}?" if guesses else None

    def _date_period(self, name: str) -> str | None:
        """SQL of a text that names the month of a date field."""
        value = self.value(name)
        if value is None:
            return None
        text = _TIMELESS.format(value)
        for form, order in (("d/m/y", r"^\s*\d{1,2}[-/.](\d{1,2})[-/.]"), ("m/d/y", r"^\s*(\d{1,2})[-/.]\d{1,2}[-/.]")):
            if form in self.confirmed.date_forms:
                text = rf"regexp_replace({text}, '{order}(\d{{4}})\s*$', '\2-\1')"
                text = rf"regexp_replace({text}, '{order}(\d{{2}})\s*$', '20\2-\1')"
        if "serial" in self.confirmed.date_forms:
            day = f"date '1899-12-30' + try_cast(floor(try_cast({value} as double)) as integer)"
            text = rf"case when regexp_full_match({value}, '\d{{5}}(\.\d+)?') then strftime({day}, '%Y-%m') else {text} end"
        return text

    def _period(self) -> str | None:
        found = self.value("period")
        if self._is_part_of_period() and self.confirmed.prefix == "Q":
            return f"{found} || '-Q' || part" if found else None
        if self._is_part_of_period() and all(re.fullmatch(r"20\d\d", value) for value in self.confirmed.values):
            return "'FY' || part"
        if found:
            return found
        for name in {
            "answer": ("performed_on", "submitted_on"),
            "finding": ("raised_on", "performed_on"),
            "plan": ("due_on",),
        }[self.kind]:
            if text := self._date_period(name):
                return text
        return None

    def _is_part_of_period(self) -> bool:
        """Whether the numbers of the series part the answers by time: something else names the item."""
        is_named = any(self.confirmed.of(name) for name in ITEM_NAMES)
        return self.kind == "answer" and bool(self.confirmed.values) and is_named

    def _inspection_type(self) -> str | None:
        found = self.value("inspection_type")
        if found:
            return found
        value = self.confirmed.constants.get("inspection_type")
        return (
            quote_sql(value)
            if value and self.confirmed.is_one(value, choices_of("inspection_type"), "inspection_type")
            else None
        )

    def _is_type_told(self) -> bool:
        """Whether the file says of which type its inspections are."""
        return bool(self.confirmed.of("inspection_type")) or "inspection_type" in self.confirmed.strings(
            "sure_constants"
        )

    def _version(self) -> str | None:
        """SQL of the version of the checklist: its number, where the file writes `2023年版` or `Version 3.0`."""
        value = self.value("checklist_version")
        texts = [text for column in self.confirmed.of("checklist_version") for text in column.examples]
        texts += [one.example for one in self.confirmed.captures if one.field == "checklist_version" and one.example]
        if value and texts and all(_DRESSED_VERSION.fullmatch(text.strip()) for text in texts):
            return f"coalesce(nullif(regexp_extract({value}, '[0-9]+([.][0-9]+)*'), ''), {value})"
        return value

    def _item_code(self) -> str | None:
        if self.confirmed.values and not self._is_part_of_period():
            return "part"
        if self.confirmed.wide:
            headings = [column.heading for column in self.confirmed.wide]
            coded = rf"regexp_extract(item_heading, '{_LEADING_CODE.pattern}', 1)"
            codes = [match[1] for heading in headings if (match := _LEADING_CODE.search(heading))]
            return coded if len(set(codes)) == len(headings) else "item_heading"
        code = self.value("item_code")
        text = self._item_text()
        if code or not text:
            return code
        # The text names the item: the code begins as it does, and four signs made of the whole tell alike texts apart.
        return f"left(trim({text}), 24) || '#' || left(md5(trim({text})), 4)"

    def _item_text(self) -> str | None:
        return self.value("item_text") or self.value("text_ja") or self.value("text_en")

    def missing(self) -> list[str]:
        """What the proposal must still say before it can be a source."""
        values = {
            "verdict": (self.value("verdict"), ("answer",)),
            "item_code": (self._item_code(), ("answer", "item")),
            "entity_code": (self.value("entity_code"), ("answer", "finding", "entity", "plan")),
            "period": (
                self._period() if self.kind in ("answer", "finding", "plan") else "",
                ("answer", "finding", "plan"),
            ),
            "raised_on": (self._raised_on(), ("finding",)),
            "due_on": (self.value("due_on"), ("plan",)),
            "finding_code": (self._finding_code(), ("finding",)),
        }
        missing = [_SAID[name] for name, (value, kinds) in values.items() if self.kind in kinds and not value]
        if self.kind in ("answer", "plan") and not self._inspection_type():
            missing.append("the type of inspection")
        if self.kind in ("answer", "item"):
            missing += [
                f"the {name.replace('_', ' ')}"
                for name in ("checklist_code", "checklist_version")
                if not self.value(name)
            ]
        return missing

    def all(self) -> list[RecordText]:
        """The records in no particular order; what nobody said is null in them."""
        records = []
        is_added = self.confirmed.proposal.get("brings_entities") is True and self.value("entity_code")
        if self.kind == "entity" or (is_added and self.kind != "item"):
            records.append(self._entity())
            inspecting = self._entity_code("inspecting_entity_code")
            if inspecting and self.kind != "entity":
                records.append(RecordText("entity", f"{inspecting} is not null", {"entity_code": inspecting}))
        if self.kind == "item" or (
            self.kind in ("answer", "finding")
            and self.value("checklist_code")
            and self._item_code()
            and self.confirmed.proposal.get("brings_items") is True
        ):
            records.append(self._item())
        if self.kind == "answer":
            records.append(self._answer())
            if self._finds():
                records += [self._finding(), self._action()]
        elif self.kind == "finding":
            records.append(self._finding())
            if any(self.confirmed.of(name) for name in ACTION_PARTS):
                records.append(self._action())
        elif self.kind == "plan":
            records.append(self._plan())
        return records

    def _entity(self) -> RecordText:
        record = RecordText("entity")
        code = self._entity_code() or "null"
        record.put("entity_code", code, self._confirmed("entity_code"))
        if self.kind != "entity":
            record.when = f"{code} is not null"
        self._spoken(record, "entity_name", "name_ja", "name_en")
        for name, target in ENTITY_PARTS.items():
            if name not in ("entity_name", "name_ja", "name_en"):
                record.put(target, self.value(name), self._confirmed(name))
        for name in (
            ("privacymark_number", "privacymark_until_on", "valid_from", "valid_to") if self.kind == "entity" else ()
        ):
            record.put(name, self.value(name), self._confirmed(name))
        return record

    def _spoken(self, record: RecordText, name: str, japanese: str, english: str) -> None:
        """Put a text in the language that it is written in."""
        record.put(japanese, self.value(japanese), self._confirmed(japanese))
        record.put(english, self.value(english), self._confirmed(english))
        columns = self.confirmed.of(name)
        texts = [text for column in columns for text in column.examples]
        texts += [one.example for one in self.confirmed.captures if one.field == name]
        heading = columns[0].heading if columns else ""
        target = japanese if language_of(heading, texts) == "ja" else english
        if target not in record.fields:
            record.put(target, self.value(name), self._confirmed(name))

    def _checklist(self, record: RecordText) -> None:
        record.put("checklist_code", self.value("checklist_code") or "'CHECKLIST'")
        record.put("checklist_version", self._version() or "'1'")

    def _item(self) -> RecordText:
        record = RecordText("item")
        self._checklist(record)
        code = self._item_code() or "null"
        record.put("item_code", code, self._confirmed("item_code"))
        if self.kind != "item" and not self.confirmed.wide:
            record.when = f"{code} is not null"
        if self.kind == "finding":
            return record
        if self.confirmed.wide:
            headings = [column.heading for column in self.confirmed.wide]
            record.put("text_ja" if language_of("", headings) == "ja" else "text_en", "item_heading")
        else:
            self._spoken(record, "item_text", "text_ja", "text_en")
            self._spoken(record, "category", "category_ja", "category_en")
            for name, target in ITEM_PARTS.items():
                if name not in ("item_text", "text_ja", "text_en", "category", "category_ja", "category_en"):
                    value = self._ticked(name) if name in BOOLEAN_FIELDS else self.value(name)
                    record.put(target, value, self._confirmed(name))
            if "category_code" not in record.fields:
                record.put("category_code", record.fields.get("category_ja") or record.fields.get("category_en"))
        return record

    def _answer(self) -> RecordText:
        record = RecordText("answer", repeats=self.confirmed.text("repeats") == "worst")
        is_constant = not self._is_type_told()
        record.put(
            "inspection_type",
            self._inspection_type() or "'self_check'",
            "self_check, mutual_check, affiliate_check or privacy_audit?" if is_constant else None,
        )
        record.put("entity_code", self._entity_code() or "null", self._confirmed("entity_code"))
        record.put(
            "inspecting_entity_code",
            self._entity_code("inspecting_entity_code"),
            self._confirmed("inspecting_entity_code"),
        )
        period = self._period()
        asked = None if self.value("period") or not period else "the month of the date is taken for the period"
        record.put("period", period or "null", asked or self._confirmed("period"))
        is_other = self._is_part_of_period() and "part" not in record.fields["period"]
        by_day = self.value("performed_on") if self.confirmed.proposal.get("inspection_by_day") is True else None
        record.put(
            "inspection_code",
            self.value("inspection_code") or ("part" if is_other else by_day),
            "each number is taken for an inspection of its own"
            if is_other
            else "each day is taken for an inspection of its own"
            if by_day
            else self._confirmed("inspection_code"),
        )
        self._checklist(record)
        for name in ("performed_on", "submitted_on"):
            record.put(name, self.value(name), self._confirmed(name))
        code = self._item_code()
        by_text = not self.confirmed.wide and not self.value("item_code") and code is not None
        record.put(
            "item_code",
            code or "null",
            "no column holds a code: the text names the item" if by_text else self._confirmed("item_code"),
        )
        record.put(
            "verdict",
            self.value("verdict") or "null",
            "no column looks like the answer" if not self.value("verdict") else None,
        )
        texts = [text for text, _, _ in self.confirmed.answers if text]
        score = self.value("written_score")
        if score is None and texts and all(parse_number(text) is not None for text in texts):
            score = self.value("verdict")
        record.put("written_score", score)
        if score and self.confirmed.of("written_score"):
            record.lenient.append("written_score")
        record.put("comment", self.value("comment"), self._confirmed("comment"))
        record.put("has_evidence", self._evidence(), self._confirmed("has_evidence"))
        return record

    def _evidence(self) -> str | None:
        columns = self.confirmed.of("has_evidence")
        if not columns:
            return None
        examples = [text for column in columns for text in column.examples]
        value = self.value("has_evidence")
        if examples and all(parse_boolean(text) is not None for text in examples):
            return value
        # The name of a document is evidence; an unanswered item is not without evidence, it is unknown.
        return f"case when {self.value('verdict') or 'null'} is not null then ({value} is not null)::varchar end"

    def _ticked(self, name: str) -> str | None:
        """SQL of a yes or no: the column, or whether anything stands in it where no text of it says yes or no."""
        value = self.value(name)
        examples = [text for column in self.confirmed.of(name) for text in column.examples]
        if value and examples and any(parse_boolean(text) is None for text in examples):
            return f"({value} is not null)::varchar"
        return value

    def _raised_on(self) -> str | None:
        told = self.value("raised_on")
        if told:
            return told
        if self.kind == "answer":
            return self.value("performed_on") or self.value("submitted_on")
        period = self.value("period")
        return f"(select p.first_on from dim_period p where p.period_code = {period})" if period else None

    def _finds(self) -> bool:
        """Whether rows with answers also tell of findings: something is due or done, and the day is known."""
        is_told = self.confirmed.of("due_on") or self.confirmed.of("completed_on") or self.confirmed.of("finding_code")
        return bool(is_told) and self._raised_on() is not None and not self.confirmed.wide

    def _found_when(self) -> str | None:
        """SQL that is true of rows that tell of a finding, of exports whose every row is an answer."""
        names = (
            ("finding_code",) if self.confirmed.of("finding_code") else ("due_on", "completed_on", "action_description")
        )
        values = [value for name in names if (value := self.value(name))]
        return " or ".join(f"{value} is not null" for value in values)

    def _finding_code(self) -> str | None:
        found = self.value("finding_code")
        if found:
            return found
        entity = self._entity_code()
        if self.kind == "answer":
            return f"concat_ws('-', {entity or 'null'}, {self._period() or 'null'}, {self._item_code() or 'null'})"
        text = self.value("description")
        return f"concat_ws('-', {entity or 'null'}, left(md5({text}), 8))" if text else None

    def _finding(self) -> RecordText:
        record = RecordText("finding", when=self._found_when() if self.kind == "answer" else None)
        made = None if self.value("finding_code") else "no column holds a number: it is made of other columns"
        record.put("finding_code", self._finding_code() or "null", made or self._confirmed("finding_code"))
        record.put("entity_code", self._entity_code() or "null", self._confirmed("entity_code"))
        asks = None if self._is_type_told() else "which type raised them?"
        record.put("inspection_type", self._inspection_type(), asks)
        period = self._period()
        record.put(
            "period",
            period or "null",
            None if self.value("period") else "the month of the date is taken for the period",
        )
        code = self._item_code() if self.kind == "answer" else self.value("item_code")
        if code and self.value("checklist_code"):
            if self.kind == "answer":
                self._checklist(record)
            else:
                for name in ("checklist_code", "checklist_version"):
                    value = (self._version() if name == "checklist_version" else self.value(name)) or "'1'"
                    record.put(name, f"case when {code} is not null then {value} end")
            record.put("item_code", code, self._confirmed("item_code"))
        severity = self.value("severity")
        record.put(
            "severity",
            severity or "'minor'",
            None if severity else "no column holds the severity: major, minor or observation?",
        )
        record.put(
            "description",
            self.value("description") or (self.value("comment") if self.kind == "answer" else None),
            self._confirmed("description"),
        )
        is_dated = self.kind == "answer" or self.value("raised_on")
        asks = None if is_dated else "no column holds the day: the first day of the period is taken"
        record.put("raised_on", self._raised_on() or "null", asks or self._confirmed("raised_on"))
        closed = self.value("closed_on") or self.value("completed_on")
        record.put("closed_on", closed, self._confirmed("closed_on"))
        status = self.value("status")
        made_status = f"case when {closed} is null then 'open' else 'closed' end" if closed else "'open'"
        record.put(
            "status",
            status or made_status,
            None if status else "no column holds the status: is it closed when it is done?",
        )
        record.put("reopened_count", self.value("reopened_count"))
        return record

    def _action(self) -> RecordText:
        code = self.value("action_code")
        finding = self._finding_code() or "null"
        record = RecordText("action")
        told = ["action_code"] if code else ["due_on", "completed_on", "action_description"]
        values = [value for name in told if (value := self.value(name))]
        record.when = " or ".join(f"{value} is not null" for value in values) or None
        if self.kind == "answer":
            # An action of a finding that is not told would be refused.
            found = self._found_when()
            record.when = f"({found}) and ({record.when})" if code else found
        record.put(
            "action_code", code or f"{finding} || '-1'", None if code else "no column holds a number of the action"
        )
        record.put("finding_code", finding)
        for name, target in ACTION_PARTS.items():
            if name != "action_code":
                record.put(target, self.value(name), self._confirmed(name))
        return record

    def _plan(self) -> RecordText:
        record = RecordText("plan")
        record.put(
            "inspection_type",
            self._inspection_type() or "'self_check'",
            None if self._is_type_told() else "which type is it?",
        )
        for name in ("entity_code", "inspecting_entity_code"):
            record.put(
                name, self._entity_code(name) or ("null" if name == "entity_code" else None), self._confirmed(name)
            )
        record.put("period", self._period() or "null", self._confirmed("period"))
        record.put("due_on", self.value("due_on") or "null", self._confirmed("due_on"))
        record.put("is_cancelled", self._ticked("is_cancelled"))
        return record
