"""SECURITY.md and docs/asvs.md: every test and file that they name is there, and nothing that they must cover is left out."""

from __future__ import annotations

import ast
import re
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SECURITY = "SECURITY.md"
ASVS = "docs/asvs.md"
LONGEST_SECURITY = 200
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
NAMED_FILE = re.compile(r"`([\w.]+(?:/[\w.]+)*\.(?:py|md|toml|lock))`")
STATES = {"met", "documented", "untested", "operator", "partly", "not met", "n/a"}

# How many requirements of level 1 and 2 the sections of each chapter of ASVS 5.0.0 have; level 3 is numbered after them.
REQUIREMENTS = {
    1: (2, 9, 11, 3, 2),
    2: (3, 3, 4, 1),
    3: (0, 2, 4, 6, 5, 0, 2),
    4: (3, 1, 2, 4),
    5: (1, 3, 2, 3),
    6: (3, 12, 4, 4, 5, 3, 0, 4),
    7: (3, 4, 2, 5, 2, 2),
    8: (2, 3, 1, 1),
    9: (3, 4),
    10: (2, 2, 4, 11, 5, 2, 3),
    11: (2, 3, 3, 4, 1, 1, 0),
    12: (3, 2, 4),
    13: (1, 5, 2, 5),
    14: (2, 4, 3),
    15: (3, 3, 7, 0),
    16: (1, 5, 4, 3, 3),
    17: (1, 4, 2),
}

# Calls that make code, commands or objects of texts, and hashes that no longer hold.
FORBIDDEN_CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "subprocess.getoutput", "pickle.load",
    "pickle.loads", "marshal.loads", "shelve.open", "hashlib.md5", "hashlib.sha1",
}  # fmt: skip
FORBIDDEN_ARGUMENTS = {"shell", "unsafe_allow_html", "unsafe_allow_javascript"}
PROGRAM = ("app.py", "dashboard", "etl", "insights", "metrics", "pages")


@cache
def list_tests(path: str) -> set[str]:
    """Names of the tests of a file; none where there is no such file."""
    if not (ROOT / path).is_file():
        return set()
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def list_missing(text: str) -> list[str]:
    """Tests that a text names and that are not there."""
    return [f"{path}::{name}" for path, name in NAMED_TEST.findall(text) if name not in list_tests(path)]


def read_promises() -> list[str]:
    """The numbered items of the section with the promises, in their order."""
    text = (ROOT / SECURITY).read_text("utf-8")
    (section,) = re.findall(r"^## What is promised$(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    items = re.split(r"^(\d+)\. ", section, flags=re.MULTILINE)[1:]
    assert [int(number) for number in items[::2]] == [*range(1, len(items) // 2 + 1)]
    return items[1::2]


def read_rows() -> list[list[str]]:
    """Cells of the rows of docs/asvs.md that begin with the number of a requirement."""
    lines = (ROOT / ASVS).read_text("utf-8").splitlines()
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if re.match(r"\| \d+\.\d+\.\d", line)
    ]


def spread(numbers: str) -> list[str]:
    """Numbers of requirements, such as `6.1.1, 6.2.1–6.2.3`, one by one."""
    found = []
    for part in numbers.split(", "):
        first, _, last = part.partition("–")
        section, _, begin = first.rpartition(".")
        assert not last or last.rpartition(".")[0] == section, part
        found += [f"{section}.{number}" for number in range(int(begin), int((last or first).rpartition(".")[2]) + 1)]
    return found


@pytest.mark.parametrize("document", [SECURITY, ASVS])
def test_tests_and_files_that_are_named_exist(document: str) -> None:
    text = (ROOT / document).read_text("utf-8")
    assert len(NAMED_TEST.findall(text)) > 30
    assert list_missing(text) == []
    # A name that is written in another way would be held to nothing.
    assert text.count("::test_") == len(NAMED_TEST.findall(text))
    assert [name for name in NAMED_FILE.findall(text) if "/" in name and not (ROOT / name).is_file()] == []


def test_a_test_that_was_renamed_is_missed() -> None:
    own = "tests/test_security.py"
    assert list_missing(f"`{own}::test_a_test_that_was_renamed_is_missed`") == []
    for name in (f"{own}::test_of_old", "tests/test_gone.py::test_of_old", f"{own}::read_rows"):
        assert list_missing(f"`{name}`") == [name]


def test_every_promise_names_a_test() -> None:
    promises = read_promises()
    assert len(promises) > 15
    assert [promise for promise in promises if not NAMED_TEST.search(promise)] == []
    assert len((ROOT / SECURITY).read_text("utf-8").splitlines()) <= LONGEST_SECURITY


def test_every_requirement_is_answered_once() -> None:
    chapters = re.findall(r"^## V(\d+) ", (ROOT / ASVS).read_text("utf-8"), re.MULTILINE)
    assert [int(chapter) for chapter in chapters] == [*REQUIREMENTS] == [*range(1, 18)]
    wanted = [
        f"{chapter}.{section}.{number}"
        for chapter, counts in REQUIREMENTS.items()
        for section, count in enumerate(counts, 1)
        for number in range(1, count + 1)
    ]
    answered = [*chain.from_iterable(spread(row[0]) for row in read_rows())]
    assert len(wanted) == 253
    assert sorted(answered) == sorted(wanted)


def test_what_is_met_names_file_and_test() -> None:
    for row in read_rows():
        assert len(row) == 5, row
        numbers, asked, state, how, tests = row
        assert state in STATES and asked and how, row
        assert bool(NAMED_TEST.search(tests)) or state != "met", numbers
        assert not tests or state not in ("n/a", "untested", "documented", "not met"), numbers


def name_call(node: ast.expr) -> str:
    """The dotted name of what is called; empty where it has none."""
    if isinstance(node, ast.Attribute):
        return f"{name_call(node.value)}.{node.attr}" if name_call(node.value) else ""
    return node.id if isinstance(node, ast.Name) else ""


def list_forbidden(tree: ast.AST) -> list[str]:
    """Calls and arguments that a program must not have."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [name for node in calls if (name := name_call(node.func)) in FORBIDDEN_CALLS]
    given = [one.arg for node in calls for one in node.keywords if one.arg in FORBIDDEN_ARGUMENTS]
    return [*named, *given]


def test_no_code_is_made_of_texts() -> None:
    sample = "eval(x); os.system(x); run(x, shell=True); re.compile(x); st.markdown(x, unsafe_allow_html=y); sha256(x)"
    assert list_forbidden(ast.parse(sample)) == ["eval", "os.system", "shell", "unsafe_allow_html"]
    found = []
    for name in PROGRAM:
        files = [ROOT / name] if name.endswith(".py") else sorted((ROOT / name).rglob("*.py"))
        assert files, name
        for file in files:
            tree = ast.parse(file.read_text("utf-8"))
            found += [f"{file.relative_to(ROOT)}: {what}" for what in list_forbidden(tree)]
    assert found == []
