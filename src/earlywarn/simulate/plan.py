"""What to generate: the plan, the two profiles, and the exact counts that follow from them.

Profile `city` has the rates of the report that this project was made from; profile `poor-rural`
those of Yi et al. 2012 (International Journal of Educational Development 32(4)): 5.7 % leave
between grades 7 and 8, 9.0 % between 8 and 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from earlywarn.errors import Lang, UsageError

Array = npt.NDArray[Any]

CITY_STUDENTS = 66_259
LAST_YEAR = 2025  # the last school year begins on 1 September of this year
LEAST_STUDENTS, MOST_STUDENTS = 100, 1_000_000
MOST_YEARS = 6


@dataclass(frozen=True)
class Profile:
    """The rates of one kind of place; shares of the cohort unless said otherwise."""

    poor: float
    boarders: float
    boarding_aid: float
    dropouts: dict[int, float]  # by grade: of those who begin the school year, how many leave
    returned_dropouts: float  # of a year's dropouts, how many come back within the year
    worrying: float  # children whose absence grows and who stay
    left_behind: float
    migrant: float
    over_age: tuple[float, float]  # one year, two years
    seat_rural: bool  # whether the county towns count as rural too
    base_rate: float


PROFILES: dict[str, Profile] = {
    "city": Profile(
        poor=7_114 / CITY_STUDENTS,
        boarders=3_839 / CITY_STUDENTS,
        boarding_aid=1_787 / CITY_STUDENTS,
        # Counted for the city as a whole (22 in a year); here only how the grades share them.
        dropouts={7: 0.24, 8: 0.45, 9: 0.31},
        returned_dropouts=0.15,
        worrying=420 / CITY_STUDENTS,
        left_behind=0.12,
        migrant=0.10,
        over_age=(0.05, 0.007),
        seat_rural=False,
        base_rate=0.0003,
    ),
    "poor-rural": Profile(
        poor=0.31,
        boarders=0.19,
        boarding_aid=0.12,
        dropouts={7: 0.057, 8: 0.090, 9: 0.02},
        returned_dropouts=0.0,
        worrying=0.015,
        left_behind=0.34,
        migrant=0.02,
        over_age=(0.15, 0.04),
        seat_rural=True,
        base_rate=0.02,
    ),
}

# Schools of the city by kind: (kind, is it private) and how many.
SCHOOL_KINDS: tuple[tuple[str, bool, int], ...] = (
    ("primary", False, 36),
    ("teaching_point", False, 43),
    ("junior", False, 37),
    ("nine_year", False, 48),
    ("nine_year", True, 2),
)


@dataclass(frozen=True)
class Plan:
    """What `simulate` is asked for.

    Parameters
    ----------
    students
        Size of the cohort on the first school day of the last school year (100 to 1,000,000).
    years
        School years, the last of which is 2025-09-01 to 2026-06-30 (1 to 6).
    profile
        `city` or `poor-rural`.
    seed
        The same plan gives the same tables, byte for byte.
    csv
        Also write the tables as canonical CSV into `source`.
    lang
        The language that the new workspace's config names.
    """

    students: int = CITY_STUDENTS
    years: int = 3
    profile: str = "city"
    seed: int = 20260901
    csv: bool = False
    lang: Lang = "zh"

    def check(self) -> None:
        """Raise `UsageError` where a number is out of range or the profile unknown."""
        if not LEAST_STUDENTS <= self.students <= MOST_STUDENTS:
            raise UsageError(
                zh=f"--students 应在 {LEAST_STUDENTS} 到 {MOST_STUDENTS} 之间，"
                f"不是 {self.students}。",
                en=f"--students is {LEAST_STUDENTS} to {MOST_STUDENTS}, not {self.students}.",
            )
        if not 1 <= self.years <= MOST_YEARS:
            raise UsageError(
                zh=f"--years 应在 1 到 {MOST_YEARS} 之间，不是 {self.years}。",
                en=f"--years is 1 to {MOST_YEARS}, not {self.years}.",
            )
        if self.profile not in PROFILES:
            raise UsageError(
                zh=f"--profile 只能是 {'、'.join(PROFILES)}，不是 {self.profile}。",
                en=f"--profile is {' or '.join(PROFILES)}, not {self.profile}.",
            )
        if self.seed < 0:
            raise UsageError(
                zh=f"--seed 不能是负数（{self.seed}）。",
                en=f"--seed cannot be negative ({self.seed}).",
            )

    @property
    def rates(self) -> Profile:
        """The profile's rates."""
        return PROFILES[self.profile]

    def scaled(self, of_city: float, least: int = 0) -> int:
        """Return a count of the full city scaled to this plan's students, at least `least`."""
        return max(least, int(of_city * self.students / CITY_STUDENTS + 0.5))


@dataclass(frozen=True)
class Facts:
    """The counts that hold exactly on the first school day of the last year."""

    primary: int
    junior: int
    poor: int
    boarders: int
    boarding_aid: int
    dropouts: int  # of the last school year; profile city only, else 0 (see Profile.dropouts)
    schools: tuple[int, ...]  # one count for each of SCHOOL_KINDS

    @property
    def grade_sizes(self) -> list[int]:
        """Children in grades 1 to 9; cohorts shrink a little from year to year."""
        return stage_sizes(self.primary, 6) + stage_sizes(self.junior, 3)


def facts(plan: Plan) -> Facts:
    """Return the exact counts of a plan, in proportion to the full city's."""
    rates = plan.rates
    primary, junior = largest_remainder(plan.students, [42_342, 23_917])
    boarders = int(rates.boarders * plan.students + 0.5)
    return Facts(
        primary=primary,
        junior=junior,
        poor=int(rates.poor * plan.students + 0.5),
        boarders=boarders,
        boarding_aid=min(boarders, int(rates.boarding_aid * plan.students + 0.5)),
        dropouts=plan.scaled(22, least=1) if plan.profile == "city" else 0,
        schools=_school_counts(plan),
    )


def _school_counts(plan: Plan) -> tuple[int, ...]:
    total = plan.scaled(sum(count for _, _, count in SCHOOL_KINDS), least=6)
    counts = largest_remainder(total, [count for _, _, count in SCHOOL_KINDS])
    for index, (_, private, _) in enumerate(SCHOOL_KINDS):
        if counts[index] == 0 and not private:  # every public kind is there, however small
            counts[int(np.argmax(counts))] -= 1
            counts[index] = 1
    return tuple(counts)


def stage_sizes(total: int, grades: int) -> list[int]:
    """Split a stage's children over its grades, each grade 2.8 % larger than the one below."""
    return largest_remainder(total, [1.028**grade for grade in range(grades)])


def largest_remainder(total: int, weights: Sequence[float]) -> list[int]:
    """Split `total` in proportion to `weights` into whole numbers that add up to it."""
    exact = np.asarray(weights, dtype=np.float64) / sum(weights) * total
    whole = np.floor(exact + 1e-9).astype(np.int64)
    for index in np.argsort(whole - exact, kind="stable")[: total - int(whole.sum())]:
        whole[index] += 1
    return [int(n) for n in whole]


def choose(rng: np.random.Generator, log_weight: Array, count: int) -> Array:
    """Draw `count` different places, likelier the higher `log_weight` (-inf: never); sorted."""
    keys = log_weight + rng.gumbel(size=len(log_weight))
    count = min(count, int(np.isfinite(log_weight).sum()))
    if count <= 0:
        return np.empty(0, dtype=np.int64)
    return np.sort(np.argsort(-keys, kind="stable")[:count])
