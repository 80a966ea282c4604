"""The workbook in which the rows of a quarantine are mended.

A sheet for each sheet of the file, the file's columns at their places; to the right of them where a
row stood, by which it is known again, and why it was not accepted. Every cell is text. A very
hidden sheet says of which load it is. The same rows give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import xlsxwriter

from earlywarn.errors import Lang, Text
from earlywarn.spreadsheets import FONTS, TEXT_STAYS
from earlywarn.tables.quarantine.cells import shown
from earlywarn.tables.quarantine.master import About, Kept, Problem, SheetAbout
from earlywarn.tables.reasons import of_sign, reason

KEY_SHEET = "_earlywarn_quarantine"
WHERE = Text("原位置（勿改）", "where (leave as it is)")
REASON = Text("原因", "reason")
MOST_ROWS = 20_000
_COMMENTED = 2_000  # rows; a workbook with more comments opens slowly
_WIDEST, _NARROWEST = 24, 4  # columns, in characters
_WIDEST_PLACE = 48
_REASON_WIDTH = 70
_LINE = 14.5  # points
_MEASURED = 200  # rows by which a column's width is found
_LONG_NAME = 31
_SHEET = Text("待改正", "to mend")
_NUMBER = Text(
    "找不到人或有同名时，在这里填学籍号。填了学籍号就以它为准。",
    "Where a child is not found, or two have one name, write the registry number here. "
    "It then decides.",
)


def write_workbook(
    path: Path,
    about: About,
    rows: Iterable[Kept],
    *,
    name: str,
    left: int,
    when: str,
    lang: Lang,
) -> None:
    """Write the workbook of some rows, frame rows among them, in the order of the file.

    `name`: what the workbook will be called; `left`: how many more rows there are than it shows;
    `when`: when the batch was loaded.
    """
    book = xlsxwriter.Workbook(str(path), TEXT_STAYS)
    moment = datetime.fromisoformat(when).replace(tzinfo=None)
    book.set_properties({"title": about.file, "author": "earlywarn", "created": moment})
    writer = _Writer(book, about, lang, left, name)
    names: set[str] = set()
    by_sheet = {sheet.name: sheet for sheet in about.sheets}
    for sheet, group in groupby(rows, key=lambda row: row.sheet):
        writer.sheet(by_sheet[sheet], _sheet_name(sheet or _SHEET(lang), names), list(group))
    writer.key()
    book.close()


def _sheet_name(name: str, taken: set[str]) -> str:
    """Return a name that Excel allows and no other sheet has."""
    plain = re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", name).strip(" '") or "sheet"
    plain, number = plain[:_LONG_NAME], 1
    while plain.casefold() in taken:
        number += 1
        plain = f"{plain[: _LONG_NAME - 4]} {number}"
    taken.add(plain.casefold())
    return plain


def _signs(text: str) -> int:
    """Return how wide a text is; a Chinese character takes the place of two letters."""
    return sum(1 + (ord(sign) > 0x2E80) for sign in text)


class _Writer:
    """Writes the sheets of one workbook."""

    def __init__(self, book: Any, about: About, lang: Lang, left: int, name: str) -> None:
        self.book, self.about, self.lang, self.left, self.name = book, about, lang, left, name
        self.commented = 0
        base = {"font_name": FONTS[lang], "font_size": 10, "num_format": "@", "valign": "top"}
        line = {"border": 1, "border_color": "#C8CED5"}
        self.plain = book.add_format(base | line)
        self.bad = book.add_format(base | line | {"bg_color": "#F6B26B", "bold": True})
        self.number = book.add_format(base | line | {"bg_color": "#FFF2CC"})
        self.frame = book.add_format(base | line | {"bold": True, "bg_color": "#E9EDF1"})
        self.grey = book.add_format(base | line | {"bg_color": "#F3F4F6", "font_color": "#59636E"})
        self.why = book.add_format(
            base | line | {"bg_color": "#F3F4F6", "font_color": "#A3161F", "text_wrap": True}
        )
        self.say = book.add_format(base | {"bold": True, "font_color": "#1F4E79"})

    def sheet(self, about: SheetAbout, name: str, rows: Sequence[Kept]) -> None:
        """Write one sheet: what to do, then the rows."""
        sheet = self.book.add_worksheet(name)
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        top = self._guide(sheet)
        self._widths(sheet, about, rows)
        heading = top
        for at, row in enumerate(rows, top):
            if row.is_frame:
                self._frame(sheet, about, at, row)
                heading = at if row.row == about.heading else heading
            else:
                self._row(sheet, about, at, row)
        names = [column for column in about.who if column != about.number_column]
        sheet.freeze_panes(heading + 1, max(names) if names and max(names) <= 4 else 0)

    def _guide(self, sheet: Any) -> int:
        table, file = self.about.table, self.name
        lines = [
            Text(
                "请改正橙色单元格（鼠标指向红角可看原因和改法），保存，然后再运行："
                f"earlywarn ingest {table} {file}",
                "Correct the orange cells (point at the red corner to see what is wrong), save, "
                f"then run: earlywarn ingest {table} {file}",
            ),
            Text(
                f"来自 {self.about.file}，批次 {self.about.batch}。灰色各列不要改；行可以排序；"
                "删去的行仍留在隔离区。某行其实没有错的，清空它的“原因”即可。",
                f"From {self.about.file}, batch {self.about.batch}. Leave the grey columns; rows "
                "may be sorted; a row deleted here stays in quarantine. Where a row is right as it "
                "stands, empty its reason.",
            ),
        ]
        if self.left:
            lines.append(
                Text(
                    f"另有 {self.left:,} 行未在此列出：改正并导入这些行之后会列出。",
                    f"{self.left:,} more rows are not shown: they are once these are mended.",
                )
            )
        for at, line in enumerate(lines):
            sheet.write_string(at, 0, line(self.lang), self.say)
        return len(lines)

    def _widths(self, sheet: Any, about: SheetAbout, rows: Sequence[Kept]) -> None:
        measured = [row for row in rows if row.row == about.heading or not row.is_frame]
        for column in range(about.width):
            longest = max(
                (
                    _signs(row.cells[column][:_WIDEST])
                    for row in measured[:_MEASURED]
                    if column < len(row.cells)
                ),
                default=0,
            )
            sheet.set_column(column, column, min(max(longest + 1, _NARROWEST), _WIDEST))
        if about.number_column:
            sheet.set_column(about.number_column - 1, about.number_column - 1, 21)
        longest = max((_signs(row.place) for row in rows[:_MEASURED]), default=0)
        sheet.set_column(about.width, about.width, min(max(longest + 1, 14), _WIDEST_PLACE))
        sheet.set_column(about.width + 1, about.width + 1, _REASON_WIDTH)

    def _frame(self, sheet: Any, about: SheetAbout, at: int, row: Kept) -> None:
        for column, text in enumerate(row.cells):
            sheet.write_string(at, column, shown(text), self.frame)
        for column in range(len(row.cells), about.width):
            sheet.write_blank(at, column, None, self.frame)
        is_heading = row.row == about.heading
        place = WHERE(self.lang) if is_heading else row.place
        sheet.write_string(at, about.width, place, self.frame if is_heading else self.grey)
        if is_heading:
            sheet.write_string(at, about.width + 1, REASON(self.lang), self.frame)
            if about.number_column:
                sheet.write_comment(
                    at, about.number_column - 1, _NUMBER(self.lang), {"author": "earlywarn"}
                )

    def _row(self, sheet: Any, about: SheetAbout, at: int, row: Kept) -> None:
        said: dict[int, list[str]] = {}
        for problem in row.problems:
            text = self._words(problem)
            if text not in said.setdefault(problem.column, []):
                said[problem.column].append(text)
        for column in range(1, about.width + 1):
            text = row.cells[column - 1] if column <= len(row.cells) else ""
            style = self.bad if column in said or (0 in said and column == 1) else self.plain
            if column == about.number_column and row.row == row.unit:
                style = self.number
            sheet.write_string(at, column - 1, shown(text), style)
        self.commented += bool(said)
        if self.commented <= _COMMENTED:
            for column, texts in said.items():
                text = "\n".join(texts)
                place = {"author": "earlywarn", "x_scale": 2, "y_scale": 1 + len(text) / 120}
                sheet.write_comment(at, max(column - 1, 0), text, place)
        sheet.write_string(at, about.width, row.place, self.grey)
        every = list(dict.fromkeys(text for texts in said.values() for text in texts))
        sheet.write_string(at, about.width + 1, shown("\n".join(every)), self.why)
        lines = sum(1 + _signs(text) // _REASON_WIDTH for text in every)
        if lines > 1:
            sheet.set_row(at, _LINE * min(lines, 20))

    def _words(self, problem: Problem) -> str:
        is_sign = self.about.layout == "month"
        why = reason(of_sign(problem.code) if is_sign else problem.code, problem.detail)(self.lang)
        named = "" if problem.column else problem.heading
        value = problem.value if len(problem.value) <= 60 else problem.value[:60] + "…"
        if self.lang == "zh":
            return (f"{named}：" if named else "") + (f"“{value}” " if value else "") + why
        return (f"{named}: " if named else "") + (f"“{value}” " if value else "") + why

    def key(self) -> None:
        """Say of which load the workbook is."""
        sheet = self.book.add_worksheet(KEY_SHEET)
        entries = (
            ("batch", str(self.about.batch)),
            ("table", self.about.table),
            ("content", self.about.content),
        )
        for at, entry in enumerate(entries):
            for column, text in enumerate(entry):
                sheet.write_string(at, column, text)
        sheet.very_hidden()
