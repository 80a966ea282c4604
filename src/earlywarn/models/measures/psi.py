"""The population stability index (PSI): how far two spreads over the same bins lie apart.

    PSI = sum over bins of (now - then) * ln(now / then)

For two samples of one population PSI is about chi-squared with (bins - 1) degrees of freedom, times
(1/n + 1/m) (Yurdakul and Naranjo 2020): in a small cohort it is large by chance alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

LEAST_SHARE = 1e-4
_Z = 3.0902  # the normal distribution's 99.9 % quantile


def psi(
    then: Sequence[float],
    now: Sequence[float],
    children_then: float = math.inf,
    children_now: float = math.inf,
) -> float:
    """Return the population stability index of two lists of shares over the same bins.

    A bin that is empty on one side counts as half a child there, and at least as LEAST_SHARE.
    """
    filled = [(a, b) for a, b in zip(then, now, strict=True) if a > 0 or b > 0]
    least_then, least_now = (max(LEAST_SHARE, 0.5 / n) for n in (children_then, children_now))
    a = np.maximum(np.asarray([a for a, _ in filled]), least_then)
    b = np.maximum(np.asarray([b for _, b in filled]), least_now)
    return float(np.sum((b - a) * np.log(b / a)))


def by_chance(bins: int, then: float, now: float) -> float:
    """Return what PSI stays below in 999 of 1000 samples of `then` and `now` unchanged children.

    The chi-squared quantile is Wilson and Hilferty's, good to a few percent.
    """
    free = max(bins - 1, 1)
    step = 2 / (9 * free)
    quantile = free * (1 - step + _Z * step**0.5) ** 3
    return float(quantile * (1 / then + 1 / now))
