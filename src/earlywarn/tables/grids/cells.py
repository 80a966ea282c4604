"""A cell's value as text, the way a person would type it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

_EXACT = 10**15  # a workbook keeps 15 digits of a number


def number_text(value: float) -> str:
    """Write a stored number: whole ones plainly while exact, else as a spreadsheet would."""
    if abs(value) >= _EXACT:
        return f"{float(value):.14E}"
    if float(value).is_integer():
        return str(int(value))
    return repr(float(value))


def cell_text(value: Any) -> str:
    """Write a cell: text unchanged, dates as 2026-11-20, booleans as true and false."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return clock(value)
    return "" if value is None else str(value)


def clock(length: timedelta) -> str:
    """Write a length of time as a spreadsheet does, in hours: 26:30:00."""
    seconds = round(length.total_seconds())
    minutes, seconds = divmod(abs(seconds), 60)
    sign = "-" if length < timedelta() else ""
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
