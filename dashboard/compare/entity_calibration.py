"""Whether the self-checks of one entity agree with outsiders, or what outsiders would probably find where none came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from dashboard.downloads import Column
from dashboard.drill.pairs import choose_outside_types
from dashboard.navigation import open_page
from dashboard.panels import Panel, remembered, say_nothing
from dashboard.view import View
from dashboard.words import N_, join_sentences, say_number, say_percent
from insights.calibration import MIN_VISITED, check_verified, estimate_verified, summarise_pairs

PAIRED: Final = ("paired_self_rate", "paired_outside_rate", "pairs")
SELF_CHECK: Final = "self_check"
LEAST_CHANCE: Final = 0.001
FIGURES: Final = {
    "pairs": "",
    "net_optimism": "",
    "interval": N_("95 % interval"),
    "exact_agreement": "",
    "weighted_kappa": N_("Weighted κ"),
    "gwet_ac1": N_("AC1"),
    "p_sign": N_("Sign test, p"),
}
"""Figures in order; those without a name are metrics of the catalog."""


def show_calibration(view: View, code: str, region: str | None) -> None:
    """The entity's pairs beside those of its region; where nobody visited, what outsiders would probably find."""
    outside = choose_outside_types(view)
    if summarise_own(outside)["pairs"].sum() > 0:
        show_agreement(outside, region)
        return
    title = title_calibration(view)
    visited = read_visited(outside)
    estimate = estimate_outside(view, code, region)
    if pd.notna(estimate["estimate"].iloc[0]):
        show_estimate(view, code, region)
    elif len(visited) < MIN_VISITED:
        silence = view.say(
            "No outsider visited in the periods shown, and too few other entities were visited to estimate what an "
            "outsider would find ({number}, at least {least} are needed).",
            number=len(visited),
            least=MIN_VISITED,
        )
        say_nothing(view, "entity-calibration", title, silence)
    else:
        silence = view.say("No outsider visited in the periods shown, and there is no self-check to estimate from.")
        say_nothing(view, "entity-calibration", title, silence)


def title_calibration(view: View) -> str:
    """Title of the panel."""
    return view.say("Do outsiders see the same?")


def summarise_own(outside: View) -> pd.DataFrame:
    """Figures of the entity's pairs in one row; its visits are the clusters that the interval is reckoned with."""

    def summarise() -> pd.DataFrame:
        frame = outside.ask(
            ("pairs",), ("fiscal_half", "inspection_type", "self_verdict", "verdict"), with_entities=False
        )
        visits = frame["fiscal_half"].astype(str) + " " + frame["inspection_type"].astype(str)
        return summarise_pairs(frame.assign(entity=visits))

    return outside.remember("pairs of the entity", summarise)


def summarise_others(outside: View, region: str | None) -> pd.DataFrame:
    """Figures of the pairs of a region, and of the whole group, in one row each; the entities are the clusters."""

    def summarise() -> pd.DataFrame:
        group = outside.hold(entity=())
        frame = group.ask(("pairs",), ("region", "entity", "self_verdict", "verdict"), with_entities=False)
        parts = [summarise_pairs(frame[frame["region"] == region]), summarise_pairs(frame)]
        return pd.concat(parts, ignore_index=True)

    return outside.remember(f"pairs of {region} and all", summarise)


def read_visited(outside: View) -> pd.DataFrame:
    """Rates of both sides over the pairs of every visited entity of the group, with its region."""

    def read() -> pd.DataFrame:
        frame = outside.hold(entity=()).ask(PAIRED, ("entity", "region"), with_entities=False)
        # An entity that moved counts where most of its pairs are.
        frame = frame[frame["pairs"] > 0].sort_values("pairs", ascending=False).drop_duplicates("entity")
        return frame.rename(
            columns={"region": "group", "paired_self_rate": "self_rate", "paired_outside_rate": "outside_rate"}
        )[["entity", "group", "self_rate", "outside_rate", "pairs"]]

    return outside.remember("visited entities", read)


def estimate_outside(view: View, code: str, region: str | None) -> pd.DataFrame:
    """What an outside check would probably find, in one row; null where that is not told."""

    def estimate() -> pd.DataFrame:
        own = view.hold(inspection_type=(SELF_CHECK,)).ask(("compliance_rate",), with_entities=False)
        unvisited = pd.DataFrame({"entity": [code], "group": [region], "self_rate": [own["compliance_rate"].iloc[0]]})
        return estimate_verified(read_visited(choose_outside_types(view)), unvisited)

    return view.remember(f"verified estimate of {code} in {region}", estimate)


@remembered
def show_agreement(outside: View, region: str | None) -> Panel:
    """Agreement of self-checks and outside checks: the entity, its region and the group."""
    own = summarise_own(outside).iloc[0]
    everybody = summarise_others(outside, region)
    # A region without pairs gives no row.
    parts = {"own": own, "group": everybody.iloc[-1]}
    columns = [Column("name", outside.say("Figure"), "text"), Column("own", outside.say("This entity"), "text")]
    if region and len(everybody) > 1:
        parts["region"] = everybody.iloc[0]
        columns.append(Column("region", outside.label_id("region", region), "text"))
    columns.append(Column("group", outside.say("Whole group"), "text"))
    table = pd.DataFrame(
        {
            "figure": list(FIGURES),
            "name": [outside.say(text) if text else outside.label_metric(name) for name, text in FIGURES.items()],
            **{name: [write_figure(outside, part, figure) for figure in FIGURES] for name, part in parts.items()},
        }
    )
    notes = [
        outside.say("Answers of the self-check beside those of outsiders to the same item in the same half."),
        say_sign_test(outside, own),
        outside.say("One visit gives no interval.") if pd.isna(own["low"]) else "",
        outside.say("A click opens the pairs."),
    ]
    return Panel(
        key="entity-calibration",
        title=title_calibration(outside),
        table=table,
        columns=tuple(columns),
        metrics=("net_optimism", "exact_agreement"),
        on_pick=_open_pairs,
        note=join_sentences(outside.language, notes),
        definition=outside.say(
            "The interval of the entity takes its visits as clusters, those of region and group the entities (Cochran "
            "1977). κ with linear weights (Cohen 1968) counts a step of one verdict half of a step of two; AC1 (Gwet "
            "2008) stays near the agreement when nearly all is met. The sign test (Dixon and Mood 1946) takes pairs as "
            "independent, so read it with the interval."
        ),
    )


def write_figure(view: View, part: pd.Series, figure: str) -> str:
    """One figure of pairs as it is shown."""
    if figure == "interval":
        if pd.isna(part["low"]):
            return say_percent(None)
        return view.say("{low} to {high}", low=say_percent(part["low"]), high=say_percent(part["high"]))
    value = float(part[figure])
    if figure == "pairs":
        return say_number(value)
    if figure in ("weighted_kappa", "gwet_ac1"):
        return say_percent(None) if pd.isna(value) else f"{value:.2f}".replace("-", "−")
    return say_chance(view, value) if figure == "p_sign" else say_percent(value)


def say_chance(view: View, chance: float) -> str:
    """A probability; very small ones only as such."""
    if chance < LEAST_CHANCE:
        return view.say("below {chance}", chance=say_percent(LEAST_CHANCE))
    return say_percent(chance)


def say_sign_test(view: View, own: pd.Series) -> str:
    """In how many pairs either side was the better one, and whether that may be chance."""
    if pd.isna(own["p_sign"]):
        return view.say("Both sides said the same in every pair.")
    return view.say(
        "The self-check was the better one in {better} pairs and the worse one in {worse}; if neither side were "
        "kinder, the chance of a split as uneven would be {chance}.",
        better=say_number(own["self_higher"]),
        worse=say_number(own["self_lower"]),
        chance=say_chance(view, float(own["p_sign"])),
    )


@remembered
def show_estimate(view: View, code: str, region: str | None) -> Panel:
    """What an outside check would probably find, from those of other entities of the region."""
    found = estimate_outside(view, code, region)
    visited = read_visited(choose_outside_types(view))
    row = found.iloc[0]
    notes = [
        view.say(
            "No outsider visited in the periods shown: from {number} visited entities ({here} of its region), an "
            "outsider would probably find {low} to {high}.",
            number=say_number(len(visited)),
            here=say_number(row["visited_in_group"]),
            low=say_percent(row["low"]),
            high=say_percent(row["high"]),
        ),
        view.say("Audits are not a random sample of entities, and this takes them for one."),
    ]
    check = check_verified(visited)
    if pd.notna(check.coverage):
        notes.append(
            view.say(
                "With each visited entity left out in turn, {share} of the intervals held what outsiders found.",
                share=say_percent(check.coverage),
            )
        )
    return Panel(
        key="entity-calibration",
        title=title_calibration(view),
        table=found,
        columns=(
            Column("self_rate", view.say("Self-check"), "rate"),
            Column("estimate", view.say("Outside, estimated"), "rate"),
            Column("low", view.say("Interval from"), "rate"),
            Column("high", view.say("Interval to"), "rate"),
            Column("visited_in_group", view.say("Visited in the region"), "integer"),
        ),
        note=join_sentences(view.language, notes),
        definition=view.say(
            "The gap between self-checks and outside checks of the visited entities, on the scale of the arcsine root "
            "(Anscombe 1948), pooled between regions (DerSimonian and Laird 1986), taken off the self-check of this "
            "entity; the 95 % prediction interval holds the spread between entities. Silent with fewer than {least} "
            "visited entities.",
            least=MIN_VISITED,
        ),
    )


def _open_pairs(picked: Mapping[str, Any]) -> None:
    open_page("pairs")
