"""What is due for a child, by when, and on whose list it stands. Pure functions.

School days are counted by whoever knows the calendar: `SchoolDays.due(n)` is the date `n` school
days after the case's day 1 (0: day 1 itself), and whether that is only about right, because it
lies beyond the calendar and Monday to Friday were counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from earlywarn.errors import Text
from earlywarn.followup.answers import DATES
from earlywarn.followup.escalation import By, Escalation, Step
from earlywarn.followup.ledger.store import NewEntry
from earlywarn.followup.ledger.views import Case
from earlywarn.followup.states import State, level, told_by


class SchoolDays(Protocol):
    """The school days of a child's class from the case's day 1 on."""

    def due(self, school_days: int, /) -> tuple[date, bool]:
        """Return the date so many school days later, and whether about."""


@dataclass(frozen=True, slots=True)
class Due:
    """One step of a case as of a day.

    `due` is its date (of one that comes again: the first not yet done), `about` where that lies
    beyond the calendar; `done_on` when it was done (last), None if it was not. `overdue`: due
    before the day asked about, and not done. `person` is the name of who is responsible, where one
    was assigned; `by` and `step.who` say the office.
    """

    case: Case
    step: Step
    due: date
    about: bool
    done_on: date | None
    open: bool
    overdue: bool
    person: str | None


BY_LABELS: dict[By, Text] = {
    "teacher": Text("班主任", "homeroom teacher"),
    "leader": Text("包保领导", "responsible leader"),
    "school": Text("学校", "school"),
    "township": Text("乡镇", "township"),
    "county": Text("县", "county"),
}


def steps_of(case: Case, escalation: Escalation, days: SchoolDays, as_of: date) -> tuple[Due, ...]:
    """Return every step of `case` with its date, in order of it, as things stood on `as_of`.

    In a case that is closed nothing is open any more; what was done is still told.
    """
    last_day = escalation.settling_in_days if case.kind == "settling_in" else None
    found = [
        _due(case, step, days, as_of, last_day) for step in escalation.steps(case.kind, case.tier)
    ]
    return tuple(sorted(found, key=lambda due: (due.due, due.step.day, due.step.id)))


def next_step(steps: Iterable[Due]) -> Due | None:
    """Return the step to do next: the open one that is due first."""
    return min((due for due in steps if due.open), key=lambda due: due.due, default=None)


def agenda(
    cases: Iterable[Case],
    escalation: Escalation,
    days: Callable[[Case], SchoolDays],
    as_of: date,
) -> list[Due]:
    """Return all open steps of `cases`: overdue first, then by date, school and case."""
    found = [
        due
        for case in cases
        if case.closed_on is None
        for due in steps_of(case, escalation, days(case), as_of)
        if due.open
    ]
    return sorted(
        found, key=lambda d: (not d.overdue, d.due, d.case.school_id, d.case.id, d.step.day)
    )


def settled_in(case: Case, escalation: Escalation, days: SchoolDays, as_of: date) -> bool:
    """Return whether a settling-in case has run its days and can be closed."""
    running = case.kind == "settling_in" and case.closed_on is None
    return running and as_of > days.due(escalation.settling_in_days)[0]


def done(case_id: int, step: Step, on: date, source: str = "") -> tuple[NewEntry, ...]:
    """Return what to record when `step` was done: the step, and the state that it brings."""
    entry = NewEntry(case_id, "step", on, step.id, "done", source)
    if step.reaches is None:
        return (entry,)
    return (entry, NewEntry(case_id, "state", on, value=step.reaches, source=source))


def _due(case: Case, step: Step, days: SchoolDays, as_of: date, last_day: int | None) -> Due:
    offset, over = step.day - 1, False
    if step.every is None:
        done_on = _done_on(case, step, as_of)
    else:
        done_on = _last_done_on(case, step, days, as_of)
        if done_on is not None:
            # One that was missed is not made up for: the one after the last done is due.
            while days.due(offset)[0] < done_on:
                offset += step.every
            over = last_day is not None and offset + step.every > last_day
            offset += 0 if over else step.every
    when, about = days.due(offset)
    closed = case.closed_on is not None and case.closed_on <= as_of
    is_open = not closed and not over and (done_on is None or step.every is not None)
    return Due(
        case=case,
        step=step,
        due=when,
        about=about,
        done_on=done_on,
        open=is_open,
        overdue=is_open and when < as_of,
        person={"teacher": case.teacher, "leader": case.leader}.get(step.by),
    )


def _done_on(case: Case, step: Step, as_of: date) -> date | None:
    """Return when `step` was done, up to `as_of`.

    One that brings a state counts as done by whatever brought the child that far: a guardian who
    was met at home need not be called.
    """
    done_on = _named(case, step)
    done_on += [
        move.entry.happened_on
        for move in case.moves
        if step.reaches is not None
        and move.state is not State.OPEN
        and level(move.state) >= level(step.reaches)
    ]
    return min((on for on in done_on if on <= as_of), default=None)


def _last_done_on(case: Case, step: Step, days: SchoolDays, as_of: date) -> date | None:
    """Return when `step`, which comes again and again, was last done, up to `as_of`.

    Any visit counts as a visit, whoever noted it: from the day on at which the first could be due
    the last time before.
    """
    begins = days.due(step.day - 1 - (step.every or 0))[0] if step.day > (step.every or 0) else None
    done_on = _named(case, step)
    for entry in case.story:
        told = told_by(entry.field, entry.value or "") if entry.field in DATES else None
        if told is not None and step.reaches is not None and level(told) >= level(step.reaches):
            done_on.append(entry.happened_on)
    return max((on for on in done_on if on <= as_of and (not begins or on > begins)), default=None)


def _named(case: Case, step: Step) -> list[date]:
    return [on for step_id, on in case.steps if step_id == step.id]
