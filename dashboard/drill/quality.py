"""What items tell: how hard each is, and whether it goes along with the rest of the checklist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboard.charts.parts import Chart
from dashboard.charts.scatter import draw_scatter
from dashboard.downloads import Column
from dashboard.drill.item_names import ITEM, ItemView, read_newest_versions
from dashboard.navigation import open_page
from dashboard.panels import Panel, remembered, say_nothing
from dashboard.view import View
from dashboard.words import N_, NONE_WRITTEN, join_sentences, join_values, say_number, say_percent
from insights.item_quality import (
    MIN_ANSWERS,
    MIN_ENTITIES,
    WEAK_CORRELATION,
    describe_items,
    fit_two_parameter,
)

KEY: Final = "item-quality"
HALF: Final = "fiscal_half"
MOST_CELLS: Final = 50_000
"""Entities × items up to which the two-parameter model is fitted without being asked for."""
NAMED: Final = 4
"""Items at either end that have their code beside their point."""
TELLS: Final = {
    "is_reversed": N_("Does not go along with the rest"),
    "is_weak": N_("Tells little about the rest"),
    "is_met_by_all": N_("Everybody meets it"),
    "is_same_for_all": N_("The same answer everywhere"),
    "is_nearly_same": N_("Nearly the same answer everywhere"),
    "is_few": N_("Too few answers"),
}


@dataclass(frozen=True, slots=True)
class Quality:
    """What the items of a half tell; `model` says whether the two-parameter model was fitted to them."""

    half: str
    items: pd.DataFrame
    entities: int
    cells: int
    model: bool


def show_quality(view: ItemView) -> None:
    """Difficulty against item-rest correlation in the newest half, or why nothing is told."""
    half = find_newest_half(view)
    title = view.say("What items tell, {period}", period=view.say_period(half)) if half else view.say("What items tell")
    if half is None or view.has_several_types:
        silence = (
            view.say("Kinds of inspection score the same items differently: choose one to see what its items tell.")
            if half
            else view.say("No half shown has answers that count.")
        )
        say_nothing(view, KEY, title, silence)
        return
    plain = view.remember(f"item quality {half}", lambda: measure_quality(view, half, with_model=False))
    if not (plain.items["answers"] >= MIN_ANSWERS).any():
        silence = view.say(
            "Nothing is told of items with fewer than {number} answers; entities here: {entities}.",
            number=MIN_ANSWERS,
            entities=say_number(plain.entities),
        )
        say_nothing(view, KEY, title, silence)
        return
    with st.container():
        wanted = plain.entities >= MIN_ENTITIES
        if wanted and plain.cells > MOST_CELLS:
            wanted = st.toggle(view.say("Fit the two-parameter model too (takes a moment)"), key=f"{KEY}-model")
        quality = plain
        if wanted:
            quality = view.remember(f"item model {half}", lambda: measure_quality(view, half, with_model=True))
        _show_quality(view, quality.half, quality.items, quality.entities, title, has_model=quality.model)


def find_newest_half(view: View) -> str | None:
    """The newest half shown with answers that count."""
    frame = view.ask(("applicable_answers",), (HALF,), with_entities=False)
    halves = frame.loc[frame["applicable_answers"].fillna(0) > 0, HALF]
    return max((half for half in halves if half), default=None)


def measure_quality(view: View, half: str, *, with_model: bool) -> Quality:
    """Figures of each item of a half."""
    scored = view.read_scores(half).rename(columns={ITEM: "item"})
    items = describe_items(scored).astype({"item": object})
    entities = int(scored["entity"].nunique())
    cells = entities * len(items)
    is_fitted = False
    items = items.assign(discrimination=float("nan"), level=float("nan"))
    if with_model:
        matrix = scored.pivot(index="entity", columns="item", values="score").reindex(columns=items["item"])
        fit = fit_two_parameter(matrix.to_numpy(dtype=float))
        is_fitted = fit.is_converged
        if is_fitted:
            figures = fit.items[["discrimination", "difficulty"]].to_numpy()
            items = items.assign(discrimination=figures[:, 0], level=figures[:, 1])
    is_few = items["answers"] < MIN_ANSWERS
    is_same = items["is_met_by_all"] | items["is_same_for_all"]
    is_nearly_same = items["item_rest_correlation"].isna() & ~is_few & ~is_same
    return Quality(half, items.assign(is_few=is_few, is_nearly_same=is_nearly_same), entities, cells, is_fitted)


@remembered
def _show_quality(view: View, half: str, items: pd.DataFrame, entities: int, title: str, *, has_model: bool) -> Panel:
    facts = read_newest_versions(view).reindex(items["item"])
    language = view.language
    kinds = [
        next((name for name in TELLS if flags[name]), "") for flags in items[list(TELLS)].to_dict(orient="records")
    ]
    order = {name: place for place, name in enumerate(TELLS)}
    items = items.assign(
        id=items["item"],
        code=facts["item_code"].to_numpy(),
        text=facts[f"item_text_{language}"].to_numpy(),
        measure=facts[f"measure_{language}"].to_numpy(),
        tells=[view.say(TELLS[kind]) if kind else "" for kind in kinds],
        place=[order.get(kind, len(order)) for kind in kinds],
    ).sort_values(["place", "item_rest_correlation", "id"], ignore_index=True)
    known = items.dropna(subset=["item_rest_correlation"])
    named = {
        *known.loc[known["is_weak"], "id"],
        *known.nsmallest(NAMED, "item_rest_correlation")["id"],
        *known.nlargest(NAMED, "difficulty")["id"],
    }
    drawn = pd.DataFrame(
        {
            "row": [f"{code} {text}" for code, text in zip(known["code"], known["text"], strict=True)],
            "id": known["id"],
            "x": known["difficulty"],
            "y": known["item_rest_correlation"],
            "label": known["code"].where(known["id"].isin(named), ""),
            "standing": ["low" if weak else "usual" for weak in known["is_weak"]],
            "hard": [say_percent(rate) for rate in known["difficulty"]],
            "goes_along": [
                view.say("{rate} ({low} to {high})", rate=say_plain(one), low=say_plain(low), high=say_plain(high))
                for one, low, high in known[["item_rest_correlation", "low", "high"]].itertuples(index=False)
            ],
            "answers": [say_number(number) for number in known["answers"]],
            "discrimination": [say_plain(one) for one in known["discrimination"]],
        }
    )
    difficulty, correlation = view.say("Difficulty"), view.say("Correlation with the rest")

    def draw() -> Chart:
        tooltips = {
            "row": view.label_dimension(ITEM),
            "hard": difficulty,
            "goes_along": correlation,
            "answers": view.say("Answers"),
        }
        if has_model:
            tooltips["discrimination"] = view.say("Discrimination")
        spec, data = draw_scatter(
            drawn,
            tooltips,
            x_title=view.say("Difficulty: 100 % less the mean score"),
            y_title=correlation,
            threshold=WEAK_CORRELATION,
            picks=("id",),
        )
        said = [f"{row.row} {say_plain(float(row.y))}" for row in drawn.nsmallest(3, "y").itertuples()]
        figures = join_values(language, said)
        alt = view.say("Scatter plot: {title}. Least along with the rest: {figures}.", title=title, figures=figures)
        return Chart(spec, data, alt, ("id",))

    columns = [
        Column("tells", view.say("What stands out"), "text"),
        Column("code", view.say("Code"), "text"),
        Column("text", view.say("Requirement"), "text"),
        Column("difficulty", difficulty, "rate"),
        Column("item_rest_correlation", correlation, "number"),
        Column("low", view.say("Interval from"), "number"),
        Column("high", view.say("Interval to"), "number"),
        Column("answers", view.say("Answers"), "integer"),
        Column("measure", view.label_dimension("measure"), "text"),
    ]
    if has_model:
        columns += [
            Column("discrimination", view.say("Discrimination"), "number"),
            Column("level", view.say("Level at which half meet it"), "number"),
        ]
    return Panel(
        key=KEY,
        title=title,
        table=items,
        columns=tuple(columns),
        chart=draw if len(drawn) else None,
        on_pick=_open_item,
        note=join_sentences(language, list_notes(view, items, entities)),
        definition=view.say(
            "Difficulty is 100 % less the mean score. The correlation is that of the item's score with the mean of the "
            "entity's other scores among the items shown (corrected item-total correlation, Henrysson 1963), with "
            "Fisher's interval; an item tells little where the whole interval is below {weak} (Ebel and Frisbie 1991), "
            "and does not go along where it is below 0. Discrimination is that of the two-parameter logistic model "
            "(Bock and Aitkin 1981), in which partly met counts as not met; it needs {entities} entities.",
            weak=WEAK_CORRELATION,
            entities=MIN_ENTITIES,
        ),
    )


def list_notes(view: View, items: pd.DataFrame, entities: int) -> list[str]:
    """How to read the figures, how many items stand out, and what is not told."""
    weak = int(items["is_weak"].sum())
    by_all, nearly = int(items["is_met_by_all"].sum()), int((items["is_nearly_same"] | items["is_same_for_all"]).sum())
    return [
        view.say(
            "Right: harder; up: who meets it meets more of the rest; below the dashed line it may tell little about "
            "the rest."
        ),
        view.say("Items that tell little for certain: {number}, worth a look at their wording.", number=weak)
        if weak
        else view.say("No item tells little for certain."),
        view.say("Items that everybody meets and that tell nobody apart at present: {number}.", number=by_all)
        if by_all
        else "",
        view.say("Nearly the same answer everywhere, in the table only: {number} items.", number=nearly)
        if nearly
        else "",
        view.say(
            "With fewer than {number} entities the two-parameter model is not fitted ({entities} here).",
            number=MIN_ENTITIES,
            entities=say_number(entities),
        )
        if entities < MIN_ENTITIES
        else "",
    ]


def say_plain(number: float) -> str:
    """A number that is no percentage, with two decimals."""
    return NONE_WRITTEN if number != number else f"{number:.2f}".replace("-", "−")


def _open_item(picked: Mapping[str, Any]) -> None:
    open_page("items", item_lineage=(picked["id"],))
