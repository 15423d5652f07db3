"""The Import page in Chromium, as a steward uses it: drop, look, mend, publish, and see it on the other pages."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook

from dashboard import inbox
from dashboard.words import Language, translate
from docs.draw_pictures import CHROMIUM, CONTENT, serve_dashboard
from metrics.warehouse import newest_build_name
from tests.dashboard.test_browser import (
    FITS,
    LONGEST_WAIT,
    TALLEST,
    browser,
    list_grave,
    open_page,
    wait,
    warm_contexts,
)
from tests.dashboard.test_imports import GOOD, MIXED, NAME, WALK

__all__ = ["browser", "open_page", "warm_contexts"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed (apt-get install chromium)"),
]

OpenPage = Callable[..., Page]
HOSTILE = "![x](example.org)<img src=x onerror=alert(1)>.csv"
PERIOD = "FY2025-H2"
ENTITIES = 20
UPLOADER = "[data-testid=stFileUploaderDropzone] input[type=file]"


@pytest.fixture
def own_home(demo_home: Path, tmp_path: Path) -> Path:
    """A home of its own with the demo group and one more layout."""
    home = tmp_path / "home"
    shutil.copytree(demo_home, home)
    (home / "sources").mkdir()
    (home / "sources" / "office_walk.toml").write_text(WALK, "utf-8")
    return home


@pytest.fixture
def address(own_home: Path) -> Iterator[str]:
    """A server of its own, to be named before open_page: pages that outlive their server write errors."""
    with serve_dashboard(own_home) as address:
        yield address


def write_worse(demo_home: Path, wrong: bool = False) -> str:
    """The newest self-checks of some entities as an export in which nothing is met; one entity unknown if wrong."""
    lines = (demo_home.parent / "exports" / "self_check" / "self_check_history.csv").read_text("utf-8").splitlines()
    heading = lines[0].split(",")
    rows = [dict(zip(heading, line.split(","), strict=False)) for line in lines[1:] if ",FY2024-H2," in line]
    wanted = sorted({row["entity_code"] for row in rows})[:ENTITIES]
    written = [lines[0]]
    for number, row in enumerate(row for row in rows if row["entity_code"] in wanted):
        changes = {"period": PERIOD, "performed_on": "2026-05-30", "submitted_on": "2026-06-01", "answer": "×"}
        if wrong and number == 3:
            changes["entity_code"] = "HQ-OOO1"
        written.append(",".join((row | changes)[name] for name in heading))
    return "\n".join(written)


def make_file(name: str, content: str | bytes) -> FilePayload:
    return {"name": name, "mimeType": "text/csv", "buffer": content.encode() if isinstance(content, str) else content}


def drop(page: Page, *files: FilePayload) -> None:
    page.locator(UPLOADER).last.set_input_files(list(files))
    page.wait_for_url("**batch=**")


def wait_for_check(page: Page) -> None:
    page.locator(".st-key-import-publish").wait_for()
    wait(page)


def find_file(page: Page, name: str) -> Locator:
    return page.locator("[class*=st-key-file-]").filter(has_text=name)


def open_file(page: Page, name: str, label: str = "Details") -> Locator:
    row = find_file(page, name)
    row.get_by_text(label, exact=True).click()
    row.locator("[role=tab], [data-testid=stDataFrame]").first.wait_for()
    wait(page)
    return row


def leave(page: Page) -> None:
    """Close the page as a reader does who goes elsewhere: it then asks nothing more of a server that ends."""
    page.goto("about:blank")
    page.close()


def publish(page: Page) -> None:
    page.locator(".st-key-publish button").click()
    page.locator(".st-key-import-published").wait_for()
    wait(page)


def test_good_mixed_and_hostile_files_are_dropped_published_and_change_the_figures(
    address: str, open_page: OpenPage, own_home: Path, demo_home: Path
) -> None:
    page = open_page(f"{address}/?lang=en")
    before = page.locator("[data-testid=stMetricValue]").first.inner_text()
    build = newest_build_name(own_home)
    page.locator("[data-testid=stSidebarNav]").get_by_text("Import", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Import")
    wait(page)
    hostile = (
        "walk item,walk result,walk remark\n=HYPERLINK(1),<script>alert(1)</script>,\n"
        "![x](http://example.org/a.png),yes,<img src=http://example.org/b.png>\n"
    )
    drop(
        page,
        make_file("self_check_history_new.csv", write_worse(demo_home, wrong=True)),
        make_file(NAME, GOOD),
        make_file(HOSTILE, hostile),
        make_file("walk_TKY_FY2025-H1_" + HOSTILE, hostile),
        make_file("checklist_master_cut.xlsx", b"PK\x03\x04" + b"\x00" * 500),
        make_file("self_check_history_zip.xlsx", b"\x00\xff" * 1000),
    )
    wait_for_check(page)
    assert newest_build_name(own_home) == build
    expect(find_file(page, "checklist_master_cut.xlsx")).to_contain_text("Cannot be loaded")
    row = open_file(page, "self_check_history_new.csv")
    row.get_by_role("tab", name="As understood").click()
    row.locator("[data-testid=stDataFrame]:visible").wait_for()
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.locator(f"{CONTENT} img").count() == 0
    expect(page.locator(".st-key-publish button")).to_have_text(
        re.compile("Publish: 3 files, .* rows loaded, .* 2 refused")
    )
    publish(page)
    assert newest_build_name(own_home) != build
    page.locator(".st-key-import-published").get_by_text("Group overview").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Group overview")
    wait(page)
    expect(page.locator("[data-testid=stMetricValue]").first).not_to_have_text(before)


def test_refused_rows_are_downloaded_mended_dropped_again_and_loaded(
    address: str, open_page: OpenPage, own_home: Path
) -> None:
    page = open_page(f"{address}/imports?lang=en")
    drop(page, make_file("walk_OSK_FY2024-H1.csv", MIXED))
    wait_for_check(page)
    expect(page.locator(".st-key-publish button")).to_have_text(
        re.compile("Publish: 1 file, 2 rows loaded, 0 changed, 1 refused")
    )
    publish(page)
    row = open_file(page, "walk_OSK_FY2024-H1.csv")
    with page.expect_download() as download:
        row.get_by_role("button", name="Download the refused rows").click()
    name, content = download.value.suggested_filename, Path(download.value.path()).read_bytes()
    book, mended = CalamineWorkbook.from_filelike(io.BytesIO(content)), io.BytesIO()
    texts = []
    with Workbook(mended) as out:
        for sheet in book.sheet_names:
            written = out.add_worksheet(sheet)
            for line, cells in enumerate(book.get_sheet_by_name(sheet).to_python()):
                for place, cell in enumerate(cells):
                    texts.append(str(cell))
                    written.write_string(line, place, "no" if cell == "perhaps" else str(cell))
    assert "perhaps" in texts and any("perhaps" in text and len(text) > 20 for text in texts)
    drop(page, make_file(name, mended.getvalue()))
    wait_for_check(page)
    expect(page.locator(".st-key-publish button")).to_have_text(
        re.compile("Publish: 1 file, 1 row loaded, 0 changed, 0 refused")
    )
    publish(page)
    expect(page.locator(".st-key-import-published")).to_contain_text("1 file: 1 row loaded")


def test_a_closed_browser_and_a_restarted_server_lose_nothing(open_page: OpenPage, own_home: Path) -> None:
    with serve_dashboard(own_home) as address:
        page = open_page(f"{address}/imports?lang=en")
        drop(page, make_file("walk.csv", GOOD))
        wait_for_check(page)
        row = open_file(page, "walk.csv")
        box = row.get_by_role("combobox", name="Entity")
        box.fill("NGO")
        box.press("Enter")
        box = row.get_by_role("combobox", name="Period")
        box.fill("2024-10")
        box.press("Enter")
        row.get_by_role("button", name="Use these settings").click()
        expect(page.locator(".st-key-publish button")).to_be_enabled()
        page.locator(".st-key-publish button").click()
        page.locator(".st-key-import-publishing, .st-key-import-published").first.wait_for()
        leave(page)
    (batch,) = inbox.list_batches(own_home)
    assert inbox.read_choices(batch) == {"walk.csv": {"entity": "NGO", "period": "2024-10"}}
    batch.publish.wait()
    with serve_dashboard(own_home) as address:
        page = open_page(f"{address}/imports?lang=ja")
        expect(page.locator(f".st-key-batch-{batch.name}")).to_contain_text(translate("ja", "Published"))
        page.get_by_role("button", name=translate("ja", "Show"), exact=True).click()
        expect(page.locator(".st-key-import-published")).to_contain_text(translate("ja", "Published"))
        leave(page)


def test_a_first_build_is_published_from_an_empty_home(open_page: OpenPage, tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "office_walk.toml").write_text(WALK, "utf-8")
    with serve_dashboard(tmp_path) as address:
        page = open_page(f"{address}/?lang=en")
        page.get_by_text("Import files").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Import")
        wait(page)
        drop(page, make_file(NAME, GOOD))
        wait_for_check(page)
        publish(page)
        page.locator("[data-testid=stSidebarNav]").get_by_text("Group overview", exact=True).click()
        page.locator("[data-testid=stMetricValue]").first.wait_for()
        leave(page)


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ja", "dark")])
def test_every_step_is_accessible_and_fits_a_phone(
    address: str, open_page: OpenPage, own_home: Path, language: Language, scheme: str
) -> None:
    def look(page: Page) -> None:
        wait(page)
        assert page.locator("[data-testid=stException]").count() == 0
        assert list_grave(page) == []
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_function(FITS, arg=CONTENT)
        page.set_viewport_size({"width": 1600, "height": TALLEST})
        wait(page)

    def say(text: str) -> str:
        return translate(language, text)

    page = open_page(f"{address}/imports?lang={language}", height=TALLEST, scheme=scheme)
    page.set_default_timeout(LONGEST_WAIT)
    page.locator(".st-key-imports-sources summary").click()
    page.locator("[data-testid=stDataFrame]").wait_for()
    look(page)
    layout = "項番,確認内容,判定,コメント,期限\n1.1,記録がある,○,,\n1.2,施錠されている,そこそこ,鍵,2025/10/31\n"
    drop(
        page,
        make_file("walk_OSK_FY2024-H1.csv", MIXED),
        make_file(NAME, GOOD),
        make_file("walk.csv", GOOD),
        make_file("walk_b.csv", MIXED),
        make_file("巡回.csv", layout),
    )
    wait_for_check(page)
    open_file(page, "walk_OSK_FY2024-H1.csv", say("Details"))
    open_file(page, NAME, say("Details"))
    row = open_file(page, "巡回.csv", say("Details"))
    look(page)
    row.get_by_role("button", name=say("Describe this layout")).click()
    page.locator(".st-key-import-draft [data-testid=stForm]").wait_for()
    look(page)
    page.locator(".st-key-end-draft button").click()
    wait_for_check(page)
    publish(page)
    look(page)
    page.get_by_role("button", name=say("All batches")).click()
    page.locator("[class*=st-key-batch-2]").first.wait_for()
    look(page)
