"""The week's work in one call: score, write the lists, open the cases that they ask for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import pyarrow.compute as pc

from earlywarn.errors import Lang
from earlywarn.files import sha256
from earlywarn.followup.escalation import FILE as ESCALATION_FILE
from earlywarn.followup.escalation import Escalation
from earlywarn.followup.ledger import Case, Entry, Ledger, NewCase, NewEntry
from earlywarn.followup.states import State
from earlywarn.scoring.engines import ON_DUCKDB, Engine
from earlywarn.scoring.run import Run, score
from earlywarn.watchlist.followed import RESOLVED, closed_by_list, known_cases
from earlywarn.watchlist.outputs import make_outputs
from earlywarn.watchlist.unknown import registry_in_quarantine
from earlywarn.words import Tier
from earlywarn.workspace import Workspace


def score_and_list(
    workspace: Workspace,
    as_of: date | None = None,
    *,
    who: str,
    model: str | None = None,
    lang: Lang | None = None,
    stage: Callable[[str], None] = lambda name: None,
    engine: Engine = ON_DUCKDB,
) -> Run:
    """Score the cohort, write every list, and bring the ledger's watchlist cases up to date.

    A case is opened for each listed child of a tier that escalation.yaml names; the case of a child
    that was reached and is on no list any more is closed. The same inputs change nothing. For
    parameters and errors see `scoring.run.score`; `who` is named in the ledger.
    """

    run = score(
        workspace,
        as_of,
        model=model,
        lang=lang,
        outputs=make_outputs,
        outputs_inputs=lambda day: _follow_up_state(workspace, day),
        stage=stage,
        engine=engine,
    )
    with workspace.lock("score"), Ledger.open(workspace) as ledger:
        follow_list(ledger, run, Escalation.load(workspace), who=who)
    return run


def _follow_up_state(workspace: Workspace, as_of: date) -> dict[str, Any]:
    """Return what a list of `as_of` depends on beside the scores: the steps, and the ledger.

    And how much of the registry is in quarantine, which the list says.

    Of the ledger what stood before the list: neither the cases that it opens itself nor those that
    it closes (docs/decisions/0018).
    """
    told = [
        (case.id, case.kind, case.opened_on, *_entries(case.story, as_of))
        for case in known_cases(workspace, as_of) or ()
    ]
    steps = workspace.root / ESCALATION_FILE
    return {
        "escalation": sha256(steps) if steps.is_file() else "",
        "quarantine": str(registry_in_quarantine(workspace)),
        "ledger": hashlib.sha256(repr(told).encode()).hexdigest() if told else "",
    }


def _entries(story: Iterable[Entry], day: date) -> list[tuple[object, ...]]:
    return [
        (entry.kind, entry.field, entry.value, entry.happened_on)
        for entry in story
        if entry.happened_on <= day and not closed_by_list(entry, day)
    ]


def follow_list(ledger: Ledger, run: Run, escalation: Escalation, *, who: str) -> int:
    """Open the cases of a run's listed children, close those that are over; return how many opened.

    A run of an earlier day than a child's newest case changes nothing for that child.
    """
    scores = run.folder.scores(["student_id", "school_id", "tier", "listed"])
    listed = scores.filter(pc.field("listed")).to_pylist()
    as_of = run.folder.as_of
    origin = f"score {as_of}/{run.folder.number}"
    known = {case.student_id: case for case in ledger.cases() if case.student_id is not None}
    wanted = {row["student_id"] for row in listed}
    new = [
        NewCase(
            "watchlist",
            row["school_id"],
            as_of,
            origin,
            student_id=row["student_id"],
            tier=Tier(row["tier"]),
        )
        for row in listed
        if row["tier"] in escalation.tiers and _may_open(known.get(row["student_id"]), as_of)
    ]
    opened = ledger.open_cases(*new, who=who) if new else ()
    over = [
        NewEntry(case.id, "closed", as_of, value=RESOLVED, source=origin)
        for student, case in known.items()
        if case.kind == "watchlist"
        and case.closed_on is None
        and case.opened_on < as_of
        and case.state is not State.OPEN
        and student not in wanted
    ]
    if over:
        ledger.record(*over, who=who)
    return sum(one.new for one in opened)


def _may_open(case: Case | None, as_of: date) -> bool:
    """Whether a list of `as_of` may open a case beside the child's newest one."""
    if case is None:
        return True
    return case.closed_on is not None and case.closed_on < as_of
