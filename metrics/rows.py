"""The rows behind the figures, page by page: held to the same filters, scope and knowledge as what counts them."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pandas as pd

from metrics.ask import answer, label_ids, value_labels
from metrics.catalog import DIMENSIONS, METRICS
from metrics.compile import keep_used, list_conditions, list_parameters, list_tables
from metrics.facts import FACTS, INSPECTOR, join_entity, known
from metrics.listings import ENTITY_TEXTS, LISTINGS, SEARCHED_ENTITIES, Listing, RowColumn
from metrics.query import Filters, Query, QueryProblem, Scope, list_filter_problems
from metrics.warehouse import Warehouse

__all__ = [
    "LISTINGS",
    "Listing",
    "RowColumn",
    "RowsFrame",
    "RowsQuery",
    "compile_rows",
    "list_counting_metrics",
    "list_rows",
    "unknown_filters",
]

MOST_ROWS = 5000


@dataclass(frozen=True, slots=True)
class RowsQuery:
    """A page of a listing: `order` names a column, None is the listing's own order; `search` is any part of a text.

    `counted_by` names metrics that count rows of the listing: only rows that one of them counts are listed. `load_no`
    holds files and refusals to one file taken in.
    Raises QueryProblem when it names what is not there.
    """

    listing: str
    filters: Filters = field(default_factory=Filters)
    known_at: datetime | None = None
    scope: Scope = field(default_factory=Scope)
    search: str = ""
    counted_by: tuple[str, ...] = ()
    load_no: int | None = None
    order: str | None = None
    descending: bool = False
    limit: int = 100
    offset: int = 0

    def __post_init__(self) -> None:
        problems = list_filter_problems(self.filters, self.known_at)
        listing = LISTINGS.get(self.listing)
        if listing is None:
            near = difflib.get_close_matches(self.listing, LISTINGS, 1)
            problems.append(f"there is no listing '{self.listing}'" + (f"; did you mean {near[0]}?" if near else ""))
        elif self.order is not None and self.order not in listing.column_names:
            near = difflib.get_close_matches(self.order, listing.column_names, 1)
            problems.append(
                f"{self.listing} has no column '{self.order}'" + (f"; did you mean {near[0]}?" if near else "")
            )
        if listing is not None:
            counting = list_counting_metrics(listing)
            problems += [
                f"{self.listing} has no rows that the metric '{name}' counts; known: {', '.join(counting) or 'none'}"
                for name in self.counted_by
                if name not in counting
            ]
            if self.load_no is not None and "load_no" not in listing.column_names:
                problems.append(f"{self.listing} has no rows of one file taken in; only loads and refusals have")
        if not 1 <= self.limit <= MOST_ROWS:
            problems.append(f"the limit is {self.limit}; it must be 1 to {MOST_ROWS}")
        if self.offset < 0:
            problems.append(f"the offset is {self.offset}; it must be 0 or more")
        if problems:
            raise QueryProblem("; ".join(problems))


@dataclass(frozen=True, slots=True)
class RowsFrame:
    """A page of rows, and what it is a page of.

    `frame` has the listing's columns by name, and `<name>_en` and `<name>_ja` where a column's ids have labels;
    `total` counts the rows that match, whatever the page.
    """

    query: RowsQuery
    frame: pd.DataFrame
    total: int
    build_name: str
    known_at: datetime


def list_rows(warehouse: Warehouse, query: RowsQuery) -> RowsFrame:
    """One page of a listing, and how many rows there are."""
    known_at = query.known_at or warehouse.newest_known_at()
    listing = LISTINGS[query.listing]
    parameters = list_parameters(query.filters, query.scope, known_at) | {
        "search": _search(query),
        "load_no": query.load_no,
        "limit": query.limit,
        "offset": query.offset,
    }
    beginning = find_beginning(warehouse, query, parameters)
    count, page = compile_rows(query, is_of_beginning=bool(beginning))
    parameters |= beginning
    found = warehouse.read_frame(page, keep_used(page, parameters))
    if listing.beginning and not _search(query):
        metric = listing.beginning.metric
        counting = Query((metric,), (), query.filters, known_at, query.scope, with_entities=False)
        total = int(answer(warehouse, counting).frame[metric].fillna(0).iloc[0])
    else:
        ((total,),) = warehouse.read_rows(count, keep_used(count, parameters))
    columns: dict[str, object] = {}
    labels: dict[str, dict[str, tuple[str, str]]] = {}
    for column in listing.columns:
        # pandas would make a number with a fraction of a whole one, and an object of a flag, where one is missing.
        types = {"integer": "Int64", "flag": "boolean", "number": "Float64", "rate": "Float64"}
        values = found[column.name]
        columns[column.name] = values.astype(types[column.kind]) if column.kind in types else values
        if column.labelled_by:
            if column.labelled_by not in labels:
                labels[column.labelled_by] = value_labels(warehouse, column.labelled_by, known_at, query.scope)
            columns |= label_ids(column.name, values, labels[column.labelled_by])
    return RowsFrame(query, pd.DataFrame(columns), total, warehouse.build_name, known_at)


def list_counting_metrics(listing: Listing) -> dict[str, str]:
    """The metrics that count rows of the listing, and the condition by which each does."""
    counts = FACTS[listing.fact].counts if listing.fact else {}
    return {
        metric.name: counts[metric.numerator]
        for metric in METRICS.values()
        if metric.fact == listing.fact and not metric.is_ratio and metric.numerator in counts
    }


def unknown_filters(listing: str, filters: Filters) -> tuple[str, ...]:
    """Names of the filters in use that the listing does not know: its rows are not held to them."""
    known_names = LISTINGS[listing].filter_columns
    names = [name for name in filters.chosen() if name not in known_names]
    # An end of a period is known where the period of a row is.
    ends = [] if "fiscal_half" in known_names else ["period_from", "period_to"]
    return (*names, *(name for name in ends if getattr(filters, name)))


def find_beginning(warehouse: Warehouse, query: RowsQuery, parameters: dict[str, Any]) -> dict[str, Any]:
    """The inspections that a page near the beginning of a long listing is of; empty where all rows are to be read.

    They are `inspections` (ids) and `first_known`, before which nothing of them and of those beside them was known.
    """
    listing = LISTINGS[query.listing]
    beginning = listing.beginning
    if beginning is None or listing.fact is None or query.order or query.descending or _search(query):
        return {}
    conditions = list_conditions(query.filters, query.scope, listing.fact, "fex")
    if conditions != list_conditions(query.filters, query.scope, listing.fact):
        return {}
    names = [name for name, _ in listing.order]
    ordered = listing.order[names.index(beginning.first) : names.index(beginning.last) + 1]
    sql = {column.name: column.sorted_by or column.sql for column in listing.columns}
    sorts = ", ".join(f"{sql[name]} as sort_{number}" for number, (name, _) in enumerate(ordered))
    by = [f"sort_{number} {'desc' if down else 'asc'} nulls last" for number, (_, down) in enumerate(ordered)]
    same = ", ".join(f"sort_{number}" for number, _ in enumerate(ordered))
    tables = list_tables(query.filters, query.scope, listing.fact, with_inspector=True)
    found = f"""with {("," + chr(10)).join(tables)},
counted as (
    {beginning.counted}
),
inspected as (
    select f.inspection_id, n.number, {sorts}
    from fct_inspection f{join_entity("f.reference_on")}{INSPECTOR}
    join counted n on n.inspection_id = f.inspection_id
    where {(chr(10) + "        and ").join([known("f"), "n.number > 0", *conditions])}
),
placed as (
    select
        inspection_id, sum(number) over (order by {", ".join(by)}) as upto,
        sum(number) over (partition by {same}) as alike, sum(number) over () as whole
    from inspected
)
select inspection_id, whole
from placed
where upto - alike < $limit + $offset"""
    rows = warehouse.read_rows(found, keep_used(found, parameters))
    is_certain = beginning.condition == "true"
    if not rows or not (is_certain or rows[0][1] >= query.limit + query.offset):
        return {}
    inspections = [row[0] for row in rows]
    beside = f" or inspection_id in ({beginning.beside})" if beginning.beside else ""
    first = f"select min(known_from) from fct_inspection where inspection_id in (select unnest($inspections)){beside}"
    ((first_known,),) = warehouse.read_rows(first, {"inspections": inspections})
    return {"inspections": inspections, "first_known": first_known}


OF_BEGINNING = ("a.inspection_id in (select unnest($inspections))", "a.known_from >= $first_known")


def compile_rows(query: RowsQuery, *, is_of_beginning: bool = False) -> tuple[str, str]:
    """The statement that counts the rows, and the one that gives the page; where so told, of `find_beginning` only."""
    listing = LISTINGS[query.listing]
    with_inspector = listing.fact is not None and listing.fact in DIMENSIONS["inspecting_entity"].facts
    tables = [*list_tables(query.filters, query.scope, listing.fact, with_inspector), *listing.tables]
    columns = {column.name: _hold_back(column, listing, query.scope) for column in listing.columns}
    chosen = ((query.order, False),) if query.order else listing.order
    order = [
        (columns[name].sorted_by or columns[name].sql, is_descending != query.descending)
        for name, is_descending in chosen
    ]
    # The key makes the order whole: no row stands on two pages.
    order += [(expression, False) for expression in listing.key]
    conditions = _conditions(listing, query)
    narrowed = OF_BEGINNING if is_of_beginning else ()
    certain = [listing.beginning.condition] if is_of_beginning and listing.beginning else []
    # Millions of rows are joined with no more than what holds them back or sorts them.
    counted, paged = (
        _narrow(listing, query, " ".join(texts)) for texts in (conditions, [*conditions, *(one for one, _ in order)])
    )
    where, also = (
        f"\n    where {(chr(10) + '        and ').join(texts)}" if texts else ""
        for texts in (conditions, [*conditions, *narrowed, *certain])
    )
    head = f"with {(',' + chr(10)).join(tables)}"
    count = f"{head}\nselect count(*)\n{counted}{where}"
    keys = "".join(f"{expression} as key_{number}, " for number, expression in enumerate(listing.key))
    sorts = ", ".join(f"{expression} as sort_{number}" for number, (expression, _) in enumerate(order))
    by_sorts = ", ".join(
        f"sort_{number} {'desc' if is_descending else 'asc'} nulls last"
        for number, (_, is_descending) in enumerate(order)
    )
    same = " and ".join(f"{expression} = p.key_{number}" for number, expression in enumerate(listing.key))
    # Tables are held to the page before they are joined: a hundred rows, and not millions with all their texts.
    on_page = [f"{expression} in (select key_{number} from page)" for number, expression in enumerate(listing.key)]
    held = [*listing.held_conditions, *narrowed, *on_page]
    shown = ",\n    ".join(f"{column.sql} as {name}" for name, column in columns.items())
    page = (
        f"{head},\npage as (\n    select {keys}{sorts}\n    {paged}{also}\n    order by {by_sorts}\n"
        f"    limit $limit offset $offset\n)\nselect\n    {shown}\n{_whole(listing, is_of_beginning)}\n    join page p on {same}"
        + f"\nwhere {' and '.join(held)}\norder by {by_sorts}"
    )
    return count, page


def _hold_back(column: RowColumn, listing: Listing, scope: Scope) -> RowColumn:
    """The column as a reader of the scope has it: empty where it tells of others; whole files are no row of anybody."""
    is_held_back = column.is_of_group and not listing.is_of_group and not scope.is_whole
    return replace(column, sql="cast(null as varchar)", sorted_by=None) if is_held_back else column


def _whole(listing: Listing, is_of_beginning: bool) -> str:
    """The from clause with everything that a row shows."""
    has_inspector = listing.fact is not None and listing.fact in DIMENSIONS["inspecting_entity"].facts
    details = listing.details
    for alias in sorted({expression[0] for expression in listing.detail_key}):
        on_page = [
            f"{expression} in (select key_{number} from page)"
            for number, expression in enumerate(listing.detail_key)
            if expression[0] == alias
        ]
        on_page += [f"{alias}.known_from >= $first_known"] if is_of_beginning else []
        held = rf"join (select {alias}.* from \1 {alias} where {' and '.join(on_page)}) {alias}"
        details = re.sub(rf"\bjoin (\w+) {alias}\b", held, details)
    return listing.rows + (INSPECTOR if has_inspector else "") + details


def _narrow(listing: Listing, query: RowsQuery, expressions: str) -> str:
    """The from clause with what the expressions name; a search marks the rows of each table before they are joined."""
    missing = _aliases(expressions) - _aliases(listing.rows)
    needed = [join for join in re.findall(r"\n    (?:left )?join .*", listing.details) if _joined(join) in missing]
    details = (INSPECTOR if "x" in missing else "") + "".join(needed)
    narrow = (FACTS[listing.fact].join(expressions + details) if listing.fact else listing.rows) + details
    if _search(query):
        for alias, condition in _searched_tables(listing, query.scope).items():
            marked = rf"\1 (select {alias}.*, {condition} as is_found from \2 {alias}) {alias}"
            narrow = re.sub(rf"\b(from|join) (\w+) {alias}\b", marked, narrow)
    return narrow


def _search(query: RowsQuery) -> str:
    return query.search.strip()


def _searched_tables(listing: Listing, scope: Scope) -> dict[str, str]:
    """For the alias of each table that a search looks into, the condition that a row of it is found."""
    texts: dict[str, list[str]] = {}
    # What is not shown is not found either.
    held_back = {column.sql for column in listing.columns if _hold_back(column, listing, scope) is not column}
    for text in listing.searched:
        if text in held_back:
            continue
        texts.setdefault(text[0], []).append(text)
    conditions = {alias: f"({' or '.join(map(_contains, found))})" for alias, found in texts.items()}
    if listing.fact:
        # The name that an entity has now is the one that is shown, and so the one that is found.
        named = SEARCHED_ENTITIES.format(" or ".join(map(_contains, ENTITY_TEXTS)))
        conditions["e"] = f"({conditions.get('e', 'false')} or e.entity_id in ({named}))"
    return conditions


def _joined(join: str) -> str:
    """Alias of the table that a join brings."""
    found = re.search(r"join \w+ (\w)\b", join)
    assert found
    return found[1]


def _aliases(sql: str) -> set[str]:
    return set(re.findall(r"\b([a-z])\.", sql))


def _conditions(listing: Listing, query: RowsQuery) -> list[str]:
    conditions = [*listing.held_conditions]
    if query.counted_by:
        counting = list_counting_metrics(listing)
        conditions.append(f"({' or '.join(f'({counting[name]})' for name in query.counted_by)})")
    if listing.fact is not None:
        conditions += list_conditions(query.filters, query.scope, listing.fact)
    else:
        conditions += [
            f"cast({expression} as varchar) in (select unnest(${name}))" if "$" not in expression else expression
            for name, expression in listing.filter_columns.items()
            if getattr(query.filters, name)
        ]
        scope = query.scope
        if scope.domains is not None:
            conditions += listing.domain_conditions
        if listing.is_of_group and not scope.is_whole:
            conditions.append("false")
    if query.load_no is not None:
        conditions.append("l.load_no = $load_no")
    if _search(query):
        found = (f"coalesce({alias}.is_found, false)" for alias in _searched_tables(listing, query.scope))
        conditions.append(f"({' or '.join(found)})")
    return conditions


def _contains(text: str) -> str:
    return f"position(lower($search) in lower({text})) > 0"
