"""The demo group's checklists: items of every version, and what became of each in the next version."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

AUTHORED = Path(__file__).resolve().parents[2] / "data" / "reference" / "demo_checklist.csv"
MEASURES = ("organizational", "human", "physical", "technological")
MEASURE_NAMES_JA = {"organizational": "組織的", "human": "人的", "physical": "物理的", "technological": "技術的"}
SECURITY = "SEC"
PRIVACY = "PMS"
VERSIONS = ("2020", "2023")
CHANGES = ("split", "merged", "new", "dropped", "reworded", "carried_over")


@dataclass(frozen=True, slots=True)
class Item:
    """A requirement as one checklist version words it; `requirement` is its column in the latent arrays."""

    requirement: int
    code: str
    text_ja: str
    text_en: str
    domain: str
    measure: str
    category_code: str
    category_ja: str
    category_en: str
    weight: int
    is_critical: bool
    regulation_ref: str
    control_ref: str


@dataclass(frozen=True, slots=True)
class Edition:
    """A version of a checklist."""

    checklist: str
    version: str
    items: tuple[Item, ...]

    @property
    def requirements(self) -> NDArray[np.intp]:
        """Column of each item in the latent arrays; shape (items,)."""
        return np.array([item.requirement for item in self.items], dtype=np.intp)

    @property
    def weights(self) -> NDArray[np.int64]:
        """Weight of each item; shape (items,)."""
        return np.array([item.weight for item in self.items], dtype=np.int64)

    @property
    def is_critical(self) -> NDArray[np.bool_]:
        """Whether each item is critical; shape (items,)."""
        return np.array([item.is_critical for item in self.items], dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Link:
    """What became of an item from one version to the next; an empty code is a new or a dropped item."""

    from_code: str
    to_code: str
    change: str


@dataclass(frozen=True, slots=True)
class Checklists:
    """Both versions of the security checklist with their lineage, and the privacy audit's checklist."""

    security: dict[str, Edition]
    privacy: Edition
    links: tuple[Link, ...]
    requirement_count: int

    @property
    def editions(self) -> tuple[Edition, ...]:
        """Every checklist version, oldest first."""
        return (*self.security.values(), self.privacy)

    @property
    def categories(self) -> tuple[tuple[str, str], ...]:
        """Names (ja, en) of all categories, each once."""
        names = {item.category_code: (item.category_ja, item.category_en) for e in self.editions for item in e.items}
        return tuple(names.values())


@dataclass(frozen=True, slots=True)
class _Authored:
    """A row of the authored file, possibly a varied copy of it."""

    row: dict[str, str]
    copy: int = 0

    def is_in(self, version: str) -> bool:
        return self.row["versions"] in (version, "both")

    @property
    def change(self) -> str:
        return "carried_over" if self.copy else self.row["change"]


def make_checklists(item_count: int) -> Checklists:
    """Checklists whose newest security version has the given number of items."""
    if item_count < 4:
        raise ValueError(f"items must be at least 4, one for each measure; it is {item_count}")
    with AUTHORED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = _choose([_Authored(row) for row in rows if row["checklist_code"] == SECURITY], item_count)
    chosen.sort(key=lambda one: MEASURES.index(one.row["measure"]))
    security = {version: Edition(SECURITY, version, _number(chosen, version)) for version in VERSIONS}
    privacy = [_Authored(row) for row in rows if row["checklist_code"] == PRIVACY]
    items = tuple(_item(place, one, one.row["item_code"], is_earlier=False) for place, one in enumerate(privacy))
    return Checklists(
        security, Edition(PRIVACY, privacy[0].row["versions"], items), _link(chosen, security), len(chosen)
    )


def _choose(rows: list[_Authored], count: int) -> list[_Authored]:
    """Rows so that the newest version has `count` items: fewer spread over the categories, more as varied copies."""
    newest = [one for one in rows if one.is_in(VERSIONS[-1])]
    if count >= len(newest):
        copies = [
            _Authored(one.row | {"versions": "both"}, copy)
            for copy in range(1, -(-count // len(newest)))
            for one in newest
        ]
        return rows + copies[: count - len(newest)]
    units: dict[str, list[_Authored]] = {}
    for place, one in enumerate(rows):
        units.setdefault(one.row["link"] or str(place), []).append(one)
    by_category: dict[str, list[list[_Authored]]] = {}
    for unit in units.values():
        by_category.setdefault(unit[0].row["category_code"], []).append(unit)
    # After the first unit of a category come those that the revision changed, so that a small checklist has them too.
    for code, found in by_category.items():
        by_category[code] = found[:1] + sorted(found[1:], key=lambda unit: CHANGES.index(unit[0].change))
    depth = max(map(len, by_category.values()))
    # First units of all categories, then second ones; within a turn the measures alternate.
    turns = sorted(by_category, key=lambda code: (code[1:], MEASURES.index(by_category[code][0][0].row["measure"])))
    kept: list[_Authored] = []
    size = 0
    for turn in range(depth):
        for code in turns:
            unit = by_category[code][turn] if turn < len(by_category[code]) else []
            grows = sum(one.is_in(VERSIONS[-1]) for one in unit)
            if unit and size < count and size + grows <= count:
                kept += unit
                size += grows
    return [one for one in rows if one in kept]


def _number(rows: list[_Authored], version: str) -> tuple[Item, ...]:
    """Items of a version; their codes count within the measure, so that 1.1 and 1.10 are different items."""
    items: list[Item] = []
    seen = dict.fromkeys(MEASURES, 0)
    for requirement, one in enumerate(rows):
        if one.is_in(version):
            measure = one.row["measure"]
            seen[measure] += 1
            code = f"{MEASURES.index(measure) + 1}.{seen[measure]}"
            items.append(_item(requirement, one, code, is_earlier=version == VERSIONS[0]))
    return tuple(items)


def _item(requirement: int, one: _Authored, code: str, is_earlier: bool) -> Item:
    row = one.row
    item = Item(
        requirement=requirement,
        code=code,
        text_ja=row["text_ja"],
        text_en=row["text_en"],
        domain=row["domain"],
        measure=row["measure"],
        category_code=row["category_code"],
        category_ja=row["category_ja"],
        category_en=row["category_en"],
        weight=int(row["weight"]),
        is_critical=row["is_critical"] == "1",
        regulation_ref=row["regulation_ref"],
        control_ref=row["control_ref"],
    )
    if one.copy:
        suffix = one.copy + 1
        return replace(item, text_ja=f"{item.text_ja}({suffix})", text_en=f"{item.text_en} ({suffix})")
    if is_earlier and row["earlier_text_ja"]:
        return replace(item, text_ja=row["earlier_text_ja"], text_en=row["earlier_text_en"])
    return item


def _link(rows: list[_Authored], security: dict[str, Edition]) -> tuple[Link, ...]:
    old, new = ({item.requirement: item.code for item in security[version].items} for version in VERSIONS)
    groups: dict[str, tuple[list[str], list[str]]] = {}
    for requirement, one in enumerate(rows):
        if one.row["link"] and not one.copy:
            befores, afters = groups.setdefault(one.row["link"], ([], []))
            befores += [old[requirement]] if requirement in old else []
            afters += [new[requirement]] if requirement in new else []
    links = []
    for requirement, one in enumerate(rows):
        if one.change in ("split", "merged"):
            befores, afters = groups[one.row["link"]]
            # Both ends of a split or merged item stand in the file; the newer ones carry the links.
            if requirement in new:
                links += [Link(before, new[requirement], one.change) for before in befores]
        else:
            links.append(Link(old.get(requirement, ""), new.get(requirement, ""), one.change))
    return tuple(links)
