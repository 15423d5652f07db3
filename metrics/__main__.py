"""Questions from the command line: python -m metrics ask, list."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from metrics.ask import AnswerFrame, answer
from metrics.builds import Unreadable
from metrics.catalog import DIMENSIONS, METRICS
from metrics.compile import compile_query
from metrics.query import Filters, Query, QueryProblem
from metrics.warehouse import Warehouse, WarehouseMissing, read_best

COUNTED = ("answers", "inspections", "planned_inspections", "findings", "actions", "entities")
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it was answered, 2 when it could not be."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (QueryProblem, WarehouseMissing, ValueError) as error:
        print(error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m metrics", description="Ask the warehouse.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    ask = commands.add_parser("ask", help="figures of one or more metrics")
    ask.add_argument("metrics", nargs="+", metavar="METRIC")
    ask.add_argument("--by", default="", help="dimensions, separated by commas")
    ask.add_argument("--where", action="append", default=[], help="dimension=id[,id], from=FY2024-H1 or to=FY2025")
    ask.add_argument("--known-at", help="date whose knowledge is used, to its end, UTC; e.g. 2023-10-20")
    ask.add_argument("--home", type=Path, help="folder of the warehouse (default $TENKEN_HOME or data/)")
    form = ask.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object")
    form.add_argument("--csv", action="store_true", help="CSV with every column")
    form.add_argument("--sql", action="store_true", help="the SQL that would be run")
    ask.set_defaults(run=_ask)
    listing = commands.add_parser("list", help="every metric and dimension")
    listing.set_defaults(run=_list)
    return parser


def _ask(options: argparse.Namespace) -> int:
    query = Query(
        tuple(options.metrics),
        tuple(name for name in options.by.split(",") if name),
        _filters(options.where),
        _moment(options.known_at),
    )
    if options.sql:
        known_at = query.known_at or read_best(options.home, lambda warehouse: warehouse.newest_known_at())
        for statement in compile_query(query, known_at):
            print(f"{statement.sql};\n-- {statement.parameters}")
        return 0
    found, passed = read_best(options.home, lambda warehouse: _read(warehouse, query))
    if passed:
        newer = " and ".join(f"{one.name} ({one.reason.rstrip('.')})" for one in passed)
        print(
            f"{newer} cannot be read; this is of {found.build_name}, the build before. "
            "Run python -m etl rebuild to make it again from the archive.",
            file=sys.stderr,
        )
    if options.json:
        rows = json.loads(found.frame.to_json(orient="records", force_ascii=False, double_precision=15))
        facts: dict[str, Any] = {
            "build": found.build_name,
            "known_at": found.known_at.isoformat(sep=" "),
            "shown": found.sentence(),
        }
        facts |= {"unreadable": [one.name for one in passed]} if passed else {}
        print(json.dumps(facts | {"rows": rows}, ensure_ascii=False))
    elif options.csv:
        print(_safe(found.frame).to_csv(index=False), end="")
    else:
        _print_table(found)
    return 0


def _read(warehouse: Warehouse, query: Query) -> tuple[AnswerFrame, tuple[Unreadable, ...]]:
    _check_values(warehouse, query)
    return answer(warehouse, query), warehouse.passed


def _filters(where: list[str]) -> Filters:
    chosen: dict[str, tuple[str, ...]] = {}
    ends: dict[str, str] = {}
    problems = []
    for clause in where:
        name, sign, values = clause.partition("=")
        if sign and name in ("from", "to"):
            ends[f"period_{name}"] = values
        elif sign and name in DIMENSIONS:
            chosen[name] = chosen.get(name, ()) + tuple(values.split(","))
        else:
            near = difflib.get_close_matches(name, [*DIMENSIONS, "from", "to"], 1)
            problems.append(f"'{clause}' is no filter" + (f"; did you mean {near[0]}=…?" if near else ""))
    if problems:
        raise QueryProblem("; ".join(problems))
    return Filters(**chosen, **ends)  # type: ignore[arg-type]


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise QueryProblem(f"'{text}' is no date such as 2023-10-20") from error
    if moment.tzinfo:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    # A date stands for all that was known when it ended.
    return moment + timedelta(days=1, microseconds=-1) if len(text) <= 10 else moment


def _check_values(warehouse: Warehouse, query: Query) -> None:
    """Name filter values that stand nowhere in the warehouse, with the nearest one that does."""
    problems = []
    for name, values in query.filters.chosen().items():
        if DIMENSIONS[name].values:
            known = {value for value, _, _ in DIMENSIONS[name].values}
        else:
            # A unit may be planned and never inspected, or have findings only: every fact knows values of its own.
            known = set()
            for metric in COUNTED:
                if METRICS[metric].fact in DIMENSIONS[name].facts:
                    found = answer(warehouse, Query((metric,), (name,), known_at=query.known_at)).frame[name]
                    known |= {str(value) for value in found.dropna()}
        for value in values:
            plain = value.removeprefix("FY") if name == "fiscal_year" else value
            if plain not in known:
                near = difflib.get_close_matches(plain, known, 1)
                problems.append(f"no {name} is '{value}'" + (f"; did you mean {near[0]}?" if near else ""))
    if problems:
        raise QueryProblem("; ".join(problems))


def _safe(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with text that a spreadsheet would run as a formula marked as text."""
    safe = frame.copy()
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]):
            safe[name] = [
                f"'{value}" if isinstance(value, str) and value.startswith(DANGEROUS) else value for value in safe[name]
            ]
    return safe


def _print_table(found: AnswerFrame) -> None:
    shown = pd.DataFrame(index=found.frame.index)
    for name in found.query.by:
        labels = found.frame[f"{name}_en"]
        ids = found.frame[name]
        shown[name] = [
            "-" if pd.isna(key) else _printable(str(key) if label in ("", str(key)) else f"{key} {label}")
            for key, label in zip(ids, labels, strict=True)
        ]
    for name in found.query.metrics:
        metric = METRICS[name]
        values, tops, bases = (found.frame[f"{name}{part}"] for part in ("", "_numerator", "_denominator"))
        if not metric.is_ratio:
            shown[name] = ["-" if pd.isna(value) else f"{value:,.0f}" for value in values]
            continue
        form = "{:.1%}" if metric.unit in ("rate", "share") else "{:.2f}"
        shown[name] = ["-" if pd.isna(value) else form.format(value) for value in values]
        shown[f"{name} from"] = [
            "-" if pd.isna(base) else f"{top:,.10g} / {base:,.10g}" for top, base in zip(tops, bases, strict=True)
        ]
        shown[f"{name} entities"] = [
            f"{0 if pd.isna(behind) else int(behind):,} of {'?' if pd.isna(due) else f'{int(due):,}'}"
            for behind, due in zip(found.frame[f"{name}_contributing"], found.frame[f"{name}_expected"], strict=True)
        ]
    print(shown.to_string(index=False) if len(shown) else "No row: nothing was inspected there.")
    print(f"\n{found.sentence()}; {found.build_name}")


def _printable(text: str) -> str:
    """Loaded text without what would steer a terminal or break its row."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _list(_: argparse.Namespace) -> int:
    print("Metrics")
    for metric in METRICS.values():
        print(f"  {metric.name:24} {metric.label_en} / {metric.label_ja}\n  {'':24} {metric.description_en}")
    print("\nDimensions")
    for dimension in DIMENSIONS.values():
        print(
            f"  {dimension.name:24} {dimension.label_en} / {dimension.label_ja}\n  {'':24} {dimension.description_en}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
