"""Streamlit's own protocol as its page in a browser speaks it, over any transport: what is asked, what a run sends."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Block_pb2 import Block
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

USER_COOKIE: Final = "_streamlit_user"
XSRF_COOKIE: Final = "_streamlit_xsrf"
HEALTH: Final = "/_stcore/health"
STREAM: Final = "/_stcore/stream"
LONGEST_MESSAGE: Final = 50_000_000


def sign_claims(claims: Mapping[str, Any], secret: str, origin: str) -> str:
    """The cookie that Streamlit gives to somebody whom a provider has signed in with these claims."""
    told = json.dumps({**claims, "origin": origin, "is_logged_in": True, "provider": "default"})
    return create_signed_value(secret, USER_COOKIE, told).decode()


def write_cookies(cookies: Mapping[str, str]) -> str:
    """A header of cookies."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def name_stream(address: str) -> str:
    """Where the websocket of a server is."""
    return f"{address.replace('http', 'ws', 1)}{STREAM}"


@dataclass(frozen=True, slots=True)
class Rerun:
    """What a page asks for: a run at an address, by a page's name at first and by its hash later, or of a fragment."""

    query_string: str = ""
    page_name: str = ""
    page_hash: str = ""
    fragment_id: str = ""
    widgets: Iterable[WidgetState] = ()
    cached: Iterable[str] = ()
    url: str = ""

    def spell(self) -> bytes:
        """The message."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name, state.page_script_hash = self.query_string, self.page_name, self.page_hash
        state.fragment_id, state.is_auto_rerun = self.fragment_id, bool(self.fragment_id)
        state.widget_states.widgets.extend(self.widgets)
        state.cached_message_hashes.extend(self.cached)
        if self.url:
            context = state.context_info
            context.timezone, context.locale, context.url, context.color_scheme = "Asia/Tokyo", "en", self.url, "light"
        return message.SerializeToString()


@dataclass
class Shown:
    """What one run has sent: every message as bytes, and what can be asked for next."""

    messages: list[bytes] = field(default_factory=list)
    tabs: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    containers: dict[tuple[int, ...], str] = field(default_factory=dict)

    @property
    def text(self) -> bytes:
        """Everything in one."""
        return b"\0".join(self.messages)

    def begin(self) -> None:
        """Forget what the run before has shown; what it sent is kept."""
        for kept in (self.tabs, self.files, self.tables, self.containers):
            kept.clear()

    def take(self, message: ForwardMsg) -> None:
        """Note tabs, download buttons, tables and errors of a delta."""
        place = tuple(message.metadata.delta_path)
        if message.delta.WhichOneof("type") == "add_block":
            block: Block = message.delta.add_block
            if block.WhichOneof("type") == "tab_container":
                self.containers[place] = block.tab_container.id
                self.tabs[block.tab_container.id] = []
            elif block.WhichOneof("type") == "tab" and place[:-1] in self.containers:
                self.tabs[self.containers[place[:-1]]].append(block.tab.label)
            return
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind == "download_button":
            self.files[element.download_button.id] = element.download_button.deferred_file_id
        elif kind == "dataframe" and element.dataframe.selection_mode:
            self.tables.append(element.dataframe.id)
        elif kind == "exception":
            self.exceptions.append(element.exception.message)
        elif kind == "alert":
            self.alerts.append(element.alert.body)
