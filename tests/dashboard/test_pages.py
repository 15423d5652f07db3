"""Every page, from the entry point: with data, without any, without a build, and with nonsense in the address."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import altair as alt
import duckdb
import pandas as pd
import pytest
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.testing.v1 import AppTest

from dashboard.navigation import ENTRIES, PAGES
from dashboard.words import plain, translate
from etl.builds import Home
from etl.commands import Order, load_files

OpenApp = Callable[..., AppTest]
NAMES = [entry.name for entry in PAGES]
SHOWING = [entry.name for entry in PAGES if entry.needs_build]
FILTERED = [name for name in SHOWING if name not in ("loads", "definitions", "entity")]
ENTITY = "AF-0018"
ITEM = "SEC|2020|1.24"


def read_specs(app: AppTest) -> Iterator[tuple[dict[str, Any], pd.DataFrame, str]]:
    """Specification, data and text alternative of every chart."""
    for element in app.get("vega_lite_chart"):
        proto = element.proto
        yield json.loads(proto.spec), convert_arrow_bytes_to_pandas_df(proto.data.data), proto.alt


def list_texts(app: AppTest) -> str:
    return "\n".join(element.value for kind in ("info", "text", "caption") for element in app.get(kind))


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("name", SHOWING)
def test_page_shows_the_demo_group(open_app: OpenApp, demo_home: Path, name: str, language: str) -> None:
    app = open_app(home=demo_home, page=name, lang=language)
    assert [error.value for error in app.exception] == []
    title = translate("ja" if language == "ja" else "en", ENTRIES[name].title)
    assert [element.value.replace("\\", "") for element in app.title] == [title]
    assert len(app.get("vega_lite_chart")) + len(app.dataframe) > 0
    assert app.query_params.get("lang") in (language, [language])


@pytest.mark.parametrize("grain", ["year", "quarter"])
@pytest.mark.parametrize("name", FILTERED)
def test_page_takes_other_lengths_of_periods_and_all_types(
    open_app: OpenApp, demo_home: Path, name: str, grain: str
) -> None:
    app = open_app(home=demo_home, page=name, lang="en", per=grain, type="all", known="2026-01-15")
    assert [error.value for error in app.exception] == []


@pytest.mark.parametrize(
    ("name", "address"),
    [("entity", {"entity": ENTITY}), ("items", {"item": ITEM}), ("changes", {"compare": "knowledge"})],
)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_page_of_one_thing(
    open_app: OpenApp, demo_home: Path, name: str, address: dict[str, str], language: str
) -> None:
    app = open_app(home=demo_home, page=name, lang=language, **address)
    assert [error.value for error in app.exception] == []
    assert len(app.get("vega_lite_chart")) > 1
    assert not any(end in element.value for element in app.text for end in ("。。", ".."))


@pytest.mark.parametrize("name", NAMES)
def test_charts_are_valid_have_their_fields_and_say_what_they_show(
    open_app: OpenApp, demo_home: Path, name: str
) -> None:
    app = open_app(home=demo_home, page=name, lang="en", **({"entity": ENTITY} if name == "entity" else {}))
    for spec, data, said in read_specs(app):
        alt.LayerChart.from_dict(spec | {"data": {"name": "data"}})
        assert said.strip(), spec
        assert find_fields(spec) - set(data.columns) - {"geo", "ink", "bar"} == set()
        assert len(data) < 6000


def find_fields(part: Any) -> set[str]:
    """Every column that a specification names."""
    if isinstance(part, list):
        return {name for one in part for name in find_fields(one)}
    if isinstance(part, dict):
        own = {part["field"]} if isinstance(part.get("field"), str) else set()
        own |= set(part["select"].get("fields", ())) if isinstance(part.get("select"), dict) else set()
        return own | {name for key, one in part.items() if key != "datasets" for name in find_fields(one)}
    return set()


@pytest.mark.parametrize("name", FILTERED)
def test_page_says_which_filter_leaves_nothing(open_app: OpenApp, demo_home: Path, name: str) -> None:
    # A region and a country that do not go together.
    app = open_app(home=demo_home, page=name, lang="en", region="EU", country="JP")
    assert [error.value for error in app.exception] == []
    said = list_texts(app)
    assert "Nothing matches these filters." in said or "No entity" in said
    if name != "privacy":
        assert "Region" in said and "Country" in said


@pytest.mark.parametrize("name", SHOWING)
def test_page_without_a_build_says_what_to_run(open_app: OpenApp, tmp_path: Path, name: str) -> None:
    app = open_app(home=tmp_path, page=name, lang="en")
    assert not app.exception
    assert [element.value for element in app.title] == [ENTRIES[name].title]
    assert "python -m etl load" in app.code[0].value


def test_build_of_another_version_is_named_with_what_to_do(open_app: OpenApp, demo_home: Path, tmp_path: Path) -> None:
    shutil.copytree(demo_home / "warehouse", tmp_path / "warehouse")
    (build,) = (tmp_path / "warehouse").glob("*.duckdb")
    with duckdb.connect(str(build)) as connection:
        connection.execute("update build set schema_version = 0")
    app = open_app(home=tmp_path, lang="en")
    assert not app.exception
    assert "python -m etl rebuild" in app.warning[0].value.replace("\\", "")


NONSENSE = {"region": "XX", "from": "FY1900-H1", "type": "zzz", "known": "soon", "colour": "blue", "per": "week"}


@pytest.mark.parametrize("name", NAMES)
def test_nonsense_in_the_address_is_named_and_breaks_nothing(open_app: OpenApp, demo_home: Path, name: str) -> None:
    own = {f"{parameter}_": "![x](http://example.org)" for parameter in ENTRIES[name].own}
    app = open_app(home=demo_home, page=name, lang="en", **NONSENSE, **own)
    assert [error.value for error in app.exception] == []
    named = "\n".join(element.value for element in app.text)
    for parameter, value in NONSENSE.items():
        assert f"{parameter}={value}" in named
    marked = [element.value for kind in ("markdown", "caption", "subheader", "info") for element in app.get(kind)]
    assert not any("http://example.org" in text for text in marked)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("changes", {"compare": "zzz", "a": "FY1999-H1"}),
        ("sites", {"show": "NO-SUCH"}),
        ("answers", {"verdict": "zzz"}),
        ("findings", {"list": "zzz"}),
        ("pdca", {"stage": "zzz"}),
        ("loads", {"load": "zzz"}),
        ("regions", {"map": "zzz"}),
    ],
)
def test_unknown_values_of_a_page_s_own_parameters_are_named(
    open_app: OpenApp, demo_home: Path, name: str, address: dict[str, str]
) -> None:
    app = open_app(home=demo_home, page=name, lang="en", **address)
    named = "\n".join(element.value for element in app.text)
    for parameter, value in address.items():
        assert f"{parameter}={value}" in named


def test_filters_survive_another_page(open_app: OpenApp, demo_home: Path) -> None:
    app = open_app(home=demo_home, lang="en", region=["CN", "EU"], measure="human")
    app.switch_page(ENTRIES["regions"].path).run()
    assert not app.exception
    assert app.multiselect(key="filters.region").value == ["CN", "EU"]
    assert "Region: Europe, China" in list_texts(app) or "Region: China, Europe" in list_texts(app)


def test_answers_are_searched_on_the_server_and_sent_by_the_page(open_app: OpenApp, demo_home: Path) -> None:
    app = open_app(home=demo_home, page="answers", lang="en", verdict="not_met", q="台帳")
    table = app.dataframe[0].value
    assert 0 < len(table) <= 100
    assert set(table["verdict_en"]) == {"Not met"}
    other = open_app(home=demo_home, page="answers", lang="en", page_="2").dataframe[0].value
    assert len(other) == 100


def test_hostile_names_are_escaped_in_titles(open_app: OpenApp, demo_home: Path) -> None:
    app = open_app(home=demo_home, page="entity", lang="en", entity=ENTITY)
    name = app.title[0].value
    assert plain(name.replace("\\", "")) == name


def test_targets_that_cannot_be_used_are_named_on_the_page_and_mended_without_a_new_build(
    open_app: OpenApp, demo_home: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "warehouse").symlink_to(demo_home / "warehouse")
    targets = home / "targets.csv"
    targets.write_text("metric,fiscal_year,rate\ncompliance_rate,FY2020,95%\n")
    app = open_app(home=home, lang="en")
    assert not app.exception
    said = app.error[0].value.replace("\\", "")
    assert "targets.csv, line 2" in said and "95%" in said
    targets.write_text("metric,fiscal_year,rate\ncompliance_rate,FY2020,0.77\n")
    app.run()
    assert not app.error
    assert any("target" in data.columns and (data["target"] == 0.77).any() for _, data, _ in read_specs(app))


def test_refusals_of_a_file_are_listed_by_themselves(open_app: OpenApp, demo_home: Path, tmp_path: Path) -> None:
    exports, sent = demo_home.parent / "exports", tmp_path / "sent"
    shutil.copytree(exports / "master", sent)
    lines = (exports / "self_check" / "self_check_history.csv").read_text("utf-8").splitlines()[:3]
    files = [sent / f"self_check_history_{name}.csv" for name in "ab"]
    for number, file in enumerate(files):
        entity = lines[1].split(",")[1]
        file.write_text("\n".join([lines[0], *(line.replace(entity, f"ZZ-{number}") for line in lines[1:])]), "utf-8")
    good = sent / "self_check_history_c.csv"
    good.write_text("\n".join(lines), "utf-8")
    home = Home(tmp_path / "home")
    load_files(home, Order([sent]), lambda *_: None)
    app = open_app(home=home.path, page="loads", lang="en")
    assert not app.exception
    files_shown = next(table.value for table in app.dataframe if "rows_read" in table.value)
    refused = {row.file_name: row.load_no for row in files_shown.itertuples() if row.rows_refused}
    assert set(refused) == {file.name for file in files}
    for name, number in refused.items():
        app = open_app(home=home.path, page="loads", lang="en", load=str(number))
        listed = next(table.value for table in app.dataframe if "reason" in table.value)
        assert set(listed["file_name"]) == {name}
        assert len(listed) >= 2


def test_entities_of_the_same_name_have_lines_and_rows_of_their_own(
    open_app: OpenApp, demo_home: Path, tmp_path: Path
) -> None:
    exports, sent = demo_home.parent / "exports", tmp_path / "sent"
    shutil.copytree(exports / "master", sent)
    (master,) = sent.glob("organisation_master*.csv")
    text = master.read_text("utf-8-sig")
    assert ",Internal Audit Office," in text
    master.write_text(text.replace(",Internal Audit Office,", ",Human Resources Department,"), "utf-8")
    lines = (exports / "self_check" / "self_check_history.csv").read_text("utf-8").splitlines()
    both = [line for line in lines if ",HQ-0002," in line or ",HQ-0003," in line]
    (sent / "self_check_history_two.csv").write_text("\n".join([lines[0], *both]), "utf-8")
    home = Home(tmp_path / "home")
    load_files(home, Order([sent]), lambda *_: None)
    app = open_app(home=home.path, page="sites", lang="en", show="HQ-0002,HQ-0003")
    assert not app.exception
    drawn = [data for _, data, _ in read_specs(app) if set(data.get("id", ())) >= {"HQ-0002", "HQ-0003"}]
    assert any("series" in data for data in drawn) and any("row_lines" in data for data in drawn)
    for data in drawn:
        name = "row_lines" if "row_lines" in data else "series"
        known = data[data["id"].isin(["HQ-0002", "HQ-0003"])]
        assert known.groupby("id")[name].unique().map(tuple).nunique() == 2


def test_restated_figure_of_the_demo_is_found(open_app: OpenApp, demo_home: Path) -> None:
    # The demo corrects one self-check after it was reported.
    app = open_app(home=demo_home, page="changes", lang="en", a="FY2025-H1", b="FY2025-H2")
    restated = next(table.value for table in app.dataframe if "rate_then" in table.value and "name" in table.value)
    assert len(restated) == 1
    assert restated["change"].iloc[0] < -5
