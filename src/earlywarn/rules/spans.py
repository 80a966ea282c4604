"""Arithmetic over spans: what a number can be when only its smallest and largest value are known.

A span covers every finite number between its ends (infinite ends: no limit), and says whether the
number may be unknown. Rounding never falls as its operands rise, so that the ends reckoned with in
DOUBLE hold for every value between them. What is not finite is unknown, as in a compiled condition.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from earlywarn.conditions.nodes import ArithmeticOp, CompareOp

Truth = bool | None


@dataclass(frozen=True)
class Span:
    """Every finite number from `low` to `high`; none if low > high. `missing`: may be unknown."""

    low: float
    high: float
    missing: bool = False

    @classmethod
    def of(cls, value: float | None) -> Span:
        """Return the span of one value; None is the span of "unknown" alone."""
        return NOTHING if value is None else cls(value, value)

    @property
    def empty(self) -> bool:
        """Whether there is no number in it: the value is unknown."""
        return self.low > self.high


NOTHING = Span(math.inf, -math.inf, missing=True)
EVERYTHING = Span(-math.inf, math.inf, missing=True)


def negative(a: Span) -> Span:
    """Return the span of -a."""
    return a if a.empty else Span(-a.high, -a.low, a.missing)


def absolute(a: Span) -> Span:
    """Return the span of abs(a)."""
    if a.empty:
        return NOTHING
    ends = (abs(a.low), abs(a.high))
    return Span(0.0 if a.low <= 0 <= a.high else min(ends), max(ends), a.missing)


def pick(function: Literal["least", "greatest"], spans: Iterable[Span]) -> Span:
    """Return the span of least(...) or greatest(...)."""
    found = list(spans)
    if any(a.empty for a in found):
        return NOTHING
    choose = min if function == "least" else max
    low, high = choose(a.low for a in found), choose(a.high for a in found)
    return Span(low, high, any(a.missing for a in found))


def first_known(spans: Iterable[Span]) -> Span:
    """Return the span of coalesce(...)."""
    low, high, missing = math.inf, -math.inf, True
    for a in spans:
        if not a.empty:
            low, high = min(low, a.low), max(high, a.high)
        if not a.missing:
            missing = False
            break
    return Span(low, high, missing)


def reckon(op: ArithmeticOp, a: Span, b: Span) -> Span:
    """Return the span of a op b."""
    if a.empty or b.empty:
        return NOTHING
    missing = a.missing or b.missing
    if a.low == a.high and b.low == b.high:  # two numbers: what comes out is known, or unknown
        return _with_missing(_one(op, a.low, b.low), missing)
    if op == "+":
        return _finite([a.low + b.low, a.high + b.high], missing)
    if op == "-":
        return _finite([a.low - b.high, a.high - b.low], missing)
    if op == "*":
        return _finite([x * y for x in (a.low, a.high) for y in (b.low, b.high)], missing)
    if b.low == b.high == 0:
        return NOTHING
    if b.low <= 0 <= b.high:
        return EVERYTHING
    try:
        return _finite([x / y for x in (a.low, a.high) for y in (b.low, b.high)], missing)
    except OverflowError:
        return EVERYTHING


def _one(op: ArithmeticOp, x: float, y: float) -> Span:
    try:
        if op == "/":
            result = x / y if y else math.nan
        else:
            result = {"+": x + y, "-": x - y, "*": x * y}[op]
    except OverflowError:
        return NOTHING
    return Span.of(result) if math.isfinite(result) else NOTHING


def _with_missing(a: Span, missing: bool) -> Span:
    return a if a.missing or not missing else Span(a.low, a.high, missing=True)


def _finite(ends: list[float], missing: bool) -> Span:
    if any(math.isnan(end) for end in ends):  # 0 * no limit, no limit - no limit
        return EVERYTHING
    low, high = min(ends), max(ends)
    if low == math.inf or high == -math.inf:  # beyond what DOUBLE holds, whatever the values
        return EVERYTHING
    # An infinite end is either no limit or an overflow: a value on the way there may be unknown.
    return Span(low, high, missing or math.isinf(low) or math.isinf(high))


def compare(op: CompareOp, a: Span, b: Span) -> frozenset[Truth]:
    """Return every verdict that a op b may have."""
    found: set[Truth] = {None} if a.missing or b.missing or a.empty or b.empty else set()
    if not (a.empty or b.empty):
        found |= _known(op, a, b)
    return frozenset(found)


def _known(op: CompareOp, a: Span, b: Span) -> set[Truth]:
    if op in (">", ">="):
        return _known("<" if op == ">" else "<=", b, a)
    if op == "<":
        yes, no = a.low < b.high, a.high >= b.low
    elif op == "<=":
        yes, no = a.low <= b.high, a.high > b.low
    else:
        meet = a.low <= b.high and b.low <= a.high
        apart = not (a.low == a.high == b.low == b.high)
        yes, no = (meet, apart) if op == "=" else (apart, meet)
    return {truth for truth, possible in ((True, yes), (False, no)) if possible}
