"""What the additive estimators have in common: scikit-learn's conventions around tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from earlywarn.models.fitting.additive import Additive
from earlywarn.models.scorecard import Bools, Floats, sigmoid


class AdditiveClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A binary classifier whose log-odds are a constant and one table a feature.

    Subclasses implement `_tables`. Missing values (NaN) are a bin of their own.

    Attributes
    ----------
    additive_
        The tables and the constant.
    classes_
        The two labels; the second is the one whose probability counts.
    """

    monotonic_cst: Sequence[int] | None

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Fit to (n, features) values and n labels of two kinds."""
        X, y = validate_data(  # noqa: N806
            self, X, y, dtype=np.float64, ensure_all_finite=False, ensure_min_samples=2
        )
        check_classification_targets(y)
        if type_of_target(y) not in ("binary", "unknown") and len(np.unique(y)) > 2:
            raise ValueError(
                "Only binary classification is supported. The type of the target is "
                f"{type_of_target(y)}."
            )
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        self.classes_: NDArray[Any] = np.unique(y)
        if len(self.classes_) != 2:
            raise ValueError("The labels are all of one class; two classes are needed to learn.")
        counted = weight > 0
        labels: Bools = y[counted] == self.classes_[1]
        if not labels.any() or labels.all():
            raise ValueError("The rows of weight above 0 are all of one class; two are needed.")
        names = getattr(self, "feature_names_in_", None)
        known = [f"x{j}" for j in range(X.shape[1])] if names is None else list(map(str, names))
        return self.learn(X[counted], labels, weight[counted], known)

    def learn(self, x: Floats, y: Bools, weight: Floats, names: Sequence[str]) -> Self:
        """Fit to values, labels and weights above 0 that are known to be in order, under names."""
        directions = self._directions(x.shape[1])
        self.additive_: Additive = self._tables(x, y, weight, names, directions)
        return self

    def _directions(self, count: int) -> list[int]:
        given = self.monotonic_cst
        directions = [0] * count if given is None else [int(value) for value in given]
        if len(directions) != count or not set(directions) <= {-1, 0, 1}:
            raise ValueError(f"monotonic_cst must be {count} numbers out of -1, 0 and 1.")
        return directions

    def _tables(
        self,
        x: Floats,
        y: Bools,
        weight: Floats,
        names: Sequence[str],
        directions: Sequence[int],
    ) -> Additive:
        raise NotImplementedError

    def decision_function(self, X: Any) -> Floats:  # noqa: N803
        """Return the log-odds of the second class for each row."""
        check_is_fitted(self)
        X = validate_data(  # noqa: N806
            self, X, dtype=np.float64, ensure_all_finite=False, reset=False
        )
        return self.additive_.decision(X)

    def predict_proba(self, X: Any) -> Floats:  # noqa: N803
        """Return the probabilities of both classes, shape (n, 2)."""
        second = sigmoid(self.decision_function(X))
        return np.column_stack([1 - second, second])

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Return the more probable class of each row."""
        second = self.decision_function(X) > 0
        return np.asarray(self.classes_[second.astype(np.intp)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags
