"""python docs/draw_pictures.py [--few] [--home FOLDER]: every page of the dashboard as PNG files in docs/pictures.

Shows the demo group, made for this in a folder that is taken away again, or the build of --home.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT: Final = Path(__file__).resolve().parents[1]
PICTURES: Final = ROOT / "docs" / "pictures"
CHROMIUM: Final = Path("/usr/bin/chromium")
FLAGS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]
WIDTHS: Final = {"desktop": 1600, "phone": 420}
LOWEST: Final = 900
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
LONGEST_WAIT: Final = 60_000
SECONDS_TO_END: Final = 10
QUIET: Final = 800
"""Milliseconds without a change in the page after which its charts are taken to be drawn."""
CONTENT: Final = "[data-testid=stMain]"
# Charts and tables are drawn after the run has ended, and again at each new size.
WAIT_UNTIL_QUIET: Final = """quiet => new Promise(resolve => {
    let timer = setTimeout(resolve, quiet);
    new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(resolve, quiet); })
        .observe(document.querySelector('[data-testid=stMain]'), {subtree: true, childList: true});
    setTimeout(resolve, 5 * quiet);
})"""


def main() -> None:
    """Draw what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", action="store_true", help="both languages, but light and wide only")
    parser.add_argument("--home", type=Path, help="a TENKEN_HOME with a build to show; it is only read")
    parser.add_argument("--view", action="append", help="a view to draw; every one where none is named")
    options = parser.parse_args()
    if not CHROMIUM.exists():
        parser.exit(1, f"{CHROMIUM} is missing. On Debian: sudo apt-get install chromium fonts-noto-cjk\n")
    known = list_views()
    views = options.view or list(known)
    unknown = [view for view in views if view not in known]
    if unknown:
        parser.error(f"no such view: {', '.join(unknown)}; there are {', '.join(known)}")
    schemes = SCHEMES[:1] if options.few else SCHEMES
    widths = ("desktop",) if options.few else tuple(WIDTHS)
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tenken-pictures-") as folder:
        home = options.home.resolve() if options.home else make_demo(Path(folder))
        with serve_dashboard(home) as address:
            addresses = {view: f"{address}/{known[view]}" for view in views}
            broken = draw_views(addresses, list(product(views, ("en", "ja"), schemes, widths)))
    if broken:
        raise SystemExit(f"These views show an error: {', '.join(broken)}")


def say(what: str) -> None:
    """Tell what is being done."""
    sys.stderr.write(f"{what}\n")


def list_views() -> dict[str, str]:
    """Every page in the order of the navigation, then what pages show of one thing of the demo group: addresses."""
    sys.path.insert(0, str(ROOT))
    from dashboard.navigation import PAGES

    # The first page has no name in the address.
    pages = {page.name: "" if page is PAGES[0] else page.name for page in PAGES}
    return {name: f"{path}?" for name, path in pages.items()} | {
        "one-entity": "entity?entity=AF-0018&",
        "one-item": "items?item=SEC|2020|1.24&",
        "two-knowledge-dates": "changes?compare=knowledge&",
    }


def make_demo(folder: Path) -> Path:
    """A home with the demo group's build."""
    say("making the demo group")
    exports, home = folder / "demo", folder / "home"
    for arguments in (["demo", "--out", str(exports)], ["load", "--home", str(home), str(exports)]):
        subprocess.run([sys.executable, "-m", "etl", *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return home


@contextmanager
def serve_dashboard(home: Path) -> Iterator[str]:
    """Address of a server of the dashboard on a free port of the loopback, for as long as it is needed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "dashboard", "--server.port", str(port)]
    environment = os.environ | {"TENKEN_HOME": str(home)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        # What it says later is read too, or it would wait for a reader.
        rest = threading.Thread(target=server.stdout.read)
        try:
            # It is ready once it prints its address.
            if not any("URL:" in line for line in server.stdout):
                raise SystemExit("The dashboard did not start; what it says is above.")
            rest.start()
            yield address
        finally:
            server.terminate()
            try:
                server.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                server.kill()
            if rest.ident:
                rest.join()


def draw_views(addresses: dict[str, str], wanted: list[tuple[str, str, Literal["light", "dark"], str]]) -> list[str]:
    """Each view in each language, scheme and width, as a file of its own; hands back those that show an error."""
    from playwright.sync_api import sync_playwright

    broken = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        for number, (view, language, scheme, width) in enumerate(wanted, start=1):
            target = PICTURES / f"{view}-{language}-{scheme}-{width}.png"
            say(f"{number} of {len(wanted)}: {target.relative_to(ROOT)}")
            if not draw_page(browser, f"{addresses[view]}lang={language}", scheme, WIDTHS[width], target):
                broken.append(target.name)
        browser.close()
    return broken


def draw_page(browser: Browser, url: str, scheme: Literal["light", "dark"], width: int, target: Path) -> bool:
    """One page at its full height; whether it shows no error."""
    context = browser.new_context(viewport={"width": width, "height": LOWEST}, color_scheme=scheme)
    page = context.new_page()
    page.goto(url)
    page.locator(f"{CONTENT} h1").wait_for(timeout=LONGEST_WAIT)
    wait_until_drawn(page)
    # What is below the window is not drawn, and what is drawn can be higher than what stood in its place.
    for _ in range(3):
        height = page.locator(CONTENT).evaluate("main => main.scrollHeight")
        if height <= page.viewport_size["height"]:  # type: ignore[index]
            break
        page.set_viewport_size({"width": width, "height": height})
        wait_until_drawn(page)
    page.screenshot(path=target)
    is_sound = page.locator("[data-testid=stException]").count() == 0
    context.close()
    return is_sound


def wait_until_drawn(page: Page) -> None:
    """Wait until the run has ended and nothing changes any more."""
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=stStatusWidget], [data-testid=stSkeleton]')", timeout=LONGEST_WAIT
    )
    page.evaluate(WAIT_UNTIL_QUIET, QUIET)


if __name__ == "__main__":
    main()
