"""ODS of LibreOffice and OpenOffice, read from its XML: values, errors, what is hidden and merged.

A cell or row says how often it repeats; what is empty at the end repeats to the sheet's edge, so
only what is filled counts against the limits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from defusedxml.ElementTree import iterparse

from earlywarn.tables.grids import limits
from earlywarn.tables.grids.archive import Archive
from earlywarn.tables.grids.cells import cell_text, clock, number_text
from earlywarn.tables.grids.grid import Book, Grid, padded
from earlywarn.tables.grids.xlsx import stream

_LENGTH = re.compile(r"PT(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:([\d.]{1,12})S)?")
_EPOCH = date(1899, 12, 30)
_NUMBERS = {"float", "percentage", "currency"}
_ASIDE = {"annotation", "shapes", "forms", "ruby-text"}
_ERROR_TEXTS = ("#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "Err:")


@dataclass
class _Table:
    """A sheet being read; `row` and `column` are the last ones read, counted from 1."""

    name: str
    hidden: bool
    row: int = 0
    rows: list[list[str]] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    pending: int = 0
    repeated: int = 1
    hidden_line: bool = False
    wrong: dict[tuple[int, int], str] = field(default_factory=dict)
    numeric: set[int] = field(default_factory=set)
    hidden_rows: set[int] = field(default_factory=set)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)


def read_ods(path: Path) -> Book:
    """Return every sheet of the OpenDocument spreadsheet at `path`."""
    archive = Archive(path, "ODS")
    if "META-INF/manifest.xml" in archive.parts and b"encryption-data" in archive.read(
        "META-INF/manifest.xml"
    ):
        raise limits.locked(path)
    reading = _Reading(path)
    try:
        depth = 0
        for event, element in iterparse(
            stream(archive.blocks("content.xml")), events=("start", "end")
        ):
            depth += 1 if event == "start" else -1
            if depth > limits.MAX_DEPTH:
                most = limits.MAX_DEPTH
                raise limits.too_much(
                    path, f"XML 嵌套超过 {most} 层", f"its XML is over {most} deep"
                )
            if event == "start":
                reading.begins(element)
            else:
                reading.ends(element)
    except (SyntaxError, ValueError):  # ParseError is a SyntaxError
        raise archive.damaged() from None
    return reading.book


class _Reading:
    """Takes the XML's elements as they begin and end, and makes sheets of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.book = Book(epoch=_EPOCH)
        self._table: _Table | None = None
        self._outer = 0  # tables inside a cell of the one being read
        self._hidden_styles: set[str] = set()
        self._style = ""
        self._kept = 0

    def begins(self, element: Any) -> None:
        """Note a style, or open a sheet or row."""
        tag = _plain(element.tag)
        if tag == "style":
            self._style = _get(element, "name")
        elif tag == "table-properties" and _get(element, "display") == "false":
            self._hidden_styles.add(self._style)
        elif tag == "table":
            if self._table is not None:
                self._outer += 1
                return
            hidden = _get(element, "style-name") in self._hidden_styles
            self._table = _Table(_get(element, "name"), hidden)
        elif tag == "table-row" and self._table is not None and not self._outer:
            table = self._table
            table.line, table.pending = [], 0
            table.repeated = int(_get(element, "number-rows-repeated") or 1)
            table.hidden_line = _get(element, "visibility") in ("collapse", "filter")

    def ends(self, element: Any) -> None:
        """Take a cell that is whole, or close a row or sheet."""
        tag, table = _plain(element.tag), self._table
        if table is None:
            return
        if self._outer:
            self._outer -= tag == "table"
        elif tag in ("table-cell", "covered-table-cell"):
            self._cell(table, element, covered=tag.startswith("covered"))
            element.clear()
        elif tag == "table-row":
            self._row(table)
            element.clear()
        elif tag == "table":
            self._finish(table)
            element.clear()

    def _cell(self, table: _Table, cell: Any, *, covered: bool) -> None:
        repeated = int(_get(cell, "number-columns-repeated") or 1)
        text, code = ("", "") if covered else _value(cell)
        if not text and not code:
            table.pending += repeated
            return
        if table.pending + repeated + len(table.line) > limits.MAX_COLUMNS:
            raise limits.too_many_cells(self.path)
        table.line += [""] * table.pending
        table.pending = 0
        row = table.row + 1
        first = len(table.line) + 1
        table.line += [text] * repeated
        if code:
            table.wrong.update({(row, first + i): code for i in range(repeated)})
        elif _get(cell, "value-type") in _NUMBERS:
            table.numeric.update(range(first - 1, first - 1 + repeated))
        down = int(_get(cell, "number-rows-spanned") or 1)
        across = int(_get(cell, "number-columns-spanned") or 1)
        if down * across > 1:
            table.merged.append((row, first, row + down - 1, first + across - 1))

    def _row(self, table: _Table) -> None:
        count, first = table.repeated, table.row + 1
        table.row += count
        if not table.line:
            return
        self._kept += len(table.line) * count + (first - 1 - len(table.rows))
        if self._kept > limits.MAX_CELLS:
            raise limits.too_many_cells(self.path)
        table.rows += [[] for _ in range(first - 1 - len(table.rows))]
        table.rows += [list(table.line) for _ in range(count)]
        if table.hidden_line:
            table.hidden_rows.update(range(first, first + count))
        for (row, column), code in list(table.wrong.items()) if count > 1 else ():
            if row == first:
                table.wrong.update({(row + i, column): code for i in range(1, count)})

    def _finish(self, table: _Table) -> None:
        if len(self.book.sheets) >= limits.MAX_SHEETS:
            most = limits.MAX_SHEETS
            raise limits.too_much(self.path, f"工作表超过 {most} 张", f"it has over {most} sheets")
        self.book.sheets.append(
            Grid(
                table.name,
                padded(self.path, table.rows),
                table.wrong,
                table.hidden,
                frozenset(table.hidden_rows),
                tuple(table.merged),
            )
        )
        self.book.numeric.append(frozenset(table.numeric))
        self._table = None


def _value(cell: Any) -> tuple[str, str]:
    """Return a cell's text, and the code if it is wrong."""
    kind = _get(cell, "value-type")
    text = _text(cell)
    formula = _get(cell, "formula")
    if "error" in {v for k, v in cell.attrib.items() if _plain(k) == "value-type"} or (
        formula and text.startswith(_ERROR_TEXTS)
    ):
        return text or "#N/A", "error_cell"
    if formula and not kind:
        return "=" + formula.partition("=")[2], "formula_uncached"
    if kind in _NUMBERS:
        return number_text(float(_get(cell, "value"))), ""
    if kind == "boolean":
        return cell_text(_get(cell, "boolean-value") == "true"), ""
    if kind == "date":
        moment = _get(cell, "date-value")
        return moment.removesuffix("T00:00:00").replace("T", " "), ""
    if kind == "time" and (found := _LENGTH.fullmatch(_get(cell, "time-value"))):
        hours, minutes, seconds = (float(part or 0) for part in found.groups())
        return clock(timedelta(hours=hours, minutes=minutes, seconds=seconds)), ""
    return text, ""


def _text(cell: Any) -> str:
    """The paragraphs of a cell, without the notes pinned to it."""
    return "\n".join("".join(_runs(part)) for part in cell if _plain(part.tag) == "p")


def _runs(element: Any) -> list[str]:
    runs = [element.text or ""]
    for part in element:
        tag = _plain(part.tag)
        if tag == "s":
            runs.append(" " * min(int(_get(part, "c") or 1), 1000))
        elif tag in ("tab", "line-break"):
            runs.append("\t" if tag == "tab" else "\n")
        elif tag not in _ASIDE:
            runs += _runs(part)
        runs.append(part.tail or "")
    return runs


def _get(element: Any, name: str) -> str:
    """An attribute by its plain name, LibreOffice's own extensions left aside."""
    for key, value in element.attrib.items():
        if _plain(key) == name and "calc:extension" not in key and "calcext" not in key:
            return str(value)
    return ""


def _plain(name: Any) -> str:
    return str(name).rpartition("}")[2]
