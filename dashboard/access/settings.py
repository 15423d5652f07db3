"""Settings of sign-in: where the secrets file is, what it says, and what speaks against listening with it."""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from streamlit import runtime

CHECKOUT: Final = Path(__file__).parents[2]
CALLBACK: Final = "/oauth2callback"
SHORTEST_COOKIE_SECRET: Final = 32
HOSTS_VARIABLE: Final = "TENKEN_HOSTS"
SECRETS_VARIABLE: Final = "TENKEN_SECRETS"
OPEN_FLAG: Final = "--without-sign-in"
TEXTS: Final = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
OTHERS_MAY: Final = 0o077

# What the promises of SECURITY.md rest on; a value that an option, a variable or another config.toml sets is refused.
REQUIRED_OPTIONS: Final[dict[str, object]] = {
    "server.enableXsrfProtection": True,
    "server.enableCORS": True,
    "server.corsAllowedOrigins": [],
    "server.enableStaticServing": False,
    "server.enableAgentApi": False,
    "server.scriptHealthCheckEnabled": False,
    "server.headless": True,
    "server.baseUrlPath": "",
    "server.trustedUserHeaders": {},
    "client.showErrorDetails": "none",
    "client.disableDataExport": True,
    "client.allowedOrigins": [],
    "browser.gatherUsageStats": False,
    "global.developmentMode": False,
    "global.e2eTest": False,
}


@dataclass(frozen=True, slots=True)
class SignIn:
    """What the secrets file says about signing in; the two secrets are left to Streamlit."""

    redirect_uri: str
    client_id: str

    @property
    def origin(self) -> str:
        """Scheme, host and port that readers come by."""
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_https(self) -> bool:
        """Whether readers come by TLS."""
        return urlsplit(self.redirect_uri).scheme == "https"


class _Served:
    """Whether this process is a server of Tenken's."""

    is_true = False


def find_secrets() -> Path:
    """The secrets file: $TENKEN_SECRETS, else ~/.streamlit/secrets.toml."""
    named = os.environ.get(SECRETS_VARIABLE)
    return Path(named).expanduser() if named else Path.home() / ".streamlit" / "secrets.toml"


def read_sign_in() -> SignIn | None:
    """What the secrets file said when it was first read, so that nobody turns sign-in off under a running server."""
    return _read_once(find_secrets())


@cache
def _read_once(path: Path) -> SignIn | None:
    try:
        auth = tomllib.loads(path.read_text("utf-8")).get("auth")
    except (FileNotFoundError, NotADirectoryError):
        return None
    # What is wrong with the section stops the start; here it must never count as sign-in being off.
    auth = auth if isinstance(auth, dict) else None if auth is None else {}
    return None if auth is None else SignIn(str(auth.get("redirect_uri", "")), str(auth.get("client_id", "")))


def is_sign_in_on() -> bool:
    """Whether readers have to sign in."""
    return read_sign_in() is not None


def read_client_id() -> str | None:
    """The name under which the provider knows Tenken, the audience of its tokens; None when sign-in is off."""
    sign_in = read_sign_in()
    return sign_in.client_id if sign_in else None


def mark_served() -> None:
    """Note that this process serves through Tenken's own server."""
    _Served.is_true = True


def is_served_by_tenken() -> bool:
    """Whether no reader gets past the headers and guards: Tenken's server, or a run in a test, which has no server."""
    # AppTest puts a stand-in where the runtime is.
    return _Served.is_true or not runtime.exists() or type(runtime.get_instance()) is not runtime.Runtime


def is_loopback(address: str | None) -> bool:
    """Whether only this machine reaches an address; no address means every one."""
    if address is None:
        return False
    host = address.removeprefix("[").removesuffix("]")
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def list_hosts(address: str | None) -> frozenset[str]:
    """Names by which requests may ask for the dashboard: of this machine, of sign-in, and those in $TENKEN_HOSTS."""
    sign_in = read_sign_in()
    named = os.environ.get(HOSTS_VARIABLE, "").replace(",", " ").split()
    hosts = {
        "localhost",
        "127.0.0.1",
        "::1",
        *named,
        address or "",
        urlsplit(sign_in.origin).hostname if sign_in else "",
    }
    cleaned = {(host or "").lower().removeprefix("[").removesuffix("]").rstrip(".") for host in hosts}
    return frozenset(cleaned - {"", "0.0.0.0", "::"})


def list_start_problems(
    address: str | None,
    read_option: Callable[[str], Any] | None = None,
    *,
    is_open_on_purpose: bool = False,
    checkout: Path = CHECKOUT,
) -> list[str]:
    """Everything that speaks against listening on an address, one sentence each; an empty list lets the server start.

    Without `read_option`, which hands back one of Streamlit's options, only the secrets and the address are looked at.
    """
    problems = [*_list_secrets_problems(find_secrets(), checkout), *_list_address_problems(address, is_open_on_purpose)]
    if read_option:
        problems += _list_option_problems(read_option)
    return problems


def _list_option_problems(read_option: Callable[[str], Any]) -> list[str]:
    problems = []
    for name, required in REQUIRED_OPTIONS.items():
        value = read_option(name)
        if value != required and (value or required):
            problems.append(
                f"{name} is {value!r}: Tenken serves only with {required!r}. Take the option, the environment "
                f"variable or the line of a config.toml away that sets it."
            )
    if str(read_option("server.xsrfCookieSameSite")).lower() not in ("lax", "strict"):
        problems.append("server.xsrfCookieSameSite lets other sites send the cookie: take the setting away.")
    return problems


def _list_address_problems(address: str | None, is_open_on_purpose: bool) -> list[str]:
    if address is not None and address.startswith("unix:"):
        return [f"The address {address} is a socket file; Tenken listens on an address of the network only."]
    if is_loopback(address) or is_sign_in_on() or is_open_on_purpose:
        return []
    where = f"the address {address}" if address else "every address of this machine"
    return [
        f"Sign-in is off, so everybody who reaches {where} would see everything. Turn sign-in on with an [auth] "
        f"section in {find_secrets()} (docs/deployment.md), listen on 127.0.0.1 with --server.address, or say with "
        f"{OPEN_FLAG} that this is meant."
    ]


def _list_secrets_problems(path: Path, checkout: Path) -> list[str]:
    problems = []
    inside = checkout / ".streamlit" / "secrets.toml"
    if inside.exists():
        problems.append(
            f"{inside} is inside the checkout: move it to {path}, or name its place in ${SECRETS_VARIABLE}."
        )
    if path.resolve().is_relative_to(checkout.resolve()):
        problems.append(f"${SECRETS_VARIABLE} names {path}, inside the checkout: keep secrets outside the repository.")
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8")
    except FileNotFoundError:
        if os.environ.get(SECRETS_VARIABLE):
            problems.append(f"${SECRETS_VARIABLE} names {path}, and there is no such file.")
        return problems
    except (OSError, UnicodeDecodeError) as error:
        return [*problems, f"{path} cannot be read: {error}."]
    if mode & OTHERS_MAY:
        problems.append(f"Others than its owner may open {path}: chmod 600 {path}")
    try:
        auth = tomllib.loads(text).get("auth")
    except tomllib.TOMLDecodeError as error:
        return [*problems, f"{path} is no TOML: {error}."]
    if auth is not None:
        found = _list_auth_problems(auth) if isinstance(auth, Mapping) else ["[auth] is no section."]
        problems += [f"{path}, [auth]: {one}" for one in found]
    return problems


def _list_auth_problems(auth: Mapping[str, Any]) -> list[str]:
    problems = [
        f"{name} is missing." for name in TEXTS if not isinstance(auth.get(name), str) or not auth[name].strip()
    ]
    for name, value in auth.items():
        if name == "client_kwargs" or name in TEXTS:
            continue
        problems.append(
            f"[auth.{name}] is a provider of its own: Tenken signs in with exactly one, written in [auth] itself."
            if isinstance(value, Mapping)
            else f"{name} is not known; there are {', '.join(TEXTS)} and client_kwargs."
        )
    if not isinstance(auth.get("client_kwargs", {}), Mapping):
        problems.append("client_kwargs is no table.")
    for name in ("redirect_uri", "server_metadata_url"):
        if isinstance(value := auth.get(name), str) and value.strip():
            problems += _list_url_problems(name, value)
    secret = auth.get("cookie_secret")
    if isinstance(secret, str) and 0 < len(secret) < SHORTEST_COOKIE_SECRET:
        problems.append(
            f"cookie_secret has {len(secret)} characters, fewer than {SHORTEST_COOKIE_SECRET}. Make one: "
            f"python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    return problems


def _list_url_problems(name: str, value: str) -> list[str]:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return [f"{name} is no address: {value}."]
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        return [f"{name} is no address of the form https://host/…: {value}."]
    problems = []
    if parts.scheme == "http" and not is_loopback(host):
        problems.append(f"{name} is not https: only an address of the loopback may go without TLS.")
    if name == "redirect_uri" and (parts.path != CALLBACK or parts.query or parts.fragment):
        problems.append(
            f"{name} must be https://host{CALLBACK}: Tenken has a host name to itself, not a folder of one."
        )
    return problems
