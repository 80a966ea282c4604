"""What a school answers about a child, and how a filled workbook tells it.

Whoever writes the workbook, whoever reads it back and the ledger agree on this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from earlywarn.errors import Text
from earlywarn.words import CAUSE_LABELS

KEY_SHEET = "_earlywarn"
KEY_FORMAT = 2

WHERE: dict[str, Text] = {
    "at_school": Text("在校", "at school"),
    "at_home": Text("在家", "at home"),
    "relatives": Text("在亲戚家", "with relatives"),
    "with_parents_away": Text("随家长在外地", "with parents elsewhere"),
    "working": Text("在外务工", "working"),
    "other_school": Text("在其他学校", "at another school"),
    "hospital": Text("在医院", "in hospital"),
    "not_found": Text("尚未找到", "not found yet"),
}
OUTCOMES: dict[str, Text] = {
    "came_back": Text("已返校", "back at school"),
    "promised": Text("答应返校", "promised to come back"),
    "stays": Text("一直在校", "never away"),
    "refused": Text("不愿返校", "does not want to come back"),
    "not_reached": Text("未联系上", "not reached"),
    "home_teaching": Text("送教上门", "taught at home"),
    "placed": Text("特校或职校安置", "special or vocational school"),
    "transferred": Text("已转学", "changed school"),
    "referred": Text("已报乡镇或县", "reported to township or county"),
}
CHOICES: dict[str, dict[str, Text]] = {
    "where": WHERE,
    "cause": dict(CAUSE_LABELS),
    "outcome": OUTCOMES,
}
DATES = frozenset({"contacted_on", "visited_on"})
# In the order of the workbook's columns.
FIELDS: dict[str, Text] = {
    "contacted_on": Text("联系日期", "contacted on"),
    "contacted_by": Text("联系人", "contacted by"),
    "visited_on": Text("家访日期", "home visit on"),
    "where": Text("孩子在哪里", "where the child is"),
    "cause": Text("原因", "cause"),
    "outcome": Text("结果", "outcome"),
    "next": Text("下一步", "next step"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was typed: file name, sheet, cell (`K7`), and the text as it stood there."""

    file: str
    sheet: str
    cell: str
    typed: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One cell that a school filled in, and that could be read.

    `value` is an ISO date for DATES, a code of CHOICES, else the text, stripped.
    """

    student_id: str
    field: str
    value: str
    place: Place


@dataclass(frozen=True, slots=True)
class Unread:
    """One cell, row or sheet that a person has to settle: what is wrong, and the cure.

    Whatever was typed in it stands in `place.typed`. `student_id` and `field` where they are known.
    """

    place: Place
    why: Text
    student_id: str | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Returned:
    """A filled workbook as it was read: which list it answers, what it answers, what is unclear.

    `sha256` is of the file; `as_of` and `run` are those of the list; `version` is the program's.
    """

    file: str
    sha256: str
    school_id: str
    as_of: date
    run: str
    version: str
    answers: tuple[Answer, ...]
    unread: tuple[Unread, ...]
