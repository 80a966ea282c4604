"""Everybody with a current record: registry, where the record ends, what the events say.

Who is of school age: of a grade of the config's stages, or of the age of one by the school year's
first day; a child off the roll is taken to be in the grade in which it would be now.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from earlywarn.features.groups import Groups
from earlywarn.workspace import Config

# Since when a value of the current record holds: after the last snapshot with another one.
_SINCE = """
    SELECT s.student_id,
           min(s.snapshot_date) FILTER (
               s.{field} = c.{field} AND s.snapshot_date > coalesce(o.last_other, DATE '0001-01-01')
           ) AS since
    FROM snapshots AS s
    JOIN current_records AS c USING (student_id)
    LEFT JOIN (
        SELECT s.student_id, max(s.snapshot_date) AS last_other
        FROM snapshots AS s JOIN current_records AS c USING (student_id)
        WHERE s.{field} <> c.{field}
        GROUP BY s.student_id
    ) AS o ON o.student_id = s.student_id
    GROUP BY s.student_id
"""
_CHILDREN = f"""
WITH school_since AS ({_SINCE.format(field="school_id")}),
placement_since AS ({_SINCE.format(field="placement")}),
leave_since AS (
    SELECT o.student_id, min(o.date) AS since
    FROM outcomes AS o JOIN event_summary AS e USING (student_id)
    WHERE o.event = 'long_leave' AND o.date <= $as_of
      AND o.date > coalesce(e.last_return, DATE '0001-01-01')
    GROUP BY o.student_id
),
off_roll AS (
    SELECT student_id, min(on_day) AS since
    FROM (
        SELECT s.student_id, s.left_on AS on_day
        FROM snapshots AS s JOIN current_records AS c USING (student_id, snapshot_date)
        WHERE s.left_on <= $as_of
        UNION ALL
        SELECT c.student_id, r.snapshot_date
        FROM current_records AS c
        JOIN complete_registries AS r
            ON r.school_id = c.school_id
            AND r.snapshot_date > c.snapshot_date AND r.snapshot_date <= $as_of
    )
    GROUP BY student_id
)
SELECT
    k.student_id, k.name, k.sex, k.birth_date, k.school_id, k.grade, k.class_id, k.snapshot_date,
    k.enrolled_on, k.placement, k.guardian, k.guardian_phone, k.homeroom_teacher, k.on_leave,
    k.in_cohort, e.last_return, e.last_dropout, e.last_away, e.deceased_on,
    sc.since AS school_since, pl.since AS placement_since, le.since AS leave_since,
    off.since AS off_since,
    list_filter([/*groups*/], lambda x: x IS NOT NULL) AS "groups"
FROM known_students AS k
LEFT JOIN event_summary AS e ON e.student_id = k.student_id
LEFT JOIN school_since AS sc ON sc.student_id = k.student_id
LEFT JOIN placement_since AS pl ON pl.student_id = k.student_id
LEFT JOIN leave_since AS le ON le.student_id = k.student_id
LEFT JOIN off_roll AS off ON off.student_id = k.student_id
ORDER BY k.student_id
"""


@dataclass(frozen=True, slots=True)
class Child:
    """A child's current record and what ends it; columns as in the contract."""

    student_id: str
    name: str | None
    sex: str | None
    birth_date: date | None
    school_id: str
    grade: int
    class_id: str | None
    snapshot_date: date
    enrolled_on: date | None
    placement: str | None
    guardian: str | None
    guardian_phone: str | None
    homeroom_teacher: str | None
    on_leave: bool
    in_cohort: bool
    last_return: date | None
    last_dropout: date | None
    last_away: date | None
    deceased_on: date | None
    school_since: date | None
    placement_since: date | None
    leave_since: date | None
    off_since: date | None
    groups: list[str]

    @property
    def is_elsewhere(self) -> bool:
        """Whether the child has gone to another place, is through with school, or is dead."""
        if self.deceased_on is not None:
            return True
        away, back = self.last_away, self.last_return
        return away is not None and away >= self.snapshot_date and (back is None or away > back)


@dataclass(frozen=True, slots=True)
class SchoolAge:
    """Which grades and ages are of compulsory schooling, in the school year of a day."""

    year_start: date
    grades: frozenset[int]
    ages: range

    @classmethod
    def on(cls, config: Config, as_of: date) -> SchoolAge:
        """Return what the config says for the school year that `as_of` lies in."""
        begins = config.school_year_begins(as_of)
        grades = frozenset(
            grade for low, high in config.stages.values() for grade in range(low, high + 1)
        )
        first = config.age_at_grade_1 - 1
        return cls(begins, grades, range(first + min(grades), first + max(grades) + 1))

    def holds(self, child: Child) -> bool:
        """Return whether a child is of such a grade or age."""
        grade = child.grade
        if not child.in_cohort:
            grade += self._school_years_since(child.snapshot_date)
        return grade in self.grades or (
            child.birth_date is not None and self._age(child.birth_date) in self.ages
        )

    def _school_years_since(self, day: date) -> int:
        start = self.year_start
        begun = (day.month, day.day) >= (start.month, start.day)
        return start.year - (day.year if begun else day.year - 1)

    def _age(self, born: date) -> int:
        """Return the full years on the day before the school year, as for entry into grade 1."""
        start = self.year_start
        return start.year - born.year - ((born.month, born.day) >= (start.month, start.day))


def read_children(con: duckdb.DuckDBPyConnection, groups: Groups, as_of: date) -> Iterator[Child]:
    """Yield everybody with a current record; `con` as `features.build.cohort_on` leaves it."""
    members = ", ".join(f"CASE WHEN {group.sql} THEN '{group.name}' END" for group in groups)
    query = _CHILDREN.replace("/*groups*/", members)
    found: Any = con.execute(query, {"as_of": as_of})
    while rows := found.fetchmany(10_000):
        yield from (Child(*row) for row in rows)
