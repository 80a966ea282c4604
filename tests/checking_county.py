"""A county for the tests of `check` in which nothing is wrong, and ways to make it so.

Two schools, S1 and S2, with a class 7.1 of six children each: A0-A5 and B0-B5. 40 school days are
handed in, every child has been away once and sat one paper, no field of its record is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from daily_village import day, village, workspace_of
from earlywarn.checking import Finding, State, look
from earlywarn.workspace import Workspace

DAYS = 40
TODAY = day(DAYS - 1)
CHILDREN = [f"{school}{number}" for school in "AB" for number in range(6)]
RECORD = {
    "sex": "F",
    "birth_date": date(2013, 1, 15),
    "enrolled_on": date(2025, 9, 1),
    "boarding": False,
    "boarding_aid": False,
    "distance_km": Decimal("1.5"),
    "travel": "walk",
    "needs_bus": False,
    "parents_away": "none",
    "migrant_child": False,
    "disability": "none",
    "placement": "regular",
    "poverty": "none",
    "receives_aid": False,
    "parent_in_prison": False,
    "orphan_status": "none",
    "guardian": "母亲",
    "guardian_phone": "13900000000",
}


def line(away: str = "s", days: int = DAYS) -> str:
    """Return a child's signs: there on every day but one."""
    return ("." * 10 + away).ljust(days, ".")


def mark(student_id: str, **other: Any) -> dict[str, Any]:
    """Return a child's row of one paper."""
    return {
        "student_id": student_id,
        "date": day(20),
        "exam": "期中",
        "subject": "maths",
        "score": Decimal(80),
        "full_mark": Decimal(100),
    } | other


def county(
    root: Path,
    *,
    lines: Mapping[str, str] | None = None,
    children: Mapping[str, dict[str, Any]] | None = None,
    marks: list[dict[str, Any]] | None = None,
    more: Mapping[str, list[dict[str, Any]]] | None = None,
    change: Callable[[dict[str, Any]], dict[str, Any]] = lambda tables: tables,
    config: Mapping[str, Any] | None = None,
    **options: Any,
) -> Workspace:
    """Make the calm county, changed as asked, a workspace.

    `lines` and `children` change children or add some; `change` gets every table last; `options`
    are those of `daily_village.village`.
    """
    all_lines = {child: line() for child in CHILDREN} | dict(lines or {})
    records = {
        child: RECORD | {"school_id": "S2" if child[0] == "B" else "S1"} for child in all_lines
    }
    for child, record in (children or {}).items():
        records[child] = records[child] | record
    exams = [mark(child) for child in all_lines] if marks is None else marks
    tables = village(
        all_lines,
        children=records,
        more={"exams": exams} | dict(more or {}),
        exceptions=(config or {}).get("attendance") == "exceptions",
        **options,
    )
    return workspace_of(root, change(tables), **(config or {}))


def state(workspace: Workspace, as_of: date = TODAY) -> State:
    """Look at a county."""
    return look(workspace, as_of)


def found(workspace: Workspace, as_of: date = TODAY) -> list[Finding]:
    """Return the findings of a county, worst first."""
    return list(state(workspace, as_of).findings)


def only(workspace: Workspace, as_of: date = TODAY) -> Finding:
    """Return the one finding of a county."""
    (finding,) = found(workspace, as_of)
    return finding
