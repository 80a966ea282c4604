"""What is due for every running case, overdue first, and how it is told to a role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from earlywarn.engine.duckdb import connect
from earlywarn.errors import Lang
from earlywarn.features.build import build
from earlywarn.features.newest import newest_school_day
from earlywarn.followup.casedays import case_days
from earlywarn.followup.deadlines import BY_LABELS, Due, agenda
from earlywarn.followup.escalation import Escalation
from earlywarn.followup.ledger import Case, Ledger
from earlywarn.roles import Role, pseudonym
from earlywarn.rules.pack import load_rulebook
from earlywarn.workspace import Config, Workspace

# Of children who have left, too.
_CHILDREN = """
SELECT student_id, name, homeroom_teacher FROM known_students
WHERE student_id IN (SELECT unnest($students))
"""


@dataclass(frozen=True, slots=True)
class ToDo:
    """One step that is due, with the child's and the school's names and who is to do it.

    `name` is the person: the one assigned, else for a teacher's step the homeroom teacher of the
    registry; empty where nobody is named.
    """

    due: Due
    child: str
    school: str
    name: str


def due_on(workspace: Workspace, as_of: date | None = None) -> tuple[date, list[ToDo]]:
    """Return the day, and what is due for every running case as of it, overdue first.

    `as_of` None: the newest reported school day, with the cases that were opened since.

    Raises
    ------
    EarlywarnError
        If the ledger cannot be read, or `escalation.yaml` is not well formed.
    """
    escalation = Escalation.load(workspace)
    with Ledger.open(workspace) as ledger:
        cases = ledger.cases(running=True)
    con = connect(workspace)
    try:
        day = as_of or newest_school_day(con, date.today())
        if as_of is not None:
            cases = tuple(case for case in cases if case.opened_on <= day)
        if not cases:
            return day, []
        build(con, workspace.config, load_rulebook(workspace.rules).groups, day)
        return day, due_among(con, workspace.config, escalation, cases, day)
    finally:
        con.close()


def due_among(
    con: duckdb.DuckDBPyConnection,
    config: Config,
    escalation: Escalation,
    cases: Sequence[Case],
    day: date,
) -> list[ToDo]:
    """Return what is due for these cases as of `day`; `con` as `features.build` left it for it."""
    days = case_days(con, config, cases, day)
    students = [case.student_id for case in cases if case.student_id]
    found = con.execute(_CHILDREN, {"students": students}).fetchall()
    schools = dict(con.execute("SELECT school_id, name FROM schools").fetchall())
    children = {student: (name, teacher) for student, name, teacher in found}
    todo = []
    for due in agenda(cases, escalation, lambda case: days[case.id], day):
        case = due.case
        name, teacher = children.get(case.student_id or "", (None, None))
        person = due.person or (teacher if due.step.by == "teacher" else None)
        school = schools.get(case.school_id) or case.school_id
        todo.append(ToDo(due, name or case.person or case.student_id or "", school, person or ""))
    return todo


def rows_of(workspace: Workspace, todo: list[ToDo], role: Role, lang: Lang) -> list[dict[str, Any]]:
    """Return what is due as rows for a role: a researcher sees no name and no number."""
    rows = []
    for one in todo:
        due, case = one.due, one.due.case
        who = one.name or BY_LABELS[due.step.by](lang)
        student, child = case.student_id or "", one.child
        school_id, school = case.school_id, one.school
        if not role.sees_names:
            who, child = BY_LABELS[due.step.by](lang), ""
            student = pseudonym(workspace, case.student_id or f"case {case.id}")
            school_id = school = pseudonym(workspace, case.school_id)
        rows.append(
            {
                "case": case.id,
                "kind": case.kind,
                "state": str(case.state),
                "student_id": student,
                "student": child or student,
                "school_id": school_id,
                "school": school,
                "step": due.step.title(lang),
                "who": who,
                "due": due.due.isoformat(),
                "about": due.about,
                "overdue": due.overdue,
            }
        )
    return rows
