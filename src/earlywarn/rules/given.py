"""The values that a rule's test gives: text from YAML, read as the kind of the name."""

from __future__ import annotations

import math
from datetime import date

from earlywarn.conditions import Kind

_TRUE, _FALSE = ("yes", "true"), ("no", "false")


def convert(value: str | None, kind: Kind) -> bool | float | str | date | None:
    """Return `value` as `kind`; None stays None (ValueError if it is no such value)."""
    if value is None:
        return None
    if kind is Kind.BOOLEAN:
        if value.lower() not in (*_TRUE, *_FALSE):
            raise ValueError(value)
        return value.lower() in _TRUE
    if kind is Kind.NUMBER:
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(value)
        return number
    if kind is Kind.DATE:
        return date.fromisoformat(value)
    return value
