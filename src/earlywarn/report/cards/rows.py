"""What a child's card is made of: plain rows, gathered once and shown as a page or as JSON.

Where a role may not see monitored groups, aid and home matters, `groups`, `left_behind` and `aid`
are None for every child alike, whatever stands in the registry.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from earlywarn.errors import Text
from earlywarn.followup.deadlines import Due
from earlywarn.followup.ledger import Case
from earlywarn.followup.story import Scoring
from earlywarn.watchlist.rows import Reason

# `out` is no longer on the registry, or not yet enrolled, for no reason that is on record.
Status = Literal[
    "enrolled",
    "on_leave",
    "dropped_out",
    "transferred",
    "graduated",
    "abroad",
    "deceased",
    "left",
    "out",
    "unregistered",
]


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the child is at school; if it is not, since when (None: not on record)."""

    status: Status
    since: date | None = None

    @property
    def is_at_school(self) -> bool:
        """Whether it is enrolled, be it on long leave."""
        return self.status in ("enrolled", "on_leave")


@dataclass(frozen=True, slots=True)
class Stated:
    """What the registry says of one thing: from `first` on, said last on `last`.

    `until` is the day on which it first says something else; None while it stands. `phone` is a
    guardian's, the last one known.
    """

    value: str
    first: date
    last: date
    until: date | None
    phone: str = ""


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """The file of a left-behind child: the parents' work away, and each guardian, oldest first.

    Attributes
    ----------
    is_member
        Whether the child is left behind by the county's definition; None where it is not known.
    updated
        The newest snapshot that says anything of parents or guardian.
    days
        How old that is.
    is_old
        Whether the file of a left-behind child is out of date.
    """

    is_member: bool | None
    away: tuple[Stated, ...]
    guardians: tuple[Stated, ...]
    updated: date | None
    days: int | None
    is_old: bool


@dataclass(frozen=True, slots=True)
class Aid:
    """Need and aid from `on` until the next row; `gap`: poor, and without aid."""

    on: date
    poverty: str | None
    receives_aid: bool | None
    boarding: bool | None
    boarding_aid: bool | None
    gap: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where the child was taught from `on` until the next row."""

    on: date
    school: str
    grade: int
    class_id: str
    teacher: str


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of `outcomes`; `cause` is None where there is none or the role may not see it."""

    on: date
    event: str
    cause: str | None


@dataclass(frozen=True, slots=True)
class Exam:
    """The child's own marks in one exam: subject to (score or None for absent, full mark).

    `share` is the mean of score / full mark over the subjects taken (None: none).
    """

    name: str
    on: date
    marks: dict[str, tuple[float | None, float]]
    share: float | None


@dataclass(frozen=True, slots=True)
class Scored:
    """One scoring and its reasons; None where they were not worked out (older runs)."""

    run: Scoring
    reasons: tuple[Reason, ...] | None


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with its steps, as of the card's day (no steps once it is closed)."""

    case: Case
    steps: tuple[Due, ...]

    @property
    def next(self) -> Due | None:
        """The open step that is due first."""
        return min((due for due in self.steps if due.open), key=lambda due: due.due, default=None)


@dataclass(frozen=True, slots=True)
class Who:
    """The child as its newest records have it; empty or None where they say nothing."""

    student_id: str
    name: str
    sex: str | None
    birth_date: date | None
    school_id: str
    school: str
    county: str
    grade: int | None
    class_id: str
    enrolled_on: date | None
    boarding: bool | None
    distance_km: float | None
    travel: str | None
    guardian: str
    guardian_phone: str
    homeroom_teacher: str


@dataclass(frozen=True, slots=True)
class ChildCard:
    """Everything on a child's card.

    Attributes
    ----------
    as_of
        The day of attendance, marks and deadlines.
    known
        The day up to which registry, outcomes and ledger are told.
    is_full
        Whether groups, aid and home matters are on it.
    since
        When a child that is no longer at school left it.
    groups, groups_unknown
        The groups that the child is in, and those of which it is not known.
    strip
        (day, mark) of the last 60 school days; of a child that is not at school
        (`strip_is_recorded`) the last 60 days with a record, or where only exceptions are
        recorded the last 60 school days before it left.
    rates
        (feature, value) of attendance.
    """

    as_of: date
    known: date
    is_full: bool
    generated: bool
    who: Who
    status: Status
    since: date | None
    groups: tuple[Text, ...] | None
    groups_unknown: tuple[Text, ...]
    left_behind: LeftBehind | None
    aid: tuple[Aid, ...] | None
    places: tuple[Place, ...]
    events: tuple[Event, ...]
    strip: tuple[tuple[date, str], ...]
    strip_is_recorded: bool
    rates: tuple[tuple[str, float | int | None], ...]
    exams: tuple[Exam, ...]
    scored: tuple[Scored, ...]
    cases: tuple[CaseFile, ...]

    @property
    def running(self) -> tuple[CaseFile, ...]:
        """The cases in which something is due."""
        return tuple(file for file in self.cases if file.case.closed_on is None)
