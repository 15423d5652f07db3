"""Where the next outside check is worth most: a plain ranking with its parts and reasons, and how past ones fared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

REASONS: Final = (
    "never_visited",
    "long_ago",
    "optimistic_group",
    "large",
    "missing_inspections",
    "open_major_findings",
)
LONG_AGO: Final = 4
"""Rounds since the last outside check from which it counts as long ago: two years of halves."""
LEAST_OPTIMISM: Final = 0.01
"""Expected optimism that every entity has at least, so that a modest self-check does not rule out a visit for ever."""
LIFT: Final = 0.25
"""What each missing inspection, and each open major finding, adds to the score as a share of it."""
MOST_LIFTED: Final = 4
"""Missing inspections, and open major findings, that are counted at most."""
OPTIMISTIC: Final = 1.5
"""Expected optimism as a multiple of the median from which it is a reason, where no group test is given."""
MIN_VISITED: Final = 9
"""Entities that must have been visited before a past ranking is judged."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PastRanking:
    """How a ranking fared among the entities that outsiders visited afterwards.

    `rank_correlation` is Spearman's, of the score with the shortfall that outsiders found (1 - outside rate): above 0
    where high scores came with low rates. Of the `top` third of the ranking `hits` were among the `worst` third by
    outside rate (with all that tie with its best); `hit_share` = hits / top stands beside the `base_rate` = worst /
    entities that any choice would have had, and `p` is the chance of as many hits by lot (hypergeometric). `accuracy`
    and `kappa` (Cohen 1960) set "in the top third" against "in the worst third". Null below `MIN_VISITED`.
    """

    entities: int
    rank_correlation: float
    top: int
    worst: int
    hits: int
    hit_share: float
    base_rate: float
    p: float
    accuracy: float
    kappa: float


def rank_next_visits(frame: pd.DataFrame) -> pd.DataFrame:
    """Entities in the order in which a visit is worth most: a plain ranking, not a probability of anything.

    Takes one row per entity, which its index names: `expected_optimism` (self rate minus the rate that an outsider
    would probably find, 0..1), `interval_width` of that estimate, `weight` (any size: weight of applicable answers,
    headcount), `rounds_since_outside` (0 is this round, null is never), `missing_inspections`, `open_major_findings`
    and, where groups were compared, `is_optimistic_group`. A column that is not there is null throughout. How low the
    self rate is plays no part: that is known without a visit.

    score = optimism x size x waited x lift, each shown as a column:

    - `optimism`: the expected one, at least `LEAST_OPTIMISM`; the median of the others where it is null;
    - `size`: weight / mean weight;
    - `waited`: rounds since the last outside check; never visited counts as one more than the longest wait of all, and
      than `LONG_AGO`;
    - `lift`: 1 + `LIFT` for each missing inspection and each open major finding, up to `MOST_LIFTED` of either.

    `rank` is 1, 2, ... without ties: of equal scores the less certain estimate comes first, then more missing
    inspections, more open major findings, and at last the order of the frame. `reasons` are codes of `REASONS` in
    their order. Without a weight an entity has neither score nor rank and comes last. The product follows what a visit
    can correct and is a convention, not an estimate: `judge_past_ranking` says how it would have done.
    """
    values = {
        name: _read(frame, name)
        for name in (
            "expected_optimism", "interval_width", "weight", "rounds_since_outside", "missing_inspections",
            "open_major_findings",
        )
    }  # fmt: skip
    expected, weight, since = values["expected_optimism"], values["weight"], values["rounds_since_outside"]
    missing = np.maximum(np.nan_to_num(values["missing_inspections"]), 0)
    majors = np.maximum(np.nan_to_num(values["open_major_findings"]), 0)
    typical = _find_median(expected)
    optimism = np.maximum(np.where(np.isnan(expected), np.nan_to_num(typical), expected), LEAST_OPTIMISM)
    weight = np.where(weight >= 0, weight, np.nan)
    mean = weight[weight > 0].mean() if (weight > 0).any() else 1.0
    longest = max(float(np.nan_to_num(since).max(initial=0)), LONG_AGO)
    waited = np.where(np.isnan(since), longest + 1, np.maximum(since, 0))
    lift = 1 + LIFT * (np.minimum(missing, MOST_LIFTED) + np.minimum(majors, MOST_LIFTED))
    score = optimism * (weight / mean) * waited * lift
    # The last key decides first; rounding keeps ties apart from the order of multiplication.
    keys = (-majors, -missing, -np.nan_to_num(values["interval_width"]), -np.round(np.nan_to_num(score, nan=-1.0), 12))
    order = np.lexsort((np.arange(len(frame)), *keys))
    if "is_optimistic_group" in frame:
        is_optimistic = frame["is_optimistic_group"].astype("boolean").fillna(False).to_numpy(dtype=np.bool_)
    else:
        is_optimistic = (expected > 0) & (expected >= OPTIMISTIC * typical)
    holds = np.column_stack(
        [np.isnan(since), since >= LONG_AGO, is_optimistic, _is_large(weight), missing > 0, majors > 0]
    )
    reasons = [tuple(reason for reason, is_held in zip(REASONS, row, strict=True) if is_held) for row in holds.tolist()]
    rank = np.empty(len(frame), dtype=np.int64)
    rank[order] = np.arange(1, len(frame) + 1)
    found = pd.DataFrame(
        {
            "rank": pd.array(rank, dtype="Int64"),
            "score": score,
            "optimism": optimism,
            "size": weight / mean,
            "waited": waited,
            "lift": lift,
            "reasons": pd.Series(reasons, index=frame.index, dtype=object),
        },
        index=frame.index,
    )
    found.loc[np.isnan(score), "rank"] = pd.NA
    return found.iloc[order]


def judge_past_ranking(frame: pd.DataFrame) -> PastRanking:
    """Back-test: what outsiders found at entities that an earlier ranking had put high.

    Takes the columns of `rank_next_visits` as they were known in an earlier round, and `outside_rate` (0..1, null
    where no outsider came) of the visits after it. Print it with its base rate: where most entities are good, nearly
    every forecast is right and tells nothing. Indicators foretold 79.7 % of the ratings of 6,860 practices correctly
    with a kappa of 0.097, since 78.8 % were rated good (Allen, Walshe, Proudlove & Sutton 2020, Br J Gen Pract
    70:e55); for hospitals see Griffiths et al. (2017, BMJ Qual Saf, 10.1136/bmjqs-2015-004687). The visited are no
    random sample.
    """
    # By position, because nothing forbids two rows of one name.
    ranked = rank_next_visits(frame.reset_index(drop=True))
    told = ranked.assign(rate=_read(frame, "outside_rate")[ranked.index]).dropna(subset=["rate", "score"])
    number = len(told)
    if number < MIN_VISITED:
        return PastRanking(number, float("nan"), 0, 0, 0, *[float("nan")] * 5)
    top = round(number / 3)
    is_top = np.arange(number) < top
    rates = told["rate"].to_numpy()
    is_worst = rates <= np.sort(rates)[top - 1]
    worst, hits = int(is_worst.sum()), int((is_top & is_worst).sum())
    score = told["score"].to_numpy()
    is_flat = np.ptp(score) == 0 or np.ptp(rates) == 0
    accuracy = float((is_top == is_worst).mean())
    chance = (top * worst + (number - top) * (number - worst)) / number**2
    return PastRanking(
        entities=number,
        rank_correlation=float("nan") if is_flat else float(stats.spearmanr(score, 1 - rates).statistic),
        top=top,
        worst=worst,
        hits=hits,
        hit_share=hits / top,
        base_rate=worst / number,
        p=float(stats.hypergeom.sf(hits - 1, number, worst, top)),
        accuracy=accuracy,
        kappa=(accuracy - chance) / (1 - chance) if chance < 1 else float("nan"),
    )


def _read(frame: pd.DataFrame, name: str) -> Floats:
    if name not in frame:
        return np.full(len(frame), np.nan)
    return np.asarray(frame[name].to_numpy(dtype=np.float64, na_value=np.nan))


def _find_median(values: Floats) -> float:
    told = values[~np.isnan(values)]
    return float(np.median(told)) if len(told) else float("nan")


def _is_large(weight: Floats) -> NDArray[np.bool_]:
    """In the upper quarter, and above the median where many are equal."""
    told = weight[~np.isnan(weight)]
    if not len(told):
        return np.zeros(len(weight), dtype=np.bool_)
    return np.asarray((weight >= np.quantile(told, 0.75)) & (weight > np.median(told)), dtype=np.bool_)
