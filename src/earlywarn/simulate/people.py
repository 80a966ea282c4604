"""The generated children: cohorts, where they go to school, and what lies behind their lives."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from earlywarn.simulate.names import registry_numbers
from earlywarn.simulate.plan import LAST_YEAR, Array, Facts, Plan, choose, largest_remainder
from earlywarn.simulate.schools import (
    JUNIOR,
    MAIN_JUNIOR,
    NINE_YEAR,
    STAYS_IN_NINE_YEAR,
    TEACHING_POINT,
    TEACHING_POINT_GRADES,
    Schools,
)
from earlywarn.simulate.terms import Terms

NEVER = 99_999  # a day beyond every calendar
LAST_GRADE, FIRST_JUNIOR = 9, 7
COHORT_GROWTH = 1.028
TRANSFER_SHARE = 0.006  # of the children, each year, out of the city and into it
# Why a child is gone for good.
STAYS, DROPS_OUT, TRANSFERS, GOES_ABROAD, DIES = range(5)
# parents_away
NONE_AWAY, ONE_AWAY, BOTH_AWAY = range(3)
# guardians, in the order of registry.GUARDIANS
MOTHER, FATHER, GRANDMOTHER, GRANDFATHER, MATERNAL, RELATIVE = range(6)


@dataclass(frozen=True)
class Cohorts:
    """How many children of each age group stay, and how many are gone before the last year.

    An age group is known by the grade it has in the last year: 1 to 9, and 10 and more for those
    who have finished.
    """

    stay: dict[int, int]
    gone: dict[tuple[int, int, int], int]  # (age group, school year, why) -> children
    joining: dict[int, int]  # who comes during the last year
    returning: tuple[int, ...]  # of each year's dropouts, how many come back

    def size(self, group: int) -> int:
        """All children who are ever of this age group."""
        left = sum(count for (g, _, _), count in self.gone.items() if g == group)
        return self.stay[group] + left + self.joining.get(group, 0)


def make_cohorts(plan: Plan, facts: Facts, rng: np.random.Generator) -> Cohorts:
    """Work out the sizes backwards from the last year, whose first day is exact."""
    last = plan.years - 1
    stay = dict(enumerate(facts.grade_sizes, start=1))
    for group in range(10, 10 + last):
        stay[group] = max(1, round(stay[group - 1] * COHORT_GROWTH))
    gone: dict[tuple[int, int, int], int] = {}
    after = dict(stay)
    returning = [0] * plan.years
    for year in range(last - 1, -1, -1):
        groups = [g for g in stay if 1 <= g - (last - year) <= LAST_GRADE]
        out = largest_remainder(
            int(TRANSFER_SHARE * plan.students + 0.5), [after[g] for g in groups]
        )
        for group, count in zip(groups, out, strict=True):
            gone[group, year, TRANSFERS] = count
        for why, count in ((GOES_ABROAD, plan.scaled(4)), (DIES, plan.scaled(1))):
            for group in rng.choice(groups, size=count):
                key = (int(group), year, why)
                gone[key] = gone.get(key, 0) + 1
        for group in groups:
            after[group] += sum(gone.get((group, year, why), 0) for why in (2, 3, 4))
        drops, returning[year] = _dropouts(plan, after, year, rng)
        for group, count in drops.items():
            gone[group, year, DROPS_OUT] = count
            after[group] += count
    grades = list(range(1, LAST_GRADE + 1))
    coming = largest_remainder(
        int(TRANSFER_SHARE / 2 * plan.students + 0.5), [stay[g] for g in grades]
    )
    if plan.profile == "city":
        returning[last] = int(plan.rates.returned_dropouts * facts.dropouts + 0.5)
    return Cohorts(stay, gone, dict(zip(grades, coming, strict=True)), tuple(returning))


def _dropouts(
    plan: Plan, after: dict[int, int], year: int, rng: np.random.Generator
) -> tuple[dict[int, int], int]:
    """Dropouts of an earlier year by age group, who do not come back; and how many others do."""
    shift = plan.years - 1 - year
    rates = plan.rates.dropouts
    if plan.profile != "city":
        return {
            grade + shift: int(rate / (1 - rate) * after[grade + shift] + 0.5)
            for grade, rate in rates.items()
        }, 0
    total = max(1, round((22 + int(rng.integers(-5, 6))) * plan.students / 66_259))
    back = int(plan.rates.returned_dropouts * total + 0.5)
    split = rng.multinomial(total - back, list(rates.values()))
    return {grade + shift: int(n) for grade, n in zip(rates, split, strict=True)}, back


@dataclass
class People:
    """All children who are ever in the data, in order of their ids; arrays have one entry each.

    Arrays with a second axis have one column for each term.
    """

    ids: pa.Array
    group: Array  # the grade in the last year; 10 and more: finished
    last_year: int
    male: Array
    birth: Array
    county: Array
    primary: Array  # school of grades 1-3
    centre: Array  # school of grades 4-6
    junior: Array  # school of grades 7-9
    rural: Array
    over_age: Array
    ability: Array  # standard normal; marks follow it
    hardship: Array  # standard normal; poverty follows it
    frailty: Array  # mean 1; illness follows it
    migrant: Array
    away: Array  # parents_away by term
    guardian: Array  # by term
    move_term: Array = field(init=False)  # first term at another school of the city
    move_to: Array = field(init=False)
    join: Array = field(init=False)  # first day in the city's schools
    leave: Array = field(init=False)  # first day no longer there
    why: Array = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.group)
        self.move_term = np.full(count, 99, dtype=np.int64)
        self.move_to = np.full(count, -1, dtype=np.int32)
        self.join = np.zeros(count, dtype=np.int32)
        self.leave = np.full(count, NEVER, dtype=np.int32)
        self.why = np.zeros(count, dtype=np.int8)

    @property
    def count(self) -> int:
        """How many children there are."""
        return len(self.group)

    def grade(self, year: int) -> Array:
        """The grade in a school year: below 1 not yet, above 9 no longer at school."""
        return self.group - (self.last_year - year)

    def at_school(self, year: int) -> Array:
        """Whether the child is of school age in a year (it may not have come, or have left)."""
        grade = self.grade(year)
        return (grade >= 1) & (grade <= LAST_GRADE)

    def school(self, term: int) -> Array:
        """The school in a term (for those of school age)."""
        grade = self.grade(term // 2)
        school = np.where(
            grade <= TEACHING_POINT_GRADES,
            self.primary,
            np.where(grade < FIRST_JUNIOR, self.centre, self.junior),
        )
        moved = (self.move_term <= term) & (self.move_to >= 0)
        same_stage = (grade >= FIRST_JUNIOR) == (
            self.group - (self.last_year - self.move_term // 2) >= FIRST_JUNIOR
        )
        return np.where(moved & same_stage, self.move_to, school)

    def risk(self, term: int) -> Array:
        """Log-weight of dropping out, as the children's lives make it (term: whose guardians)."""
        changed = np.zeros(self.count)
        if term > 0:
            changed = (self.guardian[:, term] != self.guardian[:, term - 1]).astype(float)
        return np.asarray(
            1.2 * self.over_age
            + 0.5 * self.hardship
            + 0.6 * (self.away[:, term] > 0)
            + 1.2 * changed * (self.away[:, term] > 0)
            - 0.8 * self.ability
        )


def make_people(
    plan: Plan,
    facts: Facts,
    cohorts: Cohorts,
    schools: Schools,
    terms: Terms,
    rng: np.random.Generator,
) -> People:
    """Draw all children: age, sex, schools, and the latent traits. Nobody has left yet."""
    group = np.concatenate([np.full(cohorts.size(g), g, dtype=np.int64) for g in cohorts.stay])
    count = len(group)
    rates = plan.rates
    male = rng.random(count) < 0.53
    late = rng.random(count)
    over_age = (late < sum(rates.over_age)).astype(np.int8) + (late < rates.over_age[1])
    # Six full years old on the 1 September of grade 1: born from 2 September on, over a year.
    born = LAST_YEAR - group.astype(np.int64) - 5 - over_age
    first = (born - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64) - 121
    birth = (first + rng.integers(0, 365, count)).astype(np.int32)
    primary = rng.choice(schools.count, size=count, p=schools.weight / schools.weight.sum())
    county = schools.county[primary]
    ids = registry_numbers(county, birth, male)
    order = pc.sort_indices(ids).to_numpy()
    primary = primary[order]
    junior = _juniors(schools, primary, rng)
    rural = schools.rural[primary]
    hardship = rng.standard_normal(count) + 0.5 * rural
    ability = rng.standard_normal(count) - 0.15 * hardship - 0.35 * over_age[order]
    migrant = rng.random(count) < _tilted(rates.migrant, rural, 0.7)
    away, guardian = _homes(plan, rural, migrant, 2 * plan.years, rng)
    return People(
        ids=ids.take(pa.array(order)),
        group=group[order],
        last_year=plan.years - 1,
        male=male[order],
        birth=birth[order],
        county=county[order],
        primary=primary,
        centre=schools.centre[primary],
        junior=junior,
        rural=rural,
        over_age=over_age[order],
        ability=ability,
        hardship=hardship,
        frailty=rng.gamma(3.0, 1 / 3.0, count),
        migrant=migrant,
        away=away,
        guardian=guardian,
    )


def _tilted(rate: float, rural: Array, ratio: float) -> Array:
    """Return a probability for each child: `ratio` times as likely in the country, mean `rate`."""
    share = float(rural.mean())
    town = rate / (share * ratio + 1 - share)
    return np.where(rural, town * ratio, town)


def _juniors(schools: Schools, primary: Array, rng: np.random.Generator) -> Array:
    """Return the school of grades 7-9: the same, the county's nearest, or another there."""
    count = len(primary)
    centre = schools.centre[primary]
    junior = schools.main_junior[primary].copy()
    chance = rng.random(count)
    other = chance > MAIN_JUNIOR
    all_juniors = np.flatnonzero(schools.kind == JUNIOR)
    for county in range(schools.counties):
        there = np.flatnonzero(other & (schools.county[primary] == county))
        local = all_juniors[schools.county[all_juniors] == county]
        pool = local if len(local) else all_juniors
        junior[there] = pool[rng.integers(0, len(pool), len(there))]
    stays = (schools.kind[centre] == NINE_YEAR) & (rng.random(count) < STAYS_IN_NINE_YEAR)
    return np.where(stays, centre, junior)


def _homes(
    plan: Plan, rural: Array, migrant: Array, terms: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return parents_away and guardian by term; both change now and then."""
    count = len(rural)
    rate = plan.rates.left_behind
    target = _tilted(rate, rural, 1.6) * np.where(migrant, 0.3, 1.0)
    target *= rate / float(target.mean())
    away = np.zeros((count, terms), dtype=np.int8)
    guardian = np.zeros((count, terms), dtype=np.int8)
    now = _draw_away(rng, target, count)
    who = _draw_guardian(rng, now)
    for term in range(terms):
        if term:
            again = rng.random(count) < 0.04
            drawn = _draw_away(rng, target, count)
            changed = again & (drawn != now)
            now = np.where(changed, drawn, now)
            leaves = changed | (rng.random(count) < np.where(now == BOTH_AWAY, 0.07, 0.006))
            who = np.where(leaves, _draw_guardian(rng, now), who)
        away[:, term] = now
        guardian[:, term] = who
    return away, guardian


def _draw_away(rng: np.random.Generator, target: Array, count: int) -> Array:
    both = rng.random(count) < 0.6
    working = np.where(both, BOTH_AWAY, ONE_AWAY)
    return np.where(rng.random(count) < target, working, NONE_AWAY)


def _draw_guardian(rng: np.random.Generator, away: Array) -> Array:
    chances = np.array(
        [
            [0.58, 0.36, 0.03, 0.02, 0.01, 0.0],
            [0.55, 0.20, 0.13, 0.05, 0.05, 0.02],
            [0.0, 0.0, 0.48, 0.22, 0.20, 0.10],
        ]
    ).cumsum(axis=1)
    chance = rng.random(len(away))
    drawn: Array = np.minimum((chance[:, None] > chances[away]).sum(axis=1), RELATIVE)
    return drawn


def movable(schools: Schools, junior: bool) -> Array:
    """Return the schools that a child of the stage may move to."""
    wanted = (JUNIOR, NINE_YEAR) if junior else (0, NINE_YEAR)
    return np.flatnonzero(np.isin(schools.kind, wanted) & (schools.kind != TEACHING_POINT))


def pick_children(
    rng: np.random.Generator, people: People, allowed: Array, count: int, log_weight: Array | None
) -> Array:
    """Draw `count` different children out of `allowed` (bool), by weight if one is given."""
    base = np.zeros(people.count) if log_weight is None else log_weight
    return choose(rng, np.where(allowed, base, -np.inf), count)
