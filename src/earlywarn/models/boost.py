"""The classifier g: boosted trees of one feature each, collapsed exactly into one table a feature.

scikit-learn's HistGradientBoostingClassifier with `interaction_cst="no_interactions"` splits every
tree on a single feature, so the forest is a sum of step functions. Reading its node arrays gives
them exactly; nothing is approximated but the order of additions.
"""

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
class BoostSettings:
    """The booster's settings; `for_events` chooses by how much there is to learn from."""

    learning_rate: float = 0.05
    max_iter: int = 150
    max_leaf_nodes: int = 4
    min_samples_leaf: int = 40
    l2_regularization: float = 5.0
    max_bins: int = 255

    @classmethod
    def for_events(cls, events: int) -> BoostSettings:
        """Return settings for `events` students with the outcome: fewer events, fewer trees."""
        if events < 50:
            return cls(max_iter=60, max_leaf_nodes=3)
        if events < 500:
            return cls(max_iter=120)
        return cls(max_iter=300)


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


def cuts_of(column: Floats, weight: Floats, max_bins: int) -> Floats:
    """Return ascending thresholds, each a `between`, that part `column` into at most `max_bins`.

    Up to `max_bins` distinct values are each a bin of their own; more are parted at quantiles of
    `weight`. Missing values are left out.
    """
    known = ~np.isnan(column)
    values, place = np.unique(column[known], return_inverse=True)
    if len(values) > max_bins:
        mass = np.cumsum(np.bincount(place, weights=weight[known]))
        wanted = mass[-1] * np.arange(1, max_bins) / max_bins
        ends = np.unique(np.searchsorted(mass, wanted))
        lows = values[ends[ends < len(values) - 1]]
    else:
        lows = values[:-1]
    return np.unique(np.asarray([between(float(low)) for low in lows], dtype=np.float64))


def fit_additive(
    x: Floats,
    y: Bools,
    weight: Floats,
    names: Sequence[str],
    directions: Sequence[int],
    *,
    seed: int,
    settings: BoostSettings | None = None,
) -> tuple[Additive, Any]:
    """Train the booster and collapse it.

    The booster is trained on the bins' numbers; afterwards its thresholds are translated into the
    features' own, so that `model.decision_function` takes the features as they are. (scikit-learn's
    own weighted binning sorts each column once for every bin, which takes twenty times as long as
    the training.) Half of the bins' mass lies on the rows with the label, so that bins are fine
    where risk is. One thread, since sums over threads differ in the last bits.

    Parameters
    ----------
    x, y, weight
        (n, features) with NaN for missing; (n,) labels, of both classes; (n,) weights above 0.
    directions
        For each feature 1, -1 or 0: where risk may grow.

    Returns
    -------
    The tables (one per name; a column that is all empty or constant gets an empty table), and the
    scikit-learn model, which reads the columns `model.columns_` of `x` (None if no column varies).
    """
    # Imported here: scikit-learn takes a second that scoring does not need.
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    chosen = settings or BoostSettings()
    columns = [j for j in range(x.shape[1]) if _varies(x[:, j])]
    if not columns:
        tables = tuple(_empty(name) for name in names)
        share = float(np.average(y, weights=weight))
        return Additive(tables, math.log(share / (1 - share))), None
    total = float(weight.sum())
    mass = weight * np.where(y, total / weight[y].sum(), total / weight[~y].sum())
    cuts = [cuts_of(x[:, j], mass, chosen.max_bins) for j in columns]
    codes: Floats = np.empty((x.shape[0], len(columns)), dtype=np.float64, order="F")
    for place, j in enumerate(columns):
        codes[:, place] = np.searchsorted(cuts[place], x[:, j], side="left")
        codes[np.isnan(x[:, j]), place] = np.nan
    model = HistGradientBoostingClassifier(
        interaction_cst="no_interactions",
        monotonic_cst=[directions[j] for j in columns],
        early_stopping=False,
        random_state=seed,
        learning_rate=chosen.learning_rate,
        max_iter=chosen.max_iter,
        max_leaf_nodes=chosen.max_leaf_nodes,
        min_samples_leaf=chosen.min_samples_leaf,
        l2_regularization=chosen.l2_regularization,
        max_bins=chosen.max_bins,
    )
    with threadpool_limits(1, user_api="openmp"):
        model.fit(codes, y, sample_weight=weight)
    _translate(model, cuts)
    model.columns_ = columns
    return collapse(model, x, weight, names, columns), model


def _translate(model: Any, cuts: Sequence[Floats]) -> None:
    """Put the features' own thresholds in the place of the bins' numbers, in the model's nodes."""
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        for node in nodes:
            if not node["is_leaf"] and math.isfinite(node["num_threshold"]):
                own = cuts[int(node["feature_idx"])]
                node["num_threshold"] = own[math.floor(node["num_threshold"])]


def collapse(
    model: Any, x: Floats, weight: Floats, names: Sequence[str], columns: Sequence[int]
) -> Additive:
    """Turn a fitted additive booster into tables, centred over the rows `x` weighted by `weight`.

    `columns[j]` is the column of `x` (and the place in `names`) of the model's feature j.
    """
    constants = [float(np.ravel(model._baseline_prediction)[0])]
    trees: dict[int, list[NDArray[Any]]] = {}
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        used = {int(node["feature_idx"]) for node in nodes if not node["is_leaf"]}
        if not used:
            constants.append(float(nodes[0]["value"]))
            continue
        if len(used) > 1:
            raise ValueError("the booster is not additive: a tree uses two features")
        trees.setdefault(used.pop(), []).append(nodes)
    raw = {columns[j]: _table(names[columns[j]], found) for j, found in trees.items()}
    tables: list[FeatureTable] = []
    total = float(weight.sum())
    for place, name in enumerate(names):
        if place not in raw:
            tables.append(_empty(name))
            continue
        table = raw[place]
        # No BLAS: its sums depend on the number of threads.
        mean = float(np.sum(lookup(table, x[:, place]) * weight)) / total
        constants.append(mean)
        tables.append(
            FeatureTable(
                name=name,
                thresholds=table.thresholds,
                values=[value - mean for value in table.values],
                missing=table.missing - mean,
            )
        )
    return Additive(tuple(tables), math.fsum(constants))


def _varies(column: Floats) -> bool:
    """Whether there is something to split on: two values, or one value and missing ones."""
    known = ~np.isnan(column)
    count = int(np.count_nonzero(known))
    if count == 0:
        return False
    first = column[int(np.argmax(known))]
    return count < len(column) or bool(np.any(column != first))


def _empty(name: str) -> FeatureTable:
    return FeatureTable(name=name, thresholds=[], values=[0.0], missing=0.0)


def _table(name: str, trees: list[NDArray[Any]]) -> FeatureTable:
    """Add up trees on one feature: each bin's value, and that of a missing one, to full precision.

    A split on "missing or not" has an infinite threshold: every number goes left, so it makes no
    bin.
    """
    found = {float(n["num_threshold"]) for nodes in trees for n in nodes if not n["is_leaf"]}
    cuts = sorted(cut for cut in found if math.isfinite(cut))
    # The greatest number of each bin, which is what a tree's `<=` is asked about.
    edges = np.asarray([*cuts, math.inf, math.nan])
    leaves = np.stack([_leaves(nodes, edges) for nodes in trees])
    *values, missing = (math.fsum(column) for column in leaves.T)
    moved = [between(cut) for cut in cuts]
    # Cuts between the same two representable values are one cut; the bin between them is empty.
    thresholds: list[float] = []
    kept: list[float] = []
    for cut, value in zip(moved, values, strict=False):
        if thresholds and cut <= thresholds[-1]:
            continue
        thresholds.append(cut)
        kept.append(value)
    return FeatureTable(
        name=name, thresholds=thresholds, values=[*kept, values[-1]], missing=missing
    )


def _leaves(nodes: NDArray[Any], x: Floats) -> Floats:
    """Return what one tree says of each value of its feature (NaN = missing)."""
    result: Floats = np.empty(len(x))
    waiting = [(0, np.arange(len(x)))]
    while waiting:
        place, rows = waiting.pop()
        node = nodes[place]
        if node["is_leaf"]:
            result[rows] = node["value"]
            continue
        value = x[rows]
        missing = np.isnan(value)
        left = np.where(missing, bool(node["missing_go_to_left"]), value <= node["num_threshold"])
        waiting.append((int(node["left"]), rows[left]))
        waiting.append((int(node["right"]), rows[~left]))
    return result


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
