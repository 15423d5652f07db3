"""The view of one run: build, choice and options together, and the questions that pages ask through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import cast

import pandas as pd
import streamlit as st

from dashboard import answers, words
from dashboard.answers import Build
from dashboard.selection import CHOICES, Options, Selection
from dashboard.words import Language, Text
from metrics.catalog import DIMENSIONS, METRICS
from metrics.query import Filters, Query

VIEW_STATE = "view"
NOT_STATED = ""
"""Id of the rows for which no export names a region, business group or measure."""
CHOSEN_BY_ID = ("inspection_type", *(choice.dimension for choice in CHOICES))


@dataclass(frozen=True, slots=True)
class View:
    """Everything a panel needs to ask and to say what it shows."""

    build: Build
    selection: Selection
    options: Options

    @property
    def language(self) -> Language:
        """Language the reader chose."""
        return self.selection.language

    @property
    def halves(self) -> tuple[str, ...]:
        """Halves that are shown, in order."""
        return self.selection.span(self.options)

    @property
    def known_at(self) -> datetime:
        """Moment whose knowledge is shown: the end of the chosen day, else everything the build knows."""
        if self.selection.known_on is None:
            return self.build.known_at
        end = datetime.combine(self.selection.known_on + timedelta(days=1), time()) - timedelta(microseconds=1)
        return min(end, self.build.known_at)

    def ask(
        self,
        metrics: Sequence[str],
        by: Sequence[str] = (),
        *,
        half: str | None = None,
        every_type: bool = False,
    ) -> pd.DataFrame:
        """Figures of the chosen rows, or of one half of them, or across all inspection types kept apart."""
        filters = Filters(
            inspection_type=() if every_type else (self.selection.inspection_type,),
            period_from=half or self.halves[0],
            period_to=half or self.halves[-1],
            **dict(self.selection.chosen),
        )
        query = Query(tuple(metrics), tuple(by), filters, self.known_at, answers.current_scope())
        frame = answers.ask(self.build, query).frame
        return frame.assign(**{name: frame[name].fillna(NOT_STATED) for name in by})

    def label_metric(self, metric: str) -> str:
        """Name of a metric."""
        return Text(METRICS[metric].label_en, METRICS[metric].label_ja).say(self.language)

    def describe_metric(self, metric: str) -> str:
        """Definition of a metric."""
        return Text(METRICS[metric].description_en, METRICS[metric].description_ja).say(self.language)

    def label_dimension(self, dimension: str) -> str:
        """Name of a dimension."""
        return Text(DIMENSIONS[dimension].label_en, DIMENSIONS[dimension].label_ja).say(self.language)

    def label_rows(self, frame: pd.DataFrame, dimension: str) -> dict[str, str]:
        """Ids of a dimension with their labels: those that can be chosen, then whatever else the frame holds."""
        chosen = self.selection.values(dimension)
        choices = self.options.choices[dimension]
        labels = {code: text.say(self.language) for code, text in choices.items() if not chosen or code in chosen}
        found = dict(zip(frame[dimension], frame[f"{dimension}_{self.language}"], strict=True))
        rest = {code: label or words.NOT_STATED.say(self.language) for code, label in found.items()}
        return labels | {code: label for code, label in rest.items() if code not in labels}


def read_options(build: Build) -> Options:
    """What the build lets the reader choose: halves with results, and every id that a plan or a result has."""
    scope = answers.current_scope()

    def ask(metrics: tuple[str, ...], dimension: str) -> pd.DataFrame:
        query = Query(metrics, (dimension,), Filters(), build.known_at, scope)
        return answers.ask(build, query).frame.dropna(subset=[dimension])

    choices = {}
    for dimension in CHOSEN_BY_ID:
        metrics = ("answers",) if DIMENSIONS[dimension].is_of_item else ("inspections", "planned_inspections")
        frame = ask(metrics, dimension)
        order = {code: place for place, code in enumerate(answers.read_labels(build, dimension))}
        rows = sorted(
            zip(frame[dimension], frame[f"{dimension}_en"], frame[f"{dimension}_ja"], strict=True),
            key=lambda row: order.get(row[0], len(order)),
        )
        choices[dimension] = {code: Text(en, ja) for code, en, ja in rows}
    halves = tuple(sorted(ask(("compliance_rate",), "fiscal_half")["fiscal_half"]))
    return Options(halves, choices, build.first_known_at.date(), build.known_at.date())


def keep_view(view: View) -> None:
    """Hand the view of this run to the page."""
    st.session_state[VIEW_STATE] = view


def current_view() -> View:
    """The view of this run."""
    return cast(View, st.session_state[VIEW_STATE])
