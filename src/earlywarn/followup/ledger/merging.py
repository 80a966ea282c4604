"""A filled workbook into the ledger: what it answers once, what it does not as things to settle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from earlywarn.followup.answers import DATES, Answer, Place, Returned, Unread
from earlywarn.followup.ledger.chain import append, digest
from earlywarn.followup.ledger.schema import imports, unsettled
from earlywarn.followup.ledger.store import (
    NewCase,
    Stamp,
    add,
    cases_of,
    chunks,
    follow_among,
    known_keys,
    open_case,
)
from earlywarn.followup.ledger.views import Case, candidates

# What a dispute says in the table; `settling` names the places when it is shown.
_DISPUTE = ("同一问题有不同的回答，请选定一个。", "Different answers to one question; choose one.")


@dataclass(frozen=True, slots=True)
class Merged:
    """What a workbook brought: answers that are new or were known, and what is to be settled.

    `conflicts` counts new answers that differ from another to the same question, `unsettled` the
    cells that could not be read and are new, `opened` the cases that began with an answer. `again`:
    this very file had been read before.
    """

    new: int
    known: int
    conflicts: int
    unsettled: int
    opened: int
    again: bool


@dataclass(frozen=True, slots=True)
class Account:
    """Where everything that was typed in a workbook is now.

    `typed` = `entries` + `unsettled` + len(`missing`); a ledger that merged it misses nothing.
    """

    typed: int
    entries: int
    unsettled: int
    missing: tuple[Place, ...]


def answer_key(returned: Returned, answer: Answer) -> str:
    """What makes it the same answer, whatever copy of the workbook it stands in."""
    return digest(
        "answer", returned.as_of, returned.run, answer.student_id, answer.field, answer.value
    )


def unread_key(returned: Returned, unread: Unread) -> str:
    """What makes it the same unreadable cell: the question and the text, else the place."""
    place = unread.place
    where = (
        (unread.student_id, unread.field)
        if unread.student_id and unread.field
        else (returned.school_id, place.sheet, place.cell, unread.student_id, unread.field)
    )
    return digest("unread", returned.as_of, returned.run, place.typed, *where)


def conflict_key(as_of: date, run: str, student_id: str, field: str) -> str:
    """What makes it the same conflict: the question."""
    return digest("conflict", as_of, run, student_id, field)


def merge(con: Connection, returned: Returned, stamp: Stamp) -> Merged:
    """Merge a workbook; see `Ledger.merge`."""
    by_key = {answer_key(returned, a): a for a in returned.answers}
    known = known_keys(con, by_key)
    new: dict[str, dict[str, Answer]] = defaultdict(dict)  # by student, then key
    for key, answer in by_key.items():
        if key not in known:
            new[answer.student_id][key] = answer
    rows_of = _answers_by_student(returned)
    before = cases_of(con, new)
    homes: dict[str, int] = {}
    opened = 0
    for student, answers in new.items():
        home = home_of(before[student], returned.as_of, returned.run, rows_of[student])
        if home is None:
            first = NewCase(
                "watchlist", returned.school_id, returned.as_of, _list(returned), student
            )
            made = open_case(con, first, stamp)
            home, opened = made.case_id, opened + made.new
        rows = [_entry(returned, key, answer, stamp.on) for key, answer in answers.items()]
        add(con, home, rows, stamp)
        homes[student] = home
    disputes: list[Answer] = []
    for student, now in cases_of(con, homes).items():
        case = next(case for case in now if case.id == homes[student])
        asked = candidates(case.story)
        disputes += [
            answer
            for answer in new[student].values()
            if len(asked[(returned.as_of, returned.run, answer.field)]) > 1
        ]
        follow_among(con, case, now, stamp)
    counts = {"answers": len(returned.answers), "unread": len(returned.unread)}
    counts |= {"new": sum(map(len, new.values())), "conflicts": len(disputes)}
    again = not _note_import(con, returned, counts, stamp)
    _add_unsettled(con, [_dispute(returned, answer) for answer in disputes], stamp)
    unread = _add_unsettled(con, [_unread(returned, item) for item in returned.unread], stamp)
    return Merged(
        new=counts["new"],
        known=len(returned.answers) - counts["new"],
        conflicts=len(disputes),
        unsettled=unread,
        opened=opened,
        again=again,
    )


def account(con: Connection, returned: Returned) -> Account:
    """Find everything that was typed; see `Ledger.account`."""
    answers = [(answer_key(returned, a), a.place) for a in returned.answers]
    unread = [(unread_key(returned, u), u.place) for u in returned.unread]
    entered = known_keys(con, (key for key, _ in answers))
    listed = _known_unsettled(con, (key for key, _ in unread))
    missing = [place for key, place in answers if key not in entered]
    missing += [place for key, place in unread if key not in listed]
    return Account(
        typed=len(answers) + len(unread),
        entries=sum(key in entered for key, _ in answers),
        unsettled=sum(key in listed for key, _ in unread),
        missing=tuple(missing),
    )


def home_of(
    cases: Sequence[Case], as_of: date, run: str, answers: Iterable[tuple[str, str]] = ()
) -> int | None:
    """Return the case that a list's answers about a child belong to, None if to a new one.

    That which has answers to the same list already; else the newest that had begun by the last
    day that the row speaks of; else one that is still open. A case that had ended before the list
    was made has nothing to do with it.
    """
    for case in cases:
        if any((e.list_as_of, e.list_run) == (as_of, run) for e in case.story):
            return case.id
    days = [date.fromisoformat(value) for field, value in answers if field in DATES]
    until = max([as_of, *days])
    live = [case for case in cases if case.closed_on is None or case.closed_on >= as_of]
    begun = [case for case in live if case.opened_on <= until]
    if begun:
        return max(begun, key=lambda case: (case.opened_on, case.id)).id
    still = [case.id for case in live if case.closed_on is None]
    return still[-1] if still else None


def _answers_by_student(returned: Returned) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for answer in returned.answers:
        found[answer.student_id].append((answer.field, answer.value))
    return found


def _list(returned: Returned) -> str:
    return f"list {returned.as_of}/{returned.run}"


def _entry(returned: Returned, key: str, answer: Answer, on: date) -> dict[str, Any]:
    place = answer.place
    return {
        "kind": "answer",
        "field": answer.field,
        "value": answer.value,
        "happened_on": date.fromisoformat(answer.value) if answer.field in DATES else on,
        "list_as_of": returned.as_of,
        "list_run": returned.run,
        "typed": place.typed,
        "source": f"{place.file} [{place.sheet}!{place.cell}]",
        "entry_key": key,
    }


def _note_import(con: Connection, returned: Returned, counts: dict[str, int], stamp: Stamp) -> bool:
    """Note that a file was read; return False if it had been read before."""
    if con.execute(select(imports.c.id).where(imports.c.sha256 == returned.sha256)).first():
        return False
    row = {
        "sha256": returned.sha256,
        "file": returned.file,
        "school_id": returned.school_id,
        "as_of": returned.as_of,
        "run": returned.run,
        "version": returned.version,
        "at": stamp.at,
        "who": stamp.who,
    }
    append(con, imports, [row | counts])
    return True


def _thing(returned: Returned, place: Place, **values: Any) -> dict[str, Any]:
    return {
        "sha256": returned.sha256,
        "school_id": returned.school_id,
        "list_as_of": returned.as_of,
        "list_run": returned.run,
        "file": place.file,
        "sheet": place.sheet,
        "cell": place.cell,
        "typed": place.typed,
        **values,
    }


def _dispute(returned: Returned, answer: Answer) -> dict[str, Any]:
    key = conflict_key(returned.as_of, returned.run, answer.student_id, answer.field)
    return _thing(
        returned,
        answer.place,
        key=key,
        kind="conflict",
        student_id=answer.student_id,
        field=answer.field,
        zh=_DISPUTE[0],
        en=_DISPUTE[1],
    )


def _unread(returned: Returned, item: Unread) -> dict[str, Any]:
    return _thing(
        returned,
        item.place,
        key=unread_key(returned, item),
        kind="unread",
        student_id=item.student_id,
        field=item.field,
        zh=item.why.zh,
        en=item.why.en,
    )


def _known_unsettled(con: Connection, keys: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for some in chunks(keys):
        found.update(
            con.execute(select(unsettled.c.key).where(unsettled.c.key.in_(some))).scalars()
        )
    return found


def _add_unsettled(con: Connection, things: Sequence[dict[str, Any]], stamp: Stamp) -> int:
    by_key: dict[str, dict[str, Any]] = {}
    for thing in things:
        by_key.setdefault(thing["key"], thing | {"at": stamp.at})
    known = _known_unsettled(con, by_key)
    return len(append(con, unsettled, [t for key, t in by_key.items() if key not in known]))
