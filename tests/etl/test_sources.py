"""Sources: what a declaration may say, what is told when it is wrong, and every way of reading that it can ask for."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from etl.sources import SourceProblem, load_sources, parse_source
from metrics.ask import answer
from metrics.query import Query
from metrics.warehouse import Warehouse
from tests.etl.conftest import ANSWERS, Group

DOCS = Path(__file__).resolve().parents[2] / "docs" / "sources.md"


def fenced(kind: str) -> str:
    """The fenced block of that kind in docs/sources.md."""
    found = re.search(rf"```{kind}\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert found
    return found[1]


def test_every_part_in_the_documentation_is_understood() -> None:
    source = parse_source(fenced("toml"), "patrol_csv")
    assert source.unpivot and source.captures and source.maps and source.patterns and source.known_at


def test_the_worked_example_of_the_documentation(group: Group) -> None:
    group.add_source("office_patrol", fenced("toml source"))
    path = group.write("patrol_TKY-01_2025-10.csv", fenced("csv export").encode("cp932"))
    report = group.load(path)
    (one,) = report.loads
    assert (one["rows_read"], one["rows_loaded"], one["rows_refused"], one["rows_skipped"]) == (4, 4, 0, 1)
    warehouse = Warehouse.open_newest(group.home.path)
    found = answer(warehouse, Query(("compliance_rate",), ("entity", "fiscal_month"))).frame
    warehouse.close()
    assert found[["entity", "fiscal_month", "compliance_rate", "compliance_rate_numerator"]].values.tolist() == [
        ["TKY-01", "2025-10", 0.5, 1.5]
    ]
    assert group.ask("select item_code, comment, known_from::date::varchar from fct_answer a join dim_item using (item_id) "
                     "where verdict = 'not_met'".replace("known_from", "a.known_from")) == [("1.10", "鍵が壊れている", "2025-10-03")]  # fmt: skip


def test_sources_of_the_project_are_sound() -> None:
    sources = load_sources()
    assert {"nhs_dspt", "csf_profile_audit", "csf_profile_ciso", "ofsted_ilacs_history", "ciso_assistant_audit"} <= set(
        sources
    )
    assert {name for name in sources if name.startswith("group_")} >= {"group_organisation", "group_self_check_ja"}


def test_all_problems_of_a_source_are_told_at_once_with_the_nearest_name() -> None:
    text = """[source]
name = "other"
format = "cvs"
[recognize]
header = ["a"]
[columns]
a = "a"
[answers]
mett = ["x"]
[[record]]
kind = "answer"
[record.fields]
entity = "a"
verdict = "a"
"""
    with pytest.raises(SourceProblem) as told:
        parse_source(text, "mine")
    lines = str(told.value).splitlines()
    for part in (
        "did you mean 'recognise'",
        "'mine'",
        "did you mean 'csv'",
        "did you mean 'met'",
        "did you mean 'entity_code'",
        "'period' is missing",
        "recognise needs file_name or header",
    ):
        assert any(part in line for line in lines), (part, lines)


def test_expression_that_fails_is_named(group: Group) -> None:
    group.masters()
    group.add_source("t_answers", ANSWERS.replace('verdict = "answer"', 'verdict = "answr"'))
    with pytest.raises(SourceProblem, match=r'record.fields.verdict = "answr"'):
        group.load(group.write("a.csv", "entity,period,item,answer\nE-1,FY2024,5.1,○\n"))


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [("utf-16", "utf-16"), ("gb18030", "gb18030"), ("latin-1", "latin-1"), ("cp932", "cp932")],
)
def test_text_encodings_and_delimiters(group: Group, encoding: str, declared: str) -> None:
    text = {"gb18030": "检查", "cp932": "点検", "latin-1": "contrôlé", "utf-16": "žluť 点検"}[encoding]
    source = ANSWERS.replace('encoding = ["utf-8", "cp932"]', f'encoding = ["utf-8", "{declared}"]\ndelimiter = "\\t"')
    source = source.replace('"answer"]', f'"{text}"]').replace('answer = "answer"', f'answer = "{text}"')
    group.add_source("t_answers", source)
    group.masters()
    rows = f"entity\tperiod\titem\t{text}\tcomment\nE-1\tFY2024\t5.1\tyes\t{text}\n"
    assert group.load(group.write("a.tsv", rows.encode(encoding))).exit_status == 0
    assert group.ask("select comment from fct_answer") == [(text,)]


def test_parquet_json_and_json_lines_keep_their_digits(group: Group) -> None:
    records = [{"entity": "007", "period": "FY2024", "item": "5.10", "answer": "yes", "comment": None}]
    for form, name in (("parquet", "a.parquet"), ("json", "a.json"), ("jsonl", "a.jsonl")):
        group.add_source(f"t_{form}", ANSWERS.replace('"t_answers"', f'"t_{form}"').replace('"csv"', f'"{form}"'))
        path = group.folder / name
        if form == "parquet":
            pq.write_table(
                pa.Table.from_pylist(records, schema=pa.schema([(key, pa.string()) for key in records[0]])), path
            )
        elif form == "json":
            path.write_text(json.dumps({"results": records}), "utf-8")
        else:
            path.write_text("\n".join(json.dumps(one) for one in records), "utf-8")
        if form == "parquet":
            group.masters()
        report = group.load(path)
        assert report.exit_status == 0 and report.loads[0]["rows_read"] == 1, (form, report.refusals)
    assert group.ask("select count(*), min(answer) from fct_answer") == [(1, "yes")]


WORKBOOK = """[source]
name = "t_workbook"
format = "xlsx"
[recognise]
header = ["項番", "点検項目 内容", "評価"]
sheet = '^点検'
[read]
header_rows = 2
stop_at = '^合計'
fill_down = ["category"]
skip_when = "item is null"
[columns]
category = "区分"
item = "項番"
text = "点検項目内容"
answer = "評価"
seen = { names = "確認日", optional = true }
[capture]
entity = { label = "会社コード" }
period = { title = '対象期間[:：]\\s*(\\S+)' }
version = { cell = "B2" }
part = { sheet = '点検(.+)' }
[dates]
forms = ["iso", "serial", "d mon y"]
[answers]
met = ["○"]
partly_met = ["△"]
not_met = ["×"]
not_applicable = ["－", "N/A"]
[[record]]
kind = "entity"
[record.fields]
entity_code = "entity"
[[record]]
kind = "item"
[record.fields]
checklist_code = "'WB'"
checklist_version = "version"
item_code = "item"
text_ja = "text"
category_code = "category"
[[record]]
kind = "answer"
[record.fields]
inspection_type = "'self_check'"
entity_code = "entity"
period = "period"
checklist_code = "'WB'"
checklist_version = "version"
performed_on = "seen"
item_code = "item"
verdict = "answer"
comment = "part"
"""


def test_workbook_as_people_draw_them(group: Group) -> None:
    """Titles, facts beside labels, a heading of two rows, merged cells, look-alike marks, several sheets, a summary."""
    group.add_source("t_workbook", WORKBOOK)
    path = group.folder / "b.xlsx"
    book = xlsxwriter.Workbook(path)
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for part, rows in {
        "点検Ａ": [
            ("入室", "5.1", "a", "◯", 45200),
            (None, "5.10", "b", "☓", date(2023, 10, 2)),
            (None, None, "節", None, None),
        ],
        "点検Ｂ": [
            ("機器", "00123", "c", "N/A", "18 Mar 2024"),
            (None, "6.1", "d", "ー", None),
            (None, "6.2", "e", "▲", None),
        ],
        "メモ": [("x", "9", "z", "○", None)],
    }.items():
        sheet = book.add_worksheet(part)
        sheet.write_row(0, 0, ["自己点検表", None, "対象期間：２０２３年度下期"])
        sheet.write_row(1, 0, ["版", "2"])
        sheet.write_row(2, 0, ["会社コード", None, "0042"])
        sheet.write_row(4, 0, ["区分", "項番", "点検\n項目", "評価"])
        sheet.write_row(5, 0, [None, None, "内容", None, "確認日"])
        for number, row in enumerate(rows, start=6):
            for column, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write_datetime(number, column, value, day)  # type: ignore[arg-type]
                elif value is not None:
                    sheet.write(number, column, value)
        sheet.write_row(10, 0, ["合計", "3"])
        sheet.write_row(11, 0, ["注", "7.7", "f", "○"])
    book.close()
    report = group.load(path)
    (one,) = report.loads
    assert (one["rows_read"], one["rows_refused"], one["rows_skipped"]) == (5, 0, 1), report.refusals
    assert group.ask(
        "select item_code, category_code, verdict, answer, comment, sheet, row_no from fct_answer join dim_item using (item_id) "
        "order by sheet, row_no"
    ) == [
        ("5.1", "入室", "met", "◯", "A", "点検Ａ", 7),
        ("5.10", "入室", "not_met", "☓", "A", "点検Ａ", 8),
        ("00123", "機器", "not_applicable", "N/A", "B", "点検Ｂ", 7),
        ("6.1", "機器", "not_applicable", "ー", "B", "点検Ｂ", 8),
        ("6.2", "機器", "partly_met", "▲", "B", "点検Ｂ", 9),
    ]
    assert group.ask("select entity_code, period_code, checklist_version, performed_on::varchar from fct_inspection "
                     "join dim_entity using (entity_id)") == [("0042", "FY2023-H2", "2", "2024-03-18")]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04 cut off", "its end is missing"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"Workbook", "old .xls form"),
        (b"entity,period\n", "Name it .csv"),
        (b"<html><table><tr><td>", "web page"),
        (b"", "is empty"),
        (bytes(range(256)), "no .xlsx workbook"),
    ],
)
def test_broken_workbook_gets_a_sentence(group: Group, content: bytes, sentence: str) -> None:
    group.masters()
    report = group.load(group.write("b.xlsx", content))
    assert report.exit_status == 2 and sentence in report.refusals[0]["reason"]


def test_ciso_assistant_audit(group: Group) -> None:
    """Laid out as the program writes it: BOM, semicolons, headings with five empty cells, escaped formula signs."""
    head = "urn;ref_id;name;description;typical_evidence;annotation;compliance_result;extended_result;requirement_progress;score;observations"
    rows = [
        "urn:intuitem:risk:req_node:mini:a.5;A.5;Organizational;;;;;;;;",
        "urn:intuitem:risk:req_node:mini:a.5.1;A.5.1;Policies;Policies are approved.;;;compliant;;done;4;'=see policy",
        'urn:intuitem:risk:req_node:mini:a.5.2;A.5.2;Roles;Roles are known.;;;partially_compliant;;in_progress;2;"two\nlines; one cell"',
        "urn:intuitem:risk:req_node:mini:a.5.3;A.5.3;Duties;Duties are kept apart.;;;non_compliant;;to_do;;",
        "urn:intuitem:risk:req_node:mini:a.5.4;A.5.4;Managers;Managers take part.;;;not_applicable;;to_do;;",
        "urn:intuitem:risk:req_node:mini:a.5.5;A.5.5;Contacts;Contacts are kept.;;;not_assessed;;to_do;;",
    ]
    group.load(group.write("entities.csv", "code,name,region,kind\nAF-7,Seven,JP,affiliate\n"), known_at="2020-01-01")
    path = group.write("AF-7_FY2025_audit.csv", "\ufeff" + "\n".join([head, *rows]) + "\n")
    report = group.load(path)
    (one,) = report.loads
    assert (one["source"], one["rows_read"], one["rows_skipped"], one["rows_refused"]) == (
        "ciso_assistant_audit",
        5,
        1,
        0,
    )
    assert group.ask(
        "select item_code, verdict, written_score, comment from fct_answer join dim_item using (item_id) order by 1"
    ) == [
        ("A.5.1", "met", 4.0, "=see policy"),
        ("A.5.2", "partly_met", 2.0, "two\nlines; one cell"),
        ("A.5.3", "not_met", None, None),
        ("A.5.4", "not_applicable", None, None),
        ("A.5.5", "not_answered", None, None),
    ]


def test_two_sources_that_fit_alike_are_not_guessed_between(group: Group) -> None:
    group.masters()
    group.add_source("t_twin", ANSWERS.replace('"t_answers"', '"t_twin"'))
    report = group.load(group.write("a.csv", "entity,period,item,answer\nE-1,FY2024,5.1,○\n"))
    assert report.refusals[0]["reason_code"] == "ambiguous" and "--source" in report.refusals[0]["reason"]
