"""Recording by hand: a step of escalation.yaml that was done, or what became of a child."""

from __future__ import annotations

from datetime import date

from earlywarn.engine.duckdb import connect
from earlywarn.errors import EarlywarnError, UsageError
from earlywarn.followup.deadlines import done
from earlywarn.followup.escalation import Escalation
from earlywarn.followup.labels import bring_back
from earlywarn.followup.ledger import Case, Ledger, NewEntry
from earlywarn.followup.states import State
from earlywarn.workspace import Workspace

SOURCE = "by hand"


def refuse_unknown(workspace: Workspace, school_id: str, student_id: str) -> None:
    """Refuse a case of a school or a child that no table knows: most likely a slip of the pen."""
    con = connect(workspace)
    try:
        ((*known,),) = con.execute(
            "SELECT (SELECT count(*) FROM schools) = 0 "
            "OR EXISTS (FROM schools WHERE school_id = ?), "
            "? = '' OR EXISTS (FROM students WHERE student_id = ?)",
            [school_id, student_id, student_id],
        ).fetchall()
    finally:
        con.close()
    is_school, is_student = known
    if not is_school:
        raise EarlywarnError(
            zh=f"学校表里没有学校 {school_id}。请核对 --school。",
            en=f"No school {school_id} is in the table of schools. Check --school.",
        )
    if not is_student:
        raise EarlywarnError(
            zh=f"学籍里没有学生 {student_id}。请核对 --student；没有学籍的孩子用 --person。",
            en=f"No student {student_id} is on the registry. Check --student; for a child on no "
            "registry give --person.",
        )


def record(
    workspace: Workspace,
    ledger: Ledger,
    case: Case,
    what: str,
    on: date,
    *,
    note: str = "",
    who: str,
) -> Case:
    """Record that a step was done (by its id) or that the child is in a state; return the case.

    What the ledger then confirms goes into the table `outcomes`; the caller holds the lock.

    Raises
    ------
    EarlywarnError
        If there is no such step or state, or the case cannot come into it.
    """
    steps = {step.id: step for step in Escalation.load(workspace).steps(case.kind, case.tier)}
    if what in steps:
        new = done(case.id, steps[what], on, SOURCE)
    elif what in set(State):
        new = (NewEntry(case.id, "state", on, value=what, source=SOURCE),)
    else:
        known = [*steps, *map(str, State)]
        raise UsageError(
            zh=f"没有 {what} 这个步骤或状态，可用：{'、'.join(known)}。",
            en=f"There is no step or state {what}; there are {', '.join(known)}.",
        )
    if note:
        new = (*new, NewEntry(case.id, "note", on, value=note, source=SOURCE))
    ledger.record(*new, who=who)
    bring_back(workspace, ledger)
    return ledger.case(case.id)
