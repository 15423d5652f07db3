"""Restatements: a published case, cases made by hand, and that the parts of their effect always add up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.restatements import find_restatements, measure_effect, trace_figure

COLUMNS = ["period", "entity", "numerator", "denominator"]
PARTS = ["withdrawn", "restated", "came"]
# Security self-assessments of 211 NHS trusts (nhsx/open-cyber, MIT) as known on 17 October and 16 November 2023.
NHS_STATUSES = [
    ("Met", "Met", 134),
    ("Approaching", "Approaching", 56),
    ("Exceeded", "Exceeded", 15),
    ("Approaching", "Met", 4),
    ("Not Met", "Approaching", 1),
    ("Not Met", "Not Published", 1),
]
CELLS = st.dictionaries(
    st.tuples(st.sampled_from(("H1", "H2")), st.sampled_from("ABCD")),
    st.tuples(st.sampled_from((0.0, 0.5, 1.0)), st.sampled_from((0.0, 1.0, 2.5, 300.0))),
    max_size=8,
)


def make_frame(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.astype({"period": "str", "entity": "str", "numerator": float, "denominator": float})


def make_cells(cells: dict[tuple[str, str], tuple[float, float]]) -> pd.DataFrame:
    return make_frame(*((*key, rate * weight, weight) for key, (rate, weight) in cells.items()))


def make_trusts(side: int) -> pd.DataFrame:
    statuses = [row[side] for row in NHS_STATUSES for _ in range(row[2])]
    frame = make_frame(*(("22/23", f"T{n:03}", status in ("Met", "Exceeded"), 1) for n, status in enumerate(statuses)))
    return frame.assign(status=statuses)


def find_rate(frame: pd.DataFrame) -> float:
    weight = frame["denominator"].sum()
    return float(frame["numerator"].sum() / weight) if weight else np.nan


def test_nhs_dspt_has_six_restated_statuses() -> None:
    then, now = make_trusts(0), make_trusts(1)
    assert len(then) == len(now) == 211
    found = find_restatements(then, now, labels=["status"])
    assert found["kind"].tolist() == ["restated"] * 6
    moves = found.groupby(["status_then", "status_now"]).size().to_dict()
    assert moves == {("Approaching", "Met"): 4, ("Not Met", "Approaching"): 1, ("Not Met", "Not Published"): 1}
    # Only those that came to meet the standards change the share that was reported.
    assert find_restatements(then, now)["change"].tolist() == [1.0] * 4


def test_nhs_dspt_restated_its_share_from_149_to_153_of_211() -> None:
    effect = measure_effect(make_trusts(0), make_trusts(1)).iloc[0]
    assert (round(effect["rate_then"], 3), round(effect["rate_now"], 3)) == (0.706, 0.725)
    assert effect["rate_then"] == 149 / 211 and effect["rate_now"] == 153 / 211
    assert effect["restated"] == pytest.approx(4 / 211, abs=1e-15)
    assert effect[["withdrawn", "came"]].tolist() == [0, 0]
    counts = effect[["then_rows", "now_rows", "restated_rows", "came_rows", "withdrawn_rows"]]
    assert counts.tolist() == [211, 211, 4, 0, 0]


def test_each_kind_of_difference_is_listed_in_order() -> None:
    then = make_frame(("H1", "A", 5, 10), ("H1", "B", 6, 10), ("H1", "C", 1, 10), ("H2", "A", 5, 10))
    now = make_frame(("H2", "B", 9, 10), ("H1", "A", 7, 10), ("H1", "B", 6, 10), ("H2", "A", 5, 8))
    found = find_restatements(then, now)
    assert found[["period", "entity", "kind"]].to_numpy().tolist() == [
        ["H1", "A", "restated"],
        ["H1", "C", "withdrawn"],
        ["H2", "A", "restated"],
        ["H2", "B", "came"],
    ]
    assert found["change"].tolist() == pytest.approx([0.2, np.nan, 0.125, np.nan], nan_ok=True)
    assert found["rate_then"].tolist() == pytest.approx([0.5, 0.1, 0.5, np.nan], nan_ok=True)
    assert found["rate_now"].tolist() == pytest.approx([0.7, np.nan, 0.625, 0.9], nan_ok=True)


def test_rounding_is_no_restatement_and_neither_is_a_missing_sum() -> None:
    then = make_frame(("H1", "A", 0.1 + 0.2, 1), ("H1", "B", np.nan, np.nan))
    now = make_frame(("H1", "A", 0.3, 1), ("H1", "B", 0, 0))
    assert find_restatements(then, now).empty
    assert measure_effect(then, now)["restated_rows"].tolist() == [0]


def test_an_answer_taken_back_is_a_restatement_without_a_rate() -> None:
    found = find_restatements(make_frame(("H1", "A", 0, 1)), make_frame(("H1", "A", 0, 0))).iloc[0]
    assert found["kind"] == "restated" and np.isnan(found["rate_now"]) and np.isnan(found["change"])


def test_labels_are_compared_and_a_missing_label_equals_a_missing_one() -> None:
    then = make_frame(("H1", "A", 1, 1), ("H1", "B", 1, 1), ("H1", "C", 1, 1)).assign(status=["x", None, None])
    now = then.assign(status=["x", None, "y"])
    assert find_restatements(then, now, labels=["status"])["entity"].tolist() == ["C"]


def test_effect_is_told_part_by_part() -> None:
    then = make_frame(("H1", "A", 5, 10), ("H1", "B", 6, 10), ("H1", "C", 1, 10))
    now = make_frame(("H1", "A", 7, 10), ("H1", "B", 6, 10), ("H1", "D", 10, 10))
    effect = measure_effect(then, now).iloc[0]
    assert effect[["rate_then", "rate_now", "change"]].tolist() == pytest.approx([12 / 30, 23 / 30, 11 / 30])
    assert effect[PARTS].tolist() == pytest.approx([11 / 20 - 12 / 30, 13 / 20 - 11 / 20, 23 / 30 - 13 / 20])


def test_effect_by_period_keeps_periods_apart() -> None:
    then = make_frame(("H1", "A", 5, 10), ("H2", "A", 2, 10))
    now = make_frame(("H1", "A", 5, 10), ("H2", "A", 4, 10), ("H3", "A", 9, 10))
    found = measure_effect(then, now, by="period").set_index("period")
    assert found.loc["H1", [*PARTS, "change"]].tolist() == [0, 0, 0, 0]
    assert found.loc["H2", "restated"] == pytest.approx(0.2)
    # Nothing was reported of the third period then, so nothing was restated.
    assert found.loc["H3", [*PARTS, "change", "rate_then"]].isna().all() and found.loc["H3", "rate_now"] == 0.9
    assert found["came_rows"].tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("now", "parts"),
    [
        ([("H1", "B", 9, 10)], [0.2, 0, 0.2]),
        ([("H1", "A", 0, 0), ("H1", "B", 9, 10)], [0, 0.2, 0.2]),
        ([("H1", "A", 9, 10)], [0, 0.4, 0]),
    ],
    ids=["all rows are others", "the old answer was taken back", "the same row"],
)
def test_parts_around_an_empty_middle_share_the_change(
    now: list[tuple[str, str, float, float]], parts: list[float]
) -> None:
    effect = measure_effect(make_frame(("H1", "A", 5, 10)), make_frame(*now)).iloc[0]
    assert effect[PARTS].tolist() == pytest.approx(parts)


@settings(max_examples=30)
@given(CELLS, CELLS)
def test_parts_add_up_and_so_do_rows(then_cells: dict, now_cells: dict) -> None:
    then, now = make_cells(then_cells), make_cells(now_cells)
    found = find_restatements(then, now)
    for by in (None, "period"):
        effect = measure_effect(then, now, by=by)
        told = effect.dropna(subset="change")
        assert (told[PARTS].sum(axis=1) - told["change"]).abs().max() < 1e-12 or told.empty
        assert effect.loc[effect["change"].isna(), PARTS].isna().all(axis=None)
        assert effect["then_rows"].sum() == len(then) and effect["now_rows"].sum() == len(now)
        for kind in PARTS:
            assert effect[f"{kind}_rows"].sum() == (found["kind"] == kind).sum()
        for row in told.itertuples():
            has_rows = {kind: getattr(row, f"{kind}_rows") > 0 for kind in PARTS}
            assert all(getattr(row, kind) == 0 or has_rows[kind] for kind in PARTS)
    overall = measure_effect(then, now).iloc[0]
    assert overall["rate_then"] == pytest.approx(find_rate(then), nan_ok=True)
    assert overall["rate_now"] == pytest.approx(find_rate(now), nan_ok=True)


@settings(max_examples=15)
@given(CELLS)
def test_the_same_knowledge_has_no_restatement(cells: dict) -> None:
    frame = make_cells(cells)
    assert find_restatements(frame, frame[::-1]).empty
    effect = measure_effect(frame, frame).iloc[0]
    assert effect[PARTS].fillna(0).eq(0).all()


def test_empty_frames_say_nothing() -> None:
    empty = make_frame()
    found = find_restatements(empty, empty)
    assert found.empty and found.columns[:3].tolist() == ["period", "entity", "kind"]
    assert measure_effect(empty, empty)[["rate_then", "rate_now", *PARTS]].isna().all(axis=None)
    assert measure_effect(empty, empty, by="period").empty
    assert trace_figure(empty.assign(known_at=pd.Series(dtype="datetime64[us]"))).empty


def test_a_key_given_twice_is_not_counted_twice() -> None:
    frame = make_frame(("H1", "A", 1, 2), ("H1", "A", 1, 2))
    with pytest.raises(pd.errors.MergeError):
        find_restatements(frame, frame)


def test_figure_is_traced_through_what_was_known() -> None:
    days = pd.date_range("2025-04-01", periods=7, freq="MS")
    sums = [(0, 0), (149, 211), (149, 211), (153, 211), (306, 422), (306, 422), (0, 0)]
    moments = pd.DataFrame(sums, columns=["numerator", "denominator"]).assign(known_at=days)
    found = trace_figure(moments.sample(frac=1, random_state=3))
    assert found["known_at"].tolist() == days.tolist()
    # From the fourth to the fifth more is known, at the same rate.
    assert found["is_step"].tolist() == [False, True, False, True, True, False, True]
    assert found["change"].tolist() == pytest.approx([np.nan] * 3 + [4 / 211, 0, np.nan, np.nan], nan_ok=True)
    assert found["rate_before"].tolist() == pytest.approx(
        [np.nan] * 3 + [149 / 211, 153 / 211, np.nan, 153 / 211], nan_ok=True
    )


def test_a_missing_figure_is_no_step() -> None:
    moments = pd.DataFrame({"known_at": [1, 2, 3], "numerator": [np.nan, 1, 1], "denominator": [np.nan, 0, 2]})
    assert trace_figure(moments)["is_step"].tolist() == [False, False, True]


def test_rounding_is_no_step() -> None:
    moments = pd.DataFrame({"known_at": [1, 2], "numerator": [0.1 + 0.2, 0.3], "denominator": [1, 1]})
    assert trace_figure(moments)["is_step"].tolist() == [True, False]
