"""What the page of an entity says of its own figures: noise, habit, what outsiders saw, and what stays not met."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from streamlit.testing.v1 import AppTest

from dashboard import cards
from dashboard.compare import entity, entity_calibration, entity_chronic, entity_signals, tick_box
from dashboard.drill.pairs import choose_outside_types
from dashboard.panels import Panel
from dashboard.view import PERIOD, View

OpenApp = Callable[..., AppTest]
ViewOf = Callable[..., View]
COPYCAT = "AF-0067"
COPIED = "As before, telling answers"


def make(show: Any, view: View, *args: Any) -> Panel:
    """The panel that is shown, without showing it."""
    panel = show.__wrapped__(view, *args)
    assert isinstance(panel, Panel)
    return panel


def make_signs(view: View, code: str) -> pd.DataFrame:
    half = tick_box.find_half(view)
    assert half
    return make(tick_box.show_signs, view, code, half, tick_box.find_earlier(view, half)).table.set_index("name")


@pytest.mark.parametrize("half", ["FY2024-H1", "FY2024-H2", "FY2025-H1", "FY2025-H2"])
def test_only_the_copycat_stands_out_by_what_it_copied(view_of: ViewOf, half: str) -> None:
    view = view_of(entity=(COPYCAT,), to_period=half)
    found = tick_box.judge_group(view, half, tick_box.find_earlier(view, half))
    assert list(found.loc[found["copied_share_is_unusual"], "entity"]) == [COPYCAT]
    marks = make_signs(view, COPYCAT)["mark"]
    assert marks[COPIED] == "● worth a look"
    assert marks["Answered as before"] == ""
    assert not make_signs(view_of(entity=("AF-0018",), to_period=half), "AF-0018")["mark"].str.contains("worth").any()


def test_signs_are_those_of_the_answers_beside_the_median_of_all_others(view_of: ViewOf) -> None:
    view = view_of(entity=(COPYCAT,))
    answers = view.hold(entity=()).read_round("FY2025-H2", "FY2024-H2")
    answers = answers[answers["verdict"] < 4]
    earlier = answers["earlier_verdict"].astype(float)
    is_compared = earlier.notna() & (earlier < 4)
    is_same = (answers["verdict"] == earlier) & answers["is_same_comment"].fillna(True)
    is_same &= answers["is_same_evidence"].fillna(True)
    is_copied = is_same[is_compared].groupby(answers["entity"], observed=True).mean()
    table = make_signs(view, COPYCAT)
    number = int((is_compared & (answers["entity"] == COPYCAT)).sum())
    assert table.loc["Answered as before", "own"] == f"{is_copied[COPYCAT]:.1%} of {number}"
    assert table.loc["Answered as before", "others"] == f"{is_copied.drop(COPYCAT).median():.1%}"
    score = answers.groupby("entity", observed=True)["score"].std()
    assert table.loc["Variability", "own"] == f"{score[COPYCAT]:.2f}"


def test_signs_are_found_once_for_all_and_do_not_depend_on_what_is_shown(view_of: ViewOf) -> None:
    found = tick_box.judge_group(view_of(entity=(COPYCAT,)), "FY2025-H2", "FY2024-H2")
    others = view_of("ja", "year", entity=("AF-0018",), inspection_type=(), from_period="FY2025")
    assert tick_box.judge_group(others, "FY2025-H2", "FY2024-H2") is found


def test_the_first_round_is_set_beside_nothing(view_of: ViewOf) -> None:
    view = view_of(entity=(COPYCAT,), to_period="FY2020-H1")
    table = make_signs(view, COPYCAT)
    assert table.loc[COPIED, ["own", "others", "mark"]].tolist() == ["–", "–", "not judged"]
    assert table.loc["Longest identical run", "mark"] != "not judged"


def test_signals_are_of_all_rounds_up_to_the_newest_shown(view_of: ViewOf) -> None:
    panel = make(entity_signals.show_rounds, view_of(entity=("HQ-0008",), from_period="FY2024-H1"))
    frame = view_of(entity=("HQ-0008",)).ask(("compliance_rate", "applicable_answers"), (PERIOD,))
    centre = np.average(frame["compliance_rate"].astype(float), weights=frame["applicable_answers"].astype(float))
    assert panel.table["rate"].tolist()[::-1] == pytest.approx(frame["compliance_rate"].tolist())
    assert panel.table["centre"].tolist() == pytest.approx([centre] * 12)
    marked = panel.table[panel.table["signal"] != ""]
    assert marked["period_label"].tolist() == ["FY2020 H2"]
    assert marked["signal"].tolist() == ["lower: 2 of 3 rounds close to the same limit"]
    assert "Marked: 1. The newest: FY2020 H2, lower" in panel.note
    assert panel.chart
    assert panel.chart().data.set_index("period")["state"].eq("worse").tolist() == [False, True] + [False] * 10


def test_agreement_is_that_of_the_pairs(view_of: ViewOf) -> None:
    view = choose_outside_types(view_of(entity=(COPYCAT,)))
    panel = make(entity_calibration.show_agreement, view, "CN")
    table = panel.table.set_index("figure")
    counts = view.ask(("pairs", "net_optimism", "exact_agreement")).iloc[0]
    assert table.loc["pairs", "own"] == f"{counts['pairs']:.0f}"
    assert table.loc["net_optimism", "own"] == f"{counts['net_optimism']:.1%}"
    assert table.loc["exact_agreement", "own"] == f"{counts['exact_agreement']:.1%}"
    region = view.hold(entity=(), region=("CN",)).ask(("net_optimism", "exact_agreement")).iloc[0]
    assert table.loc["net_optimism", "region"] == f"{region['net_optimism']:.1%}"
    group = view.hold(entity=()).ask(("net_optimism",)).iloc[0]
    assert table.loc["net_optimism", "group"] == f"{group['net_optimism']:.1%}"
    differing = int(counts["pairs"] - counts["exact_agreement_numerator"])
    better = int((differing + counts["net_optimism_numerator"]) / 2)
    assert f"better one in {better} pairs and the worse one in {differing - better};" in panel.note
    assert binomtest(better, differing).pvalue < 0.001
    assert table.loc["p_sign", "own"] == "below 0.1%"


def test_one_visit_has_no_interval(view_of: ViewOf) -> None:
    panel = make(entity_calibration.show_agreement, choose_outside_types(view_of(entity=("AF-0038",))), "JP")
    assert panel.table.set_index("figure").loc["interval", "own"] == "–"
    assert "One visit gives no interval." in panel.note


def test_where_nobody_visited_the_estimate_lies_below_the_self_check(view_of: ViewOf) -> None:
    view = view_of(entity=("HQ-0008",))
    panel = make(entity_calibration.show_estimate, view, "HQ-0008", "JP")
    row = panel.table.iloc[0]
    assert row["self_rate"] == pytest.approx(view.ask(("compliance_rate",))["compliance_rate"].iloc[0])
    assert row["low"] < row["estimate"] < row["high"]
    assert row["estimate"] < row["self_rate"]
    assert "Audits are not a random sample" in panel.note


@pytest.mark.parametrize("code", ["ST-0001", "ST-0012", "ST-0023"])
def test_planted_chronic_item_is_first_of_its_site(view_of: ViewOf, code: str) -> None:
    view = view_of(entity=(code,))
    first = make(entity_chronic.show_items, view).table.iloc[0]
    assert (first["code"], first["not_met_rounds"], first["rounds"]) == ("4.27", 12, 12)
    assert first["is_critical"]
    assert first["since_label"] == "FY2020 H1"


def test_deviation_score_is_of_the_peers(view_of: ViewOf) -> None:
    view = view_of(entity=(COPYCAT,))
    frame = view.hold(entity=(), entity_kind=("affiliate",)).ask(("compliance_rate",), ("entity",), period="FY2025-H2")
    rates = frame.dropna(subset=["compliance_rate"]).set_index("entity")["compliance_rate"].astype(float)
    card = entity.build_standing_card(view, frame.dropna(subset=["compliance_rate"]), COPYCAT)
    score = (rates[COPYCAT] - rates.mean()) / rates.std(ddof=0) * 10 + 50
    assert card.value == f"{score:.1f}"
    below = ((rates < rates[COPYCAT]).sum() + 0.5 * ((rates == rates[COPYCAT]).sum() - 1)) / (len(rates) - 1)
    assert card.counted == f"percentile {below * 100:.1f}"


def list_said(app: AppTest) -> str:
    shown = [*app.info, *app.caption, *app.subheader]
    return "\n".join(element.value for element in shown)


def test_page_says_why_it_is_silent(open_app: OpenApp, demo_home: Path) -> None:
    app = open_app(home=demo_home, page="entity", entity="BG-0001", lang="en", known="2020-10-31")
    assert not app.exception
    said = list_said(app)
    assert "How sure can we be of these figures?" in said
    assert "can be told from 6 rounds on; there is a figure for 1" in said
    assert "No item that is open here was not met for 4 rounds or more" in said
    # Six business groups are too few for a standing.
    assert "fewer than 10 peers" in said


def test_several_types_give_no_signal_and_self_checks_stay_those_judged(open_app: OpenApp, demo_home: Path) -> None:
    app = open_app(home=demo_home, page="entity", entity=COPYCAT, lang="en", type="all")
    assert not app.exception
    said = list_said(app)
    assert "Choose one inspection type" in said
    assert any(
        "● worth a look" in frame.value.to_numpy().tolist()[3] for frame in app.dataframe if len(frame.value) > 3
    )


def test_page_says_it_in_japanese(open_app: OpenApp, demo_home: Path) -> None:
    app = open_app(home=demo_home, page="entity", entity="ST-0001", lang="ja")
    assert not app.exception
    said = list_said(app)
    assert "数値の確かさ" in said
    assert "本当に適合している組織の回答も一様になります。" in said
    assert "偏差値" in [metric.label for metric in app.metric]


def test_newest_half_is_one_in_which_the_entity_reported(view_of: ViewOf) -> None:
    # The affiliate was sold in the second half of FY2024.
    assert tick_box.find_half(view_of(entity=("AF-0053",))) == "FY2024-H1"
    assert cards.find_newest_period(view_of(entity=("AF-0053",))) == "FY2024-H1"
