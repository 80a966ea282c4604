"""Logistic regression on splines, as tables: g where outcomes are few or risk grows smoothly.

Each feature's log-odds are a piecewise linear function of it (a spline of degree 1), and a value of
its own where it is missing. The function is evaluated on the feature's bins, so the tables are the
fitted model itself and no approximation of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from earlywarn.models.fitting.additive import (
    Additive,
    balanced,
    bins_of,
    centred,
    cuts_of,
    empty,
    varies,
)
from earlywarn.models.fitting.estimator import AdditiveClassifier
from earlywarn.models.scorecard import Bools, FeatureTable, Floats

_MAX_ITERATIONS = 500


class SplineLogisticClassifier(AdditiveClassifier):
    """Penalised logistic regression on one linear spline a feature.

    A spline is a sum of ramps, each rising from 0 to 1 between two knots, and the penalty is the
    sum of squares of their heights: heights are drawn to 0, so a function is flat where nothing
    speaks against it (a penalised spline of order 1, Eilers and Marx, Statistical Science 11(2),
    1996). With a direction the heights have its sign, so the function never turns back.

    Parameters
    ----------
    penalty
        Half the prior precision of a ramp's height, in units of one row's weight: heights are
        about N(0, 1 / penalty).
    knots
        Ramps a feature at most, between quantiles of the feature (half of the weight on the rows
        with the label).
    max_bins
        Steps of each table.
    monotonic_cst
        For each feature 1, -1 or 0: where risk may grow. None: nowhere bound.
    """

    def __init__(
        self,
        penalty: float = 3.0,
        knots: int = 6,
        max_bins: int = 64,
        monotonic_cst: Sequence[int] | None = None,
    ) -> None:
        self.penalty = penalty
        self.knots = knots
        self.max_bins = max_bins
        self.monotonic_cst = monotonic_cst

    def _tables(
        self,
        x: Floats,
        y: Bools,
        weight: Floats,
        names: Sequence[str],
        directions: Sequence[int],
    ) -> Additive:
        mass = balanced(y, weight)
        columns = [j for j in range(x.shape[1]) if varies(x[:, j])]
        splines = [
            _spline(x[:, j], mass, weight, directions[j], self.knots, self.max_bins)
            for j in columns
        ]
        constant, tables = _fit(splines, y, weight, self.penalty)
        placed = [empty(name) for name in names]
        for j, spline, values in zip(columns, splines, tables, strict=True):
            placed[j] = FeatureTable(
                name=names[j],
                thresholds=spline.cuts.tolist(),
                values=values[:-1],
                missing=values[-1],
            )
        return centred(placed, constant, x, weight)


@dataclass(frozen=True)
class _Spline:
    """One feature: its bins and, for each bin (the last: missing), the value of each ramp."""

    cuts: Floats
    bins: NDArray[np.intp]  # (n,)
    ramps: Floats  # (bins + 1, ramps + 1), centred over the rows; the last column is missingness
    low: Floats  # the least and the most that each height may be
    high: Floats


def _spline(
    column: Floats, mass: Floats, weight: Floats, direction: int, knots: int, max_bins: int
) -> _Spline:
    cuts = cuts_of(column, mass, max_bins)
    bins = bins_of(column, cuts)
    count = len(cuts) + 1
    known = bins < count
    there = np.bincount(bins[known], weights=mass[known], minlength=count).astype(np.float64)
    finite = np.clip(column[known], -1e300, 1e300)
    sums = np.bincount(bins[known], weights=mass[known] * finite, minlength=count)
    centre = np.maximum.accumulate(sums / there)  # of each bin; the rounding of sums undone
    at = _knots(centre, there, knots)
    ramps = np.zeros((count + 1, len(at)))
    for k, (left, right) in enumerate(pairwise(at)):
        ramps[:count, k] = np.clip((centre - left) / (right - left), 0.0, 1.0)
    ramps[count, -1] = 1.0
    share = np.bincount(bins, weights=weight, minlength=count + 1) / weight.sum()
    ramps -= np.sum(ramps * share[:, None], axis=0)
    low, high = np.full(len(at), -np.inf), np.full(len(at), np.inf)
    if direction > 0:
        low[:-1] = 0.0
    if direction < 0:
        high[:-1] = 0.0
    if known.all():
        low[-1] = high[-1] = 0.0
    return _Spline(cuts, bins, ramps, low, high)


def _knots(centre: Floats, mass: Floats, knots: int) -> Floats:
    """Return ascending knots: all of the bins' centres if they are few, else quantiles of mass."""
    if len(centre) > knots + 1:
        reached = np.cumsum(mass) / mass.sum()
        inner = np.searchsorted(reached, np.arange(1, knots) / knots)
        centre = centre[np.r_[0, np.minimum(inner, len(centre) - 1), len(centre) - 1]]
    return np.unique(centre)


def _fit(
    splines: Sequence[_Spline], y: Bools, weight: Floats, penalty: float
) -> tuple[float, list[list[float]]]:
    """Return the constant and each feature's table, missing last (before centring)."""
    ends = np.cumsum([1, *(spline.ramps.shape[1] for spline in splines)])
    places = [slice(a, b) for a, b in pairwise(ends.tolist())]
    positives = float(weight[y].sum())

    def tables(z: Floats) -> list[Floats]:
        return [
            np.sum(spline.ramps * z[place], axis=1)
            for spline, place in zip(splines, places, strict=True)
        ]

    def objective(z: Floats) -> tuple[float, Floats]:
        eta = np.full(len(y), z[0])
        for spline, table in zip(splines, tables(z), strict=True):
            eta += table[spline.bins]
        residual = weight * (expit(eta) - y)
        value = float(np.sum(weight * (np.logaddexp(0.0, eta) - y * eta)))
        value += 0.5 * penalty * float(np.sum(z[1:] ** 2))
        slope = np.empty_like(z)
        slope[0] = residual.sum()
        for spline, place in zip(splines, places, strict=True):
            found = np.bincount(spline.bins, weights=residual, minlength=len(spline.ramps))
            slope[place] = np.sum(spline.ramps * found[:, None], axis=0)
        slope[1:] += penalty * z[1:]
        return value / positives, slope / positives

    start = np.zeros(ends[-1])
    start[0] = math.log(positives / float(weight[~y].sum()))
    found = minimize(  # type: ignore[call-overload]
        objective,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=np.column_stack(
            [
                np.concatenate([[-np.inf], *(spline.low for spline in splines)]),
                np.concatenate([[np.inf], *(spline.high for spline in splines)]),
            ]
        ),
        options={
            "maxiter": _MAX_ITERATIONS,
            "maxfun": 2 * _MAX_ITERATIONS,
            "ftol": 1e-11,
            "gtol": 1e-7,
        },
    )
    return float(found.x[0]), [table.tolist() for table in tables(found.x)]
