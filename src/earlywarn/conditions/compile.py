"""Checked tree to guarded SQL that every engine answers alike.

Guards. All arithmetic is DOUBLE. A number is unknown where it is missing, not finite, or came from
something that was: `abs(x) <= 1.79e308` is true for finite x only (NaN is above everything in
DuckDB and Spark, NULL stays NULL). Sums, differences and products of something that is not finite
are not finite, so one guard on the outermost is enough; quotients, least and greatest can hide
it, so what is under them is guarded too. Divisors are NULL where 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from sqlglot import exp

from earlywarn.conditions.errors import ConditionError
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
    walk,
)

MAX_REPEATS = 4  # divisions within divisors, coalesce within coalesce: each level doubles the SQL

_Maker = Callable[[list[exp.Expression]], exp.Expression]

_SQL_TYPES = {
    Kind.BOOLEAN: "BOOLEAN",
    Kind.NUMBER: "DOUBLE",
    Kind.TEXT: "VARCHAR",
    Kind.DATE: "DATE",
}
_LARGEST = "1.7976931348623157e308"

_COMPARE: dict[str, Callable[..., exp.Expression]] = {
    "=": exp.EQ,
    "<>": exp.NEQ,
    "<": exp.LT,
    "<=": exp.LTE,
    ">": exp.GT,
    ">=": exp.GTE,
}
_ARITHMETIC: dict[str, Callable[..., exp.Expression]] = {
    "+": exp.Add,
    "-": exp.Sub,
    "*": exp.Mul,
    "/": exp.Div,
}


@dataclass
class _Number:
    """A number's bare SQL, and what must be finite for it to be known.

    `own`: the number itself must be (a constant is anyway); `hidden`: also these under it.
    """

    sql: exp.Expression
    own: bool
    hidden: list[exp.Expression] = field(default_factory=list)
    missing: bool = False  # NULL if anything: matters where NULL would be passed over

    @property
    def guards(self) -> list[exp.Expression]:
        """What must be finite in a place where NULL stays NULL."""
        return [*self.hidden, self.sql] if self.own else list(self.hidden)

    @property
    def null_guards(self) -> list[exp.Expression]:
        """What must be finite in a place that passes over NULL, as least and greatest do."""
        return [*self.guards, self.sql] if self.missing and not self.own else self.guards


def compile_node(node: Node, *, finite_names: bool = False) -> exp.Expression:
    """Return the guarded SQL of a checked boolean node: TRUE, FALSE or NULL.

    `finite_names`: the source promises that every number in it is a finite DOUBLE or NULL, so that
    comparisons of bare names need no guard of their own.
    """
    return _Compiler(finite_names).boolean(node)


def check_repeats(root: Node, text: str) -> None:
    """Refuse a condition, written as `text`, whose SQL would grow out of hand (ConditionError)."""
    if max(map(_repeats, walk(root))) > MAX_REPEATS:
        raise ConditionError(
            zh=f"除法或 coalesce 嵌套超过 {MAX_REPEATS} 层，请简化。",
            en=f"divisions or coalesce nested deeper than {MAX_REPEATS}: make it simpler.",
            source=text,
        )


def _repeats(node: Node) -> int:
    """Return how often a number's SQL is doubled; 0 for what is no number."""
    if isinstance(node, Arithmetic) and node.op == "/":
        return max(_repeats(node.left), _repeats(node.right) + 1)
    if not isinstance(node, (Negative, Arithmetic, Call)):
        return 0
    again = (
        isinstance(node, Call) and node.function == "coalesce" and node.kind in (Kind.NUMBER, None)
    )
    return max(map(_repeats, children(node))) + again


class _Compiler:
    def __init__(self, finite_names: bool) -> None:
        self.finite_names = finite_names

    def boolean(self, node: Node) -> exp.Expression:
        """Return the guarded SQL of a checked boolean node: TRUE, FALSE or NULL."""
        if isinstance(node, Name):
            return _column(node.name)
        if isinstance(node, Constant):
            return _constant(node, Kind.BOOLEAN)
        if isinstance(node, (Both, Either)):
            return self.connect(node)
        if isinstance(node, Not):
            return exp.Not(this=self.in_brackets(node.operand))
        if isinstance(node, IsNull):
            return exp.Is(this=self.value(node.operand, node.operands), expression=exp.Null())
        if isinstance(node, Call):
            return self.coalesce(node, Kind.BOOLEAN)
        if isinstance(node, Compare):
            make = _COMPARE[node.op]
            return self.guarded(
                [node.left, node.right],
                node.operands,
                lambda sides: make(this=sides[0], expression=sides[1]),
            )
        if isinstance(node, Between):
            return self.guarded(
                [node.operand, node.low],
                node.operands,
                lambda sides: exp.GTE(this=sides[0], expression=sides[1]),
                second=(
                    [node.operand, node.high],
                    lambda sides: exp.LTE(this=sides[0], expression=sides[1]),
                ),
            )
        if isinstance(node, Among):
            operand, *items = (self.value(n, node.operands) for n in (node.operand, *node.items))
            return exp.In(this=operand, expressions=items)
        raise AssertionError(f"not boolean: {type(node).__name__}")  # the type check saw to it

    def connect(self, node: Both | Either) -> exp.Expression:
        """Join a chain of one connector flat: `a and b and c` needs no brackets, however long."""
        chain: list[Node] = []
        rest: Node = node
        while isinstance(rest, type(node)):
            chain.append(rest.right)
            rest = rest.left
        make = exp.And if isinstance(node, Both) else exp.Or
        joined = self.in_brackets(rest)
        for operand in reversed(chain):
            joined = make(this=joined, expression=self.in_brackets(operand))
        return joined

    def guarded(
        self,
        operands: list[Node],
        kind: Kind | None,
        make: _Maker,
        second: tuple[list[Node], _Maker] | None = None,
    ) -> exp.Expression:
        """Return a comparison, unknown where a number in it is; `second` is and-ed to it."""
        if kind is not Kind.NUMBER:
            first = make([self.value(n, kind) for n in operands])
        else:
            numbers = [self.number(n) for n in operands]
            first = _if_finite(
                (g for number in numbers for g in number.guards),
                make([_bracket(number.sql) for number in numbers]),
            )
        if second is None:
            return first
        return exp.And(
            this=_bracket(first), expression=_bracket(self.guarded(second[0], kind, second[1]))
        )

    def value(self, node: Node, kind: Kind | None) -> exp.Expression:
        """Return the SQL of `node` as a value of `kind`, NULL where it is unknown."""
        if isinstance(node, Constant):
            return _constant(node, kind or Kind.BOOLEAN)
        if kind is Kind.NUMBER:
            number = self.number(node)
            return _if_finite(number.guards, number.sql)
        if kind is Kind.BOOLEAN:
            return self.in_brackets(node)
        if isinstance(node, Name):
            return _column(node.name)
        if isinstance(node, Call):
            return self.coalesce(node, kind or Kind.BOOLEAN)
        raise AssertionError(f"no {kind}: {type(node).__name__}")

    def number(self, node: Node) -> _Number:
        if isinstance(node, Name):
            if self.finite_names:
                return _Number(_column(node.name), own=False, missing=True)
            return _Number(exp.cast(_column(node.name), "double"), own=True)
        if isinstance(node, Constant):
            return _Number(_constant(node, Kind.NUMBER), own=node.value is None)
        if isinstance(node, Negative):
            inner = self.number(node.operand)
            return _Number(
                exp.Neg(this=_bracket(inner.sql)), inner.own, inner.hidden, inner.missing
            )
        if isinstance(node, Arithmetic):
            return self.arithmetic(node)
        if isinstance(node, Call):
            return self.call(node)
        raise AssertionError(f"not a number: {type(node).__name__}")

    def arithmetic(self, node: Arithmetic) -> _Number:
        left, right = self.number(node.left), self.number(node.right)
        hidden = [*left.hidden, *right.hidden]
        divisor = _bracket(right.sql)
        if node.op == "/":
            if right.own:
                hidden.append(right.sql)
            divisor = exp.Nullif(this=right.sql.copy(), expression=exp.Literal.number("0e0"))
        sql = _ARITHMETIC[node.op](this=_bracket(left.sql), expression=divisor)
        return _Number(sql, True, hidden)

    def call(self, node: Call) -> _Number:
        numbers = [self.number(a) for a in node.arguments]
        if node.function == "coalesce":
            first, *rest = (_if_finite(number.guards, number.sql) for number in numbers)
            return _Number(exp.Coalesce(this=first, expressions=rest), True)
        if node.function == "abs":
            inner = numbers[0]
            return _Number(exp.Abs(this=inner.sql.copy()), inner.own, inner.hidden, inner.missing)
        make = exp.Least if node.function == "least" else exp.Greatest
        first, *rest = (number.sql.copy() for number in numbers)
        hidden = [guard for number in numbers for guard in number.null_guards]
        sql = make(this=first, expressions=rest, ignore_nulls=True)
        return _Number(sql, False, hidden)

    def coalesce(self, node: Call, kind: Kind) -> exp.Expression:
        if kind is Kind.NUMBER:
            number = self.number(node)
            return _if_finite(number.guards, number.sql)
        first, *rest = (self.value(a, kind) for a in node.arguments)
        return exp.Coalesce(this=first, expressions=rest)

    def in_brackets(self, node: Node) -> exp.Expression:
        """Return a boolean operand, NULL typed, in brackets where it is not one word."""
        if kind_of(node) is None:
            return _null(Kind.BOOLEAN)
        return _bracket(self.boolean(node))


def _if_finite(guards: Iterable[exp.Expression], value: exp.Expression) -> exp.Expression:
    """Return CASE WHEN every guard is finite THEN value END (the value itself without guards)."""
    condition: exp.Expression | None = None
    for guard in dict.fromkeys(guards):  # expressions of one structure are equal
        finite = exp.LTE(this=exp.Abs(this=guard.copy()), expression=exp.Literal.number(_LARGEST))
        condition = finite if condition is None else exp.And(this=condition, expression=finite)
    if condition is None:
        return value.copy()
    return exp.Case(ifs=[exp.If(this=condition, true=value.copy())])


def _bracket(sql: exp.Expression) -> exp.Expression:
    plain = (exp.Column, exp.Literal, exp.Boolean, exp.Cast, exp.Case, exp.Func, exp.Paren)
    if isinstance(sql, plain) and not isinstance(sql, (exp.And, exp.Or)):
        return sql.copy()
    return exp.Paren(this=sql.copy())


def _column(name: str) -> exp.Expression:
    return exp.column(exp.to_identifier(name, quoted=True))


def _null(kind: Kind) -> exp.Expression:
    return exp.cast(exp.Null(), _SQL_TYPES[kind])


def _constant(node: Constant, kind: Kind) -> exp.Expression:
    value = node.value
    if value is None:
        return _null(kind)
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, str):
        return exp.Literal.string(value)
    if isinstance(value, date):
        return exp.cast(exp.Literal.string(value.isoformat()), "DATE")
    shown = repr(value)
    return exp.Literal.number(shown if "e" in shown else f"{shown}e0")


def finite_column(name: str) -> exp.Expression:
    """Return SQL for the number column `name` as a finite DOUBLE or NULL."""
    column = exp.cast(_column(name), "double")
    return _if_finite([column], column)
