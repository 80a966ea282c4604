"""Membership of a group alone adds no points and no tier: the test that holds every pack to it.

A rule is group-alone if its condition can be TRUE while every sign in it is at its calm value or
unknown, whatever the groups, the registry fields and the school are. Where that cannot be decided
it counts as alone.
"""

from __future__ import annotations

from typing import Any

from earlywarn.conditions import Condition
from earlywarn.features.catalogue import FEATURES
from earlywarn.features.groups import Groups
from earlywarn.rules.meaning import outcome


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
    never = outcome([condition.root], groups, calm).only({(False,), (None,)})
    return None if never is None else not never
