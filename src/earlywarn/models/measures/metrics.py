"""Measures of a ranking and of probabilities, with bootstrap intervals over students.

Rows carry sampling weights; all measures are weighted. Whom a list of limited length reaches is
computed as an expectation over ties. Every model is resampled with the same draws, so differences
between models are paired. Neither the order of the rows nor the number of threads changes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from earlywarn.models.panel import Rows
from earlywarn.models.scorecard import Floats

DRAWS = 1000
TOP_SHARE = 0.1
Z = 1.959963984540054  # two-sided 95 %
# How many numbers a block of draws may hold: 64 MB.
BLOCK = 8_000_000
# Below this share of students who count at all, sums leave the others out.
FEW = 0.1
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
        return interval_of(self.draws[name])

    def as_json(self) -> dict[str, list[float | None]]:
        """Return [value, low, high] of each measure, None where not defined."""
        return {
            name: [plain(v) for v in (self.value[name], *self.interval(name))] for name in MEASURES
        }


def difference(one: Measured, other: Measured, name: str) -> tuple[float, float, float]:
    """Return one - other in a measure, with the paired 95 % interval."""
    low, high = interval_of(one.draws[name] - other.draws[name])
    return one.value[name] - other.value[name], low, high


def interval_of(draws: Floats) -> tuple[float, float]:
    """Return the 95 % interval of a bootstrap's draws, those where it is not defined left out."""
    known = draws[np.isfinite(draws)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def wilson(share: float, n: float) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share among n."""
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return max(0.0, min(share, float(centre - half))), min(1.0, max(share, float(centre + half)))


def plain(value: float) -> float | None:
    """Return `value` as metrics.json has it: 6 decimals, None where not defined."""
    return round(float(value), 6) if np.isfinite(value) else None


def figure(value: float) -> float | None:
    """Return `value` with 6 significant digits (rates of rare events), None where not defined."""
    return float(f"{value:.6g}") if np.isfinite(value) else None


@dataclass(frozen=True)
class Listing:
    """Rows ranked within groups: how much of each row is on its group's list, for any length."""

    order: NDArray[np.intp]
    block: NDArray[np.intp]  # of each row in that order
    before: Floats  # weight above each block in its group
    sizes: Floats

    @classmethod
    def of(cls, score: Floats, group: NDArray[Any], weight: Floats) -> Listing:
        """Rank rows from the highest score down in each group; equal scores make a block."""
        order = np.lexsort((-score, group))
        s, g, w = score[order], group[order], weight[order]
        new_group = np.r_[True, g[1:] != g[:-1]]
        new_block = new_group | np.r_[True, s[1:] != s[:-1]]
        starts = np.flatnonzero(new_block)
        sizes = np.add.reduceat(w, starts)
        before = np.cumsum(sizes) - sizes
        opens = np.flatnonzero(new_group[starts])  # the first block of each group
        before -= before[opens][np.cumsum(new_group[starts]) - 1]
        return cls(order, np.cumsum(new_block) - 1, before, sizes)

    def shares(self, length: Floats) -> Floats:
        """Return the expected share of each row that is on its group's list.

        A list takes `length` (the same for all rows of a group, in units of weight) from the top;
        rows of one score share what is left equally.
        """
        result = np.empty(len(self.order))
        part = (length[self.order] - self.before[self.block]) / self.sizes[self.block]
        result[self.order] = np.clip(part, 0.0, 1.0)
        return result


def share_listed(score: Floats, group: NDArray[Any], weight: Floats, length: Floats) -> Floats:
    """Return for each row the expected share of it that is on its group's list.

    A group's list takes `length` (the same for all its rows, in units of weight) from the highest
    score down; rows of one score share what is left equally.
    """
    if not len(score):
        return np.zeros(0)
    return Listing.of(score, group, weight).shares(length)


def school_and_date(rows: Rows) -> NDArray[np.int64]:
    """Return a number for each row's school and as-of date together."""
    return np.asarray(rows.school.astype(np.int64) * 100_000 + rows.as_of)


def by_capacity(rows: Rows, score: Floats) -> Floats:
    """Return each row's share on its school's list, which is as long as the school's capacity."""
    lengths = rows.capacity.astype(np.float64)
    return share_listed(score, school_and_date(rows), rows.weight, lengths)


def lists(rows: Rows, score: Floats) -> tuple[Floats, Floats]:
    """Return each row's share on its school's list (by capacity) and in its date's top tenth."""
    _, date_of = np.unique(rows.as_of, return_inverse=True)
    totals = np.bincount(date_of, weights=rows.weight)
    lengths: Floats = np.asarray(TOP_SHARE * totals[date_of], dtype=np.float64)
    return by_capacity(rows, score), share_listed(score, rows.as_of, rows.weight, lengths)


def in_order(rows: Rows, *scores: Floats) -> tuple[Rows, list[Floats]]:
    """Return rows by student and date, without inputs and hits, and scores in the same order.

    Sums depend in their last bits on the order of what is added: measures begin by fixing it.
    """
    order = np.lexsort((rows.as_of, rows.student))
    bare = replace(rows, x=np.zeros((len(rows), 0)), hits=np.zeros((len(rows), 0), np.bool_))
    return bare.take(order), [score[order] for score in scores]


@dataclass(frozen=True)
class Bootstrap:
    """Draws of students with replacement; the same for all that is measured on the same rows.

    Attributes
    ----------
    place
        Of each row, its student's place among the `students`.
    """

    place: NDArray[np.intp]
    students: int
    seed: int
    draws: int

    @classmethod
    def of(cls, rows: Rows, *, seed: int, draws: int) -> Bootstrap:
        """Prepare draws of the rows' students."""
        codes, place = np.unique(rows.student, return_inverse=True)
        return cls(place, len(codes), seed, draws if len(codes) else 0)

    def sums(self, columns: Iterable[Floats]) -> Floats:
        """Return columns of row values summed over each student's rows: (students, columns)."""
        found = [np.bincount(self.place, weights=c, minlength=self.students) for c in columns]
        return np.column_stack(found) if found else np.zeros((self.students, 0))

    def totals(self, parts: Sequence[Exact]) -> list[Floats]:
        """Return the totals of every draw, (draws, columns), for each of the parts."""
        result = [np.empty((self.draws, len(part.scale))) for part in parts]
        for chosen, counts in self.counts():
            for totals, part in zip(result, parts, strict=True):
                totals[chosen] = part.totals(counts)
        return result

    def counts(self) -> Iterator[tuple[slice, Floats]]:
        """Yield (which draws, how often each student is in each of them), some draws at a time."""
        rng = np.random.default_rng(self.seed)
        n = self.students
        step = max(1, min(64, BLOCK // max(n, 1)))
        for first in range(0, self.draws, step):
            block = np.empty((min(step, self.draws - first), n))
            for row in block:
                row[:] = np.bincount(rng.integers(0, n, n), minlength=n)
            yield slice(first, first + len(block)), block


@dataclass(frozen=True)
class Exact:
    """Sums over students as whole numbers, small enough that adding them up is exact.

    So the order of addition is of no account, and a fast matrix product gives the same bits with
    any number of threads. Where most students have nothing but zeros, those are left out.
    """

    students: NDArray[np.intp]
    whole: Floats
    scale: Floats

    @classmethod
    def of(cls, sums: Floats) -> Exact:
        """Round (students, columns) to multiples of a power of two, each column of its own."""
        students = np.flatnonzero(sums.any(axis=1))
        if len(students) > FEW * len(sums):
            students = np.arange(len(sums))  # picking them out would take longer
        kept = sums if len(students) == len(sums) else sums[students]
        largest = np.abs(kept).max(axis=0) if len(kept) else np.zeros(sums.shape[1])
        # a draw has as many students as there are: no total is above that times the largest
        bits = 52 - np.ceil(np.log2(np.maximum(largest * max(len(sums), 1), 2.0**-400)))
        scale = np.exp2(np.minimum(bits, 400.0))
        return cls(students, np.rint(kept * scale), scale)

    def totals(self, counts: Floats) -> Floats:
        """Return the totals of draws, (draws, columns), from (draws, all students) counts."""
        few = len(self.students) < counts.shape[1]
        found: Floats = (counts[:, self.students] if few else counts) @ self.whole
        return found / self.scale


def measure(rows: Rows, probability: Floats, *, seed: int, draws: int = DRAWS) -> Measured:
    """Measure probabilities (or any ranking score in [0, 1]) against the rows' labels.

    The bootstrap draws students, with all their rows; whom the lists hold stays as it is.
    """
    rows, (p,) = in_order(rows, probability)
    score = np.round(p, 12)
    capacity, top = lists(rows, score)
    ranking = Ranking.of(rows.y, score)
    boot = Bootstrap.of(rows, seed=seed, draws=draws)
    positive = rows.weight * rows.y
    rest = (capacity, top, (p - rows.y) ** 2, p)
    sums = boot.sums(
        [rows.weight, positive, positive * capacity, positive * top]
        + [rows.weight * column for column in rest]
    )
    exact = Exact.of(sums)
    totals = np.empty((boot.draws, sums.shape[1]))
    ranks = np.empty((boot.draws, 2))
    place, weight = boot.place[ranking.order], rows.weight[ranking.order]
    for chosen, counts in boot.counts():
        totals[chosen] = exact.totals(counts)
        ranks[chosen] = [ranking.auc_ap(count[place] * weight) for count in counts]
    value = _measures(np.sum(sums, axis=0)[None, :], np.asarray([ranking.auc_ap(weight)]))
    return Measured(
        value={name: float(found[0]) for name, found in value.items()},
        draws=_measures(totals, ranks),
    )


def _measures(totals: Floats, ranks: Floats) -> dict[str, Floats]:
    """Return MEASURES from each draw's totals, as `measure` lists them, and its (AUC, AP)."""
    whole, found, at_capacity, at_top, capacity, top, squared, expected = totals.T
    values = (
        ranks[:, 0],
        ranks[:, 1],
        over(at_capacity, found),
        over(at_capacity, capacity),
        over(at_top, found),
        over(at_top, top),
        over(squared, whole),
        over(found, expected),
    )
    return dict(zip(MEASURES, values, strict=True))


def over(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, NaN where the whole is not above 0."""
    part, whole = np.broadcast_arrays(part, whole)
    result: Floats = np.full(part.shape, np.nan)
    return np.divide(part, whole, out=result, where=whole > 0)


@dataclass(frozen=True)
class Ranking:
    """Rows from the highest score down, cut where it matters for AUC and average precision.

    A segment is a block of equal scores that holds a positive, or all that lies between two such
    blocks: events are rare, so there are few.
    """

    order: NDArray[np.intp]
    starts: NDArray[np.intp]  # of the segments
    held: NDArray[np.intp]  # the segments that hold positives
    positives: NDArray[np.intp]  # the rows, in that order, with the label
    block: NDArray[np.intp]  # of each of those, its place in `held`

    @classmethod
    def of(cls, y: NDArray[np.bool_], score: Floats) -> Ranking:
        """Rank rows by their scores."""
        order = np.argsort(-score, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0]) if len(score) else order
        positives = np.flatnonzero(y[order])
        own = np.searchsorted(starts, positives, side="right") - 1
        has = np.zeros(len(starts), dtype=np.bool_)
        has[own] = True
        cut = has | np.r_[True, has[:-1]] if len(has) else has
        held = np.flatnonzero(has[cut])
        block = np.cumsum(has)[own] - 1
        return cls(order, starts[cut], held, positives, block)

    def auc_ap(self, weight: Floats) -> tuple[float, float]:
        """Return the weighted ROC-AUC and average precision, ties as blocks.

        `weight` is in the ranking's order.
        """
        if not len(self.positives):
            return float("nan"), float("nan")
        held = len(self.held)
        positive: Floats = np.asarray(
            np.bincount(self.block, weights=weight[self.positives], minlength=held), np.float64
        )
        both = np.add.reduceat(weight, self.starts)
        found = float(np.sum(positive))
        if found <= 0:
            return float("nan"), float("nan")
        reached, listed = np.cumsum(positive), np.cumsum(both)[self.held]
        precision = np.divide(reached, listed, out=np.zeros_like(listed), where=listed > 0)
        return self.auc(positive, both), float(np.sum(positive * precision) / found)

    def auc(self, positive: Floats, both: Floats) -> float:
        """Return the ROC-AUC from the weight of positives in `held` and of all in each segment."""
        listed, reached = np.cumsum(both), np.cumsum(positive)
        found, whole = float(reached[-1]), float(listed[-1])
        if found <= 0 or whole - found <= 1e-9 * whole:
            return float("nan")
        below = (whole - found) - (listed[self.held] - reached) + 0.5 * (both[self.held] - positive)
        return float(np.sum(positive * below) / (found * (whole - found)))


def recall_at_capacity(rows: Rows, score: Floats) -> tuple[float, float]:
    """Return recall at capacity and average precision, what models and rules are chosen by."""
    rows, (score,) = in_order(rows, score)
    ranking = Ranking.of(rows.y, score)
    _, ap = ranking.auc_ap(rows.weight[ranking.order])
    positive = rows.weight * rows.y
    found, reached = np.sum(positive), np.sum(positive * by_capacity(rows, score))
    return float(reached / found) if found > 0 else float("nan"), ap
