"""Workbooks in any order, however often: the ledger holds the same answers and says the same."""

from __future__ import annotations

import tempfile
from datetime import date
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from earlywarn.followup.answers import Returned
from earlywarn.followup.ledger import Ledger
from earlywarn.followup.ledger.connect import reading
from earlywarn.followup.ledger.schema import entries, unsettled
from followup_ledgers import READ_ON, answer, returned, unread, workspace_on

VALUES = {
    "contacted_on": ["2026-11-20", "2026-11-24"],
    "visited_on": ["2026-11-25", "2026-11-26"],
    "outcome": ["came_back", "refused", "transferred", "referred"],
    "next": ["再去一次", "<b>'; --"],
}
ONE_ANSWER = st.sampled_from(sorted(VALUES)).flatmap(
    lambda field: st.builds(
        answer,
        st.sampled_from(["S1", "S2"]),
        st.just(field),
        st.sampled_from(VALUES[field]),
        st.sampled_from(["K7", "K8"]),
        st.sampled_from(["a.xlsx", "b.xlsx"]),
    )
)
UNREAD = st.builds(
    unread,
    st.sampled_from(["上周三", "?"]),
    st.sampled_from(["L7", "L9"]),
    st.sampled_from(["S1", None]),
    st.sampled_from(["visited_on", None]),
)
LISTS = st.sampled_from(
    [(date(2026, 11, 20), "1"), (date(2026, 11, 20), "2"), (date(2026, 11, 27), "1")]
)


@st.composite
def piles(draw: st.DrawFn) -> list[Returned]:
    made = draw(
        st.lists(
            st.tuples(st.lists(ONE_ANSWER, max_size=4), st.lists(UNREAD, max_size=2), LISTS),
            min_size=1,
            max_size=4,
        )
    )
    return [
        returned(*answers, unread=tuple(things), sha=str(n), as_of=as_of, run=run)
        for n, (answers, things, (as_of, run)) in enumerate(made)
    ]


def held(ledger: Ledger) -> dict[str, Any]:
    """What the ledger holds and says, without when, by whom and in which order it came."""
    with reading(ledger.engine) as con:
        answered = con.execute(
            select(entries.c.entry_key).where(entries.c.kind == "answer")
        ).scalars()
        things = con.execute(select(unsettled.c.key)).scalars()
        keys = {"answers": set(answered), "unsettled": set(things)}
    return keys | {
        "open": {item.key for item in ledger.unsettled()},
        "disputed": {(item.key, e.value) for item in ledger.unsettled() for e in item.answers},
    }


def everything(ledger: Ledger) -> tuple[Any, ...]:
    return (ledger.cases(), ledger.unsettled(settled=True), ledger.outcomes())


@pytest.mark.parametrize(("backend", "examples"), [("sqlite", 40), ("postgresql", 10)])
def test_any_order_and_repetition_ends_the_same(backend: str, examples: int) -> None:
    @settings(max_examples=examples)
    @given(piles(), st.data())
    def holds(pile: list[Returned], data: st.DataObject) -> None:
        order = data.draw(st.permutations(pile))
        again = data.draw(st.lists(st.sampled_from(pile), max_size=3))
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            with (
                Ledger.open(workspace_on(backend, root / "a")) as one,
                Ledger.open(workspace_on(backend, root / "b")) as other,
            ):
                for book in pile:
                    one.merge(book, who="u", on=READ_ON)
                for book in [*order, *again]:
                    other.merge(book, who="u", on=READ_ON)
                assert held(one) == held(other)
                for ledger in (one, other):
                    for book in pile:
                        account = ledger.account(book)
                        assert account.missing == ()
                        assert account.typed == len(book.answers) + len(book.unread)
                        assert account.typed == account.entries + account.unsettled
                before = everything(other)
                for book in order:
                    merged = other.merge(book, who="v")
                    assert (merged.new, merged.unsettled, merged.again) == (0, 0, True)
                assert everything(other) == before
                assert one.check() == other.check() == ()
                children = [c.student_id for c in other.cases(running=True)]
                assert len(children) == len(set(children))

    holds()


def test_a_child_keeps_one_open_case_when_an_ended_one_runs_again(tmp_path: Path) -> None:
    """Transferred, then heard of on an older list; then a copy of the newer says: came back."""
    newer = date(2026, 11, 27)
    pile = [
        returned(answer("S1", "outcome", "transferred"), sha="1", as_of=newer),
        returned(answer("S1", "contacted_on", "2026-11-20"), sha="2", as_of=date(2026, 11, 20)),
        returned(answer("S1", "outcome", "came_back"), sha="3", as_of=newer),
    ]
    for n, order in enumerate(permutations(pile)):
        with Ledger.open(workspace_on("sqlite", tmp_path / str(n))) as ledger:
            for book in order:
                ledger.merge(book, who="u", on=READ_ON)
            (running,) = ledger.cases(running=True)
            others = [case for case in ledger.cases() if case.id != running.id]
            assert all(case.because in ("taken_over", "withdrawn") for case in others)
            assert ledger.check() == ()


def test_the_state_is_the_same_in_any_order_of_one_lists_copies(tmp_path: Path) -> None:
    copies = [
        returned(answer("S1", "outcome", "came_back"), sha="1"),
        returned(answer("S1", "outcome", "refused"), sha="2"),
        returned(answer("S1", "visited_on", "2026-11-24"), sha="3"),
    ]
    seen = set()
    for n, order in enumerate(([0, 1, 2], [1, 0, 2], [2, 1, 0], [0, 2, 1])):
        with Ledger.open(workspace_on("sqlite", tmp_path / str(n))) as ledger:
            for i in order:
                ledger.merge(copies[i], who="u", on=READ_ON)
            (case,) = ledger.cases(running=True)
            seen.add((case.state, case.answers["outcome"].value))
    assert seen == {("visited", "came_back")}
