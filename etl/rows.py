"""Where the rows of answers are while they are understood: in the build's own connection, or on another engine."""

from __future__ import annotations

from typing import Any, Protocol

import duckdb


class StatementProblem(ValueError):
    """A statement that another engine does not run; the text is the engine's."""


class Found(Protocol):
    """The rows that a statement gave."""

    def fetchone(self) -> Any:
        """The next row; None after the last."""

    def fetchall(self) -> list[Any]:
        """Every row that is left."""


class Rows(Protocol):
    """Takes the statements about single answers; what it writes into a table of the build stands in the build."""

    def execute(self, query: str, parameters: Any = ...) -> Found:
        """Run one statement."""


def hand_over(connection: duckdb.DuckDBPyConnection, rows: Rows, *names: str) -> None:
    """Make relations of `rows` tables of the connection, where they are not its own."""
    if rows is connection:
        return
    for name in names:
        rows.hand_over(name)  # type: ignore[attr-defined]
