"""The command line: python -m metrics ask and list."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from metrics.__main__ import main
from metrics.catalog import DIMENSIONS, METRICS
from tests.etl.conftest import Group


@pytest.fixture(autouse=True)
def _home(figure_group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures worked out by hand are what is asked."""
    monkeypatch.setenv("TENKEN_HOME", str(figure_group.home.path))


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, output and errors of a command."""
    status = main(arguments)
    told = capsys.readouterr()
    return status, told.out, told.err


def rates(capsys: pytest.CaptureFixture[str], known_at: str) -> list[float | None]:
    """Compliance of C-4, which was corrected on 1 December 2024 at noon."""
    status, out, _ = run(capsys, "ask", "compliance_rate", "--where", "entity=C-4", "--known-at", known_at, "--json")
    assert status == 0
    return [row["compliance_rate"] for row in json.loads(out)["rows"]]


def test_table_shows_labels_figures_and_what_they_rest_on(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("compliance_rate", "answers", "--by", "region", "--known-at", "2024-12-31", "--where", "to=FY2024")
    status, out, err = run(capsys, "ask", *arguments, "--where", "region=AM,EU")
    assert (status, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["AM", "Americas", "96.2%", "182.75", "/", "190", "2", "of", "2", "8"] in lines
    # All not applicable: no rate, but three answers.
    assert ["EU", "Europe", "-", "0", "/", "0", "0", "of", "1", "3"] in lines
    assert "Region: AM, EU; period: … – FY2024 (known at 2024-12-31 23:59 UTC); build-" in out


def test_table_without_a_row_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "ask", "compliance_rate", "--by", "region", "--known-at", "2020-01-01")
    assert status == 0 and out.startswith("No row: nothing was inspected there.")


def test_json_holds_ids_labels_and_parts(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("compliance_rate", "--by", "entity", "--where", "region=AM,AS", "--known-at", "2024-12-31", "--json")
    status, out, _ = run(capsys, "ask", *arguments)
    told = json.loads(out)
    assert status == 0 and told["known_at"].startswith("2024-12-31 23:59:59")
    assert told["build"].startswith("build-") and told["shown"].startswith("Region: AM, AS")
    large, small, formula = told["rows"]
    assert (large["entity"], large["entity_en"], large["compliance_rate"]) == ("R-1", "Large", 0.95)
    assert (small["compliance_rate_numerator"], small["compliance_rate_denominator"]) == (87.75, 90)
    assert (small["compliance_rate_contributing"], small["compliance_rate_expected"]) == (1, 1)
    assert formula["entity_en"] == "=1+1"


def test_missing_figure_is_null_in_json_and_empty_in_csv(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("ask", "compliance_rate", "--where", "entity=C-3", "--known-at", "2024-12-31")
    assert json.loads(run(capsys, *arguments, "--json")[1])["rows"][0]["compliance_rate"] is None
    (row,) = csv.DictReader(io.StringIO(run(capsys, *arguments, "--csv")[1]))
    assert row["compliance_rate"] == "" and float(row["compliance_rate_denominator"]) == 0


def test_csv_runs_no_formula_in_a_spreadsheet(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "ask", "answers", "--by", "entity", "--where", "entity=X-1", "--csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert status == 0 and (row["entity"], row["entity_en"], row["entity_ja"]) == ("X-1", "'=1+1", "'=1+1")
    assert float(row["answers"]) == 2


def test_known_at_date_means_the_end_of_that_day(capsys: pytest.CaptureFixture[str]) -> None:
    assert rates(capsys, "2024-11-30") == [0.5]
    assert rates(capsys, "2024-12-01") == [1]  # the correction of noon is known
    assert rates(capsys, "2024-12-01T11:59:59") == [0.5]
    assert rates(capsys, "2024-12-01T12:00:00") == [1]


def test_known_at_with_an_offset_is_that_moment_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    assert rates(capsys, "2024-12-01T20:30:00+09:00") == [0.5]  # 11:30 UTC, before the correction


def test_figure_of_nothing_is_a_dash_not_nan(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "ask", "compliance_rate", "--known-at", "2020-01-01")
    assert "nan" not in out.lower()


def test_facts_side_by_side_are_a_dash_where_one_is_missing(
    capsys: pytest.CaptureFixture[str], plan_group: Group
) -> None:
    """P-3 and P-4 have a plan and no answer, P-6 an answer and no plan."""
    _, out, _ = run(
        capsys, "ask", "compliance_rate", "coverage_rate", "--by", "entity", "--known-at", "2024-10-15",
        "--home", str(plan_group.home.path),
    )  # fmt: skip
    assert "nan" not in out.lower() and ".0 of" not in out


@pytest.mark.parametrize("value", ["P-3", "P-4"])
def test_entity_that_was_planned_and_never_inspected_can_be_asked_for(
    capsys: pytest.CaptureFixture[str], plan_group: Group, value: str
) -> None:
    status, out, err = run(
        capsys, "ask", "planned_inspections", "--where", f"entity={value}", "--known-at", "2024-10-15",
        "--home", str(plan_group.home.path),
    )  # fmt: skip
    assert (status, err) == (0, "") and "1" in out.split()


@pytest.mark.parametrize(("arguments", "reason"), [
    (("ask", "complience_rate"), "did you mean compliance_rate?"),
    (("ask", "answers", "--by", "regoin"), "did you mean region?"),
    (("ask", "answers", "--where", "entity=C-11"), "no entity is 'C-11'; did you mean C-1?"),
    (("ask", "answers", "--where", "fiscal_half=FY2024-H3"), "did you mean FY2024-H"),
    (("ask", "answers", "--where", "verdict=mett"), "no verdict is 'mett'; did you mean met?"),
    (("ask", "answers", "--where", "entiti=C-1"), "'entiti=C-1' is no filter; did you mean entity=…?"),
    (("ask", "answers", "--where", "region"), "'region' is no filter"),
    (("ask", "answers", "--where", "from=soon"), "'soon' is no period such as"),
    (("ask", "answers", "--known-at", "31/12/2024"), "'31/12/2024' is no date such as 2023-10-20"),
    (("ask", "answers", "--where", "entity='; drop table fct_answer; --"), "no entity is"),
])  # fmt: skip
def test_what_cannot_be_answered_is_told_with_status_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], reason: str
) -> None:
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "") and reason in err and "Traceback" not in err


def test_missing_warehouse_is_told_with_status_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, out, err = run(capsys, "ask", "answers", "--home", str(tmp_path))
    assert (status, out) == (2, "") and str(tmp_path) in err and "python -m etl load" in err


def test_sql_is_shown_with_its_values_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "ask", "answers", "inspections", "--where", "region=JP", "--sql")
    assert out.count("with entity as (") == 2 and "'JP'" not in out.split("-- {")[0] and "-- {'region': ['JP']" in out


def test_list_names_every_metric_and_dimension(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "list")
    words = set(out.split())
    assert status == 0 and {*METRICS, *DIMENSIONS} <= words
    assert all(one.label_ja in out and one.description_en in out for one in METRICS.values())
