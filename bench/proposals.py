"""python -m bench.proposals [--cases FOLDER]: how much of a source `propose` finds, as tables in docs/sources.md.

Each fixture is looked at as if its source were not there; the source that describes it is the truth. Layouts that no
source describes (bench.layouts) have theirs written beside them. With --cases, exports that others have published are
measured too and printed, but not written into the documents.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.layouts import LAYOUTS
from etl.cells import Row, Unreadable
from etl.demo import write_demo
from etl.proposing import Proposal, propose
from etl.proposing.fields import DATE_FIELDS
from etl.sources import Source, load_sources
from etl.staging import rows_below
from etl.tables import Export, Table, find_tables
from etl.values import normalise_answer, normalise_heading, parse_date
from tests.etl.tool_exports import TOOL_EXPORTS

SOURCES_PAGE: Final = Path(__file__).parents[1] / "docs" / "sources.md"
BEGIN, END = "<!-- proposals: begin -->", "<!-- proposals: end -->"
NO_KIND: Final = {"lineage", "region", "reference"}
"""Records that no draft speaks of."""
SPOKEN: Final = {
    "text_ja": "item_text", "text_en": "item_text", "category_ja": "category", "category_en": "category",
    "name_ja": "entity_name", "name_en": "entity_name", "answer": "verdict",
}  # fmt: skip
DEMO: Final = (
    ("self_check/FY2025-H2/自己点検表_*.xlsx", "group_self_check_ja"),
    ("self_check/FY2025-H2/Self-Check_*.xlsx", "group_self_check_en"),
    ("self_check/self_check_history.csv", "group_self_check_history_csv"),
    ("third_party_check/第三者点検結果_2025年度.csv", "group_third_party"),
    ("privacy_audit/個人情報保護監査結果_2025年度.csv", "group_privacy_audit"),
    ("findings/findings_and_actions_20260430.csv", "group_findings"),
    ("plan/inspection_plan_FY2025_20250401.csv", "group_plan"),
    ("master/organisation_master_20260430.csv", "group_organisation"),
    ("master/checklist_master_20260430.xlsx", "group_checklist"),
)


@dataclass(slots=True)
class Score:
    """Of each part of a source how many were found right, of how many; and what was wrong though called sure."""

    name: str
    heading: bool = False
    end: bool = False
    kind: bool = False
    reading: bool | None = None
    dates: list[int] = field(default_factory=lambda: [0, 0])
    columns: list[int] = field(default_factory=lambda: [0, 0])
    answers: list[int] = field(default_factory=lambda: [0, 0])
    choices: list[int] = field(default_factory=lambda: [0, 0])
    questions: int = 0
    wrong_sure: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)


def measure(name: str, path: Path, source: Source, parts: Iterable[Source] = ()) -> Score | None:
    """Hold a proposal for the file to the source that describes it, or to that of its parts which it is about."""
    export = Export(path)
    score = Score(name)
    try:
        proposal = propose(path, Path(tempfile.gettempdir()) / "no-home")
    except Unreadable as unreadable:
        score.missed.append(unreadable.reason)
        return score
    fitting = [(one, tables) for one in (source, *parts) if (tables := find_tables(export, one))]
    # Of several sheets the proposal is about one; it is held to the source of that sheet.
    described = [pair for pair in fitting if _is_about(proposal, pair[1])] or fitting
    if not described:
        return None
    for one, tables in described[:1]:
        _compare(score, proposal, export, one, tables)
    export.forget()
    return score


def _is_about(proposal: Proposal, tables: list[Table]) -> bool:
    headings = {normalise_heading(one.heading) for one in proposal.columns}
    return any(
        sum(normalise_heading(text) in headings for text in table.heading if text) > 0.8 * sum(map(bool, table.heading))
        and (proposal.sheet is None or re.search(proposal.sheet, table.sheet or ""))
        for table in tables
    )


def _compare(score: Score, proposal: Proposal, export: Export, source: Source, tables: list[Table]) -> None:
    table = tables[0]
    score.questions = len(proposal.questions)
    score.heading = (proposal.header_row + proposal.header_rows - 1, proposal.header_rows) == (
        table.heading_row,
        source.header_rows,
    )
    rows = _rows(export, source, table)
    score.end = _kept(rows, proposal.stop_at) == _kept(rows, source.stop_at)
    if export.is_text:
        score.reading = (proposal.encoding, proposal.delimiter) == (table.encoding, source.delimiter)
    kept = rows[: _kept(rows, source.stop_at)]
    truth = _truth(source)
    by_heading = {normalise_heading(one.heading): one for one in proposal.columns}
    positions = table.positions(source.columns)
    for column in source.columns:
        wanted = truth.get(column.key)
        if not wanted or column.key not in positions:
            continue
        heading = table.heading[positions[column.key]]
        found = by_heading.get(normalise_heading(heading))
        _count_column(score, heading, found, wanted)
        if wanted & DATE_FIELDS:
            texts = {row[positions[column.key]] for row in kept if positions[column.key] < len(row)} - {None}
            same = all(parse_date(t, source.date_forms) == parse_date(t, proposal.date_forms) for t in texts if t)
            score.dates[0] += same
            score.dates[1] += 1
    for key, heading in source.unpivot.columns if source.unpivot else ():
        if wanted := truth.get(key):
            ours = by_heading.get(normalise_heading(heading)) or by_heading.get(
                normalise_heading(heading.replace("{}", source.unpivot.values[0]))
            )
            _count_column(score, heading, ours, wanted)
    _compare_captures(score, proposal, source, truth)
    _compare_texts(score, proposal, source, table, kept)


def _rows(export: Export, source: Source, table: Table) -> list[Row]:
    if source.format == "parquet":
        return []
    return [row for _, row in rows_below(source, export, table) if any(row)]


def _kept(rows: list[Row], stop_at: str | None) -> int:
    for number, row in enumerate(rows):
        first = next(cell for cell in row if cell)
        if stop_at and re.search(stop_at, first.strip()):
            return number
    return len(rows)


def _truth(source: Source) -> dict[str, set[str]]:
    """The fields, as a draft names them, that are taken from a column or a capture alone, by its key.

    Trimmed, or with something in its place where it is empty, a column counts too; one of several that are put
    together or that are weighed against each other does not.
    """
    found: dict[str, set[str]] = {}
    for record in source.records:
        for name, expression in record.expressions.items():
            if record.kind.name in NO_KIND:
                continue
            said = (
                "action_description"
                if record.kind.name == "action" and name == "description"
                else SPOKEN.get(name, name)
            )
            bare = re.sub(r"'(?:[^']|'')*'", "", expression)
            bare = re.sub(r"\b(?:coalesce|trim|ltrim|rtrim|upper|lower|nullif)\(|[)\s]", "", bare)
            if re.fullmatch(r"[a-z]\w*(?:,[a-z\d]*\w*)*", bare):
                # What is found outside the table goes before the column; both are looked for.
                keys = bare.split(",")
                outside = [key for key in keys if any(one.key == key for one in source.captures)]
                columns = [key for key in keys if any(one.key == key for one in source.columns)]
                for key in [*outside[:1], *columns[:1], *(keys[:1] if not outside and not columns else ())]:
                    found.setdefault(key, set()).add(said)
    return found


def _count_column(score: Score, heading: str, found: Any, wanted: set[str]) -> None:
    said = SPOKEN.get(found.field, found.field) if found and found.field else None
    # Which of several fields of a date or a text a column stands for is the same to whoever confirms it.
    is_right = said in wanted
    score.columns[0] += is_right
    score.columns[1] += 1
    if not is_right:
        score.missed.append(f"{' '.join(heading.split())}: {said or 'nothing'} for {'/'.join(sorted(wanted))}")
        if said and found.sure == "sure":
            score.wrong_sure.append(f"{heading}: {said}")


def _compare_captures(score: Score, proposal: Proposal, source: Source, truth: dict[str, set[str]]) -> None:
    """Entity, period and days that stand outside the table count as columns do."""
    found = {one.field: one for one in proposal.captures}
    for capture in source.captures:
        if capture.is_optional or capture.place == "given":
            continue
        wanted = truth.get(capture.key, set()) & {
            "entity_code",
            "period",
            "performed_on",
            "submitted_on",
            "checklist_version",
        }
        if not wanted:
            continue
        ours = [one for one in found.values() if one.field in wanted and one.place != "given"]
        # A day names its month, so that who finds the day finds the period.
        ours += [
            one for one in found.values() if one.place == capture.place == "label" and one.pattern == capture.pattern
        ]
        is_right = bool(ours)
        score.columns[0] += is_right
        score.columns[1] += 1
        if not is_right:
            score.missed.append(f"{capture.place} {capture.pattern}: {'/'.join(sorted(wanted))}")


def _compare_texts(score: Score, proposal: Proposal, source: Source, table: Table, rows: list[Row]) -> None:
    positions = table.positions(source.all_columns)
    for record in source.records:
        for name, expression in record.expressions.items():
            key = re.sub(r"^(?:trim|coalesce)\((\w+)(?:, '[^']*')?\)$", r"\1", expression)
            places = [
                positions[one.key]
                for one in source.all_columns
                if re.sub(r"__\d+$", "", one.key) == key and one.key in positions
            ]
            texts = {(row[place] or "").strip() for place in places for row in rows if place < len(row)}
            if record.kind.name == "answer" and name == "verdict":
                ours = {normalise_answer(one.text): one for one in proposal.answers}
                meanings, counts = source.answers, score.answers
            elif record.kind.field(name).choices and name in source.maps:
                ours = {normalise_answer(one.text): one for one in proposal.maps.get(name, ())}
                meanings, counts = source.maps[name], score.choices
            else:
                continue
            for text in sorted(texts):
                meant = meanings.get(normalise_answer(text))
                if meant is None or (not text and (source.skip_when or name != "verdict")):
                    continue
                one = ours.get(normalise_answer(text))
                is_right = one.value == meant if one else text == meant and name != "verdict"
                counts[0] += is_right
                counts[1] += 1
                if not is_right:
                    score.missed.append(f"'{text}': {one.value if one else 'nothing'} for {meant}")
                    if one and one.sure == "sure":
                        score.wrong_sure.append(f"'{text}': {one.value}")


# --- the fixtures ---------------------------------------------------------------------------------


def demo_cases(folder: Path, sources: dict[str, Source]) -> Iterator[Score | None]:
    """Exports of the demo group."""
    write_demo(folder, seed=1)
    for pattern, name in DEMO:
        path = min(folder.glob(pattern))
        yield measure(name, path, sources[name])


def tool_cases(folder: Path, sources: dict[str, Source]) -> Iterator[Score | None]:
    """The project's own small exports in the layouts of the known tools."""
    for tool, write in TOOL_EXPORTS.items():
        target = folder / tool
        target.mkdir(parents=True)
        for path in write(target):
            export = Export(path)
            found = [
                one
                for one in sources.values()
                if not one.part_of and not one.document and one.format == export.format and find_tables(export, one)
            ]
            export.forget()
            for source in found[:1]:
                parts = [one for one in sources.values() if one.part_of == source.name]
                if any(record.kind.name not in NO_KIND for one in (source, *parts) for record in one.records):
                    yield measure(f"{source.name}", path, source, parts)


def foreign_cases(folder: Path) -> Iterator[Score]:
    """Layouts that no source of ours describes."""
    folder.mkdir(parents=True)
    for layout in LAYOUTS:
        path = folder / layout.file_name
        path.write_text(layout.text, "utf-8")
        score = Score(layout.name)
        proposal = propose(path, folder)
        score.questions = len(proposal.questions)
        score.kind = proposal.kind == layout.kind
        found = {one.heading: one for one in proposal.columns}
        for heading, wanted in layout.columns.items():
            _count_column(score, heading, found.get(heading), set(wanted))
        answers = {one.text: one for one in proposal.answers}
        for text, verdict in layout.answers.items():
            one = answers.get(text)
            score.answers[0] += one is not None and one.value == verdict
            score.answers[1] += 1
            if one is None or one.value != verdict:
                score.missed.append(f"'{text}': {one.value if one else 'nothing'} for {verdict}")
                if one and one.sure == "sure":
                    score.wrong_sure.append(f"'{text}': {one.value}")
        if proposal.kind != layout.kind:
            score.missed.append(f"kind {proposal.kind} for {layout.kind}")
        yield score


def published_cases(folder: Path, sources: dict[str, Source]) -> Iterator[Score | None]:
    """Exports that others have published, of which a source of ours is the truth."""
    for path in sorted(folder.rglob("*")):
        if path.suffix not in (".csv", ".xlsx"):
            continue
        export = Export(path)
        for source in sources.values():
            if source.part_of or source.document or not find_tables(export, source):
                continue
            if all(record.kind.name in NO_KIND for record in source.records):
                continue
            try:
                yield measure(f"{path.name} ({source.name})", path, source)
            except Unreadable as unreadable:
                print(f"{path.name}: {unreadable.reason}")
        export.forget()


def _of(pair: list[int]) -> str:
    return f"{pair[0]} of {pair[1]}" if pair[1] else "-"


def _right(value: bool | None) -> str:
    return "-" if value is None else "right" if value else "wrong"


def _sum(scores: list[Score], name: str) -> str:
    return _of([sum(getattr(one, name)[place] for one in scores) for place in (0, 1)])


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def write_table(scores: list[Score]) -> str:
    """The table of the fixtures that a source describes."""
    heading = (
        "fixture of|heading|end|encoding, delimiter|date forms|columns|answers|other texts|questions|wrong though sure"
    )
    lines = [_line(heading.split("|")), "|---" * 10 + "|"]
    for one in scores:
        pairs = map(_of, (one.dates, one.columns, one.answers, one.choices))
        marks = map(_right, (one.heading, one.end, one.reading))
        lines.append(_line([one.name, *marks, *pairs, one.questions, len(one.wrong_sure)]))
    read = [one.reading for one in scores if one.reading is not None]
    marks = ([one.heading for one in scores], [one.end for one in scores], read)
    totals = [_of([sum(each), len(each)]) for each in marks]
    totals += [_sum(scores, name) for name in ("dates", "columns", "answers", "choices")]
    totals += [str(sum(one.questions for one in scores)), str(sum(len(one.wrong_sure) for one in scores))]
    return "\n".join([*lines, _line(["**all**", *totals])])


def write_foreign_table(scores: list[Score]) -> str:
    """The table of the layouts that no source describes."""
    lines = [_line(["layout", "kind", "columns", "answers", "questions", "wrong though sure"]), "|---" * 6 + "|"]
    for one in scores:
        cells = [one.name, _right(one.kind), _of(one.columns), _of(one.answers), one.questions, len(one.wrong_sure)]
        lines.append(_line(cells))
    kinds = _of([sum(one.kind for one in scores), len(scores)])
    totals = [kinds, _sum(scores, "columns"), _sum(scores, "answers")]
    totals += [str(sum(one.questions for one in scores)), str(sum(len(one.wrong_sure) for one in scores))]
    return "\n".join([*lines, _line(["**all**", *totals])])


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.proposals", description=__doc__)
    parser.add_argument("--cases", type=Path, help="folder of published exports to measure too")
    parser.add_argument("--missed", action="store_true", help="say what was not found")
    parser.add_argument("--dry", action="store_true", help="write nothing")
    options = parser.parse_args()
    sources = load_sources()
    with tempfile.TemporaryDirectory(prefix="tenken-proposals-") as folder:
        own = [*demo_cases(Path(folder) / "demo", sources), *tool_cases(Path(folder) / "tools", sources)]
        scores = [one for one in own if one]
        foreign = list(foreign_cases(Path(folder) / "foreign"))
    tables = f"{write_table(scores)}\n\n{write_foreign_table(foreign)}"
    print(tables)
    if options.missed:
        print(*(f"{one.name}: {line}" for one in (*scores, *foreign) for line in one.missed), sep="\n")
    if options.cases:
        published = [one for one in published_cases(options.cases, sources) if one]
        print(write_table(published))
        if options.missed:
            print(*(f"{one.name}: {line}" for one in published for line in one.missed), sep="\n")
    if not options.dry:
        head, rest = SOURCES_PAGE.read_text("utf-8").split(BEGIN)
        SOURCES_PAGE.write_text(f"{head}{BEGIN}\n{tables}\n{END}{rest.split(END)[1]}", "utf-8")


if __name__ == "__main__":
    main()
