"""Loading: no row is lost, knowledge is dated, and the order of files does not matter."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.commands import Order, check_files, rebuild
from tests.etl.conftest import ANSWERS, ENTITY_ROWS, ITEM_ROWS, Group

MakeGroup = Callable[[str], Group]
FIRST = "entity,period,item,answer\nE-1,FY2024-H1,5.1,○\nE-1,FY2024-H1,5.10,×\nE-1,FY2024-H1,6.1,－\n"
MENDED = FIRST.replace("5.10,×", "5.10,○")


def counts(report: Any) -> list[tuple[int, int, int, int]]:
    """(read, loaded, unchanged, refused) of each file."""
    return [(o["rows_read"], o["rows_loaded"], o["rows_unchanged"], o["rows_refused"]) for o in report.loads]


def test_good_rows_load_and_codes_stay_text(group: Group) -> None:
    group.masters()
    rows = "entity,period,item,answer\n007,2024年度上期,5.1,yes\n007,2024年度上期,5.10,NO\n"
    report = group.load(group.write("a.csv", rows))
    assert counts(report) == [(2, 2, 0, 0)] and report.exit_status == 0
    assert group.ask(
        "select entity_code, item_code, verdict, answer, period_code from fct_answer join fct_inspection using (inspection_id) "
        "join dim_entity using (entity_id) join dim_item using (item_id) order by item_code"
    ) == [("007", "5.1", "met", "yes", "FY2024-H1"), ("007", "5.10", "not_met", "NO", "FY2024-H1")]


def test_bad_rows_are_refused_with_place_reason_and_nearest_value(group: Group) -> None:
    group.masters()
    rows = (
        "entity,period,item,answer,performed\n"
        "E-1,FY2024-H1,5.1,○,2024-09-01\n"
        "E-l,FY2024-H1,5.1,○,\n"
        "E-1,sometime,5.1,○,\n"
        "E-1,FY2024-H1,9.9,○,\n"
        "E-1,FY2024-H1,6.1,yess,\n"
        "E-1,FY2024-H1,6.2,×,31/02/2024\n"
        ",FY2024-H1,6.2,×,\n"
    )
    report = group.load(group.write("a.csv", rows))
    assert counts(report) == [(7, 2, 0, 5)] and report.exit_status == 1
    told = {(one["row"], one["column"], one["value"], one["reason_code"]): one for one in report.refusals}
    assert set(told) == {
        (3, "entity", "E-l", "unknown_entity"),
        (4, "period", "sometime", "bad_period"),
        (5, "item", "9.9", "unknown_item"),
        (6, "answer", "yess", "unknown_answer"),
        (7, "performed", "31/02/2024", "bad_date"),
        (8, "entity", "", "empty"),
    }
    assert told[(3, "entity", "E-l", "unknown_entity")]["suggestion"] == "E-1"
    assert told[(6, "answer", "yess", "unknown_answer")]["suggestion"] == "yes"
    assert not told[(7, "performed", "31/02/2024", "bad_date")]["is_row_refused"]
    assert group.ask("select count(*) from refusal") == [(6,)]


def test_file_that_no_source_knows_is_refused_whole(group: Group) -> None:
    group.masters()
    report = group.load(group.write("x.csv", "entity,period,item,note\n1,2,3,4\n"), group.write("y.pdf", b"%PDF"))
    assert report.exit_status == 2
    reasons = [one["reason"] for one in report.refusals]
    assert "'note'" in reasons[0] and "t_answers" in reasons[0] and "'answer'" in reasons[0]
    assert ".csv" in reasons[1]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("entity,entity,period,item,answer\n", "stands in columns A and B"),
        ("entity,period,item,answer,extra\nE-1,FY2024-H1,5.1,○,x,y\n", "column F has no heading"),
    ],
)
def test_broken_tables_are_told_plainly(group: Group, content: str, reason: str) -> None:
    group.masters()
    report = group.load(group.write("a.csv", content))
    assert report.exit_status == 2 and reason in report.refusals[0]["reason"]


def test_file_that_cannot_be_read_to_its_end_takes_no_other_with_it(group: Group) -> None:
    group.masters()
    good = [group.write("a.csv", FIRST), group.write("c.csv", FIRST.replace("E-1", "E-2"))]
    broken = group.write("b.csv", FIRST.replace("E-1", "007") + f"E-1,FY2024,6.2,{'x' * (1 << 20)}x\n")
    report = group.load(good[0], broken, good[1])
    assert counts(report) == [(3, 3, 0, 0), (0, 0, 0, 0), (3, 3, 0, 0)]
    assert [(one["file"], one["reason_code"]) for one in report.refusals] == [("b.csv", "broken_file")]


def test_rows_of_which_no_record_speaks_are_skipped_not_loaded(group: Group) -> None:
    group.masters()
    group.add_source("t_answers", ANSWERS.replace('kind = "answer"', 'kind = "answer"\nwhen = "answer <> \'?\'"'))
    report = group.load(group.write("a.csv", FIRST + "E-1,FY2024-H1,6.2,?\n"))
    assert counts(report) == [(3, 3, 0, 0)] and report.loads[0]["rows_skipped"] == 1


def test_same_file_twice_changes_nothing(group: Group) -> None:
    group.masters()
    path = group.write("a.csv", FIRST)
    group.load(path)
    newest, before = group.home.newest(), group.history()
    report = group.load(path)
    assert counts(report) == [(3, 0, 3, 0)] and report.exit_status == 0
    assert group.home.newest() == newest and group.history() == before


def test_renamed_copy_tells_nothing_new(group: Group) -> None:
    group.masters()
    group.load(group.write("a.csv", FIRST))
    before = group.history()
    assert counts(group.load(group.write("b.csv", FIRST))) == [(3, 0, 3, 0)]
    assert group.history() == before


@pytest.mark.parametrize("blanks", range(6))
def test_same_content_known_from_the_same_moment_is_told_once(group: Group, blanks: int) -> None:
    """The bytes, and so the id of the load, differ; which of two loads stands in the tables follows from the ids."""
    group.masters()
    known_at = "2024-11-01 00:00:00"
    group.load(group.write("a.csv", MENDED), known_at=known_at)
    # Of two answers at one moment the worse counts: the other way round nothing would change.
    assert counts(group.load(group.write("b.csv", FIRST + "\n" * blanks), known_at=known_at)) == [(3, 1, 2, 0)]
    assert counts(group.load(group.write("c.csv", MENDED + "\n" * blanks), known_at=known_at)) == [(3, 0, 3, 0)]
    again = group.write("entities.csv", ENTITY_ROWS + "\n" * (1 + blanks))
    assert counts(group.load(again, known_at="2020-01-01 00:00:00")) == [(3, 0, 3, 0)]


def test_what_is_known_from_the_future_is_refused(group: Group) -> None:
    group.masters()
    report = group.load(group.write("a.csv", FIRST), group.write("e.csv", ENTITY_ROWS), known_at="2999-01-01 00:00:00")
    assert {one["reason_code"] for one in report.refusals} == {"future_known"} and report.exit_status == 2
    assert counts(report) == [(3, 0, 0, 3), (3, 0, 0, 3)]


def test_corrected_file_closes_old_knowledge_and_opens_new(group: Group) -> None:
    group.masters()
    group.load(group.write("a.csv", FIRST), known_at="2024-10-01 00:00:00")
    report = group.load(group.write("b.csv", MENDED), known_at="2024-11-01 00:00:00")
    assert counts(report) == [(3, 1, 2, 0)]
    assert group.ask(
        "select verdict, a.known_from::date::varchar, a.known_to::date::varchar from fct_answer a join dim_item using (item_id) "
        "where item_code = '5.10' order by a.known_from"
    ) == [("not_met", "2024-10-01", "2024-11-01"), ("met", "2024-11-01", "9999-12-31")]
    assert group.ask(
        "select event_at::date::varchar, sum(met)::int, sum(not_met)::int, sum(weight_scored) from cube_measure "
        "where measure = 'human' group by all order by all"
    ) == [("2024-10-01", 1, 1, 1.0), ("2024-11-01", 1, -1, 2.0)]


def test_files_in_any_order_give_the_same_history(make_group: MakeGroup) -> None:
    """Also when a later file only confirmed what a late one contradicts: A, B, A."""
    files = [
        ("a.csv", FIRST, "2024-10-01 00:00:00"),
        ("b.csv", MENDED, "2024-11-01 00:00:00"),
        ("c.csv", FIRST, "2024-12-01 00:00:00"),
        ("e.csv", ENTITY_ROWS, "2020-01-01 00:00:00"),
        ("f.csv", ENTITY_ROWS.replace("One,JP", "Uno,EU"), "2024-11-15 00:00:00"),
        ("i.csv", ITEM_ROWS, "2020-01-01 00:00:00"),
    ]
    histories = {}
    for number, order in enumerate(itertools.islice(itertools.permutations(files), 0, 720, 131)):
        group = make_group(f"order{number}")
        for name, text, known_at in order:
            group.load(group.write(name, text), known_at=known_at)
        histories[group.history()] = [name for name, *_ in order]
        assert group.ask("select count(*) from refusal") == [(0,)]
    assert len(histories) == 1, histories
    assert group.ask("select count(*) from fct_answer") == [(5,)]


def test_answers_wait_for_their_masters(group: Group) -> None:
    report = group.load(group.write("a.csv", FIRST), known_at="2024-10-01 00:00:00")
    assert counts(report) == [(3, 0, 0, 3)] and report.exit_status == 2
    group.masters()
    assert group.ask("select rows_read, rows_loaded, rows_refused from load where file_name = 'a.csv'") == [(3, 3, 0)]
    assert group.ask("select count(*), min(known_from)::date::varchar from fct_answer") == [(3, "2024-10-01")]


def test_item_answered_twice_and_not_alike_is_refused_in_both_rows(group: Group) -> None:
    group.masters()
    rows = FIRST + "E-1,FY2024-H1,5.1,×\nE-1,FY2024-H1,5.10,×\n"
    report = group.load(group.write("a.csv", rows))
    assert counts(report)[0][0] == 5 and counts(report)[0][3] == 2
    assert {one["row"] for one in report.refusals} == {2, 5}
    assert group.ask("select count(*) from fct_answer") == [(2,)]


def test_entity_keeps_its_history(group: Group) -> None:
    group.masters()
    moved = "code,name,region,kind,from,to\nE-1,One,JP,site,,2024-04-01\nE-1,One,CN,site,2024-04-01,\n"
    group.load(group.write("moved.csv", moved), known_at="2024-05-01 00:00:00")
    now = "known_to > '9999-01-01' and entity_code = 'E-1'"
    assert group.ask(f"select region_code, valid_to::varchar from dim_entity where {now} order by valid_from") == [
        ("JP", "2024-04-01"),
        ("CN", "9999-12-31"),
    ]
    assert group.ask("select count(*) from dim_entity where entity_code = 'E-1' and known_from < '2024-01-01'") == [
        (1,)
    ]


def test_entity_cannot_be_two_things_on_one_day(group: Group) -> None:
    group.masters()
    head = "code,name,region,kind,from,to\n"
    group.load(group.write("first.csv", head + "M-1,Mover,JP,site,2020-04-01,\n"), known_at="2020-05-01 00:00:00")
    rows = (
        head
        + "M-1,Mover,EU,site,,\nN-1,New,EU,site,2024-04-01,2024-10-01\nN-1,New,JP,site,2024-07-01,\nE-2,Two,JP,site,,\n"
    )
    report = group.load(group.write("second.csv", rows), known_at="2024-05-01 00:00:00")
    assert [(one["row"], one["reason_code"]) for one in report.refusals] == [
        (2, "overlap"),
        (3, "overlap"),
        (4, "overlap"),
    ]
    assert counts(report) == [(4, 1, 0, 3)]
    assert group.ask("select entity_code, valid_from::varchar from dim_entity where entity_code[1] in ('M', 'N')") == [
        ("M-1", "2020-04-01")
    ]
    # What replaces an interval and begins another one overlaps nothing.
    moved = head + "M-1,Mover,JP,site,2020-04-01,2024-10-01\nM-1,Mover,EU,site,2024-10-01,\n"
    assert counts(group.load(group.write("moved.csv", moved), known_at="2024-11-01 00:00:00")) == [(2, 2, 0, 0)]


def test_lineage_joins_items_of_two_versions(group: Group) -> None:
    group.masters()
    group.load(group.write("v2.csv", "version,item,measure,weight,before\n2,A.1,human,1,5.10\n2,A.2,human,1,\n"))
    assert group.ask("select item_code, lineage_code from dim_item where checklist_version = '2' order by 1") == [
        ("A.1", "SC|1|5.10"),
        ("A.2", "SC|2|A.2"),
    ]


def test_heading_items_are_in_no_cube(group: Group) -> None:
    group.masters()
    group.load(group.write("v2.csv", "version,item,measure,weight,assessable\n2,H,human,1,no\n2,I,human,1,yes\n"))
    group.load(group.write("a.csv", "entity,period,item,answer,version\nE-1,FY2024,H,○,2\nE-1,FY2024,I,×,2\n"))
    assert group.ask("select sum(met)::int, sum(not_met)::int from cube_category") == [(0, 1)]


def test_corrected_weight_restates_from_its_own_date(group: Group) -> None:
    group.masters()
    group.load(group.write("a.csv", FIRST), known_at="2024-10-01 00:00:00")
    group.load(
        group.write("w.csv", ITEM_ROWS.replace("1,5.1,human,1", "1,5.1,human,3")), known_at="2024-12-01 00:00:00"
    )
    assert group.ask(
        "select event_at::date::varchar, sum(weight_applicable) from cube_measure where measure = 'human' group by all order by 1"
    ) == [("2024-10-01", 3.0), ("2024-12-01", 2.0)]


def test_findings_close_reopen_and_know_their_actions(group: Group) -> None:
    group.masters()
    head = "finding,entity,raised,closed,item,action,due,done\n"
    group.load(group.write("f1.csv", head + "F1,E-1,2024-05-01,,5.1,A1,2024-08-01,\n"), known_at="2024-06-01 00:00:00")
    group.load(
        group.write("f2.csv", head + "F1,E-1,2024-05-01,2024-07-01,5.1,A1,2024-08-01,2024-06-30\n"),
        known_at="2024-08-01 00:00:00",
    )
    group.load(
        group.write("f3.csv", head + "F1,E-1,2024-05-01,,5.1,A1,2024-08-01,2024-06-30\n"),
        known_at="2024-09-01 00:00:00",
    )
    assert group.ask("select status, known_from::date::varchar from fct_finding order by known_from") == [
        ("open", "2024-06-01"),
        ("closed", "2024-08-01"),
        ("open", "2024-09-01"),
    ]
    assert group.ask("select count(*) from fct_action") == [(2,)]


def test_plan_knows_its_quarter(group: Group) -> None:
    group.masters()
    group.load(group.write("p.csv", "planned entity,period,due\nE-1,FY2024-H1,2024-10-15\n"))
    assert group.ask("select fiscal_year, fiscal_half, fiscal_quarter, fiscal_month from fct_plan") == [
        (2024, "FY2024-H1", "FY2024-Q2", "2024-09")
    ]


def test_fast_and_exact_path_agree(make_group: MakeGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = FIRST + "".join(
        f"E-2,FY20{n:02d},{item},{answer}\n" for n in range(10, 24) for item, answer in (("5.1", "○"), ("6.1", "？"))
    )
    results = []
    for name, limit in (("exact", 1 << 30), ("fast", 0)):
        monkeypatch.setattr("etl.staging.BIG_BYTES", limit)
        monkeypatch.setattr("etl.load.BIG_BYTES", limit)
        group = make_group(name).masters(is_anew=True)
        report = group.load(group.write("a.csv", rows), known_at="2024-10-01 00:00:00")
        results.append(
            (counts(report), [(o["row"], o["column"], o["reason"]) for o in report.refusals], group.history())
        )
    assert results[0] == results[1]
    assert results[0][0] == [(31, 17, 0, 14)]


def test_fast_path_leaves_unclean_files_to_the_exact_one(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.staging.BIG_BYTES", 0)
    monkeypatch.setattr("etl.load.BIG_BYTES", 0)
    group.masters(is_anew=True)
    rows = 'entity,period,item,answer,comment\nE-1,FY2024,5.1,○,"two\nlines"\n\nE-1,FY2024,5.10,○,"a ""quoted"" word"\nE-1,FY2024,6.1\n'
    report = group.load(group.write("a.csv", rows))
    assert counts(report) == [(3, 3, 0, 0)]
    assert group.ask("select row_no, comment, verdict from fct_answer order by row_no") == [
        (2, "two\nlines", "met"),
        (4, 'a "quoted" word', "met"),
        (5, None, "not_answered"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
@pytest.mark.parametrize("limit", [0, 1 << 30])
def test_encodings(group: Group, monkeypatch: pytest.MonkeyPatch, encoding: str, limit: int) -> None:
    monkeypatch.setattr("etl.staging.BIG_BYTES", limit)
    monkeypatch.setattr("etl.load.BIG_BYTES", limit)
    text = (Path(__file__).parent / "conftest.py").read_text("utf-8")
    source = text.split('ANSWERS = """')[1].split('"""')[0]
    group.add_source(
        "t_answers", source.replace('"answer"]', '"判定"]').replace('answer = "answer"', 'answer = "判定"')
    )
    group.masters(is_anew=True)
    rows = "entity,period,item,判定,comment\nE-1,2024年度,5.1,○,㈱髙橋の指摘\n".replace("髙", "高")
    report = group.load(group.write("a.csv", rows.encode(encoding)))
    assert counts(report) == [(1, 1, 0, 0)], report.refusals
    assert group.ask("select comment from fct_answer") == [("㈱高橋の指摘",)]


def test_bytes_of_another_encoding_are_refused_by_row(group: Group) -> None:
    group.masters()
    rows = FIRST.encode() + b"E-2,FY2024,5.1,yes," + b"\x83\x65\xff\xff\n"
    group.load(group.write("a.csv", FIRST))
    report = group.load(group.write("b.csv", rows.replace(b"answer\n", b"answer,comment\n")))
    assert counts(report)[0][3] == 1 and report.refusals[0]["reason_code"] == "undecodable"
    assert report.refusals[0]["row"] == 5


def test_check_tells_the_same_and_writes_nothing(group: Group) -> None:
    group.masters()
    path = group.write("a.csv", FIRST + "E-9,FY2024,5.1,○\n")
    before = sorted(str(one) for one in group.home.path.rglob("*"))
    told = check_files(group.home, Order([path]), lambda *_: None)
    assert sorted(str(one) for one in group.home.path.rglob("*")) == before
    assert counts(told) == counts(group.load(path))


def test_rebuild_from_the_archive_is_the_same_row_for_row(group: Group) -> None:
    group.load(group.write("early.csv", FIRST), known_at="2024-10-01 00:00:00")
    group.masters()
    group.load(group.write("c.csv", FIRST), known_at="2024-12-01 00:00:00")
    group.load(group.write("b.csv", MENDED + "E-9,FY2024,5.1,○\n"), known_at="2024-11-01 00:00:00")
    tables = [
        row[0] for row in group.ask("select table_name from duckdb_tables() where table_name <> 'build' order by 1")
    ]
    before = {table: sorted(map(str, group.ask(f"select * from {table}"))) for table in tables}
    rebuild(group.home, lambda *_: None)
    after = {table: sorted(map(str, group.ask(f"select * from {table}"))) for table in tables}
    assert before == after


def test_archive_keeps_the_bytes(group: Group) -> None:
    group.masters()
    content = FIRST.encode("utf-8-sig") + b"\xff"
    group.load(group.write("a.csv", content))
    (place,) = group.ask("select archive_path from load where file_name = 'a.csv'")
    assert (group.home.archive / place[0]).read_bytes() == content


CELLS = st.sampled_from(
    ["E-1", "E-2", "E-9", "", "FY2024-H1", "2024", "5.1", "5.10", "x", "○", "×", '"', ",", "\n", "é", "=1+1", "\x00"]
)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Group:
    """One group that is handed every generated file, one after the other."""
    return Group(tmp_path_factory.mktemp("fuzzed")).masters()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(CELLS, min_size=0, max_size=6), max_size=12), quoted=st.booleans())
def test_no_row_is_lost_whatever_stands_in_the_file(fuzzed: Group, rows: list[list[str]], quoted: bool) -> None:
    text = "entity,period,item,answer\n"
    for row in rows:
        text += ",".join('"' + cell.replace('"', '""') + '"' if quoted else cell for cell in row) + "\n"
    report = fuzzed.load(fuzzed.write("a.csv", text))
    assert report.loads[0]["rows_read"] <= text.count("\n")
