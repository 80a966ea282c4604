"""The challenger: an unrestricted forest on the same inputs. It shows what the glass costs.

It may combine features as it likes, so nobody can read it; it is measured and never promoted.
"""

from __future__ import annotations

import numpy as np

from earlywarn.models.fitting.additive import balanced, cuts_of, varies
from earlywarn.models.panel import Rows
from earlywarn.models.scorecard import Floats

_MAX_BINS = 255


def challenge(train: Rows, test: Rows, *, row_weight: float, seed: int) -> Floats:
    """Return the test rows' probabilities by an unrestricted forest fitted on the training rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    from earlywarn.models.fitting.boost import codes_of

    columns = [j for j in range(train.x.shape[1]) if varies(train.x[:, j])]
    if not columns:
        return np.full(len(test), train.rate)
    weight = train.weight * row_weight
    mass = balanced(train.y, weight)
    cuts = [cuts_of(train.x[:, j], mass, _MAX_BINS) for j in columns]
    forest = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=60 if train.events < 500 else 100,
        max_leaf_nodes=15,
        min_samples_leaf=40,
        l2_regularization=5.0,
        early_stopping=False,
        random_state=seed,
    )
    with threadpool_limits(1, user_api="openmp"):
        forest.fit(codes_of(train.x, columns, cuts), train.y, sample_weight=weight)
        found = forest.predict_proba(codes_of(test.x, columns, cuts))
    return np.asarray(found[:, 1])
