"""Rounds on the marks of cube_item: what two periods share per entity, and the score of every item of a half.

A row of marks stands for 63 entities, so that rounds of millions of answers are set side by side by whole columns of
bits. Aliases of tables are those of metrics/facts.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metrics.catalog import DIMENSIONS
from metrics.compile import BITS
from metrics.facts import known
from metrics.query import Filters, Scope, period_column
from metrics.rounds import HALF, Asked, from_inspections, hold, list_problems, read, refuse, write_tables
from metrics.warehouse import Warehouse

SETS: Final = ("all", "asked", "answered", "applicable")
"""Sets of an entity's answers, each within the one before: all, those to items asked in both rounds, answered in both
(not applicable included), and applicable and answered in both."""
SIDES: Final = ("before", "after")
PARTS: Final = ("numerator", "denominator")
SCORES: Final = {"met": 1.0, "partly_met": 0.5, "not_met": 0.0}
"""What a verdict scores where an answer has no score of its own."""
DIGITS: Final = 9
"""Digits that sums of weights are told to: those of parts that add up in another order differ by less."""

Marks = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MatchQuery:
    """Two periods of one length, whose answers are set side by side per entity."""

    before: str
    after: str
    filters: Filters = field(default_factory=Filters)
    known_at: datetime | None = None
    scope: Scope = field(default_factory=Scope)

    def __post_init__(self) -> None:
        problems = list_problems(self.filters, self.known_at)
        columns = {period_column(code) for code in (self.before, self.after)}
        if None in columns or len(columns) > 1:
            problems.append(f"'{self.before}' and '{self.after}' are no two periods of one length")
        elif self.before == self.after:
            problems.append(f"'{self.before}' is set beside itself")
        refuse(problems)


@dataclass(frozen=True, slots=True)
class ScoresQuery:
    """The scores of one half."""

    half: str
    filters: Filters = field(default_factory=Filters)
    known_at: datetime | None = None
    scope: Scope = field(default_factory=Scope)

    def __post_init__(self) -> None:
        problems = list_problems(self.filters, self.known_at)
        refuse([*problems, *([f"'{self.half}' is no half"] if period_column(self.half) != HALF else [])])


def match_rounds(warehouse: Warehouse, query: MatchQuery) -> pd.DataFrame:
    """Sums of weight × score and of weights per entity, of each of SETS on both sides.

    One row per entity with anything on either side: entity, region, business_group and entity_kind (of the later side
    where it has one), and `<set>_numerator_<side>`, `<set>_denominator_<side>`; 0 where there is nothing.
    """
    column = DIMENSIONS[str(period_column(query.before))].column
    periods = {"before": _period_value(query.before), "after": _period_value(query.after)}
    held = _hold(query, f"{column} in ($before, $after)", f"case when {column} = $after then 1 else 0 end")
    rows = read(warehouse, query, f"{held},\n{PLACE}\n{MARKS}", periods, is_long=True)
    entities = read(warehouse, query, f"{held}\n{ENTITIES}", periods)
    blocks, block = np.unique(rows["block"].to_numpy(np.int64), return_inverse=True)
    # An entity without any answer is in no block, and -1 is the last one, which is empty.
    place = pd.Index(blocks).get_indexer(entities["entity_no"] - entities["entity_no"] % BITS)
    bit = (entities["entity_no"] % BITS).to_numpy()
    asked, sums = _sum_sets(rows, block, len(blocks) + 1)
    frame = entities.drop(columns="entity_no").assign(
        **{name: np.round(values[place, bit], DIGITS) for name, values in sums.items()}
    )
    return frame[asked[place, bit]].reset_index(drop=True)


def read_scores(warehouse: Warehouse, query: ScoresQuery) -> pd.DataFrame:
    """One row per entity and item lineage with a score in the half: entity and item_lineage (categories) and score.

    Of several answers of an entity to an item the worst counts.
    """
    half = {"half": query.half}
    held = _hold(query, "f.fiscal_half = $half", "0")
    rows = read(warehouse, query, f"{held},\n{PLACE}\n{MARKS}", half, is_long=True)
    entities = read(warehouse, query, f"{held}\n{ENTITIES}", half)
    tables = f"with {write_tables(query.filters, query.scope)}"
    lines = read(
        warehouse, query, f"{tables}\nselect distinct lineage_no, lineage_code from part order by lineage_no", {}
    )
    blocks, block = np.unique(rows["block"].to_numpy(np.int64), return_inverse=True)
    scores = np.full((len(blocks), len(lines), BITS), np.inf)
    cells = block, rows["lineage_no"].to_numpy() - 1
    worst = np.full((len(rows), BITS), np.inf)
    for verdict, score in SCORES.items():
        given = rows["own_score"].fillna(score).to_numpy(np.float64)
        np.minimum(worst, np.where(unpack(rows[verdict]), given[:, None], np.inf), out=worst)
    np.minimum.at(scores, cells, worst)
    place, line, bit = np.nonzero(np.isfinite(scores))
    entity = pd.Index(entities["entity_no"]).get_indexer(blocks[place] + bit)
    return pd.DataFrame(
        {
            "entity": pd.Categorical.from_codes(entity, entities["entity"]),
            "item_lineage": pd.Categorical.from_codes(line, lines["lineage_code"]),
            "score": scores[place, line, bit],
        }
    )


def _hold(query: Asked, condition: str, side: str) -> str:
    """Tables of entities, items and inspections, of which each is on a side (0 or 1)."""
    return f"""with {write_tables(query.filters, query.scope)},
held as (
    select k.block_no, k.mark, k.entity_no, e.entity_code, e.region_code, e.business_group_code, e.entity_kind,
        f.inspection_type, {side} as side
    {from_inspections(query.filters)}
    join brg_inspection_block k on k.inspection_id = f.inspection_id
    {hold(query, "fex", condition, with_periods=False)}
)"""


ENTITIES: Final = """select entity_no, entity_code as entity, region_code as region, business_group_code as business_group,
    entity_kind
from (
    select *, row_number() over (partition by entity_no order by side desc, region_code, business_group_code) as place_no
    from held
) h
where place_no = 1
order by entity_code"""

PLACE: Final = f"""place as (
    select side, block_no, dense_rank() over (order by inspection_type) as type_no, entity_no - entity_no % {BITS} as block,
        bit_or(mark) as mask
    from held
    group by side, block_no, inspection_type, entity_no - entity_no % {BITS}
)"""

MARKS: Final = f"""select
    p.side, p.type_no, q.lineage_no, p.block, q.weight, a.own_score, a.met_marks & p.mask as met,
    a.partly_met_marks & p.mask as partly_met, a.not_met_marks & p.mask as not_met,
    a.not_applicable_marks & p.mask as not_applicable, a.not_answered_marks & p.mask as not_answered
from cube_item a
join place p on p.block_no = a.block_no
join part q on q.item_id = a.item_id
where {known("a")}
order by p.block, p.side"""


def _sum_sets(rows: pd.DataFrame, block: NDArray[np.intp], blocks: int) -> tuple[NDArray[np.bool_], dict[str, Floats]]:
    """Which entities were asked anything, and the sums of every set and side, each of shape (blocks, BITS)."""
    has = {"applicable": _unite(rows, *SCORES)}
    has["answered"] = has["applicable"] | rows["not_applicable"].to_numpy(np.int64)
    has["asked"] = has["answered"] | rows["not_answered"].to_numpy(np.int64)
    side = rows["side"].to_numpy()
    cell, cells = _number_cells(rows)
    within: dict[str, Marks] = {"all": np.full(len(rows), -1, np.int64)}
    for name in SETS[1:]:
        sides: list[Marks] = []
        for number, _ in enumerate(SIDES):
            marks: Marks = np.zeros(cells, np.int64)
            np.bitwise_or.at(marks, cell[side == number], has[name][side == number])
            sides.append(marks)
        within[name] = (sides[0] & sides[1])[cell]
    asked = np.zeros((blocks, BITS), bool)
    sums = {f"{name}_{part}_{one}": np.zeros((blocks, BITS)) for name in SETS for part in PARTS for one in SIDES}
    # Rows stand by block and side, so that each of these is one stretch of them.
    ends = np.flatnonzero(np.diff(block * 2 + side, prepend=-1, append=-1))
    weights = rows["weight"].to_numpy(np.float64)
    marks_of = {verdict: rows[verdict].to_numpy(np.int64) for verdict in SCORES}
    given_for = {verdict: rows["own_score"].fillna(score).to_numpy(np.float64) for verdict, score in SCORES.items()}
    for begin, end in pairwise(ends):
        place, one = block[begin], SIDES[side[begin]]
        weight = weights[begin:end]
        asked[place] |= unpack(has["asked"][begin:end]).any(axis=0)
        for name in SETS:
            marks = within[name][begin:end]
            for verdict, own in marks_of.items():
                bits = unpack(own[begin:end] & marks).astype(np.float64)
                both = np.stack((weight * given_for[verdict][begin:end], weight)) @ bits
                sums[f"{name}_numerator_{one}"][place] += both[0]
                sums[f"{name}_denominator_{one}"][place] += both[1]
    return asked, sums


def _number_cells(rows: pd.DataFrame) -> tuple[NDArray[np.intp], int]:
    """The cell of each row, an item lineage in a block of entities in inspections of a type, and how many there are."""
    keys = rows[["type_no", "lineage_no", "block"]].to_numpy(np.int64)
    sizes = keys.max(axis=0, initial=0) + 1
    cell, cells = pd.factorize((keys[:, 0] * sizes[1] + keys[:, 1]) * sizes[2] + keys[:, 2])
    return cell, len(cells)


def _unite(rows: pd.DataFrame, *names: str) -> Marks:
    united: Marks = np.bitwise_or.reduce([rows[name].to_numpy(np.int64) for name in names])
    return united


def unpack(marks: Any) -> NDArray[np.bool_]:
    """Marks as flags of shape (marks, BITS), the first entity first."""
    octets = np.asarray(marks, dtype="<i8").view(np.uint8).reshape(-1, 8)
    return np.unpackbits(octets, axis=1, bitorder="little")[:, :BITS].astype(bool)


def find_bits(marks: Marks) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Every bit that is set: the place of its mark, and its number in it."""
    flags = np.unpackbits(np.asarray(marks, dtype="<i8").view(np.uint8), bitorder="little")
    places = np.flatnonzero(flags.view(np.bool_))
    return places >> 6, places & 63


def _period_value(code: str) -> str | int:
    return int(code[2:]) if period_column(code) == "fiscal_year" else code
