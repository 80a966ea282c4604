"""What the signs of a monthly sheet say: each cell's status, and what an empty one counts for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from earlywarn.errors import EarlywarnError, Text
from earlywarn.tables.mapping import look_up, normal_value
from earlywarn.tables.wide.month import Day, MonthSheet, Sign
from earlywarn.tables.wide.said import Said
from earlywarn.tables.wide.sheet import Pupil
from earlywarn.words import STATUS_SEVERITY

_SATURDAY = 5
# Statuses of which a sheet may consist where nobody signs who is present.
AWAY = frozenset(STATUS_SEVERITY) - {"present"}


@dataclass(frozen=True)
class Signs:
    """The mapping's signs, and those that the sheet itself explains."""

    known: Mapping[str, str]
    legend: Mapping[str, str]

    @property
    def conflicts(self) -> set[str]:
        """Signs to which the mapping and the sheet give different meanings."""
        return {
            sign for sign, status in self.legend.items() if self.known.get(sign, status) != status
        }

    def status(self, text: str) -> str:
        """Return the status of a sign; an unknown one stands as it is, for the quarantine."""
        found, _ = look_up(dict(self.known), text)
        return found or self.legend.get(normal_value(text)) or text


@dataclass
class Taken:
    """Which cells of a sheet count, and as what."""

    signs: Signs
    empty: str  # what an empty cell counts as; "" = nothing
    counted: set[tuple[int, str]]  # (column, session) whose empty cells count
    idle: frozenset[int]  # rows of pupils without any sign
    unsigned: list[date] = field(default_factory=list)

    def conflicts(self, sign: Sign) -> bool:
        """Whether mapping and sheet disagree on a cell's sign."""
        return bool(sign.text) and normal_value(sign.text) in self.signs.conflicts

    def status(self, sign: Sign) -> str:
        """Return the status that a cell stands for; "" where it says nothing."""
        if sign.text:
            return self.signs.status(sign.text)
        if sign.row in self.idle or (sign.day.column, sign.session) not in self.counted:
            return ""
        return self.empty

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
    read: MonthSheet,
    pupils: Sequence[tuple[Pupil, Sequence[Sign]]],
    dates: Mapping[int, date | None],
    signs: Signs,
    through: date | None,
) -> Taken:
    """Decide which empty cells count.

    They count up to the last column with a sign, or up to `through`. A day on which nobody has a
    sign is none where it falls on a weekend, or where the sheet signs who is present. A pupil
    without any sign all month counts for nothing in a sheet that signs who is present.
    """
    signed = {(sign.day.column, sign.session) for _, some in pupils for sign in some if sign.text}
    last = max((column for column, _ in signed), default=0)
    with_sign = {sign.row: True for _, some in pupils for sign in some if sign.text}
    # A sign that nobody explains may be one of presence.
    says_present = any(
        sign.text and signs.status(sign.text) not in AWAY for _, some in pupils for sign in some
    )
    counted: set[tuple[int, str]] = set()
    unsigned: set[date] = set()
    seen = {(sign.day.column, sign.session) for _, some in pupils for sign in some}
    for column, session in seen:
        day = dates[column]
        if day is None or (day > through if through else column > last):
            continue
        if (column, session) in signed or not (says_present or day.weekday() >= _SATURDAY):
            counted.add((column, session))
        elif day.weekday() < _SATURDAY:
            unsigned.add(day)
    idle = frozenset(
        sign.row
        for _, some in pupils
        if says_present and not any(other.row in with_sign for other in some)
        for sign in some
    )
    empty = signs.known.get("", "")
    return Taken(signs, empty, counted, idle, sorted(unsigned))


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
            zh=f"{said.file.name} [{read.sheet.grid.name}]：标题、表名和文件名里都没有年月。"
            "请加上 --month 2026-11。",
            en=f"{said.file.name} [{read.sheet.grid.name}]: neither title nor sheet nor file name "
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
