"""In which order and in how large groups rows are stored, and whether they stand so already."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from earlywarn.tables.contract import Table


def stored_order(table: Table, names: list[str]) -> list[str]:
    """Return the columns among `names` by which a table's rows are sorted on disk.

    Attendance by date first: a reader of recent weeks skips the older row groups. All else by its
    key, so that what is said of a child stands together.
    """
    first = ("date",) if table.name == "attendance" else ()
    return list(dict.fromkeys(c for c in (*first, *table.key) if c in names))


def row_group_size(table: str) -> int:
    """Return how many rows of a table stand in one group on disk: what one processor reads at once.

    The newest registry of a city fits into one group of the usual size, and all that a score needs
    of the registry stands in it; in smaller ones every processor has its share.
    """
    return 20_480 if table == "students" else 122_880


def in_order(rows: pa.Table, order: list[str]) -> tuple[bool, bool]:
    """Return whether `rows` stand in this order already, and whether no two of them tie in it.

    (False, False) also where a column has some nulls and some values.
    """
    names = [name for name in order if rows[name].null_count < rows.num_rows]
    if any(rows[name].null_count for name in names):
        return False, False
    unique = bool(names) or rows.num_rows < 2
    last: tuple[Any, ...] = ()
    for batch in rows.select(names).to_batches():
        if not batch.num_rows:
            continue
        first = tuple(column[0].as_py() for column in batch.columns)
        if last and last > first:
            return False, False
        rises, strictly = _rises(batch)
        if not rises:
            return False, False
        unique = unique and strictly and last != first
        last = tuple(column[-1].as_py() for column in batch.columns)
    return True, unique


def _rises(batch: pa.RecordBatch) -> tuple[bool, bool]:
    """Return whether the rows rise, and whether they do strictly; no column has nulls."""
    tied = np.ones(batch.num_rows - 1, dtype=bool)
    for column in batch.columns:
        values = column.cast(pa.int32()) if pa.types.is_date32(column.type) else column
        before, after = values[:-1], values[1:]
        stays = tied & np.asarray(pc.greater_equal(before, after))
        if not stays.any():
            return True, True  # as nearly always at the last column
        if (stays & np.asarray(pc.greater(before, after))).any():
            return False, False
        tied = stays
    return True, not tied.any()
