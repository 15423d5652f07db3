"""Panels of rates: over time, across two dimensions, ranked, and changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from dashboard.charts.heat import draw_heat
from dashboard.charts.lines import draw_lines
from dashboard.charts.parts import Chart
from dashboard.charts.ranks import draw_differences, draw_rank
from dashboard.downloads import Column
from dashboard.figures import (
    KINDS,
    SMALL_NUMBER,
    describe_cells,
    label_cells,
    list_columns,
    list_heads,
    make_table,
    say_change,
    title_tooltips,
    write_value,
)
from dashboard.panels import OnPick, Panel, remembered
from dashboard.view import PERIOD, View
from dashboard.words import begin_small, join_sentences, join_values, say_percent
from insights.intervals import find_wilson_interval
from metrics.catalog import METRICS
from metrics.targets import read_targets

MOST_RANKED: Final = 20
MOST_COLOURS: Final = 8


def show_over_time(view: View, metric: str, by: str, *, on_pick: OnPick | None = None, key: str = "") -> None:
    """A rate over periods, one line per value of a dimension, with the target where there is one."""
    # Targets are read at every run, because they change without a new build.
    found = read_targets(metric, view.periods)
    targets = {code: rate for code, rate in found.items() if rate is not None}
    _show_over_time(view, metric, by, targets, on_pick=on_pick, key=key)


@remembered
def _show_over_time(
    view: View, metric: str, by: str, targets: Mapping[str, float], *, on_pick: OnPick | None, key: str
) -> Panel:
    frame = view.ask((metric,), (PERIOD, by))
    labels = view.label_rows(frame, by)
    labels = dict(zip(labels, make_distinct(list(labels.values()), list(labels)), strict=True))
    title = title_over_time(view, metric, by)
    grid = pd.MultiIndex.from_product([view.periods, labels], names=[PERIOD, by])
    full = frame.set_index([PERIOD, by]).reindex(grid).reset_index()
    drawn = describe_cells(full, metric, view).assign(
        period=full[PERIOD],
        period_label=label_cells(view, full, PERIOD, {}),
        series=full[by].map(labels),
        id=full[by],
    )
    # Every series keeps its colour whatever is filtered, so the colours are those of all that can be chosen.
    choices = view.options.choices.get(by, {})
    every_label = [text.say(view.language) for text in choices.values()] if len(choices) <= MOST_COLOURS else []
    every_label += [label for label in labels.values() if label not in every_label]
    periods = {code: view.say_period(code) for code in view.periods}

    def draw() -> Chart:
        tooltips = title_tooltips(view, metric, series=view.label_dimension(by), period_label=view.say("Period"))
        spec, data = draw_lines(drawn, every_label, periods, tooltips, picks=("id", "period"), target=targets)
        newest = drawn.dropna(subset=["rate"]).sort_values("period").groupby("series", sort=False).tail(1)
        said = [f"{row.series} {row.written} ({row.period_label})" for row in newest.itertuples()]
        return Chart(
            spec,
            data,
            view.say("Line chart: {title}. Newest: {figures}.", title=title, figures=join_values(view.language, said)),
            ("id", "period"),
        )

    notes = [view.say("A period without inspections is a gap, not 0 %. The axis does not begin at 0 %.")]
    if targets:
        notes.append(view.say("Dotted: the target."))
    return Panel(
        key=key or f"{metric}-by-{by}",
        title=title,
        note=join_sentences(view.language, notes),
        metrics=(metric,),
        table=make_table(view, frame, (PERIOD, by), (metric,)).assign(
            id=lambda table: table[by],
            period_id=lambda table: table[PERIOD],
            period=lambda table: [view.say_period(code) for code in table[PERIOD]],
        ),
        columns=list_columns(view, (PERIOD, by), (metric,)),
        chart=draw,
        on_pick=on_pick,
        is_empty=not drawn["rate"].notna().any(),
    )


@remembered
def show_heat(
    view: View,
    metric: str,
    rows: str,
    columns: str,
    *,
    period: str | None = None,
    every_type: bool = False,
    with_totals: bool = True,
    on_pick: OnPick | None = None,
    key: str = "",
    note: str = "",
    letters: int = 21,
    most: int | None = None,
    **ids: tuple[str, ...],
) -> Panel:
    """A rate of two dimensions against each other, with the totals that the query layer counts itself.

    `columns` may be the period. `most` keeps the rows that are weakest over all columns.
    """
    over_time = columns == PERIOD
    more: dict[str, Any] = {"every_type": every_type, "period": None if over_time else period, **ids}
    cells = view.ask((metric,), (rows, columns), **more)
    sums = view.ask((metric,), (rows,), **more)
    row_labels = view.label_rows(cells, rows)
    if most is not None:
        worst = sums.sort_values(metric, ascending=METRICS[metric].direction != "lower_is_better")[rows].head(most)
        row_labels = {code: row_labels[code] for code in worst if code in row_labels}
        cells = cells[cells[rows].isin(row_labels)]
    column_labels = view.label_rows(cells, columns)
    parts = [cells]
    has_total = with_totals and len(row_labels) > 1
    if has_total:
        parts.append(view.ask((metric,), (columns,), **more))
    if with_totals and not over_time:
        parts += [sums[sums[rows].isin(row_labels)], *([view.ask((metric,), (), **more)] if has_total else [])]
    full = pd.concat(parts, ignore_index=True)
    every = view.say("All")
    total = "\0all"
    drawn = describe_cells(full, metric, view).assign(
        row=label_cells(view, full, rows, row_labels),
        column=full[columns].where(full[columns].notna(), total),
        column_label=[every if pd.isna(code) else column_labels.get(code, code) for code in full[columns]],
        row_id=full[rows].where(full[rows].notna(), ""),
        column_id=full[columns].where(full[columns].notna(), ""),
        written=[write_cell(metric, value) for value in full[metric]],
    )
    title = title_across(view, metric, rows, columns, period)
    row_order = [*row_labels.values(), *([every] if has_total else [])]
    column_order = dict(column_labels) | ({total: every} if with_totals and not over_time else {})

    def draw() -> Chart:
        tooltips = title_tooltips(
            view, metric, row=view.label_dimension(rows), column_label=view.label_dimension(columns)
        )
        lower = METRICS[metric].direction != "higher_is_better"
        spec, data = draw_heat(
            drawn,
            row_order,
            column_order,
            tooltips,
            picks=("row_id", "column_id"),
            are_periods=over_time,
            lower_is_better=lower,
            letters=letters,
        )
        return Chart(
            spec, data, say_weakest(view, title, metric, drawn[drawn["row_id"] != ""]), ("row_id", "column_id")
        )

    notes = [note or view.say("Deeper colour: weaker."), view.say("An empty cell has no answers.") if not note else ""]
    if drawn["is_small"].any():
        notes.append(view.say("Pale: fewer than {number} behind the figure.", number=SMALL_NUMBER))
    return Panel(
        key=key or f"{metric}-{rows}-{columns}",
        title=title,
        note=join_sentences(view.language, notes),
        metrics=(metric,),
        table=make_table(view, cells, (rows, columns), (metric,)).assign(
            row_id=lambda table: table[rows],
            column_id=lambda table: table[columns],
            **({PERIOD: lambda table: [view.say_period(code) for code in table[PERIOD]]} if over_time else {}),
        ),
        columns=list_columns(view, (rows, columns), (metric,)),
        chart=draw,
        on_pick=on_pick,
        is_empty=not drawn["rate"].notna().any(),
    )


def write_cell(metric: str, value: float) -> str:
    """A figure within a cell: rates in whole percent without their sign."""
    written = write_value(metric, value, 0) if METRICS[metric].unit in ("rate", "share") else write_value(metric, value)
    return "" if value != value else written.removesuffix("%")


@remembered
def show_rank(
    view: View,
    metric: str,
    by: str,
    *,
    period: str | None = None,
    title: str,
    peers: pd.Series | None = None,
    series: Mapping[str, str] | None = None,
    on_pick: OnPick | None = None,
    key: str = "",
    note: str = "",
    most: int = MOST_RANKED,
    best_first: bool = False,
    frame: pd.DataFrame | None = None,
) -> Panel:
    """Values of a dimension from the weakest on, with Wilson intervals; all of them are in the table.

    `peers` maps ids to the rate of their peers; `series` maps ids to the names that colours stand for.
    """
    if frame is None:
        frame = view.ask((metric, "applicable_answers"), (by,), period=period)
    frame = frame.dropna(subset=[metric])
    interval = find_wilson_interval(frame[metric], frame["applicable_answers"].fillna(0))
    frame = frame.assign(low=interval["low"], high=interval["high"])
    frame = frame.assign(peer=frame[by].map(peers) if peers is not None else float("nan"))
    frame = frame.sort_values([metric, by], ascending=[not best_first, True]).reset_index(drop=True)
    labels = view.label_rows(frame, by)
    names = [labels[code] for code in frame[by]]
    shown = frame.head(most)
    drawn = describe_cells(shown, metric, view).assign(
        row=make_distinct(names, frame[by].tolist())[:most],
        id=shown[by],
        low=shown["low"],
        high=shown["high"],
        interval=[
            view.say("{low} to {high}", low=say_percent(low), high=say_percent(high))
            for low, high in zip(shown["low"], shown["high"], strict=True)
        ],
        peer=shown["peer"],
        peer_written=[say_percent(rate) for rate in shown["peer"]],
        is_small=(shown["applicable_answers"] < SMALL_NUMBER),
        **({"series": shown[by].map(series)} if series else {}),
    )

    def draw() -> Chart:
        tooltips = {"row": view.label_dimension(by)} | title_tooltips(view, metric)
        tooltips["interval"] = view.say("95 % interval")
        if peers is not None:
            tooltips["peer_written"] = view.say("Peers of the same kind")
        spec, data = draw_rank(drawn, tooltips, picks=("id",), series=list(dict.fromkeys((series or {}).values())))
        said = [f"{row.row} {row.written} ({row.interval})" for row in drawn.head(5).itertuples()]
        return Chart(
            spec,
            data,
            view.say("Ranking: {title}. First: {figures}.", title=title, figures=join_values(view.language, said)),
            ("id",),
        )

    notes = [
        view.say("{shown} of {number} are drawn; the table has all.", shown=most, number=len(frame))
        if len(frame) > most
        else "",
        view.say("Band: 95 % Wilson interval over the answers; where bands overlap, the order may be chance."),
        view.say("Answers of one entity are not independent, so that bands over several entities are too narrow.")
        if (frame[f"{metric}_contributing"] > 1).any()
        else "",
        view.say("Stroke: peers of the same kind.") if peers is not None else "",
        note,
    ]
    name = f"{by}_{view.language}"
    columns = [
        Column(name, view.label_dimension(by), "text"),
        *([Column(by, view.say("Code"), "text")] if by == "entity" else []),
    ]
    columns += [
        Column(metric, view.label_metric(metric), KINDS[METRICS[metric].unit]),
        Column("low", view.say("Interval from"), "rate"),
        Column("high", view.say("Interval to"), "rate"),
        *([Column("peer", view.say("Peers of the same kind"), "rate")] if peers is not None else []),
        Column("applicable_answers", view.say("Answers"), "integer"),
        Column("entities", view.say("Entities"), "text"),
    ]
    return Panel(
        key=key or f"{metric}-rank-{by}",
        title=title,
        note=join_sentences(view.language, notes),
        metrics=(metric,),
        table=frame.assign(id=frame[by], entities=list_heads(view, frame, metric), **{name: names}),
        columns=tuple(columns),
        chart=draw,
        on_pick=on_pick,
    )


@remembered
def show_movers(
    view: View,
    metric: str,
    by: str,
    changes: pd.DataFrame,
    *,
    title: str,
    before: str,
    after: str,
    on_pick: OnPick | None = None,
    key: str = "",
    most: int = 10,
    note: str = "",
) -> Panel:
    """The largest changes down and up, of the frame that `find_changes` makes; the table has every row."""
    frame = changes.sort_values("change", key=abs, ascending=False).reset_index(drop=True)
    label = f"{by}_{view.language}"
    frame = frame.assign(**{label: frame[label].where(frame[label] != "", view.say("Not stated"))}, id=frame[by])
    moved = frame[frame["change"].fillna(0) != 0]
    down, up = moved[moved["change"] < 0].head(most // 2), moved[moved["change"] > 0].head(most // 2)
    shown = pd.concat([down, up]).sort_values("change") if len(moved) > most else moved.sort_values("change")
    lower = METRICS[metric].direction == "lower_is_better"
    drawn = pd.DataFrame(
        {
            "row": make_distinct(shown[label].tolist(), shown[by].tolist()),
            "id": shown[by],
            "change": shown["change"],
            "written": [say_change(metric, change) for change in shown["change"]],
            "is_worse": (shown["change"] > 0) == lower,
            "is_small": shown[[f"{metric}_denominator", f"{metric}_denominator_before"]].min(axis=1) < SMALL_NUMBER,
            "then": [write_value(metric, value) for value in shown[f"{metric}_before"]],
            "now": [write_value(metric, value) for value in shown[metric]],
        }
    )

    def draw() -> Chart:
        tooltips = {"row": view.label_dimension(by), "then": before, "now": after, "written": view.say("Change")}
        spec, data = draw_differences(drawn, tooltips, picks=("id",))
        said = [f"{row.row} {row.written}" for row in drawn.itertuples()]
        return Chart(
            spec,
            data,
            view.say("Bar chart: {title}. {figures}.", title=title, figures=join_values(view.language, said)),
            ("id",),
        )

    kind = KINDS[METRICS[metric].unit]
    columns = (
        Column(label, view.label_dimension(by), "text"),
        Column(f"{metric}_before", before, kind),
        Column(metric, after, kind),
        Column("change", view.say("Change"), "points" if kind == "rate" else "number"),
        Column(f"{metric}_denominator_before", view.say("Denominator, {period}", period=before), "number"),
        Column(f"{metric}_denominator", view.say("Denominator, {period}", period=after), "number"),
        Column("heads", view.say("Entities"), "text"),
    )
    heads = list_heads(view, frame.fillna({f"{metric}_contributing": 0}), metric)
    notes = [
        view.say("In percentage points; those that moved most. The table has all.") if kind == "rate" else "",
        note,
    ]
    return Panel(
        key=key or f"{metric}-movers-{by}",
        title=title,
        note=join_sentences(view.language, notes),
        metrics=(metric,),
        table=frame.assign(heads=heads),
        columns=columns,
        chart=draw if len(moved) else None,
        on_pick=on_pick,
    )


def make_distinct(names: Sequence[str], codes: Sequence[str]) -> list[str]:
    """Names for rows of a chart; the same name twice is told apart by the code."""
    number = Counter(names)
    return [f"{name} ({code})" if number[name] > 1 else name for name, code in zip(names, codes, strict=True)]


def title_over_time(view: View, metric: str, by: str) -> str:
    """Title of a rate over time."""
    return view.say(
        "{metric} by {dimension}",
        metric=view.label_metric(metric),
        dimension=begin_small(view.label_dimension(by), view.language),
    )


def title_across(view: View, metric: str, rows: str, columns: str, period: str | None) -> str:
    """Title of two dimensions against each other."""
    across = view.say(
        "{metric}: {rows} × {columns}",
        metric=view.label_metric(metric),
        rows=begin_small(view.label_dimension(rows), view.language),
        columns=begin_small(view.label_dimension(columns), view.language),
    )
    return (
        view.say("{title}, {period}", title=across, period=view.say_period(period))
        if period and columns != PERIOD
        else across
    )


def say_weakest(view: View, title: str, metric: str, cells: pd.DataFrame) -> str:
    """The text alternative of a heat map: its three weakest cells, or the highest where none is weak."""
    known = cells.dropna(subset=["rate"])
    higher = METRICS[metric].direction == "higher_is_better"
    first = known.nsmallest(3, "rate") if higher else known.nlargest(3, "rate")
    said = [f"{cell.row} × {cell.column_label} {write_value(metric, cell.rate)}" for cell in first.itertuples()]
    figures = join_values(view.language, said)
    if METRICS[metric].direction == "neutral":
        return view.say("Heat map: {title}. Highest: {figures}.", title=title, figures=figures)
    return view.say("Heat map: {title}. Weakest: {figures}.", title=title, figures=figures)
