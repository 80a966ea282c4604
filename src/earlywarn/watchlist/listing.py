"""Build the watchlists of every school from a scored as-of date.

Only the children on a list become Python objects; all counting is done in DuckDB.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb

from earlywarn import __version__
from earlywarn.features.strip import attendance_strip
from earlywarn.followup.duedates import school_days_after
from earlywarn.followup.escalation import Escalation
from earlywarn.watchlist.changes import Comparisons
from earlywarn.watchlist.previous import (
    Before,
    change_of,
    left_the_list,
    same_yardstick,
    who_was,
)
from earlywarn.watchlist.reasons import NOTHING, Evidence, SchoolView, full_reasons
from earlywarn.watchlist.rows import (
    LISTED_TIERS,
    FollowUp,
    Limits,
    ListedChild,
    Listing,
    NextStep,
    Reason,
    SchoolList,
    Task,
    WatchlistFiles,
)
from earlywarn.watchlist.steps import TALK_WITHIN, next_step, step_of_case, tasks_of
from earlywarn.watchlist.unknown import limits_of_schools
from earlywarn.watchlist.wording import STRIP_CODES
from earlywarn.words import Tier

if TYPE_CHECKING:
    import pyarrow as pa

    from earlywarn.rules.pack import RuleBook
    from earlywarn.workspace import Workspace

__all__ = [
    "Limits",
    "ListedChild",
    "Listing",
    "NextStep",
    "Reason",
    "SchoolList",
    "WatchlistFiles",
    "build_listing",
]

_SCHOOLS = """
SELECT s.school_id,
       count(*) AS cohort,
       {tiers},
       any_value(d.name) AS name, any_value(d.county) AS county,
       any_value(d.township) AS township, any_value(d.capacity) AS capacity
FROM scores s
LEFT JOIN schools d ON d.school_id = s.school_id
GROUP BY s.school_id
"""

_CHILDREN = """
SELECT s.student_id, s.school_id, s.score, s.log_odds, s.tier, s.rank,
       coalesce(s.rules_hit, []) AS hits,
       len(coalesce(s.rules_unknown, [])) AS rules_unknown,
       list_filter(s.contributions, lambda x: x.value > $nothing) AS contributions,
       c.name, c.class_id, c.grade, c.on_leave, c.homeroom_teacher
FROM scores s JOIN cohort c USING (student_id)
WHERE s.listed
ORDER BY s.school_id, s.rank, s.student_id
"""

_LISTED = "SELECT student_id FROM scores WHERE listed ORDER BY student_id"

# One text a child: a letter a day, `|` where a calendar week ends.
_STRIPS = """
WITH marked AS (
    SELECT student_id, date,
           CASE WHEN lag(date) OVER days IS NOT NULL
                 AND date_trunc('week', lag(date) OVER days) <> date_trunc('week', date)
                THEN '|' ELSE '' END
           || CASE mark {codes} ELSE 'n' END AS sign
    FROM strip_days
    WINDOW days AS (PARTITION BY student_id ORDER BY date)
)
SELECT student_id, string_agg(sign, '' ORDER BY date), list(date::DATE ORDER BY date)
FROM marked GROUP BY student_id
"""


def build_listing(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    rulebook: RuleBook,
    as_of: date,
    *,
    model_name: str,
    calm: Mapping[str, float],
    previous: pa.Table | None = None,
    previous_as_of: date | None = None,
    weights: Mapping[str, float] | None = None,
    run: str = "",
    key: bytes = b"",
    follow_up: FollowUp | None = None,
) -> Listing:
    """Return the watchlists of every school with children in the cohort.

    Parameters
    ----------
    con
        Has `scores`, and is else as `features.build.build` leaves it.
    model_name
        `name/version` of the model behind the scores.
    calm
        What each sign adds where nothing is wrong (`scorecard.calm_terms`); a feature that is not
        in it is no reason.
    previous, previous_as_of
        `scores.parquet` of the newest run 5 to 9 days before, at least the rows of whom a list
        names, then or now; anything further away or nearer is not compared with. Why a child's
        place changed is told only if the model and the rules are the same.
    weights
        Rule id to its weight in the model, for the order of reasons on a school's list; without
        it the weights are read off `scores`.
    run
        The run's number, for the workbooks' key.
    follow_up
        What the ledger knows (`followed.look_up`); None without a ledger.
    """
    if previous is None or previous_as_of is None or not 5 <= (as_of - previous_as_of).days <= 9:
        previous, previous_as_of = None, None
    before = who_was(con, previous)
    known = weights_of(con) if weights is None else weights
    comparable = previous is not None and same_yardstick(con, previous)
    comparisons = None
    if comparable and previous_as_of is not None:
        comparisons = Comparisons(rulebook.in_force(as_of), known, previous_as_of)
    children = _children(
        con, workspace, rulebook, as_of, before, known, calm, comparisons, follow_up
    )
    limits = limits_of_schools(con, workspace, as_of)
    schools = []
    for row in _schools(con):
        school_id = row["school_id"]
        listed = tuple(children.get(school_id, ()))
        left = None if before is None else left_the_list(before, school_id, listed)
        schools.append(_school(row, listed, left, workspace, limits[school_id], follow_up))
    schools.sort(key=lambda school: (school.county, school.township, school.school_id))
    return Listing(
        as_of=as_of,
        model=model_name,
        rules_hash=rulebook.hash,
        run=run,
        version=__version__,
        generated=workspace.config.generated,
        previous_as_of=previous_as_of,
        schools=tuple(schools),
        comparable=comparable,
        resolved_since=follow_up.since if follow_up else None,
        key=key,
    )


def _rows(con: duckdb.DuckDBPyConnection, sql: str, values: Any = None) -> list[dict[str, Any]]:
    table: pa.Table = con.sql(sql, params=values).to_arrow_table()
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _schools(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    tiers = ", ".join(
        f"count(*) FILTER (WHERE s.tier = '{tier}') AS tier_{tier}, "
        f"count(*) FILTER (WHERE s.tier = '{tier}' AND s.listed) AS listed_{tier}"
        for tier in Tier
    )
    return _rows(con, _SCHOOLS.format(tiers=tiers))


def _school(
    row: dict[str, Any],
    listed: tuple[ListedChild, ...],
    left: int | None,
    workspace: Workspace,
    limits: Limits,
    follow_up: FollowUp | None,
) -> SchoolList:
    changes: dict[str, int] = {}
    for child in listed:
        changes[child.change] = changes.get(child.change, 0) + 1
    return SchoolList(
        school_id=row["school_id"],
        name=row["name"] or row["school_id"],
        county=row["county"] or "",
        township=row["township"] or "",
        cohort=row["cohort"],
        capacity=workspace.config.capacity.of(row["cohort"], row["capacity"]),
        tiers={str(tier): row[f"tier_{tier}"] for tier in Tier},
        listed={tier: row[f"listed_{tier}"] for tier in LISTED_TIERS},
        cut={tier: row[f"tier_{tier}"] - row[f"listed_{tier}"] for tier in LISTED_TIERS},
        changes=changes,
        left=left,
        limits=limits,
        children=listed,
        resolved=follow_up.resolved.get(row["school_id"], 0) if follow_up else None,
        overdue=follow_up.overdue.get(row["school_id"], 0) if follow_up else None,
    )


def weights_of(con: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """Return the rules' weights, read off the view `scores`: what a hit not silenced adds."""
    rows = con.execute(
        "SELECT (c.term::VARCHAR)[6:], max(c.value) FROM (SELECT unnest(list_filter("
        "contributions, lambda x: x.value > 0 AND starts_with(x.term::VARCHAR, 'rule:'))) AS c "
        "FROM scores WHERE len(rules_hit) > 0) GROUP BY 1"
    ).fetchall()
    return dict(rows)


def _strips(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, students: list[str]
) -> dict[str, tuple[str, tuple[date, ...]]]:
    if not students:
        return {}
    con.register("strip_days", attendance_strip(con, students))
    codes = " ".join(f"WHEN '{mark}' THEN '{code}'" for mark, code in STRIP_CODES.items())
    try:
        rows = con.execute(_STRIPS.format(codes=codes)).fetchall()
    finally:
        con.unregister("strip_days")
    return {student: (signs, tuple(days)) for student, signs, days in rows}


def _by_student(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, dict[str, Any]]:
    rows = _rows(con, f"SELECT * FROM {table} SEMI JOIN ({_LISTED}) USING (student_id)")
    return {row["student_id"]: row for row in rows}


def _children(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    rulebook: RuleBook,
    as_of: date,
    before: Before | None,
    weights: Mapping[str, float],
    calm: Mapping[str, float],
    comparisons: Comparisons | None,
    follow_up: FollowUp | None,
) -> dict[str, list[ListedChild]]:
    rows = _rows(con, _CHILDREN, {"nothing": NOTHING})
    facts, basis = _by_student(con, "facts"), _by_student(con, "basis")
    strips = _strips(con, workspace, [row["student_id"] for row in rows])
    escalation = Escalation.load(workspace)
    within = [action.within_school_days for action in rulebook.actions.values()]
    within += [step.day for step in escalation.tiers.values()]
    days = school_days_after(
        con,
        as_of,
        [(row["school_id"], row["class_id"] or "") for row in rows],
        max(TALK_WITHIN, *within),
    )
    in_force = rulebook.in_force(as_of)
    rules = {rule.id: rule for rule in in_force}
    view = SchoolView(in_force, weights)
    found: dict[str, list[ListedChild]] = {}
    for row in rows:
        student = row["student_id"]
        evidence = Evidence(
            as_of=as_of,
            contributions=[(item["term"], item["value"]) for item in row["contributions"]],
            hits=row["hits"],
            facts=facts.get(student, {}),
            basis=basis.get(student, {}),
            calm=calm,
        )
        reasons, full = view.reasons(evidence), full_reasons(evidence, rules)
        class_days = days[(row["school_id"], row["class_id"] or "")]
        change, previous_rank, previous_tier = change_of(before, row)
        cause = full_cause = None
        if comparisons is not None and before is not None:
            cause, full_cause = comparisons.causes(change, evidence, before.get(student))
        strip, strip_days = strips.get(student, ("", ()))
        case = follow_up.children.get(student) if follow_up else None
        actions = rulebook.actions
        step = step_of_case(next_step(reasons, actions, class_days), case, actions)
        full_step = step_of_case(next_step(full, actions, class_days), case, actions)
        tasks: tuple[Task, ...] = ()
        if row["tier"] == Tier.URGENT:
            tasks = tasks_of(case, step, escalation.steps("watchlist", Tier.URGENT), class_days)
        found.setdefault(row["school_id"], []).append(
            ListedChild(
                student_id=student,
                name=row["name"] or "",
                class_id=row["class_id"] or "",
                grade=row["grade"],
                on_leave=bool(row["on_leave"]),
                rank=row["rank"],
                tier=row["tier"],
                score=row["score"],
                log_odds=row["log_odds"],
                change=change,
                previous_rank=previous_rank,
                previous_tier=previous_tier,
                reasons=reasons,
                full_reasons=full,
                step=step,
                full_step=full_step,
                teacher=(case.teacher if case else "") or row["homeroom_teacher"] or "",
                strip=strip,
                strip_days=strip_days,
                rules_unknown=row["rules_unknown"],
                cause=cause,
                full_cause=full_cause,
                leader=case.leader if case else "",
                case=case,
                tasks=tasks,
            )
        )
    return found
