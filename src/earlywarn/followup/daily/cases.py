"""What a round tells the ledger: a case for each child that is away, and who came back.

    close_for(ledger, found, since, who=...)     the cases that a return ends
    open_for(ledger, found, who=...)             a case for each child that is away

Nothing is told twice: a case belongs to a child and its day 1, a return to its case and its day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from itertools import groupby

from earlywarn.followup.daily.absences import Absences, Return, Run
from earlywarn.followup.ledger import Case, Ledger, NewCase, NewEntry
from earlywarn.followup.states import State

Cases = dict[str, list[Case]]


def absence_cases(ledger: Ledger) -> Cases:
    """Return every absence case of a registered child, by student_id, oldest first."""
    found: Cases = defaultdict(list)
    for case in ledger.cases(kinds=("absence",)):
        found[str(case.student_id)].append(case)
    return found


def open_for(ledger: Ledger, found: Absences, *, who: str) -> tuple[dict[str, Case], int]:
    """Open a case for each child that is away; return each child's case, and how many are new.

    A child that is said to have come back and is away again gets a new case, from the first day
    after it. What the ledger knows of later days than the run's stands: that child gets no case.
    """
    known = absence_cases(ledger)
    new = []
    for run in found.runs:
        day_one = _day_one(run, known.get(run.student_id, []))
        if day_one is not None:
            new.append(_new_case(run, day_one, found.as_of))
    opened = ledger.open_cases(*new, who=who)
    by_id = {case.id: case for some in absence_cases(ledger).values() for case in some}
    cases = {str(one.student_id): by_id[at.case_id] for one, at in zip(new, opened, strict=True)}
    return cases, sum(at.new for at in opened)


def close_for(ledger: Ledger, found: Absences, since: date, *, who: str) -> tuple[int, int]:
    """Record who came back: each child with an open case, and whoever did after `since`.

    A child that was away and back between two rounds gets its case too, and it ends at once: what
    the ledger holds does not depend on how often rounds are made. Returns how many cases were
    opened for that, and how many returns were recorded.
    """
    known = absence_cases(ledger)
    ended: list[tuple[int, Return]] = []
    missed: list[Return] = []
    for student, returns in groupby(found.returns, key=lambda one: one.student_id):
        cases = known.get(student, [])
        running = next((case for case in cases if case.closed_on is None), None)
        for one in returns:
            if running is not None:
                if running.opened_on < one.back_on:
                    ended.append((running.id, one))
                    running = None
            elif one.back_on > since and not any(_is_about(case, one) for case in cases):
                missed.append(one)
    recorded = _record(ledger, ended, found.as_of, who)
    opened = 0
    while missed:  # a child has one open case, so of each child one after the other
        of_child = {one.student_id: one for one in reversed(missed)}
        missed = [one for one in missed if of_child[one.student_id] is not one]
        first = list(of_child.values())
        new = [_new_case(one, one.days[0], found.as_of) for one in first]
        cases_now = ledger.open_cases(*new, who=who)
        opened += sum(at.new for at in cases_now)
        pairs = [(at.case_id, one) for at, one in zip(cases_now, first, strict=True)]
        recorded += _record(ledger, pairs, found.as_of, who)
    return opened, recorded


def told_back(ledger: Ledger, found: Absences, since: date) -> tuple[Return, ...]:
    """Return who came back after `since`, or is known to have by a round of this day.

    Each child once, with its last return; a child that is away again is not back.
    """
    by_this = {
        student
        for student, some in absence_cases(ledger).items()
        for case in some
        for entry in case.story
        if entry.value == State.RETURNED and entry.source == _source(found.as_of)
    }
    away = {run.student_id for run in found.runs}
    last = {one.student_id: one for one in found.returns if one.student_id not in away}
    return tuple(one for student, one in last.items() if one.back_on > since or student in by_this)


def _is_about(case: Case, one: Return) -> bool:
    """Whether a case that has ended is about the absence that `one` ended."""
    began, ended = case.opened_on < one.back_on, case.closed_on
    return began and ended is not None and ended > one.days[0]


def _record(ledger: Ledger, ended: Iterable[tuple[int, Return]], as_of: date, who: str) -> int:
    entries = [
        NewEntry(case_id, "state", one.back_on, value=State.RETURNED, source=_source(as_of))
        for case_id, one in ended
    ]
    return ledger.record(*entries, who=who)


def _day_one(run: Run, cases: Iterable[Case]) -> date | None:
    """Return the day 1 of the case that the run needs; None if the ledger knows how it ended."""
    closed = [case.closed_on for case in cases if case.closed_on is not None]
    # A return ends the absence on the first day there, so that day is no day of the run.
    left = [day for day in run.days if all(day > on for on in closed)]
    return left[0] if left else None


def _new_case(child: Run | Return, day_one: date, as_of: date) -> NewCase:
    return NewCase(
        "absence",
        child.school_id,
        day_one,
        origin=_source(as_of),
        student_id=child.student_id,
    )


def _source(as_of: date) -> str:
    return f"daily {as_of.isoformat()}"
