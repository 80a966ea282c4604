"""Tiers, ranks and lists as SQL trees: `scoring.rank` for engines that read a query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlglot import exp

from earlywarn.rules.pack import Rule
from earlywarn.scoring.scorecard_sql import column, double
from earlywarn.words import Tier
from earlywarn.workspace import Capacity, Tiers

# Digits after the point that DECIMAL(38) has room for beside a school's size of 10 digits. A share
# with more is below 1 in 10^9.
_PLACES = 25
# From so many digits on DuckDB multiplies DECIMALs without running over at 18.
_WIDE = 19


def level(
    score: exp.Expr,
    hits: Mapping[str, exp.Expr],
    rules: Sequence[Rule],
    tiers: Tiers,
    base_rate: float,
) -> exp.Expr:
    """Return the tier's level (0-3) for a stored score and the verdicts by rule id."""
    from_score = {Tier.HIGH: tiers.high * base_rate, Tier.WATCH: tiers.watch * base_rate}
    ifs = []
    for tier in (Tier.URGENT, Tier.HIGH, Tier.WATCH):
        reached: list[exp.Expr] = [hits[rule.id].copy() for rule in rules if rule.floor is tier]
        if tier in from_score:
            reached.append(exp.GTE(this=score.copy(), expression=double(from_score[tier])))
        if reached:
            ifs.append(exp.If(this=exp.or_(*reached), true=exp.Literal.number(tier.level)))
    return exp.Case(ifs=ifs, default=exp.Literal.number(Tier.ROUTINE.level))


def tier_name(found: exp.Expr) -> exp.Expr:
    """Return the word of a tier's level."""
    ifs = [
        exp.If(
            this=exp.EQ(this=found.copy(), expression=exp.Literal.number(tier.level)),
            true=exp.Literal.string(tier.value),
        )
        for tier in Tier
        if tier is not Tier.ROUTINE
    ]
    return exp.Case(ifs=ifs, default=exp.Literal.string(Tier.ROUTINE.value))


def rank_in_school(found: exp.Expr, score: exp.Expr) -> exp.Expr:
    """Return a child's place in the school: by level, then stored score, then student_id."""
    order = exp.Order(
        expressions=[
            exp.Ordered(this=found, desc=True, nulls_first=False),
            exp.Ordered(this=score, desc=True, nulls_first=False),
            exp.Ordered(this=column("student_id"), desc=False, nulls_first=True),
        ]
    )
    place = exp.Window(this=exp.RowNumber(), partition_by=[column("school_id")], order=order)
    return exp.cast(place, "INT")


def school_size() -> exp.Expr:
    """Return how many children the child's school has in the cohort."""
    return exp.Window(this=exp.Count(this=exp.Star()), partition_by=[column("school_id")])


def capacity(config: Capacity, size: exp.Expr, own: exp.Expr) -> exp.Expr:
    """Return how many children a school can follow up: `Capacity.of`, in DECIMAL as there."""
    share = Decimal(str(config.share))
    places = max(0, -int(share.as_tuple().exponent))
    if places > _PLACES:  # of such a share less than one child
        room: exp.Expr = exp.Literal.number(1)
    else:
        kind = f"DECIMAL({max(places + 1, _WIDE)}, {places})"
        factor = exp.cast(exp.Literal.string(f"{share:f}"), kind)
        children = exp.Mul(this=exp.cast(size, "DECIMAL(10, 0)"), expression=factor)
        room = exp.cast(exp.Ceil(this=children), "BIGINT")
    least = exp.Literal.number(config.least)
    return exp.Coalesce(
        this=exp.cast(own, "BIGINT"),
        expressions=[exp.Greatest(this=least, expressions=[room], ignore_nulls=True)],
    )


def listed(found: exp.Expr, rank: exp.Expr, room: exp.Expr) -> exp.Expr:
    """Return whether a child is on the school's list: urgent, or not routine and within `room`."""
    return exp.or_(
        exp.EQ(this=found.copy(), expression=exp.Literal.number(Tier.URGENT.level)),
        exp.and_(
            exp.GT(this=found.copy(), expression=exp.Literal.number(Tier.ROUTINE.level)),
            exp.LTE(this=rank, expression=room),
        ),
    )
