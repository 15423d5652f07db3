"""A reader's session as the generator of load drives it: what a browser would send, and how long answers take."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import httpx
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bench.protocol import HEALTH, LONGEST_MESSAGE, XSRF_COOKIE, Rerun, Shown, name_stream, write_cookies

Kind = Literal["first", "filter", "page", "tab"]
SHARES: Final[dict[Kind, int]] = {"filter": 60, "page": 25, "tab": 15}
"""Of a hundred interactions, how many are of each kind."""
LONGEST_RUN_SECONDS: Final = 120
RUNS_KEPT: Final = 2
"""A browser keeps a large message for so many runs, and is then told its hash alone."""
LEFT_ALONE: Final = ("filters.lang", "access.grant")
"""Ends of the ids of widgets that a reader sets once: language and role."""
NOT_READ: Final = ("imports", "audit")
"""Pages of roles that few readers have."""
SHARE_OF_WAYS_BACK: Final = 0.5


@dataclass(frozen=True, slots=True)
class Interaction:
    """One thing that a reader did, and what came of it; moments are seconds of the monotonic clock."""

    kind: Kind
    began: float
    seconds: float
    size: int
    messages: int
    errors: tuple[str, ...] = ()


@dataclass
class Choice:
    """A widget of the page that takes one or several of its options."""

    options: list[str]
    values: list[str]
    first: list[str]
    is_array: bool

    def spell(self, name: str) -> WidgetState:
        """Its state as the browser sends it."""
        state = WidgetState(id=name)
        if self.is_array:
            state.string_array_value.data.extend(self.values)
        elif self.values:
            state.string_value = self.values[0]
        return state


@dataclass
class Session:
    """One open page of one reader; `on_run` is told what each whole run has shown."""

    address: str
    dice: random.Random
    query_string: str = "lang=en"
    cookies: dict[str, str] = field(default_factory=dict)
    on_run: Callable[[Session], None] | None = None
    keeps_messages: bool = False
    trusted: ssl.SSLContext | None = None
    shares: Mapping[Kind, int] = field(default_factory=SHARES.copy)

    session_id: str = ""
    page_hash: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    shown: Shown = field(default_factory=Shown)
    choices: dict[str, Choice] = field(default_factory=dict)
    open_tabs: dict[str, str] = field(default_factory=dict)
    cached: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    runs: int = 0
    looks: list[float] = field(default_factory=list)
    size: int = 0
    messages: int = 0
    began: float = 0.0
    doing: Kind = "first"
    _connection: ClientConnection | None = None
    _reader: asyncio.Task[None] | None = None
    _timers: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _finished: asyncio.Event = field(default_factory=asyncio.Event)
    _looked: float = 0.0
    _seen: set[str] = field(default_factory=set)
    _lost: str = ""

    async def come(self, page: str = "", *, seconds: float = LONGEST_RUN_SECONDS) -> Interaction:
        """Connect as a browser does, to the session it had where there was one, and open the first page."""
        self._lost = ""
        jar = httpx.Cookies()
        for name, value in self.cookies.items():
            jar.set(name, value, urlsplit(self.address).hostname or "")
        verify = self.trusted or True
        async with httpx.AsyncClient(base_url=self.address, timeout=seconds, cookies=jar, verify=verify) as http:
            for path in ("/", HEALTH, "/_stcore/host-config"):
                (await http.get(path)).raise_for_status()
            self.cookies = dict(http.cookies)
        protocols = ["streamlit", self.cookies[XSRF_COOKIE], *([self.session_id] if self.session_id else [])]
        self._connection = await connect(
            name_stream(self.address),
            subprotocols=protocols,  # type: ignore[arg-type]
            additional_headers={"Cookie": write_cookies(self.cookies)},
            origin=self.address,  # type: ignore[arg-type]
            max_size=LONGEST_MESSAGE,
            compression=None,
            ssl=self.trusted,
            open_timeout=seconds,
            ping_interval=None,
            proxy=None,
        )
        assert self._connection.response
        for written in self._connection.response.headers.get_all("Set-Cookie"):
            self.cookies |= {name: one.value for name, one in SimpleCookie(written).items()}
        self._reader = asyncio.create_task(self._read())
        return await self._ask("first", Rerun(self.query_string, page, self.page_hash, **self._about()))

    async def leave(self) -> None:
        """Close the page."""
        self._stop_timers()
        if self._connection:
            await self._connection.close()
        if self._reader:
            await asyncio.gather(self._reader, return_exceptions=True)

    @property
    def is_lost(self) -> bool:
        """Whether the connection has ended without being asked to."""
        return bool(self._lost)

    async def act(self) -> Interaction:
        """Do the next thing: set a filter, go to another page, or open a tab."""
        kind = self.dice.choices(list(self.shares), list(self.shares.values()))[0]
        for one in (kind, *(other for other in self.shares if other != "tab")):
            asked = self._choose(one)
            if asked is not None:
                return await self._ask(one, asked)
        return await self._ask("page", self._rerun())

    async def go(self, page: str) -> Interaction:
        """Go to a page by its name in addresses."""
        return await self._ask("page", self._switch(self.pages[page]))

    def count_pending(self, now: float) -> float:
        """Seconds for which the reader has been waiting; nothing where they are not."""
        is_waiting = not self._finished.is_set() and self.began and self.doing != "first"
        return now - self.began if is_waiting else 0.0

    def _about(self) -> dict[str, Any]:
        return {"cached": list(self.cached), "url": self.address}

    def _rerun(self, fragment_id: str = "") -> Rerun:
        widgets = [choice.spell(name) for name, choice in self.choices.items()]
        widgets += [WidgetState(id=name, string_value=label) for name, label in self.open_tabs.items()]
        return Rerun(self.query_string, "", self.page_hash, fragment_id, widgets, **self._about())

    def _switch(self, page_hash: str) -> Rerun:
        """As the navigation does: the address is left behind, and widgets of the page with it."""
        widgets = [choice.spell(name) for name, choice in self.choices.items() if "-filters." in name]
        return Rerun("", "", page_hash, "", widgets, **self._about())

    def _choose(self, kind: Kind) -> Rerun | None:
        if kind == "page":
            others = [found for found in self.pages.values() if found != self.page_hash]
            return self._switch(self.dice.choice(others)) if others else None
        if kind == "tab":
            tabs = {name: labels for name, labels in self.shown.tabs.items() if name and len(labels) > 1}
            if not tabs:
                return None
            name = self.dice.choice(list(tabs))
            current = self.open_tabs.get(name, tabs[name][0])
            self.open_tabs[name] = self.dice.choice([label for label in tabs[name] if label != current] or tabs[name])
            return self._rerun()
        return self._choose_filter()

    def _choose_filter(self) -> Rerun | None:
        """Set one filter, or the one that was set last to something else or back again, as who looks around does."""
        changed = [name for name, one in self.choices.items() if one.values != one.first]
        free = [name for name, one in self.choices.items() if len(one.options) > 1]
        if not changed and not free:
            return None
        one = self.choices[self.dice.choice(changed or free)]
        others = [option for option in one.options if option not in one.values]
        if (changed and self.dice.random() < SHARE_OF_WAYS_BACK) or not others:
            one.values = list(one.first)
        else:
            # Few of many options are looked at often, and most seldom.
            weights = [1 / place for place in range(1, len(others) + 1)]
            one.values = self.dice.choices(others, weights)
        return self._rerun()

    async def _ask(self, kind: Kind, asked: Rerun) -> Interaction:
        assert self._connection
        self._finished.clear()
        self.size = self.messages = 0
        self.doing, self.began = kind, time.monotonic()
        errors: tuple[str, ...] = ()
        try:
            await self._connection.send(asked.spell())
            await asyncio.wait_for(self._finished.wait(), LONGEST_RUN_SECONDS)
        except TimeoutError:
            errors = (f"no end of the run within {LONGEST_RUN_SECONDS} s",)
        except ConnectionClosed as closed:
            self._lost = str(closed)
        finally:
            self._finished.set()
        errors += (self._lost,) if self._lost else ()
        errors += tuple(self.shown.exceptions) + tuple(one for one in self.shown.alerts if "went wrong" in one)
        return Interaction(kind, self.began, time.monotonic() - self.began, self.size, self.messages, errors)

    async def _read(self) -> None:
        assert self._connection
        try:
            async for raw in self._connection:
                assert isinstance(raw, bytes)
                self._take(raw)
            self._lost = "closed"
        except ConnectionClosed as closed:
            self._lost = str(closed) or "closed"
        except Exception as error:
            # Whoever waits must not wait for ever.
            self._lost = f"{type(error).__name__}: {error}"
            raise
        finally:
            self._stop_timers()
            self._finished.set()

    def _take(self, raw: bytes) -> None:
        message = ForwardMsg.FromString(raw)
        self.size += len(raw)
        self.messages += 1
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            raw = self.cached[message.ref_hash][0]
            self.cached[message.ref_hash] = raw, self.runs
            place, message = message.metadata, ForwardMsg.FromString(raw)
            message.metadata.CopyFrom(place)
            kind = "delta"
        elif message.metadata.cacheable:
            self.cached[message.hash] = raw, self.runs
        if kind == "new_session":
            self._begin(message)
        elif kind == "delta":
            self.shown.take(message)
            if message.delta.WhichOneof("type") == "new_element":
                self._take_element(message.delta.new_element)
        elif kind == "navigation":
            listed = message.navigation.app_pages
            self.pages = {
                one.url_pathname: one.page_script_hash
                for one in listed
                if not one.is_hidden and one.url_pathname not in NOT_READ
            }
            self.page_hash = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query_string = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            timer = asyncio.create_task(self._look(message.auto_rerun.fragment_id, message.auto_rerun.interval))
            self._timers[message.auto_rerun.fragment_id] = timer
        elif kind == "script_finished":
            self._end(message)
        if self.keeps_messages:
            self.shown.messages.append(raw)

    def _begin(self, message: ForwardMsg) -> None:
        self.session_id = message.new_session.initialize.session_id
        if message.metadata.run.fragment_ids:
            return
        self._stop_timers()
        self.page_hash = message.new_session.page_script_hash or self.page_hash
        self.shown = Shown()
        self._seen = set()

    def _end(self, message: ForwardMsg) -> None:
        how = message.script_finished
        if how == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY and self._looked:
            self.looks.append(time.monotonic() - self._looked)
            self._looked = 0.0
        if how != ForwardMsg.FINISHED_SUCCESSFULLY:
            return
        self.runs += 1
        self.cached = {name: kept for name, kept in self.cached.items() if kept[1] >= self.runs - RUNS_KEPT}
        self.choices = {name: one for name, one in self.choices.items() if name in self._seen}
        self.open_tabs = {name: label for name, label in self.open_tabs.items() if name in self.shown.tabs}
        if self.on_run:
            self.on_run(self)
        self._finished.set()

    def _take_element(self, element: Element) -> None:
        """Keep what a widget may be set to, and what it is set to by the server."""
        kind = element.WhichOneof("type")
        if kind == "date_input":
            # Sent as it is and never changed; what a browser does not name, Streamlit forgets.
            date = element.date_input
            self._seen.add(date.id)
            values = list(date.value if date.set_value else date.default)
            self.choices[date.id] = Choice([], values, values, is_array=True)
        if kind not in ("multiselect", "selectbox", "button_group"):
            return
        widget = getattr(element, kind)
        self._seen.add(widget.id)
        if widget.disabled or widget.id.endswith(LEFT_ALONE):
            return
        options = [one.content if kind == "button_group" else one for one in widget.options]
        known = self.choices.get(widget.id)
        if known is not None and not widget.set_value:
            values = known.values
        elif kind == "selectbox":
            written = [widget.raw_value] if widget.HasField("raw_value") else []
            values = written if widget.set_value or not widget.HasField("default") else [options[widget.default]]
        else:
            values = list(widget.raw_values) if widget.set_value else [options[place] for place in widget.default]
        self.choices[widget.id] = Choice(options, values, known.first if known else list(values), kind != "selectbox")

    async def _look(self, fragment_id: str, seconds: float) -> None:
        """Run a fragment again and again, as a browser does where a page asks for it."""
        while True:
            await asyncio.sleep(seconds)
            # A browser asks while a run goes on, too; the server then answers after it.
            self._looked = time.monotonic() if self._finished.is_set() else 0.0
            assert self._connection
            try:
                await self._connection.send(self._rerun(fragment_id).spell())
            except ConnectionClosed:
                return

    def _stop_timers(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._looked = 0.0
