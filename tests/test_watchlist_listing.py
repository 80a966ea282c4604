"""The listing: numbers, changes, due dates, and that nothing hidden shows in a school's files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from earlywarn.followup.duedates import SchoolDays
from earlywarn.rules.evaluate import verdicts
from earlywarn.watchlist.html import school_page
from earlywarn.watchlist.rows import ListedChild, Listing, SchoolList
from earlywarn.watchlist.workbook import school_workbook
from watchlist_county import (
    AS_OF,
    JUNIOR,
    LAST_WEEK,
    PRIMARY,
    SCORES,
    County,
    child_of,
    children,
    county,
    scores,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> County:
    return county(tmp_path_factory.mktemp("county") / "某县 一")


@pytest.fixture(scope="module")
def listing(made: County) -> Listing:
    return made.listing()


def school(listing: Listing, school_id: str) -> SchoolList:
    return next(s for s in listing.schools if s.school_id == school_id)


def test_numbers_of_a_school(listing: Listing) -> None:
    junior = school(listing, JUNIOR)
    assert junior.name == "白石乡初级中学"
    assert (junior.cohort, junior.capacity, junior.listed_total) == (19, 6, 6)
    assert junior.listed == {"urgent": 1, "high": 2, "watch": 3}
    assert junior.cut == {"urgent": 0, "high": 0, "watch": 1}
    assert junior.tiers == {"urgent": 1, "high": 2, "watch": 4, "routine": 12}
    assert school(listing, PRIMARY).capacity == 3  # config: at least three


def test_children_stand_by_rank_and_only_listed_ones(listing: Listing) -> None:
    junior = school(listing, JUNIOR)
    assert [child.rank for child in junior.children] == [1, 2, 3, 4, 5, 6]
    assert "0045" not in [child.student_id for child in junior.children]


def test_what_the_list_cannot_know(listing: Listing) -> None:
    known = school(listing, JUNIOR).limits
    assert known.last_day == AS_OF
    assert known.last_exam == date(2026, 11, 10)
    assert known.snapshot == date(2026, 9, 1)
    assert known.without_marks == 0


def test_strip(listing: Listing) -> None:
    child = child_of(listing, "G110101201201010012")
    assert child.strip.endswith("|xpppx|xpxxx")
    assert child.strip.count("u") == 1
    assert (child.strip_from, child.strip_to) == (date(2026, 9, 1), AS_OF)


def test_next_step_and_due_date(listing: Listing) -> None:
    visit = child_of(listing, "G110101201201010012").step
    # The class has Monday off by the calendar, so the next school day is Tuesday.
    assert (visit.action, visit.due, visit.about) == ("group-visit", date(2026, 11, 24), False)
    help_ = child_of(listing, "0042").step  # ten school days reach beyond the calendar
    assert (help_.action, help_.due, help_.about) == ("learning-help", date(2026, 12, 4), True)
    talk = child_of(listing, "0043").step  # only hidden reasons: as where there are none
    assert (talk.action, talk.due) == ("talk", date(2026, 11, 27))


def test_no_comparison(made: County, listing: Listing) -> None:
    assert {c.change for s in listing.schools for c in s.children} == {"none"}
    assert school(listing, JUNIOR).left is None
    for days in (4, 10):
        far = made.listing(
            previous=scores(made.children), previous_as_of=AS_OF - timedelta(days=days)
        )
        assert far.previous_as_of is None


def test_changes_since_last_week(made: County) -> None:
    before = {
        "G110101201201010012": ("watch", 5, True),
        "G110101201202020023": ("urgent", 1, True),
        "0044": ("high", 3, True),
        "0042": ("watch", 6, True),
        "0043": ("watch", 9, False),
        "0045": ("watch", 4, True),
    }
    previous = pa.Table.from_pylist(
        [
            {
                "student_id": student,
                "school_id": JUNIOR,
                "tier": tier,
                "rank": rank,
                "listed": listed,
            }
            for student, (tier, rank, listed) in before.items()
        ]
    )
    found = made.listing(previous=previous, previous_as_of=LAST_WEEK)
    changes = {c.student_id: c.change for c in school(found, JUNIOR).children}
    assert changes == {
        "G110101201201010012": "up",
        "G110101201202020023": "down",
        "0044": "up",  # the same tier, a better rank then
        "0042": "same",
        "0043": "new",  # scored, but not on the list
        "G11010120120303003X": "new",
    }
    assert school(found, JUNIOR).left == 1
    child = child_of(found, "G110101201202020023")
    assert (child.previous_rank, child.previous_tier) == (1, "urgent")


def test_due_dates_beyond_the_calendar() -> None:
    friday = date(2026, 11, 20)
    nothing = SchoolDays(friday)
    assert nothing.due(0) == (friday, False)
    assert nothing.due(1) == (date(2026, 11, 23), True)
    assert nothing.due(6) == (date(2026, 11, 30), True)
    some = SchoolDays(friday, (date(2026, 11, 22),), last=date(2026, 11, 27))
    assert some.due(1) == (date(2026, 11, 22), False)  # a Sunday made up for a holiday
    assert some.due(2) == (date(2026, 11, 30), True)


def _fields(**fields: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda record: record | fields


@pytest.mark.parametrize(
    "change",
    [
        _fields(parent_in_prison=True),
        _fields(parents_away="both_parents"),
        _fields(
            migrant_child=True,
            disability="hearing",
            poverty="registered",
            receives_aid=False,
            orphan_status="unattended",
            parent_in_prison=True,
            parents_away="one_parent",
        ),
    ],
)
def test_sensitive_fields_change_nothing_that_a_school_gets(
    tmp_path: Path, made: County, listing: Listing, change: Callable[..., dict[str, Any]]
) -> None:
    """Children who differ in sensitive fields only have the same files, at the same tier and rank.

    The hits are the real ones: with the field set, hidden rules hit, one of them silencing a
    visible rule on its ladder, and the scores change with them.
    """
    student = "G110101201202020023"
    everybody = children()
    for place, child in enumerate(everybody):
        if child.student_id in (student, "G110101201201010012"):
            everybody[place] = replace(child, record=change(child.record))
    other = county(tmp_path / "another", everybody)
    _hit(other)
    found = other.listing(weights=WEIGHTS, previous=_week_before(other), previous_as_of=LAST_WEEK)
    same = [replace(child) for child in made.children]
    plain = replace(made, children=same)
    _hit(plain)
    expected = plain.listing(
        weights=WEIGHTS, previous=_week_before(plain), previous_as_of=LAST_WEEK
    )
    made.rescore()
    assert expected.comparable
    assert found.comparable
    assert {child_of(expected, s).cause is None for s in STUDENTS} == {False, True}
    # It is no empty comparison: the scores do differ.
    assert any(child_of(found, s).score != child_of(expected, s).score for s in STUDENTS)
    for lang in ("zh", "en"):
        for one, two in zip(found.schools, expected.schools, strict=True):
            assert school_page(found, one, lang) == school_page(expected, two, lang)
            assert school_workbook(found, one, lang) == school_workbook(expected, two, lang)


STUDENTS = ("G110101201202020023", "G110101201201010012")
WEIGHTS = {"absent-20": 1.2, "left-behind-absent": 3.0, "inmate-unexcused": 2.5}


def _hit(made: County) -> None:
    """Give every child the hits that its data really have, with their weights; tiers stay."""
    table = verdicts(made.con, made.rulebook, AS_OF)
    hits = {
        row["student_id"]: [rule for rule in row if rule != "student_id" and row[rule]]
        for row in table.to_pylist()
    }
    rules = {rule.id: rule for rule in made.rulebook.rules}
    for child in made.children:
        learned = {t: v for t, v in child.contributions.items() if not t.startswith("rule:")}
        loudest: dict[str, str] = {}
        for rule in sorted(hits[child.student_id], key=lambda r: -rules[r].points):
            loudest.setdefault(rules[rule].ladder or rule, rule)
        weights = {
            f"rule:{rule}": WEIGHTS.get(rule, rules[rule].points)
            if rule in loudest.values()
            else 0.0
            for rule in hits[child.student_id]
        }
        child.hits = tuple(hits[child.student_id])
        child.contributions = learned | weights
    ranks = {"G110101201201010012": 1, "0044": 2, "G110101201202020023": 3}
    table = scores(made.children, made.rulebook.hash)
    fixed = [
        ranks.get(row["student_id"], 100 if row["school_id"] == JUNIOR else row["rank"])
        for row in table.to_pylist()
    ]
    place = table.column_names.index("rank")
    table = table.set_column(place, "rank", pa.array(fixed, pa.int32()))
    made.con.register("scores", table)


def _week_before(made: County) -> pa.Table:
    """Return last week's scores: everybody a place lower, and without the visible urgent rule.

    The hidden rules had not hit either, so in one of two such counties they are the stronger cause.
    """
    later = made.con.table("scores").to_arrow_table().to_pylist()
    gone = {"unexcused-3d", "left-behind-absent", "inmate-unexcused"}
    for row in later:
        row["rules_hit"] = [rule for rule in row["rules_hit"] if rule not in gone]
        row["contributions"] = [
            item for item in row["contributions"] if item["term"].removeprefix("rule:") not in gone
        ]
        row["rank"] += 1
    return pa.Table.from_pylist(later, schema=SCORES)


def test_why_a_place_changed(made: County) -> None:
    later = {child.student_id: child for child in made.children}
    then = {
        "G110101201201010012": ("unexcused-3d",),  # it hit last week as well
        "G110101201202020023": (),
        "0044": ("absent-20",),
        "0042": ("bottom", "far-away"),
    }
    terms = {
        "G110101201201010012": {"absence_rate_5d": 0.1},
        "G110101201202020023": {"absence_rate_60d": 0.65},
        "0044": {"absence_rate_60d": 1.7, "exam_mean_pct": 0.8},
        "0042": {"exam_rank_pct": 0.9},
    }
    ranks = {"G110101201202020023": 9, "0044": 1, "0042": 1, "G110101201201010012": 9}
    rows = scores(made.children, made.rulebook.hash).to_pylist()
    for row in rows:
        student = row["student_id"]
        if student in then:
            row["rules_hit"] = list(then[student])
            row["contributions"] = [
                {"term": term, "value": value}
                for term, value in (
                    {f"rule:{rule}": 1.0 for rule in then[student]} | terms[student]
                ).items()
            ]
            row["rank"] = ranks[student]
            row["tier"] = later[student].tier
    previous = pa.Table.from_pylist(rows, schema=SCORES)
    made.rescore()
    found = made.listing(previous=previous, previous_as_of=LAST_WEEK)
    assert found.comparable
    causes = {
        c.student_id: (c.change, c.cause.kind, c.cause.text.zh)
        for c in children_of(found)
        if c.cause
    }
    assert causes == {
        "G110101201201010012": ("up", "new", "近20个上学日缺勤 30%"),
        "G110101201202020023": ("up", "new", "近20个上学日缺勤 20%"),
        "0044": ("down", "better", "最近一次考试平均得分率"),
        # That the last exam went better may be told, but never as a rank.
        "0042": ("down", "better", "最近一次考试成绩"),
    }
    full = child_of(found, "0042").full_cause
    assert full is not None
    assert (full.kind, full.text.zh) == ("gone", "路远")  # weighs more, and is hidden


def test_another_model_or_other_rules_give_no_causes(made: County) -> None:
    previous = _week_before(made)
    for column, value in (("model", "main/2"), ("rules_hash", "another")):
        place = previous.column_names.index(column)
        other = previous.set_column(place, column, pa.array([value] * previous.num_rows))
        found = made.listing(previous=other, previous_as_of=LAST_WEEK)
        assert not found.comparable
        assert all(child.cause is None for child in children_of(found))
        assert any(child.change == "up" for child in children_of(found))
        page = school_page(found, school(found, JUNIOR), "zh")
        assert "评分模型或规则与上期不同" in page


def children_of(listing: Listing) -> list[ListedChild]:
    return [child for school in listing.schools for child in school.children]
