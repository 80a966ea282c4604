"""The shipped rules over a city and over 2,500,000 children, against other engines, in one run.

    python benchmarks/rules.py

Ours: `earlywarn.rules.evaluate.verdicts_of`, what scoring runs, from facts in an Arrow table in
memory; beside it the same rules as one query in DuckDB (`verdict_sql`), from a table of its own.
The others are given the same facts in their own best form, made off the clock, their rules compiled
beforehand; the translations are in rules_peers.py. Verdicts (hit, miss, unknown) are asserted to be
the same. Record-at-a-time engines judge a sample, and their seconds are scaled to all.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import rules_peers as peers

from earlywarn.engine.duckdb import connect
from earlywarn.features.build import build
from earlywarn.rules.evaluate import verdict_sql, verdicts, verdicts_of
from earlywarn.rules.pack import RuleBook, load_rulebook
from earlywarn.simulate.city import simulate
from earlywarn.simulate.demo import LAST_DAYS_LEFT_OUT
from earlywarn.simulate.plan import Plan
from earlywarn.workspace import Workspace

RULES = Path(__file__).resolve().parent.parent / "rules"
SIZES = (66_259, 2_500_000)
REPEATS = {66_259: 9, 2_500_000: 5}
SAMPLE = 1_000
SAMPLE_REPEATS = 3
OURS, OURS_IN_SQL = "ours", "ours as SQL in DuckDB"
AT_LEAST_RECORD, AT_LEAST_PANDAS = 300, 2

Figure = dict[str, Any]


@dataclass
class Lap:
    """What one engine took over `students` children: the median of its repeats, in seconds."""

    engine: str
    students: int
    judged: int
    laps: list[float] = field(default_factory=list)
    fused: bool = False

    @property
    def seconds(self) -> float:
        """Seconds for all students, scaled up where a sample was judged."""
        return statistics.median(self.laps) * self.students / self.judged


def make_facts(folder: Path, rulebook: RuleBook) -> duckdb.DuckDBPyConnection:
    """Return a connection with the table `facts` of the generated city (the demonstration's)."""
    city = folder / "city"
    workspace = Workspace.open(city) if city.is_dir() else simulate(folder / "rules-city", Plan())
    until = workspace.config.outcomes_complete_until
    if until is None:
        raise AssertionError("simulate sets outcomes_complete_until")
    con = connect(workspace)
    build(con, workspace.config, rulebook.groups, until - timedelta(days=LAST_DAYS_LEFT_OUT))
    return con


def make_students(con: duckdb.DuckDBPyConnection, names: list[str], students: int) -> None:
    """Make the table `judged`: the city's children, repeated under new ids up to `students`."""
    columns = ", ".join(f'"{name}"' for name in names)
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE judged AS
        WITH city AS (
            SELECT row_number() OVER (ORDER BY student_id) - 1 AS place, count(*) OVER () AS size, *
            FROM facts
        )
        SELECT printf('%s-%03d', student_id, copy) AS student_id, {columns}
        FROM city, range($students // (SELECT count(*) FROM facts) + 1) AS copies (copy)
        WHERE copy * size + place < $students
        ORDER BY 1
        """,
        {"students": students},
    ).fetchall()


def lap(call: Callable[[], Any], into: Lap) -> None:
    """Time one call."""
    begun = time.perf_counter()
    call()
    into.laps.append(time.perf_counter() - begun)


def measure_whole(con: duckdb.DuckDBPyConnection, rulebook: RuleBook, students: int) -> list[Lap]:
    """Time ours, pandas and Polars over `judged`, in turn, so that all meet the same machine."""
    rules = rulebook.in_force(None)
    names = names_of(rulebook)
    ours = verdicts(con, rulebook, None, "judged")  # warm-up, as those of the others below
    facts = facts_table(con, names)
    answers = ours.drop_columns("student_id")
    frame, masks = peers.pandas_frame(facts), peers.pandas_engine(rules)
    polars_frame, select = pl.from_arrow(facts, rechunk=True), peers.polars_engine(rules)
    facts = facts.add_column(0, "student_id", ours["student_id"].combine_chunks())
    query = verdict_sql(rules, "judged")
    same(OURS_IN_SQL, ours, con.sql(query).to_arrow_table())
    same("pandas", answers, pa.Table.from_pandas(masks(frame), preserve_index=False))
    same("Polars", answers, select(polars_frame).to_arrow())
    calls: dict[str, Callable[[], Any]] = {
        OURS: lambda: verdicts_of(facts, rules),
        OURS_IN_SQL: lambda: con.sql(query).to_arrow_table(),
        "pandas": lambda: masks(frame),
        "Polars": lambda: select(polars_frame),
    }
    laps = {name: Lap(name, students, students) for name in calls}
    for _ in range(REPEATS[students]):
        for name, call in calls.items():
            lap(call, laps[name])
    return list(laps.values())


def measure_records(con: duckdb.DuckDBPyConnection, rulebook: RuleBook, students: int) -> list[Lap]:
    """Time the record-at-a-time engines over a sample that is spread evenly over `judged`."""
    rules = rulebook.in_force(None)
    step = students // SAMPLE
    chosen = pa.array(range(0, step * SAMPLE, step))
    records = facts_table(con, names_of(rulebook)).take(chosen).to_pylist()
    ours = verdicts(con, rulebook, None, "judged").drop_columns("student_id").take(chosen)
    expected = [list(row.values()) for row in ours.to_pylist()]
    laps = []
    for engine in [
        *peers.zen_engines(rules),
        *peers.cel_engines(rules),
        *peers.rule_engines(rules),
    ]:
        made = [engine.record(record) for record in records]
        if [list(engine.judge(one)) for one in made] != expected:  # warm-up too
            raise AssertionError(f"{engine.name}: other verdicts than ours")
        taken = Lap(engine.name, students, SAMPLE, fused=engine.fused)
        for _ in range(SAMPLE_REPEATS):
            lap(lambda e=engine, m=made: [e.judge(one) for one in m], taken)  # type: ignore[misc]
        laps.append(taken)
    return laps


def names_of(rulebook: RuleBook) -> list[str]:
    """Return the names that the rules use."""
    return sorted({name for rule in rulebook.in_force(None) for name in rule.condition.names})


def facts_table(con: duckdb.DuckDBPyConnection, names: list[str]) -> pa.Table:
    """Return the facts that the rules use, in the order of our verdicts, one chunk a column.

    The other engines have no guard against NaN and infinity, so there must be none.
    """
    columns = ", ".join(f'"{name}"' for name in names)
    query = f"SELECT {columns} FROM judged ORDER BY student_id"
    table: pa.Table = con.sql(query).to_arrow_table().combine_chunks()
    for name in names:
        column = table[name]
        if pa.types.is_floating(column.type) and pc.any(pc.invert(pc.is_finite(column))).as_py():
            raise AssertionError(f"{name} is not finite everywhere")
    return table


def same(engine: str, ours: pa.Table, theirs: pa.Table) -> None:
    """Refuse an engine whose verdicts are not ours, unknown included."""
    for name in ours.column_names:
        if not ours[name].equals(theirs[name]):
            raise AssertionError(f"{engine}: other verdicts than ours for {name}")


def measure(folder: Path) -> tuple[list[Lap], int]:
    """Measure every engine at every size; return the laps and how many rules."""
    rulebook = load_rulebook(RULES)
    con = make_facts(folder, rulebook)
    laps: list[Lap] = []
    try:
        for students in SIZES:
            make_students(con, names_of(rulebook), students)
            if not laps:
                records = measure_records(con, rulebook, students)
            laps += measure_whole(con, rulebook, students)
            laps += [Lap(one.engine, students, one.judged, one.laps, one.fused) for one in records]
    finally:
        con.close()
    return laps, len(rulebook.in_force(None))


def ratios(laps: list[Lap], students: int) -> dict[str, float]:
    """Return how many times as long as ours each engine takes."""
    found = {one.engine: one for one in laps if one.students == students}
    ours = found.pop(OURS).seconds
    return {name: one.seconds / ours for name, one in found.items()}


def figures(folder: Path) -> list[Figure]:
    """Return what `make proof` writes down."""
    laps, rules = measure(folder)
    print_table(laps, rules)
    found: list[Figure] = []
    for students in SIZES:
        here = [one for one in laps if one.students == students]
        times = ratios(laps, students)
        sampled = [one for one in here if one.judged < students]
        fastest = min(sampled, key=lambda one: one.seconds)
        what = f"rules: {rules} over {students:,} children (records: {SAMPLE:,} judged, scaled)"
        found += [
            figure(f"{what}, seconds", {o.engine: round(o.seconds, 3) for o in here}, "", True),
            at_least(
                f"{what}: times as fast as {fastest.engine}, the fastest by record",
                times[fastest.engine],
                AT_LEAST_RECORD,
            ),
            at_least(f"{what}: times as fast as pandas", times["pandas"], AT_LEAST_PANDAS),
            at_least(f"{what}: times as fast as Polars", times["Polars"], 0),
            at_least(f"{what}: times as fast as our SQL in DuckDB", times[OURS_IN_SQL], 0),
        ]
    return found


def at_least(what: str, value: float, bar: float) -> Figure:
    """Return a ratio with its bar; 0: no bar."""
    return figure(what, round(value, 2), f"at least {bar}" if bar else "", value >= bar)


def figure(what: str, value: Any, bar: str, holds: bool) -> Figure:
    """Return one figure with its bar."""
    return {"what": what, "value": value, "bar": bar, "holds": holds}


def print_table(laps: list[Lap], rules: int) -> None:
    """Print seconds, microseconds a child and ratios."""
    print(f"{rules} rules, three-valued verdicts, the same from every engine (asserted).")
    print(f"Record-at-a-time engines: {SAMPLE:,} children judged, seconds scaled to all.")
    print("'Fused': all rules glued into one expression that yields a list.")
    print(f"{SIZES[0]:,}: the generated city; {SIZES[1]:,}: its children repeated under new ids.")
    for students in SIZES:
        times = ratios(laps, students)
        print(f"\n{students:,} children{'seconds':>34}{'us a child':>13}{'x ours':>10}")
        for one in laps:
            if one.students == students:
                child = one.seconds / students * 1e6
                times_ours = times.get(one.engine, 1.0)
                print(f"{one.engine:<40}{one.seconds:>12.3f}{child:>13.2f}{times_ours:>10.1f}")


def main() -> int:
    """Measure and print; 1 if a bar is missed."""
    with tempfile.TemporaryDirectory() as name:
        found = figures(Path(name))
    print()
    for one in found:
        if one["bar"]:
            print("ok  " if one["holds"] else "MISS", one["what"], one["value"], f"({one['bar']})")
    return 0 if all(one["holds"] for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
