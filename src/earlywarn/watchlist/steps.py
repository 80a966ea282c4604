"""What is to be done for a listed child: the next step, and all steps of its one-page sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from earlywarn.errors import Text
from earlywarn.followup.duedates import SchoolDays
from earlywarn.followup.escalation import Step
from earlywarn.rules.schema import ActionCause
from earlywarn.watchlist.rows import Followed, NextStep, Reason, Task
from earlywarn.watchlist.wording import chinese

if TYPE_CHECKING:
    from earlywarn.rules.pack import Action

# What is due where no shown reason names an action.
TALK_WITHIN = 5
TALK_TITLE = Text("谈一次话", "Talk with the child")
TALK_WHAT = Text(
    "单独和孩子谈一次，再给家长打一个电话，了解到校和学习上有什么难处",
    "Talk with the child alone, then call the guardian: what is hard about coming and learning?",
)
TALK_WHO = Text("班主任", "homeroom teacher")


def next_step(
    reasons: tuple[Reason, ...], actions: Mapping[str, Action], days: SchoolDays
) -> NextStep:
    """Return what is to be done: the action of the strongest shown reason that has one.

    Where none has, a talk with the child.
    """
    for reason in reasons:
        action = actions.get(reason.action) if reason.action else None
        if action is not None:
            due, about = days.due(action.within_school_days)
            words = [chinese(text) for text in (action.title, action.what, action.who)]
            return NextStep(action.id, words[0], words[1], words[2], due, about)
    due, about = days.due(TALK_WITHIN)
    return NextStep("talk", TALK_TITLE, TALK_WHAT, TALK_WHO, due, about)


def step_of_case(step: NextStep, case: Followed | None, actions: Mapping[str, Action]) -> NextStep:
    """Return `step`, or what the child's case asks for where that goes before it.

    An absence has steps of its own. A child that settles in is back, so nobody is sent to fetch it:
    the weekly check takes the place of such an action.
    """
    if case is None or case.step is None:
        return step
    if case.kind == "absence":
        return case.step
    action = actions.get(step.action)
    fetches = action is not None and action.cause is ActionCause.PERSUADING_BACK
    return case.step if case.kind == "settling_in" and fetches else step


def tasks_of(
    case: Followed | None,
    step: NextStep,
    first: Sequence[Step],
    days: SchoolDays,
) -> tuple[Task, ...]:
    """Return what an urgent child's sheet asks for, in order of the dates.

    An absence case has its own steps. Else it is the next step of the list, and beside it the first
    contact: as its case has it, or as a case that is opened today would.
    """
    if case is not None and case.kind == "absence" and case.tasks:
        return case.tasks
    tasks = [Task(step.title, step.what, step.who, step.due, step.about, None, overdue=False)]
    if case is not None and case.tasks:
        tasks += case.tasks
    else:
        for one in first:
            due, about = days.due(one.day - 1)
            title, what, who = chinese(one.title), chinese(one.what), chinese(one.who)
            tasks.append(Task(title, what, who, due, about, None, overdue=False))
    return tuple(sorted(tasks, key=lambda task: task.due))
