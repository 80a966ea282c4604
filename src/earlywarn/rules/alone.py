"""Membership of a group alone adds no points and no tier: the test that holds every pack to it.

A rule is group-alone if its condition can be TRUE while every sign in it is at its calm value or
unknown, whatever the groups, the registry fields and the school are. Where that cannot be decided
it counts as alone.
"""

from __future__ import annotations

from typing import Any

from earlywarn.conditions import Condition
from earlywarn.conditions.nodes import Both, joined_parts, names_in
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
    never = {(False,), (None,)}
    root = condition.root
    # Most rules have a part of signs only that settles it, in far fewer cases than the whole.
    for part in joined_parts(root) if isinstance(root, Both) else []:
        if calm.keys() >= set(names_in(part)) and outcome([part], groups, calm).only(never):
            return False
    misses = outcome([root], groups, calm).only(never)
    return None if misses is None else not misses
