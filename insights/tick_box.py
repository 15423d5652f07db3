"""Signs that a self-check was filled in by habit: worth a look, and no proof of anything."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

VERDICTS: Final = ("met", "partly_met", "not_met", "not_applicable", "not_answered")
"""Verdicts in the order of their numbers 0 to 4."""
SIGNS: Final = ("longest_run", "variability", "copied_share", "met_without_evidence_share", "not_applicable_share")
"""Signs that are judged, each with the columns `<sign>_p` and `<sign>_is_unusual`."""
NOMINAL_FDR: Final = 0.05
"""Expected share of false alarms among the entities that a sign calls unusual."""
MIN_ENTITIES: Final = 10
"""With fewer entities to compare nobody is unusual."""
MIN_ANSWERS: Final = 10
"""Answers that a sign of an entity needs at least."""
MIN_TELLING: Final = 5
"""Telling items that the sign of copied answers needs at least."""
MEDIAN_EFFICIENCY: Final = 0.37
"""How much of the observations the median absolute deviation makes use of (Rousseeuw & Croux 1993)."""
GUMBEL_DEVIATION: Final = 0.767049
"""Median absolute deviation of the standard Gumbel law."""

_MET, _NOT_APPLICABLE, _NOT_ANSWERED = 0, 3, 4

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Places = NDArray[np.intp]


def find_longest_run(matrix: NDArray[Any]) -> NDArray[np.int64]:
    """Length of the longest run of identical answers of each respondent: "longstring" of Curran (2016).

    `matrix` is of shape (respondents, items) in the order in which items were asked; a NaN equals nothing and ends a
    run, and a respondent without an answer has 0.
    """
    answers = np.asarray(matrix)
    if answers.size == 0:
        return np.zeros(len(answers), dtype=np.int64)
    respondent = np.repeat(np.arange(len(answers)), answers.shape[1])
    values = answers.ravel()
    is_told = values == values
    length, _ = _find_runs(respondent[is_told], values[is_told], len(answers), np.flatnonzero(is_told))
    return length


def judge_self_checks(frame: pd.DataFrame) -> pd.DataFrame:
    """Signs of each entity's self-check of one round, and which are unusual among the entities of the round.

    Takes one row per answer: `entity`, `item_no` (position in the checklist), `verdict` (a code of `VERDICTS` or its
    number) and, where they are known, `has_evidence`, `earlier_verdict` (of the same item lineage in an earlier round,
    null where it was not asked), `is_same_comment` and `is_same_evidence` (null where neither round says anything).
    One row per entity, in order, with

    - `answers` (applicable or not, without unanswered items) and `all_met` (every applicable answer is met);
    - `longest_run` of identical verdicts (Curran 2016) and `variability`: standard deviation of the scores within the
      entity (Dunn et al. 2018);
    - `compared` items answered in both rounds, and `copied_share` of them: verdict, comment and evidence flag are as
      before, where nothing in either round counts as the same. `telling` are those of which at least one round says
      more than "met, with evidence" without a comment or "not applicable", and `telling_copied_share` is the share of
      them that is copied (an index of Jaccard 1912);
    - `met_without_evidence_share` of the met answers with a known flag;
    - `not_applicable_share` of the items answered in both rounds, `earlier_not_applicable_share` then, and `gained`:
      items that became not applicable.

    Each sign of `SIGNS` has a one-sided `<sign>_p` and `<sign>_is_unusual` (Benjamini & Hochberg 1995 over the
    entities at `NOMINAL_FDR`). Shares are compared on the scale of the arcsine root (Anscombe 1948) as deviations from
    the median in units of the median absolute deviation, but of no less than chance alone gives; t quantiles allow for
    the few entities that the spread is estimated from.

    - `longest_run`: is it long for its share of the verdict that it consists of? Runs of chance follow a Gumbel law
      (Gordon, Schilling & Waterman 1986). An entity with one verdict throughout is not judged: a truly compliant
      entity is a straight line.
    - `variability`: is it low for the mean score, which is to say that what is not met is nearly always partly met?
    - `copied_share`: judged by the telling items, because all else repeats where nothing changes.
    - `not_applicable_share`: did more items become not applicable than elsewhere in the group, and more than became
      applicable again (exact sign test at 5 %; p is 1 where not)?

    A sign is null and not unusual for an entity with fewer than `MIN_ANSWERS` answers that it looks at (`MIN_TELLING`
    telling items), and for all when fewer than `MIN_ENTITIES` have enough. A sign is worth a look; it says nothing
    about what someone meant.
    """
    entity, names = pd.factorize(frame["entity"], sort=True)
    order, entity = _sort(np.asarray(entity, dtype=np.intp), frame["item_no"])
    count = len(names)
    verdict = _read_verdicts(frame["verdict"], order)
    earlier = _read_verdicts(frame.get("earlier_verdict"), order, len(verdict))
    evidence, same_comment, same_evidence = (
        _read_flags(frame.get(name), order, len(verdict))
        for name in ("has_evidence", "is_same_comment", "is_same_evidence")
    )

    def tally(rows: Bools) -> Floats:
        return np.bincount(entity[rows], minlength=count).astype(np.float64)

    met, partly, not_met, not_applicable = (tally(verdict == place) for place in range(4))
    applicable = met + partly + not_met
    is_answered = (verdict >= 0) & (verdict < _NOT_ANSWERED)
    answers = tally(is_answered)
    run, run_verdict = _find_runs(entity[is_answered], verdict[is_answered], count)
    total, square = met + partly / 2, met + partly / 4
    spread = np.maximum(square - total**2 / np.where(applicable > 0, applicable, 1), 0)

    is_compared = is_answered & (earlier >= 0) & (earlier < _NOT_ANSWERED)
    is_copied = is_compared & (verdict == earlier) & (same_comment != 0) & (same_evidence != 0)
    is_plain = (verdict == _MET) & (earlier == _MET) & (evidence != 0) & (same_evidence != 0) & (same_comment < 0)
    is_plain |= (verdict == _NOT_APPLICABLE) & (earlier == _NOT_APPLICABLE)
    is_telling = is_compared & ~is_plain
    compared, copied = tally(is_compared), tally(is_copied)
    telling, telling_copied = tally(is_telling), tally(is_telling & is_copied)
    flagged, bare = tally((verdict == _MET) & (evidence >= 0)), tally((verdict == _MET) & (evidence == 0))
    was, is_now = earlier == _NOT_APPLICABLE, verdict == _NOT_APPLICABLE
    gained, lost = tally(is_compared & is_now & ~was), tally(is_compared & was & ~is_now)
    could_gain = tally(is_compared & ~was)

    shares = np.column_stack([met, partly, not_met, not_applicable]) / np.where(answers > 0, answers, 1)[:, None]
    own_share = shares[np.arange(count), np.maximum(run_verdict, 0)]
    inflation = _judge_share(gained, could_gain)
    is_own = stats.binom.sf(gained - 1, gained + lost, 0.5) <= NOMINAL_FDR
    p = {
        "longest_run": _judge_run(run.astype(np.float64), answers, own_share),
        "variability": _judge_share(partly, partly + not_met),
        "copied_share": _judge_share(telling_copied, telling, MIN_TELLING),
        "met_without_evidence_share": _judge_share(bare, flagged),
        "not_applicable_share": np.where(np.isnan(inflation) | is_own, inflation, 1.0),
    }
    found = pd.DataFrame(
        {
            "entity": names,
            "answers": answers.astype(np.int64),
            "all_met": (applicable > 0) & (met == applicable),
            "longest_run": run,
            "variability": np.sqrt(_divide(spread, applicable - 1)),
            "compared": compared.astype(np.int64),
            "copied_share": _divide(copied, compared),
            "telling": telling.astype(np.int64),
            "telling_copied_share": _divide(telling_copied, telling),
            "met_without_evidence_share": _divide(bare, flagged),
            "not_applicable_share": _divide(tally(is_compared & is_now), compared),
            "earlier_not_applicable_share": _divide(tally(is_compared & was), compared),
            "gained": gained.astype(np.int64),
        }
    )
    for sign in SIGNS:
        found[f"{sign}_p"] = p[sign]
        found[f"{sign}_is_unusual"] = _call(p[sign])
    return found


def _sort(entity: Places, item_no: pd.Series) -> tuple[Places, Places]:
    """Order of the rows by entity and item, rows without an entity left out, and the entity of each row in it."""
    item = item_no.to_numpy()
    if len(entity) and entity.min() >= 0:
        step, rise = np.diff(entity), item[1:] >= item[:-1]
        # Most frames come in order; seeing that costs a hundredth of sorting them.
        if bool(((step > 0) | ((step == 0) & rise)).all()):
            return np.arange(len(entity)), entity
    order = np.lexsort((item, entity))
    order = order[entity[order] >= 0]
    return np.asarray(order, dtype=np.intp), entity[order]


def _read_verdicts(column: pd.Series | None, order: Places, size: int = 0) -> NDArray[np.int8]:
    """Number of each verdict in the order of the rows, -1 for null and unknown ones."""
    if column is None:
        return np.full(size, -1, dtype=np.int8)
    if pd.api.types.is_numeric_dtype(column.dtype):
        if not column.hasnans:
            return np.asarray(column.to_numpy(), dtype=np.int8)[order]
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.asarray(np.where(np.isnan(numbers), -1, numbers), dtype=np.int8)[order]
    places, values = pd.factorize(column)
    found = pd.Index(VERDICTS, dtype=object).get_indexer(pd.Index(values, dtype=object))
    return np.asarray(np.append(found, -1)[places], dtype=np.int8)[order]


def _read_flags(column: pd.Series | None, order: Places, size: int) -> NDArray[np.int8]:
    """1, 0 or, for null, -1 in the order of the rows."""
    if column is None:
        return np.full(size, -1, dtype=np.int8)
    if column.dtype == np.bool_:
        return np.asarray(column.to_numpy(), dtype=np.int8)[order]
    flags = column.astype("boolean").astype("Int8").fillna(-1)
    return np.asarray(flags.to_numpy(dtype=np.int8))[order]


def _find_runs(
    owner: Places, values: NDArray[Any], owners: int, position: Places | None = None
) -> tuple[NDArray[np.int64], Places]:
    """Length of the longest run of each owner and the value that it has as a place; rows in order of the owner."""
    longest, found = np.zeros(owners, dtype=np.int64), np.full(owners, -1, dtype=np.intp)
    if not len(owner):
        return longest, found
    is_new = np.ones(len(owner), dtype=np.bool_)
    is_new[1:] = (owner[1:] != owner[:-1]) | (values[1:] != values[:-1])
    if position is not None:
        is_new[1:] |= np.diff(position) > 1
    first = np.flatnonzero(is_new)
    length = np.diff(np.append(first, len(owner)))
    np.maximum.at(longest, owner[first], length)
    is_longest = length == longest[owner[first]]
    if position is None:
        # From the last to the first, so that the first of several longest runs stays.
        found[owner[first][is_longest][::-1]] = values[first][is_longest][::-1]
    return longest, found


def _divide(some: Floats, number: Floats) -> Floats:
    return np.asarray(some / np.where(number > 0, number, np.nan), dtype=np.float64)


def _judge_share(some: Floats, number: Floats, least: int = MIN_ANSWERS) -> Floats:
    """One-sided p of each share being this high, among the entities; null where nothing is said."""
    is_told = number >= least
    if is_told.sum() < MIN_ENTITIES:
        return np.full(len(number), np.nan)
    angle = np.arcsin(np.sqrt((some + 0.375) / (number + 0.75)))
    middle = np.median(angle[is_told])
    score = 2 * np.sqrt(number + 0.5) * (angle - middle)
    score = score - np.median(score[is_told])
    spread = max(1.0, float(1.4826 * np.median(np.abs(score[is_told]))))
    return np.where(is_told, stats.t.sf(score / spread, _freedom(is_told)), np.nan)


def _judge_run(run: Floats, answers: Floats, share: Floats) -> Floats:
    """One-sided p of the longest run being this long for the share of its verdict; null for one verdict throughout."""
    is_told = (answers >= MIN_ANSWERS) & (share < 1) & (share > 0)
    if is_told.sum() < MIN_ENTITIES:
        return np.full(len(run), np.nan)
    share, answers = np.where(is_told, share, 0.5), np.where(is_told, answers, 1)
    # Standard Gumbel if answers fell at random; where easy items stand in a row all runs are longer alike.
    score = -np.log(share) * run - np.log(answers * (1 - share))
    middle = np.median(score[is_told])
    spread = max(1.0, float(np.median(np.abs(score[is_told] - middle))) / GUMBEL_DEVIATION)
    return np.where(is_told, stats.gumbel_r.sf((score - middle) / spread - np.log(np.log(2))), np.nan)


def _freedom(is_told: Bools) -> float:
    return MEDIAN_EFFICIENCY * (float(is_told.sum()) - 1)


def _call(p: Floats) -> Bools:
    is_told = ~np.isnan(p)
    q = np.ones(len(p))
    if is_told.any():
        q[is_told] = stats.false_discovery_control(p[is_told])
    return np.asarray(q <= NOMINAL_FDR, dtype=np.bool_)
