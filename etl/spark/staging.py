"""Rows of a Parquet file of answers, staged on Spark as DuckDB stages them."""

from __future__ import annotations

from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from etl.sources import Source
from etl.spark.expressions import hold_to_shared
from etl.spark.tables import SparkTables
from etl.staging import StagedFile, make_cells, prepare_staging, set_unknown_apart, stage_tables

WRITTEN_ALIKE: Final = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_integer,
    pa.types.is_date32,
    pa.types.is_boolean,
)
"""Kinds of columns whose values both engines write as the same text."""


def runs_on_spark(source: Source, files: list[StagedFile]) -> bool:
    """Whether the rows of these files can be staged on Spark: a Parquet file of answers and of nothing else.

    Raises SourceProblem where one of its expressions is not of the SQL that both engines read alike.
    """
    is_answers = [record.kind.name for record in source.records] == ["answer"]
    if source.format != "parquet" or not is_answers or source.lookups or source.fill_down or len(files) != 1:
        return False
    hold_to_shared(source)
    schema = pq.read_schema(files[0].export.path)
    wanted = _headings(source, files[0])
    return all(any(is_kind(schema.field(name).type) for is_kind in WRITTEN_ALIKE) for name in wanted.values())


def stage_on_spark(
    connection: duckdb.DuckDBPyConnection, tables: SparkTables, source: Source, file: StagedFile
) -> None:
    """Stage the file as `staged_table` in the build's connection and `cell_row` and `data_row` on Spark."""
    prepare_staging(connection)
    stage_tables(connection, source, [file])
    set_unknown_apart(connection, [], [])
    link = tables.link(file.export.path)
    headings = _headings(source, file)
    columns = [
        f"cast(`{headings[column.key].replace('`', '``')}` as string) as {column.key}"
        if column.key in headings
        else f"cast(null as string) as {column.key}"
        for column in source.all_columns
    ]
    rows: Any = tables.read_parquet([link])
    tables.define_view("staged_row", rows.selectExpr("0 as table_no", "_metadata.row_index + 1 as row_no", *columns))
    cells, kept = make_cells(source)
    tables.execute(f"create temp view cell_row as {cells}")
    tables.execute(f"create temp view data_row as select * from cell_row {kept}")
    every = pq.read_metadata(file.export.path).num_rows
    file.rows_read = every
    if kept:
        (file.rows_read,) = tables.execute("select count(*) from data_row").fetchone() or (0,)
    file.rows_skipped = every - file.rows_read


def _headings(source: Source, file: StagedFile) -> dict[str, str]:
    table = file.tables[0]
    return {key: table.heading[position] for key, position in table.positions(source.all_columns).items()}
