"""Findings, actions and the PDCA cycle: counts that are asked for together, against each of them alone and its rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.act.findings import COUNTED_BY, add_up, ask_actions
from dashboard.act.held import count_every_type
from dashboard.act.pdca import WITHOUT_ACTION, find_year, hold_year, read_cycle
from dashboard.view import View
from dashboard.words import say_number

ViewOf = Callable[..., View]
OpenApp = Callable[..., AppTest]
HELD = [
    {},
    {"region": ("EU",), "measure": ("human",)},
    {"from_period": "FY2025-H1", "to_period": "FY2025-H1"},
    {"grain": "quarter"},
    {"known_on": date(2025, 6, 30), "inspection_type": ("privacy_audit",)},
    {"entity": ("AF-0018",)},
    {"entity": ("nobody",)},
]


@pytest.mark.parametrize("held", HELD, ids=str)
def test_sums_of_the_page_are_what_each_count_says_alone(view_of: ViewOf, held: dict[str, Any]) -> None:
    view = count_every_type(view_of(**held))
    sums = add_up(view)
    for metric in (*COUNTED_BY.values(), "actions", "open_actions"):
        alone = view.ask((metric,))[metric].iloc[0]
        assert sums[metric] == alone or (pd.isna(sums[metric]) and pd.isna(alone)), metric
    days = view.ask(("mean_days_to_close",)).iloc[0]
    for part in ("numerator", "denominator"):
        column = f"mean_days_to_close_{part}"
        assert sums[column] == days[column] or (pd.isna(sums[column]) and pd.isna(days[column]))
    for dimension in ("region", "owner"):
        apart = view.ask(("overdue_actions",), (dimension,)).set_index(dimension)["overdue_actions"]
        pd.testing.assert_series_equal(
            ask_actions(view).groupby(dimension)["overdue_actions"].sum(), apart.sort_index(), check_index_type=False
        )


def test_cards_tell_the_counts(open_app: OpenApp, demo_home: Path, view_of: ViewOf) -> None:
    app = open_app(home=demo_home, page="findings", lang="en", region="EU", type="all")
    told = {metric.label: metric.value for metric in app.metric}
    view = view_of(region=("EU",), inspection_type=())
    for metric in ("open_findings", "reopened_findings", "repeat_findings", "open_actions", "overdue_actions"):
        assert told[view.label_metric(metric)] == say_number(view.ask((metric,))[metric].iloc[0])
    major = view.ask(("open_findings",), severity=("major",))["open_findings"].iloc[0]
    assert told["Open major findings"] == say_number(major)
    days = view.ask(("mean_days_to_close",))["mean_days_to_close"].iloc[0]
    assert told["Mean days to close"] == say_number(days)


def test_findings_without_an_action_are_those_that_no_action_names(view_of: ViewOf) -> None:
    view = view_of(inspection_type=())
    year = find_year(view)
    entities = read_cycle(view, year).entities.set_index("entity")
    held = hold_year(view, year)
    findings, actions = (held.list_all_rows(listing, status=("open",)) for listing in ("findings", "actions"))
    without = findings[~findings["finding_code"].isin(actions["finding_code"])].groupby("entity").size()
    assert len(without)
    assert entities[WITHOUT_ACTION][entities[WITHOUT_ACTION] > 0].to_dict() == without.to_dict()
