"""The columns of the registers (codes: `cells` has the words), and rows put in their order."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

_PLACE = (
    ("county", pa.string()),
    ("township", pa.string()),
    ("school_id", pa.string()),
    ("school", pa.string()),
)
_WHO = (("grade", pa.int32()), ("class_id", pa.string()), ("name", pa.string()))
SCHOOL_AGE = pa.schema(
    [
        *_PLACE,
        *_WHO,
        ("student_id", pa.string()),
        ("sex", pa.string()),
        ("birth_date", pa.date32()),
        ("where", pa.string()),
        ("since", pa.date32()),
        ("guardian", pa.string()),
        ("guardian_phone", pa.string()),
        ("groups", pa.list_(pa.string())),
    ]
)
LINES = pa.schema(
    [
        *_PLACE,
        *_WHO,
        ("student_id", pa.string()),
        ("open", pa.bool_()),
        ("opened_on", pa.date32()),
        ("reopened_on", pa.list_(pa.date32())),
        ("closings", pa.list_(pa.struct([("on", pa.date32()), ("because", pa.string())]))),
        ("closed_on", pa.date32()),
        ("because", pa.string()),
        ("days_out", pa.int32()),
        ("cause", pa.string()),
        ("leader", pa.string()),
        ("teacher", pa.string()),
        ("persuasions", pa.int32()),
        ("last_persuasion", pa.date32()),
        ("case", pa.int32()),
        ("case_state", pa.string()),
    ]
)
PERSUASIONS = pa.schema(
    [
        *_PLACE,
        ("name", pa.string()),
        ("student_id", pa.string()),
        ("case", pa.int32()),
        ("date", pa.date32()),
        ("kind", pa.string()),
        ("by", pa.string()),
        ("office", pa.string()),
        ("where", pa.string()),
        ("cause", pa.string()),
        ("outcome", pa.string()),
        ("note", pa.string()),
        ("recorded_by", pa.string()),
    ]
)


def table_of(
    rows: list[dict[str, Any]], schema: pa.Schema, order: str, first: str = ""
) -> pa.Table:
    """Return rows as a table, by county; among its rows those first that are `first`."""
    names = order.split()

    def key(row: dict[str, Any]) -> list[Any]:
        values = [row.get(name) for name in names]
        ordered = [(value is None, value if value is not None else 0) for value in values]
        return [ordered[0], not row.get(first, True), *ordered[1:]]

    chosen = [{name: row.get(name) for name in schema.names} for row in sorted(rows, key=key)]
    return pa.Table.from_pylist(chosen, schema=schema)
