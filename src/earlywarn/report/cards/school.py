"""Gather one school's card: its year by month, its cases, its list, and what it owes its children.

Only the tables of its own children are read, so that one school of a city takes a second or two.
Counts are those of the regular reports (`report.period`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from earlywarn.engine.duckdb import connect
from earlywarn.features.build import build, cohort_on
from earlywarn.features.newest import newest_reported_day
from earlywarn.followup.escalation import Escalation
from earlywarn.followup.inspections import refuse_unknown_school
from earlywarn.followup.ledger import Inspection, Ledger
from earlywarn.followup.states import State
from earlywarn.report.cards.child import case_files, cases_until, refuse_researcher
from earlywarn.report.cards.rows import CaseFile
from earlywarn.report.period.counting import events_until, first_school_day, place
from earlywarn.report.period.periods import Period, parse_period, school_year
from earlywarn.report.period.schools import Key, Need, Needing, Reporting, keys, needs, reporting
from earlywarn.report.period.schools import Place as School
from earlywarn.report.period.schools import places as all_schools
from earlywarn.roles import Role
from earlywarn.rules.pack import RuleBook, load_rulebook
from earlywarn.scoring.history import newest_runs
from earlywarn.tables.batches import one_row_a_day
from earlywarn.words import Tier
from earlywarn.workspace import Config, Workspace

NEEDS: tuple[Need, ...] = ("aid_gap", "file", "untaught")

# Whoever was ever at the school; no other child's rows are looked at.
_OWN = (
    "CREATE OR REPLACE TEMP TABLE own_students AS SELECT * FROM students WHERE student_id IN "
    "(SELECT student_id FROM students WHERE school_id = $school)",
    "CREATE OR REPLACE TEMP VIEW students AS SELECT * FROM own_students",
    "CREATE OR REPLACE TEMP TABLE own_outcomes AS SELECT * FROM outcomes "
    "SEMI JOIN own_students USING (student_id)",
    "CREATE OR REPLACE TEMP VIEW outcomes AS SELECT * FROM own_outcomes",
)
_TEACHERS = """
SELECT coalesce(class_id, ''), mode(homeroom_teacher), count(*)
FROM cohort WHERE school_id = ? GROUP BY 1 ORDER BY min(grade), 1
"""


@dataclass(frozen=True, slots=True)
class Month:
    """One month: enrolled on its first school day, and what became known in it."""

    period: Period
    enrolled: int
    suspected: int
    returned: int
    dropped_out: int
    reporting: Reporting


@dataclass(frozen=True, slots=True)
class NewestList:
    """The newest list: children on it by tier, and how many the capacity left out."""

    as_of: date
    listed: dict[str, int]
    cut: int


@dataclass(frozen=True, slots=True)
class SchoolCard:
    """Everything on a school's card, as of a day.

    Attributes
    ----------
    teachers
        (class, homeroom teacher or None, children) of each class.
    states
        Running cases by state.
    cases
        The running cases with their steps; whose child has which name stands in `names`.
    owed
        How many children each need has.
    who
        Those children; empty for a role that may not see groups.
    inspections
        Of the school year, and those before with something still to do.
    """

    as_of: date
    known: date
    is_full: bool
    generated: bool
    school: School
    capacity: int
    keys: tuple[Key, ...]
    children: int
    teachers: tuple[tuple[str, str | None, int], ...]
    months: tuple[Month, ...]
    total: Month
    states: dict[State, int]
    cases: tuple[CaseFile, ...]
    names: dict[str, str]
    newest: NewestList | None
    owed: dict[Need, int]
    who: tuple[Needing, ...]
    inspections: tuple[Inspection, ...]
    inspections_a_year: int


def school_card(
    workspace: Workspace, school_id: str, role: Role, as_of: date | None = None
) -> SchoolCard:
    """Return the card of one school; nothing dated after `as_of` is told.

    `as_of` None: the newest reported school day, with the ledger as it is today.

    Raises
    ------
    EarlywarnError
        If there is no such school, none was loaded, or the role may not see names.
    """
    refuse_researcher(role)
    refuse_unknown_school(workspace, school_id)
    rulebook = load_rulebook(workspace.rules)
    con = connect(workspace)
    try:
        school = all_schools(con)[school_id]
        day = as_of or newest_reported_day(con, date.today()) or date.today()
        known = as_of or max(day, date.today())
        for statement in _OWN:
            con.execute(statement, {"school": school_id} if "$school" in statement else None)
        return _card(con, workspace, rulebook, school, role, day, known)
    finally:
        con.close()


def _card(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    rulebook: RuleBook,
    school: School,
    role: Role,
    day: date,
    known: date,
) -> SchoolCard:
    config, of = workspace.config, school.school_id
    year = school_year(day, config)
    periods = _months(year, day, config)
    enrolled = [_enrolled(con, config, of, _first_day(con, period)) for period in periods]
    build(con, config, rulebook.groups, day, one_row_a_day=one_row_a_day(workspace))
    events, _ = events_until(con, day)
    mine = [e.event for e in place(con, rulebook.groups, events) if e.school == of]
    months = tuple(
        _month(con, of, period, number, [e.event for e in mine if e.date in period], day)
        for period, number in zip(periods, enrolled, strict=True)
    )
    in_year = [e.event for e in mine if e.date in year]
    owed = [need for need in needs(con, day) if need.school_id == of]
    teachers = con.execute(_TEACHERS, [of]).fetchall()
    children = sum(count for _, _, count in teachers)
    with Ledger.open(workspace) as ledger:
        cases = cases_until(ledger.cases(school_id=of), known, role)
        inspections = tuple(one.as_of(known) for one in ledger.inspections(of) if one.on <= known)
    running = tuple(case for case in cases if case.closed_on is None)
    ((own_capacity,),) = con.execute(
        "SELECT capacity FROM schools WHERE school_id = ?", [of]
    ).fetchall()
    return SchoolCard(
        as_of=day,
        known=known,
        is_full=role.sees_groups,
        generated=config.generated,
        school=school,
        capacity=config.capacity.of(children, own_capacity),
        keys=keys(con, {of: school}, day).get(of, ()),
        children=children,
        teachers=tuple(teachers),
        months=months,
        total=_month(con, of, year, enrolled[0], in_year, day),
        states=dict(Counter(case.state for case in running)),
        cases=case_files(con, workspace, running, day),
        names=_names(con, [case.student_id for case in running if case.student_id]),
        newest=_list(workspace, of, day),
        owed={need: sum(one.need == need for one in owed) for need in NEEDS},
        who=tuple(owed) if role.sees_groups else (),
        inspections=tuple(
            one
            for one in inspections
            if one.on >= year.start or any(order.done_on is None for order in one.orders)
        ),
        inspections_a_year=Escalation.load(workspace).inspections_a_year,
    )


def _months(year: Period, day: date, config: Config) -> list[Period]:
    """Return the months of the school year up to the one of `day`."""
    found = [parse_period("month", f"{year.start:%Y-%m}", config)]
    while found[-1].end < day:
        after = found[-1].end + timedelta(days=1)
        found.append(parse_period("month", f"{after:%Y-%m}", config))
    return found


def _first_day(con: duckdb.DuckDBPyConnection, period: Period) -> date:
    return first_school_day(con, period) or period.start


def _enrolled(con: duckdb.DuckDBPyConnection, config: Config, school: str, day: date) -> int:
    cohort_on(con, config, day)
    ((count,),) = con.execute(
        "SELECT count(*) FROM cohort WHERE school_id = ?", [school]
    ).fetchall()
    return int(count)


def _month(
    con: duckdb.DuckDBPyConnection,
    school: str,
    period: Period,
    enrolled: int,
    events: Sequence[str],
    day: date,
) -> Month:
    until = min(period.end, day)
    return Month(
        period=period,
        enrolled=enrolled,
        suspected=events.count("suspected"),
        returned=events.count("returned"),
        dropped_out=events.count("dropped_out"),
        reporting=reporting(con, period, until).get(school, Reporting()),
    )


def _list(workspace: Workspace, school: str, day: date) -> NewestList | None:
    runs = [run for run in newest_runs(workspace) if run.as_of <= day]
    if not runs:
        return None
    rows = runs[-1].scores(["tier", "listed"], ("school_id", school)).to_pylist()
    listed = Counter(row["tier"] for row in rows if row["listed"])
    cut = sum(not row["listed"] and row["tier"] != Tier.ROUTINE for row in rows)
    return NewestList(runs[-1].as_of, dict(listed), cut)


def _names(con: duckdb.DuckDBPyConnection, students: list[str]) -> dict[str, str]:
    rows = con.execute(
        "SELECT student_id, name FROM known_students WHERE student_id IN (SELECT unnest($of))",
        {"of": students},
    ).fetchall()
    return {student: name or student for student, name in rows}
