"""What the follow-up's cases tell the registers: placements, people, every persuasion.

Everything is as it stood on the as-of date: `as_known` leaves out what is dated later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from earlywarn.followup.answers import DATES
from earlywarn.followup.escalation import By, Escalation, Step
from earlywarn.followup.ledger import Case, Entry
from earlywarn.followup.ledger.views import Question, candidates, case_of
from earlywarn.followup.states import State
from earlywarn.report.registers.lines import PLACED, UNPLACED, Episode, Event

PersuasionKind = Literal["contact", "visit", "notice"]

_BY_STATE: dict[State, PersuasionKind] = {State.CONTACTED: "contact", State.VISITED: "visit"}
_BY_FIELD: dict[str, PersuasionKind] = {"contacted_on": "contact", "visited_on": "visit"}
_OFFICES: dict[PersuasionKind, By] = {
    "contact": "teacher",
    "visit": "leader",
    "notice": "township",
}
# The events of a child on no registry: no table has them.
_EVENTS = {
    State.DROPPED_OUT: "dropped_out",
    State.RETURNED: "returned",
    State.TRANSFERRED: "transferred",
}


@dataclass(frozen=True, slots=True)
class Persuasion:
    """One contact, visit or notice: when, by whom (a name or the office), what was found.

    `where`, `cause` and `outcome` are codes of `followup.answers`.
    """

    case: Case
    on: date
    kind: PersuasionKind
    by: str | None
    office: By
    where: str | None
    cause: str | None
    outcome: str | None
    note: str | None
    recorded_by: str


def as_known(case: Case, as_of: date) -> Case | None:
    """Return a case as it stood on a day; None if it was opened later."""
    if case.opened_on > as_of:
        return None
    row = {name: getattr(case, name) for name in Case.__dataclass_fields__}
    return case_of(row, (entry for entry in case.story if entry.happened_on <= as_of))


def placements(cases: Iterable[Case]) -> list[Event]:
    """Return when a child was placed, and when such a placement fell through."""
    found = []
    for case in cases:
        for move in case.moves:
            if move.state is State.PLACED:
                found.append(Event(move.entry.happened_on, PLACED, move.entry.value))
            elif move.before is State.PLACED and move.state is State.OPEN:
                found.append(Event(move.entry.happened_on, UNPLACED))
    return found


def events_of_unregistered(cases: Iterable[Case]) -> list[Event]:
    """Return what cases tell of a child that no table knows."""
    return [
        *placements(cases),
        *(
            Event(move.entry.happened_on, _EVENTS[move.state], cause(case))
            for case in cases
            for move in case.moves
            if move.state in _EVENTS
        ),
    ]


def cause(case: Case) -> str | None:
    """Return the cause that the school gave, None where it gave none or two."""
    answered = case.answers.get("cause")
    return answered.value if answered is not None and not answered.disputed else None


def persuasions(
    cases: Iterable[Case], episodes: Iterable[Episode], escalation: Escalation
) -> list[Persuasion]:
    """Return every contact, visit and notice about a child that was lost, oldest first.

    Those while a line is open, and in a case of absence those that went before it: the guardian is
    called and visited before an absence is reported. Told twice of a day it is one.
    """
    spells = tuple(episodes)
    found: dict[tuple[int, date, PersuasionKind], Persuasion] = {}
    for case in cases:
        for one in _told(case, escalation):
            if case.kind != "unregistered" and not _concerns(one, spells):
                continue
            key = (case.id, one.on, one.kind)
            found[key] = _both(found[key], one) if key in found else one
    return sorted(found.values(), key=lambda one: (one.on, one.case.id, one.kind))


def _concerns(one: Persuasion, episodes: Iterable[Episode]) -> bool:
    case = one.case
    for episode in episodes:
        if episode.closed_on is not None and one.on > episode.closed_on:
            continue
        if one.on >= episode.opened_on:
            return True
        ran = case.opened_on <= episode.opened_on and (
            case.closed_on is None or case.closed_on >= episode.opened_on
        )
        if case.kind == "absence" and ran:
            return True
    return False


def _told(case: Case, escalation: Escalation) -> Iterable[Persuasion]:
    standing = candidates(case.story)
    for (as_of, run, field), entries in standing.items():
        if field in DATES:
            yield _answered(case, entries[0], field, (as_of, run), standing)
    steps = {step.id: step for step in escalation.steps(case.kind, case.tier)}
    for entry in case.story:
        step = steps.get(entry.field or "") if entry.kind == "step" else None
        kind = _kind(entry, step)
        if kind is not None:
            yield _done(case, entry, kind, step.by if step else _OFFICES[kind])


def _kind(entry: Entry, step: Step | None) -> PersuasionKind | None:
    if step is not None:
        return "notice" if step.reaches is None else _BY_STATE.get(step.reaches)
    if entry.kind == "state" and entry.value is not None:
        return _BY_STATE.get(State(entry.value))
    return None


def _answered(
    case: Case,
    entry: Entry,
    field: str,
    asked: tuple[date, str],
    standing: Mapping[Question, list[Entry]],
) -> Persuasion:
    def said(other: str) -> str | None:
        entries = standing.get((*asked, other), [])
        return entries[0].value if entries else None

    kind = _BY_FIELD[field]
    office = _OFFICES[kind]
    person = said("contacted_by") if kind == "contact" else None
    return Persuasion(
        case=case,
        on=entry.happened_on,
        kind=kind,
        by=person or _responsible(case, office),
        office=office,
        where=said("where"),
        cause=said("cause"),
        outcome=said("outcome"),
        note=said("next"),
        recorded_by=entry.who,
    )


def _done(case: Case, entry: Entry, kind: PersuasionKind, office: By) -> Persuasion:
    notes = [
        other.value
        for other in case.story
        if other.kind == "note" and other.value and other.at == entry.at
    ]
    return Persuasion(
        case=case,
        on=entry.happened_on,
        kind=kind,
        by=_responsible(case, office),
        office=office,
        where=None,
        cause=None,
        outcome=None,
        note="；".join(notes) or None,
        recorded_by=entry.who,
    )


def _responsible(case: Case, office: By) -> str | None:
    return {"teacher": case.teacher, "leader": case.leader}.get(office)


def _both(one: Persuasion, other: Persuasion) -> Persuasion:
    """Return what two tellings of one persuasion say together."""
    notes = dict.fromkeys(note for note in (one.note, other.note) if note)
    return replace(
        one,
        by=one.by or other.by,
        where=one.where or other.where,
        cause=one.cause or other.cause,
        outcome=one.outcome or other.outcome,
        note="；".join(notes) or None,
    )
