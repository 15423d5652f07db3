"""Whose self-checks can be believed: net optimism and agreement beyond chance, by what the reader chooses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import pandas as pd

from dashboard.cards import Card
from dashboard.charts.parts import Chart
from dashboard.charts.spreads import draw_deviations
from dashboard.downloads import Column
from dashboard.drill.item_names import ITEM
from dashboard.figures import SMALL_NUMBER
from dashboard.navigation import open_page
from dashboard.panels import Panel, remembered
from dashboard.rates import make_distinct
from dashboard.view import View
from dashboard.words import (
    N_,
    NONE_WRITTEN,
    begin_small,
    join_sentences,
    join_values,
    plain,
    say_number,
    say_percent,
)
from insights.calibration import compare_groups, summarise_pairs
from metrics.ask import answer

DIMENSIONS: Final = {"region": "region", "category": "category", "item": ITEM, "entity": "entity"}
"""What the reader can choose, by its word in the address."""
COMPARED: Final = ("region", "category")
"""Dimensions whose values are set against each other."""
TYPE: Final = "inspection_type"
MOST_GROUPS: Final = 30
MOST_RANKED: Final = 15
DEFINITION: Final = N_(
    "Net optimism has the 95 % interval of a ratio with the entities as clusters (Cochran 1977). Agreement beyond "
    "chance over the three verdicts: κ with linear weights (Cohen 1968) and AC1 (Gwet 2008). The sign test (Dixon and "
    "Mood 1946) takes pairs as independent, which those of one entity are not."
)
COMPARISON: Final = N_(
    "What stands out is judged by the odds, among pairs that differ, that the self-check is the better one, which do "
    "not depend on the level of compliance (Rasch 1960). They are compared within each inspection type, with variation "
    "between entities (Williams 1982); of what is called, 5 % at the most is expected to be chance (Benjamini and "
    "Hochberg 1995)."
)


def build_agreement_cards(view: View) -> list[Card]:
    """Agreement beyond chance, by both measures."""
    whole = view.remember(
        "agreement of pairs",
        lambda: summarise_pairs(view.ask(("pairs",), ("entity", "self_verdict", "verdict"), with_entities=False)),
    ).iloc[0]
    scale = view.say("1 full agreement, 0 chance")
    return [
        Card(
            view.say("Weighted κ"),
            say_index(whole["weighted_kappa"]),
            scale,
            view.say(
                "Agreement beyond chance; one verdict apart counts half of two verdicts apart (Cohen 1968). It is low "
                "where nearly all is met, even if both sides agree."
            ),
        ),
        Card(
            view.say("Gwet AC1"),
            say_index(whole["gwet_ac1"]),
            scale,
            view.say("Agreement beyond chance that stays meaningful where nearly all is met (Gwet 2008)."),
        ),
    ]


def say_index(value: float) -> str:
    """A coefficient with two decimals; a dash where there is none."""
    return NONE_WRITTEN if pd.isna(value) else f"{value:.2f}".replace("-", "−").replace("−0.00", "0.00")


def say_chance(value: float) -> str:
    """An error probability; very small ones by their bound."""
    return NONE_WRITTEN if pd.isna(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"


def read_groups(view: View, dimension: str) -> pd.DataFrame:
    """Summary of each value of a dimension, the most optimistic first, with its label and how it stands out."""
    by = list(dict.fromkeys([dimension, TYPE, "entity", "self_verdict", "verdict"]))
    # By item there are nearly as many rows as pairs, so only the summary is kept.
    query = view.make_query(("pairs",), by)
    frame = view.shape(answer(view.build.warehouse, query).frame, by)
    labels = frame.drop_duplicates(dimension).set_index(dimension)[f"{dimension}_{view.language}"]
    groups = summarise_pairs(frame, dimension)
    if dimension in COMPARED:
        found = compare_groups(frame, dimension, within=TYPE)
        groups = groups.merge(found[[dimension, "q", "is_more_optimistic", "is_less_optimistic"]], on=dimension)
    else:
        groups = groups.assign(q=float("nan"), is_more_optimistic=False, is_less_optimistic=False)
    groups = groups[groups["pairs"] > 0]
    names = [labels[code] or view.say("Not stated") for code in groups[dimension]]
    groups = groups.assign(id=groups[dimension], name=names)
    return groups.sort_values(["net_optimism", "pairs", "id"], ascending=[False, False, True], ignore_index=True)


@remembered
def show_calibration(view: View, dimension: str) -> Panel:
    """Net optimism of each value of a dimension with its interval; agreement beyond chance is in the table."""
    groups = read_groups(view, dimension)
    whole = summarise_pairs(view.ask(("pairs",), ("entity", "self_verdict", "verdict"), with_entities=False)).iloc[0]
    most = MOST_GROUPS if dimension in COMPARED else MOST_RANKED
    label = view.label_dimension(dimension)
    title = view.say(
        "{metric} by {dimension}",
        metric=view.label_metric("net_optimism"),
        dimension=begin_small(label, view.language),
    )
    shown = groups.head(most)
    drawn = pd.DataFrame(
        {
            "row": make_distinct(shown["name"].tolist(), shown["id"].tolist()),
            "id": shown["id"],
            "rate": shown["net_optimism"],
            "low": shown["low"],
            "high": shown["high"],
            "way": ["worse" if row.is_more_optimistic else "better" if row.is_less_optimistic else "usual"
                    for row in shown.itertuples()],
            "is_small": shown["pairs"] < SMALL_NUMBER,
            "written": [say_percent(rate) for rate in shown["net_optimism"]],
            "interval": [say_interval(view, row.low, row.high) for row in shown.itertuples()],
            "agreement": [say_percent(rate) for rate in shown["exact_agreement"]],
            "kappa": [say_index(value) for value in shown["weighted_kappa"]],
            "ac1": [say_index(value) for value in shown["gwet_ac1"]],
            "sign": [say_chance(value) for value in shown["p_sign"]],
            "pairs": [say_number(count) for count in shown["pairs"]],
            "entities": [say_number(count) for count in shown["entities"]],
        }
    )  # fmt: skip

    def draw() -> Chart:
        tooltips = {
            "row": label,
            "written": view.label_metric("net_optimism"),
            "interval": view.say("95 % interval"),
            "pairs": view.label_metric("pairs"),
            "entities": view.say("Entities"),
            "agreement": view.label_metric("exact_agreement"),
            "kappa": view.say("Weighted κ"),
            "ac1": view.say("Gwet AC1"),
            "sign": view.say("p of the sign test"),
        }
        spec, data = draw_deviations(drawn, float(whole["net_optimism"]), tooltips, picks=("id",))
        said = [f"{row.row} {row.written} ({row.interval})" for row in drawn.head(5).itertuples()]
        alt = view.say("Ranking: {title}. First: {figures}.", title=title, figures=join_values(view.language, said))
        return Chart(spec, data, alt, ("id",))

    columns = [
        Column("name", label, "text"),
        *([Column("id", view.say("Code"), "text")] if dimension == "entity" else []),
        Column("net_optimism", view.label_metric("net_optimism"), "rate"),
        Column("low", view.say("Interval from"), "rate"),
        Column("high", view.say("Interval to"), "rate"),
        Column("pairs", view.label_metric("pairs"), "integer"),
        Column("entities", view.say("Entities"), "integer"),
        Column("exact_agreement", view.label_metric("exact_agreement"), "rate"),
        Column("weighted_kappa", view.say("Weighted κ"), "number"),
        Column("gwet_ac1", view.say("Gwet AC1"), "number"),
        Column("p_sign", view.say("p of the sign test"), "number"),
    ]
    if dimension in COMPARED:
        columns += [
            Column("is_more_optimistic", view.say("More optimistic than the others"), "flag"),
            Column("is_less_optimistic", view.say("Less optimistic than the others"), "flag"),
            Column("q", view.say("q of standing out"), "number"),
        ]
    is_compared = dimension in COMPARED
    return Panel(
        key="calibration",
        title=title,
        table=groups,
        columns=tuple(columns),
        metrics=("net_optimism", "exact_agreement"),
        chart=draw,
        on_pick=partial(_open, dimension),
        note=say_note(view, groups, dimension, most),
        definition=join_sentences(view.language, [view.say(DEFINITION), view.say(COMPARISON) if is_compared else ""]),
    )


def say_note(view: View, groups: pd.DataFrame, dimension: str, most: int) -> str:
    """How to read the panel, what stands out in it, and where it says nothing."""
    has_interval = bool(groups["low"].notna().any())
    return join_sentences(
        view.language,
        [
            view.say(
                "Of 100 pairs, those in which the self-check was better minus those in which it was worse; dashed: all "
                "together."
            ),
            view.say("Band: 95 % interval, with all pairs of an entity as one.") if has_interval else "",
            view.say("One entity by itself has no interval.") if groups["low"].isna().any() else "",
            say_standing_out(view, groups) if dimension in COMPARED else "",
            view.say("Pale: fewer than {number} behind the figure.", number=SMALL_NUMBER)
            if (groups["pairs"].head(most) < SMALL_NUMBER).any()
            else "",
            view.say("{shown} of {number} are drawn; the table has all.", shown=most, number=len(groups))
            if len(groups) > most
            else "",
        ],
    )


def say_standing_out(view: View, groups: pd.DataFrame) -> str:
    """Which values of the dimension differ from the others by more than chance, or that it cannot be told."""
    if groups["q"].isna().all():
        return view.say("Too few entities to tell whether one of them stands out.")

    def name(rows: pd.DataFrame) -> str:
        # The note is read as Markdown, and names are loaded.
        said = [f"{plain(row.name_)} (q {say_q(row.q)})" for row in rows.rename(columns={"name": "name_"}).itertuples()]
        return join_values(view.language, said)

    more, less = groups[groups["is_more_optimistic"]], groups[groups["is_less_optimistic"]]
    if more.empty and less.empty:
        return view.say("None of them stands out from the others beyond chance.")
    return join_sentences(
        view.language,
        [
            view.say("More optimistic than the others, whatever the level of compliance: {names}.", names=name(more))
            if len(more)
            else "",
            view.say("Less optimistic than the others, whatever the level of compliance: {names}.", names=name(less))
            if len(less)
            else "",
        ],
    )


def say_q(value: float) -> str:
    """A q after its letter."""
    return said if (said := say_chance(value)).startswith("<") else f"= {said}"


def say_interval(view: View, low: float, high: float) -> str:
    """An interval in words; a dash where there is none."""
    return NONE_WRITTEN if pd.isna(low) else view.say("{low} to {high}", low=say_percent(low), high=say_percent(high))


def _open(dimension: str, picked: Mapping[str, Any]) -> None:
    chosen = (picked["id"],)
    if not picked["id"]:
        return
    if dimension == "region":
        open_page(region=chosen)
    elif dimension == "entity":
        open_page("entity", entity=chosen)
    elif dimension == "category":
        open_page("items", category=chosen)
    else:
        open_page("items", item_lineage=chosen)
