"""Raw text rows of one source, staged in DuckDB with the file, sheet and row they come from."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa

from etl.cells import Row, Unreadable
from etl.parsing import MOST_COLUMNS
from etl.schema import record_kinds
from etl.sources import Lookup, Source, SourceProblem
from etl.tables import CELL_LIMIT, Export, Table, capture, codec_of, column_letter
from etl.values import normalise_heading

BIG_BYTES = 2 << 20
CHUNK_ROWS = 100_000
CHUNK_CHARACTERS = 1 << 25
"""Characters held before rows go to disk, however few the rows are."""
LINE_LIMIT = 1 << 24
"""Characters that a line of a text file may have."""
UNDECODABLE = "\ufffd"
NUL = "\0"


@dataclass(slots=True)
class StagedFile:
    """A file on its way: what it is, when its contents became known, and what became of its rows."""

    file_no: int
    load_id: int
    export: Export
    tables: list[Table]
    known_at: str
    is_known_at_given: bool = False
    newlines: int | None = None
    has_nul: bool = False
    rows_read: int = 0
    rows_loaded: int = 0
    rows_changed: int = 0
    rows_refused: int = 0
    rows_skipped: int = 0
    refusals: list[tuple[object, ...]] = field(default_factory=list)

    @property
    def rows_unchanged(self) -> int:
        """Rows that told what was already known."""
        return self.rows_read - self.rows_loaded - self.rows_refused

    def leave_out_sheet(self, table: Table) -> None:
        """Tell that a hidden sheet was not read."""
        reason = f"The sheet '{table.sheet}' is hidden, so it was not read. Unhide it to have it read, or delete it."
        self.refusals.append((self.load_id, table.sheet, None, None, None, "hidden_sheet", reason, None, False, None))

    def refuse_row(self, table: Table, row_no: int, code: str, reason: str, row: Row) -> None:
        """Refuse a row that cannot even be staged; it counts as read."""
        self.rows_read += 1
        self.rows_refused += 1
        text = " | ".join(cell or "" for cell in row)[:2000]
        self.refusals.append((self.load_id, table.sheet, row_no, None, None, code, reason, None, True, text))


def stage(connection: duckdb.DuckDBPyConnection, source: Source, files: list[StagedFile], scratch: Path) -> bool:
    """Stage the files of one source as the temporary relations `staged_table` and `data_row`; true if by the fast path.

    `data_row` has table_no, row_no, variant (the position of the unpivoted value), file_name, sheet, every column,
    capture and constant of the source. Raises Unreadable when a file as a whole cannot be staged.
    """
    prepare_staging(connection)
    # A transaction can write to one database only, and the rows go to a scratch file, where they are compressed.
    connection.execute("commit")
    try:
        connection.execute("drop table if exists scratch.staged_text")
        # The fast path knows the row of a file by its place in the table.
        connection.execute("set preserve_insertion_order = true")
        is_fast = len(files) == 1 and _stage_fast(connection, source, files[0], scratch)
        if not is_fast:
            _stage_exact(connection, source, files)
    finally:
        connection.execute("set preserve_insertion_order = false")
        connection.execute("begin")
    stage_tables(connection, source, files)
    if source.lookups:
        connection.execute(_newest_references())
    connection.execute(f"create temp view cell_row as {_cells(source)}")
    left_out = _left_out(source)
    needed = [one for one in source.lookups if not one.is_optional]
    conditions = [f"not coalesce({left_out}, false)"] if left_out else []
    kept = " and ".join([*conditions, *(f"not ({_is_unknown(one)})" for one in needed)])
    skip = f"where {kept}" if kept else ""
    try:
        if is_fast:
            connection.execute(f"create temp view data_row as select * from cell_row {skip}")
        else:
            connection.execute(f"create temp table data_row_kept as select * from cell_row {skip}")
            connection.execute("create temp view data_row as select * from data_row_kept")
    except duckdb.Error as error:
        places = {f"lookup.{one.key}.code": one.code for one in source.lookups}
        places |= {"read.skip_when": source.skip_when or ""}
        places |= {f"record.when ({record.kind.name})": record.when or "" for record in source.records}
        told = ", ".join(f'{place} = "{text}"' for place, text in places.items() if text)
        raise SourceProblem(f"{source.name}.toml: one of {told} fails: {error}") from error
    set_unknown_apart(connection, needed, conditions)
    counted = "select file_no, count(*) from {} join staged_table using (table_no) group by file_no"
    kept_rows = dict(connection.execute(counted.format("data_row")).fetchall())
    unknown_rows = "(select distinct table_no, row_no, variant from unknown_reference)"
    unknown = dict(connection.execute(counted.format(unknown_rows)).fetchall())
    every = dict(connection.execute(counted.format("cell_row")).fetchall()) if left_out else None
    for file in files:
        read = kept_rows.get(file.file_no, 0) + unknown.get(file.file_no, 0)
        file.rows_read += read
        file.rows_skipped = every.get(file.file_no, 0) - read if every is not None else 0
    return is_fast


def prepare_staging(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop what staging earlier files has left."""
    for relation in ("data_row", "cell_row", "staged_row", "reference_now"):
        connection.execute(f"drop view if exists {relation}")
    for relation in ("data_row_kept", "staged_table"):
        connection.execute(f"drop table if exists {relation}")


def make_cells(source: Source) -> tuple[str, str]:
    """SQL of every row of `staged_row` with all names that expressions may use, and of the condition that keeps data."""
    left_out = _left_out(source)
    return _plain_cells(source), f"where not coalesce({left_out}, false)" if left_out else ""


def _is_unknown(lookup: Lookup) -> str:
    """SQL true of rows whose code no other export has told of."""
    return f"nullif(trim(({lookup.code})::varchar), '') is not null and {lookup.key}.code is null"


def set_unknown_apart(connection: duckdb.DuckDBPyConnection, needed: list[Lookup], conditions: list[str]) -> None:
    """Make `unknown_reference`: the rows of `cell_row` that refer to what no other export has told of."""
    connection.execute(
        "create or replace temp table unknown_reference (table_no integer, row_no bigint, variant integer, "
        "lookup varchar, code varchar, register varchar)"
    )
    for one in needed:
        where = " and ".join([*conditions, f"({_is_unknown(one)})"])
        connection.execute(
            f"insert into unknown_reference select table_no, row_no, variant, '{one.key}', trim(({one.code})::varchar), ? "
            f"from cell_row where {where}",
            [one.register],
        )


# --- the fast path: DuckDB reads the file itself --------------------------------------------------


def _stage_fast(connection: duckdb.DuckDBPyConnection, source: Source, file: StagedFile, scratch: Path) -> bool:
    """Let DuckDB read a big file; false where it could not be exact, so that the exact path must."""
    export = file.export
    if source.format == "parquet":
        positions = file.tables[0].positions(source.all_columns)
        columns = ", ".join(
            f'"{_identifier(file.tables[0].heading[positions[column.key]])}"::varchar as {column.key}'
            if column.key in positions
            else f"null::varchar as {column.key}"
            for column in source.all_columns
        )
        connection.execute(
            f"create table scratch.staged_text as select {columns} from read_parquet(?)", [str(export.path)]
        )
        connection.execute(_view_of_fast(source, first_row=1))
        return True
    if not export.is_text or source.stop_at or export.path.stat().st_size < BIG_BYTES or source.fill_down:
        return False
    table = file.tables[0]
    assert table.encoding
    path = export.path
    if file.has_nul and table.encoding != "utf-16":
        return False
    if table.encoding != "utf-8":
        path = scratch / "as-utf-8.csv"
        if not _transcode(export.path, path, table.encoding):
            path.unlink()
            return False
    positions = table.positions(source.all_columns)
    width = len(table.heading)
    columns = ", ".join(
        f"c{positions[column.key]} as {column.key}" if column.key in positions else f"null::varchar as {column.key}"
        for column in source.all_columns
    )
    names = ", ".join(f"'c{position}': 'varchar'" for position in range(width))
    try:
        connection.execute(
            f"""create table scratch.staged_text as select {columns} from read_csv(
                ?, columns = {{{names}}}, auto_detect = false, delim = ?, quote = '"', escape = '"', header = false,
                skip = ?, nullstr = '', strict_mode = true, null_padding = false, max_line_size = {CELL_LIMIT * 4})""",
            [str(path), source.delimiter, table.heading_row],
        )
    except duckdb.Error:
        return False
    finally:
        if path != export.path:
            path.unlink()
    staged = connection.execute("select count(*) from scratch.staged_text").fetchone()
    assert staged
    # One line per row is what makes the row number of a refusal exact; anything else goes the exact way.
    if file.newlines is None or file.newlines - table.heading_row not in (staged[0], staged[0] - 1):
        connection.execute("drop table scratch.staged_text")
        return False
    connection.execute(_view_of_fast(source, first_row=table.heading_row + 1))
    return True


def _view_of_fast(source: Source, first_row: int) -> str:
    keys = "".join(f", {column.key}" for column in source.all_columns)
    return f"create temp view staged_row as select 0 as table_no, rowid + {first_row} as row_no{keys} from scratch.staged_text"


def _transcode(path: Path, target: Path, encoding: str) -> bool:
    """Write the file as UTF-8; false where some of it is no text of that encoding, so that the exact path must tell."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        with path.open("rb") as file, target.open("w", encoding="utf-8", newline="") as out:
            while block := file.read(1 << 22):
                out.write(decoder.decode(block))
            out.write(decoder.decode(b"", True))
    except UnicodeError:
        return False
    return True


def _identifier(name: str) -> str:
    return name.replace('"', '""')


# --- the exact path: Python reads every row -------------------------------------------------------


def _stage_exact(connection: duckdb.DuckDBPyConnection, source: Source, files: list[StagedFile]) -> None:
    keys = [column.key for column in source.all_columns]
    declared = "".join(f", {key} varchar" for key in keys)
    connection.execute(f"create table scratch.staged_text (table_no integer, row_no bigint{declared})")
    connection.execute("create temp view staged_row as select * from scratch.staged_text")
    table_no = 0
    numbers: list[int] = []
    row_nos: list[int] = []
    texts: list[list[str | None]] = [[] for _ in keys]

    def flush() -> None:
        arrays = [
            pa.array(numbers, pa.int32()),
            pa.array(row_nos, pa.int64()),
            *(pa.array(t, pa.string()) for t in texts),
        ]
        chunk = pa.table(arrays, names=["table_no", "row_no", *keys])
        connection.register("staged_chunk", chunk)
        connection.execute("insert into scratch.staged_text select * from staged_chunk")
        connection.unregister("staged_chunk")
        numbers.clear()
        row_nos.clear()
        for column in texts:
            column.clear()

    size = 0
    for file in files:
        for table in file.tables:
            positions = table.positions(source.all_columns)
            places = [positions.get(key, -1) for key in keys]
            for row_no, row in _data_rows(source, file, table):
                width = len(row)
                numbers.append(table_no)
                row_nos.append(row_no)
                for column, place in zip(texts, places, strict=True):
                    text = row[place] if 0 <= place < width else None
                    column.append(text)
                    size += len(text) if text else 0
                if len(numbers) >= CHUNK_ROWS or size >= CHUNK_CHARACTERS:
                    flush()
                    size = 0
            table_no += 1
    flush()


def _data_rows(source: Source, file: StagedFile, table: Table) -> Iterator[tuple[int, Row]]:
    """Rows below the heading with their numbers; blank rows are left out, rows that cannot be right are refused."""
    stop = re.compile(source.stop_at) if source.stop_at else None
    width = len(table.heading)
    for row_no, row in rows_below(source, file.export, table):
        first = next((cell for cell in row if cell), None)
        if first is None:
            continue
        if stop and stop.search(first.strip()):
            return
        if len(row) > width and any(row[width:]):
            at = next(i for i in range(width, len(row)) if row[i])
            reason = (
                f"The row has {len(row)} cells where the heading has {width}: column {column_letter(at)} has no heading. "
                "A delimiter inside a text may lack its quotes."
            )
            file.refuse_row(table, row_no, "too_many_cells", reason, row)
        elif table.encoding and any(UNDECODABLE in cell for cell in row if cell):
            reason = f"The row holds bytes that are no {table.encoding} text. Save the file in that encoding again."
            file.refuse_row(table, row_no, "undecodable", reason, row)
        elif any(NUL in cell for cell in row if cell):
            reason = "The row holds characters without meaning (NUL): the file is damaged there. Export it again."
            file.refuse_row(table, row_no, "undecodable", reason, [cell and cell.replace(NUL, "␀") for cell in row])
        else:
            yield row_no, row


def rows_below(source: Source, export: Export, table: Table) -> Iterator[tuple[int, Row]]:
    """Rows below the heading of a table, each with its number from 1. Raises Unreadable."""
    if not export.is_text:
        path = None if export.mended_source else source.records_path
        yield from export.sheets(path)[table.sheet].rows(table.heading_row)
        return
    csv.field_size_limit(CELL_LIMIT)
    assert table.encoding
    row_no = 0
    with export.path.open(encoding=codec_of(table.encoding), errors="replace", newline="") as text:
        try:
            for row_no, cells in enumerate(csv.reader(_lines(text), delimiter=source.delimiter), start=1):
                if len(cells) > MOST_COLUMNS:
                    raise Unreadable(
                        "too_wide",
                        f"Row {row_no} has {len(cells):,} cells; the limit is {MOST_COLUMNS:,}. Export it again.",
                    )
                if row_no > table.heading_row:
                    yield row_no, [cell if cell and not cell.isspace() else None for cell in cells]
        except csv.Error as error:
            raise Unreadable(
                "broken_file", f"Row {row_no + 1} cannot be read: {error}. A quote may be open, or a cell is too long."
            ) from error
        except UnicodeError as error:
            raise Unreadable(
                "broken_file", f"The file is no {table.encoding} text from row {row_no + 1} on."
            ) from error


def _lines(text: io.TextIOBase) -> Iterator[str]:
    """Lines of a file, none of which can fill the memory. Raises Unreadable."""
    number = 0
    while line := text.readline(LINE_LIMIT):
        number += 1
        if len(line) == LINE_LIMIT and not line.endswith(("\n", "\r")):
            raise Unreadable(
                "broken_file",
                f"Line {number:,} is longer than {LINE_LIMIT >> 20} million characters, which no table has. Export it again.",
            )
        yield line


# --- captures, constants, fill-down, unpivot ------------------------------------------------------


def stage_tables(connection: duckdb.DuckDBPyConnection, source: Source, files: list[StagedFile]) -> None:
    """Make `staged_table`: the tables of the files, what was captured around them, and their loads."""
    keys = [one.key for one in source.captures]
    declared = "".join(f", {key} varchar" for key in keys)
    connection.execute(
        f"create temp table staged_table (table_no integer, file_no integer, load_id bigint, default_known_at timestamp, "
        f"is_known_at_given boolean, file_name varchar, sheet varchar{declared})"
    )
    table_no, rows = 0, []
    for file in files:
        for table in file.tables:
            around = table.above
            if any(one.place == "cell" for one in source.captures):
                around = [*table.above, *table.heading_rows]
            found = capture(source.captures, file.export, table, around)
            rows.append(
                [
                    table_no,
                    file.file_no,
                    file.load_id,
                    file.known_at,
                    file.is_known_at_given,
                    file.export.name,
                    table.sheet,
                ]
                + [found[key] for key in keys]
            )
            table_no += 1
    names = ["table_no", "file_no", "load_id", "known", "given", "file_name", "sheet", *keys]
    columns = list(zip(*rows, strict=True))
    types = [pa.int32(), pa.int32(), pa.int64(), pa.string(), pa.bool_(), *[pa.string()] * (len(keys) + 2)]
    connection.register("chunk", pa.table([pa.array(c, t) for c, t in zip(columns, types, strict=True)], names=names))
    connection.execute("insert into staged_table select * from chunk")
    connection.unregister("chunk")


def _cells(source: Source) -> str:
    """SQL of every row with all names that expressions may use."""
    if not source.lookups:
        return _plain_cells(source)
    names = "".join(f", {one.key}" for one in source.lookups)
    joins = " ".join(
        f"left join reference_now {one.key} on {one.key}.register = '{_literal(one.register)}' "
        f"and {one.key}.code = trim(({one.code})::varchar)"
        for one in source.lookups
    )
    return f"select plain.*{names} from ({_plain_cells(source)}) plain {joins}"


def _newest_references() -> str:
    """SQL of a view of what is known of each code that exports refer to: of every field the newest statement."""
    fields = record_kinds()["reference"].contents
    newest = ", ".join(
        f"max_by({field.name}, (known_at, load_id)) filter (where {field.name} is not null) as {field.name}"
        for field in fields
    )
    return (
        f"create temp view reference_now as select register, code, {newest} from stm_reference group by register, code"
    )


def _plain_cells(source: Source) -> str:
    """SQL of every row with its columns, captures and constants."""
    plain = [column.key for column in source.columns]
    outside = [f"t.{one.key}" for one in source.captures]
    outside += [f"'{_literal(text)}' as {key}" for key, text in source.constants.items()]
    fixed = "".join(f", {name}" for name in ["t.file_name", "t.sheet", *outside])
    if source.fill_down:
        columns = "".join(
            f", last_value({key} ignore nulls) over (partition by table_no order by row_no) as {key}"
            if key in source.fill_down
            else f", {key}"
            for key in (column.key for column in source.all_columns)
        )
        rows = f"(select table_no, row_no{columns} from staged_row)"
    else:
        rows = "staged_row"
    base = "".join(f", r.{key}" for key in plain)
    if source.unpivot is None:
        return (
            f"select r.table_no, r.row_no, 0 as variant{base}{fixed} from {rows} r join staged_table t using (table_no)"
        )
    parts = []
    for number, value in enumerate(source.unpivot.values):
        wide = "".join(f", r.{key}__{number} as {key}" for key, _ in source.unpivot.columns)
        parts.append(
            f"select r.table_no, r.row_no, {number} as variant{base}, '{_literal(value)}' as {source.unpivot.key}"
            f"{wide}{fixed} from {rows} r join staged_table t using (table_no)"
        )
    return " union all ".join(parts)


def _left_out(source: Source) -> str | None:
    """SQL that is true of rows that are no data: those the source skips, and those of which no record speaks."""
    parts = [f"({source.skip_when})"] if source.skip_when else []
    conditions = [record.when for record in source.records]
    if all(conditions):
        spoken = " or ".join(f"coalesce(({condition}), false)" for condition in conditions)
        parts.append(f"not ({spoken})")
    return f"({' or '.join(f'coalesce({part}, false)' for part in parts)})" if parts else None


def _literal(text: str) -> str:
    return text.replace("'", "''")


def heading_of(source: Source, expression: str, variant: int, table: Table) -> str:
    """The heading a person sees for an expression: that of the column it names, else the expression itself."""
    seen = {normalise_heading(text): text for text in table.heading}
    if source.unpivot:
        for key, heading in source.unpivot.columns:
            if re.search(rf"\b{key}\b", expression):
                return heading.replace("{}", source.unpivot.values[variant])
    for column in source.columns:
        if re.search(rf"\b{column.key}\b", expression):
            return next((seen[heading] for heading in column.headings if heading in seen), column.names[0])
    for lookup in source.lookups:
        if re.search(rf"\b{lookup.key}\.", expression):
            return heading_of(source, lookup.code, variant, table)
    return expression
