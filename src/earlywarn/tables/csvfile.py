"""CSV: strictly decoded, read in chunks, every line accounted for.

One look over the bytes first settles the encoding (UTF-8, GB18030, UTF-16; with or without BOM) and
counts the lines, the first lines settle the delimiter (comma, tab, semicolon, bar); the rows are
then read with the csv module and counted against that. A line that the csv
module cannot split (a quote that is never closed, a cell of megabytes) becomes a wrong row by
itself, and reading goes on with the next line, so it takes no other row with it.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pyarrow as pa

from earlywarn.errors import Text
from earlywarn.tables.grids.delimiters import (
    FULL_WIDTH,
    SHOWN,
    delimiter_of,
    full_width_commas,
)
from earlywarn.tables.grids.encoding import undecodable, utf16
from earlywarn.tables.grids.text import Lines
from earlywarn.tables.plainlines import line_feeds, split_lines
from earlywarn.tables.source import (
    CHUNK_ROWS,
    MAX_CELL,
    Chunk,
    Source,
    WrongRow,
    collector_paused,
    drop_blank,
    os_error,
    text_chunk,
    unusable,
)

_BLOCK = 1 << 22
_WINDOW = 1 << 16  # a line longer than two windows covers one whole window without an end of line
_SAMPLE = 1 << 16  # characters that settle the delimiter
_UTF16 = {"utf-16-le": "UTF-16 LE", "utf-16-be": "UTF-16 BE"}


@dataclass(frozen=True)
class _Look:
    """What the first look over the bytes found."""

    encoding: str
    lines: int
    plain: bool  # no NUL, lone carriage return or overlong line: nearly always a line is a row


def _decodes(path: Path, encoding: str) -> int | None:
    """Return None if the whole file decodes, else the byte at which it does not."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    wide = encoding in _UTF16
    done = 0
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            held = len(decoder.getstate()[0])
            if block and not held and block.isascii() and not wide:
                done += len(block)
                continue
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return done - held + error.start
            if not block:
                return None
            done += len(block)


def _mostly_utf8(path: Path) -> bool:
    """Whether of the lines that are not plain ASCII more are valid UTF-8 than not."""
    good = bad = 0
    with path.open("rb") as file:
        for line in file:
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
                good += 1
            except UnicodeDecodeError:
                bad += 1
    return good > bad


def _line_of(path: Path, offset: int, encoding: str = "latin-1") -> int:
    """The line of the byte at `offset`; latin-1 counts the bytes themselves."""
    with path.open("rb") as file:
        return file.read(offset).decode(encoding, "ignore").count("\n") + 1


def _encoding(path: Path, start: bytes) -> str:
    offset = _decodes(path, "utf-8")
    if offset is None:
        return "utf-8-sig"
    # A damaged UTF-8 file often decodes as GB18030 too, into nonsense: rather refuse it.
    if start.startswith(codecs.BOM_UTF8) or _mostly_utf8(path):
        raise undecodable(path, _line_of(path, offset))
    offset = _decodes(path, "gb18030")
    if offset is not None:
        raise undecodable(path, _line_of(path, offset))
    return "gb18030"


def _blocks(path: Path, wide: str) -> Generator[bytes, None, None]:
    """Yield the file's bytes; those of a file in UTF-16 as the UTF-8 of the same text."""
    if not wide:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block
        return
    try:
        with path.open(encoding=wide, newline="") as text:
            while part := text.read(_BLOCK):
                yield part.encode()
    except UnicodeError:
        offset = _decodes(path, wide) or 0
        raise undecodable(path, _line_of(path, offset, wide), "UTF-16") from None


def _look(path: Path) -> _Look:
    feeds = returns = both = 0
    last = b""
    with path.open("rb") as file:
        start = file.read(_SAMPLE)
    wide = utf16(start)
    plain = not wide
    with closing(_blocks(path, wide)) as blocks:
        for block in blocks:
            feeds += line_feeds(block)
            if b"\r" in block:
                returns += block.count(b"\r")
                both += block.count(b"\r\n")
            both += last == b"\r" and block[:1] == b"\n"
            last = block[-1:]
            if plain:
                plain = b"\0" not in block and _short_lines(block)
    lines = feeds + returns - both + (last not in (b"", b"\n", b"\r"))
    return _Look(wide or _encoding(path, start), lines, plain and returns == both)


def _short_lines(block: bytes) -> bool:
    for at in range(0, len(block) - _WINDOW + 1, _WINDOW):
        end = at + _WINDOW
        if block.find(b"\n", at, end) < 0 and block.find(b"\r", at, end) < 0:
            return False
    return True


class CsvSource(Source):
    """A delimited text; row numbers are line numbers, the heading is the first line with text."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            if not path.stat().st_size:
                raise unusable(path, "文件是空的。", "the file is empty.")
            self._seen = _look(path)
            self._delimiter = self._find_delimiter()
            self.headings, self._first = self._read_headings()
        except OSError as error:
            raise os_error(path, error) from None

    def _read_headings(self) -> tuple[list[str], int]:
        """Return the headings and the number of the first line after them."""
        line_number = 0
        with self.path.open(encoding=self._seen.encoding, newline="") as file:
            while line := file.readline(MAX_CELL * 8):
                line_number += 1
                if line.strip(f"\r\n \t\ufeff{self._delimiter}"):
                    break
            else:
                raise unusable(self.path, "文件里没有表头。", "the file has no heading row.")
        try:
            cells = next(
                csv.reader([line.removeprefix("\ufeff")], delimiter=self._delimiter, strict=True)
            )
        except (csv.Error, StopIteration):
            raise unusable(
                self.path,
                f"第 {line_number} 行（表头）的引号不成对，请改正。",
                f"line {line_number} (the headings) has a quote that is not closed; close it.",
            ) from None
        return [cell.strip(" \t\u3000\ufeff") for cell in cells], line_number + 1

    def _find_delimiter(self) -> str:
        """Settle the delimiter by the first lines; note what is no plain CSV."""
        with self.path.open(encoding=self._seen.encoding, newline="") as file:
            sample = file.read(_SAMPLE).removeprefix("\ufeff")
            whole = not file.read(1)
        delimiter = delimiter_of(list(StringIO(sample, newline="")), whole=whole)
        if delimiter == FULL_WIDTH:
            raise full_width_commas(self.path)
        encoding = _UTF16.get(self._seen.encoding)
        if encoding or delimiter != ",":
            shown = SHOWN[delimiter]
            zh, en = (f"编码 {encoding}，", f"encoding {encoding}, ") if encoding else ("", "")
            self.notes.append(Text(f"{zh}分隔符 {shown}", f"{en}delimiter {shown}"))
        return delimiter

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows; every line of the file is in a row, blank, or a wrong row."""
        read = self._first - 1
        try:
            reading = self._plain() if self._seen.plain else self._careful(self._first)
            for chunk, lines in reading:
                read += lines
                yield chunk
        except OSError as error:
            raise os_error(self.path, error) from None
        if read != self._seen.lines:
            raise unusable(
                self.path,
                f"读到 {read} 行，文件却有 {self._seen.lines} 行。文件可能正在被修改，请重试。",
                f"{read} lines were read, but the file has {self._seen.lines}. "
                "It may be changing right now; try again.",
            )

    def _plain(self) -> Iterator[tuple[Chunk, int]]:
        """Read a file in which, as far as can be seen, every line is one row."""
        width, start = len(self.headings), self._first
        with self.path.open("rb") as file:
            for _ in range(start - 1):
                file.readline()
            for block in split_lines(file, self._seen.encoding, self._delimiter, width):
                if block.columns is None:
                    lines = StringIO(block.text.decode(), newline="")
                    chunks = list(self._rows(lines, start))
                    if any(one.code == "open_quote" for chunk, _ in chunks for one in chunk.wrong):
                        yield from self._careful(start)  # it may end behind the block, or never
                        return
                    yield from chunks
                else:
                    numbers = pa.array(np.arange(start, start + block.count))
                    rows, columns, blank = drop_blank(numbers, block.columns)
                    yield Chunk(rows, columns, [], blank), block.count
                start += block.count

    def _careful(self, start: int) -> Iterator[tuple[Chunk, int]]:
        """Read a file, from a line on, in which a row may span lines and a quote be left open."""
        with self.path.open(encoding=self._seen.encoding, newline="") as file:
            for _ in range(start - 1):
                file.readline()
            yield from self._rows(file, start)

    def _rows(self, file: Iterator[str], start: int) -> Iterator[tuple[Chunk, int]]:
        csv.field_size_limit(MAX_CELL)
        lines = Lines(file)
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        while True:
            with collector_paused():
                rows = _Rows(len(self.headings), self._delimiter)
                taken = _fill(rows, reader, lines, start)
                chunk = rows.chunk()
                del rows
            if not taken:
                return
            yield chunk, taken
            start += taken


def _fill(rows: _Rows, reader: Iterator[list[str]], lines: Lines, start: int) -> int:
    """Read a chunk's rows, the first on line `start`; return how many lines they took."""
    number = start
    while rows.count < CHUNK_ROWS:
        code = ""
        cells: list[str] = []
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error:
            code = "open_quote"
        taken = len(lines.taken)
        if taken > 1 and (code or _swallowed(cells, rows)):
            code = "open_quote"
        if code:
            if taken == 1 and len(lines.taken[0]) > MAX_CELL:
                code = "too_long"
            rows.wrong_line(number, code, lines.split())
            taken = 1
        else:
            rows.add(number, cells)
            lines.taken.clear()
        number += taken
    return number - start


def _swallowed(cells: list[str], rows: _Rows) -> bool:
    """Whether a record over several lines ate other rows: it has the wrong width, or one of its
    cells holds a line break and as many delimiters as a whole row."""
    return len(cells) != rows.width or any(
        cell.count(rows.delimiter) >= rows.width - 1 and ("\n" in cell or "\r" in cell)
        for cell in cells
    )


class _Rows:
    """Rows of a chunk in the making; what has the wrong width or a NUL goes to the wrong ones."""

    def __init__(self, width: int, delimiter: str) -> None:
        self.width, self.delimiter = width, delimiter
        self.count = 0
        self._numbers: list[int] = []
        self._cells: list[list[str]] = []
        self._wrong: list[WrongRow] = []
        self._blank = 0

    def add(self, number: int, cells: list[str]) -> None:
        self.count += 1
        if len(cells) != self.width:
            if not any(cells):
                self._blank += 1
                return
            if len(cells) < self.width or any(cells[self.width :]):
                detail = f"{len(cells)}/{self.width}"
                self._wrong.append(WrongRow(number, "ragged", tuple(cells), detail=detail))
                return
            cells = cells[: self.width]
        if any("\0" in cell for cell in cells):
            self._wrong.append(WrongRow(number, "nul", tuple(cells)))
            return
        self._numbers.append(number)
        self._cells.append(cells)

    def wrong_line(self, number: int, code: str, line: str) -> None:
        self.count += 1
        line = line.rstrip("\r\n")
        if code == "too_long":
            detail = str(len(line))
            self._wrong.append(
                WrongRow(number, code, tuple(line.split(self.delimiter)), detail=detail)
            )
        else:
            self._wrong.append(WrongRow(number, code, tuple(line.split(self.delimiter))))

    def chunk(self) -> Chunk:
        numbers = pa.array(self._numbers, pa.int64())
        chunk = text_chunk(numbers, self._cells, self._wrong, self.width)
        chunk.blank += self._blank
        return chunk
