"""The daily round: who is away on which day, what is due, who came back, who has not reported.

    daily(workspace, as_of, who="...")     look, tell the ledger, write runs/daily/AS_OF

A watchlist comes once a week; a child's first day of absence without leave can't wait so long.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date

import duckdb

from earlywarn.engine.duckdb import connect, sql_file
from earlywarn.errors import EarlywarnError, Lang
from earlywarn.features.newest import (
    last_that_can_have_come,
    newest_school_day,
    refuse_ahead,
)
from earlywarn.files import whole_folder
from earlywarn.followup.casedays import case_days
from earlywarn.followup.daily.absences import ROUND_SQL, Absences, Silence, absences
from earlywarn.followup.daily.cases import close_for, open_for, told_back
from earlywarn.followup.daily.files import (
    CSV_FILE,
    PAGE_FILE,
    ROUND_FILE,
    round_csv,
    round_json,
    round_page,
)
from earlywarn.followup.daily.hits import hits
from earlywarn.followup.daily.rows import Away, Back, Child, Round, SchoolRound
from earlywarn.followup.daily.schooldays import counted_days
from earlywarn.followup.deadlines import Due, next_step, settled_in, steps_of
from earlywarn.followup.escalation import Escalation
from earlywarn.followup.ledger import Ledger, NewEntry
from earlywarn.rules.pack import RuleBook, load_rulebook
from earlywarn.workspace import Workspace

FOLDER = "daily"


def daily(
    workspace: Workspace,
    as_of: date | None = None,
    *,
    who: str,
    lang: Lang | None = None,
    stage: Callable[[str], None] = lambda name: None,
) -> Round:
    """Make the round of a day; a second one of the same day changes nothing.

    A round of an earlier day than the newest opens cases that were missed and ends none: what is
    known by then stands.

    Parameters
    ----------
    as_of
        Default: the newest reported school day.
    who
        Who makes it, for the ledger.

    Raises
    ------
    EarlywarnError
        If nobody is in the cohort, a rule or `escalation.yaml` is not well formed, or the ledger
        cannot be written.
    """
    if as_of is not None:
        refuse_ahead(workspace, as_of)
    language = lang or workspace.config.lang
    rulebook = load_rulebook(workspace.rules)
    escalation = Escalation.load(workspace)
    with workspace.lock("daily"):
        con = connect(workspace)
        try:
            day = as_of or newest_school_day(con, date.today())
            stage("attendance")
            found = absences(con, workspace.config, day)
            if not found.children:
                raise _nobody(day)
            stage("ledger")
            made = _follow(workspace, con, found, rulebook, escalation, who)
        finally:
            con.close()
        stage("files")
        with whole_folder(made.folder, replace=True) as folder:
            (folder / CSV_FILE).write_bytes(round_csv(made, language))
            (folder / PAGE_FILE).write_bytes(round_page(made, language))
            (folder / ROUND_FILE).write_bytes(round_json(made, language))
    return made


def step_today(steps: Iterable[Due], as_of: date) -> Due | None:
    """Return what a child's case asks for on `as_of`.

    The last of its open steps that is due by then: on day 2 the visit, although nobody has noted
    the call of day 1. If none is due yet, the next.
    """
    due = [one for one in steps if one.open]
    reached = [one for one in due if one.due <= as_of]
    if reached:
        return max(reached, key=lambda one: (one.due, one.step.day))
    return next_step(due)


def _let_go(
    ledger: Ledger,
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    escalation: Escalation,
    as_of: date,
    who: str,
) -> None:
    """Close the settling-in cases that have run their days."""
    cases = [c for c in ledger.cases(kinds=("settling_in",), running=True) if c.opened_on < as_of]
    days = case_days(con, workspace.config, cases, as_of)
    over = [
        NewEntry(case.id, "closed", as_of, value="settled_in", source=f"daily {as_of}")
        for case in cases
        if settled_in(case, escalation, days[case.id], as_of)
    ]
    if over:
        ledger.record(*over, who=who)


def _follow(
    workspace: Workspace,
    con: duckdb.DuckDBPyConnection,
    found: Absences,
    rulebook: RuleBook,
    escalation: Escalation,
    who: str,
) -> Round:
    made = _rounds(workspace, found.as_of)
    since = max((day for day in made if day < found.as_of), default=None)
    since = since or _day_before(con, found.as_of)
    with Ledger.open(workspace) as ledger:
        newest = all(day <= found.as_of for day in made)
        missed, closed = close_for(ledger, found, since, who=who) if newest else (0, 0)
        if newest:
            _let_go(ledger, con, workspace, escalation, found.as_of, who)
        cases, opened = open_for(ledger, found, who=who)
        returns = told_back(ledger, found, since)
    begins = {student: case.opened_on for student, case in cases.items()}
    days = counted_days(con, found.runs, begins, found.as_of)
    ids = [run.student_id for run in found.runs] + [one.student_id for one in returns]
    children = _children(con, ids)
    reasons = hits(found.facts, rulebook, found.as_of)
    away: dict[str, list[Away]] = defaultdict(list)
    for run in found.runs:
        case, step = cases.get(run.student_id), None
        if case is not None:
            steps = steps_of(case, escalation, days[run.student_id], found.as_of)
            step = step_today(steps, found.as_of)
        one = Away(children[run.student_id], run, case, step, reasons.get(run.student_id, ()))
        away[run.school_id].append(one)
    back: dict[str, list[Back]] = defaultdict(list)
    for told in returns:
        back[told.school_id].append(Back(children[told.student_id], told))
    silences: dict[str, list[Silence]] = defaultdict(list)
    for silence in found.silences:
        silences[silence.school_id].append(silence)
    places = _places(con)
    schools = [
        SchoolRound(
            school_id,
            *places.get(school_id, (school_id, "", "")),
            count,
            tuple(sorted(away[school_id], key=lambda a: (-a.run.day, a.child.student_id))),
            tuple(back[school_id]),
            tuple(silences[school_id]),
        )
        for school_id, count in found.children.items()
    ]
    return Round(
        as_of=found.as_of,
        since=since,
        schools=tuple(sorted(schools, key=lambda s: (s.county, s.township, s.school_id))),
        opened=opened + missed,
        closed=closed,
        generated=workspace.config.generated,
        folder=workspace.runs / FOLDER / found.as_of.isoformat(),
    )


def _rounds(workspace: Workspace, as_of: date) -> list[date]:
    """Return the days of which there is a round; one that has not come counts for nothing."""
    last = last_that_can_have_come(workspace, as_of)
    found = []
    for path in (workspace.runs / FOLDER).glob("*/" + ROUND_FILE):
        try:
            day = date.fromisoformat(path.parent.name)
        except ValueError:  # a folder of somebody's own
            continue
        if day <= last:
            found.append(day)
    return sorted(found)


def _day_before(con: duckdb.DuckDBPyConnection, as_of: date) -> date:
    """Return the last school day before the newest that any school has reported."""
    rows = con.execute(
        "SELECT DISTINCT date FROM school_days WHERE reported ORDER BY date DESC LIMIT 2"
    ).fetchall()
    before: list[date] = [day for (day,) in rows if day < as_of]
    return before[0] if before else as_of


def _children(con: duckdb.DuckDBPyConnection, ids: list[str]) -> dict[str, Child]:
    rows = con.execute(sql_file(ROUND_SQL, "children.sql"), {"ids": ids}).fetchall()
    return {row[0]: Child(row[0], row[1] or "", row[2] or "", row[3], row[4] or "") for row in rows}


def _places(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, str, str]]:
    rows = con.execute("SELECT school_id, name, county, township FROM schools").fetchall()
    return {school: (name, county or "", township or "") for school, name, county, township in rows}


def _nobody(as_of: date) -> EarlywarnError:
    return EarlywarnError(
        zh=f"{as_of} 没有在校学生。请先导入学籍（earlywarn ingest students），或换一个 --as-of。",
        en=f"Nobody is enrolled on {as_of}. Load the registry (`earlywarn ingest students`) or "
        "choose another --as-of.",
    )
