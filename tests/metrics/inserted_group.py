"""A warehouse of a handful of rows, written by inserts into the tables of data/schema."""

from __future__ import annotations

import itertools
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from metrics.warehouse import DATA, SCHEMA_VERSION

ALWAYS, FOREVER = datetime(1, 1, 1), datetime(9999, 12, 31)
SCORES = {"met": 1.0, "partly_met": 0.5, "not_met": 0.0}

# What each answer adds when it, or its item's description, becomes known, and takes back when it is superseded.
FILL_CUBES = """
create temp table held as
select
    a.inspection_id, i.domain, i.measure, i.category_code, a.verdict, a.score, a.written_score, i.weight,
    greatest(a.known_from, i.known_from) as held_from, least(a.known_to, i.known_to) as held_to
from fct_answer a
join dim_item i on i.item_id = a.item_id and i.known_from < a.known_to and a.known_from < i.known_to
where i.is_assessable;

create temp table change as
select held_from as event_at, 1 as direction, * from held
union all
select held_to, -1, * from held where held_to < timestamp '9999-12-31';

insert into cube_category
select
    inspection_id, domain, measure, category_code, event_at,
    sum(case when verdict = 'met' then direction else 0 end),
    sum(case when verdict = 'partly_met' then direction else 0 end),
    sum(case when verdict = 'not_met' then direction else 0 end),
    sum(case when verdict = 'not_applicable' then direction else 0 end),
    sum(case when verdict = 'not_answered' then direction else 0 end),
    sum(case when score is not null then direction * weight else 0 end),
    coalesce(sum(direction * weight * score), 0),
    sum(case when verdict = 'met' then direction * weight else 0 end),
    coalesce(sum(direction * written_score), 0),
    sum(case when written_score is not null then direction else 0 end)
from change
group by inspection_id, domain, measure, category_code, event_at, direction;

insert into cube_measure
select
    inspection_id, domain, measure, event_at, sum(met), sum(partly_met), sum(not_met), sum(not_applicable),
    sum(not_answered), sum(weight_applicable), sum(weight_scored), sum(weight_met), sum(written_score),
    sum(written_scores)
from cube_category
group by inspection_id, domain, measure, event_at;

-- Every moment at which anything about an inspection changed begins a row with what was known of it then.
insert into cube_inspection by name
with moment as (
    select inspection_id, unnest([known_from, known_to]) as known_from from fct_inspection
    union
    select inspection_id, unnest([held_from, held_to]) from held
),
span as (select *, lead(known_from) over (partition by inspection_id order by known_from) as known_to from moment)
select
    f.inspection_id, f.inspection_type, f.entity_id, f.inspecting_entity_id, f.fiscal_year, f.fiscal_half,
    f.fiscal_quarter, f.fiscal_month, f.reference_on, f.checklist_code, f.checklist_version, s.known_from, s.known_to,
    count(*) filter (verdict = 'met') as met, count(*) filter (verdict = 'partly_met') as partly_met,
    count(*) filter (verdict = 'not_met') as not_met, count(*) filter (verdict = 'not_applicable') as not_applicable,
    count(*) filter (verdict = 'not_answered') as not_answered,
    coalesce(sum(weight) filter (score is not null), 0) as weight_applicable,
    coalesce(sum(weight * score), 0) as weight_scored,
    coalesce(sum(weight) filter (verdict = 'met'), 0) as weight_met,
    coalesce(sum(written_score), 0) as written_score, count(written_score) as written_scores
from span s
join fct_inspection f
    on f.inspection_id = s.inspection_id and f.known_from <= s.known_from and f.known_to > s.known_from
join held h on h.inspection_id = s.inspection_id and h.held_from <= s.known_from and h.held_to > s.known_from
where s.known_to is not null
group by all;
"""

# Every inspection in a block of its own.
FILL_BLOCKS = """
insert into brg_inspection_block
select inspection_id, row_number() over (order by inspection_id), 1, entity_no, 1::bigint << (entity_no % 63)
from (
    select inspection_id, dense_rank() over (order by any_value(entity_id)) - 1 as entity_no
    from fct_inspection
    group by inspection_id
);

insert into cube_item
select
    b.block_no, a.item_id, case when a.score <> s.score then a.score end, a.written_score, a.known_from, a.known_to,
    bit_or(if(a.verdict = 'met', b.mark, 0)), bit_or(if(a.verdict = 'partly_met', b.mark, 0)),
    bit_or(if(a.verdict = 'not_met', b.mark, 0)), bit_or(if(a.verdict = 'not_applicable', b.mark, 0)),
    bit_or(if(a.verdict = 'not_answered', b.mark, 0))
from fct_answer a
join brg_inspection_block b using (inspection_id)
left join (values ('met', 1.0), ('partly_met', 0.5), ('not_met', 0.0)) s (verdict, score) using (verdict)
group by all;
"""

# Everything that two inspections of an entity in one half say of the same lineage, while all of it is known.
FILL_PAIRS = """
create temp table judged as
select
    n.entity_id, n.fiscal_half, n.inspection_type = 'self_check' as is_self, a.inspection_id, a.item_id, a.verdict, a.score,
    i.lineage_code, i.domain,
    greatest(n.known_from, a.known_from, i.known_from) as held_from, least(n.known_to, a.known_to, i.known_to) as held_to
from fct_answer a
join fct_inspection n using (inspection_id)
join dim_item i using (item_id)
where a.score is not null and i.is_assessable;

insert into fct_pair
select
    o.inspection_id, o.item_id, s.inspection_id, s.item_id, o.entity_id, o.fiscal_half, o.verdict, o.score, s.verdict,
    s.score, s.domain, greatest(o.held_from, s.held_from), least(o.held_to, s.held_to)
from judged o
join judged s using (entity_id, fiscal_half, lineage_code)
where not o.is_self and s.is_self and greatest(o.held_from, s.held_from) < least(o.held_to, s.held_to);

-- Every moment at which anything about the pairs of two inspections changed begins rows with what was known of them then.
insert into cube_pair by name
with moment as (
    select inspection_id, self_inspection_id, unnest([known_from, known_to]) as known_from from fct_pair
    union
    select distinct p.inspection_id, p.self_inspection_id, unnest([n.known_from, n.known_to])
    from fct_pair p join fct_inspection n using (inspection_id)
),
span as (
    select *, lead(known_from) over (partition by inspection_id, self_inspection_id order by known_from) as known_to
    from moment
)
select
    f.inspection_id, p.self_inspection_id, f.inspection_type, f.entity_id, f.inspecting_entity_id, f.fiscal_year,
    f.fiscal_half, f.fiscal_quarter, f.fiscal_month, f.reference_on, f.checklist_code, f.checklist_version,
    grouping(i.domain) = 1 as is_whole, i.domain, i.measure, i.category_code, p.self_domain, s.known_from, s.known_to,
    count(*) filter (verdict = 'met' and self_verdict = 'met') as met_self_met,
    count(*) filter (verdict = 'met' and self_verdict = 'partly_met') as met_self_partly_met,
    count(*) filter (verdict = 'met' and self_verdict = 'not_met') as met_self_not_met,
    count(*) filter (verdict = 'partly_met' and self_verdict = 'met') as partly_met_self_met,
    count(*) filter (verdict = 'partly_met' and self_verdict = 'partly_met') as partly_met_self_partly_met,
    count(*) filter (verdict = 'partly_met' and self_verdict = 'not_met') as partly_met_self_not_met,
    count(*) filter (verdict = 'not_met' and self_verdict = 'met') as not_met_self_met,
    count(*) filter (verdict = 'not_met' and self_verdict = 'partly_met') as not_met_self_partly_met,
    count(*) filter (verdict = 'not_met' and self_verdict = 'not_met') as not_met_self_not_met,
    count(*) filter (self_score > score) as self_higher, count(*) filter (self_score < score) as self_lower,
    count(*) filter (self_score = score) as equal_scores, count(*) filter (self_score - score >= 1) as widest_gaps,
    sum(weight) as weight_paired, sum(weight * self_score) as weight_self_scored,
    sum(weight * score) as weight_outside_scored
from span s
join fct_pair p
    on p.inspection_id = s.inspection_id and p.self_inspection_id = s.self_inspection_id
    and p.known_from <= s.known_from and p.known_to > s.known_from
join fct_inspection f on f.inspection_id = s.inspection_id and f.known_from <= s.known_from and f.known_to > s.known_from
join dim_item i on i.item_id = p.item_id and i.known_from <= s.known_from and i.known_to > s.known_from
where s.known_to is not null
group by grouping sets (
    (f.inspection_id, p.self_inspection_id, f.inspection_type, f.entity_id, f.inspecting_entity_id, f.fiscal_year,
        f.fiscal_half, f.fiscal_quarter, f.fiscal_month, f.reference_on, f.checklist_code, f.checklist_version,
        s.known_from, s.known_to),
    (f.inspection_id, p.self_inspection_id, f.inspection_type, f.entity_id, f.inspecting_entity_id, f.fiscal_year,
        f.fiscal_half, f.fiscal_quarter, f.fiscal_month, f.reference_on, f.checklist_code, f.checklist_version,
        s.known_from, s.known_to, i.domain, i.measure, i.category_code, p.self_domain)
);
"""

# The same of plans: what matches one, and the first of all that ever did, as long as one does.
FILL_PLANS = """
insert into cube_plan by name
with performed as (
    select
        p.plan_id, i.known_from, i.known_to,
        coalesce(i.submitted_on, i.performed_on, i.known_from::date) as handed_in_on
    from (select distinct plan_id, inspection_type, entity_id, period_code, inspecting_entity_id from fct_plan) p
    join fct_inspection i using (inspection_type, entity_id, period_code)
    where coalesce(p.inspecting_entity_id = i.inspecting_entity_id, true)
),
moment as (
    select plan_id, unnest([known_from, known_to]) as known_from from fct_plan
    union
    select plan_id, unnest([known_from, known_to]) from performed
),
span as (select *, lead(known_from) over (partition by plan_id order by known_from) as known_to from moment)
select
    f.* exclude (period_code, is_cancelled, load_id, known_from, known_to), s.known_from, s.known_to,
    count(*) filter (i.known_to > s.known_from) as inspections,
    case when count(*) filter (i.known_to > s.known_from) > 0 then min(i.handed_in_on) end as handed_in_on
from span s
join fct_plan f on f.plan_id = s.plan_id and f.known_from <= s.known_from and f.known_to > s.known_from
left join performed i on i.plan_id = s.plan_id and i.known_from <= s.known_from
where s.known_to is not null and not f.is_cancelled
group by all;
"""


def period(half: str) -> dict[str, Any]:
    """Columns of a fact that say its period, from the code of a half."""
    return {"period_code": half, "fiscal_year": int(half[2:6]), "fiscal_half": half}


class Group:
    """A warehouse under construction; every method adds one row and hands back its id."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.numbers = itertools.count(1)
        self.entity_ids: dict[str, int] = {}
        self.item_ids: dict[str, int] = {}

    def add(self, table: str, **columns: Any) -> None:
        self.rows.setdefault(table, []).append({"known_from": ALWAYS, "known_to": FOREVER, "load_id": 1} | columns)

    def add_plain(self, table: str, **columns: Any) -> None:
        """A row of a table without a history of its own."""
        self.rows.setdefault(table, []).append(columns)

    def entity(self, code: str, region: str | None = "JP", **columns: Any) -> int:
        number = self.entity_ids.setdefault(code, next(self.numbers))
        self.add(
            "dim_entity",
            **{
                "entity_id": number,
                "entity_code": code,
                "name_en": f"Name of {code}",
                "name_ja": f"{code}の名称",
                "entity_kind": "site",
                "region_code": region,
                "country_code": "JP",
                "business_group_code": "BG-1",
                "has_privacymark": False,
                "valid_from": date(1, 1, 1),
                "valid_to": date(9999, 12, 31),
            }
            | columns,
        )
        return number

    def item(self, code: str, measure: str | None = "physical", **columns: Any) -> int:
        number = self.item_ids.setdefault(code, next(self.numbers))
        self.add(
            "dim_item",
            **{
                "item_id": number,
                "checklist_code": "SEC",
                "checklist_version": "2020",
                "item_code": code,
                "item_no": number,
                "lineage_code": f"SEC|2020|{code}",
                "text_en": f"Requirement {code}",
                "text_ja": f"要求{code}",
                "domain": "confidential_information",
                "measure": measure,
                "category_code": f"{(measure or 'none')[0].upper()}1",
                "category_en": "Category",
                "category_ja": "分類",
                "weight": 1.0,
                "is_critical": False,
                "is_assessable": True,
            }
            | columns,
        )
        return number

    def inspection(
        self,
        entity: str,
        half: str = "FY2025-H1",
        verdicts: dict[str, str] | None = None,
        known_from: datetime = datetime(2025, 9, 20),
        **columns: Any,
    ) -> int:
        """An inspection with its answers: verdicts by item code."""
        number = columns.pop("inspection_id", None) or next(self.numbers)
        day = date(int(half[2:6]), 9, 15) if half.endswith("H1") else date(int(half[2:6]) + 1, 3, 15)
        known = {"known_from": known_from, "known_to": columns.get("known_to", FOREVER)}
        self.add(
            "fct_inspection",
            **{
                "inspection_id": number,
                "inspection_type": "self_check",
                "entity_id": self.entity_ids[entity],
                **period(half),
                "performed_on": day,
                "submitted_on": day,
                "reference_on": day,
                "checklist_code": "SEC",
                "checklist_version": "2020",
                "source_name": "test",
            }
            | columns
            | known,
        )
        for item, verdict in (verdicts or {}).items():
            self.answer(number, item, verdict, **known)
        return number

    def answer(self, inspection: int, item: str, verdict: str, **columns: Any) -> None:
        self.add(
            "fct_answer",
            **{
                "inspection_id": inspection,
                "item_id": self.item_ids[item],
                "verdict": verdict,
                "score": SCORES.get(verdict),
                "answer": verdict.upper(),
                "row_no": next(self.numbers),
            }
            | columns,
        )

    def plan(self, entity: str, half: str = "FY2025-H1", due_on: date = date(2025, 9, 30), **columns: Any) -> int:
        number = next(self.numbers)
        self.add(
            "fct_plan",
            **{
                "plan_id": number,
                "inspection_type": "self_check",
                "entity_id": self.entity_ids[entity],
                **period(half),
                "due_on": due_on,
                "is_cancelled": False,
            }
            | columns,
        )
        return number

    def finding(self, entity: str, item: str | None = None, half: str = "FY2025-H1", **columns: Any) -> int:
        number = next(self.numbers)
        self.add(
            "fct_finding",
            **{
                "finding_id": number,
                "finding_code": f"F-{number}",
                "entity_id": self.entity_ids[entity],
                "inspection_type": "self_check",
                **period(half),
                "item_id": self.item_ids[item] if item else None,
                "severity": "minor",
                "raised_on": date(2025, 9, 15),
                "status": "open",
                "reopened_count": 0,
            }
            | columns,
        )
        return number

    def action(self, finding: int, due_on: date | None = None, completed_on: date | None = None) -> None:
        number = next(self.numbers)
        self.add(
            "fct_action",
            action_id=number,
            action_code=f"A-{number}",
            finding_id=finding,
            due_on=due_on,
            completed_on=completed_on,
            effectiveness="not_checked",
        )

    def write(self, name: str = "build-20260401T000000-000001", built_at: datetime = datetime(2026, 4, 1)) -> Path:
        """Write the build, its cubes, its pairs and the pointer to it; returns its file."""
        folder = self.home / "warehouse"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.duckdb"
        with duckdb.connect(str(path)) as connection:
            # One commit, not one for each row.
            connection.execute("begin")
            for script in sorted((DATA / "schema").glob("*.sql")):
                connection.execute(script.read_text("utf-8"))
            connection.execute("insert into build values (?, ?, ?, 4)", [name, built_at, SCHEMA_VERSION])
            for code, english, japanese in (("JP", "Japan", "日本"), ("EU", "Europe", "欧州"), ("CN", "China", "中国")):
                connection.execute("insert into dim_region values (?, ?, ?, 1)", [code, english, japanese])
            for table, rows in self.rows.items():
                for row in rows:
                    places = ", ".join("?" for _ in row)
                    connection.execute(f"insert into {table} ({', '.join(row)}) values ({places})", list(row.values()))
            connection.execute(FILL_CUBES)
            connection.execute(FILL_BLOCKS)
            connection.execute(FILL_PAIRS)
            connection.execute(FILL_PLANS)
            connection.execute("commit")
        (folder / "current").write_text(f"{path.name}\n", "utf-8")
        return path
