"""The states of a case: every move, and that late news lowers nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earlywarn.followup.answers import OUTCOMES
from earlywarn.followup.states import ENDS, STATE_LABELS, State, after, allowed, level, told_by

STATES = st.sampled_from(list(State))


@pytest.mark.parametrize(
    ("current", "to", "becomes"),
    [
        ("open", "contacted", "contacted"),
        ("open", "visited", "visited"),
        ("visited", "contacted", "visited"),
        ("reported", "open", "reported"),
        ("open", "returned", "returned"),
        ("reported", "dropped_out", "dropped_out"),
        ("dropped_out", "visited", "dropped_out"),
        ("dropped_out", "returned", "returned"),
        ("dropped_out", "open", "open"),
        ("returned", "contacted", "returned"),
        ("returned", "open", "open"),
        ("returned", "transferred", "transferred"),
        ("returned", "dropped_out", "returned"),
        ("placed", "returned", "returned"),
    ],
)
def test_moves(current: str, to: str, becomes: str) -> None:
    assert after(State(current), State(to)) == becomes


def test_only_an_ended_case_refuses_and_only_to_have_dropped_out() -> None:
    refused = {(a, b) for a in State for b in State if not allowed(a, b)}
    assert refused == {(end, State.DROPPED_OUT) for end in ENDS}


@given(STATES, STATES)
def test_steps_are_never_lowered_and_the_same_news_twice_changes_nothing(
    current: State, to: State
) -> None:
    new = after(current, to)
    assert after(new, to) == new
    if new is not State.OPEN:
        assert level(new) >= level(current)


def test_what_answers_tell() -> None:
    assert told_by("contacted_on", "2026-11-20") is State.CONTACTED
    assert told_by("visited_on", "2026-11-20") is State.VISITED
    assert told_by("cause", "work") is None
    told = {value: told_by("outcome", value) for value in OUTCOMES}
    assert {value: state for value, state in told.items() if state} == {
        "came_back": State.RETURNED,
        "home_teaching": State.PLACED,
        "placed": State.PLACED,
        "transferred": State.TRANSFERRED,
        "referred": State.REPORTED,
    }


def test_every_state_has_a_label() -> None:
    assert set(STATE_LABELS) == set(State)
