"""A scope beside the rest of the group: figures worked out by hand, and an attacker who tries every combination."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.ask import answer
from metrics.comparison import ComparisonQuery, compare_with_group
from metrics.query import Filters, Query, QueryProblem, Scope
from metrics.releases import ALL_MEASURES, DAY_END, DOMINANT_SHARE, Release, list_releases
from metrics.warehouse import Warehouse
from tests.metrics.inserted_group import Group

FIRST = datetime(2025, 9, 1)
OWN = ("O-1", "O-2")
HALF = "FY2025-H1"

State = dict[tuple[int, str], tuple[float, float]]
"""Sums of an entity and measure: Σ weight × score and Σ weight."""


def day(number: int) -> datetime:
    return FIRST + timedelta(days=number)


# ---- The attacker: who knows every sum of every release, and looks for a combination that tells of fewer than k.


def write_changes(days: list[State]) -> pd.DataFrame:
    """Changes from day to day; what a state does not name is withdrawn."""
    rows = []
    for number, (before, after) in enumerate(zip([{}, *days], days, strict=False)):
        for key in sorted({*before, *after}):
            (old_scored, old_weight), (scored, weight) = before.get(key, (0, 0)), after.get(key, (0, 0))
            if (old_scored, old_weight) != (scored, weight):
                moment = day(number) + timedelta(minutes=key[0])
                rows.append((*key, moment, float(scored - old_scored), float(weight - old_weight)))
    frame = pd.DataFrame(rows, columns=["entity", "measure", "changed_at", "scored", "weight"])
    return frame.astype({"changed_at": "datetime64[us]"})


def list_told(
    days: list[State], releases: list[Release]
) -> list[tuple[frozenset[tuple[int, str, float, float]], float]]:
    """What stands behind each sum that was told, worked out from the states alone, and the sum."""
    first_seen = list(dict.fromkeys(write_changes(days)["entity"]))
    told = []
    for release in releases:
        state = days[(release.released_at - DAY_END - FIRST).days]
        held = [(entity, measure, *sums) for (entity, measure), sums in state.items()]
        rates = {}
        for entity in first_seen:
            own = [one for one in held if one[0] == entity]
            if own:
                rates[entity] = sum(one[2] for one in own) / sum(one[3] for one in own)
        ranked = sorted(rates, key=lambda entity: (rates[entity], first_seen.index(entity)))
        outer = len(ranked) // 3
        thirds = [ranked[:outer], ranked[outer : len(ranked) - outer], ranked[len(ranked) - outer :]]
        for name, sums in release.sums.items():
            inside = [one for one in held if name in (one[1], ALL_MEASURES)]
            told.append((frozenset(inside), sums.scored))
            assert sums.weight == sum(one[3] for one in inside)
            assert sums.entities == len({one[0] for one in inside})
            if release.thirds_at == release.released_at:
                for third, of_third in zip(thirds, release.thirds[name], strict=True):
                    part = frozenset(one for one in inside if one[0] in third)
                    told.append((part, of_third.scored))
                    assert of_third.entities == len({one[0] for one in part})
    for behind, scored in told:
        assert scored == sum(one[2] for one in behind)
    return told


def find_revealed(told: Iterable[frozenset[tuple[int, str, float, float]]], least: int) -> set[int]:
    """Entities of which, fewer than k together, some combination of the sums told anything; none is what we want.

    Only these take part in a combination that lies in the space of the sums and in that of their results: of length 1,
    it is as long within their columns of the projection on the space of the sums.
    """
    sums = list(dict.fromkeys(told))
    if not sums:
        return set()
    results = sorted({one for behind in sums for one in behind})
    _, sizes, space = np.linalg.svd(
        np.array([[one in behind for one in results] for behind in sums], dtype=float), full_matrices=False
    )
    space = space[sizes > 1e-9 * sizes[0]]
    columns: dict[int, list[int]] = {}
    for place, result in enumerate(results):
        columns.setdefault(result[0], []).append(place)
    # Every smaller set is in one of these.
    for some in combinations(columns, least - 1):
        of_some = space[:, [place for entity in some for place in columns[entity]]]
        if np.linalg.eigvalsh(of_some.T @ of_some)[-1] > 1 - 1e-9:
            return {*some}
    return set()


def make_days(seed: int) -> list[State]:
    """A made-up history: entities hand in, correct, take corrections back and withdraw, in loads small and large."""
    chance = random.Random(seed)
    is_even = chance.random() < 0.4
    entities = chance.randint(12, 22) if is_even else chance.randint(4, 14)
    measures = "abcd"[: chance.randint(1, 4)]
    share = 1 if is_even else chance.choice((0.5, 0.9))
    asked = {one: [name for name in measures if chance.random() < share] for one in range(entities)}
    weights = [1 if is_even else chance.choice((1, 1, 2, 2, 9)) for _ in range(entities)]
    busy = entities if is_even else chance.choice((3, 6, entities))
    state: State = {}
    history: dict[tuple[int, str], list[tuple[float, float]]] = {}
    days = []
    for _ in range(chance.randint(1, 9)):
        state = dict(state)
        for entity in chance.sample(range(entities), chance.randint(1, min(busy, entities))):
            for name in asked[entity] if chance.random() < 0.8 else asked[entity][:1]:
                key = (entity, name)
                if chance.random() < 0.05:
                    state.pop(key, None)
                elif chance.random() < 0.2 and key in history:
                    state[key] = chance.choice(history[key])
                else:
                    weight = weights[entity] * chance.randint(1, 2)
                    state[key] = (chance.randint(0, 2 * weight) / 2, weight)
                    history.setdefault(key, []).append(state[key])
        days.append(state)
    return days


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([3, 3, 4]))
def test_no_combination_of_what_was_told_is_of_fewer_than_k(seed: int, least: int) -> None:
    days = make_days(seed)
    releases = list_releases(write_changes(days), least)
    told = list_told(days, releases)
    assert not find_revealed((behind for behind, _ in told), least)
    for behind, _ in told:
        weight: dict[int, float] = {}
        for entity, _, _, one in behind:
            weight[entity] = weight.get(entity, 0) + one
        assert len(weight) >= least and max(weight.values()) <= DOMINANT_SHARE * sum(weight.values())
    # What a later build knows changes nothing of what was told before.
    for number in range(len(days)):
        until = [one for one in releases if one.released_at <= day(number) + DAY_END]
        assert list_releases(write_changes(days[: number + 1]), least) == until


def change_some(state: State, entities: Iterable[int], measure: str, scored: float) -> State:
    return state | {(entity, measure): (scored, 4) for entity in entities}


def test_corrections_taken_back_are_nothing_new() -> None:
    """Else the last day less the first would be what was corrected of entity 0 alone."""
    first: State = {(entity, "a"): (2, 4) for entity in range(6)}
    second = change_some(first, range(4), "a", 3)
    days = [first, second, change_some(second, range(1, 4), "a", 2)]
    releases = list_releases(write_changes(days), 3)
    assert [one.released_at for one in releases] == [day(0) + DAY_END, day(1) + DAY_END]


def test_what_is_hidden_together_waits_too() -> None:
    """Else all measures less those that are shown would tell of the one entity that changed where nothing is shown."""
    first: State = {(entity, name): (2, 4) for entity in range(6) for name in "ac"}
    first |= {(entity, "b"): (2, 4) for entity in range(2)}
    days = [first, change_some(change_some(first, range(4), "c", 3), [0], "a", 3)]
    releases = list_releases(write_changes(days), 3)
    assert [one.released_at for one in releases] == [day(0) + DAY_END]
    assert releases[0].withheld == {"a": "complementary", "b": "few"}
    days.append(change_some(days[1], range(1, 3), "b", 1))
    again = list_releases(write_changes(days), 3)[-1]
    assert again.released_at == day(2) + DAY_END and set(again.sums) == {ALL_MEASURES, "c"}


def test_made_up_histories_reach_every_case() -> None:
    """An attacker who is never told anything finds nothing: thirds, hidden measures and many releases must occur."""
    found = {"several": 0, "thirds again": 0, "few": 0, "dominant": 0, "complementary": 0}
    for seed in range(80):
        releases = list_releases(write_changes(make_days(seed)), 3)
        found["several"] += len(releases) > 2
        found["thirds again"] += len({one.thirds_at for one in releases} - {None}) > 1
        for release in releases:
            for reason in release.withheld.values():
                found[reason] += 1
    assert min(found.values()) >= 3, found


# ---- The warehouse: figures worked out by hand, through the schema that the load fills.


def answer_items(met: int, partly_met: int = 0, not_met: int = 0, measure: str = "P") -> dict[str, str]:
    verdicts = ["met"] * met + ["partly_met"] * partly_met + ["not_met"] * not_met
    return {f"{measure}{number}": verdict for number, verdict in enumerate(verdicts)}


RATES = [(0, 4), (1, 3), (1, 3), (2, 2), (2, 2), (3, 1), (3, 1), (4, 0), (4, 0)]
"""Physical items met and not met of nine others; all meet both human items."""


def start_group(home: Path, others: int) -> Group:
    group = Group(home)
    for code in (*OWN, *(f"X-{number}" for number in range(others))):
        group.entity(code)
    for number in range(4):
        group.item(f"P{number}")
    for number in range(2):
        group.item(f"H{number}", "human")
    return group


def open_group(group: Group, name: str = "build") -> Warehouse:
    return Warehouse.open(group.write(name))


@pytest.fixture
def small(tmp_path: Path) -> Warehouse:
    """Two entities of the reader and nine others, who hand in on three days, three of them each day."""
    group = start_group(tmp_path, len(RATES))
    for number, (met, not_met) in enumerate(RATES):
        verdicts = answer_items(met, 0, not_met) | answer_items(2, measure="H")
        group.inspection(f"X-{number}", HALF, verdicts, day(number // 3) + timedelta(hours=number))
    group.inspection("O-1", HALF, answer_items(3, 1) | answer_items(1, 0, 1, "H"), day(1))
    group.inspection("O-2", HALF, answer_items(1, 0, 3), day(9))
    return open_group(group)


def compare(warehouse: Warehouse, least: int = 3, known_at: datetime | None = None, **more: object) -> pd.DataFrame:
    query = ComparisonQuery(Scope(OWN), least, known_at=known_at, **more)  # type: ignore[arg-type]
    return compare_with_group(warehouse, query).set_index("measure")


def test_figures_worked_out_by_hand(small: Warehouse) -> None:
    found = compare(small)
    assert list(found.index) == [ALL_MEASURES, "human", "physical"]
    assert (found["released_at"] == day(2) + DAY_END).all()
    assert found["withheld"].isna().all()
    # The others: 20 of 36 physical items and all 18 human ones; O-2 handed in after the release.
    assert found["rest_rate"].tolist() == pytest.approx([38 / 54, 1, 20 / 36])
    assert found["own_rate"].tolist() == pytest.approx([4.5 / 6, 1 / 2, 3.5 / 4])
    assert found["group_rate"].tolist() == pytest.approx([42.5 / 60, 19 / 20, 23.5 / 40])
    assert found["rest_entities"].tolist() == [9, 9, 9]
    assert found["group_entities"].tolist() == [10, 10, 10]
    # On each day one third handed in, the weakest first: to take a day from them leaves nobody, so they are not told.
    assert found["weakest_rate"].isna().all()


def test_thirds_are_told_where_no_release_tells_them_apart(tmp_path: Path) -> None:
    group = start_group(tmp_path, len(RATES))
    for number, (met, not_met) in enumerate(RATES):
        verdicts = answer_items(met, 0, not_met) | answer_items(2, measure="H")
        group.inspection(f"X-{number}", HALF, verdicts, day(0))
    found = compare(open_group(group))
    thirds = found[["weakest_rate", "middle_rate", "strongest_rate"]]
    assert thirds.loc["physical"].tolist() == pytest.approx([2 / 12, 7 / 12, 11 / 12])
    assert thirds.loc[ALL_MEASURES].tolist() == pytest.approx([8 / 18, 13 / 18, 17 / 18])
    assert (found["thirds_at"] == day(0) + DAY_END).all()
    assert found["own_entities"].tolist() == [0, 0, 0]
    # Nine are three thirds of three, and not of four.
    assert compare(open_group(group, "again"), least=4)["weakest_rate"].isna().all()


def test_own_rate_is_that_of_the_catalog(small: Warehouse) -> None:
    for known_at in (day(1) + DAY_END, day(2) + DAY_END, day(12)):
        found = compare(small, known_at=known_at)
        asked = Query(
            ("compliance_rate",),
            ("measure",),
            Filters(inspection_type=("self_check",), fiscal_half=(HALF,)),
            found["released_at"].iloc[0].to_pydatetime(),
            Scope(OWN),
        )
        rates = answer(small, asked).frame.set_index("measure")["compliance_rate"]
        assert found["own_rate"].drop(ALL_MEASURES).to_dict() == pytest.approx(rates.to_dict())


def test_k_holds_and_a_day_counts_when_it_is_over(small: Warehouse) -> None:
    assert compare(small, known_at=day(0) + timedelta(hours=23)).empty
    assert compare(small, known_at=day(0) + DAY_END)["rest_entities"].tolist() == [3] * 3
    assert compare(small, least=4, known_at=day(0) + DAY_END)["rest_rate"].isna().all()
    # Of nine, four make a release on the second day, and five more none: three are left.
    assert compare(small, least=4)["rest_entities"].tolist() == [6] * 3
    assert compare(small, least=9)["rest_entities"].tolist() == [9] * 3
    withheld = compare(small, least=10)
    assert withheld["withheld"].tolist() == ["few"] * 3 and withheld["group_rate"].isna().all()
    assert withheld.loc[ALL_MEASURES, "own_rate"] == pytest.approx(5.5 / 10)


def test_one_more_hand_in_or_correction_changes_nothing(tmp_path: Path) -> None:
    """Two builds one hand-in apart, and figures as known before and after it, are the same."""
    answers = answer_items(2, 1, 1) | answer_items(2, measure="H")
    frames = []
    for more in (False, True):
        group = start_group(tmp_path / str(more), 6)
        for number in range(4):
            group.inspection(f"X-{number}", HALF, answers, day(0))
        if more:
            group.inspection("X-4", HALF, answer_items(4), day(3))
            corrected = group.inspection("X-3", HALF, {}, day(0), inspection_id=99)
            group.answer(corrected, "H0", "not_met", known_from=day(4))
        warehouse = open_group(group)
        frames += [compare(warehouse), compare(warehouse, known_at=day(2))]
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0])


def test_measures_of_few_entities_or_of_one_that_outweighs_are_hidden_with_another(tmp_path: Path) -> None:
    group = start_group(tmp_path, 5)
    for number in range(40):
        group.item(f"T{number}", "technological")
    for number in range(5):
        human = answer_items(2, measure="H") if number < 2 else {}
        technological = answer_items(38 if number == 0 else 3, measure="T")
        group.inspection(f"X-{number}", HALF, answer_items(4) | human | technological, day(0))
    found = compare(open_group(group))
    # X-0 outweighs the others in technological items, and over all measures too.
    assert found["withheld"].to_dict() == {
        ALL_MEASURES: "dominant",
        "human": "few",
        "physical": "complementary",
        "technological": "dominant",
    }
    group = start_group(tmp_path / "second", 5)
    for number in range(4):
        group.item(f"T{number}", "technological")
    for number in range(5):
        human = answer_items(2, measure="H") if number < 2 else {}
        group.inspection(
            f"X-{number}", HALF, answer_items(4) | human | answer_items(3 - number % 2, measure="T"), day(0)
        )
    found = compare(open_group(group))
    assert found["withheld"].dropna().to_dict() == {"human": "few", "physical": "complementary"}
    assert found["rest_rate"].notna().to_dict() == {
        ALL_MEASURES: True,
        "human": False,
        "physical": False,
        "technological": True,
    }


def test_entities_seen_under_another_grant_are_no_rest(small: Warehouse) -> None:
    """Else the difference of what two grants tell would be one entity: nine others, and the same without X-0 to X-5."""
    seen = tuple(f"X-{number}" for number in range(6))
    found = compare(small, also_seen=seen)
    assert found["rest_entities"].tolist() == [3] * 3
    assert found["rest_rate"].tolist() == pytest.approx([17 / 18, 1, 11 / 12])
    assert found["group_rate"].tolist() == compare(small)["group_rate"].tolist()
    swapped = ComparisonQuery(Scope(seen), 3, also_seen=OWN)
    other = compare_with_group(small, swapped).set_index("measure")
    assert other["rest_rate"].tolist() == found["rest_rate"].tolist()
    assert compare(small, least=4, also_seen=seen)["rest_rate"].isna().all()


def test_scope_holds_types_and_domains(small: Warehouse) -> None:
    nothing = [Scope(OWN, ("mutual_check",)), Scope(OWN, None, ("personal_information",)), Scope(OWN, ())]
    assert all(compare_with_group(small, ComparisonQuery(scope, 3)).empty for scope in nothing)


def test_no_code_name_or_single_rate_of_another_is_in_the_frame(small: Warehouse) -> None:
    for known_at in [day(number) + DAY_END for number in range(4)]:
        frame = compare(small, known_at=known_at)
        assert "X-" not in frame.reset_index().to_csv()
        assert "rest_numerator" not in frame and not [name for name in frame if "weight" in name]


@pytest.mark.parametrize(
    ("scope", "least", "word"), [(Scope(), 5, "whole group"), (Scope(OWN), 2, "fewer than 3"), (Scope(OWN), 0, "fewer")]
)
def test_what_would_tell_of_single_entities_is_refused(scope: Scope, least: int, word: str) -> None:
    with pytest.raises(QueryProblem, match=word):
        ComparisonQuery(scope, least)
