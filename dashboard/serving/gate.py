"""What the server answers at all: to which host names, on which paths, by which methods, from which pages."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

CORE: Final = "/_stcore/"
UPLOADS: Final = "/_stcore/upload_file/"
STREAM: Final = "/_stcore/stream"
# Readiness, which the page asks for before it connects, and settings of the page.
ASKED_BY_PAGES: Final = ("/_stcore/health", "/_stcore/host-config")
# Files of components that others wrote; Tenken has none.
COMPONENTS: Final = "/component/"
READING: Final = ("GET", "HEAD")
CHANGING: Final = ("PUT", "DELETE")
POLICY_VIOLATION: Final = 1008
# Streamlit takes more from any browser, signed in or not: to empty every cache of the server, to name its repository.
SAID_BY_PAGES: Final = ("rerun_script", "stop_script", "file_urls_request", "app_heartbeat")
DONE_FOR_PAGES: Final = ("deferred_file",)


class Gate:
    """ASGI layer that turns away what no page of the dashboard asks for."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request or connection through, or answer why not."""
        if scope["type"] == "http" and (refusal := self.refuse(scope)):
            await refusal(scope, receive, send)
        elif scope["type"] == "websocket" and not self.is_connection_ours(scope):
            await receive()
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        else:
            await self.app(scope, only_said_by_pages(receive) if scope["type"] == "websocket" else receive, send)

    def refuse(self, scope: Scope) -> PlainTextResponse | None:
        """The answer to a request that is turned away; None when it may pass."""
        headers, method, path = Headers(scope=scope), scope["method"], scope["path"]
        if not self.is_host_ours(headers):
            text = "Tenken is not served under this host name. Its operator can add the name to TENKEN_HOSTS.\n"
            return PlainTextResponse(text, status_code=400)
        is_upload = path.startswith(UPLOADS)
        is_closed = path.startswith((CORE, COMPONENTS)) and not is_upload and path not in ASKED_BY_PAGES
        # The same without a slash at the end, which Streamlit would answer with its page.
        if is_closed or path in (CORE[:-1], COMPONENTS[:-1]):
            return PlainTextResponse("Not found.\n", status_code=404)
        allowed = CHANGING if is_upload else READING
        if method not in allowed:
            return PlainTextResponse("Not allowed.\n", status_code=405, headers={"Allow": ", ".join(allowed)})
        if is_upload and not self.is_from_our_pages(headers):
            return PlainTextResponse("Only a page of Tenken may send files.\n", status_code=403)
        return None

    def is_connection_ours(self, scope: Scope) -> bool:
        """Whether a websocket is asked for by a page of this server, under one of its names."""
        headers = Headers(scope=scope)
        return scope["path"] == STREAM and self.is_host_ours(headers) and self.is_from_our_pages(headers)

    def is_host_ours(self, headers: Headers) -> bool:
        """Whether the Host header is exactly one, and a name of this server with any port."""
        named = headers.getlist("host")
        if len(named) != 1:
            return False
        try:
            parts = urlsplit(f"//{named[0]}")
            host, _ = parts.hostname, parts.port
        except ValueError:
            return False
        # What is more than a name and a port could slip into a header that repeats it.
        plain = parts.netloc == named[0] and parts.username is None and named[0].isascii() and named[0].isprintable()
        return bool(host) and plain and not set(named[0]) & set(" ;,'\"\\") and str(host).rstrip(".") in self.hosts

    def is_from_our_pages(self, headers: Headers) -> bool:
        """Whether a page of this very origin asks, or a program, which names no origin."""
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        # Streamlit would ask a service outside for its own address to judge an origin that is not the host.
        return origin.partition("://")[2] == headers.get("host")


def only_said_by_pages(receive: Receive) -> Receive:
    """What comes over a websocket, without messages that no page of the dashboard has a reason to send."""

    async def receive_known() -> Message:
        while True:
            message = await receive()
            if message["type"] != "websocket.receive" or is_said_by_pages(message.get("bytes") or b""):
                return message

    return receive_known


def is_said_by_pages(content: bytes) -> bool:
    """Whether a page says such a thing; what is no message at all is left to Streamlit, which ends the connection."""
    try:
        message = BackMsg.FromString(content)
    except DecodeError:
        return True
    if message.WhichOneof("type") == "backend_operation_request":
        return message.backend_operation_request.WhichOneof("payload") in DONE_FOR_PAGES
    return message.WhichOneof("type") in (*SAID_BY_PAGES, None)
