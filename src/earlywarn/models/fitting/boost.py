"""The classifier g: boosted trees of one feature each, collapsed exactly into one table a feature.

scikit-learn's HistGradientBoostingClassifier with `interaction_cst="no_interactions"` splits every
tree on a single feature, so the forest is a sum of step functions. Reading its node arrays gives
them exactly; nothing is approximated but the order of additions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from earlywarn.models.fitting.additive import (
    Additive,
    balanced,
    between,
    bins_of,
    centred,
    cuts_of,
    empty,
    varies,
)
from earlywarn.models.fitting.estimator import AdditiveClassifier
from earlywarn.models.scorecard import Bools, FeatureTable, Floats


class AdditiveBoostClassifier(AdditiveClassifier):
    """Boosted trees of one feature each, as tables.

    The booster is trained on the bins' numbers; afterwards its thresholds are translated into the
    features' own. (scikit-learn's own weighted binning sorts each column once for every bin, which
    takes twenty times as long as the training.) Half of the bins' mass lies on the rows with the
    label, so that bins are fine where risk is. One thread, since sums over threads differ in the
    last bits.

    Parameters
    ----------
    learning_rate, max_iter, max_leaf_nodes, min_samples_leaf, l2_regularization, max_bins
        As in scikit-learn's HistGradientBoostingClassifier.
    monotonic_cst
        For each feature 1, -1 or 0: where risk may grow. None: nowhere bound.
    random_state
        Nothing is drawn at random here; kept with the model.

    Attributes
    ----------
    forest_
        The fitted HistGradientBoostingClassifier with translated thresholds; it reads the columns
        `columns_` (None if no column varies).
    """

    def __init__(
        self,
        learning_rate: float = 0.05,
        max_iter: int = 300,
        max_leaf_nodes: int = 4,
        min_samples_leaf: int = 40,
        l2_regularization: float = 5.0,
        max_bins: int = 255,
        monotonic_cst: Sequence[int] | None = None,
        random_state: int | None = 0,
    ) -> None:
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.max_bins = max_bins
        self.monotonic_cst = monotonic_cst
        self.random_state = random_state

    def _tables(
        self,
        x: Floats,
        y: Bools,
        weight: Floats,
        names: Sequence[str],
        directions: Sequence[int],
    ) -> Additive:
        self.columns_ = [j for j in range(x.shape[1]) if varies(x[:, j])]
        self.forest_ = None
        self.n_iter_ = self.max_iter
        if not self.columns_:
            share = float(np.average(y, weights=weight))
            return Additive(tuple(empty(name) for name in names), math.log(share / (1 - share)))
        mass = balanced(y, weight)
        cuts = [cuts_of(x[:, j], mass, self.max_bins) for j in self.columns_]
        self.forest_ = HistGradientBoostingClassifier(
            interaction_cst="no_interactions",
            monotonic_cst=[directions[j] for j in self.columns_],
            early_stopping=False,
            random_state=self.random_state,
            learning_rate=self.learning_rate,
            max_iter=self.max_iter,
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf,
            l2_regularization=self.l2_regularization,
            max_bins=self.max_bins,
        )
        with threadpool_limits(1, user_api="openmp"):
            self.forest_.fit(codes_of(x, self.columns_, cuts), y, sample_weight=weight)
        _translate(self.forest_, cuts)
        return collapse(self.forest_, x, weight, names, self.columns_)


def codes_of(x: Floats, columns: Sequence[int], cuts: Sequence[Floats]) -> Floats:
    """Return the bins' numbers of some columns of `x` as floats, NaN for missing values."""
    codes: Floats = np.empty((x.shape[0], len(columns)), dtype=np.float64, order="F")
    for place, j in enumerate(columns):
        codes[:, place] = bins_of(x[:, j], cuts[place])
        codes[np.isnan(x[:, j]), place] = np.nan
    return codes


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
    tables = [raw.get(place, empty(name)) for place, name in enumerate(names)]
    return centred(tables, math.fsum(constants), x, weight)


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
