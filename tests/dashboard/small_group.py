"""A small made-up group as a warehouse build: 40 entities, 5 regions, 12 halves, 4 measures.

Run as a script it writes a home to look at: `python tests/dashboard/small_group.py FOLDER`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from tests.metrics.inserted_group import FILL_BLOCKS, FILL_PLANS

SCHEMA = Path(__file__).parents[2] / "data" / "schema"
BUILD_NAME = "20260420T000000Z-small"
FOREVER = datetime(9999, 12, 31)
ALWAYS = datetime(1, 1, 1)
MEASURES = ("organizational", "human", "physical", "technological")
DOMAINS = ("confidential_information", "personal_information")
YEARS = range(2020, 2026)
HALVES = tuple(f"FY{year}-H{half}" for year in YEARS for half in (1, 2))
REGIONS = (
    ("JP", "Japan", "日本", 14),
    ("AM", "Americas", "米州", 7),
    ("EU", "Europe", "欧州", 7),
    ("CN", "China", "中国", 6),
    ("AS", "Asia", "アジア", 6),
)
BUSINESS_GROUPS = (
    ("BG-IMG", "Imaging Systems", "イメージング事業"),
    ("BG-OFF", "Office Solutions", "オフィス事業"),
    ("BG-MED", "Medical Devices", "メディカル事業"),
)
GAP = ("CN", "FY2022-H2")
"""Region and half that were planned but never inspected: a gap in every chart."""


@dataclass(frozen=True, slots=True)
class SmallGroup:
    """The rows of the build, for recomputing figures without SQL."""

    entities: pd.DataFrame
    inspections: pd.DataFrame
    answers: pd.DataFrame
    plans: pd.DataFrame


def half_bounds(half: str) -> tuple[date, date]:
    """First and last day of a half such as FY2025-H1."""
    year = int(half[2:6])
    if half.endswith("H1"):
        return date(year, 4, 1), date(year, 9, 30)
    return date(year, 10, 1), date(year + 1, 3, 31)


def list_entities() -> pd.DataFrame:
    """Three business groups and forty sites and affiliates."""
    rows = [
        {"entity_code": code, "name_en": en, "name_ja": ja, "entity_kind": "business_group", "region_code": "JP"}
        for code, en, ja in BUSINESS_GROUPS
    ]
    for region, name_en, name_ja, count in REGIONS:
        for number in range(1, count + 1):
            is_site = number % 3 == 0
            kind_en, kind_ja = ("Works", "事業所") if is_site else ("Company", "会社")
            rows.append(
                {
                    "entity_code": f"{region}-{number:02d}",
                    "name_en": f"{name_en} {kind_en} {number}",
                    "name_ja": f"{name_ja}{kind_ja}{number}",
                    "entity_kind": "site" if is_site else "affiliate",
                    "region_code": region,
                    "business_group_code": BUSINESS_GROUPS[number % 3][0],
                }
            )
    frame = pd.DataFrame(rows)
    frame["entity_id"] = range(1, len(frame) + 1)
    frame["parent_entity_code"] = frame["business_group_code"]
    return frame.assign(
        has_privacymark=False,
        valid_from=date(1900, 1, 1),
        valid_to=date(9999, 12, 31),
        known_from=ALWAYS,
        known_to=FOREVER,
        load_id=1,
    )


def list_items() -> pd.DataFrame:
    """Twenty-four items: three per measure and domain, with weights 1 and 2."""
    rows = []
    for measure in MEASURES:
        for domain in DOMAINS:
            for number in range(1, 4):
                code = f"{measure[0].upper()}{domain[0].upper()}{number}"
                rows.append({"item_code": code, "measure": measure, "domain": domain, "weight": 1.0 + (number == 3)})
    frame = pd.DataFrame(rows)
    frame["item_id"] = range(1, len(frame) + 1)
    frame["item_no"] = range(len(frame))
    frame["lineage_code"] = "SC|1|" + frame["item_code"]
    return frame.assign(
        checklist_code="SC",
        checklist_version="1",
        text_en=frame["item_code"],
        text_ja=frame["item_code"],
        category_code=frame["measure"].str[:3] + "-1",
        category_en="Category",
        category_ja="分類",
        is_critical=False,
        is_assessable=True,
        known_from=ALWAYS,
        known_to=FOREVER,
        load_id=1,
    )


def list_plans(entities: pd.DataFrame) -> pd.DataFrame:
    """Every unit checks itself each half; affiliates are visited each second half; Japan is audited once a year."""
    rows = []
    for entity in entities[entities["entity_kind"] != "business_group"].itertuples():
        for number, half in enumerate(HALVES):
            kinds = ["self_check"]
            if entity.entity_kind == "affiliate" and number % 2 == 1:
                kinds.append("affiliate_check")
            if entity.entity_kind == "site":
                kinds.append("mutual_check")
            if entity.region_code == "JP" and number % 2 == 0:
                kinds.append("privacy_audit")
            rows += [{"inspection_type": kind, "entity_id": entity.entity_id, "fiscal_half": half} for kind in kinds]
    frame = pd.DataFrame(rows)
    frame["plan_id"] = range(1, len(frame) + 1)
    return frame.assign(
        period_code=frame["fiscal_half"],
        fiscal_year=frame["fiscal_half"].str[2:6].astype(int),
        due_on=[half_bounds(half)[1] for half in frame["fiscal_half"]],
        is_cancelled=False,
        known_from=[datetime.combine(half_bounds(half)[0], datetime.min.time()) for half in frame["fiscal_half"]],
        known_to=FOREVER,
        load_id=1,
    )


def list_inspections(plans: pd.DataFrame, entities: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """The planned inspections that took place: nearly all, none in the gap, the newest half still coming in."""
    frame = plans.merge(entities[["entity_id", "region_code"]], on="entity_id")
    chance = np.where(frame["fiscal_half"] == HALVES[-1], 0.9, 0.97)
    is_gap = (frame["region_code"] == GAP[0]) & (frame["fiscal_half"] == GAP[1])
    frame = frame[(random.random(len(frame)) < chance) & ~is_gap]
    performed = [
        half_bounds(half)[0] + timedelta(days=int(d))
        for half, d in zip(frame["fiscal_half"], random.integers(40, 150, len(frame)), strict=True)
    ]
    columns = ["inspection_type", "entity_id", "period_code", "fiscal_year", "fiscal_half"]
    frame = frame[columns].reset_index(drop=True)
    return frame.assign(
        inspection_id=range(1, len(frame) + 1),
        performed_on=performed,
        reference_on=performed,
        submitted_on=[day + timedelta(days=7) for day in performed],
        checklist_code="SC",
        checklist_version="1",
        source_name="small_group",
        known_to=FOREVER,
        load_id=1,
        known_from=[datetime.combine(day + timedelta(days=8), datetime.min.time()) for day in performed],
    )


def list_answers(
    inspections: pd.DataFrame, items: pd.DataFrame, entities: pd.DataFrame, random: np.random.Generator
) -> pd.DataFrame:
    """One answer per item: better over the years, worse for outside checks, different by region and measure."""
    level = {"JP": 0.86, "AM": 0.80, "EU": 0.83, "CN": 0.72, "AS": 0.68}
    lift = {"organizational": 0.04, "human": 0.0, "physical": 0.05, "technological": -0.09}
    strictness = {"self_check": 0.0, "mutual_check": -0.05, "affiliate_check": -0.10, "privacy_audit": -0.12}
    frame = (
        inspections[["inspection_id", "entity_id", "inspection_type", "fiscal_half", "known_from"]]
        .merge(entities[["entity_id", "region_code"]], on="entity_id")
        .merge(items[["item_id", "measure", "domain", "weight"]], how="cross")
    )
    step = frame["fiscal_half"].map({half: number for number, half in enumerate(HALVES)})
    swing = 0.02 * np.sin(step + frame["region_code"].map({"JP": 0, "AM": 1, "EU": 2, "CN": 3, "AS": 4}))
    chance = (
        frame["region_code"].map(level)
        + frame["measure"].map(lift)
        + 0.009 * step
        + swing
        + frame["inspection_type"].map(strictness)
    ).clip(0.05, 0.98)
    draw = random.random(len(frame))
    verdict = np.where(draw < chance, "met", np.where(draw < chance + (1 - chance) * 0.55, "partly_met", "not_met"))
    other = random.random(len(frame))
    verdict = np.where(other < 0.03, "not_answered", np.where(other > 0.95, "not_applicable", verdict))
    score = pd.Series(verdict).map({"met": 1.0, "partly_met": 0.5, "not_met": 0.0})
    return frame.assign(verdict=verdict, score=score, known_to=FOREVER, load_id=1, row_no=range(1, len(frame) + 1))


def list_periods() -> pd.DataFrame:
    """The fiscal years and halves of the group."""
    rows: list[dict[str, object]] = [
        {
            "period_code": f"FY{year}",
            "period_kind": "fiscal_year",
            "fiscal_year": year,
            "first_on": date(year, 4, 1),
            "last_on": date(year + 1, 3, 31),
        }
        for year in YEARS
    ]
    for half in HALVES:
        first_on, last_on = half_bounds(half)
        rows.append(
            {
                "period_code": half,
                "period_kind": "half",
                "fiscal_year": int(half[2:6]),
                "fiscal_half": half,
                "first_on": first_on,
                "last_on": last_on,
            }
        )
    return pd.DataFrame(rows)


def fill_table(connection: duckdb.DuckDBPyConnection, table: str, frame: pd.DataFrame) -> None:
    """Insert the columns of a frame that the table has."""
    known = {row[0] for row in connection.execute(f"select column_name from (describe {table})").fetchall()}
    columns = ", ".join(name for name in frame.columns if name in known)
    connection.register("rows_to_insert", frame.astype(object).where(frame.notna(), None))
    connection.execute(f"insert into {table} ({columns}) select {columns} from rows_to_insert")
    connection.unregister("rows_to_insert")


CUBE = """
insert into {table} by name
select {columns}
  count(*) filter (verdict = 'met') as met, count(*) filter (verdict = 'partly_met') as partly_met,
  count(*) filter (verdict = 'not_met') as not_met, count(*) filter (verdict = 'not_applicable') as not_applicable,
  count(*) filter (verdict = 'not_answered') as not_answered,
  coalesce(sum(weight) filter (score is not null), 0) as weight_applicable,
  coalesce(sum(weight * score), 0) as weight_scored,
  coalesce(sum(weight) filter (verdict = 'met'), 0) as weight_met, 0 as written_score, 0 as written_scores
from fct_answer a join dim_item i using (item_id) join fct_inspection f using (inspection_id) group by all
"""
CUBES = {
    "cube_category": "a.inspection_id, i.domain, i.measure, i.category_code, a.known_from as event_at,",
    "cube_measure": "a.inspection_id, i.domain, i.measure, a.known_from as event_at,",
    "cube_inspection": "f.* exclude (inspection_code, period_code, performed_on, submitted_on, source_name, load_id),",
}


def write_group(home: Path, name: str = BUILD_NAME, seed: int = 20260420) -> SmallGroup:
    """Write the build below home, point `current` at it, and hand back its rows; another seed makes other figures."""
    random = np.random.default_rng(seed)
    entities, items = list_entities(), list_items()
    plans = list_plans(entities)
    inspections = list_inspections(plans, entities, random)
    answers = list_answers(inspections, items, entities, random)
    (home / "warehouse").mkdir(parents=True, exist_ok=True)
    path = home / "warehouse" / f"{name}.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(path) as connection:
        version = int((SCHEMA / "version.txt").read_text(encoding="utf-8"))
        for script in sorted(SCHEMA.glob("*.sql")):
            connection.execute(script.read_text(encoding="utf-8"))
        connection.execute("insert into build values (?, ?, ?, 4)", [name, datetime(2026, 4, 20), version])
        regions = pd.DataFrame([r[:3] for r in REGIONS], columns=["region_code", "name_en", "name_ja"])
        fill_table(connection, "dim_region", regions.assign(sort_no=range(len(REGIONS))))
        fill_table(connection, "dim_period", list_periods())
        for table, frame in (
            ("dim_entity", entities),
            ("dim_item", items),
            ("fct_plan", plans),
            ("fct_inspection", inspections),
            ("fct_answer", answers),
        ):
            fill_table(connection, table, frame)
        for table, columns in CUBES.items():
            connection.execute(CUBE.format(table=table, columns=columns))
        connection.execute(FILL_BLOCKS)
        connection.execute(FILL_PLANS)
        connection.execute(
            "insert into load select 1, 1, 'small.csv', 'none', 0, 'small_group', 'none', max(known_from), "
            "max(known_from), 'given', null, count(*), count(*), 0, 0, 0 from fct_answer"
        )
    (home / "warehouse" / "current").write_text(path.name, encoding="utf-8")
    return SmallGroup(entities, inspections, answers, plans)


if __name__ == "__main__":
    write_group(Path(sys.argv[1]))
