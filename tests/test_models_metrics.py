from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import average_precision_score, roc_auc_score

from earlywarn.models.measures.metrics import (
    MEASURES,
    Exact,
    difference,
    figure,
    lists,
    measure,
    over,
    plain,
    recall_at_capacity,
    share_listed,
    wilson,
)
from earlywarn.models.panel import Rows
from earlywarn.models.validate import calibration_slope
from models_rules import panel_rows, random_rows


def rows(n=400, seed=0, schools=4, days=2, weight=None, capacity=3):
    rng = np.random.default_rng(seed)
    per_day = n // days
    return Rows(
        student=np.tile(np.arange(per_day, dtype=np.int32), days),
        school=np.tile((np.arange(per_day) % schools).astype(np.int32), days),
        as_of=np.repeat(np.arange(days, dtype=np.int32), per_day),
        x=np.zeros((n, 0)),
        hits=np.zeros((n, 0), dtype=bool),
        y=rng.random(n) < 0.1,
        weight=np.ones(n) if weight is None else weight,
        capacity=np.full(n, capacity, dtype=np.int32),
        stage=np.zeros(n, dtype=np.int8),
        kind=np.zeros(n, dtype=np.int8),
        groups=np.zeros((n, 0), dtype=np.int8),
        followed=np.zeros(n, dtype=bool),
    )


def test_auc_and_ap_are_scikit_learns_with_ties_and_weights():
    rng = np.random.default_rng(1)
    data = rows(weight=rng.integers(1, 4, 400).astype(float))
    score = np.round(rng.random(400) + 0.3 * data.y, 1) / 2
    found = measure(data, score, seed=1, draws=10)
    assert found.value["auc"] == pytest.approx(
        roc_auc_score(data.y, score, sample_weight=data.weight)
    )
    assert found.value["ap"] == pytest.approx(
        average_precision_score(data.y, score, sample_weight=data.weight)
    )
    assert found.value["brier"] == pytest.approx(
        np.average((score - data.y) ** 2, weights=data.weight)
    )
    assert found.value["observed_expected"] == pytest.approx(
        np.sum(data.weight * data.y) / np.sum(data.weight * score)
    )


def test_a_list_takes_the_first_and_shares_ties():
    score = np.asarray([0.9, 0.5, 0.5, 0.5, 0.1, 0.7, 0.6])
    group = np.asarray([0, 0, 0, 0, 0, 1, 1])
    found = share_listed(score, group, np.ones(7), np.asarray([2.0] * 5 + [9.0] * 2))
    np.testing.assert_allclose(found, [1, 1 / 3, 1 / 3, 1 / 3, 0, 1, 1])
    heavy = share_listed(score[:5], group[:5], np.asarray([1.0, 4, 1, 1, 1]), np.full(5, 2.0))
    np.testing.assert_allclose(heavy, [1, 1 / 6, 1 / 6, 1 / 6, 0])
    assert share_listed(score, group, np.ones(7), np.zeros(7)).tolist() == [0] * 7


def test_capacity_is_per_school_and_date_and_the_tenth_per_date():
    data = rows()
    capacity, top = lists(data, np.random.default_rng(0).random(400))
    for day in (0, 1):
        assert top[data.as_of == day].sum() == pytest.approx(20)
        for school in range(4):
            assert capacity[(data.as_of == day) & (data.school == school)].sum() == pytest.approx(3)


def test_a_constant_score_is_chance():
    data = rows()
    found = measure(data, np.full(400, 0.1), seed=1)
    assert found.value["auc"] == 0.5
    assert found.value["recall_top_tenth"] == pytest.approx(0.1)
    assert found.value["ap"] == pytest.approx(data.y.mean())


def test_intervals_hold_the_value_and_differences_are_paired():
    data = rows(n=2000)
    rng = np.random.default_rng(0)
    good = expit(rng.normal(size=2000) + 1.5 * data.y - 2)
    nearly = np.clip(good + rng.normal(size=2000) * 1e-4, 0, 1)
    one, other = measure(data, good, seed=5), measure(data, nearly, seed=5)
    low, high = one.interval("auc")
    assert low < one.value["auc"] < high
    value, low_d, high_d = difference(one, other, "auc")
    assert abs(value) < 0.01
    assert high_d - low_d < (high - low) / 5
    assert measure(data, good, seed=5).as_json() == one.as_json()


def test_shuffled_labels_give_chance_within_the_interval():
    data = rows(n=4000, seed=3)
    score = np.random.default_rng(8).random(4000)
    low, high = measure(data, score, seed=2).interval("auc")
    assert low < 0.5 < high


def test_without_events_nothing_is_defined():
    data = rows()
    none = Rows(**(vars(data) | {"y": np.zeros(400, dtype=bool)}))
    found = measure(none, np.full(400, 0.1), seed=1, draws=5).as_json()
    assert found["auc"] == [None, None, None]
    assert found["recall_at_capacity"] == [None, None, None]
    assert calibration_slope(none, np.linspace(0.1, 0.2, 400)) == [None, None, None]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), shuffle=st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(seed, shuffle):
    data, score = random_rows(seed, students=40)
    order = list(range(len(data)))
    shuffle.shuffle(order)
    order = np.asarray(order)
    found = measure(data, score, seed=1, draws=20)
    moved = measure(data.take(order), score[order], seed=1, draws=20)
    assert moved.value == found.value
    for name in MEASURES:
        np.testing.assert_array_equal(moved.draws[name], found.draws[name])
    assert recall_at_capacity(data.take(order), score[order]) == recall_at_capacity(data, score)


def test_each_draw_is_the_measure_of_the_students_drawn():
    data, score = random_rows(3, students=50)
    found = measure(data, score, seed=9, draws=5)
    capacity, top = lists(data, score)
    rng = np.random.default_rng(9)
    for draw in range(5):
        times = np.bincount(rng.integers(0, 50, 50), minlength=50)[data.student]
        w = data.weight * times
        expected = {
            "auc": roc_auc_score(data.y, score, sample_weight=w),
            "ap": average_precision_score(data.y, score, sample_weight=w),
            "recall_at_capacity": np.sum(w * data.y * capacity) / np.sum(w * data.y),
            "precision_at_capacity": np.sum(w * data.y * capacity) / np.sum(w * capacity),
            "recall_top_tenth": np.sum(w * data.y * top) / np.sum(w * data.y),
            "precision_top_tenth": np.sum(w * data.y * top) / np.sum(w * top),
            "brier": np.sum(w * (score - data.y) ** 2) / np.sum(w),
            "observed_expected": np.sum(w * data.y) / np.sum(w * score),
        }
        assert {n: found.draws[n][draw] for n in MEASURES} == pytest.approx(expected, abs=1e-9)


def test_exact_totals_do_not_depend_on_the_order_of_addition():
    rng = np.random.default_rng(0)
    sums = rng.random((5000, 3)) * [1e-6, 1.0, 1e6]
    sums[rng.random(5000) < 0.9] = 0
    counts = rng.poisson(1.0, (7, 5000)).astype(float)
    found = Exact.of(sums).totals(counts)
    np.testing.assert_allclose(found, np.einsum("ds,sk->dk", counts, sums), rtol=1e-9)
    order = rng.permutation(5000)
    np.testing.assert_array_equal(Exact.of(sums[order]).totals(counts[:, order]), found)
    assert Exact.of(np.zeros((4, 2))).totals(np.ones((3, 4))).tolist() == [[0, 0]] * 3


@pytest.mark.parametrize("n", [1, 12, 400.5])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 1.0])
def test_wilsons_interval_solves_its_equation(share, n):
    low, high = wilson(share, n)
    assert 0 <= low <= share <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert abs(share - end) == pytest.approx(
                1.959964 * np.sqrt(end * (1 - end) / n), rel=1e-5
            )


def test_rounding():
    assert plain(1 / 3) == 0.333333
    assert figure(1 / 3e6) == 3.33333e-07
    assert plain(float("nan")) is figure(float("inf")) is None
    over_nothing = over(np.asarray([1.0, 0.0]), np.asarray([0.0, 2.0]))
    np.testing.assert_array_equal(over_nothing, [np.nan, 0.0])


def test_no_rows():
    none = panel_rows([])
    assert measure(none, np.zeros(0), seed=1, draws=3).as_json()["auc"] == [None, None, None]


def test_calibration_slope():
    data = rows(n=20_000)
    rng = np.random.default_rng(4)
    odds = rng.normal(size=20_000) - 2
    right = Rows(**(vars(data) | {"y": rng.random(20_000) < expit(odds)}))
    slope, low, high = calibration_slope(right, expit(odds))
    assert low < 1 < high
    steep, low, high = calibration_slope(right, expit(2 * odds))
    assert steep == pytest.approx(slope / 2, abs=1e-3)
    assert high < 1
