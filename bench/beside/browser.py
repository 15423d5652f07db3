"""A page in Chromium: until when it is full, and what it was sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
from playwright.sync_api import Browser, BrowserContext, Page, Response, WebSocket, sync_playwright
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from docs.draw_pictures import CHROMIUM, FLAGS

WINDOW: Final = {"width": 1600, "height": 1800}
"""High enough for all four charts, because Superset draws what is in sight only."""
LONGEST_WAIT: Final = 120_000
SETTLING: Final = 1200
"""Milliseconds after which a chart that moves into its place has come to rest."""

# A chart's sign is a checksum of what it draws, or nothing before it draws anything. A page is full when no chart is
# still to come and every sign is another one than before. Movement after a chart's first picture is not waited for.
LOOK: Final = """
const sum = (numbers, step) => {
    let total = 7;
    for (let i = 0; i < numbers.length; i += step) total = (Math.imul(total, 31) + numbers[i]) | 0;
    return total;
};
const readSign = chart => {
    const drawing = chart.querySelector('svg.marks');
    if (drawing) return drawing.querySelector('path') ? drawing.outerHTML : null;
    const canvas = chart.querySelector('canvas');
    if (!canvas || !canvas.width || !canvas.height) return null;
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    const words = new Uint32Array(pixels.buffer);
    return words.some(word => word !== 0) ? sum(words, 3) : null;
};
window.readSigns = () => {
    const {charts, isBusy} = window.watched;
    const found = [...document.querySelectorAll(charts)];
    if (found.length !== 4 || isBusy()) return null;
    const signs = found.map(readSign);
    return signs.includes(null) ? null : signs;
};
window.waitUntilFull = before => new Promise(resolve => {
    const look = () => {
        const signs = window.readSigns();
        if (signs && (!before || signs.every((sign, place) => sign !== before[place]))) resolve(performance.now());
        else setTimeout(look, 25);
    };
    look();
});
window.watchPress = () => {
    const before = window.readSigns();
    window.pressed = new Promise(resolve => addEventListener('pointerdown', () => {
        const began = performance.now();
        window.waitUntilFull(before).then(ended => resolve(ended - began));
    }, {capture: true, once: true}));
};
"""
STREAMLIT: Final = """window.watched = {
    charts: '[data-testid=stVegaLiteChart]',
    isBusy: () => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState !== 'notRunning'
        || document.querySelector('[data-testid=stSkeleton]') !== null,
};"""
SUPERSET: Final = """window.watched = {
    charts: '[data-test=chart-container]',
    isBusy: () => document.querySelector('[data-test=grid-container] :is(.loading, [data-test=loading-indicator])')
        !== null,
};"""

Figures = dict[str, dict[str, float]]
"""Rates by chart and key; the keys of lines are region and half."""


@dataclass(frozen=True, slots=True)
class Program:
    """How a program's page is opened, its filter used, and what it was sent is read."""

    path: str
    watched: str
    sign_in: Callable[[BrowserContext, str], None]
    open_filter: Callable[[Page, str], None]
    """Everything up to the last click, whose place `find_last_click` gives."""
    find_last_click: Callable[[Page, str], Any]
    clear_filter: Callable[[Page], None]
    is_superset: bool = False


def sign_in_nowhere(context: BrowserContext, address: str) -> None:
    """There is no sign-in."""


def open_streamlit_filter(page: Page, region: str) -> None:
    """Open the list of regions."""
    page.get_by_role("combobox", name="Region", exact=True).click()
    page.get_by_role("option", name=region, exact=True).wait_for()


def find_option(page: Page, region: str) -> Any:
    """The region in the opened list."""
    return page.get_by_role("option", name=region, exact=True)


def clear_several(page: Page) -> None:
    """Take the one region out of a list of several."""
    box = page.get_by_role("combobox", name="Region", exact=True)
    box.click()
    box.press("Backspace")
    box.press("Escape")
    wait_at_rest(page)


def keep_filter(page: Page) -> None:
    """The next region takes the place of this one."""


TENKEN: Final = Program(
    "/four_charts?lang=en", STREAMLIT, sign_in_nowhere, open_streamlit_filter, find_option, clear_several
)
PANDAS: Final = Program("/", STREAMLIT, sign_in_nowhere, open_streamlit_filter, find_option, keep_filter)


def describe_superset(path: str, user: str, password: str) -> Program:
    """Superset's dashboard at a path, for a user."""

    def sign_in(context: BrowserContext, address: str) -> None:
        form = context.request.get(f"{address}/login/").text()
        token = re.search(r'csrf_token[^>]*?value="([^"]+)"', form)
        assert token, "Superset's form of sign-in has no token"
        values = {"username": user, "password": password, "csrf_token": token[1]}
        assert "/login" not in context.request.post(f"{address}/login/", form=values).url, "Superset refused the user"

    def open_filter(page: Page, region: str) -> None:
        page.locator("[data-test=filter-bar] [data-test=form-item-value]").first.click()
        page.locator(f".ant-select-item-option[title='{region}']").click()
        page.locator("[data-test=filter-bar__apply-button]:not([disabled])").wait_for()

    def find_apply(page: Page, region: str) -> Any:
        return page.locator("[data-test=filter-bar__apply-button]")

    return Program(path, SUPERSET, sign_in, open_filter, find_apply, keep_filter, is_superset=True)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Chromium, without any network service of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


def open_context(browser: Browser, program: Program, address: str) -> BrowserContext:
    """A new reader with an empty cache, signed in."""
    context = browser.new_context(viewport=WINDOW, reduced_motion="reduce", locale="en-US")
    context.set_default_timeout(LONGEST_WAIT)
    context.add_init_script(LOOK + program.watched)
    program.sign_in(context, address)
    return context


def open_page(context: BrowserContext, program: Program, address: str) -> tuple[Page, float, float]:
    """A page in a new window, the milliseconds until it is full, and the kilobytes of files that it fetched."""
    page = context.new_page()
    page.goto(address + program.path, wait_until="commit")
    milliseconds = page.evaluate("window.waitUntilFull(null)")
    fetched = page.evaluate(
        "[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]"
        ".reduce((sum, one) => sum + one.transferSize, 0)"
    )
    return page, milliseconds, fetched / 1000


def wait_at_rest(page: Page) -> None:
    """Wait until the page is full and nothing in it moves."""
    page.wait_for_timeout(SETTLING / 3)
    page.evaluate("window.waitUntilFull(null)")
    page.wait_for_timeout(SETTLING)


def choose_region(page: Page, program: Program, region: str) -> float:
    """Milliseconds from the last click that chooses a region until all charts show it."""
    wait_at_rest(page)
    program.open_filter(page, region)
    page.evaluate("window.watchPress()")
    program.find_last_click(page, region).click()
    return float(page.evaluate("window.pressed"))


def read_figures(browser: Browser, program: Program, address: str, region: str) -> tuple[Figures, Figures]:
    """What a reader's page was sent: without a filter, and for one region."""
    context = open_context(browser, program, address)
    page = context.new_page()
    sent: list[Figures] = [{}]
    if program.is_superset:

        def note_answer(response: Response) -> None:
            if "/api/v1/chart/data" in response.url and response.request.method == "POST":
                sent[-1] |= read_superset(response.json())

        page.on("response", note_answer)
    else:

        def note_message(payload: str | bytes) -> None:
            if isinstance(payload, bytes):
                sent[-1] |= read_streamlit(payload)

        def note_socket(socket: WebSocket) -> None:
            socket.on("framereceived", note_message)

        page.on("websocket", note_socket)
    page.goto(address + program.path)
    wait_at_rest(page)
    sent.append({})
    choose_region(page, program, region)
    wait_at_rest(page)
    context.close()
    return sent[0], sent[1]


def read_streamlit(payload: bytes) -> Figures:
    """The rates of a chart that Streamlit sent in one message; nothing of other messages."""
    message = ForwardMsg()
    message.ParseFromString(payload)
    if message.WhichOneof("type") != "delta" or message.delta.new_element.WhichOneof("type") != "vega_lite_chart":
        return {}
    return read_chart(message.delta.new_element.vega_lite_chart)


def read_chart(chart: Any) -> Figures:
    """The rates in Streamlit's message of a chart; in Tenken's a row has an `id`, a line a `series` and a `period`."""
    rows = pa.ipc.open_stream(chart.data.data or chart.datasets[0].data.data).read_all().to_pylist()
    if rows and "period" in rows[0]:
        rows = [{"region": row["series"], "half": row["period"], "compliance": row["rate"]} for row in rows]
    elif rows and "id" in rows[0]:
        rows = [{"key": row["id"], "compliance": row["rate"]} for row in rows]
    # A period without answers is a row without a rate.
    return name_figures(
        [row for row in rows if row["compliance"] is not None and row["compliance"] == row["compliance"]]
    )


def read_superset(answer: dict[str, Any]) -> Figures:
    """The rates of charts that Superset sent in one answer; lines come with a column for each region."""
    figures: Figures = {}
    for result in answer["result"]:
        rows = result.get("data") or []
        if rows and "half" in rows[0] and "region" not in rows[0]:
            rows = [
                {"region": region.split(", ")[-1], "half": row["half"], "compliance": rate}
                for row in rows
                for region, rate in row.items()
                if region != "half" and rate is not None
            ]
        figures |= name_figures([row for row in rows if any(isinstance(one, float) for one in row.values())])
    return figures


MEASURES: Final = {"organizational", "human", "physical", "technological"}


def name_figures(rows: list[dict[str, Any]]) -> Figures:
    """Rates by chart and key, from rows of one rate each; the codes with which names begin are the keys."""
    if not rows:
        return {}
    if "half" in rows[0]:
        return {"lines": {f"{row['region']} {row['half']}": read_rate(row) for row in rows}}
    names = [next(one for one in row.values() if isinstance(one, str)) for row in rows]
    found = {name.split(" ")[0]: read_rate(row) for name, row in zip(names, rows, strict=True)}
    chart = "measures" if found.keys() <= MEASURES else "items" if any("|" in key for key in found) else "entities"
    return {chart: found}


def read_rate(row: dict[str, Any]) -> float:
    """The one rate of a row."""
    return next(one for one in row.values() if isinstance(one, float))
