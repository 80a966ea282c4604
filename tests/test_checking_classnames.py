"""The grade that a class's name tells, and names that tell none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earlywarn.checking.classnames import named_grade


@pytest.mark.parametrize(
    ("name", "grade"),
    [
        ("七年级3班", 7),
        ("七年级（3）班", 7),
        ("7年级3班", 7),
        ("七年3班", 7),
        ("小学五年级二班", 5),
        ("八（2）班", 8),
        ("八(2)班", 8),
        ("８（２）班", 8),
        ("八 （2） 班", 8),
        ("九2班", 9),
        ("7.3", 7),
        ("7.12班", 7),
        ("一年级一班", 1),
        ("初二1班", 8),
        ("初一（3）班", 7),
    ],
)
def test_names_that_tell_a_grade(name: str, grade: int) -> None:
    assert named_grade(name, junior_from=7) == grade


@pytest.mark.parametrize(
    "name",
    [
        "",
        "3班",
        "三班",
        "701",
        "2024级3班",
        "07.3",
        "10.2",
        "7",
        "七",
        "A班",
        "实验班",
        "7.123",
        "72班",
    ],
)
def test_names_that_tell_none(name: str) -> None:
    assert named_grade(name, junior_from=7) is None


def test_junior_school_begins_where_the_county_says() -> None:
    assert named_grade("初一3班", junior_from=6) == 6
    assert named_grade("初一3班") is None


@given(st.text(max_size=12))
def test_any_text_is_a_name(name: str) -> None:
    assert named_grade(name, 7) in (None, *range(1, 11))


@given(st.integers(1, 9), st.integers(1, 30))
def test_every_grade_and_number(grade: int, number: int) -> None:
    numeral = "一二三四五六七八九"[grade - 1]
    for name in (f"{numeral}年级{number}班", f"{numeral}（{number}）班", f"{grade}.{number}"):
        assert named_grade(name) == grade
