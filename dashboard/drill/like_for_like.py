"""The rate as asked and like for like, so that a revised checklist is not taken for a change of the group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from dashboard.charts.chained import draw_chained
from dashboard.charts.parts import Chart
from dashboard.downloads import Column
from dashboard.drill.item_names import ITEM, read_newest_versions
from dashboard.navigation import open_page
from dashboard.panels import Panel, remembered, say_nothing
from dashboard.view import PERIOD, View
from dashboard.words import join_sentences, join_values, say_number, say_percent
from insights.like_for_like import chain_rates, sum_common_items

METRIC: Final = "compliance_rate"
KEY: Final = "like-for-like"
MOST_TOLD: Final = 2
"""Revisions that are told in the note; the table has all."""


def show_like_for_like(view: View) -> None:
    """Both rates over the periods shown, or why there is nothing to compare."""
    checklists = read_newest_versions(view)["checklist_code"].reindex(
        view.ask(("answers",), (ITEM,), with_entities=False)[ITEM]
    )
    if checklists.nunique() > 1:
        silence = view.say(
            "Several checklists are added up here, which are not all asked in every period: choose one kind of "
            "inspection to see what a revision does."
        )
        say_nothing(view, KEY, title_panel(view), silence)
        return
    chained = view.remember("like for like", lambda: chain_periods(view))
    if chained["as_asked"].notna().sum() < 2:
        silence = view.say("Needs at least two periods with answers.")
        say_nothing(view, KEY, title_panel(view), silence)
        return
    _show_like_for_like(view, chained)


def title_panel(view: View) -> str:
    """Title of the panel."""
    return view.say("Compliance as asked and like for like")


def chain_periods(view: View) -> pd.DataFrame:
    """The rates of every period shown, with how many items it asked and how many the one before asked too."""
    names = {ITEM: "item_lineage", f"{METRIC}_numerator": "numerator", f"{METRIC}_denominator": "denominator"}
    frame = view.ask((METRIC, "answers"), (PERIOD, ITEM), with_entities=False).rename(columns=names)
    sums = sum_common_items(frame, view.periods)
    return chain_rates(sums).join(sums).rename_axis(PERIOD)


@remembered
def _show_like_for_like(view: View, chained: pd.DataFrame) -> Panel:
    series = {"as_asked": view.say("As asked"), "like_for_like": view.say("Like for like")}
    revised = chained[chained["is_revised"]]
    has_revision = not revised.empty
    title = title_panel(view)
    parts = [
        pd.DataFrame(
            {
                "period": chained.index,
                "period_label": [view.say_period(code) for code in chained.index],
                "before": chained["before"].fillna(""),
                "series": label,
                "rate": chained[name].to_numpy(dtype=float),
                "written": [say_percent(rate, 2) for rate in chained[name]],
                "bridge": [say_bridge(value) for value in chained["bridge"]],
                "is_revised": chained["is_revised"].to_numpy(),
                "mark": [
                    say_bridge(value) if revision else ""
                    for value, revision in zip(chained["bridge"], chained["is_revised"], strict=True)
                ],
            }
        )
        for name, label in series.items()
        if has_revision or name == "as_asked"
    ]
    drawn = pd.concat(parts, ignore_index=True)

    def draw() -> Chart:
        periods = {code: view.say_period(code) for code in chained.index}
        tooltips = {
            "series": view.say("Line"),
            "period_label": view.say("Period"),
            "written": view.label_metric(METRIC),
        }
        if has_revision:
            tooltips["bridge"] = view.say("By the revision")
        spec, data = draw_chained(drawn, list(series.values()), periods, tooltips, picks=("period", "before"))
        said = [
            f"{view.say_period(str(code))} {say_percent(row.as_asked, 2)} / {say_percent(row.like_for_like, 2)}"
            for code, row in chained.dropna(subset=["as_asked"]).tail(3).iterrows()
        ]
        figures = join_values(view.language, said)
        alt = view.say("Line chart: {title}. Newest: {figures}.", title=title, figures=figures)
        return Chart(spec, data, alt, ("period", "before"))

    table = chained.reset_index().iloc[::-1].reset_index(drop=True)
    table = table.assign(
        period=table[PERIOD],
        period_label=[view.say_period(code) for code in table[PERIOD]],
        bridge_points=table["bridge"] * 100,
        gap_points=table["cumulative_bridge"] * 100,
        before=table["before"].fillna(""),
    )
    columns = (
        Column("period_label", view.say("Period"), "text"),
        Column("as_asked", view.say("As asked"), "rate"),
        Column("like_for_like", view.say("Like for like"), "rate"),
        Column("is_revised", view.say("Revised"), "flag"),
        Column("bridge_points", view.say("By the revision"), "fine_points"),
        Column("gap_points", view.say("As asked minus like for like"), "fine_points"),
        Column("items", view.say("Items asked"), "integer"),
        Column("common_items", view.say("of them also the period before"), "integer"),
        Column("common_share", view.say("Their share of the weight"), "rate"),
    )
    return Panel(
        key=KEY,
        title=title,
        table=table,
        columns=columns,
        metrics=(METRIC,),
        chart=draw,
        on_pick=_open_changes,
        note=join_sentences(view.language, list_notes(view, revised)),
        definition=view.say(
            "Like for like is the newest rate as asked, and from there back, step by step, the change on items that "
            "both neighbouring periods asked (chaining by overlap; ILO et al. 2004, Consumer Price Index Manual, "
            "chapters 8 and 9). What is left of the change as asked is what the revision did to the figure. Entities "
            "that came or left are in both lines."
        ),
    )


def list_notes(view: View, revised: pd.DataFrame) -> list[str]:
    """What both lines say, and what each revision did."""
    if revised.empty:
        return [view.say("The same items were asked in every period shown, so that there is one line only.")]
    notes = [
        view.say(
            "The like-for-like line moves only by items that both neighbouring periods asked; the gap is the effect of "
            "other items."
        )
    ]
    for code, row in revised.tail(MOST_TOLD).iterrows():
        notes.append(say_revision(view, str(code), row))
    if len(revised) > MOST_TOLD:
        notes.append(view.say("{number} revisions in all; the table has them.", number=len(revised)))
    return notes


def say_revision(view: View, code: str, row: pd.Series) -> str:
    """What one revision did to the figure."""
    if pd.isna(row["bridge"]):
        return view.say(
            "{period} has no item in common with {before}, so that nothing is told across it.",
            period=view.say_period(code),
            before=view.say_period(row["before"]),
        )
    return view.say(
        "Dotted, {period}: {common} of its {items} items were asked the period before too; the others moved the figure "
        "by {bridge}.",
        period=view.say_period(code),
        common=say_number(row["common_items"]),
        items=say_number(row["items"]),
        bridge=say_bridge(row["bridge"]),
    )


def say_bridge(bridge: float) -> str:
    """What a revision did, in percentage points with two decimals, because it is small."""
    if bridge != bridge:
        return "–"
    written = f"{bridge * 100:+.2f}"
    return f"{'±0.00' if float(written) == 0 else written.replace('-', '−')} pt"


def _open_changes(picked: Mapping[str, Any]) -> None:
    if picked.get("before"):
        open_page("changes", own={"a": picked["before"], "b": picked["period"]})
