"""Cookies of sign-in: who they say the reader is, how long and where they live, and the way back after signing in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from streamlit.web.server.starlette import starlette_websocket
from streamlit.web.server.starlette.starlette_server_config import (
    SESSION_COOKIE_NAME,
    USER_COOKIE_NAME,
    XSRF_COOKIE_NAME,
)

RETURN_COOKIE: Final = "tenken_return"
RETURN_SECONDS: Final = 600
LONGEST_RETURN: Final = 2000
# Paths that are no pages: signing in and out, files, Streamlit's own.
NO_PAGES: Final = ("/auth/", "/oauth2callback", "/_stcore", "/media/", "/static/", "/component/", "/healthz")


def read_claims(cookies: Mapping[str, str], origin: str) -> dict[str, Any] | None:
    """What the signed cookie says of the reader, as st.user has it; None without one that is for this origin."""
    raw = starlette_websocket._get_signed_cookie_with_chunks(dict(cookies), USER_COOKIE_NAME)
    claims = starlette_websocket._parse_decoded_user_cookie(raw, origin) if raw else {}
    return claims if claims.get("is_logged_in") is True else None


def harden_cookie(header: str, longest_seconds: int, *, is_https: bool) -> str:
    """A Set-Cookie header of Streamlit's that lives no longer than a login, and goes by TLS only where there is TLS."""
    value, *attributes = (part.strip() for part in header.split(";"))
    name = value.partition("=")[0]
    if not name.startswith((USER_COOKIE_NAME, SESSION_COOKIE_NAME, XSRF_COOKIE_NAME)):
        return header
    kept = {part.partition("=")[0].strip().lower(): part for part in attributes}
    if "max-age" in kept:
        seconds = kept["max-age"].partition("=")[2]
        is_short = re.fullmatch(r"-?\d+", seconds) and int(seconds) <= longest_seconds
        kept["max-age"] = f"Max-Age={seconds if is_short else longest_seconds}"
    # A date would say something else than the seconds; a cookie that is being deleted keeps its own.
    if kept.get("max-age") != "Max-Age=0":
        kept.pop("expires", None)
    kept["samesite"] = "SameSite=Strict" if kept.get("samesite", "").lower() == "samesite=strict" else "SameSite=Lax"
    # Streamlit's page reads its XSRF token to send it back; the others are for the server alone.
    if name != XSRF_COOKIE_NAME:
        kept["httponly"] = "HttpOnly"
    if is_https:
        kept["secure"] = "Secure"
    return "; ".join([value, *kept.values()])


def check_return(path: str | None) -> str | None:
    """A path of a page of our own with its query, as a browser writes it; None for everything else."""
    if not path or len(path) > LONGEST_RETURN or not re.fullmatch(r"/(?!/)[!-~]*", path) or "\\" in path or "#" in path:
        return None
    parts = urlsplit(path)
    if parts.scheme or parts.netloc or parts.path.startswith(NO_PAGES) or path == "/":
        return None
    return path


def keep_return(path: str | None, *, is_https: bool) -> str:
    """Set-Cookie header that keeps a page to come back to for ten minutes; without one, the header that forgets it."""
    value, seconds = (quote(path, safe=""), RETURN_SECONDS) if path else ("", 0)
    secure = "; Secure" if is_https else ""
    return f"{RETURN_COOKIE}={value}; Max-Age={seconds}; Path=/oauth2callback; HttpOnly; SameSite=Lax{secure}"


def read_return(cookies: Mapping[str, str]) -> str | None:
    """The page to come back to."""
    return check_return(unquote(cookies.get(RETURN_COOKIE, "")[: 3 * LONGEST_RETURN]))
