"""A file of wide sheets as a source of long rows: one for each pupil and day, or pupil and subject.

Whoever cannot be found, and every cell that cannot be read, is handed over as a wrong row with its
place; nothing is guessed. The rows are counted on through the file; `where` says sheet and cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np
from openpyxl.utils import get_column_letter

from earlywarn.errors import EarlywarnError, Text
from earlywarn.tables.grids import Grid, Grids
from earlywarn.tables.mapping import Mapping as TableMapping
from earlywarn.tables.mapping import Match
from earlywarn.tables.options import IngestOptions
from earlywarn.tables.source import Chunk, Source, WrongRow
from earlywarn.tables.wide.marks import MarkSheet, read_marks
from earlywarn.tables.wide.month import MonthSheet, SignCells, read_month
from earlywarn.tables.wide.rows import Place, RowMark, Rows, Texts
from earlywarn.tables.wide.said import Said
from earlywarn.tables.wide.sheet import Pupil, Sheet
from earlywarn.tables.wide.signs import Signs, Taken, dates_of, month_signs, taken_again
from earlywarn.tables.wide.whose import WHO, Whose
from earlywarn.workspace import Workspace

_VALUES = {"month": ("date", "status", "session"), "marks": ("date", "exam", "subject", "score")}
_SHOWN_ROWS = 12


@dataclass
class ReadSheet:
    """A sheet that was read, with what shows only beside all of its rows.

    `file`, `name`: its own; within the source it is known as `sheet.grid.name`. `units`: row -> the
    first row of its pupil; `counted`: (column, session) whose empty cells count; `says_present`:
    whether somebody's presence has a sign; `held`: columns with a mark.
    """

    file: str
    name: str
    sheet: Sheet
    units: dict[int, int] = field(default_factory=dict)
    legend_rows: frozenset[int] = frozenset()
    counted: frozenset[tuple[int, str]] = frozenset()
    says_present: bool = False
    held: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Again:
    """Some rows of a sheet that was read before, at their places, and what all its rows showed."""

    file: str
    name: str
    grid: Grid
    counted: frozenset[tuple[int, str]]
    says_present: bool
    held: frozenset[int]


@dataclass(frozen=True)
class _Place:
    """The sheet that is being read: its file and name, and what is known of it from before."""

    file: Path
    name: str
    before: Again | None = None


@dataclass(frozen=True)
class Mark:
    """How far a source's reading had come."""

    rows: RowMark
    sheets: int
    notes: int


class WideSource(Source):
    """Every sheet of one file, or of several, that has the mapping's layout, read into long rows.

    `match` says which heading is which column; `notes` what was left out, and how it was read.

    Parameters
    ----------
    path
        The file that is named where all of them are meant.
    several
        How many files will be read; of more than one, sheets are known by their file too.
    """

    def __init__(
        self,
        path: Path,
        mapping: TableMapping,
        options: IngestOptions,
        workspace: Workspace,
        several: int = 1,
    ) -> None:
        super().__init__(path)
        self.sheets: list[ReadSheet] = []
        self._labels: set[str] = set()
        self._mapping = mapping
        self._options = options
        self._whose = Whose(workspace, options)
        self.several = several
        self.headings = [*WHO, *_VALUES[mapping.layout]]
        columns = {name: i for i, name in enumerate(self.headings)}
        self.match = Match({n: i for n, i in columns.items() if n not in ("name", "class_id")})
        self.rows = Rows()

    @property
    def layout(self) -> str:
        """month or marks."""
        return self._mapping.layout

    @property
    def name(self) -> str:
        """The file's name, of several the first one's and how many they are."""
        return self.path.name if self.several == 1 else f"{self.path.name} … ({self.several})"

    def read(self, path: Path, grids: Grids) -> None:
        """Read the sheets of a file; its rows come after those of the files before.

        Raises
        ------
        EarlywarnError
            If no sheet has the layout, or a sheet leaves open of which month or exam it is; then
            nothing of the file is kept.
        """
        begun = self.mark()
        self.notes += grids.notes
        try:
            found = 0
            for grid in grids.sheets:
                label = self._label(path, grid.name)
                found += self._sheet(_Place(path, grid.name), replace(grid, name=label))
            if not found:
                raise self._nothing(path)
        except EarlywarnError:
            self.take_back(begun)
            raise

    def read_again(self, sheets: Iterable[Again]) -> None:
        """Read some rows of sheets that were read before."""
        for one in sheets:
            self._sheet(_Place(Path(one.file), one.name, one), one.grid)

    def mark(self) -> Mark:
        """Return how far the reading has come, for `take_back` and `digest`."""
        return Mark(self.rows.mark(), len(self.sheets), len(self.notes))

    def take_back(self, mark: Mark) -> None:
        """Leave out all that was read since `mark`."""
        self.rows.cut(mark.rows)
        del self.sheets[mark.sheets :], self.notes[mark.notes :]

    def digest(self, since: Mark | None = None) -> str:
        """Hash all rows since `since`: a sheet loaded before the registry gives others after it."""
        return self.rows.digest(since.rows if since else RowMark())

    def chunks(self) -> Iterator[Chunk]:
        """Yield the long rows, those that are wrong with the first of them."""
        return self.rows.chunks(len(self.headings))

    def where(self, row: int) -> str:
        """Return sheet and cell of a long row."""
        sheet, number, column = self.rows.place(row)
        cell = f"{get_column_letter(column)}{number}"
        return f"{sheet}!{cell}" if sheet else cell

    def cell(self, row: int) -> Place:
        """Return the sheet, row and column that a long row was read from."""
        return self.rows.place(row)

    def _label(self, path: Path, name: str) -> str:
        """Return what a sheet is known by: its name, of several files with the file's before it."""
        if self.several == 1:
            return name
        plain = label = f"{path.name} {name}".strip()
        number = 1
        while label in self._labels:
            number += 1
            label = f"{plain} ({number})"
        self._labels.add(label)
        return label

    def _sheet(self, place: _Place, grid: Grid) -> bool:
        """Read one sheet; return whether it has the layout and rows."""
        before = self.rows.count
        if self._mapping.layout == "month":
            month = read_month(grid, self._mapping)
            if month is not None:
                self._month(place, month)
        else:
            marks = read_marks(grid, self._mapping)
            if marks is not None:
                self._marks(place, marks)
        if self.rows.count > before:
            return True
        if any(text.strip() for line in grid.rows for text in line):
            self.notes.append(
                Text(
                    f"工作表“{grid.name}”里没有学生行，未使用",
                    f"sheet “{grid.name}” has no pupils' rows; left out",
                )
            )
        return False

    def _nothing(self, path: Path) -> EarlywarnError:
        zh = "一行日期（1-31 或日期）" if self._mapping.layout == "month" else "科目表头"
        en = "a row of days (1-31, or dates)" if self._mapping.layout == "month" else "subjects"
        return EarlywarnError(
            zh=f"{path.name}：没有找到表头：需要姓名或学籍号，以及{zh}。请检查表头，或在映射文件的 "
            f"who 中补充（当前映射：{self._mapping.name}）。",
            en=f"{path.name}: no heading was found: it needs a name or registry number, and {en}. "
            f"Look at the headings, or add yours under `who` in a mapping (now: "
            f"{self._mapping.name}).",
        )

    def _month(self, place: _Place, read: MonthSheet) -> None:
        said = Said(place.file, place.name, read.sheet, self._options)
        dates = dates_of(read, said)
        cells = read.signs()
        signs = Signs(self._mapping.values.get("status", {}), read.legend)
        if place.before is None:
            taken = month_signs(read.days, cells, dates, signs, self._options.through)
        else:
            taken = taken_again(cells, signs, place.before.counted, place.before.says_present)
        pupils = cells.pupils
        units = {row: pupils[at].row for row, at in zip(cells.rows, cells.of_pupil, strict=True)}
        kept = frozenset(taken.counted)
        self.sheets.append(
            ReadSheet(
                place.file.name,
                place.name,
                read.sheet,
                units,
                read.legend_rows,
                kept,
                taken.says_present,
            )
        )
        last = max((day for day in dates.values() if day), default=date.max)
        found = self._everybody(read.sheet, said, pupils, last)
        self._signs(read, cells, taken, dates, found)
        self._note_sheet(read.sheet)
        self.notes += taken.notes(read.sheet.grid.name)

    def _signs(
        self,
        read: MonthSheet,
        cells: SignCells,
        taken: Taken,
        dates: Mapping[int, date | None],
        found: Mapping[int, list[str]],
    ) -> None:
        """Add a row for every cell that counts for somebody, and for every wrong one."""
        grid, days = read.sheet.grid, read.days
        empty = len(cells.texts)  # the code of what an empty cell counts as
        codes = np.where(taken.empties(days, cells), empty, cells.codes)
        is_found = np.array([pupil.row in found for pupil in cells.pupils], bool)
        known = is_found[cells.of_pupil][:, None]
        conflict = np.array([taken.signs.is_conflict(text) for text in cells.texts] + [False])
        no_day = np.array([dates[day.column] is None for day in days])
        broken = np.zeros(codes.shape, bool)
        if grid.wrong:
            broken = np.array(
                [[(r, d.column) in grid.wrong for d in days] for r in cells.rows], bool
            )
            broken = broken.reshape(codes.shape)
        wrong = known & (broken | (((codes > 0) & (codes < empty)) & (conflict[codes] | no_day)))
        rows, columns = np.nonzero(known & ((codes > 0) | wrong))
        places = np.array([day.column for day in days])[columns]
        numbers = self.rows.number(grid.name, np.array(cells.rows, int)[rows], places)
        is_wrong = wrong[rows, columns]
        of_pupil = np.array(cells.of_pupil, int)[rows]
        for i in np.flatnonzero(is_wrong).tolist():
            text = cells.texts[cells.codes[rows[i], columns[i]]]
            code = grid.wrong.get((cells.rows[rows[i]], int(places[i])), "")
            if not code:
                code = "sign_conflict" if conflict[codes[rows[i], columns[i]]] else "no_such_day"
            who = found[cells.pupils[of_pupil[i]].row]
            self._wrong(int(numbers[i]), who, code, text)
        good = ~is_wrong
        rows, columns, of_pupil = rows[good], columns[good], of_pupil[good]
        whose = [found.get(pupil.row, ["", "", ""]) for pupil in cells.pupils]
        sessions = sorted({*cells.sessions, *(day.session for day in days), ""})
        of_row = np.array([sessions.index(one) for one in cells.sessions], int)[rows]
        of_day = np.array([sessions.index(day.session) for day in days], int)[columns]
        statuses = [
            *(taken.signs.status(text) if text else "" for text in cells.texts),
            taken.empty,
        ]
        iso = [day.isoformat() if day else "" for day in (dates[d.column] for d in days)]
        self.rows.add(
            numbers[good],
            (
                *(Texts([who[i] for who in whose], of_pupil) for i in range(len(WHO))),
                Texts(iso, columns),
                Texts(statuses, codes[rows, columns]),
                Texts(sessions, np.where(of_row != sessions.index(""), of_row, of_day)),
            ),
        )

    def _marks(self, place: _Place, read: MarkSheet) -> None:
        said = Said(place.file, place.name, read.sheet, self._options)
        day, exam = said.day(), said.exam()
        pupils = list(read.pupils())
        held = {
            column
            for column in read.subjects
            if any(read.sheet.cell(pupil.row, column) for pupil in pupils)
        }
        if place.before is not None:
            held = set(place.before.held)
        units = {pupil.row: pupil.row for pupil in pupils}
        self.sheets.append(
            ReadSheet(place.file.name, place.name, read.sheet, units, held=frozenset(held))
        )
        found = self._everybody(read.sheet, said, pupils, day)
        grid = read.sheet.grid
        columns = [column for column in read.subjects if column in held]
        cells = [(row, column) for row in found for column in columns]
        numbers = self.rows.number(grid.name, [r for r, _ in cells], [c for _, c in cells])
        good: list[int] = []
        lines: list[tuple[str, ...]] = []
        for number, (row, column) in zip(numbers.tolist(), cells, strict=True):
            score = read.sheet.cell(row, column)
            code = grid.wrong.get((row, column), "")
            if code:
                self._wrong(number, found[row], code, score)
            else:
                good.append(number)
                lines.append((*found[row], day.isoformat(), exam, read.subjects[column], score))
        each = np.arange(len(lines))
        self.rows.add(np.array(good, int), [Texts(c, each) for c in zip(*lines, strict=True)])
        self._note_sheet(read.sheet)
        left = [*read.left_out]
        left += [" ".join(read.sheet.heads[c]) for c in read.subjects if c not in held]
        if left:
            listed = dict.fromkeys(left)
            self.notes.append(
                Text(f"未使用的列：{'、'.join(listed)}", f"columns left out: {', '.join(listed)}")
            )
        self.notes.append(Text(f"考试：{exam}，{day}", f"exam: {exam}, {day}"))

    def _everybody(
        self, sheet: Sheet, said: Said, pupils: list[Pupil], day: date
    ) -> dict[int, list[str]]:
        """Return student_id, name and class by row; who cannot be told goes to the wrong rows."""
        found, unknown = self._whose.rows(sheet, said, pupils, day)
        for one in unknown:
            (number,) = self.rows.number(sheet.grid.name, [one.row], [one.column])
            self._wrong(int(number), one.shown, one.code, one.value, one.detail)
        return found

    def _wrong(self, number: int, who: list[str], code: str, value: str, detail: str = "") -> None:
        cells = (*who, *[""] * (len(self.headings) - len(who)))
        self.rows.wrong.append(WrongRow(number, code, cells, value=value, detail=detail))

    def _note_sheet(self, sheet: Sheet) -> None:
        if sheet.skipped:
            rows = ", ".join(map(str, sheet.skipped[:_SHOWN_ROWS]))
            more = " …" if len(sheet.skipped) > _SHOWN_ROWS else ""
            self.notes.append(
                Text(
                    f"工作表“{sheet.grid.name}”第 {rows}{more} 行是合计、说明或签名，未使用",
                    f"sheet “{sheet.grid.name}”: rows {rows}{more} are totals, notes or "
                    "signatures; left out",
                )
            )
