"""Recounting a report by pandas from the canonical CSV files alone: nothing of the program."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

STAGES = {grade: "primary" if grade <= 6 else "junior" for grade in range(1, 10)}
GROUPS = {
    "migrant": lambda r: r.migrant_child == "true",
    "left_behind": lambda r: r.parents_away in ("one_parent", "both_parents"),
    "disabled": lambda r: isinstance(r.disability, str) and r.disability != "none",
    "poor_family": lambda r: r.poverty in ("low_income", "registered"),
    "parent_incarcerated": lambda r: r.parent_in_prison == "true",
    "orphan": lambda r: r.orphan_status == "orphan",
    "unattended": lambda r: r.orphan_status == "unattended",
}
LEFT = ("transferred", "graduated", "abroad")


@dataclass
class Recounted:
    """The numbers of a report: (of, name) to measure to number, and what is said of schools."""

    figures: dict[tuple[str, str], Counter[str]]
    causes: dict[str, Counter[str]]
    still: Counter[str]
    carried: Counter[str]
    open: Counter[str]
    days: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    needs: Counter[tuple[str, str]] = field(default_factory=Counter)
    movers: set[str] = field(default_factory=set)


class Source:
    """The CSV files of a generated city, every cell as text."""

    def __init__(self, folder: Path) -> None:
        def read(name: str) -> pd.DataFrame:
            return pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)

        self.students = read("students").sort_values("snapshot_date", kind="stable")
        self.outcomes, self.schools = read("outcomes"), read("schools").set_index("school_id")
        self.calendar, self.reported = read("calendar"), read("reported_days")
        self.attendance = read("attendance")
        for table in (self.students, self.outcomes, self.attendance):
            table.replace("", None, inplace=True)

        self.moves: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        columns = ["student_id", "snapshot_date", "school_id", "grade"]
        for student, day, school, grade in self.students[columns].itertuples(index=False):
            self.moves[student].append((day, school, grade))

    def cohort(self, day: date) -> pd.DataFrame:
        """Return the current records of who is enrolled on a day, by student_id."""
        until = day.isoformat()
        known = self.students[self.students.snapshot_date <= until]
        records = known.groupby("student_id").last()
        records["snapshot_date"] = known.groupby("student_id").snapshot_date.max()
        events = self.outcomes[self.outcomes.date <= until]

        def last(*names: str) -> pd.Series:
            some = events[events.event.isin(names)].groupby("student_id").date.max()
            return some.reindex(records.index).fillna("")

        back = last("returned")
        out = last("dropped_out") > back
        away = last(*LEFT)
        gone = (away > back) & (away >= records.snapshot_date)
        here = records.enrolled_on.isna() | (records.enrolled_on <= until)
        records["on_leave"] = last("long_leave") > back
        return records[here & ~out & ~gone & (last("deceased") == "")]

    def record_on(self, student: str, day: str) -> Any:
        """Return a child's record on a day; its first one where it came later."""
        mine = self.students[self.students.student_id == student]
        known = mine[mine.snapshot_date <= day]
        if len(known):
            return known.groupby("student_id").last().iloc[0]
        return mine.groupby("student_id").first().iloc[0] if len(mine) else None


def counted(source: Source, until: date) -> tuple[list[tuple[str, str, str, Any]], dict[str, str]]:
    """Return the entries that count, (student, date, event, cause), and how each child stands."""
    found, standing = [], {}
    some = source.outcomes[source.outcomes.date <= until.isoformat()]
    lost = set(some[some.event.isin(["suspected", "dropped_out"])].student_id)
    for student, entries in some[some.student_id.isin(lost)].groupby("student_id"):
        rank = {"suspected": 0, "dropped_out": 1, "returned": 9}
        rows = sorted(entries.itertuples(), key=lambda r: (r.date, rank.get(r.event, 5), r.event))
        state = ""
        for row in rows:
            if row.event == "returned":
                if state:
                    found.append((student, row.date, row.event, row.cause))
                state = ""
            elif row.event == "dropped_out" and state != "dropped_out":
                state = "dropped_out"
                found.append((student, row.date, row.event, row.cause))
            elif row.event == "suspected" and not state:
                state = "suspected"
                found.append((student, row.date, row.event, row.cause))
            elif row.event in (*LEFT, "deceased") and state == "suspected":
                state = ""
        standing[str(student)] = state
    return found, standing


def recount(source: Source, start: date, end: date, today: date) -> Recounted:
    """Recount a report of a period that is over."""
    days = source.calendar[source.calendar.is_school_day == "true"].date
    within = days[(days >= start.isoformat()) & (days <= end.isoformat())]
    first = date.fromisoformat(within.min()) if len(within) else start
    figures: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in source.cohort(first).itertuples():
        for place in _places(source, row):
            figures[place]["enrolled"] += 1
    causes: dict[str, Counter[str]] = {"suspected": Counter(), "dropped_out": Counter()}
    entries, _ = counted(source, today)
    standing = counted(source, end)[1]
    still: set[tuple[str, str]] = set()
    for student, day, event, cause in entries:
        if not start.isoformat() <= day <= end.isoformat():
            continue
        for place in _places(source, source.record_on(student, day)):
            figures[place][event] += 1
        if event in causes:
            causes[event][cause if isinstance(cause, str) else ""] += 1
        if standing.get(student) == event:
            still.add((student, event))
    before = counted(source, start - timedelta(1))[1]
    found = Recounted(
        dict(figures),
        causes,
        still=Counter(event for _, event in still),
        carried=Counter(before.values()),
        open=Counter(standing.values()),
    )
    _schools(source, found, start, end)
    return found


def _places(source: Source, record: Any) -> list[tuple[str, str]]:
    if record is None:
        return [("total", ""), ("stage", ""), ("county", ""), ("school", "")]
    school = record.school_id
    county = source.schools.county.get(school, "")
    places = [("total", ""), ("stage", STAGES.get(int(record.grade), "")), ("county", county)]
    groups = [("group", name) for name, is_in in GROUPS.items() if is_in(record)]
    return [*places, ("school", school), *groups]


def _schools(source: Source, found: Recounted, start: date, end: date) -> None:
    cohort = source.cohort(end)
    own = set(
        source.reported[source.reported.class_id != ""][["school_id", "class_id"]].itertuples(
            index=False, name=None
        )
    )
    assert not (source.calendar.class_id != "").any()
    general = dict(
        source.calendar[source.calendar.school_id == ""][["date", "is_school_day"]].values
    )
    reports: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in source.reported.itertuples():
        reports[row.school_id, row.class_id].add(row.date)
    taught_in = set(cohort[["school_id", "grade"]].itertuples(index=False, name=None))
    year_ago, until = (end - timedelta(days=365)).isoformat(), end.isoformat()
    taught = source.attendance[source.attendance.status == "home_teaching"]
    stated = source.students[
        source.students.parents_away.notna() | source.students.guardian.notna()
    ]
    stated = stated[stated.snapshot_date <= end.isoformat()]
    stated_on = stated.groupby("student_id").snapshot_date.max()
    for school, children in cohort.groupby("school_id"):
        calendar = general | dict(
            source.calendar[source.calendar.school_id == school][["date", "is_school_day"]].values
        )
        all_days = sorted(d for d, is_day in calendar.items() if is_day == "true")
        all_days = [d for d in all_days if d <= end.isoformat()]
        classes = {c if (school, c) in own else "" for c in children.class_id}
        whole = reports.get((school, ""), set())
        missing = incomplete = number = 0
        for day in all_days:
            if day < start.isoformat():
                continue
            number += 1
            done = [day in whole or (c and day in reports.get((school, c), ())) for c in classes]
            missing += not any(done)
            incomplete += any(done) and not all(done)
        found.days[str(school)] = (number, missing, incomplete)
        moving = 0
        for child in children.itertuples():
            mine = source.moves.get(child.Index, [])
            could_stay = any(
                before != school_then and (before, grade) in taught_in and year_ago < day <= until
                for (_, before, _), (day, school_then, grade) in pairwise(mine)
            )
            moving += child.migrant_child == "true" or could_stay
            if GROUPS["poor_family"](child) and child.receives_aid == "false":
                found.needs["aid_gap", str(school)] += 1
            if GROUPS["left_behind"](child):
                on = stated_on.get(child.Index)
                if on is None or (end - date.fromisoformat(on)).days > 200:
                    found.needs["file", str(school)] += 1
            if child.placement == "home_teaching" and not child.on_leave:
                own_days = [d for d in all_days if not child.enrolled_on or d >= child.enrolled_on]
                visits = set(taught[taught.student_id == child.Index].date)
                if own_days and not visits & set(own_days[-60:]):
                    found.needs["untaught", str(school)] += 1
        if moving / len(children) >= 0.3:
            found.movers.add(str(school))
