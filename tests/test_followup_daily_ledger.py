"""The round and the ledger: cases, steps, returns, rounds made twice or out of order."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from daily_village import Tables, day, load, rows, village, workspace_of
from earlywarn.errors import EarlywarnError
from earlywarn.followup.counteddays import CountedDays
from earlywarn.followup.daily import Away, Round, daily
from earlywarn.followup.ledger import Case, Ledger, NewEntry
from earlywarn.followup.states import State
from earlywarn.workspace import Workspace

Story = list[tuple[str, str, date, State, date | None]]


def cases(workspace: Workspace, student: str | None = None) -> tuple[Case, ...]:
    with Ledger.open(workspace) as ledger:
        return ledger.cases(student_id=student)


def story(workspace: Workspace) -> Story:
    """Return every case: child, kind, day 1, state, end."""
    return [
        (str(c.student_id), c.kind, c.opened_on, c.state, c.closed_on) for c in cases(workspace)
    ]


def away(made: Round) -> dict[str, Away]:
    return {one.child.student_id: one for school in made.schools for one in school.away}


def back(made: Round) -> dict[str, date]:
    return {b.child.student_id: b.returned.back_on for school in made.schools for b in school.back}


def steps(made: Round) -> dict[str, tuple[str, date]]:
    found = {}
    for student, one in away(made).items():
        assert one.step is not None
        found[student] = (one.step.step.id, one.step.due)
    return found


def write(workspace: Workspace, lines: dict[str, str], **changes: Any) -> None:
    """Load the village again as it is now."""
    load(workspace, village(lines, **changes))


def test_the_step_of_each_day(tmp_path: Path) -> None:
    lines = {
        "A": "." * 29 + "x",
        "B": "." * 28 + "xx",
        "C": "." * 27 + "xxx",
        "D": "." * 25 + "xxxxx",
        "E": "." * 22 + "x" * 8,
        "F": "." * 10 + "x" * 20,
    }
    workspace = workspace_of(tmp_path / "村 1", village(lines))
    made = daily(workspace, day(29), who="张")
    assert steps(made) == {
        "A": ("contact", day(29)),
        "B": ("visit", day(29)),
        "C": ("report", day(29)),
        "D": ("report", day(27)),  # the report of day 3 stands until the first weekly visit
        "E": ("persuade", day(29)),
        "F": ("notice", day(29)),
    }
    assert (made.opened, made.closed) == (6, 0)
    assert [(c.opened_on, c.opened_by, c.kind) for c in cases(workspace)] == [
        (day(29 - n), "张", "absence") for n in (0, 1, 2, 4, 7, 19)
    ]
    assert away(made)["A"].responsible.zh == "班主任 王老师"
    assert away(made)["B"].responsible.zh == "包保领导和班主任"
    floors = {student: one.hits[0].floor for student, one in away(made).items()}
    assert [floors[student] for student in "ABC"] == ["watch", "high", "urgent"]


def test_a_day_not_reported_brings_no_step_nearer(tmp_path: Path) -> None:
    workspace = workspace_of(
        tmp_path / "w", village({"A": "..x-x", "B": "...-."}, not_reported={"S1": 3})
    )
    assert steps(daily(workspace, day(4), who="u")) == {"A": ("visit", day(4))}


def test_a_school_behind_with_reporting_keeps_its_childrens_step(tmp_path: Path) -> None:
    lines = {"A": "..x---", "B": "...---"}
    workspace = workspace_of(tmp_path / "w", village(lines, reported=3))
    made = daily(workspace, day(5), who="u")
    assert steps(made) == {"A": ("contact", day(2))}
    assert (made.counts()["not_reported"], made.schools[0].silences[0].missing) == (1, 3)


def test_what_was_done_is_not_asked_for_again(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "w", village({"A": "..x", "B": "..."}))
    daily(workspace, day(2), who="u")
    (case,) = cases(workspace)
    with Ledger.open(workspace) as ledger:
        ledger.record(NewEntry(case.id, "state", day(2), value=State.CONTACTED), who="u")
    assert steps(daily(workspace, day(2), who="u")) == {"A": ("visit", day(3))}


def test_a_second_round_changes_nothing(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "w", village({"A": "..xx.", "B": "...xx", "C": "....."}))
    made = daily(workspace, day(4), who="u")
    before = story(workspace), files(made.folder)
    again = daily(workspace, day(4), who="somebody else")
    assert (again.opened, again.closed) == (0, 0)
    assert (story(workspace), files(again.folder)) == before


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_who_came_back_is_recorded_and_settles_in(tmp_path: Path) -> None:
    lines = {"A": "..xx.", "B": "....."}
    workspace = workspace_of(tmp_path / "w", village(lines))
    daily(workspace, day(3), who="u")
    assert story(workspace) == [("A", "absence", day(2), State.OPEN, None)]
    made = daily(workspace, day(4), who="u")
    assert back(made) == {"A": day(4)}
    assert story(workspace) == [
        ("A", "absence", day(2), State.RETURNED, day(4)),
        ("A", "settling_in", day(4), State.OPEN, None),
    ]


def test_the_ledger_does_not_depend_on_how_often_rounds_are_made(tmp_path: Path) -> None:
    spells = [
        "..xx...",
        ".x..xx.",
        ".x...xx",
        ".xsx.xx",
        ".x.s.sx",
        "xx.xx.x",
        "..x-x-.",
        ".......",
    ]
    lines = dict(zip("ABCDEFGH", spells, strict=True))
    rare = workspace_of(tmp_path / "rare", village(lines))
    often = workspace_of(tmp_path / "often", village(lines))
    for i in range(1, 7):
        last = daily(often, day(i), who="u")
    daily(rare, day(1), who="u")
    once = daily(rare, day(6), who="u")
    assert steps(once) == steps(last)
    assert {*story(rare)} == {*story(often)}


def test_a_return_before_the_day_before_is_no_news_to_a_first_round(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "w", village({"A": "..x..", "B": ".....", "C": "...x."}))
    assert back(daily(workspace, day(4), who="u")) == {"C": day(4)}
    assert [c.student_id for c in cases(workspace, "A")] == []


def test_a_return_that_a_school_reports_late_is_still_found(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "w", village({"A": "..x-", "B": "...-"}, reported=3))
    daily(workspace, day(2), who="u")
    daily(workspace, day(3), who="u")  # nothing handed in
    write(workspace, {"A": "..x..", "B": "....."})
    made = daily(workspace, day(4), who="u")
    assert back(made) == {"A": day(3)}
    again = daily(workspace, day(4), who="u")
    assert back(again) == {"A": day(3)}
    assert story(workspace)[0] == ("A", "absence", day(2), State.RETURNED, day(3))


def test_away_again_is_a_new_case(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "w", village({"A": "..x.xx", "B": "......"}))
    for i in range(2, 6):
        made = daily(workspace, day(i), who="u")
    assert steps(made) == {"A": ("visit", day(5))}
    assert [c.opened_on for c in cases(workspace, "A") if c.kind == "absence"] == [day(2), day(4)]


def test_away_after_it_was_said_to_be_back_is_a_new_case(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "w", village({"A": "..xxx", "B": "....."}))
    daily(workspace, day(2), who="u")
    (case,) = cases(workspace)
    with Ledger.open(workspace) as ledger:
        ledger.record(NewEntry(case.id, "state", day(3), value=State.RETURNED), who="u")
    made = daily(workspace, day(4), who="u")
    assert away(made)["A"].run.day == 3  # what the attendance says
    assert steps(made) == {"A": ("contact", day(4))}  # a case that begins anew
    assert [c.opened_on for c in cases(workspace, "A") if c.kind == "absence"] == [day(2), day(4)]


@pytest.mark.parametrize("end", [State.RETURNED, State.PLACED])
def test_a_round_of_an_earlier_day_undoes_nothing(tmp_path: Path, end: State) -> None:
    workspace = workspace_of(tmp_path / "w", village({"A": "..xx.", "B": "...x.", "C": "....x"}))
    daily(workspace, day(3), who="u")
    (case, *_) = cases(workspace, "A")
    with Ledger.open(workspace) as ledger:
        ledger.record(NewEntry(case.id, "state", day(4), value=end), who="u")
    daily(workspace, day(4), who="u")
    before = story(workspace)
    made = daily(workspace, day(2), who="u")
    assert away(made)["A"].run.day == 1
    assert (made.opened, made.closed) == (0, 0)
    assert story(workspace) == before
    missed = daily(workspace, day(3), who="u")
    assert (missed.opened, story(workspace)) == (0, before)


def test_a_round_of_an_earlier_day_ends_no_case(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "w", village({"A": ".x.xx", "B": "....."}))
    daily(workspace, day(4), who="u")
    before = story(workspace)
    assert before == [("A", "absence", day(3), State.OPEN, None)]
    made = daily(workspace, day(2), who="u")
    assert back(made) == {"A": day(2)}  # it says what that day says
    assert story(workspace) == before  # and A is still followed up


def test_back_for_a_day_and_away_again_begins_with_day_one(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "w", village({"A": "..x.x", "B": "....."}))
    daily(workspace, day(2), who="u")
    assert steps(daily(workspace, day(4), who="u")) == {"A": ("contact", day(4))}
    assert [(c.opened_on, c.state) for c in cases(workspace, "A") if c.kind == "absence"] == [
        (day(2), State.RETURNED),
        (day(4), State.OPEN),
    ]


def test_illness_within_an_absence_ends_no_case_and_brings_no_step_nearer(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "w", village({"A": "..xsx", "B": "....."}))
    daily(workspace, day(2), who="u")
    assert not away(daily(workspace, day(3), who="u"))
    assert steps(daily(workspace, day(4), who="u")) == {"A": ("visit", day(4))}
    assert story(workspace) == [("A", "absence", day(2), State.OPEN, None)]


def test_a_case_missed_by_its_day_is_opened_later_and_ended_by_the_newest(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "w", village({"A": ".x.....", "B": "......."}))
    daily(workspace, day(6), who="u")
    assert story(workspace) == []
    daily(workspace, day(1), who="u")
    daily(workspace, day(6), who="u")
    assert story(workspace)[0] == ("A", "absence", day(1), State.RETURNED, day(2))


def test_long_leave_keeps_a_case_as_it_is(tmp_path: Path) -> None:
    leave = [{"student_id": "A", "date": day(4), "event": "long_leave"}]
    workspace = workspace_of(
        tmp_path / "w", village({"A": "..xxx", "B": "....."}, more={"outcomes": leave})
    )
    daily(workspace, day(3), who="u")
    made = daily(workspace, day(4), who="u")
    assert not away(made)
    assert not back(made)
    assert story(workspace) == [("A", "absence", day(2), State.OPEN, None)]


def test_default_day_is_the_newest_reported_school_day(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "w", village({"A": "....x", "B": "....."}))
    assert daily(workspace, who="u").as_of == day(4)


def test_nobody_enrolled_and_no_case_opened(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "w", village({"A": "..x"}))
    with pytest.raises(EarlywarnError, match="2025-01-01"):
        daily(workspace, date(2025, 1, 1), who="u")
    assert story(workspace) == []
    assert not (workspace.runs / "daily").exists()


def test_it_waits_for_no_other_writer(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "w", village({"A": "..x"}))
    with workspace.lock("ingest"), pytest.raises(EarlywarnError, match="in use"):
        daily(workspace, day(2), who="u")
    assert not (workspace.runs / "daily").exists()


def test_a_child_without_a_school_row(tmp_path: Path) -> None:
    tables: Tables = village({"A": "..x"}) | {"schools": rows("schools", [])}
    made = daily(workspace_of(tmp_path / "w", tables), day(2), who="u")
    assert [school.name for school in made.schools] == ["S1"]


def test_counted_days_go_on_from_monday_to_friday() -> None:
    days = CountedDays((date(2026, 6, 25), date(2026, 6, 26)), last=date(2026, 6, 26))
    assert days.due(0) == (date(2026, 6, 25), False)
    assert days.due(1) == (date(2026, 6, 26), False)
    assert days.due(2) == (date(2026, 6, 29), True)
    assert days.due(7) == (date(2026, 7, 6), True)
