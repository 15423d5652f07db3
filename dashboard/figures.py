"""From answer frames to what charts draw, tooltips say and tables hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from dashboard.answers import tell_apart
from dashboard.downloads import Column, ColumnKind
from dashboard.view import PERIOD, View
from dashboard.words import say_number, say_percent, say_points
from metrics.catalog import METRICS

SMALL_NUMBER: Final = 30
"""Answers or inspections below which a rate is shown grey."""
KINDS: Final[dict[str, ColumnKind]] = {
    "rate": "rate",
    "share": "rate",
    "count": "integer",
    "score": "number",
    "days": "number",
}


def write_value(metric: str, value: float | None, digits: int = 1) -> str:
    """A figure as it is shown."""
    return say_percent(value, digits) if METRICS[metric].unit in ("rate", "share") else say_number(value)


def describe_cells(frame: pd.DataFrame, metric: str, view: View) -> pd.DataFrame:
    """The columns that charts draw and their tooltips say: rate, written, counted, entities, is_small.

    One row per row of the frame, with its index.
    """
    up, down = frame[f"{metric}_numerator"], frame[f"{metric}_denominator"]
    is_ratio = METRICS[metric].is_ratio
    counted = [
        f"{say_number(one)} / {say_number(two)}" if is_ratio else say_number(one)
        for one, two in zip(up, down, strict=True)
    ]
    return pd.DataFrame(
        {
            "rate": frame[metric].astype(float).to_numpy(),
            "written": [write_value(metric, value) for value in frame[metric]],
            "counted": counted,
            "entities": list_heads(view, frame, metric),
            "is_small": (down < SMALL_NUMBER).to_numpy() if is_ratio else [False] * len(frame),
        },
        index=frame.index,
    )


def say_heads(view: View, contributing: float, expected: float) -> str:
    """How many entities stand behind a figure, of those expected where that is known."""
    if expected != expected:
        return say_number(contributing)
    return view.say(
        "{contributing} of {expected}", contributing=say_number(contributing), expected=say_number(expected)
    )


def list_heads(view: View, frame: pd.DataFrame, metric: str) -> list[str]:
    """How many entities stand behind each row of a frame."""
    return [
        say_heads(view, some, full)
        for some, full in zip(frame[f"{metric}_contributing"], frame[f"{metric}_expected"], strict=True)
    ]


def title_tooltips(view: View, metric: str, **titles: str) -> dict[str, str]:
    """Titles of a tooltip's lines: what names the mark, the figure, how it is counted, and the entities behind it."""
    counted = view.say("Numerator / denominator") if METRICS[metric].is_ratio else view.say("Number")
    return titles | {"written": view.label_metric(metric), "counted": counted, "entities": view.say("Entities")}


def label_cells(view: View, frame: pd.DataFrame, dimension: str, labels: Mapping[str, str]) -> list[str]:
    """Labels of the ids of a column; rows without an id are the total."""
    if dimension == PERIOD:
        return [view.say_period(code) for code in frame[PERIOD]]
    return [view.say("All") if pd.isna(code) else labels.get(code, code) for code in frame[dimension]]


def find_changes(view: View, metric: str, by: Sequence[str], before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Both figures of each row that has any, and the change: points for rates, else numbers. Ids in `by`."""
    frames = f"{tell_apart(before)} {tell_apart(after)}"
    return view.remember(f"changes {metric} {by} {frames}", lambda: _find_changes(view, metric, by, before, after))


def _find_changes(
    view: View, metric: str, by: Sequence[str], before: pd.DataFrame, after: pd.DataFrame
) -> pd.DataFrame:
    keys = [*by, *(f"{name}_{view.language}" for name in by)]
    parts = [metric, f"{metric}_numerator", f"{metric}_denominator", f"{metric}_contributing", f"{metric}_expected"]
    both = before[[*keys, *parts]].merge(after[[*keys, *parts]], on=list(by), how="outer", suffixes=("_before", ""))
    for name in by:
        label = f"{name}_{view.language}"
        both[label] = both[label].fillna(both[f"{label}_before"])
    scale = 100 if METRICS[metric].unit in ("rate", "share") else 1
    return both.assign(change=(both[metric] - both[f"{metric}_before"]) * scale)


def say_change(metric: str, change: float) -> str:
    """A change as it is shown."""
    if METRICS[metric].unit in ("rate", "share"):
        return say_points(change)
    return "–" if change != change else f"{change:+,.1f}".removesuffix(".0").replace("-", "−")


def list_columns(view: View, by: Sequence[str], metrics: Sequence[str]) -> tuple[Column, ...]:
    """Columns of a table of figures: labels of the dimensions, then each metric with its parts where it is a ratio."""
    columns = [
        Column(PERIOD if name == PERIOD else f"{name}_{view.language}", view.label_dimension(name), "text")
        for name in by
    ]
    for metric in metrics:
        columns.append(Column(metric, view.label_metric(metric), KINDS[METRICS[metric].unit]))
        if METRICS[metric].is_ratio and len(metrics) == 1:
            columns.append(Column(f"{metric}_numerator", view.say("Numerator"), "number"))
            columns.append(Column(f"{metric}_denominator", view.say("Denominator"), "number"))
    if len(metrics) == 1:
        columns.append(Column("entities", view.say("Entities"), "text"))
    return tuple(columns)


def make_table(view: View, frame: pd.DataFrame, by: Sequence[str], metrics: Sequence[str]) -> pd.DataFrame:
    """The rows of such a table, newest period first, with the ids in front."""
    first = metrics[0]
    table = frame.assign(entities=list_heads(view, frame, first))
    keys = [name for name in (PERIOD, *by) if name in by]
    if keys:
        keys = list(dict.fromkeys(keys))
        table = table.sort_values(keys, ascending=[name != PERIOD for name in keys])
    names = {}
    for name in by:
        label = f"{name}_{view.language}"
        if name != PERIOD:
            names[label] = table[label].where(table[label] != "", view.say("Not stated"))
    return table.assign(**names).reset_index(drop=True)
