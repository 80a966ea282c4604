"""A filled workbook, read back as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from earlywarn.errors import Text
from earlywarn.followup.answers import FIELDS, KEY_SHEET, Answer, Place, Returned, Unread
from earlywarn.followup.returned.cells import LONGEST, Cell, read_answer
from earlywarn.followup.returned.headings import (
    EMPTY,
    HEADINGS,
    Heading,
    find_heading,
    squeezed,
    whole_number,
)
from earlywarn.followup.returned.key import Child, Key, read_key
from earlywarn.followup.returned.opening import Opened, open_workbook
from earlywarn.followup.returned.refusal import RefusedError, refused
from earlywarn.followup.returned.sheets import Sheet

_NOT_LISTED = Text(
    "这一行不是名单上的孩子（是手工添加的，或序号被清空、改过）。名单上的孩子请把序号改回原样再读入；"
    "名单外的孩子请另立个案登记。",
    "This row is no child of the list (added by hand, or its number was wiped or changed). For a "
    "child of the list, put its number back and import again; for another, open a case.",
)
_DISAGREE = Text(
    "这一行的序号和学生对不上：姓名、学号或序号被改过，或整行被覆盖，无法确定是哪个孩子。"
    "请按原名单改回序号和学生两格，再读入一次。",
    "The number and the student of this row do not belong together: one was changed, or the row "
    "was overtyped, so it may be either child. Put both back as on the list and import again.",
)
_OTHER_COLUMN = Text(
    "这一列不是名单上的列（是后加的，或列名被改过）。请把内容填到名单的列里，或把列名改回原样，再读入一次。",
    "This column is none of the list's (added, or its heading was changed). Type it into a column "
    "of the list, or put the heading back, and import again.",
)
_OTHER_SHEET = Text(
    "这张工作表上没有名单的列名，没有读。若有要登记的内容，请填到名单里再读入一次。",
    "This sheet has no heading of the list and was not read. If something on it matters, type it "
    "into the list and import again.",
)
_NOTE = Text(
    "这是批注，不在格子里，没有读入。若是一项回答，请填到这一行对应的格子里再读入一次。",
    "This is a note pinned to the cell, which is not read. If it answers something, type it into "
    "the row's own cell and import again.",
)
_REFUSED = Text(
    "这份文件整份没有读入，这里填的内容没有进台账。请按文件的提示改正后再读入一次。",
    "The whole file was refused, so what stands here is not in the ledger. Follow what is said of "
    "the file and import it again.",
)


def read_returned(path: Path, key: bytes) -> Returned:
    """Return what a school answered in the workbook at `path`.

    Every filled cell of the columns that a school fills in is among `answers` or `unread`, and so
    is what was typed beside the list: in rows, columns and sheets of somebody's own, in notes on
    cells. Equal answers of two rows count once. `key` is the one that the workbook was signed with.

    Raises
    ------
    RefusedError
        If the file is no workbook that can be read, or none of this workspace's lists; its `unread`
        holds what was typed in it.
    EarlywarnError
        If there is no such file.
    """
    opened = open_workbook(path)
    try:
        listed = read_key(opened, key)
    except RefusedError as error:
        typed = _Reading(opened, None)
        if typed.lists:
            error.unread = tuple(typed.unread)
        raise
    reading = _Reading(opened, listed)
    if not reading.lists:
        rank, student = HEADINGS["rank"], HEADINGS["student"]
        headless = refused(
            opened.name,
            f"没有一张工作表在前几十行里有名单的列名（至少要有“{rank.zh}”和“{student.zh}”）。"
            "请把列名改回原样再试。",
            f"no sheet has the heading of the list in its first rows (at least “{rank.en}” and "
            f"“{student.en}”). Put the heading back and try again.",
        )
        headless.unread = tuple(reading.unread)
        raise headless
    answers, disputed = reading.settled()
    return Returned(
        file=opened.name,
        sha256=opened.sha256,
        school_id=listed.school_id,
        as_of=listed.as_of,
        run=listed.run,
        version=listed.version,
        answers=answers,
        unread=(*reading.unread, *disputed),
    )


class _Reading:
    """What is read of one workbook; of one that is refused (no `listed`), what was typed."""

    def __init__(self, opened: Opened, listed: Key | None) -> None:
        self.file, self.listed = opened.name, listed
        self.lists = 0
        self.unread: list[Unread] = []
        self.answers: dict[tuple[str, str], list[Answer]] = {}
        for title, sheet in opened.sheets.items():
            if not title.startswith(KEY_SHEET):
                self._sheet(title, sheet)

    def _sheet(self, name: str, sheet: Sheet) -> None:
        """Read a sheet: a list, or the guide, or something that is none of ours."""
        heading = find_heading((cell.row, cell.column, cell.text) for cell in sheet.cells)
        children: dict[int, Child] = {}
        if heading:
            self.lists += 1
            for row, among in groupby(sheet.cells, key=lambda cell: cell.row):
                child = self._row(name, heading, list(among)) if row > heading.row else None
                if child:
                    children[row] = child
        elif sheet.cells and not _is_guide(sheet.cells):
            self._together(name, sheet.cells, _OTHER_SHEET if self.listed else _REFUSED)
        for note in sheet.notes:
            child = children.get(note.row)
            field = heading.columns.get(note.column) if heading else None
            self.unread.append(
                Unread(
                    Place(self.file, name, note.name, note.text),
                    _NOTE if self.listed else _REFUSED,
                    child.student_id if child else None,
                    field if field in FIELDS else None,
                )
            )

    def _row(self, sheet: str, heading: Heading, cells: list[Cell]) -> Child | None:
        """Read a row below the heading; return the child whose row it is, if anybody's."""
        if heading.repeats((cell.column, cell.text) for cell in cells):
            return None
        texts = {cell.column: cell.text for cell in cells}
        children = self.listed.children if self.listed else {}
        if not children and list(texts.values()) in ([EMPTY.zh], [EMPTY.en]):
            return None
        number = whole_number(texts.get(heading.column("rank"), ""))
        child = None if number is None else children.get(number)
        printed = squeezed(texts.get(heading.column("student"), ""))
        if self.listed is None:
            # Nobody can say what was printed: a row of the list without an answer counts as that.
            is_ours = number is not None and bool(printed)
            if not is_ours or any(_is_typed(heading, cell) for cell in cells):
                self._unknown_row(sheet, heading, cells, _REFUSED, only_student=is_ours)
        elif child is None:
            self._unknown_row(sheet, heading, cells, _NOT_LISTED)
        elif child.printed != printed:
            self._unknown_row(sheet, heading, cells, _DISAGREE, only_student=True)
        else:
            for cell in cells:
                self._answer(sheet, heading, child, self.listed, cell)
            return child
        return None

    def _answer(self, sheet: str, heading: Heading, child: Child, listed: Key, cell: Cell) -> None:
        if not _is_typed(heading, cell):
            return
        field = heading.columns.get(cell.column)
        place = Place(self.file, sheet, cell.name, cell.text)
        value = read_answer(field, cell, listed.as_of) if field else _OTHER_COLUMN
        if field and isinstance(value, str):
            answer = Answer(child.student_id, field, value, place)
            self.answers.setdefault((child.student_id, field), []).append(answer)
        elif isinstance(value, Text):
            self.unread.append(Unread(place, value, child.student_id, field))

    def _unknown_row(
        self,
        sheet: str,
        heading: Heading,
        cells: list[Cell],
        why: Text,
        *,
        only_student: bool = False,
    ) -> None:
        """Note the row of nobody known: who it is said to be, then each answer.

        `only_student`: the rest of the row is what the program itself had printed.
        """
        printed = [cell for cell in cells if not _is_typed(heading, cell)]
        student = [c for c in printed if c.column == heading.column("student")]
        others = [] if only_student and student else [c for c in printed if c not in student]
        self._together(sheet, [*student, *others], why)
        for cell in cells:
            if _is_typed(heading, cell):
                place = Place(self.file, sheet, cell.name, cell.text)
                self.unread.append(Unread(place, why, field=heading.columns.get(cell.column)))

    def _together(self, sheet: str, cells: Sequence[Cell], why: Text) -> None:
        """Note cells that say something only together, at the first of them."""
        for block in _blocks(cells):
            text = " | ".join(cell.text.strip() for cell in block)
            self.unread.append(Unread(Place(self.file, sheet, block[0].name, text), why))

    def settled(self) -> tuple[tuple[Answer, ...], list[Unread]]:
        """Return the answers, equal ones once, and those that contradict one another."""
        answers: list[Answer] = []
        disputed: list[Unread] = []
        for given in self.answers.values():
            if len({answer.value for answer in given}) == 1:
                answers.append(given[0])
            else:
                disputed += [_dispute(answer, given) for answer in given]
        return tuple(answers), disputed


def _dispute(answer: Answer, given: list[Answer]) -> Unread:
    others = [a.place for a in given if a.value != answer.value]
    cells = [f"{place.sheet}!{place.cell}" for place in others]
    why = Text(
        f"同一个孩子的这一项填了不同的回答，另见 {'、'.join(cells)}。"
        "请留下正确的一个，再读入一次。",
        f"This child has different answers to one question, see {', '.join(cells)}. Keep the "
        "right one and import again.",
    )
    return Unread(answer.place, why, answer.student_id, answer.field)


def _is_guide(cells: tuple[Cell, ...]) -> bool:
    """Return whether a sheet is the guide, whatever its name: it begins with what tiers mean."""
    first = cells[0]
    return (first.row, first.column) == (1, 1) and first.text in HEADINGS["tier"]


def _is_typed(heading: Heading, cell: Cell) -> bool:
    """Return whether a school writes into the cell's column: an answer, or a column of its own."""
    return heading.columns.get(cell.column) in (None, *FIELDS)


def _blocks(cells: Sequence[Cell]) -> Iterator[list[Cell]]:
    """Split cells where the text of those before would become too long to look through."""
    block: list[Cell] = []
    size = 0
    for cell in cells:
        if block and size + len(cell.text) > LONGEST:
            yield block
            block, size = [], 0
        block.append(cell)
        size += len(cell.text)
    if block:
        yield block
