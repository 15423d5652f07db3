"""The demo group's plan: which inspection is due when, and whether it was on time, late or never handed in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from etl.demo.group import SOLD_ON, Entity, Group
from etl.demo.rounds import Round

SELF_CHECK, MUTUAL_CHECK, AFFILIATE_CHECK, PRIVACY_AUDIT = (
    "self_check",
    "mutual_check",
    "affiliate_check",
    "privacy_audit",
)
MUTUAL_TURN, AFFILIATE_TURN = 3, 4
CORRECTED_ON = date(2025, 12, 10)


@dataclass(frozen=True, slots=True)
class Inspection:
    """A planned inspection and, when it took place, its days; `inspector` -1 is none (a self-check).

    `is_extra` says that it took place only because a story was left out.
    """

    type: str
    entity: int
    inspector: int
    round: Round
    is_yearly: bool
    due: date
    announced: date
    cancelled: date | None = None
    performed: date | None = None
    submitted: date | None = None
    is_extra: bool = False

    @property
    def period(self) -> str:
        """Code of the period it speaks about."""
        return f"FY{self.round.fiscal_year}" if self.is_yearly else self.round.code

    @property
    def period_ja(self) -> str:
        """The period as Japanese exports write it."""
        return f"{self.round.fiscal_year}年度" if self.is_yearly else self.round.label_ja

    @property
    def is_performed(self) -> bool:
        """Whether a result was handed in."""
        return self.submitted is not None

    @property
    def is_late(self) -> bool:
        """Whether its result was handed in after the due day."""
        return self.submitted is not None and self.submitted > self.due


@dataclass(frozen=True, slots=True)
class _Habit:
    """How a type of inspection keeps its dates: shares of late and missing ones, days before the due day, length."""

    late: float
    missing: float
    days_early: int
    days_of_work: int


HABITS = {
    SELF_CHECK: _Habit(0.065, 0.015, 24, 12),
    MUTUAL_CHECK: _Habit(0.10, 0.03, 75, 14),
    AFFILIATE_CHECK: _Habit(0.12, 0.04, 75, 21),
    PRIVACY_AUDIT: _Habit(0.08, 0.02, 110, 21),
}


def make_schedule(
    group: Group, rounds: tuple[Round, ...], rng: np.random.Generator, extra: np.random.Generator
) -> list[Inspection]:
    """Every planned inspection in the order of its round, type and entity.

    Inspections that nobody would plan if every story were told draw from `extra`, so that the others draw as ever.
    """
    planned: list[Inspection] = []
    for turn in rounds:
        planned += _self_checks(group, turn)
        planned += _mutual_checks(group, turn)
        planned += _affiliate_checks(group, turn)
        if turn.half == 2:
            planned += _privacy_audits(group, turn)
    # Who plays a part keeps its dates, even in a story that is left out.
    punctual = {place for places in group.cast.values() for place in places}
    return [
        _settle(one, group, punctual, rng if _is_planned(group.told[one.entity], one.round) else extra)
        for one in planned
    ]


def _announced(group: Group, entity: int, turn: Round) -> date:
    """The plan of a fiscal year is made on its first day; entities bought later enter it two weeks after that."""
    return max(date(turn.fiscal_year, 4, 1), group.entities[entity].intervals[0].first + timedelta(days=14))


def _is_planned(entity: Entity, turn: Round) -> bool:
    """Whether it is in the group long enough before the half ends, and still is when the plan is made."""
    last = entity.intervals[-1].last
    if last is not None and last < date(turn.fiscal_year, 4, 1):
        return False
    return entity.intervals[0].first <= turn.last - timedelta(days=30)


def _is_cancelled(entity: Entity, turn: Round) -> bool:
    """Whether it is sold before the half ends."""
    last = entity.intervals[-1].last
    return last is not None and last < turn.last


def _planned(group: Group, kind: str, entity: int, inspector: int, turn: Round, due: date) -> Inspection | None:
    """The planned inspection, cancelled when the entity is sold before the half ends; None outside its validity."""
    if not _is_planned(group.entities[entity], turn):
        return None
    cancelled = SOLD_ON + timedelta(days=1) if _is_cancelled(group.entities[entity], turn) else None
    announced = _announced(group, entity, turn)
    return Inspection(kind, entity, inspector, turn, kind == PRIVACY_AUDIT, due, announced, cancelled)


def _self_checks(group: Group, turn: Round) -> list[Inspection]:
    found = [_planned(group, SELF_CHECK, place, -1, turn, turn.last) for place in range(len(group.entities))]
    return [one for one in found if one]


def _mutual_checks(group: Group, turn: Round) -> list[Inspection]:
    """A third of the sites each half, each checked by a site that is not itself, a different one each time."""
    sites = group.positions("site")
    found = []
    for n, site in enumerate(sites):
        if n % MUTUAL_TURN == turn.index % MUTUAL_TURN:
            step = 1 + (turn.index // MUTUAL_TURN) % (len(sites) - 1)
            found.append(_planned(group, MUTUAL_CHECK, site, sites[(n + step) % len(sites)], turn, turn.last))
    return [one for one in found if one]


def _affiliate_checks(group: Group, turn: Round) -> list[Inspection]:
    """A quarter of the affiliates each half, checked by the first department of head office."""
    found = [
        _planned(group, AFFILIATE_CHECK, place, 0, turn, turn.last)
        for n, place in enumerate(group.positions("affiliate"))
        if n % AFFILIATE_TURN == turn.index % AFFILIATE_TURN
    ]
    return [one for one in found if one]


def _privacy_audits(group: Group, turn: Round) -> list[Inspection]:
    """Holders of the PrivacyMark are audited by their own audit manager, some departments by internal audit."""
    due = date(turn.fiscal_year + 1, 2, 28)
    departments = group.positions("head_office")[2:6]
    holders = [place for place, one in enumerate(group.entities) if one.mark_number]
    found = [_planned(group, PRIVACY_AUDIT, place, 1, turn, due) for place in departments]
    found += [_planned(group, PRIVACY_AUDIT, place, place, turn, due) for place in holders]
    return [one for one in found if one]


def _settle(one: Inspection, group: Group, punctual: set[int], rng: np.random.Generator) -> Inspection:
    habit = HABITS[one.type]
    chance, days_before, days_after, days_of_work = (
        float(rng.random()),
        int(rng.integers(habit.days_early)),
        1 + int(rng.integers(40)),
        2 + int(rng.integers(habit.days_of_work)),
    )
    if one.cancelled:
        return one
    # The affiliate whose mark lapsed had not been audited in that fiscal year.
    is_audit_before_lapse = (
        one.entity in group.cast.get("lapsed", ()) and one.type == PRIVACY_AUDIT and one.round.fiscal_year == 2025
    )
    is_dropped = one.entity not in punctual and chance < habit.missing
    keeps_dates = one.entity in punctual or not group.tells("late_and_missing")
    if (is_audit_before_lapse and group.tells("lapsed_privacymark")) or (is_dropped and not keeps_dates):
        return one
    is_late = not keeps_dates and chance < habit.missing + habit.late
    submitted = one.due + timedelta(days=days_after) if is_late else one.due - timedelta(days=days_before)
    performed = submitted - timedelta(days=days_of_work)
    told = group.told[one.entity]
    takes_place_as_told = (
        _is_planned(told, one.round)
        and not _is_cancelled(told, one.round)
        and not is_audit_before_lapse
        and not is_dropped
    )
    return replace(one, performed=performed, submitted=submitted, is_extra=not takes_place_as_told)
