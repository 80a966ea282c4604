"""Who is away without leave, who came back, and which schools have not reported, as of a day.

The definitions are those of the features: their own SQL decides who is in the cohort, what the
school days and the reported days are, and what each of a child's last 60 school days was. Here it
runs for the few children who were away without leave within these days, over these days alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from earlywarn.engine.duckdb import run_sql_file, sql_file
from earlywarn.features.build import people_on, refuse_without_calendar
from earlywarn.features.sql import SQL_PACKAGE
from earlywarn.words import STATUS_SEVERITY
from earlywarn.workspace import Config

ROUND_SQL = "earlywarn.followup.daily.sql"
# What the round works out exactly for the children it looks at, by the catalogue's names.
ROUND_FEATURES = (
    "absence_rate_5d",
    "absence_rate_20d",
    "absence_rate_60d",
    "unexcused_days_5d",
    "unexcused_days_20d",
    "unexcused_days_60d",
    "unexcused_run",
    "absent_run",
    "longest_unexcused_run_60d",
    "late_rate_20d",
    "absence_trend_60d",
    "days_since_present",
    "home_teaching_days_60d",
    "attendance_gap_20d",
)
# Of a child's record the round reads only this much; names are looked up for those it lists.
_RECORD = ("school_id", "grade", "class_id", "enrolled_on")
_LONG_AGO = date(1, 1, 1)


@dataclass(frozen=True, slots=True)
class Run:
    """A child that is away without leave: day `day` of its present run.

    `days` are the recorded school days of the run, oldest first (at most 60): the value of the
    feature `unexcused_run` is how many they are. Of the child's last 60 school days `all_days` are
    all without leave, and `seen_from` is the first recorded one.
    """

    student_id: str
    school_id: str
    class_id: str | None
    days: tuple[date, ...]
    all_days: tuple[date, ...]
    seen_from: date

    @property
    def day(self) -> int:
        """How many school days it has been away, the first one included."""
        return len(self.days)

    @property
    def first_day(self) -> date:
        """Its day 1."""
        return self.days[0]

    @property
    def last_day(self) -> date:
        """The last day on which it is known to have been away."""
        return self.days[-1]


@dataclass(frozen=True, slots=True)
class Return:
    """A child that was there on `back_on`, for the first time after `days` without leave.

    Leave or illness between these days and the return does not change that it came back; while it
    lasts, the child is neither in a run nor back.
    """

    student_id: str
    school_id: str
    class_id: str | None
    days: tuple[date, ...]
    back_on: date


@dataclass(frozen=True, slots=True)
class Silence:
    """A school, or a class that reports for itself, that has not handed in its last school days.

    `class_id` None: the school, without the classes that report for themselves; `children` of the
    cohort are in it. `last_reported` is None if none of the last 60 school days was handed in;
    `missing` counts the school days after it, 60 at most.
    """

    school_id: str
    class_id: str | None
    children: int
    last_reported: date | None
    missing: int


@dataclass(frozen=True)
class Absences:
    """What the attendance says as of a day.

    `runs` in order of student_id: every run that is not known to have ended. `returns` by
    student_id and day: every one within the last 60 school days. `children` counts the cohort by
    school. `facts` has student_id and `ROUND_FEATURES`, a row for each child of the cohort that was
    away without leave within these days.
    """

    as_of: date
    runs: tuple[Run, ...]
    returns: tuple[Return, ...]
    silences: tuple[Silence, ...]
    children: Mapping[str, int]
    facts: pa.Table


def absences(con: duckdb.DuckDBPyConnection, config: Config, as_of: date) -> Absences:
    """Return what the attendance up to `as_of` says of each child of the cohort.

    Parameters
    ----------
    con
        A connection of its own with the tables of the contract as views and `complete_registries`
        (see engine.duckdb.connect). Leaves `cohort`, `current_records`, `calendar_of`, `calendars`
        and `school_days` in it, as `features.build` does, with fewer columns.

    Raises
    ------
    EarlywarnError
        If attendance lists exceptions only and a school has no calendar.
    """
    parameters = {
        "as_of": as_of,
        "exceptions": config.attendance == "exceptions",
        "statuses": sorted(STATUS_SEVERITY, key=STATUS_SEVERITY.__getitem__),
        # Of the features that look back a year none is read here.
        "year_start": as_of,
        "year_ago": as_of,
    }
    _cohort(con, as_of)
    first_day = _school_days(con, config, parameters)
    further = con.execute("SELECT min(first_day), list(student_id) FROM reach_back").fetchall()[0]
    parameters["first_day"] = first_day or as_of
    swap = {}
    if further[0] is not None:
        parameters |= {"further_back": further[0], "students": further[1]}
        swap["(SELECT * FROM attendance WHERE FALSE)"] = (
            "(SELECT * FROM attendance WHERE date >= $further_back AND date < $first_day "
            "AND student_id IN (SELECT unnest($students)))"
        )
    run_sql_file(con, ROUND_SQL, "candidates.sql", parameters, swap)
    if further[0] is not None:
        parameters["first_day"] = min(further[0], parameters["first_day"])
    run_sql_file(con, SQL_PACKAGE, "attendance.sql", parameters)
    run_sql_file(con, ROUND_SQL, "spells.sql", parameters)
    return _read(con, as_of)


def _cohort(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Leave the features' cohort, for the few columns of a record that the round reads."""
    # A grade's stage is not among what is read.
    con.execute("CREATE OR REPLACE TEMP TABLE stage_grades (stage VARCHAR, grade INTEGER)")
    people_on(con, as_of, _RECORD)


def _school_days(
    con: duckdb.DuckDBPyConnection, config: Config, parameters: dict[str, Any]
) -> date | None:
    """Run the features' calendar.sql; return the first of the last 60 school days, if any.

    Attendance is read for it only where it alone can tell what a school day is, or a reported one.
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE attendance_days (sid INTEGER, date DATE, severity TINYINT)"
    )
    run_sql_file(con, SQL_PACKAGE, "calendar.sql", parameters)
    if config.attendance == "exceptions":
        refuse_without_calendar(con)
    run_sql_file(con, ROUND_SQL, "reach.sql", parameters)
    ((all_known, any_untold),) = con.execute(
        "SELECT coalesce(bool_and(has_calendar), TRUE), "
        "coalesce(bool_or(NOT has_calendar OR NOT has_reported), FALSE) FROM calendars"
    ).fetchall()
    if any_untold:
        first_day = _first_day(con) if all_known else None
        run_sql_file(con, ROUND_SQL, "seen.sql", parameters | {"first_day": first_day or _LONG_AGO})
        run_sql_file(con, SQL_PACKAGE, "calendar.sql", parameters)
        run_sql_file(con, ROUND_SQL, "reach.sql", parameters)
    return _first_day(con)


def _first_day(con: duckdb.DuckDBPyConnection) -> date | None:
    ((found,),) = con.execute("SELECT first_day FROM reach").fetchall()
    day: date | None = found
    return day


def _read(con: duckdb.DuckDBPyConnection, as_of: date) -> Absences:
    runs = con.execute(
        "SELECT student_id, school_id, class_id, days, all_days, seen_from FROM runs "
        "JOIN cohort USING (student_id) ORDER BY student_id"
    ).fetchall()
    returns = con.execute(
        "SELECT student_id, school_id, class_id, days, back_on FROM returns JOIN cohort "
        "USING (student_id) ORDER BY student_id, back_on"
    ).fetchall()
    silences = con.execute(sql_file(ROUND_SQL, "silences.sql")).fetchall()
    children = con.execute(
        "SELECT school_id, count(*) FROM cohort GROUP BY school_id ORDER BY school_id"
    ).fetchall()
    names = ", ".join(ROUND_FEATURES)
    facts = con.sql(
        f"SELECT student_id, {names} FROM cohort JOIN attendance_features USING (sid) "
        "ORDER BY student_id"
    ).to_arrow_table()
    return Absences(
        as_of,
        tuple(
            Run(student, school, class_id, tuple(days), tuple(all_days), first)
            for student, school, class_id, days, all_days, first in runs
        ),
        tuple(
            Return(student, school, class_id, tuple(days), back_on)
            for student, school, class_id, days, back_on in returns
        ),
        tuple(Silence(*row) for row in silences),
        dict(children),
        facts,
    )
