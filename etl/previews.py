"""The first rows of a load as they were understood, before anything is published."""

from __future__ import annotations

from typing import Any, Final

import duckdb

from etl.sources import Record

MOST_ROWS: Final = 60
"""Rows looked at per table: more than are shown, because some of them may be refused in the end."""
ANSWER_COLUMNS: Final = (
    "entity_code", "period", "inspection_type", "inspecting_entity_code", "performed_on", "checklist_code",
    "checklist_version", "item_code", "item_text", "verdict", "answer", "score", "comment",
)  # fmt: skip


def preview_answers(connection: duckdb.DuckDBPyConnection) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Columns, and rows with their key (table_no, row_no, variant) before the values; reads `resolved_answer`."""
    rows = connection.execute(
        f"""with first as (
            select * from resolved_answer where is_good
            qualify row_number() over (partition by table_no order by row_no, variant) <= {MOST_ROWS}
        )
        select r.table_no, r.row_no, r.variant, t.entity_code, t.period, t.inspection_type, t.inspecting_entity_code,
            t.performed_on, t.checklist_code, t.checklist_version, i.item_code, i.text_en, r.verdict, r.answer, r.score,
            r.comment
        from first r join inspection_told t using (telling_no)
        left join (select item_id, any_value(item_code) as item_code, any_value(text_en) as text_en from dim_item
            where item_id in (select item_id from first) group by item_id) i on i.item_id = r.item_id
        order by r.table_no, r.row_no, r.variant"""
    ).fetchall()
    return list(ANSWER_COLUMNS), rows


def preview_statements(
    connection: duckdb.DuckDBPyConnection, record: Record
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Columns that the record fills, and rows with their key before the values; reads `told`."""
    names = [field.name for field in record.kind.fields if field.name in record.expressions]
    rows = connection.execute(
        f"""select table_no, row_no, variant, {", ".join(names)} from told
        qualify row_number() over (partition by table_no order by row_no, variant) <= {MOST_ROWS}
        order by table_no, row_no, variant"""
    ).fetchall()
    return names, rows
