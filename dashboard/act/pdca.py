"""PDCA: the stage in which each entity stands in a fiscal year, and what keeps it there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboard import filters, panels
from dashboard.act.held import count_every_type, open_entity, say_types_rule
from dashboard.act.stacks import Part, make_stacks
from dashboard.answers import remember
from dashboard.cards import Card, show_cards
from dashboard.charts.parts import Chart
from dashboard.charts.ranks import draw_bars
from dashboard.downloads import Column
from dashboard.navigation import open_page
from dashboard.panels import Panel, offer_tables, remembered, show_rows
from dashboard.periods import step_back
from dashboard.selection import ITEM_DIMENSIONS
from dashboard.view import NOT_STATED, View
from dashboard.words import N_, join_sentences, join_values, plain, say_number, say_percent
from insights.pdca import COUNTS, REASONS, STAGES, find_stages

EVERY_STAGE: Final = "all"
STAGE_LABELS: Final = {
    "plan": N_("Plan (P)"),
    "do": N_("Do (D)"),
    "check": N_("Check (C)"),
    "act": N_("Act (A)"),
    "closed": N_("Closed"),
}
STAGE_HELP: Final = {
    "plan": N_("No inspection of the year is planned."),
    "do": N_("Inspections are planned, and none has a result yet."),
    "check": N_("Some planned inspections have a result, but not all."),
    "act": N_("Every planned inspection has a result; findings or corrective actions are open."),
    "closed": N_("Every planned inspection has a result, and no finding and no corrective action is open."),
}
STAGE_COLOURS: Final = {"plan": 3, "do": 6, "check": 1, "act": 4, "closed": 2}
REASON_LABELS: Final = {
    "no_plan": N_("No inspection planned"),
    "nothing_performed_yet": N_("No result yet"),
    "missing_inspections": N_("Missing inspections"),
    "inspections_to_come": N_("Inspections not yet due"),
    "findings_without_action": N_("Findings without a corrective action"),
    "overdue_actions": N_("Overdue corrective actions"),
    "open_actions": N_("Open corrective actions, not overdue"),
    "open_findings": N_("Open findings"),
}
METRIC_OF: Final = {
    "planned": "planned_inspections",
    "performed": "performed_inspections",
    "missing": "missing_inspections",
    "findings": "findings",
    "open_findings": "open_findings",
    "actions": "actions",
    "open_actions": "open_actions",
    "overdue_actions": "overdue_actions",
}
WITHOUT_ACTION: Final = "findings_without_action"
COLUMN_LABELS: Final = {
    "planned": N_("Planned"),
    "performed": N_("With a result"),
    "missing": N_("Missing"),
    "findings": N_("Findings raised"),
    "open_findings": N_("Open findings"),
    "actions": N_("Actions"),
    "open_actions": N_("Open actions"),
    "overdue_actions": N_("Overdue actions"),
}
TABLE_HEIGHT: Final = 620


@dataclass(frozen=True, slots=True)
class Cycle:
    """A fiscal year and its entities: id, names, region, numbers, stage and what blocks them."""

    year: str
    entities: pd.DataFrame


def show(view: View) -> None:
    """The page."""
    stage = filters.choose_own("stage", (EVERY_STAGE, *STAGES), EVERY_STAGE)
    rule = say_types_rule(view)
    has_item_filter = view.has_item_filter()
    view = count_every_type(view)
    for dimension in ITEM_DIMENSIONS:
        view = view.loosen(dimension)
    year = find_year(view)
    if year:
        view = hold_year(view, year)
    panels.show_heading(
        view,
        view.say("PDCA"),
        view.say("How far has each entity come in the cycle of the fiscal year, and what keeps it from going on?"),
    )
    about = view.say("The newest fiscal year of the periods chosen is shown.")
    typed = view.say("Only entities that have an inspection of the chosen types planned are counted.")
    is_typed = bool(view.selection.values("inspection_type"))
    whole = view.say(
        "The cycle is that of the whole entity, so filters by measure, domain, category or item do not hold."
    )
    st.caption(
        join_sentences(view.language, [rule, about, typed if is_typed else "", whole if has_item_filter else ""])
    )
    cycle = read_cycle(view, year)
    if cycle.entities.empty:
        panels.show_no_rows(view, "planned_inspections")
        return
    show_stage_cards(view, cycle)
    with st.grid(2, min_column_width=panels.PANEL_WIDTH):
        show_stages_by_region(view, year)
        show_reasons(view, year)
    show_entities(view, cycle, stage)


def find_year(view: View) -> str:
    """The newest fiscal year of the periods shown."""
    newest = view.periods[-1] if view.periods else view.selection.to_period or ""
    return newest.partition("-")[0]


def read_cycle(view: View, year: str) -> Cycle:
    """The numbers of every entity of the group in a fiscal year, with the stage that they make."""
    if not year:
        return Cycle(year, pd.DataFrame())
    held = hold_year(view, year)
    return remember(view.build, f"cycle of {held.selection}", lambda: make_cycle(held, year))


def make_cycle(held: View, year: str) -> Cycle:
    """The cycle of the year that the view is held to."""
    frame = held.ask((*METRIC_OF.values(), WITHOUT_ACTION), ("entity",), with_entities=False).set_index("entity")
    # Entities are of no period, so that both years list the same ones.
    known = held.loosen("period").list_all_rows("entities").set_index("entity")
    regions = held.ask(("planned_inspections",), ("entity", "region"), with_entities=False)
    regions = regions.drop_duplicates("entity").set_index("entity")
    every = frame.index.union(known.index)
    metrics = METRIC_OF | {WITHOUT_ACTION: WITHOUT_ACTION}
    counts = pd.DataFrame({name: frame[metric] for name, metric in metrics.items()}).reindex(every).fillna(0)
    name = f"entity_{held.language}"
    entities = counts.join(find_stages(counts)).assign(
        name=frame[name].reindex(every).fillna(known[name].reindex(every)),
        region=regions["region"].reindex(every).fillna(known["region"].reindex(every)).fillna(NOT_STATED),
    )
    is_in_cycle = ~entities.index.isin(list_later_entities(held, year))
    if held.selection.values("inspection_type"):
        # Not every entity is to have an inspection of each type.
        is_in_cycle &= (entities["planned"] > 0) | (entities["findings"] > 0)
    return Cycle(year, entities[is_in_cycle].rename_axis("entity").reset_index())


def list_later_entities(view: View, year: str) -> list[str]:
    """The entities that are planned for the first time after a year, and so were not yet in the group."""
    plans = view.loosen("period").ask(("planned_inspections",), ("entity", "fiscal_year"), with_entities=False)
    first = plans[plans["planned_inspections"] > 0].groupby("entity")["fiscal_year"].min()
    return list(first.index[first > int(year.removeprefix("FY"))])


def hold_year(view: View, year: str) -> View:
    """The view of one fiscal year."""
    return replace(view, selection=replace(view.selection, grain="year", from_period=year, to_period=year))


def show_stage_cards(view: View, cycle: Cycle) -> None:
    """How many entities stand in each stage, against the year before as it stands today."""
    entities = cycle.entities
    numbers = entities["stage"].value_counts()
    before = read_cycle(view, step_back(cycle.year)).entities
    has_before = not before.empty and before["planned"].sum() > 0
    cards = []
    for stage in STAGES:
        number = int(numbers.get(stage, 0))
        counted = say_percent(number / len(entities))
        if has_before:
            earlier = view.say(
                "{period}: {number}",
                period=view.say_period(step_back(cycle.year)),
                number=say_number(int((before["stage"] == stage).sum())),
            )
            counted = f"{counted} · {earlier}"
        cards.append(Card(view.say(STAGE_LABELS[stage]), say_number(number), counted, view.say(STAGE_HELP[stage])))
    show_cards(cards)


def describe_stages(view: View) -> str:
    """The rules, for the definition of each panel."""
    return "  \n".join(
        [
            view.say("An entity stands in the first stage whose condition is not met:"),
            view.say("Plan (P): passed when an inspection of the fiscal year is planned."),
            view.say(
                "Do (D): the measures are in operation. Inspection data do not show this stage itself; it counts "
                "as passed once the first planned inspection has a result."
            ),
            view.say("Check (C): passed when every planned inspection has a result; missing ones block it."),
            view.say(
                "Act (A): passed when no finding and no corrective action is open; findings without a corrective "
                "action, and overdue ones, block it first."
            ),
            view.say("Closed: nothing of the year is left open."),
            view.say(
                "Findings and actions belong to the year in which they were raised, and count as they stand at the "
                "knowledge date. An entity can be blocked by several things."
            ),
            view.say(
                "An entity that is planned for the first time in a later year is taken as not yet in the group, and "
                "not counted."
            ),
        ]
    )


@remembered
def show_stages_by_region(view: View, year: str) -> Panel:
    """Entities of each region by stage."""
    cycle = read_cycle(view, year)
    frame = cycle.entities
    labels = {code: view.label_id("region", code) for code in view.read_labels("region")}
    labels |= {NOT_STATED: view.say("Not stated")}
    return make_stacks(
        view,
        key="stages-by-region",
        title=view.say("Stage of the entities by region, {period}", period=view.say_period(cycle.year)),
        frame=frame.assign(id=frame["region"], part_id=frame["stage"], count=1),
        rows=labels | {code: code for code in frame["region"] if code not in labels},
        row_title=view.label_dimension("region"),
        parts=[Part(stage, view.say(STAGE_LABELS[stage]), STAGE_COLOURS[stage]) for stage in STAGES],
        part_title=view.say("Stage"),
        count_title=view.label_metric("entities"),
        definition=describe_stages(view),
        note=view.say("A click on a part lists its entities below."),
        on_pick=_list_part,
        largest_first=True,
    )


@remembered
def show_reasons(view: View, year: str) -> Panel:
    """What blocks how many entities."""
    cycle = read_cycle(view, year)
    blocked = cycle.entities.explode("blocked_by")
    numbers = blocked.groupby("blocked_by")["entity"].nunique().reindex(list(REASONS)).dropna()
    numbers = numbers.sort_values(ascending=False, kind="stable")
    stages = blocked.groupby("blocked_by")["stage"].agg(lambda some: [one for one in STAGES if one in set(some)])
    drawn = pd.DataFrame(
        {
            "row": [view.say(REASON_LABELS[reason]) for reason in numbers.index],
            "stage": [
                join_values(view.language, [view.say(STAGE_LABELS[one]) for one in stages[reason]])
                for reason in numbers.index
            ],
            "stage_id": [stages[reason][0] for reason in numbers.index],
            "count": numbers.to_numpy(),
            "written": [say_number(number) for number in numbers],
        }
    )
    title = view.say("What blocks most, {period}", period=view.say_period(cycle.year))

    def draw() -> Chart:
        tooltips = {
            "row": view.say("Blocked by"), "stage": view.say("Stage"), "written": view.label_metric("entities"),
        }  # fmt: skip
        spec, data = draw_bars(drawn, tooltips, picks=("stage_id",))
        said = [f"{row.row} {row.written}" for row in drawn.itertuples()]
        alt = view.say("Bar chart: {title}. {figures}.", title=title, figures=join_values(view.language, said))
        return Chart(spec, data, alt, ("stage_id",))

    return Panel(
        key="blocked-by",
        title=title,
        table=drawn,
        columns=(
            Column("row", view.say("Blocked by"), "text"),
            Column("stage", view.say("Stage"), "text"),
            Column("count", view.label_metric("entities"), "integer"),
        ),
        definition=describe_stages(view),
        chart=draw,
        note=view.say("Entities; one that is blocked by several things is in several bars. A click lists the stage."),
        on_pick=_list_stage,
    )


def show_entities(view: View, cycle: Cycle, stage: str) -> None:
    """Every entity with its stage, its numbers and what blocks it."""
    frame = cycle.entities
    numbers = frame["stage"].value_counts().to_dict() | {EVERY_STAGE: len(frame)}
    names = {EVERY_STAGE: view.say("All")} | {one: view.say(label) for one, label in STAGE_LABELS.items()}
    st.segmented_control(
        view.say("Stage"),
        [EVERY_STAGE, *STAGES],
        key=filters.own_state("stage"),
        format_func=lambda one: view.say("{list} ({number})", list=names[one], number=say_number(numbers.get(one, 0))),
        required=True,
    )
    if stage != EVERY_STAGE:
        frame = frame[frame["stage"] == stage]
    regions = {code: view.label_id("region", code) for code in frame["region"].unique()}
    place = {one: number for number, one in enumerate(STAGES)}
    frame = frame.assign(
        region_name=frame["region"].map(regions),
        stage_name=frame["stage"].map({one: view.say(label) for one, label in STAGE_LABELS.items()}),
        blocked=[say_blocks(view, row) for row in frame.to_dict("records")],
        place=frame["stage"].map(place),
    ).sort_values(["place", "overdue_actions", "open_findings", "entity"], ascending=[True, False, False, True])
    columns = (
        Column("stage_name", view.say("Stage"), "text"),
        Column("name", view.label_dimension("entity"), "text"),
        Column("blocked", view.say("Blocked by"), "text"),
        Column("region_name", view.label_dimension("region"), "text"),
        *(Column(name, view.say(COLUMN_LABELS[name]), "integer") for name in COUNTS),
        Column("findings_without_action", view.say("Without an action"), "integer"),
        Column("entity", view.say("Code"), "text"),
    )
    show_table(view, cycle, frame.reset_index(drop=True), columns)


def show_table(view: View, cycle: Cycle, table: pd.DataFrame, columns: tuple[Column, ...]) -> None:
    """The entities in one table, and as files."""
    title = view.say("Entities by stage, {period}", period=view.say_period(cycle.year))
    note = view.say("Earlier stages first. A click on a row opens the entity.")
    with st.container(border=True, key="pdca-entities"):
        st.subheader(plain(title), anchor=False)
        if table.empty:
            st.info(view.say("No entity stands in this stage."))
            return
        wide = {"blocked": st.column_config.TextColumn(view.say("Blocked by"), width="large")}
        show_rows(view, table, columns, "pdca-rows", title, open_entity, TABLE_HEIGHT, wide)
        with st.container(horizontal=True, vertical_alignment="center", key="pdca-foot"):
            number = view.say("{number} entities.", number=say_number(len(table)))
            st.caption(join_sentences(view.language, [number, note]))
            metrics = tuple(METRIC_OF.values())
            filed = Panel("pdca", title, table, columns, metrics, note=note, definition=describe_stages(view))
            offer_tables(view, filed)


def say_blocks(view: View, row: Mapping[str, Any]) -> str:
    """What blocks an entity, with the numbers."""
    numbers = {
        "missing_inspections": row["missing"],
        "inspections_to_come": row["planned"] - row["performed"] - row["missing"],
        "findings_without_action": row["findings_without_action"],
        "overdue_actions": row["overdue_actions"],
        "open_actions": row["open_actions"] - row["overdue_actions"],
        "open_findings": row["open_findings"],
    }
    said = [
        view.say("{reason}: {number}", reason=view.say(REASON_LABELS[reason]), number=say_number(numbers[reason]))
        if reason in numbers
        else view.say(REASON_LABELS[reason])
        for reason in row["blocked_by"]
    ]
    return ("; " if view.language == "en" else "、").join(said)


def _list_part(picked: Mapping[str, Any]) -> None:
    region: dict[str, Any] = {"region": (picked["id"],)} if picked["id"] else {}
    open_page(own={"stage": picked["part_id"]} if picked["part_id"] else None, **region)


def _list_stage(picked: Mapping[str, Any]) -> None:
    open_page(own={"stage": picked["stage_id"]})
