"""Build the watchlists of every school from a scored as-of date.

Only the children on a list become Python objects; all counting is done in DuckDB.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb

from earlywarn import __version__
from earlywarn.errors import Text
from earlywarn.features.strip import attendance_strip
from earlywarn.watchlist.duedates import SchoolDays, school_days_after
from earlywarn.watchlist.reasons import NOTHING, Evidence, SchoolView, full_reasons
from earlywarn.watchlist.rows import (
    LISTED_TIERS,
    Change,
    Limits,
    ListedChild,
    Listing,
    NextStep,
    Reason,
    SchoolList,
    WatchlistFiles,
)
from earlywarn.watchlist.wording import STRIP_CODES, chinese
from earlywarn.words import Tier

if TYPE_CHECKING:
    import pyarrow as pa

    from earlywarn.rules.pack import Action, RuleBook
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

# What is due where no shown reason names an action.
TALK_WITHIN = 5
TALK_TITLE = Text("谈一次话", "Talk with the child")
TALK_WHAT = Text(
    "单独和孩子谈一次，再给家长打一个电话，了解到校和学习上有什么难处",
    "Talk with the child alone, then call the guardian: what is hard about coming and learning?",
)
TALK_WHO = Text("班主任", "homeroom teacher")

_SCHOOLS = """
SELECT s.school_id,
       count(*) AS cohort,
       {tiers},
       max(f.school_gap_20d) AS gap_share,
       max(b.attendance_date) AS last_day,
       count(*) FILTER (WHERE f.exam_mean_pct IS NULL) AS without_marks,
       max(b.exam_date) AS last_exam,
       max(c.snapshot_date) AS snapshot,
       any_value(d.name) AS name, any_value(d.county) AS county,
       any_value(d.township) AS township, any_value(d.capacity) AS capacity
FROM scores s
LEFT JOIN features f USING (student_id)
LEFT JOIN basis b USING (student_id)
LEFT JOIN cohort c USING (student_id)
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
SELECT student_id, string_agg(sign, '' ORDER BY date), min(date)::DATE, max(date)::DATE
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
) -> Listing:
    """Return the watchlists of every school with children in the cohort.

    Parameters
    ----------
    con
        Has `cohort`, `features`, `facts`, `basis`, `scores`, `schools`, `calendar`, and what
        `features.strip.attendance_strip` reads.
    model_name
        `name/version` of the model behind the scores.
    calm
        What each sign adds where nothing is wrong (`scorecard.calm_terms`); a feature that is not
        in it is no reason.
    previous, previous_as_of
        `scores.parquet` of the newest run 5 to 9 days before (student_id, school_id, tier, rank,
        listed); anything further away or nearer is not compared with.
    weights
        Rule id to its weight in the model, for the order of reasons on a school's list; without
        it the weights are read off `scores`.
    run
        The run's number, for the workbooks' key.
    """
    if previous is None or previous_as_of is None or not 5 <= (as_of - previous_as_of).days <= 9:
        previous, previous_as_of = None, None
    before = _before(con, previous)
    known = _weights(con) if weights is None else weights
    children = _children(con, workspace, rulebook, as_of, before, known, calm)
    schools = []
    for row in _schools(con):
        listed = tuple(children.get(row["school_id"], ()))
        left = None if before is None else _left(before, row["school_id"], listed)
        schools.append(_school(row, listed, left, workspace))
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
        limits=Limits(
            gap_share=row["gap_share"],
            last_day=row["last_day"],
            without_marks=row["without_marks"],
            last_exam=row["last_exam"],
            snapshot=row["snapshot"],
        ),
        children=listed,
    )


_Before = dict[str, tuple[str, str, int, bool]]


def _before(con: duckdb.DuckDBPyConnection, previous: pa.Table | None) -> _Before | None:
    """Return (school_id, tier, rank, listed) by student for who was, or is, on a list."""
    if previous is None:
        return None
    con.register("previous_scores", previous)
    try:
        rows = con.execute(
            "SELECT p.student_id, p.school_id, p.tier, p.rank, p.listed FROM previous_scores p "
            "WHERE p.listed OR p.student_id IN (SELECT student_id FROM scores WHERE listed)"
        ).fetchall()
    finally:
        con.unregister("previous_scores")
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}


def _left(before: _Before, school_id: str, listed: tuple[ListedChild, ...]) -> int:
    here = {child.student_id for child in listed}
    return sum(
        1
        for student, (school, _, _, was_listed) in before.items()
        if was_listed and school == school_id and student not in here
    )


def _change(before: _Before | None, row: dict[str, Any]) -> tuple[Change, int | None, str | None]:
    """Compare tier, then rank, with the list before; neither depends on anything hidden."""
    if before is None:
        return "none", None, None
    school, tier, rank, listed = before.get(row["student_id"], ("", "routine", 0, False))
    if not listed or school != row["school_id"]:
        return "new", None, None
    was, now = Tier(tier).level, Tier(row["tier"]).level
    if was != now:
        return ("up" if now > was else "down"), rank, tier
    if rank != row["rank"]:
        return ("up" if row["rank"] < rank else "down"), rank, tier
    return "same", rank, tier


def _weights(con: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """Read the rules' weights off the contributions: what a hit that is not silenced adds."""
    rows = con.execute(
        "SELECT (c.term::VARCHAR)[6:], max(c.value) FROM (SELECT unnest(list_filter("
        "contributions, lambda x: x.value > 0 AND starts_with(x.term::VARCHAR, 'rule:'))) AS c "
        "FROM scores WHERE len(rules_hit) > 0) GROUP BY 1"
    ).fetchall()
    return dict(rows)


def _strips(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, students: list[str]
) -> dict[str, tuple[str, date, date]]:
    if not students:
        return {}
    con.register("strip_days", attendance_strip(con, workspace.config, students))
    codes = " ".join(f"WHEN '{mark}' THEN '{code}'" for mark, code in STRIP_CODES.items())
    try:
        rows = con.execute(_STRIPS.format(codes=codes)).fetchall()
    finally:
        con.unregister("strip_days")
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def _by_student(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, dict[str, Any]]:
    rows = _rows(con, f"SELECT * FROM {table} SEMI JOIN ({_LISTED}) USING (student_id)")
    return {row["student_id"]: row for row in rows}


def _children(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    rulebook: RuleBook,
    as_of: date,
    before: _Before | None,
    weights: Mapping[str, float],
    calm: Mapping[str, float],
) -> dict[str, list[ListedChild]]:
    rows = _rows(con, _CHILDREN, {"nothing": NOTHING})
    facts, basis = _by_student(con, "facts"), _by_student(con, "basis")
    strips = _strips(con, workspace, [row["student_id"] for row in rows])
    furthest = max((a.within_school_days for a in rulebook.actions.values()), default=TALK_WITHIN)
    days = school_days_after(
        con,
        as_of,
        [(row["school_id"], row["class_id"] or "") for row in rows],
        max(furthest, TALK_WITHIN),
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
        change, previous_rank, previous_tier = _change(before, row)
        strip, first, last = strips.get(student, ("", None, None))
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
                step=next_step(reasons, rulebook.actions, class_days),
                full_step=next_step(full, rulebook.actions, class_days),
                teacher=row["homeroom_teacher"] or "",
                strip=strip,
                strip_from=first,
                strip_to=last,
                rules_unknown=row["rules_unknown"],
            )
        )
    return found


def next_step(
    reasons: tuple[Reason, ...], actions: Mapping[str, Action], days: SchoolDays
) -> NextStep:
    """Return what is to be done: the action of the strongest shown reason that has one.

    Where none has, a talk with the child.
    """
    for reason in reasons:
        action = actions.get(reason.action) if reason.action else None
        if action is not None:
            due, about = days.due(action.within_school_days)
            words = [chinese(text) for text in (action.title, action.what, action.who)]
            return NextStep(action.id, words[0], words[1], words[2], due, about)
    due, about = days.due(TALK_WITHIN)
    return NextStep("talk", TALK_TITLE, TALK_WHAT, TALK_WHO, due, about)
