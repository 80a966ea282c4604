"""What titles, sheet names and file names say: the month, the day, the exam, the class.

Pure functions over text; each returns None (or "") where the text does not say it.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from earlywarn.tables.cells import folded

_DIGITS = {"〇": 0, "零": 0, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8,
           "九": 9}  # fmt: skip
_NUMBER = r"[\d〇零一二三四五六七八九十]+"
_DAY = re.compile(
    rf"((?:19|20)\d\d|[二〇零一三四五六七八九]{{4}})\s*[年./-]\s*({_NUMBER})\s*[月./-]\s*({_NUMBER})"
)
_PLAIN_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)(\d\d)(\d\d)(?!\d)")
_MONTH = re.compile(
    rf"((?:19|20)\d\d|[二〇零一三四五六七八九]{{4}})\s*[年./-]\s*({_NUMBER})(?:\s*月|(?!\d|\s*[./-]))"
)
_PLAIN_MONTH = re.compile(r"(?<!\d)((?:19|20)\d\d)(0[1-9]|1[0-2])(?!\d)")
_MONTH_ONLY = re.compile(rf"(?<![\d年〇零一二三四五六七八九十])({_NUMBER})\s*月(?!\s*考(?!勤))")
_EXAM = re.compile(
    r"(?:(?:19|20)\d\d\s*[-—–~至]\s*(?:19|20)\d\d\s*学年(?:度)?\s*)?"
    r"(?:(?:19|20)\d\d\s*年?\s*)?"
    r"(?:第?[一二12]学期|[上下]学期|[春秋]季(?:学期)?|[春秋]学期)?\s*"
    r"(?:[一二三四五六七八九]年级|[初高][一二三])?\s*"
    r"(?:第?[\d一二三四五六七八九十]{1,3}次|[\d一二三四五六七八九十]{1,2}月|第?[\d一二三四五六七八九十]{1,2}单元)?\s*"
    r"(?:期中|期末|月考(?!勤)|模拟|摸底|开学|入学|统考|联考|段考|质检|单元|中考|会考|学业水平|素质)"
    r"(?:考试|测试|检测|测验|评价|质量监测|质量检测|监测|考查|考)?"
)
_GRADES = {"初一": 7, "初二": 8, "初三": 9, "高一": 10, "高二": 11, "高三": 12}
_CLASS = re.compile(
    rf"(?P<grade>初[一二三]|高[一二三]|{_NUMBER})\s*年?级?\s*"
    rf"(?:[(\[]\s*(?P<inside>{_NUMBER})\s*[)\]]\s*班?|[.·—–-]?\s*(?P<number>{_NUMBER})\s*班)"
)
_DOTTED = re.compile(r"^(?P<grade>\d{1,2})[.·-](?P<number>\d{1,2})$")


def number(text: str) -> int | None:
    """Read 12, 十二 or 二〇二六."""
    if text.isascii() and text.isdigit():
        return int(text)
    if "十" not in text:
        digits = [_DIGITS.get(sign) for sign in text]
        if not digits or None in digits:
            return None
        return int("".join(map(str, digits)))
    tens, _, ones = text.partition("十")
    before, after = (
        _DIGITS.get(tens, 1 if not tens else None),
        _DIGITS.get(ones, 0 if not ones else None),
    )
    return None if before is None or after is None else before * 10 + after


def days_in(text: str) -> set[date]:
    """Return every whole date that a title names."""
    text = folded(text)
    found = set()
    for match in (*_DAY.finditer(text), *_PLAIN_DAY.finditer(text)):
        year, month, day = (number(part) for part in match.groups())
        try:
            found.add(date(year or 0, month or 0, day or 0))
        except ValueError:
            continue
    return found


def months_in(text: str) -> set[tuple[int, int]]:
    """Return every (year, month) that a title names."""
    text = folded(text)
    found = set()
    for pattern in (_DAY, _PLAIN_DAY, _MONTH, _PLAIN_MONTH):
        for match in pattern.finditer(text):
            year, month = number(match.group(1)), number(match.group(2))
            if year and month and 1 <= month <= 12:
                found.add((year, month))
    return found


def months_without_year(text: str) -> set[int]:
    """Return the months that a title names without a year: `11月`."""
    found = {number(match.group(1)) for match in _MONTH_ONLY.finditer(folded(text))}
    return {month for month in found if month is not None and 1 <= month <= 12}


def exam_in(text: str) -> str:
    """Return the exam that a title names, such as `第一学期期中考试`."""
    match = _EXAM.search(folded(text))
    return "" if match is None else re.sub(r"\s+", "", match.group())


@lru_cache(maxsize=4096)
def class_key(text: str, grade: int | None = None) -> str:
    """Return one form for the ways in which people write a class.

    七年级（1）班, 七（1）班, 7.1 and 初一1班 are `7-1`; with `grade` 7 so are 1班 and （1）班. What
    is none of these stands as it is, folded.
    """
    text = re.sub(r"\s+", "", folded(text))
    match = _CLASS.search(text) or _DOTTED.match(text)
    if match is not None:
        parts = match.groupdict()
        level = _GRADES.get(parts["grade"]) or number(parts["grade"])
        group = number(parts.get("inside") or parts.get("number") or "")
        if level is not None and group is not None:
            return f"{level}-{group}"
    joined = re.fullmatch(r"([1-9])(\d\d)班?", text)  # 701 is class 1 of grade 7
    if joined:
        return f"{joined.group(1)}-{int(joined.group(2))}"
    alone = re.fullmatch(rf"[(\[]?({_NUMBER})[)\]]?班?", text)
    if alone and grade is not None:
        group = number(alone.group(1))
        if group is not None:
            return f"{grade}-{group}"
    return text.casefold()


def classes_in(text: str) -> set[str]:
    """Return the classes that a title names, as `class_key` writes them."""
    text = re.sub(r"\s+", "", folded(text))
    return {class_key(match.group()) for match in _CLASS.finditer(text)}
