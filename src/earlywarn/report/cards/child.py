"""Gather one child's card: registry, attendance, marks, scores and cases, for a role and a day.

A school sees its card as it sees its lists: without groups, aid and home matters, with reasons
worked out as if the hidden rules did not exist, and of a case its steps and states alone, not what
was answered or noted. So two children whom only a group tells apart have the same card.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import duckdb

from earlywarn.engine.duckdb import connect
from earlywarn.errors import EarlywarnError, Text
from earlywarn.features.build import build, make_keys
from earlywarn.features.newest import newest_reported_day
from earlywarn.features.strip import attendance_strip
from earlywarn.followup.answers import DATES
from earlywarn.followup.casedays import case_days
from earlywarn.followup.deadlines import steps_of
from earlywarn.followup.escalation import Escalation
from earlywarn.followup.ledger import Case, Entry, Ledger
from earlywarn.followup.ledger.views import case_of
from earlywarn.followup.story import Story, story_of
from earlywarn.report.cards import registry
from earlywarn.report.cards.rows import CaseFile, ChildCard, Scored, Standing
from earlywarn.roles import Role
from earlywarn.rules.pack import RuleBook, load_rulebook
from earlywarn.scoring.run import run_folders
from earlywarn.tables.batches import one_row_a_day
from earlywarn.watchlist.listing import weights_of
from earlywarn.watchlist.reasons import Evidence, SchoolView, full_reasons
from earlywarn.watchlist.rows import Reason
from earlywarn.words import STATUS_SEVERITY
from earlywarn.workspace import Workspace

RUNS = 6  # scorings shown
WITH_REASONS = 2  # of these, the newest, with reasons: each needs the features of its day
STRIP_DAYS = 60
RATES = (
    "absence_rate_20d",
    "absence_rate_60d",
    "absence_rate_ytd",
    "unexcused_days_60d",
    "late_rate_20d",
    "days_since_present",
)

# What a school may read of a case: steps, states, who is responsible, why it ended, and of the
# answers when the child was contacted and visited.
_FOR_SCHOOLS = frozenset({"state", "step", "assign", "closed"})
_ANSWERS_FOR_SCHOOLS = DATES | {"contacted_by"}

# Days with a record of a child that is not enrolled; `status` is the day's worst.
_RECORDED = """
SELECT date, arg_max(status, list_position($worse, status)) FROM attendance
WHERE student_id = $student AND date <= $until
GROUP BY date ORDER BY date DESC LIMIT $days
"""


def refuse_researcher(role: Role) -> None:
    """Refuse what names children to a role that may not see names."""
    if not role.sees_names:
        raise EarlywarnError(
            zh=f"角色 {role} 不能查看一生一卡和学校卡：上面有姓名。请由学校、县级或乡镇人员查看。",
            en=f"The role {role} may not see cards of children and schools: they give names. Ask "
            "the school, the county or the township.",
        )


def child_card(
    workspace: Workspace,
    child: str,
    role: Role,
    as_of: date | None = None,
    *,
    stage: Callable[[str], None] = lambda name: None,
) -> ChildCard:
    """Return the card of one child.

    Parameters
    ----------
    child
        The child's number, or of one on no registry the number of its case.
    as_of
        Nothing dated later is told. None: attendance, marks and deadlines as of the newest
        reported school day; registry and ledger as they are today.

    Raises
    ------
    EarlywarnError
        If the role may not see names, or nothing is known of the child up to that day.
    """
    refuse_researcher(role)
    with Ledger.open(workspace) as ledger:
        found = _story(workspace, ledger, child)
    rulebook = load_rulebook(workspace.rules)
    con = connect(workspace)
    try:
        day = as_of or newest_reported_day(con, date.today()) or date.today()
        known = as_of or max(day, date.today())
        cases = cases_until(found.cases, known, role)
        records = registry.snapshots(con, rulebook.groups, found.student_id, known)
        if not records and not cases:
            raise EarlywarnError(
                zh=f"截至 {known}，学籍和台账里都没有 {child}。请核对 --as-of。",
                en=f"Up to {known} neither the registry nor the ledger knows {child}. Check "
                "--as-of.",
            )
        make_keys(con, workspace.config, one_row_a_day=one_row_a_day(workspace))
        scored = _scored(con, workspace, rulebook, found, role, day, stage)
        if not (scored and scored[0].run.as_of == day):  # what was built last
            stage(day.isoformat())
            _build(con, workspace, rulebook, day)
        card = _card(con, workspace, rulebook, found, records, cases, scored, role, day, known)
        if card.since is None or workspace.config.attendance != "exceptions":
            return card
        stage(card.since.isoformat())
        return replace(card, strip=_days_before(con, workspace, rulebook, card.since, found))
    finally:
        con.close()


def _story(workspace: Workspace, ledger: Ledger, child: str) -> Story:
    named = [str(case.id) for case in ledger.cases_of_person(child.strip())]
    if named:
        raise EarlywarnError(
            zh=f"没有学籍的孩子请写个案编号；这个姓名的个案有：{'、'.join(named)}。",
            en="A child on no registry goes by the number of its case; the cases of that name: "
            f"{', '.join(named)}.",
        )
    try:
        return story_of(workspace, ledger, child)
    except EarlywarnError as error:
        raise EarlywarnError(
            zh=f"{error.text.zh}没有学籍的孩子请写个案编号（earlywarn followup due 会列出）。",
            en=f"{error.text.en} A child on no registry goes by the number of its case, which "
            "`earlywarn followup due` lists.",
        ) from error


def _card(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    rulebook: RuleBook,
    found: Story,
    records: list[dict[str, Any]],
    cases: tuple[Case, ...],
    scored: tuple[Scored, ...],
    role: Role,
    day: date,
    known: date,
) -> ChildCard:
    """Return the card; `con` as `features.build` left it for `day`."""
    places = registry.school_names(con)
    student, is_full = found.student_id, role.sees_groups
    now = registry.standing(con, student, day)
    strip = _strip(con, workspace, student, now, day)
    groups, unknown = _groups(rulebook, records)
    who = registry.who(records[-1], places) if records else registry.unregistered(cases[-1], places)
    if not is_full:
        who = registry.for_schools(who, rulebook.groups)
    return ChildCard(
        as_of=day,
        known=known,
        is_full=is_full,
        generated=workspace.config.generated,
        who=who,
        status=now.status,
        since=now.since,
        groups=groups if is_full else None,
        groups_unknown=unknown if is_full else (),
        left_behind=registry.left_behind(records, day) if is_full and records else None,
        aid=registry.aid(records) if is_full and records else None,
        places=registry.places_of(records, places),
        events=registry.events(con, student, known, with_cause=is_full),
        strip=strip,
        strip_is_recorded=not now.is_at_school,
        rates=_rates(con, student),
        exams=registry.exams(con, student, day, workspace.config.school_year_start),
        scored=scored,
        cases=case_files(con, workspace, cases, day),
    )


def _build(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, rulebook: RuleBook, day: date
) -> None:
    build(con, workspace.config, rulebook.groups, day, keys_are_made=True)


def cases_until(cases: Iterable[Case], until: date, role: Role) -> tuple[Case, ...]:
    """Return cases as they stood on a day, with what the role may read of their stories."""
    return tuple(_as_it_stood(case, until, role) for case in cases if case.opened_on <= until)


def _as_it_stood(case: Case, until: date, role: Role) -> Case:
    story = [entry for entry in case.story if entry.happened_on <= until]
    row = {name: getattr(case, name) for name in Case.__dataclass_fields__}
    stood = case_of(row, story)
    if role.sees_groups:
        return stood
    return replace(stood, story=tuple(filter(_is_for_schools, stood.story)), answers={})


def _is_for_schools(entry: Entry) -> bool:
    return entry.kind in _FOR_SCHOOLS or entry.field in _ANSWERS_FOR_SCHOOLS


def case_files(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, cases: tuple[Case, ...], day: date
) -> tuple[CaseFile, ...]:
    """Return cases with the steps of the running ones; `con` as `features.build` left it."""
    escalation = Escalation.load(workspace)
    running = [case for case in cases if case.closed_on is None]
    days = case_days(con, workspace.config, running, day)
    return tuple(
        CaseFile(case, steps_of(case, escalation, days[case.id], day) if case.id in days else ())
        for case in cases
    )


def _groups(
    rulebook: RuleBook, records: list[dict[str, Any]]
) -> tuple[tuple[Text, ...], tuple[Text, ...]]:
    """Return the labels of the groups that the child is in, and of those that nobody knows of."""
    now = records[-1] if records else {}
    named = [(group.label, now.get(f"in {group.name}")) for group in rulebook.groups]
    is_in = tuple(label for label, member in named if member)
    return is_in, tuple(label for label, member in named if member is None) if records else ()


def _strip(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, student: str, now: Standing, day: date
) -> tuple[tuple[date, str], ...]:
    if now.is_at_school:
        return _last_days(con, workspace, student)
    if now.status == "unregistered" or workspace.config.attendance == "exceptions":
        return ()
    worse = sorted(STATUS_SEVERITY, key=STATUS_SEVERITY.__getitem__)
    found = con.execute(
        _RECORDED, {"student": student, "until": day, "worse": worse, "days": STRIP_DAYS}
    ).fetchall()
    return tuple(reversed(found))


def _last_days(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, student: str
) -> tuple[tuple[date, str], ...]:
    rows = attendance_strip(con, [student]).to_pylist()
    return tuple((row["date"], row["mark"]) for row in rows)


def _days_before(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    rulebook: RuleBook,
    since: date,
    found: Story,
) -> tuple[tuple[date, str], ...]:
    """Return the last school days before a child left, where only exceptions are recorded."""
    try:
        _build(con, workspace, rulebook, since - timedelta(days=1))
    except EarlywarnError:  # the calendar does not go back so far: no picture
        return ()
    return _last_days(con, workspace, found.student_id)


def _rates(
    con: duckdb.DuckDBPyConnection, student: str
) -> tuple[tuple[str, float | int | None], ...]:
    rows = con.execute(
        f"SELECT {', '.join(RATES)} FROM facts WHERE student_id = ?", [student]
    ).fetchall()
    return tuple(zip(RATES, rows[0], strict=True)) if rows else ()


def _scored(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    rulebook: RuleBook,
    found: Story,
    role: Role,
    day: date,
    stage: Callable[[str], None],
) -> tuple[Scored, ...]:
    """Return the last scorings, newest first; a school sees those of its lists alone.

    `con` is left as the newest one's day was built.
    """
    runs = [run for run in found.scorings if run.as_of <= day]
    if not role.sees_groups:
        runs = [run for run in runs if run.listed]
    scored = []
    for run in runs[-RUNS:]:
        reasons = None
        if run in runs[-WITH_REASONS:]:
            stage(run.as_of.isoformat())
            _build(con, workspace, rulebook, run.as_of)
            reasons = _reasons(con, workspace, rulebook, found.student_id, run.as_of, role)
        scored.append(Scored(run, reasons))
    return tuple(reversed(scored))


def _reasons(
    con: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    rulebook: RuleBook,
    student: str,
    as_of: date,
    role: Role,
) -> tuple[Reason, ...]:
    folder = run_folders(workspace, as_of)[-1]
    (row,) = folder.scores(where=("student_id", student)).to_pylist()
    evidence = Evidence(
        as_of=as_of,
        contributions=[(item["term"], item["value"]) for item in row["contributions"]],
        hits=row["rules_hit"] or [],
        facts=_row(con, "facts", student),
        basis=_row(con, "basis", student),
        calm=folder.info().get("calm", {}),
    )
    in_force = rulebook.in_force(as_of)
    if role.sees_groups:
        return full_reasons(evidence, {rule.id: rule for rule in in_force})
    con.register("scores", folder.scores())
    weights = weights_of(con)
    con.unregister("scores")
    return SchoolView(in_force, weights).reasons(evidence)


def _row(con: duckdb.DuckDBPyConnection, table: str, student: str) -> dict[str, Any]:
    query = f"SELECT * FROM {table} WHERE student_id = ?"
    rows: list[dict[str, Any]] = con.sql(query, params=[student]).to_arrow_table().to_pylist()
    return rows[0] if rows else {}
