"""The generated city's school calendar: terms, holidays, make-up Saturdays, schools' own days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from earlywarn.simulate.arrow import dates, pick
from earlywarn.simulate.plan import LAST_YEAR, Array, Plan
from earlywarn.simulate.schools import Schools

# Lunar feasts by calendar year: spring festival, Qingming, dragon boat, mid-autumn (month, day).
FEASTS: dict[int, tuple[tuple[int, int], ...]] = {
    2020: ((1, 25), (4, 4), (6, 25), (10, 1)),
    2021: ((2, 12), (4, 4), (6, 14), (9, 21)),
    2022: ((2, 1), (4, 5), (6, 3), (9, 10)),
    2023: ((1, 22), (4, 5), (6, 22), (9, 29)),
    2024: ((2, 10), (4, 4), (6, 10), (9, 17)),
    2025: ((1, 29), (4, 4), (5, 31), (10, 6)),
    2026: ((2, 17), (4, 5), (6, 19), (9, 25)),
}
EPOCH = date(1970, 1, 1)
MONDAY, TUESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = 0, 1, 3, 4, 5, 6


def number(day: date) -> int:
    """Return a date as days since 1970-01-01."""
    return (day - EPOCH).days


def day_of(days: int) -> date:
    """Return the date of a number of days since 1970-01-01."""
    return EPOCH + timedelta(days=int(days))


@dataclass(frozen=True)
class Term:
    """One term. Days are days since 1970-01-01."""

    index: int  # 0 = the first autumn
    year: int  # 0 = the first school year
    snapshot: int  # the day of the registry snapshot: 1 September, or the spring's first day
    first: int
    last: int
    midterm: int
    final: int
    name: str  # 2025年秋季 or 2026年春季
    days: Array  # every day that is a school day for at least one school
    open: Array  # bool (schools, days): whether the day is a school day there


@dataclass(frozen=True)
class Terms:
    """All terms, the calendar table, and the end of the data."""

    terms: tuple[Term, ...]
    calendar: pa.Table
    days: Array  # all school days of all terms
    end: int  # the last day of the data, 30 June

    @property
    def first(self) -> int:
        """1 September of the first school year."""
        return self.terms[0].snapshot

    def year_start(self, year: int) -> int:
        """1 September of school year `year` (0 = the first)."""
        return self.terms[2 * year].snapshot

    def year_end(self, year: int) -> int:
        """30 June of school year `year`."""
        return number(date(day_of(self.year_start(year)).year + 1, 6, 30))


def make_terms(plan: Plan, schools: Schools, rng: np.random.Generator) -> Terms:
    """Return the terms of the plan's school years and the calendar table."""
    city: dict[date, bool] = {}
    bounds: list[tuple[date, date]] = []
    for start in range(LAST_YEAR - plan.years + 1, LAST_YEAR + 1):
        autumn, spring = _year_bounds(start)
        bounds += [autumn, spring]
        off, made_up = _holidays(start)
        day = date(start, 9, 1)
        while day < date(start + 1, 9, 1):
            inside = any(first <= day <= last for first, last in (autumn, spring))
            weekday = day.weekday() < SATURDAY
            city[day] = inside and (day in made_up or (weekday and day not in off))
            day += timedelta(days=1)
    own = _own_days(plan, schools, rng, city)
    calendar = _calendar(schools, city, own)
    terms = []
    for index, (first, last) in enumerate(bounds):
        extra = {day for day, _, is_open in own if is_open and first <= day <= last}
        listed = sorted(
            {d for d, is_open in city.items() if is_open and first <= d <= last} | extra
        )
        is_open = np.tile([city[d] for d in listed], (schools.count, 1))
        for day, members, value in own:
            if day in listed:
                is_open[members, listed.index(day)] = value
        days = np.array([number(d) for d in listed], dtype=np.int32)
        autumn_term = index % 2 == 0
        middle = date(first.year, 11, 12) if autumn_term else date(first.year, 4, 22)
        terms.append(
            Term(
                index=index,
                year=index // 2,
                snapshot=number(date(first.year, 9, 1) if autumn_term else first),
                first=int(days[0]),
                last=int(days[-1]),
                midterm=int(days[np.searchsorted(days, number(middle))]),
                final=int(days[-6]),
                name=f"{first.year}年{'秋' if autumn_term else '春'}季",
                days=days,
                open=is_open,
            )
        )
    all_days = np.concatenate([term.days for term in terms])
    return Terms(tuple(terms), calendar, all_days, number(date(LAST_YEAR + 1, 6, 30)))


def _year_bounds(start: int) -> tuple[tuple[date, date], tuple[date, date]]:
    """First and last day of the autumn and the spring term of the school year from `start`."""
    feast = date(start + 1, *FEASTS[start + 1][0])
    autumn_end = feast - timedelta(days=11)
    while autumn_end.weekday() != FRIDAY:
        autumn_end -= timedelta(days=1)
    spring = max(feast + timedelta(days=7), date(start + 1, 2, 15))
    while spring.weekday() in (SATURDAY, SUNDAY):
        spring += timedelta(days=1)
    return (date(start, 9, 1), autumn_end), (spring, date(start + 1, 6, 30))


def _holidays(start: int) -> tuple[set[date], set[date]]:
    """Days off and made-up weekend days of the school year from `start`.

    A feast on Tuesday or Thursday takes the day towards the weekend with it, made up on the
    weekend day on the other side; the long holidays are made up before and after.
    """
    off: set[date] = set()
    made_up: set[date] = set()
    middle = date(start, *FEASTS[start][3])
    national = [date(start, 10, day) for day in range(1, 8)]
    if date(start, 9, 28) <= middle <= date(start, 10, 8):
        national.append(date(start, 10, 8))
    may = [date(start + 1, 5, day) for day in range(1, 6)]
    for block in (national, may):
        off |= set(block)
        before, after = block[0] - timedelta(days=1), block[-1] + timedelta(days=1)
        while before.weekday() != SUNDAY:
            before -= timedelta(days=1)
        while after.weekday() != SATURDAY:
            after += timedelta(days=1)
        made_up |= {before, after}
    single = [middle, date(start + 1, 1, 1)]
    single += [date(start + 1, *FEASTS[start + 1][which]) for which in (1, 2)]
    for feast in single:
        off.add(feast)
        if feast in national or feast in may:
            continue
        if feast.weekday() in (SATURDAY, SUNDAY):
            off.add(feast + timedelta(days=7 - feast.weekday()))
        elif feast.weekday() == TUESDAY:
            off.add(feast - timedelta(days=1))
            made_up.add(feast - timedelta(days=3))
        elif feast.weekday() == THURSDAY:
            off.add(feast + timedelta(days=1))
            made_up.add(feast + timedelta(days=3))
    spring = _year_bounds(start)[1][0]
    for month_start in (spring, date(start, 11, 15), date(start, 12, 13), date(start + 1, 3, 15)):
        saturday = month_start + timedelta(days=(SATURDAY - month_start.weekday()) % 7)
        made_up.add(saturday)  # the city's own make-up Saturdays
    return off, made_up - off


def _own_days(
    plan: Plan, schools: Schools, rng: np.random.Generator, city: dict[date, bool]
) -> list[tuple[date, Array, bool]]:
    """Days on which some schools differ: (day, the schools, whether they are open)."""
    own: list[tuple[date, Array, bool]] = []
    for start in range(LAST_YEAR - plan.years + 1, LAST_YEAR + 1):
        for county in range(0, schools.counties, 3):  # a county sports day, made up on a Saturday
            members = np.flatnonzero(schools.county == county)
            day = date(start, 10, 20) + timedelta(days=int(rng.integers(0, 9)))
            while not city[day] or day.weekday() > FRIDAY:
                day += timedelta(days=1)
            own.append((day, members, False))
            saturday = day + timedelta(days=(SATURDAY - day.weekday()) % 7)
            own.append((saturday, members, True))
        closed = choose_some(rng, schools.count, max(1, schools.count // 40))
        day = date(start + 1, 6, 2) + timedelta(days=int(rng.integers(0, 12)))
        while not city[day]:
            day += timedelta(days=1)
        own.append((day, closed, False))  # closed for high water
    return own


def choose_some(rng: np.random.Generator, of: int, count: int) -> Array:
    """Return `count` different numbers below `of`, sorted."""
    return np.sort(rng.permutation(of)[:count])


def _calendar(
    schools: Schools, city: dict[date, bool], own: list[tuple[date, Array, bool]]
) -> pa.Table:
    days = [number(day) for day in city]
    school = [-1] * len(days)
    is_open = list(city.values())
    seen: dict[tuple[int, int], int] = {}
    for day, members, value in own:
        for member in members:
            key = (number(day), int(member))
            if key in seen:
                is_open[seen[key]] = value
                continue
            seen[key] = len(days)
            days.append(key[0])
            school.append(key[1])
            is_open.append(value)
    return pa.table(
        {
            "date": dates(np.array(days, dtype=np.int32)),
            "school_id": pick(schools.ids, np.array(school)),
            "class_id": pa.nulls(len(days), pa.string()),
            "is_school_day": pa.array(is_open, pa.bool_()),
        }
    )
