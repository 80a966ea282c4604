"""Read one cell: a date, a whole number, a number; exact rules, one text at a time."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Literal, NamedTuple

from earlywarn.words import can_be

DateOrder = Literal["ymd", "dmy", "mdy"]
SPACE = " \t\r\n\u3000\xa0\ufeff\u200b"
_MICRO = Decimal("0.000001")
_NUMBER_LIMIT = Decimal(1_000_000)  # DECIMAL(12,6)
_DATES = (
    re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?$"),
    re.compile(r"^(\d{4})/(\d{1,2})/(\d{1,2})(?: \d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?$"),
    re.compile(r"^(\d{4})年(\d{1,2})月(\d{1,2})日$"),
    re.compile(r"^(\d{4})(\d{2})(\d{2})$"),
)
_MONTHS = (re.compile(r"^(\d{4})(\d{2})$"), re.compile(r"^(\d{4})[-/年](\d{1,2})月?$"))
_YEAR_LAST = re.compile(r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})$")
_SERIAL = re.compile(r"^\d{5}(?:\.\d+)?$")  # 1927-05-18 to 2173-10-13


class Parsed(NamedTuple):
    """One text read: its value, or the code and detail of what is wrong with it."""

    value: Any
    code: str = ""
    detail: str = ""


def parse_date(
    text: str, *, epoch: date | None = None, months: bool = False, order: DateOrder = "ymd"
) -> Parsed:
    """Read a date in one of the accepted forms.

    Parameters
    ----------
    epoch
        For workbooks: the day before day 1, so that a bare serial number is a date too.
    months
        Whether 201909 means 2019-09-01.
    order
        dmy, mdy: what 03/04/2026 and 3.4.2026 mean; else they may be either and are no date.
    """
    for pattern in (*_DATES, *(_MONTHS if months else ())):
        parts = pattern.match(text)
        if parts is None:
            continue
        try:
            found = date(*(int(part) for part in (*parts.groups(), "1")[:3]))
        except ValueError:
            return Parsed(None, "bad_date")
        return Parsed(found) if can_be(found) else Parsed(None, "date_range")
    year_last = _YEAR_LAST.match(text)
    if year_last is not None:
        if order == "ymd":
            return Parsed(None, "date_order")
        first, second, year = map(int, year_last.groups())
        day, month = (first, second) if order == "dmy" else (second, first)
        return parse_date(f"{year}-{month}-{day}")
    if epoch is not None and _SERIAL.match(text):
        return Parsed(epoch + timedelta(days=int(float(text))))
    return Parsed(None, "bad_date")


def parse_integer(text: str) -> Parsed:
    """Read a whole number that is not negative; 3.0 is one."""
    number = parse_number(text)
    if number.code:
        return number if number.code != "bad_number" else Parsed(None, "bad_integer")
    if number.value != number.value.to_integral_value():
        return Parsed(None, "bad_integer")
    return Parsed(int(number.value))


def parse_number(text: str) -> Parsed:
    """Read a number that is not negative as DECIMAL(12,6), halves rounded away from zero."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return Parsed(None, "bad_number")
    if not value.is_finite() or "_" in text:
        return Parsed(None, "bad_number")
    if value.copy_abs() >= _NUMBER_LIMIT:
        return Parsed(None, "negative" if value < 0 else "number_range")
    value = value.quantize(_MICRO, ROUND_HALF_UP)
    if value < 0:
        return Parsed(None, "negative")
    if value >= _NUMBER_LIMIT:
        return Parsed(None, "number_range")
    return Parsed(abs(value))


def folded(text: str) -> str:
    """Full-width digits, letters and signs to plain ones; white space around cut off."""
    text = text.strip(SPACE)
    return text if text.isascii() else unicodedata.normalize("NFKC", text).strip(SPACE)
