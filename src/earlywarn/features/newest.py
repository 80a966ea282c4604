"""The day that a command takes where none is given: the newest that any school has reported."""

from __future__ import annotations

from datetime import date

import duckdb

from earlywarn.errors import EarlywarnError

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
