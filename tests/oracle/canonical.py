"""Canonical CSV files as typed Python rows, and typed rows as Arrow tables of the contract."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from earlywarn.tables.contract import TABLES, Column, Table
from oracle.features import WORST_LAST

Row = dict[str, Any]

EXAMPLES = Path(__file__).parents[1] / "worked-examples"
EXAMPLE_NAMES = [f"{number:02d}" for number in range(1, 9)]


def _value(column: Column, cell: str) -> Any:
    if cell == "":
        return None
    match column.type:
        case "integer":
            return int(cell)
        case "number":
            return Decimal(cell)
        case "boolean":
            return {"true": True, "false": False}[cell]
        case "date":
            return date.fromisoformat(cell)
        case _:
            return cell


def read_tables(folder: Path) -> dict[str, list[Row]]:
    """Read every table that the folder has; absent columns are None in every row."""
    tables: dict[str, list[Row]] = {}
    for name, table in TABLES.items():
        path = folder / f"{name}.csv"
        rows: list[Row] = []
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                reader = csv.DictReader(file)
                unknown = set(reader.fieldnames or []) - {c.name for c in table.columns}
                assert not unknown, f"{path}: {unknown}"
                rows = [
                    {c.name: _value(c, line.get(c.name) or "") for c in table.columns}
                    for line in reader
                ]
        tables[name] = rows
    return tables


def read_case(folder: Path) -> tuple[date, str]:
    """Return the as-of date and the attendance mode of a worked example."""
    lines = (folder / "case.yaml").read_text("utf-8").splitlines()
    case = dict(line.split(": ") for line in lines if line)
    return date.fromisoformat(case["as_of"]), case["attendance"]


def fold_sessions(rows: Iterable[Row]) -> list[Row]:
    """Of several attendance rows for one student, date and session keep the worst."""
    worst: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = (row["student_id"], row["date"], row["session"])
        if key not in worst or WORST_LAST.index(row["status"]) > WORST_LAST.index(
            worst[key]["status"]
        ):
            worst[key] = row
    return list(worst.values())


def arrow_table(table: Table, rows: list[Row]) -> pa.Table:
    """Return the rows with the contract's columns and types, unique by key."""
    if table.name == "attendance":
        rows = fold_sessions(rows)
    keys = [tuple(row[c] for c in table.key) for row in rows]
    assert len(set(keys)) == len(keys), f"{table.name}: a key twice"
    # No dict per row for pyarrow: columns keep the order and the types of the contract.
    columns = {c.name: [row.get(c.name) for row in rows] for c in table.columns}
    return pa.table(columns, schema=table.schema)


def arrow_tables(tables: dict[str, list[Row]]) -> dict[str, pa.Table]:
    """Return all tables of the contract as Arrow."""
    return {name: arrow_table(table, tables.get(name, [])) for name, table in TABLES.items()}


def cell(value: Any) -> str:
    """Return a value as it stands in a canonical CSV."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
