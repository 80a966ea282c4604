"""The attendance picture: what each of the last 60 school days was, for a few students."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from earlywarn.engine.duckdb import sql_file
from earlywarn.features.sql import SQL_PACKAGE
from earlywarn.words import STATUS_SEVERITY

MARKS = (*STATUS_SEVERITY, "unrecorded", "unreported")


def attendance_strip(con: duckdb.DuckDBPyConnection, student_ids: Iterable[str]) -> pa.Table:
    """Return student_id, date and mark for up to 60 school days of each student, oldest first.

    `build` must have run in `con`. A mark is one of `MARKS`: a status, `unrecorded` (the school
    reported, this child has no row) or `unreported` (the school has not handed in that day).
    """
    con.register(
        "wanted", pa.table({"student_id": pa.array(sorted(set(student_ids)), pa.string())})
    )
    found = con.sql(sql_file(SQL_PACKAGE, "strip.sql")).to_arrow_table()
    con.unregister("wanted")
    return found
