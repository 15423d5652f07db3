"""The contract between exports and the warehouse: the DDL in data/schema and the record kinds in records.toml."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa

from etl.values import periods

DATA = Path(__file__).resolve().parent.parent / "data"
SCHEMA_VERSION = int((DATA / "schema" / "version.txt").read_text("utf-8"))
"""Raised with every change of the tables: a build of an earlier one is made again from the archive."""
FIRST_YEAR, LAST_YEAR = 1990, 2060
FOREVER = "9999-12-31"
BEGINNING = "0001-01-01"

SQL_TYPES = {"date": "date", "number": "double", "boolean": "boolean"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record kind, as declared in records.toml."""

    name: str
    type: str
    help: str
    is_key: bool = False
    is_required: bool = False
    default: str | None = None
    choices: tuple[str, ...] = ()
    level: str = "row"
    minimum: float | None = None
    maximum: float | None = None
    is_past: bool = False
    """Whether a day after that of loading cannot be right."""

    @property
    def sql_type(self) -> str:
        """DuckDB type in which a statement keeps the field."""
        return SQL_TYPES.get(self.type, "varchar")


@dataclass(frozen=True, slots=True)
class RecordKind:
    """A kind of record that a source may yield."""

    name: str
    help: str
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field:
        """The field of that name."""
        return next(field for field in self.fields if field.name == name)

    @property
    def keys(self) -> tuple[Field, ...]:
        """Fields that together name the thing spoken about."""
        return tuple(field for field in self.fields if field.is_key)

    @property
    def contents(self) -> tuple[Field, ...]:
        """Fields that say something about it."""
        return tuple(field for field in self.fields if not field.is_key)


@cache
def record_kinds() -> dict[str, RecordKind]:
    """Every record kind by name, in the order in which kinds must be loaded."""
    declared = tomllib.loads((DATA / "schema" / "records.toml").read_text("utf-8"))
    return {
        name: RecordKind(
            name,
            body["help"],
            tuple(
                Field(
                    field_name,
                    spec["type"],
                    spec["help"],
                    spec.get("key", False),
                    spec.get("required", False),
                    spec.get("default"),
                    tuple(spec.get("choices", ())),
                    spec.get("level", "row"),
                    spec.get("minimum"),
                    spec.get("maximum"),
                    spec.get("past", False),
                )
                for field_name, spec in body["fields"].items()
            ),
        )
        for name, body in declared.items()
    }


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create every table of a build in an empty database."""
    for path in sorted((DATA / "schema").glob("*.sql")):
        connection.execute(path.read_text("utf-8"))
    for kind in record_kinds().values():
        connection.execute(statement_ddl(kind))


def create_schema(connection: duckdb.DuckDBPyConnection, build_name: str, fiscal_first_month: int = 4) -> None:
    """Create every table of a build in an empty database and fill the reference tables."""
    create_tables(connection)
    fill(connection, "dim_period", list(periods(FIRST_YEAR, LAST_YEAR, fiscal_first_month)))
    for table, name in (("dim_region", "regions.csv"), ("dim_country", "countries.csv")):
        with (DATA / "reference" / name).open(encoding="utf-8", newline="") as file:
            _, *rows = csv.reader(file)
        fill(connection, table, rows)
    connection.execute(
        "insert into build values (?, now() at time zone 'UTC', ?, ?)", [build_name, SCHEMA_VERSION, fiscal_first_month]
    )


def fill(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[object]]) -> None:
    """Insert rows in the order of the table's columns; one statement is a hundred times faster than one per row."""
    columns = [pa.array([value if value != "" else None for value in column]) for column in zip(*rows, strict=True)]
    connection.register("filling", pa.table(columns, names=[f"c{number}" for number in range(len(columns))]))
    connection.execute(f"insert into {table} select * from filling")
    connection.unregister("filling")


def statement_ddl(kind: RecordKind) -> str:
    """DDL of the table that keeps what every load said about one kind; for answers, about their inspections."""
    name, fields = kind.name, kind.fields
    extra: list[tuple[str, str, str]] = []
    if kind.name == "answer":
        name = "inspection"
        fields = tuple(field for field in fields if field.level == "inspection")
        extra = [
            ("inspection_id", "bigint", "Id of the inspection."),
            ("reference_on", "date", "Day whose entity attributes its figures use."),
            ("source_name", "varchar", "Source whose export said so."),
        ]
    columns = [
        *((field.name, field.sql_type, field.help) for field in fields),
        *extra,
        ("known_at", "timestamp", "Moment at which this became known, UTC."),
        ("load_id", "bigint", "Load that said so."),
        ("sheet", "varchar", "Sheet it stands on; null for files without sheets."),
        ("row_no", "bigint", "Row it stands on, from 1."),
    ]
    table = f"stm_{name}"
    lines = [f"create table {table} ({', '.join(f'{column} {sql_type}' for column, sql_type, _ in columns)})"]
    grain = f"One row per {name} and load: what the load said. {'' if name == 'inspection' else kind.help}"
    lines.append(f"comment on table {table} is '{_quoted(grain.strip())}'")
    lines += [f"comment on column {table}.{column} is '{_quoted(text)}'" for column, _, text in columns]
    return ";\n".join(lines)


def _quoted(text: str) -> str:
    return text.replace("'", "''")
