"""What the runs of a workspace remember of one rule: since when it is used, and what was changed.

Each run keeps the rules that were in force on its day in rules.json. Runs are read in the order in
which they were made, whatever days they are of; those without rules.json, made by an older version
of the program, and damaged ones are left out and counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from earlywarn.errors import EarlywarnError
from earlywarn.rules.pack import Rule, RuleBook, load_rulebook
from earlywarn.rules.record import OF_THE_FOLDER, Difference, Record, differences, record
from earlywarn.scoring.run import RunFolder, run_folders
from earlywarn.workspace import Workspace

EventKind = Literal["first", "changed", "gone", "back"]
PendingKind = Literal["none", "changed", "new", "removed", "not_due"]


@dataclass(frozen=True)
class RunRef:
    """One run: the day it is of, its number, when it was made (UTC), and with which model."""

    as_of: date
    number: int
    made: str
    model: str

    def as_dict(self) -> dict[str, Any]:
        """Return the run for `--json`."""
        return {
            "as_of": self.as_of.isoformat(),
            "number": self.number,
            "made": self.made,
            "model": self.model,
        }


@dataclass(frozen=True)
class Event:
    """What a run shows that the runs made before it did not."""

    kind: EventKind
    run: RunRef
    differences: tuple[Difference, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the event for `--json`."""
        return {
            "kind": self.kind,
            "run": self.run.as_dict(),
            "changes": [difference.as_dict() for difference in self.differences],
        }


@dataclass(frozen=True)
class RuleHistory:
    """One rule over all runs.

    Attributes
    ----------
    runs
        How many runs say which rules they used.
    older, damaged
        How many runs don't, and how many cannot be read.
    events
        In the order in which the runs were made.
    last
        The rule as the newest run that used it has it.
    pending
        What of the rules folder as it is now no run has seen: "changed" (see `pending_changes`),
        "new", "removed"; "not_due" if no run has used it as it is dated now, and it is not in
        force on the newest run's day.
    """

    rule_id: str
    runs: int
    older: int
    damaged: int
    events: tuple[Event, ...]
    last: Record | None
    pending: PendingKind
    pending_changes: tuple[Difference, ...] = ()

    @property
    def first_seen(self) -> RunRef | None:
        """The run, of those that say which rules they used, that was the first to use it."""
        return self.events[0].run if self.events else None

    def as_dict(self) -> dict[str, Any]:
        """Return the history for `--json`."""
        return {
            "runs_read": self.runs,
            "runs_without_rules": self.older,
            "runs_damaged": self.damaged,
            "first_seen": self.first_seen.as_dict() if self.first_seen else None,
            "events": [event.as_dict() for event in self.events],
            "not_yet_scored": {
                "kind": self.pending,
                "changes": [difference.as_dict() for difference in self.pending_changes],
            },
        }


def rule_history(
    workspace: Workspace, rule_id: str, rulebook: RuleBook | None = None
) -> RuleHistory:
    """Return the history of a rule; without events if no run has used it.

    `rulebook` is the rules folder as it is now (None: it is read).
    """
    book = rulebook or load_rulebook(workspace.rules)
    runs: list[tuple[RunRef, dict[str, dict[str, Any]]]] = []
    older = damaged = 0
    for folder in all_runs(workspace):
        try:
            used = folder.rules()
            info = folder.info()
        except EarlywarnError:
            damaged += 1
            continue
        if used is None:
            older += 1
            continue
        made, model = str(info.get("made", "")), str(info.get("model", ""))
        runs.append((RunRef(folder.as_of, folder.number, made, model), used))
    runs.sort(key=lambda run: (run[0].made, run[0].as_of, run[0].number))
    past = _Past()
    for ref, used in runs:
        past.add(ref, used.get(rule_id))
    now = tuple(rule for rule in book.rules if rule.id == rule_id)
    pending, changes = past.pending(now, runs[-1][0].as_of if runs else None)
    return RuleHistory(
        rule_id, len(runs), older, damaged, tuple(past.events), past.last, pending, changes
    )


def all_runs(workspace: Workspace) -> list[RunFolder]:
    """Return every run, by as-of date and number."""
    return [run for day in _days(workspace) for run in run_folders(workspace, day)]


def newest_runs(workspace: Workspace) -> list[RunFolder]:
    """Return the newest run of each as-of date, by date."""
    runs = (run_folders(workspace, day) for day in _days(workspace))
    return [folders[-1] for folders in runs if folders]


def _days(workspace: Workspace) -> list[date]:
    days = []
    for path in workspace.runs.glob("*-*-*"):
        try:
            days.append(date.fromisoformat(path.name))
        except ValueError:
            continue
    return sorted(days)


class _Past:
    """Goes through the runs in order. Versions of a rule with other effective dates are told apart,
    so that scoring an earlier day again is no change.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.last: Record | None = None
        self.is_gone = False
        self._versions: dict[str, Record] = {}

    def add(self, run: RunRef, found: Record | None) -> None:
        if found is None:
            due = any(_covers(version, run.as_of) for version in self._versions.values())
            if due and not self.is_gone:
                self.is_gone = True
                self.events.append(Event("gone", run))
            return
        changes = differences(self._like(found), found) if self.last is not None else ()
        if self.last is None:
            self.events.append(Event("first", run))
        elif self.is_gone:
            self.events.append(Event("back", run, changes))
        elif changes:
            self.events.append(Event("changed", run, changes))
        self.is_gone = False
        self.last = found
        self._versions[str(found.get("effective"))] = found

    def pending(
        self, now: tuple[Rule, ...], newest: date | None
    ) -> tuple[PendingKind, tuple[Difference, ...]]:
        """Compare with the rules folder; `newest` is the day of the newest run."""
        if newest is None:
            return "none", ()
        if not now:
            used = self.last is not None and not self.is_gone
            return ("removed" if used else "none"), ()
        due = next((rule for rule in now if rule.in_force(newest)), None)
        if self.last is None or self.is_gone:
            return ("new" if due else "not_due"), ()
        records = [record(rule, None) for rule in now]
        known = [found for found in records if str(found["effective"]) in self._versions]
        if not known:  # its dates were changed: of the versions only one in force says anything
            if due is None:
                return "not_due", ()
            known = [record(due, None)]
        changes = tuple(
            change
            for found in known
            for change in differences(self._like(found), found, OF_THE_FOLDER)
        )
        return ("changed" if changes else "none"), changes

    def _like(self, found: Record) -> Record:
        """Return the last record of the same effective dates, else the last one."""
        same = self._versions.get(str(found.get("effective")))
        last = same if same is not None else self.last
        assert last is not None  # noqa: S101
        return last


def _covers(rule: Record, day: date) -> bool:
    """Whether a rule as recorded is in force on `day`."""
    effective = rule.get("effective")
    return effective is None or effective[0] <= day.isoformat() <= effective[1]
