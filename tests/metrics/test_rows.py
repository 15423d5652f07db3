"""Rows behind figures: exactly those that the figures count, in an order without ties, held to scope and knowledge."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from metrics.ask import answer
from metrics.catalog import DIMENSIONS, METRICS
from metrics.listings import KINDS
from metrics.query import Filters, Query, QueryProblem, Scope
from metrics.rows import (
    LISTINGS,
    RowsFrame,
    RowsQuery,
    compile_rows,
    list_counting_metrics,
    list_rows,
    unknown_filters,
)
from metrics.warehouse import Warehouse
from tests.metrics.conftest import DOMAINS, WIDE_CODES
from tests.metrics.inserted_group import Group

KNOWN = datetime(2024, 12, 31)
COUNTS = {
    "answers": "answers", "inspections": "inspections", "findings": "findings", "actions": "actions",
    "plans": "planned_inspections", "entities": "entities", "pairs": "pairs",
}  # fmt: skip
HELD = [
    {},
    {"region": ("JP",)},
    {"region": ("JP", "EU"), "fiscal_half": ("FY2024-H1",)},
    {"business_group": ("BG-2",), "period_from": "FY2023-H2"},
    {"entity": ("E-3",), "measure": ("human", "physical")},
    {"inspection_type": ("mutual_check",), "period_to": "FY2023"},
    {"inspecting_entity": ("E-1",)},
    {"domain": (DOMAINS[0],), "category": ("K1", "K2")},
    {"item": ("SC|1|2", "SC|1|3")},
    {"item_lineage": ("SC|1|2",), "verdict": ("not_met", "met")},
    {"verdict": ("not_answered",)},
    {"answer": ("×",)},
    {"control": ("A.5.1",)},
    {"severity": ("minor",), "status": ("open",)},
    {"age_band": ("366-", "031-090")},
    {"owner": ("Works",)},
    {"self_verdict": ("met",)},
    {"fiscal_quarter": ("FY2024-Q1",), "entity_kind": ("affiliate",)},
    {"checklist_version": ("SC 1",), "fiscal_year": ("FY2023",), "country": ("DE", "US", "CA")},
    {"region": ("none",)},
]


def rows(warehouse: Warehouse, listing: str, known_at: datetime | None = KNOWN, **parts: Any) -> RowsFrame:
    filters = Filters(**{name: parts.pop(name) for name in list(parts) if name in Filters.__dataclass_fields__})
    return list_rows(warehouse, RowsQuery(listing, filters, known_at, **{"limit": 5000} | parts))


def figure(warehouse: Warehouse, metric: str, known_at: datetime, scope: Scope, held: dict[str, Any]) -> float:
    frame = answer(warehouse, Query((metric,), (), Filters(**held), known_at, scope)).frame
    value = frame[f"{metric}_numerator"].iloc[0]
    return 0 if pd.isna(value) else float(value)


# --- the rows that a figure counts -------------------------------------------------------------------


@pytest.mark.parametrize("held", HELD, ids=str)
def test_rows_are_as_many_as_the_figure_says(wide: Warehouse, held: dict[str, Any]) -> None:
    types_and_domain = Scope(None, ("self_check", "mutual_check"), (DOMAINS[1],))
    for known_at, scope in ((KNOWN, Scope()), (datetime(2024, 8, 2), Scope(("E-3", "E-4"))), (KNOWN, types_and_domain)):
        for listing, metric in COUNTS.items():
            found = rows(wide, listing, known_at, scope=scope, **held)
            assert found.total == len(found.frame) == figure(wide, metric, known_at, scope, held), (listing, scope)


def test_nothing_is_listed_to_who_may_see_no_entity(wide: Warehouse) -> None:
    assert {listing: rows(wide, listing, scope=Scope(())).total for listing in COUNTS} == dict.fromkeys(COUNTS, 0)


@pytest.mark.parametrize("held", HELD, ids=str)
def test_columns_of_the_rows_add_up_to_the_figures(wide: Warehouse, held: dict[str, Any]) -> None:
    frames = {listing: rows(wide, listing, **held).frame for listing in COUNTS}
    held_answers, findings, actions = frames["answers"], frames["findings"], frames["actions"]
    plans, entities, pairs = frames["plans"], frames["entities"], frames["pairs"]
    closed = findings[findings["status"] == "closed"]
    scored = held_answers["weight"] * held_answers["score"]
    expected = {
        "compliance_rate": scored.sum(),
        "applicable_answers": held_answers["score"].notna().sum(),
        "open_findings": (findings["status"] == "open").sum(),
        "closed_findings": len(closed),
        # Whoever does the action, there is one.
        "findings_without_action": (
            (findings["status"] == "open") & ~findings["finding_code"].isin(rows(wide, "actions").frame["finding_code"])
        ).sum(),
        "reopened_findings": (findings["reopened_count"] > 0).sum(),
        "repeat_findings": findings["is_repeat"].sum(),
        "mean_days_to_close": closed["age_days"].sum(),
        "open_actions": actions["is_open"].sum(),
        "overdue_actions": actions["is_overdue"].sum(),
        "performed_inspections": plans["handed_in_on"].notna().sum(),
        "missing_inspections": (plans["plan_status"] == "missing").sum(),
        "late_inspections": (plans["plan_status"] == "late").sum(),
        "on_time_rate": (plans["plan_status"] == "on_time").sum(),
        "lapsed_privacymarks": (entities["privacymark_days_left"] < 0).sum(),
        "net_optimism": (pairs["difference"] > 0).sum() - (pairs["difference"] < 0).sum(),
        "exact_agreement": (pairs["difference"] == 0).sum(),
    }
    for metric, value in expected.items():
        assert figure(wide, metric, KNOWN, Scope(), held) == pytest.approx(float(value)), metric


COUNTED = [(name, metric) for name, listing in LISTINGS.items() for metric in list_counting_metrics(listing)]


@pytest.mark.parametrize(("listing", "metric"), COUNTED)
def test_rows_that_a_metric_counts_are_listed_alone(wide: Warehouse, listing: str, metric: str) -> None:
    for held in ({}, {"region": ("JP",)}, {"entity": ("E-3",)}):
        found = rows(wide, listing, counted_by=(metric,), **held)
        assert found.total == len(found.frame) == figure(wide, metric, KNOWN, Scope(), held), held


def test_rows_are_counted_without_what_only_shows_more_of_them() -> None:
    """What repeats is found out among all findings, and what was done about each among all actions."""
    for counted_by, joined in (((), set()), (("repeat_findings",), {"lined", "repeated"})):
        count, page = compile_rows(RowsQuery("findings", counted_by=counted_by))
        for table in ("dim_item", "lined", "repeated", "acted"):
            join = f"left join {table}"
            assert (join in count.split("select count(*)")[1]) == (table in joined)
            assert join in page


def test_rows_that_one_of_several_metrics_counts_are_listed_once(wide: Warehouse) -> None:
    every = rows(wide, "plans").frame
    found = rows(wide, "plans", counted_by=("missing_inspections", "late_inspections", "missing_inspections")).frame
    assert len(found) == every["plan_status"].isin(["missing", "late"]).sum() > 0
    assert set(found["plan_status"]) == {"missing", "late"}


def test_inspections_carry_their_own_rate(wide: Warehouse) -> None:
    frame = rows(wide, "inspections").frame.set_index("inspection_id")
    answers = rows(wide, "answers").frame
    for inspection, part in answers.groupby("inspection_id"):
        row = frame.loc[inspection]
        scored = part[part["score"].notna()]
        assert row.compliance_rate_denominator == scored["weight"].sum()
        assert row.compliance_rate_numerator == (scored["weight"] * scored["score"]).sum()
        assert row.compliance_rate == pytest.approx(row.compliance_rate_numerator / row.compliance_rate_denominator)
        assert (row.answers, row.not_met) == (len(part), (part["verdict"] == "not_met").sum())
    # A scope of domains holds the figures of an inspection too.
    seen = rows(wide, "inspections", scope=Scope(domains=(DOMAINS[0],))).frame
    of_domain = rows(wide, "answers", scope=Scope(domains=(DOMAINS[0],)))
    assert seen["answers"].sum() == of_domain.total < frame["answers"].sum()


def test_correction_shows_from_when_it_was_known(figures: Warehouse) -> None:
    item = {"entity": ("C-4",), "item": ("SC|1|2",)}
    for known_at, verdict, file_name in (
        (datetime(2024, 12, 1, 11), "not_met", "answers-2024-11-01.csv"),
        (datetime(2024, 12, 1, 12), "met", "mended-2024-12-01.csv"),
    ):
        found = rows(figures, "answers", known_at, **item)
        assert found.total == 1
        row = found.frame.iloc[0]
        assert (row.verdict, row.file_name) == (verdict, file_name)
        assert row.row_no > 1 and row.known_from <= known_at


def test_findings_say_their_age_and_whether_they_repeat(wide: Warehouse) -> None:
    frame = rows(wide, "findings").frame.set_index("finding_code")
    assert frame["age_days"].to_dict() == {
        code: (until - raised).days
        for code, raised, until in (
            ("F1", date(2023, 6, 15), KNOWN.date()),
            ("F2", date(2023, 12, 15), date(2024, 2, 1)),
            ("F3", date(2023, 12, 15), KNOWN.date()),
            ("F4", date(2024, 6, 15), KNOWN.date()),
            ("F5", date(2024, 6, 20), KNOWN.date()),
            ("F6", date(2024, 6, 12), KNOWN.date()),
        )
    }
    bands = {"F1": "366-", "F2": "031-090", "F3": "366-", "F4": "181-365", "F5": "181-365", "F6": "181-365"}
    assert frame["age_band"].to_dict() == bands
    assert frame.index[frame["is_repeat"]].tolist() == ["F6"]
    assert frame.loc["F1", ["open_actions", "overdue_actions"]].tolist() == [1, 1]
    assert frame.loc["F2", ["open_actions", "overdue_actions"]].tolist() == [0, 0]


def test_actions_say_how_long_they_are_overdue(wide: Warehouse) -> None:
    frame = rows(wide, "actions").frame.set_index("action_code")
    assert frame["days_overdue"].dropna().to_dict() == {"A1": (KNOWN.date() - date(2023, 9, 30)).days}
    assert frame["is_open"].to_dict() == {"A1": True, "A2": False, "A3": True, "A4": True, "A6": True}


def test_plans_say_what_became_of_them(planned: Warehouse) -> None:
    frame = rows(planned, "plans", datetime(2024, 10, 15)).frame.set_index("entity")
    assert frame["plan_status"].to_dict() == {"P-1": "on_time", "P-2": "late", "P-3": "missing", "P-4": "not_yet_due"}
    assert frame["days_late"].dropna().to_dict() == {"P-2": 1, "P-3": 15}


def test_entities_are_those_of_the_day(figures: Warehouse) -> None:
    assert "M-1" not in set(rows(figures, "entities", datetime(2023, 1, 1)).frame["entity"])
    frame = rows(figures, "entities").frame.set_index("entity")
    assert len(frame) == 10 and frame.loc["M-1", "region"] == "CN"
    assert frame.loc["C-1", ["has_privacymark", "privacymark_days_left"]].tolist() == [True, 0]
    assert frame.loc["C-1", ["entity_en", "region_en", "business_group_en"]].tolist() == ["Twenty", "Japan", "Imaging"]


# --- masters and loads -------------------------------------------------------------------------------


@pytest.fixture
def linked(tmp_path: Path) -> Warehouse:
    """Items a (carried over), b (split into c and d) and z (alone), of the versions 2020 and 2023."""
    group = Group(tmp_path)
    group.entity("E-1")
    for version, codes in (("2020", "abz"), ("2023", "acdz")):
        for code in codes:
            root = "2020" if code in "abz" else "2023"
            name = f"{code}{version}"
            group.item(name, checklist_version=version, item_code=code, lineage_code=f"SEC|{root}|{code}",
                       text_en=f"Text of {name}", domain=DOMAINS[code == "z"])  # fmt: skip
    for start, end, change in (
        ("a", "a", "carried_over"),
        ("b", "c", "split"),
        ("b", "d", "split"),
        ("z", "z", "reworded"),
    ):
        group.add(
            "brg_item_lineage", checklist_code="SEC", from_version="2020", from_item_code=start,
            from_item_id=group.item_ids[f"{start}2020"], to_version="2023", to_item_code=end,
            to_item_id=group.item_ids[f"{end}2023"], change=change,
        )  # fmt: skip
    group.write()
    return Warehouse.open_newest(tmp_path)


def test_lineage_holds_the_links_of_an_item_and_one_step_further(linked: Warehouse) -> None:
    frame = rows(linked, "lineage", None).frame
    assert frame[["from_item", "from_text_en", "to_item", "to_text_en", "change"]].to_numpy().tolist()[1] == [
        "SEC|2020|b", "Text of b2020", "SEC|2023|c", "Text of c2023", "split",
    ]  # fmt: skip
    for lineage, expected in (
        ("SEC|2020|a", ["aa"]),
        ("SEC|2020|b", ["bc", "bd"]),
        ("SEC|2023|c", ["bc", "bd"]),
        ("x", []),
    ):
        held = rows(linked, "lineage", None, item_lineage=(lineage,)).frame
        assert [a[-1] + b[-1] for a, b in zip(held["from_item"], held["to_item"], strict=True)] == expected
    assert rows(linked, "lineage", None, scope=Scope(domains=(DOMAINS[0],))).total == 3


def test_items_know_the_filters_of_items(linked: Warehouse) -> None:
    assert rows(linked, "items", None).total == 7
    assert rows(linked, "items", None, checklist_version=("SEC 2023",)).total == 4
    assert rows(linked, "items", None, item_lineage=("SEC|2020|a",)).frame["item"].tolist() == [
        "SEC|2023|a",
        "SEC|2020|a",
    ]
    assert rows(linked, "items", None, scope=Scope(domains=(DOMAINS[1],))).frame["item_code"].tolist() == ["z", "z"]
    assert rows(linked, "items", None, search="of c").frame["item_text_en"].tolist() == ["Text of c2023"]


def test_loads_and_refusals_are_of_no_entity(wide: Warehouse) -> None:
    found = rows(wide, "loads", None)
    assert found.frame["load_no"].tolist() == list(range(found.total, 0, -1)) and found.total == 5 + 1
    assert (
        found.frame["rows_read"] == found.frame[["rows_loaded", "rows_unchanged", "rows_refused"]].sum(axis=1)
    ).all()
    assert rows(wide, "refusals", None).total == 0
    for scope in (Scope(("E-3",)), Scope(()), Scope(None, ("self_check",)), Scope(None, None, (DOMAINS[0],))):
        assert rows(wide, "loads", None, scope=scope).total == 0


def test_refusals_name_their_file(tmp_path: Path) -> None:
    group = Group(tmp_path)
    for number, name in ((1, "a.csv"), (2, "b.csv")):
        group.add_plain(
            "load", load_id=number, load_no=number, file_name=name, sha256="", byte_count=1, archive_path="",
            loaded_at=datetime(2025, 1, number), known_at=datetime(2025, 1, number), known_at_origin="now", rows_read=2,
            rows_loaded=0, rows_unchanged=0, rows_refused=2, rows_skipped=0,
        )  # fmt: skip
        for _ in range(2):
            group.add_plain(
                "refusal", load_id=number, row_no=7, column_name="Unit", value="X%", reason_code="unknown_entity",
                reason="There is no such unit.", is_row_refused=True,
            )  # fmt: skip
    group.write()
    warehouse = Warehouse.open_newest(tmp_path)
    assert rows(warehouse, "refusals", None).frame["file_name"].tolist() == ["b.csv"] * 2 + ["a.csv"] * 2
    assert rows(warehouse, "refusals", datetime(2025, 1, 1, 12)).total == 2
    assert rows(warehouse, "refusals", None, search="x%").total == 4
    loads = rows(warehouse, "loads", None).frame
    assert loads["refusals"].tolist() == [2, 2]
    for number, name in zip(loads["load_no"], loads["file_name"], strict=True):
        assert set(rows(warehouse, "refusals", None, load_no=int(number)).frame["file_name"]) == {name}
    assert rows(warehouse, "refusals", None, search="%x").total == 0


# --- search, order, pages ----------------------------------------------------------------------------


def test_search_is_any_part_of_a_text_in_any_case(tmp_path: Path) -> None:
    group = Group(tmp_path)
    group.entity("E-1", name_en="100% Works", name_ja="百工場")
    group.entity("E-2")
    group.item("a", text_en="Doors are locked")
    group.item("b_1")
    for code in ("E-1", "E-2"):
        number = group.inspection(code, verdicts={"a": "met"})
        group.answer(number, "b_1", "not_met", comment="Lock_broken 50%")
    group.write()
    warehouse = Warehouse.open_newest(tmp_path)
    counts = {
        "": 4, "  ": 4, "LOCKED": 2, "lock": 4, "lock_": 2, "lock%": 0, "100%": 2, "%": 3, "50%": 2, "_": 2, "百": 2, "b_1": 2,
        "E-2": 2, "e-": 4, "MET": 4, "not_m": 2, "'": 0, "\\": 0, "name of e-2": 2,
    }  # fmt: skip
    assert {text: rows(warehouse, "answers", None, search=text).total for text in counts} == counts
    # A scope hides what it hides from the search too.
    assert rows(warehouse, "answers", None, search="100%", scope=Scope(("E-2",))).total == 0
    for listing in COUNTS:
        assert rows(warehouse, listing, None, search="'; drop table fct_answer; --").total == 0
    assert rows(warehouse, "inspections", None, search="works").total == 1
    assert rows(warehouse, "entities", None, search="百").frame["entity"].tolist() == ["E-1"]


@pytest.mark.parametrize("listing", list(LISTINGS))
def test_pages_hold_every_row_once_whatever_the_order(wide: Warehouse, listing: str) -> None:
    whole = rows(wide, listing, None)
    assert whole.total == len(whole.frame)
    names = [None, *LISTINGS[listing].column_names]
    size = whole.total // 2 + 1
    for order in names:
        for descending in (False, True):
            one = rows(wide, listing, None, order=order, descending=descending).frame
            pages = [
                rows(wide, listing, None, order=order, descending=descending, limit=size, offset=start).frame
                for start in (0, size)
                if descending or start == 0
            ]
            joined = pd.concat([page for page in pages if len(page)] or pages, ignore_index=True)
            pd.testing.assert_frame_equal(joined, one if descending else one.head(size), check_dtype=False)
            if order and LISTINGS[listing].columns[names.index(order) - 1].sorted_by is None:
                values = [value for value in one[order].tolist() if not pd.isna(value)]
                assert values == sorted(values, reverse=descending), order
                missing = one[order].isna().tolist()
                assert missing == sorted(missing), "rows without a value stand last"


def test_columns_are_those_declared_with_labels(wide: Warehouse) -> None:
    for name, listing in LISTINGS.items():
        frame = rows(wide, name, None).frame
        expected = []
        for column in listing.columns:
            expected.append(column.name)
            expected += [f"{column.name}_en", f"{column.name}_ja"] if column.labelled_by else []
        assert frame.columns.tolist() == expected
        assert len(set(expected)) == len(expected)
        assert {column.labelled_by for column in listing.columns} - {None} <= set(DIMENSIONS)
        assert {column.kind for column in listing.columns} <= set(KINDS)
        assert all(column.label_en and column.label_ja for column in listing.columns)
        for column in listing.columns:
            types = {"integer": "Int64", "flag": "boolean", "number": "Float64", "rate": "Float64"}
            assert column.kind not in types or str(frame[column.name].dtype) == types[column.kind]
    row = rows(wide, "answers", entity=("E-4",), fiscal_half=("FY2024-H1",)).frame.iloc[0]
    assert (row.entity_en, row.inspection_type_ja in ("自己点検", "相互点検")) == ("Toronto", True)


def test_scope_hides_names_of_other_entities(wide: Warehouse) -> None:
    for listing in COUNTS:
        text = rows(wide, listing, scope=Scope(("E-3",))).frame.to_csv()
        hidden = [code for code in WIDE_CODES if code != "E-3" and code in text]
        assert hidden == [] and "Yokohama" not in text and "Office" not in text


def test_names_that_are_not_there_are_named() -> None:
    for parts, message in (
        ({"listing": "answer"}, "there is no listing 'answer'; did you mean answers"),
        ({"listing": "answers", "order": "entitty"}, "answers has no column 'entitty'; did you mean entity"),
        ({"listing": "answers", "order": "1; drop table fct_answer"}, "has no column"),
        ({"listing": "plans", "counted_by": ("findings",)}, "plans has no rows that the metric 'findings' counts"),
        ({"listing": "loads", "counted_by": ("rate",)}, "known: none"),
        ({"listing": "answers", "load_no": 1}, "answers has no rows of one file taken in"),
        ({"listing": "answers", "limit": 0}, "limit is 0"),
        ({"listing": "answers", "limit": 5001}, "limit is 5001"),
        ({"listing": "answers", "offset": -1}, "offset is -1"),
        ({"listing": "answers", "filters": Filters(period_from="2024")}, "'2024' is no period"),
        ({"listing": "answers", "filters": Filters(region="JP")}, "the filter region is no tuple"),  # type: ignore[arg-type]
    ):
        with pytest.raises(QueryProblem, match=re.escape(message)):
            RowsQuery(**parts)  # type: ignore[arg-type]


def test_no_value_stands_in_the_sql() -> None:
    mark = "Q7Q7"
    filters = Filters(**dict.fromkeys(DIMENSIONS, (mark,)), period_from="FY2019", period_to="FY2031-H2")  # type: ignore[arg-type]
    for listing in LISTINGS:
        for sql in compile_rows(RowsQuery(listing, filters, scope=Scope((mark,), (mark,), (mark,)), search=mark)):
            assert mark not in sql and "2019" not in sql and "2031" not in sql


def test_filters_that_a_listing_does_not_know_are_named() -> None:
    filters = Filters(region=("JP",), severity=("major",), item_lineage=("x",), period_from="FY2024")
    assert unknown_filters("answers", filters) == ("severity",)
    assert unknown_filters("findings", filters) == ()
    assert unknown_filters("plans", filters) == ("item_lineage", "severity")
    assert unknown_filters("entities", filters) == ("item_lineage", "severity", "period_from")
    assert unknown_filters("items", filters) == ("region", "severity", "period_from")
    assert unknown_filters("loads", filters) == ("region", "item_lineage", "severity", "period_from")


# --- pairs --------------------------------------------------------------------------------------------


@pytest.fixture
def paired(tmp_path: Path) -> Warehouse:
    """95 pairs in one half: 22 equal, 60 in which the self-check scores higher, 13 in which it scores lower."""
    group = Group(tmp_path)
    group.entity("E-0")
    group.entity("E-1")
    mine: dict[str, str] = {}
    theirs: dict[str, str] = {}
    for number in range(95):
        code = f"{number}"
        group.item(code)
        low, high = ("not_met", "partly_met") if number % 2 else ("partly_met", "met")
        mine[code], theirs[code] = (low, low) if number < 22 else (high, low) if number < 82 else (low, high)
    for code, self_verdict, verdict in (
        ("n1", "not_applicable", "met"), ("n2", "met", "not_answered"), ("n3", "met", "not_applicable"),
    ):  # fmt: skip
        group.item(code)
        mine[code], theirs[code] = self_verdict, verdict
    group.item("heading", is_assessable=False)
    mine["heading"] = theirs["heading"] = "met"
    group.inspection("E-1", verdicts=mine)
    group.inspection(
        "E-1", verdicts=theirs, inspection_type="affiliate_check", inspecting_entity_id=group.entity_ids["E-0"]
    )
    # Of another half, another entity or another kind: pairs of nothing.
    group.inspection("E-1", "FY2024-H1", verdicts={"0": "met"})
    group.inspection("E-0", verdicts={"0": "met"})
    group.inspection("E-1", verdicts={"1": "met"}, inspection_type="mutual_check", half="FY2023-H1")
    group.write()
    return Warehouse.open_newest(tmp_path)


def test_net_optimism_of_95_pairs_is_49_5_percent(paired: Warehouse) -> None:
    frame = answer(paired, Query(("pairs", "net_optimism", "exact_agreement"))).frame
    row = frame.iloc[0]
    assert (row.pairs, row.net_optimism_numerator, row.exact_agreement_numerator) == (95, 60 - 13, 22)
    assert (f"{row.net_optimism:.1%}", f"{row.exact_agreement:.1%}") == ("49.5%", "23.2%")
    assert row.pairs_contributing == 1 and pd.isna(row.net_optimism_expected)
    assert METRICS["net_optimism"].unit == "share" and METRICS["net_optimism"].direction == "lower_is_better"


def test_pairs_cross_verdicts(paired: Warehouse) -> None:
    frame = answer(paired, Query(("pairs",), ("self_verdict", "verdict"))).frame
    cross = {
        (mine, theirs): int(count)
        for mine, theirs, count in zip(frame["self_verdict"], frame["verdict"], frame["pairs"], strict=True)
    }
    assert cross == {
        ("not_met", "not_met"): 11, ("partly_met", "partly_met"): 11, ("met", "partly_met"): 30,
        ("partly_met", "not_met"): 30, ("not_met", "partly_met"): 6, ("partly_met", "met"): 7,
    }  # fmt: skip
    found = list_rows(paired, RowsQuery("pairs", Filters(self_verdict=("met",), verdict=("partly_met",))))
    assert found.total == 30 and (found.frame["difference"] == 0.5).all()
    row = found.frame.iloc[0]
    assert (row.self_answer, row.answer, row.inspecting_entity) == ("MET", "PARTLY_MET", "E-0")


def test_pairs_are_held_to_the_outside_check_and_to_what_may_be_seen(paired: Warehouse) -> None:
    def count(filters: Filters = Filters(), scope: Scope = Scope()) -> float:  # noqa: B008 (both are frozen)
        return figure(paired, "pairs", paired.newest_known_at(), scope, filters.chosen())

    assert count(Filters(inspection_type=("affiliate_check",))) == count(Filters(inspecting_entity=("E-0",))) == 95
    assert count(Filters(inspection_type=("self_check",))) == count(Filters(inspection_type=("mutual_check",))) == 0
    # Who may see one side only sees no pair.
    assert count(scope=Scope(None, ("affiliate_check",))) == count(scope=Scope(None, ("self_check",))) == 0
    assert count(scope=Scope(None, ("affiliate_check", "self_check"))) == 95
    assert count(scope=Scope(("E-0",))) == 0


def test_pair_needs_both_answers_known(paired: Warehouse) -> None:
    assert figure(paired, "pairs", datetime(2025, 9, 19), Scope(), {}) == 0
