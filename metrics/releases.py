"""Sums of entities that nobody may see one by one: they move in releases, and no arithmetic over releases undoes that.

What a release tells are sums over blocks of measures. A block is told anew only when at least k entities have a result
in it that no earlier release held. So in any combination of what was ever told, whatever is added to or taken from
what, the last block that takes part holds the results of k entities that nothing else can take away again: no
combination says anything of fewer than k entities. The same holds for thirds, each by a condition of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

ALL_MEASURES: Final = "all"
"""In place of a measure: all of them together."""
DOMINANT_SHARE: Final = 0.5
"""Share of a sum's weights above which one entity is as good as told by it: the (n, k) rule of dominance with one
entity and 50 % (Hundepool et al. 2012, Statistical Disclosure Control, Wiley, 4.2)."""
DIGITS: Final = 9
"""Sums are the same when they agree to so many digits: changes that cancel out leave a crumb in binary."""
THIRDS: Final = 3

FEW, DOMINANT, COMPLEMENTARY = "few", "dominant", "complementary"
"""Why a figure is withheld: fewer than k entities, one entity outweighs the others, or it would tell of one that is."""

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Block: TypeAlias = tuple[int, ...]
DAY_END: Final = timedelta(days=1, microseconds=-1)


@dataclass(frozen=True, slots=True)
class Sums:
    """Σ weight × score, Σ weight, and the number of entities behind them."""

    scored: float
    weight: float
    entities: int


@dataclass(frozen=True, slots=True)
class Release:
    """What is told from a moment on: sums by measure, why others are withheld, and the thirds with their moment."""

    released_at: datetime
    sums: Mapping[str, Sums]
    withheld: Mapping[str, str]
    thirds: Mapping[str, tuple[Sums, Sums, Sums]]
    thirds_at: datetime | None


def list_releases(changes: pd.DataFrame, least: int) -> list[Release]:
    """Every release of an inspection type and half, in order, from the changes of the entities to be protected.

    `changes` has entity, measure, changed_at, and scored and weight by which the sums changed. What changed on one day
    (UTC) comes together, at its end. The days up to one give the same releases whatever comes later.
    """
    return list(_Told(changes, least).release_all())


def explain_silence(changes: pd.DataFrame, least: int) -> dict[str, str]:
    """Why there is no release yet: all measures together, and each of them."""
    told = _Told(changes, least)
    for rows in told.days():
        told.apply(rows)
    return told.explain(
        told.now(), {ALL_MEASURES: told.everything, **{name: (no,) for no, name in enumerate(told.measures)}}
    )


class _Told:
    """State of the entities, two numbers of each and measure, and what was told of it so far."""

    def __init__(self, changes: pd.DataFrame, least: int) -> None:
        ordered = changes.sort_values("changed_at", kind="stable")
        self.least = least
        self.entity, entities = pd.factorize(ordered["entity"])
        self.measure, measures = pd.factorize(ordered["measure"], sort=True)
        self.measures = [str(name) for name in measures]
        self.added: Numbers = ordered[["scored", "weight"]].to_numpy(dtype=float).T
        self.at = ordered["changed_at"].dt.floor("D").to_numpy()
        self.state: Numbers = np.zeros((2, len(entities), len(measures)))
        self.told: list[Numbers] = []
        self.everything: Block = tuple(range(len(measures)))
        self.blocks: list[Block] = [self.everything]
        # The release that told a value first, as long as the entity keeps it; 0 where an earlier release held it too.
        self.since: npt.NDArray[np.int_] = np.zeros((len(entities), len(measures)), dtype=int)
        self.thirds: Mapping[str, tuple[Sums, Sums, Sums]] = {}
        self.thirds_no = 0
        self.thirds_at: datetime | None = None

    def days(self) -> Iterator[slice]:
        """The changes of each day, in order."""
        later = np.flatnonzero(self.at[1:] != self.at[:-1]) + 1
        for rows in np.split(np.arange(len(self.at)), later):
            if len(rows):
                yield slice(int(rows[0]), int(rows[-1]) + 1)

    def apply(self, rows: slice) -> None:
        """Let the changes of a day come to be known."""
        for sums, added in zip(self.state, self.added, strict=True):
            np.add.at(sums, (self.entity[rows], self.measure[rows]), added[rows])

    def now(self) -> Numbers:
        """Sums of each entity and measure; nothing where there is no weight."""
        state: Numbers = self.state.round(DIGITS)
        return np.where(state[1] != 0, state, 0.0)

    def release_all(self) -> Iterator[Release]:
        """Go through the days, and tell what may be told."""
        waiting: set[int] = set()
        for rows in self.days():
            self.apply(rows)
            waiting.update(self.entity[rows].tolist())
            if len(waiting) < self.least:
                continue
            now = self.now()
            blocks = self.divide(now)
            if blocks is None:
                continue
            waiting.clear()
            yield self.tell(now, blocks, pd.Timestamp(self.at[rows.start]).to_pydatetime() + DAY_END)

    def find_fresh(self, now: Numbers) -> Flags:
        """Entities and measures with a result that no release held so far."""
        fresh: Flags = now[1] != 0
        for past in self.told:
            fresh &= (now != past).any(axis=0)
        return fresh

    def divide(self, now: Numbers) -> list[Block] | None:
        """The blocks that can be told now, as fine as they may be; None where something must wait."""
        before = self.told[-1] if self.told else np.zeros_like(now)
        changed = (now != before).any(axis=(0, 1))
        if not changed.any():
            return None
        fresh = self.find_fresh(now)
        silent = {one for one in self.everything if not any(past[1, :, one].any() for past in self.told)}
        divided = [block for block in self.blocks if not changed[[*block]].any()]
        moving = [block for block in self.blocks if block not in divided]
        if any(changed[one] and not self.may_tell(now, fresh, (one,)) for one in silent):
            # A measure that few were asked, and nobody before, would hold up all others: it hides behind one that moves.
            moving = [tuple(sorted(one for block in moving for one in block))]
        for block in moving:
            empty = [one for one in block if one in silent and not changed[one]]
            asked = [one for one in block if one not in empty]
            alone = {one: self.may_tell(now, fresh, (one,)) for one in asked}
            apart = sorted((one for one in asked if alone[one]), key=lambda one: (fresh[:, one].sum(), one))
            hidden = [one for one in asked if not alone[one]]
            while hidden and not self.may_tell(now, fresh, tuple(hidden)):
                if not apart:
                    return None
                hidden.append(apart.pop(0))
            divided += [(one,) for one in apart]
            if hidden or empty:
                divided.append(tuple(sorted([*hidden, *empty])))
        return sorted(divided)

    def may_tell(self, now: Numbers, fresh: Flags, block: Block) -> bool:
        """Whether k entities have something new in a block, none of which outweighs the others."""
        is_new = fresh[:, block].any(axis=1)
        weight = now[1][:, block].sum(axis=1)
        return bool(is_new.sum() >= self.least and not outweighs(weight) and not outweighs(weight[is_new]))

    def tell(self, now: Numbers, blocks: list[Block], at: datetime) -> Release:
        """Make the state that of a release."""
        fresh = self.find_fresh(now)
        before = self.told[-1] if self.told else np.zeros_like(now)
        number = len(self.told) + 1
        self.since = np.where((now != before).any(axis=0), np.where(fresh, number, 0), self.since)
        self.told.append(now)
        self.blocks = blocks
        asked = [block for block in blocks if now[1][:, block].any()]
        shown: dict[str, Block] = {self.measures[block[0]]: block for block in asked if len(block) == 1}
        shown[ALL_MEASURES] = self.everything
        third = divide_in_thirds(now)
        if third is not None and all(self.may_divide(now, third, block) for block in blocks):
            self.thirds = {
                name: (sum_up(now, third == 0, block), sum_up(now, third == 1, block), sum_up(now, third == 2, block))
                for name, block in shown.items()
            }
            self.thirds_no, self.thirds_at = number, at
        asked_of_some = {name: (one,) for one, name in enumerate(self.measures) if now[1][:, one].any()}
        hidden = {name: block for name, block in asked_of_some.items() if name not in shown}
        everyone = np.ones(now.shape[1], dtype=bool)
        return Release(
            at,
            {name: sum_up(now, everyone, block) for name, block in shown.items()},
            self.explain(now, hidden),
            {name: sums for name, sums in self.thirds.items() if name in shown},
            self.thirds_at,
        )

    def may_divide(self, now: Numbers, third: npt.NDArray[np.int_], block: Block) -> bool:
        """Whether a block can be told by thirds.

        Whoever knows the sums of every release can take from a third, release by release, what came new then; what
        stays of its entities, or of those of the other thirds, must be k at the least in one of the measures.
        """
        weight = now[1][:, block].sum(axis=1)
        if not weight.any():
            return True
        for one in range(THIRDS):
            inside = third == one
            most = 0
            for measure in block:
                since = np.where(now[1][:, measure] != 0, self.since[:, measure], 0)
                numbers = range(self.thirds_no + 1, len(self.told) + 1)
                least = (min((inside & (since == no)).sum(), (~inside & (since == no)).sum()) for no in numbers)
                most = max(most, int(sum(least)))
            if most < self.least or outweighs(weight[inside]):
                return False
        return True

    def explain(self, now: Numbers, hidden: Mapping[str, Block]) -> dict[str, str]:
        """Why each of these is withheld."""
        reasons = {}
        for name, block in hidden.items():
            weight = now[1][:, block].sum(axis=1)
            if (weight != 0).sum() < self.least:
                reasons[name] = FEW
            else:
                reasons[name] = DOMINANT if outweighs(weight) else COMPLEMENTARY
        return reasons


def outweighs(weight: Numbers) -> bool:
    """Whether one entity has more than DOMINANT_SHARE of the weight."""
    return bool(weight.size and weight.max() > DOMINANT_SHARE * weight.sum())


def divide_in_thirds(now: Numbers) -> npt.NDArray[np.int_] | None:
    """0, 1, 2 for the entities of the weakest, middle and strongest third by their rate; −1 for those without one."""
    scored, weight = now.sum(axis=2)
    known = np.flatnonzero(weight != 0)
    ranked = known[np.argsort(scored[known] / weight[known], kind="stable")]
    outer = len(ranked) // THIRDS
    if not outer:
        return None
    third = np.full(len(weight), -1)
    third[ranked] = 1
    third[ranked[:outer]], third[ranked[-outer:]] = 0, 2
    return third


def sum_up(now: Numbers, entities: Flags, block: Block) -> Sums:
    """Sums of some entities over the measures of a block."""
    scored, weight = now[:, entities][:, :, list(block)].sum(axis=2)
    return Sums(float(scored.sum()), float(weight.sum()), int((weight != 0).sum()))
