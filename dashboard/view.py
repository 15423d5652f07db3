"""The view of one run: build, choice and options together, and the questions that pages ask through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any, Final, Self, TypeVar, cast

import pandas as pd
import streamlit as st

from dashboard import answers
from dashboard.answers import Build
from dashboard.periods import DIMENSION_OF, GRAINS, Grain
from dashboard.selection import CHOICES, Options, Selection
from dashboard.words import Label, Language, say_period, translate
from metrics.catalog import DIMENSIONS, METRICS
from metrics.matching import MatchQuery, ScoresQuery, match_rounds, read_scores
from metrics.query import Filters, Query
from metrics.rounds import RoundQuery, read_round
from metrics.rows import MOST_ROWS, RowsFrame, RowsQuery
from metrics.spells import SpellsQuery, read_spells, read_spells_together

Made = TypeVar("Made")

VIEW_STATE: Final = "view"
NOT_STATED: Final = ""
"""Id of the rows for which no export names a region, business group or measure."""
PERIOD: Final = "period"
"""In place of a dimension: the period of the length that the reader chose; its ids are period codes."""
OPTION_FACTS: Final = ("inspections", "planned_inspections")


@dataclass(frozen=True, slots=True)
class View:
    """Everything a panel needs to ask and to say what it shows."""

    build: Build
    selection: Selection
    options: Options
    _names: dict[str, Mapping[str, str]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Names by dimension, once they were asked for: tables name thousands of ids one by one."""

    @property
    def language(self) -> Language:
        """Language the reader chose."""
        return self.selection.language

    @property
    def periods(self) -> tuple[str, ...]:
        """Periods that are shown, in order."""
        return self.selection.span(self.options)

    @property
    def known_at(self) -> datetime:
        """Moment whose knowledge is shown: the end of the chosen day, else everything the build knows."""
        return end_of_day(self.build, self.selection.known_on)

    def say(self, text: str, /, **values: object) -> str:
        """A text of the dashboard in the reader's language."""
        return translate(self.language, text, **values)

    def say_period(self, code: str) -> str:
        """A period in the reader's language."""
        return say_period(code, self.language)

    def filters(self, *, period: str | None = None, every_type: bool = False, **ids: tuple[str, ...]) -> Filters:
        """The reader's filters, held to one period, or with ids for dimensions in place of those chosen."""
        chosen: dict[str, tuple[str, ...]] = dict(self.selection.chosen) | ids
        if every_type:
            chosen["inspection_type"] = ()
        periods = self.periods
        first = period or (self.selection.from_period and periods and periods[0])
        last = period or (self.selection.to_period and periods and periods[-1])
        if not periods and not period:
            first, last = self.selection.from_period, self.selection.to_period
        return Filters(period_from=first or None, period_to=last or None, **cast(dict[str, Any], chosen))

    def ask(
        self,
        metrics: Sequence[str],
        by: Sequence[str] = (),
        *,
        period: str | None = None,
        every_type: bool = False,
        known_at: datetime | None = None,
        with_entities: bool = True,
        **ids: tuple[str, ...],
    ) -> pd.DataFrame:
        """Figures of the rows that the reader chose: ids and labels per dimension, then the metrics' columns.

        `period` among the dimensions is the period of the reader's length. Rows without an id have NOT_STATED.
        Where nobody is told how many entities stand behind them, `with_entities` spares counting them.
        """
        query = self.make_query(metrics, by, period=period, every_type=every_type, known_at=known_at, **ids)
        query = replace(query, with_entities=with_entities)
        return answers.remember(
            self.build,
            f"{type(self).__name__} {by} {query!r}",
            lambda: self.shape(answers.ask(self.build, query).frame, by),
        )

    def make_query(
        self,
        metrics: Sequence[str],
        by: Sequence[str] = (),
        *,
        period: str | None = None,
        every_type: bool = False,
        known_at: datetime | None = None,
        **ids: tuple[str, ...],
    ) -> Query:
        """The question of the query layer that the reader's filters make."""
        filters = self.filters(period=period, every_type=every_type, **ids)
        dimensions = self.list_dimensions(by)
        return Query(tuple(metrics), dimensions, filters, known_at or self.known_at, self.build.scope)

    def match_rounds(self, before: str, after: str) -> pd.DataFrame:
        """Sums of two periods per entity, of all answers and of those that both periods share."""
        query = MatchQuery(before, after, self.filters(), self.known_at, self.build.scope)
        return answers.remember(self.build, repr(query), lambda: match_rounds(self.build.warehouse, query))

    def read_round(self, half: str, earlier: str) -> pd.DataFrame:
        """Every answer of a half beside that of an earlier one; as many rows as answers, so it is not remembered."""
        query = RoundQuery(half, earlier, self.filters(), self.known_at, self.build.scope)
        return read_round(self.build.warehouse, query)

    def read_scores(self, half: str) -> pd.DataFrame:
        """The score of every entity and item of a half; as many rows, so it is not remembered."""
        query = ScoresQuery(half, self.filters(), self.known_at, self.build.scope)
        return read_scores(self.build.warehouse, query)

    def make_spells_query(
        self, by: tuple[str, ...] | None = None, *, least_not_met: int = 0, only_current: bool = False
    ) -> SpellsQuery:
        """The question of the query layer for spells without `met`, up to the newest period shown."""
        return SpellsQuery(by, least_not_met, only_current, self.filters(), self.known_at, self.build.scope)

    def read_spells(
        self, by: tuple[str, ...] | None = None, *, least_not_met: int = 0, only_current: bool = False
    ) -> pd.DataFrame:
        """Spells in which an item was not met, listed or counted by dimensions."""
        query = self.make_spells_query(by, least_not_met=least_not_met, only_current=only_current)
        return answers.remember(self.build, repr(query), lambda: read_spells(self.build.warehouse, query))

    def read_spells_together(self, *asked: Mapping[str, Any]) -> list[pd.DataFrame]:
        """The same for several questions at once, because most of each is reading the rounds."""
        queries = [self.make_spells_query(**one) for one in asked]
        return answers.remember(self.build, repr(queries), lambda: read_spells_together(self.build.warehouse, queries))

    @property
    def halves(self) -> tuple[str, ...]:
        """Halves that are shown, in order, whatever the length of the periods: a checklist is answered by halves."""
        return self.selection.span(self.options, "half")

    def list_dimensions(self, by: Sequence[str]) -> tuple[str, ...]:
        """The catalog's dimensions: PERIOD is that of the reader's length."""
        return tuple(DIMENSION_OF[self.selection.grain] if name == PERIOD else name for name in by)

    def shape(self, frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
        """The frame of an answer as the dashboard reads it, by the dimensions that were asked for."""
        changed: dict[str, Any] = {}
        for name, dimension in zip(by, self.list_dimensions(by), strict=True):
            if name == PERIOD:
                column = frame[dimension].dropna()
                codes = [f"FY{year:.0f}" for year in column] if dimension == "fiscal_year" else column
                changed[PERIOD] = pd.Series(codes, index=column.index, dtype="str").reindex(frame.index)
            else:
                changed[name] = frame[name].fillna(NOT_STATED)
        frame = frame.assign(**changed)
        # A fact without a period of this length has no place on the axis of time.
        return frame[frame[PERIOD].notna()] if PERIOD in by else frame

    def list_rows(
        self,
        listing: str,
        *,
        counted_by: tuple[str, ...] = (),
        load_no: int | None = None,
        search: str = "",
        order: str | None = None,
        descending: bool = False,
        limit: int = 100,
        offset: int = 0,
        period: str | None = None,
        every_type: bool = False,
        **ids: tuple[str, ...],
    ) -> RowsFrame:
        """Rows of a listing of the query layer that the reader's filters leave, a page of them, with their number.

        `counted_by` names metrics: rows that none of them counts are left out.
        """
        query = RowsQuery(
            listing=listing,
            filters=self.filters(period=period, every_type=every_type, **ids),
            known_at=self.known_at,
            scope=self.build.scope,
            search=search,
            counted_by=counted_by,
            load_no=load_no,
            order=order,
            descending=descending,
            limit=limit,
            offset=offset,
        )
        return answers.list_rows(self.build, query)

    def list_all_rows(self, listing: str, **asked: Any) -> pd.DataFrame:
        """Every row of a listing that is short enough to be read as a whole, such as entities or files."""
        rows = self.list_rows(listing, limit=MOST_ROWS, **asked)
        offsets = range(MOST_ROWS, rows.total, MOST_ROWS)
        more = [self.list_rows(listing, limit=MOST_ROWS, offset=offset, **asked).frame for offset in offsets]
        return pd.concat([rows.frame, *more], ignore_index=True) if more else rows.frame

    def remember(self, what: str, make: Callable[[], Made]) -> Made:
        """Something made for this view; `what` says what else it depends on. Who gets it does not change it."""
        return answers.remember(self.build, f"{type(self).__name__} {self.selection} {what}", make)

    @property
    def has_several_types(self) -> bool:
        """Whether answers of several kinds of inspection are shown together."""
        return len(self.selection.values("inspection_type")) != 1

    def look_back(self) -> Self:
        """The same view from the first period of all up to the newest one shown."""
        return replace(self, selection=replace(self.selection, from_period=None, to_period=self.periods[-1]))

    def loosen(self, dimension: str) -> View:
        """The same view with one filter dropped."""
        return replace(self, selection=self.selection.without(dimension))

    def hold(self, **ids: tuple[str, ...]) -> View:
        """The same view with ids for dimensions in place of those chosen."""
        chosen = tuple((name, ids.get(name, values)) for name, values in self.selection.chosen)
        return replace(self, selection=replace(self.selection, chosen=chosen))

    def label_metric(self, metric: str) -> str:
        """Name of a metric."""
        return Label(METRICS[metric].label_en, METRICS[metric].label_ja).say(self.language)

    def describe_metric(self, metric: str) -> str:
        """Definition of a metric."""
        return Label(METRICS[metric].description_en, METRICS[metric].description_ja).say(self.language)

    def label_dimension(self, dimension: str) -> str:
        """Name of a dimension."""
        if dimension == PERIOD:
            return self.say("Period")
        return Label(DIMENSIONS[dimension].label_en, DIMENSIONS[dimension].label_ja).say(self.language)

    def label_id(self, dimension: str, value: str) -> str:
        """Name of one id."""
        labels = self.read_labels(dimension)
        return labels[value] if value in labels else value or self.say("Not stated")

    def read_labels(self, dimension: str) -> Mapping[str, str]:
        """Names of every id of a dimension, in the order in which lists show them."""
        if dimension not in self._names:
            self._names[dimension] = answers.read_names(self.build, dimension, self.language)
        return self._names[dimension]

    def label_rows(self, frame: pd.DataFrame, dimension: str) -> dict[str, str]:
        """Ids of a dimension with their labels: those that can be chosen, then whatever else the frame holds."""
        if dimension == PERIOD:
            return {code: self.say_period(code) for code in self.periods}
        chosen = self.selection.values(dimension)
        choices = self.options.choices.get(dimension, {})
        labels = {code: text.say(self.language) for code, text in choices.items() if not chosen or code in chosen}
        once = frame.drop_duplicates(dimension)
        found = dict(zip(once[dimension], once[f"{dimension}_{self.language}"], strict=True))
        rest = {code: label or self.say("Not stated") for code, label in found.items()}
        return labels | {code: label for code, label in rest.items() if code not in labels}

    def has_item_filter(self) -> bool:
        """Whether a filter is set that whole inspections, plans and coverage do not know."""
        return any(
            self.selection.values(choice.dimension) and DIMENSIONS[choice.dimension].is_of_item for choice in CHOICES
        )


def end_of_day(build: Build, day: Any) -> datetime:
    """The last moment of a day, UTC, or everything the build knows where no day is given."""
    if day is None:
        return build.known_at
    end = datetime.combine(day + timedelta(days=1), time()) - timedelta(microseconds=1)
    return min(end, build.known_at)


def read_options(build: Build) -> Options:
    """What the build lets the reader choose: periods with results, and every id that a plan or a result has."""
    return answers.read_once(build, "options", lambda: _read_options(build))


def _read_options(build: Build) -> Options:
    def ask(metrics: tuple[str, ...], dimensions: Sequence[str]) -> dict[str, pd.DataFrame]:
        """What there is of each dimension; one query for all of them, because each costs more than its rows."""
        query = Query(metrics, tuple(dimensions), Filters(), build.known_at, build.scope, with_entities=False)
        frame = answers.ask(build, query).frame
        return {name: frame.dropna(subset=[name]).drop_duplicates(name) for name in dimensions}

    listed = [choice.dimension for choice in CHOICES if choice.place != "when chosen"]
    found = ask(("answers",), [name for name in listed if DIMENSIONS[name].is_of_item])
    found |= ask(OPTION_FACTS, [name for name in listed if not DIMENSIONS[name].is_of_item])
    choices = {}
    for choice in CHOICES:
        dimension = choice.dimension
        if choice.place == "when chosen":
            # Counting the answers of every item would read them all, for a list that is not shown.
            choices[dimension] = {code: Label(*names) for code, names in answers.read_labels(build, dimension).items()}
            continue
        frame = found[dimension]
        order = {code: place for place, code in enumerate(answers.read_labels(build, dimension))}
        rows = sorted(
            zip(frame[dimension], frame[f"{dimension}_en"], frame[f"{dimension}_ja"], strict=True),
            key=lambda row: (order.get(row[0], len(order)), row[0]),
        )
        choices[dimension] = {code: Label(en, ja) for code, en, ja in rows}
    periods: dict[Grain, tuple[str, ...]] = {}
    with_results = ask(("compliance_rate",), [DIMENSION_OF[grain] for grain in GRAINS])
    for grain in GRAINS:
        codes = with_results[DIMENSION_OF[grain]][DIMENSION_OF[grain]]
        periods[grain] = tuple(sorted(f"FY{one:.0f}" if grain == "year" else str(one) for one in codes))
    return Options(periods, choices, build.first_known_at.date(), build.known_at.date())


def keep_view(view: View) -> None:
    """Hand the view of this run to the page."""
    st.session_state[VIEW_STATE] = view


def current_view() -> View:
    """The view of this run."""
    return cast(View, st.session_state[VIEW_STATE])
