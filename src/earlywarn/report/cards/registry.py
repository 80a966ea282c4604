"""What registry, outcomes and exams say of one child up to a day, read from the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from itertools import groupby
from typing import Any

import duckdb

from earlywarn.features.groups import Groups
from earlywarn.followup.ledger import Case
from earlywarn.report.cards.rows import Aid, Event, Exam, LeftBehind, Place, Standing, Stated, Who
from earlywarn.report.period.schools import FILE_DAYS
from earlywarn.tables.contract import STUDENTS

_CARRIED = [c.name for c in STUDENTS.columns if c.name not in (*STUDENTS.key, "left_on")]
# Each snapshot with what it leaves empty filled from those before it, and what it says itself of
# the parents and the guardian.
_SNAPSHOTS = """
WITH said AS (
    SELECT * REPLACE (
        CASE WHEN birth_date <= $until THEN birth_date END AS birth_date,
        CASE WHEN enrolled_on <= $until THEN enrolled_on END AS enrolled_on
    )
    FROM students WHERE student_id = $student AND snapshot_date <= $until
),
carried AS (
    SELECT student_id, snapshot_date, parents_away AS said_away, guardian AS said_guardian,
        {carried}
    FROM said
    WINDOW before AS (ORDER BY snapshot_date ROWS UNBOUNDED PRECEDING)
)
SELECT *, {groups} FROM carried ORDER BY snapshot_date
"""
_EVENTS = """
SELECT date, event, cause FROM outcomes WHERE student_id = $student AND date <= $until
ORDER BY date, event = 'returned', event
"""
# Of several marks of one exam and subject the latest counts.
_EXAMS = """
WITH marks AS (
    SELECT exam, subject, date, score, coalesce(full_mark, 100) AS full_mark,
        year(date) - CASE WHEN strftime(date, '%m-%d') < $year_start THEN 1 ELSE 0 END
            AS school_year
    FROM exams WHERE student_id = $student AND date <= $until
)
SELECT exam, school_year, subject, max(date),
    arg_max({'score': score, 'of': full_mark}, date) AS mark
FROM marks GROUP BY ALL
"""


# What took the child from school, in the words of `features/sql/cohort.sql`: why, and since when.
_STANDING = """
SELECT
    k.in_cohort,
    k.on_leave,
    e.deceased_on,
    CASE WHEN e.last_dropout > coalesce(e.last_return, DATE '0001-01-01') THEN e.last_dropout END,
    CASE
        WHEN e.last_away > coalesce(e.last_return, DATE '0001-01-01')
            AND e.last_away >= k.snapshot_date
            THEN e.last_away
    END,
    (
        SELECT arg_max(event, date) FROM outcomes
        WHERE student_id = k.student_id AND date = e.last_away
            AND event IN ('transferred', 'graduated', 'abroad')
    ),
    s.left_on
FROM known_students AS k
LEFT JOIN event_summary AS e USING (student_id)
LEFT JOIN snapshots AS s
    ON s.student_id = k.student_id AND s.snapshot_date = k.snapshot_date AND s.left_on <= $day
WHERE k.student_id = $student
"""


def school_names(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, str]]:
    """Return (name, county) of each school by its id."""
    rows = con.execute("SELECT school_id, name, county FROM schools").fetchall()
    return {school_id: (name, county) for school_id, name, county in rows}


def snapshots(
    con: duckdb.DuckDBPyConnection, groups: Groups, student_id: str, until: date
) -> list[dict[str, Any]]:
    """Return the child's record after each snapshot, oldest first, with a column a group."""
    sql = _SNAPSHOTS.format(
        carried=", ".join(f'last_value("{c}" IGNORE NULLS) OVER before AS "{c}"' for c in _CARRIED),
        groups=", ".join(f'({group.sql}) AS "in {group.name}"' for group in groups),
    )
    found = con.sql(sql, params={"student": student_id, "until": until}).to_arrow_table()
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def standing(con: duckdb.DuckDBPyConnection, student_id: str, day: date) -> Standing:
    """Return whether the child is at school; `con` as `features.build` left it for `day`."""
    if not student_id:
        return Standing("unregistered")
    rows = con.execute(_STANDING, {"student": student_id, "day": day}).fetchall()
    if not rows:
        return Standing("out")
    ((in_cohort, on_leave, died, dropped, away, away_event, left),) = rows
    if in_cohort:
        return Standing("on_leave" if on_leave else "enrolled")
    if died:
        return Standing("deceased", died)
    if dropped and (not away or dropped >= away):
        return Standing("dropped_out", dropped)
    if away:
        return Standing(away_event, away)
    return Standing("left", left) if left else Standing("out")


def who(record: Mapping[str, Any], places: Mapping[str, tuple[str, str]]) -> Who:
    """Return the child as its last record has it; `places` are (name, county) by school_id."""
    school, county = places.get(record["school_id"], (record["school_id"], ""))
    distance = record["distance_km"]
    return Who(
        student_id=record["student_id"],
        name=record["name"] or "",
        sex=record["sex"],
        birth_date=record["birth_date"],
        school_id=record["school_id"],
        school=school,
        county=county,
        grade=record["grade"],
        class_id=record["class_id"] or "",
        enrolled_on=record["enrolled_on"],
        boarding=record["boarding"],
        distance_km=None if distance is None else float(distance),
        travel=record["travel"],
        guardian=record["guardian"] or "",
        guardian_phone=record["guardian_phone"] or "",
        homeroom_teacher=record["homeroom_teacher"] or "",
    )


def unregistered(case: Case, places: Mapping[str, tuple[str, str]]) -> Who:
    """Return a child on no registry: its name and the school that its case is of."""
    school, county = places.get(case.school_id, (case.school_id, ""))
    return Who(
        student_id=case.student_id or "",
        name=case.person or "",
        sex=None,
        birth_date=None,
        school_id=case.school_id,
        school=school,
        county=county,
        grade=None,
        class_id="",
        enrolled_on=None,
        boarding=None,
        distance_km=None,
        travel=None,
        guardian="",
        guardian_phone="",
        homeroom_teacher="",
    )


def for_schools(who: Who, groups: Groups) -> Who:
    """Leave out what stands behind a group by the county's definitions."""
    hidden = groups.fields
    return replace(
        who,
        sex=None if "sex" in hidden else who.sex,
        travel=None if "travel" in hidden else who.travel,
    )


def left_behind(records: list[dict[str, Any]], today: date) -> LeftBehind:
    """Return the left-behind file as of `today`."""
    away = [(r["snapshot_date"], r["said_away"], "") for r in records]
    guardians = [
        (r["snapshot_date"], r["said_guardian"], r["guardian_phone"] or "") for r in records
    ]
    updated = max(
        (r["snapshot_date"] for r in records if r["said_away"] or r["said_guardian"]), default=None
    )
    days = None if updated is None else max((today - updated).days, 0)
    is_member: bool | None = records[-1]["in left_behind"]
    return LeftBehind(
        is_member=is_member,
        away=stated(away),
        guardians=stated(guardians),
        updated=updated,
        days=days,
        is_old=bool(is_member) and (days is None or days > FILE_DAYS),
    )


def stated(said: Iterable[tuple[date, str | None, str]]) -> tuple[Stated, ...]:
    """Draw together what was said, (day, value, phone), oldest first; empty values say nothing."""
    runs = [
        (value, list(run))
        for value, run in groupby((one for one in said if one[1]), key=lambda one: str(one[1]))
    ]
    ends = [run[0][0] for _, run in runs[1:]]
    return tuple(
        Stated(value, run[0][0], run[-1][0], until, run[-1][2])
        for (value, run), until in zip(runs, [*ends, None], strict=False)
    )


def aid(records: Iterable[dict[str, Any]]) -> tuple[Aid, ...]:
    """Return need and aid whenever one of them changed."""
    found: list[Aid] = []
    for r in records:
        gap = bool(r["in poor_family"]) and r["receives_aid"] is False
        said = (r["poverty"], r["receives_aid"], r["boarding"], r["boarding_aid"])
        one = Aid(r["snapshot_date"], *said, gap)
        if any(part is not None for part in said) and (
            not found or said != (*_parts(found[-1]),) or gap != found[-1].gap
        ):
            found.append(one)
    return tuple(found)


def _parts(one: Aid) -> tuple[str | None, bool | None, bool | None, bool | None]:
    return one.poverty, one.receives_aid, one.boarding, one.boarding_aid


def places_of(
    records: Iterable[dict[str, Any]], places: Mapping[str, tuple[str, str]]
) -> tuple[Place, ...]:
    """Return where the child was taught, whenever school, grade, class or teacher changed."""
    found: list[Place] = []
    for r in records:
        school = places.get(r["school_id"], (r["school_id"], ""))[0]
        said = (school, r["grade"], r["class_id"] or "", r["homeroom_teacher"] or "")
        last = found[-1] if found else None
        if last is None or said != (last.school, last.grade, last.class_id, last.teacher):
            found.append(Place(r["snapshot_date"], *said))
    return tuple(found)


def events(
    con: duckdb.DuckDBPyConnection, student_id: str, until: date, *, with_cause: bool
) -> tuple[Event, ...]:
    """Return what became known of the child, oldest first."""
    rows = con.execute(_EVENTS, {"student": student_id, "until": until}).fetchall()
    return tuple(Event(on, event, cause if with_cause else None) for on, event, cause in rows)


def exams(
    con: duckdb.DuckDBPyConnection, student_id: str, until: date, year_start: str
) -> tuple[Exam, ...]:
    """Return the child's own marks, oldest exam first; `year_start` as the config has it."""
    rows = con.execute(
        _EXAMS, {"student": student_id, "until": until, "year_start": year_start}
    ).fetchall()
    by_exam: dict[tuple[str, int], dict[str, tuple[float | None, float]]] = {}
    days: dict[tuple[str, int], date] = {}
    for name, year, subject, on, mark in rows:
        score = None if mark["score"] is None else float(mark["score"])
        by_exam.setdefault((name, year), {})[subject] = (score, float(mark["of"]))
        days[name, year] = max(on, days.get((name, year), on))
    found = [
        Exam(name, days[name, year], marks, _share(marks.values()))
        for (name, year), marks in by_exam.items()
    ]
    return tuple(sorted(found, key=lambda exam: (exam.on, exam.name)))


def _share(marks: Iterable[tuple[float | None, float]]) -> float | None:
    shares = [score / of for score, of in marks if score is not None]
    return sum(shares) / len(shares) if shares else None
