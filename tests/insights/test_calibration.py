"""Calibration of self-checks: published figures, planted optimism in simulated groups, and the edges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from insights.calibration import (
    MIN_VISITED,
    NOMINAL_FDR,
    VERDICTS,
    check_verified,
    compare_groups,
    estimate_verified,
    summarise_pairs,
)

REGIONS = {"JP": 0.25, "AM": 0.10, "EU": 0.20, "CN": -0.05, "AS": -0.45}
TABLES = st.lists(st.integers(0, 6), min_size=9, max_size=9)


def make_pairs(table: object, **keys: object) -> pd.DataFrame:
    """Rows of a 3 x 3 table: self-check down, outside check across."""
    counts = np.asarray(table).reshape(3, 3)
    rows = [
        {**keys, "self_verdict": own, "verdict": outside, "pairs": int(counts[i, j])}
        for i, own in enumerate(VERDICTS)
        for j, outside in enumerate(VERDICTS)
    ]
    return pd.DataFrame(rows)


def draw_group(seed: int, rosy: float = 0.0, per_region: int = 12, severity: object = 0.0) -> pd.DataFrame:
    """Pairs of a group whose regions differ in strength, as the demo group draws them; region AS can be rosy."""
    rng = np.random.default_rng(seed)
    region = np.repeat(list(REGIONS), per_region)
    count, items = len(region), 120
    strength = 0.85 + 0.55 * rng.standard_normal(count) + [REGIONS[name] for name in region]
    optimism = 0.3 + 0.12 * rng.standard_normal(count) + rosy * (region == "AS")
    severity = np.asarray(severity) + 0.15 * rng.standard_normal(count)
    shared = strength[:, None] + 0.84 * rng.standard_normal((count, items)) - 0.6 * rng.standard_normal(items)
    own = shared + optimism[:, None] + 0.5 * rng.standard_normal(shared.shape)
    outside = shared - severity[:, None] + 0.55 * rng.standard_normal(shared.shape)
    cell = 3 * ((own <= 0).astype(int) + (own <= -0.7)) + (outside <= 0) + (outside <= -0.7)
    counts = np.stack([(cell == place).sum(axis=1) for place in range(9)], axis=1).ravel()
    places = np.tile(np.arange(9), count)
    return pd.DataFrame(
        {
            "region": np.repeat(region, 9),
            "entity": np.repeat(np.arange(count), 9),
            "self_verdict": np.array(VERDICTS)[places // 3],
            "verdict": np.array(VERDICTS)[places % 3],
            "pairs": counts,
        }
    )


def find_rates(pairs: pd.DataFrame) -> pd.DataFrame:
    """One row per entity: group, self_rate, outside_rate and pairs."""
    scores = dict(zip(VERDICTS, (1.0, 0.5, 0.0), strict=True))
    own = pairs["self_verdict"].map(scores) * pairs["pairs"]
    outside = pairs["verdict"].map(scores) * pairs["pairs"]
    summed = pairs.assign(own=own, outside=outside).groupby(["region", "entity"], as_index=False).sum(numeric_only=True)
    return pd.DataFrame(
        {
            "entity": summed["entity"],
            "group": summed["region"],
            "self_rate": summed["own"] / summed["pairs"],
            "outside_rate": summed["outside"] / summed["pairs"],
            "pairs": summed["pairs"],
        }
    )


def test_95_pairs_as_published() -> None:
    frame = make_pairs([22, 60, 0, 13, 0, 0, 0, 0, 0], entity="A")
    found = summarise_pairs(frame).iloc[0]
    assert found[["pairs", "equal", "self_higher", "self_lower"]].tolist() == [95, 22, 60, 13]
    assert round(found["net_optimism"], 3) == 0.495
    assert round(found["exact_agreement"], 3) == 0.232
    assert found["p_sign"] == pytest.approx(2.3e-08, abs=0.05e-08)
    assert np.isnan(found["low"]) and np.isnan(found["high"])


def test_agreement_of_two_abstractors_is_that_of_gwet() -> None:
    """Table cont3x3abstractors of irrCAC: AC1 = 0.8493305."""
    found = summarise_pairs(make_pairs([13, 0, 0, 0, 20, 7, 0, 4, 56], entity="A")).iloc[0]
    assert found["gwet_ac1"] == pytest.approx(0.8493305, abs=5e-8)
    assert found["exact_agreement"] == pytest.approx(0.89)


@settings(max_examples=30)
@given(TABLES)
def test_weighted_kappa_is_that_of_cohen(table: list[int]) -> None:
    """Cohen (1968), cell by cell: agreement counts 1, a step of one verdict a half, of two nothing."""
    counts = np.array(table) + 1
    found = summarise_pairs(make_pairs(counts, entity="A")).iloc[0]["weighted_kappa"]
    shares = counts.reshape(3, 3) / counts.sum()
    weights = [[1 - abs(own - outside) / 2 for outside in range(3)] for own in range(3)]
    observed = sum(weights[own][outside] * shares[own, outside] for own in range(3) for outside in range(3))
    chance = sum(
        weights[own][outside] * shares[own].sum() * shares[:, outside].sum() for own in range(3) for outside in range(3)
    )
    assert found == pytest.approx((observed - chance) / (1 - chance), abs=1e-12)


@settings(max_examples=30)
@given(TABLES)
def test_kappa_is_null_exactly_where_both_sides_have_one_and_the_same_verdict(table: list[int]) -> None:
    counts = np.array(table).reshape(3, 3)
    used = {*np.flatnonzero(counts.any(axis=0)), *np.flatnonzero(counts.any(axis=1))}
    found = summarise_pairs(make_pairs(table, entity="A")).iloc[0]
    assert np.isnan(found["weighted_kappa"]) == (len(used) <= 1)


def test_kappa_says_nothing_where_all_is_met_but_ac1_does() -> None:
    found = summarise_pairs(make_pairs([50, 0, 0, 0, 0, 0, 0, 0, 0], entity="A")).iloc[0]
    assert np.isnan(found["weighted_kappa"]) and np.isnan(found["p_sign"])
    assert (found["gwet_ac1"], found["exact_agreement"], found["net_optimism"]) == (1, 1, 0)


@settings(max_examples=30)
@given(TABLES, TABLES)
def test_swapping_the_sides_turns_optimism_round(first: list[int], second: list[int]) -> None:
    frame = pd.concat([make_pairs(first, entity="A"), make_pairs(second, entity="B")])
    swapped = frame.rename(columns={"self_verdict": "verdict", "verdict": "self_verdict"})
    one, other = summarise_pairs(frame).iloc[0], summarise_pairs(swapped).iloc[0]
    np.testing.assert_allclose(one["net_optimism"], -other["net_optimism"])
    np.testing.assert_allclose(one[["low", "high"]].astype(float), -other[["high", "low"]].astype(float), atol=1e-12)
    for same in ("exact_agreement", "p_sign", "weighted_kappa", "gwet_ac1", "pairs", "entities"):
        np.testing.assert_allclose(one[same], other[same], atol=1e-12)
    assert one["pairs"] == one["self_higher"] + one["self_lower"] + one["equal"]


def test_cluster_interval_is_that_of_the_ratio_estimator() -> None:
    entities = [
        make_pairs([10, up, 0, down, 0, 0, 0, 0, 0], entity=n)
        for n, (up, down) in enumerate([(5, 1), (2, 2), (0, 4), (9, 0)])
    ]
    found = summarise_pairs(pd.concat(entities)).iloc[0]
    surplus, count = np.array([4, 0, -4, 9]), np.array([16, 14, 14, 19])
    rate = surplus.sum() / count.sum()
    error = np.sqrt(4 / 3 * ((surplus - rate * count) ** 2).sum()) / count.sum()
    assert found["net_optimism"] == pytest.approx(rate)
    assert found["high"] - rate == pytest.approx(stats.t.ppf(0.975, 3) * error)


def test_interval_of_net_optimism_covers_what_it_says() -> None:
    """400 groups of 15 entities that differ: 95 % of the intervals hold the expected net optimism of 0.1."""
    rng = np.random.default_rng(5)
    up = rng.beta(2, 8, 400 * 15)
    counts = np.array([rng.multinomial(40, [0.9 - one, one, 0.1]) for one in up])
    frame = pd.DataFrame(
        {
            "group": np.repeat(np.arange(400), 45),
            "entity": np.repeat(np.arange(len(up)), 3),
            "self_verdict": np.tile(["met", "met", "partly_met"], len(up)),
            "verdict": np.tile(["met", "partly_met", "met"], len(up)),
            "pairs": counts.ravel(),
        }
    )
    found = summarise_pairs(frame, "group")
    assert 0.92 <= found["low"].le(0.1).mul(found["high"].ge(0.1)).mean() <= 0.98


def test_groups_of_two_columns_come_in_order_with_null_as_one_of_them() -> None:
    frame = pd.concat(
        [
            make_pairs([3, 1, 0, 0, 0, 0, 0, 0, 0], region="JP", kind="site", entity="A"),
            make_pairs([1, 0, 0, 0, 0, 0, 0, 0, 0], region="EU", kind="site", entity="B"),
            make_pairs([2, 0, 0, 0, 0, 0, 0, 0, 0], region=None, kind="head_office", entity="C"),
        ]
    )
    found = summarise_pairs(frame, ["kind", "region"])
    assert found["kind"].tolist() == ["head_office", "site", "site"]
    assert found["region"].iloc[1:].tolist() == ["EU", "JP"] and pd.isna(found["region"].iloc[0])
    assert found["pairs"].tolist() == [2, 1, 4]


def test_few_and_many_groups_are_counted_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = draw_group(2)
    expected = summarise_pairs(frame, ["region", "entity"]), compare_groups(frame, "region")
    monkeypatch.setattr("insights.calibration.MOST_MARKED", 0)
    pd.testing.assert_frame_equal(summarise_pairs(frame, ["region", "entity"]), expected[0])
    pd.testing.assert_frame_equal(compare_groups(frame, "region"), expected[1])


def test_other_verdicts_are_no_pairs() -> None:
    frame = make_pairs([1, 1, 1, 1, 1, 1, 1, 1, 1], entity="A")
    more = pd.DataFrame([{"entity": "A", "self_verdict": "not_applicable", "verdict": "met", "pairs": 7}])
    pd.testing.assert_frame_equal(summarise_pairs(frame), summarise_pairs(pd.concat([frame, more], ignore_index=True)))


@pytest.mark.parametrize("by", ["region", ["region", "entity"]])
def test_nothing_gives_no_group(by: str | list[str]) -> None:
    frame = draw_group(1).iloc[:0]
    assert summarise_pairs(frame, by).empty and compare_groups(frame, by).empty
    assert list(summarise_pairs(frame, "region"))[:2] == ["region", "pairs"]


def test_planted_rosy_region_is_found_and_few_others() -> None:
    """60 groups with the story: found in each, and at most 5 % of the regions called are not the planted one."""
    found = [compare_groups(draw_group(seed, rosy=1.3), "region").set_index("region") for seed in range(60)]
    assert all(one.loc["AS", "is_more_optimistic"] and one.loc["AS", "low"] > 1 for one in found)
    others = [one.drop("AS")[["is_more_optimistic", "is_less_optimistic"]].to_numpy().sum() for one in found]
    assert np.mean([number / (1 + number) for number in others]) <= NOMINAL_FDR


@pytest.mark.parametrize("per_region", [3, 12])
def test_false_alarms_without_the_rosy_story_are_nominal(per_region: int) -> None:
    """Regions of different strength, same optimism: a group has a region called in at most 5 % of 100 groups."""
    called = [compare_groups(draw_group(seed, per_region=per_region), "region") for seed in range(100)]
    alarms = np.array([(one["is_more_optimistic"] | one["is_less_optimistic"]).any() for one in called])
    assert alarms.mean() <= NOMINAL_FDR


def test_net_optimism_depends_on_strength_but_the_effect_does_not() -> None:
    pairs = pd.concat(
        [draw_group(seed).assign(entity=lambda one, seed=seed: one["entity"] + 100 * seed) for seed in range(30)]
    )
    plain = summarise_pairs(pairs, "region").set_index("region")["net_optimism"]
    effect = compare_groups(pairs, "region").set_index("region")["effect"]
    assert plain["AS"] / plain["JP"] > 1.5
    assert effect.abs().max() < 0.15


def test_a_pessimistic_region_is_found_as_less_optimistic() -> None:
    found = compare_groups(draw_group(3, rosy=-1.0), "region").set_index("region")
    assert found.index[found["is_less_optimistic"]].tolist() == ["AS"] and not found["is_more_optimistic"].any()
    assert found.loc["AS", "high"] < 0


def test_a_strict_outsider_does_not_make_a_group_look_optimistic_within_its_own_kind() -> None:
    """A strict outsider visits most of JP and few others: JP is called, unless checks are compared with their kind."""
    is_strict = np.array([n % 15 < (12 if n < 15 else 4) for n in range(75)])
    frame = draw_group(11, per_region=15, severity=0.7 * is_strict)
    frame["inspection_type"] = np.where(is_strict[frame["entity"]], "affiliate_check", "mutual_check")
    plain, fair = (compare_groups(frame, "region", within).set_index("region") for within in (None, "inspection_type"))
    assert plain.loc["JP", "is_more_optimistic"]
    assert not fair[["is_more_optimistic", "is_less_optimistic"]].to_numpy().any()


def test_groups_that_share_no_kind_of_check_are_not_compared() -> None:
    frame = draw_group(1)
    kinds = frame["region"].map({"JP": "a", "AM": "b", "EU": "b", "CN": "b", "AS": "b"})
    found = compare_groups(frame.assign(kind=kinds), "region", within="kind").set_index("region")
    assert np.isnan(found.loc["JP", "effect"]) and not found.loc["JP", "is_more_optimistic"]
    assert found.drop("JP")["effect"].notna().all()


def test_two_entities_are_too_few_to_call_a_group() -> None:
    frame = draw_group(0, rosy=1.3)
    few = frame[
        (frame["region"] != "AS") | frame["entity"].isin(frame.loc[frame["region"] == "AS", "entity"].unique()[:2])
    ]
    found = compare_groups(few, "region").set_index("region")
    assert found.loc["AS", ["effect", "low", "high", "p", "q"]].isna().all()
    assert not found["is_more_optimistic"].any()


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 4), TABLES), max_size=12))
def test_comparison_of_any_pairs_has_sound_figures(rows: list[tuple[str, int, list[int]]]) -> None:
    parts = [make_pairs(table, region=region, entity=f"{region}{n}", kind=n % 2) for region, n, table in rows]
    frame = pd.concat(parts) if parts else draw_group(0).iloc[:0].assign(kind=0)
    for within in (None, "kind"):
        found = compare_groups(frame, "region", within)
        assert len(found) == len({region for region, _, _ in rows})
        assert not (found["is_more_optimistic"] & found["is_less_optimistic"]).any()
        told = found.dropna(subset=["effect"])
        assert ((told["low"] <= told["effect"]) & (told["effect"] <= told["high"])).all()
        assert told["p"].between(0, 1).all() and (told["q"] >= told["p"] - 1e-12).all()
        assert (told["entities"] >= 3).all()
        assert (found["is_more_optimistic"] <= (found["effect"] > 0)).all()


def test_verified_estimate_covers_in_groups_with_and_without_a_rosy_region() -> None:
    for rosy in (0.0, 1.3):
        hits, count, error, plain = 0, 0, 0.0, 0.0
        for seed in range(30):
            rates = find_rates(draw_group(seed, rosy=rosy))
            is_visited = np.random.default_rng(seed).random(len(rates)) < 0.5
            found = estimate_verified(rates[is_visited], rates[~is_visited])
            truth = rates.loc[~is_visited, "outside_rate"]
            hits += int(((found["low"] <= truth + 1e-9) & (truth <= found["high"] + 1e-9)).sum())
            count += len(found)
            error += float((found["estimate"] - truth).abs().sum())
            plain += float((found["self_rate"] - truth).abs().sum())
        assert 0.93 <= hits / count <= 0.98
        assert error < 0.75 * plain


def test_a_rosy_group_has_its_own_gap() -> None:
    rates = find_rates(draw_group(4, rosy=1.3))
    visited, unvisited = rates[rates["entity"] % 2 == 0], rates[rates["entity"] % 2 == 1]
    gap = estimate_verified(visited, unvisited).groupby("group")["gap"].mean()
    assert gap["AS"] > 2 * gap.drop("AS").max()


def test_check_is_the_estimate_with_each_entity_left_out() -> None:
    rates = find_rates(draw_group(6, rosy=1.3)).iloc[::3].reset_index(drop=True)
    found = pd.concat([estimate_verified(rates.drop(index=place), rates.loc[[place]]) for place in rates.index])
    check = check_verified(rates)
    assert check.entities == len(rates)
    assert check.mean_absolute_error == pytest.approx(
        (found["estimate"] - rates["outside_rate"]).abs().mean(), abs=1e-9
    )
    assert check.mean_width == pytest.approx((found["high"] - found["low"]).mean(), abs=1e-9)
    covered = (found["low"] <= rates["outside_rate"] + 1e-9) & (rates["outside_rate"] <= found["high"] + 1e-9)
    assert check.coverage == covered.mean()


def test_a_group_without_a_visit_has_a_wider_interval_than_one_with_many() -> None:
    visited = find_rates(draw_group(7, rosy=1.3))
    unvisited = pd.DataFrame({"entity": ["x", "y"], "group": ["JP", "XX"], "self_rate": [0.95, 0.95]}, index=[4, 9])
    found = estimate_verified(visited, unvisited)
    assert found.index.tolist() == [4, 9] and found["visited_in_group"].tolist() == [12, 0]
    width = found["high"] - found["low"]
    assert width[9] > width[4]


def test_too_few_visited_give_no_estimate() -> None:
    rates = find_rates(draw_group(1))
    few = rates.iloc[: MIN_VISITED - 1]
    found = estimate_verified(few, rates.iloc[20:23])
    assert found[["estimate", "low", "high", "gap"]].isna().all().all() and found["self_rate"].notna().all()
    assert np.isnan(check_verified(few).coverage)
    assert estimate_verified(rates, rates.iloc[:0]).empty
    assert estimate_verified(rates.iloc[:0], rates.iloc[:2])["estimate"].isna().all()


RATES = st.floats(0, 1) | st.sampled_from([0.0, 1.0]) | st.just(float("nan"))


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.sampled_from("AB"), RATES, RATES, st.integers(0, 50)), max_size=12),
    st.lists(RATES, max_size=3),
)
def test_estimates_of_any_rates_stay_within_bounds(rows: list[tuple[str, float, float, int]], own: list[float]) -> None:
    visited = pd.DataFrame(rows, columns=["group", "self_rate", "outside_rate", "pairs"])
    unvisited = pd.DataFrame({"entity": range(len(own)), "group": (["A", "C", None] * 2)[: len(own)], "self_rate": own})
    found = estimate_verified(visited, unvisited)
    usable = visited.dropna(subset=["self_rate", "outside_rate"]).query("pairs > 0")
    told = found.dropna(subset=["estimate"])
    expected = found["self_rate"].notna().sum() if len(usable) >= MIN_VISITED else 0
    assert len(told) == expected
    assert (
        (told["low"] >= 0)
        & (told["low"] <= told["estimate"])
        & (told["estimate"] <= told["high"])
        & (told["high"] <= 1)
    ).all()
    assert 0 <= np.nan_to_num(check_verified(visited).coverage) <= 1


def test_equal_checks_everywhere_have_a_gap_of_zero() -> None:
    visited = pd.DataFrame(
        {"group": ["A", "A", "B", "B", "B", "A"], "self_rate": [0.9, 1, 0.8, 0.7, 0.95, 0.6], "pairs": 100}
    )
    visited["outside_rate"] = visited["self_rate"]
    unvisited = pd.DataFrame({"entity": ["x"], "group": ["A"], "self_rate": [0.85]})
    found = estimate_verified(visited, unvisited).iloc[0]
    assert found["estimate"] == pytest.approx(0.85, abs=1e-12)
    assert check_verified(visited).coverage == 1
