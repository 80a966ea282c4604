"""Features that no worked example has, on little counties reckoned by hand.

`exam_maths_pct`, `months_over_age`, `schools_attended` and `school_exam_z`.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from earlywarn.features.build import build
from earlywarn.features.groups import load_groups
from earlywarn.tables.contract import TABLES
from earlywarn.workspace import Config, shipped
from oracle.canonical import arrow_tables
from oracle.features import compute

AS_OF = date(2026, 3, 20)
AUTUMN = date(2025, 10, 1)
WINTER = date(2026, 1, 15)
Row = dict[str, Any]


def child(student: str, school: str = "A", day: date = AUTUMN, **fields: Any) -> Row:
    """Return one snapshot; what is not said is empty."""
    row: Row = {column.name: None for column in TABLES["students"].columns}
    return (
        row
        | {"student_id": student, "school_id": school, "snapshot_date": day, "grade": 1}
        | fields
    )


def mark(student: str, score: int | None, exam: str = "期末", day: date = WINTER) -> Row:
    """Return one mark out of 100."""
    return {
        "student_id": student,
        "date": day,
        "exam": exam,
        "subject": "maths",
        "score": None if score is None else Decimal(score),
        "full_mark": Decimal(100),
    }


def found(name: str, tables: dict[str, list[Row]], **config: Any) -> dict[str, Any]:
    """Return one feature by student, from SQL; the oracle must say the same."""
    with duckdb.connect() as con:
        for table, rows in arrow_tables(tables).items():
            con.register("incoming", rows)
            con.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM incoming")
        con.execute("CREATE TEMP TABLE complete_registries (school_id TEXT, snapshot_date DATE)")
        build(con, Config(**config), load_groups(shipped("rules")), AS_OF)
        values = dict(con.sql(f"SELECT student_id, {name} FROM features ORDER BY 1").fetchall())
    for row in compute(tables, AS_OF, "full", config):
        other = row[name]
        assert values[row["student_id"]] == (float(other) if isinstance(other, Decimal) else other)
    return values


# ------------------------------------------------------------------------------ exam_maths_pct


def test_exam_maths_pct_is_of_the_last_exam_alone() -> None:
    later = date(2026, 3, 2)
    chinese = {"subject": "chinese"}
    values = found(
        "exam_maths_pct",
        {
            "students": [child(name) for name in "abcd"],
            "exams": [
                mark("a", 61),
                mark("a", 99) | chinese,
                mark("b", 61),
                mark("b", 70, "月考", later) | chinese,  # the last exam has no maths
                mark("c", None),  # absent
                mark("c", 50) | chinese,
            ],
        },
    )
    assert values == {"a": 0.61, "b": None, "c": None, "d": None}


# ------------------------------------------------------------------------------ months_over_age


@pytest.mark.parametrize(
    ("birth", "grade", "snapshot", "months"),
    [
        (date(2019, 9, 1), 1, AUTUMN, 0),  # six years old on 1 September 2025
        (date(2019, 9, 2), 1, AUTUMN, -1),  # one day short of it
        (date(2019, 8, 31), 1, AUTUMN, 0),  # one day over: no full month yet
        (date(2019, 8, 1), 1, AUTUMN, 1),
        (date(2018, 9, 2), 1, AUTUMN, 11),  # the oldest who began at the regular age
        (date(2018, 9, 1), 1, AUTUMN, 12),
        (date(2020, 2, 29), 1, AUTUMN, -6),  # 66 months: 29 August comes before 1 September
        (date(2016, 2, 29), 4, AUTUMN, 6),  # nine years and six months, nine due
        (date(2012, 9, 1), 8, AUTUMN, 0),
        (date(2011, 3, 15), 8, AUTUMN, 17),  # 14 years 5 months, 13 due
        (date(2019, 9, 1), 1, date(2025, 9, 1), 0),  # that very day
        (date(2019, 9, 1), 1, date(2025, 8, 31), -12),  # the 1 September before is that of 2024
        (date(2026, 1, 5), 1, AUTUMN, -77),  # an impossible birth date, five months after
        (date(2026, 3, 21), 1, AUTUMN, None),  # after the as-of date: not known
        (None, 1, AUTUMN, None),
    ],
)
def test_months_over_age(
    birth: date | None, grade: int, snapshot: date, months: int | None
) -> None:
    tables = {"students": [child("1", day=snapshot, grade=grade, birth_date=birth)]}
    assert found("months_over_age", tables) == {"1": months}


@pytest.mark.parametrize("grade", [0, 10, 13])
def test_months_over_age_is_for_grades_1_to_9(grade: int) -> None:
    tables = {"students": [child("1", grade=grade, birth_date=date(2019, 9, 1))]}
    stages = {"all": (0, 13)}
    assert found("months_over_age", tables, stages=stages) == {"1": None}
    assert found("over_age_years", tables, stages=stages) == {"1": None}


def test_months_over_age_follows_the_age_at_grade_1() -> None:
    tables = {"students": [child("1", birth_date=date(2019, 9, 1))]}
    assert found("months_over_age", tables, age_at_grade_1=7) == {"1": -12}


# ------------------------------------------------------------------------------ schools_attended


def test_schools_attended_counts_different_schools_up_to_the_day() -> None:
    days = [date(2022, 9, 1), date(2023, 9, 1), date(2024, 9, 1), AS_OF, date(2026, 3, 21)]
    tables = {
        "students": [
            child("stays", "A", days[0]),
            child("stays", "A", days[1]),
            child("back", "A", days[0]),
            child("back", "B", days[1]),
            child("back", "A", days[2]),
            child("today", "A", days[0]),
            child("today", "B", days[3]),
            child("tomorrow", "A", days[0]),
            child("tomorrow", "B", days[4]),
        ]
    }
    expected = {"stays": 1, "back": 2, "today": 2, "tomorrow": 1}
    assert found("schools_attended", tables) == expected


# ------------------------------------------------------------------------------ school_exam_z


def two_schools(scores: dict[str, list[int | None]]) -> dict[str, list[Row]]:
    """Return schools whose children sat the one exam with these scores: A0, A1, ... B0, ..."""
    named = [(f"{s}{i}", s, score) for s, own in scores.items() for i, score in enumerate(own)]
    return {
        "students": [child(student, school) for student, school, _ in named],
        "exams": [mark(student, score) for student, _, score in named],
    }


def by_school(tables: dict[str, list[Row]], **config: Any) -> dict[str, float | None]:
    """Return school_exam_z of every school; all its children must have the same."""
    schools: dict[str, set[float | None]] = {}
    at = {row["student_id"]: row["school_id"] for row in tables["students"]}
    for student, value in found("school_exam_z", tables, **config).items():
        schools.setdefault(at[student], set()).add(value)
    assert all(len(values) == 1 for values in schools.values()), schools
    return {school: values.pop() for school, values in schools.items()}


def test_school_exam_z_of_two_schools() -> None:
    # 90 80 70 and 60 50: mean 70, deviations 20 10 0 -10 -20, sd sqrt(1000 / 4) = 15.811388301.
    # A: (20 + 10 + 0) / 3 / sd = 0.632455532; B: (-10 - 20) / 2 / sd = -0.948683298.
    tables = two_schools({"A": [90, 80, 70], "B": [60, 50]})
    assert by_school(tables) == {"A": 0.632455532, "B": -0.948683298}


@pytest.mark.parametrize(
    "scores",
    [
        {"A": [90, 80], "B": [60, 50]},  # four results
        {"A": [90, 80], "B": [60, 50, None]},  # the fifth without a score
        {"A": [70, 70, 70], "B": [70, 70]},  # all equal
        {"A": [90, 80, 70, 60, 50], "B": []},  # one school
        {"A": [90, 80, 70, 60, 50], "B": [None]},  # nobody at the other has a score
    ],
)
def test_school_exam_z_needs_something_to_compare(scores: dict[str, list[int | None]]) -> None:
    assert set(by_school(two_schools(scores)).values()) == {None}


def test_school_exam_z_compares_one_grade_year_and_name_only() -> None:
    tables = two_schools({"A": [90, 80, 70], "B": [60, 50]})
    before = by_school(tables)
    others = {
        "students": [child(f"C{i}", "C", grade=2) for i in range(6)]  # another grade
        + [child(f"D{i}", "D", date(2024, 9, 1)) for i in range(6)]  # another school year
        + [child(f"E{i}", "E") for i in range(6)],  # another name
        "exams": [mark(f"C{i}", 10 * i) for i in range(6)]
        + [mark(f"D{i}", 10 * i, day=date(2025, 1, 15)) for i in range(6)]
        + [mark(f"E{i}", 10 * i, "期中") for i in range(6)],
    }
    both = {name: tables[name] + others[name] for name in tables}
    assert by_school(both) == before | {"C": None, "D": None, "E": None}


def test_school_exam_z_looks_at_the_latest_exam_of_each_child() -> None:
    tables = two_schools({"A": [90, 80, 70], "B": [60, 50]})
    tables["students"].append(child("A3", "A"))
    # Its latest exam has no score: it counts in no mean, and its older mark is not taken instead.
    tables["exams"] += [
        mark("A3", 0, "期中", date(2025, 11, 10)),
        mark("A3", None, "单元", date(2026, 3, 1)),
    ]
    assert by_school(tables) == {"A": 0.632455532, "B": -0.948683298}
    # A mark in the same exam counts beside the others, even if the child's latest exam is another.
    tables["exams"].append(mark("A3", 70))
    # Six results, mean 70, sd sqrt(1000 / 5) = 14.142135624: A 30 / 3, B -30 / 2.
    assert by_school(tables) == {"A": 0.707106781, "B": -1.060660172}


def test_school_exam_z_compares_with_those_who_left_but_is_of_those_who_are_there() -> None:
    tables = two_schools({"A": [90, 80, 70], "B": [60, 50]})
    gone = tables["students"][0]
    assert gone["student_id"] == "A0"
    gone["left_on"] = date(2026, 2, 1)
    # A: (10 + 0) / 2 / 15.811388301
    assert by_school(tables) == {"A": 0.316227766, "B": -0.948683298}


def test_school_exam_z_follows_a_child_to_its_school_of_today() -> None:
    tables = two_schools({"A": [90, 80, 70], "B": [60, 50]})
    tables["students"].append(child("A0", "B", date(2026, 2, 20)))
    values = found("school_exam_z", tables)
    # A: (10 + 0) / 2 / sd; B: (20 - 10 - 20) / 3 / sd
    assert {values[c] for c in ("A1", "A2")} == {0.316227766}
    assert {values[c] for c in ("A0", "B0", "B1")} == {-0.210818511}


def test_school_exam_z_takes_the_rounded_mean_of_the_subjects() -> None:
    tables = two_schools({"A": [90, 80, 70], "B": [60, 50]})
    tables["exams"] += [mark(s, 70) | {"subject": "art"} for s in ("A0", "B1")]
    # Means 80 80 70 60 60: mean 70, sd 10; A (10 + 10 + 0) / 3, B -10.
    assert by_school(tables) == {"A": 0.666666667, "B": -1.0}
