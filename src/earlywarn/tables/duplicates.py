"""The same key twice in one file: what counts once, what is settled, what is quarantined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from earlywarn.tables.contract import Table
from earlywarn.tables.order import in_order, stored_order
from earlywarn.words import STATUS_SEVERITY

_NAMED_ROWS = 20  # how many of the other rows a reason names


@dataclass(frozen=True)
class Settled:
    """A file's rows, unique by key.

    `merged`: rows that were folded into another one. `conflicts`: (row, its key, the other rows'
    numbers) for rows that share a key and differ; none of them is in `rows`. `superseded`: rows
    whose key stands in a later file too. `in_order`: whether `rows` are known to stand in the order
    in which they are stored.
    """

    rows: pa.Table
    merged: int
    conflicts: list[tuple[int, str, str]]
    superseded: int = 0
    in_order: bool = False


def settle(table: Table, rows: pa.Table, firsts: Sequence[int] = ()) -> Settled:
    """Make `rows` (`_row` and the contract's columns) unique by the table's key.

    Of several files (`firsts`: the first `_row` of each) the later one's rows of a key count.
    Within one, equal rows count once. Attendance keeps the worst status of a key; in every other
    table rows that differ are all taken out.
    """
    if rows.num_rows < 2:
        return Settled(rows, 0, [])
    is_ordered, unique = in_order(rows, stored_order(table, list(table.key)))
    if unique:  # as a system's export is: sorted, one row a key
        return Settled(rows, 0, [], in_order=True)
    conflicts: list[tuple[int, str, str]] = []
    key = ", ".join(f'"{name}"' for name in table.key)
    with duckdb.connect() as con:
        con.register("rows", rows)
        # Sorting 64-bit hashes of the keys is far cheaper than grouping the rows themselves; only
        # what shares a hash is looked at closely.
        hashes = con.sql(f"SELECT hash({key}) AS h FROM rows").to_arrow_table()["h"].to_numpy()
        hashes = np.sort(hashes)
        again = hashes[1:] == hashes[:-1]
        if not again.any():
            return Settled(rows, 0, [], in_order=is_ordered)
        twice = np.unique(hashes[1:][again])
        del hashes, again
        con.register("twice", pa.table({"h": twice}))
        con.execute(
            f"CREATE TEMP TABLE shared AS SELECT * FROM rows SEMI JOIN twice ON hash({key}) = h"
        )
        late = _superseded(con, key, firsts) if len(firsts) > 1 else []
        if table.name == "attendance":
            drop = _worst_status(con, key)
        else:
            drop, conflicts = _equal_or_not(con, table, key)
    taken_out = np.array(drop + late + [row for row, _, _ in conflicts], dtype=np.int64)
    if len(taken_out):
        keep = ~np.isin(rows["_row"].to_numpy(), taken_out)
        rows = rows.filter(pa.array(keep))
    return Settled(rows, len(drop), conflicts, len(late), is_ordered)


def _superseded(con: duckdb.DuckDBPyConnection, key: str, firsts: Sequence[int]) -> list[int]:
    """Take the rows whose key stands in a later file out of `shared`; return their numbers."""
    con.register("firsts", pa.table({"first": pa.array(firsts, pa.int64())}))
    found = con.execute(
        "SELECT _row FROM (SELECT s._row, f.first AS of_file, "
        f"max(f.first) OVER (PARTITION BY {key}) AS last "
        "FROM shared AS s ASOF JOIN firsts AS f ON s._row >= f.first) WHERE of_file < last"
    ).fetchall()
    con.execute("DELETE FROM shared WHERE _row IN (SELECT unnest(?))", [[row for (row,) in found]])
    return [row for (row,) in found]


def _worst_status(con: duckdb.DuckDBPyConnection, key: str) -> list[int]:
    severity = " ".join(f"WHEN '{status}' THEN {n}" for status, n in STATUS_SEVERITY.items())
    found = con.execute(
        f"SELECT _row FROM shared QUALIFY row_number() OVER "
        f"(PARTITION BY {key} ORDER BY CASE status {severity} END DESC, _row) > 1"
    ).fetchall()
    return [row for (row,) in found]


def _equal_or_not(
    con: duckdb.DuckDBPyConnection, table: Table, key: str
) -> tuple[list[int], list[tuple[int, str, str]]]:
    content = ", ".join(f'"{column.name}"' for column in table.columns)
    shown = ", ".join(f"coalesce(CAST(\"{name}\" AS VARCHAR), '')" for name in table.key)
    groups = con.execute(
        f"""
        SELECT list(_row ORDER BY _row), count(DISTINCT row({content})),
               any_value(concat_ws(' + ', {shown}))
        FROM shared GROUP BY {key} HAVING count(*) > 1
        """
    ).fetchall()
    drop: list[int] = []
    conflicts: list[tuple[int, str, str]] = []
    for numbers, kinds, value in groups:
        if kinds == 1:
            drop += numbers[1:]
            continue
        for number in numbers:
            others = [str(n) for n in numbers[: _NAMED_ROWS + 1] if n != number][:_NAMED_ROWS]
            more = len(numbers) - 1 - len(others)
            named = ", ".join(others) + (f" … (+{more})" if more else "")
            conflicts.append((number, value, named))
    return drop, conflicts
