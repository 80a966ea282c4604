"""The whole story of one child: registry, guardians, scores, and every line of its cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from earlywarn.engine.duckdb import connect
from earlywarn.errors import EarlywarnError
from earlywarn.followup.ledger import Case, Ledger
from earlywarn.scoring.history import newest_runs
from earlywarn.workspace import Workspace

_SNAPSHOTS = """
SELECT snapshot_date, school_id, grade, class_id, name, guardian, homeroom_teacher
FROM students WHERE student_id = ? ORDER BY snapshot_date
"""

_SHORTEST_NUMBER = 10  # digits alone, and fewer: a case's number if it is no child's


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the registry said of the child from `date` on; empty where it said nothing."""

    date: date
    school_id: str
    grade: int | None
    class_id: str | None
    name: str | None
    guardian: str | None
    homeroom_teacher: str | None


@dataclass(frozen=True, slots=True)
class Scoring:
    """How the child stood in the newest run of one day."""

    as_of: date
    tier: str
    rank: int
    score: float
    listed: bool
    rules_hit: tuple[str, ...]
    model: str


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that the workspace and its ledger know of a child's way, oldest first.

    `guardians` are (date, guardian): the first known one and each other that came after it. A child
    on no registry has no `student_id`.
    """

    student_id: str
    snapshots: tuple[Snapshot, ...]
    guardians: tuple[tuple[date, str], ...]
    scorings: tuple[Scoring, ...]
    cases: tuple[Case, ...]


def story(workspace: Workspace, ledger: Ledger, student_id: str) -> Story:
    """Tell the story of one child.

    Raises
    ------
    EarlywarnError
        If neither the registry nor the ledger knows the number.
    """
    con = connect(workspace)
    try:
        snapshots = tuple(
            Snapshot(*row) for row in con.execute(_SNAPSHOTS, [student_id]).fetchall()
        )
    finally:
        con.close()
    cases = ledger.cases(student_id=student_id)
    if not snapshots and not cases:
        raise EarlywarnError(
            zh=f"学籍和台账里都没有 {student_id}。请核对学籍号。",
            en=f"Neither the registry nor the ledger knows {student_id}. Check the number.",
        )
    return Story(
        student_id, snapshots, _guardians(snapshots), _scorings(workspace, student_id), cases
    )


def story_of(workspace: Workspace, ledger: Ledger, child: str) -> Story:
    """Tell the story of a child by its number, or by the number of one of its cases.

    Raises
    ------
    EarlywarnError
        If neither the registry nor the ledger knows the number.
    """
    try:
        return story(workspace, ledger, child)
    except EarlywarnError:
        if not (child.isascii() and child.isdigit() and len(child) < _SHORTEST_NUMBER):
            raise
    case = ledger.case(int(child))
    return story(workspace, ledger, case.student_id) if case.student_id else of_unregistered(case)


def of_unregistered(case: Case) -> Story:
    """Tell the story of a child on no registry: its case is all there is."""
    return Story("", (), (), (), (case,))


def _guardians(snapshots: tuple[Snapshot, ...]) -> tuple[tuple[date, str], ...]:
    found: list[tuple[date, str]] = []
    for snapshot in snapshots:
        if snapshot.guardian and (not found or found[-1][1] != snapshot.guardian):
            found.append((snapshot.date, snapshot.guardian))
    return tuple(found)


def _scorings(workspace: Workspace, student_id: str) -> tuple[Scoring, ...]:
    found = []
    for run in newest_runs(workspace):
        columns = ["tier", "rank", "score", "listed", "rules_hit", "model"]
        rows: list[dict[str, Any]] = run.scores(columns, ("student_id", student_id)).to_pylist()
        found += [
            Scoring(run.as_of, **row | {"rules_hit": tuple(row["rules_hit"] or ())}) for row in rows
        ]
    return tuple(found)
