"""Dimensions and facts derived from statements: what held, and from when to when it was known."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from etl.rows import Rows
from etl.schema import BEGINNING, FOREVER, record_kinds

MODELS = Path(__file__).parent / "models"
DIMENSIONS = ("region", "entity", "item", "lineage", "reference")
TABLES = {
    "region": "dim_region",
    "entity": "dim_entity",
    "item": "dim_item",
    "lineage": "brg_item_lineage",
    "inspection": "fct_inspection",
    "plan": "fct_plan",
    "finding": "fct_finding",
    "action": "fct_action",
}


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Define what the models share: how an id follows from a natural key."""
    connection.execute(
        "create or replace temp macro id_of(kind, natural_key) as "
        "(md5_number_lower(kind || chr(31) || natural_key) >> 1)::bigint"
    )


def run_model(rows: Rows, name: str) -> None:
    """Run the statements of etl/models/<name>.sql."""
    text = re.sub(r"--[^\n]*", "", (MODELS / f"{name}.sql").read_text("utf-8"))
    for statement in text.split(";"):
        if statement.strip():
            rows.execute(statement)


def fold(connection: duckdb.DuckDBPyConnection, kind: str) -> None:
    """Derive anew everything that the statements say about the keys in `touched_key`.

    Statements are put in the order of their knowledge dates, so the result does not depend on the order of loads.
    Of two loads that speak at the same moment, the one with the greater id counts. A dimension's statement that leaves
    a field out lets earlier knowledge stand, and the first knowledge of a thing counts from the beginning. An entity
    is one thing through all its intervals, so every interval of it is derived anew.
    """
    if kind == "inspection":
        keys = ["inspection_id"]
        declared = record_kinds()["answer"].fields
        contents = [f.name for f in declared if f.level == "inspection"] + ["reference_on", "source_name"]
    else:
        keys = [field.name for field in record_kinds()[kind].keys]
        contents = [field.name for field in record_kinds()[kind].contents]
    is_dimension = kind in DIMENSIONS
    thing = "entity_code" if kind == "entity" else ", ".join(keys)
    if kind == "entity":
        connection.execute(
            """create or replace temp table touched_key as
            select distinct entity_code, valid_from from stm_entity semi join touched_key using (entity_code)"""
        )
    key_list = ", ".join(keys)
    if is_dimension:
        said = ", ".join(f"last_value({name} ignore nulls) over spoken as {name}" for name in contents)
    else:
        said = ", ".join(contents)
    row = f"row({', '.join(contents) or 'null'})"
    first = f"timestamp '{BEGINNING}'" if is_dimension else "known_at"
    same_key = " and ".join(f"s.{key} is not distinct from k.{key}" for key in keys)
    connection.execute(
        f"""create or replace temp table folded as
        with spoken as (
            select {", ".join(f"s.{key}" for key in keys)}, {said}{"," if said else ""} known_at, load_id, sheet, row_no
            from stm_{kind} s semi join touched_key k on {same_key}
            window spoken as (partition by {", ".join(f"s.{key}" for key in keys)} order by known_at, load_id
                rows between unbounded preceding and current row)
        ),
        once as (
            select * from spoken qualify row_number() over (partition by {key_list}, known_at order by load_id desc) = 1
        ),
        compared as (
            select *, lag({row}) over following as row_before, row_number() over following as position,
                min(known_at) over (partition by {thing}) as first_known_at
            from once window following as (partition by {key_list} order by known_at)
        ),
        opened as (select * from compared where position = 1 or {row} is distinct from row_before)
        select * exclude (row_before, position, first_known_at),
            case when position = 1 and known_at = first_known_at then {first} else known_at end as known_from,
            coalesce(lead(known_at) over (partition by {key_list} order by known_at), timestamp '{FOREVER}') as known_to
        from opened"""
    )
    if kind in TABLES:
        run_model(connection, TABLES[kind])
