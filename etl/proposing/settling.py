"""The columns of a table with their final fields: which of them names the item, which rows are data, what to ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from etl.cells import Row
from etl.proposing.fields import ENTITY_PARTS, ITEM_PARTS, SPOKEN_FIELDS
from etl.proposing.look import Look
from etl.proposing.profiles import Profile
from etl.proposing.roles import Reading, Role, holds_answers, names_item
from etl.proposing.series import Series
from etl.proposing.words import GUESS, LIKELY, OFTEN, SURE, heading_score, language_of, meaning_of
from etl.values import normalise_heading, parse_date

_DOWNWARDS: Final = (
    "category",
    "category_code",
    "measure",
    "domain",
    "entity_code",
    "entity_name",
    "period",
    "performed_on",
)
"""Fields whose blank cells can repeat the cell above; of the last two only where cells are merged."""


LEAST_WIDE: Final = 3
"""Columns of answers from which each is taken for an item."""


class Settled:
    """Settles what the columns of one table are; `questions` gathers what a person must say of them."""

    def __init__(
        self, look: Look, rows: Sequence[Row], profiles: Sequence[Profile], series: Series | None, questions: list[str]
    ) -> None:
        self.look, self.rows, self.profiles, self.series = look, rows, profiles, series
        self.questions = questions
        self.kind = ""
        self.roles: dict[int, Role] = {}
        self._ask_about_headings()

    def _ask_about_headings(self) -> None:
        counts = Counter(normalise_heading(profile.heading) for profile in self.profiles if profile.heading)
        twice = sorted(
            {one.heading for one in self.profiles if one.heading and counts[normalise_heading(one.heading)] > 1}
        )
        for heading in twice:
            self.questions.append(
                f"The heading '{shown(heading)}' stands over more than one column, so none of them can be read. Which is meant? "
                "Rename the others."
            )
        nameless = [one for one in self.profiles if not one.heading and one.filled]
        if nameless:
            self.questions.append(
                f"{len(nameless)} column(s) with cells have no heading and are left out. Is anything of them needed?"
            )

    def usable(self) -> list[Profile]:
        """The columns that a source can name: those whose heading is there once."""
        counts = Counter(normalise_heading(profile.heading) for profile in self.profiles if profile.heading)
        return [one for one in self.profiles if one.heading and counts[normalise_heading(one.heading)] == 1]

    def settle(self, reading: Reading) -> None:
        """Take over the roles of a reading: under the fields' final names, and without what cannot be."""
        self.kind = reading.kind
        roles = dict(reading.roles)
        for spoken, (japanese, english) in SPOKEN_FIELDS.items():
            positions = [position for position, role in roles.items() if role.field == spoken]
            if len(positions) < 2 and self.kind not in ("item", "entity"):
                continue
            for position in positions:
                profile = self.profiles[position]
                language = language_of(profile.heading, list(profile.texts)[:50])
                roles[position] = replace(roles[position], field=japanese if language == "ja" else english)
        roles = self._held_to(roles)
        if self.kind == "answer":
            roles |= self._wide(roles)
        self.roles = roles

    def _wide(self, roles: dict[int, Role]) -> dict[int, Role]:
        """Columns beside the answer that hold the same answers, where no column names the item: one column per item."""
        verdict = next((position for position, role in roles.items() if role.field == "verdict"), None)
        if verdict is None or self.series or names_item(self.profiles, roles):
            return {}
        alike = [
            one.position
            for one in self.usable()
            if one.filled
            and holds_answers(one, self.profiles[verdict])
            and roles.get(one.position, Role("", 0.0, GUESS)).sure != SURE
        ]
        if len(alike) < LEAST_WIDE:
            return {}
        self.questions.append(
            f"{len(alike)} columns hold answers, so each of them is taken for one item, named by its heading. Is that right?"
        )
        for position, role in list(roles.items()):
            if role.field == "item_code":
                del roles[position]
        return {position: Role("verdict", 0.5, GUESS) for position in alike}

    def _held_to(self, roles: dict[int, Role]) -> dict[int, Role]:
        """The roles without what entities and items would be told differently by different rows."""
        kept = dict(roles)
        code, text = _position(roles, "item_code"), _position(roles, "item_text", "text_ja", "text_en")
        if self.kind == "answer" and code is not None:
            other = self._better_code(roles, code)
            if other is not None and kept[code].sure == SURE:
                kept[code] = replace(kept[code], sure=LIKELY)
                self.questions.append(
                    f"Is the item named by '{shown(self.profiles[code].heading)}', where codes come again, or by "
                    f"'{shown(self.profiles[other].heading)}'?"
                )
            elif other is not None:
                kept[other] = Role("item_code", 0.5, GUESS)
                del kept[code]
                code = other
        if self.kind == "answer" and code is not None and text is not None:
            codes, texts = self.profiles[code], self.profiles[text]
            if self._varies(code, text):
                self.questions.append(
                    f"In '{shown(codes.heading)}' one code stands beside different texts, so the text is taken to name the "
                    "item. Or do the codes begin anew in each part?"
                )
                del kept[code]
                code = None
            elif codes.rows >= 8 and codes.distinct == codes.filled and texts.distinct <= 0.7 * texts.filled:
                self.questions.append(
                    f"In '{shown(codes.heading)}' each row has a code of its own while the texts come again, so the text is "
                    "taken to name the item. Does the code name the item, or the row?"
                )
                del kept[code]
                code = None
        for fields, key in (
            (ENTITY_PARTS, _position(kept, "entity_code")),
            (ITEM_PARTS, code if code is not None else text),
        ):
            if self.kind in ("item", "entity"):
                break
            for position, role in roles.items():
                if role.field in fields and position != key and key is not None and self._varies(key, position):
                    kept.pop(position, None)
        return kept

    def _better_code(self, roles: dict[int, Role], code: int) -> int | None:
        """Another column of codes, where an item would be answered again and again and by those codes would not."""
        about = ("entity_code", "period", "performed_on", "submitted_on", "inspection_code", "inspecting_entity_code")
        places = [position for position, role in roles.items() if role.field in about]
        most = len(self.series.values) if self.series else 1

        def repeats(place: int) -> int:
            keys = Counter(
                tuple((row[one] or "") if one < len(row) else "" for one in (*places, place))
                for row in self.rows
                if not is_empty(row, place)
            )
            return sum(count > most for count in keys.values())

        again = repeats(code)
        if not again:
            return None
        for profile in self.usable():
            is_code = (
                heading_score("item_code", profile.heading) >= OFTEN
                and profile.fill >= 0.9
                and profile.mean_length <= 40
            )
            if profile.position not in (code, *places) and is_code and not repeats(profile.position):
                return profile.position
        self.questions.append(
            f"{again} items are answered more than once by the same entity for the same day or period. Which answer counts? Rows "
            'that contradict each other are refused; `repeats = "worst"` lets the worst count.'
        )
        return None

    def is_one_a_day(self) -> bool:
        """Whether an item is answered on several days of one period, so that each day is an inspection of its own."""
        fields = {role.field: position for position, role in self.roles.items()}
        day, item = fields.get("performed_on"), fields.get("item_code", fields.get("item_text"))
        if self.kind != "answer" or day is None or item is None or "inspection_code" in fields or self.series:
            return False
        about = [fields[name] for name in ("entity_code", "period", "inspecting_entity_code") if name in fields]
        days: dict[tuple[str, ...], set[str]] = {}
        for row in self.rows:
            if is_empty(row, day) or is_empty(row, item):
                continue
            date = parse_date(str(row[day]), ("iso", "japanese", "d mon y", "d/m/y", "m/d/y"))
            month = "" if "period" in fields or date is None else f"{date:%Y-%m}"
            key = tuple("" if is_empty(row, one) else str(row[one]) for one in (*about, item))
            days.setdefault((*key, month), set()).add(str(row[day]))
        return any(len(told) > 1 for told in days.values())

    def _varies(self, key: int, position: int) -> bool:
        """Whether the cells of a column differ between rows that have the same text in the key column."""
        seen: dict[str, str] = {}
        is_filled_down = self.profiles[position].fill < 0.6
        for row in self.rows:
            if not is_empty(row, key) and not (is_filled_down and is_empty(row, position)):
                text = "" if is_empty(row, position) else str(row[position]).strip()
                if seen.setdefault(str(row[key]).strip(), text) != text:
                    return True
        return False

    def position(self, *fields: str) -> int | None:
        """The column of the first of the fields that has one."""
        return _position(self.roles, *fields)

    def skipped_rows(self, keys: dict[int, str]) -> tuple[tuple[tuple[str, ...], ...], bool]:
        """Columns of which all are empty in rows that are no data, and whether rows without an answer are such."""
        if self.kind != "answer":
            needed = {
                "finding": ("finding_code", "description"),
                "item": ("item_code",),
                "entity": ("entity_code",),
                "plan": ("entity_code", "due_on"),
            }
            found = [self.position(name) for name in needed[self.kind]]
            return (
                (tuple(keys[one] for one in found if one is not None),) if any(one is not None for one in found) else ()
            ), False
        verdicts = [position for position, role in self.roles.items() if role.field == "verdict"]
        code, text = self.position("item_code"), self.position("item_text", "text_ja", "text_en")
        if len(verdicts) != 1 or (code is None and text is None):
            return (), False
        (verdict,) = verdicts
        skips = [tuple(keys[one] for one in (place, verdict)) for place in (code, text) if place is not None]
        remarks = [
            position
            for position, role in self.roles.items()
            if role.field
            in ("comment", "has_evidence", "written_score", "performed_on", "due_on", "completed_on", "owner")
            and self.profiles[position].fill < 0.99
        ]
        silent = [row for row in self.rows if is_empty(row, verdict)]
        unanswered = any(
            meaning.value == "not_answered"
            for one in self.profiles[verdict].texts
            if (meaning := meaning_of("verdict", one))
        )
        bare = [row for row in silent if all(is_empty(row, position) for position in remarks)]
        # Where the export has a word for an item without an answer, a row without any word is a heading.
        if silent and unanswered and len(bare) == len(silent) < 0.5 * len(self.rows):
            self.questions.append(
                f"{len(silent)} rows have no answer although the export has a word for that: are they headings, to be left out?"
            )
            skips = [(keys[verdict], *(keys[position] for position in remarks))]
            return tuple(skips), True
        return tuple(dict.fromkeys(skips)), False

    def filled_down(self, keys: dict[int, str]) -> tuple[str, ...]:
        """Keys of the columns whose blank cells repeat the cell above."""
        filled = []
        for position, role in self.roles.items():
            profile = self.profiles[position]
            is_merged = position in self.look.merged
            is_first_of_group = (
                role.field in _DOWNWARDS[:6]
                and 0 < profile.fill < 0.6
                and profile.filled >= 2
                and bool(self.rows)
                and not is_empty(self.rows[0], position)
            )
            if role.field in _DOWNWARDS and (is_merged or is_first_of_group):
                filled.append(keys[position])
                if not is_merged:
                    self.questions.append(
                        f"Most cells of '{shown(profile.heading)}' are empty: do they repeat the cell above?"
                    )
        return tuple(filled)


def _position(roles: dict[int, Role], *fields: str) -> int | None:
    return next((position for name in fields for position, role in roles.items() if role.field == name), None)


def is_empty(row: Row, position: int) -> bool:
    """Whether the row has nothing in that column."""
    return position >= len(row) or not (row[position] or "").strip()


def shown(text: str) -> str:
    """A text of the file inside a sentence: on one line, and not too long."""
    return " ".join(text.split())[:60]
