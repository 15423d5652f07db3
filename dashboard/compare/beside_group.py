"""The reader's entities beside the rest of the group, of which only sums over many entities are shown."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from dashboard import answers, panels
from dashboard.charts.lines import draw_lines
from dashboard.charts.parts import Chart
from dashboard.charts.ranks import draw_rank
from dashboard.downloads import Column
from dashboard.panels import Panel, remembered, say_nothing
from dashboard.view import View
from dashboard.words import N_, join_sentences, join_values, say_day, say_number, say_percent
from metrics.catalog import DIMENSIONS
from metrics.comparison import ComparisonQuery, compare_with_group
from metrics.releases import ALL_MEASURES, COMPLEMENTARY, DOMINANT, FEW

METRIC: Final = "compliance_rate"
SELF_CHECK: Final = "self_check"
REASONS: Final = {
    FEW: N_("Fewer than {least} other entities: not shown"),
    DOMINANT: N_("One other entity outweighs the rest: not shown"),
    COMPLEMENTARY: N_("Not shown, because it would give away what is withheld elsewhere"),
}


def show_beside_group(view: View) -> None:
    """Own rate, the rest and the group: by measure in the newest half released, and over halves.

    Nothing for readers that may not compare, or whose scope is the whole group.
    """
    least, scope = view.build.comparison_k, view.build.scope
    if least is None or scope.entity_codes is None:
        return
    inspection_type = choose_type(view)
    # No filter reaches the figures, so none is said to.
    everything: dict[str, tuple[str, ...]] = {name: () for name, _ in view.selection.chosen}
    view = view.hold(**everything | {"inspection_type": (inspection_type,)})
    query = ComparisonQuery(scope, least, view.build.also_seen, view.known_at)
    frame = answers.remember(view.build, repr(query), lambda: compare_with_group(view.build.warehouse, query))
    frame = frame[(frame["inspection_type"] == inspection_type) & frame["fiscal_half"].isin(view.halves)]
    of_all = frame[frame["measure"] == ALL_MEASURES]
    released = of_all[of_all["withheld"].isna()]
    if released.empty:
        reason = REASONS[max(of_all["withheld"].dropna(), default=FEW)]
        say_nothing(view, "beside-group", title_panel(view, inspection_type), view.say(reason, least=least) + ".")
        return
    newest = frame[frame["fiscal_half"] == released["fiscal_half"].max()]
    place = {code: number for number, code in enumerate((ALL_MEASURES, *view.read_labels("measure")))}
    newest = newest.sort_values("measure", key=lambda codes: codes.map(place), ignore_index=True)
    with st.grid(2, min_column_width=panels.PANEL_WIDTH):
        show_by_measure(view, least, newest)
        show_over_halves(view, least, of_all.reset_index(drop=True))


def choose_type(view: View) -> str:
    """The inspection type chosen; where that is not one, self-checks if the reader may see them, else the first."""
    chosen = view.selection.values("inspection_type")
    if len(chosen) == 1:
        return chosen[0]
    names = [name for name, _, _ in DIMENSIONS["inspection_type"].values]
    allowed = view.build.scope.inspection_types
    permitted = [name for name in names if allowed is None or name in allowed]
    return SELF_CHECK if SELF_CHECK in permitted or not permitted else permitted[0]


def title_panel(view: View, inspection_type: str) -> str:
    """Title without a period."""
    return view.say("Beside the group: {type}", type=view.label_id("inspection_type", inspection_type))


@remembered
def show_by_measure(view: View, least: int, newest: pd.DataFrame) -> Panel:
    """Each measure of the newest half: own rate as a dot, the rest as a stroke, its outer thirds as a band."""
    first = newest.iloc[0]
    half = view.say_period(first["fiscal_half"])
    title = join_title(view, title_panel(view, first["inspection_type"]), half)
    table = write_cells(view, least, newest).assign(row=[say_measure(view, code) for code in newest["measure"]])
    shown = table[table["own_rate"].notna() | table["rest_rate"].notna()]
    alone = shown["own_rate"].fillna(shown["rest_rate"])
    drawn = shown.assign(
        rate=shown["own_rate"],
        peer=shown["rest_rate"],
        # Without thirds the band is a point behind the dot.
        low=shown[["weakest_rate", "strongest_rate"]].min(axis=1).fillna(alone),
        high=shown[["weakest_rate", "strongest_rate"]].max(axis=1).fillna(alone),
        is_small=False,
    )

    def draw() -> Chart:
        spec, data = draw_rank(drawn[[*CHART_COLUMNS, *TOOLTIPS]], title_tooltips(view, row=view.say("Measure")))
        said = [
            view.say("{measure}: your entities {own}, the others {rest}", measure=row.row, own=row.own, rest=row.rest)
            for row in drawn.itertuples()
        ]
        alt = view.say("Dots: {title}. {figures}.", title=title, figures=join_values(view.language, said))
        return Chart(spec, data, alt)

    notes = [
        view.say("Dot: your entities; stroke: all others together; band: from their weakest third to their strongest.")
        if newest["thirds_at"].notna().any()
        else view.say("Dot: your entities; stroke: all others together."),
        say_release(view, least, first["released_at"]),
        ""
        if pd.isna(first["thirds_at"]) or first["thirds_at"] == first["released_at"]
        else view.say("The thirds are those of {day}.", day=say_day(first["thirds_at"])),
        *(f"{row.row}: {row.reason}." for row in table[table["reason"] != ""].itertuples()),
    ]
    return Panel(
        key="beside-group",
        title=title,
        table=table,
        columns=(Column("row", view.say("Measure"), "text"), *list_columns(view)),
        metrics=(METRIC,),
        chart=draw,
        note=join_sentences(view.language, notes),
        definition=define(view, least),
    )


@remembered
def show_over_halves(view: View, least: int, of_all: pd.DataFrame) -> Panel:
    """All measures together over halves: own rate, the others and the whole group; gaps where it is withheld."""
    inspection_type = of_all["inspection_type"].iloc[0]
    title = join_title(view, title_panel(view, inspection_type), view.say("over halves"))
    table = write_cells(view, least, of_all).assign(
        row=[view.say_period(code) for code in of_all["fiscal_half"]],
        released_on=[None if pd.isna(moment) else say_day(moment) for moment in of_all["released_at"]],
    )
    series = {
        "own_rate": view.say("Your entities"),
        "rest_rate": view.say("All others"),
        "group_rate": view.say("Group"),
    }
    periods = {code: view.say_period(code) for code in view.halves}
    drawn = pd.concat(
        [table.assign(period=table["fiscal_half"], series=label, rate=table[name]) for name, label in series.items()]
    )
    grid = pd.MultiIndex.from_product([list(series.values()), list(periods)], names=["series", "period"])
    drawn = drawn.set_index(["series", "period"])[["rate", *TOOLTIPS]].reindex(grid).reset_index()

    def draw() -> Chart:
        tooltips = {"series": view.say("Rate of")} | title_tooltips(view, row=view.say("Period"))
        spec, data = draw_lines(drawn, list(series.values()), periods, tooltips)
        last = table[table["withheld"].isna()].iloc[-1]
        figures = [f"{label} {say_percent(last[name])}" for name, label in series.items()]
        alt = view.say(
            "Line chart: {title}. Newest: {figures}.", title=title, figures=join_values(view.language, figures)
        )
        return Chart(spec, data, alt)

    withheld = table[table["reason"] != ""]
    notes = [
        view.say("Each half as known at its own release, the day of which is in the table."),
        *(f"{row.row}: {row.reason}." for row in withheld.itertuples()),
    ]
    return Panel(
        key="beside-group-halves",
        title=title,
        table=table.iloc[::-1].reset_index(drop=True),
        columns=(
            Column("row", view.say("Period"), "text"),
            *list_columns(view),
            Column("released_on", view.say("As known at the end of"), "text"),
        ),
        metrics=(METRIC,),
        chart=draw,
        note=join_sentences(view.language, notes),
        definition=define(view, least),
    )


CHART_COLUMNS: Final = ("rate", "peer", "low", "high", "is_small")
TOOLTIPS: Final = ("row", "own", "rest", "group", "behind", "reason")


def join_title(view: View, *parts: str) -> str:
    """A title and what it is held to."""
    return join_values(view.language, parts)


def say_measure(view: View, code: str) -> str:
    """Name of a measure, or of all of them together."""
    return view.say("All measures") if code == ALL_MEASURES else view.label_id("measure", code)


def write_cells(view: View, least: int, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its figures, the entities behind them and what is withheld in words."""
    behind = [
        "" if pd.isna(rest) else view.say("{own} of yours, {rest} others", own=say_number(own), rest=say_number(rest))
        for own, rest in zip(frame["own_entities"], frame["rest_entities"], strict=True)
    ]
    return frame.assign(
        own=[say_percent(rate) for rate in frame["own_rate"]],
        rest=[say_percent(rate) for rate in frame["rest_rate"]],
        group=[say_percent(rate) for rate in frame["group_rate"]],
        behind=behind,
        reason=["" if pd.isna(code) else view.say(REASONS[code], least=least) for code in frame["withheld"]],
    )


def title_tooltips(view: View, **titles: str) -> dict[str, str]:
    """Titles of a tooltip's lines."""
    return titles | {
        "own": view.say("Your entities"),
        "rest": view.say("All others"),
        "group": view.say("Group"),
        "behind": view.say("Entities"),
        "reason": view.say("Withheld"),
    }


def list_columns(view: View) -> tuple[Column, ...]:
    """Columns of both tables."""
    return (
        Column("own_rate", view.say("Your entities"), "rate"),
        Column("rest_rate", view.say("All others"), "rate"),
        Column("group_rate", view.say("Group"), "rate"),
        Column("weakest_rate", view.say("Weakest third of the others"), "rate"),
        Column("middle_rate", view.say("Middle third"), "rate"),
        Column("strongest_rate", view.say("Strongest third"), "rate"),
        Column("behind", view.say("Entities"), "text"),
        Column("reason", view.say("Withheld"), "text"),
    )


def say_release(view: View, least: int, released_at: pd.Timestamp) -> str:
    """The day whose knowledge is shown, and why it is not today's."""
    return view.say(
        "As known at the end of {day} (UTC), the last day on which results of {least} or more other entities were new; "
        "what came since waits for the next such day.",
        day=say_day(released_at),
        least=least,
    )


def define(view: View, least: int) -> str:
    """How the figures are made, and why they are so few."""
    return view.say(
        "The others are all entities outside your scope, whatever filters are set: only the inspection type, the "
        "periods and the knowledge date choose what is shown, because the difference of two filtered figures could be "
        "a single entity. No figure, and no difference of figures, measures or days, tells of fewer than {least} of "
        "them, and none of a sum in which one entity has more than half of the weight. Thirds are of the others by "
        "their rate over all measures, each a ratio of sums. Your own rate is as known on the same day, so that it may "
        "differ from that of other panels.",
        least=least,
    )
