"""Dates in the words of a finding."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby

from earlywarn.checking.numbers import many
from earlywarn.errors import Text
from earlywarn.words import MONTHS, day_in_words

SHOWN_WEEKS = 8


def day(when: date) -> Text:
    """Return a date with its year."""
    return Text(day_in_words(when, "zh"), day_in_words(when, "en"))


def span(first: date, last: date) -> Text:
    """Return two dates, or the one that both are; what they share is said once."""
    a, b = day(first), day(last)
    if first == last:
        return a
    if (first.year, first.month) == (last.year, last.month):
        return Text(f"{a.zh}至{last.day}日", f"{first.day} to {b.en}")
    if first.year == last.year:
        month = MONTHS[first.month - 1]
        return Text(f"{a.zh}至{last.month}月{last.day}日", f"{first.day} {month} to {b.en}")
    return Text(f"{a.zh}至{b.zh}", f"{a.en} to {b.en}")


def weeks(missing: Sequence[date], school_days: Sequence[date]) -> Text:
    """Return days by ISO week, newest week first, such as `2026年第46周（11月9日、10日）`.

    A week of which every day in `school_days` is in `missing`, three at least, is said to be
    missing whole. More
    than `SHOWN_WEEKS` weeks are counted only.
    """
    due: dict[tuple[int, int], int] = {}
    for when in school_days:
        due[_week(when)] = due.get(_week(when), 0) + 1
    found = [(week, list(days)) for week, days in groupby(sorted(missing), key=_week)]
    found.reverse()
    parts = [
        _one_week(week, days, len(days) == due[week] > 2) for week, days in found[:SHOWN_WEEKS]
    ]
    zh, en = "；".join(part.zh for part in parts), "; ".join(part.en for part in parts)
    older = found[SHOWN_WEEKS:]
    if older:
        count = sum(len(days) for _, days in older)
        dates = span(older[-1][1][0], older[0][1][-1])
        weeks_en = many(len(older), "week")
        zh += f"；更早还有 {len(older)} 周共 {count} 天（{dates.zh}）"
        en += f"; {many(count, 'day')} in {weeks_en} before ({dates.en})"
    return Text(zh, en)


def _week(when: date) -> tuple[int, int]:
    year, week, _ = when.isocalendar()
    return year, week


def _one_week(week: tuple[int, int], days: list[date], whole: bool) -> Text:
    year, number = week
    if whole:
        dates = span(days[0], days[-1])
        return Text(
            f"{year}年第{number}周整周（{dates.zh.removeprefix(f'{year}年')}）",
            f"{year}-W{number:02} whole ({dates.en.removesuffix(f' {year}')})",
        )
    months = [(month, list(found)) for month, found in groupby(days, key=lambda d: d.month)]
    zh = "、".join(
        f"{month}月" + "、".join(f"{when.day}日" for when in found) for month, found in months
    )
    en = ", ".join(
        ", ".join(str(when.day) for when in found) + f" {MONTHS[month - 1]}"
        for month, found in months
    )
    return Text(
        f"{year}年第{number}周（{zh}）",
        f"{year}-W{number:02} ({en})",
    )
