"""Which earlier rows a file loaded with --replace takes out, as SQL.

A scope is schools times days (batchlist.Scope). What a row's school and days are, by table:

=================  ===============================  =============================================
table              a row's school                   days of the scope
=================  ===============================  =============================================
students           its own                          the file's snapshot dates
attendance         the student's on that date       the file's first to its last date
outcomes           the student's on that date       the file's first to its last date
exams              the student's on that date       the file's exams, each with its date
attendance_totals  the student's on the last day    the file's first `from` to its last `to`;
                                                    periods that lie wholly within
reported_days      its own                          the file's first to its last date
calendar           its own; none = for all schools  the file's first to its last date
=================  ===============================  =============================================

A student's school on a date is that of the newest snapshot not after it, else of the first one.
`schools` cannot be replaced: its key is the school, so that the later row wins anyway.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from earlywarn.tables.batchlist import BatchList, Scope

_SCHEMA = pa.schema(
    [
        ("batch", pa.int64()),
        ("table_name", pa.string()),
        ("school_id", pa.string()),
        ("first_day", pa.date32()),
        ("last_day", pa.date32()),
        ("exam", pa.string()),
    ]
)
_STAYS = """
    SELECT student_id, school_id,
           CASE WHEN row_number() OVER by_date = 1 THEN DATE '0001-01-01'
                ELSE snapshot_date END AS since,
           coalesce(lead(snapshot_date) OVER by_date - 1, DATE '9999-12-31') AS until
    FROM students
    WINDOW by_date AS (PARTITION BY student_id ORDER BY snapshot_date)
"""


@dataclass(frozen=True)
class Reach:
    """What a row of a table is placed by: the columns of its days, and whose school counts."""

    first: str
    last: str
    by_student: bool = False  # else the row's own school_id
    days_between: bool = True  # else the file's own days only
    by_exam: bool = False


REACH: dict[str, Reach] = {
    "students": Reach("snapshot_date", "snapshot_date", days_between=False),
    "attendance": Reach("date", "date", by_student=True),
    "outcomes": Reach("date", "date", by_student=True),
    "exams": Reach("date", "date", by_student=True, days_between=False, by_exam=True),
    "attendance_totals": Reach("from", "to", by_student=True),
    "reported_days": Reach("date", "date"),
    "calendar": Reach("date", "date"),
}


def make_stays(con: duckdb.DuckDBPyConnection) -> None:
    """Make `school_stays` (student_id, school_id, since, until; days included) from `students`."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE school_stays AS {_STAYS}").fetchall()


def make_scopes(con: duckdb.DuckDBPyConnection, known: BatchList) -> None:
    """Make `replaced_scopes`: one line for each school and span of each replacing batch."""
    found = [
        (batch.id, part.table, school, span)
        for batch in known.batches
        for part in batch.parts
        if part.replaces is not None
        for school in part.replaces.schools
        for span in part.replaces.spans
    ]
    lines = [
        dict(zip(_SCHEMA.names, (batch, table, school, s.first, s.last, s.exam), strict=True))
        for batch, table, school, s in found
    ]
    con.register("replaced_scopes_rows", pa.Table.from_pylist(lines, _SCHEMA))
    con.execute("CREATE OR REPLACE TEMP TABLE replaced_scopes AS FROM replaced_scopes_rows")
    con.unregister("replaced_scopes_rows")


def without_replaced(table: str, batches: Iterable[int]) -> str:
    """Return the join that leaves out of `o`, rows of `table`, what `batches` replace."""
    reach = REACH[table]
    listed = ", ".join(str(batch) for batch in batches)
    scopes = f"SELECT * FROM replaced_scopes WHERE table_name = '{table}' AND batch IN ({listed})"
    if reach.by_student:
        scopes = f"SELECT * FROM ({scopes}) JOIN school_stays USING (school_id)"
        who = f'o.student_id = r.student_id AND o."{reach.last}" BETWEEN r.since AND r.until'
    else:
        who = "o.school_id IS NOT DISTINCT FROM r.school_id"
    days = f'o."{reach.first}" >= r.first_day AND o."{reach.last}" <= r.last_day'
    exam = " AND o.exam = r.exam" if reach.by_exam else ""
    return f"ANTI JOIN ({scopes}) AS r ON {who} AND {days}{exam}"


def takes_off_registry(scope: Scope, school: str, day: str) -> bool:
    """Whether a replacing students file speaks for that school's registry of that day."""
    return school in scope.schools and any(s.first.isoformat() == day for s in scope.spans)
