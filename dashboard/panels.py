"""Panels: a question, its chart, the same figures as a table, how they are counted, and all of it as files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial, wraps
from typing import Any, Final, Literal

import pandas as pd
import streamlit as st

from dashboard import answers
from dashboard.access import entrance, trail
from dashboard.charts.parts import PICK, Chart
from dashboard.downloads import Column, write_csv, write_xlsx
from dashboard.filters import read_unknown
from dashboard.navigation import count_clicks
from dashboard.pictures import draw_picture
from dashboard.selection import list_filters, name_filter, say_selection, say_span
from dashboard.view import View
from dashboard.words import Language, join_sentences, join_values, plain, say_moment, say_number, translate
from metrics.catalog import METRICS
from metrics.targets import TargetProblem

PANEL_WIDTH: Final = 400
"""Pixels below which panels stand one below the other."""
TABLE_HEIGHT: Final = 330
ROWS_WITHOUT_SCROLLING: Final = 8
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

NO_ROWS: Final = pd.DataFrame()

OnPick = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Panel:
    """What one panel shows. A click on a mark or a row hands `on_pick` the chart's picks, or the row of `table`.

    Of a long table the first `most_shown` rows are sent to the browser; files have all.
    """

    key: str
    title: str
    table: pd.DataFrame
    columns: tuple[Column, ...]
    metrics: tuple[str, ...] = ()
    chart: Callable[[], Chart] | None = None
    note: str = ""
    definition: str = ""
    on_pick: OnPick | None = None
    height: int = TABLE_HEIGHT
    is_empty: bool = False
    most_shown: int | None = None


def run_page(page: Any) -> None:
    """Run a page of the navigation; targets that cannot be used end it with what is to be mended."""
    try:
        page.run()
    except TargetProblem as problem:
        st.error(plain(str(problem)), icon=":material/edit_document:")


def show_heading(view: View, title: str, question: str = "") -> None:
    """Title, what the page answers, what is shown in words, and the moment and build behind every figure."""
    st.title(plain(title), anchor=False)
    with st.container(key="what-is-shown", gap=None):
        if question:
            st.caption(question)
        st.text(say_selection(view.selection, view.options))
        st.caption(
            view.say("As known at {known_at} UTC · {build}", known_at=say_moment(view.known_at), build=view.build.name)
        )
        if not view.build.scope.is_whole:
            st.caption(f":material/lock: {plain(say_scope(view))}")
        if view.has_several_types:
            st.caption(view.say("Several kinds of inspection are added up here; they do not measure the same thing."))


def say_scope(view: View) -> str:
    """How much of the group the reader may see, in words."""
    scope = view.build.scope
    sentences = []
    if scope.entity_codes is not None:
        number = len(scope.entity_codes)
        sentences.append(
            view.say("Every figure is of the one entity that you may see, also where it says group or region.")
            if number == 1
            else view.say(
                "Every figure is of the {number} entities that you may see, also where it says group or region.",
                number=number,
            )
        )
        if view.build.comparison_k is not None:
            sentences.append(view.say("Only “Beside the group” tells of others."))
    held = (("inspection_type", scope.inspection_types), ("domain", scope.domains))
    for dimension, ids in held:
        if ids is not None:
            names = join_values(view.language, [view.label_id(dimension, one) for one in ids])
            sentences.append(view.say("Held to: {names}.", names=names))
    return join_sentences(view.language, sentences)


def show_unknown(language: Language, *, is_named: bool) -> None:
    """Name what the address holds and is not known here; its values only to whom every value is open."""
    unknown = read_unknown()
    if unknown:
        # As plain text, because anybody can write a link.
        names = dict.fromkeys(one.partition("=")[0] for one in unknown)
        with st.container(border=True, key="unknown-values"):
            st.text(translate(language, "This link names values that are not known here. They were left out:"))
            st.text("\n".join(unknown if is_named else names))


def show_no_rows(view: View, metric: str) -> None:
    """Say that nothing matches, which filter empties it, and what to do."""
    emptying = [
        name
        for name in list_filters(view.selection)
        if (view.loosen(name).ask((metric,), with_entities=False)[f"{metric}_numerator"].fillna(0) > 0).any()
    ]
    names = join_values(view.language, [name_filter(name, view.language) for name in emptying])
    sentences = [view.say("Nothing matches these filters.")]
    if len(emptying) == 1:
        sentences.append(
            view.say("It is the filter “{name}” that leaves nothing; there is something without it.", name=names)
        )
    elif emptying:
        sentences.append(
            view.say("Each of these filters leaves nothing, and there is something without it: {names}.", names=names)
        )
    else:
        sentences.append(view.say("No single filter is the cause: clear several of them in the sidebar."))
    st.info(join_sentences(view.language, sentences), icon=":material/filter_alt:")


def say_nothing(view: View, key: str, title: str, sentence: str) -> None:
    """A panel that has nothing to tell, and why."""
    with st.container(border=True, key=key, height="stretch"):
        st.subheader(plain(title), anchor=False)
        st.info(sentence)


def say_coverage_note(view: View, *, every_type: bool = False) -> str:
    """How to read cells of coverage, and which filters it does not know."""
    notes = [view.say("In percent. A period without a plan is empty, not 0 %; planned but not inspected is 0 %.")]
    if every_type:
        notes.append(view.say("All inspection types, each in its own row, whatever the filter by inspection type."))
    if view.has_item_filter():
        notes.append(
            view.say(
                "Coverage counts whole inspections, so the filters by measure, domain and category do not apply to it."
            )
        )
    return join_sentences(view.language, notes)


def has_rows(view: View, metric: str) -> bool:
    """Whether anything of a metric is behind the view."""
    frame = view.ask((metric,), with_entities=False)
    base = f"{metric}_denominator" if METRICS[metric].is_ratio else f"{metric}_numerator"
    return bool((frame[base].fillna(0) > 0).any())


def remembered(make: Callable[..., Panel]) -> Callable[..., None]:
    """Turn what makes a panel into what shows it: a panel asked for again is not made again.

    Making one costs more than sending it. What it depends on is the view, the arguments and the frames among them.
    """

    @wraps(make)
    def show(view: View, *args: object, **more: object) -> None:
        given = [answers.tell_apart(one) for one in args], {name: answers.tell_apart(one) for name, one in more.items()}
        asked = f"{make.__module__}.{make.__qualname__} {given}"
        show_panel(view, view.remember(asked, lambda: draw_once(make(view, *args, **more))))

    return show


def draw_once(panel: Panel) -> Panel:
    """The same panel, whose chart is drawn no more than once."""
    return replace(panel, chart=cache(panel.chart)) if panel.chart else panel


def show_panel(view: View, panel: Panel) -> None:
    """Draw a panel; what is behind its other tabs is made when they are opened."""
    trail.note_shown(panel.key, len(panel.table))
    with st.container(border=True, key=panel.key, height="stretch"):
        st.subheader(plain(panel.title), anchor=False)
        if panel.is_empty or panel.table.empty:
            st.info(view.say("Nothing matches these filters."))
            return
        names = [view.say("Table"), view.say("How this is counted"), view.say("Download")]
        if panel.chart:
            names.insert(0, view.say("Chart"))
        tabs = st.tabs(names, key=f"{panel.key}-tabs", on_change="rerun")
        draw: list[Callable[[], None]] = [
            lambda: show_table(view, panel),
            lambda: show_definition(view, panel),
            lambda: show_downloads(view, panel),
        ]
        if panel.chart:
            draw.insert(0, lambda: show_chart(panel))
        for tab, show in zip(tabs, draw, strict=True):
            if tab.open:
                with tab:
                    show()
        if panel.note and (tabs[0].open or (panel.chart and tabs[1].open)):
            st.caption(panel.note)


def show_chart(panel: Panel) -> None:
    """The chart, with what a click on a mark does."""
    assert panel.chart
    chart = panel.chart()
    on_pick = panel.on_pick
    key = f"{panel.key}-chart-{count_clicks()}"
    if on_pick and chart.picks:
        st.vega_lite_chart(
            chart.table,
            chart.spec,
            alt=chart.alt,
            key=key,
            on_select=partial(_pick_mark, key, on_pick),
            selection_mode=PICK,
        )
    else:
        st.vega_lite_chart(chart.table, chart.spec, alt=chart.alt, key=f"{panel.key}-chart")


def _pick_mark(key: str, on_pick: OnPick) -> None:
    picked = st.session_state[key].selection.get(PICK)
    if picked:
        on_pick(picked[0])


def show_table(view: View, panel: Panel) -> None:
    """The rows as they are downloaded; a click on one does what a click on its mark does."""
    shown = panel.table if panel.most_shown is None else panel.table.head(panel.most_shown)
    show_rows(view, shown, panel.columns, f"{panel.key}-rows", panel.title, panel.on_pick, panel.height)
    if len(shown) < len(panel.table):
        st.caption(
            view.say(
                "The first {shown} of {number} rows; the files under Download have all.",
                shown=say_number(len(shown)),
                number=say_number(len(panel.table)),
            )
        )


def show_rows(
    view: View,
    table: pd.DataFrame,
    columns: Sequence[Column],
    key: str,
    alt: str,
    on_pick: OnPick | None = None,
    height: int = TABLE_HEIGHT,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """A table of typed columns, and nothing else of the frame."""
    trail.note_shown(key, len(table))
    shown = table[[column.name for column in columns]]
    flags = [column.name for column in columns if column.kind == "flag"]
    if flags:
        shown = shown.assign(
            **{name: ["✓" if pd.notna(flag) and flag else "" for flag in shown[name]] for name in flags}
        )
    texts = [column.name for column in columns if column.kind == "text" and column.name not in (extra or {})]
    # A table would write "None" where nothing was written.
    shown = shown.assign(**{name: shown[name].astype(object).where(shown[name].notna(), "") for name in texts})
    config = {column.name: configure_column(column) for column in columns} | dict(extra or {})
    tall: int | Literal["content"] = height if len(shown) > ROWS_WITHOUT_SCROLLING else "content"
    if on_pick is None:
        st.dataframe(shown, hide_index=True, column_config=config, height=tall, alt=alt, key=key, placeholder="")
        return
    clicked = f"{key}-{count_clicks()}"
    st.dataframe(
        shown,
        hide_index=True,
        column_config=config,
        height=tall,
        alt=alt,
        key=clicked,
        placeholder="",
        on_select=partial(_pick_row, clicked, table, on_pick),
        selection_mode="single-row",
    )


def _pick_row(key: str, table: pd.DataFrame, on_pick: OnPick) -> None:
    rows = st.session_state[key].selection.rows
    if rows and rows[0] < len(table):
        on_pick(table.iloc[rows[0]].to_dict())


def configure_column(column: Column) -> Any:
    """How a table shows a column."""
    config = st.column_config
    if column.kind == "text":
        return config.TextColumn(column.label)
    if column.kind == "flag":
        return config.TextColumn(column.label, width="small")
    if column.kind == "date":
        return config.DateColumn(column.label, format="YYYY-MM-DD")
    if column.kind == "moment":
        return config.DatetimeColumn(column.label, format="YYYY-MM-DD HH:mm")
    forms = {
        "rate": "percent",
        "points": "%+.1f pt",
        "fine_points": "%+.2f pt",
        "integer": "localized",
        "number": "localized",
    }
    return config.NumberColumn(column.label, format=forms[column.kind])


def show_definition(view: View, panel: Panel) -> None:
    """What each figure means, how it is counted, and what it rests on."""
    for metric in panel.metrics:
        st.markdown(f"**{view.label_metric(metric)}.** {view.describe_metric(metric)}")
    if panel.definition:
        st.markdown(panel.definition)
    if any(METRICS[metric].is_ratio for metric in panel.metrics):
        st.markdown(
            view.say(
                "Every rate is a ratio of sums: the numerators of all entities added up, divided by their denominators "
                "added up. It is never a mean of rates."
            )
        )
        st.markdown(
            view.say(
                "Entities, such as 13 of 14: those behind a figure, of those whose inspection was planned or done."
            )
        )
    if not view.build.scope.is_whole:
        st.text(say_scope(view))
    st.text(
        view.say(
            "Period: {span}. As known at {known_at} UTC. Build: {build}.",
            span=say_span(view.selection, view.options),
            known_at=say_moment(view.known_at),
            build=view.build.name,
        )
    )


def show_downloads(view: View, panel: Panel) -> None:
    """Exactly what the panel shows, as files; each is made when it is asked for."""
    st.caption(view.say("Files hold the rows shown here; the workbook also says what they mean and rest on."))
    with st.container(horizontal=True):
        offer_tables(view, panel)
        if panel.chart:
            forms: tuple[tuple[Literal["png", "svg"], str], ...] = (("png", "image/png"), ("svg", "image/svg+xml"))
            for form, mime in forms:
                download(view, panel, form.upper(), form, mime, partial(write_picture, view, panel, form))


def offer_tables(view: View, panel: Panel) -> None:
    """The rows of a panel as CSV and as a workbook."""
    download(view, panel, "CSV", "csv", "text/csv", partial(write_csv, panel.table, panel.columns))
    download(view, panel, "Excel", "xlsx", XLSX, partial(write_workbook, view, panel))


def download(view: View, panel: Panel, label: str, ending: str, mime: str, make: Callable[[], bytes]) -> None:
    """A button that makes a file and hands it over."""
    name = f"tenken-{panel.key}-{view.build.name}.{ending}"
    st.download_button(
        label,
        entrance.hand_over(make, name, len(panel.table)),
        file_name=name,
        mime=mime,
        key=f"{panel.key}-{label}",
        on_click="ignore",
        icon=":material/download:",
    )


def list_about(
    view: View, title: str, metrics: Sequence[str], note: str = "", definition: str = ""
) -> list[tuple[str, str]]:
    """What a file says of itself: title, filters, period, knowledge date, build and definitions."""
    rows = [
        (view.say("Title"), title),
        (view.say("Filters"), say_selection(view.selection, view.options)),
        (view.say("Period"), say_span(view.selection, view.options)),
        (view.say("As known at (UTC)"), say_moment(view.known_at)),
        (view.say("Build"), view.build.name),
    ]
    if not view.build.scope.is_whole:
        rows.append((view.say("What you may see"), say_scope(view)))
    rows += [(view.label_metric(metric), view.describe_metric(metric)) for metric in metrics]
    rows += [(view.say("Note"), text) for text in (note, definition) if text]
    return rows


def write_workbook(view: View, panel: Panel) -> bytes:
    """The table as a workbook, with a sheet that says what it is."""
    about = list_about(view, panel.title, panel.metrics, panel.note, panel.definition)
    return write_xlsx(panel.title, panel.table, panel.columns, about, view.say("About"))


def write_picture(view: View, panel: Panel, form: Literal["png", "svg"]) -> bytes:
    """The chart as a picture, with its title and what it rests on."""
    assert panel.chart
    chart = panel.chart()
    known = view.say("As known at {known_at} UTC · {build}", known_at=say_moment(view.known_at), build=view.build.name)
    held = "" if view.build.scope.is_whole else say_scope(view)
    note = join_sentences(view.language, [say_selection(view.selection, view.options), panel.note, held])
    return draw_picture(chart.spec, chart.data, form, panel.title, f"{note} {known}")
