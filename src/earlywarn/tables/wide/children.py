"""Who is it: a child of a sheet that gives no registry number.

A child is found by its identity number, or by school, class and name. The record that counts is the
one in force on the sheet's day; where the registry begins later, its first. Of two in one class,
one of them known there only from an earlier school year, the other is meant. Two children or none:
the sheet's row is left to a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import duckdb

from earlywarn.tables.batches import attach
from earlywarn.tables.wide.titles import class_key
from earlywarn.workspace import Workspace

# Each child's record of the day: the newest snapshot not after it, else its first.
_RECORDS = """
SELECT student_id, name, school_id, class_id, grade,
       year(snapshot_date) - (month(snapshot_date) < 9)::INTEGER AS school_year
FROM students
WHERE name IS NOT NULL OR student_id IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY student_id
    ORDER BY snapshot_date > $day, abs(date_diff('day', snapshot_date, $day))
) = 1
"""
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"  # GB 11643-1999
# student_id, name, class_id, grade, school year; and a child with the forms of its class
_Record = tuple[str, str, str, int | None, int]
_Named = tuple[str, set[str], int]
_IS_PLAIN = re.compile(r"[\u4e00-\u9fff]*").fullmatch  # as nearly all are
_DOTS = "·•‧∙・．.｡。▪●"


@dataclass(frozen=True, slots=True)
class Found:
    """What a sheet's row came to: a child, or why not (a reason's code and detail)."""

    student_id: str = ""
    code: str = ""
    detail: str = ""


class Children:
    """The registry as of a day: its children by identity number, and by school, class and name."""

    def __init__(self, workspace: Workspace, day: date) -> None:
        with duckdb.connect() as con:
            con.execute("SET enable_progress_bar = false").fetchall()
            attach(con, workspace)
            rows = con.execute(_RECORDS, {"day": day}).fetchall()
            schools = con.execute("SELECT school_id, name FROM schools").fetchall()
        self._students = [student for student, *_ in rows]
        self._of_school: dict[str, list[_Record]] = defaultdict(list)
        for student, name, school, class_id, grade, year in rows:
            if name:
                self._of_school[school].append((student, name, class_id or "", grade, year))
        self._named: dict[str, dict[str, list[_Named]]] = {}
        self._schools_in: dict[tuple[str, ...], set[str]] = {}
        self._schools = {name_key(name): school for school, name in schools if name}
        self.known_schools = {school for school, _ in schools} | {row[2] for row in rows}

    @cached_property
    def _by_number(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for student in self._students:
            digits = student[1:] if student[:1] in "GL" else student
            found[digits.upper()] = student
            if len(digits) == 18:
                found.setdefault(digits[:6] + digits[8:17], student)
        return found

    def _names_in(self, school: str) -> dict[str, list[_Named]]:
        """Return a school's children by name, each with the forms of its class."""
        if school not in self._named:
            keys: dict[tuple[str, int | None], set[str]] = {}
            named: dict[str, list[_Named]] = defaultdict(list)
            for student, name, class_id, grade, year in self._of_school.get(school, ()):
                said = (class_id, grade)
                if said not in keys:
                    keys[said] = {class_key(class_id), class_key(class_id, grade)}
                named[name_key(name)].append((student, keys[said], year))
            self._named[school] = dict(named)
        return self._named[school]

    def by_number(self, text: str) -> Found:
        """Find a child by its identity number of 15 or 18 digits, or its registry number."""
        digits = re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).upper().lstrip("'")
        digits = digits[1:] if digits[:1] in ("G", "L") else digits
        student = self._by_number.get(digits)
        if student is not None:
            return Found(student)
        if len(digits) not in (15, 18):
            return Found(code="id_number_length", detail=str(len(digits)))
        if len(digits) == 18 and not has_check_digit(digits):
            return Found(code="id_number_check")
        return Found(code="no_child_of_number")

    def by_name(self, school: str, class_text: str, name: str) -> Found:
        """Find the one child of that name in a class."""
        same_name = self._names_in(school).get(name_key(name), [])
        wanted = class_key(class_text)
        in_class = [(year, student) for student, keys, year in same_name if wanted in keys]
        # Class 901 of a year ago is not the class of this year: who was in it is no candidate.
        newest = max((year for year, _ in in_class), default=0)
        found = [student for year, student in in_class if year == newest]
        if len(found) == 1:
            return Found(found[0])
        if len(found) > 1:
            return Found(code="two_children", detail=", ".join(sorted(found)))
        if same_name:
            others = ", ".join(sorted(student for student, *_ in same_name))
            return Found(code="child_of_other_class", detail=others)
        return Found(code="no_child")

    def schools_in(self, texts: Sequence[str]) -> set[str]:
        """Return the schools whose whole name stands in one of `texts`; of two, the longer name."""
        said = tuple(texts)
        if said not in self._schools_in:
            self._schools_in[said] = self._find_schools(said)
        return self._schools_in[said]

    def _find_schools(self, texts: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for text in texts:
            folded = name_key(text)
            named = [name for name in self._schools if name in folded]
            found |= {
                self._schools[name]
                for name in named
                if not any(name != other and name in other for other in named)
            }
        return found


def name_key(name: str) -> str:
    """Return one form for the ways in which people write a name.

    Full-width letters, spaces inside two-character names and the dots of minority names.
    """
    if _IS_PLAIN(name):
        return name
    name = unicodedata.normalize("NFKC", name)
    for dot in _DOTS:
        name = name.replace(dot, "·")
    if re.search(r"[A-Za-z]", name):
        return re.sub(r"\s+", " ", name).strip().casefold()
    return re.sub(r"\s+", "", name)


def has_check_digit(digits: str) -> bool:
    """Whether an identity number of 18 digits ends as its first 17 say (GB 11643-1999)."""
    if not re.fullmatch(r"\d{17}[\dX]", digits):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=False))
    return _CHECK_DIGITS[total % 11] == digits[17]
