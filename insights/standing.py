"""Where an entity stands among its peers: the deviation score (偏差値), and a percentile that assumes no normality."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from scipy import special

MIN_PEERS: Final = 10
"""Entities that there must be in a group of peers; with fewer, one entity moves everybody's score."""
MIDDLE: Final = 50
STEP: Final = 10
"""Points of the deviation score that are worth one standard deviation."""
NO_SPREAD: Final = 1e-9
"""A standard deviation under this is rounding: all peers are alike."""


def find_standing(values: pd.Series, peers: pd.Series | None = None, *, higher_is_better: bool = True) -> pd.DataFrame:
    """Standing of each entity among its peers: values (such as rates), and the name of each entity's group of peers.

    One row per entity, on the index of the values: peers (entities of the group with a value, itself included), mean
    and deviation (of the peers), score (偏差値: (x − mean) ÷ standard deviation × 10 + 50, the standard deviation of
    all peers as in Japanese schools), percentile (0..1: share of the other peers that are worse, ties counting half).
    Where lower is better, the sign of both turns. The percentile is true for any distribution; the share that a score
    stands for is true for a normal one only, see `find_share_above`.

    Without `peers` all are peers. Entities without a value have no standing, and count for nobody. Null with fewer
    than MIN_PEERS peers, or where all peers have the same value; an entity without a group has no peers.
    """
    value = values.astype(float)
    value = value.where(np.isfinite(value))
    group = pd.Series(0, index=value.index) if peers is None else peers.set_axis(value.index)
    grouped = value.groupby(group, sort=False, observed=True)
    number = grouped.transform("count").fillna(0).where(value.notna(), 0)
    mean = grouped.transform("mean")
    deviation = np.sqrt(((value - mean) ** 2).groupby(group, sort=False, observed=True).transform("mean"))
    # Average ranks count each tie as half below.
    below = grouped.rank(method="average") - 1
    is_known = (number >= MIN_PEERS) & (deviation > NO_SPREAD)
    score = (value - mean) / deviation.where(is_known)
    share = (below / (number - 1).where(is_known)).where(is_known)
    if not higher_is_better:
        score, share = -score, 1 - share
    return pd.DataFrame(
        {
            "peers": number.astype(int),
            "mean": mean.where(is_known),
            "deviation": deviation.where(is_known),
            "score": MIDDLE + STEP * score,
            "percentile": share,
        },
        index=values.index,
    )


def find_share_above(scores: pd.Series) -> pd.Series:
    """Share of peers (0..1) above a deviation score, were they normally distributed: 60 leaves 15.9 % above."""
    return pd.Series(special.ndtr((MIDDLE - scores.astype(float)) / STEP), index=scores.index)
