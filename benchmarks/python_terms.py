"""What a condition's translations into Python libraries write alike: operators and constants."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from earlywarn.conditions.nodes import Constant, Negative, Node, canonical

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def literal(node: Node) -> Any:
    """Return the Python value of a constant, with its sign; 3.0 as 3, as one would write it.

    So pandas and Polars need not turn a column of integers into floating point to compare it.
    """
    if isinstance(node, Constant):
        value = node.value
        return int(value) if isinstance(value, float) and value.is_integer() else value
    if isinstance(node, Negative):
        return -literal(node.operand)
    raise NotImplementedError(f"no translation of {canonical(node)}: add one")
