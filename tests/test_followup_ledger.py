"""The ledger, on SQLite and on PostgreSQL: what goes in, what it says, that nothing is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from earlywarn.errors import EarlywarnError
from earlywarn.followup.ledger import Ledger, NewCase, NewEntry, Outcome
from earlywarn.followup.ledger.connect import reading
from earlywarn.followup.ledger.schema import entries, imports
from earlywarn.followup.states import State
from earlywarn.words import Tier
from earlywarn.workspace import Workspace
from followup_ledgers import (
    AS_OF,
    READ_ON,
    answer,
    ledger,
    place,
    returned,
    unread,
)

__all__ = ["ledger", "place"]  # fixtures

FIRST_DAY = date(2026, 11, 23)


def absence(student: str = "S1", day: date = FIRST_DAY) -> NewCase:
    return NewCase("absence", "A", day, f"daily {day}", student_id=student)


def state(case_id: int, value: str, day: date) -> NewEntry:
    return NewEntry(case_id, "state", day, value=value)


def test_a_case_is_opened_once(ledger: Ledger) -> None:
    (first,) = ledger.open_cases(absence(), who="u")
    assert first.new
    again, other = ledger.open_cases(absence(), absence("S2"), who="u")
    assert (again.case_id, again.new, other.new) == (first.case_id, False, True)
    case = ledger.case(first.case_id)
    assert (case.kind, case.student_id, case.state) == ("absence", "S1", State.OPEN)
    assert (case.opened_on, case.opened_by, case.closed_on) == (FIRST_DAY, "u", None)
    assert [c.student_id for c in ledger.cases(school_id="A", running=True)] == ["S1", "S2"]
    assert ledger.cases(student_id="S3") == ledger.cases(school_id="B") == ()
    with pytest.raises(EarlywarnError, match="no case 99"):
        ledger.case(99)


def test_an_absence_takes_over_from_the_watchlist_and_not_the_other_way(ledger: Ledger) -> None:
    listed = NewCase("watchlist", "A", AS_OF, "list", student_id="S1", tier=Tier.HIGH)
    (watch,) = ledger.open_cases(listed, who="u")
    ledger.assign(watch.case_id, leader="王校长", teacher="李老师", who="u", on=AS_OF)
    (absent,) = ledger.open_cases(absence(), who="u")
    before, now = ledger.case(watch.case_id), ledger.case(absent.case_id)
    assert (before.tier, before.because, before.closed_on) == (Tier.HIGH, "taken_over", FIRST_DAY)
    assert (now.leader, now.teacher) == ("王校长", "李老师")
    later = NewCase("watchlist", "A", date(2026, 11, 27), "list", student_id="S1", tier=Tier.URGENT)
    (still,) = ledger.open_cases(later, who="u")
    assert (still.case_id, still.new) == (absent.case_id, False)
    assert ledger.check() == ()


def test_a_child_on_no_registry_has_a_case(ledger: Ledger) -> None:
    new = NewCase("unregistered", "A", AS_OF, "household list", person="阿依古丽·买买提")
    (opened,) = ledger.open_cases(new, who="u")
    case = ledger.case(opened.case_id)
    assert (case.student_id, case.person) == (None, "阿依古丽·买买提")
    ledger.record(state(case.id, "returned", READ_ON), who="u")
    assert [c.kind for c in ledger.cases()] == ["unregistered", "settling_in"]
    assert ledger.outcomes() == ()
    ledger.forget("阿依古丽·买买提", who="u")
    assert ledger.cases() == ()


def test_assigning_again_after_another(ledger: Ledger) -> None:
    (opened,) = ledger.open_cases(absence(), who="u")
    for name in ("甲", "乙", "甲", "甲"):
        case = ledger.assign(opened.case_id, leader=name, who="u", on=FIRST_DAY)
    assert case.leader == "甲"
    assert [e.value for e in case.story] == ["甲", "乙", "甲"]


def test_a_return_opens_the_settling_in_case_and_leaving_again_a_new_absence(
    ledger: Ledger,
) -> None:
    (opened,) = ledger.open_cases(absence(), who="u")
    back = date(2026, 11, 25)
    entry = state(opened.case_id, "returned", back)
    assert ledger.record(entry, who="u") == 1
    assert ledger.record(entry, who="u") == 0
    gone, settling = ledger.cases(student_id="S1")
    assert (gone.state, gone.closed_on) == (State.RETURNED, back)
    assert (settling.kind, settling.opened_on, settling.closed_on) == ("settling_in", back, None)
    (again,) = ledger.open_cases(absence(day=date(2026, 12, 1)), who="u")
    assert [c.because for c in ledger.cases(student_id="S1")] == [None, "taken_over", None]
    with pytest.raises(EarlywarnError, match="Open it again first"):
        ledger.record(state(gone.id, "dropped_out", back), who="u")
    ledger.record(state(again.case_id, "dropped_out", date(2026, 12, 30)), who="u")
    assert ledger.case(again.case_id).closed_on is None  # still followed up
    assert ledger.check() == ()


def test_opened_again(ledger: Ledger) -> None:
    (opened,) = ledger.open_cases(absence(), who="u")
    ledger.record(state(opened.case_id, "returned", date(2026, 11, 25)), who="u")
    reopened = state(opened.case_id, "open", date(2026, 11, 26))
    assert ledger.record(reopened, who="u") == 1
    assert ledger.record(reopened, who="u") == 0
    case, settling = ledger.cases(student_id="S1")
    assert (case.state, case.closed_on, settling.because) == (State.OPEN, None, "withdrawn")


def test_answers_move_the_case(ledger: Ledger) -> None:
    ledger.open_cases(absence(), who="u")
    book = returned(
        answer("S1", "contacted_on", "2026-11-24"),
        answer("S1", "contacted_by", "李老师", "L7"),
        answer("S1", "cause", "work", "M7"),
        as_of=date(2026, 11, 27),
    )
    merged = ledger.merge(book, who="u", on=READ_ON)
    assert (merged.new, merged.known, merged.opened, merged.again) == (3, 0, 0, False)
    (case,) = ledger.cases()
    assert case.state is State.CONTACTED
    assert {field: a.value for field, a in case.answers.items()} == {
        "contacted_on": "2026-11-24",
        "contacted_by": "李老师",
        "cause": "work",
    }
    assert case.story[0].source == "a.xlsx [名单!K7]"
    late = returned(answer("S1", "visited_on", "2026-11-25"), as_of=date(2026, 11, 27), sha="b")
    ledger.merge(late, who="u", on=READ_ON)
    assert ledger.case(case.id).state is State.VISITED
    # A later list follows, and leaves what it does not ask again.
    later = returned(answer("S1", "cause", "family"), as_of=date(2026, 12, 4), sha="c")
    assert ledger.merge(later, who="u").conflicts == 0
    answers = ledger.case(case.id).answers
    assert (answers["cause"].value, answers["contacted_by"].value) == ("family", "李老师")


@pytest.mark.parametrize(
    ("outcome", "becomes"),
    [
        ("home_teaching", State.PLACED),
        ("placed", State.PLACED),
        ("transferred", State.TRANSFERRED),
        ("referred", State.REPORTED),
        ("refused", State.OPEN),
    ],
)
def test_outcomes_of_answers(ledger: Ledger, outcome: str, becomes: State) -> None:
    ledger.merge(returned(answer("S1", "outcome", outcome)), who="u", on=READ_ON)
    (case,) = ledger.cases()
    assert (case.kind, case.opened_on, case.state) == ("watchlist", AS_OF, becomes)
    assert (case.closed_on == READ_ON) is becomes.ended


def test_the_same_answers_from_any_copy_are_stored_once(ledger: Ledger) -> None:
    book = returned(answer("S1", "cause", "work"), unread=(unread("上周三"),))
    first = ledger.merge(book, who="u", on=READ_ON)
    assert (first.new, first.unsettled) == (1, 1)
    again = ledger.merge(book, who="v", on=READ_ON)
    assert (again.new, again.known, again.unsettled, again.again) == (0, 1, 0, True)
    copy = returned(answer("S1", "cause", "work", "Q3"), unread=(unread("上周三", "B2"),), sha="b")
    assert (ledger.merge(copy, who="v").known, len(ledger.unsettled())) == (1, 1)
    with reading(ledger.engine) as con:
        assert len(con.execute(select(imports)).all()) == 2
        assert len(con.execute(select(entries)).all()) == 1
    for one in (book, copy):
        found = ledger.account(one)
        assert (found.typed, found.entries, found.unsettled, found.missing) == (2, 1, 1, ())


def test_different_answers_are_both_kept_until_one_is_chosen(ledger: Ledger) -> None:
    ledger.merge(returned(answer("S1", "outcome", "came_back")), who="u", on=READ_ON)
    assert [c.kind for c in ledger.cases(running=True)] == ["settling_in"]
    other = returned(answer("S1", "outcome", "refused", "K9", "b.xlsx"), sha="b")
    assert ledger.merge(other, who="v", on=READ_ON).conflicts == 1
    (item,) = ledger.unsettled(school_id="A")
    assert (item.kind, item.field, item.student_id) == ("conflict", "outcome", "S1")
    assert [e.value for e in item.answers] == ["came_back", "refused"]
    for place_ in ("a.xlsx [名单!K7]", "b.xlsx [名单!K9]"):
        assert place_ in item.why.zh
        assert place_ in item.why.en
    # While it is in dispute the child is not back.
    case, settling = ledger.cases()
    assert (case.state, case.answers["outcome"].disputed) == (State.OPEN, True)
    assert settling.because == "withdrawn"
    with pytest.raises(EarlywarnError, match="it can be came_back"):
        ledger.settle(item.key, "gone", who="w")
    with pytest.raises(EarlywarnError, match="choose the value"):
        ledger.settle(item.key, None, who="w")
    ledger.settle(item.key, "came_back", who="w", on=READ_ON)
    ledger.settle(item.key, "came_back", who="w", on=READ_ON)
    assert ledger.unsettled() == ()
    (settled,) = ledger.unsettled(settled=True)
    assert settled.settled is not None
    assert (settled.settled.value, settled.settled.who) == ("came_back", "w")
    case, settling = ledger.cases()
    assert (case.state, settling.closed_on) == (State.RETURNED, None)
    # Read again nothing changes; yet another answer opens it again.
    ledger.merge(other, who="v", on=READ_ON)
    assert ledger.unsettled() == ()
    third = returned(answer("S1", "outcome", "transferred"), sha="c")
    ledger.merge(third, who="v", on=READ_ON)
    assert [e.value for e in ledger.unsettled()[0].answers] == ["came_back", "transferred"]
    assert ledger.check() == ()


def test_two_rows_of_one_workbook_may_differ(ledger: Ledger) -> None:
    book = returned(answer("S1", "where", "at_home"), answer("S1", "where", "working", "K8"))
    assert ledger.merge(book, who="u").conflicts == 2
    assert len(ledger.unsettled()) == 1
    assert ledger.account(book).missing == ()


def test_what_could_not_be_read_is_settled_by_a_person(ledger: Ledger) -> None:
    things = (unread("上周三"), unread("?", "A1", None, None))
    ledger.merge(returned(unread=things), who="u", on=READ_ON)
    dated, other = ledger.unsettled()
    assert (dated.typed, dated.sheet, dated.cell) == ("上周三", "名单", "L9")
    assert "2026-11-20" in dated.why.en
    with pytest.raises(EarlywarnError, match="must be a date"):
        ledger.settle(dated.key, "上周三", who="w")
    ledger.settle(dated.key, "20261118", who="w", on=READ_ON)
    ledger.settle(other.key, None, who="w")
    assert ledger.unsettled() == ()
    (case,) = ledger.cases()
    assert (case.state, case.answers["visited_on"].value) == (State.VISITED, "2026-11-18")
    with pytest.raises(EarlywarnError, match="nothing to settle with the key x"):
        ledger.settle("x", None, who="w")


def test_answers_that_come_late_belong_to_the_case_of_their_time(ledger: Ledger) -> None:
    (opened,) = ledger.open_cases(absence(day=date(2026, 11, 16)), who="u")
    ledger.record(state(opened.case_id, "returned", date(2026, 11, 25)), who="u")
    ledger.merge(returned(answer("S1", "cause", "family")), who="u")
    first, settling = ledger.cases()
    assert (len(first.story), len(settling.story)) == (2, 0)
    # A list made after the return speaks of the settling-in.
    later = returned(answer("S1", "contacted_on", "2026-11-30"), as_of=date(2026, 11, 27), sha="b")
    ledger.merge(later, who="u")
    assert ledger.case(settling.id).state is State.CONTACTED


def test_confirmed_outcomes(ledger: Ledger) -> None:
    ids = [o.case_id for o in ledger.open_cases(*map(absence, "PQRST"), who="u")]
    days = [date(2026, 11, day) for day in (24, 25, 26, 27)]
    ledger.record(
        state(ids[0], "reported", days[1]),
        state(ids[0], "dropped_out", days[2]),
        state(ids[0], "returned", days[3]),
        state(ids[1], "returned", days[0]),  # away for a day: no outcome
        state(ids[2], "transferred", days[0]),
        state(ids[3], "placed", days[0]),
        who="u",
    )
    book = returned(answer("T", "outcome", "referred"), answer("T", "cause", "work"), as_of=days[1])
    ledger.merge(book, who="u", on=days[3])
    assert ledger.outcomes() == (
        Outcome("P", days[1], "suspected", None),
        Outcome("P", days[2], "dropped_out", None),
        Outcome("P", days[3], "returned", None),
        Outcome("R", days[0], "transferred", None),
        Outcome("T", days[3], "suspected", "work"),
    )


def test_all_or_nothing(ledger: Ledger) -> None:
    (opened,) = ledger.open_cases(absence(), who="u")
    with pytest.raises(EarlywarnError, match="no case 99"):
        ledger.record(
            state(opened.case_id, "contacted", FIRST_DAY), state(99, "open", FIRST_DAY), who="u"
        )
    assert ledger.case(opened.case_id).story == ()


def test_text_that_no_database_stores(ledger: Ledger) -> None:
    odd = answer("S1", "next", "a\0b\ud800c'; DROP TABLE cases; -- <b>=1+1")
    ledger.merge(returned(odd), who="u")
    ledger.merge(returned(odd, sha="b"), who="u")
    assert ledger.cases()[0].answers["next"].value.startswith("a\ufffdb\ufffdc';")
    assert ledger.account(returned(odd)).missing == ()
    assert ledger.check() == ()


def test_twenty_writers_at_once_lose_nothing(place: Workspace) -> None:
    def write(number: int) -> None:
        with Ledger.open(place) as mine:
            mine.open_cases(absence("SHARED"), absence(f"S{number}"), who=f"w{number}")
            book = returned(
                answer("SHARED", "next", f"by {number}"),
                answer(f"S{number}", "cause", "work"),
                unread=(unread(f"typed by {number}"),),
                sha=f"{number:064d}",
                as_of=FIRST_DAY,
            )
            mine.merge(book, who=f"w{number}")
            mine.merge(book, who=f"w{number}")
            mine.audit("import", "book", who=f"w{number}", role="county")

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(write, range(20)))
    with Ledger.open(place) as ledger:
        assert len(ledger.cases()) == 21
        (shared,) = ledger.cases(student_id="SHARED")
        assert {e.value for e in shared.story} == {f"by {n}" for n in range(20)}
        assert [e.seq for e in shared.story] == list(range(1, 21))
        assert len(ledger.unsettled()) == 21
        assert len(ledger.audited()) == 20
        assert ledger.check() == ()


def test_a_query_with_very_many_names(ledger: Ledger, tmp_path: Path) -> None:
    students = [f"S{n:04d}" for n in range(600)]
    book = returned(*(answer(s, "cause", "work", f"K{n}") for n, s in enumerate(students)))
    assert ledger.merge(book, who="u").new == 600
    assert ledger.account(book).entries == 600
    assert len(ledger.cases(running=True)) == 600
