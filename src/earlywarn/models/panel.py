"""The panel: one row per student and as-of date, with features, rule hits and label.

Built one date at a time and kept as numpy columns. Where it would grow too large, students without
any outcome are thinned by a hash of their id (the same students at every date), and those kept
weigh more; students who ever have the outcome are all kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from earlywarn.conditions import Kind, compile_condition
from earlywarn.engine.duckdb import sql_file
from earlywarn.features.build import build, make_keys
from earlywarn.features.catalogue import CATALOGUE, Feature, condition_kinds
from earlywarn.models.dates import Period, split_dates
from earlywarn.models.measures.followed import on_a_list
from earlywarn.models.scorecard import Bools, Floats, feature_matrix, hit_matrix
from earlywarn.rules.evaluate import verdicts as evaluate_rules
from earlywarn.rules.pack import RuleBook
from earlywarn.tables.contract import SCHOOLS
from earlywarn.workspace import Config

MAX_TRAINING_ROWS = 300_000
MAX_TEST_ROWS = 500_000
EPOCH = date(1970, 1, 1)

Ints = NDArray[np.int32]
Codes = NDArray[np.int8]

SCHOOL_KINDS: tuple[str, ...] = next(c.choices for c in SCHOOLS.columns if c.name == "kind")


@dataclass(frozen=True)
class Rows:
    """Panel rows as columns of equal length n.

    Attributes
    ----------
    student, school
        Codes, places in `Panel.students` and `Panel.schools`.
    as_of
        Days since 1970-01-01.
    x
        (n, features) values of the classifier's inputs, NaN = missing.
    hits
        (n, rules) TRUE verdicts, before ladders.
    y
        Whether the label event happens in the window.
    weight
        Sampling weight: how many rows like it this one stands for.
    capacity
        How many children its school can follow up, as of the date.
    stage, kind
        Places in `Panel.stages` and `Panel.kinds` (of the school), -1 = unknown.
    groups
        (n, groups) membership of `Panel.groups`: 1, 0, or -1 = unknown.
    followed
        Whether the child stood on a stored run's list in [as_of, as_of + horizon].

    The last four are for the audit only: no model reads them.
    """

    student: Ints
    school: Ints
    as_of: Ints
    x: Floats
    hits: Bools
    y: Bools
    weight: Floats
    capacity: Ints
    stage: Codes
    kind: Codes
    groups: Codes
    followed: Bools

    def __len__(self) -> int:
        return len(self.y)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Rows:
        """Return the rows that a mask or places choose."""
        return Rows(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})

    @property
    def events(self) -> int:
        """How many students have the event."""
        return len(np.unique(self.student[self.y]))

    @property
    def rate(self) -> float:
        """The weighted share of rows with the label (NaN without rows)."""
        return float(np.average(self.y, weights=self.weight)) if len(self) else float("nan")


@dataclass(frozen=True)
class Panel:
    """Rows to train on and rows to test on, and what they mean."""

    features: tuple[Feature, ...]
    rules: tuple[str, ...]
    students: tuple[str, ...]
    schools: tuple[str, ...]
    stages: tuple[str, ...]  # in the config's order
    kinds: tuple[str, ...]
    groups: tuple[str, ...]  # in the book's order
    train: Rows
    test: Rows
    left_out: int  # rows without an event whose student was lost from sight


def classifier_inputs(
    config: Config, catalogue: Sequence[Feature] = CATALOGUE
) -> tuple[Feature, ...]:
    """Return the features that g may read, in catalogue order.

    Numbers, integers and booleans; no groups, nothing sensitive unless the config allows it.
    """
    allowed = set(config.sensitive_inputs)
    return tuple(
        f
        for f in catalogue
        if f.type != "text" and (f.name in allowed or not (f.sensitive or f.kind == "group"))
    )


def build_panel(
    con: duckdb.DuckDBPyConnection,
    config: Config,
    rulebook: RuleBook,
    period: Period,
    train: Sequence[date],
    test: Sequence[date],
    *,
    test_where: str = "",
    one_row_a_day: bool = False,
    followed: pa.Table | None = None,
    progress: Callable[[str], None] = lambda stage: None,
) -> Panel:
    """Build the panel.

    Parameters
    ----------
    train, test
        As-of dates. With `test_where` both are looked at together: a row for which the condition
        (over features, registry fields, school_id, class_id) is TRUE is a test row, any other a
        training row, if its window ends before the test begins.
    followed
        Who stood on a list and when (`followed.Followed.listed`); None: nobody did.
    """
    inputs = classifier_inputs(config)
    students, lots = _students(con, config, period)
    collector = _Collector(lots)
    test_sql = "FALSE"
    if test_where:
        kinds = condition_kinds() | {"school_id": Kind.TEXT, "class_id": Kind.TEXT}
        test_sql = compile_condition(test_where, kinds).sql
    days = sorted({*train, *test})
    tested = set(test)
    make_keys(con, config, one_row_a_day=one_row_a_day, many_dates=True)
    for number, day in enumerate(days, start=1):
        progress(f"{day} ({number}/{len(days)})")
        build(con, config, rulebook.groups, day, keys_are_made=True)
        chosen = test_sql if test_where else ("TRUE" if day in tested else "FALSE")
        collector.add(_Day(con, config, rulebook, period, day, chosen, inputs))
    con.execute("DROP TABLE IF EXISTS panel_students").fetchall()
    trained, held = collector.rows(False), collector.rows(True)
    if followed is not None:
        for rows in (trained, held):
            rows.followed[:] = on_a_list(
                rows.student, rows.as_of, students, followed, config.horizon_days
            )
    if test_where and len(held):
        trained, held = _apart(trained, held, inputs, days, config.horizon_days)
    return Panel(
        features=inputs,
        rules=tuple(sorted(rule.id for rule in rulebook.in_force(None))),
        students=tuple(students),
        schools=tuple(collector.schools),
        stages=tuple(config.stages),
        kinds=SCHOOL_KINDS,
        groups=tuple(group.name for group in rulebook.groups),
        train=trained,
        test=held,
        left_out=collector.left_out,
    )


def _apart(
    train: Rows, test: Rows, inputs: Sequence[Feature], days: Sequence[date], horizon_days: int
) -> tuple[Rows, Rows]:
    """Part rows by time too, where a condition chose the test rows.

    The test begins on the first date on which attendance of a test row is known: children who are
    enrolled ahead of a class that has not begun are no test. Training rows' windows end before it.
    Where that leaves nothing to train on (the condition names places, not times), the test is the
    last quarter of the dates.
    """
    known = [j for j, feature in enumerate(inputs) if feature.name == "absence_rate_60d"]
    begun = ~np.isnan(test.x[:, known]).all(axis=1)
    first = int(test.as_of[begun].min() if begun.any() else test.as_of.min())
    if not (train.as_of + horizon_days < first).any():
        split = split_dates(tuple(days), horizon_days)
        first = (split.test[0] - EPOCH).days
    return (
        train.take(train.as_of + horizon_days < first),
        test.take(test.as_of >= first),
    )


def _students(
    con: duckdb.DuckDBPyConnection, config: Config, period: Period
) -> tuple[list[str], Floats]:
    """Return all student ids, and for each its lot in [0, 1): below 0 if it ever has the event.

    A student stays in the panel while its lot is below the share that is kept.
    """
    found = con.execute(
        """
        SELECT s.student_id, bool_or(o.student_id IS NOT NULL)
        FROM (SELECT DISTINCT student_id FROM students WHERE snapshot_date <= $until) AS s
        LEFT JOIN outcomes AS o ON o.student_id = s.student_id
            AND o.date <= $complete AND list_contains($events, o.event)
        GROUP BY s.student_id ORDER BY s.student_id
        """,
        {
            "until": period.until,
            "complete": period.complete_until,
            "events": config.label_events,
        },
    ).fetchall()
    ids = [row[0] for row in found]
    lots = np.asarray([-1.0 if event else lot(config.seed, name) for name, event in found])
    con.register(
        "panel_students_rows",
        pa.table(
            {
                "student_id": pa.array(ids, pa.string()),
                "code": pa.array(np.arange(len(ids), dtype=np.int32)),
                "lot": pa.array(lots, pa.float64()),
            }
        ),
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE panel_students AS SELECT * FROM panel_students_rows"
    ).fetchall()
    con.unregister("panel_students_rows")
    return ids, lots


def lot(seed: int, name: str) -> float:
    """Return a number in [0, 1) that depends on the seed and the name only."""
    digest = hashlib.sha256(f"{seed}|{name}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


@dataclass(frozen=True)
class _Day:
    """One as-of date, its features built."""

    con: duckdb.DuckDBPyConnection
    config: Config
    rulebook: RuleBook
    period: Period
    day: date
    test_sql: str
    inputs: tuple[Feature, ...]

    def read(self, keep_train: float, keep_test: float) -> tuple[pa.Table, int]:
        """Return the rows whose lot is kept, and how many students were lost from sight."""
        con = self.con
        labels = sql_file("earlywarn.models", "labels.sql")
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE panel_labels AS {labels}",
            {
                "as_of": self.day,
                "window_end": self.day + timedelta(days=self.config.horizon_days),
                "until": self.period.until,
                "label_events": self.config.label_events,
            },
        ).fetchall()
        ((lost,),) = con.execute("SELECT count(*) FROM panel_labels WHERE lost").fetchall()
        con.register("panel_verdicts", evaluate_rules(con, self.rulebook, None))
        groups = "".join(f'f."{g.name}" AS "group:{g.name}", ' for g in self.rulebook.groups)
        columns = ", ".join(f'f."{f.name}"' for f in self.inputs)
        rules = ", ".join(f'v."{r.id}" AS "rule:{r.id}"' for r in self.rulebook.in_force(None))
        table = con.sql(
            f"""
            WITH tested AS (
                SELECT student_id, coalesce({self.test_sql}, FALSE) AS is_test
                FROM (
                    SELECT f.*, c.class_id FROM facts AS f
                    JOIN cohort AS c ON c.student_id = f.student_id
                )
            )
            SELECT p.code AS "panel:code", f.school_id AS "panel:school",
                t.is_test AS "panel:test", l.label AS "panel:label",
                c.stage AS "panel:stage", s.kind AS "panel:kind", {groups}
                {columns} {"," if rules else ""} {rules}
            FROM features AS f
            JOIN panel_students AS p ON p.student_id = f.student_id
            JOIN panel_labels AS l ON l.student_id = f.student_id AND NOT l.lost
            JOIN tested AS t ON t.student_id = f.student_id
            JOIN cohort AS c ON c.student_id = f.student_id
            LEFT JOIN schools AS s ON s.school_id = f.school_id
            JOIN panel_verdicts AS v ON v.student_id = f.student_id
            WHERE p.lot < CASE WHEN t.is_test THEN $test ELSE $train END
            ORDER BY p.code
            """,
            params={"train": keep_train, "test": keep_test},
        ).to_arrow_table()
        con.unregister("panel_verdicts")
        return table, int(lost)

    def capacities(self) -> dict[str, int]:
        """Return each school's capacity as of the day."""
        found = self.con.execute(
            "SELECT c.school_id, count(*), max(s.capacity) FROM cohort AS c "
            "LEFT JOIN schools AS s ON s.school_id = c.school_id GROUP BY c.school_id"
        ).fetchall()
        return {school: self.config.capacity.of(size, own) for school, size, own in found}


class _Collector:
    """Gathers the days' rows; halves the share of students kept when a part grows too large."""

    def __init__(self, lots: Floats) -> None:
        self.lots = lots
        self.schools: dict[str, int] = {}
        self.left_out = 0
        self._keep = {False: 1.0, True: 1.0}
        self._limit = {False: MAX_TRAINING_ROWS, True: MAX_TEST_ROWS}
        self._parts: dict[bool, list[Rows]] = {False: [], True: []}
        self._width: tuple[int, int, int] = (0, 0, 0)

    def add(self, day: _Day) -> None:
        """Add one as-of date."""
        table, lost = day.read(self._keep[False], self._keep[True])
        self.left_out += lost
        names = [f.name for f in day.inputs]
        ids = sorted(rule.id for rule in day.rulebook.in_force(None))
        groups = [group.name for group in day.rulebook.groups]
        self._width = (len(names), len(ids), len(groups))
        capacities = day.capacities()
        schools = table.column("panel:school").to_pylist()
        rows = Rows(
            student=table.column("panel:code").to_numpy().astype(np.int32),
            school=np.asarray(
                [self.schools.setdefault(s, len(self.schools)) for s in schools], dtype=np.int32
            ),
            as_of=np.full(table.num_rows, (day.day - EPOCH).days, dtype=np.int32),
            x=feature_matrix(table, names),
            hits=hit_matrix(table, [f"rule:{rule_id}" for rule_id in ids]),
            y=table.column("panel:label").to_numpy().astype(np.bool_),
            weight=np.ones(table.num_rows),
            capacity=np.asarray([capacities[s] for s in schools], dtype=np.int32),
            stage=_codes(table.column("panel:stage"), tuple(day.config.stages)),
            kind=_codes(table.column("panel:kind"), SCHOOL_KINDS),
            groups=_members(table, groups),
            followed=np.zeros(table.num_rows, dtype=np.bool_),
        )
        is_test = table.column("panel:test").to_numpy().astype(np.bool_)
        for part in (False, True):
            chosen = is_test == part
            if chosen.any():
                self._parts[part].append(rows.take(chosen))
            self._thin(part)

    def _thin(self, part: bool) -> None:
        while sum(len(rows) for rows in self._parts[part]) > self._limit[part]:
            share = self._keep[part] / 2
            if share < 2**-16:
                return
            self._keep[part] = share
            self._parts[part] = [
                rows.take(self.lots[rows.student] < share) for rows in self._parts[part]
            ]

    def rows(self, part: bool) -> Rows:
        """Return all training (False) or test (True) rows, with their sampling weights."""
        parts = self._parts[part]
        if not parts:
            return _no_rows(*self._width)
        joined = Rows(
            **{f.name: np.concatenate([getattr(r, f.name) for r in parts]) for f in fields(Rows)}
        )
        self._parts[part] = []
        joined.weight[:] = np.where(self.lots[joined.student] < 0, 1.0, 1 / self._keep[part])
        return joined


def _codes(column: pa.ChunkedArray, names: Sequence[str]) -> Codes:
    """Return each value's place in `names`, -1 for any other and for none."""
    places = pc.fill_null(pc.index_in(column, value_set=pa.array(names, pa.string())), -1)
    return np.asarray(places.to_numpy(), dtype=np.int8)


def _members(table: pa.Table, groups: Sequence[str]) -> Codes:
    """Return (rows, groups): 1 in the group, 0 not, -1 unknown."""
    result = np.empty((table.num_rows, len(groups)), dtype=np.int8)
    for place, name in enumerate(groups):
        result[:, place] = pc.fill_null(table.column(f"group:{name}").cast(pa.int8()), -1)
    return result


def _no_rows(features: int, rules: int, groups: int) -> Rows:
    none = np.zeros(0, dtype=np.int32)
    return Rows(
        student=none,
        school=none,
        as_of=none,
        x=np.zeros((0, features)),
        hits=np.zeros((0, rules), dtype=np.bool_),
        y=np.zeros(0, dtype=np.bool_),
        weight=np.zeros(0),
        capacity=none,
        stage=np.zeros(0, dtype=np.int8),
        kind=np.zeros(0, dtype=np.int8),
        groups=np.zeros((0, groups), dtype=np.int8),
        followed=np.zeros(0, dtype=np.bool_),
    )
