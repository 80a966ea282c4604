"""Calibration by what came later: how much flatter, and how much higher or lower, truth is.

What is fitted before an origin and predicts what comes after it tells how far its log-odds are
stretched: the slope of the truth on them. A fit on fewer outcomes is stretched more, and the excess
shrinks as one over the number of outcomes (van Houwelingen and le Cessie, Statistics in Medicine
9(11), 1990: the shrinkage factor is 1 - p / chi-square, and chi-square grows with the outcomes). So
the slope of the fit on all rows is 1 - c / events, with c from the slopes seen at the origins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from earlywarn.models.fitting.combine import CALIBRATION_SD, Calibration, calibrate, solve_b0
from earlywarn.models.panel import Rows
from earlywarn.models.scorecard import Floats


@dataclass(frozen=True)
class Seen:
    """What was fitted on `train` and predicted of `later`, as log-odds of each row."""

    train: Rows
    later: Rows
    train_odds: Floats
    later_odds: Floats


def from_origins(
    seen: Sequence[Seen], rows: Rows, odds: Floats, *, row_weight: float, same_time: bool
) -> Calibration:
    """Return the affine map for a scorecard that gives `odds` to the rows it was fitted on.

    The slope comes from all of `seen`, the level from the newest (from all of them if they are of
    the same time: schools held out). Priors: N(1, CALIBRATION_SD) on the slope, N(0,
    CALIBRATION_SD) on the shift of the level; the slope is not below 0.
    """
    events = rows.events
    excess, precision = 0.0, 1 / (CALIBRATION_SD * events) ** 2
    for one in seen:
        weight = one.later.weight * row_weight
        found = calibrate(one.later_odds, one.later.y, weight, prior_sd=1e3, least=None)
        count = one.train.events
        certain = 1 / (found.slope_se * count) ** 2
        excess += certain * (1 - found.slope) * count
        precision += certain
    excess /= precision
    slope = max(0.0, 1 - excess / events)
    newest = seen if same_time else seen[-1:]
    offsets, labels, weights = [], [], []
    for one in newest:
        flat = max(0.0, 1 - excess / one.train.events)
        level = solve_b0(flat * one.train_odds, one.train.rate, one.train.weight)
        offsets.append(level + flat * one.later_odds)
        labels.append(one.later.y)
        weights.append(one.later.weight * row_weight)
    shift = _shift(np.concatenate(offsets), np.concatenate(labels), np.concatenate(weights))
    intercept = solve_b0(slope * odds, rows.rate, rows.weight) + shift
    return Calibration(intercept, slope, float(np.sqrt(1 / precision)) / events)


def _shift(offsets: Floats, y: Floats, weight: Floats) -> float:
    """Return the most probable change of the level, with its prior."""
    precision = 1 / CALIBRATION_SD**2

    def objective(z: Floats) -> tuple[float, Floats]:
        eta = offsets + z[0]
        value = np.sum(weight * (np.logaddexp(0.0, eta) - y * eta)) + 0.5 * precision * z[0] ** 2
        slope = np.sum(weight * (expit(eta) - y)) + precision * z[0]
        return float(value), np.asarray([slope])

    found = minimize(objective, np.zeros(1), jac=True, method="L-BFGS-B")
    return float(found.x[0])
