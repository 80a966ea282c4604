"""One sheet of a workbook or web page as a source of long rows.

Of several sheets the first with content is taken, a visible one before a hidden one; the others are
named in a note. A row with a formula that was never calculated, or an error cell, is a wrong row.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import time
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from earlywarn.errors import Text
from earlywarn.tables.grids.cells import cell_text
from earlywarn.tables.grids.kinds import misnamed
from earlywarn.tables.grids.reading import hidden_notes, read_book
from earlywarn.tables.grids.xlsx import Marks, Package, SheetPart, library_errors
from earlywarn.tables.source import (
    CHUNK_ROWS,
    Chunk,
    Source,
    WrongRow,
    os_error,
    text_chunk,
    unusable,
)

_MAX_UNPACKED = 4 << 30  # of a workbook that is read row by row
_MAX_CELLS = 50_000_000
_HEADING_WITHIN = 40  # rows


class _Sheet(NamedTuple):
    """A sheet to choose from."""

    name: str
    hidden: bool
    filled: bool


class SheetSource(Source):
    """A sheet whose first filled row is the headings; row numbers are the sheet's own."""

    wrong: Mapping[tuple[int, int], str]

    @abstractmethod
    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (row number, cells as text)."""

    def read_headings(self) -> None:
        """Take the first filled row as the headings."""
        first = next(((number, row) for number, row in self.rows() if any(row)), None)
        if first is None:
            raise unusable(self.path, "第一张表是空的。", "the first sheet is empty.")
        self._take(*first)

    def look_below(self, is_heading: Callable[[Sequence[str]], bool]) -> None:
        """Take the first row that `is_heading` as the headings, below title rows and notes."""
        for number, row in islice(self.rows(), _HEADING_WITHIN):
            if number > self.heading_row and is_heading(row):
                self._take(number, row)
                self.notes.append(
                    Text(
                        f"表头在第 {number} 行；上面的标题行未读",
                        f"the headings are in row {number}; the rows above it were left out",
                    )
                )
                return

    def _take(self, number: int, row: list[str]) -> None:
        while not row[-1]:
            row.pop()
        self.heading_row = number
        self.headings = [heading.strip(" \t\u3000\n") for heading in row]

    def choose(self, sheets: Sequence[_Sheet]) -> int:
        """Return the place of the sheet to read, and note the others that have content."""
        filled = [i for i, sheet in enumerate(sheets) if sheet.filled]
        if not filled:
            raise unusable(self.path, "第一张表是空的。", "the first sheet is empty.")
        chosen = min(filled, key=lambda i: (sheets[i].hidden, i))
        others = [sheets[i].name for i in filled if i != chosen]
        if others:
            self.notes.append(
                Text(
                    f"只读入工作表“{sheets[chosen].name}”；未读：{'、'.join(others)}",
                    f"only the sheet “{sheets[chosen].name}” was read; "
                    f"left out: {', '.join(others)}",
                )
            )
        return chosen

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows below the headings."""
        width = len(self.headings)
        codes: dict[int, tuple[int, str]] = {}
        for (at, column), code in sorted(self.wrong.items(), reverse=True):
            if column <= width:
                codes[at] = column, code  # the first of the row
        rows = self.rows()
        next(number for number, _ in rows if number == self.heading_row)
        numbers: list[int] = []
        cells: list[list[str]] = []
        wrong: list[WrongRow] = []
        for number, row in rows:
            line = (row + [""] * width)[:width]
            if any(row[width:]):
                detail = f"{max(i for i, cell in enumerate(row, 1) if cell)}/{width}"
                wrong.append(WrongRow(number, "ragged", tuple(row), detail=detail))
            elif number in codes:
                column, code = codes[number]
                heading, value = self.headings[column - 1], line[column - 1]
                wrong.append(WrongRow(number, code, tuple(line), heading, value))
            else:
                numbers.append(number)
                cells.append(line)
            if len(numbers) + len(wrong) >= CHUNK_ROWS:
                yield text_chunk(pa.array(numbers, pa.int64()), cells, wrong, width)
                numbers, cells, wrong = [], [], []
        yield text_chunk(pa.array(numbers, pa.int64()), cells, wrong, width)


class GridSource(SheetSource):
    """A sheet of a file that is read as a whole: XLS, ODS, HTML."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        _, book = read_book(path)
        sheets = [_Sheet(grid.name, grid.hidden, bool(grid.rows)) for grid in book.sheets]
        chosen = self.choose(sheets)
        self._grid = grid = book.sheets[chosen]
        self.wrong = grid.wrong
        self.numeric.update(book.numeric[chosen])
        self.serial_epoch = book.epoch
        hidden = sum(row <= len(grid.rows) and any(grid.rows[row - 1]) for row in grid.hidden_rows)
        self.notes[:0] = [*book.notes, *hidden_notes(grid.name, grid.hidden, hidden)]
        self.read_headings()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (row number, cells as text)."""
        for number, row in enumerate(self._grid.rows, 1):
            yield number, list(row)


class XlsxSource(SheetSource):
    """A sheet of an XLSX workbook, read row by row."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self._package = Package(path, _MAX_UNPACKED)
            self._part, self._marks = self._choose_part()
            self.serial_epoch = self._package.epoch
            self.wrong = self._marks.wrong
            self._texts: dict[int, dict[int, str]] = {}
            self._add_texts(self._marks)
            self._times_told = False
            self.read_headings()
        except OSError as error:
            raise os_error(path, error) from None
        self.numeric.clear()
        hidden = sum(row <= self._marks.last_row for row in self._marks.hidden_rows)
        lying = misnamed(path, "xlsx")
        self.notes[:0] = [
            *([lying] if lying else []),
            *hidden_notes(self._part.name, self._part.hidden, hidden),
        ]

    def _choose_part(self) -> tuple[SheetPart, Marks]:
        parts = self._package.sheets
        marks = [self._package.marks(part, _MAX_CELLS) for part in parts]
        sheets = [
            _Sheet(part.name, part.hidden, marked.last_row > 0)
            for part, marked in zip(parts, marks, strict=True)
        ]
        chosen = self.choose(sheets)
        return parts[chosen], marks[chosen]

    def _add_texts(self, marks: Marks) -> None:
        for (row, column), text in marks.texts.items():
            self._texts.setdefault(row, {})[column] = text

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (row number, cells as text)."""
        with library_errors(self.path, "XLSX"):
            sheet = self._package.open().get_sheet_by_index(self._part.index)
            skipped = [""] * (sheet.start[1] if sheet.start else 0)
            number = 0
            for number, row in enumerate(sheet.iter_rows(), 1):
                if not self._times_told and any(isinstance(cell, time) for cell in row):
                    self._tell_times(sheet, len(skipped))
                cells = skipped + [self._text(cell, i) for i, cell in enumerate(row, len(skipped))]
                yield number, self._completed(number, cells)
            for late in sorted(row for row in self._texts if row > number):
                yield late, self._completed(late, [])

    def _completed(self, number: int, cells: list[str]) -> list[str]:
        """Put in what calamine does not tell of the row."""
        for column, text in self._texts.get(number, {}).items():
            cells.extend([""] * (column - len(cells)))
            cells[column - 1] = text
        return cells

    def _tell_times(self, sheet: Any, skipped: int) -> None:
        """Look up the numbers that calamine took for times of day, such as 20261120."""
        self._times_told = True
        times = frozenset(
            (number, column)
            for number, row in enumerate(sheet.iter_rows(), 1)
            for column, cell in enumerate(row, skipped + 1)
            if isinstance(cell, time)
        )
        self._add_texts(self._package.told(self._part, times))

    def _text(self, cell: Any, column: int) -> str:
        if isinstance(cell, str):
            return cell
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            self.numeric.add(column)
        return cell_text(cell)
