"""Counting a period: who was enrolled on its first school day, and what became known in it.

An entry belongs to the school, stage and groups of the child's record as it stood on that day, so
that a month and its year count it in the same place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from earlywarn.features.build import cohort_on
from earlywarn.features.catalogue import REGISTRY_FIELDS
from earlywarn.features.groups import Groups
from earlywarn.report.period.events import COUNTED, CountedEvent, Known, Standing, counted
from earlywarn.report.period.figures import Counts, Figures
from earlywarn.report.period.periods import Period
from earlywarn.workspace import Config

_FIRST_DAY = """
SELECT coalesce(
    min(date) FILTER (WHERE is_calendar),
    min(date)
) FROM (
    SELECT date, TRUE AS is_calendar FROM calendar WHERE is_school_day
    UNION ALL
    SELECT date, FALSE FROM attendance
    UNION ALL
    SELECT date, FALSE FROM reported_days
)
WHERE date BETWEEN $start AND $end
"""
# Only of children who were ever suspected or out: a city graduates thousands.
_KNOWN = """
SELECT student_id, date, event, cause FROM outcomes
WHERE date <= $until AND student_id IN (
    SELECT student_id FROM outcomes WHERE event IN ('suspected', 'dropped_out')
)
"""
# The child's record on the day of its entry; one known only later serves where there was none yet.
_PLACES = """
WITH seen AS (
    SELECT e.number, s.*, s.snapshot_date <= e.date AS is_known
    FROM counted_events AS e JOIN students AS s USING (student_id)
),
records AS (
    SELECT
        number,
        coalesce(
            arg_max(school_id, snapshot_date) FILTER (WHERE is_known),
            arg_min(school_id, snapshot_date)
        ) AS school_id,
        coalesce(
            arg_max(grade, snapshot_date) FILTER (WHERE is_known), arg_min(grade, snapshot_date)
        ) AS grade,
        {fields}
    FROM seen
    GROUP BY number
)
SELECT e.number, r.school_id, g.stage, c.county, {groups}
FROM counted_events AS e
LEFT JOIN records AS r USING (number)
LEFT JOIN stage_grades AS g ON g.grade = r.grade
LEFT JOIN schools AS c ON c.school_id = r.school_id
ORDER BY e.number
"""
_FIELD = """coalesce(
            arg_max({0}, snapshot_date) FILTER (WHERE is_known), arg_min({0}, snapshot_date)
        ) AS {0}"""
_ENROLLED = """
SELECT coalesce(k.{of}, ''), count(*)
FROM (
    SELECT c.school_id AS school, c.stage, s.county
    FROM cohort AS c LEFT JOIN schools AS s ON s.school_id = c.school_id
) AS k GROUP BY 1
"""
_STAGES = """
SELECT school_id, stage, count(*) FROM cohort WHERE stage IS NOT NULL GROUP BY school_id, stage
"""


@dataclass(frozen=True)
class Placed:
    """An entry that counts, with where it belongs; empty where no registry tells."""

    event: CountedEvent
    school: str
    stage: str
    county: str
    groups: frozenset[str]


@dataclass(frozen=True)
class Enrolled:
    """How many are in the cohort of one day: `by[of][name]`, as in `Figures`.

    `stages` are those of each school: (school_id, stage) to children.
    """

    day: date
    by: Mapping[str, Mapping[str, int]]
    stages: Mapping[tuple[str, str], int]


def first_school_day(con: duckdb.DuckDBPyConnection, period: Period) -> date | None:
    """Return the first day of the period that any calendar calls a school day.

    Without a calendar: the first with attendance. None where there is neither.
    """
    rows = con.execute(_FIRST_DAY, {"start": period.start, "end": period.end}).fetchall()
    found: date | None = rows[0][0]
    return found


def enrolled_on(
    con: duckdb.DuckDBPyConnection, config: Config, groups: Groups, day: date
) -> Enrolled:
    """Count the cohort of a day; `con` holds that `cohort` afterwards."""
    cohort_on(con, config, day)
    by: dict[str, dict[str, int]] = {
        of: dict(con.execute(_ENROLLED.format(of=of)).fetchall())
        for of in ("stage", "county", "school")
    }
    sums = ", ".join(f"count(*) FILTER (WHERE {group.sql})" for group in groups)
    (row,) = con.execute(f"SELECT count(*), {sums} FROM cohort").fetchall()
    by["total"] = {"": row[0]}
    by["group"] = dict(zip((group.name for group in groups), row[1:], strict=True))
    stages = {(school, stage): n for school, stage, n in con.execute(_STAGES).fetchall()}
    return Enrolled(day, by, stages)


def events_until(
    con: duckdb.DuckDBPyConnection, until: date
) -> tuple[list[CountedEvent], dict[str, Standing]]:
    """Return every entry that counts up to a day, and how each child stands on it."""
    known: list[Known] = con.execute(_KNOWN, {"until": until}).fetchall()
    return counted(known)


def place(
    con: duckdb.DuckDBPyConnection, groups: Groups, events: Sequence[CountedEvent]
) -> list[Placed]:
    """Say of each entry where it belongs. Reads `stage_grades` (`cohort_on` makes it)."""
    table = pa.table(
        {
            "number": pa.array(range(len(events)), pa.int64()),
            "student_id": pa.array([event.student_id for event in events], pa.string()),
            "date": pa.array([event.date for event in events], pa.date32()),
        }
    )
    names = [group.name for group in groups]
    con.register("counted_events", table)
    try:
        sql = _PLACES.format(
            fields=",\n        ".join(_FIELD.format(f'"{name}"') for name in REGISTRY_FIELDS),
            groups=", ".join(f'({group.sql}) AS "{group.name}"' for group in groups),
        )
        rows: list[tuple[Any, ...]] = con.execute(sql).fetchall()
    finally:
        con.unregister("counted_events")
    return [
        Placed(
            events[number],
            school or "",
            stage or "",
            county or "",
            frozenset(name for name, is_in in zip(names, member, strict=True) if is_in),
        )
        for number, school, stage, county, *member in rows
    ]


def figures(enrolled: Enrolled, placed: Iterable[Placed], period: Period) -> Figures:
    """Return the counts of a period: of who is enrolled as it begins, and of what it brought."""
    counts: dict[str, dict[str, Counter[str]]] = {
        of: {name: Counter(enrolled=number) for name, number in by.items()}
        for of, by in enrolled.by.items()
    }
    causes: dict[str, Counter[str]] = {"suspected": Counter(), "dropped_out": Counter()}
    for one in placed:
        if one.event.date not in period:
            continue
        places = [("total", ""), ("stage", one.stage), ("county", one.county)]
        places += [("school", one.school), *(("group", name) for name in one.groups)]
        for of, name in places:
            counts[of].setdefault(name, Counter())[one.event.event] += 1
        if one.event.event in causes:
            causes[one.event.event][one.event.cause or ""] += 1
    found = {
        of: {
            name: Counts(enrolled=c["enrolled"], **{event: c[event] for event in COUNTED})
            for name, c in sorted(by.items())
        }
        for of, by in counts.items()
    }
    return Figures(
        total=found["total"][""],
        stage=found["stage"],
        county=found["county"],
        school=found["school"],
        group=found["group"],
        causes={kind: dict(sorted(by.items())) for kind, by in causes.items()},
    )
