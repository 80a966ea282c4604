"""One way of writing for conditions that are written in several: equal texts mean the same."""

from __future__ import annotations

from dataclasses import replace

from earlywarn.conditions.nodes import (
    Arithmetic,
    Between,
    Both,
    Compare,
    CompareOp,
    Either,
    Node,
    Not,
    canonical,
    children,
    with_children,
)

_SWAPPED: dict[CompareOp, CompareOp] = {">": "<", ">=": "<="}
_NEGATED: dict[CompareOp, CompareOp] = {
    "=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">",
}  # fmt: skip


def normal_text(node: Node) -> str:
    """Return `node` as a line that does not depend on how it was written.

    `not` stands inside only, > and >= are turned round, `between` is two comparisons, and the
    sides of `and`, `or`, `=`, `<>`, `+` and `*` stand in the order of their texts. All of that
    keeps the verdict, unknown included.
    """
    return canonical(_normal(node, negated=False))


def _normal(node: Node, *, negated: bool) -> Node:
    if isinstance(node, Not):
        return _normal(node.operand, negated=not negated)
    if isinstance(node, Between):
        low = Compare(">=", node.operand, node.low, node.operands)
        high = Compare("<=", node.operand, node.high, node.operands)
        return _normal(Both(low, high), negated=negated)
    if isinstance(node, (Both, Either)):
        parts = sorted((_normal(p, negated=negated) for p in _parts(node)), key=canonical)
        join = Both if isinstance(node, Both) is not negated else Either
        joined = parts[0]
        for part in parts[1:]:
            joined = join(joined, part)
        return joined
    plain = with_children(node, [_normal(child, negated=False) for child in children(node)])
    if isinstance(plain, Compare):
        return _turned(replace(plain, op=_NEGATED[plain.op]) if negated else plain)
    if isinstance(plain, Arithmetic) and plain.op in ("+", "*"):
        left, right = sorted((plain.left, plain.right), key=canonical)
        plain = replace(plain, left=left, right=right)
    return Not(plain) if negated else plain


def _parts(node: Both | Either) -> list[Node]:
    """Return what is joined by a run of the same connector."""
    found: list[Node] = []
    for side in (node.left, node.right):
        found += _parts(side) if type(side) is type(node) else [side]
    return found


def _turned(node: Compare) -> Compare:
    if node.op in _SWAPPED:
        return replace(node, op=_SWAPPED[node.op], left=node.right, right=node.left)
    if node.op in ("=", "<>") and canonical(node.right) < canonical(node.left):
        return replace(node, left=node.right, right=node.left)
    return node
