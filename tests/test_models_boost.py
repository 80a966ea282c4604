from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from earlywarn.models.fitting.additive import between, cuts_of
from earlywarn.models.fitting.boost import AdditiveBoostClassifier, collapse
from models_rules import rounded

NAMES = ["share", "count", "wide", "thirds", "only_missing_or_7", "empty", "constant"]
DIRECTIONS = [1, 1, 0, -1, 0, 1, 1]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    n = 6000
    x = rounded(
        np.column_stack(
            [
                rng.random(n),
                rng.integers(0, 5, n),
                rng.normal(size=n) * 1e3,
                rng.integers(0, 4, n) / 3,
                np.where(rng.random(n) < 0.3, 7.0, np.nan),
                np.full(n, np.nan),
                np.full(n, 2.0),
            ]
        )
    )
    x[rng.random(n) < 0.2, 0] = np.nan
    odds = -2 + 2 * np.nan_to_num(x[:, 0], nan=0.9) + 0.5 * x[:, 1] - x[:, 3] + np.isnan(x[:, 4])
    y = rng.random(n) < 1 / (1 + np.exp(-odds))
    return x, y, rng.random(n) + 0.1


def booster(**options):
    return AdditiveBoostClassifier(monotonic_cst=DIRECTIONS, random_state=1, **options)


@pytest.fixture(scope="module")
def trained(data):
    x, y, weight = data
    model = booster(max_iter=80, learning_rate=0.1).learn(x, y, weight, NAMES)
    return model.additive_, model


def extreme_rows(tables, x):
    """NULL, infinities, and the representable values on both sides of every threshold."""
    rng = np.random.default_rng(5)
    rows = [np.full(x.shape[1], value) for value in (np.nan, np.inf, -np.inf, 0.0)]
    for j, table in enumerate(tables):
        for cut in table.thresholds:
            for k in (np.floor(cut * 1e9), np.floor(cut * 1e9) + 1):
                row = x[rng.integers(0, len(x))].copy()
                row[j] = k / 1e9
                rows.append(row)
    return np.asarray(rows)


def test_tables_equal_the_forest(data, trained):
    x, _, weight = data
    additive, model = trained
    rng = np.random.default_rng(9)
    random = rounded(rng.normal(size=(1000, len(NAMES))) * rng.choice([0.5, 3, 1e3], (1000, 1)))
    random[rng.random(random.shape) < 0.2] = np.nan
    rows = np.concatenate([random, x[:1000], extreme_rows(additive.tables, x)])
    decision = model.forest_.decision_function(rows[:, model.columns_])
    assert np.abs(additive.g(rows) + additive.constant - decision).max() < 1e-12
    assert [t.name for t in additive.tables] == NAMES
    assert additive.tables[5].thresholds == []
    assert additive.tables[4].missing != additive.tables[4].values[0]
    assert abs(np.average(additive.g(x), weights=weight)) < 1e-12


def test_a_forest_trained_on_the_features_themselves_collapses_too(data):
    """More than 255 distinct values, thresholds that are data values or midpoints of them."""
    x, y, weight = data
    columns = [0, 1, 2, 3]
    model = HistGradientBoostingClassifier(
        interaction_cst="no_interactions", early_stopping=False, max_iter=30, random_state=0
    ).fit(x[:, columns], y)
    additive = collapse(model, x, weight, NAMES, columns)
    rows = np.concatenate([x[:500], extreme_rows(additive.tables, x)])
    decision = model.decision_function(rows[:, columns])
    assert np.abs(additive.g(rows) + additive.constant - decision).max() < 1e-12


def test_a_forest_with_interactions_is_refused(data):
    x, y, weight = data
    model = HistGradientBoostingClassifier(early_stopping=False, max_iter=5).fit(x[:, :3], y)
    with pytest.raises(ValueError, match="not additive"):
        collapse(model, x, weight, NAMES, [0, 1, 2])


def test_thresholds_lie_between_representable_values(trained):
    additive, _ = trained
    for table in additive.tables:
        for cut in table.thresholds:
            assert abs(cut * 1e9 - np.floor(cut * 1e9) - 0.5) < 1e-3


def test_risk_never_falls_in_its_direction(trained):
    additive, _ = trained
    for table, direction in zip(additive.tables, DIRECTIONS, strict=True):
        if direction:
            assert (np.diff(table.values) * direction >= 0).all(), table.name


def test_one_and_two_threads_give_the_same_tables(data):
    x, y, weight = data
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(booster(max_iter=10).learn(x, y, weight, NAMES).additive_)
    assert found[0] == found[1]


def test_no_column_that_varies_leaves_the_share():
    x = np.full((4, 1), np.nan)
    y = np.asarray([True, False, False, False])
    model = AdditiveBoostClassifier().learn(x, y, np.ones(4), ["a"])
    assert model.forest_ is None
    assert model.additive_.g(x).tolist() == [0] * 4
    assert 1 / (1 + np.exp(-model.additive_.constant)) == pytest.approx(0.25)


@settings(max_examples=300, deadline=None)
@given(st.integers(-(10**15), 10**15), st.floats(0, 1, exclude_max=True))
def test_moving_a_threshold_moves_no_value(k, part):
    low, high = k / 1e9, (k + 1) / 1e9
    cut = low + part * (high - low)
    moved = between(cut if cut < high else low)
    assert low <= moved < high
    assert between(low) == moved
    assert between(moved) == moved


def test_many_values_are_parted_by_weight():
    column = rounded(np.linspace(0, 1, 2000))
    weight = np.where(column > 0.9, 9.0, 1.0)
    cuts = cuts_of(column, weight, 10)
    assert len(cuts) <= 9
    mass = [weight[np.searchsorted(cuts, column) == b].sum() for b in range(len(cuts) + 1)]
    assert max(mass) < 1.2 * min(mass)
    assert cuts_of(np.asarray([np.nan, 1.0, 2.0]), np.ones(3), 255).tolist() == [1.0000000005]
