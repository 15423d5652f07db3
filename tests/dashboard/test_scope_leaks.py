"""A reader of a part of the group is sent nothing of the rest: every page, filter, crafted address, file and byte."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
import streamlit as st
import uvicorn
from streamlit.runtime import Runtime

from dashboard import answers, server
from dashboard.access.policy import Grant, Reach
from dashboard.access.reader import Reader
from dashboard.navigation import ENTRIES, PAGES, PageEntry
from dashboard.selection import CHOICES
from metrics import compile as compiling
from metrics import rows
from metrics.query import OUTSIDE, Scope
from tests.dashboard.planted_group import CODE, list_codes, plant
from tests.dashboard.streamlit_client import Client, Shown, come, sign_claims

CLIENT = "tenken"
SECRET = "only for tests, but long enough to sign with"
SEEN = ("AF-0001", "AF-0003", "AF-0018", "ST-0001", "ST-0002", "ST-0012")
POLICY = f"""
[[grant]]
role = "site_manager"
addresses = ["narrow@example.com"]
scope = {{ entities = {list(SEEN)} }}
compare = true
[[grant]]
role = "executive"
addresses = ["wide@example.com"]
scope = "group"
"""
OUTSIDER = "AF-0020"
WITHIN: tuple[dict[str, Any], ...] = (
    {"per": "year", "region": "JP", "kind": "affiliate", "measure": ["physical", "human"]},
    {"type": "all", "per": "quarter", "group": OUTSIDE, "domain": "personal_information"},
    {
        "type": ["mutual_check", "affiliate_check"],
        "country": "JP",
        "known": "2025-06-30",
        "from": "FY2023-H1",
        "kind": "site",
    },
    {"type": "all", "entity": ["ST-0001", "AF-0001"], "category": ["O1", "H1"], "from": "FY2024-H2", "to": "FY2025-H1"},
)
WHOLE = {"type": "all"}
NARROW = Reader(Grant("site_manager", Reach(entities=SEEN)), (), "narrow@example.com", "login", 5)
PICKED = json.dumps({"selection": {"rows": [0], "columns": [], "cells": []}})
CRAFTED: dict[str, list[Any]] = {
    "entity": [[OUTSIDER, "AF-0001"], OUTSIDER, "' or 1=1 --"],
    "group": [["BG-0002", OUTSIDE], "BG-0001", "%"],
    "region": ["EU", ["EU", "CN", "JP"], "*"],
    "kind": ["business_group", "head_office"],
    "type": ["all"],
    "item": ["SEC|2020|1.24"],
    "from": ["FY2015-H1", "FY2099-H1", "x"],
    "known": ["1999-01-01", "9999-12-31"],
    "q": ["unit af-00", "comment on st", "sheet of"],
    "verdict": ["not_met", "met", "x"],
    "order": ["weakest", "oldest"],
    "page": ["2", "999999", "-1"],
    "show": ["all", OUTSIDER],
    "compare": ["knowledge", "periods"],
    "a": ["FY2024-H1"],
    "b": ["FY2025-H1"],
    "then": ["2024-10-01"],
    "now": ["2026-01-01"],
    "stage": ["check", OUTSIDER],
    "list": ["actions", "findings"],
    "status": ["late", "missing", "on_time"],
    "self": ["met", "not_met"],
    "outside": ["not_met", "met"],
    "by": ["entity", "region", "business_group", "item_lineage"],
    "rate": ["strict_compliance_rate", "not_applicable_rate"],
    "map": ["on"],
    "load": ["1", "5"],
    "refused": ["1"],
    "batch": ["../../x"],
}


@pytest.fixture(scope="module")
def home(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the planted demo group and a policy."""
    into = plant(demo_home, tmp_path_factory.mktemp("planted"))
    (into / "access.toml").write_text(POLICY, "utf-8")
    return into


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    """The real server, in this process, so that a test can break a check inside it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    secrets = home / "secrets.toml"
    secrets.write_text(
        "[auth]\n"
        f'redirect_uri = "http://127.0.0.1:{port}/oauth2callback"\n'
        f'cookie_secret = "{SECRET}"\nclient_id = "{CLIENT}"\nclient_secret = "none"\n'
        'server_metadata_url = "http://127.0.0.1:9/.well-known/openid-configuration"\n',
        "utf-8",
    )
    secrets.chmod(0o600)
    st.cache_resource.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TENKEN_HOME", str(home))
        patch.setenv("TENKEN_SECRETS", str(secrets))
        server.load_options({"server_address": "127.0.0.1", "server_port": port})
        program = uvicorn.Server(server._configure_server(server.build_app("127.0.0.1")))
        thread = threading.Thread(target=program.run)
        thread.start()
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            program.should_exit = True
            thread.join()
            Runtime._instance = None
    st.cache_resource.clear()


def wait_for(port: int) -> None:
    """Return once somebody listens on the port."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
    raise AssertionError("the server did not start")


def sign_in(address: str, name: str) -> str:
    """The cookie of a new login."""
    claims = {"iss": "https://id.example.com", "sub": name, "aud": CLIENT, "email": f"{name}@example.com"}
    told = {"iat": int(datetime.now(UTC).timestamp()), "nonce": token_hex(10)}
    return sign_claims(claims | told, SECRET, address)


def look_through(client: Client, pages: Sequence[PageEntry] = PAGES) -> Iterator[tuple[str, bytes]]:
    """Everything that a reader is sent who tries everything: where it was sent, and the bytes."""
    for entry in pages:
        shown = client.open(place(entry), WHOLE)
        yield f"{entry.name}", shown.text
        # The first table of a page is its list of rows; a click on one shows all that there is of it.
        for table in shown.tables[:1]:
            yield f"{entry.name}, a row of {table}", client.open(place(entry), WHOLE, {table: PICKED}).text
        for tab in (-3, -1):
            opened = client.open(place(entry), WHOLE, {key: labels[tab] for key, labels in shown.tabs.items()})
            yield f"{entry.name}, tab {tab}", opened.text
            yield from take_files(client, entry, opened)
        for filters in WITHIN:
            yield f"{entry.name}, {filters}", client.open(place(entry), filters).text
        for number in range(max(len(CRAFTED[name]) for name in CRAFTED if is_known(name, entry))):
            yield f"{entry.name}, crafted {number}", client.open(place(entry), craft(number, entry)).text


def place(entry: PageEntry) -> str:
    """What stands in the address of a page."""
    return "" if entry is PAGES[0] else entry.name


def is_known(parameter: str, entry: PageEntry) -> bool:
    """Whether a parameter means something to a page."""
    return parameter in {"per", "from", "to", "known", *(choice.parameter for choice in CHOICES), *entry.own}


def craft(number: int, entry: PageEntry) -> dict[str, Any]:
    """One value of each parameter that the page has."""
    return {name: ids[number % len(ids)] for name, ids in CRAFTED.items() if is_known(name, entry)}


def take_files(client: Client, entry: PageEntry, shown: Shown) -> Iterator[tuple[str, bytes]]:
    """Every file that is offered but pictures of dots, which are those of the drawn ones."""
    for key, file_id in shown.files.items():
        if file_id and not key.endswith("PNG"):
            content = client.take(file_id)
            if content.startswith(b"PK"):
                with zipfile.ZipFile(io.BytesIO(content)) as package:
                    content = b"\0".join(package.read(name) for name in package.namelist())
            yield f"{entry.name}, file {key}", content


def find_leak(sent: Iterator[tuple[str, bytes]], seen: set[bytes]) -> str:
    """The first place where a code of somebody outside was sent, with what stands around it; nothing where none was."""
    allowed = {code.encode() for code in SEEN}
    for where, content in sent:
        found = {*CODE.findall(content)}
        seen |= found
        if outside := sorted(found - allowed):
            start = content.index(outside[0])
            return f"{where}: {content[max(0, start - 80) : start + 40]!r}"
    return ""


def test_every_filter_is_tried() -> None:
    filters = {"per", "from", "to", "known", *(choice.parameter for choice in CHOICES)}
    tried = {name for one in WITHIN for name in one} | {*CRAFTED}
    assert filters | {name for entry in PAGES if entry.is_open_to(NARROW) for name in entry.own} <= tried


def test_nothing_is_sent_without_sign_in(address: str) -> None:
    """The first request that the server gets is for a page by its address."""
    for entry in reversed(PAGES):
        with come(address) as client:
            shown = client.open(place(entry), {"lang": "en", "entity": SEEN[0]})
            assert b"Sign in" in shown.text, shown.text
            assert not CODE.search(shown.text.replace(SEEN[0].encode(), b"")), entry.name


def test_nothing_of_others_is_sent(home: Path, address: str) -> None:
    codes, seen = list_codes(home), set[bytes]()
    assert len(codes) > 100 and {*SEEN} < {*codes}
    cookie, texts = sign_in(address, "narrow"), list[bytes]()

    def note(sent: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        for where, content in sent:
            texts.append(content)
            yield where, content

    def look_in_japanese(client: Client) -> Iterator[tuple[str, bytes]]:
        yield from ((entry.name, client.open(place(entry), WHOLE | {"lang": "ja"}).text) for entry in PAGES)

    with come(address, cookie) as client:
        assert find_leak(note(look_through(client)), seen) == ""
    with come(address, cookie) as client:
        assert find_leak(note(look_in_japanese(client)), seen) == ""
        # It would have seen others: the reader's own texts were sent in every form.
        assert seen == {code.encode() for code in SEEN}
        sent = b"\0".join(texts)
        for text in ("Unit ST-0001", "部門ST-0001", "Comment on AF-0001", "Finding at", "Owner at", OUTSIDE):
            assert text.encode() in sent, text


def drop_entities(patch: pytest.MonkeyPatch) -> None:
    """Rows of every entity."""
    patch.setattr(compiling, "IN_SCOPE", "({0} in (select unnest($scope_entities)) or true)")


def unmask_codes(patch: pytest.MonkeyPatch) -> None:
    """Codes of business groups, parents and inspectors."""
    patch.setattr(compiling, "_mask", lambda column: column)


def show_file_names(patch: pytest.MonkeyPatch) -> None:
    """Names of files."""
    patch.setattr(rows, "_hold_back", lambda column, listing, scope: column)


def find_everything(patch: pytest.MonkeyPatch) -> None:
    """Every entity for every reach."""
    patch.setattr(answers, "_find_scope", lambda *_: Scope())


def share_caches(patch: pytest.MonkeyPatch) -> None:
    """What was made for one reader is shown to another."""
    patch.setattr(
        answers, "remember", lambda build, what, make: answers._find_shelves().remembered.find((build.name, what), make)
    )
    patch.setattr(
        answers, "read_once", lambda build, what, read: answers._find_shelves().read_once.find((build.name, what), read)
    )


BROKEN: dict[Callable[[pytest.MonkeyPatch], None], tuple[str, ...]] = {
    drop_entities: ("sites",),
    unmask_codes: ("answers", "entity", "pairs", "coverage"),
    show_file_names: ("answers",),
    find_everything: ("overview",),
    share_caches: ("sites",),
}


@pytest.mark.parametrize("break_check", BROKEN, ids=lambda broken: broken.__name__)
def test_every_check_is_needed(
    address: str, break_check: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one check broken the same look finds a leak."""
    pages = [ENTRIES[name] for name in BROKEN[break_check]]
    st.cache_resource.clear()
    break_check(monkeypatch)
    try:
        with come(address, sign_in(address, "wide")) as first:
            first.open(place(pages[0]), WHOLE)
        with come(address, sign_in(address, "narrow")) as client:
            assert find_leak(look_through(client, pages), set()) != ""
    finally:
        st.cache_resource.clear()
