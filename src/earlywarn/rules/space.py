"""What values a name can have: few cases that stand for all, and points to try.

A name that is only compared with constants is replaced by those constants and one value from each
stretch between them, within its type and range: that is exact. A name that is reckoned with, or
compared with another, stands for its whole range.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from earlywarn.conditions.nodes import (
    Among,
    Between,
    Compare,
    Constant,
    IsNull,
    Kind,
    Name,
    Node,
    children,
    names_in,
    walk,
)
from earlywarn.features.catalogue import FEATURES
from earlywarn.rules.spans import Span
from earlywarn.rules.verdict import ANY, value_of
from earlywarn.tables.contract import STUDENTS

OTHER_TEXT = "\uffff other"


def kinds_of(roots: Sequence[Node]) -> dict[str, Kind]:
    """Return every name in `roots`, in order of first appearance, with its kind."""
    found: dict[str, Kind] = {}
    for root in roots:
        for node in walk(root):
            if isinstance(node, Name):
                found.setdefault(node.name, node.kind)
    return found


def cases(roots: Sequence[Node], name: str, kind: Kind) -> tuple[Any, ...] | None:
    """Return values of `name` that stand for all it can have in `roots`, or None if none can."""
    missing = _missing(name)
    if kind is Kind.BOOLEAN:
        return (True, False, *missing)
    nodes = [node for root in roots for node in walk(root)]
    constants = _compared_with(nodes, name)
    if constants is None:
        return None
    if kind is Kind.NUMBER:
        return (*_numbers(name, [float(c) for c in constants]), *missing)
    # = <> in tell apart the constants and one text beside them; order is not decided
    if kind is Kind.TEXT and not any(isinstance(n, Between) or _ordered(n) for n in nodes):
        return (*_texts(name, constants), *missing)
    return None


def whole(name: str, kind: Kind) -> Any:
    """Return what stands for every value of `name` at once: its range, or ANY."""
    if kind is not Kind.NUMBER:
        return ANY
    low, high = number_range(name)
    return Span(low, high, missing=bool(_missing(name)))


def points(roots: Sequence[Node], name: str, kind: Kind) -> tuple[Any, ...]:
    """Return values of `name` to try where no few cases stand for all of them."""
    constants = [n.value for root in roots for n in walk(root) if isinstance(n, Constant)]
    if kind is Kind.BOOLEAN:
        return (True, False, *_missing(name))
    if kind is Kind.NUMBER:
        numbers = [
            float(c)
            for c in constants
            if isinstance(c, (int, float)) and not isinstance(c, bool) and math.isfinite(c)
        ]
        numbers += [-c for c in numbers] + [0.0, 1.0, 3.0, 100.0]
        return (*_numbers(name, numbers), *_missing(name))
    if kind is Kind.TEXT:
        return (*_texts(name, {c for c in constants if isinstance(c, str)}), *_missing(name))
    return (*sorted({c for c in constants if isinstance(c, date)}), *_missing(name))


def _missing(name: str) -> tuple[None, ...]:
    return () if name in FEATURES and FEATURES[name].always_known else (None,)


def _ordered(node: Node) -> bool:
    return isinstance(node, Compare) and node.operands is Kind.TEXT and node.op not in ("=", "<>")


def _texts(name: str, constants: Iterable[Any]) -> tuple[str, ...]:
    known = next((column.choices for column in STUDENTS.columns if column.name == name), ())
    texts = sorted({str(c) for c in constants} | set(known))
    return tuple(texts) if known else (*texts, OTHER_TEXT)


def _compared_with(nodes: Iterable[Node], name: str) -> set[Any] | None:
    """Return the constants that `name` is compared with; None if it is used in any other way."""
    constants: set[Any] = set()
    for node in nodes:
        under = children(node)
        if not any(isinstance(child, Name) and child.name == name for child in under):
            continue
        if isinstance(node, IsNull):
            continue
        if not isinstance(node, (Compare, Between, Among)):
            return None
        for child in under:
            if isinstance(child, Name) and child.name == name:
                continue
            if names_in(child):
                return None
            value = value_of(child, {})
            if isinstance(value, Span):  # not one value: its own arithmetic is not decided
                return None
            if value is not None:
                constants.add(value)
    return constants


def _numbers(name: str, constants: list[float]) -> list[float]:
    """Return one number from each stretch that the constants leave, and the constants."""
    feature = FEATURES.get(name)
    low, high = number_range(name)
    whole_numbers = feature is not None and feature.type == "integer"
    marks = sorted({*constants, *(b for b in (low, high) if math.isfinite(b))}) or [0.0]
    numbers = [_below(marks[0]), *marks, -_below(-marks[-1])]
    numbers += [a / 2 + b / 2 for a, b in pairwise(marks)]
    if whole_numbers:
        beside = [x for mark in marks for x in (_below(mark), -_below(-mark))]
        numbers = [float(f(x)) for x in [*numbers, *beside] for f in (math.floor, math.ceil)]
    return sorted({x for x in numbers if low <= x <= high})


def _below(number: float) -> float:
    """Return a smaller number: by one, or the next that there is."""
    return max(min(number - 1, math.nextafter(number, -math.inf)), -sys.float_info.max)


def number_range(name: str) -> tuple[float, float]:
    """Return the smallest and largest value that `name` can have."""
    low, high = FEATURES[name].range if name in FEATURES else (None, None)
    return (-math.inf if low is None else low, math.inf if high is None else high)
