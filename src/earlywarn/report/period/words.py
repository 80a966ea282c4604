"""The words of the regular reports: headings, sentences and how numbers are written."""

from __future__ import annotations

from datetime import date

from earlywarn.errors import Lang, Text
from earlywarn.report.period.figures import Change, Counts
from earlywarn.report.period.kept import Report
from earlywarn.report.period.schools import FILE_DAYS, MANY_MOVERS
from earlywarn.report.period.shown import Shown
from earlywarn.words import CAUSE_LABELS, CODE_LABELS, counted, day_in_words

WORDS: dict[str, Text] = {
    "enrolled": Text("在校生", "enrolled"),
    "suspected": Text("疑似辍学", "suspected"),
    "returned": Text("复学", "returned"),
    "dropped_out": Text("辍学", "dropped out"),
    "rate": Text("辍学率", "dropout rate"),
    "total": Text("合计", "total"),
    "stage": Text("学段", "stage"),
    "county": Text("县（区）", "county"),
    "school": Text("学校", "school"),
    "group": Text("重点群体", "monitored group"),
    "cause": Text("原因", "cause"),
    "month": Text("月份", "month"),
    "main": Text("在校与辍学", "Enrolled and dropped out"),
    "counties": Text("分县（区）", "By county"),
    "groups": Text("重点监测群体", "Monitored groups"),
    "groups_note": Text(
        "一个孩子可属于几个群体，各行相加不等于合计。",
        "A child may be in several groups: these rows do not add up to the total.",
    ),
    "causes": Text("原因", "Causes"),
    "no_cause": Text("未填", "none given"),
    "corrections": Text("对以前各期的更正", "Corrections of earlier reports"),
    "revised": Text("本期重新统计的变化", "What has changed in this period itself"),
    "was": Text("原报", "as reported"),
    "now": Text("更正为", "corrected to"),
    "difference": Text("增减", "difference"),
    "what": Text("项目", "what"),
    "period": Text("期间", "period"),
    "whom": Text("范围", "of whom"),
    "reported_on": Text("原报日期", "reported on"),
    "months": Text("各月相加", "The months, added up"),
    "as_reported": Text("月报数", "reported"),
    "corrected_by": Text("其后更正", "corrected since"),
    "counted_now": Text("现在统计", "counted now"),
    "not_made": Text("未出月报", "no report"),
    "months_note": Text(
        "月报数加其后更正，应等于现在统计；不相等处，下一份月报会列出更正。",
        "Reported and corrected add up to what is counted now; where they do not, the next monthly "
        "report will tell the correction.",
    ),
    "owed": Text("待办与缺口", "What is overdue or owed"),
    "overdue": Text("逾期未办", "overdue steps"),
    "aid_gap": Text("困难未受助", "poor, without aid"),
    "file": Text("留守档案过期", "left-behind files out of date"),
    "untaught": Text("送教未落实", "home-taught, not visited"),
    "late": Text("未按时报送考勤的学校", "Schools late in reporting"),
    "late_none": Text("各校考勤都已报齐。", "All schools have reported every school day."),
    "no_days_all": Text(
        "本期没有上学日，不需报送考勤。", "The period has no school day: nothing to report."
    ),
    "over": Text("辍学率超过控制线的学校", "Schools over the limit"),
    "over_none": Text("没有学校超过控制线。", "No school is over the limit."),
    "no_limit": Text(
        "没有设置控制线（earlywarn.yaml 的 dropout_limit）。",
        "No limit is set (dropout_limit in earlywarn.yaml).",
    ),
    "limit": Text("控制线", "limit"),
    "inspections": Text("督导检查", "Inspections"),
    "inspections_done": Text("本学年已检查", "inspected this year"),
    "inspections_missing": Text("还缺", "inspections missing"),
    "orders_open": Text("整改未完成", "ordered, not done"),
    "inspections_all": Text(
        "各校都已达到每年检查次数。", "Every school has had its inspections of the year."
    ),
    "no_ledger": Text(
        "还没有跟进台账，无法统计逾期和督导。",
        "There is no follow-up ledger yet to tell what is overdue or inspected.",
    ),
    "keys": Text("重点学校", "Key schools"),
    "key_kind": Text("类别", "kind"),
    "count": Text("学校数", "schools"),
    "ordinary": Text("其他学校", "other schools"),
    "keys_note": Text(
        "一所学校可同时属于几类，各行相加不等于合计。",
        "A school may be of several kinds: these rows do not add up to the total.",
    ),
    "schools": Text("各学校", "All schools"),
    "days": Text("上学日", "school days"),
    "missing": Text("未报日数", "days not reported"),
    "incomplete": Text("部分班级未报", "some classes not"),
    "none_reported": Text("未报", "not reported"),
    "no_days": Text("无上学日", "no school days"),
    "not_known": Text("学籍里没有", "in no registry"),
    "notes": Text("统计口径", "How it is counted"),
    "student": Text("学籍号", "student"),
    "name": Text("姓名", "name"),
    "class": Text("班级", "class"),
    "need": Text("事项", "what"),
    "since": Text("档案日期", "file of"),
    "step": Text("步骤", "step"),
    "due": Text("期限", "due"),
    "who": Text("责任人", "who"),
    "generated_note": Text(
        "报告中的学校、孩子和数字都由程序生成，不对应任何真实的人。",
        "Schools, children and numbers in this report were made up by a program; none is real.",
    ),
    "bureau_only": Text(
        "供教育行政部门内部使用。分群体数字不对外公布。",
        "For the education authority. Figures of groups are not for the public.",
    ),
}
KEY_LABELS = {
    "rural": Text("农村", "rural"),
    "remote": Text("偏远", "remote"),
    "movers": Text("流动多", "many movers"),
}
NOTHING = "0%"
_MEASURES = ("enrolled", "suspected", "returned", "dropped_out")


def word(key: str, lang: Lang) -> str:
    """Return a heading or short sentence."""
    return WORDS[key](lang)


def percent(part: int, whole: int) -> str:
    """Return a rate as the bureaus write it: 0.03 %; one figure where two decimals show nothing."""
    if not whole:
        return "–"
    value = 100 * part / whole
    if value == 0:
        return NOTHING
    return f"{value:.2f}%" if value >= 0.005 else f"{value:.1g}%"


def headline(report: Report, lang: Lang) -> str:
    """Return the report in one sentence."""
    total = report.figures.total
    rate = percent(total.dropped_out, total.enrolled)
    return Text(
        f"在校生 {total.enrolled:,} 人；本期疑似辍学 {total.suspected:,} 人（期末仍疑似 "
        f"{report.still_suspected:,} 人），复学 {total.returned:,} 人，辍学 {total.dropped_out:,} "
        f"人（期末未返校 {report.still_out:,} 人），辍学率 {rate}。",
        f"{total.enrolled:,} enrolled; in the period {total.suspected:,} suspected "
        f"({report.still_suspected:,} still so at its end), {total.returned:,} returned, "
        f"{total.dropped_out:,} dropped out ({report.still_out:,} not back at its end): {rate}.",
    )(lang)


def standing(report: Report, lang: Lang) -> list[str]:
    """Return what a reader must know before the numbers: not over, not reported, a zero report."""
    found, states = [], report.reported
    if not report.over:
        found.append(
            Text(
                f"本期到 {report.end} 才结束，数字截至 {report.as_of}，以后还会变化。",
                f"The period is not over until {report.end}: counted up to {report.as_of}, the "
                "numbers will change.",
            )
        )
    ends, last = report.calendar_until, min(report.end, report.as_of)
    if ends is not None and ends < last:
        found.append(
            Text(
                f"校历只到 {ends}，其后的上学日不知道，谁未报送也就不知道。请先导入校历"
                "（earlywarn ingest calendar），再出报告。",
                f"The calendar ends on {ends}: school days after it, and who has not reported "
                "them, are not known. Load one (`earlywarn ingest calendar`), then report again.",
            )
        )
    newest, year = report.registry_of, date.fromisoformat(report.year_start)
    if newest is not None and newest < year <= report.start:
        found.append(
            Text(
                f"最新一版学籍是 {newest} 的，早于本学年；在校生按那时的学籍统计。",
                f"The newest registry is of {newest}, before this school year; enrolled are "
                "counted by it.",
            )
        )
    if report.is_silent:
        found.append(
            Text(
                "本期没有任何学校报送考勤：没有报告，不等于没有。",
                "No school has handed in any attendance in the period: not reported is not none.",
            )
        )
    elif not report.has_school_days and (ends is None or ends >= last):
        found.append(WORDS["no_days_all"])
    elif states["none"] or states["late"]:
        found.append(
            Text(
                f"不是零报告：整期未报考勤的学校 {states['none']} 所，部分上学日未报的 "
                f"{states['late']} 所；未报的学校，零不代表没有。",
                f"No zero report: {counted(states['none'], 'school')} handed in no attendance at "
                f"all, {states['late']} not every day; there, 0 does not mean none.",
            )
        )
    elif report.is_zero:
        found.append(
            Text(
                "零报告：各校都已报送，本期没有新的疑似辍学和辍学。",
                "Zero report: every school has reported, and nobody is newly suspected or out.",
            )
        )
    until = report.outcomes_until
    if until is None or until < min(report.end, report.as_of):
        day = until.isoformat() if until else "–"
        found.append(
            Text(
                f"结果（辍学、复学等）最近一条是 {day}；其后是否有，要看学校是否已上报。",
                f"The newest outcome on record is of {day}; whether there were any later depends "
                "on what schools have reported.",
            )
        )
    if report.open_suspected or report.open_out:
        found.append(
            Text(
                f"连同以前各期，{report.as_of} 仍疑似辍学 {report.open_suspected:,} 人、仍辍学 "
                f"{report.open_out:,} 人（期初 {report.carried_suspected:,} 人、"
                f"{report.carried_out:,} 人），逐人见三本台账。",
                f"With those of earlier periods, on {report.as_of} {report.open_suspected:,} are "
                f"suspected and {report.open_out:,} out ({report.carried_suspected:,} and "
                f"{report.carried_out:,} as it began): child by child in the county ledgers.",
            )
        )
    if not report.figures.total.enrolled:
        found.append(Text("本期还没有学籍数据。", "No registry is loaded for this period."))
    return [text(lang) for text in found]


def told_of(report: Report, lang: Lang) -> list[str]:
    """Return how many corrections a report tells, and how many schools are over the limit."""
    found = []
    if numbers := sum(len(one.changes) for one in report.corrections):
        found.append(
            Text(
                f"更正以前各期的数字 {numbers} 个。",
                f"{counted(numbers, 'number')} of earlier reports corrected.",
            )
        )
    if months := sum(1 for month in report.months if month.reported and month.has_changed):
        found.append(
            Text(
                f"{months} 个月的月报数后来有变，见“各月相加”。",
                f"{counted(months, 'month')} changed since first reported: see the months added "
                "up.",
            )
        )
    if over := sum(1 for line in report.schools.values() if line.over):
        found.append(
            Text(f"{over} 所学校超过控制线。", f"Over the limit: {counted(over, 'school')}.")
        )
    return [text(lang) for text in found]


def name_of(of: str, name: str, shown: Shown, lang: Lang) -> str:
    """Return what a stage, county, school or group is called; the total, what no registry knows."""
    if of == "total":
        return word("total", lang)
    if not name:
        return word("not_known", lang)
    if of == "stage":
        labels = CODE_LABELS["stage"]
        return labels[name](lang) if name in labels else name
    if of == "school":
        return shown.places[name].name if name in shown.places else name
    if of == "group":
        return shown.groups[name](lang) if name in shown.groups else name
    return name


def cause(code: str, lang: Lang) -> str:
    """Return what a cause is called."""
    return CAUSE_LABELS[code](lang) if code else word("no_cause", lang)


def change_words(change: Change, shown: Shown, lang: Lang) -> tuple[str, str, str, str, str]:
    """Return a changed number as cells: of whom, what, before, now, difference."""
    return (
        name_of(change.of, change.name, shown, lang),
        word(change.measure, lang),
        f"{change.before:,}",
        f"{change.now:,}",
        f"{change.now - change.before:+,}",
    )


def cells(counts: Counts) -> list[str]:
    """Return counts as cells: enrolled, suspected, returned, dropped out, rate."""
    numbers = [f"{getattr(counts, measure):,}" for measure in _MEASURES]
    return [*numbers, percent(counts.dropped_out, counts.enrolled)]


def notes(report: Report, lang: Lang) -> list[str]:
    """Return how the numbers are counted, for the foot of the report."""
    day = day_in_words(report.enrolled_on, lang)
    found = [
        Text(
            f"在校生：{day}在籍的学生"
            + ("（本期第一个上学日）。" if report.has_school_days else "。"),
            f"Enrolled: those in the cohort on {day}"
            + (", the period's first school day." if report.has_school_days else "."),
        ),
        Text(
            "疑似辍学、复学、辍学：按得知之日计入本期，按当日学籍归入学校、学段和群体；同一个孩子"
            "未返校前重复上报的只计一次，所以各月相加等于全年。",
            "Suspected, returned, dropped out: in the period in which it became known, in the "
            "school, stage and groups of the record of that day; a child reported again before it "
            "has come back counts once. So months add up to the year.",
        ),
        Text(
            "辍学率：本期辍学人数除以在校生。",
            "Dropout rate: dropped out in the period, of those enrolled.",
        ),
        Text(
            f"留守档案过期：{FILE_DAYS} 天没有登记父母外出或监护人。重点学校：农村、偏远，或"
            f"随迁和一年内从别校转入（升学不算）的学生占 {MANY_MOVERS:.0%} 以上。",
            f"Left-behind file out of date: parents away and guardian not stated for {FILE_DAYS} "
            f"days. Key schools: rural, remote, or {MANY_MOVERS:.0%} of the children migrants or "
            "come from another school within a year (not by going on to the next stage).",
        ),
    ]
    if report.limit:
        stages = CODE_LABELS["stage"]
        zh = "、".join(
            f"{stages[s].zh if s in stages else s} {100 * limit:.3g}%"
            for s, limit in report.limit.items()
        )
        en = ", ".join(
            f"{stages[s].en if s in stages else s} {100 * limit:.3g}%"
            for s, limit in report.limit.items()
        )
        found.append(
            Text(
                f"控制线：学年辍学人数占学年初在校生的比例，{zh}。",
                f"Limit: dropped out in the school year, of those enrolled at its start: {en}.",
            )
        )
    return [text(lang) for text in found]


def made_on(made: str) -> date:
    """Return the day of a moment as it is kept."""
    return date.fromisoformat(made[:10])


def word_list(texts: list[Text], lang: Lang) -> str:
    """Return several words in a row."""
    return Text("、", ", ")(lang).join(text(lang) for text in texts)
