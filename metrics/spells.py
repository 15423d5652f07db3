"""Spells in which an entity did not meet an item, followed through all rounds for 63 entities at a time.

Every answer of every round counts for where a spell begins and ends. Marks of cube_item hold those of 63 entities in one
number, so that rounds are gone through in order with a few operations on numbers for the whole group: what is counted
for each entity (rounds, the first half …) is kept as bit planes, of which plane i holds bit i of 63 counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import numpy as np
import pandas as pd

from metrics.compile import BITS
from metrics.facts import known
from metrics.matching import find_bits
from metrics.query import Filters, Scope
from metrics.rounds import from_inspections, hold, list_problems, read, refuse, write_tables
from metrics.warehouse import Warehouse

SPELL_DIMENSIONS: Final = ("entity", "region", "entity_kind", "item_lineage", "measure", "category")
OF_VISIT: Final = ("entity", "region", "entity_kind", "inspection_type")
OF_ITEM: Final = ("item_lineage", "measure", "category", "is_critical")
FACTS: Final = ("rounds", "not_met_rounds", "is_fixed", "is_current", "is_from_start")
LISTED: Final = (
    "entity", "region", "entity_kind", "item_lineage", "measure", "category", "inspection_type", "is_critical", "since", "last",
)  # fmt: skip
Marks = np.ndarray[Any, np.dtype[np.int64]]
Numbers = np.ndarray[Any, np.dtype[np.int64]]
Part = tuple[str, Any, int]
"""A column of a combined number: its name, its values where it is not a number itself, and how many there can be."""


@dataclass(frozen=True, slots=True)
class SpellsQuery:
    """Spells in which an entity did not meet an item: halves in a row whose answer is partly met or not met.

    Counted by dimensions of SPELL_DIMENSIONS, or listed one by one where `by` is None. Periods of the filters hold the
    end: a spell goes back as far as there are answers.
    """

    by: tuple[str, ...] | None = None
    least_not_met: int = 0
    only_current: bool = False
    filters: Filters = field(default_factory=Filters)
    known_at: datetime | None = None
    scope: Scope = field(default_factory=Scope)

    def __post_init__(self) -> None:
        problems = list_problems(self.filters, self.known_at)
        problems += [f"spells are not counted by '{name}'" for name in self.by or () if name not in SPELL_DIMENSIONS]
        refuse(problems)


def read_spells(warehouse: Warehouse, query: SpellsQuery) -> pd.DataFrame:
    """Spells of an entity and item without `met`: one row each, or their number by the dimensions asked for.

    Listed: entity, inspection_type, item_lineage, measure, category, is_critical, region, entity_kind, since and last
    (halves). Counted: the dimensions and `spells`. Both: rounds (answered halves of the spell), not_met_rounds,
    is_fixed (the next answer is met), is_current (the newest answer is in it, the entity is in the group
    and its newest inspection asks the item), is_from_start (it began with the first
    answer there is, so that its beginning is not known). Halves without an answer are passed over; an item that no
    longer applies ends its spell without being fixed. Of several answers of one half the worst counts, and one that
    does not apply only where there is no other.
    """
    return read_spells_together(warehouse, [query])[0]


def read_spells_together(warehouse: Warehouse, queries: Sequence[SpellsQuery]) -> list[pd.DataFrame]:
    """The same for questions that are held to the same filters, moment and scope, from one reading of the rounds."""
    query = queries[0]
    assert all(
        replace(one, by=query.by, least_not_met=query.least_not_met, only_current=query.only_current) == query
        for one in queries
    )
    tables = f"with {write_tables(query.filters, query.scope)},\n{_held(query)}"
    rounds = _Rounds(
        read(warehouse, query, f"{tables}\n{VISITS}", {}),
        read(warehouse, query, f"{tables}\n{ITEMS}", {}),
        read(warehouse, query, f"{tables}\nselect distinct half_no, fiscal_half from held order by half_no", {}),
        read(warehouse, query, f"{tables},\n{PLACE}\n{MARKS}", {}, is_long=True),
    )
    return [rounds.tell(one, found) for one, found in zip(queries, rounds.follow(queries), strict=True)]


def _held(query: SpellsQuery) -> str:
    """Inspections with numbers for their type and half; of each entity and type the newest one, while it is in the group."""
    return f"""held as (
    select k.block_no, k.mark, k.entity_no, f.inspection_type, f.fiscal_half, f.reference_on, e.entity_code,
        e.region_code, e.entity_kind, max(e.valid_to) over (partition by e.entity_id) as valid_to,
        dense_rank() over (order by f.inspection_type) - 1 as type_no,
        dense_rank() over (order by f.fiscal_half) - 1 as half_no
    {from_inspections(query.filters)}
    join brg_inspection_block k on k.inspection_id = f.inspection_id
    {hold(query, "fex", "f.fiscal_half is not null", without_beginning=True)}
),
newest as (
    select type_no, entity_no, max(half_no) as half_no
    from held
    group by type_no, entity_no
    having max(valid_to) > (select max(reference_on) from held)
)"""


VISITS: Final = """select type_no, entity_no, inspection_type, entity_code as entity, region_code as region, entity_kind
from (
    select *, row_number() over (partition by type_no, entity_no order by half_no desc, region_code) as place_no
    from held
) h
where place_no = 1"""

ITEMS: Final = """select lineage_no, lineage_code as item_lineage, measure, category_code as category, is_critical
from (
    select *, row_number() over (partition by lineage_no order by checklist_version desc, item_id) as version_no
    from part
) q
where version_no = 1"""

PLACE: Final = f"""place as (
    select
        h.block_no, h.type_no, h.half_no, h.entity_no - h.entity_no % {BITS} as block, bit_or(h.mark) as mask,
        bit_or(case when n.entity_no is not null then h.mark else cast(0 as bigint) end) as newest_mask
    from held h
    left join newest n on n.type_no = h.type_no and n.entity_no = h.entity_no and n.half_no = h.half_no
    group by h.block_no, h.type_no, h.half_no, h.entity_no - h.entity_no % {BITS}
)"""

MARKS: Final = f"""select
    cast(p.type_no as integer) as type_no, cast(q.lineage_no as integer) as lineage_no, p.block,
    cast(p.half_no as smallint) as half_no, a.not_met_marks & p.mask as not_met, a.partly_met_marks & p.mask as partly_met,
    a.met_marks & p.mask as met, a.not_applicable_marks & p.mask as not_applicable,
    (a.met_marks | a.partly_met_marks | a.not_met_marks | a.not_applicable_marks | a.not_answered_marks)
        & p.newest_mask as asked
from cube_item a
join place p on p.block_no = a.block_no
join part q on q.item_id = a.item_id
where {known("a")}"""


class _Rounds:
    """Every answer of every round, as marks; a cell is a type, a lineage and a block of entities."""

    def __init__(self, visits: pd.DataFrame, items: pd.DataFrame, halves: pd.DataFrame, marks: pd.DataFrame) -> None:
        self.visits, self.items, self.halves = visits, items, halves
        lines, blocks = len(items) + 1, int(marks["block"].max() if len(marks) else 0) + 1
        keys = marks["type_no"].to_numpy(np.int64) * lines + marks["lineage_no"].to_numpy(np.int64)
        self.places, cells = pd.factorize(keys * blocks + marks["block"].to_numpy(np.int64))
        line, self.block = np.divmod(cells, blocks)
        self.type_no, lineage = np.divmod(line, lines)
        self.item = pd.Index(items["lineage_no"]).get_indexer(lineage)
        numbers = visits[["type_no", "entity_no"]].to_numpy(np.intp)
        self.visit_at = np.zeros(numbers.max(axis=0, initial=0) + 1, np.intp)
        self.visit_at[numbers[:, 0], numbers[:, 1]] = np.arange(len(visits))
        self.planes = max(len(halves), 1).bit_length()
        self.facts: list[Part] = [(name, None, 2 if name.startswith("is_") else 1 << self.planes) for name in FACTS]
        order = np.argsort(marks["half_no"].to_numpy(np.int16), kind="stable")
        sizes = np.bincount(marks["half_no"].to_numpy(np.int16), minlength=len(halves))
        self.rows_of_halves = np.split(order, np.cumsum(sizes)[:-1])
        names = ("not_met", "partly_met", "met", "not_applicable", "asked")
        self.marks = {name: marks[name].to_numpy(np.int64) for name in names}

    def tell(self, query: SpellsQuery, found: list[dict[str, Numbers]]) -> pd.DataFrame:
        """The spells that a question is about."""
        if query.by is not None:
            return self.count(query.by, found)
        spells = {name: np.concatenate([one[name] for one in found]) for name in found[0]}
        visit, item = self.find_visits(spells["cell"], spells["bit"]), self.item[spells["cell"]]
        halves = self.halves["fiscal_half"]
        columns = {name: self.visits[name].take(visit).array for name in OF_VISIT}
        columns |= {name: self.items[name].take(item).array for name in OF_ITEM}
        columns |= {"since": halves.take(spells["first"]).array, "last": halves.take(spells["last"]).array}
        columns |= dict(_decode(spells["facts"], self.facts))
        frame = pd.DataFrame({name: columns[name] for name in (*LISTED, *FACTS)})
        return frame.sort_values(["entity", "item_lineage", "inspection_type", "since"], ignore_index=True)

    def count(self, by: Sequence[str], found: list[dict[str, Numbers]]) -> pd.DataFrame:
        """How many spells have the same dimension values and facts, in the order of both."""
        of_visit, of_item = np.zeros(len(self.visits), np.int64), np.zeros(len(self.items), np.int64)
        parts, size = self.facts, math.prod(size for _, _, size in self.facts)
        for name in reversed(by):
            frame, keys = (self.visits, of_visit) if name in OF_VISIT else (self.items, of_item)
            codes, values = pd.factorize(frame[name], sort=True)
            # What has no value comes last.
            keys += np.where(codes < 0, len(values), codes) * size
            parts, size = [(name, values, len(values) + 1), *parts], size * (len(values) + 1)
        # One number per spell, half by half, as there may be millions of them.
        of_cell = of_item[self.item]
        keys_of_halves = [of_cell[one["cell"]] + one["facts"] for one in found]
        if of_visit.any():
            for keys, one in zip(keys_of_halves, found, strict=True):
                keys += of_visit[self.find_visits(one["cell"], one["bit"])]
        numbers, keys = pd.factorize(np.concatenate(keys_of_halves), sort=True)
        columns = dict(_decode(keys, parts)) | {"spells": np.bincount(numbers, minlength=len(keys))}
        return pd.DataFrame({name: columns[name] for name in (*by, *FACTS, "spells")})

    def find_visits(self, cells: Numbers, bits: Numbers) -> Numbers:
        """Rows of the visits of entities."""
        visits: Numbers = self.visit_at[self.type_no[cells], self.block[cells] + bits]
        return visits

    def follow(self, queries: Sequence[SpellsQuery]) -> list[list[dict[str, Numbers]]]:
        """Spells of each question as they end, half by half, as `_Spells` collects them."""
        spells = _Spells(len(self.block), self.planes, with_halves=any(one.by is None for one in queries))
        nobody = np.zeros(len(self.block), np.int64)
        ended: list[list[dict[str, Numbers]]] = [[] for _ in queries]
        for half, rows in enumerate(self.rows_of_halves):
            seen = {name: self._spread(name, rows) for name in ("not_met", "partly_met", "met", "not_applicable")}
            unmet = seen["not_met"] | seen["partly_met"]
            over = spells.open & (seen["met"] | seen["not_applicable"]) & ~unmet
            for query, found in zip(queries, ended, strict=True):
                if not query.only_current and over.any():
                    found.append(spells.collect(query, over, seen["met"], nobody))
            spells.go_on(half, unmet, seen["not_met"], unmet | seen["met"] | seen["not_applicable"], over)
        asked = self._spread("asked", np.flatnonzero(self.marks["asked"]))
        for query, found in zip(queries, ended, strict=True):
            left = spells.open & asked if query.only_current else spells.open
            found.append(spells.collect(query, left, nobody, asked))
        return ended

    def _spread(self, name: str, rows: Numbers) -> Marks:
        """Marks by cell; several rows of one are united."""
        spread = np.zeros(len(self.block), np.int64)
        places, marks = self.places[rows], self.marks[name][rows]
        spread[places] = marks
        # Mostly a cell has one row, and what was written last is all that there is.
        if (spread[places] != marks).any():
            np.bitwise_or.at(spread, places, marks)
        return spread


class _Spells:
    """The spells that are open, and what is known of each: bits and bit planes of every cell."""

    def __init__(self, cells: int, planes: int, *, with_halves: bool) -> None:
        self.open, self.seen, self.from_start = (np.zeros(cells, np.int64) for _ in range(3))
        self.rounds, self.not_met, self.first, self.last = (
            [np.zeros(cells, np.int64) for _ in range(number)]
            for number in (planes, planes, planes * with_halves, planes * with_halves)
        )

    def go_on(self, half: int, unmet: Marks, not_met: Marks, answered: Marks, over: Marks) -> None:
        """Take in a half: which entities answered, which not as they should, and whose spell is over."""
        begun = unmet & ~self.open
        for plane in (*self.rounds, *self.not_met):
            plane &= ~begun
        self.from_start = self.from_start & ~begun | begun & ~self.seen
        _set(self.first, begun, half)
        _set(self.last, unmet, half)
        _add(self.rounds, unmet)
        _add(self.not_met, not_met)
        self.open = (self.open | unmet) & ~over
        self.seen |= answered

    def collect(self, query: SpellsQuery, ended: Marks, fixed: Marks, current: Marks) -> dict[str, Numbers]:
        """Cell, bit and FACTS (in one number) of spells of these bits; of those that are listed, both halves too."""
        cells, bits = find_bits(ended & _reach(self.not_met, query.least_not_met))
        # FACTS from the last to the first, as the first counts most in a number.
        told = {"facts": [self.from_start, current, fixed, *self.not_met, *self.rounds]}
        told |= {"first": self.first, "last": self.last} if query.by is None else {}
        return {"cell": cells, "bit": bits} | {name: _tell(planes, cells, bits) for name, planes in told.items()}


def _set(planes: list[Marks], marks: Marks, number: int) -> None:
    for place, plane in enumerate(planes):
        if number >> place & 1:
            plane |= marks
        else:
            plane &= ~marks


def _add(planes: list[Marks], marks: Marks) -> None:
    """One more where there is a bit."""
    carried = marks
    for place, plane in enumerate(planes):
        planes[place], carried = plane ^ carried, plane & carried


def _reach(planes: list[Marks], least: int) -> Marks:
    """Bits whose number is at least so much."""
    above = np.zeros_like(planes[0])
    equal = np.full_like(planes[0], -1)
    if least >> len(planes):
        return above
    for place, plane in reversed([*enumerate(planes)]):
        if not least >> place & 1:
            above |= equal & plane
        equal &= plane if least >> place & 1 else ~plane
    return above | equal


def _tell(planes: list[Marks], cells: Numbers, bits: Numbers) -> Numbers:
    numbers = np.zeros(len(cells), np.int64)
    for place, plane in enumerate(planes):
        numbers |= (plane[cells] >> bits & 1) << place
    return numbers


def _decode(keys: Numbers, parts: Sequence[Part]) -> Iterator[tuple[str, Any]]:
    """Columns of combined numbers, from the last to the first."""
    for name, values, size in reversed(parts):
        keys, numbers = np.divmod(keys, size)
        if values is not None:
            # The number after the last is that of no value.
            yield name, pd.Series(values).reindex(numbers).array
        else:
            yield name, numbers.astype(bool) if name.startswith("is_") else numbers
