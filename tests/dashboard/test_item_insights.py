"""The items pages show what is planted in the demo group, and the figures that its rows give."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.drill import quality
from metrics.warehouse import Warehouse
from tests.dashboard.test_pages import read_specs

OpenApp = Callable[..., AppTest]
WORST = "SEC|2020|1.25"
"""The item that most entities have not met for long."""
SCORES = {"met": 1.0, "partly_met": 0.5, "not_met": 0.0}


def read_story(home: Path, name: str) -> dict[str, Any]:
    """A planted story."""
    truth = json.loads((home.parent / "exports.truth.json").read_text("utf-8"))
    story: dict[str, Any] = next(story for story in truth["stories"] if story["id"] == name)
    return story


@pytest.fixture(scope="session")
def self_checks(demo_home: Path) -> pd.DataFrame:
    """Every answer of the self-checks as known in the end, straight from the build."""
    sql = """select e.entity_code, f.fiscal_half, i.lineage_code, i.item_code, i.measure, a.verdict
from fct_answer a
join fct_inspection f on f.inspection_id = a.inspection_id
join (select distinct entity_id, entity_code from dim_entity) e on e.entity_id = f.entity_id
join dim_item i on i.item_id = a.item_id
where f.inspection_type = 'self_check' and i.is_assessable
  and year(a.known_to) = 9999 and year(f.known_to) = 9999 and year(i.known_to) = 9999"""
    return Warehouse.open_newest(demo_home).cursor().sql(sql).df()


FIRST_COLUMNS = {
    "chronic-cases": "not_met_rounds",
    "chronic-items": "chronic_entities",
    "time-to-fix": "left_out",
    "item-time-to-fix": "left_out",
    "like-for-like": "bridge_points",
    "item-quality": "item_rest_correlation",
}
"""A column that only the table of a panel has."""


def read_table(app: AppTest, panel: str) -> pd.DataFrame:
    """The table of a panel, opened as a click on its tab does."""
    app.session_state[f"{panel}-tabs"] = "Table"
    app.run()
    assert not app.exception
    return next(one.value for one in app.dataframe if FIRST_COLUMNS[panel] in one.value)


def read_spec(app: AppTest, *fields: str) -> tuple[dict[str, Any], pd.DataFrame]:
    """Specification and data of the first chart whose data have these fields."""
    return next((spec, data) for spec, data, _ in read_specs(app) if set(fields) <= set(data))


def list_sayings(app: AppTest) -> str:
    return "\n".join(str(one.value) for one in [*app.caption, *app.info])


def find_spells(answers: pd.DataFrame) -> list[tuple[str, str, int, int, bool, bool, bool]]:
    """Lineage, measure, rounds, rounds of not met, fixed, last, from the first answer: one by one, as one would count."""
    spells = []
    told = answers[answers["verdict"] != "not_answered"].sort_values("fiscal_half")
    for (_, lineage, measure), verdicts in told.groupby(["entity_code", "lineage_code", "measure"])["verdict"]:
        rounds = not_met = 0
        begin = 0
        for place, verdict in enumerate([*verdicts, "end"]):
            if verdict in ("partly_met", "not_met"):
                begin = place if rounds == 0 else begin
                rounds += 1
                not_met += verdict == "not_met"
            elif rounds:
                spells.append((lineage, measure, rounds, not_met, verdict == "met", verdict == "end", begin == 0))
                rounds = not_met = 0
    return spells


def find_open_share(spells: list[tuple[int, bool]], rounds: int) -> float:
    """Kaplan and Meier by hand, from rounds and whether the spell was fixed."""
    times = [(length if fixed else length - 1, fixed) for length, fixed in spells]
    share = 1.0
    for now in range(1, rounds + 1):
        at_risk = sum(time >= now for time, _ in times)
        share *= 1 - sum(time == now and fixed for time, fixed in times) / at_risk
    return share


def test_cases_are_those_that_are_planted_and_the_long_ones_of_the_rows(open_app: OpenApp, demo_home: Path) -> None:
    story = read_story(demo_home, "chronic_item")
    cases = read_table(open_app(home=demo_home, page="items", lang="en"), "chronic-cases")
    shown = {tuple(row) for row in cases[["entity", "code", "rounds", "not_met_rounds"]].itertuples(index=False)}
    told = {tuple(row) for row in story["entities_not_met_in_every_round_by_item"]}
    asked_now = {row for row in told if row in shown}
    # Only entities that left the group are not listed.
    gone = {entity for entity, *_ in told - asked_now}
    assert shown <= told and len(gone) <= 2
    code = story["item_code_by_version"]["2023"]
    planted = cases[(cases["code"] == code) & cases["entity"].isin(story["entity_codes"])]
    assert len(planted) == len(story["entity_codes"]) > 1
    assert planted["is_beyond"].eq("✓").all() and planted["is_critical"].eq("✓").all()
    # Critical items come first, and the longest of them before the others.
    is_critical = cases["is_critical"].eq("✓")
    assert is_critical.is_monotonic_decreasing
    assert cases.loc[is_critical, "not_met_rounds"].is_monotonic_decreasing


def test_items_are_counted_by_the_entities_that_have_them_for_long(
    open_app: OpenApp, demo_home: Path, self_checks: pd.DataFrame
) -> None:
    app = open_app(home=demo_home, page="items", lang="en")
    cases = read_table(app, "chronic-cases")
    items = read_table(app, "chronic-items").set_index("code")
    counted = cases.groupby("code").size()
    pd.testing.assert_series_equal(
        items.loc[items["chronic_entities"] > 0, "chronic_entities"].sort_index(),
        counted.sort_index(),
        check_names=False,
    )
    spells = find_spells(self_checks[self_checks["lineage_code"] == WORST])
    again, fixed = sum(one[2] - 1 for one in spells), sum(one[4] for one in spells)
    code = self_checks.loc[self_checks["lineage_code"] == WORST].sort_values("fiscal_half")["item_code"].iloc[-1]
    assert items.loc[code, "repeat_rate"] == pytest.approx(again / (again + fixed))
    assert items.loc[code, "low"] < items.loc[code, "repeat_rate"] < items.loc[code, "high"]


def test_time_to_fix_is_that_of_the_rows(open_app: OpenApp, demo_home: Path, self_checks: pd.DataFrame) -> None:
    app = open_app(home=demo_home, page="items", lang="en")
    curves = read_spec(app, "time", "share")[1]
    table = read_table(app, "time-to-fix").set_index("name")
    told = (("human", "Human"), ("physical", "Physical"))
    spells = find_spells(self_checks[self_checks["measure"].isin([measure for measure, _ in told])])
    for measure, name in told:
        used = [(one[2], one[4]) for one in spells if one[1] == measure and not one[6]]
        left_out = sum(one[1] == measure and one[6] for one in spells)
        row = table.loc[name]
        assert (row["spells"], row["fixed"]) == (len(used), sum(fixed for _, fixed in used))
        assert row["left_out"] == left_out
        assert row["open_2"] == pytest.approx(find_open_share(used, 2))
        assert row["open_4"] == pytest.approx(find_open_share(used, 4))
        drawn = curves[(curves["series"] == name) & (curves["time"] == 2)]
        assert drawn["share"].iloc[0] == pytest.approx(row["open_2"])
    assert table.loc["All measures", "spells"] == table.drop("All measures")["spells"].sum()
    sayings = list_sayings(app)
    assert "log-rank test, p = " in sayings
    assert f"{table.loc['All measures', 'left_out']:,} more are left out" in sayings


def test_one_item_has_its_curve_beside_all_others_and_its_repeat_rate(
    open_app: OpenApp, demo_home: Path, self_checks: pd.DataFrame
) -> None:
    app = open_app(home=demo_home, page="items", lang="en", item=WORST)
    assert set(read_spec(app, "time", "share")[1]["series"]) == {"This item", "All other items"}
    table = read_table(app, "item-time-to-fix").set_index("name")
    spells = find_spells(self_checks[self_checks["lineage_code"] == WORST])
    again, fixed = sum(one[2] - 1 for one in spells), sum(one[4] for one in spells)
    assert table.loc["This item", "repeat_rate"] == pytest.approx(again / (again + fixed))
    assert table.loc["This item", "spells"] == sum(not one[6] for one in spells)
    assert f"unmet again at the next one in {again / (again + fixed):.1%}" in list_sayings(app)
    # What the page had before is there.
    names = [one.value.replace("\\", "") for one in app.subheader]
    assert {"Who fails it, and since when", "Through the checklist versions", "What they wrote"} <= set(names)


def test_bridge_is_what_the_planted_revision_did(open_app: OpenApp, demo_home: Path) -> None:
    told = read_story(demo_home, "checklist_revision")["self_check_compliance_around_revision"]
    before, after = told["FY2022-H2"], told["FY2023-H1"]
    change = {name: after[name]["rate"] - before[name]["rate"] for name in ("as_asked", "common_items")}
    app = open_app(home=demo_home, page="items", lang="en")
    _, drawn = read_spec(app, "series", "is_revised")
    assert set(drawn["series"]) == {"As asked", "Like for like"}
    assert set(drawn.loc[drawn["is_revised"], "period"]) == {"FY2023-H1"}
    table = read_table(app, "like-for-like").set_index("period_label")
    row = table.loc["FY2023 H1"]
    assert row["as_asked"] == pytest.approx(after["as_asked"]["rate"], abs=1e-9)
    assert row["bridge_points"] == pytest.approx(100 * (change["as_asked"] - change["common_items"]), abs=1e-6)
    assert abs(row["bridge_points"]) > 0.1
    assert table.drop("FY2023 H1")["bridge_points"].dropna().eq(0).all()
    assert f"{row['bridge_points']:+.2f} pt" in list_sayings(app)
    assert table.loc["FY2022 H2", "like_for_like"] == pytest.approx(
        table.loc["FY2022 H2", "as_asked"] + row["bridge_points"] / 100
    )


def test_without_a_revision_there_is_one_line(open_app: OpenApp, demo_home: Path) -> None:
    app = open_app(home=demo_home, page="items", lang="en", from_="FY2023-H1")
    _, drawn = read_spec(app, "series", "is_revised")
    assert set(drawn["series"]) == {"As asked"}
    assert "The same items were asked in every period shown" in list_sayings(app)


def test_what_items_tell_is_that_of_the_rows(open_app: OpenApp, demo_home: Path, self_checks: pd.DataFrame) -> None:
    app = open_app(home=demo_home, page="items", lang="en")
    _, drawn = read_spec(app, "hard", "goes_along")
    table = read_table(app, "item-quality").set_index("code")
    newest = self_checks[self_checks["fiscal_half"] == self_checks["fiscal_half"].max()]
    scores = newest.assign(score=newest["verdict"].map(SCORES)).pivot(
        index="entity_code", columns="item_code", values="score"
    )
    assert len(table) == scores.shape[1]
    told = table.dropna(subset=["item_rest_correlation"])
    assert len(told) == len(drawn) > 30
    assert drawn["label"].ne("").sum() >= 4
    for code in told.index[:5]:
        own = scores[code].dropna()
        rest = scores.drop(columns=code).loc[own.index].mean(axis=1)
        assert table.loc[code, "difficulty"] == pytest.approx(1 - own.mean())
        assert table.loc[code, "item_rest_correlation"] == pytest.approx(float(np.corrcoef(own, rest)[0, 1]))
    by_all = scores.columns[scores.eq(1).sum().eq(scores.notna().sum())]
    assert len(by_all) and set(table.index[table["tells"] == "Everybody meets it"]) == set(by_all)
    assert told["discrimination"].notna().all()
    assert "bad" not in list_sayings(app)


def test_the_model_waits_for_a_click_where_it_would_take_long(
    open_app: OpenApp, demo_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality, "MOST_CELLS", 100)
    app = open_app(home=demo_home, page="items", lang="en")
    assert "discrimination" not in read_table(app, "item-quality")
    app.toggle(key="item-quality-model").set_value(True).run()
    assert not app.exception
    assert read_table(app, "item-quality")["discrimination"].notna().any()


@pytest.mark.parametrize(
    ("address", "silences"),
    [
        (
            {"entity": "AF-0018", "to": "FY2020-H1"},
            (
                "A case is listed from 4 rounds on; rounds so far: 1.",
                "Every case began with the first answer there is",
                "Needs at least two periods with answers.",
                "Nothing is told of items with fewer than 30 answers; entities here: 1.",
            ),
        ),
        (
            {"type_": "all"},
            ("Several checklists are added up here", "choose one to see what its items tell"),
        ),
        ({"type_": "privacy_audit", "per": "year"}, ("Nothing is told of items with fewer than 30 answers",)),
        (
            {"entity": "AF-0018", "measure": "physical", "per": "quarter"},
            ("No item is open anywhere", "Nothing is told of items with fewer than 30 answers"),
        ),
    ],
)
def test_what_is_not_told_says_why(
    open_app: OpenApp, demo_home: Path, address: dict[str, str], silences: tuple[str, ...]
) -> None:
    app = open_app(home=demo_home, page="items", lang="en", **address)
    assert not app.exception
    sayings = [one.value for one in app.info]
    for silence in silences:
        assert any(silence in said for said in sayings), (silence, sayings)
    assert len(sayings) == len(silences)


def test_an_earlier_knowledge_date_ends_the_spells_there(open_app: OpenApp, demo_home: Path) -> None:
    app = open_app(home=demo_home, page="items", lang="en", known="2021-10-31")
    assert not app.exception
    _, curves = read_spec(app, "time", "share")
    assert 1 <= curves["time"].max() <= 2


def test_an_item_that_is_always_met_has_no_curve(open_app: OpenApp, demo_home: Path, self_checks: pd.DataFrame) -> None:
    answers = self_checks.groupby(["entity_code", "lineage_code"])["verdict"].agg(set)
    is_met = answers.map(lambda verdicts: verdicts == {"met"})
    entity, item = is_met[is_met].index[0]
    app = open_app(home=demo_home, page="items", lang="en", item=item, entity=entity)
    assert not app.exception
    assert any("No answer to the item was partly met or not met" in one.value for one in app.info)
