"""Take in files and publish a new build: recognise, stage, understand, derive, check, publish."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from etl import answers
from etl.builds import Home, fingerprint
from etl.checks import run_checks
from etl.derive import fold, prepare, run_model
from etl.reading import make_reader
from etl.report import Handed
from etl.schema import fill, record_kinds
from etl.sources import Source, load_sources
from etl.staging import BIG_BYTES, StagedFile, heading_of, stage
from etl.statements import load_statements
from etl.tables import Export, Unreadable, recognise

BATCH_BYTES = 32 << 20
MEMORY_LIMIT = "1200MB"
PENDING = ("unknown_entity", "unknown_item", "unknown_checklist", "unknown_finding")
Progress = Callable[[str, int, int], None]


class Loading:
    """One load under way in a build that nobody sees yet."""

    def __init__(self, home: Home, connection: duckdb.DuckDBPyConnection, scratch: Path, progress: Progress) -> None:
        self.home = home
        self.connection = connection
        self.scratch = scratch
        self.progress = progress
        self.sources = load_sources(home.path)
        self.kinds = list(record_kinds())
        self.rows_done = 0
        prepare(connection)
        connection.execute("create or replace temp table touched_inspection (inspection_id bigint, is_new boolean)")
        connection.execute(
            "create or replace temp table touched_checklist (checklist_code varchar, checklist_version varchar)"
        )
        connection.execute(
            "create or replace temp table row_refusal (table_no integer, row_no bigint, variant integer, field varchar, "
            "value varchar, reason_code varchar, reason varchar, suggestion varchar, is_row_refused boolean)"
        )
        # Lineage is settled over whole checklists, so only the end of the load tells which items it moved.
        connection.execute(
            "create or replace temp table lineage_before as select distinct item_id, lineage_code from dim_item"
        )
        self.masters_changed = False

    # --- files ---------------------------------------------------------------------------------

    def hand_in(self, path: Path, name: str, known_at: str | None, loaded_at: datetime, position: int) -> Handed:
        """Settle what a file is: its fingerprint, id and knowledge date."""
        sha256, newlines = fingerprint(path)
        (load_id,) = self._one("select id_of('load', concat_ws(chr(31), ?, ?, ?))", [sha256, name, known_at or ""])
        # Files of one command become known one after the other, in the order of their names.
        moment = loaded_at + timedelta(microseconds=position)
        return Handed(
            path, name, sha256, path.stat().st_size, newlines, load_id, 0, "",
            known_at or moment.isoformat(sep=" "), "given" if known_at else "now", loaded_at.isoformat(sep=" "),
        )  # fmt: skip

    def _one(self, sql: str, parameters: list[Any] | None = None) -> Any:
        row = self.connection.execute(sql, parameters or []).fetchone()
        assert row is not None
        return row

    def is_known(self, file: Handed) -> bool:
        """Whether the same file was taken in before, whole; one with refusals is read again, as the same load."""
        row = self.connection.execute(
            "select load_no, rows_refused, source_name, known_at, known_at_origin, loaded_at, archive_path "
            "from load where load_id = ?",
            [file.load_id],
        ).fetchone()
        if row is None:
            return False
        if row[1] == 0 and row[2] is not None:
            return True
        file.is_again = True
        file.load_no, file.known_at, file.known_at_origin = row[0], str(row[3]), row[4]
        file.loaded_at, file.archive_path = str(row[5]), row[6]
        return False

    # --- taking in -----------------------------------------------------------------------------

    def take_in(self, files: list[Handed]) -> None:
        """Take in files that are new, masters first, and record every load and refusal."""
        groups: dict[str, list[Handed]] = {}
        for number, file in enumerate(files):
            self.progress("recognise", number, len(files))
            try:
                export = Export(file.path, file.name)
                source, tables = recognise(export, self.sources, file.wanted_source)
                for table in tables:
                    table.positions(source.all_columns)
            except Unreadable as unreadable:
                file.refusal = unreadable
                continue
            file.source_name = source.name
            if source.known_at and file.known_at_origin == "now":
                file.known_at_origin = "source"
            file.staged = StagedFile(
                number, file.load_id, export, tables, file.known_at, file.known_at_origin == "given", file.newlines
            )
            groups.setdefault(source.name, []).append(file)
        self.connection.execute(
            "delete from refusal where load_id in (select unnest(?))", [[file.load_id for file in files]]
        )
        self._record(files)
        for name in sorted(groups, key=lambda name: (self._rank(self.sources[name]), name)):
            for batch in _batches(self.sources[name], groups[name]):
                self._take_in_batch(self.sources[name], batch)
        self._record(files)
        for file in files:
            self._record_refusals(file)

    def _rank(self, source: Source) -> int:
        return self.kinds.index(source.records[0].kind.name)

    def _take_in_batch(self, source: Source, batch: list[Handed]) -> None:
        staged = [file.staged for file in batch if file.staged]
        try:
            is_fast = stage(self.connection, source, staged, self.scratch)
        except Unreadable as unreadable:
            for one in staged:
                one.rows_read = one.rows_refused = 0
                one.refusals.clear()
            if len(batch) == 1:
                batch[0].refusal = unreadable
                batch[0].staged = None
                return
            # One file of the batch cannot be read to its end; by themselves the others can.
            for file in batch:
                self._take_in_batch(source, [file])
            return
        self.rows_done += sum(one.rows_read for one in staged)
        self.progress(source.name, self.rows_done, 0)
        connection = self.connection
        connection.execute("delete from row_refusal")
        connection.execute(
            "create or replace temp table row_changed (table_no integer, row_no bigint, variant integer)"
        )
        connection.execute("create or replace temp table place as select table_no, file_no, load_id from staged_table")
        is_single = len(source.records) == 1
        has_answers = False
        for record in source.records:
            reader = make_reader(connection, source)
            if record.kind.name == "answer":
                resolution = answers.resolve(connection, source, record, reader)
                answers.load_answers(connection, source, resolution, is_fast)
                has_answers = True
                if not is_single:
                    connection.execute(
                        "insert into row_changed select table_no, row_no, variant from resolved_answer "
                        "where is_good and is_fresh"
                    )
                continue
            if any(file.is_again for file in batch):
                connection.execute(f"delete from stm_{record.kind.name} where load_id in (select load_id from place)")
            load_statements(connection, source, record, reader)
            self._derive(record.kind.name)
            keys = " and ".join(f"f.{key.name} is not distinct from t.{key.name}" for key in record.kind.keys)
            connection.execute(
                f"""insert into row_changed select table_no, row_no, variant from told t
                where exists (select 1 from folded f where f.load_id = t.load_id and {keys})"""
            )
        self._refuse_rows(source, staged)
        if has_answers and self._restate():
            connection.execute(
                """insert into row_changed select table_no, row_no, variant from said_now s
                where exists (select 1 from fct_answer a where a.inspection_id = s.inspection_id
                        and a.item_id = s.item_id and a.load_id = s.load_id and a.row_no = s.row_no)
                    or exists (select 1 from fct_inspection i
                        where i.inspection_id = s.inspection_id and i.load_id = s.load_id)"""
            )
        rows = "said_now" if is_single and has_answers else "told" if is_single else "told_row"
        if not is_single:
            connection.execute(
                """create or replace temp table told_row as select table_no, row_no, variant from kept_row
                anti join (select table_no, row_no, variant from row_refusal where is_row_refused)
                using (table_no, row_no, variant)"""
            )
        unchanged = dict(
            connection.execute(
                f"""select file_no, count(*) from (select distinct table_no, row_no, variant from {rows}) r
                anti join row_changed c using (table_no, row_no, variant) join place using (table_no) group by file_no"""
            ).fetchall()
        )
        for one in staged:
            one.rows_loaded = one.rows_read - one.rows_refused - unchanged.get(one.file_no, 0)

    def _derive(self, kind: str) -> None:
        fold(self.connection, kind)
        if kind in ("item", "lineage"):
            run_model(self.connection, "item_order")
        if kind == "item":
            self.connection.execute(
                "insert into touched_checklist select distinct checklist_code, checklist_version from told"
            )
        if kind in ("entity", "item", "finding"):
            self.masters_changed = True

    def _refuse_rows(self, source: Source, staged: list[StagedFile]) -> None:
        """Turn `row_refusal` into refusals that a sender can act on, and count the rows refused and skipped."""
        connection = self.connection
        keys = [column.key for column in source.columns]
        keys += [key for key, _ in source.unpivot.columns] + [source.unpivot.key] if source.unpivot else []
        if len(source.records) > 1:
            connection.execute(
                "create or replace temp table kept_row as select table_no, row_no, variant from data_row"
            )
        if self._one("select count(*) from row_refusal") == (0,):
            return
        parts = ", ".join(f"'{key}': d.{key}" for key in keys)
        text = f"to_json({{{parts}}})::varchar" if keys else "null"
        expressions = {name: text for record in source.records for name, text in record.expressions.items()}
        headings = [
            (name, variant, heading_of(source, expressions.get(name, name), variant, staged[0].tables[0]))
            for name, variant in connection.execute("select distinct field, variant from row_refusal").fetchall()
        ]
        connection.execute("create or replace temp table heading (field varchar, variant integer, column_name varchar)")
        connection.executemany("insert into heading values (?, ?, ?)", headings)
        connection.execute(
            f"""insert into refusal
            select distinct t.load_id, t.sheet, r.row_no, h.column_name, r.value, r.reason_code, r.reason, r.suggestion,
                r.is_row_refused, {text}
            from row_refusal r
            join staged_table t on t.table_no = r.table_no
            join heading h on h.field = r.field and h.variant = r.variant
            join data_row d on d.table_no = r.table_no and d.row_no = r.row_no and d.variant = r.variant"""
        )
        by_number = {one.file_no: one for one in staged}
        counted = connection.execute(
            """select file_no, count(*) from (
                select distinct table_no, row_no, variant from row_refusal where is_row_refused
            ) join place using (table_no) group by file_no"""
        ).fetchall()
        for file_no, count in counted:
            by_number[file_no].rows_refused += count

    def _restate(self) -> bool:
        """Give what was said about inspections already known its place in their history; false if nothing was."""
        connection = self.connection
        if self._one("select count(*) from said_now") == (0,):
            return False
        answers.begin_restating(connection)
        for load_id in answers.later_loads(connection):
            name, archived, source_name, known_at, origin = self._one(
                "select file_name, archive_path, source_name, known_at, known_at_origin from load where load_id = ?",
                [load_id],
            )
            self._hear_again(load_id, name, archived, self.sources[source_name], str(known_at), origin)
        answers.restate(connection)
        return True

    def _hear_again(self, load_id: int, name: str, archived: str, source: Source, known_at: str, origin: str) -> None:
        path = self.home.archive / archived
        export = Export(path, name)
        _, tables = recognise(export, {source.name: source}, source.name)
        again = StagedFile(0, load_id, export, tables, known_at, origin == "given", fingerprint(path)[1])
        stage(self.connection, source, [again], self.scratch)
        for record in source.records:
            if record.kind.name == "answer":
                reader = make_reader(self.connection, source)
                answers.hear_again(self.connection, answers.resolve(self.connection, source, record, reader))

    # --- the log -------------------------------------------------------------------------------

    def _record(self, files: list[Handed]) -> None:
        """Write the log of these loads, in place of what it said before."""
        rows = []
        for file in files:
            one = file.staged
            counts = (
                [one.rows_read, one.rows_loaded, one.rows_unchanged, one.rows_refused, one.rows_skipped]
                if one
                else [0] * 5
            )
            rows.append(
                [
                    file.load_id, file.load_no, file.name, file.sha256, file.byte_count,
                    file.source_name if one else None, file.archive_path, datetime.fromisoformat(file.loaded_at),
                    datetime.fromisoformat(file.known_at), file.known_at_origin, *counts,
                ]
            )  # fmt: skip
        ids = [file.load_id for file in files]
        self.connection.execute("delete from load where load_id in (select unnest(?))", [ids])
        fill(self.connection, "load", rows)

    def _record_refusals(self, file: Handed) -> None:
        """Record what could not even be staged: a whole file, or rows that are no rows."""
        connection = self.connection
        if file.refusal:
            refusal = file.refusal
            connection.execute(
                "insert into refusal values (?, null, null, null, null, ?, ?, ?, true, null)",
                [file.load_id, refusal.reason_code, refusal.reason, refusal.suggestion],
            )
        if file.staged and file.staged.refusals:
            fill(connection, "refusal", file.staged.refusals)

    def pending(self) -> list[Handed]:
        """Earlier loads with rows refused for want of a master: once masters change they are read again."""
        if not self.masters_changed:
            return []
        rows = self.connection.execute(
            """select distinct load_id, load_no, file_name, sha256, byte_count, archive_path, known_at, known_at_origin, loaded_at,
                source_name
            from load semi join refusal r on r.load_id = load.load_id and r.reason_code in (select unnest(?))
            order by load_no""",
            [list(PENDING)],
        ).fetchall()
        files = []
        for load_id, load_no, name, sha256, size, archived, known_at, origin, loaded_at, source_name in rows:
            path = self.home.archive / archived
            newlines = fingerprint(path)[1]
            file = Handed(
                path, name, sha256, size, newlines, load_id, load_no, archived, str(known_at), origin, str(loaded_at)
            )
            file.wanted_source, file.is_again = source_name, True
            files.append(file)
        return files

    def finish(self) -> None:
        """Derive pairs and cubes of what was touched, and hold every invariant against it."""
        connection = self.connection
        connection.execute(
            """insert into touched_inspection
            select distinct inspection_id, false from fct_inspection
            semi join touched_checklist using (checklist_code, checklist_version)
            where inspection_id not in (select inspection_id from touched_inspection)"""
        )
        run_model(connection, "fct_pair")
        run_model(connection, "cubes")
        run_checks(connection)


def _batches(source: Source, files: list[Handed]) -> Iterator[list[Handed]]:
    """Small files together, so that each statement serves many of them; big files and Parquet alone."""
    batch: list[Handed] = []
    size = 0
    for file in files:
        if source.format == "parquet" or file.byte_count >= BIG_BYTES:
            yield [file]
            continue
        if size + file.byte_count > BATCH_BYTES and batch:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.byte_count
    if batch:
        yield batch
