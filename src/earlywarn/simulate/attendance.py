"""The generated city's attendance, and which days its schools handed in.

Each term is a matrix of school days by children, filled from what is rare (lateness, illness,
leave, episodes): silence is presence only where the school has reported.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from earlywarn.simulate.arrow import dates, pick
from earlywarn.simulate.outcomes import Episode, Lives
from earlywarn.simulate.people import FIRST_JUNIOR, People
from earlywarn.simulate.plan import Array, Plan
from earlywarn.simulate.registry import HOME_TEACHING, Traits, class_codes
from earlywarn.simulate.schools import Schools
from earlywarn.simulate.terms import Term, Terms, choose_some, day_of

STATUSES = ("present", "late", "left_early", "sick", "leave", "unexcused", "home_teaching")
PRESENT, LATE, LEFT_EARLY, SICK, LEAVE, UNEXCUSED, TAUGHT_AT_HOME = range(7)
# How likely an illness begins, by month.
SEASON = {9: 0.8, 10: 0.8, 11: 1.1, 12: 1.7, 1: 1.9, 2: 1.4, 3: 1.3, 4: 0.9, 5: 0.7, 6: 0.7}
# Spells a child and 100 school days: mean number, and the chance that a spell goes on a day more.
SPELLS = {LATE: (0.30, 0.0), LEFT_EARLY: (0.08, 0.0), SICK: (0.50, 0.45), LEAVE: (0.22, 0.2)}
SKIPPING = 0.015
# How schools hand in: at once; with the last days missing for a while; with days never handed in;
# by class, where a class is sometimes missing.
PROMPT, BEHIND, WITH_GAPS, BY_CLASS = range(4)
REPORTING_SHARES = (0.85, 0.06, 0.05, 0.04)
ROWS_AT_ONCE = 4_000_000


class Attendance:
    """Makes the attendance and the reported days, term by term."""

    def __init__(
        self,
        plan: Plan,
        people: People,
        traits: Traits,
        schools: Schools,
        terms: Terms,
        lives: Lives,
        rng: np.random.Generator,
    ) -> None:
        self.people, self.traits, self.schools, self.terms = people, traits, schools, terms
        self.lives, self.rng = lives, rng
        self.reporting = rng.choice(4, size=schools.count, p=REPORTING_SHARES)
        taught = np.flatnonzero(traits.placement == HOME_TEACHING)
        self.taught = taught
        self.visited = dict(zip(taught.tolist(), (rng.random(len(taught)) < 0.65), strict=True))

    def term(self, term: Term) -> tuple[pa.Table, Iterator[pa.Table]]:
        """Return a term's reported days, and its attendance in parts by date.

        In the last year every day of every child has a row, in the others only what is not
        plainly present. Rows are in order of date and child.
        """
        people = self.people
        there = people.at_school(term.year) & (people.join <= term.last)
        rows = np.flatnonzero(there & (people.leave > term.first))
        school = people.school(term.index)[rows]
        status = self._status(term, rows, school)
        reported = self._reported(term)
        classes = class_codes(people, self.traits, self.schools, term.index)[rows]
        counts, missing, table = self._by_class(term, rows, school, classes, reported)
        counts &= term.days[:, None] >= people.join[rows]
        counts &= term.days[:, None] < people.leave[rows]
        place = np.full(people.count, -1)
        place[rows] = np.arange(len(rows))
        for child, start, until in self.lives.away:
            if place[child] >= 0:
                counts[(term.days >= start) & (term.days < until), place[child]] = False
        counts &= ~missing
        if term.year < people.last_year:
            counts &= status != PRESENT
        return table, self._parts(term, rows, status, counts)

    def _parts(self, term: Term, rows: Array, status: Array, counts: Array) -> Iterator[pa.Table]:
        step = max(1, ROWS_AT_ONCE // max(1, len(rows)))
        if term.year < self.people.last_year:
            step = len(term.days)
        for first in range(0, len(term.days), step):
            flat = np.flatnonzero(counts[first : first + step])
            day, child = np.divmod(flat, len(rows))
            yield pa.table(
                {
                    "student_id": self.people.ids.take(pa.array(rows[child])),
                    "date": dates(term.days[first + day]),
                    "status": pick(STATUSES, status[first : first + step].ravel()[flat]),
                    "session": pa.nulls(len(flat), pa.string()),
                }
            )

    def _status(self, term: Term, rows: Array, school: Array) -> Array:
        """Return each child's status on each day of a term, as if it always were enrolled."""
        people, rng = self.people, self.rng
        days = len(term.days)
        status = np.zeros((days, len(rows)), dtype=np.uint8)
        junior = people.grade(term.year)[rows] >= FIRST_JUNIOR
        season = np.array([SEASON[day_of(day).month] for day in term.days])
        for code, (mean, more) in SPELLS.items():
            weight = season if code == SICK else np.ones(days)
            rate = mean * days / 100 * people.frailty[rows]
            self._spells(status, code, rate, weight, more)
        skipping = SKIPPING * np.where(junior, 2.5, 0.5) * np.exp(-0.5 * people.ability[rows])
        self._spells(status, UNEXCUSED, skipping, np.ones(days), 0.1)
        for sick_school in np.flatnonzero(rng.random(self.schools.count) < 0.15):
            self._outbreak(status, np.flatnonzero(school == sick_school), season)
        place = np.full(people.count, -1)
        place[rows] = np.arange(len(rows))
        first = int(np.searchsorted(self.terms.days, term.first))
        for episode in self.lives.episodes:
            if place[episode.child] >= 0 and episode.first < first + days and episode.end > first:
                self._episode(status[:, place[episode.child]], episode, first)
        for child in self.taught:
            if place[child] >= 0:
                at_home = rng.random(days) < (0.93 if self.visited[int(child)] else 0.0)
                status[:, place[child]] = np.where(at_home, TAUGHT_AT_HOME, LEAVE)
        return status

    def _spells(self, status: Array, code: int, rate: Array, weight: Array, more: float) -> None:
        """Put spells of `code` into the matrix: Poisson many a child, of geometric length."""
        rng = self.rng
        days, children = status.shape
        child = np.repeat(np.arange(children), rng.poisson(rate))
        begin = np.searchsorted(np.cumsum(weight / weight.sum()), rng.random(len(child)))
        length = rng.geometric(1 - more, len(child))
        ends = np.cumsum(length)
        offset = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - length, length)
        day = np.repeat(begin, length) + offset
        inside = day < days
        status[day[inside], np.repeat(child, length)[inside]] = code

    def _outbreak(self, status: Array, children: Array, season: Array) -> None:
        """A week in which many of a school fall ill at once."""
        rng = self.rng
        days = len(status)
        begin = int(np.searchsorted(np.cumsum(season / season.sum()), rng.random()))
        ill = children[rng.random(len(children)) < 0.07]
        start = begin + rng.integers(0, 5, len(ill))
        for more in range(3):
            still = rng.random(len(ill)) < (1.0, 0.8, 0.4)[more]
            day = start + more
            inside = still & (day < days)
            status[day[inside], ill[inside]] = SICK

    def _episode(self, column: Array, episode: Episode, first: int) -> None:
        """Overlay one child's growing absence on its column; `first` is the term's first day."""
        rng = self.rng
        begin = max(episode.first - first, 0)
        end = min(episode.end - first, len(column))
        at = np.arange(begin, end)
        progress = (at + first - episode.first + 1) / (episode.end - episode.first)
        chance = (
            0.03 + episode.peak * progress**2
            if episode.falls
            else episode.peak * np.sin(np.pi * np.minimum(progress, 1.0))
        )
        kind = rng.random(len(at))
        excused, unwell = (0.25, 0.10) if episode.falls else (0.30, 0.25)
        absent = np.where(kind < excused, LEAVE, np.where(kind < excused + unwell, SICK, UNEXCUSED))
        is_late = rng.random(len(at)) < 0.25 * progress
        now = np.where(is_late, LATE, column[begin:end])
        now = np.where(rng.random(len(at)) < chance, absent, now)
        column[begin:end] = np.where(at + first >= episode.run_from, UNEXCUSED, now)

    def _reported(self, term: Term) -> Array:
        """Return (schools, days): whether the school has handed in the day."""
        rng = self.rng
        days = len(term.days)
        reported = term.open.copy()
        is_last = term.index == len(self.terms.terms) - 1
        for school in np.flatnonzero(self.reporting == BEHIND):
            stretches = [days] if is_last else [int(rng.integers(30, days))]
            stretches.append(int(rng.integers(20, days - 20)))
            for end in stretches:
                reported[school, end - int(rng.integers(3, 8)) : end] = False
        for school in np.flatnonzero(self.reporting == WITH_GAPS):
            reported[school, 5 + choose_some(rng, days - 5, days // 25)] = False
        return reported

    def _by_class(
        self, term: Term, rows: Array, school: Array, classes: Array, reported: Array
    ) -> tuple[Array, Array, pa.Table]:
        """Return who counts when, whose class is missing when, and the rows of reported_days."""
        rng = self.rng
        counts = reported[school].T.copy()
        missing = np.zeros_like(counts)
        whole = self.reporting != BY_CLASS
        inhabited = np.zeros(self.schools.count, dtype=bool)
        inhabited[school] = True
        day, place = np.nonzero((reported & (whole & inhabited)[:, None]).T)
        days, places, class_ids = [term.days[day]], [place], [np.full(len(day), -1)]
        for each in np.flatnonzero(~whole & inhabited):
            for code in np.unique(classes[school == each]):
                handed_in = reported[each] & (rng.random(len(term.days)) > 0.02)
                missing[:, (school == each) & (classes == code)] = ~handed_in[:, None]
                listed = term.days[handed_in]
                days.append(listed)
                places.append(np.full(len(listed), each))
                class_ids.append(np.full(len(listed), code))
        code = np.concatenate(class_ids)
        table = pa.table(
            {
                "school_id": self.schools.ids.take(pa.array(np.concatenate(places))),
                "class_id": pa.array(code, pa.int64(), mask=code < 0).cast(pa.string()),
                "date": dates(np.concatenate(days)),
            }
        )
        return counts, missing, table
