"""A Spark session that reads SQL as DuckDB does."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

HOW: Final = 'Install it with: pip install "pyspark>=4.3"; or load without --engine spark.'
SETTINGS: Final = {
    # As in DuckDB: a moment has no time zone, errors are errors, and "x" is a name.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.session.timeZone": "UTC",
    # What is written is read once or twice: speed before size.
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
QUIET: Final = f"-Dlog4j2.configurationFile=file:{Path(__file__).with_name('log4j2.properties').absolute()}"


class EngineMissing(ValueError):
    """Spark cannot be started here; the text says what to install."""


def start_spark(master: str, scratch: Path, settings: dict[str, str] | None = None) -> Any:
    """A session on that master (local[*], spark://…), with its files in the scratch folder. Raises EngineMissing."""
    with warnings.catch_warnings():
        # PySpark warns of pandas 3, of which nothing here makes use.
        warnings.simplefilter("ignore")
        try:
            from pyspark.sql import SparkSession
        except ImportError as error:
            raise EngineMissing(f"PySpark is not installed. {HOW}") from error
        if shutil.which("java") is None and not _has_java_home():
            raise EngineMissing(
                "Spark needs Java 17 or later, and there is no java here. On Debian: apt-get install default-jre-headless; "
                "or load without --engine spark."
            )
        builder = SparkSession.builder.master(master).appName("tenken")
        chosen = SETTINGS | (_local_settings() if master.startswith("local") else {})
        chosen |= {"spark.local.dir": str(scratch), "spark.sql.warehouse.dir": str(scratch / "spark-warehouse")}
        chosen |= settings or {}
        chosen["spark.driver.extraJavaOptions"] = f"{QUIET} {chosen.get('spark.driver.extraJavaOptions', '')}".strip()
        for name, value in chosen.items():
            builder = builder.config(name, value)
        try:
            return builder.getOrCreate()
        except Exception as error:
            raise EngineMissing(f"Spark did not start on {master}: {str(error).splitlines()[0]}") from error


@contextlib.contextmanager
def spark_beside(master: str | None, scratch: Path) -> Iterator[Any]:
    """The session of a load, None where it needs none; one that ran before goes on running. Raises EngineMissing."""
    if master is None:
        yield None
        return
    ran = is_running()
    spark = start_spark(master, scratch)
    try:
        yield spark
    finally:
        if not ran:
            spark.stop()


def is_running() -> bool:
    """Whether this process has a session."""
    module = sys.modules.get("pyspark.sql")
    return module is not None and module.SparkSession.getActiveSession() is not None


def _local_settings() -> dict[str, str]:
    # On one machine more partitions than cores only cost, and Java's own default of 1 GB is soon full.
    partitions = str(2 * (os.cpu_count() or 1))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
    return {
        "spark.driver.memory": f"{max(1024, memory >> 20)}m",
        "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": partitions,
    }  # fmt: skip


def _has_java_home() -> bool:
    home = os.environ.get("JAVA_HOME")
    return bool(home) and (Path(str(home)) / "bin" / "java").exists()
