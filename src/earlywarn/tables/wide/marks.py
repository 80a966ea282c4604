"""A mark sheet: one row a pupil, one column a subject."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from earlywarn.tables.grids import Grid
from earlywarn.tables.mapping import Mapping, normal_heading
from earlywarn.tables.wide.sheet import (
    Pupil,
    Sheet,
    first_row,
    heads_of,
    roles,
    title_of,
    who_columns,
)

# Under a subject that has several columns: the one that is the mark.
_MARK = frozenset(map(normal_heading, ("成绩", "分数", "得分", "卷面分", "score", "mark")))
_NO_MARK = frozenset(
    map(
        normal_heading,
        (
            "名次",
            "排名",
            "班名",
            "班次",
            "校名",
            "级名",
            "年级排名",
            "班级排名",
            "等级",
            "rank",
            "赋分",
        ),
    )
)


@dataclass(frozen=True)
class MarkSheet:
    """A mark sheet: `subjects` says which column holds which subject."""

    sheet: Sheet
    subjects: dict[int, str]
    left_out: tuple[str, ...]

    def pupils(self) -> Iterator[Pupil]:
        """Yield each pupil's row; totals, notes and signatures go to `sheet.skipped`."""
        sheet = self.sheet
        for row in range(sheet.first, len(sheet.grid.rows) + 1):
            if sheet.is_rest(row):
                if any(text.strip() for text in sheet.grid.rows[row - 1]):
                    sheet.skipped.append(row)
                continue
            yield Pupil(row, sheet.words_of(row))


def read_marks(grid: Grid, mapping: Mapping) -> MarkSheet | None:
    """Find the heading of a mark sheet; None where the grid has none."""

    def is_heading(row: int) -> bool:
        line = [text for text in grid.rows[row - 1] if text.strip()]
        found = set().union(*(roles(mapping, [text]) for text in line)) if line else set()
        who = found & {"student_id", "id_number", "name"}
        return bool(who) and any(normal_heading(text) in mapping.subjects for text in line)

    row = first_row(grid, is_heading)
    if row is None:
        return None
    heading_rows = [row]
    if row < len(grid.rows):
        below = {normal_heading(text) for text in grid.rows[row] if text.strip()}
        if below and below <= (_MARK | _NO_MARK):
            heading_rows.append(row + 1)
    heads = heads_of(grid, heading_rows)
    who = who_columns(mapping, heads)
    subjects: dict[int, str] = {}
    left_out: list[str] = []
    for column, texts in sorted(heads.items()):
        folded = [normal_heading(text) for text in texts]
        named = next((mapping.subjects[text] for text in folded if text in mapping.subjects), None)
        if named is not None and not set(folded) & _NO_MARK and named not in subjects.values():
            subjects[column] = named
        elif column not in who.values():
            left_out.append(" ".join(texts))
    first = heading_rows[-1] + 1
    return MarkSheet(Sheet(grid, who, heads, title_of(grid, row), first), subjects, tuple(left_out))
