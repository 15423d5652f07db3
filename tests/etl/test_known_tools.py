"""Every known tool whose exports are tables: from its export to the figures, and the sentences for what it cannot say."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from etl.choices import Choice, Choices
from etl.report import Report
from tests.etl import tool_exports
from tests.etl.conftest import Group
from tests.etl.tool_exports import TOOL_EXPORTS, TOOL_GIVEN, write_organisation

KNOWN = "2025-06-30 00:00:00"
NOW = "known_to > '9000-01-01'"

# Tool: file -> (source, rows read, loaded, refused, skipped).
FIGURES: dict[str, dict[str, tuple[str, int, int, int, int]]] = {
    "ciso_assistant_audit": {"FR-01_FY2024_audit_export.csv": ("ciso_assistant_audit", 13, 13, 0, 3)},
    "ciso_assistant_audit_workbook": {"TKY-01_FY2024_audit.xlsx": ("ciso_assistant_audit_workbook", 13, 13, 0, 3)},
    "ciso_assistant_findings": {"Supplier review_findings.xlsx": ("ciso_assistant_findings", 12, 11, 1, 0)},
    "ciso_assistant_action_plan": {"FR-01_FY2024_action_plan.csv": ("ciso_assistant_action_plan", 8, 8, 0, 0)},
    "ciso_assistant_action_plan_workbook": {
        "TKY-01_FY2024_2025-04-30_action_plan.xlsx": ("ciso_assistant_action_plan_workbook", 7, 7, 0, 0)
    },
    "safetyculture": {
        "actions.csv": ("safetyculture_actions", 10, 7, 3, 0),
        "inspection_items.csv": ("safetyculture_inspection_items", 24, 23, 1, 32),
        "inspections.csv": ("safetyculture_inspections", 5, 5, 0, 0),
        "issues.csv": ("safetyculture_issues", 6, 5, 1, 0),
        "schedule_occurrences.csv": ("safetyculture_schedule_occurrences", 10, 8, 2, 0),
        "schedules.csv": ("safetyculture_schedules", 3, 3, 0, 0),
        "sites.csv": ("safetyculture_sites", 6, 6, 0, 0),
    },
    "prowler": {
        "prowler-output-111122223333-20250214142703.csv": ("prowler_findings", 14, 14, 0, 0),
        "prowler-output-111122223333-20250214142703_cis_3.0_aws.csv": ("prowler_compliance", 9, 9, 0, 0),
        "prowler-output-sub-1-20250214142703_iso27001_2022_azure.csv": ("prowler_compliance", 3, 3, 0, 0),
    },
    "stig_manager": {"FR-01_FY2024_asd-stig.csv": ("stig_manager", 12, 11, 1, 0)},
    "csf_profile": {
        "assessments.csv": ("csf_profile_audit", 12, 12, 0, 0),
        "ciso-assessment-2026.csv": ("csf_profile_ciso", 16, 16, 0, 0),
    },
    "trestle_checklist": {"controls.xlsx": ("trestle_checklist", 10, 10, 0, 0)},
    "japan_site_audit": {
        "内部監査チェックリスト_大阪.xlsx": ("japan_site_audit", 9, 8, 1, 0),
        "統合ツール_本社.xlsx": ("japan_site_audit", 4, 4, 0, 0),
    },
    "japan_patrol": {"patrol-navi-20250630.xlsx": ("japan_patrol", 34, 34, 0, 0)},
    "security_questionnaire": {
        "Questionnaire_SG-01.xlsx": ("security_questionnaire", 11, 10, 1, 5),
        "質問票_東京第一.xlsx": ("security_questionnaire", 11, 11, 0, 5),
    },
}


def choose(entity: str | None = None, period: str | None = None, known_at: str | None = KNOWN) -> Choices:
    return Choices(Choice(known_at=known_at, entity=entity, period=period))


def load_tool(group: Group, tool: str) -> Report:
    """Load the organisation, then the export of the tool in one command."""
    group.load_first(write_organisation(group.folder), known_at="2020-01-01 00:00:00")
    files = TOOL_EXPORTS[tool](group.folder / tool)
    return group.load(*files, choices=choose(TOOL_GIVEN.get(tool)))


Look = Callable[[str], tuple[Group, Report]]


@pytest.fixture(scope="module")
def look(tmp_path_factory: pytest.TempPathFactory) -> Look:
    """The group that loaded the export of a tool, and the report; each tool is loaded once for all that only look."""

    @cache
    def load(tool: str) -> tuple[Group, Report]:
        group = Group(tmp_path_factory.mktemp(tool))
        return group, load_tool(group, tool)

    return load


def told(report: Report) -> list[tuple[Any, ...]]:
    """Refusals as (file, row, heading, value, reason code), each once; a cell that was only left out ends in `-`."""
    # An action whose finding stands in the same row says no more than the finding does.
    found = {
        (
            one["file"],
            one["row"],
            one["column"],
            one["value"],
            one["reason_code"] + ("" if one["is_row_refused"] else "-"),
        )
        for one in report.refusals
        if one["reason_code"] != "unknown_finding"
    }
    return sorted(found, key=str)


def verdicts(group: Group, where: str = "true") -> dict[str, int]:
    rows = group.ask(
        f"select verdict, count(*) from fct_answer a join fct_inspection i using (inspection_id) "
        f"join (select distinct entity_id, entity_code from dim_entity) using (entity_id) where a.{NOW} and {where} group by 1"
    )
    return dict(rows)


def compliance(group: Group, where: str = "true") -> float:
    """Share of what is met: half for partly met, without what does not apply or is not answered, in percent."""
    rows = group.ask(
        f"select round(100 * sum(a.score) / count(a.score), 2) from fct_answer a join fct_inspection i using (inspection_id) "
        f"join (select distinct entity_id, entity_code from dim_entity) using (entity_id) where a.{NOW} and {where}"
    )
    return float(rows[0][0])


def findings(group: Group, day: str) -> dict[str, int]:
    """Findings, those open, corrective actions, those open, and those overdue on the day."""
    ((all_findings, still_open),) = group.ask(
        f"select count(*), count(*) filter (where status = 'open') from fct_finding where {NOW}"
    )
    ((actions, undone, overdue),) = group.ask(
        f"select count(*), count(*) filter (where completed_on is null), "
        f"count(*) filter (where completed_on is null and due_on < date '{day}') from fct_action where {NOW}"
    )
    return {"findings": all_findings, "open": still_open, "actions": actions, "undone": undone, "overdue": overdue}


# --- all of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", TOOL_EXPORTS)
def test_export_loads_with_its_figures(look: Look, tool: str) -> None:
    _, report = look(tool)
    figures = {
        one["file"]: (one["source"], one["rows_read"], one["rows_loaded"], one["rows_refused"], one["rows_skipped"])
        for one in report.loads
    }
    assert figures == FIGURES[tool]
    assert all(one["reason"] and one["reason"].endswith(".") for one in report.refusals)


def test_every_source_of_a_known_tool_has_an_export() -> None:
    described = {path.stem for path in (Path(__file__).parents[2] / "data" / "sources").glob("*.toml")}
    covered = {figures[0] for tool in FIGURES.values() for figures in tool.values()} | {
        "japan_patrol_items",
        "japan_patrol_ng",
    }
    tools = (
        "ciso_",
        "safetyculture_",
        "prowler_",
        "stig_manager",
        "csf_",
        "trestle_",
        "japan_",
        "security_questionnaire",
    )
    assert {name for name in described if name.startswith(tools)} == covered


# Sets of files that refer to each other, and to an organisation that may come last.
SETS = {"safetyculture": 2, "japan_patrol": 1, "ciso_assistant_findings": 1, "japan_site_audit": 2}


@pytest.mark.parametrize("tool", SETS)
def test_order_of_files_makes_no_difference(make_group: Callable[[str], Group], tool: str) -> None:
    facts = set()
    for number in range(SETS[tool] + 1):
        group = make_group(f"{tool}-{number}")
        files = [write_organisation(group.folder), *TOOL_EXPORTS[tool](group.folder / tool)]
        choices = choose(TOOL_GIVEN.get(tool))
        if number == 0:
            group.load(*files, choices=choices)
        else:
            # Each file by itself, in an order of its own; the first of them is the other way round.
            files = files[::-1] if number == 1 else random.Random(number).sample(files, len(files))
            for file in files:
                group.load(file, choices=choices)
        left = group.ask(
            "select reason_code, row_no, value from refusal where reason_code <> 'unknown_finding' order by all"
        )
        facts.add((group.history(), str(left)))
    assert len(facts) == 1


def test_file_that_says_neither_entity_nor_period_asks_for_them(group: Group) -> None:
    group.load(write_organisation(group.folder))
    (path,) = tool_exports.stig_manager(group.folder)
    unnamed = path.rename(path.with_name("stigman-asd-full.csv"))
    report = group.load(unnamed)
    (one,) = report.loads
    assert (one["is_refused"], one["reason_code"], one["needs"]) == (True, "needs_given", ["entity", "period"])
    assert "Give it on the Import page" in one["reason"] and "--entity CODE --period FY2025-H1" in one["reason"]
    report = group.load(unnamed, choices=choose("FR-01", "FY2024"))
    assert (report.loads[0]["rows_loaded"], report.loads[0]["asks"]) == (11, ["entity", "period"])
    # What is given goes before the name.
    (path,) = tool_exports.ciso_assistant_audit(group.folder)
    group.load(path, choices=choose("SG-01", "2024年度上期"))
    assert verdicts(group, "entity_code = 'SG-01' and period_code = 'FY2024-H1'") == {
        "met": 6, "partly_met": 2, "not_met": 2, "not_applicable": 1, "not_answered": 2,
    }  # fmt: skip


def test_entity_that_no_master_has_is_refused_until_the_master_comes(group: Group) -> None:
    group.load(group.write("entities.csv", "code,name,region,kind\nFR-10,Lyon,EU,site\n"))
    (path,) = tool_exports.ciso_assistant_audit(group.folder)
    report = group.load(path)
    assert (report.loads[0]["rows_loaded"], report.loads[0]["rows_refused"]) == (0, 13)
    assert (report.refusals[0]["reason_code"], report.refusals[0]["suggestion"]) == ("unknown_entity", "FR-10")
    assert report.refusals[0]["reason"] == "The entity 'FR-01' is in no organisation master that was loaded."
    group.load(write_organisation(group.folder))
    assert verdicts(group, "entity_code = 'FR-01'")["met"] == 6 and group.ask(
        "select count(*) from refusal where is_row_refused"
    ) == [(0,)]


def test_master_with_days_of_validity_and_the_exports_of_tools_go_together(group: Group) -> None:
    dated = "code,name,region,kind,from,to\nFR-01,Paris Office,EU,site,2019-04-01,\n"
    group.load(group.write("entities.csv", dated))
    (path,) = tool_exports.ciso_assistant_audit(group.folder)
    assert group.load(path).loads[0]["rows_loaded"] == 13
    assert group.ask("select valid_from::varchar, region_code from dim_entity where entity_code = 'FR-01'") == [
        ("2019-04-01", "EU")
    ]


# --- CISO Assistant ------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", ["ciso_assistant_audit", "ciso_assistant_audit_workbook"])
def test_ciso_assistant_audit_means_what_it_says(look: Look, tool: str) -> None:
    group, _ = look(tool)
    assert verdicts(group) == {"met": 6, "partly_met": 2, "not_met": 2, "not_applicable": 1, "not_answered": 2}
    assert compliance(group) == 70.0  # (6 + 2 / 2) / 10
    assert group.ask(
        f"select item_code, answer, written_score, comment from fct_answer join dim_item using (item_id) where fct_answer.{NOW} "
        "and item_code in ('A.5.1', 'A.5.2', 'A.5.3', 'A.5.4', 'A.8.3') order by 1"
    ) == [
        ("A.5.1", "compliant (good_practice)", 4.0, None),
        ("A.5.2", "compliant", 3.5, "=see the policy portal"),
        ("A.5.3", "partially_compliant (minor_nonconformity)", 2.0, "経理のみ\n分離済み; 他は未"),
        ("A.5.4", "non_compliant (major_nonconformity)", 0.0, "-no training"),
        ("A.8.3", "compliant", None, None),
    ]
    # A requirement without a reference is known by its urn; a text that was escaped is not any more.
    assert group.ask(
        f"select item_code, text_en from dim_item where {NOW} and (item_code like 'urn%' or item_code = 'A.6.2') order by 1"
    ) == [("A.6.2", "=Terms are signed"), ("urn:intuitem:risk:req_node:iso27001-2022:node10", "A process is known.")]
    assert group.ask(f"select distinct checklist_code from dim_item where {NOW}") == [("iso27001-2022",)]


def test_ciso_assistant_csv_and_workbook_say_the_same(group: Group) -> None:
    load_tool(group, "ciso_assistant_audit")
    load_tool(group, "ciso_assistant_audit_workbook")
    assert group.ask(
        f"select count(*) from (select item_id, verdict, answer, comment, count(*) as n from fct_answer where {NOW} group by all) where n <> 2"
    ) == [(0,)]


def test_ciso_assistant_score_that_is_no_number_is_left_out_and_told(look: Look) -> None:
    assert told(look("ciso_assistant_audit")[1]) == [
        ("FR-01_FY2024_audit_export.csv", 16, "score", "n/a", "bad_number-")
    ]


def test_ciso_assistant_findings(look: Look) -> None:
    group, report = look("ciso_assistant_findings")
    assert findings(group, "2025-06-01") == {"findings": 11, "open": 7, "actions": 7, "undone": 4, "overdue": 2}
    assert dict(
        group.ask(
            "select description, severity || ' ' || status || ' ' || entity_code from fct_finding "
            f"join (select distinct entity_id, entity_code from dim_entity) using (entity_id) where {NOW}"
        )
    ) == {
        "No register of suppliers": "major open FR-01",
        "Shared administrator": "major open FR-01",
        "パスワードの再利用": "minor open TKY-01",
        "Old cipher": "minor open FR-01",
        "=Formula in a name": "observation open FR-01",
        "Door left open": "minor closed FR-01",
        "Screen not locked": "minor closed FR-01",
        "Duplicate of F-002": "observation closed FR-01",
        "Printer without a PIN": "major closed TKY-01",
        "Fax machine": "minor open TKY-01",
        "Found without a number": "observation open TKY-01",
    }
    assert told(report) == [("Supplier review_findings.xlsx", 13, "folder", "Global", "unknown_entity")]
    # The due date goes before the ETA, and a closed finding without a day has none.
    assert group.ask(
        f"select due_on::varchar, completed_on::varchar from fct_action where {NOW} and action_code like '%F-001%'"
    ) == [("2025-04-30", None)]
    assert group.ask(f"select count(*) from fct_finding where {NOW} and closed_on is not null") == [(0,)]


def test_ciso_assistant_findings_of_a_given_entity(group: Group) -> None:
    group.load(write_organisation(group.folder))
    (path,) = tool_exports.ciso_assistant_findings(group.folder)
    report = group.load(path, choices=choose("SG-01"))
    assert (report.loads[0]["rows_loaded"], told(report)) == (12, [])


@pytest.mark.parametrize(
    ("tool", "counted", "finished"),
    [
        ("ciso_assistant_action_plan", {"findings": 8, "open": 6, "actions": 8, "undone": 6, "overdue": 4}, ["2024-06-30", "2024-12-31"]),
        ("ciso_assistant_action_plan_workbook", {"findings": 7, "open": 5, "actions": 7, "undone": 5, "overdue": 4}, ["2025-04-30"]),
    ],
)  # fmt: skip
def test_ciso_assistant_action_plan(look: Look, tool: str, counted: dict[str, int], finished: list[str]) -> None:
    group, _ = look(tool)
    assert findings(group, "2025-06-15") == counted
    assert group.ask(f"select distinct severity, raised_on::varchar, period_code from fct_finding where {NOW}") == [
        ("observation", "2024-04-01", "FY2024")
    ]
    assert [
        row[0]
        for row in group.ask(
            f"select distinct completed_on::varchar from fct_action where {NOW} and completed_on is not null order by 1"
        )
    ] == finished
    assert group.ask(f"select description from fct_action where {NOW} and action_code like '%Awareness%'") == [
        ("Awareness training: 毎年の教育",)
    ]


# --- SafetyCulture -------------------------------------------------------------------------------


def test_safetyculture_sites_are_a_tree(look: Look) -> None:
    group, _ = look("safetyculture")
    assert group.ask(
        "select right(entity_code, 5), name_en, entity_kind, right(parent_entity_code, 5), valid_to::varchar from dim_entity "
        f"where {NOW} and entity_code not like '%-01' and entity_code <> 'TKY-02' order by 1"
    ) == [
        ("00001", "日本", "business_group", None, "9999-12-31"),
        ("00003", "横浜物流センター", "site", "kanto", "9999-12-31"),
        ("00004", "Chiba Depot, Building 2", "site", "kanto", "9999-12-31"),
        ("00005", "旧 川崎倉庫", "site", "kanto", "2025-06-30"),
        ("00006", "Depot of another tree", "site", "00063", "9999-12-31"),
        ("kanto", "関東", "business_group", "00001", "9999-12-31"),
    ]


def test_safetyculture_answers_are_judged_as_safetyculture_judges(look: Look) -> None:
    group, _ = look("safetyculture")
    assert verdicts(group) == {"met": 10, "partly_met": 4, "not_met": 3, "not_applicable": 2, "not_answered": 1}
    assert group.ask(
        "select inspection_code, right(entity_code, 2), period_code, performed_on::varchar, submitted_on::varchar from fct_inspection "
        f"join (select distinct entity_id, entity_code from dim_entity) using (entity_id) where {NOW} order by 1"
    ) == [
        ("audit_1", "03", "2025-04", "2025-04-10", "2025-04-10"),
        ("audit_2", "04", "2025-04", "2025-04-29", "2025-05-01"),
        ("audit_3", "01", "2025-05", "2025-05-12", "2025-05-12"),
    ]
    by_item = group.ask(
        "select item_code, string_agg(coalesce(answer, '') || '=' || verdict || coalesce(' ' || a.score, ''), ', ' order by inspection_code) "
        f"from fct_answer a join fct_inspection i using (inspection_id) join dim_item t using (item_id) where a.{NOW} and t.{NOW} group by 1"
    )
    assert dict(by_item) == {
        "door": "Yes=met 1.0, Yes=met 1.0, No=not_met 0.0",
        "badge": "No=not_met 0.0, Yes=met 1.0, Yes=met 1.0",
        "visitors": "N/A=not_applicable, Yes=met 1.0, 該当なし=not_applicable",
        "keys": "=not_answered, Yes=met 1.0, Yes=met 1.0",
        "clean": "6=partly_met 0.6, 6=partly_met 0.6, 6=partly_met 0.6",
        "rack": "Yes=met 1.0, No=not_met 0.0, Yes=met 1.0",
        "fire": "1=met 1.0",
        "keys2": "Maybe=partly_met 0.5",
    }
    assert group.ask(f"select comment from fct_answer where {NOW} and comment is not null") == [
        ("鍵が壊れている, since May",)
    ]


def test_safetyculture_findings_and_actions(look: Look) -> None:
    group, _ = look("safetyculture")
    assert findings(group, "2025-06-15") == {"findings": 12, "open": 8, "actions": 10, "undone": 7, "overdue": 4}
    codes = "right(finding_code, 2)"
    assert group.ask(
        f"select {codes}, right(entity_code, 2), severity, status, closed_on::varchar from fct_finding "
        f"join (select distinct entity_id, entity_code from dim_entity) using (entity_id) where {NOW} and finding_code like '0%' order by 1"
    ) == [
        ("01", "03", "major", "open", None),
        ("02", "04", "minor", "open", None),  # the site of its inspection
        ("03", "04", "minor", "closed", "2025-05-09"),
        ("04", "01", "observation", "open", None),  # SG-01, as given: neither it nor its inspection has a site
        ("05", "04", "major", "open", None),  # nobody can do it
        ("06", "03", "minor", "closed", "2025-06-01"),  # deleted
        ("10", "03", "minor", "open", None),
    ]
    assert group.ask(
        f"select {codes}, severity, status, closed_on::varchar from fct_finding where {NOW} and finding_code like '5%' order by 1"
    ) == [
        ("01", "minor", "closed", "2025-05-20"),
        ("02", "major", "open", None),
        ("03", "observation", "open", None),
        ("04", "minor", "open", None),
        ("05", "observation", "closed", "2025-05-06"),
    ]


def test_safetyculture_occurrences_are_a_plan_that_tells_what_was_missed(look: Look) -> None:
    group, _ = look("safetyculture")
    assert group.ask(
        "select right(entity_code, 2), p.period_code, p.due_on::varchar, count(i.inspection_id) from fct_plan p "
        "join (select distinct entity_id, entity_code from dim_entity) using (entity_id) "
        f"left join fct_inspection i on i.entity_id = p.entity_id and i.period_code = p.period_code and i.{NOW} "
        f"where p.{NOW} group by all order by all"
    ) == [
        ("01", "2025-05", "2025-06-02", 1),  # SG-01, as given
        ("03", "2025-04", "2025-04-25", 1),
        ("03", "2025-05", "2025-05-11", 0),
        ("03", "2025-06", "2025-06-11", 0),
        ("04", "2025-04", "2025-05-02", 1),
        ("04", "2025-05", "2025-06-02", 0),
    ]


def test_safetyculture_says_what_it_cannot_take(look: Look) -> None:
    group, report = look("safetyculture")
    code = "00000000-0000-4000-8000-0000000000"
    assert told(report) == sorted(
        [
            ("actions.csv", 8, "status", "WAITING", "unknown_choice"),
            ("actions.csv", 9, "created_at", "--date--", "bad_date"),
            ("actions.csv", 9, "created_at", "--date--", "bad_period"),
            ("actions.csv", 9, "due_date", "--date--", "bad_date-"),
            ("actions.csv", 10, "site_id", "audit_9", "unknown_reference"),
            ("actions.csv", 11, "due_date", "--date--", "bad_date-"),
            ("inspection_items.csv", 57, "audit_id", "audit_9", "unknown_reference"),
            ("issues.csv", 7, "status", None, "empty"),
            ("schedule_occurrences.csv", 10, "start_time", "--date--", "bad_period"),
            ("schedule_occurrences.csv", 10, "start_time", "--date--", "bad_date"),
            ("schedule_occurrences.csv", 11, "schedule_id", "scheduleitem_9", "unknown_reference"),
        ],
        key=str,
    )
    # A date that is masked costs the due date, and the action stays.
    assert group.ask(f"select due_on from fct_action where {NOW} and action_code = '{code}10'") == [(None,)]
    assert {one["reason"] for one in report.refusals if one["reason_code"] == "unknown_reference"} >= {
        "'audit_9' is in no export that tells of a safetyculture audit and was loaded; load that one too, in any order."
    }


def test_safetyculture_without_a_given_entity_refuses_what_has_no_site(group: Group) -> None:
    report = group.load(*tool_exports.safetyculture(group.folder), choices=choose())
    refused = {one["file"]: one["rows_refused"] for one in report.loads}
    assert refused == {
        "actions.csv": 4, "inspection_items.csv": 8, "inspections.csv": 0, "issues.csv": 2, "schedule_occurrences.csv": 3,
        "schedules.csv": 0, "sites.csv": 0,
    }  # fmt: skip
    assert ("issues.csv", 4, "site_id", None, "empty") in told(report)


# --- Prowler -------------------------------------------------------------------------------------


def test_prowler_findings_count_the_worst_resource(look: Look) -> None:
    group, _ = look("prowler")
    assert dict(
        group.ask(
            "select item_code, answer || ' ' || verdict from fct_answer a join dim_item t using (item_id) "
            f"where a.{NOW} and t.{NOW} and checklist_code = 'PROWLER-AWS'"
        )
    ) == {
        "iam_root_mfa": "PASS met",
        "s3_public": "PASS met",  # the bucket that fails is muted
        "sg_ssh_open": "FAIL not_met",
        "account_contact": "MANUAL not_answered",
        "kms_rotation": "FAIL (muted) not_applicable",
        "trail_enabled": "FAIL not_met",
        "ec2_imds": "PASS met",
    }
    assert compliance(group, "checklist_code = 'PROWLER-AWS'") == 60.0
    assert group.ask(f"select item_code from dim_item where {NOW} and is_critical order by 1") == [
        ("iam_root_mfa",),
        ("trail_enabled",),
    ]


def test_prowler_compliance_counts_the_worst_check_of_a_requirement(look: Look) -> None:
    group, _ = look("prowler")
    assert dict(
        group.ask(
            "select item_code, answer || ' ' || verdict from fct_answer a join dim_item t using (item_id) "
            f"where a.{NOW} and t.{NOW} and checklist_code not like 'PROWLER%'"
        )
    ) == {
        "1.1": "MANUAL not_answered",
        "1.4": "PASS met",
        "1.5": "FAIL not_met",
        "2.1.4": "PASS met",
        "3.1": "FAIL not_met",
        "3.5": "FAIL (muted) not_applicable",
        "5.2": "PASS met",
        "A.5.15": "FAIL not_met",
        "A.8.24": "PASS met",
    }
    # Requirements without a check name no account: they belong to that of the others.
    assert group.ask(f"select distinct inspection_code from fct_inspection where {NOW} order by 1") == [
        ("111122223333",),
        ("sub-1",),
    ]
    assert compliance(group, "inspection_code = 'sub-1'") == 50.0


def test_prowler_account_can_be_an_entity_and_a_later_scan_restates(group: Group) -> None:
    group.load(group.write("entities.csv", "code,name,region,kind\n111122223333,Production account,EU,affiliate\n"))
    (path,) = tool_exports.prowler_findings(group.folder)
    # Seconds since 1970, as with --unix-timestamp: 26 February 2025.
    later = group.write(
        "later.csv",
        path.read_text("utf-8").replace("2025-02-14 14:27:03.913874", "1740580000").replace(";FAIL;", ";PASS;"),
    )
    for file in (later, path):
        assert group.load(file).loads[0]["rows_loaded"] == 14
    assert group.ask(
        f"select i.known_from::date::varchar, period_code, performed_on::varchar from fct_inspection i where {NOW}"
    ) == [("2025-02-26", "2025-02", "2025-02-26")]
    counts = {}
    for day in ("2025-02-20", "2025-02-27"):
        rows = group.ask(
            f"select verdict, count(*) from fct_answer where known_from <= '{day}' and known_to > '{day}' group by 1"
        )
        counts[day] = dict(rows)
    assert counts == {
        "2025-02-20": {"met": 3, "not_met": 2, "not_applicable": 1, "not_answered": 1},
        "2025-02-27": {"met": 5, "not_applicable": 1, "not_answered": 1},
    }


# --- STIG Manager, NIST CSF, Trestle -------------------------------------------------------------


def test_stig_manager_informational_is_not_assessed(look: Look) -> None:
    group, report = look("stig_manager")
    assert verdicts(group) == {"met": 4, "not_met": 1, "not_applicable": 1, "not_answered": 5}
    assert compliance(group) == 80.0
    assert dict(
        group.ask(
            f"select answer, string_agg(distinct verdict) from fct_answer where {NOW} and answer is not null group by 1"
        )
    ) == {
        "Not a Finding": "met",
        "Fixed": "met",
        "Open": "not_met",
        "Not Applicable": "not_applicable",
        "Informational": "not_answered",
        "Not Reviewed": "not_answered",
    }
    (one,) = report.refusals
    assert (one["row"], one["column"], one["reason_code"]) == (13, "result", "unknown_answer")
    assert one["reason"] == "The answer 'Not a Problem ' is not in the answer map of stig_manager."
    assert group.ask(f"select distinct checklist_code from fct_inspection where {NOW}") == [("ASD-STIG",)]


def test_export_that_excel_saved_in_its_japanese_encoding(group: Group) -> None:
    group.load(write_organisation(group.folder))
    (path,) = tool_exports.stig_manager(group.folder)
    path.write_bytes(path.read_text("utf-8").encode("cp932"))
    assert group.load(path).loads[0]["rows_loaded"] == 11
    assert group.ask(f"select count(*) from fct_answer where {NOW} and comment like '%対応済み%'") == [(6,)]


def test_csf_profile_of_both_sides_agrees(look: Look) -> None:
    group, report = look("csf_profile")
    assert {one[4] for one in told(report)} == {"bad_date-"}
    assert verdicts(group, "inspection_type = 'affiliate_check'") == {
        "met": 5,
        "partly_met": 1,
        "not_met": 2,
        "not_answered": 4,
    }
    assert verdicts(group, "inspection_type = 'self_check'") == {
        "met": 5,
        "partly_met": 4,
        "not_met": 2,
        "not_answered": 5,
    }
    pairs = group.ask(
        "select period_code, item_id, min(written_score), max(written_score), count(*) from fct_answer a "
        f"join fct_inspection i using (inspection_id) where a.{NOW} and written_score is not null group by all having count(*) = 2"
    )
    assert len(pairs) == 8 and all(low == high for _, _, low, high, _ in pairs)


def test_trestle_checklist_is_a_master(look: Look) -> None:
    group, _ = look("trestle_checklist")
    assert group.ask(
        f"select checklist_code, checklist_version, item_code, text_en, control_ref from dim_item where {NOW} order by item_code limit 1"
    ) == [("example_controls", "1.0", "3000036", "Check whether setting 3000036 is on", "CM-2")]


def test_trestle_checklist_names_the_heading_that_is_twice_there_or_missing(group: Group) -> None:
    twice, missing = (
        tool_exports.trestle_duplicate_heading(group.folder),
        tool_exports.trestle_missing_heading(group.folder),
    )
    report = group.load(twice, missing)
    assert [(one["is_refused"], one["reason_code"]) for one in report.loads] == [
        (True, "duplicate_column"),
        (True, "missing_column"),
    ]
    assert report.loads[0]["reason"] == (
        "The heading 'ControlText' stands in columns B and E of row 1 in sheet 'example_controls'; leave one of them."
    )
    assert report.loads[1]["reason"].startswith(
        "The heading 'ControlText' is missing from row 1 in sheet 'example_controls'."
    )


# --- Japanese workbooks --------------------------------------------------------------------------


def test_site_audit(look: Look) -> None:
    group, report = look("japan_site_audit")
    assert verdicts(group, "entity_code = 'OSK-01'") == {"met": 2, "not_met": 3, "not_applicable": 1, "not_answered": 2}
    assert verdicts(group, "entity_code = 'TKY-01'") == {"met": 2, "not_met": 2}
    assert compliance(group, "entity_code = 'OSK-01'") == 40.0
    assert group.ask(
        f"select distinct inspection_type, period_code, performed_on::varchar from fct_inspection where {NOW} order by 3"
    ) == [("affiliate_check", "2025-05", "2025-05-12"), ("affiliate_check", "2025-05", "2025-05-20")]
    assert findings(group, "2025-07-01") == {"findings": 7, "open": 5, "actions": 6, "undone": 4, "overdue": 2}
    assert group.ask(
        "select t.item_code, severity, status, closed_on::varchar from fct_finding f join dim_item t using (item_id) "
        f"where f.{NOW} and t.{NOW} and finding_code like '大阪%' order by finding_code"
    ) == [
        ("入退室/施錠#b5ab", "major", "open", None),
        ("入退室/来客#a82d", "minor", "open", None),
        ("教育/研修#edad", "minor", "open", None),
        ("端末/画面#89fe", "minor", "closed", "2025-05-30"),
    ]
    # Both editions of the form ask the same items.
    assert group.ask(f"select count(*) from dim_item where {NOW}") == [(9,)]
    (one,) = report.refusals
    assert (one["row"], one["column"], one["value"]) == (15, "判定", "要確認")


def test_site_audit_of_a_given_entity_and_period(group: Group) -> None:
    group.load(write_organisation(group.folder))
    narrow, _ = tool_exports.japan_site_audit(group.folder)
    group.load(narrow, choices=choose("SG-01", "2025年度上期"))
    assert verdicts(group, "entity_code = 'SG-01' and period_code = 'FY2025-H1'")["not_met"] == 3


def test_patrol_workbook_joins_its_sheets(look: Look) -> None:
    group, _ = look("japan_patrol")
    assert verdicts(group) == {"met": 16, "not_met": 5, "not_applicable": 2, "not_answered": 1}
    assert group.ask(
        "select entity_code, inspection_code, period_code, performed_on::varchar, checklist_code, checklist_version from fct_inspection "
        f"join (select distinct entity_id, entity_code from dim_entity) using (entity_id) where {NOW} order by 2"
    ) == [
        ("TKY-02", "p-1", "2025-04", "2025-04-08", "オフィス巡回", "2"),
        ("TKY-02", "p-2", "2025-05", "2025-05-09", "オフィス巡回", "2"),
        ("SG-01", "p-3", "2025-05", "2025-05-09", "オフィス巡回", "2"),
        ("TKY-02", "p-4", "2025-06", "2025-06-11", "オフィス巡回", "2"),
    ]
    assert group.ask(f"select count(*), count(*) filter (where is_critical) from dim_item where {NOW}") == [(6, 2)]
    assert findings(group, "2025-06-15") == {"findings": 5, "open": 4, "actions": 4, "undone": 2, "overdue": 1}
    # An item that is NG repeats with every action; the finding is one and stays open until the last is done.
    assert group.ask(
        "select raised_on::varchar, t.text_ja, severity, status, closed_on::varchar, count(action_id) from fct_finding f "
        f"join dim_item t using (item_id) left join fct_action g on g.finding_id = f.finding_id and g.{NOW} "
        f"where f.{NOW} and t.{NOW} group by all order by all"
    ) == [
        ("2025-04-08", "来客簿に記入がある", "minor", "closed", "2025-04-25", 1),
        ("2025-05-09", "入口が施錠されている", "major", "open", None, 1),
        ("2025-05-09", "書庫が施錠されている", "major", "open", None, 2),
        ("2025-05-09", "来客簿に記入がある", "minor", "open", None, 0),
        ("2025-06-11", "机上に書類が残っていない", "minor", "open", None, 0),
    ]


# --- a filled questionnaire ----------------------------------------------------------------------


def test_questionnaire_in_both_languages(look: Look) -> None:
    group, _ = look("security_questionnaire")
    assert verdicts(group, "entity_code = 'SG-01'") == {
        "met": 5,
        "partly_met": 1,
        "not_met": 2,
        "not_applicable": 1,
        "not_answered": 1,
    }
    assert verdicts(group, "entity_code = 'TKY-02'") == {
        "met": 6,
        "partly_met": 2,
        "not_met": 1,
        "not_applicable": 1,
        "not_answered": 1,
    }
    assert (compliance(group, "entity_code = 'SG-01'"), compliance(group, "entity_code = 'TKY-02'")) == (68.75, 77.78)
    assert group.ask(
        f"select distinct period_code, performed_on::varchar, checklist_version from fct_inspection where {NOW}"
    ) == [("FY2024", "2025-03-18", "3.0")]
    # The items are the same in both editions, and each edition gives its language.
    assert group.ask(
        f"select item_code, text_en, text_ja, category_en, category_ja from dim_item where {NOW} and item_code = '1.10'"
    ) == [("1.10", "Subcontractors are listed.", "再委託先を一覧にしている。", "Governance", "組織")]
    assert group.ask(f"select count(*) from dim_item where {NOW}") == [(11,)]
    # A formula with a stored value is that value.
    assert group.ask(
        f"select distinct verdict, has_evidence from fct_answer a join dim_item t using (item_id) where a.{NOW} and t.{NOW} and item_code = '3.1'"
    ) == [("met", True)]


def test_questionnaire_tells_of_hidden_sheets_and_formulas_without_a_value(look: Look) -> None:
    _, report = look("security_questionnaire")
    english = {one["reason_code"]: one for one in report.refusals if one["file"].startswith("Questionnaire")}
    assert set(english) == {"hidden_sheet", "uncalculated"}
    hidden, formula = english["hidden_sheet"], english["uncalculated"]
    assert (hidden["sheet"], hidden["is_row_refused"]) == ("2. People (2023)", False)
    assert (formula["sheet"], formula["row"], formula["column"], formula["is_row_refused"]) == (
        "3. Technology",
        9,
        "Answer",
        True,
    )
    assert "Open the workbook in Excel, save it there" in formula["reason"]
