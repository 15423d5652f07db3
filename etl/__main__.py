"""Command line of the ETL: python -m etl demo, check, load, propose, rebuild, status, sources."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from etl.builds import OWNER_ONLY_MASK, Busy, Home
from etl.cells import Unreadable
from etl.checks import CheckFailed
from etl.choices import Choice, Choices, read_choices, read_moment
from etl.commands import Order, check_files, load_files, rebuild
from etl.damage import Damaged
from etl.report import Report
from etl.sources import SourceProblem, load_sources
from etl.status import status
from etl.troubles import explain
from etl.values import nearest

SHOWN_REFUSALS = 20
SHOWN_ROWS = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns 0 when every row was loaded, 1 when some were refused, 2 when nothing was loaded."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=True)
    try:
        return int(options.run(options, console))
    except (Busy, CheckFailed, Damaged, SourceProblem, Unreadable, FileNotFoundError, ValueError) as error:
        return _fail(options, console, str(error))
    except (OSError, duckdb.Error) as error:
        return _fail(options, console, explain(error, Home.find(options.home).path))
    except KeyboardInterrupt:
        return _fail(options, console, "Stopped. Nothing was published.")


def _fail(options: argparse.Namespace, console: Console, sentence: str) -> int:
    if options.json:
        print(json.dumps({"error": sentence}, ensure_ascii=False))
    else:
        console.print(Text(sentence, style="bold red"))
    return 2


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--home", type=Path, help="folder of inbox, archive and warehouse (default $TENKEN_HOME or data/)"
    )
    common.add_argument("--json", action="store_true", help="print one JSON object for programs")
    parser = argparse.ArgumentParser(
        prog="python -m etl", description="Load exports and publish builds of the warehouse."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", parents=[common], help="write the exports of a fictional group")
    demo.add_argument("--out", type=Path, default=Path("data/demo"), help="folder to write to")
    demo.add_argument("--entities", type=int, default=150)
    demo.add_argument("--items", type=int, default=120)
    demo.add_argument("--rounds", type=int, default=12)
    demo.add_argument("--seed", type=int, default=20250401)
    demo.add_argument(
        "--form", choices=["mixed", "csv", "parquet"], default="mixed", help="how self-checks are written"
    )
    demo.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="STORY",
        help="leave out a planted story, may be given several times: rosy_region, chronic_item, copycat, acquired, sold, "
        "moved_region, moved_business_group, checklist_revision (all rounds ask version 2023), corrected_resubmission, "
        "overdue_and_reopened, lapsed_privacymark, late_and_missing",
    )
    demo.set_defaults(run=_demo)

    for name, run, text in (
        ("check", _check, "what a load would do; writes nothing"),
        ("load", _load, "load files and folders, publish a new build"),
    ):
        command = commands.add_parser(name, parents=[common], help=text)
        command.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        command.add_argument("--known-at", type=_moment, help="date from which the files are known, e.g. 2023-10-20")
        command.add_argument("--source", help="name of the source that describes the files")
        command.add_argument(
            "--entity", metavar="CODE", help="entity that the files are about, where they do not say it"
        )
        command.add_argument(
            "--period", help="period that the files are about, where they do not say it, e.g. FY2025-H1"
        )
        command.add_argument(
            "--choices",
            type=Path,
            metavar="FILE",
            help="JSON: file name to source, entity, period, known_at, leave_out",
        )
        command.add_argument(
            "--refused-to",
            type=Path,
            metavar="FOLDER",
            help="write the refused rows of each file there as a workbook to mend",
        )
        command.add_argument("--progress", type=Path, metavar="FILE", help="keep writing there, as JSON, how far it is")
        if name == "load":
            _add_engine(command)
        command.set_defaults(run=run)

    propose = commands.add_parser("propose", parents=[common], help="draft a source for a file that none describes")
    propose.add_argument("path", type=Path, metavar="FILE")
    propose.add_argument("--out", type=Path, metavar="DRAFT", help="write the draft there; default: print it")
    propose.set_defaults(run=_propose)

    describe = commands.add_parser(
        "describe", parents=[common], help="make a source of a proposal that a person has confirmed; for programs"
    )
    describe.add_argument("path", type=Path, metavar="PROPOSAL", help="JSON as propose --json prints it, confirmed")
    describe.add_argument("--name", required=True, help="name of the source")
    describe.set_defaults(run=_describe)

    again = commands.add_parser("rebuild", parents=[common], help="make the warehouse again from the archive")
    _add_engine(again)
    again.set_defaults(run=_rebuild)

    for name, run, text in (
        ("status", _status, "newest build, loads, rows, refusals"),
        ("sources", _sources, "the sources that are known, and how each is recognised"),
    ):
        commands.add_parser(name, parents=[common], help=text).set_defaults(run=run)
    return parser


def _add_engine(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--engine", choices=["duckdb", "spark"], default="duckdb",
        help="what works on the answers of Parquet exports; Spark is for more than one machine holds",
    )  # fmt: skip
    command.add_argument(
        "--spark-master", default="local[*]", metavar="URL", help="where Spark runs (default local[*])"
    )
    command.add_argument(
        "--answers-outside", action="store_true",
        help="from now on keep the answers in Parquet files beside the build, which Spark writes",
    )  # fmt: skip


def _find_master(options: argparse.Namespace) -> str | None:
    """Where Spark runs, if it does. Raises ValueError where an option needs it."""
    if getattr(options, "engine", None) == "spark":
        return str(options.spark_master)
    if getattr(options, "answers_outside", False):
        raise ValueError("Only Spark writes answers outside the build: give --engine spark with --answers-outside.")
    return None


def _moment(text: str) -> str:
    try:
        return read_moment(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _demo(options: argparse.Namespace, console: Console) -> int:
    from etl.demo import truth_path, write_demo

    with _Bar(console, options.json) as bar:
        truth = write_demo(
            options.out,
            entities=options.entities,
            items=options.items,
            rounds=options.rounds,
            seed=options.seed,
            form=options.form,
            without=options.without,
            progress=bar,
        )
    if options.json:
        print(json.dumps({"out": str(options.out), "truth": truth}, ensure_ascii=False, default=str))
    else:
        console.print(
            Text(f"Wrote the demo group to {options.out}; its planted stories are in {truth_path(options.out)}.")
        )
    return 0


def _check(options: argparse.Namespace, console: Console) -> int:
    return _report(options, console, check_files)


def _load(options: argparse.Namespace, console: Console) -> int:
    return _report(options, console, load_files)


def _report(options: argparse.Namespace, console: Console, act: Callable[..., Report]) -> int:
    home = Home.find(options.home)
    known = load_sources(home.path)
    by_file = read_choices(options.choices) if options.choices else {}
    for_all = Choice(options.source, options.known_at, options.entity, options.period)
    for choice in (for_all, *by_file.values()):
        if choice.source and choice.source not in known:
            near = nearest(choice.source, known)
            raise ValueError(
                f"There is no source {choice.source}; {f'did you mean {near}?' if near else ''} See: etl sources."
            )
    master = _find_master(options)
    is_outside = master is not None and options.answers_outside
    order = Order(options.paths, Choices(for_all, by_file), options.refused_to, master, is_outside)
    with _Bar(console, options.json, options.progress) as bar:
        report = act(home, order, bar)
    _show(options, console, report)
    return report.exit_status


def _rebuild(options: argparse.Namespace, console: Console) -> int:
    with _Bar(console, options.json) as bar:
        report = rebuild(Home.find(options.home), bar, _find_master(options), options.answers_outside)
    _show(options, console, report)
    return report.exit_status


def _show(options: argparse.Namespace, console: Console, report: Report) -> None:
    if options.json:
        answer: dict[str, Any] = {"build": report.build, "exit_status": report.exit_status, "loads": report.loads}
        answer |= {"refusals": report.refusals, "refusals_left_out": report.refusals_left_out, "said": report.said}
        print(json.dumps(answer, ensure_ascii=False, default=str))
        return
    for sentence in report.said:
        console.print(Text(sentence, style="bold yellow"))
    grouped: dict[str, list[dict[str, Any]]] = {}
    for one in report.loads:
        grouped.setdefault(one["source"] or "(no source)", []).append(one)
    table = Table(box=None, pad_edge=False)
    for heading in ("source", "files"):
        table.add_column(heading, justify="right" if heading == "files" else "left")
    for heading in ("read", "loaded", "unchanged", "refused", "skipped"):
        table.add_column(heading, justify="right")
    for source, loads in grouped.items():
        sums = [
            sum(one[f"rows_{name}"] for one in loads) for name in ("read", "loaded", "unchanged", "refused", "skipped")
        ]
        table.add_row(source, f"{len(loads):,}", *(f"{count:,}" for count in sums))
    console.print(table)
    gathered = _gather(report.refusals)
    for alike in gathered[:SHOWN_REFUSALS]:
        console.print(Text(_sentence(alike), style="yellow"))
    left = sum(map(len, gathered[SHOWN_REFUSALS:])) + report.refusals_left_out
    if left > 0:
        console.print(f"… and {left:,} more; --json names {len(report.refusals):,} of them.")
    for one in report.loads:
        if one["refused_workbook"]:
            console.print(Text(f"Rows of {one['file']} to mend: {one['refused_workbook']}"))
    known = sum(one["is_known"] for one in report.loads)
    if known:
        console.print(f"{known:,} of the files had been loaded before and changed nothing.")
    if report.build:
        console.print(f"Published {report.build}.")


def _gather(refusals: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Refusals with the same sentence together, in the order of their first."""
    gathered: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for one in refusals:
        same = tuple(one[name] for name in ("file", "sheet", "column", "reason", "suggestion", "is_row_refused"))
        gathered.setdefault(same, []).append(one)
    return list(gathered.values())


def _sentence(alike: list[dict[str, Any]]) -> str:
    refusal = alike[0]
    place = [refusal["file"]]
    if refusal["sheet"]:
        place.append(f"sheet {refusal['sheet']}")
    rows = [one["row"] for one in alike if one["row"]]
    if len(rows) > SHOWN_ROWS:
        place.append(f"rows {', '.join(map(str, rows[:SHOWN_ROWS]))} and {len(rows) - SHOWN_ROWS:,} more")
    elif rows:
        place.append(f"row{'s' if len(rows) > 1 else ''} {', '.join(map(str, rows))}")
    if refusal["column"]:
        place.append(f"column {refusal['column']}")
    near = f" Nearest: '{refusal['suggestion']}'." if refusal["suggestion"] else ""
    kept = "" if refusal["is_row_refused"] else " (only this cell was left out)"
    return f"{', '.join(place)}: {refusal['reason']}{near}{kept}"


def _status(options: argparse.Namespace, console: Console) -> int:
    facts = status(Home.find(options.home))
    if options.json:
        print(json.dumps(facts, ensure_ascii=False))
        return 2 if facts["build"] is None and facts["unreadable"] else 0
    for one in facts["unreadable"]:
        console.print(
            Text(
                f"{one['build']} cannot be read ({one['reason']}). "
                "Run python -m etl rebuild to make it again from the archive.",
                style="bold yellow",
            )
        )
    if facts["build"] is None and facts["unreadable"]:
        return 2
    if facts["build"] is None:
        console.print(f"No build in {facts['home']} yet: run python -m etl load PATH...")
        return 0
    console.print(
        f"{facts['build']}, built {facts['built_at'][:19]} UTC, {facts['bytes'] / 1e6:,.1f} MB, "
        f"newest knowledge {facts['newest_known_at'][:19]}"
    )
    if facts["files_outside"]:
        console.print(
            f"Answers lie outside the build, in {facts['files_outside']:,} files of {facts['bytes_outside'] / 1e6:,.1f} MB."
        )
    console.print(f"{facts['loads']:,} loads, {facts['rows_read']:,} rows read, {facts['rows_refused']:,} refused")
    for code, count in facts["refusals"].items():
        console.print(f"  {code}: {count:,}")
    table = Table(box=None, pad_edge=False)
    table.add_column("table")
    table.add_column("rows", justify="right")
    for name, count in facts["rows"].items():
        table.add_row(name, f"{count:,}")
    console.print(table)
    return 0


def _propose(options: argparse.Namespace, console: Console) -> int:
    from etl.proposing import propose

    if not options.path.is_file():
        raise FileNotFoundError(f"There is no file {options.path}.")
    proposal = propose(options.path, Home.find(options.home).path)
    if options.out:
        options.out.write_text(proposal.toml, "utf-8")
    if options.json:
        print(json.dumps(proposal.to_json(), ensure_ascii=False))
    elif options.out:
        console.print(Text(f"Wrote {options.out}. Confirm the lines marked '# confirm', then take out 'draft = true'."))
    else:
        print(proposal.toml)
    if not options.json:
        for question in proposal.questions:
            console.print(Text(question, style="yellow"))
    return 0


def _describe(options: argparse.Namespace, console: Console) -> int:
    from etl.proposing import describe

    try:
        proposal = json.loads(options.path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{options.path.name} is no JSON: {error}") from error
    path = describe(proposal, options.name, Home.find(options.home).path)
    if options.json:
        print(json.dumps({"source": options.name, "path": str(path)}, ensure_ascii=False))
    else:
        console.print(Text(f"Wrote {path}."))
    return 0


def _sources(options: argparse.Namespace, console: Console) -> int:
    sources = load_sources(Home.find(options.home).path)
    if options.json:
        facts = [
            {
                "name": source.name,
                "label": {"en": source.label_en, "ja": source.label_ja},
                "format": source.format,
                "file_name": source.file_name,
                "header": source.header,
                "sheet": source.sheet,
                "yields": [record.kind.name for record in source.records],
                "asks": source.asks,
                "part_of": source.part_of,
                "is_draft": source.is_draft,
            }
            for source in sources.values()
        ]
        print(json.dumps({"sources": facts}, ensure_ascii=False))
        return 0
    table = Table(box=None, pad_edge=False)
    for heading in ("source", "what", "yields", "recognised by"):
        table.add_column(heading, overflow="fold")
    for source in sources.values():
        signs = [f"file name {source.file_name}"] if source.file_name else []
        signs += [f"sheet {source.sheet}"] if source.sheet else []
        signs += [f"document {source.document}"] if source.document else []
        signs += [f"further sheets of {source.part_of}"] if source.part_of else []
        signs += ["a draft, to be confirmed"] if source.is_draft else []
        signs += [f"headings {', '.join(source.header)}"] if source.header else []
        kinds = ", ".join(record.kind.name for record in source.records)
        table.add_row(
            *(Text(text) for text in (source.name, source.label_en, kinds, f"{source.format}; {'; '.join(signs)}"))
        )
    console.print(table)
    return 0


class _Bar:
    """A progress bar for people, silent for programs and when nobody watches."""

    def __init__(self, console: Console, is_silent: bool, written_to: Path | None = None) -> None:
        self.written_to = written_to
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f}"),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            console=console,
            disable=is_silent or not console.is_terminal,
            transient=True,
        )
        self.task = self.progress.add_task("", total=None, rate="")

    def __enter__(self) -> _Bar:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        if self.written_to:
            part = self.written_to.with_name(f".{self.written_to.name}.part")
            part.write_text(json.dumps({"what": what, "done": done, "total": total}), "utf-8")
            part.replace(self.written_to)
        speed = self.progress.tasks[0].finished_speed or self.progress.tasks[0].speed
        rate = f"{speed:,.0f}/s" if speed else ""
        self.progress.update(self.task, description=what, completed=done, total=total or None, rate=rate)


if __name__ == "__main__":
    os.umask(OWNER_ONLY_MASK)
    sys.exit(main())
