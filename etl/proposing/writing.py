"""A proposal as a source file: TOML in which every text of the file is quoted, and every guess has its comment."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from etl.proposing.confirming import Column, Confirmed
from etl.proposing.fields import choices_of
from etl.proposing.quoting import on_one_line, quote_list, quote_toml
from etl.proposing.records import Records, RecordText
from etl.proposing.words import GUESS, LIKELY, SURE
from etl.schema import DATA
from etl.sources import ENCODINGS, VERDICTS, SourceProblem, parse_source
from etl.values import normalise_heading

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
MOST_HEADER_WORDS: Final = 6
_NEEDED: Final = {
    "answer": ("verdict", "item_code", "entity_code", "period"),
    "finding": ("finding_code", "description", "entity_code", "raised_on", "severity"),
    "item": ("item_code", "item_text", "text_ja", "text_en"),
    "entity": ("entity_code", "entity_name", "name_ja", "name_en"),
    "plan": ("entity_code", "period", "due_on"),
}
"""Fields without which a row of each kind says nothing: their headings must stand in every file."""


def write_draft(proposal: Mapping[str, Any]) -> str:
    """The draft of a source file: its mark keeps it from loading anything. Raises SourceProblem for a broken proposal."""
    return _Writing(proposal).text(draft_name(str(proposal.get("file", ""))), is_draft=True)


def draft_name(file: str) -> str:
    """A name for the draft, made of the Latin letters of the file's name."""
    stem = unicodedata.normalize("NFKC", Path(file).stem).lower()
    words = [word for word in re.split(r"[^a-z0-9]+", stem) if re.search("[a-z]", word)]
    return ("draft_" + "_".join(words))[:50].strip("_") if words else "draft_source"


def describe(proposal: Mapping[str, Any], name: str, home: Path) -> Path:
    """Write the confirmed proposal as the source `<home>/sources/<name>.toml`; returns that file.

    Raises SourceProblem, with a sentence per problem, where it cannot be a source; then nothing is written.
    """
    if not NAME.fullmatch(name):
        raise SourceProblem(
            f"'{name[:60]}' is no name for a source: small Latin letters, digits and _ only, beginning with a letter."
        )
    path = home / "sources" / f"{name}.toml"
    if path.exists() or (DATA / "sources" / f"{name}.toml").exists():
        raise SourceProblem(f"There is a source named {name} already. Choose another name.")
    writing = _Writing(proposal)
    missing = [f"Say which column, or what else, is {one}." for one in writing.records.missing()]
    if writing.said.problems or missing:
        raise SourceProblem("\n".join(dict.fromkeys([*writing.said.problems, *missing])))
    text = writing.text(name, is_draft=False)
    parse_source(text, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{name}.toml.part")
    part.write_text(text, "utf-8")
    part.replace(path)
    return path


class _Writing:
    """Writes a confirmed proposal as a source file."""

    def __init__(self, proposal: Mapping[str, Any]) -> None:
        self.said = Confirmed(proposal)
        self.records = Records(self.said)

    def text(self, name: str, *, is_draft: bool) -> str:
        """The source file. Raises SourceProblem where the proposal holds what no source may say."""
        records = self.records.all()
        if self.said.problems:
            raise SourceProblem("\n".join(self.said.problems))
        lines = []
        if is_draft:
            lines += [
                f"# Drafted from {on_one_line(self.said.file)}. It loads nothing while `draft = true` stands here:",
                "# go through every `# confirm:`, correct what is wrong, and take the mark away.",
                "",
            ]
        else:
            lines += [f"# Described from {on_one_line(self.said.file)}.", ""]
        lines += self._source_part(name, is_draft)
        lines += self._recognise_part()
        lines += self._read_part(is_draft)
        lines += self._columns_part(is_draft)
        lines += self._outside_part(is_draft)
        lines += self._texts_part(records, is_draft)
        for record in records:
            lines += self._record_part(record, is_draft)
        return "\n".join(lines).rstrip("\n") + "\n"

    def _source_part(self, name: str, is_draft: bool) -> list[str]:
        label = self.said.proposal.get("label")
        label = label if isinstance(label, Mapping) else {}
        english = str(label.get("en") or name.replace("_", " ").capitalize())
        japanese = str(label.get("ja") or english)
        lines = [
            "[source]",
            f"name = {quote_toml(name)}",
            f"label = {{ en = {quote_toml(english)}, ja = {quote_toml(japanese)} }}",
            f"format = {quote_toml(self.said.format)}",
        ]
        return [*lines, *(["draft = true"] if is_draft else []), ""]

    def _needed(self, column: Column) -> bool:
        return (
            column.field in _NEEDED[self.said.kind]
            and column not in self.said.wide
            and not self.said.comes_again(column)
        )

    def _recognise_part(self) -> list[str]:
        order = {SURE: 0, LIKELY: 1, GUESS: 2}
        mapped = [
            column
            for column in self.said.columns
            if column.field and column not in self.said.wide and not self.said.comes_again(column)
        ]
        needed = sorted((one for one in mapped if self._needed(one)), key=lambda one: order.get(one.sure, 2))
        words = [column.heading for column in needed]
        others = [one.heading for one in mapped if one not in needed] + [
            one.heading for one in self.said.columns if not one.field
        ]
        counts = [normalise_heading(one.heading) for one in self.said.columns]
        # Two headings alone would fit many a file, so that some of the others must be there too.
        words += [
            column.heading.replace("{}", self.said.values[0])
            for column in self.said.columns
            if column.field == "verdict" and self.said.comes_again(column)
        ]
        words += [text for text in others if counts.count(normalise_heading(text)) == 1][: max(0, 4 - len(words))]
        words += [column.heading for column in self.said.wide][: max(0, 3 - len(words))]
        words = [word for word in dict.fromkeys(words) if normalise_heading(word)][:MOST_HEADER_WORDS]
        lines = ["[recognise]", f"header = {quote_list(words)}"]
        if not words:
            stem = re.escape(unicodedata.normalize("NFKC", self.said.file))
            lines = ["[recognise]", f"file_name = {quote_toml('^' + stem + '$')}"]
        document = self.said.text("document")
        if document:
            lines.append(f"document = {quote_toml(document)}")
        sheet = self.said.text("sheet")
        if sheet:
            lines.append(f"sheet = {quote_toml(sheet)}")
        return [*lines, ""]

    def _read_part(self, is_draft: bool) -> list[str]:
        lines = []
        if self.said.format == "csv":
            encoding = self.said.text("encoding") or "utf-8"
            self.said.is_one(encoding, ENCODINGS, "encoding")
            encodings = [encoding]
            # Only headings beyond ASCII show which of two encodings a file is in.
            if encoding in ("utf-8", "cp932") and any(
                not column.heading.isascii() for column in self.said.columns if self._needed(column)
            ):
                encodings = ["utf-8", "cp932"]
            delimiter = self.said.text("delimiter") or ","
            self.said.is_one(delimiter, (",", ";", "\t", "|"), "delimiter")
            lines += [f"encoding = {quote_list(encodings)}", f"delimiter = {quote_toml(delimiter)}"]
        count = self.said.proposal.get("header_rows")
        if isinstance(count, int) and not isinstance(count, bool) and 1 < count <= 5:
            lines.append(f"header_rows = {count}")
        stop_at = self.said.text("stop_at")
        if stop_at:
            lines.append(
                f"stop_at = {quote_toml(stop_at)}{'  # confirm: does the table end there?' if is_draft else ''}"
            )
        filled = [self.said.keys[key] for key in self.said.strings("fill_down") if key in self.said.keys]
        if filled:
            lines.append(f"fill_down = {quote_list(filled)}")
        skip = self._skip()
        if skip:
            lines.append(f"skip_when = {quote_toml(skip)}{'  # confirm: are such rows no data?' if is_draft else ''}")
        if self.said.problems:
            raise SourceProblem("\n".join(self.said.problems))
        return ["[read]", *lines, ""] if lines else []

    def _skip(self) -> str:
        value = self.said.proposal.get("skip_when_empty") or []
        parts = []
        for keys in value if isinstance(value, list | tuple) else []:
            known = (
                [self.said.keys[key] for key in keys if key in self.said.keys] if isinstance(keys, list | tuple) else []
            )
            if known and len(known) == len(keys) and not self.said.wide:
                parts.append(" and ".join(f"{key} is null" for key in known))
        return " or ".join(f"({part})" for part in parts) if len(parts) > 1 else "".join(parts)

    def _columns_part(self, is_draft: bool) -> list[str]:
        lines = ["[columns]"]
        for column in self.said.columns:
            if not column.field or column in self.said.wide or self.said.comes_again(column):
                continue
            heading = quote_toml(column.heading)
            spec = heading if self._needed(column) else f"{{ names = {heading}, optional = true }}"
            asks = f"  # confirm: {column.sure}, {column.field}" if is_draft and column.sure != SURE else ""
            lines.append(f"{column.key} = {spec}{asks}")
        again = [column for column in self.said.columns if column.field and self.said.comes_again(column)]
        if again and not self.said.wide:
            asks = "  # confirm: what do these numbers stand for?" if is_draft else ""
            wide = ", ".join(f"{column.key} = {quote_toml(column.heading)}" for column in again)
            lines += [
                "",
                "[unpivot]",
                'key = "part"',
                f"values = {quote_list(self.said.values)}{asks}",
                f"columns = {{ {wide} }}",
            ]
        if self.said.wide:
            headings = [column.heading for column in self.said.wide]
            asks = "  # confirm: is each of these columns an item?" if is_draft else ""
            lines += [
                "",
                "[unpivot]",
                'key = "item_heading"',
                f"values = {quote_list(headings)}{asks}",
                'columns = { verdict = "{}" }',
            ]
        return [*lines, ""]

    def _outside_part(self, is_draft: bool) -> list[str]:
        lines = []
        for one in self.said.captures:
            given = {"entity_code": "entity", "period": "period"}.get(one.field)
            parts = [] if one.place == "given" else [f"{one.place} = {quote_toml(one.pattern)}"]
            if given:
                parts.append(f"given = {quote_toml(given)}")
            if one.place == "given" and self.said.of(one.field):
                parts.append("optional = true")
            asks = ""
            if is_draft and one.sure != SURE:
                asks = f"  # confirm: {one.sure}" + (f", here {on_one_line(one.example)}" if one.example else "")
            lines.append(f"{one.key} = {{ {', '.join(parts)} }}{asks}")
        found = ["[capture]", *lines, ""] if lines else []
        named = {one.field for one in self.said.captures} | {column.field for column in self.said.columns}
        constants = []
        for key in ("checklist_code", "checklist_version"):
            if key in self.said.constants and key not in named and self.said.kind in ("answer", "item", "finding"):
                is_asked = is_draft and key not in self.said.strings("sure_constants")
                asks = "  # confirm: the file does not say it" if is_asked else ""
                constants.append(f"{key} = {quote_toml(self.said.constants[key])}{asks}")
        return [*found, *(["[constants]", *constants, ""] if constants else [])]

    def _texts_part(self, records: list[RecordText], is_draft: bool) -> list[str]:
        lines = ["[dates]", f"forms = {quote_list(self.said.date_forms or ['iso'])}", ""]
        if self.said.kind == "answer":
            answers = self.said.answers or [("", "not_answered", GUESS)]
            lines += ["[answers]", *_map_lines(answers, VERDICTS, is_draft), ""]
        used = {name for record in records for name in record.fields}
        for name, texts in self.said.maps.items():
            if texts and name in used and self.said.of(name):
                lines += [f"[maps.{name}]", *_map_lines(texts, choices_of(name), is_draft), ""]
        known_at = self.records.value("known_at") or (
            self.records.value("submitted_on") if self.said.kind == "answer" else None
        )
        if known_at:
            asks = "  # confirm: was it known from that day on?" if is_draft else ""
            lines += ["[known_at]", f"expression = {quote_toml(known_at)}{asks}", ""]
        return lines

    def _record_part(self, record: RecordText, is_draft: bool) -> list[str]:
        lines = ["[[record]]", f"kind = {quote_toml(record.kind)}"]
        if record.when:
            lines.append(f"when = {quote_toml(record.when)}")
        if record.repeats:
            lines.append('repeats = "worst"')
        if record.lenient:
            lines.append(f"lenient = {quote_list(record.lenient)}")
        lines.append("[record.fields]")
        for name, expression in record.fields.items():
            asks = f"  # confirm: {on_one_line(record.confirm[name])}" if is_draft and name in record.confirm else ""
            lines.append(f"{name} = {quote_toml(expression)}{asks}")
        return [*lines, ""]


def _map_lines(texts: list[tuple[str, str, str]], order: tuple[str, ...], is_draft: bool) -> list[str]:
    lines = []
    for meaning in order:
        meant = [(text, sure) for text, value, sure in texts if value == meaning]
        if not meant:
            continue
        unsure = [text for text, sure in meant if sure != SURE]
        asks = f"  # confirm: {on_one_line(', '.join(repr(text) for text in unsure))}" if unsure and is_draft else ""
        lines.append(f"{meaning} = {quote_list(text for text, _ in meant)}{asks}")
    return lines
