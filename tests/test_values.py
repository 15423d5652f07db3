"""Text cells to values: what is read, what is refused, and round trips."""

import math
import unicodedata
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.values import (
    DATE_FORMS,
    ERAS,
    nearest,
    normalise_answer,
    normalise_code,
    normalise_heading,
    parse_boolean,
    parse_date,
    parse_number,
    parse_period,
    period_bounds,
    periods,
)

FIRST_MONTHS = st.integers(1, 12)
DAYS = st.dates(date(1900, 3, 1), date(2199, 12, 31))


def full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


# --- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Item No.", "itemno."),
        ("項　番", "項番"),
        ("施設\nコード", "施設コード"),
        ("施設\r\n ｺｰﾄﾞ", "施設コード"),
        ("ＩＴＥＭ\u200b ｎｏ", "itemno"),
        ("\ufeff施設コード", "施設コード"),
        ("Straße", "strasse"),
        ("", ""),
    ],
)
def test_heading_is_compared_without_width_blanks_and_case(text: str, normal: str) -> None:
    assert normalise_heading(text) == normal


@pytest.mark.parametrize("mark", ["○", "◯", "〇", "⭕", "⭕️", " ○ ", "○\n"])
def test_circles_are_one_mark(mark: str) -> None:
    assert normalise_answer(mark) == "○"


@pytest.mark.parametrize("mark", ["×", "☓", "✕", "✖", "✖️", "✗", "X", "x", "Ｘ", "ｘ", "　X"])
def test_crosses_are_one_mark(mark: str) -> None:
    assert normalise_answer(mark) == "×"


@pytest.mark.parametrize("mark", ["-", "‐", "‑", "–", "—", "−", "－", "ー", "ｰ", "―", " - "])
def test_dashes_are_one_mark(mark: str) -> None:
    assert normalise_answer(mark) == "－"


@pytest.mark.parametrize("mark", ["△", "▲"])
def test_triangles_are_one_mark(mark: str) -> None:
    assert normalise_answer(mark) == "△"


@pytest.mark.parametrize("letter", ["O", "o", "Ｏ"])
def test_letter_o_and_zero_are_no_circle(letter: str) -> None:
    assert normalise_answer(letter) == "o"
    assert normalise_answer("0") == "0"


@pytest.mark.parametrize(
    ("text", "normal"), [("XX", "xx"), ("Max", "max"), ("サーバー", "サーバー"), ("N/A", "n/a"), ("○×", "○×")]
)
def test_marks_inside_a_text_stay(text: str, normal: str) -> None:
    assert normalise_answer(text) == normal


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (" 00123 ", "00123"),
        ("５．１０", "5.10"),
        ("ＪＰ－01", "JP-01"),
        ("a B", "a B"),
        ("\u30001.2\n", "1.2"),
        ("", ""),
    ],
)
def test_code_keeps_zeros_case_and_inner_blanks(text: str, code: str) -> None:
    assert normalise_code(text) == code


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    for normalise in (normalise_heading, normalise_answer, normalise_code):
        assert normalise(normalise(text)) == normalise(text)


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1))
def test_width_makes_no_difference(text: str) -> None:
    assert normalise_answer(full_width(text)) == normalise_answer(text)
    assert normalise_code(full_width(text)) == text


@pytest.mark.parametrize(
    ("word", "candidates", "suggestion"),
    [
        ("不適", ["適合", "不適合", "対象外"], "不適合"),
        ("大坂支店", ["大阪支店", "東京支店", "名古屋支店"], "大阪支店"),
        ("サ一バ室", ["サーバ室", "会議室"], "サーバ室"),
        ("SITE-O1", ["SITE-01", "SITE-02", "AFF-01"], "SITE-01"),
        ("selfcheck", ["self_check", "mutual_check"], "self_check"),
        ("ＪＰ-001", ["JP-001", "JP-002"], "JP-001"),
        ("東京", ["東北", "九州"], None),
        ("zebra", ["open", "closed"], None),
        ("", ["open"], None),
        ("open", [], None),
    ],
)
def test_nearest(word: str, candidates: list[str], suggestion: str | None) -> None:
    assert nearest(word, candidates) == suggestion
    assert nearest(word, reversed(candidates)) == suggestion


def test_nearest_does_not_depend_on_the_order_of_equals() -> None:
    assert nearest("SITE-09", ["SITE-03", "SITE-01", "SITE-02"]) == "SITE-01"


# --- numbers and booleans ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0.0),
        ("5.10", 5.1),
        ("１２．５", 12.5),
        ("1,234", 1234.0),
        ("１，２３４，５６７．８", 1234567.8),
        ("-3", -3.0),
        ("−3", -3.0),
        ("+3", 3.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1E-4", 0.0001),
        (" 7 ", 7.0),
        ("85%", 0.85),
        ("69.4 ％", 0.694),
    ],
)
def test_number(text: str, number: float) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "nan",
        "inf",
        "-Infinity",
        "1e999",
        "1,23",
        "12,34,567",
        "1.234,56",
        "1_000",
        "1 234",
        "5点",
        "%",
        "N/A",
        "1e9999",
        "٣",
        "--1",
        "0x1F",
        "1/2",
        "#DIV/0!",
        "1%%",
    ],
)
def test_no_number(text: str) -> None:
    assert parse_number(text) is None


def test_zero_has_no_sign() -> None:
    value = parse_number("-0")
    assert value is not None
    assert math.copysign(1, value) == 1


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_round_trip(value: float) -> None:
    assert parse_number(repr(value)) == value


@given(st.integers(-(10**12), 10**12))
def test_thousands_round_trip(value: int) -> None:
    assert parse_number(f"{value:,}") == value
    assert parse_number(full_width(f"{value:,}")) == value


@pytest.mark.parametrize(
    "text", ["true", "TRUE", "Yes", "y", "1", "１", "1.0", "○", "〇", "有", "有り", "あり", "はい", " yes "]
)
def test_true(text: str) -> None:
    assert parse_boolean(text) is True


@pytest.mark.parametrize(
    "text", ["false", "No", "ｎ", "0", "0.0", "×", "✕", "X", "無", "無し", "なし", "いいえ", "FALSE\n"]
)
def test_false(text: str) -> None:
    assert parse_boolean(text) is False


@pytest.mark.parametrize("text", ["", "2", "maybe", "－", "△", "有無", "N/A"])
def test_neither_true_nor_false(text: str) -> None:
    assert parse_boolean(text) is None


# --- dates ---------------------------------------------------------------------------------------

MARCH_18 = date(2026, 3, 18)


@pytest.mark.parametrize(
    ("form", "text", "day"),
    [
        ("iso", "2026-03-18", MARCH_18),
        ("iso", "2026/3/18", MARCH_18),
        ("iso", "2026.03.18", MARCH_18),
        ("iso", "20260318", MARCH_18),
        ("iso", "２０２６－０３－１８", MARCH_18),
        ("iso", "2026-03-18 00:00:00", MARCH_18),
        ("iso", "2026-03-18T10:00:00", MARCH_18),
        ("iso", "2026-03-18T23:59:59.999+09:00", MARCH_18),
        ("iso", "2026-03-18T10:00Z", MARCH_18),
        ("iso", "2026/3/18 9:05", MARCH_18),
        ("iso", "2026/3/18(水)", MARCH_18),
        ("iso", " 2026-03-18\n", MARCH_18),
        ("iso", "0001-01-01", date.min),
        ("iso", "9999-12-31", date.max),
        ("iso", "2024-02-29", date(2024, 2, 29)),
        ("d/m/y", "18/03/2026", MARCH_18),
        ("d/m/y", "18.3.26", MARCH_18),
        ("d/m/y", "18-03-2026", MARCH_18),
        ("d/m/y", "18/03/2026 10:00", MARCH_18),
        ("d/m/y", "04/03/2026", date(2026, 3, 4)),
        ("d/m/y", "1/1/68", date(2068, 1, 1)),
        ("d/m/y", "1/1/69", date(1969, 1, 1)),
        ("m/d/y", "03/18/2026", MARCH_18),
        ("m/d/y", "3-18-26", MARCH_18),
        ("m/d/y", "04/03/2026", date(2026, 4, 3)),
        ("d mon y", "18 Mar 2026", MARCH_18),
        ("d mon y", "18-Mar-26", MARCH_18),
        ("d mon y", "18MAR2026", MARCH_18),
        ("d mon y", "18th March 2026", MARCH_18),
        ("d mon y", "March 18, 2026", MARCH_18),
        ("d mon y", "Mar. 18, 2026", MARCH_18),
        ("d mon y", "Mar-18-2026", MARCH_18),
        ("d mon y", "1 Sept 2025", date(2025, 9, 1)),
        ("d mon y", "31 May 2025", date(2025, 5, 31)),
        ("japanese", "令和6年4月1日", date(2024, 4, 1)),
        ("japanese", "令和 ６ 年 ４ 月 １ 日", date(2024, 4, 1)),
        ("japanese", "令和６年４月１日（月）", date(2024, 4, 1)),
        ("japanese", "令和六年四月一日", date(2024, 4, 1)),
        ("japanese", "令和六年十二月二十五日", date(2024, 12, 25)),
        ("japanese", "二〇二六年三月十八日", MARCH_18),
        ("japanese", "R6.4.1", date(2024, 4, 1)),
        ("japanese", "Ｒ６．４．１", date(2024, 4, 1)),
        ("japanese", "r06/04/01", date(2024, 4, 1)),
        ("japanese", "R6年4月1日", date(2024, 4, 1)),
        ("japanese", "令6.4.1", date(2024, 4, 1)),
        ("japanese", "㋿6年4月1日", date(2024, 4, 1)),
        ("japanese", "令和元年5月1日", date(2019, 5, 1)),
        ("japanese", "令和1年5月1日", date(2019, 5, 1)),
        ("japanese", "R元.12.31", date(2019, 12, 31)),
        ("japanese", "平成31年4月30日", date(2019, 4, 30)),
        ("japanese", "㍻31年4月30日", date(2019, 4, 30)),
        ("japanese", "平成元年1月8日", date(1989, 1, 8)),
        ("japanese", "昭和64年1月7日", date(1989, 1, 7)),
        ("japanese", "S63.12.31", date(1988, 12, 31)),
        ("japanese", "昭和元年12月25日", date(1926, 12, 25)),
        ("japanese", "大正15年12月24日", date(1926, 12, 24)),
        ("japanese", "明治45年7月29日", date(1912, 7, 29)),
        ("japanese", "2026年3月18日", MARCH_18),
        ("japanese", "2026年03月18日 10:00:00", MARCH_18),
        ("serial", "45000", date(2023, 3, 15)),
        ("serial", "45000.0", date(2023, 3, 15)),
        ("serial", "45000.75", date(2023, 3, 15)),
        ("serial", "1", date(1900, 1, 1)),
        ("serial", "59", date(1900, 2, 28)),
        ("serial", "61", date(1900, 3, 1)),
        ("serial", "2958465", date.max),
    ],
)
def test_date(form: str, text: str, day: date) -> None:
    assert parse_date(text, (form,)) == day


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("iso", "2026-02-29"),
        ("iso", "2026-13-01"),
        ("iso", "2026-00-10"),
        ("iso", "20261301"),
        ("iso", "2026-03/18"),
        ("iso", "2026-03-18 25:00"),
        ("iso", "2026-03-18 pending"),
        ("iso", "2026-03"),
        ("iso", "26-03-18"),
        ("iso", "0000-01-01"),
        ("iso", "45000"),
        ("d/m/y", "31/04/2026"),
        ("d/m/y", "03/18/2026"),
        ("d/m/y", "18/03/026"),
        ("m/d/y", "18/03/2026"),
        ("d mon y", "30 Feb 2026"),
        ("d mon y", "18 Mrz 2026"),
        ("d mon y", "Mar 2026"),
        ("japanese", "令和元年4月30日"),
        ("japanese", "平成31年5月1日"),
        ("japanese", "平成0年5月1日"),
        ("japanese", "令和0年5月1日"),
        ("japanese", "平成64年1月7日"),
        ("japanese", "昭和64年1月8日"),
        ("japanese", "平成元年1月7日"),
        ("japanese", "大正15年12月25日"),
        ("japanese", "明治5年1月1日"),
        ("japanese", "令和6年2月30日"),
        ("japanese", "6年4月1日"),
        ("japanese", "X6.4.1"),
        ("serial", "60"),
        ("serial", "0"),
        ("serial", "-1"),
        ("serial", "2958466"),
        ("serial", "20260318"),
    ],
)
def test_no_date(form: str, text: str) -> None:
    assert parse_date(text, (form,)) is None


@pytest.mark.parametrize("text", ["", " ", "-", "N/A", "未定", "00:00:00", "١٨/٠٣/٢٠٢٦"])
def test_no_date_in_any_form(text: str) -> None:
    assert parse_date(text, DATE_FORMS) is None


def test_forms_are_tried_in_the_order_given() -> None:
    assert parse_date("03/04/2026", ("d/m/y", "m/d/y")) == date(2026, 4, 3)
    assert parse_date("03/04/2026", ("m/d/y", "d/m/y")) == date(2026, 3, 4)
    assert parse_date("03/18/2026", ("d/m/y", "m/d/y")) == MARCH_18


def test_forms_not_given_are_not_tried() -> None:
    assert parse_date("18/03/2026", ("iso", "japanese", "serial")) is None
    assert parse_date("2026-03-18", ()) is None


def test_unknown_form_is_an_error() -> None:
    with pytest.raises(ValueError, match="y/m/d"):
        parse_date("2026-03-18", ("iso", "y/m/d"))


def write_japanese(day: date) -> str:
    era = next(era for era in ERAS if era.first <= day <= era.last)
    first_year = 1868 if era.names[0] == "明治" else era.first.year
    return f"{era.names[0]}{day.year - first_year + 1}年{day.month}月{day.day}日"


@given(st.dates())
def test_iso_round_trip(day: date) -> None:
    assert parse_date(day.isoformat(), ("iso",)) == day
    assert parse_date(f"{day.isoformat()} 00:00:00", ("iso",)) == day
    assert parse_date(full_width(day.isoformat()), ("iso",)) == day


@given(DAYS)
def test_numeric_round_trips(day: date) -> None:
    assert parse_date(f"{day.day}/{day.month}/{day.year}", ("d/m/y",)) == day
    assert parse_date(f"{day.month:02}/{day.day:02}/{day.year}", ("m/d/y",)) == day
    assert parse_date(str((day - date(1899, 12, 30)).days), ("serial",)) == day


@given(DAYS)
def test_named_month_round_trips(day: date) -> None:
    month = "jan feb mar apr may jun jul aug sep oct nov dec".split()[day.month - 1].title()  # noqa: SIM905
    assert parse_date(f"{day.day} {month} {day.year}", ("d mon y",)) == day
    assert parse_date(f"{month} {day.day}, {day.year}", ("d mon y",)) == day


@given(st.dates(date(1969, 1, 1), date(2068, 12, 31)))
def test_two_digit_years_cover_one_century(day: date) -> None:
    assert parse_date(f"{day.day}.{day.month}.{day.year % 100:02}", ("d/m/y",)) == day


@given(st.dates(date(1873, 1, 1), date(2117, 12, 31)))
def test_era_round_trip(day: date) -> None:
    assert parse_date(write_japanese(day), ("japanese",)) == day
    assert parse_date(full_width(write_japanese(day)), ("japanese",)) == day


def test_eras_follow_each_other_without_gap() -> None:
    for later, earlier in pairwise(ERAS):
        assert earlier.last + timedelta(days=1) == later.first


@given(st.text(), st.integers(1, 12))
def test_no_text_breaks_the_parsers(text: str, first_month: int) -> None:
    parse_date(text, DATE_FORMS)
    parse_period(text, first_month)
    parse_number(text)
    parse_boolean(text)


# --- periods -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("FY2025", "FY2025"),
        ("fy 2025", "FY2025"),
        ("ＦＹ２０２５", "FY2025"),
        ("FY25", "FY2025"),
        ("FY99", "FY2099"),
        ("FY2025 H1", "FY2025-H1"),
        ("FY2025-H2", "FY2025-H2"),
        ("FY2025H2", "FY2025-H2"),
        ("FY2025 1H", "FY2025-H1"),
        ("FY25 Q3", "FY2025-Q3"),
        ("FY2025_3Q", "FY2025-Q3"),
        ("2025-10", "2025-10"),
        ("2025/1", "2025-01"),
        ("202510", "2025-10"),
        ("Oct 2025", "2025-10"),
        ("2025年10月", "2025-10"),
        ("２０２５年１月", "2025-01"),
        ("令和7年10月", "2025-10"),
        ("2025年度", "FY2025"),
        ("2025年度上期", "FY2025-H1"),
        ("2025年度 下期", "FY2025-H2"),
        ("2025年度上半期", "FY2025-H1"),
        ("2025年度後期", "FY2025-H2"),
        ("2025年度第3四半期", "FY2025-Q3"),
        ("２０２５年度第３四半期", "FY2025-Q3"),
        ("2025年度第三四半期", "FY2025-Q3"),
        ("2025年度第四四半期", "FY2025-Q4"),
        ("2025年度 3Q", "FY2025-Q3"),
        ("令和7年度", "FY2025"),
        ("令和7年度上期", "FY2025-H1"),
        ("令和七年度下期", "FY2025-H2"),
        ("R7年度", "FY2025"),
        ("令和元年度", "FY2019"),
        ("令和元年度上期", "FY2019-H1"),
        ("平成31年度", "FY2019"),
        ("平成31年4月", "2019-04"),
        ("令和元年5月", "2019-05"),
        ("平成元年1月", "1989-01"),
        ("昭和64年1月", "1989-01"),
        ("2025-10-05", "2025-10"),
        ("2025-10-01 00:00:00", "2025-10"),
        ("20251005", "2025-10"),
        ("令和7年10月5日", "2025-10"),
        ("5 Oct 2025", "2025-10"),
        ("CY2025-Q1", "FY2024-Q4"),
        ("CY2025-Q2", "FY2025-Q1"),
        ("CY2025-Q3", "FY2025-Q2"),
        ("CY2025 Q4", "FY2025-Q3"),
    ],
)
def test_period(text: str, code: str) -> None:
    assert parse_period(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2025",
        "25",
        "FY",
        "FY2025-H3",
        "FY2025-Q5",
        "FY2025-Q0",
        "FY025",
        "2025-13",
        "2025-00",
        "202513",
        "H1 2025",
        "2025年",
        "2025年上期",
        "2025年第3四半期",
        "2025年13月",
        "2025年度第5四半期",
        "2025.10",
        "FY2025 Q3 draft",
        "CY2025",
        "CY2025-H1",
        "平成31年5月",
        "令和元年4月",
        "昭和64年度",
        "平成32年度",
        "令和0年度",
        "FY0000",
        "FY9999",
        "03/04/2026",
        "2026-02-30",
        "45000",
        "2025-10-05 25:00",
    ],
)
def test_no_period(text: str) -> None:
    assert parse_period(text) is None


@pytest.mark.parametrize(
    ("first_month", "code"),
    [(1, "FY2025-Q3"), (4, "FY2025-Q2"), (7, "FY2025-Q1"), (10, "FY2024-Q4"), (2, None), (3, None), (12, None)],
)
def test_calendar_quarter_needs_fiscal_quarters_in_the_same_months(first_month: int, code: str | None) -> None:
    assert parse_period("CY2025-Q3", first_month) == code


def test_calendar_year_and_half_are_fiscal_only_where_they_are_the_same() -> None:
    assert parse_period("CY2025", first_month=1) == "FY2025"
    assert parse_period("CY2025-H2", first_month=7) == "FY2025-H1"
    assert parse_period("CY2025-H1", first_month=7) == "FY2024-H2"


@pytest.mark.parametrize(
    ("code", "first", "last"),
    [
        ("FY2025", date(2025, 4, 1), date(2026, 3, 31)),
        ("FY2025-H1", date(2025, 4, 1), date(2025, 9, 30)),
        ("FY2025-H2", date(2025, 10, 1), date(2026, 3, 31)),
        ("FY2025-Q3", date(2025, 10, 1), date(2025, 12, 31)),
        ("FY2025-Q4", date(2026, 1, 1), date(2026, 3, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2025-12", date(2025, 12, 1), date(2025, 12, 31)),
    ],
)
def test_period_bounds(code: str, first: date, last: date) -> None:
    assert period_bounds(code) == (first, last)


@pytest.mark.parametrize("code", ["2025", "FY25", "FY2025H1", "2025-13", "2025-1", "fy2025", "FY2025-Q3 ", ""])
def test_bounds_of_no_code_are_an_error(code: str) -> None:
    with pytest.raises(ValueError, match=r"period code|month must be"):
        period_bounds(code)


def test_periods_of_one_year() -> None:
    rows = periods(2025, 2025)
    assert len(rows) == 1 + 2 + 4 + 12
    assert rows[0] == ("FY2025", "fiscal_year", date(2025, 4, 1), date(2026, 3, 31), 2025, None, None, None)
    by_code = {row.period_code: row for row in rows}
    assert by_code["FY2025-H2"][4:] == (2025, "FY2025-H2", None, None)
    assert by_code["FY2025-Q3"][4:] == (2025, "FY2025-H2", "FY2025-Q3", None)
    assert by_code["2026-03"][1:] == (
        "month",
        date(2026, 3, 1),
        date(2026, 3, 31),
        2025,
        "FY2025-H2",
        "FY2025-Q4",
        "2026-03",
    )


@given(st.integers(1900, 2190), FIRST_MONTHS)
def test_periods_tile_the_years(first_year: int, first_month: int) -> None:
    rows = periods(first_year, first_year + 2, first_month)
    assert len({row.period_code for row in rows}) == len(rows)
    for kind in ("fiscal_year", "half", "quarter", "month"):
        of_kind = [row for row in rows if row.period_kind == kind]
        assert of_kind[0].first_on == date(first_year, first_month, 1)
        for earlier, later in pairwise(of_kind):
            assert earlier.last_on + timedelta(days=1) == later.first_on


@given(st.integers(1900, 2190), FIRST_MONTHS)
def test_every_period_lies_in_the_longer_ones_it_names(year: int, first_month: int) -> None:
    rows = {row.period_code: row for row in periods(year, year, first_month)}
    for row in rows.values():
        for code in (f"FY{row.fiscal_year}", row.fiscal_half, row.fiscal_quarter, row.fiscal_month):
            if code:
                assert rows[code].first_on <= row.first_on
                assert row.last_on <= rows[code].last_on


@given(st.integers(1900, 2190), FIRST_MONTHS)
def test_period_round_trip(year: int, first_month: int) -> None:
    for row in periods(year, year, first_month):
        assert parse_period(row.period_code, first_month) == row.period_code
        assert parse_period(full_width(row.period_code), first_month) == row.period_code
        assert period_bounds(row.period_code, first_month) == (row.first_on, row.last_on)


@given(st.dates(date(2020, 1, 1), date(2099, 12, 31)))
def test_a_date_names_its_month(day: date) -> None:
    for text in (day.isoformat(), write_japanese(day), f"{day.year}年{day.month}月{day.day}日"):
        assert parse_period(text) == f"{day:%Y-%m}"


def test_normal_forms_are_nfkc() -> None:
    # The one exception is the dash, which is written full width as in the exports.
    assert unicodedata.normalize("NFKC", normalise_answer("ー")) == "-"
