"""The words of the cards in both languages."""

from __future__ import annotations

from datetime import date

from earlywarn.errors import Lang, Text
from earlywarn.words import CODE_LABELS, EVENT_LABELS, day_in_words

WORDS: dict[str, Text] = {
    # A child's card.
    "child_title": Text("一生一卡", "A child's card"),
    "full_note": Text(
        "含监测群体、资助和家庭情况：只供教育局、县和乡镇使用，不张贴、不外传。",
        "Tells of monitored groups, aid and home: for bureau, county and township only. Not to be "
        "put up or passed on.",
    ),
    "school_note": Text(
        "本卡不含监测群体、资助和家庭情况，只供学校内部使用。",
        "Without monitored groups, aid and home matters; for use inside the school.",
    ),
    "number": Text("学籍号", "Number"),
    "sex": Text("性别", "Sex"),
    "birth_date": Text("出生日期", "Born"),
    "school": Text("学校", "School"),
    "grade": Text("年级", "Grade"),
    "class": Text("班级", "Class"),
    "enrolled_on": Text("入学", "Enrolled on"),
    "boarding": Text("住校", "Boarding"),
    "distance": Text("离校距离", "Way to school"),
    "travel": Text("上学方式", "Travels"),
    "status": Text("学籍状态", "Status"),
    "enrolled": Text("在校", "enrolled"),
    "on_leave": Text("休学", "on long leave"),
    "out": Text("不在册", "not enrolled"),
    "left": Text("已离校", "left school"),
    "unregistered": Text("无学籍", "on no registry"),
    "guardian": Text("监护人", "Guardian"),
    "phone": Text("电话", "Phone"),
    "homeroom_teacher": Text("班主任", "Homeroom teacher"),
    "leader": Text("包保领导", "Responsible leader"),
    "teacher": Text("包保教师", "Responsible teacher"),
    "nobody": Text("未指定", "nobody yet"),
    "groups": Text("监测群体", "Monitored groups"),
    "no_group": Text("未列入任何群体", "in none"),
    "groups_unknown": Text("没有资料", "not on record"),
    "next": Text("接下来要做的", "What is due next"),
    "nothing_due": Text("没有在办的步骤。", "Nothing is due."),
    "file": Text("留守儿童档案", "Left-behind file"),
    "away": Text("父母外出", "Parents' work away"),
    "guardians": Text("监护人变更", "Guardians"),
    "none_stated": Text("没有登记。", "Nothing on record."),
    "updated": Text("最近更新", "Last updated"),
    "from": Text("起", "From"),
    "to": Text("止", "To"),
    "now": Text("至今", "now"),
    "said_last": Text("最后登记", "last stated"),
    "aid": Text("资助", "Aid"),
    "poverty": Text("困难类型", "Hardship"),
    "receives_aid": Text("受资助", "Aid"),
    "boarding_aid": Text("寄宿补助", "Boarding allowance"),
    "gap": Text("未享受资助", "without aid"),
    "schooling": Text("就学经历", "Schooling"),
    "events": Text("学籍变动与去向", "Leaves, transfers and outcomes"),
    "attendance": Text("考勤", "Attendance"),
    "up_to": Text("截至", "up to"),
    "known": Text("学籍和跟进截至", "registry and follow-up as of"),
    "recorded_days": Text(
        "该生不在校：以下是有记录的最后几天", "Not at school: the last days with a record"
    ),
    "no_attendance": Text("没有考勤记录。", "No attendance on record."),
    "no_picture": Text(
        "考勤只列在校生的；缺勤见个案。",
        "Attendance is shown for enrolled children only; absences are listed in the cases.",
    ),
    "marks": Text("成绩", "Marks"),
    "marks_note": Text("只看孩子自己的变化，不排名", "the child's own course, no ranking"),
    "no_marks": Text("没有考试成绩。", "No marks on record."),
    "exam": Text("考试", "Exam"),
    "share": Text("平均得分率", "Mean share"),
    "absent": Text("缺考", "absent"),
    "scores": Text("评分", "Scores"),
    "as_now": Text(
        "分数是评分当时的；原因里的数值按现有数据计算。",
        "Scores are as they were then; the values in the reasons are as the data stand now.",
    ),
    "no_scores": Text("没有在评分里。", "In no scoring."),
    "no_scores_school": Text("没有上过关注名单。", "On no watchlist so far."),
    "score": Text("分数", "score"),
    "listed": Text("在名单上", "listed"),
    "not_listed": Text("不在名单上", "not listed"),
    "rank": Text("本校第", "no."),
    "cases": Text("跟进个案", "Follow-up"),
    "no_cases": Text("没有个案。", "No case."),
    "step": Text("步骤", "Step"),
    "due": Text("期限", "Due"),
    "who": Text("负责人", "Responsible"),
    "done": Text("完成", "Done"),
    "overdue": Text("逾期", "overdue"),
    "yes": Text("是", "yes"),
    "no": Text("否", "no"),
    "km": Text("公里", "km"),
    "date": Text("日期", "Date"),
    # A school's card.
    "school_title": Text("学校卡", "A school's card"),
    "for_schools": Text(
        "涉及监测群体的内容只列人数，不列姓名。",
        "Where a monitored group stands behind a number, no names are given.",
    ),
    "for_county": Text(
        "涉及监测群体的内容列有姓名：只供教育局、县和乡镇使用，不张贴、不外传。",
        "Names children behind whom a monitored group stands: for bureau, county and township "
        "only. Not to be put up or passed on.",
    ),
    "county": Text("县（区）", "County"),
    "township": Text("乡镇", "Township"),
    "kind": Text("类别", "Kind"),
    "rural": Text("农村学校", "rural"),
    "remote": Text("偏远学校", "remote"),
    "movers": Text("学生流动较大", "many movers"),
    "key": Text("重点监测学校", "Key school"),
    "not_key": Text("不是重点监测学校", "not a key school"),
    "capacity": Text("每周可跟进", "Can follow up a week"),
    "children": Text("在校生", "Enrolled"),
    "teachers": Text("各班班主任", "Homeroom teachers"),
    "no_teacher": Text("未登记", "not on record"),
    "year": Text("本学年逐月", "This school year by month"),
    "month": Text("月份", "Month"),
    "enrolled_then": Text("在校生", "Enrolled"),
    "suspected": Text("疑似辍学", "Suspected"),
    "returned": Text("复学", "Returned"),
    "dropped_out": Text("辍学", "Dropped out"),
    "missing": Text("未报考勤（天）", "Days not reported"),
    "incomplete": Text("部分未报（天）", "Partly reported"),
    "school_days": Text("上学日", "School days"),
    "total": Text("合计", "Total"),
    "running": Text("在办个案", "Running cases"),
    "steps_overdue": Text("逾期步骤", "Steps overdue"),
    "no_overdue": Text("没有逾期的步骤。", "No step is overdue."),
    "list": Text("最近一期名单", "The newest list"),
    "no_list": Text("还没有名单。", "No list yet."),
    "cut": Text("未列入", "left out"),
    "needs": Text("该做而未做的", "What is owed"),
    "aid_gap": Text("困难家庭未受资助", "Poor and without aid"),
    "old_file": Text("留守档案过期未更新", "Left-behind files out of date"),
    "untaught": Text("应送教而近60日未送教", "Home-taught, not visited in 60 school days"),
    "inspections": Text("督导检查", "Inspections"),
    "no_inspection": Text("本学年还没有督导检查。", "No inspection this school year."),
    "result": Text("结果", "Result"),
    "by": Text("检查人", "By"),
    "signed_by": Text("签字", "Signed by"),
    "orders": Text("整改要求", "Ordered"),
    "until": Text("限", "by"),
    "done_on": Text("已完成", "done"),
    "not_done": Text("未完成", "not done"),
    "passed": Text("合格", "passed"),
    "improve": Text("限期整改", "to improve"),
    "failed": Text("不合格", "failed"),
}

# As marks sheets call them; any other subject stands as it was loaded.
SUBJECTS: dict[str, Text] = {
    "chinese": Text("语文", "Chinese"),
    "maths": Text("数学", "maths"),
    "english": Text("英语", "English"),
    "physics": Text("物理", "physics"),
    "chemistry": Text("化学", "chemistry"),
    "biology": Text("生物", "biology"),
    "politics": Text("道德与法治", "politics"),
    "history": Text("历史", "history"),
    "geography": Text("地理", "geography"),
}


def word(key: str, lang: Lang) -> str:
    """Return the word of `WORDS` in `lang`."""
    return WORDS[key](lang)


def code(field: str, value: str | None, lang: Lang) -> str:
    """Return a registry code in words; `–` where there is none."""
    if value is None:
        return "–"
    label = CODE_LABELS[field].get(value)
    return label(lang) if label else value


def status(status: str, since: date | None, lang: Lang) -> str:
    """Return how a child stands with its school: `已辍学（2026年5月11日起）`, `enrolled`."""
    event = EVENT_LABELS.get(status)
    label = Text(f"已{event.zh}", event.en)(lang) if event else word(status, lang)
    if since is None:
        return label
    day = day_in_words(since, lang)
    if status == "deceased":
        return f"{label}（{day}）" if lang == "zh" else f"{label} ({day})"
    return f"{label}（{day}起）" if lang == "zh" else f"{label} (since {day})"


def yes_no(value: bool | None, lang: Lang) -> str:
    """Return 是, 否, or `–` where it is not known."""
    return "–" if value is None else word("yes" if value else "no", lang)


def grade(number: int | None, lang: Lang) -> str:
    """Return `7年级`, `grade 7`; empty where it is not known."""
    if number is None:
        return ""
    return f"{number}年级" if lang == "zh" else f"grade {number}"


def number(value: float) -> str:
    """Return a mark or a distance without needless zeros: `79.5`, `80`."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def not_updated(days: int | None, lang: Lang) -> str:
    """Return that a file is out of date, and how long nothing was heard."""
    if days is None:
        return "从未登记" if lang == "zh" else "never filled in"
    return f"已 {days} 天未更新" if lang == "zh" else f"not updated for {days} days"
