"""What the two workbooks share: formats, headings, texts that stay texts, paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import xlsxwriter

from earlywarn.errors import Lang
from earlywarn.spreadsheets import FONTS, TEXT_STAYS, defuse
from earlywarn.words import CODE_LABELS

_INK, _LINE, _HEAD, _FILL = "#1C2024", "#AEB6BF", "#E9EDF1", "#F3F8FC"
LINE = 13.5  # points


class Book:
    """An XLSX being written; the same contents give the same bytes."""

    def __init__(self, target: Any, title: str, as_of: date, lang: Lang) -> None:
        self.lang, self.title, self.as_of = lang, title, as_of
        self.book = xlsxwriter.Workbook(target, TEXT_STAYS)
        # The clock must not enter: the workbook was made on the day that it speaks of.
        created = datetime(as_of.year, as_of.month, as_of.day)
        self.book.set_properties({"title": title, "author": "earlywarn", "created": created})
        self.widths: list[float] = []
        cell = {"border": 1, "border_color": _LINE}
        self.cell = self.format(cell)
        self.bold = self.format(cell | {"bold": True})
        self.number = self.format(cell | {"num_format": "#,##0", "text_wrap": False})
        self.sum = self.format(cell | {"num_format": "#,##0", "bold": True, "text_wrap": False})
        self.head = self.format(cell | {"bold": True, "bg_color": _HEAD, "valign": "vcenter"})
        self.head_fill = self.format(
            cell | {"bold": True, "bg_color": "#D6E6F2", "valign": "vcenter"}
        )
        self.fill = self.format(cell | {"bg_color": _FILL, "locked": False})
        self.big = self.format({"bold": True, "font_size": 15, "text_wrap": False})
        self.line = self.format({"text_wrap": False})
        self.note = self.format({"bold": True, "text_wrap": False})

    def format(self, properties: Mapping[str, Any]) -> Any:
        """Return a format of the book's font."""
        base = {
            "font_name": FONTS[self.lang],
            "font_size": 10,
            "font_color": _INK,
            "valign": "top",
            "text_wrap": True,
        }
        return self.book.add_format(base | dict(properties))

    def sheet(self, name: str, *, landscape: bool = True) -> Any:
        """Add a sheet that is printed on A4, fitted to the width, with its name below."""
        sheet = self.book.add_worksheet(name)
        sheet.hide_gridlines(2)
        if landscape:
            sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.45, bottom=0.55)
        sheet.set_footer(f"&L&8{self.title}  {name}  {self.as_of}&R&8&P / &N")
        sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        return sheet

    def headings(self, sheet: Any, row: int, texts: Sequence[tuple[str, float]]) -> None:
        """Write a heading that stays in sight and stands on every page."""
        self.widths = [width for _, width in texts]
        for column, (text, width) in enumerate(texts):
            sheet.set_column(column, column, width)
            sheet.write_string(row, column, text, self.head)
        sheet.set_row(row, 30)
        sheet.repeat_rows(row)

    def cells(self, sheet: Any, row: int, values: Sequence[Any]) -> None:
        """Write a row: numbers as numbers, everything else as text that is no formula.

        It is as high as its longest text in the columns of the last `headings`.
        """
        lines = 1
        for column, value in enumerate(values):
            if isinstance(value, int):
                sheet.write_number(row, column, value, self.number)
            else:
                text = self.text(value)
                sheet.write_string(row, column, text, self.cell)
                lines = max(lines, lines_of(text, self.widths[column]) if self.widths else 1)
        if lines > 1:
            sheet.set_row(row, lines * LINE + 3)

    def text(self, value: Any) -> str:
        """Return a value as a cell shows it."""
        return defuse("" if value is None else str(value))

    def close(self) -> None:
        """Finish the file."""
        self.book.close()


def lines_of(text: str, width: float) -> int:
    """Return how many lines `text` takes in a column `width` characters wide (Chinese: two)."""
    return sum(
        max(1, -int(-1.06 * len(line.encode("gbk", "replace")) // (width - 0.5)))
        for line in text.split("\n")
    )


def sex(code: str | None, lang: Lang) -> str:
    """Return the sex in words, empty where it is not known."""
    return CODE_LABELS["sex"][code](lang) if code else ""
