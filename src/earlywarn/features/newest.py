"""The day that a command takes where none is given, and days that it refuses as not come yet."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb

from earlywarn.engine.duckdb import connect
from earlywarn.errors import EarlywarnError
from earlywarn.workspace import Workspace

# So long after the newest data a day may lie, whatever the machine's clock says.
IN_REACH = timedelta(weeks=3)
_LAST = """
SELECT greatest(
    (SELECT max(date) FROM attendance), (SELECT max(date) FROM exams),
    (SELECT max(date) FROM outcomes), (SELECT max(snapshot_date) FROM students)
)
"""
_NEWEST = """
WITH days AS (
    SELECT date FROM attendance WHERE date <= $today
    UNION
    SELECT date FROM reported_days WHERE date <= $today
)
SELECT coalesce(
    max(date) FILTER (WHERE date IN (SELECT date FROM calendar WHERE is_school_day)),
    max(date)
)
FROM days
"""


def newest_reported_day(con: duckdb.DuckDBPyConnection, today: date) -> date | None:
    """Return the newest reported school day up to `today`, None where nothing is reported."""
    ((found,),) = con.execute(_NEWEST, {"today": today}).fetchall()
    day: date | None = found
    return day


def newest_school_day(con: duckdb.DuckDBPyConnection, today: date) -> date:
    """Return the newest reported school day up to `today`.

    Raises
    ------
    EarlywarnError
        If no attendance and no reported day is loaded.
    """
    found = newest_reported_day(con, today)
    if found is None:
        raise EarlywarnError(
            zh="还没有任何考勤，无法决定截止日期。请先导入考勤，或用 --as-of 指定。",
            en="No attendance is loaded to tell the as-of date. Load some or give --as-of.",
        )
    return found


def last_that_can_have_come(workspace: Workspace, known: date) -> date:
    """Return the last day that can have come, where something is known of the day `known`.

    Tomorrow can, since a server's clock may stand in another time zone, and so can a day shortly
    after `known`, since a clock may be wrong. A generated city lives in days of its own.
    """
    if workspace.config.generated:
        return date.max
    return max(date.today() + timedelta(days=1), known + IN_REACH)


def refuse_ahead(workspace: Workspace, day: date, option: str = "--as-of") -> None:
    """Refuse a day that has not come, most likely a slip: what is noted for it would stand."""
    if day <= last_that_can_have_come(workspace, date.min):  # whatever the data are of
        return
    con = connect(workspace)
    try:
        ((last,),) = con.execute(_LAST).fetchall()
    finally:
        con.close()
    if day > last_that_can_have_come(workspace, last or date.min):
        today = date.today()
        raise EarlywarnError(
            zh=f"{day} 还没有到（今天是 {today}，数据最新到 {last or '—'}）。请核对 {option}。",
            en=f"{day} lies ahead (today is {today}, the newest data are of {last or '—'}). Check "
            f"{option}.",
        )
