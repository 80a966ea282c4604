"""A small rule book, and panel rows, for the tests of models."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from earlywarn.conditions import compile_condition
from earlywarn.errors import Text
from earlywarn.features.catalogue import CATALOGUE_VERSION, condition_kinds
from earlywarn.features.groups import Groups
from earlywarn.models.panel import Rows
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


def panel_rows(y, **columns) -> Rows:
    """Rows with the label `y`: each a student of its own, in one school, on one day, weight 1."""
    n = len(y)
    values = {
        "student": np.arange(n),
        "school": np.zeros(n),
        "as_of": np.full(n, 20_000),
        "weight": np.ones(n),
        "capacity": np.full(n, 3),
        "stage": np.zeros(n),
        "kind": np.full(n, -1),
        "groups": np.full((n, 2), -1),
        "followed": np.zeros(n),
    } | columns
    types = {
        "weight": np.float64,
        "stage": np.int8,
        "kind": np.int8,
        "groups": np.int8,
        "followed": np.bool_,
    }
    return Rows(
        x=np.zeros((n, 0)),
        hits=np.zeros((n, 0), dtype=bool),
        y=np.asarray(y, dtype=bool),
        **{k: np.asarray(v).astype(types.get(k, np.int32)) for k, v in values.items()},
    )


def random_rows(
    seed: int, students: int = 120, days: int = 4, rate: float = 0.25
) -> tuple[Rows, np.ndarray]:
    """Rows of every student on every day, and a probability that says something of the label."""
    rng = np.random.default_rng(seed)
    student = np.repeat(np.arange(students), days)
    risk = rng.normal(size=students)[student] + 0.5 * rng.normal(size=students * days)
    chance = 1 / (1 + np.exp(-(risk + np.log(rate / (1 - rate)))))
    groups = rng.integers(-1, 2, (students, 2))[student]
    rows = panel_rows(
        rng.random(len(student)) < chance,
        student=student,
        school=student % 5,
        as_of=np.tile(20_000 + 7 * np.arange(days), students),
        weight=rng.choice([1.0, 1.7, 4.0], students)[student],
        stage=rng.integers(0, 2, students)[student],
        kind=rng.integers(-1, 3, students)[student],
        groups=groups,
        followed=rng.random(len(student)) < 0.2,
    )
    return rows, np.round(chance, 3)
