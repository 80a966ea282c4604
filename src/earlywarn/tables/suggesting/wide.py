"""Mark sheets with a column a subject and attendance sheets with a column a day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import get_args

from earlywarn.errors import Text
from earlywarn.tables.mapping import SUBJECTS, Layout, Mapping, Role, normal_heading, normal_value
from earlywarn.tables.suggesting.codes import NO_CODES, Code, Codes, is_person
from earlywarn.tables.suggesting.likeness import vocabulary
from earlywarn.tables.suggesting.matching import Guesses, match_columns
from earlywarn.tables.suggesting.sheet import Headed
from earlywarn.tables.suggesting.values import Evidence, Values

_FEWEST_SUBJECTS = 2
_MARKS = re.compile(r"(考试)?(成绩|分数|得分|原始分|卷面分|分|score|marks?)$")
_SIGNS_SHOWN = 20
_LONGEST_SIGN = 4
_WEEKDAYS = frozenset(("", *"一二三四五六日天"))

_ROLE_RULES: dict[str, tuple[tuple[str, ...], ...]] = {
    "student_id": (("registry",), ("registry", "number"), ("roll",), ("child", "number")),
    "id_number": (("identity",), ("identity", "number")),
    "name": (("name",), ("child", "name")),
    "class_id": (("class",), ("class", "number")),
    "school_id": (("school", "number"),),
    "school": (("school", "name"), ("school",)),
    "half": (("session",),),
}
_AS_IN_SHEETS = Text("与常用符号一致", "as in the shipped list of signs")
_UNKNOWN_SIGN = Text("不认识的符号", "not a known sign")


@dataclass(frozen=True)
class Wide:
    """The columns of a wide sheet; `subjects` says which of their names are subjects."""

    guesses: Guesses
    subjects: frozenset[str]
    signs: Codes = NO_CODES


def wide_layout(headed: Headed, table: str) -> Layout:
    """Return the layout that a sheet's headings show for `table`."""
    if table == "attendance" and headed.days:
        return "month"
    if table == "exams":
        found = {_subject_of(heading) for heading in headed.headings} - {""}
        if len(found) >= _FEWEST_SUBJECTS:
            return "marks"
    return "long"


def _bare(heading: str) -> str:
    text = re.sub(r"\(.*?\)", "", normal_heading(heading))
    return _MARKS.sub("", text) or text


def _subject_of(heading: str) -> str:
    return SUBJECTS.get(_bare(heading), "") or _INITIALS.get(_bare(heading), "")


_INITIALS = {
    "yw": "chinese",
    "sx": "maths",
    "yy": "english",
    "wl": "physics",
    "hx": "chemistry",
    "sw": "biology",
    "ls": "history",
    "dl": "geography",
}


def match_wide(headed: Headed, mapping: Mapping, layout: Layout) -> Wide:
    """Match the headings of a wide sheet to roles and, in a mark sheet, to subjects."""
    columns = {role: list(mapping.who[role]) for role in get_args(Role)}
    if layout == "marks":
        columns.pop("half")
        for heading, subject in mapping.subjects.items():
            columns.setdefault(subject, []).append(heading)
    subjects = frozenset(columns) - set(get_args(Role))
    rules = {role: rule for role, rule in _ROLE_RULES.items() if role in columns}
    words = vocabulary(columns, rules, sorted(mapping.ignore), ())
    days = set(headed.days)
    headings = ["" if i in days else text for i, text in enumerate(headed.headings)]
    if layout == "marks":
        compared = [_bare(text) if _subject_of(text) else text for text in headings]
    else:
        compared = headings

    def evidence(values: Values, name: str) -> Evidence:
        return values.role_evidence("score" if name in subjects else name, mapping)

    guesses = match_columns(
        compared, headed.contexts, headed.columns, list(columns), evidence, words, {}
    )
    shown = [g.heading_as(headings[g.index]) for g in guesses.columns]
    guesses = Guesses(shown, guesses.known, guesses.unknown)
    signs = _signs(headed, mapping) if layout == "month" else NO_CODES
    return Wide(guesses, subjects, signs)


def _signs(headed: Headed, mapping: Mapping) -> Codes:
    """Return the signs under the days."""
    known = mapping.values.get("status", {})
    texts: dict[str, None] = {}
    for line in headed.cells:
        signs = [normal_value(line[i]) for i in headed.days]
        if not set(signs) <= _WEEKDAYS:  # the row of weekdays under the days
            texts |= dict.fromkeys(sign for sign in signs if sign)
    codes, hidden = [], 0
    for text in texts:
        if text in known:
            codes.append(Code(text, known[text], True, _AS_IN_SHEETS))
        elif (
            len(text) > _LONGEST_SIGN
            or text.isdigit()
            or is_person(text)
            or len(codes) >= _SIGNS_SHOWN
        ):
            hidden += 1
        else:
            codes.append(Code(text, None, False, _UNKNOWN_SIGN))
    return Codes(tuple(codes), hidden)
