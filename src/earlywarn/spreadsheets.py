"""What a spreadsheet would take for a formula, written so that it stays text."""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def defuse(value: str) -> str:
    """Return `value` so that no spreadsheet takes it for a formula: an apostrophe goes before."""
    return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) else value
