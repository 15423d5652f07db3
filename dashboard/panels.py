"""Panels: a question, its chart, the same figures as a table, and how they are counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import altair as alt
import pandas as pd
import streamlit as st

from dashboard import charts, words
from dashboard.downloads import write_csv
from dashboard.filters import show_unknown
from dashboard.selection import say_selection
from dashboard.view import View
from dashboard.words import Language, Text, say_half, say_moment, say_number, say_percent

PANEL_WIDTH = 400
"""Pixels below which panels stand one below the other."""
ROWS_WITHOUT_SCROLLING = 7


@dataclass(frozen=True, slots=True)
class Panel:
    """What one panel shows."""

    key: str
    title: str
    note: str
    metric: str
    frame: pd.DataFrame
    by: tuple[str, ...]
    draw: Callable[[], alt.LayerChart]
    alt_text: str


def show_heading(title: Text, view: View) -> None:
    """Title, what is shown in words, and the moment and build behind every figure of the page."""
    st.title(title.say(view.language), anchor=False)
    with st.container(key="what-is-shown", gap=None):
        st.text(say_selection(view.selection, view.options))
        st.caption(words.KNOWN_AT_BUILD.say(view.language, known_at=say_moment(view.known_at), build=view.build.name))
    show_unknown(view.language)


def show_no_rows(view: View) -> None:
    """Say that no inspection matches, and what to do."""
    st.info(words.join_sentences(view.language, (words.NO_ROWS, words.NO_ROWS_DO)))


def show_over_time(view: View, metric: str, by: str) -> None:
    """A rate over half-years, one line per value of a dimension."""
    language = view.language
    frame = view.ask((metric,), ("fiscal_half", by))
    labels = view.label_rows(frame, by)
    grid = pd.MultiIndex.from_product([view.halves, labels], names=["fiscal_half", by])
    full = frame.set_index(["fiscal_half", by]).reindex(grid).reset_index()
    drawn = _describe_cells(full, metric, view).assign(
        half=full["fiscal_half"],
        half_label=[say_half(half, language) for half in full["fiscal_half"]],
        series=full[by].map(labels),
    )
    # Every series keeps its colour whatever is filtered, so the colours are those of all that can be chosen.
    every_label = [text.say(language) for text in view.options.choices[by].values()]
    every_label += [label for label in labels.values() if label not in every_label]
    title = _title_over_time(view, metric, by)
    newest = drawn.dropna(subset=["rate"]).sort_values("half").groupby("series", sort=False).tail(1)
    figures = (f"{row.series} {say_percent(row.rate)} ({row.half_label})" for row in newest.itertuples())
    titles = _title_tooltips(view, metric, series=view.label_dimension(by))
    show_panel(
        view,
        Panel(
            key=f"{metric}-by-{by}",
            title=title,
            note=words.GAPS.say(language),
            metric=metric,
            frame=frame.sort_values(["fiscal_half", by], ascending=[False, True]),
            by=("fiscal_half", by),
            draw=lambda: charts.draw_over_time(drawn, every_label, view.halves, titles, language),
            alt_text=words.CHART_OVER_TIME_ALT.say(
                language,
                title=title,
                figures=words.VALUE_JOIN.say(language).join(figures),
                first=say_half(view.halves[0], language),
                last=say_half(view.halves[-1], language),
            ),
        ),
    )


def show_heat_map(view: View, metric: str, rows: str, columns: str, half: str) -> None:
    """A rate of one half, two dimensions against each other, with the totals that the query layer counts itself."""
    language = view.language
    cells = view.ask((metric,), (rows, columns), half=half)
    totals = [view.ask((metric,), by, half=half) for by in ((rows,), (columns,), ())]
    full = pd.concat([cells, *totals], ignore_index=True)
    row_labels, column_labels = view.label_rows(cells, rows), view.label_rows(cells, columns)
    drawn = _describe_cells(full, metric, view).assign(
        row=_label_with_total(full[rows], row_labels, language),
        column=_label_with_total(full[columns], column_labels, language),
        column_label=_label_with_total(full[columns], column_labels, language),
    )
    title = words.ACROSS.say(
        language,
        metric=view.label_metric(metric),
        rows=_in_sentence(view.label_dimension(rows), view),
        columns=_in_sentence(view.label_dimension(columns), view),
        half=say_half(half, language),
    )
    every = words.ALL_OF.say(language)
    row_order, column_order = ([*labels.values(), every] for labels in (row_labels, column_labels))
    titles = _title_tooltips(view, metric, row=view.label_dimension(rows), column=view.label_dimension(columns))
    show_panel(
        view,
        Panel(
            key=f"{metric}-{rows}-{columns}",
            title=title,
            note=words.join_sentences(language, (words.DEEPER_IS_WEAKER, words.NOT_INSPECTED)),
            metric=metric,
            frame=cells.sort_values([rows, columns]),
            by=(rows, columns),
            draw=lambda: charts.draw_heat_map(drawn, row_order, column_order, titles),
            alt_text=_say_weakest(view, title, drawn[(drawn["row"] != every) & (drawn["column"] != every)]),
        ),
    )


def show_heat_over_time(view: View, metric: str, by: str, *, every_type: bool = False) -> None:
    """A rate over half-years, one row of cells per value of a dimension; rates at their ceiling would hide as lines."""
    language = view.language
    cells = view.ask((metric,), ("fiscal_half", by), every_type=every_type)
    labels = view.label_rows(cells, by)
    total = [] if every_type else [view.ask((metric,), ("fiscal_half",))]
    full = pd.concat([cells, *total], ignore_index=True)
    drawn = _describe_cells(full, metric, view).assign(
        row=_label_with_total(full[by], labels, language),
        column=full["fiscal_half"],
        column_label=[say_half(half, language) for half in full["fiscal_half"]],
        written=[say_percent(rate, digits=0).removesuffix("%") for rate in full[metric]],
    )
    title = _title_over_time(view, metric, by)
    row_order = [*labels.values(), *([] if every_type else [words.ALL_OF.say(language)])]
    notes = [words.NO_PLAN, words.DEEPER_IS_WEAKER]
    notes += [words.ALL_TYPES_SHOWN] if every_type else []
    notes += [words.WHOLE_INSPECTIONS] if view.selection.values("measure") or view.selection.values("domain") else []
    titles = _title_tooltips(view, metric, row=view.label_dimension(by), column=words.HALF.say(language))
    show_panel(
        view,
        Panel(
            key=f"{metric}-by-{by}",
            title=title,
            note=words.join_sentences(language, notes),
            metric=metric,
            frame=cells.sort_values(["fiscal_half", by], ascending=[False, True]),
            by=("fiscal_half", by),
            draw=lambda: charts.draw_heat_map(drawn, row_order, view.halves, titles, language),
            alt_text=_say_weakest(view, title, drawn),
        ),
    )


def show_panel(view: View, panel: Panel) -> None:
    """Draw a panel: its chart first, the table and the definition one click away."""
    language = view.language
    with st.container(border=True, key=panel.key, height="stretch"):
        st.subheader(panel.title, anchor=False)
        chart, table, counted = st.tabs(
            [words.TAB_CHART.say(language), words.TAB_TABLE.say(language), words.TAB_COUNTED.say(language)]
        )
        with chart:
            if panel.frame[panel.metric].notna().any():
                st.altair_chart(panel.draw(), alt=panel.alt_text, key=f"{panel.key}-chart")
                st.caption(panel.note)
            else:
                st.info(words.NO_ROWS.say(language))
        with table:
            _show_table(view, panel)
        with counted:
            st.markdown(f"**{view.label_metric(panel.metric)}.** {view.describe_metric(panel.metric)}")
            st.markdown(words.RATIO_OF_SUMS.say(language))
            st.markdown(words.EXPECTED_MEANS.say(language))


def _show_table(view: View, panel: Panel) -> None:
    """The figures behind the chart, and the same rows as a file."""
    language, metric = view.language, panel.metric
    labels = {name: f"{name}_{language}" for name in panel.by}
    shown = panel.frame[[*labels.values(), metric, f"{metric}_numerator", f"{metric}_denominator"]].assign(
        entities=_describe_cells(panel.frame, metric, view)["entities"].tolist()
    )
    if "fiscal_half" in panel.by:
        shown = shown.assign(
            **{labels["fiscal_half"]: [say_half(half, language) for half in panel.frame["fiscal_half"]]}
        )
    number = st.column_config.NumberColumn
    config = {label: st.column_config.TextColumn(view.label_dimension(name)) for name, label in labels.items()} | {
        metric: number(view.label_metric(metric), format="percent"),
        f"{metric}_numerator": number(words.NUMERATOR.say(language), format="localized"),
        f"{metric}_denominator": number(words.DENOMINATOR.say(language), format="localized"),
        "entities": st.column_config.TextColumn(words.ENTITIES_TITLE.say(language), alignment="right"),
    }
    height: int | Literal["content"] = charts.LINE_HEIGHT if len(shown) > ROWS_WITHOUT_SCROLLING else "content"
    st.dataframe(shown, hide_index=True, column_config=config, height=height, alt=panel.title)
    st.download_button(
        words.DOWNLOAD.say(language),
        lambda: write_csv(panel.frame.assign(known_at=say_moment(view.known_at), build=view.build.name)),
        file_name=f"tenken-{panel.key}-{view.build.name}.csv",
        mime="text/csv",
        key=f"{panel.key}-csv",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )


def _describe_cells(frame: pd.DataFrame, metric: str, view: View) -> pd.DataFrame:
    """The columns that charts draw and their tooltips say, and nothing else."""
    sums = zip(frame[f"{metric}_numerator"], frame[f"{metric}_denominator"], strict=True)
    heads = zip(frame[f"{metric}_contributing"], frame[f"{metric}_expected"], strict=True)
    return pd.DataFrame(
        {
            "rate": frame[metric].astype(float),
            "written": [say_percent(rate) for rate in frame[metric]],
            "counted": [
                words.RATIO.say(view.language, numerator=say_number(up), denominator=say_number(down))
                for up, down in sums
            ],
            "entities": [
                words.OF_EXPECTED.say(view.language, contributing=say_number(some), expected=say_number(full))
                for some, full in heads
            ],
        }
    )


def _title_tooltips(view: View, metric: str, **titles: str) -> dict[str, str]:
    language = view.language
    counted = f"{words.NUMERATOR.say(language)} / {words.DENOMINATOR.say(language).lower()}"
    return titles | {
        "half": words.HALF.say(language),
        "rate": view.label_metric(metric),
        "counted": counted,
        "entities": words.ENTITIES_TITLE.say(language),
    }


def _title_over_time(view: View, metric: str, by: str) -> str:
    return words.OVER_TIME_BY.say(
        view.language, metric=view.label_metric(metric), dimension=_in_sentence(view.label_dimension(by), view)
    )


def _say_weakest(view: View, title: str, cells: pd.DataFrame) -> str:
    """The text alternative of a heat map: its three weakest cells."""
    weakest = cells.dropna(subset=["rate"]).nsmallest(3, "rate")
    figures = (f"{cell.row} × {cell.column_label} {say_percent(cell.rate)}" for cell in weakest.itertuples())
    return words.CHART_HEAT_ALT.say(
        view.language, title=title, figures=words.VALUE_JOIN.say(view.language).join(figures)
    )


def _label_with_total(codes: pd.Series, labels: Mapping[str, str], language: Language) -> list[str]:
    """Labels of the ids of a column; rows without an id are the total."""
    return [words.ALL_OF.say(language) if pd.isna(code) else labels.get(code, code) for code in codes]


def _in_sentence(label: str, view: View) -> str:
    """A label within a sentence: English ones begin small."""
    return label[:1].lower() + label[1:] if view.language == "en" else label
