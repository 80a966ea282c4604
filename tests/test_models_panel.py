"""Labels case by case, as-of dates, the embargo, thinning."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from earlywarn.engine.duckdb import connect, sql_file
from earlywarn.errors import EarlywarnError
from earlywarn.features.catalogue import FEATURES
from earlywarn.features.groups import GROUP_NAMES
from earlywarn.models import panel as panels
from earlywarn.models.dates import Period, as_of_dates, known_period, row_weight, split_dates
from earlywarn.models.panel import Rows, build_panel, classifier_inputs, lot
from earlywarn.rules.pack import load_rulebook
from earlywarn.tables.batches import add_batch
from earlywarn.tables.contract import TABLES
from earlywarn.workspace import Config, Workspace

AS_OF = date(2026, 3, 1)
END = AS_OF + timedelta(days=90)
INSIDE = date(2026, 4, 1)

# case: (outcomes, left_on, what becomes of the row)
CASES = {
    "nothing": ([], None, "negative"),
    "dropped out": ([(INSIDE, "dropped_out")], None, "positive"),
    "on the last day of the window": ([(END, "dropped_out")], None, "positive"),
    "a day after the window": ([(END + timedelta(days=1), "dropped_out")], None, "negative"),
    "on the as-of date": ([(AS_OF, "dropped_out")], None, "negative"),
    "another event": ([(INSIDE, "suspected")], None, "negative"),
    "long leave": ([(INSIDE, "long_leave")], None, "negative"),
    "transferred": ([(INSIDE, "transferred")], None, "lost"),
    "transferred after the window": ([(date(2026, 8, 1), "transferred")], None, "negative"),
    "abroad": ([(INSIDE, "abroad")], None, "lost"),
    "deceased": ([(INSIDE, "deceased")], None, "lost"),
    "left the registry": ([], INSIDE, "lost"),
    "left on the last day": ([], END, "lost"),
    "left after the window": ([], date(2026, 8, 1), "negative"),
    "left and dropped out": ([(INSIDE, "dropped_out")], INSIDE, "positive"),
    "transferred, then dropped out": (
        [(INSIDE, "transferred"), (date(2026, 5, 1), "dropped_out")],
        None,
        "positive",
    ),
    "graduated": ([(INSIDE, "graduated")], None, "negative"),
    "graduated and left": ([(INSIDE, "graduated")], INSIDE, "negative"),
    "dropped out and back": (
        [(INSIDE, "dropped_out"), (date(2026, 4, 9), "returned")],
        None,
        "positive",
    ),
}


def tables(cases):
    con = duckdb.connect()
    con.execute("CREATE TABLE cohort (student_id VARCHAR)")
    con.execute("CREATE TABLE students (student_id VARCHAR, snapshot_date DATE, left_on DATE)")
    con.execute("CREATE TABLE outcomes (student_id VARCHAR, date DATE, event VARCHAR)")
    for name, (events, left_on, _) in cases.items():
        con.execute("INSERT INTO cohort VALUES (?)", [name])
        con.execute("INSERT INTO students VALUES (?, ?, ?)", [name, date(2026, 6, 30), left_on])
        for day, event in events:
            con.execute("INSERT INTO outcomes VALUES (?, ?, ?)", [name, day, event])
    return con


def labels(con, until=date(2030, 1, 1), as_of=AS_OF):
    return {
        name: "lost" if lost else "positive" if label else "negative"
        for name, label, lost in con.execute(
            sql_file("earlywarn.models", "labels.sql"),
            {
                "as_of": as_of,
                "window_end": as_of + timedelta(days=90),
                "until": until,
                "label_events": ["dropped_out"],
            },
        ).fetchall()
    }


def test_labels_case_by_case():
    assert labels(tables(CASES)) == {name: case[2] for name, case in CASES.items()}


def test_moving_the_as_of_date_by_a_day_moves_the_window():
    con = tables({"s": ([(INSIDE, "dropped_out")], None, "")})
    assert labels(con, as_of=INSIDE - timedelta(days=1)) == {"s": "positive"}
    assert labels(con, as_of=INSIDE) == {"s": "negative"}
    assert labels(con, as_of=INSIDE - timedelta(days=90)) == {"s": "positive"}
    assert labels(con, as_of=INSIDE - timedelta(days=91)) == {"s": "negative"}


def test_nothing_dated_after_until_is_read():
    con = tables({"s": ([], INSIDE, ""), "t": ([(INSIDE, "dropped_out")], None, "")})
    assert labels(con, until=date(2026, 3, 20)) == {"s": "negative", "t": "negative"}


def dated(outcomes=(), attendance=(), snapshots=()):
    con = duckdb.connect()
    for name, column, days in (
        ("students", "snapshot_date", snapshots),
        ("attendance", "date", attendance),
        ("exams", "date", ()),
        ("attendance_totals", '"to"', ()),
        ("outcomes", "date", outcomes),
    ):
        con.execute(f"CREATE TABLE {name} ({column} DATE)")
        for day in days:
            con.execute(f"INSERT INTO {name} VALUES (?)", [day])
    return con


def test_the_period_ends_with_the_newest_outcome_the_config_or_until():
    con = dated(outcomes=[date(2026, 1, 1), date(2026, 6, 1)])
    assert known_period(con, Config()).complete_until == date(2026, 6, 1)
    config = Config(outcomes_complete_until=date(2026, 7, 1))
    assert known_period(con, config).complete_until == date(2026, 7, 1)
    found = known_period(con, config, date(2026, 3, 1))
    assert found == Period(date(2026, 3, 1), date(2026, 3, 1))
    with pytest.raises(EarlywarnError, match="no outcomes"):
        known_period(con, Config(), date(2025, 1, 1))


def test_every_windows_end_is_known():
    con = dated(
        outcomes=[date(2026, 6, 1)], attendance=[date(2026, 1, 5)], snapshots=[date(2025, 9, 1)]
    )
    period = known_period(con, Config())
    days = as_of_dates(con, Config(), period)
    assert days[0] == date(2026, 1, 5)
    assert {(b - a).days for a, b in pairwise(days)} == {7}
    assert days[-1] + timedelta(days=90) <= date(2026, 6, 1) < days[-1] + timedelta(days=97)
    asked = Config(as_of_dates=[date(2026, 3, 4), date(2026, 3, 3), date(2026, 2, 1)])
    assert as_of_dates(con, asked, period) == (date(2026, 2, 1), date(2026, 3, 3))
    with pytest.raises(EarlywarnError, match="no as-of date"):
        as_of_dates(con, Config(as_of_dates=[date(2026, 5, 1)]), period)


@pytest.mark.parametrize("count", [2, 3, 10, 40])
@pytest.mark.parametrize("horizon", [6, 7, 30, 90])
def test_embargo(count, horizon):
    days = tuple(date(2026, 1, 1) + timedelta(days=7 * i) for i in range(count))
    split = split_dates(days, horizon)
    if split.by_school:
        assert split.train == split.test == days
        assert days[0] + timedelta(days=horizon) >= days[-1]
    else:
        assert split.train
        assert max(split.train) + timedelta(days=horizon) < min(split.test)


def test_a_single_date_is_validated_by_school():
    assert split_dates((AS_OF,), 30).by_school


def test_row_weight():
    weekly = tuple(AS_OF + timedelta(days=7 * i) for i in range(5))
    assert row_weight(weekly, Config()) == pytest.approx(7 / 90)
    assert row_weight(weekly, Config(horizon_days=5)) == 1
    assert row_weight((AS_OF,), Config(horizon_days=1500)) == 1
    yearly = (date(2024, 9, 1), date(2025, 9, 1))
    assert row_weight(yearly, Config()) == 1


def test_inputs_are_neither_groups_nor_sensitive_nor_text():
    names = [f.name for f in classifier_inputs(Config())]
    assert names == [n for n in FEATURES if n in set(names)]
    for name in names:
        feature = FEATURES[name]
        assert feature.type != "text"
        assert feature.kind != "group"
        assert not feature.sensitive
    assert "school_poor_share" in names
    allowed = [f.name for f in classifier_inputs(Config(sensitive_inputs=["aid_gap", "disabled"]))]
    assert set(allowed) - set(names) == {"aid_gap", "disabled"}


def rows_of(codes, day, y):
    n = len(codes)
    return Rows(
        student=np.asarray(codes, dtype=np.int32),
        school=np.zeros(n, dtype=np.int32),
        as_of=np.full(n, day, dtype=np.int32),
        x=np.zeros((n, 1)),
        hits=np.zeros((n, 1), dtype=bool),
        y=np.asarray(y),
        weight=np.ones(n),
        capacity=np.full(n, 3, dtype=np.int32),
        stage=np.zeros(n, dtype=np.int8),
        kind=np.zeros(n, dtype=np.int8),
        groups=np.zeros((n, 0), dtype=np.int8),
        followed=np.zeros(n, dtype=bool),
    )


def test_thinning_keeps_all_with_an_event_and_the_same_others(monkeypatch):
    monkeypatch.setattr(panels, "MAX_TRAINING_ROWS", 1000)
    lots = np.asarray([-1.0 if i < 20 else lot(1, f"S{i}") for i in range(400)])
    collector = panels._Collector(lots)
    for day in range(10):
        collector._parts[False].append(rows_of(range(400), day, np.arange(400) < 20))
        collector._thin(False)
    found = collector.rows(False)
    assert len(found) <= 1000
    # those thinned before came in whole: a real day is read with the share in force
    per_day = [set(found.student[found.as_of == day].tolist()) for day in range(9)]
    assert all(set(range(20)) <= kept for kept in per_day)
    assert (found.weight[found.student < 20] == 1).all()
    assert set(found.weight[found.student >= 20]) == {1 / collector._keep[False]}


def test_lots_depend_on_seed_and_id_only():
    assert lot(1, "S1") == lot(1, "S1") != lot(2, "S1")
    drawn = [lot(7, f"S{i}") for i in range(2000)]
    assert 0 <= min(drawn) < max(drawn) < 1
    assert abs(np.mean(drawn) - 0.5) < 0.03


def contract_rows(of, /, **columns):
    table = TABLES[of]
    count = len(next(iter(columns.values())))
    return pa.table(
        {
            c.name: pa.array(columns.get(c.name, [None] * count), table.schema.field(c.name).type)
            for c in table.columns
        }
    )


@pytest.fixture(scope="module")
def village(tmp_path_factory):
    """Five children, of whom much is known of some and nothing of others; two as-of dates."""
    options = {"horizon_days": 14, "stages": {"junior": (7, 9), "primary": (1, 6)}}
    workspace = Workspace.init(tmp_path_factory.mktemp("p") / "某县 1", Config(**options))
    ids = ["a", "b", "c", "d", "e"]
    tables = {
        "students": contract_rows(
            "students",
            student_id=ids,
            snapshot_date=[date(2026, 2, 20)] * 5,
            school_id=["X", "X", "Y", "Z", "Z"],
            grade=[1, 7, 9, 6, 2],
            migrant_child=[True, False, None, None, True],
            disability=["none", "visual", None, "none", None],
            poverty=[None, "none", None, "registered", None],
        ),
        "schools": contract_rows(
            "schools",
            school_id=["X", "Y"],  # nothing is known of Z
            name=["x", "y"],
            county=["k", "k"],
            kind=["nine_year", None],
        ),
        "attendance": contract_rows(
            "attendance", student_id=ids, date=[date(2026, 2, 27)] * 5, status=["present"] * 5
        ),
        "outcomes": contract_rows(
            "outcomes",
            student_id=["e", "b"],
            date=[date(2026, 3, 5), date(2026, 4, 30)],
            event=["dropped_out", "suspected"],
        ),
    }
    with workspace.lock("test"):
        add_batch(workspace, tables, origin="test", content="test")
    return workspace


def village_panel(workspace, **options):
    con = connect(workspace)
    period = Period(date(2026, 4, 30), date.max)
    rulebook = load_rulebook(workspace.rules)
    days = ([AS_OF], [date(2026, 3, 20)])
    return build_panel(con, workspace.config, rulebook, period, *days, **options)


def test_what_the_audit_needs_stands_beside_the_rows(village):
    panel = village_panel(village)
    assert panel.stages == ("junior", "primary")
    assert panel.kinds == ("primary", "junior", "nine_year", "teaching_point")
    assert panel.groups == GROUP_NAMES
    for rows, names in ((panel.train, "abcde"), (panel.test, "abcd")):
        assert "".join(panel.students[s] for s in rows.student) == names
        count = len(rows)
        assert [panel.stages[s] for s in rows.stage] == [
            "primary", "junior", "junior", "primary", "primary"
        ][:count]  # fmt: skip
        assert rows.kind.tolist() == [2, 2, -1, -1, -1][:count]
        member = {name: rows.groups[:, j].tolist() for j, name in enumerate(panel.groups)}
        assert member["migrant"] == [1, 0, -1, -1, 1][:count]
        assert member["disabled"] == [0, 1, -1, 0, -1][:count]
        assert member["poor_family"] == [-1, 0, -1, 1, -1][:count]
        assert member["orphan"] == [-1] * count
        assert not rows.followed.any()
        taken = rows.take(rows.student > 1)
        assert taken.groups.shape == (count - 2, len(panel.groups))
        assert taken.stage.dtype == taken.kind.dtype == taken.groups.dtype == np.int8
    assert panel.train.y.tolist() == [False] * 4 + [True]


def test_who_was_on_a_list_is_marked(village):
    listed = pa.table(
        {
            "student_id": ["a", "b", "c", "stranger"],
            "as_of": [AS_OF + timedelta(days=14), AS_OF + timedelta(days=15), AS_OF, AS_OF],
        },
        schema=pa.schema([("student_id", pa.string()), ("as_of", pa.date32())]),
    )
    panel = village_panel(village, followed=listed)
    marked = [panel.students[s] for s in panel.train.student[panel.train.followed]]
    assert marked == ["a", "c"]
    assert not panel.test.followed.any()


def test_a_part_without_rows_has_every_column(village):
    con = connect(village)
    period = Period(date(2026, 4, 30), date.max)
    rulebook = load_rulebook(village.rules)
    panel = build_panel(con, village.config, rulebook, period, [AS_OF], [])
    assert len(panel.test) == 0
    assert panel.test.groups.shape == (0, len(panel.groups))
    assert panel.test.x.shape[1] == panel.train.x.shape[1]
