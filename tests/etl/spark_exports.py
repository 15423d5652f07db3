"""Exports of a small group in rounds: first ones, one more, corrections from later and earlier, and rows to refuse."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import duckdb

from etl.demo import write_demo

HISTORY = "self_check/self_check_history.parquet"
LAST_ROUNDS = ("FY2025-H1", "FY2025-H2")
Row = dict[str, str | None]


def write_rounds(folder: Path) -> list[list[Path]]:
    """What is handed in by each of several loads, in their order."""
    demo = folder / "demo"
    write_demo(demo, entities=8, items=16, rounds=6, seed=3, form="parquet", without=(), progress=lambda *_: None)
    rows = _read(demo / HISTORY)
    (demo / HISTORY).unlink()
    early = [row for row in rows if row["period"] not in LAST_ROUNDS]
    late = [row for row in rows if row["period"] in LAST_ROUNDS]

    def write(name: str, some: list[Row]) -> Path:
        path = folder / name / f"self_check_history_{name}.parquet"
        path.parent.mkdir()
        _write(path, some)
        return path

    first = [row for row in early if row["entity_code"] == early[0]["entity_code"]]
    second = [row for row in early if row["entity_code"] == early[-1]["entity_code"]]
    # Known later: some answers differ, some do not.
    corrected = write("corrected", _changed(first, submitted_on="2026-03-01", answer=_turn_every(3)))
    # Known before what was said first, so that the other files must be heard again.
    before = write("before", _changed(first, submitted_on="2020-04-01", answer=_turn_every(4)))
    by_hand = _changed(second, submitted_on="2026-03-02", answer=_turn_every(5))
    as_csv = _write_csv(folder / "self_check_history_csv.csv", by_hand)
    # The file of another engine must be heard again.
    between = write("between", _changed(second, submitted_on="2026-02-02", answer=_turn_every(2)))
    same = write("same", _changed(first[:5], submitted_on="2026-03-01", comment=lambda number, _: f"says {number}"))
    return [
        [demo, write("early", early)],
        [write("late", late), corrected],
        [before],
        [as_csv, between],
        [same, write("faulty", _spoil(late))],
        [folder / "early"],
    ]


def _spoil(rows: list[Row]) -> list[Row]:
    """Rows with every fault that an answer can have, beside good ones."""
    good = [dict(row) for row in rows[:40]]
    faults: list[Row] = [
        {"entity_code": "no-such-entity"},
        {"item_code": "99.99"},
        {"item_code": " "},
        {"item_code": "\u3000"},
        {"item_code": f"{rows[0]['item_code']}x"},
        {"answer": "maybe"},
        {"period": "sometime"},
        {"period": None},
        {"period": "FY2055"},
        {"checklist_version": "1789"},
        {"performed_on": "31 February"},
        {"submitted_on": "2099-01-01"},
        {"submitted_on": "not at all"},
        {"evidence": "perhaps"},
    ]
    spoiled = [{**row, **fault} for row, fault in zip(rows[40:], faults, strict=False)]
    fresh = [{**row, "period": "FY2025-Q4", "submitted_on": "2026-02-20"} for row in rows[:30]]
    twice = [*fresh[:6], {**fresh[6], "answer": "○"}, {**fresh[6], "answer": "×"}, *fresh[7:9]]
    known = _changed(rows[10:14], submitted_on="2026-03-05")
    torn = [{**row, "answer": answer} for row in known for answer in ("○", "×", "△", "○", "－", "×", "○")]
    return [*good, *spoiled, *fresh, *twice, *torn]


def _changed(rows: list[Row], **columns: str | Callable[[int, str | None], str | None]) -> list[Row]:
    return [
        {**row, **{name: new if isinstance(new, str) else new(number, row[name]) for name, new in columns.items()}}
        for number, row in enumerate(rows)
    ]


def _turn_every(step: int) -> Callable[[int, str | None], str | None]:
    return lambda number, answer: answer if number % step else {"○": "×", "×": "△"}.get(answer or "", "○")


def _read(path: Path) -> list[Row]:
    with duckdb.connect() as connection:
        found = connection.execute("select * from read_parquet(?)", [str(path)])
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _write(path: Path, rows: list[Row]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {name: pa.array([row[name] for row in rows], pa.string()) for name in rows[0]}
    pq.write_table(pa.table(columns), path, row_group_size=100)


def _write_csv(path: Path, rows: list[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
