"""Which fields of the registry the rules use, directly or through a feature or group."""

from __future__ import annotations

from earlywarn.errors import Text
from earlywarn.features.groups import Groups
from earlywarn.rules.pack import read_rulebook
from earlywarn.tables.contract import STUDENTS
from earlywarn.words import FIELD_LABELS, MONITORED_GROUPS
from earlywarn.workspace import Workspace

TABLE_LABELS = {
    "schools": Text("学校", "the table of schools"),
    "students": Text("学籍", "the registry"),
    "attendance": Text("考勤", "attendance"),
    "exams": Text("成绩", "marks"),
    "outcomes": Text("去向", "outcomes"),
    "calendar": Text("校历", "the calendar"),
}
# Never empty, or meant to be.
_NOT_CHECKED = ("student_id", "snapshot_date", "school_id", "grade", "left_on")
FIELDS = tuple(c.name for c in STUDENTS.columns if c.name not in _NOT_CHECKED)

_LABELS = FIELD_LABELS | {
    "name": Text("姓名", "name"),
    "birth_date": Text("出生日期", "birth date"),
    "class_id": Text("班级", "class"),
    "enrolled_on": Text("入学日期", "enrolled on"),
    "boarding": Text("住校", "boarding"),
    "distance_km": Text("上学距离", "distance to school"),
    "needs_bus": Text("需要乘坐校车", "needs the bus"),
    "guardian": Text("监护人", "guardian"),
    "guardian_phone": Text("监护人电话", "guardian's phone"),
    "homeroom_teacher": Text("班主任", "homeroom teacher"),
    "status": Text("考勤状态", "status"),
}

# What stands behind a feature of the registry whose name is no field's; groups are in groups.yaml.
_BEHIND = {
    "age_years": ("birth_date",),
    "over_age_years": ("birth_date",),
    "months_over_age": ("birth_date",),
    "days_enrolled": ("enrolled_on",),
    "guardian_changes_365d": ("guardian",),
    "aid_gap": ("poverty", "receives_aid"),
    "school_poor_share": ("poverty",),
    "school_left_behind_share": ("parents_away",),
    "school_migrant_share": ("migrant_child",),
}


def label(field: str) -> Text:
    """Return a field as people call it, with the name that the table has for it."""
    said = _LABELS[field]
    return Text(f"{said.zh}（{field}）", f"{said.en} ({field})")


def used_fields(workspace: Workspace) -> dict[str, int]:
    """Return how many rules use each field, without those that none uses.

    Rules that are not well formed are left to `earlywarn rules check`.
    """
    if not workspace.rules.is_dir():
        return {}
    rulebook, _ = read_rulebook(workspace.rules)
    used: dict[str, int] = dict.fromkeys(FIELDS, 0)
    for rule in rulebook.rules:
        for field in {f for name in rule.condition.names for f in _fields(name, rulebook.groups)}:
            used[field] += 1
    return {field: count for field, count in used.items() if count}


def _fields(name: str, groups: Groups) -> set[str]:
    behind = {group.name: set(group.condition.names) for group in groups}
    behind["group_count"] = set().union(*(behind.get(g, set()) for g in MONITORED_GROUPS))
    found = behind.get(name) or set(_BEHIND.get(name, (name,)))
    return found & set(FIELDS)
