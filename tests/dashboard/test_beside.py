"""The page of four charts with which Tenken is compared shows the figures of a page of pandas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bench.beside import tenken_server
from bench.beside.answers import write_flat
from bench.beside.browser import Figures, read_chart
from dashboard import navigation

PANDAS = Path(tenken_server.__file__).with_name("pandas_page.py")
CHARTS = {"lines", "measures", "entities", "items"}


def read_figures(app: AppTest) -> Figures:
    """The rates of every chart that the last run sent."""
    assert not app.exception
    figures: Figures = {}
    for chart in app.get("vega_lite_chart"):
        figures |= read_chart(chart.proto)
    return figures


def test_tenken_and_pandas_show_equal_rates(
    open_app: Callable[..., AppTest], demo_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tenken_server.PAGE
    monkeypatch.setattr(navigation, "PAGES", (*navigation.PAGES, page))
    monkeypatch.setitem(navigation.ENTRIES, page.name, page)
    written = write_flat(demo_home, tmp_path / "answers.parquet")
    assert 0 < written["counted"] < written["rows"]
    monkeypatch.setenv("ANSWERS", str(tmp_path / "answers.parquet"))
    pandas = AppTest.from_file(str(PANDAS), default_timeout=30)
    for code, region in ((None, "All"), ("JP", "Japan")):
        address = {"region": code} if code else {}
        tenken = read_figures(open_app(demo_home, page.name, lang="en", **address))
        expected = read_figures(pandas.run() if code is None else pandas.selectbox[0].select(region).run())
        assert tenken.keys() == CHARTS
        assert tenken == {chart: pytest.approx(rates, abs=1e-12) for chart, rates in expected.items()}
