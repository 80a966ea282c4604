"""Curves beside scikit-learn's, worked cases, and what does not change them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve, roc_curve
from threadpoolctl import threadpool_limits

from earlywarn.models.measures.curves import (
    CURVES_OF,
    SHARES,
    calibration,
    curves,
    effective_number,
    thresholds_for,
)
from earlywarn.models.measures.metrics import measure
from models_rules import panel_rows, random_rows


def of(rows, p, **options):
    return curves(rows, {"combined": p}, seed=1, **({"draws": 30} | options))["combined"]


@pytest.mark.parametrize("students", [30, 400])
def test_roc_and_pr_points_lie_on_scikit_learns_curves(students):
    rows, p = random_rows(1, students=students)
    found = of(rows, p)
    fpr, tpr, _ = roc_curve(rows.y, p, sample_weight=rows.weight, drop_intermediate=False)
    whole = np.column_stack([fpr, tpr])
    assert len(found["roc"]) <= 101
    for point in found["roc"]:
        assert np.abs(whole - point).max(axis=1).min() < 1e-6
    assert found["roc"][0] == [0, 0]
    assert found["roc"][-1] == [1, 1]
    precision, recall, _ = precision_recall_curve(rows.y, p, sample_weight=rows.weight)
    whole = np.column_stack([recall, precision])
    assert len(found["pr"]) <= 101
    for point in found["pr"]:
        assert np.abs(whole - point).max(axis=1).min() < 1e-6
    assert found["pr"][-1][0] == 1
    # thinned, it is nearly the whole curve
    x, y = np.asarray(found["roc"]).T
    auc = measure(rows, p, seed=1, draws=0).value["auc"]
    assert np.trapezoid(y, x) == pytest.approx(auc, abs=0.01)


def test_calibration_is_scikit_learns_where_there_are_no_ties():
    rng = np.random.default_rng(0)
    p = rng.permutation(2000) / 2500 + 0.001
    rows = panel_rows(rng.random(2000) < p)
    found = calibration(rows, p)
    observed, predicted = calibration_curve(rows.y, p, n_bins=10, strategy="quantile")
    assert [b["observed"] for b in found] == pytest.approx(list(observed), abs=1e-6)
    assert [b["predicted"] for b in found] == pytest.approx(list(predicted), abs=1e-6)
    assert [b["rows"] for b in found] == [200] * 10
    assert sum(b["events"] for b in found) == rows.y.sum()
    assert all(b["low"] <= b["observed"] <= b["high"] for b in found)


def test_calibration_bins_weigh_alike_and_never_part_ties():
    rows, p = random_rows(5, students=600)
    found = calibration(rows, p)
    assert len(found) == 10
    expected, total = [], rows.weight.sum()
    for value in np.unique(p):
        below, own = rows.weight[p < value].sum(), rows.weight[p == value].sum()
        expected.append(int((below + own / 2) / total * 10))
    of_row = np.asarray(expected)[np.searchsorted(np.unique(p), p)]
    assert [b["rows"] for b in found] == np.bincount(of_row).tolist()
    for number, b in enumerate(found):
        chosen = of_row == number
        w = rows.weight[chosen]
        assert b["observed"] == pytest.approx(np.average(rows.y[chosen], weights=w), rel=1e-5)
        assert b["predicted"] == pytest.approx(np.average(p[chosen], weights=w), rel=1e-5)
    two = calibration(rows, np.where(p > 0.4, 0.5, 0.1))
    assert [b["predicted"] for b in two] == [0.1, 0.5]


def test_few_events_make_few_bins():
    p = np.linspace(0.01, 0.2, 300)
    assert len(calibration(panel_rows([True] * 9 + [False] * 291), p)) == 1
    assert len(calibration(panel_rows([True] * 35 + [False] * 265), p)) == 3
    # 200 rows of one student are one event
    rows = panel_rows([True] * 200 + [False] * 100, student=[0] * 200 + list(range(1, 101)))
    (only,) = calibration(rows, p)
    assert only["events"] == 1
    assert only["high"] - only["low"] > 0.5


def test_effective_number():
    y = np.arange(100) < 10
    ones = np.ones(100)
    assert effective_number(np.arange(100), y, ones) == pytest.approx(100)
    # each row four times: no more is known
    repeated = effective_number(np.repeat(np.arange(100), 4), np.repeat(y, 4), np.ones(400))
    assert repeated == pytest.approx(100)
    assert effective_number(np.repeat(np.arange(25), 4), y & False, ones) == pytest.approx(25)
    heavy = effective_number(np.arange(2), np.zeros(2, bool), np.asarray([3.0, 1.0]))
    assert heavy == pytest.approx(16 / 10)


def test_net_benefit_by_hand():
    # 10 rows, 2 events; at t, those with p >= t are visited
    p = np.asarray([0.5, 0.4, 0.4, 0.2, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1])
    rows = panel_rows([1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
    found = curves(rows, {"combined": p, "school_only": p}, seed=1, draws=50)
    assert set(found) == {"combined", "decision_all"}
    for t, value, low, high in found["combined"]["decision"]:
        true = np.sum(rows.y & (p >= t)) / 10
        false = np.sum(~rows.y & (p >= t)) / 10
        assert value == pytest.approx(true - false * t / (1 - t), abs=1e-5)
        assert low <= high
    everybody = dict(found["decision_all"])
    assert list(everybody) == [row[0] for row in found["combined"]["decision"]]
    for t, benefit in everybody.items():
        assert benefit == pytest.approx(0.2 - 0.8 * t / (1 - t), rel=1e-4, abs=1e-6)
        if t <= 0.1:
            assert benefit == found["combined"]["decision"][list(everybody).index(t)][1]


@pytest.mark.parametrize("rate", [0.00005, 0.0017, 0.05, 0.3, 0.99])
def test_thresholds_cover_where_anybody_decides(rate):
    found = thresholds_for(rate)
    assert (np.diff(found) > 0).all()
    assert 0 < found[0] <= 0.14 * rate or rate > 0.5
    assert rate * 0.99 <= found[-1] < 1
    if rate < 0.01:
        assert found[-1] > 60 * rate
        assert np.sum(found < rate) >= 5
    assert not len(thresholds_for(0.0))
    assert not len(thresholds_for(1.0))
    assert not len(thresholds_for(float("nan")))


def test_recall_by_capacity_by_hand():
    # two schools of 100 and 10: 2 % of the first are its two first, 0.2 of a child of the second
    p = np.r_[np.linspace(0.9, 0.1, 100), np.linspace(0.9, 0.1, 10)]
    y = np.zeros(110, bool)
    y[[0, 3, 100]] = True
    rows = panel_rows(y, school=[0] * 100 + [1] * 10)
    found = {s: recall for s, recall, *_ in of(rows, p)["capacity"]}
    assert list(found) == list(SHARES)
    assert found[0.0] == 0
    assert found[0.02] == pytest.approx((1 + 0 + 0.2) / 3, abs=1e-6)
    assert found[0.04] == pytest.approx((2 + 0.4) / 3, abs=1e-6)
    assert found[0.1] == 1


def test_recall_by_capacity_agrees_with_the_measure():
    rows, p = random_rows(4, students=1000, days=1)
    at = SHARES.index(0.05)
    cohort = np.bincount(rows.school, weights=rows.weight)
    # 5 % of each school as its capacity: whole numbers, for the comparison
    even = panel_rows(rows.y, school=rows.school, weight=np.ones(1000), capacity=np.full(1000, 10))
    assert len(cohort) == 5
    found = of(even, p, draws=200)["capacity"][at]
    measured = measure(even, p, seed=1, draws=200).as_json()["recall_at_capacity"]
    assert found[1:] == pytest.approx(measured, abs=2e-6)


def test_intervals_are_the_percentiles_of_students_drawn():
    rows, p = random_rows(8, students=60)
    found = of(rows, p, draws=40)["decision"]
    rng = np.random.default_rng(1)
    draws = [np.bincount(rng.integers(0, 60, 60), minlength=60)[rows.student] for _ in range(40)]
    for t, _, low, high in found[::7]:
        values = []
        for times in draws:
            w = rows.weight * times
            true, false = np.sum(w * rows.y * (p >= t)), np.sum(w * ~rows.y * (p >= t))
            values.append((true - false * t / (1 - t)) / np.sum(w))
        assert (low, high) == pytest.approx(tuple(np.percentile(values, [2.5, 97.5])), rel=1e-4)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), shuffle=st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_threads_matter(seed, shuffle):
    rows, p = random_rows(seed, students=40)
    order = list(range(len(rows)))
    shuffle.shuffle(order)
    order = np.asarray(order)
    scores = {"rules_only": np.round(p, 1), "combined": p}
    with threadpool_limits(1):
        found = curves(rows, scores, seed=2, draws=20)
    moved = curves(
        rows.take(order), {name: v[order] for name, v in scores.items()}, seed=2, draws=20
    )
    assert json.dumps(moved) == json.dumps(found)
    assert list(found) == ["combined", "rules_only", "decision_all"]


@pytest.mark.parametrize("y", [[], [False] * 20, [True] * 20])
def test_one_class_or_no_rows(y):
    found = curves(panel_rows(y), dict.fromkeys(CURVES_OF, np.full(len(y), 0.1)), seed=1, draws=5)
    json.dumps(found, allow_nan=False)
    assert found["decision_all"] == []
    for name in CURVES_OF:
        assert found[name]["roc"] == found[name]["pr"] == found[name]["decision"] == []
        assert len(found[name]["calibration"]) == (1 if y else 0)
        assert bool(found[name]["capacity"]) == any(y)
