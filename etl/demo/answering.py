"""Answers of the demo group: what is true at each entity, and what self-checks and outside checks say about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from etl.demo.checklist import MEASURES, Checklists, Edition
from etl.demo.comments import CommentPool
from etl.demo.group import REGIONS, Group
from etl.demo.rounds import Round
from etl.demo.schedule import PRIVACY_AUDIT, SELF_CHECK, Inspection

MET, PARTLY_MET, NOT_MET, NOT_APPLICABLE, NOT_ANSWERED, OBSERVATION = range(6)
NO, YES, BLANK = range(3)
ROSY_REGION = "AS"
ROSY_OPTIMISM = 1.3
PARTLY_BELOW = 0.7

# Chance in 256 that an answer of each verdict carries a comment, and that evidence is named.
_COMMENTED = np.array([0, 190, 235, 110, 0, 256], dtype=np.int16)
_EVIDENCED = np.array([215, 120, 20, 0, 0, 200], dtype=np.int16)


@dataclass(frozen=True, slots=True)
class AnswerBlock:
    """Inspections of one type and round with their answers; arrays of shape (inspections, items)."""

    inspections: list[Inspection]
    edition: Edition
    verdicts: NDArray[np.int8]
    comments: NDArray[np.int32]
    evidence: NDArray[np.int8]

    @property
    def answer_count(self) -> int:
        """Number of answers."""
        return int(self.verdicts.size)

    def rows_of(self, entity: int) -> list[int]:
        """Rows of the inspections of an entity."""
        return [row for row, one in enumerate(self.inspections) if one.entity == entity]


class _Draws(NamedTuple):
    """Random numbers of a block; each of shape (inspections, items)."""

    noise: NDArray[np.float32]
    chance: NDArray[np.uint8]
    left_open: NDArray[np.uint16]
    comment_chance: NDArray[np.uint8]
    comment_variant: NDArray[np.uint8]


class Respondents:
    """The latent state from which answers are drawn; entities x requirements, in units of the logit-like scale."""

    def __init__(
        self,
        group: Group,
        checklists: Checklists,
        pool: CommentPool,
        rng: np.random.Generator,
        extra: np.random.Generator,
    ) -> None:
        self.group = group
        self.checklists = checklists
        self.pool = pool
        self.rng = rng
        self.extra = extra
        entities = len(group.entities)
        regional = dict(zip(REGIONS, (0.25, 0.10, 0.20, -0.05, -0.45), strict=True))
        kinds = {"head_office": 0.3, "business_group": 0.2}
        self.strength = self._normal(0.55, entities) + np.array(
            [0.85 + regional[one.intervals[0].region] + kinds.get(one.kind, 0.0) for one in group.entities], np.float32
        )
        self.slope = 0.045 + self._normal(0.02, entities)
        self.optimism = 0.3 + self._normal(0.12, entities)
        self.severity = self._normal(0.15, entities)
        self.by_measure = self._normal(0.25, entities, len(MEASURES))
        self.security = _Requirements(self, checklists.requirement_count)
        self.privacy = _Requirements(self, len(checklists.privacy.items))
        self.chronic_requirement = self._chronic_requirement()

    def _normal(self, scale: float, *shape: int) -> NDArray[np.float32]:
        return self.rng.standard_normal(shape, dtype=np.float32) * np.float32(scale)

    def _chronic_requirement(self) -> int:
        """A critical item that both versions ask in the same words: restoring from backups where it is there."""
        old, new = self.checklists.security.values()
        carried = {link.to_code for link in self.checklists.links if link.change == "carried_over"}
        asked = {item.requirement for item in old.items}
        fits = [item for item in new.items if item.code in carried and item.requirement in asked]
        fits.sort(key=lambda item: (not item.is_critical, not item.control_ref.endswith("A.8.13"), item.requirement))
        return fits[0].requirement

    def answer(self, inspections: list[Inspection], edition: Edition, before: AnswerBlock | None = None) -> AnswerBlock:
        """Answers of inspections of one type and round; `before` is the block that the copying affiliate copies."""
        kind, turn = inspections[0].type, inspections[0].round
        draws = self._draw(inspections, edition)
        entities = np.array([one.entity for one in inspections], dtype=np.intp)
        state = self.security if kind != PRIVACY_AUDIT else self.privacy
        columns = edition.requirements
        measures = np.array([MEASURES.index(item.measure) for item in edition.items], dtype=np.intp)
        level = self.strength[entities] + self.slope[entities] * turn.index
        if kind == SELF_CHECK:
            level = level + self._optimism(entities, turn)
        else:
            level = level - self.severity[[one.inspector for one in inspections]]
        degree = state.persistent[entities][:, columns]
        degree += level.astype(np.float32)[:, None]
        degree += self.by_measure[entities][:, measures]
        degree -= state.difficulty[columns]
        degree += draws.noise
        verdicts = (degree <= 0).astype(np.int8)
        verdicts += degree <= -PARTLY_BELOW
        verdicts[state.is_not_applicable[entities][:, columns]] = NOT_APPLICABLE
        if kind == SELF_CHECK:
            verdicts[draws.left_open < 6] = NOT_ANSWERED
        elif kind == PRIVACY_AUDIT:
            verdicts[(verdicts == MET) & (draws.chance < 14)] = OBSERVATION
        self._plant_chronic(verdicts, inspections, edition)
        comments = self._comments(verdicts, inspections, edition, draws)
        evidence = np.where(draws.chance < _EVIDENCED[verdicts], YES, NO).astype(np.int8)
        evidence[(verdicts == NOT_APPLICABLE) | (verdicts == NOT_ANSWERED)] = BLANK
        block = AnswerBlock(inspections, edition, verdicts, comments, evidence)
        self._plant_copy(block, before)
        return block

    def _draw(self, inspections: list[Inspection], edition: Edition) -> _Draws:
        """Random numbers for a block: those that it has when every story is told, and extra ones for what is added."""
        kind, turn = inspections[0].type, inspections[0].round
        told = edition if kind == PRIVACY_AUDIT else self.checklists.security[turn.told_version]
        rows = [row for row, one in enumerate(inspections) if not one.is_extra]
        as_told = _draw_block(self.rng, kind, (len(rows), len(told.items)))
        if len(rows) == len(inspections) and told is edition:
            return as_told
        draws = _draw_block(self.extra, kind, (len(inspections), len(edition.items)))
        _, columns, told_columns = np.intersect1d(edition.requirements, told.requirements, return_indices=True)
        where = np.ix_(np.array(rows, np.intp), columns)
        for name in _Draws._fields:
            getattr(draws, name)[where] = getattr(as_told, name)[:, told_columns]
        return draws

    def _optimism(self, entities: NDArray[np.intp], turn: Round) -> NDArray[np.float32]:
        """How much better than outsiders each entity sees itself; shape (n,)."""
        found = self.optimism[entities].copy()
        if not self.group.tells("rosy_region"):
            return found
        for row, entity in enumerate(entities):
            interval = self.group.entities[entity].on(turn.last)
            if interval is not None and interval.region == ROSY_REGION:
                found[row] += ROSY_OPTIMISM
        return found

    def _comments(
        self, verdicts: NDArray[np.int8], inspections: list[Inspection], edition: Edition, draws: _Draws
    ) -> NDArray[np.int32]:
        is_self = inspections[0].type == SELF_CHECK
        # Kinds of comments by verdict, as positions in comments.KINDS; an observation reads like a partly met item.
        kinds = np.array([-1, 0, 1, 2, -1, 3] if is_self else [-1, 3, 4, 2, -1, 3], dtype=np.int8)[verdicts]
        kinds[draws.comment_chance >= _COMMENTED[verdicts]] = -1
        is_japanese = np.array(
            [[not is_self or self.group.entities[one.entity].writes_japanese] for one in inspections], dtype=np.bool_
        )
        variants = draws.comment_variant.astype(np.int32)
        return self.pool.positions(is_japanese, kinds, self.pool.categories(edition), variants)

    def _plant_chronic(self, verdicts: NDArray[np.int8], inspections: list[Inspection], edition: Edition) -> None:
        places = self.group.roles.get("chronic", ())
        columns = np.flatnonzero(edition.requirements == self.chronic_requirement)
        if edition.checklist == self.checklists.privacy.checklist or not len(columns):
            return
        for row, one in enumerate(inspections):
            if one.entity in places:
                verdicts[row, columns] = NOT_MET

    def _plant_copy(self, block: AnswerBlock, before: AnswerBlock | None) -> None:
        copycat = self.group.role("copycat")
        if before is None or copycat is None or before.edition is not block.edition:
            return
        for row in block.rows_of(copycat):
            for row_before in before.rows_of(copycat):
                block.verdicts[row] = before.verdicts[row_before]
                block.comments[row] = before.comments[row_before]
                block.evidence[row] = before.evidence[row_before]


def _draw_block(rng: np.random.Generator, kind: str, shape: tuple[int, int]) -> _Draws:
    is_self = kind == SELF_CHECK
    return _Draws(
        noise=rng.standard_normal(shape, dtype=np.float32) * np.float32(0.5 if is_self else 0.55),
        chance=rng.integers(0, 256, shape, dtype=np.uint8),
        # Only self-checks leave answers open.
        left_open=rng.integers(0, 1000, shape, dtype=np.uint16) if is_self else np.full(shape, 1000, np.uint16),
        comment_chance=rng.integers(0, 256, shape, dtype=np.uint8),
        comment_variant=rng.integers(0, 36, shape, dtype=np.uint8),
    )


class _Requirements:
    """What stays the same over the rounds: how hard each requirement is, for whom, and to whom it does not apply."""

    def __init__(self, people: Respondents, count: int) -> None:
        entities = len(people.group.entities)
        rng = people.rng
        self.difficulty = people._normal(0.6, count)
        self.persistent = people._normal(0.8, entities, count)
        rates = np.where(rng.random(count) < 0.15, 0.2, 0.008)
        self.is_not_applicable = rng.random((entities, count), dtype=np.float32) < rates


def correct(block: AnswerBlock, row: int, submitted: Inspection, rng: np.random.Generator) -> AnswerBlock:
    """The inspection in that row handed in again, with up to 14 answers that had been met now partly or not met."""
    verdicts, evidence = block.verdicts[row : row + 1].copy(), block.evidence[row : row + 1].copy()
    met = np.flatnonzero(verdicts[0] == MET)
    changed = rng.permutation(met)[: min(14, max(1, len(met) // 3))]
    verdicts[0, changed] = rng.integers(PARTLY_MET, NOT_MET + 1, len(changed))
    evidence[0, changed] = NO
    comments = block.comments[row : row + 1]
    return AnswerBlock([submitted], block.edition, verdicts, comments, evidence)
