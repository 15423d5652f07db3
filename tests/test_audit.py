"""The audit of dependencies: what it makes of pip-audit's answers."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

AUDIT = Path(__file__).parents[1] / ".ci" / "audit.py"
SOUND = {"name": "sound", "version": "1.0", "vulns": []}
WEAK = {"name": "weak", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}
UNKNOWN = {"name": "unknown", "skip_reason": "not found"}


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    """The script that make audit runs."""
    spec = importlib.util.spec_from_file_location("audit", AUDIT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("packages", "status", "said"),
    [
        ([SOUND], 0, "1 packages, 0 known vulnerabilities."),
        ([SOUND, WEAK], 1, "weak 1.0: PYSEC-1, mended in 1.1"),
        ([SOUND, UNKNOWN], 0, "1 could not be looked up"),
        # pip-audit ends well here, having looked at nothing.
        ([UNKNOWN], 0, "NOT AUDITED"),
        ([], 0, "NOT AUDITED"),
    ],
)
def test_what_was_not_audited_does_not_pass_for_sound(
    packages: list[dict[str, object]],
    status: int,
    said: str,
    audit: ModuleType,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert audit.judge(packages) == status
    assert said in capsys.readouterr().out
