"""What the registers' workbooks say, in both languages."""

from __future__ import annotations

from datetime import date

from earlywarn.errors import Lang, Text
from earlywarn.words import EVENT_LABELS

SHEETS: dict[str, Text] = {
    "school_age": Text("适龄儿童台账", "School age"),
    "suspected": Text("疑似辍学台账", "Suspected dropouts"),
    "dropouts": Text("辍学台账", "Dropouts"),
    "persuasions": Text("劝返记录", "Persuasions"),
}
TITLES: dict[str, Text] = {
    "school_age": Text("义务教育适龄儿童台账", "Children of school age"),
    "suspected": Text("疑似辍学学生台账", "Suspected dropouts"),
    "dropouts": Text("辍学学生台账", "Dropouts"),
    "persuasions": Text("劝返记录（联系、家访、通知书）", "Persuasions: contacts, visits, notices"),
}
GENERATED = Text(
    "本工作区是生成的数据，不是真实的孩子。",
    "The data of this workspace are generated: no real children.",
)
WHO_MAY_SEE = Text(
    "内部资料：含儿童姓名、电话和监测群体，只供县（区）、乡镇和市教育部门工作使用，"
    "不得公开、张贴或外传。",
    "Internal: names, phones and monitored groups of children. For the county, the township and "
    "the bureau only; not to be published, posted or passed on.",
)
HOW: dict[str, Text] = {
    "school_age": Text(
        "学籍表里按年级或年龄属于义务教育的孩子，以及已立案的无学籍儿童；转出、毕业、出境的不列。",
        "Children of school age, by grade or age, on the registry, and those on none who have a "
        "case; not those who moved away, graduated or went abroad.",
    ),
    "suspected": Text(
        "每名学生一行：复学、安置、转学等即结案，再次疑似辍学即重新立案。天数为自然日。",
        "One line a child: closed when it is back, placed or gone elsewhere, opened again when it "
        "leaves again. Days are calendar days.",
    ),
    "dropouts": Text(
        "每名学生一行：复学、安置、转学等即结案，再次辍学即重新立案。天数为自然日。",
        "One line a child: closed when it is back, placed or gone elsewhere, opened again when it "
        "leaves again. Days are calendar days.",
    ),
    "persuasions": Text(
        "台账中学生每一次联系、家访和通知书；同一天的同一种只算一次。",
        "Each contact, visit and notice about the children in these ledgers; one told twice of a "
        "day counts once.",
    ),
}
WHERE: dict[str, Text] = {
    "in_school": Text("在校", "in school"),
    "on_leave": Text("休学", "on leave"),
    "home_taught": Text("送教上门", "taught at home"),
    "special_school": Text("特殊教育学校", "special school"),
    "placed": Text("已安置（特校或职校）", "placed (special or vocational)"),
    "suspected": Text("疑似辍学", "suspected dropout"),
    "dropped_out": Text("辍学", "dropped out"),
    "no_roll": Text("不在任何学籍", "on no roll"),
}
BECAUSE: dict[str, Text] = EVENT_LABELS | {
    "placed": Text("已安置", "placed"),
    "dropped_out": Text("转入辍学台账", "found to be a dropout"),
}
KINDS: dict[str, Text] = {
    "contact": Text("联系", "contact"),
    "visit": Text("家访", "visit"),
    "notice": Text("通知书", "notice"),
}
COLUMNS: dict[str, Text] = {
    "township": Text("乡镇", "township"),
    "school": Text("学校", "school"),
    "grade": Text("年级", "grade"),
    "class_id": Text("班级", "class"),
    "name": Text("姓名", "name"),
    "student_id": Text("学籍号", "student id"),
    "sex": Text("性别", "sex"),
    "birth_date": Text("出生日期", "born on"),
    "where": Text("现在何处", "where"),
    "since": Text("起始日期", "since"),
    "guardian": Text("监护人", "guardian"),
    "guardian_phone": Text("电话", "phone"),
    "groups": Text("监测群体", "monitored groups"),
    "open": Text("状态", "line"),
    "opened_on": Text("立案日期", "opened on"),
    "reopened_on": Text("再次立案", "opened again on"),
    "closings": Text("历次结案", "closed on"),
    "days_out": Text("离校天数", "days out"),
    "cause": Text("原因", "cause"),
    "leader": Text("包保领导", "leader"),
    "teacher": Text("责任教师", "teacher"),
    "persuasions": Text("劝返次数", "contacts"),
    "last_persuasion": Text("最近劝返", "last contact"),
    "case_state": Text("个案状态", "state of the case"),
    "date": Text("日期", "date"),
    "kind": Text("方式", "how"),
    "by": Text("由谁", "by whom"),
    "found": Text("了解到的情况", "what was found"),
    "recorded_by": Text("登记人", "recorded by"),
}
OPEN, CLOSED = Text("在案", "open"), Text("结案", "closed")
NO_COUNTY = Text("未注明县区", "no county")
NOBODY = Text("无", "none")


def file_name(county: str, as_of: date, lang: Lang) -> str:
    """Return the name of a county's workbook, without suffix."""
    place = county or NO_COUNTY(lang)
    return Text(f"三本台账 {place} {as_of}", f"ledgers {place} {as_of}")(lang)


def as_of_line(county: str, as_of: date, lang: Lang) -> str:
    """Return which county and day a sheet is of."""
    place = county or NO_COUNTY(lang)
    return Text(f"{place}　截至 {as_of}", f"{place}, as of {as_of}")(lang)


def numbers(counts: dict[str, int], lang: Lang) -> str:
    """Return counts in words: `共 3 名：在校 2，辍学 1。`"""
    total = sum(counts.values())
    parts = [f"{name} {count:,}" for name, count in counts.items() if count]
    if lang == "zh":
        return f"共 {total:,}" + (f"：{'，'.join(parts)}。" if parts else "。")
    return f"{total:,} in all" + (f": {', '.join(parts)}." if parts else ".")
