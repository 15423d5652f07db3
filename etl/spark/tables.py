"""Tables on Spark beside the build: the statements that DuckDB takes, over Parquet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow.parquet as pq

from etl.outside import FILE_BYTES, GROUP_ROWS, KEPT, FactFiles
from etl.rows import StatementProblem

SPARK_TYPES: Final = {
    "BIGINT": "bigint", "INTEGER": "int", "DOUBLE": "double", "VARCHAR": "string", "BOOLEAN": "boolean", "DATE": "date",
    "TIMESTAMP": "timestamp_ntz",
}  # fmt: skip
_CREATE = re.compile(r"\s*create (?:or replace )?temp (table|view) (\w+) as\s+(.*)", re.DOTALL | re.IGNORECASE)
_INSERT = re.compile(r"\s*insert into (\w+)( by name)?\s+((?:select|with)\b.*)", re.DOTALL | re.IGNORECASE)
_DELETE = re.compile(r"\s*delete from (\w+)\s+where\s+(.*)", re.DOTALL | re.IGNORECASE)
_DROP = re.compile(r"\s*drop (?:table|view) (?:if exists )?(\w+)\s*", re.IGNORECASE)
_READS = re.compile(r"\b(?:from|join)\s+([a-z_]\w*)", re.IGNORECASE)
_UNNEST = re.compile(r"select unnest\(\$(\w+)\)", re.IGNORECASE)
_NAMED = re.compile(r"\$(\w+)")


@dataclass(slots=True)
class Result:
    """The rows that a statement gave, in the manner of a DuckDB connection."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row; None after the last."""
        return self.rows.pop(0) if self.rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Every row that is left."""
        rows, self.rows = self.rows, []
        return rows


def bind(sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None) -> tuple[str, Any]:
    """A statement and its parameters in Spark's spelling: `?` stays, `$x` is `:x`, a list is exploded."""
    # Spark takes a backslash in a literal for an escape, DuckDB for itself.
    sql = sql.replace("\\", "\\\\")
    if not isinstance(parameters, Mapping):
        return sql, list(parameters or [])
    sql = _NAMED.sub(r":\1", _UNNEST.sub(r"select explode(cast($\1 as array<string>))", sql))
    return sql, dict(parameters)


class SparkTables:
    """Takes the statements of the models for rows that are on Spark; their tables are folders of Parquet.

    What reads nothing that is on Spark runs in the build's connection, and a relation that Spark does not know is read from
    the build as it stands. Tables of KEPT stay on Spark between statements, because they are long. What is inserted into a
    table of the build, or deleted from it, is inserted and deleted there too, so that the build is whole after every
    statement; of a table outside the build the files are all there is.
    """

    def __init__(self, spark: Any, connection: duckdb.DuckDBPyConnection, scratch: Path, outside: FactFiles) -> None:
        self.spark = spark
        self.connection = connection
        self.scratch = scratch
        self.outside = outside
        self.parts: dict[str, list[Path]] = {}
        """Folders of each table on Spark; files of one that is outside the build."""
        self.views: set[str] = set()
        self.own: set[str] = set()
        """Relations that statements made here: no table of the build is meant by their names."""
        self.handed: set[str] = set()
        self._numbers = count()
        for name in outside.by_table:
            self._register_outside(name)

    # --- statements ----------------------------------------------------------------------------

    def execute(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> Result:
        """Run one statement; an insert or delete gives the number of its rows. Raises StatementProblem."""
        from pyspark.errors import PySparkException

        try:
            return self._execute(query, parameters)
        except PySparkException as error:
            raise StatementProblem(str(error).split("\n\nJVM stacktrace")[0]) from error

    def _execute(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] | None) -> Result:
        if match := _CREATE.fullmatch(query):
            kind, name, select = match.groups()
            if not self._is_here(select):
                self._forget(name)
                self.connection.execute(query, parameters)
                return Result()
            frame = self._select(select, parameters)
            self._forget(name)
            self.own.add(name)
            if kind.lower() == "view":
                self.define_view(name, frame)
            else:
                self.parts[name] = [self._write(frame)]
                self._register(name)
            return Result()
        if match := _INSERT.fullmatch(query):
            if not self._is_here(query) and match[1] not in self.own and match[1] not in KEPT:
                self.connection.execute(query, parameters)
                return Result()
            return self._insert(match[1], self._select(match[3], parameters), bool(match[2]))
        if match := _DELETE.fullmatch(query):
            return self._delete(match[1], match[2])
        if match := _DROP.fullmatch(query):
            if match[1] not in self.own:
                self.connection.execute(query)
            self._forget(match[1])
            return Result()
        if not self._is_here(query):
            return Result(self.connection.execute(query, parameters).fetchall())
        return Result([tuple(row) for row in self._select(query, parameters).collect()])

    def _is_here(self, sql: str) -> bool:
        """Whether a statement reads anything that is on Spark: what does not runs in the build's connection."""
        return any(name in self.own or name in KEPT for name in _READS.findall(sql))

    def _select(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> Any:
        for name in dict.fromkeys(_READS.findall(sql)):
            self._read_in(name)
        text, bound = bind(sql, parameters)
        return self.spark.sql(text, args=bound) if bound else self.spark.sql(text)

    def _insert(self, name: str, frame: Any, by_name: bool) -> Result:
        schema = self._schema(name)
        if schema is None:
            columns = self.spark.table(name).columns
            part = self._write(frame.select(*columns) if by_name else frame.toDF(*columns))
            self.parts[name].append(part)
            self._register(name)
            return Result([(_count_rows([part]),)])
        if not by_name:
            frame = frame.toDF(*schema)
        # By name, a column that is left out is null.
        columns = [
            f"cast({f'`{column}`' if column in frame.columns else 'null'} as {kind}) as `{column}`"
            for column, kind in schema.items()
        ]
        if name in KEPT:
            self._read_in(name)
        if name in self.outside.by_table:
            return Result([(self._insert_outside(name, frame.selectExpr(*columns)),)])
        part = self._write(frame.selectExpr(*columns))
        inserted = _count_rows([part])
        if inserted:
            self.connection.execute(f"insert into {name} by name select * from read_parquet(?)", [_files([part])])
        if name in self.parts:
            self.parts[name].append(part)
            self._register(name)
        return Result([(inserted,)])

    def _insert_outside(self, name: str, frame: Any) -> int:
        inserted = self.outside.add(name, self._write_outside(name, frame))
        if inserted:
            self._register_outside(name)
        return inserted

    def _delete_outside(self, name: str, condition: str) -> int:
        """Write the files in which the condition holds anew, without its rows; returns how many these were."""
        rows = self._read(self.parts[name], name).selectExpr("*", "_metadata.file_path as path_of_row")
        rows.createOrReplaceTempView("part_of_table")
        condition = re.sub(rf"\b{name}\.", "part_of_table.", condition)
        found = self._select(
            f"select path_of_row, count(*) from part_of_table where {condition} group by path_of_row"
        ).collect()
        if not found:
            return 0
        # Folder and file are plain names, whatever the path to them is made of.
        places = {tuple(path.split("/")[-2:]) for path, _ in found}
        old = [path for path in self.parts[name] if path.parts[-2:] in places]
        self._read(old, name).createOrReplaceTempView("part_of_table")
        left = self._select(f"select * from part_of_table where not coalesce({condition}, false)")
        self.outside.replace(name, old, self._write_outside(name, left))
        self._register_outside(name)
        return sum(rows for _, rows in found)

    def _delete(self, name: str, condition: str) -> Result:
        if name in self.outside.by_table:
            return Result([(self._delete_outside(name, condition),)])
        deleted = 0
        if self._schema(name) is not None:
            for read in dict.fromkeys(_READS.findall(condition)):
                if read in self.parts and read not in KEPT:
                    self.hand_over(read)
            ((deleted,),) = self.connection.execute(f"delete from {name} where {condition}").fetchall()
            if not deleted:
                return Result([(0,)])
        if name in self.parts:
            kept = []
            for part in self.parts[name]:
                self._read(part, name).createOrReplaceTempView("part_of_table")
                condition_here = re.sub(rf"\b{name}\.", "part_of_table.", condition)
                found = self._select(f"select count(*) from part_of_table where {condition_here}").collect()[0][0]
                if found:
                    left = self._select(f"select * from part_of_table where not coalesce({condition_here}, false)")
                    part = self._write(left)
                kept.append(part)
            self.parts[name] = kept
            self._register(name)
        return Result([(deleted,)])

    # --- between Spark and the build -----------------------------------------------------------

    def hand_over(self, name: str, where: str = "true") -> None:
        """Make a table or view of Spark a temporary table of the build's connection, as far as the condition holds."""
        if name not in self.own:
            return
        is_whole = name in self.parts and where == "true"
        parts = self.parts[name] if is_whole else [self._write(self._select(f"select * from {name} where {where}"))]
        self.connection.execute(
            f"create or replace temp table {name} as select * from read_parquet(?)",
            [_files(parts)],
        )
        self.handed.add(name)

    def take_back(self) -> None:
        """Drop from the build's connection what was handed over, and what only the last file needed."""
        for name in self.handed:
            self.connection.execute(f"drop table if exists temp.{name}")
        self.handed.clear()
        for name in list(self.own):
            if name not in KEPT:
                self._forget(name)

    def forget_answers(self) -> None:
        """Read the long tables of the build anew: another engine wrote to them."""
        for name in KEPT:
            if name not in self.outside.by_table:
                self._forget(name)

    def define_view(self, name: str, frame: Any) -> None:
        """Give a frame a name that statements may read."""
        frame.createOrReplaceTempView(name)
        self.views.add(name)
        self.own.add(name)

    def _read_in(self, name: str) -> None:
        """Make a relation of the build readable on Spark, where it is none of Spark's own."""
        if name in self.parts or name in self.views:
            return
        schema = self._schema(name)
        if schema is None:
            return
        part = self.scratch / f"read-{next(self._numbers):05d}-{name}"
        part.mkdir(parents=True)
        self.connection.execute(
            f"copy (select * from {name}) to '{str(part / 'rows.parquet').replace(chr(39), chr(39) * 2)}' (format parquet)"
        )
        self._read(part, name).createOrReplaceTempView(name)
        if name in KEPT:
            self.parts[name] = [part]

    def _schema(self, name: str) -> dict[str, str] | None:
        """Columns of a relation of the build with Spark's types; None where the build has no such relation."""
        rows = self.connection.execute(
            "select column_name, data_type from duckdb_columns() where table_name = ? and database_name <> 'system' order by column_index",
            [name],
        ).fetchall()
        if not rows or name in self.own:
            return None
        return {column: SPARK_TYPES[kind] for column, kind in rows}

    def link(self, path: Path) -> Path:
        """A name without signs that Spark would take for a pattern, for a file of somebody else."""
        link = self.scratch / f"file-{next(self._numbers):05d}.parquet"
        link.symlink_to(path.absolute())
        return link

    def read_parquet(self, paths: Iterable[Path], schema: Mapping[str, str] | None = None) -> Any:
        """A frame of files or folders of Parquet."""
        reader = self.spark.read.option("__globPaths__", "false")
        if schema is not None:
            reader = reader.schema(", ".join(f"`{column}` {kind}" for column, kind in schema.items()))
        return reader.parquet(*(f"file:{path.absolute()}" for path in paths))

    # --- folders -------------------------------------------------------------------------------

    def _write(self, frame: Any) -> Path:
        part = self.scratch / f"part-{next(self._numbers):05d}"
        frame.write.parquet(f"file:{part.absolute()}")
        return part

    def _write_outside(self, name: str, frame: Any) -> Path:
        part = self.outside.name_part()
        writer = frame.sortWithinPartitions(*KEPT[name]).write.option("parquet.block.row.count.limit", GROUP_ROWS)
        writer.parquet(f"file:{part.absolute()}")
        return part

    def _read(self, part: Path | Iterable[Path], name: str) -> Any:
        return self.read_parquet([part] if isinstance(part, Path) else part, self._schema(name))

    def _register(self, name: str) -> None:
        self._read(self.parts[name], name).createOrReplaceTempView(name)

    def _register_outside(self, name: str) -> None:
        self.parts[name] = list(self.outside.by_table[name])
        self._register(name)

    def settle_outside(self) -> None:
        """Write small files of tables outside together where they have become many, and all files down in the build."""
        for name in self.outside.by_table:
            small = self.outside.list_to_merge(name)
            if small:
                files = 1 + sum(path.stat().st_size for path in small) // FILE_BYTES
                rows = self._read(small, name).coalesce(files)
                self.outside.replace(name, small, self._write_outside(name, rows))
                self._register_outside(name)
        if self.outside.by_table:
            self.outside.settle(self.connection)

    def _forget(self, name: str) -> None:
        self.parts.pop(name, None)
        self.views.discard(name)
        self.own.discard(name)
        self.spark.catalog.dropTempView(name)


def _files(parts: Iterable[Path]) -> list[str]:
    return [str(file) for part in parts for file in sorted(part.glob("*.parquet"))]


def _count_rows(parts: Iterable[Path]) -> int:
    return sum(pq.read_metadata(file).num_rows for part in parts for file in part.glob("*.parquet"))
