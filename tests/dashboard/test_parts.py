"""Words, downloads and charts on their own."""

from __future__ import annotations

import string
from itertools import pairwise

import pandas as pd
import pytest

from dashboard import charts, words
from dashboard.downloads import write_csv
from dashboard.words import Text, say_half, say_percent

TEXTS = {name: text for name, text in vars(words).items() if isinstance(text, Text)}


@pytest.mark.parametrize("name", TEXTS)
def test_every_text_has_both_languages_with_the_same_values(name: str) -> None:
    text = TEXTS[name]
    fields = [
        sorted(field for _, field, _, _ in string.Formatter().parse(said) if field) for said in (text.en, text.ja)
    ]
    assert text.en.strip()
    assert text.ja.strip()
    assert fields[0] == fields[1]


@pytest.mark.parametrize(
    ("rate", "digits", "said"),
    [
        (0.9996, 1, "99.9%"),
        (0.996, 0, "99%"),
        (1.0, 0, "100%"),
        (0.001, 0, "1%"),
        (0.0, 1, "0.0%"),
        (None, 1, "–"),
        (float("nan"), 0, "–"),
        (0.6944, 1, "69.4%"),
    ],
)
def test_only_a_whole_is_said_as_hundred_percent(rate: float | None, digits: int, said: str) -> None:
    assert say_percent(rate, digits) == said


def test_halves_are_said_as_each_language_says_them() -> None:
    assert say_half("FY2025-H1", "en") == "FY2025 H1"
    assert say_half("FY2025-H2", "ja") == "2025年度下期"


@pytest.mark.parametrize("cell", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1+1", "  =1"])
def test_download_has_no_formula(cell: str) -> None:
    text = write_csv(pd.DataFrame({"name": [cell], "rate": [-0.5]})).decode("utf-8-sig")
    assert f"'{cell}" in text
    assert ",-0.5" in text


def test_download_opens_as_japanese_in_a_spreadsheet() -> None:
    assert write_csv(pd.DataFrame({"名称": ["日本"]})).startswith(b"\xef\xbb\xbf")


def test_labels_at_the_right_edge_do_not_touch() -> None:
    frame = pd.DataFrame({"half": ["a"] * 4, "series": list("wxyz"), "rate": [0.91, 0.91, 0.912, 0.99]})
    heights = charts.place_end_labels(frame, 0.8, 1.0)["rate"].tolist()
    gap = 0.2 * charts.LABEL_GAP / charts.LINE_HEIGHT
    assert all(high - low >= gap - 1e-9 for low, high in pairwise(heights))
    assert max(heights) <= 1.0


def test_small_differences_are_not_blown_up() -> None:
    low, high = charts.find_rate_domain(pd.Series([0.951, 0.957]))
    assert high - low == pytest.approx(0.2)
    assert charts.find_rate_domain(pd.Series([], dtype=float)) == (0.0, 1.0)
