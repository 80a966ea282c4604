"""A file of wide sheets as a source of long rows: one for each pupil and day, or pupil and subject.

Whoever cannot be found, and every cell that cannot be read, is handed over as a wrong row with its
place; nothing is guessed. The rows are counted on through the file; `where` says sheet and cell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
from openpyxl.utils import get_column_letter

from earlywarn.errors import EarlywarnError, Text
from earlywarn.tables.grids import Grid, Grids, read_grids
from earlywarn.tables.mapping import Mapping, Match
from earlywarn.tables.options import IngestOptions
from earlywarn.tables.source import CHUNK_ROWS, Chunk, Source, WrongRow, text_chunk
from earlywarn.tables.wide.children import Children
from earlywarn.tables.wide.marks import MarkSheet, read_marks
from earlywarn.tables.wide.month import MonthSheet, read_month
from earlywarn.tables.wide.said import Said
from earlywarn.tables.wide.sheet import Pupil, Sheet
from earlywarn.tables.wide.signs import Signs, dates_of, month_signs
from earlywarn.workspace import Workspace

WHO = ("student_id", "name", "class_id")
_VALUES = {"month": ("date", "status", "session"), "marks": ("date", "exam", "subject", "score")}
_SHOWN_ROWS = 12


class WideSource(Source):
    """Every sheet of a file that has the mapping's layout, read into long rows.

    `match` says which heading is which column; `notes` what was left out, and how it was read.

    Raises
    ------
    EarlywarnError
        If the file cannot be read, no sheet has the layout, or a sheet leaves open of which month
        or exam it is.
    """

    def __init__(
        self, path: Path, mapping: Mapping, options: IngestOptions, workspace: Workspace
    ) -> None:
        super().__init__(path)
        self._mapping = mapping
        self._options = options
        self._workspace = workspace
        self._children: dict[date, Children] = {}
        self.headings = [*WHO, *_VALUES[mapping.layout], "cell"]
        columns = {name: i for i, name in enumerate(self.headings)}
        self.match = Match(
            {n: i for n, i in columns.items() if n not in ("name", "class_id", "cell")}
        )
        self._places: list[str] = []
        self._rows: list[tuple[int, list[str]]] = []
        self._wrong: list[WrongRow] = []
        self._read(read_grids(path))

    def chunks(self) -> Iterator[Chunk]:
        """Yield the long rows, those that are wrong with the first of them."""
        wrong = self._wrong
        for start in range(0, max(len(self._rows), 1), CHUNK_ROWS):
            some = self._rows[start : start + CHUNK_ROWS]
            numbers = pa.array([number for number, _ in some], pa.int64())
            yield text_chunk(numbers, [cells for _, cells in some], wrong, len(self.headings))
            wrong = []

    def where(self, row: int) -> str:
        """Return sheet and cell of a long row."""
        return self._places[row - 1]

    @property
    def digest(self) -> str:
        """Hash of all rows: a sheet loaded before the registry gives others after it."""
        return sha256(repr((self._rows, self._wrong)).encode()).hexdigest()

    def _read(self, grids: Grids) -> None:
        self.notes += grids.notes
        found = 0
        for grid in grids.sheets:
            before = len(self._rows) + len(self._wrong)
            if self._mapping.layout == "month":
                month = read_month(grid, self._mapping)
                if month is not None:
                    self._month(month)
            else:
                marks = read_marks(grid, self._mapping)
                if marks is not None:
                    self._marks(marks)
            if len(self._rows) + len(self._wrong) > before:
                found += 1
            elif any(text.strip() for line in grid.rows for text in line):
                self.notes.append(
                    Text(
                        f"工作表“{grid.name}”里没有学生行，未使用",
                        f"sheet “{grid.name}” has no pupils' rows; left out",
                    )
                )
        if not found:
            raise self._nothing()

    def _nothing(self) -> EarlywarnError:
        zh = "一行日期（1-31 或日期）" if self._mapping.layout == "month" else "科目表头"
        en = "a row of days (1-31, or dates)" if self._mapping.layout == "month" else "subjects"
        return EarlywarnError(
            zh=f"{self.name}：没有找到表头：需要姓名或学籍号，以及{zh}。请检查表头，或在映射文件的 "
            f"who 中补充（当前映射：{self._mapping.name}）。",
            en=f"{self.name}: no heading was found: it needs a name or registry number, and {en}. "
            f"Look at the headings, or add yours under `who` in a mapping (now: "
            f"{self._mapping.name}).",
        )

    def _month(self, read: MonthSheet) -> None:
        said = Said(self.path, read.sheet, self._options)
        dates = dates_of(read, said)
        pupils = list(read.pupils())
        signs = Signs(self._mapping.values.get("status", {}), read.legend)
        taken = month_signs(read, pupils, dates, signs, self._options.through)
        last = max((day for day in dates.values() if day), default=date.max)
        found = self._everybody(read.sheet, said, [pupil for pupil, _ in pupils], last)
        for pupil, of_pupil in pupils:
            who = found.get(pupil.row)
            if who is None:
                continue
            for sign in of_pupil:
                place = self._place(read.sheet.grid, sign.row, sign.day.column)
                code = read.sheet.grid.wrong.get((sign.row, sign.day.column), "")
                if code or taken.conflicts(sign):
                    self._add_wrong(place, who, code or "sign_conflict", sign.text)
                    continue
                if sign.text and dates[sign.day.column] is None:
                    self._add_wrong(place, who, "no_such_day", sign.text)
                    continue
                status = taken.status(sign)
                if status:
                    day = dates[sign.day.column]
                    assert day is not None  # noqa: S101 - status says so
                    self._add(place, [*who, day.isoformat(), status, sign.session])
        self._note_sheet(read.sheet)
        self.notes += taken.notes(read.sheet.grid.name)

    def _marks(self, read: MarkSheet) -> None:
        said = Said(self.path, read.sheet, self._options)
        day, exam = said.day(), said.exam()
        pupils = list(read.pupils())
        held = {
            column
            for column in read.subjects
            if any(read.sheet.cell(pupil.row, column) for pupil in pupils)
        }
        found = self._everybody(read.sheet, said, pupils, day)
        for row, of_row in found.items():
            for column, subject in read.subjects.items():
                if column not in held:
                    continue
                place = self._place(read.sheet.grid, row, column)
                score = read.sheet.cell(row, column)
                code = read.sheet.grid.wrong.get((row, column), "")
                if code:
                    self._add_wrong(place, of_row, code, score)
                else:
                    self._add(place, [*of_row, day.isoformat(), exam, subject, score])
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
        """Return whom each row is about; a child that two rows are about is left to a person."""
        found = {pupil.row: who for pupil in pupils if (who := self._who(sheet, said, pupil, day))}
        rows: dict[str, list[int]] = defaultdict(list)
        for row, (student, *_) in found.items():
            rows[student].append(row)
        for same in rows.values():
            for row in same if len(same) > 1 else ():
                others = ", ".join(str(other) for other in same if other != row)
                place = self._place(sheet.grid, row, sheet.who.get("name", 1))
                self._add_wrong(place, found.pop(row), "child_twice", "", others)
        return found

    def _who(self, sheet: Sheet, said: Said, pupil: Pupil, day: date) -> list[str] | None:
        """Return student_id, name and class of a pupil's row; None if it went to the wrong ones."""
        words = pupil.who
        class_id = words.get("class_id") or said.class_id()
        shown = [words.get("student_id", ""), words.get("name", ""), class_id]
        for role, column in sheet.who.items():
            code = sheet.grid.wrong.get((pupil.row, column), "")
            if code and role in ("student_id", "id_number", "name", "class_id"):
                place = self._place(sheet.grid, pupil.row, column)
                self._add_wrong(place, shown, code, words.get(role, ""))
                return None
        if shown[0]:
            return shown
        column = sheet.who.get("id_number") or sheet.who.get("name") or 1
        place = self._place(sheet.grid, pupil.row, column)
        children = self._as_of(day)
        if words.get("id_number"):
            found = children.by_number(words["id_number"])
            value = ""  # an identity number stays out of messages
        elif not words.get("name"):
            self._add_wrong(place, shown, "no_name", "")
            return None
        else:
            school = self._school(children, said, words)
            if not school or not class_id:
                self._add_wrong(place, shown, "no_class" if school else "no_school", "")
                return None
            found = children.by_name(school, class_id, words["name"])
            value = ""
        if found.code:
            self._add_wrong(place, shown, found.code, value, found.detail)
            return None
        return [found.student_id, *shown[1:]]

    def _as_of(self, day: date) -> Children:
        if day not in self._children:
            self._children[day] = Children(self._workspace, day)
        return self._children[day]

    def _school(self, children: Children, said: Said, words: dict[str, str]) -> str:
        if words.get("school_id"):
            return words["school_id"]
        if self._options.school is not None:
            return self._options.school
        places = [words["school"]] if words.get("school") else said.places
        found = children.schools_in(places)
        if not found and len(children.known_schools) == 1:
            found = children.known_schools
        return next(iter(found)) if len(found) == 1 else ""

    def _place(self, grid: Grid, row: int, column: int) -> str:
        cell = f"{get_column_letter(column)}{row}"
        return f"{grid.name}!{cell}" if grid.name else cell

    def _add(self, place: str, cells: list[str]) -> None:
        self._places.append(place)
        self._rows.append((len(self._places), [*cells, place]))

    def _add_wrong(
        self, place: str, who: list[str], code: str, value: str, detail: str = ""
    ) -> None:
        self._places.append(place)
        blank = [""] * (len(self.headings) - len(who) - 1)
        cells = (*who, *blank, place)
        self._wrong.append(WrongRow(len(self._places), code, cells, value=value, detail=detail))

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
