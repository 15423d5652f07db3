"""One entity: where it stands among its peers, what it was told, what it owes, and who inspects it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboard import cards, panels, rates
from dashboard.cards import Card, build_count_cards, show_cards
from dashboard.charts.parts import Chart
from dashboard.charts.radar import draw_radar, find_middle
from dashboard.compare.entity_calibration import show_calibration
from dashboard.compare.entity_chronic import show_chronic
from dashboard.compare.entity_signals import show_signals
from dashboard.compare.tick_box import show_tick_box
from dashboard.downloads import Column
from dashboard.figures import describe_cells, list_columns, make_table, title_tooltips
from dashboard.lists import show_listing
from dashboard.navigation import open_page
from dashboard.panels import Panel
from dashboard.view import PERIOD, View
from dashboard.words import NONE_WRITTEN, join_values, plain, say_day, say_number, say_percent
from insights.standing import MIN_PEERS, find_standing

METRIC: Final = "compliance_rate"
LONGEST_LINE: Final = 8
"""Steps of the reporting line that are followed, in case exports send it in a circle."""


def show(view: View) -> None:
    """The page of the entity that is filtered, or a choice where there is not exactly one."""
    chosen = view.selection.values("entity")
    if len(chosen) != 1:
        show_choice(view)
        return
    code = chosen[0]
    panels.show_heading(view, view.label_id("entity", code), view.say("Entity {code}", code=plain(code)))
    # Every filter by a place but the entity itself would only empty its page.
    view = view.hold(region=(), country=(), business_group=(), entity_kind=())
    known = view.hold(entity=()).list_all_rows("entities")
    show_facts(view, known, code)
    newest = cards.find_newest_period(view)
    if newest is None:
        panels.show_no_rows(view, "answers")
    else:
        show_standing(view, code, known, newest)
        with st.grid(2, min_column_width=panels.PANEL_WIDTH):
            rates.show_over_time(view, METRIC, "measure", on_pick=_open_measure, key="entity-over-time")
            show_against_peers(view, code, known, newest)
            rates.show_rank(
                view,
                METRIC,
                "category",
                period=newest,
                on_pick=_open_category,
                key="entity-categories",
                most=10,
                title=view.say("Weakest categories, {period}", period=view.say_period(newest)),
            )
            rates.show_heat(
                view, METRIC, "category", PERIOD, on_pick=_open_category_cell, key="entity-category-period", most=12
            )
        show_trust(view, code, known)
    show_inspections(view)
    show_open_work(view)


def show_trust(view: View, code: str, known: pd.DataFrame) -> None:
    """What the entity's figures are worth: noise, habit, what outsiders saw, and what stays as it is."""
    st.subheader(view.say("How sure can we be of these figures?"), anchor=False)
    region = next((one for one in known.loc[known["entity"] == code, "region"] if isinstance(one, str)), None)
    with st.grid(2, min_column_width=panels.PANEL_WIDTH):
        show_signals(view)
        show_calibration(view, code, region)
        show_tick_box(view, code)
        show_chronic(view)


def show_choice(view: View) -> None:
    """A choice of one entity, by name or code."""
    panels.show_heading(view, view.say("Entity"), view.say("Choose an entity to see everything about it."))
    labels = view.options.choices["entity"]
    chosen = view.selection.values("entity")
    listed = [code for code in labels if not chosen or code in chosen]
    st.selectbox(
        view.say("Entity"),
        listed,
        index=None,
        format_func=lambda code: f"{labels[code].say(view.language)} ({code})",
        placeholder=view.say("Type a name or a code"),
        key="entity-choice",
        on_change=_choose_entity,
        width=520,
    )
    show_listing(
        view,
        "entities",
        ("entity", "entity_kind", "region", "country", "business_group"),
        key="entities",
        title=view.say("Entities of the group"),
        on_pick=_open_entity_row,
        limit=5000,
    )


def show_facts(view: View, known: pd.DataFrame, code: str) -> None:
    """Kind, region, country, business group, reporting line and PrivacyMark, as of the knowledge date."""
    rows = known[known["entity"] == code]
    if rows.empty:
        st.info(view.say("This entity is not part of the group on the day of the knowledge date."))
        return
    row = rows.iloc[0]
    facts = [
        (view.label_dimension(name), row[f"{name}_{view.language}"])
        for name in ("entity_kind", "region", "country", "business_group")
    ]
    facts.append((view.say("Reports to"), " → ".join(follow_line(view, known, code)) or NONE_WRITTEN))
    facts.append((view.say("PrivacyMark"), say_privacymark(view, row)))
    with st.container(border=True, key="entity-facts"), st.grid(3, min_column_width=220, gap="small"):
        for label, value in facts:
            with st.container(gap=None):
                st.caption(label)
                st.text(value if isinstance(value, str) and value else NONE_WRITTEN)


def follow_line(view: View, known: pd.DataFrame, code: str) -> list[str]:
    """Names of the entities it reports to, nearest first."""
    parents = dict(zip(known["entity"], known["parent_entity"], strict=True))
    line: list[str] = []
    while len(line) < LONGEST_LINE and isinstance(parents.get(code), str) and parents[code]:
        code = parents[code]
        line.append(view.label_id("entity", code))
    return line


def say_privacymark(view: View, row: pd.Series) -> str:
    """Whether it holds the mark, and until when."""
    if row["has_privacymark"] != 1:
        return view.say("Does not hold one")
    if pd.isna(row["privacymark_until_on"]):
        return view.say("Holds one; no day of expiry is known")
    number = row["privacymark_number"] if isinstance(row["privacymark_number"], str) else ""
    day = say_day(pd.Timestamp(row["privacymark_until_on"]))
    left = int(row["privacymark_days_left"])
    if left < 0:
        return view.say("{number}, lapsed on {day}", number=number, day=day)
    return view.say("{number}, valid until {day} ({days} days left)", number=number, day=day, days=say_number(left))


def list_peers(known: pd.DataFrame, code: str) -> tuple[str, ...]:
    """The kind of an entity; its peers are all of that kind."""
    kinds = known.loc[known["entity"] == code, "entity_kind"]
    return tuple(kinds.head(1))


def show_standing(view: View, code: str, known: pd.DataFrame, newest: str) -> None:
    """Cards: the rate, its place among peers, coverage, open findings and overdue actions."""
    frame = view.ask((METRIC, "strict_compliance_rate"), (PERIOD,)).set_index(PERIOD).reindex(list(view.periods))
    previous = cards.find_period_before(view, newest)
    shown = [
        cards.build_rate_card(view, frame, metric, newest, previous) for metric in (METRIC, "strict_compliance_rate")
    ]
    peers = view.hold(entity=(), entity_kind=list_peers(known, code))
    by_entity = peers.ask((METRIC,), ("entity",), period=newest).dropna(subset=[METRIC])
    rate = by_entity.loc[by_entity["entity"] == code, METRIC]
    if len(rate) and len(by_entity) > 1:
        place = int((by_entity[METRIC] > rate.iloc[0]).sum()) + 1
        shown.append(
            Card(
                label=view.say("Place among peers"),
                value=view.say("{place} of {number}", place=place, number=len(by_entity)),
                counted=view.say("median of peers {rate}", rate=say_percent(by_entity[METRIC].median())),
                help=view.say(
                    "Entities of the same kind by compliance rate, the best first; differences may be chance."
                ),
            )
        )
        shown.append(build_standing_card(view, by_entity, code))
    st.caption(
        view.say(
            "Rates: {period}. Open work: every kind of inspection, in the periods shown.",
            period=view.say_period(newest),
        )
    )
    show_cards(shown)
    open_work = ("open_findings", "overdue_actions", "missing_inspections")
    show_cards(build_count_cards(view, open_work, every_type=True))


def build_standing_card(view: View, by_entity: pd.DataFrame, code: str) -> Card:
    """The entity's 偏差値 among its peers with the percentile; a dash where there are too few of them."""
    standing = find_standing(by_entity.set_index("entity")[METRIC].astype(float)).loc[code]
    score, percentile = standing["score"], standing["percentile"]
    if pd.isna(percentile):
        counted = view.say("fewer than {number} peers", number=MIN_PEERS)
    else:
        counted = view.say("percentile {percentile}", percentile=say_number(round(percentile * 100, 1)))
    return Card(
        label=view.say("Deviation score (偏差値)"),
        value=NONE_WRITTEN if pd.isna(score) else f"{score:.1f}",
        counted=counted,
        help=view.say(
            "Its compliance rate among all entities of the same kind: 50 is their mean, and 10 are one standard "
            "deviation. The percentile is the share of the others below it; it assumes no normal distribution. Nothing "
            "is said with fewer than {number} of them, or where all are equal.",
            number=MIN_PEERS,
        ),
    )


@panels.remembered
def show_against_peers(view: View, code: str, known: pd.DataFrame, newest: str) -> Panel:
    """The four measures as a radar, the entity against all of its kind."""
    own = view.ask((METRIC,), ("measure",), period=newest)
    peers = view.hold(entity=(), entity_kind=list_peers(known, code)).ask((METRIC,), ("measure",), period=newest)
    names = (view.label_id("entity", code), view.say("Peers of the same kind"))
    labels = {one: label for one, label in view.label_rows(peers, "measure").items() if one}
    parts = [
        describe_cells(frame, METRIC, view).assign(spoke=frame["measure"].map(labels), series=name, id=frame["measure"])
        for name, frame in zip(names, (own, peers), strict=True)
    ]
    drawn = pd.concat(parts, ignore_index=True).dropna(subset=["spoke"])
    title = view.say("Measures against peers, {period}", period=view.say_period(newest))

    def draw() -> Chart:
        tooltips = {"series": view.say("Entity"), "spoke": view.label_dimension("measure")} | title_tooltips(
            view, METRIC
        )
        spec, data = draw_radar(drawn, list(labels.values()), names, tooltips)
        said = [f"{row.spoke} {row.written}" for row in drawn[drawn["series"] == names[0]].itertuples()]
        alt = view.say("Radar chart: {title}. {figures}.", title=title, figures=join_values(view.language, said))
        return Chart(spec, data, alt)

    both = pd.concat([own.assign(whose=names[0]), peers.assign(whose=names[1])])
    table = make_table(view, both, ("measure",), (METRIC,))
    columns = list_columns(view, ("measure",), (METRIC,))
    return Panel(
        key="entity-radar",
        title=title,
        note=view.say(
            "The rim is 100 %, the middle {middle}. Dashed: all entities of the same kind together.",
            middle=say_percent(find_middle(drawn["rate"].dropna()), 0),
        ),
        table=table,
        columns=(Column("whose", view.say("Entity"), "text"), *columns),
        metrics=(METRIC,),
        chart=draw if len(drawn["spoke"].unique()) > 2 else None,
    )


def show_inspections(view: View) -> None:
    """The newest inspections of every type, and who inspected."""
    show_listing(
        view,
        "inspections",
        (
            "fiscal_half",
            "inspection_type",
            "inspecting_entity",
            "performed_on",
            "submitted_on",
            "checklist_version",
            "compliance_rate",
            "answers",
            "not_met",
            "file_name",
        ),
        key="entity-inspections",
        title=view.say("Inspections of every kind, newest first"),
        order="performed_on",
        descending=True,
        every_type=True,
        limit=50,
        height=300,
        on_pick=_open_inspection,
        note=view.say("A row opens the answers behind it."),
    )


def show_open_work(view: View) -> None:
    """Open findings, open actions and inspections to come."""
    show_listing(
        view,
        "findings",
        (
            "finding_code",
            "inspection_type",
            "fiscal_half",
            "severity",
            "item_text",
            "description",
            "raised_on",
            "age_days",
            "reopened_count",
            "is_repeat",
        ),
        key="entity-findings",
        title=view.say("Open findings, oldest first"),
        order="age_days",
        descending=True,
        every_type=True,
        limit=50,
        height=300,
        status=("open",),
        on_pick=_open_item,
        empty=view.say("No finding is open."),
    )
    show_listing(
        view,
        "actions",
        ("action_code", "owner", "description", "due_on", "days_overdue", "severity", "measure"),
        key="entity-actions",
        title=view.say("Corrective actions of open findings"),
        order="due_on",
        every_type=True,
        limit=50,
        height=300,
        status=("open",),
        empty=view.say("No corrective action is open."),
    )
    show_listing(
        view,
        "plans",
        ("fiscal_half", "inspection_type", "inspecting_entity", "due_on", "handed_in_on", "days_late"),
        key="entity-plans",
        title=view.say("Planned inspections, newest first"),
        order="due_on",
        descending=True,
        every_type=True,
        limit=50,
        height=300,
        empty=view.say("No inspection is planned."),
    )


def _choose_entity() -> None:
    code = st.session_state.get("entity-choice")
    if code:
        open_page(None, entity=(code,))


def _open_entity_row(picked: Mapping[str, Any]) -> None:
    open_page(None, entity=(picked["entity"],))


def _open_measure(picked: Mapping[str, Any]) -> None:
    open_page("measures", measure=(picked["id"],))


def _open_category(picked: Mapping[str, Any]) -> None:
    open_page("items", category=(picked["id"],))


def _open_category_cell(picked: Mapping[str, Any]) -> None:
    open_page("items", category=(picked["row_id"],), period=picked["column_id"] or None)


def _open_item(picked: Mapping[str, Any]) -> None:
    item = picked.get("item_lineage")
    if isinstance(item, str):
        open_page("items", item_lineage=(item,))


def _open_inspection(picked: Mapping[str, Any]) -> None:
    open_page("answers", inspection_type=(picked["inspection_type"],), period=picked["half_code"])
