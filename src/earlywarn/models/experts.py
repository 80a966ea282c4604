"""The experts' scorecard: the rules' own points, no classifier, and a level that fits them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from earlywarn.features.catalogue import CATALOGUE_VERSION
from earlywarn.models.scorecard import RuleWeight, Scorecard, hit_matrix, in_force
from earlywarn.workspace import Config

if TYPE_CHECKING:
    from earlywarn.rules.pack import RuleBook

EXPERTS = "experts"


def experts_rate(config: Config) -> float:
    """Return the config's base rate over the horizon: what the cohort's mean score shall be."""
    return min(config.base_rate * config.horizon_days / 365, 0.999999)


def solve_experts(
    config: Config, rulebook: RuleBook, verdicts: pa.Table, version: int = 1
) -> Scorecard:
    """Return the experts' scorecard for a rule book; nothing is stored.

    The rules' weights are their authors' points, there is no classifier, and b0 is such that the
    mean score of the cohort in `verdicts` (student_id and a boolean column per rule) is
    `experts_rate`.
    """
    # Imported here: scipy takes half a second that scoring with a model does not need.
    from earlywarn.models.fitting.combine import solve_b0

    rate = experts_rate(config)
    rules = sorted(rulebook.in_force(None), key=lambda rule: rule.id)
    judged = [rule for rule in rules if rule.id in set(verdicts.column_names)]
    points = np.asarray([float(rule.points) for rule in judged])
    ids = [rule.id for rule in judged]
    counted = in_force(hit_matrix(verdicts, ids), points, ids, [rule.ladder for rule in judged])
    return Scorecard(
        name=EXPERTS,
        version=version,
        catalogue_version=CATALOGUE_VERSION,
        rules_hash=rulebook.hash,
        generated=config.generated,
        horizon_days=config.horizon_days,
        label_events=list(config.label_events),
        base_rate=rate,
        # No BLAS: its sums may depend on the number of threads.
        b0=solve_b0((counted * points).sum(axis=1), rate),
        b1=0.0,
        g_is_used=False,
        features=[],
        rules=rule_weights(rulebook, [float(rule.points) for rule in rules]),
    )


def rule_weights(rulebook: RuleBook, weights: list[float]) -> list[RuleWeight]:
    """Return the rules of model.json; `weights` are in rule id order."""
    rules = sorted(rulebook.in_force(None), key=lambda rule: rule.id)
    return [
        RuleWeight(
            id=rule.id,
            when_hash=rule.when_hash,
            weight=weight,
            points=float(rule.points),
            ladder=rule.ladder,
        )
        for rule, weight in zip(rules, weights, strict=True)
    ]
