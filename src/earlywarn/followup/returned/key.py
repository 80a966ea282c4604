"""The hidden sheet of a filled workbook: which list it answers and which child each number is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from earlywarn.followup.answers import KEY_FORMAT, KEY_SHEET
from earlywarn.followup.returned.cells import Cell
from earlywarn.followup.returned.headings import squeezed, whole_number
from earlywarn.followup.returned.opening import Opened
from earlywarn.followup.returned.refusal import refused
from earlywarn.followup.returned.signing import SIGNED, verify


@dataclass(frozen=True, slots=True)
class Child:
    """A child on the list: its id, and what the list printed in its cell `student`, squeezed."""

    student_id: str
    printed: str


@dataclass(frozen=True, slots=True)
class Key:
    """Which list a workbook is, and the child that each number (`rank`) stands for."""

    school_id: str
    as_of: date
    run: str
    version: str
    children: Mapping[int, Child]


def read_key(opened: Opened, key: bytes) -> Key:
    """Return what the hidden sheet says.

    Raises
    ------
    RefusedError
        If there is none, it is of another format, or its signature does not fit.
    """
    sheet = opened.sheets.get(KEY_SHEET)
    if sheet is None:
        raise refused(
            opened.name,
            f"缺少隐藏的工作表“{KEY_SHEET}”，认不出是哪一期名单（可能是把内容复制到了新文件）。"
            "请在发下来的原文件里填写。",
            f"the hidden sheet “{KEY_SHEET}” is missing, so nothing says which list this is "
            "(perhaps it was copied into a new file). Fill in the file that was sent out.",
        )
    entries = dict.fromkeys((*SIGNED, "signature"), "")
    children: list[tuple[int, Child]] = []
    for row in _rows(sheet.cells):
        left = row.get(1, "")
        if left in entries:
            entries[left] = row.get(2, "")
        elif (rank := whole_number(left)) is not None:
            children.append((rank, Child(row.get(2, ""), squeezed(row.get(3, "")))))
    if entries["format"] != str(KEY_FORMAT):
        raise refused(
            opened.name,
            f"隐藏的工作表是第“{entries['format']}”版格式，本程序读第 {KEY_FORMAT} 版。"
            "请用写出这份名单的那一版程序读入，或重新写出名单再填。",
            f"its hidden sheet is of format “{entries['format']}”, this program reads format "
            f"{KEY_FORMAT}. Import it with the version that wrote the list, or write it anew.",
        )
    if not verify(entries, [(rank, child.student_id) for rank, child in children], key):
        raise refused(
            opened.name,
            f"隐藏的工作表“{KEY_SHEET}”与签名不符：它被改过、来自另一个文件，或名单不是由这个"
            "工作区写出的。请在发下来的原文件里填写。",
            f"the hidden sheet “{KEY_SHEET}” does not fit its signature: it was changed, comes "
            "from another file, or another workspace wrote the list. Fill in the file that was "
            "sent out.",
        )
    return Key(
        school_id=entries["school_id"],
        as_of=date.fromisoformat(entries["as_of"]),
        run=entries["run"],
        version=entries["version"],
        children=dict(children),
    )


def _rows(cells: Iterable[Cell]) -> list[dict[int, str]]:
    rows: dict[int, dict[int, str]] = {}
    for cell in cells:
        rows.setdefault(cell.row, {})[cell.column] = cell.text
    return list(rows.values())
