"""Additive classifiers as tables: bins between representable values, and sums of step functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from earlywarn.models.scorecard import Bools, FeatureTable, Floats, lookup

SCALE = 1e9  # features are rounded to 9 decimals: every value is the double nearest to k / SCALE


@dataclass(frozen=True)
class Additive:
    """g: centred tables, and the constant that makes their sum the decision function."""

    tables: tuple[FeatureTable, ...]
    constant: float

    def g(self, x: Floats) -> Floats:
        """Return the sum of the tables for each row of `x` (columns = tables), centred."""
        total: Floats = np.zeros(x.shape[0], dtype=np.float64)
        for place, table in enumerate(self.tables):
            if table.thresholds or table.missing or table.values != [0.0]:
                total += lookup(table, x[:, place])
        return total

    def decision(self, x: Floats) -> Floats:
        """Return the log-odds of each row of `x`."""
        return np.asarray(self.g(x) + self.constant)


def centred(tables: Sequence[FeatureTable], constant: float, x: Floats, weight: Floats) -> Additive:
    """Return the tables with mean 0 over the rows `x`, the means moved into the constant."""
    constants = [constant]
    moved = []
    total = float(weight.sum())
    for place, table in enumerate(tables):
        if not table.thresholds and table.missing == table.values[0]:
            constants.append(table.missing)
            moved.append(empty(table.name))
            continue
        # No BLAS: its sums depend on the number of threads.
        mean = float(np.sum(lookup(table, x[:, place]) * weight)) / total
        constants.append(mean)
        moved.append(
            FeatureTable(
                name=table.name,
                thresholds=table.thresholds,
                values=[value - mean for value in table.values],
                missing=table.missing - mean,
            )
        )
    return Additive(tuple(moved), math.fsum(constants))


def mean_of(parts: Sequence[Additive]) -> Additive:
    """Return the additive classifier whose log-odds are the mean of those of `parts`."""
    share = 1 / len(parts)
    tables = []
    for same in zip(*(part.tables for part in parts), strict=True):
        cuts = sorted({cut for table in same for cut in table.thresholds})
        edges = np.asarray([*cuts, math.inf, math.nan])
        total = np.sum([lookup(table, edges) for table in same], axis=0)
        *values, missing = (share * total).tolist()
        tables.append(
            FeatureTable(name=same[0].name, thresholds=cuts, values=values, missing=missing)
        )
    return Additive(tuple(tables), share * math.fsum(part.constant for part in parts))


def empty(name: str) -> FeatureTable:
    """Return the table of a feature that says nothing."""
    return FeatureTable(name=name, thresholds=[], values=[0.0], missing=0.0)


def varies(column: Floats) -> bool:
    """Whether there is something to learn from: two values, or one value and missing ones."""
    known = ~np.isnan(column)
    count = int(np.count_nonzero(known))
    if count == 0:
        return False
    first = column[int(np.argmax(known))]
    return count < len(column) or bool(np.any(column != first))


def balanced(y: Bools, weight: Floats) -> Floats:
    """Return weights of which half lies on the rows with the label: bins are fine where risk is."""
    total = float(weight.sum())
    return np.asarray(weight * np.where(y, total / weight[y].sum(), total / weight[~y].sum()))


def cuts_of(column: Floats, weight: Floats, max_bins: int) -> Floats:
    """Return ascending thresholds, each a `between`, that part `column` into at most `max_bins`.

    Up to `max_bins` distinct values are each a bin of their own; more are parted at quantiles of
    `weight`. Missing values are left out. Values count as rounded to 9 decimals, as features are.
    """
    known = ~np.isnan(column)
    values, place = np.unique(np.round(column[known], 9), return_inverse=True)
    if len(values) > max_bins:
        lows = inner_quantiles(values, np.bincount(place, weights=weight[known]), max_bins)
    else:
        lows = values[:-1]
    return np.unique(np.asarray([between(float(low)) for low in lows], dtype=np.float64))


def inner_quantiles(values: Floats, mass: NDArray[Any], parts: int) -> Floats:
    """Return which of the ascending `values` part their `mass` into about equal parts.

    Each is the greatest of its part; the greatest of all is none.
    """
    reached = np.cumsum(mass)
    ends = np.unique(np.searchsorted(reached, reached[-1] * np.arange(1, parts) / parts))
    return np.asarray(values[ends[ends < len(values) - 1]])


def bins_of(column: Floats, cuts: Floats) -> NDArray[np.intp]:
    """Return each value's bin, 0 .. len(cuts); missing values have the bin after the last one."""
    bins = np.searchsorted(cuts, column, side="left")
    bins[np.isnan(column)] = len(cuts) + 1
    return bins


def between(cut: float) -> float:
    """Return (k + 0.5)e-9 where k e-9 is the greatest representable value not above `cut`.

    So every value that features can take (doubles nearest to a multiple of 1e-9) stays on its side,
    and none lies on the threshold. Beyond about 4e6 neighbouring values are no longer apart enough
    in double precision; there the cut stays on k e-9 itself.
    """
    if not math.isfinite(cut) or abs(cut) >= 2**52 / SCALE:
        return cut
    k = math.floor(cut * SCALE)
    while k / SCALE > cut:
        k -= 1
    while (k + 1) / SCALE <= cut:
        k += 1
    middle = (2 * k + 1) / (2 * SCALE)
    return middle if k / SCALE <= middle < (k + 1) / SCALE else k / SCALE
