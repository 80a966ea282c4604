"""In which order rows are stored, and whether they stand in it already."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from earlywarn.tables.contract import Table


def stored_order(table: Table, names: list[str]) -> list[str]:
    """Return the columns among `names` by which a table's rows are sorted on disk.

    By date first, where there is one: a reader of recent weeks skips the older row groups.
    """
    return list(dict.fromkeys(c for c in ("date", *table.key) if c in names))


def in_order(rows: pa.Table, order: list[str]) -> tuple[bool, bool]:
    """Return whether `rows` stand in this order already, and whether no two of them tie in it.

    (False, False) also where a column has some nulls and some values.
    """
    tied = np.ones(max(rows.num_rows - 1, 0), dtype=bool)
    for name in order:
        column = rows[name]
        if column.null_count == len(column):
            continue
        if column.null_count:
            return False, False
        if pa.types.is_date32(column.type):
            days = column.cast(pa.int32()).to_numpy()
            falls, same = days[:-1] > days[1:], days[:-1] == days[1:]
        else:
            values = column.combine_chunks()
            falls = np.asarray(pc.greater(values[:-1], values[1:]))
            same = np.asarray(pc.equal(values[:-1], values[1:]))
        if (tied & falls).any():
            return False, False
        tied &= same
        if not tied.any():
            return True, True
    return True, not tied.any()
