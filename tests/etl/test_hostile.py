"""Broken and hostile files: each gets a sentence that its sender can act on, within bounded memory, and nothing is lost."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import python_calamine
import xlsxwriter

from etl.choices import Choice, Choices
from etl.commands import Order, check_files, rebuild
from tests.etl.conftest import ANSWERS, Group

HEAD = "entity,period,item,answer\n"
GOOD = HEAD + "E-1,FY2024-H1,5.1,○\nE-1,FY2024-H1,5.10,×\n"
PROJECT = Path(__file__).parents[2]
LOADER_BYTES = 600 << 20
WORKBOOK_ANSWERS = ANSWERS.replace("t_answers", "t_answers_workbook").replace('"csv"', '"xlsx"').replace(
    'encoding = ["utf-8", "cp932"]', ""
)  # fmt: skip


@pytest.fixture
def known(group: Group) -> Group:
    """A group with its masters, that takes answers as workbooks too."""
    group.add_source("t_answers_workbook", WORKBOOK_ANSWERS)
    return group.masters()


def write_workbook(path: Path, rows: list[list[object]], sheet: str = "Answers", hide: bool = False) -> Path:
    """A workbook of one sheet; texts that begin with = become formulas without a stored value."""
    with xlsxwriter.Workbook(str(path)) as book:
        front = book.add_worksheet("Read me") if hide else None
        page = book.add_worksheet(sheet)
        if front:
            front.activate()
            page.hide()
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, str) and cell.startswith("="):
                    page.write_formula(number, column, cell, value="#DIV/0!" if "/0" in cell else "")
                else:
                    page.write(number, column, cell)
    return path


def told(group: Group, *paths: Path, **choice: str) -> list[str]:
    """Sentences told of files, which are loaded; no sentence speaks the language of programs."""
    report = group.load(*paths, choices=Choices(Choice(**choice)))
    sentences = [one["reason"] for one in report.refusals]
    for sentence in sentences:
        assert not re.search(r"Traceback|Error:|Exception|0x[0-9a-f]{6}|NoneType", sentence), sentence
        assert sentence.rstrip().endswith((".", "?")), sentence
    return sentences


CHECK = """
import sys
from etl.__main__ import main
status = main(["check", "--json", *sys.argv[1:]])
held = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
sys.stderr.write(held.split()[1])
sys.exit(status)
"""
"""The program in a process of its own, which tells at its end how many kilobytes it held at the most."""


def check_apart(group: Group, *paths: Path) -> tuple[dict[str, object], int]:
    """The answer of `python -m etl check --json` and the most bytes that it held; what parses has a limit of its own."""
    command = [sys.executable, "-c", CHECK, "--home", str(group.home.path), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, cwd=PROJECT)
    return json.loads(done.stdout), int(done.stderr.rsplit("\n", 1)[-1]) * 1024


# --- workbooks ------------------------------------------------------------------------------------


def test_bomb_of_a_workbook_is_not_opened(known: Group) -> None:
    path = known.folder / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        package.writestr("xl/worksheets/sheet1.xml", b"0" * (200 << 20))
    answer, held = check_apart(known, path)
    assert "would unpack to 209,715" in answer["refusals"][0]["reason"]  # type: ignore[index]
    assert held < LOADER_BYTES


def test_cell_far_outside_the_table_costs_the_child_not_the_load(known: Group) -> None:
    path = known.folder / "far.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["entity", "period", "item", "answer"])
        page.write(1_048_575, 16_383, "x")
    good = known.write("good.csv", GOOD)
    report = known.load(path, good)
    assert [one["rows_loaded"] for one in report.loads if one["file"] == "good.csv"] == [2]
    assert "delete the empty rows and columns beyond the table" in report.refusals[0]["reason"]


def test_entities_of_xml_in_a_workbook_do_not_grow(known: Group) -> None:
    path = write_workbook(
        known.folder / "a.xlsx", [["entity", "period", "item", "answer"], ["E-1", "FY2024-H1", "5.1", "○"]]
    )
    bomb = (
        '<!DOCTYPE sst [<!ENTITY a "ha">'
        + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(10))
        + "]>"
    )
    mended = known.folder / "b.xlsx"
    with zipfile.ZipFile(path) as package, zipfile.ZipFile(mended, "w") as out:
        for part in package.namelist():
            body = package.read(part)
            if part == "xl/sharedStrings.xml":
                body = body.replace(b"?>", b"?>" + bomb.encode(), 1).replace(b"<t>E-1</t>", b"<t>&k;</t>")
            out.writestr(part, body)
    answer, held = check_apart(known, mended)
    assert held < LOADER_BYTES
    (load,) = answer["loads"]  # type: ignore[misc]
    assert load["rows_read"] == load["rows_refused"] or load["is_refused"]


def test_formulas_without_a_value_and_errors_are_named(known: Group) -> None:
    rows: list[list[object]] = [
        ["entity", "period", "item", "answer"],
        ["E-1", "FY2024-H1", "5.1", '=IF(1=1,"○","×")'],
        ["E-1", "FY2024-H1", "5.10", "=1/0"],
        ["E-1", "FY2024-H1", "6.1", "○"],
    ]
    report = known.load(write_workbook(known.folder / "formulas.xlsx", rows))
    assert [(one["row"], one["reason_code"]) for one in report.refusals] == [(2, "uncalculated"), (3, "formula_error")]
    assert '=IF(1=1,"○","×")' in report.refusals[0]["reason"] and "#DIV/0!" in report.refusals[1]["reason"]
    assert report.loads[0]["rows_loaded"] == 1


def test_codes_that_excel_has_changed_are_told_with_the_code_that_was_meant(known: Group) -> None:
    rows: list[list[object]] = [
        ["entity", "period", "item", "answer"],
        [7, "FY2024-H1", "5.1", "○"],
        ["E-1", "FY2024-H1", 6.10, "○"],
        ["E-1", "FY2024-H1", "2024-05-01", "○"],
        ["2003-04-08", "FY2024-H1", "5.1", "○"],
    ]
    report = known.load(write_workbook(known.folder / "codes.xlsx", rows))
    seen = [(one["row"], one["reason_code"], one["suggestion"]) for one in report.refusals]
    assert seen == [(2, "unknown_entity", "007"), (4, "unknown_item", None), (5, "unknown_entity", None)]
    assert "leading zeros" in report.refusals[0]["reason"] and "made a date" in report.refusals[2]["reason"]
    # 6.10 was never a code of this checklist: 6.1 is, and that is what the cell holds.
    assert report.loads[0]["rows_loaded"] == 1


def test_hidden_sheet_is_left_out_and_told(known: Group) -> None:
    rows: list[list[object]] = [["entity", "period", "item", "answer"], ["E-1", "FY2024-H1", "5.1", "○"]]
    (sentence,) = told(known, write_workbook(known.folder / "hidden.xlsx", rows, "Old", hide=True))
    assert "'Old'" in sentence and "Unhide it" in sentence


def test_heading_below_the_rows_and_heading_over_two_merged_rows(known: Group) -> None:
    rows: list[list[object]] = [["E-1", "FY2024-H1", "5.1", "○"] for _ in range(50)]
    rows.append(["entity", "period", "item", "answer"])
    (sentence,) = told(known, write_workbook(known.folder / "below.xlsx", rows))
    assert "row 51" in sentence and "above the first row" in sentence
    known.add_source(
        "t_two_rows",
        WORKBOOK_ANSWERS.replace("t_answers_workbook", "t_two_rows")
        .replace('header = ["entity", "period", "item", "answer"]', 'header = ["entity", "Result 1st", "Result 2nd"]')
        .replace("[columns]", "[read]\nheader_rows = 2\n[columns]", 1)
        .replace("[read]\n\n[read]", "[read]")
        .replace('answer = "answer"', 'answer = "Result 1st"\nsecond = "Result 2nd"'),
    )
    path = known.folder / "merged.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["entity", "period", "item"])
        page.merge_range(0, 3, 0, 4, "Result ")
        page.write_row(1, 3, ["1st", "2nd"])
        page.write_row(2, 0, ["E-1", "FY2024-H1", "5.1", "○", "×"])
    report = known.load(path)
    assert [(one["source"], one["rows_loaded"]) for one in report.loads] == [("t_two_rows", 1)]


# --- text files -----------------------------------------------------------------------------------


def test_million_columns_and_a_line_without_end(known: Group) -> None:
    wide = known.write("wide.csv", ",".join(f"c{n}" for n in range(1_000_000)) + "\n" + "1," * 1_000_000 + "\n")
    wide_row = known.write("wide_row.csv", GOOD + "E-1,FY2024-H1,6.1,○" + "," * 20_000 + "\n")
    endless = known.write("endless.csv", GOOD)
    with endless.open("ab") as file:
        file.truncate(300 << 20)  # zeros without a line feed; the file system keeps none of them
    answer, held = check_apart(known, wide, wide_row, endless)
    reasons = {one["file"]: one["reason"] for one in answer["refusals"]}  # type: ignore[union-attr]
    assert "one single line" in reasons["wide.csv"]
    assert "20,004 cells" in reasons["wide_row.csv"]
    assert "longer than 16 million characters" in reasons["endless.csv"]
    assert held < LOADER_BYTES


def test_nul_mixed_encodings_and_open_quotes(known: Group) -> None:
    rows = GOOD.encode() + b"E-1,FY2024-H1,6.1,\x00\n" + "E-1,FY2024-H1,6.2,○\n".encode("cp932")
    report = known.load(known.write("mixed.csv", rows))
    assert [(one["row"], one["reason_code"]) for one in report.refusals] == [(4, "undecodable"), (5, "undecodable")]
    assert report.loads[0]["rows_loaded"] == 2
    (sentence,) = told(known, known.write("quote.csv", GOOD + 'E-1,FY2024-H1,6.1,"○\n' + "x,y\n" * 400_000))
    assert "A quote may be open" in sentence


@pytest.mark.parametrize("encoding", ["cp932", "utf-8"])
def test_big_file_with_bytes_of_another_encoding_loses_none(known: Group, encoding: str) -> None:
    line = "E-1,FY2024-H1,5.1,○,確認済み\n"
    good = (HEAD.strip() + ",comment\n" + line * 80_000).encode(encoding)
    bad = "E-1,FY2024-H1,5.10,○,".encode(encoding) + b"\x81\n"
    nul = "E-1,FY2024-H1,6.1,○,".encode(encoding) + b"\x00\n"
    report = known.load(known.write("big.csv", good + bad + nul))
    assert {(one["row"], one["reason_code"]) for one in report.refusals} == {
        (80_002, "undecodable"),
        (80_003, "undecodable"),
    }


def test_more_contradictions_than_a_block_of_the_database_holds(known: Group) -> None:
    """With every other one's row in each sentence they filled the disk; and rows beyond 122,880 were lost sight of."""
    rows = "".join(f"E-1,FY2024-H1,5.1,○,{number % 2}\n" for number in range(125_000))
    report = known.load(known.write("many.csv", HEAD.strip() + ",comment\n" + rows))
    assert report.loads[0]["rows_refused"] == 125_000
    assert "in rows 2, 3, 4, 5, 6 and 124995 more" in report.refusals[0]["reason"]
    assert known.ask("select count(*) from refusal where row_no > 0") == [(125_000,)]


def test_formulas_and_html_in_cells_are_text(known: Group) -> None:
    comments = ['=HYPERLINK("http://x")', "<script>alert(1)</script>", "+1+1", "![x](http://x)"]
    rows = "".join(
        f'E-1,FY2024-H1,{item},○,"{comment.replace(chr(34), chr(34) * 2)}"\n'
        for item, comment in zip(["5.1", "5.10", "6.1", "6.2"], comments, strict=True)
    )
    known.load(known.write("texts.csv", HEAD.strip() + ",comment\n" + rows))
    assert sorted(row[0] for row in known.ask("select comment from fct_answer")) == sorted(comments)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("book.csv", b"PK\x03\x04rest", "a workbook or zip archive named like a text file"),
        ("paper.csv", b"%PDF-1.7 rest", "a PDF named like a text file"),
        ("empty.csv", b"", "The file is empty"),
        ("twice.csv", b"entity,period,item,answer,Answer\nE-1,FY2024-H1,5.1,x,x\n", "stands in columns D and E"),
        ("missing.csv", b"entity,period,item\n", "needs the heading 'answer' too"),
        ("broken.json", b'{"a": [', "no readable JSON"),
        ("deep.json", b"[" * 200_000, "no readable JSON"),
        ("list.json", b"[1, 2]", "no list of objects"),
        ("some.xml", b"<a/>", "none of the documents"),
        ("old.xls", b"\xd0\xcf\x11\xe0", "this file is none of them"),
    ],
)
def test_each_fault_has_its_sentence(known: Group, name: str, content: bytes, sentence: str) -> None:
    (reason,) = told(known, known.write(name, content))
    assert sentence in reason


def test_rows_that_cannot_be_are_refused_with_what_to_do(known: Group) -> None:
    known.load(
        known.write("more.csv", "code,name,region,kind,from,to\nE-9,Nine,JP,site,2020-04-01,2022-04-01\n"),
        known_at="2020-01-01 00:00:00",
    )
    rows = (
        HEAD.strip() + ",performed\n"
        "E-1,FY2024-H1,5.1,○,2024-02-30\n"
        "E-1,FY2024-H1,5.10,○,2099-01-01\n"
        "E-1,FY2059,5.1,○,\n"
        "E-9,FY2024-H1,5.1,○,\n"
        "E-9,FY2021-H1,5.1,○,\n"
        "E-2,FY2024-H1,5.1,○,\n"
        "E-2,FY2024-H1,5.1,×,\n"
        "E-8,FY2024-H1,5.1,×,\n"
    )
    report = known.load(known.write("rows.csv", rows))
    seen = {(one["row"], one["reason_code"], one["is_row_refused"]): one["reason"] for one in report.refusals}
    assert set(seen) == {
        (2, "bad_date", False), (3, "future_date", False), (4, "future_period", True), (5, "closed_entity", True),
        (7, "contradiction", True), (8, "contradiction", True), (9, "unknown_entity", True),
    }  # fmt: skip
    assert "begins on 2059-04-01" in seen[(4, "future_period", True)]
    assert "until 2022-03-31" in seen[(5, "closed_entity", True)]
    assert "rows 7, 8" in seen[(7, "contradiction", True)]
    assert report.loads[0]["rows_loaded"] == 3
    # A newer master lets the rows in by itself.
    known.load(known.write("newer.csv", "code,name,region,kind,from,to\nE-9,Nine,JP,site,2020-04-01,9999-12-31\n"))
    assert known.ask("select rows_refused from load where file_name = 'rows.csv'") == [(4,)]


# --- zip archives ---------------------------------------------------------------------------------


def pack(path: Path, members: dict[str, bytes]) -> Path:
    """A zip archive of these members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_names_in_a_zip_as_windows_in_japan_writes_them(known: Group) -> None:
    name = "自己点検.csv"
    path = pack(known.folder / "ja.zip", {"x" * len(name.encode("cp932")): GOOD.encode()})
    path.write_bytes(path.read_bytes().replace(b"x" * len(name.encode("cp932")), name.encode("cp932")))
    report = known.load(path)
    assert [(one["file"], one["rows_loaded"]) for one in report.loads] == [(name, 2)]


def test_members_of_a_zip_are_files_of_their_own(known: Group) -> None:
    members = {
        "FY2024/点検/a.csv": GOOD.encode(),
        "../../etc/passwd.csv": GOOD.replace("E-1", "E-2").encode(),
        "/abs/b.csv": GOOD.replace("E-1", "007").encode(),
        "C:\\windows\\c.csv": GOOD.replace("H1", "H2").encode(),
        "__MACOSX/._a.csv": b"junk",
        ".DS_Store": b"junk",
        "readme.pdf": b"%PDF",
        "inner.zip": b"PK\x03\x04",
    }
    report = known.load(pack(known.folder / "all.zip", members))
    assert {(one["file"], one["package"], one["rows_loaded"]) for one in report.loads} == {
        ("a.csv", "all.zip", 2), ("passwd.csv", "all.zip", 2), ("b.csv", "all.zip", 2), ("c.csv", "all.zip", 2),
        ("readme.pdf", "all.zip", 0), ("inner.zip", "all.zip", 0),
    }  # fmt: skip
    assert not list(known.folder.rglob("etc")) and report.exit_status == 1
    kept = {
        path.name for path in known.home.archive.rglob("*") if path.is_file() and not path.name.endswith(".load.json")
    }
    assert {"a.csv", "passwd.csv", "b.csv", "c.csv", "readme.pdf", "inner.zip"} <= kept


def test_zip_bombs_passwords_and_cut_off_archives(known: Group) -> None:
    bomb = pack(known.folder / "bomb.zip", {"a.csv": b"0" * (60 << 20)})
    whole = pack(known.folder / "whole.zip", {"a.csv": GOOD.encode()})
    cut = known.write("cut.zip", whole.read_bytes()[:-30])
    locked = known.write("locked.zip", whole.read_bytes().replace(b"\x14\x00\x00\x00\x08", b"\x14\x00\x01\x00\x08"))
    lying = bytearray(pack(known.folder / "lying.zip", {"a.csv": GOOD.encode() * 1000}).read_bytes())
    place = lying.rindex(b"PK\x01\x02") + 24
    lying[place : place + 4] = (10).to_bytes(4, "little")
    empty = known.folder / "empty.zip"
    with zipfile.ZipFile(empty, "w"):
        pass
    sentences = told(known, bomb, cut, locked, known.write("lying.zip", bytes(lying)), empty)
    assert len(sentences) == 5
    for part in ("would unpack to 62,914,560", "cut off or damaged", "has a password", "holds no file"):
        assert any(part in sentence for sentence in sentences), (part, sentences)


# --- what a person gives --------------------------------------------------------------------------


def test_file_that_names_no_entity_asks_for_it_and_keeps_what_was_given(known: Group) -> None:
    known.add_source(
        "t_answers_given",
        ANSWERS.replace("t_answers", "t_answers_given")
        .replace('header = ["entity", "period", "item", "answer"]', 'header = ["item", "answer", "who"]')
        .replace('entity = "entity"\nperiod = "period"\n', "")
        .replace("[dates]", "[capture]\nentity = { file_name = '^([A-Z]-\\d)_', given = \"entity\" }\nperiod = { given = \"period\" }\n[dates]"),
    )  # fmt: skip
    path = known.write("a.csv", "item,answer,who\n5.1,○,x\n")
    report = known.load(path)
    assert report.loads[0]["needs"] == ["entity", "period"] and report.loads[0]["reason_code"] == "needs_given"
    assert "--entity CODE --period" in report.refusals[0]["reason"]
    report = known.load(path, choices=Choices(Choice(entity="E-2", period="FY2024-H1")))
    assert report.loads[0]["rows_loaded"] == 1 and report.loads[0]["asks"] == ["entity", "period"]
    by_name = known.write("E-1_x.csv", "item,answer,who\n5.1,×,x\n")
    report = known.load(by_name, choices=Choices(by_file={"E-1_x.csv": Choice(period="2024年度下期")}))
    assert report.loads[0]["rows_loaded"] == 1
    asked = "select entity_code, period_code from fct_inspection join dim_entity using (entity_id) order by 1"
    before = known.ask(asked)
    assert before == [("E-1", "FY2024-H2"), ("E-2", "FY2024-H1")]
    rebuild(known.home, lambda *_: None)
    assert known.ask(asked) == before


# --- rows to mend ---------------------------------------------------------------------------------


def test_refused_rows_come_back_as_a_workbook_that_loads_once_mended(known: Group) -> None:
    rows = HEAD.strip() + ",comment\nE-1,FY2024-H1,5.1,○,=1+1\nE-X,FY2024-H1,5.1,○,a\nE-2,FY2024-H1,9.9,maybe,b\n"
    path = known.write("sent.csv", rows)
    report = check_files(known.home, Order([path], refused_to=known.folder / "refused"), lambda *_: None)
    written = Path(report.loads[0]["refused_workbook"])
    book = python_calamine.CalamineWorkbook.from_path(str(written))
    sheet = book.get_sheet_by_name("rows").to_python()
    assert sheet[0] == ["entity", "⚠ entity", "period", "item", "⚠ item", "answer", "⚠ answer", "comment"]
    assert [row[0] for row in sheet[1:]] == ["E-X", "E-2"] and "no organisation master" in sheet[1][1]
    assert "not in the answer map" in sheet[2][6]
    mended = known.folder / "any name.xlsx"
    with xlsxwriter.Workbook(str(mended)) as out:
        for name in book.sheet_names:
            page = out.add_worksheet(name)
            for number, row in enumerate(book.get_sheet_by_name(name).to_python()):
                texts = {"E-X": "007", "9.9": "5.10", "maybe": "×"}
                page.write_row(number, 0, [texts.get(cell, cell) for cell in row])
    report = known.load(path, mended)
    counts = {one["file"]: (one["source"], one["rows_read"], one["rows_refused"]) for one in report.loads}
    assert counts == {"sent.csv": ("t_answers", 3, 2), "any name.xlsx": ("t_answers", 2, 0)}
    assert known.ask("select count(*) from fct_answer") == [(3,)]


def test_refused_rows_of_sheets_with_any_name_are_written(known: Group) -> None:
    path = known.folder / "names.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        for name in ("Tenken", "rows", "Ａ"):
            page = book.add_worksheet(name)
            page.write_row(0, 0, ["entity", "period", "item", "answer", "comment"])
            page.write_row(1, 0, ["E-X", "FY2024-H1", "5.1", "○", "as it is"])
    long = known.write(
        "long.csv", f"{HEAD.strip()},comment\nE-X,FY2024-H1,5.1,○,{'x' * 40_000}\nE-X,FY2024-H1,5.1,○,y\n"
    )
    report = check_files(known.home, Order([path, long], refused_to=known.folder / "refused"), lambda *_: None)
    written = {one["file"]: one["refused_workbook"] for one in report.loads}
    assert python_calamine.CalamineWorkbook.from_path(written["names.xlsx"]).sheet_names == [
        "Tenken 1",
        "rows",
        "Ａ",
        "Tenken",
    ]
    sheet = python_calamine.CalamineWorkbook.from_path(written["long.csv"]).get_sheet_by_name("rows").to_python()
    assert [row[-1] for row in sheet] == ["comment", "y"]
