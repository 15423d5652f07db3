"""What is handed in and what became of it: files on their way, and the report of a load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from etl.cells import Unreadable
from etl.copying import Fingerprint
from etl.sources import Source
from etl.staging import StagedFile

MAX_REPORTED = 10_000


@dataclass(slots=True)
class Preview:
    """The first rows of one kind of record as they were understood."""

    kind: str
    columns: list[str]
    rows: list[list[str | None]]


@dataclass(slots=True)
class Handed:
    """A file handed in, and what is settled about it before it is read."""

    path: Path
    name: str
    looked: Fingerprint
    byte_count: int
    load_id: int
    load_no: int
    archive_path: str
    known_at: str
    known_at_origin: str
    loaded_at: str
    given: dict[str, str] = field(default_factory=dict)
    package: str | None = None
    wanted_source: str | None = None
    source_name: str | None = None
    is_again: bool = False
    needs: list[str] = field(default_factory=list)
    staged: list[StagedFile] = field(default_factory=list)
    refusal: Unreadable | None = None
    previews: list[Preview] = field(default_factory=list)

    def count(self, name: str) -> int:
        """Sum of a count, such as rows_read, over the parts of the file."""
        return sum(int(getattr(part, name)) for part in self.staged)


@dataclass(slots=True)
class Report:
    """What became of the files of one load."""

    build: str | None = None
    loads: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[dict[str, Any]] = field(default_factory=list)
    refusals_left_out: int = 0
    said: list[str] = field(default_factory=list)
    """What else whoever loads should know, as sentences."""

    @property
    def exit_status(self) -> int:
        """0 every row loaded or already known; 1 some were refused; 2 nothing was loaded."""
        good = any(one["rows_loaded"] + one["rows_unchanged"] or one["is_known"] for one in self.loads)
        if not good:
            return 2
        return 1 if any(one["rows_refused"] or one["is_refused"] for one in self.loads) else 0

    def name_workbooks(self, files: list[Handed], paths: Mapping[int, str]) -> None:
        """Say where the refused rows of the files just added were written to."""
        for load, file in zip(self.loads[-len(files) :], files, strict=True):
            load["refused_workbook"] = paths.get(file.load_id)

    def add(self, connection: duckdb.DuckDBPyConnection, files: list[Handed], sources: Mapping[str, Source]) -> None:
        """Add the files just taken in, as the build has recorded them."""
        ids = [file.load_id for file in files]
        names = ("source", "rows_read", "rows_loaded", "rows_unchanged", "rows_refused", "rows_skipped", "known_at")
        rows = connection.execute(
            "select load_id, source_name, rows_read, rows_loaded, rows_unchanged, rows_refused, rows_skipped, "
            "known_at::varchar from load where load_id in (select unnest(?))",
            [ids],
        ).fetchall()
        counts = {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}
        for file in files:
            self.loads.append(
                {
                    "file": file.name, "package": file.package, **counts[file.load_id],
                    "rows_changed": file.count("rows_changed"), "is_refused": file.refusal is not None, "is_known": False,
                    "reason_code": file.refusal.reason_code if file.refusal else None,
                    "reason": file.refusal.reason if file.refusal else None,
                    "needs": file.needs, **describe_source(sources, file.source_name),
                    "preview": [asdict(preview) for preview in file.previews], "refused_workbook": None,
                }
            )  # fmt: skip
        said = connection.execute(
            f"""select l.file_name, r.sheet, r.row_no, r.column_name, r.value, r.reason_code, r.reason, r.suggestion,
                r.is_row_refused
            from refusal r join load l using (load_id) where load_id in (select unnest(?))
            order by l.load_no, r.sheet nulls first, r.row_no nulls first, r.column_name limit {MAX_REPORTED}""",
            [ids],
        ).fetchall()
        parts = ("file", "sheet", "row", "column", "value", "reason_code", "reason", "suggestion", "is_row_refused")
        self.refusals += [dict(zip(parts, one, strict=True)) for one in said]
        total = connection.execute("select count(*) from refusal where load_id in (select unnest(?))", [ids]).fetchone()
        assert total
        self.refusals_left_out += total[0] - len(said)


def describe_source(sources: Mapping[str, Source], name: str | None) -> dict[str, Any]:
    """What readers are told of the source of a file: its label and what a person may give for it."""
    source = sources.get(name or "")
    return {
        "label": {"en": source.label_en, "ja": source.label_ja} if source else None,
        "asks": list(source.asks) if source else [],
    }


def find_files(paths: Sequence[Path]) -> list[Path]:
    """Files named, and all files below folders named, without hidden ones. Raises FileNotFoundError."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(
                one
                for one in path.rglob("*")
                if one.is_file() and not any(part.startswith(".") for part in one.relative_to(path).parts)
            )
        elif path.is_file():
            found.append(path)
        else:
            raise FileNotFoundError(f"There is no file or folder {path}.")
    if not found:
        raise FileNotFoundError(f"There is no file in {', '.join(map(str, paths))}.")
    return list(dict.fromkeys(found))
