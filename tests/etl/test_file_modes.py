"""Who may read what a load leaves behind: its owner, and nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from etl.builds import Home

ROOT = Path(__file__).parents[2]
EXPORT = "inspection_type,entity\n"


def list_open(folder: Path) -> list[str]:
    """What anybody but the owner may read, write or enter below a folder, with its mode."""
    return [
        f"{path.relative_to(folder)} {mode:o}" for path in folder.rglob("*") if (mode := path.stat().st_mode) & 0o77
    ]


@pytest.fixture
def careless_home(tmp_path: Path) -> Home:
    """A home that an older release wrote with everything readable, and whose inbox somebody filled by hand."""
    for name in ("warehouse/current", "archive/ab/abcd/old.csv", "inbox/batch/new.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(EXPORT)
        path.chmod(0o644)
        path.parent.chmod(0o755)
    return Home(tmp_path)


def test_a_load_closes_what_an_older_release_left_readable(careless_home: Home) -> None:
    assert list_open(careless_home.path)
    with careless_home.writing():
        # From the first moment nobody gets through the top folders, whatever the files in them say.
        assert [folder.stat().st_mode & 0o777 for folder in careless_home.private_folders()] == [0o700] * 3
        (careless_home.warehouse / "written-meanwhile").touch(0o644)
    assert list_open(careless_home.path) == []
    assert (careless_home.archive / "ab" / "abcd" / "old.csv").read_text() == EXPORT


def test_a_load_that_breaks_closes_it_too(careless_home: Home) -> None:
    with pytest.raises(RuntimeError), careless_home.writing():
        raise RuntimeError
    assert list_open(careless_home.path) == []


def test_a_link_in_the_inbox_changes_nothing_outside(
    careless_home: Home, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "shared.csv"
    outside.touch(0o644)
    (careless_home.path / "inbox" / "batch" / "link.csv").symlink_to(outside)
    with careless_home.writing():
        pass
    assert outside.stat().st_mode & 0o777 == 0o644


def test_the_command_line_writes_for_its_owner_only_under_a_wide_umask(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "etl", "demo", "--out", str(tmp_path / "demo"), "--entities", "8", "--rounds", "1"]
    subprocess.run([*command, "--items", "20"], cwd=ROOT, check=True, capture_output=True, env=os.environ, umask=0o022)
    assert [*(tmp_path / "demo").rglob("*.*")]
    assert list_open(tmp_path) == []
