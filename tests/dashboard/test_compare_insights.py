"""Regions and sites: how sure an order is, who is unusual, what changed beyond noise, and why a panel says nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import cards, panels, rates
from dashboard.compare import funnel, league, signals, sureness
from dashboard.panels import Panel
from dashboard.view import View
from insights.intervals import compare_with_rest, find_cluster_interval
from insights.signals import MIN_ROUNDS, find_signals
from tests.dashboard.test_pages import list_texts, read_specs

OpenApp = Callable[..., AppTest]
ViewOf = Callable[..., View]
PanelOf = Callable[..., Panel]
METRIC = "compliance_rate"
NEWEST = "FY2025-H2"
TOO_NARROW = "Answers of one entity are not independent, so that bands over several entities are too narrow."
ONE_TYPE = "Choose one inspection type"
FEW_ROUNDS = "How much a rate moves anyway can be told from 6 rounds on"


@pytest.fixture
def panel_of(monkeypatch: pytest.MonkeyPatch) -> PanelOf:
    """The panel that a function shows."""

    def make(show: Callable[..., None], *given: Any, **more: Any) -> Panel:
        shown: list[Panel] = []
        monkeypatch.setattr(panels, "show_panel", lambda _, panel: shown.append(panel))
        show(*given, **more)
        assert len(shown) == 1
        return shown[0]

    return make


@pytest.fixture
def silence_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The sentence in which a panel says why it says nothing."""

    def make(show: Callable[..., None], *given: Any) -> str:
        said: list[str] = []
        monkeypatch.setattr(signals, "say_nothing", lambda _view, _key, _title, sentence: said.append(sentence))
        show(*given)
        assert len(said) == 1
        return said[0]

    return make


def ask_entities(view: View, period: str = NEWEST) -> pd.DataFrame:
    """The frame that the page of sites hands to its panels."""
    return view.ask((METRIC, "applicable_answers"), ("entity", "entity_kind"), period=period)


def make_entities(compliance: list[float], counts: list[int] | None = None) -> pd.DataFrame:
    """A made-up frame of entities."""
    number = len(compliance)
    return pd.DataFrame(
        {
            "entity": [f"ZZ-{place:02d}" for place in range(number)],
            "entity_kind": "site",
            METRIC: compliance,
            "applicable_answers": [float(count) for count in counts or [120] * number],
        }
    )


def test_no_entity_of_the_demo_is_beyond_what_is_usual(view_of: ViewOf, panel_of: PanelOf) -> None:
    view = view_of()
    frame = ask_entities(view)
    panel = panel_of(funnel.show_funnel, view, NEWEST, frame)
    assert f"0 of {len(frame)} are beyond what is usual." in panel.note
    assert set(panel.table["said"]) == {""} and panel.table["q_value"].min() > 0.05
    shown = panel.table.set_index("id")["rate"]
    assert shown.to_dict() == pytest.approx(frame.set_index("entity")[METRIC].to_dict())
    assert panel.chart and "Unusual: none." in panel.chart().alt


def test_an_entity_far_below_is_marked_and_named_and_so_is_no_other(view_of: ViewOf, panel_of: PanelOf) -> None:
    usual = [0.86 + 0.02 * (place % 5) for place in range(30)]
    panel = panel_of(funnel.show_funnel, view_of(), NEWEST, make_entities([*usual, 0.3]))
    marked = panel.table[panel.table["said"] != ""]
    assert marked["id"].tolist() == ["ZZ-30"] and marked["said"].tolist() == ["lower than usual"]
    assert panel.table["id"].iloc[0] == "ZZ-30"
    assert panel.chart
    chart = panel.chart()
    assert "Unusual: ZZ-30 30.0%." in chart.alt
    assert chart.data.loc[chart.data["id"] == "ZZ-30", "standing"].tolist() == ["low"]


def test_the_funnel_judges_nobody_among_a_few(view_of: ViewOf, panel_of: PanelOf) -> None:
    for rows in ([0.9], [0.9] * 8 + [0.1]):
        panel = panel_of(funnel.show_funnel, view_of(), NEWEST, make_entities(rows))
        assert panel.chart is None and set(panel.table["said"]) == {""}
        assert panel.note == "Fewer than 10 entities: what is usual cannot be told."
        assert panel.table["rate"].notna().all()


def test_both_places_stand_in_the_table_and_lie_within_their_span(view_of: ViewOf, panel_of: PanelOf) -> None:
    view = view_of()
    frame = ask_entities(view)
    panel = panel_of(league.show_league, view, NEWEST, frame)
    table = panel.table.set_index("id")
    raw = frame.set_index("entity")[METRIC].round(12).rank(method="min", ascending=False)
    assert table["place"].to_dict() == raw.to_dict()
    named = {column.name for column in panel.columns}
    assert {"place", "shrunken_place", "rate", "shrunken", "place_low", "place_high", "count"} <= named
    assert (table["place_low"] <= table["shrunken_place"]).all()
    assert (table["shrunken_place"] <= table["place_high"]).all()
    assert ((table["low"] <= table["shrunken"]) & (table["shrunken"] <= table["high"])).all()
    assert table["shrunken_place"].is_monotonic_decreasing
    assert panel.chart
    drawn = panel.chart().data
    assert drawn["id"].tolist() == table.index[: len(drawn)].tolist() and len(drawn) == league.MOST_DRAWN
    assert drawn["raw_place"].tolist() == table["place"].head(len(drawn)).tolist()


def test_a_rate_over_few_answers_loses_its_place(view_of: ViewOf, panel_of: PanelOf) -> None:
    frame = make_entities([0.95, 0.9, 0.85, 0.8, 0.75, 1.0], [200, 200, 200, 200, 200, 2])
    table = panel_of(league.show_league, view_of(), NEWEST, frame).table.set_index("id")
    assert table.loc["ZZ-05", "place"] == 1 and table.loc["ZZ-05", "shrunken_place"] > 1
    assert table.loc["ZZ-05", "place_high"] - table.loc["ZZ-05", "place_low"] >= 4


@pytest.mark.parametrize("compliance", [[0.9], [0.9, 0.8], [1.0] * 12])
def test_no_order_is_told_of_a_few_or_of_equals(view_of: ViewOf, panel_of: PanelOf, compliance: list[float]) -> None:
    panel = panel_of(league.show_league, view_of(), NEWEST, make_entities(compliance))
    assert panel.chart is None and "no order is told" in panel.note
    assert panel.table["rate"].tolist() == sorted(compliance) and panel.table["score"].isna().all()
    panels.write_workbook(view_of(), panel)


def test_the_standing_is_among_entities_of_the_same_kind(view_of: ViewOf, panel_of: PanelOf) -> None:
    view = view_of()
    frame = ask_entities(view)
    table = panel_of(league.show_league, view, NEWEST, frame).table.set_index("id")
    kinds = frame.set_index("entity")["entity_kind"]
    for kind, number in kinds.value_counts().items():
        scores = table.loc[kinds[kinds == kind].index, "score"]
        if number < 10:
            assert scores.isna().all()
        else:
            assert scores.mean() == pytest.approx(50) and scores.std(ddof=0) == pytest.approx(10)


def read_cells(view: View, by: str) -> pd.DataFrame:
    cells = view.ask((METRIC, "applicable_answers"), ("entity", by), period=NEWEST)
    return pd.DataFrame(
        {
            by: cells[by],
            "entity": cells["entity"],
            "numerator": cells[f"{METRIC}_numerator"],
            "denominator": cells[f"{METRIC}_denominator"],
            "answers": cells["applicable_answers"],
        }
    )


def show_nothing(picked: object) -> None:
    """What a click does in tests."""


@pytest.mark.parametrize("by", ["region", "country"])
def test_intervals_are_those_between_entities(view_of: ViewOf, panel_of: PanelOf, by: str) -> None:
    view = view_of()
    table = panel_of(sureness.show_sure_rank, view, by, NEWEST, on_pick=show_nothing).table.set_index("id")
    cells = read_cells(view, by)
    expected = find_cluster_interval(cells, by).set_index(by).loc[table.index]
    for name in ("low", "high"):
        assert table[name].to_numpy(float) == pytest.approx(expected[name].to_numpy(float), nan_ok=True)
    assert table[METRIC].to_numpy(float) == pytest.approx(expected["rate"].to_numpy(float))
    against = compare_with_rest(cells, by).set_index(by).loc[table.index]
    assert table["rest"].to_numpy(float) == pytest.approx(against["rest_rate"].to_numpy(float))
    assert table["difference"].to_numpy(float) == pytest.approx(100 * against["difference"].to_numpy(), nan_ok=True)
    # Entities differ more than their answers would by chance.
    frame = view.ask((METRIC, "applicable_answers"), (by,), period=NEWEST).set_index(by).loc[table.index]
    error = np.sqrt(frame[METRIC] * (1 - frame[METRIC]) / frame["applicable_answers"]).astype(float)
    several = expected["entities"] > 1
    assert (table["high"] - table["low"])[several].median() > 2 * 1.96 * error[several].median()


def test_china_is_below_and_asia_above_the_others(view_of: ViewOf, panel_of: PanelOf) -> None:
    panel = panel_of(sureness.show_sure_rank, view_of(), "region", NEWEST, on_pick=show_nothing)
    assert "Below the others beyond chance: China." in panel.note
    assert "Above the others beyond chance: Asia." in panel.note
    apart = panel.table[panel.table["q_value"] <= 0.05]
    assert apart.set_index("id")["difference"].map(np.sign).to_dict() == {"CN": -1, "AS": 1}
    assert panel.table["id"].iloc[0] == "CN" and panel.chart and panel.chart().data["row"].iloc[0] == "China"
    said = panel_of(sureness.show_sure_rank, view_of("ja"), "region", NEWEST, on_pick=show_nothing).note
    assert "偶然の範囲を超えて低いのは中国です。" in said


def test_countries_of_one_entity_are_not_compared_and_counted_as_such(view_of: ViewOf, panel_of: PanelOf) -> None:
    view = view_of()
    panel = panel_of(sureness.show_sure_rank, view, "country", NEWEST, on_pick=show_nothing)
    entities = read_cells(view, "country").query("denominator > 0").groupby("country")["entity"].nunique()
    alone = int((entities == 1).sum())
    assert alone > 0 and panel.table["q_value"].isna().sum() >= alone
    number = panel.table["q_value"].isna().sum()
    assert f"{number} of {len(panel.table)} cannot be compared" in panel.note
    assert "of 26 are drawn" in panel.note


@pytest.mark.parametrize("ids", [{"region": ("EU",)}, {"entity": ("AF-0018",)}])
def test_nothing_is_said_of_a_region_without_others(
    view_of: ViewOf, panel_of: PanelOf, ids: dict[str, tuple[str, ...]]
) -> None:
    panel = panel_of(sureness.show_sure_rank, view_of(**ids), "region", NEWEST, on_pick=show_nothing)
    assert "1 of 1 cannot be compared" in panel.note
    assert "beyond chance" not in panel.note
    assert panel.chart and panel.table["rest"].isna().all()
    panel.chart()


def judge_again(view: View, by: str, code: str) -> pd.DataFrame:
    """Signals of one row from its own figures in all periods."""
    frame = view.loosen("period").ask((METRIC, "applicable_answers"), ("period", by))
    rows = frame[frame[by] == code].set_index("period").sort_index()
    return find_signals(rows[METRIC].astype(float), rows["applicable_answers"].astype(float))


def test_marked_rounds_of_regions_are_those_of_each_region_alone(view_of: ViewOf, panel_of: PanelOf) -> None:
    view = view_of()
    panel = panel_of(signals.show_region_signals, view)
    found = set(zip(panel.table["id"], panel.table["period"], strict=True))
    expected: dict[tuple[str, str], pd.Series] = {}
    for code in ("JP", "AM", "EU", "CN", "AS"):
        judged = judge_again(view, "region", code)
        expected |= {(code, period): row for period, row in judged[judged["direction"] != ""].iterrows()}
    assert found == set(expected)
    for row in panel.table.itertuples():
        again = expected[(row.id, row.period)]
        assert (row.rate, row.low, row.high) == pytest.approx((again["rate"], again["low"], again["high"]))
        assert row.signal.startswith(again["direction"])
    assert panel.table["period"].is_monotonic_decreasing
    # In the demo every region gets better all the time.
    assert "Higher, FY2025 H2: Japan, Americas, Europe, China, Asia." in panel.note and "Lower" not in panel.note
    assert panel.chart and "Drawn: " in panel.title
    drawn = panel.chart().data
    assert drawn["id"].nunique() == 1 and len(drawn) == 12
    assert set(drawn.loc[drawn["period"] >= "FY2024-H1", "state"]) == {"better"}
    assert set(drawn.loc[drawn["period"] < "FY2021-H1", "state"]) == {"worse"}


def test_a_click_on_a_marked_round_opens_the_sites_of_the_region_in_it(
    view_of: ViewOf, panel_of: PanelOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(signals, "open_page", lambda page, **ids: opened.append((page, ids)))
    regions = panel_of(signals.show_region_signals, view_of())
    sites = panel_of(signals.show_site_signals, view_of(), NEWEST)
    for panel in (regions, sites):
        assert panel.on_pick and panel.chart
        panel.on_pick(panel.table.iloc[0].to_dict())
        chart = panel.chart()
        panel.on_pick({name: chart.data[name].iloc[0] for name in chart.picks})
    first = sites.table["id"].iloc[0]
    assert opened[0] == ("sites", {"region": (regions.table["id"].iloc[0],), "period": NEWEST})
    assert opened[1][0] == "sites" and opened[1][1]["period"] == "FY2020-H1"
    assert opened[2:] == [("entity", {"entity": (first,)})] * 2


def test_only_the_newest_round_of_entities_counts(view_of: ViewOf, panel_of: PanelOf) -> None:
    view = view_of()
    panel = panel_of(signals.show_site_signals, view, NEWEST)
    assert set(panel.table["period"]) == {NEWEST}
    for code in panel.table["id"].head(3):
        assert judge_again(view, "entity", code).loc[NEWEST, "direction"] != ""
    found = signals.find_all(view, "entity")
    now = found[found["period"] == NEWEST]
    assert set(panel.table["id"]) == set(now.loc[now["is_marked"], "entity"])
    assert found["is_marked"].sum() > 2 * len(panel.table)
    # Lower ones first, the furthest out before the others.
    assert not panel.table["is_higher"].iloc[0] and panel.table["is_higher"].is_monotonic_increasing
    assert panel.table.groupby("is_higher")["distance"].apply(lambda part: part.is_monotonic_decreasing).all()
    judged = int(now["low"].notna().sum())
    assert (
        f"Of {judged} entities with enough rounds, chance alone marks about {judged * 0.017:.1f} (1.7%)." in panel.note
    )
    higher = int(panel.table["is_higher"].sum())
    assert f"Marked: {len(panel.table) - higher} lower, {higher} higher." in panel.note
    assert panel.chart
    drawn = panel.chart().data
    assert len(drawn) == signals.MOST_DRAWN and drawn["state"].iloc[0] == "worse"


def test_rounds_before_those_shown_count_and_later_ones_do_not(view_of: ViewOf, panel_of: PanelOf) -> None:
    whole = panel_of(signals.show_site_signals, view_of(), NEWEST).table
    one = panel_of(signals.show_site_signals, view_of(from_period=NEWEST, to_period=NEWEST), NEWEST).table
    assert one["id"].tolist() == whole["id"].tolist() and one["low"].tolist() == whole["low"].tolist()
    earlier = signals.find_all(view_of(to_period="FY2023-H2"), "region")
    assert set(earlier["period"]) == {f"FY{year}-H{half}" for year in range(2020, 2024) for half in (1, 2)}
    table = panel_of(signals.show_region_signals, view_of(to_period="FY2023-H2")).table
    assert table["period"].max() <= "FY2023-H2"


def test_an_earlier_knowledge_date_knows_no_later_round(view_of: ViewOf, panel_of: PanelOf) -> None:
    view = view_of(known_on=date(2025, 1, 15))
    newest = cards.find_newest_period(view)
    assert newest and newest < NEWEST
    assert signals.find_all(view, "region")["period"].max() == newest
    panel = panel_of(signals.show_site_signals, view, newest)
    assert set(panel.table["period"]) == {newest} and "FY2025" not in panel.note


@pytest.mark.parametrize("grain", ["year", "quarter"])
def test_years_and_quarters_are_rounds_too(view_of: ViewOf, panel_of: PanelOf, grain: str) -> None:
    view = view_of(grain=grain)
    newest = cards.find_newest_period(view)
    assert newest
    panel = panel_of(signals.show_region_signals, view)
    halves = panel_of(signals.show_region_signals, view_of()).table
    # Self-checks are made twice a year, so that quarters without one are no rounds.
    assert (len(panel.table) == len(halves)) == (grain == "quarter")
    assert panel.chart and len(panel.chart().data) >= MIN_ROUNDS
    assert set(panel_of(signals.show_site_signals, view, newest).table["period"]) == {newest}


@pytest.mark.parametrize("show", [signals.show_region_signals, signals.show_site_signals])
def test_signals_that_cannot_be_told_are_not_told(
    view_of: ViewOf, silence_of: Callable[..., str], show: Callable[..., None]
) -> None:
    def tell(newest: str = NEWEST, **chosen: Any) -> str:
        more = (newest,) if show is signals.show_site_signals else ()
        return silence_of(show, view_of(**chosen), *more)

    assert tell(inspection_type=()).startswith(ONE_TYPE)
    assert tell(inspection_type=("self_check", "mutual_check")).startswith(ONE_TYPE)
    few = tell("FY2022-H1", to_period="FY2022-H1")
    assert few == f"{FEW_ROUNDS}; there is a figure for 5 up to the newest period shown."
    assert tell("FY2020-H1", to_period="FY2020-H1").endswith("a figure for 1 up to the newest period shown.")


def test_nothing_stands_out_and_that_is_said(
    view_of: ViewOf, silence_of: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = View.ask
    kept: dict[str, list[float]] = {"flat": [0.9] * 2, "noise": [0.9, 0.91]}

    def pretend(of: str) -> Callable[..., pd.DataFrame]:
        def answer(self: View, metrics: Any, by: Any = (), **more: Any) -> pd.DataFrame:
            frame = ask(self, metrics, by, **more)
            steps = frame["period"].rank(method="dense").astype(int) % 2
            return frame.assign(**{METRIC: [kept[of][step] for step in steps]})

        return answer

    for day, of, region, site in (
        (date(2026, 3, 1), "noise", "No round stands out.", "No entity stands out. Of "),
        (date(2026, 3, 2), "flat", "The rate was the same", "The rate was the same"),
    ):
        # Nothing else asks for these days, so that nothing else is remembered of them.
        view = view_of(known_on=day)
        newest = cards.find_newest_period(view)
        with monkeypatch.context() as patch:
            patch.setattr(View, "ask", pretend(of))
            assert silence_of(signals.show_region_signals, view).startswith(region)
            assert silence_of(signals.show_site_signals, view, newest).startswith(site)


def test_an_entity_marked_only_earlier_does_not_stand_out_now(view_of: ViewOf, silence_of: Callable[..., str]) -> None:
    found = signals.find_all(view_of(), "entity")
    marked = set(found.loc[found["is_marked"], "entity"])
    now = found[(found["period"] == NEWEST) & found["low"].notna()]
    earlier = sorted(marked & set(now.loc[~now["is_marked"], "entity"]))
    said = silence_of(signals.show_site_signals, view_of(entity=(earlier[0],)), NEWEST)
    assert said == "No entity stands out. Chance alone marks about 1.7% of entities that do not change."


def test_entities_with_too_few_rounds_are_not_judged(view_of: ViewOf, panel_of: PanelOf) -> None:
    view = view_of(to_period="FY2022-H2")
    found = signals.find_all(view, "entity")
    rounds = found.groupby("entity")["rate"].transform("count")
    few = found[rounds < MIN_ROUNDS]
    assert len(few) and not few["is_marked"].any() and few["low"].isna().all()
    panel = panel_of(signals.show_site_signals, view, "FY2022-H2")
    assert len(panel.table) and not set(few["entity"]) & set(panel.table["id"])
    judged = found[(found["period"] == "FY2022-H2") & found["low"].notna()]
    assert f"Of {len(judged)} entities with enough rounds" in panel.note


def test_intervals_over_several_entities_are_said_to_be_too_narrow(view_of: ViewOf, panel_of: PanelOf) -> None:
    def read_note(view: View, by: str) -> str:
        return panel_of(rates.show_rank, view, METRIC, by, period=NEWEST, title="").note

    assert TOO_NARROW in read_note(view_of(), "category")
    assert TOO_NARROW not in read_note(view_of(entity=("AF-0018",)), "category")
    assert TOO_NARROW not in read_note(view_of(), "entity")
    assert "実際より狭くなります" in read_note(view_of("ja"), "category")


QUIET: list[tuple[dict[str, str], tuple[str, ...]]] = [
    ({"entity": "AF-0018"}, ("Fewer than 10 entities", "no order is told")),
    ({"from_": NEWEST, "to": NEWEST}, ()),
    ({"per": "year", "type": "all"}, (ONE_TYPE,)),
    ({"to": "FY2020-H1"}, (FEW_ROUNDS,)),
    ({"known": "2020-12-31"}, (FEW_ROUNDS,)),
    ({"type": "privacy_audit", "per": "quarter", "region": "JP"}, ()),
]


@pytest.mark.parametrize(("address", "sentences"), QUIET, ids=str)
@pytest.mark.parametrize("name", ["sites", "regions"])
def test_pages_with_little_to_tell_say_why(
    open_app: OpenApp, demo_home: Path, name: str, address: dict[str, str], sentences: tuple[str, ...]
) -> None:
    app = open_app(home=demo_home, page=name, lang="en", **address)
    assert [error.value for error in app.exception] == []
    said = list_texts(app)
    assert all(sentence in said for sentence in sentences if name == "sites" or sentence.startswith(("Ch", "How")))
    assert "nan" not in said
    assert all(len(data) for _, data, _ in read_specs(app))
