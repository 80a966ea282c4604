"""XLS of Excel 5 to 2003: values by xlrd; what it does not tell is looked up in the records.

Calamine, which reads the other workbooks, takes the GBK of an Excel 5 for UTF-16. A record is its
number, its length and its bytes; the numbers are those of [MS-XLS]. The records are gone through
before xlrd is asked, so that a cell far out is refused before room is made for all up to it.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import xlrd  # type: ignore[import-untyped]
from xlrd.compdoc import CompDoc  # type: ignore[import-untyped]

from earlywarn.tables.grids import limits
from earlywarn.tables.grids.cells import cell_text, number_text
from earlywarn.tables.grids.grid import Book, Grid, padded
from earlywarn.tables.grids.xlsx import EPOCH_1900, EPOCH_1904, library_errors, with_texts
from earlywarn.tables.source import unusable

_BOF, _EOF, _SHEET, _LOCK, _SINCE = 0x809, 0x0A, 0x85, 0x2F, 0x22
_ROW, _FORMULA, _MULRK, _MERGED = 0x208, 0x06, 0xBD, 0xE5
_CELLS = {_FORMULA, 0x203, 0x204, 0x205, 0xFD, 0x27E, 0xD6, _MULRK}
_HIDDEN_ROW, _CALCULATE = 0x20, 0x01
_NUMBER, _BLANK = -1, 3  # what a formula's stored result is; 0 a text, 1 yes or no, 2 an error


@dataclass
class _Sheet:
    """What the records of a sheet say beyond the values; rows and columns from 1."""

    index: int
    offset: int
    hidden: bool
    last_row: int = 0
    last_column: int = 0
    results: dict[tuple[int, int], int] = field(default_factory=dict)
    wrong: dict[tuple[int, int], str] = field(default_factory=dict)
    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)


def read_xls(path: Path) -> Book:
    """Return every worksheet of the old workbook at `path`."""
    if path.stat().st_size > limits.MAX_BYTES:
        most = limits.MAX_BYTES >> 20
        raise limits.too_much(path, f"文件超过 {most} MB", f"it is over {most} MB")
    content = path.read_bytes()
    with library_errors(path, "XLS"):
        stream = _stream(path, content)
        sheets, epoch = _globals(path, stream)
        cells = 0
        for sheet in sheets:
            _walk(stream, sheet)
            cells += sheet.last_row * sheet.last_column
        _never_calculated(sheets)
        if cells > limits.MAX_CELLS:
            raise limits.too_many_cells(path)
        workbook = xlrd.open_workbook(file_contents=content, logfile=io.StringIO(), on_demand=True)
        book = Book(epoch=epoch)
        for sheet in sheets:
            read = workbook.sheet_by_index(sheet.index)
            rows = [_texts(read, row, sheet, workbook.datemode) for row in range(read.nrows)]
            book.numeric.append(_numeric_columns(read))
            book.sheets.append(
                Grid(
                    read.name,
                    padded(path, with_texts(rows, sheet.texts)),
                    sheet.wrong,
                    sheet.hidden,
                    frozenset(sheet.hidden_rows),
                    tuple(sheet.merged),
                )
            )
            workbook.unload_sheet(sheet.index)
    return book


def _numeric_columns(read: Any) -> frozenset[int]:
    return frozenset(
        column
        for row in range(read.nrows)
        for column, kind in enumerate(read.row_types(row))
        if kind == xlrd.XL_CELL_NUMBER
    )


def _texts(read: Any, row: int, sheet: _Sheet, datemode: int) -> list[str]:
    """Return a row's cells as text, and note its error cells."""
    texts = []
    values, kinds = read.row_values(row), read.row_types(row)
    for column, (value, kind) in enumerate(zip(values, kinds, strict=True), 1):
        if kind == xlrd.XL_CELL_ERROR:
            sheet.wrong[row + 1, column] = "error_cell"
            texts.append(xlrd.error_text_from_code.get(value, "#N/A"))
        elif kind == xlrd.XL_CELL_DATE:
            texts.append(_moment(value, datemode))
        elif kind == xlrd.XL_CELL_BOOLEAN:
            texts.append(cell_text(bool(value)))
        else:
            texts.append(cell_text(value))
    return texts


def _moment(value: float, datemode: int) -> str:
    """Write a number in a date's format; one that can be no date stays a number."""
    try:
        moment = xlrd.xldate.xldate_as_datetime(value, datemode)
    except (OverflowError, ValueError):
        return number_text(value)
    if value < 0:
        return number_text(value)
    return cell_text(moment.time() if value < 1 else moment)


def _stream(path: Path, content: bytes) -> bytes:
    """Return the stream of records in the compound file."""
    compound = CompDoc(content, logfile=io.StringIO())
    for name in ("Workbook", "Book"):
        stream: bytes | None = compound.get_named_stream(name)
        if stream:
            return stream
    if compound.get_named_stream("EncryptedPackage"):
        raise limits.locked(path)
    if compound.get_named_stream("WordDocument") or compound.get_named_stream(
        "PowerPoint Document"
    ):
        raise unusable(
            path,
            "是 Word 或 PowerPoint 文件。请把其中的表格复制到工作簿，存为 .xlsx。",
            "is a Word or PowerPoint file. Copy its table into a workbook and save it as .xlsx.",
        )
    raise unusable(
        path,
        "是旧格式文件，但不是 Excel 工作簿（可能是 WPS 的 .et）。请打开后另存为 .xlsx。",
        "is in an old format, but no Excel workbook (perhaps an .et of WPS). Open it and save it "
        "as .xlsx.",
    )


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Yield the records of a substream, without those of the charts inside it."""
    depth = 0
    while True:
        number, length = struct.unpack_from("<HH", stream, at)
        body = stream[at + 4 : at + 4 + length]
        if len(body) < length:
            raise struct.error
        at += 4 + length
        if number == _BOF:
            depth += 1
        elif number == _EOF:
            depth -= 1
            if depth <= 0:
                return
        elif depth == 1:
            yield number, body


def _globals(path: Path, stream: bytes) -> tuple[list[_Sheet], date]:
    sheets: list[_Sheet] = []
    epoch, index = EPOCH_1900, 0
    for number, body in _records(stream, 0):
        if number == _LOCK:
            raise limits.locked(path)
        if number == _SINCE and struct.unpack_from("<H", body)[0] == 1:
            epoch = EPOCH_1904
        elif number == _SHEET:
            offset, state, kind = struct.unpack_from("<IBB", body)
            if kind == 0:
                sheets.append(_Sheet(index, offset, state & 3 != 0))
            index += 1
    if index > limits.MAX_SHEETS:
        count = limits.MAX_SHEETS
        raise limits.too_much(path, f"工作表超过 {count} 张", f"it has over {count} sheets")
    return sheets, epoch


def _walk(stream: bytes, sheet: _Sheet) -> None:
    for number, body in _records(stream, sheet.offset):
        if number == _ROW:
            if body[12] & _HIDDEN_ROW:
                sheet.hidden_rows.add(struct.unpack_from("<H", body)[0] + 1)
        elif number == _MERGED:
            for i in range(struct.unpack_from("<H", body)[0]):
                top, low, left, right = struct.unpack_from("<HHHH", body, 2 + 8 * i)
                sheet.merged.append((top + 1, left + 1, low + 1, right + 1))
        elif number in _CELLS:
            row, column = (place + 1 for place in struct.unpack_from("<HH", body))
            sheet.last_row = max(sheet.last_row, row)
            last = struct.unpack_from("<H", body, len(body) - 2)[0] + 1 if number == _MULRK else 0
            sheet.last_column = max(sheet.last_column, column, last)
            if number == _FORMULA:
                kind = body[6] if body[12:14] == b"\xff\xff" else _NUMBER
                sheet.results[row, column] = kind
                if kind == _BLANK and body[14] & _CALCULATE:
                    _mark_uncached(sheet, (row, column))


def _never_calculated(sheets: list[_Sheet]) -> None:
    """Mark the formulas of a workbook in which none has a result.

    A formula without one is stored as one whose result is blank. Where others have results, a
    program has calculated them all, and blank is the result.
    """
    if any(kind != _BLANK for sheet in sheets for kind in sheet.results.values()):
        return
    for sheet in sheets:
        for place in sheet.results:
            _mark_uncached(sheet, place)


def _mark_uncached(sheet: _Sheet, place: tuple[int, int]) -> None:
    sheet.wrong[place], sheet.texts[place] = "formula_uncached", "="
