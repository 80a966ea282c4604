"""A sheet's parts: title, heading rows, which column is what, the pupils' rows, and the rest.

Rows and columns are counted from 1, as a person sees them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from earlywarn.tables.cells import folded
from earlywarn.tables.grids import Grid
from earlywarn.tables.mapping import Mapping, normal_heading

# How far down a heading is looked for.
HEADING_WITHIN = 40
_TOTAL = re.compile(
    r"^(合计|总计|小计|共计|总分|平均|均分|最高|最低|及格|优秀|优良|低分|标准差|人数|应到|实到|出勤率|缺勤率|"
    r"应考|实考|参考人数|满分|total|average|mean|sum|max|min)"
)
_NOTE = re.compile(
    r"^(注|备注|说明|图例|符号|填表|制表|填报|班主任|任课教师|教师|校长|负责人|审核|签字|签名|联系电话|"
    r"日期|时间|单位|学校|填写|考勤员|记录人|note|legend|sign)[^:：]{0,12}[:：]"
)
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Pupil:
    """One pupil's row (the first, where a pupil has two).

    `who` holds what the sheet says under student_id, id_number, name, class_id, school_id.
    """

    row: int
    who: dict[str, str]


@dataclass(frozen=True)
class Sheet:
    """A grid whose heading was found.

    `who`: role -> column; `heads`: column -> its headings, top to bottom; `title`: the texts above
    the heading; `first`: the first row below it.
    """

    grid: Grid
    who: dict[str, int]
    heads: dict[int, tuple[str, ...]]
    title: tuple[str, ...]
    first: int
    skipped: list[int] = field(default_factory=list)
    _words: dict[int, dict[str, str]] = field(default_factory=dict)
    _rest: dict[int, bool] = field(default_factory=dict)

    def cell(self, row: int, column: int) -> str:
        """Return a cell's text without white space around it."""
        return self.grid.rows[row - 1][column - 1].strip()

    def words_of(self, row: int) -> dict[str, str]:
        """Return what a row says about who it is, empty cells left out."""
        if row not in self._words:
            self._words[row] = self._read_words(row)
        return self._words[row]

    def _read_words(self, row: int) -> dict[str, str]:
        found = {role: self.cell(row, column) for role, column in self.who.items()}
        for role in ("class_id", "school_id", "school"):  # often merged over all of its pupils
            if role in found and not found[role]:
                found[role] = self._merged(row, self.who[role])
        return {role: text for role, text in found.items() if text}

    def filled(self, row: int) -> list[str]:
        """Return a row's cells, with what is merged over it from above written in."""
        cells = list(self.grid.rows[row - 1])
        for role in ("class_id", "school_id", "school"):
            column = self.who.get(role, 0)
            if column and not cells[column - 1].strip():
                cells[column - 1] = self._merged(row, column)
        return cells

    def _merged(self, row: int, column: int) -> str:
        for top, left, bottom, right in self.grid.merged:
            if top <= row <= bottom and left <= column <= right:
                return self.cell(top, left)
        return ""

    def is_rest(self, row: int) -> bool:
        """Whether a row is a total, a note or a signature line: no pupil's."""
        if row not in self._rest:
            self._rest[row] = self._is_rest(row)
        return self._rest[row]

    def _is_rest(self, row: int) -> bool:
        texts = [text for text in map(str.strip, self.grid.rows[row - 1]) if text]
        if not texts:
            return True
        who = self.words_of(row)
        first = folded(who.get("name", texts[0]))
        for text in (first, folded(texts[0])):
            if _TOTAL.match(text.casefold()) or _NOTE.match(text.casefold()):
                return True
        if "student_id" in who or "id_number" in who:
            return False
        return len(texts) == 1 and (len(first) > _LONGEST_NAME or "name" not in who)


def roles(mapping: Mapping, heads: Sequence[str]) -> set[str]:
    """Return what the headings of one column say that it holds: student_id, name, class_id …"""
    known = mapping.roles
    return {role for head in heads for role in known.get(normal_heading(head), ())}


def who_columns(mapping: Mapping, heads: dict[int, tuple[str, ...]]) -> dict[str, int]:
    """Return the column of each role, the first where there are two."""
    found: dict[str, int] = {}
    for column, texts in sorted(heads.items()):
        for role in roles(mapping, texts):
            found.setdefault(role, column)
    return found


def heads_of(grid: Grid, rows: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Return each column's headings in `rows`; a merged heading stands over all of its columns."""
    found: dict[int, list[str]] = {}
    for row in rows:
        line = grid.rows[row - 1]
        for column, text in enumerate(line, start=1):
            if text.strip():
                found.setdefault(column, []).append(text.strip())
        for top, left, bottom, right in grid.merged:
            if top <= row <= bottom:
                text = grid.rows[top - 1][left - 1].strip()
                for column in range(left, right + 1):
                    if text and text not in found.get(column, []):
                        found.setdefault(column, []).append(text)
    return {column: tuple(texts) for column, texts in found.items()}


def title_of(grid: Grid, above: int) -> tuple[str, ...]:
    """Return the texts above row `above`, top to bottom."""
    return tuple(text.strip() for line in grid.rows[: above - 1] for text in line if text.strip())


def first_row(grid: Grid, holds: Callable[[int], bool]) -> int | None:
    """Return the first row within reach of which `holds` is true."""
    for row in range(1, min(len(grid.rows), HEADING_WITHIN) + 1):
        if holds(row):
            return row
    return None
