"""The lists and counts, from a registry and lines whose children are known."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from daily_village import day
from earlywarn.engine.duckdb import connect
from earlywarn.errors import EarlywarnError
from earlywarn.reconcile.answers import Answer, Answers, joined
from earlywarn.reconcile.cases import responsible_school
from earlywarn.reconcile.comparing import Comparison, Joined, compare
from earlywarn.reconcile.people import ENROLLED
from earlywarn.reconcile.registry import (
    Registry,
    Row,
    age_on,
    registry_of,
    school_ages,
)
from earlywarn.reconcile.wording import LIST_MEANINGS, todo, why
from earlywarn.workspace import Config
from reconcile_village import AS_OF, AWAY, SILENT, THERE, child, make

DAY = date(2026, 11, 20)
BORN = date(2014, 5, 6)  # 12 on 1 September 2026


def pupil(student_id: str, **changes: Any) -> Row:
    return {
        "student_id": student_id,
        "name": f"名{student_id}",
        "sex": "F",
        "birth_date": BORN,
        "guardian": None,
        "guardian_phone": None,
        "school_id": "S1",
        "school": "学校",
        "grade": 6,
        "class_id": "6.1",
        "county": "甲县",
        "township": "镇",
        "in_cohort": True,
        "standing": "enrolled",
        "since": None,
        "poverty": "none",
        "receives_aid": None,
        "in_class": "in_class",
        "days_since_present": 0,
        "absent_run": 0,
        "unexcused_run": 0,
    } | changes


def out(student_id: str, standing: str, **changes: Any) -> Row:
    gone = {"in_cohort": False, "standing": standing, "since": date(2026, 3, 2), "in_class": None}
    return pupil(student_id, **gone, **changes)


def registry(*children: Row) -> Registry:
    return Registry(ENROLLED.empty_table(), {c["student_id"]: c for c in children}, [])


def lines(*whose: str | None, open: Iterable[tuple[int, str]] = (), **each: list[Any]) -> Joined:
    rows = [
        {
            "line": i,
            "file": "a.csv",
            "row": i + 2,
            "name": f"名{who}" if who else f"生{i}",
            "sex": "F",
            "birth_date": BORN,
            "id_number": None,
            "guardian": None,
            "guardian_phone": None,
            "county": "甲县",
            "township": "镇",
            "address": None,
        }
        | {key: values[i] for key, values in each.items()}
        for i, who in enumerate(whose)
    ]
    pairs = [{"line": at, "student_id": student} for at, student in open]
    return Joined(rows, {i: w for i, w in enumerate(whose) if w}, pairs, frozenset())


def result(
    children: Registry, households: Joined, poverty: Joined | None = None, **config: Any
) -> Comparison:
    return compare(Config(**config), DAY, children, households, poverty)


def kinds(found: Comparison, which: str) -> dict[str, str]:
    """Return why each name stands on a list."""
    return {(one.line or one.child or {})["name"]: one.kind for one in found.lists[which]}


def test_who_is_of_school_age() -> None:
    assert school_ages(Config()) == (6, 14)
    assert school_ages(Config(stages={"adult": (13, 13)})) == (18, 18)
    assert Config().school_year_begins(date(2026, 8, 31)) == date(2025, 9, 1)
    assert Config().school_year_begins(date(2026, 9, 1)) == date(2026, 9, 1)
    assert age_on(date(2016, 2, 29), date(2022, 2, 28)) == 5
    assert age_on(date(2016, 2, 29), date(2022, 3, 1)) == 6


@pytest.mark.parametrize(
    ("born", "what"),
    [
        (date(2020, 9, 1), "no_roll"),  # 6 that very day
        (date(2020, 9, 2), "outside"),
        (date(2011, 9, 2), "no_roll"),  # 14 until the day after
        (date(2011, 9, 1), "outside"),
        (date(2027, 1, 1), "outside"),  # not born yet
        (None, "age_unknown"),
    ],
)
def test_the_edges_of_school_age(born: date | None, what: str) -> None:
    found = result(registry(pupil("a")), lines(None, birth_date=[born]))
    assert found.total("household")[what] == 1
    assert len(found.lists["no_roll"]) == (what == "no_roll")
    assert kinds(found, "age_unknown") == ({"生0": "households"} if born is None else {})


@pytest.mark.parametrize(
    ("standing", "listed", "said"),
    [
        ("dropped_out", True, "2026年3月2日辍学"),
        ("transferred", True, "2026年3月2日转出"),
        ("graduated", True, "2026年3月2日毕业，之后没有学籍"),
        ("abroad", True, "2026年3月2日出境"),
        ("left", True, "2026年3月2日离校"),
        ("taken_off", True, "2026年3月2日起不在学校报送的名册里"),
        ("not_yet", True, "2026年3月2日才入学"),
        ("finished", False, ""),
        ("deceased", False, ""),
    ],
)
def test_a_child_that_is_out(standing: str, listed: bool, said: str) -> None:
    found = result(registry(pupil("a"), out("b", standing)), lines("a", "b"))
    assert kinds(found, "no_roll") == ({"名b": standing} if listed else {})
    assert found.total("household")["out" if listed else "settled"] == 1
    assert found.total("household")["on_roll"] == 1
    for one in found.lists["no_roll"]:
        assert why(one, "zh") == said
        assert "2 Mar 2026" in why(one, "en")
        assert todo("no_roll", one, "zh")


def test_who_waits_for_a_person_is_on_neither_list() -> None:
    children = registry(pupil("a"), pupil("b"), pupil("c"))
    found = result(children, lines("a", None, open=[(1, "b")]))
    assert kinds(found, "no_roll") == {}
    assert kinds(found, "no_household") == {"名c": "elsewhere"}
    told = found.total("household")
    assert (told["undecided"], told["maybe_on_list"], told["no_household"]) == (1, 1, 1)


def test_a_ghost_is_on_no_list_and_not_in_class() -> None:
    away = {"in_class": "not_in_class", "days_since_present": 20}
    children = registry(
        pupil("a"),
        pupil("b", **away),
        pupil("c", in_class="on_leave"),
        pupil("d", in_class="not_reported"),
        pupil("e", **away),
    )
    found = result(children, lines("e"))
    assert kinds(found, "no_household") == {
        "名a": "elsewhere",
        "名b": "ghost",
        "名c": "elsewhere",
        "名d": "elsewhere",
    }
    assert found.total("household")["ghost"] == 1
    assert kinds(found, "not_in_class") == {
        "名b": "not_in_class",
        "名c": "on_leave",
        "名e": "not_in_class",
    }
    assert found.total("classes") == {
        "cohort": 5,
        "in_class": 1,
        "not_in_class": 2,
        "on_leave": 1,
        "not_reported": 1,
    }


def test_the_poverty_list() -> None:
    children = registry(
        pupil("a", poverty="registered", receives_aid=True),
        pupil("b", poverty="registered", receives_aid=False),
        pupil("c", poverty="none", receives_aid=True),
        pupil("d", poverty=None, receives_aid=None),
        out("e", "dropped_out", birth_date=date(2009, 1, 1), poverty="low_income"),
        out("f", "dropped_out"),
        out("g", "transferred"),
        out("h", "deceased"),
    )
    poor = lines("a", "b", "c", "d", "e", "g", "h", None, birth_date=[None] * 7 + [BORN])
    found = result(children, lines("a", "b", "c", "d"), poor)
    assert kinds(found, "poor_unmarked") == {"名b": "no_aid", "名c": "unmarked", "名d": "both"}
    # Who has dropped out has, though past school age by now.
    assert kinds(found, "poor_out") == {
        "名e": "dropped_out",
        "名g": "transferred",
        "生7": "not_found",
    }
    told = found.total("poverty")
    assert (told["dropouts"], told["dropouts_listed"], told["dropouts_marked"]) == (2, 1, 1)
    assert (told["poor_out"], told["poor_unmarked"], told["on_roll"]) == (3, 3, 4)


def test_without_a_poverty_list_dropouts_are_counted_still() -> None:
    found = result(registry(pupil("a"), out("f", "dropped_out")), lines("a"))
    assert found.total("poverty") == {"dropouts": 1}
    assert not found.lists["poor_out"]


def test_counts_stand_by_county_and_add_up() -> None:
    children = registry(pupil("a"), pupil("b", county="乙县"), pupil("c", county=None))
    found = result(children, lines("a", "b", None, None, county=["甲县", None, "丙县", None]))
    assert {county: counts["no_roll"] for county, counts in found.household.items()} == {
        "甲县": 0,
        "乙县": 0,
        "丙县": 1,
        "": 1,
    }
    for which in ("household", "classes", "poverty"):
        counts = getattr(found, which)
        for key, total in found.total(which).items():
            assert total == sum(counts[county][key] for county in counts)
    told = found.total("household")
    assert told["on_list"] + told["maybe_on_list"] + told["no_household"] == told["cohort"] == 3


def test_the_order_of_lines_and_children_shows_nowhere() -> None:
    children = [pupil(c, in_class="not_in_class", days_since_present=20) for c in "abcdef"]
    first = result(registry(*children), lines("a", None, None, None))
    rows = lines("a", None, None, None).rows
    order = random.Random(3)
    order.shuffle(children)
    order.shuffle(rows)
    second = result(registry(*children), Joined(rows, {0: "a"}, [], frozenset()))
    assert first == second


def test_repeated_lines_count_once() -> None:
    both = lines("a", None)
    found = result(registry(pupil("a")), Joined(both.rows, both.whose, [], frozenset({1})))
    assert found.total("household")["repeated"] == 1
    assert kinds(found, "no_roll") == {}


def test_every_list_says_what_it_is() -> None:
    for which in Comparison().lists:
        assert all(LIST_MEANINGS[which])


def _pair(line: int, student: str, how: str = "linked") -> Row:
    return {"line": line, "student_id": student, "how": how, "weight": 3.0, "agreement": ""}


def _said(line: str, student: str, said: Any) -> Answer:
    return Answer(line=line, student_id=student, said=said, who="t", on=DAY)


def test_what_people_say_goes_before_weights_and_not_before_numbers() -> None:
    rows = lines(None, None, None, None, None).rows
    answers = Answers(
        answers=[
            _said("k0", "a", "same"),  # was not sure
            _said("k1", "b", "not"),  # was not sure
            _said("k2", "c", "not"),  # was sure by weight
            _said("k3", "d", "not"),  # is the child's own number
            _said("k4", "gone", "same"),  # of a child that is on the registry no more
        ]
    )
    found = joined(
        rows,
        [_pair(2, "c"), _pair(3, "d", "id")],
        [_pair(0, "a"), _pair(0, "x"), _pair(1, "b"), _pair(1, "y"), _pair(4, "z")],
        [],
        answers,
        "abcdxyz",
        lambda row: f"k{row['line']}",
    )
    assert found.whose == {0: "a", 3: "d"}
    assert [(pair["line"], pair["student_id"]) for pair in found.open] == [(1, "y"), (4, "z")]


def _schools() -> list[Row]:
    told = [
        ("P2", "甲县", "东镇", "primary"),
        ("P1", "甲县", "东镇", "primary"),
        ("J1", "甲县", "东镇", "junior"),
        ("N1", "甲县", "西镇", "nine_year"),
        ("T0", "甲县", "西镇", "teaching_point"),
        ("J9", "乙县", "东镇", "junior"),
        ("A0", "丙县", None, None),
    ]
    names = ("school_id", "county", "township", "kind")
    return sorted(
        (dict(zip(names, row, strict=True)) for row in told), key=lambda s: s["school_id"]
    )


@pytest.mark.parametrize(
    ("county", "township", "age", "school"),
    [
        ("甲县", "东镇", 7, "P1"),
        ("甲县", "东镇", 13, "J1"),
        ("甲县", " 东 镇", 7, "P1"),
        ("甲县", "西镇", 7, "N1"),
        ("甲县", "西镇", 12, "N1"),
        ("甲县", "北镇", 7, "N1"),
        ("甲县", None, 14, "J1"),
        ("乙县", "东镇", 7, "J9"),
        (None, "东镇", 7, "P1"),
        ("丁县", None, 7, "A0"),
        (None, None, 7, "A0"),
    ],
)
def test_which_school_looks_for_a_child(
    county: str | None, township: str | None, age: int, school: str
) -> None:
    line = {"county": county, "township": township}
    known = Registry(ENROLLED.empty_table(), {}, _schools())
    found = responsible_school(Config(), known, line, age)
    assert found is not None
    assert found["school_id"] == school
    assert responsible_school(Config(), registry(), line, age) is None


def test_the_registry_of_a_village(tmp_path: Path) -> None:
    found = [child(i) for i in range(10)]
    found[3] |= {"placement": "home_teaching"}
    found[4] |= {"placement": "home_teaching"}
    signs = [THERE, AWAY, SILENT, "h" * 25, SILENT, THERE, THERE, THERE, "." * 4 + "s" * 21, THERE]
    signs[9] = "." * 6 + "v" * 19
    events = [
        (5, "dropped_out", 3),
        (6, "transferred", 4),
        (7, "long_leave", 2),
        (0, "suspected", 1),
    ]
    workspace = make(
        tmp_path / "某县",
        {str(i): (found[i], signs[i]) for i in range(10)},
        [
            {"student_id": found[i]["student_id"], "event": event, "date": day(d)}
            for i, event, d in events
        ],
    )
    with connect(workspace) as con:
        known = registry_of(con, workspace, AS_OF)
    told = [known.children[one["student_id"]] for one in found]
    assert [one["in_class"] for one in told] == [
        "in_class",
        "not_in_class",
        "not_in_class",  # no mark at all
        "home_teaching",
        "no_home_teaching",
        None,
        None,
        "on_leave",
        "not_in_class",  # ill on each of the last twenty-one days
        "in_class",  # there nineteen days ago
    ]
    assert [one["standing"] for one in told[5:7]] == ["dropped_out", "transferred"]
    assert [one["since"] for one in told[5:7]] == [day(3), day(4)]
    assert known.enrolled.schema == ENROLLED
    assert sum(known.enrolled["in_cohort"].to_pylist()) == 8
    assert isinstance(known.enrolled, pa.Table)
    with connect(workspace) as con, pytest.raises(EarlywarnError, match="Nobody is enrolled"):
        registry_of(con, workspace, date(2025, 1, 1))
