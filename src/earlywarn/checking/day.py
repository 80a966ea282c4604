"""The day that a check speaks of."""

from __future__ import annotations

from datetime import date

import duckdb

from earlywarn.features.newest import newest_reported_day


def default_day(con: duckdb.DuckDBPyConnection, today: date) -> date:
    """Return the newest reported school day up to `today`, as `score` takes it.

    Without any attendance the newest registry's day; without that, `today`.
    """
    found = newest_reported_day(con, today)
    if found is None:
        ((found,),) = con.execute(
            "SELECT max(snapshot_date) FROM students WHERE snapshot_date <= $today",
            {"today": today},
        ).fetchall()
    return found or today
