"""What was planted in the demo group, counted from the answers that were written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from etl.demo.answering import NOT_ANSWERED, NOT_APPLICABLE, NOT_MET, PARTLY_MET, AnswerBlock
from etl.demo.checklist import Checklists
from etl.demo.group import (
    ACQUIRED_ON,
    LAPSED_ON,
    MOVED_BUSINESS_GROUP_ON,
    MOVED_REGION_ON,
    REGIONS,
    SOLD_ON,
    Group,
)
from etl.demo.rounds import Round
from etl.demo.schedule import PRIVACY_AUDIT, Inspection
from etl.demo.stories import LEFT_OUT

VERDICT_NAMES = ("met", "partly_met", "not_met", "not_applicable", "not_answered", "met")
SCORES = np.array([1.0, 0.5, 0.0, np.nan, np.nan, 1.0])
LONG_SPELL: Final = 4
"""Rounds that must have been not met for a spell to be told."""
Story = dict[str, object]


@dataclass(frozen=True, slots=True)
class Written:
    """Everything that was written into the files of one demo."""

    group: Group
    rounds: tuple[Round, ...]
    checklists: Checklists
    schedule: list[Inspection]
    chronic_requirement: int
    self_checks: dict[int, AnswerBlock] = field(default_factory=dict)
    third_party: list[AnswerBlock] = field(default_factory=list)
    audits: list[AnswerBlock] = field(default_factory=list)
    corrections: list[AnswerBlock] = field(default_factory=list)
    findings: dict[str, dict[str, object]] = field(default_factory=dict)

    def code(self, entity: int) -> str:
        """Code of an entity."""
        return self.group.entities[entity].code

    def latest(self, turn: int, row: int) -> NDArray[np.int8]:
        """Verdicts of a self-check as known in the end; shape (items,)."""
        block = self.self_checks[turn]
        for corrected in self.corrections:
            if corrected.inspections[0].round.index == turn and (
                corrected.inspections[0].entity == block.inspections[row].entity
            ):
                block, row = corrected, 0
        found: NDArray[np.int8] = block.verdicts[row]
        return found

    def latest_of_round(self, turn: int) -> NDArray[np.int8]:
        """Verdicts of the self-checks of a round as known in the end; shape (inspections, items)."""
        return np.stack([self.latest(turn, row) for row in range(len(self.self_checks[turn].inspections))])


def tell_stories(written: Written) -> list[Story]:
    """One story after the other; a story that was not planted says why."""
    return [
        _rosy_region(written),
        _chronic_item(written),
        _copycat(written),
        _bought_and_sold(written, "acquired", ACQUIRED_ON.isoformat()),
        _bought_and_sold(written, "sold", SOLD_ON.isoformat()),
        _moved(written, "moved_region", MOVED_REGION_ON.isoformat()),
        _moved(written, "moved_business_group", MOVED_BUSINESS_GROUP_ON.isoformat()),
        _checklist_revision(written),
        _corrected(written),
        _findings(written),
        _lapsed(written),
        _late_and_missing(written),
    ]


def compliance(verdicts: NDArray[np.int8], weights: NDArray[np.int64]) -> dict[str, float]:
    """Sum of weight times score and sum of weights over applicable, answered items, and their ratio."""
    scores = SCORES[verdicts]
    counted = ~np.isnan(scores)
    wide = np.broadcast_to(weights, verdicts.shape)
    numerator = float((wide[counted] * scores[counted]).sum())
    denominator = float(wide[counted].sum())
    return {"numerator": numerator, "denominator": denominator, "rate": numerator / denominator if denominator else 0.0}


def count_verdicts(blocks: list[AnswerBlock]) -> dict[str, int]:
    """Answers by verdict."""
    counts: Counter[str] = Counter()
    for block in blocks:
        for verdict, count in zip(*np.unique(block.verdicts, return_counts=True), strict=True):
            counts[VERDICT_NAMES[int(verdict)]] += int(count)
    return dict(sorted(counts.items()))


def _skipped(story: str, what: str, reason: str) -> Story:
    return {"id": story, "what": what, "is_planted": False, "reason": reason}


def _is_assessed(verdicts: NDArray[np.int8]) -> NDArray[np.bool_]:
    return np.isin(verdicts, (NOT_APPLICABLE, NOT_ANSWERED), invert=True)


def _rosy_region(written: Written) -> Story:
    what = "In Asia (AS) self-checks look much better than outside checks of the same entity, item and period."
    by_region: dict[str, dict[str, float]] = {
        region: dict.fromkeys(
            ("pairs", "self_better", "equal", "self_worse", "self_sum", "outside_sum", "weight_sum"), 0.0
        )
        for region in REGIONS
    }
    for block in written.third_party:
        turn = block.inspections[0].round
        rows = {one.entity: row for row, one in enumerate(written.self_checks[turn.index].inspections)}
        for row, one in enumerate(block.inspections):
            interval = written.group.entities[one.entity].on(turn.last)
            if one.entity not in rows or interval is None:
                continue
            own, outside = written.latest(turn.index, rows[one.entity]), block.verdicts[row]
            both = _is_assessed(own) & _is_assessed(outside)
            mine, theirs, weights = SCORES[own[both]], SCORES[outside[both]], block.edition.weights[both]
            found = by_region[interval.region]
            found["pairs"] += int(both.sum())
            found["self_better"] += int((mine > theirs).sum())
            found["equal"] += int((mine == theirs).sum())
            found["self_worse"] += int((mine < theirs).sum())
            found["self_sum"] += float((weights * mine).sum())
            found["outside_sum"] += float((weights * theirs).sum())
            found["weight_sum"] += float(weights.sum())
    told = {}
    for region, found in by_region.items():
        weight = found.pop("weight_sum")
        own_sum, outside_sum = found.pop("self_sum"), found.pop("outside_sum")
        counts: dict[str, float] = {name: int(count) for name, count in found.items()}
        if weight:
            counts |= {"self_compliance": own_sum / weight, "outside_compliance": outside_sum / weight}
        told[region] = counts
    if not written.group.tells("rosy_region"):
        return _skipped("rosy_region", what, LEFT_OUT) | {"by_region": told}
    if not told["AS"]["pairs"]:
        return _skipped("rosy_region", what, "no entity in Asia has an outside check beside its self-check")
    return {"id": "rosy_region", "what": what, "is_planted": True, "region": "AS", "by_region": told}


def _chronic_item(written: Written) -> Story:
    what = "A few sites answer 'not met' to one critical item in every round and in every outside check."
    places = written.group.roles.get("chronic", ())
    if not places:
        return _skipped("chronic_item", what, written.group.empty_roles["chronic"]) | _long_spells(written)
    rounds: dict[str, int] = dict.fromkeys(map(written.code, places), 0)
    outside: dict[str, int] = dict.fromkeys(map(written.code, places), 0)
    failures: Counter[int] = Counter()
    asked: Counter[int] = Counter()
    blocks = [*written.self_checks.values(), *written.third_party]
    for block in blocks:
        (columns,) = np.nonzero(block.edition.requirements == written.chronic_requirement)
        is_self = block.inspections[0].inspector < 0
        for row, one in enumerate(block.inspections):
            is_not_met = bool((block.verdicts[row, columns] == NOT_MET).all())
            if one.entity in places:
                (rounds if is_self else outside)[written.code(one.entity)] += is_not_met
            if is_self:
                failures[one.entity] += is_not_met
                asked[one.entity] += 1
    editions = {block.edition.version: block.edition for block in blocks}
    codes = {
        version: next(i.code for i in edition.items if i.requirement == written.chronic_requirement)
        for version, edition in editions.items()
    }
    always = sorted(written.code(entity) for entity in asked if failures[entity] == asked[entity])
    return {
        "id": "chronic_item",
        "what": what,
        "is_planted": True,
        "checklist_code": "SEC",
        "item_code_by_version": codes,
        "entity_codes": sorted(rounds),
        "self_checks_not_met": rounds,
        "outside_checks_not_met": outside,
        "entity_codes_failing_in_every_round": always,
    } | _long_spells(written)


def _long_spells(written: Written) -> Story:
    """Requirements that have been unmet for long at an entity, in its newest answered self-checks without a break."""
    rounds, not_met = _unmet_spells(written)
    editions = list(written.checklists.security.values())
    codes = [{item.requirement: item.code for item in edition.items} for edition in editions]
    asked = {editions.index(block.edition) for block in written.self_checks.values()}
    newest = codes[max(asked)]
    of_newest, of_former, seen = [], [], set()
    for entity, requirement in zip(*(places.tolist() for places in np.nonzero(not_met >= LONG_SPELL)), strict=True):
        counts = [int(rounds[entity, requirement]), int(not_met[entity, requirement])]
        if requirement in newest:
            seen.add(requirement)
            of_newest.append([written.code(entity), newest[requirement], *counts])
        else:
            of_former.append([written.code(entity), codes[min(asked)][requirement], *counts])
    by_version = {
        newest[requirement]: {
            edition.version: codes[place][requirement]
            for place, edition in enumerate(editions)
            if place in asked and requirement in codes[place]
        }
        for requirement in sorted(seen)
    }
    return {
        "item_code_by_version_of_items": by_version,
        "entities_not_met_in_every_round_by_item": of_newest,
        # Their items are no longer asked, and their codes may mean others by now.
        "entities_not_met_in_every_round_by_former_item": of_former,
    }


def _unmet_spells(written: Written) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Rounds of each current spell of partly or not met self-checks, and of these the not met ones.

    Both have the shape (entities, requirements). A requirement keeps its place through carried-over and reworded items
    and never through split or merged ones. Rounds without an answer are skipped; not applicable ends a spell.
    """
    shape = (len(written.group.entities), written.checklists.requirement_count)
    rounds, not_met = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    is_open = np.ones(shape, np.bool_)
    for turn in sorted(written.self_checks, reverse=True):
        block = written.self_checks[turn]
        entities = np.array([one.entity for one in block.inspections], np.intp)
        verdicts = np.full(shape, NOT_ANSWERED, np.int8)
        verdicts[np.ix_(entities, block.edition.requirements)] = written.latest_of_round(turn)
        is_unmet = np.isin(verdicts, (PARTLY_MET, NOT_MET))
        is_open &= is_unmet | (verdicts == NOT_ANSWERED)
        rounds += is_open & is_unmet
        not_met += is_open & (verdicts == NOT_MET)
    return rounds, not_met


def _copycat(written: Written) -> Story:
    what = "An affiliate hands in last year's answers, comments and evidence again."
    copycat = written.group.role("copycat")
    if copycat is None:
        return _skipped("copycat", what, written.group.empty_roles["copycat"])
    periods: dict[str, dict[str, float]] = {}
    for turn in written.rounds:
        block, before = written.self_checks[turn.index], written.self_checks.get(turn.index - 2)
        if before is None or before.edition is not block.edition or not is_copied(turn):
            continue
        answers, comments = {}, {}
        for row, one in enumerate(block.inspections):
            for row_before in before.rows_of(one.entity):
                answers[one.entity] = float((block.verdicts[row] == before.verdicts[row_before]).mean())
                has_comment = block.comments[row] >= 0
                if has_comment.any():
                    repeated = block.comments[row] == before.comments[row_before]
                    comments[one.entity] = float(repeated[has_comment].mean())
        if copycat in answers:
            periods[turn.code] = {
                "share_of_answers_as_a_year_before": answers.pop(copycat),
                "share_of_comments_as_a_year_before": comments.pop(copycat, 0.0),
                "others_median_share_of_answers": float(np.median(list(answers.values()))),
                "others_greatest_share_of_comments": max(comments.values(), default=0.0),
            }
    if not periods:
        return _skipped("copycat", what, "no two rounds a year apart ask the same checklist version")
    return {
        "id": "copycat", "what": what, "is_planted": True, "entity_code": written.code(copycat), "periods": periods,
    }  # fmt: skip


def is_copied(turn: Round) -> bool:
    """Whether the copying affiliate copies in this round."""
    return turn.fiscal_year >= 2024


def _self_check_periods(written: Written, entity: int) -> list[str]:
    return [
        written.rounds[index].code for index, block in written.self_checks.items() if block.rows_of(entity)
    ]  # fmt: skip


def _bought_and_sold(written: Written, role: str, day: str) -> Story:
    what = {
        "acquired": "An affiliate was bought in the middle of a half and has no earlier figures.",
        "sold": "An affiliate was sold in the middle of a half; what was planned for it after that was cancelled.",
    }[role]
    entity = written.group.role(role)
    if entity is None:
        return _skipped(role, what, written.group.empty_roles[role])
    cancelled = [one for one in written.schedule if one.entity == entity and one.cancelled]
    return {
        "id": role,
        "what": what,
        "is_planted": True,
        "entity_code": written.code(entity),
        "on": day,
        "self_check_periods": _self_check_periods(written, entity),
        "cancelled_inspections": len(cancelled),
    }


def _moved(written: Written, role: str, day: str) -> Story:
    what = {
        "moved_region": "An affiliate moved from the region Asia to the region China.",
        "moved_business_group": "An affiliate moved to another business group.",
    }[role]
    entity = written.group.role(role)
    if entity is None:
        return _skipped(role, what, written.group.empty_roles[role])
    before, after = written.group.entities[entity].intervals
    return {
        "id": role,
        "what": what,
        "is_planted": True,
        "entity_code": written.code(entity),
        "on": day,
        "region_before": before.region,
        "region_after": after.region,
        "business_group_before": before.business_group,
        "business_group_after": after.business_group,
    }


def _checklist_revision(written: Written) -> Story:
    what = "The security checklist was revised: version 2020 until FY2022, version 2023 from FY2023."
    changes = Counter(link.change for link in written.checklists.links)
    sizes = {version: len(edition.items) for version, edition in written.checklists.security.items()}
    told: Story = {"links": dict(sorted(changes.items())), "items": sizes, "checklist_code": "SEC"}
    asked = {block.edition.version for block in written.self_checks.values()}
    if not written.group.tells("checklist_revision"):
        reason = f"{LEFT_OUT}; all rounds ask version {', '.join(asked)}; the lineage is written all the same"
        return _skipped("checklist_revision", what, reason) | told
    if len(asked) < 2:
        reason = f"all rounds ask version {', '.join(asked)}; the lineage is written all the same"
        return _skipped("checklist_revision", what, reason) | told
    around = {turn.code for turn in written.rounds if turn.fiscal_year in (2022, 2023)}
    rates = {
        written.rounds[index].code: compliance(block.verdicts, block.edition.weights)["rate"]
        for index, block in written.self_checks.items()
        if written.rounds[index].code in around
    }
    told["self_check_compliance_as_first_known"] = rates
    told |= _around_revision(written)
    return {"id": "checklist_revision", "what": what, "is_planted": True} | told


def _around_revision(written: Written) -> Story:
    """Compliance of the self-checks in the last round before the revision and the first one after it, known in the end.

    Once over all items as asked, and once over the requirements that both versions ask.
    """
    after = next(turn for turn, block in written.self_checks.items() if block.edition.version == "2023")
    editions = [written.self_checks[turn].edition for turn in (after - 1, after)]
    common = np.intersect1d(editions[0].requirements, editions[1].requirements)
    told: Story = {}
    for turn, edition in zip((after - 1, after), editions, strict=True):
        verdicts, weights = written.latest_of_round(turn), edition.weights
        is_common = np.isin(edition.requirements, common)
        told[written.rounds[turn].code] = {
            "version": edition.version,
            "self_checks": len(verdicts),
            "as_asked": compliance(verdicts, weights),
            "common_items": compliance(verdicts[:, is_common], weights[is_common]),
        }
    return {"common_items": len(common), "self_check_compliance_around_revision": told}


def _corrected(written: Written) -> Story:
    what = "An affiliate handed in a corrected self-check months later; earlier knowledge keeps the first answers."
    if not written.corrections:
        return _skipped("corrected_resubmission", what, written.group.empty_roles.get("corrected", "no round fits"))
    after = written.corrections[0]
    one = after.inspections[0]
    block = written.self_checks[one.round.index]
    row = block.rows_of(one.entity)[0]
    first = block.inspections[row]
    changed = np.flatnonzero(block.verdicts[row] != after.verdicts[0])
    return {
        "id": "corrected_resubmission",
        "what": what,
        "is_planted": True,
        "entity_code": written.code(one.entity),
        "period": one.period,
        "first_submitted_on": str(first.submitted),
        "corrected_submitted_on": str(one.submitted),
        "changed_item_codes": [block.edition.items[place].code for place in changed],
        "before": compliance(block.verdicts[row], block.edition.weights),
        "after": compliance(after.verdicts[0], block.edition.weights),
    }


def _findings(written: Written) -> Story:
    what = "Corrective actions are overdue, and findings that had been closed were opened again."
    if not written.group.tells("overdue_and_reopened"):
        return _skipped("overdue_and_reopened", what, LEFT_OUT) | {"as_of": written.findings}
    if not written.findings:
        return _skipped("overdue_and_reopened", what, "no outside check raised a finding")
    return {"id": "overdue_and_reopened", "what": what, "is_planted": True, "as_of": written.findings}


def _lapsed(written: Written) -> Story:
    what = "The PrivacyMark of an affiliate lapsed after its audit of FY2025 had not taken place."
    entity = written.group.role("lapsed")
    if entity is None:
        return _skipped("lapsed_privacymark", what, written.group.empty_roles["lapsed"])
    audits = [one for one in written.schedule if one.entity == entity and one.type == PRIVACY_AUDIT]
    return {
        "id": "lapsed_privacymark",
        "what": what,
        "is_planted": True,
        "entity_code": written.code(entity),
        "valid_until": LAPSED_ON.isoformat(),
        "holders": sum(bool(one.mark_number) for one in written.group.entities),
        "missing_audits": [one.period for one in audits if not one.is_performed],
    }


def _late_and_missing(written: Written) -> Story:
    what = "Some inspections came after their due day, some never; a corrected one counts by the day it first came."
    table: dict[str, dict[str, dict[str, int]]] = {}
    for one in written.schedule:
        cell = table.setdefault(one.type, {}).setdefault(
            one.period, dict.fromkeys(("planned", "cancelled", "performed", "late", "missing"), 0)
        )
        cell["planned"] += 1
        cell["cancelled"] += one.cancelled is not None
        cell["performed"] += one.is_performed
        cell["late"] += one.is_late
        cell["missing"] += not one.is_performed and one.cancelled is None
    if not written.group.tells("late_and_missing"):
        return _skipped("late_and_missing", what, LEFT_OUT) | {"by_type_and_period": table}
    return {"id": "late_and_missing", "what": what, "is_planted": True, "by_type_and_period": table}


def tell_round_changes(written: Written) -> Story | None:
    """Compliance of the self-checks of the last two halves, known in the end, and who is in one of them only."""
    if len(written.rounds) < 2:
        return None
    turns = [turn.index for turn in written.rounds[-2:]]
    present = [{one.entity for one in written.self_checks[turn].inspections} for turn in turns]
    codes = [written.rounds[turn].code for turn in turns]
    only = (present[0] - present[1], present[1] - present[0])
    return {
        "periods": codes,
        "self_check_compliance": {
            code: compliance(written.latest_of_round(turn), written.self_checks[turn].edition.weights)
            for code, turn in zip(codes, turns, strict=True)
        },
        "entities_only_in": {code: sorted(map(written.code, found)) for code, found in zip(codes, only, strict=True)},
    }
