"""What the charts share: the chart itself, axes, tooltips, labels and the span of an axis of rates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from dashboard.words import plain_lines

Spec = dict[str, Any]
LABEL_LETTERS: Final = 21
WORD_JOINER: Final = "\u2060"
"""A letter without width, which tells equal texts apart."""
PICK: Final = "pick"
"""Name of the selection that a click on a mark makes."""
SMALL_OPACITY: Final = 0.4
PLAIN_AXIS: Final[Spec] = {"ticks": False, "domain": False, "labelPadding": 8, "title": None}
# A mark's own colour does not follow the theme, but the colours of series do: the first is that of text, the second
# that of plain bars. What is drawn in them has them as a constant column.
ONE_COLOUR: Final[list[Spec]] = [{"calculate": "'ink'", "as": "ink"}, {"calculate": "'bar'", "as": "bar"}]
"""Transformations that a specification with INK or PLAIN_BAR begins with."""
INK: Final[Spec] = {"field": "ink", "type": "nominal", "legend": None, "scale": {"domain": ["ink"]}}
PLAIN_BAR: Final[Spec] = {"field": "bar", "type": "nominal", "legend": None, "scale": {"domain": ["", "bar"]}}


@dataclass(frozen=True)
class Chart:
    """A specification, the frame it draws, what it shows in words, and the fields that a click on a mark hands back."""

    spec: Spec
    data: pd.DataFrame
    alt: str
    picks: tuple[str, ...] = ()

    @cached_property
    def table(self) -> pa.Table:
        """The frame in the form in which it is sent."""
        return pa.Table.from_pandas(self.data, preserve_index=False)


def field(name: str, kind: str = "nominal", **more: Any) -> Spec:
    """An encoding of a column."""
    return {"field": name, "type": kind, "title": None} | more


def list_tooltips(titles: Mapping[str, str]) -> list[Spec]:
    """One line of a tooltip per column, in order, with its title."""
    return [{"field": name, "type": "nominal", "title": title} for name, title in titles.items()]


def pick_points(*fields: str) -> list[Spec]:
    """The selection that hands back these fields of the mark that was clicked."""
    # Every mark keeps its look: the click leads on, so nothing needs to be shown as chosen.
    return [{"name": PICK, "select": {"type": "point", "fields": list(fields), "toggle": False}}]


def period_axis(periods: Sequence[str], labels: Sequence[str]) -> Spec:
    """The axis of time: every period has its place, with or without a figure; the labels give way, first ones last."""
    named = (
        "{" + ", ".join(f"'{code}': {split_period(label)}" for code, label in zip(periods, labels, strict=True)) + "}"
    )
    return {
        **PLAIN_AXIS,
        "labelAngle": 0,
        "labelOverlap": "parity",
        "labelSeparation": 6,
        "labelFontSize": 11,
        "labelExpr": f"({named})[datum.value]",
        "grid": False,
    }


def split_period(label: str) -> str:
    """A period's label as one or two lines of an axis, as a Vega expression: the year below the part."""
    if " " in label:
        year, part = label.split(" ", 1)
        return f"['{part}', '{year}']"
    if "年度" in label and not label.endswith("年度"):
        year, part = label.split("年度", 1)
        return f"['{part}', '{year}年度']"
    return f"['{label}']"


@lru_cache(maxsize=10_000)
def wrap_label(label: str, letters: int = LABEL_LETTERS) -> str:
    """A label on at most two lines; full-width letters count double, and Japanese breaks anywhere."""
    lines = plain_lines(" ".join(label.split()), letters)
    if len(lines) > 2:
        last = lines[1]
        while len(last) > 1 and len(plain_lines(f"{last}…", letters)) > 1:
            last = last[:-1].rstrip()
        lines = [lines[0], f"{last}…"]
    return "\n".join(lines)


def wrap_labels(labels: Iterable[str], letters: int = LABEL_LETTERS) -> dict[str, str]:
    """Each label on its lines. Those that are cut to the same text stay apart, so that no row hides another."""
    wrapped: dict[str, str] = {}
    for label in dict.fromkeys(labels):
        text = wrap_label(label, letters)
        while text in wrapped.values():
            text += WORD_JOINER
        wrapped[label] = text
    return wrapped


def label_axis(labels: Sequence[str], limit: int = 170, letters: int = LABEL_LETTERS) -> Spec:
    """Scale and axis of rows that are named by labels, on up to two lines."""
    return {
        "scale": {"domain": list(wrap_labels(labels, letters).values()), "paddingInner": 0.06},
        "axis": {
            **PLAIN_AXIS,
            "labelExpr": "split(datum.value, '\\n')",
            "labelLimit": limit,
            "labelPadding": 10,
            "labelOverlap": False,
            "labelFlush": False,
            # Two lines are drawn from the middle down, so they are moved up by half a line.
            "labelOffset": {"condition": {"test": "indexof(datum.value, '\\n') >= 0", "value": -7}, "value": 0},
        },
    }


def find_rate_domain(rates: pd.Series) -> tuple[float, float]:
    """Steps of five percent around the rates, at least twenty percent wide, so that small differences stay small."""
    known = rates.dropna()
    if known.empty:
        return 0.0, 1.0
    if known.max() > 1:
        return float(min(known.min(), 0.7 * known.max())), float(known.max())
    low = max(0.0, (known.min() - 0.01) // 0.05 * 0.05)
    high = min(1.0, -(-(known.max() + 0.01) // 0.05) * 0.05)
    return round(max(0.0, min(low, high - 0.2)), 2), round(high, 2)
