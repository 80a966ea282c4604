from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from earlywarn.errors import EarlywarnError
from earlywarn.models.fitting.combine import (
    SCALE_SD,
    calibrate,
    fit_combination,
    ladder_steps,
    solve_b0,
)
from earlywarn.models.scorecard import in_force

POINTS = np.asarray([1.0, 2.0, 2.0, 0.8, 1.5, 0.3])
LADDERS = ("u", "u", "u", None, None, None)
IDS = tuple("abcdef")


def made(n, seed=0, weights=POINTS, slope=0.6):
    rng = np.random.default_rng(seed)
    hits = in_force(rng.random((n, 6)) < 0.1, POINTS, IDS, LADDERS)
    g = rng.normal(size=n)
    y = rng.random(n) < expit(-3 + slope * g + hits @ weights)
    y[:2] = True, False
    return g, hits, y


def test_without_data_the_points_stay():
    g, hits, y = made(300)
    found = fit_combination(g, hits, y, np.full(300, 1e-10), POINTS, LADDERS, prior_sd=0.5)
    np.testing.assert_allclose(found.weights, POINTS, atol=1e-6)
    assert found.b1 == pytest.approx(1, abs=1e-6)
    assert solve_b0(g + hits @ POINTS, y.mean()) == pytest.approx(found.b0, abs=1e-5)


def test_with_much_data_the_data_decide():
    true = np.asarray([0.5, 1.0, 3.0, 0.0, 2.5, 0.9])
    g, hits, y = made(200_000, weights=true)
    found = fit_combination(g, hits, y, np.ones(200_000), POINTS, LADDERS, prior_sd=0.5)
    np.testing.assert_allclose(found.weights, true, atol=0.12)
    assert found.b1 == pytest.approx(0.6, abs=0.05)
    assert found.b0 == pytest.approx(-3, abs=0.05)


def test_a_little_data_moves_the_weights_a_little():
    true = np.asarray([0.5, 1.0, 3.0, 0.0, 2.5, 0.9])
    moved = []
    for n in (100, 1000, 10_000):
        g, hits, y = made(n, weights=true)
        found = fit_combination(g, hits, y, np.ones(n), POINTS, LADDERS, prior_sd=0.5)
        moved.append(np.abs(found.weights - POINTS).max())
    assert 0 < moved[0] < moved[1] < moved[2]


def test_weights_never_fall_as_points_rise_nor_below_zero():
    # The data say the opposite of the experts.
    true = np.asarray([3.0, 0.0, 1.0, -2.0, -1.0, 0.3])
    g, hits, y = made(100_000, weights=true, slope=-1.0)
    found = fit_combination(g, hits, y, np.ones(100_000), POINTS, LADDERS, prior_sd=0.5)
    assert found.b1 == 0
    assert (found.weights >= 0).all()
    for low, high in ladder_steps(POINTS, LADDERS):
        assert found.weights[high] >= found.weights[low]
    assert found.weights[3] == 0


def test_it_is_the_posterior_mode():
    g, hits, y = made(3000)
    weight = np.random.default_rng(1).random(3000) + 0.2
    found = fit_combination(g, hits, y, weight, POINTS, LADDERS, prior_sd=0.5)
    design = np.column_stack([np.ones(3000), g, hits.astype(float)])
    centre = np.concatenate([[1.0], POINTS])
    # w = s * points + deviations, s ~ N(1, SCALE_SD), deviations and b1 - 1 ~ N(0, 0.5).
    covariance = np.eye(7) * 0.5**2
    covariance[1:, 1:] += SCALE_SD**2 * np.outer(POINTS, POINTS)
    precision = np.linalg.inv(covariance)

    def loss(z):
        eta = design @ z
        fit = np.sum(weight * (np.logaddexp(0, eta) - y * eta))
        return fit + 0.5 * (z[1:] - centre) @ precision @ (z[1:] - centre)

    def slope(z):
        away = np.concatenate([[0.0], precision @ (z[1:] - centre)])
        return design.T @ (weight * (expit(design @ z) - y)) + away

    ours = np.concatenate([[found.b0, found.b1], found.weights])
    other = minimize(loss, ours + 0.1, jac=slope, method="BFGS", options={"gtol": 1e-8})
    if (other.x[1:] > 0).all() and other.x[3] > other.x[2] and other.x[4] > other.x[2]:
        np.testing.assert_allclose(ours, other.x, atol=1e-5)
    assert loss(ours) <= loss(np.concatenate([[found.b0], centre]))


def test_too_many_points_in_all_shrink_together():
    """Few outcomes say that the points are twice what they should be: all weights follow."""
    g, hits, y = made(1000, weights=POINTS / 2)
    found = fit_combination(g, hits, y, np.ones(1000), POINTS, LADDERS, prior_sd=0.25)
    shares = found.weights / POINTS
    assert shares.max() < 0.85
    assert np.ptp(shares) < 0.35


def test_without_g_only_rules_are_fitted():
    _, hits, y = made(500)
    found = fit_combination(None, hits, y, np.ones(500), POINTS, LADDERS, prior_sd=0.5)
    assert found.b1 == 0
    assert len(found.weights) == 6


def test_no_rules_at_all():
    g, _, y = made(500)
    none = np.zeros((500, 0), dtype=bool)
    found = fit_combination(g, none, y, np.ones(500), np.zeros(0), (), prior_sd=0.5)
    assert len(found.weights) == 0


@pytest.mark.parametrize("value", [True, False])
def test_one_class_is_refused(value):
    g, hits, _ = made(50)
    with pytest.raises(EarlywarnError, match="one class"):
        fit_combination(g, hits, np.full(50, value), np.ones(50), POINTS, LADDERS, prior_sd=0.5)


def test_b0_gives_the_base_rate():
    offsets = np.random.default_rng(0).normal(size=1000) * 3
    weight = np.random.default_rng(1).random(1000)
    b0 = solve_b0(offsets, 0.0003, weight)
    assert np.average(expit(b0 + offsets), weights=weight) == pytest.approx(0.0003, rel=1e-9)


def test_calibration_recovers_slope_and_intercept():
    rng = np.random.default_rng(0)
    log_odds = rng.normal(size=50_000) - 2
    y = rng.random(50_000) < expit(0.4 + 0.7 * log_odds)
    found = calibrate(log_odds, y, np.ones(50_000))
    assert found.slope == pytest.approx(0.7, abs=0.05)
    assert found.intercept == pytest.approx(0.4, abs=0.1)
    assert np.mean(expit(found.intercept + found.slope * log_odds)) == pytest.approx(
        y.mean(), abs=1e-6
    )


def test_calibration_with_little_data_stays_near_one_and_never_turns_round():
    log_odds = np.linspace(-4, 0, 40)
    y = np.zeros(40, dtype=bool)
    y[[5, 30]] = True
    assert 0.6 < calibrate(log_odds, y, np.ones(40)).slope < 1.3
    backwards = log_odds < -2
    assert calibrate(log_odds, backwards, np.full(40, 1e4)).slope == 0
    assert calibrate(log_odds, np.zeros(40, dtype=bool), np.ones(40)).slope == 1
