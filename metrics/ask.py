"""From a question to its figures: run what the compiler wrote, join facts, name the values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from metrics.catalog import DIMENSIONS, METRICS
from metrics.compile import compile_query, keep_used, list_parameters
from metrics.query import OUTSIDE, Filters, Query, Scope
from metrics.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class AnswerFrame:
    """The answer to a query, and what it rests on.

    `frame` has for each dimension its id and the columns `<dimension>_en` and `<dimension>_ja`, and for each metric
    its value (rates 0..1), `_numerator`, `_denominator`, `_contributing` and `_expected` (entities; both empty where the
    query counts none).
    """

    query: Query
    frame: pd.DataFrame
    build_name: str
    known_at: datetime
    statements: tuple[str, ...]

    def sentence(self, language: str = "en") -> str:
        """What the figures are held to and known at, in words, and which filter a metric does not know."""
        is_japanese = language == "ja"
        held = self.query.filters.sentence(language)
        moment = f"{self.known_at:%Y-%m-%d %H:%M} UTC"
        parts = [f"{held}（{moment} 時点の情報）" if is_japanese else f"{held} (known at {moment})"]
        for name in self.query.metrics:
            metric = METRICS[name]
            for dimension in self.query.filters.chosen():
                if metric.fact not in DIMENSIONS[dimension].facts:
                    known = DIMENSIONS[dimension]
                    parts.append(
                        f"{metric.label_ja}は{known.label_ja}では絞り込めません"
                        if is_japanese
                        else f"{metric.label_en} is not held to {known.label_en.lower()}: it is not known there"
                    )
        return "。".join(parts) if is_japanese else "; ".join(parts)


def answer(warehouse: Warehouse, query: Query) -> AnswerFrame:
    """Answer a query from one build; a combination without any row is absent, never zero."""
    known_at = query.known_at or warehouse.newest_known_at()
    statements = compile_query(query, known_at)
    by = list(query.by)
    frame: pd.DataFrame | None = None
    for statement in statements:
        part = warehouse.read_frame(statement.sql, statement.parameters)
        if frame is None:
            frame = part
        elif by and (len(frame) or len(part)):
            frame = frame.merge(part, on=by, how="outer")
        elif by:
            # pandas cannot merge two columns of texts without a single part.
            frame = pd.concat([frame, part.drop(columns=by)], axis=1)
        else:
            frame = pd.concat([frame, part], axis=1)
    assert frame is not None
    columns: dict[str, object] = {}
    for name in by:
        columns[name] = frame[name]
        labels = value_labels(warehouse, name, known_at, query.scope)
        columns |= label_ids(name, frame[name], labels)
    for name in query.metrics:
        numerator, denominator = frame[f"{name}_numerator"], frame[f"{name}_denominator"]
        is_ratio = METRICS[name].is_ratio
        columns[name] = numerator / denominator.where(denominator != 0) if is_ratio else numerator
        for part_name in ("numerator", "denominator", "contributing", "expected"):
            columns[f"{name}_{part_name}"] = frame[f"{name}_{part_name}"]
    # A metric whose denominator is nothing says nothing: a row of which that is true throughout is a gap.
    shown = pd.DataFrame(columns)
    filled = shown[list(query.metrics)].notna().any(axis=1)
    return AnswerFrame(
        query,
        shown[filled].reset_index(drop=True) if by else shown,
        warehouse.build_name,
        known_at,
        tuple(statement.sql for statement in statements),
    )


def label_ids(name: str, ids: pd.Series, labels: dict[str, tuple[str, str]]) -> dict[str, object]:
    """The columns `<name>_en` and `<name>_ja` of ids: their labels, else the ids themselves; empty where there is none."""
    # Each id is named once and not in every row; the place -1 of a missing one is the last, which is empty.
    places, values = pd.factorize(ids)
    named = [*(labels.get(value, (value, value)) for value in map(str, values.tolist())), ("", "")]
    return {
        f"{name}_{language}": pd.array([names[position] for names in named], dtype="str").take(places)
        for position, language in enumerate(("en", "ja"))
    }


OUTSIDE_LABELS = ("Outside your scope", "閲覧範囲外")
OF_ENTITIES = ("entity", "inspecting_entity", "business_group")


def country_numbers(warehouse: Warehouse) -> dict[str, int]:
    """ISO 3166-1 numeric codes by country code."""
    sql = "select country_code, numeric_code from dim_country where numeric_code is not null"
    return dict(warehouse.read_rows(sql))


def value_labels(warehouse: Warehouse, dimension: str, known_at: datetime, scope: Scope) -> dict[str, tuple[str, str]]:
    """Labels (English, Japanese) of a dimension's ids, as known at the moment; names outside the scope are left out.

    The same for every query until the build is closed: do not change them.
    """
    return warehouse.read_once(
        ("labels", dimension, known_at, scope), lambda: _read_labels(warehouse, dimension, known_at, scope)
    )


def _read_labels(warehouse: Warehouse, dimension: str, known_at: datetime, scope: Scope) -> dict[str, tuple[str, str]]:
    one = DIMENSIONS[dimension]
    if one.values:
        return {value: (english, japanese) for value, english, japanese in one.values}
    if dimension == "fiscal_year":
        return {str(year): (f"FY{year}", f"{year}年度") for year in range(1900, 2100)}
    if one.labels_sql is None:
        return {}
    parameters = keep_used(one.labels_sql, list_parameters(Filters(), scope, known_at))
    rows = warehouse.read_rows(one.labels_sql, parameters)
    labels = {str(key): (en or str(key), ja or en or str(key)) for key, en, ja in rows}
    is_held = dimension in OF_ENTITIES and scope.entity_codes is not None
    return labels | ({OUTSIDE: OUTSIDE_LABELS} if is_held else {})
