"""A small group of three entities and four items, described by sources written for the tests, in a home of its own."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl.builds import Home
from etl.choices import Choice, Choices
from etl.commands import Order, load_files
from etl.report import Report

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
valid_from = { names = "from", optional = true }
valid_to = { names = "to", optional = true }
[[record]]
kind = "entity"
[record.fields]
entity_code = "code"
name_en = "name"
region_code = "region"
entity_kind = "kind"
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
before = { names = "before", optional = true }
assessable = { names = "assessable", optional = true }
[[record]]
kind = "item"
[record.fields]
checklist_code = "'SC'"
checklist_version = "version"
item_code = "item"
measure = "measure"
weight = "weight"
is_assessable = "assessable"
[[record]]
kind = "lineage"
when = "before is not null"
[record.fields]
checklist_code = "'SC'"
from_version = "'1'"
from_item_code = "before"
to_version = "version"
to_item_code = "item"
change = "'reworded'"
"""

ANSWERS = """[source]
name = "t_answers"
format = "csv"
[recognise]
header = ["entity", "period", "item", "answer"]
[read]
encoding = ["utf-8", "cp932"]
[columns]
entity = "entity"
period = "period"
item = "item"
answer = "answer"
comment = { names = "comment", optional = true }
performed = { names = "performed", optional = true }
version = { names = "version", optional = true }
[dates]
forms = ["iso", "d/m/y"]
[answers]
met = ["○", "yes"]
partly_met = ["△"]
not_met = ["×", "no"]
not_applicable = ["－"]
not_answered = [""]
[[record]]
kind = "answer"
lenient = ["performed_on"]
[record.fields]
inspection_type = "'self_check'"
entity_code = "entity"
period = "period"
checklist_code = "'SC'"
checklist_version = "coalesce(version, '1')"
performed_on = "performed"
item_code = "item"
verdict = "answer"
comment = "comment"
"""

FINDINGS = """[source]
name = "t_findings"
format = "csv"
[recognise]
header = ["finding", "entity", "raised", "action"]
[columns]
finding = "finding"
entity = "entity"
raised = "raised"
closed = "closed"
item = "item"
action = "action"
due = "due"
done = "done"
[[record]]
kind = "finding"
[record.fields]
finding_code = "finding"
entity_code = "entity"
period = "raised"
severity = "'minor'"
raised_on = "raised"
closed_on = "closed"
status = "case when closed is null then 'open' else 'closed' end"
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
[[record]]
kind = "plan"
[record.fields]
inspection_type = "'self_check'"
entity_code = "entity"
period = "period"
due_on = "due"
"""

ENTITY_ROWS = "code,name,region,kind\nE-1,One,JP,site\nE-2,Two,AS,affiliate\n007,Seven,AS,affiliate\n"
ITEM_ROWS = "version,item,measure,weight\n1,5.1,human,1\n1,5.10,human,2\n1,6.1,physical,1\n1,6.2,technological,0\n"


_FIRST_LOADS: dict[object, tempfile.TemporaryDirectory[str]] = {}
"""What homes hold after a first load, by the sources and files that it was given."""


class Group:
    """A home with its sources, and short ways of writing, loading and asking."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home(folder / "home")
        sources = self.home.path / "sources"
        sources.mkdir(parents=True)
        for text in (ENTITIES, ITEMS, ANSWERS, FINDINGS, PLAN):
            name = text.split('name = "', 1)[1].split('"', 1)[0]
            (sources / f"{name}.toml").write_text(text, "utf-8")

    @classmethod
    def existing(cls, folder: Path) -> Group:
        """The group that lives in the folder already."""
        group = cls.__new__(cls)
        group.folder, group.home = folder, Home(folder / "home")
        return group

    def add_source(self, name: str, text: str) -> None:
        """Add a source of this name."""
        (self.home.path / "sources" / f"{name}.toml").write_text(text, "utf-8")

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file to hand in."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return path

    def load(self, *paths: Path, known_at: str | None = None, choices: Choices | None = None) -> Report:
        """Load files and hold the promise that no row is lost."""
        order = Order(list(paths), choices or Choices(Choice(known_at=known_at)))
        report = load_files(self.home, order, lambda *_: None)
        for one in report.loads:
            assert one["rows_read"] == one["rows_loaded"] + one["rows_unchanged"] + one["rows_refused"], one
        return report

    def load_first(self, *paths: Path, known_at: str) -> None:
        """Load files on which a test only builds: into an empty home once, then copied to where the same is loaded."""
        sources = sorted((self.home.path / "sources").iterdir())
        key = (known_at, *((path.name, path.read_bytes()) for path in (*sources, *paths)))
        parts = (self.home.archive.name, self.home.warehouse.name)
        if self.home.newest():
            self.load(*paths, known_at=known_at)
        elif key in _FIRST_LOADS:
            for part in parts:
                shutil.copytree(Path(_FIRST_LOADS[key].name, part), self.home.path / part, dirs_exist_ok=True)
        else:
            self.load(*paths, known_at=known_at)
            _FIRST_LOADS[key] = tempfile.TemporaryDirectory(prefix="tenken-first-load-")
            for part in parts:
                shutil.copytree(self.home.path / part, Path(_FIRST_LOADS[key].name, part))

    def masters(self, is_anew: bool = False) -> Group:
        """Load the entities and items; anew where the test changes how files are loaded."""
        paths = self.write("entities.csv", ENTITY_ROWS), self.write("items.csv", ITEM_ROWS)
        (self.load if is_anew else self.load_first)(*paths, known_at="2020-01-01 00:00:00")
        return self

    def ask(self, *statements: str) -> list[Any]:
        """Rows of the newest build, those of one statement after those of the other."""
        newest = self.home.newest()
        assert newest
        # A thread more would cost more than it wins on so few rows.
        with duckdb.connect(str(newest), read_only=True, config={"threads": 1}) as connection:
            return [row for sql in statements for row in connection.execute(sql).fetchall()]

    def history(self) -> str:
        """Fingerprint of everything that was known when, without which load said it first."""
        columns = set(self.ask("select table_name, column_name from duckdb_columns()"))
        statements = []
        for table in (
            "dim_entity", "dim_item", "brg_item_lineage", "fct_inspection", "fct_answer", "fct_plan", "fct_finding",
            "fct_action", "fct_pair", "cube_pair", "cube_plan", "cube_category", "cube_measure", "cube_inspection",
        ):  # fmt: skip
            left_out = [name for name in ("load_id", "row_no", "sheet") if (table, name) in columns]
            exclude = f"exclude ({', '.join(left_out)})" if left_out else ""
            statements.append(f"select '{table}', * {exclude} from {table}")
        texts = sorted(str(row) for row in self.ask(*statements))
        return hashlib.sha256("\n".join(texts).encode()).hexdigest()


@pytest.fixture
def make_group(tmp_path: Path) -> Callable[[str], Group]:
    """Makes groups, each in a folder of its own."""
    return lambda name: Group(tmp_path / name)


@pytest.fixture
def group(make_group: Callable[[str], Group]) -> Group:
    """A group without any load."""
    return make_group("group")
