"""How long each insight takes on top of the questions that it needs, on the newest build of a home."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from insights.calibration import check_verified, compare_groups, estimate_verified, summarise_pairs
from insights.chronic import count_chronic_by_item, estimate_time_to_fix, find_chronic, measure_repeat
from insights.drivers import decompose_change, sum_parts
from insights.funnel import judge_funnel
from insights.intervals import compare_periods, compare_with_rest, find_cluster_interval
from insights.item_quality import describe_items, fit_two_parameter
from insights.like_for_like import chain_rates, sum_common_items
from insights.next_visits import rank_next_visits
from insights.pace import back_test, find_pace
from insights.ranking import rank_entities
from insights.restatements import find_restatements, measure_effect
from insights.severity import count_repeats, estimate_severity
from insights.signals import find_many_signals
from insights.standing import find_standing
from insights.tick_box import judge_self_checks
from metrics.ask import answer
from metrics.matching import MatchQuery, match_rounds
from metrics.query import Filters, Query
from metrics.rounds import RoundQuery, read_round
from metrics.spells import SpellsQuery, read_spells
from metrics.warehouse import Warehouse

AIM_MS: Final = 200
REPEATS: Final = 3
METRIC: Final = "compliance_rate"
SELF: Final = Filters(inspection_type=("self_check",))
OUTSIDE: Final = Filters(inspection_type=("mutual_check", "affiliate_check", "privacy_audit"))
Step = tuple[str, Callable[[], Any], Callable[[Any], Any]]


def measure_insights(home: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Milliseconds of each insight's questions and of the insight itself, medians of several runs."""
    warehouse = Warehouse.open_newest(home)
    try:
        measured = {}
        for name, ask, find in list_steps(warehouse):
            say(f"insight {name}")
            asked, frame = time_call(ask)
            found, _ = time_call(lambda find=find, frame=frame: find(frame))
            measured[name] = {"question_ms": asked, "insight_ms": found, "insight_to_question": round(found / asked, 2)}
    finally:
        warehouse.close()
    over = sorted(name for name, one in measured.items() if one["insight_ms"] > AIM_MS)
    return {"aim_ms": AIM_MS, "over_the_aim": over, "insights": measured}


def time_call(act: Callable[[], Any]) -> tuple[float, Any]:
    """Median milliseconds of several calls after a first one, and what the last one gave."""
    act()
    times, result = [], None
    for _ in range(REPEATS):
        began = time.perf_counter()
        result = act()
        times.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(times), 1), result


def list_steps(warehouse: Warehouse) -> list[Step]:
    """Each insight with the questions that it needs and what it does with the answers."""
    halves = sorted(ask(warehouse, ("inspections",), ("fiscal_half",))["fiscal_half"])
    before, after = halves[-2:]
    year_before = halves[-3] if len(halves) > 2 else before
    now, then = hold(SELF, after), hold(SELF, before)

    def ask_sums(by: tuple[str, ...] = ("entity",), filters: Filters = now) -> pd.DataFrame:
        return name_sums(ask(warehouse, (METRIC, "applicable_answers"), by, filters))

    def ask_over_time(by: str) -> pd.DataFrame:
        return name_sums(ask(warehouse, (METRIC, "applicable_answers"), ("fiscal_half", by), SELF))

    def ask_crossed(by: str) -> pd.DataFrame:
        kinds = ("inspection_type", "self_verdict", "verdict")
        return ask(warehouse, ("pairs",), tuple(dict.fromkeys((by, "entity", *kinds))), OUTSIDE)

    def ask_twice() -> tuple[pd.DataFrame, pd.DataFrame]:
        earlier = warehouse.first_known_at()
        names = ("fiscal_half", "entity")
        frames = [
            name_sums(answer(warehouse, Query((METRIC,), names, SELF, moment)).frame).rename(
                columns={"fiscal_half": "period"}
            )
            for moment in (earlier, None)
        ]
        return frames[0], frames[1]

    spells = SpellsQuery(("item_lineage", "measure"), filters=SELF)
    return [
        (
            "intervals and differences of regions",
            lambda: (ask_sums(("region", "entity"), then), ask_sums(("region", "entity"))),
            lambda frames: (
                find_cluster_interval(frames[1], "region"),
                compare_periods(*frames, "region"),
                compare_with_rest(frames[1], "region"),
            ),
        ),
        ("funnel", ask_sums, lambda frame: judge_funnel(frame[METRIC], frame["applicable_answers"])),
        ("ranking", ask_sums, lambda frame: rank_entities(frame[METRIC], frame["applicable_answers"])),
        ("standing", ask_sums, lambda frame: find_standing(frame[METRIC])),
        (
            "drivers",
            lambda: match_rounds(warehouse, MatchQuery(before, after, SELF)),
            lambda frame: sum_parts(decompose_change(frame), frame["region"]),
        ),
        (
            "like for like",
            lambda: ask(warehouse, (METRIC, "answers"), ("fiscal_half", "item_lineage"), SELF),
            lambda frame: chain_rates(
                sum_common_items(name_sums(frame).rename(columns={"fiscal_half": "period"}), halves)
            ),
        ),
        (
            "signals of every entity",
            lambda: ask_over_time("entity"),
            lambda frame: find_many_signals(
                frame.rename(columns={"fiscal_half": "period", METRIC: "rate", "applicable_answers": "count"}),
                "entity",
            ),
        ),
        (
            "pace",
            lambda: ask(warehouse, (METRIC,), ("fiscal_half",), SELF)[METRIC],
            lambda rates: (find_pace(rates, 0.95, 4), back_test(rates)),
        ),
        (
            "calibration by entity",
            lambda: ask_crossed("entity"),
            lambda frame: (summarise_pairs(frame, "entity"), compare_groups(frame, "inspection_type")),
        ),
        (
            "calibration by region",
            lambda: ask_crossed("region"),
            lambda frame: (summarise_pairs(frame, "region"), compare_groups(frame, "region", within="inspection_type")),
        ),
        (
            "calibration by item",
            lambda: ask_crossed("item_lineage"),
            lambda frame: summarise_pairs(frame, "item_lineage"),
        ),
        ("verified estimate", lambda: ask_visited(warehouse, now), estimate_unvisited),
        (
            "severity of inspectors",
            lambda: ask(
                warehouse, ("net_optimism", "pairs"), ("inspecting_entity", "entity", "fiscal_half"), OUTSIDE
            ).rename(columns={"inspecting_entity": "inspector", "fiscal_half": "period"}),
            lambda frame: (count_repeats(frame), estimate_severity(frame)),
        ),
        (
            "tick-box signs",
            lambda: read_round(warehouse, RoundQuery(after, year_before, SELF)),
            judge_self_checks,
        ),
        (
            "item quality",
            lambda: read_round(warehouse, RoundQuery(after, before, SELF)).rename(columns={"item_lineage": "item"}),
            describe_items,
        ),
        (
            "item quality: 2PL, on demand",
            lambda: make_matrix(read_round(warehouse, RoundQuery(after, before, SELF))),
            fit_two_parameter,
        ),
        (
            "chronic items",
            lambda: read_spells(warehouse, SpellsQuery(None, 4, True, SELF)),
            lambda frame: find_chronic(frame, critical_first=True),
        ),
        (
            "time to fix and repeats",
            lambda: read_spells(warehouse, spells).rename(columns={"spells": "count"}),
            lambda frame: (
                estimate_time_to_fix(frame, "measure"),
                measure_repeat(frame, "measure"),
                count_chronic_by_item(frame),
            ),
        ),
        (
            "restatements",
            ask_twice,
            lambda frames: (find_restatements(*frames), measure_effect(*frames, by="period")),
        ),
        ("where to inspect next", lambda: ask_visits(warehouse, now), rank_next_visits),
    ]


def ask(warehouse: Warehouse, metrics: tuple[str, ...], by: tuple[str, ...], filters: Filters = SELF) -> pd.DataFrame:
    """An answer frame."""
    return answer(warehouse, Query(metrics, by, filters)).frame


def hold(filters: Filters, half: str) -> Filters:
    """Filters held to one half."""
    return replace(filters, period_from=half, period_to=half)


def name_sums(frame: pd.DataFrame) -> pd.DataFrame:
    """The names by which insights know numerator and denominator."""
    return frame.rename(columns={f"{METRIC}_{part}": part for part in ("numerator", "denominator")}).assign(
        **({"answers": frame["applicable_answers"]} if "applicable_answers" in frame else {})
    )


def ask_visited(warehouse: Warehouse, now: Filters) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both rates of every entity that an outsider visited, and the self-check's of all."""
    metrics = ("pairs", "paired_self_rate", "paired_outside_rate")
    visited = ask(warehouse, metrics, ("entity", "region"), OUTSIDE).rename(
        columns={"region": "group", "paired_self_rate": "self_rate", "paired_outside_rate": "outside_rate"}
    )
    everyone = ask(warehouse, (METRIC,), ("entity", "region"), now).rename(
        columns={"region": "group", METRIC: "self_rate"}
    )
    return visited, everyone


def estimate_unvisited(frames: tuple[pd.DataFrame, pd.DataFrame]) -> Any:
    """The verified estimate of everybody, with its check."""
    return estimate_verified(*frames), check_verified(frames[0])


def ask_visits(warehouse: Warehouse, now: Filters) -> pd.DataFrame:
    """What the ranking of visits needs, one row per entity."""
    rates = ask(warehouse, (METRIC,), ("entity",), now).set_index("entity")
    gaps = ask(warehouse, ("optimism_gap",), ("entity",), OUTSIDE).set_index("entity")["optimism_gap"]
    return pd.DataFrame(
        {
            "expected_optimism": gaps.reindex(rates.index),
            "interval_width": 0.1,
            "weight": rates[f"{METRIC}_denominator"],
            "rounds_since_outside": 3.0,
            "missing_inspections": 0,
            "open_major_findings": 0,
        }
    )


def make_matrix(frame: pd.DataFrame) -> pd.DataFrame:
    """Scores as entities × items."""
    return frame.pivot_table(index="entity", columns="item_lineage", values="score", observed=True)
