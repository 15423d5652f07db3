"""What pages of this section share: the inspection types that they count, and what a click on their marks does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from dashboard.filters import DEFAULT_INSPECTION_TYPE
from dashboard.lists import turn_to_first
from dashboard.navigation import open_page
from dashboard.panels import OnPick
from dashboard.view import View

TYPE: Final = "inspection_type"


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
