"""Where on a sheet the list stands: its heading, found by its words in either language."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from earlywarn.errors import Text

# The heading may have moved down, below rows that somebody put above it.
HEADING_ROWS = 40
# Fewer words than this in a row are no heading.
_LEAST = 3

HEADINGS: dict[str, Text] = {
    "rank": Text("序号", "No."),
    "tier": Text("等级", "Tier"),
    "student": Text("学生", "Student"),
    "class": Text("班级", "Class"),
    "reasons": Text("为什么关注", "Why"),
    "strip": Text("近60个上学日", "Last 60 school days"),
    "step": Text("下一步", "Next step"),
    "due": Text("期限", "Due"),
    "who": Text("负责人", "Responsible"),
    "contacted_on": Text("联系日期", "Contacted on"),
    "contacted_by": Text("联系人", "By whom"),
    "visited_on": Text("家访日期", "Home visit on"),
    "where": Text("孩子现在何处", "Where the child is"),
    "cause": Text("原因", "Cause"),
    "outcome": Text("结果", "Outcome"),
    "next": Text("后续安排", "What next"),
}
# What stands below the heading of a list without a child.
EMPTY = Text("本期没有需要列入名单的孩子。", "No child needs to be on the list this time.")


def squeezed(text: str) -> str:
    """Return `text` without spaces and invisible signs, in half-width signs and small letters."""
    plain = unicodedata.normalize("NFKC", text.replace("_x000D_", "")).casefold()
    return "".join(c for c in plain if not c.isspace() and unicodedata.category(c) != "Cf")


def whole_number(text: str) -> int | None:
    """Return the number that a row's cell `rank` holds, None if it holds none."""
    plain = squeezed(text)
    return int(plain) if plain.isdecimal() and len(plain) <= 9 else None


_KEYS = {squeezed(word): key for key, text in HEADINGS.items() for word in text}


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading's row and what each column (from 1) holds, as keys of `HEADINGS`.

    A key may be there twice: a column that was copied is read like the first.
    """

    row: int
    columns: Mapping[int, str]

    def column(self, key: str) -> int:
        """Return the first column that holds `key`."""
        return min(column for column, found in self.columns.items() if found == key)

    def repeats(self, cells: Iterable[tuple[int, str]]) -> bool:
        """Return whether the (column, text) of a row are this heading once more."""
        return all(_KEYS.get(squeezed(text), "") == self.columns.get(c) for c, text in cells)


def find_heading(cells: Iterable[tuple[int, int, str]]) -> Heading | None:
    """Return the heading among the (row, column, text) of a sheet, None if there is none.

    The row with the most words of the list counts; it must name the number and the student.
    """
    found: dict[int, dict[int, str]] = defaultdict(dict)
    for row, column, text in cells:
        key = _KEYS.get(squeezed(text)) if row <= HEADING_ROWS else None
        if key:
            found[row][column] = key
    if not found:
        return None
    row = max(found, key=lambda number: (len(found[number]), -number))
    keys = set(found[row].values())
    if len(keys) < _LEAST or not keys >= {"rank", "student"}:
        return None
    return Heading(row, found[row])
