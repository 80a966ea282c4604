"""The words of the daily round in both languages."""

from __future__ import annotations

from datetime import date

from earlywarn.errors import Lang, Text
from earlywarn.followup.daily.rows import Away, Round, SchoolRound
from earlywarn.followup.states import STATE_LABELS
from earlywarn.words import WEEKDAYS, counted, day_in_words

WORDS: dict[str, Text] = {
    "title": Text("每日考勤巡查", "Daily round"),
    "school": Text("学校", "School"),
    "class": Text("班级", "Class"),
    "student": Text("学生", "Student"),
    "student_id": Text("学籍号", "Student id"),
    "day": Text("旷课第几天", "Day away"),
    "since": Text("自何日起", "Since"),
    "step": Text("应办", "Due now"),
    "due": Text("期限", "By"),
    "who": Text("负责人", "Responsible"),
    "why": Text("规则", "Rule"),
    "away": Text("无故缺课", "Away without leave"),
    "back": Text("已返校", "Came back"),
    "back_on": Text("返校日期", "Back on"),
    "days_away": Text("旷课天数", "Days away"),
    "not_reported": Text("尚未上报考勤", "Not reported yet"),
    "last_reported": Text("最近上报", "Last reported"),
    "missing": Text("缺报上课日", "School days missing"),
    "children": Text("在校生", "Children"),
    "nobody_away": Text("没有无故缺课的孩子。", "No child is away without leave."),
    "all_reported": Text("各校均已上报。", "Every school has reported."),
    "silence": Text(
        "没有上报不等于到校：这些学校的孩子既不算到校，也不多算一天旷课。",
        "Silence is not presence: children there count neither as present nor as away a day more.",
    ),
    "name_missing": Text("（未登记姓名）", "(no name on record)"),
    "never": Text("近60个上课日均未上报", "not within 60 school days"),
    "whole_school": Text("全校", "whole school"),
    "generated": Text(
        "生成的数据：学校、孩子和数字都由程序生成，不对应任何真实的人。",
        "Generated data: schools, children and numbers were made up by a program; none is real.",
    ),
    "conversation": Text(
        "先找到孩子，再问原因。缺课记录只说明孩子没来，不说明为什么。",
        "Find the child first, then ask why: the record says that a child was away, not why.",
    ),
}


def long_day(when: date, lang: Lang) -> str:
    """Return a date with its year and day of the week."""
    weekday, whole = WEEKDAYS[when.weekday()](lang), day_in_words(when, lang)
    return f"{whole}（{weekday}）" if lang == "zh" else f"{weekday} {whole}"


def totals(made: Round) -> Text:
    """Return the first line of a round."""
    n = made.counts()
    children = f"{n['children']:,}"
    return Text(
        f"在校 {children} 人，{n['schools']} 所学校；无故缺课 {n['away']} 人"
        f"（第1天 {n['day_1']}，第2天 {n['day_2']}，第3天及以上 {n['day_3_or_more']}），"
        f"已返校 {n['back']} 人；未上报 {n['not_reported']} 所，部分班级未上报 "
        f"{n['partly_reported']} 所。",
        f"{children} children in {counted(n['schools'], 'school')}; {n['away']} away without leave "
        f"(day 1: {n['day_1']}, day 2: {n['day_2']}, day 3 or more: {n['day_3_or_more']}), "
        f"{n['back']} came back; {counted(n['not_reported'], 'school')} not reported, "
        f"{n['partly_reported']} in part.",
    )


def news(made: Round) -> Text:
    """Return since when a return counts as news."""
    return Text(
        f"返校：{day_in_words(made.since, 'zh', made.as_of)}之后",
        f"Returns: after {day_in_words(made.since, 'en', made.as_of)}",
    )


def ledger(made: Round) -> Text:
    """Return what was new to the ledger."""
    return Text(
        f"台账：新立案 {made.opened} 件，记录返校 {made.closed} 件。",
        f"Ledger: {counted(made.opened, 'case')} opened, {counted(made.closed, 'return')} "
        "recorded.",
    )


def away_day(one: Away) -> Text:
    """Return `第3天` or `day 3`."""
    return Text(f"第{one.run.day}天", f"day {one.run.day}")


def step(one: Away) -> Text:
    """Return what is due, or how the case ended."""
    if one.step is not None:
        return one.step.step.title
    if one.case is None:
        return Text("台账中已有结果", "the ledger has a later word")
    return STATE_LABELS[one.case.state]


def due(one: Away, as_of: date) -> Text:
    """Return the step's date, marked where it is only about right or lies in the past."""
    if one.step is None:
        return Text("", "")
    when, about = one.step.due, one.step.about
    zh = ("约 " if about else "") + day_in_words(when, "zh", as_of)
    en = ("about " if about else "") + day_in_words(when, "en", as_of)
    if when == as_of:
        return Text(f"{zh}（当天）", f"{en} (today)")
    if when < as_of:
        return Text(f"{zh}（已过）", f"{en} (past)")
    return Text(zh, en)


def missing(school: SchoolRound, as_of: date) -> Text:
    """Return what of a school's last school days is not handed in, class by class if need be."""
    if school.silent and len({one.missing for one in school.silences}) == 1:
        return _missing(school, 0, WORDS["whole_school"], as_of)
    parts = [
        _missing(school, i, _class(one.class_id), as_of) for i, one in enumerate(school.silences)
    ]
    return Text("；".join(p.zh for p in parts), "; ".join(p.en for p in parts))


def _class(class_id: str | None) -> Text:
    if class_id is None:
        return Text("其余班级", "other classes")
    return Text(f"{class_id} 班", f"class {class_id}")


def _missing(school: SchoolRound, place: int, who: Text, as_of: date) -> Text:
    one = school.silences[place]
    if one.last_reported is None:
        return Text(f"{who.zh}{WORDS['never'].zh}", f"{who.en}: {WORDS['never'].en}")
    zh, en = (
        day_in_words(one.last_reported, "zh", as_of),
        day_in_words(one.last_reported, "en", as_of),
    )
    return Text(
        f"{who.zh}：最近上报 {zh}，缺 {one.missing} 个上课日",
        f"{who.en}: last reported {en}, {counted(one.missing, 'school day')} missing",
    )
