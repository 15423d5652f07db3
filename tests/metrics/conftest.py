"""Two groups whose warehouses the real load builds: one of figures worked out by hand, one wide enough to add up."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from metrics.warehouse import Warehouse
from tests.etl.conftest import Group

ENTITIES = """[source]
name = "t_entities"
format = "csv"
[recognise]
header = ["code", "name", "region", "kind"]
[columns]
code = "code"
name = "name"
region = "region"
kind = "kind"
country = { names = "country", optional = true }
business_group = { names = "business group", optional = true }
mark = { names = "mark until", optional = true }
valid_from = { names = "from", optional = true }
valid_to = { names = "to", optional = true }
[[record]]
kind = "entity"
[record.fields]
entity_code = "code"
name_en = "name"
region_code = "region"
entity_kind = "kind"
country_code = "country"
business_group_code = "business_group"
privacymark_until_on = "mark"
valid_from = "valid_from"
valid_to = "valid_to"
"""

ITEMS = """[source]
name = "t_items"
format = "csv"
[recognise]
header = ["version", "item", "measure", "weight"]
[columns]
version = "version"
item = "item"
measure = "measure"
weight = "weight"
domain = { names = "domain", optional = true }
category = { names = "category", optional = true }
assessable = { names = "assessable", optional = true }
control = { names = "control", optional = true }
[[record]]
kind = "item"
[record.fields]
checklist_code = "'SC'"
checklist_version = "version"
item_code = "item"
measure = "measure"
domain = "domain"
category_code = "category"
category_en = "'Category ' || category"
weight = "weight"
is_assessable = "assessable"
control_ref = "control"
"""

ANSWERS = """[source]
name = "t_answers"
format = "csv"
[recognise]
header = ["entity", "period", "item", "answer"]
[columns]
entity = "entity"
period = "period"
item = "item"
answer = "answer"
type = { names = "type", optional = true }
inspector = { names = "inspector", optional = true }
performed = { names = "performed", optional = true }
submitted = { names = "submitted", optional = true }
version = { names = "version", optional = true }
points = { names = "points", optional = true }
[answers]
met = ["○"]
partly_met = ["△"]
not_met = ["×"]
not_applicable = ["－"]
not_answered = [""]
[[record]]
kind = "answer"
[record.fields]
inspection_type = "coalesce(type, 'self_check')"
entity_code = "entity"
inspecting_entity_code = "inspector"
period = "period"
checklist_code = "'SC'"
checklist_version = "coalesce(version, '1')"
performed_on = "performed"
submitted_on = "submitted"
item_code = "item"
verdict = "answer"
written_score = "points"
"""

FINDINGS = """[source]
name = "t_findings"
format = "csv"
[recognise]
header = ["finding", "entity", "raised", "action"]
[columns]
finding = "finding"
entity = "entity"
type = "type"
severity = "severity"
raised = "raised"
closed = "closed"
again = "again"
item = "item"
action = "action"
due = "due"
done = "done"
owner = { names = "owner", optional = true }
[[record]]
kind = "finding"
[record.fields]
finding_code = "finding"
entity_code = "entity"
inspection_type = "type"
period = "raised"
severity = "severity"
raised_on = "raised"
closed_on = "closed"
status = "case when closed is null then 'open' else 'closed' end"
reopened_count = "again"
checklist_code = "case when item is not null then 'SC' end"
checklist_version = "case when item is not null then '1' end"
item_code = "item"
[[record]]
kind = "action"
when = "action is not null"
[record.fields]
action_code = "action"
finding_code = "finding"
due_on = "due"
completed_on = "done"
owner = "owner"
"""

PLAN = """[source]
name = "t_plan"
format = "csv"
[recognise]
header = ["planned entity", "period", "due"]
[columns]
entity = "planned entity"
period = "period"
due = "due"
type = { names = "type", optional = true }
inspector = { names = "inspector", optional = true }
cancelled = { names = "cancelled", optional = true }
[[record]]
kind = "plan"
[record.fields]
inspection_type = "coalesce(type, 'self_check')"
entity_code = "entity"
inspecting_entity_code = "inspector"
period = "period"
due_on = "due"
is_cancelled = "cancelled"
"""

MEASURES = ("organizational", "human", "physical", "technological")
DOMAINS = ("confidential_information", "personal_information")
ANSWER_HEAD = "entity,period,item,answer,type,inspector,performed,submitted,version,points\n"
FINDING_HEAD = "finding,entity,type,severity,raised,closed,again,item,action,due,done\n"
PLAN_HEAD = "planned entity,period,due,type,inspector,cancelled\n"

FIGURE_ENTITIES = """code,name,region,kind,country,business group,mark until,from,to
BG-1,Imaging,JP,business_group,JP,,,,
C-1,Twenty,JP,site,JP,BG-1,2024-12-31,,
C-2,Headed,JP,site,JP,BG-1,2030-12-31,,
C-3,Nothing,EU,affiliate,DE,,,,
C-4,Mended,CN,affiliate,CN,,,,
C-5,Residue,CN,affiliate,CN,,,,
R-1,Large,AM,affiliate,US,,,,
R-2,Small,AM,affiliate,US,,,,
M-1,Mover,JP,affiliate,JP,,,2023-04-01,2024-10-01
M-1,Mover,CN,affiliate,CN,,,2024-10-01,
X-1,=1+1,AS,affiliate,SG,,,,
"""
FIGURE_ITEMS = (
    "version,item,measure,weight,domain,category,assessable\n"
    + "".join(
        f"1,{number},{MEASURES[number % 4]},1,{DOMAINS[number % 2]},K{number % 5},yes\n" for number in range(1, 21)
    )
    + "2,H,human,1,personal_information,K1,no\n2,Z,human,0,personal_information,K1,yes\n"
    + "2,I,human,1,personal_information,K1,yes\n2,J,human,1,personal_information,K1,yes\n"
    + "R,a,human,87.5,,,yes\nR,b,human,0.5,,,yes\nR,c,human,2,,,yes\nR,d,human,10,,,yes\n"
    + "W,a,human,0.1,,,yes\nW,b,human,0.2,,,yes\nW,c,human,0.7,,,yes\n"
)


def answer_rows(entity: str, period: str, version: str, answers: str, performed: str = "") -> str:
    """Rows of one inspection: `item=answer` pairs set apart by spaces."""
    pairs = (pair.split("=") for pair in answers.split())
    return "".join(f"{entity},{period},{item},{text},,,{performed},,{version},\n" for item, text in pairs)


TWENTY = " ".join(f"{n}={'○' if n <= 10 else '△' if n <= 15 else '×' if n <= 18 else '－'}" for n in range(1, 21))
FIGURE_ANSWERS = ANSWER_HEAD + "".join(
    (
        answer_rows("C-1", "FY2024-H1", "1", TWENTY),
        answer_rows("C-1", "FY2025-H1", "1", "1=○"),
        answer_rows("C-2", "FY2024-H1", "2", "H=× Z=× I=○ J=×"),
        answer_rows("C-3", "FY2024-H1", "2", "Z=○ I=－ J=－"),
        answer_rows("C-4", "FY2024-H1", "1", "1=○ 2=× 3="),
        answer_rows("C-5", "FY2024-H1", "W", "a=○ b=○ c=○"),
        answer_rows("R-1", "FY2024-H1", "R", "a=○ b=○ c=○ d=△"),
        answer_rows("R-2", "FY2024-H1", "R", "a=○ b=△ c=× d=－"),
        answer_rows("M-1", "FY2022-H1", "1", "1=×", "2022-06-01"),
        answer_rows("M-1", "FY2024-H1", "1", "1=○", "2024-09-30"),
        answer_rows("M-1", "FY2024-H2", "1", "1=△", "2024-10-01"),
        answer_rows("X-1", "FY2024-H1", "1", "1=○ 2=○"),
    )
)


def make_group(folder: Path) -> Group:
    """A group whose sources know every column that a dimension or metric rests on."""
    group = Group(folder)
    for text in (ENTITIES, ITEMS, ANSWERS, FINDINGS, PLAN):
        group.add_source(text.split('name = "', 1)[1].split('"', 1)[0], text)
    return group


def load(group: Group, known_at: str, **texts: str) -> None:
    """Load texts as files of these names; every row of them must be good."""
    day = known_at[:10]
    paths = [group.write(f"{name}-{day}.csv", text) for name, text in texts.items()]
    report = group.load(*paths, known_at=known_at)
    assert report.refusals == [], report.refusals


@pytest.fixture(scope="session")
def figure_group(tmp_path_factory: pytest.TempPathFactory) -> Group:
    """A group small enough to work its figures out by hand."""
    group = make_group(tmp_path_factory.mktemp("figures"))
    load(group, "2020-01-01 00:00:00", entities=FIGURE_ENTITIES, items=FIGURE_ITEMS)
    load(group, "2024-11-01 00:00:00", answers=FIGURE_ANSWERS)
    load(
        group,
        "2024-12-01 12:00:00",
        mended=ANSWER_HEAD
        + answer_rows("C-4", "FY2024-H1", "1", "1=○ 2=○ 3=")
        + answer_rows("C-5", "FY2024-H1", "W", "a=－"),
    )
    load(group, "2024-12-02 00:00:00", residue=ANSWER_HEAD + answer_rows("C-5", "FY2024-H1", "W", "b=－ c=－"))
    return group


@pytest.fixture(scope="session")
def figures(figure_group: Group) -> Iterator[Warehouse]:
    """The warehouse of the figures worked out by hand."""
    warehouse = Warehouse.open_newest(figure_group.home.path)
    yield warehouse
    warehouse.close()


WIDE_ENTITIES = """code,name,region,kind,country,business group,mark until,from,to
BG-1,Imaging,JP,business_group,JP,,,,
BG-2,Office,JP,business_group,JP,,,,
E-1,Yokohama,JP,site,JP,BG-1,2024-03-31,,
E-2,Osaka,JP,site,JP,BG-2,,,
E-3,Berlin,EU,affiliate,DE,BG-2,,,
E-4,Austin,AM,affiliate,US,BG-1,2025-06-30,,2024-04-01
E-4,Toronto,AM,affiliate,CA,BG-2,2025-06-30,2024-04-01,
E-5,Hanoi,AS,affiliate,VN,,,,
E-6,Bangkok,AS,affiliate,TH,,,,
"""
WIDE_CODES = ("E-1", "E-2", "E-3", "E-4", "E-5")
WIDE_HALVES = (("FY2023-H1", 2023, 6, 9), ("FY2023-H2", 2023, 12, 3), ("FY2024-H1", 2024, 6, 9))
WIDE_ITEMS = (
    "version,item,measure,weight,domain,category,assessable,control\n"
    + "".join(
        f"1,{number},{MEASURES[number % 4]},{1 + number % 3},{DOMAINS[number % 2]},K{number % 5},"
        f"{'no' if number == 12 else 'yes'},{f'A.5.{number % 3}' if number % 2 else ''}\n"
        for number in range(1, 13)
    )
    + "1,13,,1,,,yes,\n"
)
PERFORMED = {"FY2023-H1": "2023-06-10", "FY2023-H2": "2023-12-10", "FY2024-H1": "2024-06-10"}
DUE = {"FY2023-H1": "2023-09-30", "FY2023-H2": "2024-03-31", "FY2024-H1": "2024-09-30"}


def wide_answers(seed: int, share: float) -> str:
    """Self-checks of every entity and checks by E-1, answered at random; a share of the items only."""
    chance = random.Random(seed)
    lines = []
    for half in PERFORMED:
        for code in WIDE_CODES:
            for kind, inspector in (("self_check", ""), ("mutual_check", "E-1")):
                if kind == "mutual_check" and code in ("E-1", "E-5"):
                    continue
                # A self-check of FY2023-H1 does not say when it was performed, so it has no quarter and month.
                day = PERFORMED[half] if (kind, half) != ("self_check", "FY2023-H1") else ""
                for item in range(1, 14):
                    text = chance.choice(["○", "○", "○", "△", "×", "－", ""])
                    points = str(chance.randint(0, 5)) if item % 2 else ""
                    if chance.random() < share:
                        lines.append(f"{code},{half},{item},{text},{kind},{inspector},{day},,1,{points}\n")
    return ANSWER_HEAD + "".join(lines)


WIDE_PLAN = PLAN_HEAD + "".join(
    f"{code},{half},{DUE[half]},{kind},{inspector},\n"
    for half in PERFORMED
    for code in (*WIDE_CODES, "E-6")
    for kind, inspector in (("self_check", ""), ("mutual_check", "E-1"))
    if not (kind == "mutual_check" and code == "E-1")
)
WIDE_FINDINGS = FINDING_HEAD.replace("done", "done,owner") + (
    "F1,E-2,mutual_check,major,2023-06-15,,0,1,A1,2023-09-30,,Sales\n"
    "F2,E-3,mutual_check,minor,2023-12-15,2024-02-01,0,2,A2,2024-01-31,2024-01-20,Works\n"
    "F3,E-3,mutual_check,minor,2023-12-15,,1,3,A3,2024-12-31,,Works\n"
    "F4,E-4,,observation,2024-06-15,,0,,A4,,,\n"
    "F5,E-5,privacy_audit,observation,2024-06-20,,2,,,,,\n"
    "F6,E-3,mutual_check,minor,2024-06-12,,0,2,A6,2025-01-30,,Sales\n"
)


@pytest.fixture(scope="session")
def wide_group(tmp_path_factory: pytest.TempPathFactory) -> Group:
    """A group with every kind of fact, corrected once."""
    group = make_group(tmp_path_factory.mktemp("wide"))
    load(group, "2020-01-01 00:00:00", entities=WIDE_ENTITIES, items=WIDE_ITEMS, plan=WIDE_PLAN)
    load(group, "2024-08-01 00:00:00", answers=wide_answers(1, 1.0), findings=WIDE_FINDINGS)
    load(group, "2024-10-15 00:00:00", answers=wide_answers(2, 0.3))
    return group


@pytest.fixture(scope="session")
def wide(wide_group: Group) -> Iterator[Warehouse]:
    """The warehouse of the wide group."""
    warehouse = Warehouse.open_newest(wide_group.home.path)
    yield warehouse
    warehouse.close()


PLANNED_ENTITIES = "code,name,region,kind\n" + "".join(
    f"P-{number},Planned {number},{'JP' if number < 4 else 'EU'},site\n" for number in range(1, 7)
)
# P-1 in time, P-2 late, P-3 never, P-4 not yet due, P-5 cancelled; P-6 was never planned but inspected.
PLANNED = PLAN_HEAD + (
    "P-1,FY2024-H1,2024-09-30,,,\nP-2,FY2024-H1,2024-09-30,,,\nP-3,FY2024-H1,2024-09-30,,,\n"
    "P-4,FY2024-H1,2025-03-31,,,\nP-5,FY2024-H1,2024-09-30,,,yes\n"
)
HANDED_IN = ANSWER_HEAD + (
    "P-1,FY2024-H1,1,○,,,2024-09-01,2024-09-30,1,\nP-2,FY2024-H1,1,×,,,2024-09-01,2024-10-01,1,\n"
    "P-6,FY2024-H1,1,○,,,2024-09-01,2024-09-02,1,\n"
)


@pytest.fixture(scope="session")
def plan_group(tmp_path_factory: pytest.TempPathFactory) -> Group:
    """A group with a plan, findings and actions that change from month to month."""
    group = make_group(tmp_path_factory.mktemp("plan"))
    load(group, "2024-04-01 00:00:00", entities=PLANNED_ENTITIES, items=WIDE_ITEMS, plan=PLANNED)
    head = FINDING_HEAD
    first = "F1,P-1,self_check,minor,2024-05-01,,0,1,A1,2024-08-01,\nF2,P-2,self_check,major,2024-05-02,,0,2,A2,,\n"
    load(group, "2024-06-01 00:00:00", findings=head + first)
    closed = "F1,P-1,self_check,minor,2024-05-01,2024-07-01,0,1,A1,2024-08-01,2024-06-30\n"
    load(group, "2024-09-01 00:00:00", findings=head + closed)
    again = "F1,P-1,self_check,minor,2024-05-01,,1,1,A1,2024-08-01,2024-06-30\n"
    load(group, "2024-10-10 00:00:00", findings=head + again, answers=HANDED_IN)
    return group


@pytest.fixture(scope="session")
def planned(plan_group: Group) -> Iterator[Warehouse]:
    """The warehouse of the group with a plan."""
    warehouse = Warehouse.open_newest(plan_group.home.path)
    yield warehouse
    warehouse.close()
