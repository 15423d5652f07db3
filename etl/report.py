"""What is handed in and what became of it: files on their way, and the report of a load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from etl.staging import StagedFile
from etl.tables import Unreadable

MAX_REPORTED = 10_000


@dataclass(slots=True)
class Handed:
    """A file handed in, and what is settled about it before it is read."""

    path: Path
    name: str
    sha256: str
    byte_count: int
    newlines: int
    load_id: int
    load_no: int
    archive_path: str
    known_at: str
    known_at_origin: str
    loaded_at: str
    wanted_source: str | None = None
    source_name: str | None = None
    is_again: bool = False
    staged: StagedFile | None = None
    refusal: Unreadable | None = None


@dataclass(slots=True)
class Report:
    """What became of the files of one load."""

    build: str | None = None
    loads: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[dict[str, Any]] = field(default_factory=list)
    refusals_left_out: int = 0

    @property
    def exit_status(self) -> int:
        """0 every row loaded or already known; 1 some were refused; 2 nothing was loaded."""
        good = any(one["rows_loaded"] + one["rows_unchanged"] or one["is_known"] for one in self.loads)
        if not good:
            return 2
        return 1 if any(one["rows_refused"] or one["is_refused"] for one in self.loads) else 0

    def add(self, connection: duckdb.DuckDBPyConnection, files: list[Handed]) -> None:
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
                {"file": file.name, **counts[file.load_id], "is_refused": file.refusal is not None, "is_known": False}
            )
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
