"""How many children stand where: running and ended cases by county, school or kind, with totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Literal

from earlywarn.engine.duckdb import connect
from earlywarn.errors import UsageError
from earlywarn.followup.ledger import Case, Ledger
from earlywarn.followup.states import State
from earlywarn.roles import Role, pseudonym, without_small_cells
from earlywarn.workspace import Workspace

By = Literal["county", "school", "kind"]
WAYS: tuple[By, ...] = ("county", "school", "kind")
TOTAL = "total"


def counts(
    workspace: Workspace, by: str, role: Role, *, since: date | None = None
) -> dict[str, dict[str, int | None]]:
    """Return for each county, school or kind how many cases are in each state, totals last.

    A researcher's table shows no number from 1 to 4, and none that gives such a one away: neither
    beside its total nor in the totals; schools are pseudonyms.

    Parameters
    ----------
    since
        Of the cases that are closed only those closed on that day or later (None: all).

    Raises
    ------
    EarlywarnError
        If the ledger cannot be read, or `by` is none of `WAYS`.
    """
    if by not in WAYS:
        raise UsageError(
            zh=f"--by 只能是 {'、'.join(WAYS)}，不是 {by}。",
            en=f"--by is one of {', '.join(WAYS)}, not {by}.",
        )
    with Ledger.open(workspace) as ledger:
        cases = [
            case
            for case in ledger.cases()
            if since is None or case.closed_on is None or case.closed_on >= since
        ]
    place = _places(workspace, by, cases)
    found: dict[str, Counter[State]] = {}
    for case in cases:
        found.setdefault(place[case.id], Counter())[case.state] += 1
    rows = {name: _row(found[name]) for name in sorted(found)}
    rows[TOTAL] = _row(sum(found.values(), Counter()))
    if role is not Role.RESEARCHER:
        return {name: dict(row) for name, row in rows.items()}
    if by == "school":
        rows = {name if name == TOTAL else pseudonym(workspace, name): rows[name] for name in rows}
    return _without_small(rows)


def _row(states: Counter[State]) -> dict[str, int]:
    row = {str(state): states[state] for state in State}
    return row | {TOTAL: sum(row.values())}


def _without_small(rows: dict[str, dict[str, int]]) -> dict[str, dict[str, int | None]]:
    shown = without_small_cells([list(row.values()) for row in rows.values()])
    return {
        name: dict(zip(row, cells, strict=True))
        for (name, row), cells in zip(rows.items(), shown, strict=True)
    }


def _places(workspace: Workspace, by: str, cases: Iterable[Case]) -> dict[int, str]:
    if by == "kind":
        return {case.id: case.kind for case in cases}
    if by == "school":
        return {case.id: case.school_id for case in cases}
    con = connect(workspace)
    try:
        county = dict(con.execute("SELECT school_id, county FROM schools").fetchall())
    finally:
        con.close()
    return {case.id: county.get(case.school_id, "") for case in cases}
