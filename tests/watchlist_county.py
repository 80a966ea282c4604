"""A made-up county of two schools, scored by hand: what the watchlist tests stand on.

The tables, features and rules are real; only the scores are written here, so that each child's
contributions are known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from earlywarn.engine.duckdb import connect
from earlywarn.features.build import build
from earlywarn.features.catalogue import CATALOGUE
from earlywarn.rules.pack import RuleBook, load_rulebook
from earlywarn.tables.batches import add_batch
from earlywarn.tables.contract import TABLES
from earlywarn.watchlist.listing import build_listing
from earlywarn.watchlist.rows import ListedChild, Listing
from earlywarn.workspace import Config, Workspace

AS_OF = date(2026, 11, 20)  # a Friday
LAST_WEEK = date(2026, 11, 13)
JUNIOR, PRIMARY = "30202", "30101"
BASE = -7.5

GROUPS = """
groups:
  - {name: migrant, when: migrant_child, label: {zh: 随迁子女, en: migrant child}}
  - name: left_behind
    when: parents_away in ('one_parent', 'both_parents')
    label: {zh: 留守儿童, en: left-behind child}
  - {name: disabled, when: disability <> 'none', label: {zh: 残疾儿童, en: disabled child}}
  - {name: poor_family, when: poverty <> 'none', label: {zh: 困难家庭, en: poor family}}
  - {name: parent_incarcerated, when: parent_in_prison, label: {zh: 服刑人员子女, en: inmate's}}
  - {name: orphan, when: orphan_status = 'orphan', label: {zh: 孤儿, en: orphan}}
  - {name: unattended, when: orphan_status = 'unattended', label: {zh: 无人抚养, en: unattended}}
pack: groups
title: {zh: 监测群体, en: Groups}
rules:
  - id: left-behind-absent
    title: {zh: 留守儿童缺勤, en: Left-behind and absent}
    when: left_behind and absence_rate_20d >= 0.05
    points: 3.0
    ladder: absence
    floor: high
    action: call-parents-away
    reason:
      zh: "留守儿童，近20天缺勤率 {absence_rate_20d}"
      en: "Left behind, absent {absence_rate_20d} of 20 days"
    source: made up
    tests:
      - {given: {left_behind: true, absence_rate_20d: 0.05}, expect: hit}
  - id: inmate-unexcused
    title: {zh: 服刑人员子女旷课, en: Inmate's child without leave}
    when: parent_incarcerated and unexcused_days_20d >= 1
    points: 2.5
    family: absence
    action: call-parents-away
    reason: {zh: "服刑人员子女旷课", en: "Inmate's child without leave"}
    source: made up
    tests:
      - {given: {parent_incarcerated: true, unexcused_days_20d: 1}, expect: hit}
"""
ATTENDANCE = """
pack: attendance
title: {zh: 考勤, en: Attendance}
rules:
  - id: unexcused-3d
    title: {zh: 连续旷课满三天, en: Three days running without leave}
    when: unexcused_run >= 3
    points: 2.0
    ladder: unexcused
    floor: urgent
    action: group-visit
    reason:
      zh: "已连续旷课 {unexcused_run} 天"
      en: "Absent without leave for {unexcused_run} school days running"
    source: made up
    tests:
      - {given: {unexcused_run: 3}, expect: hit}
  - id: absent-20
    title: {zh: 经常缺勤, en: Often absent}
    when: absence_rate_20d >= 0.1
    points: 1.2
    ladder: absence
    action: talk
    reason:
      zh: "近20个上学日缺勤 {absence_rate_20d}"
      en: "Absent on {absence_rate_20d} of the last 20 school days"
    source: made up
    tests:
      - {given: {absence_rate_20d: 0.2}, expect: hit}
  - id: often-late
    title: {zh: 常迟到, en: Often late}
    when: late_rate_20d >= 0.2
    points: 0.6
    action: talk
    reason: {zh: "近20天迟到早退 {late_rate_20d}", en: "Late on {late_rate_20d} of 20 days"}
    source: made up
    tests:
      - {given: {late_rate_20d: 0.2}, expect: hit}
  - id: failed-two
    title: {zh: 两科不及格, en: Two subjects failed}
    when: failed_subjects >= 2
    points: 0.8
    action: learning-help
    reason: {zh: "最近考试 {failed_subjects} 科不及格", en: "{failed_subjects} subjects failed"}
    source: made up
    tests:
      - {given: {failed_subjects: 2}, expect: hit}
  - id: bottom
    title: {zh: 成绩靠后, en: Near the bottom}
    when: exam_rank_pct >= 0.9
    points: 0.9
    action: learning-help
    reason: {zh: "名次 {exam_rank_pct}", en: "Rank {exam_rank_pct}"}
    source: made up
    tests:
      - {given: {exam_rank_pct: 0.95}, expect: hit}
"""
HOME = """
pack: home
title: {zh: 家庭, en: Home}
rules:
  - id: far-away
    title: {zh: 路远, en: Far away}
    when: distance_km >= 5
    points: 0.7
    action: transport
    reason: {zh: "离校 {distance_km} 公里", en: "{distance_km} km from school"}
    source: made up
    tests:
      - {given: {distance_km: 6}, expect: hit}
"""
ACTIONS = """
actions:
  - id: group-visit
    title: {zh: 校领导带队家访, en: Home visit led by the school}
    who: {zh: 分管副校长, en: deputy head}
    within_school_days: 1
    what:
      zh: 当天联系监护人，次日由校领导带队上门，写书面报告
      en: Call the guardian today, visit tomorrow led by the school, and report in writing
    cause: whereabouts
  - id: talk
    title: {zh: 谈心, en: Talk with the child}
    who: {zh: 班主任, en: homeroom teacher}
    within_school_days: 3
    what: {zh: 单独谈一次，弄清不来上学的原因, en: "Talk alone, find out why the child stays away"}
    cause: learning_support
  - id: learning-help
    title: {zh: 学习帮扶, en: Help with learning}
    who: {zh: 任课教师, en: subject teacher}
    within_school_days: 10
    what: {zh: 安排一名同学和一名老师结对补课, en: Pair the child with a classmate and a teacher}
    cause: learning_support
  - id: transport
    title: {zh: 安排校车或住校, en: Bus or boarding}
    who: {zh: 总务主任, en: bursar}
    within_school_days: 10
    what: {zh: 商量校车或住校, en: Settle bus or boarding}
    cause: distance
  - id: call-parents-away
    title: {zh: 联系外出家长, en: Call the parents away}
    who: {zh: 班主任, en: homeroom teacher}
    within_school_days: 2
    what: {zh: 与外出务工家长视频通话, en: A video call with the parents away}
    cause: family
"""


@dataclass
class Child:
    """One child: its record's fields, its last days' statuses, its marks, its contributions."""

    student_id: str
    name: str
    school_id: str = JUNIOR
    class_id: str = "九（1）班"
    grade: int = 9
    last_days: str = ""  # one letter a day, ending on the as-of date: see STATUS
    marks: tuple[float | None, ...] = (80, 82, 78)
    contributions: dict[str, float] = field(default_factory=dict)
    hits: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    tier: str = "watch"
    listed: bool = True
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def log_odds(self) -> float:
        return sum(self.terms.values())

    @property
    def terms(self) -> dict[str, float]:
        return {"b0": BASE} | self.contributions


STATUS = {
    "p": "present",
    "l": "late",
    "e": "left_early",
    "s": "sick",
    "v": "leave",
    "x": "unexcused",
    "h": "home_teaching",
}


def children() -> list[Child]:
    """The county's children: seven on the junior school's list, two on the primary school's."""
    found = [
        Child(
            "G110101201201010012",
            "王小明",
            last_days="pxpppxxpxxx",
            marks=(45, 50, 71),
            tier="urgent",
            hits=("absent-20", "failed-two", "unexcused-3d"),
            contributions={
                "absence_rate_5d": 0.9,
                "exam_mean_pct": 0.4,
                "over_age_years": 0.2,
                "rule:absent-20": 1.2,
                "rule:failed-two": 0.8,
                "rule:unexcused-3d": 2.0,
            },
            record={"homeroom_teacher": "李老师"},
        ),
        Child(
            "G110101201202020023",
            "阿依古丽·买买提",
            last_days="pppsspvvpp",
            tier="high",
            hits=("absent-20",),
            contributions={"absence_rate_60d": 0.7, "exam_z": -0.1, "rule:absent-20": 1.2},
            record={"homeroom_teacher": "李老师", "parents_away": "none"},
        ),
        Child(
            "G11010120120303003X",
            "<b>粗体</b>",
            class_id="八（2）班",
            grade=8,
            last_days="plplplplplplpl",
            hits=("often-late",),
            contributions={"late_rate_20d": 0.9, "grade": 0.1, "rule:often-late": 0.6},
        ),
        Child(
            "0042",
            "=1+1",
            class_id="-八（2）班",
            grade=8,
            marks=(30, 35, 41),
            hits=("bottom",),
            contributions={"exam_rank_pct": 0.5, "rule:bottom": 0.9},
            unknown=("far-away",),
            record={"homeroom_teacher": "@赵老师"},
        ),
        Child(
            "0043",
            "O'Neil",
            class_id="八（2）班",
            grade=8,
            hits=("far-away",),
            contributions={"distance_km": 1.1, "school_poor_share": 0.9, "rule:far-away": 0.7},
            record={"distance_km": 7.5},
        ),
        Child(
            "0044",
            "司马欧阳慕容上官诸葛皇甫尉迟公孙轩辕令狐钟离宇文长孙鲜于闾丘司徒司空亓官仉督子车",
            last_days="vvvvvvvvvvvvvvv",
            tier="high",
            hits=("absent-20",),
            contributions={"absence_rate_60d": 1.7, "rule:absent-20": 1.2, "age_years": 0.3},
        ),
        Child("0045", "", tier="watch", listed=False, contributions={"grade": 0.1}),
        Child(
            "P001",
            "小雨",
            school_id=PRIMARY,
            class_id="三（1）班",
            grade=3,
            last_days="xpppxp",
            contributions={"unexcused_days_20d": 0.8},
            record={"homeroom_teacher": "周老师"},
        ),
        Child(
            "P002",
            "小雪",
            school_id=PRIMARY,
            class_id="三（1）班",
            grade=3,
            last_days="ssssssss",
            tier="high",
            hits=("absent-20",),
            contributions={"rule:absent-20": 1.2, "absent_run": 0.5},
        ),
    ]
    for number in range(20):
        school, grade = (JUNIOR, 9) if number < 12 else (PRIMARY, 3)
        found.append(
            Child(
                f"C{number:03}",
                f"同学{number}",
                school_id=school,
                grade=grade,
                class_id="九（1）班" if grade == 9 else "三（1）班",
                marks=(70 + number, 75, None if number == 3 else 80),
                tier="routine",
                listed=False,
            )
        )
    return found


def school_days() -> list[date]:
    """Monday to Friday from 1 September to 27 November 2026, without 1 to 7 October."""
    first = date(2026, 9, 1)
    days = [first + timedelta(days=n) for n in range(88)]
    return [d for d in days if d.weekday() < 5 and not date(2026, 10, 1) <= d <= date(2026, 10, 7)]


def _table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    schema = TABLES[name].schema
    return pa.Table.from_pylist(
        [{column: row.get(column) for column in schema.names} for row in rows], schema=schema
    )


def _tables(everybody: list[Child]) -> dict[str, pa.Table]:
    students, attendance, exams = [], [], []
    days = school_days()
    until = [d for d in days if d <= AS_OF]
    for child in everybody:
        students.append(
            {
                "student_id": child.student_id,
                "snapshot_date": date(2026, 9, 1),
                "name": child.name or None,
                "school_id": child.school_id,
                "grade": child.grade,
                "class_id": child.class_id,
                "enrolled_on": date(2024, 9, 1),
            }
            | child.record
        )
        statuses = child.last_days.rjust(len(until), "p")
        for when, code in zip(until, statuses, strict=True):
            if when != date(2026, 10, 16):  # a day that nobody reported
                attendance.append(
                    {"student_id": child.student_id, "date": when, "status": STATUS[code]}
                )
        for subject, mark in zip(("chinese", "maths", "english"), child.marks, strict=True):
            exams.append(
                {
                    "student_id": child.student_id,
                    "date": date(2026, 11, 10),
                    "exam": "期中",
                    "subject": subject,
                    "score": mark,
                    "full_mark": 100,
                }
            )
    for row in exams:
        for column in ("score", "full_mark"):
            row[column] = None if row[column] is None else _decimal(row[column])
    for row in students:
        if "distance_km" in row:
            row["distance_km"] = _decimal(row["distance_km"])
    schools = [
        {
            "school_id": JUNIOR,
            "name": "白石乡初级中学",
            "county": "青河县",
            "township": "白石乡",
            "kind": "junior",
            "capacity": 6,
        },
        {
            "school_id": PRIMARY,
            "name": "青河镇中心小学",
            "county": "青河县",
            "township": "青河镇",
            "kind": "primary",
        },
    ]
    calendar = [{"date": when, "is_school_day": True} for when in days]
    # The ninth grade's class has a day off on the Monday after.
    calendar.append(
        {
            "date": date(2026, 11, 23),
            "school_id": JUNIOR,
            "class_id": "九（1）班",
            "is_school_day": False,
        }
    )
    return {
        "students": _table("students", students),
        "schools": _table("schools", schools),
        "attendance": _table("attendance", attendance),
        "calendar": _table("calendar", calendar),
        "exams": _table("exams", exams),
    }


def _decimal(value: float) -> Any:
    from decimal import Decimal

    return Decimal(str(value))


def scores(everybody: list[Child], rules_hash: str = "") -> pa.Table:
    """The table of scores.parquet for these children; ranks follow tier, then log-odds."""
    levels = {"urgent": 3, "high": 2, "watch": 1, "routine": 0}
    order = sorted(everybody, key=lambda c: (-levels[c.tier], -c.log_odds, c.student_id))
    places: dict[str, int] = {}
    rows = []
    for child in order:
        places[child.school_id] = places.get(child.school_id, 0) + 1
        rows.append(
            {
                "student_id": child.student_id,
                "school_id": child.school_id,
                "as_of": AS_OF,
                "score": 1 / (1 + 2.718281828459045**-child.log_odds),
                "log_odds": round(child.log_odds, 12),
                "tier": child.tier,
                "rank": places[child.school_id],
                "listed": child.listed,
                "rules_hit": list(child.hits),
                "rules_unknown": list(child.unknown),
                "contributions": [
                    {"term": term, "value": value} for term, value in child.terms.items()
                ],
                "model": "main/1",
                "rules_hash": rules_hash,
            }
        )
    rows.sort(key=lambda row: row["student_id"])
    return pa.Table.from_pylist(rows, schema=SCORES)


SCORES = pa.schema(
    [
        ("student_id", pa.string()),
        ("school_id", pa.string()),
        ("as_of", pa.date32()),
        ("score", pa.float64()),
        ("log_odds", pa.float64()),
        ("tier", pa.string()),
        ("rank", pa.int32()),
        ("listed", pa.bool_()),
        ("rules_hit", pa.list_(pa.string())),
        ("rules_unknown", pa.list_(pa.string())),
        ("contributions", pa.list_(pa.struct([("term", pa.string()), ("value", pa.float64())]))),
        ("model", pa.string()),
        ("rules_hash", pa.string()),
    ]
)


# All tables of the county's model are 0 where nothing is wrong.
CALM = {feature.name: 0.0 for feature in CATALOGUE if feature.kind == "sign"}


@dataclass
class County:
    """A scored workspace with its open connection."""

    workspace: Workspace
    con: duckdb.DuckDBPyConnection
    rulebook: RuleBook
    children: list[Child]

    def listing(self, **options: Any) -> Listing:
        return build_listing(
            self.con,
            self.workspace,
            self.rulebook,
            AS_OF,
            model_name="main/1",
            calm=CALM,
            **options,
        )

    def rescore(self) -> None:
        """Put the children's contributions as they are now into `scores`."""
        self.con.register("scores", scores(self.children, self.rulebook.hash))


def county(root: Path, everybody: list[Child] | None = None, **config: Any) -> County:
    """Make the county in `root` and build its features as of `AS_OF`."""
    everybody = everybody or children()
    workspace = Workspace.init(root, Config(**({"generated": True} | config)))
    for old in workspace.rules.glob("*.yaml"):
        old.unlink()
    packs = {"groups": GROUPS, "attendance": ATTENDANCE, "home": HOME, "actions": ACTIONS}
    for name, text in packs.items():
        (workspace.rules / f"{name}.yaml").write_text(text, encoding="utf-8")
    with workspace.lock("test"):
        add_batch(workspace, _tables(everybody), origin="test", content="test")
    rulebook = load_rulebook(workspace.rules)
    con = connect(workspace)
    build(con, workspace.config, rulebook.groups, AS_OF)
    made = County(workspace, con, rulebook, everybody)
    made.rescore()
    return made


def child_of(listing: Listing, student_id: str) -> ListedChild:
    """Return the child's row (KeyError if it is not listed)."""
    for school in listing.schools:
        for child in school.children:
            if child.student_id == student_id:
                return child
    raise KeyError(student_id)
