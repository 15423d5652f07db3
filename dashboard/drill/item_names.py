"""Items by the code and text of their newest checklist version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from dashboard.selection import Options
from dashboard.view import View
from dashboard.words import LANGUAGES, Label

ITEM: Final = "item_lineage"


@dataclass(frozen=True, slots=True)
class ItemView(View):
    """A view that names an item as its newest checklist version does, and not as the version in which it began."""

    def shape(self, frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
        """Figures as in every view, with the newest names of items."""
        frame = View.shape(self, frame, by)
        if ITEM not in by:
            return frame
        names = self.options.choices[ITEM]
        newest: dict[str, pd.Series] = {}
        for language in LANGUAGES:
            named = {code: label.say(language) for code, label in names.items()}
            newest[f"{ITEM}_{language}"] = frame[ITEM].map(named).fillna(frame[f"{ITEM}_{language}"])
        return frame.assign(**newest)

    def label_dimension(self, dimension: str) -> str:
        """Name of a dimension; readers know an item and not its lineage."""
        return View.label_dimension(self, "item" if dimension == ITEM else dimension)


def read_versions(view: View) -> pd.DataFrame:
    """Every item of every checklist version, newest versions first, whatever is filtered."""
    bare = replace(view, selection=replace(view.selection, from_period=None, to_period=None, chosen=()))
    return bare.list_all_rows("items")


def read_newest_versions(view: View) -> pd.DataFrame:
    """The newest version of every item, by its lineage."""
    return view.remember("newest versions", lambda: read_versions(view).drop_duplicates(ITEM).set_index(ITEM))


def name_items(view: View) -> ItemView:
    """The view with items named by code and text of their newest version."""
    options = view.remember("options with named items", lambda: _name_options(view))
    return ItemView(view.build, view.selection, options)


def _name_options(view: View) -> Options:
    newest = read_newest_versions(view)
    rows = zip(newest.index, newest["item_code"], newest["item_text_en"], newest["item_text_ja"], strict=True)
    named = {lineage: Label(f"{code} {en}", f"{code} {ja}") for lineage, code, en, ja in rows}
    choices = view.options.choices
    return replace(view.options, choices=choices | {ITEM: choices.get(ITEM, {}) | named})
