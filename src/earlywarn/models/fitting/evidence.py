"""What the training rows say of each rule: why its weight left its author's points, or not."""

from __future__ import annotations

from typing import Any

import numpy as np

from earlywarn.models.fitting.fit import Fit, Setup
from earlywarn.models.measures.metrics import plain
from earlywarn.models.panel import Rows
from earlywarn.models.scorecard import in_force, sigmoid

_SAME = 1e-9
_MOVED = 0.1  # log-odds; less is no move


def evidence(rows: Rows, fitted: Fit, setup: Setup) -> list[dict[str, Any]]:
    """Return one entry a rule, in rule id order, as metrics.json keeps them.

    rows, observed, expected = weighted training rows in which the rule counted, those with the
    label, and those that would be expected with the label if the rule counted its author's points
    and all else stood as fitted; students, events = distinct children. `note` says what held the
    weight where it is: "never hit", "bound" (it may not fall below 0), "ladder" (it may not fall
    below the rung beneath), "data" (the outcomes moved it) or "prior" (it stayed with the author).
    """
    weights = fitted.weights
    counted = in_force(rows.hits, weights, setup.rules, setup.ladders)
    odds = fitted.log_odds(rows, setup)
    found = []
    for place, rule in enumerate(setup.rules):
        hit = counted[:, place]
        weight, points = float(weights[place]), float(setup.points[place])
        by_author = sigmoid(odds[hit] - weight + points)
        found.append(
            {
                "id": rule,
                "points": points,
                "weight": weight,
                "rows": plain(float(np.sum(rows.weight[hit]))),
                "students": len(np.unique(rows.student[hit])),
                "events": len(np.unique(rows.student[hit & rows.y])),
                "expected": plain(float(np.sum(rows.weight[hit] * by_author))),
                "observed": plain(float(np.sum(rows.weight[hit & rows.y]))),
                "note": _note(fitted, setup, place, bool(hit.any())),
            }
        )
    return found


def _note(fitted: Fit, setup: Setup, place: int, was_hit: bool) -> str:
    weight, points = float(fitted.weights[place]), float(setup.points[place])
    if not was_hit and weight >= _SAME:
        return "never hit"
    if weight < _SAME < points:
        return "bound"
    ladder = setup.ladders[place]
    if ladder is not None and any(
        setup.ladders[other] == ladder
        and setup.points[other] != points
        and abs(float(fitted.weights[other]) - weight) < _SAME
        for other in range(len(setup.rules))
        if other != place
    ):
        return "ladder"
    return "data" if abs(weight - points) >= _MOVED else "prior"
