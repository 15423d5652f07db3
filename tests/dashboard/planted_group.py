"""A copy of a build in which every text of an entity carries its code, so that whatever is said of it shows."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import duckdb

CODE = re.compile(rb"(?:AF|ST|BG|HO)-\d{4}")

PLANTS = (
    "update dim_entity set name_en = 'Unit ' || entity_code, name_ja = '部門' || entity_code,"
    " privacymark_number = case when privacymark_number is not null then 'Mark ' || entity_code end",
    "update fct_answer a set comment = 'Comment on ' || e.entity_code, sheet = 'Sheet of ' || e.entity_code"
    " from fct_inspection f join dim_entity e on e.entity_id = f.entity_id where f.inspection_id = a.inspection_id",
    "update fct_inspection f set inspection_code = 'Inspection of ' || e.entity_code from dim_entity e"
    " where e.entity_id = f.entity_id",
    "update fct_finding f set description = 'Finding at ' || e.entity_code, finding_code = 'F/' || e.entity_code || '/'"
    " || f.finding_id from dim_entity e where e.entity_id = f.entity_id",
    "update fct_action g set owner = 'Owner at ' || e.entity_code, description = 'Action at ' || e.entity_code"
    " from fct_finding f join dim_entity e on e.entity_id = f.entity_id where f.finding_id = g.finding_id",
    # Files are named after somebody outside.
    "update load set file_name = 'AF-0020 ' || file_name",
)
# The last two years, and of the others those with a small number: it is not the mass of answers that is looked for.
THINNED = """delete from {table} where inspection_id in (
    select f.inspection_id from fct_inspection f join dim_entity e on e.entity_id = f.entity_id
    where f.fiscal_year < 2024 or e.entity_code[-2:] > '24'
)"""
TABLES = (
    "fct_answer", "fct_pair", "cube_pair", "cube_inspection", "cube_measure", "cube_category", "fct_inspection",
)  # fmt: skip


def plant(home: Path, into: Path) -> Path:
    """A home with the planted copy of the newest build of another."""
    folder = into / "warehouse"
    folder.mkdir(parents=True)
    name = (home / "warehouse" / "current").read_text("utf-8").strip()
    build = folder / f"{Path(name).stem}.duckdb"
    shutil.copy(home / "warehouse" / build.name, build)
    (folder / "current").write_text(name, "utf-8")
    with duckdb.connect(str(build)) as connection:
        for statement in (*(THINNED.format(table=table) for table in TABLES), *PLANTS):
            connection.execute(statement)
    return into


def list_codes(home: Path) -> dict[str, str]:
    """Every entity's code with its region."""
    name = (home / "warehouse" / "current").read_text("utf-8").strip()
    with duckdb.connect(str(home / "warehouse" / f"{Path(name).stem}.duckdb"), read_only=True) as connection:
        rows = connection.execute("select entity_code, arg_max(region_code, valid_from) from dim_entity group by 1")
        return dict(rows.fetchall())
