"""What the lists cannot know, counted by school."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import duckdb

from earlywarn.tables.contract import STUDENTS
from earlywarn.tables.quarantine.state import still_of_tables
from earlywarn.watchlist.rows import Limits, Silence
from earlywarn.workspace import Workspace

_SCHOOLS = """
WITH with_calendar AS (
    SELECT school_id, bool_and(has_calendar) AS whole FROM calendars GROUP BY school_id
),
unseen AS (  -- by class: nobody of it has a record in the last 60 school days
    SELECT school_id, class_id, count(*) AS children,
           count(*) FILTER (WHERE attendance_date IS NULL) AS without
    FROM cohort JOIN basis USING (student_id)
    WHERE NOT on_leave
    GROUP BY school_id, class_id
),
silent AS (
    SELECT school_id, sum(without)::BIGINT AS without,
           list(class_id ORDER BY class_id)
               FILTER (WHERE without = children AND class_id IS NOT NULL) AS classes
    FROM unseen GROUP BY school_id
)
SELECT s.school_id,
       max(f.school_gap_20d),
       max(b.attendance_date),
       any_value(u.without),
       any_value(u.classes),
       bool_and(k.whole),
       count(*) FILTER (WHERE f.exam_mean_pct IS NULL),
       max(b.exam_date),
       max(c.snapshot_date),
       EXISTS (SELECT 1 FROM outcomes WHERE date <= $as_of)
FROM scores s
LEFT JOIN features f USING (student_id)
LEFT JOIN basis b USING (student_id)
LEFT JOIN cohort c USING (student_id)
LEFT JOIN with_calendar k ON k.school_id = s.school_id
LEFT JOIN silent u ON u.school_id = s.school_id
GROUP BY s.school_id
"""

# Weeks of the last 60 school days in which a school or a class of it reported nothing.
_SILENCES = """
WITH days AS (
    SELECT k.school_id, d.date, bool_or(d.reported) AS anything, bool_and(d.reported) AS whole
    FROM school_days d JOIN calendars k USING (cal)
    WHERE d.back < 60 AND k.private_to IS NULL
    GROUP BY ALL
)
SELECT school_id, min(date), max(date), count(*),
       count(*) FILTER (NOT anything), count(*) FILTER (anything AND NOT whole)
FROM days
GROUP BY school_id, date_trunc('week', date)
HAVING NOT bool_and(whole)
ORDER BY 1, 2
"""


def registry_in_quarantine(workspace: Workspace) -> int:
    """Return how many rows of the registry were not accepted and are not mended yet."""
    count, _ = still_of_tables(workspace).get(STUDENTS.name, (0, 0))
    return count


def limits_of_schools(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, as_of: date
) -> dict[str, Limits]:
    """Return what each school's list cannot know, by school_id.

    `con` has `scores`, and is else as `features.build.build` leaves it for `as_of`.
    """
    silences: dict[str, list[Silence]] = defaultdict(list)
    for school_id, *week in con.execute(_SILENCES).fetchall():
        silences[school_id].append(Silence(*week))
    rows = con.execute(_SCHOOLS, {"as_of": as_of}).fetchall()
    quarantined = registry_in_quarantine(workspace)
    return {
        school_id: Limits(
            gap_share=gap_share,
            last_day=last_day,
            without_attendance=without_attendance or 0,
            silent_classes=tuple(silent_classes or ()),
            calendar=bool(calendar),
            without_marks=without_marks,
            last_exam=last_exam,
            snapshot=snapshot,
            outcomes=outcomes,
            quarantined=quarantined,
            silences=tuple(silences.get(school_id, ())),
        )
        for (
            school_id,
            gap_share,
            last_day,
            without_attendance,
            silent_classes,
            calendar,
            without_marks,
            last_exam,
            snapshot,
            outcomes,
        ) in rows
    }
