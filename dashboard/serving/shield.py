"""The outermost layer of the server: security headers on every response, and no word of what broke inside."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
import secrets
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG: Final = logging.getLogger("tenken.server")
MEDIA: Final = "/media/"
STATIC: Final = "/static/"

FIXED_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Our own pages say where a reader comes from, for the way back after signing in; others learn nothing.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
    "magnetometer=(), microphone=(), midi=(), payment=(), usb=(), clipboard-write=(self), fullscreen=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Permitted-Cross-Domain-Policies": "none",
}
TLS_HEADERS: Final = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
# A file that somebody opens by its address runs nothing and reaches nothing.
MEDIA_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"


def hash_inline_scripts(index: Path) -> list[str]:
    """Sources of a content security policy for the scripts that stand in Streamlit's page itself."""
    scripts = re.findall(r"<script>(.*?)</script>", index.read_text("utf-8"), re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    return [f"'sha256-{digest}'" for digest in digests]


def write_policy(inline_scripts: list[str], host: str, *, is_https: bool) -> str:
    """Content security policy of the pages: all of it comes from the server itself, whose host a request names."""
    return "; ".join(
        [
            "default-src 'self'",
            # Streamlit's reading of messages counts in WebAssembly; no text ever becomes a script.
            " ".join(["script-src 'self' 'wasm-unsafe-eval'", *inline_scripts]),
            # Components and charts write style attributes, which no hash can name.
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            f"connect-src 'self' {'wss' if is_https else 'ws'}://{host}",
            "media-src 'none'",
            "worker-src 'none'",
            "manifest-src 'self'",
            "frame-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "object-src 'none'",
        ]
    )


class Shield:
    """ASGI layer that puts the headers on every response and answers for what broke inside with a reference only."""

    def __init__(self, app: ASGIApp, index: Path, *, is_https: bool) -> None:
        self.app = app
        self.is_https = is_https
        self.inline_scripts = hash_inline_scripts(index)
        self.headers = FIXED_HEADERS | (TLS_HEADERS if is_https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal is_begun
            if message["type"] == "http.response.start":
                is_begun = True
                self.write_headers(scope, MutableHeaders(raw=message["headers"]))
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception:
            reference = secrets.token_hex(4)
            LOG.exception(
                "Error %s: %s %s", reference, scope["method"], scope["path"].encode("unicode_escape").decode()
            )
            if is_begun:
                raise
            text = f"Something went wrong. The log of the server has it as error {reference}.\n"
            await PlainTextResponse(text, status_code=500)(scope, receive, send_with_headers)

    def write_headers(self, scope: Scope, headers: MutableHeaders) -> None:
        """Put the headers on a response, and take off those that would open it to other origins."""
        path, host = scope["path"], Headers(scope=scope).get("host", "")
        for name in [name for name in headers if name.startswith("access-control-")]:
            del headers[name]
        headers.update(self.headers)
        is_file = path.startswith(MEDIA)
        headers["Content-Security-Policy"] = (
            MEDIA_POLICY if is_file else write_policy(self.inline_scripts, host, is_https=self.is_https)
        )
        # Names of Streamlit's own files hold a hash of their contents; everything else is about somebody's data.
        if not path.startswith(STATIC) or "immutable" not in headers.get("cache-control", ""):
            headers["Cache-Control"] = "no-store"
