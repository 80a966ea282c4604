"""The registers as tables, always worked out anew from the tables and the follow-up ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import duckdb
import pyarrow as pa

from earlywarn.engine.duckdb import connect
from earlywarn.features.build import cohort_on
from earlywarn.features.groups import load_groups
from earlywarn.followup.escalation import Escalation
from earlywarn.followup.ledger import Case, Ledger
from earlywarn.report.registers.cases import (
    Persuasion,
    as_known,
    cause,
    events_of_unregistered,
    persuasions,
    placements,
)
from earlywarn.report.registers.children import Child, SchoolAge, read_children
from earlywarn.report.registers.lines import PLACED, Event, Line, in_order, is_open, lines
from earlywarn.report.registers.schemas import LINES, PERSUASIONS, SCHOOL_AGE, table_of
from earlywarn.workspace import Workspace

Where = Literal[
    "in_school",
    "on_leave",
    "home_taught",
    "special_school",
    "placed",
    "suspected",
    "dropped_out",
    "no_roll",
]

_EVENTS = """
SELECT student_id, date, event, cause FROM outcomes
WHERE date <= $as_of AND student_id IN (
    SELECT student_id FROM outcomes WHERE date <= $as_of AND event IN ('suspected', 'dropped_out')
    UNION SELECT unnest($placed)
)
"""


@dataclass(frozen=True)
class Registers:
    """The three county ledgers, and each persuasion, as they stood on `as_of`.

    `school_age` has a row for each child (schema `SCHOOL_AGE`), `suspected` and `dropouts` one line
    for each that ever was (`LINES`), `persuasions` one for each contact, visit and notice
    (`PERSUASIONS`). In order of county; a county is empty where the school is in no table.
    """

    as_of: date
    school_age: pa.Table
    suspected: pa.Table
    dropouts: pa.Table
    persuasions: pa.Table


@dataclass(frozen=True, slots=True)
class _Followed:
    """What is known of a child beside its record: its lines, cases and persuasions."""

    events: tuple[Event, ...]
    suspected: Line
    out: Line
    cases: tuple[Case, ...]
    persuasions: tuple[Persuasion, ...]

    @property
    def case(self) -> Case | None:
        """The newest case; one of settling in only where there is no other."""
        own = [case for case in self.cases if case.kind != "settling_in"]
        return (own or self.cases or (None,))[-1]

    @property
    def placed_as(self) -> Where | None:
        """Where the child was placed, if that is the last that is known of it."""
        last = self.events[-1] if self.events else None
        if last is None or last.what != PLACED:
            return None
        return "home_taught" if last.said == "home_teaching" else "placed"


_NOTHING = _Followed((), (), (), (), ())


def register_rows(workspace: Workspace, as_of: date) -> Registers:
    """Return the registers as of a day; what is dated later is left out.

    Raises
    ------
    EarlywarnError
        If tables, ledger, `groups.yaml` or `escalation.yaml` cannot be read.
    """
    groups, escalation = load_groups(workspace.rules), Escalation.load(workspace)
    with Ledger.open(workspace) as ledger:
        known = [case for one in ledger.cases() if (case := as_known(one, as_of)) is not None]
    con = connect(workspace)
    try:
        cohort_on(con, workspace.config, as_of)
        followed = _followed(con, known, escalation, as_of)
        strangers = _strangers(known, escalation)
        children = {child.student_id: child for child in read_children(con, groups, as_of)}
        schools = {
            row[0]: row
            for row in con.execute(
                "SELECT school_id, name, county, township FROM schools"
            ).fetchall()
        }
    finally:
        con.close()
    writer = _Writer(as_of, schools, children)
    age = SchoolAge.on(workspace.config, as_of)
    for child in children.values():
        if age.holds(child):
            writer.child(child, followed.get(child.student_id, _NOTHING))
    for stranger in strangers:
        writer.stranger(stranger)
    for student, one in followed.items():
        writer.lines(student, one)
    for stranger in strangers:
        writer.lines(None, stranger)
    return writer.registers()


def _followed(
    con: duckdb.DuckDBPyConnection, known: Iterable[Case], escalation: Escalation, as_of: date
) -> dict[str, _Followed]:
    """Return what is known of each registered child that left, or was placed."""
    cases: dict[str, list[Case]] = defaultdict(list)
    for case in known:
        if case.student_id is not None:
            cases[case.student_id].append(case)
    placed = {student: moved for student, some in cases.items() if (moved := placements(some))}
    events: dict[str, list[Event]] = defaultdict(list)
    query = con.execute(_EVENTS, {"as_of": as_of, "placed": list(placed)})
    for student, on, event, why in query.fetchall():
        events[student].append(Event(on, event, why))
    for student, moved in placed.items():
        events[student] += moved
    return {
        student: _gathered(events[student], cases.get(student, []), escalation)
        for student in sorted(events)
    }


def _strangers(known: Iterable[Case], escalation: Escalation) -> list[_Followed]:
    """Return what is known of each child on no registry, by its school and name."""
    cases: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in known:
        if case.student_id is None:
            cases[case.school_id, case.person or ""].append(case)
    return [
        _gathered(events_of_unregistered(some), some, escalation)
        for _, some in sorted(cases.items())
    ]


def _gathered(events: Iterable[Event], cases: Sequence[Case], escalation: Escalation) -> _Followed:
    ordered = tuple(in_order(events))
    suspected, out = lines(ordered)
    told = persuasions(cases, (*suspected, *out), escalation)
    return _Followed(ordered, suspected, out, tuple(cases), tuple(told))


def place_of(child: Child, followed: _Followed) -> tuple[Where, date | None] | None:
    """Return where a child is and since when; None if it is elsewhere, or not enrolled yet."""
    if is_open(followed.out):
        return "dropped_out", followed.out[-1].opened_on
    if followed.placed_as is not None and not child.is_elsewhere:
        return followed.placed_as, followed.events[-1].on
    if not child.in_cohort:
        return _off_roll(child, followed)
    if is_open(followed.suspected):
        return "suspected", followed.suspected[-1].opened_on
    if child.on_leave:
        return "on_leave", child.leave_since
    if child.placement == "home_teaching":
        return "home_taught", child.placement_since
    if child.placement == "special_school":
        return "special_school", child.placement_since
    begun = [day for day in (child.enrolled_on, child.last_return) if day is not None]
    return "in_school", max(begun, default=child.school_since)


def _off_roll(child: Child, followed: _Followed) -> tuple[Where, date | None] | None:
    if child.is_elsewhere:
        return None
    if child.off_since is not None:
        return "no_roll", child.off_since
    ended = followed.out[-1] if followed.out else None
    if ended is not None and (ended.closed_on or child.snapshot_date) < child.snapshot_date:
        # Closed by a change of school, and on a registry since: but no return was recorded.
        return "dropped_out", child.last_dropout
    return None


class _Writer:
    """Collects the rows of the four tables."""

    def __init__(self, as_of: date, schools: dict[str, Any], children: dict[str, Child]) -> None:
        self.as_of, self.schools, self.known = as_of, schools, children
        self.of_age: list[dict[str, Any]] = []
        self.suspected: list[dict[str, Any]] = []
        self.dropouts: list[dict[str, Any]] = []
        self.persuasions: list[dict[str, Any]] = []

    def child(self, child: Child, followed: _Followed) -> None:
        found = place_of(child, followed)
        if found is not None:
            record = {name: getattr(child, name) for name in Child.__dataclass_fields__}
            where, since = found
            self.of_age.append(
                record | self._place(child.school_id) | {"where": where, "since": since}
            )

    def stranger(self, followed: _Followed) -> None:
        """Add a child on no registry, unless it has come to a school or was no such child."""
        case = followed.case
        if case is None:
            return
        if is_open(followed.out):
            where, since = "dropped_out", followed.out[-1].opened_on
        elif followed.placed_as is not None:
            where, since = followed.placed_as, followed.events[-1].on
        elif case.kind == "unregistered" and case.closed_on is None:
            where, since = "no_roll", case.opened_on
        else:
            return
        who: dict[str, Any] = {"name": case.person, "where": where, "since": since, "groups": []}
        self.of_age.append(self._place(case.school_id) | who)

    def lines(self, student: str | None, followed: _Followed) -> None:
        """Add a child's lines and its persuasions."""
        case = followed.case
        child = self.known.get(student or "")
        school = child.school_id if child else (case.school_id if case else "")
        who: dict[str, Any] = self._place(school) | {
            "student_id": student,
            "name": child.name if child else (case.person if case else None),
        }
        for line, rows in ((followed.suspected, self.suspected), (followed.out, self.dropouts)):
            if line:
                rows.append(who | self._line(line, followed, child))
        self.persuasions += [
            who
            | {name: getattr(one, name) for name in PERSUASIONS.names if hasattr(one, name)}
            | {"case": one.case.id, "date": one.on}
            for one in followed.persuasions
        ]

    def _line(self, line: Line, followed: _Followed, child: Child | None) -> dict[str, Any]:
        case = followed.case
        causes = [episode.cause for episode in reversed(line)]
        causes += [cause(one) for one in reversed(followed.cases)]
        told = followed.persuasions
        return {
            "grade": child.grade if child else None,
            "class_id": child.class_id if child else None,
            "open": is_open(line),
            "opened_on": line[0].opened_on,
            "reopened_on": [episode.opened_on for episode in line[1:]],
            "closings": [
                {"on": episode.closed_on, "because": episode.because}
                for episode in line
                if episode.closed_on is not None
            ],
            "closed_on": line[-1].closed_on,
            "because": line[-1].because,
            "days_out": sum(episode.days(self.as_of) for episode in line),
            "cause": next((one for one in causes if one), None),
            "leader": case.leader if case else None,
            "teacher": (case.teacher if case else None)
            or (child.homeroom_teacher if child else None),
            "persuasions": len(told),
            "last_persuasion": told[-1].on if told else None,
            "case": case.id if case else None,
            "case_state": str(case.state) if case else None,
        }

    def _place(self, school_id: str) -> dict[str, Any]:
        _, school, county, township = self.schools.get(school_id, (None, None, "", None))
        return {
            "county": county,
            "township": township,
            "school_id": school_id,
            "school": school,
        }

    def registers(self) -> Registers:
        return Registers(
            as_of=self.as_of,
            school_age=table_of(
                self.of_age, SCHOOL_AGE, "county school_id grade class_id student_id name"
            ),
            suspected=table_of(self.suspected, LINES, "county opened_on student_id name", "open"),
            dropouts=table_of(self.dropouts, LINES, "county opened_on student_id name", "open"),
            persuasions=table_of(self.persuasions, PERSUASIONS, "county student_id name date case"),
        )
