"""Targets: from which year they hold, whose file counts, and what is said of a row that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from metrics.targets import TargetProblem, read_targets

HEAD = "metric,fiscal_year,rate\n"


@pytest.fixture
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The targets file of an empty home."""
    monkeypatch.setenv("TENKEN_HOME", str(tmp_path))
    return tmp_path / "targets.csv"


def test_target_holds_from_its_year_until_a_later_one(own_file: Path) -> None:
    own_file.write_text(f"\ufeff{HEAD}compliance_rate,FY2025,0.9\ncompliance_rate,FY2022,0.8\n", "utf-8")
    found = read_targets("compliance_rate", ["FY2021-H2", "FY2022", "FY2024-Q4", "FY2025-H1", "FY2030"])
    assert list(found.values()) == [None, 0.8, 0.8, 0.9, 0.9]
    assert read_targets("coverage_rate", ["FY2025"]) == {"FY2025": None}


def test_own_file_replaces_the_one_that_comes_with_tenken(own_file: Path) -> None:
    assert read_targets("compliance_rate", ["FY2024"])["FY2024"] is not None
    own_file.write_text(HEAD, "utf-8")
    assert read_targets("compliance_rate", ["FY2024"]) == {"FY2024": None}


@pytest.mark.parametrize(
    "row",
    ["rate,FY2025,0.9", "compliance_rate,2025,0.9", "compliance_rate,FY2025,90", "compliance_rate,FY2025,nan", ","],
)
def test_row_that_cannot_be_used_is_named(own_file: Path, row: str) -> None:
    own_file.write_text(f"{HEAD}compliance_rate,FY2024,0.8\n{row}\n", "utf-8")
    with pytest.raises(TargetProblem, match=r"targets.csv, line 3: .* is no target; write"):
        read_targets("compliance_rate", ["FY2025"])


def test_file_of_another_encoding_is_named(own_file: Path) -> None:
    own_file.write_bytes(f"{HEAD}遵守率,FY2025,0.9\n".encode("cp932"))
    with pytest.raises(TargetProblem, match=r"targets\.csv is not UTF-8"):
        read_targets("compliance_rate", ["FY2025"])
