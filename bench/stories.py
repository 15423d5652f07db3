"""python -m bench.stories [--seeds N]: which insight finds which planted story, and how often one that is not there.

Writes demo groups with every story and groups without any, loads them, asks the insights, and puts the table into
docs/methods.md. Figures of the warehouse go through the same questions as on the pages.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pandas as pd

from etl.builds import Home
from etl.commands import Order, load_files
from etl.demo import STORIES, truth_path, write_demo
from insights.calibration import NOMINAL_FDR, compare_groups
from insights.chronic import find_chronic
from insights.drivers import decompose_change
from insights.like_for_like import chain_rates, sum_common_items
from insights.restatements import find_restatements
from insights.tick_box import judge_self_checks
from metrics.ask import answer
from metrics.matching import MatchQuery, match_rounds
from metrics.query import Filters, Query
from metrics.rounds import RoundQuery, read_round
from metrics.spells import SpellsQuery, read_spells
from metrics.warehouse import Warehouse

METHODS: Final = Path(__file__).parents[1] / "docs" / "methods.md"
BEGIN, END = "<!-- stories: begin -->", "<!-- stories: end -->"
SELF: Final = Filters(inspection_type=("self_check",))
OUTSIDE: Final = Filters(inspection_type=("mutual_check", "affiliate_check", "privacy_audit"))
FIRST_TOLD: Final = datetime(2025, 12, 9, 23)
"""Before the planted correction was handed in."""
LAST_EXPORT: Final = datetime(2026, 5, 1)
"""The day after the last export of the demo group."""
Truth = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Group:
    """A loaded demo group: its warehouse, and the truth of its stories by name."""

    warehouse: Warehouse
    stories: dict[str, Truth]

    def ask(
        self, metrics: tuple[str, ...], by: tuple[str, ...] = (), filters: Filters = SELF, **more: Any
    ) -> pd.DataFrame:
        """Figures of the group."""
        return answer(self.warehouse, Query(metrics, by, filters, **more)).frame


@dataclass(frozen=True, slots=True)
class Found:
    """What an insight found: whether all that was planted is in it, and how much else that is not true."""

    is_found: bool
    false_alarms: int


@dataclass(frozen=True, slots=True)
class Detector:
    """The insight that finds a story, and the rate of false alarms that it allows itself in a group."""

    story: str
    insight: str
    find: Callable[[Group], Found]
    nominal: float = 0.0


def find_rosy_region(group: Group) -> Found:
    """Regions whose self-checks are kinder than those of the others."""
    crossed = group.ask(("pairs",), ("region", "entity", "inspection_type", "self_verdict", "verdict"), OUTSIDE)
    compared = compare_groups(crossed, "region", within="inspection_type")
    told = set(compared.loc[compared["is_more_optimistic"] | compared["is_less_optimistic"], "region"])
    wanted = {group.stories["rosy_region"].get("region")} - {None}
    return Found(wanted <= told, len(told - wanted))


def find_chronic_item(group: Group) -> Found:
    """Spells of not met that still last, against those that were written; the sold affiliate has none any more."""
    story = group.stories["chronic_item"]
    spells = find_chronic(read_spells(group.warehouse, SpellsQuery(None, 4, True, SELF)))
    items = group.ask(("answers",), ("item", "item_lineage")).sort_values("item")
    codes = dict(zip(items["item_lineage"], items["item"].str.rpartition("|")[2], strict=True))
    told = {(row.entity, codes[row.item_lineage], row.rounds, row.not_met_rounds) for row in spells.itertuples()}
    written = {tuple(row) for row in story["entities_not_met_in_every_round_by_item"]}
    planted = set(story.get("entity_codes", ()))
    item = story.get("item_code_by_version", {}).get("2023")
    seen = {entity for entity, code, _, _ in told if code == item}
    return Found(planted <= seen, len(told - written))


def find_copycat(group: Group) -> Found:
    """Self-checks that repeat what was handed in a year before."""
    judged = judge_self_checks(read_round(group.warehouse, RoundQuery("FY2025-H2", "FY2024-H2", SELF)))
    told = set(judged.loc[judged["copied_share_is_unusual"], "entity"].astype(str))
    wanted = {group.stories["copycat"].get("entity_code")} - {None}
    return Found(wanted <= told, len(told - wanted))


def count_coming(group: Group, periods: Sequence[str], part: str, filters: Filters) -> dict[str, set[str]]:
    """Entities that count as entry or exit between each two periods next to each other."""
    found = {}
    for before, after in pairwise(periods):
        frame = match_rounds(group.warehouse, MatchQuery(before, after, filters))
        parts = decompose_change(frame)
        found[after] = set(frame.loc[parts[part] != 0, "entity"])
    return found


HALVES: Final = tuple(f"FY{year}-H{half}" for year in range(2020, 2026) for half in (1, 2))


def find_coming(group: Group, story: str, part: str) -> Found:
    """Who came or left by the parts of the group's change; those that merely did not report count as true."""
    told = group.stories[story]
    changes = count_coming(group, HALVES, part, SELF)
    reported = {half: set(group.ask(("inspections",), ("entity",), hold_half(SELF, half))["entity"]) for half in HALVES}
    wrong = sum(
        len(entities & reported[before] & reported[after])
        for (before, after), entities in zip(pairwise(HALVES), changes.values(), strict=True)
    )
    if not told["is_planted"]:
        return Found(True, wrong + sum(map(len, changes.values())))
    periods = told["self_check_periods"]
    # It came with its first self-check, and left after its last one.
    half = periods[0] if part == "entry" else HALVES[HALVES.index(periods[-1]) + 1]
    return Found(told["entity_code"] in changes[half], wrong)


def hold_half(filters: Filters, half: str) -> Filters:
    """The filters held to one half."""
    return Filters(inspection_type=filters.inspection_type, period_from=half, period_to=half)


def find_move(group: Group, story: str, dimension: str) -> Found:
    """Who left one region or business group and came to another, by the parts of their changes."""
    told = group.stories[story]
    key = "region" if dimension == "region" else "business_group"
    frame = group.ask(("inspections",), ("entity", "fiscal_half", dimension))
    places = frame.sort_values("fiscal_half").groupby("entity")[dimension].agg(list)
    moved = {entity for entity, path in places.items() if len(set(path)) > 1}
    wanted = {told.get("entity_code")} - {None}
    is_found = wanted <= moved
    if wanted and is_found:
        (entity,) = wanted
        halves = sorted(frame.loc[frame["entity"] == entity, "fiscal_half"])
        first = frame[(frame["entity"] == entity) & (frame[dimension] == told[f"{key}_after"])]["fiscal_half"].min()
        before = halves[halves.index(first) - 1]
        for place, part in ((told[f"{key}_before"], "exit"), (told[f"{key}_after"], "entry")):
            filters = Filters(inspection_type=("self_check",), **{dimension: (place,)})
            matched = match_rounds(group.warehouse, MatchQuery(before, first, filters))
            parts = decompose_change(matched)[part]
            is_found &= entity in set(matched.loc[parts != 0, "entity"])
    return Found(is_found, len(moved - wanted))


def find_revision(group: Group) -> Found:
    """Steps at which the checklist changed, and what that did to the rate, against what was written."""
    frame = group.ask(("compliance_rate", "answers"), ("fiscal_half", "item_lineage")).rename(
        columns={
            "fiscal_half": "period",
            "compliance_rate_numerator": "numerator",
            "compliance_rate_denominator": "denominator",
        }
    )
    chained = chain_rates(sum_common_items(frame, HALVES))
    revised = chained[chained["is_revised"]]
    story = group.stories["checklist_revision"]
    if not story["is_planted"]:
        return Found(True, len(revised) + int((chained["bridge"].fillna(0) != 0).sum()))
    around = story["self_check_compliance_around_revision"]
    before, after = (around[half] for half in ("FY2022-H2", "FY2023-H1"))
    asked, common = (after[name]["rate"] - before[name]["rate"] for name in ("as_asked", "common_items"))
    is_found = list(revised.index) == ["FY2023-H1"] and abs(float(revised["bridge"].iloc[0]) - (asked - common)) < 1e-9
    return Found(is_found, len(revised) - 1)


def find_correction(group: Group) -> Found:
    """Figures known differently before and after the correction."""
    names = {
        "fiscal_half": "period",
        "compliance_rate_numerator": "numerator",
        "compliance_rate_denominator": "denominator",
    }
    then, now = (
        group.ask(("compliance_rate",), ("fiscal_half", "entity"), known_at=moment).rename(columns=names)
        for moment in (FIRST_TOLD, None)
    )
    found = find_restatements(then, now)
    told = {(row.entity, row.period) for row in found[found["kind"] != "came"].itertuples()}
    story = group.stories["corrected_resubmission"]
    wanted = {(story["entity_code"], story["period"])} if story["is_planted"] else set()
    return Found(wanted <= told, len(told - wanted))


def find_counts(group: Group, story: str, metrics: tuple[str, ...]) -> Found:
    """Counts of open and late work; in a group without the story there is none to count."""
    # Later nothing more is handed in, and what was still in time then would count as late.
    counts = group.ask(metrics, (), Filters(), known_at=LAST_EXPORT).iloc[0]
    numbers = [int(counts[metric] or 0) for metric in metrics]
    if group.stories[story]["is_planted"]:
        return Found(all(numbers), 0)
    return Found(True, sum(numbers))


DETECTORS: Final = (
    Detector("rosy_region", "calibration", find_rosy_region, NOMINAL_FDR),
    Detector("chronic_item", "chronic items", find_chronic_item),
    Detector("copycat", "tick-box signs", find_copycat, NOMINAL_FDR),
    Detector("acquired", "drivers: entry", lambda group: find_coming(group, "acquired", "entry")),
    Detector("sold", "drivers: exit", lambda group: find_coming(group, "sold", "exit")),
    Detector("moved_region", "drivers by region", lambda group: find_move(group, "moved_region", "region")),
    Detector(
        "moved_business_group",
        "drivers by business group",
        lambda group: find_move(group, "moved_business_group", "business_group"),
    ),
    Detector("checklist_revision", "like for like", find_revision),
    Detector("corrected_resubmission", "restatements", find_correction),
    Detector(
        "overdue_and_reopened",
        "counts of open work",
        lambda group: find_counts(group, "overdue_and_reopened", ("overdue_actions", "reopened_findings")),
    ),
    Detector(
        "lapsed_privacymark",
        "counts of open work",
        lambda group: find_counts(group, "lapsed_privacymark", ("lapsed_privacymarks",)),
    ),
    Detector(
        "late_and_missing",
        "counts of open work",
        lambda group: find_counts(group, "late_and_missing", ("late_inspections", "missing_inspections")),
    ),
)


def read_group(folder: Path, seed: int, without: Sequence[str]) -> Group:
    """Write, load and open a demo group."""
    write_demo(folder / "exports", seed=seed, form="parquet", without=without)
    report = load_files(Home(folder / "home"), Order([folder / "exports"]), lambda *_: None)
    assert report.exit_status == 0, report.refusals[:1]
    truth = json.loads(truth_path(folder / "exports").read_text("utf-8"))
    return Group(Warehouse.open_newest(folder / "home"), {story["id"]: story for story in truth["stories"]})


def measure(seeds: Sequence[int]) -> pd.DataFrame:
    """For each story in how many groups it was found, and in how many groups without it there was a false alarm."""
    rows = {one.story: {"found": 0, "beside": 0, "alarms": 0} for one in DETECTORS}
    for seed in seeds:
        for without in ((), STORIES):
            sys.stderr.write(f"seed {seed}, {'without any story' if without else 'with every story'}\n")
            with tempfile.TemporaryDirectory(prefix="tenken-stories-") as folder:
                group = read_group(Path(folder), seed, without)
                for one in DETECTORS:
                    found = one.find(group)
                    if without:
                        rows[one.story]["alarms"] += found.false_alarms > 0
                    else:
                        rows[one.story]["found"] += found.is_found
                        rows[one.story]["beside"] += found.false_alarms
                group.warehouse.close()
    return pd.DataFrame.from_dict(rows, orient="index").assign(groups=len(seeds))


def write_table(measured: pd.DataFrame) -> str:
    """The table for docs/methods.md."""
    lines = [
        "| story | insight | found | told beside it | false alarms in groups without any story | nominal |",
        "|---|---|---|---|---|---|",
    ]
    for one in DETECTORS:
        row = measured.loc[one.story]
        nominal = f"{one.nominal:.0%}" if one.nominal else "none"
        lines.append(
            f"| {one.story} | {one.insight} | {row['found']} of {row['groups']} | {row['beside']} | "
            f"{row['alarms']} of {row['groups']} | {nominal} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.stories", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="groups with and without the stories")
    options = parser.parse_args()
    table = write_table(measure(range(1, options.seeds + 1)))
    head, rest = METHODS.read_text("utf-8").split(BEGIN)
    METHODS.write_text(f"{head}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}", "utf-8")
    print(table)


if __name__ == "__main__":
    main()
