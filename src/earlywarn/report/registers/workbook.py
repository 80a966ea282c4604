"""One county's registers as a workbook of four sheets, for the screen and for A4 paper.

Every text from data is written as text and defused; identifiers keep their zeros. Rows are written
one after the other and not kept in memory: a county has eleven thousand children. The same rows
give the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import xlsxwriter

from earlywarn.errors import Lang, Text
from earlywarn.report.registers import wording
from earlywarn.report.registers.cells import SHEETS, Cell, cells
from earlywarn.report.registers.rows import Registers
from earlywarn.spreadsheets import FONTS, TEXT_STAYS, defuse

_INK, _SOFT, _LINE, _HEAD = "#1C2024", "#59636E", "#AEB6BF", "#E9EDF1"
_CENTRED = frozenset({"grade", "sex", "open", "days_out", "persuasions", "kind"})
_LINE_HEIGHT, _HIGHEST = 13.5, 409.0  # points; no spreadsheet has a higher row
_BATCH = 2_000  # rows turned into Python at a time


def write_workbook(
    path: Path,
    registers: Registers,
    county: str,
    *,
    groups: Mapping[str, Text],
    generated: bool,
    lang: Lang,
) -> dict[str, int]:
    """Write the workbook of the rows that `registers` has; return how many each sheet has.

    `groups` are the labels of the monitored groups; `generated` says that no child is real.
    """
    as_of = registers.as_of
    book = xlsxwriter.Workbook(str(path), TEXT_STAYS | {"constant_memory": True})
    # The clock must not enter: the workbook was made on the day that it speaks of.
    created = datetime(as_of.year, as_of.month, as_of.day)
    title = wording.file_name(county, as_of, lang)
    comments = wording.WHO_MAY_SEE(lang)
    book.set_properties(
        {"title": title, "comments": comments, "author": "earlywarn", "created": created}
    )
    writer = _Writer(book, county, as_of, groups, generated, lang)
    counts = {}
    for name in SHEETS:
        table: pa.Table = getattr(registers, name)
        writer.sheet(name, table)
        counts[name] = table.num_rows
    book.close()
    return counts


class _Writer:
    """Writes the sheets of one workbook."""

    def __init__(
        self,
        book: Any,
        county: str,
        as_of: date,
        groups: Mapping[str, Text],
        generated: bool,
        lang: Lang,
    ) -> None:
        self.book, self.county, self.as_of = book, county, as_of
        self.groups, self.generated, self.lang = groups, generated, lang
        base = {"font_name": FONTS[lang], "font_size": 10, "font_color": _INK}
        cell = base | {"border": 1, "border_color": _LINE, "valign": "vcenter", "text_wrap": True}
        self.title = book.add_format(base | {"bold": True, "font_size": 15})
        self.note = book.add_format(base | {"font_color": _SOFT})
        self.warning = book.add_format(base | {"bold": True, "font_color": "#A3161F"})
        self.head = book.add_format(cell | {"bold": True, "bg_color": _HEAD, "align": "center"})
        self.text = book.add_format(cell | {"num_format": "@"})
        self.middle = book.add_format(cell | {"align": "center"})
        self.day = book.add_format(cell | {"align": "center", "num_format": "yyyy-mm-dd"})

    def sheet(self, name: str, table: pa.Table) -> None:
        """Write one register: what it is of, who may see it, the heading, the rows."""
        columns, lang = SHEETS[name], self.lang
        sheet = self.book.add_worksheet(wording.SHEETS[name](lang))
        for place, (_, width) in enumerate(columns):
            sheet.set_column(place, place, width)
        heading = self._above(sheet, name, table)
        sheet.set_row(heading, 30)
        for place, (key, _) in enumerate(columns):
            sheet.write_string(heading, place, wording.COLUMNS[key](lang), self.head)
        row = heading
        for batch in table.to_batches(max_chunksize=_BATCH):
            for one in batch.to_pylist():
                row += 1
                found = cells(name, one, self.groups, lang)
                sheet.set_row(row, _height(found, [width for _, width in columns]))
                for place, value in enumerate(found):
                    self._write(sheet, row, place, columns[place][0], value)
        if row == heading:
            row += 1
            sheet.write_string(row, 0, wording.NOBODY(lang), self.note)
        else:
            sheet.autofilter(heading, 0, row, len(columns) - 1)
        sheet.freeze_panes(heading + 1, 0)
        sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        self._on_paper(sheet, name, heading, row, len(columns) - 1)

    def _above(self, sheet: Any, name: str, table: pa.Table) -> int:
        """Write what stands above the heading; return the heading's row."""
        lang = self.lang
        lines: list[tuple[str, Any]] = [(wording.TITLES[name](lang), self.title)]
        if self.generated:
            lines.append((f"{wording.GENERATED.zh} / {wording.GENERATED.en}", self.warning))
        place = defuse(wording.as_of_line(self.county, self.as_of, lang))
        gap = Text("　", "  ")(lang)
        lines += [
            (f"{place}{gap}{wording.numbers(_counts(name, table, lang), lang)}", self.note),
            (wording.HOW[name](lang), self.note),
            (wording.WHO_MAY_SEE(lang), self.warning),
        ]
        for row, (text, form) in enumerate(lines):
            if row == 0:
                sheet.set_row(row, 24)
            sheet.write_string(row, 0, text, form)
        return len(lines)

    def _write(self, sheet: Any, row: int, place: int, key: str, value: Cell) -> None:
        if value is None or value == "":
            sheet.write_blank(row, place, None, self.text)
        elif isinstance(value, date):
            moment = datetime(value.year, value.month, value.day)
            # Excel's calendar begins in 1900.
            if value.year < 1900:
                sheet.write_string(row, place, value.isoformat(), self.middle)
            else:
                sheet.write_datetime(row, place, moment, self.day)
        elif isinstance(value, int):
            sheet.write_number(row, place, value, self.middle)
        else:
            form = self.middle if key in _CENTRED else self.text
            sheet.write_string(row, place, defuse(value), form)

    def _on_paper(self, sheet: Any, name: str, heading: int, last: int, width: int) -> None:
        """A4 across, as wide as the page; each page with the heading and its number."""
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.45, bottom=0.6)
        sheet.repeat_rows(heading)
        sheet.print_area(0, 0, last, width)
        title = f"{wording.TITLES[name](self.lang)}  {self.county}"[:80].replace("&", "&&")
        inside = Text("内部资料", "internal")(self.lang)
        sheet.set_footer(f"&L&8{title}  {self.as_of}&C&8{inside}&R&8&P / &N")


def _height(found: Sequence[Cell], widths: Sequence[int]) -> float:
    """Return how high a row must be for its texts, in points: not every program sees to it."""
    lines = max(
        (
            _lines(cell, width)
            for cell, width in zip(found, widths, strict=True)
            if isinstance(cell, str)
        ),
        default=1,
    )
    return min(lines * _LINE_HEIGHT + 3, _HIGHEST)


def _lines(text: str, width: int) -> int:
    """Return how many lines `text` takes in a column `width` characters wide (Chinese: two)."""
    return sum(
        max(1, -(-len(line.encode("gbk", "replace")) * 106 // (100 * width)))
        for line in text.split("\n")
    )


def _counts(name: str, table: pa.Table, lang: Lang) -> dict[str, int]:
    """Return what the rows of a sheet are, by its label."""
    if name == "school_age":
        found = Counter(table["where"].to_pylist())
        return {text(lang): found[code] for code, text in wording.WHERE.items()}
    if name == "persuasions":
        found = Counter(table["kind"].to_pylist())
        return {text(lang): found[code] for code, text in wording.KINDS.items()}
    running = Counter(table["open"].to_pylist())
    return {wording.OPEN(lang): running[True], wording.CLOSED(lang): running[False]}
