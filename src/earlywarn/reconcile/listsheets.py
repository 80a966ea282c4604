"""The sheets of a list's file: of a workbook every one with the headings, village by village."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from earlywarn.errors import EarlywarnError, Text
from earlywarn.tables.grids.grid import Grid
from earlywarn.tables.grids.kinds import ENDINGS, kind_of
from earlywarn.tables.grids.reading import hidden_notes, read_book
from earlywarn.tables.grids.sources import SheetSource
from earlywarn.tables.headings import find_heading_row, notes_of
from earlywarn.tables.mapping import Mapping, Match
from earlywarn.tables.readers import open_source
from earlywarn.tables.source import Source, unusable

_WORKBOOKS = ("xlsx", "xls", "ods", "html")
_EXCEL = {ending for kind in ("xlsx", "xls") for ending in ENDINGS[kind]}


class VillageSheet(SheetSource):
    """One sheet of a workbook that was read as a whole; `name` says which, if there are several."""

    def __init__(self, path: Path, grid: Grid, epoch: date | None, name: str) -> None:
        super().__init__(path)
        self._grid, self._name = grid, name
        self.wrong = grid.wrong
        self.serial_epoch = epoch
        self.read_headings()

    @property
    def name(self) -> str:
        """The file's name, and the sheet's behind it."""
        return self._name

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (row number, cells as text)."""
        for number, row in enumerate(self._grid.rows, 1):
            yield number, list(row)


def sheets_of(path: Path, mapping: Mapping) -> tuple[list[tuple[Source, Match]], list[Text]]:
    """Return what of a file is to be read, with its columns, and what to know of the file.

    Raises
    ------
    EarlywarnError
        If no sheet has a name and a word of age among its headings; the message says what is
        missing in the first, and the cure.
    """
    if kind_of(path) in _WORKBOOKS:
        return _of_workbook(path, mapping)
    try:
        source = open_source(path)
        match = match_list(source, mapping)
    except EarlywarnError:
        if path.suffix.lower() in _EXCEL and kind_of(path) == "csv":
            raise _no_workbook(path) from None
        raise
    return [(source, match)], _told(source, match)


def match_list(source: Source, mapping: Mapping) -> Match:
    """Find the columns of a list; without a name, or any word of age, it is none."""
    find_heading_row(source, mapping)
    try:
        match = mapping.match(source.headings)
    except EarlywarnError as error:
        raise unusable(source.path, error.text.zh, error.text.en) from None
    row = source.heading_row
    if "name" not in match.columns and "name" not in mapping.defaults:
        raise unusable(
            source.path,
            f"第 {row} 行没有“姓名”（name）这一列。请补上表头，或用 --mapping 指定映射文件"
            f"（当前：{mapping.name}）。",
            f"row {row} has no column for the name (name, 姓名). Add the heading, or name a "
            f"mapping file with --mapping (now: {mapping.name}).",
        )
    if not {"birth_date", "id_number"} & match.columns.keys():
        raise unusable(
            source.path,
            f"第 {row} 行既没有“出生日期”（birth_date）也没有“身份证号”（id_number），"
            "看不出谁在学龄内。请补上其中一列，或用 --mapping 指定映射文件"
            f"（当前：{mapping.name}）。",
            f"row {row} has neither a birth date (birth_date, 出生日期) nor an identity number "
            "(id_number, 身份证号), so nothing says who is of school age. Add one of them, or "
            f"name a mapping file with --mapping (now: {mapping.name}).",
        )
    return match


def _of_workbook(path: Path, mapping: Mapping) -> tuple[list[tuple[Source, Match]], list[Text]]:
    _, book = read_book(path)
    filled = [grid for grid in book.sheets if any(map(any, grid.rows))]
    found: list[tuple[Source, Match]] = []
    notes = [_named(path.name, note) for note in book.notes]
    refused: list[EarlywarnError] = []
    left: list[str] = []
    for grid in filled:
        name = f"{path.name}“{grid.name}”" if len(filled) > 1 else path.name
        sheet = VillageSheet(path, grid, book.epoch, name)
        try:
            match = match_list(sheet, mapping)
        except EarlywarnError as error:
            refused.append(error)
            left.append(grid.name)
            continue
        rows = sum(row <= len(grid.rows) and any(grid.rows[row - 1]) for row in grid.hidden_rows)
        sheet.notes[:0] = hidden_notes(grid.name, grid.hidden, rows)
        found.append((sheet, match))
        notes += _told(sheet, match)
    if not found:
        raise refused[0]
    if left:
        notes.append(
            Text(
                f"{path.name}：没有表头“姓名”和“出生日期”或“身份证号”的工作表，未读入："
                f"{'、'.join(left)}。里面如有孩子，请补上表头后再比对",
                f"{path.name}: sheets without the headings name and birth date or identity number "
                f"were left out: {', '.join(left)}. If children stand there, add the headings and "
                "compare again",
            )
        )
    return found, notes


def _told(source: Source, match: Match) -> list[Text]:
    return [_named(source.name, note) for note in [*source.notes, *notes_of(match)]]


def _named(name: str, note: Text) -> Text:
    return Text(f"{name}：{note.zh}", f"{name}: {note.en}")


def _no_workbook(path: Path) -> EarlywarnError:
    ending = path.suffix.lower()
    return unusable(
        path,
        f"文件名是 {ending}，内容却不是 Excel 工作簿。请用 Excel 或 WPS 打开，另存为 .xlsx，"
        "或向提供者重新索要。",
        f"it is named {ending} and is no Excel workbook. Open it in Excel or WPS and save it as "
        ".xlsx, or ask its owner for it again.",
    )
