"""The demo group from end to end: written, loaded, and its planted stories found again by asking the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from etl.demo import truth_path
from metrics.__main__ import main

Story = dict[str, Any]


class Demo:
    """A loaded demo group, its truth, and the command line to ask it."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.report = json.loads((folder / "report.json").read_text("utf-8"))
        self.truth = json.loads(truth_path(folder / "exports").read_text("utf-8"))
        self.stories: dict[str, Story] = {story["id"]: story for story in self.truth["stories"]}


@pytest.fixture(scope="module")
def demo(shared_demo: Path) -> Demo:
    return Demo(shared_demo)


@pytest.fixture
def ask(demo: Demo, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str) -> list[dict[str, Any]]:
        assert main(["ask", *arguments, "--home", str(demo.home), "--json"]) == 0
        rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["rows"]
        return rows

    return run


def test_every_row_loads(demo: Demo) -> None:
    assert demo.report["exit_status"] == 0 and demo.report["refusals"] == []
    read = {one["file"]: one["rows_read"] for one in demo.report["loads"]}
    assert len(read) == len(demo.truth["files"])
    assert sum(read.values()) >= sum(demo.truth["answers"].values())


def test_verdicts_are_those_that_were_written(demo: Demo, ask: Any) -> None:
    for inspection_type, verdicts in demo.truth["verdicts"].items():
        # What was first known, before the corrected self-check replaced its answers.
        known = [] if inspection_type != "self_check" else ["--known-at", "2025-12-09", "--where", "to=FY2024-H2"]
        rows = ask("answers", "--by", "verdict", "--where", f"inspection_type={inspection_type}", *known)
        counted = {row["verdict"]: row["answers"] for row in rows}
        if inspection_type == "self_check":
            assert sum(counted.values()) < sum(verdicts.values())
        else:
            assert counted == verdicts


def test_rosy_region(demo: Demo, ask: Any) -> None:
    """Asia is best in its own eyes and worst but one in those of outsiders."""
    rows = ask(
        "compliance_rate", "--by", "region,inspection_type", "--where", "inspection_type=self_check,affiliate_check"
    )
    by = {(row["region"], row["inspection_type"]): row["compliance_rate"] for row in rows}
    gaps = {
        region: by[region, "self_check"] - by[region, "affiliate_check"] for region in ("JP", "AM", "EU", "CN", "AS")
    }
    assert max(gaps, key=gaps.__getitem__) == demo.stories["rosy_region"]["region"]
    assert gaps["AS"] > 2 * sorted(gaps.values())[-2]


def test_chronic_item(demo: Demo, ask: Any) -> None:
    story = demo.stories["chronic_item"]
    items = [f"{story['checklist_code']}|{version}|{code}" for version, code in story["item_code_by_version"].items()]
    rows = ask(
        "compliance_rate",
        "--by",
        "entity,fiscal_half",
        "--where",
        f"item={','.join(items)}",
        "--where",
        "inspection_type=self_check",
    )
    halves = {row["fiscal_half"] for row in rows}
    worst: dict[str, set[str]] = {}
    for row in rows:
        if row["compliance_rate"] == 0:
            worst.setdefault(row["entity"], set()).add(row["fiscal_half"])
    never = sorted(entity for entity, failed in worst.items() if failed == halves)
    assert never == story["entity_codes_failing_in_every_round"]


def test_copycat(demo: Demo, ask: Any) -> None:
    story = demo.stories["copycat"]

    def share(entity: str, later: str, earlier: str) -> float:
        where = ["--where", f"entity={entity}", "--where", "inspection_type=self_check", "--known-at", "2026-11-01"]
        rounds = [
            {
                (row["item_lineage"], row["verdict"])
                for row in ask("answers", "--by", "item_lineage,verdict", "--where", f"fiscal_half={half}", *where)
            }
            for half in (later, earlier)
        ]
        return len(rounds[0] & rounds[1]) / len(rounds[0])

    assert share(story["entity_code"], "FY2025-H2", "FY2024-H2") == 1.0
    assert share("AF-0068", "FY2025-H2", "FY2024-H2") < 1.0


@pytest.mark.parametrize("name", ["acquired", "sold"])
def test_bought_and_sold(demo: Demo, ask: Any, name: str) -> None:
    story = demo.stories[name]
    rows = ask(
        "inspections",
        "--by",
        "fiscal_half",
        "--where",
        f"entity={story['entity_code']}",
        "--where",
        "inspection_type=self_check",
    )
    assert [row["fiscal_half"] for row in rows] == story["self_check_periods"]


def test_moved_region(demo: Demo, ask: Any) -> None:
    story = demo.stories["moved_region"]
    rows = ask("inspections", "--by", "region,fiscal_year", "--where", f"entity={story['entity_code']}")
    regions = {row["fiscal_year"]: row["region"] for row in rows}
    assert regions[2023] == story["region_before"] and regions[2024] == story["region_after"]
    assert len(rows) == len(regions)


def test_checklist_revision(demo: Demo, ask: Any) -> None:
    story = demo.stories["checklist_revision"]
    counted = {
        version: len(ask("answers", "--by", "item", "--where", f"checklist_version=SEC {version}"))
        for version in story["items"]
    }
    assert counted == story["items"]
    rows = ask(
        "compliance_rate", "--by", "fiscal_half", "--where", "inspection_type=self_check", "--known-at", "2025-06-01"
    )
    found = {row["fiscal_half"]: row["compliance_rate"] for row in rows}
    for half, rate in story["self_check_compliance_as_first_known"].items():
        assert found[half] == pytest.approx(rate)


def test_corrected_resubmission(demo: Demo, ask: Any) -> None:
    story = demo.stories["corrected_resubmission"]
    where = [
        "--where",
        f"entity={story['entity_code']}",
        "--where",
        f"fiscal_half={story['period']}",
        "--where",
        "inspection_type=self_check",
    ]
    for known, state in (("2025-12-09", "before"), ("2025-12-10", "after"), ("2026-11-01", "after")):
        (row,) = ask("compliance_rate", "--known-at", known, *where)
        figures = (row["compliance_rate_numerator"], row["compliance_rate_denominator"])
        assert figures == (story[state]["numerator"], story[state]["denominator"]), known


def test_overdue_and_reopened(demo: Demo, ask: Any) -> None:
    for day, told in demo.stories["overdue_and_reopened"]["as_of"].items():
        (row,) = ask("findings", "open_findings", "reopened_findings", "overdue_actions", "--known-at", day)
        for name in ("findings", "open_findings", "reopened_findings", "overdue_actions"):
            assert row[name] == told[name], (day, name)


def test_lapsed_privacymark(demo: Demo, ask: Any) -> None:
    story = demo.stories["lapsed_privacymark"]
    rows = ask("lapsed_privacymarks", "--by", "entity", "--known-at", "2026-05-01")
    assert [row["entity"] for row in rows if row["lapsed_privacymarks"]] == [story["entity_code"]]


def test_late_and_missing(demo: Demo, ask: Any) -> None:
    story = demo.stories["late_and_missing"]["by_type_and_period"]
    names = ("planned_inspections", "late_inspections", "missing_inspections")
    rows = ask(*names, "coverage_rate", "--by", "inspection_type,fiscal_half")
    found = {(row["inspection_type"], row["fiscal_half"]): row for row in rows}
    for inspection_type, periods in story.items():
        for period, told in periods.items():
            half = period if "-H" in period else None
            mine = [
                row
                for key, row in found.items()
                if key[0] == inspection_type and (key[1] == half or (half is None and key[1].startswith(period)))
            ]
            planned = sum(row["planned_inspections"] for row in mine)
            assert planned == told["planned"] - told["cancelled"], (inspection_type, period)
            assert sum(row["late_inspections"] for row in mine) == told["late"], (inspection_type, period)
            assert sum(row["missing_inspections"] for row in mine) == told["missing"], (inspection_type, period)
            assert sum(row["coverage_rate_numerator"] for row in mine) == told["performed"], (inspection_type, period)
