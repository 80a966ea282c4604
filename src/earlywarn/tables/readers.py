"""Open an input file as a `Source`: CSV, XLSX (first sheet) or Parquet.

XLS, wide sheets and headings further down join here: a new kind of file is a new `Source`, and one
that reshapes another source's rows wraps it.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from math import isnan
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from python_calamine import CalamineWorkbook, PasswordError

from earlywarn.errors import EarlywarnError
from earlywarn.tables.csvfile import CsvSource
from earlywarn.tables.source import (
    CHUNK_ROWS,
    MAX_CELL,
    Chunk,
    Source,
    WrongRow,
    drop_blank,
    os_error,
    text_chunk,
    unusable,
)

_ZIP, _OLE, _PARQUET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1"
_MAX_UNPACKED = 4 << 30
_EXACT = 10**15  # a workbook keeps 15 digits of a number


def open_source(path: Path) -> Source:
    """Open the file at `path` by its ending: .csv (.txt), .xlsx (.xlsm), .parquet.

    Raises
    ------
    EarlywarnError
        If the file is missing, empty, of another kind than its ending says, or not readable; the
        message names the file and the cure.
    """
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise os_error(path, error) from None
    kind = path.suffix.lower()
    if kind == ".xls" or start.startswith(_OLE):
        raise unusable(
            path,
            "是旧式 .xls 或加了密码的工作簿。请去掉密码，另存为 .xlsx。",
            "is an old .xls or has a password. Save it as .xlsx without a password.",
        )
    if kind in (".xlsx", ".xlsm"):
        return XlsxSource(path)
    if kind in (".parquet", ".pq"):
        return ParquetSource(path)
    if kind not in (".csv", ".txt", ".tsv"):
        raise unusable(
            path,
            f"不认识文件类型 {kind or '（无扩展名）'}。请用 .csv、.xlsx 或 .parquet。",
            f"unknown kind of file {kind or '(no ending)'}. Use .csv, .xlsx or .parquet.",
        )
    for magic, zh, en in (
        (_ZIP, "其实是 Excel 工作簿，请把扩展名改为 .xlsx。", "is a workbook; name it .xlsx."),
        (_PARQUET, "其实是 Parquet，请把扩展名改为 .parquet。", "is Parquet; name it .parquet."),
    ):
        if start.startswith(magic):
            raise unusable(path, zh, en)
    return CsvSource(path)


def _not_a_workbook(path: Path) -> EarlywarnError:
    return unusable(
        path,
        "不是完整的 XLSX 文件（可能没有传完）。请重新导出或复制。",
        "is not a whole XLSX file (perhaps cut off on the way). Export or copy it again.",
    )


class XlsxSource(Source):
    """The first sheet of a workbook; row numbers are the sheet's own."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        if not path.stat().st_size:
            raise unusable(path, "文件是空的。", "the file is empty.")
        try:
            with zipfile.ZipFile(path) as book:
                if sum(info.file_size for info in book.infolist()) > _MAX_UNPACKED:
                    raise unusable(
                        path,
                        "工作簿解压后超过 4 GB，请改用 CSV。",
                        "the workbook unpacks to more than 4 GB; use CSV.",
                    )
                workbook = book.read("xl/workbook.xml")
            rows = self._rows()
            headings = next((row for _, row in rows if any(row)), None)
        except PasswordError:
            raise unusable(path, "工作簿有密码，请先去掉。", "has a password; remove it.") from None
        except OSError as error:
            raise os_error(path, error) from None
        except (zipfile.BadZipFile, KeyError):
            raise _not_a_workbook(path) from None
        if headings is None:
            raise unusable(path, "第一张表是空的。", "the first sheet is empty.")
        while headings and not headings[-1]:
            headings.pop()
        self.headings = [heading.strip(" \t\u3000\n") for heading in headings]
        starts_1904 = re.search(rb'date1904="(1|true)"', workbook) is not None
        self.serial_epoch = date(1904, 1, 1) if starts_1904 else date(1899, 12, 30)
        self.numeric.clear()

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (row number, cells as text)."""
        try:
            book = CalamineWorkbook.from_path(str(self.path))
            sheet = book.get_sheet_by_index(0)
            reading = sheet.iter_rows()
            first = 1
            while True:
                row = next(reading, None)
                if row is None:
                    return
                yield first, [self._text(cell, i) for i, cell in enumerate(row)]
                first += 1
        except (OSError, EarlywarnError, PasswordError, GeneratorExit, KeyboardInterrupt):
            raise
        except BaseException:  # a broken sheet may end in the library's own panic
            raise _not_a_workbook(self.path) from None

    def _text(self, cell: Any, column: int) -> str:
        if isinstance(cell, str):
            return cell
        if isinstance(cell, bool):
            return "true" if cell else "false"
        if isinstance(cell, int | float):
            self.numeric.add(column)
            return number_text(cell)
        if isinstance(cell, datetime):
            return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
        if isinstance(cell, date | time | timedelta):
            return str(cell)
        return "" if cell is None else str(cell)

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows below the headings."""
        width = len(self.headings)
        rows = self._rows()
        next(row for _, row in rows if any(row))
        numbers: list[int] = []
        cells: list[list[str]] = []
        wrong: list[WrongRow] = []
        for number, row in rows:
            if any(row[width:]):
                detail = f"{max(i for i, cell in enumerate(row, 1) if cell)}/{width}"
                wrong.append(WrongRow(number, "ragged", tuple(row), detail=detail))
            else:
                numbers.append(number)
                cells.append((row + [""] * width)[:width])
            if len(numbers) + len(wrong) >= CHUNK_ROWS:
                yield text_chunk(pa.array(numbers, pa.int64()), cells, wrong, width)
                numbers, cells, wrong = [], [], []
        yield text_chunk(pa.array(numbers, pa.int64()), cells, wrong, width)


def number_text(value: float) -> str:
    """Write a stored number: whole ones plainly while exact, else as a spreadsheet would."""
    if abs(value) >= _EXACT:
        return f"{float(value):.14E}"
    if float(value).is_integer():
        return str(int(value))
    return repr(float(value))


class ParquetSource(Source):
    """A Parquet file with flat columns; row numbers count from 1."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            if not path.stat().st_size:
                raise unusable(path, "文件是空的。", "the file is empty.")
            with pq.ParquetFile(path) as file:
                schema = file.schema_arrow
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, PermissionError | IsADirectoryError):
                raise os_error(path, error) from None
            raise self._broken() from None
        flat = [f.name for f in schema if not pa.types.is_nested(f.type)]
        self.headings = [name.strip() for name in flat]
        self._columns = flat

    def _broken(self) -> EarlywarnError:
        return unusable(
            self.path,
            "不是完整的 Parquet 文件。请重新导出。",
            "is not a whole Parquet file. Export it again.",
        )

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows."""
        start = 1
        try:
            with pq.ParquetFile(self.path) as file:
                for batch in file.iter_batches(batch_size=CHUNK_ROWS, columns=self._columns):
                    columns = [_as_text(batch.column(name)) for name in self._columns]
                    numbers = pa.array(range(start, start + batch.num_rows), pa.int64())
                    start += batch.num_rows
                    yield self._screened(numbers, columns)
        except (pa.ArrowException, OSError):
            raise self._broken() from None

    def _screened(self, numbers: pa.Array, columns: list[pa.Array]) -> Chunk:
        """Take out rows with a NUL or an overlong cell."""
        numbers, columns, blank = drop_blank(numbers, columns)
        bad: dict[int, str] = {}
        for column in columns:
            for code, found in (
                ("nul", pc.match_substring(column, "\0")),
                ("too_long", pc.greater(pc.utf8_length(column), MAX_CELL)),
            ):
                for index in pc.indices_nonzero(pc.fill_null(found, False)).to_pylist():
                    bad.setdefault(index, code)
        wrong = []
        for index, code in sorted(bad.items()):
            cells = tuple(column[index].as_py() or "" for column in columns)
            detail = str(max(map(len, cells))) if code == "too_long" else ""
            wrong.append(WrongRow(numbers[index].as_py(), code, cells, detail=detail))
        if wrong:
            keep = pa.array([i not in bad for i in range(len(numbers))])
            numbers, columns = numbers.filter(keep), [c.filter(keep) for c in columns]
        return Chunk(numbers, columns, wrong, blank)


def _as_text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if pa.types.is_timestamp(kind):
        column = pc.cast(column, pa.date32(), safe=False)
    elif pa.types.is_floating(kind):
        texts = [None if v is None or isnan(v) else number_text(v) for v in column.to_pylist()]
        return pa.array(texts, pa.string())
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pc.cast(column, pa.string())
    return pc.cast(column, pa.string())
