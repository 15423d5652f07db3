"""Views of this section: held to other inspection types than the sidebar says, or to some rows of a listing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Final, Self

import pandas as pd

from dashboard.filters import DEFAULT_INSPECTION_TYPE
from dashboard.lists import turn_to_first
from dashboard.navigation import open_page
from dashboard.panels import OnPick
from dashboard.view import View
from metrics.rows import MOST_ROWS, RowsFrame

TYPE: Final = "inspection_type"


@dataclass(frozen=True, slots=True)
class HeldRows(View):
    """A view whose listings hold `most` rows of their order, after `skip` ones."""

    skip: int = 0
    most: int = MOST_ROWS

    @classmethod
    def of(cls, view: View, **more: Any) -> Self:
        """The same view, held."""
        return cls(**{one.name: getattr(view, one.name) for one in fields(View)}, **more)

    def list_rows(
        self,
        listing: str,
        *,
        search: str = "",
        order: str | None = None,
        descending: bool = False,
        limit: int = 100,
        offset: int = 0,
        period: str | None = None,
        every_type: bool = False,
        **ids: tuple[str, ...],
    ) -> RowsFrame:
        """A page of the rows that are held, with their number."""
        rows = View.list_rows(
            self, listing, search=search, order=order, descending=descending, limit=limit, offset=offset + self.skip,
            period=period, every_type=every_type, **ids,
        )  # fmt: skip
        total = max(0, min(rows.total - self.skip, self.most))
        return replace(rows, frame=rows.frame.head(max(0, total - offset)), total=total)


@dataclass(frozen=True, slots=True)
class SiftedRows(View):
    """A view whose listings hold what `sift` leaves of all their rows; for listings that are short."""

    sift: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame

    @classmethod
    def of(cls, view: View, sift: Callable[[pd.DataFrame], pd.DataFrame]) -> Self:
        """The same view, sifted."""
        return cls(**{one.name: getattr(view, one.name) for one in fields(View)}, sift=sift)

    def list_rows(
        self,
        listing: str,
        *,
        search: str = "",
        order: str | None = None,
        descending: bool = False,
        limit: int = 100,
        offset: int = 0,
        period: str | None = None,
        every_type: bool = False,
        **ids: tuple[str, ...],
    ) -> RowsFrame:
        """A page of the rows that are left, with their number."""
        rows = View.list_rows(
            self, listing, search=search, order=order, descending=descending, limit=MOST_ROWS, offset=0,
            period=period, every_type=every_type, **ids,
        )  # fmt: skip
        frame = self.sift(rows.frame)
        return replace(rows, frame=frame.iloc[offset : offset + limit], total=len(frame))


def hold_types(view: View, *types: str) -> View:
    """The same view with other inspection types than those chosen; without any, of every type."""
    chosen = tuple((name, types if name == TYPE else ids) for name, ids in view.selection.chosen)
    return replace(view, selection=replace(view.selection, chosen=chosen))


def count_every_type(view: View) -> View:
    """The view of every inspection type, unless the reader chose other types than the sidebar begins with."""
    return hold_types(view) if is_default(view) else view


def is_default(view: View) -> bool:
    """Whether the filter by inspection type stands where it begins."""
    return view.selection.values(TYPE) == (DEFAULT_INSPECTION_TYPE,)


def say_types_rule(view: View) -> str:
    """Which inspection types the page counts; `view` is as the reader chose."""
    if is_default(view):
        return view.say(
            "This page counts every inspection type as long as the filter is at self-checks, its default. "
            "Any other choice of types applies."
        )
    return ""


def narrow_to(**dimensions: str) -> OnPick:
    """A callback that holds this page to what was clicked: each dimension to the id in the field it names.

    A field `period` gives the period; a total, which has no id, leaves the filter as it is.
    """
    return partial(_narrow, dimensions)


def _narrow(dimensions: Mapping[str, str], picked: Mapping[str, Any]) -> None:
    ids: dict[str, Any] = {name: (picked[field],) for name, field in dimensions.items() if picked.get(field)}
    period = ids.pop("period", (None,))[0]
    turn_to_first()
    open_page(period=period, **ids)


def open_entity(picked: Mapping[str, Any]) -> None:
    """Open the entity of a row or mark."""
    open_page("entity", entity=(picked["entity"],))
