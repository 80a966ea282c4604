"""The scorecard's arithmetic as SQL trees that every engine works out to the same bits.

Only IEEE additions, products, quotients and comparisons of DOUBLEs, in the order in which
`models.scorecard.apply` does them, and `exp`, whose last bit is the engine's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from earlywarn.models.scorecard import FeatureTable, Weights

# Additions in one expression. DuckDB refuses expressions nested deeper than 1,000.
_ADDITIONS = 200
_WHOLE = float(2**52)  # a DOUBLE this large has no digits after the point


def column(name: str) -> exp.Expr:
    """Return the column `name`, quoted."""
    return exp.column(name, quoted=True)


def double(value: float) -> exp.Expr:
    """Return a finite number as a literal that engines read as that very DOUBLE."""
    shown = repr(abs(value))
    literal = exp.Literal.number(shown if "e" in shown else f"{shown}e0")
    return exp.Neg(this=literal) if value < 0 else literal


def step(x: exp.Expr, table: FeatureTable, times: float) -> exp.Expr:
    """Return `times` f_j(x): a tree of CASEs as deep as the logarithm of the thresholds.

    `x` is a DOUBLE. Where it is NULL or NaN every comparison takes the ELSE, to the last one,
    which only what is missing fails (NaN is above infinity in DuckDB and Spark).
    """
    bounds = [*map(double, table.thresholds), exp.cast(exp.Literal.string("Infinity"), "DOUBLE")]
    values = [double(times * value) for value in (*table.values, table.missing)]
    return _bisect(x, bounds, values)


def _bisect(x: exp.Expr, bounds: list[exp.Expr], values: list[exp.Expr]) -> exp.Expr:
    if not bounds:
        return values[0]
    middle = (len(bounds) - 1) // 2
    below = exp.LTE(this=x.copy(), expression=bounds[middle])
    return exp.Case(
        ifs=[exp.If(this=below, true=_bisect(x, bounds[:middle], values[: middle + 1]))],
        default=_bisect(x, bounds[middle + 1 :], values[middle + 1 :]),
    )


def counted_weights(weights: Weights, hits: Mapping[str, exp.Expr]) -> dict[str, exp.Expr]:
    """Return what each rule adds, by id: its weight where it hits and is not silenced, else 0.

    `hits` are the verdicts (TRUE, FALSE, NULL). On a ladder a hit is silenced by any of a higher
    weight, or of the same weight and a lower id.
    """
    order = sorted(
        range(len(weights.ids)), key=lambda place: (-weights.values[place], weights.ids[place])
    )
    above: dict[str, list[exp.Expr]] = {}
    terms: dict[str, exp.Expr] = {}
    for place in order:
        rule_id, ladder = weights.ids[place], weights.ladders[place]
        hit, heavier = hits[rule_id], above.get(ladder, []) if ladder is not None else []
        ifs = [exp.If(this=hit.copy(), true=double(float(weights.values[place])))]
        if heavier:
            ifs.insert(0, exp.If(this=exp.or_(*heavier), true=double(0.0)))
        terms[rule_id] = exp.Case(ifs=ifs, default=double(0.0))
        if ladder is not None:
            above[ladder] = [*heavier, hit]
    return {rule_id: terms[rule_id] for rule_id in weights.ids}


def with_sum(source: exp.Select, first: exp.Expr, terms: Sequence[str], name: str) -> exp.Select:
    """Add to `source` the column `name`: `first` and the columns `terms`, from left to right."""
    total, query = first, source
    for begin in range(0, len(terms), _ADDITIONS):
        for term in terms[begin : begin + _ADDITIONS]:
            total = exp.Add(this=total, expression=column(term))
        query = with_columns(query, {f"{name}:{begin}": total})
        total = column(f"{name}:{begin}")
    return with_columns(query, {name: total})


def sigmoid(log_odds: exp.Expr) -> exp.Expr:
    """Return 1 / (1 + exp(-log_odds)) without overflow."""
    small = exp.Exp(this=exp.Neg(this=exp.Abs(this=log_odds)))
    at_least_even = exp.GTE(this=log_odds.copy(), expression=double(0.0))
    above = exp.Case(ifs=[exp.If(this=at_least_even, true=double(1.0))], default=small)
    return exp.Div(
        this=above,
        expression=exp.paren(exp.Add(this=double(1.0), expression=small.copy()), copy=False),
    )


def whole(x: exp.Expr) -> exp.Expr:
    """Return the DOUBLE `x` rounded to a whole number, halves to the even one, as numpy does.

    Adding 2^52 leaves no digits after the point. The engines' own `round` takes halves away from 0.
    """
    large = double(_WHOLE)
    up = exp.Sub(
        this=exp.paren(exp.Add(this=x.copy(), expression=large.copy())), expression=large.copy()
    )
    down = exp.Add(
        this=exp.paren(exp.Sub(this=x.copy(), expression=large.copy())), expression=large.copy()
    )
    return exp.Case(
        ifs=[
            exp.If(this=exp.GTE(this=exp.Abs(this=x.copy()), expression=large), true=x.copy()),
            exp.If(this=exp.GTE(this=x.copy(), expression=double(0.0)), true=up),
        ],
        default=down,
    )


def with_columns(source: exp.Select, columns: Mapping[str, exp.Expr]) -> exp.Select:
    """Return `source` with `columns` added behind its own."""
    return layer(source, [exp.Star(), *(named(value, name) for name, value in columns.items())])


def named(value: exp.Expr, name: str) -> exp.Expr:
    """Return `value` AS `name`, quoted."""
    return exp.alias_(value, name, quoted=True, copy=False)


def layer(source: exp.Select, columns: Sequence[exp.Expr]) -> exp.Select:
    """Return a query of `columns` over `source` as a subquery."""
    below = source.subquery("below", copy=False)
    return exp.select(*columns, copy=False).from_(below, copy=False)
