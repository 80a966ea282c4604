"""The registry snapshots of the generated city: one for each child and term, with their gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from earlywarn.simulate.arrow import booleans, dates, decimals, pick
from earlywarn.simulate.names import given_names, phones, surnames
from earlywarn.simulate.outcomes import Lives
from earlywarn.simulate.people import (
    FIRST_JUNIOR,
    LAST_GRADE,
    People,
    pick_children,
)
from earlywarn.simulate.plan import LAST_YEAR, Array, Facts, Plan
from earlywarn.simulate.schools import NINE_YEAR, TEACHING_POINT, TEACHING_POINT_GRADES, Schools
from earlywarn.simulate.terms import Term, Terms
from earlywarn.tables.contract import STUDENTS

GUARDIANS = ("母亲", "父亲", "祖母", "祖父", "外祖母", "亲属")
AWAY = ("none", "one_parent", "both_parents")
POVERTY = ("none", "low_income", "registered")
DISABILITIES = STUDENTS.column("disability").choices
DISABILITY_SHARES = (0.15, 0.17, 0.30, 0.20, 0.06, 0.06, 0.04, 0.02)  # of visual ... other
PLACEMENTS = ("regular", "special_school", "home_teaching")
REGULAR, SPECIAL_SCHOOL, HOME_TEACHING = range(3)
ORPHANS = ("none", "orphan", "unattended")
TRAVEL = ("walk", "bicycle", "family", "public", "school_bus", "lives_at_school")
WALK, BICYCLE, FAMILY, PUBLIC, SCHOOL_BUS, LIVES_AT_SCHOOL = range(6)
CLASS_SIZE = 46
TEACHERS = 4_000
LATE_DAYS = 10  # how long after the term's start a late school hands its registry in
# The columns that a snapshot may leave empty, and how often.
GAPS = {
    "distance_km": 0.02,
    "travel": 0.01,
    "parents_away": 0.007,
    "guardian": 0.01,
    "guardian_phone": 0.015,
    "homeroom_teacher": 0.005,
}


@dataclass(frozen=True)
class Traits:
    """What the registry says of each child beside school and home; arrays have one entry each."""

    poor: Array
    poverty: Array
    boards: Array
    boarding_aid: Array
    disability: Array
    placement: Array
    in_prison: Array
    orphan: Array
    class_centre: Array  # class number in grades 1-6 (a teaching point has one class a grade)
    class_junior: Array


def cohort_of_last_year(people: People, terms: Terms) -> Array:
    """Return who is enrolled on the first day of the last year: the exact cohort."""
    start = terms.year_start(people.last_year)
    return people.at_school(people.last_year) & (people.join <= start) & (people.leave > start)


def make_traits(
    plan: Plan,
    facts: Facts,
    people: People,
    schools: Schools,
    terms: Terms,
    rng: np.random.Generator,
) -> Traits:
    """Draw the monitored groups; poverty, boarding and its aid exactly as the facts say."""
    count = people.count
    core = cohort_of_last_year(people, terms)
    poor = _top(people.hardship + 0.9 * rng.standard_normal(count), core, facts.poor)
    grade = np.minimum(people.group, LAST_GRADE)
    school = np.where(grade >= FIRST_JUNIOR, people.junior, people.centre)
    at_point = (schools.kind[people.primary] == TEACHING_POINT) & (grade <= TEACHING_POINT_GRADES)
    likely = np.where(grade >= FIRST_JUNIOR, 2.0, np.where(grade >= 5, 0.3, -1.0))
    likely += 1.0 * people.rural + 0.3 * (schools.kind[school] == NINE_YEAR) - 9.0 * at_point
    boards = _top(likely + rng.gumbel(size=count), core, facts.boarders)
    aided = np.where(boards, 2.0 * poor + rng.gumbel(size=count), -np.inf)
    boarding_aid = _top(aided, core, facts.boarding_aid) & boards
    disabled = rng.random(count) < 0.006
    kind = 1 + rng.choice(8, size=count, p=DISABILITY_SHARES)
    placed = rng.choice(3, size=count, p=[0.70, 0.10, 0.20])
    orphan = np.searchsorted([0.9980, 0.9988], rng.random(count))
    return Traits(
        poor=poor,
        poverty=np.where(poor, np.where(rng.random(count) < 0.35, 2, 1), 0),
        boards=boards,
        boarding_aid=boarding_aid,
        disability=np.where(disabled, kind, 0),
        placement=np.where(disabled, placed, REGULAR),
        in_prison=rng.random(count) < 0.0015,
        orphan=orphan,
        class_centre=_classes(people.centre, people.group, rng),
        class_junior=_classes(people.junior, people.group, rng),
    )


def _top(score: Array, core: Array, count: int) -> Array:
    """Mark the `count` highest of the core, and who is as high outside it."""
    if count == 0:
        return np.zeros(len(score), dtype=bool)
    inside = score[core]
    least = np.partition(inside, len(inside) - count)[len(inside) - count]
    return np.asarray(score >= least)


def _classes(school: Array, group: Array, rng: np.random.Generator) -> Array:
    """Deal the children of one school and age group into classes of about CLASS_SIZE, from 1."""
    key = school.astype(np.int64) * 100 + group
    order = np.lexsort((rng.random(len(key)), key))
    _, first, size = np.unique(key[order], return_index=True, return_counts=True)
    rank = np.arange(len(key)) - np.repeat(first, size)
    classes = np.empty(len(key), dtype=np.int64)
    classes[order] = rank % np.repeat(-(-size // CLASS_SIZE), size) + 1
    return classes


def class_codes(people: People, traits: Traits, schools: Schools, term: int) -> Array:
    """Return each child's class in a term as grade x 100 + number: 701 is class 1 of grade 7."""
    grade = people.grade(term // 2).astype(np.int64)
    number = np.where(grade >= FIRST_JUNIOR, traits.class_junior, traits.class_centre)
    alone = (schools.kind[people.primary] == TEACHING_POINT) & (grade <= TEACHING_POINT_GRADES)
    moved = people.school(term) != _own_school(people, grade)
    return grade * 100 + np.where(alone | moved, 1, number)


def _own_school(people: People, grade: Array) -> Array:
    """The school of a child who never moved."""
    primary = np.where(grade <= TEACHING_POINT_GRADES, people.primary, people.centre)
    return np.where(grade >= FIRST_JUNIOR, people.junior, primary)


class Registry:
    """Makes the snapshots, term by term; holds the names, which do not change."""

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
        self.lives, self.rng, self.plan = lives, rng, plan
        count = people.count
        family = surnames(rng, count)
        self.names = pc.binary_join_element_wise(family, given_names(rng, people.male), "")
        self.guardians = pa.concat_arrays(
            [self._guardian(relation, family) for relation in range(len(GUARDIANS))]
        )
        self.phones = phones(rng, 2 * count)
        teachers_male = rng.random(TEACHERS) < 0.4
        self.teachers = pc.binary_join_element_wise(
            surnames(rng, TEACHERS), given_names(rng, teachers_male, older=True), ""
        )
        reach = 1.5 + 1.2 * people.rural
        self.near = np.round(reach * rng.lognormal(-0.4, 0.7, count) * 10).astype(np.int64)
        self.far = np.round(1.8 * reach * rng.lognormal(-0.2, 0.7, count) * 10).astype(np.int64)
        self.taste = rng.random((2, count))

    def _guardian(self, relation: int, family: pa.Array) -> pa.Array:
        count = self.people.count
        male = np.full(count, relation in (1, 3)) | (
            (self.rng.random(count) < 0.5) & (relation == len(GUARDIANS) - 1)
        )
        own_name = relation in (1, 3)  # father and grandfather
        name = family if own_name else surnames(self.rng, count)
        given = given_names(self.rng, male, older=True)
        kin = pa.array([f"({GUARDIANS[relation]})"] * count)
        return pc.binary_join_element_wise(name, given, kin, "")

    def snapshot(self, term: Term) -> pa.Table:
        """Return the rows of `students` that a term brings, in order of date and id."""
        people, rng = self.people, self.rng
        exact = term.index == 2 * people.last_year
        at_school = people.at_school(term.year)
        school = people.school(term.index)
        late = rng.random(self.schools.count) < 0.08
        if exact or term.index == 0:
            late[:] = False
        day = term.snapshot + np.where(late[school], LATE_DAYS, 0)
        listed = at_school & (people.join <= day) & (people.leave > day)
        if term.index % 2 == 1:
            listed[self._forgotten(at_school)] = False
        first_of_next = self.terms.year_end(term.year) + 1
        if term.index % 2 == 0:
            first_of_next = self.terms.terms[term.index + 1].snapshot
        joining = at_school & (people.join > day) & (people.join < first_of_next)
        joining &= people.leave > people.join
        day = np.where(joining, people.join, day)
        rows = np.flatnonzero(listed | joining)
        rows = rows[np.argsort(day[rows], kind="stable")]
        return self._rows(term, rows, day[rows], school[rows], exact)

    def _forgotten(self, at_school: Array) -> Array:
        """A few monitored children for whom no snapshot comes in spring."""
        people = self.people
        monitored = self.traits.poor | people.migrant | (self.traits.disability > 0)
        allowed = at_school & monitored & ~self.lives.busy
        count = self.plan.scaled(24, least=2)
        return pick_children(self.rng, people, allowed, count, None)

    def _rows(self, term: Term, rows: Array, day: Array, school: Array, exact: bool) -> pa.Table:
        people, traits, rng = self.people, self.traits, self.rng
        count = len(rows)
        grade = people.grade(term.year)[rows].astype(np.int64)
        junior = grade >= FIRST_JUNIOR
        stage = (people.grade(people.last_year)[rows] >= FIRST_JUNIOR) == junior
        boards = traits.boards[rows] & (stage | (self.taste[0][rows] < 0.2))
        poverty = traits.poverty[rows].copy()
        if not exact:  # some families become poor, some are no longer
            change = rng.random(count)
            poverty = np.where((change < 0.05) & (poverty > 0), 0, poverty)
            poverty = np.where((change > 0.994) & (poverty == 0), 1, poverty)
        poor = poverty > 0
        aid = np.where(poor, self.taste[1][rows] < 0.87, self.taste[1][rows] > 0.996)
        distance = np.where(junior, self.far[rows], self.near[rows]) + 60 * boards
        needs_bus = ~boards & (distance > 40) & (self.taste[0][rows] < 0.6)
        away = people.away[rows, term.index]
        who = people.guardian[rows, term.index].astype(np.int64)
        classes = class_codes(people, traits, self.schools, term.index)[rows]
        teacher = (school * 7_919 + people.group[rows] * 104_729 + classes % 100 * 1_299_709) % (
            TEACHERS
        )
        empty = {
            name: np.zeros(count, bool) if exact else rng.random(count) < share
            for name, share in GAPS.items()
        }
        if exact:  # poverty and boarding stay whole there; the rest has its gaps as ever
            for name in ("distance_km", "travel", "guardian_phone", "homeroom_teacher"):
                empty[name] = rng.random(count) < GAPS[name]
        columns = {
            "student_id": people.ids.take(pa.array(rows)),
            "snapshot_date": dates(day),
            "name": self.names.take(pa.array(rows)),
            "sex": pick(("F", "M"), people.male[rows].astype(np.int64)),
            "birth_date": dates(people.birth[rows]),
            "school_id": self.schools.ids.take(pa.array(school)),
            "grade": pa.array(grade, pa.int32()),
            "class_id": pa.array(classes).cast(pa.string()),
            "enrolled_on": dates(self._enrolled(term, rows, grade)),
            "left_on": pa.nulls(count, pa.date32()),
            "boarding": booleans(boards),
            "boarding_aid": booleans(boards & traits.boarding_aid[rows]),
            "distance_km": decimals(distance * 100_000, empty["distance_km"]),
            "travel": pick(
                TRAVEL, _blank(_travel(distance, boards, self.taste[0][rows]), empty["travel"])
            ),
            "needs_bus": booleans(needs_bus),
            "parents_away": pick(AWAY, _blank(away, empty["parents_away"])),
            "migrant_child": booleans(people.migrant[rows]),
            "disability": pick(DISABILITIES, traits.disability[rows]),
            "placement": pick(PLACEMENTS, traits.placement[rows]),
            "poverty": pick(POVERTY, poverty),
            "receives_aid": booleans(aid),
            "parent_in_prison": booleans(traits.in_prison[rows]),
            "orphan_status": pick(ORPHANS, traits.orphan[rows]),
            "guardian": pick(self.guardians, _blank(who * people.count + rows, empty["guardian"])),
            "guardian_phone": pick(
                self.phones, _blank(who % 2 * people.count + rows, empty["guardian_phone"])
            ),
            "homeroom_teacher": pick(self.teachers, _blank(teacher, empty["homeroom_teacher"])),
        }
        return pa.table(columns, schema=STUDENTS.schema)

    def _enrolled(self, term: Term, rows: Array, grade: Array) -> Array:
        """When the child came to this school: its first grade there, its move, or its arrival."""
        people = self.people
        from_point = self.schools.kind[people.primary[rows]] == TEACHING_POINT
        begins = np.where(
            grade >= FIRST_JUNIOR,
            FIRST_JUNIOR,
            np.where(from_point & (grade > TEACHING_POINT_GRADES), TEACHING_POINT_GRADES + 1, 1),
        )
        year = LAST_YEAR - (people.group[rows].astype(np.int64) - begins)
        september = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]")
        days = (september.astype("datetime64[M]") + 8).astype("datetime64[D]").astype(np.int64)
        moved = (people.move_term[rows] <= term.index) & (
            people.school(term.index)[rows] == people.move_to[rows]
        )
        snapshots = np.array([t.snapshot for t in self.terms.terms])
        moves = snapshots[np.minimum(people.move_term[rows], len(snapshots) - 1)]
        days = np.where(moved, moves, days)
        return np.maximum(
            days, np.where(people.join[rows] > self.terms.first, people.join[rows], 0)
        )


def _blank(codes: Array, empty: Array) -> Array:
    return np.where(empty, -1, codes)


def _travel(distance: Array, boards: Array, taste: Array) -> Array:
    """Return how a child gets to school, by distance in tenths of a kilometre."""
    far = np.where(taste < 0.45, PUBLIC, np.where(taste < 0.7, SCHOOL_BUS, FAMILY))
    middle = np.where(taste < 0.4, BICYCLE, FAMILY)
    way = np.where(distance < 15, WALK, np.where(distance < 40, middle, far))
    return np.where(boards, LIVES_AT_SCHOOL, way)
