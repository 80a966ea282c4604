"""The week's work: lists, the cases they open, and what makes a new run."""

from __future__ import annotations

from datetime import timedelta

import pytest

from earlywarn.followup.escalation import Escalation
from earlywarn.followup.ledger import Ledger, NewEntry
from earlywarn.watchlist.weekly import follow_list, score_and_list
from scoring_city import TRUANT, VILLAGE_DAY, load, rows, village


@pytest.fixture
def workspace(tmp_path):
    return village(tmp_path / "县 一")


def cases(workspace):
    with Ledger.open(workspace) as ledger:
        return ledger.cases()


def test_a_listed_childs_case_is_opened_once(workspace):
    run = score_and_list(workspace, who="张三")
    (case,) = cases(workspace)
    assert (case.kind, case.student_id, case.tier) == ("watchlist", TRUANT, "urgent")
    assert (case.school_id, case.opened_on, case.opened_by) == ("VA", VILLAGE_DAY, "张三")
    assert case.origin == f"score {VILLAGE_DAY}/1"
    again = score_and_list(workspace, who="李四")
    assert (again.is_new, again.folder) == (False, run.folder)
    assert cases(workspace) == (case,)


def test_tiers_that_the_escalation_does_not_name_open_nothing(workspace):
    steps = workspace.root / "escalation.yaml"
    text = steps.read_text("utf-8")
    assert "tiers: {urgent: 2, high: 5}" in text
    steps.write_text(text.replace("tiers: {urgent: 2, high: 5}", "tiers: {high: 5}"), "utf-8")
    score_and_list(workspace, who="张三")
    assert cases(workspace) == ()


def test_news_in_the_ledger_makes_a_new_list_and_no_news_none(workspace):
    assert score_and_list(workspace, who="张三").folder.number == 1
    with Ledger.open(workspace) as ledger:
        (case,) = ledger.cases()
        # The list's own case is no news; one that was there before the list is.
        ledger.record(NewEntry(case.id, "note", VILLAGE_DAY, value="已约定面谈"), who="张三")
    assert score_and_list(workspace, who="张三").folder.number == 1
    next_week = VILLAGE_DAY + timedelta(days=7)
    first = score_and_list(workspace, next_week, who="张三")
    assert score_and_list(workspace, next_week, who="张三").folder == first.folder
    with Ledger.open(workspace) as ledger:
        ledger.record(NewEntry(case.id, "state", VILLAGE_DAY, value="contacted"), who="张三")
    second = score_and_list(workspace, next_week, who="张三")
    assert (second.is_new, second.folder.number) == (True, first.folder.number + 1)
    assert second.folder.scores() == first.folder.scores()


def test_a_child_that_was_reached_and_is_on_no_list_any_more_is_resolved(workspace):
    score_and_list(workspace, who="张三")
    (case,) = cases(workspace)
    gone, later = VILLAGE_DAY + timedelta(days=3), VILLAGE_DAY + timedelta(days=7)
    load(
        workspace,
        "outcomes",
        rows("outcomes", student_id=[TRUANT], date=[gone], event=["transferred"]),
    )
    run = score_and_list(workspace, later, who="张三")
    assert TRUANT not in run.folder.scores()["student_id"].to_pylist()
    assert cases(workspace)[0].closed_on is None  # nobody has reached the child yet
    with Ledger.open(workspace) as ledger:
        ledger.record(NewEntry(case.id, "state", gone, value="contacted"), who="张三")
        follow_list(ledger, run, Escalation.load(workspace), who="张三")
        follow_list(ledger, run, Escalation.load(workspace), who="张三")
    (closed,) = cases(workspace)
    assert (closed.closed_on, closed.because) == (later, "resolved")
    assert sum(entry.kind == "closed" for entry in closed.story) == 1


def test_a_list_of_an_earlier_day_opens_nothing_beside_a_later_case(workspace):
    with Ledger.open(workspace) as ledger:
        score_and_list(workspace, who="张三")
        (case,) = ledger.cases()
        ledger.record(NewEntry(case.id, "state", VILLAGE_DAY, value="returned"), who="张三")
        before = ledger.cases()
    score_and_list(workspace, VILLAGE_DAY - timedelta(days=1), who="张三")
    assert cases(workspace) == before
