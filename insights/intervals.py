"""Intervals of rates."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

Z_95: Final = 1.959963984540054
"""Standard normal deviate of a two-sided 95 % interval."""


def find_wilson_interval(rates: pd.Series, counts: pd.Series, z: float = Z_95) -> pd.DataFrame:
    """Wilson score interval of each rate (0..1) over a count of answers: columns low and high, null without a count.

    Wilson (1927), as method 3 of Newcombe (1998), Stat Med 17:857. A rate with half points has less variance than a
    proportion, so the interval is wide enough. It takes answers as independent: over several entities it is too narrow.
    """
    rate = rates.astype(float).to_numpy()
    count = counts.astype(float).where(counts > 0).to_numpy()
    centre = rate + z**2 / (2 * count)
    reach = z * np.sqrt(np.clip(rate * (1 - rate), 0, None) / count + z**2 / (4 * count**2))
    whole = 1 + z**2 / count
    return pd.DataFrame(
        {"low": np.clip((centre - reach) / whole, 0, 1), "high": np.clip((centre + reach) / whole, 0, 1)},
        index=rates.index,
    )
