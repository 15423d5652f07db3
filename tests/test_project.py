"""The project as a whole: what is committed, where pages are, and that documents and schema say what is there."""

from __future__ import annotations

import ast
import csv
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from dashboard.navigation import PAGES
from metrics.catalog import DIMENSIONS, METRICS, Dimension, Metric

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")

# Put together from parts, so that this file does not find itself.
UNWANTED = {
    "path of one machine": re.compile("/(?:" + "|".join(["home", "root", "Users", "work", "opt"]) + r")/[\w.]"),
    "address of a package index": re.compile(r"(?:extra-)?" + "index-" + r"url|find-" + r"links|file:" + "//"),
    "folder of Windows": re.compile(r"\b[A-Z]:" + r"\\Users"),
}
BINARY = {".xlsx", ".parquet", ".png", ".svgz", ".ico", ".woff2", ".pdf", ".zip", ".gz", ".duckdb"}


def project_files() -> list[Path]:
    """Files that are committed, or would be: everything that .gitignore does not leave out."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def imported(path: Path) -> set[str]:
    """Top-level names of the packages that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


# --- what is committed ---------------------------------------------------------------------------


def test_no_file_names_a_machine_or_an_index() -> None:
    found = []
    for path in project_files():
        if path.suffix in BINARY:
            continue
        text = path.read_text("utf-8", errors="replace")
        for what, pattern in UNWANTED.items():
            found += [f"{path.relative_to(ROOT)}: {what}: {match[0]}" for match in pattern.finditer(text)]
    assert found == []


def test_no_data_of_a_group_is_committed() -> None:
    kept_out = (
        "data/inbox/",
        "data/archive/",
        "data/warehouse/",
        "data/facts/",
        "data/demo/",
        "data/audit/",
        "data/logins/",
        ".venv/",
    )
    names = [path.relative_to(ROOT).as_posix() for path in project_files()]
    assert [
        name for name in names if name.startswith(kept_out) or name.endswith((".duckdb", "secrets.toml", "access.toml"))
    ] == []


def test_pins_are_plain_and_cover_every_dependency() -> None:
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][\w.!+]*", pin)] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    pinned = {pin.partition("==")[0].lower().replace("_", "-") for pin in pins}
    assert [name for name in (re.split(r"[<>=~!]", each)[0] for each in wanted) if name.lower() not in pinned] == []


@pytest.mark.parametrize("folder", ["etl", "metrics", "insights", "dashboard", "pages", "app.py"])
def test_every_package_imported_is_a_declared_dependency(folder: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = [each for some in project["project"]["optional-dependencies"].values() for each in some]
    wanted = project["project"]["dependencies"] + extras
    declared = {re.split(r"[<>=~!]", each)[0].replace("-", "_") for each in wanted}
    imported_as = {"vl_convert_python": "vl_convert", "protobuf": "google"}
    declared |= {name for package, name in imported_as.items() if package in declared}
    # numpy is part of what pandas offers.
    known = declared | sys.stdlib_module_names | {"etl", "metrics", "insights", "dashboard", "numpy"}
    path = ROOT / folder
    used = {name for file in ([path] if path.is_file() else path.rglob("*.py")) for name in imported(file)}
    assert used - known == set()


# --- pages ---------------------------------------------------------------------------------------


def test_every_page_is_in_a_section() -> None:
    # Streamlit opens a script directly in pages/ by its address, past app.py and its sign-in.
    assert list((ROOT / "pages").glob("*.py")) == []
    pages = list((ROOT / "pages").rglob("*.py"))
    assert pages
    assert [page for page in pages if len(page.relative_to(ROOT).parts) != 3] == []


def test_every_page_is_in_the_navigation() -> None:
    pages = {page.relative_to(ROOT).as_posix() for page in (ROOT / "pages").rglob("*.py")}
    assert {entry.path for entry in PAGES} == pages


def test_app_and_pages_meet_only_the_dashboard() -> None:
    # import-linter cannot see app.py, which is no package.
    for path in [ROOT / "app.py", *(ROOT / "pages").rglob("*.py")]:
        assert imported(path) & {"etl", "metrics", "insights", "duckdb"} == set(), path


# --- documents -----------------------------------------------------------------------------------


def glossary_table(section: str) -> list[str]:
    """Rows of the table in one section of the glossary, without its head."""
    text = (ROOT / "GLOSSARY.md").read_text("utf-8")
    body = text.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    return [line for line in body.splitlines() if line.startswith("|")][2:]


@pytest.mark.parametrize(("section", "catalog"), [("Metrics", METRICS), ("Dimensions", DIMENSIONS)])
def test_glossary_says_what_the_catalog_says(section: str, catalog: Mapping[str, Metric | Dimension]) -> None:
    expected = [
        f"| {one.name} | {one.label_en} | {one.label_ja} | {one.description_en} | {one.description_ja} |"
        for one in catalog.values()
    ]
    assert glossary_table(section) == expected, "The table should be:\n" + "\n".join(expected)


def test_catalog_keys_are_names() -> None:
    assert [key for key, one in (METRICS | DIMENSIONS).items() if key != one.name] == []


def commands_of_readme() -> list[str]:
    """What the README's blocks of code tell to run."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    return [line.partition("#")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


def test_readme_names_only_targets_that_the_makefile_has() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = set(re.findall(r"`make ([a-z]+)", README)) | set(re.findall(r"^make ([a-z]+)", README, re.MULTILINE))
    assert {"run", "test", "check", "bench", "clean"} <= named
    assert [target for target in sorted(named) if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


@pytest.mark.parametrize(
    "command", sorted({" ".join(line.split()[:4]) for line in commands_of_readme() if line.startswith("python -m")})
)
def test_readme_names_only_commands_that_exist(command: str) -> None:
    told = subprocess.run(
        [sys.executable, *command.split()[1:], "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    assert "usage:" in told.stdout


def test_links_between_documents_lead_somewhere() -> None:
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_decisions_are_numbered_without_gaps() -> None:
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        assert path.read_text("utf-8").startswith(f"# {path.name[:4]} "), path.name


# --- schema and reference data -------------------------------------------------------------------


@pytest.fixture(scope="module")
def schema() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    for path in sorted((ROOT / "data" / "schema").glob("*.sql")):
        connection.execute(path.read_text("utf-8"))
    return connection


def test_every_table_and_column_has_a_comment(schema: duckdb.DuckDBPyConnection) -> None:
    assert schema.execute("select count(*) from duckdb_tables()").fetchall() != [(0,)]
    bare_tables = schema.execute("select table_name from duckdb_tables() where coalesce(comment, '') = ''").fetchall()
    bare_columns = schema.execute(
        "select table_name || '.' || column_name from duckdb_columns() "
        "where not internal and coalesce(comment, '') = ''"
    ).fetchall()
    assert bare_tables + bare_columns == []


def test_columns_are_named_for_what_they_hold(schema: duckdb.DuckDBPyConnection) -> None:
    kinds = {"on": {"DATE"}, "at": {"TIMESTAMP"}, "id": {"BIGINT"}, "code": {"VARCHAR"}, "rate": {"DOUBLE"}}
    rows = schema.execute(
        "select table_name, column_name, data_type from duckdb_columns() where not internal"
    ).fetchall()
    wrong = []
    for table, column, data_type in rows:
        allowed = {"BOOLEAN"} if column.startswith(("is_", "has_")) else kinds.get(column.rpartition("_")[2])
        # numeric_code is what ISO 3166-1 calls it.
        if allowed and data_type not in allowed and column != "numeric_code":
            wrong.append(f"{table}.{column}: {data_type}")
    assert wrong == []


@pytest.mark.parametrize(("table", "file"), [("dim_region", "regions.csv"), ("dim_country", "countries.csv")])
def test_reference_files_fit_their_tables(schema: duckdb.DuckDBPyConnection, table: str, file: str) -> None:
    with (ROOT / "data" / "reference" / file).open(encoding="utf-8", newline="") as opened:
        heading, *rows = csv.reader(opened)
    columns = schema.execute("select column_name from duckdb_columns() where table_name = ?", [table]).fetchall()
    assert [(name,) for name in heading] == columns
    assert all(all(row) and len(row) == len(heading) for row in rows)
    for position in (0, 1, 2):
        assert len({row[position] for row in rows}) == len(rows)


def test_countries_are_those_of_iso_3166() -> None:
    with (ROOT / "data" / "reference" / "countries.csv").open(encoding="utf-8", newline="") as opened:
        countries = {row["country_code"]: row for row in csv.DictReader(opened)}
    assert len(countries) == 249
    assert countries["JP"] == {"country_code": "JP", "name_en": "Japan", "name_ja": "日本", "numeric_code": "392"}
    assert countries["SG"]["numeric_code"] == "702"
