"""Training and scoring look at nothing that is later: rows, scores, labels, splits, shuffles."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from random import Random

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, assume, example, given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from earlywarn.engine.duckdb import sql_file
from earlywarn.errors import EarlywarnError
from earlywarn.features.build import build
from earlywarn.features.catalogue import CATALOGUE
from earlywarn.models.dates import Period, split_dates
from earlywarn.models.experts import rule_weights
from earlywarn.models.panel import EPOCH, _apart, build_panel, classifier_inputs
from earlywarn.models.scorecard import FeatureTable, apply
from earlywarn.models.train import train
from earlywarn.models.training import training_panel
from earlywarn.models.validate import validate
from earlywarn.rules.evaluate import verdicts
from earlywarn.rules.pack import load_rulebook
from earlywarn.scoring.run import score
from earlywarn.tables.batches import add_batch
from earlywarn.workspace import Config, Workspace, shipped
from models_rules import panel_rows, scorecard
from oracle.worlds import family, together
from test_models_train import AS_OF, DAYS, FIRST, STUDENTS, county, rows

# Without shrinking: an example takes seconds.
SLOW = settings(
    max_examples=3,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@cache
def shipped_rules():
    return load_rulebook(shipped("rules"))


HORIZON = 30


def days(count):
    return timedelta(days=count)


# ------------------------------------------------------------------------------ later days


def any_model(rulebook, seed):
    """A scorecard that reads every input: each table's steps at random places."""
    rng = np.random.default_rng(seed)
    tables = [_table(rng, f.name) for f in classifier_inputs(Config())]
    weights = rng.uniform(0, 2, len(rulebook.in_force(None))).tolist()
    return scorecard(tables, list(rule_weights(rulebook, weights)))


def _table(rng, name):
    thresholds = np.unique(rng.choice([0.0, 0.05, 0.2, 0.5, 1, 2, 5, 30], 3)).tolist()
    return FeatureTable(
        name=name,
        thresholds=thresholds,
        values=rng.normal(size=len(thresholds) + 1).tolist(),
        missing=float(rng.normal()),
    )


def loaded(world):
    con = duckdb.connect(config={"preserve_insertion_order": False, "threads": 1})
    for name, table in world.arrow().items():
        con.register("incoming", table)
        con.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
        con.unregister("incoming")
    return con


def seen(world, model, dates, until):
    """Panel rows and labels by (student, date), and contributions as of the last of the dates."""
    config = Config(attendance=world.mode, horizon_days=HORIZON, **world.config)
    rulebook = shipped_rules()
    with loaded(world) as con:
        panel = build_panel(con, config, rulebook, Period(until, until), dates, [])
        build(con, config, rulebook.groups, dates[-1])
        features = con.sql("SELECT * FROM features ORDER BY student_id").to_arrow_table()
        judged = verdicts(con, rulebook, dates[-1])
        applied = apply(model, features, judged, rulebook, dates[-1])
    found = {
        (panel.students[panel.train.student[k]], int(panel.train.as_of[k])): [
            repr(panel.train.x[k].tolist()),
            panel.train.hits[k].tolist(),
            float(panel.train.weight[k]),
            int(panel.train.capacity[k]),
            panel.schools[panel.train.school[k]],
            panel.train.groups[k].tolist(),
            int(panel.train.stage[k]),
        ]
        for k in range(len(panel.train))
    }
    labels = {
        (panel.students[panel.train.student[k]], int(panel.train.as_of[k])): bool(panel.train.y[k])
        for k in range(len(panel.train))
    }
    names = features.column("student_id").to_pylist()
    scores = dict(zip(names, map(tuple, applied.values.tolist()), strict=True))
    return found, labels, scores


@SLOW
@given(number=st.integers(0, 60), seed=st.integers(0, 10**6))
@example(number=25, seed=47484)  # its first date is refused
def test_rows_and_scores_know_nothing_of_later_days(number, seed):
    """Registry, left_on, calendar, reported days, attendance, exams, outcomes of the day after."""
    world = together(family(number))
    later = world.later_changed(Random(seed))
    # The window of the first ends on the day itself.
    dates = [world.as_of - days(HORIZON), world.as_of]
    model = any_model(shipped_rules(), seed)
    far = world.as_of + days(400)
    try:
        one, labels, scores = seen(world, model, dates, far)
    except EarlywarnError as refusal:
        # In `exceptions` mode a date before a school's first calendar row is refused: so it is with
        # what came later changed, and of the other date all is the same.
        with pytest.raises(EarlywarnError, match=re.escape(str(refusal))):
            seen(later, model, dates, far)
        assert seen(world, model, dates[1:], far)[2] == seen(later, model, dates[1:], far)[2]
        return
    other, other_labels, other_scores = seen(later, model, dates, far)
    assert other_scores == scores
    # A row is there or not by what becomes of the child, but what it says of the day is the same.
    for key in one.keys() & other.keys():
        assert one[key] == other[key]
    # Where the whole window is behind, the same rows are there, with the same labels.
    past = (dates[0] - EPOCH).days

    def of_the_past(found):
        return {key: value for key, value in found.items() if key[1] == past}

    assert of_the_past(one) == of_the_past(other)
    assert of_the_past(labels) == of_the_past(other_labels)
    # Read up to the as-of date only, that is so of everything.
    assert seen(world, model, dates[:1], world.as_of) == seen(later, model, dates[:1], world.as_of)


def test_what_is_changed_there_would_be_seen_a_month_later():
    """So the test above can fail: the same change does alter rows as of later dates."""
    differs = 0
    for number in range(2):
        world = together(family(number))
        later = world.later_changed(Random(number))
        model = any_model(shipped_rules(), 1)
        dates = [world.as_of + days(30)]
        one = seen(world, model, dates, dates[0])
        differs += one[2] != seen(later, model, dates, dates[0])[2]
    assert differs == 2


# ------------------------------------------------------------------------------ labels

EVENTS = ("dropped_out", "suspected", "returned", "transferred", "graduated", "abroad",
          "deceased", "long_leave")  # fmt: skip
LABELS = ("dropped_out", "suspected")
GONE = {"transferred", "abroad", "deceased"}


def labels_of(outcomes, left, *, until):
    """What labels.sql says of one child, as of day 0."""
    with duckdb.connect() as con:
        con.execute("CREATE TABLE cohort AS SELECT 's' AS student_id")
        con.execute("CREATE TABLE students (student_id VARCHAR, snapshot_date DATE, left_on DATE)")
        con.execute("CREATE TABLE outcomes (student_id VARCHAR, date DATE, event VARCHAR)")
        for snapshot, day in left:
            con.execute(
                "INSERT INTO students VALUES ('s', ?, ?)",
                [FIRST + days(snapshot), FIRST + days(day)],
            )
        for day, event in outcomes:
            con.execute("INSERT INTO outcomes VALUES ('s', ?, ?)", [FIRST + days(day), event])
        ((_, label, lost),) = con.execute(
            sql_file("earlywarn.models", "labels.sql"),
            {
                "as_of": FIRST,
                "window_end": FIRST + days(HORIZON),
                "until": FIRST + days(until),
                "label_events": list(LABELS),
            },
        ).fetchall()
    return label, lost


LIVES = st.lists(st.tuples(st.integers(-20, 60), st.sampled_from(EVENTS)), max_size=6)
LEAVES = st.lists(st.tuples(st.integers(-20, 60), st.integers(-20, 60)), max_size=2)


@settings(max_examples=60)
@given(LIVES, LEAVES, st.integers(HORIZON, 90))
def test_the_label_is_what_happens_in_the_window(outcomes, left, until):
    window = {event for day, event in outcomes if 0 < day <= HORIZON}
    off = any(0 < day <= HORIZON and snapshot <= until for snapshot, day in left)
    label = bool(window & set(LABELS))
    lost = not label and "graduated" not in window and (bool(window & GONE) or off)
    assert labels_of(outcomes, left, until=until) == (label, lost)


@settings(max_examples=20)
@given(LIVES, LEAVES, LIVES, st.integers(1, HORIZON))
def test_outcomes_after_the_window_change_no_label_and_one_inside_does(
    outcomes, left, more, inside
):
    """Nor do those of the as-of date itself and before."""
    before = labels_of(outcomes, left, until=200)
    outside = [(day + HORIZON + 21, event) for day, event in more]
    assert labels_of([*outcomes, *outside], left, until=200) == before
    earlier = [(-abs(day), event) for day, event in more]
    assert labels_of([*outcomes, *earlier], left, until=200) == before
    added = [*outcomes, (inside, "dropped_out")]
    assert labels_of(added, left, until=200) == (True, False)


# ------------------------------------------------------------------------------ train --until D

UNTIL = DAYS[-12]


def copy_of(workspace, root):
    shutil.copytree(workspace.root, root)
    return Workspace.open(root)


def load(workspace, tables, content):
    with workspace.lock("test"):
        add_batch(workspace, tables, origin=content, content=content)


def later_rows(seed, after):
    """Rows of every dated table, all dated after a day: new ones, and a registry that changed."""
    rng = np.random.default_rng(seed)
    ids = [f"{i:018d}" for i in range(STUDENTS)]
    some = [ids[i] for i in rng.permutation(STUDENTS)[:60]]
    ahead = [after + days(int(d)) for d in rng.integers(1, 60, 60)]
    everybody = [*some, "NEW"]
    return {
        "students": rows(
            "students",
            student_id=everybody,
            snapshot_date=[after + days(1)] * 61,
            school_id=["X1"] * 61,
            grade=[8] * 61,
            poverty=["registered"] * 61,
            left_on=[*ahead, None],
        ),
        "attendance": rows(
            "attendance",
            student_id=some,
            date=ahead,
            status=["unexcused"] * 60,
            session=["late"] * 60,
        ),
        "calendar": rows(
            "calendar",
            date=[after + days(k) for k in range(1, 50)],
            is_school_day=[bool(rng.random() < 0.5) for _ in range(1, 50)],
        ),
        "reported_days": rows(
            "reported_days",
            school_id=["X0", "X1"] * 10,
            date=[after + days(1 + k // 2) for k in range(20)],
        ),
        "exams": rows(
            "exams",
            student_id=some,
            date=ahead,
            exam=["期末"] * 60,
            subject=["maths"] * 60,
            score=[int(v) for v in rng.integers(0, 100, 60)],
        ),
        "outcomes": rows(
            "outcomes",
            student_id=some,
            date=ahead,
            event=[str(e) for e in rng.choice(EVENTS, 60)],
        ),
    }


def written(result):
    """model.json and metrics.json without what numbers the version."""
    model = json.loads((result.folder / "model.json").read_text("utf-8"))
    metrics = json.loads((result.folder / "metrics.json").read_text("utf-8"))
    for name in ("model", "looked_at"):
        metrics.pop(name)
    return {k: v for k, v in model.items() if k != "version"}, metrics


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return county(tmp_path_factory.mktemp("base") / "某县 1", dropouts=70)


def test_nothing_dated_after_until_changes_the_model(base, tmp_path):
    workspace = copy_of(base, tmp_path / "w")
    before = train(workspace, until=UNTIL)
    load(workspace, later_rows(1, UNTIL), "later")
    after = train(workspace, until=UNTIL)
    assert written(after) == written(before)
    known = training_panel(workspace, load_rulebook(workspace.rules), UNTIL)
    assert known.period == Period(known.period.complete_until, UNTIL)
    assert known.period.complete_until <= UNTIL
    for part in (known.panel.train, known.panel.test):
        ends = part.as_of + workspace.config.horizon_days
        assert (ends <= (known.period.complete_until - EPOCH).days).all()


def test_as_if_the_later_rows_had_never_come(base, tmp_path):
    """`--until D` on everything equals training on what there was on D."""
    whole = copy_of(base, tmp_path / "whole")
    early = copy_of(base, tmp_path / "early")
    for path in early.data.rglob("*.parquet"):
        table = pq.read_table(path)
        column = {"attendance": "date", "outcomes": "date"}.get(path.parent.name)
        if column:
            kept = table.filter([day.as_py() <= UNTIL for day in table.column(column)])
            pq.write_table(kept, path)
    rulebook = load_rulebook(whole.rules)
    found = training_panel(whole, rulebook, UNTIL).panel
    wanted = training_panel(early, rulebook, UNTIL).panel
    assert len(found.train) > 300
    for part in ("train", "test"):
        one, other = getattr(found, part), getattr(wanted, part)
        for name in ("student", "school", "as_of", "x", "hits", "y", "weight", "capacity"):
            assert np.array_equal(
                getattr(one, name), getattr(other, name), equal_nan=name == "x"
            ), name


@SLOW
@given(seed=st.integers(0, 10**6))
def test_scores_of_a_day_do_not_know_what_comes_after_it(base, tmp_path_factory, seed):
    """The experts' scorecard, through `score`: the same bytes with and without later rows."""
    day = AS_OF[3]
    workspace = copy_of(base, tmp_path_factory.mktemp("s") / "w")
    before = score(workspace, day, model="none").folder.path / "scores.parquet"
    first = before.read_bytes()
    later = later_rows(seed, day)
    load(workspace, later, "later")
    after = score(workspace, day, model="none").folder.path / "scores.parquet"
    assert after != before
    assert after.read_bytes() == first


# ------------------------------------------------------------------------------ embargo

T = date(2026, 3, 20)  # the training date of the village
WINDOW = 14


def village(root, event_day, test_day, *, horizon=WINDOW):
    """Six children who are always there; one of them drops out. Two as-of dates."""
    options = {
        "horizon_days": horizon,
        "as_of_dates": [T, test_day],
        "outcomes_complete_until": date(2026, 6, 1),
    }
    workspace = Workspace.init(root, Config(**options))
    ids = list("abcdef")
    school_days = [date(2026, 3, 2) + days(k) for k in range(60)]
    load(
        workspace,
        {
            "students": rows(
                "students",
                student_id=ids,
                snapshot_date=[date(2026, 3, 1)] * 6,
                school_id=["X"] * 6,
                grade=[7] * 6,
            ),
            "attendance": rows(
                "attendance",
                student_id=[s for s in ids for _ in school_days],
                date=school_days * 6,
                status=["present"] * (6 * len(school_days)),
            ),
            "outcomes": rows("outcomes", student_id=["a"], date=[event_day], event=["dropped_out"]),
        },
        "village",
    )
    return training_panel(workspace, load_rulebook(workspace.rules))


def drops(panel, part):
    """In which rows of a part child a has the label, or None where it has no row."""
    found = getattr(panel, part)
    mine = found.take(found.student == panel.students.index("a"))
    return bool(mine.y[0]) if len(mine) else None


S = T + days(WINDOW + 1)  # the first test date that the embargo lets stand after T


@pytest.mark.parametrize(
    ("event_day", "in_training", "in_test"),
    [
        (T, False, None),  # the as-of date itself is not foreseen; on S it has dropped out
        (T + days(1), True, None),
        (S - days(1), True, None),  # the last day of the training window
        (S, False, None),  # the test's as-of date: in nobody's window
        (S + days(1), False, True),
        (S + days(WINDOW), False, True),
        (S + days(WINDOW + 1), False, False),
    ],
)
def test_an_event_on_each_side_of_the_border(tmp_path, event_day, in_training, in_test):
    drawn = village(tmp_path / "w", event_day, S)
    assert not drawn.by_school
    last = int(drawn.panel.train.as_of.max())
    assert last + WINDOW < int(drawn.panel.test.as_of.min()) == last + WINDOW + 1
    # The event of the as-of date is in the past then, and a dropout is not in the cohort.
    expected = None if event_day == T else in_training
    assert (drops(drawn.panel, "train"), drops(drawn.panel, "test")) == (expected, in_test)


def test_a_window_that_reaches_the_test_date_is_no_training_row(tmp_path):
    """One day more of horizon, or one day less between the dates, and the training row is out."""
    assert not village(tmp_path / "a", S + days(1), S).by_school
    for name, test_day, horizon in (("b", S, WINDOW + 1), ("c", S - days(1), WINDOW)):
        drawn = village(tmp_path / name, S + days(1), test_day, horizon=horizon)
        assert drawn.by_school  # nothing to train on before the test: schools are held out
        assert len(drawn.panel.test) == 0


DATES = st.sets(st.integers(0, 500), min_size=1, max_size=40)


@settings(max_examples=200)
@given(DATES, st.integers(1, 200))
def test_training_windows_end_before_the_test_whatever_the_dates(offsets, horizon):
    dates = tuple(FIRST + days(d) for d in sorted(offsets))
    split = split_dates(dates, horizon)
    if split.by_school:
        # Not one date's window ends before the last date.
        assert split.train == split.test == dates
        assert dates[0] + days(horizon) >= dates[-1]
        return
    assert max(split.train) + days(horizon) < min(split.test)
    assert split.test == dates[-len(split.test) :]
    # Every date that may be trained on is.
    assert split.train == tuple(d for d in dates if d + days(horizon) < split.test[0])
    assert len(split.test) <= max(1, len(dates) // 4 + 1)


@settings(max_examples=200)
@given(
    DATES,
    st.integers(1, 200),
    st.integers(0, 10**6),
    st.sampled_from(["by place", "by time", "at random"]),
    st.floats(0, 1),
)
def test_training_windows_end_before_a_test_chosen_by_a_condition(
    offsets, horizon, seed, how, known
):
    rng = np.random.default_rng(seed)
    dates = sorted(offsets)
    students = 10
    student = np.repeat(np.arange(students), len(dates))
    as_of = np.tile(np.asarray(dates) + (FIRST - EPOCH).days, students)
    chosen = {
        "by place": student < 4,
        "by time": as_of > np.median(as_of),
        "at random": rng.random(len(student)) < 0.3,
    }[how]
    assume(chosen.any() and not chosen.all())
    inputs = classifier_inputs(Config())
    x = np.full((len(student), len(inputs)), np.nan)
    place = [f.name for f in inputs].index("absence_rate_60d")
    x[rng.random(len(student)) < known, place] = 0.1
    all_rows = replace(
        panel_rows(rng.random(len(student)) < 0.2, student=student, as_of=as_of), x=x
    )
    trained, held = _apart(
        all_rows.take(~chosen),
        all_rows.take(chosen),
        inputs,
        [FIRST + days(d) for d in dates],
        horizon,
    )
    if len(trained) and len(held):
        assert trained.as_of.max() + horizon < held.as_of.min()
    assert len(trained) <= (~chosen).sum()


# ------------------------------------------------------------------------------ shuffled labels


def shuffled(panel, seed):
    """The panel with each child's labels given to another child, dates and all.

    Every child keeps its own rows; a row for whose date the other child has none has no label.
    """
    rng = np.random.default_rng(seed)
    of = rng.permutation(len(panel.students))
    label = {
        (int(s), int(d)): bool(y)
        for part in (panel.train, panel.test)
        for s, d, y in zip(part.student, part.as_of, part.y, strict=True)
    }

    def given_to(part):
        y = [label.get((int(of[s]), int(d)), False) for s, d in zip(part.student, part.as_of,
                                                                  strict=True)]  # fmt: skip
        return replace(part, y=np.asarray(y))

    return replace(panel, train=given_to(panel.train), test=given_to(panel.test))


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """The county with so many dropouts that a shuffle leaves plenty, and its panel."""
    workspace = county(tmp_path_factory.mktemp("large") / "w", dropouts=110)
    return training_panel(workspace, load_rulebook(workspace.rules))


def test_there_is_something_to_shuffle(large):
    with threadpool_limits(1):
        metrics = validate(large.panel, large.setup, by_school=False).metrics
    assert metrics["models"]["combined"]["auc"][1] > 0.6


@pytest.mark.parametrize("seed", [1, 2])
def test_from_shuffled_labels_nothing_is_learned(large, seed):
    panel = shuffled(large.panel, seed)
    assert panel.train.events > 15
    assert panel.test.events >= 8
    with threadpool_limits(1):
        metrics = validate(panel, large.setup, by_school=False).metrics
    _, low, high = metrics["models"]["combined"]["auc"]
    assert low < 0.5 < high
    assert metrics["verdict"]["better"] is False


def test_what_the_catalogue_says_is_read_here():
    """The tests above speak of all inputs: none is left out by accident."""
    assert len(classifier_inputs(Config())) > 0.6 * len(CATALOGUE)
