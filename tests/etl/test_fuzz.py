"""Mutated exports lose no row, break nothing and stay within their memory; longer runs by `python -m tests.etl.fuzzing`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.etl.fuzzing import run

CASES = 40
"""Cases of each of the parts, which run side by side; about a second for three."""


@pytest.mark.parametrize("part", range(4))
def test_mutated_exports_lose_no_row_and_break_nothing(tmp_path: Path, part: int) -> None:
    outcome = run(tmp_path, CASES, seed=1_000 * part)
    assert not outcome.failures, "\n\n".join(outcome.failures)
    assert outcome.cases == CASES and outcome.rows["rows_loaded"] and outcome.rows["rows_refused"]
