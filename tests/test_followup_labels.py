"""What the ledger confirms becomes rows of `outcomes`, once, and is taken back with the ledger."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from earlywarn.engine.duckdb import connect
from earlywarn.errors import UsageError
from earlywarn.followup.doing import record
from earlywarn.followup.labels import ORIGIN, bring_back
from earlywarn.followup.ledger import Ledger, NewCase
from earlywarn.tables.batches import read_batches
from scoring_city import VILLAGE_DAY, load, rows, village

DAY = VILLAGE_DAY - timedelta(days=3)


@pytest.fixture
def workspace(tmp_path):
    return village(tmp_path / "县 一")


def outcomes(workspace):
    con = connect(workspace)
    try:
        return con.execute(
            "SELECT student_id, date, event, cause FROM outcomes ORDER BY ALL"
        ).fetchall()
    finally:
        con.close()


def absent(ledger, student, on=DAY):
    (opened,) = ledger.open_cases(
        NewCase("absence", "30101", on, "daily", student_id=student), who="张三"
    )
    return ledger.case(opened.case_id)


def test_a_confirmed_dropout_becomes_an_outcome_and_a_return_too(workspace):
    before = outcomes(workspace)
    with Ledger.open(workspace) as ledger, workspace.lock("test"):
        case = absent(ledger, "0001")
        record(workspace, ledger, case, "report", DAY, who="张三")
        record(workspace, ledger, ledger.case(case.id), "dropped_out", DAY, who="张三")
        assert outcomes(workspace) == sorted(
            [*before, ("0001", DAY, "dropped_out", None), ("0001", DAY, "suspected", None)]
        )
        later = DAY + timedelta(days=1)
        record(workspace, ledger, ledger.case(case.id), "returned", later, who="张三")
    assert ("0001", later, "returned", None) in outcomes(workspace)
    assert sum(b.origin == ORIGIN for b in read_batches(workspace).batches) == 1


def test_a_ledger_that_says_nothing_new_changes_nothing(workspace):
    with Ledger.open(workspace) as ledger, workspace.lock("test"):
        assert bring_back(workspace, ledger) == 0
        assert all(b.origin != ORIGIN for b in read_batches(workspace).batches)
        record(workspace, ledger, absent(ledger, "0002"), "dropped_out", DAY, who="张三")
        once = read_batches(workspace)
        assert bring_back(workspace, ledger) == 1
        assert read_batches(workspace) == once


def test_what_is_forgotten_is_no_outcome_any_more(workspace):
    before = outcomes(workspace)
    with Ledger.open(workspace) as ledger, workspace.lock("test"):
        record(workspace, ledger, absent(ledger, "0003"), "dropped_out", DAY, who="张三")
        assert len(outcomes(workspace)) == len(before) + 1
        ledger.forget("0003", who="张三")
        bring_back(workspace, ledger)
    assert outcomes(workspace) == before


def test_what_was_loaded_from_files_stays(workspace):
    load(
        workspace,
        "outcomes",
        rows("outcomes", student_id=["0009"], date=[date(2025, 1, 8)], event=["dropped_out"]),
    )
    with Ledger.open(workspace) as ledger, workspace.lock("test"):
        record(workspace, ledger, absent(ledger, "0002"), "dropped_out", DAY, who="张三")
        ledger.forget("0002", who="张三")
        bring_back(workspace, ledger)
    assert ("0009", date(2025, 1, 8), "dropped_out", None) in outcomes(workspace)


def test_an_unknown_step_names_those_there_are(workspace):
    with Ledger.open(workspace) as ledger:
        case = absent(ledger, "0001")
        with pytest.raises(UsageError, match="no step or state fly; there are contact, visit"):
            record(workspace, ledger, case, "fly", DAY, who="张三")


def test_a_return_counts_where_a_file_told_of_the_dropout(workspace):
    told = rows("outcomes", student_id=["0001"], date=[DAY], event=["dropped_out"])
    load(workspace, "outcomes", told)
    with Ledger.open(workspace) as ledger:
        record(workspace, ledger, absent(ledger, "0001"), "returned", VILLAGE_DAY, who="张三")
        assert bring_back(workspace, ledger) == 1  # its own row is no reason for another
    of_child = [row[1:3] for row in outcomes(workspace) if row[0] == "0001"]
    assert of_child == [(DAY, "dropped_out"), (VILLAGE_DAY, "returned")]


def test_a_return_without_a_leaving_is_none_however_often_it_is_brought_back(workspace):
    with Ledger.open(workspace) as ledger:
        case = absent(ledger, "0001")
        for _ in range(2):
            record(workspace, ledger, case, "returned", VILLAGE_DAY, who="张三")
    assert not [row for row in outcomes(workspace) if row[0] == "0001"]
