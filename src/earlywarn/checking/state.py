"""The state of a workspace's data as of a day.

look(workspace, as_of)      what is found; writes nothing
check(workspace, as_of)     the same, written to runs/check/AS_OF
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from earlywarn.checking import attendance, loads, marks, quarantined, registry
from earlywarn.checking.columns import used_fields
from earlywarn.checking.day import default_day
from earlywarn.checking.finding import Finding, in_order
from earlywarn.checking.gather import Gathered, gather
from earlywarn.engine.duckdb import connect
from earlywarn.errors import Lang, Text
from earlywarn.files import whole_folder
from earlywarn.workspace import Workspace

FOLDER = "check"
Stage = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class School:
    """One school: how people call it, and how many of the cohort it has."""

    school_id: str
    name: str
    county: str
    township: str
    children: int


@dataclass(frozen=True)
class State:
    """What a look found.

    `findings` worst first. `schools` are those of the cohort and those in the table of schools, by
    id. `fields`: how empty each field of the registry is, those that rules use first. `folder` is
    where the check is written, if it is.
    """

    as_of: date
    findings: tuple[Finding, ...]
    schools: dict[str, School]
    fields: tuple[registry.Field, ...]
    generated: bool
    folder: Path

    def counts(self) -> dict[str, int]:
        """Return the totals: schools and children, findings by severity, schools with any."""
        return {
            "schools": sum(school.children > 0 for school in self.schools.values()),
            "children": sum(school.children for school in self.schools.values()),
            "stop": sum(one.severity == "stop" for one in self.findings),
            "warn": sum(one.severity == "warn" for one in self.findings),
            "note": sum(one.severity == "note" for one in self.findings),
            "schools_with_findings": len(
                {one.school_id for one in self.findings if one.school_id is not None}
            ),
        }


def look(
    workspace: Workspace, as_of: date | None = None, *, stage: Stage = lambda name: None
) -> State:
    """Return the state of the data as of a day (default: the newest reported school day).

    An empty workspace is a state too. Nothing is written.

    Raises
    ------
    EarlywarnError
        If the tables cannot be read.
    """
    con = connect(workspace)
    try:
        day = as_of or default_day(con, date.today())
        stage("attendance")
        gathered = gather(con, workspace.config, day)
        stage("findings")
        county, by_school = registry.fields(gathered, used_fields(workspace))
        found = list(_empty(con))
        found += [] if found else attendance.findings(gathered)
        found += registry.findings(gathered)
        found += registry.empty_fields(county, by_school)
        found += marks.findings(gathered)
        found += quarantined.findings(workspace)
        stage("loads")
        found += loads.findings(gathered, workspace)
        schools = _schools(gathered)
    finally:
        con.close()
    return State(
        as_of=day,
        findings=in_order(found),
        schools=schools,
        fields=county,
        generated=workspace.config.generated,
        folder=workspace.runs / FOLDER / day.isoformat(),
    )


def check(
    workspace: Workspace,
    as_of: date | None = None,
    *,
    lang: Lang | None = None,
    stage: Stage = lambda name: None,
) -> State:
    """Look, and write the page and the JSON to runs/check/AS_OF, in place of an earlier check's.

    Raises
    ------
    EarlywarnError
        If the tables cannot be read, or another program holds the workspace.
    """
    from earlywarn.checking.files import write

    with workspace.lock("check"):
        state = look(workspace, as_of, stage=stage)
        stage("files")
        with whole_folder(state.folder, replace=True) as folder:
            write(folder, state, lang or workspace.config.lang)
    return state


def _empty(con: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    """Say what is not there at all; then there is nothing more to say of attendance."""
    ((children,),) = con.execute("SELECT count(*) FROM cohort").fetchall()
    ((known,),) = con.execute("SELECT count(*) FROM students").fetchall()
    if not children:
        yield Finding(
            "no_registry",
            "stop",
            None,
            None,
            0,
            Text("还没有学籍数据。", "No registry is loaded yet.")
            if not known
            else Text(
                "截止日期没有在校学生：学籍都在这一天之后，或都已离校。",
                "Nobody is enrolled on the as-of date: every record is of a later day, or the "
                "child has left.",
            ),
            Text(
                "请先导入学籍：earlywarn ingest students 文件 --snapshot 日期；或换一个 --as-of。",
                "Load the registry: earlywarn ingest students FILE --snapshot D; or choose another "
                "--as-of.",
            ),
        )
    ((spans,),) = con.execute("SELECT count(*) FROM child_spans").fetchall()
    ((reported,),) = con.execute("SELECT count(*) FROM reported_rows").fetchall()
    if not spans and not reported:
        yield Finding(
            "no_attendance",
            "stop",
            None,
            None,
            0,
            Text(
                "到截止日期为止没有任何考勤：缺课是最早的信号，没有它只能靠学籍和成绩判断。",
                "No attendance is loaded up to the as-of date: absence is the earliest sign, and "
                "without it only registry and marks can tell.",
            ),
            Text(
                "请导入考勤：earlywarn ingest attendance 文件。",
                "Load attendance: earlywarn ingest attendance FILE.",
            ),
        )


def _schools(gathered: Gathered) -> dict[str, School]:
    return {row[0]: School(*row) for row in gathered.rows("schools.sql")}
