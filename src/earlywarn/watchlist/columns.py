"""The columns of a school's workbook and what may stand in those that the school fills in.

Whoever writes the workbook and whoever reads it back agree on this file.
"""

from __future__ import annotations

from earlywarn.followup.answers import CHOICES, DATES, KEY_FORMAT, KEY_SHEET

__all__ = ["CHOICES", "COLUMNS", "DATES", "KEY_FORMAT", "KEY_SHEET"]

# Columns in order: key, width in characters, whether the school fills it in.
COLUMNS: tuple[tuple[str, float, bool], ...] = (
    ("rank", 4.5, False),
    ("tier", 8.5, False),
    ("student", 10.5, False),
    ("class", 7.5, False),
    ("reasons", 32, False),
    ("strip", 15, False),
    ("step", 29, False),
    ("due", 9.5, False),
    ("who", 10, False),
    ("contacted_on", 9.5, True),
    ("contacted_by", 7.5, True),
    ("visited_on", 9.5, True),
    ("where", 9, True),
    ("cause", 9.5, True),
    ("outcome", 9.5, True),
    ("next", 12, True),
)
