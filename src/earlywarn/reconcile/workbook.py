"""`reconcile.xlsx`: a summary in words and numbers, and a sheet for each list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from earlywarn.errors import Lang
from earlywarn.reconcile.comparing import LISTS, Comparison, Found
from earlywarn.reconcile.listrows import UnreadRow
from earlywarn.reconcile.sheets import Book, sex
from earlywarn.reconcile.wording import (
    COMPARISONS,
    LIST_MEANINGS,
    LIST_TITLES,
    TODO,
    WORDS,
    todo,
    why,
)
from earlywarn.words import day_in_words

WORKBOOK = "reconcile.xlsx"
_WIDTHS = {
    "name": 10, "sex": 5, "birth_date": 11, "age": 7, "id_number": 20, "student_id": 21,
    "home": 14, "place": 22, "county": 11, "school": 16, "class_id": 7, "grade": 6, "why": 24,
    "todo": 30, "responsible": 15, "from": 15,
}  # fmt: skip
_PERSON = ("name", "sex", "birth_date")
_AT_SCHOOL = ("county", "school", "class_id", "grade", *_PERSON, "student_id")
_LINE = (
    *_PERSON, "age", "id_number", "home", "place", "why", "student_id", "responsible", "todo",
    "from",
)  # fmt: skip
_COLUMNS: dict[str, tuple[str, ...]] = {
    "no_roll": _LINE,
    "no_household": (*_AT_SCHOOL, "home", "why", "todo"),
    "not_in_class": (*_AT_SCHOOL, "home", "why", "todo"),
    "poor_out": _LINE,
    "poor_unmarked": (*_AT_SCHOOL, "why", "todo", "from"),
    "age_unknown": ("name", "sex", "id_number", "home", "place", "why", "todo", "from"),
}
_HOME, _PLACE = ("guardian", "guardian_phone"), ("county", "township", "address")
_NO_LIST = ("dropouts", "dropouts_marked")  # what is known without a poverty list
# The lists whose rows are lines first and children second.
_OF_LINES = ("no_roll", "poor_out", "age_unknown")


def write_workbook(
    path: Path,
    found: Comparison,
    *,
    as_of: date,
    lang: Lang,
    read: Sequence[tuple[str, str, int]],
    unread: Sequence[tuple[str, UnreadRow]],
    with_poverty: bool,
    notes: Sequence[str],
    responsible: Callable[[Found], str],
    generated: bool,
) -> None:
    """Write the workbook.

    Parameters
    ----------
    read
        The files: which list (households or poverty), name, number of lines.
    unread
        The rows that could not be read, each with its list.
    notes
        What else the summary says, a sentence each.
    responsible
        Returns the school that looks into a row of no_roll or poor_out.
    """
    book = Book(str(path), WORDS["title"](lang), as_of, lang)
    writer = _Writer(book, found, generated)
    writer.summary(read, unread, with_poverty, notes)
    for which in LISTS:
        writer.list(which, responsible)
    if unread:
        writer.unread(unread)
    book.close()


class _Writer:
    """Writes the sheets of one workbook."""

    def __init__(self, book: Book, found: Comparison, generated: bool) -> None:
        self.book, self.found, self.generated = book, found, generated
        self.lang: Lang = book.lang

    def word(self, key: str) -> str:
        return WORDS[key](self.lang)

    def _top(self, sheet: Any, title: str, lines: Sequence[str]) -> int:
        row = 0
        if self.generated:
            sheet.write_string(row, 0, self.word("generated"), self.book.note)
            row += 1
        sheet.write_string(row, 0, title, self.book.big)
        sheet.set_row(row, 24)
        for at, line in enumerate(lines, row + 1):
            sheet.write_string(at, 0, self.book.text(line), self.book.line)
        return row + 1 + len(lines)

    def summary(
        self,
        read: Sequence[tuple[str, str, int]],
        unread: Sequence[tuple[str, UnreadRow]],
        with_poverty: bool,
        notes: Sequence[str],
    ) -> None:
        """Write what was found, list by list, and the three comparisons county by county."""
        book, lang = self.book, self.lang
        sheet = book.sheet(self.word("summary"))
        book.widths = []
        sheet.set_column(0, 0, 22)
        sheet.set_column(1, 13, 11.5)
        day = f"{self.word('as_of')} {day_in_words(book.as_of, lang)}"
        row = self._top(sheet, self.word("title"), [day, *notes]) + 1
        for column, key in ((0, "list"), (1, "count"), (2, "meaning"), (8, "todo")):
            sheet.write_string(row, column, self.word(key), book.head)
        self._wide(sheet, row, self.word("meaning"), self.word("todo"), book.head)
        counts = {which: len(self.found.lists[which]) for which in LISTS}
        counts["unread"] = len({(one.file, one.row) for _, one in unread if not one.kept})
        for which, count in counts.items():
            row += 1
            sheet.write_string(row, 0, LIST_TITLES[which](lang), book.bold)
            sheet.write_number(row, 1, count, book.sum)
            steps = list(dict.fromkeys(t(lang) for t in TODO.get(which, {}).values()))
            meaning = LIST_MEANINGS[which](lang)
            if which.startswith("poor") and not with_poverty:
                meaning, steps = self.word("not_given"), []
            self._wide(sheet, row, meaning, "\n".join(steps), book.cell)
            sheet.set_row(row, 15.5 * max(1, sum(1 + len(s.encode("gbk")) // 68 for s in steps)))
        row = self._files(sheet, row + 2, read)
        for which, (title, columns) in COMPARISONS.items():
            shown = [c for c in columns if which != "poverty" or with_poverty or c[0] in _NO_LIST]
            row = self._counts(sheet, row + 1, which, title(lang), shown)
        sheet.print_area(0, 0, row, 13)

    def _wide(self, sheet: Any, row: int, meaning: str, steps: str, form: Any) -> None:
        sheet.merge_range(row, 2, row, 7, meaning, form)
        sheet.merge_range(row, 8, row, 13, steps, form)

    def _files(self, sheet: Any, row: int, read: Sequence[tuple[str, str, int]]) -> int:
        sheet.write_string(row, 0, self.word("files"), self.book.note)
        for kind, name, count in read:
            row += 1
            sheet.write_string(row, 0, self.word(kind), self.book.cell)
            sheet.write_number(row, 1, count, self.book.number)
            sheet.merge_range(row, 2, row, 7, self.book.text(name), self.book.cell)
        return row + 1

    def _counts(
        self, sheet: Any, row: int, which: str, title: str, columns: Sequence[tuple[str, Any]]
    ) -> int:
        book = self.book
        sheet.write_string(row, 0, title, book.note)
        row += 1
        texts = [self.word("county"), *(heading(self.lang) for _, heading in columns)]
        for column, text in enumerate(texts):
            sheet.write_string(row, column, text, book.head)
        sheet.set_row(row, 30)
        counts: dict[str, Counter[str]] = getattr(self.found, which)
        for county in sorted(counts):
            row += 1
            told = [counts[county][key] for key, _ in columns]
            book.cells(sheet, row, [county or self.word("no_county"), *told])
        row += 1
        sheet.write_string(row, 0, self.word("total"), book.bold)
        total = self.found.total(which)
        for column, (key, _) in enumerate(columns, 1):
            sheet.write_number(row, column, total[key], book.sum)
        return row + 1

    def list(self, which: str, responsible: Callable[[Found], str]) -> None:
        """Write one list."""
        lang, book = self.lang, self.book
        sheet = book.sheet(LIST_TITLES[which](lang))
        row = self._top(sheet, LIST_TITLES[which](lang), [LIST_MEANINGS[which](lang)])
        columns = _COLUMNS[which]
        book.headings(sheet, row, [(self.word(key), _WIDTHS[key]) for key in columns])
        sheet.freeze_panes(row + 1, 1 if which in _OF_LINES else 5)
        rows = self.found.lists[which]
        for at, one in enumerate(rows, row + 1):
            book.cells(sheet, at, [self._value(which, key, one, responsible) for key in columns])
        if rows:
            sheet.autofilter(row, 0, row + len(rows), len(columns) - 1)
        else:
            sheet.write_string(row + 1, 0, self.word("none"), book.line)

    def _value(self, which: str, key: str, one: Found, responsible: Callable[[Found], str]) -> Any:
        line, child = one.line or {}, one.child or {}
        first, second = (line, child) if which in _OF_LINES else (child, line)
        match key:
            case "why":
                return why(one, self.lang)
            case "todo":
                return todo(which, one, self.lang)
            case "age":
                return one.age
            case "responsible":
                return responsible(one)
            case "sex":
                return sex(first.get("sex") or second.get("sex"), self.lang)
            case "home":
                parts = (first.get(name) or second.get(name) for name in _HOME)
                return "\n".join(filter(None, parts))
            case "place":
                return " ".join(filter(None, (line[name] for name in _PLACE)))
            case "from":
                return f"{line['file']} {line['row']}"
            case "school":
                return child.get("school") or child.get("school_id")
            case _:
                value = first.get(key)
                return second.get(key) if value is None else value

    def unread(self, rows: Sequence[tuple[str, UnreadRow]]) -> None:
        """Write the rows that could not be read, with the cure."""
        lang, book = self.lang, self.book
        sheet = book.sheet(LIST_TITLES["unread"](lang))
        row = self._top(sheet, LIST_TITLES["unread"](lang), [LIST_MEANINGS["unread"](lang)])
        widths = {"list": 18, "file": 26, "row": 8, "column": 16, "why": 70}
        book.headings(sheet, row, [(self.word(key), width) for key, width in widths.items()])
        sheet.freeze_panes(row + 1, 0)
        for at, (kind, one) in enumerate(rows, row + 1):
            told = [self.word(kind), one.file, one.row, one.column, one.why(lang)]
            book.cells(sheet, at, told)
