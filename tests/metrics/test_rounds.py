"""Rounds side by side, against the same worked out row by row from the listing of answers."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from metrics.matching import SETS, MatchQuery, ScoresQuery, match_rounds, read_scores
from metrics.query import Filters, QueryProblem, Scope
from metrics.rounds import VERDICT_NO, RoundQuery, read_round
from metrics.rows import RowsQuery, list_rows
from metrics.spells import SpellsQuery, read_spells, read_spells_together
from metrics.warehouse import Warehouse
from tests.metrics.conftest import DOMAINS
from tests.metrics.inserted_group import Group

KNOWN = datetime(2024, 12, 31)
KNOWN_LATER = datetime(2025, 9, 20)
SELF = Filters(inspection_type=("self_check",))
HELD = [
    (Filters(), Scope(), KNOWN),
    (SELF, Scope(), KNOWN),
    (SELF, Scope(), datetime(2024, 8, 2)),
    (Filters(region=("JP",)), Scope(), KNOWN),
    (Filters(measure=("physical", "human"), inspecting_entity=("E-1",)), Scope(), KNOWN),
    (Filters(), Scope(("E-3", "E-4"), ("self_check",), (DOMAINS[1],)), KNOWN),
    (Filters(business_group=("BG-2",), category=("K1",)), Scope(), KNOWN),
    (Filters(entity=("none",)), Scope(), KNOWN),
]


def told(warehouse: Warehouse, filters: Filters, scope: Scope, known_at: datetime) -> pd.DataFrame:
    """Every answer that counts, by the listing."""
    frame = list_rows(warehouse, RowsQuery("answers", filters, known_at, scope, limit=5000)).frame
    return frame.astype({"verdict": object, "fiscal_half": object})


def ratio_sums(rows: pd.DataFrame) -> tuple[float, float]:
    counted = rows[rows["score"].notna()]
    return float((counted["weight"] * counted["score"]).sum()), float(counted["weight"].sum())


@pytest.mark.parametrize(("filters", "scope", "known_at"), HELD, ids=str)
def test_matched_sets_are_those_worked_out_by_hand(
    wide: Warehouse, filters: Filters, scope: Scope, known_at: datetime
) -> None:
    before, after = "FY2023-H1", "FY2024-H1"
    found = match_rounds(wide, MatchQuery(before, after, filters, known_at, scope)).set_index("entity")
    rows = told(wide, filters, scope, known_at)
    rows = rows[rows["fiscal_half"].isin([before, after])]
    assert sorted(found.index) == sorted(set(rows["entity"]))
    for entity, own in rows.groupby("entity"):
        keys = [own["inspection_type"], own["item_lineage"]]
        sides = {side: own["fiscal_half"] == half for side, half in (("before", before), ("after", after))}

        def in_both(has: pd.Series, keys: Any = keys, sides: Any = sides) -> pd.Series:
            parts = [(has & on_side).groupby(keys).transform("any") for on_side in sides.values()]
            return parts[0] & parts[1]

        within = {
            "all": own["verdict"].notna(),
            "asked": in_both(own["verdict"].notna()),
            "answered": in_both(own["verdict"] != "not_answered"),
            "applicable": in_both(own["score"].notna()),
        }
        for name in SETS:
            for side, on_side in sides.items():
                numerator, denominator = ratio_sums(own[within[name] & on_side])
                assert found.loc[entity, f"{name}_numerator_{side}"] == pytest.approx(numerator), (entity, name, side)
                assert found.loc[entity, f"{name}_denominator_{side}"] == pytest.approx(denominator)


def test_matched_years_hold_both_halves(wide: Warehouse) -> None:
    found = match_rounds(wide, MatchQuery("FY2023", "FY2024", SELF, KNOWN))
    rows = told(wide, SELF, Scope(), KNOWN)
    numerator, denominator = ratio_sums(rows[rows["fiscal_half"].str.startswith("FY2023")])
    assert found["all_numerator_before"].sum() == pytest.approx(numerator)
    assert found["all_denominator_before"].sum() == pytest.approx(denominator)


def test_attributes_are_those_of_the_later_side(wide: Warehouse) -> None:
    found = match_rounds(wide, MatchQuery("FY2023-H1", "FY2024-H1", SELF, KNOWN)).set_index("entity")
    assert found.loc["E-4", "business_group"] == "BG-2"
    assert found.loc["E-3", "region"] == "EU" and found.loc["E-3", "entity_kind"] == "affiliate"


@pytest.mark.parametrize(("filters", "scope", "known_at"), HELD, ids=str)
def test_scores_are_the_worst_of_each_entity_and_item(
    wide: Warehouse, filters: Filters, scope: Scope, known_at: datetime
) -> None:
    found = read_scores(wide, ScoresQuery("FY2024-H1", filters, known_at, scope))
    rows = told(wide, filters, scope, known_at)
    rows = rows[(rows["fiscal_half"] == "FY2024-H1") & rows["score"].notna()]
    wanted = rows.groupby(["entity", "item_lineage"])["score"].min().to_dict()
    assert dict(zip(zip(found["entity"], found["item_lineage"], strict=True), found["score"], strict=True)) == wanted


@pytest.mark.parametrize(("filters", "scope", "known_at"), HELD, ids=str)
def test_rows_of_a_round_stand_beside_the_earlier_answer(
    wide: Warehouse, filters: Filters, scope: Scope, known_at: datetime
) -> None:
    half, earlier = "FY2024-H1", "FY2023-H2"
    found = read_round(wide, RoundQuery(half, earlier, filters, known_at, scope))
    rows = told(wide, filters, scope, known_at)
    now, then = rows[rows["fiscal_half"] == half], rows[rows["fiscal_half"] == earlier]
    assert len(found) == len(now)
    worst: dict[tuple[str, str, str], int] = {}
    for row in then.itertuples():
        key = (row.entity, row.inspection_type, row.item_lineage)
        worst[key] = max(worst.get(key, -1), VERDICT_NO[str(row.verdict)])
    wanted = sorted(
        (
            row.entity,
            row.item_lineage,
            VERDICT_NO[str(row.verdict)],
            worst.get((row.entity, row.inspection_type, row.item_lineage), -1),
        )
        for row in now.itertuples()
    )
    got = sorted(
        zip(
            found["entity"].astype(str),
            found["item_lineage"].astype(str),
            found["verdict"],
            found["earlier_verdict"].fillna(-1).astype(int),
            strict=True,
        )
    )
    assert got == wanted


def test_comments_and_evidence_are_compared_where_both_wrote_them(tmp_path: Path) -> None:
    group = Group(tmp_path)
    group.entity("A")
    for code in "abcd":
        group.item(code)
    for half, comments in (
        ("FY2024-H1", {"a": ("done", True), "b": ("done", False), "c": (None, None), "d": (None, None)}),
        ("FY2025-H1", {"a": ("done", True), "b": ("late", True), "c": ("new", True), "d": (None, None)}),
    ):
        number = group.inspection("A", half)
        for code, (comment, evidence) in comments.items():
            told = {"comment": comment, "has_evidence": evidence, "known_from": KNOWN_LATER}
            group.answer(number, code, "met", **told)
    group.write()
    warehouse = Warehouse.open_newest(tmp_path)
    found = read_round(warehouse, RoundQuery("FY2025-H1", "FY2024-H1")).sort_values("item_no")
    warehouse.close()
    assert found["is_same_comment"].tolist() == [True, False, False, pd.NA]
    assert found["is_same_evidence"].tolist() == [True, False, False, pd.NA]


def test_scores_that_are_not_their_verdicts_count_as_they_are(tmp_path: Path) -> None:
    group = Group(tmp_path)
    group.entity("A")
    group.entity("B")
    group.item("a")
    group.item("b")
    for half, of_a, of_b in (("FY2024-H1", 0.25, 0.9), ("FY2025-H1", 0.75, 0.8)):
        for entity in "AB":
            number = group.inspection(entity, half)
            group.answer(number, "a", "partly_met", score=of_a if entity == "A" else 0.5, known_from=KNOWN_LATER)
            group.answer(number, "b", "met", score=of_b if entity == "A" else 1.0, known_from=KNOWN_LATER)
    group.write()
    warehouse = Warehouse.open_newest(tmp_path)
    matched = match_rounds(warehouse, MatchQuery("FY2024-H1", "FY2025-H1")).set_index("entity")
    scores = read_scores(warehouse, ScoresQuery("FY2025-H1"))
    warehouse.close()
    numerators = matched[["applicable_numerator_before", "applicable_numerator_after"]]
    assert numerators.loc["A"].tolist() == [1.15, 1.55] and numerators.loc["B"].tolist() == [1.5, 1.5]
    assert sorted(zip(scores["entity"], scores["score"], strict=True)) == [
        ("A", 0.75),
        ("A", 0.8),
        ("B", 0.5),
        ("B", 1),
    ]


def test_both_sides_are_read_however_long_they_were_known_apart(tmp_path: Path) -> None:
    group = Group(tmp_path)
    group.entity("A")
    group.item("a")
    for half, verdict, year in (("FY2023-H1", "not_met", 2023), ("FY2024-H1", "met", 2024), ("FY2025-H1", "met", 2025)):
        group.answer(
            group.inspection("A", half, known_from=datetime(year, 9, 20)),
            "a",
            verdict,
            known_from=datetime(year, 9, 20),
        )
    group.write()
    warehouse = Warehouse.open_newest(tmp_path)
    (matched,) = match_rounds(warehouse, MatchQuery("FY2023-H1", "FY2025-H1")).to_dict("records")
    found = read_round(warehouse, RoundQuery("FY2025-H1", "FY2023-H1"))
    warehouse.close()
    assert (matched["applicable_numerator_before"], matched["applicable_denominator_before"]) == (0, 1)
    assert (matched["applicable_numerator_after"], matched["applicable_denominator_after"]) == (1, 1)
    assert found["earlier_verdict"].tolist() == [2]


def spells_by_hand(rows: pd.DataFrame, newest_round: dict[Any, str]) -> list[tuple[Any, ...]]:
    """Spells of each entity, type and item, half after half."""
    order = {"not_applicable": -1, "met": 0, "partly_met": 1, "not_met": 2}
    keys: dict[tuple[str, str, str], dict[str, int | None]] = defaultdict(dict)
    for row in rows.itertuples():
        halves = keys[row.entity, row.inspection_type, row.item_lineage]
        verdict = order.get(str(row.verdict))
        before = halves.get(str(row.fiscal_half))
        halves[str(row.fiscal_half)] = (
            verdict if before is None else before if verdict is None else max(before, verdict)
        )
    found = []
    for (entity, kind, lineage), halves in keys.items():
        path = [(half, verdict) for half, verdict in sorted(halves.items()) if verdict is not None]
        spell: list[tuple[str, int]] = []
        for place, (half, verdict) in enumerate(path):
            if verdict > 0:
                spell.append((half, verdict))
            following = path[place + 1][1] if place + 1 < len(path) else None
            if spell and verdict > 0 and (following is None or following <= 0):
                is_now = following is None and max(halves) == newest_round[entity, kind]
                first = path[0][0] == spell[0][0]
                not_met = sum(one == 2 for _, one in spell)
                found.append(
                    (entity, kind, lineage, spell[0][0], half, len(spell), not_met, following == 0, is_now, first)
                )
                spell = []
    return sorted(found)


FACTS = ["rounds", "not_met_rounds", "is_fixed", "is_current", "is_from_start"]


@pytest.mark.parametrize(("filters", "scope", "known_at"), HELD, ids=str)
def test_spells_are_those_worked_out_by_hand(
    wide: Warehouse, filters: Filters, scope: Scope, known_at: datetime
) -> None:
    rows = told(wide, filters, scope, known_at)
    newest = rows.groupby(["entity", "inspection_type"])["fiscal_half"].max().to_dict()
    wanted = spells_by_hand(rows, newest)
    found = read_spells(wide, SpellsQuery(None, 0, False, filters, known_at, scope))
    columns = ["entity", "inspection_type", "item_lineage", "since", "last", *FACTS]
    assert sorted(found[columns].itertuples(index=False, name=None)) == wanted
    counted = read_spells(wide, SpellsQuery(("measure", "entity"), 0, False, filters, known_at, scope))
    assert counted["spells"].sum() == len(wanted)
    by_hand = found.groupby(["measure", "entity", *FACTS], dropna=False).size()
    assert counted.groupby(["measure", "entity", *FACTS], dropna=False)["spells"].sum().equals(by_hand) or not wanted


def test_questions_about_spells_read_together_are_answered_as_each_is_alone(wide: Warehouse) -> None:
    queries = [
        SpellsQuery(by, least, only_current, SELF, KNOWN)
        for by in (("region", "item_lineage"), ("category",), None)
        for least, only_current in ((0, False), (2, True))
    ]
    for query, found in zip(queries, read_spells_together(wide, queries), strict=True):
        pd.testing.assert_frame_equal(found, read_spells(wide, query))
        assert len(found), query


def test_spells_go_back_beyond_the_first_period_and_end_with_the_last(wide: Warehouse) -> None:
    whole = read_spells(wide, SpellsQuery(filters=SELF, known_at=KNOWN))
    held = Filters(inspection_type=("self_check",), period_from="FY2023-H2", period_to="FY2023-H2")
    ended = read_spells(wide, SpellsQuery(filters=held, known_at=KNOWN))
    assert (ended["since"] == "FY2023-H1").any()
    assert ended["last"].max() == "FY2023-H2" < whole["last"].max()


def test_spell_of_an_entity_that_left_or_of_an_item_no_longer_asked_is_not_current(tmp_path: Path) -> None:
    group = Group(tmp_path)
    group.entity("stays")
    group.entity("left", valid_to=date(2024, 12, 15))
    group.item("kept")
    group.item("dropped")
    for half in ("FY2023-H2", "FY2024-H1"):
        for entity in ("stays", "left"):
            group.inspection(entity, half, {"kept": "not_met", "dropped": "not_met"})
    group.inspection("stays", "FY2025-H1", {"kept": "not_met"})
    group.write()
    warehouse = Warehouse.open_newest(tmp_path)
    found = read_spells(warehouse, SpellsQuery())
    only = read_spells(warehouse, SpellsQuery(None, 3, True))
    warehouse.close()
    current = {(row.entity, row.item_lineage.rpartition("|")[2]) for row in found.itertuples() if row.is_current}
    assert current == {("stays", "kept")} and len(found) == 4
    assert only["item_lineage"].tolist() == ["SEC|2020|kept"] and only["not_met_rounds"].tolist() == [3]


@pytest.mark.parametrize(
    "make",
    [
        lambda: MatchQuery("FY2024", "FY2024-H1"),
        lambda: MatchQuery("FY2024-H1", "FY2024-H1"),
        lambda: MatchQuery("soon", "later"),
        lambda: RoundQuery("FY2024", "FY2023"),
        lambda: SpellsQuery(("colour",)),
        lambda: SpellsQuery(filters=Filters(verdict=("met",))),
        lambda: MatchQuery("FY2023", "FY2024", Filters(answer=("×",))),
    ],
)
def test_questions_that_cannot_be_asked_are_refused(make: Any) -> None:
    with pytest.raises(QueryProblem):
        make()
