"""The generated city's counties, townships and schools. All names are made up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from earlywarn.simulate.arrow import booleans, pick
from earlywarn.simulate.names import county_name, township_name, village_name
from earlywarn.simulate.plan import SCHOOL_KINDS, Array, Facts, Plan

KINDS = ("primary", "teaching_point", "junior", "nine_year")
PRIMARY, TEACHING_POINT, JUNIOR, NINE_YEAR = range(4)
# Children who enter a school's lowest grade each year, about, by kind.
ENTRY_SIZE = {PRIMARY: 95.0, TEACHING_POINT: 12.0, JUNIOR: 0.0, NINE_YEAR: 66.0}
TEACHING_POINT_GRADES = 3  # a teaching point has grades 1-3; then its children go to the centre
STAYS_IN_NINE_YEAR = 0.85
MAIN_JUNIOR = 0.7
PRIVATE_NAMES = ("启明实验学校", "育新实验学校", "求真实验学校", "明德实验学校")


@dataclass(frozen=True)
class Schools:
    """The schools, in order of their ids; arrays have one entry for each."""

    ids: pa.Array
    table: pa.Table
    county: Array
    kind: Array
    private: Array
    rural: Array
    remote: Array
    weight: Array  # how many children enter here in grade 1 (0: no primary grades)
    centre: Array  # a teaching point's school for grades 4-6; otherwise the school itself
    main_junior: Array  # where most of a primary school's children go
    counties: int

    @property
    def count(self) -> int:
        """How many schools there are."""
        return len(self.county)


def make_schools(plan: Plan, facts: Facts, rng: np.random.Generator) -> Schools:
    """Place the plan's schools in counties and townships and say who goes on to which."""
    total = sum(facts.schools)
    counties = min(6, max(2, total // 4)) if total <= 166 else -(-total // 28)
    townships = max(2 * counties, round(total * 51 / 166))
    kind, private = [], []
    for (name, is_private, _), count in zip(SCHOOL_KINDS, facts.schools, strict=True):
        kind += [KINDS.index(name)] * count
        private += [is_private] * count
    # Deal the schools out kind by kind, so that every county has some of each.
    township = np.arange(total) % townships
    seat_wanted = np.array(private)
    township[seat_wanted] %= counties  # private schools stand in the counties' towns,
    point = np.array(kind) == TEACHING_POINT  # teaching points never
    township[point & (township < counties)] += counties
    order = np.lexsort((np.array(kind), township, township % counties))
    kinds, privates, township = np.array(kind)[order], seat_wanted[order], township[order]
    county = township % counties
    seat = township < counties  # the first township of each county is its town
    chance = rng.random(total)
    rural = (~seat | plan.rates.seat_rural) & ~privates
    remote = rural & ~seat & (chance < np.where(kinds == TEACHING_POINT, 0.7, 0.22))
    size = np.array([ENTRY_SIZE[int(k)] for k in kinds]) * rng.lognormal(0.0, 0.35, total)
    weight = size * np.where(seat, 2.2, 1.0) * np.where(remote, 0.7, 1.0)
    # Even in a little place a teaching point has a dozen children, or half a school's share.
    enter = weight > 0
    least = min(12 / (0.3 * plan.students), 0.5 / int(enter.sum())) * float(weight.sum())
    weight = np.where(enter, np.maximum(weight, least), 0.0)
    centre = _centres(kinds, township, county)
    main_junior = _main_juniors(kinds, township, county)
    numbers = np.arange(total) - np.searchsorted(county, county)
    width = max(3, len(str(int(numbers.max()) + 1)))
    ids = pa.array(
        [f"SC{c + 1:02d}{n + 1:0{width}d}" for c, n in zip(county, numbers, strict=True)]
    )
    capacity = np.where(rng.random(total) < 0.1, rng.integers(3, 12, total), -1)
    table = pa.table(
        {
            "school_id": ids,
            "name": pa.array(_names(kinds, privates, township, counties), pa.string()),
            "county": pick([county_name(c) for c in range(counties)], county),
            "township": pick([township_name(t, counties) for t in range(townships)], township),
            "kind": pick(KINDS, kinds),
            "rural": booleans(rural),
            "remote": booleans(remote),
            "capacity": pa.array(capacity, pa.int32(), mask=capacity < 0),
        }
    )
    return Schools(
        ids=ids,
        table=table,
        county=county,
        kind=kinds,
        private=privates,
        rural=rural,
        remote=remote,
        weight=weight,
        centre=centre,
        main_junior=main_junior,
        counties=counties,
    )


def nearest(candidates: Array, county: Array, at: int, salt: int) -> int:
    """Return one of `candidates`, in the county of school `at` if there is one there."""
    same = candidates[county[candidates] == county[at]]
    pool = same if len(same) else candidates
    return int(pool[salt % len(pool)])


def _centres(kinds: Array, township: Array, county: Array) -> Array:
    full = np.flatnonzero((kinds == PRIMARY) | (kinds == NINE_YEAR))
    centre = np.arange(len(kinds))
    for at in np.flatnonzero(kinds == TEACHING_POINT):
        same = full[township[full] == township[at]]
        centre[at] = same[0] if len(same) else nearest(full, county, int(at), int(at))
    return centre


def _main_juniors(kinds: Array, township: Array, county: Array) -> Array:
    juniors = np.flatnonzero(kinds == JUNIOR)
    chosen = np.arange(len(kinds))
    for salt, at in enumerate(np.flatnonzero(kinds != JUNIOR)):
        same = juniors[township[juniors] == township[at]]
        near = int(same[0]) if len(same) else nearest(juniors, county, int(at), salt)
        chosen[at] = near
    return chosen


def _names(kinds: Array, privates: Array, township: Array, counties: int) -> list[str]:
    """Return each school's name; a township's first of a kind has the plain one."""
    names: list[str] = []
    seen: dict[tuple[int, int], int] = {}
    villages: dict[int, int] = {}
    private_count = 0
    for kind, private, place in zip(kinds, privates, township, strict=True):
        town = township_name(int(place), counties)
        if private:
            name = PRIVATE_NAMES[private_count % len(PRIVATE_NAMES)]
            county = county_name(int(place) % counties)
            names.append(f"{county}{name}{_ordinal(private_count // len(PRIVATE_NAMES))}")
            private_count += 1
            continue
        nth = seen.get((int(place), int(kind)), 0)
        seen[int(place), int(kind)] = nth + 1
        village = villages.get(int(place), 0)
        if kind == TEACHING_POINT:
            names.append(f"{town}{village_name(int(place), village)}教学点")
            villages[int(place)] = village + 1
        elif kind == PRIMARY and nth == 0:
            names.append(f"{town}中心小学")
        elif kind == PRIMARY:
            names.append(f"{town}{village_name(int(place), village)}小学")
            villages[int(place)] = village + 1
        elif kind == JUNIOR:
            names.append(f"{town}{_ordinal(nth)}初级中学")
        else:
            names.append(f"{town}{_ordinal(nth)}九年一贯制学校")
    return names


def _ordinal(nth: int) -> str:
    """Return nothing for the first, 第二, 第三 ... for those after it."""
    return "" if nth == 0 else f"第{'一二三四五六七八九十'[nth] if nth < 10 else nth + 1}"
