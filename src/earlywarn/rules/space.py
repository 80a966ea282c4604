"""What a condition can come to: verdicts over every case that its constants can tell apart.

Used to decide whether a rule could hit a child with no sign at all, can never hold, or always
holds. A name that is only compared with constants is replaced by one value from each stretch
between them, which is exact. A name that is reckoned with, or compared with another, stands for
any value, which may only overstate what is possible: the answer is then "not decided".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

from earlywarn.conditions.nodes import (
    Among,
    Arithmetic,
    Between,
    Both,
    Call,
    Compare,
    Constant,
    Either,
    IsNull,
    Kind,
    Name,
    Negative,
    Node,
    Not,
    children,
    kind_of,
    names_in,
    walk,
)
from earlywarn.features.catalogue import FEATURES
from earlywarn.tables.contract import STUDENTS

MAX_WORLDS = 20_000

Truth = bool | None
Truths = frozenset[Truth]


class _Any:
    """Stands for any value at all, unknown included."""


ANY = _Any()
_EVERY: Truths = frozenset([True, False, None])

# Features that are known for every child of the cohort.
NEVER_NULL = frozenset(
    ["on_leave", "exams_taken_365d", "grade", "stage", "days_since_snapshot", "prior_dropouts"]
)


@dataclass(frozen=True)
class Outcome:
    """The verdicts that are possible; `exact` if each of them really is."""

    truths: Truths
    exact: bool


def possible(root: Node, fixed: Mapping[str, tuple[Any, ...]] | None = None) -> Outcome:
    """Return the verdicts that `root` can come to.

    `fixed` gives the only values that some names may take (None = unknown); the other names take
    any value of their type and range.
    """
    domains: dict[str, tuple[Any, ...]] = {}
    exact = True
    for name in names_in(root):
        values = (fixed or {}).get(name)
        if values is None:
            values = _domain(root, name)
        if values is None:
            values, exact = (ANY,), False
        domains[name] = values
    while math.prod(len(values) for values in domains.values()) > MAX_WORLDS:
        widest = max(domains, key=lambda name: len(domains[name]))
        domains[widest], exact = (ANY,), False
    found: set[Truth] = set()
    for world in product(*domains.values()):
        found |= _truths(root, dict(zip(domains, world, strict=True)))
        if len(found) == len(_EVERY):
            break
    return Outcome(frozenset(found), exact)


def _domain(root: Node, name: str) -> tuple[Any, ...] | None:
    """Return values of `name` that stand for all of its values, or None if none can."""
    nodes = list(walk(root))
    kind = next(n.kind for n in nodes if isinstance(n, Name) and n.name == name)
    missing: tuple[None, ...] = () if name in NEVER_NULL else (None,)
    if kind is Kind.BOOLEAN:
        return (True, False, *missing)
    constants = _compared_with(nodes, name)
    if constants is None:
        return None
    if kind is Kind.NUMBER:
        return (*_numbers(name, [float(c) for c in constants]), *missing)
    if kind is Kind.TEXT:
        texts = sorted({str(c) for c in constants} | set(_choices(name)))
        # between and below every text there is another: enough for = <> in; order is not decided
        if any(isinstance(n, Between) or _ordered(n) for n in nodes):
            return None
        return (*texts, *(() if _choices(name) else ("\uffff other",)), *missing)
    return None


def _ordered(node: Node) -> bool:
    return isinstance(node, Compare) and node.operands is Kind.TEXT and node.op not in ("=", "<>")


def _choices(name: str) -> tuple[str, ...]:
    for column in STUDENTS.columns:
        if column.name == name:
            return column.choices
    return ()


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
            value = _value(child, {})
            if value is not None:
                constants.add(value)
    return constants


def _numbers(name: str, constants: list[float]) -> list[float]:
    """Return one number from each stretch that the constants leave, and the constants."""
    feature = FEATURES.get(name)
    low, high = number_range(name)
    whole = feature is not None and feature.type == "integer"
    marks = sorted({*constants, *(b for b in (low, high) if math.isfinite(b))}) or [0.0]
    points = [marks[0] - 1, *marks, marks[-1] + 1]
    points += [(a + b) / 2 for a, b in pairwise(marks)]
    if whole:
        points = [
            float(f(p))
            for p in [*points, *(m + s for m in marks for s in (-1, 1))]
            for f in (math.floor, math.ceil)
        ]
    return sorted({p for p in points if low <= p <= high})


def number_range(name: str) -> tuple[float, float]:
    """Return the smallest and largest value that feature `name` can have."""
    feature = FEATURES.get(name)
    if feature is None or feature.unit in ("z", "slope"):
        return -math.inf, math.inf
    if name == "totals_absence_change":
        return -1.0, 1.0
    if feature.unit == "share" and name != "school_dropouts_3y_rate":
        return 0.0, 1.0
    if name == "group_count":
        return 0.0, 5.0
    if name in ("absent_after_break",):
        return 0.0, 3.0
    if name in ("days_enrolled", "days_since_snapshot", "age_years", "grade"):
        return (0.0, math.inf) if name != "grade" else (-math.inf, math.inf)
    for suffix, days in (("_5d", 5.0), ("_20d", 20.0), ("_60d", 60.0)):
        if name.endswith(suffix) and feature.unit == "days":
            return 0.0, days
    if name in ("unexcused_run", "absent_run", "days_since_present"):
        return 0.0, 60.0
    return 0.0, math.inf


def _truths(node: Node, world: Mapping[str, Any]) -> Truths:
    """Return the verdicts that a boolean node may have in `world`."""
    if isinstance(node, (Name, Constant)):
        value: Any = world[node.name] if isinstance(node, Name) else node.value
        return _EVERY if value is ANY else frozenset([value])
    if isinstance(node, Not):
        return frozenset(None if t is None else not t for t in _truths(node.operand, world))
    if isinstance(node, (Both, Either)):
        lefts, rights = _truths(node.left, world), _truths(node.right, world)
        join = _and if isinstance(node, Both) else _or
        return frozenset(join(a, b) for a in lefts for b in rights)
    if isinstance(node, IsNull):
        return frozenset(value is None for value in _values(node.operand, world))
    if isinstance(node, Call):
        return frozenset(
            _first_known(p) for p in product(*(_truths(a, world) for a in node.arguments))
        )
    return frozenset(
        verdict
        for values in product(*(_values(child, world) for child in children(node)))
        for verdict in _compare(node, values)
    )


def _values(node: Node, world: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the values that an operand may have: several for booleans, else one or ANY."""
    if kind_of(node) is Kind.BOOLEAN:
        return tuple(_truths(node, world))
    value = _value(node, world)
    # ANY stands for "unknown" too: where it matters (is null) both are possible.
    return (ANY, None) if value is ANY else (value,)


def _value(node: Node, world: Mapping[str, Any]) -> Any:
    """Return the value of a number, text or date node; None = unknown, ANY = not decided."""
    if isinstance(node, Constant):
        return node.value
    if isinstance(node, Name):
        return world[node.name]
    values = [_value(child, world) for child in children(node)]
    if isinstance(node, Call) and node.function == "coalesce":
        for value in values:
            if value is not None:
                return value
        return None
    if any(value is None for value in values):
        return None
    if any(value is ANY for value in values):
        return ANY
    return _reckon(node, values)


def _reckon(node: Node, values: list[Any]) -> float | None:
    try:
        if isinstance(node, Negative):
            result = -values[0]
        elif isinstance(node, Call):
            picked = {"abs": max, "least": min, "greatest": max}[node.function](values)
            result = abs(picked) if node.function == "abs" else picked
        elif isinstance(node, Arithmetic) and node.op == "/":
            result = values[0] / values[1] if values[1] else None
        elif isinstance(node, Arithmetic):
            left, right = values
            result = {"+": left + right, "-": left - right, "*": left * right}[node.op]
        else:
            raise AssertionError(type(node).__name__)
    except OverflowError:
        return None
    return result if result is not None and math.isfinite(result) else None


def _first_known(values: tuple[Truth, ...]) -> Truth:
    return next((value for value in values if value is not None), None)


def _and(a: Truth, b: Truth) -> Truth:
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def _or(a: Truth, b: Truth) -> Truth:
    if a or b:
        return True
    return None if a is None or b is None else False


def _compare(node: Node, values: tuple[Any, ...]) -> Iterable[Truth]:
    """Return the verdicts that a comparison of `values` may have."""
    if any(value is ANY for value in values):
        return _EVERY
    if isinstance(node, Among):
        verdict: Truth = False
        for item in values[1:]:
            verdict = _or(verdict, _test("=", values[0], item))
        return [verdict]
    if isinstance(node, Between):
        return [_and(_test(">=", values[0], values[1]), _test("<=", values[0], values[2]))]
    if isinstance(node, Compare):
        return [_test(node.op, values[0], values[1])]
    raise AssertionError(type(node).__name__)


def _test(op: str, a: Any, b: Any) -> Truth:
    if a is None or b is None:
        return None
    tests = {"=": a == b, "<>": a != b}
    if op in tests:
        return bool(tests[op])
    return bool({"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op])
