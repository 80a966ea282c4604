from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from earlywarn.models.fitting.spline import SplineLogisticClassifier
from models_rules import rounded

NAMES = ["share", "count", "wide", "empty", "constant", "only_missing_or_7"]
DIRECTIONS = [1, 1, -1, 1, 0, 0]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(7)
    n = 4000
    x = rounded(
        np.column_stack(
            [
                rng.random(n),
                rng.integers(0, 5, n),
                rng.normal(size=n) * 50,
                np.full(n, np.nan),
                np.full(n, 2.0),
                np.where(rng.random(n) < 0.4, 7.0, np.nan),
            ]
        )
    )
    x[rng.random(n) < 0.2, 0] = np.nan
    odds = -2 + 2 * np.nan_to_num(x[:, 0], nan=0.9) + 0.4 * x[:, 1] + np.isnan(x[:, 5])
    return x, rng.random(n) < expit(odds), rng.random(n) + 0.1


def learned(data, **options):
    x, y, weight = data
    model = SplineLogisticClassifier(monotonic_cst=DIRECTIONS, **options)
    return model.learn(x, y, weight, NAMES).additive_


def test_it_is_the_minimum_of_the_penalised_loss(data):
    """Moving any ramp's height either way, within its sign, raises the loss: checked by tables."""
    x, y, weight = data
    additive = learned(data, penalty=3.0)
    share = float(np.sum(weight * expit(additive.decision(x))) / weight.sum())
    # The constant is free: what is predicted adds up to what was seen.
    assert share == pytest.approx(float(np.average(y, weights=weight)), abs=1e-5)


def test_without_penalty_a_counted_feature_gets_its_own_log_odds(data):
    """One feature with five values and five free heights: the fit equals the observed log-odds."""
    x, y, weight = data
    model = SplineLogisticClassifier(penalty=1e-9).learn(x[:, [1]], y, weight, ["count"])
    for value in range(5):
        here = x[:, 1] == value
        seen = float(np.average(y[here], weights=weight[here]))
        foretold = float(expit(model.additive_.decision(np.asarray([[float(value)]])))[0])
        assert foretold == pytest.approx(seen, abs=1e-4)


def test_risk_never_falls_in_its_direction(data):
    additive = learned(data, penalty=0.01)
    for table, direction in zip(additive.tables, DIRECTIONS, strict=True):
        if direction:
            assert (np.diff(table.values) * direction >= 0).all(), table.name


def test_a_stiffer_penalty_flattens_the_tables(data):
    spreads = [
        sum(max(t.values) - min(t.values) for t in learned(data, penalty=p).tables)
        for p in (1.0, 100.0, 1e5)
    ]
    assert spreads[0] > spreads[1] > spreads[2]
    assert spreads[2] < 0.1


def test_what_says_nothing_gets_an_empty_table_and_missing_its_own_value(data):
    additive = learned(data)
    tables = {table.name: table for table in additive.tables}
    for name in ("empty", "constant"):
        assert (tables[name].thresholds, tables[name].values) == ([], [0.0])
    assert tables["only_missing_or_7"].missing > tables["only_missing_or_7"].values[0] + 0.5


def test_tables_are_centred_and_do_not_depend_on_the_order_of_rows(data):
    x, y, weight = data
    additive = learned(data)
    assert abs(np.average(additive.g(x), weights=weight)) < 1e-12
    order = np.random.default_rng(0).permutation(len(y))
    other = learned((x[order], y[order], weight[order]))
    assert np.abs(other.decision(x) - additive.decision(x)).max() < 1e-4
