"""Headlines: what should be known of the newest period, in sentences that lead to the view they came from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboard.group.restated import find_first_told
from dashboard.navigation import open_page, opener
from dashboard.view import PERIOD, View
from dashboard.words import N_, join_sentences, say_number, say_percent, say_points
from insights.calibration import compare_groups, summarise_pairs
from insights.chronic import LEAST_ROUNDS
from insights.headlines import (
    Headline,
    Headlines,
    choose_headlines,
    tell_chronic,
    tell_count,
    tell_gaps,
    tell_moves,
    tell_optimism,
    tell_restatements,
)
from insights.intervals import compare_periods, compare_with_rest
from insights.restatements import find_restatements

METRIC: Final = "compliance_rate"
OUTSIDE: Final = ("mutual_check", "affiliate_check", "privacy_audit")
COUNTS: Final = ("lapsed_privacymarks", "overdue_actions", "missing_inspections")
OPEN_WORK: Final = ("open_findings", "reopened_findings", "open_actions", *COUNTS)
"""Asked together, with what the page shows of them elsewhere, because each question reads all rows of its fact."""
SPLITS: Final = ("region", "measure")
ROSE_OR_FELL: Final = {
    "group_move": (
        N_("Compliance rose from {before} to {after}: {change} (95 % interval {low} to {high})."),
        N_("Compliance fell from {before} to {after}: {change} (95 % interval {low} to {high})."),
    ),
    "region_move": (
        N_("{name} rose from {before} to {after}: {change} (95 % interval {low} to {high})."),
        N_("{name} fell from {before} to {after}: {change} (95 % interval {low} to {high})."),
    ),
    "measure_move": (
        N_("{name} measures rose from {before} to {after}: {change} (95 % interval {low} to {high})."),
        N_("{name} measures fell from {before} to {after}: {change} (95 % interval {low} to {high})."),
    ),
}
SENTENCES: Final = {
    "region_gap": N_("{name} stands at {rate}, all others together at {rest} (difference {low} to {high})."),
    "measure_gap": N_(
        "{name} measures are the weakest at {rate}; all others together stand at {rest} (difference {low} to {high})."
    ),
    "optimistic_region": N_(
        "In {name}, self-checks see more as met than outside checks do: net optimism {optimism} of {pairs} pairs, "
        "{rest} elsewhere."
    ),
    "chronic_critical": N_("Critical items have been not met for {rounds} halves or more in {count} cases."),
    "restated": N_("The figure of {name} for {period} was restated from {then} to {now}."),
    "lapsed_privacymarks": N_("PrivacyMarks that have lapsed: {count}."),
    "overdue_actions": N_("Corrective actions past their due day: {count}."),
    "missing_inspections": N_("Planned inspections past their due day without a result: {count}."),
}
ICONS: Final = {
    "region_gap": "south_east",
    "measure_gap": "south_east",
    "optimistic_region": "balance",
    "chronic_critical": "hourglass_bottom",
    "restated": "history",
    "lapsed_privacymarks": "gpp_bad",
    "overdue_actions": "event_busy",
    "missing_inspections": "event_busy",
}


def show_headlines(view: View, newest: str, previous: str | None) -> None:
    """What stands out of the newest period, each sentence with the way to its view."""
    found = view.remember(f"headlines {newest} {previous}", lambda: find_headlines(view, newest, previous))
    with st.container(border=True, key="headlines"):
        st.subheader(view.say("What stands out, {period}", period=view.say_period(newest)), anchor=False)
        for number, headline in enumerate(found.told):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"headline-{number}"):
                st.markdown(f":material/{choose_icon(headline)}:", width="content")
                # As plain text, because names are loaded.
                st.text(say_headline(view, headline), width="stretch")
                st.button(
                    view.say("Open"),
                    key=f"headline-{number}-open",
                    type="tertiary",
                    icon=":material/arrow_forward:",
                    on_click=find_way(view, headline, newest, previous),
                )
        sentences = [] if found.told else [view.say("Nothing stands out from chance.")]
        if found.tested:
            sentences.append(
                view.say(
                    "{tested} comparisons were made; of the differences told, 5 % at the most are expected to be "
                    "chance. Counts of open work stand as they are.",
                    tested=say_number(found.tested),
                )
            )
        st.caption(join_sentences(view.language, sentences))


def find_headlines(view: View, newest: str, previous: str | None) -> Headlines:
    """Every fact of the newest period that passes its test."""
    after = view.make_query((METRIC,), period=newest)
    now = {split: read_sums(view, newest, split) for split in SPLITS}
    facts: list[Headline] = []
    if previous:
        before = view.make_query((METRIC,), period=previous)
        then = {split: read_sums(view, previous, split) for split in SPLITS}
        moves = compare_periods(read_sums(view, previous), read_sums(view, newest))
        facts += tell_moves("group_move", moves, METRIC, before, after)
        for split in SPLITS:
            moves = compare_periods(then[split], now[split], split)
            facts += tell_moves(f"{split}_move", moves, METRIC, before, after, split)
    for split in SPLITS:
        if now[split][split].nunique() > 1:
            facts += tell_gaps(f"{split}_gap", compare_with_rest(now[split], split), METRIC, after, split)
    facts += find_optimism(view)
    spells = view.read_spells(least_not_met=LEAST_ROUNDS, only_current=True)
    query = view.make_spells_query(least_not_met=LEAST_ROUNDS, only_current=True)
    facts += tell_chronic(spells, query)
    if previous:
        facts += find_restated(view, previous)
    counts = view.ask(OPEN_WORK, every_type=True, with_entities=False)
    for metric in COUNTS:
        asked = view.make_query((metric,), every_type=True)
        facts += tell_count(metric, float(counts[metric].iloc[0] or 0), asked, metric)
    return choose_headlines(facts)


def read_sums(view: View, period: str, split: str | None = None) -> pd.DataFrame:
    """Numerator and denominator per entity, and per id of a dimension where one is named."""
    by = ("entity", split) if split else ("entity",)
    frame = view.ask((METRIC,), by, period=period, with_entities=False)
    return frame.rename(columns={f"{METRIC}_numerator": "numerator", f"{METRIC}_denominator": "denominator"})[
        [*by, "numerator", "denominator"]
    ]


def find_optimism(view: View) -> list[Headline]:
    """Regions whose self-checks are kinder than those of the others, over all periods shown: one has too few pairs."""
    outside = view.hold(inspection_type=OUTSIDE)
    by = ("region", "entity", "inspection_type", "self_verdict", "verdict")
    crossed = outside.ask(("pairs",), by, with_entities=False)
    if crossed.empty:
        return []
    compared = compare_groups(crossed, "region", within="inspection_type")
    sums = summarise_pairs(crossed, "region").set_index("region")
    up = (sums["self_higher"] - sums["self_lower"]).reindex(compared["region"])
    pairs = sums["pairs"].reindex(compared["region"])
    compared = compared.assign(
        net_optimism=(up / pairs).to_numpy(),
        pairs=pairs.to_numpy(dtype=float),
        rest_net_optimism=((up.sum() - up) / (pairs.sum() - pairs).where(pairs < pairs.sum())).to_numpy(),
    )
    query = outside.make_query(("net_optimism", "pairs"))
    return tell_optimism(compared, query, "region")


def find_restated(view: View, previous: str) -> list[Headline]:
    """Figures of entities that are known differently now than when the period before was first told."""
    then: datetime = min(find_first_told(view, previous), view.known_at)
    by = (PERIOD, "entity")
    frames = [
        view.ask((METRIC,), by, known_at=moment, with_entities=False).rename(
            columns={f"{METRIC}_numerator": "numerator", f"{METRIC}_denominator": "denominator"}
        )
        for moment in (then, view.known_at)
    ]
    found = find_restatements(*frames)
    return tell_restatements(
        found[found["kind"] == "restated"], METRIC, view.make_query((METRIC,)), then, view.known_at
    )


def choose_icon(headline: Headline) -> str:
    """The sign of a headline."""
    if headline.kind in ROSE_OR_FELL:
        return "trending_up" if headline.values()["change"] > 0 else "trending_down"
    return ICONS[headline.kind]


def say_headline(view: View, headline: Headline) -> str:
    """A headline as a sentence in the reader's language."""
    numbers = headline.values()
    said: dict[str, object] = {
        name: say_number(value) if name in ("pairs", "count") else say_percent(value) for name, value in numbers.items()
    }
    for dimension, value in headline.ids:
        said["period" if dimension == "period" else "name"] = (
            view.say_period(value) if dimension == "period" else view.label_id(dimension, value)
        )
    if headline.low is not None and headline.high is not None:
        said |= {"low": say_points(headline.low * 100), "high": say_points(headline.high * 100)}
    if headline.kind in ROSE_OR_FELL:
        said["change"] = say_points(numbers["change"] * 100)
        text = ROSE_OR_FELL[headline.kind][numbers["change"] < 0]
    else:
        said["rounds"] = LEAST_ROUNDS
        text = SENTENCES[headline.kind]
    return view.say(text, **said)


def find_way(view: View, headline: Headline, newest: str, previous: str | None) -> Callable[[], None]:
    """What opens the view that a headline came from."""
    kind = headline.kind
    if kind == "group_move":
        return opener("changes", own={"a": previous or newest, "b": newest})
    if kind in ("region_move", "region_gap"):
        return opener("sites", region=(headline.id_of("region"),), period=newest)
    if kind in ("measure_move", "measure_gap"):
        return opener("measures", measure=(headline.id_of("measure"),), period=newest)
    if kind == "optimistic_region":
        return opener("pairs", region=(headline.id_of("region"),))
    if kind == "restated":
        return opener("entity", entity=(headline.id_of("entity"),))
    pages: dict[str, tuple[str, dict[str, Any]]] = {
        "chronic_critical": ("items", {}),
        "lapsed_privacymarks": ("privacy", {}),
        "overdue_actions": ("findings", {"own": {"list": "overdue"}}),
        "missing_inspections": ("coverage", {"own": {"status": "missing"}}),
    }
    page, more = pages[kind]
    return lambda: open_page(page, **more)
