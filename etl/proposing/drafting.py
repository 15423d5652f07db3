"""Drafts a source for a file that none describes: puts together what the other modules find in it."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Final

from etl.cells import Row
from etl.proposing.dates import join_forms
from etl.proposing.fields import CHOICE_FIELDS, DATE_FIELDS
from etl.proposing.known import Known, read_known
from etl.proposing.look import Look, look_at, same_columns, sheet_pattern
from etl.proposing.outside import CODE_PATTERN, DATE_PATTERNS, PERIOD_PATTERNS, Found, find_outside
from etl.proposing.profiles import Profile, make_profile
from etl.proposing.proposal import Proposal, ProposedColumn
from etl.proposing.roles import Reading, read_roles
from etl.proposing.series import Series, stack
from etl.proposing.settling import Settled, is_empty, shown
from etl.proposing.vocabulary import MOST_ANSWERS, Answer, read_answers, read_choices
from etl.proposing.words import GUESS, LIKELY, SURE, plain_words, read_words
from etl.proposing.writing import write_draft
from etl.tables import Export
from etl.values import normalise_code, parse_date

GLANCE_ROWS: Final = 200
"""Rows of each sheet by which the sheet with the table is picked."""
LEAST_SCORE: Final = 1.5
"""Score of a kind below which it is asked what the file is."""


def propose(path: Path, home: Path | None = None) -> Proposal:
    """Draft a source for the file; loads nothing. Raises Unreadable with a sentence where there is no table to describe."""
    export = Export(path)
    known = read_known(home)
    try:
        looks = look_at(export)
        return _Drafting(export, looks, known).proposal()
    finally:
        export.forget()


class _Drafting:
    """Puts together what the modules find in one file."""

    def __init__(self, export: Export, looks: list[Look], known: Known) -> None:
        self.export, self.known = export, known
        self.look, self.twins, self.others = _pick_sheet(looks, known)
        self.questions: list[str] = list(self.look.doubts)
        self.sure_constants: list[str] = []
        self.series: Series | None = None
        if len(self.twins) == 1:
            self.look, self.series = stack(self.look)
            self.twins = [self.look]
        rows = [row for look in self.twins for row in look.rows]
        self.rows = rows
        self.profiles = [
            make_profile(position, heading.strip(), rows) for position, heading in enumerate(self.look.heading)
        ]
        self.columns = Settled(self.look, rows, self.profiles, self.series, self.questions)
        self.reading = read_roles(self.columns.usable(), known)
        self.kind = self.reading.kind
        self.columns.settle(self.reading)
        self.roles = self.columns.roles

    def proposal(self) -> Proposal:
        """The proposal with its draft."""
        columns, keys = self._columns()
        skip, is_section_skipped = self.columns.skipped_rows(keys)
        answers = self._answers(is_section_skipped)
        maps = self._maps()
        captures = self._captures()
        constants, brings_items = self._checklist(captures)
        brings_entities = self._brings_entities(captures)
        dates = self._date_forms(captures)
        fill_down = self.columns.filled_down(keys)
        self._ask(captures, answers, maps)
        sheets = [look.sheet for look in self.twins if look.sheet]
        proposal = Proposal(
            file=self.export.name,
            format=str(self.export.format),
            encoding=self.look.encoding,
            delimiter=self.look.delimiter,
            sheet=sheet_pattern(sheets, [look.sheet for look in self.others if look.sheet])
            if sheets and self.others
            else None,
            header_row=self.look.header_row,
            header_rows=self.look.header_rows,
            stop_at=self.look.stop_at,
            date_forms=dates,
            kind=self.kind,
            columns=columns,
            answers=answers,
            captures=captures,
            constants=constants,
            sure_constants=tuple(self.sure_constants),
            brings_items=brings_items,
            brings_entities=brings_entities,
            questions=tuple(dict.fromkeys(self.questions)),
            maps=maps,
            fill_down=fill_down,
            skip_when_empty=skip,
            series=self.series,
            is_one_inspection_a_day=self.columns.is_one_a_day(),
            document=self.export.document if self.export.format in ("json", "xml") else None,
        )
        return replace(proposal, toml=write_draft(proposal.to_json()))

    # --- columns ----------------------------------------------------------------------------------

    def _columns(self) -> tuple[tuple[ProposedColumn, ...], dict[int, str]]:
        columns, keys, used = [], {}, Counter[str]()
        for profile in self.profiles:
            if not profile.heading and not profile.filled:
                continue
            role = self.roles.get(profile.position)
            key = role.field if role else f"column_{profile.position + 1}"
            used[key] += 1
            if used[key] > 1:
                key = f"{key}_{used[key]}"
            keys[profile.position] = key
            columns.append(
                ProposedColumn(
                    key,
                    self.look.heading[profile.position].strip(),
                    role.field if role else None,
                    role.sure if role else GUESS,
                    tuple(profile.examples),
                    self._texts_as_answers(profile),
                )
            )
        return tuple(columns), keys

    def _texts_as_answers(self, profile: Profile) -> tuple[Answer, ...]:
        if (
            not profile.filled
            or profile.distinct > MOST_ANSWERS
            or profile.mean_length > 40
            or profile.dates.share > 0.5
        ):
            return ()
        answers = read_answers(profile.texts, profile.rows - profile.filled, profile.heading)
        return tuple(replace(one, sure=LIKELY if one.sure == SURE else one.sure) for one in answers[:MOST_ANSWERS])

    # --- texts ------------------------------------------------------------------------------------

    def _answers(self, is_section_skipped: bool) -> tuple[Answer, ...]:
        if self.kind != "answer":
            return ()
        positions = [position for position, role in self.roles.items() if role.field == "verdict"]
        texts: Counter[str] = Counter()
        empty = 0
        for position in positions:
            texts += self.profiles[position].texts
            empty += sum(is_empty(row, position) and self._is_asked(row) for row in self.rows)
        if not positions:
            return ()
        heading = self.profiles[positions[0]].heading
        answers = read_answers(texts, 0 if is_section_skipped else empty, heading)
        if all(self.roles[position].sure == GUESS for position in positions):
            answers = [replace(one, sure=LIKELY if one.sure == SURE else one.sure) for one in answers]
        if len(answers) > MOST_ANSWERS:
            self.questions.append(
                f"'{shown(heading)}' holds {len(answers)} different texts; only the {MOST_ANSWERS} most frequent are in the "
                "draft. Is it really the answer?"
            )
        return tuple(answers[:MOST_ANSWERS])

    def _is_asked(self, row: Row) -> bool:
        """Whether the row asks something: it names an item by code or, where there is no code, by its text."""
        code = self.columns.position("item_code")
        text = self.columns.position("item_text", "text_ja", "text_en")
        place = code if code is not None else text
        return place is None or not is_empty(row, place)

    def _maps(self) -> dict[str, tuple[Answer, ...]]:
        maps = {}
        for position, role in self.roles.items():
            if role.field in CHOICE_FIELDS:
                maps[role.field] = tuple(read_choices(role.field, self.profiles[position].texts))
        return maps

    # --- outside the table ------------------------------------------------------------------------

    def _captures(self) -> tuple[Found, ...]:
        in_columns = {role.field for role in self.roles.values()}
        sheets = [look.sheet for look in self.twins if look.sheet]
        found = {one.field: one for one in find_outside(self.export.name, self.look, sheets, self.known)}
        date = found.pop("known_at", None)
        if date and date.place == "file_name" and self.kind == "answer":
            if not {"performed_on", "submitted_on"} & (in_columns | set(found)):
                found["performed_on"] = replace(date, field="performed_on", sure=GUESS)
            date = None
        if date:
            found["known_at"] = date
        wanted = {
            "answer": ("entity_code", "period", "performed_on", "submitted_on", "checklist_version", "checklist_code", "inspecting_entity_code", "entity_name"),
            "finding": ("entity_code", "period", "known_at"),
            "item": ("checklist_code", "checklist_version", "known_at"),
            "entity": ("known_at",),
            "plan": ("entity_code", "period", "known_at"),
        }[self.kind]  # fmt: skip
        captures = [found[name] for name in wanted if name in found and name not in in_columns]
        names = {one.field for one in captures} | in_columns
        if "entity_code" in names or "entity_name" not in found:
            captures = [one for one in captures if one.field != "entity_name" or "entity_code" in names]
        elif self.kind == "answer":
            name = found["entity_name"]
            captures = [one for one in captures if one.field != "entity_name"]
            is_code = re.fullmatch(CODE_PATTERN, name.example or "") is not None
            captures.append(replace(name, field="entity_code", sure=LIKELY if is_code else GUESS))
            if not is_code:
                self.questions.append(
                    f"The file names its entity '{shown(name.example or '')}' but gives no code. Is the name to be used as the code?"
                )
            names.add("entity_code")
        if self.kind in ("answer", "finding", "plan"):
            days = {"answer": {"performed_on", "submitted_on"}, "finding": {"raised_on"}, "plan": {"due_on"}}
            dated = names & days[self.kind]
            if self.series and self.series.prefix == "Q":
                dated = set()  # The year of the quarters must be said.
            if "entity_code" not in names:
                captures.append(Found("entity_code", "given", "entity", None, GUESS))
            if "period" not in names and not dated:
                captures.append(Found("period", "given", "period", None, GUESS))
        return tuple(captures)

    def _checklist(self, captures: tuple[Found, ...]) -> tuple[dict[str, str], bool]:
        """Constants of the draft, and whether the file is to bring its items."""
        constants: dict[str, str] = {}
        named = {role.field for role in self.roles.values()} | {one.field for one in captures}
        # They are there for every kind: a person may say that the file is of another.
        if "inspection_type" not in named:
            value, is_named = self._inspection_type()
            constants["inspection_type"] = value
            if is_named:
                self.sure_constants.append("inspection_type")
            elif self.kind in ("answer", "finding", "plan"):
                self.questions.append(
                    f"Of which type are these inspections: self_check, mutual_check, affiliate_check or privacy_audit? {value} is taken."
                )
        codes = self._texts_of("item_code")
        known = self.known.checklist_of(codes)
        is_about_items = self.kind in ("answer", "item") or (self.kind == "finding" and bool(codes))
        if "checklist_code" not in named:
            constants["checklist_code"] = known[0] if known else self._checklist_code(captures)
            if not known and is_about_items:
                self.questions.append(
                    f"By which code is the checklist known? '{constants['checklist_code']}' is taken from the name of the file."
                )
        if "checklist_version" not in named:
            constants["checklist_version"] = known[1] if known else "1"
        if known:
            self.sure_constants += ["checklist_code", "checklist_version"]
        if self.kind == "finding" and is_about_items and known is None:
            self.questions.append(
                "The items of these findings are in no checklist that was loaded, so they are added by code. Or load the "
                "checklist first?"
            )
        return constants, is_about_items and self.kind != "item" and known is None

    def _inspection_type(self) -> tuple[str, bool]:
        texts = [self.export.name, *(str(look.sheet or "") for look in self.twins)]
        texts += [cell for row in self.look.above for cell in row if cell]
        plain = [plain_words(text) for text in texts]
        for word, meaning in read_words().texts["inspection_type"].items():
            if any(word in text.replace(" ", "") for text in plain):
                return meaning.value, meaning.sure == SURE
        return "self_check", False

    def _checklist_code(self, captures: tuple[Found, ...]) -> str:
        stem = unicodedata.normalize("NFKC", Path(self.export.name).stem)
        for one in captures:
            if one.example:
                stem = stem.replace(one.example, " ")
        for pattern in (*PERIOD_PATTERNS, *DATE_PATTERNS, CODE_PATTERN):
            stem = re.sub(pattern, " ", stem)
        stem = re.sub(r"20\d{2}|\d{6,}", " ", stem)
        words = [word for word in re.split(r"[\s_\-.()]+", stem) if word and not word.isdigit()]
        code = "-".join(words)[:40].upper()
        return code or "CHECKLIST"

    def _texts_of(self, name: str) -> list[str]:
        position = self.columns.position(name)
        return list(self.profiles[position].texts) if position is not None else []

    def _brings_entities(self, captures: tuple[Found, ...]) -> bool:
        if self.kind not in ("answer", "finding", "plan"):
            return False
        codes = self._texts_of("entity_code")
        codes += [
            one.example for one in captures if one.field == "entity_code" and one.example and one.place != "given"
        ]
        if not codes:
            return False
        known = self.known.entities | self.known.names
        unknown = [code for code in codes if normalise_code(code) not in known]
        if not self.known.entities:
            return True
        if len(unknown) > 0.5 * len(codes):
            self.questions.append(
                f"No entity '{shown(unknown[0])}' was loaded so far. Correct the codes, load the organisation master first, or let "
                "this file add its entities."
            )
        # Once there is a master, it says who is in the group: a code mistyped here must not become an entity.
        return False

    def _date_forms(self, captures: tuple[Found, ...]) -> tuple[str, ...]:
        positions = [position for position, role in self.roles.items() if role.field in DATE_FIELDS]
        joined = join_forms(self.profiles[position].dates for position in positions)
        names = ", ".join(
            f"'{shown(self.profiles[one].heading)}'" for one in positions if self.profiles[one].dates.either
        )
        if joined.is_undecided:
            self.questions.append(
                f"In {names} no number is above 12, so day and month could be either way round. Day first is taken: is it?"
            )
        if joined.is_mixed:
            self.questions.append(f"In {names} some dates have the day first and others the month. Which are wrong?")
        forms = list(joined.forms)
        for one in captures:
            if one.field in (*DATE_FIELDS, "known_at") and one.example:
                form = next(
                    (
                        form
                        for form in ("iso", "japanese", "d mon y", "d/m/y", "m/d/y")
                        if parse_date(one.example, (form,))
                    ),
                    None,
                )
                if form and form not in forms and not ({form, *forms} >= {"d/m/y", "m/d/y"}):
                    forms.append(form)
        if not positions and forms[0] == "iso" and len(forms) > 1:
            forms = forms[1:]
        return tuple(forms)

    # --- questions --------------------------------------------------------------------------------

    def _ask(
        self,
        captures: tuple[Found, ...],
        answers: tuple[Answer, ...],
        maps: dict[str, tuple[Answer, ...]],
    ) -> None:
        named = {role.field for role in self.roles.values()}
        if self.reading.score < LEAST_SCORE:
            self.questions.append(
                "Little of this file is like an export of answers, findings, items, entities or plans. What does a row say?"
            )
        if self.kind == "answer":
            if "verdict" not in named:
                self.questions.append("No column looks like the answer. Which is it?")
            wide = sum(role.field == "verdict" for role in self.roles.values())
            if wide < 2 and not named & {"item_code", "item_text", "text_ja", "text_en"}:
                self.questions.append(
                    "No column names the item that is answered; the heading of the answer does. Or which does?"
                )
            guesses = [one for one in answers if one.sure == GUESS and one.text]
            if guesses:
                texts = ", ".join(f"'{shown(one.text)}'" for one in guesses[:6])
                self.questions.append(f"What do the answers {texts} mean?")
        for name, choices in maps.items():
            unsure = [one for one in choices if one.sure == GUESS]
            if unsure:
                listed = ", ".join(f"'{shown(one.text)}'" for one in unsure[:6])
                self.questions.append(f"Which {name.replace('_', ' ')} do the texts {listed} stand for?")
        for one in captures:
            if one.place == "given":
                what = "entity" if one.field == "entity_code" else "period"
                self.questions.append(
                    f"The file does not name its {what}; it is given with every load. Or where does it stand?"
                )
        for position, role in self.roles.items():
            if role.sure == GUESS and role.field in ("entity_code", "item_code", "verdict", "period", "finding_code"):
                heading = shown(self.profiles[position].heading)
                self.questions.append(f"Is '{heading}' the {role.field.replace('_', ' ')}? It is a guess.")
        if self.series:
            numbers = ", ".join(self.series.values[:6])
            self.questions.append(
                f"Headings come again with the numbers {numbers}; each number is read as rows of its own. What do the numbers stand for?"
            )
        if self.others:
            names = ", ".join(f"'{shown(look.sheet or '')}'" for look in self.others[:6])
            self.questions.append(f"The sheets {names} hold other tables and are left out. Is anything of them needed?")
        if not self.look.is_whole:
            self.questions.append(
                "The file is long, and only its beginning and end were looked at. Is anything different within?"
            )


def _pick_sheet(looks: list[Look], known: Known) -> tuple[Look, list[Look], list[Look]]:
    """The table that is most like an export, those with the same headings (it among them), and the others."""
    if len(looks) == 1:
        return looks[0], looks, []
    # A summary of a few rows can be as well named as the table that it sums up.
    scored = [
        (_glance(look, known).score + 0.4 * math.log10(1 + len(look.rows)), -place) for place, look in enumerate(looks)
    ]
    best = looks[max(range(len(looks)), key=lambda place: scored[place])]
    twins = [look for look in looks if look is best or same_columns(look, best)]
    return twins[0] if best not in twins else best, twins, [look for look in looks if not same_columns(look, best)]


def _glance(look: Look, known: Known) -> Reading:
    rows = look.rows[:GLANCE_ROWS]
    profiles = [make_profile(position, heading.strip(), rows) for position, heading in enumerate(look.heading)]
    return read_roles([one for one in profiles if one.heading], known)
