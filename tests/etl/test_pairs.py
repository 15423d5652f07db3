"""Pairs kept in the build: at every moment those that a join of the answers would find, whatever was loaded in which order."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl.checks import CheckFailed, run_checks
from etl.commands import rebuild
from tests.etl.conftest import ANSWERS, ITEMS, Group

MakeGroup = Callable[[str], Group]
Row = tuple[Any, ...]

# Sources that say who inspected, of which domain an item is, and how the items of two versions hang together.
TYPED_ANSWERS = ANSWERS.replace(
    'version = { names = "version", optional = true }',
    'version = { names = "version", optional = true }\ntype = { names = "type", optional = true }\n'
    'inspector = { names = "inspector", optional = true }',
).replace(
    "inspection_type = \"'self_check'\"",
    'inspection_type = "coalesce(type, \'self_check\')"\ninspecting_entity_code = "inspector"',
)
ITEMS_WITH_DOMAIN = ITEMS.replace(
    'before = { names = "before", optional = true }',
    'before = { names = "before", optional = true }\ndomain = { names = "domain", optional = true }',
).replace('is_assessable = "assessable"', 'is_assessable = "assessable"\ndomain = "domain"')
LINKS = """[source]
name = "t_links"
format = "csv"
[recognise]
header = ["old item", "new item"]
[columns]
old = "old item"
new = "new item"
[[record]]
kind = "lineage"
[record.fields]
checklist_code = "'SC'"
from_version = "'1'"
from_item_code = "old"
to_version = "'2'"
to_item_code = "new"
change = "'reworded'"
"""

HEAD = "entity,period,item,answer,type,inspector,performed,version\n"
PEOPLE = "code,name,region,kind\nE-1,One,JP,site\nE-2,Two,AS,affiliate\nE-3,Three,EU,affiliate\n"
ITEM_HEAD = "version,item,measure,weight,domain,assessable\n"
CONFIDENTIAL, PERSONAL = "confidential_information", "personal_information"
FIRST_ITEMS = ITEM_HEAD + "".join(
    f"1,{code},human,{weight},{CONFIDENTIAL},yes\n" for code, weight in zip("abcd", (1, 2, 3, 0), strict=True)
)
NEW_ITEMS = ITEM_HEAD + "".join(f"2,{code},human,1,{PERSONAL},yes\n" for code in ("A", "B", "N"))
# Another domain of b, another weight of c; d becomes a heading.
CHANGED_ITEMS = (
    ITEM_HEAD
    + f"1,a,human,1,{CONFIDENTIAL},yes\n1,b,human,2,{PERSONAL},yes\n1,c,human,9,{CONFIDENTIAL},yes\n1,d,human,0,{CONFIDENTIAL},no\n"
)


def told(
    entity: str, period: str, answers: str, kind: str = "", inspector: str = "", performed: str = "", version: str = ""
) -> str:
    """Rows of one inspection: `item=answer` set apart by spaces."""
    parts = (one.split("=") for one in answers.split())
    return "".join(
        f"{entity},{period},{item},{text},{kind},{inspector},{performed},{version}\n" for item, text in parts
    )


MUTUAL, AFFILIATE, AUDIT = "mutual_check", "affiliate_check", "privacy_audit"
# Everything that can happen to a pair: corrections of either side, two outside checks and two self-checks of one half,
# a master that changes, checklist versions that hang together later, a half that moves, and words that arrive late.
FILES = [
    ("people.csv", PEOPLE, "2024-01-01 00:00:00"),
    ("items.csv", FIRST_ITEMS, "2024-01-01 00:00:00"),
    ("new_items.csv", NEW_ITEMS, "2024-02-01 00:00:00"),
    ("self.csv", HEAD + told("E-1", "FY2024-H1", "a=○ b=△ c=× d=○") + told("E-2", "FY2024-H1", "a=○ b=－ c= d=×")
     + told("E-3", "FY2024-H2", "a=○"), "2024-10-01 00:00:00"),
    ("self_2.csv", HEAD + told("E-2", "FY2024-H2", "A=○ B=△ N=×", version="2"), "2024-10-01 00:00:00"),
    ("checks.csv", HEAD + told("E-1", "FY2024-H1", "a=× b=△ c=○ d=○", MUTUAL, "E-2")
     + told("E-1", "FY2024-H1", "a=△ b=×", AFFILIATE, "E-3")
     + told("E-2", "FY2024-H1", "a=○ b=× c=○", AUDIT), "2024-10-15 00:00:00"),
    ("checks_2.csv", HEAD + told("E-2", "FY2024-H2", "a=× b=○ c=△", MUTUAL, "E-1"), "2024-10-20 00:00:00"),
    ("mended_self.csv", HEAD + told("E-1", "FY2024-H1", "a=△ b=△ c=×", performed="2024-09-01"), "2024-11-01 00:00:00"),
    ("mended_check.csv", HEAD + told("E-1", "FY2024-H1", "a=○ b=－", MUTUAL, "E-2"), "2024-11-15 00:00:00"),
    ("links.csv", "old item,new item\na,A\nb,B\n", "2024-11-20 00:00:00"),
    ("changed_items.csv", CHANGED_ITEMS, "2024-12-01 00:00:00"),
    ("quarters.csv", HEAD + told("E-1", "FY2024-Q1", "a=×") + told("E-1", "FY2024-Q2", "a=○ c=○"), "2024-12-05 00:00:00"),
    # A check of the year stands in the half in which it was performed, first thought to be the second.
    ("year.csv", HEAD + told("E-3", "FY2024", "a=×", AUDIT, performed="2024-11-01"), "2024-12-10 00:00:00"),
    ("year_mended.csv", HEAD + told("E-3", "FY2024", "a=×", AUDIT, performed="2024-06-01"), "2024-12-20 00:00:00"),
    # The self-check alone changes: an answer of it, and the master of the version that it asked.
    ("mended_self_2.csv", HEAD + told("E-2", "FY2024-H1", "a=△ b=○"), "2024-12-21 00:00:00"),
    ("changed_new_items.csv", NEW_ITEMS.replace(f"A,human,1,{PERSONAL}", f"A,human,1,{CONFIDENTIAL}"), "2024-12-22 00:00:00"),
    ("late.csv", HEAD + told("E-1", "FY2024-H1", "a=○ c=○", MUTUAL, "E-2"), "2024-10-10 00:00:00"),
]  # fmt: skip

# The answers of an outside check beside those of a self-check as a query would join them, at every moment at which
# anything changed; between two such moments nothing does.
JOINED = """
with moment as (
    select known_from as at from fct_inspection union select known_to from fct_inspection
    union select known_from from fct_answer union select known_to from fct_answer
    union select known_from from dim_item union select known_to from dim_item
    union select known_from from fct_pair union select known_to from fct_pair
),
answered as (
    select
        m.at, n.inspection_type, n.entity_id, n.fiscal_half, i.lineage_code, i.domain, a.inspection_id, a.item_id,
        a.verdict, a.score
    from moment m
    join fct_inspection n on n.known_from <= m.at and n.known_to > m.at
    join fct_answer a on a.inspection_id = n.inspection_id and a.known_from <= m.at and a.known_to > m.at
    join dim_item i on i.item_id = a.item_id and i.known_from <= m.at and i.known_to > m.at
    where a.score is not null and i.is_assessable
),
joined as (
    select
        o.at, o.inspection_id, o.item_id, s.inspection_id as self_inspection_id, s.item_id as self_item_id, o.entity_id,
        o.fiscal_half, o.verdict, o.score, s.verdict as self_verdict, s.score as self_score, s.domain as self_domain
    from answered o
    join answered s
        on s.at = o.at and s.entity_id = o.entity_id and s.fiscal_half = o.fiscal_half and s.lineage_code = o.lineage_code
    where o.inspection_type in ('mutual_check', 'affiliate_check', 'privacy_audit') and s.inspection_type = 'self_check'
),
kept as (
    select m.at, p.* exclude (known_from, known_to)
    from fct_pair p join moment m on p.known_from <= m.at and p.known_to > m.at
)
"""


def hold_pairs_to_answers(group: Group) -> int:
    """Hold the pairs kept to those joined, at every moment; how many pairs that is, moment by moment."""
    differing = group.ask(
        f"{JOINED} select 'joined', * from (from joined except all from kept) "
        "union all select 'kept', * from (from kept except all from joined)"
    )
    assert differing == []
    assert group.ask("select count(*) from fct_pair where known_from >= known_to") == [(0,)]
    ((count,),) = group.ask(f"{JOINED} select count(*) from kept")
    return int(count)


def make_ready(group: Group) -> Group:
    """The group with the sources of this test."""
    for name, text in (("t_answers", TYPED_ANSWERS), ("t_items", ITEMS_WITH_DOMAIN), ("t_links", LINKS)):
        group.add_source(name, text)
    return group


def load_in_order(group: Group, files: list[tuple[str, str, str]]) -> Group:
    """Load files one by one, each with its knowledge date."""
    for name, text, known_at in files:
        group.load(group.write(name, text), known_at=known_at)
    return group


def pairs_now(group: Group, moment: str = "9999-01-01") -> list[Row]:
    """(type of the outside check, item, verdict, self item, self verdict) of the pairs known at the moment, in order."""
    return group.ask(
        f"""select n.inspection_type, c.item_code, p.verdict, i.item_code, p.self_verdict
        from fct_pair p
        join (select distinct inspection_id, inspection_type from fct_inspection) n using (inspection_id)
        join (select distinct item_id, item_code from dim_item) c using (item_id)
        join (select distinct item_id, item_code from dim_item) i on i.item_id = p.self_item_id
        where p.known_from <= '{moment}' and p.known_to > '{moment}' order by all"""
    )


def read_tables(group: Group) -> dict[str, list[str]]:
    """Every row of every table but the one that says when the build was made."""
    tables = [row[0] for row in group.ask("select table_name from duckdb_tables() where table_name <> 'build'")]
    return {table: sorted(map(str, group.ask(f"select * from {table}"))) for table in tables}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Group:
    """The group after every file, in the order of their knowledge dates but for the late one."""
    return load_in_order(make_ready(Group(tmp_path_factory.mktemp("whole"))), FILES)


# --- what a pair is ------------------------------------------------------------------------------


def test_pairs_are_those_that_a_join_finds_after_every_load(group: Group) -> None:
    make_ready(group)
    counts = []
    for one in FILES:
        load_in_order(group, [one])
        counts.append(hold_pairs_to_answers(group))
    # Masters and self-checks alone make no pair; from the first outside checks on there are some.
    assert counts[:5] == [0] * 5 and all(counts[5:]) and len(set(counts[5:])) > 6
    assert group.ask("select count(*) from refusal") == [(0,)]


def test_pair_holds_what_both_said_of_the_same_requirement(group: Group) -> None:
    load_in_order(make_ready(group), FILES[:6])
    assert pairs_now(group) == [
        (AFFILIATE, "a", "partly_met", "a", "met"),
        (AFFILIATE, "b", "not_met", "b", "partly_met"),
        (MUTUAL, "a", "not_met", "a", "met"),
        (MUTUAL, "b", "partly_met", "b", "partly_met"),
        (MUTUAL, "c", "met", "c", "not_met"),
        (MUTUAL, "d", "met", "d", "met"),
        # Of b and c the self-check says not applicable and nothing.
        (AUDIT, "a", "met", "a", "met"),
    ]
    assert group.ask("select distinct known_from::varchar, fiscal_half from fct_pair") == [
        ("2024-10-15 00:00:00", "FY2024-H1")
    ]
    assert group.ask(
        "select count(*) from fct_pair p join fct_inspection f using (inspection_id) join fct_inspection s "
        "on s.inspection_id = p.self_inspection_id where p.entity_id = f.entity_id and p.entity_id = s.entity_id"
    ) == [(7,)]


@pytest.mark.parametrize("is_self_first", [True, False])
def test_pair_comes_with_whichever_side_comes_later(make_group: MakeGroup, is_self_first: bool) -> None:
    masters, mine, theirs = FILES[:2], FILES[3], FILES[5]
    group = load_in_order(make_ready(make_group("group")), masters)
    load_in_order(group, [mine] if is_self_first else [theirs])
    assert group.ask("select count(*) from fct_pair") == [(0,)]
    load_in_order(group, [theirs] if is_self_first else [mine])
    assert len(pairs_now(group)) == 7
    hold_pairs_to_answers(group)


def test_correction_of_either_side_closes_the_pair_and_opens_another(group: Group) -> None:
    load_in_order(make_ready(group), [*FILES[:2], FILES[3], FILES[5], FILES[7], FILES[8]])
    assert group.ask(
        """select self_verdict, p.verdict, p.known_from::date::varchar, p.known_to::date::varchar
        from fct_pair p join (select distinct item_id, item_code from dim_item) using (item_id)
        join (select distinct inspection_id, inspection_type from fct_inspection) using (inspection_id)
        where item_code = 'a' and inspection_type = 'mutual_check' and self_verdict is not null and entity_id in
            (select entity_id from dim_entity where entity_code = 'E-1') order by p.known_from"""
    ) == [
        ("met", "not_met", "2024-10-15", "2024-11-01"),
        ("partly_met", "not_met", "2024-11-01", "2024-11-15"),
        ("partly_met", "met", "2024-11-15", "9999-12-31"),
    ]
    # What became not applicable is a pair no more, and what was known before stays known.
    assert (MUTUAL, "b", "partly_met", "b", "partly_met") not in pairs_now(group)
    assert (MUTUAL, "b", "partly_met", "b", "partly_met") in pairs_now(group, "2024-11-14")
    assert len(pairs_now(group, "2024-10-31")) == 7


def test_every_self_check_of_the_half_stands_beside_every_outside_check(whole: Group) -> None:
    """Of E-1 in the first half: self-checks of the half and of two quarters, a mutual and an affiliate check, all of a."""
    assert whole.ask(
        """select count(*), count(distinct inspection_id), count(distinct self_inspection_id)
        from fct_pair join (select distinct item_id, item_code from dim_item) using (item_id)
        where item_code = 'a' and known_to > '9999-01-01' and fiscal_half = 'FY2024-H1'
            and entity_id in (select entity_id from dim_entity where entity_code = 'E-1')"""
    ) == [(6, 2, 3)]


def test_items_of_two_versions_meet_once_their_lineage_is_told(group: Group) -> None:
    load_in_order(make_ready(group), [*FILES[:3], FILES[4], FILES[6]])
    assert pairs_now(group) == []
    before = group.ask("select * from cube_category order by all")
    load_in_order(group, [FILES[9]])
    # Lineage has no past of its own: it holds from the day on which both were known.
    met = [(MUTUAL, "a", "not_met", "A", "met"), (MUTUAL, "b", "met", "B", "partly_met")]
    assert pairs_now(group) == pairs_now(group, "2024-10-20") == met
    assert group.ask("select * from cube_category order by all") == before
    hold_pairs_to_answers(group)


def test_changed_master_changes_pairs_from_its_own_date(group: Group) -> None:
    load_in_order(make_ready(group), [*FILES[:2], FILES[3], FILES[5], FILES[10]])
    assert (MUTUAL, "d", "met", "d", "met") in pairs_now(group, "2024-11-30")
    assert (MUTUAL, "d", "met", "d", "met") not in pairs_now(group, "2024-12-01")
    assert group.ask(
        "select self_domain, known_from::date::varchar from fct_pair join (select distinct item_id, item_code from dim_item) "
        "using (item_id) where item_code = 'b' and verdict = 'not_met' order by 2"
    ) == [(CONFIDENTIAL, "2024-10-15"), (PERSONAL, "2024-12-01")]


def test_check_that_moves_to_another_half_leaves_its_pairs(group: Group) -> None:
    load_in_order(make_ready(group), [*FILES[:2], FILES[3], FILES[12]])
    assert pairs_now(group) == [(AUDIT, "a", "not_met", "a", "met")]
    load_in_order(group, [FILES[13]])
    assert pairs_now(group) == [] and len(pairs_now(group, "2024-12-19")) == 1


# --- whatever the order --------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_files_in_any_order_give_the_same_pairs(whole: Group, make_group: MakeGroup, seed: int) -> None:
    files = list(FILES)
    random.Random(seed).shuffle(files)
    group = load_in_order(make_ready(make_group("shuffled")), files)
    assert group.ask("select count(*) from refusal") == [(0,)]
    assert hold_pairs_to_answers(group) == hold_pairs_to_answers(whole) > 50
    assert group.history() == whole.history()


def test_files_in_one_command_give_the_same_pairs_as_one_by_one(make_group: MakeGroup) -> None:
    files = [FILES[number] for number in (0, 1, 2, 3, 4, 5, 6, 9)]
    together, apart = make_ready(make_group("together")), make_ready(make_group("apart"))
    together.load(*(together.write(name, text) for name, text, _ in files), known_at="2024-10-01 00:00:00")
    load_in_order(apart, [(name, text, "2024-10-01 00:00:00") for name, text, _ in files])
    assert hold_pairs_to_answers(together) == hold_pairs_to_answers(apart) > 0
    assert together.history() == apart.history()


def test_rebuild_from_the_archive_gives_the_same_pairs(whole: Group, tmp_path: Path) -> None:
    shutil.copytree(whole.folder, tmp_path / "copy")
    group = Group.existing(tmp_path / "copy")
    before = read_tables(group)
    rebuild(group.home, lambda *_: None)
    assert read_tables(group) == before and before["fct_pair"]


# --- the check -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken",
    [
        "delete from fct_pair where score > self_score and known_to > '9999-01-01'",
        "update fct_pair set score = 1 - score where known_to > '9999-01-01' and verdict = 'not_met'",
        "update fct_pair set self_score = 1 - self_score where known_to > '9999-01-01' and self_verdict = 'not_met'",
        "insert into fct_pair from fct_pair where known_to > '9999-01-01'",
        "update dim_item set lineage_code = 'SC|1|a'",
    ],
)
def test_pairs_that_are_not_those_of_the_answers_are_told(whole: Group, tmp_path: Path, broken: str) -> None:
    newest = whole.home.newest()
    assert newest
    shutil.copyfile(newest, tmp_path / "copy.duckdb")
    with duckdb.connect(str(tmp_path / "copy.duckdb")) as build:
        build.execute(
            "create temp table touched_inspection as select distinct inspection_id, false as is_new from fct_inspection"
        )
        run_checks(build)
        build.execute(broken)
        with pytest.raises(CheckFailed, match="pairs_add_up"):
            run_checks(build)
