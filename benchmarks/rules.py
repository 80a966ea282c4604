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
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import rules_peers as peers
from figure import Figure, figure
from generated_city import generated_city

from earlywarn.engine.duckdb import connect
from earlywarn.features.build import build
from earlywarn.rules.evaluate import verdict_sql, verdicts_of
from earlywarn.rules.pack import RuleBook, load_rulebook

RULES = Path(__file__).resolve().parent.parent / "rules"
SIZES = (66_259, 2_500_000)
REPEATS = {66_259: 9, 2_500_000: 5}
SAMPLE = 1_000
SAMPLE_REPEATS = 3
OURS, OURS_IN_SQL = "ours", "ours as SQL in DuckDB"
AT_LEAST_RECORD, AT_LEAST_PANDAS = 300, 2


@dataclass
class Lap:
    """What one engine took over `students` children, and what ours took right beside it.

    A machine that is slow for a while is slow for both; so the ratio of the two is what counts.
    """

    engine: str
    students: int
    judged: int
    fused: bool = False
    laps: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Seconds for all students: the median of the repeats, scaled up from a sample."""
        return statistics.median(self.laps) * self.students / self.judged

    @property
    def times(self) -> float:
        """How many times as long as ours it takes."""
        return self.seconds / statistics.median(self.ours)

    def run(self, call: Callable[[], Any], ours: Callable[[], Any], repeats: int) -> Lap:
        """Time `call` with ours before and behind, `repeats` times."""
        for _ in range(repeats):
            self.ours.append(seconds(ours))
            self.laps.append(seconds(call))
            self.ours.append(seconds(ours))
        return self


def make_facts(folder: Path, rulebook: RuleBook) -> duckdb.DuckDBPyConnection:
    """Return a connection with the table `facts` of the generated city (the demonstration's)."""
    workspace, as_of = generated_city(folder, trained=False)
    con = connect(workspace)
    build(con, workspace.config, rulebook.groups, as_of)
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


def seconds(call: Callable[[], Any]) -> float:
    """Time one call."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def measure_size(con: duckdb.DuckDBPyConnection, rulebook: RuleBook, students: int) -> list[Lap]:
    """Time every engine over `judged`; those by record over a sample spread evenly over it."""
    rules = rulebook.in_force(None)
    facts = facts_table(con, names_of(rulebook))
    with_ids = facts.add_column(0, "student_id", pa.array(map(str, range(facts.num_rows))))
    query = verdict_sql(rules, "judged")
    frame, masks = peers.pandas_frame(facts), peers.pandas_engine(rules)
    polars_frame, select = pl.from_arrow(facts, rechunk=True), peers.polars_engine(rules)

    def ours() -> pa.Table:
        return verdicts_of(with_ids, rules)

    answers = ours().drop_columns("student_id")  # warm-up, as those of the others below
    same(OURS_IN_SQL, answers, con.sql(query).to_arrow_table())
    same("pandas", answers, pa.Table.from_pandas(masks(frame), preserve_index=False))
    same("Polars", answers, select(polars_frame).to_arrow())
    calls: dict[str, Callable[[], Any]] = {
        OURS_IN_SQL: lambda: con.sql(query).to_arrow_table(),
        "pandas": lambda: masks(frame),
        "Polars": lambda: select(polars_frame),
    }
    laps = [
        Lap(name, students, students).run(call, ours, REPEATS[students])
        for name, call in calls.items()
    ]
    step = students // SAMPLE
    chosen = pa.array(range(0, step * SAMPLE, step))
    records = facts.take(chosen).to_pylist()
    expected = [list(row.values()) for row in answers.take(chosen).to_pylist()]
    for engine in [
        *peers.zen_engines(rules),
        *peers.cel_engines(rules),
        *peers.rule_engines(rules),
    ]:
        made = [engine.record(record) for record in records]
        if [list(engine.judge(one)) for one in made] != expected:  # warm-up too
            raise AssertionError(f"{engine.name}: other verdicts than ours")

        def judge(engine: peers.RecordEngine = engine, made: list[Any] = made) -> None:
            for one in made:
                engine.judge(one)

        one = Lap(engine.name, students, SAMPLE, fused=engine.fused)
        laps.append(one.run(judge, ours, SAMPLE_REPEATS))
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
            laps += measure_size(con, rulebook, students)
    finally:
        con.close()
    return laps, len(rulebook.in_force(None))


def figures(folder: Path) -> list[Figure]:
    """Return what `make proof` writes down."""
    laps, rules = measure(folder)
    print_table(laps, rules)
    found: list[Figure] = []
    for students in SIZES:
        here = {one.engine: one for one in laps if one.students == students}
        sampled = [one for one in here.values() if one.judged < students]
        rule_by_rule = min((one for one in sampled if not one.fused), key=lambda one: one.seconds)
        fused = min((one for one in sampled if one.fused), key=lambda one: one.seconds)
        what = f"rules: {rules} over {students:,} children (records: {SAMPLE:,} judged, scaled)"
        times = {name: round(one.times, 1) for name, one in here.items()}
        found += [
            figure(f"{what}, seconds", seconds_by_engine(here), "", True),
            figure(f"{what}, times as long as ours", times, "", True),
            at_least(
                f"{what}: times as fast as {rule_by_rule.engine}, the fastest engine of rules",
                rule_by_rule.times,
                AT_LEAST_RECORD,
            ),
            at_least(
                f"{what}: times as fast as {fused.engine}, all rules glued into one expression",
                fused.times,
                AT_LEAST_RECORD,
            ),
            at_least(f"{what}: times as fast as pandas", here["pandas"].times, AT_LEAST_PANDAS),
        ]
    return found


def seconds_by_engine(laps: dict[str, Lap]) -> dict[str, float]:
    """Return the seconds of ours, over all the run, and of each other engine."""
    ours = statistics.median(second for one in laps.values() for second in one.ours)
    return {OURS: round(ours, 4)} | {name: round(one.seconds, 3) for name, one in laps.items()}


def at_least(what: str, value: float, bar: float) -> Figure:
    """Return a ratio with its bar."""
    return figure(what, round(value, 2), f"at least {bar}", value >= bar)


def print_table(laps: list[Lap], rules: int) -> None:
    """Print seconds, microseconds a child and ratios."""
    print(f"{rules} rules, three-valued verdicts, the same from every engine (asserted).")
    print(f"Record-at-a-time engines: {SAMPLE:,} children judged, seconds scaled to all.")
    print("'Fused': all rules glued into one expression that yields a list.")
    print(f"{SIZES[0]:,}: the generated city; {SIZES[1]:,}: its children repeated under new ids.")
    for students in SIZES:
        here = {one.engine: one for one in laps if one.students == students}
        print(f"\n{students:,} children{'seconds':>34}{'us a child':>13}{'x ours':>10}")
        for name, taken in seconds_by_engine(here).items():
            times = here[name].times if name in here else 1.0
            print(f"{name:<40}{taken:>12.3f}{taken / students * 1e6:>13.2f}{times:>10.1f}")


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
