"""What a report says of each school besides the counts: reporting, what is overdue, who needs what.

Everything is as of one day, the period's last or the last that has come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import duckdb

from earlywarn.report.period.periods import Period

# So many days without a registry snapshot make a monitored child's file out of date.
FILE_DAYS = 200
MANY_MOVERS = 0.3  # of a school's children: migrant, or come from another school within a year

Key = Literal["rural", "remote", "movers"]
Need = Literal["aid_gap", "file", "untaught"]

# A day of a school is handed in if all of its calendars' are; partly, if only some are.
_REPORTING = """
WITH days AS (
    SELECT k.school_id, d.date, bool_and(d.reported) AS whole, bool_or(d.reported) AS partly
    FROM school_days AS d JOIN calendars AS k ON k.cal = d.cal
    WHERE k.private_to IS NULL AND d.date BETWEEN $start AND $as_of
    GROUP BY k.school_id, d.date
)
SELECT
    school_id,
    count(*) AS days,
    count(*) FILTER (WHERE NOT partly) AS missing,
    count(*) FILTER (WHERE partly AND NOT whole) AS incomplete,
    max(date) FILTER (WHERE partly) AS last
FROM days GROUP BY school_id
"""
# To go on to junior school, or from a teaching point to the central school, is no move: only who
# came from a school that has the child's grade could have stayed.
_KEYS = """
WITH taught AS (SELECT DISTINCT school_id, grade FROM cohort),
changes AS (
    SELECT
        student_id,
        snapshot_date,
        school_id,
        grade,
        lag(school_id) OVER (PARTITION BY student_id ORDER BY snapshot_date) AS before
    FROM snapshots
),
moved AS (
    SELECT DISTINCT c.student_id
    FROM changes AS c
    JOIN taught AS t ON t.school_id = c.before AND t.grade = c.grade
    WHERE c.school_id <> c.before AND c.snapshot_date > $year_ago
)
SELECT
    f.school_id,
    avg(CASE WHEN coalesce(f.migrant, FALSE) OR m.student_id IS NOT NULL THEN 1 ELSE 0 END)
FROM facts AS f LEFT JOIN moved AS m ON m.student_id = f.student_id
GROUP BY f.school_id
"""
# One row a child and need: no aid though poor; a file of a left-behind child without any news of
# guardian or parents; to be taught at home, and not one visit in 60 school days.
_NEEDS = """
WITH files AS (
    SELECT student_id, max(snapshot_date) AS stated_on
    FROM snapshots WHERE parents_away IS NOT NULL OR guardian IS NOT NULL
    GROUP BY student_id
)
SELECT need, f.school_id, f.student_id, c.name, c.class_id, since
FROM (
    SELECT 'aid_gap' AS need, school_id, student_id, NULL AS since FROM facts WHERE aid_gap
    UNION ALL
    SELECT 'file', f.school_id, f.student_id, s.stated_on
    FROM facts AS f LEFT JOIN files AS s ON s.student_id = f.student_id
    WHERE f.left_behind AND coalesce(date_diff('day', s.stated_on, $as_of) > $file_days, TRUE)
    UNION ALL
    SELECT 'untaught', school_id, student_id, NULL FROM facts
    WHERE placement = 'home_teaching' AND home_teaching_days_60d = 0
) AS f
JOIN cohort AS c ON c.student_id = f.student_id
ORDER BY need, f.school_id, f.student_id
"""


@dataclass(frozen=True, slots=True)
class Reporting:
    """How a school has handed in its attendance in the period, in school days."""

    days: int = 0
    missing: int = 0
    incomplete: int = 0
    last: date | None = None

    @property
    def state(self) -> Literal["no_days", "none", "late", "whole"]:
        """No school day, none handed in, some not or not wholly, all."""
        if self.days == 0:
            return "no_days"
        if self.missing == self.days:
            return "none"
        return "late" if self.missing or self.incomplete else "whole"


@dataclass(frozen=True, slots=True)
class Needing:
    """A child of whom something is owed; `since` is when its file was last brought up to date."""

    need: Need
    school_id: str
    student_id: str
    name: str | None
    class_id: str | None
    since: date | None


@dataclass(frozen=True, slots=True)
class Place:
    """A school as the table of schools has it."""

    school_id: str
    name: str
    county: str
    township: str
    kind: str
    rural: bool
    remote: bool


def places(con: duckdb.DuckDBPyConnection) -> dict[str, Place]:
    """Return every school by its id."""
    rows = con.execute(
        "SELECT school_id, name, county, coalesce(township, ''), coalesce(kind, ''), "
        "coalesce(rural, FALSE), coalesce(remote, FALSE) FROM schools ORDER BY school_id"
    ).fetchall()
    return {row[0]: Place(*row) for row in rows}


def reporting(con: duckdb.DuckDBPyConnection, period: Period, as_of: date) -> dict[str, Reporting]:
    """Say how each school has reported; `con` as `features.build` left it for `as_of`."""
    rows = con.execute(_REPORTING, {"start": period.start, "as_of": as_of}).fetchall()
    return {row[0]: Reporting(*row[1:]) for row in rows}


def keys(
    con: duckdb.DuckDBPyConnection, known: Mapping[str, Place], as_of: date
) -> dict[str, tuple[Key, ...]]:
    """Return which schools are key schools, and why; `con` as `features.build` left it."""
    year_ago = as_of - timedelta(days=365)
    movers: dict[str, float] = dict(con.execute(_KEYS, {"year_ago": year_ago}).fetchall())
    found: dict[str, tuple[Key, ...]] = {}
    for school_id, place in known.items():
        why: list[Key] = []
        if place.rural:
            why.append("rural")
        if place.remote:
            why.append("remote")
        if movers.get(school_id, 0.0) >= MANY_MOVERS:
            why.append("movers")
        if why:
            found[school_id] = tuple(why)
    return found


def needs(con: duckdb.DuckDBPyConnection, as_of: date) -> list[Needing]:
    """Return the children of whom aid, a file or home teaching is owed."""
    rows = con.execute(_NEEDS, {"as_of": as_of, "file_days": FILE_DAYS}).fetchall()
    return [Needing(*row) for row in rows]
