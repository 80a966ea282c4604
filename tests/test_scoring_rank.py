"""Tiers, ranks, capacity: who is on a school's list and who was cut."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earlywarn.scoring.rank import rank_and_list, tier_levels
from earlywarn.workspace import Config


def test_tier_is_the_highest_of_score_and_floor():
    scores = np.array([0.0, 0.0049, 0.005, 0.0199, 0.02, 1.0, 0.0])
    floors = np.array([0, 0, 0, 0, 0, 0, 3], dtype=np.int8)
    config = Config.model_validate({"tiers": {"high": 20, "watch": 5}})
    levels = tier_levels(scores, floors, 0.001, config)
    assert levels.tolist() == [0, 0, 1, 1, 2, 2, 3]


def test_by_score_alone_nobody_is_urgent():
    levels = tier_levels(np.ones(3), np.zeros(3, dtype=np.int8), 1e-9, Config())
    assert levels.tolist() == [2, 2, 2]


@pytest.mark.parametrize(
    ("students", "own", "expected"),
    [(10, None, 3), (100, None, 3), (101, None, 4), (1000, None, 30), (10, 7, 7), (1000, 0, 0)],
)
def test_capacity(students: int, own: int | None, expected: int):
    assert Config().capacity.of(students, own) == expected


def test_capacity_is_exact_in_decimal():
    # 0.07 * 100 is 7.000000000000001 in binary; a school of 100 can follow up 7, not 8
    config = Config.model_validate({"capacity": {"least": 1, "share": 0.07}})
    assert config.capacity.of(100) == 7


def _con(schools: dict[str, int], students: list[tuple[str, str]]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("CREATE TABLE cohort (student_id VARCHAR, school_id VARCHAR)").fetchall()
    con.execute("CREATE TABLE schools (school_id VARCHAR, capacity INTEGER)").fetchall()
    con.executemany("INSERT INTO cohort VALUES (?, ?)", students).fetchall()
    con.executemany("INSERT INTO schools VALUES (?, ?)", list(schools.items())).fetchall()
    return con


def _scored(rows: list[tuple[str, str, int, float]]) -> pa.Table:
    ids, schools, levels, scores = zip(*rows, strict=True)
    return pa.table(
        {
            "student_id": pa.array(ids, pa.string()),
            "school_id": pa.array(schools, pa.string()),
            "level": pa.array(levels, pa.int8()),
            "score": pa.array(scores, pa.float64()),
        }
    )


def test_urgent_beyond_capacity_and_routine_never():
    rows = [
        ("a", "S", 3, 0.1),
        ("b", "S", 3, 0.2),
        ("c", "S", 2, 0.9),
        ("d", "S", 0, 0.0),
        ("e", "T", 0, 0.0),
        ("f", "T", 1, 0.5),
    ]
    con = _con({"S": 1, "T": 5}, [(row[0], row[1]) for row in rows])
    ranked = rank_and_list(con, _scored(rows), Config()).to_pylist()
    assert [(r["student_id"], r["rank"], r["listed"]) for r in ranked] == [
        ("a", 2, True),
        ("b", 1, True),
        ("c", 3, False),
        ("d", 4, False),
        ("e", 2, False),
        ("f", 1, True),
    ]


@given(
    st.lists(
        st.tuples(st.sampled_from("ST"), st.integers(0, 3), st.sampled_from([0.1, 0.2, 0.3])),
        min_size=1,
        max_size=30,
    ),
    st.randoms(use_true_random=False),
)
def test_order_of_rows_does_not_matter(rows, random):
    full = [(f"{i:03d}", school, level, score) for i, (school, level, score) in enumerate(rows)]
    con = _con({"S": 2}, [(row[0], row[1]) for row in full])
    first = rank_and_list(con, _scored(full), Config())
    random.shuffle(full)
    assert rank_and_list(con, _scored(full), Config()).equals(first)
    urgent = [r for r in first.to_pylist() if r["level"] == 3]
    assert all(r["listed"] for r in urgent)
