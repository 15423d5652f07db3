"""The dashboard in Chromium, as its readers use it: every page, clicks, links, files, and nothing from outside."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect, sync_playwright
from python_calamine import CalamineWorkbook

from dashboard.navigation import ENTRIES, PAGES
from dashboard.words import Language, translate
from docs.draw_pictures import CHROMIUM, CONTENT, FLAGS, serve_dashboard
from etl.builds import Home
from etl.commands import Order, load_files

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed (apt-get install chromium)"),
]

NAMES = [entry.name for entry in PAGES]
ENTITY = "AF-0018"
ITEM = "SEC|2020|1.24"
ADDRESSES = {"entity": f"&entity={ENTITY}"}
LONGEST_WAIT = 30_000
TALLEST = 5200
# Streamlit asks for these below the page's own path and then, having got 404, at the root, where they are.
PROBED = ("/_stcore/health", "/_stcore/host-config")
PNG = b"\x89PNG\r\n\x1a\n"

IS_DRAWN = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-testid=stSkeleton]')
    && [...document.querySelectorAll('[data-testid=stVegaLiteChart]')].every(chart => chart.querySelector('.marks'))"""
"""Whether the run has ended and every chart is drawn."""
FITS = "selector => { const main = document.querySelector(selector); return main.scrollWidth <= main.clientWidth; }"

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Expectations wait five seconds otherwise, which is short on a busy machine; they know no page's own time.
    expect.set_options(timeout=LONGEST_WAIT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def warm_contexts(browser: Browser) -> dict[str, BrowserContext]:
    """A context for each colour scheme that has fetched Streamlit's scripts already once a page was opened in it."""
    return {scheme: browser.new_context(color_scheme=scheme) for scheme in ("light", "dark")}


@pytest.fixture(scope="module")
def address(demo_home: Path) -> Iterator[str]:
    """A server of the dashboard with the demo group."""
    with serve_dashboard(demo_home) as address:
        yield address


@pytest.fixture
def open_page(browser: Browser, warm_contexts: dict[str, BrowserContext]) -> Iterator[OpenPage]:
    """Open an address in a window of its own. At the end, no page has asked another host or written an error.

    A test that leaves nothing behind in the browser may share its context (`is_warm`), which halves the time to load.
    """
    errors: list[str] = []
    outside: list[str] = []
    contexts: list[BrowserContext] = []
    watched: list[BrowserContext] = []
    pages: list[Page] = []

    def note_console(message: ConsoleMessage) -> None:
        if message.type == "error" and not urlsplit(message.location["url"]).path.endswith(PROBED):
            errors.append(f"{message.text} {message.location['url']}")

    def note_request(request: Request) -> None:
        if request.url.startswith(("http:", "https:", "ws:", "wss:")) and urlsplit(request.url).hostname != "127.0.0.1":
            outside.append(request.url)

    def open_at(url: str, height: int = 1200, scheme: Any = "light", is_warm: bool = False) -> Page:
        if is_warm:
            context = warm_contexts[scheme]
        else:
            context = browser.new_context(color_scheme=scheme)
            contexts.append(context)
        page = context.new_page()
        pages.append(page)
        page.set_viewport_size({"width": 1600, "height": height})
        # A context tells of the windows that a page opens, too.
        context.on("console", note_console)
        context.on("request", note_request)
        watched.append(context)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.set_default_timeout(LONGEST_WAIT)
        page.goto(url)
        wait(page)
        return page

    yield open_at
    for page in pages:
        page.close()
    for context in watched:
        context.remove_listener("console", note_console)
        context.remove_listener("request", note_request)
    for context in contexts:
        context.close()
    assert errors == []
    assert outside == []


def wait(page: Page) -> None:
    """Until the page shows its title and what it drew."""
    page.locator(f"{CONTENT} h1").wait_for()
    page.wait_for_function(IS_DRAWN)


def say_title(name: str, language: Language) -> str:
    return translate(language, ENTRIES[name].title)


def read_address(page: Page) -> tuple[str, dict[str, list[str]]]:
    """The page's name and what its address holds."""
    parts = urlsplit(page.url)
    return parts.path.strip("/"), parse_qs(parts.query)


def find_marks(page: Page, panel: str, said: str) -> Locator:
    """The marks of a panel's chart that say so of themselves."""
    return page.locator(f".st-key-{panel} [data-testid=stVegaLiteChart] [aria-label*='{said}']")


def list_grave(page: Page) -> list[tuple[str, list[str]]]:
    """What axe-core holds to be serious or critical, with the elements."""
    # Streamlit puts a div for each section between its navigation's list and the items; nobody else can change that.
    whole = {"resultTypes": ["violations"], "rules": {"list": {"enabled": False}, "listitem": {"enabled": False}}}
    own = {"resultTypes": ["violations"], "runOnly": {"type": "rule", "values": ["list", "listitem"]}}
    found = [*Axe().run(page, options=whole).response["violations"]]
    found += Axe().run(page, context=CONTENT, options=own).response["violations"]
    return [
        (one["id"], [node["html"][:200] for node in one["nodes"]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ja", "dark")])
@pytest.mark.parametrize("name", NAMES)
def test_page_is_accessible_and_fits_a_phone(
    open_page: OpenPage, address: str, name: str, language: Language, scheme: str
) -> None:
    path = "" if name == NAMES[0] else name
    url = f"{address}/{path}?lang={language}{ADDRESSES.get(name, '')}"
    # What is below the window is not drawn.
    page = open_page(url, height=TALLEST, scheme=scheme, is_warm=True)
    assert page.locator("[data-testid=stException]").count() == 0
    if name != "entity":
        expect(page.get_by_role("heading", level=1)).to_have_text(say_title(name, language))
    assert page.locator(CONTENT).evaluate("main => main.scrollHeight") <= TALLEST
    assert list_grave(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(FITS, arg=CONTENT)


def test_clicks_lead_from_a_region_to_the_answers_and_back(open_page: OpenPage, address: str) -> None:
    page = open_page(f"{address}/?lang=en")
    click_to(page, find_marks(page, "compliance_rate-by-region", "Region: China"), "sites")
    assert read_address(page)[1]["region"] == ["CN"]
    click_to(page, find_marks(page, "weakest", "Entity:"), "entity")
    (entity,) = read_address(page)[1]["entity"]
    click_to(page, find_marks(page, "entity-category-period", "Period: FY2025"), "items")
    click_to(page, find_marks(page, "weakest-items", "Checklist item:"), "items", has="item")
    click_to(page, find_marks(page, "item-verdicts", "Verdict:"), "answers")
    name, kept = read_address(page)
    assert name == "answers"
    assert kept["entity"] == [entity]
    assert "item" in kept and "category" in kept
    page.locator(".st-key-breadcrumbs").get_by_text("Group overview").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Group overview")
    wait(page)
    assert "region" not in read_address(page)[1]


def click_to(page: Page, marks: Locator, name: str, has: str = "") -> None:
    """Click where the first mark is, whatever lies on it, and wait for the page that it opens."""
    marks.first.scroll_into_view_if_needed()
    box = marks.first.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url(re.compile(f"/{name}[?].*{has}"))
    wait(page)


def test_link_opens_the_same_view_on_a_cold_server_in_the_other_language(
    open_page: OpenPage, address: str, demo_home: Path
) -> None:
    page = open_page(f"{address}/sites?lang=en&region=JP&region=EU&measure=human&from=FY2023-H1")
    expect(page.get_by_text("Region: Japan, Europe; ")).to_be_visible()
    shown = page.locator(f"{CONTENT} [data-testid=stMetricValue]").all_inner_texts()
    with serve_dashboard(demo_home) as cold:
        other = open_page(page.url.replace(address, cold).replace("lang=en", "lang=ja"))
        expect(other.get_by_role("heading", level=1)).to_have_text(say_title("sites", "ja"))
        expect(other.get_by_text("日本、欧州")).to_be_visible()
        assert other.locator(f"{CONTENT} [data-testid=stMetricValue]").all_inner_texts() == shown
        name, kept = read_address(other)
        assert name == "sites"
        assert kept["region"] == ["JP", "EU"] and kept["measure"] == ["human"] and kept["from"] == ["FY2023-H1"]


def test_language_and_theme_change_in_place_and_filters_survive_pages(open_page: OpenPage, address: str) -> None:
    page = open_page(f"{address}/?lang=en&region=EU")
    page.get_by_text("日本語", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(say_title("overview", "ja"))
    page.wait_for_url("**lang=ja**")
    assert read_address(page)[1]["region"] == ["EU"]
    app = page.locator("[data-testid=stApp]")
    light = app.evaluate("app => getComputedStyle(app).backgroundColor")
    page.locator("[data-testid=stMainMenu] button").click()
    page.get_by_role("menuitemradio", name="Dark").click()
    page.wait_for_function(
        "before => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor !== before",
        arg=light,
    )
    page.keyboard.press("Escape")
    page.locator("[data-testid=stSidebarNav]").get_by_text(say_title("regions", "ja"), exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(say_title("regions", "ja"))
    wait(page)
    assert read_address(page) == ("regions", {"lang": ["ja"], "type": ["self_check"], "region": ["EU"]})


def test_a_filter_of_the_sidebar_narrows_the_page(open_page: OpenPage, address: str) -> None:
    # So high that the filter need not be scrolled to: scrolling closes what the click opens.
    page = open_page(f"{address}/?lang=en", height=1600)
    before = page.locator("[data-testid=stMetricValue]").first.inner_text()
    box = page.get_by_role("combobox", name="Region")
    box.click()
    page.get_by_role("option", name="China").click()
    page.wait_for_url("**region=CN**")
    expect(page.get_by_text("Region: China.")).to_be_visible()
    expect(page.locator("[data-testid=stMetricValue]").first).not_to_have_text(before)


def test_files_hold_what_the_panel_shows(open_page: OpenPage, address: str) -> None:
    page = open_page(f"{address}/?lang=ja&region=CN&region=EU")
    panel = page.locator(".st-key-compliance_rate-region-measure")
    panel.get_by_role("tab", name="ダウンロード").click()
    files = {}
    for label in ("CSV", "Excel", "PNG", "SVG"):
        with page.expect_download() as download:
            panel.get_by_role("button", name=label).click()
        files[label] = Path(download.value.path()).read_bytes()
    assert files["CSV"].startswith("\N{BYTE ORDER MARK}".encode())
    rows = list(csv.reader(io.StringIO(files["CSV"].decode("utf-8-sig"))))
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(files["Excel"]))
    sheet, about = (workbook.get_sheet_by_name(name).to_python() for name in workbook.sheet_names)
    assert [str(cell) for cell in sheet[0]] == rows[0]
    assert len(sheet) == len(rows) > 2
    assert {row[0] for row in rows[1:]} == {"中国", "欧州"}
    assert any("中国" in str(cell) for row in about for cell in row)
    assert files["PNG"].startswith(PNG)
    texts = "".join(ElementTree.fromstring(files["SVG"]).itertext())
    assert "中国" in texts and "欧州" in texts


def test_a_build_appears_by_itself_and_keeps_the_filters(open_page: OpenPage, demo_home: Path, tmp_path: Path) -> None:
    exports = demo_home.parent / "exports"
    home = Home(tmp_path)

    def load(*names: str) -> None:
        load_files(home, Order([path for name in names for path in exports.glob(name)]), lambda *_: None)

    with serve_dashboard(home.path) as address:
        page = open_page(f"{address}/?lang=en&region=CN")
        expect(page.get_by_text("python -m etl load data/demo")).to_be_visible()
        load("master", "self_check/self_check_history*")
        page.get_by_text("Region: China.").wait_for()
        wait(page)
        first = page.locator("[data-testid=stMetricValue]").first.inner_text()
        load("plan", "third_party_check")
        page.get_by_text("-000002").wait_for()
        expect(page.get_by_text("Region: China.")).to_be_visible()
        assert page.locator("[data-testid=stMetricValue]").first.inner_text() == first
        assert read_address(page)[1]["region"] == ["CN"]
