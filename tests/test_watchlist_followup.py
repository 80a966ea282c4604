"""The follow-up on the lists: states, who is responsible, what is due, what is overdue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from earlywarn.errors import EarlywarnError
from earlywarn.followup.answers import Answer, Place, Returned
from earlywarn.followup.escalation import FILE, shipped_text
from earlywarn.followup.ledger import Ledger, NewCase, NewEntry
from earlywarn.followup.states import State
from earlywarn.rules.schema import ActionCause
from earlywarn.watchlist.followed import look_up
from earlywarn.watchlist.html import school_page
from earlywarn.watchlist.rows import FollowUp, Listing, SchoolList
from earlywarn.watchlist.steps import step_of_case
from earlywarn.words import Tier
from watchlist_county import AS_OF, JUNIOR, LAST_WEEK, PRIMARY, County, child_of, county

MING, GULI, FAR = "G110101201201010012", "G110101201202020023", "0044"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[County]:
    made = county(tmp_path / "某县 一")
    yield made
    made.con.close()


def followed(made: County, as_of: date = AS_OF) -> FollowUp:
    found = look_up(made.con, made.workspace, as_of, LAST_WEEK)
    assert found is not None
    return found


def listed(made: County) -> tuple[Listing, SchoolList]:
    listing = made.listing(follow_up=followed(made))
    return listing, next(s for s in listing.schools if s.school_id == JUNIOR)


def absence(student: str, day: date, school: str = JUNIOR) -> NewCase:
    return NewCase("absence", school, day, "daily", student_id=student)


def test_without_a_ledger_there_is_no_follow_up(made: County) -> None:
    assert look_up(made.con, made.workspace, AS_OF, LAST_WEEK) is None
    assert not (made.workspace.root / "ledger.db").exists()  # looking makes none
    listing = made.listing()
    assert all(s.overdue is None and s.resolved is None for s in listing.schools)


def test_a_ledger_that_is_gone_is_told(made: County) -> None:
    Ledger.open(made.workspace).close()
    (made.workspace.root / "ledger.db").unlink()
    with pytest.raises(EarlywarnError):
        look_up(made.con, made.workspace, AS_OF, LAST_WEEK)


def test_the_case_says_what_is_due_for_an_absent_child(made: County) -> None:
    # Wednesday to Friday without leave: day 3 is the as-of date.
    with Ledger.open(made.workspace) as ledger:
        (opened,) = ledger.open_cases(absence(MING, date(2026, 11, 18)), who="a")
        ledger.assign(opened.case_id, who="a", leader="周校长", teacher="钱老师")
        ledger.record(
            NewEntry(opened.case_id, "state", date(2026, 11, 18), value="contacted"), who="a"
        )
    listing, junior = listed(made)
    child = child_of(listing, MING)
    assert (child.step.action, child.step.due) == ("report", AS_OF)
    assert child.full_step == child.step
    assert (child.leader, child.teacher) == ("周校长", "钱老师")  # not the registry's 李老师
    assert child.case is not None
    assert (child.case.state, child.case.contacted_on) == (State.CONTACTED, date(2026, 11, 18))
    assert child.case.overdue == 1  # the visit of day 2
    assert junior.overdue == 1
    due = [(task.title.en, task.due, task.done_on, task.overdue) for task in child.tasks]
    assert due[:3] == [
        ("Contact the guardian", date(2026, 11, 18), date(2026, 11, 18), False),
        ("Home visit", date(2026, 11, 19), None, True),
        ("Written report", AS_OF, None, False),
    ]
    page = school_page(listing, junior, "zh")
    for words in ("周校长", "钱老师", "跟进：已联系 · 联系 11月18日", "1 步逾期"):
        assert words in page
    sheet = page.split('<article class="sheet"')[1]
    assert sheet.count("✓") == 1
    assert "每周劝返" in sheet


def test_a_case_of_the_list_keeps_the_rules_step(made: County) -> None:
    before = child_of(made.listing(), GULI)
    with Ledger.open(made.workspace) as ledger:
        ledger.open_cases(
            NewCase("watchlist", JUNIOR, LAST_WEEK, "list", student_id=GULI, tier=Tier.HIGH),
            who="a",
        )
    child = child_of(listed(made)[0], GULI)
    assert child.step == before.step
    assert child.case is not None
    assert child.case.state is State.OPEN


def test_a_child_that_is_back_is_not_fetched_but_looked_after(made: County) -> None:
    with Ledger.open(made.workspace) as ledger:
        (opened,) = ledger.open_cases(absence(MING, date(2026, 11, 12)), who="a")
        back = NewEntry(opened.case_id, "state", date(2026, 11, 13), value=State.RETURNED)
        ledger.record(back, who="a")
    child = child_of(listed(made)[0], MING)
    case, actions = child.case, made.rulebook.actions
    assert case is not None
    assert case.kind == "settling_in"
    assert actions[child.step.action].cause is ActionCause.WHEREABOUTS  # it may be away unrecorded
    fetch = replace(actions[child.step.action], id="fetch", cause=ActionCause.PERSUADING_BACK)
    actions, visit = {**actions, fetch.id: fetch}, replace(child.step, action=fetch.id)
    assert step_of_case(visit, case, actions) == case.step
    assert case.step is not None
    assert case.step.action == "check"
    assert step_of_case(visit, replace(case, kind="watchlist"), actions) == visit
    assert step_of_case(visit, None, actions) == visit


def test_a_day_not_reported_brings_no_step_nearer(made: County) -> None:
    # Day 1 is 15 October; nobody reported on the 16th, a Friday.
    with Ledger.open(made.workspace) as ledger:
        ledger.open_cases(
            replace(absence("0043", date(2026, 10, 15)), kind="watchlist", tier=Tier.URGENT),
            who="a",
        )
    (task,) = followed(made).children["0043"].tasks
    assert task.due == date(2026, 10, 20)  # the second school day after day 1


def test_in_a_case_of_absence_only_days_away_without_leave_count(made: County) -> None:
    # The child was there on all days after day 1: no step of the case comes nearer, as in `daily`.
    with Ledger.open(made.workspace) as ledger:
        ledger.open_cases(absence("0043", date(2026, 10, 15)), who="a")
    tasks = followed(made).children["0043"].tasks
    assert [task.due for task in tasks[:2]] == [date(2026, 10, 15), date(2026, 11, 23)]


def test_resolved_since_the_last_list(made: County) -> None:
    with Ledger.open(made.workspace) as ledger:
        ids = [
            case.case_id
            for case in ledger.open_cases(
                absence("C001", date(2026, 11, 9)),
                absence("C002", date(2026, 11, 9)),
                absence("C015", date(2026, 11, 9), PRIMARY),
                absence("C016", date(2026, 11, 9), PRIMARY),
                who="a",
            )
        ]
        ends = (
            (date(2026, 11, 17), "returned"),
            (date(2026, 11, 12), "returned"),  # before the last list
            (date(2026, 11, 20), "transferred"),
            (date(2026, 11, 21), "placed"),  # after this one
        )
        ledger.record(
            *(NewEntry(i, "state", on, value=to) for i, (on, to) in zip(ids, ends, strict=True)),
            who="a",
        )
    found = followed(made)
    assert found.resolved == {JUNIOR: 1, PRIMARY: 1}
    assert found.children["C016"].state is State.OPEN  # as it stood on the as-of date
    assert followed(made, date(2026, 11, 8)).children == {}


def test_an_answered_workbook_shows_dates_and_no_cause(made: County) -> None:
    answers = {
        "contacted_on": "2026-11-16",
        "visited_on": "2026-11-17",
        "cause": "family",
        "outcome": "promised",
        "contacted_by": "孙老师",
    }
    typed = [
        Answer(FAR, field, value, Place("a.xlsx", "名单", f"K{place}", value))
        for place, (field, value) in enumerate(answers.items())
    ]
    returned = Returned("a.xlsx", "0" * 64, JUNIOR, LAST_WEEK, "1", "1.0", tuple(typed), ())
    with Ledger.open(made.workspace) as ledger:
        ledger.merge(returned, who="a", on=date(2026, 11, 18))
    listing, junior = listed(made)
    case = child_of(listing, FAR).case
    assert case is not None
    assert (case.contacted_on, case.visited_on) == (date(2026, 11, 16), date(2026, 11, 17))
    assert (case.state, case.outcome) == (State.VISITED, "promised")
    page = school_page(listing, junior, "zh")
    assert "跟进：已家访 · 联系 11月16日 · 家访 11月17日" in page
    assert "家庭变故" not in page
    assert "答应返校" not in page


def test_a_child_on_no_registry_counts_for_its_school(made: County) -> None:
    with Ledger.open(made.workspace) as ledger:
        ledger.open_cases(
            NewCase("unregistered", PRIMARY, date(2026, 11, 2), "list", person="无名"), who="a"
        )
    found = followed(made)
    assert found.overdue == {PRIMARY: 2}  # due on school days 5 and 10
    assert found.children == {}


def test_a_malformed_escalation_is_told(made: County) -> None:
    text = shipped_text().replace("by: teacher", "by: nobody", 1)
    (made.workspace.root / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(EarlywarnError, match="nobody"):
        made.listing()
