"""What the attendance lacks, and what in it counts in nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from earlywarn.checking import dates
from earlywarn.checking.finding import Finding, Severity
from earlywarn.checking.gather import Gathered
from earlywarn.checking.numbers import children as of_children
from earlywarn.checking.numbers import many
from earlywarn.errors import Text

# A school that had no absence by chance in so many child-days would be a rare one: where a child is
# away on 1 day in 100, one school in 150.
LEAST_CHILD_DAYS = 500
# Of the last 20 school days so many must be handed in before a child's silence is its own.
LEAST_REPORTED = 5
_A_WEEK = 5

_HAND_IN = Text(
    "请学校补报这些日子的考勤并导入；确实没有上课的日子，请在校历中改为非上课日。没有上报不等于到校。",
    "Have the school hand in these days and load them; where there was no school, say so in the "
    "calendar. Silence is not presence.",
)


def findings(gathered: Gathered) -> Iterator[Finding]:
    """Yield what is found, school by school."""
    yield from _missing(gathered)
    yield from _no_calendar(gathered)
    yield from _only_present(gathered)
    if not gathered.exceptions:
        yield from _not_recorded(gathered)
    yield from _unknown_students(gathered)
    yield from _stray(gathered)


def _missing(gathered: Gathered) -> Iterator[Finding]:
    for school, class_id, children, days, missing, silent, ever in gathered.rows("missing.sql"):
        if not ever:
            yield Finding(
                "nothing_reported",
                "stop",
                school,
                class_id,
                children,
                Text(
                    f"从未上报考勤：在校 {children:,} 人，其缺课无从得知。",
                    "has never handed in attendance: nothing is known of the absence of its "
                    f"{of_children(children)}.",
                ),
                _HAND_IN,
            )
            continue
        found = dates.weeks(missing, days)
        now_zh = f"，其中最近连续 {silent} 个上课日至今未报" if silent else ""
        now_en = f", the last {silent} in a row up to now" if silent else ""
        yield Finding(
            "days_missing",
            _how_bad(days, missing, silent),
            school,
            class_id,
            len(missing),
            Text(
                f"缺 {len(missing)} 个上课日的考勤（应报 {len(days)} 个）{now_zh}：{found.zh}。",
                f"{len(missing)} of {many(len(days), 'school day')} not handed in{now_en}: "
                f"{found.en}.",
            ),
            _HAND_IN,
        )


def _how_bad(days: list[date], missing: list[date], silent: int) -> Severity:
    """A whole week of silence stops; a gap among the last 20, or every tenth day, is a warning."""
    if silent >= min(_A_WEEK, len(days)):
        return "stop"
    if set(missing) & set(days[-20:]) or 10 * len(missing) >= len(days):
        return "warn"
    return "note"


def _no_calendar(gathered: Gathered) -> Iterator[Finding]:
    for schools, children, of_schools, some in gathered.rows("no_calendar.sql"):
        all_of_them = schools == of_schools
        named = Text("、".join(some), ", ".join(some))
        more = schools > len(some)
        which_zh = "" if all_of_them else f"（{named.zh}{' 等' if more else ''}）"
        which_en = "" if all_of_them else f" ({named.en}{' and others' if more else ''})"
        without_zh = (
            "配置 attendance: exceptions 没有校历就无法评分。"
            if gathered.exceptions
            else "只有有考勤的日子才算上课日，整天没有上报就看不出来。"
        )
        without_en = (
            "attendance: exceptions cannot be scored without one."
            if gathered.exceptions
            else "only days with attendance count as school days, and a day that nobody handed in "
            "does not show."
        )
        yield Finding(
            "no_calendar",
            "stop" if gathered.exceptions else "warn",
            some[0] if schools == 1 and not all_of_them else None,
            None,
            schools,
            Text(
                f"{schools} 所学校没有校历{which_zh}，共 {children:,} 名学生：{without_zh}",
                f"{many(schools, 'school')} without a calendar{which_en}, {of_children(children)}: "
                f"{without_en}",
            ),
            Text(
                "请导入校历：earlywarn ingest calendar 文件。",
                "Load the calendar: earlywarn ingest calendar FILE.",
            ),
        )


def _only_present(gathered: Gathered) -> Iterator[Finding]:
    for school, children, days in gathered.rows("only_present.sql", least=LEAST_CHILD_DAYS):
        yield Finding(
            "only_present",
            "warn",
            school,
            None,
            days,
            Text(
                f"最近60个已上报的上课日里 {days:,} 人次（{children:,} 名学生）全是出勤，"
                "没有一次病假、事假或旷课。",
                f"{many(days, 'child-day')} of {of_children(children)} in the last 60 reported "
                "school days, and not one absence: no illness, no leave, no truancy.",
            ),
            Text(
                "请核实是否逐日点名；如果只报出勤，缺课的孩子不会上名单。"
                "若表格里缺勤留空，请检查导入时符号的含义。",
                "Ask whether the roll is called every day: a child that is away cannot be listed "
                "there. If absence is an empty cell, check what the signs were read as.",
            ),
        )


def _not_recorded(gathered: Gathered) -> Iterator[Finding]:
    for school, class_id, children, all_children, examples in gathered.rows(
        "not_recorded.sql", least=LEAST_REPORTED
    ):
        yield Finding(
            "not_recorded",
            "stop" if 2 * children >= all_children else "warn",
            school,
            class_id,
            children,
            Text(
                f"{children:,} 名在籍学生（全校 {all_children:,} 名）最近20个上课日没有一条考勤，"
                "而学校在上报。",
                f"{children:,} of {all_children:,} registered children have no attendance on the "
                "last 20 school days, though the school hands it in.",
            ),
            Text(
                "请查这些孩子是否真的在校：已转走的补办学籍异动，没有来的立即联系监护人；"
                "学籍号写法不同的，改正后重新导入考勤。",
                "Find out whether these children are there: record a move, call the guardian of a "
                "child that is not; if the ids are written otherwise, correct them and load again.",
            ),
            tuple(examples),
        )


def _unknown_students(gathered: Gathered) -> Iterator[Finding]:
    for children, days, first, last, examples in gathered.rows("unknown_students.sql"):
        when = dates.span(first, last)
        yield Finding(
            "unknown_students",
            "warn",
            None,
            None,
            children,
            Text(
                f"考勤中有 {children:,} 名学生不在学籍表里（{days:,} 人次，{when.zh}）："
                "这些考勤不计入任何结果。",
                f"{many(children, 'student')} in attendance but not in the registry "
                f"({many(days, 'child-day')}, {when.en}): that attendance counts in nothing.",
            ),
            Text(
                "请导入含这些学生的学籍表；如果是学籍号写错（缺前导零、G/L、末位X），改正后重新导入考勤。",
                "Load a registry that has them; where the id is written otherwise (leading zeros, "
                "G or L, a last X), correct it and load the attendance again.",
            ),
            tuple(examples),
        )


def _stray(gathered: Gathered) -> Iterator[Finding]:
    for kind, school, entries, children, days, first, last, examples in gathered.rows(
        "stray_days.sql"
    ):
        when = dates.span(first, last)
        early = kind == "before_enrolment"
        zh = "在入学日期之前" if early else f"在 {days} 个非上课日"
        en = "before enrolment" if early else f"on {many(days, 'day')} without school"
        yield Finding(
            kind,
            "note",
            school,
            None,
            entries,
            Text(
                f"{entries:,} 人次考勤{zh}（{children:,} 名学生，{when.zh}）：不计入任何结果。",
                f"{many(entries, 'child-day')} of attendance {en} ({of_children(children)}, "
                f"{when.en}), counted in nothing.",
            ),
            Text(
                "请核对学籍中的入学日期，或检查考勤表的月份和日期。",
                "Check the enrolment dates in the registry, or the month and days of the sheet.",
            )
            if early
            else Text(
                "如果那天上了课（调休、补课），请在校历中加上；否则检查考勤表的月份和日期。",
                "If there was school (a day made up for), add it to the calendar; if not, check "
                "the month and days of the sheet.",
            ),
            tuple(examples),
        )
