"""A monthly attendance sheet: one row a pupil (or two, for half days), one column a day."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import pairwise

import numpy as np

from earlywarn.tables.cells import folded, parse_date
from earlywarn.tables.grids import Grid
from earlywarn.tables.mapping import Mapping as TableMapping
from earlywarn.tables.mapping import normal_value
from earlywarn.tables.wide.sheet import (
    HEADING_WITHIN,
    Pupil,
    Sheet,
    heads_of,
    roles,
    title_of,
    who_columns,
)

_FEWEST_DAYS = 4
_WHOLE_MONTH = 28
_SHORTEST_PAIR = 2  # a sign and its word
_DAY = re.compile(r"^(\d{1,2})(?:日|号|\.0)?$")
_MONTH_DAY = re.compile(r"^(\d{1,2})[月./-](\d{1,2})日?$")
_WEEKDAYS = frozenset("一二三四五六日天") | {
    f"{week}{day}" for week in ("周", "星期") for day in "一二三四五六日天"
}
_HALVES = {"上": "am", "上午": "am", "am": "am", "早": "am", "下": "pm", "下午": "pm", "pm": "pm"}
_SIGN_OR_WORD = re.compile(r"[\u4e00-\u9fff]+|[^\s\u4e00-\u9fff:：=，,、;；。.()（）“”\"-]")
_LINKS = ("表示", "代表", "为", "是", "用", "打", "画", "记")


@dataclass(frozen=True, slots=True)
class Day:
    """One column of signs: the day (year and month 0 where the heading does not say them)."""

    column: int
    year: int
    month: int
    day: int
    session: str


@dataclass(frozen=True)
class SignCells:
    """The cells of the pupils' signs: a row of them or two for each pupil, a column for each day.

    `rows`: where they stand in the sheet; `of_pupil`: the place in `pupils` of whom each is;
    `sessions`: its half day ("" = as its day says). `texts`: the different texts, "" first;
    `codes` (rows x days): the place in `texts` of each cell's.
    """

    pupils: list[Pupil]
    rows: list[int]
    of_pupil: list[int]
    sessions: list[str]
    texts: list[str]
    codes: np.ndarray


class _Codes(dict[str, int]):
    """Numbers the different texts of cells, white space around them aside."""

    def __init__(self) -> None:
        super().__init__({"": 0})
        self.texts = [""]
        self._stripped = {"": 0}

    def __missing__(self, text: str) -> int:
        plain = text.strip()
        code = self._stripped.setdefault(plain, len(self.texts))
        if code == len(self.texts):
            self.texts.append(plain)
        self[text] = code
        return code


@dataclass(frozen=True)
class MonthSheet:
    """A monthly sheet: its day columns, and what it says itself about its signs."""

    sheet: Sheet
    days: tuple[Day, ...]
    legend: Mapping[str, str]
    legend_rows: frozenset[int]

    def signs(self) -> SignCells:
        """Find the pupils and their cells; totals, notes and signatures go to `sheet.skipped`."""
        sheet, half = self.sheet, self.sheet.who.get("half")
        found = SignCells([], [], [], [], [""], np.zeros((0, len(self.days)), np.int32))
        goes_on = False
        for row in range(sheet.first, len(sheet.grid.rows) + 1):
            is_empty = not any(map(str.strip, sheet.grid.rows[row - 1]))
            session = _HALVES.get(folded(sheet.cell(row, half)).casefold(), "") if half else ""
            if not (goes_on and not is_empty and self._goes_on(row, session)):
                goes_on = not sheet.is_rest(row)
                if not goes_on:
                    if not is_empty:
                        sheet.skipped.append(row)
                    continue
                found.pupils.append(Pupil(row, sheet.words_of(row)))
            found.rows.append(row)
            found.of_pupil.append(len(found.pupils) - 1)
            found.sessions.append(session)
        codes = _Codes()
        columns = [day.column - 1 for day in self.days]
        flat: list[int] = []
        for row in found.rows:
            line = sheet.grid.rows[row - 1]
            flat += [codes[line[column]] for column in columns]
        of_cells = np.array(flat, np.int32).reshape(len(found.rows), len(columns))
        return replace(found, texts=codes.texts, codes=of_cells)

    def _goes_on(self, row: int, session: str) -> bool:
        """Whether a row is the second of the pupil above: nobody named, and the afternoon."""
        who = {key: text for key, text in self.sheet.words_of(row).items() if key != "half"}
        if who:
            return False
        name = self.sheet.who.get("name") or self.sheet.who.get("student_id") or 0
        merged = any(
            top < row <= bottom and left <= name <= right
            for top, left, bottom, right in self.sheet.grid.merged
        )
        return session == "pm" or merged


def read_month(grid: Grid, mapping: TableMapping) -> MonthSheet | None:
    """Find the heading of a monthly sheet; None where the grid has none."""
    best: tuple[int, list[tuple[int, int, int, int]]] = (0, [])
    for row in range(1, min(len(grid.rows), HEADING_WITHIN) + 1):
        days = _days_in(grid.rows[row - 1])
        if len(days) > len(best[1]):
            best = (row, days)
        if len(days) >= _WHOLE_MONTH:
            break
    day_row, days = best
    if len(days) < _FEWEST_DAYS:
        return None
    around = range(max(1, day_row - 2), min(len(grid.rows), day_row + 2) + 1)
    name_rows = [row for row in around if _names_a_pupil(grid, row, mapping)]
    if not name_rows:
        return None
    heading = sorted({day_row, *name_rows[:1]})
    columns = [column for column, *_ in days]
    first_day, last_day = columns[0], columns[-1] + 1
    last = heading[-1]
    while last < len(grid.rows) and _is_sub_heading(grid.rows[last], first_day, last_day):
        last += 1
        heading.append(last)
    heads = heads_of(grid, range(heading[0], last + 1))
    who = who_columns(mapping, heads)
    found = _columns(grid, days, day_row, heads, set(who.values()))
    sheet = Sheet(grid, who, heads, title_of(grid, heading[0]), last + 1)
    legend, rows = _legend(grid, sheet, mapping)
    return MonthSheet(sheet, found, legend, rows)


def _names_a_pupil(grid: Grid, row: int, mapping: TableMapping) -> bool:
    wanted = {"student_id", "id_number", "name"}
    return any(roles(mapping, [text]) & wanted for text in grid.rows[row - 1] if text.strip())


def _days_in(line: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Return (column, year, month, day) of the longest rising row of days in a line."""
    found: list[tuple[int, int, int, int]] = []
    best: list[tuple[int, int, int, int]] = []
    for column, text in enumerate(line, start=1):
        day = _day(text)
        if day is None:
            continue
        if found and day <= found[-1][1:]:
            if day == found[-1][1:]:  # the afternoon's column, with the day written again
                continue
            found = []
        found.append((column, *day))
        best = max(best, found, key=len) if len(found) >= len(best) else best
        if found is best:
            best = list(found)
    return best


@lru_cache(maxsize=4096)
def _day(text: str) -> tuple[int, int, int] | None:
    text = folded(text)
    plain = _DAY.match(text)
    if plain and 1 <= int(plain.group(1)) <= 31:
        return 0, 0, int(plain.group(1))
    short = _MONTH_DAY.match(text)
    if short and 1 <= int(short.group(1)) <= 12 and 1 <= int(short.group(2)) <= 31:
        return 0, int(short.group(1)), int(short.group(2))
    whole = parse_date(text)
    if whole.code:
        return None
    value: date = whole.value
    return value.year, value.month, value.day


def _is_sub_heading(line: tuple[str, ...], first: int, last: int) -> bool:
    """Whether a line below the days holds weekdays or half days and nobody's name.

    The column behind the last day belongs to it only where that day has two halves.
    """
    behind = line[last - 1] if len(line) >= last else ""
    end = last if folded(behind).casefold() in _HALVES else last - 1
    texts = [folded(text).casefold() for text in line[first - 1 : end] if text.strip()]
    if not texts or any(text.strip() for text in line[: first - 1] if len(text.strip()) > 2):
        return False
    return all(text in _WEEKDAYS or text in _HALVES for text in texts)


def _columns(
    grid: Grid,
    days: list[tuple[int, int, int, int]],
    day_row: int,
    heads: dict[int, tuple[str, ...]],
    taken: set[int],
) -> tuple[Day, ...]:
    """Return every column of signs: one a day, or two where its half days have their own."""
    found: list[Day] = []
    for i, (column, year, month, day) in enumerate(days):
        end = days[i + 1][0] if i + 1 < len(days) else column + 2
        for place in range(column, end):
            own = grid.rows[day_row - 1][place - 1].strip() if place <= len(grid.rows[0]) else ""
            halves = {_HALVES.get(folded(text).casefold(), "") for text in heads.get(place, ())}
            half = next(iter(halves - {""}), "")
            if place == column or (half and place not in taken):
                found.append(Day(place, year, month, day, half))
            elif own:
                break
    return tuple(found)


def _legend(
    grid: Grid, sheet: Sheet, mapping: TableMapping
) -> tuple[dict[str, str], frozenset[int]]:
    """Return sign -> status as the sheet itself explains them, and the rows where it does."""
    known = mapping.values.get("status", {})
    found: dict[str, str] = {}
    rows: set[int] = set()
    for row, line in enumerate(grid.rows, start=1):
        if sheet.first <= row and not sheet.is_rest(row):
            continue
        for text in line:
            if len(text) < _SHORTEST_PAIR or text.isdigit():
                continue
            pairs = _pairs(folded(text), known)
            found |= pairs
            if pairs:
                rows.add(row)
    return found, frozenset(rows)


def _pairs(text: str, known: Mapping[str, str]) -> dict[str, str]:
    """Read `√出勤 ○病假` or `出勤√ 病假○`: signs and words that take turns."""
    tokens: list[tuple[bool, str]] = []
    for token in _SIGN_OR_WORD.findall(text):
        if not "\u4e00" <= token[0] <= "\u9fff":
            tokens.append((False, normal_value(token)))
            continue
        word = _unlinked(token)
        if word in known:
            tokens.append((True, known[word]))
        elif _unlinked(word[1:]) in known:  # 退早退: the sign is a character itself
            tokens += [(False, word[0]), (True, known[_unlinked(word[1:])])]
        elif word and tokens:
            return {}
    signs = [token for is_word, token in tokens if not is_word]
    words = [token for is_word, token in tokens if is_word]
    takes_turns = all(a[0] != b[0] for a, b in pairwise(tokens))
    if not signs or len(signs) != len(words) or not takes_turns:
        return {}
    return dict(zip(signs, words, strict=True))


def _unlinked(word: str) -> str:
    """Take off what links a sign to its word: 表示病假, 用○."""
    for link in _LINKS:
        word = word.removeprefix(link).removesuffix(link)
    return word
