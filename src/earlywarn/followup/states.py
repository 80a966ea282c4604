"""The states of a case, and which moves between them there are. Pure functions.

    open -> contacted -> visited -> reported -> returned | placed | transferred | dropped_out

A case may skip a step (a visit without a call before it). It ends as returned, placed or
transferred; a child that has dropped out is still followed up. A move to a step that lies behind
(a call noted after the visit) is kept in the story and lowers nothing; `open` puts a case that has
ended, or a child that had dropped out, back to the start.
"""

from __future__ import annotations

from enum import StrEnum

from earlywarn.errors import Text


class State(StrEnum):
    """How far the follow-up of a child has come."""

    OPEN = "open"
    CONTACTED = "contacted"
    VISITED = "visited"
    REPORTED = "reported"
    RETURNED = "returned"
    PLACED = "placed"
    TRANSFERRED = "transferred"
    DROPPED_OUT = "dropped_out"

    @property
    def ended(self) -> bool:
        """Whether nothing more is due for the child in this case."""
        return self in ENDS


_STEPS = (State.OPEN, State.CONTACTED, State.VISITED, State.REPORTED)
ENDS = frozenset({State.RETURNED, State.PLACED, State.TRANSFERRED})

STATE_LABELS: dict[State, Text] = {
    State.OPEN: Text("待联系", "open"),
    State.CONTACTED: Text("已联系", "contacted"),
    State.VISITED: Text("已家访", "visited"),
    State.REPORTED: Text("已上报", "reported"),
    State.RETURNED: Text("已返校", "returned"),
    State.PLACED: Text("已安置", "placed"),
    State.TRANSFERRED: Text("已转学", "transferred"),
    State.DROPPED_OUT: Text("辍学", "dropped out"),
}

_BY_OUTCOME = {
    "came_back": State.RETURNED,
    "home_teaching": State.PLACED,
    "placed": State.PLACED,
    "transferred": State.TRANSFERRED,
    "referred": State.REPORTED,
}


def level(state: State) -> int:
    """Return how far `state` is: 0 open to 3 reported, 4 for what comes after."""
    return _STEPS.index(state) if state in _STEPS else len(_STEPS)


def allowed(current: State, to: State) -> bool:
    """Return whether a case may be told that it is `to`; see `after` for what it then is."""
    if current in _STEPS:
        return True
    if current is State.DROPPED_OUT:
        return True
    return to is not State.DROPPED_OUT  # an ended case is opened again first


def after(current: State, to: State) -> State:
    """Return the state of a case in `current` that is told `to`.

    Steps only go up; an ended case and a dropped-out child leave their state for another end or
    for `open`. What is not allowed changes nothing.
    """
    if not allowed(current, to):
        return current
    if current in _STEPS:
        return to if level(to) > level(current) else current
    return to if to is State.OPEN or to not in _STEPS else current


def told_by(field: str, value: str) -> State | None:
    """Return the state that an answer of a school tells, None if it tells none."""
    if field == "contacted_on":
        return State.CONTACTED
    if field == "visited_on":
        return State.VISITED
    return _BY_OUTCOME.get(value) if field == "outcome" else None
