"""A reader without a browser: speaks Streamlit's own protocol to a server, and keeps every byte that it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Block_pb2 import Block
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from websockets.sync.client import ClientConnection, connect

USER_COOKIE = "_streamlit_user"
XSRF_COOKIE = "_streamlit_xsrf"
LONGEST_MESSAGE = 50_000_000


def sign_claims(claims: Mapping[str, Any], secret: str, origin: str) -> str:
    """The cookie that Streamlit gives to somebody whom a provider has signed in with these claims."""
    told = json.dumps({**claims, "origin": origin, "is_logged_in": True, "provider": "default"})
    return create_signed_value(secret, USER_COOKIE, told).decode()


@dataclass
class Shown:
    """What one run has sent: every message as bytes, and what can be asked for next."""

    messages: list[bytes] = field(default_factory=list)
    tabs: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)

    @property
    def text(self) -> bytes:
        """Everything in one."""
        return b"\0".join(self.messages)


@dataclass
class Client:
    """One open page of one reader."""

    connection: ClientConnection
    http: httpx.Client
    session_id: str = ""
    requests: int = 0

    def open(self, page: str, address: Mapping[str, Any], states: Mapping[str, str] | None = None) -> Shown:
        """Run a page at an address, with the given states of its widgets, such as open tabs, and wait for its end."""
        self.ask(page, address, states)
        return self.read_run()

    def ask(self, page: str, address: Mapping[str, Any], states: Mapping[str, str] | None = None) -> None:
        """Ask for a page, and wait for nothing."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string = urlencode(address, doseq=True)
        state.page_name = page
        for key, label in (states or {}).items():
            state.widget_states.widgets.append(WidgetState(id=key, string_value=label))
        self.connection.send(message.SerializeToString())

    def read_run(self) -> Shown:
        """Everything up to the end of a run, and of those that it makes follow."""
        shown = Shown()
        containers: dict[tuple[int, ...], str] = {}
        while True:
            raw = self.connection.recv()
            assert isinstance(raw, bytes)
            shown.messages.append(raw)
            message = ForwardMsg.FromString(raw)
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.session_id = message.new_session.initialize.session_id
                shown.tabs.clear()
                shown.files.clear()
                shown.tables.clear()
            elif kind == "delta":
                read_delta(message, containers, shown)
            elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return shown

    def take(self, file_id: str) -> bytes:
        """A file that a download button offers."""
        message = BackMsg()
        self.requests += 1
        request = message.backend_operation_request
        request.request_id, request.session_id = str(self.requests), self.session_id
        request.deferred_file.file_id = file_id
        self.connection.send(message.SerializeToString())
        while True:
            raw = self.connection.recv()
            assert isinstance(raw, bytes)
            answer = ForwardMsg.FromString(raw)
            if answer.WhichOneof("type") == "backend_operation_response":
                response = answer.backend_operation_response
                if not response.deferred_file.url:
                    raise PermissionError(response.error_msg)
                return self.http.get(response.deferred_file.url).raise_for_status().content


def read_delta(message: ForwardMsg, containers: dict[tuple[int, ...], str], shown: Shown) -> None:
    """Note tabs, download buttons and errors of a delta."""
    place = tuple(message.metadata.delta_path)
    if message.delta.WhichOneof("type") == "add_block":
        block: Block = message.delta.add_block
        if block.WhichOneof("type") == "tab_container":
            containers[place] = block.tab_container.id
            shown.tabs[block.tab_container.id] = []
        elif block.WhichOneof("type") == "tab" and place[:-1] in containers:
            shown.tabs[containers[place[:-1]]].append(block.tab.label)
    else:
        element = message.delta.new_element
        if element.WhichOneof("type") == "download_button":
            shown.files[element.download_button.id] = element.download_button.deferred_file_id
        elif element.WhichOneof("type") == "dataframe" and element.dataframe.selection_mode:
            shown.tables.append(element.dataframe.id)
        elif element.WhichOneof("type") == "exception":
            shown.exceptions.append(element.exception.message)


@contextmanager
def come(address: str, cookie: str | None = None) -> Iterator[Client]:
    """A reader who opens a page of the server, signed in by a cookie or not."""
    with httpx.Client(base_url=address) as http:
        http.get("/_stcore/health").raise_for_status()
        if cookie:
            http.cookies.set(USER_COOKIE, cookie)
        xsrf = http.cookies[XSRF_COOKIE]
        cookies = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        with connect(
            f"{address.replace('http', 'ws', 1)}/_stcore/stream",
            subprotocols=["streamlit", xsrf],  # type: ignore[list-item]
            additional_headers={"Cookie": cookies},
            origin=address,  # type: ignore[arg-type]
            max_size=LONGEST_MESSAGE,
        ) as connection:
            yield Client(connection, http)
