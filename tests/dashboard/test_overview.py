"""The overview shows the figures of its warehouse, in both languages, and says what it cannot show."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from tests.dashboard.small_group import BUILD_NAME, GAP, HALVES, REGIONS, SmallGroup, write_group

OpenApp = Callable[..., AppTest]
NEWEST, PREVIOUS = HALVES[-1], HALVES[-2]


def count_rate(rows: pd.DataFrame) -> tuple[float, float]:
    """Weighted score and weight of applicable, answered items, straight from the rows."""
    scored = rows[rows["verdict"].isin(["met", "partly_met", "not_met"])]
    credit = scored["verdict"].map({"met": 1.0, "partly_met": 0.5, "not_met": 0.0}).astype(float)
    return float((scored["weight"] * credit).sum()), float(scored["weight"].sum())


def pick_self_checks(group: SmallGroup, half: str) -> pd.DataFrame:
    """Answers of the self-checks of a half."""
    answers = group.answers
    return answers[(answers["inspection_type"] == "self_check") & (answers["fiscal_half"] == half)]


def read_texts(app: AppTest) -> Iterator[str]:
    """Every text of the page."""
    for kind in ("title", "subheader", "text", "caption", "markdown", "info"):
        for element in app.get(kind):
            yield element.value


def read_metrics(app: AppTest) -> dict[str, tuple[str, str]]:
    """Label of each card, with its value and its change."""
    return {metric.label: (metric.value, metric.delta) for metric in app.metric}


OVER_TIME = "compliance_rate-by-region"


def open_table(app: AppTest, panel: str) -> AppTest:
    """The app with the table of a panel opened, as a click on its tab does."""
    app.session_state[f"{panel}-tabs"] = "Table"
    return app.run()


def find_table(app: AppTest, *columns: str) -> pd.DataFrame:
    """The first table that has these columns."""
    return next(table.value for table in app.dataframe if set(columns) <= set(table.value.columns))


@pytest.mark.parametrize(("language", "title"), [("en", "Group overview"), ("ja", "グループ概況")])
def test_page_opens_without_error_in_both_languages(open_app: OpenApp, language: str, title: str) -> None:
    app = open_app(lang=language)
    assert not app.exception
    assert [element.value for element in app.title] == [title]
    assert len(app.metric) == 10
    # Drivers, pace, regions over time, region × measure, movers, coverage.
    assert len(app.get("vega_lite_chart")) == 6


def test_cards_show_the_newest_half_and_its_change(open_app: OpenApp, small_group: SmallGroup) -> None:
    app = open_app(lang="en")
    now, before = (pick_self_checks(small_group, half) for half in (NEWEST, PREVIOUS))
    (up, down), (up_before, down_before) = count_rate(now), count_rate(before)
    values = [metric.value for metric in app.metric]
    assert values[0] == f"{up / down:.1%}"
    met = now[now["verdict"] == "met"]["weight"].sum()
    assert values[1] == f"{met / down:.1%}"
    planned = small_group.plans.query("inspection_type == 'self_check' and fiscal_half == @NEWEST")
    assert values[3] == f"{now['inspection_id'].nunique() / len(planned):.1%}"
    told, expected = now["entity_id"].nunique(), planned["entity_id"].nunique()
    assert values[4] == f"{told}"
    assert f"of {expected} ({told / expected:.1%})" in [caption.value for caption in app.caption]
    change = (up / down - up_before / down_before) * 100
    assert float(app.metric[0].delta) == pytest.approx(change, abs=0.051)


def test_table_holds_every_region_and_half_exactly(open_app: OpenApp, small_group: SmallGroup) -> None:
    table = find_table(open_table(open_app(lang="en"), OVER_TIME), "compliance_rate", "region_en", "period")
    shown = table.set_index(["period", "region_en"])
    for code, name, _, _ in REGIONS:
        for half in HALVES:
            rows = pick_self_checks(small_group, half)
            up, down = count_rate(rows[rows["region_code"] == code])
            if not down:
                continue
            row = shown.loc[(half.replace("-", " "), name)]
            assert row["compliance_rate_numerator"] == pytest.approx(up)
            assert row["compliance_rate_denominator"] == pytest.approx(down)
            assert row["compliance_rate"] == pytest.approx(up / down)


def test_half_without_inspections_is_a_gap_and_not_zero(open_app: OpenApp) -> None:
    frame = find_chart_rows(open_app(lang="en"), "period", "series")
    gap = frame[(frame["period"] == GAP[1]) & (frame["series"] == "China")]
    assert len(gap) == 1
    assert gap["rate"].isna().all()
    assert not (frame["rate"] == 0).any()


def read_chart_rows(proto: object) -> pd.DataFrame:
    """Rows that a chart sends to the browser."""
    from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df

    frame: pd.DataFrame = convert_arrow_bytes_to_pandas_df(proto.data.data)  # type: ignore[attr-defined]
    return frame


def find_chart_rows(app: AppTest, *columns: str) -> pd.DataFrame:
    """Rows of the first chart that has these columns."""
    frames = (read_chart_rows(element.proto) for element in app.get("vega_lite_chart"))
    return next(frame for frame in frames if set(columns) <= set(frame))


def test_charts_say_in_words_what_they_show(open_app: OpenApp) -> None:
    charts = [element.proto for element in open_app(lang="ja").get("vega_lite_chart")]
    for chart in charts:
        assert chart.alt.startswith(("折れ線グラフ：", "ヒートマップ：", "棒グラフ：", "滝グラフ："))
        assert json.loads(chart.spec)


def test_same_ids_reopen_the_same_view_in_the_other_language(open_app: OpenApp) -> None:
    english = open_app(lang="en", region=["JP", "EU"], measure="human", from_="FY2023-H1", to="FY2024-H2")
    japanese = open_app(lang="ja", region=["JP", "EU"], measure="human", from_="FY2023-H1", to="FY2024-H2")
    assert [metric.value for metric in english.metric][:4] == [metric.value for metric in japanese.metric][:4]
    sentence = next(text for text in read_texts(japanese) if "2023年度上期" in text)
    assert "日本、欧州" in sentence
    assert {key: value for key, value in english.query_params.items() if key != "lang"} == {
        key: value for key, value in japanese.query_params.items() if key != "lang"
    }


def test_choice_survives_reruns_and_reaches_the_address(open_app: OpenApp) -> None:
    app = open_app(lang="en")
    app.multiselect(key="filters.region").set_value(["CN"]).run()
    app.run()
    assert app.query_params["region"] in ("CN", ["CN"])
    assert app.multiselect(key="filters.region").value == ["CN"]
    app.button_group(key="filters.lang").set_value("ja").run()
    assert app.title[0].value == "グループ概況"
    assert app.multiselect(key="filters.region").value == ["CN"]
    assert app.query_params["lang"] in ("ja", ["ja"])


def test_unknown_values_of_a_link_are_named(open_app: OpenApp) -> None:
    app = open_app(lang="en", region=["JP", "![x](http://example.org/x)"], colour="blue", known="yesterday")
    assert not app.exception
    named = "\n".join(element.value for element in app.text)
    for part in ("region=![x](http://example.org/x)", "colour=blue", "known=yesterday"):
        assert part in named
    assert not any("example.org" in element.value for element in [*app.markdown, *app.caption])
    assert app.multiselect(key="filters.region").value == ["JP"]
    app.run()
    assert "colour=blue" in "\n".join(element.value for element in app.text)


def test_earlier_knowledge_shows_earlier_figures(open_app: OpenApp, small_group: SmallGroup) -> None:
    day = pd.Timestamp("2025-06-20")
    app = open_app(lang="en", known=f"{day:%Y-%m-%d}", to="FY2025-H1", from_="FY2025-H1")
    rows = pick_self_checks(small_group, "FY2025-H1")
    up, down = count_rate(rows[rows["known_from"] <= day + pd.Timedelta(hours=23, minutes=59)])
    assert app.metric[0].value == f"{up / down:.1%}"


def test_page_names_its_build_and_moment(open_app: OpenApp) -> None:
    captions = " ".join(element.value for element in open_app(lang="en").caption)
    assert BUILD_NAME in captions
    assert "As known at 2026-" in captions


def test_no_rows_for_the_filter_says_so(open_app: OpenApp) -> None:
    app = open_app(lang="en", type="privacy_audit", region="EU")
    assert not app.exception
    assert [element.value for element in app.info] == [
        "Nothing matches these filters. Each of these filters leaves nothing, and there is something without it: "
        "Inspection type, Region."
    ]
    assert not app.metric


def test_without_a_build_the_page_says_what_to_run(open_app: OpenApp, tmp_path: Path) -> None:
    app = open_app(home=tmp_path, lang="ja")
    assert not app.exception
    assert app.info[0].value == "表示できるデータがまだありません。"
    assert "python -m etl demo" in app.code[0].value
    assert "python -m etl load" in app.code[0].value


def change_build(home: Path, *statements: str) -> str:
    """Publish a changed copy of the small group's build; its name."""
    old = home / "warehouse" / f"{BUILD_NAME}.duckdb"
    newer = old.with_name("20260501T000000Z-changed.duckdb")
    shutil.copy(old, newer)
    with duckdb.connect(newer) as connection:
        for statement in statements:
            connection.execute(statement)
    (home / "warehouse" / "current").write_text(newer.name, encoding="utf-8")
    return newer.stem


def test_new_build_is_noticed_without_a_restart(open_app: OpenApp, tmp_path: Path) -> None:
    write_group(tmp_path)
    app = open_app(home=tmp_path, lang="en")
    name = change_build(tmp_path, "update dim_region set name_en = 'Nippon' where region_code = 'JP'")
    app.run()
    assert not app.exception
    assert any(name in element.value for element in app.caption)
    assert "Nippon" in set(find_table(open_table(app, OVER_TIME), "compliance_rate", "region_en")["region_en"])


def test_names_of_exports_are_text_and_never_markup_or_format(open_app: OpenApp, tmp_path: Path) -> None:
    write_group(tmp_path)
    name = "{0} ![x](http://example.org/x)"
    change_build(tmp_path, f"update dim_region set name_en = '{name}' where region_code = 'JP'")
    app = open_app(home=tmp_path, lang="en", region="JP")
    assert not app.exception
    assert any(name in element.value for element in app.text)
    marked = [element.value for kind in ("markdown", "caption", "subheader", "info") for element in app.get(kind)]
    assert not any("example.org" in text for text in marked)


def test_entities_without_a_region_are_named_and_not_taken_for_the_total(open_app: OpenApp, tmp_path: Path) -> None:
    write_group(tmp_path)
    change_build(tmp_path, "update dim_entity set region_code = null where entity_code = 'AS-01'")
    app = open_app(home=tmp_path, lang="en")
    frame = find_chart_rows(app, "row", "column")
    assert set(frame["row"]) == {"Japan", "Americas", "Europe", "China", "Asia", "Not stated", "All"}
    assert not frame.duplicated(["row", "column"]).any()


def test_without_a_plan_coverage_is_a_gap(open_app: OpenApp, tmp_path: Path) -> None:
    write_group(tmp_path)
    change_build(tmp_path, "delete from cube_plan")
    app = open_app(home=tmp_path, lang="en")
    assert not app.exception
    assert app.metric[3].value == "–"
    # All but coverage.
    assert len(app.get("vega_lite_chart")) == 5


def test_address_with_ends_in_the_wrong_order_shows_the_same_span(open_app: OpenApp) -> None:
    forward = open_app(lang="en", from_="FY2023-H1", to="FY2024-H2")
    backward = open_app(lang="en", from_="FY2024-H2", to="FY2023-H1")
    assert read_metrics(forward) == read_metrics(backward)
