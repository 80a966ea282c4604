"""The verdicts that a condition may have in a case where some values are known only roughly.

A world gives every name a value: a number, text, date or yes/no; None for unknown; a `Span` for a
number known only by its range; ANY for anything at all. Exact where every value is known; else
every verdict that cannot be ruled out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

from earlywarn.conditions.nodes import (
    Among,
    Arithmetic,
    Between,
    Both,
    Call,
    Compare,
    CompareOp,
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
)
from earlywarn.rules import spans
from earlywarn.rules.spans import Span, Truth

Truths = frozenset[Truth]
World = dict[str, Any]


class _Any:
    """Stands for any value at all, unknown included."""

    def __repr__(self) -> str:
        return "ANY"


ANY = _Any()
EVERY: Truths = frozenset([True, False, None])


def truths(node: Node, world: World) -> Truths:
    """Return the verdicts that a boolean node may have in `world`."""
    if isinstance(node, (Name, Constant)):
        value: Any = world[node.name] if isinstance(node, Name) else node.value
        return EVERY if value is ANY else frozenset([value])
    if isinstance(node, Not):
        return frozenset(None if t is None else not t for t in truths(node.operand, world))
    if isinstance(node, (Both, Either)):
        lefts, rights = truths(node.left, world), truths(node.right, world)
        join = both if isinstance(node, Both) else either
        return frozenset(join(a, b) for a in lefts for b in rights)
    if isinstance(node, IsNull):
        return _is_null(node.operand, world)
    if isinstance(node, Call):
        return _folded(_first_known, None, (truths(a, world) for a in node.arguments))
    if isinstance(node, Compare):
        return _compare(node.op, node.left, node.right, world)
    if isinstance(node, Between):
        lows = _compare(">=", node.operand, node.low, world)
        highs = _compare("<=", node.operand, node.high, world)
        return frozenset(both(a, b) for a in lows for b in highs)
    if isinstance(node, Among):
        return _folded(
            either, False, (_compare("=", node.operand, item, world) for item in node.items)
        )
    raise AssertionError(type(node).__name__)


def value_of(node: Node, world: World) -> Any:
    """Return the value of a number, text or date node; None = unknown, Span or ANY = not known."""
    if isinstance(node, Constant):
        return node.value
    if isinstance(node, Name):
        return world[node.name]
    if kind_of(node) is Kind.NUMBER:
        span = _span(node, world)
        if span.empty:
            return None
        return span.low if span.low == span.high and not span.missing else span
    for argument in children(node):  # coalesce: the one function of texts and dates
        value = value_of(argument, world)
        if value is not None:
            return value
    return None


def both(a: Truth, b: Truth) -> Truth:
    """Return a and b, three-valued."""
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def either(a: Truth, b: Truth) -> Truth:
    """Return a or b, three-valued."""
    if a or b:
        return True
    return None if a is None or b is None else False


def _folded(join: Callable[[Truth, Truth], Truth], empty: Truth, parts: Iterable[Truths]) -> Truths:
    """Return every verdict that the parts may have together, joined one by one."""
    found: Truths = frozenset([empty])
    for part in parts:
        found = frozenset(join(a, b) for a in found for b in part)
    return found


def _span(node: Node, world: World) -> Span:
    """Return the span of a number node."""
    if isinstance(node, (Constant, Name)):
        value: Any = node.value if isinstance(node, Constant) else world[node.name]
        return value if isinstance(value, Span) else Span.of(value)
    under = [_span(child, world) for child in children(node)]
    if isinstance(node, Negative):
        return spans.negative(under[0])
    if isinstance(node, Arithmetic):
        return spans.reckon(node.op, under[0], under[1])
    if isinstance(node, Call) and node.function == "coalesce":
        return spans.first_known(under)
    if isinstance(node, Call) and node.function == "abs":
        return spans.absolute(under[0])
    if isinstance(node, Call) and node.function in ("least", "greatest"):
        return spans.pick(node.function, under)
    raise AssertionError(type(node).__name__)


def _is_null(node: Node, world: World) -> Truths:
    kind = kind_of(node)
    if kind is Kind.BOOLEAN:
        return frozenset(truth is None for truth in truths(node, world))
    if kind is Kind.NUMBER:
        span = _span(node, world)
        return frozenset(([True] if span.missing else []) + ([] if span.empty else [False]))
    value = value_of(node, world)
    return frozenset([True, False]) if value is ANY else frozenset([value is None])


def _compare(op: CompareOp, left: Node, right: Node, world: World) -> Truths:
    kind = kind_of(left) or kind_of(right)
    if kind is Kind.NUMBER:
        return spans.compare(op, _span(left, world), _span(right, world))
    if kind is Kind.BOOLEAN:
        pairs: Iterable[tuple[Any, Any]] = product(_boolean(left, world), _boolean(right, world))
        return frozenset(_test(op, a, b) for a, b in pairs)
    a, b = value_of(left, world), value_of(right, world)
    return EVERY if a is ANY or b is ANY else frozenset([_test(op, a, b)])


def _boolean(node: Node, world: World) -> Truths:
    return frozenset([None]) if kind_of(node) is None else truths(node, world)


def _first_known(a: Truth, b: Truth) -> Truth:
    return b if a is None else a


def _test(op: CompareOp, a: Any, b: Any) -> Truth:
    if a is None or b is None:
        return None
    if op in ("=", "<>"):
        return bool((a == b) is (op == "="))
    return bool({"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op])
