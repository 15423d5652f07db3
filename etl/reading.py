"""Distinct texts of a column read as values of a field: what each text means, or why it means nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

import duckdb
import pyarrow as pa

from etl.rows import Rows
from etl.schema import Field
from etl.sources import Source
from etl.values import nearest, normalise_answer, normalise_code, parse_boolean, parse_date, parse_number, parse_period
from etl.workbooks import UNCALCULATED, WORKBOOK_ERRORS

MAX_CANDIDATES = 2000
MAX_SUGGESTIONS = 200
EXCEL_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}-[A-Z][a-z]{2}")
ARROW_TYPES = {"date": pa.date32(), "number": pa.float64(), "boolean": pa.bool_()}


@dataclass(frozen=True, slots=True)
class Understanding:
    """What one text means for a field: its value, or the reason why it has none."""

    value: Any = None
    reason_code: str | None = None
    reason: str | None = None
    suggestion: str | None = None


@dataclass(slots=True)
class Reader:
    """Reads texts as values under one source, against the entities that are known and the fiscal calendar."""

    source: Source
    entity_codes: frozenset[str]
    first_month: int
    period_codes: frozenset[str]
    today: date
    suggestions_left: int = MAX_SUGGESTIONS

    def understand(self, field: Field, text: str) -> Understanding:
        """What the text means for the field; an empty cell has no value and no reason, unless an answer map has one."""
        if field.type == "verdict":
            return self._verdict(field, text)
        if field.type == "text":
            return Understanding(text)
        plain = normalise_code(text)
        if not plain:
            return Understanding()
        if damage := self._formula(plain):
            return damage
        required = self.source.patterns.get(field.name)
        if required and not re.search(required.pattern, plain):
            return Understanding(None, "damaged", f"'{plain}': {required.reason}")
        understood: Understanding = self._by_type[field.type](self, field, plain)
        return understood

    def _verdict(self, field: Field, text: str) -> Understanding:
        normal = normalise_answer(text)
        verdict = self.source.answers.get(normal)
        if verdict:
            return Understanding(verdict)
        if damage := self._formula(text):
            return damage
        if not normal:
            return Understanding(None, "empty", "The answer is empty, and the source does not say what that means.")
        reason = f"The answer '{text}' is not in the answer map of {self.source.name}."
        return Understanding(None, "unknown_answer", reason, self._near(text, self.source.answer_texts))

    def _formula(self, plain: str) -> Understanding | None:
        """Why the cell of a workbook has no value, though something stands in it."""
        if self.source.format != "xlsx":
            return None
        if plain in WORKBOOK_ERRORS:
            reason = f"The formula in this cell gives {plain}. Mend it, or write the value in its place."
            return Understanding(None, "formula_error", reason)
        if plain.startswith(UNCALCULATED):
            reason = (
                f"The cell holds the formula {plain[:60]} and no value. Open the workbook in Excel, save it there, and hand it "
                "in again."
            )
            return Understanding(None, "uncalculated", reason)
        return None

    def _code(self, field: Field, plain: str) -> Understanding:
        return Understanding(plain)

    def _date(self, field: Field, plain: str) -> Understanding:
        value = parse_date(plain, self.source.date_forms)
        if value is not None and field.is_past and value > self.today:
            reason = f"{plain} lies in the future: {field.name} is a day that has been. Correct the date."
            return Understanding(None, "future_date", reason)
        if value is not None:
            return Understanding(value)
        forms = ", ".join(self.source.date_forms)
        return Understanding(None, "bad_date", f"'{plain}' is no date in a form of this source ({forms}).")

    def _number(self, field: Field, plain: str) -> Understanding:
        value = parse_number(plain)
        if value is None:
            return Understanding(None, "bad_number", f"'{plain}' is no number.")
        if (field.minimum is not None and value < field.minimum) or (
            field.maximum is not None and value > field.maximum
        ):
            high = "" if field.maximum is None else f" and at most {field.maximum:g}"
            low = field.minimum if field.minimum is not None else "-inf"
            return Understanding(
                None, "out_of_range", f"{plain} is out of range: {field.name} is at least {low}{high}."
            )
        return Understanding(value)

    def _boolean(self, field: Field, plain: str) -> Understanding:
        value = parse_boolean(plain)
        if value is None:
            return Understanding(None, "bad_boolean", f"'{plain}' is neither yes nor no.")
        return Understanding(value)

    def _choice(self, field: Field, plain: str) -> Understanding:
        mapped = self.source.maps.get(field.name, {})
        value = mapped.get(normalise_answer(plain)) or (plain if plain in field.choices else None)
        if value:
            return Understanding(value)
        known = [*mapped, *field.choices]
        reason = f"'{plain}' is no {field.name}: it is one of {', '.join(known)}."
        return Understanding(None, "unknown_choice", reason, self._near(plain, known))

    def _period(self, field: Field, plain: str) -> Understanding:
        value = parse_period(plain, self.first_month)
        if value is None:
            return Understanding(None, "bad_period", f"'{plain}' is no period such as FY2025, FY2025-H1 or 2025-10.")
        if value not in self.period_codes:
            return Understanding(None, "bad_period", f"The period {value} lies outside the calendar of the warehouse.")
        return Understanding(value)

    def _entity(self, field: Field, plain: str) -> Understanding:
        if plain in self.entity_codes:
            return Understanding(plain)
        reason = f"The entity '{plain}' is in no organisation master that was loaded."
        near = self._near(plain, self.entity_codes)
        if near and near.lstrip("0") == plain:
            reason += " Excel may have taken its leading zeros; set the column to text and export again."
        elif EXCEL_DATE.fullmatch(plain):
            reason += " Excel may have made a date of the code; set the column to text and export again."
        return Understanding(None, "unknown_entity", reason, near)

    _by_type: ClassVar[dict[str, Any]] = {
        "code": _code,
        "date": _date,
        "number": _number,
        "boolean": _boolean,
        "choice": _choice,
        "period": _period,
        "entity": _entity,
    }

    def _near(self, text: str, known: Iterable[str]) -> str | None:
        """Nearest known text; asked for the first bad values only, because it compares with every candidate."""
        if self.suggestions_left <= 0:
            return None
        self.suggestions_left -= 1
        return suggest(text, list(known))


def suggest(text: str, candidates: list[str]) -> str | None:
    """The candidate that the text probably stands for: with the zeros that Excel takes away, else the nearest in spelling."""
    plain = normalise_code(text)
    zeros = [
        one for one in candidates if one != plain and plain and (one.lstrip("0") == plain or _is_number_of(one, plain))
    ]
    if len(zeros) == 1:
        return zeros[0]
    if len(candidates) > MAX_CANDIDATES:
        candidates = [one for one in candidates if one[:2] == text[:2] or one[-3:] == text[-3:]][:MAX_CANDIDATES]
    return nearest(text, candidates)


def _is_number_of(code: str, plain: str) -> bool:
    """Whether Excel writes the code so once it has taken it for a number: 5.10 as 5.1."""
    return "." in code and re.fullmatch(r"\d+\.\d*0", code) is not None and code.rstrip("0").rstrip(".") == plain


def make_lookup(
    connection: duckdb.DuckDBPyConnection,
    rows: Rows,
    relation: str,
    column: str,
    field: Field,
    understand: Callable[[Field, str], Understanding],
) -> tuple[str, bool]:
    """A temporary table (raw, value, reason_code, reason, suggestion) over the distinct texts of a column.

    An absent cell is the empty text. The column is read from `rows`, the table is the connection's. Returns the name of the table and whether any text was not understood.
    """
    texts = [row[0] for row in rows.execute(f"select distinct coalesce({column}, '') from {relation}").fetchall()]
    understood = [understand(field, text) for text in texts]
    table = f"lookup_{column}"
    value_type = ARROW_TYPES.get(field.type, pa.string())
    arrow = pa.table(
        {
            "raw": pa.array(texts, pa.string()),
            "value": pa.array([one.value for one in understood], value_type),
            "reason_code": pa.array([one.reason_code for one in understood], pa.string()),
            "reason": pa.array([one.reason for one in understood], pa.string()),
            "suggestion": pa.array([one.suggestion for one in understood], pa.string()),
        }
    )
    connection.register("understood", arrow)
    connection.execute(f"create or replace temp table {table} as select * from understood")
    connection.unregister("understood")
    return table, any(one.reason_code for one in understood)


def make_reader(connection: duckdb.DuckDBPyConnection, source: Source, loaded_at: datetime) -> Reader:
    """A reader that knows the entities and periods of the build under way, and the day of loading."""
    codes = frozenset(row[0] for row in connection.execute("select distinct entity_code from dim_entity").fetchall())
    periods = frozenset(row[0] for row in connection.execute("select period_code from dim_period").fetchall())
    row = connection.execute("select fiscal_first_month from build").fetchone()
    assert row
    # The moment is UTC, and somewhere it is tomorrow already.
    return Reader(source, codes, row[0], periods, loaded_at.date() + timedelta(days=1))
