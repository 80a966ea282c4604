"""One cell of a filled workbook: the text that was typed, and the answer that it gives."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import from_excel
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

from earlywarn.errors import Text
from earlywarn.followup.answers import CHOICES, DATES
from earlywarn.followup.returned.choices import code_of
from earlywarn.followup.returned.headings import HEADINGS, squeezed

LONGEST = 2000  # characters of a text
# What happened with a child on a list lies in these days around the list.
DAYS_BEFORE, DAYS_AFTER = 120, 366

_FULL = re.compile(
    r"([0-9]{4})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})[日号]?)"
)
_DIGITS = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_NO_YEAR = re.compile(r"(?:([0-9]{1,2})[-/]([0-9]{1,2})|([0-9]{1,2})月([0-9]{1,2})[日号]?)")


@dataclass(frozen=True, slots=True)
class Cell:
    """A filled cell: row and column from 1, openpyxl's value and type (`f`, `e`, `b`, ...)."""

    row: int
    column: int
    value: Any
    kind: str
    epoch: datetime

    @property
    def name(self) -> str:
        """The cell as people name it, such as `K7`."""
        return f"{get_column_letter(self.column)}{self.row}"

    @property
    def text(self) -> str:
        """What was typed, as text: dates in ISO form, whole numbers without `.0`."""
        match self.value:
            case bool():
                return "TRUE" if self.value else "FALSE"
            case float() if self.value.is_integer():
                return str(int(self.value))
            case datetime():
                day, clock = self.value.date(), self.value.time()
                return day.isoformat() if clock == time() else self.value.isoformat(" ")
            case ArrayFormula():
                return str(self.value.text)
            case DataTableFormula():
                return f"=TABLE({self.value.ref})"
            case _:
                return str(self.value).replace("_x000D_", "")


def read_answer(field: str, cell: Cell, as_of: date) -> str | Text:
    """Return the answer that a cell gives (see `Answer.value`), or why it gives none."""
    if cell.kind == "f":
        return Text(
            "这一格是公式，读不出可靠的结果。请改成直接填写的内容。",
            "This cell holds a formula, whose result cannot be relied on. Type the answer itself.",
        )
    if cell.kind == "e":
        return Text(
            "这一格是错误值。请清空后重新填写。",
            "This cell holds an error value. Clear it and type the answer again.",
        )
    if isinstance(cell.value, bool):
        return Text(
            "这一格是“真/假”值，看不出回答了什么。请用文字填写。",
            "This cell holds true or false, which answers nothing. Type the answer in words.",
        )
    return _READERS.get(field, _text)(field, cell, as_of)


def _text(field: str, cell: Cell, as_of: date) -> str | Text:
    text = cell.text.strip()
    if len(text) > LONGEST:
        return Text(
            f"文字有 {len(text)} 个字，最多 {LONGEST} 个。请缩短，全文可另存。",
            f"The text has {len(text)} characters, at most {LONGEST} are taken. Shorten it and "
            "keep the full text elsewhere.",
        )
    return text


def _choice(field: str, cell: Cell, as_of: date) -> str | Text:
    code = code_of(field, cell.text)
    if code:
        return code
    choices = CHOICES[field].values()
    return Text(
        f"“{HEADINGS[field].zh}”里没有这一项。可以填：{'、'.join(text.zh for text in choices)}。",
        f"Not a choice of “{HEADINGS[field].en}”. Allowed: {', '.join(t.en for t in choices)}.",
    )


def _date(field: str, cell: Cell, as_of: date) -> str | Text:
    found = _day(cell, as_of)
    if found is None:
        return Text(
            "看不出是哪一天。请写成 2026-11-20 这样的日期。",
            "This is no date that can be read. Write it like 2026-11-20.",
        )
    first, last = as_of - timedelta(days=DAYS_BEFORE), as_of + timedelta(days=DAYS_AFTER)
    if first <= found <= last:
        return found.isoformat()
    return Text(
        f"{found} 离名单日期 {as_of} 太远，应在 {first} 至 {last} 之间。请核对年份。",
        f"{found} is too far from the list's date {as_of}; it must lie between {first} and "
        f"{last}. Check the year.",
    )


def _day(cell: Cell, as_of: date) -> date | None:
    match cell.value:
        case datetime():
            return cell.value.date()
        case date():
            return cell.value
        case int() | float():
            return _of_number(cell, as_of)
        case str():
            return _of_text(squeezed(cell.value), as_of)
        case _:
            return None


def _of_number(cell: Cell, as_of: date) -> date | None:
    """Read a number in a date's cell: 20261120, or a date that lost its format."""
    digits = _DIGITS.fullmatch(cell.text)
    if digits:
        return _valid(*map(int, digits.groups()))
    # Five digits (and a time of day behind them) are the days since the workbook's epoch, if that
    # gives a day near the list.
    if not 10_000 <= cell.value < 100_000:
        return None
    day: datetime = from_excel(cell.value, cell.epoch)
    return day.date() if abs(day.date() - as_of) <= timedelta(days=DAYS_AFTER) else None


def _of_text(text: str, as_of: date) -> date | None:
    full = _FULL.fullmatch(text)
    if full:
        year, _, month, day, month_zh, day_zh = full.groups()
        return _valid(int(year), int(month or month_zh), int(day or day_zh))
    digits = _DIGITS.fullmatch(text)
    if digits:
        return _valid(*map(int, digits.groups()))
    short = _NO_YEAR.fullmatch(text)
    if not short:
        return None
    month, day, month_zh, day_zh = short.groups()
    years = (as_of.year - 1, as_of.year, as_of.year + 1)
    days = [_valid(year, int(month or month_zh), int(day or day_zh)) for year in years]
    return min((d for d in days if d), key=lambda d: abs(d - as_of), default=None)


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


_READERS: dict[str, Callable[[str, Cell, date], str | Text]] = {
    **dict.fromkeys(DATES, _date),
    **dict.fromkeys(CHOICES, _choice),
}
