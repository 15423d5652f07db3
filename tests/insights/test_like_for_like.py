"""Rates across checklist versions: what a revision does and what it must never do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights.like_for_like import chain_rates, sum_common_items

COLUMNS = [
    "all_numerator",
    "all_denominator",
    "common_numerator_before",
    "common_denominator_before",
    "common_numerator",
    "common_denominator",
]
NONE = (np.nan, np.nan)
ANCHORS = ("first", "last")
SUMS = st.tuples(st.floats(0, 1), st.one_of(st.just(0.0), st.floats(0.01, 500))).map(
    lambda pair: (pair[0] * pair[1], pair[1])
)


def make_periods(*rows: tuple[tuple[float, float], tuple[float, float], tuple[float, float]]) -> pd.DataFrame:
    """Rows of (numerator, denominator): as asked, common in the earlier period, common in this one."""
    cells = [[cell for pair in row for cell in pair] for row in rows]
    index = [f"FY{2020 + number}" for number in range(len(rows))]
    return pd.DataFrame(cells, columns=COLUMNS, index=index, dtype=float)


def make_same(sums: list[tuple[float, float]]) -> pd.DataFrame:
    """Periods that all asked the same, with gaps where a denominator is 0."""
    rows, last = [], NONE
    for numerator, denominator in sums:
        asked = (numerator, denominator)
        rows.append((asked, last, asked) if denominator else (asked, NONE, NONE))
        last = asked if denominator else last
    return make_periods(*rows)


def chain_items(scores: np.ndarray, is_asked: np.ndarray) -> pd.DataFrame:
    """Periods of item scores of shape (periods, items), of which each period asks some."""
    rows = [((scores[0][is_asked[0]].sum(), is_asked[0].sum()), NONE, NONE)]
    for number in range(1, len(scores)):
        common = is_asked[number] & is_asked[number - 1]
        rows.append(
            (
                (scores[number][is_asked[number]].sum(), is_asked[number].sum()),
                (scores[number - 1][common].sum(), common.sum()),
                (scores[number][common].sum(), common.sum()),
            )
        )
    return make_periods(*rows)


@settings(max_examples=50)
@given(st.lists(SUMS, min_size=1, max_size=8), st.sampled_from(ANCHORS))
def test_identical_versions_have_a_bridge_of_exactly_nothing(sums: list[tuple[float, float]], anchor: str) -> None:
    periods = make_same(sums)
    found = chain_rates(periods, anchor)
    answered = periods["all_denominator"] > 0
    rates = (periods["all_numerator"] / periods["all_denominator"].where(answered)).rename("as_asked")
    pd.testing.assert_series_equal(found["as_asked"], rates, check_exact=True)
    pd.testing.assert_series_equal(found["like_for_like"], rates, check_exact=True, check_names=False)
    assert found["bridge"].isna().sum() == (~answered).sum() + bool(answered.any())
    assert found["bridge"].dropna().eq(0.0).all() and found["cumulative_bridge"].dropna().eq(0.0).all()
    assert not found["is_revised"].any()


@settings(max_examples=50)
@given(st.lists(st.tuples(SUMS, SUMS, SUMS), min_size=1, max_size=6))
def test_figures_as_asked_and_like_for_like_differ_by_the_bridges(rows: list[tuple[tuple[float, float], ...]]) -> None:
    periods = make_periods(*rows)
    answered = periods["all_denominator"] > 0
    levels = {}
    for anchor in ANCHORS:
        found = chain_rates(periods, anchor)
        assert found.index.equals(periods.index)
        levels[anchor] = found["like_for_like"]
        gap = (found["as_asked"] - found["like_for_like"] - found["cumulative_bridge"]).dropna()
        assert gap.abs().max() < 1e-12 or gap.empty
        if answered.any():
            end = found[answered].iloc[0 if anchor == "first" else -1]
            assert end["like_for_like"] == end["as_asked"]
        has_common = (periods[["common_denominator", "common_denominator_before"]] > 0).all(axis=1)
        silent = found.loc[answered & ~has_common, "bridge"]
        assert silent.isna().all()
    # Both anchors tell the same changes, each at its own level.
    shift = (levels["first"] - levels["last"]).dropna()
    assert shift.empty or shift.max() - shift.min() < 1e-12


def test_harder_items_lower_the_figure_as_asked_only() -> None:
    # The first version asks 10 items, the second the same and 5 new ones of which 1 is met.
    periods = make_periods(
        ((7, 10), NONE, NONE), ((8, 10), (7, 10), (8, 10)), ((9, 15), (8, 10), (8, 10)), ((10, 15), (9, 15), (10, 15))
    )
    first, last = chain_rates(periods, "first"), chain_rates(periods)
    assert first["as_asked"].tolist() == pytest.approx([0.7, 0.8, 0.6, 2 / 3])
    assert first["like_for_like"].tolist() == pytest.approx([0.7, 0.8, 0.8, 0.8 + 1 / 15])
    assert last["like_for_like"].tolist() == pytest.approx([0.5, 0.6, 0.6, 2 / 3])
    assert first["bridge"].tolist()[1:] == pytest.approx([0, -0.2, 0])
    assert first["cumulative_bridge"].tolist() == pytest.approx([0, 0, -0.2, -0.2])
    assert last["cumulative_bridge"].tolist() == pytest.approx([0.2, 0.2, 0, 0])
    assert first["is_revised"].tolist() == [False, False, True, False]
    assert first["common_share"].tolist()[1:] == pytest.approx([1, 1, 2 / 3, 1][1:])


def test_a_period_without_answers_is_stepped_over() -> None:
    periods = make_periods(
        ((5, 10), NONE, NONE), ((0, 0), NONE, NONE), ((np.nan, np.nan), NONE, NONE), ((12, 20), (5, 10), (7, 10))
    )
    found = chain_rates(periods, "first")
    assert found["as_asked"].tolist() == pytest.approx([0.5, np.nan, np.nan, 0.6], nan_ok=True)
    assert found["like_for_like"].tolist() == pytest.approx([0.5, np.nan, np.nan, 0.7], nan_ok=True)
    assert found["is_revised"].tolist() == [False, False, False, True]


def test_a_step_without_common_items_silences_what_lies_behind_it() -> None:
    periods = make_periods(
        ((5, 10), NONE, NONE), ((6, 10), (5, 10), (6, 10)), ((9, 10), (0, 0), (0, 0)), ((8, 10), (9, 10), (8, 10))
    )
    first, last = chain_rates(periods, "first"), chain_rates(periods, "last")
    assert first["like_for_like"].tolist() == pytest.approx([0.5, 0.6, np.nan, np.nan], nan_ok=True)
    assert last["like_for_like"].tolist() == pytest.approx([np.nan, np.nan, 0.9, 0.8], nan_ok=True)
    assert np.isnan(first["bridge"].iloc[2]) and first["is_revised"].tolist() == [False, False, True, False]
    assert first["as_asked"].notna().all()


def test_dropped_items_are_a_revision_too() -> None:
    # Of 15 items with 9 met, 5 with 4 met are dropped; one more of the others is met.
    found = chain_rates(make_periods(((9, 15), NONE, NONE), ((6, 10), (5, 10), (6, 10))), "first")
    assert found["is_revised"].tolist() == [False, True]
    assert found["like_for_like"].tolist() == pytest.approx([0.6, 0.7])
    assert found["bridge"].iloc[1] == pytest.approx(-0.1)
    assert found["common_share"].iloc[1] == pytest.approx(2 / 3)


@pytest.mark.parametrize("side", [0, 1])
def test_the_order_of_a_sum_is_no_revision(side: int) -> None:
    one, other = 0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1
    assert one != other
    common = [(one, 1), (one, 1)]
    common[side] = (other, 1)
    found = chain_rates(make_periods(((one, 1), NONE, NONE), ((one, 1), *common)))
    assert found["bridge"].iloc[1] == 0.0 and not found["is_revised"].any()
    assert found["like_for_like"].tolist() == [one, one]


@pytest.mark.parametrize("met", [0, 1])
def test_all_met_or_none_met_needs_no_bridge(met: int) -> None:
    found = chain_rates(make_periods(((10 * met, 10), NONE, NONE), ((15 * met, 15), (10 * met, 10), (10 * met, 10))))
    assert found["like_for_like"].tolist() == [met, met] and found["bridge"].iloc[1] == 0.0
    assert found["is_revised"].tolist() == [False, True]


def test_empty_and_unanswered_frames_say_nothing() -> None:
    assert chain_rates(make_periods().reindex(columns=COLUMNS)).empty
    found = chain_rates(make_periods(((0, 0), NONE, NONE), (NONE, NONE, NONE)))
    assert found.drop(columns="is_revised").isna().all(axis=None) and not found["is_revised"].any()


def test_missing_sums_of_a_nullable_column_are_nothing() -> None:
    periods = make_periods(((5, 10), NONE, NONE), ((12, 20), (5, 10), (7, 10)))
    pd.testing.assert_frame_equal(chain_rates(periods.astype("Float64")), chain_rates(periods))


@pytest.mark.parametrize("seed", range(5))
def test_planted_revision_is_taken_out_and_planted_progress_is_kept(seed: int) -> None:
    draw = np.random.default_rng(seed)
    number, items = 12, 1000
    progress = np.linspace(0.5, 0.72, number)[:, None]
    # Half of the items are replaced by harder ones at round 6 and by easier ones at round 9.
    offset = np.concatenate([np.zeros(500), np.full(250, 0.0), np.full(250, -0.25), np.full(250, 0.2)])
    scores = (draw.random((number, items + 250)) < progress + offset).astype(float)
    is_asked = np.zeros(scores.shape, dtype=bool)
    is_asked[:, :500] = True
    is_asked[:6, 500:750] = True
    is_asked[6:9, 750:1000] = True
    is_asked[9:, 1000:] = True
    found = chain_rates(chain_items(scores, is_asked), "first")
    assert np.flatnonzero(found["is_revised"]).tolist() == [6, 9]
    assert found["bridge"].iloc[6] == pytest.approx(-0.25 / 3, abs=0.05)
    assert found["bridge"].iloc[9] == pytest.approx(0.45 / 3, abs=0.05)
    assert found["like_for_like"].iloc[-1] - found["like_for_like"].iloc[0] == pytest.approx(0.22, abs=0.08)


def make_answers(*rows: tuple[str, str, float, float, int]) -> pd.DataFrame:
    names = ["period", "item_lineage", "numerator", "denominator", "answers"]
    return pd.DataFrame(list(rows), columns=names)


def test_an_item_that_nobody_could_answer_is_no_revision() -> None:
    answers = make_answers(("A", "x", 1, 2, 2), ("A", "y", 1, 2, 2), ("B", "x", 2, 2, 2), ("B", "y", 0, 0, 2))
    chained = chain_rates(sum_common_items(answers, ("A", "B")))
    assert not chained["is_revised"].any()
    assert chained["bridge"].iloc[1] == 0


def test_periods_without_answers_are_passed_over() -> None:
    answers = make_answers(("A", "x", 1, 2, 2), ("C", "x", 2, 2, 2), ("C", "y", 0, 2, 2))
    sums = sum_common_items(answers, ("A", "B", "C"))
    assert sums["before"].tolist()[2] == "A" and sums["common_items"].iloc[2] == 1
    chained = chain_rates(sums)
    assert chained["bridge"].iloc[2] == pytest.approx((0.5 - 0.5) - (1.0 - 0.5))
    assert sum_common_items(answers[:1], ("A",))["common_numerator"].isna().all()
