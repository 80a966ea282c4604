"""Reading cases, opening them and adding to their stories, on an open connection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, select

from earlywarn.errors import EarlywarnError
from earlywarn.followup.ledger.chain import append, birth, case_chain, digest
from earlywarn.followup.ledger.schema import cases, entries
from earlywarn.followup.ledger.views import Case, CaseKind, Entry, EntryKind, case_of, entry_of
from earlywarn.followup.states import STATE_LABELS, State, allowed
from earlywarn.words import Tier

# How many values one statement may name; SQLite's own limit is far above.
_CHUNK = 500
# A child has one open case: one of a higher rank takes over, one of a lower is not opened.
_RANK: dict[CaseKind, int] = {"watchlist": 0, "settling_in": 1, "unregistered": 1, "absence": 2}


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case to open: of a registered child by `student_id`, of another by its name, `person`.

    `opened_on` is its day 1: the first day of absence, the list's day, the day of the return.
    `origin` says what it came from, such as `daily 2026-11-20`; `tier` is that of a watchlist row.
    """

    kind: CaseKind
    school_id: str
    opened_on: date
    origin: str
    student_id: str | None = None
    person: str | None = None
    tier: Tier | None = None

    @property
    def key(self) -> str:
        """What makes it the same case: kind, child and day; a name does not show in it."""
        child = (self.student_id,) if self.student_id else (self.school_id, self.person)
        return digest("case", self.kind, self.opened_on, *child)


@dataclass(frozen=True, slots=True)
class NewEntry:
    """Something to enter in a case's story; the same thing is entered once.

    kind: `step` (field: the step's id), `state` (value: the state), `note` (value: the text),
    `closed` (value: why), `assign` (field: leader or teacher, value: the name).
    """

    case_id: int
    kind: EntryKind
    happened_on: date
    field: str | None = None
    value: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """The case that a child has now, and whether it was opened just now."""

    case_id: int
    new: bool


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who writes, at what moment, and what day it is there."""

    who: str
    at: datetime
    on: date


def chunks(values: Iterable[str]) -> Iterable[list[str]]:
    """Yield the different `values` in lists that one statement can name."""
    found = sorted(set(values))
    for start in range(0, len(found), _CHUNK):
        yield found[start : start + _CHUNK]


def read_cases(con: Connection, *where: ColumnElement[bool]) -> list[Case]:
    """Return the cases that satisfy `where` (columns of `cases`), in order of their number."""
    rows = con.execute(select(cases).where(*where).order_by(cases.c.id)).mappings().all()
    if not rows:
        return []
    told: dict[int, list[Entry]] = defaultdict(list)
    query = select(entries).where(entries.c.case_id.in_(select(cases.c.id).where(*where)))
    for row in con.execute(query).mappings():
        told[row["case_id"]].append(entry_of(row))
    return [case_of(row, told[row["id"]]) for row in rows]


def cases_of(con: Connection, students: Iterable[str]) -> dict[str, list[Case]]:
    """Return the cases of these registered children, in order of their number."""
    found: dict[str, list[Case]] = defaultdict(list)
    for some in chunks(students):
        for case in read_cases(con, cases.c.student_id.in_(some)):
            found[str(case.student_id)].append(case)
    return found


def one_case(con: Connection, case_id: int) -> Case:
    """Return a case by its number; an error where there is none."""
    found = read_cases(con, cases.c.id == case_id)
    if not found:
        raise EarlywarnError(
            zh=f"台账里没有编号为 {case_id} 的个案。请用 earlywarn followup due 查看编号。",
            en=f"The ledger has no case {case_id}. See the numbers with `earlywarn followup due`.",
        )
    return found[0]


def open_case(con: Connection, new: NewCase, stamp: Stamp) -> Opened:
    """Open a case, unless the child has it, or an open one that goes before it.

    It takes over from the child's open case of a lower rank, and with it who is responsible.
    """
    known = con.execute(select(cases.c.id).where(cases.c.case_key == new.key)).scalar()
    if known is not None:
        return Opened(known, new=False)
    before = read_cases(con, _of_child(new))
    running = [case for case in before if case.closed_on is None]
    for case in running:
        if _RANK[case.kind] >= _RANK[new.kind]:
            return Opened(case.id, new=False)
    row = {
        "case_key": new.key,
        "kind": new.kind,
        "student_id": new.student_id,
        "person": None if new.student_id else new.person,
        "school_id": new.school_id,
        "tier": new.tier.value if new.tier else None,
        "opened_on": new.opened_on,
        "opened_at": stamp.at,
        "opened_by": stamp.who,
        "origin": new.origin,
    }
    case_id = int(append(con, cases, [row])[0]["id"])
    for case in running:
        by = f"case {case_id}"
        taken = NewEntry(case.id, "closed", new.opened_on, value="taken_over", source=by)
        enter(con, case, [taken], stamp)
    if before:
        names = {"leader": before[-1].leader, "teacher": before[-1].teacher}
        carried = [
            NewEntry(case_id, "assign", new.opened_on, field, name, f"case {before[-1].id}")
            for field, name in names.items()
            if name
        ]
        enter(con, one_case(con, case_id), carried, stamp)
    return Opened(case_id, new=True)


def enter(con: Connection, case: Case, new: Sequence[NewEntry], stamp: Stamp) -> int:
    """Add `new` to the story of `case`; return how many were not there yet."""
    rows: dict[str, dict[str, Any]] = {}
    for entry in new:
        _check(case, entry)
        if _says_nothing(case, entry):
            continue
        key = digest("entry", case.id, entry.kind, entry.field, entry.value, *_turn(case, entry))
        rows[key] = {
            "kind": entry.kind,
            "field": entry.field,
            "value": entry.value,
            "happened_on": entry.happened_on,
            "source": entry.source,
            "entry_key": key,
        }
    known = known_keys(con, rows)
    return add(con, case.id, [row for key, row in rows.items() if key not in known], stamp)


def _from(case: Case) -> str:
    return f"case {case.id}"


def _says_nothing(case: Case, entry: NewEntry) -> bool:
    """Return whether `entry` would only repeat how things are."""
    if entry.kind == "assign":
        return entry.value == (case.leader if entry.field == "leader" else case.teacher)
    if entry.kind == "closed":
        return case.closed_on is not None
    reopens = case.closed_on is not None or case.state is State.DROPPED_OUT
    return entry.kind == "state" and entry.value == State.OPEN and not reopens


def _turn(case: Case, entry: NewEntry) -> tuple[Any, ...]:
    """Return what else tells an entry from one with the same content.

    A name may be assigned again after another's, and a case be closed and opened again in a day;
    anything else said twice of one day is the same thing.
    """
    if entry.kind == "assign":
        return (sum(e.kind == "assign" for e in case.story),)
    turns = sum(e.kind == "closed" or e.value == State.OPEN for e in case.story)
    return (entry.happened_on, turns if entry.kind in ("closed", "state") else 0)


def add(con: Connection, case_id: int, rows: Sequence[dict[str, Any]], stamp: Stamp) -> int:
    """Append rows of `entries`, known to be new, to a case's chain; return how many."""
    if rows:
        case = con.execute(select(cases).where(cases.c.id == case_id)).mappings().one()
        common = {"case_id": case_id, "at": stamp.at, "who": stamp.who}
        append(
            con,
            entries,
            [row | common for row in rows],
            chain=case_chain(case_id),
            first=birth(case),
        )
    return len(rows)


def known_keys(con: Connection, keys: Iterable[str]) -> set[str]:
    """Return those of `keys` that are in `entries`."""
    found: set[str] = set()
    for some in chunks(keys):
        query = select(entries.c.entry_key).where(entries.c.entry_key.in_(some))
        found.update(con.execute(query).scalars())
    return found


def follow(con: Connection, case_id: int, stamp: Stamp) -> None:
    """See to what follows from an entry in a case.

    The child has one open case; one who returned has a settling-in case, and one whose return fell
    has none.
    """
    case = one_case(con, case_id)
    follow_among(con, case, read_cases(con, _of_child(case)), stamp)


def follow_among(con: Connection, case: Case, others: Iterable[Case], stamp: Stamp) -> None:
    """Do as `follow` does; `others` are the child's cases."""
    others = list(others)
    _let_one_run(con, case, others, stamp)
    if case.kind == "settling_in":
        return
    origin = _from(case)
    begun = [c for c in others if c.kind == "settling_in" and c.origin == origin]
    latest = begun[-1] if begun else None
    if case.state is not State.RETURNED or case.closed_on is None:
        if latest is not None and latest.closed_on is None:
            withdrawn = NewEntry(latest.id, "closed", stamp.on, value="withdrawn", source=origin)
            enter(con, latest, [withdrawn], stamp)
        return
    back = case.closed_on
    if latest is not None and latest.opened_on >= back:
        if latest.because == "withdrawn":
            again = NewEntry(latest.id, "state", stamp.on, value=State.OPEN, source=origin)
            enter(con, latest, [again], stamp)
        return
    new = NewCase("settling_in", case.school_id, back, origin, case.student_id, case.person)
    open_case(con, new, stamp)


def _let_one_run(con: Connection, case: Case, others: Iterable[Case], stamp: Stamp) -> None:
    """Where a case that had ended runs again, and another was opened since, end one of the two.

    That of the lower rank; of two of one rank the other one.
    """
    if case.closed_on is not None:
        return
    for other in others:
        follows = other.kind == "settling_in" and other.origin == _from(case)
        if other.id == case.id or other.closed_on is not None or follows:
            continue
        keeps, ends = (case, other) if _RANK[case.kind] >= _RANK[other.kind] else (other, case)
        taken = NewEntry(ends.id, "closed", stamp.on, value="taken_over", source=_from(keeps))
        enter(con, ends, [taken], stamp)


def _of_child(case: Case | NewCase) -> ColumnElement[bool]:
    """Return what holds for the cases of a case's child."""
    if case.student_id:
        return cases.c.student_id == case.student_id
    return and_(cases.c.person == case.person, cases.c.school_id == case.school_id)


def _check(case: Case, entry: NewEntry) -> None:
    if entry.kind == "assign" and entry.field not in ("leader", "teacher"):
        raise ValueError(entry.field)
    if entry.kind != "state":
        return
    to = State(str(entry.value))
    if not allowed(case.state, to):
        now, then = STATE_LABELS[case.state], STATE_LABELS[to]
        raise EarlywarnError(
            zh=f"个案 {case.id} 是“{now.zh}”，不能直接改为“{then.zh}”。请先重新立案（open）。",
            en=f"Case {case.id} is `{now.en}` and cannot become `{then.en}` at once. Open it again "
            "first (`open`).",
        )
