"""Guards of sign-in outside the pages: files, uploads, logout, cookies, and the way back to the link once opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.cookies import CookieError
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_server_config import TOKENS_COOKIE_NAME, USER_COOKIE_NAME

from dashboard.access.settings import CALLBACK, SignIn
from dashboard.serving.cookies import NO_PAGES, check_return, harden_cookie, keep_return, read_claims, read_return
from dashboard.serving.gate import UPLOADS
from dashboard.serving.shield import MEDIA

What = Literal["see", "upload"]
Claims = Mapping[str, Any]
LOGIN: Final = "/auth/login"
LOGOUT: Final = "/auth/logout"
SECONDS_PER_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Logins:
    """What the door asks about a reader, and what it tells: may they, that a login is over, that none was made."""

    is_permitted: Callable[[Claims, What], bool]
    end_login: Callable[[Claims, str], None]
    note_refused: Callable[[str], None]
    read_hours: Callable[[], float]


class Door:
    """ASGI layer that asks for a login where Streamlit does not; it stands only where sign-in is on."""

    def __init__(self, app: ASGIApp, sign_in: SignIn, logins: Logins) -> None:
        self.app = app
        self.sign_in = sign_in
        self.logins = logins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path, headers = scope["path"], Headers(scope=scope)
        cookies = read_cookies(scope)
        claims = read_claims(cookies, self.sign_in.origin)
        if what := name_right(path):
            if not await self.may(claims, what):
                await PlainTextResponse("Sign in first.\n", status_code=403)(scope, receive, send)
                return
        elif path == LOGOUT:
            # Absent in older browsers; every other value means that somebody else's page leads here.
            if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
                await PlainTextResponse("Sign out on a page of Tenken.\n", status_code=403)(scope, receive, send)
                return
            if claims:
                # Before the cookie goes, so that a copy of it is worthless even if the rest fails.
                await run_in_threadpool(self.logins.end_login, claims, name_client(scope))
        kept = await self.name_return(scope, headers, claims)
        is_signed_in = is_out_of_reach = False

        async def send_with_cookies(message: Message) -> None:
            nonlocal is_signed_in, is_out_of_reach
            if message["type"] == "http.response.start":
                is_out_of_reach = path == LOGIN and message["status"] == HTTPStatus.BAD_REQUEST
                is_signed_in = self.write_cookies(path, cookies, kept, message)
                if is_signed_in and claims:
                    # A copy of the cookie that the browser forgets now would stay good.
                    await run_in_threadpool(self.logins.end_login, claims, name_client(scope))
            if not is_out_of_reach:
                await send(message)

        await self.app(scope, receive, send_with_cookies)
        if is_out_of_reach:
            text = "The identity provider cannot be reached, so that nobody can sign in now. Go back, and try later.\n"
            await PlainTextResponse(text, HTTPStatus.BAD_GATEWAY)(scope, receive, send)
        # A way back without a state is that of signing out.
        if path == CALLBACK and not is_signed_in and "state" in QueryParams(scope["query_string"]):
            await run_in_threadpool(self.logins.note_refused, name_client(scope))

    async def may(self, claims: Claims | None, what: What) -> bool:
        """Whether a reader may; the look-up reads files, which must not hold up everybody else's requests."""
        if claims is None:
            return False
        is_permitted: bool = await run_in_threadpool(self.logins.is_permitted, claims, what)
        return is_permitted

    async def name_return(self, scope: Scope, headers: Headers, claims: Claims | None) -> tuple[str | None] | None:
        """The page to keep for after signing in, or that there is none to keep; None where nothing changes."""
        path = scope["path"]
        if path == LOGIN:
            # The page that the reader has come to by clicks inside it, of which no request told.
            left = urlsplit(headers.get("referer", ""))
            if f"{left.scheme}://{left.netloc}" != self.sign_in.origin:
                return None
            return (check_return(f"{left.path}?{left.query}" if left.query else left.path),)
        is_document = headers.get("sec-fetch-dest", "document") == "document" and "text/html" in headers.get(
            "accept", ""
        )
        if scope["method"] != "GET" or path.startswith(NO_PAGES) or not is_document:
            return None
        if await self.may(claims, "see"):
            return None
        query = scope["query_string"].decode("latin-1")
        opened = scope.get("raw_path", path.encode()).decode("latin-1")
        return (check_return(f"{opened}?{query}" if query else opened),)

    def write_cookies(
        self, path: str, cookies: Mapping[str, str], kept: tuple[str | None] | None, message: Message
    ) -> bool:
        """Shorten and secure the cookies of a response, and lead back to the page that was opened before signing in.

        True where the response signs somebody in.
        """
        is_https = self.sign_in.is_https
        # Nothing here asks the provider in the reader's name, so that the browser need not keep its tokens.
        message["headers"] = [one for one in message["headers"] if not sets_tokens(*one)]
        if any(name.lower() == b"set-cookie" for name, _ in message["headers"]):
            longest = round(self.logins.read_hours() * SECONDS_PER_HOUR)
            message["headers"] = [
                (name, harden_cookie(value.decode("latin-1"), longest, is_https=is_https).encode("latin-1"))
                if name.lower() == b"set-cookie"
                else (name, value)
                for name, value in message["headers"]
            ]
        headers = MutableHeaders(raw=message["headers"])
        if kept is not None:
            headers.append("set-cookie", keep_return(kept[0], is_https=is_https))
        is_signed_in = any(
            one.startswith(f"{USER_COOKIE_NAME}=") and "Max-Age=0" not in one for one in headers.getlist("set-cookie")
        )
        if path == CALLBACK and is_signed_in and headers.get("location") == "/":
            headers["location"] = read_return(cookies) or "/"
            headers.append("set-cookie", keep_return(None, is_https=is_https))
        return is_signed_in


def name_right(path: str) -> What | None:
    """What a reader must be allowed for a path; None where the page that is sent holds nobody's data."""
    return "upload" if path.startswith(UPLOADS) else "see" if path.startswith(MEDIA) else None


def sets_tokens(name: bytes, value: bytes) -> bool:
    """Whether a header gives the browser the provider's tokens, and does not take them away."""
    return name.lower() == b"set-cookie" and value.startswith(TOKENS_COOKIE_NAME.encode()) and b"Max-Age=0" not in value


def name_client(scope: Scope) -> str:
    """Address that a request came from; the proxy's word for it where the proxy is trusted."""
    return str(scope["client"][0]) if scope.get("client") else ""


def read_cookies(scope: Scope) -> dict[str, str]:
    """Cookies of a request; none where they cannot be read."""
    try:
        return HTTPConnection(scope).cookies
    except CookieError:
        return {}
