"""What every reader hands over: a source's headings, and its rows as chunks of text columns.

A cell is text, as it stands in the file; nothing is converted here. A row that cannot even be
split into cells is handed over as a `WrongRow`; it is never dropped.
"""

from __future__ import annotations

import gc
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from earlywarn.errors import EarlywarnError, Text

MAX_CELL = 131_072  # characters; a longer cell makes its row a wrong row
CHUNK_ROWS = 20_000


@dataclass(frozen=True)
class WrongRow:
    """A row that the reader itself finds wrong. `code` is a reason of `tables.reasons`."""

    row: int
    code: str
    cells: tuple[str, ...]
    column: str = ""
    value: str = ""
    detail: str = ""


@dataclass
class Chunk:
    """Some rows: `rows` (int64, the numbers a person sees in the file) and one string array each.

    `columns[i]` belongs to `headings[i]` of the source; null and "" are both an empty cell.
    """

    rows: pa.Array
    columns: list[pa.Array]
    wrong: list[WrongRow] = field(default_factory=list)
    blank: int = 0


class Source(ABC):
    """One input file, opened and found readable. `chunks` may be called again for a second pass."""

    path: Path
    headings: list[str]
    # Where plain numbers may be dates, as in a workbook: the day before day 1.
    serial_epoch: date | None = None
    heading_row: int = 1

    def __init__(self, path: Path) -> None:
        self.path = path
        self.headings = []
        # Indexes of the columns in which numbers were stored as numbers (workbooks only).
        self.numeric: set[int] = set()
        # What the reader had to do or decide, for the person who sent the file.
        self.notes: list[Text] = []

    @property
    def name(self) -> str:
        """The file's name, as messages show it."""
        return self.path.name

    def where(self, row: int) -> str:
        """Return the place of a row as a person finds it: its number, or sheet and cell."""
        return str(row)

    @abstractmethod
    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows in order.

        Raises
        ------
        EarlywarnError
            If the file turns out to be unreadable further down.
        """


def is_empty(column: pa.Array) -> pa.Array:
    """Return where `column` is null or "" (booleans without nulls)."""
    return pc.fill_null(pc.equal(column, ""), True)


def drop_blank(rows: pa.Array, columns: list[pa.Array]) -> tuple[pa.Array, list[pa.Array], int]:
    """Take out the rows in which every cell is empty; return how many they were."""
    if not columns:
        return rows, columns, 0
    blank = is_empty(columns[0])
    for column in columns[1:]:
        if not pc.any(blank).as_py():
            return rows, columns, 0
        blank = pc.and_(blank, is_empty(column))
    count = int(pc.sum(blank).as_py() or 0)
    if not count:
        return rows, columns, 0
    keep = pc.invert(blank)
    return rows.filter(keep), [column.filter(keep) for column in columns], count


def text_chunk(
    numbers: pa.Array, cells: Sequence[Sequence[str | None]], wrong: list[WrongRow], width: int
) -> Chunk:
    """Make a chunk from a list of rows of equal `width`."""
    if cells:
        columns = [pa.array(column, pa.string()) for column in zip(*cells, strict=True)]
    else:
        columns = [pa.array([], pa.string()) for _ in range(width)]
    numbers, columns, blank = drop_blank(numbers, columns)
    return Chunk(numbers, columns, wrong, blank)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the garbage collector from walking thousands of short-lived rows again and again.

    They hold nothing but text and free themselves; with it reading takes three times as long.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def unusable(path: Path, zh: str, en: str) -> EarlywarnError:
    """Return the error for a file that cannot be used at all."""
    return EarlywarnError(zh=f"{path.name}：{zh}", en=f"{path.name}: {en}")


def os_error(path: Path, error: OSError) -> EarlywarnError:
    """Return the error for a file that the system does not let us read."""
    if isinstance(error, FileNotFoundError):
        return EarlywarnError(zh=f"找不到文件 {path}。", en=f"There is no file {path}.")
    if isinstance(error, IsADirectoryError):
        return unusable(path, "是文件夹，请给出文件。", "is a folder; name a file.")
    return unusable(
        path,
        f"无法读取（{error.strerror}）。若正在 Excel 或 WPS 中打开，请先关闭。",
        f"cannot be read ({error.strerror}). If it is open in Excel or WPS, close it there.",
    )
