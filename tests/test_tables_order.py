"""Whether rows stand in their stored order, and whether any two tie: against plain Python."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from earlywarn.tables.order import in_order

ROWS = st.lists(
    st.tuples(
        st.sampled_from([date(2026, 9, 1), date(2026, 9, 2)]),
        st.sampled_from(["a", "b", "ä", "王", "\U0001f600", "\uff01"]),
        st.sampled_from(["am", "pm"]),
    ),
    max_size=8,
)


@given(ROWS, st.booleans(), st.integers(1, 4))
def test_it_is_what_sorting_says(rows, is_sorted, chunk) -> None:
    if is_sorted:
        rows = sorted(rows)
    names = ["date", "student_id", "session"]
    schema = pa.schema(
        [("date", pa.date32()), ("student_id", pa.string()), ("session", pa.string())]
    )
    batches = [
        pa.RecordBatch.from_pylist([dict(zip(names, row, strict=True)) for row in some], schema)
        for some in (rows[i : i + chunk] for i in range(0, len(rows), chunk))
    ]
    table = pa.Table.from_batches(batches, schema)
    assert in_order(table, names) == (
        rows == sorted(rows),
        rows == sorted(rows) and len(set(rows)) == len(rows),
    )


def test_a_column_without_values_does_not_count() -> None:
    table = pa.table({"a": ["x", "y"], "b": pa.nulls(2, pa.string())})
    assert in_order(table, ["b", "a"]) == (True, True)
    assert in_order(table, ["b"]) == (True, False)
    assert in_order(pa.table({"a": ["x", None]}), ["a"]) == (False, False)
