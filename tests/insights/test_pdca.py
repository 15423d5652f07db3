"""Stages of the PDCA cycle: every rule by a row made by hand, and what must hold for any row."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.pdca import COUNTS, REASONS, STAGES, find_stages

NOTHING = dict.fromkeys(COUNTS, 0)
CHECKED = NOTHING | {"planned": 2, "performed": 2}

EXAMPLES = [
    ("nothing is planned", {}, "plan", ("no_plan",)),
    ("nothing is planned, and old findings are open", {"open_findings": 3}, "plan", ("no_plan",)),
    ("planned, and no day has come", {"planned": 2}, "do", ("nothing_performed_yet", "inspections_to_come")),
    (
        "planned, and a day is past",
        {"planned": 1, "missing": 1},
        "do",
        ("nothing_performed_yet", "missing_inspections"),
    ),
    ("the first has come in", {"planned": 3, "performed": 1}, "check", ("inspections_to_come",)),
    ("one is missing", {"planned": 2, "performed": 1, "missing": 1}, "check", ("missing_inspections",)),
    (
        "one is missing, one is to come",
        {"planned": 3, "performed": 1, "missing": 1},
        "check",
        ("missing_inspections", "inspections_to_come"),
    ),
    (
        "one is missing, and actions are overdue",
        {"planned": 2, "performed": 1, "missing": 1, "open_findings": 1, "open_actions": 1, "overdue_actions": 1},
        "check",
        ("missing_inspections",),
    ),
    (
        "a finding has no action",
        CHECKED | {"findings": 1, "open_findings": 1},
        "act",
        ("findings_without_action", "open_findings"),
    ),
    (
        "an action is overdue",
        CHECKED | {"findings": 1, "open_findings": 1, "actions": 1, "open_actions": 1, "overdue_actions": 1},
        "act",
        ("overdue_actions", "open_findings"),
    ),
    (
        "an action is open, within its day",
        CHECKED | {"findings": 1, "open_findings": 1, "actions": 1, "open_actions": 1},
        "act",
        ("open_actions", "open_findings"),
    ),
    (
        "every action is completed, but a finding is not closed",
        CHECKED | {"findings": 1, "open_findings": 1, "actions": 1},
        "act",
        ("open_findings",),
    ),
    (
        "a closed finding still has an open action",
        CHECKED | {"findings": 1, "actions": 1, "open_actions": 1},
        "act",
        ("open_actions",),
    ),
    ("every finding is closed", CHECKED | {"findings": 4, "actions": 4}, "closed", ()),
    ("nothing was found", CHECKED, "closed", ()),
]
ROWS = st.fixed_dictionaries({name: st.integers(0, 3) for name in COUNTS})


def make_frame(*rows: dict[str, int]) -> pd.DataFrame:
    return pd.DataFrame([NOTHING | row for row in rows])


@pytest.mark.parametrize(
    ("row", "stage", "blocked_by"), [example[1:] for example in EXAMPLES], ids=[example[0] for example in EXAMPLES]
)
def test_rule(row: dict[str, int], stage: str, blocked_by: tuple[str, ...]) -> None:
    found = find_stages(make_frame(row)).iloc[0]
    assert (found["stage"], found["blocked_by"]) == (stage, blocked_by)


def test_findings_without_action_are_taken_as_counted() -> None:
    row = CHECKED | {"findings": 2, "open_findings": 1, "actions": 2, "findings_without_action": 1}
    assert find_stages(pd.DataFrame([row])).iloc[0]["blocked_by"] == ("findings_without_action", "open_findings")
    row |= {"actions": 0, "findings_without_action": 0}
    assert find_stages(pd.DataFrame([row])).iloc[0]["blocked_by"] == ("open_findings",)


def test_index_is_kept_and_a_missing_number_is_nothing() -> None:
    counts = make_frame(CHECKED, {}).set_axis(["AF-1", "AF-2"]).astype(float)
    counts.loc["AF-1", ["findings", "open_findings"]] = float("nan")
    before = counts.copy()
    found = find_stages(counts)
    assert found["stage"].to_dict() == {"AF-1": "closed", "AF-2": "plan"}
    pd.testing.assert_frame_equal(counts, before)


def test_no_row_gives_no_row() -> None:
    found = find_stages(make_frame())
    assert found.empty and list(found) == ["stage", "blocked_by"]


@given(st.lists(ROWS, min_size=1, max_size=5))
def test_each_entity_has_one_stage_and_is_blocked_unless_closed(rows: list[dict[str, int]]) -> None:
    found = find_stages(make_frame(*rows))
    assert len(found) == len(rows)
    for stage, blocked_by in zip(found["stage"], found["blocked_by"], strict=True):
        assert stage in STAGES
        assert set(blocked_by) <= set(REASONS)
        assert (stage == "closed") == (not blocked_by)


@given(ROWS)
def test_one_more_open_finding_never_moves_forward(row: dict[str, int]) -> None:
    more = row | {"findings": row["findings"] + 1, "open_findings": row["open_findings"] + 1}
    before, after = find_stages(make_frame(row, more))["stage"]
    assert STAGES.index(after) <= STAGES.index(before)


@given(ROWS)
def test_one_more_inspection_performed_never_moves_back(row: dict[str, int]) -> None:
    more = row | {"performed": row["performed"] + 1, "missing": max(0, row["missing"] - 1)}
    before, after = find_stages(make_frame(row, more))["stage"]
    assert STAGES.index(after) >= STAGES.index(before)


@given(ROWS)
def test_one_more_overdue_action_never_moves_forward(row: dict[str, int]) -> None:
    more = row | {name: row[name] + 1 for name in ("actions", "open_actions", "overdue_actions")}
    before, after = find_stages(make_frame(row, more))["stage"]
    assert STAGES.index(after) <= STAGES.index(before)
