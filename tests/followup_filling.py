"""Watchlist workbooks filled in more than twenty messy ways, as schools do it.

Each way of `WAYS` takes the path of a workbook and a seed, fills the file in place and returns what
it typed; `fill_folder` does so with a whole run's. `lost` then tells what of it a reading, or the
ledger (`kept`), does not account for.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import copy
from datetime import date
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from openpyxl.cell import Cell
from openpyxl.comments import Comment
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet

from earlywarn.followup.answers import DATES, FIELDS, Answer, Place, Returned, Unread
from earlywarn.followup.ledger import Ledger
from earlywarn.followup.returned.choices import VARIANTS
from earlywarn.watchlist.columns import COLUMNS, KEY_SHEET
from earlywarn.watchlist.wording import word
from followup_typing import (
    NAMES,
    NOTES,
    Filled,
    Formula,
    Style,
    Typed,
    both,
    broken,
    by_hand,
    full_width,
    loosely,
    neat,
    numbers,
    shown,
    vague,
)

__all__ = ["WAYS", "Filled", "Formula", "fill_folder", "full_width", "invented", "lost", "neat"]

Way = Callable[[Path, int], list[Typed]]


def _styled(style: Style) -> Way:
    def way(path: Path, seed: int) -> list[Typed]:
        filled = Filled(path, seed)
        filled.fill(style)
        return filled.save()

    return way


def _snapshot(cell: Cell) -> tuple[Any, str, Any]:
    return cell._value, cell.data_type, copy(cell._style)


def _restore(cell: Cell, was: tuple[Any, str, Any]) -> None:
    cell._value, cell.data_type, cell._style = was


def _copy_row(sheet: Worksheet, source: int, target: int) -> None:
    for column in range(1, sheet.max_column + 1):
        _restore(sheet.cell(target, column), _snapshot(sheet.cell(source, column)))


def columns_moved(path: Path, seed: int) -> list[Typed]:
    filled = Filled(path, seed)
    sheet, order = filled.sheet, list(range(1, len(COLUMNS) + 1))
    filled.random.shuffle(order)
    for row in range(filled.heading, sheet.max_row + 1):
        was = [_snapshot(sheet.cell(row, column)) for column in order]
        for column, cell in enumerate(was, start=1):
            _restore(sheet.cell(row, column), cell)
    filled.fill(neat)
    return filled.save()


def columns_inserted(path: Path, seed: int) -> list[Typed]:
    filled = Filled(path, seed)
    for heading in ("备注", "电话打了几次", None):
        at = filled.random.randint(2, filled.sheet.max_column)
        filled.sheet.insert_cols(at)
        filled.sheet.cell(filled.heading, at).value = heading
        for row in filled.rows():
            if filled.random.random() < 0.5:
                filled.put(row, at, filled.random.choice([*NOTES[:2], 3]), filled.student(row))
    filled.typed.clear()  # a column inserted later has moved the earlier ones
    known = {text for key, _, _ in COLUMNS for text in both(key)}
    for row in filled.rows():
        for cell in filled.sheet[row]:
            if filled.sheet.cell(filled.heading, cell.column).value not in known and cell.value:
                filled.note(cell, filled.student(row), "", shown(cell.value))
    filled.fill(neat)
    return filled.save()


def titles_above(path: Path, seed: int) -> list[Typed]:
    filled = Filled(path, seed)
    count = filled.random.randint(1, 20)
    filled.sheet.insert_rows(1, count)
    filled.sheet["A1"] = "本周已核对，请勿再改"
    filled.fill(by_hand)
    return filled.save()


def rows_sorted(path: Path, seed: int) -> list[Typed]:
    filled = Filled(path, seed)
    rows = filled.rows()
    order = filled.random.sample(rows, len(rows))
    width = range(1, filled.sheet.max_column + 1)
    was = {row: [_snapshot(filled.sheet.cell(row, column)) for column in width] for row in rows}
    for target, source in zip(rows, order, strict=True):
        for column, cell in zip(width, was[source], strict=True):
            _restore(filled.sheet.cell(target, column), cell)
    filled.fill(loosely)
    return filled.save()


def rows_and_columns_hidden(path: Path, seed: int) -> list[Typed]:
    filled = Filled(path, seed)
    filled.fill(neat)
    for row in filled.rows():
        filled.sheet.row_dimensions[row].hidden = filled.random.random() < 0.5
    for letter in "ACKM":
        filled.sheet.column_dimensions[letter].hidden = True
    return filled.save()


def rows_deleted(path: Path, seed: int) -> list[Typed]:
    filled = Filled(path, seed)
    for _ in range(filled.random.randrange(max(1, len(filled.rows())))):
        filled.sheet.delete_rows(filled.random.choice(filled.rows()))
    filled.fill(by_hand)
    return filled.save()


def child_added(path: Path, seed: int) -> list[Typed]:
    filled = Filled(path, seed)
    filled.fill(neat)
    row = filled.sheet.max_row + filled.random.randint(1, 5)
    filled.put(row, filled.column("student"), filled.random.choice(NAMES), field="student")
    filled.sheet.cell(row, filled.column("class")).value = "九（3）班"
    filled.fill(neat, [row], nobody=True)
    if filled.random.random() < 0.5:
        filled.sheet.cell(row, filled.column("rank")).value = max(filled.students, default=0) + 1
    return filled.save()


def name_changed(path: Path, seed: int) -> list[Typed]:
    filled = Filled(path, seed)
    if not filled.rows():
        return []
    changed, *others = filled.random.sample(filled.rows(), len(filled.rows()))
    if others:
        filled.fill(neat, others)
    student, rank = filled.column("student"), filled.column("rank")
    filled.fill(neat, [changed], nobody=True)
    if filled.random.random() < 0.5:
        filled.put(changed, student, filled.random.choice(NAMES), field="student")
    else:
        number = filled.sheet.cell(changed, rank)
        number.value = filled.random.choice(
            [n for n in filled.students if n != number.value] or [99]
        )
        cell = filled.sheet.cell(changed, student)
        filled.note(cell, "", "student", str(cell.value))
    return filled.save()


def child_twice(path: Path, seed: int) -> list[Typed]:
    filled = Filled(path, seed)
    if not filled.rows():
        return []
    filled.fill(neat)
    again = filled.random.choice(filled.rows())
    last = filled.sheet.max_row + 1
    _copy_row(filled.sheet, again, last)
    for field in FIELDS:
        cell = filled.sheet.cell(last, filled.column(field))
        if cell.value is not None:
            filled.note(cell, filled.student(last), field, shown(cell.value))
    return filled.save()


def child_twice_with_other_answers(path: Path, seed: int) -> list[Typed]:
    filled = Filled(path, seed)
    if not filled.rows():
        return []
    last = filled.sheet.max_row + 1
    _copy_row(filled.sheet, filled.random.choice(filled.rows()), last)
    filled.fill(neat)
    return filled.save()


def sheet_renamed(path: Path, seed: int) -> list[Typed]:
    filled = Filled(path, seed)
    del filled.book[word("guide", filled.lang)]
    filled.sheet.title = "填好了 (最终版)"
    filled.fill(by_hand)
    return filled.save()


def sheet_copied(path: Path, seed: int) -> list[Typed]:
    filled = Filled(path, seed)
    filled.fill(neat)
    first = filled.sheet
    filled.sheet = filled.book.copy_worksheet(first)
    for row in filled.rows():
        for field in FIELDS:
            cell = filled.sheet.cell(row, filled.column(field))
            if cell.value is not None:
                filled.note(cell, filled.student(row), field, shown(cell.value))
    filled.book.copy_worksheet(filled.book[word("guide", filled.lang)])
    return filled.save()


def sheets_shown_and_moved(path: Path, seed: int) -> list[Typed]:
    filled = Filled(path, seed)
    filled.fill(loosely)
    filled.book[KEY_SHEET].sheet_state = filled.random.choice(["visible", "hidden"])
    filled.book.move_sheet(filled.book[KEY_SHEET], -2)
    return filled.save()


def since_1904(path: Path, seed: int) -> list[Typed]:
    filled = Filled(path, seed)
    filled.book.epoch = CALENDAR_MAC_1904
    filled.fill(neat)
    return filled.save()


def headings_translated(path: Path, seed: int) -> list[Typed]:
    filled = Filled(path, seed)
    filled.fill(by_hand)
    cells = {key: filled.sheet.cell(filled.heading, filled.column(key)) for key, _, _ in COLUMNS}
    for key, cell in cells.items():
        cell.value = f" {both(key)[filled.lang == 'zh']}\n"
    return filled.save()


def notes_below(path: Path, seed: int) -> list[Typed]:
    filled = Filled(path, seed)
    filled.fill(neat)
    below = filled.sheet.max_row + 3
    filled.put(below, filled.column("next"), "填表人：李老师", field="next")
    filled.put(below + 1, 1, "以上情况属实")
    filled.sheet = filled.book.create_sheet("电话记录")
    filled.put(3, 2, "打了三次，没人接")
    return filled.save()


def notes_on_cells(path: Path, seed: int) -> list[Typed]:
    """Answers in the notes (comments) of cells, some of them beside an answer in the cell."""
    filled = Filled(path, seed)
    filled.fill(neat)
    for row in filled.rows():
        field = filled.random.choice([*FIELDS, "student"])
        cell = filled.sheet.cell(row, filled.column(field))
        cell.comment = Comment(f"李老师:\n{filled.random.choice(NOTES[:2])} {row}", "李老师")
        about = field if field in FIELDS else ""
        filled.note(cell, filled.student(row), about, cell.comment.text)
    return filled.save()


def long_records(path: Path, seed: int) -> list[Typed]:
    """A sheet of somebody's own, longer than any answer."""
    filled = Filled(path, seed)
    filled.fill(neat)
    filled.sheet = filled.book.create_sheet("联系记录")
    for row in range(1, filled.random.randint(200, 300)):
        filled.put(row, 1, f"第{row}次：{filled.random.choice(NAMES)}打电话，没人接，过几天再打")
    filled.put(row + 1, 2, "很长" * 1500)
    return filled.save()


def days_as_numbers(path: Path, seed: int) -> list[Typed]:
    """20261120 pasted into the cell of a date, which Excel shows as `######`."""
    filled = Filled(path, seed)
    for row in filled.rows():
        for field in DATES:
            cell = filled.sheet.cell(row, filled.column(field))
            cell.value = int(f"{filled.as_of:%Y%m%d}")
            filled.note(cell, filled.student(row), field, str(cell.value))
    return filled.save()


def variants(filled: Filled, field: str) -> Any:
    """Choices in other words."""
    if field not in VARIANTS:
        return neat(filled, field)
    words = filled.random.choice(list(VARIANTS[field].values()))
    return filled.random.choice(words) + filled.random.choice(["", "。", "！", " "])


WAYS: dict[str, Way] = {
    "neat": _styled(neat),
    "by_hand": _styled(by_hand),
    "loosely": _styled(loosely),
    "vague": _styled(vague),
    "broken": _styled(broken),
    "numbers": _styled(numbers),
    "columns_moved": columns_moved,
    "columns_inserted": columns_inserted,
    "titles_above": titles_above,
    "rows_sorted": rows_sorted,
    "rows_and_columns_hidden": rows_and_columns_hidden,
    "rows_deleted": rows_deleted,
    "child_added": child_added,
    "name_changed": name_changed,
    "child_twice": child_twice,
    "child_twice_with_other_answers": child_twice_with_other_answers,
    "sheet_renamed": sheet_renamed,
    "sheet_copied": sheet_copied,
    "sheets_shown_and_moved": sheets_shown_and_moved,
    "since_1904": since_1904,
    "headings_translated": headings_translated,
    "notes_below": notes_below,
    "notes_on_cells": notes_on_cells,
    "long_records": long_records,
    "days_as_numbers": days_as_numbers,
    "variants": _styled(variants),
}


class Book(NamedTuple):
    """A filled workbook: its file, the way it was filled in, and what was typed."""

    path: Path
    way: str
    typed: list[Typed]


def fill_folder(lists: Path, into: Path, seed: int) -> list[Book]:
    """Copy every workbook of `lists` to `into` and fill each in, the next in the next of `WAYS`."""
    into.mkdir(parents=True, exist_ok=True)
    ways = Random(seed).sample(list(WAYS), len(WAYS))
    books = []
    for number, source in enumerate(sorted(lists.glob("*.xlsx"))):
        path = Path(shutil.copy(source, into / source.name))
        way = ways[number % len(ways)]
        books.append(Book(path, way, WAYS[way](path, seed + number)))
    return books


def kept(ledger: Ledger) -> dict[str, Returned]:
    """Return what the ledger holds of each file, by its name, in the form of a reading."""
    answers: dict[str, list[Answer]] = defaultdict(list)
    unread: dict[str, list[Unread]] = defaultdict(list)
    for case in ledger.cases():
        for entry in case.story:
            if entry.kind == "answer":
                file, _, where = entry.source.removesuffix("]").rpartition(" [")
                sheet, _, cell = where.rpartition("!")
                place = Place(file, sheet, cell, entry.typed or "")
                answers[file].append(
                    Answer(case.student_id or "", entry.field or "", entry.value or "", place)
                )
    for item in ledger.unsettled(settled=True):
        place = Place(item.file, item.sheet, item.cell, item.typed)
        unread[item.file].append(Unread(place, item.why, item.student_id, item.field))
    return {
        file: Returned(file, "", "", date.min, "", "", tuple(answers[file]), tuple(unread[file]))
        for file in answers.keys() | unread.keys()
    }


def lost(typed: Iterable[Typed], returned: Returned) -> list[Typed]:
    """Return what was typed and is neither an answer nor unread.

    An answer that stands twice in the workbook counts as read where it was read once; of what was
    typed for nobody, several cells may be told together.
    """
    read = [(a.student_id, a.field, a.place) for a in returned.answers]
    read += [(u.student_id or "", u.field or "", u.place) for u in returned.unread]
    at = {f"{place.sheet}!{place.cell}": (student, place.typed) for student, _, place in read}
    once = {(student, field, place.typed) for student, field, place in read}
    beside: dict[str, str] = defaultdict(str)
    for student, field, place in read:
        if not student and not field:
            beside[place.sheet] += f"{place.typed}\n"
    return [
        item
        for item in typed
        if (item.student, item.field, item.typed) not in once
        and not (
            item.cell in at
            and at[item.cell][0] == item.student
            and item.typed.strip() in at[item.cell][1]
        )
        and (item.student or item.field or item.typed not in beside[item.cell.rpartition("!")[0]])
    ]


def invented(typed: Iterable[Typed], returned: Returned) -> list[str]:
    """Return the cells that a reading names and in which nothing was typed."""
    cells = {item.cell for item in typed}
    places = [item.place for item in (*returned.answers, *returned.unread)]
    return [f"{p.sheet}!{p.cell}" for p in places if f"{p.sheet}!{p.cell}" not in cells]
