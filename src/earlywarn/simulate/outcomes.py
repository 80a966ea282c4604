"""What becomes of the generated children: who comes and leaves, who drops out, who only worries.

A dropout's way out is an episode: absence without leave grows over 4 to 12 weeks, marks fall, a
run of empty days ends it. For about a fifth nothing shows. Far more children have an episode and
stay, so that a list that names them all is rightly imprecise.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from earlywarn.simulate.arrow import dates, pick
from earlywarn.simulate.people import (
    DIES,
    DROPS_OUT,
    FIRST_JUNIOR,
    GOES_ABROAD,
    LAST_GRADE,
    NEVER,
    TRANSFER_SHARE,
    TRANSFERS,
    Cohorts,
    People,
    movable,
    pick_children,
)
from earlywarn.simulate.plan import Array, Facts, Plan
from earlywarn.simulate.schools import Schools
from earlywarn.simulate.terms import Terms
from earlywarn.words import CAUSES, EVENTS

SILENT = 0.2  # of the dropouts: nothing shows before
LEAVING_EVENT = {TRANSFERS: "transferred", GOES_ABROAD: "abroad", DIES: "deceased"}
CAUSE_SHARES = (0.42, 0.12, 0.06, 0.06, 0.16, 0.10, 0.08)  # in the order of words.CAUSES


@dataclass(frozen=True)
class Episode:
    """One child's growing absence, over school days `first` to `end` (numbers in Terms.days)."""

    child: int
    first: int
    end: int
    peak: float  # chance of absence at its worst
    run_from: int  # from here to `end` the child is away without leave every day
    falls: bool  # whether it grows until the end (a dropout's) or passes


@dataclass
class Lives:
    """Everything that happened, as rows for `outcomes` and as intervals for attendance."""

    child: list[Array] = field(default_factory=list)
    day: list[Array] = field(default_factory=list)
    event: list[Array] = field(default_factory=list)
    cause: list[Array] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)
    away: list[tuple[int, int, int]] = field(default_factory=list)  # child, from, until (days)
    busy: Array = field(default_factory=lambda: np.zeros(0, dtype=bool))  # more than the ordinary

    def add(self, child: Array, day: Array, event: str, cause: Array | int = -1) -> None:
        """Add events: `child` and `day` of equal length, cause -1 = none given."""
        count = len(child)
        self.child.append(np.asarray(child, dtype=np.int64))
        self.day.append(np.asarray(day, dtype=np.int64))
        self.event.append(np.full(count, EVENTS.index(event), dtype=np.int64))
        self.cause.append(np.broadcast_to(np.asarray(cause, dtype=np.int64), (count,)))


def live(
    plan: Plan,
    facts: Facts,
    cohorts: Cohorts,
    people: People,
    schools: Schools,
    terms: Terms,
    rng: np.random.Generator,
) -> Lives:
    """Decide who joins, leaves, moves, drops out and returns; fill people.join, leave and moves."""
    lives = Lives(busy=np.zeros(people.count, dtype=bool))
    last = plan.years - 1
    born_school = np.array([terms.year_start(0)] * people.count)
    for year in range(plan.years):  # who begins grade 1 within the data joins on that 1 September
        born_school[people.grade(year) == 1] = terms.year_start(year)
    people.join[:] = born_school
    for (group, year, why), count in sorted(cohorts.gone.items(), key=lambda item: item[0][2]):
        allowed = (people.group == group) & (people.leave == NEVER)
        weight = people.risk(2 * year) if why == DROPS_OUT else None
        chosen = pick_children(rng, people, allowed, count, weight)
        people.why[chosen] = why
        people.leave[chosen] = -1 - year  # the day comes below
        lives.busy[chosen] = True
    _joiners(plan, cohorts, people, terms, rng, lives)
    for year in range(last):
        going = people.leave == -1 - year
        _leave(lives, people, terms, year, np.flatnonzero(going), rng)
    _last_year(plan, facts, cohorts, people, terms, rng, lives)
    for year in range(plan.years):
        _return(lives, people, terms, year, cohorts.returning[year], rng)
        _long_leaves(plan, lives, people, terms, year, rng)
        _worry(plan, lives, people, terms, year, rng)
        _move(plan, lives, people, schools, terms, year, rng)
        _graduate(lives, people, terms, year)
    return lives


def _free(lives: Lives, people: People, terms: Terms, year: int) -> Array:
    """Whether a child is at school all year long and has nothing out of the ordinary."""
    free = people.at_school(year) & (people.leave > terms.year_end(year))
    free &= people.join <= terms.year_start(year)
    return free & ~lives.busy


def _joiners(
    plan: Plan,
    cohorts: Cohorts,
    people: People,
    terms: Terms,
    rng: np.random.Generator,
    lives: Lives,
) -> None:
    last = plan.years - 1
    for group, count in cohorts.joining.items():  # during the last year: beyond the exact cohort
        allowed = (people.group == group) & (people.leave == NEVER)
        allowed &= ~lives.busy
        chosen = pick_children(rng, people, allowed, count, None)
        low, high = terms.year_start(last) + 9, terms.year_end(last) - 40
        people.join[chosen] = _school_days(terms, rng.integers(low, high, len(chosen)))
        lives.busy[chosen] = True
    for year in range(last + 1) if last else ():
        # In the first year only during it, in the last only on its first day: it is exact.
        at_the_edge = year in (0, last)
        count = int(TRANSFER_SHARE * plan.students * (0.5 if at_the_edge else 1.0) + 0.5)
        allowed = (people.grade(year) >= 2) & people.at_school(year) & (people.leave == NEVER)
        allowed &= (people.join <= terms.year_start(0)) & ~lives.busy
        chosen = pick_children(rng, people, allowed, count, None)
        low, high = terms.year_start(year) + 9, terms.year_end(year) - 40
        days = _school_days(terms, rng.integers(low, high, len(chosen)))
        first_day = rng.random(len(chosen)) < (float(year == last) if at_the_edge else 0.5)
        people.join[chosen] = np.where(first_day, terms.year_start(year), days)


def _school_days(terms: Terms, days: Array) -> Array:
    """Return the first school day not before each day (the last one if there is none)."""
    at = np.minimum(np.searchsorted(terms.days, days), len(terms.days) - 1)
    return terms.days[at]


def _causes(rng: np.random.Generator, count: int) -> Array:
    return rng.choice(len(CAUSES), size=count, p=np.array(CAUSE_SHARES))


def _leave(
    lives: Lives,
    people: People,
    terms: Terms,
    year: int,
    going: Array,
    rng: np.random.Generator,
) -> None:
    """Give everybody who goes in `year` a day and an event, dropouts an episode too."""
    for why, event in LEAVING_EVENT.items():
        chosen = going[people.why[going] == why]
        summer = rng.random(len(chosen)) < 0.35
        low, high = terms.year_start(year) + 9, terms.year_end(year) - 5
        days = np.where(
            summer & (why == TRANSFERS) & (year < people.last_year),
            terms.year_end(year) + rng.integers(5, 55, len(chosen)),
            _school_days(terms, rng.integers(low, high, len(chosen))),
        )
        # Who finishes grade 9 graduates on 30 June and does not move on in summer.
        days = np.where(people.grade(year)[chosen] == LAST_GRADE, np.minimum(days, high), days)
        people.leave[chosen] = days
        lives.add(chosen, days, event)
    chosen = going[people.why[going] == DROPS_OUT]
    people.leave[chosen] = _drop(lives, terms, year, chosen, rng)


def _drop(lives: Lives, terms: Terms, year: int, chosen: Array, rng: np.random.Generator) -> Array:
    """Make `chosen` drop out in `year`; return the days on which that became known."""
    first = int(np.searchsorted(terms.days, terms.year_start(year)))
    spring = int(np.searchsorted(terms.days, terms.terms[2 * year + 1].first))
    end = int(np.searchsorted(terms.days, terms.year_end(year)))
    count = len(chosen)
    anywhere = rng.integers(first + 20, end - 4, count)
    after_break = np.where(rng.random(count) < 0.5, first, spring) + rng.integers(8, 26, count)
    at = np.where(rng.random(count) < 0.3, after_break, anywhere)
    silent = rng.random(count) < SILENT
    run = rng.integers(5, 21, count)
    length = rng.integers(20, 61, count)  # 4 to 12 weeks
    peak = rng.uniform(0.35, 0.8, count)
    known_before = rng.random(count) < 0.7
    for n in range(count):
        if silent[n]:
            continue
        begin = max(0, int(at[n] - run[n] - length[n]))
        run_from = max(begin, int(at[n] - run[n]))
        episode = Episode(int(chosen[n]), begin, int(at[n]), float(peak[n]), run_from, True)
        lives.episodes.append(episode)
        if known_before[n]:
            day = terms.days[min(run_from + 3, int(at[n]) - 1)]
            lives.add(chosen[n : n + 1], np.array([day]), "suspected")
    days = terms.days[at]
    lives.add(chosen, days, "dropped_out", _causes(rng, count))
    lives.busy[chosen] = True
    return days


def _last_year(
    plan: Plan,
    facts: Facts,
    cohorts: Cohorts,
    people: People,
    terms: Terms,
    rng: np.random.Generator,
    lives: Lives,
) -> None:
    """Who leaves during the last year is taken out of its exact cohort."""
    year = plan.years - 1
    grade = people.grade(year)
    risk = people.risk(2 * year)
    rates = plan.rates.dropouts
    chosen: list[Array] = []
    free = _free(lives, people, terms, year)
    if plan.profile == "city":
        by_grade = np.array([0.0] * FIRST_JUNIOR + [rates[g] for g in (7, 8, 9)])
        weight = risk + np.log(by_grade[np.clip(grade, FIRST_JUNIOR, LAST_GRADE)])
        wanted = facts.dropouts - cohorts.returning[year]
        junior = free & (grade >= FIRST_JUNIOR)
        chosen.append(pick_children(rng, people, junior, wanted, weight))
    else:
        enrolled = people.join <= terms.year_start(year)
        enrolled &= people.leave > terms.year_start(year)
        for each, rate in rates.items():
            count = int(rate * int((enrolled & (grade == each)).sum()) + 0.5)
            chosen.append(pick_children(rng, people, free & (grade == each), count, risk))
    people.why[np.concatenate(chosen)] = DROPS_OUT
    lives.busy[np.concatenate(chosen)] = True
    for why, count in (
        (TRANSFERS, int(0.004 * plan.students + 0.5)),
        (GOES_ABROAD, plan.scaled(4)),
        (DIES, plan.scaled(1)),
    ):
        picked = pick_children(rng, people, _free(lives, people, terms, year), count, None)
        people.why[picked] = why
        lives.busy[picked] = True
        chosen.append(picked)
    _leave(lives, people, terms, year, np.concatenate(chosen), rng)


def _return(
    lives: Lives, people: People, terms: Terms, year: int, count: int, rng: np.random.Generator
) -> None:
    """Children who drop out and come back within the year."""
    allowed = _free(lives, people, terms, year) & (people.grade(year) >= FIRST_JUNIOR)
    chosen = pick_children(rng, people, allowed, count, people.risk(2 * year))
    days = _drop(lives, terms, year, chosen, rng)
    latest = np.searchsorted(terms.days, terms.year_end(year)) - 1
    back = np.minimum(np.searchsorted(terms.days, days) + rng.integers(10, 50, len(chosen)), latest)
    returned = terms.days[back]
    lives.add(chosen, returned, "returned")
    lives.away += list(zip(chosen.tolist(), days.tolist(), returned.tolist(), strict=True))


def _long_leaves(
    plan: Plan,
    lives: Lives,
    people: People,
    terms: Terms,
    year: int,
    rng: np.random.Generator,
) -> None:
    allowed = _free(lives, people, terms, year) & (people.grade(year) < LAST_GRADE)
    chosen = pick_children(rng, people, allowed, plan.scaled(40, least=1), None)
    low, high = terms.year_start(year) + 15, terms.year_end(year) - 20
    days = _school_days(terms, rng.integers(low, high, len(chosen)))
    back = _school_days(terms, days + rng.integers(45, 190, len(chosen)))
    lives.add(chosen, days, "long_leave", CAUSES.index("health"))
    # Who would come back after the end of the data, or after leaving, is still away.
    comes = (rng.random(len(chosen)) < 0.65) & (back > days) & (back < terms.end - 5)
    lives.add(chosen[comes], back[comes], "returned")
    until = np.where(comes, back, NEVER)
    lives.away += list(zip(chosen.tolist(), days.tolist(), until.tolist(), strict=True))
    lives.busy[chosen] = True


def _worry(
    plan: Plan,
    lives: Lives,
    people: People,
    terms: Terms,
    year: int,
    rng: np.random.Generator,
) -> None:
    """Children with worrying absence who stay; some are suspected, and come back."""
    grade = people.grade(year)
    allowed = _free(lives, people, terms, year) & (grade >= 4)
    weight = 0.6 * people.risk(2 * year) + np.where(grade >= FIRST_JUNIOR, 2.0, 0.0)
    count = max(2, int(plan.rates.worrying * plan.students + 0.5))
    chosen = pick_children(rng, people, allowed, count, weight)
    first = int(np.searchsorted(terms.days, terms.year_start(year)))
    end = int(np.searchsorted(terms.days, terms.year_end(year)))
    begin = rng.integers(first, end - 15, len(chosen))
    finish = np.minimum(begin + rng.integers(15, 61, len(chosen)), end)
    peak = rng.beta(2.0, 2.6, len(chosen))
    with_run = rng.random(len(chosen)) < 0.25
    runs = rng.integers(2, 9, len(chosen))
    comes_back = rng.random(len(chosen)) < 0.75
    for n, child in enumerate(chosen):
        run = int(runs[n]) if with_run[n] else 0
        stop = int(finish[n])
        run_from = max(int(begin[n]), stop - run)
        lives.episodes.append(
            Episode(int(child), int(begin[n]), stop, float(peak[n]), run_from, False)
        )
        if run >= 4:
            one = chosen[n : n + 1]
            lives.add(one, terms.days[[min(run_from + 3, stop - 1)]], "suspected")
            if comes_back[n] and stop < end:
                lives.add(one, terms.days[[stop]], "returned")
    lives.busy[chosen] = True


def _move(
    plan: Plan,
    lives: Lives,
    people: People,
    schools: Schools,
    terms: Terms,
    year: int,
    rng: np.random.Generator,
) -> None:
    """Moves between the city's schools, in the summer or the winter break."""
    for half in (0, 1):
        term = 2 * year + half
        if term == 0:
            continue
        before = people.grade((term - 1) // 2)
        now = people.grade(year)
        same = (before >= FIRST_JUNIOR) == (now >= FIRST_JUNIOR)
        allowed = _free(lives, people, terms, year) & same & (before >= 1)
        allowed &= people.join < terms.terms[term - 1].last
        chosen = pick_children(rng, people, allowed, plan.scaled(75, least=1), None)
        days = terms.terms[term].snapshot - rng.integers(4, 9, len(chosen))
        old = people.school(term)[chosen]
        target = np.empty(len(chosen), dtype=np.int64)
        for junior in (False, True):
            pool = movable(schools, junior)
            wanted = np.flatnonzero((now[chosen] >= FIRST_JUNIOR) == junior)
            target[wanted] = pool[rng.integers(0, len(pool), len(wanted))]
        really = target != old
        chosen, days, target = chosen[really], days[really], target[really]
        people.move_term[chosen] = term
        people.move_to[chosen] = target
        lives.add(chosen, days, "transferred")
        lives.busy[chosen] = True


def _graduate(lives: Lives, people: People, terms: Terms, year: int) -> None:
    """Everybody who is in grade 9 on 30 June graduates on that day."""
    day = terms.year_end(year)
    finishing = (people.grade(year) == LAST_GRADE) & (people.leave > day) & (people.join < day)
    chosen = np.flatnonzero(finishing)
    people.leave[chosen] = day
    lives.add(chosen, np.full(len(chosen), day), "graduated")


def outcomes_table(people: People, lives: Lives) -> pa.Table:
    """Return the rows of `outcomes`, by day and child."""
    child, day = np.concatenate(lives.child), np.concatenate(lives.day)
    event, cause = np.concatenate(lives.event), np.concatenate(lives.cause)
    order = np.lexsort((event, child, day))
    return pa.table(
        {
            "student_id": people.ids.take(pa.array(child[order])),
            "date": dates(day[order]),
            "event": pick(EVENTS, event[order]),
            "cause": pick(CAUSES, cause[order]),
        }
    )
