"""What a round found, as people read it: by school, who is away, who came back, what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from earlywarn.errors import Text
from earlywarn.followup.daily.absences import Return, Run, Silence
from earlywarn.followup.daily.hits import Hit
from earlywarn.followup.deadlines import Due
from earlywarn.followup.ledger import Case


@dataclass(frozen=True, slots=True)
class Child:
    """A child as the round names it; what its record leaves empty is empty."""

    student_id: str
    name: str
    class_id: str
    grade: int | None
    teacher: str


@dataclass(frozen=True, slots=True)
class Away:
    """A child that is away without leave.

    `step` is what is due of its case (see `step_today`), None where the ledger says that the case
    has ended. `hits` are the rules with a floor that it hits.
    """

    child: Child
    run: Run
    case: Case | None
    step: Due | None
    hits: tuple[Hit, ...]

    @property
    def responsible(self) -> Text:
        """Whose step it is: the office, and the person's name where one is known."""
        if self.step is None:
            return Text("", "")
        name = self.step.person or (self.child.teacher if self.step.step.by == "teacher" else "")
        office = self.step.step.who
        return Text(f"{office.zh} {name}", f"{office.en} {name}") if name else office


@dataclass(frozen=True, slots=True)
class Back:
    """A child that came back, and when."""

    child: Child
    returned: Return


@dataclass(frozen=True, slots=True)
class SchoolRound:
    """One school: who is away (longest first), who came back, and what it has not handed in."""

    school_id: str
    name: str
    county: str
    township: str
    children: int
    away: tuple[Away, ...]
    back: tuple[Back, ...]
    silences: tuple[Silence, ...]

    @property
    def silent(self) -> bool:
        """Whether nothing of its last school days is handed in, for no class."""
        return sum(one.children for one in self.silences) >= self.children > 0


@dataclass(frozen=True)
class Round:
    """What a round found. `since`: a return after that day is news.

    `opened` and `closed` count what was new to the ledger; `schools` are all schools of the cohort,
    by county, township and id.
    """

    as_of: date
    since: date
    schools: tuple[SchoolRound, ...]
    opened: int
    closed: int
    generated: bool
    folder: Path

    def counts(self) -> dict[str, int]:
        """Return the totals: schools, children, away by day 1, 2 and 3 or more, back, silent."""
        days = [away.run.day for school in self.schools for away in school.away]
        return {
            "schools": len(self.schools),
            "children": sum(school.children for school in self.schools),
            "away": len(days),
            "day_1": days.count(1),
            "day_2": days.count(2),
            "day_3_or_more": sum(day >= 3 for day in days),
            "back": sum(len(school.back) for school in self.schools),
            "not_reported": sum(school.silent for school in self.schools),
            "partly_reported": sum(
                bool(school.silences) and not school.silent for school in self.schools
            ),
        }
