"""DuckDB's SQL as Spark reads it, rewritten on sqlglot's tree.

sqlglot turns most of the one dialect into the other by itself. What stands here is what it passes
through although the two engines mean different things by it:

=============================  =====================================================================
DuckDB                         Spark
=============================  =====================================================================
``$name``                      a literal of the value's type
``arg_max(x, y)``              ``max_by`` takes a NULL x, DuckDB passes over it: a FILTER is added
``x / y``                      of decimals a decimal: x is cast to DOUBLE first
``row_number()``, ``rank()``   INT: cast to BIGINT
``date_diff('day', a, b)``     ``datediff(b, a)``, cast to BIGINT
``round(x, n)`` of a DOUBLE    rounds the shortest digits that x prints with, DuckDB x itself
``CAST(double AS DECIMAL)``    rounds the same digits, DuckDB the double ``x * 10^scale``
``HUGEINT``                    DECIMAL(38,0); what is cast to it as a sum is summed so, too
``* REPLACE``                  the columns by name
``unnest(range(n))``           ``explode(sequence(...))``, in a SELECT of its own
``(a, b) IN (SELECT (c, d))``  two columns below, not a row of two
``AS MATERIALIZED``            left out: Spark decides
=============================  =====================================================================

Left as they are, since no definition does so: dividing by zero (an error, in DuckDB infinity) and
casting a fraction to a whole number (cut off, in DuckDB rounded).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import sqlglot
from sqlglot import exp

# The columns of a table or view, by its name.
Columns = Callable[[str], Sequence[str]]


def parse(text: str) -> list[exp.Expr]:
    """Return the statements of `text`, DuckDB's SQL."""
    return [tree for tree in sqlglot.parse(text, read="duckdb") if tree is not None]


def parameters(tree: exp.Expr) -> set[str]:
    """Return the names of the parameters in `tree`."""
    return {str(node.this) for node in tree.find_all(exp.Placeholder)}


def bind(tree: exp.Expr, values: Mapping[str, Any]) -> exp.Expr:
    """Return `tree` with each parameter replaced by its value (KeyError if it has none)."""
    return tree.transform(
        lambda node: literal(values[node.this]) if isinstance(node, exp.Placeholder) else node
    )


def literal(value: Any) -> exp.Expr:
    """Return a value as a literal of its type.

    >>> [literal(value).sql("spark") for value in (True, 7, "O'Hara", None, date(2026, 6, 1))]
    ['TRUE', '7', "'O\\\\'Hara'", 'NULL', "CAST('2026-06-01' AS DATE)"]

    Raises
    ------
    TypeError
        For a value that has none here.
    """
    match value:
        case None | bool() | int() | str():
            return exp.convert(value)
        case float():
            return _double(str(value))
        case Decimal():
            return exp.cast(exp.Literal.string(str(value)), "DECIMAL(38, 18)")
        case date():
            return exp.cast(exp.Literal.string(value.isoformat()), "DATE")
    raise TypeError(f"no literal for {type(value).__name__}")


def to_spark(tree: exp.Expr, columns: Columns) -> str:
    """Return a query of DuckDB's as text for Spark."""
    tree = tree.copy()
    for select in list(tree.find_all(exp.Select)):
        _spell_out_replaced(select, columns)
        _explode_below(select)
    for node in reversed(list(tree.walk(bfs=False))):  # what stands below first
        rewrite = _REWRITES.get(type(node))
        if rewrite is not None:
            rewrite(node)
    return tree.sql(dialect="spark", identify=True, comments=False)


def _spell_out_replaced(select: exp.Select, columns: Columns) -> None:
    """Write `* REPLACE (...)` of one table as its columns by name."""
    items: list[exp.Expr] = []
    for item in select.expressions:
        replaced = {one.alias: one for one in item.args.get("replace") or []}
        if replaced:
            names = columns(select.args["from_"].this.name)
            items += [replaced.get(name) or exp.column(name, quoted=True) for name in names]
        else:
            items.append(item)
    select.set("expressions", items)


def _explode_below(select: exp.Select) -> None:
    """Put `unnest(range(n))` that stands inside of an expression into a SELECT below."""
    for item in select.expressions:
        for unnest in item.find_all(exp.Explode):
            if unnest.parent_select is select and unnest is not item.unalias():
                below = exp.select(exp.alias_(unnest.copy(), "unnested")).subquery("unnesting")
                unnest.replace(exp.column("unnested"))
                select.set("from_", exp.From(this=below))
                return


def _pass_over_null(node: exp.ArgMax | exp.ArgMin) -> None:
    known = node.this.copy().is_(exp.null()).not_()
    if isinstance(node.parent, exp.Filter):
        where = node.parent.expression
        where.set("this", exp.and_(where.this, known))
    else:
        node.replace(exp.Filter(this=node.copy(), expression=exp.Where(this=known)))


def _rank(node: exp.Window) -> None:
    if isinstance(node.this, exp.RowNumber | exp.Rank | exp.DenseRank):
        node.replace(exp.cast(node, "BIGINT"))


def _divide(node: exp.Div) -> None:
    if not _is_double(node.this):
        node.set("this", exp.cast(exp.paren(node.this), "DOUBLE"))


def _days(node: exp.DateDiff) -> None:
    unit = node.args["unit"].name
    if unit.upper() != "DAY":
        raise NotImplementedError(f"date_diff('{unit}')")
    days = exp.Anonymous(this="datediff", expressions=[node.this, node.expression])
    node.replace(exp.cast(days, "BIGINT"))


def _cast(node: exp.Cast) -> None:
    if node.to.is_type("int128"):
        node.set("to", exp.DataType.build("DECIMAL(38, 0)"))
        if isinstance(node.this, exp.Sum):
            # summing adds ten digits
            node.this.set("this", exp.cast(node.this.this, "DECIMAL(28, 0)"))
    elif node.to.is_type("decimal") and node.to.expressions and _is_double(node.this):
        precision, scale = (int(size.name) for size in node.to.expressions)
        times = exp.Mul(this=exp.paren(node.this), expression=_double(f"1e{scale}"))
        whole = exp.cast(exp.Round(this=times), f"DECIMAL({precision}, 0)")
        unit = exp.Literal.string(f"{Decimal(1).scaleb(-scale):f}")
        node.set(
            "this", exp.Mul(this=whole, expression=exp.cast(unit, f"DECIMAL({scale}, {scale})"))
        )


def _round(node: exp.Round) -> None:
    """Round a double by its exact value, ties away from zero.

    Only a whole multiple of 1 / 2^(n+1) can lie exactly between two decimals of n digits; there
    Spark's own rounding is right. Elsewhere Java's DecimalFormat is, which heeds the exact value
    (but for a half of the last digit alone, such as 5e-10 at nine digits, which it rounds to 0).
    """
    x, digits = node.this, node.args.get("decimals")
    if digits is None:
        return
    steps = exp.Mul(this=exp.paren(x), expression=_double(str(2 ** (int(digits.name) + 1))))
    fraction = exp.Mod(this=steps, expression=exp.Literal.number(1))
    written = exp.func("format_number", x, digits, dialect="spark")
    plain = exp.func("replace", written, exp.Literal.string(","), exp.Literal.string(""))
    node.replace(
        exp.case()
        .when(fraction.eq(exp.Literal.number(0)), node.copy())
        .else_(exp.cast(plain, "DOUBLE"))
    )


def _in_rows(node: exp.In) -> None:
    query = node.args.get("query")
    if isinstance(node.this, exp.Tuple) and query is not None:
        (item,) = query.unnest().expressions
        if isinstance(item, exp.Tuple):
            query.unnest().set("expressions", item.expressions)


def _let_spark_decide(node: exp.CTE) -> None:
    node.set("materialized", None)


def _double(text: str) -> exp.Expr:
    return exp.cast(exp.Literal.string(text), "DOUBLE")


def _is_double(node: exp.Expr) -> bool:
    """Whether DuckDB makes a DOUBLE of `node`, as far as the tree shows it."""
    match node:
        case exp.Div() | exp.Sqrt():
            return True
        case exp.Cast():
            return bool(node.to.is_type("double"))
        case exp.Paren() | exp.Neg():
            return _is_double(node.this)
        case exp.Add() | exp.Sub() | exp.Mul():
            return _is_double(node.this) or _is_double(node.expression)
    return False


_REWRITES: dict[type[exp.Expr], Callable[[Any], None]] = {
    exp.ArgMax: _pass_over_null,
    exp.ArgMin: _pass_over_null,
    exp.CTE: _let_spark_decide,
    exp.Cast: _cast,
    exp.DateDiff: _days,
    exp.Div: _divide,
    exp.In: _in_rows,
    exp.Round: _round,
    exp.Window: _rank,
}
