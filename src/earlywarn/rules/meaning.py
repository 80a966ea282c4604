"""What conditions can come to: can one never hold, do two mean the same, is one in the other?

Worked out over every case that their constants can tell apart (`space`). For conditions over single
names compared with constants, and their and/or/not, the answer is exact. Where names are reckoned
with or compared with each other, it rests on their ranges and on points tried: it is right where it
is given, and may be "not decided".
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import product
from typing import Any

from earlywarn.conditions.nodes import Both, Kind, Name, Node, Not, replace_names
from earlywarn.features.groups import Groups
from earlywarn.rules import space
from earlywarn.rules.spans import Span, Truth
from earlywarn.rules.verdict import Truths, World, truths
from earlywarn.words import MONITORED_GROUPS

MAX_CASES = 10_000
TRIES = 1_000
SAMPLE = 300

Together = tuple[Truth, ...]


@dataclass(frozen=True)
class Outcome:
    """The verdicts that some conditions can come to together, in the order of the conditions.

    Attributes
    ----------
    may
        Every combination that cannot be ruled out.
    seen
        The combinations that do occur, each with a case in which it does.
    """

    may: frozenset[Together]
    seen: Mapping[Together, World]

    def only(self, wanted: AbstractSet[Together]) -> bool | None:
        """Whether nothing but `wanted` occurs: True or False for sure, None if not decided."""
        if self.may <= wanted:
            return True
        return None if self.seen.keys() <= wanted else False


def outcome(
    roots: Sequence[Node], groups: Groups, fixed: Mapping[str, tuple[Any, ...]] | None = None
) -> Outcome:
    """Return what `roots` can come to together.

    Parameters
    ----------
    groups
        What the groups mean: beside a registry field that stands behind it, the name of a group
        stands for its condition; group_count counts, and aid_gap is what it is.
    fixed
        The only values that some names may have (None = unknown); the other names have any value
        of their type and range.
    """
    return _Cases(roots, groups, fixed or {}).outcome()


def same(a: Node, b: Node, groups: Groups) -> bool | None:
    """Whether two conditions always have the same verdict (None: not decided)."""
    return outcome([a, b], groups).only({(truth, truth) for truth in (True, False, None)})


def contained(a: Node, b: Node, groups: Groups) -> bool | None:
    """Whether whoever `a` hits is hit by `b` too (None: not decided)."""
    truths = (True, False, None)
    wanted = {(x, y) for x in truths for y in truths if x is not True or y}
    return outcome([a, b], groups).only(wanted)


def some_verdicts(roots: Sequence[Node], groups: Groups) -> list[tuple[Truths, ...]]:
    """Return the verdicts of each condition on the same cases, drawn at random.

    Conditions with different ones differ in meaning: a quick test of many conditions.
    """
    meant = _meanings(groups, ())
    names = [Name(name, Kind.BOOLEAN) for name in meant]
    fields = space.kinds_of([*roots, *meant.values()])
    for name in (*meant, "group_count"):
        fields.pop(name, None)
    points = {name: space.points(roots, name, kind) for name, kind in fields.items()}
    worlds = []
    for world in _some(points, SAMPLE):
        groups_now = [truths(replace_names(name, meant), world) for name in names]
        world |= {name.name: next(iter(t)) for name, t in zip(names, groups_now, strict=True)}
        counted = [frozenset([world[name]]) for name in MONITORED_GROUPS if name in world]
        worlds.append(world | {"group_count": _count(counted)})
    return [tuple(truths(root, world) for world in worlds) for root in roots]


def _meanings(groups: Groups, fixed: Collection[str]) -> dict[str, Node]:
    """Return what the names of groups, and aid_gap, stand for; not those in `fixed`."""
    meant = {group.name: group.condition.root for group in groups}
    if "poor_family" in meant:
        no_aid = Not(Name("receives_aid", Kind.BOOLEAN))
        meant["aid_gap"] = Both(meant["poor_family"], no_aid)
    return {name: root for name, root in meant.items() if name not in fixed}


class _Cases:
    """The cases that some conditions are worked out over.

    Where `group_count` or a field behind a group stands beside groups, it follows from them, so
    that no case is worked out that no child can be.
    """

    def __init__(
        self, roots: Sequence[Node], groups: Groups, fixed: Mapping[str, tuple[Any, ...]]
    ) -> None:
        meant = _meanings(groups, fixed)
        self.roots = [replace_names(root, _where_needed(roots, meant)) for root in roots]
        self.counted: list[Node] = []
        kinds = space.kinds_of(self.roots)
        if "group_count" in kinds:
            counted: list[Node] = [Name(name, Kind.BOOLEAN) for name in MONITORED_GROUPS]
            needed = _where_needed([*self.roots, *counted], meant)
            if needed or not kinds.keys().isdisjoint(MONITORED_GROUPS):
                self.roots = [replace_names(root, needed) for root in self.roots]
                self.counted = [replace_names(group, needed) for group in counted]
                kinds = space.kinds_of([*self.roots, *self.counted])
                del kinds["group_count"]
        self.kinds = kinds
        self.every = [*self.roots, *self.counted]
        self.few = {
            name: fixed[name] if name in fixed else space.cases(self.every, name, kind)
            for name, kind in kinds.items()
        }

    def outcome(self) -> Outcome:
        """Work out every case; where they cannot all be, the ranges and some points."""
        known = {name: values for name, values in self.few.items() if values is not None}
        rough = [name for name, values in self.few.items() if values is None]
        while math.prod(len(values) for values in known.values()) > MAX_CASES:
            widest = max(known, key=lambda name: len(known[name]))
            del known[widest]
            rough.append(widest)
        whole = {name: (space.whole(name, self.kinds[name]),) for name in rough}
        may, seen = self._work_out(_every(known | whole))
        if rough:
            points = {
                name: space.points(self.every, name, self.kinds[name]) if values is None else values
                for name, values in self.few.items()
            }
            seen = self._work_out(_some(points, TRIES))[1]
        return Outcome(frozenset(may), seen)

    def _work_out(self, worlds: Iterator[World]) -> tuple[set[Together], dict[Together, World]]:
        may: set[Together] = set()
        seen: dict[Together, World] = {}
        for world in worlds:
            if self.counted:
                world["group_count"] = _count([truths(group, world) for group in self.counted])
            found = list(product(*(truths(root, world) for root in self.roots)))
            may.update(found)
            if len(found) == 1:
                seen.setdefault(found[0], world)
        return may, seen


def _where_needed(roots: Sequence[Node], meant: Mapping[str, Node]) -> dict[str, Node]:
    """Return the meanings of those names in `roots` which share a name with another of them."""
    used = set(space.kinds_of(roots))
    behind = {name: set(space.kinds_of([meant[name]])) for name in used & meant.keys()}
    return {
        name: meant[name]
        for name in behind
        if not behind[name].isdisjoint(used.union(*(behind[o] for o in behind if o != name)))
    }


def _count(groups: Sequence[Truths]) -> Any:
    """Return how many are TRUE, as one number, or a span where some are not known; None if none."""
    low = sum(group == {True} for group in groups)
    high = sum(True in group for group in groups)
    unknown = all(None in group for group in groups)
    if low == high and (not unknown or all(group == {None} for group in groups)):
        return None if unknown else float(low)
    return Span(float(low), float(high), missing=unknown)


def _every(domains: Mapping[str, tuple[Any, ...]]) -> Iterator[World]:
    for values in product(*domains.values()):
        yield dict(zip(domains, values, strict=True))


def _some(domains: Mapping[str, tuple[Any, ...]], count: int) -> Iterator[World]:
    """Yield every world if there are no more than `count`, else so many drawn at random."""
    if math.prod(len(values) for values in domains.values()) <= count:
        yield from _every(domains)
        return
    draw = random.Random(0)  # noqa: S311
    for _ in range(count):
        yield {name: draw.choice(values) for name, values in domains.items()}
