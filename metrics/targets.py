"""Rates that the group has set itself to reach, by metric and fiscal year."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from metrics.catalog import METRICS
from metrics.warehouse import DATA, find_home


class TargetProblem(ValueError):
    """A targets file that cannot be used; the text says where and what to do."""


def read_targets(metric: str, periods: Sequence[str]) -> dict[str, float | None]:
    """The target (0..1) of a metric in each period: that of its fiscal year, else of the latest year before it.

    From targets.csv in the home, else in the reference data: columns metric, fiscal_year (FY2025), rate.
    """
    own = find_home() / "targets.csv"
    path = own if own.exists() else DATA / "reference" / "targets.csv"
    by_year = _read_file(path, path.stat().st_mtime_ns).get(metric, {})
    found: dict[str, float | None] = {}
    for period in periods:
        years = [year for year in by_year if year <= period[:6]]
        found[period] = by_year[max(years)] if years else None
    return found


@cache
def _read_file(path: Path, changed_at: int) -> dict[str, dict[str, float]]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise TargetProblem(f"{path.name} is not UTF-8; save it as UTF-8 and reload the page.") from None
    targets: dict[str, dict[str, float]] = {}
    for number, row in enumerate(csv.DictReader(lines), 2):
        metric, year, written = (str(row.get(name) or "").strip() for name in ("metric", "fiscal_year", "rate"))
        try:
            rate = float(written)
        except ValueError:
            rate = -1.0
        if metric not in METRICS or not re.fullmatch(r"FY\d{4}", year) or not 0 <= rate <= 1:
            raise TargetProblem(
                f"{path.name}, line {number}: '{metric}', '{year}', '{written}' is no target; write a metric of the "
                "catalog, a fiscal year such as FY2025 and a rate from 0 to 1, and reload the page."
            )
        targets.setdefault(metric, {})[year] = rate
    return targets
