"""What the ledger holds, as people think of it: cases with their story, answers and state.

Everything here is worked out from the append-only rows, by pure functions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from earlywarn.followup.answers import DATES
from earlywarn.followup.ledger.schema import Row
from earlywarn.followup.states import State, after, told_by
from earlywarn.words import Tier

CaseKind = Literal["absence", "watchlist", "settling_in", "unregistered"]
EntryKind = Literal["answer", "settled", "step", "state", "assign", "note", "closed"]
# Why a case is closed without an end of its own.
Because = Literal["taken_over", "settled_in", "resolved", "withdrawn"]

# One question that a list asks: (as_of, run, field).
Question = tuple[date, str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a case's story, as it was appended.

    `happened_on` is the day that it speaks of: the date typed in an answer that is one, else the
    day on which it became known. `typed` is an answer as it stood in the cell, `source` its place.
    """

    seq: int
    at: datetime
    who: str
    happened_on: date
    kind: EntryKind
    field: str | None
    value: str | None
    list_as_of: date | None
    list_run: str | None
    typed: str | None
    source: str

    @property
    def question(self) -> Question | None:
        """The question that this answers, None if it is no answer."""
        if self.list_as_of is None or self.list_run is None or self.field is None:
            return None
        return (self.list_as_of, self.list_run, self.field)

    @property
    def effective(self) -> date:
        """From when it counts: an answer that is no date speaks of its list's day."""
        if self.list_as_of is None or self.field in DATES:
            return self.happened_on
        return self.list_as_of


@dataclass(frozen=True, slots=True)
class Answered:
    """What stands for one field: of the latest list that was answered.

    While `disputed`, two answers to one question wait to be settled, and one of them stands for the
    time being: what was settled before, else the first in order of value.
    """

    value: str
    as_of: date
    run: str
    disputed: bool


@dataclass(frozen=True, slots=True)
class Move:
    """One change of state, and the entry that made it."""

    entry: Entry
    before: State
    state: State


@dataclass(frozen=True, slots=True)
class Case:
    """One case: how it began, all that was entered in order, and what follows from it.

    `closed_on` is None while something is due; `because` says why a case without an end of its own
    is closed. A child on no registry has a name, `person`, and no `student_id`.
    """

    id: int
    kind: CaseKind
    student_id: str | None
    person: str | None
    school_id: str
    tier: Tier | None
    opened_on: date
    opened_at: datetime
    opened_by: str
    origin: str
    story: tuple[Entry, ...]
    moves: tuple[Move, ...]
    state: State
    closed_on: date | None
    because: Because | None
    answers: Mapping[str, Answered]
    leader: str | None
    teacher: str | None

    @property
    def steps(self) -> tuple[tuple[str, date], ...]:
        """The steps done by name: (step id, day), in order of the day."""
        done = [(e.field or "", e.happened_on) for e in self.story if e.kind == "step"]
        return tuple(sorted(done, key=lambda step: (step[1], step[0])))


def entry_of(row: Row) -> Entry:
    """Return a row of `entries` as an `Entry`."""
    return Entry(**{name: row[name] for name in Entry.__dataclass_fields__})


def case_of(row: Row, story: Iterable[Entry]) -> Case:
    """Return a case out of its row and its entries."""
    told = tuple(sorted(story, key=lambda entry: entry.seq))
    standing = candidates(told)
    moves = _moves(row["kind"], told, standing)
    state = moves[-1].state if moves else State.OPEN
    closed_on, because = _closing(told, moves, state)
    assigned = {e.field: e.value for e in told if e.kind == "assign"}
    return Case(
        id=row["id"],
        kind=row["kind"],
        student_id=row["student_id"],
        person=row["person"],
        school_id=row["school_id"],
        tier=Tier(row["tier"]) if row["tier"] else None,
        opened_on=row["opened_on"],
        opened_at=row["opened_at"],
        opened_by=row["opened_by"],
        origin=row["origin"],
        story=told,
        moves=moves,
        state=state,
        closed_on=closed_on,
        because=because,
        answers=_latest(standing),
        leader=assigned.get("leader"),
        teacher=assigned.get("teacher"),
    )


def candidates(story: Iterable[Entry]) -> dict[Question, list[Entry]]:
    """Return what may stand for each question: one entry a value.

    A settlement takes the place of all before it; a different answer that comes after it opens the
    question again.
    """
    found: dict[Question, dict[str, Entry]] = defaultdict(dict)
    for entry in story:
        if entry.question is None or entry.value is None:
            continue
        if entry.kind == "settled":
            found[entry.question] = {entry.value: entry}
        else:
            found[entry.question].setdefault(entry.value, entry)
    return {
        question: sorted(values.values(), key=lambda e: (e.kind != "settled", e.value))
        for question, values in found.items()
    }


def run_order(run: str) -> tuple[int, str]:
    """Return what runs of one day are sorted by: their number."""
    return (int(run) if run.isascii() and run.isdigit() else 0, run)


def _latest(standing: Mapping[Question, list[Entry]]) -> dict[str, Answered]:
    found = {}
    for (as_of, run, field), entries in sorted(
        standing.items(), key=lambda item: (item[0][0], run_order(item[0][1]))
    ):
        value = entries[0].value or ""
        found[field] = Answered(value, as_of, run, disputed=len(entries) > 1)
    return found


def _told(
    kind: str, story: tuple[Entry, ...], standing: Mapping[Question, list[Entry]]
) -> list[tuple[Entry, State]]:
    """Return the entries that tell a state, in the order in which they count.

    Of a question in dispute only what all of its answers tell.
    """
    found = [(e, State(e.value)) for e in story if e.kind == "state" and e.value]
    for (_, _, field), entries in standing.items():
        states = {told_by(field, e.value or "") for e in entries}
        state = states.pop() if len(states) == 1 else None
        # A child that settles in is back already: to hear it again ends nothing.
        if state is not None and not (kind == "settling_in" and state is State.RETURNED):
            found.append((entries[0], state))
    return sorted(found, key=lambda told: (told[0].effective, told[0].seq))


def _moves(
    kind: str, story: tuple[Entry, ...], standing: Mapping[Question, list[Entry]]
) -> tuple[Move, ...]:
    moves, state = [], State.OPEN
    for entry, to in _told(kind, story, standing):
        if (new := after(state, to)) != state:
            moves.append(Move(entry, state, new))
            state = new
    return tuple(moves)


def _closing(
    story: tuple[Entry, ...], moves: tuple[Move, ...], state: State
) -> tuple[date | None, Because | None]:
    if state.ended:
        return moves[-1].entry.happened_on, None
    closed: Entry | None = None
    for entry in story:
        if entry.kind == "closed":
            closed = entry
        elif entry.kind == "state" and entry.value == State.OPEN:
            closed = None
    if closed is None:
        return None, None
    return closed.happened_on, closed.value  # type: ignore[return-value]
