"""A small rule book for the tests of models."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from earlywarn.conditions import compile_condition
from earlywarn.errors import Text
from earlywarn.features.catalogue import CATALOGUE_VERSION, condition_kinds
from earlywarn.features.groups import Groups
from earlywarn.models.scorecard import FeatureTable, RuleWeight, Scorecard
from earlywarn.rules.pack import Rule, RuleBook


def rule(
    name: str, points: float, ladder: str | None = None, when: str = "unexcused_run >= 3"
) -> Rule:
    return Rule(
        id=name,
        pack="test",
        title=Text(name, name),
        condition=compile_condition(when, condition_kinds()),
        points=points,
        ladder=ladder,
        floor=None,
        action=None,
        reason=Text("", ""),
        source="test",
        effective=None,
        family="absence",
        names_group=False,
    )


def book(*rules: Rule) -> RuleBook:
    return RuleBook(
        rules=tuple(sorted(rules, key=lambda r: r.id)), actions={}, groups=Groups(()), packs={}
    )


def verdicts(**columns: list[bool | None]) -> pa.Table:
    count = len(next(iter(columns.values())))
    ids = pa.array([f"S{i:03d}" for i in range(count)])
    return pa.table({"student_id": ids, **{n: pa.array(v, pa.bool_()) for n, v in columns.items()}})


def scorecard(
    tables: list[FeatureTable], weights: list[RuleWeight], **changes: object
) -> Scorecard:
    values: dict[str, object] = {
        "name": "main",
        "version": 1,
        "catalogue_version": CATALOGUE_VERSION,
        "rules_hash": "0" * 64,
        "horizon_days": 90,
        "label_events": ["dropped_out"],
        "base_rate": 0.01,
        "b0": -3.0,
        "b1": 0.8,
        "g_is_used": bool(tables),
        "features": tables,
        "rules": weights,
    }
    return Scorecard.model_validate(values | changes)


def weight(of: Rule, value: float) -> RuleWeight:
    return RuleWeight(
        id=of.id, when_hash=of.when_hash, weight=value, points=of.points, ladder=of.ladder
    )


def rounded(values: np.ndarray) -> np.ndarray:
    """The doubles nearest to multiples of 1e-9, as features are."""
    return np.round(values * 1e9) / 1e9
