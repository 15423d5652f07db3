"""The sources of exports that others publish, on small files written for the tests in the same layouts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import xlsxwriter

from tests.etl.conftest import Group

DSPT = ",Code,Organisation Name,National Grouping,High Level Health Geography,lat,long,Status,Date Of Publication,Primary Sector\n"
OCTOBER = (
    DSPT
    + '0,R0A,"FIRST TRUST",Y62,QOP,53.4,-2.2,22/23 Standards Met,30/06/2023,NHS Trust\n'
    + "1,R0B,SECOND TRUST,Y63,QHM,54.9,-1.4,22/23 Approaching Standards,29/06/2023,NHS Trust\n"
    + "2,R0D,THIRD TRUST,Y58,QVV,50.7,-1.8,22/23 Standards Not Met,30/06/2023,NHS Trust\n"
    + "3,R1A,FOURTH TRUST,Y58,QVV,50.7,-1.8,22/23 Standards Exceeded,30/06/2023,NHS Trust\n"
)
NOVEMBER = (
    OCTOBER.replace("Approaching Standards", "Standards Met")
    .replace("22/23 Standards Not Met,30/06/2023", "Not Published,")
    .replace("FOURTH TRUST", "Fourth Trust")
)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_dspt_snapshots_restate_in_either_order(make_group: Callable[[str], Group], order: tuple[int, int]) -> None:
    group = make_group("dspt")
    files = [("dspt_trusts_snapshot_17_10_23.csv", OCTOBER), ("dspt_trusts_snapshot_16_11_23.csv", NOVEMBER)]
    for number in order:
        assert group.load(group.write(*files[number])).exit_status == 0
    counts = {}
    for moment in ("2023-10-20", "2023-11-20"):
        rows = group.ask(
            "select verdict, count(*) from fct_answer a join fct_inspection i using (inspection_id) "
            f"where a.known_from <= '{moment}' and a.known_to > '{moment}' and i.fiscal_year = 2022 "
            f"and i.known_from <= '{moment}' and i.known_to > '{moment}' group by verdict order by verdict"
        )
        counts[moment] = dict(rows)
    assert counts == {
        "2023-10-20": {"met": 2, "not_met": 1, "partly_met": 1},
        "2023-11-20": {"met": 3, "not_answered": 1},
    }
    assert group.ask("select count(*) from dim_entity where entity_code = 'R1A'") == [(2,)]


def test_dspt_workbook_names_the_codes_that_excel_damaged(group: Group) -> None:
    path = group.folder / "DSPT_trusts_21_22_snapshot09_09_22.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("DSPT search results 09_09_2022 ")
        sheet.write_row(
            0,
            0,
            ["Code", "Organisation Name", "Status", "Date Of Publication", "Primary Sector", "Commissioner (From ODS)"],
        )
        sheet.write_row(1, 0, ["00L", "A", "21/22 Standards Met", "2022-06-30", "Company", ""])
        sheet.write_row(2, 0, [16, "B", "Not Published", "", "Dentist", ""])
        sheet.write_row(3, 0, [102, "C", "20/21 Standards Met", "2021-06-30", "Local Authority", ""])
        sheet.write(4, 0, 37719, book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write_row(4, 1, ["D", "21/22 Standards Exceeded", "2022-06-30", "Company", ""])
    report = group.load(path)
    assert (report.loads[0]["rows_read"], report.loads[0]["rows_refused"]) == (4, 2)
    assert [(one["row"], one["value"], one["reason_code"]) for one in report.refusals] == [
        (3, "16", "damaged"),
        (5, "2003-04-08", "damaged"),
    ]
    assert group.ask(
        "select entity_code, period_code, known_from::date::varchar from fct_inspection join "
        "(select distinct entity_id, entity_code from dim_entity) using (entity_id) order by 1"
    ) == [("00L", "FY2021", "2022-09-09"), ("102", "FY2020", "2022-09-09")]


def test_csf_profile_pair_gives_the_same_items_to_both_sides(group: Group) -> None:
    quarters = [
        f"Q{n} {what}"
        for n in range(1, 5)
        for what in ("Actual Score", "Target Score", "Observations", "Observation Date")
    ]
    audit = ["ID", "Assessment", "Scope Type", *quarters]
    own = ["ID", "Category ID", "Category", "Subcategory ID", "Subcategory Description", "In Scope? ", *quarters]
    scores = [
        "2",
        "5",
        "two\nlines",
        "2026-01-10",
        "6",
        "5",
        "",
        "2026-04-05",
        "5",
        "5",
        "",
        "In Progress",
        "5",
        "",
        "",
        "",
    ]

    def line(cells: list[str]) -> str:
        return ",".join(f'"{cell}"' for cell in cells) + "\n"

    first = group.write("audit.csv", line(audit) + line(["GV.SC-04 Ex1", "2026", "controls", *scores]))
    second = group.write(
        "own.csv",
        line(own) + line(["GV.SC-04 Ex1", "GV.SC", "Suppliers", "GV.SC-04", "Suppliers are known", "Yes", *scores]),
    )
    report = group.load(first, second)
    assert [(one["source"], one["rows_read"], one["rows_loaded"]) for one in report.loads] == [
        ("csf_profile_audit", 4, 4),
        ("csf_profile_ciso", 4, 4),
    ]
    # A date that is none costs the cell, not the row, and is told.
    assert {(one["column"], one["value"], one["is_row_refused"]) for one in report.refusals} == {
        ("Q3 Observation Date", "In Progress", False)
    }
    assert group.ask(
        "select fiscal_quarter, count(distinct inspection_type), count(distinct a.item_id), min(written_score), max(written_score) "
        "from fct_answer a join fct_inspection using (inspection_id) group by 1 order by 1"
    ) == [
        ("FY2025-Q4", 2, 1, 2.0, 2.0),
        ("FY2026-Q1", 2, 1, 6.0, 6.0),
        ("FY2026-Q2", 2, 1, 5.0, 5.0),
        ("FY2026-Q3", 2, 1, 5.0, 5.0),
    ]
    assert group.ask("select text_en, measure from dim_item where known_to > '9999-01-01'") == [
        ("Suppliers are known", "organizational")
    ]


def test_ofsted_sentinels_are_not_grades(group: Group) -> None:
    head = (
        "urn,local_authority,inspection_link,pdf_filename,publication_date,inspection_framework,inspector_name,"
        "inspection_start_date,inspection_end_date,overall_effectiveness_grade,impact_of_leaders_grade,"
        "help_and_protection_grade,in_care_grade,care_leavers_grade,parser_version\n"
    )
    rows = (
        "80418,dorset,https://x/50276411,a.pdf,09/05/25,short,A,17/03/2025,21/03/2025,not_reported_post_reform,outstanding,"
        "requires improvement,to requires improvement,good,1\n"
        "80418,dorset,https://x/50172438,b.pdf,19/11/21,,,,,,data_unreadable,inadequate,good,inspection_pre_dates_judgement,1\n"
    )
    report = group.load(group.write("ofsted_csc_ilacs_history.csv", head + rows))
    assert (report.loads[0]["rows_read"], report.loads[0]["rows_refused"]) == (10, 1)
    assert report.refusals[0]["suggestion"] == "requires improvement"
    assert dict(group.ask("select verdict, count(*) from fct_answer group by 1")) == {
        "met": 3, "partly_met": 1, "not_met": 1, "not_applicable": 2, "not_answered": 2,
    }  # fmt: skip
    assert group.ask("select period_code, performed_on::varchar from fct_inspection order by 1") == [
        ("2021-11", None),
        ("2025-05", "2025-03-21"),
    ]
