"""Self-check and third-party check side by side: the same item of the same entity in the same half, answered twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboard import filters, panels, rates
from dashboard.cards import Card, show_cards
from dashboard.charts.heat import draw_heat
from dashboard.charts.parts import Chart
from dashboard.charts.ranks import draw_differences
from dashboard.downloads import Column
from dashboard.drill.calibration import DIMENSIONS, build_agreement_cards, show_calibration
from dashboard.drill.item_names import ITEM, name_items
from dashboard.drill.severity import show_inspectors
from dashboard.drill.verdicts import VERDICT_LABELS
from dashboard.drill.verified import show_verified
from dashboard.figures import SMALL_NUMBER, describe_cells
from dashboard.lists import show_listing, turn_to_first
from dashboard.navigation import open_page
from dashboard.panels import Panel, remembered
from dashboard.rates import make_distinct
from dashboard.view import PERIOD, View
from dashboard.words import begin_small, join_sentences, join_values, say_number, say_percent

COMPARED: Final = ("met", "partly_met", "not_met")
EVERY_VERDICT: Final = "all"
SELF_CHECK: Final = "self_check"
MOST_CATEGORIES: Final = 12
COLUMNS: Final = (
    "difference", "self_verdict", "verdict", "entity", "fiscal_half", "item_text", "self_comment", "comment",
    "self_answer", "answer", "measure", "category", "inspection_type", "inspecting_entity",
)  # fmt: skip
METRICS: Final = ("pairs", "net_optimism", "exact_agreement")


def show(reader_view: View) -> None:
    """The page; inspection types are those of the outside check."""
    view = choose_outside_types(reader_view)
    own = {name: filters.choose_own(name, (EVERY_VERDICT, *COMPARED), EVERY_VERDICT) for name in ("self", "outside")}
    by = filters.choose_own("by", tuple(DIMENSIONS), next(iter(DIMENSIONS)))
    panels.show_heading(
        view,
        view.say("Self-check and third-party check"),
        view.say("Where both were asked the same in the same half: does the self-check see what outsiders see?"),
    )
    st.caption(
        view.say(
            "The filter by inspection type means the outside check here; a self-check stands in every pair. "
            "Outside checks are no random sample: who is checked is chosen, so these figures speak of the entities "
            "checked, and not of the whole group."
        )
    )
    if not panels.has_rows(view, "pairs"):
        panels.show_no_rows(view, "pairs")
        return
    show_pair_cards(view)
    with st.grid(2, min_column_width=panels.PANEL_WIDTH):
        show_crossing(view)
        rates.show_heat(
            view,
            "net_optimism",
            "region",
            "measure",
            on_pick=_open_items,
            key="optimism-by-region",
            note=view.say(
                "Of 100 pairs, those in which the self-check was better minus those in which it was worse. "
                "Deeper colour: more optimistic. An empty cell has no pairs."
            ),
        )
    show_believed(view, by)
    show_inspectors(view)
    show_pairs(view, own)


def show_believed(view: View, by: str) -> None:
    """Whose self-checks can be believed, by what the reader chooses, and what is to be expected elsewhere."""
    st.subheader(view.say("Whose self-checks can be believed?"), anchor=False)
    st.segmented_control(
        view.say("Net optimism by"),
        list(DIMENSIONS),
        key=filters.own_state("by"),
        format_func=view.label_dimension,
        required=True,
    )
    with st.grid(2, min_column_width=panels.PANEL_WIDTH):
        show_calibration(name_items(view) if DIMENSIONS[by] == ITEM else view, DIMENSIONS[by])
        if by != "category":
            show_categories(view)
        show_types(view)
        show_verified(view)


def choose_outside_types(view: View) -> View:
    """The view with the outside checks that the reader chose, or with all of them."""
    chosen = view.selection.values("inspection_type")
    outside = [one for one in view.options.choices["inspection_type"] if one != SELF_CHECK]
    return choose_types(view, tuple(one for one in outside if one in chosen) or tuple(outside))


def choose_types(view: View, types: tuple[str, ...]) -> View:
    """The view with these inspection types."""
    chosen = tuple((name, types if name == "inspection_type" else ids) for name, ids in view.selection.chosen)
    return replace(view, selection=replace(view.selection, chosen=chosen))


def show_pair_cards(view: View) -> None:
    """How many pairs there are, how far the self-checks are too kind, and how often both agree."""
    row = view.ask(METRICS).iloc[0]
    pairs = row["pairs"]
    differing = pairs - row["exact_agreement_numerator"]
    better = (differing + row["net_optimism_numerator"]) / 2
    shown = [
        Card(
            view.label_metric("pairs"),
            say_number(pairs),
            view.say("of {number} entities", number=say_number(row["pairs_contributing"])),
            view.describe_metric("pairs"),
        ),
        Card(
            view.label_metric("net_optimism"),
            say_percent(row["net_optimism"]),
            f"{say_number(row['net_optimism_numerator'])} / {say_number(pairs)}",
            view.describe_metric("net_optimism"),
            past=list_past(view, "net_optimism"),
            lower_is_better=True,
        ),
        Card(
            view.label_metric("exact_agreement"),
            say_percent(row["exact_agreement"]),
            f"{say_number(row['exact_agreement_numerator'])} / {say_number(pairs)}",
            view.describe_metric("exact_agreement"),
            past=list_past(view, "exact_agreement"),
        ),
    ]
    show_cards([*shown, *build_agreement_cards(view)])
    st.text(
        view.say(
            "Of 100 pairs, the self-check was the better one in {better} and the outside check in {worse}; "
            "in {equal} both said the same.",
            better=say_number(better / pairs * 100),
            worse=say_number((differing - better) / pairs * 100),
            equal=say_number(row["exact_agreement"] * 100),
        )
    )


def list_past(view: View, metric: str) -> tuple[float, ...]:
    """A rate in each period shown."""
    frame = view.ask(METRICS, (PERIOD,), with_entities=False).set_index(PERIOD).reindex(list(view.periods))
    return tuple(frame[metric].astype(float))


@remembered
def show_crossing(view: View) -> Panel:
    """How many pairs there are of each verdict of the self-check with each verdict of the outside check."""
    frame = view.ask(("pairs",), ("self_verdict", "verdict"))
    labels = {code: VERDICT_LABELS[code].say(view.language) for code in COMPARED}
    sums = frame.groupby("self_verdict")["pairs"].transform("sum")
    frame = frame.assign(share=frame["pairs"] / sums, total_share=frame["pairs"] / frame["pairs"].sum())
    drawn = pd.DataFrame(
        {
            "row": frame["self_verdict"].map(labels),
            "column": frame["verdict"],
            "column_label": frame["verdict"].map(labels),
            "rate": frame["share"].where(frame["pairs"] > 0),
            "written": [say_number(count) for count in frame["pairs"]],
            "said_share": [say_percent(share) for share in frame["share"]],
            "is_small": False,
            "self_id": frame["self_verdict"],
            "outside_id": frame["verdict"],
        }
    )
    title = view.say("Self-check × outside check, number of pairs")

    def draw() -> Chart:
        tooltips = {
            "row": view.label_dimension("self_verdict"),
            "column_label": view.say("Verdict of the outside check"),
            "written": view.label_metric("pairs"),
            "said_share": view.say("Share of the row"),
        }
        spec, data = draw_heat(
            drawn,
            list(labels.values()),
            labels,
            tooltips,
            picks=("self_id", "outside_id"),
            lower_is_better=True,
        )
        spec["height"] = 250
        # Both sides have the same verdicts, so that only their titles tell them apart.
        for axis, asked in (("x", view.say("Outside check")), ("y", view.say("Self-check"))):
            spec["encoding"][axis] |= {"title": asked}
            spec["encoding"][axis]["axis"] |= {"title": asked, "titlePadding": 10}
        spec["layer"][0]["encoding"]["color"]["scale"]["domain"] = [0, 1]
        said = [f"{row.row} × {row.column_label} {row.written}" for row in drawn.itertuples()]
        return Chart(
            spec,
            data,
            view.say("Heat map: {title}. {figures}.", title=title, figures=join_values(view.language, said)),
            ("self_id", "outside_id"),
        )

    columns = (
        Column(f"self_verdict_{view.language}", view.label_dimension("self_verdict"), "text"),
        Column(f"verdict_{view.language}", view.say("Verdict of the outside check"), "text"),
        Column("pairs", view.label_metric("pairs"), "integer"),
        Column("share", view.say("Share of the row"), "rate"),
        Column("total_share", view.say("Share of all pairs"), "rate"),
    )
    return Panel(
        key="verdicts-crossed",
        title=title,
        table=frame.assign(self_id=frame["self_verdict"], outside_id=frame["verdict"]).sort_values(
            "pairs", ascending=False, ignore_index=True
        ),
        columns=columns,
        metrics=("pairs",),
        chart=draw,
        on_pick=_list_crossing,
        note=view.say(
            "Deeper colour: a larger share of the row. Above the diagonal the self-check was the better one. "
            "A click on a cell lists its pairs below."
        ),
    )


def show_types(view: View) -> None:
    """Net optimism by kind of outside check over periods, of the kinds that there are pairs of."""
    found = view.ask(("pairs",), ("inspection_type",), with_entities=False)
    types = tuple(found.loc[found["pairs"] > 0, "inspection_type"])
    rates.show_heat(
        choose_types(view, types),
        "net_optimism",
        "inspection_type",
        PERIOD,
        key="optimism-by-type",
        note=view.say("By the outside check. Deeper colour: more optimistic. An empty cell has no pairs."),
    )


@remembered
def show_categories(view: View) -> Panel:
    """Net optimism of each category, the most optimistic first."""
    frame = view.ask(("net_optimism", "exact_agreement"), ("category",)).dropna(subset=["net_optimism"])
    frame = frame.sort_values("net_optimism", ascending=False, ignore_index=True)
    name = f"category_{view.language}"
    frame = frame.assign(**{name: frame[name].where(frame[name] != "", view.say("Not stated"))})
    title = view.say(
        "{metric} by {dimension}",
        metric=view.label_metric("net_optimism"),
        dimension=begin_small(view.label_dimension("category"), view.language),
    )
    drawn = describe_cells(frame, "net_optimism", view).assign(
        row=make_distinct(frame[name].tolist(), frame["category"].tolist()),
        id=frame["category"],
        change=frame["net_optimism"] * 100,
        is_worse=frame["net_optimism"] > 0,
        agreement=[say_percent(rate) for rate in frame["exact_agreement"]],
    )

    def draw() -> Chart:
        tooltips = {
            "row": view.label_dimension("category"),
            "written": view.label_metric("net_optimism"),
            "counted": view.say("Numerator / denominator"),
            "agreement": view.label_metric("exact_agreement"),
            "entities": view.say("Entities"),
        }
        spec, data = draw_differences(drawn.head(MOST_CATEGORIES), tooltips, picks=("id",), is_one_sided=True)
        said = [f"{row.row} {row.written}" for row in drawn.head(5).itertuples()]
        alt = view.say("Ranking: {title}. First: {figures}.", title=title, figures=join_values(view.language, said))
        return Chart(spec, data, alt, ("id",))

    small = view.say("Pale: fewer than {number} behind the figure.", number=SMALL_NUMBER)
    many = view.say("{shown} of {number} are drawn; the table has all.", shown=MOST_CATEGORIES, number=len(drawn))
    columns = (
        Column(name, view.label_dimension("category"), "text"),
        Column("net_optimism", view.label_metric("net_optimism"), "rate"),
        Column("net_optimism_numerator", view.say("Numerator"), "number"),
        Column("net_optimism_denominator", view.say("Denominator"), "number"),
        Column("exact_agreement", view.label_metric("exact_agreement"), "rate"),
        Column("entities", view.say("Entities"), "text"),
    )
    return Panel(
        key="optimism-by-category",
        title=title,
        table=frame.assign(id=frame["category"], entities=drawn["entities"]),
        columns=columns,
        metrics=("net_optimism", "exact_agreement"),
        chart=draw,
        on_pick=_open_category,
        note=join_sentences(
            view.language,
            [
                view.say("In percent of the pairs. To the right: the self-check is the better one more often."),
                small if drawn.head(MOST_CATEGORIES)["is_small"].any() else "",
                many if len(drawn) > MOST_CATEGORIES else "",
            ],
        ),
    )


def show_pairs(view: View, own: Mapping[str, str]) -> None:
    """The pairs with both answers and comments, the largest difference first."""
    labels = {EVERY_VERDICT: view.say("All")} | {code: VERDICT_LABELS[code].say(view.language) for code in COMPARED}
    choosing = st.columns(2)
    asked = (("self", view.label_dimension("self_verdict")), ("outside", view.say("Verdict of the outside check")))
    for place, (name, label) in zip(choosing, asked, strict=True):
        place.segmented_control(
            label,
            list(labels),
            key=filters.own_state(name),
            format_func=labels.__getitem__,
            required=True,
            on_change=turn_to_first,
        )
    chosen = {"self_verdict": own["self"], "verdict": own["outside"]}
    ids: dict[str, Any] = {name: (code,) for name, code in chosen.items() if code != EVERY_VERDICT}
    show_listing(
        view,
        "pairs",
        COLUMNS,
        key="pairs-list",
        title=view.say("Pairs of answers, the largest difference first"),
        page_parameter="page",
        labels={"verdict": view.say("Verdict of the outside check")},
        on_pick=_open_entity,
        note=view.say("Difference of the scores: 1 is met against not met. A click on a row opens the entity."),
        empty=view.say("No pair has these two verdicts."),
        **ids,
    )


def _list_crossing(picked: Mapping[str, Any]) -> None:
    turn_to_first()
    open_page(own={"self": picked["self_id"], "outside": picked["outside_id"]})


def _open_items(picked: Mapping[str, Any]) -> None:
    ids = {"region": picked["row_id"], "measure": picked["column_id"]}
    narrowed: dict[str, Any] = {name: (code,) for name, code in ids.items() if code}
    open_page("items", **narrowed)


def _open_category(picked: Mapping[str, Any]) -> None:
    open_page("items", category=(picked["id"],))


def _open_entity(picked: Mapping[str, Any]) -> None:
    open_page("entity", entity=(picked["entity"],))
