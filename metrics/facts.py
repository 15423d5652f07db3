"""The facts: where the rows of each come from, which of them count, and the conditions by which metrics count them.

In every statement `f` is the fact (of answers and pairs the inspection, which of a pair is the outside check; of actions
their finding), `e` its entity, `x` its inspector, `c` its item or cube, `l` the lineage of that, `a` an answer or a pair,
`g` an action, `r` the first finding of an entity on an item lineage and `o` what is open of the actions of a finding.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from metrics.catalog import FINDING_AGE, KNOWN_DAY

ENTITY_COLUMNS = (
    "entity_id", "entity_code", "name_en", "name_ja", "entity_kind", "region_code", "country_code", "business_group_code",
    "parent_entity_code", "has_privacymark", "privacymark_number", "privacymark_until_on", "valid_from", "valid_to",
)  # fmt: skip
"""What statements may ask of an entity."""


def known(table: str) -> str:
    """The condition that a row is what was known at the moment."""
    return f"{table}.known_from <= $known_at and {table}.known_to > $known_at"


# Lineages as numbers: the least of their items.
LINED = f"""lined as (
    select c.item_id, min(c.item_id) over (partition by c.lineage_code) as lineage_id
    from dim_item c
    where {known("c")}
)"""
# Findings of an entity on one item lineage in their order: all but the first of them repeat.
RAISED = "cast(f.raised_on as string) || ' ' || f.finding_code"
REPEATED = f"""repeated as (
    select f.entity_id, l.lineage_id, min({RAISED}) as first_raised
    from fct_finding f
    join lined l on l.item_id = f.item_id
    where {known("f")}
    group by f.entity_id, l.lineage_id
)"""

OPEN_ACTION = "g.completed_on is null"
OVERDUE_ACTION = f"{OPEN_ACTION} and g.due_on < {KNOWN_DAY}"
ACTED = f"""acted as (
    select
        g.finding_id,
        sum(case when {OPEN_ACTION} then 1 else 0 end) as open_actions,
        sum(case when {OVERDUE_ACTION} then 1 else 0 end) as overdue_actions
    from fct_action g
    where {known("g")}
    group by g.finding_id
)"""

ITEM_OF_FACT = f"\n    left join dim_item c on c.item_id = f.item_id and {known('c')}"
ITEM_OF_ANSWER = f"\n    join dim_item c on c.item_id = a.item_id and {known('c')}"
INSPECTION_OF_ANSWER = f"\n    join fct_inspection f on f.inspection_id = a.inspection_id and {known('f')}"
INSPECTOR = "\n    left join inspector x on x.entity_id = f.inspecting_entity_id"


def join_entity(day: str) -> str:
    """The entity of a fact with the attributes that it had on the day."""
    return f"\n    join entity e on e.entity_id = f.entity_id and e.held_from <= {day} and e.held_to > {day}"


ALL_ROWS = "true"
ADDS = re.compile(r"left join \w+ (\w)\b")


@dataclass(frozen=True, slots=True)
class Fact:
    """Where the rows of a fact come from, which of them count, by which conditions, and what of them is summed."""

    source: str
    conditions: tuple[str, ...]
    counts: Mapping[str, str] = field(default_factory=dict)
    sums: tuple[tuple[str, str], ...] = ()
    tables: tuple[str, ...] = ()

    @property
    def columns(self) -> dict[str, str]:
        """What a cell can hold of the rows in it, by name: every count and every sum."""
        counts = {
            name: "count(*)" if condition == ALL_ROWS else f"sum(case when {condition} then 1 else 0 end)"
            for name, condition in self.counts.items()
        }
        return counts | dict(self.sums)

    def join(self, expressions: str) -> str:
        """The source for what the expressions name: tables that only add to a row are left out where none is named."""
        first, *joins = self.source.split("\n    ")
        kept: list[str] = []
        for one in reversed(joins):
            found = ADDS.match(one)
            if not found or re.search(rf"\b{found[1]}\.", " ".join([expressions, *kept])):
                kept.insert(0, one)
        return "\n    ".join([first, *kept])


FACTS = {
    "answers": Fact(
        f"from fct_answer a{ITEM_OF_ANSWER}{INSPECTION_OF_ANSWER}{join_entity('f.reference_on')}",
        (known("a"), "c.is_assessable"),
    ),
    "inspections": Fact(
        f"from fct_inspection f{join_entity('f.reference_on')}", (known("f"),), {"inspections": ALL_ROWS}
    ),
    "plans": Fact(
        f"from cube_plan f{join_entity('f.due_on')}",
        (known("f"),),
        {
            "planned": ALL_ROWS,
            "performed": "f.inspections > 0",
            "on_time": "f.handed_in_on <= f.due_on",
            "late": "f.handed_in_on > f.due_on",
            "missing": f"f.inspections = 0 and f.due_on < {KNOWN_DAY}",
            "settled": f"f.inspections > 0 or f.due_on < {KNOWN_DAY}",
        },
    ),
    "findings": Fact(
        f"from fct_finding f{join_entity('f.raised_on')}{ITEM_OF_FACT}"
        "\n    left join lined l on l.item_id = f.item_id"
        "\n    left join repeated r on r.entity_id = f.entity_id and r.lineage_id = l.lineage_id"
        "\n    left join acted o on o.finding_id = f.finding_id",
        (known("f"),),
        {
            "findings": ALL_ROWS,
            "open_findings": "f.status = 'open'",
            "findings_without_action": "f.status = 'open' and o.finding_id is null",
            "closed_findings": "f.status = 'closed'",
            "reopened_findings": "f.reopened_count > 0",
            "repeat_findings": f"r.first_raised < {RAISED}",
            "dated_closures": "f.status = 'closed' and f.closed_on is not null",
        },
        (("days_to_close", f"sum(case when f.status = 'closed' then {FINDING_AGE} else 0 end)"),),
        tables=(LINED, REPEATED, ACTED),
    ),
    "actions": Fact(
        f"from fct_action g\n    join fct_finding f on f.finding_id = g.finding_id and {known('f')}"
        f"{join_entity('f.raised_on')}{ITEM_OF_FACT}",
        (known("g"),),
        {
            "actions": ALL_ROWS,
            "open_actions": OPEN_ACTION,
            "overdue_actions": OVERDUE_ACTION,
            "due_soon_actions": f"{OPEN_ACTION} and cast(g.due_on - {KNOWN_DAY} as integer) between 0 and 30",
        },
    ),
    "entities": Fact(
        "from entity e",
        (f"e.valid_from <= {KNOWN_DAY} and e.valid_to > {KNOWN_DAY}",),
        {
            "entities": ALL_ROWS,
            "lapsed_privacymarks": f"e.privacymark_until_on < {KNOWN_DAY}",
            "privacymark_holders": f"e.has_privacymark and coalesce(e.privacymark_until_on >= {KNOWN_DAY}, true)",
            "privacymarks_due_soon": f"e.privacymark_until_on >= {KNOWN_DAY}"
            f" and e.privacymark_until_on <= {KNOWN_DAY} + interval '12' month",
        },
    ),
    "pairs": Fact(
        f"from fct_pair a{ITEM_OF_ANSWER}{INSPECTION_OF_ANSWER}{join_entity('f.reference_on')}",
        (known("a"),),
        {
            "pairs": ALL_ROWS,
            "self_higher": "a.self_score > a.score",
            "self_lower": "a.self_score < a.score",
            "equal_scores": "a.self_score = a.score",
        },
        # Rounded, so that scores which outweigh each other leave no crumb of a gap.
        (
            ("weight_paired", "round(sum(c.weight), 9)"),
            ("weight_self_scored", "round(sum(c.weight * a.self_score), 9)"),
            ("weight_outside_scored", "round(sum(c.weight * a.score), 9)"),
        ),
    ),
}
