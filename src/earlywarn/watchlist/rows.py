"""What a watchlist is made of: plain rows, built once by `listing` and written by every format.

They hold no table and no connection, so that they travel to other processes cheaply.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from earlywarn.errors import Lang, Text
from earlywarn.followup.ledger.views import CaseKind
from earlywarn.followup.states import State

Change = Literal["new", "up", "down", "same", "none"]
LISTED_TIERS = ("urgent", "high", "watch")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a child is on the list, in words.

    Attributes
    ----------
    term
        The contribution behind it: a feature's name or `rule:ID`.
    family
        Of the reasons shown there is at most one of a family.
    size
        Log-odds that it adds to the score.
    text
        The sentence with its number, without a full stop.
    basis
        The date it rests on, in words; both empty where there is none.
    on
        That date.
    floor
        The lowest tier that it allows (a rule's), else None.
    action
        Id of the action that its rule names; for a learned table that of the strongest hit of its
        family, if there is one.
    """

    term: str
    family: str
    size: float
    text: Text
    basis: Text
    on: date | None
    floor: str | None
    action: str | None

    def __call__(self, lang: Lang) -> str:
        """Return the sentence and its date: `近20天缺勤率 25%（截至11月20日）`."""
        basis = self.basis(lang)
        if not basis:
            return self.text(lang)
        return f"{self.text.zh}（{basis}）" if lang == "zh" else f"{self.text.en} ({basis})"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a child's place is another than on the list before: the one strongest cause.

    `new` and `worse` (the text is a reason of today), `gone` (a rule's title) and `better` (the
    label of a sign). `term` as in `Reason`.
    """

    kind: Literal["new", "worse", "gone", "better"]
    term: str
    text: Text


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do, by when, by whom. `about`: the due date lies beyond the calendar."""

    action: str
    title: Text
    what: Text
    who: Text
    due: date
    about: bool


@dataclass(frozen=True, slots=True)
class Task:
    """One step of a child's case on its one-page sheet.

    `about`: the due date lies beyond the calendar; `done_on` is None while it is to be done.
    """

    title: Text
    what: Text
    who: Text
    due: date
    about: bool
    done_on: date | None
    overdue: bool


@dataclass(frozen=True, slots=True)
class Followed:
    """What the ledger knows of a listed child, as far as a list on a wall may say it.

    The cause that the school found is not in it. `leader` and `teacher` are the assigned ones;
    `tasks` are the steps of a running case, in order of their dates.

    Attributes
    ----------
    since
        Day 1 of the case.
    outcome
        The last answer's code (`followup.answers.OUTCOMES`): for an authorised role.
    step
        What the case asks for now; None where it asks for nothing.
    overdue
        Steps that are overdue.
    """

    state: State
    kind: CaseKind
    since: date
    leader: str
    teacher: str
    contacted_on: date | None
    visited_on: date | None
    outcome: str | None
    tasks: tuple[Task, ...]
    step: NextStep | None
    overdue: int


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The follow-up as the lists need it, worked out once for all schools.

    Attributes
    ----------
    since
        After this day a case counts as resolved since the last list.
    children
        By student_id, whoever has a running case or one that ended after `since`.
    resolved, overdue
        By school_id: children back, placed or moved to another school since; steps overdue.
    """

    since: date
    children: Mapping[str, Followed]
    resolved: Mapping[str, int]
    overdue: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ListedChild:
    """One row of a school's watchlist.

    `reasons` and `step` are what a school may see; `full_reasons` and `full_step` are what an
    authorised role sees. Nothing that is written for a school may come from these, nor from
    `score`, `log_odds` or `rules_unknown`: they depend on the monitored groups.

    Attributes
    ----------
    change, previous_rank, previous_tier
        Against the list of `Listing.previous_as_of`: `new` (was not listed), `up` and `down` by
        tier, then by rank; `none` if there is nothing to compare with.
    strip
        The last 60 school days, oldest first, one letter a day (`wording.STRIP_CODES`), with `|`
        between calendar weeks; empty if there are none.
    strip_days
        Their dates.
    cause, full_cause
        Why it is new, up or down, from what a school may see, and in full; None where nothing
        stands out or the two lists are not comparable.
    teacher, leader
        Who is responsible: the assigned ones, else the registry's homeroom teacher and nobody.
    case
        Its follow-up; None without a case or a ledger.
    tasks
        What is to be done for an `urgent` child: its case's steps, without a case those that one
        would begin with.
    """

    student_id: str
    name: str
    class_id: str
    grade: int | None
    on_leave: bool
    rank: int
    tier: str
    score: float
    log_odds: float
    change: Change
    previous_rank: int | None
    previous_tier: str | None
    reasons: tuple[Reason, ...]
    full_reasons: tuple[Reason, ...]
    step: NextStep
    full_step: NextStep
    teacher: str
    strip: str
    strip_days: tuple[date, ...]
    rules_unknown: int
    cause: Cause | None = None
    full_cause: Cause | None = None
    leader: str = ""
    case: Followed | None = None
    tasks: tuple[Task, ...] = ()

    @property
    def strip_from(self) -> date | None:
        """The first day of the strip."""
        return self.strip_days[0] if self.strip_days else None

    @property
    def strip_to(self) -> date | None:
        """The last day of the strip."""
        return self.strip_days[-1] if self.strip_days else None


@dataclass(frozen=True, slots=True)
class Silence:
    """One calendar week in which a school did not report all of its school days.

    Of `days` school days between `first` and `last` it reported nothing on `missing`, and for some
    of its classes only on `partly`.
    """

    first: date
    last: date
    days: int
    missing: int
    partly: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What a school's list cannot know.

    Attributes
    ----------
    gap_share
        Share (0-1) of its children's last 20 school days without a record; None if there are none.
    last_day
        The newest school day with a record of any of its children.
    without_attendance
        Children, none of them on leave, without a record in the last 60 school days.
    silent_classes
        The classes of which that is true of every child.
    calendar
        Whether its school days are known; else those with a record stand for them.
    without_marks
        Children of the cohort without a mark in a latest exam.
    last_exam
        Date of the newest exam of any of its children.
    snapshot
        Date of the newest registry record.
    outcomes
        Whether anything at all is known of children who left.
    quarantined
        Rows of the registry, of all schools, that were not accepted: of children on no list.
    silences
        Weeks of the last 60 school days that it did not report, or not wholly, oldest first.
    """

    gap_share: float | None
    last_day: date | None
    without_attendance: int
    silent_classes: tuple[str, ...]
    calendar: bool
    without_marks: int
    last_exam: date | None
    snapshot: date | None
    outcomes: bool
    quarantined: int
    silences: tuple[Silence, ...] = ()


@dataclass(frozen=True, slots=True)
class SchoolList:
    """One school's watchlist for one as-of date.

    `tiers`, `listed` and `cut` count children by tier: in the cohort; on the list; above
    `routine` but left out because the capacity is used up. `left` counts who was on the list
    compared with and is on it no more (None without a comparison). `resolved` and `overdue` are
    the follow-up's (None without a ledger).
    """

    school_id: str
    name: str
    county: str
    township: str
    cohort: int
    capacity: int
    tiers: dict[str, int]
    listed: dict[str, int]
    cut: dict[str, int]
    changes: dict[str, int]
    left: int | None
    limits: Limits
    children: tuple[ListedChild, ...]
    resolved: int | None = None
    overdue: int | None = None

    @property
    def listed_total(self) -> int:
        """How many children are on the list."""
        return len(self.children)

    @property
    def cut_total(self) -> int:
        """How many children above `routine` the capacity left out."""
        return sum(self.cut.values())


@dataclass(frozen=True, slots=True)
class Listing:
    """The watchlists of every school for one as-of date, by county, township and school_id.

    `comparable`: the list before was made with the same model and rules, so that what changed can
    be put down to the children. `resolved_since` is the follow-up's (None without a ledger). The
    workbooks are signed with `key`.
    """

    as_of: date
    model: str
    rules_hash: str
    run: str
    version: str
    generated: bool
    previous_as_of: date | None
    schools: tuple[SchoolList, ...]
    comparable: bool = False
    resolved_since: date | None = None
    key: bytes = b""


@dataclass(frozen=True, slots=True)
class WatchlistFiles:
    """Where the files of a listing lie.

    `schools` maps school_id to (HTML, XLSX); `places` are the pages of counties and townships.
    """

    index: Path
    csv: Path
    json: Path
    schools: dict[str, tuple[Path, Path]]
    places: tuple[Path, ...] = ()
