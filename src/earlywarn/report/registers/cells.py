"""The rows of the registers as the cells of their sheets: text, whole numbers and dates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from earlywarn.errors import Lang, Text
from earlywarn.followup.answers import OUTCOMES
from earlywarn.followup.answers import WHERE as WHERE_FOUND
from earlywarn.followup.deadlines import BY_LABELS
from earlywarn.followup.states import STATE_LABELS
from earlywarn.report.registers import wording
from earlywarn.words import CAUSE_LABELS, CODE_LABELS

Cell = str | int | date | None

_LINE = (
    ("township", 11),
    ("school", 27),
    ("class_id", 9),
    ("name", 9),
    ("student_id", 21),
    ("open", 6),
    ("opened_on", 11),
    ("reopened_on", 11),
    ("closings", 26),
    ("days_out", 8),
    ("cause", 15),
    ("leader", 8),
    ("teacher", 8),
    ("persuasions", 9),
    ("last_persuasion", 11),
    ("case_state", 9),
)
# The columns of each sheet, with their widths in characters (a Chinese one takes two).
SHEETS: dict[str, tuple[tuple[str, int], ...]] = {
    "school_age": (
        ("township", 11),
        ("school", 27),
        ("grade", 5),
        ("class_id", 10),
        ("name", 9),
        ("student_id", 21),
        ("sex", 5),
        ("birth_date", 11),
        ("where", 13),
        ("since", 11),
        ("guardian", 13),
        ("guardian_phone", 13),
        ("groups", 22),
    ),
    "suspected": _LINE,
    "dropouts": _LINE,
    "persuasions": (
        ("township", 11),
        ("school", 27),
        ("name", 9),
        ("student_id", 21),
        ("date", 11),
        ("kind", 8),
        ("by", 10),
        ("found", 52),
        ("recorded_by", 12),
    ),
}


def cells(sheet: str, row: Mapping[str, Any], groups: Mapping[str, Text], lang: Lang) -> list[Cell]:
    """Return the cells of one row of a register; `groups` are the labels of monitored groups."""
    return [_cell(key, row, groups, lang) for key, _ in SHEETS[sheet]]


def _cell(key: str, row: Mapping[str, Any], groups: Mapping[str, Text], lang: Lang) -> Cell:
    comma = Text("、", ", ")(lang)
    value: Any = row.get(key)
    if key == "school":
        return str(value or row["school_id"])
    if key == "groups":
        return comma.join(groups[name](lang) for name in value or ())
    if key == "open":
        return (wording.OPEN if value else wording.CLOSED)(lang)
    if key == "reopened_on":
        return comma.join(str(day) for day in value or ())
    if key == "closings":
        closed = [f"{one['on']} {wording.BECAUSE[one['because']](lang)}" for one in value or ()]
        return "\n".join(closed)
    if key == "by":
        return str(value or BY_LABELS[row["office"]](lang))
    if key == "found":
        return _found(row, lang)
    labels = _LABELS.get(key)
    if labels is not None:
        return labels[value](lang) if value in labels else str(value or "")
    found: Cell = value
    return found


_LABELS: dict[str, Mapping[str, Text]] = {
    "sex": CODE_LABELS["sex"],
    "where": wording.WHERE,
    "cause": CAUSE_LABELS,
    "case_state": {str(state): text for state, text in STATE_LABELS.items()},
    "kind": wording.KINDS,
}


def _found(row: Mapping[str, Any], lang: Lang) -> str:
    said = [
        labels[row[key]](lang) if row[key] in labels else row[key]
        for key, labels in (
            ("where", WHERE_FOUND),
            ("cause", CAUSE_LABELS),
            ("outcome", OUTCOMES),
        )
        if row[key]
    ]
    return Text("；", "; ")(lang).join([*said, *([row["note"]] if row["note"] else [])])
