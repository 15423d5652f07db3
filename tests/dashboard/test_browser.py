"""The overview in Chromium: charts are drawn, nothing calls outside, a link reopens the view in the other language."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.dashboard.small_group import SmallGroup

ROOT = Path(__file__).parents[2]
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def address(small_group: SmallGroup, group_home: Path) -> Iterator[str]:
    """A server of the dashboard on a free port; it is ready once it prints its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(port)]
    environment = os.environ | {"TENKEN_HOME": str(group_home)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        for line in server.stdout:
            if "URL:" in line:
                break
        yield f"http://127.0.0.1:{port}"
        server.terminate()
        server.stdout.read()


def test_overview_in_the_browser(address: str) -> None:
    from playwright.sync_api import ConsoleMessage, Page, Request, expect, sync_playwright

    errors: list[str] = []
    outside: list[str] = []

    def note_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    def note_request(request: Request) -> None:
        if request.url.startswith(("http:", "https:", "ws:", "wss:")) and urlsplit(request.url).hostname != "127.0.0.1":
            outside.append(request.url)

    def open_page(page: Page, url: str) -> None:
        page.goto(url)
        expect(page.locator("[data-testid=stVegaLiteChart] .marks")).to_have_count(4, timeout=60_000)
        expect(page.locator("[data-testid=stStatusWidget]")).to_have_count(0)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        context = browser.new_context(viewport={"width": 1600, "height": 1200})
        context.on("console", note_console)
        context.on("request", note_request)
        page = context.new_page()
        open_page(page, f"{address}/?lang=en&region=JP&region=EU&from=FY2023-H1")
        expect(page.get_by_text("Region: Japan, Europe")).to_be_visible()
        english = page.locator("[data-testid=stMetricValue]").all_inner_texts()

        page.get_by_text("日本語", exact=True).click()
        expect(page.get_by_role("heading", name="グループ概況")).to_be_visible()
        expect(page.get_by_text("日本、欧州")).to_be_visible()
        page.wait_for_url("**lang=ja**")
        link = page.url
        assert parse_qs(urlsplit(link).query)["region"] == ["JP", "EU"]

        other = context.new_page()
        open_page(other, link)
        expect(other.get_by_role("heading", name="グループ概況")).to_be_visible()
        japanese = other.locator("[data-testid=stMetricValue]").all_inner_texts()
        assert japanese[:4] == english[:4]
        browser.close()
    assert errors == []
    assert outside == []
