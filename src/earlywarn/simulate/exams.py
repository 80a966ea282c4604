"""The generated city's marks: finals for every grade, midterms in junior school.

Primary schools have one examination a term, as the rules of 2021 against excess homework say.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from earlywarn.simulate.arrow import dates, decimals
from earlywarn.simulate.outcomes import Lives
from earlywarn.simulate.people import FIRST_JUNIOR, People
from earlywarn.simulate.plan import Array
from earlywarn.simulate.terms import Term, Terms

# Subject, first grade that has it, and the mean share of the full mark in the lowest grades.
SUBJECTS = (
    ("chinese", 1, 0.83),
    ("maths", 1, 0.81),
    ("english", 3, 0.79),
    ("politics", 7, 0.80),
    ("physics", 8, 0.75),
    ("chemistry", 9, 0.77),
)
MAIN = 3  # the first three have a full mark of 120 in junior school
HALF = 500_000  # half a mark in millionths


class Exams:
    """Makes the marks, term by term."""

    def __init__(
        self, people: People, schools: int, terms: Terms, lives: Lives, rng: np.random.Generator
    ) -> None:
        self.people, self.terms, self.lives, self.rng = people, terms, lives, rng
        self.school_effect = 0.03 * rng.standard_normal(schools)
        self.leaning = 0.05 * rng.standard_normal((people.count, len(SUBJECTS)))

    def rows(self, term: Term) -> pa.Table:
        """Return the rows of `exams` that a term brings."""
        return pa.concat_tables(
            [
                self._exam(term, term.midterm, f"{term.name}期中考试", FIRST_JUNIOR),
                self._exam(term, term.final, f"{term.name}期末考试", 1),
            ]
        )

    def _exam(self, term: Term, day: int, name: str, from_grade: int) -> pa.Table:
        people, rng = self.people, self.rng
        grade = people.grade(term.year)
        sits = people.at_school(term.year) & (grade >= from_grade)
        sits &= (people.join <= day) & (people.leave > day)
        for absent, start, until in self.lives.away:
            if start <= day < until:
                sits[absent] = False
        rows = np.flatnonzero(sits)
        loss, gone = self._disengaged(day)
        school = people.school(term.index)[rows]
        form = 0.11 * people.ability[rows] + self.school_effect[school]
        form += 0.045 * rng.standard_normal(len(rows)) - loss[rows]
        form -= 0.012 * np.maximum(0, grade[rows] - 3)
        missing_all = gone[rows] | (rng.random(len(rows)) < 0.004)
        parts = []
        for at, (subject, first, mean) in enumerate(SUBJECTS):
            taking = np.flatnonzero(grade[rows] >= first)
            if not len(taking):
                continue
            child = rows[taking]
            full = np.where((grade[child] >= FIRST_JUNIOR) & (at < MAIN), 120, 100)
            share = mean + form[taking] + self.leaning[child, at]
            share += 0.06 * rng.standard_normal(len(taking))
            halves = np.round(np.clip(share, 0.04, 1.0) * full * 2).astype(np.int64)
            missing = missing_all[taking] | (rng.random(len(taking)) < 0.002)
            parts.append(
                pa.table(
                    {
                        "student_id": people.ids.take(pa.array(child)),
                        "date": dates(np.full(len(child), day)),
                        "exam": _same(name, len(child)),
                        "subject": _same(subject, len(child)),
                        "score": decimals(halves * HALF, missing),
                        "full_mark": decimals(full.astype(np.int64) * 2 * HALF),
                    }
                )
            )
        return pa.concat_tables(parts)

    def _disengaged(self, day: int) -> tuple[Array, Array]:
        """How much each child loses on a day (share of the full mark), and who stays away."""
        loss = np.zeros(self.people.count)
        gone = np.zeros(self.people.count, dtype=bool)
        at = int(np.searchsorted(self.terms.days, day))
        for episode in self.lives.episodes:
            if episode.run_from <= at < episode.end:
                gone[episode.child] = True
            progress = (at - episode.first + 30) / (episode.end - episode.first + 30)
            if episode.falls and progress > 0:
                loss[episode.child] = 0.05 + 0.16 * min(1.0, progress)
            elif 0 < progress < 2:
                loss[episode.child] = 0.10 * episode.peak
        return loss, gone


def _same(text: str, count: int) -> pa.Array:
    return pa.array([text]).take(pa.array(np.zeros(count, dtype=np.int64)))
