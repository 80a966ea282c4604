"""Measures of a ranking and of probabilities, with bootstrap intervals over students.

Rows carry sampling weights; all measures are weighted. Whom a list of limited length reaches is
computed as an expectation over ties. Every model is resampled with the same draws, so differences
between models are paired.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from earlywarn.models.panel import Rows
from earlywarn.models.scorecard import Floats

DRAWS = 200
TOP_SHARE = 0.1
MEASURES = (
    "auc",
    "ap",
    "recall_at_capacity",
    "precision_at_capacity",
    "recall_top_tenth",
    "precision_top_tenth",
    "brier",
    "observed_expected",
)


@dataclass(frozen=True)
class Measured:
    """One model's measures: the values, and their bootstrap draws (NaN where not defined)."""

    value: dict[str, float]
    draws: dict[str, Floats]

    def interval(self, name: str) -> tuple[float, float]:
        """Return the 95 % interval of one measure."""
        return _interval(self.draws[name])

    def as_json(self) -> dict[str, list[float | None]]:
        """Return [value, low, high] of each measure, None where not defined."""
        return {
            name: [plain(v) for v in (self.value[name], *self.interval(name))] for name in MEASURES
        }


def difference(one: Measured, other: Measured, name: str) -> tuple[float, float, float]:
    """Return one - other in a measure, with the paired 95 % interval."""
    low, high = _interval(one.draws[name] - other.draws[name])
    return one.value[name] - other.value[name], low, high


def _interval(draws: Floats) -> tuple[float, float]:
    known = draws[np.isfinite(draws)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def plain(value: float) -> float | None:
    """Return `value` as metrics.json has it: 6 decimals, None where not defined."""
    return round(float(value), 6) if np.isfinite(value) else None


def share_listed(score: Floats, group: NDArray[Any], weight: Floats, length: Floats) -> Floats:
    """Return for each row the expected share of it that is on its group's list.

    A group's list takes `length` (the same for all its rows, in units of weight) from the highest
    score down; rows of one score share what is left equally.
    """
    order = np.lexsort((-score, group))
    s, g, w = score[order], group[order], weight[order]
    new_group = np.r_[True, g[1:] != g[:-1]]
    new_block = new_group | np.r_[True, s[1:] != s[:-1]]
    starts = np.flatnonzero(new_block)
    sizes = np.add.reduceat(w, starts)
    before = np.cumsum(sizes) - sizes
    opens = np.flatnonzero(new_group[starts])  # the first block of each group
    group_of_block = np.cumsum(new_group[starts]) - 1
    before -= before[opens][group_of_block]
    part = np.clip((length[order][starts] - before) / sizes, 0.0, 1.0)
    result = np.empty(len(score))
    result[order] = part[np.cumsum(new_block) - 1]
    return result


def lists(rows: Rows, score: Floats) -> tuple[Floats, Floats]:
    """Return each row's share on its school's list (by capacity) and in its date's top tenth."""
    place = rows.school.astype(np.int64) * 100_000 + rows.as_of
    by_school = share_listed(score, place, rows.weight, rows.capacity.astype(np.float64))
    _, date_of = np.unique(rows.as_of, return_inverse=True)
    totals = np.bincount(date_of, weights=rows.weight)
    lengths: Floats = np.asarray(TOP_SHARE * totals[date_of], dtype=np.float64)
    top = share_listed(score, rows.as_of, rows.weight, lengths)
    return by_school, top


def measure(rows: Rows, probability: Floats, *, seed: int, draws: int = DRAWS) -> Measured:
    """Measure probabilities (or any ranking score in [0, 1]) against the rows' labels.

    The bootstrap draws students, with all their rows; whom the lists hold stays as it is.
    """
    score = np.round(probability, 12)
    capacity, top = lists(rows, score)
    order = np.argsort(-score, kind="stable")
    ranked = _Ranked(
        y=rows.y[order],
        starts=np.flatnonzero(np.r_[True, np.diff(score[order]) != 0]) if len(score) else order,
    )
    squared = (probability - rows.y) ** 2
    columns = np.column_stack([capacity, top, squared, probability])

    def at(weight: Floats) -> list[float]:
        auc, ap = ranked.auc_ap(weight[order])
        positive = weight * rows.y
        listed = weight @ columns
        reached = positive @ columns[:, :2]
        found = float(positive.sum())
        return [
            auc,
            ap,
            _over(reached[0], found),
            _over(reached[0], listed[0]),
            _over(reached[1], found),
            _over(reached[1], listed[1]),
            _over(listed[2], float(weight.sum())),
            _over(found, listed[3]),
        ]

    value = at(rows.weight)
    ids, student = np.unique(rows.student, return_inverse=True)
    rng = np.random.default_rng(seed)
    table = np.full((draws, len(MEASURES)), np.nan)
    for draw in range(draws if len(ids) else 0):
        counts = np.bincount(rng.integers(0, len(ids), len(ids)), minlength=len(ids))
        table[draw] = at(rows.weight * counts[student])
    return Measured(
        value=dict(zip(MEASURES, value, strict=True)),
        draws={name: table[:, place] for place, name in enumerate(MEASURES)},
    )


def _over(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")


@dataclass(frozen=True)
class _Ranked:
    """Labels from the highest score down, and where each block of equal scores starts."""

    y: NDArray[np.bool_]
    starts: NDArray[np.intp]

    def auc_ap(self, weight: Floats) -> tuple[float, float]:
        """Return the weighted ROC-AUC and average precision, ties as blocks."""
        if not len(self.y):
            return float("nan"), float("nan")
        positive = np.add.reduceat(weight * self.y, self.starts)
        both = np.add.reduceat(weight, self.starts)
        negative = both - positive
        found, rest = positive.sum(), negative.sum()
        if found <= 0:
            return float("nan"), float("nan")
        listed = np.cumsum(both)
        precision = np.divide(
            np.cumsum(positive), listed, out=np.zeros_like(listed), where=listed > 0
        )
        ap = float(np.sum(positive * precision) / found)
        if rest <= 0:
            return float("nan"), ap
        below = rest - np.cumsum(negative) + 0.5 * negative
        return float(np.sum(positive * below) / (found * rest)), ap


def recall_at_capacity(rows: Rows, score: Floats) -> tuple[float, float]:
    """Return recall at capacity and average precision, what models and rules are chosen by."""
    by_school, _ = lists(rows, score)
    order = np.argsort(-score, kind="stable")
    ranked = _Ranked(rows.y[order], np.flatnonzero(np.r_[True, np.diff(score[order]) != 0]))
    _, ap = ranked.auc_ap(rows.weight[order])
    positive = rows.weight * rows.y
    return _over(float(positive @ by_school), float(positive.sum())), ap
