"""What is handed on of a file: its sheets as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from earlywarn.errors import Text
from earlywarn.tables.grids import limits


@dataclass(frozen=True)
class Grid:
    """One sheet; rows and columns are counted from 1, as the spreadsheet program shows them."""

    name: str
    """The sheet's name; "" for a text file."""
    rows: tuple[tuple[str, ...], ...]
    """All cells as text from row 1, column 1 on, padded to one width."""
    wrong: Mapping[tuple[int, int], str]
    """(row, column) -> a reason code of `tables.reasons`: formula_uncached, error_cell; in a text
    file open_quote. The cell's text is what stands there: the formula, #N/A."""
    hidden: bool
    hidden_rows: frozenset[int]
    merged: tuple[tuple[int, int, int, int], ...]
    """(first row, first column, last row, last column); the value stands in the first cell."""


@dataclass(frozen=True)
class Grids:
    """A file's sheets, in the file's order."""

    file: str
    kind: str
    """What the content is, whatever the name says: xlsx, xls, csv, html or ods."""
    sheets: tuple[Grid, ...]
    notes: tuple[Text, ...]
    """What the reader had to do or decide, for the person who sent the file."""


@dataclass
class Book:
    """A file's sheets as its reader found them, with what the long tables ask beyond the text."""

    sheets: list[Grid] = field(default_factory=list)
    notes: list[Text] = field(default_factory=list)
    epoch: date | None = None
    """The day before day 1, where plain numbers may be dates."""
    numeric: list[frozenset[int]] = field(default_factory=list)
    """For each sheet, but not of XLSX: the columns, from 0, with numbers stored as numbers."""


def padded(path: Path, rows: Iterable[Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    """Return `rows` in one width, without the empty rows and columns at their end.

    Raises
    ------
    EarlywarnError
        If that is more cells than are kept of the file at `path`.
    """
    kept = [tuple(row) for row in rows]
    while kept and not any(kept[-1]):
        kept.pop()
    width = max((_filled(row) for row in kept), default=0)
    if width * len(kept) > limits.MAX_CELLS:
        raise limits.too_many_cells(path)
    return tuple(
        row if len(row) == width else (*row[:width], *[""] * (width - len(row))) for row in kept
    )


def _filled(row: tuple[str, ...]) -> int:
    """The last column of `row` that holds something."""
    last = len(row)
    while last and not row[last - 1]:
        last -= 1
    return last
