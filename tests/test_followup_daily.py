"""Who is away, who came back, who has not reported: by hand and against the features' oracle."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daily_village import HOLIDAY, Tables, connection, day, village
from earlywarn.errors import EarlywarnError
from earlywarn.followup.daily.absences import ROUND_FEATURES, Absences, absences
from earlywarn.workspace import Config
from oracle.compare import mismatches
from oracle.features import NoCalendarError, compute
from oracle.worlds import FAMILY, World, family, together

COUNTIES, CHUNKS = 40, 4
FULL, EXCEPTIONS = Config(), Config(attendance="exceptions")


def look(tables: Tables, as_of: date, config: Config = FULL) -> Absences:
    with connection(tables) as con:
        return absences(con, config, as_of)


def days_away(found: Absences) -> dict[str, int]:
    return {run.student_id: run.day for run in found.runs}


def told(found: Absences) -> tuple[Any, ...]:
    return (found.runs, found.returns, found.silences, found.children, found.facts.to_pylist())


# ------------------------------------------------------------------------------------- runs


def test_days_one_two_three() -> None:
    found = look(village({"A": "....x", "B": "...xx", "C": "..xxx", "D": "....."}), day(4))
    assert days_away(found) == {"A": 1, "B": 2, "C": 3}
    assert [run.first_day for run in found.runs] == [day(4), day(3), day(2)]
    assert found.children == {"S1": 4}
    assert not found.silences


def test_weekends_and_holidays_are_no_school_days() -> None:
    # Day 7 is Wednesday 11 March, the 12th a holiday, day 8 a Friday, day 9 the Monday after.
    stray = {"attendance": [{"student_id": "A", "date": HOLIDAY, "status": "present"}]}
    found = look(village({"A": ".......xxx", "B": "." * 10}, more=stray), day(9))
    assert days_away(found) == {"A": 3}
    assert found.runs[0].days == (day(7), day(8), day(9))
    on_sunday = look(village({"A": ".......xxx", "B": "." * 10}), day(9) - timedelta(days=1))
    assert days_away(on_sunday) == {"A": 2}
    assert not on_sunday.silences


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("sessions", "expected"),
    [
        ([("am", "unexcused"), ("pm", "present")], {"A": 1}),  # half a day away is a day away
        ([("am", "sick"), ("pm", "present")], {}),
        ([("am", "leave"), ("pm", "unexcused")], {"A": 1}),
        ([("am", "late"), ("pm", "left_early")], {}),
    ],
)
def test_a_day_is_its_worst_session(sessions: Any, expected: dict[str, int], order: int) -> None:
    halves = [
        {"student_id": "A", "date": day(4), "status": status, "session": half}
        for half, status in sessions[::order]
    ]
    found = look(village({"A": "....-", "B": "....."}, more={"attendance": halves}), day(4))
    assert days_away(found) == expected


def test_leave_and_illness_are_no_run_and_break_one() -> None:
    found = look(village({"A": "..xxs", "B": "..xxv", "C": "..xvx", "D": ".sssx"}), day(4))
    assert days_away(found) == {"C": 1, "D": 1}
    assert not found.returns


def test_a_day_not_reported_neither_lengthens_nor_ends_a_run() -> None:
    lines = {"A": "..x-x", "B": "...-."}
    found = look(village(lines, not_reported={"S1": 3}), day(4))
    assert days_away(found) == {"A": 2}
    assert found.runs[0].days == (day(2), day(4))
    assert not found.silences


def test_a_school_that_has_not_reported_gets_a_line_and_no_false_run() -> None:
    lines = {"A": "..xx--", "B": "....--", "C": ".....x"}
    children = {"C": {"school_id": "S2"}}
    found = look(village(lines, children=children, reported={"S1": 4}), day(5))
    assert days_away(found) == {"A": 2, "C": 1}
    assert found.runs[0].last_day == day(3)
    (silence,) = found.silences
    assert (silence.school_id, silence.class_id, silence.children) == ("S1", None, 2)
    assert (silence.last_reported, silence.missing) == (day(3), 2)


def test_a_school_that_never_reported() -> None:
    found = look(village({"A": "--"}, reported=0), day(1))
    assert not found.runs
    (silence,) = found.silences  # no row says that it reports, and no child was ever seen
    assert (silence.last_reported, silence.missing) == (None, 2)


def test_a_class_that_reported_where_the_school_did_not() -> None:
    children = {"B": {"class_id": "7.2"}, "C": {"class_id": "7.2"}}
    lines = {"A": "...x--", "B": "....xx", "C": "......"}
    by_class = [
        {"school_id": "S1", "class_id": "7.2", "date": day(4)},
        {"school_id": "S1", "class_id": "7.2", "date": day(5)},
    ]
    found = look(
        village(lines, children=children, reported=4, more={"reported_days": by_class}), day(5)
    )
    assert days_away(found) == {"A": 1, "B": 2}
    (silence,) = found.silences
    assert (silence.class_id, silence.children, silence.missing) == (None, 1, 2)


def test_exceptions_mode_silence_is_presence_only_where_reported() -> None:
    lines = {"A": "..x..", "B": "...xx", "C": "....."}
    tables = village(lines, exceptions=True)
    found = look(tables, day(4), EXCEPTIONS)
    assert days_away(found) == {"B": 2}
    assert [(r.student_id, r.back_on) for r in found.returns] == [("A", day(3))]
    # The same rows, but day 3 and 4 are not handed in: nobody is known to be back.
    found = look(village(lines, exceptions=True, reported=3), day(4), EXCEPTIONS)
    assert days_away(found) == {"A": 1, "B": 2}
    assert not found.returns
    assert [(s.last_reported, s.missing) for s in found.silences] == [(day(2), 2)]


def test_exceptions_mode_without_a_calendar_is_refused() -> None:
    tables = village({"A": "..x"}, exceptions=True)
    with pytest.raises(EarlywarnError, match="S1"):
        look(tables | {"calendar": tables["calendar"].slice(0, 0)}, day(2), EXCEPTIONS)


def test_without_calendar_and_reported_days_attendance_tells_both() -> None:
    tables = village({"A": "." * 40 + "xx", "B": "." * 42})
    bare = tables | {name: tables[name].slice(0, 0) for name in ("calendar", "reported_days")}
    assert days_away(look(bare, day(41))) == {"A": 2}


def test_a_child_that_changed_school_during_its_run() -> None:
    moved = {
        "student_id": "A",
        "snapshot_date": day(4),
        "school_id": "S2",
        "class_id": "7.9",
        "grade": 7,
    }
    tables = village(
        {"A": "..xxxx", "B": "......", "C": "......"},
        children={"C": {"school_id": "S2"}},
        more={"students": [moved]},
    )
    (run,) = look(tables, day(5)).runs
    assert (run.school_id, run.class_id, run.day) == ("S2", "7.9", 4)
    (before,) = look(tables, day(3)).runs
    assert (before.school_id, before.day) == ("S1", 2)


@pytest.mark.parametrize(
    ("record", "event"),
    [
        ({}, "long_leave"),
        ({}, "dropped_out"),
        ({"left_on": day(2)}, None),
        ({"enrolled_on": day(5)}, None),  # not yet enrolled
    ],
)
def test_who_is_not_there_to_be_away(record: dict[str, Any], event: str | None) -> None:
    events = [{"student_id": "A", "date": day(3), "event": event}] if event else []
    tables = village(
        {"A": "..xxx", "B": "....x"}, children={"A": record}, more={"outcomes": events}
    )
    assert days_away(look(tables, day(4))) == {"B": 1}


def test_days_before_enrolment_and_of_a_past_leave_do_not_count() -> None:
    events = [
        {"student_id": "B", "date": day(2), "event": "long_leave"},
        {"student_id": "B", "date": day(4), "event": "returned"},
    ]
    tables = village(
        {"A": "xxxxx", "B": ".xxxx", "C": "....."},
        children={"A": {"enrolled_on": day(3)}},
        more={"outcomes": events},
    )
    found = look(tables, day(4))
    assert {run.student_id: run.days for run in found.runs} == {
        "A": (day(3), day(4)),
        "B": (day(1), day(4)),
    }


# ---------------------------------------------------------------------------------- returns


@pytest.mark.parametrize(
    ("line", "back_on", "days"),
    [
        ("..xx.", 4, [2, 3]),
        ("..xxl", 4, [2, 3]),  # late is there
        ("..xxh", 4, [2, 3]),
        (".xs..", 3, [1]),  # ill before it came back: it came back all the same
        (".xvx.", 4, [1, 3]),
        ("x.x..", 3, [2]),  # the last time counts
        ("xx...", 2, [0, 1]),
        ("..x.s", 3, [2]),  # ill since
        ("..x-.", 4, [2]),
        ("..xxx", None, []),
        ("..xxs", None, []),
        ("ss...", None, []),
        (".....", None, []),
    ],
)
def test_who_came_back(line: str, back_on: int | None, days: list[int]) -> None:
    found = look(village({"A": line, "B": "....."}), day(4))
    expected = [] if back_on is None else [(day(back_on), tuple(map(day, days)))]
    assert [(one.back_on, one.days) for one in found.returns][-1:] == expected


def by_hand(line: str) -> tuple[int, list[tuple[date, tuple[date, ...]]]]:
    """Return the length of the run, and every return with the days before it, out of a line."""
    run, away = 0, list[date]()
    returns = []
    for i, sign in enumerate(line):
        if sign == "-":
            continue
        run = run + 1 if sign == "x" else 0
        if sign == "x":
            away.append(day(i))
        elif sign in ".lh" and away:
            returns.append((day(i), tuple(away)))
            away = []
    return run, returns


@settings(max_examples=25)
@given(st.lists(st.text(".xxs-l", min_size=58, max_size=60), min_size=1, max_size=12))
def test_runs_and_returns_of_sixty_days(lines: list[str]) -> None:
    children = {f"G{i:02d}": line.ljust(60, "-") for i, line in enumerate(lines)}
    found = look(village(children | {"Z": "." * 60}), day(59))
    runs = days_away(found)
    for child, line in children.items():
        run, returns = by_hand(line)
        assert runs.get(child, 0) == run, line
        backs = [(one.back_on, one.days) for one in found.returns if one.student_id == child]
        assert backs == returns, line


# ----------------------------------------------------------------- against the features' oracle


def county(number: int) -> World:
    return together(family(number))


def look_at(case: World, tables: Tables | None = None) -> Absences:
    config = Config(attendance=case.mode, **case.config)
    return look(case.arrow() if tables is None else tables, case.as_of, config)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_agrees_with_the_features(chunk: int) -> None:
    """Every run is `unexcused_run`, and every fact that rules are judged on is the feature's."""
    away = 0
    for number in range(chunk, COUNTIES, CHUNKS):
        case = county(number)
        try:
            expected = compute(case.tables, case.as_of, case.mode, case.config)
        except NoCalendarError:
            with pytest.raises(EarlywarnError):
                look_at(case)
            continue
        found = look_at(case)
        runs = days_away(found)
        assert runs == {r["student_id"]: r["unexcused_run"] for r in expected if r["unexcused_run"]}
        away += len(runs)
        facts = {row["student_id"]: row for row in found.facts.to_pylist()}
        names = ("student_id", *ROUND_FEATURES)
        wanted = [{n: r[n] for n in names} for r in expected if r["student_id"] in facts]
        lines = mismatches(f"county {number}", wanted, list(facts.values()))
        assert not lines, "\n".join(lines[:5])
        assert sum(found.children.values()) == len(expected)
    assert away > FAMILY  # the counties have children that are away


@settings(max_examples=12)
@given(number=st.integers(0, 99), seed=st.integers(0, 2**32))
def test_what_comes_after_the_day_changes_nothing(number: int, seed: int) -> None:
    case = county(number)
    try:
        before = look_at(case)
    except EarlywarnError:
        return
    later = case.later_changed(Random(seed))
    assert told(look_at(later)) == told(before)


@settings(max_examples=6)
@given(number=st.integers(0, 99), seed=st.integers(0, 2**32))
def test_the_order_of_rows_does_not_matter(number: int, seed: int) -> None:
    case = county(number)
    try:
        before = look_at(case)
    except EarlywarnError:
        return
    rng = Random(seed)
    shuffled = {
        name: table.take(rng.sample(range(table.num_rows), table.num_rows))
        if table.num_rows
        else table
        for name, table in case.arrow().items()
    }
    assert told(look_at(case, shuffled)) == told(before)
