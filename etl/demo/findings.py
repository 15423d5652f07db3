"""Findings and corrective actions raised by outside checks, and what is known of them at a date.

Days are counted from 1970-01-01; arrays have one element per finding, shape (findings,).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etl.demo.answering import NOT_MET, OBSERVATION, PARTLY_MET, AnswerBlock
from etl.demo.comments import ACTIONS_JA, OWNERS_JA, CommentPool, describe_actions
from etl.demo.group import Group
from etl.demo.masters import TYPES_JA
from etl.demo.rounds import with_slashes
from etl.demo.schedule import PRIVACY_AUDIT, Inspection
from etl.demo.text_files import EXCEL_UTF8, quoted, write_lines

SNAPSHOTS = (date(2025, 9, 30), date(2026, 4, 30))
COLUMNS = (
    "指摘番号", "対象拠点コード", "点検区分", "対象期間", "チェックリスト", "版", "項番",
    "重大度", "指摘内容", "指摘日", "状態", "完了日", "再開回数",
    "是正番号", "是正処置", "担当部署", "是正期限", "是正完了日", "有効性確認", "有効性確認日",
)  # fmt: skip
MAJOR, MINOR, SLIGHT = range(3)
SEVERITIES_JA = ("重大", "軽微", "観察")
DAYS_TO_CORRECT = np.array([45, 90, 120])
DAYS_TO_CORRECT_AGAIN = 60
NEVER = 1_000_000
PLANTED_REOPENED = 3
DAYS_TO_PLAN = 7
EPOCH = date(1970, 1, 1)
# 2025/9/3 for each day from the epoch to the end of 2033.
DAY_TEXTS = tuple(with_slashes(EPOCH + timedelta(days=day)) for day in range(23_376))

Days = NDArray[np.integer]


@dataclass(slots=True)
class _Columns:
    """What is drawn for the findings of one block."""

    inspection: list[Inspection] = field(default_factory=list)
    parts: dict[str, list[Days]] = field(default_factory=dict)

    def add(self, name: str, values: Days) -> None:
        self.parts.setdefault(name, []).append(values)


class FindingBook:
    """Findings in the order in which they are raised; an open finding is not raised a second time."""

    def __init__(self, group: Group, requirement_counts: tuple[int, int], pool: CommentPool, rng: np.random.Generator):
        self.group = group
        self.pool = pool
        self.rng = rng
        self._offset = {False: 0, True: requirement_counts[0]}
        self._open_until = np.full((len(group.entities), sum(requirement_counts)), -1, dtype=np.int64)
        self._found = _Columns()
        self._blocks: list[AnswerBlock] = []

    def add(self, block: AnswerBlock) -> None:
        """Raise the findings of a block of outside checks."""
        is_audit = block.inspections[0].type == PRIVACY_AUDIT
        worth = (block.verdicts == NOT_MET) | (block.verdicts == OBSERVATION)
        worth |= (block.verdicts == PARTLY_MET) & (block.edition.is_critical[None, :] | is_audit)
        rows, columns = np.nonzero(worth)
        submitted = np.array([_day(one.submitted) for one in block.inspections], dtype=np.int64)
        entities = np.array([one.entity for one in block.inspections], dtype=np.intp)[rows]
        asked = block.edition.requirements[columns] + self._offset[is_audit]
        fresh = submitted[rows] > self._open_until[entities, asked]
        rows, columns, entities, asked = rows[fresh], columns[fresh], entities[fresh], asked[fresh]
        severity = np.full(len(rows), MINOR)
        verdicts, critical = block.verdicts[rows, columns], block.edition.is_critical[columns]
        severity[(verdicts == NOT_MET) & (critical | is_audit)] = MAJOR
        severity[(verdicts == OBSERVATION) | ((verdicts == PARTLY_MET) & (not is_audit))] = SLIGHT
        self._draw(submitted[rows], severity, entities, asked)
        self._found.add("block", np.full(len(rows), len(self._blocks)))
        self._found.add("row", rows)
        self._found.add("column", columns)
        self._found.add("entity", entities)
        self._found.add("asked", asked)
        self._found.add("severity", severity)
        category = self.pool.categories(block.edition)[columns]
        comment = block.comments[rows, columns]
        variant = self.rng.integers(0, 8, len(rows))
        standing = self.pool.positions(
            np.array([[True]]), np.full((1, len(rows)), 4, np.int8), category, variant[None, :].astype(np.int32)
        )[0]
        self._found.add("description", np.where(comment >= 0, comment, standing))
        self._found.add("category", category)
        self._blocks.append(block)

    def _draw(self, raised: Days, severity: Days, entities: Days, asked: Days) -> None:
        """Draw when each finding is corrected, checked, closed and opened again."""
        rng, count = self.rng, len(raised)
        is_in_order = not self.group.tells("overdue_and_reopened")
        due = raised + DAYS_TO_CORRECT[severity]
        completed: Days = raised + 5 + rng.gamma(3.0, DAYS_TO_CORRECT[severity] / 3.6).astype(np.int64)
        completed[rng.random(count) < 0.03] = NEVER
        if is_in_order:
            completed = _by_due_day(raised, completed, due)
        checked = completed + rng.integers(20, 41, count)
        is_effective = rng.random(count) < 0.88
        completed_again: Days = checked + 5 + rng.gamma(3.0, 20.0, count).astype(np.int64)
        if is_in_order:
            completed_again = _by_due_day(checked, completed_again, checked + DAYS_TO_CORRECT_AGAIN)
        checked_again = completed_again + rng.integers(20, 41, count)
        closed = np.where(is_effective, checked, checked_again)
        reopened = np.where(rng.random(count) < 0.05, closed + rng.integers(30, 200, count), NEVER)
        if is_in_order:
            reopened[:] = NEVER
        corrected = reopened + 5 + rng.gamma(3.0, 20.0, count).astype(np.int64)
        corrected[rng.random(count) < 0.25] = NEVER
        closed_again = corrected + rng.integers(20, 41, count)
        self._open_until[entities, asked] = np.where(reopened < NEVER, np.maximum(closed, closed_again), closed)
        drawn = {
            "raised": raised, "due": due, "completed": completed, "checked": checked,
            "is_effective": is_effective.astype(np.int64), "due_2": checked + DAYS_TO_CORRECT_AGAIN,
            "completed_2": completed_again, "checked_2": checked_again, "closed": closed, "reopened": reopened,
            "due_3": reopened + DAYS_TO_CORRECT_AGAIN, "completed_3": corrected, "closed_again": closed_again,
        }  # fmt: skip
        for name, values in drawn.items():
            self._found.add(name, values)

    def write(self, folder: Path) -> tuple[dict[str, int], dict[str, dict[str, object]]]:
        """Write a snapshot for each date; returns rows by file and counts by date."""
        found = {name: np.concatenate(parts) for name, parts in self._found.parts.items()}
        if not found or not len(found["raised"]):
            return {}, {}
        order = np.lexsort((np.arange(len(found["raised"])), found["raised"]))
        found = {name: values[order] for name, values in found.items()}
        if self.group.tells("overdue_and_reopened"):
            _plant_reopened(found)
        heads = self._heads(found)
        files, counts = {}, {}
        for as_of in SNAPSHOTS:
            name = f"findings/findings_and_actions_{as_of:%Y%m%d}.csv"
            lines, count = self._snapshot(found, heads, _day(as_of))
            if lines:
                files[name] = write_lines(folder / name, EXCEL_UTF8, COLUMNS, lines)
                counts[as_of.isoformat()] = count
        return files, counts

    def _heads(self, found: dict[str, Days]) -> list[tuple[str, str]]:
        """Number of each finding, and its cells after the number that never change, as they stand in the file."""
        shared = [
            [
                f"{self.group.entities[one.entity].code},{TYPES_JA[one.type]},{one.period_ja},"
                f"{block.edition.checklist},{block.edition.version}"
                for one in block.inspections
            ]
            for block in self._blocks
        ]
        codes = [[item.code for item in block.edition.items] for block in self._blocks]
        years = [block.inspections[0].round.fiscal_year for block in self._blocks]
        texts = [quoted(text) for text in self.pool.texts]
        numbers = dict.fromkeys(years, 0)
        heads = []
        names = ("block", "row", "column", "severity", "description", "raised")
        for block, row, column, severity, description, raised in zip(
            *(found[name].tolist() for name in names), strict=True
        ):
            year = years[block]
            numbers[year] += 1
            head = f"{shared[block][row]},{codes[block][column]},{SEVERITIES_JA[severity]},{texts[description]}"
            heads.append((f"F-{year}-{numbers[year]:04d}", f"{head},{DAY_TEXTS[raised]}"))
        return heads

    def _snapshot(
        self, found: dict[str, Days], heads: list[tuple[str, str]], as_of: int
    ) -> tuple[list[str], dict[str, object]]:
        """Lines as they stood on the day, one per action or one without an action, and their counts."""
        actions = [quoted(text) for text in describe_actions(self.pool.category_names)]
        lines: list[str] = []
        overdue: list[str] = []
        reopened_codes: list[str] = []
        finding_count = open_count = action_count = 0
        names = (
            "raised", "due", "completed", "checked", "is_effective", "due_2", "completed_2", "checked_2", "closed",
            "reopened", "due_3", "completed_3", "closed_again", "category", "row", "column",
        )  # fmt: skip
        for (code, cells), drawn in zip(
            heads, zip(*(found[name].tolist() for name in names), strict=True), strict=True
        ):
            (
                raised, due, completed, checked, is_effective, due_2, completed_2, checked_2, closed,
                reopened, due_3, completed_3, closed_again, category, row, column,
            ) = drawn  # fmt: skip
            if raised > as_of:
                continue
            finding_count += 1
            is_reopened = reopened <= as_of
            if is_reopened:
                closed = closed_again
                reopened_codes.append(code)
            open_count += closed > as_of
            state = "未完了," if closed > as_of else f"完了,{DAY_TEXTS[closed]}"
            head = f"{code},{cells},{state},{int(is_reopened)}"
            # Days on which an action is due, was completed and was checked, and whether it was effective.
            steps = [(due, completed, checked, is_effective)] if raised + DAYS_TO_PLAN <= as_of else []
            if not is_effective and checked <= as_of:
                steps.append((due_2, completed_2, checked_2, 1))
            if is_reopened:
                steps.append((due_3, completed_3, closed_again, 1))
            if not steps:
                lines.append(head + ",,,,,,,")
            owner = OWNERS_JA[(category + row) % len(OWNERS_JA)]
            action_count += len(steps)
            for n, (due_on, completed_on, checked_on, was_effective) in enumerate(steps, 1):
                action = actions[category * len(ACTIONS_JA) + (column + n) % len(ACTIONS_JA)]
                done = DAY_TEXTS[completed_on] if completed_on <= as_of else ""
                result = (
                    f"{'有効' if was_effective else '不十分'},{DAY_TEXTS[checked_on]}" if checked_on <= as_of else ","
                )
                lines.append(f"{head},{code}-{n},{action},{owner},{DAY_TEXTS[due_on]},{done},{result}")
                if not done and due_on < as_of:
                    overdue.append(f"{code}-{n}")
        count: dict[str, object] = {
            "findings": finding_count,
            "open_findings": open_count,
            "actions": action_count,
            "overdue_actions": len(overdue),
            "reopened_findings": len(reopened_codes),
            "some_overdue_action_codes": overdue[:50],
            "some_reopened_finding_codes": reopened_codes[-50:],
        }
        return lines, count


def _by_due_day(start: Days, completed: Days, due: Days) -> Days:
    """Days on which actions are completed, late ones moved to a day between the start and the due day."""
    # The remainder spreads them, so that they do not all end on the due day itself.
    return np.where(completed <= due, completed, start + 1 + (completed - start) % (due - start))


def _plant_reopened(found: dict[str, Days]) -> None:
    """Open a few findings again between the two snapshots: closed in the first, open in the second."""
    first = _day(SNAPSHOTS[0])
    # Only the last finding on an entity's requirement, so that no two of them are open at once.
    last = {key: place for place, key in enumerate(zip(found["entity"].tolist(), found["asked"].tolist(), strict=True))}
    fits = [
        place for place in sorted(last.values()) if found["closed"][place] < first and found["reopened"][place] >= NEVER
    ]
    for days, place in enumerate(fits[-PLANTED_REOPENED:]):
        found["reopened"][place] = first + 30 + 7 * days
        found["due_3"][place] = first + 90 + 7 * days
        found["completed_3"][place] = NEVER
        found["closed_again"][place] = NEVER


def _day(day: date | None) -> int:
    assert day is not None
    return (day - EPOCH).days
