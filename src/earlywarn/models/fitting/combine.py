"""The combination (b0, b1, w): a logistic regression that starts from what the experts wrote.

Gaussian priors: w_r = s * points_r + a deviation, where the deviations and b1 - 1 have standard
deviation `prior_sd`, and s, the scale all points have in common, is N(1, SCALE_SD); b0 is free.
Authors write points one rule at a time and rules overlap, so the first thing data can say is that
all of them together are too much: one scale moves at the price of one (docs/decisions/0012).
w_r >= 0, b1 >= 0, and on one ladder a weight never falls as points rise, so a hit never lowers a
score. Where data are few the prior speaks, where they are many the data do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import brentq, minimize, nnls
from scipy.special import expit

from earlywarn.errors import EarlywarnError
from earlywarn.models.scorecard import Bools, Floats

CALIBRATION_SD = 0.3
SCALE_SD = 0.5  # of the scale that all rules' points have in common
MIN_EVENTS_FOR_G = 10
MIN_EVENTS_FOR_CALIBRATION = 20
_ROUNDING = 1e-12  # a weight below is 0
_STALLED = 1e-7  # of the loss per outcome: what may be left to gain where no step gains
_LIMIT = 60.0  # no log-odds beyond this mean anything; it bounds b0 and a


@dataclass(frozen=True)
class Combination:
    """b0, b1 (0 where g was left out) and the rules' weights, in the order of the rules given."""

    b0: float
    b1: float
    weights: Floats


@dataclass(frozen=True)
class Calibration:
    """log-odds -> intercept + slope * log-odds, with the slope's standard error."""

    intercept: float
    slope: float
    slope_se: float


def _loss(log_odds: Floats, y: Bools, weight: Floats) -> float:
    return float(np.sum(weight * (np.logaddexp(0.0, log_odds) - y * log_odds)))


@dataclass(frozen=True)
class _Prior:
    """The Gaussian prior of (b1, w), or of w alone: its precision is I / sd^2 - pull pull'."""

    centre: Floats
    sd: float
    pull: Floats  # towards one common scale of the rules' points; 0 for b1

    @classmethod
    def around(cls, points: Floats, sd: float, *, with_g: bool) -> _Prior:
        # Covariance of w: sd^2 I + SCALE_SD^2 points points'; inverted by Sherman and Morrison.
        common = SCALE_SD**2 / (sd**2 * (sd**2 + SCALE_SD**2 * float(np.sum(points**2))))
        b1 = np.ones(1 if with_g else 0)
        return cls(
            centre=np.concatenate([b1, points]),
            sd=sd,
            pull=np.concatenate([b1 * 0.0, np.sqrt(common) * points]),
        )

    def slope(self, z: Floats) -> Floats:
        """Return the gradient of half the squared distance of z from the centre."""
        away = z - self.centre
        return np.asarray(away / self.sd**2 - self.pull * np.sum(self.pull * away))

    def loss(self, z: Floats) -> float:
        return 0.5 * float(np.sum((z - self.centre) * self.slope(z)))

    @property
    def precision(self) -> Floats:
        return np.asarray(np.eye(len(self.pull)) / self.sd**2 - np.outer(self.pull, self.pull))


def solve_b0(offsets: Floats, target: float, weight: Floats | None = None) -> float:
    """Return the b0 for which the (weighted) mean of sigmoid(b0 + offsets) is `target`."""
    shares = np.full(len(offsets), 1 / len(offsets)) if weight is None else weight / weight.sum()

    def excess(b0: float) -> float:
        return float(np.sum(shares * expit(b0 + offsets))) - target

    low, high = -_LIMIT - float(offsets.max()), _LIMIT - float(offsets.min())
    return float(brentq(excess, low, high, xtol=1e-13, rtol=1e-14))


def ladder_steps(points: Floats, ladders: Sequence[str | None]) -> list[tuple[int, int]]:
    """Return pairs (lower, higher) of rules on one ladder whose points are next to each other."""
    pairs: list[tuple[int, int]] = []
    for ladder in sorted({name for name in ladders if name is not None}):
        members = [place for place, name in enumerate(ladders) if name == ladder]
        levels = sorted({float(points[place]) for place in members})
        for low, high in pairwise(levels):
            pairs += [
                (a, b) for a in members for b in members if points[a] == low and points[b] == high
            ]
    return pairs


def fit_combination(
    g: Floats | None,
    hits: Bools,
    y: Bools,
    weight: Floats,
    points: Floats,
    ladders: Sequence[str | None],
    *,
    prior_sd: float,
) -> Combination:
    """Return the posterior mode of (b0, b1, w).

    Parameters
    ----------
    g
        (n,) out-of-fold log-odds of the classifier; None leaves it out.
    hits
        (n, rules) hits in force: of several on one ladder only the one with the most points.
    y, weight
        (n,) labels and row weights.
    points, ladders
        What the authors wrote, per rule.
    prior_sd
        Standard deviation of the priors of b1 and of each weight's deviation from the common scale.

    Raises
    ------
    EarlywarnError
        If all rows have the same label, or the optimiser does not settle.
    """
    positives = float(np.sum(weight * y))
    total = float(weight.sum())
    if not 0 < positives < total:
        raise EarlywarnError(
            zh="训练样本只有一类（全部有结果或全部没有结果），无法训练。",
            en="The training rows are all of one class; there is nothing to learn from.",
        )
    count = hits.shape[1]
    first = 1 if g is None else 2  # the place of the first rule's weight in z = (b0, [b1,] w)
    matrix = sparse.csr_array(hits.astype(np.float64))
    prior = _Prior.around(points, prior_sd, with_g=g is not None)

    def odds(z: Floats) -> Floats:
        result: Floats = z[0] + matrix @ z[first:]
        return result if g is None else result + z[1] * g

    # Scaled by the weight of the positives, so that tolerances mean the same for any panel.
    scale = max(positives, 1.0)

    def objective(z: Floats) -> tuple[float, Floats]:
        eta = odds(z)
        residual = weight * (expit(eta) - y)
        value = _loss(eta, y, weight) + prior.loss(z[1:])
        slopes = [np.sum(residual)] if g is None else [np.sum(residual), np.sum(residual * g)]
        gradient: Floats = np.concatenate([slopes, matrix.T @ residual])
        gradient[1:] += prior.slope(z[1:])
        return value / scale, gradient / scale

    start = np.concatenate([[0.0], prior.centre])
    start[0] = solve_b0(odds(start), positives / total, weight)
    steps = ladder_steps(points, ladders)
    z = _newton(objective, odds, matrix, g, weight, start, first, prior.precision, steps, scale)
    return Combination(
        b0=float(z[0]),
        b1=0.0 if g is None or z[1] < _ROUNDING else float(z[1]),
        weights=_tidy(z[first : first + count], points, ladders),
    )


def _newton(
    objective: Callable[[Floats], tuple[float, Floats]],
    odds: Callable[[Floats], Floats],
    matrix: sparse.csr_array,
    g: Floats | None,
    weight: Floats,
    z: Floats,
    first: int,
    precision: Floats,
    steps: list[tuple[int, int]],
    scale: float,
) -> Floats:
    """Minimise by Newton steps, each a small quadratic programme under the constraints.

    The rows are read only for gradient and curvature, so it costs a dozen passes over the panel.
    """
    columns = [np.ones(matrix.shape[0])] + ([] if g is None else [g])
    dense = np.column_stack(columns)
    value, gradient = objective(z)
    for _ in range(100):
        share = expit(odds(z))
        curve = weight * share * (1 - share)
        weighted = dense * curve[:, None]
        hessian = np.empty((len(z), len(z)))
        hessian[:first, :first] = dense.T @ weighted
        hessian[first:, :first] = matrix.T @ weighted
        hessian[:first, first:] = hessian[first:, :first].T
        hessian[first:, first:] = (matrix.multiply(curve[:, None]).T @ matrix).toarray()
        hessian[1:, 1:] += precision
        hessian[0, 0] += 1e-9
        move = _programme(hessian / scale, gradient, z, first, steps)
        fall = float(gradient @ move)
        if float(np.max(np.abs(move))) < 1e-9 or fall > -1e-16:
            return z
        length = 1.0
        while True:
            trial = z + length * move
            new_value, new_gradient = objective(trial)
            if new_value <= value + 1e-4 * length * fall or length < 1e-8:
                break
            length /= 2
        if length < 1e-8:
            if fall > -_STALLED:  # as low as rounding lets it be seen
                return z
            break
        z, value, gradient = trial, new_value, new_gradient
    # Neither Newton nor the quadratic programme went on: a point that is no minimum is no answer.
    raise EarlywarnError(
        zh="合成权重的计算没有收敛；请检查规则分值是否过大。",
        en="Fitting the combination did not settle; check whether a rule's points are extreme.",
    )


def _programme(
    hessian: Floats, gradient: Floats, z: Floats, first: int, steps: list[tuple[int, int]]
) -> Floats:
    """Return the d that minimises gradient d + d'Hd/2 with z + d inside the constraints."""
    size = len(z)
    # In units in which the curvature is about 1: well conditioned.
    unit = 1 / np.sqrt(np.diag(hessian))
    scaled = hessian * unit[:, None] * unit[None, :]
    slope = gradient * unit
    chain = np.zeros((len(steps), size))
    for row, (low, high) in enumerate(steps):
        chain[row, first + low] = -unit[first + low]
        chain[row, first + high] = unit[first + high]
    offset = np.asarray([z[first + high] - z[first + low] for low, high in steps])
    free = np.linalg.solve(scaled, -slope)
    lower = -z / unit
    lower[0] = -np.inf
    inside = bool(np.all(free >= lower)) and (not steps or bool(np.all(chain @ free + offset >= 0)))
    if inside:
        return np.asarray(free * unit)

    return np.asarray(
        _nearest(
            scaled,
            slope,
            np.vstack([np.eye(size)[1:], chain]),
            np.concatenate([lower[1:], -offset]),
        )
        * unit
    )


def _nearest(hessian: Floats, slope: Floats, matrix: Floats, least: Floats) -> Floats:
    """Return the d that minimises slope d + d'Hd/2 with matrix d >= least (d = 0 is feasible).

    As a least distance problem, solved exactly by non-negative least squares: Lawson and Hanson,
    Solving Least Squares Problems (1974), chapter 23.
    """
    root = np.linalg.cholesky(hessian).T  # H = root' root
    shift = np.linalg.solve(root.T, slope)  # y = root d + shift is to be short
    rows = np.linalg.solve(root.T, matrix.T).T
    bound = least + rows @ shift
    dual, _ = nnls(np.vstack([rows.T, bound]), np.eye(len(slope) + 1)[-1])
    rest = np.vstack([rows.T, bound]) @ dual
    rest[-1] -= 1
    return np.asarray(np.linalg.solve(root, -rest[:-1] / rest[-1] - shift))


def _tidy(weights: Floats, points: Floats, ladders: Sequence[str | None]) -> Floats:
    """Remove the optimiser's rounding: no weight below 0, none falling as points rise."""
    tidy = np.where(weights < _ROUNDING, 0.0, weights)
    for low, high in sorted(ladder_steps(points, ladders), key=lambda pair: points[pair[0]]):
        tidy[high] = max(tidy[high], tidy[low])
    return np.asarray(tidy)


def calibrate(
    log_odds: Floats,
    y: Bools,
    weight: Floats,
    *,
    prior_sd: float = CALIBRATION_SD,
    least: float | None = 0.0,
) -> Calibration:
    """Fit intercept + slope * log_odds; the slope has a prior N(1, prior_sd) and is >= `least`.

    Where all labels are the same nothing is fitted: intercept 0, slope 1.
    """
    precision = 1 / prior_sd**2
    total, positives = float(weight.sum()), float(np.sum(weight * y))
    if not 0 < positives < total:
        return Calibration(0.0, 1.0, prior_sd)
    centre = float(np.average(log_odds, weights=weight))
    x = log_odds - centre  # centred: intercept and slope then hardly depend on each other

    def objective(z: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        eta = z[0] + z[1] * x
        residual = weight * (expit(eta) - y)
        value = _loss(eta, y, weight) + 0.5 * precision * (z[1] - 1) ** 2
        slope = np.sum(residual * x) + precision * (z[1] - 1)
        return value / positives, np.asarray([np.sum(residual), slope]) / positives

    start = np.asarray([solve_b0(x, positives / total, weight), 1.0])
    found = minimize(
        objective,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(None, None), (least, None)],
        options={"ftol": 1e-15, "gtol": 1e-10},
    )
    a, slope = (float(value) for value in found.x)
    share = expit(a + slope * x)
    curve = weight * share * (1 - share)
    known, cross, both = np.sum(curve), np.sum(curve * x), np.sum(curve * x * x) + precision
    variance = 1 / (both - cross**2 / known) if known > 0 else prior_sd**2
    return Calibration(a - slope * centre, slope, float(np.sqrt(variance)))
