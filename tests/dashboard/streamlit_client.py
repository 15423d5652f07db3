"""A reader without a browser: speaks Streamlit's own protocol to a server, and keeps every byte that it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect

from bench.protocol import (
    HEALTH,
    LONGEST_MESSAGE,
    USER_COOKIE,
    XSRF_COOKIE,
    Rerun,
    Shown,
    name_stream,
    sign_claims,
    write_cookies,
)

__all__ = ["Client", "Shown", "come", "sign_claims"]


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
        widgets = [WidgetState(id=key, string_value=label) for key, label in (states or {}).items()]
        self.connection.send(Rerun(urlencode(address, doseq=True), page, widgets=widgets).spell())

    def read_run(self) -> Shown:
        """Everything up to the end of a run, and of those that it makes follow."""
        shown = Shown()
        while True:
            raw = self.connection.recv()
            assert isinstance(raw, bytes)
            shown.messages.append(raw)
            message = ForwardMsg.FromString(raw)
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.session_id = message.new_session.initialize.session_id
                shown.begin()
            elif kind == "delta":
                shown.take(message)
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


@contextmanager
def come(address: str, cookie: str | None = None) -> Iterator[Client]:
    """A reader who opens a page of the server, signed in by a cookie or not."""
    with httpx.Client(base_url=address) as http:
        http.get(HEALTH).raise_for_status()
        if cookie:
            http.cookies.set(USER_COOKIE, cookie)
        with connect(
            name_stream(address),
            subprotocols=["streamlit", http.cookies[XSRF_COOKIE]],  # type: ignore[list-item]
            additional_headers={"Cookie": write_cookies(http.cookies)},
            origin=address,  # type: ignore[arg-type]
            max_size=LONGEST_MESSAGE,
        ) as connection:
            yield Client(connection, http)
