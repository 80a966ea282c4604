"""A monthly attendance sheet: one row a pupil (or two, for half days), one column a day."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

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


@dataclass(frozen=True, slots=True)
class Sign:
    """One cell: whose, on which of the sheet's days, in which session ("" = whole day)."""

    row: int
    day: Day
    session: str
    text: str


@dataclass(frozen=True)
class MonthSheet:
    """A monthly sheet: its day columns, and what it says itself about its signs."""

    sheet: Sheet
    days: tuple[Day, ...]
    legend: Mapping[str, str]

    def pupils(self) -> Iterator[tuple[Pupil, list[Sign]]]:
        """Yield each pupil with its signs, empty cells included."""
        sheet, half = self.sheet, self.sheet.who.get("half")
        pupil: Pupil | None = None
        signs: list[Sign] = []
        for row in range(sheet.first, len(sheet.grid.rows) + 1):
            texts = [text for text in sheet.grid.rows[row - 1] if text.strip()]
            session = _HALVES.get(folded(sheet.cell(row, half)).casefold(), "") if half else ""
            if pupil is not None and texts and self._goes_on(row, session):
                signs += self._signs(row, session)
                continue
            if pupil is not None:
                yield pupil, signs
                pupil = None
            if sheet.is_rest(row):
                if texts:
                    sheet.skipped.append(row)
                continue
            pupil, signs = Pupil(row, sheet.words_of(row)), self._signs(row, session)
        if pupil is not None:
            yield pupil, signs

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

    def _signs(self, row: int, session: str) -> list[Sign]:
        return [
            Sign(row, day, session or day.session, self.sheet.cell(row, day.column))
            for day in self.days
        ]


def read_month(grid: Grid, mapping: TableMapping) -> MonthSheet | None:
    """Find the heading of a monthly sheet; None where the grid has none."""
    best: tuple[int, list[tuple[int, int, int, int]]] = (0, [])
    for row in range(1, min(len(grid.rows), HEADING_WITHIN) + 1):
        days = _days_in(grid.rows[row - 1])
        if len(days) > len(best[1]):
            best = (row, days)
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
    return MonthSheet(sheet, found, _legend(grid, sheet, mapping))


def _names_a_pupil(grid: Grid, row: int, mapping: TableMapping) -> bool:
    wanted = {"student_id", "id_number", "name"}
    return any(roles(mapping, [text]) & wanted for text in grid.rows[row - 1] if text.strip())


def _days_in(line: tuple[str, ...]) -> list[tuple[int, int, int, int]]:
    """Return (column, year, month, day) of the longest rising row of days in a line."""
    found: list[tuple[int, int, int, int]] = []
    best: list[tuple[int, int, int, int]] = []
    for column, text in enumerate(line, start=1):
        day = _day(folded(text))
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


def _day(text: str) -> tuple[int, int, int] | None:
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
    """Whether a line below the days holds weekdays or half days and nobody's name."""
    texts = [folded(text).casefold() for text in line[first - 1 : last] if text.strip()]
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


def _legend(grid: Grid, sheet: Sheet, mapping: TableMapping) -> dict[str, str]:
    """Return sign -> status as the sheet itself explains them, outside the pupils' cells."""
    known = mapping.values.get("status", {})
    found: dict[str, str] = {}
    for row, line in enumerate(grid.rows, start=1):
        if sheet.first <= row and not sheet.is_rest(row):
            continue
        for text in line:
            found |= _pairs(folded(text), known)
    return found


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
