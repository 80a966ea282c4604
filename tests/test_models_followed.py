"""Who stood on a list: the newest run of each date, and damaged ones left out."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earlywarn.models.measures.followed import followed, on_a_list
from earlywarn.workspace import Workspace

DAY = date(2026, 3, 2)
EPOCH = date(1970, 1, 1)


@pytest.fixture
def workspace(tmp_path):
    return Workspace.init(tmp_path / "某县 1")


def run(workspace, as_of, number, **listed):
    folder = workspace.runs / as_of.isoformat() / str(number)
    folder.mkdir(parents=True)
    table = pa.table(
        {
            "student_id": pa.array(list(listed), pa.string()),
            "as_of": pa.array([as_of] * len(listed), pa.date32()),
            "listed": pa.array(list(listed.values()), pa.bool_()),
            "score": pa.array([0.1] * len(listed)),
        }
    )
    pq.write_table(table, folder / "scores.parquet")
    return folder / "scores.parquet"


def pairs(found):
    return [tuple(row.values()) for row in found.listed.to_pylist()]


def test_no_run(workspace):
    found = followed(workspace)
    assert (pairs(found), found.runs, found.notes) == ([], 0, ())
    workspace.runs.rmdir()
    assert pairs(followed(workspace)) == []


def test_the_newest_run_of_each_date_counts(workspace):
    run(workspace, DAY, 2, a=False, b=True, c=None)
    run(workspace, DAY, 10, a=True, b=False, c=None)
    run(workspace, DAY + timedelta(days=7), 1, b=True, a=True)
    found = followed(workspace)
    later = DAY + timedelta(days=7)
    assert pairs(found) == [("a", DAY), ("a", later), ("b", later)]
    assert found.runs == 2
    assert pairs(followed(workspace, until=DAY)) == [("a", DAY)]


def test_what_is_no_run_is_passed_over(workspace):
    run(workspace, DAY, 1, a=True)
    for name in ("20260302", "old", "2026-13-01", "2026-03-09"):
        (workspace.runs / name / "notes").mkdir(parents=True)
    (workspace.runs / "2026-03-16").write_text("a file", "utf-8")
    found = followed(workspace)
    assert pairs(found) == [("a", DAY)]
    assert found.notes == ()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
        lambda path: pq.write_table(pq.read_table(path).drop_columns(["listed"]), path),
        lambda path: pq.write_table(pq.read_table(path).drop_columns(["as_of"]), path),
        lambda path: pq.write_table(
            pa.table({"student_id": ["x"], "as_of": [DAY], "listed": [1]}), path
        ),
        lambda path: pq.write_table(
            pa.table({"student_id": ["x"], "as_of": ["soon"], "listed": [True]}), path
        ),
    ],
)
def test_a_run_that_cannot_be_read_is_left_out_with_a_note(workspace, spoil):
    run(workspace, DAY, 1, a=True)
    spoil(run(workspace, DAY + timedelta(days=7), 3, b=True))
    found = followed(workspace)
    assert pairs(found) == [("a", DAY)]
    assert found.runs == 1
    (note,) = found.notes
    for text in note:
        assert "runs/2026-03-09/3/scores.parquet" in text


def listed_table(pairs):
    return pa.table(
        {
            "student_id": pa.array([p[0] for p in pairs], pa.string()),
            "as_of": pa.array([p[1] for p in pairs], pa.date32()),
        }
    )


def test_both_ends_of_the_window_are_in_it():
    days = [DAY + timedelta(days=d) for d in (-1, 0, 30, 31)]
    for day, expected in zip(days, (False, True, True, False), strict=True):
        found = on_a_list(
            np.asarray([1, 0], np.int32),
            np.asarray([(DAY - EPOCH).days] * 2, np.int32),
            ["a", "b"],
            listed_table([("b", day), ("stranger", DAY)]),
            30,
        )
        assert found.tolist() == [expected, False]


CASES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 60)), max_size=20)


@given(rows=CASES, listed=CASES, horizon=st.integers(1, 40))
def test_it_is_what_looking_at_every_pair_says(rows, listed, horizon):
    students = ["a", "b", "c", "d"]  # the fifth is unknown
    first = (DAY - EPOCH).days
    rows = [(s % 4, d) for s, d in rows]
    table = listed_table([("abcdz"[s], DAY + timedelta(days=d)) for s, d in listed])
    found = on_a_list(
        np.asarray([s for s, _ in rows], np.int32),
        np.asarray([first + d for _, d in rows], np.int32),
        students,
        table,
        horizon,
    )
    assert found.tolist() == [
        any(s == t and d <= e <= d + horizon for t, e in listed) for s, d in rows
    ]
