"""Numbers in the words of a finding."""

from __future__ import annotations


def many(number: int, one: str, more: str = "") -> str:
    """Return `1 child` or `1,200 children`, for English sentences."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def children(number: int) -> str:
    """Return `1 child` or `1,200 children`."""
    return many(number, "child", "children")


def percent(share: float) -> str:
    """Return a share as a whole percentage; 0% and 100% only where it is just that."""
    if 0 < share < 0.01:
        return "<1%"
    if 0.99 < share < 1:
        return ">99%"
    return f"{share:.0%}"
