"""Tick-box signs: runs as published, planted habits found, levels held in groups without a story, and the edges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.tick_box import MIN_ENTITIES, NOMINAL_FDR, SIGNS, VERDICTS, find_longest_run, judge_self_checks

CODES = np.array(VERDICTS)


def draw_round(seed: int, entities: int = 60, items: int = 120, strength: float = 1.2) -> pd.DataFrame:
    """A round of self-checks beside one a year before, drawn as the demo group draws them, without any story."""
    rng = np.random.default_rng(seed)
    shape = (entities, items)
    level = strength + 0.55 * rng.standard_normal((entities, 1)) + 0.84 * rng.standard_normal(shape)
    level = level - 0.6 * rng.standard_normal(items)
    does_not_apply = rng.random(shape) < np.where(rng.random(items) < 0.15, 0.2, 0.008)

    def answer() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        degree = level + 0.5 * rng.standard_normal(shape)
        verdict = (degree <= 0).astype(np.int8) + (degree <= -0.7).astype(np.int8)
        verdict[does_not_apply] = 3
        verdict[rng.random(shape) < 0.006] = 4
        comment = np.where(
            rng.random(shape) < np.array([0, 0.74, 0.92, 0.43, 0])[verdict], rng.integers(36, size=shape), -1
        )
        evidence = np.where(verdict > 2, -1, rng.random(shape) < np.array([0.84, 0.47, 0.08, 0, 0])[verdict])
        return verdict, comment, evidence.astype(np.int8)

    (before, comment_before, evidence_before), (verdict, comment, evidence) = answer(), answer()

    def flag(values: np.ndarray, is_known: np.ndarray) -> pd.arrays.BooleanArray:
        return pd.arrays.BooleanArray(values.ravel().astype(bool), ~is_known.ravel())

    return pd.DataFrame(
        {
            "entity": np.repeat([f"E{n:03d}" for n in range(entities)], items),
            "item_no": np.tile(np.arange(items), entities),
            "verdict": verdict.ravel(),
            "has_evidence": flag(evidence == 1, evidence >= 0),
            "earlier_verdict": before.ravel(),
            "is_same_comment": flag(comment == comment_before, (comment >= 0) | (comment_before >= 0)),
            "is_same_evidence": flag(evidence == evidence_before, (evidence >= 0) | (evidence_before >= 0)),
        }
    )


def copy_all(frame: pd.DataFrame, entity: str) -> pd.DataFrame:
    """The entity hands in its earlier answers, comments and evidence again."""
    copied, rows = frame.copy(), frame["entity"] == entity
    copied.loc[rows, "verdict"] = copied.loc[rows, "earlier_verdict"]
    for name in ("is_same_comment", "is_same_evidence"):
        copied.loc[rows, name] = copied.loc[rows, name].where(copied.loc[rows, name].isna(), True)
    return copied


def find_unusual(frame: pd.DataFrame, sign: str) -> list[str]:
    found = judge_self_checks(frame)
    return found.loc[found[f"{sign}_is_unusual"], "entity"].tolist()


def test_longest_runs_are_those_of_careless() -> None:
    """Data that longstring of the R package careless is tested with: 10, 20, ... 90, 10."""
    wave = np.arange(100) % 2
    rows = [np.where(np.arange(100) < 10 * length, 1, wave) for length in range(1, 10)]
    rows.append((np.arange(100) // 10 + 1) % 2)
    assert find_longest_run(np.array(rows)).tolist() == [*range(10, 100, 10), 10]


def test_variability_is_that_of_curran() -> None:
    """Standard deviation within the respondent, as `irv` of careless gives it for the answers of Curran (2016)."""
    scores = np.array([[2] * 10, [0, 1, 2, 1, 0] * 2, [0] * 5 + [2] * 5])
    frame = pd.DataFrame(
        {
            "entity": np.repeat(list("ABC"), 10),
            "item_no": np.tile(range(10), 3),
            "verdict": scores.ravel().astype(np.int8),
        }
    )
    expected = (1 - scores / 2).std(axis=1, ddof=1)
    np.testing.assert_allclose(judge_self_checks(frame)["variability"], expected, atol=1e-12)


@settings(max_examples=50)
@given(st.lists(st.lists(st.sampled_from([0.0, 1.0, float("nan")]), min_size=6, max_size=6), max_size=5))
def test_longest_run_is_that_of_a_plain_loop(rows: list[list[float]]) -> None:
    def longest(row: list[float]) -> int:
        best = run = 0
        for place, value in enumerate(row):
            run = run + 1 if place and value == row[place - 1] else int(value == value)
            best = max(best, run)
        return best

    assert find_longest_run(np.array(rows).reshape(len(rows), 6)).tolist() == [longest(row) for row in rows]


def test_figures_of_one_entity_by_hand() -> None:
    frame = pd.DataFrame(
        {
            "entity": "A",
            "item_no": [3, 1, 2, 4, 5, 6, 7],
            "verdict": ["met", "met", "met", "not_met", "not_applicable", "not_answered", "partly_met"],
            "has_evidence": pd.array([True, False, None, False, None, None, True], dtype="boolean"),
            "earlier_verdict": ["met", "met", "not_met", "not_met", "met", "met", None],
            "is_same_comment": pd.array([None, None, False, True, None, None, None], dtype="boolean"),
            "is_same_evidence": pd.array([True, True, None, False, None, None, None], dtype="boolean"),
        }
    )
    found = judge_self_checks(frame).iloc[0]
    assert found[["answers", "longest_run", "compared", "telling", "gained"]].tolist() == [6, 3, 5, 4, 1]
    assert found["copied_share"] == pytest.approx(2 / 5) and found["telling_copied_share"] == pytest.approx(1 / 4)
    assert found["met_without_evidence_share"] == pytest.approx(1 / 2)
    assert (found["not_applicable_share"], found["earlier_not_applicable_share"]) == (pytest.approx(1 / 5), 0)
    assert found["variability"] == pytest.approx(np.std([1, 1, 1, 0, 0.5], ddof=1))
    assert not found["all_met"]


def test_without_earlier_answers_and_flags_only_runs_and_variability_are_told() -> None:
    frame = draw_round(1)[["entity", "item_no", "verdict"]]
    found = judge_self_checks(frame)
    assert found[["copied_share", "met_without_evidence_share", "not_applicable_share"]].isna().all().all()
    assert found[["longest_run_p", "variability_p"]].notna().any().all()
    assert found[[f"{sign}_p" for sign in SIGNS[2:]]].isna().all().all()


@pytest.mark.parametrize("entities", [12, 60])
def test_levels_are_held_without_a_story(entities: int) -> None:
    """Of 60 groups without a story at most 5 % (and chance: 4) have an entity called, for each sign."""
    found = [judge_self_checks(draw_round(seed, entities)) for seed in range(60)]
    for sign in SIGNS:
        assert sum(one[f"{sign}_is_unusual"].any() for one in found) <= 60 * NOMINAL_FDR + 1


@pytest.mark.parametrize("strength", [1.2, 2.5])
def test_copycat_is_found_and_no_other(strength: float) -> None:
    """Others repeat half or more by chance; the one that copies all 120 answers, comments and evidence is found each time."""
    others = 0
    for seed in range(20):
        frame = copy_all(draw_round(seed, strength=strength), "E007")
        called = find_unusual(frame, "copied_share")
        assert "E007" in called
        others += len(called) - 1
    found = judge_self_checks(frame).set_index("entity")
    assert found.loc["E007", "copied_share"] == 1
    assert found["copied_share"].median() > 0.5
    assert others <= 1


def test_a_compliant_entity_is_a_straight_line_and_not_called() -> None:
    """All met with evidence, as the year before: longest run 120, everything repeated, and no sign."""
    frame = draw_round(5)
    rows = frame["entity"] == "E003"
    frame.loc[rows, ["verdict", "earlier_verdict"]] = 0
    frame.loc[rows, ["has_evidence", "is_same_evidence"]] = True
    frame.loc[rows, "is_same_comment"] = pd.NA
    found = judge_self_checks(frame).set_index("entity").loc["E003"]
    assert found["all_met"] and found["longest_run"] == 120 and found["copied_share"] == 1
    assert not found[[f"{sign}_is_unusual" for sign in SIGNS]].any()


def test_new_comments_on_met_items_are_no_copies() -> None:
    frame = draw_round(5)
    rows = frame["entity"] == "E003"
    frame.loc[rows, ["verdict", "earlier_verdict"]] = 0
    frame.loc[rows, ["has_evidence", "is_same_evidence"]] = True
    for is_same in (False, True):
        frame.loc[rows, "is_same_comment"] = is_same
        assert ("E003" in find_unusual(frame, "copied_share")) == is_same


def test_a_long_block_of_one_answer_is_found() -> None:
    """Forty times "partly met" in a row among answers that are otherwise as elsewhere."""
    frame = draw_round(8)
    frame.loc[(frame["entity"] == "E010") & frame["item_no"].between(20, 59), "verdict"] = 1
    assert find_unusual(frame, "longest_run") == ["E010"]


def test_runs_are_judged_for_the_share_met() -> None:
    """Long runs of compliant entities are no rarer than short ones of weak entities: p has the same middle in both."""
    found = pd.concat([judge_self_checks(draw_round(seed)) for seed in range(15)])
    is_long = found["longest_run"] > found["longest_run"].median()
    told = found.dropna(subset=["longest_run_p"])
    weak, compliant = (
        told.loc[told["variability"].rank(pct=True).between(*part), "longest_run_p"] for part in ((0.7, 1), (0.0, 0.3))
    )
    assert found.loc[is_long, "variability"].mean() < 0.85 * found.loc[~is_long, "variability"].mean()
    assert abs(weak.median() - compliant.median()) < 0.15


def test_partly_met_throughout_has_low_variability() -> None:
    frame = draw_round(9)
    frame.loc[frame["entity"] == "E010", "verdict"] = 1
    assert find_unusual(frame, "variability") == ["E010"]
    found = judge_self_checks(frame).set_index("entity").loc["E010"]
    assert found["variability"] == 0 and np.isnan(found["longest_run_p"])


def test_met_without_evidence_is_found() -> None:
    frame = draw_round(10)
    frame.loc[(frame["entity"] == "E010") & (frame["verdict"] == 0), "has_evidence"] = False
    assert find_unusual(frame, "met_without_evidence_share") == ["E010"]


def make_not_applicable(frame: pd.DataFrame, entities: list[str], count: int) -> pd.DataFrame:
    changed = frame.copy()
    rows = changed["entity"].isin(entities) & changed["item_no"].between(30, 29 + count)
    changed.loc[rows, "verdict"] = 3
    return changed


def test_inflation_of_not_applicable_is_found_unless_the_whole_group_has_it() -> None:
    frame = draw_round(11)
    assert find_unusual(make_not_applicable(frame, ["E010"], 12), "not_applicable_share") == ["E010"]
    everyone = frame["entity"].unique().tolist()
    assert find_unusual(make_not_applicable(frame, everyone, 12), "not_applicable_share") == []
    two = make_not_applicable(frame, ["E010"], 2)
    assert find_unusual(two, "not_applicable_share") == []


def test_as_many_items_that_became_applicable_again_are_no_inflation() -> None:
    frame = make_not_applicable(draw_round(11), ["E010"], 12)
    rows = (frame["entity"] == "E010") & frame["item_no"].between(60, 71)
    frame.loc[rows, "earlier_verdict"] = 3
    frame.loc[rows, "verdict"] = 0
    assert find_unusual(frame, "not_applicable_share") == []


def test_what_was_not_applicable_before_is_no_inflation() -> None:
    frame = make_not_applicable(draw_round(11), ["E010"], 40)
    rows = (frame["entity"] == "E010") & (frame["verdict"] == 3)
    frame.loc[rows, "earlier_verdict"] = 3
    assert find_unusual(frame, "not_applicable_share") == []
    found = judge_self_checks(frame).set_index("entity").loc["E010"]
    assert found["not_applicable_share"] == found["earlier_not_applicable_share"] > 0.3


def test_order_of_rows_and_kind_of_columns_change_nothing() -> None:
    frame = copy_all(draw_round(3, entities=15), "E004")
    expected = judge_self_checks(frame)
    worded = frame.assign(
        entity=frame["entity"].astype("category"),
        verdict=CODES[frame["verdict"]],
        earlier_verdict=pd.Categorical(CODES[frame["earlier_verdict"]]),
        has_evidence=frame["has_evidence"].astype(object),
    )
    nullable = frame.assign(earlier_verdict=pd.array(frame["earlier_verdict"], dtype="Int8"))
    for other in (frame.sample(frac=1, random_state=1), worded.sample(frac=1, random_state=2), nullable):
        found = judge_self_checks(other).assign(entity=expected["entity"])
        pd.testing.assert_frame_equal(found, expected)


def test_rows_without_an_entity_are_left_out() -> None:
    frame = draw_round(3, entities=15)
    extra = frame.iloc[:50].assign(entity=None)
    expected = judge_self_checks(frame)
    found = judge_self_checks(pd.concat([extra, frame]))
    pd.testing.assert_frame_equal(found.astype({"entity": expected["entity"].dtype}), expected)


def test_few_entities_or_answers_say_nothing() -> None:
    for frame in (draw_round(1, entities=MIN_ENTITIES - 1), draw_round(1, items=4), draw_round(1).iloc[:0]):
        found = judge_self_checks(frame)
        assert found[[f"{sign}_p" for sign in SIGNS]].isna().all().all()
        assert not found[[f"{sign}_is_unusual" for sign in SIGNS]].any().any()
        assert len(found) == frame["entity"].nunique()


@pytest.mark.parametrize("verdict", range(5))
def test_one_verdict_everywhere_calls_nobody(verdict: int) -> None:
    frame = draw_round(1, entities=20).assign(verdict=verdict, earlier_verdict=verdict, has_evidence=False)
    found = judge_self_checks(frame)
    assert not found[[f"{sign}_is_unusual" for sign in SIGNS]].any().any()
    assert (found["all_met"] == (verdict == 0)).all()


FLAGS = st.sampled_from([True, False, None])


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 4), st.integers(0, 4) | st.none(), FLAGS, FLAGS, FLAGS),
        max_size=80,
    )
)
def test_any_answers_have_sound_figures(
    rows: list[tuple[int, int, int | None, bool | None, bool | None, bool | None]],
) -> None:
    names = ["entity", "verdict", "earlier_verdict", "has_evidence", "is_same_comment", "is_same_evidence"]
    frame = pd.DataFrame(rows, columns=names).assign(item_no=range(len(rows)))
    frame = frame.astype({"verdict": "int8", "earlier_verdict": "Int8"} | dict.fromkeys(names[3:], "boolean"))
    found = judge_self_checks(frame)
    assert found["entity"].tolist() == sorted({row[0] for row in rows})
    assert (found["longest_run"] <= found["answers"]).all() and (found["telling"] <= found["compared"]).all()
    for name in found.filter(regex="share$|_p$"):
        assert found[name].dropna().between(0, 1).all()
    for sign in SIGNS:
        assert not (found[f"{sign}_is_unusual"] & found[f"{sign}_p"].isna()).any()
