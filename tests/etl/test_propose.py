"""Source files drafted for planted layouts: what is found, what is asked, that drafts load nothing and confirmed ones do."""

from __future__ import annotations

import json
import random
import re
import shutil
import tomllib
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.cells import Unreadable
from etl.choices import Choice, Choices
from etl.commands import Order, check_files, load_files
from etl.proposing import Proposal, describe, propose
from etl.proposing.endings import find_end
from etl.proposing.fields import FIELDS
from etl.proposing.quoting import quote_sql, quote_toml
from etl.proposing.text_files import find_delimiter, find_encoding
from etl.proposing.vocabulary import read_answers
from etl.proposing.words import read_words
from etl.schema import record_kinds
from etl.sources import SourceProblem, load_sources, parse_source
from tests.etl import fuzzing
from tests.etl.conftest import Group

HEADING = ["項番", "点検項目", "判定", "コメント", "点検日"]
ROWS = [
    ["1.1", "入退室の記録がある", "○", "", "2025/4/18"],
    ["1.2", "書庫が施錠されている", "×", "鍵が壊れている", "2025/4/18"],
    ["2.1", "機密書類が放置されていない", "△", "二か所にあった", "2025/4/18"],
    ["2.2", "画面が施錠されている", "対象外", "", "2025/4/18"],
]
CONTRACT = {
    "file", "format", "encoding", "delimiter", "sheet", "header_row", "header_rows", "stop_at", "date_forms", "kind", "columns",
    "answers", "captures", "constants", "brings_items", "brings_entities", "questions", "toml",
}  # fmt: skip
"""What the Import page is built on."""
NAMES_IN_SQL = {
    "and", "as", "case", "cast", "coalesce", "concat_ws", "count", "date", "dim_entity", "dim_period", "distinct", "double", "e", "else",
    "end", "entity_code", "floor", "from", "having", "in", "integer", "is", "left", "md5", "min", "name_en", "name_ja", "not", "null",
    "nullif", "p", "period_code", "first_on", "regexp_extract", "regexp_full_match", "regexp_replace", "row_no", "select", "strftime",
    "then", "trim", "try_cast", "varchar", "when", "where", "or", "part", "item_heading",
}  # fmt: skip


def csv_text(rows: list[list[str]], delimiter: str = ",") -> str:
    """Rows as delimited text."""
    quoted = [[f'"{cell}"' if delimiter in cell or "\n" in cell else cell for cell in row] for row in rows]
    return "".join(delimiter.join(row) + "\n" for row in quoted)


def write_sheets(
    path: Path, sheets: dict[str, list[list[object]]], hide: tuple[str, ...] = (), merge: Any = None
) -> Path:
    """A workbook of these sheets."""
    with xlsxwriter.Workbook(str(path)) as book:
        for name, rows in sheets.items():
            page = book.add_worksheet(name)
            for number, row in enumerate(rows):
                page.write_row(number, 0, row)
            if merge:
                merge(page)
            if name in hide:
                page.hide()
    return path


@pytest.fixture
def draft(tmp_path: Path) -> Callable[..., Proposal]:
    """Writes a file and proposes a source for it, in a home without a build."""

    def make(rows: str | bytes | list[list[str]], name: str = "file.csv", delimiter: str = ",") -> Proposal:
        text = csv_text(rows, delimiter) if isinstance(rows, list) else rows
        path = tmp_path / name
        path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
        return propose(path, tmp_path / "home")

    return make


def fields(proposal: Proposal) -> dict[str, str]:
    """Field by heading, of the columns that have one."""
    return {one.heading: one.field for one in proposal.columns if one.field}


def verdicts(proposal: Proposal) -> dict[str, str]:
    """Verdict by text."""
    return {one.text: one.value for one in proposal.answers}


def fresh_source(proposal: Proposal) -> Any:
    """The draft, read as a source."""
    return parse_source(proposal.toml, tomllib.loads(proposal.toml)["source"]["name"])


# --- encoding, delimiter, heading, end ------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("encoding", "written"),
    [("utf-8", "utf-8"), ("utf-8", "utf-8-sig"), ("utf-16", "utf-16"), ("cp932", "cp932"), ("gb18030", "gb18030")],
)
def test_encoding_and_delimiter_are_found(
    draft: Callable[..., Proposal], encoding: str, written: str, delimiter: str
) -> None:
    heading, rows = HEADING, ROWS
    if written == "gb18030":
        heading = ["编号", "检查项目", "判定", "备注", "date"]
        rows = [
            ["1.1", "制定了信息安全管理制度", "Yes", "", "2025-04-18"],
            ["1.2", "机房门禁记录完整", "No", "缺少记录", "2025-04-18"],
        ]
    proposal = draft(csv_text([heading, *rows], delimiter).encode(written))
    assert (proposal.encoding, proposal.delimiter) == (encoding, delimiter)
    assert [one.heading for one in proposal.columns] == heading
    assert fields(proposal)["判定"] == "verdict"


def test_few_marks_are_enough_to_tell_cp932_from_gb18030() -> None:
    text = csv_text([["No", "Item", "Answer"], ["1", "Door", "○"], ["2", "Window", "×"]])
    assert find_encoding(text.encode("cp932")) == ("cp932", ())
    found, doubts = find_encoding("No;Prüffrage;Bewertung\n1;Türen verschlossen;erfüllt\n".encode("latin-1"))
    assert found == "latin-1" and doubts


def test_a_delimiter_inside_texts_is_no_delimiter() -> None:
    head = "Report; made by hand\n\n"
    body = "".join(f"{number}|Doors, windows, and gates; all|Yes\n" for number in range(20))
    assert find_delimiter(head + "No|Requirement, as asked|Answer\n" + body) == "|"


def test_heading_below_title_rows_and_end_above_the_summary(draft: Callable[..., Proposal]) -> None:
    proposal = draft(
        [
            ["オフィス巡回点検", "", "", "", ""], ["実施日：", "令和7年10月3日", "", "", ""], HEADING, *ROWS[:2],
            ["", "■ 机上", "", "", ""], *ROWS[2:], ["■ 集計", "適合 1件", "", "", ""], ["", "合計", "4", "", ""],
        ]
    )  # fmt: skip
    assert (proposal.header_row, proposal.header_rows, proposal.stop_at) == (3, 1, r"^■\s*集計")
    assert set(verdicts(proposal)) == {"○", "×", "△", "対象外"}
    assert proposal.skip_when_empty


@pytest.mark.parametrize(
    ("ending", "pattern"),
    [
        (["合計", "", "3", "", ""], r"^\s*合計"),
        (["Total", "", "3", "", ""], r"^\s*Total"),
        (["※ 判定は当日の状況による", "", "", "", ""], "^※"),
        (["End of report", "", "", "", ""], r"^\s*End of report"),
    ],
)
def test_what_stands_below_the_table_ends_it(draft: Callable[..., Proposal], ending: list[str], pattern: str) -> None:
    proposal = draft([HEADING, *ROWS, ["", "", "", "", ""], ending])
    assert proposal.stop_at == pattern
    assert not set(verdicts(proposal)) - {"○", "×", "△", "対象外"}


def test_unanswered_items_at_the_end_are_no_end() -> None:
    rows: list[list[str | None]] = [["1.1", "a", "○"], ["1.2", "b", "×"], ["1.3", "c", None], ["1.4", "d", None]]
    assert find_end(rows) == (None, 4)
    counted: list[list[str | None]] = [["区分", "OK", "NG", "N/A"], ["S", "1", "1", "0"]]
    assert find_end([*rows, ["■ まとめ", None, None], *counted]) == ("^■", 4)


def test_a_table_of_counts_below_the_data_is_no_data() -> None:
    rows: list[list[str | None]] = [[str(n), "確認すること", "OK", "済"] for n in range(6)]
    counts: list[list[str | None]] = [
        ["■ 判定別", None, None, None],
        ["OK", "NG", "N/A", "合計"],
        ["6", None, None, None],
    ]
    assert find_end([*rows, *counts]) == ("^■", 6)


def test_a_heading_of_two_rows(tmp_path: Path) -> None:
    rows = [
        ["No.", "確認内容", "点検結果", "", "是正", ""], ["", "", "判定", "コメント", "期限", "担当者"],
        ["1", "入口が施錠されている", "○", "", "", ""], ["2", "書庫が施錠されている", "×", "鍵がない", "2025/5/30", "山田"],
        ["3", "来客の記録がある", "○", "", "", ""],
    ]  # fmt: skip
    (tmp_path / "two.csv").write_text(csv_text(rows), "utf-8")
    proposal = propose(tmp_path / "two.csv", tmp_path)
    assert (proposal.header_row, proposal.header_rows) == (1, 2)
    assert fields(proposal)["点検結果判定"] == "verdict"

    def merge(page: Any) -> None:
        for first, last, text in ((2, 3, "点検結果"), (4, 5, "是正")):
            page.merge_range(0, first, 0, last, text)
        for column, text in ((0, "No."), (1, "確認内容")):
            page.merge_range(0, column, 1, column, text)

    path = write_sheets(
        tmp_path / "merged.xlsx", {"点検": [[], [], *rows[2:]]}, merge=lambda page: (_second_row(page), merge(page))
    )
    proposal = propose(path, tmp_path)
    assert (proposal.header_row, proposal.header_rows) == (1, 2)
    found = fields(proposal)
    assert (
        found["点検結果判定"] == "verdict" and found["是正期限"] == "due_on" and found["点検結果コメント"] == "comment"
    )
    assert fresh_source(proposal).header_rows == 2


def _second_row(page: Any) -> None:
    page.write_row(1, 2, ["判定", "コメント", "期限", "担当者"])


def test_one_row_above_labels_is_no_second_row_of_the_heading(draft: Callable[..., Proposal]) -> None:
    proposal = draft(
        [["自己点検表", "", "", "", ""], ["会社コード", "ST-1", "", "対象期間", "2025年度"], HEADING, *ROWS]
    )
    assert (proposal.header_row, proposal.header_rows) == (3, 1)


# --- dates ----------------------------------------------------------------------------------------


def dated(texts: list[str], more: list[str] | None = None) -> list[list[str]]:
    """A table of answers with these dates, and those of a second column."""
    rows = [["No.", "Requirement", "Answer", "Inspection date", "Due date"]]
    for number, text in enumerate(texts):
        rows.append([str(number + 1), f"Requirement number {number}", "Yes", text, more[number] if more else ""])
    return rows


@pytest.mark.parametrize(
    ("texts", "forms", "asked"),
    [
        (["2025-04-18", "2025/4/9"], ["iso"], False),
        (["18/04/2025", "09/04/2025"], ["d/m/y"], False),
        (["04/18/2025", "04/09/2025"], ["m/d/y"], False),
        (["03/04/2025", "05/04/2025"], ["d/m/y"], True),
        (["18 Apr 2025", "9 May 2025"], ["d mon y"], False),
        (["令和7年4月18日", "R7.5.9"], ["japanese"], False),
        (["45765", "45786"], ["serial"], False),
        (["2025-04-18", "令和7年4月19日"], ["iso", "japanese"], False),
    ],
)
def test_date_forms(draft: Callable[..., Proposal], texts: list[str], forms: list[str], asked: bool) -> None:
    proposal = draft(dated(texts))
    assert list(proposal.date_forms) == forms
    assert any("day and month" in one for one in proposal.questions) == asked
    assert fields(proposal)["Inspection date"] == "performed_on"


def test_a_column_whose_order_is_clear_decides_for_one_where_it_is_not(draft: Callable[..., Proposal]) -> None:
    proposal = draft(dated(["03/04/2025", "05/04/2025"], ["12/31/2025", "11/30/2025"]))
    assert list(proposal.date_forms) == ["m/d/y"]
    mixed = draft(dated(["31/12/2025", "12/30/2025"]))
    assert any("others the month" in one for one in mixed.questions)


@given(
    st.lists(st.dates(date(2015, 1, 1), date(2030, 12, 31)), min_size=30, max_size=40),
    st.sampled_from(["%d/%m/%Y", "%m/%d/%Y"]),
)
@settings(max_examples=20, deadline=None)
def test_order_of_day_and_month_is_never_wrong_where_a_day_is_above_twelve(days: list[date], form: str) -> None:
    from etl.proposing.dates import join_forms, read_dates

    joined = join_forms([read_dates({day.strftime(form): 1 for day in days})])
    if any(day.day > 12 for day in days):
        assert joined.forms == ({"%d/%m/%Y": "d/m/y", "%m/%d/%Y": "m/d/y"}[form],) and not joined.is_undecided


# --- columns --------------------------------------------------------------------------------------


def test_columns_of_a_japanese_and_an_english_table(draft: Callable[..., Proposal]) -> None:
    proposal = draft(
        csv_text([
            ["被点検拠点コード", "被点検拠点名", "対象期間", "点検実施日", "分類", "項番", "確認内容", "判定", "所見", "証跡", "是正期限", "是正担当者"],
            *[
                ["ST-0001", "青森支店", "2025年度上期", "2025/9/10", "入退室", f"1.{number}", f"確認する内容その{number}", answer, "", "有", "", ""]
                for number, answer in enumerate(["適合", "不適合", "適合", "対象外", "一部不適合"], start=1)
            ],
        ])
    )  # fmt: skip
    assert list(fields(proposal).values()) == [
        "entity_code", "entity_name", "period", "performed_on", "category", "item_code", "item_text", "verdict", "comment",
        "has_evidence", "due_on", "owner",
    ]  # fmt: skip
    sure = {one.heading: one.sure for one in proposal.columns}
    assert sure["判定"] == sure["項番"] == sure["被点検拠点コード"] == "sure" and sure["是正期限"] == "likely"
    english = draft(
        csv_text([
            ["Finding ID", "Site", "Severity", "Description", "Date raised", "Status", "Owner", "Due date"],
            ["F-1", "Oslo", "Major", "The server room was open", "2025-01-14", "Open", "Ann", "2025-02-28"],
            ["F-2", "Oslo", "Minor", "Two keys are missing", "2025-01-14", "Closed", "Bo", "2025-02-28"],
            ["F-3", "Bergen", "Observation", "Rules are hard to find", "2025-01-20", "Open", "Ann", ""],
        ])
    )  # fmt: skip
    assert english.kind == "finding"
    assert list(fields(english).values()) == [
        "finding_code", "entity_code", "severity", "description", "raised_on", "status", "owner", "due_on",
    ]  # fmt: skip
    assert {one.text: one.value for one in english.maps["severity"]} == {
        "Major": "major",
        "Minor": "minor",
        "Observation": "observation",
    }


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        (
            [
                ["項番", "要求事項", "配点", "重要"],
                ["1.1", "規程がある", "2", "○"],
                ["1.2", "規程を見直している", "1", ""],
            ],
            "item",
        ),
        ([["拠点コード", "拠点名", "地域"], ["ST-1", "青森支店", "JP"], ["ST-2", "盛岡支店", "JP"]], "entity"),
        (
            [["点検区分", "対象拠点コード", "対象期間", "提出期限"], ["自己点検", "ST-1", "2025年度上期", "2025/9/30"]],
            "plan",
        ),
        (
            [
                ["指摘番号", "拠点コード", "重大度", "指摘内容", "指摘日", "状態"],
                ["F-1", "ST-1", "軽微", "鍵がない", "2025/4/1", "未完了"],
            ],
            "finding",
        ),
    ],
)
def test_kind_of_an_export(draft: Callable[..., Proposal], rows: list[list[str]], kind: str) -> None:
    proposal = draft(rows)
    assert proposal.kind == kind
    assert fresh_source(proposal).records[-1].kind.name == kind
    assert all(one.field in FIELDS[kind] for one in proposal.columns if one.field)


def test_of_two_columns_that_could_be_it_none_is_sure(draft: Callable[..., Proposal]) -> None:
    rows = [
        ["項番", "点検項目", "自己評価", "点検結果"],
        ["1", "施錠している", "○", "×"],
        ["2", "記録がある", "○", "○"],
    ]
    found = {one.heading: one for one in draft(rows).columns if one.field == "verdict"}
    assert len(found) == 1 and next(iter(found.values())).sure == "likely"


def test_what_is_not_said_is_asked(draft: Callable[..., Proposal]) -> None:
    proposal = draft([["Feld A", "Feld B", "Feld C"], ["x", "y", "z"], ["u", "v", "w"], ["q", "r", "s"]])
    assert not fields(proposal)
    assert any("answer" in one for one in proposal.questions)
    assert {one.place for one in proposal.captures} == {"given"}
    assert fresh_source(proposal).asks == ("entity", "period")


def test_a_code_that_begins_anew_or_is_of_the_row_does_not_name_the_item(draft: Callable[..., Proposal]) -> None:
    rows = [["分類", "No.", "点検項目", "判定"]]
    rows += [[part, str(number), f"{part}の確認事項{number}", "○"] for part in ("人", "物") for number in (1, 2, 3)]
    anew = draft(rows)
    assert "No." not in fields(anew) and any("begin anew" in one for one in anew.questions)
    rows = [["行ID", "項目ID", "点検日", "点検項目", "判定"]]
    rows += [[str(7 * n), f"r-{n}", f"2025-04-{n + 1:02d}", f"確認事項その{n % 3}", "○"] for n in range(12)]
    of_row = draft(rows)
    assert "項目ID" not in fields(of_row) and any("or the row" in one for one in of_row.questions)


def test_words_are_those_of_fields_that_there_are() -> None:
    declared = {field.name for kind in record_kinds().values() for field in kind.fields}
    extra = {"item_text", "category", "entity_name", "action_description", "known_at"}
    assert set(read_words().headings) <= declared | extra
    for kind, names in FIELDS.items():
        assert set(names) <= declared | extra, kind


# --- answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told",
    [
        {"○": "met", "△": "partly_met", "×": "not_met", "－": "not_applicable"},
        {"◯": "met", "☓": "not_met", "-": "not_applicable"},
        {"適合": "met", "不適合": "not_met", "対象外": "not_applicable", "未確認": "not_answered"},
        {"はい": "met", "いいえ": "not_met", "該当なし": "not_applicable", "一部": "partly_met"},
        {"OK": "met", "NG": "not_met", "N/A": "not_applicable", "未": "not_answered", "是正中": "not_met"},
        {"Met": "met", "Partially met": "partly_met", "Not met": "not_met", "Not assessed": "not_answered"},
        {"Yes": "met", "Partly": "partly_met", "No": "not_met", "N/A": "not_applicable"},
        {"compliant": "met", "partially_compliant": "partly_met", "non_compliant": "not_met", "not_applicable": "not_applicable", "not_assessed": "not_answered"},
        {"pass": "met", "fail": "not_met", "notapplicable": "not_applicable", "notchecked": "not_answered"},
        {"Not a Finding": "met", "Open": "not_met", "Not Applicable": "not_applicable", "Not Reviewed": "not_answered"},
        {"satisfied": "met", "not-satisfied": "not_met"},
        {"実施している": "met", "一部実施": "partly_met", "実施していない": "not_met", "わからない": "not_answered"},
        {"4": "met", "2": "partly_met", "0": "not_met", "-1": "not_answered"},
        {"5": "met", "4": "met", "3": "partly_met", "2": "partly_met", "1": "not_met", "0": "not_met"},
    ],
)  # fmt: skip
def test_known_vocabularies(draft: Callable[..., Proposal], told: dict[str, str]) -> None:
    rows = [["項番", "点検項目", "判定"]]
    for repeat in range(3):
        rows += [[f"{repeat}.{n}", f"確認すること{repeat}の{n}", text] for n, text in enumerate(told, start=1)]
    proposal = draft(rows)
    assert fields(proposal)["判定"] == "verdict"
    assert verdicts(proposal) == told
    answers = fresh_source(proposal).answers
    assert set(answers.values()) == set(told.values())


def test_an_unsure_text_is_never_called_sure() -> None:
    from collections import Counter

    answers = {one.text: one for one in read_answers(Counter({"○": 9, "×": 3, "保留中": 1, "様子見": 1}), 2, "判定")}
    assert answers["○"].sure == answers["×"].sure == "sure"
    assert answers["様子見"].sure == "guess" and answers[""].value == "not_answered"
    inverted = {one.text: one for one in read_answers(Counter({"有": 2, "はい": 3, "いいえ": 3}), 0, "違反の有無")}
    assert (
        inverted["はい"].value == "not_met" and inverted["いいえ"].value == "met" and inverted["はい"].sure == "guess"
    )
    named = {one.text: one.count for one in read_answers(Counter({"Yes": 3, "No": 1}), 0, "Answer (Yes/Partly/No/N/A)")}
    assert named == {"Yes": 3, "No": 1, "Partly": 0, "N/A": 0}


# --- outside the table ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "above", "expected"),
    [
        ("patrol_TKY-01_2025-10.csv", [], {"entity_code": ("file_name", "TKY-01"), "period": ("file_name", "2025-10")}),
        ("ACME_FY2025-H1_audit.csv", [], {"entity_code": ("file_name", "ACME"), "period": ("file_name", "FY2025-H1")}),
        ("点検結果 2025年度上期.csv", [], {"entity_code": ("given", None), "period": ("file_name", "2025年度上期")}),
        (
            "a.csv",
            [["会社コード", "ST-0036", "対象期間", "2025年度下期", ""], ["記入日：2026年3月1日", "", "提出日", "令和8年3月8日", ""]],
            {"entity_code": ("label", "ST-0036"), "period": ("label", "2025年度下期"), "submitted_on": ("label", "令和8年3月8日")},
        ),
        ("a.csv", [["2025年度 情報セキュリティ自己点検", "", "", "", ""]], {"entity_code": ("given", None), "period": ("title", "2025年度")}),
        ("a.csv", [], {"entity_code": ("given", None)}),
    ],
)  # fmt: skip
def test_what_stands_in_no_column(
    draft: Callable[..., Proposal], name: str, above: list[list[str]], expected: dict[str, tuple[str, str | None]]
) -> None:
    proposal = draft([*above, HEADING, *ROWS], name)
    found = {one.field: (one.place, one.example) for one in proposal.captures}
    assert {key: found.get(key) for key in expected} == expected
    captures = {one.key: one for one in fresh_source(proposal).captures}
    assert captures["entity"].given == "entity"


def test_the_number_of_a_version_is_taken_out_of_its_words(draft: Callable[..., Proposal]) -> None:
    above = [["版", "2023年版", "", "", ""]]
    source = fresh_source(draft([*above, HEADING, *ROWS]))
    assert "regexp_extract(checklist_version, '[0-9]+" in source.records[-1].expressions["checklist_version"]


def test_the_type_of_inspection_is_said_by_a_title(draft: Callable[..., Proposal]) -> None:
    told = draft([["相互点検の結果", "", "", "", ""], HEADING, *ROWS])
    assert told.constants["inspection_type"] == "mutual_check" and "mutual_check'\"\n" in told.toml
    asked = draft([HEADING, *ROWS])
    assert any("Of which type" in one for one in asked.questions)


def test_what_the_newest_build_knows_is_used(group: Group) -> None:
    group.masters()
    rows = [
        ["Stelle", "Aufgabe", "Wert"],
        *[
            [code, item, "no" if item == "6.1" else "yes"]
            for code in ("E-1", "E-2", "007")
            for item in ("5.1", "5.10", "6.1")
        ],
    ]
    proposal = propose(group.write("unbekannt.csv", csv_text(rows)), group.home.path)
    assert fields(proposal) | {"Wert": ""} == {"Stelle": "entity_code", "Aufgabe": "item_code", "Wert": ""}
    rows = [["Site", "Item", "Answer"], ["E-1", "5.1", "Yes"], ["E-1", "5.10", "No"], ["E-2", "6.1", "Yes"]]
    proposal = propose(group.write("known.csv", csv_text(rows)), group.home.path)
    assert (proposal.constants["checklist_code"], proposal.constants["checklist_version"]) == ("SC", "1")
    assert not proposal.brings_items and not proposal.brings_entities
    named = propose(
        group.write("x_007_2025-04.csv", csv_text([["Item", "Answer"], ["5.1", "Yes"], ["5.10", "No"]])),
        group.home.path,
    )
    assert [(one.field, one.example) for one in named.captures][:1] == [("entity_code", "007")]


# --- workbooks, wide tables -----------------------------------------------------------------------


def test_of_several_sheets_the_one_with_the_table(tmp_path: Path) -> None:
    notes = [["記入要領"], ["○：実施している"]]
    codes = [["資料名", "保管場所"], ["入退室記録", "総務"], ["研修記録", "人事"]]
    path = write_sheets(
        tmp_path / "book.xlsx",
        {"説明": notes, "2025年度点検": [HEADING, *ROWS], "リスト": codes, "旧": [["項番", "判定"], ["9", "×"]]},
        hide=("旧",),
    )
    proposal = propose(path, tmp_path)
    assert proposal.sheet == r"^\d+年度点検$"
    assert fields(proposal)["判定"] == "verdict" and "9" not in str(proposal.to_json()["columns"])
    assert any("リスト" in one and "旧" not in one for one in proposal.questions)


def test_a_short_sheet_with_better_headings_is_not_the_table(tmp_path: Path) -> None:
    short: list[list[object]] = [["項番", "点検項目", "判定"], ["1", "全体", "○"]]
    rows: list[list[object]] = [[f"{n}", f"確認すること{n}", "○" if n % 3 else "×"] for n in range(60)]
    path = write_sheets(tmp_path / "book.xlsx", {"総括": short, "明細": [["No.", "点検項目", "判定"], *rows]})
    assert propose(path, tmp_path).sheet == "^明細$"


def test_sheets_of_one_layout_are_read_together(tmp_path: Path) -> None:
    sheets = {
        f"{n}. {name}": [HEADING, [f"{n}.1", "確認すること", answer, "", "2025/4/18"]]
        for n, name, answer in ((1, "人", "○"), (2, "物", "×"))
    }
    path = write_sheets(tmp_path / "book.xlsx", {"表紙": [["点検"]], **sheets, "集計": [["件数", "人"], [2, 1]]})
    proposal = propose(path, tmp_path)
    assert verdicts(proposal) == {"○": "met", "×": "not_met"}
    assert re.search(str(proposal.sheet), "3. 技術") and not re.search(str(proposal.sheet), "集計")


def test_merged_and_grouped_cells_are_filled_down(tmp_path: Path, draft: Callable[..., Proposal]) -> None:
    rows = [
        ["分類", "項番", "点検項目", "判定"],
        *[["人" if n in (0, 3) else "", f"{n}", f"確認すること{n}", "○"] for n in range(6)],
    ]
    assert draft(rows).fill_down == ("category",)
    full: list[list[object]] = [
        ["会社", "項番", "点検項目", "判定"],
        *[["A" if n == 0 else "", f"{n}", f"確認すること{n}", "○"] for n in range(3)],
    ]
    path = write_sheets(tmp_path / "m.xlsx", {"点検": full}, merge=lambda page: page.merge_range(1, 0, 3, 0, "A-1"))
    assert propose(path, tmp_path).fill_down == ("entity_code",)


def test_columns_that_each_hold_an_item(draft: Callable[..., Proposal]) -> None:
    proposal = draft(
        [["拠点コード", "回答日", "1.1 規程がある", "1.2 教育している", "1.3 施錠している"], ["ST-1", "2025/4/1", "はい", "いいえ", "はい"], ["ST-2", "2025/4/2", "はい", "はい", "該当なし"]]
    )  # fmt: skip
    assert [one.field for one in proposal.columns] == ["entity_code", "performed_on", "verdict", "verdict", "verdict"]
    source = fresh_source(proposal)
    assert source.unpivot and source.unpivot.values == ("1.1 規程がある", "1.2 教育している", "1.3 施錠している")


def test_columns_that_come_again_with_another_number(draft: Callable[..., Proposal]) -> None:
    proposal = draft(
        [["ID", "Requirement", "Q1 Score", "Q1 Comment", "Q2 Score", "Q2 Comment"], ["A-1", "Rules are written", "5", "", "4", "late"], ["A-2", "Rules are known", "2", "half", "", ""]]
    )  # fmt: skip
    assert fields(proposal)["Q{} Score"] == "verdict" and fields(proposal)["Q{} Comment"] == "comment"
    assert {one.text: one.count for one in proposal.answers} == {"5": 1, "4": 1, "2": 1}
    source = fresh_source(proposal)
    assert source.unpivot and source.unpivot.values == ("1", "2")
    assert source.records[-1].expressions["period"] == "period || '-Q' || part"


# --- files that hold nothing to describe ----------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.csv", b"", "empty_file"),
        ("blank.csv", b" \n\n , ,\n", "empty_file"),
        ("one.csv", b"a\nb\nc\n", "one_column"),
        ("numbers.csv", b"1,2,3\n4,5,6\n7,8,9\n1,2,4\n", "no_heading"),
        ("only.csv", "項番,点検項目,判定\n".encode(), "no_rows"),
        (
            "wide.csv",
            (",".join(f"h{n}" for n in range(16_000)) + "\n" + ",".join("x" * 16_000) + "\n").encode(),
            "too_wide",
        ),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 8, "broken_file"),
        ("noise.csv", random.Random(5).randbytes(6_000), "broken_file"),
        ("nul.csv", b"a,b\n1,\x00\n2,3\n", "broken_file"),
        ("unmarked.csv", "項番,判定\n1,○\n".encode("utf-16-le"), "undecodable"),
        ("file.doc", b"a,b\n1,2\n", "unknown_format"),
        ("text.xlsx", b"a,b\n1,2\n", "broken_file"),
        ("broken.json", b'{"a": [', "broken_file"),
        ("table.parquet", b"PAR1 no", "broken_file"),
        ("quote.csv", b'"' + b"x" * (3 << 20), "too_wide"),
    ],
)
def test_hostile_files_get_a_sentence(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Unreadable) as caught:
        propose(path, tmp_path)
    assert caught.value.reason_code == code
    assert caught.value.reason.rstrip().endswith((".", "?")) and "Error" not in caught.value.reason


def test_a_long_file_is_looked_at_in_part(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    day = date(2025, 4, 1)
    with path.open("w", encoding="utf-8") as file:
        file.write("entity code,item code,answer,inspection date,comment\n")
        for number in range(60_000):
            file.write(
                f"E-{number // 100},{number % 100},{'Yes' if number % 3 else 'No'},{day + timedelta(number % 99)},{'x' * 99}\n"
            )
        file.write("Total,60000,,,\n")
    proposal = propose(path, tmp_path)
    assert sum(one.count for one in proposal.answers) <= 20_000
    assert proposal.stop_at == r"^\s*Total"
    assert any("only its beginning" in one for one in proposal.questions)


def test_headings_that_stand_there_twice_or_not_at_all(draft: Callable[..., Proposal]) -> None:
    proposal = draft(
        [
            ["項番", "判定", "判定", "点検項目", ""],
            ["1", "○", "×", "施錠している", "x"],
            ["2", "○", "○", "記録がある", "y"],
        ]
    )
    assert "判定" not in fields(proposal)
    assert any("more than one column" in one for one in proposal.questions)
    assert any("no heading" in one for one in proposal.questions)
    fresh_source(proposal)


@pytest.mark.parametrize("seed", range(3))
def test_mutated_exports_are_drafted_or_refused_with_a_sentence(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    sentences: list[str] = []
    corpus = [path for paths in fuzzing.write_corpus(tmp_path).values() for path in paths]
    for number in range(25):
        path = Path(shutil.copy(rng.choice(corpus), tmp_path / f"{number}{rng.choice(corpus).suffix}"))
        path = path.rename(tmp_path / f"case{number}{path.suffix}")
        fuzzing.change_bytes(rng, path)
        try:
            proposal = propose(path, tmp_path / "home")
        except Unreadable as unreadable:
            sentences.append(unreadable.reason)
        else:
            fresh_source(proposal)
    assert sentences and all(one.rstrip().endswith((".", "?")) for one in sentences)


# --- drafts and described sources -----------------------------------------------------------------


def test_the_proposal_is_what_the_page_is_built_on(draft: Callable[..., Proposal]) -> None:
    told = draft([HEADING, *ROWS]).to_json()
    assert set(told) >= CONTRACT
    assert json.loads(json.dumps(told)) == told
    assert set(told["columns"][0]) == {"key", "heading", "field", "sure", "examples", "texts"}
    assert set(told["answers"][0]) == {"text", "count", "verdict", "sure"}
    assert set(told["captures"][0]) >= {"field", "place", "pattern", "example"}
    assert all(len(one["examples"]) <= 3 for one in told["columns"])


def test_a_draft_loads_nothing(group: Group) -> None:
    path = group.write("checks.csv", csv_text([HEADING, *ROWS]))
    proposal = propose(path, group.home.path)
    name = fresh_source(proposal).name
    group.add_source(name, proposal.toml)
    assert load_sources(group.home.path)[name].is_draft
    report = group.load(path)
    assert report.loads[0]["is_refused"] and report.loads[0]["source"] is None
    with pytest.raises(ValueError, match="draft"):
        load_files(group.home, Order([path], Choices(Choice(source=name))), lambda *_: None)
    checked = check_files(
        group.home, Order([path], Choices(Choice(source=name, entity="E-1", period="FY2025"))), lambda *_: None
    )
    assert checked.loads[0]["source"] == name


def test_only_guesses_are_to_be_confirmed(draft: Callable[..., Proposal]) -> None:
    lines = draft([HEADING, *ROWS], "patrol_TKY-01_2025-10.csv").toml.splitlines()
    asked = [line for line in lines if "# confirm:" in line and not line.startswith("#")]
    assert any(line.startswith("entity = { file_name") for line in asked)
    assert not any(line.startswith(('verdict = "判定"', 'item_code = "項番"')) for line in asked)


@pytest.mark.parametrize("name", ["patrol_TKY-01_2025-10.csv", "見出し.csv"])
def test_a_draft_that_is_confirmed_as_it_is_loads_the_file(group: Group, name: str) -> None:
    path = group.write(
        name,
        csv_text([["オフィス巡回点検", "", "", "", ""], HEADING, *ROWS[:2], ["", "■ 机上", "", "", ""], *ROWS[2:], ["■ 集計", "1件", "", "", ""]]).encode("cp932"),
    )  # fmt: skip
    proposal = propose(path, group.home.path)
    described = describe(json.loads(json.dumps(proposal.to_json())), "office_patrol", group.home.path)
    assert described == group.home.path / "sources" / "office_patrol.toml"
    assert "draft" not in tomllib.loads(described.read_text("utf-8"))[
        "source"
    ] and "confirm" not in described.read_text("utf-8")
    group.masters()
    given = Choices() if name.startswith("patrol") else Choices(Choice(entity="E-1"))
    report = group.load(path, choices=given)
    assert (report.loads[0]["source"], report.loads[0]["rows_loaded"], report.loads[0]["rows_refused"]) == (
        "office_patrol",
        4,
        0,
    )
    entity = "TKY-01" if name.startswith("patrol") else "E-1"
    period = "2025-10" if name.startswith("patrol") else "2025-04"
    rows = group.ask(
        "select e.entity_code, i.period_code, t.item_code, a.verdict, a.comment from fct_answer a join fct_inspection i using (inspection_id) "
        "join (select distinct entity_id, entity_code from dim_entity) e using (entity_id) "
        "join (select distinct item_id, item_code, text_ja from dim_item) t using (item_id) order by t.item_code"
    )
    assert rows == [
        (entity, period, "1.1", "met", None),
        (entity, period, "1.2", "not_met", "鍵が壊れている"),
        (entity, period, "2.1", "partly_met", "二か所にあった"),
        (entity, period, "2.2", "not_applicable", None),
    ]


@pytest.mark.parametrize(
    ("rows", "table", "count"),
    [
        (
            [["指摘番号", "拠点コード", "重大度", "指摘内容", "指摘日", "状態", "是正番号", "是正期限"], ["F-1", "E-1", "軽微", "鍵がない", "2025/4/1", "未完了", "A-1", "2025/5/1"], ["F-2", "E-1", "重大", "扉が開いている", "2025/4/2", "完了", "", ""]],
            "fct_finding", 2,
        ),
        ([["点検区分", "拠点コード", "対象期間", "提出期限"], ["自己点検", "E-1", "2025年度上期", "2025/9/30"], ["相互点検", "E-2", "2025年度上期", "2025/9/30"]], "fct_plan", 2),
        ([["拠点コード", "拠点名", "地域"], ["N-1", "新しい支店", "JP"], ["N-2", "別の支店", "JP"]], "dim_entity where entity_code like 'N-%'", 2),
        ([["項番", "要求事項", "分類", "配点", "重要"], ["1", "規程がある", "方針", "2", "★"], ["2", "規程を見直す", "方針", "1", ""]], "dim_item where text_ja like '規程%'", 2),
        ([["拠点コード", "点検日", "項目名", "判定", "是正期限"], ["E-1", "2025/4/1", "施錠", "○", ""], ["E-1", "2025/4/1", "記録", "×", "2025/5/1"]], "fct_action", 1),
        ([["拠点", "回答日", "規程がある", "教育している", "施錠している"], ["E-1", "2025/4/1", "はい", "いいえ", "はい"], ["E-2", "2025/4/2", "はい", "はい", "該当なし"]], "fct_answer", 6),
        ([["拠点", "点検日", "点検項目", "判定"], ["One", "2025/4/1", "施錠", "○"], ["Two", "2025/4/1", "施錠", "×"]], "fct_inspection join dim_entity using (entity_id) where entity_code in ('E-1', 'E-2')", 2),
    ],
)  # fmt: skip
def test_every_kind_makes_the_round_trip(group: Group, rows: list[list[str]], table: str, count: int) -> None:
    group.masters()
    path = group.write("handed_in.csv", csv_text(rows))
    proposal = propose(path, group.home.path)
    describe(proposal.to_json(), "described", group.home.path)
    report = group.load(path, choices=Choices(Choice(source="described")))
    assert not report.refusals and report.loads[0]["rows_loaded"], report.refusals
    assert group.ask(f"select count(*) from {table}") == [(count,)]


def test_what_a_person_has_changed_is_what_is_described(group: Group) -> None:
    told = propose(group.write("checks.csv", csv_text([HEADING, *ROWS])), group.home.path).to_json()
    told["columns"][3]["field"] = None
    told["columns"][1]["field"] = "comment"
    told["answers"] = [{"text": "○", "verdict": "met"}, {"text": "×", "verdict": "not_met"}]
    told["captures"] = [{"field": "entity_code", "place": "file_name", "pattern": r"^(\w+)\.csv$"}]
    told["constants"] |= {"inspection_type": "privacy_audit", "checklist_code": "it's"}
    text = describe(told, "changed", group.home.path).read_text("utf-8")
    source = parse_source(text, "changed")
    assert {one.key: one.names[0] for one in source.columns} == {
        "item_code": "項番",
        "item_text": "点検項目",
        "verdict": "判定",
        "performed_on": "点検日",
    }
    assert source.answers == {"○": "met", "×": "not_met"} and source.constants["checklist_code"] == "it's"
    assert source.records[-1].expressions["inspection_type"] == "'privacy_audit'"
    assert source.records[-1].expressions["comment"] == "item_text"


def test_a_person_may_say_that_the_file_is_of_another_kind(group: Group) -> None:
    group.masters()
    path = group.write(
        "x.csv",
        csv_text(
            [["Aufgabe", "Frage", "Wert"], ["a1", "Ist die Tür zu?", "ja"], ["a2", "Ist das Fenster zu?", "nein"]]
        ),
    )
    told = propose(path, group.home.path).to_json()
    texts = {one["text"]: one for one in told["columns"][2]["texts"]}
    assert set(texts) == {"ja", "nein"} and not any(one["sure"] == "sure" for one in texts.values())
    told |= {
        "kind": "answer",
        "brings_items": True,
        "answers": [texts["ja"] | {"verdict": "met"}, texts["nein"] | {"verdict": "not_met"}],
    }
    for column, field in zip(told["columns"], ("item_code", "item_text", "verdict"), strict=True):
        column |= {"field": field, "sure": "sure"}
    told["captures"] = [{"field": "entity_code", "place": "given"}, {"field": "period", "place": "given"}]
    describe(told, "german", group.home.path)
    report = group.load(path, choices=Choices(Choice(entity="E-2", period="FY2025-H1")))
    assert (report.loads[0]["rows_loaded"], report.loads[0]["rows_refused"]) == (2, 0)


def test_what_is_given_goes_before_a_column_that_says_it(group: Group) -> None:
    group.masters()
    path = group.write(
        "x.csv",
        csv_text(
            [
                ["拠点コード", "点検日", "項番", "点検項目", "判定"],
                ["E-1", "2025/4/1", "1", "施錠している", "○"],
                ["E-1", "2025/4/1", "2", "記録がある", "×"],
            ]
        ),
    )
    told = propose(path, group.home.path).to_json()
    told["captures"] = [{"field": "entity_code", "place": "given"}]
    describe(told, "given", group.home.path)
    for entity, where in ((None, "E-1"), ("E-2", "E-2")):
        group.load(path, known_at=None, choices=Choices(Choice(entity=entity)))
        asked = "select count(*) from fct_inspection join dim_entity using (entity_id) where entity_code = "
        assert group.ask(f"{asked}'{where}'") == [(1,)]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"kind": "poem"}, "kind"),
        ({"format": "doc"}, "format"),
        ({"columns": "none"}, "columns"),
        ({"columns": [{"heading": "a", "field": "password"}]}, "password"),
        ({"columns": [{"heading": "", "field": "verdict"}]}, "no heading"),
        ({"columns": [{"heading": "a", "field": "verdict"}, {"heading": "Ａ", "field": "item_code"}]}, "two columns"),
        ({"columns": []}, "the answer"),
        ({"answers": [{"text": "○", "verdict": "fine"}]}, "fine"),
        ({"answers": [{"text": "○", "verdict": "met"}, {"text": "◯", "verdict": "not_met"}]}, "both"),
        ({"captures": [{"field": "verdict", "place": "label", "pattern": "x"}]}, "verdict"),
        ({"captures": [{"field": "period", "place": "moon", "pattern": "x"}]}, "moon"),
        ({"captures": [{"field": "entity_code", "place": "title", "pattern": "("}]}, "regular expression"),
        ({"stop_at": "("}, "regular expression"),
        ({"encoding": "klingon"}, "klingon"),
        ({"delimiter": "xx"}, "delimiter"),
        ({"date_forms": ["d/m/y", "m/d/y"]}, "keep one"),
        ({"date_forms": ["soon"]}, "soon"),
        ({"maps": {"severity": [{"text": "x", "choice": "awful"}]}}, "awful"),
        ({"constants": {"inspection_type": "visit", "checklist_code": "A", "checklist_version": "1"}}, "visit"),
        ({"constants": {}}, "checklist"),
    ],
)  # fmt: skip
def test_a_broken_proposal_is_refused_with_a_sentence(group: Group, change: dict[str, Any], word: str) -> None:
    told = propose(group.write("checks.csv", csv_text([HEADING, *ROWS])), group.home.path).to_json()
    with pytest.raises(SourceProblem, match=re.escape(word)):
        describe(told | change, "broken", group.home.path)
    assert not (group.home.path / "sources" / "broken.toml").exists()


@pytest.mark.parametrize("name", ["", "Upper", "a b", "../x", "1st", "x" * 70, "t_answers", "group_plan"])
def test_names_that_cannot_be_or_are_taken(group: Group, name: str) -> None:
    told = propose(group.write("checks.csv", csv_text([HEADING, *ROWS])), group.home.path).to_json()
    before = sorted((group.home.path / "sources").iterdir())
    with pytest.raises(SourceProblem):
        describe(told, name, group.home.path)
    assert sorted((group.home.path / "sources").iterdir()) == before


# --- nothing of the file gets where it could do harm ----------------------------------------------

HOSTILE = [
    "a'b",
    'say "no"',
    "back\\slash",
    "line\nbreak",
    "tab\there",
    "x); drop table load; --",
    "# comment",
    "[section]",
    "'''",
    '"""',
    "{}",
    "\x7f",
    "\u2028",
    "ＡＢ",
    "=1+1",
    "é\u0301",
    "%s",
]


LOADED = ("a'b", "line\nbreak", "x); drop table load; --", "{}")
"""Those with which the file is loaded, too."""


def hold_to_quotes(toml: str) -> None:
    """Hold every expression of a source to names that were made here; texts stand between quotes."""
    declared = tomllib.loads(toml)
    source = parse_source(toml, declared["source"]["name"])
    keys = {one.key for one in source.all_columns} | {one.key for one in source.captures} | set(source.constants)
    keys |= {source.unpivot.key, *(key for key, _ in source.unpivot.columns)} if source.unpivot else set()
    expressions = [
        text
        for record in source.records
        for text in [*record.expressions.values(), record.when or "", source.skip_when or ""]
    ]
    for text in expressions:
        bare = re.sub(r"'(?:[^']|'')*'", "", text)
        assert re.fullmatch(r"[a-z0-9_\s(),.|:=+-]*", bare), text
        assert set(re.findall(r"[a-z_]\w*", bare)) <= keys | NAMES_IN_SQL, text


@pytest.mark.parametrize("heading", HOSTILE)
def test_hostile_headings_stay_headings(group: Group, heading: str) -> None:
    rows = [["項番", f"判定{heading}", f"点検項目{heading}"], ["1", "○", heading], ["2", "×", "施錠している"]]
    quoted = "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)
    path = group.write("hostile.csv", quoted)
    proposal = propose(path, group.home.path)
    hold_to_quotes(proposal.toml)
    told = proposal.to_json()
    for number, field in enumerate(("item_code", "verdict", "item_text")):
        told["columns"][number] |= {"field": field, "key": heading}
    told["answers"] = [
        {"text": "○", "verdict": "met"},
        {"text": "×", "verdict": "not_met"},
        {"text": heading, "verdict": "not_answered"},
    ]
    told["constants"] |= {"checklist_code": f"A{heading}", "checklist_version": "1", "inspection_type": "self_check"}
    told |= {
        "kind": "answer",
        "brings_items": True,
        "captures": [{"field": "entity_code", "place": "given"}, {"field": "period", "place": "given"}],
    }
    text = describe(told, "hostile", group.home.path).read_text("utf-8")
    hold_to_quotes(text)
    if heading in LOADED:
        group.masters()
        report = group.load(path, choices=Choices(Choice(entity="E-1", period="FY2025")))
        assert (report.loads[0]["source"], report.loads[0]["rows_refused"]) == ("hostile", 0), report.refusals


texts = st.text(max_size=20) | st.sampled_from(
    HOSTILE + HEADING + ["Answer", "Control ID", "Due date", "Status", "Q1 Score", "Q2 Score"]
)


@given(
    st.lists(texts, min_size=2, max_size=7),
    st.lists(
        st.lists(texts | st.sampled_from(["○", "×", "2025/4/1", "1.1", ""]), min_size=7, max_size=7),
        min_size=1,
        max_size=6,
    ),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_file_holds_its_draft_can_be_read(
    tmp_path: Path, heading: list[str], rows: list[list[str]]
) -> None:
    table = [heading, *(row[: len(heading)] for row in rows)]
    text = "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in table)
    path = tmp_path / "any.csv"
    path.write_bytes(text.encode("utf-8", "replace"))
    try:
        proposal = propose(path, tmp_path / "home")
    except Unreadable:
        return
    hold_to_quotes(proposal.toml)
    assert fresh_source(proposal).is_draft


def test_a_text_in_sql_ends_where_it_was_meant_to() -> None:
    assert quote_sql("it's; drop\0 table") == "'it''s; drop table'"


@given(st.text())
@settings(deadline=None)
def test_any_text_is_quoted_so_that_it_comes_back(text: str) -> None:
    clean = text.encode("utf-8", "replace").decode()
    assert tomllib.loads(f"x = {quote_toml(text)}")["x"] == clean
