"""Figures: worked out by hand, added up, held to scope and knowledge, and safe from what stands in a filter."""

from __future__ import annotations

import re
import threading
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from metrics.ask import answer, value_labels
from metrics.catalog import DIMENSIONS, METRICS
from metrics.compile import compile_query
from metrics.query import OUTSIDE, Filters, Query, QueryProblem, Scope
from metrics.warehouse import MOST_READ_ONCE, Warehouse, WarehouseMissing, newest_build_name
from tests.etl.conftest import Group
from tests.metrics.conftest import ANSWER_HEAD, DOMAINS, WIDE_CODES, answer_rows, load, make_group
from tests.metrics.inserted_group import Group as InsertedGroup

KNOWN = datetime(2024, 12, 31)
H1 = "FY2024-H1"
BY_FACT = {
    metric.fact: tuple(name for name, other in METRICS.items() if other.fact == metric.fact)
    for metric in METRICS.values()
}
OF_ANSWERS = BY_FACT["answers"]
# All metrics of a fact are one statement, so that asking them together runs each of them by each of its dimensions.
PAIRS = [(fact, name) for fact in BY_FACT for name in DIMENSIONS if fact in DIMENSIONS[name].facts]


def one(warehouse: Warehouse, metrics: str | tuple[str, ...], known_at: datetime = KNOWN, **filters: Any) -> pd.Series:
    """The only row of the metrics over everything that the filters leave."""
    names = (metrics,) if isinstance(metrics, str) else metrics
    found = answer(warehouse, Query(names, filters=Filters(**filters), known_at=known_at)).frame
    assert len(found) == 1
    return found.iloc[0]


def cells(warehouse: Warehouse, metric: str, by: str, known_at: datetime = KNOWN, **filters: Any) -> dict[Any, float]:
    """Value of a metric by id of a dimension."""
    found = answer(warehouse, Query((metric,), (by,), Filters(**filters), known_at)).frame
    return {None if pd.isna(key) else key: value for key, value in zip(found[by], found[metric], strict=True)}


# --- figures worked out by hand -------------------------------------------------------------------


def test_not_applicable_leaves_the_denominator(figures: Warehouse) -> None:
    """10 met, 5 partly, 3 not, 2 not applicable: 12.5 of 18 is 69.4 %; 75.0 % would count the 2 as met somehow."""
    held = {"entity": ("C-1",), "fiscal_half": (H1,)}
    rate = one(figures, "compliance_rate", **held)
    assert (rate.compliance_rate_numerator, rate.compliance_rate_denominator) == (12.5, 18)
    assert f"{rate.compliance_rate:.1%}" == "69.4%"
    strict = one(figures, "strict_compliance_rate", **held)
    assert (strict.strict_compliance_rate_numerator, strict.strict_compliance_rate_denominator) == (10, 18)
    unused = one(figures, "not_applicable_rate", **held)
    assert (unused.not_applicable_rate_numerator, unused.not_applicable_rate_denominator) == (2, 20)
    assert one(figures, "completion_rate", **held).completion_rate == 1
    assert cells(figures, "answers", "verdict", **held) == {
        "met": 10,
        "partly_met": 5,
        "not_met": 3,
        "not_applicable": 2,
    }


def test_unanswered_items_lower_completion_but_not_compliance(figures: Warehouse) -> None:
    held = {"entity": ("C-4",)}
    completion = one(figures, "completion_rate", **held)
    assert (completion.completion_rate_numerator, completion.completion_rate_denominator) == (2, 3)
    assert one(figures, "compliance_rate", **held).compliance_rate_denominator == 2


def test_rate_of_a_region_is_the_ratio_of_sums_not_the_mean_of_rates(figures: Warehouse) -> None:
    parts = cells(figures, "compliance_rate", "entity", region=("AM",))
    assert parts == {"R-1": pytest.approx(95 / 100), "R-2": pytest.approx(87.75 / 90)}
    assert f"{sum(parts.values()) / 2:.2%}" == "96.25%"
    whole = one(figures, "compliance_rate", region=("AM",))
    assert (whole.compliance_rate_numerator, whole.compliance_rate_denominator) == (182.75, 190)
    assert f"{whole.compliance_rate:.2%}" == "96.18%"
    assert (whole.compliance_rate_contributing, whole.compliance_rate_expected) == (2, 2)


def test_period_without_inspections_is_a_gap_not_zero(figures: Warehouse) -> None:
    assert set(cells(figures, "compliance_rate", "fiscal_half", entity=("C-1",))) == {H1, "FY2025-H1"}
    nothing = one(figures, "compliance_rate", entity=("C-1",), fiscal_half=("FY2024-H2",))
    assert pd.isna(nothing.compliance_rate)


def test_headings_and_weight_zero_are_in_no_denominator(figures: Warehouse) -> None:
    """Of a heading, an item of weight 0, one met and one not met, two items count."""
    held = {"entity": ("C-2",)}
    rate = one(figures, "compliance_rate", **held)
    assert (rate.compliance_rate_numerator, rate.compliance_rate_denominator) == (1, 2)
    assert one(figures, "answers", **held).answers == 3
    assert set(cells(figures, "answers", "item", **held)) == {"SC|2|Z", "SC|2|I", "SC|2|J"}
    assert set(cells(figures, "compliance_rate", "item", **held)) == {"SC|2|I", "SC|2|J"}


def test_all_not_applicable_is_no_figure_not_zero(figures: Warehouse) -> None:
    assert pd.isna(one(figures, "compliance_rate", entity=("C-3",)).compliance_rate)
    assert cells(figures, "compliance_rate", "entity", region=("EU",)) == {}
    assert one(figures, "not_applicable_rate", entity=("C-3",)).not_applicable_rate == pytest.approx(2 / 3)
    whole = one(figures, "compliance_rate", region=("EU",))
    assert (whole.compliance_rate_contributing, whole.compliance_rate_expected) == (0, 1)


def test_weights_taken_back_in_parts_leave_no_crumb_of_a_rate(figures: Warehouse) -> None:
    """0.1 + 0.2 + 0.7 - 0.1 - (0.2 + 0.7) is not 0 in binary, and a crumb over a crumb is any rate at all."""
    assert one(figures, "compliance_rate", datetime(2024, 11, 15), entity=("C-5",)).compliance_rate == 1
    row = one(figures, "compliance_rate", entity=("C-5",))
    assert pd.isna(row.compliance_rate) and row.compliance_rate_contributing == 0


def test_entity_that_moves_counts_in_each_region_in_its_time(figures: Warehouse) -> None:
    moves = answer(figures, Query(("compliance_rate",), ("region", "fiscal_half"), Filters(entity=("M-1",)), KNOWN))
    assert moves.frame[["region", "fiscal_half", "compliance_rate"]].to_numpy().tolist() == [
        ["CN", "FY2024-H2", 0.5],
        ["JP", "FY2022-H1", 0.0],  # before its first interval the first one holds
        ["JP", H1, 1.0],
    ]
    assert moves.frame["compliance_rate_expected"].tolist() == [1, 1, 1]


def test_correction_counts_from_when_it_was_known(figures: Warehouse) -> None:
    moment = datetime(2024, 12, 1, 12)
    before, after = moment - timedelta(microseconds=1), moment
    assert one(figures, "compliance_rate", before, entity=("C-4",)).compliance_rate == 0.5
    assert one(figures, "compliance_rate", after, entity=("C-4",)).compliance_rate == 1
    # The same where the answers themselves are read and not the cube.
    assert cells(figures, "answers", "verdict", before, entity=("C-4",)) == {"met": 1, "not_met": 1, "not_answered": 1}
    assert cells(figures, "answers", "verdict", after, entity=("C-4",)) == {"met": 2, "not_answered": 1}


def test_before_anything_was_known_there_are_no_rows(figures: Warehouse) -> None:
    early = datetime(2024, 10, 31)
    for name in OF_ANSWERS:
        assert cells(figures, name, "region", early) == {}
        assert cells(figures, name, "item", early) == {}
    assert cells(figures, "inspections", "region", early) == {}
    assert figures.first_known_at() == datetime(2024, 11, 1)


def test_weight_as_first_known_holds_for_the_past_and_a_corrected_one_from_its_date(tmp_path: Path) -> None:
    group = make_group(tmp_path)
    items = "version,item,measure,weight\n1,a,human,1\n1,b,human,1\n"
    people = "code,name,region,kind\nE-1,One,JP,site\n"
    load(group, "2024-01-01", entities=people, items=items)
    load(group, "2024-02-01", answers=ANSWER_HEAD + answer_rows("E-1", "FY2023-H2", "1", "a=○ b=×"))
    load(group, "2024-03-01", items=items.replace("a,human,1", "a,human,3"))
    warehouse = Warehouse.open_newest(group.home.path)
    for by in ("measure", "item"):
        rates = [
            answer(warehouse, Query(("compliance_rate",), (by,), known_at=datetime(2024, month, 15))).frame
            for month in (2, 3)
        ]
        assert [frame["compliance_rate_numerator"].sum() for frame in rates] == [1, 3]
        assert [frame["compliance_rate_denominator"].sum() for frame in rates] == [2, 4]
    warehouse.close()


# --- adding up -------------------------------------------------------------------------------------

BY_HAND = {
    "compliance_rate": ("coalesce(a.score * i.weight, 0)", "if(a.score is null, 0, i.weight)"),
    "strict_compliance_rate": ("if(a.verdict = 'met', i.weight, 0)", "if(a.score is null, 0, i.weight)"),
    "completion_rate": ("if(a.verdict <> 'not_answered', 1, 0)", "1"),
    "not_applicable_rate": (
        "if(a.verdict = 'not_applicable', 1, 0)",
        "if(a.verdict <> 'not_answered', 1, 0)",
    ),
    "mean_written_score": ("coalesce(a.written_score, 0)", "if(a.written_score is null, 0, 1)"),
    "answers": ("1", "null"),
    "applicable_answers": ("if(a.score is null, 0, 1)", "null"),
}
COLUMNS = {"region": "e.region_code", "measure": "i.measure", "category": "i.category_code", "domain": "i.domain"}


def by_hand(warehouse: Warehouse, metric: str, column: str, known_at: datetime) -> dict[str, tuple[float, float]]:
    """Numerator and denominator from the answers alone."""
    top, base = BY_HAND[metric]
    rows = (
        warehouse.cursor()
        .execute(
            f"""select {column}, sum({top})::double, sum({base})::double
        from fct_answer a
        join fct_inspection f on f.inspection_id = a.inspection_id and $t >= f.known_from and $t < f.known_to
        join dim_item i on i.item_id = a.item_id and $t >= i.known_from and $t < i.known_to and i.is_assessable
        asof join (
            select *, if(valid_from = min(valid_from) over (partition by entity_id), date '0001-01-01', valid_from) as day
            from dim_entity where $t >= known_from and $t < known_to
        ) e on e.entity_id = f.entity_id and f.reference_on >= e.day
        where $t >= a.known_from and $t < a.known_to group by 1""",
            {"t": known_at},
        )
        .fetchall()
    )
    return {key: (top, base) for key, top, base in rows}


@pytest.mark.parametrize("known_at", [datetime(2024, 8, 2), KNOWN])
def test_cubes_and_answers_agree(wide: Warehouse, known_at: datetime) -> None:
    # A dimension that only one table has decides which is read; summed over it, all of them say the same.
    reads = {
        "from cube_": (),
        "from cube_category c": ("category", "entity"),
        "from cube_item a": ("item_lineage",),
        "from tally where": ("verdict",),
        "from fct_answer w": ("answer",),
    }
    for by, column in COLUMNS.items():
        for table, more in reads.items():
            found = answer(wide, Query(OF_ANSWERS, tuple(dict.fromkeys((by, *more))), known_at=known_at))
            assert table in found.statements[0]
            numbers = [name for name in found.frame if name.endswith(("_numerator", "_denominator"))]
            frame = found.frame.fillna({by: "-"}).groupby(by)[numbers].sum()
            for metric in OF_ANSWERS:
                expected = {key or "-": parts for key, parts in by_hand(wide, metric, column, known_at).items()}
                assert frame[f"{metric}_numerator"].to_dict() == {
                    key: pytest.approx(top) for key, (top, _) in expected.items()
                }
                if METRICS[metric].is_ratio:
                    assert frame[f"{metric}_denominator"].to_dict() == {
                        key: pytest.approx(base) for key, (_, base) in expected.items()
                    }


def test_every_metric_runs_by_every_dimension_and_parts_sum_to_the_total(wide: Warehouse) -> None:
    assert len(PAIRS) > 80
    totals = {fact: one(wide, metrics) for fact, metrics in BY_FACT.items()}
    for fact, name in PAIRS:
        found = answer(wide, Query(BY_FACT[fact], (name,), known_at=KNOWN)).frame
        assert list(found.columns[:4]) == [name, f"{name}_en", f"{name}_ja", BY_FACT[fact][0]]
        assert not found[name].duplicated().any(), (fact, name)
        for metric in BY_FACT[fact]:
            for part in ("numerator", "denominator") if METRICS[metric].is_ratio else ("numerator",):
                column = f"{metric}_{part}"
                assert totals[fact][column] > 0, f"{metric} is 0 in the wide group, so its parts prove nothing"
                assert found[column].sum() == pytest.approx(totals[fact][column]), (metric, name)


def test_parts_of_two_dimensions_sum_to_the_total(wide: Warehouse) -> None:
    for fact, metrics in BY_FACT.items():
        total = one(wide, metrics)
        names = [name for other, name in PAIRS if other == fact]
        for first, second in zip(names, names[3:], strict=False):
            found = answer(wide, Query(metrics, (first, second), known_at=KNOWN)).frame
            for metric in metrics:
                column = f"{metric}_numerator"
                assert found[column].sum() == pytest.approx(total[column]), (metric, first, second)


def test_entities_behind_a_figure_are_those_that_have_something_in_it(wide: Warehouse) -> None:
    for fact, name in PAIRS:
        if name == "entity" or "entity" not in dict.fromkeys(other for one, other in PAIRS if one == fact):
            continue
        metrics = BY_FACT[fact]
        found = answer(wide, Query(metrics, (name,), known_at=KNOWN)).frame
        apart = answer(wide, Query(metrics, (name, "entity"), known_at=KNOWN)).frame
        for metric in metrics:
            base = f"{metric}_{'denominator' if METRICS[metric].is_ratio else 'numerator'}"
            wanted = apart[apart[base] > 0].groupby(apart[name].fillna("-").astype(str))["entity"].nunique().to_dict()
            told = found.set_index(found[name].fillna("-").astype(str))[f"{metric}_contributing"]
            assert told[told > 0].to_dict() == wanted, (metric, name)


def test_figures_are_the_same_where_no_entities_are_counted(wide: Warehouse) -> None:
    for fact, name in PAIRS:
        for filters, by in (
            (Filters(), (name,)), (Filters(region=("JP",), period_from="FY2023-H2"), (name,)),
            (Filters(), ()), (Filters(entity=("nobody",)), ()),
        ):  # fmt: skip
            query = Query(BY_FACT[fact], by, filters, KNOWN)
            full = answer(wide, query).frame
            plain = answer(wide, replace(query, with_entities=False)).frame
            counts = [column for column in full if column.endswith(("_contributing", "_expected"))]
            assert plain[counts].isna().all(axis=None) and list(plain) == list(full)
            pd.testing.assert_frame_equal(plain.drop(columns=counts), full.drop(columns=counts))


def test_rates_are_the_same_alone_as_beside_counts(wide: Warehouse) -> None:
    rates = [name for name in OF_ANSWERS if METRICS[name].is_ratio]
    for by in (("category",), ("item",), ("item_lineage", "region"), ("measure", "control"), ("verdict",)):
        query = Query(("answers", *rates), by, known_at=KNOWN)
        for with_entities in (True, False):
            full = answer(wide, replace(query, with_entities=with_entities)).frame
            for rate in rates:
                alone = answer(wide, replace(query, metrics=(rate,), with_entities=with_entities)).frame
                beside = full[full[rate].notna()][[*alone]].reset_index(drop=True)
                pd.testing.assert_frame_equal(alone, beside)


def test_answers_that_are_in_no_rate_stand_beside_plans_as_nothing(tmp_path: Path) -> None:
    group = InsertedGroup(tmp_path)
    group.item("a")
    group.item("n", "human")
    for code, region in (("E-1", "JP"), ("E-2", "EU")):
        group.entity(code, region)
        group.plan(code)
        group.inspection(code, verdicts={"a": "met", "n": "not_applicable" if region == "JP" else "not_answered"})
    group.write()
    with closing(Warehouse.open_newest(tmp_path)) as warehouse:
        known_at = datetime(2026, 1, 1)
        held = Filters(item_lineage=("SEC|2020|n",))
        assert answer(warehouse, Query(("compliance_rate",), ("region",), held, known_at)).frame.empty
        frame = answer(warehouse, Query(("compliance_rate", "coverage_rate"), ("region",), held, known_at)).frame
        columns = ["compliance_rate_denominator", "compliance_rate_contributing", "compliance_rate_expected"]
        assert frame[["region", *columns]].to_numpy().tolist() == [["EU", 0, 0, 1], ["JP", 0, 0, 1]]


def test_more_entities_than_a_number_has_bits_are_counted_each_once(tmp_path: Path) -> None:
    group = InsertedGroup(tmp_path)
    group.item("a")
    for number in range(150):
        group.entity(f"E{number:03}")
        for half in ("FY2023-H1", "FY2024-H1"):
            group.inspection(f"E{number:03}", half, {"a": "met" if number % 3 else "not_applicable"})
    group.write()
    warehouse = Warehouse.open_newest(tmp_path)
    for by in ((), ("fiscal_half",), ("item_lineage",), ("measure",)):
        found = answer(warehouse, Query(("compliance_rate", "answers", "inspections")[: 3 - len(by)], by)).frame
        assert set(found["compliance_rate_contributing"]) == {100} and set(found["answers_contributing"]) == {150}
        assert set(found["answers_expected"]) == {150}
    warehouse.close()


def test_filter_to_a_value_is_the_cell_of_that_value(wide: Warehouse) -> None:
    for fact, name in PAIRS:
        split = answer(wide, Query(BY_FACT[fact], (name,), known_at=KNOWN)).frame.dropna(subset=[name])
        row = split.iloc[len(split) // 2]
        held = one(wide, BY_FACT[fact], **{name: (str(row[name]),)})
        for metric in BY_FACT[fact]:
            assert held[metric] == pytest.approx(row[metric], nan_ok=True), (metric, name, row[name])


def test_metrics_of_several_facts_stand_in_one_row_per_cell(wide: Warehouse) -> None:
    for name in ("entity", "fiscal_half", "fiscal_year", "fiscal_month"):
        facts = [fact for fact, other in PAIRS if other == name]
        metrics = tuple(metric for fact in facts for metric in BY_FACT[fact])
        together = answer(wide, Query(metrics, (name,), known_at=KNOWN)).frame
        assert not together[name].duplicated().any()
        together = together.set_index(together[name].where(together[name].notna(), "-"))
        for fact in facts:
            alone = answer(wide, Query(BY_FACT[fact], (name,), known_at=KNOWN)).frame
            alone = alone.set_index(alone[name].where(alone[name].notna(), "-"))
            for metric in BY_FACT[fact]:
                assert together[metric].dropna().to_dict() == alone[metric].dropna().to_dict(), (metric, name)


def test_period_ends_are_inclusive_at_every_length(wide: Warehouse) -> None:
    halves = cells(wide, "inspections", "fiscal_half")
    assert sum(halves.values()) == one(wide, "inspections").inspections == 24
    assert set(cells(wide, "inspections", "fiscal_half", period_from="FY2023-H2")) == {"FY2023-H2", H1}
    assert set(cells(wide, "inspections", "fiscal_half", period_from="FY2023", period_to="FY2023")) == {
        "FY2023-H1",
        "FY2023-H2",
    }
    assert set(cells(wide, "inspections", "fiscal_half", period_to="FY2023-H1")) == {"FY2023-H1"}
    assert set(cells(wide, "inspections", "fiscal_month", period_from="2023-12", period_to="2023-12")) == {"2023-12"}
    assert cells(wide, "inspections", "fiscal_year", fiscal_year=("FY2024",)) == {2024: halves[H1]}


# --- plans, findings, actions, entities ------------------------------------------------------------


def test_coverage_counts_the_plan_without_what_was_cancelled(planned: Warehouse) -> None:
    """In time, late, never and not yet due: 2 of 4. Cancelled counts nowhere; what was never planned is not performed."""
    known = datetime(2024, 10, 15)
    coverage = one(planned, "coverage_rate", known)
    assert (coverage.coverage_rate_numerator, coverage.coverage_rate_denominator) == (2, 4)
    on_time = one(planned, "on_time_rate", known)
    assert (on_time.on_time_rate_numerator, on_time.on_time_rate_denominator) == (1, 3)
    assert one(planned, "planned_inspections", known).planned_inspections == 4
    assert cells(planned, "missing_inspections", "entity", known)["P-3"] == 1
    assert one(planned, "missing_inspections", known).missing_inspections == 1
    assert one(planned, "late_inspections", known).late_inspections == 1
    assert cells(planned, "late_inspections", "entity", known)["P-2"] == 1
    assert "P-5" not in cells(planned, "planned_inspections", "entity", known)
    assert one(planned, "inspections", known).inspections == 3


def test_expected_entities_were_planned_or_inspected(planned: Warehouse) -> None:
    """P-1 to P-4 by the plan and P-6 by its inspection; P-5 was cancelled."""
    row = one(planned, "compliance_rate", datetime(2024, 10, 15))
    assert (row.compliance_rate_contributing, row.compliance_rate_expected) == (3, 5)
    by_region = answer(planned, Query(("compliance_rate",), ("region",), known_at=datetime(2024, 10, 15))).frame
    assert by_region[["region", "compliance_rate_contributing", "compliance_rate_expected"]].to_numpy().tolist() == [
        ["EU", 1, 2],
        ["JP", 2, 3],
    ]


def test_missing_is_relative_to_the_knowledge_date(planned: Warehouse) -> None:
    due, after = datetime(2024, 9, 30, 23, 59), datetime(2024, 10, 1)
    assert one(planned, "missing_inspections", due).missing_inspections == 0
    assert one(planned, "missing_inspections", after).missing_inspections == 3  # nothing had been handed in yet
    assert one(planned, "missing_inspections", datetime(2025, 4, 1)).missing_inspections == 2


def test_findings_open_close_and_open_again(planned: Warehouse) -> None:
    moments = [datetime(2024, month, 15) for month in (5, 6, 9, 10)]
    assert [one(planned, "findings", moment).findings for moment in moments][1:] == [2, 2, 2]
    assert pd.isna(one(planned, "findings", moments[0]).findings)
    assert [one(planned, "open_findings", moment).open_findings for moment in moments[1:]] == [2, 1, 2]
    assert [one(planned, "reopened_findings", moment).reopened_findings for moment in moments[1:]] == [0, 0, 1]
    assert cells(planned, "findings", "status", moments[2]) == {"closed": 1, "open": 1}


def test_action_is_overdue_the_day_after_it_was_due(planned: Warehouse) -> None:
    """A1 was due on 1 August and told as completed on 1 September; A2 has no due day and is never overdue."""
    days = [datetime(2024, 8, 1), datetime(2024, 8, 2), datetime(2024, 9, 2)]
    assert [one(planned, "overdue_actions", day).overdue_actions for day in days] == [0, 1, 0]
    assert [one(planned, "open_actions", day).open_actions for day in days] == [2, 2, 1]
    assert cells(planned, "overdue_actions", "severity", days[1]) == {"minor": 1, "major": 0}


def test_entities_and_lapsed_marks_are_of_the_knowledge_day(figures: Warehouse) -> None:
    # M-1 does not exist before April 2023 although its first interval holds for earlier figures.
    assert one(figures, "entities", datetime(2023, 1, 1)).entities == 9
    assert one(figures, "entities", KNOWN).entities == 10
    assert cells(figures, "entities", "region", KNOWN)["CN"] == 3
    assert one(figures, "lapsed_privacymarks", datetime(2024, 12, 31)).lapsed_privacymarks == 0
    assert one(figures, "lapsed_privacymarks", datetime(2025, 1, 1)).lapsed_privacymarks == 1


def test_entities_behind_a_rate_are_counted_beyond_one_mark(tmp_path: Path) -> None:
    """Entities are bits of numbers of 63: 130 of them, of which every second answers b and every third has c apply."""
    group = InsertedGroup(tmp_path)
    for code, weight in (("a", 1.0), ("b", 2.0), ("c", 1.0), ("w", 0.0)):
        group.item(code, weight=weight)
    for number in range(130):
        group.entity(f"E-{number}", "EU" if number % 2 else "JP")
        verdicts = {"a": "met", "c": "not_met" if number % 3 else "not_applicable", "w": "met"}
        for half in ("FY2024-H1", "FY2025-H1"):
            group.inspection(f"E-{number}", half, verdicts | ({} if number % 2 else {"b": "partly_met"}))
    group.write()
    warehouse = Warehouse.open_newest(tmp_path)
    metrics = ("compliance_rate", "completion_rate", "answers")
    frame = answer(warehouse, Query(metrics, ("item",))).frame.set_index("item")
    behind = {name: frame[f"{name}_contributing"].to_dict() for name in metrics}
    assert behind["compliance_rate"] == {"SEC|2020|a": 130, "SEC|2020|b": 65, "SEC|2020|c": 86, "SEC|2020|w": 0}
    everyone = {"SEC|2020|a": 130, "SEC|2020|b": 65, "SEC|2020|c": 130, "SEC|2020|w": 130}
    assert behind["completion_rate"] == behind["answers"] == everyone
    # One entity stands behind several items, weights and verdicts of a cell, and counts once in it.
    by_verdict = answer(warehouse, Query(("answers",), ("verdict",))).frame.set_index("verdict")
    assert by_verdict["answers_contributing"].to_dict() == {
        "met": 130,
        "not_met": 86,
        "not_applicable": 44,
        "partly_met": 65,
    }
    by_both = answer(warehouse, Query(("answers",), ("verdict", "answer", "region"))).frame
    assert by_both["answers"].sum() == 2 * (130 * 3 + 65)
    part = by_both[(by_both["verdict"] == "met") & (by_both["region"] == "EU")].iloc[0]
    assert (part.answer, part.answers, part.answers_contributing) == ("MET", 2 * 65 * 2, 65)
    by_entity = answer(warehouse, Query(("compliance_rate",), ("item_lineage", "entity"))).frame
    assert len(by_entity) == 130 + 65 + 86 and (by_entity["compliance_rate_contributing"] == 1).all()


def test_finding_ages_until_it_is_closed(wide: Warehouse) -> None:
    """F2 was closed after 48 days; the others are open since 201 to 565 days."""
    assert cells(wide, "findings", "age_band") == {"031-090": 1, "181-365": 3, "366-": 2}
    row = one(wide, ("mean_days_to_close", "closed_findings", "repeat_findings"))
    assert (row.mean_days_to_close, row.mean_days_to_close_denominator, row.closed_findings) == (48, 1, 1)
    # F6 is on the item of F2 and of the same entity.
    assert cells(wide, "repeat_findings", "entity") == {"E-2": 0, "E-3": 1, "E-4": 0, "E-5": 0}
    assert one(wide, "repeat_findings", entity=("E-3",), period_from="FY2024").repeat_findings == 1
    assert cells(wide, "findings", "age_band", datetime(2024, 8, 1), entity=("E-4",)) == {"031-090": 1}
    assert cells(wide, "findings", "age_band", datetime(2024, 12, 12), entity=("E-4",)) == {"091-180": 1}
    assert cells(wide, "findings", "age_band", datetime(2024, 12, 13), entity=("E-4",)) == {"181-365": 1}


def test_finding_with_an_action_recorded_is_not_without_one(tmp_path: Path) -> None:
    """Of five findings one has no action, one an open one, one a completed one, one two; the last is closed."""
    group = InsertedGroup(tmp_path)
    group.entity("E-1")
    group.entity("E-2", "EU")
    group.item("a")
    group.finding("E-1", "a")
    for done in ((None,), (date(2025, 10, 1),), (None, date(2025, 10, 1))):
        finding = group.finding("E-2")
        for day in done:
            group.action(finding, completed_on=day)
    group.finding("E-1", status="closed", closed_on=date(2025, 10, 1))
    late = group.finding("E-2", "a")
    group.add(
        "fct_action", action_id=1, action_code="A", finding_id=late, effectiveness="not_checked",
        known_from=datetime(2025, 12, 1),
    )  # fmt: skip
    group.write()
    with closing(Warehouse.open_newest(tmp_path)) as warehouse:
        without = ("findings_without_action", "entity")
        assert cells(warehouse, *without, datetime(2026, 1, 1)) == {"E-1": 1, "E-2": 0}
        # What is not yet known is not yet recorded.
        assert cells(warehouse, *without, datetime(2025, 11, 1)) == {"E-1": 1, "E-2": 1}
        assert cells(warehouse, "findings_without_action", "measure", datetime(2025, 11, 1)) == {"physical": 2, None: 0}


def test_what_is_due_soon_is_counted_from_the_knowledge_day(wide: Warehouse) -> None:
    """A3 is due on 31 December 2024, A6 on 30 January 2025."""
    days = [datetime(2024, 11, 30), datetime(2024, 12, 1), datetime(2024, 12, 31, 9), datetime(2025, 1, 1)]
    assert [one(wide, "due_soon_actions", day).due_soon_actions for day in days] == [0, 1, 2, 1]
    assert cells(wide, "actions", "owner") == {"Sales": 2, "Works": 2, None: 1}
    # The mark of E-4 ends on 30 June 2025, that of E-1 ended on 31 March 2024.
    marks = ("privacymark_holders", "privacymarks_due_soon", "lapsed_privacymarks")
    for day, counts in (
        (datetime(2024, 3, 31), [2, 1, 0]), (datetime(2024, 4, 1), [1, 0, 1]), (datetime(2024, 6, 29), [1, 0, 1]),
        (datetime(2024, 6, 30), [1, 1, 1]), (datetime(2025, 6, 30), [1, 1, 1]), (datetime(2025, 7, 1), [0, 0, 2]),
    ):  # fmt: skip
        assert one(wide, marks, day)[list(marks)].tolist() == counts, day


# --- scope ------------------------------------------------------------------------------------------


def asked(warehouse: Warehouse, fact: str, by: str, filters: Filters, scope: Scope) -> list[list[Any]]:
    """Rows of a fact's metrics with all that they rest on, without labels; missing values as None."""
    frame = answer(warehouse, Query(BY_FACT[fact], (by,), filters, KNOWN, scope)).frame
    rows = frame.drop(columns=[f"{by}_en", f"{by}_ja"]).to_numpy().tolist()
    return [[None if pd.isna(value) else value for value in row] for row in rows]


def test_scope_hides_other_entities_in_every_metric_and_expected_count(wide: Warehouse) -> None:
    """Seen through a scope, figures are those of its entities alone; nothing of another is counted as expected."""
    codes = ("E-3", "E-5")
    for fact, name in PAIRS:
        seen = asked(wide, fact, name, Filters(), Scope(entity_codes=codes))
        assert seen
        if name in ("inspecting_entity", "business_group"):
            # What lies outside has no code; with its code in the scope it would be the same.
            assert {row[0] for row in seen} <= {*codes, OUTSIDE, None}
            named = Scope(entity_codes=(*WIDE_CODES, "BG-1", "BG-2", "E-6"))
            plain = asked(wide, fact, name, Filters(entity=codes), Scope())
            assert asked(wide, fact, name, Filters(entity=codes), named) == plain
            assert any(row[0] == OUTSIDE for row in seen) == any(row[0] not in (*codes, None) for row in plain)
        else:
            assert seen == asked(wide, fact, name, Filters(entity=codes), Scope()), (fact, name)
    for fact, metrics in BY_FACT.items():
        nothing = answer(wide, Query(metrics, known_at=KNOWN, scope=Scope(entity_codes=()))).frame.iloc[0]
        for metric in metrics:
            assert pd.isna(nothing[metric]) and not nothing[f"{metric}_expected"] > 0, metric
        assert asked(wide, fact, "region", Filters(), Scope(entity_codes=())) == []


def test_scope_is_not_widened_by_a_filter(wide: Warehouse) -> None:
    scope = Scope(entity_codes=("E-3",), inspection_types=("self_check",), domains=(DOMAINS[0],))
    for fact in BY_FACT:
        assert asked(wide, fact, "entity", Filters(entity=("E-2",)), scope) == []
    assert asked(wide, "inspections", "inspection_type", Filters(inspection_type=("mutual_check",)), scope) == []
    assert asked(wide, "answers", "domain", Filters(domain=(DOMAINS[1],)), scope) == []


def test_scope_of_inspection_types_and_domains_is_the_filter(wide: Warehouse) -> None:
    for fact in BY_FACT:
        for name, kind, value in (("entity", "inspection_type", "self_check"), ("region", "domain", DOMAINS[0])):
            if fact in DIMENSIONS[kind].facts:
                field = {"inspection_type": "inspection_types", "domain": "domains"}[kind]
                seen = asked(wide, fact, name, Filters(), Scope(**{field: (value,)}))
                assert seen == asked(wide, fact, name, Filters(**{kind: (value,)}), Scope()), (fact, kind)
                assert seen != asked(wide, fact, name, Filters(), Scope()), (fact, kind)


def test_scope_hides_names_in_labels(wide: Warehouse) -> None:
    query = Query(("inspections",), ("entity",), known_at=KNOWN, scope=Scope(entity_codes=("E-3",)))
    for name in ("entity", "inspecting_entity", "business_group"):
        assert set(value_labels(wide, name, KNOWN, query.scope)) == {"E-3", OUTSIDE}
    text = answer(wide, Query(("inspections",), ("inspecting_entity",), known_at=KNOWN, scope=query.scope)).frame
    assert "Yokohama" not in text.to_csv() and "E-1" not in text.to_csv()
    assert set(value_labels(wide, "entity", KNOWN, Scope())) == {"BG-1", "BG-2", *WIDE_CODES, "E-6"}


def test_labels_that_are_kept_are_those_of_their_scope_and_moment(wide: Warehouse) -> None:
    asked_for = [
        (name, known_at, scope)
        for name in ("entity", "inspecting_entity", "business_group", "item", "measure")
        for known_at in (KNOWN, datetime(9999, 12, 31))
        for scope in (Scope(), Scope(entity_codes=("E-3",)), Scope(domains=(DOMAINS[0],)), Scope(domains=()))
    ]
    together = [value_labels(wide, *one) for one in asked_for]
    for one, labels in zip(asked_for, together, strict=True):
        fresh = Warehouse.open(wide.path)
        assert value_labels(fresh, *one) == labels == value_labels(wide, *one), one
        fresh.close()
    assert len({tuple(labels) for labels in together}) >= 6


def test_what_is_kept_of_a_build_is_the_last_of_it(wide: Warehouse) -> None:
    read: list[int] = []
    for number in [*range(MOST_READ_ONCE + 1), 1, MOST_READ_ONCE, 0]:
        assert wide.read_once(("test", number), lambda number=number: read.append(number) or -number) == -number
    assert read == [*range(MOST_READ_ONCE + 1), 0]


def test_labels_are_named_in_both_languages(wide: Warehouse) -> None:
    frame = answer(wide, Query(("inspections",), ("region", "inspection_type"), known_at=KNOWN)).frame
    row = frame[(frame["region"] == "EU") & (frame["inspection_type"] == "self_check")].iloc[0]
    assert (row.inspection_type_en, row.inspection_type_ja) == ("Self-check", "自己点検")
    assert row.region_en == "Europe" and row.region_ja not in ("", "EU")
    # An entity that moved has the name it has now.
    assert value_labels(wide, "entity", KNOWN, Scope())["E-4"][0] == "Toronto"


# --- names and values -------------------------------------------------------------------------------

HOSTILE = "'; drop table fct_answer; --"


def test_hostile_value_is_only_a_value(wide: Warehouse) -> None:
    for name in DIMENSIONS:
        fact = next(fact for fact, other in PAIRS if other == name)
        query = Query(BY_FACT[fact], ("region",), Filters(**{name: (HOSTILE, "$known_at", '"')}), KNOWN)  # type: ignore[arg-type]
        found = answer(wide, query)
        assert found.frame.empty
        assert not any(HOSTILE in sql for sql in found.statements)
    assert one(wide, "answers").answers > 0


def test_no_value_stands_in_the_sql() -> None:
    mark = "Q7Q7"
    filters = Filters(**dict.fromkeys(DIMENSIONS, (mark,)), period_from="FY2019", period_to="FY2031-H2")  # type: ignore[arg-type]
    query = Query(tuple(METRICS), ("region",), filters, scope=Scope((mark,), (mark,), (mark,)))
    statements = compile_query(query, datetime(2077, 7, 7))
    assert {statement.fact for statement in statements} == {metric.fact for metric in METRICS.values()}
    for statement in statements:
        assert not re.search("Q7Q7|2019|2031|2077", statement.sql)
        assert set(re.findall(r"\$(\w+)", statement.sql)) == set(statement.parameters)


def test_unknown_names_are_told_all_at_once_with_the_nearest() -> None:
    with pytest.raises(QueryProblem) as told:
        Query(("complaince_rate", "xyzzy"), ("regoin",), Filters(period_from="2024H1"))
    text = str(told.value)
    assert "'complaince_rate'; did you mean compliance_rate?" in text
    assert "'regoin'; did you mean region?" in text
    assert "'xyzzy'; see python -m metrics list" in text and "'2024H1' is no period" in text


def test_names_that_do_not_go_together_are_told() -> None:
    with pytest.raises(QueryProblem, match="coverage_rate cannot be split by verdict"):
        Query(("coverage_rate", "entities"), ("verdict",))
    for metrics, by, reason in (((), (), "no metric"), (("answers", "answers"), (), "twice")):
        with pytest.raises(QueryProblem, match=reason):
            Query(metrics, by)
    with pytest.raises(QueryProblem, match="twice"):
        Query(("answers",), ("region", "region"))


@pytest.mark.parametrize(("name", "metrics", "by"), [
    ("compliance_rate by region and half", ("compliance_rate",), ("region", "fiscal_half")),
    ("answers by verdict", ("answers",), ("verdict",)),
])  # fmt: skip
def test_sql_reads_as_held(name: str, metrics: tuple[str, ...], by: tuple[str, ...]) -> None:
    """What the compiler writes, held as text: a change of meaning shows as a change of these files."""
    (statement,) = compile_query(Query(metrics, by), KNOWN)
    held = (Path(__file__).parent / "golden" / f"{name.replace(' ', '_')}.sql").read_text("utf-8")
    assert statement.sql + "\n" == held
    assert statement.parameters == {"known_at": KNOWN}


def test_filters_and_knowledge_in_words(wide: Warehouse) -> None:
    filters = Filters(region=("JP", "EU"), period_from="FY2023", period_to=H1)
    found = answer(wide, Query(("answers",), filters=filters, known_at=datetime(2024, 10, 20, 9, 5)))
    assert found.sentence() == "Region: JP, EU; period: FY2023 – FY2024-H1 (known at 2024-10-20 09:05 UTC)"
    assert found.sentence("ja") == "地域: JP、EU、期間: FY2023 – FY2024-H1（2024-10-20 09:05 UTC 時点の情報）"
    assert Filters().sentence() == "everything" and Filters().sentence("ja") == "すべて"


# --- the warehouse ----------------------------------------------------------------------------------


@pytest.mark.parametrize("sql", [
    "drop table fct_answer", "delete from fct_answer", "create table t as select 1", "attach ':memory:' as other",
    "copy build to '{folder}/out.csv'", "select * from read_csv('{folder}/in.csv')", "select * from '{folder}/in.csv'",
    "select * from read_text('{folder}/in.csv')", "select * from glob('{folder}/*')", "set memory_limit = '1GB'",
    "set enable_external_access = true", "load httpfs", "install httpfs", "export database '{folder}/out'",
])  # fmt: skip
def test_warehouse_refuses_whatever_is_not_reading_it(wide: Warehouse, tmp_path: Path, sql: str) -> None:
    (tmp_path / "in.csv").write_text("a\n1\n", "utf-8")
    with pytest.raises(duckdb.Error):
        wide.cursor().execute(sql.format(folder=tmp_path)).fetchall()
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]
    assert one(wide, "answers").answers > 0


def test_missing_warehouse_says_where_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WarehouseMissing, match=re.escape(str(tmp_path / "warehouse")) + ".*python -m etl load"):
        Warehouse.open_newest(tmp_path)
    assert newest_build_name(tmp_path) is None
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "warehouse" / "current").write_text("gone.duckdb", "utf-8")
    with pytest.raises(WarehouseMissing):
        Warehouse.open_newest(tmp_path)


def test_home_comes_from_the_environment(wide_group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENKEN_HOME", str(wide_group.home.path))
    warehouse = Warehouse.open_newest()
    assert warehouse.build_name == newest_build_name()
    warehouse.close()


def test_new_build_is_seen_and_the_old_one_still_answers(tmp_path: Path) -> None:
    group = make_group(tmp_path)
    load(
        group,
        "2024-01-01",
        entities="code,name,region,kind\nE-1,One,JP,site\n",
        items="version,item,measure,weight\n1,a,human,1\n",
    )
    old = Warehouse.open_newest(group.home.path)
    assert old.first_known_at() is None
    load(group, "2024-02-01", answers=ANSWER_HEAD + answer_rows("E-1", "FY2023", "1", "a=○"))
    new = Warehouse.open_newest(group.home.path)
    assert new.build_name == newest_build_name(group.home.path) != old.build_name
    assert cells(new, "answers", "region") == {"JP": 1} and cells(old, "answers", "region") == {}
    assert new.newest_known_at() >= old.newest_known_at()
    old.close()
    new.close()


def test_threads_with_cursors_of_their_own_get_their_own_rows(wide: Warehouse) -> None:
    expected = {code: one(wide, "answers", entity=(code,)).answers for code in WIDE_CODES}
    wrong: list[object] = []

    def ask(number: int) -> None:
        for turn in range(50):
            code = WIDE_CODES[(number + turn) % len(WIDE_CODES)]
            try:
                statement = compile_query(Query(("answers",), ("entity",), Filters(entity=(code,))), KNOWN)[0]
                rows = wide.cursor().execute(statement.sql, statement.parameters).fetchall()
                if [row[:2] for row in rows] != [(code, expected[code])]:
                    wrong.append((code, rows))
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
