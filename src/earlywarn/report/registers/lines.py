"""When a child's line in a register is opened, closed and opened again. Pure functions.

The table `outcomes` says who left and who came back: what cases confirm stands in it too. Only a
placement (home teaching, a special or vocational school) is known to the cases alone. A line is
open if the last event that concerns it is a leaving.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

PLACED, UNPLACED = "placed", "unplaced"
# What closes a line. Who is on leave is on the roll again; who dropped out stays out until it is
# back, placed or gone elsewhere.
DROPOUT_ENDS = frozenset({"returned", PLACED, "transferred", "graduated", "abroad", "deceased"})
SUSPICION_ENDS = DROPOUT_ENDS | {"dropped_out", "long_leave"}
# Events of one day: first how the child was lost, last that it is back.
_ORDER = {"suspected": 0, "dropped_out": 1, UNPLACED: 2, PLACED: 4, "returned": 5}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing known of a child on a day: an event of `outcomes`, PLACED or UNPLACED.

    `said` is the cause of a leaving, or the answer that told of a placement.
    """

    on: date
    what: str
    said: str | None = None


@dataclass(frozen=True, slots=True)
class Episode:
    """From a leaving until what closed the line; `closed_on` and `because` None while open."""

    opened_on: date
    cause: str | None
    closed_on: date | None = None
    because: str | None = None

    def days(self, as_of: date) -> int:
        """How many days the child was out, counted to the day before it was back, or to `as_of`."""
        end = self.closed_on if self.closed_on is not None else as_of + timedelta(1)
        return (end - self.opened_on).days


Line = tuple[Episode, ...]


def in_order(events: Iterable[Event]) -> list[Event]:
    """Return `events` in the order in which they count."""
    return sorted(events, key=lambda e: (e.on, _ORDER.get(e.what, 3), e.what))


def lines(events: Iterable[Event]) -> tuple[Line, Line]:
    """Return a child's line among the suspected dropouts and its line among the dropouts.

    Who has dropped out is not suspected as well. A placement that fell through opens the line again
    that it had closed.
    """
    suspected: list[Episode] = []
    out: list[Episode] = []
    for event in in_order(events):
        if event.what == "suspected":
            if not is_open(out):
                _leave(suspected, event)
        elif event.what == "dropped_out":
            _close(suspected, event, SUSPICION_ENDS)
            _leave(out, event)
        elif event.what == UNPLACED:
            fell = next((line for line in (out, suspected) if _is_placed(line)), None)
            if fell is not None:
                _leave(fell, replace(event, said=fell[-1].cause))
        else:
            _close(suspected, event, SUSPICION_ENDS)
            _close(out, event, DROPOUT_ENDS)
    return tuple(suspected), tuple(out)


def is_open(line: Iterable[Episode]) -> bool:
    """Return whether the line is open."""
    *_, last = (None, *line)
    return last is not None and last.closed_on is None


def _leave(line: list[Episode], event: Event) -> None:
    if is_open(line):
        line[-1] = replace(line[-1], cause=event.said or line[-1].cause)
    else:
        line.append(Episode(event.on, event.said))


def _close(line: list[Episode], event: Event, ends: frozenset[str]) -> None:
    if is_open(line) and event.what in ends:
        line[-1] = replace(line[-1], closed_on=event.on, because=event.what)


def _is_placed(line: list[Episode]) -> bool:
    return bool(line) and line[-1].because == PLACED
