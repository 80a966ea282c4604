"""`Ledger`: the follow-up of every child, append-only, in SQLite or PostgreSQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import URL, Engine, select

from earlywarn.errors import EarlywarnError, Text
from earlywarn.followup.answers import Returned
from earlywarn.followup.ledger import (
    checking,
    forgetting,
    inspections,
    merging,
    migrate,
    outcomes,
    settling,
    store,
)
from earlywarn.followup.ledger.chain import append
from earlywarn.followup.ledger.connect import (
    compact,
    ledger_url,
    make_engine,
    reading,
    writing,
)
from earlywarn.followup.ledger.schema import audit, cases
from earlywarn.followup.ledger.views import Case, CaseKind
from earlywarn.workspace import Workspace

_WAIT = 60.0  # seconds; a writer's turn takes milliseconds, a city's workbooks some seconds


@dataclass(frozen=True, slots=True)
class Audited:
    """One line of the audit log: who did what, in which role, to how many rows.

    `object` never names a child; `student_id` does, where one alone was looked at. `sha256` is of
    the file that was made.
    """

    at: datetime
    who: str
    role: str
    action: str
    object: str
    student_id: str | None
    rows: int | None
    sha256: str | None


class Ledger:
    """The ledger of one workspace. Open it with `Ledger.open`, close it, or use it in `with`.

    Each call is one transaction: kept as a whole, or not at all. `who` is the user who does it,
    `on` the day it happens (today where not given). What the database refuses (locked, read-only,
    full, gone, unreachable) is an `EarlywarnError` with the cure.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, workspace: Workspace, *, wait: float = _WAIT) -> Self:
        """Open the workspace's ledger, made or brought up to date if need be.

        `wait` is how many seconds another writer is waited for.

        Raises
        ------
        EarlywarnError
            If it cannot be reached, is no ledger, was made by a newer program, or was there once
            and is gone: a lost ledger is never replaced by an empty one in silence.
        """
        url = ledger_url(workspace)
        file, marker = _file_of(url)
        if file is not None and marker is not None:
            _refuse_lost(file, marker)
        ledger = cls(make_engine(url, wait))
        with reading(ledger.engine) as con:
            up_to_date = migrate.current(con)
        if not up_to_date:
            with writing(ledger.engine) as con:
                if not migrate.current(con):  # another program may have been first
                    migrate.upgrade(con)
        if marker is not None and not marker.exists():
            with suppress(OSError):
                marker.write_bytes(b"")
        return ledger

    @staticmethod
    def is_begun(workspace: Workspace) -> bool:
        """Whether there is a ledger, or was one that is lost; of a server's always so."""
        file, marker = _file_of(ledger_url(workspace))
        return file is None or marker is None or file.exists() or marker.exists()

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def open_cases(self, *new: store.NewCase, who: str) -> tuple[store.Opened, ...]:
        """Open cases, all or none; for each child say which case it has now.

        The same case (kind, child, day) is opened once. A child has one open case: an absence
        takes over from a settling-in case or one of the watchlist, with leader and teacher; a
        watchlist row opens none where another runs.
        """
        with writing(self.engine) as con:
            return tuple(store.open_case(con, one, _stamp(who, one.opened_on)) for one in new)

    def record(self, *new: store.NewEntry, who: str) -> int:
        """Enter what was done or became known, all or nothing; return how much was new.

        A return opens the settling-in case. Where a case runs again and another was opened since,
        one of the two goes on.

        Raises
        ------
        EarlywarnError
            If there is no such case, or it cannot come into that state.
        """
        by_case: dict[int, list[store.NewEntry]] = defaultdict(list)
        for entry in new:
            by_case[entry.case_id].append(entry)
        added = 0
        with writing(self.engine) as con:
            for case_id, some in by_case.items():
                stamp = _stamp(who, max(entry.happened_on for entry in some))
                added += store.enter(con, store.one_case(con, case_id), some, stamp)
                store.follow(con, case_id, stamp)
        return added

    def assign(
        self,
        case_id: int,
        *,
        who: str,
        leader: str | None = None,
        teacher: str | None = None,
        on: date | None = None,
    ) -> Case:
        """Name who is responsible for a child; what is not given stays. Returns the case."""
        stamp = _stamp(who, on)
        names = {"leader": leader, "teacher": teacher}
        new = [
            store.NewEntry(case_id, "assign", stamp.on, field, name)
            for field, name in names.items()
            if name is not None
        ]
        with writing(self.engine) as con:
            store.enter(con, store.one_case(con, case_id), new, stamp)
            return store.one_case(con, case_id)

    def merge(self, returned: Returned, *, who: str, on: date | None = None) -> merging.Merged:
        """Merge a filled workbook, once however often it or a copy of it is read.

        An answer is the same if list, student, field and value are; two values for one question
        are both kept, as a conflict to settle; an empty cell erases nothing. A child without a
        case gets one of the watchlist. What could not be read waits to be settled.
        """
        with writing(self.engine) as con:
            return merging.merge(con, returned, _stamp(who, on))

    def account(self, returned: Returned) -> merging.Account:
        """Show where everything typed in a workbook is: in the stories, or to be settled."""
        with reading(self.engine) as con:
            return merging.account(con, returned)

    def unsettled(
        self, *, school_id: str | None = None, settled: bool = False
    ) -> tuple[settling.Unsettled, ...]:
        """Return what a person has to settle, oldest first; with `settled` what was settled too."""
        with reading(self.engine) as con:
            return tuple(
                item
                for item in settling.read_unsettled(con)
                if school_id in (None, item.school_id) and (settled or item.open)
            )

    def settle(self, key: str, value: str | None, *, who: str, on: date | None = None) -> None:
        """Keep `value` (an ISO date, a code or a text) for a thing to settle; None: nothing of it.

        Raises
        ------
        EarlywarnError
            If there is no such thing, or the value cannot be one of its field.
        """
        with writing(self.engine) as con:
            settling.settle(con, key, value, _stamp(who, on))

    def cases(
        self,
        *,
        school_id: str | None = None,
        student_id: str | None = None,
        kinds: Sequence[CaseKind] = (),
        running: bool = False,
    ) -> tuple[Case, ...]:
        """Return the cases of a school, a student, some kinds, in order of their number.

        `running`: only those in which something is still due.
        """
        where = []
        if school_id is not None:
            where.append(cases.c.school_id == school_id)
        if student_id is not None:
            where.append(cases.c.student_id == student_id)
        if kinds:
            where.append(cases.c.kind.in_(kinds))
        with reading(self.engine) as con:
            found = store.read_cases(con, *where)
        return tuple(case for case in found if not running or case.closed_on is None)

    def case(self, case_id: int) -> Case:
        """Return one case; an `EarlywarnError` where there is none."""
        with reading(self.engine) as con:
            return store.one_case(con, case_id)

    def outcomes(self, known: Sequence[outcomes.Known] = ()) -> tuple[outcomes.Outcome, ...]:
        """Return what the ledger confirms, as rows of the table `outcomes`, in a fixed order.

        `known`: what files say of who was suspected, dropped out and returned.
        """
        with reading(self.engine) as con:
            found = store.read_cases(con, cases.c.student_id.is_not(None))
        return tuple(outcomes.confirmed(found, known))

    def record_inspection(self, new: inspections.NewInspection, *, who: str) -> bool:
        """Record an inspection of a school; return whether it was news.

        One of the same school, day and inspector in other words is a correction: the newest
        result, signature and note stand, and what was ordered adds up.
        """
        with writing(self.engine) as con:
            return inspections.enter_inspection(con, new, _stamp(who, new.on))

    def record_done(self, school_id: str, number: int, *, on: date, by: str, who: str) -> bool:
        """Record that `by` has done on a day what was ordered; return whether it was news.

        Raises
        ------
        EarlywarnError
            If the school has no order of that number, or it was given later.
        """
        with writing(self.engine) as con:
            return inspections.enter_done(con, school_id, number, on, by, _stamp(who, on))

    def inspections(self, school_id: str | None = None) -> tuple[inspections.Inspection, ...]:
        """Return the inspections of a school, or of all, in order of their day and number."""
        with reading(self.engine) as con:
            return inspections.read_inspections(con, school_id)

    def audit(
        self,
        action: str,
        thing: str,
        *,
        who: str,
        role: str,
        student_id: str | None = None,
        rows: int | None = None,
        sha256: str | None = None,
    ) -> None:
        """Write a line into the audit log; a child is named by `student_id`, never in `thing`."""
        line = {
            "at": datetime.now(UTC),
            "who": who,
            "role": role,
            "action": action,
            "object": thing,
            "student_id": student_id,
            "rows": rows,
            "sha256": sha256,
        }
        with writing(self.engine) as con:
            append(con, audit, [line])

    def audited(self) -> tuple[Audited, ...]:
        """Return the audit log, oldest first."""
        with reading(self.engine) as con:
            rows = con.execute(select(audit).order_by(audit.c.id)).mappings()
            names = tuple(Audited.__dataclass_fields__)
            return tuple(Audited(**{name: row[name] for name in names}) for row in rows)

    def forget(
        self, child: str, *, who: str, struck: Callable[[str], str] = str
    ) -> forgetting.Forgotten:
        """Delete everything about a child (by student_id, or the name of one on no registry).

        `struck` takes the child's words out of what was written of others. The audit log keeps
        that it was done, by whom and how much, and not of whom; where there is nothing, nothing.
        """
        with writing(self.engine) as con:
            return forgetting.forget(con, child, _stamp(who, None), struck)

    def held(self, child: str) -> forgetting.Forgotten:
        """Return how much the ledger holds about a child."""
        with reading(self.engine) as con:
            return forgetting.held(con, child)

    def people(self, *, besides: str = "") -> set[str]:
        """Return the names of children on no registry, responsible people and users."""
        with reading(self.engine) as con:
            return forgetting.people(con, besides)

    def cases_of_person(self, person: str) -> tuple[Case, ...]:
        """Return the cases of a child on no registry, by its name."""
        with reading(self.engine) as con:
            return tuple(store.read_cases(con, cases.c.person == person))

    def compact(self) -> None:
        """Give back what was deleted: no free page, journal or log of SQLite's keeps it."""
        compact(self.engine)

    def check(self) -> tuple[Text, ...]:
        """Return every sign that a row was changed or deleted, or refers to nothing."""
        with reading(self.engine) as con:
            return tuple(checking.check(con))


def _stamp(who: str, on: date | None) -> store.Stamp:
    now = datetime.now(UTC)
    return store.Stamp(who, now, on or now.astimezone().date())


def _file_of(url: URL) -> tuple[Path, Path] | tuple[None, None]:
    """Return an SQLite ledger's file, and the one beside it that says it was made."""
    if url.get_backend_name() != "sqlite":
        return None, None
    file = Path(str(url.database))
    return file, file.with_name(file.name + ".made")


def _refuse_lost(file: Path, marker: Path) -> None:
    if not file.parent.is_dir():
        raise EarlywarnError(
            zh=f"找不到台账所在的文件夹 {file.parent}。请检查磁盘或网络盘是否已连接。",
            en=f"The ledger's folder {file.parent} is not there. Check that its disk or network "
            "drive is connected.",
        )
    if marker.exists() and not (file.is_file() and file.stat().st_size):
        raise EarlywarnError(
            zh=f"跟进台账 {file} 不见了或是空的。请从备份恢复；确实要从空台账"
            f"重新开始，就删去 {marker.name}。",
            en=f"The follow-up ledger {file} is gone or empty. Restore a backup; "
            f"to begin with an empty one on purpose, delete {marker.name}.",
        )
