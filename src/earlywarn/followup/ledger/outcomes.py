"""What the ledger confirms, as rows of the table `outcomes`, so that retraining needs no retyping.

- suspected: an absence that was reported in writing to township and county (the step of day 3, or
  the school's answer that it was): three days alone may be an illness nobody has noted yet;
- dropped_out: somebody entered that the child has dropped out;
- returned: back after one of the two, whether the ledger or a file said so; a child that only
  missed a day or two never was away;
- transferred: to another school.

Children placed at home or in a special or vocational school are still in education: no outcome.
The date is that on which it became known. An answer in dispute confirms nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from earlywarn.followup.ledger.views import Case, Move
from earlywarn.followup.states import State

_EVENTS = {
    State.REPORTED: "suspected",
    State.DROPPED_OUT: "dropped_out",
    State.RETURNED: "returned",
    State.TRANSFERRED: "transferred",
}
_LOST = ("suspected", "dropped_out")

Known = tuple[str, date, str]  # student_id, date, event: suspected, dropped_out or returned


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of `outcomes`; `cause` is the school's, empty where it gave none."""

    student_id: str
    date: date
    event: str
    cause: str | None


def confirmed(cases: Iterable[Case], known: Iterable[Known] = ()) -> list[Outcome]:
    """Return what `cases` confirm, in order of student, date and event (`returned` last of a day).

    One row for each student, date and event. `known` is what files say of these children: who was
    away by them comes back too.
    """
    found: dict[tuple[str, date, str], Outcome] = {}
    lost: set[str] = set()
    told = sorted(known, key=lambda k: (k[0], k[1], k[2] == "returned"))
    at = 0
    moves = [
        (str(case.student_id), move, case)
        for case in cases
        if case.student_id is not None
        for move in case.moves
    ]
    moves.sort(key=lambda item: (item[0], item[1].entry.effective, item[2].id, item[1].entry.seq))
    for student, move, case in moves:
        while at < len(told) and told[at][:2] <= (student, move.entry.effective):
            child, _, said = told[at]
            lost.add(child) if said in _LOST else lost.discard(child)
            at += 1
        event = _event(case, move, away=student in lost)
        if event is None:
            continue
        if event in _LOST:
            lost.add(student)
        else:
            lost.discard(student)
        cause = case.answers.get("cause") if event in _LOST else None
        row = Outcome(
            student,
            move.entry.happened_on,
            event,
            cause.value if cause is not None and not cause.disputed else None,
        )
        found.setdefault((row.student_id, row.date, row.event), row)
    return sorted(
        found.values(), key=lambda o: (o.student_id, o.date, o.event == "returned", o.event)
    )


def _event(case: Case, move: Move, *, away: bool) -> str | None:
    event = _EVENTS.get(move.state)
    if event == "suspected" and case.kind != "absence":
        return None
    return None if event == "returned" and not away else event
