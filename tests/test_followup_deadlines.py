"""Deadlines in school days: each step's date, what is done, what is overdue, what comes next."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earlywarn import safeyaml
from earlywarn.followup.deadlines import (
    BY_LABELS,
    agenda,
    done,
    next_step,
    settled_in,
    steps_of,
)
from earlywarn.followup.duedates import SchoolDays
from earlywarn.followup.escalation import Escalation, read, shipped_text
from earlywarn.followup.ledger.views import Case, Entry, case_of
from earlywarn.followup.states import State
from earlywarn.words import Tier

ESCALATION: Escalation = read(safeyaml.loads(shipped_text()))
MONDAY = date(2026, 11, 23)


def weekdays(first: date = MONDAY, known: int = 60) -> SchoolDays:
    """The calendar knows `known` school days after `first`, Monday to Friday."""
    days = [first + timedelta(days=n) for n in range(1, 400)]
    found = tuple(d for d in days if d.weekday() < 5)[:known]
    return SchoolDays(first, found, found[-1] if found else None)


def entry(seq: int, kind: str, on: date, field: str | None = None, value: str = "") -> Entry:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    listed = (date(2026, 11, 20), "1") if kind == "answer" else (None, None)
    return Entry(seq, at, "u", on, kind, field, value, *listed, None, "")  # type: ignore[arg-type]


def case(*story: Entry, kind: str = "absence", tier: str | None = None) -> Case:
    row = {
        "id": 1,
        "kind": kind,
        "student_id": "S1",
        "person": None,
        "school_id": "A",
        "tier": tier,
        "opened_on": MONDAY,
        "opened_at": datetime(2026, 11, 23, tzinfo=UTC),
        "opened_by": "u",
        "origin": "",
    }
    return case_of(row, story)


def dates(one: Case, as_of: date) -> dict[str, tuple[str, bool, bool]]:
    return {
        d.step.id: (d.due.isoformat()[5:], d.open, d.overdue)
        for d in steps_of(one, ESCALATION, weekdays(), as_of)
    }


def test_an_absence_that_nobody_answers() -> None:
    assert dates(case(), MONDAY) == {
        "contact": ("11-23", True, False),
        "visit": ("11-24", True, False),
        "report": ("11-25", True, False),
        "persuade": ("12-02", True, False),
        "notice": ("12-18", True, False),
    }
    overdue = {step: late for step, (_, _, late) in dates(case(), date(2026, 11, 25)).items()}
    assert [step for step, late in overdue.items() if late] == ["contact", "visit"]


def test_what_brought_the_child_further_counts() -> None:
    visited = case(entry(1, "answer", date(2026, 11, 24), "visited_on", "2026-11-24"))
    found = steps_of(visited, ESCALATION, weekdays(), date(2026, 11, 24))
    assert [(d.step.id, d.done_on) for d in found if not d.open] == [
        ("contact", date(2026, 11, 24)),
        ("visit", date(2026, 11, 24)),
    ]
    following = next_step(found)
    assert following is not None
    assert (following.step.id, following.person) == ("report", None)
    # The day before it had not happened.
    assert all(d.open for d in steps_of(visited, ESCALATION, weekdays(), MONDAY))


@pytest.mark.parametrize(
    ("visits", "due"),
    [
        ([], "12-02"),
        (["2026-11-24"], "12-02"),  # the visit of day 2 is no persuasion
        (["2026-11-30"], "12-09"),
        (["2026-12-02"], "12-09"),
        (["2026-12-03"], "12-16"),  # late: the next one is due, none is made up for
        (["2026-12-02", "2026-12-08"], "12-16"),
    ],
)
def test_persuasion_comes_again_every_five_school_days(visits: list[str], due: str) -> None:
    days = [date.fromisoformat(visit) for visit in visits]
    names = ["visit" if day == date(2026, 11, 24) else "persuade" for day in days]
    steps = [
        entry(n, "step", day, name, "done")
        for n, (day, name) in enumerate(zip(days, names, strict=True), 1)
    ]
    assert dates(case(*steps), date(2026, 12, 31))["persuade"] == (due, True, True)
    answers = [
        entry(n, "answer", day, "visited_on", day.isoformat()) for n, day in enumerate(days, 1)
    ]
    assert dates(case(*answers), date(2026, 12, 31))["persuade"] == (due, True, True)


def test_nothing_is_due_in_a_closed_case() -> None:
    back = case(entry(1, "state", date(2026, 11, 25), value="returned"))
    found = steps_of(back, ESCALATION, weekdays(), date(2026, 12, 31))
    assert not any(d.open or d.overdue for d in found)
    assert next_step(found) is None
    assert agenda([back], ESCALATION, lambda _: weekdays(), MONDAY) == []


def test_the_watchlist_says_by_when_the_first_contact_is_due() -> None:
    urgent, high = (case(kind="watchlist", tier=tier) for tier in ("urgent", "high"))
    assert dates(urgent, MONDAY) == {"first-contact": ("11-25", True, False)}
    assert dates(high, MONDAY) == {"first-contact": ("11-30", True, False)}
    assert dates(case(kind="watchlist", tier="watch"), MONDAY) == {}
    assert dates(case(kind="watchlist"), MONDAY) == {}
    assert urgent.tier is Tier.URGENT


def test_settling_in_has_a_weekly_check_and_an_end() -> None:
    settling = case(kind="settling_in")
    assert dates(settling, MONDAY) == {"check": ("11-27", True, False)}
    last = weekdays().due(60)[0]
    assert not settled_in(settling, ESCALATION, weekdays(), last)
    assert settled_in(settling, ESCALATION, weekdays(), last + timedelta(days=1))
    checked = case(entry(1, "step", last, "check", "done"), kind="settling_in")
    assert not dates(checked, last)["check"][1]
    over = case(entry(1, "closed", last, value="settled_in"), kind="settling_in")
    assert not settled_in(over, ESCALATION, weekdays(), last + timedelta(days=1))


def test_beyond_the_calendar_it_is_about() -> None:
    found = steps_of(case(), ESCALATION, weekdays(known=3), MONDAY)
    assert [(d.step.id, d.about) for d in found] == [
        ("contact", False),
        ("visit", False),
        ("report", False),
        ("persuade", True),
        ("notice", True),
    ]


def test_the_agenda_has_the_overdue_first_and_names_who() -> None:
    late = case(entry(1, "assign", MONDAY, "teacher", "李老师"))
    found = agenda([late], ESCALATION, lambda _: weekdays(), date(2026, 11, 24))
    assert [(d.step.id, d.overdue, d.person) for d in found[:2]] == [
        ("contact", True, "李老师"),
        ("visit", False, None),
    ]
    assert set(BY_LABELS) >= {d.step.by for d in found}


def test_what_to_record_for_a_step() -> None:
    steps = {step.id: step for step in ESCALATION.absence}
    assert [(e.kind, e.field, e.value) for e in done(1, steps["visit"], MONDAY)] == [
        ("step", "visit", "done"),
        ("state", None, State.VISITED),
    ]
    assert len(done(1, steps["notice"], MONDAY)) == 1


@given(
    st.lists(st.integers(0, 200), max_size=8),
    st.integers(0, 200),
    st.integers(0, 80),
)
def test_every_step_has_one_date_and_is_overdue_only_if_open(
    visits: list[int], after: int, known: int
) -> None:
    story = [
        entry(n, "answer", MONDAY + timedelta(days=day), "visited_on", "")
        for n, day in enumerate(visits, 1)
    ]
    as_of = MONDAY + timedelta(days=after)
    found = steps_of(case(*story), ESCALATION, weekdays(known=known), as_of)
    assert sorted(d.step.id for d in found) == sorted(s.id for s in ESCALATION.absence)
    for one in found:
        assert one.due >= MONDAY
        assert not one.overdue or (one.open and one.due < as_of)
        assert one.done_on is None or one.done_on <= as_of
        if one.step.every and one.done_on:
            assert one.due > one.done_on
