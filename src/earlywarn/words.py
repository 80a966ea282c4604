"""The vocabulary: coded values that tables, rules and outputs share, with their labels.

Source of the terms: the Ministry of Education's registry sheet and dropout-control notices.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from earlywarn.errors import Lang, Text

# Between these years lies every date that is read, in a file or typed; others are slips.
FIRST_YEAR, LAST_YEAR = 1900, 2199


def can_be(day: date) -> bool:
    """Whether a date that was read lies in a year that can be meant."""
    return FIRST_YEAR <= day.year <= LAST_YEAR


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

SCHOOL_KIND_LABELS: dict[str, Text] = {
    "primary": Text("小学", "primary"),
    "junior": Text("初中", "junior"),
    "nine_year": Text("九年一贯制学校", "nine-year school"),
    "teaching_point": Text("教学点", "teaching point"),
}

# The registry fields that a condition may name beside the features, as the registry calls them.
FIELD_LABELS: dict[str, Text] = {
    "sex": Text("性别", "sex"),
    "placement": Text("就学安置", "placement"),
    "parents_away": Text("父母外出情况", "parents working away"),
    "migrant_child": Text("登记为随迁子女", "recorded as a child of migrant workers"),
    "disability": Text("残疾类型", "disability"),
    "poverty": Text("困难类型", "poverty"),
    "receives_aid": Text("受资助", "receives aid"),
    "boarding_aid": Text("享受寄宿生生活补助", "receives the boarders' allowance"),
    "parent_in_prison": Text("登记为父母在服刑", "recorded with a parent in prison"),
    "orphan_status": Text("孤儿情况", "orphan status"),
    "travel": Text("上学方式", "way to school"),
}

# The codes of text fields and features, as people say them.
CODE_LABELS: dict[str, dict[str, Text]] = {
    "sex": {"M": Text("男", "male"), "F": Text("女", "female")},
    "stage": {
        "primary": Text("小学", "primary"),
        "junior": Text("初中", "junior"),
        "adult": Text("成人", "adult"),
    },
    "placement": {
        "regular": Text("普通学校", "regular school"),
        "special_school": Text("特殊教育学校", "special school"),
        "home_teaching": Text("送教上门", "taught at home"),
    },
    "parents_away": {
        "none": Text("都在家", "at home"),
        "one_parent": Text("一方外出", "one parent away"),
        "both_parents": Text("双方外出", "both parents away"),
    },
    "disability": {
        "none": Text("无", "none"),
        "visual": Text("视力残疾", "visual"),
        "hearing": Text("听力残疾", "hearing"),
        "intellectual": Text("智力残疾", "intellectual"),
        "physical": Text("肢体残疾", "physical"),
        "speech": Text("言语残疾", "speech"),
        "mental": Text("精神残疾", "mental"),
        "multiple": Text("多重残疾", "multiple"),
        "other": Text("其他残疾", "other"),
    },
    "poverty": {
        "none": Text("无", "none"),
        "low_income": Text("低保或低收入", "low income"),
        "registered": Text("建档立卡", "registered as poor"),
    },
    "orphan_status": {
        "none": Text("无", "none"),
        "orphan": Text("孤儿", "orphan"),
        "unattended": Text("事实无人抚养", "in fact without carers"),
    },
    "travel": {
        "walk": Text("步行", "on foot"),
        "bicycle": Text("骑自行车", "by bicycle"),
        "family": Text("家长接送", "brought by family"),
        "public": Text("公共交通", "public transport"),
        "school_bus": Text("校车", "school bus"),
        "lives_at_school": Text("住校", "lives at school"),
    },
}


def counted(number: int, noun: str) -> str:
    """Return `1 rule` or `2 rules`, for English sentences."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS = (
    *(Text("周一", "Mon"), Text("周二", "Tue"), Text("周三", "Wed"), Text("周四", "Thu")),
    *(Text("周五", "Fri"), Text("周六", "Sat"), Text("周日", "Sun")),
)


def day_in_words(when: date, lang: Lang, today: date | None = None) -> str:
    """Return a date in words, with its year unless it is `today`'s: `11月20日`, `20 Nov`."""
    year = today is None or when.year != today.year
    if lang == "zh":
        return f"{when.year}年{when.month}月{when.day}日" if year else f"{when.month}月{when.day}日"
    return f"{when.day} {MONTHS[when.month - 1]}" + (f" {when.year}" if year else "")
