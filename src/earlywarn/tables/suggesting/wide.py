"""Mark sheets with a column a subject and attendance sheets with a column a day."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import get_args

from earlywarn.errors import Text
from earlywarn.tables.mapping import Mapping, normal_value
from earlywarn.tables.mappingfiles import Layout, Role
from earlywarn.tables.suggesting.codes import NO_CODES, Code, Codes, is_person
from earlywarn.tables.suggesting.likeness import ELSE, Vocabulary, vocabulary
from earlywarn.tables.suggesting.matching import Guesses, match_columns
from earlywarn.tables.suggesting.sheet import Headed
from earlywarn.tables.suggesting.values import Evidence, Values
from earlywarn.tables.suggesting.words import Rules, lexicon, role_rules, subject_rules

_FEWEST_SUBJECTS = 2
_NAMES_A_SUBJECT = 0.75
_SIGNS_SHOWN = 20
_LONGEST_SIGN = 4
_WEEKDAYS = frozenset(("", *"一二三四五六日天"))

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


@cache
def _subjects() -> Vocabulary:
    signs = {
        name: [lexicon().spellings[rules[0].order[0]][0][0]]
        for name, rules in subject_rules().items()
    }
    return vocabulary(signs, subject_rules(), ())  # 语, 数, 英 alone are subjects too


def _subject_of(heading: str) -> str:
    """Return the subject that a heading names; "" where it names none, or another thing too."""
    likes = _subjects().compare(heading)
    best = max(likes, key=lambda name: likes[name].score, default=ELSE)
    return best if best and likes[best].score >= _NAMES_A_SUBJECT else ""


def _rules() -> Rules:
    return {**role_rules(), **subject_rules()}


def match_wide(headed: Headed, mapping: Mapping, layout: Layout) -> Wide:
    """Match the headings of a wide sheet to roles and, in a mark sheet, to subjects."""
    columns = {role: list(mapping.who[role]) for role in get_args(Role)}
    if layout == "marks":
        columns.pop("half")
        for heading, subject in mapping.subjects.items():
            columns.setdefault(subject, []).append(heading)
    subjects = frozenset(columns) - set(get_args(Role))
    rules = {name: rule for name, rule in _rules().items() if name in columns}
    words = vocabulary(columns, rules, sorted(mapping.ignore))
    days = set(headed.days)
    headings = ["" if i in days else text for i, text in enumerate(headed.headings)]

    def evidence(values: Values, name: str) -> Evidence:
        return values.role_evidence("score" if name in subjects else name, mapping)

    guesses = match_columns(
        headings, headed.contexts, headed.columns, list(columns), evidence, words, {}
    )
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
