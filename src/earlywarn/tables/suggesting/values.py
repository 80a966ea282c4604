"""What the values below a heading say about the column: which share of them it could read.

Only shares leave this module, never a value.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from earlywarn.tables.cells import folded, parse_date, parse_number
from earlywarn.tables.contract import Column
from earlywarn.tables.mapping import BOOLEANS, Mapping, look_up, normal_value

_REGISTRY = re.compile(r"^[GL]\d{17}[\dX]$", re.IGNORECASE)
_IDENTITY = re.compile(r"^(\d{17}[\dX]|\d{15})$", re.IGNORECASE)
_PHONE = re.compile(r"^(\+?86[- ]?)?(1[3-9]\d[- ]?\d{4}[- ]?\d{4}|0\d{2,3}-?\d{7,8})$")
_NUMBER_LIKE = re.compile(r"^(?=.*\d)[A-Za-z0-9-]{4,24}$")
_SCHOOL_CODE = re.compile(r"^\d{10}$")
_CODE = re.compile(r"^(?=.*\d)[A-Za-z0-9-]{2,16}$")
_CLASS = re.compile(
    r"^([一二三四五六七八九初高小\d]*(年级)?[(（\[]?[\d一二三四五六七八九十]{1,3}[)）\]]?班?|[1-9]\.\d{1,2}"
    r"|\d{1,2}[A-Za-z])$"
)
_PERSON = re.compile(r"^([\u4e00-\u9fff]{2,4}|[\u4e00-\u9fff]+([·•．. ][\u4e00-\u9fff]+)+)$")
_LATIN_PERSON = re.compile(r"^[A-Za-z]+([ ,.'-]+[A-Za-z]+){1,3}$")
_SCHOOL_NAME = re.compile(r"(学校|小学|中学|校|教学点|学院|school)$", re.IGNORECASE)
_COUNTY = re.compile(r"(县|区|市|旗)$")
_TOWNSHIP = re.compile(r"(镇|乡|街道|办事处)$")
_EXAM = re.compile(r"考|期中|期末|测|联赛|模拟|exam|test|mid|final", re.IGNORECASE)
_DAY_FIRST = re.compile(r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})$")
_SERIAL = re.compile(r"^\d{5}$")
_FULL_MARKS = frozenset((10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 150, 160, 200))
_ENROLMENT_MONTHS = frozenset((2, 3, 7, 8, 9))
_SAMPLE = 3_000  # values that decide what a column is; its codes and dates are all looked at
_MOST_CODES, _LONGEST_CODE = 12, 16
_UNKNOWN_CODES = 0.4
_FEWEST_RUNNING = 5
_PLAIN_CODES = frozenset((*BOOLEANS, "2", "3"))


@dataclass(frozen=True)
class Evidence:
    """What a column's values say for a canonical column.

    `share`: how many of them it could read, 0 to 1; `telling`: how much that says, 0 (anything
    could stand there) to 1 (hardly anything else looks so). `against`: how much a value that could
    not be read speaks against the column; an unknown word in a list of codes less than a wrong
    phone number.
    """

    share: float
    telling: float
    against: float = 1.0


NO_VALUES = Evidence(1.0, 0.0)
RUNNING = Evidence(0.0, 0.0, 0.5)


class Values:
    """The values of one column of a sheet, empty ones left out."""

    def __init__(self, cells: Sequence[str]) -> None:
        self.cells = len(cells)
        self.texts = [text for text in map(folded, cells) if text]
        self.counts = Counter(self.texts)
        sample = self.texts[:_SAMPLE]
        self._sample = Counter(sample)
        self._sampled = len(sample)

    def share(self, fits: Callable[[str], object]) -> float:
        """Return the share of values (the first thousands) for which `fits` is true.

        It is 1 where there is no value.
        """
        if not self._sampled:
            return 1.0
        return sum(n for text, n in self._sample.items() if fits(text)) / self._sampled

    @cached_property
    def distinct(self) -> float:
        """How many different values there are for each value, 0 to 1."""
        return len(self._sample) / self._sampled if self._sampled else 0.0

    @cached_property
    def running(self) -> bool:
        """Whether the values are 1, 2, 3 and so on: rows numbered, not what a row is about."""
        numbers = [int(text) if text.isdecimal() else 0 for text in self.texts]
        return len(numbers) >= _FEWEST_RUNNING and numbers == list(range(1, len(numbers) + 1))

    @cached_property
    def date_order(self) -> str:
        """In which order the dates are written: ymd, dmy, mdy, ambiguous; "" where not dates."""
        if not self.texts:
            return ""
        parts = [_DAY_FIRST.match(text) for text in self.counts]
        if not all(parts):
            return "ymd" if self.share(_is_date) >= 0.8 else ""
        firsts = [int(match[1]) for match in parts if match]
        seconds = [int(match[2]) for match in parts if match]
        if max(firsts) > 12 and max(seconds) <= 12:
            return "dmy"
        if max(seconds) > 12 and max(firsts) <= 12:
            return "mdy"
        return "ambiguous"

    def evidence(self, column: Column, mapping: Mapping) -> Evidence:
        """Return what the values say for `column` of the mapping's table."""
        if not self.texts:
            return NO_VALUES
        if self.running:
            return RUNNING
        if column.type == "date":
            return self._date(column.name)
        if column.type in ("boolean", "choice"):
            return self._code(column, mapping)
        special = _SPECIAL.get((mapping.table.name, column.name)) or _SPECIAL.get(("", column.name))
        if special is not None:
            return special(self, mapping)
        if column.type in ("integer", "number"):
            return Evidence(self.share(lambda text: not parse_number(text).code), 0.1)
        return Evidence(self.share(lambda text: not _PHONE.match(text)), 0.0)

    def role_evidence(self, role: str, mapping: Mapping) -> Evidence:
        """Return what the values say for a wide sheet's column: whom a row is about, or marks."""
        if not self.texts:
            return NO_VALUES
        if self.running:
            return RUNNING
        special = _ROLES.get(role)
        return special(self, mapping) if special else Evidence(1.0, 0.0)

    def _date(self, name: str) -> Evidence:
        share = self.share(lambda text: _is_date(text) or _DAY_FIRST.match(text))
        days = [day for day in map(_day_of, self._sample) if day is not None]
        if not days:
            return Evidence(share, 0.3)
        if name == "birth_date":
            return Evidence(share, 0.6 if self.distinct > 0.5 and len(days) > 3 else 0.2)
        if name == "enrolled_on":
            term = sum(day.month in _ENROLMENT_MONTHS for day in days) / len(days)
            return Evidence(share, 0.5 if term == 1 and self.distinct <= 0.5 else 0.1)
        if name == "snapshot_date":
            return Evidence(share, 0.5 if len(days) == 1 else 0.0)
        return Evidence(share, 0.4)

    def _code(self, column: Column, mapping: Mapping) -> Evidence:
        values = mapping.values.get(column.name, {})
        share = self.share(lambda text: _known(values, text))
        plain = _PLAIN_CODES - set(map(str.casefold, column.choices))  # F is a word of sex
        words = self.share(lambda text: normal_value(text) not in plain and _known(values, text))
        coded = len(self.counts) <= _MOST_CODES and self.share(_is_word) >= 0.5
        return Evidence(share, 0.2 + 0.7 * words, _UNKNOWN_CODES if coded else 1.0)


def _is_word(text: str) -> bool:
    return len(text) <= _LONGEST_CODE and not any(char.isdigit() for char in text)


def _known(values: dict[str, str], text: str) -> bool:
    value, conflict = look_up(values, text)
    return value is not None and not conflict


def _is_date(text: str) -> bool:
    return not parse_date(text, months=True).code or bool(_SERIAL.match(text))


def _day_of(text: str) -> date | None:
    day: date | None = parse_date(text, months=True).value
    return day


def _student_id(values: Values, mapping: Mapping) -> Evidence:
    if values.share(_REGISTRY.match) >= 0.8:
        return Evidence(values.share(_REGISTRY.match), 1.0)
    foreign = values.share(lambda text: _PHONE.match(text) or _IDENTITY.match(text))
    share = values.share(_NUMBER_LIKE.match) * (1 - foreign)
    return Evidence(share, 0.14 if values.distinct > 0.8 and share > 0.8 else 0.0)


def _id_number(values: Values, mapping: Mapping) -> Evidence:
    return Evidence(values.share(_IDENTITY.match), 1.0)


def _school_id(values: Values, mapping: Mapping) -> Evidence:
    if values.share(_SCHOOL_CODE.match) >= 0.9:
        return Evidence(1.0, 0.8)
    foreign = values.share(lambda text: _PHONE.match(text) or _REGISTRY.match(text))
    return Evidence(values.share(_CODE.match) * (1 - foreign), 0.2 if values.distinct < 0.5 else 0)


def _class_id(values: Values, mapping: Mapping) -> Evidence:
    share = values.share(_CLASS.match)
    named = values.share(lambda text: "班" in text)
    return Evidence(share, 0.7 if named > 0.8 else 0.2, _UNKNOWN_CODES)


def _grade(values: Values, mapping: Mapping) -> Evidence:
    known = mapping.values.get("grade", {})

    def reads(text: str) -> bool:
        return _known(known, text) or (text.isdigit() and 1 <= int(text) <= 12)

    named = values.share(lambda text: not text.isdigit() and reads(text))
    return Evidence(values.share(reads), 0.7 if named > 0.8 else 0.2)


def _person(values: Values, mapping: Mapping) -> Evidence:
    share = values.share(lambda text: _PERSON.match(text) or _LATIN_PERSON.match(text))
    return Evidence(share, 0.3 if values.distinct > 0.5 else 0.1)


def _phone(values: Values, mapping: Mapping) -> Evidence:
    return Evidence(values.share(_PHONE.match), 0.9)


def _subject(values: Values, mapping: Mapping) -> Evidence:
    known = mapping.values.get("subject", {})
    share = values.share(lambda text: _known(known, text))
    return Evidence(max(share, 0.7 if values.distinct < 0.5 else 0), 0.9 * share)


def _score(values: Values, mapping: Mapping) -> Evidence:
    from earlywarn.tables.validate import ABSENT_MARKS

    share = values.share(
        lambda text: text.casefold() in ABSENT_MARKS or not parse_number(text).code
    )
    return Evidence(share, 0.3)


def _full_mark(values: Values, mapping: Mapping) -> Evidence:
    def is_full(text: str) -> bool:
        number = parse_number(text).value
        return number is not None and number in _FULL_MARKS

    return Evidence(values.share(is_full), 0.5 if len(values.counts) <= 4 else 0.1)


def _distance(values: Values, mapping: Mapping) -> Evidence:
    def near(text: str) -> bool:
        number = parse_number(text).value
        return number is not None and number <= 300

    return Evidence(values.share(near), 0.3 if any("." in text for text in values.counts) else 0.1)


def _like(pattern: re.Pattern[str], telling: float) -> Callable[[Values, Mapping], Evidence]:
    def read(values: Values, mapping: Mapping) -> Evidence:
        worded = values.share(lambda text: any(char.isalpha() for char in text))
        return Evidence(worded, telling * values.share(pattern.search))

    return read


def _session(values: Values, mapping: Mapping) -> Evidence:
    known = mapping.values.get("session", {})
    share = values.share(lambda text: _known(known, text) or text.casefold() in ("am", "pm"))
    short = values.share(lambda text: len(text) <= 4)
    return Evidence(max(share, short), 0.9 * share)


_SPECIAL: dict[tuple[str, str], Callable[[Values, Mapping], Evidence]] = {
    ("", "student_id"): _student_id,
    ("", "school_id"): _school_id,
    ("", "class_id"): _class_id,
    ("", "grade"): _grade,
    ("students", "name"): _person,
    ("", "guardian"): _person,
    ("", "homeroom_teacher"): _person,
    ("", "guardian_phone"): _phone,
    ("", "subject"): _subject,
    ("", "score"): _score,
    ("", "full_mark"): _full_mark,
    ("", "distance_km"): _distance,
    ("", "exam"): _like(_EXAM, 0.6),
    ("", "session"): _session,
    ("schools", "name"): _like(_SCHOOL_NAME, 0.8),
    ("", "county"): _like(_COUNTY, 0.6),
    ("", "township"): _like(_TOWNSHIP, 0.7),
}

_ROLES: dict[str, Callable[[Values, Mapping], Evidence]] = {
    "student_id": _student_id,
    "id_number": _id_number,
    "name": _person,
    "class_id": _class_id,
    "school_id": _school_id,
    "school": _like(_SCHOOL_NAME, 0.8),
    "half": _session,
    "score": _score,
}
