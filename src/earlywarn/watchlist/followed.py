"""The follow-up as the watchlists need it: read from the ledger once, for all schools.

    look_up(con, workspace, as_of, since)     None where the workspace has no ledger yet

Everything is as it stood on the as-of date: what happened later is not told.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

import duckdb

from earlywarn.errors import Text
from earlywarn.followup.casedays import case_days
from earlywarn.followup.daily.round import step_today
from earlywarn.followup.deadlines import Due, steps_of
from earlywarn.followup.escalation import Escalation
from earlywarn.followup.ledger import Case, Entry, Ledger
from earlywarn.followup.states import ENDS, State
from earlywarn.watchlist.rows import Followed, FollowUp, NextStep, Task
from earlywarn.watchlist.wording import chinese

if TYPE_CHECKING:
    from earlywarn.workspace import Workspace

RESOLVED = "resolved"  # why a list closes a case


def look_up(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, as_of: date, since: date
) -> FollowUp | None:
    """Return the follow-up as of a date; None where the workspace has no ledger yet.

    Parameters
    ----------
    con
        As `features.build.build` leaves it.
    since
        Cases that ended after this day are resolved since the last list.

    Raises
    ------
    EarlywarnError
        If the ledger cannot be read or is gone, or `escalation.yaml` is not well formed.
    """
    cases = known_cases(workspace, as_of)
    return None if cases is None else _follow_up(con, workspace, cases, as_of, since)


def known_cases(workspace: Workspace, as_of: date) -> list[Case] | None:
    """Return the cases that stood before a list of `as_of` was made; None without a ledger."""
    if not Ledger.is_begun(workspace):
        return None
    with Ledger.open(workspace) as ledger:
        return [case for case in ledger.cases() if _stood_before(case, as_of)]


def _stood_before(case: Case, as_of: date) -> bool:
    """Whether a case stood before the list was made: what the list itself opens is none of it."""
    if case.kind == "watchlist":
        return case.opened_on < as_of
    return case.opened_on <= as_of


def closed_by_list(entry: Entry, as_of: date) -> bool:
    """Whether an entry is what a list of `as_of` itself wrote: a child is on no list any more."""
    return entry.kind == "closed" and entry.value == RESOLVED and entry.happened_on == as_of


def _runs(case: Case, as_of: date) -> bool:
    """Whether a case ran when a list of `as_of` was made, before the list closed anything."""
    if case.closed_on is None or case.closed_on > as_of:
        return True
    return case.because == RESOLVED and case.closed_on == as_of


def _follow_up(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    cases: list[Case],
    as_of: date,
    since: date,
) -> FollowUp:
    escalation = Escalation.load(workspace)
    running = [case for case in cases if _runs(case, as_of)]
    ended = [
        case
        for case in cases
        if case.closed_on and since < case.closed_on <= as_of and not _runs(case, as_of)
    ]
    days = case_days(con, workspace.config, running, as_of)
    children: dict[str, Followed] = {}
    overdue: Counter[str] = Counter()
    for case in ended:
        if case.student_id is not None:
            children[case.student_id] = _followed(case, (), as_of)
    for case in running:
        steps = steps_of(case, escalation, days[case.id], as_of)
        overdue[case.school_id] += sum(step.overdue for step in steps)
        if case.student_id is not None:
            children[case.student_id] = _followed(case, steps, as_of)
    resolved = Counter(case.school_id for case in ended if _state(case, as_of) in ENDS)
    return FollowUp(since, children, dict(resolved), dict(overdue))


def _followed(case: Case, steps: tuple[Due, ...], as_of: date) -> Followed:
    due = step_today(steps, as_of)
    answered = case.answers.get("outcome")
    return Followed(
        state=_state(case, as_of),
        kind=case.kind,
        since=case.opened_on,
        leader=case.leader or "",
        teacher=case.teacher or "",
        contacted_on=_when(case, "contacted_on", State.CONTACTED, as_of),
        visited_on=_when(case, "visited_on", State.VISITED, as_of),
        outcome=answered.value if answered and answered.as_of <= as_of else None,
        tasks=tuple(_task(step) for step in steps),
        step=_next(due) if due else None,
        overdue=sum(step.overdue for step in steps),
    )


def _state(case: Case, as_of: date) -> State:
    reached = [move.state for move in case.moves if move.entry.happened_on <= as_of]
    return reached[-1] if reached else State.OPEN


def _when(case: Case, field: str, state: State, as_of: date) -> date | None:
    """Return when the child was last contacted or visited, as far as anybody noted it."""
    noted = [
        entry.happened_on
        for entry in case.story
        if entry.happened_on <= as_of
        and (entry.field == field or (entry.kind == "state" and entry.value == state))
    ]
    return max(noted, default=None)


def _task(due: Due) -> Task:
    title, what, who = _words(due)
    return Task(title, what, who, due.due, due.about, due.done_on, due.overdue)


def _next(due: Due) -> NextStep:
    title, what, who = _words(due)
    return NextStep(due.step.id, title, what, who, due.due, due.about)


def _words(due: Due) -> tuple[Text, Text, Text]:
    return chinese(due.step.title), chinese(due.step.what), chinese(due.step.who)
