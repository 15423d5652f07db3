"""Privacy audits: results by clause of JIS Q 15001, and the PrivacyMarks and when they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import pandas as pd
import streamlit as st

from dashboard import cards, panels, rates
from dashboard.act.held import hold_types, open_entity
from dashboard.act.renewals import draw_months
from dashboard.answers import read_once
from dashboard.cards import Card, build_count_cards, build_rate_card, show_cards
from dashboard.charts.parts import Chart
from dashboard.downloads import Column
from dashboard.figures import say_heads
from dashboard.lists import show_listing
from dashboard.navigation import open_page
from dashboard.panels import OnPick, Panel, remembered
from dashboard.view import PERIOD, View
from dashboard.words import Label, join_values, say_number
from metrics.rows import MOST_ROWS

AUDIT: Final = "privacy_audit"
RATE: Final = "compliance_rate"
CLAUSE: Final = "control"
STANDARD: Final = "JIS Q 15001"
MONTHS_AHEAD: Final = 12
LETTERS: Final = 28
MOST_CLAUSES: Final = 26
MARKS: Final = ("privacymark_holders", "lapsed_privacymarks", "privacymarks_due_soon")


@dataclass(frozen=True, slots=True)
class AuditView(View):
    """A view that shows only the clauses and categories that audits ask for, a clause with its requirement."""

    def label_rows(self, frame: pd.DataFrame, dimension: str) -> dict[str, str]:
        """Ids with their labels; of clauses and categories only those of the frame."""
        labels = View.label_rows(self, frame, dimension)
        if dimension not in (CLAUSE, "category"):
            return labels
        found = set(frame[dimension])
        named = {code: text.say(self.language) for code, text in self.options.choices.get(dimension, {}).items()}
        labels = {code: named.get(code, label) for code, label in labels.items() if code in found}
        return dict(sorted(labels.items(), key=lambda pair: split_clause(pair[0])))


def show(view: View) -> None:
    """The page."""
    audits = hold_to_audits(view)
    panels.show_heading(
        audits,
        view.say("Privacy audits"),
        view.say("Which clauses of JIS Q 15001 are met least, and which PrivacyMarks must be renewed when?"),
    )
    st.caption(
        view.say(
            "This page shows personal information protection audits by fiscal year, whatever inspection type and "
            "length of period is chosen."
        )
    )
    newest = cards.find_newest_period(audits)
    if newest is None:
        panels.show_no_rows(audits, "answers")
    else:
        show_figures(audits, newest)
        with st.grid(2, min_column_width=panels.PANEL_WIDTH):
            open_clause = partial(_open_clause, read_clauses(view).lineages)
            show_clauses_over_time(audits, open_clause)
            show_weakest_clauses(audits, open_clause)
            show_categories(audits)
            show_entities(audits, newest)
    show_marks(hold_types(view))


def hold_to_audits(view: View) -> AuditView:
    """The view of privacy audits by fiscal year, with their clauses named."""
    held = hold_types(view, AUDIT)
    held = replace(held, selection=replace(held.selection, grain="year"))
    choices = held.options.choices | {CLAUSE: read_clauses(view).names}
    return AuditView(held.build, held.selection, replace(held.options, choices=choices))


@dataclass(frozen=True, slots=True)
class Clauses:
    """The names of the clauses of the standard, and the item that refers to each; of several the newest."""

    names: dict[str, Label]
    lineages: dict[str, str]


def read_clauses(view: View) -> Clauses:
    """The clauses that items refer to, whatever is filtered."""
    return read_once(view.build, f"clauses at {view.known_at}", lambda: find_clauses(view))


def find_clauses(view: View) -> Clauses:
    """The clauses of the items of every checklist version."""
    bare = replace(view, selection=replace(view.selection, from_period=None, to_period=None, chosen=()))
    items = bare.list_all_rows("items")
    items = items[items["control_ref"].fillna("").str.startswith(STANDARD)]
    lineages = dict(zip(items["control_ref"][::-1], items["item_lineage"][::-1], strict=True))
    return Clauses(name_clauses(items), lineages)


def name_clauses(items: pd.DataFrame) -> dict[str, Label]:
    """Every clause with the requirement of its item; one that several items refer to stands alone."""
    editions = {clause.partition(" A.")[0] for clause in items["control_ref"]}
    names = {}
    for clause, some in items.groupby("control_ref"):
        short = str(clause).removeprefix(editions.copy().pop() if len(editions) == 1 else STANDARD).strip(" :")
        is_one = some["item_lineage"].nunique() == 1
        texts = (some[f"item_text_{language}"].iloc[0] for language in ("en", "ja"))
        names[str(clause)] = Label(*(f"{short} {text}" if is_one else short for text in texts))
    return names


def split_clause(clause: str) -> list[tuple[int, str]]:
    """A clause as what it sorts by: numbers by their size."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in clause.replace(":", ".").split(".")]


def show_figures(view: View, newest: str) -> None:
    """Compliance and what is open, of the newest year with audits."""
    previous = cards.find_period_before(view, newest)
    over_time = view.ask((RATE, "strict_compliance_rate", "coverage_rate", "open_findings"), (PERIOD,))
    over_time = over_time.set_index(PERIOD).reindex(list(view.periods))
    compared = view.say("{period}; no earlier period to compare with", period=view.say_period(newest))
    if previous:
        compared = view.say(
            "{period}, change against {previous}", period=view.say_period(newest), previous=view.say_period(previous)
        )
    st.caption(compared)
    shown = [
        build_rate_card(view, over_time, metric, newest, previous)
        for metric in (RATE, "strict_compliance_rate", "coverage_rate")
    ]
    now = over_time.loc[newest]
    shown.append(
        Card(
            view.say("Entities audited"),
            say_heads(view, now[f"{RATE}_contributing"], now[f"{RATE}_expected"]),
            "",
            view.say("Entities behind the compliance rate, of those whose inspection was planned or done."),
        )
    )
    shown += build_count_cards(view, ("open_findings",), period=newest)
    show_cards(shown)


def show_clauses_over_time(view: View, on_pick: OnPick) -> None:
    """Compliance of every clause by fiscal year."""
    rates.show_heat(
        view,
        RATE,
        CLAUSE,
        PERIOD,
        key="clauses-over-time",
        letters=LETTERS,
        on_pick=on_pick,
        note=view.say("Clauses of JIS Q 15001 in their order. Deeper colour: weaker. An empty cell has no answers."),
    )


def show_weakest_clauses(view: View, on_pick: OnPick) -> None:
    """The clauses from the weakest on, over all years shown."""
    first, last = view.periods[0], view.periods[-1]
    span = view.say_period(last) if first == last else f"{view.say_period(first)} – {view.say_period(last)}"
    rates.show_rank(
        view,
        RATE,
        CLAUSE,
        title=view.say("Weakest clauses, {span}", span=span),
        key="weakest-clauses",
        on_pick=on_pick,
        most=MOST_CLAUSES,
        note=view.say("All years shown together, because an audit asks each clause once."),
    )


def show_categories(view: View) -> None:
    """Compliance of the categories by fiscal year."""
    rates.show_heat(view, RATE, "category", PERIOD, key="audit-categories", on_pick=_open_category, letters=28)


def show_entities(view: View, newest: str) -> None:
    """The audited entities from the weakest on."""
    rates.show_rank(
        view,
        RATE,
        "entity",
        period=newest,
        title=view.say("Weakest entities audited, {period}", period=view.say_period(newest)),
        key="weakest-audited",
        on_pick=_open_audited,
        most=10,
    )


def show_marks(view: View) -> None:
    """PrivacyMarks: how many, which renewals are due when, and all of them by their day."""
    st.subheader(view.say("PrivacyMarks"), anchor=False)
    st.caption(
        view.say("On the day of the knowledge date, {day}, whatever period is chosen.", day=f"{view.known_at:%Y-%m-%d}")
    )
    if not view.list_rows("entities", counted_by=MARKS, limit=1).total:
        st.info(view.say("No entity with a PrivacyMark is among those that the filters leave."))
        return
    show_cards(build_count_cards(view, MARKS))
    show_renewals(view)
    show_listing(
        view,
        "entities",
        (
            "entity", "state", "privacymark_until_on", "privacymark_days_left", "privacymark_number", "business_group",
            "region",
        ),
        key="privacymarks",
        title=view.say("PrivacyMarks by the day on which they end"),
        on_pick=open_entity,
        labels={"state": view.say("State")},
        keep=partial(add_states, view),
        counted_by=MARKS,
        order="privacymark_until_on",
        note=view.say("A click on a row opens the entity."),
        limit=MOST_ROWS,
    )  # fmt: skip


def find_last_day(view: View) -> pd.Timestamp:
    """The last day that is within 12 months of the knowledge date."""
    return pd.Timestamp(view.known_at).normalize() + pd.DateOffset(months=MONTHS_AHEAD)


def add_states(view: View, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with what the day means, in words."""
    until = pd.to_datetime(frame["privacymark_until_on"])
    today, last = pd.Timestamp(view.known_at).normalize(), find_last_day(view)
    lapsed, due, valid, unknown = (
        view.say("Lapsed"),
        view.say("Renewal due within 12 months"),
        view.say("Valid"),
        view.say("Day not known"),
    )
    states = [unknown if pd.isna(day) else lapsed if day < today else due if day <= last else valid for day in until]
    return frame.assign(state=states)


@remembered
def show_renewals(view: View) -> Panel:
    """Renewals due in the next 12 months, by month."""
    today, last = pd.Timestamp(view.known_at).normalize(), find_last_day(view)
    due = view.list_all_rows("entities", counted_by=("privacymarks_due_soon",))
    due = due.assign(until=pd.to_datetime(due["privacymark_until_on"]))
    months = [str(month) for month in pd.period_range(today, last, freq="M")]
    name = f"entity_{view.language}"
    by_month = due.groupby(due["until"].dt.strftime("%Y-%m"))[name].agg(list)
    drawn = pd.DataFrame(
        [
            {
                "month": month,
                "month_label": say_month(view, month),
                "count": len(by_month.get(month, [])),
                "written": say_number(len(by_month.get(month, []))),
                "names": join_values(view.language, by_month.get(month, [])),
            }
            for month in months
        ]
    )
    title = view.say("Renewals due in the next 12 months")

    def draw() -> Chart:
        tooltips = {
            "month_label": view.label_dimension("fiscal_month"),
            "written": view.say("Renewals due"),
            "names": view.say("Entities"),
        }
        spec, data = draw_months(drawn, months, [label_month(view, month, months) for month in months], tooltips)
        said = [f"{row.month_label} {row.written}" for row in drawn.itertuples() if row.count]
        alt = view.say("Bar chart: {title}. {figures}.", title=title, figures=join_values(view.language, said))
        return Chart(spec, data, alt)

    return Panel(
        key="renewals",
        title=title,
        table=drawn,
        columns=(
            Column("month_label", view.label_dimension("fiscal_month"), "text"),
            Column("count", view.say("Renewals due"), "integer"),
            Column("names", view.say("Entities"), "text"),
        ),
        metrics=("privacymarks_due_soon",),
        chart=draw,
        note=view.say("By the month in which the mark ends; the first and the last month only in part."),
    )


def say_month(view: View, month: str) -> str:
    """A calendar month."""
    year, number = month.split("-")
    return f"{year}年{int(number)}月" if view.language == "ja" else month


def label_month(view: View, month: str, months: Sequence[str]) -> str:
    """A month below its bar, as a Vega expression: the year only where it begins."""
    year, number = month.split("-")
    short = f"{int(number)}月" if view.language == "ja" else number
    shown = (f"{year}年" if view.language == "ja" else year) if month == months[0] or number == "01" else ""
    return f"['{short}', '{shown}']"


def _open_clause(lineages: Mapping[str, str], picked: Mapping[str, Any]) -> None:
    lineage = lineages.get(picked.get("row_id", picked.get("id")))
    if lineage:
        open_page("items", inspection_type=(AUDIT,), item_lineage=(lineage,))


def _open_category(picked: Mapping[str, Any]) -> None:
    category: dict[str, Any] = {"category": (picked["row_id"],)} if picked["row_id"] else {}
    open_page("items", period=picked["column_id"] or None, inspection_type=(AUDIT,), **category)


def _open_audited(picked: Mapping[str, Any]) -> None:
    open_page("entity", inspection_type=(AUDIT,), entity=(picked["id"],))
