"""What a school may type where the workbook offers a choice: code, label, or a known variant."""

from __future__ import annotations

from earlywarn.followup.answers import CHOICES
from earlywarn.followup.returned.headings import squeezed

# Other ways to say a choice, that can mean nothing else of the list. `返校` alone is none of them:
# it may be a plan; nor is `家庭原因`, which may be money or a divorce.
VARIANTS: dict[str, dict[str, tuple[str, ...]]] = {
    "where": {
        "at_school": ("在学校", "在学校里", "in school"),
        "at_home": ("家里", "在家里", "家中", "在家中", "home"),
        "relatives": ("亲戚家", "亲戚家里", "在亲戚家里"),
        "with_parents_away": ("随父母在外地", "跟父母在外地", "跟家长在外地"),
        "working": ("打工", "在打工", "在外打工", "务工", "外出务工", "外出打工"),
        "other_school": ("在别的学校", "在其它学校", "其他学校", "其它学校", "another school"),
        "hospital": ("医院", "住院", "住院中", "在住院"),
        "not_found": ("未找到", "没找到", "还没找到", "not found"),
    },
    "cause": {
        "disengaged": ("厌学", "学习困难", "不想上学"),
        "hardship": ("经济困难", "家庭经济困难", "家里困难"),
        "distance": ("路远", "路途远", "离校远", "离学校远"),
        "health": ("生病", "因病", "疾病", "身体原因", "illness"),
        "family": ("家里变故", "家中变故"),
        "work": ("打工", "务工", "外出打工", "在外务工", "在外打工"),
        "unknown": ("未知", "不详", "原因不明", "not known"),
    },
    "outcome": {
        "came_back": ("已经返校", "已返校了", "已回校", "已复学", "back in school"),
        "promised": ("答应回校", "答应返校了", "同意返校", "承诺返校", "promised to return"),
        "stays": ("一直在学校",),
        "refused": ("不愿意返校", "不愿回校", "不肯返校", "拒绝返校"),
        "not_reached": ("没联系上", "没有联系上", "未能联系上", "联系不上"),
        "home_teaching": ("送教", "已送教上门"),
        "placed": ("特校安置", "职校安置", "特殊学校安置", "职业学校安置"),
        "transferred": ("已经转学", "已转校", "已转走"),
        "referred": ("已上报", "已报乡镇", "已报县", "已上报乡镇", "已上报县"),
    },
}
_STOPS = ".。,;!"  # after a word they say nothing; squeezed, so in half width


def code_of(field: str, text: str) -> str | None:
    """Return the code of the choice that `text` says, None if it says none of `field`'s."""
    return _CODES[field].get(squeezed(text).rstrip(_STOPS))


_CODES: dict[str, dict[str, str]] = {
    field: {
        squeezed(word): code
        for code, label in choices.items()
        for word in (code, code.replace("_", " "), *label, *VARIANTS[field][code])
    }
    for field, choices in CHOICES.items()
}
