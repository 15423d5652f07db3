"""Exports that are no table: what the readers make of them, what loads of them, and what hostile ones are told."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from etl.cells import Unreadable
from etl.choices import Choice, Choices
from etl.documents import Document, read_document
from tests.etl import document_exports as exports
from tests.etl.conftest import Group

JSON_EXPORTS: dict[str, Callable[[], dict[str, Any]]] = {
    "oscal_assessment_results": exports.assessment_results,
    "oscal_poam": exports.plan_of_action,
    "stig_checklist": exports.cklb,
    "cset_assessment": exports.cset_export,
    "cset_assessment (model)": exports.cset_model,
}
XML_EXPORTS: dict[str, Callable[[], str]] = {
    "stig_checklist": exports.ckl,
    "xccdf_results": lambda: exports.xccdf_benchmark(exports.xccdf_test()),
    "xccdf_results (alone)": exports.xccdf_alone,
    "xccdf_results (arf)": exports.arf,
}
X_1 = Choices(Choice(entity="X-1"))
CKL = exports.ckl()


def know(group: Group) -> Group:
    """The group with an organisation master that has the entity of the documents."""
    group.load_first(
        group.write("entities.csv", "code,name,region,kind\nX-1,First,JP,affiliate\n"), known_at="2020-01-01 00:00:00"
    )
    return group


@pytest.fixture
def group(group: Group) -> Group:
    """A group that knows the entity of the documents."""
    return know(group)


@pytest.fixture
def read(tmp_path: Path) -> Callable[[Any], Document | None]:
    """Reads a document given as an object (JSON) or as a text (XML where it begins with <)."""

    def read_content(content: Any) -> Document | None:
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        raw = text.encode() if isinstance(text, str) else text
        path = tmp_path / "export"
        path.write_bytes(raw)
        return read_document("xml" if raw.lstrip(b"\xef\xbb\xbf\xff\xfe \n")[:1] == b"<" else "json", path)

    return read_content


def rows_of(document: Document | None, table: str) -> list[dict[str, str | None]]:
    """Rows of a table, by heading."""
    assert document
    heading, *rows = document.tables[table]
    return [dict(zip(map(str, heading), row, strict=True)) for row in rows]


def column(document: Document | None, table: str, name: str) -> list[str | None]:
    """One column of a table."""
    return [row[name] for row in rows_of(document, table)]


def verdicts(group: Group) -> dict[str, int]:
    """Current answers by verdict."""
    return dict(group.ask("select verdict, count(*) from fct_answer where known_to > '9999-01-01' group by 1"))


# --- what the readers make of them ----------------------------------------------------------------


@pytest.mark.parametrize(("name", "write"), [*JSON_EXPORTS.items(), *XML_EXPORTS.items()])
def test_documents_are_known_by_their_content(
    read: Callable[[Any], Document | None], name: str, write: Callable[[], Any]
) -> None:
    document = read(write())
    assert document
    assert document.name == name.split(" ")[0]
    assert all(len(row) == len(table[0]) for table in document.tables.values() for row in table)


@pytest.mark.parametrize(
    "content",
    [
        [{"a": 1}],
        {"rows": [{"stigs": 1}]},
        {"stigs": []},
        {"assessment": "annual"},
        {"assessment": {"name": "annual"}},
        [{"assessment-results": {}}],
        '"jANSWER"',
        "no JSON at all",
        "<html><body/></html>",
        "<Benchmark><TestResult/></Benchmark>",
        "<c:CHECKLIST xmlns:c='urn:else'/>",
    ],
)
def test_anything_else_is_left_to_others(read: Callable[[Any], Document | None], content: Any) -> None:
    if content == '"jANSWER"':
        content = "   " + content
    assert read(content) is None


def test_an_unknown_root_is_not_read_to_its_end(read: Callable[[Any], Document | None]) -> None:
    assert read("<html><body>" + "&broken" * 3) is None


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_json_may_be_in_any_of_its_encodings(read: Callable[[Any], Document | None], encoding: str) -> None:
    document = read(json.dumps(exports.cklb()).encode(encoding))
    assert column(document, "vulnerabilities", "Vuln") == ["V-900001", "V-900002", "V-900003", "V-910001"]


def test_xml_may_be_in_utf_16(read: Callable[[Any], Document | None]) -> None:
    document = read(CKL.replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16"))
    assert len(rows_of(document, "vulnerabilities")) == 4


def test_numbers_keep_their_digits(read: Callable[[Any], Document | None]) -> None:
    text = json.dumps(exports.cklb()).replace('"V-900001"', "1.10").replace('"V-900002"', "1" * 5000)
    assert column(read(text), "vulnerabilities", "Vuln")[:2] == ["1.10", "1" * 5000]


def test_references_to_nothing_lose_nothing(read: Callable[[Any], Document | None]) -> None:
    findings = rows_of(read(exports.assessment_results()), "findings")
    assert [(row["Kind"], row["Finding"], row["Is nonconformity"]) for row in findings] == [
        ("finding", "find-2", "false"), ("finding", "find-3", "false"),
        ("finding", "find-1", "true"), ("finding", "find-2", "false"), ("finding", "find-3", "true"), ("risk", "risk-2", "true"),
    ]  # fmt: skip
    plan = rows_of(read(exports.plan_of_action()), "findings")
    assert [(row["Kind"], row["Finding"]) for row in plan] == [
        ("item", "item-1"), ("item", "item-2"), ("finding", "find-9"), ("risk", "risk-2"),
    ]  # fmt: skip


def test_an_open_risk_behind_a_satisfied_finding_is_told(read: Callable[[Any], Document | None]) -> None:
    export = exports.assessment_results()
    january = export["assessment-results"]["results"][1]
    for finding in january["findings"]:
        finding["target"]["status"]["state"] = "satisfied"
    findings = rows_of(read(export), "findings")
    assert [row["Finding"] for row in findings if row["Is nonconformity"] == "true"] == ["risk-1", "risk-2"]


def test_a_finding_that_comes_again_is_raised_anew_only_after_it_was_met(
    read: Callable[[Any], Document | None],
) -> None:
    def told(*states: str) -> list[tuple[str | None, ...]]:
        results = [
            {"uuid": f"r{month}", "start": f"2026-0{month}-01T00:00:00Z",
             "findings": [{"uuid": "f", "target": {"target-id": "t", "status": {"state": state}}}]}
            for month, state in enumerate(states, start=1)
        ]  # fmt: skip
        findings = rows_of(read({"assessment-results": {"results": results}}), "findings")
        return [
            (row["Result"], (row["Raised on"] or "")[:7], row["Is closed"], (row["Closed on"] or "")[:7])
            for row in findings
            if row["Is nonconformity"] == "true"
        ]

    assert told("not-satisfied", "not-satisfied") == [("r2", "2026-01", None, "")]
    assert told("not-satisfied", "satisfied") == [("r1", "2026-01", "true", "2026-02")]
    assert told("not-satisfied", "satisfied", "not-satisfied") == [("r3", "2026-03", None, "")]
    assert told("satisfied", "satisfied") == []


def test_observations_keep_who_names_them(read: Callable[[Any], Document | None]) -> None:
    observations = rows_of(read(exports.assessment_results()), "observations")
    assert [(row["Observation"], row["Methods"], row["Named by"], row["Evidence"]) for row in observations] == [
        ("obs-1", "EXAMINE, TEST", "find-1", "Screenshot 1"),
        ("obs-2", None, None, None),
    ]


def test_both_viewers_tell_the_same_of_a_checklist(read: Callable[[Any], Document | None]) -> None:
    old, new = (rows_of(read(content), "vulnerabilities") for content in (CKL, exports.cklb()))
    judged = {"Status", "Finding details", "Comments", "Severity override", "Override reason"}
    for one, other in zip(old, new, strict=True):
        assert {key: one[key] for key in one.keys() - judged} == {key: other[key] for key in other.keys() - judged}
    assert old[0]["Finding details"] == "Setting is off.\nTurn it on."
    assert (new[3]["Severity override"], new[3]["Override reason"]) == ("low", "Not reachable")


@pytest.mark.parametrize(
    ("host", "site", "target"),
    [("web01", "", "web01"), ("web01", "shop", "web01/shop"), ("", "", "192.0.2.7"), ("", "shop", "192.0.2.7/shop")],
)
def test_what_was_checked_is_named_as_closely_as_it_can_be(
    read: Callable[[Any], Document | None], host: str, site: str, target: str
) -> None:
    assert set(column(read(exports.ckl(host, site)), "vulnerabilities", "Target")) == {target}


@pytest.mark.parametrize("namespace", [exports.XCCDF, exports.XCCDF_1_1])
def test_both_versions_of_xccdf_are_read(read: Callable[[Any], Document | None], namespace: str) -> None:
    results = column(read(exports.xccdf_alone(namespace)), "rule_results", "Result")
    assert Counter(results) == Counter(exports.RESULTS) + Counter({"pass": 1})
    within = exports.xccdf_benchmark(exports.xccdf_test(), namespace=namespace)
    row = rows_of(read(within), "rule_results")[2]
    assert (row["Rule title"], row["Group title"], row["Severity"], row["Benchmark version"], row["Message"]) == (
        "Title of rule_fail_0", "Accounts", "low", "1.7", "Seen & noted",
    )  # fmt: skip
    assert row["Ended in UTC"] == "2026-02-10 18:04:05"


def test_a_report_gives_a_test_the_rules_of_its_benchmark(read: Callable[[Any], Document | None]) -> None:
    within = exports.xccdf_benchmark(exports.xccdf_test())
    assert rows_of(read(exports.arf()), "rule_results") == rows_of(read(within), "rule_results")


def test_cset_observations_are_told_once(read: Callable[[Any], Document | None]) -> None:
    observations = rows_of(read(exports.cset_export()), "observations")
    assert [(row["Observation"], row["Question"], row["Importance"]) for row in observations] == [
        ("7", "R3", "High"), ("9", "Q4", "Medium"), ("8", None, "Low"),
    ]  # fmt: skip


# --- what loads of them ---------------------------------------------------------------------------


def load(group: Group, name: str, content: Any, choices: Choices | None = None) -> dict[str, Any]:
    """Load one file without a refusal; returns its load."""
    path = group.write(name, content if isinstance(content, str) else json.dumps(content))
    report = group.load(path, choices=choices)
    assert (report.exit_status, report.refusals) == (0, []), report.refusals
    return report.loads[0]


def test_assessment_results_load_with_findings_and_due_dates(group: Group) -> None:
    loaded = load(group, "X-1_assessment-results.json", exports.assessment_results())
    assert (loaded["source"], loaded["rows_read"], loaded["rows_loaded"]) == ("oscal_assessment_results", 11, 11)
    assert group.ask(
        "select period_code, inspection_code, performed_on::varchar, verdict, count(*) "
        "from fct_inspection join fct_answer using (inspection_id) group by all order by all"
    ) == [
        ("2026-01", "result-1", "2026-01-16", "met", 1),
        ("2026-01", "result-1", "2026-01-16", "not_met", 2),
        ("2026-02", "result-2", "2026-02-10", "met", 2),
    ]
    assert group.ask(
        "select finding_code, severity, status, raised_on::varchar, closed_on::varchar, item_code from fct_finding "
        "left join (select distinct item_id, item_code from dim_item) using (item_id) order by 1"
    ) == [
        ("find-1", "major", "open", "2026-01-12", None, "ac-6.1_obj"),
        ("find-3", "major", "closed", "2026-01-16", "2026-02-10", "pe-3_obj"),
        ("risk-2", "minor", "closed", "2026-01-16", "2026-02-20", None),
    ]
    assert group.ask(
        "select action_code, owner, due_on::varchar, completed_on::varchar from fct_action order by 1"
    ) == [
        ("find-1/resp-1", "Sato, System owner", "2026-04-30", None),
        ("find-1/resp-2", None, "2026-04-30", "2026-02-03"),
        ("find-3/resp-1", "Sato, System owner", "2026-04-30", None),
        ("find-3/resp-2", None, "2026-04-30", "2026-02-03"),
        ("risk-2/risk-2", None, "2026-02-28", "2026-02-20"),
    ]
    # Known since the document was last modified, in UTC.
    assert group.ask("select distinct known_from::varchar from fct_finding") == [("2026-03-31 09:00:00",)]
    assert group.ask("select item_code, measure, category_code, control_ref from dim_item order by 1") == [
        ("ac-6.1_obj", "technological", "AC", "ac-6.1"),
        ("at-2_obj", "human", "AT", "at-2"),
        ("pe-3_obj", "physical", "PE", "pe-3"),
    ]


def test_a_plan_of_action_loads_with_its_due_dates(group: Group) -> None:
    loaded = load(group, "X-1_poam.json", exports.plan_of_action())
    assert (loaded["source"], loaded["rows_read"], loaded["rows_loaded"]) == ("oscal_poam", 6, 6)
    assert group.ask("select finding_code, period_code, severity, status, raised_on::varchar from fct_finding order by 1") == [
        ("find-9", "2026-03", "minor", "open", "2026-03-31"),
        ("item-1", "2026-02", "minor", "open", "2026-02-03"),
        ("item-2", "2026-03", "minor", "open", "2026-03-31"),
        ("risk-2", "2026-03", "minor", "open", "2026-03-31"),
    ]  # fmt: skip
    # A deadline goes before the end of the tasks, of which the last counts.
    assert group.ask("select action_code, due_on::varchar from fct_action order by 1") == [
        ("item-1/resp-1", "2026-05-31"),
        ("risk-2/resp-2", "2026-07-31"),
    ]


def test_a_later_plan_of_action_replaces_the_earlier_one_whatever_comes_first(
    make_group: Callable[[str], Group],
) -> None:
    later = exports.plan_of_action()
    later["plan-of-action-and-milestones"]["metadata"]["last-modified"] = "2026-04-30T00:00:00Z"
    later["plan-of-action-and-milestones"]["risks"][0]["status"] = "closed"
    found = []
    for order in ((0, 1), (1, 0)):
        group = know(make_group(f"plan-{order[0]}"))
        files = [("X-1_poam.json", exports.plan_of_action()), ("X-1_poam_2.json", later)]
        for number in order:
            load(group, *files[number])
        found.append(group.ask("select finding_code, status, known_from::varchar from fct_finding order by all"))
    assert found[0] == found[1]
    assert [row[1:] for row in found[0] if row[0] == "item-1"] == [
        ("closed", "2026-04-30 00:00:00"),
        ("open", "2026-03-31 09:00:00"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "counts"),
    [
        ("X-1_FY2025_web01.ckl", CKL, {"met": 1, "not_met": 1, "not_applicable": 1, "not_answered": 1}),
        (
            "X-1_FY2025_web01.cklb",
            json.dumps(exports.cklb()),
            {"met": 1, "not_met": 1, "not_applicable": 1, "not_answered": 1},
        ),
    ],
)
def test_a_checklist_loads_as_one_inspection_for_each_stig(
    group: Group, name: str, content: str, counts: dict[str, int]
) -> None:
    loaded = load(group, name, content)
    assert (loaded["source"], loaded["rows_read"]) == (f"stig_checklist_{name.rsplit('.', 1)[1]}", 4)
    assert verdicts(group) == counts
    assert group.ask(
        "select entity_code, period_code, inspection_code, checklist_code, checklist_version, count(*) from fct_answer "
        "join fct_inspection using (inspection_id) join (select distinct entity_id, entity_code from dim_entity) using (entity_id) group by all order by all"
    ) == [
        ("X-1", "FY2025", "web01", "Firefox_X_STIG", "V2R4", 1),
        ("X-1", "FY2025", "web01", "RHEL_X_STIG", "V2R4", 3),
    ]
    assert group.ask("select item_code, text_en from dim_item where is_critical") == [("V-900001", "Rule <V-900001>")]


@pytest.mark.parametrize("name", ["web01.ckl", "web01_20260211_scan.ckl", "U_RHEL_X_STIG_V2R4.ckl"])
def test_a_host_is_never_taken_for_an_entity(group: Group, name: str) -> None:
    path = group.write(name, CKL)
    report = group.load(path)
    assert [one["reason_code"] for one in report.loads] == ["needs_given"]
    given_both = Choices(Choice(entity="X-1", period="FY2025-H1"))
    assert load(group, name, CKL, given_both)["rows_loaded"] == 4
    assert group.ask("select distinct period_code from fct_inspection") == [("FY2025-H1",)]


@pytest.mark.parametrize("write", [XML_EXPORTS[name] for name in XML_EXPORTS if name.startswith("xccdf")])
def test_xccdf_results_count_as_the_standard_defines_them(group: Group, write: Callable[[], str]) -> None:
    loaded = load(group, "scan.xml", write(), X_1)
    # Twelve rule results: two were not selected, and one rule was tested on two instances.
    assert (loaded["rows_read"], loaded["rows_skipped"]) == (10, 2)
    assert verdicts(group) == {"met": 3, "not_met": 1, "not_applicable": 2, "not_answered": 3}
    assert group.ask("select period_code, inspection_code, performed_on::varchar from fct_inspection") == [
        ("2026-02", "db01", "2026-02-11")
    ]
    assert group.ask("select distinct checklist_code, checklist_version from dim_item") == [("bench_x", "1.7")]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_later_scan_of_a_month_counts(make_group: Callable[[str], Group], order: tuple[int, int]) -> None:
    group = know(make_group("scans"))
    mended = exports.xccdf_test(ended="2026-02-20T01:00:00+09:00", rule_fail_0="pass")
    files = [("a.xml", exports.xccdf_benchmark(exports.xccdf_test())), ("b.xml", exports.xccdf_benchmark(mended))]
    for number in order:
        load(group, *files[number], X_1)
    assert verdicts(group) == {"met": 4, "not_applicable": 2, "not_answered": 3}


def test_a_cset_export_loads_its_answers_and_observations(group: Group) -> None:
    loaded = load(group, "X-1_cset.json", exports.cset_export())
    assert (loaded["source"], loaded["rows_read"], loaded["rows_loaded"]) == ("cset_assessment", 14, 14)
    assert verdicts(group) == {"met": 3, "partly_met": 1, "not_met": 3, "not_applicable": 1, "not_answered": 2}
    assert group.ask("select inspection_type, period_code, inspection_code from fct_inspection group by all") == [
        ("affiliate_check", "2026-02", "guid-1")
    ]
    # The question that two components are asked is not met, as one of them does not meet it.
    assert group.ask(
        "select verdict, text_en from fct_answer join dim_item using (item_id) where item_code = 'C3'"
    ) == [("not_met", "Locked?")]
    assert group.ask(
        "select finding_code, severity, raised_on::varchar, item_code from fct_finding "
        "left join (select distinct item_id, item_code from dim_item) using (item_id) order by 1"
    ) == [
        ("guid-1/7", "major", "2026-02-20", "R3"),
        ("guid-1/8", "observation", "2026-02-20", None),
        ("guid-1/9", "minor", "2026-02-20", "Q4"),
    ]
    assert group.ask("select action_code, description from fct_action") == [("guid-1/7/1", "Log it")]


def test_the_model_of_a_csetw_loads_its_answers_and_observations(group: Group) -> None:
    loaded = load(group, "model.json", exports.cset_model(), X_1)
    assert (loaded["source"], loaded["rows_read"], loaded["rows_loaded"]) == ("cset_assessment", 8, 8)
    assert verdicts(group) == {"met": 2, "partly_met": 1, "not_met": 1, "not_answered": 1}
    assert group.ask("select checklist_code, item_code from dim_item order by all") == [
        ("CSET-COMPONENTS", "C3"), ("CSET-MODEL-ANY", "M31"), ("CSET-QUESTIONS", "Q2"), ("SET_X", "R1"), ("SET_X", "R2"),
    ]  # fmt: skip
    # The day of the assessment was never set: the day of its making stands in.
    assert group.ask("select finding_code, period_code, severity from fct_finding order by 1") == [
        ("guid-2/5", "2026-01", "major"),
        ("guid-2/6", "2026-01", "minor"),
    ]
    assert group.ask("select due_on::varchar from fct_action") == [("2026-05-31",)]


def test_a_word_that_no_standard_knows_is_refused_with_the_row(group: Group) -> None:
    path = group.write("scan.xml", exports.xccdf_alone().replace(">error<", ">perhaps<"))
    report = group.load(path, choices=X_1)
    assert (report.loads[0]["rows_read"], report.loads[0]["rows_loaded"], report.loads[0]["rows_refused"]) == (10, 9, 1)
    assert [(one["column"], one["value"]) for one in report.refusals] == [("Result", "perhaps")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("X-1_assessment-results.json", exports.assessment_results()),
        ("X-1_poam.json", exports.plan_of_action()),
        ("X-1_cset.json", exports.cset_export()),
        ("X-1_FY2025_web01.cklb", exports.cklb()),
    ],
)
def test_the_same_content_written_otherwise_changes_nothing(group: Group, name: str, content: dict[str, Any]) -> None:
    load(group, name, content)
    before = group.history()
    load(group, f"again/{name}", json.dumps(content, indent=1))
    assert group.history() == before


# --- hostile and broken ---------------------------------------------------------------------------

BOMB = '<!DOCTYPE CHECKLIST [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE CHECKLIST [<!ENTITY a SYSTEM "file:' + '///etc/hostname">]>'
OUTER_DTD = '<!DOCTYPE CHECKLIST [<!ENTITY % a SYSTEM "http://127.0.0.1/a.dtd"> %a;]>'


def with_doctype(doctype: str, text: str) -> str:
    """The checklist with a document type, and with a text in place of the host's name."""
    return CKL.replace("<CHECKLIST>", doctype + "<CHECKLIST>").replace("web01", text)


@pytest.mark.parametrize(
    ("content", "reason_code"),
    [
        pytest.param(with_doctype(BOMB, "&b;"), "forbidden_xml", id="entity bomb"),
        pytest.param(with_doctype(OUTSIDE, "&a;"), "forbidden_xml", id="file from outside"),
        pytest.param(with_doctype(OUTER_DTD, "x"), "forbidden_xml", id="document type from outside"),
        pytest.param(CKL.replace("web01", "&a;"), "broken_file", id="unknown entity"),
        pytest.param(CKL[: len(CKL) // 2], "broken_file", id="XML cut off"),
        pytest.param(CKL.replace("<STATUS>", "<STATU>", 1), "broken_file", id="XML out of order"),
        pytest.param(CKL.replace("web01", "\0"), "broken_file", id="NUL in XML"),
        pytest.param("<CHECKLIST>" * 100_000, "broken_file", id="XML nested deeply"),
        pytest.param(CKL.replace('"UTF-8"', '"shift_jis"'), "undecodable", id="encoding of several bytes"),
        pytest.param(CKL.replace('"UTF-8"', '"klingon"'), "undecodable", id="unknown encoding"),
        pytest.param("<CHECKLIST><ASSET/></CHECKLIST>", "no_results", id="checklist without STIG"),
        pytest.param(exports.xccdf_benchmark(), "no_results", id="benchmark without test"),
        pytest.param('{"assessment-results": ' + "[" * 100_000, "broken_file", id="JSON nested deeply"),
        pytest.param('{"stigs": ' + "[" * 100_000 + "]" * 100_000 + "}", "broken_file", id="whole JSON nested deeply"),
        pytest.param(json.dumps(exports.cklb())[:-40], "broken_file", id="JSON cut off"),
        pytest.param('{"jANSWER": [], "jANSWER": [{}]}', "broken_document", id="key twice"),
        pytest.param(b'{"jANSWER": "\xff"}', "undecodable", id="no UTF-8"),
        pytest.param('{"assessment-results": []}', "broken_document", id="list for an object"),
        pytest.param('{"assessment-results": {"results": {}}}', "broken_document", id="object for a list"),
        pytest.param('{"assessment-results": {"results": [7]}}', "broken_document", id="number for an object"),
        pytest.param('{"assessment-results": {"uuid": [1]}}', "broken_document", id="list for a text"),
        pytest.param(
            '{"assessment-results": {"metadata": {"oscal-version": "2.0"}}}', "unknown_version", id="other version"
        ),
        pytest.param(
            '{"cklb_version": "1.0", "stigs": []}', "no_results", id="checklist of STIG Viewer 3 without STIG"
        ),
    ],
)
def test_hostile_documents_get_a_sentence(
    read: Callable[[Any], Document | None], content: str | bytes, reason_code: str
) -> None:
    with pytest.raises(Unreadable) as caught:
        read(content)
    assert caught.value.reason_code == reason_code
    assert caught.value.reason.endswith(".")
    assert len(caught.value.reason) < 300
    assert "Error" not in caught.value.reason


def test_a_wrong_part_is_named_by_its_place(read: Callable[[Any], Document | None]) -> None:
    export = exports.assessment_results()
    export["assessment-results"]["results"][1]["findings"][0]["target"]["status"] = ["not-satisfied"]
    with pytest.raises(
        Unreadable, match=r"'assessment-results\.results\[1\]\.findings\[0\]\.target\.status' must be an object"
    ):
        read(export)


def test_a_hostile_document_is_refused_whole_in_a_load(group: Group) -> None:
    hostile = group.write("X-1_FY2025_bomb.ckl", with_doctype(BOMB, "&b;"))
    good = group.write("X-1_FY2025_web01.ckl", CKL)
    report = group.load(hostile, good)
    assert [(one["file"], one["reason_code"], one["rows_loaded"]) for one in report.loads] == [
        ("X-1_FY2025_bomb.ckl", "forbidden_xml", 0),
        ("X-1_FY2025_web01.ckl", None, 4),
    ]


def places_in(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every part within a JSON value, below its root."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield (*place, key)
        yield from places_in(part, (*place, key))


ANYTHING = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=5)
    | some.sampled_from(["", " ", "2026-02-30", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "closed", "satisfied"]),
    lambda inner: some.lists(inner, max_size=2) | some.dictionaries(some.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


def assert_sound(read: Callable[[Any], Document | None], content: Any) -> None:
    """Only a sentence, nothing, or a document whose rows fit their headings may come back."""
    try:
        document = read(content)
    except Unreadable:
        return
    for heading, *rows in document.tables.values() if document else ():
        assert len(set(heading)) == len(heading)
        assert all(len(row) <= len(heading) for row in rows)
        assert all(cell is None or (isinstance(cell, str) and cell) for row in rows for cell in row)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=some.data())
def test_json_changed_anywhere_is_read_or_refused(
    read: Callable[[Any], Document | None], data: some.DataObject
) -> None:
    content = JSON_EXPORTS[data.draw(some.sampled_from(sorted(JSON_EXPORTS)))]()
    for _ in range(data.draw(some.integers(1, 4))):
        places = list(places_in(content))
        if not places:
            break
        *way, last = data.draw(some.sampled_from(places))
        holder: Any = content
        for key in way:
            holder = holder[key]
        match data.draw(some.sampled_from(["replace", "remove", "repeat", "move"])):
            case "replace":
                holder[last] = data.draw(ANYTHING)
            case "remove":
                del holder[last]
            case "repeat":
                holder[last] = [holder[last]] * 2
            case _:
                other = data.draw(some.sampled_from(places))[-1]
                if isinstance(holder, dict):
                    holder[str(other)] = holder[last]
    assert_sound(read, content)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=some.data())
def test_xml_changed_anywhere_is_read_or_refused(read: Callable[[Any], Document | None], data: some.DataObject) -> None:
    root = ElementTree.fromstring(XML_EXPORTS[data.draw(some.sampled_from(sorted(XML_EXPORTS)))]())
    for _ in range(data.draw(some.integers(1, 4))):
        holders = [one for one in root.iter() if len(one)]
        if not holders:
            break
        holder = data.draw(some.sampled_from(holders))
        child = data.draw(some.sampled_from(list(holder)))
        match data.draw(some.sampled_from(["remove", "repeat", "rename", "empty", "move", "strip"])):
            case "remove":
                holder.remove(child)
            case "repeat":
                holder.append(child)
            case "rename":
                child.tag = data.draw(some.sampled_from(holders)).tag
            case "empty":
                child.text = data.draw(some.sampled_from([None, "", " ", "2026-13-45", "✕"]))
            case "move":
                root.append(child)
            case _:
                child.attrib.clear()
    assert_sound(read, ElementTree.tostring(root, "unicode"))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=some.data())
def test_bytes_changed_anywhere_are_read_or_refused(
    read: Callable[[Any], Document | None], data: some.DataObject
) -> None:
    everything = [json.dumps(write()) for write in JSON_EXPORTS.values()] + [write() for write in XML_EXPORTS.values()]
    raw = bytearray(data.draw(some.sampled_from(everything)).encode())
    start = data.draw(some.integers(1, len(raw) - 1))
    raw[start : start + data.draw(some.integers(0, 40))] = data.draw(some.binary(max_size=8))
    assert_sound(read, bytes(raw[: data.draw(some.integers(1, len(raw)))] if data.draw(some.booleans()) else raw))
