"""Write the demo group's exports, one fiscal half after the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from etl.demo.answer_files import (
    AUDIT_ANSWERS,
    AUDIT_COLUMNS,
    FLAT_ANSWERS,
    FLAT_COLUMNS,
    FLAT_EVIDENCE,
    JAPANESE_EVIDENCE,
    THIRD_PARTY_ANSWERS,
    THIRD_PARTY_COLUMNS,
    AnswerFile,
    ParquetAnswerFile,
    TextAnswerFile,
    audit_head,
    flat_head,
    third_party_head,
)
from etl.demo.answering import AnswerBlock, Respondents, correct
from etl.demo.checklist import make_checklists
from etl.demo.comments import CommentPool, make_pool
from etl.demo.findings import FindingBook
from etl.demo.group import Group, make_group
from etl.demo.masters import write_checklists, write_organisation, write_plans
from etl.demo.names import GROUP_EN, GROUP_JA
from etl.demo.rounds import LAST_FISCAL_YEAR, Round, make_rounds
from etl.demo.schedule import (
    AFFILIATE_CHECK,
    CORRECTED_ON,
    MUTUAL_CHECK,
    PRIVACY_AUDIT,
    SELF_CHECK,
    Inspection,
    make_schedule,
)
from etl.demo.stories import STORIES, choose_left_out
from etl.demo.text_files import EXCEL_CP932, EXCEL_UTF8, PLAIN
from etl.demo.truth import Written, count_verdicts, is_copied, tell_round_changes, tell_stories
from etl.demo.workbooks import file_name, write_workbook

Form = Literal["mixed", "csv", "parquet"]
Progress = Callable[[str, int, int], None]
FOLDERS = ("master", "plan", "self_check", "third_party_check", "privacy_audit", "findings")


def write_demo(
    out: Path,
    *,
    entities: int = 150,
    items: int = 120,
    rounds: int = 12,
    seed: int = 20250401,
    form: Form = "mixed",
    without: Collection[str] = (),
    progress: Progress | None = None,
) -> dict[str, object]:
    """Write the exports of a fictional group below `out` and return the planted truth, also beside the folder in `<out>.truth.json`.

    `items` is the size of the newest security checklist and `rounds` the number of fiscal halves, of which the last is
    FY2025-H2. The form "mixed" writes the self-checks of the last fiscal year as workbooks and earlier ones into one
    flat file; "csv" and "parquet" write all self-checks into the flat file. The same arguments give the same bytes,
    and of Parquet the same rows.

    `without` names stories (see etl.demo.stories) that are left out; the rest of the group stays as it is with them,
    save for the findings, which are drawn anew from the first outside check that differs.
    """
    if form not in ("mixed", "csv", "parquet"):
        raise ValueError(f"form must be mixed, csv or parquet; it is {form!r}")
    left_out = choose_left_out(without)
    turns = make_rounds(rounds, left_out)
    # A stream of random numbers for each part, so that one part can change without the others; the last two are for
    # inspections and answers that there are only because a story is left out.
    streams = [np.random.Generator(np.random.SFC64(child)) for child in np.random.SeedSequence(seed).spawn(7)]
    group = make_group(entities, turns, streams[0], left_out)
    checklists = make_checklists(items)
    pool = make_pool(checklists)
    schedule = make_schedule(group, turns, streams[1], streams[5])
    people = Respondents(group, checklists, pool, streams[2], streams[6])
    written = Written(group, turns, checklists, schedule, people.chronic_requirement)
    _remove_earlier(out)
    out.mkdir(parents=True, exist_ok=True)
    report = progress or (lambda what, done, total: None)

    files = write_organisation(out, group) | write_checklists(out, checklists) | write_plans(out, group, schedule)
    files |= _write_self_checks(out, written, people, form, streams[3], report)
    files |= _write_third_party(out, written, people, report)
    files |= _write_audits(out, written, people)
    requirement_counts = (checklists.requirement_count, len(checklists.privacy.items))
    book = FindingBook(group, requirement_counts, pool, streams[4])
    for block in sorted([*written.third_party, *written.audits], key=lambda block: block.inspections[0].round.index):
        book.add(block)
    finding_files, finding_counts = book.write(out)
    files |= finding_files
    written.findings.update(finding_counts)

    truth = _truth(written, files, seed, form)
    truth_path(out).write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return truth


def _remove_earlier(out: Path) -> None:
    """Remove the files that an earlier demo says it wrote to the folder, and nothing else."""
    if not truth_path(out).is_file():
        return
    for name in json.loads(truth_path(out).read_text("utf-8")).get("files", {}):
        parts = Path(name).parts
        if parts[0] in FOLDERS and ".." not in parts:
            (out / name).unlink(missing_ok=True)
            if not any((out / name).parent.glob("*")):
                (out / name).parent.rmdir()
    truth_path(out).unlink()


def _of(schedule: list[Inspection], kind: str, turn: Round) -> list[Inspection]:
    return [one for one in schedule if one.type == kind and one.round is turn and one.is_performed]


def _open_flat(path: Path, form: Form, group: Group, pool: CommentPool) -> AnswerFile:
    if form == "parquet":
        return ParquetAnswerFile(path.with_suffix(".parquet"), flat_head(group), pool)
    return TextAnswerFile(
        path.with_suffix(".csv"), FLAT_COLUMNS, PLAIN, flat_head(group), FLAT_ANSWERS, FLAT_EVIDENCE, pool
    )


def _write_self_checks(
    out: Path, written: Written, people: Respondents, form: Form, rng: np.random.Generator, report: Progress
) -> dict[str, int]:
    files: dict[str, int] = {}
    suffix = ".parquet" if form == "parquet" else ".csv"
    by_round: dict[Round, list[Inspection]] = {turn: [] for turn in written.rounds}
    for one in written.schedule:
        if one.type == SELF_CHECK and one.is_performed:
            by_round[one.round].append(one)
    total = sum(len(found) * len(written.checklists.security[turn.version].items) for turn, found in by_round.items())
    done = 0
    with ExitStack() as stack:
        history: AnswerFile | None = None
        for turn in written.rounds:
            edition = written.checklists.security[turn.version]
            before = written.self_checks.get(turn.index - 2) if is_copied(turn) else None
            block = people.answer(by_round[turn], edition, before)
            written.self_checks[turn.index] = block
            if form == "mixed" and turn.fiscal_year == LAST_FISCAL_YEAR:
                for row in range(len(block.inspections)):
                    files |= _write_workbook(out, written.group, block, row, people.pool, is_correction=False)
                    report("self-check workbooks", done + (row + 1) * len(edition.items), total)
            else:
                if history is None:
                    path = out / "self_check" / "self_check_history"
                    history = stack.enter_context(_open_flat(path, form, written.group, people.pool))
                history.write(block)
            done += block.answer_count
            report("self-checks", done, total)
        if history is not None:
            files[f"self_check/self_check_history{suffix}"] = history.rows
    return files | _write_correction(out, written, people.pool, form, rng)


def _write_workbook(
    out: Path, group: Group, block: AnswerBlock, row: int, pool: CommentPool, is_correction: bool
) -> dict[str, int]:
    entity = group.entities[block.inspections[row].entity]
    name = f"self_check/{block.inspections[row].round.code}/{file_name(entity, block, is_correction)}"
    return {name: write_workbook(out / name, entity, block, row, pool)}


def _write_correction(
    out: Path, written: Written, pool: CommentPool, form: Form, rng: np.random.Generator
) -> dict[str, int]:
    """Hand in the self-check of FY2025-H1 of one affiliate again, with changed answers."""
    entity = written.group.role("corrected")
    turn = next((one for one in written.rounds if one.code == f"FY{LAST_FISCAL_YEAR}-H1"), None)
    rows = written.self_checks[turn.index].rows_of(entity) if turn is not None and entity is not None else []
    if turn is None or entity is None or not rows:
        return {}
    block = written.self_checks[turn.index]
    again = replace(block.inspections[rows[0]], submitted=CORRECTED_ON)
    corrected = correct(block, rows[0], again, rng)
    written.corrections.append(corrected)
    if form == "mixed":
        return _write_workbook(out, written.group, corrected, 0, pool, is_correction=True)
    name = f"self_check/self_check_history_correction_{written.code(entity)}"
    with _open_flat(out / name, form, written.group, pool) as file:
        file.write(corrected)
    return {f"{name}{'.parquet' if form == 'parquet' else '.csv'}": corrected.answer_count}


def _write_third_party(out: Path, written: Written, people: Respondents, report: Progress) -> dict[str, int]:
    """Checks by other sites and by head office, one file for each fiscal year."""
    files: dict[str, int] = {}
    for year in sorted({turn.fiscal_year for turn in written.rounds}):
        name = f"third_party_check/第三者点検結果_{year}年度.csv"
        with TextAnswerFile(
            out / name, THIRD_PARTY_COLUMNS, EXCEL_CP932, third_party_head(written.group),
            THIRD_PARTY_ANSWERS, JAPANESE_EVIDENCE, people.pool,
        ) as file:  # fmt: skip
            for turn in written.rounds:
                if turn.fiscal_year != year:
                    continue
                for kind in (MUTUAL_CHECK, AFFILIATE_CHECK):
                    inspections = _of(written.schedule, kind, turn)
                    if inspections:
                        block = people.answer(inspections, written.checklists.security[turn.version])
                        written.third_party.append(block)
                        file.write(block)
            files[name] = file.rows
        report("third-party checks", sum(files.values()), 0)
    return files


def _write_audits(out: Path, written: Written, people: Respondents) -> dict[str, int]:
    """Personal information protection audits, one file for each fiscal year."""
    files: dict[str, int] = {}
    for turn in written.rounds:
        inspections = _of(written.schedule, PRIVACY_AUDIT, turn)
        if not inspections:
            continue
        block = people.answer(inspections, written.checklists.privacy)
        written.audits.append(block)
        name = f"privacy_audit/個人情報保護監査結果_{turn.fiscal_year}年度.csv"
        with TextAnswerFile(
            out / name, AUDIT_COLUMNS, EXCEL_UTF8, audit_head(written.group), AUDIT_ANSWERS, JAPANESE_EVIDENCE,
            people.pool,
        ) as file:  # fmt: skip
            file.write(block)
            files[name] = file.rows
    return files


def _truth(written: Written, files: dict[str, int], seed: int, form: Form) -> dict[str, object]:
    blocks = {
        SELF_CHECK: [*written.self_checks.values(), *written.corrections],
        MUTUAL_CHECK: [one for one in written.third_party if one.inspections[0].type == MUTUAL_CHECK],
        AFFILIATE_CHECK: [one for one in written.third_party if one.inspections[0].type == AFFILIATE_CHECK],
        PRIVACY_AUDIT: written.audits,
    }
    return {
        "group": {"ja": GROUP_JA, "en": GROUP_EN},
        "seed": seed,
        "form": form,
        "left_out": [story for story in STORIES if not written.group.tells(story)],
        "entities": len(written.group.entities),
        "items": len(written.checklists.security["2023"].items),
        "periods": [turn.code for turn in written.rounds],
        "inspections": {kind: sum(len(one.inspections) for one in found) for kind, found in blocks.items()},
        "answers": {kind: sum(one.answer_count for one in found) for kind, found in blocks.items()},
        "verdicts": {kind: count_verdicts(found) for kind, found in blocks.items()},
        "files": files,
        "stories": tell_stories(written),
        "round_changes": tell_round_changes(written),
    }


def truth_path(out: Path) -> Path:
    """Where the planted truth of a demo group stands: beside its folder, so that loading the folder does not meet it."""
    return out.with_name(f"{out.name}.truth.json")
