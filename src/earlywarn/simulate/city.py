"""Generate a city into a new workspace: nobody in it exists, and everything is marked so."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from earlywarn.errors import EarlywarnError, Text
from earlywarn.files import whole_file, write_whole
from earlywarn.simulate.attendance import Attendance
from earlywarn.simulate.exams import Exams
from earlywarn.simulate.households import Lists, make_lists
from earlywarn.simulate.outcomes import Lives, live, outcomes_table
from earlywarn.simulate.people import Cohorts, People, make_cohorts, make_people
from earlywarn.simulate.plan import Facts, Plan, facts
from earlywarn.simulate.registry import Registry, Traits, make_traits
from earlywarn.simulate.schools import Schools, make_schools
from earlywarn.simulate.terms import Terms, day_of, make_terms
from earlywarn.tables.batches import add_batch
from earlywarn.tables.contract import TABLES
from earlywarn.workspace import Config, Workspace

SOURCE = "source"
NOTE = """本文件夹中的数据全部由程序生成：学校、学生、家长、教师均为虚构，
电话和学籍号不可能属于任何人。
Everything in this folder is generated: no school, child, parent or teacher in it exists, and no
telephone or registry number in it can be anybody's.

{plan}
"""
LISTS_NOTE = """
households.csv 为户籍名单，poverty.csv 为贫困名单，其中的差错是有意写入的；
households_truth.csv 和 poverty_truth.csv 逐行写明是哪名学生、有何差错（line 从 0 起，不计标题行）。
households.csv is a household list and poverty.csv a poverty list, with slips put in on purpose;
households_truth.csv and poverty_truth.csv say for each line (from 0, headings not counted) which
child it means and what is wrong in it.
"""
Progress = Callable[[Text], None]


@dataclass(frozen=True)
class Roll:
    """The city without its daily attendance and marks."""

    facts: Facts
    schools: Schools
    terms: Terms
    cohorts: Cohorts
    people: People
    lives: Lives
    traits: Traits


def make_roll(plan: Plan) -> Roll:
    """Draw schools, calendar, children and their lives (seconds for a city).

    Raises
    ------
    UsageError
        If the plan is out of range.
    """
    plan.check()
    rngs = _generators(plan)
    exact = facts(plan)
    schools = make_schools(plan, exact, rngs[0])
    terms = make_terms(plan, schools, rngs[1])
    cohorts = make_cohorts(plan, exact, rngs[2])
    people = make_people(plan, exact, cohorts, schools, terms, rngs[3])
    lives = live(plan, exact, cohorts, people, schools, terms, rngs[4])
    traits = make_traits(plan, exact, people, schools, terms, rngs[5])
    return Roll(exact, schools, terms, cohorts, people, lives, traits)


def _generators(plan: Plan) -> list[np.random.Generator]:
    """One stream for each part, all from the plan's seed."""
    return np.random.default_rng(plan.seed).spawn(10)


def _registry(plan: Plan, roll: Roll) -> Registry:
    rng = _generators(plan)[6]
    return Registry(plan, roll.people, roll.traits, roll.schools, roll.terms, roll.lives, rng)


def household_lists(plan: Plan, roll: Roll | None = None) -> Lists:
    """Return the city's household list and poverty list with their truth (seconds for a city).

    `roll` is the plan's, if it is made already; it stays as it is.

    Raises
    ------
    UsageError
        If the plan is out of range.
    """
    roll = roll or make_roll(plan)
    return make_lists(_registry(plan, roll), _generators(plan)[9])


def tables(
    plan: Plan, roll: Roll, *, roll_only: bool = False
) -> Iterator[tuple[str, str, pa.Table]]:
    """Yield (table, what part of it, its rows) in the order in which they are loaded.

    With `roll_only` the marks and the attendance are left out; the rest is the same.
    """
    rngs = _generators(plan)
    people, terms, lives = roll.people, roll.terms, roll.lives
    registry = _registry(plan, roll)
    marks = Exams(people, roll.schools.count, terms, lives, rngs[7])
    daily = Attendance(plan, people, roll.traits, roll.schools, terms, lives, rngs[8])
    yield "schools", "all", roll.schools.table
    yield "calendar", "all", terms.calendar
    yield "outcomes", "all", outcomes_table(people, lives)
    for year in range(plan.years):
        both = terms.terms[2 * year : 2 * year + 2]
        start = day_of(terms.year_start(year)).year
        part = f"{start}-{start + 1}"
        yield "students", part, pa.concat_tables([registry.snapshot(term) for term in both])
        if roll_only:
            continue
        yield "exams", part, pa.concat_tables([marks.rows(term) for term in both])
        reported = []
        for half, term in enumerate(both, start=1):
            handed_in, parts = daily.term(term)
            reported.append(handed_in)
            for number, rows in enumerate(parts, start=1):
                yield "attendance", f"{part} {half}.{number}", rows
        yield "reported_days", part, pa.concat_tables(reported)


def simulate(
    root: Path, plan: Plan, progress: Progress | None = None, *, households: bool = False
) -> Workspace:
    """Make `root` a workspace with a generated city in it.

    Parameters
    ----------
    root
        A folder that is no workspace yet; made if missing.
    plan
        How large, how long, which profile and seed; the same plan gives the same Parquet files,
        byte for byte.
    progress
        Called with what is being made.
    households
        Also write a household list and a poverty list into `source`, each with its truth; the
        tables are the same with and without them.

    Returns
    -------
    Workspace
        Its config says `attendance: exceptions` and `generated: yes`, and that the outcomes are
        complete until the end of the data.

    Raises
    ------
    UsageError
        If the plan is out of range.
    EarlywarnError
        If `root` is a workspace already, or CSV files would be written over a `source` that is
        there.
    """
    plan.check()
    source = root.expanduser().resolve() / SOURCE
    if (plan.csv or households) and source.exists():
        raise EarlywarnError(
            zh=f"{source} 已存在，未作改动。请删去它或另选文件夹。",
            en=f"{source} is there already; nothing was changed. "
            "Remove it or choose another folder.",
        )
    say = progress or (lambda text: None)
    say(Text("学校与学生", "schools and children"))
    roll = make_roll(plan)
    config = Config(
        attendance="exceptions",
        generated=True,
        outcomes_complete_until=day_of(roll.terms.end),
        base_rate=plan.rates.base_rate,
        lang=plan.lang,
    )
    workspace = Workspace.init(root, config)
    described = (
        f"students={plan.students} years={plan.years} profile={plan.profile} seed={plan.seed}"
    )
    writers: dict[str, pacsv.CSVWriter] = {}
    try:
        with workspace.lock("simulate"):
            for table, part, rows in tables(plan, roll):
                say(Text(f"{table} {part}", f"{table} {part}"))
                name = f"{described} table={table} part={part}"
                add_batch(
                    workspace,
                    {table: rows},
                    origin=f"generated {name}",
                    content=hashlib.sha256(name.encode()).hexdigest(),
                )
                if plan.csv:
                    _write_csv(writers, source, table, rows)
    finally:
        for writer in writers.values():
            writer.close()
    if households:
        say(Text("户籍名单与贫困名单", "household list and poverty list"))
        _write_lists(source, household_lists(plan, roll))
    if plan.csv or households:
        note = NOTE.format(plan=described) + (LISTS_NOTE if households else "")
        write_whole(source / "README.txt", note)
    return workspace


def _write_lists(source: Path, lists: Lists) -> None:
    """Write each list and each truth as CSV: UTF-8, an empty cell for NULL."""
    for name, rows in vars(lists).items():
        with whole_file(source / f"{name}.csv") as beside:
            pacsv.write_csv(rows, beside, pacsv.WriteOptions(quoting_style="needed"))


def _write_csv(
    writers: dict[str, pacsv.CSVWriter], source: Path, table: str, rows: pa.Table
) -> None:
    """Append rows to the table's canonical CSV: UTF-8, an empty cell for NULL."""
    schema = TABLES[table].schema
    if table not in writers:
        source.mkdir(parents=True, exist_ok=True)
        writers[table] = pacsv.CSVWriter(
            source / f"{table}.csv",
            schema,
            write_options=pacsv.WriteOptions(quoting_style="needed"),
        )
    writers[table].write_table(rows.select(schema.names).cast(schema))
