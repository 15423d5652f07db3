"""access.toml: who may see what. One reviewed file in the home; whom it does not name sees nothing."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from dashboard.words import N_
from metrics.catalog import DOMAINS, INSPECTION_TYPES

FILE_NAME: Final = "access.toml"
ROLES: Final = {
    "executive": N_("Executive"),
    "regional_manager": N_("Regional manager"),
    "site_manager": N_("Site manager"),
    "analyst": N_("Analyst"),
    "data_steward": N_("Data steward"),
    "auditor": N_("Auditor"),
}
LEAST_K: Final = 3
"""Of two entities each knows the other's figure once it knows the sum."""
OTHERS_MAY_WRITE: Final = 0o022
UNITS: Final = ("regions", "business_groups", "entities")
LIMITS: Final = {
    "inspection_types": tuple(value for value, _, _ in INSPECTION_TYPES),
    "domains": tuple(value for value, _, _ in DOMAINS),
}
TOP_KEYS: Final = ("revoked", "address_claim", "groups_claim", "session", "comparison", "grant")
SESSION_KEYS: Final = ("hours", "idle_minutes", "signed_in_after")
GRANT_KEYS: Final = ("role", "groups", "addresses", "scope", "compare")


def fold(address: str) -> str:
    """An address as it is compared: in any case of ASCII's letters. Other letters stay, for some fold into ASCII's."""
    return address.lower() if address.isascii() else address


class PolicyProblem(ValueError):
    """access.toml cannot be used; the text names every problem and what to do."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a grant lets its readers see: the whole group, or units with everything below them; None limits nothing."""

    is_group: bool = False
    regions: tuple[str, ...] = ()
    business_groups: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    inspection_types: tuple[str, ...] | None = None
    domains: tuple[str, ...] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return self.is_group and self.inspection_types is None and self.domains is None

    @property
    def is_nothing(self) -> bool:
        """Whether it lets nobody see any figure."""
        return not (self.is_group or any(getattr(self, name) for name in UNITS))

    def say(self) -> str:
        """The reach in the words of access.toml."""
        units = [f"{name} {', '.join(getattr(self, name))}" for name in UNITS if getattr(self, name)]
        parts = ["group" if self.is_group else " and ".join(units) or "nothing"]
        parts += [f"{name} {', '.join(getattr(self, name))}" for name in LIMITS if getattr(self, name) is not None]
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class Grant:
    """Readers, by groups or addresses of their token, with their role and reach."""

    role: str
    reach: Reach
    groups: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    compares: bool = False

    def say(self) -> str:
        """The grant in the words of access.toml."""
        return f"{self.role}: {self.reach.say()}"


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that access.toml says. Hours since signing in, minutes since the reader last did anything."""

    grants: tuple[Grant, ...] = ()
    revoked: tuple[str, ...] = ()
    hours: float = 10
    idle_minutes: float = 60
    signed_in_after: datetime | None = None
    least_entities: int = 5
    address_claim: str = "email"
    groups_claim: str = "groups"

    def find_grants(self, address: str, groups: Sequence[str]) -> tuple[Grant, ...]:
        """The grants of a reader, in the order of the file; none for whom it does not name."""
        named = {*groups}
        return tuple(grant for grant in self.grants if address in grant.addresses or named & {*grant.groups})


def read_policy(home: Path) -> Policy:
    """The policy of a home as it stands now. Raises PolicyProblem where there is none or it cannot be used."""
    path = home / FILE_NAME
    try:
        changed = path.stat()
        if changed.st_mode & OTHERS_MAY_WRITE:
            raise PolicyProblem(f"Others than its owner may change {path}: chmod go-w {path}")
        return _read_file(path, changed.st_mtime_ns, changed.st_size, changed.st_ino)
    except FileNotFoundError:
        raise PolicyProblem(
            f"{FILE_NAME} is missing in {home}: write who may see what; nobody sees anything before."
        ) from None
    except OSError as error:
        raise PolicyProblem(f"{FILE_NAME} in {home} cannot be read: {error.strerror}.") from None


@lru_cache(maxsize=4)
def _read_file(path: Path, changed_at: int, size: int, inode: int) -> Policy:
    try:
        return parse_policy(path.read_text("utf-8"))
    except UnicodeDecodeError:
        raise PolicyProblem(f"{FILE_NAME} is not UTF-8; save it as UTF-8.") from None


def parse_policy(text: str) -> Policy:
    """The policy that a text says. Raises PolicyProblem that names every problem."""
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyProblem(f"{FILE_NAME} is no TOML: {error}.") from None
    reading = _Reading([])
    reading.hold_keys(written, TOP_KEYS, "at the top")
    session = reading.table(written, "session")
    reading.hold_keys(session, SESSION_KEYS, "in [session]")
    comparison = reading.table(written, "comparison")
    reading.hold_keys(comparison, ("least_entities",), "in [comparison]")
    grants = written.get("grant", [])
    if not isinstance(grants, list) or not all(isinstance(grant, dict) for grant in grants):
        reading.problems.append("grant must be written as [[grant]], once for each")
        grants = []
    policy = Policy(
        tuple(reading.grant(grant, f"in grant {number}") for number, grant in enumerate(grants, 1)),
        tuple(fold(address) for address in reading.texts(written, "revoked", "at the top")),
        reading.number(session, "hours", 10, 0.1, 720, "in [session]"),
        reading.number(session, "idle_minutes", 60, 1, 1440, "in [session]"),
        reading.moment(session, "signed_in_after", "in [session]"),
        int(reading.number(comparison, "least_entities", 5, LEAST_K, 1000, "in [comparison]")),
        reading.text(written, "address_claim", "email", "at the top"),
        reading.text(written, "groups_claim", "groups", "at the top"),
    )
    if reading.problems:
        raise PolicyProblem(f"{FILE_NAME} cannot be used: {'; '.join(reading.problems)}.")
    return policy


@dataclass(frozen=True, slots=True)
class _Reading:
    """Values of a written policy; what is wrong with them is collected, and a default stands in."""

    problems: list[str]

    def hold_keys(self, table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
        for key in table:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
                self.problems.append(f"{where}, '{key}' is not known ({hint})")

    def table(self, written: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = written.get(key, {})
        if isinstance(value, dict):
            return value
        self.problems.append(f"{key} must be written as [{key}]")
        return {}

    def text(self, table: Mapping[str, Any], key: str, default: str, where: str) -> str:
        value = table.get(key, default)
        if isinstance(value, str) and value:
            return value
        self.problems.append(f"{where}, {key} must be a text")
        return default

    def texts(self, table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if isinstance(value, list) and all(isinstance(one, str) and one.strip() for one in value):
            return tuple(one.strip() for one in value)
        self.problems.append(f'{where}, {key} must be a list of texts, such as {key} = ["…"]')
        return ()

    def number(
        self, table: Mapping[str, Any], key: str, default: float, least: float, most: float, where: str
    ) -> float:
        value = table.get(key, default)
        if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.problems.append(f"{where}, {key} must be a number from {least:g} to {most:g}")
        return default

    def moment(self, table: Mapping[str, Any], key: str, where: str) -> datetime | None:
        value = table.get(key)
        if value is None:
            return None
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC)
        self.problems.append(f"{where}, {key} must be a moment with its zone, such as {key} = 2026-11-01T00:00:00Z")
        return None

    def grant(self, table: Mapping[str, Any], where: str) -> Grant:
        self.hold_keys(table, GRANT_KEYS, where)
        role = table.get("role")
        if not isinstance(role, str) or role not in ROLES:
            near = difflib.get_close_matches(str(role), ROLES, 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(ROLES)}"
            self.problems.append(f"{where}, role = '{role}' is not known ({hint})")
            role = ""
        groups = self.texts(table, "groups", where)
        addresses = tuple(fold(address) for address in self.texts(table, "addresses", where))
        if not groups and not addresses:
            self.problems.append(f"{where}, neither groups nor addresses say whose grant it is")
        compares = table.get("compare", False)
        if not isinstance(compares, bool):
            self.problems.append(f"{where}, compare must be true or false")
        reach = self.reach(table, role, where)
        if role == "data_steward" and not reach.is_whole:
            self.problems.append(
                f'{where}, a data steward changes the figures of everybody, so that the scope must be "group"'
            )
        if compares is True and reach.is_group:
            self.problems.append(f"{where}, compare is for a part of the group; the scope is the whole group")
        return Grant(role, reach, groups, addresses, compares is True)

    def reach(self, table: Mapping[str, Any], role: str, where: str) -> Reach:
        scope = table.get("scope")
        if scope == "group":
            return Reach(is_group=True)
        if scope is None and role == "auditor":
            return Reach()
        if not isinstance(scope, dict):
            self.problems.append(
                f'{where}, scope must be "group" or name units, such as scope = {{ regions = ["EU"] }}'
            )
            return Reach()
        where = f"{where}, in scope"
        self.hold_keys(scope, (*UNITS, *LIMITS, "group"), where)
        units = {name: self.texts(scope, name, where) for name in UNITS}
        is_group = scope.get("group", False)
        if not isinstance(is_group, bool) or (is_group and any(units.values())):
            self.problems.append(f"{where}, group must be true, without units beside it, or be left out")
        if is_group is not True and not any(units.values()):
            self.problems.append(f"{where}, no unit is named: {', '.join(UNITS)}, or group = true")
        types, domains = (self.limit(scope, name, where) for name in LIMITS)
        return Reach(is_group is True, **units, inspection_types=types, domains=domains)

    def limit(self, scope: Mapping[str, Any], name: str, where: str) -> tuple[str, ...] | None:
        if name not in scope:
            return None
        values, known = self.texts(scope, name, where), LIMITS[name]
        unknown = [value for value in values if value not in known]
        if unknown or not values:
            self.problems.append(
                f"{where}, {name} {', '.join(unknown) or 'names none'}: not known; known: {', '.join(known)}"
            )
        return values
