"""One way of writing for conditions that are written in several: equal texts mean the same."""

from __future__ import annotations

from dataclasses import replace

from earlywarn.conditions.nodes import (
    NEGATED,
    TURNED,
    Arithmetic,
    Between,
    Both,
    Compare,
    Either,
    Node,
    Not,
    canonical,
    children,
    joined_parts,
    with_children,
)


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
        parts = sorted((_normal(p, negated=negated) for p in joined_parts(node)), key=canonical)
        join = Both if isinstance(node, Both) is not negated else Either
        joined = parts[0]
        for part in parts[1:]:
            joined = join(joined, part)
        return joined
    plain = with_children(node, [_normal(child, negated=False) for child in children(node)])
    if isinstance(plain, Compare):
        return _turned(replace(plain, op=NEGATED[plain.op]) if negated else plain)
    if isinstance(plain, Arithmetic) and plain.op in ("+", "*"):
        left, right = sorted((plain.left, plain.right), key=canonical)
        plain = replace(plain, left=left, right=right)
    return Not(plain) if negated else plain


def _turned(node: Compare) -> Compare:
    if node.op in (">", ">="):
        return replace(node, op=TURNED[node.op], left=node.right, right=node.left)
    if node.op in ("=", "<>") and canonical(node.right) < canonical(node.left):
        return replace(node, left=node.right, right=node.left)
    return node
