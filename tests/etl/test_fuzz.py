"""Mutated exports lose no row, break nothing and stay within their memory; longer runs by `python -m tests.etl.fuzzing`."""

from __future__ import annotations

from pathlib import Path

from tests.etl.fuzzing import run

CASES = 140


def test_mutated_exports_lose_no_row_and_break_nothing(tmp_path: Path) -> None:
    outcome = run(tmp_path, CASES, seed=1)
    assert not outcome.failures, "\n\n".join(outcome.failures)
    assert outcome.cases == CASES and outcome.rows["rows_loaded"] and outcome.rows["rows_refused"]
