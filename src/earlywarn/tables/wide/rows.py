"""The long rows that class sheets were read into, column by column, and where each stands.

A county's month has millions of cells; none of them becomes a Python object of its own. A sheet's
rows are kept as its different texts, and for each row the place of its text among them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
import pyarrow as pa

from earlywarn.tables.source import CHUNK_ROWS, Chunk, WrongRow

Place = tuple[str, int, int]
"""Sheet, row and column."""


@dataclass(frozen=True)
class Texts:
    """A column of text: row i holds `texts[codes[i]]`."""

    texts: Sequence[str]
    codes: np.ndarray


@dataclass(frozen=True)
class _Part:
    """Rows of one sheet: their numbers and columns."""

    numbers: np.ndarray
    columns: Sequence[Texts]


@dataclass(frozen=True)
class RowMark:
    """How far the rows had come."""

    parts: int = 0
    runs: int = 0
    wrong: int = 0
    count: int = 0


@dataclass
class Rows:
    """Long rows, numbered from 1 in the order in which they were read, wrong ones among them."""

    count: int = 0
    wrong: list[WrongRow] = field(default_factory=list)
    _parts: list[_Part] = field(default_factory=list)
    _firsts: list[int] = field(default_factory=list)
    _runs: list[tuple[str, np.ndarray, np.ndarray]] = field(default_factory=list)

    def number(
        self, sheet: str, rows: Sequence[int] | np.ndarray, columns: Sequence[int] | np.ndarray
    ) -> np.ndarray:
        """Give the cells at these places the next numbers, and return those."""
        first = self.count + 1
        self._firsts.append(first)
        self._runs.append((sheet, np.asarray(rows, np.int32), np.asarray(columns, np.int32)))
        self.count += len(rows)
        return np.arange(first, self.count + 1, dtype=np.int64)

    def place(self, number: int) -> Place:
        """Return where the row of this number was read from."""
        at = bisect_right(self._firsts, number) - 1
        sheet, rows, columns = self._runs[at]
        i = number - self._firsts[at]
        return sheet, int(rows[i]), int(columns[i])

    def add(self, numbers: np.ndarray, columns: Sequence[Texts]) -> None:
        """Add good rows, one text column for each heading."""
        if len(numbers):
            self._parts.append(_Part(numbers, columns))

    def mark(self) -> RowMark:
        """Return how far they have come, for `cut`."""
        return RowMark(len(self._parts), len(self._runs), len(self.wrong), self.count)

    def cut(self, mark: RowMark) -> None:
        """Take out all rows that came after `mark`."""
        del self._parts[mark.parts :], self.wrong[mark.wrong :]
        del self._firsts[mark.runs :], self._runs[mark.runs :]
        self.count = mark.count

    def digest(self, since: RowMark) -> str:
        """Hash all rows that came after `since`, whatever numbers they have."""
        hashed = sha256()
        for part in self._parts[since.parts :]:
            hashed.update((part.numbers - since.count).tobytes())
            for column in part.columns:
                hashed.update(repr(column.texts).encode("utf-8", "surrogatepass"))
                hashed.update(np.asarray(column.codes, np.int64).tobytes())
        for one in self.wrong[since.wrong :]:
            told = (one.row - since.count, one.code, one.cells, one.value, one.detail)
            hashed.update(repr(told).encode("utf-8", "surrogatepass"))
        return hashed.hexdigest()

    def chunks(self, width: int) -> Iterator[Chunk]:
        """Yield the rows, the wrong ones with the first chunk."""
        wrong = list(self.wrong)
        held: list[_Part] = []
        size = 0
        for part in self._parts:
            held.append(part)
            size += len(part.numbers)
            if size >= CHUNK_ROWS:
                yield _chunk(held, wrong, width)
                held, size, wrong = [], 0, []
        if held or wrong or not self._parts:
            yield _chunk(held, wrong, width)


def _chunk(parts: list[_Part], wrong: list[WrongRow], width: int) -> Chunk:
    if not parts:
        return Chunk(pa.array([], pa.int64()), [pa.array([], pa.string())] * width, wrong)
    numbers = pa.array(np.concatenate([part.numbers for part in parts]))
    columns = [_joined([part.columns[i] for part in parts]) for i in range(width)]
    return Chunk(numbers, columns, wrong)


def _joined(parts: list[Texts]) -> pa.Array:
    """Return the columns one below the other, as Arrow strings."""
    texts: list[str] = []
    codes = []
    for part in parts:
        codes.append(part.codes + len(texts))
        texts += part.texts
    return pa.array(texts, pa.string()).take(pa.array(np.concatenate(codes)))
