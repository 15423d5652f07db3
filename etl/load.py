"""Take in files and publish a new build: recognise, stage, understand, derive, check, publish."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from etl import answers
from etl.builds import Home
from etl.cells import Unreadable
from etl.checks import run_checks
from etl.copying import fingerprint
from etl.derive import fold, prepare, run_model
from etl.mending import write_refused
from etl.outside import list_files
from etl.previews import preview_answers, preview_statements
from etl.reading import make_reader
from etl.report import Handed, Preview
from etl.rows import Rows, hand_over
from etl.schema import RecordKind, fill, record_kinds
from etl.sources import Source, SourceProblem, load_sources
from etl.spark.staging import runs_on_spark, stage_on_spark
from etl.spark.tables import SparkTables
from etl.staging import BIG_BYTES, StagedFile, heading_of, stage
from etl.statements import load_statements, refuse_overlaps
from etl.tables import Export, Table, find_tables, missing_given, recognise
from etl.values import normalise_code, parse_period

BATCH_BYTES = 32 << 20
PREVIEW_ROWS = 20
MEMORY_LIMIT = "1200MB"
PENDING = (
    "unknown_entity", "closed_entity", "unknown_item", "unknown_checklist", "unknown_finding", "unknown_reference",
)  # fmt: skip
Progress = Callable[[str, int, int], None]


class Loading:
    """One load under way in a build that nobody sees yet."""

    def __init__(
        self, home: Home, connection: duckdb.DuckDBPyConnection, scratch: Path, progress: Progress, loaded_at: datetime
    ) -> None:
        self.loaded_at = loaded_at
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
        self.spark: SparkTables | None = None
        """Where single answers are worked on, if not in the build's own connection."""
        self.is_outside = bool(list_files(connection))
        """Whether answers lie outside the build, where only Spark writes them."""
        self.masters_changed = False
        self.has_previews = False
        """Whether the first rows of every file are kept as they were understood."""

    # --- files ---------------------------------------------------------------------------------

    def hand_in(
        self, path: Path, name: str, known_at: str | None, loaded_at: datetime, position: int,
        given: Mapping[str, str] | None = None,
    ) -> Handed:  # fmt: skip
        """Settle what a file is: its fingerprint, id and knowledge date. What a person gave for it is part of what it is."""
        looked = fingerprint(path)
        given = {name: self._normalise_given(name, text) for name, text in (given or {}).items()}
        told = [f"{name}={text}" for name, text in sorted(given.items())]
        key = chr(31).join([looked.sha256, name, known_at or "", *told])
        (load_id,) = self._one("select id_of('load', ?)", [key])
        # Files of one command become known one after the other, in the order of their names.
        moment = loaded_at + timedelta(microseconds=position)
        return Handed(
            path, name, looked, path.stat().st_size, load_id, 0, "", known_at or moment.isoformat(sep=" "),
            "given" if known_at else "now", loaded_at.isoformat(sep=" "), given,
        )  # fmt: skip

    def _normalise_given(self, name: str, text: str) -> str:
        if name == "period":
            (first_month,) = self._one("select fiscal_first_month from build")
            return parse_period(text, first_month) or text
        return normalise_code(text)

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
        groups: dict[str, list[tuple[Handed, StagedFile]]] = {}
        exports = []
        for number, file in enumerate(files):
            self.progress("recognise", number, len(files))
            if file.refusal:
                continue
            export = Export(file.path, file.name, file.given)
            exports.append(export)
            try:
                self._recognise(file, export, number, groups)
            except Unreadable as unreadable:
                file.refusal = unreadable
                file.staged = []
        ids = [file.load_id for file in files]
        again = [file.load_id for file in files if file.is_again and file.staged]
        self.connection.execute("delete from refusal where load_id in (select unnest(?))", [ids])
        for kind in self.kinds if again else ():
            if kind != "answer":
                self.connection.execute(f"delete from stm_{kind} where load_id in (select unnest(?))", [again])
        self._record(files)
        for name in sorted(groups, key=lambda name: (self._rank(self.sources[name]), name)):
            for batch in _batches(self.sources[name], groups[name]):
                self._take_in_batch(self.sources[name], batch)
        for export in exports:
            export.forget()
        self._record(files)
        for file in files:
            self._record_refusals(file)

    def _recognise(
        self, file: Handed, export: Export, number: int, groups: dict[str, list[tuple[Handed, StagedFile]]]
    ) -> None:
        """Find the sources of a file and its further sheets. Raises Unreadable where it cannot be taken in."""
        found = recognise(export, self.sources, file.wanted_source)
        file.source_name = found[0][0].name
        for source, tables in found:
            for table in tables:
                table.positions(source.all_columns)
            file.needs += [one for one in missing_given(source, export, tables) if one not in file.needs]
        if file.needs:
            raise Unreadable("needs_given", _ask_for(file.needs))
        if found[0][0].known_at and file.known_at_origin == "now":
            file.known_at_origin = "source"
        for source, tables in found:
            staged = StagedFile(
                number, file.load_id, export, tables, file.known_at, file.known_at_origin == "given",
                file.looked.newlines, file.looked.has_nul,
            )  # fmt: skip
            for hidden in find_tables(export, source, hidden=True):
                staged.leave_out_sheet(hidden)
            file.staged.append(staged)
            groups.setdefault(source.name, []).append((file, staged))

    def _rank(self, source: Source) -> float:
        """Place in the order of loading: what others refer to comes first."""
        rank = self.kinds.index(source.records[0].kind.name)
        return max(rank, self.kinds.index("reference") + 0.5) if source.lookups else rank

    def _take_in_batch(self, source: Source, batch: list[tuple[Handed, StagedFile]]) -> None:
        staged = [part for _, part in batch]
        rows = self._rows_for(source, staged)
        try:
            is_fast = self._stage(rows, source, staged)
        except Unreadable as unreadable:
            for part in staged:
                part.rows_read = part.rows_refused = 0
                part.refusals.clear()
            if len(batch) == 1:
                batch[0][0].refusal = unreadable
                batch[0][0].staged.remove(batch[0][1])
                return
            # One file of the batch cannot be read to its end; by themselves the others can.
            for one in batch:
                self._take_in_batch(source, [one])
            return
        self.rows_done += sum(one.rows_read for one in staged)
        self.progress(source.name, self.rows_done, 0)
        connection = self.connection
        connection.execute("delete from row_refusal")
        connection.execute(
            """insert into row_refusal
            select table_no, row_no, variant, lookup, code, 'unknown_reference',
                '''' || code || ''' is in no export that tells of a ' || replace(register, '_', ' ') || ' and was loaded; load that one too, in any order.',
                null, true from unknown_reference"""
        )
        connection.execute(
            "create or replace temp table row_changed (table_no integer, row_no bigint, variant integer, is_change boolean)"
        )
        connection.execute("create or replace temp table place as select table_no, file_no, load_id from staged_table")
        is_single = len(source.records) == 1
        has_answers = False
        previews: list[tuple[str, list[str], list[tuple[Any, ...]]]] = []
        for record in source.records:
            reader = make_reader(connection, source, self.loaded_at)
            if record.kind.name == "answer":
                resolution = answers.resolve(connection, rows, source, record, reader)
                answers.load_answers(connection, rows, source, resolution, is_fast, record.counts_worst)
                has_answers = True
                if self.has_previews:
                    previews.append(("answer", *preview_answers(connection)))
                if not is_single:
                    connection.execute(
                        "insert into row_changed select table_no, row_no, variant, false from resolved_answer "
                        "where is_good and is_fresh"
                    )
                continue
            load_statements(connection, source, record, reader)
            self._derive(record.kind.name)
            if record.kind.name == "entity" and refuse_overlaps(connection):
                self._derive("entity")
            self._count_changes(record.kind)
            if self.has_previews:
                previews.append((record.kind.name, *preview_statements(connection, record)))
        self._refuse_rows(rows, source, staged)
        if has_answers and self._restate(rows):
            connection.execute(
                """create or replace temp table told_of as
                select inspection_id, load_id from fct_inspection i
                where load_id in (select load_id from place) and not exists (
                    select 1 from stm_inspection b
                    where b.load_id not in (select load_id from place) and b.inspection_id = i.inspection_id
                        and b.known_at = i.known_from and b.source_name = i.source_name
                        and (b.performed_on, b.submitted_on, b.reference_on)
                            is not distinct from (i.performed_on, i.submitted_on, i.reference_on))"""
            )
            rows.execute(
                """insert into row_changed
                select table_no, row_no, variant, exists (
                    select 1 from fct_answer b where b.inspection_id = s.inspection_id and b.item_id = s.item_id
                        and b.load_id <> s.load_id)
                from said_now s
                where exists (select 1 from told_of i where i.inspection_id = s.inspection_id and i.load_id = s.load_id)
                    or (exists (select 1 from fct_answer a where a.inspection_id = s.inspection_id
                            and a.item_id = s.item_id and a.load_id = s.load_id and a.row_no = s.row_no)
                        and not exists (select 1 from said b
                            where b.load_id not in (select load_id from place) and b.inspection_id = s.inspection_id
                                and b.item_id = s.item_id and b.known_at = s.known_at
                                and (b.verdict, b.score, b.answer, b.written_score, b.comment, b.has_evidence)
                                    is not distinct from
                                    (s.verdict, s.score, s.answer, s.written_score, s.comment, s.has_evidence)))"""
            )
        if has_answers:
            hand_over(connection, rows, "said_now")
        told = "said_now" if is_single and has_answers else "told" if is_single else "told_row"
        if not is_single:
            connection.execute(
                """create or replace temp table told_row as select table_no, row_no, variant from kept_row
                anti join (select table_no, row_no, variant from row_refusal where is_row_refused)
                using (table_no, row_no, variant)"""
            )
        self._count(batch, told)
        self._keep_previews(batch, previews)
        if rows is self.spark:
            self.spark.take_back()

    def _rows_for(self, source: Source, staged: list[StagedFile]) -> Rows:
        """Where the answers of these files are worked on. Raises SourceProblem."""
        has_answers = any(record.kind.name == "answer" for record in source.records)
        if self.spark is None:
            if self.is_outside and has_answers:
                raise SourceProblem(
                    f"{staged[0].export.name} holds answers, and those of this home lie outside the build, where Spark writes "
                    "them. Nothing was published: run the same command with --engine spark. python -m etl rebuild takes the "
                    "answers into the build again."
                )
            return self.connection
        if has_answers and (self.is_outside or runs_on_spark(source, staged)):
            return self.spark
        self.spark.forget_answers()
        return self.connection

    def _is_staged_on_spark(self, source: Source, staged: list[StagedFile]) -> bool:
        """Whether Spark reads the file; where answers lie outside, it works on those of every file. Raises SourceProblem."""
        try:
            return self.spark is not None and runs_on_spark(source, staged)
        except SourceProblem:
            if not self.is_outside:
                raise
            return False

    def _stage(self, rows: Rows, source: Source, staged: list[StagedFile]) -> bool:
        if rows is self.spark and self._is_staged_on_spark(source, staged):
            stage_on_spark(self.connection, self.spark, source, staged[0])
            return True
        return stage(self.connection, source, staged, self.scratch)

    def _count_changes(self, kind: RecordKind) -> None:
        """Note which rows of `told` made a difference, and which of them replaced what was known."""
        keys = " and ".join(f"f.{key.name} is not distinct from t.{key.name}" for key in kind.keys)
        alike = " and ".join(f"f.{field.name} is not distinct from t.{field.name}" for field in kind.fields)
        # Of two loads that say the same from the same moment on, either may stand in the tables: the first told it.
        self.connection.execute(
            f"""insert into row_changed
            select table_no, row_no, variant, exists (
                select 1 from folded f where f.load_id <> t.load_id and f.known_from <= t.known_at and {keys})
            from told t where exists (select 1 from folded f where f.load_id = t.load_id and {keys})
                and not exists (select 1 from stm_{kind.name} f
                    where f.load_id not in (select load_id from place) and f.known_at = t.known_at and {alike})"""
        )

    def _count(self, batch: list[tuple[Handed, StagedFile]], rows: str) -> None:
        """Settle how many of the good rows told something new, replaced what was known, or told nothing new."""
        counted = self.connection.execute(
            f"""select file_no, count(*) filter (where is_change is null), count(*) filter (where is_change) from (
                select r.table_no, bool_or(c.is_change) as is_change
                from (select distinct table_no, row_no, variant from {rows}) r
                left join row_changed c using (table_no, row_no, variant)
                group by r.table_no, r.row_no, r.variant
            ) join place using (table_no) group by file_no"""
        ).fetchall()
        found = {row[0]: row[1:] for row in counted}
        for _, part in batch:
            unchanged, part.rows_changed = found.get(part.file_no, (0, 0))
            part.rows_loaded = part.rows_read - part.rows_refused - unchanged

    def _keep_previews(
        self, batch: list[tuple[Handed, StagedFile]], previews: list[tuple[str, list[str], list[tuple[Any, ...]]]]
    ) -> None:
        """Hand the first rows that were understood and not refused to their files."""
        if not previews:
            return
        refused = set(
            self.connection.execute(
                "select table_no, row_no, variant from row_refusal where is_row_refused limit 100000"
            ).fetchall()
        )
        files = dict(self.connection.execute("select table_no, file_no from place").fetchall())
        by_number = {part.file_no: file for file, part in batch}
        for kind, columns, rows in previews:
            shown: dict[int, list[list[str | None]]] = {}
            for row in rows:
                mine = shown.setdefault(files[row[0]], [])
                if row[:3] not in refused and len(mine) < PREVIEW_ROWS:
                    mine.append([None if cell is None else str(cell) for cell in row[3:]])
            for number, found in shown.items():
                if found:
                    by_number[number].previews.append(Preview(kind, columns, found))

    def _derive(self, kind: str) -> None:
        fold(self.connection, kind)
        if kind in ("item", "lineage"):
            run_model(self.connection, "item_order")
        if kind == "item":
            self.connection.execute(
                "insert into touched_checklist select distinct checklist_code, checklist_version from told"
            )
        if kind in ("entity", "item", "finding", "reference"):
            self.masters_changed = True

    def _refuse_rows(self, rows: Rows, source: Source, staged: list[StagedFile]) -> None:
        """Turn `row_refusal` into refusals that a sender can act on, and count the rows refused and skipped."""
        connection = self.connection
        keys = [column.key for column in source.columns]
        keys += [key for key, _ in source.unpivot.columns] + [source.unpivot.key] if source.unpivot else []
        if len(source.records) > 1:
            connection.execute(
                "create or replace temp table kept_row as select table_no, row_no, variant from data_row"
            )
        # What was refused for itself is not told again for what refers to it.
        connection.execute(
            """delete from row_refusal where reason_code = 'unknown_finding' and exists (
                select 1 from row_refusal o where o.table_no = row_refusal.table_no and o.row_no = row_refusal.row_no
                    and o.variant = row_refusal.variant and o.is_row_refused and o.reason_code <> 'unknown_finding')"""
        )
        if self._one("select count(*) from row_refusal") == (0,):
            return
        if rows is self.spark:
            self.spark.hand_over(
                "cell_row",
                "exists (select 1 from row_refusal r where r.table_no = cell_row.table_no and r.row_no = cell_row.row_no "
                "and r.variant = cell_row.variant)",
            )
        parts = ", ".join(f"'{key}': d.{key}" for key in keys)
        text = f"to_json({{{parts}}})::varchar" if keys else "null"
        expressions = {name: text for record in source.records for name, text in record.expressions.items()}
        expressions |= {one.key: one.code for one in source.lookups}
        expressions["known_at"] = source.known_at or "known_at"
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
            join cell_row d on d.table_no = r.table_no and d.row_no = r.row_no and d.variant = r.variant"""
        )
        by_number = {one.file_no: one for one in staged}
        counted = connection.execute(
            """select file_no, count(*) from (
                select distinct table_no, row_no, variant from row_refusal where is_row_refused
            ) join place using (table_no) group by file_no"""
        ).fetchall()
        for file_no, count in counted:
            by_number[file_no].rows_refused += count

    def _restate(self, rows: Rows) -> bool:
        """Give what was said about inspections already known its place in their history; false if nothing was."""
        if rows.execute("select count(*) from said_now").fetchone() == (0,):
            return False
        answers.begin_restating(rows)
        for load_id in answers.later_loads(self.connection, rows):
            name, archived, source_name, known_at, origin, given = self._one(
                "select file_name, archive_path, source_name, known_at, known_at_origin, given from load where load_id = ?",
                [load_id],
            )
            export = Export(self.home.archive / archived, name, read_given(given))
            for source, tables in recognise(export, self.sources, source_name):
                self._hear_again(rows, load_id, export, source, tables, str(known_at), origin)
            export.forget()
        answers.restate(rows)
        return True

    def _hear_again(
        self, rows: Rows, load_id: int, export: Export, source: Source, tables: list[Table], known_at: str, origin: str
    ) -> None:
        spoken = [record for record in source.records if record.kind.name == "answer"]
        if not spoken:
            return
        looked = fingerprint(export.path)
        again = StagedFile(0, load_id, export, tables, known_at, origin == "given", looked.newlines, looked.has_nul)
        # A file that Spark does not read is heard where the build is, whoever restates.
        here = rows if rows is self.spark and self._is_staged_on_spark(source, [again]) else self.connection
        self._stage(here, source, [again])
        for record in spoken:
            reader = make_reader(self.connection, source, self.loaded_at)
            resolution = answers.resolve(self.connection, here, source, record, reader)
            answers.hear_again(self.connection, here, rows, resolution)

    # --- the log -------------------------------------------------------------------------------

    def _record(self, files: list[Handed]) -> None:
        """Write the log of these loads, in place of what it said before."""
        rows = []
        for file in files:
            counts = [file.count(f"rows_{what}") for what in ("read", "loaded", "unchanged", "refused", "skipped")]
            rows.append(
                [
                    file.load_id, file.load_no, file.name, file.looked.sha256, file.byte_count,
                    file.source_name if file.staged else None, file.archive_path,
                    datetime.fromisoformat(file.loaded_at), datetime.fromisoformat(file.known_at), file.known_at_origin,
                    json.dumps(file.given, sort_keys=True) if file.given else None, *counts,
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
        for part in file.staged:
            if part.refusals:
                fill(connection, "refusal", part.refusals)

    def write_refused(self, files: list[Handed], folder: Path) -> dict[int, str]:
        """Write the refused rows of each file as a workbook to mend; paths by load id."""
        taken: set[Path] = set()
        written = {file.load_id: write_refused(self.connection, file, self.sources, folder, taken) for file in files}
        return {load_id: str(path) for load_id, path in written.items() if path}

    def pending(self) -> list[Handed]:
        """Earlier loads with rows refused for want of a master: once masters change they are read again."""
        if not self.masters_changed:
            return []
        rows = self.connection.execute(
            """select distinct load_id, load_no, file_name, sha256, byte_count, archive_path, known_at, known_at_origin, loaded_at,
                source_name, given
            from load semi join refusal r on r.load_id = load.load_id and r.reason_code in (select unnest(?))
            order by load_no""",
            [list(PENDING)],
        ).fetchall()
        files = []
        for load_id, load_no, name, _, size, archived, known_at, origin, loaded_at, source_name, given in rows:
            path = self.home.archive / archived
            file = Handed(
                path, name, fingerprint(path), size, load_id, load_no, archived, str(known_at), origin, str(loaded_at),
                read_given(given),
            )  # fmt: skip
            file.wanted_source, file.is_again = source_name, True
            files.append(file)
        return files

    def finish(self) -> None:
        """Derive pairs and cubes of what was touched, and hold every invariant against it."""
        connection = self.connection
        rows: Rows = self.spark or connection
        run_model(rows, "cube_item")
        connection.execute(
            """insert into touched_inspection
            select distinct inspection_id, false from fct_inspection
            semi join touched_checklist using (checklist_code, checklist_version)
            where inspection_id not in (select inspection_id from touched_inspection)"""
        )
        run_model(rows, "fct_pair")
        run_model(rows, "cubes")
        run_model(connection, "cube_plan")
        run_checks(rows if self.is_outside else connection)
        if self.spark:
            self.spark.settle_outside()


def read_given(text: str | None) -> dict[str, str]:
    """What a person gave for a file, as the log keeps it."""
    given: dict[str, str] = json.loads(text) if text else {}
    return given


def _ask_for(needs: list[str]) -> str:
    words = {"entity": ("entity it is about", "--entity CODE"), "period": ("period it is about", "--period FY2025-H1")}
    what = " and the ".join(words[need][0] for need in needs)
    how = " ".join(words[need][1] for need in needs)
    return f"Neither the file's name nor its contents say the {what}. Give it on the Import page, or with {how}."


def _batches(source: Source, files: list[tuple[Handed, StagedFile]]) -> Iterator[list[tuple[Handed, StagedFile]]]:
    """Small files together, so that each statement serves many of them; big files and Parquet alone."""
    batch: list[tuple[Handed, StagedFile]] = []
    size = 0
    for one in files:
        file = one[0]
        if source.format == "parquet" or file.byte_count >= BIG_BYTES:
            yield [one]
            continue
        if size + file.byte_count > BATCH_BYTES and batch:
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += file.byte_count
    if batch:
        yield batch
