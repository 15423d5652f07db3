"""Tables and charts as files: what is in them, and that nothing in them is run or fetched."""

from __future__ import annotations

import csv
import io
import json
import re
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen
from xml.etree import ElementTree

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from dashboard.downloads import CUT, LONGEST_CELL, Column, name_sheet, write_csv, write_xlsx
from dashboard.pictures import PictureProblem, draw_picture, read_config
from dashboard.world import (
    FOLDER,
    POINTS,
    SHAPES,
    make_points,
    make_shapes,
    read_points,
    read_shaped_codes,
    read_shapes,
)

HOSTILE = [
    '=HYPERLINK("http://127.0.0.1/","x")', "+1", "-x", "@SUM(A1)", "\tx", "\rx", "  =1", "＝1+1", "＠SUM(A1)",
    "http://127.0.0.1/", "mailto:a@b.example", "internal:Sheet1!A1", "{=1}", "_x003D_1", "\x00\x07", "\ud800",
]  # fmt: skip
COLUMNS = (
    Column("name", "名称", "text"),
    Column("asked", "Items", "integer"),
    Column("weight", "Weight", "number"),
    Column("rate", "Rate", "rate"),
    Column("change", "Change", "points"),
    Column("inspected_on", "Inspected", "date"),
    Column("loaded_at", "Inspected", "moment"),
    Column("is_small", "Small", "flag"),
)
FRAME = pd.DataFrame(
    {
        "name": ["東京本社, 本館", None, "x"],
        "asked": pd.array([12_000, None, 3], dtype="Int64"),
        "weight": [1.25, float("nan"), float("inf")],
        "rate": [0.5, float("nan"), 1.0],
        "change": [-4.25, float("nan"), 0.0],
        "inspected_on": [date(2025, 4, 1), None, date(1899, 1, 2)],
        "loaded_at": pd.to_datetime(["2025-04-01 09:30:15", None, "2025-12-31 23:59:00"]),
        "is_small": pd.array([True, None, False], dtype="boolean"),
    }
)
SPEC: dict[str, Any] = {
    "height": 100,
    "encoding": {"x": {"field": "day", "type": "temporal"}, "y": {"field": "rate", "type": "quantitative"}},
    "layer": [
        {"mark": "point", "params": [{"name": "pick", "select": {"type": "point", "fields": ["day"]}}]},
        {"mark": "text", "encoding": {"text": {"field": "name"}, "color": {"field": "name", "type": "ordinal"}}},
    ],
}
DAYS = pd.DataFrame(
    {"day": [date(2025, 4, 1), date(2025, 5, 1), None], "rate": [0.25, None, 1.0], "name": ["直す", "骨", None]}
)


def parts_of(file: bytes) -> dict[str, str]:
    """The parts of a workbook by name."""
    with zipfile.ZipFile(io.BytesIO(file)) as book:
        return {name: book.read(name).decode() for name in book.namelist()}


def rows_of(file: bytes, sheet: int = 0) -> list[list[Any]]:
    """The cells of a sheet as calamine reads them."""
    return CalamineWorkbook.from_filelike(io.BytesIO(file)).get_sheet_by_index(sheet).to_python(skip_empty_area=False)


def read_csv(file: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")))


# --- tables as text ------------------------------------------------------------------------------


def test_csv_has_labels_plain_numbers_and_iso_days() -> None:
    file = write_csv(FRAME, COLUMNS)
    assert file.startswith(b"\xef\xbb\xbf")
    assert file.count(b"\r\n") == 4
    assert b"\n" not in file.replace(b"\r\n", b"")
    assert read_csv(file) == [
        ["名称", "Items", "Weight", "Rate", "Change", "Inspected", "Inspected", "Small"],
        ["東京本社, 本館", "12000", "1.25", "0.5", "-4.25", "2025-04-01", "2025-04-01 09:30:15", "1"],
        ["", "", "", "", "", "", "", ""],
        ["x", "3", "", "1", "0", "1899-01-02", "2025-12-31 23:59:00", "0"],
    ]


@pytest.mark.parametrize("cell", HOSTILE[:9])
def test_csv_has_no_formula(cell: str) -> None:
    rows = read_csv(write_csv(pd.DataFrame({"a": [cell], "rate": [-0.5]}), (Column("a", cell, "text"), COLUMNS[3])))
    assert rows == [[f"'{cell}", "Rate"], [f"'{cell}", "-0.5"]]


def test_whole_numbers_stored_with_gaps_stay_whole() -> None:
    frame = pd.DataFrame({"asked": [3.0, None, 2.5]})
    assert read_csv(write_csv(frame, (COLUMNS[1],))) == [["Items"], ["3"], [""], ["2.5"]]


def test_moments_with_a_zone_are_written_in_utc() -> None:
    frame = pd.DataFrame({"loaded_at": pd.to_datetime(["2025-04-01T08:00:00+09:00"])})
    assert read_csv(write_csv(frame, (COLUMNS[6],)))[1] == ["2025-03-31 23:00:00"]
    assert rows_of(write_xlsx("x", frame, (COLUMNS[6],), (), "About"))[1] == [datetime(2025, 3, 31, 23)]


# --- tables as workbooks -------------------------------------------------------------------------


def test_workbook_has_typed_cells_and_blank_ones() -> None:
    file = write_xlsx("適合率", FRAME, COLUMNS, [("期間", "2025年度")], "この表について")
    assert CalamineWorkbook.from_filelike(io.BytesIO(file)).sheet_names == ["適合率", "この表について"]
    assert rows_of(file) == [
        ["名称", "Items", "Weight", "Rate", "Change", "Inspected", "Inspected", "Small"],
        ["東京本社, 本館", 12000, 1.25, 0.5, -4.25, date(2025, 4, 1), datetime(2025, 4, 1, 9, 30, 15), "✓"],
        ["", "", "", "", "", "", "", ""],
        ["x", 3, "", 1, 0, "1899-01-02", datetime(2025, 12, 31, 23, 59), ""],
    ]
    assert rows_of(file, 1) == [["期間", "2025年度"]]
    parts = parts_of(file)
    for form in ("0.0%", "#,##0", "+0.0&quot; pt&quot;", "yyyy-mm-dd", "yyyy-mm-dd hh:mm"):
        assert f'formatCode="{form}' in parts["xl/styles.xml"] or form == "#,##0"


def test_workbook_is_ready_to_read_and_print() -> None:
    parts = parts_of(write_xlsx("x", FRAME, COLUMNS, (), "About"))
    sheet = parts["xl/worksheets/sheet1.xml"]
    assert 'ySplit="1"' in sheet and 'state="frozen"' in sheet
    assert '<autoFilter ref="A1:H4"/>' in sheet
    assert 'paperSize="9"' in sheet and 'orientation="landscape"' in sheet and 'fitToHeight="0"' in sheet
    assert "x!$1:$1" in parts["xl/workbook.xml"]


def test_wide_letters_get_wide_columns() -> None:
    def width(text: str) -> float:
        file = write_xlsx("x", pd.DataFrame({"a": [text]}), (Column("a", "a", "text"),), (), "About")
        return float(
            re.findall(r'<col min="1" max="1" width="([\d.]+)"', parts_of(file)["xl/worksheets/sheet1.xml"])[0]
        )

    assert width("情報セキュリティ") > width("security") + 7
    assert width("a" * 1000) < 64


def test_workbook_keeps_hostile_texts_as_texts() -> None:
    columns = [Column("a", text, "text") for text in HOSTILE]
    about = [(text, text) for text in HOSTILE]
    file = write_xlsx(HOSTILE[0], pd.DataFrame({"a": HOSTILE}, dtype=object), columns, about, "@SUM")
    kept = [text.replace("\x00\x07", "\ufffd\ufffd").replace("\ud800", "\ufffd") for text in HOSTILE]
    strings = parts_of(file)["xl/sharedStrings.xml"]
    assert [one for one in kept if one.strip() == one and "_x" not in one and f">{escape(one)}<" not in strings] == []
    parts = parts_of(file)
    for name, part in parts.items():
        if name.startswith("xl/worksheets/"):
            tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(part).iter()}
            assert tags.isdisjoint({"f", "hyperlink", "hyperlinks"}), name
    assert [name for name in parts if "_rels/sheet" in name or "externalLink" in name] == []
    assert rows_of(file)[1][0] == HOSTILE[0]


def escape(text: str) -> str:
    """A text as XML holds it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def test_long_texts_are_cut_with_a_mark() -> None:
    frame = pd.DataFrame({"name": ["長" * 40_000]})
    file = write_xlsx("x", frame, (Column("name", "見" * 40_000, "text"),), [("a", "b" * 40_000)], "About")
    for cells in (rows_of(file)[0], rows_of(file)[1], rows_of(file, 1)[0][1:]):
        assert len(cells[0]) == LONGEST_CELL
        assert cells[0].endswith(CUT)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Rate [by]: region/entity * ? \\", "Rate  by   region entity"),
        ("'" * 40, "Tenken"),
        ("", "Tenken"),
        ("History", "History_"),
        ("長" * 40, "長" * 31),
        ("a" * 30 + "'b", "a" * 30),
    ],
)
def test_sheets_have_names_that_excel_takes(title: str, name: str) -> None:
    assert name_sheet(title) == name
    file = write_xlsx(title, FRAME, COLUMNS, (), title)
    names = CalamineWorkbook.from_filelike(io.BytesIO(file)).sheet_names
    assert names[0] == name and names[1] != name and len(names[1]) <= 31


def test_empty_table_is_a_workbook_too() -> None:
    assert rows_of(write_xlsx("x", FRAME.head(0), COLUMNS, (), "About"))[0][0] == "名称"
    assert len(read_csv(write_csv(FRAME.head(0), COLUMNS))) == 1


def test_table_too_long_for_a_sheet_is_refused() -> None:
    with pytest.raises(ValueError, match=r"1,048,575 rows"):
        write_xlsx("x", pd.DataFrame({"a": range(1_048_576)}), (Column("a", "a", "integer"),), (), "About")


def test_same_rows_give_the_same_bytes() -> None:
    first = write_xlsx("x", FRAME, COLUMNS, [("a", "b")], "About")
    # Zip files hold times to two seconds.
    time.sleep(2.1)
    assert write_xlsx("x", FRAME, COLUMNS, [("a", "b")], "About") == first


# --- charts as pictures --------------------------------------------------------------------------


@pytest.mark.parametrize("width", [900, 480])
def test_png_is_as_wide_as_asked_and_doubled(width: int) -> None:
    file = draw_picture(SPEC, DAYS, "png", "題名 " * 60, "W" * 400, width)
    assert file.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">I", file[16:20]) == (2 * width,)


def test_svg_says_title_note_and_labels() -> None:
    before = json.dumps(SPEC)
    text = draw_picture(SPEC, DAYS, "svg", "適合率 <b>&amp;", "対象：すべて。 " * 20).decode()
    ElementTree.fromstring(text)
    for said in (
        "適合率 &lt;b&gt;&amp;amp;",
        "対象：すべて。",
        ">直す<",
        "Noto Sans CJK JP",
    ):
        assert said in text, said
    # Said whole, on several lines.
    assert "".join(re.findall(r"<tspan[^>]*>([^<]*)", text)).replace(" ", "") == "対象：すべて。" * 20
    assert set(re.findall(r"http[^\"]*", text)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "<image" not in text
    assert json.dumps(SPEC) == before


def test_layers_may_draw_named_frames() -> None:
    spec = {
        "layer": [
            {"data": {"name": "days"}, "mark": "text", "encoding": {"text": {"field": "name"}}},
            {"data": {"name": "more"}, "mark": "text", "encoding": {"text": {"field": "url"}}},
        ]
    }
    text = draw_picture(spec, {"days": DAYS, "more": pd.DataFrame({"url": ["外"]})}, "svg", "t", "n").decode()
    assert ">直す<" in text and ">外<" in text


def test_colours_are_those_of_the_light_theme() -> None:
    spec = {
        "mark": "rect",
        "encoding": {"x": {"field": "name"}, "color": {"field": "rate", "type": "quantitative", "legend": None}},
    }
    frame = pd.DataFrame({"name": ["a", "b"], "rate": [0.0, 1.0]})
    text = draw_picture(spec, frame, "svg", "t", "n").decode()
    for colour in (read_config()["range"]["ramp"][0], read_config()["range"]["ramp"][-1]):
        channels = ", ".join(str(int(colour[place : place + 2], 16)) for place in (1, 3, 5))
        assert f"rgb({channels})" in text or colour in text


def test_broken_chart_is_a_problem_with_a_sentence() -> None:
    with pytest.raises(PictureProblem, match="could not be drawn"):
        draw_picture({"mark": "nothing of the kind"}, DAYS, "svg", "t", "n")


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """An address, and the log of what was asked of it."""
    log = tmp_path / "asked.log"
    # In a process of its own: vl-convert lets no other thread run while it draws.
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(tmp_path)]
    with log.open("w") as file, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, text=True) as server:
        assert server.stdout
        port = re.findall(r"port (\d+)", server.stdout.readline())[0]
        yield f"http://127.0.0.1:{port}/x.json", log
        server.terminate()


def test_listener_logs_what_is_asked(outside: tuple[str, Path]) -> None:
    address, log = outside
    with pytest.raises(HTTPError) as refused:
        urlopen(address)
    refused.value.close()
    assert "/x.json" in log.read_text()


def outward(address: str) -> dict[str, dict[str, Any]]:
    """Specifications that ask for something outside."""
    dot = {"mark": "point", "encoding": {"x": {"field": "rate"}}}
    lookup = {"lookup": "name", "from": {"data": {"url": address}, "key": "a", "fields": ["b"]}}
    return {
        "data of a layer": {"layer": [dot | {"data": {"url": address}}]},
        "data of a look-up": dot | {"transform": [lookup]},
        "file": {"layer": [dot | {"data": {"url": Path("/etc/hostname").as_uri(), "format": {"type": "csv"}}}]},
        "image": dot | {"mark": {"type": "image", "url": address}},
        "image by field": {"mark": "image", "encoding": {"url": {"field": "address"}}},
        "image by configuration": dot | {"mark": "image", "config": {"image": {"url": address}}},
        "link": {"mark": "point", "encoding": {"href": {"field": "address"}}},
    }


@pytest.mark.parametrize("form", ["png", "svg"])
@pytest.mark.parametrize("what", outward(""))
def test_nothing_is_fetched(form: Any, what: str, outside: tuple[str, Path]) -> None:
    address, log = outside
    with pytest.raises(PictureProblem, match="without a network"):
        draw_picture(outward(address)[what], DAYS.assign(address=address), form, "t", "n")
    assert log.read_text() == ""


def test_frame_may_hold_addresses_that_nobody_fetches(outside: tuple[str, Path]) -> None:
    address, log = outside
    frame = DAYS.assign(name=address, url=address)
    assert draw_picture(SPEC, frame, "png", address, address).startswith(b"\x89PNG")
    assert log.read_text() == ""


# --- the world -----------------------------------------------------------------------------------


def test_world_is_small_and_says_where_it_is_from() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 200_000
    notice = (FOLDER / "NOTICE").read_text("utf-8")
    assert "Natural Earth" in notice and "Michael Bostock" in notice


def test_countries_have_points_where_they_are() -> None:
    places = {row.numeric_code: (row.longitude, row.latitude) for row in read_points().itertuples()}
    assert len(places) == len(read_points()) > 230
    for code, longitude, latitude in ((392, 138, 37), (702, 104, 1), (643, 98, 59), (242, 178, -18), (840, -99, 39)):
        assert places[code] == pytest.approx((longitude, latitude), abs=1)
    assert read_shaped_codes() < places.keys()
    assert 702 not in read_shaped_codes() and 10 not in places


def test_making_the_world_again_joins_arcs_and_unwraps_the_date_line() -> None:
    arcs = [[[179, 0], [2, 0], [0, 2]], [[-179, 2], [-2, 0], [0, -2]]]
    # The first arc leaves the map at 181 degrees, as the second one comes back at -179.
    atlas = {
        "objects": {
            "countries": {
                "geometries": [
                    {"type": "Polygon", "id": "036", "arcs": [[0, 1]], "properties": {"name": "a"}},
                    {"type": "MultiPolygon", "id": "010", "arcs": [[[0, 1]]], "properties": {"name": "b"}},
                    {"type": "Polygon", "arcs": [[0, 1]], "properties": {"name": "c"}},
                ]
            }
        },
        "arcs": arcs,
        "transform": {"scale": [1, 1], "translate": [0, 0]},
        "bbox": [0, 0, 1, 1],
    }
    countries = make_shapes(atlas)["objects"]["countries"]["geometries"]
    assert countries == [{"type": "Polygon", "arcs": [[0, 1]], "id": 36}, {"type": "Polygon", "arcs": [[0, 1]]}]
    assert list(make_points(atlas)) == [36]
    longitude, latitude = make_points(atlas)[36]
    assert abs(longitude) == pytest.approx(180)
    assert latitude == pytest.approx(1, abs=0.01)


def test_world_files_are_made_by_a_command(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "dashboard.world", "--help"], capture_output=True, text=True, check=True
    )
    assert "--atlas" in told.stdout
    assert {SHAPES, POINTS} < {path.name for path in FOLDER.iterdir()}


def test_world_is_drawn() -> None:
    countries = {"name": "shapes", "format": {"type": "topojson", "feature": "countries"}}
    rate = {"field": "rate", "type": "quantitative", "scale": {"domain": [0, 1]}}
    spec = {
        "datasets": {"shapes": read_shapes()},
        "projection": {"type": "equalEarth"},
        "height": 380,
        "layer": [
            {"data": countries, "mark": {"type": "geoshape", "fill": "#e1e5ea", "stroke": "white"}},
            {
                "data": countries,
                "transform": [
                    {"lookup": "id", "from": {"data": {"name": "rates"}, "key": "numeric_code", "fields": ["rate"]}},
                    {"filter": "isValid(datum.rate)"},
                ],
                "mark": {"type": "geoshape", "stroke": "white"},
                "encoding": {"color": rate},
            },
            {
                "data": {"name": "rates"},
                "transform": [{"filter": "!datum.has_shape"}],
                "mark": {"type": "circle", "size": 45, "opacity": 1},
                "encoding": {
                    "longitude": {"field": "longitude", "type": "quantitative"},
                    "latitude": {"field": "latitude", "type": "quantitative"},
                    "color": rate,
                },
            },
        ],
    }
    rates = read_points().query("numeric_code in (36, 392, 702)").assign(rate=[0.0, 0.5, 1.0])
    rates["has_shape"] = rates["numeric_code"].isin(read_shaped_codes())
    text = draw_picture(spec, {"rates": rates}, "svg", "世界", "").decode()
    drawn = [
        element.get("fill")
        for element in ElementTree.fromstring(text).iter("{http://www.w3.org/2000/svg}path")
        if element.get("aria-roledescription") in ("geoshape", "circle")
    ]
    grey = "#e1e5ea"
    assert len(drawn) - drawn.count(grey) == 3
    assert len(set(drawn) - {grey}) == 3
