"""python -m dashboard audit: verify the audit log, show its records."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from dashboard.access.audit import EVENTS, AuditProblem, Entry, find_log
from dashboard.access.audit_check import Verification, verify
from dashboard.access.audit_read import Wanted, read_records, show_plainly
from metrics.warehouse import find_home

ENGLISH: Final = "en"
INTACT: Final = 0
NOT_INTACT: Final = 1
UNUSABLE: Final = 2
MOST_NAMED: Final = 50
MOST_SHOWN: Final = 100


def main(argv: Sequence[str]) -> int:
    """Run one command; returns 0 when it did what it should, 1 where the log is not intact, 2 on unusable input."""
    options = _parser().parse_args(argv)
    try:
        return int(options.run(options))
    except (AuditProblem, ValueError) as error:
        return _fail(options, str(error))
    except BrokenPipeError:
        # Whoever read what is printed has seen enough.
        sys.stderr.close()
        return INTACT


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--home", type=Path, help="folder that holds the log's folder (default $TENKEN_HOME or data/)")
    common.add_argument("--json", action="store_true", help="print JSON for programs")
    parser = argparse.ArgumentParser(prog="python -m dashboard audit", description="Verify and show the audit log.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    check = commands.add_parser(
        "verify",
        parents=[common],
        help="say whether any record was changed, removed, inserted or moved",
        description="Exit code 0: the log is intact. 1: it is not. 2: it cannot be read, or there is none.",
    )
    check.add_argument("--head", metavar="NUMBER:HASH", help="a head that an earlier verification printed")
    check.set_defaults(run=_verify)

    show = commands.add_parser("show", parents=[common], help="show records, newest first")
    show.add_argument("--who", default="", metavar="TEXT", help="only of addresses with this text")
    show.add_argument("--event", default="", choices=EVENTS, metavar="EVENT", help=f"only one of {', '.join(EVENTS)}")
    show.add_argument("--page", default="", metavar="NAME", help="only of one page, named as in its address")
    show.add_argument("--days", type=_read_count, metavar="N", help="only of the last N days (UTC, today is one)")
    show.add_argument(
        "--most", type=_read_count, default=MOST_SHOWN, metavar="N", help="at most N records (default %(default)s)"
    )
    show.set_defaults(run=_show)
    return parser


def _read_count(text: str) -> int:
    """A whole number from 1."""
    if text.isascii() and text.isdigit() and int(text[:9]) > 0:
        return min(int(text[:9]), 1_000_000)
    raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1.")


def _fail(options: argparse.Namespace, sentence: str) -> int:
    _write(options, {"error": sentence}, [sentence])
    return UNUSABLE


def _write(options: argparse.Namespace, answer: object, lines: Sequence[str]) -> None:
    texts = [json.dumps(answer)] if options.json else lines
    sys.stdout.write("".join(f"{text}\n" for text in texts))
    sys.stdout.flush()


def _verify(options: argparse.Namespace) -> int:
    home = find_home(options.home)
    found = verify(home, options.head)
    if not found.records and not found.problems:
        return _fail(options, f"There is no audit log in {find_log(home)}; it is written where sign-in is on.")
    answer = {
        "is_intact": found.is_intact,
        "records": found.records,
        "first": found.first.isoformat() if found.first else None,
        "last": found.last.isoformat() if found.last else None,
        "begins_after": found.begins_after,
        "head": found.head,
        "problems": [problem.say(ENGLISH) for problem in found.problems],
        "notes": [note.say(ENGLISH) for note in found.notes],
    }
    _write(options, answer, list(_describe(found)))
    return INTACT if found.is_intact else NOT_INTACT


def _describe(found: Verification) -> list[str]:
    lines = [problem.say(ENGLISH) for problem in found.problems[:MOST_NAMED]]
    if len(found.problems) > MOST_NAMED:
        lines.append(f"… and {len(found.problems) - MOST_NAMED:,} more problems.")
    lines += [f"Note: {note.say('en')}" for note in found.notes[:MOST_NAMED]]
    if len(found.notes) > MOST_NAMED:
        lines.append(f"Note: … and {len(found.notes) - MOST_NAMED:,} more notes.")
    span = f", from {found.first:%Y-%m-%d %H:%M} to {found.last:%Y-%m-%d %H:%M} UTC" if found.records else ""
    records = f"{found.records:,} record{'' if found.records == 1 else 's'}{span}"
    lines.append(f"The audit log is {'intact' if found.is_intact else 'NOT intact'}: {records}.")
    if found.begins_after:
        lines.append(
            f"It begins after record {found.begins_after}, which older files, archived elsewhere, must end with."
        )
    if found.is_intact:
        lines.append(f"Head, to note elsewhere and to verify with later: {found.head}")
    return lines


def _show(options: argparse.Namespace) -> int:
    today = datetime.now(UTC).date()
    from_day = today - timedelta(days=min(options.days - 1, today.toordinal() - 1)) if options.days else None
    wanted = Wanted(options.who, options.event, options.page, from_day)
    home = find_home(options.home)
    if not find_log(home).exists():
        return _fail(options, f"There is no audit log in {find_log(home)}; it is written where sign-in is on.")
    found = read_records(home, wanted, limit=options.most)
    answer = [
        {
            "number": entry.link.number,
            "moment": entry.moment.isoformat(),
            **asdict(entry.record),
            "is_changed": place in found.changed,
        }
        for place, entry in enumerate(found.entries)
    ]
    lines = [
        _spell(entry) + ("  CHANGED since it was written" if place in found.changed else "")
        for place, entry in enumerate(found.entries)
    ]
    _write(options, answer, [*lines, f"{len(lines):,} of {found.total:,} records, newest first."])
    return INTACT


def _spell(entry: Entry) -> str:
    """A record on one line, which no text in it can break or turn."""
    record = entry.record
    rows = ", ".join(f"{panel} {number}" for panel, number in record.rows.items())
    named = (
        ("who", record.who), ("role", record.role), ("from", record.came_from), ("page", record.page),
        ("query", record.query), ("rows", rows), ("detail", record.detail),
    )  # fmt: skip
    said = "  ".join(f"{name}: {show_plainly(text)}" for name, text in named if text)
    return f"{entry.link.number}  {entry.moment:%Y-%m-%d %H:%M:%S}  {show_plainly(record.event)}  {said}"
