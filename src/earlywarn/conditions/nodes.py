"""What a condition is made of, once it has been checked: a small typed tree.

The parser turns text into these nodes, the compiler turns them into SQL, and the rule checks
reason about them. Nothing else can stand in a condition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any, Literal


class Kind(StrEnum):
    """The kinds of value in a condition."""

    BOOLEAN = "boolean"
    NUMBER = "number"
    TEXT = "text"
    DATE = "date"


CompareOp = Literal["=", "<>", "<", "<=", ">", ">="]
# The comparison that holds where another does not, and the one with the sides turned round. Both
# keep "unknown" unknown.
NEGATED: dict[CompareOp, CompareOp] = {
    "=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">",
}  # fmt: skip
TURNED: dict[CompareOp, CompareOp] = {
    "=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<=",
}  # fmt: skip
ArithmeticOp = Literal["+", "-", "*", "/"]
FunctionName = Literal["abs", "least", "greatest", "coalesce"]


@dataclass(frozen=True)
class Name:
    """A feature, group or registry field."""

    name: str
    kind: Kind


@dataclass(frozen=True)
class Constant:
    """A number, text, date, TRUE, FALSE, or NULL (value None, whose kind is what its place asks).

    Numbers are floats: all arithmetic is in DOUBLE.
    """

    value: float | str | date | bool | None
    kind: Kind | None


@dataclass(frozen=True)
class Negative:
    """- x."""

    operand: Node


@dataclass(frozen=True)
class Arithmetic:
    """x + y, x - y, x * y or x / y."""

    op: ArithmeticOp
    left: Node
    right: Node


@dataclass(frozen=True)
class Call:
    """abs, least, greatest or coalesce; `kind` is that of the result (None: only NULLs)."""

    function: FunctionName
    arguments: tuple[Node, ...]
    kind: Kind | None


@dataclass(frozen=True)
class Compare:
    """x op y; `operands` is the kind of both sides (None: two NULLs)."""

    op: CompareOp
    left: Node
    right: Node
    operands: Kind | None


@dataclass(frozen=True)
class Between:
    """low <= x <= high."""

    operand: Node
    low: Node
    high: Node
    operands: Kind | None


@dataclass(frozen=True)
class Among:
    """x in (items)."""

    operand: Node
    items: tuple[Node, ...]
    operands: Kind | None


@dataclass(frozen=True)
class IsNull:
    """x is null: always known."""

    operand: Node
    operands: Kind | None


@dataclass(frozen=True)
class Not:
    """not x."""

    operand: Node


@dataclass(frozen=True)
class Both:
    """x and y."""

    left: Node
    right: Node


@dataclass(frozen=True)
class Either:
    """x or y."""

    left: Node
    right: Node


Node = (
    Name
    | Constant
    | Negative
    | Arithmetic
    | Call
    | Compare
    | Between
    | Among
    | IsNull
    | Not
    | Both
    | Either
)


def kind_of(node: Node) -> Kind | None:
    """Return the kind of value that `node` yields; None for NULL."""
    if isinstance(node, (Name, Constant, Call)):
        return node.kind
    if isinstance(node, (Negative, Arithmetic)):
        return Kind.NUMBER
    return Kind.BOOLEAN


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly under `node`, in the order of the text."""
    found: list[Node] = []
    for value in vars(node).values():
        if isinstance(value, tuple):
            found.extend(value)
        elif isinstance(value, NODE_TYPES):
            found.append(value)
    return tuple(found)


def walk(node: Node) -> Iterator[Node]:
    """Yield `node` and everything under it, in the order of the text."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(children(current)))


def names_in(node: Node) -> tuple[str, ...]:
    """Return the names in `node`, each once, in order of first appearance."""
    return tuple(dict.fromkeys(n.name for n in walk(node) if isinstance(n, Name)))


def joined_parts(node: Both | Either) -> list[Node]:
    """Return what a chain of one connector joins, in the order of the text."""
    found: list[Node] = []
    stack: list[Node] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, type(node)):
            stack += [current.right, current.left]
        else:
            found.append(current)
    return found


def with_children(node: Node, under: Iterable[Node]) -> Node:
    """Return `node` with other nodes directly under it, given in the order of `children`."""
    rest = iter(under)
    changed: dict[str, Any] = {}
    for name, value in vars(node).items():
        if isinstance(value, tuple):
            changed[name] = tuple(next(rest) for _ in value)
        elif isinstance(value, NODE_TYPES):
            changed[name] = next(rest)
    return replace(node, **changed) if changed else node


def replace_names(node: Node, meant: Mapping[str, Node]) -> Node:
    """Return `node` with each name in `meant` replaced by what it stands for."""
    if not meant:
        return node
    if isinstance(node, Name):
        return meant.get(node.name, node)
    return with_children(node, [replace_names(child, meant) for child in children(node)])


NODE_TYPES = (
    Name,
    Constant,
    Negative,
    Arithmetic,
    Call,
    Compare,
    Between,
    Among,
    IsNull,
    Not,
    Both,
    Either,
)


def canonical(node: Node) -> str:
    """Return `node` as one unambiguous line: equal for equal conditions, however written.

    White space, the case of keywords, spare brackets and the spelling of numbers (3, 3.0) do not
    show in it.
    """
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Constant):
        return _canonical_constant(node)
    if isinstance(node, Call):
        return f"{node.function}({', '.join(canonical(a) for a in node.arguments)})"
    if isinstance(node, Negative):
        return f"(- {canonical(node.operand)})"
    if isinstance(node, Not):
        return f"(not {canonical(node.operand)})"
    if isinstance(node, IsNull):
        return f"({canonical(node.operand)} is null)"
    if isinstance(node, Between):
        low, high = canonical(node.low), canonical(node.high)
        return f"({canonical(node.operand)} between {low} and {high})"
    if isinstance(node, Among):
        return f"({canonical(node.operand)} in ({', '.join(canonical(i) for i in node.items)}))"
    if isinstance(node, Both):
        return f"({canonical(node.left)} and {canonical(node.right)})"
    if isinstance(node, Either):
        return f"({canonical(node.left)} or {canonical(node.right)})"
    return f"({canonical(node.left)} {node.op} {canonical(node.right)})"


def _canonical_constant(node: Constant) -> str:
    value = node.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    return repr(value)
