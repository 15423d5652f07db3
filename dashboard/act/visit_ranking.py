"""What the ranking of the next visits is made of, and how the same ranking would have done a year earlier."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from dashboard.compare.entity_calibration import read_visited
from dashboard.periods import find_told_on, step_back
from dashboard.view import View
from insights.calibration import compare_groups, estimate_verified
from insights.next_visits import PastRanking, judge_past_ranking, rank_next_visits

SELF_CHECK: Final = "self_check"
HALF: Final = "fiscal_half"
RECENT: Final = 4
"""Halves in which planned inspections that are missing count."""
BACK: Final = 2
"""Halves before the newest one at whose end the ranking is judged by the visits that followed."""
COLUMNS: Final = ("expected_optimism", "interval_width", "rounds_since_outside", "last", "weight",
                  "missing_inspections", "open_major_findings", "is_optimistic_group")  # fmt: skip


@dataclass(frozen=True, slots=True)
class NextVisits:
    """The ranking of the whole group with what it was made of, by entity; its newest half, and how an earlier fared."""

    ranked: pd.DataFrame
    half: str
    visited: int
    past: PastRanking | None
    past_half: str


def find_ranking(view: View) -> NextVisits | None:
    """The ranking as of the knowledge date, found once whatever is shown; none without any inspection."""
    group = open_up(view)
    return group.remember("next visits", lambda: rank_group(group))


def open_up(view: View) -> View:
    """The view of everything as known at the same moment: all periods, places, items and inspection types."""
    chosen: tuple[tuple[str, tuple[str, ...]], ...] = tuple((name, ()) for name, _ in view.selection.chosen)
    selection = replace(view.selection, language="en", grain="half", from_period=None, to_period=None, chosen=chosen)
    return replace(view, selection=selection)


def rank_group(group: View) -> NextVisits | None:
    """Rank every entity of the group, and judge the same ranking as it would have been made earlier."""
    frame, half = gather(group)
    if half is None:
        return None
    past_half, judged = step_back(half, BACK), None
    past = replace(group, selection=replace(group.selection, known_on=find_told_on(past_half)))
    if past.known_at < group.known_at:
        earlier, newest = gather(past)
        if newest is not None:
            # What was known then of a later half is no forecast, so only visits after the newest one known count.
            past_half = newest
            rates = read_outside_rates(group, past_half)
            judged = judge_past_ranking(earlier.assign(outside_rate=rates.reindex(earlier.index)))
    ranked = rank_next_visits(frame).join(frame[list(COLUMNS)])
    return NextVisits(ranked, half, int(frame["last"].notna().sum()), judged, past_half)


def gather(group: View) -> tuple[pd.DataFrame, str | None]:
    """What the ranking is made of, one row per entity of the group on the knowledge day, and the newest half."""
    outside = tuple(one for one in group.options.choices["inspection_type"] if one != SELF_CHECK)
    entities = group.list_all_rows("entities").drop_duplicates("entity").set_index("entity")
    own = group.ask(("compliance_rate",), ("entity", HALF), inspection_type=(SELF_CHECK,), with_entities=False)
    own = own[["entity", HALF, "compliance_rate", "compliance_rate_denominator"]].dropna(subset=["compliance_rate"])
    own = own.sort_values(HALF).drop_duplicates("entity", keep="last")
    by = ("entity", "inspecting_entity", HALF)
    visits = drop_own(group.ask(("inspections",), by, inspection_type=outside, with_entities=False))
    halves = pd.concat([own[HALF], visits[HALF]])
    if halves.empty or entities.empty:
        return pd.DataFrame(columns=list(COLUMNS)), None
    half = str(halves.max())
    last = visits.groupby("entity")[HALF].max().reindex(entities.index)
    own = own.set_index("entity").reindex(entities.index)
    recent = replace(group, selection=replace(group.selection, from_period=step_back(half, RECENT - 1)))
    counts = {
        "missing_inspections": recent.ask(("missing_inspections",), ("entity",), with_entities=False),
        "open_major_findings": group.ask(
            ("open_findings",), ("entity",), severity=("major",), with_entities=False
        ).rename(columns={"open_findings": "open_major_findings"}),
    }
    counted = {
        name: frame.set_index("entity")[name].reindex(entities.index).fillna(0) for name, frame in counts.items()
    }
    expected = expect_optimism(group.hold(inspection_type=outside), entities["region"], own["compliance_rate"])
    return (
        expected.assign(
            last=last,
            rounds_since_outside=[np.nan if pd.isna(one) else count_halves(half) - count_halves(one) for one in last],
            weight=own["compliance_rate_denominator"].astype(float),
            **counted,
        ),
        half,
    )


def expect_optimism(outside: View, region: pd.Series, self_rate: pd.Series) -> pd.DataFrame:
    """How much better the self-check of each entity is than an outside check would probably be, and how sure that is.

    Outside checks of its region say it, and its own where there were any: these count once for each visit, and those
    of the region once.
    """
    visited = read_visited(outside)
    rows = pd.DataFrame({"entity": region.index, "group": region.to_numpy(), "self_rate": self_rate.to_numpy()})
    estimate = estimate_verified(visited, rows).set_index("entity")
    told = outside.ask(("pairs",), ("entity", HALF), with_entities=False)
    halves = told[told["pairs"] > 0].groupby("entity")[HALF].nunique()
    count = halves.reindex(region.index).fillna(0).astype(float)
    gap = visited.set_index("entity")
    own = (gap["self_rate"] - gap["outside_rate"]).astype(float).reindex(region.index)
    both = (estimate["gap"] + count * own.fillna(0)) / (1 + count)
    by = ("region", "entity", "inspection_type", "self_verdict", "verdict")
    groups = compare_groups(outside.ask(("pairs",), by, with_entities=False), "region", within="inspection_type")
    optimistic = set(groups.loc[groups["is_more_optimistic"], "region"])
    return pd.DataFrame(
        {
            "expected_optimism": both.where(estimate["gap"].notna(), own),
            "interval_width": (estimate["high"] - estimate["low"]) / np.sqrt(1 + count),
            "is_optimistic_group": region.isin(optimistic),
        },
        index=region.index,
    )


def read_outside_rates(group: View, half: str) -> pd.Series:
    """What outsiders found at each entity in the halves after one, as a rate of everything that they checked."""
    after = replace(group, selection=replace(group.selection, from_period=step_back(half, -1)))
    outside = tuple(one for one in group.options.choices["inspection_type"] if one != SELF_CHECK)
    by = ("entity", "inspecting_entity")
    frame = drop_own(after.ask(("compliance_rate",), by, inspection_type=outside, with_entities=False))
    sums = frame.groupby("entity")[["compliance_rate_numerator", "compliance_rate_denominator"]].sum()
    sums = sums[sums["compliance_rate_denominator"] > 0]
    return sums["compliance_rate_numerator"] / sums["compliance_rate_denominator"]


def drop_own(frame: pd.DataFrame) -> pd.DataFrame:
    """Inspections by others: an entity that audits itself is no outsider."""
    return frame[frame["entity"] != frame["inspecting_entity"]]


def count_halves(half: str) -> int:
    """Place of a half in time."""
    return int(half[2:6]) * 2 + (half[-1] == "2")
