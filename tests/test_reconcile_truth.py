"""The linking measured on the generated city's own lists, of which the truth is known."""

from __future__ import annotations

from functools import cache

import duckdb
import pyarrow as pa
import pytest

from earlywarn.reconcile.linking import Linked, link
from earlywarn.reconcile.people import ENROLLED, LISTED
from earlywarn.simulate.city import household_lists, make_roll, tables
from earlywarn.simulate.households import DAYS_AFTER_START
from earlywarn.simulate.plan import Plan
from earlywarn.simulate.terms import day_of
from linking_lists import measure

# The newest snapshot; a field that it leaves empty keeps its last known value.
KNOWN = """
    WITH newest AS (
        SELECT student_id,
               arg_max(s.name, snapshot_date) AS name, arg_max(sex, snapshot_date) AS sex,
               arg_max(birth_date, snapshot_date) AS birth_date,
               arg_max(guardian, snapshot_date) AS guardian,
               arg_max(guardian_phone, snapshot_date) AS guardian_phone,
               arg_max(school_id, snapshot_date) AS school_id,
               arg_max(grade, snapshot_date) AS grade,
               arg_max(class_id, snapshot_date) AS class_id
        FROM students s WHERE snapshot_date <= $as_of GROUP BY student_id)
    SELECT newest.*, county, township, true AS in_cohort
    FROM newest JOIN schools USING (school_id) ORDER BY student_id
"""


@cache
def _measured(seed: int, which: str) -> tuple[Linked, dict[int, str | None], dict[int, str]]:
    plan = Plan(students=3_000, years=2, seed=seed)
    roll = make_roll(plan)
    parts = list(tables(plan, roll, roll_only=True))
    con = duckdb.connect()
    con.register(
        "students", pa.concat_tables([rows for name, _, rows in parts if name == "students"])
    )
    con.register("schools", next(rows for name, _, rows in parts if name == "schools"))
    as_of = day_of(roll.terms.year_start(roll.people.last_year) + DAYS_AFTER_START)
    enrolled = con.sql(KNOWN, params={"as_of": as_of}).to_arrow_table()
    lists = household_lists(plan, roll)
    people, truth = getattr(lists, which), getattr(lists, f"{which}_truth")
    count = people.num_rows
    listed = (
        people.append_column("line", pa.array(range(count), pa.int64()))
        .append_column("file", pa.array(["list.csv"] * count))
        .append_column("row", pa.array(range(2, count + 2), pa.int32()))
    )
    result = link(
        listed.select(LISTED.names).cast(LISTED), enrolled.select(ENROLLED.names).cast(ENROLLED)
    )
    lines = truth["line"].to_pylist()
    return (
        result,
        dict(zip(lines, truth["student_id"].to_pylist(), strict=True)),
        dict(zip(lines, truth["noise"].to_pylist(), strict=True)),
    )


@pytest.mark.parametrize("which", ["households", "poverty"])
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_precision_and_recall(seed: int, which: str) -> None:
    result, truth, _ = _measured(seed, which)
    found = measure(result, truth)
    assert found.precision >= 0.99
    assert found.recall >= 0.95
    assert len(set(result.sure["student_id"].to_pylist())) == result.sure.num_rows
    assert len(set(result.sure["line"].to_pylist())) == result.sure.num_rows


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_who_is_on_no_roll_is_found_or_asked_about(seed: int) -> None:
    result, truth, noise = _measured(seed, "households")
    found = set(result.sure["line"].to_pylist()) | set(result.repeated["line"].to_pylist())
    asked = set(result.unsure["line"].to_pylist())
    unknown = {line for line, child in truth.items() if child is None}
    assert not unknown & found
    assert len(asked) <= 0.01 * len(truth)
    wrongly = {line for line in truth if line not in found | asked and line not in unknown}
    # Only lines without a number and with little else: nobody could tell.
    assert all("no_id" in noise[line] for line in wrongly)
    assert len(wrongly) <= 0.001 * len(truth)


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_lines_that_repeat_a_child_name_the_line_that_has_it(seed: int) -> None:
    result, truth, _ = _measured(seed, "households")
    assert result.repeated.num_rows > 0
    for row in result.repeated.to_pylist():
        assert truth[row["line"]] == truth[row["first_line"]] is not None
