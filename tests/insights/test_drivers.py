"""Parts of a change: published decompositions, cases made by hand, and that the parts always add up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.drivers import PARTS, decompose_change, standardise, sum_parts
from metrics.matching import SETS

# Das Gupta (1993), examples of chapter 2, with the effects that the documentation of R's DasGuptR prints for them.
DAS_GUPTA = {
    "first steps": ([0.6, 0.5], [0.3, 0.45], [-0.1425, -0.0225]),
    "2.1 earnings": ([10930, 0.717892], [16591, 0.825974], [4369.913, 1487.262]),
    "2.2 births": ([51.78746, 0.45919, 0.52638], [84.90502, 0.75756, 0.51065], [10.4340333, 10.5608476, -0.6670084]),
    "2.3 births outside marriage": (
        [25.3, 0.214, 0.279, 0.949],
        [32.7, 0.290, 0.473, 0.986],
        [0.6889411, 0.8125381, 1.3829055, 0.1047547],
    ),
    "2.4 fertility": (
        [0.58, 0.76, 0.84, 0.66, 16.573],
        [0.72, 0.97, 0.97, 0.56, 16.158],
        [1.0909785, 1.2298438, 0.7278399, -0.8398707, -0.1290187],
    ),
}
# Das Gupta (1993), example 5.1: share of persons who head a household, in per cent, by age; United States.
HEADS_1970 = (
    [12.9, 10.9, 9.5, 8.0, 7.8, 8.4, 8.6, 7.8, 7.0, 5.9, 4.7, 3.6, 4.9],
    [1.9, 25.8, 45.7, 49.6, 51.2, 51.6, 51.8, 54.9, 58.7, 60.4, 62.8, 66.6, 66.8],
)
HEADS_1985 = (
    [10.1, 11.2, 11.6, 10.9, 9.4, 7.7, 6.3, 6.0, 6.3, 5.9, 5.1, 4.0, 5.5],
    [2.2, 24.3, 45.8, 52.5, 56.1, 55.6, 56.0, 57.4, 57.2, 61.2, 63.9, 68.6, 72.2],
)
FACTORS = st.lists(st.tuples(st.floats(-10, 10), st.floats(-10, 10)), min_size=1, max_size=4)
WEIGHTS = st.one_of(st.just(0.0), st.floats(0.001, 1000))


@st.composite
def draw_frames(draw: st.DrawFn) -> pd.DataFrame:
    """Up to six entities with any nested sets on either side."""
    rows = []
    for _ in range(draw(st.integers(1, 6))):
        row = {}
        for side in ("before", "after"):
            weight = draw(WEIGHTS)
            for name in SETS:
                row[f"{name}_denominator_{side}"] = weight
                row[f"{name}_numerator_{side}"] = weight * draw(st.sampled_from((0.0, 0.3, 0.5, 1.0)))
                weight *= draw(st.sampled_from((0.0, 0.4, 1.0)))
        rows.append(row)
    return pd.DataFrame(rows)


def make_frame(*entities: dict[str, tuple[float, float]], index: list[str] | None = None) -> pd.DataFrame:
    """One row per entity from (numerator, denominator) per side, or per set and side where a set differs."""
    rows = []
    for entity in entities:
        row = {}
        for side in ("before", "after"):
            sums = entity.get(side, (0.0, 0.0))
            for name in SETS:
                sums = entity.get(f"{name}_{side}", sums)
                row[f"{name}_numerator_{side}"], row[f"{name}_denominator_{side}"] = sums
        rows.append(row)
    return pd.DataFrame(rows, index=index)


def find_change(frame: pd.DataFrame) -> float:
    rates = [
        frame[f"all_numerator_{side}"].sum() / frame[f"all_denominator_{side}"].sum() for side in ("before", "after")
    ]
    return float(rates[1] - rates[0])


@pytest.mark.parametrize(("before", "after", "effects"), DAS_GUPTA.values(), ids=DAS_GUPTA)
def test_effects_of_factors_are_those_of_das_gupta(
    before: list[float], after: list[float], effects: list[float]
) -> None:
    found = standardise(before, after)
    assert found == pytest.approx(effects, rel=1e-6, abs=1e-7)
    assert found.sum() == pytest.approx(np.prod(after) - np.prod(before), rel=1e-12)


def test_mix_and_within_are_those_of_das_gupta_for_household_heads() -> None:
    (size_before, rate_before), (size_after, rate_after) = HEADS_1970, HEADS_1985
    frame = make_frame(
        *(
            {"before": (size * rate, size), "after": (other_size * other_rate, other_size)}
            for size, rate, other_size, other_rate in zip(size_before, rate_before, size_after, rate_after, strict=True)
        )
    )
    total = decompose_change(frame).sum()
    assert (round(total["mix"], 4), round(total["within"], 4)) == (1.2269, 1.7403)
    assert total.drop(["mix", "within"]).eq(0).all()
    # The two factors of Das Gupta, share and rate of each age, summed over the ages.
    shares = np.array([size_before, size_after]) / 100
    effects = standardise([shares[0], rate_before], [shares[1], rate_after])
    assert effects.sum(axis=1) == pytest.approx([total["mix"], total["within"]], abs=1e-10)


@given(FACTORS)
def test_effects_of_factors_add_up(factors: list[tuple[float, float]]) -> None:
    before, after = zip(*factors, strict=True)
    found = standardise(before, after)
    assert found.shape == (len(factors),)
    assert found.sum() == pytest.approx(np.prod(after) - np.prod(before), rel=1e-12, abs=1e-9)
    for effect, one, other in zip(found, before, after, strict=True):
        assert effect == 0 or one != other


@settings(max_examples=50)
@given(draw_frames())
def test_parts_add_up_to_the_change(frame: pd.DataFrame) -> None:
    parts = decompose_change(frame)
    assert list(parts) == [*PARTS] and parts.index.equals(frame.index)
    if frame["all_denominator_before"].sum() == 0 or frame["all_denominator_after"].sum() == 0:
        assert parts.isna().all(axis=None)
        return
    change = find_change(frame)
    assert parts.sum().sum() == pytest.approx(change, abs=1e-12)
    found = sum_parts(parts, pd.Series(["A", "B"] * 3, dtype=object)[: len(frame)], start=0.25)
    assert found.total["change"] == pytest.approx(change, abs=1e-12)
    assert found.labels["change"].sum() == pytest.approx(change, abs=1e-12)
    assert found.waterfall["end"].iloc[-1] == pytest.approx(0.25 + change, abs=1e-12)


@settings(max_examples=30)
@given(draw_frames())
def test_each_part_is_said_of_its_entities_only(frame: pd.DataFrame) -> None:
    parts = decompose_change(frame)
    before, after = frame["all_denominator_before"] > 0, frame["all_denominator_after"] > 0
    if not before.any() or not after.any():
        return
    assert parts.loc[before | ~after, "entry"].eq(0).all()
    assert parts.loc[after | ~before, "exit"].eq(0).all()
    assert parts.loc[before != after, [*PARTS[:5]]].eq(0).all(axis=None)
    assert parts.loc[~before & ~after].eq(0).all(axis=None)


@settings(max_examples=30)
@given(draw_frames())
def test_same_checklist_and_answers_leave_no_other_part(frame: pd.DataFrame) -> None:
    for name in SETS[1:]:
        for kind in ("numerator", "denominator"):
            for side in ("before", "after"):
                frame[f"{name}_{kind}_{side}"] = frame[f"all_{kind}_{side}"]
    parts = decompose_change(frame).fillna(0)
    assert parts[["revision", "not_answered", "not_applicable"]].eq(0.0).all(axis=None)


def test_an_entity_that_marks_an_unmet_item_as_not_applicable_did_not_improve() -> None:
    parts = decompose_change(make_frame({"before": (8, 10), "applicable_before": (8, 9), "after": (8, 9)})).iloc[0]
    assert parts["not_applicable"] == pytest.approx(8 / 9 - 8 / 10, abs=1e-15)
    assert parts.drop("not_applicable").eq(0).all()


def test_an_unmet_item_left_without_an_answer_is_no_improvement() -> None:
    parts = decompose_change(make_frame({"before": (8, 10), "answered_before": (8, 9), "after": (8, 9)})).iloc[0]
    assert parts["not_answered"] == pytest.approx(8 / 9 - 8 / 10, abs=1e-15)
    assert parts.drop("not_answered").eq(0).all()


def test_new_and_harder_items_are_a_revision() -> None:
    parts = decompose_change(make_frame({"before": (8, 10), "after": (9, 15), "asked_after": (8, 10)})).iloc[0]
    assert parts["revision"] == pytest.approx(9 / 15 - 8 / 10, abs=1e-15)
    assert parts.drop("revision").eq(0).all()


def test_a_checklist_without_any_common_item_is_all_revision() -> None:
    entity = {"before": (8, 10), "asked_before": (0, 0), "after": (6, 10), "asked_after": (0, 0)}
    parts = decompose_change(make_frame(entity)).iloc[0]
    assert parts["revision"] == pytest.approx(-0.2, abs=1e-15)
    assert parts.drop("revision").eq(0).all()


def test_what_an_empty_set_leaves_goes_to_the_step_that_became_empty() -> None:
    entity = {"before": (5, 10), "asked_before": (4, 8), "answered_before": (2, 4), "applicable_before": (0, 0)}
    entity |= {"after": (9, 10), "asked_after": (6, 8), "answered_after": (3, 4), "applicable_after": (1, 2)}
    parts = decompose_change(make_frame(entity)).iloc[0]
    assert parts["within"] == 0
    assert parts["not_applicable"] == pytest.approx(0.25, abs=1e-15)
    assert parts["not_answered"] == pytest.approx(0, abs=1e-15)
    assert parts["revision"] == pytest.approx(0.4 - 0.25, abs=1e-15)


def test_entry_and_exit_are_measured_from_those_that_stay() -> None:
    frame = make_frame(
        {"before": (60, 100), "after": (70, 100)}, {"before": (10, 50)}, {"after": (90, 100)}, index=["S", "X", "E"]
    )
    parts = decompose_change(frame)
    assert parts.loc["S"].to_dict() == pytest.approx(dict.fromkeys(PARTS, 0) | {"within": 0.1})
    assert parts.loc["E", "entry"] == pytest.approx(100 / 200 * (0.9 - 0.7))
    assert parts.loc["X", "exit"] == pytest.approx(-50 / 150 * (0.2 - 0.6))


def test_entrants_as_good_as_those_that_stay_change_nothing() -> None:
    parts = decompose_change(make_frame({"before": (6, 10), "after": (6, 10)}, {"after": (60, 100)}))
    assert parts.abs().max(axis=None) < 1e-15


def test_where_nobody_stays_those_that_left_and_those_that_came_share_the_change() -> None:
    parts = decompose_change(make_frame({"before": (4, 10)}, {"after": (8, 10)}))
    assert parts.sum().to_dict() == pytest.approx(dict.fromkeys(PARTS, 0) | {"entry": 0.2, "exit": 0.2})


def test_growth_of_a_good_entity_is_mix() -> None:
    parts = decompose_change(make_frame({"before": (9, 10), "after": (27, 30)}, {"before": (5, 10), "after": (5, 10)}))
    # Shares go from 1/2 each to 3/4 and 1/4, and the overall rate from 0.7 to 0.8, 0.75 on average.
    assert parts["mix"].tolist() == pytest.approx([0.25 * (0.9 - 0.75), -0.25 * (0.5 - 0.75)])
    assert parts.drop(columns="mix").abs().max(axis=None) < 1e-15


@pytest.mark.parametrize("weight", [1e-6, 1.0, 1e6])
def test_unit_of_weights_does_not_matter(weight: float) -> None:
    frame = make_frame({"before": (3, 10), "after": (5, 9)}, {"before": (8, 9)}, {"before": (1, 2), "after": (2, 2)})
    pd.testing.assert_frame_equal(decompose_change(frame * weight), decompose_change(frame), atol=1e-14)


@pytest.mark.parametrize(("before", "after"), [((0, 0), (5, 10)), ((5, 10), (0, 0)), ((np.nan, np.nan), (5, 10))])
def test_without_answers_on_a_side_nothing_is_said(before: tuple[float, float], after: tuple[float, float]) -> None:
    parts = decompose_change(make_frame({"before": before, "after": after}))
    assert len(parts) == 1 and parts.isna().all(axis=None)
    found = sum_parts(parts, pd.Series(["A"]))
    assert np.isnan(found.total["change"]) and np.isnan(found.labels.loc["A", "change"])


def test_no_entity_gives_no_row() -> None:
    parts = decompose_change(make_frame({"before": (1, 2)}).iloc[:0])
    assert parts.empty and list(parts) == [*PARTS]
    found = sum_parts(parts)
    assert np.isnan(found.total["change"]) and list(found.waterfall["step"]) == ["before", *PARTS, "after"]


def test_all_met_before_and_after_leaves_nothing_to_explain() -> None:
    parts = decompose_change(make_frame({"before": (10, 10), "after": (12, 12)}, {"after": (4, 4)}, {"before": (2, 2)}))
    assert parts.eq(0).all(axis=None)


def test_missing_sums_are_nothing() -> None:
    frame = make_frame({"before": (3, 10), "after": (5, 10)}, {"after": (2, 10)})
    holes = frame.astype("Float64").mask(frame == 0)
    pd.testing.assert_frame_equal(decompose_change(holes), decompose_change(frame))


def test_parts_are_summed_by_label_in_a_fixed_order() -> None:
    frame = make_frame(
        {"before": (60, 100), "after": (70, 100)}, {"before": (10, 50)}, {"after": (90, 100)}, index=["S", "X", "E"]
    )
    found = sum_parts(decompose_change(frame), pd.Series({"S": "JP", "X": "EU", "E": "JP"}), start=70 / 150)
    assert found.labels.index.tolist() == ["EU", "JP"]
    assert found.labels.loc["JP", ["within", "entry", "change"]].tolist() == pytest.approx([0.1, 0.1, 0.2])
    steps = found.waterfall.set_index("step")
    assert steps.index.tolist() == ["before", *PARTS, "after"]
    assert steps.loc["before", ["begin", "end"]].tolist() == pytest.approx([70 / 150] * 2)
    assert steps.loc["after", ["begin", "end"]].tolist() == pytest.approx([160 / 200] * 2)
    assert (steps["begin"].to_numpy()[1:-1] == steps["end"].to_numpy()[:-2]).all()


def test_planted_changes_come_out_as_what_they_are() -> None:
    draw = np.random.default_rng(41)
    entities, items = 400, 60
    # Of the old items 70 % are met; a fifth of the others is fixed, a tenth of what stays unmet is then called not
    # applicable. Items 40 to 59 are new in the second round and met by 40 %.
    first = (draw.random((entities, items)) < 0.70).astype(float)
    second = np.where(draw.random((entities, items)) < 0.2, 1.0, first)
    second[:, 40:] = draw.random((entities, 20)) < 0.40
    is_old = np.arange(items) < 40
    is_applicable = ~((second == 0) & is_old & (draw.random((entities, items)) < 0.1))
    masks = {
        "before": dict.fromkeys(SETS[:3], np.broadcast_to(is_old, first.shape)),
        "after": {"all": is_applicable} | dict.fromkeys(SETS[1:3], is_applicable & is_old),
    }
    for side in masks:
        masks[side]["applicable"] = is_applicable & is_old
    frame = pd.DataFrame(
        {
            f"{name}_{kind}_{side}": (score * mask if kind == "numerator" else mask).sum(axis=1)
            for side, score in (("before", first), ("after", second))
            for name, mask in masks[side].items()
            for kind in ("numerator", "denominator")
        }
    )
    total = decompose_change(frame).sum()
    assert total.sum() == pytest.approx(find_change(frame), abs=1e-12)
    left = 0.3 * 0.8 * 0.1
    same_before, same_after = 0.70 / (1 - left), 0.76 / (1 - left)
    assert total["within"] == pytest.approx(same_after - same_before, abs=0.005)
    assert total["not_applicable"] == pytest.approx(same_before - 0.70, abs=0.005)
    after = (40 * 0.76 + 20 * 0.40) / (40 * (1 - left) + 20)
    assert total["revision"] == pytest.approx(after - same_after, abs=0.01)
    assert total["not_answered"] == 0 and abs(total["mix"]) < 0.001
