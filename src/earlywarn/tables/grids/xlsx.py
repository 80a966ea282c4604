"""XLSX: values by calamine; what calamine does not tell is looked up in the sheet's own XML.

Calamine gives an error cell, and a formula that was never calculated, as an empty cell, turns a
date's cell with 20261120 in it into a time, and does not know hidden rows. Most sheets have none of
this: a search over the sheet's bytes says so, and only otherwise its XML is gone through.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import IO, Any

from defusedxml.ElementTree import fromstring, iterparse
from python_calamine import CalamineWorkbook, PasswordError

from earlywarn.errors import EarlywarnError
from earlywarn.tables.grids import limits
from earlywarn.tables.grids.archive import Archive
from earlywarn.tables.grids.cells import cell_text, number_text
from earlywarn.tables.grids.grid import Book, Grid, padded

EPOCH_1900, EPOCH_1904 = date(1899, 12, 30), date(1904, 1, 1)
# A cell as every program writes it, and whether it is empty; of any other, only that it is there.
_CELL = re.compile(
    rb'<(?:\w+:)?c(?: r="([A-Z]{1,3})([0-9]{1,7})"(?: \w+="[^">]*")* ?(/?)>|(?=[\s/>]))'
)
_TELLING = re.compile(rb"<(?:\w+:)?f[\s/>]|\st\s*=\s*[\"']e[\"']|\shidden\s*=\s*[\"'](?:1|true)")
# What has none of these has nothing of the above: a search for it all is slow.
_SIGNS = (b"<f", b":f", b'"e"', b"'e'", b"hidden")
# A cell that may stand beyond ZZ999, or does not say where.
_FAR = re.compile(rb'<(?:\w+:)?c(?=[\s/>])(?! r="[A-Z]{1,2}[0-9]{1,3}")')
_NEAR_ROWS, _NEAR_COLUMNS = 999, 702
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


@dataclass
class SheetPart:
    """A worksheet: its name, its part in the package, its place among all sheets."""

    name: str
    part: str
    index: int
    hidden: bool


@dataclass
class Marks:
    """What a sheet's XML says beyond the values; rows and columns from 1.

    Beyond `last_row` and `last_column` there is nothing; of a small sheet they are only bounds.
    """

    last_row: int = 0
    last_column: int = 0
    wrong: dict[tuple[int, int], str] = field(default_factory=dict)
    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    """What stands in wrong cells, and the numbers in the cells that were asked for."""
    hidden_rows: set[int] = field(default_factory=set)


class Package:
    """An XLSX file's worksheets, checked against the limits before calamine opens it."""

    def __init__(self, path: Path, most: int = limits.MAX_UNPACKED) -> None:
        self.archive = Archive(path, "XLSX", most)
        self.path = path
        try:
            self.sheets = self._sheets()
        except (KeyError, ValueError, SyntaxError):  # ParseError is a SyntaxError
            raise self.archive.damaged() from None
        if len(self.sheets) > limits.MAX_SHEETS:
            count = limits.MAX_SHEETS
            raise limits.too_much(path, f"工作表超过 {count} 张", f"it has over {count} sheets")
        self.archive.check(but=frozenset(sheet.part for sheet in self.sheets))

    def _sheets(self) -> list[SheetPart]:
        named = next((n for n in self.archive.parts if n.lower() == "xl/workbook.xml"), "")
        book = fromstring(self.archive.read(named))
        self.epoch = EPOCH_1900
        folder, file = posixpath.split(named)
        targets: dict[str, tuple[str, str]] = {}
        for rel in fromstring(self.archive.read(f"{folder}/_rels/{file}.rels")):
            target = posixpath.normpath(posixpath.join("/" + folder, rel.attrib["Target"]))
            targets[rel.attrib["Id"]] = (target.lstrip("/"), rel.attrib.get("Type", ""))
        found = []
        for element in book.iter():
            tag = _plain(element.tag)
            if tag == "workbookPr" and element.get("date1904") in ("1", "true"):
                self.epoch = EPOCH_1904
            elif tag == "sheet":
                found.append(element)
        sheets = []
        for index, element in enumerate(found):
            key = next(v for k, v in element.attrib.items() if _plain(k) == "id" and "}" in k)
            part, kind = targets[key]
            if kind.endswith("/worksheet"):
                hidden = element.get("state", "visible") != "visible"
                sheets.append(SheetPart(element.attrib["name"], part, index, hidden))
        return sheets

    def open(self) -> CalamineWorkbook:
        """Return calamine's workbook."""
        with library_errors(self.path, "XLSX"), self.archive.open() as file:
            return CalamineWorkbook.from_filelike(file)  # from a path it goes by the ending

    def marks(self, sheet: SheetPart, most: int = limits.MAX_CELLS) -> Marks:
        """Look over a sheet's bytes, and through its XML if they hold what calamine hides.

        Raises
        ------
        EarlywarnError
            If its cells span more than `most`, empty ones between them included.
        """
        marks, telling = Marks(), False
        sparing = most >= _NEAR_ROWS * _NEAR_COLUMNS
        letters: set[bytes] = set()
        for piece in self.archive.blocks(sheet.part):
            told = any(sign in piece for sign in _SIGNS) and _TELLING.search(piece) is not None
            telling = telling or told
            if sparing and not telling and _FAR.search(piece) is None:
                if b"<v" in piece or b"<is" in piece:
                    marks.last_row, letters = max(marks.last_row, _NEAR_ROWS), letters | {b"ZZ"}
                continue
            cells = [cell for cell in _CELL.findall(piece) if not cell[2]]
            if not cells:
                continue
            of_piece = {column for column, _, _ in cells}
            letters |= of_piece
            marks.last_row = max(marks.last_row, *(int(row or 0) for _, row, _ in cells))
            telling = telling or b"" in of_piece
        if telling:
            marks = self.told(sheet)
        else:
            marks.last_column = max((_column(text.decode()) for text in letters), default=0)
        if marks.last_row * marks.last_column > most or marks.last_column > limits.MAX_COLUMNS:
            raise limits.too_many_cells(self.path)
        return marks

    def told(self, sheet: SheetPart, ask: frozenset[tuple[int, int]] = frozenset()) -> Marks:
        """Go through a sheet's XML; `ask` names cells whose stored numbers are wanted."""
        marks = Marks()
        row = column = 0
        depth, data = 0, None
        try:
            for event, element in iterparse(
                stream(self.archive.blocks(sheet.part)), events=("start", "end")
            ):
                tag = _plain(element.tag)
                if event == "start":
                    depth += 1
                    if depth > limits.MAX_DEPTH:
                        raise limits.too_much(
                            self.path,
                            f"XML 嵌套超过 {limits.MAX_DEPTH} 层",
                            f"its XML is over {limits.MAX_DEPTH} deep",
                        )
                    if tag == "sheetData":
                        data = element
                    elif tag == "row":
                        row, column = int(element.get("r") or row + 1), 0
                        if element.get("hidden") in ("1", "true"):
                            marks.hidden_rows.add(row)
                    elif tag == "c":
                        row, column = _place(element.get("r"), row, column)
                    continue
                depth -= 1
                if tag == "c":
                    _look(marks, element, (row, column), ask)
                    element.clear()
                elif tag == "row" and data is not None:
                    data.clear()
        except (SyntaxError, ValueError):
            raise self.archive.damaged() from None
        return marks


def _look(marks: Marks, cell: Any, place: tuple[int, int], ask: frozenset[tuple[int, int]]) -> None:
    """Note what is wrong with a cell, and its number if that was asked for."""
    formula = value = None
    if len(cell):
        marks.last_row = max(marks.last_row, place[0])
        marks.last_column = max(marks.last_column, place[1])
    for child in cell:
        tag = _plain(child.tag)
        if tag == "f":
            formula = child.text or ""
        elif tag == "v":
            value = child.text or ""
    kind = cell.get("t", "n")
    if kind == "e":
        marks.wrong[place], marks.texts[place] = "error_cell", value or "#N/A"
    elif formula is not None and not value and (value is None or kind != "str"):
        marks.wrong[place], marks.texts[place] = "formula_uncached", f"={formula}"
    elif place in ask and value:
        number = float(value)
        if not 0 <= number < 1:
            marks.texts[place] = number_text(number)


def read_xlsx(path: Path) -> Book:
    """Return every worksheet of the workbook at `path`."""
    package = Package(path)
    book = Book(epoch=package.epoch)
    calamine = package.open()
    left = limits.MAX_CELLS
    for part in package.sheets:
        marks = package.marks(part, left)
        with library_errors(path, "XLSX"):
            sheet = calamine.get_sheet_by_index(part.index)
            values = sheet.to_python(skip_empty_area=False)
            merged = sheet.merged_cell_ranges or []
        left -= len(values) * max(map(len, values), default=0)
        kinds = {type(value) for row in values for value in row}
        texts = marks.texts
        if time in kinds:
            texts = texts | package.told(part, _times(values)).texts
        rows = [[v if type(v) is str else cell_text(v) for v in row] for row in values]
        rows = with_texts(rows, texts)
        book.sheets.append(
            Grid(
                part.name,
                padded(path, rows),
                marks.wrong,
                part.hidden,
                frozenset(marks.hidden_rows),
                tuple((top + 1, left_ + 1, low + 1, right + 1)
                      for (top, left_), (low, right) in merged),
            )
        )  # fmt: skip
    return book


def _times(values: list[list[Any]]) -> frozenset[tuple[int, int]]:
    """Return the places, from 1, of what calamine took for times of day."""
    return frozenset(
        (r, c)
        for r, row in enumerate(values, 1)
        for c, value in enumerate(row, 1)
        if isinstance(value, time)
    )


def with_texts(rows: list[list[str]], texts: dict[tuple[int, int], str]) -> list[list[str]]:
    """Put the texts of single cells into `rows`, which may have to grow for them."""
    for (row, column), text in texts.items():
        while len(rows) < row:
            rows.append([])
        line = rows[row - 1]
        line.extend([""] * (column - len(line)))
        line[column - 1] = text
    return rows


class library_errors:  # noqa: N801 - used like contextlib's own
    """Turn whatever a library makes of a broken file into an error with its cure."""

    def __init__(self, path: Path, kind: str) -> None:
        self.path, self.kind = path, kind

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is None or issubclass(
            kind, OSError | EarlywarnError | GeneratorExit | KeyboardInterrupt
        ):
            return
        if issubclass(kind, PasswordError):
            raise limits.locked(self.path) from None
        raise limits.damaged(self.path, self.kind) from None  # its own panics too


class _Stream:
    """Blocks of bytes as a file for the XML parser."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks

    def read(self, size: int = -1) -> bytes:
        """Return the next block that is not empty; b"" at the end."""
        return next((block for block in self._blocks if block), b"")


def stream(blocks: Iterator[bytes]) -> IO[bytes]:
    """Return `blocks` as what the XML parser reads from."""
    return _Stream(blocks)  # type: ignore[return-value]


def _plain(name: Any) -> str:
    return str(name).rpartition("}")[2]


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _place(reference: str | None, row: int, column: int) -> tuple[int, int]:
    """Where a cell stands: as it says, else beside the one before."""
    if reference is None:
        return max(row, 1), column + 1
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise ValueError(reference)
    return int(found[2]), _column(found[1])
