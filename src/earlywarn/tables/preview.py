"""`--dry-run`: what a file would change, row by row and column by column.

Each file is held against the data in force, not against the other files of the command.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa

from earlywarn.tables.contract import TABLES, Table
from earlywarn.tables.replacing import Replacement
from earlywarn.tables.views import attach
from earlywarn.workspace import Workspace

_EXAMPLES = 5
# Who a child is and where it is reached: that it would change is shown, from what to what is not.
_PERSONAL = {"students": frozenset({"name", "guardian", "guardian_phone", "homeroom_teacher"})}


@dataclass(frozen=True)
class Change:
    """One cell that would change; of a personal column no values (`is_shown` False)."""

    column: str
    old: str | None
    new: str | None
    is_shown: bool


@dataclass(frozen=True)
class Example:
    """A row that would change, by its key; without changes: one that would be withdrawn."""

    key: dict[str, str | None]
    changes: list[Change]


@dataclass(frozen=True)
class Preview:
    """What a file would do to one table.

    `new` + `changed` + `equal` are the accepted rows; `withdrawn` are the rows that --replace would
    take out; `columns` says in how many rows each column would change.
    """

    table: str
    new: int
    changed: int
    equal: int
    withdrawn: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)


def preview(
    workspace: Workspace, tables: dict[str, pa.Table], replaced: Replacement | None
) -> list[Preview]:
    """Return what loading `tables`, the first one's rows with --replace or not, would do."""
    with duckdb.connect() as con:
        con.execute("SET enable_progress_bar = false").fetchall()
        attach(con, workspace)
        found = [_of_table(con, TABLES[name], rows) for name, rows in tables.items()]
    if replaced is not None:
        first = found[0]
        gone = [Example(_texts(key), []) for key in replaced.keys]
        found[0] = Preview(
            first.table,
            first.new,
            first.changed,
            first.equal,
            replaced.withdrawn,
            first.columns,
            first.examples + gone,
        )
    return found


def _of_table(con: duckdb.DuckDBPyConnection, table: Table, rows: pa.Table) -> Preview:
    con.register("incoming", rows)
    match = " AND ".join(f'o."{c}" IS NOT DISTINCT FROM n."{c}"' for c in table.key)
    # The first column of a key is never empty: empty on the right side means there is no such row.
    is_there = f'o."{table.key[0]}" IS NOT NULL'
    others = [column.name for column in table.columns if column.name not in table.key]
    differs = {c: f'({is_there} AND n."{c}" IS DISTINCT FROM o."{c}")' for c in others}
    any_differs = " OR ".join(differs.values()) or "FALSE"
    joined = f"FROM incoming AS n LEFT JOIN {table.name} AS o ON {match}"
    counts = ["NOT " + is_there, any_differs, *differs.values()]
    counted = ", ".join(f"count(*) FILTER ({condition})" for condition in counts)
    ((new, changed, *by_column),) = con.execute(f"SELECT {counted} {joined}").fetchall()
    key = ", ".join(f'n."{c}"' for c in table.key)
    old_and_new = "".join(f', o."{c}" AS "old {c}", n."{c}" AS "new {c}"' for c in others)
    lines = con.sql(
        f"SELECT {key}{old_and_new} {joined} WHERE {any_differs} ORDER BY ALL LIMIT {_EXAMPLES}"
    ).to_arrow_table()
    con.unregister("incoming")
    return Preview(
        table.name,
        new=new,
        changed=changed,
        equal=rows.num_rows - new - changed,
        columns={c: n for c, n in zip(others, by_column, strict=True) if n},
        examples=[_example(table, others, line) for line in lines.to_pylist()],
    )


def _example(table: Table, others: list[str], line: dict[str, Any]) -> Example:
    personal = _PERSONAL.get(table.name, frozenset())
    changes = []
    for name in others:
        old, new = line[f"old {name}"], line[f"new {name}"]
        if old == new:
            continue
        if name in personal:
            changes.append(Change(name, None, None, is_shown=False))
        else:
            changes.append(Change(name, _text(old), _text(new), is_shown=True))
    return Example(_texts({name: line[name] for name in table.key}), changes)


def _texts(values: dict[str, Any]) -> dict[str, str | None]:
    return {name: _text(value) for name, value in values.items()}


def _text(value: Any) -> str | None:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return None if value is None else str(value)
