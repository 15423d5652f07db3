"""Who the reader is, and whether they may still be: looked up anew on the server, whatever their cookie says.

Streamlit and Authlib have checked the token's signature, issuer, nonce and expiry at the callback, and never look
again; that it was made for this application, nobody has checked before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Final, Literal

from dashboard.access import logins, settings
from dashboard.access.audit import AuditProblem, Record, append_record
from dashboard.access.logins import LoginsProblem
from dashboard.access.policy import Grant, Policy, PolicyProblem, Reach, fold, read_policy
from metrics.warehouse import find_home

Reason = Literal[
    "audience", "claim", "unverified", "too_old", "idle", "ended", "revoked", "not_named", "policy", "logins"
]  # fmt: skip
CLOCKS_APART: Final = timedelta(minutes=5)
"""A provider's clock may run ahead of ours by so much."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader whom the policy names, under one of their grants; `login` is empty where sign-in is off."""

    grant: Grant
    grants: tuple[Grant, ...]
    address: str = ""
    login: str = ""
    least_entities: int = 0

    @property
    def is_signed_in(self) -> bool:
        """Whether the reader is known by a login, and not just by having reached the server."""
        return bool(self.login)

    def under(self, place: int) -> Reader:
        """The reader under another of their grants."""
        return replace(self, grant=self.grants[place])

    def holding(self, grant: Grant) -> Reader:
        """The reader with one grant and no other."""
        return replace(self, grant=grant, grants=(grant,))

    def has_role(self, *roles: str) -> bool:
        """Whether the reader acts in one of these roles; without sign-in, everybody acts in all of them."""
        return not self.is_signed_in or self.grant.role in roles


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why somebody with a login is not let in; `detail` is for the log, and `value` for the sentence that is shown."""

    reason: Reason
    address: str = ""
    value: str = ""
    detail: str = ""


MOST_REFUSED: Final = 60
"""Answers of a provider that are noted as refused, an hour."""
_REFUSED: Final[deque[float]] = deque()
THIS_MACHINE: Final = "this machine"
"""Where a reader comes from who uses the machine that serves."""
EVERYBODY: Final = Reader(Grant("", Reach(is_group=True)), (Grant("", Reach(is_group=True)),))
"""The reader where sign-in is off."""


def identify(claims: Mapping[str, Any], home: Path) -> Reader | Refusal:
    """The reader of a login, under the first of their grants, or why there is none; the login is not used by this."""
    try:
        policy = read_policy(home)
    except PolicyProblem as problem:
        return Refusal("policy", detail=str(problem))
    address = claims.get(policy.address_claim)
    told = address if isinstance(address, str) else ""
    refusal = _check_claims(claims, policy, told)
    if refusal:
        return refusal
    login = name_login(claims)
    try:
        state = logins.look_up(home, login, policy.idle_minutes)
    except LoginsProblem as problem:
        return Refusal("logins", told, detail=str(problem))
    if state == "ended":
        return Refusal("ended", told)
    if state == "idle":
        return Refusal("idle", told, f"{policy.idle_minutes:g}")
    grants = policy.find_grants(fold(told), _list_groups(claims.get(policy.groups_claim)))
    if not grants:
        return Refusal("not_named", told, told)
    return Reader(grants[0], grants, fold(told), login, policy.least_entities)


def _check_claims(claims: Mapping[str, Any], policy: Policy, address: str) -> Refusal | None:
    audience = claims.get("aud")
    client = settings.read_client_id()
    if not client or client not in (audience if isinstance(audience, list) else [audience]):
        return Refusal("audience", address, detail=f"aud is {audience!r}")
    missing = [
        name
        for name in (policy.address_claim, "iss", "sub", "nonce")
        if not (isinstance(value := claims.get(name), str) and value.strip())
    ]
    signed_in_at = read_moment(claims)
    if signed_in_at is None:
        missing.append("iat")
    if missing:
        return Refusal("claim", address, ", ".join(missing), f"missing: {', '.join(missing)}")
    assert signed_in_at
    if claims.get("email_verified", True) is not True:
        return Refusal("unverified", address)
    age = datetime.now(UTC) - signed_in_at
    if age < -CLOCKS_APART:
        return Refusal("claim", address, "iat", f"iat {signed_in_at.isoformat()} lies in the future")
    if age > timedelta(hours=policy.hours):
        return Refusal("too_old", address, f"{policy.hours:g}")
    if policy.signed_in_after and signed_in_at <= policy.signed_in_after:
        return Refusal("ended", address, detail="signed in before signed_in_after")
    if fold(address) in policy.revoked:
        return Refusal("revoked", address, address)
    return None


def read_moment(claims: Mapping[str, Any]) -> datetime | None:
    """When the reader signed in, UTC: the moment of the token."""
    written = claims.get("iat")
    if isinstance(written, bool) or not isinstance(written, int | float):
        return None
    try:
        return datetime.fromtimestamp(written, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def name_login(claims: Mapping[str, Any]) -> str:
    """The name of a login: the nonce is made by this server for each."""
    return logins.name_login(str(claims.get("iss")), str(claims.get("sub")), str(claims.get("nonce")))


def _list_groups(written: object) -> tuple[str, ...]:
    groups = written if isinstance(written, list) else [written]
    return tuple(group for group in groups if isinstance(group, str))


def is_permitted(claims: Mapping[str, Any], what: Literal["see", "upload"]) -> bool:
    """Whether a login may see files or upload them, outside the pages."""
    found = identify(claims, find_home())
    if isinstance(found, Refusal):
        return False
    return what == "see" or any(grant.role == "data_steward" for grant in found.grants)


def end_login(claims: Mapping[str, Any], came_from: str) -> None:
    """End a login, so that no copy of its cookie is good any more, and note it."""
    home = find_home()
    found = identify(claims, home)
    try:
        logins.end(home, name_login(claims))
        append_record(home, Record("signed_out", found.address, came_from=_name_client(came_from)))
    except (LoginsProblem, AuditProblem):
        # A reader can always leave; that nothing can be written is said to whoever comes next.
        return


def note_refused(came_from: str) -> None:
    """Note that a provider's answer was not taken; no more than there is an hour, since anybody can bring one."""
    now = monotonic()
    while _REFUSED and now - _REFUSED[0] > 3600:
        _REFUSED.popleft()
    if len(_REFUSED) >= MOST_REFUSED:
        return
    _REFUSED.append(now)
    detail = "the provider's answer was refused; the log of the server says why"
    with suppress(AuditProblem):
        append_record(find_home(), Record("sign_in_refused", came_from=_name_client(came_from), detail=detail))


def _name_client(came_from: str) -> str:
    return THIS_MACHINE if settings.is_loopback(came_from) else came_from


def read_hours() -> float:
    """Hours that a login lasts; the shortest there are while access.toml cannot be used."""
    try:
        return read_policy(find_home()).hours
    except PolicyProblem:
        return 0.1
