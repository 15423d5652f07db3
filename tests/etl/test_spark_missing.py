"""A load that is to run on Spark where there is no Spark says what to install."""

from __future__ import annotations

import json
import shutil
import sys
import types
from pathlib import Path

import pytest

from etl.__main__ import main
from etl.spark import session


def _load(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The sentence with which a load on Spark ends."""
    path = tmp_path / "a.csv"
    path.write_text("entity\n", "utf-8")
    home = tmp_path / "home"
    assert main(["load", "--engine", "spark", "--json", "--home", str(home), str(path)]) == 2
    assert not (home / "warehouse" / "current").exists()
    return str(json.loads(capsys.readouterr().out)["error"])


def test_without_pyspark_the_package_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    told = _load(tmp_path, capsys)
    assert (
        "PySpark is not installed" in told and 'pip install "pyspark>=4.3"' in told and "without --engine spark" in told
    )


def test_without_java_the_package_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("pyspark.sql")
    module.SparkSession = object()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyspark", types.ModuleType("pyspark"))
    monkeypatch.setitem(sys.modules, "pyspark.sql", module)
    monkeypatch.setattr(session, "is_running", lambda: False)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    told = _load(tmp_path, capsys)
    assert "Java 17" in told and "default-jre-headless" in told and "without --engine spark" in told
