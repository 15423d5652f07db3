"""Insights over published exports, on small files in their layouts: figures restated, and both sides in agreement."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pandas as pd
import pytest

from insights.calibration import summarise_pairs
from insights.restatements import find_restatements, measure_effect
from metrics.ask import answer
from metrics.query import Query
from metrics.warehouse import Warehouse
from tests.etl.conftest import Group

DSPT = ",Code,Organisation Name,National Grouping,High Level Health Geography,lat,long,Status,Date Of Publication,Primary Sector\n"
METRIC = "strict_compliance_rate"


def write_dspt(statuses: list[str]) -> str:
    return DSPT + "".join(
        f'{number},R{number:02},"TRUST {number}",Y62,QOP,53.4,-2.2,{status},30/06/2023,NHS Trust\n'
        for number, status in enumerate(statuses)
    )


def ask_sums(warehouse: Warehouse, metrics: tuple[str, ...], known_at: datetime) -> pd.DataFrame:
    frame = answer(warehouse, Query(metrics, ("fiscal_year", "entity"), known_at=known_at)).frame
    return frame.rename(
        columns={"fiscal_year": "period", f"{METRIC}_numerator": "numerator", f"{METRIC}_denominator": "denominator"}
    )


def test_dspt_statuses_restated_between_two_snapshots_are_found_with_their_effect(
    make_group: Callable[[str], Group],
) -> None:
    """The published snapshots in small: six statuses changed without a new date of publication."""
    met, part, exceeded = "22/23 Standards Met", "22/23 Approaching Standards", "22/23 Standards Exceeded"
    missed = "22/23 Standards Not Met"
    october = [met] * 6 + [part] * 4 + [exceeded, missed, missed]
    november = [met] * 5 + [part, met, met, met, part] + [exceeded, met, met]
    group = make_group("dspt")
    for name, statuses in (("17_10_23", october), ("16_11_23", november)):
        path = group.write(f"dspt_trusts_snapshot_{name}.csv", write_dspt(statuses))
        assert group.load(path).exit_status == 0
    warehouse = Warehouse.open_newest(group.home.path)
    then, now = (ask_sums(warehouse, (METRIC,), datetime(2023, month, 20)) for month in (10, 11))
    warehouse.close()
    found = find_restatements(then, now)
    changed = {f"R{number:02}" for number in range(13) if october[number] != november[number]}
    assert set(found["entity"]) == changed and len(changed) == 6
    assert set(found["kind"]) == {"restated"}
    effect = measure_effect(then, now).iloc[0]
    share = [sum(status in (met, exceeded) for status in statuses) / 13 for statuses in (october, november)]
    assert [effect["rate_then"], effect["rate_now"]] == pytest.approx(share)
    assert effect["restated"] == pytest.approx(share[1] - share[0], abs=1e-12) and effect["came"] == 0


def test_csf_profile_of_both_sides_has_a_gap_of_exactly_nothing(group: Group) -> None:
    quarters = [
        f"Q{n} {what}"
        for n in range(1, 5)
        for what in ("Actual Score", "Target Score", "Observations", "Observation Date")
    ]
    scores = {"GV.OC-01": "2", "PR.AT-01": "4", "DE.CM-01": "5"}
    later = {"GV.OC-01": "3", "PR.AT-01": "5", "DE.CM-01": "1"}

    def fill(item: str) -> str:
        cells = []
        for number in range(1, 5):
            score = (scores if number % 2 else later)[item]
            cells += [score, "5", "seen", f"2026-{3 * number - 1:02}-10"]
        return ",".join(cells)

    audit = "ID,Assessment,Scope Type," + ",".join(quarters) + "\n"
    audit += "".join(f"{item},A,Standard,{fill(item)}\n" for item in scores)
    own = "ID,Category ID,Category,Subcategory ID,Subcategory Description,In Scope? ," + ",".join(quarters) + "\n"
    own += "".join(f"{item},{item[:5]},Category,{item},Requirement,Yes,{fill(item)}\n" for item in scores)
    for name, text in (("alma-assessments.csv", audit), ("alma-ciso-assessment-2026.csv", own)):
        report = group.load(group.write(name, text))
        assert report.loads[0]["rows_refused"] == 0, report.refusals
    warehouse = Warehouse.open_newest(group.home.path)
    crossed = answer(warehouse, Query(("pairs",), ("fiscal_quarter", "entity", "self_verdict", "verdict"))).frame
    gap = answer(warehouse, Query(("optimism_gap", "net_optimism"), ("fiscal_quarter",))).frame
    warehouse.close()
    found = summarise_pairs(crossed, "fiscal_quarter")
    assert found["pairs"].tolist() == [3, 3, 3, 3]
    assert (found["net_optimism"] == 0).all() and (found["exact_agreement"] == 1).all()
    assert (gap["optimism_gap"] == 0).all() and (gap["net_optimism"] == 0).all()
