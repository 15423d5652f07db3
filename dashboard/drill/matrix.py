"""A heat map of categories under their measures, against periods or another dimension."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pandas as pd

from dashboard.charts.heat import draw_heat
from dashboard.charts.parts import Chart
from dashboard.figures import (
    SMALL_NUMBER,
    describe_cells,
    list_columns,
    make_table,
    title_tooltips,
)
from dashboard.panels import OnPick, Panel, remembered
from dashboard.rates import make_distinct, say_weakest, title_across, write_cell
from dashboard.view import PERIOD, View
from dashboard.words import join_sentences
from metrics.catalog import MEASURES, METRICS

ALL: Final = " all"
LETTERS: Final = 30
PLACES: Final = {code: number for number, (code, _, _) in enumerate(MEASURES)}
Rows = list[tuple[str, str, str]]


@remembered
def show_category_matrix(
    view: View,
    metric: str,
    columns: str,
    *,
    key: str,
    period: str | None = None,
    on_pick: OnPick | None = None,
    note: str = "",
) -> Panel:
    """A rate of each category, under the total of its measure, by period or by another dimension.

    A click hands over measure_id, category_id and column_id; those of a total are empty.
    """
    over_time = columns == PERIOD

    def ask(*by: str) -> pd.DataFrame:
        return view.ask((metric,), by, period=None if over_time else period)

    cells = ask("measure", "category", columns)
    kept = ["measure", "category", columns, *(name for name in cells if name.startswith(metric))]
    parts = [cells, ask("measure", columns), ask(columns)]
    if not over_time:
        parts += [ask("measure", "category"), ask("measure"), ask()]
    full = pd.concat([part.reindex(columns=kept) for part in parts], ignore_index=True)
    measures = dict(view.read_labels("measure"))
    rows = list_rows(view, cells, measures)
    distinct = make_distinct([name for _, _, name in rows], [category for _, category, _ in rows])
    names = dict(zip([row[:2] for row in rows], distinct, strict=True))
    column_labels = view.label_rows(cells, columns)
    every = view.say("All")
    measures[""] = every
    drawn = describe_cells(full, metric, view).assign(
        measure_id=full["measure"].fillna(""),
        category_id=full["category"].fillna(""),
        column_id=full[columns].fillna(""),
        column=full[columns].fillna(ALL),
        column_label=[every if pd.isna(code) else column_labels.get(code, code) for code in full[columns]],
        measure=full["measure"].fillna("").map(measures),
        written=[write_cell(metric, value) for value in full[metric]],
    )
    found = zip(drawn["measure_id"], drawn["category_id"], strict=True)
    drawn = drawn.assign(row=[names.get(pair) for pair in found]).dropna(subset=["row"])
    title = title_across(view, metric, "category", columns, period)

    def draw() -> Chart:
        tooltips = title_tooltips(
            view,
            metric,
            row=view.label_dimension("category"),
            measure=view.label_dimension("measure"),
            column_label=view.label_dimension(columns),
        )
        spec, data = draw_heat(
            drawn,
            list(names.values()),
            column_labels | ({} if over_time else {ALL: every}),
            tooltips,
            picks=("measure_id", "category_id", "column_id"),
            are_periods=over_time,
            lower_is_better=METRICS[metric].direction != "higher_is_better",
            letters=LETTERS,
        )
        totals = [name for (_, category), name in names.items() if not category]
        spec["encoding"]["y"]["axis"]["labelFontWeight"] = {
            "condition": {"test": " || ".join(f"datum.value === {_quote(name)}" for name in totals), "value": 700},
            "value": 400,
        }
        inner = drawn[(drawn["category_id"] != "") & (drawn["column_id"] != "")]
        return Chart(spec, data, say_weakest(view, title, metric, inner), ("measure_id", "category_id", "column_id"))

    small = view.say("Pale: fewer than {number} behind the figure.", number=SMALL_NUMBER)
    notes = [
        note or view.say("Deeper colour: weaker."),
        view.say("In percent; bold: the measure as a whole. An empty cell has no answers."),
        small if drawn["is_small"].any() else "",
    ]
    by = ("measure", "category", columns)
    shown_period: dict[str, Callable[[pd.DataFrame], Any]] = (
        {PERIOD: lambda table: [view.say_period(code) for code in table[PERIOD]]} if over_time else {}
    )
    return Panel(
        key=key,
        title=title,
        note=join_sentences(view.language, notes),
        metrics=(metric,),
        table=make_table(view, cells, by, (metric,)).assign(
            measure_id=lambda table: table["measure"],
            category_id=lambda table: table["category"],
            column_id=lambda table: table[columns],
            **shown_period,
        ),
        columns=list_columns(view, by, (metric,)),
        chart=draw,
        on_pick=on_pick,
        is_empty=not drawn["rate"].notna().any(),
    )


def list_rows(view: View, cells: pd.DataFrame, measures: Mapping[str, str]) -> Rows:
    """Measure, category and label of each row: each measure before its categories, and all of them at the end."""
    pairs = dict(
        zip(zip(cells["measure"], cells["category"], strict=True), cells[f"category_{view.language}"], strict=True)
    )
    rows: Rows = []
    for measure in sorted({measure for measure, _ in pairs}, key=lambda code: (PLACES.get(code, len(PLACES)), code)):
        rows.append((measure, "", measures.get(measure, measure) or view.say("Not stated")))
        within = sorted(category for one, category in pairs if one == measure)
        rows += [(measure, category, pairs[measure, category] or view.say("Not stated")) for category in within]
    several = len({measure for measure, _, _ in rows}) > 1
    return [*rows, ("", "", view.say("All"))] if several else rows


def _quote(text: str) -> str:
    """A text as a Vega expression."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
