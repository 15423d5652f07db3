"""The server around the pages: what it refuses at start and at its door, what it sends with everything, what it hides."""

from __future__ import annotations

import asyncio
import logging
import re
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import sync_playwright
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect
from streamlit import config
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from websockets.sync.client import connect

from dashboard import server
from dashboard.access import settings
from dashboard.serving.cookies import check_return, harden_cookie, keep_return
from dashboard.serving.door import Door, Logins
from dashboard.serving.gate import Gate, is_said_by_pages, only_said_by_pages
from dashboard.serving.shield import Shield
from dashboard.words import translate
from docs.draw_pictures import CHROMIUM, CONTENT, FLAGS, serve_dashboard
from tests.dashboard.small_group import SmallGroup

with warnings.catch_warnings():
    # Starlette would rather have a package of which Streamlit brings none.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

ROOT = Path(__file__).parents[2]
ORIGIN = "https://tenken.example"
COOKIE_SECRET = "0123456789abcdef0123456789abcdef"
AUTH = f"""[auth]
redirect_uri = "{ORIGIN}/oauth2callback"
cookie_secret = "{COOKIE_SECRET}"
client_id = "tenken"
client_secret = "secret of the client"
server_metadata_url = "https://id.example/.well-known/openid-configuration"
"""
PLANTED = "planted-4711-answer"
BROKEN = f"""import streamlit as st
st.session_state.setdefault("filters.lang", st.query_params.get("lang", "en"))
def fail():
    raise ValueError("{PLANTED}")
st.button("Fail", on_click=fail)
st.title("Begun")
if "stop" in st.query_params:
    st.stop()
raise ValueError("{PLANTED}")
"""
VIOLATIONS = """window.violations = [];
document.addEventListener('securitypolicyviolation', each =>
    window.violations.push(`${each.violatedDirective} ${each.blockedURI} ${each.sourceFile}`));"""
PLANT_SCRIPT = """() => {
    const script = document.createElement('script');
    script.textContent = 'window.planted = 1';
    document.head.append(script);
}"""
IS_DRAWN = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-testid=stSkeleton]')
    && [...document.querySelectorAll('[data-testid=stVegaLiteChart]')].every(chart => chart.querySelector('.marks'))"""

WriteSecrets = Callable[..., Path]


@pytest.fixture
def write_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteSecrets:
    """Write the secrets file that $TENKEN_SECRETS names."""

    def write(text: str = AUTH, mode: int = 0o600) -> Path:
        # A name of its own each time, because a server reads the file once.
        path = tmp_path / f"secrets-{len([*tmp_path.iterdir()])}.toml"
        path.write_text(text, "utf-8")
        path.chmod(mode)
        monkeypatch.setenv(settings.SECRETS_VARIABLE, str(path))
        return path

    return write


@pytest.fixture(autouse=True)
def _no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the secrets of whoever runs it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv(settings.SECRETS_VARIABLE, raising=False)
    monkeypatch.delenv(settings.HOSTS_VARIABLE, raising=False)


# --- start -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "localhost", "::1", "[::1]"])
def test_without_sign_in_it_listens_on_the_loopback(address: str) -> None:
    assert settings.list_start_problems(address) == []


@pytest.mark.parametrize(
    "address", [None, "", "0.0.0.0", "::", "[::]", "192.168.1.4", "tenken.example", "127.1", "0", "localhost.example"]
)
def test_without_sign_in_it_listens_nowhere_else_unless_told_to(
    address: str | None, write_secrets: WriteSecrets
) -> None:
    (problem,) = settings.list_start_problems(address)
    assert "--without-sign-in" in problem
    assert "[auth]" in problem
    assert settings.list_start_problems(address, is_open_on_purpose=True) == []
    write_secrets("other = 1")
    assert len(settings.list_start_problems(address)) == 1
    write_secrets()
    assert settings.list_start_problems(address) == []


def test_a_socket_file_is_no_address() -> None:
    (problem,) = settings.list_start_problems("unix:///run/tenken.sock", is_open_on_purpose=True)
    assert "socket file" in problem


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("redirect_uri", "x"), "redirect_uri is missing"),
        (("cookie_secret", "x"), "cookie_secret is missing"),
        (("client_id", "x"), "client_id is missing"),
        (("client_secret", "x"), "client_secret is missing"),
        (("server_metadata_url", "x"), "server_metadata_url is missing"),
        (("oauth2callback", "callback"), "must be https://host/oauth2callback"),
        (("example/oauth2callback", "example/tenken/oauth2callback"), "must be https://host/oauth2callback"),
        ((COOKIE_SECRET, COOKIE_SECRET[:-1]), "has 31 characters"),
        (("https://tenken.example", "http://tenken.example"), "redirect_uri is not https"),
        (("https://id.example", "http://id.example"), "server_metadata_url is not https"),
        (("https://tenken.example", "https://tenken.example:port"), "redirect_uri is no address"),
        (("[auth]", "[auth.google]\nclient_id = 'g'\n[auth]"), "exactly one"),
        (('client_id = "tenken"', 'client_id = ""'), "client_id is missing"),
        (("[auth]", "[auth"), "is no TOML"),
        (("[auth]", "auth = 1\n[other]"), "is no section"),
    ],
)
def test_an_auth_section_that_is_not_whole_stops_the_start(
    change: tuple[str, str], said: str, write_secrets: WriteSecrets
) -> None:
    write_secrets(AUTH.replace(*change))
    assert said in " ".join(settings.list_start_problems("127.0.0.1"))


def test_a_provider_on_the_loopback_may_go_without_tls(write_secrets: WriteSecrets) -> None:
    write_secrets(AUTH.replace(ORIGIN, "http://localhost:8501").replace("https://id.example", "http://127.0.0.1:9000"))
    assert settings.list_start_problems("127.0.0.1") == []


def test_secrets_that_others_may_read_or_that_lie_in_the_checkout_stop_the_start(
    write_secrets: WriteSecrets, tmp_path: Path
) -> None:
    write_secrets(mode=0o640)
    assert "chmod 600" in " ".join(settings.list_start_problems("127.0.0.1"))
    path = write_secrets()
    assert "inside the checkout" in " ".join(settings.list_start_problems("127.0.0.1", checkout=path.parent))
    (tmp_path / "checkout" / ".streamlit").mkdir(parents=True)
    (tmp_path / "checkout" / ".streamlit" / "secrets.toml").touch()
    assert "move it to" in " ".join(settings.list_start_problems("127.0.0.1", checkout=tmp_path / "checkout"))
    path.unlink()
    assert "no such file" in " ".join(settings.list_start_problems("127.0.0.1"))


def test_all_problems_are_said_at_once(write_secrets: WriteSecrets) -> None:
    write_secrets("[auth]\nclient_id = 1\nclient = 2", 0o644)
    assert (
        len(settings.list_start_problems("127.0.0.1", lambda _: "other"))
        == 1 + 5 + 1 + len(settings.REQUIRED_OPTIONS) + 1
    )


def test_options_that_weaken_it_stop_the_start() -> None:
    assert settings.list_start_problems("127.0.0.1", config.get_option) == []
    for name, required in settings.REQUIRED_OPTIONS.items():
        other: object = not required if isinstance(required, bool) else "full"
        weakened = {name: other}
        (problem,) = settings.list_start_problems("127.0.0.1", lambda asked, w=weakened: w.get(asked, config.get_option(asked)))  # fmt: skip
        assert name in problem


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (["--server.enableCORS", "false"], {}, "server.enableCORS"),
        ([], {"STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION": "false"}, "server.enableXsrfProtection"),
        ([], {"STREAMLIT_SERVER_ADDRESS": "0.0.0.0"}, "--without-sign-in"),
        (["--server.address", "::"], {}, "--without-sign-in"),
        (["--server.adress", "::"], {}, "No such option"),
    ],
)
def test_the_command_line_says_why_it_does_not_start(
    arguments: list[str],
    variables: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    # A server that starts after all would be the failure, not a test that hangs.
    monkeypatch.setattr(server, "build_app", lambda _: pytest.fail("it started"))
    try:
        assert server.serve(arguments) == 2
    finally:
        server.load_options({})
    assert said in capsys.readouterr().err


def test_sign_in_is_not_turned_off_under_a_running_server(write_secrets: WriteSecrets) -> None:
    path = write_secrets()
    assert settings.is_sign_in_on()
    sign_in = settings.read_sign_in()
    assert sign_in and (sign_in.redirect_uri, sign_in.client_id) == (f"{ORIGIN}/oauth2callback", "tenken")
    path.write_text("")
    assert settings.is_sign_in_on()


class _Circle:
    """What only a search for garbage finds."""

    def __init__(self) -> None:
        self.own = self


def test_garbage_is_collected_for_all_readers_at_once_and_not_after_each_run() -> None:
    server.load_options({})
    assert config.get_option("runner.postScriptGC") is False
    configured = server._configure_server(server.build_app("127.0.0.1"))
    assert configured.timeout_notify == server.SECONDS_BETWEEN_COLLECTIONS
    assert configured.callback_notify
    left = weakref.ref(_Circle())
    assert left()
    asyncio.run(configured.callback_notify())
    assert left() is None


# --- gate and shield -------------------------------------------------------------------------------


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """What stands behind the layers: it answers everything, breaks on /broken, and sets what Streamlit sets."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close"})
        return
    request = Request(scope, receive)
    if request.url.path == "/broken":
        raise ValueError(PLANTED)
    response: Response = JSONResponse({"path": request.url.path})
    if request.url.path == "/auth/login" and request.query_params.get("provider") == "away":
        response = PlainTextResponse("Authentication error", 400)
    if request.url.path == "/oauth2callback":
        response = RedirectResponse("/", 302)
        if request.query_params.get("state", "refused") != "refused":
            response.set_cookie("_streamlit_user_tokens", "secrets of the provider", max_age=30 * 86400, httponly=True)
            response.set_cookie("_streamlit_user", "claims", max_age=30 * 86400, httponly=True, samesite="lax")
            response.set_cookie("_streamlit_user_1", "more", max_age=30 * 86400, httponly=True, samesite="lax")
        response.set_cookie("_streamlit_session", "state", max_age=14 * 86400)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "public, immutable, max-age=31536000"
    await response(scope, receive, send)


def wrap(*, is_https: bool = True, door: Callable[[ASGIApp], ASGIApp] = lambda app: app) -> TestClient:
    """A client of the layers around `echo`, as one origin."""
    hosts = frozenset({"tenken.example", "127.0.0.1", "::1"})
    gate = Gate(door(echo), hosts)
    index = Path(server.file_util.get_static_dir()) / "index.html"
    return TestClient(Shield(gate, index, is_https=is_https), base_url=ORIGIN, follow_redirects=False)


def connect_to(client: TestClient, path: str = "/_stcore/stream", **headers: str) -> int:
    """Code with which a websocket ends: 1000 from `echo`, 1008 at the gate."""
    with pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect(path, headers=headers) as socket:
        socket.receive_bytes()
    return closed.value.code


@pytest.mark.parametrize("path", ["/", "/regions", "/_stcore/health", "/media/x.csv", "/_stcore/metrics", "/broken"])
def test_every_response_carries_the_headers(path: str) -> None:
    headers = wrap().get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; ") if " " in part)
    assert policy["default-src"] in ("'self'", "'none'")
    assert policy["frame-ancestors"] == "'none'"
    assert policy.get("base-uri", "'none'") == "'none'"
    assert "'unsafe-eval'" not in headers["content-security-policy"]
    assert "'unsafe-inline'" not in policy.get("script-src", "")
    assert "*" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers


def test_files_of_streamlit_stay_in_caches_and_media_run_nothing() -> None:
    client = wrap(is_https=False)
    assert "immutable" in client.get("/static/js/index.abc.js").headers["cache-control"]
    assert "sandbox" in client.get("/media/x.svg").headers["content-security-policy"]
    assert "strict-transport-security" not in client.get("/").headers


def test_what_breaks_inside_is_in_the_log_and_not_in_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    answer = wrap().get("/broken")
    assert answer.status_code == 500
    (reference,) = re.findall(r"\b[0-9a-f]{8}\b", answer.text)
    assert PLANTED not in answer.text
    assert reference in caplog.text
    assert PLANTED in caplog.text


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("tenken.example", True),
        ("tenken.example:8501", True),
        ("TENKEN.example.", True),
        ("[::1]:8501", True),
        ("evil.example", False),
        ("tenken.example.evil.example", False),
        ("tenken.example@evil.example", False),
        ("tenken.example:8501;script-src *", False),
        ("tenken.example/evil", False),
        ("192.168.1.4", False),
        ("", False),
    ],
)
def test_only_names_of_its_own_are_answered(host: str, is_ours: bool) -> None:
    client = wrap()
    assert client.get("/", headers={"Host": host}).status_code == (200 if is_ours else 400)
    assert connect_to(client, Host=host) == (1000 if is_ours else 1008)


@pytest.mark.parametrize(
    ("origin", "is_ours"),
    [(None, True), (ORIGIN, True), ("https://evil.example", False), ("http://localhost:9000", False), ("null", False)],
)
def test_only_pages_of_its_own_connect_and_upload(origin: str | None, is_ours: bool) -> None:
    client, headers = wrap(), {"Origin": origin} if origin else {}
    assert client.put("/_stcore/upload_file/s/f", headers=headers).status_code == (200 if is_ours else 403)
    assert connect_to(client, Host="tenken.example", **headers) == (1000 if is_ours else 1008)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/_stcore/metrics", 404),
        ("GET", "/%5fstcore/metrics", 404),
        ("GET", "/_stcore/metrics/", 404),
        ("GET", "/_stcore", 404),
        ("GET", "/_stcore/script-health-check", 404),
        ("GET", "/_stcore/agent/openapi.json", 404),
        ("POST", "/_stcore/agent/mcp", 404),
        ("GET", "/_stcore/bidi-components/x/y.js", 404),
        ("GET", "/component/x/index.html", 404),
        ("GET", "/_stcore/host-config", 200),
        ("HEAD", "/", 200),
        ("POST", "/", 405),
        ("OPTIONS", "/media/x", 405),
        ("TRACE", "/", 405),
        ("GET", "/_stcore/upload_file/s/f", 405),
    ],
)
def test_what_no_page_asks_for_is_closed(method: str, path: str, status: int) -> None:
    assert wrap().request(method, path).status_code == status


def test_a_websocket_has_one_path() -> None:
    assert connect_to(wrap(), "/other", Host="tenken.example") == 1008


def test_hosts_are_those_of_the_machine_of_sign_in_and_of_the_operator(
    write_secrets: WriteSecrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_secrets()
    monkeypatch.setenv(settings.HOSTS_VARIABLE, "Probe.example, other.example")
    expected = {"localhost", "127.0.0.1", "::1", "tenken.example", "probe.example", "other.example"}
    assert settings.list_hosts("0.0.0.0") == expected
    assert settings.list_hosts("10.0.0.7") == expected | {"10.0.0.7"}


def test_pages_may_say_only_what_pages_say() -> None:
    """Streamlit takes orders from any browser to empty the caches of all readers, and tells the repository it runs in."""
    said = {
        "rerun_script": BackMsg(rerun_script=ClientState(query_string="lang=en")),
        "app_heartbeat": BackMsg(app_heartbeat=True),
        "clear_cache": BackMsg(clear_cache=True),
        "load_git_info": BackMsg(load_git_info=True),
        "set_run_on_save": BackMsg(set_run_on_save=True),
        "debug_shutdown_runtime": BackMsg(debug_shutdown_runtime=True),
        "deferred_file": BackMsg(),
        "install_skills": BackMsg(),
    }
    said["deferred_file"].backend_operation_request.deferred_file.file_id = "x"
    said["install_skills"].backend_operation_request.install_skills.SetInParent()
    passed = {name for name, message in said.items() if is_said_by_pages(message.SerializeToString())}
    assert passed == {"rerun_script", "app_heartbeat", "deferred_file"}
    # What is no message ends the connection, which is Streamlit's to do.
    assert is_said_by_pages(b"\xff")


def test_messages_that_no_page_sends_are_dropped() -> None:
    waiting = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "bytes": BackMsg(clear_cache=True).SerializeToString()},
        {"type": "websocket.receive", "bytes": BackMsg(app_heartbeat=True).SerializeToString()},
    ]

    async def receive() -> dict[str, Any]:
        return waiting.pop(0)

    known = only_said_by_pages(receive)
    assert asyncio.run(known())["type"] == "websocket.connect"
    assert BackMsg.FromString(asyncio.run(known())["bytes"]).app_heartbeat


# --- door ------------------------------------------------------------------------------------------


class Book:
    """A record of logins that knows which address is revoked, and notes which logins ended."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, str]] = []
        self.refused: list[str] = []

    def is_permitted(self, claims: Mapping[str, Any], what: str) -> bool:
        return claims["email"] == "steward@example.com" or (claims["email"] == "reader@example.com" and what == "see")

    def end_login(self, claims: Mapping[str, Any], came_from: str) -> None:
        self.ended.append((claims["email"], came_from))


@pytest.fixture
def book() -> Book:
    """A record of logins."""
    return Book()


@pytest.fixture
def guarded(book: Book, use_secrets: None) -> TestClient:
    """A client of the layers, sign-in on; logins last two hours."""
    sign_in = settings.SignIn(f"{ORIGIN}/oauth2callback", "tenken")
    return wrap(
        door=lambda app: Door(app, sign_in, Logins(book.is_permitted, book.end_login, book.refused.append, lambda: 2))
    )


@pytest.fixture(scope="module")
def use_secrets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Streamlit itself reads a secrets file with sign-in."""
    path = tmp_path_factory.mktemp("secrets") / "secrets.toml"
    path.write_text(AUTH)
    known = config.get_option("secrets.files")
    config.set_option("secrets.files", [str(path)])
    secrets_singleton._reset()
    yield
    config.set_option("secrets.files", known)
    secrets_singleton._reset()


def sign(email: str, secret: str = COOKIE_SECRET, origin: str = ORIGIN, is_logged_in: str = "true") -> dict[str, str]:
    """Header with the cookie that Streamlit sets for a reader."""
    claims = f'{{"email": "{email}", "origin": "{origin}", "is_logged_in": {is_logged_in}}}'
    return {"Cookie": f"_streamlit_user={create_signed_value(secret, '_streamlit_user', claims).decode()}"}


@pytest.mark.parametrize(
    ("cookie", "sees", "uploads"),
    [
        ({}, False, False),
        ({"Cookie": "_streamlit_user=forged"}, False, False),
        (sign("steward@example.com", secret="x" * 32), False, False),
        (sign("steward@example.com", origin="https://other.example"), False, False),
        (sign("steward@example.com", is_logged_in="false"), False, False),
        (sign("revoked@example.com"), False, False),
        (sign("reader@example.com"), True, False),
        (sign("steward@example.com"), True, True),
    ],
)
def test_files_and_uploads_need_a_login_that_may(
    cookie: dict[str, str], sees: bool, uploads: bool, guarded: TestClient
) -> None:
    assert guarded.get("/media/x.csv", headers=cookie).status_code == (200 if sees else 403)
    assert guarded.put("/_stcore/upload_file/s/f", headers=cookie).status_code == (200 if uploads else 403)
    assert guarded.get("/static/js/x.js", headers=cookie).status_code == 200


def test_logging_out_ends_the_login_on_the_server(guarded: TestClient, book: Book) -> None:
    assert guarded.get("/auth/logout", headers=sign("reader@example.com")).status_code == 200
    assert book.ended == [("reader@example.com", "testclient")]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_cannot_log_a_reader_out(site: str, guarded: TestClient, book: Book) -> None:
    answer = guarded.get("/auth/logout", headers=sign("reader@example.com") | {"Sec-Fetch-Site": site})
    assert (answer.status_code, book.ended) == (403, [])
    assert "set-cookie" not in answer.headers


HTML = {"Accept": "text/html,*/*"}


def test_signing_in_leads_back_to_the_link_that_was_opened(guarded: TestClient) -> None:
    link = "/items?item=SEC%7C2020%7C1.24&lang=ja"
    kept = guarded.get(link, headers=HTML).headers["set-cookie"]
    assert "Max-Age=600; Path=/oauth2callback; HttpOnly; SameSite=Lax; Secure" in kept
    cookie = {"Cookie": kept.partition(";")[0]}
    # A callback that signs nobody in keeps the link for the next try.
    failed = guarded.get("/oauth2callback", headers=cookie)
    assert failed.headers["location"] == "/"
    assert "tenken_return" not in failed.headers["set-cookie"]
    back = guarded.get("/oauth2callback?state=1", headers=cookie)
    assert back.headers["location"] == link
    assert "tenken_return=; Max-Age=0" in back.headers["set-cookie"]


def test_answer_of_a_provider_that_signs_nobody_in_is_noted(guarded: TestClient, book: Book) -> None:
    guarded.get("/oauth2callback?state=refused")
    assert book.refused == ["testclient"]
    # Signing out comes back without a state.
    guarded.get("/oauth2callback")
    guarded.get("/oauth2callback?state=1")
    assert book.refused == ["testclient"]


def test_provider_that_is_away_is_said_to_be(guarded: TestClient) -> None:
    answer = guarded.get("/auth/login?provider=away")
    assert (answer.status_code, "cannot be reached" in answer.text) == (502, True)
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_signing_in_again_leads_back_to_the_page_that_the_reader_had_come_to(guarded: TestClient) -> None:
    kept = guarded.get("/auth/login?provider=x", headers={"Referer": f"{ORIGIN}/sites?region=EU"}).headers["set-cookie"]
    assert kept.startswith(f"tenken_return={quote('/sites?region=EU', safe='')};")
    for other in ({}, {"Referer": "https://evil.example/sites"}):
        assert "set-cookie" not in guarded.get("/auth/login?provider=x", headers=other).headers


@pytest.mark.parametrize(
    ("headers", "is_kept"),
    [
        (HTML, True),
        (HTML | sign("revoked@example.com"), True),
        (HTML | sign("reader@example.com"), False),
        (HTML | {"Sec-Fetch-Dest": "image"}, False),
        ({"Accept": "application/json"}, False),
    ],
)
def test_only_a_page_that_is_not_shown_is_kept(headers: dict[str, str], is_kept: bool, guarded: TestClient) -> None:
    assert ("set-cookie" in guarded.get("/sites?region=EU", headers=headers).headers) == is_kept


def test_opening_the_first_page_forgets_an_older_link(guarded: TestClient) -> None:
    assert "tenken_return=; Max-Age=0" in guarded.get("/", headers=HTML).headers["set-cookie"]


HOSTILE = [
    "",
    "/",
    "//evil.example",
    "///evil.example/x",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/x\r\nSet-Cookie: a=b",
    "/x y",
    "/\u65e5\u672c",
    "/x#fragment",
    "/x\x00",
    "/oauth2callback?state=1",
    "/auth/logout",
    "/_stcore/health",
    "/media/x",
    "/" + "x" * 2000,
]


@pytest.mark.parametrize("path", HOSTILE)
def test_signing_in_leads_nowhere_else(path: str, guarded: TestClient) -> None:
    assert check_return(path) is None
    cookie = {"Cookie": f"tenken_return={quote(path, safe='')}"}
    assert guarded.get("/oauth2callback?state=1", headers=cookie).headers["location"] == "/"


def test_cookies_of_sign_in_live_as_long_as_a_login_and_go_by_tls_only(guarded: TestClient) -> None:
    cookies = guarded.get("/oauth2callback?state=1").headers.get_list("set-cookie")
    assert [one.partition("=")[0] for one in cookies[:3]] == [
        "_streamlit_user",
        "_streamlit_user_1",
        "_streamlit_session",
    ]
    for one in cookies[:3]:
        assert "Max-Age=7200" in one
        assert "HttpOnly" in one
        assert "Secure" in one
        assert "samesite=lax" in one.lower()


def test_tokens_of_the_provider_stay_on_the_server(guarded: TestClient) -> None:
    cookies = guarded.get("/oauth2callback?state=1").headers.get_list("set-cookie")
    assert cookies and not any("tokens" in one for one in cookies)


def test_signing_in_again_ends_the_login_before(guarded: TestClient, book: Book) -> None:
    guarded.get("/oauth2callback", headers=sign("reader@example.com"))
    assert book.ended == []
    guarded.get("/oauth2callback?state=1", headers=sign("reader@example.com"))
    assert book.ended == [("reader@example.com", "testclient")]


def test_cookies_are_rewritten_with_care() -> None:
    xsrf = harden_cookie("_streamlit_xsrf=2|a|b|1; Path=/; SameSite=Lax", 60, is_https=True)
    assert xsrf == "_streamlit_xsrf=2|a|b|1; Path=/; SameSite=Lax; Secure"
    gone = '_streamlit_user=""; expires=Sat, 28 Nov 2026 00:00:00 GMT; Max-Age=0; Path=/; SameSite=lax'
    assert "Max-Age=0" in harden_cookie(gone, 60, is_https=False)
    assert "Secure" not in harden_cookie(gone, 60, is_https=False)
    assert "Max-Age=30;" in harden_cookie("_streamlit_user=x; Max-Age=30; Path=/", 60, is_https=True)
    assert harden_cookie("other=x; Max-Age=999", 60, is_https=True) == "other=x; Max-Age=999"
    assert "Secure" not in keep_return("/x", is_https=False)


# --- with Streamlit inside -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of the whole server around a page that breaks; sign-in is off, uploads are limited to 1 MB."""
    script = tmp_path_factory.mktemp("broken") / "broken.py"
    script.write_text(BROKEN)
    known = config.get_option("server.maxUploadSize")
    config.set_option("server.maxUploadSize", 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(script.parent))
        patch.setattr(settings._Served, "is_true", False)
        app = server.build_app("127.0.0.1", script=script)
    with TestClient(app, base_url="http://127.0.0.1:8501") as client:
        yield client
    config.set_option("server.maxUploadSize", known)
    Runtime._instance = None


OURS = {"Host": "127.0.0.1:8501", "Origin": "http://127.0.0.1:8501"}


def run_page(client: TestClient, query: str, *, is_clicked: bool = False, url: str = "") -> bytes:
    """Run the page as a browser does, then click its button: every byte that was sent."""
    seen = b""
    with client.websocket_connect("/_stcore/stream", headers=OURS) as socket:
        for is_click in (False, True)[: 1 + is_clicked]:
            order = BackMsg()
            order.rerun_script.query_string = query
            order.rerun_script.context_info.url = url
            if is_click:
                (button,) = set(re.findall(rb"\$\$ID-[0-9a-f]+-None", seen))
                order.rerun_script.widget_states.widgets.add(id=button.decode(), trigger_value=True)
            socket.send_bytes(order.SerializeToString())
            while ForwardMsg.FromString(frame := socket.receive_bytes()).WhichOneof("type") != "script_finished":
                seen += frame
    return seen


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("is_clicked", [False, True])
def test_an_error_of_a_page_is_a_reference_to_the_log(
    language: Any, is_clicked: bool, inside: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    seen = run_page(inside, f"lang={language}", is_clicked=is_clicked, url="http://127.0.0.1:8501/x\nforged")
    text = "Something went wrong here. The log of the server has it as error {reference}."
    before, after = translate(language, text, reference="\0").encode().split(b"\0")
    found = re.findall(re.escape(before) + rb"([0-9a-f]{8})" + re.escape(after), seen)
    assert len(found) == caplog.text.count("Traceback (most") == (2 if is_clicked else 1)
    for told in (PLANTED, "ValueError", "Traceback", "exec_code.py"):
        assert told.encode() not in seen
    assert all(f"Error {reference.decode()} on" in caplog.text for reference in found)
    assert PLANTED in caplog.text
    assert "\nforged" not in caplog.text
    # Streamlit's own words for an error do not stand beside it.
    assert b"This app has encountered an error" not in seen


def test_a_server_that_is_not_ours_is_known(inside: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings._Served, "is_true", False)
    assert not settings.is_served_by_tenken()
    settings.mark_served()
    assert settings.is_served_by_tenken()


def test_stopping_is_no_error(inside: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    seen = run_page(inside, "stop=1")
    assert b"Begun" in seen
    assert b"Something went wrong" not in seen
    assert caplog.records == [] or "Error" not in caplog.text


def test_the_whole_server_has_the_headers_and_is_closed_to_strangers(inside: TestClient) -> None:
    page = inside.get("/regions")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    (script,) = re.findall(r'src="\.(/static/js/index[^"]+)"', page.text)
    assert "immutable" in inside.get(script).headers["cache-control"]
    assert inside.get("/static/js/none.js").headers["cache-control"] == "no-store"
    assert inside.get("/_stcore/metrics").status_code == 404
    assert inside.get("/_stcore/host-config").json()["allowedOrigins"] == []
    health = inside.get("/healthz")
    assert (health.status_code, health.json()) == (200, {"status": "ok"})
    assert "content-security-policy" in health.headers
    assert inside.get("/healthz", headers={"Host": "evil.example"}).status_code == 400


def test_a_larger_upload_is_refused_by_the_server(inside: TestClient) -> None:
    inside.get("/_stcore/health")
    token = {"X-Xsrftoken": inside.cookies["_streamlit_xsrf"]}
    with inside.websocket_connect("/_stcore/stream", headers=OURS) as socket:
        socket.send_bytes(BackMsg(rerun_script={}).SerializeToString())
        while not (session := ForwardMsg.FromString(socket.receive_bytes()).new_session.initialize.session_id):
            pass
        place = f"/_stcore/upload_file/{session}/file"

        def chunked() -> Iterator[bytes]:
            yield b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
            for _ in range(3):
                yield b"0" * 1_000_000

        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        assert inside.put(place, files={"f": b"0" * 1000}, headers=token).status_code == 204
        assert inside.put(place, files={"f": b"0" * 1_100_000}, headers=token).status_code == 413
        assert inside.put(place, content=chunked(), headers=token | kind).status_code == 413
        assert inside.put(place, files={"f": b"0"}).status_code == 403


# --- the real server, in a browser -----------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed (apt-get install chromium)")
def test_pages_keep_to_the_policy_from_the_first_link_on_a_cold_server(
    small_group: SmallGroup, group_home: Path
) -> None:
    with serve_dashboard(group_home) as address, sync_playwright() as playwright:
        # Longer than any limit of the websocket alone, as the cookies of sign-in can be; and no name of what serves.
        with connect(
            f"{address.replace('http', 'ws')}/_stcore/stream",
            additional_headers={"Cookie": "; ".join(f"_streamlit_user_{part}={'x' * 4000}" for part in range(6))},
            proxy=None,
        ) as socket:
            assert socket.response
            assert "Server" not in socket.response.headers
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        context = browser.new_context(viewport={"width": 1600, "height": 3000})
        context.add_init_script(VIOLATIONS)
        for name in ("regions", "overview", "answers", "imports"):
            page = context.new_page()
            page.goto(f"{address}/{name}")
            page.locator(f"{CONTENT} h1").wait_for(timeout=30_000)
            page.wait_for_function(IS_DRAWN, timeout=30_000)
            # What app.py draws around every page: a bare page script has none of it.
            assert page.locator("[data-testid=stSidebarNav] a").count() > 10
            assert name == "imports" or page.locator("[data-testid=stVegaLiteChart] .marks").count()
            assert page.locator("[data-testid=stException], [data-testid=stAlertContentError]").count() == 0
            assert page.evaluate("window.violations") == []
            # The listener hears what the policy forbids.
            page.evaluate(PLANT_SCRIPT)
            page.wait_for_function("window.violations.length === 1", timeout=30_000)
            assert page.evaluate("window.planted") is None
        browser.close()


def test_the_log_of_streamlit_says_nothing_twice() -> None:
    server.silence_duplicates()
    record = logging.LogRecord("streamlit.error_util", logging.ERROR, "", 1, "Uncaught app execution", None, None)
    assert not logging.getLogger("streamlit.error_util").filter(record)
