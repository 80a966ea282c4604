"""A village with a rule of its own, scored several times while the rule changes.

Eighteen children (two schools), late on a tenth to all of the days; one without any record. The
outcomes of the first runs are known.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from earlywarn.models.store import registry
from earlywarn.scoring.run import RULES_FILE, RUN_FILE, SCORES_FILE, Run, score
from earlywarn.workspace import Config, Workspace
from scoring_city import FIRST, SCHOOL_A, SCHOOL_B, load, put_model, rows, village_tables

EVERYBODY = SCHOOL_A + SCHOOL_B
UNKNOWN = "LB06"  # has no attendance record at all
HORIZON = 14
DAYS = [
    date(2026, 3, 13),
    date(2026, 3, 20),
    date(2026, 3, 27),
    date(2026, 4, 3),
    date(2026, 4, 10),
]
COMPLETE = date(2026, 4, 5)  # so the windows of the first two runs have ended, with a day to spare

OUTCOMES = [
    ("LA12", date(2026, 3, 14), "dropped_out"),  # hit in run 1, within its window
    ("LA11", date(2026, 3, 27), "dropped_out"),  # on the last day of window 1
    ("LA10", date(2026, 3, 28), "dropped_out"),  # a day after window 1: within window 2
    ("LA09", date(2026, 3, 18), "transferred"),  # lost from sight
    ("LA08", date(2026, 3, 18), "graduated"),  # a negative
    ("LA07", date(2026, 3, 13), "dropped_out"),  # on the day itself: not in the window
    ("LA02", date(2026, 3, 25), "dropped_out"),  # never hit
    ("LB05", date(2026, 3, 19), "suspected"),  # no label event
    ("LB01", date(2026, 4, 5), "returned"),
]
LEFT = ("LB04", date(2026, 3, 26))  # taken off the registry: lost from sight

PACK = """pack: own
title: {{zh: "本县", en: "Own"}}
rules:
  - id: own-late
    title: {{zh: "经常迟到", en: "Often late"}}
    when: {when}
    points: {points}
    {more}
    action: talk-with-child
    reason: {{zh: "近20个上学日迟到早退率 {{late_rate_20d}}", en: "Late on {{late_rate_20d}}"}}
    source: {{zh: "本县规定", en: "rule of the county"}}
    tests:
      - {{given: {{late_rate_20d: 1}}, expect: hit}}
      - {{given: {{late_rate_20d: 0}}, expect: miss}}
      - {{given: {{}}, expect: unknown}}
"""


def write_rule(workspace: Workspace, when: str, points: float = 0.5, more: str = "") -> None:
    """Write the pack with the rule own-late."""
    text = PACK.format(when=when, points=points, more=more or "family: lateness")
    (workspace.rules / "own.yaml").write_text(text, "utf-8")


def remove_rule(workspace: Workspace) -> None:
    """Take the pack away."""
    (workspace.rules / "own.yaml").unlink()


def set_made(run: Run, when: datetime) -> None:
    """Give a run another time at which it was made, so that tests need not wait."""
    path = run.folder.path / RUN_FILE
    info = json.loads(path.read_text("utf-8")) | {"made": when.isoformat(timespec="seconds")}
    path.write_text(json.dumps(info), "utf-8")


def place(root: Path, **config: Any) -> Workspace:
    """Return the village, not yet scored."""
    workspace = Workspace.init(root, Config(horizon_days=HORIZON, lang="en", **config))
    for pack in workspace.rules.glob("*.yaml"):
        if pack.stem not in ("attendance", "groups", "actions"):
            pack.unlink()
    tables = village_tables()
    days = [FIRST + timedelta(days=n) for n in range(40)]
    marks = [
        (child, day, "late" if (number * 7 + day.toordinal() * 3) % 10 < number else "present")
        for number, child in enumerate(EVERYBODY, start=1)
        for day in days
        if day.weekday() < 5 and child != UNKNOWN
    ]
    tables["attendance"] = rows(
        "attendance",
        student_id=[child for child, _, _ in marks],
        date=[day for _, day, _ in marks],
        status=[status for _, _, status in marks],
    )
    for name, table in tables.items():
        load(workspace, name, table)
    write_rule(workspace, "late_rate_20d >= 0.5")
    return workspace


def add_outcomes(workspace: Workspace) -> Workspace:
    """Load the outcomes, and a later snapshot in which one child has left."""
    load(
        workspace,
        "outcomes",
        rows(
            "outcomes",
            student_id=[child for child, _, _ in OUTCOMES],
            date=[day for _, day, _ in OUTCOMES],
            event=[event for _, _, event in OUTCOMES],
        ),
    )
    load(
        workspace,
        "students",
        rows(
            "students",
            student_id=[LEFT[0]],
            snapshot_date=[date(2026, 4, 1)],
            school_id=["VB"],
            grade=[7],
            class_id=["7.1"],
            left_on=[LEFT[1]],
        ),
    )
    return workspace.set_config(outcomes_complete_until=COMPLETE)


@dataclass(frozen=True)
class Story:
    """The workspace and its runs in the order in which they were made."""

    workspace: Workspace
    runs: tuple[Run, ...]


def story(root: Path) -> Story:
    """Score while the rule changes: see the comments for what `rule_history` has to tell."""
    workspace = place(root)
    runs = [score(workspace, DAYS[0])]  # made by an older program: its rules.json is taken away
    (runs[0].folder.path / RULES_FILE).unlink()
    runs.append(score(workspace, DAYS[1]))  # first seen
    write_rule(workspace, "late_rate_20d  >=  0.50", 0.7)  # points; the condition is spelt anew
    runs.append(score(workspace, DAYS[2]))
    write_rule(workspace, "late_rate_20d >= 0.3", 0.7, "floor: watch")  # condition, floor
    runs.append(score(workspace, DAYS[3]))
    remove_rule(workspace)  # gone
    runs.append(score(workspace, DAYS[4]))
    write_rule(workspace, "late_rate_20d >= 0.3", 0.7, "floor: watch")  # back, as it was
    runs.append(score(workspace, DAYS[4]))
    label = put_model(workspace)
    with workspace.lock("test"):
        registry.promote(workspace, label)
    runs.append(score(workspace, DAYS[4]))  # another weight: 0
    write_rule(workspace, "late_rate_20d >= 0.3", 0.9, "floor: high")  # not yet scored
    for number, run in enumerate(runs):
        set_made(
            run, datetime.fromisoformat("2026-04-12T08:00:00+00:00") + timedelta(minutes=number)
        )
    return Story(add_outcomes(workspace), tuple(runs))


def scores(run: Run) -> list[dict[str, Any]]:
    """Read scores.parquet into plain Python."""
    import pyarrow.parquet as pq

    found: list[dict[str, Any]] = pq.read_table(run.folder.path / SCORES_FILE).to_pylist()
    return found
