"""The words of a check in both languages."""

from __future__ import annotations

from earlywarn.checking.finding import Finding
from earlywarn.checking.state import State
from earlywarn.errors import Text
from earlywarn.words import counted

WORDS: dict[str, Text] = {
    "title": Text("数据检查", "State of the data"),
    "stop": Text("先补再评", "mend first"),
    "warn": Text("应当处理", "look into"),
    "note": Text("知悉", "note"),
    "severity": Text("程度", "Severity"),
    "school": Text("学校", "School"),
    "class": Text("班级", "Class"),
    "finding": Text("发现", "What was found"),
    "cure": Text("怎么办", "What to do"),
    "examples": Text("例如", "such as"),
    "county": Text("全部学校", "All schools"),
    "children": Text("在校", "enrolled"),
    "nothing": Text("没有发现问题。", "Nothing was found."),
    "fields": Text("学籍各字段空缺", "Empty fields of the registry"),
    "field": Text("字段", "Field"),
    "empty": Text("空缺", "Empty"),
    "rules": Text("用到的规则", "Rules that use it"),
    "more": Text("其余见网页版，或加 --all。", "The others are in the page, or give --all."),
    "silence": Text(
        "没有上报不等于到校：缺的考勤既不算出勤，也不算缺勤。",
        "Silence is not presence: attendance that is missing counts neither as present nor absent.",
    ),
    "generated": Text(
        "生成的数据：学校、孩子和数字都由程序生成，不对应任何真实的人。",
        "Generated data: schools, children and numbers were made up by a program; none is real.",
    ),
}


def totals(state: State) -> Text:
    """Return the first line of a check."""
    n = state.counts()
    return Text(
        f"在校 {n['children']:,} 人，{n['schools']} 所学校；先补再评 {n['stop']} 项，"
        f"应当处理 {n['warn']} 项，知悉 {n['note']} 项，涉及 {n['schools_with_findings']} 所学校。",
        f"{n['children']:,} children in {counted(n['schools'], 'school')}; {n['stop']} to mend "
        f"first, {n['warn']} to look into, {counted(n['note'], 'note')}, in "
        f"{counted(n['schools_with_findings'], 'school')}.",
    )


def school_name(state: State, school_id: str | None) -> Text:
    """Return how people call the school of a finding; the whole county has a name too."""
    if school_id is None:
        return WORDS["county"]
    school = state.schools.get(school_id)
    name = school.name if school else school_id
    return Text(name, name)


def where(state: State, one: Finding) -> Text:
    """Return the school and, if it is about one, the class."""
    name = school_name(state, one.school_id)
    if one.class_id is None:
        return name
    return Text(f"{name.zh} {one.class_id}", f"{name.en}, class {one.class_id}")


def not_reported(state: State, shown: int = 5) -> Text | None:
    """Return which schools are silent (never reported, or not their last week); None if none is."""
    silent = {
        one.school_id: None
        for one in state.findings
        if one.severity == "stop" and one.id in ("nothing_reported", "days_missing")
    }
    if not silent:
        return None
    names = [school_name(state, school_id) for school_id in silent][:shown]
    more = len(silent) > shown
    return Text(
        f"{len(silent)} 所学校（或其部分班级）没有上报考勤：{'、'.join(n.zh for n in names)}"
        f"{' 等' if more else ''}。没有上报不等于到校。",
        f"{counted(len(silent), 'school')} (or classes there) not reported: "
        f"{', '.join(n.en for n in names)}{' and others' if more else ''}. Silence is "
        "not presence.",
    )


def line(state: State, one: Finding) -> Text:
    """Return a finding as one line: where, and what."""
    place = where(state, one)
    return Text(f"{place.zh}：{one.text.zh}", f"{place.en}: {one.text.en}")
