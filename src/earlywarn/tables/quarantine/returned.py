"""A workbook of the quarantine that comes back: of which load it is, and what its rows say now."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from earlywarn.errors import EarlywarnError
from earlywarn.files import DAMAGED_ZIP
from earlywarn.tables.grids import Grid, Grids
from earlywarn.tables.grids.reading import read_book
from earlywarn.tables.quarantine.cells import read_back
from earlywarn.tables.quarantine.master import About, Kept, SheetAbout, Unit
from earlywarn.tables.quarantine.workbook import KEY_SHEET, WHERE
from earlywarn.tables.source import CHUNK_ROWS, MAX_CELL, Chunk, Source, WrongRow, text_chunk
from earlywarn.tables.wide import Again

_MOST_OF_NAMES = 1 << 20  # bytes: the sheets' names of any workbook that people make
_SPLIT = frozenset(("ragged", "open_quote"))  # a touched row is taken as it now stands


@dataclass(frozen=True)
class Key:
    """Of which load a workbook says that it is."""

    batch: int
    table: str
    content: str


@dataclass
class Row:
    """A row as it came back. `wrong`: codes of cells that have no value, by column."""

    kept: Kept
    cells: list[str]
    wrong: dict[int, str]
    is_touched: bool

    @property
    def changed(self) -> set[int]:
        """The columns whose text is not the file's."""
        before = self.kept.cells
        return {
            column
            for column, text in enumerate(self.cells, 1)
            if text != (before[column - 1] if column <= len(before) else "")
        }


@dataclass
class Returned:
    """What came back: rows still in quarantine, and how many others the workbook held."""

    rows: dict[tuple[str, int], Row] = field(default_factory=dict)
    mended_before: int = 0
    strange: int = 0  # without a place, with an unknown one or with another row's

    @property
    def units(self) -> dict[Unit, list[Row]]:
        """The rows by the pupil, or the row of a long table, that they are."""
        found: dict[Unit, list[Row]] = {}
        for row in self.rows.values():
            found.setdefault((row.kept.sheet, row.kept.unit), []).append(row)
        return found


def is_returned(path: Path) -> bool:
    """Whether the file is a workbook of a quarantine, by a first look."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open("xl/workbook.xml") as part:
            return KEY_SHEET.encode() in part.read(_MOST_OF_NAMES)
    except DAMAGED_ZIP:
        return False


def is_of_quarantine(book: Grids) -> bool:
    """Whether a workbook that was read is one of a quarantine."""
    return any(grid.name == KEY_SHEET for grid in book.sheets)


def read_workbook(path: Path) -> tuple[Key, list[Grid]]:
    """Return of which load a workbook is, and its other sheets.

    Raises
    ------
    EarlywarnError
        If it cannot be read, or its hidden sheet was changed.
    """
    _, book = read_book(path)
    for grid in book.sheets:
        if grid.name == KEY_SHEET:
            said = {row[0]: row[1] for row in grid.rows if len(row) > 1}
            if said.keys() >= {"batch", "table", "content"} and said["batch"].isdecimal():
                key = Key(int(said["batch"]), said["table"], said["content"])
                return key, [other for other in book.sheets if other is not grid]
    raise EarlywarnError(
        zh=f"{path.name}：隐藏的标识表被改动，认不出它属于哪次导入。"
        "请改用 data/_quarantine 里的原文件。",
        en=f"{path.name}: its hidden sheet was changed, so that it cannot be told of which load it "
        "is. Use the workbook in data/_quarantine.",
    )


def rows_of(
    path: Path, grids: list[Grid], about: About, master: list[Kept], now: dict[str, Kept]
) -> Returned:
    """Return what the rows of a workbook say.

    Parameters
    ----------
    master
        All rows that the master holds.
    now
        By place, the rows that are still in quarantine, as the workbook last showed them.

    Raises
    ------
    EarlywarnError
        If columns were moved.
    """
    by_place = {row.place: row for row in master}
    sheets = {sheet.name: sheet for sheet in about.sheets}
    headings = {r.sheet: r for r in master if r.is_frame and r.row == sheets[r.sheet].heading}
    found = Returned()
    for grid in grids:
        at = _where(grid)
        if at is None:
            found.strange += sum(any(row) for row in grid.rows)
            continue
        top, column = at
        for number, line in enumerate(grid.rows[top:], top + 1):
            if not any(line):
                continue
            kept = by_place.get(line[column - 1].strip())
            if kept is None:
                found.strange += 1
                continue
            sheet = sheets[kept.sheet]
            _check_columns(path, grid, top, column, sheet, headings[kept.sheet])
            key = (kept.sheet, kept.row)
            if kept.is_frame:
                continue
            if kept.place not in now:
                found.mended_before += 1
            elif key in found.rows:
                found.strange += 1
            else:
                found.rows[key] = _row(grid, number, sheet, kept, now[kept.place])
    return found


def _where(grid: Grid) -> tuple[int, int] | None:
    """Return row and column of the heading above the rows' places."""
    for number, line in enumerate(grid.rows, 1):
        for column, text in enumerate(line, 1):
            if text in (WHERE.zh, WHERE.en):
                return number, column
    return None


def _check_columns(
    path: Path, grid: Grid, top: int, column: int, sheet: SheetAbout, heading: Kept
) -> None:
    is_at_place = column == sheet.width + 1 and all(
        read_back(text, wanted) == wanted
        for text, wanted in zip(grid.rows[top - 1], heading.cells[: sheet.width], strict=False)
    )
    if not is_at_place:
        raise EarlywarnError(
            zh=f"{path.name} [{grid.name}]：表头或列的位置被改动。请撤销对列的改动，或从 "
            "data/_quarantine 重新打开原文件，只改橙色单元格。",
            en=f"{path.name} [{grid.name}]: headings or columns were changed or moved. Take that "
            "back, or begin again from the workbook in data/_quarantine; change the orange cells "
            "only.",
        )


def _row(grid: Grid, number: int, sheet: SheetAbout, kept: Kept, last: Kept) -> Row:
    line = grid.rows[number - 1]
    cells: list[str] = []
    for i in range(sheet.width):
        known = [row.cells[i] if i < len(row.cells) else "" for row in (last, kept)]
        cells.append(read_back(line[i], *known))
    cells += kept.cells[sheet.width :]
    wrong = {c: code for (r, c), code in grid.wrong.items() if r == number and c <= sheet.width}
    for column, code in kept.wrong:
        if column <= len(kept.cells) and cells[column - 1] == kept.cells[column - 1]:
            wrong.setdefault(column, code)
    is_confirmed = not "".join(line[sheet.width + 1 : sheet.width + 2]).strip()
    row = Row(kept, cells, wrong, is_confirmed)
    row.is_touched = is_confirmed or bool(row.changed)
    return row


class ReturnedSource(Source):
    """Rows of a long table that came back, under the numbers that they have in their file."""

    def __init__(self, about: About, rows: list[Row]) -> None:
        super().__init__(Path(about.file))
        self.headings = about.headings
        self.serial_epoch = about.epoch
        self.heading_row = about.sheets[0].heading
        self._rows = sorted(rows, key=lambda row: row.kept.row)

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows."""
        width = len(self.headings)
        for start in range(0, max(len(self._rows), 1), CHUNK_ROWS):
            good: list[tuple[int, list[str]]] = []
            wrong: list[WrongRow] = []
            for row in self._rows[start : start + CHUNK_ROWS]:
                code, detail, column = self._judged(row)
                if code:
                    heading = self.headings[column - 1] if 0 < column <= width else ""
                    value = row.cells[column - 1] if column else ""
                    cells = tuple(row.cells)
                    wrong.append(WrongRow(row.kept.row, code, cells, heading, value, detail))
                else:
                    good.append((row.kept.row, (row.cells + [""] * width)[:width]))
            numbers = pa.array([number for number, _ in good], pa.int64())
            yield text_chunk(numbers, [cells for _, cells in good], wrong, width)

    def _judged(self, row: Row) -> tuple[str, str, int]:
        """Return code, detail and column of what makes a row unreadable; an empty code: nothing."""
        if row.wrong:
            column = min(row.wrong)
            return row.wrong[column], "", column
        if any("\0" in cell for cell in row.cells):
            return "nul", "", 0
        longest = max(map(len, row.cells), default=0)
        if longest > MAX_CELL:
            return "too_long", str(longest), 0
        for problem in row.kept.problems:
            if problem.code in _SPLIT and not row.is_touched:
                return problem.code, problem.detail, 0
        width = len(self.headings)
        if any(row.cells[width:]):
            last = max(i for i, cell in enumerate(row.cells, 1) if cell)
            return "ragged", f"{last}/{width}", 0
        return "", "", 0


def again(about: About, master: list[Kept], rows: list[Row]) -> Iterator[Again]:
    """Yield each class sheet with the rows that came back, at their places."""
    for sheet in about.sheets:
        lines = {r.row: list(r.cells) for r in master if r.is_frame and r.sheet == sheet.name}
        wrong: dict[tuple[int, int], str] = {}
        for row in rows:
            if row.kept.sheet == sheet.name:
                lines[row.kept.row] = row.cells
                wrong |= {(row.kept.row, column): code for column, code in row.wrong.items()}
        blank = [""] * sheet.width
        padded = tuple(
            tuple((lines.get(number, []) + blank)[: sheet.width])
            for number in range(1, max(lines) + 1)
        )
        grid = Grid(sheet.name, padded, wrong, False, frozenset(), tuple(sheet.merged))
        counted, held = frozenset(sheet.counted), frozenset(sheet.held)
        yield Again(sheet.file, sheet.title, grid, counted, sheet.says_present, held)
