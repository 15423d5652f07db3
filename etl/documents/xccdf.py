"""XCCDF 1.1 and 1.2 test results, alone, within their benchmark or within an ARF report, as one table of rule results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from etl.cells import Unreadable
from etl.documents.document import Document, join_texts, make_table
from etl.documents.moments import in_utc
from etl.documents.xml_parts import text_of

NAME: Final = "xccdf_results"
NAMESPACES: Final = ("http://checklists.nist.gov/xccdf/1.1", "http://checklists.nist.gov/xccdf/1.2")
REPORT: Final = "{http://scap.nist.gov/schema/asset-reporting-format/1.1}asset-report-collection"
ROOTS: Final = (
    *(f"{{{namespace}}}{name}" for namespace in NAMESPACES for name in ("Benchmark", "TestResult")),
    REPORT,
)

RULE_RESULTS: Final = (
    "Benchmark", "Benchmark title", "Benchmark version", "Test result", "Profile", "Target", "Address", "Start", "End",
    "Ended in UTC", "Rule", "Rule title", "Group title", "Rule version", "Severity", "Weight", "Role", "Idents",
    "Instance", "Result", "Message",
)  # fmt: skip

Cells = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class _Rule:
    """What the benchmark says of a rule."""

    title: str | None
    group_title: str | None
    version: str | None
    severity: str | None
    idents: str | None


@dataclass(frozen=True, slots=True)
class _Benchmark:
    """A benchmark in the file: what it is, and its rules by their ids."""

    id: str | None
    title: str | None
    version: str | None
    rules: dict[str | None, _Rule]


NO_BENCHMARK: Final = _Benchmark(None, None, None, {})


def read_xccdf(root: Element) -> Document:
    """The rule results of every test in the file. Raises Unreadable when it holds no test."""
    benchmarks, results = [], []
    for namespace in NAMESPACES:
        here = [_benchmark(one, namespace) for one in root.iter(f"{{{namespace}}}Benchmark")]
        benchmarks += here
        results += [(one, namespace) for one in root.iter(f"{{{namespace}}}TestResult")]
    if not results:
        raise Unreadable(
            "no_results",
            "The file holds the rules of a benchmark but no test results (TestResult), so there is nothing to load. Export "
            "the results of the scan.",
        )
    rows = (row for result, namespace in results for row in _rows(result, f"{{{namespace}}}", benchmarks))
    return Document(NAME, {"rule_results": make_table(RULE_RESULTS, rows)})


def _benchmark(element: Element, namespace: str) -> _Benchmark:
    ns = f"{{{namespace}}}"
    rules: dict[str | None, _Rule] = {}
    waiting: list[tuple[Element, str | None]] = [(element, None)]
    while waiting:
        parent, group_title = waiting.pop()
        for child in parent:
            if child.tag == f"{ns}Group":
                waiting.append((child, text_of(child.find(f"{ns}title"))))
            elif child.tag == f"{ns}Rule":
                rules[child.get("id")] = _Rule(
                    text_of(child.find(f"{ns}title")),
                    group_title,
                    text_of(child.find(f"{ns}version")),
                    child.get("severity"),
                    join_texts(text_of(one) for one in child.iterfind(f"{ns}ident")),
                )
    return _Benchmark(
        element.get("id"), text_of(element.find(f"{ns}title")), text_of(element.find(f"{ns}version")), rules
    )


def _rows(result: Element, ns: str, benchmarks: list[_Benchmark]) -> Iterator[Cells]:
    named = result.find(f"{ns}benchmark")
    named_id = named.get("id") if named is not None else None
    href = named.get("href") if named is not None else None
    known = [one for one in benchmarks if one.id and (one.id == named_id or (href or "").endswith(one.id))]
    benchmark = known[0] if known else benchmarks[0] if len(benchmarks) == 1 else NO_BENCHMARK
    profile = result.find(f"{ns}profile")
    started, ended = result.get("start-time"), result.get("end-time")
    head: Cells = {
        "Benchmark": benchmark.id or named_id or (href.rsplit("/", 1)[-1].lstrip("#") if href else None),
        "Benchmark title": benchmark.title,
        "Benchmark version": result.get("version") or benchmark.version,
        "Test result": result.get("id"),
        "Profile": profile.get("idref") if profile is not None else None,
        "Target": join_texts(text_of(one) for one in result.iterfind(f"{ns}target")),
        "Address": join_texts(text_of(one) for one in result.iterfind(f"{ns}target-address")),
        "Start": started,
        "End": ended,
        "Ended in UTC": in_utc(ended or started),
    }
    for one in result.iterfind(f"{ns}rule-result"):
        rule = benchmark.rules.get(one.get("idref"))
        idents = join_texts(text_of(ident) for ident in one.iterfind(f"{ns}ident"))
        yield head | {
            "Rule": one.get("idref"),
            "Rule title": rule.title if rule else None,
            "Group title": rule.group_title if rule else None,
            "Rule version": (rule.version if rule else None) or one.get("version"),
            # A profile may refine a severity for its own tests; what the rule itself says is the same in all of them.
            "Severity": (rule.severity if rule else None) or one.get("severity"),
            "Weight": one.get("weight"),
            "Role": one.get("role"),
            "Idents": (rule.idents if rule else None) or idents,
            "Instance": join_texts(text_of(instance) for instance in one.iterfind(f"{ns}instance")),
            "Result": text_of(one.find(f"{ns}result")),
            "Message": join_texts((text_of(message) for message in one.iterfind(f"{ns}message")), "\n"),
        }
