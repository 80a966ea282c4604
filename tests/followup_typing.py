"""A watchlist workbook being filled in, and the styles in which people type into its cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from openpyxl import load_workbook
from openpyxl.cell import Cell
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet.worksheet import Worksheet

from earlywarn.errors import Lang
from earlywarn.followup.answers import CHOICES, DATES, FIELDS
from earlywarn.watchlist.columns import KEY_SHEET
from earlywarn.watchlist.wording import word

NAMES = [
    "李老师",
    "<b>周</b>",
    "=1+1",
    "O'Neil",
    "阿依古丽·买买提",
    "欧阳" * 20,
    "@赵",
    "-3",
    "1e5",
]
NOTES = [
    "下周再去一次",
    "等村里回话\n电话没人接",
    "=SUM(A1:A9)",
    "  家长在广东  ",
    "0",
    "<i>ok</i>",
]


class Typed(NamedTuple):
    """Something typed: by which child's row ("" if nobody's), field, `SHEET!CELL`, as text."""

    student: str
    field: str
    cell: str
    typed: str


class Formula(str):
    """A text that is put into a cell as what a person types: formula, error or plain."""


class Filled:
    """A workbook being filled in."""

    def __init__(self, path: Path, seed: int) -> None:
        self.path, self.random = path, Random(seed)
        self.book = load_workbook(path)
        key = {
            row[0]: row[1] for row in self.book[KEY_SHEET].iter_rows(max_col=2, values_only=True)
        }
        self.lang: Lang = "zh" if key["lang"] == "zh" else "en"
        self.as_of = date.fromisoformat(key["as_of"])
        self.students = {left: right for left, right in key.items() if isinstance(left, int)}
        self.sheet: Worksheet = self.book.worksheets[0]
        self.typed: list[Typed] = []

    def save(self) -> list[Typed]:
        self.book.save(self.path)
        return self.typed

    @property
    def heading(self) -> int:
        words = set(both("rank"))
        return next(c.row for row in self.sheet.iter_rows() for c in row if c.value in words)

    def column(self, key: str) -> int:
        cells = self.sheet[self.heading]
        return next(c.column for c in cells if c.value in both(key))

    def rows(self) -> list[int]:
        """The rows of the list's children."""
        rank = self.column("rank")
        below = range(self.heading + 1, self.sheet.max_row + 1)
        return [row for row in below if isinstance(self.sheet.cell(row, rank).value, int)]

    def student(self, row: int) -> str:
        return self.students[self.sheet.cell(row, self.column("rank")).value]

    def put(self, row: int, column: int, value: Any, student: str = "", field: str = "") -> None:
        """Type `value` into a cell and note it."""
        cell = self.sheet.cell(row, column)
        if isinstance(value, float | int) and not isinstance(value, bool):
            cell.number_format = "General"
        cell.value = value
        if isinstance(value, str) and not isinstance(value, Formula):
            cell.data_type = "s"  # as text, whatever it begins with
        self.note(cell, student, field, shown(value))

    def note(self, cell: Cell, student: str, field: str, text: str) -> None:
        place = f"{self.sheet.title}!{cell.coordinate}"
        self.typed.append(Typed(student, field, place, text))

    def fill(self, style: Style, rows: Iterable[int] | None = None, nobody: bool = False) -> None:
        """Fill in about two thirds of the cells, at least one."""
        places = [(row, field) for row in rows or self.rows() for field in FIELDS]
        some = [place for place in places if self.random.random() < 0.65] or places[:1]
        for row, field in some:
            student = "" if nobody else self.student(row)
            self.put(row, self.column(field), style(self, field), student, field)


Style = Callable[[Filled, str], Any]


def both(key: str) -> tuple[str, str]:
    return word(key, "zh"), word(key, "en")


def shown(value: Any) -> str:
    """Return how a cell's value reads as text."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, date):
        return value.strftime("%Y-%m-%d")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _day(filled: Filled) -> date:
    return filled.as_of + timedelta(days=filled.random.randint(-30, 40))


def neat(filled: Filled, field: str) -> Any:
    """As the workbook asks for it."""
    if field in DATES:
        return datetime.combine(_day(filled), datetime.min.time())
    if field in CHOICES:
        return filled.random.choice(list(CHOICES[field].values()))(filled.lang)
    return filled.random.choice(NAMES if field == "contacted_by" else NOTES)


def by_hand(filled: Filled, field: str) -> Any:
    """Dates as people write them."""
    if field not in DATES:
        return neat(filled, field)
    day = _day(filled)
    y, m, d = day.year, day.month, day.day
    forms = [f"{day}", f"{day:%Y%m%d}", f"{y}/{m}/{d}", f"{y}.{m}.{d}", f"{y}年{m}月{d}日"]
    forms += [f"{m}月{d}日", f"{m}/{d}", f"{m}-{d}", f" {y} 年 {m} 月 {d} 日 ", f"{m}月{d}号"]
    form = filled.random.choice(forms)
    return full_width(form) if filled.random.random() < 0.3 else form


def loosely(filled: Filled, field: str) -> Any:
    """Choices as codes, in the other language, with spaces, in full width."""
    if field not in CHOICES:
        return neat(filled, field)
    code, text = filled.random.choice(list(CHOICES[field].items()))
    forms = [code, code.upper(), text.zh, text.en, f"  {text.en} ", full_width(text.en)]
    return filled.random.choice([*forms, " ".join(text.zh), f"{text.zh}\u3000"])


def vague(filled: Filled, field: str) -> Any:
    """What no program should guess at."""
    if field in DATES:
        far = ["2024-11-20", "2028/1/1", "2026-02-30", "13/45", "26.11.20", "2026-11"]
        return filled.random.choice(["上周三", "昨天", "last week", "？", "没去", *far])
    if field in CHOICES:
        return filled.random.choice(["不知道", "在家或在外地", "see above", "在家、在校"])
    return "很长" * 1001 if filled.random.random() < 0.3 else neat(filled, field)


def broken(filled: Filled, field: str) -> Any:
    """Formulas, errors, true and false."""
    forms = [
        Formula("=TODAY()"),
        Formula('=A1&"x"'),
        Formula("#N/A"),
        Formula("#REF!"),
        True,
        False,
    ]
    return filled.random.choice(forms)


def numbers(filled: Filled, field: str) -> Any:
    """Numbers where words or dates are asked for."""
    if field in DATES:
        day = _day(filled)
        return filled.random.choice([int(f"{day:%Y%m%d}"), int(to_excel(day)), 11.2, 7, -1, 1e12])
    return filled.random.choice([13912345678, 3.0, 2.5, 0])


def full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
