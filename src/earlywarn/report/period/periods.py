"""The periods of the regular reports: which days they are, and what they are called.

A quarter is one of the calendar; terms and years are those of the school: the first term is its
year's first six months. Pure functions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from earlywarn.errors import Text, UsageError
from earlywarn.workspace import Config

Kind = Literal["month", "quarter", "term", "year"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_FORMS = {
    "month": (r"(\d{4})-(0[1-9]|1[0-2])", "2026-11"),
    "quarter": (r"(\d{4})-Q([1-4])", "2026-Q4"),
    "term": (r"(\d{4})-([12])", "2026-1"),
    "year": (r"(\d{4})", "2026"),
}
_ALSO = {"月": "month", "季": "quarter", "季度": "quarter", "学期": "term", "学年": "year"}
KIND_LABELS: dict[Kind, Text] = {
    "month": Text("月报", "Monthly report"),
    "quarter": Text("报告", "Quarterly report"),
    "term": Text("报告", "Term report"),
    "year": Text("报告", "Yearly report"),
}


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """One period: from `start` to `end`, both included; `of` is what a user writes for it."""

    start: date
    end: date
    kind: Kind
    of: str

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end

    @property
    def label(self) -> Text:
        """What it is called: 2026年11月, November 2026 and so on."""
        year, part = self.of[:4], self.of[5:]
        if self.kind == "month":
            return Text(f"{year}年{int(part)}月", self.start.strftime("%B %Y"))
        if self.kind == "quarter":
            return Text(f"{year}年第{part[1]}季度", f"quarter {part[1]} of {year}")
        years = f"{year}–{int(year) + 1}"
        if self.kind == "term":
            return Text(f"{years}学年第{'一二'[int(part) - 1]}学期", f"term {part} of {years}")
        return Text(f"{years}学年", f"school year {years}")

    @property
    def title(self) -> Text:
        """The report's name with the period's."""
        kind, label = KIND_LABELS[self.kind], self.label
        return Text(f"{label.zh}{kind.zh}", f"{kind.en}: {label.en}")


def parse_period(kind: str, of: str, config: Config) -> Period:
    """Return the period that a user names, such as ("term", "2026-1").

    Raises
    ------
    UsageError
        If there is no such kind of period, or `of` is not written like one.
    """
    kind = _ALSO.get(kind, kind)
    if kind not in KINDS:
        raise UsageError(
            zh=f"--period 只能是 {'、'.join(KINDS)}，不是 {kind}。",
            en=f"--period is one of {', '.join(KINDS)}, not {kind}.",
        )
    form, example = _FORMS[kind]
    found = re.fullmatch(form, of.strip().upper(), re.ASCII)
    if found is None or not 1900 <= int(found[1]) <= 9000:
        raise UsageError(
            zh=f"--period {kind} 的 --of 应写成 {example} 这样，不是“{of}”。",
            en=f"--of for --period {kind} is written like {example}, not `{of}`.",
        )
    year = int(found[1])
    if kind == "month":
        start = date(year, int(found[2]), 1)
        return Period(start, _months_on(start, 1) - timedelta(1), "month", found[0])
    if kind == "quarter":
        start = date(year, 3 * int(found[2]) - 2, 1)
        return Period(start, _months_on(start, 3) - timedelta(1), "quarter", found[0])
    begins = date.fromisoformat(f"{year}-{config.school_year_start}")
    middle, ends = _months_on(begins, 6), _months_on(begins, 12)
    if kind == "year":
        return Period(begins, ends - timedelta(1), "year", found[0])
    if found[2] == "1":
        return Period(begins, middle - timedelta(1), "term", found[0])
    return Period(middle, ends - timedelta(1), "term", found[0])


def school_year(day: date, config: Config) -> Period:
    """Return the school year that `day` lies in."""
    return parse_period("year", str(config.school_year_begins(day).year), config)


def months(period: Period, config: Config) -> tuple[Period, ...]:
    """Return the calendar months that a longer period is made of.

    None where it is a month itself, or where the school year does not begin with a month, so that
    months do not add up to it.
    """
    if period.kind == "month" or period.start.day != 1:
        return ()
    found, start = [], period.start
    while start <= period.end:
        found.append(parse_period("month", f"{start:%Y-%m}", config))
        start = _months_on(start, 1)
    return tuple(found)


def _months_on(day: date, months: int) -> date:
    """Return the same day so many months later, the month's last where it has no such day."""
    at = day.year * 12 + day.month - 1 + months
    first = date(at // 12, at % 12 + 1, 1)
    after = date((at + 1) // 12, (at + 1) % 12 + 1, 1)
    return first.replace(day=min(day.day, (after - timedelta(1)).day))
