"""Membership of a group alone adds no points and no tier: the test that holds every pack to it.

A rule is group-alone if its condition can be TRUE while every sign in it is at its calm value or
unknown, whatever the groups, the registry fields and the school are. Where that cannot be decided
it counts as alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product
from typing import Any

from earlywarn.conditions import Condition
from earlywarn.conditions.nodes import Both, Node, joined_parts, names_in
from earlywarn.features.catalogue import FEATURES
from earlywarn.features.groups import Groups
from earlywarn.rules.meaning import MAX_CASES, outcome
from earlywarn.rules.verdict import truths


def calm_values(name: str) -> tuple[Any, ...] | None:
    """Return what sign `name` can be when nothing is wrong; None if it is no sign."""
    feature = FEATURES.get(name)
    if feature is None or feature.kind != "sign":
        return None
    if feature.calm is None:
        return (None,)
    return (bool(feature.calm) if feature.type == "boolean" else float(feature.calm), None)


def is_group_alone(condition: Condition, groups: Groups) -> bool | None:
    """Whether `condition` can hit a child that shows no sign at all (None: not decided)."""
    calm = {name: values for name in condition.names if (values := calm_values(name)) is not None}
    root = condition.root
    parts = joined_parts(root) if isinstance(root, Both) else [root]
    if any(_is_calm_never_true(part, calm) for part in parts):
        return False
    never = outcome([root], groups, calm).only({(False,), (None,)})
    return None if never is None else not never


def _is_calm_never_true(part: Node, calm: Mapping[str, tuple[Any, ...]]) -> bool:
    """Whether `part` speaks of signs only and holds in no calm case; most rules have such one."""
    names = names_in(part)
    if not calm.keys() >= set(names):
        return False
    values = [calm[name] for name in names]
    return math.prod(map(len, values)) <= MAX_CASES and not any(
        True in truths(part, dict(zip(names, case, strict=True))) for case in product(*values)
    )
