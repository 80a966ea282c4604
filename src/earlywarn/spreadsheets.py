"""What a spreadsheet would take for a formula, written so that it stays text."""

from __future__ import annotations

from earlywarn.errors import Lang

# What a workbook is written in.
FONTS: dict[Lang, str] = {"zh": "微软雅黑", "en": "Calibri"}
# For XlsxWriter: a text stays one, whatever it looks like.
TEXT_STAYS = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def defuse(value: str) -> str:
    """Return `value` so that no spreadsheet takes it for a formula: an apostrophe goes before."""
    return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) else value
