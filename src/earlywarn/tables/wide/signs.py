"""What the signs of a monthly sheet say: each cell's status, and what an empty one counts for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import numpy as np

from earlywarn.errors import EarlywarnError, Text
from earlywarn.tables.mapping import look_up, normal_value
from earlywarn.tables.wide.month import Day, MonthSheet, SignCells
from earlywarn.tables.wide.said import Said
from earlywarn.words import STATUS_SEVERITY

_SATURDAY = 5
# Statuses of which a sheet may consist where nobody signs who is present.
AWAY = frozenset(STATUS_SEVERITY) - {"present"}


@dataclass(frozen=True)
class Signs:
    """The mapping's signs, and those that the sheet itself explains."""

    known: Mapping[str, str]
    legend: Mapping[str, str]

    @cached_property
    def conflicts(self) -> set[str]:
        """Signs to which the mapping and the sheet give different meanings."""
        return {
            sign for sign, status in self.legend.items() if self.known.get(sign, status) != status
        }

    def is_conflict(self, text: str) -> bool:
        """Whether mapping and sheet disagree on a sign."""
        return bool(text) and normal_value(text) in self.conflicts

    def status(self, text: str) -> str:
        """Return the status of a sign; an unknown one stands as it is, for the quarantine."""
        found, _ = look_up(self.known, text)
        return found or self.legend.get(normal_value(text)) or text


@dataclass
class Taken:
    """Which cells of a sheet count, and as what."""

    signs: Signs
    empty: str  # what an empty cell counts as; "" = nothing
    counted: set[tuple[int, str]]  # (column, session) whose empty cells count
    idle: frozenset[int]  # rows of pupils without any sign
    says_present: bool = False
    unsigned: list[date] = field(default_factory=list)

    def empties(self, days: Sequence[Day], cells: SignCells) -> np.ndarray:
        """Return where (rows x days) an empty cell counts."""
        of_session = {
            session: [
                bool(self.empty) and (d.column, session or d.session) in self.counted for d in days
            ]
            for session in set(cells.sessions)
        }
        found = np.array([of_session[session] for session in cells.sessions], bool)
        found = found.reshape(cells.codes.shape)
        found[[row in self.idle for row in cells.rows]] = False
        is_empty: np.ndarray = found & (cells.codes == 0)
        return is_empty

    def notes(self, sheet: str) -> list[Text]:
        """Return what a person should know about how the sheet was read."""
        found = []
        if self.unsigned:
            days = ", ".join(day.isoformat() for day in self.unsigned)
            found.append(
                Text(
                    f"工作表“{sheet}”：{days} 全班没有记号，未计为上课日",
                    f"sheet “{sheet}”: nobody has a sign on {days}: not counted as school days",
                )
            )
        if self.idle:
            found.append(
                Text(
                    f"工作表“{sheet}”：{len(self.idle)} 名学生整月没有记号，未计出勤",
                    f"sheet “{sheet}”: {len(self.idle)} pupils have no sign all month: "
                    "nothing counted for them",
                )
            )
        for sign in sorted(self.signs.conflicts):
            found.append(
                Text(
                    f"工作表“{sheet}”的图例说“{sign}”是 {self.signs.legend[sign]}，映射说是 "
                    f"{self.signs.known[sign]}。请在映射的 values.status 中写明",
                    f"sheet “{sheet}” explains “{sign}” as {self.signs.legend[sign]}, the mapping "
                    f"as {self.signs.known[sign]}. Say which in the mapping's values.status",
                )
            )
        return found


def month_signs(
    days: Sequence[Day],
    cells: SignCells,
    dates: Mapping[int, date | None],
    signs: Signs,
    through: date | None,
) -> Taken:
    """Decide which empty cells count.

    They count up to the last column with a sign, or up to `through`. A day on which nobody has a
    sign is none where it falls on a weekend, or where the sheet signs who is present. A pupil
    without any sign all month counts for nothing in a sheet that signs who is present.
    """
    seen: set[tuple[int, str]] = set()
    signed: set[tuple[int, str]] = set()
    for session in set(cells.sessions):
        of_session = cells.codes[[one == session for one in cells.sessions]]
        for day, is_signed in zip(days, np.any(of_session, axis=0), strict=True):
            key = (day.column, session or day.session)
            seen.add(key)
            signed |= {key} if is_signed else set()
    last = max((column for column, _ in signed), default=0)
    # A sign that nobody explains may be one of presence.
    says_present = any(signs.status(text) not in AWAY for text in cells.texts if text)
    counted: set[tuple[int, str]] = set()
    unsigned: set[date] = set()
    for column, session in seen:
        day_of = dates[column]
        if day_of is None or (day_of > through if through else column > last):
            continue
        if (column, session) in signed or not (says_present or day_of.weekday() >= _SATURDAY):
            counted.add((column, session))
        elif day_of.weekday() < _SATURDAY:
            unsigned.add(day_of)
    taken = taken_again(cells, signs, counted, says_present)
    return replace(taken, unsigned=sorted(unsigned))


def taken_again(
    cells: SignCells, signs: Signs, counted: Iterable[tuple[int, str]], says_present: bool
) -> Taken:
    """Decide the same for some pupils of a sheet of which it was decided before."""
    empty = signs.known.get("", "")
    idle = _idle(cells) if says_present else frozenset()
    return Taken(signs, empty, set(counted), idle, says_present)


def _idle(cells: SignCells) -> frozenset[int]:
    """Return the rows of the pupils without any sign."""
    has_sign = np.any(cells.codes, axis=1)
    signed = {pupil for pupil, has in zip(cells.of_pupil, has_sign, strict=True) if has}
    pairs = zip(cells.rows, cells.of_pupil, strict=True)
    return frozenset(row for row, pupil in pairs if pupil not in signed)


def dates_of(read: MonthSheet, said: Said) -> dict[int, date | None]:
    """Return the date of each day column; None for a day that its month does not have.

    Raises
    ------
    EarlywarnError
        If neither the headings nor anything else says the month.
    """
    if all(day.year for day in read.days):
        return {day.column: _date(day.year, day.month, day.day) for day in read.days}
    month = said.month()
    if month is None:
        raise EarlywarnError(
            zh=f"{said.file.name} [{said.name}]：标题、表名和文件名里都没有年月。"
            "请加上 --month 2026-11。",
            en=f"{said.file.name} [{said.name}]: neither title nor sheet nor file name "
            "says year and month. Add --month 2026-11.",
        )
    return {day.column: _in_month(day, *month) for day in read.days}


def _in_month(day: Day, year: int, month: int) -> date | None:
    if not day.month:
        return _date(year, month, day.day)
    # A sheet may run over the end of its year.
    turn = (day.month < month - 6) - (day.month > month + 6)
    return _date(year + turn, day.month, day.day)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
