"""Signing in in Chromium at real OpenID providers, and what is refused: no byte of data before, none afterwards."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from dashboard.access.logins import FOLDER
from docs.draw_pictures import CHROMIUM, CONTENT
from tests.dashboard.small_group import SmallGroup
from tests.dashboard.test_browser import FITS, LONGEST_WAIT, browser, list_grave, wait
from tests.oidc import providers
from tests.oidc.crooked_provider import (
    Claims,
    CrookedProvider,
    leave,
    run_crooked_provider,
    sign,
    sign_not,
    sign_with_another_key,
)
from tests.oidc.visits import MINUTE, USER_COOKIE, Site, Visit, is_signed_in, sign_in, sign_in_at_once

__all__ = ["browser"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed (apt-get install chromium)"),
]

ANN = {"sub": "ann", "email": "Ann@Example.com", "email_verified": True, "groups": ["all-staff", "tenken-europe"]}
BEA = {"sub": "bea", "email": "bea@example.com", "email_verified": True, "groups": ["all-staff"]}
CID = {"sub": "cid", "groups": ["tenken-europe"]}
POLICY = """
[[grant]]
role = "regional_manager"
groups = ["tenken-europe"]
scope = { regions = ["EU"] }
"""
EUROPE = re.compile(rb"EU-\d\d|Europe (?:Company|Works) \d")
CHINA = re.compile(rb"CN-\d\d|China (?:Company|Works) \d")
HOUR = 60 * MINUTE

Twist = Callable[[Claims], Claims]
OpenVisit = Callable[..., Visit]


@pytest.fixture(scope="module")
def home(small_group: SmallGroup, group_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of its own with the small group."""
    home = tmp_path_factory.mktemp("sign-in") / "home"
    shutil.copytree(group_home, home)
    return home


@pytest.fixture(autouse=True)
def _policy(home: Path) -> None:
    """Every test begins with the same access.toml."""
    write_policy(home, POLICY)


def write_policy(home: Path, text: str) -> None:
    """Put access.toml in its place at once, as an editor does."""
    draft = home / "access.draft"
    draft.write_text(text, "utf-8")
    draft.replace(home / "access.toml")


@pytest.fixture(scope="module", params=["mock", "strict"])
def real(request: pytest.FixtureRequest, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A dashboard at each of the real providers."""
    why_not = providers.explain_no_strict_provider() if request.param == "strict" else None
    if why_not:
        pytest.skip(why_not)
    port, users = providers.find_free_port(), [ANN, BEA, CID]
    address = f"http://127.0.0.1:{port}"
    secrets = tmp_path_factory.mktemp(request.param) / "secrets.toml"
    is_mock = request.param == "mock"
    running = providers.run_mock_provider(users) if is_mock else providers.run_strict_provider(users, address)
    with running as issuer, providers.run_dashboard(home, secrets, issuer, port):
        yield Site(address, home)


@pytest.fixture(scope="module")
def crooked() -> Iterator[CrookedProvider]:
    with run_crooked_provider(ANN) as provider:
        yield provider


@pytest.fixture(scope="module")
def site(home: Path, crooked: CrookedProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A dashboard at the provider that misbehaves on demand."""
    secrets = tmp_path_factory.mktemp("crooked") / "secrets.toml"
    with providers.run_dashboard(home, secrets, crooked.address, providers.find_free_port()) as address:
        yield Site(address, home)


@pytest.fixture(scope="module")
def contexts(browser: Browser) -> Iterator[list[BrowserContext]]:
    """Browsers apart from each other, kept for all tests because each has to read Streamlit's own scripts once."""
    kept: list[BrowserContext] = []
    yield kept
    for context in kept:
        context.close()


@pytest.fixture
def visit(browser: Browser, contexts: list[BrowserContext]) -> Iterator[OpenVisit]:
    """Open an address in a browser apart from the test's others, with cookies if given."""
    opened: list[Visit] = []

    def open_at(url: str = "", cookies: list[Any] | None = None) -> Visit:
        if len(opened) == len(contexts):
            context = browser.new_context(viewport={"width": 1600, "height": 1200})
            context.set_default_timeout(LONGEST_WAIT)
            contexts.append(context)
        context = contexts[len(opened)]
        context.clear_cookies()
        context.add_cookies(cookies or [])
        opened.append(Visit(context, context.new_page()))
        if url:
            opened[-1].page.goto(url)
        return opened[-1]

    yield open_at
    for one in opened:
        one.page.close()


def put(**told: object) -> Twist:
    return lambda claims: claims | told


def drop(name: str) -> Twist:
    return lambda claims: {key: value for key, value in claims.items() if key != name}


def move(name: str, seconds: int) -> Twist:
    return lambda claims: claims | {name: claims[name] + seconds}


def test_link_shows_nothing_on_a_cold_server_and_opens_after_signing_in(real: Site, visit: OpenVisit) -> None:
    one = visit(f"{real.address}/answers?lang=en&region=EU")
    one.check_door()
    sign_in(one, "ann")
    wait(one.page)
    expect(one.page.get_by_role("heading", level=1)).to_have_text("Answers")
    assert re.search(r"/answers\?.*region=EU", one.page.url)
    assert one.has_seen(EUROPE)
    expect(one.page.locator(".st-key-reader")).to_contain_text("ann@example.com")
    expect(one.page.locator(".st-key-reader")).to_contain_text("Regional manager · Europe")


def test_sign_out_ends_every_copy_of_the_cookie_and_every_open_page(real: Site, visit: OpenVisit) -> None:
    one = visit(f"{real.address}/answers?lang=en")
    sign_in(one, "ann")
    wait(one.page)
    kept = [cookie for cookie in one.context.cookies() if cookie["name"].startswith(USER_COOKIE)]
    copy = visit(f"{real.address}/answers?lang=en", kept)
    wait(copy.page)
    assert copy.has_seen(EUROPE)
    one.page.get_by_role("button", name="Sign out").click()
    one.page.wait_for_url(lambda url: not url.startswith(real.address))
    one.frames.clear()
    one.page.get_by_role("button", name=re.compile("End session|Sign out")).click()
    one.check_door()
    assert not is_signed_in(one)
    copy.run_again()
    copy.check_door("This sign-in has ended.")
    again = visit(f"{real.address}/answers?lang=en", kept)
    again.check_door("This sign-in has ended.")


@pytest.mark.parametrize(
    ("subject", "sentence"),
    [
        ("bea", "You are signed in as bea@example.com, and nothing is open to you."),
        ("cid", "Your sign-in says nothing of: email."),
    ],
)
def test_whom_nobody_names_or_knows_sees_nothing(real: Site, visit: OpenVisit, subject: str, sentence: str) -> None:
    one = visit(f"{real.address}/?lang=en")
    sign_in(one, subject)
    one.check_door(sentence)


def test_callback_signs_in_nobody_a_second_time(real: Site, visit: OpenVisit) -> None:
    one = visit(f"{real.address}/answers?lang=en")
    (began,) = [cookie for cookie in sign_in(one, "ann") if cookie["name"] == "_streamlit_session"]
    wait(one.page)
    (callback,) = [url for url in one.asked if "/oauth2callback" in url]
    # In a browser that did not begin it, and in one with the cookie of the browser that did.
    for cookies in ([], [began]):
        other = visit("", cookies)
        assert other.context.request.get(callback).url == f"{real.address}/"
        assert not is_signed_in(other)


@pytest.mark.parametrize(
    ("twist", "signing"),
    [
        (put(aud="another-application"), sign),
        (put(iss="https://another.example.com"), sign),
        (move("exp", -HOUR), sign),
        (drop("exp"), sign),
        (move("iat", HOUR), sign),
        (put(nonce="another"), sign),
        (drop("nonce"), sign),
        (drop("sub"), sign),
        (leave, sign_not),
        (leave, sign_with_another_key),
    ],
    ids=["audience", "issuer", "expired", "endless", "early", "nonce", "no nonce", "nobody", "unsigned", "key"],
)
def test_wrong_token_makes_no_login(
    site: Site, crooked: CrookedProvider, visit: OpenVisit, twist: Twist, signing: Any
) -> None:
    one = visit()
    with crooked.telling(twist, signing):
        assert sign_in_at_once(one, site) == 200
    assert not is_signed_in(one)


def test_wrong_audience_shows_the_door_again(site: Site, crooked: CrookedProvider, visit: OpenVisit) -> None:
    one = visit(f"{site.address}/answers?lang=en")
    one.check_door()
    with crooked.telling(put(aud="another-application")), one.page.expect_response("**/oauth2callback?*"):
        one.page.get_by_role("button", name="Sign in").click()
    one.page.wait_for_url(f"{site.address}/**")
    one.check_door()


@pytest.mark.parametrize(
    ("twist", "policy", "sentence"),
    [
        (put(aud="another-application", azp=providers.CLIENT), "", "made for another application"),
        (put(aud=[]), "", "made for another application"),
        (drop("email"), "", "says nothing of: email"),
        (put(email=["ann@example.com"]), "", "says nothing of: email"),
        (put(email_verified=False), "", "has not verified your address"),
        (put(groups="all-staff tenken-europe"), "", "nothing is open to you"),
        (move("iat", -11 * HOUR), "", "You signed in more than 10 hours ago."),
        (move("iat", -11 * HOUR), "[session]\nhours = 10.5\n", "You signed in more than 10.5 hours ago."),
        (leave, "[session]\nsigned_in_after = 2126-01-01T00:00:00Z\n", "This sign-in has ended."),
        (leave, 'revoked = ["ANN@example.com"]\n', "The access of Ann@Example.com was withdrawn."),
        (leave, "[session]\nhours = 0\n", "Nobody sees anything until access.toml can be used again."),
    ],
    ids=["party", "audience", "address", "list", "verified", "group", "old", "older", "ended", "revoked", "policy"],
)
def test_login_is_looked_at_again_on_the_server(
    site: Site, crooked: CrookedProvider, visit: OpenVisit, twist: Twist, policy: str, sentence: str
) -> None:
    write_policy(site.home, policy + POLICY)
    one = visit()
    with crooked.telling(twist):
        sign_in_at_once(one, site)
    assert is_signed_in(one)
    one.page.goto(f"{site.address}/answers?lang=en")
    one.check_door(sentence)


def open_answers(site: Site, visit: OpenVisit) -> Visit:
    """A page with the figures of Europe, as Ann has it open."""
    one = visit()
    sign_in_at_once(one, site)
    one.page.goto(f"{site.address}/answers?lang=en")
    wait(one.page)
    assert one.has_seen(EUROPE)
    return one


def test_idle_login_is_over_and_looking_does_not_use_it(site: Site, visit: OpenVisit) -> None:
    before = {*(site.home / FOLDER).glob("*")}
    one = open_answers(site, visit)
    (login,) = {*(site.home / FOLDER).glob("*")} - before
    for minutes in (59, 61):
        last_used = time.time() - minutes * MINUTE
        os.utime(login, (last_used, last_used))
        one.reload()
        if minutes < 60:
            wait(one.page)
    one.check_door("Nothing was done here for 60 minutes.")
    one.reload()
    one.check_door("Nothing was done here for 60 minutes.")
    sign_in_at_once(one, site)
    one.reload()
    wait(one.page)
    assert one.has_seen(EUROPE)


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        (f'revoked = ["ann@example.com"]\n{POLICY}', "The access of Ann@Example.com was withdrawn."),
        (POLICY.replace("tenken-europe", "tenken-asia"), "You are signed in as Ann@Example.com"),
        ("[[grant]\n", "Nobody sees anything until access.toml can be used again."),
    ],
    ids=["revoked", "group", "broken"],
)
def test_change_of_access_takes_what_an_open_page_shows(
    site: Site, visit: OpenVisit, policy: str, sentence: str
) -> None:
    one = open_answers(site, visit)
    write_policy(site.home, policy)
    one.run_again()
    one.check_door(sentence)
    write_policy(site.home, POLICY)
    one.run_again()
    wait(one.page)
    assert one.has_seen(EUROPE)


def test_change_of_scope_changes_what_an_open_page_shows(site: Site, visit: OpenVisit) -> None:
    one = open_answers(site, visit)
    assert not one.has_seen(CHINA)
    write_policy(site.home, POLICY.replace("EU", "CN"))
    one.run_again()
    expect(one.page.locator(".st-key-reader")).to_contain_text("Regional manager · China")
    wait(one.page)
    assert one.has_seen(CHINA)
    assert not one.has_seen(EUROPE)
    assert not EUROPE.search(one.page.locator("body").inner_text().encode())


def test_door_and_a_page_behind_it_are_accessible_and_fit_a_phone(site: Site, visit: OpenVisit) -> None:
    one = visit(f"{site.address}/answers?lang=ja")
    one.check_door("サインイン")
    assert list_grave(one.page) == []
    assert sign_in_at_once(one, site) == 200
    one.reload()
    wait(one.page)
    expect(one.page.locator(".st-key-reader")).to_contain_text("ann@example.com")
    assert list_grave(one.page) == []
    one.page.set_viewport_size({"width": 390, "height": 844})
    one.page.wait_for_function(FITS, arg=CONTENT)


def test_provider_out_of_reach_lets_nobody_in_and_those_inside_stay(
    site: Site, crooked: CrookedProvider, visit: OpenVisit
) -> None:
    inside = open_answers(site, visit)
    outside = visit()
    with crooked.staying_away():
        assert sign_in_at_once(outside, site) == 502
        inside.reload()
        wait(inside.page)
        assert inside.has_seen(EUROPE)
        inside.frames.clear()
        inside.page.get_by_role("button", name="Sign out").click()
        inside.check_door()
    assert not is_signed_in(outside)
    assert not is_signed_in(inside)
