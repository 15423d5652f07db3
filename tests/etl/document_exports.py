"""Writers of small documents in the layouts of OSCAL, STIG Viewer, XCCDF and CSET, made for the tests."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr

XCCDF = "http://checklists.nist.gov/xccdf/1.2"
XCCDF_1_1 = "http://checklists.nist.gov/xccdf/1.1"
MODIFIED = "2026-03-31T18:00:00+09:00"


# --- OSCAL ---------------------------------------------------------------------------------------


def _metadata(title: str) -> dict[str, Any]:
    return {
        "title": title,
        "last-modified": MODIFIED,
        "version": "3",
        "oscal-version": "1.1.2",
        "roles": [{"id": "owner", "title": "System owner"}],
        "parties": [{"uuid": "party-1", "type": "person", "name": "Sato"}],
    }


def _finding(uuid: str, target: str, state: str, **more: Any) -> dict[str, Any]:
    target_part = {"type": "objective-id", "target-id": target, "status": {"state": state}}
    return {"uuid": uuid, "title": f"Finding {uuid}", "description": "As seen.", "target": target_part, **more}


def _task(title: str, end: str) -> dict[str, Any]:
    return {
        "uuid": f"task-{title}",
        "type": "milestone",
        "title": title,
        "timing": {"within-date-range": {"start": "2026-02-01T00:00:00+09:00", "end": end}},
        "responsible-roles": [{"role-id": "owner", "party-uuids": ["party-1"]}, {"role-id": "owner"}],
    }


def assessment_results() -> dict[str, Any]:
    """Two results: 3 findings (one satisfied), then 2 (one told again); 3 risks, one of which nothing names."""
    observations = [
        {
            "uuid": "obs-1",
            "title": "Roles looked at",
            "description": "Two roles.",
            "methods": ["EXAMINE", "TEST"],
            "types": ["finding"],
            "collected": "2026-01-12T09:30:00+09:00",
            "relevant-evidence": [{"description": "Screenshot 1"}],
        },
        {"uuid": "obs-2", "description": "Named by nothing.", "collected": "2026-01-13T10:00:00+09:00"},
    ]
    risks = [
        {
            "uuid": "risk-1",
            "title": "Too many rights",
            "description": "Rights",
            "statement": "Rights are not taken away.",
            "status": "remediating",
            "characterizations": [
                {"facets": [{"name": "impact", "value": "high"}, {"name": "likelihood", "value": "low"}]}
            ],
            "deadline": "2026-04-30T17:00:00+09:00",
            "remediations": [
                {
                    "uuid": "resp-1",
                    "lifecycle": "planned",
                    "title": "Take rights away",
                    "tasks": [_task("A", "2026-06-30")],
                },
                {
                    "uuid": "resp-2",
                    "lifecycle": "completed",
                    "title": "Tell the owners",
                    "description": "By mail",
                    "props": [{"name": "type", "value": "mitigate"}],
                },
            ],
            "risk-log": {
                "entries": [
                    {
                        "uuid": "log-1",
                        "start": "2026-02-02T08:00:00+09:00",
                        "end": "2026-02-03T08:00:00+09:00",
                        "related-responses": [{"response-uuid": "resp-2"}],
                    }
                ]
            },
        },
        {
            "uuid": "risk-2",
            "title": "Named by nothing",
            "description": "",
            "statement": "",
            "status": "closed",
            "deadline": "2026-02-28T00:00:00+09:00",
            "risk-log": {
                "entries": [{"uuid": "log-2", "start": "2026-02-20T00:00:00+09:00", "status-change": "closed"}]
            },
        },
    ]
    first = {
        "uuid": "result-1",
        "title": "January",
        "description": "",
        "start": "2026-01-12T09:00:00+09:00",
        "end": "2026-01-16T17:00:00+09:00",
        "reviewed-controls": {"control-selections": [{"include-all": {}}]},
        "observations": observations,
        "risks": risks,
        "findings": [
            _finding("find-1", "ac-6.1_obj", "not-satisfied",
                     **{"related-observations": [{"observation-uuid": "obs-1"}, {"observation-uuid": "gone"}],
                        "related-risks": [{"risk-uuid": "risk-1"}, {"risk-uuid": "gone"}]}),
            _finding("find-2", "at-2_obj", "satisfied"),
            _finding("find-3", "pe-3_obj", "not-satisfied", **{"associated-risks": [{"risk-uuid": "risk-1"}]}),
        ],
    }  # fmt: skip
    second = {
        "uuid": "result-2",
        "title": "February",
        "description": "",
        "start": "2026-02-10T09:00:00+09:00",
        "findings": [_finding("find-2", "at-2_obj", "satisfied"), _finding("find-3", "pe-3_obj", "satisfied")],
    }
    results = [second, first]
    return {"assessment-results": {"uuid": "sar-1", "metadata": _metadata("Assessment"), "results": results}}


def plan_of_action() -> dict[str, Any]:
    """Two items, one of which names a risk that is not there; a finding and a risk that no item names."""
    observations = [{"uuid": "obs-1", "description": "Seen", "collected": "2026-02-03T08:00:00+09:00"}]
    risks = [
        {
            "uuid": "risk-1",
            "title": "Open doors",
            "description": "",
            "statement": "",
            "status": "open",
            "characterizations": [{"facets": [{"name": "impact", "value": "moderate"}]}],
            "deadline": "2026-05-31T00:00:00+09:00",
            "related-observations": [{"observation-uuid": "obs-1"}],
            "remediations": [{"uuid": "resp-1", "lifecycle": "planned", "title": "Close them", "description": "All"}],
        },
        {
            "uuid": "risk-2",
            "title": "Accepted",
            "description": "Known",
            "statement": "",
            "status": "deviation-approved",
            "remediations": [
                {"uuid": "resp-2", "lifecycle": "recommendation", "title": "Wait",
                 "tasks": [_task("B", "2026-07-31T00:00:00+09:00"), _task("C", "2026-06-30T00:00:00+09:00")]}
            ],
        },
    ]  # fmt: skip
    items = [
        {"uuid": "item-1", "title": "Close the doors", "description": "Soon", "related-risks": [{"risk-uuid": "risk-1"}],
         "related-findings": [{"finding-uuid": "find-1"}]},
        {"uuid": "item-2", "title": "Nothing behind it", "description": "", "related-risks": [{"risk-uuid": "gone"}]},
    ]  # fmt: skip
    findings = [_finding("find-1", "pe-3_obj", "not-satisfied"), _finding("find-9", "pe-6_obj", "not-satisfied")]
    return {
        "plan-of-action-and-milestones": {
            "uuid": "poam-1",
            "metadata": _metadata("Plan"),
            "system-id": {"id": "system"},
            "observations": observations,
            "risks": risks,
            "findings": findings,
            "poam-items": items,
        }
    }


# --- STIG checklists -----------------------------------------------------------------------------

STIGS: dict[str, list[tuple[str, str, str, str]]] = {
    "RHEL_X_STIG": [
        ("V-900001", "high", "Open", "not_reviewed"),
        ("V-900002", "medium", "NotAFinding", "not_a_finding"),
        ("V-900003", "low", "Not_Applicable", "not_applicable"),
    ],
    "Firefox_X_STIG": [("V-910001", "medium", "Not_Reviewed", "open")],
}


def ckl(host: str = "web01", site: str = "") -> str:
    """A checklist of STIG Viewer 2 with two STIGs of three and one rules."""
    stigs = []
    for stig, rules in STIGS.items():
        info = {
            "version": "2",
            "stigid": stig,
            "releaseinfo": "Release: 4 Benchmark Date: 24 Jan 2026",
            "title": f"{stig} & guide",
        }
        facts = "".join(
            f"<SI_DATA><SID_NAME>{name}</SID_NAME><SID_DATA>{escape(text)}</SID_DATA></SI_DATA>"
            for name, text in info.items()
        )
        facts += "<SI_DATA><SID_NAME>customname</SID_NAME></SI_DATA>"
        vulnerabilities = ""
        for vuln, severity, status, _ in rules:
            said = [("Vuln_Num", vuln), ("Severity", severity), ("Group_Title", "SRG-OS-000001"), ("Rule_ID", f"S{vuln}r1_rule"),
                    ("Rule_Ver", f"RX-{vuln[-2:]}"), ("Rule_Title", f"Rule <{vuln}>"), ("CCI_REF", "CCI-000366"), ("CCI_REF", "CCI-000367")]  # fmt: skip
            data = "".join(
                f"<STIG_DATA><VULN_ATTRIBUTE>{name}</VULN_ATTRIBUTE><ATTRIBUTE_DATA>{escape(text)}</ATTRIBUTE_DATA></STIG_DATA>"
                for name, text in said
            )
            details = "Setting is off.\nTurn it on." if status == "Open" else ""
            vulnerabilities += (
                f"<VULN>{data}<STATUS>{status}</STATUS><FINDING_DETAILS>{details}</FINDING_DETAILS><COMMENTS>Seen</COMMENTS>"
                "<SEVERITY_OVERRIDE/><SEVERITY_JUSTIFICATION/></VULN>"
            )
        stigs.append(f"<iSTIG><STIG_INFO>{facts}</STIG_INFO>{vulnerabilities}</iSTIG>")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!--DISA STIG Viewer :: 2.17-->\n<CHECKLIST><ASSET><ROLE>None</ROLE>'
        f"<ASSET_TYPE>Computing</ASSET_TYPE><HOST_NAME>{host}</HOST_NAME><HOST_IP>192.0.2.7</HOST_IP><HOST_MAC/><HOST_FQDN/>"
        f"<WEB_OR_DATABASE>false</WEB_OR_DATABASE><WEB_DB_SITE>{site}</WEB_DB_SITE><WEB_DB_INSTANCE/></ASSET>"
        f"<STIGS>{''.join(stigs)}</STIGS></CHECKLIST>\n"
    )


def cklb(host: str = "web01") -> dict[str, Any]:
    """The same checklist of STIG Viewer 3, with other states."""
    stigs = [
        {
            "stig_name": f"{stig} & guide",
            "display_name": stig,
            "stig_id": stig,
            "release_info": "Release: 4 Benchmark Date: 24 Jan 2026",
            "version": "2",
            "size": len(rules),
            "rules": [
                {
                    "group_id_src": vuln,
                    "group_id": vuln,
                    "group_title": "SRG-OS-000001",
                    "group_tree": [{"id": vuln, "title": "SRG-OS-000001"}],
                    "rule_id_src": f"S{vuln}r1_rule",
                    "rule_version": f"RX-{vuln[-2:]}",
                    "rule_title": f"Rule <{vuln}>",
                    "severity": severity,
                    "weight": "10.0",
                    "ccis": ["CCI-000366", "CCI-000367"],
                    "status": status,
                    "overrides": {"severity": {"severity": "low", "reason": "Not reachable"}}
                    if status == "open"
                    else {},
                    "finding_details": "Setting is off." if status == "open" else "",
                    "comments": "",
                }
                for vuln, severity, _, status in rules
            ],
        }
        for stig, rules in STIGS.items()
    ]
    target = {"target_type": "Computing", "host_name": host, "ip_address": "192.0.2.7", "fqdn": "", "web_db_site": ""}
    return {"title": "Checklist", "id": "cl-1", "mode": 2, "target_data": target, "stigs": stigs, "cklb_version": "1.0"}


# --- XCCDF ---------------------------------------------------------------------------------------

RESULTS = {
    "pass": 2, "fail": 1, "fixed": 1, "error": 1, "unknown": 1, "notchecked": 1, "notapplicable": 1, "informational": 1,
    "notselected": 2,
}  # fmt: skip


def _rule_ids() -> list[tuple[str, str]]:
    return [(f"rule_{result}_{number}", result) for result, count in RESULTS.items() for number in range(count)]


def xccdf_test(target: str = "db01", ended: str = "2026-02-11T03:04:05+09:00", prefix: str = "", **changed: str) -> str:
    """A test of every result there is; `changed` gives rules other results. One failing rule is tested twice."""
    rows = []
    for rule, result in [*_rule_ids(), ("rule_fail_0", "pass")]:
        message = f"<{prefix}message severity='info'>Seen &amp; noted</{prefix}message>" if result == "fail" else ""
        rows.append(
            f"<{prefix}rule-result idref='{rule}' severity='{'high' if rule == 'rule_fail_0' else 'medium'}' weight='1.0'>"
            f"<{prefix}result>{changed.get(rule, result)}</{prefix}result><{prefix}ident system='x'>CCE-1</{prefix}ident>"
            f"{message}</{prefix}rule-result>"
        )
    return (
        f"<{prefix}TestResult id='test-{target}' start-time='2026-02-11T02:00:00+09:00' end-time={quoteattr(ended)} version='1.7'>"
        f"<{prefix}benchmark id='bench_x' href='#bench_x'/><{prefix}title>Test</{prefix}title>"
        f"<{prefix}profile idref='standard'/><{prefix}target>{target}</{prefix}target>"
        f"<{prefix}target-address>192.0.2.8</{prefix}target-address>{''.join(rows)}"
        f"<{prefix}score system='urn:xccdf:scoring:default'>50.0</{prefix}score></{prefix}TestResult>"
    )


def xccdf_benchmark(*tests: str, namespace: str = XCCDF) -> str:
    """A benchmark with the rules of the test in a group within a group, and the tests given."""
    rules = "".join(
        f"<Rule id='{rule}' severity='low'><version>R</version><title>Title of <b xmlns='http://www.w3.org/1999/xhtml'>{rule}</b>"
        "</title><ident system='x'>CCE-2</ident></Rule>"
        for rule, _ in _rule_ids()
    )
    return (
        f"<?xml version='1.0' encoding='UTF-8'?><Benchmark xmlns='{namespace}' id='bench_x'><title>Bench</title>"
        f"<version>1.6</version><Group id='g'><title>Outer</title><Group id='h'><title>Accounts</title>{rules}</Group></Group>"
        f"{''.join(tests)}</Benchmark>"
    )


def xccdf_alone(namespace: str = XCCDF) -> str:
    """A test result without its benchmark, its elements with a prefix."""
    return xccdf_test(prefix="x:").replace("<x:TestResult ", f"<x:TestResult xmlns:x='{namespace}' ", 1)


def arf() -> str:
    """The same test and benchmark within an ARF report."""
    ns = "http://scap.nist.gov/schema/asset-reporting-format/1.1"
    test = xccdf_test().replace("<TestResult ", f"<TestResult xmlns='{XCCDF}' ", 1)
    return (
        f"<a:asset-report-collection xmlns:a='{ns}'><a:report-requests><a:report-request id='r'><a:content>"
        f"{xccdf_benchmark().split('?>', 1)[1]}</a:content></a:report-request></a:report-requests>"
        f"<a:reports><a:report id='p'><a:content>{test}</a:content></a:report></a:reports></a:asset-report-collection>"
    )


# --- CSET ----------------------------------------------------------------------------------------


def cset_export() -> dict[str, Any]:
    """The JSON export: 3 requirements, 2 questions, 5 practices (one holds two others together), 2 components, 3 observations."""
    observation = {
        "observationId": 7,
        "answerId": 3,
        "importance": "High",
        "title": "No log",
        "recommendations": "Log it",
    }
    practices = [
        {"questionId": 31, "questionText": "Who may enter?", "maturityLevel": 1, "observations": [],
         "followupQuestions": [{"questionId": 32, "questionText": "By door", "answerText": "I"},
                               {"questionId": 33, "questionText": "By net"}]},
        {"questionId": 34, "questionText": "Tested", "answerText": "Y", "comment": "Yearly", "maturityLevel": 2},
        {"questionId": 35, "questionText": "Told", "answer": {"answerText": "NI", "comment": ""}},
    ]  # fmt: skip
    return {
        "assessment": {
            "id": 12,
            "assessmentGuid": "guid-1",
            "name": "Plant",
            "createdDate": "2026-01-05T00:00:00",
            "assessmentDate": "2026-02-20T00:00:00",
            "selfAssessment": False,
            "organizationInfo": {"organizationName": "Plant Ltd.", "facilityName": "Mill", "cityOrSiteName": "Nagoya"},
            "observations": [observation, {"observationId": 8, "importance": "Low", "summary": "Tidy up"}],
        },
        "standards": {
            "mode": "Requirements",
            "standards": [
                {
                    "setName": "SET_X",
                    "requirements": [
                        {"requirementId": 1, "requirementText": "Rule 1", "title": "AC-1", "answerText": "Y"},
                        {"requirementId": 2, "requirementText": "Rule 2", "title": "AC-2", "answerText": "A"},
                        {"requirementId": 3, "requirementText": "Rule 3", "title": "AC-3", "answerText": "N",
                         "observations": [observation]},
                    ],
                }
            ],
            "questions": [
                {"subCategory": "Logs", "questions": [{"questionId": 3, "questionText": "Kept?", "answerText": "U"}]},
                {"questionId": 4, "questionText": "Read?", "answerText": "NA",
                 "observations": [{"observationId": 9, "importance": "Medium", "issue": "Nobody reads"}]},
            ],
        },
        "maturityModels": [
            {"modelId": 4, "modelName": "MODEL_X", "modelTitle": "Model X",
             "groupings": [{"title": "Outer", "groupings": [{"title": "Doors", "questions": practices}], "questions": []}]}
        ],
        "details": {
            "componentQuestions": [
                {"componentName": "PLC-1", "questionText": "Locked?", "questionId": 3, "answerText": "Y", "zone": "OT"},
                {"componentName": "PLC-2", "questionText": "Locked?", "questionId": 3, "answerText": "N", "zone": "IT"},
            ]
        },
    }  # fmt: skip


def cset_model() -> dict[str, Any]:
    """The model.json of a .csetw: 6 answers of four kinds, 2 findings of which one names an answer that is not there."""

    def answer(number: int, question: int, text: str, **more: Any) -> dict[str, Any]:
        flags = {"Is_Requirement": False, "Is_Component": False, "Is_Framework": False, "Is_Maturity": False}
        known = {"Assessment_Id": 12, "Answer_Id": number, "Question_Or_Requirement_Id": question, "Answer_Text": text}
        return known | flags | {"Comment": None, "Mark_For_Review": False, "Reviewed": True} | more

    return {
        "ExportDateTime": "2026-03-01T10:00:00",
        "jCSET_VERSION": [{"Id": 1, "Cset_Version1": "12.1.0.0"}],
        "jASSESSMENTS": [{"Assessment_Id": 12, "Assessment_GUID": "guid-2", "AssessmentCreatedDate": "2026-01-05T00:00:00"}],
        "jINFORMATION": [
            {"Id": 12, "Assessment_Name": "Plant", "Assessment_Date": "0001-01-01T00:00:00", "Facility_Name": "Mill"}
        ],
        "jDEMOGRAPHICS": [{"Assessment_Id": 12, "OrganizationName": "Plant Ltd."}],
        "jAVAILABLE_STANDARDS": [{"Set_Name": "SET_X", "Selected": True}, {"Set_Name": "SET_Y", "Selected": False}],
        "jAVAILABLE_MATURITY_MODELS": [{"model_id": 4, "Selected": True}, {"model_id": 5, "Selected": True}],
        "jANSWER": [
            answer(100, 1, "Y", Is_Requirement=True, Question_Type="Requirement"),
            answer(101, 2, "N", Is_Requirement=True, Comment="Not yet", Mark_For_Review=True),
            answer(102, 2, "U"),
            answer(103, 31, "LI", Is_Maturity=True, Question_Type="Maturity", Alternate_Justification="Other way"),
            answer(104, 3, "NA", Is_Component=True, Component_Guid="c-1"),
            answer(105, 3, "A", Is_Component=True, Component_Guid="c-2"),
        ],
        "jFINDING": [
            {"Answer_Id": 101, "Finding_Id": 5, "Summary": "No rule", "Importance_Id": 3, "Recommendations": "Write one",
             "Resolution_Date": "5/31/2026"},
            {"Answer_Id": 999, "Finding_Id": 6, "Summary": "Lost", "Importance_Id": 2},
        ],
    }  # fmt: skip
