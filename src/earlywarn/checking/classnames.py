"""The grade that a class's name tells, where it tells one clearly."""

from __future__ import annotations

import re
import unicodedata

_NUMERALS = {sign: value for value, sign in enumerate("一二三四五六七八九", start=1)}
_GRADE = "([一二三四五六七八九1-9])"
_CLASS = r"(?:[一二三四五六七八九十]{1,3}|\d{1,2})"
# After NFKC, so that full-width digits, brackets and points read like the others.
_NAMES = (
    re.compile(rf"(?:[小初]学?)?{_GRADE}年级?\(?{_CLASS}\)?班?"),  # 七年级3班, 7年(3)班
    re.compile(rf"{_GRADE}\({_CLASS}\)班?"),  # 八(2)班
    re.compile(r"([一二三四五六七八九])\d{1,2}班"),  # 八2班
    re.compile(r"([1-9])[.]\d{1,2}班?"),  # 7.3
)
_JUNIOR = re.compile(rf"初([一二三四])(?:年级)?\(?{_CLASS}\)?班?")  # 初一3班


def named_grade(class_id: str, junior_from: int | None = None) -> int | None:
    """Return the grade (1-9) that a class's name tells, None where it is not clear.

    `junior_from` is the first grade of junior school, for names such as 初一3班; without it they
    tell nothing, as counties differ in it. A year of entry (2024级3班) or a bare number (701) is
    not clear.

    >>> named_grade("八（2）班"), named_grade("7.3"), named_grade("701"), named_grade("初二1班", 7)
    (8, 7, None, 8)
    """
    name = re.sub(r"\s", "", unicodedata.normalize("NFKC", class_id))
    found = _JUNIOR.fullmatch(name)
    if found and junior_from is not None:
        return junior_from + _NUMERALS[found[1]] - 1
    for pattern in _NAMES:
        found = pattern.fullmatch(name)
        if found:
            return _NUMERALS.get(found[1]) or int(found[1])
    return None
