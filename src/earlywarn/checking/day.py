"""The day that a check speaks of."""

from __future__ import annotations

from datetime import date

import duckdb

from earlywarn.engine.duckdb import sql_file

SQL_PACKAGE = "earlywarn.checking.sql"


def default_day(con: duckdb.DuckDBPyConnection, today: date) -> date:
    """Return the newest reported school day up to `today`, as `score` takes it.

    Without any attendance the newest registry's day; without that, `today`.
    """
    ((found,),) = con.execute(sql_file(SQL_PACKAGE, "day.sql"), {"today": today}).fetchall()
    day: date | None = found
    return day or today
