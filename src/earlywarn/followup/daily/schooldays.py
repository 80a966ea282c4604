"""The school days of a child since its day 1, as the deadlines of its case count them.

Of the past only days count on which the child is known to have been away without leave: neither a
day that its school has not handed in nor a day of illness brings a step nearer. After the as-of
date every school day of the calendar counts, and beyond the calendar Monday to Friday.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import duckdb
import pyarrow as pa

from earlywarn.engine.duckdb import sql_file
from earlywarn.followup.counteddays import CountedDays
from earlywarn.followup.daily.absences import ROUND_SQL, Run

_AHEAD = timedelta(days=180)


def counted_days(
    con: duckdb.DuckDBPyConnection, runs: Iterable[Run], begins: Mapping[str, date], as_of: date
) -> dict[str, CountedDays]:
    """Return the counted school days of each child in `runs`, from its day 1 in `begins` on.

    `con` is as `absences` leaves it.
    """
    wanted = [run for run in runs if run.student_id in begins]
    if not wanted:
        return {}
    children = pa.table({"student_id": pa.array([run.student_id for run in wanted], pa.string())})
    con.register("wanted_children", children)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE cal_of_wanted AS "
        "SELECT r.student_id, k.cal, k.school_id, k.class_id FROM roster AS r "
        "JOIN calendars AS k USING (cal) SEMI JOIN wanted_children USING (student_id)"
    ).fetchall()
    con.execute(
        "CREATE OR REPLACE TEMP VIEW wanted_calendars AS "
        "SELECT DISTINCT cal, school_id, class_id FROM cal_of_wanted"
    ).fetchall()
    rows = con.execute(
        sql_file(ROUND_SQL, "days.sql"),
        {"as_of": as_of, "until": as_of + _AHEAD, "since": min(begins.values())},
    ).fetchall()
    by_calendar = {cal: (tuple(days or ()), last) for cal, days, last in rows}
    cal_of = dict(con.execute("SELECT student_id, cal FROM cal_of_wanted").fetchall())
    con.unregister("wanted_children")
    return {
        run.student_id: _since(
            begins[run.student_id], run, *by_calendar[cal_of[run.student_id]], as_of
        )
        for run in wanted
    }


def _since(
    day_one: date, run: Run, school_days: tuple[date, ...], last: date, as_of: date
) -> CountedDays:
    away = frozenset(run.all_days)
    later = school_days[bisect_right(school_days, day_one) :]
    # What lies before the last 60 school days was not read: there every school day counts.
    counted = [day for day in later if day > as_of or day < run.seen_from or day in away]
    return CountedDays((day_one, *counted), max(last, as_of))
