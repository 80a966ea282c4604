"""The vocabulary: coded values that tables, rules and outputs share, with their labels.

Source of the terms: the Ministry of Education's registry sheet and dropout-control notices.
"""

from __future__ import annotations

from enum import StrEnum

from earlywarn.errors import Text


class Tier(StrEnum):
    """How urgent a student is, most urgent first."""

    URGENT = "urgent"
    HIGH = "high"
    WATCH = "watch"
    ROUTINE = "routine"

    @property
    def level(self) -> int:
        """3 for urgent down to 0 for routine."""
        return {"urgent": 3, "high": 2, "watch": 1, "routine": 0}[self.value]

    @classmethod
    def of_level(cls, level: int) -> Tier:
        """Return the tier whose level is `level` (0-3)."""
        return (cls.ROUTINE, cls.WATCH, cls.HIGH, cls.URGENT)[level]


# A day's status is the worst of its sessions: the higher the number, the worse.
STATUS_SEVERITY: dict[str, int] = {
    "present": 0,
    "home_teaching": 1,
    "left_early": 2,
    "late": 3,
    "sick": 4,
    "leave": 5,
    "unexcused": 6,
}

EVENTS = (
    "dropped_out",
    "suspected",
    "returned",
    "transferred",
    "graduated",
    "abroad",
    "deceased",
    "long_leave",
)
CAUSES = ("disengaged", "hardship", "distance", "health", "family", "work", "unknown")

MONITORED_GROUPS = ("migrant", "left_behind", "disabled", "poor_family", "parent_incarcerated")

TIER_LABELS: dict[str, Text] = {
    "urgent": Text("紧急", "urgent"),
    "high": Text("高", "high"),
    "watch": Text("关注", "watch"),
    "routine": Text("常规", "routine"),
}

STATUS_LABELS: dict[str, Text] = {
    "present": Text("出勤", "present"),
    "late": Text("迟到", "late"),
    "left_early": Text("早退", "left early"),
    "sick": Text("病假", "sick"),
    "leave": Text("事假", "on leave"),
    "unexcused": Text("旷课", "without leave"),
    "home_teaching": Text("送教上门", "taught at home"),
}

EVENT_LABELS: dict[str, Text] = {
    "dropped_out": Text("辍学", "dropped out"),
    "suspected": Text("疑似辍学", "suspected dropout"),
    "returned": Text("复学", "returned"),
    "transferred": Text("转学", "transferred"),
    "graduated": Text("毕业", "graduated"),
    "abroad": Text("出境", "went abroad"),
    "deceased": Text("死亡", "deceased"),
    "long_leave": Text("休学", "on long leave"),
}

CAUSE_LABELS: dict[str, Text] = {
    "disengaged": Text("厌学或学习困难", "dislike of school or learning difficulty"),
    "hardship": Text("家庭困难", "hardship"),
    "distance": Text("路途遥远", "distance"),
    "health": Text("健康原因", "health"),
    "family": Text("家庭变故", "family"),
    "work": Text("外出务工", "work"),
    "unknown": Text("不明", "unknown"),
}
