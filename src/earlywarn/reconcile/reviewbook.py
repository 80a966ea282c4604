"""`review.xlsx`: the pairs that a person must judge, side by side, with one column to fill in.

A very hidden sheet says which reconciliation it is of (its day and number), and which line and
child each number is. Every row is signed by itself, with what it shows, so that a row taken out
leaves the others as good as they were.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from earlywarn.errors import Lang, Text
from earlywarn.followup.returned.headings import squeezed
from earlywarn.reconcile.answers import CHOICES
from earlywarn.reconcile.fields import agreement_words
from earlywarn.reconcile.registry import Row
from earlywarn.reconcile.sheets import Book, sex
from earlywarn.reconcile.wording import WORDS

REVIEW = "review.xlsx"
KEY_SHEET = "_earlywarn_reconcile"
KEY_FORMAT = "2"
NUMBER = Text("序号", "No.")
ANSWER = Text("是不是同一人", "Same child?")
_TITLE = Text("待人工判断的对应", "Pairs to be judged")
_HOW = Text(
    "每格上行是名单上的写法，下行是学籍里的写法。请逐行在浅蓝色一列点选：是同一人、不是、不确定；"
    "填好后运行 earlywarn reconcile review 本文件。不要改别的格子。",
    "The upper line is what the list says, the lower what the registry says. Choose in the light "
    "blue column, row by row: the same child, not the same, not sure; then run `earlywarn "
    "reconcile review` with this file. Leave the other cells as they are.",
)
_WEIGHT = Text(
    "权重越大越像同一人（0 为各半）；同一行名单可能有几个候选，至多一个是。",
    "The higher the weight, the likelier the same child (0: evens). A line may have several "
    "candidates; at most one is right.",
)
# Columns between number and answer: heading, width. Where both sides have a field they stand one
# above the other, the list's first.
_COLUMNS: tuple[tuple[Text, float], ...] = (
    (Text("名单", "List"), 14),
    (WORDS["name"], 10),
    (WORDS["sex"], 5),
    (WORDS["birth_date"], 11),
    (Text("身份证号（名单）", "Identity number (list)"), 20),
    (Text("学籍号（学籍）", "Registry number (registry)"), 21),
    (Text("监护人", "Guardian"), 10),
    (Text("联系电话", "Phone"), 13),
    (Text("住址（名单）；学校、班级（学籍）", "Address (list); school, class (registry)"), 24),
    (Text("符合情况", "What agrees"), 22),
    (Text("权重", "Weight"), 7),
)
_BOTH, _HOME = ("name", "sex", "birth_date"), ("guardian", "guardian_phone")


@dataclass(frozen=True, slots=True)
class Run:
    """A reconciliation: its folder is reconcile/AS_OF/NUMBER."""

    as_of: date
    number: int


@dataclass(frozen=True)
class ToJudge:
    """One pair to judge: which list it is of, the line and what it is known by, the child."""

    kind: str
    line: Row
    key: str
    child: Row
    weight: float | None
    agreement: str


def token(
    key: bytes, run: Run, number: int, line: str, student_id: str, shown: Sequence[str]
) -> str:
    """Return the signature of one pair; `shown` are the cells between its number and the answer.

    White space and full-width forms, which programs change when they save, do not matter.
    """
    cells = [squeezed(cell) for cell in shown]
    content = json.dumps(
        [KEY_FORMAT, run.as_of.isoformat(), run.number, number, line, student_id, cells]
    )
    return hmac.new(key, content.encode(), hashlib.sha256).hexdigest()


def write_review(
    path: Path, asked: Sequence[ToJudge], *, run: Run, lang: Lang, key: bytes, generated: bool
) -> None:
    """Write the workbook of the pairs, in their order; `key` signs it."""
    book = Book(str(path), WORDS["title"](lang), run.as_of, lang)
    sheet = book.sheet(_TITLE(lang))
    row = 0
    if generated:
        sheet.write_string(row, 0, WORDS["generated"](lang), book.note)
        row += 1
    sheet.write_string(row, 0, _TITLE(lang), book.big)
    sheet.set_row(row, 24)
    sheet.write_string(row + 1, 0, _HOW(lang), book.line)
    sheet.write_string(row + 2, 0, _WEIGHT(lang), book.line)
    row += 3
    columns = [(NUMBER, 6.0), *_COLUMNS, (ANSWER, 14.0)]
    book.headings(sheet, row, [(text(lang), width) for text, width in columns])
    answer = len(columns) - 1
    sheet.write_string(row, answer, ANSWER(lang), book.head_fill)
    first = row + 1
    for number, pair in enumerate(asked, 1):
        row += 1
        book.cells(sheet, row, [number, *cells_of(pair, lang)])
        sheet.write_blank(row, answer, None, book.fill)
    choices = {
        "validate": "list",
        "source": [text(lang) for text in CHOICES.values()],
        "error_title": ANSWER(lang),
        "error_message": Text("请从列表中选择。", "Choose from the list.")(lang),
    }
    sheet.data_validation(first, answer, row, answer, choices)
    sheet.freeze_panes(first, 4)
    sheet.autofilter(first - 1, 0, row, answer)
    sheet.protect("", {"autofilter": True, "format_columns": True, "format_rows": True})
    _key(book, asked, run, lang, key)
    book.close()


def cells_of(pair: ToJudge, lang: Lang) -> list[str]:
    """Return what stands between number and answer."""
    line, child = pair.line, pair.child
    lives = " ".join(filter(None, (line["township"], line["address"])))
    learns = (child["township"], child["school"] or child["school_id"], child["class_id"])
    return [
        f"{WORDS[pair.kind](lang)}\n{line['file']} {line['row']}",
        *(_stacked(_shown(line[key], lang), _shown(child[key], lang)) for key in _BOTH),
        _shown(line["id_number"], lang),
        _shown(child["student_id"], lang),
        *(_stacked(_shown(line[k], lang), _shown(child[k], lang)) for k in _HOME),
        _stacked(lives, " ".join(filter(None, learns))),
        agreement_words(pair.agreement, lang),
        # A true minus: a hyphen would be taken for a formula and stand behind an apostrophe.
        "" if pair.weight is None else f"{pair.weight:.1f}".replace("-", "\u2212"),
    ]


def _stacked(above: str, below: str) -> str:
    return f"{above or '–'}\n{below or '–'}"


def _shown(value: Any, lang: Lang) -> str:
    return sex(value, lang) if value in ("M", "F") else "" if value is None else str(value)


def _key(book: Book, asked: Sequence[ToJudge], run: Run, lang: Lang, key: bytes) -> None:
    """Write the very hidden sheet: the number of each pair, line, child, signature."""
    sheet: Any = book.book.add_worksheet(KEY_SHEET)
    told = {"format": KEY_FORMAT, "as_of": run.as_of.isoformat(), "run": str(run.number)}
    for row, (name, value) in enumerate(told.items()):
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, value)
    for row, (number, pair) in enumerate(enumerate(asked, 1), 4):
        student = pair.child["student_id"]
        sheet.write_number(row, 0, number)
        sheet.write_string(row, 1, pair.key)
        sheet.write_string(row, 2, student)
        shown = [book.text(cell) for cell in cells_of(pair, lang)]
        signature = token(key, run, number, pair.key, student, shown)
        sheet.write_string(row, 3, signature)
    sheet.protect("")
    sheet.very_hidden()
