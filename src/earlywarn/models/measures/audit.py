"""Whom the score serves worse: its figures by stage, by kind of school and by monitored group.

Each part is set beside all others of known membership. On a list = by the school's capacity, as
everywhere. The sensitive features are looked at here and only here: no model need read them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from earlywarn.models.measures.metrics import (
    DRAWS,
    Bootstrap,
    Exact,
    Ranking,
    Z,
    by_capacity,
    figure,
    in_order,
    interval_of,
    measure,
    over,
    wilson,
)
from earlywarn.models.panel import Rows
from earlywarn.models.scorecard import Bools, Floats, sigmoid

ENOUGH = 10  # students with the event, and as many without, that figures need
AUDITED = (
    "recall",
    "false_omission",
    "false_discovery",
    "auc",
    "observed_expected",
    "calibration_slope",
)
# The AUC, which has to be ranked again for every draw, is drawn less often than what is added up.
AUC_DRAWS = 400
COLUMNS = 7  # that the shares of a side are worked out from
_STEPS = 60  # of Newton's method, more than it ever needs where there is a slope
_STEEPEST = 1e3

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Names:
    """What the codes in `Rows.stage`, `Rows.kind` and the columns of `Rows.groups` stand for."""

    stages: tuple[str, ...]
    kinds: tuple[str, ...]
    groups: tuple[str, ...]


def audit(
    rows: Rows, names: Names, probability: Floats, *, seed: int, draws: int = DRAWS
) -> list[dict[str, Any]]:
    """Return the figures of every part that has rows, as metrics.json keeps them.

    [{"by": "stage" | "school_kind" | "group", "name", "rows", "students", "events", "enough",
    measure: [value, low, high], "difference": {measure: [value, low, high]}}] with the measures
    AUDITED; `events` are students with the event.

    recall = share of those with the label who are on their school's list; false_omission = share
    with the label among those who are not; false_discovery = share without it among those who are;
    observed_expected and calibration_slope = 1 where probabilities are right. Intervals are 95 %,
    by a bootstrap over students (the AUC's by the first AUC_DRAWS draws, the slope's from its
    variance over students). A part with fewer than ENOUGH students with the event or without it has
    counts only; a difference needs enough on both sides.
    """
    rows, (p,) = in_order(rows, probability)
    boot = Bootstrap.of(rows, seed=seed, draws=draws)
    data = _Data(rows, p, by_capacity(rows, np.round(p, 12)), boot)
    splits = [
        *[_Split("stage", rows.stage, names.stages), _Split("school_kind", rows.kind, names.kinds)],
        # of a group: place 0 = in it, 1 = not
        *[
            _Split("group", np.where(codes < 0, -1, 1 - codes).astype(np.int8), (name, ""))
            for name, codes in zip(names.groups, rows.groups.T, strict=True)
        ],
    ]
    parts = []
    for split in splits:
        for place, name in enumerate(split.names):
            within = split.code == place
            if name and within.any():
                others = _Side.of(data, (split.code >= 0) & ~within)
                parts.append(_Part(split, place, _Side.of(data, within), others))
    _draw(data, splits, parts)
    return [part.as_json(rows) for part in parts]


def without_followed(
    rows: Rows, scores: dict[str, Floats], *, seed: int, draws: int = DRAWS
) -> dict[str, Any]:
    """Return how many rows are of children on a list in their window, and figures without them.

    {"rows", "students", "share" (weighted), "without": {model: {measure: [value, low, high]}}};
    `without` is None where there are no such rows, or no others.
    """
    kept = ~rows.followed
    whole = float(np.sum(np.sort(rows.weight)))
    listed = float(np.sum(np.sort(rows.weight[rows.followed])))
    without = None
    if rows.followed.any() and kept.any():
        rest = rows.take(kept)
        without = {
            name: measure(rest, p[kept], seed=seed, draws=draws).as_json()
            for name, p in scores.items()
        }
    return {
        "rows": int(np.count_nonzero(rows.followed)),
        "students": len(np.unique(rows.student[rows.followed])),
        "share": figure(listed / whole) if whole > 0 else None,
        "without": without,
    }


@dataclass(frozen=True)
class _Data:
    """Rows in order, their probabilities, their shares on lists, and the draws of students."""

    rows: Rows
    p: Floats
    listed: Floats
    boot: Bootstrap


@dataclass(frozen=True)
class _Split:
    """Rows split into parts: the code of each row is its part's place in `names`, -1 = unknown."""

    by: str
    code: NDArray[np.int8]
    names: tuple[str, ...]


@dataclass(frozen=True)
class _Side:
    """Some of the rows, and what was found about them: nothing if there are not `enough`.

    Attributes
    ----------
    value, draws
        By measure; the slope has no draws, and the AUC comes in later.
    shown_by
        How many students a share is of.
    influence
        Of each student on the slope.
    """

    mask: Bools
    enough: bool
    value: dict[str, float]
    draws: dict[str, Floats]
    shown_by: dict[str, int]
    influence: Floats

    @classmethod
    def of(cls, data: _Data, mask: Bools) -> _Side:
        """Work out all but the AUC and the draws."""
        counts = _counts(data.rows, mask)
        events = counts["events"]
        if min(events, counts["students"] - events) < ENOUGH:
            return cls(mask, False, {}, {}, {}, np.zeros(0))
        sums = data.boot.sums(_columns(data, mask))
        value = {n: float(v[0]) for n, v in _shares(np.sum(sums, axis=0)[None, :]).items()}
        value["calibration_slope"], influence = _slope(data, mask)
        of = np.count_nonzero(sums > 0, axis=0)
        shown_by = {
            "recall": int(of[0]),
            "false_omission": int(of[2]),
            "false_discovery": int(of[4]),
        }
        return cls(mask, True, value, {}, shown_by, influence)

    def figure(self, name: str) -> Triple:
        """Return value, low and high of a measure; NaN where it is not defined."""
        if not self.enough:
            return (np.nan, np.nan, np.nan)
        value = self.value[name]
        if name == "calibration_slope":
            error = Z * float(np.sqrt(np.sum(self.influence**2)))
            return value, value - error, value + error
        if self.is_extreme(name):
            # no draw can show what one more child would: Wilson's interval over children does
            return (value, *wilson(value, self.shown_by[name]))
        return (value, *interval_of(self.draws[name]))

    def is_extreme(self, name: str) -> bool:
        """Return whether a share is of none or of all."""
        return name in self.shown_by and self.value[name] in (0.0, 1.0)


@dataclass(frozen=True)
class _Part:
    """One part of a split and all others of known membership."""

    split: _Split
    place: int
    within: _Side
    others: _Side

    @property
    def both(self) -> tuple[tuple[bool, _Side], tuple[bool, _Side]]:
        return (True, self.within), (False, self.others)

    def as_json(self, rows: Rows) -> dict[str, Any]:
        """Return the part as metrics.json keeps it."""
        name = {"by": self.split.by, "name": self.split.names[self.place]}
        found: dict[str, Any] = name | _counts(rows, self.within.mask)
        found["enough"] = self.within.enough
        found |= {m: _plain(self.within.figure(m)) for m in AUDITED}
        found["difference"] = {m: _plain(_difference(self.within, self.others, m)) for m in AUDITED}
        return found


def _difference(one: _Side, other: _Side, name: str) -> Triple:
    """Return one - other in a measure, with the paired 95 % interval."""
    if not (one.enough and other.enough):
        return (np.nan, np.nan, np.nan)
    value = one.value[name] - other.value[name]
    if name == "calibration_slope":
        error = Z * float(np.sqrt(np.sum((one.influence - other.influence) ** 2)))
        return value, value - error, value + error
    if one.is_extreme(name) or other.is_extreme(name):
        # from the two intervals (Zou & Donner 2008)
        (a, low_a, high_a), (b, low_b, high_b) = one.figure(name), other.figure(name)
        down, up = np.hypot(a - low_a, high_b - b), np.hypot(high_a - a, b - low_b)
        return value, float(value - down), float(value + up)
    return (value, *interval_of(one.draws[name] - other.draws[name]))


def _counts(rows: Rows, mask: Bools) -> dict[str, int]:
    return {
        "rows": int(np.count_nonzero(mask)),
        "students": len(np.unique(rows.student[mask])),
        "events": len(np.unique(rows.student[mask & rows.y])),
    }


def _plain(found: Triple) -> list[float | None]:
    return [figure(v) for v in found]


def _columns(data: _Data, mask: Bools) -> list[Floats]:
    """Return the COLUMNS that `_shares` needs, by row, 0 outside of the mask."""
    weight, y = data.rows.weight * mask, data.rows.y
    on, off = weight * data.listed, weight * (1 - data.listed)
    return [weight * y, on * y, off, off * y, on, on * ~y, weight * data.p]


def _shares(totals: Floats) -> dict[str, Floats]:
    """Return the measures that are ratios of totals, for each row of (draws, columns)."""
    events, reached, off, missed, on, in_vain, expected = totals.T
    return {
        "recall": over(reached, events),
        "false_omission": over(missed, off),
        "false_discovery": over(in_vain, on),
        "observed_expected": over(events, expected),
    }


def _draw(data: _Data, splits: list[_Split], parts: list[_Part]) -> None:
    """Fill in the AUC and the draws of all sides that have enough."""
    areas = [
        _Areas.of(data, split, [part for part in parts if part.split is split]) for split in splits
    ]
    areas = [area for area in areas if area.sides]
    boot, weight = data.boot, data.rows.weight
    exact = []  # one for each split: a wide matrix is multiplied faster than several narrow ones
    for area in areas:
        columns = [boot.sums(_columns(data, side.mask)) for _, _, side in area.sides]
        exact.append(Exact.of(np.concatenate(columns, axis=1)))
        for side, auc in area.aucs(weight):
            side.value["auc"] = auc
            side.draws["auc"] = np.full(boot.draws, np.nan)
    totals = [np.empty((boot.draws, len(part.scale))) for part in exact]
    for chosen, counts in boot.counts():
        for found, part in zip(totals, exact, strict=True):
            found[chosen] = part.totals(counts)
        few = counts[: max(0, AUC_DRAWS - chosen.start)]
        for draw, count in enumerate(few, start=chosen.start):
            drawn = count[boot.place] * weight
            for area in areas:
                for side, auc in area.aucs(drawn):
                    side.draws["auc"][draw] = auc
    for area, found in zip(areas, totals, strict=True):
        for place, (_, _, side) in enumerate(area.sides):
            side.draws.update(_shares(found[:, place * COLUMNS : (place + 1) * COLUMNS]))


@dataclass(frozen=True)
class _Areas:
    """What the AUC of every part of a split, and of all its others, needs."""

    ranking: Ranking
    cells: int
    key: NDArray[np.intp]  # of each row: its part and segment; one part more for the unknown
    positives: NDArray[np.intp]  # rows with the label
    positive_key: NDArray[np.intp]
    sides: list[tuple[int, bool, _Side]]  # place of the part, whether it is that or all others

    @classmethod
    def of(cls, data: _Data, split: _Split, parts: list[_Part]) -> _Areas:
        """Prepare a split, for its parts' sides that have enough."""
        ranking = Ranking.of(data.rows.y, np.round(data.p, 12))
        order, cells = ranking.order, len(split.names)
        code = np.where(split.code < 0, cells, split.code).astype(np.intp)
        segment = np.empty(len(order), dtype=np.intp)
        lengths = np.diff(np.r_[ranking.starts, len(order)])
        segment[order] = np.repeat(np.arange(len(ranking.starts)), lengths)
        positives = order[ranking.positives]
        pairs = [(part.place, own, side) for part in parts for own, side in part.both]
        return cls(
            ranking,
            cells,
            code * len(ranking.starts) + segment,
            positives,
            code[positives] * len(ranking.held) + ranking.block,
            [pair for pair in pairs if pair[2].enough],
        )

    def aucs(self, weight: Floats) -> Iterator[tuple[_Side, float]]:
        """Yield the AUC of each side, the rows weighing `weight`."""
        both = self._summed(self.key, weight, len(self.ranking.starts))
        positive = self._summed(self.positive_key, weight[self.positives], len(self.ranking.held))
        for place, own, side in self.sides:
            chosen = (np.arange(self.cells) == place) == own
            yield (
                side,
                self.ranking.auc(positive[chosen].sum(axis=0), both[chosen].sum(axis=0)),
            )

    def _summed(self, key: NDArray[np.intp], weight: Floats, width: int) -> Floats:
        size = (self.cells + 1) * width
        found: Floats = np.bincount(key, weights=weight, minlength=size).astype(np.float64)
        return found.reshape(self.cells + 1, width)[:-1]


def _slope(data: _Data, mask: Bools) -> tuple[float, Floats]:
    """Return the slope of the label on the log-odds, and each student's influence on it.

    Logistic regression by Newton's method; the influences' squares add up to the slope's variance.
    All NaN where there is no slope: all probabilities equal, or the label follows from them.
    """
    nothing: Floats = np.full(data.boot.students, np.nan)
    y, weight = data.rows.y[mask].astype(np.float64), data.rows.weight[mask]
    p = np.clip(data.p[mask], 1e-12, 1 - 1e-12)
    x = np.log(p / (1 - p))
    x -= np.sum(weight * x) / np.sum(weight)
    if float(np.ptp(x)) < 1e-9:
        return float("nan"), nothing

    def likelihood(a: float, b: float) -> float:
        z = a + b * x
        return float(np.sum(weight * (y * z - np.logaddexp(0.0, z))))

    share = float(np.sum(weight * y) / np.sum(weight))
    a, b = float(np.log(share / (1 - share))), 0.0
    now = likelihood(a, b)
    for _ in range(_STEPS):
        fitted = sigmoid(a + b * x)
        residual, spread = weight * (y - fitted), weight * fitted * (1 - fitted)
        g0, g1 = float(np.sum(residual)), float(np.sum(residual * x))
        h00, h01 = float(np.sum(spread)), float(np.sum(spread * x))
        h11 = float(np.sum(spread * x * x))
        determinant = h00 * h11 - h01 * h01
        if not determinant > 1e-12 * h00 * h11:
            break
        step_a, step_b = (h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant
        if abs(step_a) + abs(step_b) < 1e-9:
            scores = (h00 * residual * x - h01 * residual) / determinant
            place, students = data.boot.place[mask], data.boot.students
            return b, np.asarray(np.bincount(place, weights=scores, minlength=students), np.float64)
        size = 1.0
        while likelihood(a + size * step_a, b + size * step_b) < now - 1e-9 and size > 1e-6:
            size /= 2
        a, b = a + size * step_a, b + size * step_b
        now = likelihood(a, b)
        if abs(b) > _STEEPEST:
            break
    return float("nan"), nothing
