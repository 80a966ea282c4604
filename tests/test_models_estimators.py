"""What is offered as a scikit-learn estimator passes scikit-learn's own checks."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from earlywarn.models.fitting.additive import Additive, mean_of
from earlywarn.models.fitting.boost import AdditiveBoostClassifier
from earlywarn.models.fitting.spline import SplineLogisticClassifier
from earlywarn.models.scorecard import FeatureTable


@parametrize_with_checks([SplineLogisticClassifier(), AdditiveBoostClassifier(max_iter=20)])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kind", [SplineLogisticClassifier, AdditiveBoostClassifier])
def test_what_cannot_be_learnt_from_is_refused(kind):
    x = np.arange(10.0).reshape(-1, 1)
    with pytest.raises(ValueError, match="one class"):
        kind().fit(x, np.zeros(10))
    with pytest.raises(ValueError, match="one class"):
        kind().fit(x, [0, 1] * 5, sample_weight=[0, 1] * 5)
    with pytest.raises(ValueError, match="monotonic_cst"):
        kind(monotonic_cst=[1, 1]).fit(x, [0, 1] * 5)
    with pytest.raises(ValueError, match="monotonic_cst"):
        kind(monotonic_cst=[2]).fit(x, [0, 1] * 5)


def test_the_mean_of_two_is_their_mean_everywhere():
    one = Additive((table([1.0, 2.0], [0.0, 1.0, 4.0], -1.0), table([], [0.0], 0.0)), 0.5)
    two = Additive((table([0.5, 2.0], [1.0, 0.0, 2.0], 3.0), table([3.0], [0.2, 0.4], 1.0)), -1.5)
    x = np.asarray([[v, w] for v in (-9, 0.5, 0.7, 1, 1.5, 2, 9, np.nan) for w in (1, 4, np.nan)])
    mean = mean_of([one, two])
    assert np.allclose(mean.decision(x), (one.decision(x) + two.decision(x)) / 2, atol=1e-15)


def table(thresholds, values, missing):
    return FeatureTable(name="a", thresholds=thresholds, values=values, missing=missing)
