"""Due dates in school days: what the calendar says, then Monday to Friday, marked `about`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

# For each class: its school days after the as-of date, and its last calendar row. The most
# specific row of a date decides: school and class; then school; then class of any school; then all.
_SQL = """
WITH classes AS (
    SELECT DISTINCT school_id, coalesce(class_id, '') AS class_id FROM due_classes
),
rows AS (
    SELECT date, coalesce(school_id, '') AS school_id, coalesce(class_id, '') AS class_id,
           is_school_day
    FROM calendar
    WHERE date > $as_of AND date <= $as_of + INTERVAL 400 DAY
),
decided AS (
    SELECT c.school_id, c.class_id, r.date,
           arg_max(r.is_school_day,
                   (CASE WHEN r.school_id <> '' THEN 2 ELSE 0 END)
                   + (CASE WHEN r.class_id <> '' THEN 1 ELSE 0 END)) AS is_school_day
    FROM classes c
    JOIN rows r
      ON (r.school_id = '' OR r.school_id = c.school_id)
     AND (r.class_id = '' OR r.class_id = c.class_id)
    GROUP BY ALL
)
SELECT school_id, class_id,
       (list(date ORDER BY date) FILTER (WHERE is_school_day))[1:$days] AS days,
       max(date) AS last
FROM decided
GROUP BY ALL
"""


@dataclass(frozen=True)
class SchoolDays:
    """The school days of one class after the as-of date, oldest first, as far as they are known.

    `last` is the last date of which the calendar says anything (None: nothing after the as-of
    date).
    """

    as_of: date
    days: tuple[date, ...] = ()
    last: date | None = None

    def due(self, school_days: int) -> tuple[date, bool]:
        """Return the date `school_days` (0 = the as-of date itself) later, and whether about."""
        if school_days <= 0:
            return self.as_of, False
        if school_days <= len(self.days):
            return self.days[school_days - 1], False
        left = school_days - len(self.days)
        when = max(self.as_of, self.last) if self.last else self.as_of
        while left:
            when += timedelta(days=1)
            left -= when.weekday() < 5
        return when, True


def school_days_after(
    con: duckdb.DuckDBPyConnection,
    as_of: date,
    classes: Sequence[tuple[str, str]],
    days: int,
) -> dict[tuple[str, str], SchoolDays]:
    """Return for each (school_id, class_id) its next `days` school days after `as_of`.

    `con` has the table `calendar`.
    """
    wanted = sorted(set(classes))
    found = {pair: SchoolDays(as_of) for pair in wanted}
    if not wanted:
        return found
    import pyarrow as pa

    table = pa.table(
        {"school_id": [pair[0] for pair in wanted], "class_id": [pair[1] for pair in wanted]},
        schema=pa.schema([("school_id", pa.string()), ("class_id", pa.string())]),
    )
    con.register("due_classes", table)
    try:
        rows = con.execute(_SQL, {"as_of": as_of, "days": max(days, 1)}).fetchall()
    finally:
        con.unregister("due_classes")
    for school_id, class_id, dates, last in rows:
        found[(school_id, class_id)] = SchoolDays(as_of, tuple(dates or ()), last)
    return found
