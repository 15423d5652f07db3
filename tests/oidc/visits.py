"""A visit to a dashboard with sign-in: a page, all that the server sends it, and the ways to sign in."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import OctKey
from playwright.sync_api import BrowserContext, Page, WebSocket, expect

from tests.oidc.providers import COOKIE_SECRET

DATA = re.compile(rb"(?:JP|AM|EU|CN|AS)-\d\d|BG-(?:IMG|OFF|MED)|(?:Company|Works) \d")
"""Codes and names of entities of the small group, as they are sent."""
HAS_RUN = "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
USER_COOKIE = "_streamlit_user"
MINUTE = 60


@dataclass(frozen=True, slots=True)
class Site:
    """A dashboard that signs in at one provider."""

    address: str
    home: Path


@dataclass(slots=True)
class Visit:
    """A page in a browser of its own, with all that the server has sent it."""

    context: BrowserContext
    page: Page
    frames: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("websocket", lambda socket: self.listen(socket))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def listen(self, socket: WebSocket) -> None:
        """Keep every frame, from the first."""
        socket.on(
            "framereceived", lambda frame: self.frames.append(frame if isinstance(frame, bytes) else frame.encode())
        )

    def has_seen(self, pattern: re.Pattern[bytes]) -> bool:
        """Whether the server has sent it since the frames were last forgotten."""
        return any(pattern.search(frame) for frame in self.frames)

    def check_door(self, sentence: str = "Sign in") -> None:
        """A sentence stands in place of the page; nothing of the group has been sent, nor is shown."""
        expect(self.page.locator(".st-key-door")).to_contain_text(sentence)
        self.page.wait_for_function(HAS_RUN)
        expect(self.page.locator("[data-testid=stSidebarNav]")).to_have_count(0)
        assert not self.has_seen(DATA)
        assert not DATA.search(self.page.locator("body").inner_text().encode())

    def run_again(self) -> None:
        """What any click of the reader does, on the page as it is open; what was sent before is forgotten."""
        self.frames.clear()
        self.page.keyboard.press("r")

    def reload(self) -> None:
        """Open the page anew; what was sent before is forgotten."""
        self.frames.clear()
        self.page.reload()


def sign_in(one: Visit, subject: str) -> list[Any]:
    """Sign in as a reader does, at a real provider: the cookies as they were on the provider's page."""
    # The mock's page would take its style from elsewhere; a browser that is held back so keeps nothing for later.
    one.page.route(lambda url: "://127.0.0.1:" not in url, lambda route: route.abort())
    one.page.get_by_role("button", name="Sign in").click()
    picked = one.page.get_by_role("button", name=subject, exact=True)
    picked.wait_for()
    one.page.unroute_all()
    cookies = one.context.cookies()
    picked.click()
    return [*cookies]


def sign_in_at_once(one: Visit, site: Site) -> int:
    """Sign in at the crooked provider without drawing a page: the status at the end of all redirects."""
    claims = {"provider": "default", "exp": int(time.time()) + MINUTE}
    # As the button of the page does.
    token = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(COOKIE_SECRET))
    return one.context.request.get(f"{site.address}/auth/login", params={"provider": token}).status


def is_signed_in(one: Visit) -> bool:
    """Whether the browser holds a cookie of a login, good or not."""
    return any(cookie["name"].startswith(USER_COOKIE) for cookie in one.context.cookies())
