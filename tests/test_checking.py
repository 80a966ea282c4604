"""What `check` finds, one wrong thing at a time in a county where nothing else is wrong."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from checking_county import CHILDREN, DAYS, TODAY, county, found, line, mark, only, state
from daily_village import day, rows
from earlywarn.checking import line as one_line
from earlywarn.checking import not_reported, worst
from earlywarn.checking.columns import used_fields
from earlywarn.workspace import Workspace

B_CLASS = [child for child in CHILDREN if child[0] == "B"]


def kinds(workspace: Workspace, as_of: date = TODAY) -> list[tuple[str, str | None]]:
    return [(one.id, one.school_id) for one in found(workspace, as_of)]


def test_nothing_is_found_where_nothing_is_wrong(tmp_path: Path) -> None:
    workspace = county(tmp_path)
    assert found(workspace) == []
    counts = state(workspace).counts()
    assert (counts["schools"], counts["children"]) == (2, 12)
    assert not_reported(state(workspace)) is None


def test_nothing_is_found_where_attendance_lists_exceptions(tmp_path: Path) -> None:
    assert found(county(tmp_path, config={"attendance": "exceptions"})) == []


def test_nor_where_schools_are_known_by_attendance_alone(tmp_path: Path) -> None:
    """Without reported days, a day counts as handed in where any child has a row."""

    def unsaid(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
        return tables | {"reported_days": rows("reported_days", [])}

    assert found(county(tmp_path, change=unsaid)) == []


def test_an_empty_workspace(workspace: Workspace) -> None:
    assert [one.id for one in found(workspace)] == ["no_registry", "no_attendance"]
    assert state(workspace).fields == ()


def test_a_registry_alone(tmp_path: Path) -> None:
    def alone(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
        return {name: tables[name] for name in ("students", "schools")}

    workspace = county(tmp_path, change=alone)
    assert kinds(workspace) == [("no_attendance", None), ("no_marks", None)]
    assert state(workspace).as_of == TODAY


def test_a_day_of_the_last_weeks_not_handed_in(tmp_path: Path) -> None:
    gap = line()[:32] + "-" + line()[33:]
    workspace = county(tmp_path, lines=dict.fromkeys(B_CLASS, gap), not_reported={"S2": 32})
    one = only(workspace)
    assert (one.id, one.severity, one.school_id, one.count) == ("days_missing", "warn", "S2", 1)
    assert one.text.zh == "缺 1 个上课日的考勤（应报 40 个）：2026年第16周（4月16日）。"
    assert one.text.en == "1 of 40 school days not handed in: 2026-W16 (16 Apr)."


def test_an_old_gap_is_a_note(tmp_path: Path) -> None:
    workspace = county(tmp_path, not_reported={"S2": 3})
    assert only(workspace).severity == "note"


def test_a_silent_week_stops(tmp_path: Path) -> None:
    workspace = county(
        tmp_path, lines=dict.fromkeys(B_CLASS, line(days=31)), reported={"S1": 40, "S2": 31}
    )
    one = next(one for one in found(workspace) if one.id == "days_missing")
    assert (one.severity, one.school_id, one.count) == ("stop", "S2", 9)
    assert "最近连续 9 个上课日至今未报" in one.text.zh
    assert "2026年第16周（4月15日、16日、17日）" in one.text.zh
    assert "2026-W17 whole (20 to 24 Apr)" in one.text.en
    said = not_reported(state(workspace))
    assert said is not None
    assert "学校S2" in said.zh


def test_many_weeks_are_counted(tmp_path: Path) -> None:
    workspace = county(tmp_path, lines=dict.fromkeys(B_CLASS, ""), reported={"S1": 40, "S2": 40})
    assert "days_missing" not in dict(kinds(workspace))  # handed in, with nobody in it

    gone = county(
        tmp_path / "2",
        lines={c: line(days=60) for c in CHILDREN} | dict.fromkeys(B_CLASS, "."),
        reported={"S1": 60, "S2": 1},
    )
    one = next(one for one in found(gone, day(59)) if one.id == "days_missing")
    assert one.count == 59
    assert "更早还有 5 周共 23 天（2026年3月3日至4月3日）" in one.text.zh
    assert "; 23 days in 5 weeks before (3 Mar to 3 Apr 2026)" in one.text.en


def test_a_school_that_never_reported(tmp_path: Path) -> None:
    workspace = county(tmp_path, lines=dict.fromkeys(B_CLASS, ""), reported={"S1": 40, "S2": 0})
    one = only(workspace)
    assert (one.id, one.severity, one.school_id, one.count) == ("nothing_reported", "stop", "S2", 6)


def test_a_class_that_reports_for_itself(tmp_path: Path) -> None:
    workspace = county(
        tmp_path, more={"reported_days": [{"school_id": "S1", "class_id": "7.1", "date": day(2)}]}
    )
    assert found(workspace) == []  # the school's rows cover the class
    silent = county(
        tmp_path / "2",
        reported={"S1": 0, "S2": 40},
        more={
            "reported_days": [
                {"school_id": "S1", "class_id": "7.1", "date": day(i)} for i in range(30)
            ]
        },
    )
    one = only(silent)
    assert (one.id, one.school_id, one.class_id, one.count) == ("days_missing", "S1", "7.1", 10)


@pytest.mark.parametrize(("attendance", "severity"), [("full", "warn"), ("exceptions", "stop")])
def test_no_calendar(tmp_path: Path, attendance: str, severity: str) -> None:
    def without(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
        return tables | {"calendar": rows("calendar", [])}

    workspace = county(tmp_path, change=without, config={"attendance": attendance})
    one = next(one for one in found(workspace) if one.id == "no_calendar")
    assert (one.severity, one.school_id, one.count) == (severity, None, 2)


def test_a_school_that_reports_only_presents(tmp_path: Path) -> None:
    many = [f"B{i}" for i in range(13)]
    calm = county(tmp_path, lines=dict.fromkeys(many[:12], "." * DAYS))
    assert found(calm) == []  # 480 child-days: not enough to say so
    workspace = county(tmp_path / "2", lines=dict.fromkeys(many, "." * DAYS))
    one = only(workspace)
    assert (one.id, one.school_id, one.count) == ("only_present", "S2", 520)
    assert "520 人次（13 名学生）全是出勤" in one.text.zh
    away = county(tmp_path / "3", lines=dict.fromkeys(many, "." * DAYS) | {"B0": line("v")})
    assert found(away) == []


def test_only_presents_where_attendance_lists_exceptions(tmp_path: Path) -> None:
    many = dict.fromkeys([f"B{i}" for i in range(13)], "." * DAYS)
    workspace = county(tmp_path, lines=many, config={"attendance": "exceptions"})
    assert only(workspace).count == 520


def test_a_child_never_recorded(tmp_path: Path) -> None:
    workspace = county(tmp_path, lines={"A1": "." * 20, "A2": "." * 21})
    one = only(workspace)
    assert (one.id, one.school_id, one.class_id, one.count) == ("not_recorded", "S1", "7.1", 1)
    assert one.examples == ("A1",)
    assert one.severity == "warn"


def test_who_is_not_missed(tmp_path: Path) -> None:
    """On leave; enrolled too lately; at a school that hands in too little."""
    leave = {"student_id": "A1", "date": day(2), "event": "long_leave"}
    calm = county(
        tmp_path,
        lines={"A1": "." * 2, "A2": ""},
        children={"A2": {"enrolled_on": day(36)}},
        more={"outcomes": [leave]},
    )
    assert found(calm) == []


def test_a_whole_school_unrecorded_stops(tmp_path: Path) -> None:
    workspace = county(tmp_path, lines=dict.fromkeys(B_CLASS, ""))
    one = only(workspace)
    assert (one.id, one.severity, one.count) == ("not_recorded", "stop", 6)
    assert one.examples == ("B0", "B1", "B2", "B3", "B4")


def test_students_unknown_to_the_registry(tmp_path: Path) -> None:
    odd = [
        {"student_id": s, "date": day(d), "status": "present"} for s in ("Z1", "Z2") for d in (3, 5)
    ] + [{"student_id": "Z9", "date": day(50), "status": "present"}]  # after the as-of date
    one = only(county(tmp_path, more={"attendance": odd}))
    assert (one.id, one.school_id, one.count) == ("unknown_students", None, 2)
    assert one.examples == ("Z1", "Z2")
    assert "（4 人次，2026年3月5日至9日）" in one.text.zh
    assert "(4 child-days, 5 to 9 Mar 2026)" in one.text.en


def test_attendance_on_days_off_and_before_enrolment(tmp_path: Path) -> None:
    sunday = date(2026, 3, 8)
    workspace = county(
        tmp_path,
        children={"A1": {"enrolled_on": day(2)}},
        more={
            "attendance": [
                {"student_id": s, "date": sunday, "status": "present"} for s in ("A3", "A4")
            ]
        },
    )
    early, off = found(workspace)
    assert (early.id, early.count, early.examples) == ("before_enrolment", 2, ("A1",))
    assert (off.id, off.count, off.examples) == ("outside_calendar", 2, ("A3", "A4"))
    assert "1 个非上课日（2 名学生，2026年3月8日）" in off.text.zh
    assert "2 child-days of attendance on 1 day without school (2 children, 8 Mar" in off.text.en


def test_sessions_of_a_day_are_one_day(tmp_path: Path) -> None:
    rows_of = [
        {"student_id": "Z1", "date": day(3), "status": "present", "session": s}
        for s in ("am", "pm")
    ]
    assert "1 child-day," in only(county(tmp_path, more={"attendance": rows_of})).text.en


def test_days_at_the_school_before_are_no_fault(tmp_path: Path) -> None:
    before = {
        "student_id": "A1",
        "snapshot_date": date(2025, 9, 10),
        "school_id": "S2",
        "grade": 7,
        "class_id": "7.1",
        "enrolled_on": date(2025, 9, 1),
    }
    workspace = county(
        tmp_path, children={"A1": {"enrolled_on": day(5)}}, more={"students": [before]}
    )
    assert found(workspace) == []


def test_unknown_schools(tmp_path: Path) -> None:
    workspace = county(
        tmp_path,
        lines={"X1": line()},
        children={"X1": {"school_id": "S9"}},
        more={"reported_days": [{"school_id": "S8", "date": day(1)}]},
        change=lambda tables: (
            tables
            | {
                "schools": tables["schools"].filter(
                    pa.compute.not_equal(tables["schools"][0], "S9")
                )
            }
        ),
    )
    cohort, reported = found(workspace)
    assert (cohort.id, cohort.severity, cohort.school_id, cohort.count) == (
        "unknown_school",
        "warn",
        "S9",
        1,
    )
    assert (reported.severity, reported.school_id, reported.count) == ("note", "S8", 1)


@pytest.mark.parametrize(
    ("born", "why"),
    [
        (date(2014, 9, 1), ""),  # 11 on 1 September 2025 in grade 7: the youngest that can be
        (date(2014, 9, 2), "年龄与年级不符"),
        (date(2007, 9, 2), ""),  # 17: the oldest
        (date(2008, 9, 1), ""),
        (date(2007, 9, 1), "年龄与年级不符"),  # 18
        (date(2003, 4, 1), "不满3岁或超过22岁"),
        (date(2024, 1, 1), "不满3岁或超过22岁"),
        (date(2030, 1, 1), "出生日期在截止日期之后"),
    ],
)
def test_ages_that_cannot_be(tmp_path: Path, born: date, why: str) -> None:
    workspace = county(tmp_path, children={"A1": {"birth_date": born}})
    if not why:
        assert found(workspace) == []
        return
    one = only(workspace)
    assert (one.id, one.school_id, one.examples) == ("impossible_age", "S1", ("A1",))
    assert f"{why} 1 名" in one.text.zh


def test_a_class_of_another_grade(tmp_path: Path) -> None:
    workspace = county(tmp_path, children={"A1": {"class_id": "八（2）班"}, "A2": {"grade": 8}})
    named, graded = found(workspace)
    assert (graded.id, graded.class_id, graded.examples) == (
        "class_against_grade",
        "八（2）班",
        ("A1",),
    )
    assert "班级名称表示 8 年级，1 名学生的年级却是 7" in graded.text.zh
    assert (named.class_id, named.examples) == ("7.1", ("A2",))


def test_records_of_the_last_school_year(tmp_path: Path) -> None:
    old = date(2025, 6, 30)
    workspace = county(tmp_path, children={"A1": {"snapshot_date": old, "enrolled_on": old}})
    one = only(workspace)
    assert (one.id, one.severity, one.count) == ("stale_registry", "warn", 1)
    all_old = county(tmp_path / "2", children={b: {"snapshot_date": old} for b in B_CLASS})
    assert only(all_old).severity == "stop"


def test_empty_fields_that_rules_use(tmp_path: Path) -> None:
    workspace = county(
        tmp_path,
        children={c: {"parents_away": None, "guardian_phone": None} for c in CHILDREN[:9]},
    )
    one = only(workspace)
    rules = used_fields(workspace)
    assert (one.id, one.severity, one.count) == ("empty_field", "warn", 9)
    assert one.text.zh.startswith("父母外出情况（parents_away）有 75% 的学生为空（9 名）")
    assert "guardian_phone" not in rules
    fields = state(workspace).fields
    assert fields[0].name == "parents_away"
    assert {f.name: f.empty for f in fields if f.empty} == {"parents_away": 9, "guardian_phone": 9}
    assert fields.index(next(f for f in fields if not f.rules)) == len(rules)


def test_empty_fields_of_one_school(tmp_path: Path) -> None:
    many = {f"A{i}": line() for i in range(40)}
    workspace = county(tmp_path, lines=many, children={b: {"disability": None} for b in B_CLASS})
    one = only(workspace)
    assert (one.id, one.school_id, one.count) == ("empty_fields_school", "S2", 6)
    assert "(disability) 100%" in one.text.en


def marked(*children: str) -> list[dict[str, Any]]:
    return [mark(child) for child in children]


def test_a_class_without_marks(tmp_path: Path) -> None:
    second = {f"A{i}": line() for i in range(10, 16)}
    others = {child: {"class_id": "7.2"} for child in second}
    workspace = county(tmp_path, lines=second, children=others, marks=marked(*CHILDREN))
    one = only(workspace)
    assert (one.id, one.school_id, one.class_id, one.count) == ("no_marks", "S1", "7.2", 6)


def test_marks_without_a_score_or_too_old_are_none(tmp_path: Path) -> None:
    second = {f"A{i}": line() for i in range(10, 16)}
    others = {child: {"class_id": "7.2"} for child in second}
    rows_of = [
        *marked(*CHILDREN),
        mark("A10", score=None),
        mark("A11", date=date(2025, 4, 20)),
        mark("A12", date=day(45)),
    ]
    workspace = county(tmp_path, lines=second, children=others, marks=rows_of)
    assert only(workspace).class_id == "7.2"


def test_schools_and_grades_without_marks(tmp_path: Path) -> None:
    school = only(county(tmp_path, marks=marked("A1")))
    assert (school.id, school.severity, school.school_id, school.count) == (
        "no_marks",
        "warn",
        "S2",
        6,
    )
    first = {"A8": line(), "B8": line()}
    grade = only(
        county(
            tmp_path / "2",
            lines=first,
            children={
                child: {"grade": 1, "class_id": "1.1", "birth_date": date(2019, 1, 1)}
                for child in first
            },
            marks=marked(*CHILDREN),
        )
    )
    assert (grade.severity, grade.school_id, grade.count) == ("note", None, 2)
    assert "各校 1 年级 2 名学生" in grade.text.zh
    assert only(county(tmp_path / "3", marks=[])).school_id is None


def troubled(root: Path, shuffle: random.Random | None = None) -> Workspace:
    """Make a county with several wrong things, its rows in any order."""

    def mixed(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
        if shuffle is None:
            return tables

        def order(count: int) -> pa.Array:
            return pa.array(shuffle.sample(range(count), count), pa.int64())

        return {name: table.take(order(table.num_rows)) for name, table in tables.items()}

    return county(
        root,
        lines={"A1": "", "B1": line(days=35)} | {f"A{i}": "" for i in range(20, 27)},
        children={
            "A2": {"birth_date": date(2001, 1, 1), "parents_away": None},
            "A3": {"class_id": "八（2）班", "parents_away": None},
            "B1": {"snapshot_date": date(2025, 6, 1)},
            "B2": {"enrolled_on": day(9), "parents_away": None},
        },
        reported={"S1": 40, "S2": 30},
        more={
            "attendance": [
                {"student_id": s, "date": day(3), "status": "present"} for s in ("Z2", "Z1")
            ]
        },
        change=mixed,
    )


GOLDEN = """\
stop 学校S2：缺 10 个上课日的考勤（应报 40 个），其中最近连续 10 个上课日至今未报：\
2026年第18周（4月27日）；2026年第17周整周（4月20日至24日）；\
2026年第16周（4月14日、15日、16日、17日）。
warn 学校S2：1 名学生（在校 6 名）的学籍早于本学年开始（2025年9月1日），\
最新为 2025年6月1日：年级、班级可能是上学年的。
stop 学校S1 7.1：8 名在籍学生（全校 13 名）最近20个上课日没有一条考勤，而学校在上报。
warn 全部学校：考勤中有 2 名学生不在学籍表里（2 人次，2026年3月5日）：这些考勤不计入任何结果。
warn 学校S1 八（2）班：班级名称表示 8 年级，1 名学生的年级却是 7。
warn 学校S1：1 名学生的出生日期不可能正确：不满3岁或超过22岁 1 名。
note 学校S2：9 人次考勤在入学日期之前（1 名学生，2026年3月2日至13日）：不计入任何结果。
"""


def told(workspace: Workspace) -> str:
    seen = state(workspace)
    return "".join(f"{one.severity} {one_line(seen, one).zh}\n" for one in seen.findings)


def test_worst_first_in_golden_words(tmp_path: Path) -> None:
    workspace = troubled(tmp_path)
    lines = told(workspace).splitlines()
    assert sorted(lines) == sorted(GOLDEN.splitlines())
    assert [text.split()[0] for text in lines] == ["stop"] * 2 + ["warn"] * 4 + ["note"]
    seen = state(workspace).findings
    assert worst(reversed(seen)) == seen[:3]
    assert worst([]) == ()


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    first = state(troubled(tmp_path / "0")).findings
    for seed in range(1, 4):
        again = state(troubled(tmp_path / str(seed), random.Random(seed))).findings
        assert again == first


def test_no_name_or_phone_is_told(tmp_path: Path) -> None:
    for one in found(troubled(tmp_path)):
        for text in (*one.text, *one.cure):
            assert "名A" not in text
            assert "1390000" not in text
