"""A filled review workbook, read back: what was answered, and every cell that gives no answer."""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from earlywarn.errors import Text
from earlywarn.followup.returned.cells import Cell
from earlywarn.followup.returned.headings import squeezed, whole_number
from earlywarn.followup.returned.opening import Opened, open_workbook
from earlywarn.followup.returned.refusal import RefusedError, refused
from earlywarn.followup.returned.sheets import Sheet
from earlywarn.reconcile.answers import CHOICES, Said
from earlywarn.reconcile.reviewbook import ANSWER, KEY_FORMAT, KEY_SHEET, NUMBER, Run, token

_SHOWN = 5  # rows named in a message
_VARIANTS: dict[Said, tuple[str, ...]] = {
    "same": ("是", "同一人", "是同一个人", "same", "yes", "y"),
    "not": ("不是同一人", "不是同一个人", "否", "not", "no", "n", "different"),
    "unsure": ("不清楚", "不知道", "不能确定", "unsure", "unknown", "?"),
}
_CODES: dict[str, Said] = {
    squeezed(word): code for code, label in CHOICES.items() for word in (*label, *_VARIANTS[code])
}


@dataclass(frozen=True, slots=True)
class Judged:
    """One pair with its answer; `line` is what the line is known by."""

    number: int
    line: str
    student_id: str
    said: Said


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An answer that is none of the three: its cell, such as `W7`."""

    cell: str
    number: int


@dataclass(frozen=True)
class Review:
    """What a workbook says: the pairs judged, how many are left empty, what gives no answer."""

    run: Run
    judged: tuple[Judged, ...]
    empty: int
    unreadable: tuple[Unreadable, ...]


def read_review(path: Path, key: bytes) -> Review:
    """Read a filled workbook.

    Raises
    ------
    RefusedError
        If it is no workbook, none of this workspace's, was changed outside the answers' column, or
        says of one line that it is two children. Nothing of it is taken then.
    """
    opened = open_workbook(path)
    run, pairs = _read_key(opened)
    sheet, heading, answers = _find(opened)
    rows: dict[int, dict[int, Cell]] = defaultdict(dict)
    for cell in sheet.cells:
        if cell.row > heading:
            rows[cell.row][cell.column] = cell
    judged: list[Judged] = []
    unreadable: list[Unreadable] = []
    changed: list[int] = []
    seen: dict[int, int] = {}
    for at, cells in sorted(rows.items()):
        number = whole_number(cells[1].text) if 1 in cells else None
        pair = pairs.get(number) if number is not None else None
        if number is None or pair is None or number in seen:
            changed.append(at)
            continue
        seen[number] = at
        line, student_id, signature = pair
        shown = [cells[c].text if c in cells else "" for c in range(2, answers)]
        if not hmac.compare_digest(token(key, run, number, line, student_id, shown), signature):
            changed.append(at)
        elif answers in cells:
            said = _CODES.get(squeezed(cells[answers].text))
            if said is None:
                unreadable.append(Unreadable(cells[answers].name, number))
            else:
                judged.append(Judged(number, line, student_id, said))
    if changed:
        raise _changed(opened.name, changed)
    _refuse_two_children(opened.name, judged)
    empty = len(pairs) - len(judged) - len(unreadable)
    return Review(run, tuple(judged), empty, tuple(unreadable))


def _read_key(opened: Opened) -> tuple[Run, Mapping[int, tuple[str, str, str]]]:
    """Return the run, and (line, student_id, signature) by the pair's number."""
    sheet = opened.sheets.get(KEY_SHEET)
    if sheet is None:
        raise refused(
            opened.name,
            "不是本程序写出的 review.xlsx（缺少隐藏的工作表，可能是把内容复制到了新文件）。"
            "请在原文件里填写。",
            "this is no review.xlsx of this program: its hidden sheet is missing (perhaps it was "
            "copied into a new file). Fill in the file as it was written.",
        )
    rows: dict[int, dict[int, str]] = defaultdict(dict)
    for cell in sheet.cells:
        rows[cell.row][cell.column] = cell.text
    entries = {row.get(1, ""): row.get(2, "") for row in rows.values() if 3 not in row}
    if entries.get("format") != KEY_FORMAT:
        raise refused(
            opened.name,
            "由另一版本的程序写出。请重新运行 earlywarn reconcile，再填新的 review.xlsx。",
            "it was written by another version of the program. Run `earlywarn reconcile` again and "
            "fill in the new review.xlsx.",
        )
    try:
        run = Run(date.fromisoformat(entries.get("as_of", "")), int(entries.get("run", "")))
    except ValueError:
        raise _damaged(opened.name) from None
    pairs = {}
    for row in rows.values():
        number = whole_number(row.get(1, ""))
        if number is not None:
            if number in pairs or not {2, 3, 4} <= row.keys():
                raise _damaged(opened.name)
            pairs[number] = (row[2], row[3], row[4])
    return run, pairs


def _find(opened: Opened) -> tuple[Sheet, int, int]:
    """Return the sheet of the pairs, the row of its heading and the column of the answers."""
    numbers = {squeezed(text) for text in NUMBER}
    answers = {squeezed(text) for text in ANSWER}
    for name, sheet in opened.sheets.items():
        if name == KEY_SHEET:
            continue
        heads = {c.row for c in sheet.cells if c.column == 1 and squeezed(c.text) in numbers}
        for cell in sheet.cells:
            if cell.row in heads and squeezed(cell.text) in answers:
                return sheet, cell.row, cell.column
    raise refused(
        opened.name,
        f"找不到表头“{NUMBER.zh}”和“{ANSWER.zh}”。请在原文件里填写，不要改表头和列的位置。",
        f"the headings “{NUMBER.en}” and “{ANSWER.en}” are gone. Fill in the file as it was "
        "written, and leave headings and columns where they are.",
    )


def _damaged(name: str) -> RefusedError:
    return refused(
        name,
        "隐藏的工作表被改过。请在原文件里填写。",
        "its hidden sheet was changed. Fill in the file as it was written.",
    )


def _changed(name: str, rows: list[int]) -> RefusedError:
    shown = [str(row) for row in rows[:_SHOWN]]
    zh, en = "、".join(shown), ", ".join(shown)
    if len(rows) > _SHOWN:
        zh, en = f"{zh} 等 {len(rows)} 行", f"{en} and {len(rows) - _SHOWN} more"
    return refused(
        name,
        f"第 {zh} 行与写出时不一样：被改过、重复了，或来自另一个工作区的文件。"
        "请在原文件里填写，只填浅蓝色一列。",
        f"row {en} differs from what was written: it was changed, stands twice, or is from another "
        "workspace's file. Fill in the file as it was written, the light blue column only.",
    )


def _refuse_two_children(name: str, judged: list[Judged]) -> None:
    same: dict[str, dict[str, int]] = defaultdict(dict)
    for one in judged:
        if one.said == "same":
            same[one.line].setdefault(one.student_id, one.number)
    for children in same.values():
        if len(children) > 1:
            numbers = sorted(children.values())
            said = Text("、".join(map(str, numbers)), " and ".join(map(str, numbers)))
            raise refused(
                name,
                f"序号 {said.zh} 是名单上的同一行，却都填了“是同一人”。至多一个是，请改正。",
                f"numbers {said.en} are one line of the list, and each is said to be the same "
                "child. At most one can be; correct them.",
            )
