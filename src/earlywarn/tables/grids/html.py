"""A web page that calls itself a workbook: its tables.

The parser is the standard library's: it hands over tags one by one and builds no tree, so there is
no depth to exhaust, and it adds nothing to install (lxml would, and would change which XML parser
openpyxl takes in the whole program). It is fed in pieces, and a page in which one tag or comment
goes on for longer than any real one is refused, as the parser would look through it again and
again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from earlywarn.errors import Text
from earlywarn.tables.grids import limits
from earlywarn.tables.grids.encoding import decoded
from earlywarn.tables.grids.grid import Book, Grid, padded
from earlywarn.tables.source import unusable

_PIECE, _LONGEST_TAG = 1 << 16, 1 << 18
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")
_SILENT = {"script", "style"}
_LINES = {"br", "p", "div", "li"}
_MAX_SPAN = 1_000


@dataclass
class _Cell:
    """A cell that is still open."""

    across: int
    down: int
    runs: list[str] = field(default_factory=list)
    shown: bool = True


@dataclass
class _Table:
    """A table that is still open; `taken` maps places under a merged block to nothing."""

    rows: list[dict[int, str]] = field(default_factory=list)
    taken: set[tuple[int, int]] = field(default_factory=set)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    cell: _Cell | None = None
    in_row: bool = False
    column: int = 0


def read_html(path: Path) -> Book:
    """Return the page's tables; a table inside another's cell is a sheet of its own."""
    if path.stat().st_size > limits.MAX_HTML:
        most = limits.MAX_HTML >> 20
        raise limits.too_much(path, f"网页超过 {most} MB", f"the page is over {most} MB")
    content = path.read_bytes()
    said = _CHARSET.search(content[:4096].replace(b"\0", b""))
    text, encoding = decoded(path, content, said[1].decode("ascii") if said else "")
    reading = _Reading(path)
    try:
        for start in range(0, len(text), _PIECE):
            reading.feed(text[start : start + _PIECE])
            if len(reading.rawdata) > _LONGEST_TAG:
                raise limits.damaged(path, "HTML")
    except AssertionError:  # the parser's own word for a declaration that is none
        raise limits.damaged(path, "HTML") from None
    if reading.open:
        raise limits.damaged(path, "HTML")
    sheets = [table for table in reading.found if table.rows]
    if not sheets:
        raise unusable(
            path,
            "是网页，里面没有表格。请重新导出为 .xlsx 或 CSV。",
            "is a web page without a table. Export it again as .xlsx or CSV.",
        )
    book = Book(notes=[Text(f"编码 {encoding}", f"encoding {encoding}")])
    for number, table in enumerate(sheets, 1):
        rows = padded(
            path, ([row.get(i, "") for i in range(max(row, default=-1) + 1)] for row in table.rows)
        )
        name = str(number) if len(sheets) > 1 else ""
        book.sheets.append(
            Grid(name, rows, {}, False, frozenset(table.hidden_rows), tuple(table.merged))
        )
        book.numeric.append(frozenset())
    return book


class _Reading(HTMLParser):
    """Collects the tables of a page; `open` are those that have not ended yet."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.path = path
        self.found: list[_Table] = []
        self.open: list[_Table] = []
        self._silent = ""
        self._kept = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, row or cell; a row or cell that is still open ends."""
        if self._silent:
            return
        if tag in _SILENT:
            self._silent = tag
            return
        if tag == "table":
            if len(self.open) >= limits.MAX_DEPTH:
                most = limits.MAX_DEPTH
                raise limits.too_much(
                    self.path, f"表格嵌套超过 {most} 层", f"its tables are over {most} deep"
                )
            if len(self.found) >= limits.MAX_SHEETS:
                most = limits.MAX_SHEETS
                raise limits.too_much(self.path, f"表格超过 {most} 张", f"over {most} tables")
            self.open.append(_Table())
            self.found.append(self.open[-1])
            return
        if not self.open:
            return
        table, said = self.open[-1], {name: value or "" for name, value in attrs}
        if tag == "tr":
            self._end_cell(table)
            self._begin_row(table, said)
        elif tag in ("td", "th"):
            self._end_cell(table)
            if not table.in_row:
                self._begin_row(table, {})
            table.cell = _Cell(_span(said.get("colspan")), _span(said.get("rowspan")))
        elif tag in _LINES and table.cell is not None:
            table.cell.runs.append("\0")

    def handle_endtag(self, tag: str) -> None:
        """Close a table, row or cell."""
        if self._silent:
            if tag == self._silent:
                self._silent = ""
            return
        if not self.open:
            return
        table = self.open[-1]
        if tag in ("td", "th", "tr", "table"):
            self._end_cell(table)
        if tag == "tr":
            table.in_row = False
        elif tag == "table":
            self.open.pop()
            if not any(cell for row in table.rows for cell in row.values()):
                table.rows.clear()
        elif tag in ("p", "div", "li") and table.cell is not None:
            table.cell.runs.append("\0")

    def handle_data(self, data: str) -> None:
        """Take text inside a cell."""
        if not self._silent and self.open and self.open[-1].cell is not None:
            self.open[-1].cell.runs.append(data)

    def _begin_row(self, table: _Table, said: dict[str, str]) -> None:
        table.rows.append({})
        table.in_row, table.column = True, 0
        if "hidden" in said or _HIDDEN.search(said.get("style", "")):
            table.hidden_rows.add(len(table.rows))

    def _end_cell(self, table: _Table) -> None:
        cell, table.cell = table.cell, None
        if cell is None:
            return
        row = len(table.rows)
        while (row, table.column + 1) in table.taken:
            table.column += 1
        column = table.column + 1
        table.column += cell.across
        lines = (_SPACE.sub(" ", line).strip() for line in "".join(cell.runs).split("\0"))
        self._kept += cell.across * cell.down
        if table.column > limits.MAX_COLUMNS or self._kept > limits.MAX_CELLS:
            raise limits.too_many_cells(self.path)
        table.rows[-1][column - 1] = "\n".join(line for line in lines if line)
        if cell.across * cell.down > 1:
            table.merged.append((row, column, row + cell.down - 1, column + cell.across - 1))
            table.taken.update(
                (row + i, column + j) for i in range(cell.down) for j in range(cell.across)
            )


def _span(said: str | None) -> int:
    """How many rows or columns a cell covers; what is no such number covers one."""
    number = int(said) if said and said.strip().isdecimal() and len(said) < 6 else 1
    return min(max(number, 1), _MAX_SPAN)
