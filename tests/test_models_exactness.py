"""Training is exact and deterministic: tables, contributions, directions, bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from earlywarn.models.fitting.boost import AdditiveBoostClassifier
from earlywarn.models.fitting.candidates import blend, boost, fit_candidate, spline
from earlywarn.models.fitting.fit import fit
from earlywarn.models.scorecard import sigmoid
from earlywarn.models.train import train
from earlywarn.models.training import training_panel
from earlywarn.rules.pack import load_rulebook
from earlywarn.scoring.run import score
from models_rules import rounded
from test_models_boost import extreme_rows
from test_models_train import AS_OF, county

SOFT_SPLINE = spline(0.3)  # softer than any that is tried: what bends bends here
WILD_BOOST = boost(0.2, 150, 6, 5, 0.1)
CANDIDATES = {
    "spline": SOFT_SPLINE,
    "boost": WILD_BOOST,
    "blend": blend(SOFT_SPLINE, WILD_BOOST),
    "a spline that is tried": spline(10.0),
    "a booster that is tried": boost(0.05, 120, 3, 40, 20.0),
}


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """A county, not trained, and its panel."""
    workspace = county(tmp_path_factory.mktemp("exact") / "某县 1", dropouts=90)
    return workspace, training_panel(workspace, load_rulebook(workspace.rules))


@pytest.fixture(scope="module")
def panel(counted):
    return counted[1].panel


@pytest.fixture(scope="module")
def noisy(panel):
    """The training rows' labels and as many at random again: so every feature has some say."""
    y = panel.train.y
    return y | (np.random.default_rng(6).random(len(y)) < 0.2)


@pytest.fixture(scope="module")
def classifiers(panel, noisy):
    rows = panel.train
    return {
        name: fit_candidate(c, rows.x, noisy, rows.weight, panel.features, 1)
        for name, c in CANDIDATES.items()
    }


def strangers(panel, seed, count):
    """Random students: each value drawn on its own from its column, many of them missing."""
    rng = np.random.default_rng(seed)
    x = np.empty((count, panel.train.x.shape[1]))
    for j, feature in enumerate(panel.features):
        known = panel.train.x[:, j][~np.isnan(panel.train.x[:, j])]
        low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
        wild = rng.uniform(low - 1, high + 1, count)
        drawn = rng.choice(known, count) if len(known) else wild
        x[:, j] = np.where(rng.random(count) < 0.5, drawn, wild)
        if feature.type == "boolean":
            x[:, j] = rng.integers(0, 2, count)
    x = rounded(x)
    x[rng.random(x.shape) < rng.uniform(0.05, 0.5)] = np.nan
    return x


# ------------------------------------------------------------------------------ tables


def test_tables_equal_the_forest_of_real_panel_rows(panel, noisy):
    rows = panel.train
    model = AdditiveBoostClassifier(
        learning_rate=0.2,
        max_iter=150,
        max_leaf_nodes=6,
        min_samples_leaf=5,
        monotonic_cst=[f.direction for f in panel.features],
        random_state=1,
    ).learn(rows.x, noisy, rows.weight, [f.name for f in panel.features])
    tables = model.additive_.tables
    assert sum(bool(table.thresholds) for table in tables) >= 5
    every = [
        rows.x,
        panel.test.x,
        strangers(panel, 1, 2000),
        extreme_rows(tables, rows.x),
        np.where(np.random.default_rng(2).random((500, rows.x.shape[1])) < 0.5, np.inf, -np.inf),
        np.random.default_rng(3).choice([1e300, -1e300, np.nan, 0.0], (500, rows.x.shape[1])),
    ]
    for x in every:
        forest = model.forest_.decision_function(x[:, model.columns_])
        assert np.abs(model.additive_.decision(x) - forest).max() < 1e-12


def test_a_blend_is_the_mean_of_its_parts(panel, classifiers):
    x = np.concatenate([strangers(panel, 4, 3000), panel.test.x])
    parts = [classifiers[name].decision(x) for name in ("spline", "boost")]
    assert np.abs(classifiers["blend"].decision(x) - np.mean(parts, axis=0)).max() < 1e-12


@pytest.mark.parametrize("name", CANDIDATES)
def test_tables_are_centred_on_the_rows_they_learned_from(name, panel, classifiers):
    g = classifiers[name].g(panel.train.x)
    assert np.ptp(g) > 0.1
    assert abs(np.average(g, weights=panel.train.weight)) < 1e-12


# ------------------------------------------------------------------------------ directions


@pytest.mark.parametrize("name", CANDIDATES)
@settings(max_examples=4)
@given(seed=st.integers(0, 2**31))
def test_more_of_a_risk_never_lowers_g(name, seed, panel, classifiers):
    """10,000 random students, one feature of each raised in its risk direction."""
    rng = np.random.default_rng(seed)
    bound = [j for j, f in enumerate(panel.features) if f.direction]
    assert len(bound) > 10
    x = strangers(panel, seed, 10_000)
    which = rng.choice(bound, len(x))
    row = np.arange(len(x))
    start = strangers(panel, seed + 1, len(x))[row, which]
    start[np.isnan(start)] = 0.0
    direction = np.asarray([panel.features[j].direction for j in which])
    step = rng.choice([1e-9, 1e-6, 0.01, 0.3, 1.0, 20.0, 1e6], len(x))
    x[row, which] = start
    before = classifiers[name].g(x)
    x[row, which] = rounded(start + direction * step)
    after = classifiers[name].g(x)
    assert (after >= before).all()
    assert (after > before).any()


def test_directions_are_the_catalogues_both_ways(panel):
    assert {f.direction for f in panel.features} == {-1, 0, 1}


def test_a_hit_never_lowers_a_score(panel, counted):
    """Of a fitted scorecard: any rule's hit added to any row, ladders and all."""
    setup = counted[1].setup
    with threadpool_limits(1):
        fitted = fit(panel.train, setup)
    assert (fitted.weights >= 0).all()
    before = fitted.log_odds(panel.test, setup)
    rose = 0
    for place in range(len(setup.rules)):
        rows = panel.test.take(np.arange(len(panel.test)))
        rows.hits[:, place] = True
        after = fitted.log_odds(rows, setup)
        assert (after >= before - 1e-12).all(), setup.rules[place]
        rose += int((after > before + 1e-12).any())
    assert rose > 5


# ------------------------------------------------------------------------------ contributions


@pytest.fixture(scope="module")
def scored(counted):
    workspace, _ = counted
    result = train(workspace, promote=True)
    run = score(workspace, AS_OF[-1])
    return result, pq.read_table(run.folder.path / "scores.parquet").to_pylist()


def test_contributions_add_up_for_every_student(scored):
    result, students = scored
    assert len(students) > 100
    order = [table.name for table in result.scorecard.features]
    for student in students:
        terms = [c["term"] for c in student["contributions"]]
        values = [c["value"] for c in student["contributions"]]
        assert abs(sum(values) - student["log_odds"]) < 1e-9
        assert terms[: 1 + len(order)] == ["b0", *order]
        assert terms[1 + len(order) :] == sorted(terms[1 + len(order) :])
        assert values[0] == result.scorecard.b0
        assert round(student["log_odds"], 12) == student["log_odds"]
        assert round(student["score"], 12) == student["score"]
        assert abs(float(sigmoid(np.asarray(student["log_odds"]))) - student["score"]) < 1e-11
        hits = {f"rule:{rule}" for rule in student["rules_hit"]}
        assert {t for t, v in zip(terms, values, strict=True) if t[:5] == "rule:" and v} <= hits
    assert len({student["log_odds"] for student in students}) > 10


def test_the_scorecard_scores_panel_rows_as_the_fit_did(scored, counted, panel):
    """What was validated is what scores: the test rows' log-odds, again from scores.parquet."""
    _, students = scored
    setup = counted[1].setup
    stored = {student["student_id"]: student["log_odds"] for student in students}
    with threadpool_limits(1):
        fitted = fit(panel.train, setup)
    last = panel.test.take(panel.test.as_of == panel.test.as_of.max())
    odds = fitted.log_odds(last, setup)
    assert len(last) > 100
    for code, value in zip(last.student, odds, strict=True):
        assert abs(stored[panel.students[code]] - value) < 1e-9


# ------------------------------------------------------------------------------ bytes

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def test_two_fresh_trainings_with_other_threads_write_the_same_bytes(counted, tmp_path):
    """The command itself, in processes of their own, in two copies of one workspace."""
    workspace, _ = counted
    running = []
    for threads in (1, 2):
        root = tmp_path / f"copy {threads}"
        shutil.copytree(workspace.root, root, ignore=shutil.ignore_patterns("models", "runs"))
        (root / "models").mkdir(exist_ok=True)
        env = os.environ | dict.fromkeys(THREADS, str(threads)) | {"PYTHONHASHSEED": str(threads)}
        command = [sys.executable, "-m", "earlywarn.cli.main", "train", "-w", str(root)]
        running.append(
            (root, subprocess.Popen([*command, "--lang", "en"], env=env, stderr=subprocess.PIPE))
        )
    for _, process in running:
        _, errors = process.communicate()
        assert process.returncode == 0, errors.decode("utf-8", "replace")
    for name in ("model.json", "metrics.json", "card.html", "reference.json"):
        one, other = ((root / "models" / "main" / "1" / name).read_bytes() for root, _ in running)
        assert one == other, name
