"""The school days of each case from its day 1 on, past and to come, as its deadlines count them.

Of the last 60 school days those bring a step nearer of which something is known of the child: in a
case of absence the days away without leave (neither illness nor a day that the school has not
handed in), in any other case every day with a record. Before these 60, and after the as-of date,
every school day of the calendar counts, and beyond the calendar Monday to Friday.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import duckdb
import pyarrow as pa

from earlywarn.features.strip import attendance_strip
from earlywarn.followup.counteddays import CountedDays
from earlywarn.followup.duedates import school_days_after
from earlywarn.followup.ledger import Case
from earlywarn.workspace import Config

# How far ahead the calendar is read: the longest case is a return's 60 school days.
_AHEAD = 65

# For a child on no roster the school days are its school's.
_DAYS = """
WITH whole_school AS (
    SELECT school_id, min(cal) AS cal FROM calendars WHERE private_to IS NULL GROUP BY school_id
)
SELECT f.case_id, any_value(c.class_id) AS class_id,
       list(d.date ORDER BY d.date) FILTER (
           d.date IS NOT NULL AND (
               d.back >= 60 OR r.cal IS NULL
               OR (f.is_absence AND m.mark = 'unexcused')
               OR (NOT f.is_absence AND m.mark NOT IN ('unrecorded', 'unreported')))) AS days
FROM followed_cases f
LEFT JOIN cohort c ON c.student_id = f.student_id
LEFT JOIN roster r ON r.student_id = f.student_id
LEFT JOIN whole_school w ON w.school_id = f.school_id
LEFT JOIN school_days d ON d.cal = coalesce(r.cal, w.cal) AND d.date > f.opened_on
LEFT JOIN followed_marks m ON m.student_id = f.student_id AND m.date = d.date
GROUP BY f.case_id
"""


def case_days(
    con: duckdb.DuckDBPyConnection, config: Config, cases: Iterable[Case], as_of: date
) -> dict[int, CountedDays]:
    """Return the school days of each case, by its number; `con` as `features.build` leaves it."""
    by_id = {case.id: case for case in cases}
    if not by_id:
        return {}
    table = pa.table(
        {
            "case_id": pa.array(by_id, pa.int64()),
            "student_id": pa.array([case.student_id for case in by_id.values()], pa.string()),
            "school_id": pa.array([case.school_id for case in by_id.values()], pa.string()),
            "opened_on": pa.array([case.opened_on for case in by_id.values()], pa.date32()),
            "is_absence": pa.array([case.kind == "absence" for case in by_id.values()]),
        }
    )
    students = [case.student_id for case in by_id.values() if case.student_id]
    con.register("followed_cases", table)
    con.register("followed_marks", attendance_strip(con, students))
    try:
        rows = con.execute(_DAYS).fetchall()
    finally:
        con.unregister("followed_cases")
        con.unregister("followed_marks")
    where = {case_id: (by_id[case_id].school_id, class_id or "") for case_id, class_id, _ in rows}
    ahead = school_days_after(con, as_of, list(where.values()), _AHEAD)
    found: dict[int, CountedDays] = {}
    for case_id, _, past in rows:
        opened_on, coming = by_id[case_id].opened_on, ahead[where[case_id]]
        after = [day for day in coming.days if day > opened_on]
        days = (opened_on, *(past or ()), *after)
        found[case_id] = CountedDays(days, max(coming.last or as_of, as_of))
    return found
