"""CSV and other delimited text as one sheet: encoding and delimiter are found, quotes respected.

A row is a record, as a spreadsheet program counts it: a quoted line break does not begin one. A
quote that is never closed takes no other line with it: the line it stands on becomes a row by
itself, marked open_quote. So is a cell that may have swallowed rows: it holds a line break and as
many delimiters as a whole row.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from earlywarn.errors import Text
from earlywarn.tables.grids import limits
from earlywarn.tables.grids.delimiters import (
    FULL_WIDTH,
    SHOWN,
    delimiter_of,
    full_width_commas,
)
from earlywarn.tables.grids.encoding import decoded
from earlywarn.tables.grids.grid import Book, Grid, padded
from earlywarn.tables.source import MAX_CELL, unusable

_SAMPLE_LINES = 1_000


class Lines:
    """Lines of which those of the record being read are kept, so that they can be read again."""

    def __init__(self, file: Iterator[str]) -> None:
        self.file = file
        self.again: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        line = self.again.popleft() if self.again else next(self.file)
        self.taken.append(line)
        return line

    def split(self) -> str:
        """Return the first line of the record; the others are to be read again."""
        first, *others = self.taken
        self.again.extendleft(reversed(others))
        self.taken.clear()
        return first


def read_text(path: Path) -> Book:
    """Return the one sheet of a delimited text.

    Raises
    ------
    EarlywarnError
        If it is too large, binary, in no known encoding, or separated by full-width commas.
    """
    if path.stat().st_size > limits.MAX_BYTES:
        most = limits.MAX_BYTES >> 20
        raise limits.too_much(path, f"文件超过 {most} MB", f"it is over {most} MB")
    text, encoding = decoded(path, path.read_bytes())
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise unusable(
            path,
            f"第 {line} 行含有空字符（NUL），可能不是文本或已损坏。请重新导出。",
            f"line {line} holds a NUL character: perhaps no text, or damaged. Export it again.",
        )
    # Not splitlines: it would break at form feeds and other signs that are part of a cell.
    lines = StringIO(text, newline="")
    sample = [line for line, _ in zip(lines, range(_SAMPLE_LINES), strict=False)]
    delimiter = delimiter_of(sample, whole=lines.read(1) == "")
    if delimiter == FULL_WIDTH:
        raise full_width_commas(path)
    lines.seek(0)
    rows, wrong = _records(path, Lines(lines), delimiter)
    shown = SHOWN[delimiter]
    note = Text(f"编码 {encoding}，分隔符 {shown}", f"encoding {encoding}, delimiter {shown}")
    grid = Grid("", padded(path, rows), wrong, False, frozenset(), ())
    return Book(sheets=[grid], notes=[note], numeric=[frozenset()])


def _records(
    path: Path, lines: Lines, delimiter: str
) -> tuple[list[list[str]], dict[tuple[int, int], str]]:
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    wrong: dict[tuple[int, int], str] = {}
    cells = 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return rows, wrong
        except csv.Error:
            row = lines.split().rstrip("\r\n").split(delimiter)
            if max(map(len, row)) > MAX_CELL:
                raise _overlong(path, len(rows) + 1) from None
            wrong[len(rows) + 1, next(i for i, c in enumerate(row, 1) if '"' in c)] = "open_quote"
        else:
            if len(lines.taken) > 1:
                for column, cell in enumerate(row, 1):
                    if 0 < len(row) - 1 <= cell.count(delimiter) and _breaks(cell):
                        wrong[len(rows) + 1, column] = "open_quote"
            lines.taken.clear()
        cells += len(row)
        if cells > limits.MAX_CELLS or len(rows) >= limits.MAX_CELLS:
            raise limits.too_many_cells(path)
        rows.append(row)


def _breaks(cell: str) -> bool:
    return "\n" in cell or "\r" in cell


def _overlong(path: Path, row: int) -> Exception:
    return unusable(
        path,
        f"第 {row} 行有单元格超过 {MAX_CELL} 个字符，不像是表格。请检查该行。",
        f"row {row} has a cell of over {MAX_CELL} characters, which no table has; look at it.",
    )
