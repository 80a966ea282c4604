"""Whom the rows of a sheet are about: by registry number, identity number, or class and name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from earlywarn.tables.options import IngestOptions
from earlywarn.tables.wide.children import Children, Found
from earlywarn.tables.wide.said import Said
from earlywarn.tables.wide.sheet import Pupil, Sheet
from earlywarn.workspace import Workspace

WHO = ("student_id", "name", "class_id")
_SAY_WHO = ("student_id", "id_number", "name", "class_id")


@dataclass(frozen=True, slots=True)
class Unknown:
    """A row that is nobody's, or of which it cannot be told whose. `code`: see `tables.reasons`.

    `column` is where a person would mend it; `shown` what the row says under student_id, name and
    class.
    """

    row: int
    column: int
    shown: list[str]
    code: str
    value: str = ""
    detail: str = ""


class Whose:
    """Tells whom rows are about, from the registry as of a sheet's day."""

    def __init__(self, workspace: Workspace, options: IngestOptions) -> None:
        self._workspace = workspace
        self._options = options
        self._children: dict[date, Children] = {}

    def rows(
        self, sheet: Sheet, said: Said, pupils: Sequence[Pupil], day: date
    ) -> tuple[dict[int, list[str]], list[Unknown]]:
        """Return student_id, name and class by row, and the rows that are left to a person.

        A child that two rows are about is left to a person in both.
        """
        found: dict[int, list[str]] = {}
        unknown: list[Unknown] = []
        for pupil in pupils:
            who = self._who(sheet, said, pupil, day)
            if isinstance(who, Unknown):
                unknown.append(who)
            else:
                found[pupil.row] = who
        rows: dict[str, list[int]] = defaultdict(list)
        for row, (student, *_) in found.items():
            rows[student].append(row)
        for same in rows.values():
            for row in same if len(same) > 1 else ():
                others = ", ".join(str(other) for other in same if other != row)
                column = _column(sheet, "name")
                unknown.append(Unknown(row, column, found.pop(row), "child_twice", "", others))
        return found, unknown

    def _who(self, sheet: Sheet, said: Said, pupil: Pupil, day: date) -> list[str] | Unknown:
        words = pupil.who
        class_id = words.get("class_id") or said.class_id
        shown = [words.get("student_id", ""), words.get("name", ""), class_id]
        for role, column in sheet.who.items() if sheet.grid.wrong else ():
            code = sheet.grid.wrong.get((pupil.row, column), "")
            if code and role in _SAY_WHO:
                return Unknown(pupil.row, column, shown, code, words.get(role, ""))
        if shown[0]:
            return shown
        found = self._child(said, words, class_id, day)
        if found.code:
            column = _column(sheet, "id_number", "name")
            return Unknown(pupil.row, column, shown, found.code, detail=found.detail)
        return [found.student_id, *shown[1:]]

    def _child(self, said: Said, words: dict[str, str], class_id: str, day: date) -> Found:
        """Find a child without a registry number; its identity number stays out of messages."""
        children = self._as_of(day)
        if words.get("id_number"):
            return children.by_number(words["id_number"])
        if not words.get("name"):
            return Found(code="no_name")
        school = self._school(children, said, words)
        if not school or not class_id:
            return Found(code="no_class" if school else "no_school")
        return children.by_name(school, class_id, words["name"])

    def _as_of(self, day: date) -> Children:
        if day not in self._children:
            self._children[day] = Children(self._workspace, day)
        return self._children[day]

    def _school(self, children: Children, said: Said, words: dict[str, str]) -> str:
        if words.get("school_id"):
            return words["school_id"]
        if self._options.school is not None:
            return self._options.school
        places = [words["school"]] if words.get("school") else said.places
        found = children.schools_in(places)
        if not found and len(children.known_schools) == 1:
            found = children.known_schools
        return next(iter(found)) if len(found) == 1 else ""


def _column(sheet: Sheet, *best: str) -> int:
    """Return the column that says whom a row is about: the first there is of `best` and others."""
    return next(sheet.who[role] for role in (*best, *WHO, "id_number") if role in sheet.who)
