"""The generated city's household list and poverty list, of which the truth is known.

Both are as of 60 days after the last school year's beginning. In the household list stands every
child of school age that lives there, whoever dropped out too; children whose household is elsewhere
are in no line, and some that are in it are on no roll or not of school age. They are drawn from a
random stream of their own: the registry is the same with and without them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from earlywarn.simulate.arrow import dates, pick
from earlywarn.simulate.names import (
    VILLAGES,
    given_names,
    phones,
    registry_numbers,
    surnames,
)
from earlywarn.simulate.people import DROPS_OUT, FATHER, MATERNAL, MOTHER, People
from earlywarn.simulate.plan import Array, choose
from earlywarn.simulate.registry import GUARDIANS, Registry
from earlywarn.simulate.schools import Schools
from earlywarn.simulate.slips import DOT, make_slips
from earlywarn.simulate.terms import Terms, day_of

DAYS_AFTER_START = 60
LISTED = pa.schema(
    [
        ("name", pa.string()),
        ("birth_date", pa.date32()),
        ("sex", pa.string()),
        ("id_number", pa.string()),
        ("guardian", pa.string()),
        ("guardian_phone", pa.string()),
        ("county", pa.string()),
        ("township", pa.string()),
        ("address", pa.string()),
    ]
)
# A child as a list without slips has it, and another guardian that somebody else might write.
CHILDREN = pa.schema(
    [
        ("noise", pa.string()),
        ("student_id", pa.string()),
        *LISTED,
        ("other_guardian", pa.string()),
        ("other_phone", pa.string()),
    ]
)
TRUTH = pa.schema([("line", pa.int64()), ("student_id", pa.string()), ("noise", pa.string())])
# Each a share of the enrolled children's lines, and the least number in a little place.
ELSEWHERE = 0.03  # enrolled here, household in another city: no line
TWINS = 0.002, 1  # pairs of the registry's children that are written as twins, where there are any
LISTED_AGAIN = 0.005, 2  # a second line, in another household
# Lines of nobody enrolled here. On no roll are 0.3 %: some have a name with a dot; the twin of some
# is enrolled; and so is, elsewhere, another child of some's name and birth date.
STRANGERS = {
    "no_roll": (0.0018, 2),
    "dotted+no_roll": (0.0004, 2),
    "twin+no_roll": (0.0004, 2),
    "namesake+no_roll": (0.0004, 2),
    "too_young": (0.02, 4),
    "too_old": (0.005, 2),
}
UNMARKED = 0.02, 2  # of the poor children: poor, but the registry does not say so
MIGRANT_ELSEWHERE = 4.0  # how much likelier (in logs) a migrant child's household is elsewhere
# In full years on 1 September.
SCHOOL_AGES, OTHER_AGES = (6, 14), {"too_young": (2, 5), "too_old": (16, 16)}
# Names with a dot, as several minorities have them.
OWN_NAMES = ("阿依努", "古丽扎", "巴哈尔", "热依拉", "艾力", "达吾提", "米尔扎", "帕提曼")
FATHERS_NAMES = ("买提", "吐尔逊", "卡德尔", "依明", "尼亚孜", "阿木提", "沙吾提", "哈力克")


@dataclass(frozen=True)
class Lists:
    """The two lists and, for each, whom its lines mean.

    `households` and `poverty` have the columns of LISTED (an empty cell is NULL); the truths those
    of TRUTH: `line` counts from 0, `student_id` is NULL for a child on no roll, and `noise` names
    what is out of the ordinary, joined by `+` (`twin+no_roll+typo`), or says `clean`.
    """

    households: pa.Table
    households_truth: pa.Table
    poverty: pa.Table
    poverty_truth: pa.Table


def make_lists(registry: Registry, rng: np.random.Generator) -> Lists:
    """Draw both lists of the registry's city (seconds for a city)."""
    draw, household_slips, poverty_slips = rng.spawn(3)
    rows = _living_here(registry.people, registry.terms, draw)
    enrolled, twins = _with_twins(_enrolled(registry, rows, draw), draw)
    others = draw.permutation(np.setdiff1d(np.arange(len(rows)), twins))
    twice, others = np.split(others, [_count(LISTED_AGAIN, len(rows))])
    again = _listed_again(registry.schools, enrolled.take(twice), draw)
    strangers, enrolled = _strangers(registry, rows, enrolled, others, draw)
    poor = registry.traits.poverty[rows] > 0
    unmarked = choose(draw, np.where(poor, -np.inf, 0.0), _count(UNMARKED, int(poor.sum())))
    unknown = np.flatnonzero(pc.match_substring(strangers["noise"], "no_roll"))
    needy = [
        enrolled.take(np.flatnonzero(poor)),
        _noted(enrolled, unmarked, "unmarked").take(unmarked),
        strangers.take(unknown[::2]),
    ]
    return Lists(
        *_written(pa.concat_tables([enrolled, again, strangers]), household_slips),
        *_written(pa.concat_tables(needy), poverty_slips),
    )


def _count(of: tuple[float, int], among: int) -> int:
    share, least = of
    return max(least, round(share * among))


def _living_here(people: People, terms: Terms, rng: np.random.Generator) -> Array:
    """Return whose household is here: the enrolled and the dropouts, some left out."""
    day = terms.year_start(people.last_year) + DAYS_AFTER_START
    here = people.at_school(people.last_year) & (people.join <= day)
    here &= (people.leave > day) | (people.why == DROPS_OUT)
    likely = np.where(here, MIGRANT_ELSEWHERE * people.migrant, -np.inf)
    here[choose(rng, likely, round(ELSEWHERE * int(here.sum())))] = False
    return np.flatnonzero(here)


def _enrolled(registry: Registry, rows: Array, rng: np.random.Generator) -> pa.Table:
    """Return the registry's children `rows` as a list without slips has them (CHILDREN)."""
    people, count = registry.people, len(rows)
    # The guardian of the newest record: this autumn's, for a dropout the last before it left.
    before = [term.snapshot for term in registry.terms.terms[: 2 * people.last_year + 1]]
    seen = np.searchsorted(before, people.leave[rows], side="left") - 1
    who = people.guardian[rows, seen].astype(np.int64)
    other = rng.integers(MOTHER, MATERNAL, count)
    other = np.where(other == who, (who + 1) % MATERNAL, other)
    ids = people.ids.take(pa.array(rows))
    return _children(
        noise=pa.array([""] * count),
        student_id=ids,
        name=registry.names.take(pa.array(rows)),
        birth_date=dates(people.birth[rows]),
        sex=pick(("F", "M"), people.male[rows].astype(np.int64)),
        id_number=pc.utf8_slice_codeunits(ids, 1),
        guardian=pick(registry.guardians, who * people.count + rows),
        guardian_phone=pick(registry.phones, who % 2 * people.count + rows),
        other_guardian=pick(registry.guardians, other * people.count + rows),
        other_phone=pick(registry.phones, other % 2 * people.count + rows),
        **_homes(registry.schools, people.primary[rows], rng),
    )


def _children(**columns: pa.Array) -> pa.Table:
    return pa.table({name: columns[name] for name in CHILDREN.names}, schema=CHILDREN)


def _homes(schools: Schools, place: Array, rng: np.random.Generator) -> dict[str, pa.Array]:
    """Return a home near each school of `place`: its county, township and a made-up address."""
    near = schools.table.select(["county", "township"]).take(pa.array(place))
    village = pa.array(VILLAGES).take(pa.array(rng.integers(0, len(VILLAGES), len(place))))
    number = pa.array(rng.integers(1, 200, len(place))).cast(pa.string())
    county, township = (near[name].combine_chunks() for name in near.column_names)
    address = pc.binary_join_element_wise(township, village, "村", number, "号", "")
    return {"county": county, "township": township, "address": address}


def _with_twins(enrolled: pa.Table, rng: np.random.Generator) -> tuple[pa.Table, Array]:
    """Make children of one birth date and family name twins: one home, one guardian.

    Returns the table and the rows of the twins. The second twin's guardian in the registry stays
    another one. Pairs of one county come first.
    """
    birth = enrolled["birth_date"].cast(pa.int32()).to_numpy()
    family = pc.utf8_slice_codeunits(enrolled["name"], 0, 1)
    names, families, counties = (
        pc.rank(column, tiebreaker="dense").to_numpy()
        for column in (enrolled["name"], family, enrolled["county"])
    )
    order = np.lexsort((counties, families, birth))
    first, second = order[:-1], order[1:]
    same = (birth[first] == birth[second]) & (families[first] == families[second])
    place = np.arange(len(same))
    since = place - np.maximum.accumulate(np.where(same, 0, place + 1))
    able = same & (since % 2 == 0) & (names[first] != names[second])
    apart = counties[first] != counties[second]
    likely = np.where(able, np.where(apart, -99.0, 0.0), -np.inf)
    pairs = choose(rng, likely, _count(TWINS, len(order)))
    first, second = first[pairs], second[pairs]
    source = np.arange(len(order))
    source[second] = first
    for name in ("guardian", "guardian_phone", "county", "township", "address"):
        enrolled = _set(enrolled, name, enrolled[name].take(pa.array(source)))
    enrolled = _noted(_noted(enrolled, first, "twin"), second, "twin+other_guardian")
    return enrolled, np.union1d(first, second)


def _set(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), table.field(name), values)


def _noted(table: pa.Table, rows: Array, note: str) -> pa.Table:
    """Add what is out of the ordinary to some rows' noise."""
    noise = table["noise"].to_pylist()
    for row in rows:
        noise[row] = f"{noise[row]}+{note}" if noise[row] else note
    return _set(table, "noise", pa.array(noise, pa.string()))


def _listed_again(schools: Schools, children: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Return the lines of `children` in another household: with other kin, elsewhere."""
    count = children.num_rows
    homes = _homes(schools, rng.integers(0, schools.count, count), rng)
    moved = {"guardian": children["other_guardian"], "guardian_phone": children["other_phone"]}
    for name, values in (moved | homes).items():
        children = _set(children, name, values)
    return _noted(children, np.arange(count), "listed_again+other_guardian")


def _strangers(
    registry: Registry, rows: Array, enrolled: pa.Table, others: Array, rng: np.random.Generator
) -> tuple[pa.Table, pa.Table]:
    """Draw those who are enrolled nowhere here, some as twins or namesakes of rows in `others`.

    Returns their table, and `enrolled` with those twins and namesakes noted.
    """
    people, schools = registry.people, registry.schools
    sizes = [_count(of, len(rows)) for of in STRANGERS.values()]
    kind = np.repeat(list(STRANGERS), sizes)
    count = len(kind)
    twin, namesake = kind == "twin+no_roll", kind == "namesake+no_roll"
    like = np.zeros(count, dtype=np.int64)
    like[twin | namesake] = others[: int((twin | namesake).sum())]
    model = enrolled.take(like)
    alike = rows[like]

    weight = schools.weight / schools.weight.sum()
    place = rng.choice(schools.count, size=count, p=weight)
    place = np.where(namesake & (place == people.primary[alike]), place - 1, place) % schools.count
    place = np.where(twin, people.primary[alike], place)
    first_day = day_of(registry.terms.year_start(people.last_year))
    birth = np.where(twin | namesake, people.birth[alike], _births(kind, first_day, rng))
    male = np.where(namesake, people.male[alike], rng.random(count) < 0.5)
    numbers = registry_numbers(  # after the registry's own, so that none is there twice
        np.concatenate([people.county, schools.county[place]]),
        np.concatenate([people.birth, birth]),
        np.concatenate([people.male, male]),
    ).slice(people.count)
    family = pc.if_else(
        twin, pc.utf8_slice_codeunits(model["name"], 0, 1), surnames(rng, count)
    ).combine_chunks()
    name = _names(family, model["name"], male, rng)
    name = pc.if_else(namesake, model["name"], name)
    name = pc.if_else(kind == "dotted+no_roll", _dotted(count, rng), name)
    parents = {
        MOTHER: _parent(MOTHER, surnames(rng, count), rng),
        FATHER: _parent(FATHER, family, rng),
    }
    by_father = rng.random(count) < 0.4
    home = {
        "guardian": pc.if_else(by_father, parents[FATHER], parents[MOTHER]),
        "guardian_phone": phones(rng, count),
        "other_guardian": pc.if_else(by_father, parents[MOTHER], parents[FATHER]),
        "other_phone": phones(rng, count),
        **_homes(schools, place, rng),
    }
    strangers = _children(
        noise=pa.array(kind),
        student_id=pa.nulls(count, pa.string()),
        name=name,
        birth_date=dates(birth),
        sex=pick(("F", "M"), male.astype(np.int64)),
        id_number=pc.utf8_slice_codeunits(numbers, 1),
        **{column: pc.if_else(twin, model[column], own) for column, own in home.items()},
    )
    enrolled = _noted(enrolled, like[twin], "twin")
    return strangers, _noted(enrolled, like[namesake], "namesake")


def _births(kind: Array, first_day: date, rng: np.random.Generator) -> Array:
    """Return birth dates (days since 1970) that make each as old on the year's first day."""
    birth = np.empty(len(kind), dtype=np.int64)
    for each in STRANGERS:
        youngest, oldest = OTHER_AGES.get(each, SCHOOL_AGES)
        low, high = (
            np.datetime64(first_day.replace(year=first_day.year - years)).astype(np.int64) + 1
            for years in (oldest + 1, youngest)
        )
        birth = np.where(kind == each, rng.integers(low, high, len(kind)), birth)
    return birth


def _names(family: pa.Array, other: pa.Array, male: Array, rng: np.random.Generator) -> pa.Array:
    """Return names that are not `other`, a sibling's: who gets that one gets a second try."""
    first, second = (
        pc.binary_join_element_wise(family, given_names(rng, male), "") for _ in range(2)
    )
    return pc.if_else(pc.equal(first, other), second, first)


def _dotted(count: int, rng: np.random.Generator) -> pa.Array:
    own, fathers = (
        pa.array(parts).take(pa.array(rng.integers(0, len(parts), count)))
        for parts in (OWN_NAMES, FATHERS_NAMES)
    )
    return pc.binary_join_element_wise(own, fathers, DOT)


def _parent(relation: int, family: pa.Array, rng: np.random.Generator) -> pa.Array:
    """Return parents of that family name, written as the registry writes guardians."""
    given = given_names(rng, np.full(len(family), relation == FATHER), older=True)
    return pc.binary_join_element_wise(family, given, f"({GUARDIANS[relation]})", "")


def _written(children: pa.Table, rng: np.random.Generator) -> tuple[pa.Table, pa.Table]:
    """Return the children as a list with slips, in order of their homes, and its truth."""
    children = children.sort_by([(name, "ascending") for name in ("county", "township", "address")])
    lines = children.drop_columns(["student_id", "noise"]).to_pylist()
    slips = make_slips(lines, rng)
    noise = [
        "+".join(part for part in (known, *made) if part) or "clean"
        for known, made in zip(children["noise"].to_pylist(), slips, strict=True)
    ]
    truth = {
        "line": np.arange(len(lines)),
        "student_id": children["student_id"],
        "noise": pa.array(noise, pa.string()),
    }
    return pa.Table.from_pylist(lines, schema=LISTED), pa.table(truth, schema=TRUTH)
