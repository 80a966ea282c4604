"""Curves of models on the test rows: ROC, precision and recall, calibration, decision, capacity.

All are weighted. The decision curve and the recall by capacity have bootstrap intervals over
students; calibration has Wilson's interval, which is right for bins without any event too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from earlywarn.models.measures.metrics import (
    DRAWS,
    Bootstrap,
    Exact,
    Listing,
    figure,
    in_order,
    interval_of,
    over,
    plain,
    school_and_date,
    wilson,
)
from earlywarn.models.panel import Rows
from earlywarn.models.scorecard import Floats

CURVES_OF = ("combined", "rules_only", "classifier_only", "best_rule", "challenger")
POINTS = 50  # of a curve along each axis: at most 101 in all
BINS = 10
EVENTS_A_BIN = 10  # students with the event that a calibration bin needs on average
# Thresholds of the decision curve, in odds, from and to so many times the base rate's.
LOWEST, HIGHEST, THRESHOLDS = 0.1, 300.0, 29
MOST = 0.95  # nobody waits until an event is surer than that
# Of each school's cohort listed; the capacity's default is 0.03.
SHARES: tuple[float, ...] = (
    *(0.0, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05),
    *(0.06, 0.08, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3),
)

Points = list[list[float | None]]


def curves(
    rows: Rows, scores: dict[str, Floats], *, seed: int, draws: int = DRAWS
) -> dict[str, Any]:
    """Return the curves of the models in CURVES_OF that `scores` has, as metrics.json keeps them.

    {model: {"roc": [[false positive rate, recall]], "pr": [[recall, precision]],
    "calibration": [{"predicted", "observed", "low", "high", "rows", "events"}],
    "decision": [[threshold, net benefit, low, high]],
    "capacity": [[share of each school's cohort listed, recall, low, high]]},
    "decision_all": [[threshold, net benefit of visiting everybody]]}

    `events` are students with the event. What is not defined without events, or with nothing else,
    is an empty list.
    """
    names = [name for name in CURVES_OF if name in scores]
    rows, ordered = in_order(rows, *(scores[name] for name in names))
    thresholds = thresholds_for(rows.rate)
    boot = Bootstrap.of(rows, seed=seed, draws=draws)
    values: list[Floats] = []
    parts: list[Exact] = []

    def keep(columns: Iterable[Floats]) -> None:
        sums = boot.sums(columns)
        values.append(np.sum(sums, axis=0)[None, :])
        parts.append(Exact.of(sums))

    keep([rows.weight, rows.weight * rows.y])
    for p in ordered:
        keep(rows.weight * (rows.y & (p >= t)) for t in thresholds)
        keep(rows.weight * (~rows.y & (p >= t)) for t in thresholds)
        keep(_reached(rows, p))
    drawn = boot.totals(parts)
    whole, whole_drawn = values[0], drawn[0]
    found: dict[str, Any] = {}
    for k, (name, p) in enumerate(zip(names, ordered, strict=True)):
        true, false, reached = range(3 * k + 1, 3 * k + 4)
        roc, pr = _ranking_curves(rows, p)
        found[name] = {
            "roc": roc,
            "pr": pr,
            "calibration": calibration(rows, p),
            "decision": _with_intervals(
                thresholds,
                _benefit(values[true], values[false], whole[:, :1], thresholds),
                _benefit(drawn[true], drawn[false], whole_drawn[:, :1], thresholds),
            ),
            "capacity": _with_intervals(
                SHARES if rows.y.any() else (),
                over(values[reached], whole[:, 1:]),
                over(drawn[reached], whole_drawn[:, 1:]),
            ),
        }
    rate = rows.rate
    found["decision_all"] = [
        [float(t), figure(rate - (1 - rate) * t / (1 - t))] for t in thresholds
    ]
    return found


def thresholds_for(rate: float) -> Floats:
    """Return the thresholds of the decision curve: from a tenth of the base rate up, by odds.

    Rounded to 6 significant digits, so that what is printed is what was used.
    """
    if not 0 < rate < 1:
        return np.zeros(0)
    odds = rate / (1 - rate)
    top = max(min(HIGHEST * odds, MOST / (1 - MOST)), odds)
    spaced = np.exp(np.linspace(np.log(LOWEST * odds), np.log(top), THRESHOLDS))
    return np.asarray([float(f"{o / (1 + o):.6g}") for o in spaced])


def _ranking_curves(rows: Rows, p: Floats) -> tuple[Points, Points]:
    """Return ROC and precision-recall curve, thinned to vertices of the full curves."""
    positive = rows.weight * rows.y
    if not rows.y.any() or rows.y.all():
        return [], []
    score = np.round(p, 12)
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True])
    found = np.cumsum(positive[order])[ends]
    listed = np.cumsum(rows.weight[order])[ends]
    false = (listed - found) / (listed[-1] - found[-1])
    recall = found / found[-1]
    grid = np.linspace(0, 1, POINTS)
    x, y = np.r_[0.0, false], np.r_[0.0, recall]
    kept = np.unique(
        np.r_[np.searchsorted(x, grid, side="right") - 1, np.searchsorted(y, grid), len(x) - 1]
    )
    roc: Points = [[plain(x[i]), plain(y[i])] for i in kept]
    fine = np.linspace(0, 1, 2 * POINTS)
    kept = np.unique(np.minimum(np.searchsorted(recall, fine), len(recall) - 1))
    pr: Points = [[plain(recall[i]), plain(found[i] / listed[i])] for i in kept]
    return roc, pr


def calibration(rows: Rows, p: Floats) -> list[dict[str, Any]]:
    """Return predicted and observed rates in bins of equal weight; equal predictions share a bin.

    Up to BINS of them, one for every EVENTS_A_BIN students with the event.
    """
    if not len(rows):
        return []
    count = int(np.clip(rows.events // EVENTS_A_BIN, 1, BINS))
    order = np.argsort(p, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(np.round(p[order], 12)) != 0])
    sizes = np.add.reduceat(rows.weight[order], starts)
    upto = np.cumsum(sizes)
    middle = (upto - 0.5 * sizes) / upto[-1]
    of_block = np.minimum((middle * count).astype(np.int64), count - 1)
    bins = np.empty(len(p), dtype=np.int64)
    bins[order] = np.repeat(of_block, np.diff(np.r_[starts, len(p)]))
    result = []
    for number in np.unique(bins):
        chosen = bins == number
        part, y, weight = rows.student[chosen], rows.y[chosen], rows.weight[chosen]
        whole = float(np.sum(weight))
        observed = float(np.sum(weight * y)) / whole
        low, high = wilson(observed, effective_number(part, y, weight))
        result.append(
            {
                "predicted": figure(float(np.sum(weight * p[chosen])) / whole),
                "observed": figure(observed),
                "low": figure(low),
                "high": figure(high),
                "rows": int(np.count_nonzero(chosen)),
                "events": len(np.unique(part[y])),
            }
        )
    return result


def effective_number(student: NDArray[np.int32], y: NDArray[np.bool_], weight: Floats) -> float:
    """Return how many independent rows of equal weight say as much of the rate of y as these do.

    Students' rows go together: from the variance of the rate over students. Where all rows have the
    label or none, that shows nothing, and all rows of one student count as one (Kish 1965).
    """
    _, place = np.unique(student, return_inverse=True)
    whole = float(np.sum(weight))
    share = float(np.sum(weight * y)) / whole
    spread = float(np.sum(np.bincount(place, weights=weight * (y - share)) ** 2))
    if y.any() and not y.all() and spread > 0:
        return share * (1 - share) * whole**2 / spread
    return whole**2 / float(np.sum(np.bincount(place, weights=weight) ** 2))


def _reached(rows: Rows, p: Floats) -> Iterator[Floats]:
    """Yield for each of SHARES the weight of positives on lists of that share of each school."""
    if not rows.y.any():
        return
    group = school_and_date(rows)
    _, place = np.unique(group, return_inverse=True)
    cohort: Floats = np.asarray(np.bincount(place, weights=rows.weight)[place], dtype=np.float64)
    listing = Listing.of(np.round(p, 12), group, rows.weight)
    positive: Floats = rows.weight * rows.y
    for share in SHARES:
        yield positive * listing.shares(share * cohort)


def _benefit(true: Floats, false: Floats, whole: Floats, thresholds: Floats) -> Floats:
    """Return net benefit, (draws, thresholds), from the weights of true and false positives."""
    return over(true - false * (thresholds / (1 - thresholds)), whole)


def _with_intervals(at: Sequence[float] | Floats, values: Floats, draws: Floats) -> Points:
    """Return [[at, value, low, high]] from (1, at) values and (draws, at) draws."""
    return [
        [float(x), *(figure(v) for v in (values[0, j], *interval_of(draws[:, j])))]
        for j, x in enumerate(at)
    ]
