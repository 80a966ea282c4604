"""What stands on the sheets of a workbook: its filled cells and the notes pinned to cells.

openpyxl opens the package, its texts and its formats; the cells of a sheet are taken one by one
from its parser. The library's own sheets pass over rows and cells that are out of order, fill every
row up to its last column, and make an error of a number such as 20261120 in a date's cell.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from defusedxml.ElementTree import fromstring, iterparse
from openpyxl.packaging.relationship import get_dependents, get_rels_path
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.cell import coordinate_to_tuple
from openpyxl.utils.datetime import from_excel
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.xml.constants import COMMENTS_NS, SHEET_MAIN_NS

from earlywarn.followup.returned.cells import Cell
from earlywarn.followup.returned.refusal import RefusedError, refused

MAX_SHEETS = 50
MAX_ROW = 100_000  # the last row that may be filled
MAX_COLUMN = 500
# Of all sheets together: filled cells and notes, their characters, elements of XML.
MAX_CELLS = 200_000
MAX_TEXT = 10_000_000
MAX_ELEMENTS = 1_000_000

_ROW, _NOTE, _TEXT = (f"{{{SHEET_MAIN_NS}}}{name}" for name in ("row", "comment", "t"))


@dataclass(frozen=True, slots=True)
class Sheet:
    """The filled cells and the notes of a sheet, by row and column; a note's `kind` is `note`."""

    cells: tuple[Cell, ...]
    notes: tuple[Cell, ...]


def read_sheets(name: str, content: bytes) -> dict[str, Sheet]:
    """Return the sheets of the workbook with this file name and these bytes, by their titles.

    Raises
    ------
    RefusedError
        If there is more in it than the limits above.
    Exception
        Whatever a broken part happens to cause.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what openpyxl would not write again does not matter
        reader = ExcelReader(io.BytesIO(content), read_only=True)
        reader.read_manifest()
        reader.read_strings()
        reader.read_workbook()
        apply_stylesheet(reader.archive, reader.wb)
        if len(reader.parser.sheets) > MAX_SHEETS:
            raise _too_many(name, f"工作表超过 {MAX_SHEETS} 张", f"over {MAX_SHEETS} sheets")
        book = _Book(name, reader)
        sheets = {
            sheet.name: Sheet(book.cells(rel.target), book.notes(rel.target))
            for sheet, rel in reader.parser.find_sheets()
            if "chartsheet" not in rel.Type
        }
        charts = sum("chartsheet" in rel.Type for _, rel in reader.parser.find_sheets())
        if len(sheets) + charts != len(reader.parser.sheets):
            raise zipfile.BadZipFile  # one leads nowhere, or two have one title
        return sheets


class _Book:
    """Takes cells and notes out of an opened workbook, and counts them."""

    def __init__(self, name: str, reader: Any) -> None:
        self.name, self.reader = name, reader
        self.seen = self.filled = self.characters = 0

    def cells(self, part: str) -> tuple[Cell, ...]:
        """Return the filled cells of a sheet's part."""
        with self.reader.archive.open(part) as source:
            return self._taken(self._of_rows(source))

    def notes(self, part: str) -> tuple[Cell, ...]:
        """Return the notes (comments) on the cells of a sheet's part."""
        return self._taken(self._of_notes(part))

    def _of_rows(self, source: Any) -> Iterator[Cell]:
        book = self.reader.wb
        parser = WorkSheetParser(source, self.reader.shared_strings, epoch=book.epoch)
        for _, element in iterparse(source):
            self.seen += 1
            if self.seen > MAX_ELEMENTS:
                raise _too_many(
                    self.name, f"格子超过 {MAX_ELEMENTS} 个", f"over {MAX_ELEMENTS} cells"
                )
            if element.tag == _ROW:
                for found in parser.parse_row(element)[1]:
                    value, kind = found["value"], found["data_type"]
                    if kind == "n" and found["style_id"] in book._date_formats:
                        value = self._moment(value, found["style_id"])
                    yield Cell(found["row"], found["column"], value, kind, book.epoch)
                element.clear()

    def _moment(self, value: Any, style: int) -> Any:
        """Return the date or time that a number in such a format is; the number if it is none."""
        book = self.reader.wb
        try:
            return from_excel(value, book.epoch, timedelta=style in book._timedelta_formats)
        except (OverflowError, ValueError):
            return value

    def _of_notes(self, part: str) -> Iterator[Cell]:
        archive, rels = self.reader.archive, get_rels_path(part)  # type: ignore[no-untyped-call]
        if rels not in self.reader.valid_files:
            return
        for rel in get_dependents(archive, rels).find(COMMENTS_NS):
            for note in fromstring(archive.read(rel.target)).iter(_NOTE):
                row, column = coordinate_to_tuple(note.attrib["ref"])
                text = "".join(run.text or "" for run in note.iter(_TEXT))
                yield Cell(row, column, text, "note", self.reader.wb.epoch)

    def _taken(self, found: Iterator[Cell]) -> tuple[Cell, ...]:
        cells = []
        for cell in found:
            if cell.value is None or (isinstance(cell.value, str) and not cell.value.strip()):
                continue
            self.filled += 1
            self.characters += len(cell.value) if isinstance(cell.value, str) else 0
            if cell.row > MAX_ROW or cell.column > MAX_COLUMN:
                raise _too_many(
                    self.name,
                    f"内容超出了第 {MAX_ROW} 行或第 {MAX_COLUMN} 列",
                    f"something after row {MAX_ROW} or column {MAX_COLUMN}",
                )
            if self.filled > MAX_CELLS:
                raise _too_many(
                    self.name,
                    f"填了内容的格超过 {MAX_CELLS} 个",
                    f"over {MAX_CELLS} filled cells",
                )
            if self.characters > MAX_TEXT:
                raise _too_many(
                    self.name, f"文字超过 {MAX_TEXT} 个字", f"over {MAX_TEXT} characters of text"
                )
            cells.append(cell)
        return tuple(sorted(cells, key=lambda cell: (cell.row, cell.column)))


def _too_many(name: str, zh: str, en: str) -> RefusedError:
    return refused(
        name,
        f"{zh}，不像是一份名单。请删去与名单无关的内容，另存后再试。",
        f"it has {en}, which no watchlist has. Remove what does not belong to the list, save it "
        "and try again.",
    )
