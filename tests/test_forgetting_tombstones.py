"""What is kept of a forgotten child: enough to leave it out again, and nothing that names it."""

from __future__ import annotations

import shutil
from datetime import date

import pyarrow as pa
import pytest

from earlywarn.errors import EarlywarnError
from earlywarn.tables.forgotten import (
    Forgotten,
    left_out,
    problems_without_forgotten,
    without_forgotten,
)
from earlywarn.tables.validate import PROBLEM_SCHEMA
from earlywarn.workspace import Workspace
from scoring_city import rows

GONE, KEPT = "G110101201203150018", "G110101201203150019"


@pytest.fixture
def after(workspace: Workspace) -> Workspace:
    with workspace.lock("test"):
        Forgotten.load(workspace).add(workspace, GONE, ["欧阳晓燕"])
    return workspace


def problem(row: int, code: str, *cells: str) -> dict[str, object]:
    return {"row": row, "column": "c", "value": "", "code": code, "detail": "", "cells": cells}


def test_rows_are_left_out_and_counted(after: Workspace) -> None:
    outcomes = rows(
        "outcomes",
        student_id=[GONE, KEPT, GONE],
        date=[date(2026, 1, 1)] * 3,
        event=["returned"] * 3,
    )
    kept, gone = without_forgotten(after, outcomes)
    assert (kept["student_id"].to_pylist(), gone) == ([KEPT], 2)
    assert kept.schema == outcomes.schema
    assert left_out(1).en == "1 row of a forgotten child left out"
    schools = rows("schools", school_id=["S"], name=["甲"], county=["县"])
    assert without_forgotten(after, schools) == (schools, 0)
    none = outcomes.slice(0, 0)
    assert without_forgotten(after, none) == (none, 0)


def test_a_workspace_that_forgot_nobody(workspace: Workspace) -> None:
    outcomes = rows("outcomes", student_id=[GONE], date=[date(2026, 1, 1)], event=["returned"])
    assert without_forgotten(workspace, outcomes) == (outcomes, 0)
    assert not Forgotten.load(workspace)
    assert not (workspace.root / "secret.key").exists()


def test_bad_rows_do_not_reach_the_quarantine(after: Workspace) -> None:
    problems = pa.Table.from_pylist(
        [
            problem(2, "date", GONE, "x"),
            problem(2, "score", GONE, "x"),
            problem(3, "date", KEPT, "x"),
            problem(4, "no_child", "欧阳 晓燕", "x"),
            problem(5, "date", "欧阳晓燕", "x"),  # a child of that name with a number of its own
            problem(6, "id_number_check", GONE[1:], "x"),
        ],
        PROBLEM_SCHEMA,
    )
    kept, gone = problems_without_forgotten(after, problems)
    assert (kept["row"].to_pylist(), gone) == ([3, 5], 3)


@pytest.mark.parametrize("written", [GONE, GONE.lower(), f" {GONE} ", GONE[1:], "'" + GONE])
def test_however_the_number_is_written(after: Workspace, written: str) -> None:
    assert written in Forgotten.load(after)


def test_the_file_names_nobody_and_stays_the_same(after: Workspace) -> None:
    path = after.data / "forgotten.json"
    before = path.read_bytes()
    assert GONE[1:].encode() not in before
    assert "欧阳".encode() not in before
    with after.lock("test"):
        Forgotten.load(after).add(after, GONE, ["欧阳晓燕"])
    assert path.read_bytes() == before
    with after.lock("test"):
        Forgotten.load(after).add(after, "S2")
    found = Forgotten.load(after)
    assert GONE in found
    assert "S2" in found
    assert KEPT not in found


def test_another_workspace_has_other_marks(after: Workspace, tmp_path: object) -> None:
    other = Workspace.init(after.root.parent / "别的县")
    shutil.copy(after.data / "forgotten.json", other.data / "forgotten.json")
    with pytest.raises(EarlywarnError, match=r"secret.key is gone or another one"):
        Forgotten.load(other)
    (after.root / "secret.key").unlink()
    with pytest.raises(EarlywarnError, match=r"secret.key is gone or another one"):
        Forgotten.load(after)


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "damaged"), ("{}", "damaged"), ('{"format": 9, "key": ""}', "newer")],
)
def test_a_file_that_cannot_be_read(after: Workspace, content: str, said: str) -> None:
    (after.data / "forgotten.json").write_text(content, encoding="utf-8")
    with pytest.raises(EarlywarnError, match=said):
        Forgotten.load(after)
