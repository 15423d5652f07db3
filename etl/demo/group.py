"""The fictional group: its entities, their validity, and the parts that some of them play in the planted stories."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from etl.demo.names import AFFILIATES_JA, BUSINESS_GROUPS, CITIES, COUNTRIES, DEPARTMENTS, LEGAL_FORMS, TRADES
from etl.demo.rounds import Round
from etl.demo.stories import LEFT_OUT, STORY_BY_ROLE

REGIONS = ("JP", "AM", "EU", "CN", "AS")
FOUNDED = date(2000, 4, 1)
ACQUIRED_ON = date(2023, 7, 1)
SOLD_ON = date(2024, 12, 15)
MOVED_REGION_ON = date(2024, 4, 1)
MOVED_BUSINESS_GROUP_ON = date(2024, 10, 1)
LAPSED_ON = date(2025, 11, 30)
MARK_YEARS_FIRST, MARK_YEARS_LAST = date(2026, 12, 1), date(2028, 4, 30)


@dataclass(frozen=True, slots=True)
class Interval:
    """Attributes of an entity from the first day to the last day, both included; None is for ever."""

    first: date
    last: date | None
    region: str
    business_group: str


@dataclass(frozen=True, slots=True)
class Entity:
    """An inspected unit."""

    code: str
    name_ja: str
    name_en: str
    kind: str
    country: str
    parent: str
    intervals: tuple[Interval, ...]
    mark_number: str = ""
    mark_until: date | None = None

    def on(self, day: date) -> Interval | None:
        """The attributes that hold on the day; None while it is not in the group."""
        for interval in self.intervals:
            if interval.first <= day and (interval.last is None or day <= interval.last):
                return interval
        return None

    @property
    def writes_japanese(self) -> bool:
        """Whether it fills in the Japanese form."""
        return self.intervals[0].region == "JP"


@dataclass(frozen=True, slots=True)
class Group:
    """All entities; `roles` says which of them (positions) play which part in the stories, and why a part is empty.

    `without` names the stories that are left out. Their parts are in `cast` all the same, and `told` holds the entities
    as they would be with every story, so that a story that is left out takes nothing from the rest of the group.
    """

    entities: tuple[Entity, ...]
    told: tuple[Entity, ...]
    cast: dict[str, tuple[int, ...]]
    empty_roles: dict[str, str]
    without: frozenset[str]

    @property
    def roles(self) -> dict[str, tuple[int, ...]]:
        """Positions of the entities that play each part; a part of a story that is left out is not played."""
        return {role: places for role, places in self.cast.items() if self.tells(STORY_BY_ROLE[role])}

    def tells(self, story: str) -> bool:
        """Whether a story is not left out."""
        return story not in self.without

    def positions(self, kind: str) -> list[int]:
        """Positions of the entities of a kind."""
        return [place for place, entity in enumerate(self.entities) if entity.kind == kind]

    def role(self, name: str) -> int | None:
        """Position of the one entity that plays a part, if any does."""
        return self.roles[name][0] if name in self.roles else None


def make_group(
    count: int, rounds: tuple[Round, ...], rng: np.random.Generator, without: frozenset[str] = frozenset()
) -> Group:
    """A group of `count` entities, with the parts of the stories given to entities where there are enough of them."""
    if count < 8:
        raise ValueError(f"entities must be at least 8; it is {count}")
    department_count = min(max(2, round(count * 10 / 150)), len(DEPARTMENTS))
    business_group_count = min(max(2, round(count * 6 / 150)), len(BUSINESS_GROUPS))
    site_count = max(2, round(count * 44 / 150))
    founded = min(FOUNDED, rounds[0].first)
    departments = [
        Entity(f"HQ-{n:04d}", ja, en, "head_office", "JP", "HQ-0001" if n > 1 else "", (_always(founded, "JP", ""),))
        for n, (ja, en) in enumerate(DEPARTMENTS[:department_count], 1)
    ]
    business_groups = [
        Entity(f"BG-{n:04d}", ja, en, "business_group", "JP", "HQ-0001", (_always(founded, "JP", ""),))
        for n, (ja, en) in enumerate(BUSINESS_GROUPS[:business_group_count], 1)
    ]
    codes = [entity.code for entity in business_groups]
    sites = _make_sites(site_count, codes, founded)
    affiliates = _make_affiliates(count - department_count - business_group_count - site_count, codes, founded, rng)
    entities = [*departments, *business_groups, *sites, *affiliates]
    return _cast(entities, codes, rounds, without)


def _always(founded: date, region: str, business_group: str) -> Interval:
    return Interval(founded, None, region, business_group)


def _spread(count: int, shares: dict[str, float]) -> list[str]:
    """Regions for `count` entities, each turn going to the region that is furthest below its share."""
    given = dict.fromkeys(shares, 0)
    order = []
    for turn in range(1, count + 1):
        region = max(shares, key=lambda one: shares[one] * turn - given[one])
        given[region] += 1
        order.append(region)
    return order


def _make_sites(count: int, business_groups: list[str], founded: date) -> list[Entity]:
    order = sorted(_spread(count, {"JP": 0.80, "AM": 0.05, "EU": 0.05, "CN": 0.05, "AS": 0.05}), key=REGIONS.index)
    sites, used = [], dict.fromkeys(REGIONS, 0)
    for n, region in enumerate(order, 1):
        cities, turn = CITIES[region], used[region]
        used[region] += 1
        country, city_ja, city_en = cities[turn % len(cities)]
        lap = turn // len(cities)
        is_works = region == "JP" and turn % 3 == 0
        suffix_ja, suffix_en = (f"第{lap + 1}", f" No. {lap + 1}") if lap else ("", "")
        name_ja = f"{city_ja}{suffix_ja}{'工場' if is_works else '支店'}"
        name_en = f"{city_en}{suffix_en} {'Works' if is_works else 'Branch'}"
        group = business_groups[n % len(business_groups)]
        sites.append(
            Entity(f"ST-{n:04d}", name_ja, name_en, "site", country, group, (_always(founded, region, group),))
        )
    return sites


def _make_affiliates(count: int, business_groups: list[str], founded: date, rng: np.random.Generator) -> list[Entity]:
    order = sorted(_spread(count, {"JP": 0.34, "AS": 0.20, "EU": 0.18, "AM": 0.15, "CN": 0.13}), key=REGIONS.index)
    affiliates, used = [], dict.fromkeys(REGIONS, 0)
    mark_days = (MARK_YEARS_LAST - MARK_YEARS_FIRST).days
    for n, region in enumerate(order, 1):
        turn = used[region]
        used[region] += 1
        group = business_groups[n % len(business_groups)]
        entity = Entity(
            f"AF-{n:04d}", *_affiliate_name(region, turn), "affiliate", _country(region, turn), group,
            (_always(founded, region, group),),
        )  # fmt: skip
        mark_until = MARK_YEARS_FIRST + timedelta(days=int(rng.integers(mark_days)))
        # Four of five affiliates in Japan hold the PrivacyMark.
        if region == "JP" and turn % 5 != 4:
            entity = replace(entity, mark_number=f"9900{n:04d}({2 + int(rng.integers(8)):02d})", mark_until=mark_until)
        affiliates.append(entity)
    return affiliates


def _country(region: str, turn: int) -> str:
    return "JP" if region == "JP" else COUNTRIES[region][turn % len(COUNTRIES[region])][0]


def _affiliate_name(region: str, turn: int) -> tuple[str, str]:
    """Japanese and English name of the affiliate that is the given one of its region, from 0."""
    if region == "JP":
        lap, place = divmod(turn, len(AFFILIATES_JA))
        ja, en = AFFILIATES_JA[place]
        return f"青嶺{ja}{lap + 1 if lap else ''}株式会社", f"Aomine {en}{f' {lap + 1}' if lap else ''} Co., Ltd."
    lap, place = divmod(turn, len(COUNTRIES[region]))
    code, country_ja, country_en = COUNTRIES[region][place]
    again, trade = divmod(lap + place, len(TRADES))
    trade_ja, trade_en = TRADES[trade]
    number = again - (place // len(TRADES))
    suffix = f" {number + 1}" if number > 0 else ""
    return f"青嶺{trade_ja}({country_ja}){suffix}", f"Aomine {trade_en} ({country_en}){suffix} {LEGAL_FORMS[code]}"


def _cast(
    entities: list[Entity], business_groups: list[str], rounds: tuple[Round, ...], without: frozenset[str]
) -> Group:
    """Give out the parts of the stories, changing the entities' validity where a story is about it."""
    roles: dict[str, tuple[int, ...]] = {}
    empty: dict[str, str] = {}
    taken: set[int] = set()
    first_day = rounds[0].first

    def give(role: str, regions: tuple[str, ...], starts: date | None, needs_mark: bool = False) -> None:
        if starts is not None and starts <= first_day:
            empty[role] = f"it happens on {starts} and the first round begins on {first_day}"
            return
        for region in regions:
            free = [
                place
                for place, one in enumerate(entities)
                if one.kind == "affiliate" and one.intervals[0].region == region and place not in taken
                and bool(one.mark_number) >= needs_mark
            ]  # fmt: skip
            # One affiliate of each region stays out of all stories.
            if len(free) >= 2 or (needs_mark and free):
                roles[role] = (free[len(free) // 2],)
                taken.add(free[len(free) // 2])
                return
        empty[role] = f"there are too few affiliates in {', '.join(regions)}"

    give("corrected", ("JP",), None)
    give("lapsed", ("JP",), None, needs_mark=True)
    give("moved_region", ("AS",), MOVED_REGION_ON)
    give("acquired", ("AM", "EU"), ACQUIRED_ON)
    give("sold", ("EU", "AM"), SOLD_ON)
    give("copycat", ("CN", "EU", "AM"), None)
    give("moved_business_group", ("JP", "EU", "AM"), MOVED_BUSINESS_GROUP_ON)
    sites = [place for place, one in enumerate(entities) if one.kind == "site"]
    if len(sites) >= 8 and len(rounds) >= 4:
        roles["chronic"] = tuple(sites[len(sites) * part // 4] for part in range(3))
    else:
        empty["chronic"] = "it needs 8 sites and 4 rounds"
    if len(rounds) < 3:
        roles.pop("copycat", None)
        empty["copycat"] = "it needs 3 rounds"

    told = entities.copy()

    def change(role: str, **attributes: object) -> None:
        if role in roles:
            place = roles[role][0]
            told[place] = replace(told[place], **attributes)  # type: ignore[arg-type]

    def intervals(role: str) -> Interval | None:
        return entities[roles[role][0]].intervals[0] if role in roles else None

    if whole := intervals("acquired"):
        change("acquired", intervals=(replace(whole, first=ACQUIRED_ON),))
    if whole := intervals("sold"):
        change("sold", intervals=(replace(whole, last=SOLD_ON - timedelta(days=1)),))
    if whole := intervals("moved_region"):
        before = replace(whole, last=MOVED_REGION_ON - timedelta(days=1))
        change("moved_region", intervals=(before, replace(whole, first=MOVED_REGION_ON, region="CN")))
    if whole := intervals("moved_business_group"):
        before = replace(whole, last=MOVED_BUSINESS_GROUP_ON - timedelta(days=1))
        next_group = business_groups[(business_groups.index(whole.business_group) + 1) % len(business_groups)]
        after = replace(whole, first=MOVED_BUSINESS_GROUP_ON, business_group=next_group)
        change("moved_business_group", intervals=(before, after))
    change("lapsed", mark_until=LAPSED_ON)
    left_out = {place for role, places in roles.items() if STORY_BY_ROLE[role] in without for place in places}
    empty |= {role: LEFT_OUT for role, story in STORY_BY_ROLE.items() if story in without}
    kept = tuple(entities[place] if place in left_out else one for place, one in enumerate(told))
    return Group(kept, tuple(told), roles, empty, without)
