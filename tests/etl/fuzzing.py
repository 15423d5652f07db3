"""Mutated exports: every fixture with bytes, cells, rows, columns, headings and encodings changed, handed in and checked.

`python -m tests.etl.fuzzing --cases 5000 --seed 7` does on demand what the test does with a fixed budget.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import re
import resource
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import duckdb
import psutil
import python_calamine
import xlsxwriter

from etl.builds import Home
from etl.choices import Choice, Choices
from etl.commands import Order, check_files, load_files
from etl.demo import write_demo
from etl.parsing import MEMORY_LIMIT
from tests.etl import document_exports
from tests.etl.tool_exports import TOOL_EXPORTS

LOADER_BYTES: Final = 512 << 20
"""What the loading process may hold more than before; files are parsed in a child with a limit of its own."""
HOSTILE: Final[tuple[str, ...]] = (
    "", " ", "\u3000", "=1+1", '=HYPERLINK("http://x","y")', "<script>x</script>", "-", "N/A", "#DIV/0!", "null", "nan",
    "1e999", "-0", "5.10", "00123", "2024-02-30", "45123", "31/12/2099", "令和99年13月40日", "99999999999999999999", "○", "×",
    "true", "'", '"', "a\nb", "a;b,c\td", "\u202eabc", "😀" * 50, "Ａ１", "x" * 5000, "\\", "%s{}$1", "'; drop table load; --",
    "\ufffd", "e\u0301", "\u0000",
)  # fmt: skip
ENCODINGS: Final = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp932", "latin-1", "gb18030", "utf-32")
Mutate = Callable[[random.Random, Path], None]


# --- fixtures -------------------------------------------------------------------------------------


def write_corpus(folder: Path) -> dict[str, list[Path]]:
    """Every fixture by name: the files that are handed in together, each in a folder of its own."""
    corpus = {}
    for name, write in TOOL_EXPORTS.items():
        target = folder / name
        target.mkdir()
        corpus[name] = write(target)
    documents = {
        "oscal_assessment.json": json.dumps(document_exports.assessment_results()),
        "oscal_poam.json": json.dumps(document_exports.plan_of_action()),
        "stig.ckl": document_exports.ckl(),
        "stig.cklb": json.dumps(document_exports.cklb()),
        "xccdf.xml": document_exports.xccdf_benchmark(document_exports.xccdf_test()),
        "cset.json": json.dumps(document_exports.cset_export()),
    }
    for name, text in documents.items():
        path = folder / "documents" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        corpus[name] = [path]
    write_demo(folder / "demo", entities=12, items=12, rounds=4, seed=5)
    for path in sorted((folder / "demo").rglob("*")):
        if path.is_file():
            kind = re.sub(r"[\d_-]+", "", path.parent.name + path.suffix)
            corpus.setdefault(f"demo {kind}", [path])
    return corpus


def make_home(folder: Path) -> Home:
    """A home that knows the demo group's masters and the entity that is given for files that name none."""
    home = Home(folder / "home")
    masters = folder / "demo" / "master"
    load_files(home, Order([masters]), lambda *_: None)
    return home


# --- mutations ------------------------------------------------------------------------------------


def change_bytes(rng: random.Random, path: Path) -> None:
    """Flip, cut, repeat, insert or overwrite bytes, as broken transfers and disks do."""
    raw = bytearray(path.read_bytes())
    for _ in range(rng.choice((1, 1, 3, 30))):
        if not raw:
            break
        at = rng.randrange(len(raw))
        length = rng.choice((1, 1, 4, 64, 1000))
        match rng.randrange(6):
            case 0:
                raw[at] ^= 1 << rng.randrange(8)
            case 1:
                del raw[at : at + length]
            case 2:
                raw[at:at] = raw[at : at + length]
            case 3:
                raw[at:at] = bytes(rng.randrange(256) for _ in range(length))
            case 4:
                raw[at : at + length] = bytes(min(length, len(raw) - at))
            case _:
                del raw[at:]
    path.write_bytes(bytes(raw))


def change_rows(rng: random.Random, rows: list[list[str]]) -> list[list[str]]:
    """Change cells, rows, columns and headings of a table."""
    rows = [list(row) for row in rows]
    for _ in range(rng.choice((1, 2, 5))):
        if not rows:
            return rows
        at = rng.randrange(len(rows))
        row = rows[at]
        column = rng.randrange(len(row)) if row else 0
        width = max(map(len, rows))
        match rng.randrange(14):
            case 0 | 1 | 2:
                if row:
                    row[column] = rng.choice(HOSTILE)
            case 3:
                other = rng.choice(rows)
                if row and other:
                    row[column] = rng.choice(other)
            case 4:
                del rows[at]
            case 5:
                rows.insert(at, list(row))
            case 6:
                rng.shuffle(rows)
            case 7:
                rows = [[*row[:column], *row[column + 1 :]] for row in rows]
            case 8:
                rows = [[*row[: column + 1], *row[column:]] for row in rows]
            case 9:
                order = list(range(width))
                rng.shuffle(order)
                rows = [[row[place] if place < len(row) else "" for place in order] for row in rows]
            case 10:
                rows[:0] = [["Title"], [], ["made", "by"]][: rng.randrange(1, 4)]
            case 11:
                rows.append(rows.pop(0))
            case 12:
                row += [rng.choice(HOSTILE)] * rng.choice((1, 5))
            case _:
                rows.insert(at, [""] * width)
    return rows


def change_table_text(rng: random.Random, path: Path) -> None:
    """Change the table of a delimited text file, or the way it is written."""
    raw = path.read_bytes()
    encoding = next((one for one in ("utf-8-sig", "cp932") if _decodes(raw, one)), "latin-1")
    text = raw.decode(encoding)
    delimiter = max(",;\t", key=text[:2000].count)
    csv.field_size_limit(1 << 30)
    rows = [list(row) for row in csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter)]
    rows = change_rows(rng, rows)
    if rng.random() < 0.15:
        encoding = rng.choice(ENCODINGS)
    if rng.random() < 0.1:
        delimiter = rng.choice(",;\t|")
    out = io.StringIO(newline="")
    csv.writer(
        out,
        delimiter=delimiter,
        lineterminator=rng.choice(("\n", "\r\n", "\r")),
        quoting=rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)),
    ).writerows(rows)
    path.write_bytes(out.getvalue().encode(encoding, "replace"))


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeError:
        return False
    return True


def change_workbook(rng: random.Random, path: Path) -> None:
    """Change the tables of a workbook; cells become numbers, dates and formulas, sheets are hidden or renamed."""
    book = python_calamine.CalamineWorkbook.from_path(str(path))
    sheets = [(name, book.get_sheet_by_name(name).to_python(skip_empty_area=False)) for name in book.sheet_names]
    touched = rng.randrange(len(sheets))
    path.unlink()
    with xlsxwriter.Workbook(str(path), {"strings_to_numbers": rng.random() < 0.3, "strings_to_formulas": True}) as out:
        for number, (name, rows) in enumerate(sheets):
            texts = [[str(cell) for cell in row] for row in rows]
            if number == touched:
                texts = change_rows(rng, texts)
                if rng.random() < 0.1:
                    name = "Changed"
            page = out.add_worksheet(name[:31])
            if number == touched and number and rng.random() < 0.1:
                page.hide()
            for line, row in enumerate(texts):
                for place, text in enumerate(row[:500]):
                    page.write(line, place, text.replace("\0", "")[:32_000])
            if number == touched and len(texts) > 3 and rng.random() < 0.2:
                page.merge_range(1, 0, 2, 1, "merged")


def change_json(rng: random.Random, path: Path) -> None:
    """Change the tree of a JSON document."""
    tree = json.loads(path.read_text("utf-8"))
    for _ in range(rng.choice((1, 2, 6))):
        places = list(_places(tree))
        if not places:
            break
        holder, key = rng.choice(places)
        match rng.randrange(6):
            case 0:
                del holder[key]
            case 1:
                holder[key] = rng.choice(HOSTILE)
            case 2:
                holder[key] = rng.choice([None, [], {}, 0, -1, 1e308, True, [[]], {"": ""}])
            case 3:
                holder[key] = [holder[key], holder[key]]
            case 4:
                holder[key] = {"x": holder[key]}
            case _:
                other, place = rng.choice(places)
                holder[key] = json.loads(
                    json.dumps(other.get(place) if isinstance(other, dict) else rng.choice(HOSTILE))
                )
    path.write_text(json.dumps(tree), "utf-8")


def _places(tree: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    below = [tree]
    while below:
        node = below.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []
        for key in keys:
            found.append((node, key))
            below.append(node[key])
    return found


def change_markup(rng: random.Random, path: Path) -> None:
    """Drop, repeat or swap the tags and texts of an XML document."""
    parts = re.split(r"(<[^>]*>)", path.read_text("utf-8"))
    for _ in range(rng.choice((1, 2, 6))):
        at = rng.randrange(len(parts))
        match rng.randrange(5):
            case 0:
                parts[at] = ""
            case 1:
                parts.insert(at, parts[at])
            case 2:
                parts[at] = rng.choice(HOSTILE)
            case 3:
                other = rng.randrange(len(parts))
                parts[at], parts[other] = parts[other], parts[at]
            case _:
                parts.insert(at, '<!DOCTYPE a [<!ENTITY b "c">]>&b;')
    path.write_text("".join(parts), "utf-8")


SHAPES: Final[dict[str, Mutate]] = {
    ".csv": change_table_text,
    ".xlsx": change_workbook,
    ".json": change_json,
    ".cklb": change_json,
    ".ckl": change_markup,
    ".xml": change_markup,
}


# --- cases ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Outcome:
    """What became of the cases."""

    cases: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    held_by_child: int = 0

    held_before: int = field(default_factory=lambda: read_most_held())

    @property
    def held(self) -> int:
        """Most bytes that this process has held more than before the first case."""
        return read_most_held() - self.held_before


def read_most_held() -> int:
    """Most bytes that this process has held since it began."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def run_case(home: Home, files: list[Path], given: Choices, folder: Path, seed: int, outcome: Outcome) -> None:
    """Hand in the files with one of them changed, and hold what is told of them to the promises."""
    rng = random.Random(seed)
    folder.mkdir()
    copies = [Path(shutil.copy(path, folder / path.name)) for path in files]
    target = rng.choice(copies)
    mutate = SHAPES.get(target.suffix.lower(), change_bytes)
    if rng.random() < 0.25:
        mutate = change_bytes
    mutate(rng, target)
    outcome.cases += 1
    case = f"seed {seed}, {mutate.__name__} of {target.name}"
    try:
        report = check_files(home, Order(copies, given, refused_to=folder / "refused"), lambda *_: None)
    except Exception:
        outcome.failures.append(f"{case}: {traceback.format_exc()}")
        return
    for one in report.loads:
        counted = one["rows_loaded"] + one["rows_unchanged"] + one["rows_refused"]
        if one["rows_read"] != counted or min(one[name] for name in one if name.startswith("rows_")) < 0:
            outcome.failures.append(f"{case}: rows are lost: {one}")
        if one["rows_changed"] > one["rows_loaded"]:
            outcome.failures.append(f"{case}: more rows changed than loaded: {one}")
        outcome.rows.update({name: one[name] for name in one if name.startswith("rows_")})
    for one in report.refusals:
        outcome.reasons[one["reason_code"]] += 1
        if not one["reason"].strip() or re.search(r"Traceback|line \d+, in |<class |object at 0x", one["reason"]):
            outcome.failures.append(f"{case}: this is no sentence: {one['reason']}")
    if len(report.loads) != len({path.read_bytes() + path.name.encode() for path in copies}) and len(
        report.loads
    ) != len(copies):
        outcome.failures.append(f"{case}: of {len(copies)} files {len(report.loads)} were told of")
    if outcome.held > LOADER_BYTES:
        outcome.failures.append(f"{case}: {outcome.held:,} bytes were held")
    children = psutil.Process().children()
    outcome.held_by_child = max([outcome.held_by_child, *(child.memory_info().rss for child in children)])
    if outcome.held_by_child > MEMORY_LIMIT:
        outcome.failures.append(f"{case}: the child held {outcome.held_by_child:,} bytes")
    shutil.rmtree(folder)


def run(folder: Path, cases: int, seed: int) -> Outcome:
    """That many cases, as many of each fixture; stops early after ten failures."""
    corpus = write_corpus(folder)
    home = make_home(folder)
    newest = home.newest()
    assert newest
    with duckdb.connect(str(newest), read_only=True) as connection:
        row = connection.execute("select min(entity_code) from dim_entity where entity_kind = 'affiliate'").fetchone()
    assert row
    given = Choices(Choice(entity=row[0], period="FY2025-H1"))
    outcome = Outcome()
    names = list(corpus)
    for number in range(cases):
        name = names[number % len(names)]
        run_case(home, corpus[name], given, folder / f"case-{number}", seed + number, outcome)
        if len(outcome.failures) >= 10:
            break
    return outcome


def main() -> int:
    """Run cases from the command line and tell what became of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(Path(folder), options.cases, options.seed)
    out = sys.stdout.write
    out(f"{outcome.cases:,} cases; {dict(outcome.rows)}\n{dict(outcome.reasons.most_common())}\n")
    out(f"held {outcome.held >> 20:,} MB, children {outcome.held_by_child >> 20:,} MB\n")
    out("\n".join(outcome.failures) + f"\n{len(outcome.failures)} failures\n")
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main())
