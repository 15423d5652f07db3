"""What the newest build knows: codes of entities, and of the items of each checklist version."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from etl.builds import Home
from etl.values import normalise_code


@dataclass(frozen=True, slots=True)
class Known:
    """Entity codes, names that only one entity has, and item codes by checklist and version; empty without a build."""

    entities: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    items: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    @property
    def item_codes(self) -> frozenset[str]:
        """Codes of the items of all checklists."""
        return frozenset().union(*self.items.values())

    def checklist_of(self, codes: Iterable[str]) -> tuple[str, str] | None:
        """Checklist and version that has at least four of five of the codes: the smallest, of several the newest."""
        asked = {normalise_code(code) for code in codes}
        if not asked:
            return None
        fitting = [
            (len(asked & held) / len(asked), -len(held), version, checklist)
            for (checklist, version), held in self.items.items()
            if len(asked & held) >= 0.8 * len(asked)
        ]
        if not fitting:
            return None
        *_, version, checklist = max(fitting)
        return checklist, version


def read_known(home: Path | None) -> Known:
    """What the newest build of the home knows; nothing where there is none that can be read now."""
    newest = Home.find(home).newest()
    if newest is None:
        return Known()
    try:
        with duckdb.connect(str(newest), read_only=True) as connection:
            entities = connection.execute("select distinct entity_code from dim_entity").fetchall()
            names = connection.execute(
                "select name from (select unnest([name_en, name_ja]) as name, entity_code from dim_entity) "
                "where name is not null group by name having count(distinct entity_code) = 1"
            ).fetchall()
            items = connection.execute(
                "select distinct checklist_code, checklist_version, item_code from dim_item"
            ).fetchall()
    except duckdb.Error:
        return Known()  # What is known only helps: a build that cannot be opened now is no reason to refuse a draft.
    by_checklist: dict[tuple[str, str], set[str]] = {}
    for checklist, version, code in items:
        by_checklist.setdefault((checklist, version), set()).add(code)
    return Known(
        frozenset(code for (code,) in entities),
        frozenset(name for (name,) in names),
        {key: frozenset(codes) for key, codes in by_checklist.items()},
    )
