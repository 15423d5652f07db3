"""Headlines of the overview: every number can be asked for again, each sentence leads on, and nothing is made up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import cards
from dashboard.group.headlines import find_headlines, say_headline
from dashboard.navigation import ENTRIES
from dashboard.view import View
from insights.headlines import Headlines, Term
from metrics.ask import answer
from metrics.spells import SpellsQuery, read_spells
from metrics.warehouse import Warehouse

OpenApp = Callable[..., AppTest]
SELECTIONS: list[dict[str, Any]] = [
    {},
    {"language": "ja"},
    {"region": ("EU", "CN")},
    {"grain": "year", "inspection_type": ()},
    {"known_on": date(2025, 11, 30)},
    {"measure": ("physical",), "from_period": "FY2024-H1"},
]


def tell(view: View) -> Headlines:
    newest = cards.find_newest_period(view)
    assert newest
    return find_headlines(view, newest, cards.find_period_before(view, newest))


def ask_again(warehouse: Warehouse, terms: tuple[Term, ...]) -> float:
    """A number from its questions alone."""
    total = 0.0
    for term in terms:
        if isinstance(term.query, SpellsQuery):
            frame = read_spells(warehouse, term.query)
        else:
            frame = answer(warehouse, term.query).frame
            assert len(frame) == 1
        total += term.sign * float(frame[term.column].sum())
    return total


@pytest.mark.parametrize("chosen", SELECTIONS, ids=str)
def test_every_number_can_be_recomputed_from_its_query(view_of: Callable[..., View], chosen: dict[str, Any]) -> None:
    view = view_of(**chosen)
    found = tell(view)
    assert found.told
    for headline in found.told:
        for number in headline.numbers:
            value = ask_again(view.build.warehouse, number.terms)
            if number.over:
                value /= ask_again(view.build.warehouse, number.over)
            assert number.value == pytest.approx(value, abs=1e-9), (headline.kind, number.name)


def test_sentences_of_the_demo_group_tell_its_stories(view_of: Callable[..., View]) -> None:
    view = view_of()
    found = tell(view)
    said = {headline.kind: say_headline(view, headline) for headline in found.told}
    assert said["optimistic_region"] == (
        "In Asia, self-checks see more as met than outside checks do: net optimism 29.1% of 6,763 pairs, 6.6% elsewhere."
    )
    assert said["lapsed_privacymarks"] == "PrivacyMarks that have lapsed: 1."
    assert "was restated from 80.8% to 72.1%" in said["restated"]
    assert {"chronic_critical", "overdue_actions", "missing_inspections"} <= set(said)
    japanese = view_of(language="ja")
    for headline in tell(japanese).told:
        sentence = say_headline(japanese, headline)
        assert sentence.endswith("。") and "{" not in sentence and not sentence.isascii()


def test_headlines_are_as_known_at_the_chosen_day(view_of: Callable[..., View]) -> None:
    # The self-check was corrected on 2025-12-10.
    kinds = [headline.kind for headline in tell(view_of(known_on=date(2025, 12, 9))).told]
    assert "restated" not in kinds


def test_overview_shows_them_and_each_leads_to_its_view(open_app: OpenApp, demo_home: Path) -> None:
    app = open_app(home=demo_home, lang="en")
    assert not app.exception
    sentences = [element.value for element in app.text]
    number = next(
        place
        for place, text in enumerate(text for text in sentences if text in sentences[1:])
        if text.startswith("In Asia, self-checks")
    )
    app.button(key=f"headline-{number}-open").click().run()
    assert not app.exception
    assert [element.value.replace("\\", "") for element in app.title] == [ENTRIES["pairs"].title]
    assert app.query_params.get("region") in ("AS", ["AS"])


def test_one_entity_and_one_period_are_told_nothing_wrong(open_app: OpenApp, demo_home: Path) -> None:
    for address in (
        {"entity": "AF-0018"},
        {"from": "FY2025-H2", "to": "FY2025-H2"},
        {"entity": "HQ-0001", "per": "year"},
    ):
        app = open_app(
            home=demo_home,
            lang="en",
            **{f"{name}_" if name == "from" else name: value for name, value in address.items()},
        )
        assert not app.exception
        captions = "\n".join(element.value for element in app.caption)
        assert "comparisons were made" in captions or "Nothing stands out" in captions or "entity" in address


def test_waterfall_of_the_overview_adds_up(open_app: OpenApp, demo_home: Path) -> None:
    app = open_app(home=demo_home, page="changes", lang="en", a="FY2022-H2", b="FY2023-H1")
    assert not app.exception
    app.session_state["drivers-tabs"] = "Table"
    app.run()
    table = next(one.value for one in app.dataframe if "within" in one.value and "name" in one.value)
    total = table[table["name"] == "All"].iloc[0]
    parts = ["within", "not_applicable", "not_answered", "revision", "mix", "entry", "exit"]
    assert total[parts].sum() == pytest.approx(total["change"], abs=1e-9)
    by_region = table[table["name"] != "All"]
    assert pd.Series(by_region[parts].sum()).to_numpy() == pytest.approx(total[parts].to_numpy(dtype=float), abs=1e-9)
    # The checklist was revised between the two.
    assert abs(total["revision"]) > 0.01
